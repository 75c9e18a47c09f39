//! The totals by name: which sums, counts and reference counts exist.

use chrono::{DateTime, Duration, NaiveDate, Utc};

use super::calendar::{Bucket, Calendar};
use super::measure::{
    DayMeasure, Delivery, Doing, Measure, PaymentMeasure, PlaceMeasure, ProductKey, ProductMeasure,
    StockStatus,
};
use super::scope::Scope;
use crate::money::Cents;
use crate::table::Table;
use crate::visits::VisitOutcome;

/// Days that what happens "now" is kept after it happened, so that no reader misses it.
const NOW_LIFE_DAYS: i64 = 1;

/// One total. Each is additive, so that any change is a sum of signed integers.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cell {
    /// A headline sum of a bucket.
    Total {
        /// Whose.
        scope: Scope,
        /// When.
        bucket: Bucket,
        /// Which sum.
        measure: Measure,
    },
    /// A sum of a day.
    Day {
        /// Whose.
        scope: Scope,
        /// Business day.
        day: NaiveDate,
        /// Which sum.
        measure: DayMeasure,
    },
    /// Change of the number of active buyers from one day to the next: the sum up to a day is the number of buyers with a
    /// sale in the 30 complete days before it (KPI active_buyers). May be below zero.
    Active {
        /// Whose.
        scope: Scope,
        /// The day the number changes.
        day: NaiveDate,
    },
    /// Sales of a store on a day: a reference count, the number of stores that have one is kept beside it (KPI
    /// active_stores).
    Seller {
        /// Business day.
        day: NaiveDate,
        /// The store.
        store: i64,
    },
    /// A sum of a payment method on a day.
    Payment {
        /// Whose.
        scope: Scope,
        /// Business day.
        day: NaiveDate,
        /// Which sum.
        measure: PaymentMeasure,
        /// Canonical method.
        method: String,
    },
    /// Paid orders of a method in a minute (KPI last_paid_age).
    Paid {
        /// Whose.
        scope: Scope,
        /// Minutes since the epoch, UTC.
        minute: i64,
        /// Canonical method.
        method: String,
    },
    /// A sum of a product on a day; the store books it under the product's category too, as it is at that moment.
    Product {
        /// Whose.
        scope: Scope,
        /// Business day.
        day: NaiveDate,
        /// What was sold.
        product: ProductKey,
        /// Which sum.
        measure: ProductMeasure,
    },
    /// Lines of a product that a buyer bought on a day: a reference count that moves with the product's category.
    ProductBuyer {
        /// Business day.
        day: NaiveDate,
        /// What was sold.
        product: ProductKey,
        /// The buyer.
        buyer: i64,
    },
    /// Sales of exactly this amount on a day: the multiset behind the largest and the smallest order.
    Amount {
        /// Whose.
        scope: Scope,
        /// Business day.
        day: NaiveDate,
        /// The order's total.
        cents: Cents,
    },
    /// Behaviour events of a type in a bucket.
    Events {
        /// Whose.
        scope: Scope,
        /// When.
        bucket: Bucket,
        /// Event type.
        kind: String,
    },
    /// Events of a session by type and day: a reference count.
    Session {
        /// Business day.
        day: NaiveDate,
        /// Event type.
        kind: String,
        /// Session id of the source.
        session: String,
    },
    /// Events of an actor by type and day: a reference count.
    Actor {
        /// Business day.
        day: NaiveDate,
        /// Event type.
        kind: String,
        /// `b<buyer>` or `c<store>` (D5).
        actor: String,
    },
    /// Visits that an actor began on a day: a reference count, the number of actors that have one is kept beside it (KPI
    /// visitors).
    Visitor {
        /// Whose.
        scope: Scope,
        /// Business day.
        day: NaiveDate,
        /// `b<buyer>` or `c<store>` (D5).
        actor: String,
    },
    /// Searches of a term on a day (KPI search).
    Search {
        /// Whose.
        scope: Scope,
        /// Business day.
        day: NaiveDate,
        /// Folded term; empty where the event names none.
        term: String,
        /// True for those that said they found nothing.
        in_vain: bool,
    },
    /// Views of a product on a day (KPI product_views).
    Seen {
        /// Business day.
        day: NaiveDate,
        /// The product.
        product: i64,
    },
    /// A visit without an order, which may still go on.
    OpenVisit {
        /// Its last event, microseconds since the epoch, UTC.
        end: i64,
        /// Its first event.
        start: i64,
        /// The store.
        store: i64,
        /// Who.
        actor: String,
        /// How it ends if nothing more happens.
        outcome: VisitOutcome,
        /// True when something was added to the cart.
        has_cart: bool,
    },
    /// Something that somebody just did.
    Now {
        /// What.
        doing: Doing,
        /// When, microseconds since the epoch, UTC.
        at: i64,
        /// At which store.
        store: i64,
        /// Who.
        actor: String,
        /// True for an order, false for a behaviour event.
        is_order: bool,
        /// The event or order that says so, to tell two of the same moment apart.
        id: i64,
    },
    /// Stores with a plan of a tier (KPI plan_mix).
    Plan {
        /// The tier.
        tier: String,
    },
    /// Cents a month of all stores (KPI mrr).
    Mrr,
    /// Stock rows of a state (KPI stock_status).
    Shelves {
        /// The product's store.
        store: i64,
        /// The state.
        status: StockStatus,
    },
    /// Sums of a warehouse location (KPI warehouses).
    Place {
        /// The product's store.
        store: i64,
        /// The location, `unknown` where the row names none.
        location: String,
        /// Which sum.
        measure: PlaceMeasure,
    },
    /// Critical stock rows of a product that is offered (KPI critical_products).
    Critical {
        /// The product's store.
        store: i64,
        /// The product.
        product: i64,
    },
    /// Units of stock movements (KPI movements). The store of a product is looked up when read.
    Movement {
        /// Business day.
        day: NaiveDate,
        /// The product; `None` for NULL.
        product: Option<i64>,
        /// Folded reason, `unknown` for NULL.
        reason: String,
        /// True for units that came in.
        inward: bool,
    },
    /// Contacts with stores (KPI crm_interactions); parts that are NULL are left out.
    Contact {
        /// Business day.
        day: NaiveDate,
        /// Store, folded type, channel and status.
        parts: [Option<String>; 4],
    },
    /// Memberships of a store in a segment: a reference count, the number of members is kept beside it (KPI segments_crm).
    Member {
        /// The segment.
        segment: i64,
        /// The store.
        store: i64,
    },
    /// Shipments by due day, method and status (KPI shipments).
    Shipment {
        /// Due day; `None` without one.
        due: Option<NaiveDate>,
        /// Method, `unknown` for blank ones.
        method: String,
        /// Status as the source names it.
        status: String,
    },
    /// Shipments by due day and how they ended.
    Delivered {
        /// Due day.
        due: NaiveDate,
        /// Method, `unknown` for blank ones.
        method: String,
        /// How.
        delivery: Delivery,
    },
    /// Rows of a table that are not deleted.
    Rows {
        /// The table.
        table: Table,
        /// Business day of the row, of a line its order's; `None` for tables whose rows have no day, and for rows without one.
        day: Option<NaiveDate>,
    },
    /// Orders and events without a business day.
    Undated,
    /// Products whose currency is not the reporting currency, deleted ones included.
    ForeignCurrency,
    /// Times that a product's currency turned out to be another than its orders were converted from: they are computed again
    /// in the background, and this is taken back then.
    Repricing {
        /// The product.
        product: i64,
    },
    /// Cents that the sales of a store on a day earn the platform if the store's plan is of a tier (KPI commission). Which of
    /// them counts is the reader's to choose, by the plan the store has now.
    Commission {
        /// Business day: of the sale, or of its reversal.
        day: NaiveDate,
        /// The store.
        store: i64,
        /// A tier with a rule of its own; `None` for all others.
        tier: Option<String>,
        /// True for what a reversal takes back.
        returned: bool,
    },
}

impl Cell {
    /// The day, for totals by day alone.
    pub fn day(&self) -> Option<NaiveDate> {
        match self {
            Self::Total { bucket, .. } | Self::Events { bucket, .. } => match bucket {
                Bucket::Day(day) => Some(*day),
                _ => None,
            },
            Self::Day { day, .. }
            | Self::Active { day, .. }
            | Self::Seller { day, .. }
            | Self::Payment { day, .. }
            | Self::Product { day, .. }
            | Self::ProductBuyer { day, .. }
            | Self::Amount { day, .. }
            | Self::Session { day, .. }
            | Self::Actor { day, .. }
            | Self::Visitor { day, .. }
            | Self::Search { day, .. }
            | Self::Seen { day, .. }
            | Self::Movement { day, .. }
            | Self::Commission { day, .. }
            | Self::Contact { day, .. } => Some(*day),
            Self::Shipment { due: day, .. } | Self::Rows { day, .. } => *day,
            Self::Delivered { due, .. } => Some(*due),
            Self::Paid { .. }
            | Self::OpenVisit { .. }
            | Self::Now { .. }
            | Self::Plan { .. }
            | Self::Mrr
            | Self::Shelves { .. }
            | Self::Place { .. }
            | Self::Critical { .. }
            | Self::Member { .. }
            | Self::Undated
            | Self::ForeignCurrency
            | Self::Repricing { .. } => None,
        }
    }

    /// True for totals of a time before a business day begins, in buckets of any length.
    pub fn is_before(&self, day: NaiveDate, calendar: Calendar) -> bool {
        match self {
            Self::Total { bucket, .. } | Self::Events { bucket, .. } => match bucket {
                Bucket::Day(of) | Bucket::Hour(of, _) => *of < day,
                Bucket::Minute(_) | Bucket::HalfMinute(_) => calendar.start_of(*bucket) < calendar.start(day),
            },
            Self::Paid { minute, .. } => calendar.start_of(Bucket::Minute(*minute)) < calendar.start(day),
            Self::OpenVisit { end: at, .. } | Self::Now { at, .. } => {
                *at < calendar.start(day).timestamp_micros()
            }
            _ => self.day().is_some_and(|of| of < day),
        }
    }

    /// When the total may be forgotten; `None` for totals that live on. A correction that comes later is discarded, or
    /// it would bring the bucket back with only the correction in it (docs: reliability 5.9).
    pub fn end_of_life(&self, calendar: Calendar) -> Option<DateTime<Utc>> {
        match self {
            Self::Total { bucket, .. } | Self::Events { bucket, .. } => calendar.end_of_life(*bucket),
            Self::Paid { minute, .. } => calendar.end_of_life(Bucket::Minute(*minute)),
            Self::ProductBuyer { day, .. } | Self::Amount { day, .. } => Some(calendar.end_of_recent(*day)),
            Self::OpenVisit { end: at, .. } | Self::Now { at, .. } => {
                let at = DateTime::from_timestamp_micros(*at).unwrap_or_default();
                Some(at + Duration::days(NOW_LIFE_DAYS))
            }
            _ => None,
        }
    }

    /// True for a number of rows or of references, which can never be below zero. Totals with a limited life are left
    /// out: two workers whose clocks differ may disagree on the last correction of a dying bucket.
    pub fn is_count(&self) -> bool {
        match self {
            Self::Total { bucket, measure, .. } => {
                matches!(bucket, Bucket::Day(_)) && *measure != Measure::Revenue
            }
            Self::Day { measure, .. } => !matches!(
                measure,
                DayMeasure::Gross | DayMeasure::Units | DayMeasure::Returns
            ),
            Self::Events { bucket, .. } => matches!(bucket, Bucket::Day(_)),
            Self::Active { .. }
            | Self::ProductBuyer { .. }
            | Self::Amount { .. }
            | Self::Paid { .. }
            | Self::OpenVisit { .. }
            | Self::Now { .. }
            | Self::Mrr
            | Self::Commission { .. }
            | Self::Movement { .. } => false,
            Self::Payment { measure, .. } => *measure != PaymentMeasure::Revenue,
            Self::Product { measure, .. } => *measure == ProductMeasure::Lines,
            Self::Place { measure, .. } => *measure == PlaceMeasure::Critical,
            Self::Seller { .. }
            | Self::Session { .. }
            | Self::Actor { .. }
            | Self::Visitor { .. }
            | Self::Search { .. }
            | Self::Seen { .. }
            | Self::Plan { .. }
            | Self::Shelves { .. }
            | Self::Critical { .. }
            | Self::Contact { .. }
            | Self::Member { .. }
            | Self::Shipment { .. }
            | Self::Delivered { .. }
            | Self::Rows { .. }
            | Self::Undated
            | Self::ForeignCurrency
            | Self::Repricing { .. } => true,
        }
    }
}
