//! What an actor did at a store, in order, kept in stretches of time: behaviour events and orders, from which visits are cut.
//!
//! A timeline may have no end: a robot looks at a page each minute, and all visitors of a store whose events name no buyer
//! are one actor (D5). So it is kept in stretches, each a state of its own, and a change costs what happened around it and
//! not what ever happened. A visit that goes on over the end of a stretch is carried over into the next one
//! ([`super::chain`]).

use serde::{Deserialize, Serialize};

use super::state::{BrokenState, StateId};
use crate::config::Meaning;
use crate::visits::{Stop, StopKind, Visit, visits};

/// Session gaps that a stretch lasts. At least two, so that what lies beyond a neighbour is never in reach; more make fewer and
/// longer stretches.
const GAPS: i64 = 4;

/// How time is cut into stretches.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cut {
    /// Microseconds without a stop that end a visit.
    pub(super) gap: i64,
}

impl Cut {
    pub(super) fn of(meaning: &Meaning) -> Self {
        Self {
            gap: i64::from(meaning.session_gap_minutes.max(1)) * 60_000_000,
        }
    }

    /// Length of a stretch in microseconds.
    const fn length(self) -> i64 {
        self.gap * GAPS
    }

    /// Begin of the stretch a moment lies in.
    pub(super) const fn start(self, at: i64) -> i64 {
        at.div_euclid(self.length()) * self.length()
    }

    /// True when a stop at this moment may belong to a visit of the stretch before.
    pub(super) const fn is_near_start(self, at: i64) -> bool {
        at.rem_euclid(self.length()) <= self.gap
    }

    /// True when a visit with a stop at this moment may go on in the stretch after.
    pub(super) const fn is_near_end(self, at: i64) -> bool {
        self.length() - at.rem_euclid(self.length()) <= self.gap
    }
}

/// Which stretch of whose timeline.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct StretchKey {
    /// `b<buyer>` or `c<store>` (D5).
    pub actor: String,
    /// The store.
    pub store: i64,
    /// When the stretch begins, microseconds since the epoch, UTC.
    pub start: i64,
}

impl StretchKey {
    /// The state that holds it. Actors are text of any kind, so the state is found by a digest of the key, and holds every
    /// stretch with that digest.
    pub(super) fn holder(&self) -> StateId {
        let name = format!("{}@{}@{}", self.actor, self.store, self.start);
        StateId::Timelines(xxhash_rust::xxh3::xxh3_64(name.as_bytes()).cast_signed())
    }

    pub(super) fn before(&self, cut: Cut) -> Self {
        Self {
            start: self.start - cut.length(),
            ..self.clone()
        }
    }

    pub(super) fn after(&self, cut: Cut) -> Self {
        Self {
            start: self.start + cut.length(),
            ..self.clone()
        }
    }
}

/// The stops of one actor at one store in a stretch of time, sorted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "StretchBody", into = "StretchBody")]
pub struct Stretch {
    /// Which one.
    pub key: StretchKey,
    /// The visit of the stretch before that its first stop goes on with, as it stood there.
    pub carried: Option<Visit>,
    /// True when its last visit goes on in the next stretch, which tells how it ended.
    pub goes_on: bool,
    /// Events and orders by time; at least one.
    pub stops: Vec<Stop>,
}

/// Moments count from the begin of the stretch.
type StretchBody = (String, i64, i64, u8, Option<VisitBody>, Vec<StopBody>);
type VisitBody = (i64, i64, i64, i64, i64, i64, i64, i64, u8);

#[derive(Serialize, Deserialize)]
struct StopBody(
    i64,
    i64,
    StopKind,
    #[serde(default, skip_serializing_if = "Option::is_none")] Option<i64>,
);

impl From<StretchBody> for Stretch {
    fn from((actor, store, start, goes_on, carried, stops): StretchBody) -> Self {
        let visit =
            |(began, last, events, views, adds, removes, checkouts, purchases, reached): VisitBody| Visit {
                start: start + began,
                end: start + last,
                events,
                views,
                adds,
                removes,
                checkouts,
                purchases,
                reached,
            };
        let stop = |StopBody(at, id, kind, product)| Stop {
            at: start + at,
            is_order: kind == StopKind::Order,
            id,
            kind,
            product,
        };
        Self {
            key: StretchKey { actor, store, start },
            carried: carried.map(visit),
            goes_on: goes_on != 0,
            stops: stops.into_iter().map(stop).collect(),
        }
    }
}

impl From<Stretch> for StretchBody {
    fn from(stretch: Stretch) -> Self {
        let StretchKey { actor, store, start } = stretch.key;
        let visit = |visit: Visit| -> VisitBody {
            (
                visit.start - start,
                visit.end - start,
                visit.events,
                visit.views,
                visit.adds,
                visit.removes,
                visit.checkouts,
                visit.purchases,
                visit.reached,
            )
        };
        let stop = |stop: Stop| StopBody(stop.at - start, stop.id, stop.kind, stop.product);
        (
            actor,
            store,
            start,
            u8::from(stretch.goes_on),
            stretch.carried.map(visit),
            stretch.stops.into_iter().map(stop).collect(),
        )
    }
}

impl Stretch {
    /// Its visits, orders alone included; the last is not at its end when it goes on.
    pub fn visits(&self, gap: i64) -> impl Iterator<Item = Visit> {
        visits(self.carried, &self.stops, gap)
    }

    /// True when what is carried over into it goes through to the next stretch: all its stops are of one visit, which goes on.
    pub(super) fn is_passed_through(&self, gap: i64) -> bool {
        self.goes_on && self.visits(gap).nth(1).is_none()
    }
}

/// The stretches whose keys share a digest: nearly always one.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timelines(pub Vec<Stretch>);

/// A stop, and the stretch it is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) key: StretchKey,
    pub(super) stop: Stop,
}

impl Timelines {
    /// True when no stop is left.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn get(&self, key: &StretchKey) -> Option<&Stretch> {
        self.0.iter().find(|stretch| stretch.key == *key)
    }

    pub(super) fn get_mut(&mut self, key: &StretchKey) -> Option<&mut Stretch> {
        self.0.iter_mut().find(|stretch| stretch.key == *key)
    }

    /// Keeps the stretches that are wanted.
    pub(super) fn retain(&mut self, is_wanted: impl Fn(&StretchKey) -> bool) {
        self.0.retain(|stretch| is_wanted(&stretch.key));
    }

    pub(super) fn add(&mut self, entry: &Entry) {
        let index = self.0.iter().position(|stretch| stretch.key == entry.key);
        let index = index.unwrap_or_else(|| {
            self.0.push(Stretch {
                key: entry.key.clone(),
                carried: None,
                goes_on: false,
                stops: Vec::new(),
            });
            self.0.len() - 1
        });
        let stops = &mut self.0[index].stops;
        let at = stops.partition_point(|stop| *stop < entry.stop);
        stops.insert(at, entry.stop);
    }

    pub(super) fn remove(&mut self, entry: &Entry) -> Result<(), BrokenState> {
        let index = self.0.iter().position(|stretch| stretch.key == entry.key);
        let found = index.and_then(|index| {
            let stop = self.0[index].stops.binary_search(&entry.stop).ok()?;
            Some((index, stop))
        });
        let Some((index, stop)) = found else {
            return Err(BrokenState::LostPart {
                what: format!("{:?} of {:?}", entry.stop, entry.key),
                holder: entry.key.holder(),
            });
        };
        self.0[index].stops.remove(stop);
        if self.0[index].stops.is_empty() {
            self.0.remove(index);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(actor: &str, at: i64, id: i64, kind: StopKind) -> Entry {
        Entry {
            key: StretchKey {
                actor: actor.to_owned(),
                store: 3,
                start: 7_200_000_000,
            },
            stop: Stop {
                at: 7_200_000_000 + at,
                is_order: kind == StopKind::Order,
                id,
                kind,
                product: (kind == StopKind::ProductView).then_some(9),
            },
        }
    }

    #[test]
    fn stops_stay_sorted_and_stretches_apart() {
        let mut timelines = Timelines::default();
        let entries = [
            entry("b1", 20, 1, StopKind::Order),
            entry("b2", 5, 2, StopKind::PageView),
            entry("b1", 20, 7, StopKind::ProductView),
            entry("b1", 10, 9, StopKind::Search),
        ];
        for entry in entries.clone() {
            timelines.add(&entry);
        }
        let first = timelines.get_mut(&entries[0].key).unwrap();
        first.goes_on = true;
        first.carried = Some(Visit {
            start: 7_199_999_000,
            end: 7_199_999_990,
            events: 1,
            ..Visit::default()
        });
        let body = serde_json::to_string(&timelines).unwrap();
        assert_eq!(
            body,
            r#"[["b1",3,7200000000,1,[-1000,-10,1,0,0,0,0,0,0],[[10,9,"s"],[20,7,"p",9],[20,1,"o"]]],["b2",3,7200000000,0,null,[[5,2,"v"]]]]"#
        );
        assert_eq!(serde_json::from_str::<Timelines>(&body).unwrap(), timelines);
        for entry in &entries {
            timelines.remove(entry).unwrap();
        }
        assert!(timelines.is_empty());
        assert!(timelines.remove(&entries[0]).is_err(), "it is not there any more");
        assert_ne!(entries[0].key.holder(), entries[1].key.holder());
    }

    #[test]
    fn only_what_is_near_an_end_concerns_a_neighbour() {
        let cut = Cut { gap: 10 };
        let near = |at| (cut.start(at), cut.is_near_start(at), cut.is_near_end(at));
        for (at, expected) in [
            (0, (0, true, false)),
            (10, (0, true, false)),
            (11, (0, false, false)),
            (29, (0, false, false)),
            (30, (0, false, true)),
            (39, (0, false, true)),
            (40, (40, true, false)),
            (-1, (-40, false, true)),
            (-40, (-40, true, false)),
        ] {
            assert_eq!(near(at), expected, "{at}");
        }
    }
}
