//! The process that stays: starts the workers, starts them again when they end, stops them when it is asked to.

use std::fs::File;
use std::path::Path;
use std::process::{ExitCode, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use chrono::Utc;
use color_eyre::eyre::{Result, WrapErr};
use futures::future::join_all;
use nix::sys::signal::Signal;
use tokio::process::{Child, Command};

use super::Counts;
use super::identity::Identity;
use super::log_file;
use super::record::{Folder, Program, Record, Worker};
use super::start::arguments;
use crate::cli::Global;
use crate::cli::exit::{Exit, Failure};
use crate::shutdown::Shutdown;

/// Wait before the first restart; doubled each time.
const FIRST_WAIT: Duration = Duration::from_secs(1);

/// Longest wait before a restart.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// A worker that ran this long begins with the first wait again.
const HEALTHY: Duration = Duration::from_mins(1);

/// How often the state folder and the length of the logs are looked at.
const HOUSEKEEPING: Duration = Duration::from_secs(2);

/// The record, shared by the tasks of the workers; every change is written at once.
#[derive(Clone)]
struct Ledger {
    folder: Folder,
    /// The lock that makes the folder ours.
    held: Arc<File>,
    record: Arc<Mutex<Record>>,
}

impl Ledger {
    fn update(&self, name: &str, change: impl FnOnce(&mut Worker)) {
        let mut record = self.record.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(worker) = record.workers.iter_mut().find(|worker| worker.name == name) {
            change(worker);
        }
        if !self.is_ours() {
            return;
        }
        if let Err(error) = record.write(&self.folder) {
            tracing::error!(error = format!("{error:#}"), "state not written");
        }
    }

    fn is_ours(&self) -> bool {
        self.folder.is_still(&self.held)
    }
}

/// Runs until a signal, or until the state folder is removed or made anew by somebody else: workers that nobody could
/// find and stop must not go on. The folder is held all the time.
pub(super) async fn run(
    folder: &Folder,
    counts: Counts,
    grace: Duration,
    global: &Global,
) -> Result<ExitCode> {
    // Not a leader yet when `up` started it; a session of its own survives the terminal. Elsewhere this may fail in peace.
    let _ = nix::unistd::setsid();
    folder.make()?;
    let Some(held) = folder.hold()? else {
        return Err(Failure::new(Exit::No, "another supervisor holds the state folder").into());
    };
    let shutdown = Shutdown::on_signals().wrap_err("signals cannot be received")?;
    let record = Record::planned(counts);
    record.write(folder)?;
    tracing::info!(workers = record.workers.len(), folder = %folder.path().display(), "supervisor started");
    let plan: Vec<(String, Program)> = record
        .workers
        .iter()
        .map(|worker| (worker.name.clone(), worker.program))
        .collect();
    let ledger = Ledger {
        folder: folder.clone(),
        held: Arc::new(held),
        record: Arc::new(Mutex::new(record)),
    };
    // Asked once: a new build moves the running file away, and the same path is the program's newer version.
    let program = std::env::current_exe().wrap_err("the program does not know its own path")?;
    let keeping_house = tokio::spawn(keep_house(
        ledger.clone(),
        plan.iter().map(|(name, _)| name.clone()).collect(),
        shutdown.clone(),
    ));
    join_all(
        plan.iter()
            .map(|(name, command)| keep(name, *command, &ledger, &program, global, &shutdown, grace)),
    )
    .await;
    keeping_house.abort();
    if ledger.is_ours() {
        folder.forget()?;
    }
    tracing::info!("supervisor stopped");
    Ok(Exit::Done.into())
}

/// Keeps one worker running until the shutdown.
async fn keep(
    name: &str,
    command: Program,
    ledger: &Ledger,
    program: &Path,
    global: &Global,
    shutdown: &Shutdown,
    grace: Duration,
) {
    let mut wait = FIRST_WAIT;
    while !shutdown.is_triggered() {
        let started = Instant::now();
        let ended = match spawn(name, command, &ledger.folder, program, global) {
            Ok(mut child) => {
                let process = child.id().and_then(|pid| Identity::of(i32::try_from(pid).ok()?));
                tracing::info!(worker = name, pid = child.id(), "worker started");
                ledger.update(name, |worker| {
                    worker.process.clone_from(&process);
                    worker.started_at = Some(Utc::now());
                });
                tokio::select! {
                    ended = child.wait() => describe(ended),
                    () = shutdown.triggered() => {
                        stop(name, &mut child, process.as_ref(), grace).await;
                        ledger.update(name, |worker| worker.process = None);
                        return;
                    }
                }
            }
            Err(error) => format!("{error:#}"),
        };
        if started.elapsed() >= HEALTHY {
            wait = FIRST_WAIT;
        }
        tracing::warn!(worker = name, ended, again_in_s = wait.as_secs(), "worker ended");
        ledger.update(name, |worker| {
            worker.process = None;
            worker.restarts += 1;
            worker.last_end = Some(ended);
        });
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = shutdown.triggered() => return,
        }
        wait = (wait * 2).min(LONGEST_WAIT);
    }
}

fn spawn(name: &str, command: Program, folder: &Folder, program: &Path, global: &Global) -> Result<Child> {
    let log = log_file::open(&folder.log(name))?;
    let again = log.try_clone().wrap_err("the log cannot be shared")?;
    let (arguments, variables) = arguments(global);
    Command::new(program)
        .args(arguments)
        .arg(command.name())
        .envs(variables)
        .stdin(Stdio::null())
        .stdout(log)
        .stderr(again)
        .spawn()
        .wrap_err_with(|| format!("{name} cannot be started"))
}

/// Asks a worker to stop; kills it when it takes too long.
async fn stop(name: &str, child: &mut Child, process: Option<&Identity>, grace: Duration) {
    if let Some(process) = process
        && let Err(error) = process.signal(Signal::SIGTERM)
    {
        tracing::warn!(worker = name, %error, "cannot be asked to stop");
    }
    if let Ok(ended) = tokio::time::timeout(grace, child.wait()).await {
        tracing::info!(worker = name, ended = describe(ended), "worker stopped");
        return;
    }
    tracing::warn!(worker = name, "did not stop in time: killed");
    if let Err(error) = child.kill().await {
        tracing::error!(worker = name, %error, "cannot be killed");
    }
}

fn describe(ended: std::io::Result<ExitStatus>) -> String {
    ended.map_or_else(|error| error.to_string(), |status| status.to_string())
}

/// Turns logs over when they are long, and stops everything when the state folder is no longer ours.
async fn keep_house(ledger: Ledger, mut names: Vec<String>, shutdown: Shutdown) {
    names.push("supervisor".into());
    loop {
        tokio::time::sleep(HOUSEKEEPING).await;
        if !ledger.is_ours() {
            tracing::warn!(folder = %ledger.folder.path().display(), "the state folder was removed: stopping the workers");
            shutdown.trigger();
            return;
        }
        for name in &names {
            if let Err(error) = log_file::turn_over(&ledger.folder.log(name)) {
                tracing::warn!(log = name, %error, "log not turned over");
            }
        }
    }
}
