//! Totals of sealed days, written as absolute numbers from the warehouse (docs: reliability 5.10).
//!
//! The totals of a day are exact when it is sealed. They are written again when changes of sealed days came late, and
//! whole when a new generation began: it starts with a boundary and never holds what lies before.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, Utc};
use instashop_core::config::Redis;
use instashop_core::contribution::Scope;
use instashop_core::live::{Figure, LiveDump};
use instashop_core::view::SealedDays;
use redis::aio::MultiplexedConnection;

use super::keys::{self, Keys, META, meta};
use super::link::{self, Who, failure};
use super::scripts::{Name, Scripts};
use crate::error::{Kind, StoreError};

/// Fields written by one call of the script.
const FIELDS: usize = 2000;

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled {
    /// Sealed days with totals.
    pub days: usize,
    /// Numbers that were not what they should be.
    pub corrected: usize,
}

/// Writes totals of sealed days.
#[derive(Debug)]
pub struct LiveSettler {
    scripts: Scripts,
    connection: MultiplexedConnection,
}

impl LiveSettler {
    /// Connects as the worker of the live flow.
    pub async fn connect(config: &Redis) -> Result<Self, StoreError> {
        let mut connection = link::connect(config, Who::Worker).await?;
        link::check(&mut connection).await?;
        Ok(Self {
            scripts: Scripts::new(config),
            connection,
        })
    }

    /// True when days are sealed whose totals were never written to this generation, or changed since.
    pub async fn is_due(&mut self) -> Result<bool, StoreError> {
        let [boundary, sealed, late]: [Option<String>; 3] = redis::cmd("HMGET")
            .arg(META)
            .arg(meta::BOUNDARY)
            .arg(meta::SEALED)
            .arg(meta::LATE)
            .query_async(&mut self.connection)
            .await
            .map_err(|error| failure("reading whether days are sealed failed", error))?;
        let is_late = late.is_some_and(|late| late != "0");
        Ok(boundary.is_some() && (sealed.is_none() || is_late))
    }

    /// Writes what the sealed days of a dump should say: `figures` as of its checkpoints. `None` when Redis moved on to
    /// another generation or boundary meanwhile; what was written of it stays, and is right.
    pub async fn write(
        &mut self,
        dump: &LiveDump,
        figures: &BTreeMap<Figure, i64>,
        now: DateTime<Utc>,
    ) -> Result<Option<Settled>, StoreError> {
        let Some(sealed) = dump.sealed else {
            return Ok(None);
        };
        let boundary = sealed.boundary;
        let keys = Keys::new(&dump.generation);
        let [should, is] = [figures, &dump.figures].map(|figures| places(&keys, figures, boundary));
        let mut wrong: Vec<(&str, &str, i64)> = Vec::new();
        for (place, value) in &should {
            if is.get(place) != Some(value) {
                wrong.push((&place.0, &place.1, *value));
            }
        }
        for place in is.keys().filter(|place| !should.contains_key(place)) {
            wrong.push((&place.0, &place.1, 0));
        }
        wrong.sort_unstable();
        let days: BTreeSet<NaiveDate> = figures
            .keys()
            .filter(|figure| figure.is_sealed(Some(boundary)))
            .filter_map(|figure| figure.day)
            .collect();
        let settled = Settled {
            days: days.len(),
            corrected: wrong.len(),
        };
        let pieces: Vec<&[(&str, &str, i64)]> = wrong.chunks(FIELDS).collect();
        for piece in pieces {
            if !self.piece(&dump.generation, sealed, piece, None).await? {
                return Ok(None);
            }
        }
        let is_written = self.piece(&dump.generation, sealed, &[], Some(now)).await?;
        Ok(is_written.then_some(settled))
    }

    /// Writes some fields; the last piece says that all is written, up to the changes that the dump knew of.
    async fn piece(
        &mut self,
        generation: &str,
        sealed: SealedDays,
        fields: &[(&str, &str, i64)],
        done: Option<DateTime<Utc>>,
    ) -> Result<bool, StoreError> {
        let mut command = self.scripts.command(Name::Settle);
        command
            .arg(1)
            .arg(META)
            .arg(generation)
            .arg(keys::day(sealed.boundary));
        let hashes: Vec<_> = fields.chunk_by(|one, other| one.0 == other.0).collect();
        command.arg(hashes.len());
        for hash in hashes {
            command.arg(hash[0].0).arg(hash.len());
            for (_, field, value) in hash {
                command.arg(*field).arg(*value);
            }
        }
        let at = done.map_or_else(String::new, |at| at.timestamp_millis().to_string());
        command.arg(at).arg(sealed.late);
        let answer: Vec<String> = self
            .scripts
            .call(
                &mut self.connection,
                &command,
                "writing totals of sealed days failed",
            )
            .await?;
        match answer.first().map(String::as_str) {
            Some("OK") => Ok(true),
            Some("CHANGED") => Ok(false),
            _ => Err(StoreError::new(
                Kind::Broken,
                format!("the script for sealed days gave the answer {answer:?}, which means nothing"),
            )),
        }
    }
}

/// Where the figures of sealed days stand.
fn places(
    keys: &Keys,
    figures: &BTreeMap<Figure, i64>,
    boundary: NaiveDate,
) -> BTreeMap<(String, String), i64> {
    let mut places = BTreeMap::new();
    for (figure, value) in figures {
        let Some(day) = figure
            .day
            .filter(|_| figure.is_sealed(Some(boundary)) && figure.is_held(Some(boundary)))
        else {
            continue;
        };
        let of_day = |name: &str| (keys.daily(), format!("{}|{name}", keys::day(day)));
        let of = &figure.dimension;
        let place = match figure.name {
            "revenue_cents" => of_day(keys::REVENUE),
            "category.revenue_cents" => (keys.category(day), format!("{}|{of}", keys::REVENUE)),
            "category.units" => (keys.category(day), format!("{}|{of}", keys::UNITS)),
            "category.lines" => (keys.category(day), format!("{}|{of}", keys::LINES)),
            "behaviour.events" => {
                *places.entry(of_day(keys::EVENTS)).or_default() += value;
                (keys.sums(Scope::Platform, day), format!("{}|{of}", keys::EVENTS))
            }
            name => of_day(name),
        };
        *places.entry(place).or_default() += value;
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_stand_where_batches_would_have_put_them() {
        let day = |text: &str| Some(text.parse().unwrap());
        let figure = |of: &str, name, dimension: &str| Figure {
            day: day(of),
            name,
            dimension: dimension.into(),
        };
        let figures = BTreeMap::from([
            (figure("2026-08-20", "revenue_cents", ""), 7),
            (figure("2026-08-20", "buyers", ""), 2),
            (figure("2026-08-20", "category.units", "A|B"), 3),
            (figure("2026-08-20", "behaviour.events", "search"), 4),
            (figure("2026-08-20", "behaviour.events", "purchase"), 5),
            (figure("2026-08-20", "payment.paid", "cash"), 1),
            (figure("2026-08-21", "revenue_cents", ""), 9),
        ]);
        let found: Vec<_> = places(&Keys::new("7"), &figures, "2026-08-21".parse().unwrap())
            .into_iter()
            .map(|((key, field), value)| format!("{key} {field} {value}"))
            .collect();
        assert_eq!(
            found,
            [
                "live:7:category:20260820 units|A|B 3",
                "live:7:daily 20260820|buyers 2",
                "live:7:daily 20260820|events 9",
                "live:7:daily 20260820|rev 7",
                "live:7:sum:20260820 events|purchase 5",
                "live:7:sum:20260820 events|search 4",
            ]
        );
    }
}
