//! `instashop rebuild`: what a store holds once more from the topics.

use std::collections::BTreeSet;
use std::process::ExitCode;

use chrono::Utc;
use clap::{Args, ValueEnum};
use color_eyre::eyre::Result;
use instashop_core::config::Config;
use instashop_store::live::LiveSink;
use instashop_store::warehouse::Auditor;

use crate::cli::exit::{Exit, Failure};
use crate::cli::output;
use crate::verify::cut;

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
  instashop rebuild warehouse --made-anew stock --yes

Exit codes: 0 asked for; 1 --yes is missing; 2 usage; 3 the store or Kafka cannot be reached; 4 configuration.";

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
    /// A topic that was deleted and made again, for the warehouse; those that end before their checkpoints are seen
    /// without it
    #[arg(long, value_name = "TOPIC")]
    made_anew: Vec<String>,
    /// Do it; the numbers of that store are incomplete until it is done
    #[arg(long)]
    yes: bool,
}

/// Topics whose offsets no longer mean what they meant: those named, and those that end before a checkpoint.
async fn made_anew(args: &RebuildArgs, config: &Config, auditor: &Auditor) -> Result<Vec<String>> {
    let ends = cut::ends(config).await?;
    let mut topics: BTreeSet<String> = args.made_anew.iter().cloned().collect();
    for (partition, checkpoint) in auditor.checkpoints().await? {
        if ends.get(&partition).is_some_and(|end| *end < checkpoint) {
            topics.insert(partition.topic);
        }
    }
    Ok(topics.into_iter().collect())
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
        let made_anew = made_anew(args, config, &auditor).await?;
        let partitions = auditor.read_again(&made_anew).await?;
        if !made_anew.is_empty() {
            output::line(&format!("made anew: {}", made_anew.join(", ")))?;
        }
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
