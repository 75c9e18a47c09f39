//! Entries of the event tape: streamed changes that moved a state.

use super::rows::{Parcel, Shelf};
use crate::change::{Change, Op};
use crate::config::OrderClass;
use crate::order::Header;
use crate::table::Table;
use crate::view::TapeEntry;

/// True for a change whose effect belongs on the tape: streamed, not a statement of state.
pub(super) fn is_news(change: &Change) -> bool {
    !change.snapshot && !change.repair && change.op != Op::Read
}

fn entry(change: &Change, what: &str) -> TapeEntry {
    TapeEntry {
        at: change.committed_at,
        what: what.to_owned(),
        op: change.op.letter().to_owned(),
        key: change.key,
        amount_cents: None,
        by: String::new(),
        state: String::new(),
        store_id: None,
    }
}

/// An order changed. A refund shows its amount negated. A deleted order shows what it was.
pub(super) fn order(change: &Change, header: &Header) -> TapeEntry {
    let (what, sign) = match header.class {
        OrderClass::Failed => ("fail", 1),
        OrderClass::Reversed => ("refund", -1),
        _ => ("order", 1),
    };
    let status = change
        .after
        .as_ref()
        .and_then(|row| row.text(Table::Transaction, "status"))
        .unwrap_or_default();
    TapeEntry {
        amount_cents: header.amount.map(|cents| sign * cents),
        by: header.method.clone(),
        state: if change.op == Op::Delete {
            "deleted"
        } else {
            status
        }
        .to_owned(),
        store_id: header.store,
        ..entry(change, what)
    }
}

/// A stock row changed; only a change of its quantity is worth an entry.
pub(super) fn stock(change: &Change, old: Option<&Shelf>, new: Option<&Shelf>) -> Option<TapeEntry> {
    let state = match (old, new) {
        (Some(old), Some(new)) if old.available != new.available => {
            format!("{} → {}", units(old), units(new))
        }
        (None, Some(new)) => units(new),
        (Some(_), None) => "deleted".to_owned(),
        _ => return None,
    };
    Some(TapeEntry {
        by: new
            .or(old)
            .map(|shelf| shelf.location.clone())
            .unwrap_or_default(),
        state,
        ..entry(change, "stock")
    })
}

/// Units of a stock row; a dash for NULL.
fn units(shelf: &Shelf) -> String {
    shelf
        .available
        .map_or_else(|| "–".to_owned(), |units| units.to_string())
}

/// A shipment changed; only a change of its status is worth an entry.
pub(super) fn shipment(change: &Change, old: Option<&Parcel>, new: Option<&Parcel>) -> Option<TapeEntry> {
    if old.map(|parcel| &parcel.status) == new.map(|parcel| &parcel.status) {
        return None;
    }
    Some(TapeEntry {
        by: new
            .or(old)
            .map(|parcel| parcel.method.clone())
            .unwrap_or_default(),
        state: new.map_or_else(|| "deleted".to_owned(), |parcel| parcel.status.clone()),
        ..entry(change, "ship")
    })
}
