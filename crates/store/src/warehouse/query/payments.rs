//! The Payments tab, from the facts of orders: they know the clock time, which the marts by day do not.

use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use instashop_core::view::{
    AttemptHour, MethodAttempts, PENDING_LIMITS_S, Pair, PaymentsView, PendingAge, PendingOrder,
    StoreAttempts,
};

use super::board::Of;
use crate::StoreError;

/// Longest waiting orders that are listed.
const PENDING: i64 = 200;

/// Reads the view.
pub(super) async fn read(of: &Of<'_, '_>) -> Result<PaymentsView, StoreError> {
    let hour = of.now.duration_trunc(TimeDelta::hours(1)).unwrap_or(of.now);
    let since = hour - TimeDelta::hours(23);
    let mut methods = methods(of).await?;
    let mut hours: Vec<AttemptHour> = (0..24)
        .map(|index| AttemptHour {
            start: since + TimeDelta::hours(index),
            ..AttemptHour::default()
        })
        .collect();
    for method in &mut methods {
        method.hours = vec![(0, 0); 24];
    }
    for (name, index, counts) in by_hour(of, since - TimeDelta::days(7)).await? {
        let add = |sum: &mut (i64, i64)| *sum = (sum.0 + counts.0, sum.1 + counts.1);
        let Ok(index) = usize::try_from(index) else {
            continue;
        };
        let Some(hour) = hours.get_mut(index % 24) else {
            continue;
        };
        if index < 7 * 24 {
            add(&mut hour.week);
            continue;
        }
        add(&mut hour.now);
        let method = methods.iter_mut().find(|method| method.method == name);
        if let Some(slot) = method.and_then(|method| method.hours.get_mut(index - 7 * 24)) {
            add(slot);
        }
    }
    Ok(PaymentsView {
        methods,
        hours,
        ages: ages(of).await?,
        pending: pending(of).await?,
        stores: stores(of).await?,
    })
}

async fn methods(of: &Of<'_, '_>) -> Result<Vec<MethodAttempts>, StoreError> {
    let calendar = of.snapshot.calendar;
    let today = calendar.day(of.now);
    let week = calendar.start(today - chrono::Days::new(7));
    let first_day = of.window.base_first.min(today - chrono::Days::new(7));
    let rows = of
        .snapshot
        .rows(
            "SELECT o.payment_method,
               count(*) FILTER (WHERE o.is_sale AND o.here), count(*) FILTER (WHERE o.is_sale AND o.base),
               count(*) FILTER (WHERE o.class = 'failed' AND o.here), count(*) FILTER (WHERE o.class = 'failed' AND o.base),
               count(*) FILTER (WHERE o.class = 'failed' AND o.recovered AND o.here),
               count(*) FILTER (WHERE o.class = 'failed' AND o.recovered AND o.base),
               coalesce(core.cents(sum(o.amount_rc) FILTER (WHERE o.is_sale AND o.here)), 0),
               coalesce(core.cents(sum(o.amount_rc) FILTER (WHERE o.class = 'failed' AND NOT o.recovered AND o.here)), 0),
               coalesce(core.cents(sum(o.amount_rc) FILTER (WHERE o.class = 'failed' AND NOT o.recovered AND o.base)), 0),
               count(*) FILTER (WHERE o.is_sale AND o.week), count(*) FILTER (WHERE o.class = 'failed' AND o.week),
               max(o.ordered_at) FILTER (WHERE o.is_sale)
             FROM (
               SELECT o.*, o.ordered_at >= $1 AND o.ordered_at < $2 AS here, o.ordered_at >= $3 AND o.ordered_at < $4 AS base,
                 o.ordered_at >= $5 AND o.ordered_at < $6 AS week
               FROM marts.order_facts o
               WHERE o.order_day >= $7 AND o.ordered_at <= $8 AND ($9::bigint IS NULL OR o.store_id = $9)
             ) o
             GROUP BY o.payment_method ORDER BY o.payment_method",
            &[
                &of.window.since,
                &of.window.until,
                &of.window.base_since,
                &of.window.base_until,
                &week,
                &calendar.start(today),
                &first_day,
                &of.now,
                &of.store,
            ],
        )
        .await?;
    let pair = |row: &tokio_postgres::Row, at: usize| Pair {
        now: row.get(at),
        before: row.get(at + 1),
    };
    let methods = rows.iter().map(|row| MethodAttempts {
        method: row.get(0),
        paid: pair(row, 1),
        failed: pair(row, 3),
        recovered: pair(row, 5),
        revenue_cents: row.get(7),
        at_risk_cents: pair(row, 8),
        week: (row.get(10), row.get(11)),
        last_paid_at: row.get(12),
        hours: vec![],
    });
    Ok(methods.collect())
}

/// Paid and failed by method and number of the hour since `since`.
async fn by_hour(
    of: &Of<'_, '_>,
    since: DateTime<Utc>,
) -> Result<Vec<(String, i64, (i64, i64))>, StoreError> {
    let rows = of
        .snapshot
        .rows(
            "SELECT o.payment_method, floor(extract(epoch FROM o.ordered_at - $1) / 3600)::bigint AS hour,
               count(*) FILTER (WHERE o.is_sale), count(*) FILTER (WHERE o.class = 'failed')
             FROM marts.order_facts o
             WHERE o.order_day >= $3 AND o.ordered_at >= $1 AND o.ordered_at <= $2 AND ($4::bigint IS NULL OR o.store_id = $4)
             GROUP BY o.payment_method, hour",
            &[&since, &of.now, &of.snapshot.calendar.day(since), &of.store],
        )
        .await?;
    Ok(rows
        .iter()
        .map(|row| (row.get(0), row.get(1), (row.get(2), row.get(3))))
        .collect())
}

async fn ages(of: &Of<'_, '_>) -> Result<Vec<PendingAge>, StoreError> {
    let limits: Vec<f64> = PENDING_LIMITS_S.iter().map(|limit| *limit as f64).collect();
    let rows = of
        .snapshot
        .rows(
            "SELECT width_bucket(extract(epoch FROM $1 - o.ordered_at)::float8, $2::float8[]), count(*), coalesce(core.cents(sum(o.amount_rc)), 0)
             FROM marts.order_facts o
             WHERE o.class = 'open' AND o.ordered_at IS NOT NULL AND ($3::bigint IS NULL OR o.store_id = $3) GROUP BY 1",
            &[&of.now, &limits, &of.store],
        )
        .await?;
    let mut ages: Vec<PendingAge> = (0..=PENDING_LIMITS_S.len())
        .map(|index| PendingAge {
            up_to_s: PENDING_LIMITS_S.get(index).copied(),
            ..PendingAge::default()
        })
        .collect();
    for row in &rows {
        let bucket = usize::try_from(row.get::<_, i32>(0)).unwrap_or(0);
        if let Some(age) = ages.get_mut(bucket) {
            (age.orders, age.cents) = (row.get(1), row.get(2));
        }
    }
    Ok(ages)
}

async fn pending(of: &Of<'_, '_>) -> Result<Vec<PendingOrder>, StoreError> {
    let rows = of
        .snapshot
        .rows(
            "SELECT o.order_id, o.ordered_at, coalesce(s.name, o.store_id::text), o.payment_method, coalesce(core.cents(o.amount_rc), 0)
             FROM marts.order_facts o LEFT JOIN core.stores s ON s.store_id = o.store_id
             WHERE o.class = 'open' AND o.order_day IS NOT NULL AND ($1::bigint IS NULL OR o.store_id = $1)
             ORDER BY o.ordered_at, o.order_id LIMIT $2",
            &[&of.store, &PENDING],
        )
        .await?;
    let orders = rows.iter().map(|row| PendingOrder {
        order_id: row.get(0),
        ordered_at: row.get(1),
        store: row.get(2),
        method: row.get(3),
        cents: row.get(4),
    });
    Ok(orders.collect())
}

async fn stores(of: &Of<'_, '_>) -> Result<Vec<StoreAttempts>, StoreError> {
    let rows = of
        .snapshot
        .rows(
            "SELECT x.store_id, coalesce(s.name, x.store_id::text), x.paid, x.failed
             FROM (
               SELECT o.store_id, count(*) FILTER (WHERE o.is_sale) AS paid, count(*) FILTER (WHERE o.class = 'failed') AS failed
               FROM marts.order_facts o
               WHERE o.order_day BETWEEN $1 AND $2 AND o.ordered_at >= $3 AND o.ordered_at < $4
                 AND (o.is_sale OR o.class = 'failed') AND ($5::bigint IS NULL OR o.store_id = $5)
               GROUP BY o.store_id
             ) x LEFT JOIN core.stores s ON s.store_id = x.store_id
             ORDER BY x.failed::numeric / (x.paid + x.failed) DESC, x.failed DESC, x.store_id LIMIT 100",
            &[
                &of.window.first,
                &of.window.last,
                &of.window.since,
                &of.window.until,
                &of.store,
            ],
        )
        .await?;
    let stores = rows.iter().map(|row| StoreAttempts {
        store_id: row.get(0),
        store: row.get(1),
        paid: row.get(2),
        failed: row.get(3),
    });
    Ok(stores.collect())
}
