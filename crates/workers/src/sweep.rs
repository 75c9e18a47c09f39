//! `instashop sweep`: rows that vanished from a source while nobody listened.
//!
//! A slot that was lost, or a TRUNCATE that was forced, leaves rows in the stores whose delete never came; a rebuild does
//! not help, since a compacted topic still holds them. The sweep finds them at the cut of `verify`, where both sides are
//! read as one snapshot of the source saw them, and writes their deletes and tombstones to their own topics, so that both
//! flows treat them as any delete and compaction removes them (docs: reliability 5.8). A delete is dated by the log
//! position of that snapshot: a row that came back meanwhile has a later one and wins.

use std::process::ExitCode;
use std::time::Duration;

use chrono::{DateTime, Utc};
use clap::Args;
use color_eyre::eyre::Result;
use instashop_core::config::Config;
use instashop_core::table::{SourceDb, Table};
use instashop_store::warehouse::Auditor;

use crate::cli::exit::{Exit, Failure};
use crate::cli::{Format, output};
use crate::kafka::{Repair, RepairWriter, repair_headers};
use crate::verify::progress::Progress;
use crate::verify::sources::{SourceResult, TableResult, compare};
use crate::verify::{cut, seconds};

pub(crate) const HELP: &str = "\
Compares sources and warehouse as verify does and names the rows that the warehouse alone has. With --yes their deletes \
are written to Kafka, where both flows read them. Run it after a slot was lost and the source was read anew, and after a \
TRUNCATE.

Examples:
  instashop sweep                       what vanished, in all sources
  instashop sweep erp_db --yes          delete it
  instashop sweep erp_db --yes --force  also when more than half of a table vanished

Exit codes: 0 nothing vanished, or all of it was deleted; 1 something vanished and --yes or --force is missing; 2 usage; \
3 a server cannot be reached, or a flow did not reach the cut in time; 4 configuration.";

/// Arguments of `instashop sweep`.
#[derive(Debug, Args)]
pub struct SweepArgs {
    /// Sources to sweep; all of them when left out
    #[arg(value_name = "SOURCE", value_parser = source)]
    sources: Vec<SourceDb>,
    /// Write the deletes
    #[arg(long)]
    yes: bool,
    /// Also when more than half of a table vanished: a source that was emptied or restored by mistake looks like that
    #[arg(long, requires = "yes")]
    force: bool,
    /// Longest time to wait for the flows to reach the cut, in seconds
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = seconds)]
    wait: Duration,
    /// How to print what was found
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

fn source(text: &str) -> Result<SourceDb, String> {
    SourceDb::from_name(text).ok_or_else(|| {
        let names: Vec<&str> = SourceDb::ALL.iter().map(|source| source.name()).collect();
        format!("give one of {}", names.join(", "))
    })
}

/// Deletes written at a time.
const CHUNK: usize = 1000;

/// What to do with rows that vanished.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// Name them.
    Look,
    /// Delete them, unless more than half of a table vanished.
    Delete,
    /// Delete them however many there are.
    Force,
}

/// What a sweep found and did.
struct Swept {
    found: Vec<SourceResult>,
    written: bool,
}

impl Swept {
    fn vanished(&self) -> impl Iterator<Item = (&SourceResult, &TableResult)> {
        self.found
            .iter()
            .flat_map(|source| source.tables.iter().map(move |table| (source, table)))
            .filter(|(_, table)| !table.vanished.is_empty())
    }

    fn count(&self) -> usize {
        self.vanished().map(|(_, table)| table.vanished.len()).sum()
    }

    /// Names of the tables that lost more than half of their rows.
    fn suspicious(&self) -> Vec<&'static str> {
        self.vanished()
            .filter(|(_, table)| is_suspicious(table))
            .map(|(_, table)| table.table.name())
            .collect()
    }
}

/// Runs the command.
pub(crate) async fn run(args: &SweepArgs, config: &Config) -> Result<ExitCode> {
    let mut wanted: Vec<SourceDb> = SourceDb::ALL.to_vec();
    wanted.retain(|source| args.sources.is_empty() || args.sources.contains(source));
    let mode = match (args.yes, args.force) {
        (false, _) => Mode::Look,
        (true, false) => Mode::Delete,
        (true, true) => Mode::Force,
    };
    let swept = Box::pin(sweep(config, &wanted, mode, args.wait)).await?;
    let (count, written) = (swept.count(), swept.written);
    let rows: Vec<Row<'_>> = swept
        .vanished()
        .map(|(source, table)| Row {
            source: source.source.name(),
            table: table.table.name(),
            vanished: table.vanished.len(),
            of: table.rows[1],
            first: table.vanished.iter().copied().take(5).collect(),
        })
        .collect();
    match args.format {
        Format::Text => output::print(&page(&rows, count, written))?,
        Format::Json => output::line(&json(&rows, count, written))?,
    }
    if count > 0 && !args.yes {
        return Err(Failure::new(Exit::No, "these rows are still in the stores")
            .hint("add --yes to delete them")
            .into());
    }
    if count > 0 && !written {
        return Err(Failure::new(
            Exit::No,
            format!(
                "more than half of {} vanished; nothing was deleted",
                swept.suspicious().join(", ")
            ),
        )
        .hint("if the source is meant to be so, add --force")
        .into());
    }
    Ok(Exit::Done.into())
}

/// Sweeps a source after it was read anew, as a worker does by itself; says in one sentence what came of it. More than
/// half of a table is left to a person.
pub(crate) async fn after_snapshot(config: &Config, source: SourceDb) -> Result<String> {
    let swept = Box::pin(sweep(config, &[source], Mode::Delete, AFTER_SNAPSHOT)).await?;
    let (count, name) = (swept.count(), source.name());
    Ok(match (count, swept.written) {
        (0, _) => format!("{name} was read anew, and nothing had vanished from it"),
        (_, true) => format!("{name} was read anew; {count} rows that had vanished from it are deleted"),
        (_, false) => format!(
            "{name} was read anew, and more than half of {} had vanished: nothing is deleted. If the source is meant to \
             be so, run `instashop sweep {name} --yes --force`",
            swept.suspicious().join(", ")
        ),
    })
}

/// Longest time a sweep after a snapshot waits for the flows: a snapshot may be long.
const AFTER_SNAPSHOT: Duration = Duration::from_mins(10);

async fn sweep(config: &Config, sources: &[SourceDb], mode: Mode, wait: Duration) -> Result<Swept> {
    let progress = Progress::new();
    let mut auditor = Auditor::connect(&config.warehouse).await?;
    let found = Box::pin(compare(config, &mut auditor, sources, wait, &progress)).await?;
    let mut swept = Swept {
        found,
        written: false,
    };
    swept.written = match mode {
        Mode::Look => false,
        Mode::Delete => swept.suspicious().is_empty(),
        Mode::Force => true,
    };
    if !swept.written || swept.count() == 0 {
        return Ok(swept);
    }
    let generations = generations(config, &auditor).await?;
    let writer = RepairWriter::new(config, "instashop-sweep").map_err(Failure::from)?;
    for (source, table) in swept.vanished() {
        progress.say(&format!(
            "deleting {} of {}",
            table.vanished.len(),
            table.table.name()
        ));
        let generation = generations(source.source);
        for keys in table.vanished.chunks(CHUNK) {
            let deletes: Vec<Repair> = keys
                .iter()
                .flat_map(|key| delete(config, source, table.table, *key, generation, Utc::now()))
                .collect();
            writer.write(&deletes).await.map_err(Failure::from)?;
        }
    }
    let ends: Vec<_> = cut::ends(config).await?.into_iter().collect();
    cut::warehouse(&auditor, &ends, wait, &progress).await?;
    Ok(swept)
}

/// True when so much of a table is gone that somebody should look first.
fn is_suspicious(table: &TableResult) -> bool {
    table.vanished.len() as i64 * 2 > table.rows[1]
}

/// The generation that the connectors stamp now.
async fn generations(config: &Config, auditor: &Auditor) -> Result<impl Fn(SourceDb) -> u32> {
    let known = auditor.known_sources().await?;
    let set = SourceDb::ALL.map(|source| (source, config.sources.get(source).generation));
    Ok(move |source| {
        let seen = known.iter().find(|known| known.source == source);
        let set = set
            .iter()
            .find(|(of, _)| *of == source)
            .map_or(0, |(_, set)| *set);
        seen.map_or(set, |known| known.generation)
    })
}

/// The delete of a row and its tombstone, as a connector would write them.
fn delete(
    config: &Config,
    source: &SourceResult,
    table: Table,
    key: i64,
    generation: u32,
    now: DateTime<Utc>,
) -> [Repair; 2] {
    let key_json = serde_json::json!({ table.key(): key });
    let value = serde_json::json!({
        "op": "d",
        "before": key_json,
        "after": null,
        "source": {
            "db": config.sources.get(source.source).database,
            "schema": "public",
            "table": table.name(),
            "lsn": source.position,
            "txId": null,
            "ts_ms": now.timestamp_millis(),
            "snapshot": "false",
        },
    });
    let repair = |value: Option<String>| Repair {
        topic: table.name().to_owned(),
        partition: None,
        key: Some(key_json.to_string().into_bytes()),
        value: value.map(String::into_bytes),
        headers: repair_headers(generation),
    };
    [repair(Some(value.to_string())), repair(None)]
}

struct Row<'a> {
    source: &'a str,
    table: &'a str,
    vanished: usize,
    of: i64,
    first: Vec<i64>,
}

fn page(rows: &[Row<'_>], count: usize, written: bool) -> String {
    if rows.is_empty() {
        return "nothing vanished: every row of the warehouse is in its source\n".into();
    }
    let mut text = format!(
        "{:<14} {:<18} {:>9} {:>9}  keys\n",
        "source", "table", "vanished", "of"
    );
    for row in rows {
        let keys: Vec<String> = row.first.iter().map(i64::to_string).collect();
        let more = if row.vanished > keys.len() { ", .." } else { "" };
        let line = format!(
            "{:<14} {:<18} {:>9} {:>9}  {}{more}\n",
            row.source,
            row.table,
            row.vanished,
            row.of,
            keys.join(", ")
        );
        text.push_str(&line);
    }
    let rows = if count == 1 { "row" } else { "rows" };
    let done = if written {
        "deleted in both stores"
    } else {
        "still in the stores"
    };
    text + &format!("{count} {rows} {done}\n")
}

fn json(rows: &[Row<'_>], count: usize, written: bool) -> String {
    let tables: Vec<serde_json::Value> = rows
        .iter()
        .map(|row| {
            serde_json::json!({
                "source": row.source,
                "table": row.table,
                "vanished": row.vanished,
                "rows": row.of,
                "first_keys": row.first,
            })
        })
        .collect();
    serde_json::json!({ "vanished": count, "deleted": written && count > 0, "tables": tables }).to_string()
}

#[cfg(test)]
mod tests {
    use instashop_core::change::{Op, Record};
    use instashop_core::debezium::{Decoder, RawRecord, Settings};
    use instashop_core::position::Position;
    use rdkafka::message::Headers as _;

    use super::*;

    #[test]
    fn a_delete_decodes_as_one_of_a_connector() {
        let config = Config::default();
        let source = SourceResult {
            source: Table::Stock.source(),
            position: 77,
            tables: Vec::new(),
            figures: Default::default(),
        };
        let now = DateTime::from_timestamp(1_790_000_000, 0).unwrap();
        let [repair, tombstone] = delete(&config, &source, Table::Stock, 5, 3, now);
        assert_eq!((&tombstone.key, &tombstone.value), (&repair.key, &None));
        let raw = RawRecord {
            topic: &repair.topic,
            key: repair.key.as_deref(),
            value: repair.value.as_deref(),
            headers: repair
                .headers
                .iter()
                .map(|header| (header.key, header.value))
                .collect(),
            timestamp: Some(now),
        };
        let decoded = Decoder::new(Settings::of(&config.sources, &config.flow)).content(&raw);
        let Ok(Record::Change(change)) = decoded else {
            panic!("{decoded:?}")
        };
        assert_eq!(
            (change.table, change.key, change.op, change.repair),
            (Table::Stock, 5, Op::Delete, true)
        );
        assert_eq!(change.position, Position::streamed(3, 77));
        assert_eq!(change.committed_at, now);
    }

    #[test]
    fn half_a_table_is_suspicious() {
        let table = |vanished: i64, rows| TableResult {
            table: Table::Stock,
            rows: [rows - vanished, rows],
            drift: vanished,
            named: Vec::new(),
            vanished: (0..vanished).collect(),
        };
        assert!(!is_suspicious(&table(5, 10)));
        assert!(is_suspicious(&table(6, 10)));
    }

    #[test]
    fn pages() {
        let rows = [Row {
            source: "erp_db",
            table: "stock",
            vanished: 7,
            of: 105,
            first: vec![1, 2, 3, 4, 5],
        }];
        insta::assert_snapshot!(format!(
            "{}\n{}\n{}\n\n{}",
            page(&rows, 7, false),
            page(&rows, 7, true),
            page(&[], 0, true),
            json(&rows, 7, true)
        ));
    }
}
