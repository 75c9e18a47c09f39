//! Pieces of SQL that several views share, and the rows they give.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use instashop_core::view::{CategorySales, PaymentMethod, ProductSales, Totals};
use tokio_postgres::Row;

use super::Snapshot;
use crate::StoreError;

/// Seven columns over rows of `core.orders`: revenue in cents, and the orders by class (KPIs revenue_*, orders, attempts).
pub(super) const TOTALS: &str = "
  coalesce(core.cents(sum(o.amount_rc) FILTER (WHERE o.is_sale)), 0), count(*) FILTER (WHERE o.is_sale),
  count(*) FILTER (WHERE o.class = 'open'), count(*) FILTER (WHERE o.class = 'failed'),
  count(*) FILTER (WHERE o.class = 'cancelled'), count(*) FILTER (WHERE o.class = 'reversed'),
  count(*) FILTER (WHERE o.class = 'unmapped')";

/// The columns of [`TOTALS`], from column `at` on.
pub(super) fn totals(row: &Row, at: usize) -> Totals {
    Totals {
        revenue_cents: row.get(at),
        orders: row.get(at + 1),
        open: row.get(at + 2),
        failed: row.get(at + 3),
        cancelled: row.get(at + 4),
        reversed: row.get(at + 5),
        unmapped: row.get(at + 6),
    }
}

fn category(row: &Row) -> CategorySales {
    CategorySales {
        category: row.get(0),
        revenue_cents: row.get(1),
        units: row.get(2),
        orders: Some(row.get(3)),
    }
}

/// A half-open span of time as the closed one that `core.order_lines_between` takes.
fn last(until: DateTime<Utc>) -> DateTime<Utc> {
    until - TimeDelta::microseconds(1)
}

impl Snapshot<'_> {
    /// Sums per business day of a half-open span, days with orders only.
    pub(super) async fn days(
        &self,
        since: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<Vec<(NaiveDate, Totals)>, StoreError> {
        let sql = format!(
            "SELECT o.order_day, {TOTALS} FROM {} o
             WHERE o.ordered_at >= $1 AND o.ordered_at < $2 GROUP BY o.order_day ORDER BY o.order_day",
            self.orders()
        );
        let rows = self.rows(&sql, &[&since, &until]).await?;
        Ok(rows.iter().map(|row| (row.get(0), totals(row, 1))).collect())
    }

    /// Sums per bucket of so many seconds since `since`, by number of the bucket.
    pub(super) async fn buckets(
        &self,
        since: DateTime<Utc>,
        until: DateTime<Utc>,
        seconds: i64,
    ) -> Result<Vec<(i64, Totals)>, StoreError> {
        let sql = format!(
            "SELECT floor(extract(epoch FROM o.ordered_at - $1) / $3::bigint)::bigint AS bucket, {TOTALS} FROM {} o
             WHERE o.ordered_at >= $1 AND o.ordered_at < $2 GROUP BY bucket ORDER BY bucket",
            self.orders()
        );
        let rows = self.rows(&sql, &[&since, &until, &seconds]).await?;
        Ok(rows.iter().map(|row| (row.get(0), totals(row, 1))).collect())
    }

    /// Sales by category, largest revenue first (KPI sales_by_category).
    pub(super) async fn categories(
        &self,
        since: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<Vec<CategorySales>, StoreError> {
        let rows = self
            .rows(
                &format!(
                "SELECT l.category, coalesce(core.cents(sum(l.net_rc)), 0), sum(l.quantity)::bigint, count(DISTINCT l.order_id)
                 FROM {} WHERE l.is_sale
                 GROUP BY l.category ORDER BY 2 DESC, 1",
                    self.sale_lines()
                ),
                &[&since, &last(until)],
            )
            .await?;
        Ok(rows.iter().map(category).collect())
    }

    /// Sales by category of two spans that touch, each as [`Self::categories`] gives it; one pass over the lines.
    pub(super) async fn categories_of_two(
        &self,
        since: DateTime<Utc>,
        middle: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<[Vec<CategorySales>; 2], StoreError> {
        let rows = self
            .rows(
                &format!(
                    "SELECT l.category, coalesce(core.cents(sum(l.net_rc)), 0), sum(l.quantity)::bigint,
                   count(DISTINCT l.order_id), l.ordered_at >= $3 AS later
                 FROM {} WHERE l.is_sale
                 GROUP BY l.category, later ORDER BY 2 DESC, 1",
                    self.sale_lines()
                ),
                &[&since, &last(until), &middle],
            )
            .await?;
        let of = |wanted: bool| {
            let rows = rows.iter().filter(move |row| row.get::<_, bool>(4) == wanted);
            rows.map(category).collect()
        };
        Ok([of(false), of(true)])
    }

    /// Best products, at most 20, ties by product id (KPI top_products).
    pub(super) async fn products(
        &self,
        since: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<Vec<ProductSales>, StoreError> {
        let rows = self
            .rows(
                &format!(
                "SELECT s.product_id, coalesce(p.name, ''), coalesce(p.category, 'unclassified'), s.cents, s.units
                 FROM (SELECT l.product_id, coalesce(core.cents(sum(l.net_rc)), 0) AS cents, sum(l.quantity)::bigint AS units
                       FROM {} WHERE l.is_sale AND l.product_id IS NOT NULL
                       GROUP BY l.product_id ORDER BY 2 DESC, 1 LIMIT 20) s
                 LEFT JOIN core.products p ON p.product_id = s.product_id ORDER BY s.cents DESC, s.product_id",
                    self.sale_lines()
                ),
                &[&since, &last(until)],
            )
            .await?;
        let sales = rows.iter().map(|row| ProductSales {
            product_id: row.get(0),
            name: row.get(1),
            category: row.get(2),
            revenue_cents: row.get(3),
            units: row.get(4),
        });
        Ok(sales.collect())
    }

    /// Payment outcomes by method (KPIs payment_mix, payment_success).
    pub(super) async fn payments(
        &self,
        since: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<Vec<PaymentMethod>, StoreError> {
        let rows = self
            .rows(
                &format!(
                "SELECT o.payment_method, count(*) FILTER (WHERE o.is_sale), count(*) FILTER (WHERE o.class = 'failed'),
                   count(*) FILTER (WHERE o.class = 'open'),
                   coalesce(core.cents(sum(o.amount_rc) FILTER (WHERE o.is_sale)), 0)
                 FROM {} o WHERE o.ordered_at >= $1 AND o.ordered_at < $2
                   AND (o.is_sale OR o.class IN ('failed', 'open'))
                 GROUP BY o.payment_method ORDER BY 5 DESC, 1",
                    self.orders()
                ),
                &[&since, &until],
            )
            .await?;
        let methods = rows.iter().map(|row| PaymentMethod {
            method: row.get(0),
            paid: row.get(1),
            failed: row.get(2),
            open: row.get(3),
            revenue_cents: row.get(4),
        });
        Ok(methods.collect())
    }

    /// The first business day with any order.
    pub(super) async fn first_day(&self) -> Result<Option<NaiveDate>, StoreError> {
        let rows = self
            .rows(
                "SELECT o.ordered_at FROM core.orders o WHERE o.ordered_at > '-infinity' AND o.ordered_at < 'infinity'
                 ORDER BY o.ordered_at LIMIT 1",
                &[],
            )
            .await?;
        Ok(rows.first().map(|row| self.calendar.day(row.get(0))))
    }
}
