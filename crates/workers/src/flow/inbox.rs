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

    /// Takes chunks until a batch has `limit` records; a chunk is never cut, so a batch may hold one chunk more.
    /// Records of a reading position that no longer counts are dropped without a trace: they are read again.
    pub(super) fn take(&mut self, assignment: &Assignment, limit: usize) -> Taken {
        let mut taken = Taken::default();
        let mut places: HashMap<Partition, usize> = HashMap::new();
        while taken.batch.records.len() < limit {
            let Some(chunk) = self.chunks.pop_front() else {
                break;
            };
            self.records -= chunk.records.len();
            let Some(base) = assignment.admits(&chunk.partition, chunk.token) else {
                continue;
            };
            let mut place = places.get(&chunk.partition).copied();
            for read in chunk.records {
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
        }
        if self.chunks.is_empty() {
            self.since = None;
        }
        taken
    }
}
