//! The Stores tab: 30 complete days, plans and recurring revenue.

use chrono::Datelike;
use instashop_core::view::{Churn, MrrMovement, PlanShare, StoreScore, StoresView};

use super::board::Of;
use crate::StoreError;

/// Days of the small trend of a store.
const DAYS: usize = 30;

/// Reads the view.
pub(super) async fn read(of: &Of<'_, '_>) -> Result<StoresView, StoreError> {
    let mut view = StoresView {
        rows: rows(of).await?,
        ..StoresView::default()
    };
    trends(of, &mut view.rows).await?;
    view.gmv_cents = view.rows.iter().fold((0, 0), |sum, row| {
        (sum.0 + row.gmv_cents, sum.1 + row.before_cents.unwrap_or(0))
    });
    view.active = (
        view.rows.iter().filter(|row| row.orders > 0).count() as i64,
        view.rows.len() as i64,
    );
    commission(of, &mut view).await?;
    plans(of, &mut view).await?;
    recurring(of, &mut view).await?;
    concentration(of, &mut view).await?;
    Ok(view)
}

async fn rows(of: &Of<'_, '_>) -> Result<Vec<StoreScore>, StoreError> {
    let rows = of
        .snapshot
        .rows(
            "SELECT s.store_id, coalesce(s.business_name, s.store_id::text), coalesce(s.plan, 'unknown'), coalesce(core.cents(s.gmv), 0),
               core.cents(s.gmv_before), s.orders, round(s.payment_failure_rate * 1000)::bigint, round(s.cancel_rate * 1000)::bigint,
               s.visits, round(s.conversion_rate * 1000)::bigint, round(s.critical_stock_share * 1000)::bigint,
               round(s.complaints_per_100_orders * 10)::bigint
             FROM marts.store_scorecard s WHERE $1::bigint IS NULL OR s.store_id = $1
             ORDER BY s.gmv DESC NULLS LAST, s.store_id LIMIT 1000",
            &[&of.store],
        )
        .await?;
    let stores = rows.iter().map(|row| StoreScore {
        store_id: row.get(0),
        store: row.get(1),
        plan: row.get(2),
        gmv_cents: row.get(3),
        before_cents: row.get(4),
        orders: row.get(5),
        failed_mille: row.get(6),
        cancelled_mille: row.get(7),
        visits: row.get(8),
        conversion_mille: row.get(9),
        critical_mille: row.get(10),
        complaints_tenths: row.get(11),
        trend: vec![0; DAYS],
    });
    Ok(stores.collect())
}

async fn trends(of: &Of<'_, '_>, stores: &mut [StoreScore]) -> Result<(), StoreError> {
    let today = of.snapshot.calendar.day(of.now);
    let rows = of
        .snapshot
        .rows(
            "SELECT m.store_id, $1::date - 1 - m.day, coalesce(core.cents(m.revenue), 0) FROM marts.daily_metrics m
             WHERE m.day < $1 AND m.day >= $1::date - 30 AND m.store_id > 0 AND ($2::bigint IS NULL OR m.store_id = $2)",
            &[&today, &of.store],
        )
        .await?;
    let places: std::collections::HashMap<i64, usize> = stores
        .iter()
        .enumerate()
        .map(|(place, row)| (row.store_id, place))
        .collect();
    for row in &rows {
        let back = usize::try_from(row.get::<_, i32>(1)).unwrap_or(DAYS);
        let store = places
            .get(&row.get::<_, i64>(0))
            .and_then(|place| stores.get_mut(*place));
        let slot = (DAYS - 1).checked_sub(back);
        if let (Some(store), Some(slot)) = (store, slot) {
            store.trend[slot] = row.get(2);
        }
    }
    Ok(())
}

async fn commission(of: &Of<'_, '_>, view: &mut StoresView) -> Result<(), StoreError> {
    let rows = of
        .snapshot
        .rows(
            "SELECT core.cents(sum(c.commission)) FROM semantic.kpi_commission c
             WHERE c.day < $1 AND c.day >= $1::date - 30 AND c.store_id = coalesce($2::bigint, 0)",
            &[&of.snapshot.calendar.day(of.now), &of.store],
        )
        .await?;
    view.commission_cents = rows.first().and_then(|row| row.get(0));
    Ok(())
}

async fn plans(of: &Of<'_, '_>, view: &mut StoresView) -> Result<(), StoreError> {
    let today = of.snapshot.calendar.day(of.now);
    let rows = of
        .snapshot
        .rows(
            "SELECT s.tier, count(*), coalesce(core.cents(sum(m.mrr)), 0)
             FROM core.stores s
             LEFT JOIN marts.mrr_movements m ON m.store_id = s.store_id AND m.month = $2
             WHERE NOT s.deleted AND ($1::bigint IS NULL OR s.store_id = $1)
             GROUP BY s.tier ORDER BY max(coalesce(m.mrr, 0)), 1",
            &[&of.store, &today.with_day(1).unwrap_or(today)],
        )
        .await?;
    view.plans = rows
        .iter()
        .map(|row| PlanShare {
            plan: row.get(0),
            stores: row.get(1),
            mrr_cents: row.get(2),
        })
        .collect();
    Ok(())
}

async fn recurring(of: &Of<'_, '_>, view: &mut StoresView) -> Result<(), StoreError> {
    let today = of.snapshot.calendar.day(of.now);
    let month = today.with_day(1).unwrap_or(today);
    let rows = of
        .snapshot
        .rows(
            "SELECT m.movement, count(*), coalesce(core.cents(sum(m.delta)), 0), coalesce(core.cents(sum(m.mrr_prev)), 0)
             FROM marts.mrr_movements m WHERE m.month = $1 AND ($2::bigint IS NULL OR m.store_id = $2)
             GROUP BY m.movement ORDER BY 3 DESC, 1",
            &[&month, &of.store],
        )
        .await?;
    view.opening_cents = rows.iter().map(|row| row.get::<_, i64>(3)).sum();
    view.movements = rows
        .iter()
        .filter(|row| row.get::<_, &str>(0) != "unchanged")
        .map(|row| MrrMovement {
            movement: row.get(0),
            stores: row.get(1),
            cents: row.get(2),
        })
        .collect();
    if of.store.is_some() {
        return Ok(());
    }
    let rows = of
        .snapshot
        .rows(
            "SELECT c.month, c.paying_before, c.churned, round(c.gross_mrr_churn * 1000)::bigint, round(c.net_mrr_churn * 1000)::bigint
             FROM semantic.kpi_churn_stores c WHERE c.month < $1 ORDER BY c.month DESC LIMIT 1",
            &[&month],
        )
        .await?;
    view.churn = rows.first().map(|row| Churn {
        month: row.get(0),
        paying: row.get(1),
        churned: row.get(2),
        gross_mille: row.get(3),
        net_mille: row.get(4),
    });
    Ok(())
}

async fn concentration(of: &Of<'_, '_>, view: &mut StoresView) -> Result<(), StoreError> {
    if of.store.is_some() {
        return Ok(());
    }
    let rows = of
        .snapshot
        .rows(
            "SELECT round(g.gmv_concentration * 1000)::bigint, round(g.top_5 * 1000)::bigint, round(g.top_20 * 1000)::bigint, round(g.hhi)::bigint
             FROM semantic.kpi_gmv_concentration g",
            &[],
        )
        .await?;
    if let Some(row) = rows.first() {
        let shares: [Option<i64>; 3] = [row.get(0), row.get(1), row.get(2)];
        if let [Some(one), Some(five), Some(twenty)] = shares {
            view.concentration_mille = Some([one, five, twenty]);
        }
        view.hhi = row.get(3);
    }
    Ok(())
}
