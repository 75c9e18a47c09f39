//! Recordings of a real connector: `testdata/debezium/*.jsonl`, one file for each configuration, and beside each what
//! its records decode to. A new case is a new file.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use chrono::{DateTime, SecondsFormat};
use instashop_core::change::{Change, Record, Row, Value};
use instashop_core::debezium::{DecodeError, Decoder, RawRecord, Settings, TimeUnit};
use instashop_core::table::Table;
use serde::Deserialize;

/// A recorded record.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Recorded {
    pub(crate) topic: String,
    pub(crate) key: Option<String>,
    pub(crate) value: Option<String>,
    headers: Vec<(String, Option<String>)>,
    timestamp: i64,
}

impl Recorded {
    pub(crate) fn raw(&self) -> RawRecord<'_> {
        RawRecord {
            topic: &self.topic,
            key: self.key.as_deref().map(str::as_bytes),
            value: self.value.as_deref().map(str::as_bytes),
            headers: self
                .headers
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_deref().map(str::as_bytes)))
                .collect(),
            timestamp: DateTime::from_timestamp_millis(self.timestamp),
        }
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/debezium")
}

/// All recordings by name, in the order of their names. Read once.
pub(crate) fn all() -> &'static [(String, Vec<Recorded>)] {
    static ALL: LazyLock<Vec<(String, Vec<Recorded>)>> = LazyLock::new(read);
    &ALL
}

fn read() -> Vec<(String, Vec<Recorded>)> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "jsonl"))
        .collect();
    files.sort();
    files
        .into_iter()
        .map(|path| {
            let text = fs::read_to_string(&path).unwrap();
            let records = text.lines().map(|line| serde_json::from_str(line).unwrap());
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            (name, records.collect())
        })
        .collect()
}

/// A row as JSON, long texts shortened, and which of its columns did not come.
fn image(change: &Change, row: &Row) -> String {
    let json = row.to_json(change.table);
    let missing: Vec<&str> = change
        .table
        .columns()
        .iter()
        .zip(&row.values)
        .filter(|(_, value)| **value == Value::Missing)
        .map(|(column, _)| column.name)
        .collect();
    let mut text: String = json.chars().take(1000).collect();
    if text.len() < json.len() {
        let _ = write!(text, "... ({} bytes)", json.len());
    }
    if !missing.is_empty() {
        let _ = write!(text, " missing: {}", missing.join(", "));
    }
    text
}

fn describe(result: &Result<Record, DecodeError>) -> String {
    match result {
        Ok(Record::Change(change)) => {
            let mut text = format!(
                "{} {}.{} {} at {}/{} lsn {} tx {} {}{}",
                change.op.letter(),
                change.source.name(),
                change.table.name(),
                change.key,
                change.position.generation,
                change.position.lsn,
                change.lsn,
                change.tx_id.map_or("-".to_owned(), |tx| tx.to_string()),
                change.committed_at.to_rfc3339_opts(SecondsFormat::AutoSi, true),
                if change.snapshot { " snapshot" } else { "" },
            );
            if let Some(before) = &change.before {
                let _ = write!(text, "\n  - {}", image(change, before));
            }
            if let Some(after) = &change.after {
                let _ = write!(text, "\n  + {}", image(change, after));
            }
            text
        }
        Ok(other) => format!("{other:?}"),
        Err(error) => format!("refused, {}: {error}", error.reason()),
    }
}

#[test]
fn recordings_decode_to_what_stands_beside_them() {
    let recordings = all();
    assert!(recordings.len() >= 20, "the recordings are gone");
    for (name, records) in recordings {
        let mut decoder = Decoder::default();
        let mut text = String::new();
        for record in records {
            let result = decoder.decode(&record.raw());
            writeln!(text, "{}: {}", record.topic, describe(&result)).unwrap();
        }
        write!(text, "{:?}", decoder.counters()).unwrap();
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path(folder());
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        settings.bind(|| insta::assert_snapshot!(name.as_str(), text));
    }
}

/// What one record says does not depend on the records before it, as long as it says enough itself.
#[test]
fn a_fresh_decoder_gives_the_same_for_every_record_that_is_complete() {
    for (name, records) in all() {
        let mut decoder = Decoder::default();
        for record in records {
            let fresh = Decoder::default().decode(&record.raw());
            if fresh
                .as_ref()
                .is_err_and(|error| ["unknown_scale", "ambiguous_decimal"].contains(&error.reason()))
            {
                continue;
            }
            assert_eq!(decoder.decode(&record.raw()), fresh, "{name}: {record:?}");
        }
    }
}

/// Decodes a recording with a decoder that was told something, and gives the orders by key.
fn orders(name: &str, mut decoder: Decoder) -> (Vec<(i64, Row)>, Decoder) {
    let (_, records) = all().iter().find(|(found, _)| found == name).unwrap();
    let mut orders = Vec::new();
    for record in records {
        if let Ok(Record::Change(change)) = decoder.decode(&record.raw())
            && change.table == Table::Transaction
            && let Some(row) = change.after
        {
            orders.push((change.key, row));
        }
    }
    (orders, decoder)
}

/// What schemas would have said can be told: the scale that `precise` leaves out of the record.
#[test]
fn precise_decimals_without_a_schema_are_read_with_a_known_scale() {
    let mut decoder = Decoder::default();
    decoder.know_scale(Table::Transaction, "total_amount", 2);
    let (told, _) = orders("precise_bare", decoder);
    let (recorded, _) = orders("isostring", Decoder::default());
    assert!(told.len() >= 7);
    for (key, row) in told {
        let (_, same) = recorded
            .iter()
            .find(|(other, row_there)| {
                *other == key
                    && row_there.text(Table::Transaction, "status") == row.text(Table::Transaction, "status")
            })
            .unwrap();
        assert_eq!(
            row.get(Table::Transaction, "total_amount"),
            same.get(Table::Transaction, "total_amount"),
            "{key}"
        );
        assert_eq!(
            row.get(Table::Transaction, "transaction_date"),
            same.get(Table::Transaction, "transaction_date"),
            "{key}"
        );
    }
}

/// The unit that `connect` leaves out of the record: where a guess from the size fails (before 1973, after 5138), the
/// setting does not.
#[test]
fn milliseconds_without_a_schema_are_read_with_a_known_unit() {
    let settings = Settings {
        bare_times: Some(TimeUnit::Millis),
        ..Settings::default()
    };
    let (orders, decoder) = orders("connect_double", Decoder::new(settings));
    let date = |key: i64| {
        let (_, row) = orders.iter().find(|(found, _)| *found == key).unwrap();
        match row.get(Table::Transaction, "transaction_date") {
            Value::Timestamp(moment) => moment.to_string(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(date(1), "2026-03-01T13:14:15.123Z");
    assert_eq!(date(2), "1969-12-31T23:59:59.999Z");
    assert_eq!(date(4), "9999-12-31T23:59:59.999Z");
    assert_eq!(date(5), "infinity");
    assert_eq!(date(6), "-infinity");
    assert_eq!(decoder.counters().guessed_units, 0);
}
