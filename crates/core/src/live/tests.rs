mod sealed;
mod timelines;

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};

use super::*;
use crate::batch::{Batch, BatchRecord, Tally};
use crate::change::{Change, Moment, Op, Record, Row, Value};
use crate::checkpoint::{Partition, Step as Stretch};
use crate::config::Meaning;
use crate::contribution::{Bucket, Calendar, Cell, Measure, Scope};
use crate::position::Position;
use crate::table::{ColumnKind, Table};

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_790_000_000, 0).unwrap()
}

/// A row of a table from texts in the order of its columns; `-` is NULL.
fn row(table: Table, texts: &[&str]) -> Row {
    let columns = table.columns();
    let value = |(index, column): (usize, &crate::table::Column)| match (texts.get(index), column.kind) {
        (None | Some(&"-"), _) => Value::Null,
        (Some(text), ColumnKind::BigInt | ColumnKind::Int) => Value::Int(text.parse().unwrap()),
        (Some(text), ColumnKind::Money) => Value::Decimal(text.parse().unwrap()),
        (Some(text), ColumnKind::Timestamp) => {
            let at = now() + TimeDelta::seconds(text.parse().unwrap());
            Value::Timestamp(Moment::Micros(at.timestamp_micros()))
        }
        (Some(text), ColumnKind::Text) => Value::Text((*text).to_owned()),
        (Some(text), ColumnKind::Json) => Value::Json((*text).to_owned()),
    };
    Row {
        values: columns.iter().enumerate().map(value).collect(),
        extra: BTreeMap::new(),
    }
}

fn change(table: Table, key: i64, op: Op, lsn: u64, texts: &[&str]) -> Change {
    let snapshot = op == Op::Read;
    Change {
        source: table.source(),
        table,
        key,
        op,
        before: None,
        after: (op != Op::Delete).then(|| row(table, texts)),
        position: if snapshot {
            Position::snapshot(0)
        } else {
            Position::streamed(0, lsn)
        },
        lsn,
        tx_id: None,
        committed_at: now() + TimeDelta::seconds(i64::try_from(lsn).unwrap()),
        snapshot,
        repair: false,
    }
}

fn tombstone(table: Table, key: i64) -> Record {
    Record::Tombstone {
        table: Some(table),
        key: Some(key),
    }
}

/// A store of states, and batches that are applied to it.
#[derive(Default)]
struct Store(BTreeMap<StateId, Stored>);

impl Store {
    fn apply(&mut self, records: Vec<Record>) -> Step {
        self.apply_at(now(), records)
    }

    fn apply_at(&mut self, now: DateTime<Utc>, records: Vec<Record>) -> Step {
        self.apply_in(Window::open(now), records)
    }

    fn apply_in(&mut self, window: Window, records: Vec<Record>) -> Step {
        let batch = Batch {
            steps: vec![Stretch {
                partition: Partition {
                    topic: "t".into(),
                    number: 0,
                },
                epoch: 1,
                base: 0,
                next: 99,
            }],
            records: records
                .into_iter()
                .zip(0..)
                .map(|(record, offset)| BatchRecord {
                    step: 0,
                    offset,
                    kafka_at: None,
                    content: Ok(record),
                })
                .collect(),
        };
        let meaning = Meaning::default();
        let mut run = Run::new(&batch, window, &meaning);
        let mut read = BTreeMap::new();
        let done = loop {
            match run.go_on(&read).unwrap() {
                Progress::Read(ids) => read.extend(
                    ids.into_iter()
                        .map(|id| (id, self.0.get(&id).cloned().unwrap_or_default())),
                ),
                Progress::Done(done) => break *done,
            }
        };
        for write in &done.writes.states {
            self.0.insert(write.id, write.new.clone());
        }
        done
    }

    /// Applies one change; gives (applied, unchanged, older) and what the tape says of it.
    fn one(&mut self, change: Change) -> ((u64, u64, u64), Vec<String>) {
        let done = self.apply(vec![Record::Change(Box::new(change))]);
        let Tally {
            applied,
            unchanged,
            older,
            ..
        } = done.tally;
        let tape = done.writes.tape.iter();
        let said = tape.map(|entry| format!("{} {} {}", entry.what, entry.op, entry.state));
        ((applied, unchanged, older), said.collect())
    }
}

const APPLIED: (u64, u64, u64) = (1, 0, 0);
const UNCHANGED: (u64, u64, u64) = (0, 1, 0);
const OLDER: (u64, u64, u64) = (0, 0, 1);

/// Every change has one fate, and the tape tells of those alone that moved something and were streamed.
#[test]
fn fates_and_the_tape() {
    let order = |op, lsn, status| {
        let texts = ["1", "5", "3", "-60", "10.00", "paypal", status];
        change(Table::Transaction, 1, op, lsn, &texts)
    };
    let line = |op, lsn, order, quantity| {
        change(
            Table::TransactionDetail,
            9,
            op,
            lsn,
            &["9", order, "2", quantity, "5.00"],
        )
    };
    let stock = |op, lsn, quantity| change(Table::Stock, 4, op, lsn, &["4", "2", quantity, "0", "North"]);
    let shipment = |op, lsn, status| {
        change(
            Table::Shipment,
            7,
            op,
            lsn,
            &["7", "1", "5", "x", "Express", status, "-"],
        )
    };
    let repair = |change: Change| Change {
        repair: true,
        ..change
    };
    let cases = vec![
        (order(Op::Read, 0, "pending"), APPLIED, ""),
        (order(Op::Read, 0, "pending"), UNCHANGED, ""),
        (order(Op::Update, 10, "pending"), UNCHANGED, ""),
        (order(Op::Update, 11, "completed"), APPLIED, "order u completed"),
        (order(Op::Update, 11, "failed"), OLDER, ""),
        (repair(order(Op::Update, 12, "failed")), APPLIED, ""),
        (order(Op::Delete, 13, ""), APPLIED, "fail d deleted"),
        (order(Op::Delete, 14, ""), UNCHANGED, ""),
        (line(Op::Create, 10, "1", "2"), APPLIED, ""),
        (line(Op::Update, 11, "1", "2"), UNCHANGED, ""),
        (line(Op::Update, 12, "1", "3"), APPLIED, ""),
        (line(Op::Update, 13, "2", "3"), APPLIED, ""),
        (line(Op::Delete, 14, "", ""), APPLIED, ""),
        (line(Op::Delete, 15, "", ""), UNCHANGED, ""),
        (stock(Op::Read, 0, "8"), APPLIED, ""),
        (stock(Op::Update, 10, "7"), APPLIED, "stock u 8 → 7"),
        (stock(Op::Update, 11, "7"), UNCHANGED, ""),
        (stock(Op::Update, 9, "1"), OLDER, ""),
        (repair(stock(Op::Update, 12, "6")), APPLIED, ""),
        (shipment(Op::Create, 10, "pending"), APPLIED, "ship c pending"),
        (shipment(Op::Update, 11, "pending"), UNCHANGED, ""),
        (shipment(Op::Update, 12, "delivered"), APPLIED, "ship u delivered"),
        (shipment(Op::Delete, 13, ""), APPLIED, "ship d deleted"),
    ];
    let mut store = Store::default();
    for (number, (change, fate, tape)) in cases.into_iter().enumerate() {
        let what = format!("case {number}: {:?} of {:?}", change.op, change.table);
        let (is, said) = store.one(change);
        assert_eq!((is, said.join(", ").as_str()), (fate, tape), "{what}");
    }
}

/// A repair is no news of its source: it does not make the totals look fresher than they are.
#[test]
fn freshness_is_that_of_the_source() {
    let product = |lsn| {
        change(
            Table::Product,
            2,
            Op::Update,
            lsn,
            &["2", "3", "Mug", "-", "Home"],
        )
    };
    let mut store = Store::default();
    let mut late = product(20);
    late.repair = true;
    let done = store.apply(vec![
        Record::Change(Box::new(product(10))),
        Record::Change(Box::new(late)),
    ]);
    assert_eq!(done.writes.as_of, Some(now() + TimeDelta::seconds(10)));
}

/// A bucket takes corrections until the moment its life ends, and none from that moment on: a correction alone would bring
/// it back.
#[test]
fn a_bucket_past_its_life_takes_nothing() {
    let meaning = Meaning::default();
    let calendar = Calendar::new(meaning.tz());
    let paid = (now() - TimeDelta::seconds(60)).timestamp_micros();
    let mut lives: Vec<(Bucket, DateTime<Utc>)> = calendar
        .buckets(paid)
        .into_iter()
        .flatten()
        .filter_map(|bucket| Some((bucket, calendar.end_of_life(bucket)?)))
        .collect();
    lives.sort_by_key(|(_, end)| *end);
    let (bucket, end) = lives[0];
    for (moment, takes) in [(end - TimeDelta::microseconds(1), true), (end, false)] {
        let texts = ["1", "5", "3", "-60", "10.00", "paypal", "completed"];
        let order = change(Table::Transaction, 1, Op::Create, 5, &texts);
        let done = Store::default().apply_at(moment, vec![Record::Change(Box::new(order))]);
        let revenue = Cell::Total {
            scope: Scope::Platform,
            bucket,
            measure: Measure::Revenue,
        };
        assert_eq!(
            done.writes.deltas.contains_key(&revenue),
            takes,
            "{bucket:?} at {moment}"
        );
    }
}

/// A null value deletes what is there, once.
#[test]
fn a_tombstone_deletes_once() {
    let rows = [
        change(
            Table::Transaction,
            1,
            Op::Create,
            5,
            &["1", "5", "3", "-60", "10.00", "x", "completed"],
        ),
        change(
            Table::TransactionDetail,
            9,
            Op::Create,
            5,
            &["9", "1", "2", "1", "5.00"],
        ),
        change(Table::Product, 2, Op::Create, 5, &["2", "3", "Mug", "-", "Home"]),
        change(
            Table::UserBehavior,
            6,
            Op::Create,
            5,
            &["6", "3", "search", "2", "s", "-60", "{}"],
        ),
        change(Table::Stock, 4, Op::Create, 5, &["4", "2", "8", "0", "North"]),
        change(
            Table::Shipment,
            7,
            Op::Create,
            5,
            &["7", "1", "5", "x", "Express", "pending", "-"],
        ),
    ];
    for row in rows {
        let (table, key) = (row.table, row.key);
        let mut store = Store::default();
        let fates = [
            vec![tombstone(table, key)],
            vec![Record::Change(Box::new(row)), tombstone(table, key)],
            vec![tombstone(table, key)],
        ]
        .map(|records| {
            let tally = store.apply(records).tally;
            (tally.applied, tally.not_a_row)
        });
        assert_eq!(fates, [(0, 1), (2, 0), (0, 1)], "{table:?}");
    }
}

/// The currency of an order is that of its products, which come on another topic: an order that is computed before its
/// product came is marked to be computed again exactly when that changes it.
#[test]
fn orders_are_computed_again_when_a_currency_turns_out_to_be_another() {
    let order = || {
        change(
            Table::Transaction,
            1,
            Op::Create,
            5,
            &["1", "5", "3", "-60", "10.00", "paypal", "completed"],
        )
    };
    let line = |id: &'static str, product: &'static str| {
        let key = id.parse().unwrap();
        change(
            Table::TransactionDetail,
            key,
            Op::Create,
            6,
            &[id, "1", product, "1", "5.00"],
        )
    };
    let product = |id: &'static str, lsn, currency: &'static str| {
        let key = id.parse().unwrap();
        let texts = [id, "3", "Mug", "-", "Home", "5.00", currency, "active"];
        change(Table::Product, key, Op::Create, lsn, &texts)
    };
    let marked = |step: &Step| {
        let marks = step.writes.deltas.keys().filter_map(|cell| match cell {
            Cell::Repricing { product } => Some(*product),
            _ => None,
        });
        marks.collect::<Vec<_>>()
    };
    let one = |store: &mut Store, change| marked(&store.apply(vec![Record::Change(Box::new(change))]));
    let none = Vec::<i64>::new();

    let mut store = Store::default();
    assert_eq!(
        one(&mut store, product("7", 1, "ARS")),
        none,
        "nobody waits for it"
    );
    for change in [order(), line("1", "7")] {
        assert_eq!(one(&mut store, change), none);
    }
    assert_eq!(
        one(&mut store, product("7", 2, "usd")),
        [7],
        "another than it was"
    );
    assert_eq!(one(&mut store, product("7", 3, "USD")), none, "the same");

    let mut store = Store::default();
    for change in [order(), line("1", "7"), line("2", "8")] {
        one(&mut store, change);
    }
    assert_eq!(
        one(&mut store, product("7", 1, "USD")),
        none,
        "as it was taken to be"
    );
    assert_eq!(one(&mut store, product("8", 2, "ZAR")), [8]);

    let mut store = Store::default();
    one(&mut store, product("8", 1, "ZAR"));
    for change in [order(), line("1", "7"), line("2", "8")] {
        one(&mut store, change);
    }
    assert_eq!(
        one(&mut store, product("7", 2, "USD")),
        [7],
        "USD comes before ZAR, so the order is in USD now"
    );
}

/// What an order took from a product's currency is compared when the batch is written, or a product batch in between would
/// be overlooked.
#[test]
fn the_currency_an_order_was_computed_with_is_compared() {
    let mut store = Store::default();
    let texts = ["7", "3", "Mug", "-", "Home", "5.00", "ARS", "active"];
    let product = change(Table::Product, 7, Op::Create, 1, &texts);
    store.apply(vec![Record::Change(Box::new(product))]);
    let stored = store.0[&StateId::Tender(7)].clone();
    let changes = [
        change(
            Table::Transaction,
            1,
            Op::Create,
            5,
            &["1", "5", "3", "-60", "10.00", "paypal", "completed"],
        ),
        change(
            Table::TransactionDetail,
            9,
            Op::Create,
            6,
            &["9", "1", "7", "1", "5.00"],
        ),
    ];
    let records = changes.map(|change| Record::Change(Box::new(change)));
    let done = store.apply(records.into());
    let mut compared = done.writes.states.iter();
    let tender = compared.find(|write| write.id == StateId::Tender(7)).unwrap();
    assert_eq!(
        (tender.expected.as_str(), &tender.new),
        (stored.digest(), &stored)
    );
}
