//! What the live store and its base say of visits and of the figures of one store, beside the sums of money.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{FUNNEL_STEPS, Totals};

/// What a screen asks of the live store, beside what every screen shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct LiveAsk {
    /// The store whose figures of today are wanted; `None` is the platform.
    pub store: Option<i64>,
    /// True to read what visitors do right now as well.
    pub doing: bool,
}

/// What visitors of all stores do right now.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct DoingNow {
    /// Distinct actors with an event in the last 5 minutes (KPI visitors_now).
    pub visitors: i64,
    /// Actors at a store who did something in the last 10 minutes, and none of what follows.
    pub browsing: i64,
    /// Actors at a store who changed a cart in the last 10 minutes (KPI live_carts, as the next two).
    pub carts: i64,
    /// Those who began a checkout.
    pub checkouts: i64,
    /// Those who placed an order.
    pub purchases: i64,
    /// Distinct actors by half minute of the last 10 minutes, oldest first; empty where nobody counted.
    pub course: Vec<i64>,
}

/// Visits, and those of them with an order (KPIs visits, conversion_rate).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Visits {
    /// Visits.
    pub begun: i64,
    /// Visits with an order that did not fail.
    pub converted: i64,
}

impl Visits {
    /// Adds others.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self {
            begun: self.begun + other.begun,
            converted: self.converted + other.converted,
        }
    }
}

/// Visits of a minute of the base day: those that began in it, and those whose first order was placed in it, so that
/// cumulating gives both as they stood at a clock time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct VisitMinute {
    /// Start of the minute, UTC.
    pub start: DateTime<Utc>,
    /// The visits.
    pub visits: Visits,
}

/// When a method was last paid with (KPI last_paid_age).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastPaid {
    /// Canonical method.
    pub method: String,
    /// Start of the minute of its last paid order, UTC.
    pub minute: DateTime<Utc>,
}

/// Figures of today of the platform or of one store, as Redis holds them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct LiveFigures {
    /// The store; `None` is the platform.
    pub store: Option<i64>,
    /// Headline sums.
    pub totals: Totals,
    /// Units of the lines of sales.
    pub units: i64,
    /// Distinct buyers with a sale (KPI unique_buyers_today).
    pub buyers: i64,
    /// Those whose first sale is today (KPI new_buyers).
    pub new_buyers: i64,
    /// Those with an earlier sale (KPI returning_buyers).
    pub returning_buyers: i64,
    /// Visits that reached each step (KPI funnel); the first is every visit.
    pub funnel: [i64; FUNNEL_STEPS],
    /// Visits with an order (KPI conversion_rate).
    pub converted: i64,
    /// Cents a month of the plans of all stores, as they are now (KPI mrr); of the platform alone.
    pub mrr_cents: Option<i64>,
}

impl LiveFigures {
    /// The visits and those with an order.
    pub const fn visits(&self) -> Visits {
        Visits {
            begun: self.funnel[0],
            converted: self.converted,
        }
    }
}
