//! Replays, snapshots and any cut into batches end in the same rows.

use std::collections::BTreeMap;

use instashop_core::change::{Op, Record, Row};
use instashop_core::table::Table;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};

use super::cluster::Database;
use super::shop::{Worker, delete, order, partition, put, tombstone};

#[tokio::test]
async fn a_replayed_suffix_and_the_whole_log_again_change_nothing() {
    let database = Database::ready().await;
    let mut worker = Worker::start(database.sink("a"), partition("transaction", 0)).await;
    let mut log = Vec::new();
    for key in 1..=30 {
        log.push(put(
            Table::Transaction,
            Op::Create,
            key * 10,
            order(key as i64, "10", "pending"),
        ));
        log.push(put(Table::Stock, Op::Create, key * 10 + 1, stock(key as i64, 5)));
        if key % 3 == 0 {
            log.push(put(
                Table::Transaction,
                Op::Update,
                key * 10 + 5,
                order(key as i64 - 2, "10", "completed"),
            ));
            log.push(put(
                Table::Stock,
                Op::Update,
                key * 10 + 6,
                stock(key as i64 - 2, 4),
            ));
        }
        if key % 5 == 0 {
            log.push(delete(Table::Transaction, key as i64 - 4, key * 10 + 7));
            log.push(tombstone(Table::Transaction, key as i64 - 4));
        }
        if key % 10 == 0 {
            log.push(put(
                Table::Transaction,
                Op::Create,
                key * 10 + 8,
                order(key as i64 - 4, "11", "pending"),
            ));
        }
    }
    let all = log.len();
    for part in log.chunks(7) {
        worker.apply(part.to_vec()).await;
    }
    let before = database.content_with_places().await;
    for from in [all - 1, all - 10, all / 2, 0] {
        // Debezium publishes a suffix again, at new offsets.
        for part in log[from..].chunks(5) {
            worker.apply(part.to_vec()).await;
        }
        super::cluster::same(
            &database.content_with_places().await,
            &before,
            &format!("suffix from {from}"),
        );
    }
    // The checkpoint is lost with a restored backup of ops alone, and the topic is read from its beginning.
    database.run("UPDATE ops.offsets SET next_offset = 0").await;
    worker.checkpoint = 0;
    for part in log.chunks(11) {
        worker.apply(part.to_vec()).await;
    }
    super::cluster::same(&database.content_with_places().await, &before, "whole log");
}

fn stock(key: i64, quantity: i64) -> Row {
    super::shop::row(
        Table::Stock,
        &[&key.to_string(), "8", &quantity.to_string(), "-", "-"],
    )
}

/// A step in the life of the shop.
#[derive(Debug, Clone)]
enum Life {
    Set(u8),
    Delete,
    Replay(u8),
    Snapshot,
    Restart,
}

/// Whatever happens at the source and to the worker, `staging` is the source, every key has one bare event, every live
/// row has exactly one open value in its history, and the event log has every streamed change once.
#[tokio::test]
async fn any_history_in_any_batches_is_the_plain_result() {
    let steps = prop_oneof![
        6 => any::<u8>().prop_map(Life::Set),
        2 => Just(Life::Delete),
        1 => any::<u8>().prop_map(Life::Replay),
        1 => Just(Life::Snapshot),
        1 => Just(Life::Restart),
    ];
    let strategy = (proptest::collection::vec((1..6i64, steps), 1..80), 1usize..12);
    let mut runner = TestRunner::new(Config {
        cases: 10,
        ..Config::default()
    });
    let database = Database::ready().await;
    for case in 0..10 {
        let (life, cut) = strategy.new_tree(&mut runner).unwrap().current();
        // Keys of their own for each case, so that one database serves all.
        let base = 1000 * (case + 1);
        check(&database, base, &life, cut).await;
    }
}

async fn check(database: &Database, base: i64, life: &[(i64, Life)], cut: usize) {
    let context = || format!("cut {cut}, life {life:?}");
    let here = partition("transaction", base as i32);
    let mut worker = Worker::start(database.sink("a"), here.clone()).await;
    let mut source: BTreeMap<i64, Row> = BTreeMap::new();
    let mut log: Vec<Vec<Record>> = Vec::new();
    let mut waiting: Vec<Record> = Vec::new();
    let mut streamed = 0;
    let mut snapshots = false;
    let mut lsn = 0;
    for (key, step) in life {
        let key = base + key;
        lsn += 1;
        let mut published = Vec::new();
        match step {
            Life::Set(value) => {
                let op = if source.contains_key(&key) {
                    Op::Update
                } else {
                    Op::Create
                };
                let status = ["pending", "completed", "refunded"][usize::from(value % 3)];
                let row = order(key, &format!("{value}.25"), status);
                source.insert(key, row.clone());
                published.push(put(Table::Transaction, op, lsn, row));
                streamed += 1;
            }
            Life::Delete if source.remove(&key).is_some() => {
                published.extend([
                    delete(Table::Transaction, key, lsn),
                    tombstone(Table::Transaction, key),
                ]);
                streamed += 1;
            }
            Life::Delete => {}
            Life::Replay(back) => {
                let from = log.len().saturating_sub(usize::from(back % 20));
                waiting.extend(log[from..].iter().flatten().cloned());
            }
            Life::Snapshot => {
                waiting.extend(
                    source
                        .values()
                        .map(|row| put(Table::Transaction, Op::Read, lsn, row.clone())),
                );
                snapshots = true;
            }
            Life::Restart => worker = Worker::start(database.sink("b"), here.clone()).await,
        }
        waiting.extend(published.clone());
        log.push(published);
        if waiting.len() >= cut {
            worker.apply(std::mem::take(&mut waiting)).await;
        }
    }
    if !waiting.is_empty() {
        worker.apply(waiting).await;
    }
    let range = format!("BETWEEN {base} AND {}", base + 999);
    let mut expected: Vec<String> = source
        .iter()
        .map(|(key, row)| {
            let amount = row.decimal(Table::Transaction, "total_amount").unwrap();
            format!(
                "{key}|{amount}|{}",
                row.text(Table::Transaction, "status").unwrap()
            )
        })
        .collect();
    expected.sort();
    let stored = database
        .list(&format!(
            "SELECT concat_ws('|', transaction_id, total_amount, status) FROM staging.transaction
             WHERE transaction_id {range} AND NOT _deleted ORDER BY 1"
        ))
        .await;
    assert_eq!(stored, expected, "{}", context());
    let bare: i64 = database
        .value(&format!(
            "SELECT count(*) FROM raw.realtime_events WHERE event_type = 'transaction' AND source_key {range}"
        ))
        .await;
    let keys: i64 = database
        .value(&format!(
            "SELECT count(*) FROM staging.transaction WHERE transaction_id {range}"
        ))
        .await;
    assert_eq!(bare, keys, "{}", context());
    let distinct: i64 = database
        .value(&format!(
            "SELECT count(DISTINCT source_key) FROM raw.realtime_events WHERE event_type = 'transaction' AND source_key {range}"
        ))
        .await;
    assert_eq!(distinct, bare, "{}", context());
    if !snapshots {
        let logged: i64 = database
            .value(&format!("SELECT count(*) FROM raw.realtime_events WHERE source_key {range} AND ordinal = 0 AND NOT (op = 'd' AND tx_id IS NULL)"))
            .await;
        assert_eq!(logged, streamed, "{}", context());
    }
    let open = database
        .list(&format!(
            "SELECT concat_ws('|', h.transaction_id, h.status) FROM history.order_status h
                 WHERE h.valid_to IS NULL AND h.transaction_id {range} ORDER BY 1"
        ))
        .await;
    let mut statuses: Vec<String> = source
        .iter()
        .map(|(key, row)| format!("{key}|{}", row.text(Table::Transaction, "status").unwrap()))
        .collect();
    statuses.sort();
    assert_eq!(open, statuses, "{}", context());
}

#[tokio::test]
async fn a_replayed_dead_letter_is_judged_like_any_record() {
    let database = Database::ready().await;
    let mut worker = Worker::start(database.sink("a"), partition("transaction", 0)).await;
    let repair = |op, lsn, after| {
        let Record::Change(mut change) = put(Table::Transaction, op, lsn, after) else {
            unreachable!()
        };
        change.repair = true;
        Record::Change(change)
    };
    let tally = worker
        .apply(vec![
            put(Table::Transaction, Op::Update, 20, order(1, "2", "completed")),
            repair(Op::Create, 10, order(1, "1", "pending")),
            repair(Op::Read, 5, order(2, "7", "pending")),
            repair(Op::Update, 30, order(1, "3", "completed")),
        ])
        .await;
    assert_eq!((tally.applied, tally.older), (3, 1));
    let rows =
        "SELECT concat_ws('|', transaction_id, total_amount, _lsn) FROM staging.transaction ORDER BY 1";
    assert_eq!(database.list(rows).await, ["1|3|0/1E", "2|7|0/0"]);
    let sources = "SELECT concat_ws('|', event_type, source) FROM raw.realtime_events ORDER BY id";
    assert_eq!(
        database.list(sources).await,
        [
            "transaction|kafka_consumer",
            "transaction|repair",
            "transaction_updated|repair",
        ]
    );
}

/// Several workers write rows of the same tables at once, each its own partition, in batches with mixed keys.
#[tokio::test]
async fn workers_side_by_side_do_not_disturb_each_other() {
    let database = Database::ready().await;
    let mut workers = Vec::new();
    for number in 0..4 {
        workers.push(Worker::start(database.sink("w"), partition("transaction", number)).await);
    }
    let tasks = workers
        .into_iter()
        .zip(0i64..)
        .map(|(mut worker, number)| async move {
            for round in 0..15u64 {
                let keys = (0..20).map(|key| (key * 7 % 20) * 4 + number + 1);
                let orders = keys.map(|key| {
                    put(
                        Table::Transaction,
                        Op::Update,
                        round * 10 + 1,
                        order(key, &round.to_string(), "completed"),
                    )
                });
                let stocks = (0..20).map(|key| {
                    put(
                        Table::Stock,
                        Op::Update,
                        round * 10 + 2,
                        stock(key * 4 + number + 1, round as i64),
                    )
                });
                worker.apply(orders.chain(stocks).collect()).await;
            }
        });
    futures::future::join_all(tasks).await;
    assert_eq!(
        database
            .list("SELECT DISTINCT total_amount::text FROM staging.transaction")
            .await,
        ["14"]
    );
    assert_eq!(
        database
            .value::<i64>("SELECT count(*) FROM raw.realtime_events")
            .await,
        4 * 15 * 40
    );
}
