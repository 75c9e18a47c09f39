//! Crashes, lost answers and zombies.

use instashop_core::batch::{Outcome, Tally};
use instashop_core::change::Op;
use instashop_core::checkpoint::Answer;
use instashop_core::table::Table;
use instashop_store::{Kind, Sink};

use super::cluster::Database;
use super::proxy::{Mischief, Proxy};
use super::shop::{Worker, now, order, partition, put};

#[tokio::test]
async fn a_commit_that_fails_in_every_way_is_repeated_without_loss_or_doubling() {
    let mut database = Database::ready().await;
    let proxy = Proxy::before(database.config.port).await;
    let direct = database.config.port;
    database.config.port = proxy.port;
    let mut worker = Worker::start(database.sink("a"), partition("transaction", 0)).await;
    database.config.port = direct;
    let cases = [
        (Mischief::None, None),
        (Mischief::CutBefore, Some(Outcome::Applied(Tally::default()))),
        (Mischief::CutAfter, Some(Outcome::Refused(vec![]))),
        (Mischief::RollBack, Some(Outcome::Applied(Tally::default()))),
    ];
    for (number, (mischief, second)) in (1..).zip(cases) {
        let batch = worker.batch(vec![Ok(put(
            Table::Transaction,
            Op::Create,
            number,
            order(number as i64, "1", "completed"),
        ))]);
        proxy.prepare(mischief);
        let first = worker.sink.apply(&batch, now()).await;
        let Some(second) = second else {
            assert!(matches!(first, Ok(Outcome::Applied(_))));
            worker.checkpoint += 1;
            continue;
        };
        let error = first.unwrap_err();
        assert_eq!(error.kind(), Kind::Transient, "{mischief:?}: {error}");
        let outcome = worker.sink.apply(&batch, now()).await.unwrap();
        match second {
            Outcome::Applied(_) => assert!(
                matches!(outcome, Outcome::Applied(tally) if tally.applied == 1),
                "{mischief:?}"
            ),
            _ => assert_eq!(
                outcome,
                Outcome::Refused(vec![(
                    worker.partition.clone(),
                    Answer::Duplicate(worker.checkpoint + 1)
                )]),
                "{mischief:?}"
            ),
        }
        worker.checkpoint += 1;
        let counts = "SELECT (SELECT count(*) FROM raw.realtime_events) || '|' || (SELECT count(*) FROM core.orders) || '|' || (SELECT next_offset FROM ops.offsets)";
        assert_eq!(
            database.value::<String>(counts).await,
            format!("{number}|{number}|{number}"),
            "{mischief:?}"
        );
    }
}

#[tokio::test]
async fn a_former_owner_is_refused_and_its_frozen_transaction_does_not_hold_the_successor() {
    let database = Database::ready().await;
    let mut old = Worker::start(database.sink("old"), partition("transaction", 0)).await;
    old.apply(vec![put(
        Table::Transaction,
        Op::Create,
        1,
        order(1, "1", "completed"),
    )])
    .await;

    // The old owner freezes inside its transaction, holding the row of its checkpoint.
    let frozen = super::cluster::connect(
        &database.config,
        &database.config.database,
        "instashop_worker",
        "worker's",
    )
    .await;
    frozen
        .batch_execute(
            "SET idle_in_transaction_session_timeout = '300ms'; BEGIN; SELECT 1 FROM ops.offsets FOR UPDATE",
        )
        .await
        .unwrap();
    let mut new = Worker::start(database.sink("new"), old.partition.clone()).await;
    assert_eq!((new.epoch, new.checkpoint), (2, 1));
    new.apply(vec![put(
        Table::Transaction,
        Op::Create,
        2,
        order(2, "1", "completed"),
    )])
    .await;

    let late = old.batch(vec![Ok(put(
        Table::Transaction,
        Op::Create,
        3,
        order(3, "1", "completed"),
    ))]);
    let refused = Outcome::Refused(vec![(old.partition.clone(), Answer::Fenced(2))]);
    assert_eq!(old.sink.apply(&late, now()).await.unwrap(), refused);
    assert_eq!(database.value::<i64>("SELECT count(*) FROM core.orders").await, 2);
}

#[tokio::test]
async fn a_batch_that_is_dropped_half_way_leaves_nothing_and_the_sink_goes_on() {
    let database = Database::ready().await;
    let mut worker = Worker::start(database.sink("a"), partition("transaction", 0)).await;
    let batch = worker.batch(vec![Ok(put(
        Table::Transaction,
        Op::Create,
        1,
        order(1, "1", "completed"),
    ))]);
    worker.sink.connect().await.unwrap();
    let hold = database.hold("staging.transaction").await;
    {
        let waiting = worker.sink.apply(&batch, now());
        tokio::pin!(waiting);
        let blocked = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()";
        loop {
            tokio::select! {
                outcome = &mut waiting => panic!("not blocked: {outcome:?}"),
                count = database.value::<i64>(blocked) => if count > 0 { break },
            }
        }
    }
    drop(hold);
    assert!(matches!(
        worker.sink.apply(&batch, now()).await.unwrap(),
        Outcome::Applied(_)
    ));
    assert_eq!(database.value::<i64>("SELECT count(*) FROM core.orders").await, 1);
}

#[tokio::test]
async fn a_lock_that_cannot_be_had_is_transient() {
    let database = Database::ready().await;
    let mut worker = Worker::start(database.sink("a"), partition("transaction", 0)).await;
    let batch = worker.batch(vec![Ok(put(
        Table::Transaction,
        Op::Create,
        1,
        order(1, "1", "completed"),
    ))]);
    database.run("BEGIN; SELECT 1 FROM ops.offsets FOR UPDATE").await;
    let error = worker.sink.apply(&batch, now()).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Transient, "{error}");
    database.run("ROLLBACK").await;
    assert!(matches!(
        worker.sink.apply(&batch, now()).await.unwrap(),
        Outcome::Applied(_)
    ));
}
