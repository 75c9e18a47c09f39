//! The loop of both flows: takes events of Kafka, hands batches to the sink, does what its answers ask for.
//!
//! One batch is in flight at a time (docs: reliability C5). The loop never waits for anything but the sink: it takes
//! events before every step, so that a revocation or a stop is seen between two batches, also while the sink is away.

mod answers;
mod debts;
mod report;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use instashop_core::assignment::{Assignment, Start};
use instashop_core::batch::Batch;
use instashop_core::breaker::Breaker;
use instashop_core::checkpoint::Partition;
use instashop_core::config::Config;
use instashop_core::schema_drift::DriftWatch;
use instashop_store::Sink;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use debts::Debt;
pub use report::Report;

use super::backoff::Backoff;
use super::counters::Counters;
use super::inbox::Inbox;
use super::{Flow, FlowFailure};
use crate::kafka::{self, Command, Commands, Event};
use crate::shutdown::Shutdown;

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
    /// Share of rejected records at which the flow stops, in percent.
    pub reject_percent: u64,
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
            reject_percent: config.flow.reject_percent,
        }
    }
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
    /// Partitions of each topic at the start; one that is not in here may have any number.
    widths: BTreeMap<String, i32>,
    breaker: Breaker,
    drift: DriftWatch,
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
    warned_of_age: Option<Instant>,
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
            widths: BTreeMap::new(),
            breaker: Breaker::new(pace.reject_percent),
            drift: DriftWatch::default(),
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
            warned_of_age: None,
            idle_at: now,
            publish_at: now,
            hint_at: now,
        }
    }

    /// Makes the flow stop when a topic gets more partitions than this while it runs.
    #[must_use]
    pub fn with_widths(mut self, widths: BTreeMap<String, i32>) -> Self {
        self.widths = widths;
        self
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
            let batch = self.without_drifted_tables(taken.batch);
            if let Some(tripped) = self.breaker.judge(&batch) {
                return Err(FlowFailure::Rejects(tripped));
            }
            if !batch.steps.is_empty() && !self.has_outlived(&batch) {
                self.trying.push_back(batch);
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

    fn heed(&mut self, event: Event) -> Result<(), FlowFailure> {
        match event {
            Event::Assigned {
                number,
                partitions,
                passed,
            } => {
                self.let_go();
                for (partition, offset) in &passed {
                    self.breaker.passed(partition, *offset);
                }
                for partition in &partitions {
                    if let Some(width) = self
                        .widths
                        .get(&partition.topic)
                        .filter(|width| partition.number >= **width)
                    {
                        let failure = kafka::widened(&partition.topic, partition.number + 1, *width);
                        return Err(FlowFailure::Kafka(failure));
                    }
                }
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

    /// Tells Kafka how far this flow ever came: for lag tools, and for the breaker of whoever reads this again.
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
}
