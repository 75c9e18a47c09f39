//! Keys and fields read back as the totals they hold: the other direction of `place`, for totals by day and those
//! without a bucket. Buckets with a short life have readers of their own.

use chrono::NaiveDate;
use instashop_core::contribution::{
    Bucket, Cell, DayMeasure, Delivery, Doing, Measure, PaymentMeasure, PlaceMeasure, ProductKey,
    ProductMeasure, Scope, StockStatus,
};
use instashop_core::table::Table;
use instashop_core::visits::VisitOutcome;

use super::place::{day_measure, place_measure};
use super::{
    BARE, EVENTS, FOREIGN_CURRENCY, LINES, MRR, NO_PRODUCT, PAID, PAY, REVENUE, ROWS, UNDATED, UNITS,
    parse_day, payment, total,
};

/// What a key of a generation holds, by its name without the generation's prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shelf<'a> {
    kind: &'a str,
    day: Option<NaiveDate>,
    scope: Scope,
    /// Hours since the epoch, UTC, of minutes.
    hour: i64,
}

/// Hashes that are read back.
const HASHES: [&str; 22] = [
    "measures",
    "commission",
    "amounts",
    "minutes",
    "daily",
    "stores",
    "active",
    "sellers",
    "sum",
    "product",
    "search",
    "seen",
    "visitors",
    "movements",
    "contacts",
    "stock",
    "places",
    "critical",
    "plans",
    "memberships",
    "shipments",
    "deliveries",
];

impl<'a> Shelf<'a> {
    /// Takes the name of a key apart; `None` for keys that are not read back.
    pub(crate) fn of(name: &'a str) -> Option<Self> {
        let mut parts = name.split(':');
        let kind = parts.next()?;
        let (mut day, mut scope, mut hour) = (None, Scope::Platform, 0);
        for part in parts {
            // Minutes lie in UTC hours.
            if kind == "minutes" && hour == 0 {
                hour = utc_hour(part)?;
                continue;
            }
            match parse_day(part) {
                // A store's number may look like a day, but stands behind one, except where there is no day.
                Some(of) if day.is_none() && kind != "active" && kind != "minutes" => day = Some(of),
                _ => scope = Scope::Store(part.parse().ok()?),
            }
        }
        (HASHES.contains(&kind) || kind == "misc").then_some(Self {
            kind,
            day,
            scope,
            hour,
        })
    }

    /// The total a field holds; `None` for fields that say the same as another one.
    pub(crate) fn cell(self, field: &str) -> Option<Cell> {
        let (scope, day) = (self.scope, self.day);
        Some(match self.kind {
            "daily" | "measures" => {
                let (day, name) = field.split_once('|')?;
                let day = parse_day(day)?;
                match name.split_once('|') {
                    Some((ROWS, table)) => Cell::Rows {
                        table: Table::from_name(table)?,
                        day: Some(day),
                    },
                    _ => total_of_day(Scope::Platform, day, name)?,
                }
            }
            "stores" => {
                let (store, name) = field.split_once('|')?;
                total_of_day(Scope::Store(store.parse().ok()?), day?, name)?
            }
            "active" => Cell::Active {
                scope,
                day: parse_day(field)?,
            },
            "amounts" => Cell::Amount {
                scope,
                day: day?,
                cents: field.parse().ok()?,
            },
            "minutes" => {
                let mut parts = field.splitn(3, '|');
                let (minute, PAID, method) = (parts.next()?, parts.next()?, parts.next()?) else {
                    return None;
                };
                Cell::Paid {
                    scope,
                    minute: self.hour * 60 + minute.parse::<i64>().ok()?,
                    method: method.to_owned(),
                }
            }
            "commission" => {
                let mut parts = field.splitn(3, '|');
                let (what, store, tier) = (parts.next()?, parts.next()?, parts.next()?);
                Cell::Commission {
                    day: day?,
                    store: store.parse().ok()?,
                    tier: (!tier.is_empty()).then(|| tier.to_owned()),
                    returned: what == "returned",
                }
            }
            "sellers" => Cell::Seller {
                day: day?,
                store: field.parse().ok()?,
            },
            "sum" => sum(scope, day?, field)?,
            "product" => {
                let (product, name) = field.split_once('|')?;
                let measure = match name {
                    REVENUE => ProductMeasure::Revenue,
                    UNITS => ProductMeasure::Units,
                    LINES => ProductMeasure::Lines,
                    _ => return None,
                };
                let product = match product {
                    BARE => ProductKey::Bare,
                    NO_PRODUCT => ProductKey::Unknown,
                    id => ProductKey::Id(id.parse().ok()?),
                };
                Cell::Product {
                    scope,
                    day: day?,
                    product,
                    measure,
                }
            }
            "search" => {
                let (which, term) = field.split_once('|')?;
                Cell::Search {
                    scope,
                    day: day?,
                    term: term.to_owned(),
                    in_vain: which == "in_vain",
                }
            }
            "seen" => Cell::Seen {
                day: day?,
                product: field.parse().ok()?,
            },
            "visitors" => Cell::Visitor {
                scope,
                day: day?,
                actor: field.to_owned(),
            },
            "movements" => {
                let mut parts = field.splitn(3, '|');
                let (way, product, reason) = (parts.next()?, parts.next()?, parts.next()?);
                Cell::Movement {
                    day: day?,
                    product: product.parse().ok(),
                    reason: reason.to_owned(),
                    inward: way == "in",
                }
            }
            "contacts" => Cell::Contact {
                day: day?,
                parts: serde_json::from_str(field).ok()?,
            },
            "stock" => {
                let (store, name) = field.split_once('|')?;
                Cell::Shelves {
                    store: store.parse().ok()?,
                    status: StockStatus::ALL
                        .into_iter()
                        .find(|status| status.name() == name)?,
                }
            }
            "places" => {
                let mut parts = field.splitn(3, '|');
                let (name, store, location) = (parts.next()?, parts.next()?, parts.next()?);
                let measures = [PlaceMeasure::Units, PlaceMeasure::Value, PlaceMeasure::Critical];
                Cell::Place {
                    store: store.parse().ok()?,
                    location: location.to_owned(),
                    measure: measures
                        .into_iter()
                        .find(|measure| place_measure(*measure) == name)?,
                }
            }
            "critical" => {
                let (store, product) = field.split_once('|')?;
                Cell::Critical {
                    store: store.parse().ok()?,
                    product: product.parse().ok()?,
                }
            }
            "plans" => Cell::Plan {
                tier: field.to_owned(),
            },
            "memberships" => {
                let (segment, store) = field.split_once('|')?;
                Cell::Member {
                    segment: segment.parse().ok()?,
                    store: store.parse().ok()?,
                }
            }
            "shipments" => {
                let (due, method, status): (Option<String>, String, String) =
                    serde_json::from_str(field).ok()?;
                Cell::Shipment {
                    due: due.as_deref().and_then(parse_day),
                    method,
                    status,
                }
            }
            "deliveries" => {
                let mut parts = field.splitn(3, '|');
                let (due, how, method) = (parts.next()?, parts.next()?, parts.next()?);
                let all = [
                    Delivery::OnTime,
                    Delivery::Late,
                    Delivery::Unknown,
                    Delivery::Undelivered,
                ];
                Cell::Delivered {
                    due: parse_day(due)?,
                    method: method.to_owned(),
                    delivery: all.into_iter().find(|delivery| delivery.name() == how)?,
                }
            }
            "misc" => match field.split_once('|') {
                Some((ROWS, table)) => Cell::Rows {
                    table: Table::from_name(table)?,
                    day: None,
                },
                _ if field == UNDATED => Cell::Undated,
                _ if field == FOREIGN_CURRENCY => Cell::ForeignCurrency,
                _ if field == MRR => Cell::Mrr,
                _ => return None,
            },
            _ => return None,
        })
    }
}

/// Hours since the epoch of a UTC hour as keys carry it.
fn utc_hour(text: &str) -> Option<i64> {
    let (day, hour) = text.split_at_checked(8)?;
    let at = parse_day(day)?.and_hms_opt(hour.parse().ok()?, 0, 0)?;
    Some(at.and_utc().timestamp().div_euclid(3600))
}

/// Every sum that is kept by day alone.
fn day_measures() -> impl Iterator<Item = DayMeasure> {
    let named = [
        DayMeasure::Gross,
        DayMeasure::Units,
        DayMeasure::Buyers,
        DayMeasure::NewBuyers,
        DayMeasure::ReturningBuyers,
        DayMeasure::Returns,
        DayMeasure::NewStores,
        DayMeasure::NewUsers,
        DayMeasure::PageViews,
        DayMeasure::VisitSeconds,
        DayMeasure::VisitMicros,
        DayMeasure::CartVisits,
        DayMeasure::CheckoutVisits,
        DayMeasure::BegunVisits,
    ];
    named
        .into_iter()
        .chain((0..=5).map(DayMeasure::Step))
        .chain(VisitOutcome::ALL.into_iter().map(DayMeasure::Outcome))
}

fn total_of_day(scope: Scope, day: NaiveDate, name: &str) -> Option<Cell> {
    if let Some(measure) = Measure::ALL.into_iter().find(|measure| total(*measure) == name) {
        return Some(Cell::Total {
            scope,
            bucket: Bucket::Day(day),
            measure,
        });
    }
    let measure = day_measures().find(|measure| day_measure(*measure) == name)?;
    Some(Cell::Day { scope, day, measure })
}

fn sum(scope: Scope, day: NaiveDate, field: &str) -> Option<Cell> {
    let mut parts = field.splitn(3, '|');
    if let (Some(PAY), Some(name), Some(method)) = (parts.next(), parts.next(), parts.next()) {
        let all = [
            PaymentMeasure::Paid,
            PaymentMeasure::Failed,
            PaymentMeasure::Open,
            PaymentMeasure::Revenue,
        ];
        return Some(Cell::Payment {
            scope,
            day,
            measure: all.into_iter().find(|measure| payment(*measure) == name)?,
            method: method.to_owned(),
        });
    }
    let (EVENTS, kind) = field.split_once('|')? else {
        return None;
    };
    Some(Cell::Events {
        scope,
        bucket: Bucket::Day(day),
        kind: kind.to_owned(),
    })
}

/// A visit without an order, read back from its member.
pub(crate) fn open_visit(member: &str) -> Option<Cell> {
    let mut parts = member.splitn(6, '|');
    let mut next = || parts.next();
    let (store, start, end) = (
        next()?.parse().ok()?,
        next()?.parse().ok()?,
        next()?.parse().ok()?,
    );
    let (outcome, cart, actor) = (next()?, next()?, next()?);
    Some(Cell::OpenVisit {
        end,
        start,
        store,
        actor: actor.to_owned(),
        outcome: VisitOutcome::from_name(outcome)?,
        has_cart: cart == "1",
    })
}

/// What somebody just did, read back from its member and the name of its set.
pub(crate) fn just_done(what: Doing, member: &str) -> Option<Cell> {
    let mut parts = member.splitn(5, '|');
    let mut next = || parts.next();
    let (store, at) = (next()?.parse().ok()?, next()?.parse().ok()?);
    let (is_order, id, actor) = (next()? == "1", next()?.parse().ok()?, next()?);
    Some(Cell::Now {
        doing: what,
        at,
        store,
        actor: actor.to_owned(),
        is_order,
        id,
    })
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use instashop_core::contribution::Calendar;

    use super::super::{Keys, Place};
    use super::*;

    /// Every kind of total that is read back, for the platform and a store, with free texts that hold separators.
    fn examples() -> Vec<Cell> {
        let day = NaiveDate::from_ymd_opt(2026, 8, 21).unwrap();
        let text = || "a|b:c".to_owned();
        let mut cells = vec![
            Cell::Seller { day, store: -1 },
            Cell::Mrr,
            Cell::Undated,
            Cell::ForeignCurrency,
            Cell::Plan { tier: text() },
            Cell::Critical { store: 3, product: 4 },
            Cell::Member { segment: 1, store: 2 },
            Cell::Contact {
                day,
                parts: [Some("7".into()), None, Some(text()), Some(String::new())],
            },
            Cell::Rows {
                table: Table::InventoryMovement,
                day: None,
            },
            Cell::Rows {
                table: Table::InventoryMovement,
                day: Some(day),
            },
        ];
        for scope in [Scope::Platform, Scope::Store(20_260_821)] {
            cells.extend(Measure::ALL.map(|measure| Cell::Total {
                scope,
                bucket: Bucket::Day(day),
                measure,
            }));
            cells.extend(day_measures().map(|measure| Cell::Day { scope, day, measure }));
            cells.push(Cell::Paid {
                scope,
                minute: 29_800_007,
                method: text(),
            });
            cells.push(Cell::Active { scope, day });
            cells.push(Cell::Events {
                scope,
                bucket: Bucket::Day(day),
                kind: text(),
            });
            for product in [ProductKey::Id(4), ProductKey::Bare, ProductKey::Unknown] {
                let measure = ProductMeasure::Units;
                cells.push(Cell::Product {
                    scope,
                    day,
                    product,
                    measure,
                });
            }
            for in_vain in [false, true] {
                let term = text();
                cells.push(Cell::Search {
                    scope,
                    day,
                    term,
                    in_vain,
                });
            }
            cells.push(Cell::Payment {
                scope,
                day,
                measure: PaymentMeasure::Open,
                method: text(),
            });
        }
        for product in [Some(4), None] {
            cells.push(Cell::Movement {
                day,
                product,
                reason: text(),
                inward: product.is_some(),
            });
        }
        for tier in [Some("pro".to_owned()), None] {
            cells.push(Cell::Commission {
                day,
                store: 3,
                returned: tier.is_some(),
                tier,
            });
        }
        cells.push(Cell::Seen { day, product: 4 });
        for status in StockStatus::ALL {
            cells.push(Cell::Shelves { store: 3, status });
        }
        for due in [Some(day), None] {
            cells.push(Cell::Shipment {
                due,
                method: text(),
                status: text(),
            });
        }
        cells.push(Cell::Delivered {
            due: day,
            method: text(),
            delivery: Delivery::Undelivered,
        });
        cells.push(Cell::Place {
            store: 3,
            location: text(),
            measure: PlaceMeasure::Value,
        });
        for doing in Doing::ALL {
            cells.push(Cell::Now {
                doing,
                at: 5,
                store: -1,
                actor: text(),
                is_order: true,
                id: 9,
            });
        }
        for outcome in VisitOutcome::ALL {
            cells.push(Cell::OpenVisit {
                end: 9,
                start: 5,
                store: 3,
                actor: text(),
                outcome,
                has_cart: true,
            });
        }
        cells
    }

    #[test]
    fn what_is_placed_is_read_back() {
        let keys = Keys::new("7");
        let calendar = Calendar::new(chrono_tz::UTC);
        for cell in examples() {
            let (key, field) = match keys.place(&cell, calendar) {
                Place::Sum { key, field, .. } => (key, field),
                Place::Member { key, member, .. } => (key, member),
                Place::Product {
                    scope,
                    day,
                    product,
                    measure,
                } => {
                    let name = match measure {
                        ProductMeasure::Revenue => REVENUE,
                        ProductMeasure::Units => UNITS,
                        ProductMeasure::Lines => LINES,
                    };
                    let key = format!("{}{}", keys.products(day), super::super::of_store(scope));
                    (key, format!("{}|{name}", super::super::product(product)))
                }
                Place::Moment { key, at, member } => {
                    let read = Doing::ALL
                        .into_iter()
                        .find(|what| key == keys.now(*what))
                        .map_or_else(|| open_visit(&member), |what| just_done(what, &member));
                    assert_eq!(read, Some(cell), "{key} {member}");
                    assert!(at > 0 && DateTime::from_timestamp_micros(at).is_some());
                    continue;
                }
                other => panic!("{other:?} is not read back"),
            };
            let name = key.strip_prefix(keys.prefix()).unwrap();
            let read = Shelf::of(name).and_then(|shelf| shelf.cell(&field));
            assert_eq!(read, Some(cell), "{key} {field}");
        }
    }

    #[test]
    fn other_keys_are_left_alone() {
        for name in [
            "st:order:5",
            "hours:20260821",
            "tape",
            "open",
            "top:20260821",
            "bought:20260821:5",
        ] {
            assert_eq!(Shelf::of(name), None, "{name}");
        }
    }
}
