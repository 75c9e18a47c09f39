//! The day that Live compares with: the same weekday of last week, minute by minute.

use chrono::{DateTime, Days, TimeDelta, Utc};
use instashop_core::view::{LiveBase, TrendPoint};

use super::Snapshot;
use crate::StoreError;

/// Reads the view.
pub(super) async fn read(snapshot: &Snapshot<'_>, now: DateTime<Utc>) -> Result<LiveBase, StoreError> {
    let calendar = snapshot.calendar;
    let today = calendar.day(now);
    let day = today.checked_sub_days(Days::new(7)).unwrap_or(today);
    let (since, until) = (calendar.start(day), calendar.end(day));
    // Clock times are compared by what has passed of the day, so a change of the clocks moves nothing out of the day.
    let same_clock = (since + (now - calendar.start(today))).min(until);
    let first = snapshot
        .rows(
            "SELECT min(o.ordered_at) AS at FROM core.orders o
             WHERE o.is_sale AND o.ordered_at >= $1 AND o.ordered_at < $2 GROUP BY o.buyer_id ORDER BY at",
            &[&since, &until],
        )
        .await?;
    let minutes = snapshot.buckets(since, until, 60).await?;
    let captured = snapshot.first_day().await?.is_some_and(|first| first <= day);
    let passed = snapshot.as_of().await?.is_some_and(|as_of| as_of >= until);
    Ok(LiveBase {
        day,
        complete: captured && passed,
        minutes: minutes
            .into_iter()
            .map(|(minute, totals)| TrendPoint {
                start: since + TimeDelta::minutes(minute),
                totals,
            })
            .collect(),
        first_sales: first.iter().map(|row| row.get(0)).collect(),
        categories: snapshot.categories(since, same_clock).await?,
    })
}
