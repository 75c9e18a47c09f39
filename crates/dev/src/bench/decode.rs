//! `instashop-dev bench decode`: what one thread does with records before a store is asked, so that a profile shows
//! nothing else. First the decoding of envelopes, then the pure step of the live flow over states held in memory.

use std::collections::{BTreeMap, HashMap};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use clap::{Args as ClapArgs, ValueEnum};
use color_eyre::eyre::{Result, bail, eyre};
use instashop_core::batch::{Batch, BatchRecord};
use instashop_core::change::Record;
use instashop_core::checkpoint::{Partition, Step};
use instashop_core::config::{Config, Meaning};
use instashop_core::debezium::{Decoder, RawRecord, Settings};
use instashop_core::live::{Progress, Run, StateId, Stored, Window};

use super::Format;
use super::costs;
use super::envelope::{self, Envelope};
use super::page::{Measure, Part, Report};
use super::supply::Content;
use crate::simulate::{Plan, make_history};

const HELP: &str = "\
Examples:
  instashop-dev bench decode                            both, medians of five
  instashop-dev bench decode --only step --orders 50000
  perf record -g target/release/instashop-dev bench decode --only decode --repeat 20

Exit codes: 0 measured; 1 a record could not be used; 2 usage.";

/// End of the history that is decoded: a fixed moment, so that every run has the same records.
const NOW: i64 = 1_790_000_000;

/// Arguments of `instashop-dev bench decode`.
#[derive(Debug, ClapArgs)]
#[command(after_long_help = HELP)]
pub(super) struct Args {
    /// Only this part
    #[arg(long, value_enum)]
    only: Option<Stage>,
    /// Orders of the shop, about; everything else in proportion
    #[arg(long, value_name = "NUMBER", default_value_t = 20_000, value_parser = clap::value_parser!(u32).range(1000..=500_000))]
    orders: u32,
    /// Records of a batch
    #[arg(long, value_name = "NUMBER", default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..=50_000))]
    batch: u32,
    /// How often each measurement is made
    #[arg(long, value_name = "NUMBER", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=1000))]
    repeat: u32,
    /// How to print the result
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Stage {
    /// From bytes to changes
    Decode,
    /// From changes and states to what is written
    Step,
}

/// Runs the command.
pub(super) fn run(args: &Args) -> Result<ExitCode> {
    let load = costs::load();
    let now = DateTime::from_timestamp(NOW, 0).ok_or_else(|| eyre!("no such moment"))?;
    let history = make_history(&plan(args.orders, now), |_, _| ());
    let orders = history.ledger.orders().count() as u64;
    let envelopes = envelope::of_shop(&history, now);
    let mut content = Content::default();
    for envelope in &envelopes {
        content.add(envelope.key.len(), Some(envelope.value.as_bytes()));
    }
    let mut parts = Vec::new();
    let wanted = |stage| args.only.is_none_or(|only| only == stage);
    if wanted(Stage::Decode) {
        let mut part = Part::limit("from bytes to changes", None);
        for _ in 0..args.repeat {
            let (_, took) = decoded(&envelopes, now)?;
            measure(&mut part, envelopes.len(), took);
        }
        parts.push(part);
    }
    if wanted(Stage::Step) {
        let (records, _) = decoded(&envelopes, now)?;
        let batches = batches(records, args.batch);
        let mut part = Part::limit("from changes and states to what is written", None);
        for _ in 0..args.repeat {
            let took = applied(&batches, now)?;
            measure(&mut part, envelopes.len(), took);
            part.add(Measure::Orders, orders as f64 / took.as_secs_f64());
        }
        parts.push(part);
    }
    let report = Report::new(orders, content, args.repeat, load, None, parts);
    match args.format {
        Format::Table => print!("{}", report.table()),
        Format::Json => println!("{}", report.json()?),
    }
    Ok(ExitCode::SUCCESS)
}

fn measure(part: &mut Part, records: usize, took: Duration) {
    part.add(Measure::Seconds, took.as_secs_f64());
    part.add(Measure::Records, records as f64 / took.as_secs_f64());
    part.add(
        Measure::Nanoseconds,
        took.as_secs_f64() * 1e9 / records.max(1) as f64,
    );
}

/// A shop of thirty days in the simulator's usual proportions.
fn plan(orders: u32, now: DateTime<Utc>) -> Plan {
    let config = Config::default();
    Plan {
        seed: 2025,
        now,
        days: 30,
        stores: (orders / 2500).max(6),
        buyers: (orders / 10).max(100),
        products: (orders / 75).max(80),
        orders_per_day: orders.div_ceil(30),
        flat: false,
        zone: config.meaning.tz(),
        currency: config.meaning.currency,
        first_ids: BTreeMap::new(),
    }
}

/// Decodes everything; gives the records and the time of the decoding alone.
fn decoded(envelopes: &[Envelope], now: DateTime<Utc>) -> Result<(Vec<Record>, Duration)> {
    let mut decoder = Decoder::new(Settings::default());
    let mut records = Vec::with_capacity(envelopes.len());
    let begun = Instant::now();
    for envelope in envelopes {
        let raw = RawRecord {
            topic: envelope.table.name(),
            key: Some(envelope.key.as_bytes()),
            value: Some(envelope.value.as_bytes()),
            headers: vec![("instashop.generation", Some(b"1"))],
            timestamp: Some(now),
        };
        match decoder.content(&raw) {
            Ok(record) => records.push(record),
            Err(rejected) => bail!("{}: {}", envelope.value, rejected.detail),
        }
    }
    Ok((records, begun.elapsed()))
}

fn batches(records: Vec<Record>, size: u32) -> Vec<Batch> {
    let step = Step {
        partition: Partition {
            topic: "all".into(),
            number: 0,
        },
        epoch: 1,
        base: 0,
        next: i64::from(size),
    };
    let mut batches: Vec<Batch> = Vec::new();
    for (number, record) in records.into_iter().enumerate() {
        let place = number % size as usize;
        if place == 0 {
            batches.push(Batch {
                steps: vec![step.clone()],
                records: Vec::with_capacity(size as usize),
            });
        }
        if let Some(batch) = batches.last_mut() {
            batch.records.push(BatchRecord {
                step: 0,
                offset: i64::try_from(place).unwrap_or(i64::MAX),
                kafka_at: None,
                content: Ok(record),
            });
        }
    }
    batches
}

/// Takes all batches through the step; gives the time of the step alone, without the look-up of states.
fn applied(batches: &[Batch], now: DateTime<Utc>) -> Result<Duration> {
    let meaning = Meaning::default();
    let mut states: HashMap<StateId, Stored> = HashMap::new();
    let mut took = Duration::ZERO;
    for batch in batches {
        let mut run = Run::new(batch, Window::open(now), &meaning);
        let mut read = BTreeMap::new();
        let writes = loop {
            let begun = Instant::now();
            let progress = run.go_on(&read);
            took += begun.elapsed();
            match progress.map_err(|broken| eyre!("a state cannot be read: {broken:?}"))? {
                Progress::Read(ids) => read.extend(ids.into_iter().map(|id| {
                    let stored = states.get(&id).cloned().unwrap_or_default();
                    (id, stored)
                })),
                Progress::Done(step) => break step.writes,
            }
        };
        states.extend(writes.states.into_iter().map(|write| (write.id, write.new)));
    }
    Ok(took)
}

#[cfg(test)]
mod tests {
    use instashop_core::change::Op;

    use super::*;

    #[test]
    fn help() {
        let command = clap::Command::new("instashop-dev bench decode").term_width(110);
        let mut command = <Args as clap::Args>::augment_args(command);
        insta::assert_snapshot!(command.render_long_help());
    }

    #[test]
    fn every_envelope_of_a_shop_decodes_to_its_change_and_passes_the_step() {
        let now = DateTime::from_timestamp(NOW, 0).unwrap();
        let history = make_history(&plan(1000, now), |_, _| ());
        let envelopes = envelope::of_shop(&history, now);
        let (records, _) = decoded(&envelopes, now).unwrap();
        let mut operations = BTreeMap::new();
        for (record, envelope) in records.iter().zip(&envelopes) {
            let Record::Change(change) = record else {
                panic!("{} is no change", envelope.value);
            };
            assert_eq!(change.table, envelope.table);
            *operations.entry(format!("{:?}", change.op)).or_insert(0) += 1;
            assert_eq!(change.op == Op::Delete, change.after.is_none());
        }
        assert_eq!(operations.len(), 3, "{operations:?}");
        let batches = batches(records, 300);
        assert_eq!(
            batches.iter().map(|batch| batch.records.len()).sum::<usize>(),
            envelopes.len()
        );
        assert!(applied(&batches, now).unwrap() > Duration::ZERO);
    }
}
