//! What live workers publish beside the totals: their own health, the sources as they see them, and the projections
//! for readers that already exist. None of it is part of the protocol (docs: reliability 5.1, architecture 6).

use chrono::{DateTime, Utc};
use instashop_core::config::{Meaning, Redis};
use instashop_core::contribution::Calendar;
use instashop_core::view::{Rebuild, SourceHealth, WorkerHealth};
use redis::aio::MultiplexedConnection;
use serde::Serialize;

use super::commit::Generation;
use super::keys::{self, Keys};
use super::link::{self, Who, failure};
use super::projection::Projections;
use super::query::WorkerRebuild;
use super::recover::{self, Own};
use super::reprice::Repricer;
use super::scripts::Scripts;
use super::seal::{self, Sealer};
use super::sweep::Sweep;
use crate::error::{Kind, StoreError};

/// A worker that said nothing for longer is forgotten.
const FORGET_SECONDS: i64 = 600;

/// What one worker publishes.
#[derive(Debug, Clone, Copy)]
pub struct Bulletin<'a> {
    /// Itself.
    pub worker: &'a WorkerHealth,
    /// Set while it reads what was lost again.
    pub rebuild: Option<Rebuild>,
    /// What it sees of the world around the flow. Only the one worker that owns partition 0 of `transaction` has it;
    /// that worker also refreshes the projections and removes keys of older generations.
    pub watched: Option<Watched<'a>>,
}

/// What the watching worker sees.
#[derive(Debug, Clone, Copy)]
pub struct Watched<'a> {
    /// The sources.
    pub sources: &'a [SourceHealth],
    /// Brokers that answered, and brokers known.
    pub brokers: Option<(u32, u32)>,
}

/// Publishes for one live worker, over a connection of its own, so that it never stands in the way of a batch.
#[derive(Debug)]
pub struct LivePublisher {
    config: Redis,
    meaning: Meaning,
    scripts: Scripts,
    connection: Option<MultiplexedConnection>,
    /// Generation whose leftovers are being looked for.
    generation: Option<Generation>,
    sweep: Sweep,
    repricer: Repricer,
    sealer: Sealer,
    projections: Projections,
}

impl LivePublisher {
    /// A publisher for a Redis and for the maps that give meaning. Does not connect yet.
    pub fn new(config: &Redis, meaning: &Meaning) -> Self {
        Self {
            config: config.clone(),
            meaning: meaning.clone(),
            scripts: Scripts::new(config),
            connection: None,
            generation: None,
            sweep: Sweep::default(),
            repricer: Repricer::default(),
            sealer: Sealer::default(),
            projections: Projections::new(Calendar::new(meaning.tz())),
        }
    }

    /// Publishes. After an error the next call connects again.
    pub async fn publish(&mut self, bulletin: &Bulletin<'_>, now: DateTime<Utc>) -> Result<(), StoreError> {
        let result = self.write(bulletin, now).await;
        if result.is_err() {
            self.connection = None;
        }
        result
    }

    async fn write(&mut self, bulletin: &Bulletin<'_>, now: DateTime<Utc>) -> Result<(), StoreError> {
        let mut connection = if let Some(connection) = &self.connection {
            connection.clone()
        } else {
            let connection = link::connect(&self.config, Who::Worker).await?;
            self.connection = Some(connection.clone());
            connection
        };
        let name = &bulletin.worker.worker;
        let mut pipeline = redis::pipe();
        pipeline
            .cmd("HSET")
            .arg(keys::WORKERS)
            .arg(name)
            .arg(json(bulletin.worker)?);
        match bulletin.rebuild {
            Some(rebuild) => {
                let published: WorkerRebuild = (name.clone(), rebuild);
                pipeline
                    .cmd("HSET")
                    .arg(keys::REBUILD)
                    .arg(name)
                    .arg(json(&published)?);
            }
            None => {
                pipeline.cmd("HDEL").arg(keys::REBUILD).arg(name);
            }
        }
        pipeline
            .cmd("HSET")
            .arg(keys::FLOW)
            .arg(keys::PUBLISHED)
            .arg(now.timestamp_millis());
        if let Some(watched) = &bulletin.watched {
            for source in watched.sources {
                pipeline
                    .cmd("HSET")
                    .arg(keys::SOURCES)
                    .arg(&source.source)
                    .arg(json(source)?);
            }
            if let Some((up, known)) = watched.brokers {
                pipeline
                    .cmd("HSET")
                    .arg(keys::FLOW)
                    .arg(keys::BROKERS_UP)
                    .arg(up)
                    .arg(keys::BROKERS_KNOWN)
                    .arg(known);
            }
        }
        let () = pipeline
            .query_async(&mut connection)
            .await
            .map_err(|error| failure("publishing the health of the live flow failed", error))?;
        if bulletin.watched.is_some() {
            forget_workers(&mut connection, now).await?;
            self.keep_house(&mut connection, bulletin.rebuild.is_some(), now)
                .await?;
        }
        Ok(())
    }

    /// Duties of the watching worker: keys of older generations, orders whose currency turned out to be another, days that
    /// are to be sealed, and projections.
    async fn keep_house(
        &mut self,
        connection: &mut MultiplexedConnection,
        is_rebuilding: bool,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let found = recover::stored(connection).await?;
        let (Some(name), Some(version)) = (found.name.clone(), found.version.clone()) else {
            return Ok(());
        };
        // The totals of another build are not ours to read or to clean up.
        let own = Own::new(&self.meaning, &self.config);
        if version != own.version.to_string() {
            return Ok(());
        }
        if found.rates.as_deref() != Some(&own.rates(now)) {
            recover::note_rates(connection, &own, now).await?;
        }
        let generation = Generation {
            keys: Keys::new(&name),
            name,
            version,
            boundary: found.boundary,
        };
        if self.generation.as_ref() != Some(&generation) {
            self.sweep = Sweep::start();
            self.repricer = Repricer::default();
            self.sealer = Sealer::default();
            self.generation = Some(generation.clone());
        }
        self.sweep.go_on(connection, &self.scripts, &generation).await?;
        self.repricer
            .go_on(connection, &self.scripts, &generation, &self.meaning, now)
            .await?;
        let desk = seal::Desk {
            scripts: &self.scripts,
            generation: &generation,
            own: &own,
            now,
        };
        self.sealer
            .go_on(connection, &desk, found.left, is_rebuilding)
            .await?;
        self.projections.refresh(connection, &generation, now).await
    }
}

fn json(value: &impl Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| {
        StoreError::new(Kind::Broken, "health of the live flow cannot be written as JSON").caused_by(error)
    })
}

/// Removes workers that are long gone.
async fn forget_workers(
    connection: &mut MultiplexedConnection,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let what = "reading the workers of the live flow failed";
    let workers: std::collections::HashMap<String, String> = redis::cmd("HGETALL")
        .arg(keys::WORKERS)
        .query_async(connection)
        .await
        .map_err(|error| failure(what, error))?;
    let gone: Vec<_> = workers
        .into_iter()
        .filter(|(_, text)| {
            serde_json::from_str::<WorkerHealth>(text).map_or(true, |worker| {
                (now - worker.seen_at).num_seconds() > FORGET_SECONDS
            })
        })
        .map(|(name, _)| name)
        .collect();
    if gone.is_empty() {
        return Ok(());
    }
    redis::pipe()
        .cmd("HDEL")
        .arg(keys::WORKERS)
        .arg(&gone)
        .cmd("HDEL")
        .arg(keys::REBUILD)
        .arg(&gone)
        .exec_async(connection)
        .await
        .map_err(|error| failure(what, error))
}
