//! `instashop verify`: source = warehouse = Redis, at a common cut, to the cent.
//!
//! * `sources` compares each source with the warehouse, `live` compares Redis with it.
//! * `kpis` compares every metric of the catalogue.
//! * `cut` waits until everybody has reached the moment that is compared.
//! * `page` is what is printed; `progress` is what is said meanwhile.

pub(crate) mod cut;
mod kpis;
mod live;
mod page;
pub(crate) mod progress;
pub(crate) mod sources;

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::Duration;

use chrono::Utc;
use clap::{Args, ValueEnum};
use color_eyre::eyre::Result;
use instashop_core::config::Config;
use instashop_core::live::Figure;
use instashop_core::proof::{Group, compare};
use instashop_core::table::SourceDb;
use instashop_core::view::{DriftProof, SealedDays, TableDrift};
use instashop_store::live::LiveReader;
use instashop_store::warehouse::{Auditor, KpiResult};
use serde::Serialize;

use self::live::LiveResult;
use self::page::Line;
use self::progress::Progress;
use self::sources::SourceResult;
use crate::cli::exit::{Exit, Failure};
use crate::cli::output;

/// How the proof is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Format {
    /// A table for people.
    #[default]
    Text,
    /// One JSON object, the drift proof as the dashboard reads it.
    Json,
}

/// Arguments of `instashop verify`.
#[derive(Debug, Clone, Args)]
pub struct VerifyArgs {
    /// How to print the proof.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
    /// Longest time to wait for the flows to reach the cut, in seconds.
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = seconds)]
    pub wait: Duration,
    /// Do not store the result in the warehouse.
    #[arg(long)]
    pub no_save: bool,
    /// Compare every metric of the catalogue too: its warehouse value, its live value, and its value recomputed in plain SQL
    /// from the sources. For a shop at rest; needs the keeper of the marts
    #[arg(long)]
    pub kpis: bool,
}

pub(crate) fn seconds(text: &str) -> Result<Duration, String> {
    text.trim_end_matches('s')
        .parse()
        .map(Duration::from_secs)
        .map_err(|_| format!("{text:?} is not a number of seconds, for example 60"))
}

/// How often the part that shows drift is compared again before drift is reported. What is under way settles; drift
/// does not.
const ATTEMPTS: usize = 3;

/// Compares the sources, the warehouse and Redis and prints the proof (docs: reliability 6).
///
/// Two cuts, each exact while the shop goes on: every source against the warehouse as a snapshot of that source saw it,
/// and Redis against the warehouse as of the checkpoints of Redis. Exit codes: 0 zero drift, 1 drift, 3 could not compare
/// (a server is away, or a flow did not reach the cut in time), 4 the configuration cannot be used.
pub async fn run(config: &Config, args: VerifyArgs) -> Result<ExitCode> {
    let progress = Progress::new();
    progress.say("connecting");
    let mut auditor = Auditor::connect(&config.warehouse).await?;
    let mut reader = LiveReader::connect(&config.redis, &config.meaning).await?;

    let mut sources: BTreeMap<SourceDb, SourceResult> = BTreeMap::new();
    let mut live: Option<LiveResult> = None;
    for _ in 0..ATTEMPTS {
        let again: Vec<SourceDb> = SourceDb::ALL
            .into_iter()
            .filter(|source| !sources.get(source).is_some_and(SourceResult::is_clean))
            .collect();
        if !again.is_empty() {
            let results = Box::pin(sources::compare(
                config,
                &mut auditor,
                &again,
                args.wait,
                &progress,
            ))
            .await?;
            sources.extend(results.into_iter().map(|result| (result.source, result)));
        }
        if !live.as_ref().is_some_and(LiveResult::is_clean) {
            let compared = live::compare(config, &mut auditor, &mut reader, args.wait, &progress);
            live = Some(Box::pin(compared).await?);
        }
        if sources.values().all(SourceResult::is_clean) && live.as_ref().is_some_and(LiveResult::is_clean) {
            break;
        }
    }
    let Some(live) = live else {
        return Err(Failure::new(Exit::No, "nothing was compared").into());
    };

    let kpis = if args.kpis {
        Box::pin(kpis::prove(
            config,
            &mut auditor,
            &mut reader,
            args.wait,
            &progress,
        ))
        .await?
    } else {
        Vec::new()
    };
    let metrics: Vec<Line> = kpis.iter().map(kpis::line).collect();
    let lines = lines(&sources, &live);
    let drift = lines.iter().chain(&metrics).map(|line| line.drift).sum::<i64>() + live.faults.len() as i64;
    let proof = DriftProof {
        at: Utc::now(),
        drift,
        lines: lines
            .iter()
            .chain(metrics.iter().filter(|line| line.drift != 0))
            .map(Line::of_proof)
            .chain(live.faults.iter().map(|fault| of_fault(fault)))
            .collect(),
    };
    if !args.no_save {
        auditor.save(&proof).await?;
    }
    drop(progress);
    match args.format {
        Format::Text => {
            if args.kpis {
                output::print(&kpis::page(&metrics))?;
            }
            output::print(&page::text(&lines, live.sealed, &live.faults, drift))?;
        }
        Format::Json => output::line(&serde_json::to_string(&Document {
            proof: &proof,
            sealed: live.sealed,
            kpis: &kpis,
        })?)?,
    }
    Ok(if drift == 0 { Exit::Done } else { Exit::No }.into())
}

/// The proof for scripts.
#[derive(Serialize)]
struct Document<'a> {
    #[serde(flatten)]
    proof: &'a DriftProof,
    #[serde(skip_serializing_if = "Option::is_none")]
    sealed: Option<SealedDays>,
    #[serde(skip_serializing_if = "<[KpiResult]>::is_empty")]
    kpis: &'a [KpiResult],
}

/// A contradiction inside Redis, as a line of the proof.
fn of_fault(fault: &str) -> TableDrift {
    TableDrift {
        name: format!("redis contradicts itself: {fault}"),
        source: String::new(),
        warehouse: String::new(),
        live: String::new(),
        drift: 1,
    }
}

/// One line for each table and group of figures. The two cuts are moments of their own: where the warehouse says the same
/// at both, they share a line; otherwise Redis has a line of its own.
fn lines(sources: &BTreeMap<SourceDb, SourceResult>, live: &LiveResult) -> Vec<Line> {
    let mut lines = Vec::new();
    for result in sources.values() {
        for compared in &result.tables {
            let rows = live.rows(compared.table);
            let between = Some(Between {
                values: rows.map(i128::from),
                drift: i64::from(rows[0] != rows[1]),
                named: Vec::new(),
            });
            let first = Between {
                values: compared.rows.map(i128::from),
                drift: compared.drift,
                named: compared.named.clone(),
            };
            push(&mut lines, compared.table.name(), false, first, between);
        }
    }
    let none = [BTreeMap::new(), BTreeMap::new()];
    let sales = sources
        .get(&SourceDb::Instashop)
        .map_or(&none, |result| &result.figures);
    for group in Group::ALL {
        push(
            &mut lines,
            group.title(),
            group.is_money(),
            Between::of(group, sales, ["source", "warehouse"]),
            Some(Between::of(group, &live.figures, ["warehouse", "redis"])),
        );
    }
    lines
}

/// Two sides of one line.
struct Between {
    values: [i128; 2],
    drift: i64,
    named: Vec<String>,
}

impl Between {
    fn of(group: Group, figures: &[BTreeMap<Figure, i64>; 2], sides: [&str; 2]) -> Self {
        let [one, other] = figures;
        let difference = compare(sides, &group.only(one), &group.only(other));
        Self {
            values: [group.sum(one), group.sum(other)],
            drift: difference.count,
            named: difference.named,
        }
    }
}

/// Adds the line or the two lines of one comparison: source with warehouse, and warehouse with Redis.
fn push(lines: &mut Vec<Line>, name: &str, money: bool, first: Between, second: Option<Between>) {
    let show = |value: i128| {
        if money {
            page::cents(value)
        } else {
            value.to_string()
        }
    };
    let mut line = Line {
        name: name.to_owned(),
        source: Some(show(first.values[0])),
        warehouse: show(first.values[1]),
        live: None,
        drift: first.drift,
        named: first.named,
    };
    match second {
        None => lines.push(line),
        Some(second) if second.values[0] == first.values[1] => {
            line.live = Some(show(second.values[1]));
            line.drift += second.drift;
            line.named.extend(second.named);
            lines.push(line);
        }
        Some(second) => {
            lines.push(line);
            lines.push(Line {
                name: format!("{name}, live"),
                source: None,
                warehouse: show(second.values[0]),
                live: Some(show(second.values[1])),
                drift: second.drift,
                named: second.named,
            });
        }
    }
}
