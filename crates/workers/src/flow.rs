//! The two flows: `instashop live` (changes into Redis) and `instashop warehouse` (changes into PostgreSQL).

use std::process::ExitCode;

use color_eyre::eyre::{Result, bail};
use instashop_core::config::Config;

use crate::shutdown::Shutdown;

/// Runs one worker of the live flow until `shutdown` is triggered or it cannot go on.
///
/// The exit code is 0 after a wanted stop; any other ending is logged with one readable sentence first.
#[expect(
    clippy::unused_async,
    reason = "signature for the command line; the loop comes next"
)]
pub async fn run_live(_config: &Config, _shutdown: Shutdown) -> Result<ExitCode> {
    bail!("the live flow is not in this build")
}

/// Runs one worker of the warehouse flow until `shutdown` is triggered or it cannot go on. See [`run_live`].
#[expect(
    clippy::unused_async,
    reason = "signature for the command line; the loop comes next"
)]
pub async fn run_warehouse(_config: &Config, _shutdown: Shutdown) -> Result<ExitCode> {
    bail!("the warehouse flow is not in this build")
}
