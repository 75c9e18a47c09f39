//! Seals days: moves the boundary when a day has been live long enough, and lets everything before it leave, in the
//! background, a little at a time (docs: reliability 5.10).
//!
//! The boundary moves in one step for all workers: every commit compares it. From then on nothing changes the totals of the
//! days before it, so that states and keys of these days can go in pieces, and again from the start after a crash. What is
//! left of a sealed day is what readers add up; the daily run writes it anew from the warehouse when late changes came
//! (`settle`).

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use chrono::{DateTime, NaiveDate, Utc};
use instashop_core::contribution::Calendar;
use instashop_core::live::{Leave, Progress, StateId, Stored};
use redis::aio::MultiplexedConnection;

use super::answers::answers;
use super::commit::{self, Generation};
use super::keys::{self, Passing};
use super::link::failure;
use super::recover::Own;
use super::scan::scan_on;
use super::scripts::{Name, Scripts};
use super::{broken, states};
use crate::error::StoreError;

/// Keys looked at in one step.
const SCAN: usize = 200;
/// Longest time one call takes.
const TURN: Duration = Duration::from_millis(250);
/// How long a generation is left alone: its workers may not have said yet that they are rebuilding.
const SETTLING: chrono::Duration = chrono::Duration::seconds(60);

/// What the work needs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Desk<'a> {
    pub(super) scripts: &'a Scripts,
    pub(super) generation: &'a Generation,
    pub(super) own: &'a Own<'a>,
    pub(super) now: DateTime<Utc>,
}

/// A walk over all keys of the generation, for a boundary.
#[derive(Debug, Default)]
pub(super) struct Sealer {
    walk: Option<(NaiveDate, u64)>,
}

/// Keys and fields that go.
#[derive(Debug, Default)]
struct Gone {
    keys: Vec<String>,
    fields: Vec<(String, Vec<String>)>,
    folds: Vec<String>,
}

impl Sealer {
    /// Does a bounded piece of work. Nothing leaves while a worker is rebuilding: an order of a sealed day is complete only
    /// when all of its records were read.
    pub(super) async fn go_on(
        &mut self,
        connection: &mut MultiplexedConnection,
        desk: &Desk<'_>,
        left: Option<NaiveDate>,
        is_rebuilding: bool,
    ) -> Result<(), StoreError> {
        let held = desk.generation.boundary;
        if let Some(due) = desk.own.boundary(desk.now).filter(|due| held < Some(*due)) {
            return desk.move_boundary(connection, due).await;
        }
        let Some(boundary) = held.filter(|boundary| left != Some(*boundary)) else {
            self.walk = None;
            return Ok(());
        };
        if is_rebuilding || !desk.is_quiet(connection).await? {
            return Ok(());
        }
        let began = Instant::now();
        while began.elapsed() < TURN {
            let mut cursor = match self.walk {
                Some((of, cursor)) if of == boundary => cursor,
                _ => {
                    tracing::info!(%boundary, "days before the boundary leave Redis");
                    0
                }
            };
            let pattern = format!("{}*", desk.generation.keys.prefix());
            let (next, found) = scan_on(connection, cursor, &pattern, SCAN).await?;
            if !desk.look_at(connection, found, boundary, next == 0).await? {
                // A batch came in between: the same keys again with the next call.
                self.walk = Some((boundary, cursor));
                return Ok(());
            }
            cursor = next;
            self.walk = (cursor != 0).then_some((boundary, cursor));
            if cursor == 0 {
                tracing::info!(%boundary, "everything before the boundary has left Redis");
                return Ok(());
            }
        }
        Ok(())
    }
}

impl Desk<'_> {
    /// Seals the days before `boundary`.
    async fn move_boundary(
        &self,
        connection: &mut MultiplexedConnection,
        boundary: NaiveDate,
    ) -> Result<(), StoreError> {
        let mut command = self.scripts.command(Name::Boundary);
        command
            .arg(1)
            .arg(keys::META)
            .arg(&self.generation.name)
            .arg(self.generation.boundary_text())
            .arg(keys::day(boundary));
        let answer: Vec<String> = self
            .scripts
            .call(connection, &command, "moving the boundary of live days failed")
            .await?;
        if answer.first().map(String::as_str) == Some("OK") {
            tracing::info!(%boundary, "days before the boundary are sealed");
        }
        Ok(())
    }

    /// True when no worker is reading everything again.
    async fn is_quiet(&self, connection: &mut MultiplexedConnection) -> Result<bool, StoreError> {
        let created = self.generation.name.parse().ok();
        let created = created.and_then(DateTime::from_timestamp_millis);
        if created.is_some_and(|created| self.now - created < SETTLING) {
            return Ok(false);
        }
        let rebuilding: BTreeMap<String, String> = redis::cmd("HGETALL")
            .arg(keys::REBUILD)
            .query_async(connection)
            .await
            .map_err(|error| failure("reading which workers rebuild failed", error))?;
        Ok(rebuilding.is_empty())
    }

    /// Lets go what the keys hold of sealed days; false when a foreign write came in between.
    async fn look_at(
        &self,
        connection: &mut MultiplexedConnection,
        found: Vec<String>,
        boundary: NaiveDate,
        is_last: bool,
    ) -> Result<bool, StoreError> {
        let mut gone = Gone::default();
        let (mut with_fields, mut with_states) = (Vec::new(), Vec::new());
        for key in found {
            let Some(name) = key.strip_prefix(self.generation.keys.prefix()) else {
                continue;
            };
            if let Some((kind, _)) = name.strip_prefix("st:").and_then(|rest| rest.split_once(':')) {
                with_states.extend(kind_of(kind).map(|kind| (key.clone(), kind)));
                continue;
            }
            match Passing::of(name, boundary) {
                Passing::Stays => {}
                Passing::Goes => gone.keys.push(key),
                Passing::Folds => gone.folds.push(key),
                Passing::Fields(fields) => with_fields.push((key, fields)),
            }
        }
        let mut pipeline = redis::pipe();
        for (key, _) in &with_fields {
            pipeline.cmd("HKEYS").arg(key);
        }
        for (key, _) in &with_states {
            pipeline.cmd("HGETALL").arg(key);
        }
        let mut answers = answers(connection, &pipeline, "reading what leaves Redis failed").await?;
        for (key, fields) in with_fields {
            let mut past: Vec<String> = answers.take()?;
            past.retain(|field| fields.is_past(field, boundary));
            if !past.is_empty() {
                gone.fields.push((key, past));
            }
        }
        for (_, kind) in with_states {
            let held: BTreeMap<i64, String> = answers.take()?;
            let held: BTreeMap<StateId, Stored> = held
                .into_iter()
                .map(|(id, text)| (kind(id), Stored::new(Some(text))))
                .collect();
            if !self.leave(connection, held).await? {
                return Ok(false);
            }
        }
        self.forget(connection, &gone, boundary, is_last).await
    }

    /// Lets states leave; false when a foreign write came in between.
    async fn leave(
        &self,
        connection: &mut MultiplexedConnection,
        mut read: BTreeMap<StateId, Stored>,
    ) -> Result<bool, StoreError> {
        let ids: Vec<StateId> = read.keys().copied().collect();
        let leave = Leave::new(&ids, self.generation.window(self.now), self.own.meaning);
        loop {
            let done = match leave.go_on(&read).map_err(|error| broken(&error))? {
                Progress::Read(ids) => {
                    states(connection, self.generation, ids, &mut read).await?;
                    continue;
                }
                Progress::Done(done) if done.writes.states.is_empty() => return Ok(true),
                Progress::Done(done) => done,
            };
            return commit::write_alone(
                connection,
                self.scripts,
                self.generation,
                &done.writes,
                Calendar::new(self.own.meaning.tz()),
                self.now,
                "letting states of sealed days leave failed",
            )
            .await;
        }
    }

    /// Removes keys and fields; false when boundary or generation moved on.
    async fn forget(
        &self,
        connection: &mut MultiplexedConnection,
        gone: &Gone,
        boundary: NaiveDate,
        is_last: bool,
    ) -> Result<bool, StoreError> {
        if !is_last && gone.keys.is_empty() && gone.fields.is_empty() && gone.folds.is_empty() {
            return Ok(true);
        }
        let mut command = self.scripts.command(Name::Forget);
        command
            .arg(1)
            .arg(keys::META)
            .arg(&self.generation.name)
            .arg(keys::day(boundary));
        command.arg(gone.keys.len()).arg(&gone.keys);
        command.arg(gone.fields.len());
        for (key, fields) in &gone.fields {
            command.arg(key).arg(fields.len()).arg(fields);
        }
        command.arg(keys::day(boundary.pred_opt().unwrap_or(boundary)));
        command.arg(gone.folds.len()).arg(&gone.folds);
        command.arg(if is_last { "1" } else { "" });
        let answer: Vec<String> = self
            .scripts
            .call(connection, &command, "removing keys of sealed days failed")
            .await?;
        Ok(answer.first().map(String::as_str) == Some("OK"))
    }
}

/// The states of a kind that may leave, by the name of the kind.
fn kind_of(name: &str) -> Option<fn(i64) -> StateId> {
    Leave::KINDS.into_iter().find(|kind| kind(0).parts().0 == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_states_that_are_looked_at_are_those_that_may_leave() {
        for id in [
            StateId::Order(0),
            StateId::Line(0),
            StateId::Product(0),
            StateId::Behaviour(0),
            StateId::Stock(0),
            StateId::Shipment(0),
            StateId::Store(0),
            StateId::Buyer(0),
            StateId::Carrier(0),
            StateId::Movement(0),
            StateId::Contact(0),
            StateId::Segment(0),
            StateId::Member(0),
            StateId::Shopper(0),
            StateId::Tender(0),
            StateId::Timelines(0),
            StateId::Past(0),
        ] {
            let found = kind_of(id.parts().0).map(|kind| kind(0));
            assert_eq!(found, Leave::concerns(id).then_some(id), "{id}");
        }
    }
}
