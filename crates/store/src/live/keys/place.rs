//! Where each total lives: its key, its field, and how the commit script keeps it.

use chrono::{DateTime, NaiveDate, Utc};
use instashop_core::contribution::{
    Bucket, Calendar, Cell, DayMeasure, Doing, PlaceMeasure, ProductKey, ProductMeasure, Scope,
};

use super::{
    ACTORS, BUYERS, EVENTS, FOREIGN_CURRENCY, Keys, MRR, PAID, PAY, SESSIONS, UNDATED, VISITORS, day,
    of_store, payment, rows_field, total,
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
        /// Whose.
        scope: Scope,
        /// Day.
        day: NaiveDate,
        /// Amount.
        cents: i64,
    },
    /// A sum of a product, which is booked under its category too.
    Product {
        /// Whose.
        scope: Scope,
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
    /// A member of a set that is sorted by time, there or not.
    Moment {
        /// Sorted set.
        key: String,
        /// Microseconds since the epoch, UTC.
        at: i64,
        /// Member.
        member: String,
    },
}

/// Name of a sum of a day.
pub(crate) fn day_measure(measure: DayMeasure) -> String {
    match measure {
        DayMeasure::Gross => "gross".into(),
        DayMeasure::Units => "units".into(),
        DayMeasure::Buyers => BUYERS.into(),
        DayMeasure::NewBuyers => "new_buyers".into(),
        DayMeasure::ReturningBuyers => "returning_buyers".into(),
        DayMeasure::Returns => "returns".into(),
        DayMeasure::NewStores => "new_stores".into(),
        DayMeasure::NewUsers => "new_users".into(),
        DayMeasure::Step(step) => format!("step{step}"),
        DayMeasure::Outcome(outcome) => outcome.name().into(),
        DayMeasure::PageViews => "page_views".into(),
        DayMeasure::VisitSeconds => "visit_s".into(),
        DayMeasure::VisitMicros => "visit_us".into(),
        DayMeasure::CartVisits => "cart_visits".into(),
        DayMeasure::CheckoutVisits => "checkout_visits".into(),
        DayMeasure::BegunVisits => "begun_visits".into(),
    }
}

/// Name of a sum of a location.
pub(crate) const fn place_measure(measure: PlaceMeasure) -> &'static str {
    match measure {
        PlaceMeasure::Units => "units",
        PlaceMeasure::Value => "value",
        PlaceMeasure::Critical => "critical",
    }
}

/// Name of what somebody does right now.
pub(crate) const fn doing(doing: Doing) -> &'static str {
    match doing {
        Doing::Visiting => "visiting",
        Doing::Shopping => "shopping",
        Doing::CheckingOut => "checking_out",
        Doing::Purchasing => "purchasing",
    }
}

/// Several texts as one field that can be taken apart again.
fn texts(parts: &[Option<&str>]) -> String {
    serde_json::to_string(parts).unwrap_or_default()
}

impl Keys {
    /// Where a total lives.
    pub(crate) fn place(&self, cell: &Cell, calendar: Calendar) -> Place {
        let expires = cell.end_of_life(calendar);
        let sum = |key: String, field: String| Place::Sum { key, field, expires };
        let named = |name: &str, of: NaiveDate| format!("{}{name}:{}", self.prefix, day(of));
        let plain = |name: &str| format!("{}{name}", self.prefix);
        match cell {
            Cell::Total {
                scope,
                bucket,
                measure,
            } => {
                let (key, slot) = self.bucket(*scope, *bucket, calendar);
                sum(key, format!("{slot}|{}", total(*measure)))
            }
            Cell::Day {
                scope,
                day: of,
                measure,
            } => {
                let (key, slot) = self.bucket(*scope, Bucket::Day(*of), calendar);
                // What every screen reads each second stays small.
                let is_read_often = *measure == DayMeasure::Buyers || *scope != Scope::Platform;
                let key = if is_read_often { key } else { self.measures() };
                sum(key, format!("{slot}|{}", day_measure(*measure)))
            }
            Cell::Active { scope, day: of } => sum(self.active(*scope), day(*of)),
            Cell::Seller { day: of, store } => sum(self.sellers(*of), store.to_string()),
            Cell::Events {
                scope,
                bucket: Bucket::Day(of),
                kind,
            } => sum(self.sums(*scope, *of), format!("{EVENTS}|{kind}")),
            Cell::Events { scope, bucket, kind } => {
                let (key, slot) = self.bucket(*scope, *bucket, calendar);
                sum(key, format!("{slot}|{EVENTS}|{kind}"))
            }
            Cell::Payment {
                scope,
                day: of,
                measure,
                method,
            } => sum(
                self.sums(*scope, *of),
                format!("{PAY}|{}|{method}", payment(*measure)),
            ),
            Cell::Paid {
                scope,
                minute,
                method,
            } => {
                let (key, slot) = self.bucket(*scope, Bucket::Minute(*minute), calendar);
                sum(key, format!("{slot}|{PAID}|{method}"))
            }
            Cell::Search {
                scope,
                day: of,
                term,
                in_vain,
            } => sum(
                self.searches(*scope, *of),
                format!("{}|{term}", if *in_vain { "in_vain" } else { "all" }),
            ),
            Cell::Seen { day: of, product } => sum(named("seen", *of), product.to_string()),
            Cell::Rows { table, day: None } => sum(self.misc(), rows_field(*table)),
            Cell::Rows { table, day: Some(of) } => {
                sum(self.measures(), format!("{}|{}", day(*of), rows_field(*table)))
            }
            Cell::Undated => sum(self.misc(), UNDATED.to_owned()),
            Cell::ForeignCurrency => sum(self.misc(), FOREIGN_CURRENCY.to_owned()),
            Cell::Repricing { product } => sum(self.repricing(), product.to_string()),
            Cell::Commission {
                day: of,
                store,
                tier,
                returned,
            } => {
                let what = if *returned { "returned" } else { "earned" };
                let tier = tier.as_deref().unwrap_or_default();
                sum(named("commission", *of), format!("{what}|{store}|{tier}"))
            }
            Cell::Mrr => sum(self.misc(), MRR.to_owned()),
            Cell::Plan { tier } => sum(plain("plans"), tier.clone()),
            Cell::Shelves { store, status } => sum(plain("stock"), format!("{store}|{}", status.name())),
            Cell::Place {
                store,
                location,
                measure,
            } => sum(
                plain("places"),
                format!("{}|{store}|{location}", place_measure(*measure)),
            ),
            Cell::Critical { store, product } => sum(plain("critical"), format!("{store}|{product}")),
            Cell::Movement {
                day: of,
                product,
                reason,
                inward,
            } => {
                let product = product.map_or_else(String::new, |product| product.to_string());
                let way = if *inward { "in" } else { "out" };
                sum(named("movements", *of), format!("{way}|{product}|{reason}"))
            }
            Cell::Contact { day: of, parts } => {
                let parts: Vec<_> = parts.iter().map(Option::as_deref).collect();
                sum(named("contacts", *of), texts(&parts))
            }
            Cell::Member { segment, store } => sum(plain("memberships"), format!("{segment}|{store}")),
            Cell::Shipment { due, method, status } => {
                let due = due.map(day);
                sum(
                    plain("shipments"),
                    texts(&[due.as_deref(), Some(method), Some(status)]),
                )
            }
            Cell::Delivered {
                due,
                method,
                delivery,
            } => sum(
                plain("deliveries"),
                format!("{}|{}|{method}", day(*due), delivery.name()),
            ),
            Cell::Session {
                day: of,
                kind,
                session,
            } => Place::Member {
                key: self.sessions(*of),
                member: format!("{}|{kind}|{session}", kind.len()),
                counter: self.sums(Scope::Platform, *of),
                field: format!("{SESSIONS}|{kind}"),
            },
            Cell::Actor { day: of, kind, actor } => Place::Member {
                key: self.actors(*of),
                member: format!("{}|{kind}|{actor}", kind.len()),
                counter: self.sums(Scope::Platform, *of),
                field: format!("{ACTORS}|{kind}"),
            },
            Cell::Visitor {
                scope,
                day: of,
                actor,
            } => {
                let (counter, slot) = match scope {
                    Scope::Platform => (self.measures(), day(*of)),
                    Scope::Store(_) => self.bucket(*scope, Bucket::Day(*of), calendar),
                };
                Place::Member {
                    key: self.visitors(*scope, *of),
                    member: actor.clone(),
                    counter,
                    field: format!("{slot}|{VISITORS}"),
                }
            }
            Cell::OpenVisit {
                end,
                start,
                store,
                actor,
                outcome,
                has_cart,
            } => Place::Moment {
                key: self.open_visits(),
                at: *end,
                member: format!(
                    "{store}|{start}|{end}|{}|{}|{actor}",
                    outcome.name(),
                    u8::from(*has_cart)
                ),
            },
            Cell::Now {
                doing: what,
                at,
                store,
                actor,
                is_order,
                id,
            } => Place::Moment {
                key: self.now(*what),
                at: *at,
                member: format!("{store}|{at}|{}|{id}|{actor}", u8::from(*is_order)),
            },
            Cell::Amount {
                scope,
                day: of,
                cents,
            } => Place::Amount {
                scope: *scope,
                day: *of,
                cents: *cents,
            },
            Cell::Product {
                scope,
                day: of,
                product,
                measure,
            } => Place::Product {
                scope: *scope,
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

    /// Hash of a bucket, and what its fields begin with. The days of the platform are one hash; the stores of a day are
    /// another.
    fn bucket(&self, scope: Scope, bucket: Bucket, calendar: Calendar) -> (String, String) {
        let start = calendar.start_of(bucket);
        let key = |name: &str| format!("{name}{}", of_store(scope));
        match (bucket, scope) {
            (Bucket::Day(of), Scope::Platform) => (self.daily(), day(of)),
            (Bucket::Day(of), Scope::Store(store)) => (self.stores(of), store.to_string()),
            (Bucket::Hour(of, hour), _) => (key(&self.hours(of)), format!("{hour:02}")),
            (Bucket::Minute(minute), _) => {
                (key(&self.minutes(start)), format!("{:02}", minute.rem_euclid(60)))
            }
            (Bucket::HalfMinute(half), _) => {
                (key(&self.halves(start)), format!("{:03}", half.rem_euclid(120)))
            }
        }
    }
}
