//! Whether a change may be applied: the rule of positions, and the stricter one for records that come out of order.

use crate::change::{Change, Op};
use crate::position::{Position, Verdict};
use crate::table::Table;

/// Judges a change that arrived on `topic` against the stored position of its row.
///
/// On the row's own topic Kafka order is the order of truth and [`Position::judge`] decides. That holds for the delete
/// records of the sweep too, which are written to that topic. A replayed dead letter comes on the repair topic, where
/// its order against the row's own topic is open: it applies only where the guard can tell (docs: reliability 5.2), so
/// that a rebuild, which reads both topics again in any order, ends the same.
///
/// | stored | replayed dead letter | verdict |
/// |---|---|---|
/// | nothing | any | apply |
/// | any | higher generation | apply |
/// | any | lower generation | older |
/// | any | snapshot row or no LSN | older |
/// | snapshot row | streamed | older |
/// | streamed | streamed | by `lsn` |
pub(super) fn judge(stored: Option<Position>, change: &Change, topic: &str) -> Verdict {
    let incoming = change.position;
    let Some(stored) = stored else {
        return Verdict::Apply;
    };
    let in_order = !change.repair || Table::from_name(topic) == Some(change.table);
    if in_order || incoming.generation != stored.generation {
        return Position::judge(Some(stored), incoming);
    }
    if incoming.lsn > stored.lsn && stored.lsn > 0 {
        Verdict::Apply
    } else {
        Verdict::Older
    }
}

/// True for a change whose effect belongs on the tape: streamed, not a statement of state.
pub(super) fn is_news(change: &Change) -> bool {
    !change.snapshot && !change.repair && change.op != Op::Read
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::SourceDb;

    #[test]
    fn a_replayed_dead_letter_applies_only_where_the_guard_can_tell() {
        let change = |repair, position: Position| Change {
            source: SourceDb::Instashop,
            table: Table::Transaction,
            key: 1,
            op: Op::Update,
            after: None,
            before: None,
            position,
            lsn: position.lsn,
            tx_id: None,
            committed_at: chrono::DateTime::UNIX_EPOCH,
            snapshot: false,
            repair,
        };
        let streamed = Position::streamed;
        let snapshot = Position::snapshot;
        let cases = [
            ("nothing stored", None, snapshot(0), Verdict::Apply),
            (
                "higher generation",
                Some(streamed(0, 9)),
                streamed(1, 1),
                Verdict::Apply,
            ),
            (
                "lower generation",
                Some(streamed(1, 1)),
                streamed(0, 9),
                Verdict::Older,
            ),
            ("snapshot row", Some(streamed(0, 9)), snapshot(0), Verdict::Older),
            (
                "streamed over snapshot",
                Some(snapshot(0)),
                streamed(0, 9),
                Verdict::Older,
            ),
            (
                "streamed, newer",
                Some(streamed(0, 5)),
                streamed(0, 9),
                Verdict::Apply,
            ),
            (
                "streamed, older",
                Some(streamed(0, 9)),
                streamed(0, 5),
                Verdict::Older,
            ),
        ];
        for (name, stored, incoming, expected) in cases {
            let verdict = judge(stored, &change(true, incoming), "instashop.repair");
            assert_eq!(verdict, expected, "{name}");
        }
        for stored in [snapshot(0), streamed(0, 5)] {
            let swept = change(true, streamed(0, 9));
            assert_eq!(judge(Some(stored), &swept, "transaction"), Verdict::Apply);
        }
    }
}
