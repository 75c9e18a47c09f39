//! States of sealed days leave the live store, once the boundary has moved (docs: reliability 5.10).
//!
//! Nothing of the totals changes: what these states contribute lies before the boundary and is no longer booked.

use std::collections::{BTreeMap, BTreeSet};

use super::past::Past;
use super::rows::Dated;
use super::run::Progress;
use super::state::{BrokenState, StateId, Stored};
use super::step::{Step, Writes};
use super::window::{Keep, Window};
use super::work::{Rows, Work, open};
use crate::config::Meaning;
use crate::order::{Kept, Order};

/// Some states that are looked at, to see which of them leave.
///
/// Pure like [`super::Run`]: the caller reads what it is told to read until there is something to write, which may be
/// nothing.
#[derive(Debug)]
pub struct Leave<'a> {
    ids: &'a [StateId],
    keep: Keep,
}

impl<'a> Leave<'a> {
    /// Looks at these states.
    pub fn new(ids: &'a [StateId], window: Window, meaning: &Meaning) -> Self {
        Self {
            ids,
            keep: window.keep(meaning),
        }
    }

    /// Kinds of which states may leave, or become smaller.
    pub const KINDS: [fn(i64) -> StateId; 7] = [
        StateId::Order,
        StateId::Behaviour,
        StateId::Movement,
        StateId::Contact,
        StateId::Shipment,
        StateId::Shopper,
        StateId::Timelines,
    ];

    /// True for a state of such a kind.
    pub fn concerns(id: StateId) -> bool {
        Self::KINDS.into_iter().any(|kind| kind(id.parts().1) == id)
    }

    /// Goes as far as the states that were read allow.
    pub fn go_on(&self, read: &BTreeMap<StateId, Stored>) -> Result<Progress, BrokenState> {
        let missing = |ids: BTreeSet<StateId>| -> Vec<StateId> {
            ids.into_iter().filter(|id| !read.contains_key(id)).collect()
        };
        let ids = missing(self.ids.iter().copied().collect());
        if !ids.is_empty() {
            return Ok(Progress::Read(ids));
        }
        let mut work = Work::default();
        let ids = missing(self.companions(&mut work, read)?);
        if !ids.is_empty() {
            return Ok(Progress::Read(ids));
        }
        for id in self.ids {
            self.look_at(*id, &mut work, read)?;
        }
        let writes = Writes {
            states: work.writes(),
            ..Writes::default()
        };
        Ok(Progress::Done(Box::new(Step {
            writes,
            ..Step::default()
        })))
    }

    /// Entries of the lines of orders that leave, and where it is noted that they did.
    fn companions(
        &self,
        work: &mut Work,
        read: &BTreeMap<StateId, Stored>,
    ) -> Result<BTreeSet<StateId>, BrokenState> {
        let mut ids = BTreeSet::new();
        for id in self.ids {
            let StateId::Order(order) = id else { continue };
            let held = &open(&mut work.orders, read, *id)?.new;
            if self.leaves(held) || held.header.is_none() {
                ids.insert(Past::holder(*order));
                ids.extend(held.lines.keys().map(|line| StateId::Line(*line)));
            }
        }
        Ok(ids)
    }

    fn leaves(&self, order: &Order) -> bool {
        let at = order.live_header().and_then(|header| header.at);
        self.keep.is_past(at)
    }

    fn look_at(
        &self,
        id: StateId,
        work: &mut Work,
        read: &BTreeMap<StateId, Stored>,
    ) -> Result<(), BrokenState> {
        match id {
            StateId::Order(order) => {
                let held = &open(&mut work.orders, read, id)?.new;
                let leaves = self.leaves(held);
                if !leaves && held.header.is_some() {
                    return Ok(());
                }
                let past = open(&mut work.pasts, read, Past::holder(order))?;
                // Lines that came before their sealed order go with it.
                if leaves {
                    past.new.insert(order);
                } else if !past.new.contains(order) {
                    return Ok(());
                }
                past.touched = true;
                let gone = std::mem::take(&mut open(&mut work.orders, read, id)?.new);
                for line in gone.lines.keys() {
                    open(&mut work.lines, read, StateId::Line(*line))?.new = None;
                }
            }
            StateId::Behaviour(_) => self.drop_past(&mut work.behaviour, id, read)?,
            StateId::Movement(_) => self.drop_past(&mut work.movements, id, read)?,
            StateId::Contact(_) => self.drop_past(&mut work.contacts, id, read)?,
            StateId::Shipment(_) => self.drop_past(&mut work.shipments, id, read)?,
            StateId::Shopper(_) => {
                if let Some(since) = self.keep.sales {
                    open(&mut work.shoppers, read, id)?.new.forget_before(since);
                }
            }
            StateId::Timelines(_) => {
                let timelines = &mut open(&mut work.timelines, read, id)?.new;
                timelines.retain(|key| !self.keep.is_past(Some(key.start)));
            }
            _ => {}
        }
        Ok(())
    }

    fn drop_past<T>(
        &self,
        slots: &mut Rows<T>,
        id: StateId,
        read: &BTreeMap<StateId, Stored>,
    ) -> Result<(), BrokenState>
    where
        T: Dated + Clone + serde::de::DeserializeOwned,
    {
        let slot = open(slots, read, id)?;
        let is_past = |kept: &Kept<T>| {
            kept.row
                .as_ref()
                .is_some_and(|row| self.keep.is_past(row.moment()))
        };
        if slot.new.as_ref().is_some_and(is_past) {
            slot.new = None;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use chrono::{Days, NaiveDate};

    use super::super::shopper::{Sale, Shopper};
    use super::*;
    use crate::contribution::{Calendar, Cell, of_shopper};

    fn window() -> Window {
        Window {
            now: "2026-08-30T12:00:00Z".parse().unwrap(),
            boundary: Some("2026-08-20".parse().unwrap()),
        }
    }

    fn meaning() -> Meaning {
        Meaning {
            zone: "UTC".into(),
            ..Meaning::default()
        }
    }

    /// What is left of a state.
    fn left<T: serde::Serialize + serde::de::DeserializeOwned + Default>(id: StateId, state: &T) -> T {
        let read = BTreeMap::from([(id, Stored::of(state))]);
        let Progress::Done(done) = Leave::new(&[id], window(), &meaning()).go_on(&read).unwrap() else {
            panic!("nothing else is needed");
        };
        let written = done.writes.states.first();
        let stored = written.map_or_else(|| read[&id].clone(), |write| write.new.clone());
        stored.read(id).unwrap().unwrap_or_default()
    }

    /// The live totals of a contribution.
    fn live(contribution: impl FnOnce(&mut dyn FnMut(Cell, i64))) -> BTreeMap<Cell, i64> {
        let mut cells: BTreeMap<Cell, i64> = BTreeMap::new();
        contribution(&mut |cell, value| {
            if let Some(cell) = window().booked(cell, Calendar::new(chrono_tz::UTC)) {
                *cells.entry(cell).or_default() += value;
            }
        });
        cells.retain(|_, value| *value != 0);
        cells
    }

    fn of_all(shopper: &Shopper, add: &mut dyn FnMut(Cell, i64)) {
        for (scope, days) in shopper.scopes() {
            of_shopper(scope, &days, add);
        }
    }

    fn below(seed: &mut u64, most: u64) -> u64 {
        *seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (*seed >> 33) % most
    }

    /// Whatever leaves of a buyer's days, and whatever they buy on live days afterwards: every live total is the same.
    #[test]
    fn no_live_total_misses_the_days_a_buyer_forgets() {
        let mut seed = 7;
        let mut forgotten = 0;
        let first: NaiveDate = "2026-06-25".parse().unwrap();
        for _ in 0..3000 {
            let mut whole = Shopper::default();
            let mut sale = |shopper: &mut Shopper, from: u64, days: u64| {
                let day = first + Days::new(from + below(&mut seed, days));
                let store = 1 + below(&mut seed, 2) as i64;
                let sale = Sale { buyer: 1, store, day };
                shopper.add(sale);
                sale
            };
            for _ in 0..5 {
                sale(&mut whole, 0, 70);
            }
            let mut short = left(StateId::Shopper(1), &whole);
            forgotten += usize::from(short != whole);
            // The boundary is 56 days after the first.
            let later = sale(&mut whole, 56, 10);
            short.add(later);
            assert_eq!(
                live(|add| of_all(&short, add)),
                live(|add| of_all(&whole, add)),
                "{whole:?}"
            );
        }
        assert!(forgotten > 1000, "{forgotten} forgot something");
    }
}
