//! Order of changes of one source row: when an incoming change is certainly older than the stored one.
//!
//! Per source key Kafka order is the order of truth; the guard only drops what is certainly a replay
//! (docs: architecture 6a, cdc section 2).

use serde::{Deserialize, Serialize};

/// Position of a stored or incoming image of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct Position {
    /// Source generation: one LSN space of one source.
    pub generation: u32,
    /// LSN of the change; 0 for snapshot rows and for changes without an LSN.
    pub lsn: u64,
}

/// What to do with an incoming change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Apply it.
    Apply,
    /// Certainly older or the same: drop and count it.
    Older,
}

impl Position {
    /// A streamed change.
    pub const fn streamed(generation: u32, lsn: u64) -> Self {
        Self { generation, lsn }
    }

    /// A snapshot row, or a change without an LSN: always applies within its generation.
    pub const fn snapshot(generation: u32) -> Self {
        Self { generation, lsn: 0 }
    }

    /// Compares an incoming position with the stored one of the same source row.
    ///
    /// | stored | incoming | verdict |
    /// |---|---|---|
    /// | nothing | any | apply |
    /// | any | higher generation | apply |
    /// | any | lower generation | older |
    /// | any | snapshot row or no LSN (`lsn` 0) | apply |
    /// | snapshot row (`lsn` 0) | streamed | apply |
    /// | streamed | streamed, `lsn` <= stored | older |
    /// | streamed | streamed, `lsn` > stored | apply |
    pub fn judge(stored: Option<Self>, incoming: Self) -> Verdict {
        let Some(stored) = stored else {
            return Verdict::Apply;
        };
        if incoming.generation != stored.generation {
            return if incoming.generation > stored.generation {
                Verdict::Apply
            } else {
                Verdict::Older
            };
        }
        if incoming.lsn == 0 || incoming.lsn > stored.lsn {
            Verdict::Apply
        } else {
            Verdict::Older
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_guard_drops_only_what_is_certainly_older() {
        let streamed = Position::streamed;
        let snapshot = Position::snapshot;
        let cases = [
            ("first image", None, streamed(0, 5), Verdict::Apply),
            (
                "higher generation, lower lsn",
                Some(streamed(0, 900)),
                streamed(1, 5),
                Verdict::Apply,
            ),
            (
                "lower generation, higher lsn",
                Some(streamed(1, 5)),
                streamed(0, 900),
                Verdict::Older,
            ),
            (
                "lower generation snapshot",
                Some(streamed(1, 5)),
                snapshot(0),
                Verdict::Older,
            ),
            (
                "replay of the same change",
                Some(streamed(0, 5)),
                streamed(0, 5),
                Verdict::Older,
            ),
            (
                "older replay",
                Some(streamed(0, 9)),
                streamed(0, 5),
                Verdict::Older,
            ),
            (
                "newer change",
                Some(streamed(0, 5)),
                streamed(0, 9),
                Verdict::Apply,
            ),
            (
                "snapshot over streamed",
                Some(streamed(0, 9)),
                snapshot(0),
                Verdict::Apply,
            ),
            (
                "streamed over snapshot, any lsn",
                Some(snapshot(0)),
                streamed(0, 1),
                Verdict::Apply,
            ),
            (
                "snapshot over snapshot",
                Some(snapshot(0)),
                snapshot(0),
                Verdict::Apply,
            ),
        ];
        for (name, stored, incoming, expected) in cases {
            assert_eq!(Position::judge(stored, incoming), expected, "{name}");
        }
    }
}
