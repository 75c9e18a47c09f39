//! The states of a batch while it is worked on: each as it was read and as it will be.

use std::collections::BTreeMap;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::past::Past;
use super::rows::{Behaviour, Contact, Known, Listing, Membership, Merchant, Movement, Parcel, Shelf};
use super::shopper::Shopper;
use super::state::{BrokenState, StateId, Stored};
use super::step::StateWrite;
use super::tender::Tender;
use super::timeline::Timelines;
use crate::order::{Holder, Kept, Order};

/// A state as it was read and as it will be.
#[derive(Debug)]
pub(super) struct Slot<T> {
    stored: Stored,
    pub(super) old: T,
    pub(super) new: T,
    /// True when something was computed from the state: it is compared when the batch is written though it stays as it is.
    pub(super) touched: bool,
}

/// The slots of one kind, by id.
pub(super) type Slots<T> = BTreeMap<i64, Slot<T>>;

/// The slots of a kind whose states hold one row each.
pub(super) type Rows<T> = Slots<Option<Kept<T>>>;

/// All slots of a batch.
#[derive(Debug, Default)]
pub(super) struct Work {
    pub(super) orders: Slots<Order>,
    pub(super) lines: Rows<Holder>,
    pub(super) products: Slots<Listing>,
    pub(super) behaviour: Rows<Behaviour>,
    pub(super) stock: Rows<Shelf>,
    pub(super) shipments: Rows<Parcel>,
    pub(super) stores: Rows<Merchant>,
    pub(super) buyers: Rows<Known>,
    pub(super) carriers: Rows<Known>,
    pub(super) segments: Rows<Known>,
    pub(super) movements: Rows<Movement>,
    pub(super) contacts: Rows<Contact>,
    pub(super) members: Rows<Membership>,
    pub(super) shoppers: Slots<Shopper>,
    pub(super) timelines: Slots<Timelines>,
    pub(super) tenders: Slots<Tender>,
    pub(super) pasts: Slots<Past>,
}

impl Work {
    /// The slots of a row of which only its existence counts.
    pub(super) fn known(&mut self, id: StateId) -> &mut Rows<Known> {
        match id {
            StateId::Carrier(_) => &mut self.carriers,
            StateId::Segment(_) => &mut self.segments,
            _ => &mut self.buyers,
        }
    }

    /// States that are not what they were. A state that says nothing any more is removed.
    pub(super) fn writes(&self) -> Vec<StateWrite> {
        let mut into = Vec::new();
        writes(&self.orders, StateId::Order, Order::is_empty, &mut into);
        writes(&self.lines, StateId::Line, Option::is_none, &mut into);
        writes(&self.products, StateId::Product, Listing::is_empty, &mut into);
        writes(&self.behaviour, StateId::Behaviour, Option::is_none, &mut into);
        writes(&self.stock, StateId::Stock, Option::is_none, &mut into);
        writes(&self.shipments, StateId::Shipment, Option::is_none, &mut into);
        writes(&self.stores, StateId::Store, Option::is_none, &mut into);
        writes(&self.buyers, StateId::Buyer, Option::is_none, &mut into);
        writes(&self.carriers, StateId::Carrier, Option::is_none, &mut into);
        writes(&self.segments, StateId::Segment, Option::is_none, &mut into);
        writes(&self.movements, StateId::Movement, Option::is_none, &mut into);
        writes(&self.contacts, StateId::Contact, Option::is_none, &mut into);
        writes(&self.members, StateId::Member, Option::is_none, &mut into);
        writes(&self.shoppers, StateId::Shopper, Shopper::is_empty, &mut into);
        writes(
            &self.timelines,
            StateId::Timelines,
            Timelines::is_empty,
            &mut into,
        );
        writes(&self.tenders, StateId::Tender, Tender::is_empty, &mut into);
        writes(&self.pasts, StateId::Past, Past::is_empty, &mut into);
        into
    }
}

/// Opens the slot of a state; reads and decodes it the first time.
pub(super) fn open<'a, T>(
    slots: &'a mut Slots<T>,
    read: &BTreeMap<StateId, Stored>,
    id: StateId,
) -> Result<&'a mut Slot<T>, BrokenState>
where
    T: Clone + Default + DeserializeOwned,
{
    use std::collections::btree_map::Entry;
    let (_, key) = id.parts();
    match slots.entry(key) {
        Entry::Occupied(slot) => Ok(slot.into_mut()),
        Entry::Vacant(place) => {
            let stored = read.get(&id).ok_or(BrokenState::NotRead(id))?;
            let old: T = stored.read(id)?.unwrap_or_default();
            Ok(place.insert(Slot {
                stored: stored.clone(),
                new: old.clone(),
                old,
                touched: false,
            }))
        }
    }
}

fn writes<T: PartialEq + Serialize>(
    slots: &Slots<T>,
    id: fn(i64) -> StateId,
    is_empty: fn(&T) -> bool,
    into: &mut Vec<StateWrite>,
) {
    let wanted = slots
        .iter()
        .filter(|(_, slot)| slot.touched || slot.old != slot.new);
    for (key, slot) in wanted {
        into.push(StateWrite {
            id: id(*key),
            expected: slot.stored.digest().to_owned(),
            new: if slot.old == slot.new {
                slot.stored.clone()
            } else if is_empty(&slot.new) {
                Stored::default()
            } else {
                Stored::of(&slot.new)
            },
        });
    }
}
