//! What the Products tab shows.

use serde::{Deserialize, Serialize};

use super::Pair;

/// Sales and views of one product (KPIs top_products, product_views, product_conversion, abc).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ProductRow {
    /// Product id.
    pub product_id: i64,
    /// Name as it is now; empty when the product row has not come.
    pub name: String,
    /// Category as it is now.
    pub category: String,
    /// Revenue, cents.
    pub cents: Pair,
    /// Units sold.
    pub units: Pair,
    /// Orders.
    pub orders: i64,
    /// Views.
    pub views: i64,
    /// Visits with a view, and those with an add to cart.
    pub visits: (i64, i64),
    /// A, B or C over 90 days; empty for a product that is gone.
    pub class: String,
    /// Revenue of ten equal parts of the range, oldest first, cents.
    pub trend: Vec<i64>,
}

/// Two products that were bought together (KPI basket).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ProductPair {
    /// The product.
    pub product_id: i64,
    /// The other.
    pub other_id: i64,
    /// Its name.
    pub other: String,
    /// Orders with both.
    pub both: i64,
    /// Orders with the product, with the other, and all.
    pub orders: (i64, i64, i64),
}

impl ProductPair {
    /// Orders with both, over those that chance would give, in hundredths; `None` when nothing can be expected.
    pub fn lift_percent(&self) -> Option<i64> {
        let expected = i128::from(self.orders.0) * i128::from(self.orders.1);
        let lift = (i128::from(self.both) * i128::from(self.orders.2) * 100).checked_div(expected)?;
        i64::try_from(lift).ok()
    }

    /// True when at least five orders have both and that is more than chance explains: more than 2.33 standard
    /// deviations of a Poisson count over the expected one (one in a hundred).
    pub fn is_more_than_chance(&self) -> bool {
        let (a, b, all) = self.orders;
        if self.both < 5 || all <= 0 {
            return false;
        }
        let expected = a as f64 * b as f64 / all as f64;
        self.both as f64 - expected > 2.33 * expected.sqrt()
    }
}

/// One class of the ABC analysis.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct AbcClass {
    /// A, B or C.
    pub class: String,
    /// Products.
    pub products: i64,
    /// Their revenue of 90 days, cents.
    pub cents: i64,
    /// Those of them without any sale.
    pub unsold: i64,
}

/// Everything the Products tab shows.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ProductsView {
    /// Units sold.
    pub units: Pair,
    /// Products with a sale.
    pub sold: Pair,
    /// Products that exist.
    pub listed: i64,
    /// Visits with a view of a product; orders of products, at most one per visit and product.
    pub converted: [Pair; 2],
    /// Products with a sale or a view, by revenue, then views; at most 500.
    pub rows: Vec<ProductRow>,
    /// Pairs of the best products, most orders first.
    pub pairs: Vec<ProductPair>,
    /// ABC classes.
    pub classes: Vec<AbcClass>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_against_chance() {
        for (both, orders, lift, more) in [
            (50, (100, 100, 1000), Some(500), true),
            (10, (100, 100, 1000), Some(100), false),
            (17, (100, 100, 1000), Some(170), false),
            (18, (100, 100, 1000), Some(180), true),
            (4, (5, 5, 100_000), Some(1_600_000), false),
            (5, (5, 5, 100_000), Some(2_000_000), true),
            (5, (0, 5, 100), None, true),
            (5, (5, 5, 0), Some(0), false),
        ] {
            let pair = ProductPair {
                both,
                orders,
                ..ProductPair::default()
            };
            assert_eq!(
                (pair.lift_percent(), pair.is_more_than_chance()),
                (lift, more),
                "{both} {orders:?}"
            );
        }
    }
}
