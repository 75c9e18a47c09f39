//! What the rules of alerts look at (docs: kpis 5.1), as the warehouse knows it.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// A stock row near its end.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct StockFact {
    /// Stock id.
    pub stock_id: i64,
    /// Product name.
    pub product: String,
    /// Warehouse location.
    pub place: String,
    /// Units available.
    pub available: i64,
    /// Reorder point, where there is one.
    pub reorder: Option<i64>,
    /// True for a product that is on sale.
    pub active: bool,
    /// Units sold a day over 28 days, in thousandths.
    pub per_day_milli: i64,
    /// Days the stock lasts, in thousandths.
    pub days_milli: Option<i64>,
}

/// Attempts of a payment method; pairs are paid and failed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct MethodFact {
    /// Method.
    pub method: String,
    /// The last 60 minutes.
    pub hour: (i64, i64),
    /// The last 5 minutes.
    pub five: (i64, i64),
    /// The last 24 hours.
    pub day: (i64, i64),
    /// The seven days before those.
    pub week: (i64, i64),
    /// Failures since the last paid order.
    pub in_a_row: i64,
    /// First of them.
    pub failing_since: Option<DateTime<Utc>>,
    /// Last paid order.
    pub last_paid_at: Option<DateTime<Utc>>,
}

/// Shipments of a method due in the last seven days.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct DueFact {
    /// Method.
    pub method: String,
    /// Delivered by the due day.
    pub on_time: i64,
    /// Late or overdue.
    pub late: i64,
}

/// An order of the last 24 hours that looks odd.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct OddOrder {
    /// Order id.
    pub order_id: i64,
    /// Business time.
    pub at: DateTime<Utc>,
    /// Amount, cents.
    pub cents: i64,
    /// Attempts of its buyer in the ten minutes up to it.
    pub attempts: i64,
    /// Failed ones among them, when it was paid.
    pub failures: i64,
    /// True when the lines add up to much more: the total is under 60 % of them.
    pub under_lines: bool,
    /// True for the first order of its buyer above the 99th percentile of its store.
    pub first_and_large: bool,
}

/// Everything the rules look at.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct AlertFacts {
    /// Stock rows at or below their reorder point, or that last less than ten days.
    pub stock: Vec<StockFact>,
    /// Payment methods with an attempt in the last nine days.
    pub methods: Vec<MethodFact>,
    /// The last order.
    pub last_order_at: Option<DateTime<Utc>>,
    /// Orders in the span since then, one, two, three and four weeks ago.
    pub expected: Vec<i64>,
    /// Revenue of the last two complete hours, newest first, cents.
    pub hours: Vec<i64>,
    /// The same hours of up to eight weeks before, newest week first; empty before the first captured week.
    pub hours_before: Vec<Vec<i64>>,
    /// Visits and those with an order: the last complete day, then the 28 days before it.
    pub conversion: Vec<(i64, i64)>,
    /// Shipments by method.
    pub due: Vec<DueFact>,
    /// Odd orders.
    pub odd: Vec<OddOrder>,
    /// Rows that broke a rule of quality, by check.
    pub quality: Vec<(String, i64)>,
    /// Orders of the last seven days: the base of the share of unmapped ones.
    pub orders: i64,
}
