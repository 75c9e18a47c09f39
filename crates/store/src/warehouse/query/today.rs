//! Today as the warehouse knows it.

use chrono::{DateTime, DurationRound, NaiveDate, TimeDelta, Utc};
use instashop_core::view::{Totals, TrendPoint, Visits, WarehouseToday, When};

use super::Snapshot;
use crate::StoreError;

/// Minutes of the course.
const MINUTES: i64 = 60;

/// Reads the view.
pub(super) async fn read(snapshot: &Snapshot<'_>) -> Result<WarehouseToday, StoreError> {
    let (calendar, now) = (snapshot.calendar, snapshot.moment.at());
    let day = calendar.day(now);
    let (since, until) = (calendar.start(day), snapshot.moment.end(calendar.end(day)));
    let orders = snapshot.orders();
    let buyers = snapshot
        .rows(
            &format!(
                "SELECT count(DISTINCT o.buyer_id) FROM {orders} o
                 WHERE o.is_sale AND o.ordered_at >= $1 AND o.ordered_at < $2"
            ),
            &[&since, &until],
        )
        .await?;
    let visits = visits(snapshot, day, until).await?;
    let running = now.duration_trunc(TimeDelta::minutes(1)).unwrap_or(now);
    let from = running - TimeDelta::minutes(MINUTES - 1);
    let by_minute = snapshot
        .buckets(from, snapshot.moment.end(running + TimeDelta::minutes(1)), 60)
        .await?;
    let sums = snapshot.days(since, until).await?;
    let by_hour = snapshot.buckets(since, until, 3600).await?;
    let point = |found: &[(i64, Totals)], bucket: i64, start: DateTime<Utc>| TrendPoint {
        start,
        totals: found
            .iter()
            .find(|(number, _)| *number == bucket)
            .map_or_else(Totals::default, |(_, totals)| *totals),
    };
    let hours =
        (0..=(now - since).num_hours()).map(|hour| point(&by_hour, hour, since + TimeDelta::hours(hour)));
    let minutes = (0..MINUTES).map(|minute| point(&by_minute, minute, from + TimeDelta::minutes(minute)));
    Ok(WarehouseToday {
        read_at: now,
        as_of: snapshot.as_of().await?,
        day,
        today: sums
            .iter()
            .fold(Totals::default(), |sum, (_, totals)| sum.plus(*totals)),
        buyers_today: buyers.first().map_or(0, |row| row.get(0)),
        visits,
        hours: hours.collect(),
        minutes: minutes.collect(),
        payments: snapshot.payments(since, until).await?,
        categories: snapshot.categories(since, until).await?,
        products: snapshot.products(since, until).await?,
    })
}

/// Visits of a day that began before a moment, and those of them with an order by then.
async fn visits(snapshot: &Snapshot<'_>, day: NaiveDate, until: DateTime<Utc>) -> Result<Visits, StoreError> {
    let rows = match snapshot.moment {
        When::Present(_) => {
            snapshot
                .rows(
                    "SELECT count(*), count(*) FILTER (WHERE v.purchases > 0) FROM marts.visit_facts v WHERE v.day = $1",
                    &[&day],
                )
                .await?
        }
        When::AsOf(_) => {
            snapshot
                .rows(
                    "SELECT count(*), count(*) FILTER (WHERE v.purchases > 0 AND EXISTS (
                       SELECT FROM marts.visit_event_facts e
                       WHERE e.actor = v.actor AND e.visit = v.visit AND e.kind = 'purchase' AND e.at < $2))
                     FROM marts.visit_facts v WHERE v.day = $1 AND v.started_at < $2",
                    &[&day, &until],
                )
                .await?
        }
    };
    Ok(rows.first().map_or_else(Visits::default, |row| Visits {
        begun: row.get(0),
        converted: row.get(1),
    }))
}
