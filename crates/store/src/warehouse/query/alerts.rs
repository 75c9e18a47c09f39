//! What the rules of alerts look at. Spans end now: the rules run on the present alone.

use chrono::{Days, DurationRound, TimeDelta};
use instashop_core::view::{AlertFacts, DueFact, MethodFact, OddOrder, StockFact};

use super::board::Of;
use crate::StoreError;

/// Rows of a kind that are read at most.
const ROWS: i64 = 500;

/// Reads the facts.
pub(super) async fn read(of: &Of<'_, '_>) -> Result<AlertFacts, StoreError> {
    let mut facts = AlertFacts {
        stock: stock(of).await?,
        methods: methods(of).await?,
        due: due(of).await?,
        odd: odd(of).await?,
        quality: quality(of).await?,
        ..AlertFacts::default()
    };
    silence(of, &mut facts).await?;
    revenue(of, &mut facts).await?;
    conversion(of, &mut facts).await?;
    Ok(facts)
}

async fn stock(of: &Of<'_, '_>) -> Result<Vec<StockFact>, StoreError> {
    let rows = of
        .snapshot
        .rows(
            "SELECT i.stock_id, coalesce(i.product_name, i.product_id::text, ''), i.warehouse_location, i.available_quantity, i.reorder_point,
               lower(btrim(coalesce(i.product_status, ''))) = 'active', round(coalesce(i.units_per_day, 0) * 1000)::bigint,
               round(CASE WHEN i.days_of_stock < 1000000 THEN i.days_of_stock * 1000 END)::bigint
             FROM marts.inventory_health i
             WHERE i.available_quantity IS NOT NULL
               AND (i.available_quantity <= 0 OR i.available_quantity <= i.reorder_point OR i.days_of_stock < 10)
               AND ($1::bigint IS NULL OR i.store_id = $1)
             ORDER BY i.days_of_stock NULLS LAST, i.stock_id LIMIT $2",
            &[&of.store, &ROWS],
        )
        .await?;
    let stock = rows.iter().map(|row| StockFact {
        stock_id: row.get(0),
        product: row.get(1),
        place: row.get(2),
        available: row.get(3),
        reorder: row.get(4),
        active: row.get(5),
        per_day_milli: row.get(6),
        days_milli: row.get(7),
    });
    Ok(stock.collect())
}

async fn methods(of: &Of<'_, '_>) -> Result<Vec<MethodFact>, StoreError> {
    let first = of.snapshot.calendar.day(of.now) - Days::new(9);
    let counts: String = [
        ("INTERVAL '60 minutes'", "INTERVAL '0'"),
        ("INTERVAL '5 minutes'", "INTERVAL '0'"),
        ("INTERVAL '24 hours'", "INTERVAL '0'"),
        ("INTERVAL '8 days'", "INTERVAL '24 hours'"),
    ]
    .map(|(from, to)| {
        let span = format!("o.ordered_at > $1::timestamptz - {from} AND o.ordered_at <= $1::timestamptz - {to}");
        format!("count(*) FILTER (WHERE o.is_sale AND {span}), count(*) FILTER (WHERE o.class = 'failed' AND {span})")
    })
    .join(", ");
    let sql = format!(
        "SELECT o.payment_method, {counts},
           count(*) FILTER (WHERE o.class = 'failed' AND o.ordered_at > coalesce(o.paid_at, '-infinity')),
           min(o.ordered_at) FILTER (WHERE o.class = 'failed' AND o.ordered_at > coalesce(o.paid_at, '-infinity')), max(o.paid_at)
         FROM (
           SELECT o.*, max(o.ordered_at) FILTER (WHERE o.is_sale) OVER (PARTITION BY o.payment_method) AS paid_at
           FROM marts.order_facts o
           WHERE o.order_day >= $2 AND o.ordered_at <= $1::timestamptz AND (o.is_sale OR o.class = 'failed') AND ($3::bigint IS NULL OR o.store_id = $3)
         ) o GROUP BY o.payment_method ORDER BY o.payment_method"
    );
    let rows = of.snapshot.rows(&sql, &[&of.now, &first, &of.store]).await?;
    let methods = rows.iter().map(|row| MethodFact {
        method: row.get(0),
        hour: (row.get(1), row.get(2)),
        five: (row.get(3), row.get(4)),
        day: (row.get(5), row.get(6)),
        week: (row.get(7), row.get(8)),
        in_a_row: row.get(9),
        failing_since: row.get(10),
        last_paid_at: row.get(11),
    });
    Ok(methods.collect())
}

/// The last order, and the orders of the same span one to four weeks ago.
async fn silence(of: &Of<'_, '_>, facts: &mut AlertFacts) -> Result<(), StoreError> {
    let first = of.snapshot.calendar.day(of.now) - Days::new(30);
    let rows = of
        .snapshot
        .rows(
            "WITH last AS (
               SELECT max(o.ordered_at) AS at FROM marts.order_facts o
               WHERE o.order_day >= $2 AND o.ordered_at <= $1::timestamptz AND ($3::bigint IS NULL OR o.store_id = $3)
             )
             SELECT l.at, w.week, (
               SELECT count(*) FROM marts.order_facts o
               WHERE o.order_day >= $2 AND o.ordered_at > l.at - make_interval(weeks => w.week) AND o.ordered_at <= $1::timestamptz - make_interval(weeks => w.week)
                 AND ($3::bigint IS NULL OR o.store_id = $3)),
               (SELECT count(*) FROM marts.order_facts o WHERE o.order_day >= $4 AND ($3::bigint IS NULL OR o.store_id = $3))
             FROM last l CROSS JOIN generate_series(1, 4) AS w(week) ORDER BY w.week",
            &[
                &of.now,
                &first,
                &of.store,
                &(of.snapshot.calendar.day(of.now) - Days::new(7)),
            ],
        )
        .await?;
    facts.last_order_at = rows.first().and_then(|row| row.get(0));
    facts.orders = rows.first().map_or(0, |row| row.get(3));
    facts.expected = rows.iter().map(|row| row.get(2)).collect();
    Ok(())
}

/// Revenue of the last two complete hours and of the same hours of the weeks before.
async fn revenue(of: &Of<'_, '_>, facts: &mut AlertFacts) -> Result<(), StoreError> {
    let until = of.now.duration_trunc(TimeDelta::hours(1)).unwrap_or(of.now);
    let first = of.snapshot.calendar.day(of.now) - Days::new(58);
    let rows = of
        .snapshot
        .rows(
            "SELECT w.week, h.hour,
               (SELECT coalesce(core.cents(sum(o.amount_rc)), 0) FROM marts.order_facts o
                WHERE o.is_sale AND o.order_day >= $2 AND o.ordered_at >= $1::timestamptz - make_interval(weeks => w.week, hours => h.hour + 1)
                  AND o.ordered_at < $1::timestamptz - make_interval(weeks => w.week, hours => h.hour) AND ($3::bigint IS NULL OR o.store_id = $3)),
               (SELECT min(m.day) FROM marts.daily_metrics m WHERE m.day >= DATE '2000-01-01')
                 <= ($1::timestamptz - make_interval(weeks => w.week, hours => 2))::date
             FROM generate_series(0, 8) AS w(week) CROSS JOIN generate_series(0, 1) AS h(hour) ORDER BY w.week, h.hour",
            &[&until, &first, &of.store],
        )
        .await?;
    let mut weeks: Vec<Vec<i64>> = Vec::new();
    for row in &rows {
        let (hour, cents, captured): (i32, i64, Option<bool>) = (row.get(1), row.get(2), row.get(3));
        if hour == 0 {
            if captured != Some(true) {
                break;
            }
            weeks.push(vec![]);
        }
        if let Some(week) = weeks.last_mut() {
            week.push(cents);
        }
    }
    let mut weeks = weeks.into_iter();
    facts.hours = weeks.next().unwrap_or_default();
    facts.hours_before = weeks.collect();
    Ok(())
}

async fn conversion(of: &Of<'_, '_>, facts: &mut AlertFacts) -> Result<(), StoreError> {
    let today = of.snapshot.calendar.day(of.now);
    let rows = of
        .snapshot
        .rows(
            "SELECT m.visits, m.visits_converted FROM marts.daily_metrics m
             WHERE m.day < $1 AND m.day >= $1::date - 29 AND m.store_id = coalesce($2::bigint, 0) AND m.visits > 0 ORDER BY m.day DESC",
            &[&today, &of.store],
        )
        .await?;
    facts.conversion = rows
        .iter()
        .map(|row| (row.get(0), row.get::<_, Option<i64>>(1).unwrap_or(0)))
        .collect();
    Ok(())
}

async fn due(of: &Of<'_, '_>) -> Result<Vec<DueFact>, StoreError> {
    let today = of.snapshot.calendar.day(of.now);
    let rows = of
        .snapshot
        .rows(
            "SELECT p.shipping_method, coalesce(sum(p.on_time), 0)::bigint, coalesce(sum(p.late + p.overdue), 0)::bigint
             FROM marts.shipment_performance p WHERE p.due_day >= $1::date - 7 AND p.due_day < $1
             GROUP BY p.shipping_method ORDER BY p.shipping_method",
            &[&today],
        )
        .await?;
    let due = rows.iter().map(|row| DueFact {
        method: row.get(0),
        on_time: row.get(1),
        late: row.get(2),
    });
    Ok(due.collect())
}

/// Orders of the last day that one of the signs of A6 names.
async fn odd(of: &Of<'_, '_>) -> Result<Vec<OddOrder>, StoreError> {
    let calendar = of.snapshot.calendar;
    let first = calendar.day(of.now) - Days::new(2);
    let rows = of
        .snapshot
        .rows(
            "WITH recent AS (
               SELECT o.* FROM marts.order_facts o
               WHERE o.order_day >= $2 AND o.ordered_at <= $1::timestamptz AND ($3::bigint IS NULL OR o.store_id = $3)
             ),
             large AS (
               SELECT o.store_id, percentile_cont(0.99) WITHIN GROUP (ORDER BY o.amount_rc::float8) AS p99, count(*) AS n
               FROM marts.order_facts o WHERE o.is_sale AND o.order_day >= $4 AND ($3::bigint IS NULL OR o.store_id = $3) GROUP BY o.store_id
             ),
             signs AS (
               SELECT o.order_id, o.ordered_at, coalesce(core.cents(o.amount_rc), 0) AS cents,
                 count(*) OVER near AS attempts,
                 CASE WHEN o.is_sale THEN count(*) FILTER (WHERE o.class = 'failed') OVER near ELSE 0 END AS failures,
                 coalesce(o.gross_rc > 0 AND o.amount_rc < o.gross_rc * 0.6, false) AS under_lines,
                 coalesce(o.buyer_order_no = 1 AND l.n >= 50 AND o.amount_rc::float8 > l.p99, false) AS first_and_large
               FROM recent o LEFT JOIN large l ON l.store_id = o.store_id
               WINDOW near AS (PARTITION BY o.buyer_key ORDER BY o.ordered_at RANGE BETWEEN INTERVAL '10 minutes' PRECEDING AND CURRENT ROW)
             )
             SELECT s.* FROM signs s
             WHERE s.ordered_at > $1::timestamptz - INTERVAL '24 hours'
               AND (s.attempts >= 5)::int + (s.failures >= 3)::int + s.under_lines::int + s.first_and_large::int >= 2
             ORDER BY s.ordered_at DESC, s.order_id LIMIT $5",
            &[
                &of.now,
                &first,
                &of.store,
                &(calendar.day(of.now) - Days::new(30)),
                &ROWS,
            ],
        )
        .await?;
    let odd = rows.iter().map(|row| OddOrder {
        order_id: row.get(0),
        at: row.get(1),
        cents: row.get(2),
        attempts: row.get(3),
        failures: row.get(4),
        under_lines: row.get(5),
        first_and_large: row.get(6),
    });
    Ok(odd.collect())
}

async fn quality(of: &Of<'_, '_>) -> Result<Vec<(String, i64)>, StoreError> {
    let today = of.snapshot.calendar.day(of.now);
    let rows = of
        .snapshot
        .rows(
            "SELECT q.issue, sum(q.data_quality)::bigint FROM semantic.kpi_data_quality q
             WHERE q.day IS NULL OR q.day >= $1::date - 7 GROUP BY q.issue ORDER BY q.issue",
            &[&today],
        )
        .await?;
    Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
}
