//! Who visits the generated shop: made from its orders, since it has no events.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, TimeDelta, Timelike, Utc};
use instashop_core::view::{
    Ask, Basis, BoardView, DoingNow, LastPaid, LiveFigures, Range, Topic, Totals, VisitMinute, Visits,
};

use super::shop::{METHODS, hash};
use super::{Shop, add};

/// Orders of so many thousand visits.
const ORDERS_OF_1000: i64 = 31;

/// Visits behind a number of sales, and those with an order, of which `share` ten-thousandths have one.
const fn visits(sales: i64, share: i64) -> Visits {
    let begun = sales * 1000 / ORDERS_OF_1000;
    Visits {
        begun,
        converted: begun * share / 10_000,
    }
}

impl Shop {
    /// Visits of today.
    pub(super) fn visits_today(&mut self, now: DateTime<Utc>) -> Visits {
        let today = self.today(now);
        let orders = self.orders(today);
        let sales = orders.iter().filter(|order| order.at <= now && order.is_sale());
        visits(sales.count() as i64, 308)
    }

    /// Visits of a day by the minute.
    pub(super) fn visit_minutes(&mut self, day: NaiveDate) -> Vec<VisitMinute> {
        let mut minutes: BTreeMap<DateTime<Utc>, Visits> = BTreeMap::new();
        let mut before = Visits::default();
        let orders = self.orders(day);
        for (sales, order) in (1..).zip(orders.iter().filter(|order| order.is_sale())) {
            let start = order
                .at
                .with_second(0)
                .and_then(|at| at.with_nanosecond(0))
                .unwrap_or(order.at);
            let now = visits(sales, 328);
            let of_minute = minutes.entry(start).or_default();
            of_minute.begun += now.begun - before.begun;
            of_minute.converted += now.converted - before.converted;
            before = now;
        }
        minutes
            .into_iter()
            .map(|(start, visits)| VisitMinute { start, visits })
            .collect()
    }

    /// What visitors do right now.
    pub(super) fn doing(&mut self, now: DateTime<Utc>) -> DoingNow {
        let orders = self.recent(now, TimeDelta::minutes(10));
        let since = |from: TimeDelta, until: TimeDelta| {
            let lately = orders
                .iter()
                .filter(|order| order.at > now - from && order.at <= now - until);
            lately.count() as i64
        };
        let all = since(TimeDelta::minutes(10), TimeDelta::zero());
        let half = TimeDelta::seconds(30);
        DoingNow {
            visitors: since(TimeDelta::minutes(5), TimeDelta::zero()) * 17,
            browsing: all * 18,
            carts: all * 56 / 10,
            checkouts: all * 16 / 10,
            purchases: all,
            course: (0..20)
                .rev()
                .map(|back| {
                    let bucket = now.timestamp() / 30 - i64::from(back);
                    let noise = hash(self.seed, bucket as u64, 91) % 30;
                    since(half * (back + 1), half * back) * 6 + noise as i64
                })
                .collect(),
        }
    }

    /// When each method was last paid with, within an hour.
    pub(super) fn last_paid(&mut self, now: DateTime<Utc>) -> Vec<LastPaid> {
        let mut found: BTreeMap<&str, DateTime<Utc>> = BTreeMap::new();
        for order in self.recent(now, TimeDelta::minutes(59)) {
            // The alert says that nothing was paid with the wallet lately.
            let is_down = METHODS[order.method].0 == "wallet" && order.at > now - TimeDelta::minutes(16);
            if order.is_sale() && !is_down {
                let minute = order.at
                    - TimeDelta::nanoseconds(order.at.timestamp_nanos_opt().unwrap_or(0) % 60_000_000_000);
                found.insert(METHODS[order.method].0, minute);
            }
        }
        found
            .into_iter()
            .map(|(method, minute)| LastPaid {
                method: method.to_owned(),
                minute,
            })
            .collect()
    }

    /// The figures of today, as the boards of the marts have them a moment later.
    pub(super) fn figures_of(&mut self, store: Option<i64>, now: DateTime<Utc>) -> LiveFigures {
        let ask = Ask {
            range: Range::Today,
            basis: Basis::Weekday,
            store,
        };
        let mut figures = LiveFigures {
            store,
            ..LiveFigures::default()
        };
        for topic in [Topic::Payments, Topic::Buyers, Topic::Products, Topic::Behaviour] {
            match self.board(topic, ask, now).view {
                BoardView::Payments(view) => {
                    figures.totals.orders = view.methods.iter().map(|method| method.paid.now).sum();
                    figures.totals.failed = view.methods.iter().map(|method| method.failed.now).sum();
                }
                BoardView::Buyers(view) => {
                    figures.buyers = view.active.now;
                    figures.new_buyers = view.new.now;
                    figures.returning_buyers = view.returning.now;
                }
                BoardView::Products(view) => figures.units = view.units.now,
                BoardView::Behaviour(view) => {
                    figures.funnel = view.funnel.map(|step| step.now);
                    figures.converted = view.funnel[5].now;
                }
                _ => {}
            }
        }
        if store.is_none() {
            let mut totals = Totals::default();
            let today = self.today(now);
            for order in self.orders(today).iter().filter(|order| order.at <= now) {
                add(&mut totals, order);
            }
            figures.totals = totals;
            if let BoardView::Stores(view) = self.board(Topic::Stores, ask, now).view {
                figures.mrr_cents = Some(view.plans.iter().map(|plan| plan.mrr_cents).sum());
            }
        }
        figures
    }
}
