//! What is to happen later, in the order it is due. Entries due at the same instant keep the order they came in.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use chrono::{DateTime, Utc};

/// A queue by due time.
#[derive(Debug, Clone)]
pub(crate) struct Agenda<T> {
    heap: BinaryHeap<Reverse<Entry<T>>>,
    next: u64,
}

#[derive(Debug, Clone)]
struct Entry<T> {
    due: DateTime<Utc>,
    turn: u64,
    what: T,
}

impl<T> PartialEq for Entry<T> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl<T> Eq for Entry<T> {}

impl<T> PartialOrd for Entry<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> Ord for Entry<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.due, self.turn).cmp(&(other.due, other.turn))
    }
}

impl<T> Default for Agenda<T> {
    fn default() -> Self {
        Self {
            heap: BinaryHeap::new(),
            next: 0,
        }
    }
}

impl<T> Agenda<T> {
    /// Enters something.
    pub(crate) fn push(&mut self, due: DateTime<Utc>, what: T) {
        self.heap.push(Reverse(Entry {
            due,
            turn: self.next,
            what,
        }));
        self.next += 1;
    }

    /// When the first entry is due.
    pub(crate) fn next_due(&self) -> Option<DateTime<Utc>> {
        self.heap.peek().map(|Reverse(entry)| entry.due)
    }

    /// Takes the first entry if it is due.
    pub(crate) fn pop_due(&mut self, now: DateTime<Utc>) -> Option<(DateTime<Utc>, T)> {
        if self.next_due()? > now {
            return None;
        }
        self.heap.pop().map(|Reverse(entry)| (entry.due, entry.what))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_come_out_by_time_and_then_in_turn() {
        let at = |second: i64| DateTime::from_timestamp(second, 0).unwrap();
        let mut agenda = Agenda::default();
        for (second, what) in [(5, "c"), (1, "a"), (5, "d"), (3, "b"), (9, "e")] {
            agenda.push(at(second), what);
        }
        let mut out = Vec::new();
        while let Some((_, what)) = agenda.pop_due(at(5)) {
            out.push(what);
        }
        assert_eq!(out, ["a", "b", "c", "d"]);
        assert_eq!(agenda.next_due(), Some(at(9)));
    }
}
