//! `instashop verify`: source = warehouse = Redis, at a common cut, to the cent.

use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, ValueEnum};
use color_eyre::eyre::{Result, bail};
use instashop_core::config::Config;

/// How the proof is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Format {
    /// A table for people.
    #[default]
    Text,
    /// One JSON object, the drift proof as the dashboard reads it.
    Json,
}

/// Arguments of `instashop verify`.
#[derive(Debug, Clone, Args)]
pub struct VerifyArgs {
    /// How to print the proof.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
    /// Longest time to wait for the flows to reach the cut, in seconds.
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = seconds)]
    pub wait: Duration,
    /// Do not store the result in the warehouse.
    #[arg(long)]
    pub no_save: bool,
}

fn seconds(text: &str) -> Result<Duration, String> {
    text.trim_end_matches('s')
        .parse()
        .map(Duration::from_secs)
        .map_err(|_| format!("{text:?} is not a number of seconds, for example 60"))
}

/// Compares the sources, the warehouse and Redis and prints the proof.
///
/// Exit codes: 0 zero drift, 1 drift, 3 could not compare (a server is away, or a flow did not reach the cut in time).
#[expect(
    clippy::unused_async,
    reason = "signature for the command line; the comparison comes next"
)]
pub async fn run(_config: &Config, _args: VerifyArgs) -> Result<ExitCode> {
    bail!("verify is not in this build")
}
