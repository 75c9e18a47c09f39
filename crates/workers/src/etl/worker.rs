//! The process that stays.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use chrono::{DateTime, Days, Months, NaiveDate, TimeDelta, Utc};
use color_eyre::eyre::Result;
use instashop_core::config::Config;
use instashop_core::contribution::Calendar;
use instashop_core::schedule::due_days;
use instashop_store::warehouse::{EtlRuns, How, MartRefresher, Refreshed};
use instashop_store::{Kind, StoreError};

use super::runs::carry_out;
use super::settle;
use crate::cli::exit::Exit;
use crate::flow::backoff::Backoff;
use crate::shutdown::Shutdown;

/// How often another process is asked whether it still works.
const TAKEOVER: Duration = Duration::from_secs(2);
/// How often runs that are due or asked for are looked for.
const RUNS: Duration = Duration::from_secs(2);
/// How often partitions are looked after.
const PARTITIONS: Duration = Duration::from_hours(1);
/// How long a refresh is held back at most while the warehouse is being filled.
const HOLD: Duration = Duration::from_mins(5);
/// Marts computed as a whole may take this part of the time at most.
const SHARE: u32 = 20;

/// Works while it holds the lock, waits for it otherwise, until a stop is asked for.
pub(super) async fn stay(config: &Config, shutdown: &Shutdown) -> Result<ExitCode> {
    let mut backoff = Backoff::default();
    while !shutdown.is_triggered() {
        // A long statement does not hold up a stop: its transaction is given up, and the marks are still there.
        let late = async {
            shutdown.triggered().await;
            tokio::time::sleep(Duration::from_millis(config.flow.shutdown_ms / 2)).await;
        };
        let worked = tokio::select! {
            worked = Box::pin(work(config, shutdown, &mut backoff)) => worked,
            () = late => break,
        };
        match worked {
            Ok(()) => {}
            // The server is away, or another process changed the same rows: again from the start.
            Err(error) if error.kind() == Kind::Transient => {
                tracing::warn!("waiting for the warehouse: {error}");
                pause(shutdown, backoff.next()).await;
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(Exit::Done.into())
}

async fn pause(shutdown: &Shutdown, time: Duration) {
    tokio::select! {
        () = shutdown.triggered() => {}
        () = tokio::time::sleep(time) => {}
    }
}

async fn work(config: &Config, shutdown: &Shutdown, backoff: &mut Backoff) -> Result<(), StoreError> {
    let mut waits = false;
    let mut refresher = loop {
        if let Some(refresher) = MartRefresher::connect(&config.warehouse).await? {
            break refresher;
        }
        if !std::mem::replace(&mut waits, true) {
            tracing::info!("another process keeps the marts; this one takes over when it ends");
        }
        pause(shutdown, TAKEOVER).await;
        if shutdown.is_triggered() {
            return Ok(());
        }
    };
    backoff.reset();
    // Redis may be away without holding up the marts.
    tokio::select! {
        kept = Box::pin(keep(config, shutdown, &mut refresher)) => kept,
        () = settle::keep(config, shutdown) => Ok(()),
    }
}

async fn keep(config: &Config, shutdown: &Shutdown, refresher: &mut MartRefresher) -> Result<(), StoreError> {
    let runs = EtlRuns::connect(&config.warehouse).await?;
    tracing::info!("keeping the marts up to date");
    let mut clock = Clock::new(config);
    while !shutdown.is_triggered() {
        let now = Utc::now();
        // A first snapshot touches every fact again and again: it is let through, and everything computed once after it.
        if clock.may_hold(runs.is_rebuilding(now).await?) {
            refresher.wait(now).await?;
            pause(shutdown, clock.refresh).await;
            continue;
        }
        let refreshed = refresher.refresh(now).await?;
        if let Some(refreshed) = &refreshed {
            clock.refreshed(refreshed);
        }
        if clock.is_whole_due() {
            let began = Instant::now();
            let rows = refresher.refresh_whole(now).await?;
            clock.whole(began.elapsed());
            tracing::debug!(rows, took = ?began.elapsed(), "marts computed as a whole");
        }
        if clock.are_partitions_due() {
            let (days, keep_from) = clock.partitions(now);
            let (made, dropped) = runs.partitions(&days, keep_from).await?;
            if made + dropped > 0 {
                tracing::info!(made, dropped, "day partitions of the event log");
            }
        }
        if clock.are_runs_due() {
            for day in due_days(clock.calendar, now, clock.after_midnight, runs.last_done().await?) {
                // A day that somebody asks for is run as it is; one that is merely due waits until all of it is there.
                if runs.is_settled(clock.calendar.end(day), now).await? {
                    runs.request(day, now).await?;
                }
            }
            // One run, then the marts again: what is live must not wait for what is made up for.
            if let Some(run) = runs.next(now).await? {
                Box::pin(carry_out(refresher, &runs, &run, |_| {})).await?;
                clock.more_runs();
                continue;
            }
        }
        if refreshed.is_none_or(|refreshed| !refreshed.more) {
            pause(shutdown, clock.refresh).await;
        }
    }
    Ok(())
}

/// When what is due.
struct Clock {
    calendar: Calendar,
    refresh: Duration,
    whole_every: Duration,
    after_midnight: TimeDelta,
    keep: Months,
    ahead: u64,
    /// The marts computed as a whole are behind.
    is_stale: bool,
    whole_at: Instant,
    partitions_at: Instant,
    runs_at: Instant,
    /// Since when the refresh is held back.
    held_since: Option<Instant>,
    has_refreshed: bool,
}

impl Clock {
    fn new(config: &Config) -> Self {
        let now = Instant::now();
        Self {
            calendar: Calendar::new(config.meaning.tz()),
            refresh: Duration::from_millis(config.etl.refresh_ms),
            whole_every: Duration::from_secs(config.etl.whole_seconds),
            after_midnight: TimeDelta::minutes(config.etl.daily_minute.min(1439) as i64),
            keep: Months::new(u32::try_from(config.etl.keep_months).unwrap_or(u32::MAX)),
            ahead: config.etl.ahead_days,
            is_stale: true,
            whole_at: now,
            partitions_at: now,
            runs_at: now,
            held_since: None,
            has_refreshed: false,
        }
    }

    /// Whether to hold the refresh back while the warehouse is being filled: after a first one, and not for ever.
    fn may_hold(&mut self, is_rebuilding: bool) -> bool {
        if !is_rebuilding || !std::mem::replace(&mut self.has_refreshed, true) {
            self.held_since = None;
            return false;
        }
        let now = Instant::now();
        if now.duration_since(*self.held_since.get_or_insert(now)) < HOLD {
            return true;
        }
        self.held_since = None;
        false
    }

    fn refreshed(&mut self, refreshed: &Refreshed) {
        match refreshed.how {
            How::Rebuilt => {
                tracing::info!(rows = refreshed.rows, took = ?refreshed.took, "marts computed anew");
                self.whole(refreshed.took);
            }
            How::ByKey { marked } => {
                tracing::debug!(marked, rows = refreshed.rows, took = ?refreshed.took, "marts refreshed");
                self.is_stale |= marked > 0 || refreshed.rows > 0;
            }
        }
    }

    /// Stock means, recency and the like move with the clock, but nobody sees that within an hour.
    fn is_whole_due(&self) -> bool {
        let now = Instant::now();
        now >= self.whole_at && (self.is_stale || now >= self.whole_at + Duration::from_hours(1))
    }

    fn whole(&mut self, took: Duration) {
        self.is_stale = false;
        self.whole_at = Instant::now() + self.whole_every.max(took * SHARE);
    }

    fn are_partitions_due(&mut self) -> bool {
        let due = Instant::now() >= self.partitions_at;
        if due {
            self.partitions_at = Instant::now() + PARTITIONS;
        }
        due
    }

    /// Days that need a partition, and the first day that is kept.
    fn partitions(&self, now: DateTime<Utc>) -> (Vec<NaiveDate>, NaiveDate) {
        // Partitions are cut in UTC.
        let today = now.date_naive();
        let ahead = today.iter_days().take(self.ahead as usize + 1).collect();
        let keep_from = today
            .checked_sub_months(self.keep)
            .or_else(|| today.checked_sub_days(Days::new(36_500)))
            .unwrap_or(NaiveDate::MIN);
        (ahead, keep_from)
    }

    fn are_runs_due(&mut self) -> bool {
        let due = Instant::now() >= self.runs_at;
        if due {
            self.runs_at = Instant::now() + RUNS;
        }
        due
    }

    fn more_runs(&mut self) {
        self.runs_at = Instant::now();
    }
}
