//! What is wrong: a pure judgement over what was read, each finding one sentence with its part and what to do.

use chrono::{DateTime, TimeDelta, Utc};
use instashop_core::config::Config;
use instashop_core::table::{SourceDb, Table};
use instashop_core::view::{FlowHealth, PartitionHealth, SourceHealth, WarehouseSystem, WorkerHealth};
use serde::Serialize;

use super::Health;
use crate::cli::exit::Exit;
use crate::supervise::identity::Identity;

/// A worker that has not published for this long is gone.
const SILENT: TimeDelta = TimeDelta::seconds(15);

/// A heartbeat older than this means that nothing comes from its source: Debezium sends one every 5 s.
const HEARTBEAT: TimeDelta = TimeDelta::seconds(30);

/// What a flow may be behind, in messages, before it counts as behind.
const LAG: i64 = 10_000;

/// Log that a slot may hold back at its source before somebody should look, bytes.
const HELD_BACK: i64 = 1024 * 1024 * 1024;

/// Marts that were not found up to date for this long are kept by nobody, or a rebuild takes its time.
const MARTS: TimeDelta = TimeDelta::seconds(60);

/// Topics beside the tables: heartbeats, one partition each.
const SIDE_PARTITIONS: usize = SourceDb::ALL.len();

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Needs attention.
    Degraded,
    /// A server did not answer.
    Unreachable,
}

/// Something that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How bad.
    pub level: Level,
    /// Which part: `live`, `warehouse`, `connect`, a source, `proof`.
    pub part: String,
    /// One sentence.
    pub what: String,
    /// What to do.
    pub hint: String,
}

/// All findings, the worst first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Verdict {
    findings: Vec<Finding>,
}

impl Verdict {
    /// The findings.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// The code of the command.
    pub fn exit(&self) -> Exit {
        match self.findings.iter().map(|finding| finding.level).max() {
            None => Exit::Done,
            Some(Level::Degraded) => Exit::No,
            Some(Level::Unreachable) => Exit::Unreachable,
        }
    }

    fn add(&mut self, level: Level, part: &str, what: impl Into<String>, hint: &str) {
        self.findings.push(Finding {
            level,
            part: part.into(),
            what: what.into(),
            hint: hint.into(),
        });
    }

    fn degraded(&mut self, part: &str, what: impl Into<String>, hint: &str) {
        self.add(Level::Degraded, part, what, hint);
    }
}

/// Judges what was read.
pub fn judge(health: &Health, config: &Config, now: DateTime<Utc>) -> Verdict {
    let mut verdict = Verdict::default();
    for (part, error) in [
        ("live", health.live.as_ref().err()),
        ("warehouse", health.warehouse.as_ref().err()),
        ("connect", health.connectors.as_ref().err()),
    ] {
        if let Some(away) = error {
            verdict.add(Level::Unreachable, part, &away.what, &away.hint);
        }
    }
    if let Ok(live) = &health.live {
        flow(&mut verdict, "live", &live.flow, config, now);
    }
    if let Ok(warehouse) = &health.warehouse {
        flow(&mut verdict, "warehouse", &warehouse.flow, config, now);
        letters_and_proof(&mut verdict, warehouse);
        marts(&mut verdict, warehouse, now);
    }
    connectors(&mut verdict, health);
    for source in newest_sources(health) {
        judge_source(&mut verdict, source, now);
    }
    local(&mut verdict, health);
    verdict
        .findings
        .sort_by_key(|finding| std::cmp::Reverse(finding.level));
    verdict
}

/// Workers of a flow that published lately.
pub(super) fn fresh(flow: &FlowHealth, now: DateTime<Utc>) -> Vec<&WorkerHealth> {
    flow.workers
        .iter()
        .filter(|worker| now - worker.seen_at < SILENT)
        .collect()
}

/// What each source looks like in the newer of the two flows' reports.
pub(super) fn newest_sources(health: &Health) -> Vec<&SourceHealth> {
    let live = health.live.as_ref().map_or(&[][..], |live| &live.flow.sources);
    let warehouse = health
        .warehouse
        .as_ref()
        .map_or(&[][..], |warehouse| &warehouse.flow.sources);
    let newest = |source: SourceDb| {
        let both = live.iter().chain(warehouse);
        both.filter(|found| found.source == source.name())
            .max_by_key(|found| found.seen_at)
    };
    SourceDb::ALL.into_iter().filter_map(newest).collect()
}

fn flow(verdict: &mut Verdict, name: &str, flow: &FlowHealth, config: &Config, now: DateTime<Utc>) {
    let workers = fresh(flow, now);
    if workers.is_empty() {
        let last = flow.workers.iter().map(|worker| worker.seen_at).max();
        let what = last.map_or_else(
            || "no worker has ever published".to_owned(),
            |last| format!("no worker has published for {} s", (now - last).num_seconds()),
        );
        verdict.degraded(
            name,
            what,
            "start one with instashop up; instashop logs says why one ended",
        );
        return;
    }
    let partitions = || workers.iter().flat_map(|worker| &worker.partitions);
    let lag: i64 = partitions().filter_map(PartitionHealth::lag).sum();
    let rebuilding = workers.iter().any(|worker| worker.state == "rebuilding");
    if rebuilding {
        let what = format!("reads the topics from their beginning, {lag} messages to go");
        verdict.degraded(
            name,
            what,
            "its numbers are complete when this is done; nothing to do",
        );
    }
    for worker in workers
        .iter()
        .filter(|worker| !["running", "rebuilding"].contains(&worker.state.as_str()))
    {
        verdict.degraded(
            name,
            format!("{} is {}", worker.worker, worker.state),
            "instashop logs says more",
        );
    }
    let owned: usize = workers.iter().map(|worker| worker.partitions.len()).sum();
    let of_tables: i32 = Table::ALL
        .iter()
        .map(|table| config.kafka.partitions_of(*table))
        .sum();
    let expected = of_tables.max(0) as usize + SIDE_PARTITIONS;
    if owned < expected {
        let what = format!("{} of {expected} partitions have no worker", expected - owned);
        verdict.degraded(
            name,
            what,
            "a change of workers takes some seconds; if it stays, see instashop logs",
        );
    }
    if lag > LAG && !rebuilding {
        let hint = "it catches up by itself, or needs more workers";
        verdict.degraded(name, format!("{lag} messages behind"), hint);
    }
    // Compaction begins to remove what the warehouse has not read (docs: cdc 3.4).
    let half = TimeDelta::hours(i64::from(config.kafka.retention_hours)) / 2;
    let behind = partitions().filter(|partition| partition.lag() > Some(0));
    let oldest = behind.filter_map(|partition| partition.as_of).min();
    if let Some(oldest) = oldest.filter(|oldest| now - *oldest > half) {
        let what = format!(
            "{} h behind, more than half of what the topics keep",
            (now - oldest).num_hours()
        );
        verdict.degraded(
            name,
            what,
            "let it catch up now, or raise kafka.retention_hours and run instashop setup",
        );
    }
}

fn letters_and_proof(verdict: &mut Verdict, warehouse: &WarehouseSystem) {
    if let Some(letters) = warehouse.flow.dead_letters.filter(|letters| *letters > 0) {
        let noun = if letters == 1 { "record" } else { "records" };
        verdict.degraded(
            "dead letters",
            format!("{letters} {noun} could not be used"),
            "see instashop dead-letters list",
        );
    }
    if let Some(proof) = warehouse.proof.as_ref().filter(|proof| proof.drift != 0) {
        verdict.degraded(
            "proof",
            format!("the last proof found drift {}", proof.drift),
            "run instashop verify",
        );
    }
}

fn marts(verdict: &mut Verdict, warehouse: &WarehouseSystem, now: DateTime<Utc>) {
    const HINT: &str = "start instashop etl, or instashop up; instashop logs etl-1 says why it ended";
    let Some(marts) = &warehouse.marts else {
        verdict.degraded("marts", "they were never computed", HINT);
        return;
    };
    let age = (now - marts.refreshed_at).num_seconds();
    if now - marts.refreshed_at > MARTS {
        let what = format!(
            "nobody has refreshed them for {age} s, {} changed rows wait",
            marts.waiting
        );
        verdict.degraded("marts", what, HINT);
    } else if !marts.complete {
        verdict.degraded("marts", "they are being computed anew", "nothing to do");
    }
    if let Some((day, false, _)) = marts.last_run {
        let what = format!("the daily run of {day} failed");
        verdict.degraded(
            "marts",
            what,
            "instashop etl --list says why; instashop etl --day runs it again",
        );
    }
}

fn connectors(verdict: &mut Verdict, health: &Health) {
    let Ok(all) = &health.connectors else { return };
    for source in SourceDb::ALL {
        match all.get(source.prefix()) {
            None => verdict.degraded(
                source.name(),
                "Connect has no connector for it",
                "run instashop setup",
            ),
            Some(status) if !status.runs() => {
                let what = format!("its connector does not run: {}", status.describe());
                verdict.degraded(
                    source.name(),
                    what,
                    "instashop setup starts it again and says why it failed",
                );
            }
            Some(_) => {}
        }
    }
}

fn judge_source(verdict: &mut Verdict, source: &SourceHealth, now: DateTime<Utc>) {
    let name = &source.source;
    if now - source.seen_at > SILENT * 2 {
        let what = format!(
            "nobody has looked at it for {} s",
            (now - source.seen_at).num_seconds()
        );
        verdict.degraded(
            name,
            what,
            "the worker that owns transaction partition 0 looks; see instashop logs",
        );
        return;
    }
    if !source.up {
        let why = if source.error.is_empty() {
            "it does not answer"
        } else {
            &source.error
        };
        verdict.degraded(name, why, "is the database up, and is capture_password right?");
    }
    match source.slot_active {
        Some(false) if source.up => {
            verdict.degraded(name, "nobody reads its replication slot", "run instashop setup");
        }
        None if source.up => verdict.degraded(name, "it has no replication slot", "run instashop setup"),
        _ => {}
    }
    if let Some(bytes) = source.slot_lag_bytes.filter(|bytes| *bytes > HELD_BACK) {
        let what = format!("its slot holds back {} MB of log", bytes / 1_000_000);
        verdict.degraded(
            name,
            what,
            "the connector is behind or stopped; the disk of the source fills",
        );
    }
    match source.heartbeat_at {
        Some(at) if now - at > HEARTBEAT => {
            let what = format!("its last heartbeat is {} s old", (now - at).num_seconds());
            verdict.degraded(name, what, "nothing comes through from it, whatever Connect says");
        }
        None => verdict.degraded(
            name,
            "no heartbeat has come from it",
            "run instashop setup --check",
        ),
        Some(_) => {}
    }
}

fn local(verdict: &mut Verdict, health: &Health) {
    for worker in &health.local {
        if !worker.process.as_ref().is_some_and(Identity::alive) {
            let ended = worker.last_end.as_deref().unwrap_or("it ended");
            let what = format!("background worker {} does not run ({ended})", worker.name);
            verdict.degraded("this machine", what, "instashop logs says why");
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::collections::BTreeMap;

    use instashop_core::view::{DriftProof, LiveSystem, MartsHealth, SealedDays};

    use super::super::Away;
    use super::*;
    use crate::setup::connect::{Instance, Status};

    pub(crate) fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_790_000_000, 0).unwrap()
    }

    fn partitions() -> Vec<PartitionHealth> {
        let config = Config::default();
        let tables = Table::ALL.iter().flat_map(|table| {
            (0..config.kafka.partitions_of(*table)).map(|number| (table.name().to_owned(), number))
        });
        let side = (0..SIDE_PARTITIONS as i32).map(|number| (format!("side-{number}"), 0));
        let health = |(topic, partition)| PartitionHealth {
            topic,
            partition,
            checkpoint: 10,
            end: Some(10),
            as_of: Some(now()),
        };
        tables.chain(side).map(health).collect()
    }

    fn flow() -> FlowHealth {
        let worker = WorkerHealth {
            worker: "host-1-1".into(),
            started_at: now() - TimeDelta::minutes(5),
            seen_at: now() - TimeDelta::seconds(1),
            state: "running".into(),
            rate_per_1000s: 12_500,
            records: 1000,
            applied: 990,
            not_a_row: 10,
            latency_p50_ms: Some(9),
            latency_p99_ms: Some(21),
            partitions: partitions(),
            ..WorkerHealth::default()
        };
        let source = |source: SourceDb| SourceHealth {
            source: source.name().into(),
            seen_at: now() - TimeDelta::seconds(2),
            up: true,
            slot_active: Some(true),
            slot_lag_bytes: Some(1200),
            heartbeat_at: Some(now() - TimeDelta::seconds(3)),
            ..SourceHealth::default()
        };
        FlowHealth {
            workers: vec![worker],
            sources: SourceDb::ALL.map(source).into(),
            brokers_up: Some((3, 3)),
            dead_letters: Some(0),
        }
    }

    pub(crate) fn away<T>(what: &str) -> Result<T, Away> {
        Err(Away {
            what: what.into(),
            hint: "is it running?".into(),
        })
    }

    pub(crate) fn well() -> Health {
        let instance = |state: &str| Instance {
            state: state.into(),
            trace: None,
        };
        let running = Status {
            connector: instance("RUNNING"),
            tasks: vec![instance("RUNNING")],
        };
        let connectors: BTreeMap<_, _> = SourceDb::ALL
            .iter()
            .map(|source| (source.prefix().to_owned(), running.clone()))
            .collect();
        Health {
            live: Ok(LiveSystem {
                ping_us: 180,
                memory_bytes: Some(12_300_000),
                flow: flow(),
                sealed: Some(SealedDays {
                    boundary: now().date_naive() - TimeDelta::days(35),
                    has_left: true,
                    late: 2,
                    written_at: Some(now() - TimeDelta::hours(3)),
                }),
                ..LiveSystem::default()
            }),
            warehouse: Ok(WarehouseSystem {
                ping_us: 640,
                flow: flow(),
                proof: Some(DriftProof {
                    at: now() - TimeDelta::minutes(2),
                    drift: 0,
                    lines: Vec::new(),
                }),
                marts: Some(MartsHealth {
                    refreshed_at: now() - TimeDelta::seconds(2),
                    as_of: Some(now() - TimeDelta::seconds(3)),
                    whole_at: Some(now() - TimeDelta::seconds(40)),
                    complete: true,
                    waiting: 0,
                    last_run: now()
                        .date_naive()
                        .pred_opt()
                        .map(|day| (day, true, now() - TimeDelta::hours(14))),
                }),
            }),
            connectors: Ok(connectors),
            local: Vec::new(),
        }
    }

    #[test]
    fn a_system_that_is_well_has_no_findings() {
        let verdict = judge(&well(), &Config::default(), now());
        assert_eq!(verdict.findings(), []);
        assert_eq!(verdict.exit(), Exit::Done);
    }

    fn live(health: &mut Health) -> &mut LiveSystem {
        health.live.as_mut().unwrap()
    }

    fn warehouse(health: &mut Health) -> &mut WarehouseSystem {
        health.warehouse.as_mut().unwrap()
    }

    /// The source as the live flow sees it, and it alone.
    fn source(health: &mut Health) -> &mut SourceHealth {
        warehouse(health).flow.sources.clear();
        &mut live(health).flow.sources[1]
    }

    type Break = fn(&mut Health);

    #[test]
    fn every_fault_is_found_and_says_what_to_do() {
        let cases: [(&str, Exit, Break); 22] = [
            ("marts: they were never computed", Exit::No, |h| {
                warehouse(h).marts = None;
            }),
            (
                "marts: nobody has refreshed them for 300 s, 12 changed rows",
                Exit::No,
                |h| {
                    let marts = warehouse(h).marts.as_mut().unwrap();
                    marts.refreshed_at -= TimeDelta::seconds(298);
                    marts.waiting = 12;
                },
            ),
            ("marts: they are being computed anew", Exit::No, |h| {
                warehouse(h).marts.as_mut().unwrap().complete = false;
            }),
            ("marts: the daily run of 2026-09-20 failed", Exit::No, |h| {
                let day = "2026-09-20".parse().unwrap();
                warehouse(h).marts.as_mut().unwrap().last_run = Some((day, false, now()));
            }),
            ("live: Redis is away", Exit::Unreachable, |h| {
                h.live = away("Redis is away");
            }),
            ("connect: no answer", Exit::Unreachable, |h| {
                h.connectors = away("no answer");
            }),
            ("live: no worker has ever published", Exit::No, |h| {
                live(h).flow.workers.clear();
            }),
            ("live: no worker has published for 60 s", Exit::No, |h| {
                live(h).flow.workers[0].seen_at -= TimeDelta::seconds(59);
            }),
            ("warehouse: host-1-1 is waiting for kafka", Exit::No, |h| {
                warehouse(h).flow.workers[0].state = "waiting for kafka".into();
            }),
            (
                "live: reads the topics from their beginning, 20000",
                Exit::No,
                |h| {
                    let worker = &mut live(h).flow.workers[0];
                    worker.state = "rebuilding".into();
                    worker.partitions[0].end = Some(20_010);
                },
            ),
            ("live: 2 of 57 partitions have no worker", Exit::No, |h| {
                live(h).flow.workers[0].partitions.truncate(55);
            }),
            ("live: 20000 messages behind", Exit::No, |h| {
                live(h).flow.workers[0].partitions[0].end = Some(20_010);
            }),
            ("warehouse: 90 h behind", Exit::No, |h| {
                let partition = &mut warehouse(h).flow.workers[0].partitions[0];
                (partition.end, partition.as_of) = (Some(11), Some(now() - TimeDelta::hours(90)));
            }),
            ("dead letters: 1 record could", Exit::No, |h| {
                warehouse(h).flow.dead_letters = Some(1);
            }),
            ("proof: the last proof found drift 3", Exit::No, |h| {
                warehouse(h).proof.as_mut().unwrap().drift = 3;
            }),
            ("crm_db: Connect has no connector", Exit::No, |h| {
                h.connectors.as_mut().unwrap().remove("crm");
            }),
            (
                "crm_db: its connector does not run: RUNNING, no task yet",
                Exit::No,
                |h| {
                    h.connectors
                        .as_mut()
                        .unwrap()
                        .get_mut("crm")
                        .unwrap()
                        .tasks
                        .clear();
                },
            ),
            ("crm_db: it does not answer", Exit::No, |h| source(h).up = false),
            ("crm_db: nobody reads its replication slot", Exit::No, |h| {
                source(h).slot_active = Some(false);
            }),
            ("crm_db: its slot holds back 2000 MB", Exit::No, |h| {
                source(h).slot_lag_bytes = Some(2_000_000_000);
            }),
            ("crm_db: its last heartbeat is 93 s old", Exit::No, |h| {
                source(h).heartbeat_at = Some(now() - TimeDelta::seconds(93));
            }),
            ("crm_db: nobody has looked at it for 62 s", Exit::No, |h| {
                source(h).seen_at -= TimeDelta::seconds(60);
            }),
        ];
        for (expected, exit, break_it) in cases {
            let mut health = well();
            break_it(&mut health);
            let verdict = judge(&health, &Config::default(), now());
            let said = |finding: &Finding| format!("{}: {}", finding.part, finding.what);
            let found: Vec<String> = verdict.findings().iter().map(said).collect();
            assert!(
                found.len() == 1 && found[0].starts_with(expected),
                "{expected}: {found:?}"
            );
            assert!(!verdict.findings()[0].hint.is_empty());
            assert_eq!(verdict.exit(), exit, "{expected}");
        }
    }

    #[test]
    fn of_two_views_of_a_source_the_newer_counts() {
        let mut health = well();
        live(&mut health).flow.sources[0].up = false;
        live(&mut health).flow.sources[0].seen_at -= TimeDelta::seconds(5);
        assert_eq!(judge(&health, &Config::default(), now()).findings(), []);
    }

    #[test]
    fn what_is_away_stands_first() {
        let mut health = well();
        warehouse(&mut health).flow.dead_letters = Some(5);
        health.connectors = away("no answer");
        let verdict = judge(&health, &Config::default(), now());
        assert_eq!(verdict.findings()[0].level, Level::Unreachable);
        assert_eq!(verdict.exit(), Exit::Unreachable);
    }
}
