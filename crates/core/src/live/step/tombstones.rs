//! Null values of a topic.

use super::Records;
use crate::live::rows::{Merchant, Product};
use crate::live::state::{BrokenState, StateId};
use crate::live::work::open;
use crate::order::Kept;
use crate::position::Position;
use crate::table::Table;

impl Records<'_> {
    /// A null value. Pitfall 2: it deletes when the delete record before it is gone (compaction keeps only the null),
    /// and means nothing after one. Kafka order decides, since a tombstone has no position of its own: the row is kept
    /// as deleted at LSN 0, so that the next change of the key applies whatever its LSN. After a replayed delete and
    /// its tombstone that next change is the replayed insert that follows them. A tombstone right behind a delete that
    /// was dropped as a replay is dropped with it, which spares the totals that step back.
    ///
    /// Returns true when it deleted something.
    pub(super) fn tombstone(&mut self, table: Table, key: i64) -> Result<bool, BrokenState> {
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
