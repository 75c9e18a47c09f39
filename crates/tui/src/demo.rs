//! A generated shop for `--demo`, for the tests and for the pictures: it needs no service, and the same seed and time
//! give the same screen. The screen always says DEMO.
//!
//! - `shop`: orders of a day from a seed
//! - `boards`: what its marts would hold
//! - `crowd`: who visits it right now
//! - `difference`: what lies between two spans
//! - `health`: the pipeline of the shop
//! - `scenes`: the states a board can be in

mod boards;
mod crowd;
mod difference;
mod health;
mod scenes;
mod shop;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use chrono::{DateTime, Datelike, Days, DurationRound, NaiveDate, TimeDelta, Timelike, Utc};
use chrono_tz::Tz;
use instashop_core::view::{
    Ask, BehaviourCount, Board, CategorySales, DoingNow, LiveBase, LiveFigures, LiveView, OrderRow,
    PaymentMethod, ProductSales, RegionSales, SalesView, TapeEntry, Topic, Totals, TrendPoint,
    WarehouseToday,
};

use crate::snapshot::today::midnight;
pub use scenes::Scene;
use shop::{CATALOGUE, Class, METHODS, Order, STORES, hash};

/// The shop, with the days it has generated already.
pub struct Shop {
    seed: u64,
    zone: Tz,
    days: HashMap<NaiveDate, Arc<Vec<Order>>>,
    books: HashMap<NaiveDate, DayBook>,
    /// Boards made lately: the same question at the same moment has the same answer.
    boards: HashMap<(Topic, Ask, DateTime<Utc>), Board>,
}

/// Sums of a complete day.
#[derive(Debug, Clone, Default)]
struct DayBook {
    totals: Totals,
    hours: [i64; 24],
    categories: BTreeMap<&'static str, (i64, i64, i64)>,
    reversed_cents: i64,
    /// Paid, failed, revenue and lost revenue by method.
    methods: [[i64; 4]; METHODS.len()],
    /// Paid, failed, cancelled and revenue by store.
    stores: [[i64; 4]; STORES.len()],
    /// Revenue, units and orders by product.
    products: [[i64; 3]; CATALOGUE.len()],
}

/// First day of the shop.
fn opened() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 1, 5).unwrap_or_default()
}

fn add(totals: &mut Totals, order: &Order) {
    match order.class {
        Class::Paid | Class::Reversed => {
            totals.revenue_cents += order.amount_cents;
            totals.orders += 1;
            totals.reversed += i64::from(order.class == Class::Reversed);
        }
        Class::Open => totals.open += 1,
        Class::Failed => totals.failed += 1,
        Class::Cancelled => totals.cancelled += 1,
    }
}

impl Shop {
    /// A shop from a seed.
    pub fn new(seed: u64, zone: Tz) -> Self {
        Self {
            seed,
            zone,
            days: HashMap::new(),
            books: HashMap::new(),
            boards: HashMap::new(),
        }
    }

    /// Orders of a business day, oldest first.
    fn orders(&mut self, day: NaiveDate) -> Arc<Vec<Order>> {
        if let Some(orders) = self.days.get(&day) {
            return Arc::clone(orders);
        }
        if self.days.len() > 12 {
            self.days.clear();
        }
        let orders = self.made_orders(day);
        self.days.insert(day, Arc::clone(&orders));
        orders
    }

    fn made_orders(&self, day: NaiveDate) -> Arc<Vec<Order>> {
        let number = (day - opened()).num_days();
        Arc::new(if number < 0 {
            vec![]
        } else {
            shop::orders(self.seed, day, number, self.zone)
        })
    }

    fn book(&mut self, day: NaiveDate) -> DayBook {
        if let Some(book) = self.books.get(&day) {
            return book.clone();
        }
        let mut book = DayBook::default();
        // A book of the past needs its orders once: they do not push out those of the last days.
        let orders = self
            .days
            .get(&day)
            .map_or_else(|| self.made_orders(day), Arc::clone);
        for order in orders.iter() {
            add(&mut book.totals, order);
            boards::add_order(&mut book, order);
            if order.is_sale() {
                book.hours[order.at.with_timezone(&self.zone).hour() as usize] += 1;
                let entry = book.categories.entry(order.category()).or_default();
                *entry = (entry.0 + order.amount_cents, entry.1 + order.units, entry.2 + 1);
                if order.class == Class::Reversed {
                    book.reversed_cents -= order.amount_cents;
                }
            }
        }
        self.books.insert(day, book.clone());
        book
    }

    fn today(&self, now: DateTime<Utc>) -> NaiveDate {
        now.with_timezone(&self.zone).date_naive()
    }

    /// Orders of the last `span`, across midnight.
    fn recent(&mut self, now: DateTime<Utc>, span: TimeDelta) -> Vec<Order> {
        let today = self.today(now);
        let yesterday = today.pred_opt().unwrap_or(today);
        let days = [self.orders(yesterday), self.orders(today)];
        let recent = days
            .iter()
            .flat_map(|day| day.iter())
            .filter(|order| order.at <= now && order.at > now - span);
        recent.copied().collect()
    }

    fn buckets(
        &mut self,
        from: DateTime<Utc>,
        step: TimeDelta,
        count: i32,
        now: DateTime<Utc>,
    ) -> Vec<TrendPoint> {
        let mut points: Vec<TrendPoint> = (0..count)
            .map(|index| TrendPoint {
                start: from + step * index,
                totals: Totals::default(),
            })
            .collect();
        for order in self.recent(now, now - from + TimeDelta::milliseconds(1)) {
            let index = (order.at - from).num_milliseconds() / step.num_milliseconds();
            if let Some(point) = usize::try_from(index)
                .ok()
                .and_then(|index| points.get_mut(index))
            {
                add(&mut point.totals, &order);
            }
        }
        points
    }

    /// What Redis would hold.
    pub fn live(&mut self, now: DateTime<Utc>) -> LiveView {
        let today = self.today(now);
        let figures = self.figures(now);
        let half = DateTime::from_timestamp(now.timestamp() / 30 * 30, 0).unwrap_or(now);
        let visits = self.visits_today(now);
        let minutes = self.last_minutes(now);
        LiveView {
            read_at: now,
            generation: "demo".into(),
            as_of: Some(now - TimeDelta::milliseconds(300)),
            published_at: Some(now - TimeDelta::milliseconds(200)),
            rebuild: None,
            day: today,
            today: figures.totals,
            buyers_today: figures.buyers,
            figures: LiveFigures::default(),
            visits,
            doing: Some(self.doing(now)),
            last_paid: self.last_paid(now),
            minutes,
            hours: figures.hours,
            half_minutes: self.buckets(half - TimeDelta::seconds(570), TimeDelta::seconds(30), 20, now),
            payments: figures.payments,
            categories: figures.categories,
            products: figures.products,
            behaviour: Self::behaviour(now, figures.totals),
            tape: self.tape(now),
            events_per_1000s: health::rate(self.seed, now),
        }
    }

    fn figures(&mut self, now: DateTime<Utc>) -> Figures {
        let today = self.today(now);
        let start = midnight(today, self.zone);
        let running = now.with_timezone(&self.zone).hour() as usize;
        let mut figures = Figures {
            totals: Totals::default(),
            buyers: 0,
            hours: (0..=running)
                .map(|hour| TrendPoint {
                    start: start + TimeDelta::hours(hour as i64),
                    totals: Totals::default(),
                })
                .collect(),
            payments: METHODS
                .iter()
                .map(|(method, _)| PaymentMethod {
                    method: (*method).into(),
                    paid: 0,
                    failed: 0,
                    open: 0,
                    revenue_cents: 0,
                })
                .collect(),
            categories: vec![],
            products: vec![],
        };
        let mut buyers = BTreeSet::new();
        let mut categories: BTreeMap<&str, CategorySales> = BTreeMap::new();
        let mut products: BTreeMap<usize, ProductSales> = BTreeMap::new();
        for order in self.orders(today).iter().filter(|order| order.at <= now) {
            add(&mut figures.totals, order);
            let hour = ((order.at - start).num_hours() as usize).min(running);
            add(&mut figures.hours[hour].totals, order);
            let method = &mut figures.payments[order.method];
            match order.class {
                Class::Failed => method.failed += 1,
                Class::Open => method.open += 1,
                Class::Cancelled => {}
                Class::Paid | Class::Reversed => {
                    method.paid += 1;
                    method.revenue_cents += order.amount_cents;
                }
            }
            if !order.is_sale() {
                continue;
            }
            buyers.insert(order.buyer);
            let category = categories
                .entry(order.category())
                .or_insert_with(|| empty_category(order.category()));
            category.revenue_cents += order.amount_cents;
            category.units += order.units;
            category.orders = category.orders.map(|orders| orders + 1);
            if let Some(index) = order.product {
                let (name, category, ..) = CATALOGUE[index];
                let product = products.entry(index).or_insert_with(|| ProductSales {
                    product_id: index as i64 + 1,
                    name: name.into(),
                    category: category.into(),
                    revenue_cents: 0,
                    units: 0,
                });
                product.revenue_cents += order.amount_cents;
                product.units += order.units;
            }
        }
        figures.buyers = buyers.len() as i64;
        figures.categories = categories.into_values().collect();
        figures
            .categories
            .sort_by_key(|row| std::cmp::Reverse(row.revenue_cents));
        figures.products = products.into_values().collect();
        figures
            .products
            .sort_by_key(|row| (std::cmp::Reverse(row.revenue_cents), row.product_id));
        figures.products.truncate(20);
        figures
    }

    /// The last 60 minutes, the running one last.
    fn last_minutes(&mut self, now: DateTime<Utc>) -> Vec<TrendPoint> {
        let minute = now.duration_trunc(TimeDelta::minutes(1)).unwrap_or(now);
        self.buckets(minute - TimeDelta::minutes(59), TimeDelta::minutes(1), 60, now)
    }

    /// Today as the warehouse would know it, a moment behind.
    pub fn warehouse_today(&mut self, now: DateTime<Utc>) -> WarehouseToday {
        let then = now - TimeDelta::seconds(2);
        let figures = self.figures(then);
        WarehouseToday {
            read_at: now,
            as_of: Some(then),
            day: self.today(then),
            today: figures.totals,
            buyers_today: figures.buyers,
            visits: self.visits_today(then),
            hours: figures.hours,
            minutes: self.last_minutes(then),
            payments: figures.payments,
            categories: figures.categories,
            products: figures.products,
        }
    }

    /// The same weekday of last week.
    pub fn base(&mut self, now: DateTime<Utc>) -> LiveBase {
        let day = self.today(now).checked_sub_days(Days::new(7)).unwrap_or_default();
        let clock = now - TimeDelta::days(7);
        let mut minutes: BTreeMap<DateTime<Utc>, Totals> = BTreeMap::new();
        let mut first: BTreeMap<u64, DateTime<Utc>> = BTreeMap::new();
        let mut categories: BTreeMap<&str, CategorySales> = BTreeMap::new();
        for order in self.orders(day).iter() {
            let start = order
                .at
                .with_second(0)
                .and_then(|at| at.with_nanosecond(0))
                .unwrap_or(order.at);
            add(minutes.entry(start).or_default(), order);
            if order.is_sale() {
                first.entry(order.buyer).or_insert(order.at);
                if order.at < clock {
                    let row = categories
                        .entry(order.category())
                        .or_insert_with(|| empty_category(order.category()));
                    row.revenue_cents += order.amount_cents;
                    row.units += order.units;
                }
            }
        }
        let mut first_sales: Vec<DateTime<Utc>> = first.into_values().collect();
        first_sales.sort_unstable();
        LiveBase {
            day,
            complete: true,
            minutes: minutes
                .into_iter()
                .map(|(start, totals)| TrendPoint { start, totals })
                .collect(),
            first_sales,
            categories: categories.into_values().collect(),
            visits: self.visit_minutes(day),
            doing: DoingNow {
                course: vec![],
                ..self.doing(clock)
            },
        }
    }

    /// The Sales tab over `days` complete days.
    pub fn sales(&mut self, now: DateTime<Utc>, days: u32) -> SalesView {
        let today = self.today(now);
        let length = u64::from(days);
        let back = |back: u64| today.checked_sub_days(Days::new(back)).unwrap_or(today);
        let complete: Vec<NaiveDate> = (1..=length * 2).rev().map(back).collect();
        let mut reversals: Vec<(NaiveDate, i64)> = Vec::new();
        let mut sums = Vec::new();
        let mut periods: [BTreeMap<&str, CategorySales>; 2] = [BTreeMap::new(), BTreeMap::new()];
        for (index, day) in complete.into_iter().enumerate() {
            let book = self.book(day);
            let period = &mut periods[usize::from(index as u64 >= length)];
            for (name, (cents, units, orders)) in &book.categories {
                let row = period.entry(name).or_insert_with(|| empty_category(name));
                row.revenue_cents += cents;
                row.units += units;
                row.orders = row.orders.map(|sum| sum + orders);
            }
            if book.reversed_cents != 0 {
                reversals.push((day, book.reversed_cents));
            }
            sums.push((day, book.totals));
        }
        let [before, range] = periods.map(|period| {
            let mut rows: Vec<CategorySales> = period.into_values().collect();
            rows.sort_by_key(|row| std::cmp::Reverse(row.revenue_cents));
            rows
        });
        sums.push((today, self.figures(now).totals));
        SalesView {
            read_at: now,
            as_of: Some(now - TimeDelta::seconds(2)),
            today,
            first_day: Some(opened()),
            days: sums,
            reversals,
            regions: regions(&range, &before),
            categories: range,
            previous_categories: before,
            heat: self.heat(today),
            latest: self.latest(now),
        }
    }

    fn heat(&mut self, today: NaiveDate) -> Vec<[i64; 24]> {
        let monday = today.checked_sub_days(Days::new(u64::from(today.weekday().num_days_from_monday())));
        let monday = monday.unwrap_or(today);
        let mut heat = vec![[0_i64; 24]; 7];
        for back in 1..=56 {
            let Some(day) = monday.checked_sub_days(Days::new(back)) else {
                continue;
            };
            let book = self.book(day);
            let row = &mut heat[day.weekday().num_days_from_monday() as usize];
            for (sum, orders) in row.iter_mut().zip(book.hours) {
                *sum += orders * 1000 / 8;
            }
        }
        heat
    }

    fn latest(&mut self, now: DateTime<Utc>) -> Vec<OrderRow> {
        let mut orders = self.recent(now - TimeDelta::seconds(2), TimeDelta::hours(2));
        orders.reverse();
        let row = |order: &Order| OrderRow {
            order_id: order.id,
            ordered_at: order.at,
            store: STORES[order.store].into(),
            amount_cents: order.amount_cents,
            method: METHODS[order.method].0.into(),
            class: order.class.name().into(),
            lines: if order.product.is_some() {
                1 + (order.buyer % 3) as i64
            } else {
                0
            },
        };
        orders.iter().take(50).map(row).collect()
    }

    fn behaviour(now: DateTime<Utc>, totals: Totals) -> Vec<BehaviourCount> {
        let orders = totals.orders.max(0);
        // Between two orders people look around: a count that grows with the clock.
        let drift = i64::from(now.timestamp() as i32 % 600) * orders / 40_000;
        let rows = [
            ("page_view", 3140, 780),
            ("product_view", 1820, 560),
            ("search", 690, 310),
            ("add_to_cart", 430, 240),
            ("begin_checkout", 142, 131),
            ("purchase", 100, 100),
        ];
        rows.into_iter()
            .map(|(name, events, sessions)| BehaviourCount {
                event_type: name.into(),
                events: orders * events / 100 + drift * events / 1000,
                sessions: orders * sessions / 100,
                actors: orders * sessions / 130,
            })
            .collect()
    }

    fn tape(&mut self, now: DateTime<Utc>) -> Vec<TapeEntry> {
        let mut entries = Vec::new();
        for order in self.recent(now - TimeDelta::milliseconds(200), TimeDelta::minutes(20)) {
            let chance = hash(self.seed, order.id as u64, 77);
            let paid = matches!(order.class, Class::Paid | Class::Reversed);
            let entry =
                |what: &str, op: &str, at: DateTime<Utc>, amount: Option<i64>, by: &str, state: &str| {
                    TapeEntry {
                        at,
                        what: what.into(),
                        op: op.into(),
                        key: order.id,
                        amount_cents: amount,
                        by: by.into(),
                        state: state.into(),
                        store_id: Some(100 + order.store as i64),
                    }
                };
            let method = METHODS[order.method].0;
            let amount = Some(order.amount_cents);
            let shown = match order.class {
                Class::Failed => entry("fail", "c", order.at, amount, method, "failed"),
                Class::Open => entry("order", "c", order.at, amount, method, "pending"),
                Class::Cancelled => entry("order", "u", order.at, amount, method, "cancelled"),
                Class::Paid | Class::Reversed => entry("order", "c", order.at, amount, method, "completed"),
            };
            entries.push(shown);
            let later = order.at + TimeDelta::milliseconds(1500 + (chance % 4000) as i64);
            let product = order.product.unwrap_or(0);
            if paid && chance.is_multiple_of(4) && later <= now {
                let left = 3 + (chance >> 8) % 40;
                let warehouse = ["BOG-1", "MED-1", "CLO-2", "BAQ-1"][(chance >> 16) as usize % 4];
                let mut stock = entry(
                    "stock",
                    "u",
                    later,
                    None,
                    warehouse,
                    &format!("{} → {left}", left as i64 + order.units),
                );
                stock.key = 4000 + product as i64;
                stock.store_id = None;
                entries.push(stock);
            }
            if paid && chance % 9 == 1 && later <= now {
                entries.push(entry(
                    "refund",
                    "u",
                    later,
                    Some(-order.amount_cents),
                    method,
                    "reversed",
                ));
            }
            if paid && chance % 7 == 2 && later <= now {
                entries.push(entry("ship", "u", later, None, "express", "in transit"));
            }
        }
        entries.sort_by(|a, b| {
            b.at.cmp(&a.at)
                .then_with(|| a.key.cmp(&b.key))
                .then_with(|| a.what.cmp(&b.what))
        });
        entries.truncate(50);
        entries
    }
}

/// Today's sums by everything.
struct Figures {
    totals: Totals,
    buyers: i64,
    hours: Vec<TrendPoint>,
    payments: Vec<PaymentMethod>,
    categories: Vec<CategorySales>,
    products: Vec<ProductSales>,
}

/// Where the goods go, in thousandths of the revenue, and what it was.
const REGIONS: [(&str, i64, i64); 9] = [
    ("Cundinamarca", 361, 352),
    ("Antioquia", 238, 241),
    ("Valle", 157, 160),
    ("Atlántico", 88, 84),
    ("Santander", 31, 35),
    ("Bolívar", 16, 14),
    ("Caldas", 11, 11),
    ("Huila", 6, 8),
    ("unknown", 92, 95),
];

fn regions(now: &[CategorySales], before: &[CategorySales]) -> Vec<RegionSales> {
    let sum = |rows: &[CategorySales]| rows.iter().map(|row| row.revenue_cents).sum::<i64>();
    let orders: i64 = now.iter().filter_map(|row| row.orders).sum();
    let (now, before) = (sum(now), sum(before));
    let mut rows: Vec<RegionSales> = REGIONS
        .iter()
        .map(|(region, part, then)| RegionSales {
            region: (*region).into(),
            revenue_cents: now * part / 1000,
            orders: orders * part / 1000,
            before_cents: before * then / 1000,
        })
        .collect();
    // What the thousandths leave over is nobody's, like an address that is not known.
    let rest = now - rows.iter().map(|row| row.revenue_cents).sum::<i64>();
    if let Some(unknown) = rows.last_mut() {
        unknown.revenue_cents += rest;
    }
    rows.sort_by_key(|row| std::cmp::Reverse(row.revenue_cents));
    rows
}

fn empty_category(name: &str) -> CategorySales {
    CategorySales {
        category: name.into(),
        revenue_cents: 0,
        units: 0,
        orders: Some(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ZONE: Tz = chrono_tz::America::Argentina::Buenos_Aires;

    fn now() -> DateTime<Utc> {
        "2026-08-21T17:05:02Z".parse().unwrap()
    }

    #[test]
    fn the_same_seed_gives_the_same_shop_and_parts_add_up() {
        let view = Shop::new(7, ZONE).live(now());
        assert_eq!(view, Shop::new(7, ZONE).live(now()));
        assert_ne!(view.today, Shop::new(8, ZONE).live(now()).today);
        let sum = |rows: &mut dyn Iterator<Item = i64>| rows.sum::<i64>();
        let revenue = view.today.revenue_cents;
        assert_eq!(
            sum(&mut view.categories.iter().map(|row| row.revenue_cents)),
            revenue
        );
        assert_eq!(
            sum(&mut view.payments.iter().map(|row| row.revenue_cents)),
            revenue
        );
        assert_eq!(
            sum(&mut view.hours.iter().map(|row| row.totals.revenue_cents)),
            revenue
        );
        assert!(view.buyers_today > 0 && view.buyers_today <= view.today.orders);
        assert_eq!((view.minutes.len(), view.tape.len()), (60, 50));
    }

    #[test]
    fn the_base_and_the_past_are_the_same_days() {
        let mut shop = Shop::new(7, ZONE);
        let base = shop.base(now());
        let sales = shop.sales(now(), 30);
        let of_base: i64 = base
            .minutes
            .iter()
            .map(|minute| minute.totals.revenue_cents)
            .sum();
        let in_sales = sales
            .days
            .iter()
            .find(|(day, _)| *day == base.day)
            .unwrap()
            .1
            .revenue_cents;
        assert_eq!(of_base, in_sales);
        assert_eq!(sales.days.len(), 61);
        let range: i64 = sales.days[30..60]
            .iter()
            .map(|(_, totals)| totals.revenue_cents)
            .sum();
        assert_eq!(
            sales.categories.iter().map(|row| row.revenue_cents).sum::<i64>(),
            range
        );
    }
}
