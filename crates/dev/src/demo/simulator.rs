//! The simulated shop of a demo, running in the background.

use std::path::{Path, PathBuf};
use std::time::Duration;

use color_eyre::eyre::Result;
use nix::sys::signal::Signal;

use crate::stack::process::{Launch, Record};

fn record(data: &Path) -> PathBuf {
    data.join("run").join("simulator.json")
}

/// Starts the shop unless it lives already at this rate.
pub(super) fn start(data: &Path, program: &Path, config: &Path, rate: &str) -> Result<()> {
    eprintln!("--> simulated shop, {rate} events a second");
    if let Some(running) = Record::alive(&record(data)) {
        if running.fingerprint == rate {
            return Ok(());
        }
        stop(data)?;
    }
    let launch = Launch {
        prefix: Vec::new(),
        program: program.to_path_buf(),
        arguments: ["simulate", "live", "--rate", rate].map(Into::into).into(),
        environment: vec![("INSTASHOP_CONFIG".into(), config.display().to_string())],
        home: data.to_path_buf(),
        log: data.join("logs").join("simulator.log"),
        fingerprint: rate.into(),
    };
    // The shop outlives this command, so nobody waits for it here; `stop` finds it by its record.
    drop(launch.start(&record(data))?);
    Ok(())
}

/// Stops the shop if it lives.
pub(super) fn stop(data: &Path) -> Result<()> {
    if let Some(running) = Record::alive(&record(data)) {
        running.stop(&[
            (Signal::SIGTERM, Duration::from_secs(10)),
            (Signal::SIGKILL, Duration::from_secs(5)),
        ])?;
    }
    Ok(())
}
