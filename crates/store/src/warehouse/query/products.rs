//! The Products tab, from the marts by day.

use instashop_core::view::{AbcClass, Pair, ProductPair, ProductRow, ProductsView};

use super::board::Of;
use crate::StoreError;

/// Products that are listed.
const PRODUCTS: i64 = 500;

/// Products whose pairs are read, and pairs of each.
const PAIRED: (i64, i64) = (100, 8);

/// Points of the small trend of a product.
const PARTS: usize = 10;

/// Reads the view.
pub(super) async fn read(of: &Of<'_, '_>) -> Result<ProductsView, StoreError> {
    let mut view = sums(of).await?;
    view.rows = rows(of).await?;
    trends(of, &mut view.rows).await?;
    view.pairs = pairs(of, &view.rows).await?;
    view.classes = classes(of).await?;
    Ok(view)
}

/// The last day of the base.
fn base_last(of: &Of<'_, '_>) -> chrono::NaiveDate {
    of.window.base_first + (of.window.last - of.window.first)
}

async fn sums(of: &Of<'_, '_>) -> Result<ProductsView, StoreError> {
    let rows = of
        .snapshot
        .rows(
            "SELECT coalesce(sum(m.units) FILTER (WHERE m.here), 0)::bigint, coalesce(sum(m.units) FILTER (WHERE NOT m.here), 0)::bigint,
               count(DISTINCT m.product_id) FILTER (WHERE m.here AND m.orders > 0),
               count(DISTINCT m.product_id) FILTER (WHERE NOT m.here AND m.orders > 0),
               coalesce(sum(m.visits_with_view) FILTER (WHERE m.here), 0)::bigint,
               coalesce(sum(m.visits_with_view) FILTER (WHERE NOT m.here), 0)::bigint,
               coalesce(sum(least(m.orders, m.visits_with_view)) FILTER (WHERE m.here), 0)::bigint,
               coalesce(sum(least(m.orders, m.visits_with_view)) FILTER (WHERE NOT m.here), 0)::bigint,
               (SELECT count(*) FROM core.products p WHERE NOT p.deleted AND ($5::bigint IS NULL OR p.store_id = $5))
             FROM (
               SELECT m.*, m.day BETWEEN $1 AND $2 AS here FROM marts.product_metrics m
               WHERE (m.day BETWEEN $1 AND $2 OR m.day BETWEEN $3 AND $4) AND ($5::bigint IS NULL OR m.store_id = $5)
             ) m",
            &[
                &of.window.first,
                &of.window.last,
                &of.window.base_first,
                &base_last(of),
                &of.store,
            ],
        )
        .await?;
    let Some(row) = rows.first() else {
        return Ok(ProductsView::default());
    };
    let pair = |at: usize| Pair {
        now: row.get(at),
        before: row.get(at + 1),
    };
    Ok(ProductsView {
        units: pair(0),
        sold: pair(2),
        converted: [pair(4), pair(6)],
        listed: row.get(8),
        ..ProductsView::default()
    })
}

async fn rows(of: &Of<'_, '_>) -> Result<Vec<ProductRow>, StoreError> {
    let rows = of
        .snapshot
        .rows(
            "SELECT x.product_id, coalesce(x.name, ''), coalesce(x.category, 'unclassified'), x.cents, x.before, x.units, x.units_before, x.orders, x.views,
               x.with_view, x.with_add, coalesce(a.abc, '')
             FROM (
               SELECT m.product_id, max(m.product_name) AS name, max(m.category) AS category,
                 coalesce(core.cents(sum(m.revenue) FILTER (WHERE m.here)), 0) AS cents,
                 coalesce(core.cents(sum(m.revenue) FILTER (WHERE NOT m.here)), 0) AS before,
                 coalesce(sum(m.units) FILTER (WHERE m.here), 0)::bigint AS units,
                 coalesce(sum(m.units) FILTER (WHERE NOT m.here), 0)::bigint AS units_before,
                 coalesce(sum(m.orders) FILTER (WHERE m.here), 0)::bigint AS orders,
                 coalesce(sum(m.views) FILTER (WHERE m.here), 0)::bigint AS views,
                 coalesce(sum(m.visits_with_view) FILTER (WHERE m.here), 0)::bigint AS with_view,
                 coalesce(sum(m.visits_with_add) FILTER (WHERE m.here), 0)::bigint AS with_add
               FROM (
                 SELECT m.*, m.day BETWEEN $1 AND $2 AS here FROM marts.product_metrics m
                 WHERE (m.day BETWEEN $1 AND $2 OR m.day BETWEEN $3 AND $4) AND ($5::bigint IS NULL OR m.store_id = $5)
               ) m
               GROUP BY m.product_id
             ) x
             LEFT JOIN semantic.kpi_abc a ON a.product_id = x.product_id
             WHERE x.orders > 0 OR x.views > 0
             ORDER BY x.cents DESC, x.views DESC, x.product_id LIMIT $6",
            &[
                &of.window.first,
                &of.window.last,
                &of.window.base_first,
                &base_last(of),
                &of.store,
                &PRODUCTS,
            ],
        )
        .await?;
    let products = rows.iter().map(|row| ProductRow {
        product_id: row.get(0),
        name: row.get(1),
        category: row.get(2),
        cents: Pair {
            now: row.get(3),
            before: row.get(4),
        },
        units: Pair {
            now: row.get(5),
            before: row.get(6),
        },
        orders: row.get(7),
        views: row.get(8),
        visits: (row.get(9), row.get(10)),
        class: row.get(11),
        trend: vec![0; PARTS],
    });
    Ok(products.collect())
}

async fn trends(of: &Of<'_, '_>, products: &mut [ProductRow]) -> Result<(), StoreError> {
    let ids: Vec<i64> = products.iter().map(|row| row.product_id).collect();
    let rows = of
        .snapshot
        .rows(
            "SELECT m.product_id, ((m.day - $1) * $4::bigint / ($2::date - $1 + 1))::int, coalesce(core.cents(sum(m.revenue)), 0)
             FROM marts.product_metrics m WHERE m.day BETWEEN $1 AND $2 AND m.product_id = ANY($3) GROUP BY 1, 2",
            &[&of.window.first, &of.window.last, &ids, &(PARTS as i64)],
        )
        .await?;
    let places: std::collections::HashMap<i64, usize> = ids
        .into_iter()
        .enumerate()
        .map(|(place, id)| (id, place))
        .collect();
    for row in &rows {
        let part = usize::try_from(row.get::<_, i32>(1)).unwrap_or(0);
        let product = places
            .get(&row.get::<_, i64>(0))
            .and_then(|place| products.get_mut(*place));
        if let Some(slot) = product.and_then(|product| product.trend.get_mut(part)) {
            *slot = row.get(2);
        }
    }
    Ok(())
}

async fn pairs(of: &Of<'_, '_>, products: &[ProductRow]) -> Result<Vec<ProductPair>, StoreError> {
    let ids: Vec<i64> = products
        .iter()
        .take(usize::try_from(PAIRED.0).unwrap_or(0))
        .map(|row| row.product_id)
        .collect();
    let rows = of
        .snapshot
        .rows(
            "SELECT w.product_id, x.other_id, coalesce(p.name, x.other_id::text), x.\"both\", x.orders_a, x.orders_b, x.orders
             FROM unnest($1::bigint[]) WITH ORDINALITY AS w(product_id, place)
             CROSS JOIN LATERAL (
               SELECT * FROM (
                 SELECT a.product_b AS other_id, a.\"both\", a.orders_a, a.orders_b, a.orders::bigint AS orders
                 FROM marts.product_pairs a WHERE a.product_a = w.product_id
                 UNION ALL
                 SELECT b.product_a, b.\"both\", b.orders_b, b.orders_a, b.orders::bigint
                 FROM marts.product_pairs b WHERE b.product_b = w.product_id
               ) y ORDER BY y.\"both\" DESC, y.other_id LIMIT $2
             ) x
             LEFT JOIN core.products p ON p.product_id = x.other_id
             ORDER BY w.place, x.\"both\" DESC, x.other_id",
            &[&ids, &PAIRED.1],
        )
        .await?;
    let pairs = rows.iter().map(|row| ProductPair {
        product_id: row.get(0),
        other_id: row.get(1),
        other: row.get(2),
        both: row.get(3),
        orders: (row.get(4), row.get(5), row.get(6)),
    });
    Ok(pairs.collect())
}

async fn classes(of: &Of<'_, '_>) -> Result<Vec<AbcClass>, StoreError> {
    let rows = of
        .snapshot
        .rows(
            "SELECT a.abc, count(*), coalesce(core.cents(sum(a.revenue)), 0), count(*) FILTER (WHERE a.revenue = 0)
             FROM semantic.kpi_abc a WHERE $1::bigint IS NULL OR a.store_id = $1 GROUP BY a.abc ORDER BY a.abc",
            &[&of.store],
        )
        .await?;
    let classes = rows.iter().map(|row| AbcClass {
        class: row.get(0),
        products: row.get(1),
        cents: row.get(2),
        unsold: row.get(3),
    });
    Ok(classes.collect())
}
