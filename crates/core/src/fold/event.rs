//! Rows of the event log: which event type a change gets, and its identity.

use chrono::{DateTime, Utc};

use super::Stored;
use crate::batch::BatchRecord;
use crate::change::{Change, Moment, Op, Row, Value};
use crate::table::Table;

/// What a change was to the warehouse; decides the ending of the event type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventKind {
    /// The first image of a key: the bare type. Exactly one event of a key has it, so that counting rows of a bare
    /// type counts things and not changes (docs: architecture 5, kpis D10).
    First,
    /// A later streamed change.
    Updated,
    /// The delete.
    Deleted,
    /// A snapshot row that differs from what was stored.
    Snapshot,
}

/// One row of the event log.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// Index into the records of the batch: tells topic, partition and offset.
    pub record: usize,
    /// Source table.
    pub table: Table,
    /// Source key.
    pub key: i64,
    /// What the change was to the warehouse.
    pub kind: EventKind,
    /// What the source said.
    pub op: Op,
    /// Source generation; part of the identity.
    pub generation: u32,
    /// LSN as the event gives it; part of the identity. 0 when there is none.
    pub lsn: u64,
    /// 0 where the `lsn` makes the identity. A change without any LSN is only known by its place in Kafka, and then
    /// this is its offset plus one: its duplicates are caught by the checkpoint alone (docs: cdc section 2).
    pub ordinal: i64,
    /// Transaction id at the source.
    pub tx_id: Option<u64>,
    /// Business time; the commit time where the table has none, the event does not carry it, or it is a delete.
    pub at: Moment,
    /// Commit time at the source.
    pub committed_at: DateTime<Utc>,
    /// True for a snapshot row.
    pub snapshot: bool,
    /// True for a repair record.
    pub repair: bool,
    /// The image after the change, values that did not come filled from the stored image. For a delete the last
    /// known image.
    pub image: Row,
    /// Image before the change as the event gave it.
    pub before: Option<Row>,
    /// Columns that did not come with this event (pitfall 6).
    pub missing: Vec<usize>,
}

impl Event {
    pub(super) fn of(
        index: usize,
        record: &BatchRecord,
        change: &Change,
        new: &Stored,
        kind: EventKind,
    ) -> Self {
        let missing = change.after.as_ref().map_or_else(Vec::new, |after| {
            let values = after.values.iter().enumerate();
            values
                .filter_map(|(index, value)| (*value == Value::Missing).then_some(index))
                .collect()
        });
        let commit = Moment::Micros(change.committed_at.timestamp_micros());
        let at = match (kind, change.table.business_time()) {
            (EventKind::Deleted, _) | (_, None) => commit,
            (_, Some(column)) => match new.row.get(change.table, column) {
                Value::Timestamp(moment) => *moment,
                _ => commit,
            },
        };
        Self {
            record: index,
            table: change.table,
            key: change.key,
            kind,
            op: change.op,
            generation: change.position.generation,
            lsn: change.lsn,
            ordinal: if change.lsn == 0 { record.offset + 1 } else { 0 },
            tx_id: change.tx_id,
            at,
            committed_at: change.committed_at,
            snapshot: change.snapshot,
            repair: change.repair,
            image: new.row.clone(),
            before: change.before.clone(),
            missing,
        }
    }

    pub(super) fn of_tombstone(
        index: usize,
        record: &BatchRecord,
        table: Table,
        key: i64,
        old: &Stored,
    ) -> Self {
        Self {
            record: index,
            table,
            key,
            kind: EventKind::Deleted,
            op: Op::Delete,
            generation: old.position.generation,
            lsn: old.position.lsn,
            ordinal: if old.position.lsn == 0 {
                record.offset + 1
            } else {
                0
            },
            tx_id: None,
            at: Moment::Micros(old.committed_at.timestamp_micros()),
            committed_at: record.kafka_at.unwrap_or(old.committed_at),
            snapshot: false,
            repair: false,
            image: old.row.clone(),
            before: None,
            missing: Vec::new(),
        }
    }

    /// Type of the event, with its ending.
    pub fn name(&self) -> String {
        let base = event_type(self.table, &self.image);
        match self.kind {
            EventKind::First => base.to_owned(),
            EventKind::Updated => format!("{base}_updated"),
            EventKind::Deleted => format!("{base}_deleted"),
            EventKind::Snapshot => format!("{base}_snapshot"),
        }
    }
}

/// Bare event type of a row, in the words of the source documents: `transaction`, `transaction_item`, and for
/// behaviour `search`, `cart_event` or `user_behavior`; any other table gives its own name.
pub fn event_type(table: Table, image: &Row) -> &'static str {
    match table {
        Table::TransactionDetail => "transaction_item",
        Table::UserBehavior => {
            let kind = image.text(table, "event_type").unwrap_or_default().trim();
            if kind.eq_ignore_ascii_case("search") {
                "search"
            } else if kind.to_ascii_lowercase().split('_').any(|part| part == "cart") {
                "cart_event"
            } else {
                "user_behavior"
            }
        }
        other => other.name(),
    }
}
