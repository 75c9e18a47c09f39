//! Visits that go on from one stretch of a timeline to the next.
//!
//! What a stretch contributes is known from its state alone, since two things are kept in it: the visit that is carried over
//! from the stretch before, and whether its last visit goes on in the next. A batch that changes stops settles both with
//! the neighbours, each compared and replaced in the same commit. Only what lies no more than a session gap from an end of
//! a stretch concerns a neighbour; a change in a visit that lasts over many stretches goes on through all of them that
//! follow.

use std::collections::{BTreeMap, BTreeSet};

use super::state::{BrokenState, StateId, Stored};
use super::timeline::{Cut, Entry, Stretch, StretchKey, Timelines};
use super::window::Keep;
use super::work::{Slot, Slots, open};

/// The stretches that a batch changes, and where in them.
#[derive(Debug)]
pub(super) struct Chain {
    changed: BTreeMap<StretchKey, Change>,
    cut: Cut,
}

/// Where a stretch changes.
#[derive(Debug, Clone, Copy, Default)]
struct Change {
    /// Stops of its own do, not only what is carried over into it.
    of_stops: bool,
    /// Near its begin.
    near_start: bool,
    /// So that what it carries over may change.
    near_end: bool,
}

impl Chain {
    /// Of the stops that are taken out and put in.
    pub(super) fn of<'a>(entries: impl Iterator<Item = &'a Entry>, cut: Cut) -> Self {
        let mut changed: BTreeMap<StretchKey, Change> = BTreeMap::new();
        for entry in entries {
            let change = changed.entry(entry.key.clone()).or_default();
            change.of_stops = true;
            change.near_start |= cut.is_near_start(entry.stop.at);
            change.near_end |= cut.is_near_end(entry.stop.at);
        }
        Self { changed, cut }
    }

    /// The states that [`Chain::settle`] needs, as far as those read so far tell.
    pub(super) fn wanted(
        &self,
        read: &BTreeMap<StateId, Stored>,
        keep: Keep,
    ) -> Result<BTreeSet<StateId>, BrokenState> {
        let cut = self.cut;
        let mut ids = BTreeSet::new();
        for (key, change) in &self.changed {
            ids.insert(key.holder());
            let before = key.before(cut);
            if change.near_start && !keep.is_past(Some(before.start)) {
                ids.insert(before.holder());
            }
            if !change.near_end && !is_stored(read, key, |stretch| stretch.goes_on)? {
                continue;
            }
            // Each stretch that a visit goes through leads to the next. As many again are read as were followed, so that an
            // endless visit takes few steps.
            let mut next = key.after(cut);
            let mut followed = 0;
            while is_stored(read, &next, |stretch| stretch.is_passed_through(cut.gap))? {
                ids.insert(next.holder());
                followed += 1;
                next = next.after(cut);
            }
            for _ in 0..=followed {
                ids.insert(next.holder());
                next = next.after(cut);
            }
        }
        Ok(ids)
    }

    /// Carries the visits over, after the stops were taken out and put in.
    pub(super) fn settle(
        mut self,
        slots: &mut Slots<Timelines>,
        read: &BTreeMap<StateId, Stored>,
        keep: Keep,
    ) -> Result<(), BrokenState> {
        let cut = self.cut;
        let mut stretches = Stretches {
            slots,
            read,
            keep,
            cut,
        };
        while let Some((key, change)) = self.changed.pop_first() {
            if change.near_start {
                stretches.link(&key.before(cut), &key)?;
            }
            let went_on = |held: &Timelines| held.get(&key).is_some_and(|stretch| stretch.goes_on);
            if change.near_end || change.of_stops && went_on(&stretches.open(&key)?.old) {
                let next = key.after(cut);
                if stretches.link(&key, &next)? {
                    let held = stretches.open(&next)?.new.get(&next);
                    let through = held.is_some_and(|stretch| stretch.is_passed_through(cut.gap));
                    self.changed.entry(next).or_default().near_end |= through;
                }
            }
        }
        Ok(())
    }
}

/// True for a stretch that was read and is such.
fn is_stored(
    read: &BTreeMap<StateId, Stored>,
    key: &StretchKey,
    is_such: impl Fn(&Stretch) -> bool,
) -> Result<bool, BrokenState> {
    let id = key.holder();
    let held: Option<Timelines> = read.get(&id).map_or(Ok(None), |stored| stored.read(id))?;
    Ok(held.is_some_and(|held| held.get(key).is_some_and(is_such)))
}

/// The stretches of a batch while visits are carried over between them.
struct Stretches<'a> {
    slots: &'a mut Slots<Timelines>,
    read: &'a BTreeMap<StateId, Stored>,
    keep: Keep,
    cut: Cut,
}

impl Stretches<'_> {
    /// Opens the state of a stretch. It is compared when the batch is written, whether it changes or not.
    fn open(&mut self, key: &StretchKey) -> Result<&mut Slot<Timelines>, BrokenState> {
        let slot = open(self.slots, self.read, key.holder())?;
        slot.touched = true;
        Ok(slot)
    }

    /// Carries the last visit of a stretch over to the one after it, if it goes on there. True when that is news.
    ///
    /// A stretch of sealed days may have left, and what it carried over stays as it was: such a visit began on a sealed day
    /// in any case, and so does one that begins in the reach of that stretch.
    fn link(&mut self, earlier: &StretchKey, later: &StretchKey) -> Result<bool, BrokenState> {
        let gap = self.cut.gap;
        let has_left = self.keep.is_past(Some(earlier.start));
        let last = if has_left {
            self.open(later)?
                .new
                .get(later)
                .and_then(|stretch| stretch.carried)
        } else {
            let stretch = self.open(earlier)?.new.get(earlier);
            stretch.and_then(|stretch| stretch.visits(gap).last())
        };
        let (mut goes_on, mut is_news) = (false, false);
        if let Some(stretch) = self.open(later)?.new.get_mut(later) {
            let first = stretch.stops.first().map_or(i64::MAX, |stop| stop.at);
            let carried = last.filter(|visit| visit.reaches(first, gap));
            goes_on = carried.is_some();
            is_news = stretch.carried != carried;
            stretch.carried = carried;
        }
        if !has_left && let Some(stretch) = self.open(earlier)?.new.get_mut(earlier) {
            stretch.goes_on = goes_on;
        }
        Ok(is_news)
    }
}
