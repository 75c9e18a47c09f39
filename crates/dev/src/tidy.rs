//! tidy: being built.

use std::process::ExitCode;

use clap::Args as ClapArgs;
use color_eyre::eyre::Result;

/// Arguments of `instashop-dev tidy`.
#[derive(Debug, ClapArgs)]
pub struct Args {}

/// Runs the command.
pub fn run(_args: &Args) -> Result<ExitCode> {
    Ok(ExitCode::SUCCESS)
}
