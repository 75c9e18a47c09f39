//! One batch from the states it needs to what it writes.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use super::deltas::deltas;
use super::gather::Moves;
use super::past::Past;
use super::state::{BrokenState, StateId, Stored};
use super::step::{Records, Step, Writes};
use super::tender;
use super::window::{Keep, Window};
use super::work::{Work, open};
use crate::batch::{Batch, Tally};
use crate::change::Record;
use crate::config::Meaning;
use crate::contribution::{Calendar, Cell};
use crate::order::{Holder, Kept, Order};
use crate::table::Table;
use crate::view::TapeEntry;

/// What a [`Run`] needs next.
#[derive(Debug, PartialEq)]
pub enum Progress {
    /// These states, to be added to those read before.
    Read(Vec<StateId>),
    /// Nothing more.
    Done(Box<Step>),
}

/// A batch on its way through the pure flow.
///
/// Pure: the same batch, states and arguments give the same result. The window only discards corrections of buckets past
/// their life, and keeps rows of sealed days out. The caller asks [`Run::go_on`] again with every state it was told to read, until it is done: first the rows the
/// records name, then the orders that hold their lines, then the states that gather parts of the changed rows.
#[derive(Debug)]
pub struct Run<'a> {
    batch: &'a Batch,
    window: Window,
    keep: Keep,
    meaning: &'a Meaning,
    /// Orders to be computed again although no record names them.
    orders: &'a [i64],
    applied: Option<Applied>,
}

/// The records are applied; what they move between gathered states is known.
#[derive(Debug)]
struct Applied {
    work: Work,
    moves: Moves,
    tally: Tally,
    crossings: u64,
    as_of: Option<DateTime<Utc>>,
    tape: Vec<TapeEntry>,
}

impl<'a> Run<'a> {
    /// Begins a batch.
    pub fn new(batch: &'a Batch, window: Window, meaning: &'a Meaning) -> Self {
        Self {
            batch,
            window,
            keep: window.keep(meaning),
            meaning,
            orders: &[],
            applied: None,
        }
    }

    /// Computes orders again although nothing of them changed: the currency of a product of theirs did.
    pub fn again(batch: &'a Batch, orders: &'a [i64], window: Window, meaning: &'a Meaning) -> Self {
        Self {
            orders,
            ..Self::new(batch, window, meaning)
        }
    }

    /// Goes as far as the states that were read allow.
    pub fn go_on(&mut self, read: &BTreeMap<StateId, Stored>) -> Result<Progress, BrokenState> {
        let missing = |ids: BTreeSet<StateId>| -> Vec<StateId> {
            ids.into_iter().filter(|id| !read.contains_key(id)).collect()
        };
        if self.applied.is_none() {
            let mut ids = wanted(self.batch, read, self.keep)?;
            ids.extend(self.orders.iter().map(|id| StateId::Order(*id)));
            let ids = missing(ids);
            if !ids.is_empty() {
                return Ok(Progress::Read(ids));
            }
            let mut records = Records::new(read, self.meaning, self.keep);
            let (tally, as_of) = records.apply(self.batch)?;
            for id in self.orders {
                open(&mut records.work.orders, read, StateId::Order(*id))?.touched = true;
            }
            let crossings = records.crossings();
            let (work, tape) = (records.work, records.tape);
            self.applied = Some(Applied {
                moves: Moves::of(&work, self.meaning, self.keep),
                work,
                tally,
                crossings,
                as_of,
                tape,
            });
        }
        let mut holders = BTreeSet::new();
        if let Some(applied) = &self.applied {
            holders = applied.moves.wanted(read, self.keep)?;
            holders.extend(tender::wanted(&applied.work));
        }
        let ids = missing(holders);
        if !ids.is_empty() {
            return Ok(Progress::Read(ids));
        }
        let Some(Applied {
            mut work,
            moves,
            tally,
            crossings,
            as_of,
            tape,
        }) = self.applied.take()
        else {
            return Ok(Progress::Done(Box::default()));
        };
        moves.carry_out(&mut work, read, self.keep)?;
        let again = tender::of_products(&mut work, read, self.meaning)?;
        let calendar = Calendar::new(self.meaning.tz());
        tender::of_orders(&mut work, read, calendar, self.meaning)?;
        let mut deltas = deltas(&work, self.window, self.meaning);
        let mut repriced = 0;
        for product in again {
            repriced += u64::from(self.keep.is_sealing());
            deltas.insert(Cell::Repricing { product }, 1);
        }
        let writes = Writes {
            states: work.writes(),
            deltas,
            categories: categories(&work),
            tape,
            as_of,
            // Orders of sealed days are converted again by the warehouse alone.
            late: tally.late + crossings + repriced,
        };
        Ok(Progress::Done(Box::new(Step { writes, tally })))
    }
}

/// The states of the rows that the records name, and of the orders that hold their lines, as far as they are known; where
/// days are sealed, also which of the orders have left.
fn wanted(
    batch: &Batch,
    read: &BTreeMap<StateId, Stored>,
    keep: Keep,
) -> Result<BTreeSet<StateId>, BrokenState> {
    let mut ids = BTreeSet::new();
    for record in &batch.records {
        match &record.content {
            Ok(Record::Change(change)) => {
                ids.insert(StateId::of(change.table, change.key));
                if change.table == Table::TransactionDetail {
                    let order = change
                        .after
                        .as_ref()
                        .and_then(|row| row.int(Table::TransactionDetail, "transaction_id"));
                    ids.extend(order.map(StateId::Order));
                }
            }
            Ok(Record::Tombstone {
                table: Some(table),
                key: Some(key),
            }) => {
                ids.insert(StateId::of(*table, *key));
            }
            _ => {}
        }
    }
    if keep.is_sealing() {
        let orders = ids.iter().filter_map(|id| match id {
            StateId::Order(order) => Some(*order),
            _ => None,
        });
        let pasts: BTreeSet<StateId> = orders.map(Past::holder).collect();
        ids.extend(pasts);
        ids.extend(lines_of_late_orders(batch, read, keep)?);
    }
    // Order lines need a second, short read only where the stored entry of a line points to an order that no record named.
    let mut holders = Vec::new();
    for id in &ids {
        if let (StateId::Line(_), Some(stored)) = (id, read.get(id)) {
            let entry: Option<Kept<Holder>> = stored.read(*id)?;
            let order = entry.and_then(|entry| entry.row).and_then(|holder| holder.order);
            holders.extend(order.map(StateId::Order));
        }
    }
    ids.extend(holders);
    Ok(ids)
}

/// Entries of lines that came before the header of their order, which turns out to be of a sealed day: they leave with it.
fn lines_of_late_orders(
    batch: &Batch,
    read: &BTreeMap<StateId, Stored>,
    keep: Keep,
) -> Result<Vec<StateId>, BrokenState> {
    let mut lines = Vec::new();
    for record in &batch.records {
        let Ok(Record::Change(change)) = &record.content else {
            continue;
        };
        let id = StateId::of(change.table, change.key);
        let (StateId::Order(_), Some(stored), Some(row)) = (id, read.get(&id), &change.after) else {
            continue;
        };
        if keep.is_past(row.micros(Table::Transaction, "transaction_date")) {
            let order: Option<Order> = stored.read(id)?;
            let waiting = order.filter(|order| order.header.is_none());
            lines.extend(
                waiting
                    .into_iter()
                    .flat_map(|order| order.lines.into_keys().map(StateId::Line)),
            );
        }
    }
    Ok(lines)
}

fn categories(work: &Work) -> Vec<(i64, String)> {
    let changed = work
        .products
        .iter()
        .filter(|(_, slot)| slot.old.row() != slot.new.row());
    changed
        .filter_map(|(id, slot)| Some((*id, slot.new.row()?.category.clone())))
        .collect()
}
