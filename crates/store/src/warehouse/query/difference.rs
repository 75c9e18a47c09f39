//! What lies between the revenue of two spans of time.

use instashop_core::view::{Ask, DifferencePart, DifferenceView, Pair, PartsBy};

use super::Snapshot;
use crate::StoreError;

/// Reads the view.
pub(super) async fn read(snapshot: &Snapshot<'_>, ask: Ask) -> Result<DifferenceView, StoreError> {
    let window = ask.window(snapshot.moment.at(), snapshot.calendar);
    let of = Of { snapshot, ask };
    // The n-th day or hour of both spans. Hours count from midnight, so that a day on which clocks change has as many as it has.
    let bucket = if ask.range.days() == 1 {
        "floor(extract(epoch FROM o.ordered_at - CASE WHEN o.here THEN $1 ELSE $3 END) / 3600)::bigint::text"
    } else {
        "(o.order_day - CASE WHEN o.here THEN $6::date ELSE $7::date END)::text"
    };
    let by_bucket = of.grouped(bucket).await?;
    let last = by_bucket
        .iter()
        .filter_map(|(name, ..)| name.parse::<usize>().ok())
        .max();
    let count = if ask.range.days() == 1 {
        24
    } else {
        usize::from(ask.range.days())
    };
    let mut course = vec![Pair::default(); count.max(last.map_or(0, |last| last + 1))];
    let (mut revenue, mut orders) = (Pair::default(), Pair::default());
    for (name, cents, counted) in &by_bucket {
        revenue = plus(revenue, *cents);
        orders = plus(orders, *counted);
        if let Some(slot) = name.parse::<usize>().ok().and_then(|at| course.get_mut(at)) {
            *slot = *cents;
        }
    }
    let mut parts = of.categories().await?;
    // Two stores may have one name.
    let store =
        "o.store_id || ' ' || coalesce((SELECT s.name FROM core.stores s WHERE s.store_id = o.store_id), '')";
    for (by, key) in [(PartsBy::Store, store), (PartsBy::Method, "o.payment_method")] {
        let found = of.grouped(key).await?;
        parts.extend(found.into_iter().map(|(name, cents, _)| DifferencePart {
            by,
            name: name.trim().to_owned(),
            cents,
        }));
    }
    Ok(DifferenceView {
        read_at: snapshot.moment.at(),
        window,
        first_day: snapshot.first_day().await?,
        revenue,
        orders,
        course,
        parts,
    })
}

const fn plus(sum: Pair, more: Pair) -> Pair {
    Pair {
        now: sum.now + more.now,
        before: sum.before + more.before,
    }
}

struct Of<'s, 'c> {
    snapshot: &'s Snapshot<'c>,
    ask: Ask,
}

impl Of<'_, '_> {
    /// Revenue and number of the sales of both spans by a key. Spans may overlap: a sale then stands in both.
    async fn grouped(&self, key: &str) -> Result<Vec<(String, Pair, Pair)>, StoreError> {
        let window = self.ask.window(self.snapshot.moment.at(), self.snapshot.calendar);
        let orders = self.snapshot.orders();
        let span = |here: bool, since: &str, until: &str| {
            format!(
                "SELECT o.store_id, o.payment_method, o.ordered_at, o.order_day, o.amount_rc, {here} AS here FROM {orders} o
                 WHERE o.is_sale AND o.ordered_at >= {since} AND o.ordered_at < {until} AND ($5::bigint IS NULL OR o.store_id = $5)"
            )
        };
        let sql = format!(
            "SELECT {key} AS name, coalesce(core.cents(sum(o.amount_rc) FILTER (WHERE o.here)), 0),
               coalesce(core.cents(sum(o.amount_rc) FILTER (WHERE NOT o.here)), 0),
               count(*) FILTER (WHERE o.here), count(*) FILTER (WHERE NOT o.here)
             FROM ({} UNION ALL {}) o
             WHERE $6::date IS NOT NULL AND $7::date IS NOT NULL GROUP BY name ORDER BY name",
            span(true, "$1::timestamptz", "$2::timestamptz"),
            span(false, "$3::timestamptz", "$4::timestamptz")
        );
        let rows = self
            .snapshot
            .rows(
                &sql,
                &[
                    &window.since,
                    &window.until,
                    &window.base_since,
                    &window.base_until,
                    &self.ask.store,
                    &window.first,
                    &window.base_first,
                ],
            )
            .await?;
        let pair = |row: &tokio_postgres::Row, at: usize| Pair {
            now: row.get(at),
            before: row.get(at + 1),
        };
        Ok(rows
            .iter()
            .map(|row| (row.get(0), pair(row, 1), pair(row, 3)))
            .collect())
    }

    /// Revenue of both spans by the category of the lines.
    async fn categories(&self) -> Result<Vec<DifferencePart>, StoreError> {
        let window = self.ask.window(self.snapshot.moment.at(), self.snapshot.calendar);
        let sql = format!(
            "SELECT l.category, coalesce(core.cents(sum(l.net_rc)), 0) FROM {}
             WHERE l.is_sale AND ($3::bigint IS NULL OR l.store_id = $3) GROUP BY l.category ORDER BY l.category",
            self.snapshot.sale_lines()
        );
        let mut parts: Vec<DifferencePart> = Vec::new();
        for (here, since, until) in [
            (true, window.since, window.until),
            (false, window.base_since, window.base_until),
        ] {
            let last = until - chrono::TimeDelta::microseconds(1);
            for row in &self
                .snapshot
                .rows(&sql, &[&since, &last, &self.ask.store])
                .await?
            {
                let (name, cents): (String, i64) = (row.get(0), row.get(1));
                let more = if here {
                    Pair {
                        now: cents,
                        before: 0,
                    }
                } else {
                    Pair {
                        now: 0,
                        before: cents,
                    }
                };
                match parts.iter_mut().find(|part| part.name == name) {
                    Some(part) => part.cents = plus(part.cents, more),
                    None => parts.push(DifferencePart {
                        by: PartsBy::Category,
                        name,
                        cents: more,
                    }),
                }
            }
        }
        Ok(parts)
    }
}
