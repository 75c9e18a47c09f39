//! Command line of `instashop-dev`.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::{bench, demo, faults, simulate, stack, suite, tidy};

#[derive(Debug, Parser)]
#[command(
    name = "instashop-dev",
    version,
    about = "Local stack, shop simulator and repository checks"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run PostgreSQL, Kafka, Connect and Redis as private processes of this project
    Stack(stack::Args),
    /// Fill the source databases with a shop's history, then let the shop live
    Simulate(simulate::Args),
    /// Check what no lint can: layers, names, file sizes, migrations
    Tidy(tidy::Args),
    /// From nothing to a dashboard with live numbers, and back
    Demo(demo::Args),
    /// Play the fault matrix on real servers; every fault must end in drift 0
    Faults(faults::Args),
    /// Measure the product, and the servers without it
    Bench(bench::Args),
    /// Run everything that says whether the tree is good, quick things first
    Test(suite::Args),
}

/// Parses the arguments, runs the command and turns its result into an exit code.
pub fn main() -> ExitCode {
    if let Err(error) = color_eyre::install() {
        eprintln!("error: {error}");
        return ExitCode::from(4);
    }
    let result = match Cli::parse().command {
        Command::Stack(args) => stack::run(&args),
        Command::Simulate(args) => simulate::run(&args),
        Command::Tidy(args) => tidy::run(&args),
        Command::Demo(args) => demo::run(&args),
        Command::Faults(args) => faults::run(&args),
        Command::Bench(args) => bench::run(&args),
        Command::Test(args) => suite::run(&args),
    };
    result.unwrap_or_else(|report| {
        eprintln!("error: {report:#}");
        ExitCode::FAILURE
    })
}
