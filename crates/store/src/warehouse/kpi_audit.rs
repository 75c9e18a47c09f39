//! The metrics, three times: as the semantic views say, as Redis says, and computed in plain SQL from copies of the source
//! tables. For `instashop verify --kpis`.

use chrono::{DateTime, NaiveDate, Utc};
use futures::{SinkExt, TryStreamExt, pin_mut};
use instashop_core::catalogue::{Kept, Metric};
use instashop_core::live::{MetricRow, held};
use instashop_core::table::Table;
use rust_decimal::Decimal;
use serde::Serialize;
use tokio_postgres::{IsolationLevel, Transaction};

use super::Auditor;
use crate::StoreError;
use crate::measures::{Cut, shared_type};
use crate::postgres::failed;

/// Differing keys that are named of each metric.
const NAMED: i64 = 5;

/// One metric, compared.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct KpiResult {
    /// Id in the catalogue.
    pub metric: String,
    /// Values of the metric (by day, store, ..) that are not zero, from the sources.
    pub source_values: i64,
    /// Their sum: something to look at, whatever the unit.
    pub source_sum: Decimal,
    /// The same from the semantic view.
    pub warehouse_values: i64,
    /// Their sum.
    pub warehouse_sum: Decimal,
    /// Values that Redis holds.
    pub live_values: i64,
    /// Their sum; comparable with the sources' only where Redis holds the whole.
    pub live_sum: Decimal,
    /// Values that differ between any two.
    pub drift: i64,
    /// The first of them, with what each side says.
    pub named: Vec<String>,
}

/// How far the marts are, as far as a comparison must know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MartsReady {
    /// Marks that wait, none is zero.
    pub waiting: i64,
    /// When the marts kept by key were last found up to date.
    pub refreshed_at: Option<DateTime<Utc>>,
    /// True when the marts computed as a whole were computed after the last change.
    pub is_whole: bool,
}

/// Why a metric of the catalogue is not among those compared; `None` when it is.
pub fn not_compared(metric: &Metric) -> Option<&'static str> {
    match metric.id {
        "net_revenue" | "top_stores" | "mrr_movements" | "churn_stores" | "ltv_store" | "on_time_rate"
        | "transit_time" | "turnover" | "shrinkage_check" | "new_stores" | "new_users" => {
            Some("dated by changes, which a source does not keep")
        }
        "total_events" | "throughput" | "e2e_latency" | "lag" | "service_state" | "drift" => {
            Some("measured by the pipeline itself")
        }
        "demand_forecast" => Some("an estimate of the last daily run, from what was known then"),
        "uptime" | "api_latency" | "error_rate" | "slow_queries" | "capacity" => Some("measured by probes"),
        _ => None,
    }
}

const COMPARE: &str = "
WITH patterns AS (SELECT * FROM unnest($1::text[], $2::text[]) AS h(metric, pattern)),
stored AS (
  SELECT coalesce(e.metric, s.metric) AS metric, coalesce(e.key, s.key) AS key, e.value AS expected, s.value AS stored
  FROM kpi_expected e FULL JOIN kpi_stored s ON s.metric = e.metric AND s.key = e.key
),
found AS (
  SELECT
    coalesce(s.metric, l.metric) AS metric, coalesce(s.key, l.key) AS key, s.expected, s.stored, l.value AS live
  FROM stored s
  FULL JOIN kpi_live l ON l.metric = s.metric AND l.key = s.key
),
compared AS (
  SELECT f.*, k.is_held,
    -- What people do right now is kept by Redis alone.
    (f.expected IS DISTINCT FROM f.stored AND f.metric <> ALL ($4))
      OR (k.is_held AND f.expected IS DISTINCT FROM f.live) AS differs
  FROM found f LEFT JOIN patterns h ON h.metric = f.metric
  CROSS JOIN LATERAL (SELECT
    -- Of keys that begin with a day, Redis holds those from the boundary on.
    h.metric IS NOT NULL AND f.key ~ h.pattern
      AND ($5::date IS NULL OR f.key !~ '^\\d{4}-\\d\\d-\\d\\d' OR left(f.key, 10) >= $5::text) AS is_held) k
),
named AS (
  SELECT c.metric, array_agg(c.line ORDER BY c.key) AS lines FROM (
    SELECT d.metric, d.key,
      format('%s: source %s, warehouse %s, redis %s', d.key, coalesce(d.expected::text, 'nothing'), coalesce(d.stored::text, 'nothing'),
        CASE WHEN d.is_held THEN coalesce(d.live::text, 'nothing') ELSE 'not kept' END) AS line,
      row_number() OVER (PARTITION BY d.metric ORDER BY d.key) AS place
    FROM compared d
    WHERE d.differs
  ) c WHERE c.place <= $3 GROUP BY c.metric
)
SELECT c.metric, count(c.expected), coalesce(round(sum(c.expected), 4), 0), count(c.stored), coalesce(round(sum(c.stored), 4), 0),
  count(c.live), coalesce(round(sum(c.live), 4), 0), count(*) FILTER (WHERE c.differs), coalesce(max(n.lines), '{}')
FROM compared c LEFT JOIN named n USING (metric)
GROUP BY c.metric ORDER BY c.metric";

impl Auditor {
    /// How far the marts are.
    pub async fn marts_ready(&self) -> Result<MartsReady, StoreError> {
        let row = self
            .client
            .query_one(
                "SELECT (SELECT count(*) FROM (SELECT 1 FROM ops.dirty_keys LIMIT 100000) marks),
                   (SELECT k.refreshed_at FROM ops.mart_refreshes k WHERE k.name = 'by_key' AND k.complete),
                   coalesce((SELECT w.refreshed_at >= k.changed_at FROM ops.mart_refreshes k, ops.mart_refreshes w
                     WHERE k.name = 'by_key' AND w.name = 'as_a_whole' AND w.complete), false)",
                &[],
            )
            .await
            .map_err(|error| failed("cannot read how far the marts are", error))?;
        Ok(MartsReady {
            waiting: row.get(0),
            refreshed_at: row.get(1),
            is_whole: row.get(2),
        })
    }

    /// Compares every metric that the sources can give, all at one moment: `live` gives what Redis holds as of it, of days
    /// from `boundary` on. The cuts are snapshots of the sources; what has changed since the marts were refreshed shows as a
    /// difference, so compare a shop at rest, or again.
    pub async fn kpis(
        &mut self,
        sources: &[Cut<'_>],
        live: &(dyn Fn(DateTime<Utc>) -> Vec<MetricRow> + Sync),
        boundary: Option<NaiveDate>,
    ) -> Result<Vec<KpiResult>, StoreError> {
        let fail = |error| failed("cannot compute the metrics", error);
        let transaction = self
            .client
            .build_transaction()
            .isolation_level(IsolationLevel::RepeatableRead)
            .start()
            .await
            .map_err(fail)?;
        transaction
            .batch_execute(
                "SET LOCAL work_mem = '64MB';
                 CREATE TEMP TABLE kpi_stored (metric text NOT NULL, key text NOT NULL, value numeric) ON COMMIT DROP;
                 CREATE TEMP TABLE kpi_expected (LIKE kpi_stored) ON COMMIT DROP;
                 CREATE TEMP TABLE kpi_live (LIKE kpi_stored) ON COMMIT DROP;",
            )
            .await
            .map_err(fail)?;
        for cut in sources {
            copy(&transaction, cut).await?;
        }
        for text in [
            include_str!("../../sql/kpis/stored.sql"),
            include_str!("../../sql/kpis/expected.sql"),
        ] {
            transaction.batch_execute(text).await.map_err(fail)?;
        }
        let clock = transaction
            .query_one("SELECT now_ts, today FROM core.clock", &[])
            .await
            .map_err(fail)?;
        let today: NaiveDate = clock.get(1);
        let live = live(clock.get(0));
        let (metrics, rest): (Vec<&str>, Vec<(&str, Decimal)>) = live
            .iter()
            .map(|(metric, key, value)| (*metric, (key.as_str(), *value)))
            .unzip();
        let (keys, values): (Vec<&str>, Vec<Decimal>) = rest.into_iter().unzip();
        transaction
            .execute(
                "INSERT INTO kpi_live SELECT * FROM unnest($1::text[], $2::text[], $3::numeric[]) AS l(metric, key, value)
                 WHERE l.value <> 0",
                &[&metrics, &keys, &values],
            )
            .await
            .map_err(fail)?;
        let (held, patterns): (Vec<&str>, Vec<String>) = held(today, boundary).into_iter().unzip();
        let live_alone: Vec<&str> = Metric::all()
            .filter(|metric| metric.kept == Kept::Live)
            .map(|metric| metric.id)
            .collect();
        let rows = transaction
            .query(COMPARE, &[&held, &patterns, &NAMED, &live_alone, &boundary])
            .await
            .map_err(fail)?;
        let results = rows.iter().map(|row| KpiResult {
            metric: row.get(0),
            source_values: row.get(1),
            source_sum: row.get(2),
            warehouse_values: row.get(3),
            warehouse_sum: row.get(4),
            live_values: row.get(5),
            live_sum: row.get(6),
            drift: row.get(7),
            named: row.get(8),
        });
        let results = results.collect();
        transaction.rollback().await.map_err(fail)?;
        Ok(results)
    }
}

/// Copies the tables of a source into temporary tables `source_<table>` of the transaction.
async fn copy(transaction: &Transaction<'_>, cut: &Cut<'_>) -> Result<(), StoreError> {
    for table in cut.prelude.tables() {
        let name = table.name();
        let fail = |error| failed(&format!("cannot copy {name} of {}", cut.what), error);
        transaction
            .batch_execute(&format!(
                "CREATE TEMP TABLE source_{name} ({}) ON COMMIT DROP",
                columns(table)
            ))
            .await
            .map_err(fail)?;
        let Some(query) = cut.prelude.query(table) else {
            continue;
        };
        let rows = cut
            .transaction
            .copy_out(&format!("COPY ({query}) TO STDOUT"))
            .await
            .map_err(fail)?;
        let into = transaction
            .copy_in(&format!("COPY source_{name} FROM STDIN"))
            .await
            .map_err(fail)?;
        pin_mut!(rows, into);
        while let Some(bytes) = rows.try_next().await.map_err(fail)? {
            into.send(bytes).await.map_err(fail)?;
        }
        into.finish().await.map_err(fail)?;
        transaction
            .batch_execute(&format!("ANALYZE source_{name}"))
            .await
            .map_err(fail)?;
    }
    Ok(())
}

/// The columns of a copy, in the types both sides share.
fn columns(table: Table) -> String {
    let columns: Vec<String> = table
        .columns()
        .iter()
        .map(|column| format!("\"{}\" {}", column.name, shared_type(column.kind)))
        .collect();
    columns.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_is_compared_or_says_why_not() {
        for metric in Metric::all() {
            let named = |text: &str| text.contains(&format!("'{}'", metric.id));
            let stored = named(include_str!("../../sql/kpis/stored.sql"));
            let expected = named(include_str!("../../sql/kpis/expected.sql"));
            let reason = not_compared(metric);
            // What people do right now is kept by Redis alone.
            let stored = stored || (metric.kept == Kept::Live && expected);
            assert!(
                stored == expected && stored != reason.is_some(),
                "{}: stored {stored}, expected {expected}, {reason:?}",
                metric.id
            );
        }
    }
}
