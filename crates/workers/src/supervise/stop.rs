//! Stopping what runs in the background: ask, wait, kill what is left.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use color_eyre::eyre::Result;
use nix::sys::signal::Signal;

use super::identity::Identity;
use super::record::{Folder, Record};
use crate::cli::exit::{Exit, Failure};
use crate::cli::output;

/// How often processes are looked at.
const POLL: Duration = Duration::from_millis(50);

/// How long the kernel may take to end a killed process.
const KILLED: Duration = Duration::from_secs(10);

/// Stops supervisor and workers and says so.
pub(super) async fn all(folder: &Folder, wait: Duration) -> Result<ExitCode> {
    let Some(record) = Record::read(folder)? else {
        output::line("nothing is running")?;
        return Ok(Exit::Done.into());
    };
    let running = record.alive();
    let (supervisor, workers): (Vec<_>, Vec<_>) = running
        .into_iter()
        .partition(|process| Some(process) == record.supervisor.as_ref());
    // The supervisor stops its workers itself; without it they are asked one by one.
    let killed = if supervisor.is_empty() {
        end(&workers, &workers, wait).await?
    } else {
        let everyone: Vec<Identity> = supervisor.iter().chain(&workers).cloned().collect();
        end(&supervisor, &everyone, wait).await?
    };
    // A worker that the supervisor started between the reading of the record and the signal stands in a newer one.
    if let Some(newer) = Record::read(folder)? {
        let late = newer.alive();
        end(&late, &late, wait).await?;
    }
    folder.forget()?;
    let noun = if workers.len() == 1 { "worker" } else { "workers" };
    let how = if killed == 0 {
        String::new()
    } else {
        format!(" ({killed} did not stop in time and were killed)")
    };
    output::line(&format!("stopped {} {noun}{how}", workers.len()))?;
    Ok(Exit::Done.into())
}

/// Stops workers whose supervisor was killed, so that new ones do not run beside them.
pub(super) async fn leftovers(folder: &Folder, wait: Duration) -> Result<()> {
    let Some(record) = Record::read(folder)? else {
        return Ok(());
    };
    let running = record.alive();
    if !running.is_empty() {
        output::line(&format!(
            "stopping {} left over by a supervisor that was killed",
            running.len()
        ))?;
        end(&running, &running, wait).await?;
    }
    folder.forget()
}

/// Asks some processes to stop and waits until all are gone; kills those that are not. Gives how many were killed.
async fn end(ask: &[Identity], gone: &[Identity], wait: Duration) -> Result<usize> {
    for process in ask {
        signal(process, Signal::SIGTERM)?;
    }
    if until_gone(gone, wait).await.is_empty() {
        return Ok(0);
    }
    // The supervisor first, or it would start again what is killed.
    let mut killed = 0;
    for process in gone {
        if signal(process, Signal::SIGKILL)? {
            killed += 1;
        }
    }
    let left = until_gone(gone, KILLED).await;
    if left.is_empty() {
        return Ok(killed);
    }
    let pids: Vec<String> = left.iter().map(|process| process.pid.to_string()).collect();
    Err(Failure::new(
        Exit::No,
        format!("processes {} did not end even when killed", pids.join(", ")),
    )
    .into())
}

async fn until_gone(processes: &[Identity], wait: Duration) -> Vec<Identity> {
    let started = Instant::now();
    loop {
        let left: Vec<Identity> = processes
            .iter()
            .filter(|process| process.alive())
            .cloned()
            .collect();
        if left.is_empty() || started.elapsed() >= wait {
            return left;
        }
        tokio::time::sleep(POLL).await;
    }
}

fn signal(process: &Identity, signal: Signal) -> Result<bool> {
    process.signal(signal).map_err(|error| {
        Failure::new(
            Exit::No,
            format!("process {} cannot be stopped: {error}", process.pid),
        )
        .hint("it belongs to another user; stop it as that user")
        .into()
    })
}
