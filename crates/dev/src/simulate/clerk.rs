//! The clerk of a source: looks up what it holds every few seconds and reserves keys, on a connection of its own, and
//! keeps at it through restarts of the server.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::time::Duration;

use instashop_core::config::Config;
use instashop_core::table::{SourceDb, Table};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};
use tokio::time::{MissedTickBehavior, interval, sleep};
use tokio_postgres::Client;

use super::census::{Beginnings, Census, read, reserve};
use super::schema;
use super::source::{Use, connect};

/// How often a source is looked at.
const EVERY: Duration = Duration::from_secs(15);

/// First and longest wait before a failed connection is tried again.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(5));

/// What a clerk is asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Request {
    /// So many keys of a table.
    Keys(Table, usize),
    /// As `Keys`, after the sequence has been moved past every key that is in the table.
    FreshKeys(Table, usize),
    /// A look at the source before its turn.
    Look,
}

/// What a clerk reports.
#[derive(Debug)]
pub(crate) enum Report {
    /// What the source holds.
    Census(Census),
    /// Keys of a table.
    Keys(Table, Vec<i64>),
    /// The source cannot be read at the moment, and why.
    Trouble(SourceDb, String),
}

/// Works until nobody asks any more.
pub(crate) async fn work(
    config: Config,
    source: SourceDb,
    mut requests: UnboundedReceiver<Request>,
    reports: UnboundedSender<Report>,
) {
    let mut beginnings = Beginnings::new();
    let mut open: Option<Request> = None;
    let mut wait = BACKOFF.0;
    loop {
        let client = match attend(&config, source).await {
            Ok(client) => client,
            Err(error) => {
                if reports
                    .send(Report::Trouble(source, format!("{error:#}")))
                    .is_err()
                {
                    return;
                }
                sleep(wait).await;
                wait = (wait * 2).min(BACKOFF.1);
                continue;
            }
        };
        wait = BACKOFF.0;
        let ended = serve(
            &client,
            source,
            &mut beginnings,
            &mut open,
            &mut requests,
            &reports,
        )
        .await;
        match ended {
            Ok(()) => return,
            Err(error) => {
                if reports.send(Report::Trouble(source, error.to_string())).is_err() {
                    return;
                }
                sleep(BACKOFF.0).await;
            }
        }
    }
}

async fn attend(config: &Config, source: SourceDb) -> color_eyre::eyre::Result<Client> {
    let client = connect(config, source, Use::Live).await?;
    schema::ensure(&client, source).await?;
    Ok(client)
}

/// Serves one connection; ends well when nobody asks any more.
async fn serve(
    client: &Client,
    source: SourceDb,
    beginnings: &mut Beginnings,
    open: &mut Option<Request>,
    requests: &mut UnboundedReceiver<Request>,
    reports: &UnboundedSender<Report>,
) -> Result<(), tokio_postgres::Error> {
    let mut sequences: HashMap<Table, Option<String>> = HashMap::new();
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        match *open {
            Some(Request::Keys(table, wanted) | Request::FreshKeys(table, wanted)) => {
                let sequence = match sequences.entry(table) {
                    Entry::Occupied(known) => known.into_mut(),
                    Entry::Vacant(unknown) => unknown.insert(schema::sequence(client, table).await?),
                }
                .as_deref();
                if let (Some(name), Some(Request::FreshKeys(..))) = (sequence, *open) {
                    schema::catch_up(client, table, name).await?;
                }
                let keys = reserve(client, table, sequence, wanted).await?;
                if let Some(first) = keys.first() {
                    beginnings.entry(table).or_insert(*first);
                }
                if reports.send(Report::Keys(table, keys)).is_err() {
                    return Ok(());
                }
            }
            Some(Request::Look) => ticks.reset_immediately(),
            None => {}
        }
        *open = None;
        tokio::select! {
            biased;
            request = requests.recv() => match request {
                Some(request) => *open = Some(request),
                None => return Ok(()),
            },
            _ = ticks.tick() => {
                let census = read(client, source, beginnings).await?;
                if reports.send(Report::Census(census)).is_err() {
                    return Ok(());
                }
            }
        }
    }
}
