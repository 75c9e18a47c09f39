//! The Buyers tab. Segments, cohorts and lifetime values are marts of the whole platform, computed by the daily run; with
//! one store chosen they are left out rather than shown for another scope.

use chrono::{Datelike, NaiveDate};
use instashop_core::view::{BuyerDay, BuyersView, Cohort, Pair, RfmSegment, TopBuyer, VALUE_LIMITS_CENTS};

use super::board::Of;
use crate::StoreError;

/// Cohorts that are shown.
const COHORTS: i64 = 12;

/// Best buyers that are listed.
const TOP: i64 = 100;

/// Weeks of the small trend of a buyer.
const WEEKS: usize = 12;

/// Reads the view.
pub(super) async fn read(of: &Of<'_, '_>) -> Result<BuyersView, StoreError> {
    let mut view = BuyersView {
        days: days(of).await?,
        ..counts(of).await?
    };
    if of.store.is_none() {
        (view.retained, view.retained_before) = retained(of).await?;
        values(of, &mut view).await?;
        segments(of, &mut view).await?;
        view.cohorts = cohorts(of).await?;
        view.top = top(of).await?;
    }
    Ok(view)
}

async fn counts(of: &Of<'_, '_>) -> Result<BuyersView, StoreError> {
    let rows = of
        .snapshot
        .rows(
            "SELECT count(DISTINCT o.buyer_id) FILTER (WHERE o.here), count(DISTINCT o.buyer_id) FILTER (WHERE NOT o.here),
               count(DISTINCT o.buyer_id) FILTER (WHERE o.here AND o.number = 1),
               count(DISTINCT o.buyer_id) FILTER (WHERE NOT o.here AND o.number = 1),
               count(DISTINCT o.buyer_id) FILTER (WHERE o.here AND o.number > 1),
               count(DISTINCT o.buyer_id) FILTER (WHERE NOT o.here AND o.number > 1)
             FROM (
               SELECT o.buyer_id, o.ordered_at >= $1 AND o.ordered_at < $2 AS here,
                 CASE WHEN $6::bigint IS NULL THEN o.buyer_order_no ELSE o.store_buyer_order_no END AS number
               FROM marts.order_facts o
               WHERE o.is_sale AND o.buyer_id IS NOT NULL AND o.order_day >= $5 AND ($6::bigint IS NULL OR o.store_id = $6)
                 AND ((o.ordered_at >= $1 AND o.ordered_at < $2) OR (o.ordered_at >= $3 AND o.ordered_at < $4))
             ) o",
            &[
                &of.window.since,
                &of.window.until,
                &of.window.base_since,
                &of.window.base_until,
                &of.window.base_first,
                &of.store,
            ],
        )
        .await?;
    let pair = |at: usize| {
        rows.first().map_or_else(Pair::default, |row| Pair {
            now: row.get(at),
            before: row.get(at + 1),
        })
    };
    Ok(BuyersView {
        active: pair(0),
        new: pair(2),
        returning: pair(4),
        ..BuyersView::default()
    })
}

async fn days(of: &Of<'_, '_>) -> Result<Vec<BuyerDay>, StoreError> {
    let rows = of
        .snapshot
        .rows(
            "SELECT d.day::date, coalesce(m.new_buyers, 0), coalesce(m.returning_buyers, 0)
             FROM generate_series($1::date::timestamp, $2::date::timestamp, INTERVAL '1 day') AS d(day)
             LEFT JOIN marts.daily_metrics m ON m.day = d.day::date AND m.store_id = coalesce($3::bigint, 0)
             ORDER BY d.day",
            &[&of.window.first, &of.window.last, &of.store],
        )
        .await?;
    let days = rows.iter().map(|row| BuyerDay {
        day: row.get(0),
        new: row.get(1),
        returning: row.get(2),
    });
    Ok(days.collect())
}

/// Buyers of a month and those that came back in the next.
type Retained = (i64, i64);

async fn retained(of: &Of<'_, '_>) -> Result<(Retained, Retained), StoreError> {
    let rows = of
        .snapshot
        .rows(
            "SELECT r.active_before, r.retained FROM semantic.kpi_retention_rate r ORDER BY r.month DESC LIMIT 2",
            &[],
        )
        .await?;
    let month = |at: usize| rows.get(at).map_or((0, 0), |row| (row.get(0), row.get(1)));
    Ok((month(0), month(1)))
}

async fn values(of: &Of<'_, '_>, view: &mut BuyersView) -> Result<(), StoreError> {
    let rows = of
        .snapshot
        .rows(
            "SELECT core.cents(core.median(array_agg(b.clv_historic))), count(*),
               count(*) FILTER (WHERE b.last_day < $1::date - 90), count(*) FILTER (WHERE b.last_day < $1::date - 180)
             FROM marts.buyer_clv b",
            &[&of.snapshot.calendar.day(of.now)],
        )
        .await?;
    if let Some(row) = rows.first() {
        view.median_cents = row.get(0);
        view.quiet = (row.get(1), row.get(2), row.get(3));
    }
    let limits: Vec<i64> = VALUE_LIMITS_CENTS.to_vec();
    let rows = of
        .snapshot
        .rows(
            "SELECT width_bucket(core.cents(b.clv_historic), $1::bigint[]), count(*) FROM marts.buyer_clv b
             WHERE b.clv_historic IS NOT NULL GROUP BY 1",
            &[&limits],
        )
        .await?;
    view.values = (0..=limits.len())
        .map(|index| (limits.get(index).copied(), 0))
        .collect();
    for row in &rows {
        let bucket = usize::try_from(row.get::<_, i32>(0)).unwrap_or(0);
        if let Some(value) = view.values.get_mut(bucket) {
            value.1 = row.get(1);
        }
    }
    Ok(())
}

async fn segments(of: &Of<'_, '_>, view: &mut BuyersView) -> Result<(), StoreError> {
    let rows = of
        .snapshot
        .rows(
            "SELECT r.segment, r.rfm, coalesce(core.cents(r.revenue), 0) FROM semantic.kpi_rfm r ORDER BY r.rfm DESC, r.segment",
            &[],
        )
        .await?;
    view.segments = rows
        .iter()
        .map(|row| RfmSegment {
            segment: row.get::<_, Option<String>>(0).unwrap_or_default(),
            buyers: row.get(1),
            cents: row.get(2),
        })
        .collect();
    let rows = of
        .snapshot
        .rows(
            "SELECT least(greatest(r.r, 1), 5), least(greatest(round((r.f + r.m) / 2.0)::int, 1), 5), count(*)
             FROM marts.rfm r GROUP BY 1, 2",
            &[],
        )
        .await?;
    view.grid = vec![[0; 5]; 5];
    for row in &rows {
        let [r, fm] =
            [row.get::<_, i32>(0), row.get::<_, i32>(1)].map(|score| (score - 1).clamp(0, 4) as usize);
        view.grid[r][fm] = row.get(2);
    }
    Ok(())
}

async fn cohorts(of: &Of<'_, '_>) -> Result<Vec<Cohort>, StoreError> {
    let today = of.snapshot.calendar.day(of.now);
    let month = today.with_day(1).unwrap_or(today);
    let rows = of
        .snapshot
        .rows(
            "SELECT r.cohort_month, r.cohort_size, CASE WHEN r.cohorts IS NOT NULL THEN r.buyers END
             FROM semantic.kpi_cohorts r
             WHERE r.cohort_month > $1::date - make_interval(months => $2::bigint::int) AND r.cohort_month <= $1
             ORDER BY r.cohort_month, r.month_index",
            &[&month, &COHORTS],
        )
        .await?;
    let mut cohorts: Vec<Cohort> = Vec::new();
    for row in &rows {
        let month: NaiveDate = row.get(0);
        if cohorts.last().is_none_or(|last| last.month != month) {
            cohorts.push(Cohort {
                month,
                size: row.get(1),
                months: vec![],
            });
        }
        if let Some(cohort) = cohorts.last_mut() {
            cohort.months.push(row.get(2));
        }
    }
    Ok(cohorts)
}

/// The best buyers, by number and initials: the role of the dashboard has no right to read names.
async fn top(of: &Of<'_, '_>) -> Result<Vec<TopBuyer>, StoreError> {
    let today = of.snapshot.calendar.day(of.now);
    let rows = of
        .snapshot
        .rows(
            "SELECT b.buyer_id, b.orders, coalesce(core.cents(b.clv_historic), 0), coalesce(core.cents(b.clv_next_12m), 0), b.last_day,
               coalesce(r.segment, ''), coalesce(n.initials, '')
             FROM (SELECT * FROM marts.buyer_clv ORDER BY clv_historic DESC NULLS LAST, buyer_id LIMIT $1) b
             LEFT JOIN marts.rfm r ON r.buyer_id = b.buyer_id
             LEFT JOIN core.buyers n ON n.buyer_id = b.buyer_id
             ORDER BY b.clv_historic DESC NULLS LAST, b.buyer_id",
            &[&TOP],
        )
        .await?;
    let mut top: Vec<TopBuyer> = rows
        .iter()
        .map(|row| TopBuyer {
            buyer_id: row.get(0),
            initials: row.get(6),
            orders: row.get(1),
            cents: row.get(2),
            next_cents: row.get(3),
            last_day: row.get(4),
            segment: row.get(5),
            weeks: vec![0; WEEKS],
        })
        .collect();
    let ids: Vec<i64> = top.iter().map(|buyer| buyer.buyer_id).collect();
    let rows = of
        .snapshot
        .rows(
            "SELECT o.buyer_key, ($2::date - 1 - o.order_day) / 7, count(*) FROM marts.order_facts o
             WHERE o.buyer_key = ANY($1) AND o.is_sale AND o.order_day < $2 AND o.order_day >= $2::date - 84 GROUP BY 1, 2",
            &[&ids, &today],
        )
        .await?;
    for row in &rows {
        let (id, back): (i64, i32) = (row.get(0), row.get(1));
        let buyer = top.iter_mut().find(|buyer| buyer.buyer_id == id);
        let slot = usize::try_from(back)
            .ok()
            .and_then(|back| (WEEKS - 1).checked_sub(back));
        if let (Some(buyer), Some(slot)) = (buyer, slot) {
            buyer.weeks[slot] = row.get(2);
        }
    }
    Ok(top)
}
