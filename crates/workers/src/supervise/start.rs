//! Starting the supervisor, and waiting until its workers consume.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use color_eyre::eyre::{Result, WrapErr};
use instashop_core::config::Config;
use instashop_core::view::WorkerHealth;

use super::Counts;
use super::identity::Identity;
use super::log_file;
use super::record::{Folder, Program, Record, Worker};
use crate::cli::exit::{Exit, Failure};
use crate::cli::{Global, output};
use crate::status;

/// How often the state is looked at.
const POLL: Duration = Duration::from_millis(200);

/// How long the supervisor may take to write its first state.
const SUPERVISOR: Duration = Duration::from_secs(10);

/// How long ago a worker may have published to count as present.
const FRESH: TimeDelta = TimeDelta::seconds(10);

/// Restarts while somebody waits after which a worker counts as failing.
const GIVE_UP: u32 = 3;

/// Options that hand this command's configuration on to a child. Keys of `--set` go through the environment, which other
/// users cannot read, since they may hold passwords.
pub(super) fn arguments(global: &Global) -> (Vec<OsString>, Vec<(String, String)>) {
    let mut arguments = Vec::new();
    if let Some(file) = global.file() {
        let file = std::path::absolute(&file).unwrap_or(file);
        arguments.extend(["--config".into(), file.into_os_string()]);
    }
    if let Some(level) = &global.log_level {
        arguments.extend(["--log-level".into(), level.into()]);
    }
    arguments.extend([
        "--log-format".into(),
        global.log_format.name().into(),
        "--color".into(),
        "never".into(),
    ]);
    let variable = |text: &String| {
        let (key, value) = text.split_once('=')?;
        Some((
            format!("INSTASHOP__{}", key.trim().to_uppercase().replace('.', "__")),
            value.trim().to_owned(),
        ))
    };
    (arguments, global.set.iter().filter_map(variable).collect())
}

/// Starts the supervisor.
pub(super) fn launch(folder: &Folder, counts: Counts, global: &Global, config: &Config) -> Result<()> {
    let log = log_file::open(&folder.log("supervisor"))?;
    let again = log.try_clone().wrap_err("the log cannot be shared")?;
    let program = std::env::current_exe().wrap_err("the program does not know its own path")?;
    let (arguments, variables) = arguments(global);
    Command::new(program)
        .args(arguments)
        .arg("supervise")
        .arg("--state-dir")
        .arg(folder.path())
        .args([
            "--live",
            &counts.live.to_string(),
            "--warehouse",
            &counts.warehouse.to_string(),
            "--etl",
            &counts.etl.to_string(),
        ])
        // A worker bounds its own stop by the same setting; a little more is for the way there.
        .args(["--grace-ms", &(config.flow.shutdown_ms + 5000).to_string()])
        .envs(variables)
        .stdin(Stdio::null())
        .stdout(log)
        .stderr(again)
        .spawn()
        .wrap_err("the supervisor cannot be started")?;
    Ok(())
}

/// Waits until every worker runs and, unless `wait` is zero, says itself that it consumes.
pub(super) async fn until_consuming(
    folder: &Folder,
    counts: Counts,
    config: &Config,
    wait: Duration,
) -> Result<ExitCode> {
    let started = Instant::now();
    // What died long ago and was started again is no failure of now.
    let mut before: BTreeMap<String, u32> = BTreeMap::new();
    loop {
        let record = Record::read(folder)?.unwrap_or_default();
        let up = record.supervisor.as_ref().is_some_and(Identity::alive);
        if !up && started.elapsed() > SUPERVISOR {
            return Err(last_words(
                &folder.log("supervisor"),
                "the supervisor did not start",
            ));
        }
        if let Some(worker) = keeps_failing(&record.workers, &mut before) {
            return Err(failing(folder, worker));
        }
        let spawned = record.workers.iter().all(|worker| worker.process.is_some());
        let late = started.elapsed() > wait.max(SUPERVISOR);
        if up && spawned && record.counts() == counts {
            let silent = if wait.is_zero() {
                Vec::new()
            } else {
                not_consuming(&record.workers, config).await
            };
            if silent.is_empty() {
                return say(&record.workers, wait.is_zero());
            }
            if late {
                return Err(not_in_time(folder, &silent));
            }
        }
        if late {
            return Err(Failure::new(Exit::No, "the workers did not start in time")
                .hint("instashop logs says why")
                .into());
        }
        tokio::time::sleep(POLL).await;
    }
}

/// A worker that was started again too often since it was first looked at.
fn keeps_failing<'a>(workers: &'a [Worker], before: &mut BTreeMap<String, u32>) -> Option<&'a Worker> {
    workers.iter().find(|worker| {
        let first = *before.entry(worker.name.clone()).or_insert(worker.restarts);
        worker.restarts.saturating_sub(first) >= GIVE_UP
    })
}

fn say(workers: &[Worker], only_started: bool) -> Result<ExitCode> {
    let state = if only_started { "started" } else { "consumes" };
    for worker in workers {
        let pid = worker.process.as_ref().map_or(0, |process| process.pid);
        output::line(&format!("{:<12}  {state}, pid {pid}", worker.name))?;
    }
    Ok(Exit::Done.into())
}

/// A worker that does not consume yet, and what it or its store says.
struct Silent<'a> {
    worker: &'a Worker,
    why: String,
}

/// Workers that have not published that they consume.
async fn not_consuming<'a>(workers: &'a [Worker], config: &Config) -> Vec<Silent<'a>> {
    let (live, warehouse) = tokio::join!(status::live_workers(config), status::warehouse_workers(config));
    let marts = status::marts_refreshed_at(config).await;
    let now = Utc::now();
    let why = |worker: &Worker| {
        let published = match worker.program {
            Program::Live => &live,
            Program::Warehouse => &warehouse,
            Program::Etl => return refreshes(worker, &marts),
        };
        match published {
            Ok(published) => waits(worker, published, now),
            Err(away) => Some(away.what.clone()),
        }
    };
    workers
        .iter()
        .filter_map(|worker| {
            Some(Silent {
                worker,
                why: why(worker)?,
            })
        })
        .collect()
}

/// Why a keeper of the marts does not count as working; `None` when the marts were refreshed since it started, by it or by
/// the one it waits for.
fn refreshes(worker: &Worker, marts: &Result<Option<DateTime<Utc>>, status::Away>) -> Option<String> {
    match marts {
        Err(away) => Some(away.what.clone()),
        Ok(Some(at)) if worker.started_at.is_some_and(|started| *at >= started) => None,
        Ok(_) => Some("the marts were not refreshed since it started".into()),
    }
}

/// Why a worker does not count as consuming; `None` when it does. A rebuild counts: it reads, and says how far it is.
fn waits(worker: &Worker, published: &[WorkerHealth], now: DateTime<Utc>) -> Option<String> {
    let pid = worker.process.as_ref().map_or(0, |process| process.pid);
    // A worker's name is host, pid and start time.
    let own = |health: &&WorkerHealth| {
        let fresh =
            now - health.seen_at < FRESH && worker.started_at.is_none_or(|started| health.seen_at >= started);
        fresh && health.worker.contains(&format!("-{pid}-"))
    };
    match published.iter().find(own) {
        None => Some("it has not published anything yet".into()),
        Some(health) if !["running", "rebuilding"].contains(&health.state.as_str()) => {
            Some(health.state.clone())
        }
        Some(health) if health.partitions.is_empty() => Some("it was given no partition yet".into()),
        Some(_) => None,
    }
}

fn not_in_time(folder: &Folder, silent: &[Silent<'_>]) -> color_eyre::Report {
    let each: Vec<String> = silent
        .iter()
        .map(|silent| format!("{}: {}", silent.worker.name, silent.why))
        .collect();
    let what = format!("not every worker consumes in time ({})", each.join("; "));
    silent.first().map_or_else(
        || Failure::new(Exit::No, what.clone()).into(),
        |first| last_words(&folder.log(&first.worker.name), &what),
    )
}

fn failing(folder: &Folder, worker: &Worker) -> color_eyre::Report {
    let ended = worker.last_end.as_deref().unwrap_or("it ended");
    last_words(
        &folder.log(&worker.name),
        &format!("{} ended {} times ({ended})", worker.name, worker.restarts),
    )
}

fn last_words(log: &Path, what: &str) -> color_eyre::Report {
    let lines = log_file::last_lines(log, 5).join("\n  ");
    Failure::new(Exit::No, format!("{what}; its last words:\n  {lines}"))
        .hint(format!("the whole log is {}", log.display()))
        .into()
}

#[cfg(test)]
mod tests {
    use instashop_core::view::PartitionHealth;

    use super::*;

    #[test]
    fn restarts_of_long_ago_are_no_failure_of_now() {
        let worker = |restarts| Worker {
            name: "etl-1".into(),
            program: Program::Etl,
            process: Identity::own(),
            started_at: None,
            restarts,
            last_end: None,
        };
        let mut before = BTreeMap::new();
        for (restarts, fails) in [(7, false), (8, false), (9, false), (10, true)] {
            assert_eq!(
                keeps_failing(&[worker(restarts)], &mut before).is_some(),
                fails,
                "{restarts}"
            );
        }
        // One that was just launched is seen from its first death.
        let mut before = BTreeMap::from([("etl-1".to_owned(), 0)]);
        assert!(keeps_failing(&[worker(GIVE_UP)], &mut before).is_some());
    }

    #[test]
    fn a_worker_consumes_when_it_says_so_itself() {
        let now = DateTime::from_timestamp(1_790_000_000, 0).unwrap();
        let process = Identity::own().unwrap();
        let worker = Worker {
            name: "live-1".into(),
            program: Program::Live,
            process: Some(process.clone()),
            started_at: Some(now - TimeDelta::seconds(5)),
            restarts: 0,
            last_end: None,
        };
        let health = WorkerHealth {
            worker: format!("my-host-{}-1790000000", process.pid),
            seen_at: now,
            state: "running".into(),
            partitions: vec![PartitionHealth::default()],
            ..WorkerHealth::default()
        };
        let with = |change: fn(&mut WorkerHealth)| {
            let mut health = health.clone();
            change(&mut health);
            waits(&worker, &[health], now)
        };
        assert_eq!(with(|_| {}), None);
        assert_eq!(with(|health| health.state = "rebuilding".into()), None);
        assert_eq!(
            with(|health| health.state = "waiting for redis".into()).as_deref(),
            Some("waiting for redis")
        );
        assert!(with(|health| health.partitions.clear()).is_some());
        assert!(
            with(|health| health.worker = "my-host-1-1790000000".into()).is_some(),
            "another process"
        );
        assert!(
            with(|health| health.seen_at -= TimeDelta::seconds(8)).is_some(),
            "published before this start"
        );
        assert!(waits(&worker, &[], now).is_some());
    }
}
