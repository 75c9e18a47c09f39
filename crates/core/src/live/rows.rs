//! Rows of the other tables as the live flow remembers them: only what the totals and the tape need.

use serde::{Deserialize, Serialize};

use crate::change::{Row, Value};
use crate::table::Table;

/// Category of a product without one, and of lines whose product is not known yet (docs: kpis 0.7).
pub const UNCLASSIFIED: &str = "unclassified";
/// Category of sales without a single line.
pub const UNATTRIBUTED: &str = "unattributed";

/// A product. A deleted product keeps its last values, so that past sales keep their category (docs: kpis 0.6).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    from = "(String, String, String, bool)",
    into = "(String, String, String, bool)"
)]
pub struct Product {
    /// Name; empty for NULL.
    pub name: String,
    /// Trimmed category, [`UNCLASSIFIED`] when NULL or blank.
    pub category: String,
    /// Currency in capitals; empty for NULL.
    pub currency: String,
    /// True once the row is deleted.
    pub deleted: bool,
}

impl From<(String, String, String, bool)> for Product {
    fn from((name, category, currency, deleted): (String, String, String, bool)) -> Self {
        Self {
            name,
            category,
            currency,
            deleted,
        }
    }
}

impl From<Product> for (String, String, String, bool) {
    fn from(product: Product) -> Self {
        (product.name, product.category, product.currency, product.deleted)
    }
}

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
            currency: text("currency", |product| &product.currency)
                .trim()
                .to_uppercase(),
            deleted: false,
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
            },
            |stored| Self {
                deleted: true,
                ..stored.clone()
            },
        )
    }
}

/// A behaviour event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "BehaviourBody", into = "BehaviourBody")]
pub struct Behaviour {
    /// Business time in microseconds since the epoch, UTC.
    pub at: Option<i64>,
    /// Event type; `unknown` for NULL.
    pub kind: String,
    /// Session id of the source.
    pub session: Option<String>,
    /// `metadata.buyer_id` as text (D5).
    pub buyer: Option<String>,
    /// Store column.
    pub store: Option<i64>,
    /// Product column.
    pub product: Option<i64>,
}

type BehaviourBody = (
    Option<i64>,
    String,
    Option<String>,
    Option<String>,
    Option<i64>,
    Option<i64>,
);

impl From<BehaviourBody> for Behaviour {
    fn from((at, kind, session, buyer, store, product): BehaviourBody) -> Self {
        Self {
            at,
            kind,
            session,
            buyer,
            store,
            product,
        }
    }
}

impl From<Behaviour> for BehaviourBody {
    fn from(event: Behaviour) -> Self {
        (
            event.at,
            event.kind,
            event.session,
            event.buyer,
            event.store,
            event.product,
        )
    }
}

impl Behaviour {
    /// Reads a `userbehavior` row; metadata that did not come (pitfall 6) is taken from the stored row.
    pub fn of(row: &Row, stored: Option<&Self>) -> Self {
        let table = Table::UserBehavior;
        let buyer = match row.get(table, "metadata") {
            Value::Missing => stored.and_then(|stored| stored.buyer.clone()),
            _ => row.text(table, "metadata").and_then(buyer_id),
        };
        Self {
            at: row.micros(table, "timestamp"),
            kind: row.text(table, "event_type").unwrap_or("unknown").to_owned(),
            session: row.text(table, "session_id").map(str::to_owned),
            buyer,
            store: row.int(table, "customer_id"),
            product: row.int(table, "product_id"),
        }
    }

    /// Who acted: the buyer of the metadata, else the store column (D5), as `core.session_events` names them.
    pub fn actor(&self) -> Option<String> {
        match (&self.buyer, self.store) {
            (Some(buyer), _) => Some(format!("b{buyer}")),
            (None, Some(store)) => Some(format!("c{store}")),
            (None, None) => None,
        }
    }
}

/// `metadata->>'buyer_id'` as PostgreSQL gives it: text without quotes, NULL for JSON null.
fn buyer_id(metadata: &str) -> Option<String> {
    let value: serde_json::Value = serde_json::from_str(metadata).ok()?;
    match value.get("buyer_id")? {
        serde_json::Value::Null => None,
        serde_json::Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

/// A stock row, kept so that the tape can say `13 → 11`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "(Option<i64>, i64, String)", into = "(Option<i64>, i64, String)")]
pub struct Shelf {
    /// Product.
    pub product: Option<i64>,
    /// Units available.
    pub quantity: i64,
    /// Warehouse.
    pub warehouse: String,
}

impl From<(Option<i64>, i64, String)> for Shelf {
    fn from((product, quantity, warehouse): (Option<i64>, i64, String)) -> Self {
        Self {
            product,
            quantity,
            warehouse,
        }
    }
}

impl From<Shelf> for (Option<i64>, i64, String) {
    fn from(shelf: Shelf) -> Self {
        (shelf.product, shelf.quantity, shelf.warehouse)
    }
}

impl Shelf {
    /// Reads a `stock` row.
    pub fn of(row: &Row) -> Self {
        let table = Table::Stock;
        Self {
            product: row.int(table, "product_id"),
            quantity: row.int(table, "available_quantity").unwrap_or(0),
            warehouse: row
                .text(table, "warehouse_location")
                .unwrap_or_default()
                .to_owned(),
        }
    }
}

/// A shipment, kept so that the tape can say when its status changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    from = "(Option<i64>, String, String)",
    into = "(Option<i64>, String, String)"
)]
pub struct Parcel {
    /// Order.
    pub order: Option<i64>,
    /// Shipping method.
    pub method: String,
    /// Status as the source names it.
    pub status: String,
}

impl From<(Option<i64>, String, String)> for Parcel {
    fn from((order, method, status): (Option<i64>, String, String)) -> Self {
        Self {
            order,
            method,
            status,
        }
    }
}

impl From<Parcel> for (Option<i64>, String, String) {
    fn from(parcel: Parcel) -> Self {
        (parcel.order, parcel.method, parcel.status)
    }
}

impl Parcel {
    /// Reads a `shipment` row.
    pub fn of(row: &Row) -> Self {
        let table = Table::Shipment;
        Self {
            order: row.int(table, "transaction_id"),
            method: row.text(table, "shipping_method").unwrap_or_default().to_owned(),
            status: row.text(table, "status").unwrap_or_default().to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_buyer_of_the_metadata_is_read_like_postgresql_reads_it() {
        let cases = [
            (r#"{"buyer_id": 12}"#, Some("12")),
            (r#"{"buyer_id": "12"}"#, Some("12")),
            (r#"{"buyer_id": null}"#, None),
            (r#"{"other": 1}"#, None),
            ("[1]", None),
            ("no json", None),
        ];
        for (metadata, expected) in cases {
            assert_eq!(buyer_id(metadata).as_deref(), expected, "{metadata}");
        }
    }

    #[test]
    fn a_product_is_trimmed_and_keeps_what_did_not_come() {
        let row = |name: Value, category: Value, currency: Value| {
            let mut values = vec![Value::Null; Table::Product.columns().len()];
            for (column, value) in [("name", name), ("category", category), ("currency", currency)] {
                values[Table::Product.column(column).unwrap()] = value;
            }
            Row {
                values,
                extra: std::collections::BTreeMap::new(),
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
}
