//! The Logistics tab. Shipments are of the platform: what the role of the dashboard may read does not name their orders, so
//! for one store there is nothing to show rather than the figures of all.

use instashop_core::view::{DueDay, LogisticsView, MethodShipments, OverdueShipment, Pair, TRANSIT_HOURS};

use super::board::{Of, buckets};
use crate::StoreError;

/// Overdue shipments that are listed.
const OVERDUE: i64 = 300;

/// Shipments with their hours on the way.
const SHIPMENTS: &str = "(SELECT f.*, (extract(epoch FROM f.delivered_at - f.shipped_at) / 3600)::float8 AS hours FROM marts.shipment_facts f) f";

/// Reads the view.
pub(super) async fn read(of: &Of<'_, '_>) -> Result<LogisticsView, StoreError> {
    if of.store.is_some() {
        return Ok(LogisticsView::default());
    }
    let mut view = sums(of).await?;
    view.methods = methods(of).await?;
    view.days = days(of).await?;
    view.list = overdue(of).await?;
    view.histogram = histogram(of).await?;
    Ok(view)
}

async fn sums(of: &Of<'_, '_>) -> Result<LogisticsView, StoreError> {
    let base_last = of.window.base_first + (of.window.last - of.window.first);
    let percentiles = [("0.5", "$1 AND $2"), ("0.9", "$1 AND $2"), ("0.5", "$3 AND $4"), ("0.9", "$3 AND $4")]
        .map(|(share, span)| {
            format!(
                "round(percentile_cont({share}) WITHIN GROUP (ORDER BY f.hours) FILTER (WHERE f.due_day BETWEEN {span}) * 10)::bigint"
            )
        })
        .join(", ");
    let sql = format!(
        "SELECT
           count(*) FILTER (WHERE f.result = 'on_time' AND f.due_day BETWEEN $1 AND $2),
           count(*) FILTER (WHERE f.result = 'on_time' AND f.due_day BETWEEN $3 AND $4),
           count(*) FILTER (WHERE f.result IN ('late', 'overdue') AND f.due_day BETWEEN $1 AND $2),
           count(*) FILTER (WHERE f.result IN ('late', 'overdue') AND f.due_day BETWEEN $3 AND $4),
           count(*) FILTER (WHERE f.result = 'overdue'),
           count(*) FILTER (WHERE f.delivered_at IS NULL AND lower(btrim(f.status)) = 'in_transit'),
           count(*) FILTER (WHERE f.delivered_at IS NULL AND f.result <> 'unknown' AND lower(btrim(coalesce(f.status, ''))) <> 'in_transit'),
           {percentiles}
         FROM {SHIPMENTS}"
    );
    let rows = of
        .snapshot
        .rows(
            &sql,
            &[
                &of.window.first,
                &of.window.last,
                &of.window.base_first,
                &base_last,
            ],
        )
        .await?;
    let Some(row) = rows.first() else {
        return Ok(LogisticsView::default());
    };
    let pair = |at: usize| Pair {
        now: row.get(at),
        before: row.get(at + 1),
    };
    let hours = |at: usize| {
        let (median, slow): (Option<i64>, Option<i64>) = (row.get(at), row.get(at + 1));
        median.zip(slow).map(|(median, slow)| [median, slow])
    };
    Ok(LogisticsView {
        on_time: pair(0),
        late: pair(2),
        overdue: row.get(4),
        transit: row.get(5),
        pending: row.get(6),
        hours_tenths: [hours(7), hours(9)],
        ..LogisticsView::default()
    })
}

async fn methods(of: &Of<'_, '_>) -> Result<Vec<MethodShipments>, StoreError> {
    let percentile =
        |share: &str| format!("round(percentile_cont({share}) WITHIN GROUP (ORDER BY f.hours) * 10)::bigint");
    let sql = format!(
        "SELECT f.shipping_method,
           count(*) FILTER (WHERE f.delivered_at IS NULL AND f.result <> 'unknown' AND lower(btrim(coalesce(f.status, ''))) <> 'in_transit'),
           count(*) FILTER (WHERE f.delivered_at IS NULL AND lower(btrim(f.status)) = 'in_transit'),
           count(*) FILTER (WHERE f.delivered_at IS NOT NULL), count(*) FILTER (WHERE f.result = 'on_time'),
           count(*) FILTER (WHERE f.result = 'late'), count(*) FILTER (WHERE f.result = 'overdue'), count(*) FILTER (WHERE f.result = 'unknown'),
           {}, {}, {}
         FROM {SHIPMENTS} WHERE f.due_day BETWEEN $1 AND $2 GROUP BY f.shipping_method ORDER BY count(*) DESC, 1",
        percentile("0.1"),
        percentile("0.5"),
        percentile("0.9"),
    );
    let rows = of
        .snapshot
        .rows(&sql, &[&of.window.first, &of.window.last])
        .await?;
    let methods = rows.iter().map(|row| {
        let hours: [Option<i64>; 3] = [row.get(8), row.get(9), row.get(10)];
        MethodShipments {
            method: row.get(0),
            pending: row.get(1),
            transit: row.get(2),
            delivered: row.get(3),
            on_time: row.get(4),
            late: row.get(5),
            overdue: row.get(6),
            unknown: row.get(7),
            hours_tenths: match hours {
                [Some(fast), Some(median), Some(slow)] => Some([fast, median, slow]),
                _ => None,
            },
        }
    });
    Ok(methods.collect())
}

async fn days(of: &Of<'_, '_>) -> Result<Vec<DueDay>, StoreError> {
    let sql = format!(
        "SELECT d.day::date, count(f.shipment_id) FILTER (WHERE f.result = 'on_time'),
           count(f.shipment_id) FILTER (WHERE f.result IN ('late', 'overdue'))
         FROM generate_series($1::date::timestamp, $2::date::timestamp, INTERVAL '1 day') AS d(day)
         LEFT JOIN {SHIPMENTS} ON f.due_day = d.day::date GROUP BY d.day ORDER BY d.day"
    );
    let rows = of
        .snapshot
        .rows(&sql, &[&of.window.first, &of.window.last])
        .await?;
    let days = rows.iter().map(|row| DueDay {
        day: row.get(0),
        on_time: row.get(1),
        late: row.get(2),
    });
    Ok(days.collect())
}

async fn overdue(of: &Of<'_, '_>) -> Result<Vec<OverdueShipment>, StoreError> {
    let rows = of
        .snapshot
        .rows(
            "SELECT f.shipment_id, f.shipping_method, coalesce(f.status, ''), f.due_day, f.shipped_at
             FROM marts.shipment_facts f
             WHERE f.result = 'overdue' AND f.due_day IS NOT NULL ORDER BY f.due_day, f.shipment_id LIMIT $1",
            &[&OVERDUE],
        )
        .await?;
    let list = rows.iter().map(|row| OverdueShipment {
        shipment_id: row.get(0),
        method: row.get(1),
        status: row.get(2),
        due: row.get(3),
        shipped_at: row.get(4),
    });
    Ok(list.collect())
}

async fn histogram(of: &Of<'_, '_>) -> Result<Vec<(Option<i64>, i64)>, StoreError> {
    let limits: Vec<f64> = TRANSIT_HOURS.iter().map(|hours| *hours as f64).collect();
    let sql = format!(
        "SELECT width_bucket(f.hours, $3::float8[]), count(*) FROM {SHIPMENTS}
         WHERE f.due_day BETWEEN $1 AND $2 AND f.hours IS NOT NULL GROUP BY 1"
    );
    let rows = of
        .snapshot
        .rows(&sql, &[&of.window.first, &of.window.last, &limits])
        .await?;
    Ok(buckets(&rows, &TRANSIT_HOURS))
}
