//! Values PostgreSQL cannot hold never block a partition.

use instashop_core::batch::Tally;
use instashop_core::change::{Moment, Op, Value};
use instashop_core::table::Table;

use super::cluster::Database;
use super::shop::{Worker, order, partition, put, row};

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
            .value::<i64>("SELECT core.cents(amount_rc) FROM core.orders")
            .await,
        i64::MAX
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
