//! What a worker says about itself.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use instashop_core::checkpoint::Partition;
use instashop_core::table::{SourceDb, Table};
use instashop_core::view::WorkerHealth;
use instashop_store::Sink;

use super::Engine;

/// What a worker says about itself, for the task that publishes it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Its health.
    pub health: WorkerHealth,
    /// True for the worker that also watches connectors, slots and brokers: the owner of `transaction` 0.
    pub watches: bool,
    /// Newest heartbeat by connector prefix.
    pub heartbeats: BTreeMap<String, DateTime<Utc>>,
    /// When the last snapshot row of each source was applied, as far as this worker holds its sentinel.
    pub snapshots: BTreeMap<SourceDb, DateTime<Utc>>,
    /// When the rebuild that is going on began, and how much of it is done in percent.
    pub rebuild: Option<(DateTime<Utc>, u8)>,
}

impl<S: Sink> Engine<S> {
    pub(super) fn state(&self) -> String {
        if let Some(reason) = self.assignment.stopped().next() {
            return format!("stopped: {reason}");
        }
        if self.backoff.is_failing() {
            return format!("waiting for {}", self.flow.sink_name());
        }
        if self.kafka_trouble {
            return "waiting for kafka".into();
        }
        if self.rebuilt_percent(Utc::now()).is_some() {
            return "rebuilding".into();
        }
        "running".into()
    }

    /// How much of what is being built is there, in percent; `None` when the numbers are complete. A snapshot that is
    /// coming in has no end that could be known.
    fn rebuilt_percent(&self, now: DateTime<Utc>) -> Option<u8> {
        let of_snapshot = || self.counters.reads_snapshot(now).then_some(99);
        self.assignment.rebuild_percent().or_else(of_snapshot)
    }

    pub(super) fn report(&mut self, state: String) {
        let now = Utc::now();
        let percent = self.rebuilt_percent(now);
        match percent {
            Some(_) => {
                self.rebuilding_since.get_or_insert(now);
            }
            None => {
                if let Some(since) = self.rebuilding_since.take() {
                    tracing::info!(
                        seconds = (now - since).num_seconds(),
                        "caught up, the rebuild is done"
                    );
                }
            }
        }
        let watched = Partition {
            topic: Table::Transaction.name().to_owned(),
            number: 0,
        };
        let report = Report {
            health: self
                .counters
                .health(&self.worker, self.started_at, state, &self.assignment, now),
            watches: self.assignment.holds(&watched),
            heartbeats: self.counters.heartbeats().clone(),
            snapshots: self.counters.snapshots().clone(),
            rebuild: self.rebuilding_since.zip(percent),
        };
        // Nobody listens only when the program is ending.
        self.reports.send_replace(report);
    }
}
