//! A batch of decoded records with the steps it takes in Kafka: what a flow hands to its sink.

use chrono::{DateTime, Utc};

use crate::change::Record;
use crate::checkpoint::{Answer, Partition, Step};

/// A record that could not be decoded: everything needed to keep it and to replay it.
#[derive(Debug, Clone, PartialEq, Eq)]
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
}

/// What became of the records of a batch (docs: reliability I6); the five add up to the number of records.
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
}
