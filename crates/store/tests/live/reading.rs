//! What the dashboard fetches from Redis each second: how often it asks, how much comes back, and that it is right.

use chrono::{DateTime, Duration, Utc};
use instashop_core::change::{Moment, Record, Value};
use instashop_core::config::Meaning;
use instashop_core::live::metrics;
use instashop_core::table::Table;
use instashop_core::view::LiveAsk;
use instashop_store::live::{LiveReader, LiveSink};
use redis::aio::MultiplexedConnection;
use rust_decimal::Decimal;

use crate::changes::{Desk, change, line, noon, product};
use crate::server::Server;

const TOPICS: [&str; 4] = ["transaction", "transactiondetail", "product", "userbehavior"];
const METHODS: [&str; 5] = ["wire", "card", "paypal", "wallet", "cash"];

fn sale(key: i64, at: DateTime<Utc>, buyer: i64) -> Record {
    change(
        Table::Transaction,
        key,
        key as u64,
        Some(&[
            ("buyer_id", Value::Int(buyer)),
            ("customer_id", Value::Int(2)),
            (
                "transaction_date",
                Value::Timestamp(Moment::Micros(at.timestamp_micros())),
            ),
            ("total_amount", Value::Decimal(Decimal::new(1_234, 2))),
            ("payment_method", Value::Text(METHODS[(key % 5) as usize].into())),
            ("status", Value::Text("completed".into())),
        ]),
    )
}

fn event(key: i64, at: DateTime<Utc>, kind: &str, buyer: i64) -> Record {
    change(
        Table::UserBehavior,
        key,
        key as u64,
        Some(&[
            ("event_type", Value::Text(kind.into())),
            ("session_id", Value::Text(format!("s{buyer}"))),
            ("customer_id", Value::Int(2)),
            (
                "timestamp",
                Value::Timestamp(Moment::Micros(at.timestamp_micros())),
            ),
            ("metadata", Value::Json(format!("{{\"buyer_id\": {buyer}}}"))),
        ]),
    )
}

async fn apply(desk: &mut Desk, topic: &str, records: Vec<Record>) {
    let mut records = records.into_iter();
    loop {
        let batch: Vec<_> = records.by_ref().take(400).collect();
        if batch.is_empty() {
            return;
        }
        desk.apply(topic, batch).await;
    }
}

/// A shop with a history, sales of the last hour, and a busy last quarter of an hour.
async fn shop(desk: &mut Desk, days: i64, events: i64) {
    let goods = (1..=40).map(|key| product(key, key as u64, ["Home", "Toys", "Books"][(key % 3) as usize]));
    apply(desk, "product", goods.collect()).await;
    let old = (1..=days).map(|day| sale(day, noon() - Duration::days(day), day));
    let new = (0..180).map(|order| sale(1_000 + order, noon() - Duration::seconds(order * 20), order % 90));
    apply(desk, "transaction", old.chain(new).collect()).await;
    let lines = (0..180).map(|order| line(order + 1, order as u64 + 1, 1_000 + order, 1 + order % 40));
    apply(desk, "transactiondetail", lines.collect()).await;
    let kinds = [
        "page_view",
        "product_view",
        "search",
        "add_to_cart",
        "page_view",
        "begin_checkout",
    ];
    let events = (0..events).map(|key| {
        let at = noon() - Duration::microseconds(900_000_000 / events * key);
        event(key + 1, at, kinds[(key % 6) as usize], key % 700)
    });
    apply(desk, "userbehavior", events.collect()).await;
}

/// Bytes Redis sent, and requests it read, since it started.
async fn spent(connection: &mut MultiplexedConnection) -> (i64, i64) {
    let text: String = redis::cmd("INFO")
        .arg("stats")
        .query_async(connection)
        .await
        .unwrap();
    let field = |name: &str| {
        let found = text
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        found.unwrap().trim().parse().unwrap()
    };
    (field("total_net_output_bytes"), field("total_reads_processed"))
}

/// Bytes and requests of one reading, once it has warmed up.
async fn cost(server: &Server, days: i64, events: i64) -> (i64, i64) {
    let mut desk = Desk::open(LiveSink::new(&server.config(), &Meaning::default()), &TOPICS).await;
    shop(&mut desk, days, events).await;
    let mut reader = LiveReader::connect(&server.config(), &Meaning::default())
        .await
        .unwrap();
    reader.want(LiveAsk {
        store: Some(2),
        doing: true,
    });
    let mut watch = server.admin().await;
    let view = reader.live(noon()).await.unwrap();
    assert_eq!(view.figures.totals, view.today, "the shop has one store");
    assert_eq!((view.products.len(), view.last_paid.len()), (20, 4));
    let first = spent(&mut watch).await;
    let empty = spent(&mut watch).await;
    let began = std::time::Instant::now();
    for second in 1..=10 {
        reader.live(noon() + Duration::seconds(second)).await.unwrap();
    }
    let took = began.elapsed() / 10;
    let last = spent(&mut watch).await;
    let of_watch = (empty.0 - first.0, empty.1 - first.1);
    let bytes = (last.0 - empty.0 - of_watch.0) / 10;
    let requests = (last.1 - empty.1 - of_watch.1) / 10;
    println!("{days} days, {events} events: {bytes} bytes, {requests} requests, {took:?}");
    (bytes, requests)
}

#[tokio::test]
async fn a_reading_is_one_request_and_does_not_grow_with_the_history() {
    let young = cost(&Server::start(&[]).await, 10, 9_000).await;
    let old = cost(&Server::start(&[]).await, 500, 9_000).await;
    assert_eq!((young.1, old.1), (1, 1));
    assert!((young.0 - old.0).abs() < 200, "{young:?} {old:?}");
    // Half of it is the minutes of the charts; ten events a second add 13 kB.
    assert!(old.0 < 40_000, "{old:?}");
}

/// What a screen shows is what `instashop verify --kpis` compares, of the platform and of a store.
#[tokio::test]
async fn the_figures_are_those_that_verify_compares() {
    let server = Server::start(&[]).await;
    let meaning = Meaning::default();
    let mut desk = Desk::open(LiveSink::new(&server.config(), &meaning), &TOPICS).await;
    shop(&mut desk, 10, 3_000).await;
    let mut reader = LiveReader::connect(&server.config(), &meaning).await.unwrap();
    let totals = reader.totals().await.unwrap();
    let rows = metrics(&totals, noon(), &meaning);
    let compared = |metric: &str, key: &str| -> Decimal {
        let row = rows.iter().find(|(id, of, _)| *id == metric && of == key);
        row.map_or(Decimal::ZERO, |(_, _, value)| *value)
    };
    for store in [None, Some(2)] {
        reader.want(LiveAsk { store, doing: true });
        let view = reader.live(noon()).await.unwrap();
        let figures = &view.figures;
        let key = format!("{}/{}", view.day, store.unwrap_or(0));
        let cents = |cents: i64| Decimal::new(cents, 2);
        let share = |part: i64, whole: i64| (Decimal::from(part) / Decimal::from(whole)).round_dp(9);
        for (metric, shown) in [
            ("revenue_today", cents(figures.totals.revenue_cents)),
            ("orders", Decimal::from(figures.totals.orders)),
            ("unique_buyers_today", Decimal::from(figures.buyers)),
            ("new_buyers", Decimal::from(figures.new_buyers)),
            ("returning_buyers", Decimal::from(figures.returning_buyers)),
            ("visits", Decimal::from(figures.visits().begun)),
            ("conversion_rate", share(figures.converted, figures.funnel[0])),
        ] {
            // What is of today alone is compared without its day.
            let of_today = metric.ends_with("_today");
            let key = if of_today {
                store.unwrap_or(0).to_string()
            } else {
                key.clone()
            };
            assert_eq!(shown, compared(metric, &key), "{metric} {key}");
            assert!(
                shown > Decimal::ZERO || metric == "returning_buyers",
                "{metric} {key}"
            );
        }
        if let Some(store) = store {
            for (step, visits) in figures.funnel.iter().enumerate() {
                let key = format!("{}/{store}/{step}", view.day);
                assert_eq!(Decimal::from(*visits), compared("funnel", &key), "{key}");
            }
        }
        let doing = view.doing.unwrap();
        for (metric, key, shown) in [
            ("visitors_now", "0", doing.visitors),
            ("live_carts", "0/carts", doing.carts),
            ("live_carts", "0/checkouts", doing.checkouts),
            ("live_carts", "0/purchases", doing.purchases),
        ] {
            assert_eq!(Decimal::from(shown), compared(metric, key), "{metric} {key}");
            assert!(shown > 0, "{metric} {key}");
        }
        for paid in &view.last_paid {
            let minutes = noon().timestamp().div_euclid(60) - paid.minute.timestamp().div_euclid(60) + 1;
            let key = format!("0/{}", paid.method);
            assert_eq!(Decimal::from(minutes), compared("last_paid_age", &key), "{key}");
        }
    }
}
