//! The records of a batch, applied to the states of their rows.

mod orders;
mod row;
mod tombstones;

use std::collections::{BTreeMap, HashSet};

use chrono::{DateTime, Utc};

use self::row::{Gate, dated, row};
use super::rows::{Behaviour, Contact, Known, Membership, Merchant, Movement, Parcel, Product, Shelf};
use super::state::{BrokenState, StateId, Stored};
use super::tape;
use super::window::Keep;
use super::work::{Work, open};
use crate::batch::{Batch, Tally};
use crate::change::{Change, Op, Record, Row};
use crate::config::Meaning;
use crate::contribution::Cell;
use crate::order::Kept;
use crate::position::{Position, Verdict};
use crate::view::TapeEntry;

/// A state to be replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateWrite {
    /// Which state.
    pub id: StateId,
    /// Digest of the stored state the changes of the totals were computed from; empty = there was none. Any other
    /// digest at the time of writing is a conflict.
    pub expected: String,
    /// The new state; empty = remove it.
    pub new: Stored,
}

/// Everything a batch writes, to be applied whole or not at all.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Writes {
    /// States to be replaced, each at most once.
    pub states: Vec<StateWrite>,
    /// Changes of totals; none is zero, none belongs to a bucket past its life.
    pub deltas: BTreeMap<Cell, i64>,
    /// Category of each product of the batch, as it is now. What the product has gathered so far is moved before the
    /// deltas are booked.
    pub categories: Vec<(i64, String)>,
    /// New entries of the tape, oldest first.
    pub tape: Vec<TapeEntry>,
    /// Newest commit time at a source in the batch.
    pub as_of: Option<DateTime<Utc>>,
    /// Changes of rows of sealed days, which the totals of those days do not show before they are written again.
    pub late: u64,
}

/// Result of a [`Run`].
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Step {
    /// What to write.
    pub writes: Writes,
    /// What became of the records.
    pub tally: Tally,
}

/// What became of a change.
enum Fate {
    Applied,
    Unchanged,
    Older,
    /// Of a sealed day.
    Late,
}

/// The records of a batch while they are applied, one after the other.
pub(super) struct Records<'a> {
    pub(super) read: &'a BTreeMap<StateId, Stored>,
    pub(super) meaning: &'a Meaning,
    pub(super) work: Work,
    pub(super) tape: Vec<TapeEntry>,
    gate: Gate,
    /// Rows whose last record in this batch was a delete that was dropped as a replay.
    dropped_deletes: HashSet<StateId>,
}

impl<'a> Records<'a> {
    pub(super) fn new(read: &'a BTreeMap<StateId, Stored>, meaning: &'a Meaning, keep: Keep) -> Self {
        Self {
            read,
            meaning,
            work: Work::default(),
            tape: Vec::new(),
            gate: Gate { keep, crossings: 0 },
            dropped_deletes: HashSet::new(),
        }
    }

    /// Changes that sealed days do not show although they changed a state.
    pub(super) const fn crossings(&self) -> u64 {
        self.gate.crossings
    }

    /// Applies all records; gives what became of them and the newest commit time.
    pub(super) fn apply(&mut self, batch: &Batch) -> Result<(Tally, Option<DateTime<Utc>>), BrokenState> {
        let mut tally = Tally::default();
        let mut as_of: Option<DateTime<Utc>> = None;
        for record in &batch.records {
            let counter = match &record.content {
                Err(_) => &mut tally.rejected,
                Ok(Record::Change(change)) => {
                    if !change.repair {
                        as_of = as_of.max(Some(change.committed_at));
                    }
                    match self.change(change)? {
                        Fate::Applied => &mut tally.applied,
                        Fate::Unchanged => &mut tally.unchanged,
                        Fate::Older => &mut tally.older,
                        Fate::Late => &mut tally.late,
                    }
                }
                Ok(Record::Tombstone {
                    table: Some(table),
                    key: Some(key),
                }) if self.tombstone(*table, *key)? => &mut tally.applied,
                Ok(Record::Heartbeat { at, .. }) => {
                    as_of = as_of.max(Some(*at));
                    &mut tally.not_a_row
                }
                Ok(Record::Tombstone { .. } | Record::NotARow(_)) => &mut tally.not_a_row,
            };
            *counter += 1;
        }
        Ok((tally, as_of))
    }

    fn change(&mut self, change: &Change) -> Result<Fate, BrokenState> {
        let id = StateId::of(change.table, change.key);
        let image = change.after.as_ref().filter(|_| change.op != Op::Delete);
        let fate = match id {
            StateId::Order(_) => self.order(id, change, image)?,
            StateId::Line(line) => self.line(line, change, image)?,
            StateId::Product(_) => self.product(id, change, image)?,
            StateId::Behaviour(_) => {
                let of = |old: Option<&Behaviour>| image.map(|image| Behaviour::of(image, old));
                let slots = &mut self.work.behaviour;
                dated(slots, self.read, id, change, &mut self.gate, of)?.fate
            }
            StateId::Stock(_) => {
                let slots = &mut self.work.stock;
                let done = row(slots, self.read, id, change, |_| image.map(Shelf::of))?;
                if done.is_news(change) {
                    self.tape.extend(tape::stock(change, done.old.as_ref(), done.new));
                }
                done.fate
            }
            StateId::Shipment(_) => {
                let of = |old: Option<&Parcel>| image.map(|image| Parcel::of(change, image, old));
                let slots = &mut self.work.shipments;
                let done = dated(slots, self.read, id, change, &mut self.gate, of)?;
                if done.is_news(change) {
                    self.tape
                        .extend(tape::shipment(change, done.old.as_ref(), done.new));
                }
                done.fate
            }
            StateId::Store(_) => {
                let of = |old: Option<&Merchant>| {
                    Some(image.map_or_else(
                        || Merchant::gone(old),
                        |image| Merchant::of(change, image, old, self.meaning),
                    ))
                };
                row(&mut self.work.stores, self.read, id, change, of)?.fate
            }
            StateId::Buyer(_) | StateId::Carrier(_) | StateId::Segment(_) => {
                let slots = self.work.known(id);
                row(slots, self.read, id, change, |old| {
                    image.map(|_| Known::of(change, old))
                })?
                .fate
            }
            StateId::Movement(_) => {
                let slots = &mut self.work.movements;
                let of = |_: Option<&Movement>| image.map(Movement::of);
                dated(slots, self.read, id, change, &mut self.gate, of)?.fate
            }
            StateId::Contact(_) => {
                let slots = &mut self.work.contacts;
                let of = |_: Option<&Contact>| image.map(Contact::of);
                dated(slots, self.read, id, change, &mut self.gate, of)?.fate
            }
            StateId::Member(_) => {
                let slots = &mut self.work.members;
                row(slots, self.read, id, change, |_| image.map(Membership::of))?.fate
            }
            // Gathered from others; no row is stored as one.
            StateId::Shopper(_) | StateId::Tender(_) | StateId::Timelines(_) | StateId::Past(_) => {
                Fate::Unchanged
            }
        };
        if image.is_none() && matches!(fate, Fate::Older) {
            self.dropped_deletes.insert(id);
        } else {
            self.dropped_deletes.remove(&id);
        }
        Ok(fate)
    }

    fn product(&mut self, id: StateId, change: &Change, image: Option<&Row>) -> Result<Fate, BrokenState> {
        let slot = open(&mut self.work.products, self.read, id)?;
        let stored = slot.new.product.as_ref();
        if Position::judge(stored.map(|kept| kept.position), change.position) == Verdict::Older {
            return Ok(Fate::Older);
        }
        let old = slot.new.row().cloned();
        let new = image.map_or_else(
            || Product::gone(old.as_ref()),
            |image| Product::of(image, old.as_ref()),
        );
        let fate = if old.as_ref() == Some(&new) {
            Fate::Unchanged
        } else {
            Fate::Applied
        };
        slot.new.product = Some(Kept {
            position: change.position,
            row: Some(new),
        });
        Ok(fate)
    }
}
