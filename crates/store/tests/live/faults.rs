//! Servers that are unfit, full or changed by somebody else.

use instashop_core::batch::Outcome;
use instashop_core::config::Meaning;
use instashop_store::live::{LiveReader, LiveSink};
use instashop_store::{Kind, Sink};

use crate::changes::{Desk, line, noon, order, partition, product, search};
use crate::server::Server;

const ORDERS: &str = "transaction";

fn sink(server: &Server) -> LiveSink {
    LiveSink::new(&server.config(), &Meaning::default())
}

#[tokio::test]
async fn a_server_that_evicts_is_refused() {
    let server = Server::start(&["--maxmemory-policy", "allkeys-lru"]).await;
    let error = sink(&server)
        .recover(&[partition(ORDERS)], noon())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), Kind::Permanent);
    assert!(error.to_string().contains("noeviction"), "{error}");
}

#[tokio::test]
async fn a_server_that_is_away_is_a_passing_fault() {
    let server = Server::start(&[]).await;
    let config = server.config();
    drop(server);
    let error = LiveSink::new(&config, &Meaning::default())
        .recover(&[partition(ORDERS)], noon())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), Kind::Transient);
    assert!(error.to_string().contains("127.0.0.1"), "{error}");
}

#[tokio::test]
async fn the_connection_is_made_again_after_it_broke() {
    let server = Server::start(&[]).await;
    let mut desk = Desk::open(sink(&server), &[ORDERS]).await;
    let mut admin = server.admin().await;
    redis::cmd("CLIENT")
        .arg(&["KILL", "TYPE", "normal", "SKIPME", "yes"])
        .exec_async(&mut admin)
        .await
        .unwrap();
    let batch = desk.batch(ORDERS, vec![order(1, 10, 500)]);
    let mut tries = 0;
    let outcome = loop {
        match desk.sink.apply(&batch, noon()).await {
            Ok(outcome) => break outcome,
            Err(error) => assert_eq!(error.kind(), Kind::Transient, "{error}"),
        }
        tries += 1;
        assert!(tries < 5);
    };
    assert!(matches!(outcome, Outcome::Applied(_)));
}

#[tokio::test]
async fn out_of_memory_writes_nothing_and_passes() {
    let server = Server::start(&[]).await;
    let mut desk = Desk::open(sink(&server), &[ORDERS]).await;
    desk.apply(ORDERS, vec![order(1, 10, 500)]).await;
    let mut admin = server.admin().await;
    let limit = |bytes: &'static str| {
        let mut command = redis::cmd("CONFIG");
        command.arg(&["SET", "maxmemory", bytes]);
        command
    };
    limit("1mb").exec_async(&mut admin).await.unwrap();
    let batch = desk.batch(ORDERS, vec![order(2, 11, 700)]);
    let error = desk.sink.apply(&batch, noon()).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Transient);
    assert!(error.to_string().contains("out of memory"), "{error}");
    let mut reader = LiveReader::connect(&server.config(), &Meaning::default())
        .await
        .unwrap();
    assert_eq!(reader.live(noon()).await.unwrap().today.revenue_cents, 500);
    limit("0").exec_async(&mut admin).await.unwrap();
    desk.apply(ORDERS, vec![order(2, 11, 700)]).await;
    assert_eq!(reader.live(noon()).await.unwrap().today.revenue_cents, 1200);
}

/// What somebody does by hand, and the word the error must hold.
const BY_HAND: [(&str, &[&str], &str); 6] = [
    ("a sum of another type", &["SET", "{daily}", "x"], "wrong kind"),
    (
        "a number that is none",
        &["HSET", "{daily}", "21000305|rev", "much"],
        "out of range",
    ),
    (
        "a count too low",
        &["HSET", "{daily}", "21000305|orders", "0"],
        "below zero",
    ),
    ("a tape of another type", &["SET", "{tape}", "x"], "wrong kind"),
    ("a ranking of another type", &["SET", "{top}", "x"], "wrong kind"),
    ("a state", &["HSET", "{order}", "1", "AAAAAAAAAAA[1]"], "order 1"),
];

#[tokio::test]
async fn keys_changed_by_hand_stop_the_flow_and_nothing_is_written() {
    let server = Server::start(&[]).await;
    let mut admin = server.admin().await;
    for (name, command, expected) in BY_HAND {
        redis::cmd("FLUSHALL").exec_async(&mut admin).await.unwrap();
        let mut desk = Desk::open(sink(&server), &[ORDERS, "transactiondetail"]).await;
        desk.apply(ORDERS, vec![order(1, 10, 500)]).await;
        desk.apply("transactiondetail", vec![line(1, 11, 1, 3)]).await;
        let prefix = format!("live:{}:", desk.sink.generation().unwrap());
        let word = |word: &str| match word {
            "{daily}" => format!("{prefix}daily"),
            "{tape}" => format!("{prefix}tape"),
            "{top}" => format!("{prefix}top:21000305"),
            "{order}" => format!("{prefix}st:order:0"),
            other => other.to_owned(),
        };
        if command[0] == "SET" {
            redis::cmd("UNLINK")
                .arg(word(command[1]))
                .exec_async(&mut admin)
                .await
                .unwrap();
        }
        let mut by_hand = redis::cmd(command[0]);
        for part in &command[1..] {
            by_hand.arg(word(part));
        }
        by_hand.exec_async(&mut admin).await.unwrap();
        let before = everything(&mut admin).await;
        let batch = desk.batch(ORDERS, vec![order(1, 20, 900), order(1, 30, 900)]);
        let gone = desk.batch(
            ORDERS,
            vec![crate::changes::change(
                instashop_core::table::Table::Transaction,
                1,
                40,
                None,
            )],
        );
        let batch = if name == "a count too low" { gone } else { batch };
        let error = desk.sink.apply(&batch, noon()).await.unwrap_err();
        assert_eq!(error.kind(), Kind::Broken, "{name}: {error}");
        assert!(error.to_string().contains(expected), "{name}: {error}");
        assert!(error.advice().is_some(), "{name}");
        assert_eq!(
            before,
            everything(&mut admin).await,
            "{name}: something was written"
        );
    }
}

/// All keys with their content.
async fn everything(admin: &mut redis::aio::MultiplexedConnection) -> Vec<(String, Vec<u8>)> {
    let mut keys: Vec<String> = redis::cmd("KEYS").arg("*").query_async(admin).await.unwrap();
    keys.sort();
    let mut all = Vec::new();
    for key in keys {
        let dump: Vec<u8> = redis::cmd("DUMP").arg(&key).query_async(admin).await.unwrap();
        all.push((key, dump));
    }
    all
}

#[tokio::test]
async fn the_dump_names_what_was_changed_by_hand() {
    let server = Server::start(&[]).await;
    let topics = [ORDERS, "transactiondetail", "product", "userbehavior"];
    let mut desk = Desk::open(sink(&server), &topics).await;
    desk.apply(ORDERS, vec![order(1, 10, 500)]).await;
    desk.apply("transactiondetail", vec![line(1, 11, 1, 3)]).await;
    desk.apply("product", vec![product(3, 12, "Home")]).await;
    desk.apply("userbehavior", vec![search(1, 13)]).await;
    let mut reader = LiveReader::connect(&server.config(), &Meaning::default())
        .await
        .unwrap();
    assert_eq!(reader.dump().await.unwrap().faults, Vec::<String>::new());
    let prefix = format!("live:{}:", desk.sink.generation().unwrap());
    let mut admin = server.admin().await;
    for command in [
        vec![
            "HDEL".to_owned(),
            format!("{prefix}category:21000305"),
            "rev|Home".to_owned(),
        ],
        vec![
            "HDEL".to_owned(),
            format!("{prefix}visitors:21000305"),
            "b1".to_owned(),
        ],
        vec!["HDEL".to_owned(), format!("{prefix}st:order:0"), "1".to_owned()],
    ] {
        redis::cmd(&command[0])
            .arg(&command[1..])
            .exec_async(&mut admin)
            .await
            .unwrap();
    }
    let faults = reader.dump().await.unwrap().faults.join("\n");
    for expected in [
        "categories add up to 0",
        "1 visitors are counted, 0 are there",
        "line 1 points to order 1",
    ] {
        assert!(faults.contains(expected), "{expected}: {faults}");
    }
}
