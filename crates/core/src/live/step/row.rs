//! Changes of states that hold one row.

use std::collections::BTreeMap;

use super::Fate;
use crate::change::Change;
use crate::live::rows::Dated;
use crate::live::state::{BrokenState, StateId, Stored};
use crate::live::tape::is_news;
use crate::live::window::Keep;
use crate::live::work::{Slots, open};
use crate::order::Kept;
use crate::position::{Position, Verdict};

/// What a change did to a state that holds one row.
pub(super) struct Done<'a, T> {
    pub(super) fate: Fate,
    pub(super) old: Option<T>,
    pub(super) new: Option<&'a T>,
}

impl<T> Done<'_, T> {
    /// True when the tape should say so.
    pub(super) fn is_news(&self, change: &Change) -> bool {
        matches!(self.fate, Fate::Applied) && is_news(change)
    }
}

/// Keeps rows of sealed days out, and counts what their totals do not show.
#[derive(Debug)]
pub(super) struct Gate {
    pub(super) keep: Keep,
    /// Changes that moved a row from a live day to a sealed one, or back: the sealed day does not show them.
    pub(super) crossings: u64,
}

/// Applies a change to a state that holds one row with a moment. A row of a sealed day is kept out; one that was kept stays
/// until it leaves.
pub(super) fn dated<'a, T>(
    slots: &'a mut Slots<Option<Kept<T>>>,
    read: &BTreeMap<StateId, Stored>,
    id: StateId,
    change: &Change,
    gate: &mut Gate,
    image: impl Fn(Option<&T>) -> Option<T>,
) -> Result<Done<'a, T>, BrokenState>
where
    T: Dated + Clone + PartialEq + serde::Serialize + serde::de::DeserializeOwned,
{
    let keep = gate.keep;
    if keep.is_sealing() && open(slots, read, id)?.new.is_none() {
        // What is deleted without being known is of a sealed day too.
        let is_late = image(None).is_none_or(|row| keep.is_past(row.moment()));
        if is_late {
            return Ok(Done {
                fate: Fate::Late,
                old: None,
                new: None,
            });
        }
    }
    let done = row(slots, read, id, change, image)?;
    let is_past = |row: &T| keep.is_past(row.moment());
    if matches!(done.fate, Fate::Applied) && done.old.iter().chain(done.new).any(is_past) {
        gate.crossings += 1;
    }
    Ok(done)
}

/// Applies a change to a state that holds one row. `image` makes the new row, given the stored one.
pub(super) fn row<'a, T>(
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
