//! What a batch writes, and the answers of a commit.

use instashop_core::batch::{Batch, Outcome, Tally};
use instashop_core::change::{Op, Record};
use instashop_core::checkpoint::{Answer, Owned, Step};
use instashop_core::table::Table;
use instashop_store::{Kind, Sink};

use super::cluster::Database;
use super::shop::{
    Worker, at, customer, delete, line, now, order, order_at, partition, product, put, rejected, row,
    tombstone,
};

#[tokio::test]
async fn a_first_batch_reaches_every_layer() {
    let database = Database::ready().await;
    let mut worker = Worker::start(database.sink("a"), partition("transaction", 0)).await;
    let mut metadata = row(
        Table::UserBehavior,
        &[
            "9",
            "3",
            "add_to_cart",
            "8",
            "s1",
            "2026-03-10T10:00:00",
            r#"{"buyer_id": 5}"#,
        ],
    );
    metadata.extra.insert("device".into(), serde_json::json!("phone"));
    let tally = worker
        .apply_all(vec![
            Ok(put(Table::Customer, Op::Read, 1, customer(3, "Tienda Ñ", "Pro"))),
            Ok(put(Table::Product, Op::Read, 1, product(8, "Mate", "Cocina"))),
            Ok(put(
                Table::Transaction,
                Op::Create,
                5,
                order(1, "10.50", "pending"),
            )),
            Ok(put(
                Table::TransactionDetail,
                Op::Create,
                6,
                line(4, 1, 8, 3, "3.50"),
            )),
            Ok(put(
                Table::Transaction,
                Op::Update,
                9,
                order(1, "10.50", "completed"),
            )),
            Ok(put(Table::UserBehavior, Op::Create, 11, metadata)),
            rejected("bad_json", b"\x00{"),
            Ok(Record::Heartbeat {
                prefix: "instashop".into(),
                at: at(99),
            }),
        ])
        .await;
    assert_eq!(
        tally,
        Tally {
            applied: 6,
            rejected: 1,
            not_a_row: 1,
            ..Tally::default()
        }
    );

    let events = database
        .list(
            "SELECT concat_ws('|', event_type, \"timestamp\", customer_name, product_name, category, amount, session_id,
                    lsn, op, tx_id, topic, partition, \"offset\") FROM realtime_events ORDER BY \"offset\"",
        )
        .await;
    assert_eq!(
        events,
        [
            "customer|2026-03-10 11:00:01|Tienda Ñ|0/1|r|701|transaction|0|0",
            "product|2026-03-10 11:00:01|Tienda Ñ|Mate|Cocina|0/1|r|701|transaction|0|1",
            "transaction|2026-03-10 10:00:00|Tienda Ñ|10.50|0/5|c|705|transaction|0|2",
            "transaction_item|2026-03-10 11:00:06|Mate|Cocina|10.50|0/6|c|706|transaction|0|3",
            "transaction_updated|2026-03-10 10:00:00|Tienda Ñ|10.50|0/9|u|709|transaction|0|4",
            "cart_event|2026-03-10 10:00:00|Tienda Ñ|Mate|Cocina|s1|0/B|c|711|transaction|0|5",
        ]
    );
    assert_eq!(
        database
            .list("SELECT to_jsonb(t)::text FROM staging.transaction t")
            .await,
        [
            r#"{"_lsn": "0/9", "_extra": null, "status": "completed", "_deleted": false, "_missing": null, "buyer_id": 5, "_snapshot": false, "_generation": 0, "customer_id": 3, "total_amount": 10.50, "_committed_at": "2026-03-10T11:00:09+00:00", "payment_method": "PayPal", "transaction_id": 1, "transaction_date": "2026-03-10T10:00:00"}"#
        ]
    );
    assert_eq!(
        database
            .list("SELECT raw_data::text FROM raw.realtime_events WHERE event_type = 'cart_event'")
            .await,
        [
            r#"{"device": "phone", "metadata": {"buyer_id": 5}, "timestamp": "2026-03-10T10:00:00Z", "event_type": "add_to_cart", "product_id": 8, "session_id": "s1", "behavior_id": 9, "customer_id": 3}"#
        ]
    );
    assert_eq!(
        database
            .list("SELECT _extra::text || metadata FROM staging.userbehavior")
            .await,
        [r#"{"device": "phone"}{"buyer_id": 5}"#]
    );
    assert_eq!(
        database
            .list("SELECT concat_ws('|', status, valid_from, valid_to, from_snapshot, _lsn) FROM history.order_status ORDER BY _lsn")
            .await,
        ["pending|2026-03-10 11:00:05+00|2026-03-10 11:00:09+00|f|0/5", "completed|2026-03-10 11:00:09+00|f|0/9"]
    );
    assert_eq!(
        database
            .list("SELECT concat_ws('|', plan, from_snapshot, valid_to) FROM history.customer_plan")
            .await,
        ["Pro|t"]
    );
    assert_eq!(
        database
            .list("SELECT concat_ws('|', topic, partition, \"offset\", reason, detail, encode(key, 'escape'), encode(value, 'hex'), state) FROM ops.dead_letters")
            .await,
        ["transaction|0|6|bad_json|not JSON|{\"id\":1}|007b|open"]
    );
    assert_eq!(
        database
            .list("SELECT concat_ws('|', flow, topic, partition, epoch, owner, next_offset, source_hwm) FROM ops.offsets")
            .await,
        ["warehouse|transaction|0|1|a|8|2026-03-10 11:01:39+00"]
    );
    assert_eq!(
        database
            .list("SELECT concat_ws('|', category, quantity, net_rc, is_sale) FROM core.order_lines")
            .await,
        ["Cocina|3|10.50|t"]
    );
}

#[tokio::test]
async fn the_answers_of_a_commit() {
    let database = Database::ready().await;
    let here = partition("transaction", 1);
    let mut worker = Worker::start(database.sink("a"), here.clone()).await;
    let records = (1..=5).map(|key| put(Table::Transaction, Op::Create, 5, order(key, "1", "pending")));
    worker.apply(records.collect()).await;
    let owned = worker
        .sink
        .recover(std::slice::from_ref(&here), now())
        .await
        .unwrap();
    assert_eq!(
        owned,
        [Owned {
            epoch: 2,
            checkpoint: 5
        }]
    );

    let before = database.content().await;
    let step = |epoch, base, next| Step {
        partition: here.clone(),
        epoch,
        base,
        next,
    };
    let unknown = Step {
        partition: partition("buyer", 0),
        epoch: 1,
        base: 0,
        next: 1,
    };
    let cases = [
        ("unknown partition", unknown, Answer::Empty),
        ("older owner", step(1, 5, 6), Answer::Fenced(2)),
        ("answer was lost", step(2, 0, 5), Answer::Duplicate(5)),
        ("partly applied", step(2, 3, 7), Answer::Overlap(5)),
        ("sink went back", step(2, 7, 9), Answer::Behind(5)),
        ("sink went back, idle", step(2, 7, 7), Answer::Behind(5)),
        ("older owner, idle", step(1, 5, 5), Answer::Fenced(2)),
    ];
    for (name, step, answer) in cases {
        let mut batch = worker.batch(vec![Ok(put(
            Table::Transaction,
            Op::Create,
            77,
            order(77, "1", "pending"),
        ))]);
        if step.base == step.next {
            batch.records.clear();
        }
        let expected = Outcome::Refused(vec![(step.partition.clone(), answer)]);
        batch.steps[0] = step;
        assert_eq!(
            worker.sink.apply(&batch, now()).await.unwrap(),
            expected,
            "{name}"
        );
    }
    assert_eq!(database.content().await, before, "a refused batch writes nothing");

    let idle = Batch {
        steps: vec![step(2, 5, 5)],
        records: vec![],
    };
    assert_eq!(
        worker.sink.apply(&idle, now()).await.unwrap(),
        Outcome::Applied(Tally::default())
    );
    let empty = Batch {
        steps: vec![step(2, 5, 9)],
        records: vec![],
    };
    assert_eq!(
        worker.sink.apply(&empty, now()).await.unwrap(),
        Outcome::Applied(Tally::default())
    );
    assert_eq!(
        worker
            .sink
            .recover(std::slice::from_ref(&here), now())
            .await
            .unwrap(),
        [Owned {
            epoch: 3,
            checkpoint: 9
        }]
    );
    let back = Batch {
        steps: vec![step(3, 9, 8)],
        records: vec![],
    };
    assert_eq!(
        worker.sink.apply(&back, now()).await.unwrap_err().kind(),
        Kind::Broken
    );
}

#[tokio::test]
async fn several_partitions_are_one_transaction_and_one_bad_one_stops_all() {
    let database = Database::ready().await;
    let mut sink = database.sink("a");
    let [left, right] = [partition("transaction", 1), partition("buyer", 0)];
    let owned = sink
        .recover(&[left.clone(), right.clone(), left.clone()], now())
        .await
        .unwrap();
    assert_eq!(
        owned,
        [Owned {
            epoch: 1,
            checkpoint: 0
        }; 3]
    );
    let worker = Worker {
        sink: database.sink("b"),
        partition: left.clone(),
        epoch: 1,
        checkpoint: 0,
    };
    let mut batch = worker.batch(vec![
        Ok(put(Table::Transaction, Op::Create, 5, order(1, "1", "pending"))),
        Ok(put(
            Table::Buyer,
            Op::Create,
            5,
            row(Table::Buyer, &["5", "Ana", "-", "-", "-"]),
        )),
    ]);
    batch.steps[0].next = 1;
    batch.steps.push(Step {
        partition: right.clone(),
        epoch: 9,
        base: 3,
        next: 4,
    });
    batch.records[1].step = 1;
    let refused = Outcome::Refused(vec![(right.clone(), Answer::Behind(0))]);
    assert_eq!(sink.apply(&batch, now()).await.unwrap(), refused);
    assert_eq!(database.content().await, "");

    batch.steps[1] = Step {
        partition: right,
        epoch: 1,
        base: 0,
        next: 1,
    };
    assert!(matches!(
        sink.apply(&batch, now()).await.unwrap(),
        Outcome::Applied(_)
    ));
    let offsets = "SELECT string_agg(topic || next_offset, ',' ORDER BY topic) FROM ops.offsets";
    assert_eq!(database.value::<String>(offsets).await, "buyer1,transaction1");
    let buyers =
        "SELECT count(*) FROM staging.buyer, staging.transaction WHERE transaction.buyer_id = buyer.buyer_id";
    assert_eq!(database.value::<i64>(buyers).await, 1);
}

#[tokio::test]
async fn values_that_did_not_come_deletes_and_keys_used_again() {
    let database = Database::ready().await;
    let mut worker = Worker::start(database.sink("a"), partition("transaction", 0)).await;
    let toast = row(
        Table::Product,
        &["8", "3", "Mate 2", "?", "Cocina", "9.50", "USD", "active", "?"],
    );
    let full = row(
        Table::Product,
        &[
            "8",
            "3",
            "Mate",
            "long text",
            "Cocina",
            "9.50",
            "USD",
            "active",
            "http://x",
        ],
    );
    worker.apply(vec![put(Table::Product, Op::Create, 5, full)]).await;
    worker
        .apply(vec![put(Table::Product, Op::Update, 6, toast.clone())])
        .await;
    let unknown = row(
        Table::Product,
        &["9", "3", "Bombilla", "?", "Cocina", "9.50", "USD", "active", "-"],
    );
    worker
        .apply(vec![put(Table::Product, Op::Update, 7, unknown)])
        .await;
    let products = "SELECT concat_ws('|', name, description, image_url, _missing) FROM staging.product ORDER BY product_id";
    assert_eq!(
        database.list(products).await,
        ["Mate 2|long text|http://x", "Bombilla|{description}"]
    );
    assert_eq!(
        database.list("SELECT concat_ws('|', raw_data->>'description', missing) FROM raw.realtime_events ORDER BY \"offset\"").await,
        ["long text", "long text|{description,image_url}", "{description}"]
    );

    worker
        .apply(vec![put(
            Table::Transaction,
            Op::Create,
            10,
            order(1, "7", "completed"),
        )])
        .await;
    worker
        .apply(vec![
            delete(Table::Transaction, 1, 20),
            tombstone(Table::Transaction, 1),
        ])
        .await;
    assert_eq!(
        database
            .list("SELECT concat_ws('|', total_amount, _deleted, _lsn) FROM staging.transaction")
            .await,
        ["7|t|0/14"]
    );
    assert_eq!(database.value::<i64>("SELECT count(*) FROM core.orders").await, 0);
    worker
        .apply(vec![put(
            Table::Transaction,
            Op::Create,
            30,
            order(1, "8", "pending"),
        )])
        .await;
    worker.apply(vec![tombstone(Table::Transaction, 1)]).await;
    worker
        .apply(vec![put(
            Table::Transaction,
            Op::Read,
            40,
            order(1, "8", "pending"),
        )])
        .await;
    assert_eq!(
        database.list("SELECT concat_ws('|', event_type, op, lsn, raw_data IS NULL) FROM raw.realtime_events WHERE source_table = 'transaction' ORDER BY \"offset\"").await,
        [
            "transaction|c|0/A|f",
            "transaction_deleted|d|0/14|t",
            "transaction_updated|c|0/1E|f",
            "transaction_deleted|d|0/1E|t",
            "transaction_snapshot|r|0/28|f",
        ]
    );
    let history =
        "SELECT concat_ws('|', status, _lsn, extract(epoch FROM valid_to - valid_from), from_snapshot)
                   FROM history.order_status ORDER BY _lsn";
    // The tombstone's own time is not known, so the second life ends where it began.
    assert_eq!(
        database.list(history).await,
        [
            "completed|0/A|10.000000|f",
            "pending|0/1E|0.000000|f",
            "pending|0/28|t"
        ]
    );
}

#[tokio::test]
async fn events_fall_on_their_day_and_absurd_days_share_a_partition() {
    let database = Database::ready().await;
    let mut worker = Worker::start(database.sink("a"), partition("transaction", 0)).await;
    worker
        .apply(vec![
            put(Table::Transaction, Op::Create, 5, order(1, "1", "pending")),
            put(
                Table::Transaction,
                Op::Create,
                5,
                order_at(2, "1", "pending", "2026-01-31T23:59:59.999999"),
            ),
            put(
                Table::Transaction,
                Op::Create,
                5,
                order_at(3, "1", "pending", "1970-01-01T00:00:00"),
            ),
            put(
                Table::Transaction,
                Op::Create,
                5,
                order_at(4, "1", "pending", "infinity"),
            ),
            put(
                Table::Transaction,
                Op::Create,
                5,
                row(Table::Transaction, &["5", "5", "3", "-", "1", "-", "-"]),
            ),
            put(
                Table::Transaction,
                Op::Create,
                5,
                order_at(6, "1", "pending", "2026-03-20T00:00:00"),
            ),
        ])
        .await;
    let places = "SELECT source_key || tableoid::regclass::text FROM raw.realtime_events ORDER BY source_key";
    let expected = |sixth: &str| {
        [
            "1raw.realtime_events_20260310",
            "2raw.realtime_events_20260131",
            "3raw.realtime_events_default",
            "4raw.realtime_events_default",
            "5raw.realtime_events_20260310",
            sixth,
        ]
        .map(str::to_owned)
    };
    database.run("SET search_path = pg_catalog").await;
    assert_eq!(
        database.list(places).await,
        expected("6raw.realtime_events_default")
    );
    // Its day comes nearer; two workers ask at once, and the waiting row moves.
    let days = "SELECT ops.ensure_partitions('{2026-03-20,2026-03-21,0001-01-01}')";
    let other = super::cluster::connect(
        &database.config,
        &database.config.database,
        "instashop_worker",
        "worker's",
    )
    .await;
    let (mine, theirs) = tokio::join!(database.client.query_one(days, &[]), other.query_one(days, &[]));
    assert_eq!(
        mine.unwrap().get::<_, i32>(0) + theirs.unwrap().get::<_, i32>(0),
        2
    );
    assert_eq!(
        database.list(places).await,
        expected("6raw.realtime_events_20260320")
    );
    // The identity holds in the partition too.
    worker.checkpoint = 0;
    database
        .run("UPDATE ops.offsets SET next_offset = 0; DELETE FROM staging.transaction")
        .await;
    worker
        .apply(vec![put(
            Table::Transaction,
            Op::Create,
            5,
            order_at(6, "1", "pending", "2026-03-20T00:00:00"),
        )])
        .await;
    assert_eq!(
        database
            .value::<i64>("SELECT count(*) FROM raw.realtime_events")
            .await,
        6
    );
}
