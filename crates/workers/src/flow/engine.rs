//! The loop of both flows: takes events of Kafka, hands batches to the sink, does what its answers ask for.
//!
//! One batch is in flight at a time (docs: reliability C5). The loop never waits for anything but the sink: it takes
//! events before every step, so that a revocation or a stop is seen between two batches, also while the sink is away.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use instashop_core::assignment::{Action, Assignment, Start};
use instashop_core::batch::{Batch, Outcome, Tally};
use instashop_core::checkpoint::{Answer, Partition};
use instashop_core::config::Config;
use instashop_core::view::WorkerHealth;
use instashop_store::{Kind, Sink, StoreError};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use super::backoff::{Backoff, jitter};
use super::counters::Counters;
use super::inbox::Inbox;
use super::{Flow, FlowFailure};
use crate::kafka::{self, Command, Commands, Event};
use crate::shutdown::Shutdown;

/// The longest wait between two tries of a batch that met conflicts.
const CONFLICT_WAIT: Duration = Duration::from_millis(50);
/// How often the offsets are committed to Kafka as a hint.
const HINT: Duration = Duration::from_secs(1);
/// How often the log repeats that a server is away.
const REMIND: Duration = Duration::from_secs(30);

/// Limits and intervals of the loop.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// Most records in one batch.
    pub records: usize,
    /// How long to wait for a fuller batch.
    pub linger: Duration,
    /// How often idle partitions are compared with the sink.
    pub idle_check: Duration,
    /// How often the worker says how it is.
    pub publish: Duration,
    /// How long the topics keep every change and every delete.
    pub retention: TimeDelta,
}

impl Pace {
    /// The pace of a flow: the live flow never waits for a fuller batch.
    pub const fn of(flow: Flow, config: &Config) -> Self {
        Self {
            records: config.flow.batch_records,
            linger: match flow {
                Flow::Live => Duration::ZERO,
                Flow::Warehouse => Duration::from_millis(config.flow.warehouse_linger_ms),
            },
            idle_check: Duration::from_millis(config.flow.idle_check_ms),
            publish: Duration::from_millis(config.flow.publish_ms),
            retention: TimeDelta::hours(config.kafka.retention_hours as i64),
        }
    }
}

/// What a worker says about itself, for the task that publishes it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Its health.
    pub health: WorkerHealth,
    /// True for the worker that also watches connectors, slots and brokers: the owner of `transaction` 0.
    pub watches: bool,
    /// Newest heartbeat by connector prefix.
    pub heartbeats: BTreeMap<String, DateTime<Utc>>,
    /// When the rebuild that is going on began, and how much of it is done in percent.
    pub rebuild: Option<(DateTime<Utc>, u8)>,
}

/// What the loop owes before it can go on with records.
#[derive(Debug)]
enum Debt {
    /// A new assignment waits for the sink's checkpoints.
    Assignment { number: u64, partitions: Vec<Partition> },
    /// The sink does not know partitions that are held, or fenced ones are due: ask again.
    Recovery(Vec<Partition>),
    /// Records are gone from Kafka: begin again from nothing, or stop these partitions.
    StartOver { partition: Partition, why: String },
}

/// One worker of one flow, over any sink.
#[derive(Debug)]
pub struct Engine<S> {
    flow: Flow,
    pace: Pace,
    sink: S,
    events: mpsc::UnboundedReceiver<Event>,
    commands: Commands,
    reports: watch::Sender<Report>,
    worker: String,
    started_at: DateTime<Utc>,
    started: Instant,

    assignment: Assignment,
    inbox: Inbox,
    /// The batch in hand, perhaps in parts, in order.
    trying: VecDeque<Batch>,
    debts: VecDeque<Debt>,
    conflicts_in_a_row: u32,
    backoff: Backoff,
    /// Nothing is tried before this moment.
    not_before: Option<Instant>,
    /// Partitions with a step since the last idle check: they need none.
    touched: BTreeSet<Partition>,
    counters: Counters,
    hints: BTreeMap<Partition, i64>,
    rebuilding_since: Option<DateTime<Utc>>,
    kafka_trouble: bool,
    reminded: Option<Instant>,
    idle_at: Instant,
    publish_at: Instant,
    hint_at: Instant,
}

impl<S: Sink> Engine<S> {
    /// A worker that has nothing yet; its events decide what it gets.
    pub fn new(
        flow: Flow,
        pace: Pace,
        sink: S,
        events: mpsc::UnboundedReceiver<Event>,
        commands: Commands,
        reports: watch::Sender<Report>,
        worker: String,
    ) -> Self {
        let now = Instant::now();
        Self {
            flow,
            pace,
            sink,
            events,
            commands,
            reports,
            worker,
            started_at: Utc::now(),
            started: now,
            assignment: Assignment::default(),
            inbox: Inbox::default(),
            trying: VecDeque::new(),
            debts: VecDeque::new(),
            conflicts_in_a_row: 0,
            backoff: Backoff::default(),
            not_before: None,
            touched: BTreeSet::new(),
            counters: Counters::default(),
            hints: BTreeMap::new(),
            rebuilding_since: None,
            kafka_trouble: false,
            reminded: None,
            idle_at: now,
            publish_at: now,
            hint_at: now,
        }
    }

    /// Runs until a stop is asked for (`Ok`) or the flow cannot go on. Either way the batch in flight is finished and
    /// the last word is published; leaving the group is the caller's.
    pub async fn run(&mut self, shutdown: &Shutdown) -> Result<(), FlowFailure> {
        let result = self.turn_until_stopped(shutdown).await;
        self.hint();
        let state = match &result {
            Ok(()) => "stopped: on request".to_owned(),
            Err(failure) => format!("stopped: {failure}"),
        };
        self.report(state);
        result
    }

    async fn turn_until_stopped(&mut self, shutdown: &Shutdown) -> Result<(), FlowFailure> {
        loop {
            while let Ok(event) = self.events.try_recv() {
                self.heed(event)?;
            }
            if shutdown.is_triggered() {
                return Ok(());
            }
            self.keep_time();
            if self.not_before.is_none_or(|moment| moment <= Instant::now()) && self.work().await? {
                continue;
            }
            let wake = self.wake_at();
            tokio::select! {
                biased;
                () = shutdown.triggered() => return Ok(()),
                event = self.events.recv() => match event {
                    Some(event) => self.heed(event)?,
                    None => return Err(FlowFailure::Kafka(kafka::KafkaFailure {
                        what: "the Kafka consumer ended unexpectedly".into(),
                        hint: "the worker is started again; if it repeats, look at the log above".into(),
                    })),
                },
                () = tokio::time::sleep_until(wake) => {}
            }
        }
    }

    /// Does what the clock asks for, whatever the load.
    fn keep_time(&mut self) {
        let now = Instant::now();
        if now >= self.publish_at {
            self.publish_at = now + self.pace.publish;
            let state = self.state();
            self.report(state);
        }
        if now >= self.hint_at {
            self.hint_at = now + HINT;
            self.hint();
        }
    }

    fn wake_at(&self) -> Instant {
        let mut wake = self.publish_at.min(self.hint_at);
        match self.not_before {
            Some(moment) if moment > Instant::now() => wake = wake.min(moment),
            _ => {
                wake = wake.min(self.idle_at);
                if let Some(since) = self.inbox.since() {
                    wake = wake.min(since + self.pace.linger);
                }
            }
        }
        wake
    }

    /// One step towards the sink; false when there is nothing to do.
    async fn work(&mut self) -> Result<bool, FlowFailure> {
        if let Some(debt) = self.debts.pop_front() {
            self.pay(debt).await?;
            return Ok(true);
        }
        if !self.trying.is_empty() {
            self.try_batch().await?;
            return Ok(true);
        }
        let ripe = self.inbox.since().is_some_and(|since| {
            self.inbox.records() >= self.pace.records || since.elapsed() >= self.pace.linger
        });
        if ripe {
            let taken = self.inbox.take(&self.assignment, self.pace.records);
            self.counters.already_there(taken.already_there);
            for (prefix, at) in &taken.heartbeats {
                self.counters.heartbeat(prefix, *at);
            }
            if !taken.batch.steps.is_empty() && !self.has_outlived(&taken.batch) {
                self.trying.push_back(taken.batch);
            }
            return Ok(true);
        }
        if Instant::now() >= self.idle_at {
            self.idle_at = Instant::now() + self.pace.idle_check;
            let due = self.assignment.due(self.steady_now());
            if !due.is_empty() {
                self.debts.push_back(Debt::Recovery(due));
                return Ok(true);
            }
            let touched = std::mem::take(&mut self.touched);
            let mut steps = self.assignment.idle_steps();
            steps.retain(|step| !touched.contains(&step.partition));
            if !steps.is_empty() {
                self.trying.push_back(Batch {
                    steps,
                    records: Vec::new(),
                });
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Looks for the gap that makes no error: the flow was away for longer than the topics keep every change. The live
    /// store begins again (true, the batch is not to be applied); for the warehouse the gap is said aloud.
    fn has_outlived(&mut self, batch: &Batch) -> bool {
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

    async fn try_batch(&mut self) -> Result<(), FlowFailure> {
        let Some(batch) = self.trying.pop_front() else {
            return Ok(());
        };
        match self.sink.apply(&batch, Utc::now()).await {
            Ok(Outcome::Applied(tally)) => {
                self.recovered_from_failure();
                self.conflicts_in_a_row = 0;
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
                self.hints.insert(step.partition.clone(), step.next);
                self.touched.insert(step.partition.clone());
            }
        }
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

    async fn pay(&mut self, debt: Debt) -> Result<(), FlowFailure> {
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
                    self.assignment.stop(partition, error.to_string());
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

    /// The sink failed: waits when waiting helps, ends the flow otherwise. Whatever was tried is tried again as it is.
    fn failed(&mut self, error: StoreError) -> Result<(), FlowFailure> {
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

    fn recovered_from_failure(&mut self) {
        self.not_before = None;
        if self.backoff.is_failing() {
            self.backoff.reset();
            if self.reminded.take().is_some() {
                tracing::info!("{} answers again", self.flow.sink_name());
            }
        }
    }

    fn heed(&mut self, event: Event) -> Result<(), FlowFailure> {
        match event {
            Event::Assigned { number, partitions } => {
                self.let_go();
                tracing::info!(partitions = partitions.len(), "assigned");
                self.debts.push_back(Debt::Assignment { number, partitions });
                self.not_before = None;
            }
            Event::Revoked { lost } => {
                if lost {
                    tracing::warn!("the consumer group forgot this worker; joining again");
                }
                self.let_go();
            }
            Event::Records(chunks) => {
                self.inbox.put(chunks, Instant::now());
            }
            Event::Pulse { connected, ends } => {
                if connected && std::mem::take(&mut self.kafka_trouble) {
                    tracing::info!("kafka answers again");
                }
                for end in ends {
                    self.assignment.end(&end.partition, end.end);
                    if end.drained {
                        self.assignment.drained(&end.partition);
                    }
                }
            }
            Event::OutOfRange {
                partition,
                position,
                low,
                high,
            } => self.out_of_range(partition, position, low, high),
            Event::Trouble(what) => {
                // One line, until Kafka answers again.
                if self.kafka_trouble {
                    tracing::debug!("kafka: {what}");
                } else {
                    tracing::warn!("kafka: {what}");
                }
                self.kafka_trouble = true;
            }
            Event::Failed(failure) => return Err(FlowFailure::Kafka(failure)),
        }
        Ok(())
    }

    /// Everything held is given up, with what was read of it; the sink keeps the rest.
    fn let_go(&mut self) {
        self.assignment.drop_all();
        self.inbox.clear();
        self.trying.clear();
        self.debts.clear();
        self.touched.clear();
        self.hints.clear();
        self.conflicts_in_a_row = 0;
    }

    fn out_of_range(&mut self, partition: Partition, position: i64, low: i64, high: i64) {
        if kafka::is_heartbeat(&partition.topic) {
            // Old heartbeats say nothing. The checkpoint stays; what comes after it counts.
            if let Some(start) = self.assignment.seek_to_beginning(&partition) {
                self.order(Command::Seek(start));
            }
            return;
        }
        let why = if position > high {
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

    /// Reads a partition from another place: what was read of it before is worth nothing.
    fn seek(&mut self, start: Start) {
        self.forget(&start.partition);
        self.order(Command::Seek(start));
    }

    /// Takes a partition out of the batch in hand.
    fn forget(&mut self, partition: &Partition) {
        let refused = std::slice::from_ref(partition);
        self.trying = std::mem::take(&mut self.trying)
            .into_iter()
            .map(|batch| batch.without(refused))
            .filter(|batch| !batch.steps.is_empty())
            .collect();
    }

    /// Changes the steps of a partition in the batch in hand.
    fn in_hand(&mut self, partition: &Partition, change: impl Fn(&mut instashop_core::checkpoint::Step)) {
        for batch in &mut self.trying {
            batch
                .steps
                .iter_mut()
                .filter(|step| step.partition == *partition)
                .for_each(&change);
        }
    }

    /// The time by a clock that is never set back or forward: for waiting, not for dating.
    fn steady_now(&self) -> DateTime<Utc> {
        self.started_at + self.started.elapsed()
    }

    fn records_in_hand(&self) -> usize {
        self.trying.iter().map(|batch| batch.records.len()).sum()
    }

    /// Tells Kafka how far this worker is, for lag tools.
    fn hint(&mut self) {
        if !self.hints.is_empty() {
            let offsets = std::mem::take(&mut self.hints).into_iter().collect();
            self.order(Command::Commit(offsets));
        }
    }

    fn order(&self, command: Command) {
        if self.commands.send(command).is_err() {
            // The thread has ended; its event stream says so too and ends the loop.
            tracing::debug!("the Kafka thread is gone");
        }
    }

    fn state(&self) -> String {
        if let Some(reason) = self.assignment.stopped().next() {
            return format!("stopped: {reason}");
        }
        if self.backoff.is_failing() {
            return format!("waiting for {}", self.flow.sink_name());
        }
        if self.kafka_trouble {
            return "waiting for kafka".into();
        }
        if self.assignment.rebuild_percent().is_some() {
            return "rebuilding".into();
        }
        "running".into()
    }

    fn report(&mut self, state: String) {
        let now = Utc::now();
        let percent = self.assignment.rebuild_percent();
        match percent {
            Some(_) => {
                self.rebuilding_since.get_or_insert(now);
            }
            None => {
                if let Some(since) = self.rebuilding_since.take() {
                    tracing::info!(
                        seconds = (now - since).num_seconds(),
                        "caught up, the rebuild is done"
                    );
                }
            }
        }
        let watched = Partition {
            topic: instashop_core::table::Table::Transaction.name().to_owned(),
            number: 0,
        };
        let report = Report {
            health: self
                .counters
                .health(&self.worker, self.started_at, state, &self.assignment, now),
            watches: self.assignment.holds(&watched),
            heartbeats: self.counters.heartbeats().clone(),
            rebuild: self.rebuilding_since.zip(percent),
        };
        // Nobody listens only when the program is ending.
        self.reports.send_replace(report);
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
