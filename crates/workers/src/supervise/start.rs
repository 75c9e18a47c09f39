//! Starting the supervisor, and waiting until its workers consume.

use std::ffi::OsString;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use color_eyre::eyre::{Result, WrapErr};
use instashop_core::config::Config;

use super::Counts;
use super::log_file;
use super::record::{Folder, Record, Worker};
use crate::cli::exit::{Exit, Failure};
use crate::cli::{Global, output};

/// How often the state is looked at.
const POLL: Duration = Duration::from_millis(200);

/// How long the supervisor may take to write its first state.
const SUPERVISOR: Duration = Duration::from_secs(10);

/// Restarts after which a worker counts as failing.
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

/// Waits until every worker runs and, unless `wait` is zero, consumes.
pub(super) async fn until_consuming(
    folder: &Folder,
    counts: Counts,
    config: &Config,
    wait: Duration,
) -> Result<ExitCode> {
    let started = Instant::now();
    let _ = config;
    loop {
        let record = Record::read(folder)?.unwrap_or_default();
        let up = record
            .supervisor
            .as_ref()
            .is_some_and(super::identity::Identity::alive);
        if !up && started.elapsed() > SUPERVISOR {
            return Err(last_words(
                &folder.log("supervisor"),
                "the supervisor did not start",
            ));
        }
        if let Some(worker) = record.workers.iter().find(|worker| worker.restarts >= GIVE_UP) {
            return Err(failing(folder, worker));
        }
        let ready =
            up && record.counts() == counts && record.workers.iter().all(|worker| worker.process.is_some());
        if ready {
            for worker in &record.workers {
                let pid = worker.process.as_ref().map_or(0, |process| process.pid);
                output::line(&format!("{:<12} running, pid {pid}", worker.name))?;
            }
            return Ok(Exit::Done.into());
        }
        if started.elapsed() > wait.max(SUPERVISOR) {
            return Err(Failure::new(Exit::No, "the workers did not start in time")
                .hint("instashop logs says why")
                .into());
        }
        tokio::time::sleep(POLL).await;
    }
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
