//! Records that were read and wait for their batch.

use std::collections::{HashMap, VecDeque};

use chrono::{DateTime, Utc};
use instashop_core::assignment::Assignment;
use instashop_core::batch::{Batch, BatchRecord};
use instashop_core::change::Record;
use instashop_core::checkpoint::Partition;
use tokio::time::Instant;

use crate::kafka::Chunk;

/// Chunks in the order of Kafka, and since when the first of them waits.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    chunks: VecDeque<Chunk>,
    records: usize,
    since: Option<Instant>,
}

/// A batch, and the records that were left out of it because the sink already has them.
#[derive(Debug, Default)]
pub(super) struct Taken {
    pub(super) batch: Batch,
    pub(super) already_there: u64,
    /// Clocks of heartbeats that were left out: they still say that a connector lives.
    pub(super) heartbeats: Vec<(String, DateTime<Utc>)>,
}

impl Inbox {
    pub(super) fn put(&mut self, chunks: Vec<Chunk>, now: Instant) {
        self.since.get_or_insert(now);
        self.records += chunks.iter().map(|chunk| chunk.records.len()).sum::<usize>();
        self.chunks.extend(chunks);
    }

    pub(super) const fn records(&self) -> usize {
        self.records
    }

    pub(super) const fn since(&self) -> Option<Instant> {
        self.since
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Takes records until a batch has `limit` of them; what is left of a chunk waits for the next batch.
    /// Records of a reading position that no longer counts are dropped without a trace: they are read again.
    pub(super) fn take(&mut self, assignment: &Assignment, limit: usize) -> Taken {
        let mut taken = Taken::default();
        let mut places: HashMap<Partition, usize> = HashMap::new();
        while taken.batch.records.len() < limit {
            let Some(mut chunk) = self.chunks.pop_front() else {
                break;
            };
            let before = chunk.records.len();
            let Some(base) = assignment.admits(&chunk.partition, chunk.token) else {
                self.records -= before;
                continue;
            };
            let mut place = places.get(&chunk.partition).copied();
            while taken.batch.records.len() < limit {
                let Some(read) = chunk.records.pop_front() else {
                    break;
                };
                if read.offset < base {
                    taken.already_there += 1;
                    if let Ok(Record::Heartbeat { prefix, at }) = read.content {
                        taken.heartbeats.push((prefix, at));
                    }
                    continue;
                }
                let next = read.offset + 1;
                let index = match place {
                    Some(index) => index,
                    None => match assignment.step(&chunk.partition, next) {
                        Some(step) => {
                            taken.batch.steps.push(step);
                            let index = taken.batch.steps.len() - 1;
                            places.insert(chunk.partition.clone(), index);
                            place = Some(index);
                            index
                        }
                        None => continue,
                    },
                };
                taken.batch.steps[index].next = next;
                taken.batch.records.push(BatchRecord {
                    step: index,
                    offset: read.offset,
                    kafka_at: read.kafka_at,
                    content: read.content,
                });
            }
            self.records -= before - chunk.records.len();
            if !chunk.records.is_empty() {
                self.chunks.push_front(chunk);
            }
        }
        if self.chunks.is_empty() {
            self.since = None;
        }
        taken
    }
}

#[cfg(test)]
mod tests {
    use instashop_core::checkpoint::Owned;

    use super::*;
    use crate::kafka::{Credit, Read};

    fn chunk(partition: &Partition, token: u64, offsets: std::ops::Range<i64>) -> Chunk {
        Chunk {
            partition: partition.clone(),
            token,
            records: offsets
                .map(|offset| Read {
                    offset,
                    kafka_at: None,
                    content: Ok(Record::Heartbeat {
                        prefix: "crm".into(),
                        at: DateTime::UNIX_EPOCH,
                    }),
                })
                .collect(),
            load: Credit::new(1, 1).take(1, 1),
        }
    }

    #[test]
    fn batches_are_cut_at_the_limit_and_begin_at_the_checkpoint() {
        let partition = Partition {
            topic: "transaction".into(),
            number: 0,
        };
        let owned = Owned {
            epoch: 1,
            checkpoint: 3,
        };
        let mut assignment = Assignment::default();
        let token = assignment.take([(partition.clone(), owned)])[0].token;
        let mut inbox = Inbox::default();
        inbox.put(
            vec![
                chunk(&partition, token, 0..10),
                chunk(&partition, token + 1, 10..99),
                chunk(&partition, token, 10..12),
            ],
            Instant::now(),
        );
        let first = inbox.take(&assignment, 4);
        assert_eq!(first.already_there, 3);
        assert_eq!(
            first.heartbeats.len(),
            3,
            "they still say that the connector lives"
        );
        let next = |taken: &Taken| (taken.batch.steps[0].base, taken.batch.steps[0].next);
        assert_eq!((first.batch.records.len(), next(&first)), (4, (3, 7)));
        assignment.applied(&first.batch);
        let second = inbox.take(&assignment, 100);
        assert_eq!((second.batch.records.len(), next(&second)), (5, (7, 12)));
        assert_eq!(inbox.records(), 0);
        assert_eq!(inbox.since(), None);
    }
}
