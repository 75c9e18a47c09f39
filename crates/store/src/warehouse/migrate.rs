//! Migrations of the warehouse: versioned files once, in the order of their numbers and never edited afterwards;
//! repeatable files (views, functions) again whenever their text changes.
//!
//! A runner of our own, because both kinds are needed under one lock and one order, with drop-and-make-again of views
//! whose columns changed; the migration crates know numbered files only.

mod files;

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};
use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

use self::files::{REPEATABLE, Repeatable, VERSIONED, Versioned};
use crate::postgres::failed;
use crate::{Kind, StoreError};

const SETUP: &str = "run instashop setup; it brings the schema to this version";

/// Records of the runner itself. Made by the runner, because they must exist before the first migration.
const RECORDS: &str = "
    CREATE SCHEMA IF NOT EXISTS ops;
    CREATE TABLE IF NOT EXISTS ops.migrations (
      version integer PRIMARY KEY, name text NOT NULL, checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now());
    CREATE TABLE IF NOT EXISTS ops.repeatables (
      name text PRIMARY KEY, checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now());
    COMMENT ON TABLE ops.migrations IS 'grain: one row per versioned file that was applied';
    COMMENT ON TABLE ops.repeatables IS 'grain: one row per repeatable file, with the text applied last';";

/// What a run did, or what it would do.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// Versioned files, by name.
    pub applied: Vec<String>,
    /// Repeatable files whose text is new, by name.
    pub refreshed: Vec<String>,
}

impl Report {
    /// True when there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.applied.is_empty() && self.refreshed.is_empty()
    }
}

/// What the database says was applied.
#[derive(Debug, Default)]
struct Applied {
    versions: BTreeMap<i32, (String, String)>,
    repeatables: BTreeMap<String, String>,
}

/// Brings the schema to this version. One runner at a time: others wait. Each versioned file is one transaction; all
/// repeatable files together are one. Run a second time it does nothing.
pub(super) async fn migrate(client: &Client) -> Result<Report, StoreError> {
    let run = async |what: &str, sql: &str| {
        client
            .batch_execute(sql)
            .await
            .map_err(|error| failed(what, error))
    };
    run(
        "cannot take the migration lock",
        "SELECT pg_advisory_lock(hashtextextended('instashop migrations', 0))",
    )
    .await?;
    let result = async {
        run("cannot make the records of migrations", RECORDS).await?;
        let todo = pending(client).await?;
        for file in VERSIONED
            .iter()
            .filter(|file| todo.applied.iter().any(|name| name == file.name))
        {
            apply_versioned(client, file).await?;
        }
        if !todo.refreshed.is_empty() {
            apply_repeatables(client, &todo.refreshed).await?;
        }
        Ok(todo)
    }
    .await;
    if result.is_err() {
        // The failed file's transaction is still open.
        let _ = client.batch_execute("ROLLBACK").await;
    }
    run(
        "cannot release the migration lock",
        "SELECT pg_advisory_unlock(hashtextextended('instashop migrations', 0))",
    )
    .await?;
    result
}

/// What [`migrate`] would do. Writes nothing.
///
/// An applied file whose text changed, and a version this program does not know, are permanent failures.
pub(super) async fn pending(client: &Client) -> Result<Report, StoreError> {
    compare(&applied(client).await?, VERSIONED, REPEATABLE)
}

/// The check of every worker and reader at its start: the schema must be exactly this program's.
pub(super) async fn check(client: &Client) -> Result<(), StoreError> {
    let todo = pending(client).await?;
    if todo.is_empty() {
        return Ok(());
    }
    let missing: Vec<_> = todo.applied.iter().chain(&todo.refreshed).cloned().collect();
    Err(StoreError::new(
        Kind::Permanent,
        format!(
            "the warehouse schema is not this program's version; not applied: {}",
            missing.join(", ")
        ),
    )
    .hint(SETUP))
}

async fn applied(client: &Client) -> Result<Applied, StoreError> {
    let what = "cannot read which migrations were applied";
    let fail = |error| failed(what, error);
    let known = client
        .query_one(
            "SELECT to_regclass('ops.migrations') IS NOT NULL AND to_regclass('ops.repeatables') IS NOT NULL",
            &[],
        )
        .await
        .map_err(fail)?;
    let mut applied = Applied::default();
    if !known.get::<_, bool>(0) {
        return Ok(applied);
    }
    for row in client
        .query("SELECT version, name, checksum FROM ops.migrations", &[])
        .await
        .map_err(fail)?
    {
        applied.versions.insert(row.get(0), (row.get(1), row.get(2)));
    }
    for row in client
        .query("SELECT name, checksum FROM ops.repeatables", &[])
        .await
        .map_err(fail)?
    {
        applied.repeatables.insert(row.get(0), row.get(1));
    }
    Ok(applied)
}

fn compare(
    applied: &Applied,
    versioned: &[Versioned],
    repeatable: &[Repeatable],
) -> Result<Report, StoreError> {
    let newest = versioned.last().map_or(0, |file| file.version);
    if let Some((version, (name, _))) = applied.versions.range(newest + 1..).next_back() {
        return Err(StoreError::new(
            Kind::Permanent,
            format!("the warehouse has migration {version} ({name}); this program knows {newest} at most"),
        )
        .hint("use the release that migrated it, or a newer one"));
    }
    let mut report = Report::default();
    for file in versioned {
        match applied.versions.get(&file.version) {
            None => report.applied.push(file.name.to_owned()),
            Some((_, sum)) if *sum == checksum(file.text) => {}
            Some(_) => {
                return Err(StoreError::new(
                    Kind::Permanent,
                    format!(
                        "migration {} was applied with another text than this program holds",
                        file.name
                    ),
                )
                .hint("an applied migration is never edited: restore its text and add a new file"));
            }
        }
    }
    let changed = |file: &&Repeatable| applied.repeatables.get(file.name) != Some(&checksum(file.text));
    report.refreshed = repeatable
        .iter()
        .filter(changed)
        .map(|file| file.name.to_owned())
        .collect();
    Ok(report)
}

async fn apply_versioned(client: &Client, file: &Versioned) -> Result<(), StoreError> {
    let what = format!("migration {} failed", file.name);
    let fail = |error| failed(&what, error);
    client.batch_execute("BEGIN").await.map_err(fail)?;
    client.batch_execute(file.text).await.map_err(fail)?;
    client
        .execute(
            "INSERT INTO ops.migrations (version, name, checksum) VALUES ($1, $2, $3)",
            &[&file.version, &file.name, &checksum(file.text)],
        )
        .await
        .map_err(fail)?;
    client.batch_execute("COMMIT").await.map_err(fail)
}

/// Replaces what changed. A view whose columns changed cannot be replaced in place: then all views and functions are
/// dropped and made again in the same transaction. What others built on them is not dropped with them; PostgreSQL then
/// refuses and names it.
async fn apply_repeatables(client: &Client, changed: &[String]) -> Result<(), StoreError> {
    let fail = |error| failed("views and functions cannot be replaced", error);
    client.batch_execute("BEGIN").await.map_err(fail)?;
    client.batch_execute("SAVEPOINT before").await.map_err(fail)?;
    let only_changed = REPEATABLE
        .iter()
        .filter(|file| changed.iter().any(|name| name == file.name));
    match run_all(client, only_changed).await {
        Ok(()) => {}
        Err(error) if is_other_shape(&error) => {
            client
                .batch_execute("ROLLBACK TO SAVEPOINT before")
                .await
                .map_err(fail)?;
            for drop in drops() {
                client.batch_execute(&drop).await.map_err(fail)?;
            }
            run_all(client, REPEATABLE.iter()).await.map_err(fail)?;
        }
        Err(error) => return Err(fail(error)),
    }
    for file in REPEATABLE {
        client
            .execute(
                "INSERT INTO ops.repeatables (name, checksum) VALUES ($1, $2)
                 ON CONFLICT (name) DO UPDATE SET checksum = excluded.checksum, applied_at = now()
                 WHERE repeatables.checksum <> excluded.checksum",
                &[&file.name, &checksum(file.text)],
            )
            .await
            .map_err(fail)?;
    }
    // What the marts hold was computed by the old text.
    client
        .batch_execute("UPDATE ops.mart_refreshes SET complete = false")
        .await
        .map_err(fail)?;
    client.batch_execute("COMMIT").await.map_err(fail)
}

async fn run_all(
    client: &Client,
    files: impl Iterator<Item = &'static Repeatable>,
) -> Result<(), tokio_postgres::Error> {
    for file in files {
        client.batch_execute(file.text).await?;
    }
    Ok(())
}

/// "cannot drop columns from view", "cannot change return type of existing function" and their kind.
fn is_other_shape(error: &tokio_postgres::Error) -> bool {
    error.code().is_some_and(|state| {
        *state == SqlState::INVALID_TABLE_DEFINITION || *state == SqlState::INVALID_FUNCTION_DEFINITION
    })
}

/// One DROP for each view and function of the repeatable files, the last made first.
fn drops() -> Vec<String> {
    let lines = REPEATABLE.iter().flat_map(|file| file.text.lines());
    let mut drops: Vec<String> = lines
        .filter_map(|line| {
            let rest = line.strip_prefix("CREATE OR REPLACE ")?;
            let (kind, rest) = rest.split_once(' ')?;
            let name = rest.split([' ', '(']).next()?;
            Some(format!("DROP {kind} IF EXISTS {name}"))
        })
        .collect();
    drops.reverse();
    drops
}

fn checksum(text: &str) -> String {
    Sha256::digest(text.as_bytes())
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: Versioned = Versioned {
        version: 1,
        name: "a/V001__x.sql",
        text: "x",
    };
    const VIEW: Repeatable = Repeatable {
        name: "core/v.sql",
        text: "v",
    };

    #[test]
    fn what_is_to_do() {
        let none = Applied::default();
        let report = compare(&none, &[ONE], &[VIEW]).unwrap();
        assert_eq!(report.applied, ["a/V001__x.sql"]);
        assert_eq!(report.refreshed, ["core/v.sql"]);

        let applied = |version, sum: &str, view: &str| Applied {
            versions: BTreeMap::from([(version, ("a".to_owned(), sum.to_owned()))]),
            repeatables: BTreeMap::from([("core/v.sql".to_owned(), view.to_owned())]),
        };
        let all = applied(1, &checksum("x"), &checksum("v"));
        assert!(compare(&all, &[ONE], &[VIEW]).unwrap().is_empty());
        let old_view = applied(1, &checksum("x"), "other");
        assert_eq!(
            compare(&old_view, &[ONE], &[VIEW]).unwrap().refreshed,
            ["core/v.sql"]
        );
        for (name, applied) in [
            ("edited", applied(1, "other", "v")),
            ("newer", applied(2, "y", "v")),
        ] {
            assert_eq!(
                compare(&applied, &[ONE], &[VIEW]).unwrap_err().kind(),
                Kind::Permanent,
                "{name}"
            );
        }
    }

    #[test]
    fn every_view_and_function_can_be_dropped_again() {
        let drops = drops();
        assert_eq!(
            drops.last().unwrap(),
            "DROP FUNCTION IF EXISTS ops.ensure_partitions"
        );
        assert!(drops.contains(&"DROP VIEW IF EXISTS core.orders".to_owned()));
        assert!(drops.iter().all(|drop| !drop.contains("OR REPLACE")));
    }
}
