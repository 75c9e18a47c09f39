//! What the readers of the two stores hand to a screen: plain values, each with the time it stands for.
//!
//! `instashop_store` fills these, `instashop-tui` draws them, and tests build them by hand. Money is integer cents of
//! the reporting currency, times are UTC, days are business days in the reporting zone.

mod alerts;
mod ask;
mod behaviour;
mod board;
mod buyers;
mod difference;
mod health;
mod inventory;
mod live;
mod logistics;
mod orders;
mod payments;
mod products;
mod stores;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

pub use alerts::{AlertFacts, DueFact, MethodFact, OddOrder, StockFact};
pub use ask::{Ask, Basis, Range, When, Window};
pub use behaviour::{BehaviourView, FUNNEL_STEPS, Outcome, Path, SearchTerm, StoreFunnel};
pub use board::{Board, BoardView, Pair, Topic};
pub use buyers::{BuyerDay, BuyersView, Cohort, RfmSegment, TopBuyer, VALUE_LIMITS_CENTS};
pub use difference::{DifferencePart, DifferenceView, PartsBy};
pub use health::{
    ConnectorHealth, DriftProof, FlowHealth, LiveSystem, MartsHealth, PartitionHealth, SealedDays,
    SourceHealth, SystemView, TableDrift, WarehouseSystem, WorkerHealth,
};
pub use inventory::{
    InventoryView, Movement, Place, PlaceCategory, STOCK_DAYS, StockForecast, StockRow, StockState,
};
pub use live::{DoingNow, LastPaid, LiveAsk, LiveFigures, VisitMinute, Visits};
pub use logistics::{DueDay, LogisticsView, MethodShipments, OverdueShipment, TRANSIT_HOURS};
pub use orders::{OrderLine, OrderList, OrdersOf};
pub use payments::{
    AttemptHour, MethodAttempts, PENDING_LIMITS_S, PaymentsView, PendingAge, PendingOrder, StoreAttempts,
};
pub use products::{AbcClass, ProductPair, ProductRow, ProductsView};
pub use stores::{Churn, MrrMovement, PlanShare, StoreScore, StoresView};

/// Sums of one day, or of any set of days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Totals {
    /// Revenue: sum of `total_amount` over recognised and reversed orders (KPI revenue_today, revenue_total).
    pub revenue_cents: i64,
    /// Number of those orders (KPI orders).
    pub orders: i64,
    /// Orders still open (KPI pending).
    pub open: i64,
    /// Failed attempts (KPI failed).
    pub failed: i64,
    /// Cancelled orders.
    pub cancelled: i64,
    /// Orders taken back; they are also in `orders`.
    pub reversed: i64,
    /// Orders with a status that no map knows.
    pub unmapped: i64,
}

impl Totals {
    /// Adds another set of sums.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self {
            revenue_cents: self.revenue_cents + other.revenue_cents,
            orders: self.orders + other.orders,
            open: self.open + other.open,
            failed: self.failed + other.failed,
            cancelled: self.cancelled + other.cancelled,
            reversed: self.reversed + other.reversed,
            unmapped: self.unmapped + other.unmapped,
        }
    }
}

/// One time bucket of a trend.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrendPoint {
    /// Start of the bucket, UTC; the bucket is half open.
    pub start: DateTime<Utc>,
    /// Sums of the bucket.
    pub totals: Totals,
}

/// Payment outcomes of one method (KPIs payment_mix, payment_success).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentMethod {
    /// Canonical name.
    pub method: String,
    /// Paid orders (recognised or reversed).
    pub paid: i64,
    /// Failed attempts.
    pub failed: i64,
    /// Orders still open.
    pub open: i64,
    /// Revenue of the paid orders.
    pub revenue_cents: i64,
}

/// Sales of one category (KPI sales_by_category). `unclassified` and `unattributed` are categories like any other, so
/// that the list adds up to revenue exactly.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CategorySales {
    /// Category as it is now (docs: kpis 0.7).
    pub category: String,
    /// Allocated revenue.
    pub revenue_cents: i64,
    /// Units sold.
    pub units: i64,
    /// Distinct orders, where the source of the view can count them.
    pub orders: Option<i64>,
}

/// Sales of one region (KPI sales_by_region). `unknown` is a region like any other, so that the list adds up to revenue.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RegionSales {
    /// Where the goods go; `unknown` for an address that names no known region.
    pub region: String,
    /// Revenue.
    pub revenue_cents: i64,
    /// Orders.
    pub orders: i64,
    /// Revenue of the period before.
    pub before_cents: i64,
}

/// Sales of one product (KPI top_products).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProductSales {
    /// Product id.
    pub product_id: i64,
    /// Name as it is now; empty when the product row has not come yet.
    pub name: String,
    /// Category as it is now.
    pub category: String,
    /// Allocated revenue.
    pub revenue_cents: i64,
    /// Units sold.
    pub units: i64,
}

/// Behaviour of one event type (KPI events_by_type).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BehaviourCount {
    /// Event type as the source names it.
    pub event_type: String,
    /// Events.
    pub events: i64,
    /// Distinct session ids.
    pub sessions: i64,
    /// Distinct actors: the buyer of the metadata, else the store column (D5).
    pub actors: i64,
}

/// One entry of the event tape: a change that moved a live state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TapeEntry {
    /// Commit time at the source.
    pub at: DateTime<Utc>,
    /// What: `order`, `fail`, `refund`, `stock`, `ship`.
    pub what: String,
    /// Operation letter: c, u or d.
    pub op: String,
    /// Source key.
    pub key: i64,
    /// Amount in cents, for orders.
    pub amount_cents: Option<i64>,
    /// Payment method, shipping method or warehouse.
    pub by: String,
    /// Status after the change, or `13 → 11` for stock.
    pub state: String,
    /// Store id, for orders.
    pub store_id: Option<i64>,
}

/// A rebuild of the live totals from the topics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rebuild {
    /// When the live generation was created.
    pub since: DateTime<Utc>,
    /// Share of the records to read that were read, 0 to 100.
    pub percent: u8,
    /// Estimate of what is left, in seconds, when it can be told.
    pub remaining_s: Option<u64>,
}

/// Everything the Live tab shows from Redis, read at one moment.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct LiveView {
    /// When it was read (clock of the reader).
    pub read_at: DateTime<Utc>,
    /// Live generation, empty when Redis holds none.
    pub generation: String,
    /// Newest commit time at a source that is contained: the cut in words of time. Moved by heartbeats too.
    pub as_of: Option<DateTime<Utc>>,
    /// When a live worker last published.
    pub published_at: Option<DateTime<Utc>>,
    /// Set while the totals are being built again.
    pub rebuild: Option<Rebuild>,
    /// Business day the sums below belong to.
    pub day: NaiveDate,
    /// Sums of today.
    pub today: Totals,
    /// Distinct buyers with a sale today.
    pub buyers_today: i64,
    /// Figures of today of the store or the platform that was asked for.
    pub figures: LiveFigures,
    /// Visits of today of the platform.
    pub visits: Visits,
    /// What visitors do right now; `None` where it was not asked for.
    pub doing: Option<DoingNow>,
    /// When each method was last paid with, for those that were in the minutes below.
    pub last_paid: Vec<LastPaid>,
    /// Last 60 minutes, oldest first, the running minute last; a minute without orders is present with zeros.
    pub minutes: Vec<TrendPoint>,
    /// Hours of today from local midnight to the running hour.
    pub hours: Vec<TrendPoint>,
    /// 30 s buckets of the last 10 minutes, oldest first.
    pub half_minutes: Vec<TrendPoint>,
    /// Payment outcomes of today.
    pub payments: Vec<PaymentMethod>,
    /// Categories of today, largest revenue first.
    pub categories: Vec<CategorySales>,
    /// Best products of today by revenue, at most 20, ties by product id.
    pub products: Vec<ProductSales>,
    /// Behaviour of today, most events first.
    pub behaviour: Vec<BehaviourCount>,
    /// Last 50 changes, newest first.
    pub tape: Vec<TapeEntry>,
    /// Changes applied by the live flow in the last seconds, in thousandths of an event a second.
    pub events_per_1000s: i64,
}

/// The base that Live compares with: the same weekday of last week from the warehouse, minute by minute.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LiveBase {
    /// The day it stands for.
    pub day: NaiveDate,
    /// True when the day is complete in the warehouse and not before the first captured day.
    pub complete: bool,
    /// Minutes with any order, in order; a minute that is missing had none.
    pub minutes: Vec<TrendPoint>,
    /// Distinct buyers by the minute of their first sale of that day, in order: cumulating gives the same-clock count.
    pub first_sales: Vec<DateTime<Utc>>,
    /// Categories of that day up to the clock time given to the query.
    pub categories: Vec<CategorySales>,
    /// Minutes of that day with any visit, in order.
    pub visits: Vec<VisitMinute>,
    /// What visitors did at the clock time given to the query.
    pub doing: DoingNow,
}

/// Today as the warehouse knows it: what Live shows, marked, while Redis is away.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct WarehouseToday {
    /// When it was read (clock of the reader).
    pub read_at: DateTime<Utc>,
    /// Newest commit time at a source that the warehouse contains.
    pub as_of: Option<DateTime<Utc>>,
    /// Business day.
    pub day: NaiveDate,
    /// Sums of today.
    pub today: Totals,
    /// Distinct buyers with a sale today.
    pub buyers_today: i64,
    /// Visits of today.
    pub visits: Visits,
    /// Hours of today from local midnight.
    pub hours: Vec<TrendPoint>,
    /// Last 60 minutes, oldest first, the running minute last; a minute without orders is present with zeros.
    pub minutes: Vec<TrendPoint>,
    /// Payment outcomes of today.
    pub payments: Vec<PaymentMethod>,
    /// Categories of today, largest revenue first.
    pub categories: Vec<CategorySales>,
    /// Best products of today, at most 20.
    pub products: Vec<ProductSales>,
}

/// One order of the latest-orders table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderRow {
    /// Order id.
    pub order_id: i64,
    /// Business time.
    pub ordered_at: DateTime<Utc>,
    /// Store name, else its id as text.
    pub store: String,
    /// Amount in cents.
    pub amount_cents: i64,
    /// Payment method, canonical.
    pub method: String,
    /// Class of its status.
    pub class: String,
    /// Number of lines.
    pub lines: i64,
}

/// Everything the Sales tab shows from the warehouse.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct SalesView {
    /// When it was read (clock of the reader).
    pub read_at: DateTime<Utc>,
    /// Newest commit time at a source that the warehouse contains.
    pub as_of: Option<DateTime<Utc>>,
    /// Today in the reporting zone.
    pub today: NaiveDate,
    /// First day with any order: a period before it is no base.
    pub first_day: Option<NaiveDate>,
    /// One entry per day of the range and of the period before it, oldest first, zeros included; today is the last.
    pub days: Vec<(NaiveDate, Totals)>,
    /// Reversals by the day they happened (`core.sales_ledger`), negative cents; for net revenue.
    pub reversals: Vec<(NaiveDate, i64)>,
    /// Categories over the complete days of the range, largest first.
    pub categories: Vec<CategorySales>,
    /// The same for the period before.
    pub previous_categories: Vec<CategorySales>,
    /// Regions over the complete days of the range, largest first.
    pub regions: Vec<RegionSales>,
    /// Mean orders by weekday (0 = Monday) and hour over the last eight full weeks, in thousandths.
    pub heat: Vec<[i64; 24]>,
    /// Latest orders, newest first.
    pub latest: Vec<OrderRow>,
}
