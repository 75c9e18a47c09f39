//! Transitions over time: when an order's status, a store's plan, a stock level or a shipment's status changed.
//!
//! Computed from the stored image and every change in order; the identity of the change that caused a transition keys
//! it, so that a replay adds nothing (docs: reliability 4.2 rule 10, kpis 4.1).

use chrono::{DateTime, Utc};

use super::Stored;
use crate::change::Value;
use crate::table::Table;

/// A history the warehouse keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum History {
    /// Status of an order.
    OrderStatus,
    /// Subscription plan of a store.
    CustomerPlan,
    /// Quantity of a stock row.
    StockLevel,
    /// Status of a shipment.
    ShipmentStatus,
}

impl History {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::OrderStatus,
        Self::CustomerPlan,
        Self::StockLevel,
        Self::ShipmentStatus,
    ];

    /// The history a source table feeds.
    pub const fn of(table: Table) -> Option<Self> {
        match table {
            Table::Transaction => Some(Self::OrderStatus),
            Table::Customer => Some(Self::CustomerPlan),
            Table::Stock => Some(Self::StockLevel),
            Table::Shipment => Some(Self::ShipmentStatus),
            _ => None,
        }
    }

    /// The source table it follows.
    pub const fn table(self) -> Table {
        match self {
            Self::OrderStatus => Table::Transaction,
            Self::CustomerPlan => Table::Customer,
            Self::StockLevel => Table::Stock,
            Self::ShipmentStatus => Table::Shipment,
        }
    }

    /// The source columns whose values it keeps.
    pub const fn columns(self) -> &'static [&'static str] {
        match self {
            Self::OrderStatus | Self::ShipmentStatus => &["status"],
            Self::CustomerPlan => &["subscription_plan"],
            Self::StockLevel => &["product_id", "available_quantity"],
        }
    }
}

/// One transition.
#[derive(Debug, Clone, PartialEq)]
pub struct Transition {
    /// Which history.
    pub history: History,
    /// Source key.
    pub key: i64,
    /// Commit time of the change that caused it.
    pub at: DateTime<Utc>,
    /// Generation of that change.
    pub generation: u32,
    /// LSN of that change; 0 when it has none.
    pub lsn: u64,
    /// True when a snapshot row caused it: the moment is then the snapshot's, not the change's.
    pub from_snapshot: bool,
    /// The new values in the order of [`History::columns`]; `None` when the row was deleted and the last value ends.
    pub values: Option<Vec<Value>>,
    /// Moment of the next transition of the same key in the same batch.
    pub until: Option<DateTime<Utc>>,
}

/// The transition between two images of a row, if there is one.
pub(super) fn transition(
    table: Table,
    key: i64,
    old: Option<&Stored>,
    new: &Stored,
    lsn: u64,
) -> Option<Transition> {
    let history = History::of(table)?;
    let values = |stored: &Stored| -> Vec<Value> {
        let columns = history.columns().iter();
        columns
            .map(|column| stored.row.get(table, column).clone())
            .collect()
    };
    let before = old.filter(|old| !old.deleted).map(values);
    let after = (!new.deleted).then(|| values(new));
    (before != after).then_some(Transition {
        history,
        key,
        at: new.committed_at,
        generation: new.position.generation,
        lsn,
        from_snapshot: new.snapshot,
        values: after,
        until: None,
    })
}
