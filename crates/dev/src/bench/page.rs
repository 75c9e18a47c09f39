//! What was measured, for people and for programs.

use std::fmt::Write as _;

use chrono::{DateTime, Utc};
use color_eyre::eyre::{Result, WrapErr};
use serde::Serialize;

use super::costs;
use super::series::Series;
use super::supply::Content;
use crate::bed::fleet::Flow;

/// What is measured of a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Measure {
    /// From the first batch in the store until everything is there.
    Seconds,
    /// Records of all kinds.
    Records,
    /// Time for one record in one thread.
    Nanoseconds,
    /// Orders with all their lines, updates and deletes.
    Orders,
    /// Writing commands in Redis, or rows in PostgreSQL.
    Writes,
    WorkerCpu,
    /// Redis, or PostgreSQL with all its processes.
    StoreCpu,
    KafkaCpu,
    PeakMemory,
    /// To the disk by Redis, into its log by PostgreSQL.
    Written,
    /// Memory of Redis divided by the orders.
    StateMemory,
    /// From the start of the process to its first batch in the store.
    Start,
    /// Records a second, as a share of what Kafka gives alone.
    KafkaShare,
    /// The time of the limit divided by that of the product.
    Share,
}

impl Measure {
    const fn label(self) -> &'static str {
        match self {
            Self::Seconds => "time, s",
            Self::Records => "records/s",
            Self::Nanoseconds => "time for one record, ns",
            Self::Orders => "orders/s",
            Self::Writes => "writes/s",
            Self::WorkerCpu => "CPU of the worker, s per million records",
            Self::StoreCpu => "CPU of the store, s per million records",
            Self::KafkaCpu => "CPU of Kafka, s per million records",
            Self::PeakMemory => "highest memory of the worker, MiB",
            Self::Written => "written by the store, bytes per record",
            Self::StateMemory => "memory of Redis, bytes per order",
            Self::Start => "from start to the first batch, s",
            Self::KafkaShare => "share of Kafka alone, %",
            Self::Share => "share of this limit that the product reaches, %",
        }
    }
}

/// One thing that was measured several times.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Part {
    name: String,
    #[serde(skip)]
    pub(super) flow: Option<Flow>,
    measures: Vec<Measured>,
}

#[derive(Debug, Clone, Serialize)]
struct Measured {
    measure: Measure,
    values: Series,
}

impl Part {
    /// The product's replay into the store of a flow.
    pub(super) fn replay(flow: Flow) -> Self {
        let name = match flow {
            Flow::Live => "Kafka into Redis",
            Flow::Warehouse => "Kafka into the warehouse",
        };
        Self::limit(name, Some(flow))
    }

    /// A limit of a server, maybe of the store of a flow.
    pub(super) fn limit(name: &str, flow: Option<Flow>) -> Self {
        Self {
            name: name.to_owned(),
            flow,
            measures: Vec::new(),
        }
    }

    pub(super) fn add(&mut self, measure: Measure, value: f64) {
        let known = self.measures.iter_mut().find(|known| known.measure == measure);
        match known {
            Some(known) => known.values.add(value),
            None => self.measures.push(Measured {
                measure,
                values: [value].into_iter().collect(),
            }),
        }
    }

    /// Median of a measure; 0 when it was not taken.
    pub(super) fn median(&self, measure: Measure) -> f64 {
        let known = self.measures.iter().find(|known| known.measure == measure);
        known.map_or(0.0, |known| known.values.median())
    }
}

/// A run.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    at: DateTime<Utc>,
    processor: String,
    cores: usize,
    memory_bytes: u64,
    /// Processes that wanted to run in the minute before; well above 0 means that the machine was shared.
    load_before: f64,
    optimised: bool,
    orders: u64,
    content: Content,
    repeat: u32,
    /// Differences that `instashop verify` found after the replays; a run that found any ends as an error.
    #[serde(skip_serializing_if = "Option::is_none")]
    drift: Option<u64>,
    parts: Vec<Part>,
}

impl Report {
    /// `load` is that of the minute before the run; `drift` is there when `verify` judged what was measured.
    pub(super) fn new(
        orders: u64,
        content: Content,
        repeat: u32,
        load: f64,
        drift: Option<u64>,
        parts: Vec<Part>,
    ) -> Self {
        let (processor, cores, memory_bytes) = costs::machine();
        Self {
            at: Utc::now(),
            processor,
            cores,
            memory_bytes,
            load_before: load,
            optimised: !cfg!(debug_assertions),
            orders,
            content,
            repeat,
            drift,
            parts,
        }
    }

    pub(super) fn json(&self) -> Result<String> {
        serde_json::to_string_pretty(self).wrap_err("the report cannot be written")
    }

    pub(super) fn table(&self) -> String {
        let Content {
            records,
            bytes,
            inserts,
            updates,
            deletes,
            tombstones,
        } = self.content;
        let mut text = format!(
            "{}\n{} x {}, {:.0} GiB, load before the run {:.1}{}\n\
             {} orders; {records} records, {bytes} bytes: {inserts} inserts, {updates} updates, {deletes} deletes, \
             {tombstones} tombstones\nmedians of {}{}\n",
            self.at.format("%Y-%m-%d %H:%M UTC"),
            self.cores,
            self.processor,
            self.memory_bytes as f64 / f64::from(1 << 30),
            self.load_before,
            if self.optimised { "" } else { ", NOT OPTIMISED" },
            self.orders,
            self.repeat,
            self.drift
                .map_or_else(String::new, |drift| format!(", drift {drift}")),
        );
        for part in &self.parts {
            let _ = writeln!(
                text,
                "\n{:<60} {:>12} {:>12} {:>12}",
                part.name, "median", "lowest", "highest"
            );
            for Measured { measure, values } in &part.measures {
                let (low, high) = values.range();
                let _ = writeln!(
                    text,
                    "  {:<58} {:>12} {:>12} {:>12}",
                    measure.label(),
                    figure(values.median()),
                    figure(low),
                    figure(high)
                );
            }
        }
        text
    }
}

/// A number with as many digits as mean something.
fn figure(value: f64) -> String {
    match value.abs() {
        size if size >= 1000.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_medians_and_the_spread() {
        let mut replay = Part::replay(Flow::Live);
        for records in [151_000.4, 90_000.0, 152_000.0] {
            replay.add(Measure::Records, records);
            replay.add(Measure::PeakMemory, records / 1000.0);
        }
        replay.add(Measure::Start, 4.256);
        let mut limit = Part::limit("Redis alone: as many hash writes, pipelined", Some(Flow::Live));
        limit.add(Measure::Share, 41.0);
        let report = Report {
            at: DateTime::from_timestamp(1_790_000_000, 0).unwrap(),
            processor: "A processor".into(),
            cores: 2,
            memory_bytes: 24 << 30,
            load_before: 0.04,
            optimised: true,
            orders: 5000,
            content: Content {
                records: 9,
                bytes: 5400,
                inserts: 4,
                updates: 3,
                deletes: 1,
                tombstones: 1,
            },
            repeat: 3,
            drift: Some(0),
            parts: vec![replay, limit],
        };
        insta::assert_snapshot!(format!("{}\n{}", report.table(), report.json().unwrap()));
    }
}
