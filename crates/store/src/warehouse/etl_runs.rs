//! Runs of the daily ETL: asked for, under way, done. Whoever holds the refresher's lock carries them out.

use std::fmt;
use std::time::Duration;

use chrono::{DateTime, NaiveDate, Utc};
use instashop_core::config;
use serde::{Deserialize, Serialize};
use tokio_postgres::{Client, Row};

use super::marts::{Step, StepDone};
use super::worker_client;
use crate::StoreError;
use crate::postgres::{Limits, failed};

/// Records and marks of the running moment, which say nothing about a day that is over.
const NEARLY_NONE: i64 = 1000;

/// How far a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// Asked for.
    Waiting,
    /// Under way.
    Running,
    /// Ended well.
    Done,
    /// Ended with an error, or was interrupted.
    Failed,
}

impl RunState {
    fn from_name(name: &str) -> Self {
        match name {
            "waiting" => Self::Waiting,
            "running" => Self::Running,
            "done" => Self::Done,
            _ => Self::Failed,
        }
    }

    /// Name in `ops.etl_runs`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
        }
    }
}

/// A step that ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EndedStep {
    /// Its name.
    pub name: String,
    /// Rows counted or written.
    pub rows: i64,
    /// Rows of marts that were put right.
    pub repaired: i64,
    /// How long it took, in milliseconds.
    pub millis: u64,
}

/// One run, for one business day.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EtlRun {
    /// Number of the run.
    pub id: i64,
    /// Business day.
    pub day: NaiveDate,
    /// How far it is.
    pub state: RunState,
    /// When it was asked for.
    pub requested_at: DateTime<Utc>,
    /// When it began.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
    /// Steps that ended.
    pub steps: Vec<EndedStep>,
    /// Why it failed.
    pub error: Option<String>,
}

/// The records of runs.
pub struct EtlRuns {
    client: Client,
}

impl fmt::Debug for EtlRuns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EtlRuns").finish_non_exhaustive()
    }
}

const COLUMNS: &str = "id, day, state, requested_at, started_at, ended_at, steps, error";

impl EtlRuns {
    /// Connects as the worker.
    pub async fn connect(config: &config::Warehouse) -> Result<Self, StoreError> {
        let limits = Limits {
            statement: Duration::from_mins(1),
            lock: Duration::from_secs(5),
            idle_in_transaction: Duration::from_secs(30),
            read_only: false,
        };
        let client = worker_client(config, "instashop etl runs", &limits).await?;
        Ok(Self { client })
    }

    /// Asks for a run of a day; gives its number. A run of that day that waits already is the answer.
    pub async fn request(&self, day: NaiveDate, now: DateTime<Utc>) -> Result<i64, StoreError> {
        let row = self
            .client
            .query_one(
                "WITH known AS (SELECT id FROM ops.etl_runs WHERE day = $1 AND state = 'waiting' ORDER BY id LIMIT 1),
                 made AS (INSERT INTO ops.etl_runs (day, state, requested_at)
                   SELECT $1, 'waiting', $2 WHERE NOT EXISTS (SELECT 1 FROM known) RETURNING id)
                 SELECT id FROM known UNION ALL SELECT id FROM made",
                &[&day, &now],
            )
            .await
            .map_err(|error| failed("cannot ask for a run of the daily ETL", error))?;
        Ok(row.get(0))
    }

    /// A run.
    pub async fn run(&self, id: i64) -> Result<Option<EtlRun>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM ops.etl_runs WHERE id = $1");
        let rows = self.query(&sql, &[&id]).await?;
        Ok(rows.into_iter().next())
    }

    /// The newest runs, newest first.
    pub async fn newest(&self, limit: i64) -> Result<Vec<EtlRun>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM ops.etl_runs ORDER BY id DESC LIMIT $1");
        self.query(&sql, &[&limit]).await
    }

    /// The oldest run that waits. For the holder of the refresher's lock, which also finds what an earlier holder left
    /// under way: such a run is marked as failed and asked for again.
    pub async fn next(&self, now: DateTime<Utc>) -> Result<Option<EtlRun>, StoreError> {
        let sql =
            format!("SELECT {COLUMNS} FROM ops.etl_runs WHERE state IN ('waiting', 'running') ORDER BY id");
        let open = self.query(&sql, &[]).await?;
        let mut waiting = None;
        for run in open {
            if run.state == RunState::Running {
                self.end(run.id, Some("it was interrupted; the day is run again"), now)
                    .await?;
                self.request(run.day, now).await?;
                return Box::pin(self.next(now)).await;
            }
            waiting = waiting.or(Some(run));
        }
        Ok(waiting)
    }

    /// The last business day whose run ended well.
    pub async fn last_done(&self) -> Result<Option<NaiveDate>, StoreError> {
        let row = self
            .client
            .query_one("SELECT max(day) FROM ops.etl_runs WHERE state = 'done'", &[])
            .await
            .map_err(|error| failed("cannot read ops.etl_runs", error))?;
        Ok(row.get(0))
    }

    /// True while a worker of the warehouse flow reads its topics from their beginning, or a first snapshot comes in.
    pub async fn is_rebuilding(&self, now: DateTime<Utc>) -> Result<bool, StoreError> {
        let row = self
            .client
            .query_one(
                "SELECT count(*) > 0 FROM ops.health h
                 WHERE h.kind = 'worker' AND h.seen_at > $1::timestamptz - INTERVAL '15 s' AND h.body ->> 'state' = 'rebuilding'",
                &[&now],
            )
            .await
            .map_err(|error| failed("cannot ask how far the warehouse is", error))?;
        Ok(row.get(0))
    }

    /// True when the warehouse certainly has everything that was committed before a moment, and the marts hold it: every
    /// source was heard of since, the workers of the warehouse flow are neither rebuilding nor behind, and no mark waits.
    /// A first snapshot that is still coming in is not settled.
    pub async fn is_settled(&self, moment: DateTime<Utc>, now: DateTime<Utc>) -> Result<bool, StoreError> {
        let row = self
            .client
            .query_one(
                "WITH workers AS (SELECT h.body FROM ops.health h WHERE h.kind = 'worker' AND h.seen_at > $2::timestamptz - INTERVAL '15 s')
                 SELECT coalesce((SELECT bool_and(coalesce(o.source_hwm >= $1, false)) FROM ops.offsets o
                     WHERE o.flow = 'warehouse' AND o.topic LIKE '\\_\\_debezium-heartbeat.%'), false)
                   AND coalesce((SELECT bool_and(w.body ->> 'state' = 'running') FROM workers w), false)
                   AND (SELECT coalesce(sum(greatest((p ->> 'end')::bigint - (p ->> 'checkpoint')::bigint, 0)), 0) FROM workers w
                     CROSS JOIN LATERAL jsonb_array_elements(w.body -> 'partitions') p) < $3::bigint
                   AND NOT EXISTS (SELECT 1 FROM ops.dirty_keys OFFSET $3::bigint)",
                &[&moment, &now, &NEARLY_NONE],
            )
            .await
            .map_err(|error| failed("cannot ask how far the warehouse is", error))?;
        Ok(row.get(0))
    }

    /// A run begins.
    pub async fn begin(&self, id: i64, now: DateTime<Utc>) -> Result<(), StoreError> {
        self.write(
            "UPDATE ops.etl_runs SET state = 'running', started_at = $2, steps = '[]', error = NULL WHERE id = $1",
            &[&id, &now],
        )
        .await
    }

    /// A step of it ended.
    pub async fn step(&self, id: i64, step: Step, done: StepDone, took: Duration) -> Result<(), StoreError> {
        let ended = EndedStep {
            name: step.name().to_owned(),
            rows: done.rows,
            repaired: done.repaired,
            millis: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
        };
        let ended = serde_json::to_value(ended).unwrap_or_default();
        self.write(
            "UPDATE ops.etl_runs SET steps = steps || $2::jsonb WHERE id = $1",
            &[&id, &ended],
        )
        .await
    }

    /// It ended, well or with an error.
    pub async fn end(&self, id: i64, error: Option<&str>, now: DateTime<Utc>) -> Result<(), StoreError> {
        let state = if error.is_none() {
            RunState::Done
        } else {
            RunState::Failed
        };
        self.write(
            "UPDATE ops.etl_runs SET state = $2, ended_at = $3, error = $4 WHERE id = $1",
            &[&id, &state.name(), &now, &error],
        )
        .await
    }

    /// Makes the day partitions of the event log for some days, and drops those before `keep_from`; gives how many of each.
    pub async fn partitions(
        &self,
        days: &[NaiveDate],
        keep_from: NaiveDate,
    ) -> Result<(i32, i32), StoreError> {
        let row = self
            .client
            .query_one(
                "SELECT ops.ensure_partitions($1), ops.drop_partitions($2)",
                &[&days, &keep_from],
            )
            .await
            .map_err(|error| failed("cannot look after the partitions of the event log", error))?;
        Ok((row.get(0), row.get(1)))
    }

    async fn query(
        &self,
        sql: &str,
        parameters: &[&(dyn tokio_postgres::types::ToSql + Sync)],
    ) -> Result<Vec<EtlRun>, StoreError> {
        let rows = self
            .client
            .query(sql, parameters)
            .await
            .map_err(|error| failed("cannot read ops.etl_runs", error))?;
        Ok(rows.iter().map(read).collect())
    }

    async fn write(
        &self,
        sql: &str,
        parameters: &[&(dyn tokio_postgres::types::ToSql + Sync)],
    ) -> Result<(), StoreError> {
        self.client
            .execute(sql, parameters)
            .await
            .map(|_| ())
            .map_err(|error| failed("cannot write ops.etl_runs", error))
    }
}

fn read(row: &Row) -> EtlRun {
    EtlRun {
        id: row.get(0),
        day: row.get(1),
        state: RunState::from_name(row.get(2)),
        requested_at: row.get(3),
        started_at: row.get(4),
        ended_at: row.get(5),
        steps: serde_json::from_value(row.get(6)).unwrap_or_default(),
        error: row.get(7),
    }
}
