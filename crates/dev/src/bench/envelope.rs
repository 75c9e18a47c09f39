//! Envelopes as the connectors of this product write them, made of a simulated shop.

use std::fmt::Write as _;

use chrono::{DateTime, NaiveDateTime, Utc};
use instashop_core::table::{ColumnKind, Table};

use crate::simulate::History;

/// Key and value of a record of a table.
#[derive(Debug, Clone)]
pub(super) struct Envelope {
    pub(super) table: Table,
    pub(super) key: String,
    pub(super) value: String,
}

/// Rows of one in so many orders and stocks are updated, and visitors' actions deleted.
const UPDATED: usize = 2;
const DELETED: usize = 100;

/// The records of a shop. Inserts of all tables come side by side in the proportion of their sizes, as a consumer of
/// many partitions gets them; then an update of every second order, and the deletes of some visitors' actions.
pub(super) fn of_shop(history: &History, now: DateTime<Utc>) -> Vec<Envelope> {
    let mut writer = Writer {
        now,
        lsn: 19_000_000,
        out: Vec::new(),
    };
    let tables: Vec<(Table, Vec<Vec<Option<String>>>)> = Table::ALL
        .into_iter()
        .map(|table| (table, rows(&history.ledger.copy_text(table))))
        .collect();
    let longest = tables.iter().map(|(_, rows)| rows.len()).max().unwrap_or(0);
    for at in 0..longest {
        for (table, rows) in &tables {
            // The rows of a shorter table are spread over the length of the longest.
            let (from, to) = (at * rows.len() / longest, (at + 1) * rows.len() / longest);
            for row in &rows[from..to] {
                writer.insert(*table, row);
            }
        }
    }
    for (table, rows) in &tables {
        match table {
            Table::Transaction => {
                for row in rows.iter().step_by(UPDATED) {
                    let mut after = row.clone();
                    if let Some(status) = after.last_mut() {
                        *status = Some("refunded".to_owned());
                    }
                    writer.update(*table, &after);
                }
            }
            Table::UserBehavior => {
                for row in rows.iter().step_by(DELETED) {
                    writer.delete(*table, row);
                }
            }
            _ => {}
        }
    }
    writer.out
}

/// Lines of COPY text as fields; `None` is NULL.
fn rows(text: &[u8]) -> Vec<Vec<Option<String>>> {
    String::from_utf8_lossy(text)
        .lines()
        .map(|line| line.split('\t').map(field).collect())
        .collect()
}

fn field(text: &str) -> Option<String> {
    if text == "\\N" {
        return None;
    }
    let mut out = String::with_capacity(text.len());
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        out.push(match letter {
            '\\' => match letters.next() {
                Some('t') => '\t',
                Some('n') => '\n',
                Some('r') => '\r',
                Some(other) => other,
                None => '\\',
            },
            other => other,
        });
    }
    Some(out)
}

struct Writer {
    now: DateTime<Utc>,
    lsn: u64,
    out: Vec<Envelope>,
}

impl Writer {
    fn insert(&mut self, table: Table, row: &[Option<String>]) {
        self.write(table, row, None, Some(row), 'c');
    }

    fn update(&mut self, table: Table, after: &[Option<String>]) {
        self.write(table, after, None, Some(after), 'u');
    }

    /// A delete carries the key alone, with NULL for everything else.
    fn delete(&mut self, table: Table, row: &[Option<String>]) {
        let mut before = vec![None; row.len()];
        before[..1].clone_from_slice(&row[..1]);
        self.write(table, row, Some(&before), None, 'd');
    }

    fn write(
        &mut self,
        table: Table,
        row: &[Option<String>],
        before: Option<&[Option<String>]>,
        after: Option<&[Option<String>]>,
        operation: char,
    ) {
        self.lsn += 184;
        let (lsn, ms, database) = (self.lsn, self.now.timestamp_millis(), table.source().name());
        let (prefix, name) = (table.source().prefix(), table.name());
        let image =
            |row: Option<&[Option<String>]>| row.map_or_else(|| "null".to_owned(), |row| image(table, row));
        let value = format!(
            "{{\"before\":{},\"after\":{},\"source\":{{\"version\":\"3.7.0.Final\",\"connector\":\"postgresql\",\
             \"name\":\"{prefix}\",\"ts_ms\":{ms},\"snapshot\":null,\"db\":\"{database}\",\
             \"sequence\":\"[\\\"{lsn}\\\",\\\"{lsn}\\\"]\",\"ts_us\":{ms}000,\"ts_ns\":{ms}000000,\
             \"schema\":\"public\",\"table\":\"{name}\",\"txId\":{},\"lsn\":{lsn},\"xmin\":null,\"origin\":null,\
             \"origin_lsn\":null}},\"transaction\":null,\"op\":\"{operation}\",\"ts_ms\":{ms},\"ts_us\":{ms}000,\
             \"ts_ns\":{ms}000000}}",
            image(before),
            image(after),
            lsn / 1000,
        );
        let id = row.first().and_then(Option::as_deref).unwrap_or("null");
        self.out.push(Envelope {
            table,
            key: format!("{{\"{}\":{id}}}", table.key()),
            value,
        });
    }
}

/// A row as JSON in the forms that the connectors are set to: decimals as text, timestamps as microseconds.
fn image(table: Table, row: &[Option<String>]) -> String {
    let mut out = String::from("{");
    for (column, field) in table.columns().iter().zip(row) {
        if out.len() > 1 {
            out.push(',');
        }
        // A String takes whatever is written to it.
        let _ = write!(out, "\"{}\":", column.name);
        match (field, column.kind) {
            (None, _) => out.push_str("null"),
            (Some(text), ColumnKind::BigInt | ColumnKind::Int) => out.push_str(text),
            (Some(text), ColumnKind::Timestamp) => {
                let _ = write!(out, "{}", microseconds(text));
            }
            (Some(text), ColumnKind::Money | ColumnKind::Text | ColumnKind::Json) => {
                out.push_str(&serde_json::Value::from(text.as_str()).to_string());
            }
        }
    }
    out.push('}');
    out
}

fn microseconds(text: &str) -> i64 {
    NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f")
        .map_or(0, |at| at.and_utc().timestamp_micros())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_of_copy_text() {
        let rows = rows(b"1\t\\N\ta\\tb\\\\n\n2\t\tc\n");
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(
            rows,
            [
                vec![text("1"), None, text("a\tb\\n")],
                vec![text("2"), text(""), text("c")]
            ]
        );
    }

    #[test]
    fn an_image_has_the_forms_of_the_connectors() {
        let row: Vec<Option<String>> = ["7", "1", "2", "2026-01-02 03:04:05.6", "80.00"]
            .map(|text| Some(text.to_owned()))
            .into_iter()
            .chain([None, Some("a \"b\"".to_owned())])
            .collect();
        assert_eq!(
            image(Table::Transaction, &row),
            r#"{"transaction_id":7,"buyer_id":1,"customer_id":2,"transaction_date":1767323045600000,"total_amount":"80.00","payment_method":null,"status":"a \"b\""}"#
        );
    }
}
