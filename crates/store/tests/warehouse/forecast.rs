//! The forecast that the daily run stores: the forecaster's answer to series recounted by plain SQL over the rows of the
//! sources, with the days out of stock left out.

use std::collections::BTreeMap;

use chrono::{DateTime, Days, NaiveDate, Utc};
use instashop_core::catalogue::Metric;
use instashop_core::change::{Op, Record};
use instashop_core::config::Meaning;
use instashop_core::forecast::{self, Method, Supply};
use instashop_core::table::Table;
use instashop_core::view::{Ask, Basis, BoardView, Range, Topic};
use instashop_store::warehouse::{MartRefresher, Plan, Question, Step, WarehouseReader};

use super::cluster::Database;
use super::shop::{Worker, change, customer, line, now, order_at, partition, product, put, row};

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

/// The last complete day: it is noon of the tenth of March.
const LAST: &str = "2026-03-09";

async fn clock(database: &Database) {
    database
        .run("UPDATE ref.setting SET tz = 'UTC', now_override = '2026-03-10 12:00+00'")
        .await;
}

/// A change of a stock row at a moment: key, product, units, reorder point, place.
fn stock(key: i64, op: Op, at: &str, [product, units, reorder]: [i64; 3]) -> Record {
    let at: DateTime<Utc> = at.parse().unwrap();
    let [id, product, units, reorder] = [key, product, units, reorder].map(|number| number.to_string());
    let place = format!("W{key}");
    let after = row(Table::Stock, &[&id, &product, &units, &reorder, &place]);
    let lsn = u64::try_from(at.timestamp()).unwrap();
    let mut change = change(Table::Stock, key, op, lsn, Some(after));
    change.committed_at = at;
    Record::Change(Box::new(change))
}

fn movement(key: i64, product: i64, at: &str, kind: &str, units: i64) -> Record {
    let [id, product, units] = [key, product, units].map(|number| number.to_string());
    let row = row(
        Table::InventoryMovement,
        &[&id, &product, at, kind, &units, "sale"],
    );
    put(Table::InventoryMovement, Op::Create, 20 + key as u64, row)
}

/// Units of each product on each day: a weekly shape with growth, now and then one, a few days, one that is out of stock.
fn demand(product: i64, index: i64) -> i64 {
    let noise = index * index * 7919 % 7;
    match product {
        1 => [4, 4, 5, 6, 8, 11, 7][index as usize % 7] + index / 12 + noise / 3,
        2 => i64::from(noise == 4) * (1 + index % 3),
        3 => i64::from(index >= 110) * (2 + noise),
        _ => 3 + noise,
    }
}

async fn shop(database: &Database) -> MartRefresher {
    clock(database).await;
    let mut worker = Worker::start(database.sink("a"), partition("transaction", 0)).await;
    let mut records = vec![put(Table::Customer, Op::Create, 1, customer(3, "Store", "Pro"))];
    for (key, category) in [
        (1, "Toys"),
        (2, "Toys"),
        (3, "Home\t\\ Garden"),
        (4, "Home\t\\ Garden"),
        (5, "Toys"),
    ] {
        records.push(put(
            Table::Product,
            Op::Create,
            2,
            product(key, &format!("p{key}"), category),
        ));
    }
    let first = day(LAST).checked_sub_days(Days::new(119)).unwrap();
    let mut key = 0;
    for (today, index) in first.iter_days().zip(0..120) {
        for product in 1..=4 {
            let units = demand(product, index);
            if units == 0 {
                continue;
            }
            key += 1;
            let lsn = 10 + key as u64;
            // Sales only: what failed was not taken from the shelf.
            let status = if key % 17 == 0 { "failed" } else { "completed" };
            let at = format!("{today}T10:00:00");
            records.push(put(
                Table::Transaction,
                Op::Create,
                lsn,
                order_at(key, "10.00", status, &at),
            ));
            records.push(put(
                Table::TransactionDetail,
                Op::Create,
                lsn,
                line(key, key, product, units, "10.00"),
            ));
        }
    }
    // The fourth product had nothing from the first to the third of February, and thirty are left.
    records.push(stock(1, Op::Read, "2026-01-01T00:00:00Z", [4, 90, 25]));
    records.push(stock(1, Op::Update, "2026-02-01T02:00:00Z", [4, 0, 25]));
    records.push(stock(1, Op::Update, "2026-02-03T20:00:00Z", [4, 30, 25]));
    records.push(stock(2, Op::Read, "2026-01-01T00:00:00Z", [1, 70, 40]));
    records.push(stock(3, Op::Read, "2026-01-01T00:00:00Z", [1, 5, 10]));
    worker.apply(records).await;
    let mut refresher = MartRefresher::connect(&database.config).await.unwrap().unwrap();
    while refresher.refresh(now()).await.unwrap().is_some() {}
    refresher
}

/// Series by product or category from the rows of the sources, in plain SQL.
async fn recounted(database: &Database, key: &str) -> BTreeMap<String, Vec<Option<f64>>> {
    let rows = database
        .client
        .query(
            &format!(
                "SELECT {key}::text, t.transaction_date::date, sum(d.quantity)::bigint
                 FROM staging.transactiondetail d
                 JOIN staging.transaction t ON t.transaction_id = d.transaction_id
                 JOIN staging.product p ON p.product_id = d.product_id
                 WHERE t.status = 'completed' GROUP BY 1, 2 ORDER BY 1, 2"
            ),
            &[],
        )
        .await
        .unwrap();
    let mut sold: BTreeMap<String, BTreeMap<NaiveDate, i64>> = BTreeMap::new();
    for row in &rows {
        sold.entry(row.get(0)).or_default().insert(row.get(1), row.get(2));
    }
    sold.into_iter()
        .map(|(key, days)| {
            let first = *days.keys().next().unwrap();
            let known = first.iter_days().take_while(|today| *today <= day(LAST));
            let units = known.map(|today| Some(days.get(&today).copied().unwrap_or(0) as f64));
            (key, units.collect())
        })
        .collect()
}

#[tokio::test]
async fn what_is_stored_is_the_forecaster_on_recounted_series() {
    let database = Database::ready().await;
    let mut refresher = shop(&database).await;
    let done = refresher.step(Step::Forecast, day(LAST), now()).await.unwrap();
    // Four products with sales and two categories; the fifth was never sold.
    assert_eq!((done.rows, done.repaired), (6, 0));

    let mut products = recounted(&database, "p.product_id").await;
    let fourth = products.get_mut("4").unwrap();
    let first = day(LAST)
        .checked_sub_days(Days::new(fourth.len() as u64 - 1))
        .unwrap();
    for out in ["2026-02-01", "2026-02-02", "2026-02-03"] {
        fourth[day(out).signed_duration_since(first).num_days() as usize] = None;
    }
    let mut methods = Vec::new();
    for (key, sql) in [
        (products, "product_id::text"),
        (
            recounted(&database, "p.category").await,
            "CASE WHEN product_id IS NULL THEN category END",
        ),
    ] {
        for (name, units) in key {
            let made = forecast::forecast(&units).unwrap();
            let stored = database
                .client
                .query_one(
                    &format!(
                        "SELECT method, days, days_known, units_14::text, high_80_14::text, units_28::text, error::text, baseline_error::text,
                           wape::text, until[28]::float8, until_high_80[14]::float8, last_day
                         FROM marts.demand_forecast WHERE {sql} = $1"
                    ),
                    &[&name],
                )
                .await
                .unwrap_or_else(|error| panic!("{name}: {error}"));
            let text = |index: usize| stored.get::<_, Option<String>>(index);
            let accuracy = |method: Method| made.accuracy(method).copied();
            let high = made.until[13].within_80.map(|interval| interval.high);
            assert_eq!(
                (
                    stored.get::<_, &str>(0),
                    stored.get::<_, i32>(1),
                    stored.get::<_, i32>(2)
                ),
                (made.method.name(), made.days.0 as i32, made.days.1 as i32),
                "{name}"
            );
            assert_eq!(text(3), Some(format!("{:.2}", made.units_until(14))), "{name}");
            assert_eq!(text(4), high.map(|high| format!("{high:.2}")), "{name}");
            assert_eq!(text(5), Some(format!("{:.2}", made.units_until(28))), "{name}");
            assert_eq!(
                text(6),
                accuracy(made.method).map(|of| format!("{:.4}", of.error)),
                "{name}"
            );
            assert_eq!(
                text(7),
                accuracy(Method::SeasonalNaive).map(|of| format!("{:.4}", of.error)),
                "{name}"
            );
            assert_eq!(
                text(8),
                accuracy(made.method)
                    .and_then(|of| of.wape)
                    .map(|wape| format!("{wape:.4}")),
                "{name}"
            );
            assert!(
                (stored.get::<_, f64>(9) - made.units_until(28)).abs() < 0.02,
                "{name}"
            );
            assert_eq!(
                stored.get::<_, Option<f64>>(10).is_some(),
                high.is_some(),
                "{name}"
            );
            assert_eq!(stored.get::<_, NaiveDate>(11), day(LAST));
            methods.push(made.method);
        }
    }
    assert!(methods.contains(&Method::Mean), "one has ten days: {methods:?}");
    assert!(
        methods.iter().any(|method| *method > Method::SeasonalNaive),
        "{methods:?}"
    );

    // What is there, and when it goes.
    let mut fourth = recounted(&database, "p.product_id").await.remove("4").unwrap();
    let first = fourth.len() - 37;
    for out in &mut fourth[first..first + 3] {
        *out = None;
    }
    let supply = Supply::new(&forecast::forecast(&fourth).unwrap(), 30);
    let expected = day(LAST).checked_add_days(Days::new(supply.used_up.unwrap() as u64));
    let stored = database
        .client
        .query_one(
            "SELECT available, used_up_day, reorder_point, own_reorder_point FROM marts.demand_forecast WHERE product_id = 4",
            &[],
        )
        .await
        .unwrap();
    assert_eq!(
        (stored.get(0), stored.get(1), stored.get(2), stored.get(3)),
        (Some(30_i64), expected, supply.reorder_point, Some(25_i64))
    );
    let both: String = database
        .value("SELECT available || ' ' || own_reorder_point FROM marts.demand_forecast WHERE product_id = 1")
        .await;
    assert_eq!(both, "75 50", "all warehouses together");
}

#[tokio::test]
async fn a_run_again_ends_in_the_same_rows_and_an_older_day_leaves_them() {
    let database = Database::ready().await;
    let mut refresher = shop(&database).await;
    let all = "SELECT t::text FROM marts.demand_forecast t ORDER BY 1";
    refresher.step(Step::Forecast, day(LAST), now()).await.unwrap();
    let once = database.list(all).await;
    for (run, rows) in [(LAST, 6), ("2026-03-08", 0), ("2026-03-10", 0), (LAST, 6)] {
        let done = refresher.step(Step::Forecast, day(run), now()).await.unwrap();
        assert_eq!(done.rows, rows, "{run}");
        assert_eq!(database.list(all).await, once, "{run}");
    }
    // A product that is gone is not forecast any more.
    database
        .run("UPDATE staging.product SET _deleted = true WHERE product_id = 2")
        .await;
    refresher.step(Step::Forecast, day(LAST), now()).await.unwrap();
    assert_eq!(database.list(all).await.len(), 5);
}

#[tokio::test]
async fn the_metric_is_answered_for_the_platform_and_for_a_store() {
    let database = Database::ready().await;
    let mut refresher = shop(&database).await;
    refresher.step(Step::Forecast, day(LAST), now()).await.unwrap();
    let mut reader = WarehouseReader::connect(&database.config, &Meaning::default())
        .await
        .unwrap();
    let mut rows = async |store: Option<i64>| {
        let question = Question {
            store,
            days: None,
            each_day: false,
        };
        let plan = Plan::new(Metric::by_id("demand_forecast").unwrap(), question).unwrap();
        reader.metric(&plan).await.unwrap().rows
    };
    assert_eq!(rows(None).await.len(), 12);
    let of_store = rows(Some(3)).await;
    assert_eq!(of_store.len(), 8);
    assert_eq!(
        of_store[0].keys,
        [Some("1".into()), Some("Toys".into()), Some("14".into())]
    );
    assert!(rows(Some(4)).await.is_empty());
}

#[tokio::test]
async fn days_out_of_stock_follow_from_levels_and_before_them_from_movements() {
    let database = Database::ready().await;
    clock(&database).await;
    let mut worker = Worker::start(database.sink("a"), partition("stock", 0)).await;
    let start = "2026-03-01T00:00:00Z";
    worker
        .apply(vec![
            // Out from the third at 06:00 to the fifth at 18:00; on the seventh for six hours; since yesterday at noon.
            stock(1, Op::Read, start, [1, 5, 1]),
            stock(1, Op::Update, "2026-03-03T06:00:00Z", [1, 0, 1]),
            stock(1, Op::Update, "2026-03-05T18:00:00Z", [1, 9, 1]),
            stock(1, Op::Update, "2026-03-07T06:00:00Z", [1, 0, 1]),
            stock(1, Op::Update, "2026-03-07T12:00:00Z", [1, 9, 1]),
            stock(1, Op::Update, "2026-03-09T12:00:00Z", [1, -1, 1]),
            // Two warehouses: out where both are.
            stock(2, Op::Read, start, [2, 5, 1]),
            stock(3, Op::Read, start, [2, 0, 1]),
            stock(2, Op::Update, "2026-03-04T00:00:00Z", [2, 0, 1]),
            stock(3, Op::Update, "2026-03-05T00:00:00Z", [2, 7, 1]),
            // Before capture: eight came on the twentieth of February at noon, after the last had gone on the tenth.
            stock(4, Op::Read, start, [3, 5, 1]),
            movement(1, 3, "2026-02-01T08:00:00", "in", 4),
            movement(2, 3, "2026-02-10T08:00:00", "out", 4),
            movement(3, 3, "2026-02-20T12:00:00", " IN ", 8),
            movement(4, 3, "2026-02-25T12:00:00", "out", 3),
            // After capture began the levels are known, whatever moved.
            movement(5, 3, "2026-03-02T12:00:00", "out", 50),
            // Nothing is known of the time before a row that was made later.
            stock(5, Op::Create, "2026-03-06T00:00:00Z", [4, 5, 1]),
        ])
        .await;
    let days = database
        .list("SELECT product_id || ' ' || day FROM core.stock_out_days ORDER BY 1")
        .await;
    let mut expected: Vec<String> = Vec::new();
    for today in ["2026-03-03", "2026-03-04", "2026-03-05", "2026-03-09"] {
        expected.push(format!("1 {today}"));
    }
    expected.push("2 2026-03-04".into());
    expected.extend((10..=20).map(|today| format!("3 2026-02-{today}")));
    // Today has half a day so far.
    expected.insert(4, "1 2026-03-10".into());
    assert_eq!(days, expected);
}

#[tokio::test]
async fn levels_that_nobody_keeps_take_no_day_away() {
    let database = Database::ready().await;
    let mut refresher = shop(&database).await;
    let mut worker = Worker::start(database.sink("b"), partition("stock", 0)).await;
    // The first product is said to have had nothing since ever, and sells every day.
    worker
        .apply(vec![
            stock(7, Op::Read, "2026-01-01T00:00:00Z", [1, 0, 1]),
            stock(2, Op::Update, "2026-03-08T00:00:00Z", [1, 0, 40]),
            stock(3, Op::Update, "2026-03-08T00:00:00Z", [1, 0, 10]),
        ])
        .await;
    refresher.step(Step::Forecast, day(LAST), now()).await.unwrap();
    let known: String = database
        .value("SELECT days || ' ' || days_known FROM marts.demand_forecast WHERE product_id = 1")
        .await;
    // Two days of many are believed to be out.
    assert_eq!(known, "120 118");
    database
        .run("UPDATE history.stock_level SET available_quantity = 0 WHERE product_id = 1")
        .await;
    refresher.step(Step::Forecast, day(LAST), now()).await.unwrap();
    let known: String = database
        .value("SELECT days || ' ' || days_known FROM marts.demand_forecast WHERE product_id = 1")
        .await;
    assert_eq!(known, "120 120");
}

#[tokio::test]
async fn the_inventory_tab_reads_a_row_s_share_from_today_on() {
    let database = Database::ready().await;
    let mut refresher = shop(&database).await;
    let ask = Ask {
        range: Range::Days(7),
        basis: Basis::Previous,
        store: None,
    };
    let mut reader = WarehouseReader::connect(&database.config, &Meaning::default())
        .await
        .unwrap();
    let mut rows = async || {
        let board = reader.board(Topic::Inventory, ask, now()).await.unwrap();
        let BoardView::Inventory(view) = board.view else {
            panic!()
        };
        let of = |product: i64| view.rows.iter().filter(move |row| row.product_id == product);
        let shares: Vec<_> = of(1).map(|row| (row.stock_id, row.forecast.clone())).collect();
        let alone = of(4).next().unwrap().forecast.clone();
        (shares, alone)
    };
    assert_eq!(rows().await.1, None, "nothing was forecast yet");

    refresher.step(Step::Forecast, day(LAST), now()).await.unwrap();
    let made = |product: &str, recounted: &BTreeMap<String, Vec<Option<f64>>>| {
        forecast::forecast(&recounted[product]).unwrap()
    };
    let recounted = recounted(&database, "p.product_id").await;
    let (shares, alone) = rows().await;
    let whole = made("1", &recounted);
    let sum: i64 = shares
        .iter()
        .map(|(_, forecast)| forecast.as_ref().unwrap().until_milli[27])
        .sum();
    assert!(
        (sum as f64 / 1000.0 - whole.units_until(28)).abs() < 0.05,
        "{sum}"
    );
    let large = shares
        .iter()
        .find(|(stock, _)| *stock == 2)
        .unwrap()
        .1
        .as_ref()
        .unwrap();
    let part = large.until_milli[27] as f64 / 1000.0 / whole.units_until(28);
    assert!((part - 70.0 / 75.0).abs() < 0.001, "by what they hold: {part}");
    assert!(large.within_milli[13].is_some() && large.reorder.is_some());
    let (error, week) = large.errors_milli.unwrap();
    assert_eq!(
        error <= week,
        whole.accuracy(whole.method).unwrap().error <= whole.accuracy(Method::SeasonalNaive).unwrap().error
    );

    // A day later what was expected of that day is over.
    let today = alone.unwrap();
    database
        .run("UPDATE marts.demand_forecast SET last_day = last_day - 1")
        .await;
    let later = rows().await.1.unwrap();
    assert_eq!(later.until_milli.len(), 27);
    let over = today.until_milli[0];
    assert!(
        (later.until_milli[0] - (today.until_milli[1] - over)).abs() <= 1,
        "{later:?}"
    );
    database
        .run("UPDATE marts.demand_forecast SET last_day = last_day - 40")
        .await;
    assert_eq!(rows().await.1, None, "too old to say anything");
}
