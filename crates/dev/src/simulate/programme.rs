//! What is planted into the shop beyond its ordinary life: promotions, spikes, drops, gaps, shifts, failing payment
//! methods and suppliers that stop. Every entry is known, so that detectors can be judged (docs: kpis 6).

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;

use super::dice::Dice;
use super::order::Method;
use super::shape::{Shape, day_start, local_hour};
use super::shop::Shop;

/// What happens during an entry.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum Event {
    /// Most orders get this discount, and demand is multiplied.
    Promotion { percent: i64, demand: f64 },
    /// Demand is multiplied for some hours.
    Spike { demand: f64 },
    /// Demand falls to a fraction for some hours.
    Drop { demand: f64 },
    /// Nothing is sold at all.
    Gap,
    /// From here on demand has another level.
    Shift { demand: f64 },
    /// Buyers buy several of everything.
    BigBaskets { quantity: i64 },
    /// One payment method fails this often.
    PaymentOutage { method: Method, failure_rate: f64 },
    /// The supplier of one product delivers nothing.
    SupplyStop { product: i64 },
}

impl Event {
    /// True for what a detector of anomalies is meant to find.
    pub(crate) const fn is_anomaly(&self) -> bool {
        !matches!(self, Self::Promotion { .. } | Self::SupplyStop { .. })
    }
}

/// A planted event with its time, half open, and its scope.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Entry {
    /// What happens.
    #[serde(flatten)]
    pub(crate) event: Event,
    /// The store it happens in; nothing means everywhere.
    pub(crate) store_id: Option<i64>,
    /// First instant, UTC.
    pub(crate) from: DateTime<Utc>,
    /// First instant after it, UTC.
    pub(crate) to: DateTime<Utc>,
}

impl Entry {
    fn holds(&self, store: i64, at: DateTime<Utc>) -> bool {
        self.from <= at && at < self.to && self.store_id.is_none_or(|scope| scope == store)
    }
}

/// All planted entries, in the order they begin.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(transparent)]
pub(crate) struct Programme {
    entries: Vec<Entry>,
}

/// Days of undisturbed history that a seasonal detector needs before the first anomaly (docs: kpis 5.1, A5).
const QUIET_DAYS: i64 = 21;

/// One anomaly about every so many days.
const DAYS_PER_ANOMALY: i64 = 8;

/// One promotion about every so many days.
const DAYS_PER_PROMOTION: i64 = 11;

impl Programme {
    /// Plans the entries of a history. A flat shape gets none.
    pub(crate) fn for_history(
        shop: &Shop,
        shape: &Shape,
        span: (DateTime<Utc>, DateTime<Utc>),
        seed: u64,
    ) -> Self {
        let mut programme = Self::default();
        if shape.is_flat() {
            return programme;
        }
        let (start, end) = span;
        let days = (end - start).num_days();
        let dice = &mut Dice::new(seed, "programme");
        let stores: Vec<i64> = shop.stores().iter().map(|store| store.id).collect();

        for slot in 0..days / DAYS_PER_PROMOTION {
            let first = slot * DAYS_PER_PROMOTION + dice.between(1, DAYS_PER_PROMOTION - 4);
            let everywhere = slot % 4 == 2;
            programme.push(Entry {
                event: Event::Promotion {
                    percent: dice.between(2, 6) * 5,
                    demand: if everywhere { 1.9 } else { 1.6 },
                },
                store_id: if everywhere { None } else { dice.choose(&stores) },
                from: local_hour(start, first, 0, shape.zone()),
                to: local_hour(start, first + dice.between(1, 3), 0, shape.zone()),
            });
        }

        let quiet = if days >= 2 * QUIET_DAYS {
            QUIET_DAYS
        } else {
            days / 4
        };
        let room = (days - quiet - 1).max(0);
        for slot in 0..room / DAYS_PER_ANOMALY {
            let day = quiet + slot * DAYS_PER_ANOMALY + dice.between(0, DAYS_PER_ANOMALY - 2);
            let from = local_hour(start, day, dice.between(10, 19), shape.zone());
            let hours = dice.between(3, 7);
            let event = match slot % 6 {
                0 => Event::Spike {
                    demand: dice.real(2.5, 4.5),
                },
                1 => Event::PaymentOutage {
                    method: dice.pick(&[Method::CreditCard, Method::DebitCard, Method::MercadoPago]),
                    failure_rate: dice.real(0.85, 0.97),
                },
                2 => Event::Drop {
                    demand: dice.real(0.08, 0.3),
                },
                3 => Event::BigBaskets {
                    quantity: dice.between(3, 6),
                },
                4 => Event::Gap,
                _ => Event::Shift {
                    demand: if dice.chance(0.5) { 1.7 } else { 0.55 },
                },
            };
            let shift = matches!(event, Event::Shift { .. });
            programme.push(Entry {
                event,
                store_id: if shift { dice.choose(&stores) } else { None },
                from,
                to: if shift {
                    end
                } else {
                    from + TimeDelta::hours(hours)
                },
            });
        }

        let wanted = shop.best_sellers((days / 20).max(1) as usize);
        for product in wanted {
            let first = dice.between(days / 5, (days - 6).max(days / 5));
            let from = local_hour(start, first, dice.between(8, 18), shape.zone());
            programme.push(Entry {
                event: Event::SupplyStop { product },
                store_id: None,
                from,
                to: from + TimeDelta::days(dice.between(12, 20)),
            });
        }
        programme.entries.sort_by_key(|entry| (entry.from, entry.to));
        programme
    }

    /// An incident for the live phase, short enough to be watched from its beginning to its end.
    pub(crate) fn live_incident(
        shop: &Shop,
        turn: u64,
        now: DateTime<Utc>,
        dice: &mut Dice,
    ) -> Option<Entry> {
        let stores: Vec<i64> = shop.stores().iter().map(|store| store.id).collect();
        let event = match turn % 4 {
            0 => Event::PaymentOutage {
                method: dice.pick(&[Method::CreditCard, Method::DebitCard, Method::MercadoPago]),
                failure_rate: dice.real(0.88, 0.98),
            },
            1 => Event::Promotion {
                percent: dice.between(2, 6) * 5,
                demand: 1.6,
            },
            2 => Event::BigBaskets {
                quantity: dice.between(3, 5),
            },
            _ => Event::SupplyStop {
                product: dice.choose(&shop.best_sellers(12))?,
            },
        };
        let store_id = match event {
            Event::Promotion { .. } => Some(dice.choose(&stores)?),
            _ => None,
        };
        Some(Entry {
            event,
            store_id,
            from: now,
            to: now + TimeDelta::seconds(dice.between(150, 360)),
        })
    }

    /// Adds an entry.
    pub(crate) fn push(&mut self, entry: Entry) {
        self.entries.push(entry);
    }

    /// Removes what is over.
    pub(crate) fn prune(&mut self, now: DateTime<Utc>) {
        self.entries.retain(|entry| entry.to > now);
    }

    /// All entries.
    pub(crate) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    fn at(&self, store: i64, at: DateTime<Utc>) -> impl Iterator<Item = &Event> {
        self.entries
            .iter()
            .filter(move |entry| entry.holds(store, at))
            .map(|entry| &entry.event)
    }

    /// Factor on the demand of a store.
    pub(crate) fn demand(&self, store: i64, at: DateTime<Utc>) -> f64 {
        self.at(store, at)
            .map(|event| match event {
                Event::Promotion { demand, .. }
                | Event::Spike { demand }
                | Event::Drop { demand }
                | Event::Shift { demand } => *demand,
                Event::Gap => 0.0,
                _ => 1.0,
            })
            .product()
    }

    /// Discount of the promotion that runs in a store, in percent.
    pub(crate) fn promotion(&self, store: i64, at: DateTime<Utc>) -> Option<i64> {
        self.at(store, at).find_map(|event| match event {
            Event::Promotion { percent, .. } => Some(*percent),
            _ => None,
        })
    }

    /// Factor on the quantities of a basket.
    pub(crate) fn quantity(&self, store: i64, at: DateTime<Utc>) -> i64 {
        self.at(store, at)
            .find_map(|event| match event {
                Event::BigBaskets { quantity } => Some(*quantity),
                _ => None,
            })
            .unwrap_or(1)
    }

    /// How often a payment method fails: its usual rate, or that of an outage.
    pub(crate) fn failure_rate(&self, method: Method, store: i64, at: DateTime<Utc>) -> f64 {
        self.at(store, at)
            .find_map(|event| match event {
                Event::PaymentOutage {
                    method: down,
                    failure_rate,
                } if *down == method => Some(*failure_rate),
                _ => None,
            })
            .unwrap_or_else(|| method.failure_rate())
    }

    /// When the supplier of a product delivers again, if it does not now.
    pub(crate) fn supply_stops_until(&self, product: i64, at: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.entries
            .iter()
            .filter(|entry| entry.from <= at && at < entry.to)
            .find(|entry| entry.event == Event::SupplyStop { product })
            .map(|entry| entry.to)
    }
}

/// The whole local days of a history that ends at `now`.
pub(crate) fn history_span(
    now: DateTime<Utc>,
    days: u32,
    zone: chrono_tz::Tz,
) -> (DateTime<Utc>, DateTime<Utc>) {
    (day_start(now, zone) - TimeDelta::days(i64::from(days)), now)
}
