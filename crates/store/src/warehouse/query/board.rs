//! The boards of the tabs: what each has in common, and the way to its own queries.

use chrono::{DateTime, Utc};
use instashop_core::view::{Ask, Board, BoardView, Topic, Window};
use tokio_postgres::Row;

use super::{Snapshot, alerts, behaviour, buyers, inventory, logistics, payments, products, stores};
use crate::StoreError;

/// Stores offered to choose from.
const STORES: i64 = 1000;

/// Reads one board. All its numbers are of one snapshot.
pub(super) async fn read(snapshot: &Snapshot<'_>, topic: Topic, ask: Ask) -> Result<Board, StoreError> {
    let now = snapshot.moment.at();
    let window = ask.window(now, snapshot.calendar);
    let of = Of {
        snapshot,
        now,
        window,
        store: ask.store,
    };
    let view = match topic {
        Topic::Payments => BoardView::Payments(Box::new(payments::read(&of).await?)),
        Topic::Buyers => BoardView::Buyers(Box::new(buyers::read(&of).await?)),
        Topic::Products => BoardView::Products(Box::new(products::read(&of).await?)),
        Topic::Inventory => BoardView::Inventory(Box::new(inventory::read(&of).await?)),
        Topic::Behaviour => BoardView::Behaviour(Box::new(behaviour::read(&of).await?)),
        Topic::Logistics => BoardView::Logistics(Box::new(logistics::read(&of).await?)),
        Topic::Stores => BoardView::Stores(Box::new(stores::read(&of).await?)),
        Topic::Alerts => BoardView::Alerts(Box::new(alerts::read(&of).await?)),
    };
    let (as_of, computed_at) = progress(snapshot).await?;
    Ok(Board {
        read_at: now,
        as_of,
        computed_at,
        window,
        first_day: first_day(snapshot).await?,
        stores: store_list(snapshot).await?,
        view,
    })
}

/// What the queries of a board are about.
pub(super) struct Of<'s, 'c> {
    pub(super) snapshot: &'s Snapshot<'c>,
    pub(super) now: DateTime<Utc>,
    pub(super) window: Window,
    /// One store; `None` is the platform. Every query of rows that belong to a store has it as a parameter.
    pub(super) store: Option<i64>,
}

/// The cut of the marts kept by key, and when the others were computed last.
async fn progress(
    snapshot: &Snapshot<'_>,
) -> Result<(Option<DateTime<Utc>>, Option<DateTime<Utc>>), StoreError> {
    let rows = snapshot
        .rows(
            "SELECT max(r.as_of) FILTER (WHERE r.name = 'by_key'), max(r.refreshed_at) FILTER (WHERE r.name = 'as_a_whole')
             FROM ops.mart_refreshes r",
            &[],
        )
        .await?;
    Ok(rows.first().map_or((None, None), |row| (row.get(0), row.get(1))))
}

async fn first_day(snapshot: &Snapshot<'_>) -> Result<Option<chrono::NaiveDate>, StoreError> {
    let rows = snapshot
        .rows(
            "SELECT min(m.day) FROM marts.daily_metrics m WHERE m.day >= DATE '2000-01-01' AND m.store_id = 0",
            &[],
        )
        .await?;
    Ok(rows.first().and_then(|row| row.get(0)))
}

async fn store_list(snapshot: &Snapshot<'_>) -> Result<Vec<(i64, String)>, StoreError> {
    let rows = snapshot
        .rows(
            "SELECT s.store_id, s.name FROM core.stores s WHERE NOT s.deleted ORDER BY lower(s.name), s.store_id LIMIT $1",
            &[&STORES],
        )
        .await?;
    Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
}

/// Counts by `width_bucket` as a list of upper limits and counts, empty ones included; the last has no limit.
pub(super) fn buckets(rows: &[Row], limits: &[i64]) -> Vec<(Option<i64>, i64)> {
    let mut buckets: Vec<(Option<i64>, i64)> = (0..=limits.len())
        .map(|index| (limits.get(index).copied(), 0))
        .collect();
    for row in rows {
        let bucket = usize::try_from(row.get::<_, i32>(0)).unwrap_or(0);
        if let Some(bucket) = buckets.get_mut(bucket) {
            bucket.1 = row.get(1);
        }
    }
    buckets
}
