//! What the tabs read from the warehouse: one view per tab, all under one heading.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use super::{
    AlertFacts, BehaviourView, BuyersView, InventoryView, LogisticsView, PaymentsView, ProductsView,
    StoresView, Window,
};

/// A tab that is filled from the warehouse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Topic {
    /// Payments.
    Payments,
    /// Buyers.
    Buyers,
    /// Products.
    Products,
    /// Inventory.
    Inventory,
    /// Behaviour.
    Behaviour,
    /// Logistics.
    Logistics,
    /// Stores.
    Stores,
    /// What the rules of alerts look at.
    Alerts,
}

/// A sum and the same sum over the base.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Pair {
    /// In the range.
    pub now: i64,
    /// In what the range is compared with.
    pub before: i64,
}

/// The view of a tab with what it stands for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Board {
    /// When it was read (clock of the reader).
    pub read_at: DateTime<Utc>,
    /// Newest commit time at a source that the marts contain.
    pub as_of: Option<DateTime<Utc>>,
    /// When the marts were computed last that only the daily run computes.
    pub computed_at: Option<DateTime<Utc>>,
    /// The spans it was asked for.
    pub window: Window,
    /// First business day with any order: a base before it is none.
    pub first_day: Option<NaiveDate>,
    /// Stores to choose from: id and name, by name.
    pub stores: Vec<(i64, String)>,
    /// The figures.
    pub view: BoardView,
}

impl Board {
    /// True when the base lies after the first captured day, and is over.
    pub fn has_base(&self) -> bool {
        let captured = self
            .first_day
            .is_some_and(|first| first <= self.window.base_first);
        captured && self.window.base_until <= self.read_at
    }
}

/// The figures of one tab.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum BoardView {
    /// Payments.
    Payments(Box<PaymentsView>),
    /// Buyers.
    Buyers(Box<BuyersView>),
    /// Products.
    Products(Box<ProductsView>),
    /// Inventory.
    Inventory(Box<InventoryView>),
    /// Behaviour.
    Behaviour(Box<BehaviourView>),
    /// Logistics.
    Logistics(Box<LogisticsView>),
    /// Stores.
    Stores(Box<StoresView>),
    /// What the rules of alerts look at.
    Alerts(Box<AlertFacts>),
}

impl BoardView {
    /// Which tab it fills.
    pub const fn topic(&self) -> Topic {
        match self {
            Self::Payments(_) => Topic::Payments,
            Self::Buyers(_) => Topic::Buyers,
            Self::Products(_) => Topic::Products,
            Self::Inventory(_) => Topic::Inventory,
            Self::Behaviour(_) => Topic::Behaviour,
            Self::Logistics(_) => Topic::Logistics,
            Self::Stores(_) => Topic::Stores,
            Self::Alerts(_) => Topic::Alerts,
        }
    }
}
