//! Rows of sealed days: what comes late, what leaves, and what crosses the boundary (docs: reliability 5.10).

use super::*;

/// Sixty days before now, in seconds.
const LONG_AGO: &str = "-5184000";

fn window() -> Window {
    let today = Calendar::new(Meaning::default().tz()).day(now());
    Window {
        now: now(),
        boundary: today.checked_sub_days(chrono::Days::new(35)),
    }
}

fn order(op: Op, lsn: u64, at: &str, amount: &str) -> Record {
    let texts = ["1", "5", "3", at, amount, "paypal", "completed"];
    Record::Change(Box::new(change(Table::Transaction, 1, op, lsn, &texts)))
}

fn line(op: Op, lsn: u64) -> Record {
    let texts = ["9", "1", "2", "4", "2.50"];
    Record::Change(Box::new(change(Table::TransactionDetail, 9, op, lsn, &texts)))
}

fn event(op: Op, lsn: u64, at: &str) -> Record {
    let texts = ["8", "3", "search", "-", "s1", at, "{}"];
    Record::Change(Box::new(change(Table::UserBehavior, 8, op, lsn, &texts)))
}

impl Store {
    /// What a change did: changes that sealed days do not show, and cents of the platform by day of the headline sums.
    fn late(&mut self, record: Record) -> (u64, Vec<i64>) {
        let done = self.apply_in(window(), vec![record]);
        let cents = done.writes.deltas.iter().filter_map(|(cell, value)| match cell {
            Cell::Total {
                scope: Scope::Platform,
                bucket: Bucket::Day(_),
                measure: Measure::Revenue,
            } => Some(*value),
            _ => None,
        });
        (done.writes.late, cents.collect())
    }

    fn leave(&mut self) {
        let ids: Vec<StateId> = self.0.keys().copied().filter(|id| Leave::concerns(*id)).collect();
        let meaning = Meaning::default();
        let leave = Leave::new(&ids, window(), &meaning);
        let mut read = self.0.clone();
        let done = loop {
            match leave.go_on(&read).unwrap() {
                Progress::Read(ids) => read.extend(ids.into_iter().map(|id| (id, Stored::default()))),
                Progress::Done(done) => break *done,
            }
        };
        assert!(done.writes.deltas.is_empty());
        for write in done.writes.states {
            self.0.insert(write.id, write.new);
        }
    }

    fn held(&self) -> Vec<&'static str> {
        let held = self.0.iter().filter(|(_, stored)| **stored != Stored::default());
        held.map(|(id, _)| id.parts().0).collect()
    }
}

#[test]
fn a_change_of_a_sealed_day_is_counted_and_books_nothing() {
    let mut store = Store::default();
    // The line waits for its header, and goes when that turns out to be of a sealed day.
    assert_eq!(store.late(line(Op::Create, 10)), (0, vec![]));
    assert_eq!(store.held(), ["order", "line"]);
    assert_eq!(store.late(order(Op::Create, 10, LONG_AGO, "10.00")), (1, vec![]));
    assert_eq!(store.late(line(Op::Update, 11)), (1, vec![]));
    assert_eq!(store.late(order(Op::Update, 12, LONG_AGO, "20.00")), (1, vec![]));
    // The header stays, and the day its buyer bought on, until everything of sealed days leaves.
    assert_eq!(store.held(), ["order", "shopper"]);
    store.leave();
    assert_eq!(store.held(), ["shopper", "past"]);
    for record in [
        order(Op::Update, 13, LONG_AGO, "30.00"),
        line(Op::Create, 14),
        line(Op::Delete, 15),
        order(Op::Delete, 16, "-", "-"),
    ] {
        assert_eq!(store.late(record), (1, vec![]));
        assert_eq!(store.held(), ["shopper", "past"]);
    }
}

#[test]
fn an_event_of_a_sealed_day_is_no_state() {
    let mut store = Store::default();
    for record in [
        event(Op::Create, 10, LONG_AGO),
        event(Op::Update, 11, LONG_AGO),
        event(Op::Delete, 12, "-"),
    ] {
        assert_eq!(store.late(record), (1, vec![]));
        assert_eq!(store.held(), Vec::<&str>::new());
    }
    assert_eq!(store.late(event(Op::Create, 13, "-60")), (0, vec![]));
    assert_eq!(store.held(), ["behaviour", "timelines"]);
}

#[test]
fn an_order_that_crosses_the_boundary_is_taken_back_or_counted_at_once() {
    let mut store = Store::default();
    assert_eq!(store.late(order(Op::Create, 10, "-60", "10.00")), (0, vec![1000]));
    assert_eq!(store.late(line(Op::Create, 10)), (0, vec![]));
    assert_eq!(
        store.late(order(Op::Update, 11, LONG_AGO, "10.00")),
        (1, vec![-1000])
    );
    store.leave();
    assert_eq!(store.held(), ["shopper", "tender", "past"]);
    // Its lines have left, its money counts again.
    assert_eq!(store.late(order(Op::Update, 12, "-60", "15.00")), (1, vec![1500]));
    assert_eq!(store.held(), ["order", "shopper", "tender", "timelines"]);
    assert_eq!(store.late(order(Op::Delete, 13, "-", "-")), (0, vec![-1500]));
}
