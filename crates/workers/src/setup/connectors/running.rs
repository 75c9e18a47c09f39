//! Waiting until a connector runs: its tasks were made with the wanted settings, say RUNNING, and its replication slot is
//! there. The state alone proves little: it says RUNNING while a source is away (docs: cdc 3.1).

use std::time::{Duration, Instant};

use instashop_core::config;
use instashop_core::table::SourceDb;
use instashop_store::source::{SlotState, SlotWatch};

use super::trace;
use crate::cli::exit::sentence;
use crate::setup::connect::{Connect, ConnectError, POLL, Settings, Status};

/// How long the state of before a restart may still be told.
const SETTLE: Duration = Duration::from_secs(5);

/// How long a slot that is there may go unread before that is said: a snapshot, or a restart just now.
const UNREAD: Duration = Duration::from_secs(3);

/// Log held back above which a person should know, bytes.
const HELD_BACK: i64 = 1024 * 1024 * 1024;

/// How it runs, or a sentence and a hint.
type Seen = Result<String, (String, String)>;

/// Waits until the connector runs with the wanted settings. Restarts what failed and resumes what was stopped, once each,
/// and notes that in `done`.
pub(super) async fn wait(
    connect: &Connect,
    source: SourceDb,
    settings: &config::Source,
    wanted: &Settings,
    wait: Duration,
    done: &mut Vec<String>,
) -> Result<Seen, ConnectError> {
    let name = source.prefix();
    let started = Instant::now();
    let mut slot = SlotWatch::new(source, settings);
    let mut restarted: Option<Instant> = None;
    let mut running_since: Option<Instant> = None;
    let mut resumed = false;
    loop {
        let status = connect.status(name).await?.unwrap_or_default();
        // After a change the old state stands for a moment: the tasks tell which settings they were made with.
        let fresh = connect
            .task_settings(name)
            .await?
            .iter()
            .all(|task| made_with(task, wanted));
        let over = started.elapsed() >= wait;
        if fresh && status.runs() {
            let since = *running_since.get_or_insert_with(Instant::now);
            match slot.ask().await {
                Ok(Some(state)) if state.wal_status == "lost" => return Ok(Err(lost())),
                Ok(Some(state)) if state.active => return Ok(Ok(status.describe())),
                Ok(Some(_)) if since.elapsed() >= UNREAD => {
                    return Ok(Ok(format!("{}, taking its snapshot", status.describe())));
                }
                Ok(None) if over => return Ok(Err(no_slot())),
                Err(error) if over => {
                    let hint = error.advice().unwrap_or("Connect's log says more").to_owned();
                    return Ok(Err((sentence(&error), hint)));
                }
                _ => {}
            }
        } else if fresh && status.failure().is_some() {
            running_since = None;
            match restarted {
                None => {
                    connect.restart_failed(name).await?;
                    restarted = Some(Instant::now());
                    done.push("failed task restarted".into());
                }
                Some(at) if at.elapsed() >= SETTLE || over => return Ok(Err(explain(&status))),
                Some(_) => {}
            }
        } else if ["PAUSED", "STOPPED"].contains(&status.connector.state.as_str()) && !resumed {
            connect.resume(name).await?;
            resumed = true;
            done.push(format!("was {}, resumed", status.connector.state));
        } else if over {
            let what = format!("does not run after {} s: {}", wait.as_secs(), status.describe());
            return Ok(Err((
                what,
                "Connect's log says why; --wait gives it more time".into(),
            )));
        }
        tokio::time::sleep(POLL).await;
    }
}

/// Looks without changing anything; gives a connector that is just starting a few seconds.
pub(super) async fn look(
    connect: &Connect,
    source: SourceDb,
    settings: &config::Source,
) -> Result<Seen, ConnectError> {
    let started = Instant::now();
    let mut slot = SlotWatch::new(source, settings);
    loop {
        let over = started.elapsed() >= SETTLE;
        let status = connect.status(source.prefix()).await?.unwrap_or_default();
        if status.runs() {
            match slot.ask().await {
                Ok(Some(state)) if state.wal_status == "lost" => return Ok(Err(lost())),
                Ok(Some(state)) if state.active => return Ok(Ok(read(&status, &state))),
                Ok(Some(_)) if over => {
                    let what = format!("{}, but nobody reads its slot", status.describe());
                    let hint =
                        "a snapshot is being taken, or it has lost its source: Connect's log says which";
                    return Ok(Err((what, hint.into())));
                }
                Ok(None) if over => return Ok(Err(no_slot())),
                Err(error) if over => {
                    let hint = error.advice().unwrap_or("is the source up?").to_owned();
                    return Ok(Err((sentence(&error), hint)));
                }
                _ => {}
            }
        } else if over || status.failure().is_some() {
            return Ok(Err(explain(&status)));
        }
        tokio::time::sleep(POLL).await;
    }
}

/// True when the slot is there and of no use any more. A source that does not answer is judged later.
pub(super) async fn slot_is_lost(source: SourceDb, settings: &config::Source) -> bool {
    let state = SlotWatch::new(source, settings).ask().await;
    matches!(state, Ok(Some(state)) if state.wal_status == "lost")
}

/// Stops a connector and waits until its tasks are gone: only then may its offsets be forgotten.
pub(super) async fn stop(connect: &Connect, name: &str, wait: Duration) -> Result<(), ConnectError> {
    connect.stop(name).await?;
    let started = Instant::now();
    while started.elapsed() < wait {
        let status = connect.status(name).await?.unwrap_or_default();
        if status.connector.state == "STOPPED" && status.tasks.is_empty() {
            return Ok(());
        }
        tokio::time::sleep(POLL).await;
    }
    // Connect refuses to forget the offsets of one that still runs, and says so.
    Ok(())
}

fn read(status: &Status, slot: &SlotState) -> String {
    if slot.retained_bytes > HELD_BACK {
        return format!(
            "{}, its slot holds back {} MB of log",
            status.describe(),
            slot.retained_bytes / 1_000_000
        );
    }
    status.describe()
}

fn lost() -> (String, String) {
    (
        "the server has removed log that its slot needs".into(),
        "run instashop setup: a new slot and a new snapshot follow".into(),
    )
}

fn no_slot() -> (String, String) {
    (
        "says it runs, but its source has no replication slot".into(),
        "Connect's log says why it made none".into(),
    )
}

fn explain(status: &Status) -> (String, String) {
    let Some(failure) = status.failure() else {
        return (status.describe(), "run instashop setup to let it go on".into());
    };
    let cause = trace::cause(failure);
    let advice = trace::advice(&cause).into();
    (format!("{}: {cause}", status.describe()), advice)
}

/// True when a task was made with these settings. (Connect adds some of its own.)
fn made_with(task: &Settings, wanted: &Settings) -> bool {
    let same = |(name, value): (&String, &String)| {
        name.contains("password") || task.get(name).is_none_or(|found| found == value)
    };
    wanted.iter().all(same)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_made_with_older_settings_is_told_apart() {
        let settings = |pairs: &[(&str, &str)]| -> Settings {
            pairs
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect()
        };
        let wanted = settings(&[("a", "2"), ("database.password", "${env:X}")]);
        assert!(made_with(&settings(&[("a", "2"), ("task.class", "x")]), &wanted));
        assert!(!made_with(&settings(&[("a", "1")]), &wanted));
    }
}
