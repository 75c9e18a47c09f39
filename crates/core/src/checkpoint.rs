//! Kafka progress as a sink stores it: partition, checkpoint, epoch, and the answers of a commit.
//!
//! A checkpoint is the next offset to read. Offsets have holes (compaction, transaction markers), so progress is
//! compared as "stored checkpoint = the base I hold", never as "last + 1" (docs: reliability 4.2 rule 1).

use std::fmt;

use serde::{Deserialize, Serialize};

/// A topic partition.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Partition {
    /// Topic name.
    pub topic: String,
    /// Partition number.
    pub number: i32,
}

impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.topic, self.number)
    }
}

/// Number that grows with every assignment of a partition; a writer with a lower one is refused.
pub type Epoch = u64;

/// What a sink knows about a partition after an assignment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owned {
    /// The new owner's epoch.
    pub epoch: Epoch,
    /// Next offset to read; 0 = from the beginning.
    pub checkpoint: i64,
}

/// One step of one partition: from the checkpoint the worker believes the sink has, to the new one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The partition.
    pub partition: Partition,
    /// The owner's epoch.
    pub epoch: Epoch,
    /// Checkpoint the worker believes the sink has.
    pub base: i64,
    /// Checkpoint after this batch. Equal to `base` for an idle check.
    pub next: i64,
}

/// A sink's verdict on one partition's step.
///
/// The truth table, for a sink that holds (`stored_epoch`, `at`) and a step (`epoch`, `base`, `next`):
///
/// | condition, first that holds | answer |
/// |---|---|
/// | the sink has no such partition (or another generation) | `Empty` |
/// | `epoch < stored_epoch` | `Fenced` |
/// | `at == base` | `Clean` |
/// | `at < base` | `Behind` |
/// | `at >= next` | `Duplicate` |
/// | otherwise (`base < at < next`) | `Overlap` |
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// The step may be applied.
    Clean,
    /// The sink already has all of it; go on from the checkpoint given.
    Duplicate(i64),
    /// The sink went back in time: seek to the checkpoint given and replay.
    Behind(i64),
    /// The sink has part of it: drop the batch, seek to the checkpoint given.
    Overlap(i64),
    /// A newer owner exists: stop this partition.
    Fenced(Epoch),
    /// The sink does not know the partition: recover it, or start a new generation.
    Empty,
}

impl Answer {
    /// The truth table above, for sinks that decide in Rust (the warehouse, the tests).
    pub fn of(stored: Option<Owned>, step: &Step) -> Self {
        let Some(stored) = stored else { return Self::Empty };
        let at = stored.checkpoint;
        if step.epoch < stored.epoch {
            Self::Fenced(stored.epoch)
        } else if at == step.base {
            Self::Clean
        } else if at < step.base {
            Self::Behind(at)
        } else if at >= step.next {
            Self::Duplicate(at)
        } else {
            Self::Overlap(at)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn truth_table() {
        let step = |epoch, base, next| Step {
            partition: Partition {
                topic: "transaction".into(),
                number: 0,
            },
            epoch,
            base,
            next,
        };
        let stored = |epoch, checkpoint| Some(Owned { epoch, checkpoint });
        let cases = [
            ("unknown partition", None, step(1, 0, 5), Answer::Empty),
            ("clean", stored(3, 10), step(3, 10, 20), Answer::Clean),
            ("idle check, clean", stored(3, 10), step(3, 10, 10), Answer::Clean),
            ("newer owner", stored(4, 10), step(3, 10, 20), Answer::Fenced(4)),
            (
                "rolled back sink",
                stored(3, 5),
                step(3, 10, 20),
                Answer::Behind(5),
            ),
            (
                "rolled back sink, idle check",
                stored(3, 5),
                step(3, 10, 10),
                Answer::Behind(5),
            ),
            (
                "reply was lost",
                stored(3, 20),
                step(3, 10, 20),
                Answer::Duplicate(20),
            ),
            (
                "further than this batch",
                stored(3, 25),
                step(3, 10, 20),
                Answer::Duplicate(25),
            ),
            (
                "partly applied",
                stored(3, 15),
                step(3, 10, 20),
                Answer::Overlap(15),
            ),
            (
                "epoch went back with the sink",
                stored(2, 10),
                step(3, 10, 20),
                Answer::Clean,
            ),
        ];
        for (name, stored, step, expected) in cases {
            assert_eq!(Answer::of(stored, &step), expected, "{name}");
        }
        assert_eq!(step(1, 0, 5).partition.to_string(), "transaction/0");
    }
}
