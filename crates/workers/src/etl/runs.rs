//! Runs of the daily batch: asking, carrying out, following.

use std::time::{Duration, Instant};

use chrono::{NaiveDate, Utc};
use color_eyre::eyre::Result;
use instashop_core::config::Config;
use instashop_store::warehouse::{EtlRun, EtlRuns, MartRefresher, Refreshed, RunState, Step, StepDone};
use instashop_store::{Kind, StoreError};

use crate::cli::exit::{Exit, Failure};
use crate::shutdown::Shutdown;
use crate::verify::progress::Progress;

/// How often a run that another process carries out is looked at.
const POLL: Duration = Duration::from_millis(200);

/// Runs that a list shows.
const SHOWN: i64 = 30;

/// The newest runs.
pub(super) async fn newest(config: &Config) -> Result<Vec<EtlRun>> {
    Ok(EtlRuns::connect(&config.warehouse).await?.newest(SHOWN).await?)
}

/// Brings the marts up to date once, when no other process keeps them.
pub(super) async fn refresh_once(config: &Config, rebuild: bool) -> Result<Vec<Refreshed>> {
    let Some(mut refresher) = MartRefresher::connect(&config.warehouse).await? else {
        return Err(
            Failure::new(Exit::No, "another process keeps the marts up to date already")
                .hint("instashop status says how far they are; instashop down ends the one in the background")
                .into(),
        );
    };
    let progress = Progress::new();
    progress.say("refreshing the marts");
    let mut done = Vec::new();
    if rebuild {
        done.push(refresher.rebuild(Utc::now()).await?);
    }
    while let Some(refreshed) = refresher.refresh(Utc::now()).await? {
        done.push(refreshed);
    }
    if !rebuild {
        refresher.refresh_whole(Utc::now()).await?;
    }
    Ok(done)
}

/// Asks for runs of some days and waits for them; carries them out itself when no other process does.
pub(super) async fn ask(
    config: &Config,
    days: &[NaiveDate],
    wait: Duration,
    shutdown: &Shutdown,
) -> Result<Vec<EtlRun>> {
    let runs = EtlRuns::connect(&config.warehouse).await?;
    let mut ids = Vec::with_capacity(days.len());
    for day in days {
        ids.push(runs.request(*day, Utc::now()).await?);
    }
    let progress = Progress::new();
    let began = Instant::now();
    loop {
        let mut asked = Vec::with_capacity(ids.len());
        for id in &ids {
            asked.extend(runs.run(*id).await?);
        }
        let open = asked
            .iter()
            .find(|run| matches!(run.state, RunState::Waiting | RunState::Running));
        let Some(open) = open else {
            return Ok(asked);
        };
        progress.say(&line(open, &ids));
        if shutdown.is_triggered() {
            return Err(Failure::new(Exit::No, "stopped before the runs ended")
                .hint("they are still asked for; instashop etl --list shows them")
                .into());
        }
        if began.elapsed() > wait {
            return Err(Failure::new(Exit::Unreachable, "the runs did not end in time")
                .hint("instashop etl --list shows how far they are; wait longer with --wait")
                .into());
        }
        match MartRefresher::connect(&config.warehouse).await? {
            Some(mut refresher) => {
                while !shutdown.is_triggered()
                    && let Some(run) = runs.next(Utc::now()).await?
                {
                    let say = |step: Step| {
                        progress.say(&format!("{}: {} ({})", run.day, step.name(), place(run.id, &ids)));
                    };
                    Box::pin(carry_out(&mut refresher, &runs, &run, say)).await?;
                }
            }
            None => tokio::time::sleep(POLL).await,
        }
    }
}

fn line(run: &EtlRun, ids: &[i64]) -> String {
    let place = place(run.id, ids);
    let doing = match run.state {
        RunState::Waiting => "waiting",
        RunState::Running | RunState::Done | RunState::Failed => {
            Step::ALL.get(run.steps.len()).map_or("", |step| step.name())
        }
    };
    format!("{}: {doing} ({place})", run.day)
}

fn place(id: i64, ids: &[i64]) -> String {
    let number = ids
        .iter()
        .position(|known| *known == id)
        .map_or(0, |index| index + 1);
    format!("{number} of {}", ids.len())
}

/// Carries out one run. A failure of the day is recorded and is no failure of the caller; a server that is away is, and
/// the run is found again by whoever takes over.
pub(super) async fn carry_out(
    refresher: &mut MartRefresher,
    runs: &EtlRuns,
    run: &EtlRun,
    say: impl Fn(Step),
) -> Result<(), StoreError> {
    let began = Instant::now();
    runs.begin(run.id, Utc::now()).await?;
    // The recount must find what the refresher overlooked, not what it has not come to yet.
    while refresher
        .refresh(Utc::now())
        .await?
        .is_some_and(|refreshed| refreshed.more)
    {}
    let mut repaired = 0;
    for step in Step::ALL {
        say(step);
        let began = Instant::now();
        // Of several days that are made up for, the first computes what is the same for all.
        if step == Step::AsAWhole && refresher.is_whole_since(run.requested_at).await? {
            let done = StepDone { rows: 0, repaired: 0 };
            runs.step(run.id, step, done, began.elapsed()).await?;
            continue;
        }
        match refresher.step(step, run.day, Utc::now()).await {
            Ok(done) => {
                repaired += done.repaired;
                runs.step(run.id, step, done, began.elapsed()).await?;
            }
            Err(error) if error.kind() == Kind::Transient => return Err(error),
            Err(error) => {
                tracing::error!("the daily run of {} failed: {error}", run.day);
                return runs.end(run.id, Some(&error.to_string()), Utc::now()).await;
            }
        }
    }
    runs.end(run.id, None, Utc::now()).await?;
    if repaired > 0 {
        tracing::error!(
            "the daily run of {} put {repaired} rows of marts right that the refresher had overlooked",
            run.day
        );
    }
    tracing::info!(day = %run.day, took = ?began.elapsed(), "daily run done");
    Ok(())
}
