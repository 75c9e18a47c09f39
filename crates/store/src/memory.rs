//! A sink in memory for tests of the flows: it keeps the promises of [`Sink`] and fails on request.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use instashop_core::batch::{Batch, Outcome, Tally};
use instashop_core::change::Record;
use instashop_core::checkpoint::{Answer, Owned, Partition};

use crate::{Kind, Sink, StoreError};

/// What goes wrong at a call of `apply` or `recover`, in the order given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The call goes well.
    None,
    /// Another worker was quicker: nothing is written, the answer is `Conflict`.
    Conflict,
    /// Nothing is written and the call fails.
    Fail(Kind),
    /// Everything is written and the call fails all the same: the answer was lost.
    DoneThenFail,
}

/// What the sink holds.
#[derive(Debug, Default)]
pub struct Contents {
    /// Epoch and checkpoint of each partition.
    pub partitions: BTreeMap<Partition, Owned>,
    /// Offsets applied, in the order of application.
    pub applied: Vec<(Partition, i64)>,
    /// Faults of the next calls of `apply`.
    pub faults: VecDeque<Fault>,
    /// Faults of the next calls of `recover`.
    pub recover_faults: VecDeque<Fault>,
    /// Sizes of the batches that were handed over, applied or not.
    pub sizes: Vec<usize>,
    /// True for a sink that cannot be built again from the topics.
    pub permanent: bool,
    /// How often everything was begun from nothing.
    pub generations: u32,
}

/// A sink in memory; clones share their contents, so that a test can look at it and several workers can write to it.
#[derive(Debug, Clone, Default)]
pub struct MemorySink {
    contents: Arc<Mutex<Contents>>,
}

impl MemorySink {
    /// The contents, to look at and to change.
    pub fn contents(&self) -> MutexGuard<'_, Contents> {
        self.contents.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Loses everything, as FLUSHALL does.
    pub fn flush(&self) {
        let mut contents = self.contents();
        contents.partitions.clear();
        contents.applied.clear();
    }

    /// Goes back in time: the partition's checkpoint is `at` again and what came after is gone.
    pub fn roll_back(&self, partition: &Partition, at: i64) {
        let mut contents = self.contents();
        if let Some(owned) = contents.partitions.get_mut(partition) {
            owned.checkpoint = at;
        }
        contents
            .applied
            .retain(|(applied, offset)| applied != partition || *offset < at);
    }

    fn failure(kind: Kind) -> StoreError {
        StoreError::new(kind, "memory: a fault of the test")
    }
}

impl Sink for MemorySink {
    async fn recover(
        &mut self,
        partitions: &[Partition],
        _now: DateTime<Utc>,
    ) -> Result<Vec<Owned>, StoreError> {
        let mut contents = self.contents();
        if let Some(Fault::Fail(kind)) = contents.recover_faults.pop_front() {
            return Err(Self::failure(kind));
        }
        Ok(partitions
            .iter()
            .map(|partition| {
                let owned = contents.partitions.entry(partition.clone()).or_insert(Owned {
                    epoch: 0,
                    checkpoint: 0,
                });
                owned.epoch += 1;
                *owned
            })
            .collect())
    }

    async fn apply(&mut self, batch: &Batch, _now: DateTime<Utc>) -> Result<Outcome, StoreError> {
        let mut contents = self.contents();
        contents.sizes.push(batch.records.len());
        let fault = contents.faults.pop_front().unwrap_or(Fault::None);
        match fault {
            Fault::Fail(kind) => return Err(Self::failure(kind)),
            Fault::Conflict => return Ok(Outcome::Conflict),
            Fault::None | Fault::DoneThenFail => {}
        }
        let refused: Vec<_> = batch
            .steps
            .iter()
            .map(|step| {
                (
                    step.partition.clone(),
                    Answer::of(contents.partitions.get(&step.partition).copied(), step),
                )
            })
            .filter(|(_, answer)| *answer != Answer::Clean)
            .collect();
        if !refused.is_empty() {
            return Ok(Outcome::Refused(refused));
        }
        let mut tally = Tally::default();
        for record in &batch.records {
            if let Some(partition) = batch.partition(record) {
                contents.applied.push((partition.clone(), record.offset));
            }
            match &record.content {
                Ok(Record::Change(_)) => tally.applied += 1,
                Ok(_) => tally.not_a_row += 1,
                Err(_) => tally.rejected += 1,
            }
        }
        for step in &batch.steps {
            contents.partitions.insert(
                step.partition.clone(),
                Owned {
                    epoch: step.epoch,
                    checkpoint: step.next,
                },
            );
        }
        if fault == Fault::DoneThenFail {
            return Err(Self::failure(Kind::Transient));
        }
        Ok(Outcome::Applied(tally))
    }

    async fn start_over(&mut self, why: &str, _now: DateTime<Utc>) -> Result<(), StoreError> {
        if self.contents().permanent {
            return Err(StoreError::new(Kind::Permanent, why));
        }
        self.flush();
        self.contents().generations += 1;
        Ok(())
    }
}
