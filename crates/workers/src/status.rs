//! `instashop status`: one page of health, from what the workers publish into their stores and from a look of its own at
//! the servers. Each probe speaks for its own part: what could not be asked is said to be unknown, never assumed well.

/// The page as text.
mod page;
/// What is wrong, as sentences.
pub mod verdict;

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::Duration;

use chrono::Utc;
use clap::Args;
use color_eyre::eyre::Result;
use instashop_core::config::Config;
use instashop_core::view::{LiveSystem, WarehouseSystem, WorkerHealth};
use instashop_store::StoreError;
use instashop_store::live::LiveReader;
use instashop_store::warehouse::WarehouseReader;
use serde::Serialize;

use crate::cli::exit::sentence;
use crate::cli::{Format, Global, output};
use crate::setup::connect::{Connect, ConnectError, Status};
use crate::supervise::StateDir;
use crate::supervise::record::{Record, Worker};
use verdict::{Verdict, judge};

pub(crate) const HELP: &str = "\
Reads what the workers publish, asks Connect itself, and looks for background workers on this machine. What needs \
attention stands first.

Examples:
  instashop status
  instashop status --format json | jq '.findings[].what'
  watch -n 2 instashop status

Exit codes: 0 healthy; 1 something needs attention; 2 usage; 3 a server cannot be reached; 4 configuration.";

/// Arguments of `instashop status`.
#[derive(Debug, Args)]
pub struct StatusArgs {
    #[command(flatten)]
    state: StateDir,
    /// How to print it
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// What came back from a server.
type Answer<T> = Result<T, Away>;

/// Why nothing came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Away {
    /// One sentence.
    pub what: String,
    /// What to do.
    pub hint: String,
}

impl Away {
    fn store(error: &StoreError) -> Self {
        let hint = error.advice().unwrap_or("the server's log says more").to_owned();
        Self {
            what: sentence(error).replace(&format!(" ({hint})"), ""),
            hint,
        }
    }
}

/// Everything the page shows.
#[derive(Debug)]
pub struct Health {
    /// From Redis.
    pub live: Answer<LiveSystem>,
    /// From the warehouse.
    pub warehouse: Answer<WarehouseSystem>,
    /// From Connect: connectors by name.
    pub connectors: Answer<BTreeMap<String, Status>>,
    /// Background workers of this machine.
    pub local: Vec<Worker>,
}

/// The page for scripts.
#[derive(Debug, Serialize)]
struct Document<'a> {
    at: chrono::DateTime<Utc>,
    healthy: bool,
    findings: &'a [verdict::Finding],
    live: Option<&'a LiveSystem>,
    live_error: Option<&'a str>,
    warehouse: Option<&'a WarehouseSystem>,
    warehouse_error: Option<&'a str>,
    connectors: BTreeMap<&'a str, String>,
    connect_error: Option<&'a str>,
    workers_here: &'a [Worker],
}

/// Asks, judges, prints.
pub(crate) async fn run(args: &StatusArgs, global: &Global, config: &Config) -> Result<ExitCode> {
    let (live, warehouse, connectors) =
        tokio::join!(read_live(config), read_warehouse(config), ask_connect(config));
    let folder = args.state.folder(global)?;
    let local = Record::read(&folder)?
        .map(|record| record.workers)
        .unwrap_or_default();
    let health = Health {
        live,
        warehouse,
        connectors,
        local,
    };
    let now = Utc::now();
    let verdict = judge(&health, config, now);
    match args.format {
        Format::Text => output::print(&page::draw(&health, &verdict, now, output::colored(global.color)))?,
        Format::Json => output::line(&json(&health, &verdict, now)?)?,
    }
    Ok(verdict.exit().into())
}

fn json(health: &Health, verdict: &Verdict, now: chrono::DateTime<Utc>) -> Result<String> {
    let states = health.connectors.as_ref().map(|all| {
        all.iter()
            .map(|(name, status)| (name.as_str(), status.describe()))
    });
    let document = Document {
        at: now,
        healthy: verdict.findings().is_empty(),
        findings: verdict.findings(),
        live: health.live.as_ref().ok(),
        live_error: health.live.as_ref().err().map(|away| away.what.as_str()),
        warehouse: health.warehouse.as_ref().ok(),
        warehouse_error: health.warehouse.as_ref().err().map(|away| away.what.as_str()),
        connectors: states.map(Iterator::collect).unwrap_or_default(),
        connect_error: health.connectors.as_ref().err().map(|away| away.what.as_str()),
        workers_here: &health.local,
    };
    Ok(serde_json::to_string_pretty(&document)?)
}

async fn ask_connect(config: &Config) -> Answer<BTreeMap<String, Status>> {
    let ask = async {
        let connect = Connect::new(&config.connect.url, Duration::from_secs(5))?;
        connect.statuses().await
    };
    ask.await.map_err(|error: ConnectError| Away {
        what: sentence(&error),
        hint: "is Kafka Connect running, and is connect.url right?".into(),
    })
}

async fn read_live(config: &Config) -> Answer<LiveSystem> {
    let read = async {
        let mut reader = LiveReader::connect(&config.redis, &config.meaning).await?;
        reader.system(Utc::now()).await
    };
    read.await.map_err(|error: StoreError| Away::store(&error))
}

async fn read_warehouse(config: &Config) -> Answer<WarehouseSystem> {
    let read = async {
        let mut reader = WarehouseReader::connect(&config.warehouse, &config.meaning).await?;
        reader.system(Utc::now()).await
    };
    read.await.map_err(|error: StoreError| Away::store(&error))
}

/// When the marts were last found up to date.
pub(crate) async fn marts_refreshed_at(config: &Config) -> Answer<Option<chrono::DateTime<Utc>>> {
    Ok(read_warehouse(config)
        .await?
        .marts
        .map(|marts| marts.refreshed_at))
}

/// What the workers of the live flow say about themselves.
pub(crate) async fn live_workers(config: &Config) -> Answer<Vec<WorkerHealth>> {
    Ok(read_live(config).await?.flow.workers)
}

/// What the workers of the warehouse flow say about themselves.
pub(crate) async fn warehouse_workers(config: &Config) -> Answer<Vec<WorkerHealth>> {
    Ok(read_warehouse(config).await?.flow.workers)
}
