//! How a worker cuts batches from the logs.

use std::collections::BTreeMap;

use instashop_core::batch::{Batch, BatchRecord};
use instashop_core::checkpoint::{Epoch, Partition, Step};

use crate::random::Random;
use crate::shop::Log;

/// What a worker believes of a partition.
#[derive(Debug, Clone, Copy)]
pub struct Belief {
    pub epoch: Epoch,
    pub base: i64,
}

/// A batch of up to a few records from each of some partitions a worker owns.
pub fn next_batch(
    worker: &BTreeMap<Partition, Belief>,
    logs: &[Log],
    random: &mut Random,
    most: usize,
) -> Batch {
    let mut batch = Batch::default();
    let several = random.chance(50);
    let first = random.below(worker.len().max(1));
    for (index, (partition, belief)) in worker.iter().enumerate() {
        if index != first && !(several && random.chance(40)) {
            continue;
        }
        let log = logs.iter().find(|log| log.partition == *partition).unwrap();
        let number = batch.steps.len();
        let mut next = belief.base;
        for entry in log
            .entries
            .iter()
            .filter(|entry| entry.offset >= belief.base)
            .take(1 + random.below(most))
        {
            next = entry.offset + 1;
            batch.records.push(BatchRecord {
                step: number,
                offset: entry.offset,
                kafka_at: None,
                content: entry.content.clone(),
            });
        }
        if log.entries.last().is_none_or(|last| last.offset < next) && random.chance(50) {
            next = next.max(log.end);
        }
        batch.steps.push(Step {
            partition: partition.clone(),
            epoch: belief.epoch,
            base: belief.base,
            next,
        });
    }
    batch
}
