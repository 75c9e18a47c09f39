//! The daily run: asked for, carried out, interrupted, repeated; partitions made ahead and dropped.

use chrono::NaiveDate;
use instashop_core::change::Op;
use instashop_core::table::Table;
use instashop_store::warehouse::{EtlRuns, MartRefresher, RunState, Step};

use super::cluster::Database;
use super::shop::{Worker, customer, line, now, order_at, partition, product, put};

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

#[tokio::test]
async fn a_run_is_asked_for_once_and_an_interrupted_one_again() {
    let database = Database::ready().await;
    let runs = EtlRuns::connect(&database.config).await.unwrap();
    assert_eq!(runs.next(now()).await.unwrap(), None);
    assert_eq!(runs.last_done().await.unwrap(), None);
    let first = runs.request(day("2026-03-08"), now()).await.unwrap();
    assert_eq!(
        runs.request(day("2026-03-08"), now()).await.unwrap(),
        first,
        "it waits already"
    );
    let second = runs.request(day("2026-03-09"), now()).await.unwrap();
    assert_ne!(first, second);

    let next = runs.next(now()).await.unwrap().unwrap();
    assert_eq!((next.id, next.state), (first, RunState::Waiting));
    runs.begin(first, now()).await.unwrap();
    // Whoever takes the lock next finds it under way and nobody at it.
    let next = runs.next(now()).await.unwrap().unwrap();
    assert_eq!(next.id, second, "the oldest that waits");
    let left = runs.run(first).await.unwrap().unwrap();
    assert_eq!(left.state, RunState::Failed);
    assert!(left.error.unwrap().contains("interrupted"));
    runs.begin(second, now()).await.unwrap();
    runs.end(second, None, now()).await.unwrap();
    let again = runs.next(now()).await.unwrap().unwrap();
    assert_eq!((again.day, again.state), (day("2026-03-08"), RunState::Waiting));
    assert_eq!(runs.last_done().await.unwrap(), Some(day("2026-03-09")));
    assert_eq!(runs.newest(10).await.unwrap().len(), 3);
}

/// A day that is over is run once all of it is in the warehouse, not while a first snapshot or a backlog comes in.
#[tokio::test]
async fn a_day_is_settled_when_every_source_was_heard_of_and_nothing_waits() {
    let database = Database::ready().await;
    let runs = EtlRuns::connect(&database.config).await.unwrap();
    let midnight = "2026-03-10T00:00:00Z".parse().unwrap();
    let heartbeat = |topic: &str, hwm: &str| {
        format!(
            "INSERT INTO ops.offsets (flow, topic, partition, epoch, owner, next_offset, source_hwm, assigned_at, updated_at)
             VALUES ('warehouse', '__debezium-heartbeat.{topic}', 0, 1, 'a', 5, '{hwm}', now(), now())
             ON CONFLICT (flow, topic, partition) DO UPDATE SET source_hwm = excluded.source_hwm"
        )
    };
    let worker = |state: &str, end: i64, seen: &str| {
        format!(
            r#"INSERT INTO ops.health VALUES ('worker', 'a', '{seen}', '{{"state": "{state}", "partitions": [{{"checkpoint": 10, "end": {end}}}]}}')
               ON CONFLICT (kind, name) DO UPDATE SET body = excluded.body, seen_at = excluded.seen_at"#
        )
    };
    let (late, fresh) = ("2026-03-09 23:59:59+00", "2026-03-10 00:00:01+00");
    let seen = "2026-03-10 11:59:55+00";
    let marks = "INSERT INTO ops.dirty_keys SELECT 'transaction', i FROM generate_series(1, 2000) i";
    for (what, statement, settled) in [
        ("nothing is known", "SELECT".to_owned(), false),
        ("one source is quiet", heartbeat("crm", fresh), false),
        ("no worker", heartbeat("erp", late), false),
        (
            "a worker, but one source was not heard of",
            worker("running", 10, seen),
            false,
        ),
        ("all are there", heartbeat("erp", fresh), true),
        ("a first snapshot comes in", worker("rebuilding", 10, seen), false),
        ("a backlog", worker("running", 100_000, seen), false),
        (
            "a worker that is gone",
            worker("running", 10, "2026-03-10 11:00:00+00"),
            false,
        ),
        ("back again", worker("running", 12, seen), true),
        ("marks wait", marks.to_owned(), false),
    ] {
        database.run(&statement).await;
        assert_eq!(runs.is_settled(midnight, now()).await.unwrap(), settled, "{what}");
    }
}

#[tokio::test]
async fn partitions_are_made_ahead_and_dropped_after_their_time() {
    let database = Database::ready().await;
    let runs = EtlRuns::connect(&database.config).await.unwrap();
    let days: Vec<NaiveDate> = day("2026-03-10").iter_days().take(8).collect();
    let old: Vec<NaiveDate> = day("2024-02-27").iter_days().take(3).collect();
    let keep_all = day("2000-01-01");
    assert_eq!(runs.partitions(&old, keep_all).await.unwrap(), (3, 0));
    assert_eq!(runs.partitions(&days, keep_all).await.unwrap(), (8, 0));
    assert_eq!(runs.partitions(&days, day("2024-02-29")).await.unwrap(), (0, 2));
    let left = database
        .list("SELECT c.relname::text FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = 'raw.realtime_events'::regclass ORDER BY 1")
        .await;
    assert_eq!(left.len(), 1 + 8 + 1, "{left:?}");
    assert!(
        left.contains(&"realtime_events_20240229".to_owned())
            && left.contains(&"realtime_events_default".to_owned())
    );
}

/// Everything the daily run writes for a day, without the moment of it.
async fn written(database: &Database) -> Vec<String> {
    let mut all = Vec::new();
    for table in [
        "kpi_daily",
        "data_quality",
        "store_summaries",
        "anomalies",
        "daily_metrics",
        "funnel",
        "product_metrics",
    ] {
        all.extend(
            database
                .list(&format!(
                    "SELECT '{table} ' || t::text FROM marts.{table} t ORDER BY 1"
                ))
                .await,
        );
    }
    all
}

#[tokio::test]
async fn a_day_run_twice_ends_in_the_same_rows_and_what_was_overlooked_is_put_right() {
    let database = Database::ready().await;
    database
        .run("UPDATE ref.setting SET tz = 'UTC', now_override = '2026-03-10 12:00+00'")
        .await;
    let mut worker = Worker::start(database.sink("a"), partition("transaction", 0)).await;
    let mut records = vec![
        put(Table::Customer, Op::Create, 1, customer(3, "Store", "Pro")),
        put(Table::Product, Op::Create, 2, product(1, "Kite", "Toys")),
    ];
    // Ten weeks of ten orders a day, and one day with sixty.
    let mut key = 0;
    let first = day("2026-01-01");
    for today in first.iter_days().take_while(|today| *today <= day("2026-03-09")) {
        let orders = if today == day("2026-03-09") { 60 } else { 10 };
        for _ in 0..orders {
            key += 1;
            let lsn = 10 + key as u64;
            let at = format!("{today}T10:00:00");
            records.push(put(
                Table::Transaction,
                Op::Create,
                lsn,
                order_at(key, "10.00", "completed", &at),
            ));
            records.push(put(
                Table::TransactionDetail,
                Op::Create,
                lsn,
                line(key, key, 1, 1, "10.00"),
            ));
        }
    }
    worker.apply(records).await;
    let mut refresher = MartRefresher::connect(&database.config).await.unwrap().unwrap();
    while refresher.refresh(now()).await.unwrap().is_some() {}

    let run = async |refresher: &mut MartRefresher| {
        let mut repaired = 0;
        for step in Step::ALL {
            repaired += refresher
                .step(step, day("2026-03-09"), now())
                .await
                .unwrap()
                .repaired;
        }
        repaired
    };
    assert_eq!(run(&mut refresher).await, 0);
    let once = written(&database).await;
    assert_eq!(run(&mut refresher).await, 0);
    assert_eq!(written(&database).await, once);

    let anomalies = database
        .list("SELECT store_id || ' ' || metric || ' ' || value || ' ' || round(usual) FROM marts.anomalies ORDER BY 1")
        .await;
    assert_eq!(
        anomalies,
        [
            "0 orders 60 10",
            "0 revenue_today 600.00 100",
            "3 orders 60 10",
            "3 revenue_today 600.00 100"
        ]
    );
    let summary: String = database
        .value("SELECT body ->> 'revenue' || ' after ' || (body ->> 'revenue_same_weekday') || ', best ' || (body #>> '{top_products,0,name}') FROM marts.store_summaries")
        .await;
    assert_eq!(summary, "600.00 after 100.00, best Kite");

    database
        .run(
            "UPDATE marts.daily_metrics SET orders = 61 WHERE store_id = 3 AND day = '2026-03-09';
              DELETE FROM marts.product_metrics WHERE day = '2026-03-09'",
        )
        .await;
    assert_eq!(run(&mut refresher).await, 2);
    assert_eq!(written(&database).await, once);
}
