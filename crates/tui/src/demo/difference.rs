//! What lies between the revenue of two spans of the generated shop.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use instashop_core::contribution::Calendar;
use instashop_core::view::{Ask, DifferencePart, DifferenceView, Pair, PartsBy, Range};

use super::boards::FIRST_STORE;
use super::shop::{METHODS, Order, STORES};
use super::{Shop, opened};

/// Sums of one span.
#[derive(Default)]
struct Sums {
    cents: i64,
    orders: i64,
    course: Vec<i64>,
    parts: BTreeMap<(usize, String), i64>,
}

impl Sums {
    fn add(&mut self, slot: usize, order: &Order) {
        if !order.is_sale() {
            return;
        }
        self.cents += order.amount_cents;
        self.orders += 1;
        if self.course.len() <= slot {
            self.course.resize(slot + 1, 0);
        }
        self.course[slot] += order.amount_cents;
        let store = format!("{} {}", FIRST_STORE + order.store as i64, STORES[order.store]);
        let names = [
            order.category().to_owned(),
            store,
            METHODS[order.method].0.to_owned(),
        ];
        for (kind, name) in names.into_iter().enumerate() {
            *self.parts.entry((kind, name)).or_default() += order.amount_cents;
        }
    }
}

impl Shop {
    /// The difference as of a moment.
    pub fn difference(&mut self, ask: Ask, at: DateTime<Utc>) -> DifferenceView {
        let window = ask.window(at, Calendar::new(self.zone));
        let now = self.sums(ask, window.first, window.since, window.until);
        let before = self.sums(ask, window.base_first, window.base_since, window.base_until);
        let count = match ask.range {
            Range::Days(days @ 2..) => usize::from(days),
            _ => 24,
        };
        let slot = |sums: &Sums, at: usize| sums.course.get(at).copied().unwrap_or(0);
        let course = (0..count.max(now.course.len()).max(before.course.len())).map(|at| Pair {
            now: slot(&now, at),
            before: slot(&before, at),
        });
        let names: std::collections::BTreeSet<_> = now.parts.keys().chain(before.parts.keys()).collect();
        let parts = names.into_iter().map(|key| DifferencePart {
            by: PartsBy::ALL[key.0],
            name: key.1.clone(),
            cents: Pair {
                now: now.parts.get(key).copied().unwrap_or(0),
                before: before.parts.get(key).copied().unwrap_or(0),
            },
        });
        DifferenceView {
            read_at: at,
            window,
            first_day: Some(opened()),
            revenue: Pair {
                now: now.cents,
                before: before.cents,
            },
            orders: Pair {
                now: now.orders,
                before: before.orders,
            },
            course: course.collect(),
            parts: parts.collect(),
        }
    }

    fn sums(&mut self, ask: Ask, first: NaiveDate, since: DateTime<Utc>, until: DateTime<Utc>) -> Sums {
        let store = ask.store.map(|id| id - FIRST_STORE);
        let mut sums = Sums::default();
        for (number, day) in first.iter_days().take(usize::from(ask.range.days())).enumerate() {
            // A day of the past is made for this alone: it does not push out those of the present.
            let orders = self
                .days
                .get(&day)
                .map_or_else(|| self.made_orders(day), std::sync::Arc::clone);
            let inside = orders
                .iter()
                .filter(|order| order.at >= since && order.at < until);
            for order in inside.filter(|order| store.is_none_or(|store| store == order.store as i64)) {
                let slot = if ask.range.days() == 1 {
                    (order.at - since).num_milliseconds() / TimeDelta::hours(1).num_milliseconds()
                } else {
                    number as i64
                };
                sums.add(usize::try_from(slot).unwrap_or(0), order);
            }
        }
        sums
    }
}
