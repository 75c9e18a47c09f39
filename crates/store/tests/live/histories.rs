//! Random histories through the real script, compared with a recount of the final tables.
//!
//! `INSTASHOP_HISTORIES` sets how many, `INSTASHOP_SEED` the first seed.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Days, Duration, Utc};
use instashop_core::config::{Meaning, Redis};
use instashop_core::contribution::{Calendar, Cell, Scope};
use instashop_core::live::Window;
use instashop_core::view::{LiveView, WorkerHealth};
use instashop_store::live::{Bulletin, LivePublisher, LiveReader, LiveSettler, Watched};

use crate::cells::{is_told, recount_cells};
use crate::fleet::{Fleet, Met};
use crate::oracle::{Recount, recount};
use crate::server::Server;
use crate::shop::Shop;

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name)
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(default)
}

/// In the future, so that no expiry of Redis falls into the test.
pub fn beginning() -> DateTime<Utc> {
    "2100-03-05T01:30:00Z".parse().unwrap()
}

async fn history(server: &Server, seed: u64) -> (Vec<String>, Met) {
    let meaning = crate::oracle::meaning();
    let mut admin = server.admin().await;
    let () = redis::cmd("FLUSHALL").query_async(&mut admin).await.unwrap();
    let mut shop = Shop::new(seed, beginning());
    let workers = 1 + shop.random.below(3);
    let mut config = server.config();
    shop.seals = shop.random.chance(60);
    if shop.seals {
        config.live_days = 2 + shop.random.below(40) as u64;
    } else {
        config.live_days = 0;
    }
    let calendar = Calendar::new(meaning.tz());
    let due = |now| calendar.day(now) - Days::new(config.live_days);
    let mut fleet = Fleet::new(server, &config, &meaning, &mut shop, workers).await;
    let length = 50 + shop.random.below(300);
    for _ in 0..length {
        shop.boundary = shop.seals.then(|| due(shop.now));
        shop.happen();
        if shop.random.chance(60) {
            fleet.happen(&mut shop).await;
        }
        if shop.seals && shop.random.chance(2) {
            fleet.drain(&mut shop).await;
            settle(&config, &meaning, shop.now).await;
        }
    }
    shop.repair_all();
    fleet.drain(&mut shop).await;
    // Nothing leaves a generation that has just begun. What comes of a sealed day after its states left, leaves with those of
    // the next day.
    let all_leave = shop.seals && shop.random.chance(50);
    shop.now += if all_leave {
        Duration::days(1)
    } else {
        Duration::minutes(2)
    };
    settle(&config, &meaning, shop.now).await;
    let mut reader = LiveReader::connect(&config, &meaning).await.unwrap();
    let dump = reader.dump().await.unwrap();
    let boundary = dump.boundary();
    assert_eq!(boundary, shop.seals.then(|| due(shop.now)), "seed {seed}");
    let all = recount(&shop, &meaning, None);
    let mut truth = recount(&shop, &meaning, boundary);
    // What the warehouse would write of sealed days.
    let sealed = all
        .figures
        .iter()
        .filter(|(figure, _)| figure.is_sealed(boundary) && figure.is_held(boundary));
    truth
        .figures
        .extend(sealed.map(|(figure, value)| (figure.clone(), *value)));
    let mut settler = LiveSettler::connect(&config).await.unwrap();
    let settled = settler.write(&dump, &all.figures, shop.now).await.unwrap();
    assert_eq!(settled.is_some(), boundary.is_some(), "seed {seed}");
    assert!(!settler.is_due().await.unwrap(), "seed {seed}");
    let dump = reader.dump().await.unwrap();
    assert!(dump.is_settled(), "seed {seed}");
    assert_eq!(
        reader.system(shop.now).await.unwrap().sealed,
        dump.sealed,
        "seed {seed}"
    );
    let mut differences = dump.faults;
    for figure in truth.figures.keys().chain(dump.figures.keys()) {
        let (expected, is) = (truth.figures.get(figure), dump.figures.get(figure));
        if expected != is {
            differences.push(format!("{figure}: expected {expected:?}, is {is:?}"));
        }
    }
    let totals = reader.totals().await.unwrap();
    let window = Window {
        now: shop.now,
        boundary,
    };
    let live = |cells: BTreeMap<Cell, i64>| {
        let mut live: BTreeMap<Cell, i64> = BTreeMap::new();
        for (cell, value) in cells {
            if let Some(cell) = window.booked(cell, calendar) {
                *live.entry(cell).or_default() += value;
            }
        }
        live.retain(|_, value| *value != 0);
        live
    };
    let told = live(recount_cells(&shop, &meaning, shop.now));
    let cells = live(totals.cells);
    for cell in told.keys().chain(cells.keys().filter(|cell| is_told(cell))) {
        let (expected, is) = (told.get(cell), cells.get(cell));
        if expected != is {
            differences.push(format!("{cell:?}: expected {expected:?}, is {is:?}"));
        }
    }
    let mut by_category = BTreeMap::new();
    let is_live = |day| boundary.is_none_or(|boundary| day >= boundary);
    for sale in truth.sales.iter().filter(|sale| is_live(sale.day)) {
        for scope in [Scope::Platform, Scope::Store(sale.store)] {
            let key = (scope, sale.day, sale.category.clone());
            let sums: &mut (i64, i64) = by_category.entry(key).or_default();
            sums.0 += sale.cents;
            sums.1 += sale.units;
        }
    }
    let mut held = totals.categories;
    for sums in [&mut by_category, &mut held] {
        sums.retain(|_, sums| *sums != (0, 0));
    }
    if by_category != held {
        differences.push(format!("categories: expected {by_category:?}, are {held:?}"));
    }
    // Two gaps before the boundary everything has left.
    let kept = kept_orders(server, &dump.generation).await;
    let has_left = |at: Option<i64>| match (crate::oracle::day_of(at, meaning.tz()), boundary) {
        (Some((day, _)), Some(boundary)) => day + Days::new(1) < boundary,
        _ => false,
    };
    for (id, order) in &shop.orders {
        if all_leave && has_left(order.at) && kept.contains(id) {
            differences.push(format!("order {id} of {:?} is still kept", order.at));
        }
    }
    for log in &shop.logs {
        if !dump.checkpoints.contains(&(log.partition.clone(), log.end)) {
            differences.push(format!("{}: the checkpoint is not {}", log.partition, log.end));
        }
    }
    let view = reader.live(shop.now).await.unwrap();
    compare_view(&view, &truth, calendar, shop.now, &mut differences);
    compare_projections(server, &config, &meaning, &truth, shop.now, &mut differences).await;
    differences.sort();
    differences.dedup();
    (differences, fleet.met)
}

/// Ids of the orders that have a state.
async fn kept_orders(server: &Server, generation: &str) -> BTreeSet<i64> {
    let mut admin = server.admin().await;
    let keys: Vec<String> = redis::cmd("KEYS")
        .arg(format!("live:{generation}:st:order:*"))
        .query_async(&mut admin)
        .await
        .unwrap();
    let mut kept = BTreeSet::new();
    for key in keys {
        let ids: Vec<i64> = redis::cmd("HKEYS")
            .arg(key)
            .query_async(&mut admin)
            .await
            .unwrap();
        kept.extend(ids);
    }
    kept
}

/// Lets the background work end: orders in another currency than they were, and days that are to be sealed.
async fn settle(config: &Redis, meaning: &Meaning, now: DateTime<Utc>) {
    let worker = WorkerHealth {
        worker: "w1".into(),
        seen_at: now,
        ..WorkerHealth::default()
    };
    let bulletin = Bulletin {
        worker: &worker,
        rebuild: None,
        watched: Some(Watched {
            sources: &[],
            brokers: None,
        }),
    };
    let mut publisher = LivePublisher::new(config, meaning);
    let mut reader = LiveReader::connect(config, meaning).await.unwrap();
    for _ in 0..100 {
        publisher.publish(&bulletin, now).await.unwrap();
        let dump = reader.dump().await.unwrap();
        let is_young = dump
            .created_at
            .is_some_and(|created| now - created < Duration::minutes(1));
        let has_left = dump.sealed.is_none_or(|sealed| sealed.has_left);
        if dump.repricing == 0 && (has_left || is_young) {
            return;
        }
    }
    panic!("products stay marked, or sealed days stay");
}

/// What readers that already exist would see, against the recount.
async fn compare_projections(
    server: &Server,
    config: &Redis,
    meaning: &Meaning,
    truth: &Recount,
    now: DateTime<Utc>,
    differences: &mut Vec<String>,
) {
    let worker = WorkerHealth::default();
    let bulletin = Bulletin {
        worker: &worker,
        rebuild: None,
        watched: Some(Watched {
            sources: &[],
            brokers: None,
        }),
    };
    let mut publisher = LivePublisher::new(config, meaning);
    publisher.publish(&bulletin, now).await.unwrap();
    let mut admin = server.admin().await;
    let read = async |admin: &mut redis::aio::MultiplexedConnection, key: &str| -> serde_json::Value {
        let text: String = redis::cmd("GET").arg(key).query_async(admin).await.unwrap();
        serde_json::from_str(&text).unwrap()
    };
    let day = Calendar::new(meaning.tz()).day(now);
    let (buyers, products) = (truth.buyers_by_category(day), truth.products_by_category(day));
    let mut names: Vec<&str> = truth.sales.iter().map(|sale| sale.category.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    let expected: Vec<_> = names
        .into_iter()
        .map(|name| {
            let sales = || truth.sales.iter().filter(|sale| sale.category == name);
            serde_json::json!({
                "category": name,
                "product_sales": sales().map(|sale| sale.units).sum::<i64>(),
                "category_revenue": money(sales().map(|sale| sale.cents).sum()),
                "unique_products": products.get(name).copied().unwrap_or(0),
                "unique_customers": buyers.get(name).copied().unwrap_or(0),
            })
        })
        .collect();
    let is = read(&mut admin, "cdc_spark_metrics:products").await;
    if serde_json::Value::Array(expected.clone()) != is {
        differences.push(format!("projected products: expected {expected:?}, is {is}"));
    }
    let is = read(&mut admin, "cdc_spark_metrics:transactions").await;
    let amounts = truth.amounts.get(&day);
    for (name, expected) in [
        (
            "max_transaction",
            amounts.and_then(|amounts| amounts.iter().max()),
        ),
        (
            "min_transaction",
            amounts.and_then(|amounts| amounts.iter().min()),
        ),
    ] {
        let expected = expected.map_or(serde_json::Value::Null, |cents| money(*cents));
        if is[name] != expected {
            differences.push(format!("projected {name}: expected {expected}, is {}", is[name]));
        }
    }
}

/// Cents as the projections write them.
fn money(cents: i64) -> serde_json::Value {
    serde_json::from_str(&instashop_core::money::decimal_text(cents)).unwrap()
}

/// What the Live tab would show, against the recount.
fn compare_view(
    view: &LiveView,
    truth: &Recount,
    calendar: Calendar,
    now: DateTime<Utc>,
    differences: &mut Vec<String>,
) {
    let day = calendar.day(now);
    let mut check = |what: String, expected: String, is: String| {
        if expected != is {
            differences.push(format!("{what}: expected {expected}, is {is}"));
        }
    };
    let (start, end) = (calendar.start(day), calendar.end(day));
    check(
        "today".into(),
        format!("{:?}", truth.between(start, end)),
        format!("{:?}", view.today),
    );
    assert_eq!((view.minutes.len(), view.half_minutes.len()), (60, 20));
    for (points, length) in [
        (&view.minutes, Duration::minutes(1)),
        (&view.half_minutes, Duration::seconds(30)),
        (&view.hours, Duration::hours(1)),
    ] {
        assert!(
            points
                .last()
                .is_some_and(|point| point.start <= now && now < point.start + length)
        );
        for point in points {
            check(
                format!("{length} from {}", point.start),
                format!("{:?}", truth.between(point.start, point.start + length)),
                format!("{:?}", point.totals),
            );
        }
    }
    let best: Vec<_> = view
        .products
        .iter()
        .map(|product| (product.product_id, product.revenue_cents, product.units))
        .collect();
    check(
        "best products".into(),
        format!("{:?}", truth.best(day)),
        format!("{best:?}"),
    );
    let mut categories: BTreeMap<&str, i64> = BTreeMap::new();
    for sale in truth.sales.iter().filter(|sale| sale.day == day) {
        *categories.entry(&sale.category).or_default() += sale.cents;
    }
    let shown: BTreeMap<&str, i64> = view
        .categories
        .iter()
        .map(|category| (category.category.as_str(), category.revenue_cents))
        .collect();
    check(
        "categories".into(),
        format!("{categories:?}"),
        format!("{shown:?}"),
    );
}

#[tokio::test]
async fn every_history_ends_in_the_recount() {
    let server = Server::start(&[]).await;
    let first = number("INSTASHOP_SEED", 1);
    let count = number("INSTASHOP_HISTORIES", 100);
    let mut all = Met::default();
    for seed in first..first + count {
        let (differences, met) = history(&server, seed).await;
        assert!(
            differences.is_empty(),
            "seed {seed}: {} differences\n{}",
            differences.len(),
            differences.join("\n")
        );
        all.conflicts += met.conflicts;
        all.duplicates += met.duplicates;
        all.fenced += met.fenced;
        all.behind += met.behind;
        all.empty += met.empty;
        all.late += met.late;
    }
    // Histories that do not meet the hard cases prove nothing.
    assert!(
        count < 50
            || all.late > 0
                && [all.conflicts, all.duplicates, all.fenced, all.behind, all.empty]
                    .iter()
                    .all(|n| *n > 0),
        "{all:?}"
    );
}
