//! What a batch changes in the totals.

use std::collections::{BTreeMap, BTreeSet};

use super::timeline::Cut;
use super::window::Window;
use super::work::{Rows, Slots, Work};
use crate::config::Meaning;
use crate::contribution::{self, Add, Calendar, Cell};
use crate::table::Table;

/// Difference between what the states of a batch contribute now and what they contributed when they were read.
pub(super) fn deltas(work: &Work, window: Window, meaning: &Meaning) -> BTreeMap<Cell, i64> {
    let calendar = Calendar::new(meaning.tz());
    let gap = Cut::of(meaning).gap;
    let mut sums: BTreeMap<Cell, i64> = BTreeMap::new();
    let mut add = |sign: i64, cell: Cell, value: i64| {
        if value != 0
            && let Some(cell) = window.booked(cell, calendar)
        {
            *sums.entry(cell).or_default() += sign * value;
        }
    };
    whole(&work.orders, &mut add, |_, order, add| {
        contribution::of_order(order, calendar, meaning, add);
    });
    whole(&work.products, &mut add, |id, listing, add| {
        contribution::of_listing(id, listing, meaning, add);
    });
    for slot in work.shoppers.values().filter(|slot| slot.old != slot.new) {
        let (old, new) = (slot.old.scopes(), slot.new.scopes());
        let scopes: BTreeSet<_> = old.keys().chain(new.keys()).copied().collect();
        for scope in scopes
            .into_iter()
            .filter(|scope| old.get(scope) != new.get(scope))
        {
            difference(&old.get(&scope), &new.get(&scope), &mut add, |days, add| {
                if let Some(days) = days {
                    contribution::of_shopper(scope, days, add);
                }
            });
        }
    }
    whole(&work.timelines, &mut add, |_, timelines, add| {
        contribution::of_timelines(timelines, calendar, gap, add);
    });
    rows(&work.lines, &mut add, |line, add| {
        contribution::of_line(*line, add);
    });
    rows(&work.behaviour, &mut add, |event, add| {
        contribution::of_behaviour(event, calendar, add);
    });
    rows(&work.stock, &mut add, |_, add| contribution::of_shelf(add));
    rows(&work.shipments, &mut add, |parcel, add| {
        contribution::of_parcel(parcel, calendar, add);
    });
    rows(&work.stores, &mut add, |merchant, add| {
        contribution::of_merchant(merchant, calendar, add);
    });
    for (table, slots) in [
        (Table::Buyer, &work.buyers),
        (Table::Carrier, &work.carriers),
        (Table::Segment, &work.segments),
    ] {
        rows(slots, &mut add, |known, add| {
            contribution::of_known(table, known, calendar, add);
        });
    }
    rows(&work.movements, &mut add, |movement, add| {
        contribution::of_movement(movement, calendar, add);
    });
    rows(&work.contacts, &mut add, |contact, add| {
        contribution::of_contact(contact, calendar, add);
    });
    rows(&work.members, &mut add, |member, add| {
        contribution::of_member(*member, add);
    });
    sums.retain(|_, value| *value != 0);
    sums
}

/// Difference of the contributions of states that always contribute as a whole.
fn whole<T: PartialEq>(
    slots: &Slots<T>,
    add: &mut impl FnMut(i64, Cell, i64),
    contribution: impl Fn(i64, &T, &mut Add<'_>),
) {
    for (id, slot) in slots.iter().filter(|(_, slot)| slot.old != slot.new) {
        difference(&slot.old, &slot.new, add, |state, add| {
            contribution(*id, state, add);
        });
    }
}

/// Books what a state contributes less what it contributed. Where it begins and ends alike nothing is booked at all, for large
/// states change in one place: a buyer's days, the stops of a stretch.
fn difference<T>(
    old: &T,
    new: &T,
    add: &mut impl FnMut(i64, Cell, i64),
    contribution: impl Fn(&T, &mut Add<'_>),
) {
    let [mut old, mut new] = [old, new].map(|state| {
        let mut cells = Vec::new();
        contribution(state, &mut |cell, value| cells.push((cell, value)));
        cells
    });
    while old.pop_if(|last| new.last() == Some(last)).is_some() {
        new.pop();
    }
    let alike = old.iter().zip(&new).take_while(|(old, new)| old == new).count();
    for (sign, cells) in [(1, new), (-1, old)] {
        for (cell, value) in cells.into_iter().skip(alike) {
            add(sign, cell, value);
        }
    }
}

/// Difference of the contributions of states that hold one row each.
fn rows<T: PartialEq>(
    slots: &Rows<T>,
    add: &mut impl FnMut(i64, Cell, i64),
    contribution: impl Fn(&T, &mut Add<'_>),
) {
    for slot in slots.values() {
        let [new, old] = [&slot.new, &slot.old].map(|kept| kept.as_ref().and_then(|kept| kept.row.as_ref()));
        if old == new {
            continue;
        }
        for (sign, row) in [(1, new), (-1, old)] {
            if let Some(row) = row {
                contribution(row, &mut |cell, value| add(sign, cell, value));
            }
        }
    }
}
