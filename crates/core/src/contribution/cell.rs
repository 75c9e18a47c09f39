//! The totals by name: which sums, counts and reference counts exist.

use chrono::{DateTime, NaiveDate, Utc};

use super::calendar::{Bucket, Calendar};
use crate::money::Cents;
use crate::table::Table;

/// Headline sums of [`crate::view::Totals`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Measure {
    /// Cents of recognised and reversed orders.
    Revenue,
    /// Number of those orders.
    Orders,
    /// Open orders.
    Open,
    /// Failed attempts.
    Failed,
    /// Cancelled orders.
    Cancelled,
    /// Orders taken back.
    Reversed,
    /// Orders with a status that no map knows.
    Unmapped,
    /// Behaviour events of every type; kept by day.
    Events,
}

/// Sums of a payment method on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PaymentMeasure {
    /// Recognised and reversed orders.
    Paid,
    /// Failed attempts.
    Failed,
    /// Open orders.
    Open,
    /// Cents of the paid orders.
    Revenue,
}

/// Sums of a product on a day. They move with the product when its category changes, so each must be additive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ProductMeasure {
    /// Allocated cents.
    Revenue,
    /// Units.
    Units,
    /// Lines: the row count that says whether the group exists.
    Lines,
}

/// What a line was sold as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ProductKey {
    /// A product.
    Id(i64),
    /// A line whose product is NULL: category `unclassified`.
    Unknown,
    /// A sale without a single line: category `unattributed`.
    Bare,
}

/// One total. Each is additive, so that any change is a sum of signed integers.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cell {
    /// A headline sum of a bucket.
    Total {
        /// When.
        bucket: Bucket,
        /// Which sum.
        measure: Measure,
    },
    /// A sum of a payment method on a day.
    Payment {
        /// Business day.
        day: NaiveDate,
        /// Which sum.
        measure: PaymentMeasure,
        /// Canonical method.
        method: String,
    },
    /// A sum of a product on a day; the store books it under the product's category too, as it is at that moment.
    Product {
        /// Business day.
        day: NaiveDate,
        /// What was sold.
        product: ProductKey,
        /// Which sum.
        measure: ProductMeasure,
    },
    /// Sales of a buyer on a day: a reference count, the distinct count is the number of buyers that have one.
    Buyer {
        /// Business day.
        day: NaiveDate,
        /// The buyer.
        buyer: i64,
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
        /// Business day.
        day: NaiveDate,
        /// The order's total.
        cents: Cents,
    },
    /// Behaviour events of a type in a bucket.
    Events {
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
    /// Rows of a table that are not deleted.
    Rows {
        /// The table.
        table: Table,
    },
    /// Orders and events without a business day.
    Undated,
    /// Products whose currency is not the reporting currency.
    ForeignCurrency,
}

impl Cell {
    /// The day, for totals by day alone.
    pub fn day(&self) -> Option<NaiveDate> {
        match self {
            Self::Total { bucket, .. } | Self::Events { bucket, .. } => match bucket {
                Bucket::Day(day) => Some(*day),
                _ => None,
            },
            Self::Payment { day, .. }
            | Self::Product { day, .. }
            | Self::Buyer { day, .. }
            | Self::ProductBuyer { day, .. }
            | Self::Amount { day, .. }
            | Self::Session { day, .. }
            | Self::Actor { day, .. } => Some(*day),
            Self::Rows { .. } | Self::Undated | Self::ForeignCurrency => None,
        }
    }

    /// When the total may be forgotten; `None` for totals that live on. A correction that comes later is discarded, or
    /// it would bring the bucket back with only the correction in it (docs: reliability 5.9).
    pub fn end_of_life(&self, calendar: Calendar) -> Option<DateTime<Utc>> {
        match self {
            Self::Total { bucket, .. } | Self::Events { bucket, .. } => calendar.end_of_life(*bucket),
            Self::ProductBuyer { day, .. } | Self::Amount { day, .. } => Some(calendar.end_of_recent(*day)),
            _ => None,
        }
    }

    /// True for a number of rows or of references, which can never be below zero. Totals with a limited life are left
    /// out: two workers whose clocks differ may disagree on the last correction of a dying bucket.
    pub fn is_count(&self) -> bool {
        match self {
            Self::Total { bucket, measure } => {
                matches!(bucket, Bucket::Day(_)) && *measure != Measure::Revenue
            }
            Self::Events { bucket, .. } => matches!(bucket, Bucket::Day(_)),
            Self::ProductBuyer { .. } | Self::Amount { .. } => false,
            Self::Payment { measure, .. } => *measure != PaymentMeasure::Revenue,
            Self::Product { measure, .. } => *measure == ProductMeasure::Lines,
            Self::Buyer { .. }
            | Self::Session { .. }
            | Self::Actor { .. }
            | Self::Rows { .. }
            | Self::Undated
            | Self::ForeignCurrency => true,
        }
    }
}
