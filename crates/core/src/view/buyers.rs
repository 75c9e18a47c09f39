//! What the Buyers tab shows.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::Pair;

/// Buyers of one day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct BuyerDay {
    /// Business day.
    pub day: NaiveDate,
    /// Buyers with their first paid order.
    pub new: i64,
    /// Buyers with a later one.
    pub returning: i64,
}

/// Buyers of one segment (KPI rfm).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RfmSegment {
    /// Segment.
    pub segment: String,
    /// Buyers.
    pub buyers: i64,
    /// Their revenue of 365 days, cents.
    pub cents: i64,
}

/// Buyers whose first order fell into one month (KPI cohorts).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Cohort {
    /// First day of the month.
    pub month: NaiveDate,
    /// Buyers.
    pub size: i64,
    /// Buyers that bought again, by month since; `None` while the month runs.
    pub months: Vec<Option<i64>>,
}

/// One of the best buyers (KPI top_buyers), by number and initials: names stay in the warehouse.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct TopBuyer {
    /// Buyer id.
    pub buyer_id: i64,
    /// Initials; empty without a name.
    #[serde(default)]
    pub initials: String,
    /// Orders so far.
    pub orders: i64,
    /// Net revenue so far, cents.
    pub cents: i64,
    /// Estimate for twelve months, cents (KPI clv_12m).
    pub next_cents: i64,
    /// Day of the last order.
    pub last_day: Option<NaiveDate>,
    /// Segment; empty without one.
    pub segment: String,
    /// Paid orders of the last twelve weeks, oldest first.
    pub weeks: Vec<i64>,
}

/// Everything the Buyers tab shows.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct BuyersView {
    /// Distinct buyers with a paid order (KPI active_buyers).
    pub active: Pair,
    /// Buyers with their first (KPI new_buyers).
    pub new: Pair,
    /// Buyers with a later one (KPI returning_buyers).
    pub returning: Pair,
    /// Buyers of the month before, and those of them that bought in the last complete month (KPI retention_rate).
    pub retained: (i64, i64),
    /// The same one month earlier.
    pub retained_before: (i64, i64),
    /// Median of the net revenue of a buyer so far, cents (KPI clv_historic).
    pub median_cents: Option<i64>,
    /// Buyers with a sale ever, without an order for 90 days, and for 180 days (KPI churn_buyers).
    pub quiet: (i64, i64, i64),
    /// The days of the range.
    pub days: Vec<BuyerDay>,
    /// Segments, most buyers first.
    pub segments: Vec<RfmSegment>,
    /// Buyers by score of recency (first index) and of frequency and money (second), 1 to 5 each.
    pub grid: Vec<[i64; 5]>,
    /// Cohorts, oldest first, at most twelve.
    pub cohorts: Vec<Cohort>,
    /// Buyers by net revenue so far: upper limit in cents (`None` for the last) and buyers.
    pub values: Vec<(Option<i64>, i64)>,
    /// Best buyers.
    pub top: Vec<TopBuyer>,
}

/// Upper limits of the histogram of lifetime values, cents.
pub const VALUE_LIMITS_CENTS: [i64; 7] = [2_500, 5_000, 10_000, 20_000, 40_000, 80_000, 160_000];
