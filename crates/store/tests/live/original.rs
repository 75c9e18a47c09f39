//! What the system before this one computed wrong in Redis: one test for each point (docs: kpis 7).

use chrono::TimeDelta;
use instashop_core::config::Meaning;
use instashop_store::live::{LiveReader, LiveSink};
use redis::AsyncCommands;

use crate::changes::{Desk, noon, order};
use crate::server::Server;

const ORDERS: &str = "transaction";

async fn desk(server: &Server) -> Desk {
    Desk::open(LiveSink::new(&server.config(), &Meaning::default()), &[ORDERS]).await
}

#[tokio::test]
async fn original_01_totals_are_those_of_all_batches_and_a_quiet_shop_keeps_them() {
    let server = Server::start(&[]).await;
    let mut desk = desk(&server).await;
    for batch in 0..5 {
        let key = 1 + batch;
        desk.apply(ORDERS, vec![order(key, 10 + key as u64, 1000)]).await;
    }
    let mut reader = LiveReader::connect(&server.config(), &Meaning::default())
        .await
        .unwrap();
    let quiet = noon() + TimeDelta::minutes(10);
    let view = reader.live(quiet).await.unwrap();
    assert_eq!((view.today.revenue_cents, view.today.orders), (5000, 5));
    // Nothing that holds a total is ever forgotten within a year.
    let mut admin = server.admin().await;
    let keys: Vec<String> = admin.keys("*sum*").await.unwrap();
    assert!(!keys.is_empty());
    for key in keys {
        let seconds: i64 = admin.ttl(&key).await.unwrap();
        assert!(
            seconds == -1 || seconds > 365 * 86_400,
            "{key} ends in {seconds} s"
        );
    }
}

#[tokio::test]
async fn original_12_the_last_minutes_are_a_recount_by_minute() {
    let server = Server::start(&[]).await;
    let mut desk = desk(&server).await;
    desk.apply(ORDERS, vec![order(1, 11, 1000), order(2, 12, 250)])
        .await;
    let mut reader = LiveReader::connect(&server.config(), &Meaning::default())
        .await
        .unwrap();
    let view = reader.live(noon() + TimeDelta::minutes(9)).await.unwrap();
    let minutes: Vec<i64> = view
        .minutes
        .iter()
        .rev()
        .take(11)
        .map(|minute| minute.totals.revenue_cents)
        .collect();
    assert_eq!(minutes, [0, 0, 0, 0, 0, 0, 0, 0, 0, 1250, 0]);
}
