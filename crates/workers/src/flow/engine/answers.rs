//! What the loop does with the sink's answer to a batch: go on, try again, skip, seek, leave, or wait.

use std::time::Duration;

use chrono::Utc;
use instashop_core::assignment::Action;
use instashop_core::batch::{Batch, Outcome, Tally};
use instashop_core::checkpoint::{Answer, Partition};
use instashop_store::fail_point::{self, FailPoint};
use instashop_store::{Kind, Sink, StoreError};
use tokio::time::Instant;

use super::{Debt, Engine, REMIND};
use crate::flow::FlowFailure;
use crate::flow::backoff::jitter;

/// The longest wait between two tries of a batch that met conflicts.
const CONFLICT_WAIT: Duration = Duration::from_millis(50);
/// How often the log repeats that the flow is late for hours.
const REMIND_OF_AGE: Duration = Duration::from_mins(10);

impl<S: Sink> Engine<S> {
    pub(super) async fn try_batch(&mut self) -> Result<(), FlowFailure> {
        let Some(batch) = self.trying.pop_front() else {
            return Ok(());
        };
        match self.sink.apply(&batch, Utc::now()).await {
            Ok(Outcome::Applied(tally)) => {
                self.recovered_from_failure();
                self.conflicts_in_a_row = 0;
                if !batch.records.is_empty() {
                    fail_point::reached(FailPoint::Applied);
                }
                self.applied(&batch, tally)
            }
            Ok(Outcome::Conflict) => {
                self.recovered_from_failure();
                self.conflict(batch);
                Ok(())
            }
            Ok(Outcome::Refused(answers)) => {
                self.recovered_from_failure();
                self.trying.push_front(batch);
                self.refused(answers)
            }
            Err(error) => {
                self.trying.push_front(batch);
                self.failed(error)
            }
        }
    }

    fn applied(&mut self, batch: &Batch, tally: Tally) -> Result<(), FlowFailure> {
        let conserved = self
            .counters
            .applied(batch, tally, &mut self.assignment, Utc::now());
        self.assignment.applied(batch);
        for step in &batch.steps {
            if step.next != step.base {
                if self.breaker.passed(&step.partition, step.next) {
                    self.hints.insert(step.partition.clone(), step.next);
                }
                self.touched.insert(step.partition.clone());
            }
        }
        self.warn_of_age(batch);
        if conserved {
            return Ok(());
        }
        Err(FlowFailure::Sink(StoreError::new(
            Kind::Broken,
            format!(
                "{}: {} records were handed over and {} accounted for ({tally:?})",
                self.flow.sink_name(),
                batch.records.len(),
                tally.total(),
            ),
        )))
    }

    /// Says it when the flow is so late that the topics will soon give up changes it has not read.
    fn warn_of_age(&mut self, batch: &Batch) {
        let late = self.pace.retention / 2;
        let (now, moment) = (Utc::now(), Instant::now());
        if self
            .warned_of_age
            .is_some_and(|warned| moment.duration_since(warned) < REMIND_OF_AGE)
        {
            return;
        }
        let oldest = batch
            .records
            .iter()
            .filter(|record| {
                batch
                    .partition(record)
                    .is_some_and(|partition| !self.assignment.is_rebuilding(partition))
            })
            .filter_map(|record| record.kafka_at)
            .min();
        if let Some(oldest) = oldest.filter(|oldest| now - *oldest > late) {
            self.warned_of_age = Some(moment);
            tracing::warn!(
                "the {} flow is {} hours late; after {} hours changes are lost to compaction (kafka.retention_hours)",
                self.flow.name(),
                (now - oldest).num_hours(),
                self.pace.retention.num_hours(),
            );
        }
    }

    /// The same batch again; after two conflicts in a row in halves, with a short random wait.
    fn conflict(&mut self, batch: Batch) {
        self.counters.conflict();
        self.conflicts_in_a_row += 1;
        if self.conflicts_in_a_row < 2 {
            self.trying.push_front(batch);
            return;
        }
        match batch.halves() {
            Ok((first, second)) => {
                self.trying.push_front(second);
                self.trying.push_front(first);
            }
            Err(single) => self.trying.push_front(single),
        }
        let wait = Duration::from_millis(2)
            .saturating_mul(self.conflicts_in_a_row)
            .min(CONFLICT_WAIT);
        self.not_before = Some(Instant::now() + jitter(wait));
    }

    fn refused(&mut self, answers: Vec<(Partition, Answer)>) -> Result<(), FlowFailure> {
        if answers.is_empty() {
            return Err(FlowFailure::Sink(StoreError::new(
                Kind::Broken,
                format!("{} refused a batch without saying why", self.flow.sink_name()),
            )));
        }
        let mut recover = false;
        let (mut ahead, mut behind, mut fenced) = (Vec::new(), Vec::new(), Vec::new());
        for (partition, answer) in answers {
            match self.assignment.answered(&partition, answer, self.steady_now()) {
                Action::Skip(at) => {
                    let before = self.records_in_hand();
                    self.trying = std::mem::take(&mut self.trying)
                        .into_iter()
                        .map(|batch| batch.beginning_at(&partition, at))
                        .collect();
                    self.counters
                        .already_there((before - self.records_in_hand()) as u64);
                    ahead.push(format!("{partition} at {at}"));
                }
                Action::Seek(start) => {
                    behind.push(format!("{partition} at {}", start.offset));
                    self.seek(start);
                }
                Action::Leave => {
                    self.forget(&partition);
                    fenced.push(partition.to_string());
                }
                Action::Recover => recover = true,
            }
        }
        let sink = self.flow.sink_name();
        if !ahead.is_empty() {
            tracing::info!(
                "{sink} has more than was known, going on from its checkpoints: {}",
                some_of(&ahead)
            );
        }
        if !behind.is_empty() {
            tracing::warn!(
                "{sink} went back in time, reading again from its checkpoints: {}",
                some_of(&behind)
            );
        }
        if !fenced.is_empty() {
            tracing::warn!(
                "another worker owns what this one held, leaving it alone: {}",
                some_of(&fenced)
            );
        }
        if recover {
            tracing::warn!("{sink} does not know what this worker holds, asking it where to begin");
            let reading = self.assignment.reading().cloned().collect();
            self.debts.push_back(Debt::Recovery(reading));
        }
        self.trying.retain(|batch| !batch.steps.is_empty());
        Ok(())
    }

    /// The sink failed: waits when waiting helps, ends the flow otherwise. Whatever was tried is tried again as it is.
    pub(super) fn failed(&mut self, error: StoreError) -> Result<(), FlowFailure> {
        if error.kind() != Kind::Transient {
            return Err(FlowFailure::Sink(error));
        }
        let now = Instant::now();
        let wait = self.backoff.next();
        self.not_before = Some(now + wait);
        if self
            .reminded
            .is_none_or(|moment| now.duration_since(moment) >= REMIND)
        {
            self.reminded = Some(now);
            let cause =
                std::error::Error::source(&error).map_or_else(String::new, |cause| format!(": {cause}"));
            tracing::warn!("waiting for {}: {error}{cause}", self.flow.sink_name());
        }
        Ok(())
    }

    pub(super) fn recovered_from_failure(&mut self) {
        self.not_before = None;
        if self.backoff.is_failing() {
            self.backoff.reset();
            if self.reminded.take().is_some() {
                tracing::info!("{} answers again", self.flow.sink_name());
            }
        }
    }
}

/// The first few of a list and how many more there are, for one line of the log.
fn some_of(list: &[String]) -> String {
    let shown = list.get(..3).unwrap_or(list).join(", ");
    match list.len().saturating_sub(3) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
