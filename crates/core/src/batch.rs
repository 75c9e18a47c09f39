//! A batch of decoded records with the steps it takes in Kafka: what a flow hands to its sink.

use chrono::{DateTime, Utc};

use crate::change::Record;
use crate::checkpoint::{Answer, Partition, Step};

/// A record that could not be decoded: everything needed to keep it and to replay it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rejected {
    /// Stable name of the reason, for counting: `bad_json`, `wrong_type`, `unknown_op`, ...
    pub reason: String,
    /// One sentence for the operator.
    pub detail: String,
    /// Key bytes as they came.
    pub key: Option<Vec<u8>>,
    /// Value bytes as they came.
    pub value: Option<Vec<u8>>,
}

/// One record at its place in Kafka.
#[derive(Debug, Clone, PartialEq)]
pub struct BatchRecord {
    /// Index into [`Batch::steps`].
    pub step: usize,
    /// Offset in that partition.
    pub offset: i64,
    /// Timestamp of the Kafka record, when it has one.
    pub kafka_at: Option<DateTime<Utc>>,
    /// The decoded record, or why it could not be decoded.
    pub content: Result<Record, Box<Rejected>>,
}

/// Records of one or more partitions, per partition in offset order, with one step for each partition.
///
/// A partition may take a step without a record (an idle check has `base == next`), and a record that changes
/// nothing still belongs to the step: the checkpoint moves past it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Batch {
    /// One step per partition, each partition at most once.
    pub steps: Vec<Step>,
    /// The records.
    pub records: Vec<BatchRecord>,
}

impl Batch {
    /// The partition a record came from.
    pub fn partition(&self, record: &BatchRecord) -> Option<&Partition> {
        self.steps.get(record.step).map(|step| &step.partition)
    }

    /// The batch without the given partitions; used when the sink refused those and the rest is to be tried again.
    #[must_use]
    pub fn without(self, refused: &[Partition]) -> Self {
        let mut renumbered = Vec::with_capacity(self.steps.len());
        let mut steps = Vec::new();
        for step in self.steps {
            if refused.contains(&step.partition) {
                renumbered.push(None);
            } else {
                renumbered.push(Some(steps.len()));
                steps.push(step);
            }
        }
        let records = self
            .records
            .into_iter()
            .filter_map(|mut record| {
                record.step = (*renumbered.get(record.step)?)?;
                Some(record)
            })
            .collect();
        Self { steps, records }
    }

    /// The batch with one partition beginning at a later checkpoint: records the sink already has are left out. When
    /// nothing of the partition is left, its step goes too.
    #[must_use]
    pub fn beginning_at(mut self, partition: &Partition, at: i64) -> Self {
        let Some(index) = self.steps.iter().position(|step| step.partition == *partition) else {
            return self;
        };
        if at >= self.steps[index].next {
            return self.without(std::slice::from_ref(partition));
        }
        self.steps[index].base = at;
        self.records
            .retain(|record| record.step != index || record.offset >= at);
        self
    }

    /// Two batches that do one after the other what this one does, or this one back when it is too small. Used when
    /// conflicts repeat: a smaller batch meets fewer others.
    pub fn halves(self) -> Result<(Self, Self), Self> {
        let middle = self.records.len() / 2;
        if middle == 0 {
            return Err(self);
        }
        let (mut first, mut second) = (Self::default(), Self::default());
        let (mut in_first, mut in_second) = (vec![None; self.steps.len()], vec![None; self.steps.len()]);
        // The next checkpoint of the first half is where the partition goes on in the second.
        for (index, record) in self.records.into_iter().enumerate() {
            let Some(step) = self.steps.get(record.step) else {
                continue;
            };
            let (half, places) = if index < middle {
                (&mut first, &mut in_first)
            } else {
                (&mut second, &mut in_second)
            };
            let place = *places[record.step].get_or_insert_with(|| {
                half.steps.push(step.clone());
                half.steps.len() - 1
            });
            half.records.push(BatchRecord {
                step: place,
                ..record
            });
        }
        for (index, step) in self.steps.into_iter().enumerate() {
            match (in_first[index], in_second[index]) {
                (Some(one), Some(two)) => {
                    let border = second
                        .records
                        .iter()
                        .find(|record| record.step == two)
                        .map_or(step.next, |record| record.offset);
                    first.steps[one].next = border;
                    second.steps[two].base = border;
                }
                (None, None) => second.steps.push(step),
                _ => {}
            }
        }
        Ok((first, second))
    }
}

/// What became of the records of a batch (docs: reliability I6); the six add up to the number of records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Changed something in the sink.
    pub applied: u64,
    /// Said what the sink already knew (re-snapshots), or a row this sink does not keep.
    pub unchanged: u64,
    /// Certainly older than what is stored: a replay.
    pub older: u64,
    /// Could not be decoded.
    pub rejected: u64,
    /// Heartbeats, tombstones and other traffic.
    pub not_a_row: u64,
    /// Changes of rows of sealed days, which this sink does not keep any more (docs: reliability 5.10).
    pub late: u64,
}

impl Tally {
    /// Sum of the six: equal to the number of records of the batch.
    pub const fn total(&self) -> u64 {
        self.applied + self.unchanged + self.older + self.rejected + self.not_a_row + self.late
    }

    /// Both together.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self {
            applied: self.applied + other.applied,
            unchanged: self.unchanged + other.unchanged,
            older: self.older + other.older,
            rejected: self.rejected + other.rejected,
            not_a_row: self.not_a_row + other.not_a_row,
            late: self.late + other.late,
        }
    }
}

/// Result of handing a batch to a sink. A sink does all of a batch or nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Everything is in the sink, with the new checkpoints, in one atomic write.
    Applied(Tally),
    /// Nothing was written: these partitions are not clean (each with its answer, never `Clean`).
    Refused(Vec<(Partition, Answer)>),
    /// Nothing was written: another worker changed a state between read and write. Try the same batch again.
    Conflict,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::change::NotARow;

    #[test]
    fn without_drops_a_partition_and_renumbers_the_rest() {
        let partition = |number| Partition {
            topic: "t".into(),
            number,
        };
        let step = |number| Step {
            partition: partition(number),
            epoch: 1,
            base: 0,
            next: 2,
        };
        let record = |step, offset| BatchRecord {
            step,
            offset,
            kafka_at: None,
            content: Ok(Record::NotARow(NotARow::Message)),
        };
        let batch = Batch {
            steps: vec![step(0), step(1), step(2)],
            records: vec![record(0, 0), record(1, 0), record(2, 1)],
        };
        let rest = batch.without(&[partition(1)]);
        assert_eq!(rest.steps, vec![step(0), step(2)]);
        assert_eq!(rest.records, vec![record(0, 0), record(1, 1)]);
    }

    fn marked(offsets: &[(usize, i64)], nexts: &[i64]) -> Batch {
        Batch {
            steps: nexts
                .iter()
                .enumerate()
                .map(|(number, next)| Step {
                    partition: Partition {
                        topic: "t".into(),
                        number: number as i32,
                    },
                    epoch: 1,
                    base: 0,
                    next: *next,
                })
                .collect(),
            records: offsets
                .iter()
                .map(|(step, offset)| BatchRecord {
                    step: *step,
                    offset: *offset,
                    kafka_at: None,
                    content: Ok(Record::NotARow(NotARow::Message)),
                })
                .collect(),
        }
    }

    fn shape(batch: &Batch) -> Vec<(i32, i64, i64, Vec<i64>)> {
        batch
            .steps
            .iter()
            .enumerate()
            .map(|(index, step)| {
                let offsets = batch
                    .records
                    .iter()
                    .filter(|record| record.step == index)
                    .map(|record| record.offset);
                (step.partition.number, step.base, step.next, offsets.collect())
            })
            .collect()
    }

    #[test]
    fn beginning_at_leaves_out_what_the_sink_has() {
        let batch = marked(&[(0, 3), (1, 7), (0, 5), (0, 9)], &[10, 8]);
        let partition = batch.steps[0].partition.clone();
        assert_eq!(
            shape(&batch.clone().beginning_at(&partition, 5)),
            [(0, 5, 10, vec![5, 9]), (1, 0, 8, vec![7])]
        );
        assert_eq!(shape(&batch.beginning_at(&partition, 10)), [(1, 0, 8, vec![7])]);
    }

    #[test]
    fn halves_do_the_same_one_after_the_other() {
        let batch = marked(&[(0, 0), (1, 4), (0, 2), (0, 5), (2, 1), (1, 6)], &[6, 7, 2, 0]);
        let (first, second) = batch.halves().unwrap();
        assert_eq!(shape(&first), [(0, 0, 5, vec![0, 2]), (1, 0, 6, vec![4])]);
        assert_eq!(
            shape(&second),
            [
                (0, 5, 6, vec![5]),
                (2, 0, 2, vec![1]),
                (1, 6, 7, vec![6]),
                (3, 0, 0, vec![])
            ]
        );
        let single = marked(&[(0, 0)], &[1]);
        assert_eq!(single.clone().halves(), Err(single));
    }
}
