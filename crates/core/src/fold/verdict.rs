//! What a single change may do to a stored image: the position guard, and the stricter rule for repairs.

use crate::change::Change;
use crate::position::{Position, Verdict};

/// Judges a change against the position of the stored image of its key.
///
/// A repair (a replayed dead letter, or a delete written by the sweep) has no place of its own in the order of its
/// key, so it applies only where the guard can tell: a streamed one by its `lsn`, one without `lsn` only where nothing
/// is stored (docs: reliability 5.2).
pub fn judge(change: &Change, stored: Option<Position>) -> Verdict {
    if change.repair && change.position.lsn == 0 && stored.is_some() {
        return Verdict::Older;
    }
    Position::judge(stored, change.position)
}
