//! The pipeline from its probes: each part speaks for itself, none is guessed from another.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use instashop_core::view::{FlowHealth, PartitionHealth, SourceHealth, WorkerHealth};

use super::{Snapshot, history};

/// A worker that published longer ago than this does not count as up.
const SILENT: TimeDelta = TimeDelta::seconds(15);

/// `up` of `known` parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    /// How many answer.
    pub up: usize,
    /// How many there are.
    pub known: usize,
}

impl Share {
    /// True when all answer, and there is one at all.
    pub const fn is_whole(self) -> bool {
        self.up == self.known && self.known > 0
    }

    fn of<T>(parts: &[T], up: impl Fn(&T) -> bool) -> Self {
        Self {
            up: parts.iter().filter(|part| up(part)).count(),
            known: parts.len(),
        }
    }
}

/// One flow and its workers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FlowState {
    /// Workers that run.
    pub workers: Share,
    /// Changes applied a second, in thousandths.
    pub rate_per_1000s: i64,
    /// Messages behind.
    pub lag: Option<i64>,
    /// Newest change applied.
    pub as_of: Option<DateTime<Utc>>,
    /// Commit to sink, milliseconds.
    pub p95_ms: Option<u64>,
}

/// The whole pipeline; `None` is "no probe", which is not the same as up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Pipeline {
    /// Source databases.
    pub sources: Option<Share>,
    /// Replication slots with a reader.
    pub slots: Option<Share>,
    /// Connectors of which every task runs.
    pub connectors: Option<Share>,
    /// Bytes of log held back by the slot that holds back most.
    pub slot_bytes: Option<i64>,
    /// When the sources were asked; the oldest of them.
    pub asked: Option<DateTime<Utc>>,
    /// Brokers.
    pub brokers: Option<Share>,
    /// Last heartbeat that came through Kafka, of the source that is furthest behind.
    pub heartbeat: Option<DateTime<Utc>>,
    /// The live flow.
    pub live: Option<FlowState>,
    /// The warehouse flow.
    pub warehouse: Option<FlowState>,
}

/// True when a worker runs and published lately.
pub fn is_up(worker: &WorkerHealth, now: DateTime<Utc>) -> bool {
    (worker.state == "running" || worker.state == "rebuilding") && is_heard(worker, now)
}

/// True when a worker published lately: what it said of itself holds. One that was replaced stays listed for a while.
pub fn is_heard(worker: &WorkerHealth, now: DateTime<Utc>) -> bool {
    now - worker.seen_at <= SILENT
}

/// Each partition once, as the worker says it that spoke last.
pub fn held(flow: &FlowHealth) -> impl Iterator<Item = &PartitionHealth> {
    let mut newest: BTreeMap<(&str, i32), (DateTime<Utc>, &PartitionHealth)> = BTreeMap::new();
    for worker in &flow.workers {
        for part in &worker.partitions {
            let said = newest
                .entry((&part.topic, part.partition))
                .or_insert((worker.seen_at, part));
            if said.0 < worker.seen_at {
                *said = (worker.seen_at, part);
            }
        }
    }
    newest.into_values().map(|(_, part)| part)
}

/// True when the connector and all its tasks run.
pub fn runs(source: &SourceHealth) -> bool {
    let tasks = &source.connector.tasks;
    source.connector.state == "RUNNING" && !tasks.is_empty() && tasks.iter().all(|task| task == "RUNNING")
}

/// The sources as the flow that asked them last sees them, by name.
pub fn sources(snapshot: &Snapshot) -> Vec<&SourceHealth> {
    let live = snapshot.live_system.get().map(|system| &system.flow);
    let warehouse = snapshot.warehouse_system.get().map(|system| &system.flow);
    let mut newest: Vec<&SourceHealth> = Vec::new();
    for source in [live, warehouse]
        .into_iter()
        .flatten()
        .flat_map(|flow| &flow.sources)
    {
        match newest.iter_mut().find(|known| known.source == source.source) {
            Some(known) if known.seen_at < source.seen_at => *known = source,
            Some(_) => {}
            None => newest.push(source),
        }
    }
    newest.sort_by(|a, b| a.source.cmp(&b.source));
    newest
}

fn flow(health: &FlowHealth, now: DateTime<Utc>) -> FlowState {
    FlowState {
        workers: Share::of(&health.workers, |worker| is_up(worker, now)),
        rate_per_1000s: health.workers.iter().map(|worker| worker.rate_per_1000s).sum(),
        lag: history::lag(health),
        as_of: health
            .workers
            .iter()
            .flat_map(|worker| &worker.partitions)
            .filter_map(|part| part.as_of)
            .max(),
        p95_ms: health
            .workers
            .iter()
            .filter_map(|worker| worker.latency_p95_ms)
            .max(),
    }
}

impl Pipeline {
    /// What the probes said last. A flow whose store does not answer any more has no probe.
    pub fn of(snapshot: &Snapshot, now: DateTime<Utc>) -> Self {
        let live = snapshot
            .live_system
            .get()
            .filter(|_| !snapshot.live_system_condition(now).is_outdated());
        let warehouse = snapshot
            .warehouse_system
            .get()
            .filter(|_| !snapshot.warehouse_system_condition(now).is_outdated());
        let sources = if live.is_some() || warehouse.is_some() {
            sources(snapshot)
        } else {
            vec![]
        };
        let slots: Vec<bool> = sources.iter().filter_map(|source| source.slot_active).collect();
        let flows = [
            live.map(|live| &live.flow),
            warehouse.map(|warehouse| &warehouse.flow),
        ];
        let brokers = flows.iter().flatten().find_map(|flow| flow.brokers_up);
        let some = |share: Share| (share.known > 0).then_some(share);
        Self {
            sources: some(Share::of(&sources, |source| source.up)),
            slots: some(Share::of(&slots, |active| *active)),
            connectors: some(Share::of(&sources, |source| runs(source)))
                .filter(|_| sources.iter().any(|source| !source.connector.state.is_empty())),
            slot_bytes: sources.iter().filter_map(|source| source.slot_lag_bytes).max(),
            asked: sources.iter().map(|source| source.seen_at).min(),
            brokers: brokers.map(|(up, known)| Share {
                up: up as usize,
                known: known as usize,
            }),
            heartbeat: sources.iter().filter_map(|source| source.heartbeat_at).min(),
            live: live.map(|live| flow(&live.flow, now)),
            warehouse: warehouse.map(|warehouse| flow(&warehouse.flow, now)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Rhythm;
    use super::*;
    use instashop_core::config::Dashboard;
    use instashop_core::view::{ConnectorHealth, LiveSystem, WarehouseSystem};

    fn source(name: &str, seen: i64, up: bool, task: &str) -> SourceHealth {
        SourceHealth {
            source: name.into(),
            seen_at: DateTime::UNIX_EPOCH + TimeDelta::seconds(seen),
            up,
            connector: ConnectorHealth {
                state: "RUNNING".into(),
                tasks: vec![task.into()],
                failure: String::new(),
            },
            ..SourceHealth::default()
        }
    }

    #[test]
    fn no_probe_is_unknown_and_the_newest_probe_counts() {
        let now = DateTime::UNIX_EPOCH + TimeDelta::seconds(10);
        let mut snapshot = Snapshot::new(now, Rhythm::from_config(&Dashboard::default()));
        assert_eq!(Pipeline::of(&snapshot, now), Pipeline::default());
        let live = LiveSystem {
            flow: FlowHealth {
                sources: vec![source("a", 1, true, "RUNNING"), source("b", 9, true, "FAILED")],
                ..FlowHealth::default()
            },
            ..LiveSystem::default()
        };
        let warehouse = WarehouseSystem {
            flow: FlowHealth {
                sources: vec![source("a", 5, false, "RUNNING")],
                brokers_up: Some((2, 3)),
                ..FlowHealth::default()
            },
            ..WarehouseSystem::default()
        };
        snapshot.live_system.set(live, now);
        snapshot.warehouse_system.set(warehouse, now);
        let pipeline = Pipeline::of(&snapshot, now);
        assert_eq!(
            pipeline.sources,
            Some(Share { up: 1, known: 2 }),
            "the later probe of a says it is down"
        );
        assert_eq!(
            pipeline.connectors,
            Some(Share { up: 1, known: 2 }),
            "a failed task is not running"
        );
        assert_eq!(pipeline.brokers, Some(Share { up: 2, known: 3 }));
        assert!(
            !pipeline.live.unwrap().workers.is_whole(),
            "no worker is not healthy"
        );
        let later = now + TimeDelta::minutes(10);
        assert_eq!(
            Pipeline::of(&snapshot, later),
            Pipeline::default(),
            "old probes are no probes"
        );
    }
}
