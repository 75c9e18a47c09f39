//! Changes and batches written by hand.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use instashop_core::batch::{Batch, BatchRecord, Outcome};
use instashop_core::change::{Change, Moment, Op, Record, Row, Value};
use instashop_core::checkpoint::{Partition, Step};
use instashop_core::position::Position;
use instashop_core::table::Table;
use instashop_store::Sink;
use instashop_store::live::LiveSink;
use rust_decimal::Decimal;

/// When the tests by hand take place.
pub fn noon() -> DateTime<Utc> {
    "2100-03-05T15:00:20Z".parse().unwrap()
}

/// A partition.
pub fn partition(topic: &str) -> Partition {
    Partition {
        topic: topic.to_owned(),
        number: 0,
    }
}

/// A streamed change of a row with these columns; `None` deletes.
pub fn change(table: Table, key: i64, lsn: u64, columns: Option<&[(&str, Value)]>) -> Record {
    let after = columns.map(|columns| {
        let mut values = vec![Value::Null; table.columns().len()];
        values[0] = Value::Int(key);
        for (name, value) in columns {
            values[table.column(name).unwrap()] = value.clone();
        }
        Row {
            values,
            extra: BTreeMap::new(),
        }
    });
    Record::Change(Box::new(Change {
        source: table.source(),
        table,
        key,
        op: if after.is_some() { Op::Update } else { Op::Delete },
        after,
        before: None,
        position: Position::streamed(0, lsn),
        lsn,
        tx_id: None,
        committed_at: noon(),
        snapshot: false,
        repair: false,
    }))
}

/// A completed order, paid by wire, of buyer 1 at noon.
pub fn order(key: i64, lsn: u64, cents: i64) -> Record {
    order_with(key, lsn, cents, "completed")
}

/// An order with a status.
pub fn order_with(key: i64, lsn: u64, cents: i64, status: &str) -> Record {
    change(
        Table::Transaction,
        key,
        lsn,
        Some(&[
            ("buyer_id", Value::Int(1)),
            ("customer_id", Value::Int(2)),
            (
                "transaction_date",
                Value::Timestamp(Moment::Micros(noon().timestamp_micros())),
            ),
            ("total_amount", Value::Decimal(Decimal::new(cents, 2))),
            ("payment_method", Value::Text("wire".into())),
            ("status", Value::Text(status.into())),
        ]),
    )
}

/// A line of an order.
pub fn line(key: i64, lsn: u64, order: i64, product: i64) -> Record {
    change(
        Table::TransactionDetail,
        key,
        lsn,
        Some(&[
            ("transaction_id", Value::Int(order)),
            ("product_id", Value::Int(product)),
            ("quantity", Value::Int(2)),
            ("unit_price", Value::Decimal(Decimal::new(500, 2))),
        ]),
    )
}

/// A product in a category.
pub fn product(key: i64, lsn: u64, category: &str) -> Record {
    change(
        Table::Product,
        key,
        lsn,
        Some(&[
            ("name", Value::Text(format!("product {key}"))),
            ("category", Value::Text(category.into())),
        ]),
    )
}

/// A stock row.
pub fn stock(key: i64, lsn: u64, quantity: i64) -> Record {
    change(
        Table::Stock,
        key,
        lsn,
        Some(&[
            ("available_quantity", Value::Int(quantity)),
            ("warehouse_location", Value::Text("BOG-1".into())),
        ]),
    )
}

/// A search by buyer 1 in session `s`.
pub fn search(key: i64, lsn: u64) -> Record {
    change(
        Table::UserBehavior,
        key,
        lsn,
        Some(&[
            ("event_type", Value::Text("search".into())),
            ("session_id", Value::Text("s".into())),
            (
                "timestamp",
                Value::Timestamp(Moment::Micros(noon().timestamp_micros())),
            ),
            ("metadata", Value::Json("{\"buyer_id\": 1}".into())),
        ]),
    )
}

/// A step.
pub fn step(topic: &str, epoch: u64, base: i64, next: i64) -> Step {
    Step {
        partition: partition(topic),
        epoch,
        base,
        next,
    }
}

/// One worker that owns topics and applies records one batch after another.
pub struct Desk {
    pub sink: LiveSink,
    pub steps: BTreeMap<String, Step>,
}

impl Desk {
    /// Takes over partition 0 of topics.
    pub async fn open(mut sink: LiveSink, topics: &[&str]) -> Self {
        let partitions: Vec<_> = topics.iter().map(|topic| partition(topic)).collect();
        let owned = sink.recover(&partitions, noon()).await.unwrap();
        let steps = topics.iter().zip(owned).map(|(topic, owned)| {
            (
                (*topic).to_owned(),
                step(topic, owned.epoch, owned.checkpoint, owned.checkpoint),
            )
        });
        let steps = steps.collect();
        Self { sink, steps }
    }

    /// The next batch of a topic with these records.
    pub fn batch(&self, topic: &str, records: Vec<Record>) -> Batch {
        let mut step = self.steps[topic].clone();
        step.next = step.base + records.len() as i64;
        Batch {
            records: records
                .into_iter()
                .enumerate()
                .map(|(index, record)| BatchRecord {
                    step: 0,
                    offset: step.base + index as i64,
                    kafka_at: None,
                    content: Ok(record),
                })
                .collect(),
            steps: vec![step],
        }
    }

    /// Applies records that must be applied.
    pub async fn apply(&mut self, topic: &str, records: Vec<Record>) {
        let batch = self.batch(topic, records);
        let outcome = self.sink.apply(&batch, noon()).await.unwrap();
        assert!(matches!(outcome, Outcome::Applied(_)), "{outcome:?}");
        self.steps.get_mut(topic).unwrap().base = batch.steps[0].next;
    }
}
