//! The Sales tab.

use std::collections::BTreeMap;

use chrono::{Datelike, Days, NaiveDate};
use instashop_core::view::{OrderRow, RegionSales, SalesView, Totals, When};

use super::Snapshot;
use super::orders::order_row;
use crate::StoreError;

/// Orders of the table of latest orders.
const LATEST: i64 = 50;

/// Full weeks behind the pattern of weekdays and hours (KPI temporal_pattern).
const WEEKS: u64 = 8;

/// Reads the view. The range is the `days` complete days before today, and today; the period before it is as long.
pub(super) async fn read(snapshot: &Snapshot<'_>, days: u32) -> Result<SalesView, StoreError> {
    let (calendar, now) = (snapshot.calendar, snapshot.moment.at());
    let today = calendar.day(now);
    let back = |days: u64| today.checked_sub_days(Days::new(days)).unwrap_or(today);
    let (first, middle) = (back(2 * u64::from(days)), back(u64::from(days)));
    let (since, until) = (calendar.start(first), snapshot.moment.end(calendar.end(today)));
    let found: BTreeMap<NaiveDate, Totals> = snapshot.days(since, until).await?.into_iter().collect();
    let all_days = first.iter_days().take_while(|day| *day <= today);
    let first_day = snapshot.first_day().await?;
    let [previous_categories, categories] = snapshot
        .categories_of_two(since, calendar.start(middle), calendar.start(today))
        .await?;
    Ok(SalesView {
        read_at: now,
        as_of: snapshot.as_of().await?,
        today,
        first_day,
        days: all_days
            .map(|day| (day, found.get(&day).copied().unwrap_or_default()))
            .collect(),
        reversals: reversals(snapshot, first, today).await?,
        categories,
        previous_categories,
        regions: regions(snapshot, [first, middle, today]).await?,
        heat: heat(snapshot, today, first_day).await?,
        latest: latest(snapshot).await?,
    })
}

/// Negative cents by the day of the reversal.
async fn reversals(
    snapshot: &Snapshot<'_>,
    first: NaiveDate,
    last: NaiveDate,
) -> Result<Vec<(NaiveDate, i64)>, StoreError> {
    let rows = snapshot
        .rows(
            "SELECT l.day, coalesce(core.cents(sum(l.amount_rc)), 0) FROM core.sales_ledger l
             WHERE l.kind = 'reversal' AND l.day BETWEEN $1 AND $2 GROUP BY l.day ORDER BY l.day",
            &[&first, &last],
        )
        .await?;
    Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
}

/// Regions of the days from the middle on, with their revenue before it; the last day is not one of them.
async fn regions(
    snapshot: &Snapshot<'_>,
    [first, middle, end]: [NaiveDate; 3],
) -> Result<Vec<RegionSales>, StoreError> {
    let rows = snapshot
        .rows(
            "SELECT s.region, coalesce(core.cents(sum(s.revenue) FILTER (WHERE s.day >= $2)), 0) AS cents,
               coalesce(sum(s.orders) FILTER (WHERE s.day >= $2), 0)::bigint, coalesce(core.cents(sum(s.revenue) FILTER (WHERE s.day < $2)), 0)
             FROM marts.sales_by_region s WHERE s.day >= $1 AND s.day < $3 GROUP BY s.region ORDER BY cents DESC, s.region",
            &[&first, &middle, &end],
        )
        .await?;
    let regions = rows.iter().map(|row| RegionSales {
        region: row.get(0),
        revenue_cents: row.get(1),
        orders: row.get(2),
        before_cents: row.get(3),
    });
    Ok(regions.collect())
}

/// Mean orders by weekday and hour over the last full weeks, in thousandths. A weekday counts as often as it occurred
/// since the first captured day, so that a young shop is not averaged with weeks it did not have.
async fn heat(
    snapshot: &Snapshot<'_>,
    today: NaiveDate,
    first_day: Option<NaiveDate>,
) -> Result<Vec<[i64; 24]>, StoreError> {
    let calendar = snapshot.calendar;
    let monday = today
        .checked_sub_days(Days::new(u64::from(today.weekday().num_days_from_monday())))
        .unwrap_or(today);
    let start = monday.checked_sub_days(Days::new(7 * WEEKS)).unwrap_or(monday);
    let rows = snapshot
        .rows(
            "SELECT (extract(isodow FROM at) - 1)::int, extract(hour FROM at)::int, count(*)
             FROM (SELECT o.ordered_at AT TIME ZONE c.tz AS at FROM core.orders o CROSS JOIN core.clock c
                   WHERE o.is_sale AND o.ordered_at >= $1 AND o.ordered_at < $2) orders GROUP BY 1, 2",
            &[&calendar.start(start), &calendar.start(monday)],
        )
        .await?;
    let mut occurred = [0i64; 7];
    for day in start.iter_days().take_while(|day| *day < monday) {
        if first_day.is_some_and(|first| first <= day) {
            occurred[day.weekday().num_days_from_monday() as usize] += 1;
        }
    }
    let mut heat = vec![[0; 24]; 7];
    for row in &rows {
        let (weekday, hour): (i32, i32) = (row.get(0), row.get(1));
        let (weekday, hour) = (weekday as usize % 7, hour as usize % 24);
        heat[weekday][hour] = row.get::<_, i64>(2) * 1000 / occurred[weekday].max(1);
    }
    Ok(heat)
}

async fn latest(snapshot: &Snapshot<'_>) -> Result<Vec<OrderRow>, StoreError> {
    let until = match snapshot.moment {
        When::Present(_) => None,
        When::AsOf(at) => Some(at),
    };
    let sql = format!(
        "SELECT o.order_id, o.ordered_at, coalesce(s.name, o.store_id::text), coalesce(core.cents(o.amount_rc), 0),
           o.payment_method, o.class, (SELECT count(*) FROM core.lines l WHERE l.order_id = o.order_id)
         FROM (SELECT o.order_id, o.ordered_at, o.store_id, o.amount_rc, o.payment_method, o.class FROM {} o
               WHERE o.ordered_at > '-infinity' AND o.ordered_at < coalesce($2::timestamptz, 'infinity')
               ORDER BY o.ordered_at DESC, o.order_id DESC LIMIT $1) o
         LEFT JOIN core.stores s ON s.store_id = o.store_id
         ORDER BY o.ordered_at DESC, o.order_id DESC",
        snapshot.orders()
    );
    let rows = snapshot.rows(&sql, &[&LATEST, &until]).await?;
    Ok(rows.iter().map(order_row).collect())
}
