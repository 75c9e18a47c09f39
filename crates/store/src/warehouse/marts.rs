//! The mart refresher: keeps the tables of `marts` equal to the views that define them (docs: kpis 4.4, reliability 4.3).
//!
//! The warehouse flow marks every source row it changes in `ops.dirty_keys`. A round takes the marks it can see, works
//! out which facts they touch, and replaces the facts that differ; the facts that differed say which rows of the marts
//! are out of date. All of that is one transaction on one snapshot, so readers see the marts of one moment.
//!
//! * `daily` holds the steps of the daily run; `forecast` is one of them.
//! * `tables` lists facts and marts and writes their statements.
//! * `round` is one incremental round.
//! * `rebuild` computes everything anew: at first, after a definition or a map changed, and when there are more marks
//!   than a rebuild costs.

mod daily;
mod forecast;
mod rebuild;
mod round;
mod tables;

use std::fmt;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use instashop_core::config;
use tokio_postgres::{Client, GenericClient, IsolationLevel, Transaction};

pub use daily::{Step, StepDone};

use super::worker_client;
use crate::StoreError;
use crate::postgres::{Limits, failed};

/// Most marks that one round takes; the next follows at once.
const ROUND: i64 = 20_000;

/// How often it is recorded that nothing is out of date.
const ALIVE: Duration = Duration::from_secs(5);

/// Marks below which nothing is ever rebuilt as a whole.
const FEW: i64 = 50_000;

/// How the marts were brought up to date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// Row by row, for this many marked source rows.
    ByKey {
        /// Source rows, each counted once.
        marked: usize,
    },
    /// Everything anew.
    Rebuilt,
}

/// What one call of [`MartRefresher::refresh`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refreshed {
    /// How.
    pub how: How,
    /// Rows of facts and marts that were written or removed.
    pub rows: u64,
    /// True when there is more to do at once.
    pub more: bool,
    /// How long it took.
    pub took: Duration,
}

/// The one refresher of a warehouse.
pub struct MartRefresher {
    client: Client,
    /// No rebuild before this moment, so that a flood of marks does not rebuild without end.
    rebuild_after: Option<Instant>,
    recorded: Option<Instant>,
}

impl fmt::Debug for MartRefresher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MartRefresher")
            .field("rebuild_after", &self.rebuild_after)
            .finish_non_exhaustive()
    }
}

impl MartRefresher {
    /// Connects as the worker and takes the lock that only one refresher of a warehouse holds; `None` while another does.
    /// The lock ends with the connection.
    pub async fn connect(config: &config::Warehouse) -> Result<Option<Self>, StoreError> {
        let limits = Limits {
            // A rebuild of a large warehouse is one statement per table.
            statement: Duration::from_hours(1),
            lock: Duration::from_secs(5),
            idle_in_transaction: Duration::from_mins(1),
            read_only: false,
        };
        let client = worker_client(config, "instashop etl", &limits).await?;
        // A process that is frozen gives up the lock as well; a living one asks every few seconds.
        client
            .batch_execute("SET idle_session_timeout = '2min'")
            .await
            .map_err(|error| failed("cannot bound an idle session of the mart refresher", error))?;
        let row = client
            .query_one(
                "SELECT pg_try_advisory_lock(hashtextextended('instashop etl', 0))",
                &[],
            )
            .await
            .map_err(|error| failed("cannot ask for the lock of the mart refresher", error))?;
        Ok(row.get::<_, bool>(0).then_some(Self {
            client,
            rebuild_after: None,
            recorded: None,
        }))
    }

    /// One round: takes marks and brings what they touch up to date, or rebuilds when that is due. `None` when there was
    /// nothing to do.
    pub async fn refresh(&mut self, now: DateTime<Utc>) -> Result<Option<Refreshed>, StoreError> {
        let began = Instant::now();
        let may_rebuild = self.rebuild_after.is_none_or(|after| after <= began);
        let transaction = begin(&mut self.client).await?;
        // Asked on the snapshot of the round: a rebuild that is asked for meanwhile refuses the record below, and the next
        // call finds it.
        let due = is_rebuild_due(&transaction, may_rebuild).await?;
        let done = if due {
            let rows = rebuild::everything(&transaction).await?;
            Some((How::Rebuilt, rows, false))
        } else {
            round::run(&transaction, ROUND).await?.map(|round| {
                let how = How::ByKey { marked: round.marked };
                (how, round.rows, round.taken >= ROUND)
            })
        };
        if done.is_some() || self.recorded.is_none_or(|at| at.elapsed() >= ALIVE) {
            record(&transaction, "by_key", now, done.is_some()).await?;
            self.recorded = Some(Instant::now());
        }
        let Some((how, rows, more)) = done else {
            return transaction
                .commit()
                .await
                .map(|()| None)
                .map_err(|error| failed("cannot end a round without work", error));
        };
        if how == How::Rebuilt {
            record(&transaction, "as_a_whole", now, true).await?;
        }
        transaction
            .commit()
            .await
            .map_err(|error| failed("cannot commit a refresh of the marts", error))?;
        let took = began.elapsed();
        if how == How::Rebuilt {
            self.rebuild_after = Some(Instant::now() + took * 3);
        }
        Ok(Some(Refreshed {
            how,
            rows,
            more,
            took,
        }))
    }

    /// Says that somebody is here while nothing is refreshed on purpose.
    pub async fn wait(&mut self, now: DateTime<Utc>) -> Result<(), StoreError> {
        if self.recorded.is_some_and(|at| at.elapsed() < ALIVE) {
            return Ok(());
        }
        self.recorded = Some(Instant::now());
        self.client
            .execute(
                "UPDATE ops.mart_refreshes SET refreshed_at = $1 WHERE name = 'by_key'",
                &[&now],
            )
            .await
            .map(|_| ())
            .map_err(|error| failed("cannot record that the marts wait", error))
    }

    /// Computes the marts anew that are not kept by key: cohorts, value and segments of buyers, scorecards, recurring
    /// revenue, product pairs, and what else moves with the clock. Gives how many rows they have.
    pub async fn refresh_whole(&mut self, now: DateTime<Utc>) -> Result<u64, StoreError> {
        let transaction = begin(&mut self.client).await?;
        let rows = rebuild::as_a_whole(&transaction).await?;
        record(&transaction, "as_a_whole", now, true).await?;
        transaction
            .commit()
            .await
            .map_err(|error| failed("cannot commit a refresh of the marts", error))?;
        Ok(rows)
    }

    /// True when the marts that are not kept by key were computed at this moment or later.
    pub async fn is_whole_since(&self, moment: DateTime<Utc>) -> Result<bool, StoreError> {
        let row = self
            .client
            .query_one(
                "SELECT count(*) > 0 FROM ops.mart_refreshes WHERE name = 'as_a_whole' AND refreshed_at >= $1",
                &[&moment],
            )
            .await
            .map_err(|error| failed("cannot read when the marts were refreshed", error))?;
        Ok(row.get(0))
    }

    /// Computes everything anew, whatever the marks say.
    pub async fn rebuild(&mut self, now: DateTime<Utc>) -> Result<Refreshed, StoreError> {
        self.client
            .execute("UPDATE ops.mart_refreshes SET complete = false", &[])
            .await
            .map_err(|error| failed("cannot ask for a rebuild of the marts", error))?;
        self.rebuild_after = None;
        let refreshed = self.refresh(now).await?;
        Ok(refreshed.unwrap_or(Refreshed {
            how: How::Rebuilt,
            rows: 0,
            more: false,
            took: Duration::ZERO,
        }))
    }

    /// Marks that wait, at most `limit` of them counted.
    pub async fn waiting(&self, limit: i64) -> Result<i64, StoreError> {
        waiting(&self.client, limit).await
    }
}

/// Marks that wait, at most `limit` of them counted.
async fn waiting(client: &impl GenericClient, limit: i64) -> Result<i64, StoreError> {
    let row = client
        .query_one(
            "SELECT count(*) FROM (SELECT 1 FROM ops.dirty_keys LIMIT $1) marks",
            &[&limit],
        )
        .await
        .map_err(|error| failed("cannot count the marks in ops.dirty_keys", error))?;
    Ok(row.get(0))
}

/// Never built as a whole, or so many marks that row by row would take longer.
async fn is_rebuild_due(transaction: &Transaction<'_>, may: bool) -> Result<bool, StoreError> {
    let row = transaction
        .query_one(
            "SELECT coalesce((SELECT r.complete FROM ops.mart_refreshes r WHERE r.name = 'by_key'), false),
               greatest((SELECT c.reltuples FROM pg_class c WHERE c.oid = 'marts.order_facts'::regclass), 0)::bigint",
            &[],
        )
        .await
        .map_err(|error| failed("cannot read when the marts were refreshed", error))?;
    let (complete, orders): (bool, i64) = (row.get(0), row.get(1));
    if !complete {
        return Ok(true);
    }
    let many = FEW.max(orders / 5);
    Ok(may && waiting(transaction, many + 1).await? > many)
}

async fn begin(client: &mut Client) -> Result<Transaction<'_>, StoreError> {
    client
        .build_transaction()
        // Every statement of a round sees the same rows; marks written meanwhile are for the next.
        .isolation_level(IsolationLevel::RepeatableRead)
        .start()
        .await
        .map_err(|error| failed("cannot begin a refresh of the marts", error))
}

async fn record(
    transaction: &Transaction<'_>,
    name: &str,
    now: DateTime<Utc>,
    changed: bool,
) -> Result<(), StoreError> {
    transaction
        .execute(
            "INSERT INTO ops.mart_refreshes AS r (name, refreshed_at, as_of, changed_at, complete)
             SELECT $1, $2::timestamptz, max(o.source_hwm), CASE WHEN $3 THEN $2::timestamptz END, true FROM ops.offsets o WHERE o.flow = 'warehouse'
             ON CONFLICT (name) DO UPDATE
             SET refreshed_at = excluded.refreshed_at, as_of = excluded.as_of,
               changed_at = coalesce(excluded.changed_at, r.changed_at), complete = true",
            &[&name, &now, &changed],
        )
        .await
        .map(|_| ())
        .map_err(|error| failed("cannot record a refresh of the marts", error))
}
