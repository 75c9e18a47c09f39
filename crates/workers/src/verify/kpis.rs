//! `instashop verify --kpis`: every metric by its warehouse value, its live value, and its value recomputed in plain SQL from
//! the sources.
//!
//! Rows are compared at exact cuts while the shop goes on; metrics are not, since the marts follow about a second behind. So
//! a difference is looked at again, and one that stays while nothing changed is drift. A shop that never rests gives no
//! answer, and that is said.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use color_eyre::eyre::Result;
use futures::future::try_join_all;
use instashop_core::catalogue::Metric;
use instashop_core::config::Config;
use instashop_core::live::metrics;
use instashop_core::table::{SourceDb, Table};
use instashop_store::live::LiveReader;
use instashop_store::source::SourceReader;
use instashop_store::warehouse::{Auditor, KpiResult, not_compared};
use rust_decimal::Decimal;

use super::cut;
use super::live;
use super::page::{Line, table};
use super::progress::Progress;
use crate::cli::exit::{Exit, Failure};

/// How often a difference is looked at again.
const ATTEMPTS: usize = 5;
const POLL: Duration = Duration::from_millis(200);

/// Compares until everything is equal, or a difference stays while nothing changed.
pub(super) async fn prove(
    config: &Config,
    auditor: &mut Auditor,
    reader: &mut LiveReader,
    wait: Duration,
    progress: &Progress,
) -> Result<Vec<KpiResult>> {
    let mut moved = false;
    for _ in 0..ATTEMPTS {
        let before = records(&cut::ends(config).await?.into_iter().collect::<Vec<_>>());
        caught_up(config, auditor, wait, progress).await?;
        let totals = live::totals(config, reader, wait, progress).await?;
        progress.say("copying the sources");
        let mut readers = try_join_all(
            SourceDb::ALL
                .iter()
                .map(|source| SourceReader::connect(*source, config.sources.get(*source))),
        )
        .await?;
        let snapshots = try_join_all(readers.iter_mut().map(SourceReader::snapshot)).await?;
        let cuts: Vec<_> = snapshots.into_iter().map(|(cut, _)| cut).collect();
        progress.say("computing the metrics");
        let results = auditor
            .kpis(
                &cuts,
                &|now| metrics(&totals, now, &config.meaning),
                totals.boundary,
            )
            .await?;
        let after = records(&cut::ends(config).await?.into_iter().collect::<Vec<_>>());
        moved = before != after;
        if results.iter().all(|result| result.drift == 0) || !moved {
            return Ok(results);
        }
    }
    debug_assert!(moved, "it returns when nothing moved");
    Err(Failure::new(
        Exit::Unreachable,
        "the shop changed each time its metrics were compared, so that nothing can be said of them",
    )
    .hint("rows and totals were compared at exact cuts and are as shown; compare metrics when the shop rests")
    .into())
}

/// A metric as a line: the sum of its values and how many there are.
pub(super) fn line(result: &KpiResult) -> Line {
    let side = |sum: &Decimal, values: i64| format!("{} in {values}", sum.normalize());
    Line {
        name: result.metric.clone(),
        source: Some(side(&result.source_sum, result.source_values)),
        warehouse: side(&result.warehouse_sum, result.warehouse_values),
        live: (result.live_values > 0).then(|| side(&result.live_sum, result.live_values)),
        drift: result.drift,
        named: result.named.clone(),
    }
}

/// The metrics as a table, and what is not in it.
pub(super) fn page(lines: &[Line]) -> String {
    let mut text = vec![
        "metric by metric, as the sum of all its values (by day, store, ..) and their number".to_owned(),
    ];
    text.extend(table(lines));
    let mut reasons: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for metric in Metric::all() {
        if let Some(reason) = not_compared(metric) {
            reasons.entry(reason).or_default().push(metric.id);
        }
    }
    for (reason, metrics) in reasons {
        text.push(format!("not compared, {reason}: {}", metrics.join(", ")));
    }
    text.join("\n") + "\n\n"
}

/// Where the topics of tables end: the same twice means that nothing happened in between.
fn records(ends: &[(instashop_core::checkpoint::Partition, i64)]) -> Vec<(String, i32, i64)> {
    ends.iter()
        .filter(|(partition, _)| Table::from_name(&partition.topic).is_some())
        .map(|(partition, end)| (partition.topic.clone(), partition.number, *end))
        .collect()
}

/// Waits until the warehouse flow has read everything and the marts hold it.
async fn caught_up(
    config: &Config,
    auditor: &mut Auditor,
    wait: Duration,
    progress: &Progress,
) -> Result<()> {
    let ends: Vec<_> = cut::ends(config).await?.into_iter().collect();
    cut::warehouse(auditor, &ends, wait, progress).await?;
    progress.say("waiting for the marts");
    let since: DateTime<Utc> = Utc::now();
    let began = Instant::now();
    // Marts computed as a whole come around once in their interval.
    let wait = wait + Duration::from_secs(config.etl.whole_seconds);
    loop {
        let ready = auditor.marts_ready().await?;
        let fresh = ready.refreshed_at.is_some_and(|at| at >= since);
        if ready.waiting == 0 && fresh && ready.is_whole {
            return Ok(());
        }
        if began.elapsed() > wait {
            let what = format!(
                "the marts were not brought up to date in {} s: {} changed rows wait",
                wait.as_secs(),
                ready.waiting
            );
            return Err(Failure::new(Exit::Unreachable, what)
                .hint("instashop etl keeps them; instashop status says whether one runs")
                .into());
        }
        tokio::time::sleep(POLL).await;
    }
}
