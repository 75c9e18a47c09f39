//! What the Payments tab shows.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::Pair;

/// Attempts of one payment method (KPIs payment_success, payment_mix, revenue_at_risk).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct MethodAttempts {
    /// Canonical name; `unknown` for one no map knows.
    pub method: String,
    /// Paid orders.
    pub paid: Pair,
    /// Failed attempts.
    pub failed: Pair,
    /// Failed attempts whose buyer paid within 24 hours.
    pub recovered: Pair,
    /// Revenue of the paid orders, cents.
    pub revenue_cents: i64,
    /// Amount of failed attempts that were not recovered within 24 hours, cents.
    pub at_risk_cents: Pair,
    /// Paid and failed over the seven complete days before today.
    pub week: (i64, i64),
    /// When an order was last paid with it.
    pub last_paid_at: Option<DateTime<Utc>>,
    /// Paid and failed by hour of the last 24 hours, oldest first; the last hour runs.
    pub hours: Vec<(i64, i64)>,
}

/// Orders that wait for their payment, by how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PendingAge {
    /// Longest wait of the bucket in seconds; `None` for the last.
    pub up_to_s: Option<i64>,
    /// Orders.
    pub orders: i64,
    /// Their amount, cents.
    pub cents: i64,
}

/// An order that waits.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PendingOrder {
    /// Order id.
    pub order_id: i64,
    /// Business time.
    pub ordered_at: DateTime<Utc>,
    /// Store name.
    pub store: String,
    /// Payment method.
    pub method: String,
    /// Amount, cents.
    pub cents: i64,
}

/// One hour of all methods.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct AttemptHour {
    /// Start of the hour.
    pub start: DateTime<Utc>,
    /// Paid and failed.
    pub now: (i64, i64),
    /// Paid and failed in the same hour of the seven days before, added up.
    pub week: (i64, i64),
}

/// Attempts of one store.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct StoreAttempts {
    /// Store id.
    pub store_id: i64,
    /// Store name.
    pub store: String,
    /// Paid orders.
    pub paid: i64,
    /// Failed attempts.
    pub failed: i64,
}

/// Everything the Payments tab shows.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PaymentsView {
    /// Methods, worst success first.
    pub methods: Vec<MethodAttempts>,
    /// The last 24 hours, oldest first.
    pub hours: Vec<AttemptHour>,
    /// Pending orders by age, youngest bucket first.
    pub ages: Vec<PendingAge>,
    /// The longest waiting orders, oldest first.
    pub pending: Vec<PendingOrder>,
    /// Stores by share of failed attempts, worst first; those with at least one attempt.
    pub stores: Vec<StoreAttempts>,
}

/// Limits of the buckets of pending orders, in seconds (docs: dashboard, Payments).
pub const PENDING_LIMITS_S: [i64; 4] = [300, 1800, 7200, 86_400];
