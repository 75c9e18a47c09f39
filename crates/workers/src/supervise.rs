//! `instashop up`, `down`, `logs`: the workers of both flows and the keeper of the marts in the background of this machine, for laptops and single
//! servers. (Servers with systemd use the unit files of `packaging/systemd` instead.)
//!
//! `up` leaves one process behind, the supervisor. It owns the state folder, starts the workers and starts those again that
//! end. Everything another command must know stands in one file there; a process in it is named by pid and start time, so
//! that a pid which was given out again is never taken for ours.

/// A process that is certainly the one meant.
pub mod identity;
/// Log files: growing, turned over, followed.
pub mod log_file;
/// What the state folder says is running.
pub mod record;
/// Starting, and waiting until the workers consume.
mod start;
/// Stopping, first with words, then without.
mod stop;
/// The process that stays.
mod supervisor;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use color_eyre::eyre::{Result, WrapErr};
use instashop_core::config::Config;

use crate::cli::exit::{Exit, Failure};
use crate::cli::{Global, output};
use record::{Folder, Record};

pub(crate) const UP_HELP: &str = "\
Starts a supervisor of its own session, which starts the workers, starts those again that end (after 1 s, 2 s, 4 s, up to \
30 s), and turns their logs over. Returns when every worker consumes. Running already is not an error.

Examples:
  instashop up
  instashop up --live 2 --warehouse 3
  instashop up --no-wait

Exit codes: 0 every worker consumes; 1 one does not (its last words are shown), or other workers run already; 2 usage; \
3 a server cannot be reached; 4 configuration.";

pub(crate) const DOWN_HELP: &str = "\
Asks the workers to finish the batch in flight, waits, and ends what is still there. No process is left. Nothing running \
is not an error. Nothing is lost either way: data and progress move in one step.

Example:
  instashop down

Exit codes: 0 nothing runs any more; 1 something could not be ended; 2 usage.";

pub(crate) const LOGS_HELP: &str = "\
Examples:
  instashop logs                  the last lines of every worker
  instashop logs live-1 -f        one worker, as it goes
  instashop logs supervisor -n 200

Exit codes: 0 shown; 1 there is no such log; 2 usage.";

/// Where the state of background workers is kept.
#[derive(Debug, Clone, Args)]
pub struct StateDir {
    /// Folder for state and logs of background workers [default: workers, beside the configuration file, else .stack/workers]
    #[arg(long, value_name = "DIR", env = "INSTASHOP_STATE_DIR", hide_env_values = true)]
    state_dir: Option<PathBuf>,
}

impl StateDir {
    /// The folder, absolute; it need not exist.
    pub(crate) fn folder(&self, global: &Global) -> Result<Folder> {
        let path = self.state_dir.clone().unwrap_or_else(|| {
            let beside = |file: PathBuf| {
                file.parent()
                    .map_or_else(|| "workers".into(), |parent| parent.join("workers"))
            };
            global.file().map_or_else(|| ".stack/workers".into(), beside)
        });
        let path = std::path::absolute(&path)
            .wrap_err_with(|| format!("{} is not a usable folder", path.display()))?;
        Ok(Folder::new(path))
    }
}

/// How many workers of each kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Args)]
pub struct Counts {
    /// Workers of the live flow
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(0..=64))]
    pub live: u16,
    /// Workers of the warehouse flow
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(0..=64))]
    pub warehouse: u16,
    /// Keepers of the marts; one works, others wait to take over
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(0..=8))]
    pub etl: u16,
}

/// Arguments of `instashop up`.
#[derive(Debug, Args)]
pub struct UpArgs {
    #[command(flatten)]
    counts: Counts,
    #[command(flatten)]
    state: StateDir,
    /// Longest time to wait until every worker consumes, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    wait: u64,
    /// Return as soon as the workers are started
    #[arg(long)]
    no_wait: bool,
}

/// Arguments of `instashop down`.
#[derive(Debug, Args)]
pub struct DownArgs {
    #[command(flatten)]
    state: StateDir,
    /// Longest time to wait before what is left is killed, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    wait: u64,
}

/// Arguments of `instashop logs`.
#[derive(Debug, Args)]
pub struct LogsArgs {
    /// The worker, for example live-1, or supervisor [default: all]
    worker: Option<String>,
    #[command(flatten)]
    state: StateDir,
    /// Go on as lines come
    #[arg(short, long)]
    follow: bool,
    /// Lines to begin with
    #[arg(short = 'n', long, value_name = "N", default_value_t = 20)]
    lines: usize,
}

/// Arguments of the hidden command that `up` leaves running.
#[derive(Debug, Args)]
pub struct SuperviseArgs {
    #[command(flatten)]
    counts: Counts,
    #[command(flatten)]
    state: StateDir,
    /// How long a worker may take to stop, in milliseconds
    #[arg(long, default_value_t = 15_000)]
    grace_ms: u64,
}

/// Starts the workers in the background, or finds them running, and waits until they consume.
pub(crate) async fn up(args: &UpArgs, global: &Global, config: &Config) -> Result<ExitCode> {
    let folder = args.state.folder(global)?;
    folder.make()?;
    if folder.is_held()? {
        let record = Record::read(&folder)?.unwrap_or_default();
        if record.counts() != args.counts {
            let Counts { live, warehouse, etl } = record.counts();
            return Err(Failure::new(
                Exit::No,
                format!("{live} live, {warehouse} warehouse and {etl} etl workers run already"),
            )
            .hint("run instashop down first")
            .into());
        }
        output::line(&format!("already running ({})", folder.path().display()))?;
    } else {
        stop::leftovers(&folder, Duration::from_millis(config.flow.shutdown_ms)).await?;
        start::launch(&folder, args.counts, global, config)?;
    }
    let wait = if args.no_wait {
        Duration::ZERO
    } else {
        Duration::from_secs(args.wait)
    };
    start::until_consuming(&folder, args.counts, config, wait).await
}

/// Stops what `up` started.
pub(crate) async fn down(args: &DownArgs, global: &Global) -> Result<ExitCode> {
    let folder = args.state.folder(global)?;
    stop::all(&folder, Duration::from_secs(args.wait)).await
}

/// Prints the logs.
pub(crate) async fn logs(args: &LogsArgs, global: &Global) -> Result<ExitCode> {
    let folder = args.state.folder(global)?;
    let logs = log_file::find(&folder.logs(), args.worker.as_deref())?;
    log_file::show(&logs, args.lines)?;
    if args.follow {
        log_file::follow(&logs).await?;
    }
    Ok(Exit::Done.into())
}

/// Runs the supervisor until it is asked to stop.
pub(crate) async fn supervise(args: &SuperviseArgs, global: &Global) -> Result<ExitCode> {
    let folder = args.state.folder(global)?;
    supervisor::run(&folder, args.counts, Duration::from_millis(args.grace_ms), global).await
}
