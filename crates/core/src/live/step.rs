//! The records of a batch, applied to the states of their rows.

use std::collections::{BTreeMap, HashSet};

use chrono::{DateTime, Utc};

use super::past::Past;
use super::rows::{Behaviour, Contact, Known, Membership, Merchant, Movement, Parcel, Product, Shelf};
use super::state::{BrokenState, StateId, Stored};
use super::tape::{self, is_news};
use super::window::Keep;
use super::work::{Slots, Work, open};
use crate::batch::{Batch, Tally};
use crate::change::{Change, Op, Record, Row};
use crate::config::{Meaning, OrderClass};
use crate::contribution::Cell;
use crate::order::{Header, Holder, Kept, Line};
use crate::position::{Position, Verdict};
use crate::table::Table;
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
    keep: Keep,
    /// Changes that moved a row from a live day to a sealed one, or back: the sealed day does not show them.
    pub(super) crossings: u64,
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
            keep,
            crossings: 0,
            dropped_deletes: HashSet::new(),
        }
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
                dated(
                    slots,
                    self.read,
                    id,
                    change,
                    (self.keep, &mut self.crossings),
                    |row| row.at,
                    of,
                )?
                .fate
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
                let done = dated(
                    slots,
                    self.read,
                    id,
                    change,
                    (self.keep, &mut self.crossings),
                    |row| row.due_at,
                    of,
                )?;
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
                dated(
                    slots,
                    self.read,
                    id,
                    change,
                    (self.keep, &mut self.crossings),
                    |row| row.at,
                    of,
                )?
                .fate
            }
            StateId::Contact(_) => {
                let slots = &mut self.work.contacts;
                let of = |_: Option<&Contact>| image.map(Contact::of);
                dated(
                    slots,
                    self.read,
                    id,
                    change,
                    (self.keep, &mut self.crossings),
                    |row| row.at,
                    of,
                )?
                .fate
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

    fn order(&mut self, id: StateId, change: &Change, image: Option<&Row>) -> Result<Fate, BrokenState> {
        if self.is_past(change.key, image)? {
            return Ok(Fate::Late);
        }
        let slot = open(&mut self.work.orders, self.read, id)?;
        let stored = slot.new.header.as_ref();
        if Position::judge(stored.map(|kept| kept.position), change.position) == Verdict::Older {
            return Ok(Fate::Older);
        }
        let old = slot.new.live_header().cloned();
        let new = image.map(|row| {
            let mut new = Header::of(row, self.meaning);
            let was = old.as_ref();
            new.reversed_at = was.and_then(|old| old.reversed_at).or_else(|| {
                // Seen as it happened, or an order of unknown history: that one counts on its own day.
                let is_seen = !change.snapshot && change.op != Op::Read;
                let turned = new.class == OrderClass::Reversed
                    && was.is_none_or(|old| old.class != OrderClass::Reversed);
                (is_seen && turned).then(|| change.committed_at.timestamp_micros())
            });
            new
        });
        let is_late = |header: &Header| self.keep.is_past(header.at);
        let headers = || [&old, &new].into_iter().flatten();
        let fate = if old == new {
            Fate::Unchanged
        } else if headers().all(is_late) {
            Fate::Late
        } else {
            self.crossings += u64::from(headers().any(is_late));
            Fate::Applied
        };
        if matches!(fate, Fate::Applied) && is_news(change) {
            self.tape.extend(
                new.as_ref()
                    .or(old.as_ref())
                    .map(|header| tape::order(change, header)),
            );
        }
        slot.new.header = Some(Kept {
            position: change.position,
            row: new,
        });
        Ok(fate)
    }

    /// True for a change of an order that has left. The header of an order of a sealed day that has not left is kept like any
    /// other, so that its buyer remembers the right days, until all states of sealed days leave; the lines that came before
    /// it go at once.
    ///
    /// An order that comes back from a sealed day is kept again, without the lines that have left: its money is right, its
    /// products are not, and `verify` shows it.
    fn is_past(&mut self, order: i64, image: Option<&Row>) -> Result<bool, BrokenState> {
        let Records {
            work,
            read,
            keep,
            crossings,
            ..
        } = self;
        let slot = open(&mut work.orders, read, StateId::Order(order))?;
        if !keep.is_sealing() || slot.new.header.is_some() {
            return Ok(false);
        }
        let past = open(&mut work.pasts, read, Past::holder(order))?;
        past.touched = true;
        let at = image.map(|row| row.micros(Table::Transaction, "transaction_date"));
        let Some(at) = at else {
            return Ok(past.new.contains(order));
        };
        if !keep.is_past(at) {
            *crossings += u64::from(past.new.contains(order));
            past.new.remove(order);
            return Ok(false);
        }
        for line in std::mem::take(&mut slot.new.lines).into_keys() {
            open(&mut work.lines, read, StateId::Line(line))?.new = None;
        }
        Ok(past.new.contains(order))
    }

    /// True for an order whose lines are not kept: it has left, or will.
    fn is_leaving(&mut self, order: i64) -> Result<bool, BrokenState> {
        let Records { work, read, keep, .. } = self;
        if !keep.is_sealing() {
            return Ok(false);
        }
        let held = &open(&mut work.orders, read, StateId::Order(order))?.new;
        if let Some(header) = held.live_header() {
            return Ok(keep.is_past(header.at));
        }
        let past = open(&mut work.pasts, read, Past::holder(order))?;
        past.touched = true;
        Ok(past.new.contains(order))
    }

    fn line(&mut self, line: i64, change: &Change, image: Option<&Row>) -> Result<Fate, BrokenState> {
        let id = StateId::Line(line);
        let slot = open(&mut self.work.lines, self.read, id)?;
        let stored = slot.new.as_ref().map(|kept| kept.position);
        if Position::judge(stored, change.position) == Verdict::Older {
            return Ok(Fate::Older);
        }
        let is_known = slot.new.is_some();
        let new = image.map(|row| Holder {
            order: row.int(Table::TransactionDetail, "transaction_id"),
        });
        let content = image.map(Line::of);
        let left = match new.and_then(|holder| holder.order) {
            Some(order) => self.is_leaving(order)?,
            // A deleted line that nobody knows is one of an order that has left.
            None => image.is_none() && self.keep.is_sealing() && !is_known,
        };
        if !left {
            return self.place(line, change.position, new, content);
        }
        if is_known {
            self.place(line, change.position, None, None)?;
        }
        open(&mut self.work.lines, self.read, id)?.new = None;
        Ok(Fate::Late)
    }

    /// Takes a line out of the order that holds it and puts it into the one it names now.
    fn place(
        &mut self,
        line: i64,
        position: Position,
        holder: Option<Holder>,
        content: Option<Line>,
    ) -> Result<Fate, BrokenState> {
        let slot = open(&mut self.work.lines, self.read, StateId::Line(line))?;
        let old = slot.new.as_ref().and_then(|kept| kept.row);
        slot.new = Some(Kept {
            position,
            row: holder,
        });
        let mut removed = None;
        if let Some(order) = old.and_then(|holder| holder.order) {
            let from = open(&mut self.work.orders, self.read, StateId::Order(order))?;
            removed = from.new.lines.remove(&line);
            if removed.is_none() {
                return Err(BrokenState::LostLine { line, order });
            }
        }
        let mut placed = None;
        if let (Some(order), Some(content)) = (holder.and_then(|holder| holder.order), content) {
            let into = open(&mut self.work.orders, self.read, StateId::Order(order))?;
            into.new.lines.insert(line, content);
            placed = Some(content);
        }
        Ok(if old == holder && removed == placed {
            Fate::Unchanged
        } else {
            Fate::Applied
        })
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

    /// A null value. Pitfall 2: it deletes when the delete record before it is gone (compaction keeps only the null),
    /// and means nothing after one. Kafka order decides, since a tombstone has no position of its own: the row is kept
    /// as deleted at LSN 0, so that the next change of the key applies whatever its LSN. After a replayed delete and
    /// its tombstone that next change is the replayed insert that follows them. A tombstone right behind a delete that
    /// was dropped as a replay is dropped with it, which spares the totals that step back.
    ///
    /// Returns true when it deleted something.
    fn tombstone(&mut self, table: Table, key: i64) -> Result<bool, BrokenState> {
        let id = StateId::of(table, key);
        if self.dropped_deletes.remove(&id) {
            return Ok(false);
        }
        let (work, read) = (&mut self.work, self.read);
        Ok(match id {
            StateId::Order(_) => bury(&mut open(&mut work.orders, read, id)?.new.header),
            StateId::Line(line) => {
                let slot = open(&mut work.lines, read, id)?;
                match &slot.new {
                    Some(Kept {
                        position,
                        row: Some(_),
                    }) => {
                        let position = Position::snapshot(position.generation);
                        self.place(line, position, None, None)?;
                        true
                    }
                    _ => false,
                }
            }
            StateId::Product(_) => {
                let slot = open(&mut work.products, read, id)?;
                let Some(kept) = slot.new.product.as_mut() else {
                    return Ok(false);
                };
                let product = kept.row.as_ref().filter(|product| !product.deleted);
                let Some(gone) = product.map(|product| Product::gone(Some(product))) else {
                    return Ok(false);
                };
                kept.position = Position::snapshot(kept.position.generation);
                kept.row = Some(gone);
                true
            }
            StateId::Behaviour(_) => bury(&mut open(&mut work.behaviour, read, id)?.new),
            StateId::Stock(_) => bury(&mut open(&mut work.stock, read, id)?.new),
            StateId::Shipment(_) => bury(&mut open(&mut work.shipments, read, id)?.new),
            StateId::Store(_) => {
                let slot = open(&mut work.stores, read, id)?;
                let Some(kept) = slot.new.as_mut() else {
                    return Ok(false);
                };
                let store = kept.row.as_ref().filter(|store| !store.deleted);
                let Some(gone) = store.map(|store| Merchant::gone(Some(store))) else {
                    return Ok(false);
                };
                kept.position = Position::snapshot(kept.position.generation);
                kept.row = Some(gone);
                true
            }
            StateId::Buyer(_) | StateId::Carrier(_) | StateId::Segment(_) => {
                bury(&mut open(work.known(id), read, id)?.new)
            }
            StateId::Movement(_) => bury(&mut open(&mut work.movements, read, id)?.new),
            StateId::Contact(_) => bury(&mut open(&mut work.contacts, read, id)?.new),
            StateId::Member(_) => bury(&mut open(&mut work.members, read, id)?.new),
            StateId::Shopper(_) | StateId::Tender(_) | StateId::Timelines(_) | StateId::Past(_) => false,
        })
    }
}

/// Deletes a row by tombstone. True when there was a live one.
fn bury<T>(kept: &mut Option<Kept<T>>) -> bool {
    let Some(kept) = kept.as_mut().filter(|kept| kept.row.is_some()) else {
        return false;
    };
    *kept = Kept {
        position: Position::snapshot(kept.position.generation),
        row: None,
    };
    true
}

/// What a change did to a state that holds one row.
struct Done<'a, T> {
    fate: Fate,
    old: Option<T>,
    new: Option<&'a T>,
}

impl<T> Done<'_, T> {
    /// True when the tape should say so.
    fn is_news(&self, change: &Change) -> bool {
        matches!(self.fate, Fate::Applied) && is_news(change)
    }
}

/// Applies a change to a state that holds one row of a moment, `at`. A row of a sealed day is kept out; one that was kept
/// stays until it leaves.
fn dated<'a, T>(
    slots: &'a mut Slots<Option<Kept<T>>>,
    read: &BTreeMap<StateId, Stored>,
    id: StateId,
    change: &Change,
    (keep, crossings): (Keep, &mut u64),
    at: impl Fn(&T) -> Option<i64>,
    image: impl Fn(Option<&T>) -> Option<T>,
) -> Result<Done<'a, T>, BrokenState>
where
    T: Clone + PartialEq + serde::Serialize + serde::de::DeserializeOwned,
{
    if keep.is_sealing() && open(slots, read, id)?.new.is_none() {
        // What is deleted without being known is of a sealed day too.
        let is_late = image(None).is_none_or(|row| keep.is_past(at(&row)));
        if is_late {
            return Ok(Done {
                fate: Fate::Late,
                old: None,
                new: None,
            });
        }
    }
    let done = row(slots, read, id, change, image)?;
    let is_past = |row: &T| keep.is_past(at(row));
    if matches!(done.fate, Fate::Applied) && done.old.iter().chain(done.new).any(is_past) {
        *crossings += 1;
    }
    Ok(done)
}

/// Applies a change to a state that holds one row. `image` makes the new row, given the stored one.
fn row<'a, T>(
    slots: &'a mut Slots<Option<Kept<T>>>,
    read: &BTreeMap<StateId, Stored>,
    id: StateId,
    change: &Change,
    image: impl FnOnce(Option<&T>) -> Option<T>,
) -> Result<Done<'a, T>, BrokenState>
where
    T: Clone + PartialEq + serde::Serialize + serde::de::DeserializeOwned,
{
    let slot = open(slots, read, id)?;
    let stored = slot.new.as_ref().map(|kept| kept.position);
    if Position::judge(stored, change.position) == Verdict::Older {
        return Ok(Done {
            fate: Fate::Older,
            old: None,
            new: None,
        });
    }
    let old = slot.new.take().and_then(|kept| kept.row);
    let new = image(old.as_ref());
    let fate = if old == new {
        Fate::Unchanged
    } else {
        Fate::Applied
    };
    let kept = slot.new.insert(Kept {
        position: change.position,
        row: new,
    });
    Ok(Done {
        fate,
        old,
        new: kept.row.as_ref(),
    })
}
