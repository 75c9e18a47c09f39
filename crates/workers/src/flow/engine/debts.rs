//! What the loop owes before it can go on with records, and how it pays.

use chrono::Utc;
use instashop_core::batch::Batch;
use instashop_core::checkpoint::Partition;
use instashop_store::{Kind, Sink};

use super::Engine;
use crate::flow::{Flow, FlowFailure};
use crate::kafka::{self, Command};

/// What the loop owes before it can go on with records.
#[derive(Debug)]
pub(super) enum Debt {
    /// A new assignment waits for the sink's checkpoints.
    Assignment { number: u64, partitions: Vec<Partition> },
    /// The sink does not know partitions that are held, or fenced ones are due: ask again.
    Recovery(Vec<Partition>),
    /// Records are gone from Kafka: begin again from nothing, or stop these partitions.
    StartOver { partition: Partition, why: String },
}

impl<S: Sink> Engine<S> {
    pub(super) async fn pay(&mut self, debt: Debt) -> Result<(), FlowFailure> {
        let now = Utc::now();
        let result = match &debt {
            Debt::Assignment { number, partitions } => match self.sink.recover(partitions, now).await {
                Ok(owned) => {
                    let starts = self.assignment.take(partitions.iter().cloned().zip(owned));
                    tracing::info!(partitions = starts.len(), "reading from the sink's checkpoints");
                    self.order(Command::Begin {
                        number: *number,
                        starts,
                    });
                    Ok(())
                }
                Err(error) => Err(error),
            },
            Debt::Recovery(partitions) => match self.sink.recover(partitions, now).await {
                Ok(owned) => {
                    for (partition, owned) in partitions.iter().zip(owned) {
                        match self.assignment.recovered(partition, owned) {
                            Some(start) => self.seek(start),
                            None => self.in_hand(partition, |step| step.epoch = owned.epoch),
                        }
                    }
                    Ok(())
                }
                Err(error) => Err(error),
            },
            Debt::StartOver { partition, why } => match self.sink.start_over(why, now).await {
                Ok(()) => {
                    let reading = self.assignment.reading().cloned().collect();
                    self.debts.push_front(Debt::Recovery(reading));
                    Ok(())
                }
                Err(error) if error.kind() == Kind::Permanent => {
                    tracing::error!("{error}");
                    let moment = self.steady_now();
                    self.assignment.stop(partition, error.to_string(), moment);
                    self.forget(&partition.clone());
                    Ok(())
                }
                Err(error) => Err(error),
            },
        };
        match result {
            Ok(()) => {
                self.recovered_from_failure();
                Ok(())
            }
            Err(error) => {
                self.debts.push_front(debt);
                self.failed(error)
            }
        }
    }

    /// Looks for the gap that makes no error: the flow was away for longer than the topics keep every change. The live
    /// store begins again (true, the batch is not to be applied); for the warehouse the gap is said aloud.
    pub(super) fn has_outlived(&mut self, batch: &Batch) -> bool {
        let now = Utc::now();
        if self
            .sink
            .built_since()
            .is_some_and(|since| now - since <= self.pace.retention)
        {
            return false;
        }
        for (index, step) in batch.steps.iter().enumerate() {
            let first = batch.records.iter().find(|record| record.step == index);
            let Some(written_at) = first.and_then(|record| record.kafka_at) else {
                continue;
            };
            if kafka::is_heartbeat(&step.partition.topic)
                || !self
                    .assignment
                    .outlived(&step.partition, written_at, now, self.pace.retention)
            {
                continue;
            }
            let why = format!(
                "{} was not read for longer than its {} hours of retention (next record of {})",
                step.partition,
                self.pace.retention.num_hours(),
                written_at.format("%Y-%m-%d %H:%M UTC"),
            );
            match self.flow {
                Flow::Live => {
                    self.debts.push_back(Debt::StartOver {
                        partition: step.partition.clone(),
                        why,
                    });
                    return true;
                }
                Flow::Warehouse => tracing::error!(
                    "{why}: changes and deletes of that time may be missing from the event log; run `instashop verify`"
                ),
            }
        }
        false
    }

    /// Stops the tables whose records lack what is needed, and leaves them out of the batch; the others go on.
    pub(super) fn without_drifted_tables(&mut self, batch: Batch) -> Batch {
        let now = self.steady_now();
        let mut stopped = Vec::new();
        for drift in self.drift.judge(&batch) {
            let reason = format!("{}: its schema changed. {}", drift.topic, drift.detail);
            tracing::error!("{reason} The table is stopped, the others go on");
            stopped.extend(self.assignment.stop_topic(&drift.topic, &reason, now));
        }
        if stopped.is_empty() {
            batch
        } else {
            batch.without(&stopped)
        }
    }

    pub(super) fn out_of_range(&mut self, partition: Partition, position: i64, low: i64, high: i64) {
        if kafka::is_heartbeat(&partition.topic) {
            // Old heartbeats say nothing. The checkpoint stays; what comes after it counts.
            if let Some(start) = self.assignment.seek_to_beginning(&partition) {
                self.order(Command::Seek(start));
            }
            return;
        }
        let why = if position > high {
            self.breaker.forget(&partition);
            format!(
                "{partition} ends at {high}, before the checkpoint {position}: the topic was made anew or lost records"
            )
        } else {
            format!(
                "{partition} begins at {low}, after the checkpoint {position}: records were removed before they were read"
            )
        };
        self.debts.push_back(Debt::StartOver { partition, why });
    }
}
