//! Today as the warehouse knows it.

use chrono::{DateTime, TimeDelta, Utc};
use instashop_core::view::{Totals, TrendPoint, Visits, WarehouseToday};

use super::Snapshot;
use super::sums::{TOTALS, totals};
use crate::StoreError;

/// Reads the view.
pub(super) async fn read(snapshot: &Snapshot<'_>, now: DateTime<Utc>) -> Result<WarehouseToday, StoreError> {
    let calendar = snapshot.calendar;
    let day = calendar.day(now);
    let (since, until) = (calendar.start(day), calendar.end(day));
    let all = snapshot
        .rows(&format!("SELECT {TOTALS} FROM core.orders o"), &[])
        .await?;
    let buyers = snapshot
        .rows(
            "SELECT count(DISTINCT o.buyer_id) FROM core.orders o
             WHERE o.is_sale AND o.ordered_at >= $1 AND o.ordered_at < $2",
            &[&since, &until],
        )
        .await?;
    let visits = snapshot
        .rows(
            "SELECT count(*), count(*) FILTER (WHERE v.purchases > 0) FROM marts.visit_facts v WHERE v.day = $1",
            &[&day],
        )
        .await?;
    let sums = snapshot.days(since, until).await?;
    let by_hour = snapshot.buckets(since, until, 3600).await?;
    let running = (now - since).num_hours();
    let hours = (0..=running).map(|hour| TrendPoint {
        start: since + TimeDelta::hours(hour),
        totals: by_hour
            .iter()
            .find(|(bucket, _)| *bucket == hour)
            .map_or_else(Totals::default, |(_, totals)| *totals),
    });
    Ok(WarehouseToday {
        read_at: now,
        as_of: snapshot.as_of().await?,
        day,
        today: sums
            .iter()
            .fold(Totals::default(), |sum, (_, totals)| sum.plus(*totals)),
        buyers_today: buyers.first().map_or(0, |row| row.get(0)),
        visits: visits.first().map_or_else(Visits::default, |row| Visits {
            begun: row.get(0),
            converted: row.get(1),
        }),
        all_time: all.first().map_or_else(Totals::default, |row| totals(row, 0)),
        hours: hours.collect(),
        payments: snapshot.payments(since, until).await?,
        categories: snapshot.categories(since, until).await?,
        products: snapshot.products(since, until).await?,
    })
}
