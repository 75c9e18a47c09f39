//! `instashop rebuild live`: the live totals once more from the topics.

use std::process::ExitCode;

use chrono::Utc;
use clap::{Args, ValueEnum};
use color_eyre::eyre::Result;
use instashop_core::config::Config;
use instashop_store::live::LiveSink;

use crate::cli::exit::{Exit, Failure};
use crate::cli::output;

pub(crate) const HELP: &str = "\
Starts a new live generation: the running live workers find it empty, read the topics from their beginning and count \
everything anew; status and dashboard say how far they are. The old generation is removed meanwhile. Nothing is lost: \
what Redis holds follows from the topics. After a change of the maps in the configuration, and after Redis lost its \
data, the workers do this by themselves.

Example:
  instashop rebuild live --yes

Exit codes: 0 asked for; 1 --yes is missing; 2 usage; 3 Redis cannot be reached; 4 configuration.";

/// What can be built again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Store {
    /// The totals in Redis.
    Live,
}

/// Arguments of `instashop rebuild`.
#[derive(Debug, Args)]
pub struct RebuildArgs {
    /// What to build again
    #[arg(value_enum)]
    store: Store,
    /// Do it; the live numbers are incomplete until it is done
    #[arg(long)]
    yes: bool,
}

/// Asks for a new generation.
pub(crate) async fn run(args: &RebuildArgs, config: &Config) -> Result<ExitCode> {
    let Store::Live = args.store;
    if !args.yes {
        return Err(Failure::new(
            Exit::No,
            "the live numbers are incomplete while they are counted anew",
        )
        .hint("add --yes to begin")
        .into());
    }
    let mut sink = LiveSink::new(&config.redis, &config.meaning);
    let generation = sink.start_anew(Utc::now()).await?;
    output::line(&format!(
        "generation {generation} begins; instashop status shows how far the workers are"
    ))?;
    Ok(Exit::Done.into())
}
