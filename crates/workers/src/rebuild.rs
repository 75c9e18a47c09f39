//! `instashop rebuild`: what a store holds once more from the topics.

use std::process::ExitCode;

use chrono::Utc;
use clap::{Args, ValueEnum};
use color_eyre::eyre::Result;
use instashop_core::config::Config;
use instashop_store::live::LiveSink;
use instashop_store::warehouse::Auditor;

use crate::cli::exit::{Exit, Failure};
use crate::cli::output;

pub(crate) const HELP: &str = "\
live starts a new live generation: the running live workers find it empty, read the topics from their beginning and \
count everything anew. The old generation is removed meanwhile. Nothing is lost: what Redis holds follows from the \
topics. After a change of the maps in the configuration, and after Redis lost its data, the workers do this by themselves.

warehouse sets the checkpoints of the warehouse flow back to the beginning: the running workers read everything once \
more over what is there. What is known changes nothing; what was missed, because a topic was made anew or lost records \
before they were read, comes in. Deletes that were missed leave rows behind: instashop sweep removes them.

Status and dashboard say how far the workers are.

Examples:
  instashop rebuild live --yes
  instashop rebuild warehouse --yes

Exit codes: 0 asked for; 1 --yes is missing; 2 usage; 3 the store cannot be reached; 4 configuration.";

/// What can be built again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Store {
    /// The totals in Redis.
    Live,
    /// What the warehouse flow has written.
    Warehouse,
}

/// Arguments of `instashop rebuild`.
#[derive(Debug, Args)]
pub struct RebuildArgs {
    /// What to build again
    #[arg(value_enum)]
    store: Store,
    /// Do it; the numbers of that store are incomplete until it is done
    #[arg(long)]
    yes: bool,
}

/// Asks for a new generation.
pub(crate) async fn run(args: &RebuildArgs, config: &Config) -> Result<ExitCode> {
    if !args.yes {
        let what = match args.store {
            Store::Live => "the live numbers are incomplete while they are counted anew",
            Store::Warehouse => "the warehouse is late while its workers read everything again",
        };
        return Err(Failure::new(Exit::No, what).hint("add --yes to begin").into());
    }
    if args.store == Store::Warehouse {
        let auditor = Auditor::connect(&config.warehouse).await?;
        let partitions = auditor.read_again().await?;
        output::line(&format!(
            "{partitions} partitions are read again from their beginning; instashop status shows how far the workers are"
        ))?;
        return Ok(Exit::Done.into());
    }
    let mut sink = LiveSink::new(&config.redis, &config.meaning);
    let generation = sink.start_anew(Utc::now()).await?;
    output::line(&format!(
        "generation {generation} begins; instashop status shows how far the workers are"
    ))?;
    Ok(Exit::Done.into())
}
