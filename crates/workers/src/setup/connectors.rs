//! The four connectors: read the file, fill in the configuration, compare with what runs, apply only a difference, and
//! wait until it runs (docs: cdc 3.2).

/// The files of `debezium-config/` and their placeholders.
pub mod file;
/// Waiting until a connector runs and reads its slot.
mod running;
/// What a Java stack trace says to a person.
mod trace;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use futures::future::join_all;
use instashop_core::config::{self, Config};
use instashop_core::table::SourceDb;
use instashop_store::StoreError;
use instashop_store::source::{Inspection, SourceOwner};

use super::Part;
use super::connect::{Connect, ConnectError, Settings};
use super::journal::Journal;
use crate::cli::exit::{Exit, sentence};

const CLASS: &str = "io.debezium.connector.postgresql.PostgresConnector";

/// Setting that holds the generation which the connector stamps on every record.
const GENERATION: &str = "transforms.generation.value.literal";

/// What is to be applied.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plan<'a> {
    /// The configuration that fills the placeholders, with the generations that hold now.
    pub(super) config: &'a Config,
    /// Folder with the files.
    pub(super) folder: &'a Path,
    /// Longest time to wait for a connector.
    pub(super) wait: Duration,
    /// False when a topic is missing: a connector would hang on it and say it runs.
    pub(super) topics_ready: bool,
    /// Sources that can be captured; `None` when nobody looked.
    pub(super) sources: Option<&'a BTreeMap<SourceDb, Inspection>>,
}

/// Checks the connectors and, if allowed, applies them.
pub(super) async fn run(plan: &Plan<'_>, journal: &Journal) {
    let files = match file::read_all(plan.folder, plan.config) {
        Ok(files) => files,
        Err(fault) => {
            let folder = plan.folder.display().to_string();
            let hint = "connect.config_dir names the folder with the four connector files";
            journal.problem(
                Part::Connectors,
                &folder,
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
        Err((exit, what, hint)) => return journal.problem(Part::Connectors, url, exit, what, hint),
    };
    let all = files
        .into_iter()
        .map(|(source, settings)| one(plan, &connect, source, settings, journal));
    join_all(all).await;
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
            let hint = "put the Debezium plugin below the worker's plugin.path and restart it";
            Err((
                Exit::Configuration,
                "has no Debezium PostgreSQL connector".into(),
                hint,
            ))
        }
        Err(error) => Err(unreachable(error)),
    }
}

async fn one(plan: &Plan<'_>, connect: &Connect, source: SourceDb, wanted: Settings, journal: &Journal) {
    let name = source.prefix();
    let outcome = async {
        let current = connect.settings(name).await?;
        let change = Change::between(wanted, current);
        if journal.may_change() {
            apply(plan, connect, source, &change, journal).await
        } else {
            check(plan, connect, source, &change, journal).await
        }
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

async fn apply(
    plan: &Plan<'_>,
    connect: &Connect,
    source: SourceDb,
    change: &Change,
    journal: &Journal,
) -> Result<(), ConnectError> {
    let name = source.prefix();
    let refuse = |what: &str, hint: &str| journal.problem(Part::Connectors, name, Exit::No, what, hint);
    if !plan.topics_ready {
        refuse(
            "not applied, because topics are missing: it would hang on them",
            "see the lines on topics above",
        );
        return Ok(());
    }
    if plan.sources.is_some_and(|sources| !sources.contains_key(&source)) {
        refuse(
            "not applied, because its source is not ready",
            "see the lines on sources above",
        );
        return Ok(());
    }
    let mut done: Vec<String> = Vec::new();
    let settings = plan.config.sources.get(source);
    if change.exists && running::slot_is_lost(source, settings).await {
        running::stop(connect, name, plan.wait).await?;
        if let Err(error) = drop_lost_slot(source, settings).await {
            journal.store_problem(Part::Connectors, name, &error);
            return Ok(());
        }
        connect.forget_offsets(name).await?;
        connect.apply(name, &change.wanted).await?;
        connect.resume(name).await?;
        done.push(
            "the server had removed log that its slot needed: begins with a new slot and a new snapshot"
                .into(),
        );
    } else if change.new_snapshot {
        // The stored offset belongs to another log.
        running::stop(connect, name, plan.wait).await?;
        connect.forget_offsets(name).await?;
        connect.apply(name, &change.wanted).await?;
        connect.resume(name).await?;
        done.push(format!("{}, begins with a new snapshot", change.words()));
    } else if !change.is_empty() {
        connect.apply(name, &change.wanted).await?;
        done.push(change.words());
    }
    match running::wait(connect, source, settings, &change.wanted, plan.wait, &mut done).await? {
        Ok(state) if done.is_empty() => journal.unchanged(Part::Connectors, name, state),
        Ok(state) => journal.changed(Part::Connectors, name, format!("{}; {state}", done.join("; "))),
        Err((what, hint)) => journal.problem(Part::Connectors, name, Exit::No, what, hint),
    }
    Ok(())
}

async fn drop_lost_slot(source: SourceDb, settings: &config::Source) -> Result<bool, StoreError> {
    SourceOwner::connect(source, settings)
        .await?
        .drop_lost_slot()
        .await
}

/// With `--check`: says what would be done and what is wrong.
async fn check(
    plan: &Plan<'_>,
    connect: &Connect,
    source: SourceDb,
    change: &Change,
    journal: &Journal,
) -> Result<(), ConnectError> {
    let name = source.prefix();
    if !change.exists {
        journal.changed(Part::Connectors, name, "is missing; would be made");
        return Ok(());
    }
    if !change.is_empty() {
        let snapshot = if change.new_snapshot {
            ", and a new snapshot"
        } else {
            ""
        };
        journal.changed(Part::Connectors, name, change.words() + snapshot);
    }
    match running::look(connect, source, plan.config.sources.get(source)).await? {
        Ok(state) if change.is_empty() => journal.unchanged(Part::Connectors, name, state),
        Ok(_) => {}
        Err((what, hint)) => journal.problem(Part::Connectors, name, Exit::No, what, hint),
    }
    Ok(())
}

/// What is to change at one connector.
#[derive(Debug)]
struct Change {
    wanted: Settings,
    exists: bool,
    /// Names of settings that differ, with old and new value.
    difference: Vec<String>,
    /// True when the generation rises: positions stored so far mean nothing any more.
    new_snapshot: bool,
}

impl Change {
    fn between(mut wanted: Settings, current: Option<Settings>) -> Self {
        let generation =
            |settings: &Settings| settings.get(GENERATION).and_then(|text| text.parse::<u32>().ok());
        let Some(current) = current else {
            return Self {
                wanted,
                exists: false,
                difference: Vec::new(),
                new_snapshot: false,
            };
        };
        let (runs_with, asked) = (generation(&current), generation(&wanted));
        // It never falls: a lower one would make every new change look older than what is stored.
        if let Some(higher) = runs_with.filter(|runs_with| asked.is_some_and(|asked| asked < *runs_with)) {
            wanted.insert(GENERATION.into(), higher.to_string());
        }
        Self {
            exists: true,
            difference: difference(&wanted, &current),
            new_snapshot: runs_with < asked,
            wanted,
        }
    }

    fn is_empty(&self) -> bool {
        self.exists && self.difference.is_empty()
    }

    fn words(&self) -> String {
        if self.exists {
            self.difference.join(", ")
        } else {
            "made".into()
        }
    }
}

/// Names of settings that differ, with old and new value.
fn difference(wanted: &Settings, current: &Settings) -> Vec<String> {
    let mut names: Vec<&String> = wanted.keys().chain(current.keys()).collect();
    names.sort();
    names.dedup();
    let value =
        |settings: &Settings, name: &String| settings.get(name).cloned().unwrap_or_else(|| "(none)".into());
    let words = |name: &String| {
        // A password that somebody wrote in clear into Connect must not be repeated here.
        if name.contains("password") {
            name.clone()
        } else {
            format!("{name} {} -> {}", value(current, name), value(wanted, name))
        }
    };
    names
        .into_iter()
        .filter(|name| wanted.get(*name) != current.get(*name))
        .map(words)
        .collect()
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
        assert_eq!(difference(&wanted, &wanted), Vec::<String>::new());
        let current = settings(&[
            ("a", "1"),
            ("b", "3"),
            ("c", "4"),
            ("database.password", "canary"),
        ]);
        assert_eq!(
            difference(&wanted, &current),
            ["b 3 -> 2", "c 4 -> (none)", "database.password"]
        );
    }

    #[test]
    fn a_generation_that_rises_asks_for_a_snapshot_and_one_that_would_fall_stays() {
        let with = |generation: &str| settings(&[("a", "1"), (GENERATION, generation)]);
        let change = |wanted: &str, current: &str| Change::between(with(wanted), Some(with(current)));
        assert!(change("0", "0").is_empty());
        let risen = change("2", "1");
        assert!(risen.new_snapshot && !risen.is_empty());
        let fallen = change("0", "3");
        assert!(fallen.is_empty() && !fallen.new_snapshot);
        assert_eq!(fallen.wanted[GENERATION], "3");
        let made = Change::between(with("0"), None);
        assert!(!made.is_empty() && !made.new_snapshot && made.words() == "made");
    }
}
