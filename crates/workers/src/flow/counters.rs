//! What one worker counts: every record ends in exactly one place (docs: reliability I6).

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use instashop_core::assignment::Assignment;
use instashop_core::batch::{Batch, Tally};
use instashop_core::change::{Change, Record};
use instashop_core::latency::{LastMinute, Rate};
use instashop_core::table::{SourceDb, Table};
use instashop_core::view::{PartitionHealth, WorkerHealth};

use super::snapshots::sentinel_of;

/// Most new columns that are remembered.
const NEW_COLUMNS: usize = 50;

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
                    if change.snapshot
                        && let Some(source) = sentinel_of(partition)
                    {
                        self.snapshots.insert(source, now);
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
