//! The live store: exact totals of the running shop in Redis.
//!
//! * [`LiveSink`] is the writing side, one per live worker.
//! * [`LivePublisher`] says how that worker is, and keeps the projections for readers that already exist.
//! * [`LiveReader`] is the reading side: the dashboard's views, and the dump that `verify` compares.
//! * [`access`] makes the Redis users, and `keys` lists every key.
//!
//! Per batch the sink reads the states of the rows in it, lets
//! [`instashop_core::live::Run`] compute new states and changes of totals, and hands them to one script that applies
//! everything or nothing, after it compared generation, epoch, checkpoint and the version of every state
//! (docs: reliability section 5).

pub mod access;
mod answers;
mod cells;
mod commit;
mod dump;
mod fields;
mod keys;
mod link;
mod projection;
mod publish;
mod query;
mod recent;
mod recover;
mod reprice;
mod scan;
mod scope;
mod scripts;
mod seal;
mod settle;
mod sweep;
mod system;
mod trends;

pub use publish::{Bulletin, LivePublisher, Watched};
pub use query::LiveReader;
pub use settle::{LiveSettler, Settled};

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use instashop_core::batch::{Batch, Outcome};
use instashop_core::checkpoint::{Answer, Owned, Partition};
use instashop_core::config::{Meaning, Redis};
use instashop_core::contribution::Calendar;
use instashop_core::live::{BrokenState, Progress, Run, StateId, Step, Stored};
use redis::aio::MultiplexedConnection;

use crate::error::{Kind, StoreError};
use crate::fail_point::{self, FailPoint};
use crate::sink::Sink;
use commit::{Generation, Verdict};
use link::{Who, failure};
use recover::Own;
use scripts::{Name, Scripts};

/// How often a batch is read again when states that belong together were read on both sides of a foreign write.
const READS: usize = 4;
/// How often a take-over is tried while others start generations.
const TAKE_OVERS: usize = 5;

/// The live store as a sink.
///
/// Not connected until it is first used; after an error it connects again with the next call, and the caller decides
/// how long to wait before it.
#[derive(Debug)]
pub struct LiveSink {
    config: Redis,
    meaning: Meaning,
    scripts: Scripts,
    connection: Option<MultiplexedConnection>,
    generation: Option<Generation>,
}

impl LiveSink {
    /// A sink for a Redis and for the maps that give meaning. Does not connect yet.
    pub fn new(config: &Redis, meaning: &Meaning) -> Self {
        Self {
            config: config.clone(),
            meaning: meaning.clone(),
            scripts: Scripts::new(config),
            connection: None,
            generation: None,
        }
    }

    /// The live generation this worker writes to; `None` before the first [`Sink::recover`].
    pub fn generation(&self) -> Option<&str> {
        self.generation
            .as_ref()
            .map(|generation| generation.name.as_str())
    }

    /// Starts a new live generation in place of the present one: every worker finds it empty and reads the topics from
    /// the beginning. For `instashop rebuild live`. Gives the name of the new generation.
    pub async fn start_anew(&mut self, now: DateTime<Utc>) -> Result<String, StoreError> {
        let mut connection = self.connected().await?;
        let found = recover::stored(&mut connection).await?;
        let own = Own::new(&self.meaning, &self.config);
        recover::create(
            &mut connection,
            &self.scripts,
            &own,
            found.name,
            found.version,
            now,
        )
        .await?
        .map(|created| created.name)
        .ok_or_else(|| {
            StoreError::new(
                Kind::Transient,
                "another process started a live generation at the same moment",
            )
        })
    }

    /// The connection, opened and checked if there is none.
    async fn connected(&mut self) -> Result<MultiplexedConnection, StoreError> {
        if let Some(connection) = &self.connection {
            return Ok(connection.clone());
        }
        let mut connection = link::connect(&self.config, Who::Worker).await?;
        link::check(&mut connection).await?;
        self.connection = Some(connection.clone());
        Ok(connection)
    }

    /// Forgets the connection after an error that may have broken it.
    fn after<T>(&mut self, result: Result<T, StoreError>) -> Result<T, StoreError> {
        if result.is_err() {
            self.connection = None;
        }
        result
    }

    async fn take_over(
        &mut self,
        partitions: &[Partition],
        now: DateTime<Utc>,
    ) -> Result<Vec<Owned>, StoreError> {
        let mut connection = self.connected().await?;
        for _ in 0..TAKE_OVERS {
            let found = recover::generation(
                &mut connection,
                &self.scripts,
                &Own::new(&self.meaning, &self.config),
                self.generation.as_ref(),
                now,
            )
            .await?;
            self.generation = Some(found.clone());
            let owned = recover::take_over(&mut connection, &self.scripts, &found, partitions).await?;
            if let Some(owned) = owned {
                return Ok(owned);
            }
        }
        Err(StoreError::new(
            Kind::Transient,
            "the live generation changed again and again while partitions were taken over",
        ))
    }

    async fn write(&mut self, batch: &Batch, now: DateTime<Utc>) -> Result<Outcome, StoreError> {
        let Some(generation) = self.generation.clone() else {
            let unknown = batch
                .steps
                .iter()
                .map(|step| (step.partition.clone(), Answer::Empty));
            return Ok(Outcome::Refused(unknown.collect()));
        };
        let mut connection = self.connected().await?;
        let mut command = self.scripts.command(Name::Commit);
        commit::head(&mut command, &generation, &batch.steps);
        let idle = batch.records.is_empty() && batch.steps.iter().all(|step| step.base == step.next);
        let mut done = Step::default();
        if !idle {
            done = self.compute(&mut connection, &generation, batch, now).await?;
            fail_point::reached(FailPoint::LiveComputed);
            let calendar = Calendar::new(self.meaning.tz());
            commit::body(&mut command, &generation.keys, &done.writes, calendar, now);
        }
        if !idle {
            fail_point::reached(FailPoint::LiveSending);
        }
        let answer = self
            .scripts
            .call(&mut connection, &command, "writing a batch to Redis failed")
            .await?;
        if !idle {
            fail_point::reached(FailPoint::LiveAnswered);
        }
        Ok(match commit::verdict(&commit::texts(answer), batch)? {
            Verdict::Done => Outcome::Applied(done.tally),
            Verdict::Refused(refused) => Outcome::Refused(refused),
            Verdict::Conflict => Outcome::Conflict,
            Verdict::Boundary(boundary) => {
                // Computed again with the days that are live now.
                self.generation = Some(Generation {
                    boundary,
                    ..generation
                });
                Outcome::Conflict
            }
        })
    }

    /// Reads the states a batch needs and computes what it writes.
    ///
    /// States are read in up to three steps, without a lock. When a foreign write falls between them, a line's entry may
    /// name an order that no longer holds it, or a shopper may lack a sale. Such a reading is thrown away and made again;
    /// only if it stays is the state broken.
    async fn compute(
        &self,
        connection: &mut MultiplexedConnection,
        generation: &Generation,
        batch: &Batch,
        now: DateTime<Utc>,
    ) -> Result<Step, StoreError> {
        let mut last = None;
        for _ in 0..READS {
            let mut run = Run::new(batch, generation.window(now), &self.meaning);
            let mut read = BTreeMap::new();
            loop {
                match run.go_on(&read) {
                    Ok(Progress::Read(ids)) => {
                        states(connection, generation, ids, &mut read).await?;
                        fail_point::reached(FailPoint::LiveRead);
                    }
                    Ok(Progress::Done(done)) => return Ok(*done),
                    Err(error) if error.may_be_torn() => {
                        last = Some(error);
                        break;
                    }
                    Err(error) => return Err(broken(&error)),
                }
            }
        }
        Err(last.map_or_else(
            || StoreError::new(Kind::Broken, "the live states could not be read"),
            |error| broken(&error),
        ))
    }
}

/// States that contradict themselves, as an error for the operator.
fn broken(error: &BrokenState) -> StoreError {
    StoreError::new(Kind::Broken, format!("the live states cannot be used: {error}"))
        .hint("somebody else changed keys of the live flow; run `instashop rebuild live`")
}

/// Reads states, one HMGET for each hash, all in one round trip.
async fn states(
    connection: &mut MultiplexedConnection,
    generation: &Generation,
    ids: Vec<StateId>,
    into: &mut BTreeMap<StateId, Stored>,
) -> Result<(), StoreError> {
    let mut groups: BTreeMap<String, (Vec<StateId>, Vec<String>)> = BTreeMap::new();
    for id in ids {
        let (key, field) = generation.keys.state(id);
        let (ids, fields) = groups.entry(key).or_default();
        ids.push(id);
        fields.push(field);
    }
    let mut pipeline = redis::pipe();
    for (key, (_, fields)) in &groups {
        pipeline.cmd("HMGET").arg(key).arg(fields);
    }
    let answers: Vec<Vec<Option<String>>> = pipeline
        .query_async(connection)
        .await
        .map_err(|error| failure("reading states from Redis failed", error))?;
    for ((ids, _), values) in groups.into_values().zip(answers) {
        into.extend(ids.into_iter().zip(values.into_iter().map(Stored::new)));
    }
    Ok(())
}

impl Sink for LiveSink {
    async fn recover(
        &mut self,
        partitions: &[Partition],
        now: DateTime<Utc>,
    ) -> Result<Vec<Owned>, StoreError> {
        let result = self.take_over(partitions, now).await;
        self.after(result)
    }

    async fn apply(&mut self, batch: &Batch, now: DateTime<Utc>) -> Result<Outcome, StoreError> {
        let result = self.write(batch, now).await;
        self.after(result)
    }

    /// The name of a generation is its creation time in milliseconds.
    fn built_since(&self) -> Option<DateTime<Utc>> {
        let name = self.generation.as_ref()?.name.parse().ok()?;
        DateTime::from_timestamp_millis(name)
    }

    async fn start_over(&mut self, why: &str, now: DateTime<Utc>) -> Result<(), StoreError> {
        tracing::warn!("{why}: starting a new live generation");
        let result = self.start_anew(now).await.map(|_| ());
        self.after(result)
    }
}
