//! The Inventory tab, as of the last refresh of the marts.

use chrono::NaiveDate;
use instashop_core::forecast::HORIZON;
use instashop_core::view::{
    InventoryView, Movement, Place, PlaceCategory, STOCK_DAYS, StockForecast, StockRow, StockState,
};
use tokio_postgres::Row;

use super::board::{Of, buckets};
use crate::StoreError;

/// Rows that run out first, and rows without sales, that are listed.
const LISTED: i64 = 300;

/// Rows whose sales by day and forecast are read, and days of sales.
const HEAD: (usize, usize) = (60, 28);

/// Columns of a stock row.
const COLUMNS: &str = "i.stock_id, i.product_id, coalesce(i.product_name, ''), coalesce(i.category, 'unclassified'), i.warehouse_location,
  i.stock_status, i.available_quantity, i.reorder_point, round(coalesce(i.units_per_day, 0) * 1000)::bigint,
  round(CASE WHEN i.days_of_stock < 1000000 THEN i.days_of_stock * 1000 END)::bigint, coalesce(core.cents(i.retail_value), 0)";

fn stock(row: &Row) -> StockRow {
    StockRow {
        stock_id: row.get(0),
        product_id: row.get::<_, Option<i64>>(1).unwrap_or_default(),
        product: row.get(2),
        category: row.get(3),
        place: row.get(4),
        state: StockState::from_name(row.get(5)),
        available: row.get(6),
        reorder: row.get(7),
        per_day_milli: row.get(8),
        days_milli: row.get(9),
        cents: row.get(10),
        sold: vec![],
        forecast: None,
    }
}

/// Reads the view.
pub(super) async fn read(of: &Of<'_, '_>) -> Result<InventoryView, StoreError> {
    let mut view = sums(of).await?;
    view.places = places(of).await?;
    view.rows = rows(of).await?;
    view.dead = dead(of).await?;
    view.movements = movements(of).await?;
    view.histogram = histogram(of).await?;
    view.map = map(of).await?;
    Ok(view)
}

async fn sums(of: &Of<'_, '_>) -> Result<InventoryView, StoreError> {
    let rows = of
        .snapshot
        .rows(
            "SELECT i.stock_status, count(*), coalesce(core.cents(sum(i.retail_value)), 0),
               round(coalesce(sum(i.units_per_day), 0) * 365000)::bigint, round(coalesce(sum(i.avg_on_hand), 0) * 1000)::bigint,
               count(*) FILTER (WHERE i.dead_stock), coalesce(core.cents(sum(i.retail_value) FILTER (WHERE i.dead_stock)), 0)
             FROM marts.inventory_health i WHERE $1::bigint IS NULL OR i.store_id = $1 GROUP BY i.stock_status",
            &[&of.store],
        )
        .await?;
    let mut view = InventoryView::default();
    for row in &rows {
        let state = StockState::from_name(row.get(0));
        let place = StockState::ALL
            .iter()
            .position(|known| *known == state)
            .unwrap_or(4);
        view.states[place] += row.get::<_, i64>(1);
        view.cents += row.get::<_, i64>(2);
        view.turnover.0 += row.get::<_, i64>(3);
        view.turnover.1 += row.get::<_, i64>(4);
        view.asleep.0 += row.get::<_, i64>(5);
        view.asleep.1 += row.get::<_, i64>(6);
    }
    let rows = of
        .snapshot
        .rows(
            "SELECT count(DISTINCT i.product_id) FROM marts.inventory_health i
             WHERE i.stock_status IN ('critical', 'out_of_stock') AND lower(btrim(coalesce(i.product_status, ''))) = 'active'
               AND ($1::bigint IS NULL OR i.store_id = $1)",
            &[&of.store],
        )
        .await?;
    view.critical_products = rows.first().map_or(0, |row| row.get(0));
    Ok(view)
}

async fn places(of: &Of<'_, '_>) -> Result<Vec<Place>, StoreError> {
    let rows = of
        .snapshot
        .rows(
            "SELECT i.warehouse_location, coalesce(sum(i.available_quantity), 0)::bigint, coalesce(core.cents(sum(i.retail_value)), 0),
               count(*) FILTER (WHERE i.stock_status IN ('critical', 'out_of_stock')), count(*)
             FROM marts.inventory_health i WHERE $1::bigint IS NULL OR i.store_id = $1
             GROUP BY i.warehouse_location ORDER BY 2 DESC, 1",
            &[&of.store],
        )
        .await?;
    let places = rows.iter().map(|row| Place {
        place: row.get(0),
        units: row.get(1),
        cents: row.get(2),
        critical: row.get(3),
        rows: row.get(4),
    });
    Ok(places.collect())
}

async fn rows(of: &Of<'_, '_>) -> Result<Vec<StockRow>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM marts.inventory_health i
         WHERE (i.days_of_stock IS NOT NULL OR i.stock_status IN ('critical', 'out_of_stock')) AND ($1::bigint IS NULL OR i.store_id = $1)
         ORDER BY i.stock_status = 'out_of_stock' DESC, i.days_of_stock NULLS LAST, i.units_per_day DESC, i.stock_id LIMIT $2"
    );
    let found = of.snapshot.rows(&sql, &[&of.store, &LISTED]).await?;
    let mut list: Vec<StockRow> = found.iter().map(stock).collect();
    let (head, days) = HEAD;
    let mut ids: Vec<i64> = list.iter().take(head).map(|row| row.product_id).collect();
    ids.sort_unstable();
    ids.dedup();
    let today = of.snapshot.calendar.day(of.now);
    let sold = of
        .snapshot
        .rows(
            "SELECT l.product_id, $2::date - 1 - l.order_day, sum(l.quantity)::bigint FROM marts.order_line_facts l
             WHERE l.product_id = ANY($1) AND l.is_sale AND l.order_day < $2 AND l.order_day >= $2::date - $3::bigint::int
             GROUP BY 1, 2",
            &[&ids, &today, &(days as i64)],
        )
        .await?;
    for row in list.iter_mut().take(head) {
        row.sold = vec![0; days];
    }
    for found in &sold {
        let (id, back): (i64, i32) = (found.get(0), found.get(1));
        let slot = usize::try_from(back)
            .ok()
            .and_then(|back| (days - 1).checked_sub(back));
        for row in list.iter_mut().take(head).filter(|row| row.product_id == id) {
            if let Some(day) = slot.and_then(|slot| row.sold.get_mut(slot)) {
                *day = found.get(2);
            }
        }
    }
    let shown = head.min(list.len());
    forecasts(of, &mut list[..shown]).await?;
    Ok(list)
}

/// Gives the rows their forecasts.
async fn forecasts(of: &Of<'_, '_>, rows: &mut [StockRow]) -> Result<(), StoreError> {
    let ids: Vec<i64> = rows.iter().map(|row| row.stock_id).collect();
    let found = of
        .snapshot
        .rows(
            "SELECT i.stock_id, f.until::float8[], f.until_low_80::float8[], f.until_high_80::float8[], f.reorder_point::float8,
               f.error::float8, f.baseline_error::float8, f.last_day, s.share
             FROM marts.inventory_health i
             JOIN marts.demand_forecast f ON f.product_id = i.product_id
             CROSS JOIN LATERAL (
               SELECT coalesce(i.units_per_day / nullif(sum(o.units_per_day), 0), 1)::float8 AS share
               FROM marts.inventory_health o WHERE o.product_id = i.product_id
             ) s
             WHERE i.stock_id = ANY($1)",
            &[&ids],
        )
        .await?;
    let today = of.snapshot.calendar.day(of.now);
    for found in &found {
        let last: NaiveDate = found.get(7);
        // A forecast of yesterday's run begins a day ago: what was expected of that day is over.
        let over = today.signed_duration_since(last).num_days() - 1;
        let Some(over) = usize::try_from(over).ok().filter(|over| *over < HORIZON) else {
            continue;
        };
        let share: f64 = found.get(8);
        let milli = |units: f64| (units * share * 1000.0).round() as i64;
        let (until, low, high): (Vec<f64>, Vec<Option<f64>>, Vec<Option<f64>>) =
            (found.get(1), found.get(2), found.get(3));
        let before = over
            .checked_sub(1)
            .and_then(|day| until.get(day))
            .copied()
            .unwrap_or(0.0);
        let within = low.iter().zip(&high).map(|(low, high)| {
            let (low, high) = (*low).zip(*high)?;
            Some((milli((low - before).max(0.0)), milli((high - before).max(0.0))))
        });
        let whole = |index: usize| {
            found
                .get::<_, Option<f64>>(index)
                .map(|units| (units * 1000.0).round() as i64)
        };
        let forecast = StockForecast {
            until_milli: until
                .iter()
                .skip(over)
                .map(|units| milli((units - before).max(0.0)))
                .collect(),
            within_milli: within.skip(over).collect(),
            reorder: found
                .get::<_, Option<f64>>(4)
                .map(|units| (units * share).ceil() as i64),
            errors_milli: whole(5).zip(whole(6)),
        };
        for row in rows
            .iter_mut()
            .filter(|row| row.stock_id == found.get::<_, i64>(0))
        {
            row.forecast = Some(forecast.clone());
        }
    }
    Ok(())
}

async fn dead(of: &Of<'_, '_>) -> Result<Vec<StockRow>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM marts.inventory_health i WHERE i.dead_stock AND ($1::bigint IS NULL OR i.store_id = $1)
         ORDER BY i.retail_value DESC NULLS LAST, i.stock_id LIMIT $2"
    );
    let rows = of.snapshot.rows(&sql, &[&of.store, &LISTED]).await?;
    Ok(rows.iter().map(stock).collect())
}

async fn movements(of: &Of<'_, '_>) -> Result<Vec<Movement>, StoreError> {
    let rows = of
        .snapshot
        .rows(
            "SELECT coalesce(m.reason, 'unknown'), coalesce(sum(m.units_in), 0)::bigint, coalesce(sum(m.units_out), 0)::bigint
             FROM semantic.kpi_movements m WHERE m.day = $1 AND ($2::bigint IS NULL OR m.store_id = $2)
             GROUP BY 1 ORDER BY 2 + 3 DESC, 1 LIMIT 20",
            &[&of.snapshot.calendar.day(of.now), &of.store],
        )
        .await?;
    let movements = rows.iter().map(|row| Movement {
        reason: row.get(0),
        came: row.get(1),
        went: row.get(2),
    });
    Ok(movements.collect())
}

async fn histogram(of: &Of<'_, '_>) -> Result<Vec<(Option<i64>, i64)>, StoreError> {
    let limits: Vec<f64> = STOCK_DAYS.iter().map(|days| *days as f64).collect();
    let rows = of
        .snapshot
        .rows(
            "SELECT width_bucket(i.days_of_stock::float8, $2::float8[]), count(*) FROM marts.inventory_health i
             WHERE i.days_of_stock IS NOT NULL AND ($1::bigint IS NULL OR i.store_id = $1) GROUP BY 1",
            &[&of.store, &limits],
        )
        .await?;
    Ok(buckets(&rows, &STOCK_DAYS))
}

async fn map(of: &Of<'_, '_>) -> Result<Vec<PlaceCategory>, StoreError> {
    let rows = of
        .snapshot
        .rows(
            "SELECT i.warehouse_location, coalesce(i.category, 'unclassified'), count(*),
               count(*) FILTER (WHERE i.stock_status IN ('critical', 'out_of_stock'))
             FROM marts.inventory_health i WHERE $1::bigint IS NULL OR i.store_id = $1
             GROUP BY 1, 2 ORDER BY 1, 2 LIMIT 400",
            &[&of.store],
        )
        .await?;
    let map = rows.iter().map(|row| PlaceCategory {
        place: row.get(0),
        category: row.get(1),
        rows: (row.get(2), row.get(3)),
    });
    Ok(map.collect())
}
