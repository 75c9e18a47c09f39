//! What the servers do without the product, so that its share of that can be told.

use std::time::{Duration, Instant};

use color_eyre::eyre::{Result, ensure};
use instashop_core::config::Config;
use instashop_core::table::Table;

use super::page::{Measure, Part};
use super::supply::Supply;
use super::wire::{Wire, command};
use crate::bed::sql::{Database, Sql};

/// Commands sent before the first answer is read.
const PIPELINE: u64 = 500;

/// Most rows of a table that are copied: a sample is enough for a rate, and is held in memory.
const SAMPLE: u64 = 300_000;

/// Bytes of a value, about as long as the state of an order.
const VALUE: usize = 115;

/// The topics read by the client library, and nothing done with the records.
pub(super) fn drain(supply: &Supply, repeat: u32) -> Result<Part> {
    let mut part = Part::limit("Kafka alone: the topics read and thrown away", None);
    for _ in 0..repeat {
        let (records, took) = supply.drain()?;
        part.add(Measure::Seconds, took.as_secs_f64());
        part.add(Measure::Records, records as f64 / took.as_secs_f64());
    }
    Ok(part)
}

/// As many writes of hash fields as the replay made, in pipelines, by one client: half of them replace a value, half add
/// to a number.
pub(super) fn redis(config: &Config, replay: &Part, repeat: u32) -> Result<Part> {
    let seconds = replay.median(Measure::Seconds);
    let writes = (replay.median(Measure::Writes) * seconds) as u64;
    let mut part = Part::limit("Redis alone: as many hash writes, pipelined", replay.flow);
    let mut wire = Wire::connect(config)?;
    wire.ask(&["SELECT", "1"])?;
    for _ in 0..repeat {
        wire.ask(&["FLUSHDB", "SYNC"])?;
        let took = pipelined(&mut wire, writes)?;
        part.add(Measure::Seconds, took.as_secs_f64());
        part.add(Measure::Writes, writes as f64 / took.as_secs_f64());
        part.add(Measure::Share, 100.0 * took.as_secs_f64() / seconds);
    }
    wire.ask(&["FLUSHDB", "SYNC"])?;
    Ok(part)
}

fn pipelined(wire: &mut Wire, writes: u64) -> Result<Duration> {
    let value = "v".repeat(VALUE);
    let mut took = Duration::ZERO;
    let mut done = 0;
    while done < writes {
        let end = (done + PIPELINE).min(writes);
        let mut commands = Vec::new();
        for number in done..end {
            let field = number.to_string();
            if number % 2 == 0 {
                let key = format!("states:{}", number % 2048);
                command(&mut commands, &["HSET", &key, &field, &value]);
            } else {
                let key = format!("sums:{}", number % 4096);
                let field = (number % 64).to_string();
                command(&mut commands, &["HINCRBY", &key, &field, "7"]);
            }
        }
        // Making the commands is not Redis' work.
        let begun = Instant::now();
        wire.send(&commands)?;
        for _ in done..end {
            wire.reply()?;
        }
        took += begun.elapsed();
        done = end;
    }
    Ok(took)
}

/// The rows of the event log and of the staging tables, copied into empty tables of the same columns and indexes.
pub(super) fn copy(config: &Config, replay: &Part, repeat: u32) -> Result<Part> {
    let mut part = Part::limit(
        "PostgreSQL alone: COPY of the same rows of raw and staging",
        replay.flow,
    );
    let warehouse = Sql::connect(config, Database::Warehouse)?;
    warehouse.run("DROP SCHEMA IF EXISTS bench_limit CASCADE; CREATE SCHEMA bench_limit")?;
    let mut tables = vec!["raw.realtime_events".to_owned()];
    tables.extend(Table::ALL.map(|table| format!("staging.{}", table.name())));
    for _ in 0..repeat {
        let (mut rows, mut seconds) = (0.0, 0.0);
        for table in &tables {
            let (count, rate) = copied(&warehouse, table)?;
            if let Some(rate) = rate {
                rows += count as f64;
                seconds += count as f64 / rate;
            }
        }
        ensure!(seconds > 0.0, "the warehouse holds no rows");
        part.add(Measure::Seconds, seconds);
        part.add(Measure::Writes, rows / seconds);
        part.add(Measure::Share, 100.0 * seconds / replay.median(Measure::Seconds));
    }
    warehouse.run("DROP SCHEMA bench_limit CASCADE")?;
    Ok(part)
}

/// Rows of a table, and at what rate a sample of them is copied into a table of its form; none of an empty one.
fn copied(warehouse: &Sql, table: &str) -> Result<(u64, Option<f64>)> {
    let count: u64 = warehouse
        .text(&format!("SELECT count(*)::text FROM {table}"))?
        .parse()?;
    if count == 0 {
        return Ok((0, None));
    }
    let columns = warehouse.text(&format!(
        "SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute
         WHERE attrelid = '{table}'::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''"
    ))?;
    let rows = warehouse.copy_out(&format!(
        "COPY (SELECT {columns} FROM {table} LIMIT {SAMPLE}) TO STDOUT (FORMAT binary)"
    ))?;
    warehouse.run(&format!(
        "DROP TABLE IF EXISTS bench_limit.rows; CREATE TABLE bench_limit.rows (LIKE {table} INCLUDING ALL)"
    ))?;
    let begun = Instant::now();
    let copied = warehouse.copy_in(
        &format!("COPY bench_limit.rows ({columns}) FROM STDIN (FORMAT binary)"),
        &rows,
    )?;
    let took = begun.elapsed().as_secs_f64();
    ensure!(
        copied == count.min(SAMPLE),
        "{copied} rows of {table} were copied, not {count}"
    );
    Ok((count, Some(copied as f64 / took)))
}
