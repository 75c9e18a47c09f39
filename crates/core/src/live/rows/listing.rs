//! A product with its stock rows, as one state.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{as_array, folded};
use crate::change::{Row, Value};
use crate::config::currency_code;
use crate::money::Cents;
use crate::order::{Kept, money};
use crate::table::Table;

/// Category of a product without one, and of lines whose product is not known yet (docs: kpis 0.7).
pub const UNCLASSIFIED: &str = "unclassified";
/// Category of sales without a single line.
pub const UNATTRIBUTED: &str = "unattributed";

/// A product. A deleted product keeps its last values, so that past sales keep their category (docs: kpis 0.6).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "ProductBody", into = "ProductBody")]
pub struct Product {
    /// Name; empty for NULL.
    pub name: String,
    /// Trimmed category, [`UNCLASSIFIED`] when NULL or blank.
    pub category: String,
    /// Currency in capitals; empty for NULL.
    pub currency: String,
    /// True once the row is deleted.
    pub deleted: bool,
    /// Store that offers it.
    pub store: Option<i64>,
    /// Price, cents of its currency.
    pub price: Option<Cents>,
    /// Folded status; empty for NULL.
    pub status: String,
}

type ProductBody = (String, String, String, bool, Option<i64>, Option<Cents>, String);
as_array!(Product as ProductBody { name, category, currency, deleted, store, price, status });

impl Product {
    /// Reads a `product` row; values that did not come are taken from the stored row.
    pub fn of(row: &Row, stored: Option<&Self>) -> Self {
        let table = Table::Product;
        let text = |column, kept: fn(&Self) -> &String| match row.get(table, column) {
            Value::Missing => stored.map(kept).cloned().unwrap_or_default(),
            _ => row.text(table, column).unwrap_or_default().to_owned(),
        };
        let category = text("category", |product| &product.category);
        let category = category.trim_matches(' ');
        Self {
            name: text("name", |product| &product.name),
            category: if category.is_empty() {
                UNCLASSIFIED
            } else {
                category
            }
            .to_owned(),
            currency: currency_code(Some(&text("currency", |product| &product.currency))).unwrap_or_default(),
            deleted: false,
            store: row.int(table, "customer_id"),
            price: money(row, table, "price"),
            status: folded(&text("status", |product| &product.status)),
        }
    }

    /// The row after a delete.
    pub fn gone(stored: Option<&Self>) -> Self {
        stored.map_or_else(
            || Self {
                name: String::new(),
                category: UNCLASSIFIED.to_owned(),
                currency: String::new(),
                deleted: true,
                store: None,
                price: None,
                status: String::new(),
            },
            |stored| Self {
                deleted: true,
                ..stored.clone()
            },
        )
    }
}

/// A stock row: what a product has at one location.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "ShelfBody", into = "ShelfBody")]
pub struct Shelf {
    /// Product.
    pub product: Option<i64>,
    /// Units available.
    pub available: Option<i64>,
    /// At or below it the product has to be reordered.
    pub reorder_point: Option<i64>,
    /// Location, `unknown` where the row names none.
    pub location: String,
}

type ShelfBody = (Option<i64>, Option<i64>, Option<i64>, String);
as_array!(Shelf as ShelfBody { product, available, reorder_point, location });

impl Shelf {
    /// Reads a `stock` row.
    pub fn of(row: &Row) -> Self {
        let table = Table::Stock;
        let location = row
            .text(table, "warehouse_location")
            .map(|text| text.trim_matches(' '));
        Self {
            product: row.int(table, "product_id"),
            available: row.int(table, "available_quantity"),
            reorder_point: row.int(table, "reorder_point"),
            location: location
                .filter(|text| !text.is_empty())
                .unwrap_or("unknown")
                .to_owned(),
        }
    }
}

/// A product with its stock rows. The two come from different databases with no order between them: kept in one state
/// they need none, as with an order and its lines.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(from = "ListingBody", into = "ListingBody")]
pub struct Listing {
    /// The product row; `None` while only stock rows have come.
    pub product: Option<Kept<Product>>,
    /// Stock rows by `stock_id`.
    pub shelves: BTreeMap<i64, Shelf>,
}

type ListingBody = (
    Option<Kept<Product>>,
    Vec<(i64, Option<i64>, Option<i64>, String)>,
);

impl From<ListingBody> for Listing {
    fn from((product, shelves): ListingBody) -> Self {
        // A shelf inside a listing names no product: it is the listing's.
        let shelf = |(id, available, reorder_point, location)| {
            let shelf = Shelf {
                product: None,
                available,
                reorder_point,
                location,
            };
            (id, shelf)
        };
        Self {
            product,
            shelves: shelves.into_iter().map(shelf).collect(),
        }
    }
}

impl From<Listing> for ListingBody {
    fn from(listing: Listing) -> Self {
        let shelves = listing.shelves.into_iter();
        (
            listing.product,
            shelves
                .map(|(id, shelf)| (id, shelf.available, shelf.reorder_point, shelf.location))
                .collect(),
        )
    }
}

impl Listing {
    /// True when nothing is left to remember.
    pub fn is_empty(&self) -> bool {
        self.product.is_none() && self.shelves.is_empty()
    }

    /// The product row, if it came; a deleted one too.
    pub fn row(&self) -> Option<&Product> {
        self.product.as_ref().and_then(|kept| kept.row.as_ref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_product_is_trimmed_and_keeps_what_did_not_come() {
        let row = |name: Value, category: Value, currency: Value| {
            let mut values = vec![Value::Null; Table::Product.columns().len()];
            for (column, value) in [("name", name), ("category", category), ("currency", currency)] {
                values[Table::Product.column(column).unwrap()] = value;
            }
            Row {
                values,
                extra: BTreeMap::new(),
            }
        };
        let text = |text: &str| Value::Text(text.into());
        let first = Product::of(&row(text("Mug"), text("  Home "), text("usd ")), None);
        assert_eq!(
            (
                first.name.as_str(),
                first.category.as_str(),
                first.currency.as_str()
            ),
            ("Mug", "Home", "USD")
        );
        let second = Product::of(&row(Value::Missing, text(" "), Value::Null), Some(&first));
        assert_eq!(
            (
                second.name.as_str(),
                second.category.as_str(),
                second.currency.as_str()
            ),
            ("Mug", UNCLASSIFIED, "")
        );
        assert_eq!(Product::gone(Some(&first)).category, "Home");
    }

    #[test]
    fn a_listing_is_a_short_array_and_comes_back_the_same() {
        let shelf = |available| Shelf {
            product: None,
            available,
            reorder_point: Some(3),
            location: "north".into(),
        };
        let waiting = Listing {
            product: None,
            shelves: BTreeMap::from([(4, shelf(Some(7))), (5, shelf(None))]),
        };
        let body = serde_json::to_string(&waiting).unwrap();
        assert_eq!(body, r#"[null,[[4,7,3,"north"],[5,null,3,"north"]]]"#);
        assert_eq!(serde_json::from_str::<Listing>(&body).unwrap(), waiting);
        assert!(!waiting.is_empty() && Listing::default().is_empty());
    }
}
