//! Changes of a small shop, and batches of them.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use instashop_core::batch::{Batch, BatchRecord, Outcome, Rejected, Tally};
use instashop_core::change::{Change, Moment, Op, Record, Row, Value};
use instashop_core::checkpoint::{Epoch, Partition, Step};
use instashop_core::position::Position;
use instashop_core::table::{ColumnKind, Table};
use instashop_store::Sink;
use instashop_store::warehouse::WarehouseSink;

pub(super) fn now() -> DateTime<Utc> {
    "2026-03-10T12:00:00Z".parse().unwrap()
}

/// Commit time of a change: its LSN in seconds before noon.
pub(super) fn at(lsn: i64) -> DateTime<Utc> {
    "2026-03-10T11:00:00Z".parse::<DateTime<Utc>>().unwrap() + chrono::TimeDelta::seconds(lsn)
}

pub(super) fn partition(topic: &str, number: i32) -> Partition {
    Partition {
        topic: topic.into(),
        number,
    }
}

/// A row from texts in the order of the catalogue; `-` is NULL, `?` did not come.
pub(super) fn row(table: Table, values: &[&str]) -> Row {
    let columns = table.columns();
    assert_eq!(columns.len(), values.len(), "{}", table.name());
    let values = columns
        .iter()
        .zip(values)
        .map(|(column, text)| match (*text, column.kind) {
            ("-", _) => Value::Null,
            ("?", _) => Value::Missing,
            (text, ColumnKind::BigInt | ColumnKind::Int) => Value::Int(text.parse().unwrap()),
            (text, ColumnKind::Money) => Value::Decimal(text.parse().unwrap()),
            (text, ColumnKind::Text) => Value::Text(text.into()),
            (text, ColumnKind::Json) => Value::Json(text.into()),
            ("infinity", ColumnKind::Timestamp) => Value::Timestamp(Moment::Infinity),
            (text, ColumnKind::Timestamp) => {
                let at: DateTime<Utc> = format!("{text}Z").parse().unwrap();
                Value::Timestamp(Moment::Micros(at.timestamp_micros()))
            }
        });
    Row {
        values: values.collect(),
        extra: BTreeMap::new(),
    }
}

pub(super) fn order(key: i64, amount: &str, status: &str) -> Row {
    order_at(key, amount, status, "2026-03-10T10:00:00")
}

pub(super) fn order_at(key: i64, amount: &str, status: &str, at: &str) -> Row {
    row(
        Table::Transaction,
        &[&key.to_string(), "5", "3", at, amount, "PayPal", status],
    )
}

pub(super) fn line(key: i64, order: i64, product: i64, quantity: i64, price: &str) -> Row {
    let [key, order, product, quantity] = [key, order, product, quantity].map(|number| number.to_string());
    row(
        Table::TransactionDetail,
        &[&key, &order, &product, &quantity, price],
    )
}

pub(super) fn product(key: i64, name: &str, category: &str) -> Row {
    row(
        Table::Product,
        &[
            &key.to_string(),
            "3",
            name,
            "-",
            category,
            "9.50",
            "USD",
            "active",
            "-",
        ],
    )
}

pub(super) fn customer(key: i64, name: &str, plan: &str) -> Row {
    row(
        Table::Customer,
        &[&key.to_string(), name, "-", "-", "-", plan, "-", "-"],
    )
}

/// A change; `lsn` also gives its commit time. Snapshot rows have position 0, as the decoder makes them.
pub(super) fn change(table: Table, key: i64, op: Op, lsn: u64, after: Option<Row>) -> Change {
    let snapshot = op == Op::Read;
    Change {
        source: table.source(),
        table,
        key,
        op,
        after,
        before: None,
        position: if snapshot {
            Position::snapshot(0)
        } else {
            Position::streamed(0, lsn)
        },
        lsn,
        tx_id: Some(700 + lsn),
        committed_at: at(lsn as i64),
        snapshot,
        repair: false,
    }
}

pub(super) fn put(table: Table, op: Op, lsn: u64, after: Row) -> Record {
    let Some(Value::Int(key)) = after.values.first().cloned() else {
        panic!("no key")
    };
    Record::Change(Box::new(change(table, key, op, lsn, Some(after))))
}

pub(super) fn delete(table: Table, key: i64, lsn: u64) -> Record {
    Record::Change(Box::new(change(table, key, Op::Delete, lsn, None)))
}

pub(super) fn tombstone(table: Table, key: i64) -> Record {
    Record::Tombstone {
        table: Some(table),
        key: Some(key),
    }
}

pub(super) type Content = Result<Record, Box<Rejected>>;

pub(super) fn rejected(reason: &str, value: &[u8]) -> Content {
    Err(Box::new(Rejected {
        reason: reason.into(),
        detail: "not JSON".into(),
        key: Some(b"{\"id\":1}".to_vec()),
        value: Some(value.to_vec()),
    }))
}

/// A worker with one partition: hands over records one batch after another.
pub(super) struct Worker {
    pub(super) sink: WarehouseSink,
    pub(super) partition: Partition,
    pub(super) epoch: Epoch,
    pub(super) checkpoint: i64,
}

impl Worker {
    pub(super) async fn start(mut sink: WarehouseSink, partition: Partition) -> Self {
        let owned = sink
            .recover(std::slice::from_ref(&partition), now())
            .await
            .unwrap()[0];
        Self {
            sink,
            partition,
            epoch: owned.epoch,
            checkpoint: owned.checkpoint,
        }
    }

    pub(super) fn batch(&self, contents: Vec<Content>) -> Batch {
        let (base, next) = (self.checkpoint, self.checkpoint + contents.len() as i64);
        let records = contents
            .into_iter()
            .enumerate()
            .map(|(index, content)| BatchRecord {
                step: 0,
                offset: base + index as i64,
                kafka_at: Some(at(0)),
                content,
            });
        Batch {
            steps: vec![Step {
                partition: self.partition.clone(),
                epoch: self.epoch,
                base,
                next,
            }],
            records: records.collect(),
        }
    }

    /// Applies records as one batch; it must be applied.
    pub(super) async fn apply(&mut self, records: Vec<Record>) -> Tally {
        self.apply_all(records.into_iter().map(Ok).collect()).await
    }

    pub(super) async fn apply_all(&mut self, contents: Vec<Content>) -> Tally {
        let batch = self.batch(contents);
        let outcome = self.sink.apply(&batch, now()).await.unwrap_or_else(|error| {
            panic!("{error}: {:?}", std::error::Error::source(&error));
        });
        let Outcome::Applied(tally) = outcome else {
            panic!("{outcome:?}")
        };
        self.checkpoint = batch.steps[0].next;
        tally
    }
}
