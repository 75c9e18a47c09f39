//! The Behaviour tab, from the facts of visits: they know the clock time, which the marts by day do not.

use instashop_core::view::{BehaviourView, FUNNEL_STEPS, Outcome, Pair, Path, SearchTerm, StoreFunnel};
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::board::Of;
use crate::StoreError;

/// Terms and paths that are listed.
const TERMS: i64 = 100;

/// Visits of both spans, with `here` for those of the range. Parameters 1 to 6 are those of [`spans`].
const VISITS: &str = "(SELECT v.*, v.started_at >= $1 AND v.started_at < $2 AS here FROM marts.visit_facts v
  WHERE v.day >= $5 AND ((v.started_at >= $1 AND v.started_at < $2) OR (v.started_at >= $3 AND v.started_at < $4))
    AND ($6::bigint IS NULL OR v.store_id = $6)) v";

/// Events of both spans, see [`VISITS`].
const EVENTS: &str = "(SELECT e.*, e.at >= $1 AND e.at < $2 AS here FROM marts.visit_event_facts e
  WHERE e.day >= $5 AND ((e.at >= $1 AND e.at < $2) OR (e.at >= $3 AND e.at < $4)) AND ($6::bigint IS NULL OR e.store_id = $6)) e";

fn spans<'a>(of: &'a Of<'_, '_>) -> [&'a (dyn ToSql + Sync); 6] {
    let window = &of.window;
    [
        &window.since,
        &window.until,
        &window.base_since,
        &window.base_until,
        &window.base_first,
        &of.store,
    ]
}

fn pair(row: &Row, at: usize) -> Pair {
    Pair {
        now: row.get(at),
        before: row.get(at + 1),
    }
}

/// Reads the view.
pub(super) async fn read(of: &Of<'_, '_>) -> Result<BehaviourView, StoreError> {
    let mut view = visits(of).await?;
    view.outcomes = outcomes(of).await?;
    (view.orders, view.tracked) = orders(of).await?;
    (view.terms, view.searches) = searches(of).await?;
    if of.store.is_none() {
        view.paths = paths(of).await?;
    }
    view.exits = exits(of).await?;
    view.events = events(of).await?;
    view.stores = stores(of).await?;
    view.hours = hours(of).await?;
    Ok(view)
}

async fn visits(of: &Of<'_, '_>) -> Result<BehaviourView, StoreError> {
    let reached: String = (0..FUNNEL_STEPS)
        .map(|step| {
            format!(
                "count(*) FILTER (WHERE v.here AND v.reached >= {step}), count(*) FILTER (WHERE NOT v.here AND v.reached >= {step}),"
            )
        })
        .collect();
    let ended = |condition: &str| {
        format!(
            "count(*) FILTER (WHERE v.here AND v.outcome <> 'in_progress' AND {condition}),
             count(*) FILTER (WHERE NOT v.here AND v.outcome <> 'in_progress' AND {condition})"
        )
    };
    let median = |side: &str| {
        format!(
            "round(percentile_cont(0.5) WITHIN GROUP (ORDER BY v.duration_s::float8)
               FILTER (WHERE {side} AND v.outcome <> 'in_progress') * 1000)::bigint"
        )
    };
    let sql = format!(
        "SELECT {reached} {}, {}, {}, {}, {}, {}, count(*) FILTER (WHERE v.here AND v.outcome = 'in_progress' AND v.adds > v.removes),
           coalesce(bool_or(v.checkouts > 0), false)
         FROM {VISITS}",
        ended("true"),
        ended("v.ended_at = v.started_at"),
        ended("v.adds > 0"),
        ended("v.outcome = 'cart_abandonment'"),
        median("v.here"),
        median("NOT v.here"),
    );
    let rows = of.snapshot.rows(&sql, &spans(of)).await?;
    let Some(row) = rows.first() else {
        return Ok(BehaviourView::default());
    };
    let at = 2 * FUNNEL_STEPS;
    Ok(BehaviourView {
        funnel: std::array::from_fn(|step| pair(row, 2 * step)),
        ended: pair(row, at),
        single: pair(row, at + 2),
        with_cart: pair(row, at + 4),
        abandoned: pair(row, at + 6),
        median_ms: [row.get(at + 8), row.get(at + 9)],
        open_carts: row.get(at + 10),
        has_checkout: row.get(at + 11),
        ..BehaviourView::default()
    })
}

async fn outcomes(of: &Of<'_, '_>) -> Result<Vec<Outcome>, StoreError> {
    let sql = format!(
        "SELECT o.outcome, count(v.visit) FILTER (WHERE v.here), count(v.visit) FILTER (WHERE NOT v.here)
         FROM unnest(ARRAY['conversion', 'cart_abandonment', 'browse', 'bounce', 'in_progress']) WITH ORDINALITY AS o(outcome, place)
         LEFT JOIN {VISITS} ON v.outcome = o.outcome GROUP BY o.outcome, o.place ORDER BY o.place"
    );
    let rows = of.snapshot.rows(&sql, &spans(of)).await?;
    let outcomes = rows.iter().map(|row| Outcome {
        outcome: row.get(0),
        visits: pair(row, 1),
    });
    Ok(outcomes.collect())
}

/// Placed orders, and those inside a visit with behaviour.
async fn orders(of: &Of<'_, '_>) -> Result<(Pair, Pair), StoreError> {
    let sql = format!(
        "SELECT count(*) FILTER (WHERE e.here), count(*) FILTER (WHERE NOT e.here),
           count(v.visit) FILTER (WHERE e.here), count(v.visit) FILTER (WHERE NOT e.here)
         FROM {EVENTS} LEFT JOIN marts.visit_facts v ON v.visit = e.visit WHERE e.src = 1"
    );
    let rows = of.snapshot.rows(&sql, &spans(of)).await?;
    Ok(rows
        .first()
        .map_or_else(Default::default, |row| (pair(row, 0), pair(row, 2))))
}

/// Terms and searches of the business days of the range.
async fn searches(of: &Of<'_, '_>) -> Result<(Vec<SearchTerm>, (i64, i64)), StoreError> {
    let rows = of
        .snapshot
        .rows(
            "SELECT coalesce(s.term, ''), sum(s.search)::bigint, sum(s.without_result)::bigint,
               sum(sum(s.search)) OVER ()::bigint, sum(sum(s.without_result)) OVER ()::bigint
             FROM semantic.kpi_search s WHERE s.day BETWEEN $1 AND $2 AND ($3::bigint IS NULL OR s.store_id = $3)
             GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT $4",
            &[&of.window.first, &of.window.last, &of.store, &TERMS],
        )
        .await?;
    let sums = rows.first().map_or((0, 0), |row| (row.get(3), row.get(4)));
    let terms = rows.iter().map(|row| SearchTerm {
        term: row.get(0),
        searches: row.get(1),
        without_result: row.get(2),
    });
    Ok((terms.collect(), sums))
}

async fn paths(of: &Of<'_, '_>) -> Result<Vec<Path>, StoreError> {
    let rows = of
        .snapshot
        .rows(
            "SELECT coalesce(j.path, ''), j.journey FROM semantic.kpi_journey j ORDER BY j.journey DESC, j.path",
            &[],
        )
        .await?;
    Ok(rows
        .iter()
        .map(|row| Path {
            path: row.get(0),
            visits: row.get(1),
        })
        .collect())
}

async fn exits(of: &Of<'_, '_>) -> Result<Vec<(String, i64)>, StoreError> {
    let sql = format!(
        "SELECT split_part(v.pages[cardinality(v.pages)], ':', 1) AS page, count(*) FROM {VISITS}
         WHERE v.here AND v.outcome NOT IN ('in_progress', 'conversion') AND cardinality(v.pages) > 0
         GROUP BY page ORDER BY 2 DESC, 1 LIMIT 12"
    );
    let rows = of.snapshot.rows(&sql, &spans(of)).await?;
    Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
}

async fn events(of: &Of<'_, '_>) -> Result<Vec<(String, Pair)>, StoreError> {
    let sql = format!(
        "SELECT CASE e.kind WHEN 'purchase_link' THEN 'purchase' ELSE e.kind END AS type,
           count(*) FILTER (WHERE e.here), count(*) FILTER (WHERE NOT e.here)
         FROM {EVENTS} WHERE e.src = 0 GROUP BY type ORDER BY 2 DESC, 1 LIMIT 30"
    );
    let rows = of.snapshot.rows(&sql, &spans(of)).await?;
    Ok(rows.iter().map(|row| (row.get(0), pair(row, 1))).collect())
}

/// The funnel of each store.
async fn stores(of: &Of<'_, '_>) -> Result<Vec<StoreFunnel>, StoreError> {
    let steps: String = (0..FUNNEL_STEPS)
        .map(|step| format!(", count(*) FILTER (WHERE v.reached >= {step})"))
        .collect();
    let sql = format!(
        "SELECT coalesce(max(s.name), v.store_id::text) {steps} FROM {VISITS} LEFT JOIN core.stores s ON s.store_id = v.store_id
         WHERE v.here AND v.store_id > 0 GROUP BY v.store_id ORDER BY 2 DESC, v.store_id LIMIT 100"
    );
    let rows = of.snapshot.rows(&sql, &spans(of)).await?;
    let stores = rows.iter().map(|row| StoreFunnel {
        store: row.get(0),
        steps: std::array::from_fn(|step| row.get(step + 1)),
    });
    Ok(stores.collect())
}

async fn hours(of: &Of<'_, '_>) -> Result<Vec<[(i64, i64); 24]>, StoreError> {
    let rows = of
        .snapshot
        .rows(
            "SELECT (extract(isodow FROM v.at) - 1)::int, extract(hour FROM v.at)::int, count(*), count(*) FILTER (WHERE v.outcome = 'cart_abandonment')
             FROM (SELECT v.started_at AT TIME ZONE c.tz AS at, v.outcome FROM marts.visit_facts v CROSS JOIN core.clock c
                   WHERE v.day >= $3 AND v.started_at >= $1 AND v.started_at < $2 AND ($4::bigint IS NULL OR v.store_id = $4)) v
             GROUP BY 1, 2",
            &[&of.window.since, &of.window.until, &of.window.first, &of.store],
        )
        .await?;
    let mut hours = vec![[(0, 0); 24]; 7];
    for row in &rows {
        let (weekday, hour): (i32, i32) = (row.get(0), row.get(1));
        hours[weekday.clamp(0, 6) as usize][hour.clamp(0, 23) as usize] = (row.get(2), row.get(3));
    }
    Ok(hours)
}
