//! Stock movements.

use serde::{Deserialize, Serialize};

use super::{as_array, folded};
use crate::change::Row;
use crate::table::Table;

/// A stock movement: an `inventorymovement` row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "MovementBody", into = "MovementBody")]
pub struct Movement {
    /// Business time, microseconds since the epoch, UTC.
    pub at: Option<i64>,
    /// The product.
    pub product: Option<i64>,
    /// True for units that came in, false for units that left; `None` for any other type.
    pub inward: Option<bool>,
    /// Units; NULL counts as 0.
    pub quantity: i64,
    /// Folded reason, `unknown` for NULL.
    pub reason: String,
}

type MovementBody = (Option<i64>, Option<i64>, Option<bool>, i64, String);
as_array!(Movement as MovementBody { at, product, inward, quantity, reason });

impl Movement {
    /// Reads an `inventorymovement` row.
    pub fn of(row: &Row) -> Self {
        let table = Table::InventoryMovement;
        Self {
            at: row.micros(table, "movement_date"),
            product: row.int(table, "product_id"),
            inward: match row.text(table, "movement_type").map(folded).as_deref() {
                Some("in") => Some(true),
                Some("out") => Some(false),
                _ => None,
            },
            quantity: row.int(table, "quantity").unwrap_or(0),
            reason: row
                .text(table, "reason")
                .map_or_else(|| "unknown".to_owned(), folded),
        }
    }
}
