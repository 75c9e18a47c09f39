//! What the Behaviour tab shows.

use serde::{Deserialize, Serialize};

use super::Pair;

/// Steps of the closed funnel, in order (KPI funnel).
pub const FUNNEL_STEPS: usize = 6;

/// Visits that ended in one way (KPI outcomes).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Outcome {
    /// `conversion`, `cart_abandonment`, `browse`, `bounce` or `in_progress`.
    pub outcome: String,
    /// Visits.
    pub visits: Pair,
}

/// What was searched (KPI search).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SearchTerm {
    /// The term in lower case; empty for a search without one.
    pub term: String,
    /// Searches.
    pub searches: i64,
    /// Searches that found nothing.
    pub without_result: i64,
}

/// Visits of one path (KPI journey).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Path {
    /// First steps, such as `page_view > product_view`.
    pub path: String,
    /// Visits.
    pub visits: i64,
}

/// The funnel of one store (KPI store_funnel).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct StoreFunnel {
    /// Store name.
    pub store: String,
    /// Visits that reached each step.
    pub steps: [i64; FUNNEL_STEPS],
}

/// Everything the Behaviour tab shows.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct BehaviourView {
    /// Visits that reached each step of the closed funnel.
    pub funnel: [Pair; FUNNEL_STEPS],
    /// False when no checkout is recorded: the step is hidden.
    pub has_checkout: bool,
    /// Outcomes, in the order of decision D7.
    pub outcomes: Vec<Outcome>,
    /// Median length of ended visits, milliseconds.
    pub median_ms: [Option<i64>; 2],
    /// Ended visits, those of one event, those with an add to cart, and those left with a cart.
    pub ended: Pair,
    /// See `ended`.
    pub single: Pair,
    /// See `ended`.
    pub with_cart: Pair,
    /// See `ended`.
    pub abandoned: Pair,
    /// Placed orders, and those of them inside a visit with behaviour.
    pub orders: Pair,
    /// See `orders`.
    pub tracked: Pair,
    /// Visits that may go on with something in the cart.
    pub open_carts: i64,
    /// Searches, and those without a result.
    pub searches: (i64, i64),
    /// Terms, most searched first.
    pub terms: Vec<SearchTerm>,
    /// Paths, most walked first.
    pub paths: Vec<Path>,
    /// Last event of ended visits without an order, most frequent first.
    pub exits: Vec<(String, i64)>,
    /// Events by type, most frequent first.
    pub events: Vec<(String, Pair)>,
    /// Funnels by store, most visits first.
    pub stores: Vec<StoreFunnel>,
    /// Visits by weekday (0 is Monday) and hour: begun, and those left with a cart.
    pub hours: Vec<[(i64, i64); 24]>,
}
