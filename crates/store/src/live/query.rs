//! What the dashboard reads from Redis: read commands only, one moment per answer, one request in the usual case.

use std::collections::BTreeMap;

use chrono::{DateTime, Duration, Utc};
use instashop_core::config::{Meaning, Redis};
use instashop_core::contribution::{Calendar, Scope};
use instashop_core::live::{Listing, StateId, Stored, UNCLASSIFIED};
use instashop_core::view::{
    LiveAsk, LiveView, ProductSales, Rebuild, TapeEntry, Totals, TrendPoint, WorkerHealth,
};
use redis::aio::MultiplexedConnection;
use serde::de::DeserializeOwned;

use super::answers::answers;
use super::commit::TAPE;
use super::fields::{self, Numbers};
use super::keys::{self, Keys, META, meta};
use super::link::{self, Who, failure};
use super::recent::{Recent, moment};
use super::scope::Figures;
use super::trends::{hours_of, last_paid, trend};
use crate::error::{Kind, StoreError};

/// Products of the list of best sellers.
const BEST: isize = 20;
/// Minutes of the trend.
const MINUTES: i64 = 60;
/// Half minutes of the trend.
const HALVES: i64 = 20;
/// A worker that said nothing for longer is not listed.
const LATELY_SECONDS: i64 = 120;
/// A worker that said nothing for longer has no rate.
const PRESENT_SECONDS: i64 = 15;
/// How often an answer is read again when the generation changes under it.
const ATTEMPTS: usize = 4;

/// The reading side of the live store.
#[derive(Debug)]
pub struct LiveReader {
    config: Redis,
    pub(super) calendar: Calendar,
    connection: Option<MultiplexedConnection>,
    ask: LiveAsk,
    known: Known,
    recent: Recent,
}

/// What is remembered from one reading to the next, so that a reading is one request: the generation, and the best products
/// with what they are called. Names are read again every minute.
#[derive(Debug, Default)]
struct Known {
    generation: String,
    minute: i64,
    best: Vec<i64>,
    names: BTreeMap<i64, (String, String)>,
}

impl LiveReader {
    /// Connects as the reader. The meaning gives the reporting zone.
    pub async fn connect(config: &Redis, meaning: &Meaning) -> Result<Self, StoreError> {
        let mut reader = Self {
            config: config.clone(),
            calendar: Calendar::new(meaning.tz()),
            connection: None,
            ask: LiveAsk::default(),
            known: Known::default(),
            recent: Recent::default(),
        };
        reader.connected().await?;
        Ok(reader)
    }

    /// The connection, opened if there is none: after an error the next call connects again.
    pub(super) async fn connected(&mut self) -> Result<MultiplexedConnection, StoreError> {
        if let Some(connection) = &self.connection {
            return Ok(connection.clone());
        }
        let connection = link::connect(&self.config, Who::Reader).await?;
        self.connection = Some(connection.clone());
        Ok(connection)
    }

    /// Forgets the connection after an error that may have broken it.
    pub(super) fn after<T>(&mut self, result: Result<T, StoreError>) -> Result<T, StoreError> {
        if result.is_err() {
            self.connection = None;
        }
        result
    }

    /// Reads this as well from now on.
    pub const fn want(&mut self, ask: LiveAsk) {
        self.ask = ask;
    }

    /// Everything the Live tab shows, and what was wanted besides. An empty generation says that Redis holds no totals.
    pub async fn live(&mut self, now: DateTime<Utc>) -> Result<LiveView, StoreError> {
        let result = self.read_live(now).await;
        self.after(result)
    }

    async fn read_live(&mut self, now: DateTime<Utc>) -> Result<LiveView, StoreError> {
        let mut connection = self.connected().await?;
        for _ in 0..ATTEMPTS {
            if let Some(view) = self.moment(&mut connection, now).await? {
                return Ok(view);
            }
            let generation = generation(&mut connection).await?;
            let Some(generation) = generation else {
                return Ok(LiveView {
                    read_at: now,
                    day: self.calendar.day(now),
                    ..LiveView::default()
                });
            };
            if generation != self.known.generation {
                self.known = Known {
                    generation,
                    ..Known::default()
                };
            }
        }
        Err(StoreError::new(
            Kind::Transient,
            "the live generation changed again and again while it was read",
        ))
    }

    /// One atomic reading with what is known of the one before; `None` when that was not enough: the generation is another,
    /// or a product came among the best. Then what is known is up to date for the next attempt.
    async fn moment(
        &mut self,
        connection: &mut MultiplexedConnection,
        now: DateTime<Utc>,
    ) -> Result<Option<LiveView>, StoreError> {
        if self.known.generation.is_empty() {
            return Ok(None);
        }
        let ask = self.ask;
        let generation = self.known.generation.clone();
        let keys = Keys::new(&generation);
        let day = self.calendar.day(now);
        let minute = now.timestamp().div_euclid(60);
        let half = now.timestamp().div_euclid(30);
        let minute_hashes = hours_of(minute - MINUTES + 1, minute, 60);
        let half_hashes = hours_of(half - HALVES + 1, half, 120);
        if self.known.minute != minute {
            self.known.minute = minute;
            self.known.names.clear();
        }
        let best = self.known.best.clone();
        let unnamed: Vec<i64> = best
            .iter()
            .copied()
            .filter(|id| !self.known.names.contains_key(id))
            .collect();
        let spans = ask.doing.then(|| self.recent.spans(&generation, moment(now)));
        let mut pipeline = redis::pipe();
        pipeline.atomic();
        pipeline
            .cmd("HMGET")
            .arg(META)
            .arg(meta::GENERATION)
            .arg(meta::AS_OF);
        pipeline.cmd("HGET").arg(keys::FLOW).arg(keys::PUBLISHED);
        pipeline.cmd("HVALS").arg(keys::REBUILD);
        pipeline.cmd("HVALS").arg(keys::WORKERS);
        let of = |scope| Figures::new(&keys, scope, day, self.calendar);
        let platform = of(Scope::Platform);
        platform.ask(&mut pipeline);
        let of_store = ask.store.map(|store| of(Scope::Store(store)));
        if let Some(of_store) = &of_store {
            of_store.ask(&mut pipeline);
        }
        pipeline.cmd("HGET").arg(keys.misc()).arg(keys::MRR);
        for key in [
            keys.hours(day),
            keys.sums(Scope::Platform, day),
            keys.category(day),
        ] {
            pipeline.cmd("HGETALL").arg(key);
        }
        pipeline
            .cmd("LRANGE")
            .arg(keys.tape())
            .arg(0)
            .arg(TAPE as isize - 1);
        for at in &minute_hashes {
            pipeline.cmd("HGETALL").arg(keys.minutes(*at));
        }
        for at in &half_hashes {
            pipeline.cmd("HGETALL").arg(keys.halves(*at));
        }
        pipeline.cmd("ZRANGE").arg(keys.top(day)).arg(0).arg(BEST - 1);
        pipeline.cmd("HMGET").arg(keys.products(day)).arg(keys::BARE);
        for product in &best {
            pipeline
                .arg(format!("{product}|{}", keys::REVENUE))
                .arg(format!("{product}|{}", keys::UNITS));
        }
        for product in &unnamed {
            pipeline.cmd("HGET").arg(keys.categories()).arg(*product);
            let (key, field) = keys.state(StateId::Product(*product));
            pipeline.cmd("HGET").arg(key).arg(field);
        }
        if let Some(spans) = &spans {
            Recent::ask(spans, &keys, &mut pipeline);
        }
        let mut answers = answers(connection, &pipeline, "reading the live totals failed").await?;
        let (held, as_of): (Option<String>, Option<i64>) = answers.take()?;
        if held.as_deref() != Some(&*generation) {
            return Ok(None);
        }
        let published: Option<i64> = answers.take()?;
        let rebuilds: Vec<String> = answers.take()?;
        let workers: Vec<String> = answers.take()?;
        let mut platform = platform.take(&mut answers)?;
        let of_store = match of_store {
            Some(of_store) => Some(of_store.take(&mut answers)?),
            None => None,
        };
        platform.mrr_cents = answers.take()?;
        let [hours, sums, category] = [answers.take::<Numbers>()?, answers.take()?, answers.take()?];
        let tape: Vec<String> = answers.take()?;
        let mut minutes: Vec<Numbers> = Vec::new();
        for _ in &minute_hashes {
            minutes.push(answers.take()?);
        }
        let mut halves = Vec::new();
        for _ in &half_hashes {
            halves.push(fields::slots(&answers.take()?));
        }
        let ranked: Vec<String> = answers.take()?;
        let sold: Vec<Option<i64>> = answers.take()?;
        for id in &unnamed {
            let category: Option<String> = answers.take()?;
            let name = product_name(*id, answers.take()?);
            let category = category.unwrap_or_else(|| UNCLASSIFIED.to_owned());
            self.known.names.insert(*id, (name, category));
        }
        let ranked: Vec<i64> = ranked
            .iter()
            .filter_map(|member| keys::parse_ranked(member))
            .collect();
        if ranked.iter().any(|id| !best.contains(id)) {
            self.known.best = ranked;
            return Ok(None);
        }
        let doing = match &spans {
            Some(spans) => {
                self.recent.take(spans, &generation, moment(now), &mut answers)?;
                self.recent.figures(moment(now))
            }
            None => None,
        };
        let mut products: Vec<ProductSales> = best
            .iter()
            .zip(sold.get(1..).unwrap_or_default().chunks_exact(2))
            .filter(|(id, _)| ranked.contains(id))
            .map(|(id, sums)| {
                let (name, category) = self.known.names.get(id).cloned().unwrap_or_default();
                ProductSales {
                    product_id: *id,
                    name,
                    category,
                    revenue_cents: sums[0].unwrap_or(0),
                    units: sums[1].unwrap_or(0),
                }
            })
            .collect();
        products.sort_by_key(|sales| (std::cmp::Reverse(sales.revenue_cents), sales.product_id));
        let workers = lately(parsed::<WorkerHealth>(workers), now);
        let slots: Vec<_> = minutes.iter().map(fields::slots).collect();
        Ok(Some(LiveView {
            read_at: now,
            generation,
            as_of: as_of.and_then(DateTime::from_timestamp_millis),
            published_at: published.and_then(DateTime::from_timestamp_millis),
            rebuild: rebuild(&parsed(rebuilds), &workers),
            day,
            today: platform.totals,
            buyers_today: platform.buyers,
            visits: platform.visits(),
            figures: of_store.unwrap_or(platform),
            doing,
            last_paid: last_paid(minute - MINUTES + 1, minute, &minute_hashes, &minutes),
            minutes: trend(minute - MINUTES + 1, minute, 60, &minute_hashes, &slots),
            hours: self.hours(&fields::slots(&hours), now),
            half_minutes: trend(half - HALVES + 1, half, 120, &half_hashes, &halves),
            payments: fields::payments(&sums),
            categories: fields::category_list(&category),
            products,
            behaviour: fields::behaviour(&sums),
            tape: parsed::<TapeEntry>(tape),
            events_per_1000s: workers
                .iter()
                .filter(|worker| (now - worker.seen_at).num_seconds() <= PRESENT_SECONDS)
                .map(|worker| worker.rate_per_1000s)
                .sum(),
        }))
    }

    /// Hours from local midnight to the running one, zeros included.
    fn hours(&self, slots: &BTreeMap<u32, Totals>, now: DateTime<Utc>) -> Vec<TrendPoint> {
        let midnight = self.calendar.start(self.calendar.day(now));
        let running = (now - midnight).num_hours().max(0);
        (0..=running)
            .map(|hour| TrendPoint {
                start: midnight + Duration::hours(hour),
                totals: slots.get(&(hour as u32)).copied().unwrap_or_default(),
            })
            .collect()
    }
}

/// The live generation; `None` when Redis holds no totals.
pub(super) async fn generation(connection: &mut MultiplexedConnection) -> Result<Option<String>, StoreError> {
    redis::cmd("HGET")
        .arg(META)
        .arg(meta::GENERATION)
        .query_async(connection)
        .await
        .map_err(|error| failure("reading the live generation failed", error))
}

/// Name of a product from its state; empty when the product row has not come yet.
fn product_name(id: i64, state: Option<String>) -> String {
    let listing: Option<Listing> = Stored::new(state).read(StateId::Product(id)).unwrap_or_default();
    listing
        .as_ref()
        .and_then(Listing::row)
        .map(|product| product.name.clone())
        .unwrap_or_default()
}

/// JSON texts that can be read; another build may have written others.
pub(super) fn parsed<T: DeserializeOwned>(texts: Vec<String>) -> Vec<T> {
    texts
        .into_iter()
        .filter_map(|text| serde_json::from_str(&text).ok())
        .collect()
}

/// Workers that published lately, by name.
pub(super) fn lately(mut workers: Vec<WorkerHealth>, now: DateTime<Utc>) -> Vec<WorkerHealth> {
    workers.retain(|worker| (now - worker.seen_at).num_seconds() <= LATELY_SECONDS);
    workers.sort_by(|a, b| a.worker.cmp(&b.worker));
    workers
}

/// One worker's rebuild, as it is published.
pub(super) type WorkerRebuild = (String, Rebuild);

/// The rebuild as a whole: it is as far as the worker that is least far. Workers that are gone do not count.
fn rebuild(published: &[WorkerRebuild], workers: &[WorkerHealth]) -> Option<Rebuild> {
    published
        .iter()
        .filter(|(name, _)| workers.iter().any(|worker| worker.worker == *name))
        .map(|(_, rebuild)| *rebuild)
        .reduce(|a, b| Rebuild {
            since: a.since.min(b.since),
            percent: a.percent.min(b.percent),
            remaining_s: a.remaining_s.max(b.remaining_s),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rebuild_is_as_far_as_its_slowest_worker() {
        let since = DateTime::UNIX_EPOCH;
        let of = |percent, remaining_s| Rebuild {
            since,
            percent,
            remaining_s,
        };
        let workers = ["a", "b"].map(|name| WorkerHealth {
            worker: name.into(),
            ..WorkerHealth::default()
        });
        let published = [
            ("a".to_owned(), of(80, Some(5))),
            ("b".to_owned(), of(30, Some(9))),
            ("gone".to_owned(), of(1, None)),
        ];
        assert_eq!(rebuild(&published, &workers), Some(of(30, Some(9))));
        assert_eq!(rebuild(&[], &workers), None);
    }
}
