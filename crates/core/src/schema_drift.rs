//! Schema drift: a table whose records stopped having what the product needs (docs: cdc pitfall 24).
//!
//! A column that was dropped or given another type at a source makes every later record of its table unusable. One such
//! record is a dead letter; a run of them without a good one in between is a changed table, which is stopped alone: the
//! other tables go on, and nothing is filled with NULL in silence.

use std::collections::BTreeMap;

use crate::batch::Batch;
use crate::change::Record;

/// Records of a table in a row that say the same.
const RUN: u64 = 5;

/// A table whose records cannot be used any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drift {
    /// Its topic.
    pub topic: String,
    /// What the last record lacks, as its dead letter would say it.
    pub detail: String,
}

/// What one worker saw last of each topic.
#[derive(Debug, Clone, Default)]
pub struct DriftWatch {
    /// By topic: records in a row that lack something, and what the last of them lacks.
    runs: BTreeMap<String, (u64, String)>,
}

impl DriftWatch {
    /// Reads a batch that is about to be applied. The partitions of the topics it names are not to be applied.
    ///
    /// A table is judged by how the batch ends: records that cannot be used and are followed by good ones are the traces
    /// of a change that was taken back, and become dead letters.
    pub fn judge(&mut self, batch: &Batch) -> Vec<Drift> {
        for record in &batch.records {
            let Some(partition) = batch.partition(record) else {
                continue;
            };
            match &record.content {
                Ok(Record::Change(_)) => {
                    self.runs.remove(&partition.topic);
                }
                Err(rejected) if matches!(&*rejected.reason, "missing_column" | "wrong_type") => {
                    let (run, detail) = self.runs.entry(partition.topic.clone()).or_default();
                    *run += 1;
                    detail.clone_from(&rejected.detail);
                }
                _ => {}
            }
        }
        let drifted = self.runs.iter().filter(|(topic, (run, _))| {
            *run >= RUN && batch.steps.iter().any(|step| step.partition.topic == **topic)
        });
        drifted
            .map(|(topic, (_, detail))| Drift {
                topic: topic.clone(),
                detail: detail.clone(),
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::{BatchRecord, Rejected};
    use crate::change::{Change, Op};
    use crate::checkpoint::{Partition, Step};
    use crate::position::Position;
    use crate::table::Table;

    /// A batch in which every letter is a record: `g` good, `m` lacks a column, `t` has a wrong type, `j` is no JSON.
    fn batch(topic: &str, records: &str) -> Batch {
        let good = Change {
            source: Table::Stock.source(),
            table: Table::Stock,
            key: 1,
            op: Op::Create,
            before: None,
            after: None,
            position: Position::streamed(0, 1),
            lsn: 1,
            tx_id: None,
            committed_at: chrono::DateTime::UNIX_EPOCH,
            snapshot: false,
            repair: false,
        };
        let reject = |reason: &str| {
            Err(Box::new(Rejected {
                reason: reason.into(),
                detail: format!("it is {reason}"),
                ..Rejected::default()
            }))
        };
        let records = records.chars().zip(0..).map(|(letter, offset)| BatchRecord {
            step: 0,
            offset,
            kafka_at: None,
            content: match letter {
                'g' => Ok(Record::Change(Box::new(good.clone()))),
                'm' => reject("missing_column"),
                't' => reject("wrong_type"),
                _ => reject("bad_json"),
            },
        });
        Batch {
            records: records.collect(),
            steps: vec![Step {
                partition: Partition {
                    topic: topic.into(),
                    number: 0,
                },
                epoch: 1,
                base: 0,
                next: 100,
            }],
        }
    }

    #[test]
    fn a_run_without_a_good_record_is_drift() {
        let cases = [
            (&["mmmmm"][..], "it is missing_column"),
            (&["tmtmt"], "it is wrong_type"),
            (&["gggmm", "jmmmj"], "it is missing_column"),
            (&["mmmm"], ""),
            (&["mmmmmg"], ""),
            (&["mmm", "g", "mmm"], ""),
            (&["jjjjjjjjj"], ""),
        ];
        for (batches, expected) in cases {
            let mut watch = DriftWatch::default();
            let mut last = Vec::new();
            for records in batches {
                last = watch.judge(&batch("stock", records));
            }
            let detail = last.first().map_or("", |drift| &*drift.detail);
            assert_eq!(detail, expected, "{batches:?}");
        }
    }

    #[test]
    fn only_the_topics_of_the_batch_are_named_and_a_good_end_is_an_end() {
        let mut watch = DriftWatch::default();
        assert_eq!(watch.judge(&batch("stock", "mmmmmm")).len(), 1);
        assert_eq!(watch.judge(&batch("product", "g")), []);
        assert_eq!(
            watch.judge(&batch("stock", "mmmmmm")).len(),
            1,
            "tried again, the same"
        );
        assert_eq!(watch.judge(&batch("stock", "mmmmmmg")), []);
    }
}
