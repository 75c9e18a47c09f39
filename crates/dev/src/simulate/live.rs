//! The live phase: the market in real time, at a steady rate, until it is told to stop.
//!
//! One loop reads the clock once per turn, lets the market decide, and hands its actions to one writer for each source.
//! Clerks report what the sources hold and reserve keys. Nobody here believes that a row is still there.

mod board;
mod floor;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use color_eyre::eyre::{Result, WrapErr};
use instashop_core::config::Config;
use instashop_core::table::SourceDb;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc::{self, Sender, UnboundedReceiver, UnboundedSender};
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

use super::action::Action;
use super::clerk::{self, Report, Request};
use super::writer::{Loss, Tally, Writer};
use board::{Board, summarise};
use floor::Floor;

/// Length of a turn.
const TURN: Duration = Duration::from_millis(100);

/// Batches a writer may be behind before the shop waits for it.
const QUEUE: usize = 100;

/// Longest wait for the writers when the shop closes.
const CLOSING: Duration = Duration::from_secs(15);

/// What the live phase is told.
#[derive(Debug, Clone)]
pub(crate) struct Wishes {
    pub(crate) seed: u64,
    pub(crate) rate: f64,
    pub(crate) orders_share: f64,
    pub(crate) duration: Option<Duration>,
    pub(crate) status_every: Duration,
    pub(crate) flat: bool,
    pub(crate) incidents: PathBuf,
}

/// Runs the shop until its time is up or a signal comes.
pub(crate) async fn run(config: Config, wishes: Wishes) -> Result<()> {
    let mut stop = Stop::new()?;
    let tally = Arc::new(Tally::default());
    let mut staff = Staff::hire(&config, &tally);
    let mut floor = Floor::new(&config, &wishes);
    say!(
        "live phase: {} events/s ({:.0} % orders), seed {}, incidents go to {}",
        wishes.rate,
        wishes.orders_share * 100.0,
        wishes.seed,
        wishes.incidents.display()
    );

    let mut turns = interval(TURN);
    turns.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut board = Board::new(wishes.status_every);
    let begin = Instant::now();
    let mut last = begin;
    let mut opened = None;
    let reason = loop {
        tokio::select! {
            biased;
            signal = stop.wait() => break signal,
            report = staff.reports.recv() => {
                if let Some(report) = report {
                    floor.hear(report, &tally, Utc::now());
                }
            }
            loss = staff.losses.recv() => {
                if let Some(loss) = loss {
                    floor.lose(&loss);
                }
            }
            _ = turns.tick() => {
                let now = Instant::now();
                let passed = (now - last).as_secs_f64();
                last = now;
                floor.order_keys(&staff.requests);
                floor.order_looks(&staff.requests, Utc::now());
                // The clock of the rate starts when the shop can work for the first time.
                if opened.is_none() && floor.is_open() {
                    opened = Some(now);
                    say!("the shop is open: {}", floor.describe());
                }
                if opened.is_some() {
                    floor.turn(passed, staff.has_room(), Utc::now());
                    staff.hand_out(floor.drain());
                    floor.tell_incidents();
                }
                board.show(&floor, &tally, opened, Utc::now());
                if wishes.duration.is_some_and(|wanted| opened.is_some_and(|opened| now - opened >= wanted)) {
                    break "the time is up";
                }
            }
        }
    };
    say!("closing ({reason}): waiting for what is under way to be written");
    staff.close(&mut stop).await;
    summarise(&floor, &tally, opened);
    Ok(())
}

/// SIGINT and SIGTERM.
struct Stop {
    interrupt: Signal,
    terminate: Signal,
}

impl Stop {
    fn new() -> Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt()).wrap_err("cannot listen for SIGINT")?,
            terminate: signal(SignalKind::terminate()).wrap_err("cannot listen for SIGTERM")?,
        })
    }

    /// Waits for either; gives its name.
    async fn wait(&mut self) -> &'static str {
        tokio::select! {
            _ = self.interrupt.recv() => "SIGINT",
            _ = self.terminate.recv() => "SIGTERM",
        }
    }
}

/// Writers and clerks with the ways to reach them.
struct Staff {
    batches: BTreeMap<SourceDb, Sender<Vec<Action>>>,
    writers: Vec<JoinHandle<()>>,
    requests: BTreeMap<SourceDb, UnboundedSender<Request>>,
    reports: UnboundedReceiver<Report>,
    losses: UnboundedReceiver<Loss>,
}

impl Staff {
    fn hire(config: &Config, tally: &Arc<Tally>) -> Self {
        let (report, reports) = mpsc::unbounded_channel();
        let (loss, losses) = mpsc::unbounded_channel();
        let mut staff = Self {
            batches: BTreeMap::new(),
            writers: Vec::new(),
            requests: BTreeMap::new(),
            reports,
            losses,
        };
        for source in SourceDb::ALL {
            let (batch, batches) = mpsc::channel(QUEUE);
            let writer = Writer::new(config.clone(), source, Arc::clone(tally), loss.clone());
            staff.writers.push(tokio::spawn(writer.work(batches)));
            staff.batches.insert(source, batch);
            let (request, requests) = mpsc::unbounded_channel();
            tokio::spawn(clerk::work(config.clone(), source, requests, report.clone()));
            staff.requests.insert(source, request);
        }
        staff
    }

    /// True when every writer can take another batch.
    fn has_room(&self) -> bool {
        self.batches.values().all(|batch| batch.capacity() > 1)
    }

    /// Batches that wait for the slowest writer.
    fn hand_out(&self, actions: Vec<Action>) {
        let mut by_source: BTreeMap<SourceDb, Vec<Action>> = BTreeMap::new();
        for action in actions {
            by_source.entry(action.source()).or_default().push(action);
        }
        for (source, batch) in by_source {
            if let Some(writer) = self.batches.get(&source) {
                // There is room: the market was not asked otherwise.
                if writer.try_send(batch).is_err() {
                    tracing::warn!(source = source.name(), "a batch found no room and is lost");
                }
            }
        }
    }

    /// Lets the writers finish; a second signal or too long a wait ends them as they are.
    async fn close(self, stop: &mut Stop) {
        drop(self.batches);
        drop(self.requests);
        let finish = async {
            for writer in self.writers {
                // A writer that panicked has said so itself.
                let _ = writer.await;
            }
        };
        tokio::select! {
            ended = timeout(CLOSING, finish) => {
                if ended.is_err() {
                    eprintln!("warning: a source did not answer within {} s; what was not written is lost", CLOSING.as_secs());
                }
            }
            signal = stop.wait() => eprintln!("warning: stopped at once by another {signal}; what was not written is lost"),
        }
    }
}
