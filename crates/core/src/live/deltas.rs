//! What a batch changes in the totals.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::work::{Slots, Work};
use crate::config::Meaning;
use crate::contribution::{self, Calendar, Cell};
use crate::order::Kept;
use crate::table::Table;

/// Difference between what the states of a batch contribute now and what they contributed when they were read.
pub(super) fn deltas(work: &Work, now: DateTime<Utc>, meaning: &Meaning) -> BTreeMap<Cell, i64> {
    let calendar = Calendar::new(meaning.tz());
    let mut sums: BTreeMap<Cell, i64> = BTreeMap::new();
    let mut add = |sign: i64, cell: Cell, value: i64| {
        if value != 0 && cell.end_of_life(calendar).is_none_or(|end| now < end) {
            *sums.entry(cell).or_default() += sign * value;
        }
    };
    for slot in work.orders.values().filter(|slot| slot.old != slot.new) {
        contribution::of_order(&slot.new, calendar, &mut |cell, value| add(1, cell, value));
        contribution::of_order(&slot.old, calendar, &mut |cell, value| add(-1, cell, value));
    }
    rows(&work.lines, &mut add, |holder, add| {
        contribution::of_line(*holder, add);
    });
    rows(&work.products, &mut add, |product, add| {
        contribution::of_product(product, meaning, add);
    });
    rows(&work.behaviour, &mut add, |event, add| {
        contribution::of_behaviour(event, calendar, add);
    });
    rows(&work.stock, &mut add, |_, add| {
        contribution::of_row(Table::Stock, add);
    });
    rows(&work.shipments, &mut add, |_, add| {
        contribution::of_row(Table::Shipment, add);
    });
    sums.retain(|_, value| *value != 0);
    sums
}

/// Difference of the contributions of states that hold one row each.
fn rows<T: PartialEq>(
    slots: &Slots<Option<Kept<T>>>,
    add: &mut impl FnMut(i64, Cell, i64),
    contribution: impl Fn(&T, &mut contribution::Add<'_>),
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
