//! `instashop-dev bench replay`: filled topics into an empty store by the real worker, again and again.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::{Args as ClapArgs, ValueEnum};
use color_eyre::eyre::{Result, bail, ensure};
use instashop_core::config::Config;
use nix::unistd::Pid;

use super::Format;
use super::costs;
use super::limits;
use super::page::{Measure, Part, Report};
use super::progress::Progress;
use super::shop::Shop;
use super::supply::Supply;
use super::wire::{self, Wire};
use crate::bed::Bed;
use crate::bed::fleet::{Fleet, Flow, Worker};
use crate::bed::sql::{Database, Sql};

const HELP: &str = "\
Examples:
  instashop-dev bench replay --orders 5000 --repeat 1             a look at whether it works
  instashop-dev bench replay --orders 300000 --format json        both flows, medians of five
  instashop-dev bench replay --flow live --orders 300000 --keep   and the next run of this size begins at once

Measure with optimised programs (cargo build --release --workspace --bins) on a machine that does nothing else.

Exit codes: 0 measured and proven by verify; 1 something did not end well, or verify found drift; 2 usage.";

/// Arguments of `instashop-dev bench replay`.
#[derive(Debug, ClapArgs)]
#[command(after_long_help = HELP)]
pub(super) struct Args {
    /// Which flow to measure
    #[arg(long, value_enum, default_value_t)]
    flow: Which,
    /// Orders of the shop, about; everything else in proportion
    #[arg(long, value_name = "NUMBER", default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(1000..=5_000_000))]
    orders: u32,
    /// How often each measurement is made
    #[arg(long, value_name = "NUMBER", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    repeat: u32,
    /// How to print the result
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Leave the servers running and the shop in the topics; the next run with as many orders takes them
    #[arg(long)]
    keep: bool,
    /// Folder of the servers' data
    #[arg(
        long,
        value_name = "DIR",
        env = "INSTASHOP_STACK_DATA",
        hide_env_values = true
    )]
    data: Option<PathBuf>,
    /// Added to every default port, so that nothing else is disturbed
    #[arg(
        long,
        value_name = "N",
        env = "INSTASHOP_STACK_PORT_OFFSET",
        default_value = "9500"
    )]
    port_offset: String,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum Which {
    /// Kafka into Redis
    Live,
    /// Kafka into the warehouse
    Warehouse,
    /// One after the other
    #[default]
    Both,
}

impl Which {
    fn flows(self) -> &'static [Flow] {
        match self {
            Self::Live => &[Flow::Live],
            Self::Warehouse => &[Flow::Warehouse],
            Self::Both => &Flow::BOTH,
        }
    }
}

/// Longest time without progress before a worker is given up.
const STALLED: Duration = Duration::from_mins(3);

/// How often a worker's progress is looked at.
const LOOK: Duration = Duration::from_millis(50);

/// Runs the command.
pub(super) fn run(args: &Args) -> Result<ExitCode> {
    let data = args.data.clone();
    let data = data.unwrap_or_else(|| Bed::usual_folder("instashop-bench-bed"));
    let bed = Bed::new(data, args.port_offset.clone(), 1, "bench")?;
    let load = costs::load();
    let measured = measured(&bed, args, load);
    if !args.keep {
        bed.remove()?;
    }
    let report = measured?;
    match args.format {
        Format::Table => print!("{}", report.table()),
        Format::Json => println!("{}", report.json()?),
    }
    Ok(ExitCode::SUCCESS)
}

fn measured(bed: &Bed, args: &Args, load: f64) -> Result<Report> {
    let shop = Shop::open(bed, args.orders)?;
    let config = bed.config()?;
    // What is measured reads what is there; the connectors' heartbeats would only be in the way.
    bed.down(&["connect"])?;
    let supply = Supply::look(&config)?;
    let content = supply.content()?;
    eprintln!(
        "--> {} records, {} MB in the topics",
        content.records,
        content.bytes / 1_000_000
    );
    let drain = limits::drain(&supply, args.repeat)?;
    let run = Run {
        bed,
        drain: drain.median(Measure::Records),
        config: &config,
        shop: &shop,
        supply: &supply,
        repeat: args.repeat,
    };
    let mut parts = vec![drain];
    for flow in args.flow.flows() {
        parts.push(run.flow(*flow)?);
    }
    run.prove()?;
    for flow in args.flow.flows() {
        let replay = parts.iter().find(|part| part.flow == Some(*flow)).cloned();
        if let Some(replay) = replay {
            let limit = match flow {
                Flow::Live => limits::redis(&config, &replay, args.repeat)?,
                Flow::Warehouse => limits::copy(&config, &replay, args.repeat)?,
            };
            parts.push(limit);
        }
    }
    Ok(Report::new(
        shop.orders,
        content,
        args.repeat,
        load,
        Some(0),
        parts,
    ))
}

struct Run<'a> {
    bed: &'a Bed,
    config: &'a Config,
    shop: &'a Shop,
    supply: &'a Supply,
    /// Records a second that Kafka gives when nothing is done with them.
    drain: f64,
    repeat: u32,
}

/// Readings at one moment of a replay.
struct Reading {
    at: Instant,
    /// Offsets applied.
    applied: u64,
    worker_cpu: Duration,
    store_cpu: Duration,
    kafka_cpu: Duration,
    /// Bytes the store has written: what Redis wrote to its disk, or the length of PostgreSQL's log.
    written: u64,
    /// Changes of keys in Redis, or rows inserted, updated and deleted in the warehouse.
    writes: u64,
}

impl Run<'_> {
    fn flow(&self, flow: Flow) -> Result<Part> {
        let mut part = Part::replay(flow);
        for round in 1..=self.repeat {
            self.empty(flow)?;
            let begun = Instant::now();
            let worker = Fleet::start(self.bed, flow)?;
            let (first, last) = self.watched(flow, worker.pid(), begun)?;
            let peak = costs::peak_memory(worker.pid())?;
            stop(worker)?;
            let writes = self.writes(flow)?.saturating_sub(first.writes);
            let seconds = (last.at - first.at).as_secs_f64();
            ensure!(seconds > 0.0, "the first batch held everything; take more orders");
            let records = (last.applied - first.applied) as f64;
            eprintln!("    {flow} {round}: {:.0} records/s", records / seconds);
            let millions = records / 1e6;
            let cpu = |of: fn(&Reading) -> Duration| (of(&last).saturating_sub(of(&first))).as_secs_f64();
            // Orders and writes of the whole replay, at the rate of the part of it that was timed.
            let share = records / self.supply.offsets() as f64;
            part.add(Measure::Seconds, seconds);
            part.add(Measure::Records, records / seconds);
            part.add(Measure::Orders, self.shop.orders as f64 * share / seconds);
            part.add(Measure::Writes, writes as f64 / seconds);
            part.add(Measure::WorkerCpu, cpu(|reading| reading.worker_cpu) / millions);
            part.add(Measure::StoreCpu, cpu(|reading| reading.store_cpu) / millions);
            part.add(Measure::KafkaCpu, cpu(|reading| reading.kafka_cpu) / millions);
            part.add(Measure::PeakMemory, peak as f64 / f64::from(1 << 20));
            part.add(
                Measure::Written,
                last.written.saturating_sub(first.written) as f64 / records,
            );
            part.add(Measure::KafkaShare, 100.0 * records / seconds / self.drain);
            part.add(Measure::Start, (first.at - begun).as_secs_f64());
            if flow == Flow::Live {
                part.add(Measure::StateMemory, self.state_memory()?);
            }
        }
        Ok(part)
    }

    /// Waits for the first and the last batch, and reads what each moment costs so far.
    fn watched(&self, flow: Flow, worker: Pid, begun: Instant) -> Result<(Reading, Reading)> {
        let mut progress = Progress::connect(self.config, flow)?;
        let store = self.bed.pid(match flow {
            Flow::Live => "redis",
            Flow::Warehouse => "postgres-warehouse",
        })?;
        let kafka = self.bed.pid("kafka-1")?;
        let all = self.supply.offsets();
        let mut first: Option<Reading> = None;
        let (mut before, mut moved) = (0, begun);
        loop {
            let applied = progress.applied(self.supply)?;
            let at = Instant::now();
            if applied > before {
                (before, moved) = (applied, at);
            }
            if (applied > 0 && first.is_none()) || applied >= all {
                let reading = Reading {
                    at,
                    applied,
                    worker_cpu: costs::cpu(worker)?,
                    store_cpu: costs::cpu(store)?,
                    kafka_cpu: costs::cpu(kafka)?,
                    written: self.written(flow, store)?,
                    writes: self.writes(flow)?,
                };
                match first {
                    None => first = Some(reading),
                    Some(first) => return Ok((first, reading)),
                }
            }
            if moved.elapsed() > STALLED {
                bail!(
                    "the {flow} worker does not go on: {applied} of {all} records; its log is in {}",
                    self.bed.data().join("logs").display()
                );
            }
            std::thread::sleep(LOOK);
        }
    }

    /// Takes everything a flow has written out of its store, its checkpoints among it.
    fn empty(&self, flow: Flow) -> Result<()> {
        match flow {
            // A worker that finds an empty Redis begins a generation of its own.
            Flow::Live => {
                Wire::connect(self.config)?.ask(&["FLUSHALL", "SYNC"])?;
            }
            Flow::Warehouse => {
                let warehouse = Sql::connect(self.config, Database::Warehouse)?;
                let tables = self.shop.empty_tables.join(", ");
                warehouse.run(&format!("TRUNCATE {tables} RESTART IDENTITY"))?;
                // The replay begins with a store at rest.
                warehouse.run("VACUUM ANALYZE")?;
            }
        }
        Ok(())
    }

    fn written(&self, flow: Flow, store: Pid) -> Result<u64> {
        match flow {
            Flow::Live => costs::written(store),
            Flow::Warehouse => {
                self.number("SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint::text")
            }
        }
    }

    fn writes(&self, flow: Flow) -> Result<u64> {
        match flow {
            Flow::Live => Ok(wire::writes(&Wire::connect(self.config)?.info("commandstats")?)),
            Flow::Warehouse => {
                self.number("SELECT sum(n_tup_ins + n_tup_upd + n_tup_del)::text FROM pg_stat_user_tables")
            }
        }
    }

    fn number(&self, sql: &str) -> Result<u64> {
        let text = Sql::connect(self.config, Database::Warehouse)?.text(sql)?;
        Ok(text.parse()?)
    }

    /// Bytes of Redis' memory for each order.
    fn state_memory(&self) -> Result<f64> {
        let info = Wire::connect(self.config)?.info("memory")?;
        let used = info.lines().find_map(|line| line.strip_prefix("used_memory:"));
        let used: f64 = used.unwrap_or_default().trim().parse()?;
        Ok(used / self.shop.orders.max(1) as f64)
    }

    /// Source = warehouse = Redis, with what the last replay of each flow has left; a flow that was not measured reads
    /// the topics now.
    fn prove(&self) -> Result<()> {
        eprintln!("--> verify");
        self.bed.up(&["connect"])?;
        let mut fleet = Fleet::default();
        fleet.one_each(self.bed)?;
        let ran = self.bed.run("instashop", &["verify", "--wait", "900"])?;
        fleet.stop()?;
        if ran.code != 0 || !ran.out.contains("drift 0") {
            bail!("verify found drift\n{}{}", ran.out, ran.err);
        }
        Ok(())
    }
}

fn stop(worker: Worker) -> Result<()> {
    worker.stop().map(|_| ())
}

#[cfg(test)]
mod tests {
    #[test]
    fn help() {
        let command = clap::Command::new("instashop-dev bench replay").term_width(110);
        let mut command = <super::Args as clap::Args>::augment_args(command);
        insta::assert_snapshot!(command.render_long_help());
    }
}
