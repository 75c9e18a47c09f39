//! Where each total lives: its key, its field, and how the commit script keeps it.

use chrono::{DateTime, NaiveDate, Utc};
use instashop_core::contribution::{Bucket, Calendar, Cell, ProductKey, ProductMeasure};

use super::{
    ACTORS, BUYERS, EVENTS, FOREIGN_CURRENCY, Keys, PAY, SESSIONS, UNDATED, day, payment, rows_field, total,
};

/// Where a total lives, and how it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// A field that is added to.
    Sum {
        /// Hash.
        key: String,
        /// Field.
        field: String,
        /// When the hash expires.
        expires: Option<DateTime<Utc>>,
    },
    /// A reference count whose existence is counted elsewhere.
    Member {
        /// Hash of the references.
        key: String,
        /// Field of the member.
        member: String,
        /// Hash of the count.
        counter: String,
        /// Field of the count.
        field: String,
    },
    /// A reference count of an amount.
    Amount {
        /// Day.
        day: NaiveDate,
        /// Amount.
        cents: i64,
    },
    /// A sum of a product, which is booked under its category too.
    Product {
        /// Day.
        day: NaiveDate,
        /// Product.
        product: ProductKey,
        /// Which sum.
        measure: ProductMeasure,
    },
    /// References of a product by buyer, which are booked under its category too.
    ProductBuyer {
        /// Day.
        day: NaiveDate,
        /// Product.
        product: ProductKey,
        /// Buyer.
        buyer: i64,
    },
}

impl Keys {
    /// Where a total lives.
    pub(crate) fn place(&self, cell: &Cell, calendar: Calendar) -> Place {
        let expires = cell.end_of_life(calendar);
        let sum = |key: String, field: String| Place::Sum { key, field, expires };
        match cell {
            Cell::Total { bucket, measure } => {
                let (key, slot) = self.bucket(*bucket, calendar);
                sum(key, format!("{slot}|{}", total(*measure)))
            }
            Cell::Events {
                bucket: Bucket::Day(of),
                kind,
            } => sum(self.sums(*of), format!("{EVENTS}|{kind}")),
            Cell::Events { bucket, kind } => {
                let (key, slot) = self.bucket(*bucket, calendar);
                sum(key, format!("{slot}|{EVENTS}|{kind}"))
            }
            Cell::Payment {
                day: of,
                measure,
                method,
            } => sum(self.sums(*of), format!("{PAY}|{}|{method}", payment(*measure))),
            Cell::Rows { table } => sum(self.misc(), rows_field(*table)),
            Cell::Undated => sum(self.misc(), UNDATED.to_owned()),
            Cell::ForeignCurrency => sum(self.misc(), FOREIGN_CURRENCY.to_owned()),
            Cell::Buyer { day: of, buyer } => Place::Member {
                key: self.buyers(*of),
                member: buyer.to_string(),
                counter: self.daily(),
                field: format!("{}|{BUYERS}", day(*of)),
            },
            Cell::Session {
                day: of,
                kind,
                session,
            } => Place::Member {
                key: self.sessions(*of),
                member: format!("{}|{kind}|{session}", kind.len()),
                counter: self.sums(*of),
                field: format!("{SESSIONS}|{kind}"),
            },
            Cell::Actor { day: of, kind, actor } => Place::Member {
                key: self.actors(*of),
                member: format!("{}|{kind}|{actor}", kind.len()),
                counter: self.sums(*of),
                field: format!("{ACTORS}|{kind}"),
            },
            Cell::Amount { day: of, cents } => Place::Amount {
                day: *of,
                cents: *cents,
            },
            Cell::Product {
                day: of,
                product,
                measure,
            } => Place::Product {
                day: *of,
                product: *product,
                measure: *measure,
            },
            Cell::ProductBuyer {
                day: of,
                product,
                buyer,
            } => Place::ProductBuyer {
                day: *of,
                product: *product,
                buyer: *buyer,
            },
        }
    }

    /// Hash of a bucket, and what its fields begin with.
    fn bucket(&self, bucket: Bucket, calendar: Calendar) -> (String, String) {
        let start = calendar.start_of(bucket);
        match bucket {
            Bucket::Day(of) => (self.daily(), day(of)),
            Bucket::Hour(of, hour) => (self.hours(of), format!("{hour:02}")),
            Bucket::Minute(minute) => (self.minutes(start), format!("{:02}", minute.rem_euclid(60))),
            Bucket::HalfMinute(half) => (self.halves(start), format!("{:03}", half.rem_euclid(120))),
        }
    }
}
