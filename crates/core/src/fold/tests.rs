use super::*;
use crate::batch::Rejected;
use crate::change::{Moment, NotARow};
use crate::checkpoint::{Partition, Step};
use crate::table::SourceDb;
use proptest::prelude::*;

const TABLE: Table = Table::Transaction;

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_760_000_000 + seconds, 0).unwrap()
}

/// An order whose amount and status are all that matters.
fn order(key: i64, cents: i64, status: &str) -> Row {
    Row {
        values: vec![
            Value::Int(key),
            Value::Int(7),
            Value::Int(3),
            Value::Timestamp(Moment::Micros(1_759_000_000_000_000)),
            Value::Decimal(rust_decimal::Decimal::new(cents, 2)),
            Value::Text("PayPal".into()),
            Value::Text(status.into()),
        ],
        extra: BTreeMap::new(),
    }
}

fn change(key: i64, op: Op, lsn: u64, after: Option<Row>) -> Change {
    let snapshot = op == Op::Read;
    Change {
        source: SourceDb::Instashop,
        table: TABLE,
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
        tx_id: Some(lsn),
        committed_at: at(lsn as i64),
        snapshot,
        repair: false,
    }
}

fn tombstone(key: i64) -> Record {
    Record::Tombstone {
        table: Some(TABLE),
        key: Some(key),
    }
}

fn batch(from: i64, records: Vec<Record>) -> Batch {
    let next = from + records.len() as i64;
    Batch {
        steps: vec![Step {
            partition: Partition {
                topic: "transaction".into(),
                number: 0,
            },
            epoch: 1,
            base: from,
            next,
        }],
        records: records
            .into_iter()
            .enumerate()
            .map(|(index, record)| BatchRecord {
                step: 0,
                offset: from + index as i64,
                kafka_at: None,
                content: Ok(record),
            })
            .collect(),
    }
}

/// What the warehouse remembers: images, and the last delete of the one partition.
#[derive(Default)]
struct Store {
    images: HashMap<(Table, i64), Stored>,
    deletes: Vec<LastDelete>,
}

fn apply(store: &mut Store, batch: &Batch) -> Effects {
    let loaded = keys(batch)
        .into_iter()
        .flat_map(|(table, keys)| keys.into_iter().map(move |key| (table, key)));
    let loaded: Vec<_> = loaded
        .filter_map(|id| Some((id, store.images.get(&id)?.clone())))
        .collect();
    let effects = fold(batch, loaded, &store.deletes);
    store.deletes.clone_from(&effects.deletes);
    for (table, rows) in &effects.rows {
        for (key, stored) in rows {
            store.images.insert((*table, *key), stored.clone());
        }
    }
    effects
}

fn streamed(key: i64, op: Op, lsn: u64, after: Option<Row>) -> Record {
    Record::Change(Box::new(change(key, op, lsn, after)))
}

/// `name`, records, expected event types, expected (applied, unchanged, older, not a row), live image at the end.
type Case = (
    &'static str,
    Vec<Record>,
    Vec<&'static str>,
    (u64, u64, u64, u64),
    Option<Row>,
);

#[test]
fn one_key() {
    let new = |lsn| streamed(1, Op::Create, lsn, Some(order(1, 100, "pending")));
    let paid = |lsn| streamed(1, Op::Update, lsn, Some(order(1, 100, "completed")));
    let gone = |lsn| streamed(1, Op::Delete, lsn, None);
    let read = |lsn, status| streamed(1, Op::Read, lsn, Some(order(1, 100, status)));
    let repair = |op, lsn, after| {
        let mut change = change(1, op, lsn, after);
        change.repair = true;
        Record::Change(Box::new(change))
    };
    let mut amount_missing = order(1, 0, "completed");
    amount_missing.values[4] = Value::Missing;
    let mut amount_null = amount_missing.clone();
    amount_null.values[4] = Value::Null;
    let pending = || Some(order(1, 100, "pending"));
    let completed = || Some(order(1, 100, "completed"));
    let cases: Vec<Case> = vec![
        ("nothing", vec![], vec![], (0, 0, 0, 0), None),
        (
            "first image",
            vec![new(5)],
            vec!["transaction"],
            (1, 0, 0, 0),
            pending(),
        ),
        (
            "first seen by update",
            vec![paid(5)],
            vec!["transaction"],
            (1, 0, 0, 0),
            completed(),
        ),
        (
            "update, its replay, an older replay",
            vec![new(5), paid(9), paid(9), new(5)],
            vec!["transaction", "transaction_updated"],
            (2, 0, 2, 0),
            completed(),
        ),
        (
            "delete with its tombstone",
            vec![new(5), gone(9), tombstone(1)],
            vec!["transaction", "transaction_deleted"],
            (2, 0, 0, 1),
            None,
        ),
        (
            "tombstone whose delete was lost, then the delete",
            vec![new(5), tombstone(1), gone(9)],
            vec!["transaction", "transaction_deleted"],
            (2, 1, 0, 0),
            None,
        ),
        (
            "tombstone of an unknown key",
            vec![tombstone(1)],
            vec![],
            (0, 0, 0, 1),
            None,
        ),
        (
            "delete of an unknown key is logged and leaves the bare type free",
            vec![gone(4), new(5)],
            vec!["transaction_deleted", "transaction"],
            (1, 1, 0, 0),
            pending(),
        ),
        (
            "key used again, with a replay of everything",
            vec![
                new(5),
                gone(9),
                tombstone(1),
                paid(12),
                new(5),
                gone(9),
                tombstone(1),
                paid(12),
            ],
            vec!["transaction", "transaction_deleted", "transaction_updated"],
            (3, 0, 3, 2),
            completed(),
        ),
        (
            "snapshot row that says what is stored",
            vec![new(5), read(8, "pending"), read(20, "pending")],
            vec!["transaction"],
            (1, 2, 0, 0),
            pending(),
        ),
        (
            "snapshot row that differs, then a streamed change with a lower lsn",
            vec![new(5), read(8, "failed"), paid(7)],
            vec!["transaction", "transaction_snapshot", "transaction_updated"],
            (3, 0, 0, 0),
            completed(),
        ),
        (
            "snapshot row of a deleted key brings it back",
            vec![new(5), gone(6), read(8, "pending")],
            vec!["transaction", "transaction_deleted", "transaction_snapshot"],
            (3, 0, 0, 0),
            pending(),
        ),
        (
            "value that did not come keeps the stored one",
            vec![new(5), streamed(1, Op::Update, 9, Some(amount_missing.clone()))],
            vec!["transaction", "transaction_updated"],
            (2, 0, 0, 0),
            completed(),
        ),
        (
            "value that never came",
            vec![streamed(1, Op::Update, 9, Some(amount_missing))],
            vec!["transaction"],
            (1, 0, 0, 0),
            Some(amount_null),
        ),
        (
            "repairs are judged like any record at their place",
            vec![
                repair(Op::Read, 3, pending()),
                repair(Op::Create, 5, pending()),
                paid(9),
                repair(Op::Create, 5, pending()),
            ],
            vec!["transaction", "transaction_updated", "transaction_updated"],
            (3, 0, 1, 0),
            completed(),
        ),
        (
            "other traffic",
            vec![
                Record::NotARow(NotARow::Message),
                Record::Heartbeat {
                    prefix: "erp".into(),
                    at: at(0),
                },
                Record::Tombstone {
                    table: None,
                    key: None,
                },
            ],
            vec![],
            (0, 0, 0, 3),
            None,
        ),
    ];
    for (name, records, types, (applied, unchanged, older, not_a_row), image) in cases {
        let total = records.len() as u64;
        // One batch, and one batch per record, must come to the same.
        for size in [records.len().max(1), 1] {
            let mut store = Store::default();
            let mut seen = Vec::new();
            let mut tally = Tally::default();
            for (index, part) in records.chunks(size).enumerate() {
                let effects = apply(&mut store, &batch((index * size) as i64, part.to_vec()));
                seen.extend(effects.events.iter().map(Event::name));
                tally.applied += effects.tally.applied;
                tally.unchanged += effects.tally.unchanged;
                tally.older += effects.tally.older;
                tally.not_a_row += effects.tally.not_a_row;
            }
            assert_eq!(seen, types, "{name}");
            let expected = Tally {
                applied,
                unchanged,
                older,
                not_a_row,
                ..Tally::default()
            };
            assert_eq!(tally, expected, "{name}");
            assert_eq!(
                applied + unchanged + older + not_a_row,
                total,
                "{name}: conservation"
            );
            let live = store.images.get(&(TABLE, 1)).filter(|stored| !stored.deleted);
            assert_eq!(live.map(|stored| stored.row.clone()), image, "{name}");
        }
    }
}

#[test]
fn transitions_end_each_other_and_a_delete_ends_the_last() {
    let records = vec![
        streamed(1, Op::Create, 5, Some(order(1, 100, "pending"))),
        streamed(1, Op::Update, 6, Some(order(1, 200, "pending"))),
        streamed(1, Op::Update, 9, Some(order(1, 200, "completed"))),
        streamed(1, Op::Delete, 12, None),
    ];
    let effects = apply(&mut Store::default(), &batch(0, records));
    let seen: Vec<_> = effects
        .transitions
        .iter()
        .map(|transition| {
            let status = transition.values.as_ref().map(|values| values[0].clone());
            (transition.lsn, status, transition.until)
        })
        .collect();
    let text = |status: &str| Some(Value::Text(status.into()));
    let expected = vec![
        (5, text("pending"), Some(at(9))),
        (9, text("completed"), Some(at(12))),
        (12, None, None),
    ];
    assert_eq!(seen, expected);
}

/// A snapshot row that says what is stored is no event, and is written all the same where it changes what the next change
/// is measured by; said once more it is nothing at all.
#[test]
fn a_snapshot_row_without_news_moves_the_position_once() {
    let pending = || Some(order(1, 100, "pending"));
    let read = || streamed(1, Op::Read, 3, pending());
    for (name, before) in [
        ("after a streamed image", streamed(1, Op::Create, 5, pending())),
        (
            "after a change without a position",
            streamed(1, Op::Create, 0, pending()),
        ),
    ] {
        let mut store = Store::default();
        apply(&mut store, &batch(0, vec![before]));
        let first = apply(&mut store, &batch(1, vec![read()]));
        assert_eq!((first.events.len(), first.tally.unchanged), (0, 1), "{name}");
        let stored = &first.rows[&Table::Transaction][0].1;
        assert_eq!((stored.position.lsn, stored.snapshot), (0, true), "{name}");
        let second = apply(&mut store, &batch(2, vec![read()]));
        assert_eq!((second.rows.len(), second.tally.unchanged), (0, 1), "{name}");
        // The same position, and something new: it is written.
        let completed = Some(order(1, 100, "completed"));
        let third = apply(
            &mut store,
            &batch(3, vec![streamed(1, Op::Read, 3, completed.clone())]),
        );
        assert_eq!(
            Some(&third.rows[&Table::Transaction][0].1.row),
            completed.as_ref(),
            "{name}"
        );
    }
}

/// A tombstone alone has no position: whatever comes after it in Kafka applies. One behind a delete that was dropped as a
/// replay is dropped with it, whatever shape the delete has.
#[test]
fn what_follows_a_tombstone() {
    let create = |lsn| streamed(1, Op::Create, lsn, Some(order(1, 100, "pending")));
    let mut store = Store::default();
    apply(&mut store, &batch(0, vec![create(50), tombstone(1)]));
    assert!(store.images[&(TABLE, 1)].deleted);
    let again = apply(&mut store, &batch(2, vec![create(3)]));
    assert_eq!(
        (again.tally.applied, store.images[&(TABLE, 1)].deleted),
        (1, false)
    );
    for delete in [
        streamed(1, Op::Delete, 2, None),
        streamed(1, Op::Delete, 2, Some(order(1, 100, "pending"))),
        streamed(1, Op::Update, 2, None),
    ] {
        let replayed = apply(&mut store, &batch(3, vec![delete, tombstone(1)]));
        assert_eq!((replayed.tally.older, replayed.tally.not_a_row), (1, 1));
        assert!(!store.images[&(TABLE, 1)].deleted);
    }
}

/// One upsert cannot hit a row twice, so a batch leaves one image per key; the log and the history keep every step.
#[test]
fn pitfall_21_a_key_twice_in_one_batch() {
    let mut store = Store::default();
    let records = vec![
        streamed(1, Op::Create, 5, Some(order(1, 100, "pending"))),
        streamed(2, Op::Create, 6, Some(order(2, 100, "pending"))),
        streamed(1, Op::Update, 7, Some(order(1, 150, "completed"))),
        streamed(1, Op::Delete, 8, None),
        streamed(1, Op::Create, 9, Some(order(1, 200, "failed"))),
    ];
    let effects = apply(&mut store, &batch(0, records));
    let rows = &effects.rows[&Table::Transaction];
    assert_eq!(rows.iter().map(|(key, _)| *key).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(rows[0].1.row, order(1, 200, "failed"));
    assert_eq!(effects.events.len(), 5);
    let of_first = effects
        .transitions
        .iter()
        .filter(|transition| transition.key == 1);
    assert_eq!(of_first.count(), 4, "created, completed, deleted, created again");
}

#[test]
fn what_cannot_be_decoded_is_rejected_and_the_newest_commit_is_told_per_step() {
    let mut batch = batch(
        10,
        vec![
            streamed(1, Op::Create, 5, Some(order(1, 100, "pending"))),
            Record::Heartbeat {
                prefix: "erp".into(),
                at: at(90),
            },
            Record::NotARow(NotARow::Message),
        ],
    );
    batch.records[2].content = Err(Box::new(Rejected {
        reason: "bad_json".into(),
        detail: "x".into(),
        ..Rejected::default()
    }));
    // A repair is no news of its source, however late it was committed.
    let mut repair = change(1, Op::Update, 9, Some(order(1, 200, "pending")));
    (repair.repair, repair.committed_at) = (true, at(500));
    batch.records.push(BatchRecord {
        step: 0,
        offset: 20,
        kafka_at: None,
        content: Ok(Record::Change(Box::new(repair))),
    });
    let effects = fold(&batch, [], &[]);
    assert_eq!(effects.rejected, [2]);
    assert_eq!(effects.tally.rejected, 1);
    assert_eq!(effects.newest, [Some(at(90))]);
}

/// A step in the life of a source row.
#[derive(Debug, Clone)]
enum Life {
    /// Insert or update with an amount.
    Set(u8),
    /// Delete (nothing if absent).
    Delete,
    /// The connector crashes and publishes the last changes again.
    Replay(u8),
    /// A snapshot reads the table as it is.
    Snapshot,
}

fn life() -> impl Strategy<Value = Vec<(i64, Life)>> {
    let step = prop_oneof![
        5 => any::<u8>().prop_map(Life::Set),
        2 => Just(Life::Delete),
        1 => any::<u8>().prop_map(Life::Replay),
        1 => Just(Life::Snapshot),
    ];
    proptest::collection::vec((0..4i64, step), 1..60)
}

proptest! {
    /// Whatever the source did and however the connector repeated itself, the stored live images are the source's rows,
    /// every key has exactly one bare event, and the cuts into batches do not matter.
    #[test]
    fn stored_images_are_the_source(life in life(), cut in 1usize..9) {
        let mut source: BTreeMap<i64, Row> = BTreeMap::new();
        let mut lsn = 0;
        let mut log: Vec<Vec<Record>> = Vec::new();
        let mut records: Vec<Record> = Vec::new();
        for (key, step) in life {
            lsn += 1;
            let published = match step {
                Life::Set(amount) => {
                    let op = if source.contains_key(&key) { Op::Update } else { Op::Create };
                    let row = order(key, i64::from(amount), if amount % 2 == 0 { "pending" } else { "completed" });
                    source.insert(key, row.clone());
                    vec![streamed(key, op, lsn, Some(row))]
                }
                Life::Delete if source.remove(&key).is_some() => {
                    vec![streamed(key, Op::Delete, lsn, None), tombstone(key)]
                }
                Life::Delete => vec![],
                Life::Replay(back) => {
                    let from = log.len().saturating_sub(usize::from(back) % 16);
                    records.extend(log[from..].iter().flatten().cloned());
                    continue;
                }
                Life::Snapshot => {
                    // Rows are read from the table, so they say what the source holds now.
                    let rows = source.iter().map(|(key, row)| streamed(*key, Op::Read, lsn, Some(row.clone())));
                    records.extend(rows);
                    continue;
                }
            };
            records.extend(published.clone());
            log.push(published);
        }
        let mut store = Store::default();
        let mut bare: BTreeMap<i64, usize> = BTreeMap::new();
        for (index, part) in records.chunks(cut).enumerate() {
            let batch = batch((index * cut) as i64, part.to_vec());
            let effects = apply(&mut store, &batch);
            let tally = effects.tally;
            prop_assert_eq!(tally.applied + tally.unchanged + tally.older + tally.not_a_row, part.len() as u64);
            prop_assert!(effects.events.iter().all(|event| event.tx_id.is_some()), "a tombstone after its delete is no event");
            for event in effects.events.iter().filter(|event| event.kind == EventKind::First) {
                *bare.entry(event.key).or_default() += 1;
            }
        }
        let live: BTreeMap<i64, Row> = store
            .images
            .iter()
            .filter(|(_, stored)| !stored.deleted)
            .map(|((_, key), stored)| (*key, stored.row.clone()))
            .collect();
        prop_assert_eq!(live, source);
        prop_assert!(store.images.keys().all(|(_, key)| bare.get(key) == Some(&1)));
        prop_assert_eq!(bare.len(), store.images.len());
    }
}
