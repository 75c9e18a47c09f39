//! The breaker: stops a flow when too much of what it reads cannot be used (docs: cdc pitfall 25).
//!
//! A few bad records are what dead letters are for. When a large share is bad, something is wrong with all of them: a
//! converter was changed, a topic holds something else. Then it is better to stop and say so than to move the checkpoint
//! past a whole table.
//!
//! Only what a flow meets for the first time is judged. A sink that is built anew reads records that were let through
//! once, by the share of that time or by somebody who raised the limit; they must not stop the repair.

use std::collections::{BTreeMap, VecDeque};

use crate::batch::Batch;
use crate::change::Record;
use crate::checkpoint::Partition;

/// Changes and rejected records that are judged together.
const WINDOW: u64 = 1000;

/// Rejected records below which nothing is judged.
const FEW: u64 = 50;

/// What one worker read last.
#[derive(Debug, Clone)]
pub struct Breaker {
    limit_percent: u64,
    last: VecDeque<Counted>,
    sum: Counted,
    passed: BTreeMap<Partition, i64>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Counted {
    usable: u64,
    rejected: u64,
}

impl Counted {
    const fn all(self) -> u64 {
        self.usable + self.rejected
    }
}

/// Too much was rejected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tripped {
    /// Rejected records among the last.
    pub rejected: u64,
    /// The last changes and rejected records.
    pub of: u64,
    /// Reason of the first one rejected in the batch that was too much.
    pub reason: String,
    /// Its topic.
    pub topic: String,
}

impl Breaker {
    /// A breaker that trips when more than this share of the last records was rejected; 100 never does.
    pub const fn new(limit_percent: u64) -> Self {
        Self {
            limit_percent,
            last: VecDeque::new(),
            sum: Counted {
                usable: 0,
                rejected: 0,
            },
            passed: BTreeMap::new(),
        }
    }

    /// The flow came to this offset of a partition, now or ever before: what lies before it is not judged again. True
    /// when it had not come that far.
    pub fn passed(&mut self, partition: &Partition, offset: i64) -> bool {
        match self.passed.get_mut(partition) {
            Some(passed) if *passed >= offset => false,
            Some(passed) => {
                *passed = offset;
                true
            }
            None => {
                self.passed.insert(partition.clone(), offset);
                true
            }
        }
    }

    /// The partition does not hold what it held: its records are judged from the first.
    pub fn forget(&mut self, partition: &Partition) {
        self.passed.remove(partition);
    }

    /// Counts a batch that is about to be applied. When it trips the batch is not to be applied.
    pub fn judge(&mut self, batch: &Batch) -> Option<Tripped> {
        let mut counted = Counted::default();
        let mut first = None;
        let passed: Vec<i64> = batch
            .steps
            .iter()
            .map(|step| self.passed.get(&step.partition).copied().unwrap_or(0))
            .collect();
        let is_new = |step: usize, offset: i64| passed.get(step).is_none_or(|passed| offset >= *passed);
        for record in &batch.records {
            if !is_new(record.step, record.offset) {
                continue;
            }
            match &record.content {
                Ok(Record::Change(_)) => counted.usable += 1,
                Err(rejected) => {
                    counted.rejected += 1;
                    first.get_or_insert((record, rejected));
                }
                // Heartbeats, tombstones and the like say nothing about the tables.
                Ok(_) => {}
            }
        }
        self.last.push_back(counted);
        self.sum.usable += counted.usable;
        self.sum.rejected += counted.rejected;
        while let Some(oldest) = self.last.front().copied() {
            if self.sum.all() - oldest.all() < WINDOW {
                break;
            }
            self.last.pop_front();
            self.sum.usable -= oldest.usable;
            self.sum.rejected -= oldest.rejected;
        }
        let (record, rejected) = first?;
        let is_many =
            self.sum.rejected >= FEW && self.sum.rejected * 100 > self.sum.all() * self.limit_percent;
        is_many.then(|| Tripped {
            rejected: self.sum.rejected,
            of: self.sum.all(),
            reason: rejected.reason.clone(),
            topic: batch
                .partition(record)
                .map_or_else(String::new, |partition| partition.topic.clone()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::{BatchRecord, Rejected};
    use crate::change::{Change, NotARow, Op};
    use crate::checkpoint::{Partition, Step};
    use crate::position::Position;
    use crate::table::Table;
    use chrono::DateTime;

    fn change() -> Record {
        Record::Change(Box::new(Change {
            source: Table::Stock.source(),
            table: Table::Stock,
            key: 1,
            op: Op::Delete,
            after: None,
            before: None,
            position: Position::streamed(0, 1),
            lsn: 1,
            tx_id: None,
            committed_at: DateTime::UNIX_EPOCH,
            snapshot: false,
            repair: false,
        }))
    }

    fn stock() -> Partition {
        Partition {
            topic: "stock".into(),
            number: 0,
        }
    }

    /// A batch of the topic `stock` with so many changes, rejected records and others.
    fn batch(changes: u64, rejected: u64, others: u64) -> Batch {
        let letter = || {
            Err(Box::new(Rejected {
                reason: "bad_json".into(),
                ..Rejected::default()
            }))
        };
        let contents = (0..changes)
            .map(|_| Ok(change()))
            .chain((0..rejected).map(|_| letter()))
            .chain((0..others).map(|_| Ok(Record::NotARow(NotARow::Message))));
        Batch {
            steps: vec![Step {
                partition: stock(),
                epoch: 1,
                base: 0,
                next: 0,
            }],
            records: contents
                .zip(0..)
                .map(|(content, offset)| BatchRecord {
                    step: 0,
                    offset,
                    kafka_at: None,
                    content,
                })
                .collect(),
        }
    }

    #[test]
    fn what_was_let_through_once_is_not_judged_again() {
        let poison = batch(0, 100, 0);
        let mut breaker = Breaker::new(20);
        assert!(breaker.passed(&stock(), 60));
        assert!(!breaker.passed(&stock(), 60) && !breaker.passed(&stock(), 7));
        assert_eq!(breaker.judge(&poison), None, "40 of 40 are few");
        breaker.forget(&stock());
        let tripped = breaker.judge(&poison);
        assert_eq!(tripped.map(|tripped| tripped.rejected), Some(140));
    }

    #[test]
    fn only_a_large_share_of_many_trips() {
        // limit, batches as changes, rejected and others, and the batch that trips
        type Case = (u64, &'static [(u64, u64, u64)], Option<usize>);
        let cases: [Case; 9] = [
            (20, &[(0, 49, 0)], None),
            (20, &[(0, 50, 0)], Some(0)),
            (20, &[(200, 50, 0)], None),
            (20, &[(199, 50, 0)], Some(0)),
            (20, &[(40, 10, 0), (40, 20, 0), (0, 30, 0)], Some(2)),
            // Others do not count, neither way.
            (20, &[(199, 50, 5000)], Some(0)),
            // What lies further back than the window is forgotten.
            (20, &[(300, 70, 0), (1000, 0, 0), (200, 60, 0)], None),
            (20, &[(10_000, 0, 0), (0, 400, 0)], None),
            (100, &[(0, 5000, 0)], None),
        ];
        for (limit, batches, expected) in cases {
            let mut breaker = Breaker::new(limit);
            let tripped = batches.iter().position(|(changes, rejected, others)| {
                breaker.judge(&batch(*changes, *rejected, *others)).is_some()
            });
            assert_eq!(tripped, expected, "{limit} {batches:?}");
        }
        assert_eq!(
            Breaker::new(20).judge(&batch(10, 60, 0)),
            Some(Tripped {
                rejected: 60,
                of: 70,
                reason: "bad_json".into(),
                topic: "stock".into()
            })
        );
    }
}
