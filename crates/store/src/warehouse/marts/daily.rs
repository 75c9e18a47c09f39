//! The steps of the daily run: extract, transform, load and prepare what is sent (docs: the daily batch of the Tiendi
//! document). Each step is one transaction and may be repeated: it ends in the same rows.

use chrono::NaiveDate;
use serde::Serialize;
use tokio_postgres::Transaction;

use super::tables::{DAY_TABLES, DayTable};
use super::{MartRefresher, begin, record};
use crate::StoreError;
use crate::postgres::failed;

/// A step, in the order of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Counts the changes of the day in the event log.
    ExtractEvents,
    /// Counts the paid orders of the day.
    ExtractOrders,
    /// Counts the products whose current row was written on the day.
    ExtractProducts,
    /// Counts what is not clean.
    Clean,
    /// Sales of the day by store, category, region and payment method, recounted.
    DailyMetrics,
    /// The day by product, recounted.
    ProductMetrics,
    /// Funnel and outcomes of the day's visits, recounted.
    Conversion,
    /// Marts that are computed as a whole.
    AsAWhole,
    /// The headline numbers as they are now.
    Snapshot,
    /// What each store is told.
    Summaries,
    /// What is far from the usual.
    Anomalies,
    /// What is expected of the next four weeks.
    Forecast,
}

/// What a step did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct StepDone {
    /// Rows counted, or rows the day has now.
    pub rows: i64,
    /// Rows of marts that were not what the recount gave, and were put right.
    pub repaired: i64,
}

impl Step {
    /// All steps in their order.
    pub const ALL: [Self; 12] = [
        Self::ExtractEvents,
        Self::ExtractOrders,
        Self::ExtractProducts,
        Self::Clean,
        Self::DailyMetrics,
        Self::ProductMetrics,
        Self::Conversion,
        Self::AsAWhole,
        Self::Snapshot,
        Self::Summaries,
        Self::Anomalies,
        Self::Forecast,
    ];

    /// Name in `ops.etl_runs` and on the terminal.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ExtractEvents => "extract events",
            Self::ExtractOrders => "extract paid orders",
            Self::ExtractProducts => "extract updated products",
            Self::Clean => "clean",
            Self::DailyMetrics => "daily metrics by store",
            Self::ProductMetrics => "daily metrics by product",
            Self::Conversion => "conversion",
            Self::AsAWhole => "marts computed as a whole",
            Self::Snapshot => "headline numbers",
            Self::Summaries => "summaries for stores",
            Self::Anomalies => "anomalies",
            Self::Forecast => "demand forecast",
        }
    }
}

/// The half-open span of a business day, as UTC without zone.
const SPAN: &str = "
WITH span AS (
  SELECT $1::date::timestamp AT TIME ZONE c.tz AT TIME ZONE 'UTC' AS since,
         ($1::date + 1)::timestamp AT TIME ZONE c.tz AT TIME ZONE 'UTC' AS until
  FROM core.clock c
)";

impl MartRefresher {
    /// Runs one step for one business day.
    pub async fn step(
        &mut self,
        step: Step,
        day: NaiveDate,
        now: chrono::DateTime<chrono::Utc>,
    ) -> Result<StepDone, StoreError> {
        let transaction = begin(&mut self.client).await?;
        let done = match step {
            Step::ExtractEvents => {
                // Asked of the parent, so that only the partitions of the day are read.
                let sql = format!(
                    "{SPAN} SELECT count(*) FROM raw.realtime_events e
                     WHERE e.\"timestamp\" >= (SELECT since FROM span) AND e.\"timestamp\" < (SELECT until FROM span)"
                );
                count(&transaction, step, &sql, day).await?
            }
            Step::ExtractOrders => {
                let sql = "SELECT count(*) FROM marts.order_facts o WHERE o.order_day = $1 AND o.is_sale";
                count(&transaction, step, sql, day).await?
            }
            Step::ExtractProducts => {
                let sql = format!(
                    "{SPAN} SELECT count(*) FROM staging.product p
                     WHERE p._committed_at AT TIME ZONE 'UTC' >= (SELECT since FROM span)
                       AND p._committed_at AT TIME ZONE 'UTC' < (SELECT until FROM span)"
                );
                count(&transaction, step, &sql, day).await?
            }
            Step::AsAWhole => {
                let rows = super::rebuild::as_a_whole(&transaction).await?;
                record(&transaction, "as_a_whole", now, true).await?;
                StepDone {
                    rows: i64::try_from(rows).unwrap_or(i64::MAX),
                    repaired: 0,
                }
            }
            Step::Forecast => super::forecast::run(&transaction, day).await?,
            Step::Clean
            | Step::DailyMetrics
            | Step::ProductMetrics
            | Step::Conversion
            | Step::Snapshot
            | Step::Summaries
            | Step::Anomalies => {
                let mut done = StepDone { rows: 0, repaired: 0 };
                for table in DAY_TABLES.iter().filter(|table| table.step == step) {
                    let one = recount(&transaction, table, day).await?;
                    done.rows += one.rows;
                    done.repaired += one.repaired;
                }
                done
            }
        };
        transaction
            .commit()
            .await
            .map_err(|error| failed(&format!("cannot commit the step {:?}", step.name()), error))?;
        Ok(done)
    }
}

async fn count(
    transaction: &Transaction<'_>,
    step: Step,
    sql: &str,
    day: NaiveDate,
) -> Result<StepDone, StoreError> {
    let row = transaction
        .query_one(sql, &[&day])
        .await
        .map_err(|error| failed(&format!("the step {:?} failed", step.name()), error))?;
    Ok(StepDone {
        rows: row.get(0),
        repaired: 0,
    })
}

/// One table's rows of a day as its view gives them now; what was stored otherwise is counted as repaired where the
/// refresher should have kept it.
async fn recount(
    transaction: &Transaction<'_>,
    table: &DayTable,
    day: NaiveDate,
) -> Result<StepDone, StoreError> {
    let fail = |error| failed(&format!("cannot compute marts.{}", table.name), error);
    let removed = transaction
        .execute(&table.remove(), &[&day])
        .await
        .map_err(fail)?;
    let added = transaction.execute(&table.add(), &[&day]).await.map_err(fail)?;
    let rows: i64 = transaction
        .query_one(&table.count(), &[&day])
        .await
        .map_err(fail)?
        .get(0);
    let differed = i64::try_from(removed.max(added)).unwrap_or(i64::MAX);
    Ok(StepDone {
        rows,
        repaired: if table.is_kept { differed } else { 0 },
    })
}
