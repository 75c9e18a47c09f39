//! What an actor did at a store, in order: behaviour events and orders, from which visits are cut.

use serde::{Deserialize, Serialize};

use super::state::{BrokenState, StateId};
use crate::visits::{Stop, StopKind};

/// The stops of one actor at one store, sorted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "TimelineBody", into = "TimelineBody")]
pub struct Timeline {
    /// `b<buyer>` or `c<store>` (D5).
    pub actor: String,
    /// The store.
    pub store: i64,
    /// Events and orders by time.
    pub stops: Vec<Stop>,
}

type TimelineBody = (String, i64, Vec<(i64, i64, StopKind, Option<i64>)>);

impl From<TimelineBody> for Timeline {
    fn from((actor, store, stops): TimelineBody) -> Self {
        let stop = |(at, id, kind, product)| Stop {
            at,
            is_order: kind == StopKind::Order,
            id,
            kind,
            product,
        };
        Self {
            actor,
            store,
            stops: stops.into_iter().map(stop).collect(),
        }
    }
}

impl From<Timeline> for TimelineBody {
    fn from(timeline: Timeline) -> Self {
        let stops = timeline.stops.into_iter();
        (
            timeline.actor,
            timeline.store,
            stops
                .map(|stop| (stop.at, stop.id, stop.kind, stop.product))
                .collect(),
        )
    }
}

/// The timelines whose names share a digest: nearly always one.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timelines(pub Vec<Timeline>);

/// A stop, and whose timeline at which store it is on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) actor: String,
    pub(super) store: i64,
    pub(super) stop: Stop,
}

impl Entry {
    /// The state that holds it. Actors are text of any kind, so the state is found by a digest of actor and store, and
    /// holds every timeline with that digest.
    pub(super) fn holder(&self) -> StateId {
        let name = format!("{}@{}", self.actor, self.store);
        StateId::Timelines(xxhash_rust::xxh3::xxh3_64(name.as_bytes()).cast_signed())
    }
}

impl Timelines {
    /// True when no stop is left.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Keeps the stops that are wanted.
    pub(super) fn retain(&mut self, is_wanted: impl Fn(&Stop) -> bool) {
        for timeline in &mut self.0 {
            timeline.stops.retain(&is_wanted);
        }
        self.0.retain(|timeline| !timeline.stops.is_empty());
    }

    pub(super) fn add(&mut self, entry: &Entry) {
        let of = |timeline: &Timeline| {
            (timeline.actor.as_str(), timeline.store) == (entry.actor.as_str(), entry.store)
        };
        let index = self.0.iter().position(of).unwrap_or_else(|| {
            self.0.push(Timeline {
                actor: entry.actor.clone(),
                store: entry.store,
                stops: Vec::new(),
            });
            self.0.len() - 1
        });
        let stops = &mut self.0[index].stops;
        let at = stops.partition_point(|stop| *stop < entry.stop);
        stops.insert(at, entry.stop);
    }

    pub(super) fn remove(&mut self, entry: &Entry) -> Result<(), BrokenState> {
        let of = |timeline: &Timeline| {
            (timeline.actor.as_str(), timeline.store) == (entry.actor.as_str(), entry.store)
        };
        let found = self.0.iter().position(of).and_then(|index| {
            let stop = self.0[index].stops.binary_search(&entry.stop).ok()?;
            Some((index, stop))
        });
        let Some((index, stop)) = found else {
            return Err(BrokenState::LostPart {
                what: format!("{:?} of {} at store {}", entry.stop, entry.actor, entry.store),
                holder: entry.holder(),
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
            actor: actor.to_owned(),
            store: 3,
            stop: Stop {
                at,
                is_order: kind == StopKind::Order,
                id,
                kind,
                product: (kind == StopKind::ProductView).then_some(9),
            },
        }
    }

    #[test]
    fn stops_stay_sorted_and_timelines_apart() {
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
        let body = serde_json::to_string(&timelines).unwrap();
        assert_eq!(
            body,
            r#"[["b1",3,[[10,9,"s",null],[20,7,"p",9],[20,1,"o",null]]],["b2",3,[[5,2,"v",null]]]]"#
        );
        assert_eq!(serde_json::from_str::<Timelines>(&body).unwrap(), timelines);
        for entry in &entries {
            timelines.remove(entry).unwrap();
        }
        assert!(timelines.is_empty());
        assert!(timelines.remove(&entries[0]).is_err(), "it is not there any more");
        assert_ne!(entries[0].holder(), entries[1].holder());
    }
}
