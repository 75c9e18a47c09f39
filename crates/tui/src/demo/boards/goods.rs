//! Products, inventory, shipments and stores of the generated shop.

use chrono::{DateTime, Datelike, Days, TimeDelta, Utc};
use instashop_core::forecast::{self, Method, Supply};
use instashop_core::view::{
    AbcClass, Ask, Churn, DueDay, InventoryView, LogisticsView, MethodShipments, Movement, MrrMovement,
    OverdueShipment, Pair, Place, PlaceCategory, PlanShare, ProductPair, ProductRow, ProductsView,
    STOCK_DAYS, StockForecast, StockRow, StockState, StoreScore, StoresView, TRANSIT_HOURS, Window,
};

use super::super::Shop;
use super::super::shop::{CATALOGUE, STORES};
use super::{FIRST_STORE, pick};

/// Warehouses.
const PLACES: [&str; 4] = ["BOG-1", "MED-1", "CLO-2", "BAQ-1"];

/// Plans with their monthly price in cents.
const PLANS: [(&str, i64, i64); 4] = [
    ("free", 0, 3),
    ("basic", 1_500, 2),
    ("pro", 4_900, 2),
    ("enterprise", 29_900, 2),
];

impl Shop {
    /// Revenue, units and orders of each product over some days.
    fn product_sums(&mut self, first: chrono::NaiveDate, last: chrono::NaiveDate) -> Vec<[i64; 3]> {
        let mut sums = vec![[0; 3]; CATALOGUE.len()];
        for book in self.books_of(first, last) {
            for (sum, more) in sums.iter_mut().zip(book.products) {
                sum.iter_mut().zip(more).for_each(|(sum, more)| *sum += more);
            }
        }
        sums
    }

    pub(super) fn products(&mut self, window: Window) -> ProductsView {
        let seed = self.seed;
        let days = (window.last - window.first).num_days();
        let last = window
            .base_first
            .checked_add_days(Days::new(days as u64))
            .unwrap_or(window.base_first);
        let (here, base) = (
            self.product_sums(window.first, window.last),
            self.product_sums(window.base_first, last),
        );
        let books = self.books_of(window.first, window.last);
        let mut rows: Vec<ProductRow> = CATALOGUE
            .iter()
            .enumerate()
            .map(|(index, (name, category, ..))| {
                let [cents, units, orders] = here[index];
                let rate = pick(seed, index as u64, 41, 9, 72);
                let views = orders * 1000 / rate.max(1);
                let mut trend = vec![0; 10];
                for (day, book) in books.iter().enumerate() {
                    trend[(day * 10 / books.len().max(1)).min(9)] += book.products[index][0];
                }
                ProductRow {
                    product_id: index as i64 + 1,
                    name: (*name).into(),
                    category: (*category).into(),
                    cents: Pair {
                        now: cents,
                        before: base[index][0],
                    },
                    units: Pair {
                        now: units,
                        before: base[index][1],
                    },
                    orders,
                    views: views * 13 / 10,
                    visits: (views, views * 24 / 100),
                    class: String::new(),
                    trend,
                }
            })
            .collect();
        // Two that many look at and few buy.
        for (id, name, views) in [(901, "Smart ring", 36_100), (902, "Silla gamer", 16_200)] {
            rows.push(ProductRow {
                product_id: id,
                name: name.into(),
                category: "Electronics".into(),
                cents: Pair {
                    now: views / 600 * 9_900,
                    before: views / 500 * 9_900,
                },
                units: Pair {
                    now: views / 600,
                    before: views / 500,
                },
                orders: views / 600,
                views: views * 13 / 10,
                visits: (views, views / 40),
                class: String::new(),
                trend: vec![views / 6000 * 9_900; 10],
            });
        }
        rows.sort_by_key(|row| (std::cmp::Reverse(row.cents.now), row.product_id));
        let total: i64 = rows.iter().map(|row| row.cents.now).sum();
        let mut before = 0;
        let mut classes: Vec<AbcClass> = ["A", "B", "C"]
            .iter()
            .map(|class| AbcClass {
                class: (*class).into(),
                ..AbcClass::default()
            })
            .collect();
        for row in &mut rows {
            let at = match before * 100 / total.max(1) {
                0..80 => 0,
                80..95 => 1,
                _ => 2,
            };
            before += row.cents.now;
            row.class = ["A", "B", "C"][at].into();
            classes[at].products += 1;
            classes[at].cents += row.cents.now * 3;
        }
        classes[2].products += 1_904;
        classes[2].unsold = 402;
        let all: i64 = rows.iter().map(|row| row.orders).sum();
        let pairs = rows.iter().take(12).flat_map(|row| {
            let others = rows
                .iter()
                .filter(move |other| other.product_id != row.product_id)
                .take(6);
            others.zip(1..).map(move |(other, place)| ProductPair {
                product_id: row.product_id,
                other_id: other.product_id,
                other: other.name.clone(),
                both: row.orders * pick(seed, row.product_id as u64, place, 5, 150) / 1000 / place as i64,
                orders: (row.orders, other.orders, all),
            })
        });
        let pairs: Vec<ProductPair> = pairs.collect();
        let units = rows.iter().fold(Pair::default(), |sum, row| Pair {
            now: sum.now + row.units.now,
            before: sum.before + row.units.before,
        });
        let visits: i64 = rows.iter().map(|row| row.visits.0).sum();
        let bought: i64 = rows.iter().map(|row| row.orders.min(row.visits.0)).sum();
        ProductsView {
            units,
            sold: Pair {
                now: rows.len() as i64,
                before: rows.len() as i64 - 1,
            },
            listed: 2_200,
            converted: [
                Pair {
                    now: visits,
                    before: visits * 97 / 100,
                },
                Pair {
                    now: bought,
                    before: bought * 99 / 100,
                },
            ],
            rows,
            pairs,
            classes,
        }
    }

    pub(super) fn inventory(&mut self, now: DateTime<Utc>) -> InventoryView {
        let seed = self.seed;
        let today = self.today(now);
        let back = |days: u64| today.checked_sub_days(Days::new(days)).unwrap_or(today);
        let books = self.books_of(back(56), back(1));
        let mut rows: Vec<StockRow> = Vec::new();
        let mut view = InventoryView::default();
        for (index, (name, category, price, _)) in CATALOGUE.iter().enumerate() {
            let sold: Vec<i64> = books.iter().map(|book| book.products[index][1]).collect();
            let month: i64 = sold.iter().rev().take(28).sum();
            let expected = expected(&sold);
            for (number, place) in PLACES.iter().enumerate() {
                let stock_id = (index * PLACES.len() + number) as i64 + 1;
                let per_day = month * 1000 / 28 / PLACES.len() as i64;
                let reorder = per_day * 5 / 1000 + 4;
                let available = match pick(seed, stock_id as u64, 31, 0, 99) {
                    0..3 => 0,
                    3..14 => reorder * pick(seed, stock_id as u64, 32, 10, 99) / 100,
                    14..26 => reorder * 13 / 10,
                    chance => reorder * (2 + chance / 9),
                };
                let state = match available {
                    0 => StockState::OutOfStock,
                    left if left <= reorder => StockState::Critical,
                    left if left * 2 <= reorder * 3 => StockState::Low,
                    _ => StockState::Optimal,
                };
                rows.push(StockRow {
                    stock_id,
                    product_id: index as i64 + 1,
                    product: (*name).into(),
                    category: (*category).into(),
                    place: (*place).into(),
                    state,
                    available: Some(available),
                    reorder: Some(reorder),
                    per_day_milli: per_day,
                    days_milli: (per_day > 0 && available > 0).then(|| available * 1_000_000 / per_day),
                    cents: available * price,
                    sold: sold[sold.len().saturating_sub(28)..]
                        .iter()
                        .map(|units| units / PLACES.len() as i64)
                        .collect(),
                    forecast: expected.clone(),
                });
            }
        }
        for (id, (name, units, price)) in (900..).zip([
            ("Fax toner K2", 410, 3_000),
            ("Phone case 2019", 930, 495),
            ("VHS cleaner", 188, 1_117),
        ]) {
            view.dead.push(StockRow {
                stock_id: id,
                product_id: id,
                product: name.into(),
                place: "MED-1".into(),
                available: Some(units),
                reorder: Some(20),
                cents: units * price,
                state: StockState::Optimal,
                ..StockRow::default()
            });
        }
        view.asleep = (94, 6_100_000);
        for row in rows.iter().chain(&view.dead) {
            let at = StockState::ALL
                .iter()
                .position(|state| *state == row.state)
                .unwrap_or(4);
            view.states[at] += 1;
            view.cents += row.cents;
        }
        view.states[4] = 2;
        view.turnover = (16_400_000, 1_020_000);
        view.critical_products = rows
            .iter()
            .filter(|row| row.state <= StockState::Critical)
            .count() as i64;
        view.places = PLACES
            .iter()
            .map(|place| {
                let here = rows.iter().filter(|row| row.place == *place);
                let bad = here
                    .clone()
                    .filter(|row| row.state <= StockState::Critical)
                    .count();
                Place {
                    place: (*place).into(),
                    units: here.clone().filter_map(|row| row.available).sum(),
                    cents: here.clone().map(|row| row.cents).sum(),
                    critical: bad as i64,
                    rows: here.count() as i64,
                }
            })
            .collect();
        view.histogram = (0..=STOCK_DAYS.len())
            .map(|index| {
                let from = index.checked_sub(1).map_or(0, |before| STOCK_DAYS[before]) * 1000;
                let to = STOCK_DAYS.get(index).copied();
                let inside = rows
                    .iter()
                    .filter_map(|row| row.days_milli)
                    .filter(|milli| *milli >= from && to.is_none_or(|to| *milli < to * 1000));
                (to, inside.count() as i64)
            })
            .collect();
        let mut map: Vec<PlaceCategory> = Vec::new();
        for row in &rows {
            let bad = i64::from(row.state <= StockState::Critical);
            match map
                .iter_mut()
                .find(|cell| cell.place == row.place && cell.category == row.category)
            {
                Some(cell) => cell.rows = (cell.rows.0 + 1, cell.rows.1 + bad),
                None => map.push(PlaceCategory {
                    place: row.place.clone(),
                    category: row.category.clone(),
                    rows: (1, bad),
                }),
            }
        }
        view.map = map;
        let movement = |reason: &str, came, went| Movement {
            reason: reason.into(),
            came,
            went,
        };
        let sold: i64 = books
            .last()
            .map_or(0, |book| book.products.iter().map(|product| product[1]).sum());
        view.movements = vec![
            movement("sale", 0, sold / 2),
            movement("purchase", sold, 0),
            movement("return", sold / 40, 0),
            movement("transfer", 60, 60),
        ];
        rows.sort_by_key(|row| {
            (
                row.state != StockState::OutOfStock,
                row.days_milli.unwrap_or(i64::MAX),
                row.stock_id,
            )
        });
        view.rows = rows;
        view
    }

    pub(super) fn shipments(&mut self, window: Window, now: DateTime<Utc>) -> LogisticsView {
        let seed = self.seed;
        let today = self.today(now);
        let days: Vec<DueDay> = window
            .first
            .iter_days()
            .take_while(|day| *day <= window.last)
            .map(|day| {
                let due = self.book(day).totals.orders * 9 / 10;
                let late = due * pick(seed, day.num_days_from_ce() as u64, 71, 48, 96) / 1000;
                DueDay {
                    day,
                    on_time: due - late,
                    late,
                }
            })
            .collect();
        let on_time: i64 = days.iter().map(|day| day.on_time).sum();
        let late: i64 = days.iter().map(|day| day.late).sum();
        let methods = [
            ("standard", 590, [180, 340, 780], 76),
            ("express", 260, [90, 240, 310], 48),
            ("economy", 110, [300, 520, 1_100], 132),
            ("pickup", 40, [10, 20, 60], 7),
        ];
        let methods = methods.map(|(method, share, hours, bad)| {
            let all = (on_time + late) * share / 1000;
            let late = all * bad / 1000;
            MethodShipments {
                method: method.into(),
                pending: all / 40,
                transit: all / 13,
                delivered: all - late / 12,
                on_time: all - late,
                late: late - late / 12,
                overdue: late / 12,
                unknown: all / 60,
                hours_tenths: Some(hours),
            }
        });
        let overdue: i64 = methods.iter().map(|method| method.overdue).sum();
        let shares = [90, 210, 330, 190, 100, 60, 20];
        LogisticsView {
            on_time: Pair {
                now: on_time,
                before: on_time,
            },
            late: Pair {
                now: late,
                before: late * 84 / 100,
            },
            overdue,
            transit: methods.iter().map(|method| method.transit).sum(),
            pending: methods.iter().map(|method| method.pending).sum(),
            hours_tenths: [Some([310, 740]), Some([300, 690])],
            list: (0..60_u64)
                .map(|place| OverdueShipment {
                    shipment_id: 88_120 + pick(seed, place, 72, 0, 9_000),
                    method: ["economy", "standard", "standard", "express"][(place % 4) as usize].into(),
                    status: ["in_transit", "in_transit", "pending"][(place % 3) as usize].into(),
                    due: today
                        .checked_sub_days(Days::new(1 + (60 - place) / 14))
                        .unwrap_or(today),
                    shipped_at: (place % 3 != 2).then(|| now - TimeDelta::hours(90 - place as i64)),
                })
                .collect(),
            histogram: shares
                .iter()
                .enumerate()
                .map(|(index, share)| (TRANSIT_HOURS.get(index).copied(), (on_time + late) * share / 1000))
                .collect(),
            methods: methods.to_vec(),
            days,
        }
    }

    pub(super) fn scores(&mut self, ask: Ask, now: DateTime<Utc>) -> StoresView {
        let seed = self.seed;
        let today = self.today(now);
        let back = |days: u64| today.checked_sub_days(Days::new(days)).unwrap_or(today);
        let (before, here) = (
            self.books_of(back(60), back(31)),
            self.books_of(back(30), back(1)),
        );
        let mut rows: Vec<StoreScore> = STORES
            .iter()
            .enumerate()
            .map(|(index, name)| {
                let sum = |column: usize| here.iter().map(|book| book.stores[index][column]).sum::<i64>();
                let (paid, failed, cancelled) = (sum(0), sum(1), sum(2));
                // One store hurts its buyers.
                let bad = if index == 3 { 3 } else { 1 };
                let visits = paid * 1000 / pick(seed, index as u64, 22, 22, 48);
                StoreScore {
                    store_id: FIRST_STORE + index as i64,
                    store: (*name).into(),
                    plan: PLANS[index % 4].0.into(),
                    gmv_cents: sum(3),
                    before_cents: Some(before.iter().map(|book| book.stores[index][3]).sum()),
                    orders: paid,
                    failed_mille: Some(failed * 1000 / (paid + failed).max(1) * bad),
                    cancelled_mille: Some(cancelled * 1000 / (paid + cancelled).max(1) * bad * 2),
                    visits,
                    conversion_mille: Some(paid * 1000 / visits.max(1)),
                    critical_mille: Some(pick(seed, index as u64, 23, 0, 45) * bad),
                    complaints_tenths: Some(pick(seed, index as u64, 24, 4, 15) * bad),
                    trend: here.iter().map(|book| book.stores[index][3]).collect(),
                }
            })
            .filter(|row| ask.store.is_none_or(|id| id == row.store_id))
            .collect();
        rows.sort_by_key(|row| (std::cmp::Reverse(row.gmv_cents), row.store_id));
        let plans: Vec<PlanShare> = PLANS
            .iter()
            .map(|(plan, price, stores)| PlanShare {
                plan: (*plan).into(),
                stores: *stores,
                mrr_cents: price * stores,
            })
            .collect();
        let gmv = rows.iter().fold((0, 0), |sum, row| {
            (sum.0 + row.gmv_cents, sum.1 + row.before_cents.unwrap_or(0))
        });
        let top = |count: usize| {
            rows.iter().take(count).map(|row| row.gmv_cents).sum::<i64>() * 1000 / gmv.0.max(1)
        };
        let movement = |name: &str, stores, cents| MrrMovement {
            movement: name.into(),
            stores,
            cents,
        };
        let hhi = rows
            .iter()
            .map(|row| (row.gmv_cents as f64 / gmv.0.max(1) as f64).powi(2))
            .sum::<f64>()
            * 10_000.0;
        StoresView {
            gmv_cents: gmv,
            commission_cents: Some(gmv.0 / 20),
            active: (rows.len() as i64, rows.len() as i64),
            opening_cents: plans.iter().map(|plan| plan.mrr_cents).sum::<i64>() - 4_900,
            plans,
            movements: vec![
                movement("expansion", 2, 6_800),
                movement("new", 1, 1_500),
                movement("contraction", 1, -1_900),
                movement("churn", 1, -1_500),
            ],
            churn: Some(Churn {
                month: back(u64::from(today.day())).with_day(1).unwrap_or(today),
                paying: 6,
                churned: 1,
                gross_mille: Some(22),
                net_mille: Some(-4),
            }),
            concentration_mille: (rows.len() >= 5).then(|| [top(1), top(5), top(20)]),
            hhi: (rows.len() >= 5).then_some(hhi as i64),
            rows,
        }
    }
}

/// The forecast of one place's share of a product, as the daily run would make it.
fn expected(sold: &[i64]) -> Option<StockForecast> {
    let units: Vec<Option<f64>> = sold.iter().map(|units| Some(*units as f64)).collect();
    let made = forecast::forecast(&units)?;
    let milli = |units: f64| (units * 1000.0 / PLACES.len() as f64).round() as i64;
    let error = |method| made.accuracy(method).map(|of| milli(of.error));
    Some(StockForecast {
        until_milli: made.until.iter().map(|until| milli(until.units)).collect(),
        within_milli: made
            .until
            .iter()
            .map(|until| {
                until
                    .within_80
                    .map(|within| (milli(within.low), milli(within.high)))
            })
            .collect(),
        reorder: Supply::new(&made, 0)
            .reorder_point
            .map(|units| (units + PLACES.len() as i64 - 1) / PLACES.len() as i64),
        errors_milli: error(made.method).zip(error(Method::SeasonalNaive)),
    })
}
