//! The states of a batch while it is worked on: each as it was read and as it will be.

use std::collections::BTreeMap;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::rows::{Behaviour, Parcel, Product, Shelf};
use super::state::{BrokenState, StateId, Stored};
use super::step::StateWrite;
use crate::order::{Holder, Kept, Order};

/// A state as it was read and as it will be.
#[derive(Debug)]
pub(super) struct Slot<T> {
    digest: String,
    pub(super) old: T,
    pub(super) new: T,
}

/// The slots of one kind, by id.
pub(super) type Slots<T> = BTreeMap<i64, Slot<T>>;

/// All slots of a batch.
#[derive(Debug, Default)]
pub(super) struct Work {
    pub(super) orders: Slots<Order>,
    pub(super) lines: Slots<Option<Kept<Holder>>>,
    pub(super) products: Slots<Option<Kept<Product>>>,
    pub(super) behaviour: Slots<Option<Kept<Behaviour>>>,
    pub(super) stock: Slots<Option<Kept<Shelf>>>,
    pub(super) shipments: Slots<Option<Kept<Parcel>>>,
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
                digest: stored.digest().to_owned(),
                new: old.clone(),
                old,
            }))
        }
    }
}

/// The writes of one kind: states that are not what they were. A state that says nothing any more is removed.
pub(super) fn writes<T: PartialEq + Serialize>(
    slots: &Slots<T>,
    id: fn(i64) -> StateId,
    is_empty: fn(&T) -> bool,
    into: &mut Vec<StateWrite>,
) {
    for (key, slot) in slots.iter().filter(|(_, slot)| slot.old != slot.new) {
        into.push(StateWrite {
            id: id(*key),
            expected: slot.digest.clone(),
            new: if is_empty(&slot.new) {
                Stored::default()
            } else {
                Stored::of(&slot.new)
            },
        });
    }
}
