//! Values PostgreSQL cannot hold never block a partition.

use instashop_core::batch::Tally;
use instashop_core::change::{Moment, Op, Value};
use instashop_core::table::Table;

use instashop_store::warehouse::{DeadLetters, Filter, LetterState};

use super::cluster::Database;
use super::shop::{Worker, now, order, partition, put, rejected, row};

#[tokio::test]
async fn odd_values_are_made_to_fit() {
    let database = Database::ready().await;
    let mut worker = Worker::start(database.sink("a"), partition("transaction", 0)).await;
    let mut odd = order(1, "79228162514264337593543950335", "com\0pleted");
    odd.values[3] = Value::Timestamp(Moment::Micros(i64::MIN + 1));
    odd.extra
        .insert("no\0te".into(), serde_json::json!(["\0", {"a\0": 1e300}]));
    let mut behaviour = row(
        Table::UserBehavior,
        &["1", "3", "view", "-", "-", "2026-03-10T10:00:00", "{}"],
    );
    behaviour.values[3] = Value::Int(i64::MAX);
    let stock = row(Table::Stock, &["1", "8", "99999999999", "-", "-"]);
    let tally = worker
        .apply(vec![
            put(Table::Transaction, Op::Create, 5, odd),
            put(Table::UserBehavior, Op::Create, 6, behaviour),
            put(Table::Stock, Op::Create, u64::from(u32::MAX), stock),
        ])
        .await;
    assert_eq!(
        tally,
        Tally {
            applied: 3,
            ..Tally::default()
        }
    );
    assert_eq!(
        database.list("SELECT concat_ws('|', transaction_date, total_amount, status, _extra->'note'->1->'a' IS NOT NULL) FROM staging.transaction").await,
        ["-infinity|79228162514264337593543950335|completed|t"]
    );
    assert_eq!(
        database
            .value::<Option<i64>>("SELECT core.cents(amount_rc) FROM core.orders")
            .await,
        None
    );
    assert_eq!(
        database.list("SELECT _lsn::text FROM staging.stock").await,
        ["0/FFFFFFFF"]
    );
}

#[tokio::test]
async fn a_refused_value_becomes_a_dead_letter_and_the_rest_of_the_batch_goes_on() {
    let database = Database::ready().await;
    let mut worker = Worker::start(database.sink("a"), partition("transaction", 0)).await;
    let behaviour = |key: i64, metadata: &str| {
        let values = [
            &key.to_string(),
            "3",
            "view",
            "-",
            "-",
            "2026-03-10T10:00:00",
            metadata,
        ];
        put(
            Table::UserBehavior,
            Op::Create,
            5,
            row(Table::UserBehavior, &values),
        )
    };
    let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    let records = (1..=40).map(|key| match key {
        7 => behaviour(7, "{broken"),
        23 => behaviour(23, &deep),
        24 => behaviour(24, "1e999999"),
        key => behaviour(key, "{}"),
    });
    let tally = worker.apply(records.collect()).await;
    assert_eq!(
        tally,
        Tally {
            applied: 37,
            rejected: 3,
            ..Tally::default()
        }
    );
    assert_eq!(
        database
            .list("SELECT \"offset\" || reason FROM ops.dead_letters ORDER BY \"offset\"")
            .await,
        [
            "6refused_by_warehouse",
            "22refused_by_warehouse",
            "23refused_by_warehouse"
        ]
    );
    let detail: String = database
        .value("SELECT detail FROM ops.dead_letters WHERE \"offset\" = 6")
        .await;
    assert!(detail.contains("invalid input syntax for type json"), "{detail}");
    assert_eq!(
        database
            .value::<i64>("SELECT count(*) FROM staging.userbehavior")
            .await,
        37
    );
    assert_eq!(
        database.value::<i64>("SELECT next_offset FROM ops.offsets").await,
        40
    );
}

#[tokio::test]
async fn dead_letters_are_listed_shown_and_discarded() {
    let database = Database::ready().await;
    let mut worker = Worker::start(database.sink("a"), partition("transaction", 0)).await;
    let letters = [
        ("bad_json", b"{\x00\xff".as_slice()),
        ("bad_json", b"["),
        ("wrong_type", b"{}"),
    ];
    worker
        .apply_all(
            letters
                .iter()
                .map(|(reason, bytes)| rejected(reason, bytes))
                .collect(),
        )
        .await;
    let desk = DeadLetters::connect(&database.config).await.unwrap();
    let all = Filter::default();
    let json = Filter {
        reason: Some("bad_json".into()),
        ..Filter::default()
    };
    let reasons: Vec<_> = desk
        .reasons(&all)
        .await
        .unwrap()
        .iter()
        .map(|found| (found.reason.clone(), found.letters))
        .collect();
    assert_eq!(
        reasons,
        [("bad_json".to_owned(), 2), ("wrong_type".to_owned(), 1)]
    );
    let listed = desk.list(&json, 10).await.unwrap();
    assert_eq!(
        listed
            .iter()
            .map(|letter| (letter.offset, letter.size))
            .collect::<Vec<_>>(),
        [(1, Some(1)), (0, Some(3))]
    );
    assert_eq!(desk.list(&all, 1).await.unwrap().len(), 1);
    let shown = desk.show(listed[1].id).await.unwrap().unwrap();
    assert_eq!(
        (shown.value.as_deref(), shown.state, shown.partition),
        (Some(letters[0].1), LetterState::Open, worker.partition.clone())
    );
    assert_eq!(desk.show(-1).await.unwrap(), None);

    let one = Filter {
        ids: Some(vec![shown.id]),
        ..Filter::default()
    };
    assert_eq!(desk.discard(&one, "ana", now()).await.unwrap(), 1);
    assert_eq!(
        desk.discard(&one, "bob", now()).await.unwrap(),
        0,
        "only open ones"
    );
    let after = desk.show(shown.id).await.unwrap().unwrap();
    assert_eq!(
        (after.state, after.state_by.as_deref(), after.state_at),
        (LetterState::Discarded, Some("ana"), Some(now()))
    );
    let open = Filter {
        state: Some(LetterState::Open),
        ..Filter::default()
    };
    assert_eq!(desk.count(&open).await.unwrap(), 2);
    for (filter, expected) in [
        (
            Filter {
                topic: Some("buyer".into()),
                ..Filter::default()
            },
            0,
        ),
        (
            Filter {
                since: Some(now()),
                ..Filter::default()
            },
            3,
        ),
        (
            Filter {
                until: Some(now()),
                ..Filter::default()
            },
            0,
        ),
    ] {
        assert_eq!(desk.count(&filter).await.unwrap(), expected, "{filter:?}");
    }

    // What is open can be handed over with its bytes, in pieces, and is marked afterwards.
    let first = desk.to_replay(&all, 0, 1).await.unwrap();
    assert_eq!((first.len(), first[0].value.as_deref()), (1, Some(letters[1].1)));
    let rest = desk.to_replay(&all, first[0].id, 10).await.unwrap();
    assert_eq!(rest.len(), 1);
    let ids = [shown.id, first[0].id, rest[0].id];
    assert_eq!(
        desk.replayed(&ids, "ana", now()).await.unwrap(),
        2,
        "only open ones"
    );
    assert_eq!(desk.to_replay(&all, 0, 10).await.unwrap(), []);
    assert_eq!(
        desk.show(first[0].id).await.unwrap().unwrap().state,
        LetterState::Replayed
    );
}
