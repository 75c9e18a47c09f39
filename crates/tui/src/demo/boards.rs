//! What the marts of the generated shop would hold. Money and orders are those of its days; visits, stock and shipments are
//! made from the same seed.
//!
//! - `people`: buyers and behaviour
//! - `goods`: products, inventory, shipments, stores
//! - `watch`: what the rules of alerts look at

mod goods;
mod people;
mod watch;

use chrono::{DateTime, Days, NaiveDate, TimeDelta, Timelike, Utc};
use instashop_core::contribution::Calendar;
use instashop_core::view::{
    Ask, AttemptHour, Board, BoardView, MethodAttempts, OrderLine, OrderList, OrderRow, OrdersOf,
    PENDING_LIMITS_S, Pair, PaymentsView, PendingAge, PendingOrder, StoreAttempts, Topic, Window,
};

use super::shop::{CATALOGUE, Class, METHODS, Order, STORES, hash};
use super::{DayBook, Shop, opened};

/// Id of the first store.
pub(super) const FIRST_STORE: i64 = 101;

/// A number in a range that looks like chance.
pub(super) const fn pick(seed: u64, a: u64, b: u64, from: i64, to: i64) -> i64 {
    from + (hash(seed, a, b) % ((to - from) as u64 + 1)) as i64
}

impl Shop {
    /// What a tab would read.
    pub fn board(&mut self, topic: Topic, ask: Ask, now: DateTime<Utc>) -> Board {
        if let Some(board) = self.boards.get(&(topic, ask, now)) {
            return board.clone();
        }
        if self.boards.len() > 100 {
            self.boards.clear();
        }
        let board = self.made(topic, ask, now);
        self.boards.insert((topic, ask, now), board.clone());
        board
    }

    fn made(&mut self, topic: Topic, ask: Ask, now: DateTime<Utc>) -> Board {
        let window = ask.window(now, Calendar::new(self.zone));
        let view = match topic {
            Topic::Payments => BoardView::Payments(Box::new(self.payments(ask, window, now))),
            Topic::Buyers => BoardView::Buyers(Box::new(self.buyers(ask, window, now))),
            Topic::Products => BoardView::Products(Box::new(self.products(window))),
            Topic::Inventory => BoardView::Inventory(Box::new(self.inventory(now))),
            Topic::Behaviour => BoardView::Behaviour(Box::new(self.visits(window))),
            Topic::Logistics => BoardView::Logistics(Box::new(self.shipments(window, now))),
            Topic::Stores => BoardView::Stores(Box::new(self.scores(ask, now))),
            Topic::Alerts => BoardView::Alerts(Box::new(self.facts(now))),
        };
        let stores = STORES
            .iter()
            .zip(FIRST_STORE..)
            .map(|(name, id)| (id, (*name).to_owned()));
        Board {
            read_at: now,
            as_of: Some(now - TimeDelta::seconds(2)),
            computed_at: Some(now - TimeDelta::hours(9)),
            window,
            first_day: Some(opened()),
            stores: stores.collect(),
            view,
        }
    }

    /// Books of complete days, first to last.
    pub(super) fn books_of(&mut self, first: NaiveDate, last: NaiveDate) -> Vec<DayBook> {
        first
            .iter_days()
            .take_while(|day| *day <= last)
            .map(|day| self.book(day))
            .collect()
    }

    /// Sums of a span; the running day up to now.
    fn span(&mut self, since: DateTime<Utc>, until: DateTime<Utc>) -> DayBook {
        let (first, last) = (self.today(since), self.today(until - TimeDelta::milliseconds(1)));
        let whole = Calendar::new(self.zone).end(last) <= until;
        let mut sum = DayBook::default();
        let mut all = self.books_of(
            first,
            if whole {
                last
            } else {
                last.pred_opt().unwrap_or(last)
            },
        );
        if !whole {
            let mut book = DayBook::default();
            for order in self.orders(last).iter().filter(|order| order.at < until) {
                add_order(&mut book, order);
            }
            all.push(book);
        }
        for book in all {
            for (sum, more) in sum.methods.iter_mut().zip(book.methods) {
                sum.iter_mut().zip(more).for_each(|(sum, more)| *sum += more);
            }
            for (sum, more) in sum.stores.iter_mut().zip(book.stores) {
                sum.iter_mut().zip(more).for_each(|(sum, more)| *sum += more);
            }
        }
        sum
    }

    /// The orders behind a number: the latest of the last day.
    pub fn orders_of(&mut self, of: &OrdersOf, ask: Ask, now: DateTime<Utc>) -> OrderList {
        let store = ask.store.and_then(|id| usize::try_from(id - FIRST_STORE).ok());
        let mut orders = self.recent(now, TimeDelta::hours(24));
        orders.reverse();
        let found = orders.iter().filter(|order| {
            let fits = match of {
                OrdersOf::Method(method) => METHODS[order.method].0 == method,
                OrdersOf::Category(name) => order.is_sale() && order.category() == name,
                OrdersOf::Product(id) => order.product.is_some_and(|product| product as i64 + 1 == *id),
                OrdersOf::Buyer(id) => order.buyer as i64 % 300 == id % 300,
                OrdersOf::Order(id) => order.id == *id,
            };
            fits && store.is_none_or(|store| store == order.store)
        });
        let found: Vec<Order> = found.take(300).copied().collect();
        let line = |order: &Order| {
            order.product.map(|product| OrderLine {
                product: CATALOGUE[product].0.into(),
                category: CATALOGUE[product].1.into(),
                units: order.units,
                cents: Some(order.amount_cents),
            })
        };
        let lines = match (of, found.first()) {
            (OrdersOf::Order(_), Some(order)) => line(order).into_iter().collect(),
            _ => vec![],
        };
        let row = |order: &Order| OrderRow {
            order_id: order.id,
            ordered_at: order.at,
            store: STORES[order.store].into(),
            amount_cents: order.amount_cents,
            method: METHODS[order.method].0.into(),
            class: order.class.name().into(),
            lines: i64::from(order.product.is_some()),
        };
        OrderList {
            orders: found.iter().map(row).collect(),
            lines,
        }
    }

    fn payments(&mut self, ask: Ask, window: Window, now: DateTime<Utc>) -> PaymentsView {
        let here = self.span(window.since, window.until);
        let base = self.span(window.base_since, window.base_until);
        let today = self.today(now);
        let week = self.span(
            Calendar::new(self.zone).start(today.checked_sub_days(Days::new(7)).unwrap_or(today)),
            Calendar::new(self.zone).start(today),
        );
        let hour = now - TimeDelta::seconds(i64::from(now.minute() * 60 + now.second()));
        let since = hour - TimeDelta::hours(23);
        let mut hours: Vec<AttemptHour> = (0..24)
            .map(|index| AttemptHour {
                start: since + TimeDelta::hours(index),
                ..AttemptHour::default()
            })
            .collect();
        let recent = self.recent(now, TimeDelta::hours(24));
        let share = |part: i64| {
            if ask.store.is_some() {
                part / STORES.len() as i64
            } else {
                part
            }
        };
        let mut methods: Vec<MethodAttempts> = METHODS
            .iter()
            .enumerate()
            .map(|(index, (name, _))| {
                let pair = |column: usize| Pair {
                    now: share(here.methods[index][column]),
                    before: share(base.methods[index][column]),
                };
                let lost = pair(3);
                let keep = |cents: i64| cents * 3 / 5;
                MethodAttempts {
                    method: (*name).into(),
                    paid: pair(0),
                    failed: pair(1),
                    recovered: Pair {
                        now: pair(1).now * 2 / 5,
                        before: pair(1).before * 2 / 5,
                    },
                    revenue_cents: share(here.methods[index][2]),
                    at_risk_cents: Pair {
                        now: keep(lost.now),
                        before: keep(lost.before),
                    },
                    week: (share(week.methods[index][0]), share(week.methods[index][1])),
                    last_paid_at: recent
                        .iter()
                        .rev()
                        .find(|order| order.method == index && order.is_sale())
                        .map(|order| order.at),
                    hours: vec![(0, 0); 24],
                }
            })
            .collect();
        for order in &recent {
            let slot = usize::try_from((order.at - since).num_hours())
                .unwrap_or(0)
                .min(23);
            let add = |pair: &mut (i64, i64)| match order.class {
                Class::Failed => pair.1 += 1,
                Class::Paid | Class::Reversed => pair.0 += 1,
                _ => {}
            };
            add(&mut hours[slot].now);
            if let Some(method) = methods.get_mut(order.method) {
                add(&mut method.hours[slot]);
            }
        }
        for (slot, hour) in hours.iter_mut().enumerate() {
            let all = (hour.now.0 + hour.now.1) * 7;
            let failed = all * pick(self.seed, slot as u64, 91, 44, 62) / 1000;
            hour.week = (all - failed, failed);
        }
        let open: Vec<Order> = recent
            .iter()
            .filter(|order| order.class == Class::Open)
            .copied()
            .collect();
        let mut ages: Vec<PendingAge> = (0..=PENDING_LIMITS_S.len())
            .map(|index| PendingAge {
                up_to_s: PENDING_LIMITS_S.get(index).copied(),
                ..PendingAge::default()
            })
            .collect();
        for order in &open {
            let age = (now - order.at).num_seconds();
            let bucket = PENDING_LIMITS_S
                .iter()
                .position(|limit| age < *limit)
                .unwrap_or(4);
            ages[bucket].orders += 1;
            ages[bucket].cents += order.amount_cents;
        }
        let pending = open.iter().map(|order| PendingOrder {
            order_id: order.id,
            ordered_at: order.at,
            store: STORES[order.store].into(),
            method: METHODS[order.method].0.into(),
            cents: order.amount_cents,
        });
        let mut stores: Vec<StoreAttempts> = STORES
            .iter()
            .enumerate()
            .map(|(index, name)| StoreAttempts {
                store_id: FIRST_STORE + index as i64,
                store: (*name).into(),
                paid: here.stores[index][0],
                failed: here.stores[index][1],
            })
            .filter(|store| store.paid + store.failed > 0 && ask.store.is_none_or(|id| id == store.store_id))
            .collect();
        stores.sort_by_key(|store| store.paid * 1000 / (store.paid + store.failed));
        PaymentsView {
            methods,
            hours,
            ages,
            pending: pending.take(200).collect(),
            stores,
        }
    }
}

/// Adds an order to the sums by method, store and product.
pub(super) fn add_order(book: &mut DayBook, order: &Order) {
    let (method, store) = (&mut book.methods[order.method], &mut book.stores[order.store]);
    match order.class {
        Class::Paid | Class::Reversed => {
            method[0] += 1;
            method[2] += order.amount_cents;
            store[0] += 1;
            store[3] += order.amount_cents;
            if let Some(product) = order.product {
                let product = &mut book.products[product];
                product[0] += order.amount_cents;
                product[1] += order.units;
                product[2] += 1;
            }
        }
        Class::Failed => {
            method[1] += 1;
            method[3] += order.amount_cents;
            store[1] += 1;
        }
        Class::Cancelled => store[2] += 1,
        Class::Open => {}
    }
}

/// The same board of a shop that nobody has found yet.
pub(super) fn empty(board: &mut Board) {
    board.first_day = None;
    board.view = match board.view.topic() {
        Topic::Payments => BoardView::Payments(Box::default()),
        Topic::Buyers => BoardView::Buyers(Box::default()),
        Topic::Products => BoardView::Products(Box::default()),
        Topic::Inventory => BoardView::Inventory(Box::default()),
        Topic::Behaviour => BoardView::Behaviour(Box::default()),
        Topic::Logistics => BoardView::Logistics(Box::default()),
        Topic::Stores => BoardView::Stores(Box::default()),
        Topic::Alerts => BoardView::Alerts(Box::default()),
    };
}
