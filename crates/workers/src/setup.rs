//! `instashop setup`: everything outside this program that the flows need, checked and put in place.
//!
//! Idempotent: a second run finds everything unchanged. `--check` asks the same questions and changes nothing. Run it after
//! the history is loaded: history must arrive as snapshot rows, since what streams in is dated by its commit. (Docs:
//! architecture 8, cdc 3.)

/// Kafka Connect's REST interface.
pub mod connect;
/// The four connectors: file, placeholders, difference, waiting until they run.
pub mod connectors;
/// The source generation: is a source still the one that was seen before?
mod generation;
/// What was found and what was done, as lines for people or scripts.
pub mod journal;
/// The users of the live store.
mod redis;
/// The source databases: what capture needs of them.
mod sources;
/// Topics: what they must be, what they are.
pub mod topics;
/// Schema, roles and maps of the warehouse.
mod warehouse;

use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, ValueEnum};
use color_eyre::eyre::Result;
use instashop_core::config::Config;

use crate::cli::{Format, Global, output};
use journal::{Journal, Mode};

pub(crate) const HELP: &str = "\
Run it when the servers are up and the history is loaded, and again after every change of the configuration or of a \
connector file. It needs the owners' passwords; the workers do not.

  sources      log level, tables, replica identity, publication, slot, capture role, guard
  topics       one per table, heartbeats, repairs; partition counts are never changed
  warehouse    schemas, roles, the maps of the configuration
  redis        users and their rights, maxmemory-policy
  connectors   one per source, from debezium-config/; waits until they run, restarts failed tasks

Examples:
  instashop setup
  instashop setup --check               change nothing, say what is wrong
  instashop setup --only topics,connectors
  instashop setup --format json         one JSON object per line, the last one sums up

Exit codes: 0 everything is in place; 1 something is not (each line says what to do); 2 usage; 3 a server cannot be \
reached; 4 the configuration cannot be used.";

/// A part of the setup.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Part {
    /// The four source databases.
    Sources,
    /// Kafka topics.
    Topics,
    /// The warehouse.
    Warehouse,
    /// The live store.
    Redis,
    /// The four connectors.
    Connectors,
}

impl Part {
    /// The word of `--only` and of the lines.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sources => "sources",
            Self::Topics => "topics",
            Self::Warehouse => "warehouse",
            Self::Redis => "redis",
            Self::Connectors => "connectors",
        }
    }
}

/// Arguments of `instashop setup`.
#[derive(Debug, Args)]
pub struct SetupArgs {
    /// Change nothing, say what is missing or wrong
    #[arg(long)]
    check: bool,
    /// Only these parts, comma separated
    #[arg(long, value_enum, value_name = "PARTS", value_delimiter = ',')]
    only: Vec<Part>,
    /// Longest time to wait for a connector to run, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    wait: u64,
    /// How to print what was found and done
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// Checks and, unless `--check`, changes; prints one line per thing and a summary.
pub async fn run(args: &SetupArgs, global: &Global, config: &Config) -> Result<ExitCode> {
    let mode = if args.check { Mode::Check } else { Mode::Apply };
    let journal = Journal::new(mode, args.format, output::colored(global.color));
    let wanted = |part: Part| args.only.is_empty() || args.only.contains(&part);

    let topics = async { !wanted(Part::Topics) || topics::run(config, &journal).await };
    let sources = async {
        if wanted(Part::Sources) {
            Some(sources::run(config, &journal).await)
        } else {
            None
        }
    };
    let warehouse = async {
        if wanted(Part::Warehouse) {
            warehouse::run(config, &journal).await
        } else {
            None
        }
    };
    let redis = async {
        if wanted(Part::Redis) {
            redis::run(config, &journal).await;
        }
    };
    let (topics_ready, sources, owner, ()) =
        Box::pin(async { tokio::join!(topics, sources, warehouse, redis) }).await;

    let mut config = config.clone();
    if let (Some(owner), Some(found)) = (&owner, &sources) {
        match generation::run(owner, found, &config, &journal).await {
            Ok(generations) => generation::stamp(&mut config, &generations),
            Err(error) => journal.store_problem(Part::Warehouse, "sources", &error),
        }
    }
    if wanted(Part::Connectors) {
        let folder = global.resolve(&config.connect.config_dir);
        let plan = connectors::Plan {
            config: &config,
            folder: &folder,
            wait: Duration::from_secs(args.wait),
            topics_ready,
            sources: sources.as_ref(),
        };
        Box::pin(connectors::run(&plan, &journal)).await;
    }
    journal.close()
}
