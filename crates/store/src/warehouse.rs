//! The warehouse: schema, the sink of the warehouse flow, and what people and screens read.
//!
//! * `migrate` brings the schema to this version; `roles` makes the roles and their rights; `meaning` writes the maps.
//! * `owner` is the connection of setup, the only one with DDL.
//! * `session` is a worker's connection with its prepared statements.
//! * `commit` is the protocol: one transaction per batch with fence, data and checkpoints ([`crate::Sink`]).
//! * `partitions` asks for the day partitions a batch needs before its transaction begins.
//! * `stage` reads and writes the current rows; `event_log`, `history`, `dead_letters` and `dirty_keys` write the rest of a
//!   batch.
//! * `etl_runs` keeps the records of the daily run.
//! * `marts` keeps the marts up to date from the dirty keys.
//! * `health` publishes what the workers know of themselves; `proof` keeps what verify found; `sources` what setup saw.
//! * `query` is what the dashboard reads.
//! * `asof` gives verify the rows as of a cut; `kpi_audit` compares the metrics.
//! * `refused` finds the records PostgreSQL refuses, so that one value never blocks a partition.

mod asof;
mod commit;
mod dead_letters;
mod dirty_keys;
mod etl_runs;
mod event_log;
mod health;
mod history;
mod kpi_audit;
mod marts;
mod meaning;
mod migrate;
mod owner;
mod partitions;
mod proof;
mod query;
mod refused;
mod roles;
mod session;
mod sources;
mod stage;

use chrono::{DateTime, Utc};
use instashop_core::config;
use tokio_postgres::Client;

pub use asof::{Auditor, Checkpoints};
pub use dead_letters::{DeadLetter, DeadLetters, Filter, LetterState, Reason};
pub use etl_runs::{EndedStep, EtlRun, EtlRuns, RunState};
pub use kpi_audit::{KpiResult, MartsReady, not_compared};
pub use marts::{How, MartRefresher, Refreshed, Step, StepDone};
pub use meaning::MapsDiffer;
pub use migrate::Report;
pub use owner::Owner;
pub use query::{MetricAnswer, MetricRow, Plan, Question, Refusal, Value, WarehouseReader};
pub use sources::KnownSource;

use self::partitions::Partitions;
use self::session::Session;
use crate::StoreError;
use crate::postgres::{Address, Limits, connect};

/// Name of the flow in `ops.offsets`.
const FLOW: &str = "warehouse";

/// A connection as the worker, to a schema that is this program's.
async fn worker_client(
    config: &config::Warehouse,
    application: &str,
    limits: &Limits,
) -> Result<Client, StoreError> {
    let address = Address {
        what: "the warehouse",
        host: &config.host,
        port: config.port,
        database: &config.database,
        user: &config.worker_user,
        password: &config.worker_password,
        application,
    };
    let client = connect(&address, limits).await?;
    migrate::check(&client).await?;
    Ok(client)
}

/// The sink of the warehouse flow; see [`crate::Sink`] for what it promises.
///
/// It connects when it is first used and again after any failure, so a caller only has to repeat. A batch is one
/// transaction; its commit is verified, not assumed (docs: reliability 4.2 rules 2 and 3).
#[derive(Debug)]
pub struct WarehouseSink {
    config: config::Warehouse,
    owner: String,
    session: Option<Session>,
    partitions: Partitions,
}

impl WarehouseSink {
    /// A sink for one worker; `worker` is its unique name, which `ops.offsets` shows as the owner of its partitions.
    /// Nothing is connected yet.
    pub fn new(config: &config::Warehouse, worker: &str) -> Self {
        Self {
            config: config.clone(),
            owner: worker.to_owned(),
            session: None,
            partitions: Partitions::default(),
        }
    }

    /// Connects if need be and checks that the schema is this program's, so that a start fails early and readably.
    pub async fn connect(&mut self) -> Result<(), StoreError> {
        self.session().await.map(|_| ())
    }

    /// The connection, made anew when there is none, when it broke, or when a batch was dropped half way.
    async fn session(&mut self) -> Result<&mut Session, StoreError> {
        let session = match self.session.take().filter(Session::is_usable) {
            Some(session) => session,
            None => Session::open(&self.config, &self.owner).await?,
        };
        Ok(self.session.insert(session))
    }

    /// Makes missing day partitions, outside of any transaction.
    async fn ensure_partitions(
        &mut self,
        days: impl Iterator<Item = chrono::NaiveDate>,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let missing = self.partitions.missing(days, now);
        if missing.is_empty() {
            return Ok(());
        }
        let made = self.session().await?.ensure_partitions(&missing).await?;
        self.partitions.asked(missing, made, now);
        Ok(())
    }
}
