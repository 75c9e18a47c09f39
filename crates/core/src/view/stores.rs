//! What the Stores tab shows: the platform's own business.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

/// One store over 30 complete days (KPIs gmv, store_funnel; mart store_scorecard).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct StoreScore {
    /// Store id.
    pub store_id: i64,
    /// Name.
    pub store: String,
    /// Tier of its plan.
    pub plan: String,
    /// GMV, cents.
    pub gmv_cents: i64,
    /// GMV of the 30 days before, cents; `None` without orders then.
    pub before_cents: Option<i64>,
    /// Paid orders.
    pub orders: i64,
    /// Share of failed payments, in thousandths.
    pub failed_mille: Option<i64>,
    /// Share of cancelled orders, in thousandths.
    pub cancelled_mille: Option<i64>,
    /// Visits.
    pub visits: i64,
    /// Share of visits with an order, in thousandths.
    pub conversion_mille: Option<i64>,
    /// Share of stock rows that are critical or out of stock, in thousandths.
    pub critical_mille: Option<i64>,
    /// Complaints on 100 orders, in tenths.
    pub complaints_tenths: Option<i64>,
    /// Revenue of the last 30 complete days, oldest first, cents.
    pub trend: Vec<i64>,
}

/// Stores on one plan (KPIs plan_mix, mrr).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PlanShare {
    /// Tier.
    pub plan: String,
    /// Stores.
    pub stores: i64,
    /// What they pay a month, cents.
    pub mrr_cents: i64,
}

/// A movement of the recurring revenue of the running month (KPI mrr_movements).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct MrrMovement {
    /// `new`, `expansion`, `reactivation`, `contraction`, `churn` or `opening`.
    pub movement: String,
    /// Stores.
    pub stores: i64,
    /// Change, cents.
    pub cents: i64,
}

/// Churn of a month (KPI churn_stores).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Churn {
    /// First day of the month.
    pub month: NaiveDate,
    /// Stores that paid before it.
    pub paying: i64,
    /// Those that stopped.
    pub churned: i64,
    /// Lost share of the recurring revenue, gross and net, in tenths of a per cent.
    pub gross_mille: Option<i64>,
    /// See `gross_mille`.
    pub net_mille: Option<i64>,
}

/// Everything the Stores tab shows.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct StoresView {
    /// Stores, highest GMV first.
    pub rows: Vec<StoreScore>,
    /// GMV of the 30 days and of those before, cents.
    pub gmv_cents: (i64, i64),
    /// Commission of the 30 days less what was returned, cents; `None` without a day (KPI commission).
    pub commission_cents: Option<i64>,
    /// Stores with a paid order in 30 days, and all.
    pub active: (i64, i64),
    /// Plans, cheapest first.
    pub plans: Vec<PlanShare>,
    /// Recurring revenue at the end of the last month, cents.
    pub opening_cents: i64,
    /// Movements of the running month.
    pub movements: Vec<MrrMovement>,
    /// The last complete month.
    pub churn: Option<Churn>,
    /// Share of the GMV of the best store, five and twenty, in thousandths; and the Herfindahl index.
    pub concentration_mille: Option<[i64; 3]>,
    /// See `concentration_mille`.
    pub hhi: Option<i64>,
}
