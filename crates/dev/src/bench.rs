//! `instashop-dev bench`: how fast the product is and what it costs, on real servers of its own, next to what these servers
//! can do at all. [docs/benchmarks.md] has the method and the figures.
//!
//! * `replay` measures the real workers from filled topics into Redis and into the warehouse; `limits` measures the same
//!   servers without the product.
//! * `decode` measures the pure parts in this process, for a profile; `envelope` makes the records for it.
//! * `dashboard` measures the dashboard on a pseudo-terminal; `board` drives it.
//! * `shop` fills the topics, `supply` counts and drains them, `progress` sees how far a worker is, `costs` what
//!   it takes, `wire` speaks to Redis, `series` are repeated measurements, `page` prints.

mod board;
mod costs;
mod dashboard;
mod decode;
mod envelope;
mod limits;
mod page;
mod progress;
mod replay;
mod series;
mod shop;
mod supply;
mod wire;

use std::process::ExitCode;

use clap::{Args as ClapArgs, Subcommand, ValueEnum};
use color_eyre::eyre::Result;

/// Arguments of `instashop-dev bench`.
#[derive(Debug, ClapArgs)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Filled topics into Redis and into the warehouse, by the real workers, with the limits of the servers beside them
    Replay(replay::Args),
    /// Decoding and the step of a batch, in this process and without servers
    Decode(decode::Args),
    /// The dashboard: start, keys, idle cost, bytes, two hundred readers, and hours of use
    Dashboard(dashboard::Args),
}

/// How to print what was measured.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A table for people
    #[default]
    Table,
    /// One JSON object
    Json,
}

/// Runs the command.
///
/// # Errors
/// Servers did not come up, something did not end in time, or what was measured is not right. A figure beyond its bound is a
/// result, not an error.
pub fn run(args: &Args) -> Result<ExitCode> {
    match &args.what {
        What::Replay(args) => replay::run(args),
        What::Decode(args) => decode::run(args),
        What::Dashboard(args) => dashboard::run(args),
    }
}
