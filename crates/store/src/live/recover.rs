//! Assignment and generations: take over partitions, adopt the generation that is there, or start the next one
//! (docs: reliability 5.5 and 5.8).

use chrono::{DateTime, Days, NaiveDate, Utc};
use instashop_core::checkpoint::{Owned, Partition};
use instashop_core::config::{Meaning, Redis};
use instashop_core::contribution::{Calendar, Version};
use instashop_core::view::SealedDays;
use redis::aio::MultiplexedConnection;

use super::commit::Generation;
use super::keys::{self, Keys, META, meta};
use super::link::failure;
use super::scripts::{Name, Scripts};
use crate::error::{Kind, StoreError};

/// How often the content may change under our hands before we give up for now.
const ATTEMPTS: usize = 10;

/// What a worker does about the generation it finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Choice {
    /// Use it.
    Adopt,
    /// Start the next one.
    Create,
    /// It is written by a newer build.
    Older,
    /// It is written by the same code with other maps, after this worker had used a generation with its own.
    OtherMaps,
}

/// Decides by the stored version. A worker that starts with other maps than the stored ones brings a changed
/// configuration and starts a new generation. A worker that *meets* other maps while it runs must not, or two workers
/// with different files would build against each other without end.
fn choose(stored: Option<&str>, own: &Version, had_generation: bool) -> Choice {
    // A version that no build of ours wrote counts as the oldest.
    match stored.and_then(Version::parse) {
        Some(stored) if stored.code > own.code => Choice::Older,
        Some(stored) if stored == *own => Choice::Adopt,
        Some(stored) if stored.code == own.code && had_generation => Choice::OtherMaps,
        _ => Choice::Create,
    }
}

/// Finds the generation to use, and starts one where there is none of this version.
pub(super) async fn generation(
    connection: &mut MultiplexedConnection,
    scripts: &Scripts,
    own: &Own<'_>,
    before: Option<&Generation>,
    now: DateTime<Utc>,
) -> Result<Generation, StoreError> {
    for _ in 0..ATTEMPTS {
        let Found {
            name,
            version,
            rates,
            boundary,
            ..
        } = stored(connection).await?;
        match choose(version.as_deref(), &own.version, before.is_some()) {
            // A worker that starts with other past rates brings a changed configuration.
            Choice::Adopt if before.is_none() && rates.is_some_and(|rates| !own.is_built_with(&rates)) => {}
            Choice::Adopt => {
                if let Some(name) = name {
                    return Ok(named(name, &own.version, boundary));
                }
            }
            Choice::Create => {}
            Choice::Older => {
                return Err(StoreError::new(
                    Kind::Permanent,
                    format!(
                        "this is the older build: the live totals are version {}, this build makes version {}",
                        version.unwrap_or_default(),
                        own.version
                    ),
                )
                .hint("start the newer build, or run `instashop rebuild live` with this one after stopping the newer"));
            }
            Choice::OtherMaps => {
                return Err(StoreError::new(
                    Kind::Permanent,
                    "another worker runs with other maps (section `meaning` of the configuration)",
                )
                .hint("give all workers the same configuration and restart this one"));
            }
        }
        if let Some(created) = create(connection, scripts, own, name, version, now).await? {
            return Ok(created);
        }
    }
    Err(StoreError::new(
        Kind::Transient,
        "the live generation changed again and again while it was to be adopted",
    ))
}

/// Starts the next generation if the stored one is still what was read; `None` when it is not.
pub(super) async fn create(
    connection: &mut MultiplexedConnection,
    scripts: &Scripts,
    own: &Own<'_>,
    name: Option<String>,
    version: Option<String>,
    now: DateTime<Utc>,
) -> Result<Option<Generation>, StoreError> {
    // The name is the creation time, so that it never comes again, not even after FLUSHALL: a sweeper or a zombie of
    // an earlier generation must not take the new one for its own.
    let before = name
        .as_deref()
        .and_then(|name| name.parse::<i64>().ok())
        .unwrap_or(0);
    let created = now.timestamp_millis().max(before.saturating_add(1));
    let new = named(created.to_string(), &own.version, own.boundary(now));
    let mut command = scripts.command(Name::Create);
    command
        .arg(1)
        .arg(META)
        .arg(name.unwrap_or_default())
        .arg(version.unwrap_or_default())
        .arg(&new.name)
        .arg(&new.version)
        .arg(now.timestamp_millis())
        .arg(own.rates(now))
        .arg(new.boundary_text());
    let answer: Vec<String> = scripts
        .call(connection, &command, "starting a new live generation failed")
        .await?;
    if answer.first().map(String::as_str) == Some("OK") {
        tracing::info!(
            generation = new.name,
            version = new.version,
            "started a new live generation"
        );
        return Ok(Some(new));
    }
    Ok(None)
}

/// Notes that the rates of all days up to today are in use: a later change of one of them is a change of the past.
pub(super) async fn note_rates(
    connection: &mut MultiplexedConnection,
    own: &Own<'_>,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    redis::cmd("HSET")
        .arg(META)
        .arg(meta::RATES)
        .arg(own.rates(now))
        .exec_async(connection)
        .await
        .map_err(|error| failure("noting the rates in use failed", error))
}

/// What a worker would build a generation with.
#[derive(Debug, Clone)]
pub(super) struct Own<'a> {
    pub(super) version: Version,
    pub(super) meaning: &'a Meaning,
    /// Days that stay live; 0 for all.
    pub(super) live_days: u64,
}

impl<'a> Own<'a> {
    pub(super) fn new(meaning: &'a Meaning, config: &Redis) -> Self {
        Self {
            version: Version::current(meaning),
            meaning,
            live_days: config.live_days,
        }
    }

    /// The first day that should be live today; `None` when no day is to be sealed.
    pub(super) fn boundary(&self, now: DateTime<Utc>) -> Option<NaiveDate> {
        if self.live_days == 0 {
            return None;
        }
        let today = Calendar::new(self.meaning.tz()).day(now);
        today.checked_sub_days(Days::new(self.live_days))
    }

    /// Today and the digest of the rates up to it. A rate that begins later may be added without a new generation.
    pub(super) fn rates(&self, now: DateTime<Utc>) -> String {
        let today = Calendar::new(self.meaning.tz()).day(now);
        format!("{today} {}", self.meaning.rates_digest(today))
    }

    /// True when the rates up to the day that is noted are the same.
    fn is_built_with(&self, noted: &str) -> bool {
        let parts = noted.split_once(' ');
        let parts = parts.and_then(|(day, digest)| Some((day.parse().ok()?, digest)));
        parts.is_some_and(|(day, digest)| self.meaning.rates_digest(day) == digest)
    }
}

/// What `live:meta` says of the generation that is stored.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Found {
    pub(super) name: Option<String>,
    pub(super) version: Option<String>,
    pub(super) rates: Option<String>,
    pub(super) boundary: Option<NaiveDate>,
    /// The boundary up to which everything has left.
    pub(super) left: Option<NaiveDate>,
}

/// The generation that is stored.
pub(super) async fn stored(connection: &mut MultiplexedConnection) -> Result<Found, StoreError> {
    let [name, version, rates, boundary, left]: [Option<String>; 5] = redis::cmd("HMGET")
        .arg(META)
        .arg(meta::GENERATION)
        .arg(meta::VERSION)
        .arg(meta::RATES)
        .arg(meta::BOUNDARY)
        .arg(meta::LEFT)
        .query_async(connection)
        .await
        .map_err(|error| failure("reading the live generation failed", error))?;
    let day = |text: Option<String>| text.and_then(|text| keys::parse_day(&text));
    Ok(Found {
        name,
        version,
        rates,
        boundary: day(boundary),
        left: day(left),
    })
}

/// How far the sealing of days is, by the fields of `live:meta` in the order of [`SEALED_FIELDS`].
pub(super) fn sealed_days([boundary, left, late, written]: [Option<&str>; 4]) -> Option<SealedDays> {
    let boundary = boundary.and_then(keys::parse_day)?;
    Some(SealedDays {
        boundary,
        has_left: left.and_then(keys::parse_day) == Some(boundary),
        late: late.and_then(|late| late.parse().ok()).unwrap_or(0),
        written_at: written
            .and_then(|text| text.parse().ok())
            .and_then(DateTime::from_timestamp_millis),
    })
}

/// What [`sealed_days`] needs.
pub(super) const SEALED_FIELDS: [&str; 4] = [meta::BOUNDARY, meta::LEFT, meta::LATE, meta::SEALED];

fn named(name: String, own: &Version, boundary: Option<NaiveDate>) -> Generation {
    Generation {
        keys: Keys::new(&name),
        name,
        version: own.to_string(),
        boundary,
    }
}

/// Raises the epochs of partitions; `None` when the generation is not the one given any more.
pub(super) async fn take_over(
    connection: &mut MultiplexedConnection,
    scripts: &Scripts,
    generation: &Generation,
    partitions: &[Partition],
) -> Result<Option<Vec<Owned>>, StoreError> {
    let mut command = scripts.command(Name::Recover);
    command
        .arg(1)
        .arg(META)
        .arg(&generation.name)
        .arg(&generation.version);
    for partition in partitions {
        command.arg(keys::partition(partition));
    }
    let answer: Vec<String> = scripts
        .call(connection, &command, "taking over partitions in Redis failed")
        .await?;
    if answer.first().map(String::as_str) != Some("OK") {
        return Ok(None);
    }
    let owned: Option<Vec<Owned>> = answer[1..]
        .chunks(2)
        .map(|pair| {
            let [epoch, checkpoint] = pair else { return None };
            Some(Owned {
                epoch: epoch.parse().ok()?,
                checkpoint: checkpoint.parse().ok()?,
            })
        })
        .collect();
    owned
        .filter(|owned| owned.len() == partitions.len())
        .map(Some)
        .ok_or_else(|| {
            StoreError::new(
                Kind::Broken,
                format!("{META} holds epochs or checkpoints that are no numbers: {answer:?}"),
            )
            .hint("somebody else changed it; run `instashop rebuild live`")
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stored_version_decides() {
        let own = Version {
            code: 3,
            maps: "aa".into(),
        };
        let cases = [
            ("nothing stored", None, false, Choice::Create),
            ("nothing stored after a flush", None, true, Choice::Create),
            ("own version", Some("3.aa"), false, Choice::Adopt),
            ("own version, new generation", Some("3.aa"), true, Choice::Adopt),
            ("older code", Some("2.aa"), true, Choice::Create),
            ("newer code", Some("4.aa"), false, Choice::Older),
            ("other maps at the start", Some("3.bb"), false, Choice::Create),
            ("other maps while running", Some("3.bb"), true, Choice::OtherMaps),
            ("not ours", Some("x"), false, Choice::Create),
        ];
        for (name, stored, had, expected) in cases {
            assert_eq!(choose(stored, &own, had), expected, "{name}");
        }
    }
}
