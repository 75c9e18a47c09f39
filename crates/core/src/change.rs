//! A change event after decoding: one change of one row of one captured table, in words that no longer depend on how
//! the connector was configured.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;

use crate::position::Position;
use crate::table::{SourceDb, Table};

mod json;
pub(crate) mod moment;

pub use moment::Moment;

/// What happened to the row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Op {
    /// Inserted (`c`).
    Create,
    /// Updated (`u`).
    Update,
    /// Deleted (`d`).
    Delete,
    /// Read by a snapshot of any kind (`r`): a statement of state, never a delta (pitfall 3).
    Read,
}

impl Op {
    /// The letter Debezium uses.
    pub const fn letter(self) -> &'static str {
        match self {
            Self::Create => "c",
            Self::Update => "u",
            Self::Delete => "d",
            Self::Read => "r",
        }
    }
}

/// A decoded column value.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// SQL NULL, or a column the source does not have.
    Null,
    /// An unchanged large value that did not come (pitfall 6): keep what is stored.
    Missing,
    /// `bigint` and `int`.
    Int(i64),
    /// `numeric`, exact.
    Decimal(Decimal),
    /// `varchar`, `text`.
    Text(String),
    /// `timestamp` without zone.
    Timestamp(Moment),
    /// `jsonb` as text (valid JSON, NUL escapes removed, pitfall 16).
    Json(String),
}

/// An image of a row: the values of the table's columns in catalogue order, and the columns the catalogue does not
/// know, which are carried along as JSON.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// One value per entry of [`Table::columns`].
    pub values: Vec<Value>,
    /// Columns the source has beyond the catalogue, as they came.
    pub extra: BTreeMap<String, serde_json::Value>,
}

impl Row {
    /// The value of a column, [`Value::Null`] when the name is not in the catalogue.
    pub fn get(&self, table: Table, column: &str) -> &Value {
        table
            .column(column)
            .and_then(|index| self.values.get(index))
            .unwrap_or(&Value::Null)
    }

    /// An integer column.
    pub fn int(&self, table: Table, column: &str) -> Option<i64> {
        match self.get(table, column) {
            Value::Int(value) => Some(*value),
            _ => None,
        }
    }

    /// A text column.
    pub fn text(&self, table: Table, column: &str) -> Option<&str> {
        match self.get(table, column) {
            Value::Text(value) | Value::Json(value) => Some(value),
            _ => None,
        }
    }

    /// A decimal column.
    pub fn decimal(&self, table: Table, column: &str) -> Option<Decimal> {
        match self.get(table, column) {
            Value::Decimal(value) => Some(*value),
            _ => None,
        }
    }

    /// A timestamp column, in microseconds since the epoch; infinities are `None`.
    pub fn micros(&self, table: Table, column: &str) -> Option<i64> {
        match self.get(table, column) {
            Value::Timestamp(Moment::Micros(micros)) => Some(*micros),
            _ => None,
        }
    }
}

/// One change event of a captured table.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// The source database, from the event's `source.db`.
    pub source: SourceDb,
    /// The table.
    pub table: Table,
    /// Primary key of the row.
    pub key: i64,
    /// What happened.
    pub op: Op,
    /// Image after the change; `None` for a delete.
    pub after: Option<Row>,
    /// Image before the change as the event gives it: never used for arithmetic (pitfalls 4 and 5).
    pub before: Option<Row>,
    /// Where the change stands among the changes of its row.
    pub position: Position,
    /// LSN as the event gives it (from `sequence` when `lsn` is null), for the identity of the change; 0 when unknown.
    pub lsn: u64,
    /// Transaction id at the source, when known.
    pub tx_id: Option<u64>,
    /// Commit time at the source (`source.ts_ms`/`ts_us`); for snapshot rows the clock at snapshot time.
    pub committed_at: DateTime<Utc>,
    /// True for any snapshot row, incremental ones too.
    pub snapshot: bool,
    /// True for a record written by the sweep or by the dead-letter replay.
    pub repair: bool,
}

/// What a Kafka record turns out to be.
#[derive(Debug, Clone, PartialEq)]
pub enum Record {
    /// A change of a captured table.
    Change(Box<Change>),
    /// A null value: the delete came before it, or compaction left only this. Carries the key where it can be read.
    Tombstone {
        /// The table, when the topic names one.
        table: Option<Table>,
        /// The primary key, when the key can be read.
        key: Option<i64>,
    },
    /// A heartbeat of a connector (pitfall 9): moves freshness, is not a row.
    Heartbeat {
        /// `topic.prefix` of the connector.
        prefix: String,
        /// Clock of the connector.
        at: DateTime<Utc>,
    },
    /// Anything that is well formed but is not a row of ours: counted by reason, never a dead letter.
    NotARow(NotARow),
}

/// Why a well-formed record is not a row of a captured table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NotARow {
    /// A table that is not captured.
    UnknownTable,
    /// `TRUNCATE` (`op` `t`): skipped at the source by rule; met all the same it is counted and shown (pitfall 8).
    Truncate,
    /// A logical message (`op` `m`).
    Message,
    /// Transaction metadata (BEGIN, END).
    TransactionMarker,
    /// Signal, schema change and other connector traffic.
    ConnectorTraffic,
}
