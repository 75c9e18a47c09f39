//! The four connectors: read the file, fill in the configuration, compare with what runs, apply only a difference, and
//! wait until it runs (docs: cdc 3.2).

/// The files of `debezium-config/` and their placeholders.
pub mod file;
/// What a Java stack trace says to a person.
mod trace;

use std::path::Path;
use std::time::{Duration, Instant};

use futures::future::join_all;
use instashop_core::config::Config;
use instashop_core::table::SourceDb;

use super::Part;
use super::connect::{Connect, ConnectError, POLL, Settings, Status};
use super::journal::Journal;
use crate::cli::exit::{Exit, sentence};

const CLASS: &str = "io.debezium.connector.postgresql.PostgresConnector";

/// What is to be applied.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plan<'a> {
    /// The configuration that fills the placeholders.
    pub(super) config: &'a Config,
    /// Folder with the files.
    pub(super) folder: &'a Path,
    /// Longest time to wait for a connector.
    pub(super) wait: Duration,
    /// False when a topic is missing: a connector would hang on it and say it runs.
    pub(super) topics_ready: bool,
}

/// Checks the connectors and, if allowed, applies them.
pub(super) async fn run(plan: &Plan<'_>, journal: &Journal) {
    let files = match file::read_all(plan.folder, plan.config) {
        Ok(files) => files,
        Err(fault) => {
            let hint = "connect.config_dir names the folder with the four connector files";
            journal.problem(
                Part::Connectors,
                &plan.folder.display().to_string(),
                Exit::Configuration,
                fault.to_string(),
                hint,
            );
            return;
        }
    };
    let url = &plan.config.connect.url;
    let connect = match reach(url).await {
        Ok(connect) => connect,
        Err((exit, what, hint)) => {
            journal.problem(Part::Connectors, url, exit, what, hint);
            return;
        }
    };
    join_all(
        files
            .iter()
            .map(|(source, settings)| one(plan, &connect, *source, settings, journal)),
    )
    .await;
}

/// Connects and makes sure that Debezium is there: a cluster without it answers every question but makes no connector.
async fn reach(url: &str) -> Result<Connect, (Exit, String, &'static str)> {
    let unreachable = |error: ConnectError| {
        let hint = "is Kafka Connect running, and is connect.url right?";
        (Exit::Unreachable, sentence(&error), hint)
    };
    let connect = Connect::new(url, Duration::from_secs(90)).map_err(unreachable)?;
    match connect.plugin(CLASS).await {
        Ok(Some(_)) => Ok(connect),
        Ok(None) => {
            let what = "has no Debezium PostgreSQL connector";
            Err((
                Exit::Configuration,
                what.into(),
                "put the Debezium plugin below the worker's plugin.path and restart it",
            ))
        }
        Err(error) => Err(unreachable(error)),
    }
}

async fn one(plan: &Plan<'_>, connect: &Connect, source: SourceDb, wanted: &Settings, journal: &Journal) {
    let name = source.prefix();
    let outcome = async {
        let current = connect.settings(name).await?;
        let difference = difference(wanted, current.as_ref());
        if !journal.may_change() {
            return check(connect, name, current.is_some(), difference, journal).await;
        }
        if !plan.topics_ready {
            let what = "not applied, because topics are missing: it would hang on them";
            journal.problem(
                Part::Connectors,
                name,
                Exit::No,
                what,
                "run setup with the parts topics and connectors",
            );
            return Ok(());
        }
        let mut done: Vec<String> = Vec::new();
        if !difference.is_empty() {
            connect.apply(name, wanted).await?;
            done.push(if current.is_some() {
                difference.join(", ")
            } else {
                "made".into()
            });
        }
        match until_running(connect, name, wanted, plan.wait, &mut done).await? {
            Ok(status) if done.is_empty() => journal.unchanged(Part::Connectors, name, status.describe()),
            Ok(status) => journal.changed(
                Part::Connectors,
                name,
                format!("{}; {}", done.join("; "), status.describe()),
            ),
            Err((what, hint)) => journal.problem(Part::Connectors, name, Exit::No, what, hint),
        }
        Ok(())
    };
    if let Err(error) = outcome.await {
        let (exit, hint) = match &error {
            ConnectError::Unreachable { .. } => (Exit::Unreachable, "its log says why it stopped answering"),
            ConnectError::Unreadable { .. } => (Exit::Unreachable, "is connect.url right?"),
            ConnectError::Refused { message, .. } => (Exit::Configuration, trace::advice(message)),
        };
        journal.problem(Part::Connectors, name, exit, sentence(&error), hint);
    }
}

/// With `--check`: says what would be done and what is wrong.
async fn check(
    connect: &Connect,
    name: &str,
    exists: bool,
    difference: Vec<String>,
    journal: &Journal,
) -> Result<(), ConnectError> {
    if !exists {
        journal.changed(Part::Connectors, name, "is missing; would be made");
        return Ok(());
    }
    if !difference.is_empty() {
        journal.changed(Part::Connectors, name, difference.join(", "));
    }
    match connect.status(name).await? {
        Some(status) if status.runs() => {
            if difference.is_empty() {
                journal.unchanged(Part::Connectors, name, status.describe());
            }
        }
        Some(status) => {
            let (what, hint) = explain(&status);
            journal.problem(Part::Connectors, name, Exit::No, what, hint);
        }
        None => journal.problem(
            Part::Connectors,
            name,
            Exit::No,
            "has no state yet",
            "ask again in a few seconds",
        ),
    }
    Ok(())
}

/// Names of settings that differ, with old and new value; a connector that is not there differs in all.
fn difference(wanted: &Settings, current: Option<&Settings>) -> Vec<String> {
    let Some(current) = current else {
        return wanted.keys().cloned().collect();
    };
    let value =
        |settings: &Settings, name: &String| settings.get(name).cloned().unwrap_or_else(|| "(none)".into());
    let mut names: Vec<&String> = wanted.keys().chain(current.keys()).collect();
    names.sort();
    names.dedup();
    names
        .into_iter()
        .filter(|name| wanted.get(*name) != current.get(*name))
        .map(|name| {
            // A password that somebody wrote in clear into Connect must not be repeated here.
            if name.contains("password") {
                name.clone()
            } else {
                format!("{name} {} -> {}", value(current, name), value(wanted, name))
            }
        })
        .collect()
}

/// Waits until the connector runs with the wanted settings. Restarts what failed and resumes what was stopped, once each.
/// The inner error is a sentence and a hint.
async fn until_running(
    connect: &Connect,
    name: &str,
    wanted: &Settings,
    wait: Duration,
    done: &mut Vec<String>,
) -> Result<Result<Status, (String, String)>, ConnectError> {
    let started = Instant::now();
    let (mut restarted, mut resumed) = (false, false);
    loop {
        let status = connect.status(name).await?.unwrap_or_default();
        // After a change the old state stands for a moment: the tasks tell which settings they were made with.
        let fresh = connect
            .task_settings(name)
            .await?
            .iter()
            .all(|task| made_with(task, wanted));
        if fresh && status.runs() {
            return Ok(Ok(status));
        }
        let over = started.elapsed() >= wait;
        if fresh && status.failure().is_some() {
            if restarted || over {
                return Ok(Err(explain(&status)));
            }
            connect.restart_failed(name).await?;
            restarted = true;
            done.push("failed task restarted".into());
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

/// True when a task was made with these settings. (Connect adds some of its own.)
fn made_with(task: &Settings, wanted: &Settings) -> bool {
    wanted
        .iter()
        .all(|(name, value)| name.contains("password") || task.get(name).is_none_or(|found| found == value))
}

fn explain(status: &Status) -> (String, String) {
    status.failure().map_or_else(
        || {
            (
                status.describe(),
                "run setup without --check to let it go on".into(),
            )
        },
        |failure| {
            (
                format!("{}: {}", status.describe(), trace::cause(failure)),
                trace::advice(failure).into(),
            )
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(pairs: &[(&str, &str)]) -> Settings {
        pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn a_difference_names_the_setting_but_never_a_password() {
        let wanted = settings(&[("a", "1"), ("b", "2"), ("database.password", "${env:X}")]);
        assert_eq!(difference(&wanted, Some(&wanted)), Vec::<String>::new());
        let current = settings(&[
            ("a", "1"),
            ("b", "3"),
            ("c", "4"),
            ("database.password", "canary"),
        ]);
        assert_eq!(
            difference(&wanted, Some(&current)),
            ["b 3 -> 2", "c 4 -> (none)", "database.password"]
        );
        assert_eq!(difference(&wanted, None).len(), 3);
    }

    #[test]
    fn a_task_made_with_older_settings_is_told_apart() {
        let wanted = settings(&[("a", "2"), ("database.password", "${env:X}")]);
        assert!(made_with(&settings(&[("a", "2"), ("task.class", "x")]), &wanted));
        assert!(!made_with(&settings(&[("a", "1")]), &wanted));
    }
}
