//! `instashop verify --kpis`: every metric by its warehouse value, its live value, and its value recomputed in plain SQL from
//! the sources.
//!
//! Rows are compared at exact cuts while the shop goes on; metrics are not, since the marts follow about a second behind. So
//! a difference is looked at again, and one that stays while nothing changed is drift. A shop that never rests gives no
//! answer, and that is said.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use color_eyre::eyre::Result;
use futures::future::try_join_all;
use instashop_core::catalogue::Metric;
use instashop_core::config::Config;
use instashop_core::contribution::Calendar;
use instashop_core::live::Figure;
use instashop_core::table::{SourceDb, Table};
use instashop_store::live::LiveReader;
use instashop_store::source::SourceReader;
use instashop_store::warehouse::{Auditor, KpiResult, LiveRow, not_compared};
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
        let figures = live::figures(config, reader, wait, progress).await?;
        let now = Utc::now();
        let rows = live_rows(&figures, Calendar::new(config.meaning.tz()).day(now));
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
        let results = auditor.kpis(&cuts, &rows).await?;
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

/// What Redis holds, as the metrics it is.
fn live_rows(figures: &BTreeMap<Figure, i64>, today: NaiveDate) -> Vec<LiveRow> {
    let mut rows: Vec<LiveRow> = Vec::new();
    let mut days: BTreeMap<NaiveDate, BTreeMap<&str, i64>> = BTreeMap::new();
    let mut methods: BTreeMap<(NaiveDate, &str), (i64, i64)> = BTreeMap::new();
    for (figure, value) in figures {
        let Some(day) = figure.day else { continue };
        let of = figure.dimension.as_str();
        let mut push = |metric: &str, key: String, value: Decimal| rows.push((metric.to_owned(), key, value));
        match figure.name {
            "category.revenue_cents" => {
                push(
                    "sales_by_category",
                    format!("{day}/0/{of}"),
                    Decimal::new(*value, 2),
                );
            }
            "category.units" => push(
                "sales_by_category",
                format!("{day}/0/{of}/units"),
                Decimal::from(*value),
            ),
            "product.revenue_cents" => push(
                "product_performance",
                format!("{day}/{of}/revenue"),
                Decimal::new(*value, 2),
            ),
            "payment.revenue_cents" => {
                push(
                    "payment_mix",
                    format!("{day}/0/{of}/revenue"),
                    Decimal::new(*value, 2),
                );
            }
            "payment.paid" => methods.entry((day, of)).or_default().0 += value,
            "payment.failed" => methods.entry((day, of)).or_default().1 += value,
            "behaviour.events" => push("events_by_type", format!("{day}/0/{of}"), Decimal::from(*value)),
            name => *days.entry(day).or_default().entry(name).or_default() += value,
        }
    }
    for ((day, method), (paid, failed)) in methods {
        let rate = Decimal::from(paid)
            .checked_div(Decimal::from(paid + failed))
            .unwrap_or_default();
        rows.push((
            "payment_success".into(),
            format!("{day}/0/{method}"),
            rounded(rate),
        ));
    }
    let (mut total, mut last) = (0, 0);
    for (day, of) in &days {
        let get = |name: &str| of.get(name).copied().unwrap_or(0);
        let (cents, orders) = (get("revenue_cents"), get("orders"));
        total += cents;
        if *day < today && *day >= today - TimeDelta::days(30) {
            last += cents;
        }
        if *day == today {
            rows.push(("revenue_today".into(), "0".into(), Decimal::new(cents, 2)));
            rows.push((
                "unique_buyers_today".into(),
                "0".into(),
                Decimal::from(get("buyers")),
            ));
        }
        let attempts = orders + get("open") + get("failed") + get("cancelled") + get("unmapped");
        for (metric, value) in [
            ("orders", orders),
            ("attempts", attempts),
            ("pending", get("open")),
            ("failed", get("failed")),
        ] {
            rows.push((metric.into(), format!("{day}/0"), Decimal::from(value)));
        }
        rows.push(("gmv".into(), format!("{day}/0"), Decimal::new(cents, 2)));
        let aov = Decimal::new(cents, 2)
            .checked_div(Decimal::from(orders))
            .unwrap_or_default();
        rows.push(("aov".into(), format!("{day}/0"), rounded(aov)));
    }
    rows.push(("revenue_total".into(), "0".into(), Decimal::new(total, 2)));
    rows.push(("revenue_30d".into(), "0".into(), Decimal::new(last, 2)));
    rows
}

/// Nine places, a half away from zero, as PostgreSQL rounds.
fn rounded(value: Decimal) -> Decimal {
    value.round_dp_with_strategy(9, rust_decimal::RoundingStrategy::MidpointAwayFromZero)
}

#[cfg(test)]
mod tests {
    use super::*;
    use instashop_store::warehouse::live_metrics;

    fn figure(day: &str, name: &'static str, dimension: &str) -> Figure {
        Figure {
            day: Some(day.parse().unwrap()),
            name,
            dimension: dimension.into(),
        }
    }

    #[test]
    fn figures_of_redis_become_metrics() {
        let figures = BTreeMap::from([
            (figure("2026-03-09", "revenue_cents", ""), 1000),
            (figure("2026-03-09", "orders", ""), 3),
            (figure("2026-03-09", "failed", ""), 1),
            (figure("2026-03-09", "category.revenue_cents", "Toys"), 1000),
            (figure("2026-03-09", "category.units", "Toys"), 4),
            (figure("2026-03-09", "product.revenue_cents", "7"), 1000),
            (figure("2026-03-09", "payment.paid", "paypal"), 3),
            (figure("2026-03-09", "payment.failed", "paypal"), 1),
            (figure("2026-03-09", "payment.revenue_cents", "paypal"), 1000),
            (figure("2026-03-09", "behaviour.events", "search"), 5),
            (figure("2026-03-10", "revenue_cents", ""), 250),
            (figure("2026-03-10", "buyers", ""), 1),
            (figure("2026-03-10", "orders", ""), 1),
        ]);
        let rows = live_rows(&figures, "2026-03-10".parse().unwrap());
        let text: Vec<String> = rows
            .iter()
            .filter(|(_, _, value)| !value.is_zero())
            .map(|(metric, key, value)| format!("{metric} {key} {value}"))
            .collect();
        insta::assert_snapshot!(text.join("\n"));
        for (metric, _, _) in &rows {
            assert!(
                live_metrics().contains(metric.as_str()),
                "{metric} is compared with nothing"
            );
        }
    }
}
