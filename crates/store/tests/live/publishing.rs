//! Health, projections and the removal of old generations.

use chrono::Duration;
use instashop_core::config::Meaning;
use instashop_core::view::{Rebuild, SourceHealth, WorkerHealth};
use instashop_store::live::{Bulletin, LivePublisher, LiveReader, LiveSink, Watched};
use serde_json::{Value, json};

use crate::changes::{Desk, line, noon, order, order_with, product, search};
use crate::server::Server;

async fn text(admin: &mut redis::aio::MultiplexedConnection, key: &str) -> Value {
    let text: Option<String> = redis::cmd("GET").arg(key).query_async(admin).await.unwrap();
    text.map_or(Value::Null, |text| serde_json::from_str(&text).unwrap())
}

#[tokio::test]
async fn projections_carry_the_names_of_the_source_documents() {
    let server = Server::start(&[]).await;
    let meaning = Meaning::default();
    let topics = ["transaction", "transactiondetail", "product", "userbehavior"];
    let mut desk = Desk::open(LiveSink::new(&server.config(), &meaning), &topics).await;
    desk.apply(
        "transaction",
        vec![
            order(1, 10, 1000),
            order(2, 11, 2550),
            order_with(3, 12, 9900, "failed"),
        ],
    )
    .await;
    desk.apply("transactiondetail", vec![line(1, 13, 1, 3)]).await;
    desk.apply("product", vec![product(3, 14, "Home")]).await;
    desk.apply("userbehavior", vec![search(1, 15), search(2, 16)])
        .await;
    let worker = WorkerHealth {
        worker: "w".into(),
        seen_at: noon(),
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
    let mut publisher = LivePublisher::new(&server.config(), &meaning);
    publisher.publish(&bulletin, noon()).await.unwrap();
    let mut admin = server.admin().await;
    let transactions = json!({
        "transaction_count": 2, "total_transactions": 2, "total_revenue": 35.50, "avg_amount": 17.75,
        "max_transaction": 25.50, "min_transaction": 10.00, "unique_customers": 1, "revenue_today": 35.50,
        "transactions_today": 2, "timestamp": "2100-03-05T15:00:20.000Z",
    });
    assert_eq!(
        text(&mut admin, "cdc_spark_metrics:transactions").await,
        transactions
    );
    assert_eq!(text(&mut admin, "metrics:transactions").await, transactions);
    let home = json!({
        "category": "Home", "product_sales": 2, "category_revenue": 10.00, "unique_products": 1, "unique_customers": 1,
    });
    let bare = json!({
        "category": "unattributed", "product_sales": 0, "category_revenue": 25.50, "unique_products": 0,
        "unique_customers": 1,
    });
    assert_eq!(
        text(&mut admin, "cdc_spark_metrics:products").await,
        json!([home, bare])
    );
    assert_eq!(text(&mut admin, "metrics:products:Home").await, home);
    let searches = json!({
        "event_count": 2, "unique_customers": 1, "unique_sessions": 1, "timestamp": "2100-03-05T15:00:20.000Z",
    });
    assert_eq!(text(&mut admin, "metrics:behavior:search").await, searches);
    let dashboard = text(&mut admin, "metrics:dashboard").await;
    assert_eq!(dashboard["transactions"], transactions);
    assert_eq!(dashboard["products"], json!([home, bare]));
    // The product moves: its old category disappears, and so does its key. Another worker took over meanwhile.
    desk.apply("product", vec![product(3, 20, "Toys")]).await;
    let mut successor = LivePublisher::new(&server.config(), &meaning);
    successor.publish(&bulletin, noon()).await.unwrap();
    assert_eq!(text(&mut admin, "metrics:products:Home").await, Value::Null);
    assert_eq!(
        text(&mut admin, "metrics:products:Toys").await["category_revenue"],
        json!(10.00)
    );
    // On the next day what does not add up begins anew, and nothing expired.
    successor
        .publish(&bulletin, noon() + Duration::days(1))
        .await
        .unwrap();
    let next = text(&mut admin, "metrics:transactions").await;
    assert_eq!(
        (&next["total_revenue"], &next["revenue_today"]),
        (&json!(35.50), &json!(0.00))
    );
    assert_eq!(
        (&next["unique_customers"], &next["max_transaction"]),
        (&json!(0), &Value::Null)
    );
    let life: i64 = redis::cmd("TTL")
        .arg("metrics:dashboard")
        .query_async(&mut admin)
        .await
        .unwrap();
    assert_eq!(life, -1);
}

#[tokio::test]
async fn health_is_read_back_and_forgotten_when_a_worker_is_gone() {
    let server = Server::start(&[]).await;
    let meaning = Meaning::default();
    let mut reader = LiveReader::connect(&server.config(), &meaning).await.unwrap();
    let empty = reader.live(noon()).await.unwrap();
    assert_eq!((empty.generation.as_str(), empty.published_at), ("", None));
    let worker = |name: &str, rate| WorkerHealth {
        worker: name.into(),
        seen_at: noon(),
        rate_per_1000s: rate,
        ..WorkerHealth::default()
    };
    let source = SourceHealth {
        source: "instashop".into(),
        up: true,
        ..SourceHealth::default()
    };
    let rebuild = |percent| Rebuild {
        since: noon(),
        percent,
        remaining_s: None,
    };
    let mut publisher = LivePublisher::new(&server.config(), &meaning);
    for (name, rate, percent, watched) in [("a", 5000, Some(40), true), ("b", 7000, Some(90), false)] {
        let worker = worker(name, rate);
        let bulletin = Bulletin {
            worker: &worker,
            rebuild: percent.map(rebuild),
            watched: watched.then_some(Watched {
                sources: std::slice::from_ref(&source),
                brokers: Some((2, 3)),
            }),
        };
        publisher.publish(&bulletin, noon()).await.unwrap();
    }
    let mut desk = Desk::open(LiveSink::new(&server.config(), &meaning), &["transaction"]).await;
    desk.apply(
        "transaction",
        vec![order(1, 10, 500), order_with(2, 11, 1, "strange")],
    )
    .await;
    let view = reader.live(noon()).await.unwrap();
    assert_eq!(view.events_per_1000s, 12_000);
    assert_eq!(view.rebuild, Some(rebuild(40)));
    assert_eq!(view.published_at, Some(noon()));
    let system = reader.system(noon()).await.unwrap();
    let names: Vec<_> = system
        .flow
        .workers
        .iter()
        .map(|worker| worker.worker.as_str())
        .collect();
    assert_eq!(names, ["a", "b"]);
    assert_eq!(system.flow.sources, [source]);
    assert_eq!(system.flow.brokers_up, Some((2, 3)));
    assert_eq!((system.unmapped_today, system.orders_without_lines), (1, 1));
    assert!(system.memory_bytes.is_some_and(|bytes| bytes > 0));
    // Both are silent: not shown after two minutes, forgotten after ten when another one publishes.
    let later = noon() + Duration::minutes(11);
    let view = reader.live(later).await.unwrap();
    assert_eq!((view.events_per_1000s, view.rebuild), (0, None));
    let fresh = WorkerHealth {
        seen_at: later,
        ..worker("c", 1)
    };
    let bulletin = Bulletin {
        worker: &fresh,
        rebuild: None,
        watched: Some(Watched {
            sources: &[],
            brokers: None,
        }),
    };
    publisher.publish(&bulletin, later).await.unwrap();
    let mut admin = server.admin().await;
    let kept: Vec<String> = redis::cmd("HKEYS")
        .arg("live:health:workers")
        .query_async(&mut admin)
        .await
        .unwrap();
    assert_eq!(kept, ["c"]);
}

/// A sweeper that believes in a generation that is gone must not remove the keys of the present one.
#[tokio::test]
async fn old_generations_are_removed_and_the_present_one_stays() {
    let server = Server::start(&[]).await;
    let meaning = Meaning::default();
    let mut desk = Desk::open(LiveSink::new(&server.config(), &meaning), &["transaction"]).await;
    desk.apply("transaction", vec![order(1, 10, 500)]).await;
    let first = desk.sink.generation().unwrap().to_owned();
    let copy = crate::server::copy(&mut server.admin().await).await;
    desk.sink.start_anew(noon()).await.unwrap();
    let mut desk = Desk::open(LiveSink::new(&server.config(), &meaning), &["transaction"]).await;
    desk.apply("transaction", vec![order(1, 10, 500)]).await;
    let second = desk.sink.generation().unwrap().to_owned();
    let worker = WorkerHealth::default();
    let bulletin = Bulletin {
        worker: &worker,
        rebuild: None,
        watched: Some(Watched {
            sources: &[],
            brokers: None,
        }),
    };
    let mut publisher = LivePublisher::new(&server.config(), &meaning);
    publisher.publish(&bulletin, noon()).await.unwrap();
    let mut admin = server.admin().await;
    let count = async |admin: &mut redis::aio::MultiplexedConnection, generation: &str| {
        let keys: Vec<String> = redis::cmd("KEYS")
            .arg(format!("live:{generation}:*"))
            .query_async(admin)
            .await
            .unwrap();
        keys.len()
    };
    assert_eq!(count(&mut admin, &first).await, 0);
    assert!(count(&mut admin, &second).await > 5);
    // Redis goes back to the older copy: its generation is the present one again and survives the same publisher.
    crate::server::restore(&mut admin, &copy).await;
    publisher.publish(&bulletin, noon()).await.unwrap();
    assert!(count(&mut admin, &first).await > 5);
}
