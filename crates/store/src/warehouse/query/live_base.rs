//! The day that Live compares with: the same weekday of last week, minute by minute.

use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use instashop_core::view::{DoingNow, LiveBase, TrendPoint, VisitMinute, Visits};

use super::Snapshot;
use crate::StoreError;

/// Reads the view.
pub(super) async fn read(snapshot: &Snapshot<'_>) -> Result<LiveBase, StoreError> {
    let (calendar, now) = (snapshot.calendar, snapshot.moment.at());
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
        visits: visits(snapshot, day, since).await?,
        doing: doing(snapshot, day, same_clock).await?,
    })
}

/// Visits by the minute they began in, and by the minute of their first order.
async fn visits(
    snapshot: &Snapshot<'_>,
    day: NaiveDate,
    since: DateTime<Utc>,
) -> Result<Vec<VisitMinute>, StoreError> {
    let rows = snapshot
        .rows(
            "WITH begun AS MATERIALIZED (
               SELECT v.visit, v.actor, v.started_at, v.purchases FROM marts.visit_facts v WHERE v.day = $2
             ),
             bought AS (
               SELECT min(e.at) AS at FROM begun b
               JOIN marts.visit_event_facts e ON e.actor = b.actor AND e.visit = b.visit AND e.kind = 'purchase'
               WHERE b.purchases > 0 GROUP BY b.visit
             )
             SELECT floor(extract(epoch FROM x.at - $1::timestamptz) / 60)::bigint AS minute, sum(x.begun)::bigint, sum(x.bought)::bigint
             FROM (SELECT b.started_at AS at, 1 AS begun, 0 AS bought FROM begun b UNION ALL SELECT b.at, 0, 1 FROM bought b) x
             GROUP BY minute ORDER BY minute",
            &[&since, &day],
        )
        .await?;
    let minutes = rows.iter().map(|row| VisitMinute {
        start: since + TimeDelta::minutes(row.get(0)),
        visits: Visits {
            begun: row.get(1),
            converted: row.get(2),
        },
    });
    Ok(minutes.collect())
}

/// What visitors did in the minutes before a moment, counted as Redis counts it (KPIs visitors_now, live_carts).
async fn doing(snapshot: &Snapshot<'_>, day: NaiveDate, at: DateTime<Utc>) -> Result<DoingNow, StoreError> {
    let rows = snapshot
        .rows(
            "WITH lately AS (
               SELECT e.actor, e.store_id, e.at, e.kind FROM marts.visit_facts v
               JOIN marts.visit_event_facts e ON e.actor = v.actor AND e.visit = v.visit
               WHERE v.day BETWEEN $3::date - 1 AND $3::date AND v.started_at <= $2 AND v.ended_at > $1 AND e.at > $1 AND e.at <= $2
               UNION
               -- Placed orders without any event are in no visit, and their buyers are there all the same.
               SELECT o.actor, o.store_id, o.ordered_at, 'purchase' FROM marts.order_facts o
               WHERE o.order_day BETWEEN $3::date - 1 AND $3::date AND o.ordered_at > $1 AND o.ordered_at <= $2 AND (o.is_sale OR o.class = 'open') AND o.actor IS NOT NULL
             )
             SELECT count(DISTINCT l.actor) FILTER (WHERE l.at > $4), count(DISTINCT (l.actor, l.store_id)),
               count(DISTINCT (l.actor, l.store_id)) FILTER (WHERE l.kind IN ('add_to_cart', 'remove_from_cart', 'begin_checkout', 'purchase')),
               count(DISTINCT (l.actor, l.store_id)) FILTER (WHERE l.kind IN ('add_to_cart', 'remove_from_cart')),
               count(DISTINCT (l.actor, l.store_id)) FILTER (WHERE l.kind = 'begin_checkout'),
               count(DISTINCT (l.actor, l.store_id)) FILTER (WHERE l.kind = 'purchase')
             FROM lately l",
            &[&(at - TimeDelta::minutes(10)), &at, &day, &(at - TimeDelta::minutes(5))],
        )
        .await?;
    let Some(row) = rows.first() else {
        return Ok(DoingNow::default());
    };
    let count = |place: usize| row.get::<_, i64>(place);
    Ok(DoingNow {
        visitors: count(0),
        browsing: count(1) - count(2),
        carts: count(3),
        checkouts: count(4),
        purchases: count(5),
        course: Vec::new(),
    })
}
