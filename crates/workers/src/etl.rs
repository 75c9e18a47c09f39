//! `instashop etl`: keeps the marts up to date, and runs the daily batch.
//!
//! * `worker` is what stays: marts by dirty key every second, the rest every minute, partitions made ahead and dropped,
//!   the daily run after midnight of the reporting zone, with the days that were missed.
//! * `settle` writes totals of sealed days to Redis.
//! * `runs` asks for runs of some days and shows how they go on.
//! * `page` prints runs.
//!
//! One process at a time works, whoever holds the lock in the warehouse; the others wait to take over.

mod page;
mod runs;
mod settle;
mod worker;

use std::process::ExitCode;
use std::time::Duration;

use chrono::NaiveDate;
use clap::Args;
use color_eyre::eyre::Result;
use instashop_core::config::Config;

use crate::cli::exit::{Exit, Failure};
use crate::cli::{Format, output};
use crate::shutdown::Shutdown;
use crate::verify::seconds;

pub(crate) const HELP: &str = "\
Without a day it stays: it brings the marts up to date within seconds of a change, makes partitions of the event log ahead \
and drops old ones, runs the daily batch after midnight of the reporting zone, also for days it missed, and writes the \
totals of sealed days to Redis. `instashop up` starts one. Run as many as you like: one works, another takes over when it ends.

With a day it asks for a run of that day, waits and shows its steps; the process that stays carries it out, or this one \
when none does. A day may be run again at any time and ends in the same rows.

Examples:
  instashop etl                                     stay
  instashop etl --day 2026-03-10                    run one day again
  instashop etl --from 2026-03-01 --to 2026-03-10   run ten days
  instashop etl --refresh                           bring the marts up to date once, as cron would
  instashop etl --seal                              write the totals of sealed days to Redis once
  instashop etl --list --format json                the last runs

Exit codes: 0 done, or stopped on request; 1 a run failed; 2 usage; 3 a server cannot be reached, or the run did not end in \
time; 4 configuration.";

/// Arguments of `instashop etl`.
#[derive(Debug, Args)]
pub struct EtlArgs {
    /// Run this business day and end
    #[arg(long, value_name = "DAY", conflicts_with_all = ["from", "to"])]
    day: Option<NaiveDate>,
    /// Run every business day from this one ..
    #[arg(long, value_name = "DAY", requires = "to")]
    from: Option<NaiveDate>,
    /// .. to this one, both included, and end
    #[arg(long, value_name = "DAY", requires = "from")]
    to: Option<NaiveDate>,
    /// Bring the marts up to date once and end
    #[arg(long, conflicts_with_all = ["day", "from", "to", "list"])]
    refresh: bool,
    /// Write the totals of sealed days to Redis once, if they are not there or changed since, and end
    #[arg(long, conflicts_with_all = ["day", "from", "to", "list", "refresh"])]
    seal: bool,
    /// With --refresh: compute everything anew
    #[arg(long, requires = "refresh")]
    rebuild: bool,
    /// Show the last runs and end
    #[arg(long, conflicts_with_all = ["day", "from", "to"])]
    list: bool,
    /// Longest time to wait for a run that another process carries out, in seconds
    #[arg(long, value_name = "SECONDS", default_value = "3600", value_parser = seconds)]
    wait: Duration,
    /// How to print runs
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

impl EtlArgs {
    /// The days that are asked for; empty when the process stays.
    fn days(&self) -> Result<Vec<NaiveDate>> {
        match (self.day, self.from, self.to) {
            (Some(day), ..) => Ok(vec![day]),
            (None, Some(from), Some(to)) if from <= to => {
                Ok(from.iter_days().take_while(|day| *day <= to).collect())
            }
            (None, Some(from), Some(to)) => Err(Failure::new(
                Exit::Usage,
                format!("--from {from} lies after --to {to}"),
            )
            .hint("give the earlier day first")
            .into()),
            _ => Ok(Vec::new()),
        }
    }

    /// True when the process does one thing and ends.
    pub(crate) const fn is_short(&self) -> bool {
        self.day.is_some() || self.from.is_some() || self.refresh || self.seal || self.list
    }
}

/// Runs the command.
pub(crate) async fn run(args: &EtlArgs, config: &Config, shutdown: Shutdown) -> Result<ExitCode> {
    let days = args.days()?;
    if args.list {
        let list = runs::newest(config).await?;
        output::print(&page::list(&list, args.format)?)?;
        return Ok(Exit::Done.into());
    }
    if args.refresh {
        let done = Box::pin(runs::refresh_once(config, args.rebuild)).await?;
        output::line(&page::refreshed(&done, args.format)?)?;
        return Ok(Exit::Done.into());
    }
    if args.seal {
        let done = Box::pin(settle::once(config)).await?;
        output::line(&page::settled(done.as_ref(), args.format)?)?;
        return Ok(Exit::Done.into());
    }
    if days.is_empty() {
        return Box::pin(worker::stay(config, &shutdown)).await;
    }
    let ended = Box::pin(runs::ask(config, &days, args.wait, &shutdown)).await?;
    output::print(&page::list(&ended, args.format)?)?;
    let failed = ended
        .iter()
        .find_map(|run| run.error.as_ref().map(|error| (run.day, error)));
    match failed {
        None => Ok(Exit::Done.into()),
        Some((day, error)) => Err(
            Failure::new(Exit::No, format!("the run of {day} failed: {error}"))
                .hint("it may be run again at any time")
                .into(),
        ),
    }
}
