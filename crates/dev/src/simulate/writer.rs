//! The writer of a source: carries out batches of actions, each batch in one transaction, and never gives up.
//!
//! A batch that the database refuses because of what somebody else did meanwhile is halved until the action that is in
//! the way stands alone; that one is skipped and counted. A batch whose commit got no answer is repeated: keys are
//! given out beforehand and inserts that meet their own row do nothing, so a repetition changes nothing.

mod crm;
mod erp;
mod logistics;
mod sales;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{DateTime, NaiveDateTime, Utc};
use color_eyre::eyre::Result;
use instashop_core::config::Config;
use instashop_core::table::{SourceDb, Table};
use tokio::sync::mpsc::{Receiver, UnboundedSender};
use tokio::time::sleep;
use tokio_postgres::{Client, Statement};

use super::action::Action;
use super::schema;
use super::source::{Remedy, Use, connect, remedy};

/// First and longest wait before something is tried again.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(3));

/// How often a batch is repeated because somebody was in the way before its actions are tried one by one.
const REPEATS: u32 = 5;

/// Counters of all writers.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// Orders committed.
    pub(crate) orders: AtomicU64,
    /// Behaviour rows committed.
    pub(crate) behaviour: AtomicU64,
    /// Actions committed.
    pub(crate) actions: AtomicU64,
    /// Actions that could not be carried out.
    pub(crate) skipped: AtomicU64,
    /// Connections made again, batches repeated.
    pub(crate) repeated: AtomicU64,
    trouble: Mutex<HashMap<SourceDb, String>>,
}

impl Tally {
    fn add(counter: &AtomicU64, number: u64) {
        counter.fetch_add(number, Ordering::Relaxed);
    }

    /// The value of a counter.
    pub(crate) fn value(counter: &AtomicU64) -> u64 {
        counter.load(Ordering::Relaxed)
    }

    /// Notes what is wrong with a source, or that nothing is any more.
    pub(crate) fn note(&self, source: SourceDb, trouble: Option<String>) {
        if let Ok(mut all) = self.trouble.lock() {
            match trouble {
                Some(text) => all.insert(source, text),
                None => all.remove(&source),
            };
        }
    }

    /// Sources in trouble, each with what is wrong.
    pub(crate) fn troubles(&self) -> Vec<(SourceDb, String)> {
        let mut all: Vec<(SourceDb, String)> = self
            .trouble
            .lock()
            .map(|all| all.iter().map(|(source, text)| (*source, text.clone())).collect())
            .unwrap_or_default();
        all.sort();
        all
    }
}

/// What a writer could not write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Loss {
    /// An order is not there.
    Order(i64),
    /// Keys of a table were used by somebody else.
    Keys(Table),
}

/// What carrying out some actions of one rank brought.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Outcome {
    orders: u64,
    behaviour: u64,
    /// Rows that were not there any more, or met another row with their key.
    missed: u64,
    /// Tables in which rows met others with their key.
    collisions: Vec<Table>,
}

impl Outcome {
    /// Compares what an INSERT was to do with what it did.
    fn inserted(&mut self, table: Table, wanted: usize, done: u64) {
        let missed = (wanted as u64).saturating_sub(done);
        if missed > 0 {
            self.missed += missed;
            self.collisions.push(table);
        }
    }

    /// Compares what an UPDATE or DELETE was to do with what it did.
    fn found(&mut self, wanted: usize, done: u64) {
        self.missed += (wanted as u64).saturating_sub(done);
    }

    fn add(&mut self, other: Self) {
        self.orders += other.orders;
        self.behaviour += other.behaviour;
        self.missed += other.missed;
        self.collisions.extend(other.collisions);
    }
}

/// A writer of one source.
pub(crate) struct Writer {
    config: Config,
    source: SourceDb,
    tally: Arc<Tally>,
    losses: UnboundedSender<Loss>,
    link: Option<Link>,
    repeating: bool,
    linked_before: bool,
}

/// A connection with its prepared statements.
struct Link {
    client: Client,
    statements: HashMap<&'static str, Statement>,
    carrier_column: bool,
}

impl Writer {
    /// A writer that is not connected yet.
    pub(crate) fn new(
        config: Config,
        source: SourceDb,
        tally: Arc<Tally>,
        losses: UnboundedSender<Loss>,
    ) -> Self {
        Self {
            config,
            source,
            tally,
            losses,
            link: None,
            repeating: false,
            linked_before: false,
        }
    }

    /// Carries out batches until there are no more.
    pub(crate) async fn work(mut self, mut batches: Receiver<Vec<Action>>) {
        while let Some(mut batch) = batches.recv().await {
            // Stable: actions of one rank keep their order.
            batch.sort_by_key(Action::rank);
            self.write(&batch).await;
        }
    }

    /// Carries out a batch, whatever it takes.
    async fn write(&mut self, batch: &[Action]) {
        let mut parts = vec![batch];
        let mut repeats = 0;
        let mut wait = BACKOFF.0;
        self.repeating = false;
        while let Some(part) = parts.pop() {
            let error = match self.attempt(part).await {
                Ok(outcome) => {
                    self.count(part, outcome);
                    wait = BACKOFF.0;
                    continue;
                }
                Err(error) => error,
            };
            match remedy(&error) {
                Remedy::Reconnect => {
                    self.link = None;
                    self.tally.note(self.source, Some(error.to_string()));
                    self.repeating = true;
                    parts.push(part);
                    sleep(wait).await;
                    wait = (wait * 2).min(BACKOFF.1);
                }
                Remedy::Repeat if repeats < REPEATS => {
                    repeats += 1;
                    Tally::add(&self.tally.repeated, 1);
                    parts.push(part);
                    sleep(wait).await;
                }
                Remedy::Repeat | Remedy::Skip if part.len() > 1 => {
                    let (first, second) = part.split_at(part.len() / 2);
                    parts.push(second);
                    parts.push(first);
                }
                Remedy::Repeat | Remedy::Skip => {
                    tracing::debug!(source = self.source.name(), %error, action = ?part.first(), "action skipped");
                    Tally::add(&self.tally.skipped, 1);
                    self.lose(part);
                }
            }
        }
    }

    fn count(&mut self, part: &[Action], outcome: Outcome) {
        Tally::add(&self.tally.actions, part.len() as u64);
        Tally::add(&self.tally.orders, outcome.orders);
        Tally::add(&self.tally.behaviour, outcome.behaviour);
        if self.repeating {
            // What the first attempt wrote without saying so is not missing.
            return;
        }
        Tally::add(&self.tally.skipped, outcome.missed);
        for table in outcome.collisions {
            // The receiver is gone when the shop is closing.
            let _ = self.losses.send(Loss::Keys(table));
        }
    }

    fn lose(&self, part: &[Action]) {
        for action in part {
            if let Action::PlaceOrder { order, .. } = action {
                let _ = self.losses.send(Loss::Order(order.id));
            }
        }
    }

    /// Carries out some actions in one transaction.
    async fn attempt(&mut self, part: &[Action]) -> Result<Outcome, tokio_postgres::Error> {
        let link = self.link().await?;
        link.client.batch_execute("BEGIN").await?;
        let mut all = Outcome::default();
        for run in part.chunk_by(|a, b| a.rank() == b.rank()) {
            let done = match run.first().map(Action::source) {
                Some(SourceDb::Instashop) => link.sales(run).await,
                Some(SourceDb::CrmDb) => link.crm(run).await,
                Some(SourceDb::ErpDb) => link.erp(run).await,
                Some(SourceDb::EcommerceDb) => link.logistics(run).await,
                None => Ok(Outcome::default()),
            };
            match done {
                Ok(outcome) => all.add(outcome),
                Err(error) => {
                    // Fails with the connection, which the caller finds out by the first error.
                    let _ = link.client.batch_execute("ROLLBACK").await;
                    return Err(error);
                }
            }
        }
        link.client.batch_execute("COMMIT").await?;
        Ok(all)
    }

    /// The connection, made anew where there is none. Waits for as long as it takes.
    async fn link(&mut self) -> Result<&mut Link, tokio_postgres::Error> {
        if let Some(link) = self.link.take().filter(|link| !link.client.is_closed()) {
            return Ok(self.link.insert(link));
        }
        if std::mem::replace(&mut self.linked_before, true) {
            Tally::add(&self.tally.repeated, 1);
        }
        let mut wait = BACKOFF.0;
        let client = loop {
            match connect(&self.config, self.source, Use::Live).await {
                Ok(client) => break client,
                Err(error) => {
                    self.tally.note(self.source, Some(format!("{error:#}")));
                    sleep(wait).await;
                    wait = (wait * 2).min(BACKOFF.1);
                }
            }
        };
        let carrier_column = schema::has_column(&client, Table::Shipment, "carrier_id").await?;
        self.tally.note(self.source, None);
        Ok(self.link.insert(Link {
            client,
            statements: HashMap::new(),
            carrier_column,
        }))
    }
}

impl Link {
    /// A statement, prepared once for each connection.
    async fn prepared(&mut self, text: &'static str) -> Result<Statement, tokio_postgres::Error> {
        if let Some(statement) = self.statements.get(text) {
            return Ok(statement.clone());
        }
        let statement = self.client.prepare(text).await?;
        self.statements.insert(text, statement.clone());
        Ok(statement)
    }

    /// Runs a statement; gives the number of rows it touched.
    async fn run(
        &mut self,
        text: &'static str,
        parameters: &[&(dyn tokio_postgres::types::ToSql + Sync)],
    ) -> Result<u64, tokio_postgres::Error> {
        let statement = self.prepared(text).await?;
        self.client.execute(&statement, parameters).await
    }
}

/// A column of values taken from the actions of one kind.
macro_rules! column {
    ($actions:expr, $pattern:pat => $value:expr) => {
        $actions
            .iter()
            .filter_map(|action| match action {
                $pattern => Some($value),
                _ => None,
            })
            .collect::<Vec<_>>()
    };
}
use column;

/// A time as the columns hold it: UTC, without zone.
const fn naive(at: DateTime<Utc>) -> NaiveDateTime {
    at.naive_utc()
}
