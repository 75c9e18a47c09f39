//! `instashop-dev bench`: what the product costs and how quick it is, measured on real servers of its own.

mod board;
mod dashboard;

use std::process::ExitCode;

use clap::{Args as ClapArgs, Subcommand};
use color_eyre::eyre::Result;

/// Arguments of `instashop-dev bench`.
#[derive(Debug, ClapArgs)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// The dashboard: start, keys, idle cost, bytes, two hundred readers, and hours of use
    Dashboard(dashboard::Args),
}

/// Runs the command.
///
/// # Errors
/// The servers did not come up, or a program did not answer. A figure beyond its bound is a result, not an error.
pub fn run(args: &Args) -> Result<ExitCode> {
    match &args.what {
        What::Dashboard(args) => dashboard::run(args),
    }
}
