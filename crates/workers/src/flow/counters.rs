//! What one worker counts: every record ends in exactly one place (docs: reliability I6).

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use instashop_core::assignment::Assignment;
use instashop_core::batch::{Batch, Tally};
use instashop_core::change::{Change, Record};
use instashop_core::latency::{LastMinute, Rate};
use instashop_core::table::{SourceDb, Table};
use instashop_core::view::{PartitionHealth, WorkerHealth};

use super::snapshots::sentinel_of;

/// Most new columns that are remembered.
const NEW_COLUMNS: usize = 50;

/// Longest time between two rows of a snapshot that is still going on, as far as the screens are concerned.
const SNAPSHOT_GAP: TimeDelta = TimeDelta::seconds(3);

/// Counters of one worker since its start.
#[derive(Debug, Default)]
pub(super) struct Counters {
    records: u64,
    tally: Tally,
    conflicts: u64,
    rate: Rate,
    latency: LastMinute,
    /// Newest heartbeat by connector prefix, in the connector's clock.
    heartbeats: BTreeMap<String, DateTime<Utc>>,
    /// When the last snapshot row of any table was applied.
    last_snapshot_row: Option<DateTime<Utc>>,
    /// When the last snapshot row of a source's sentinel was applied.
    snapshots: BTreeMap<SourceDb, DateTime<Utc>>,
    /// Columns that are not in the catalogue.
    new_columns: BTreeSet<(Table, String)>,
}

impl Counters {
    /// A batch is in the sink. False when the sink's tally does not add up to the batch: a defect of the sink that must
    /// not pass silently.
    pub(super) fn applied(
        &mut self,
        batch: &Batch,
        tally: Tally,
        assignment: &mut Assignment,
        now: DateTime<Utc>,
    ) -> bool {
        let records = batch.records.len() as u64;
        self.records += records;
        self.tally = self.tally.plus(tally);
        self.rate.add(records, now);
        for record in &batch.records {
            let Some(partition) = batch.partition(record) else {
                continue;
            };
            match &record.content {
                Ok(Record::Change(change)) => {
                    self.columns(change);
                    if change.snapshot {
                        self.last_snapshot_row = Some(now);
                        if let Some(source) = sentinel_of(partition) {
                            self.snapshots.insert(source, now);
                        }
                    }
                    assignment.saw(partition, change.committed_at);
                    // A snapshot row carries the clock of the snapshot, and what a rebuild reads is old by nature.
                    if !change.snapshot && !change.repair && !assignment.is_rebuilding(partition) {
                        let took = now - change.committed_at;
                        self.latency
                            .record(u64::try_from(took.num_milliseconds()).unwrap_or(0), now);
                    }
                }
                Ok(Record::Heartbeat { prefix, at }) => {
                    assignment.saw(partition, *at);
                    self.heartbeat(prefix, *at);
                }
                _ => {}
            }
        }
        tally.total() == records
    }

    fn columns(&mut self, change: &Change) {
        let Some(row) = &change.after else { return };
        for name in row.extra.keys() {
            if self.new_columns.len() >= NEW_COLUMNS {
                return;
            }
            let known = self
                .new_columns
                .iter()
                .any(|(table, known)| *table == change.table && known == name);
            if !known {
                tracing::info!(
                    "{}.{name} is a new column: it is carried in the event log alone",
                    change.table.name()
                );
                self.new_columns.insert((change.table, name.clone()));
            }
        }
    }

    /// Records that were read and left out because the sink has them already.
    pub(super) const fn already_there(&mut self, records: u64) {
        self.records += records;
        self.tally.older += records;
    }

    pub(super) const fn conflict(&mut self) {
        self.conflicts += 1;
    }

    pub(super) fn heartbeat(&mut self, prefix: &str, at: DateTime<Utc>) {
        match self.heartbeats.get_mut(prefix) {
            Some(newest) => *newest = (*newest).max(at),
            None => {
                self.heartbeats.insert(prefix.to_owned(), at);
            }
        }
    }

    pub(super) const fn heartbeats(&self) -> &BTreeMap<String, DateTime<Utc>> {
        &self.heartbeats
    }

    /// True while a snapshot of a source is coming in: the topics grow with it, so their ends say nothing about how
    /// complete the numbers are.
    pub(super) fn reads_snapshot(&self, now: DateTime<Utc>) -> bool {
        self.last_snapshot_row
            .is_some_and(|last| now - last < SNAPSHOT_GAP)
    }

    pub(super) const fn snapshots(&self) -> &BTreeMap<SourceDb, DateTime<Utc>> {
        &self.snapshots
    }

    /// What the worker says about itself.
    pub(super) fn health(
        &self,
        worker: &str,
        started_at: DateTime<Utc>,
        state: String,
        assignment: &Assignment,
        now: DateTime<Utc>,
    ) -> WorkerHealth {
        let latency = self.latency.quantiles(now);
        WorkerHealth {
            worker: worker.to_owned(),
            started_at,
            seen_at: now,
            state,
            rate_per_1000s: self.rate.per_1000s(now),
            records: self.records,
            applied: self.tally.applied,
            unchanged: self.tally.unchanged,
            older: self.tally.older,
            rejected: self.tally.rejected,
            not_a_row: self.tally.not_a_row,
            conflicts: self.conflicts,
            latency_p50_ms: latency.map(|latency| latency.p50),
            latency_p95_ms: latency.map(|latency| latency.p95),
            latency_p99_ms: latency.map(|latency| latency.p99),
            new_columns: self
                .new_columns
                .iter()
                .map(|(table, column)| format!("{}.{column}", table.name()))
                .collect(),
            partitions: assignment
                .progress()
                .map(|progress| PartitionHealth {
                    topic: progress.partition.topic.clone(),
                    partition: progress.partition.number,
                    checkpoint: progress.checkpoint,
                    end: progress.end,
                    as_of: progress.as_of,
                })
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use instashop_core::batch::BatchRecord;
    use instashop_core::change::Op;
    use instashop_core::checkpoint::{Partition, Step};
    use instashop_core::position::Position;

    use super::*;

    fn batch(topic: &str, snapshot: bool) -> Batch {
        let table = Table::from_name(topic).unwrap();
        let change = Change {
            source: table.source(),
            table,
            key: 1,
            op: Op::Read,
            before: None,
            after: None,
            position: Position::snapshot(0),
            lsn: 0,
            tx_id: None,
            committed_at: DateTime::UNIX_EPOCH,
            snapshot,
            repair: false,
        };
        Batch {
            steps: vec![Step {
                partition: Partition {
                    topic: topic.into(),
                    number: 0,
                },
                epoch: 1,
                base: 0,
                next: 1,
            }],
            records: vec![BatchRecord {
                step: 0,
                offset: 0,
                kafka_at: None,
                content: Ok(Record::Change(Box::new(change))),
            }],
        }
    }

    #[test]
    fn a_snapshot_is_coming_in_until_no_row_of_it_came_for_a_while() {
        let at = |second| DateTime::from_timestamp(second, 0).unwrap();
        let mut counters = Counters::default();
        let apply = |counters: &mut Counters, topic, snapshot, second| {
            let tally = Tally {
                applied: 1,
                ..Tally::default()
            };
            counters.applied(
                &batch(topic, snapshot),
                tally,
                &mut Assignment::default(),
                at(second),
            )
        };
        assert!(apply(&mut counters, "buyer", false, 100));
        assert!(!counters.reads_snapshot(at(100)));
        assert!(apply(&mut counters, "buyer", true, 100));
        assert!(counters.reads_snapshot(at(102)) && !counters.reads_snapshot(at(103)));
        assert!(counters.snapshots().is_empty(), "not the sentinel of its source");
        assert!(apply(&mut counters, "transaction", true, 105));
        assert_eq!(counters.snapshots()[&SourceDb::Instashop], at(105));
    }
}
