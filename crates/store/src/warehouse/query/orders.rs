//! The orders behind a number, from the facts.

use instashop_core::view::{Ask, OrderLine, OrderList, OrderRow, OrdersOf};
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::Snapshot;
use crate::StoreError;

/// Orders that are listed.
const ORDERS: i64 = 300;

/// Reads the orders of a range and a store; those of a buyer and a single order whatever the range.
pub(super) async fn read(snapshot: &Snapshot<'_>, of: &OrdersOf, ask: Ask) -> Result<OrderList, StoreError> {
    let now = snapshot.moment.at();
    let window = ask.window(now, snapshot.calendar);
    let in_range = "o.order_day BETWEEN $2 AND $3 AND o.ordered_at >= $4 AND o.ordered_at < $5";
    let anywhere = "$2::date IS NOT NULL AND $3::date IS NOT NULL AND $4::timestamptz IS NOT NULL AND $5::timestamptz IS NOT NULL";
    let (condition, key): (String, &(dyn ToSql + Sync)) = match of {
        OrdersOf::Method(method) => (format!("o.payment_method = $1 AND {in_range}"), method),
        OrdersOf::Category(category) => (
            format!(
                "o.is_sale AND EXISTS (SELECT 1 FROM marts.order_line_facts l WHERE l.order_id = o.order_id AND l.category = $1) AND {in_range}"
            ),
            category,
        ),
        OrdersOf::Product(product) => (
            format!(
                "EXISTS (SELECT 1 FROM marts.order_line_facts l WHERE l.order_id = o.order_id AND l.product_id = $1) AND {in_range}"
            ),
            product,
        ),
        OrdersOf::Buyer(buyer) => (format!("o.buyer_key = $1 AND {anywhere}"), buyer),
        OrdersOf::Order(order) => (format!("o.order_id = $1 AND {anywhere}"), order),
    };
    let sql = format!(
        "SELECT o.order_id, o.ordered_at, coalesce(s.name, o.store_id::text), coalesce(core.cents(o.amount_rc), 0), o.payment_method, o.class, o.n_lines
         FROM marts.order_facts o LEFT JOIN core.stores s ON s.store_id = o.store_id
         WHERE {condition} AND o.order_day IS NOT NULL AND ($6::bigint IS NULL OR o.store_id = $6)
         ORDER BY o.ordered_at DESC, o.order_id DESC LIMIT $7"
    );
    let rows = snapshot
        .rows(
            &sql,
            &[
                key,
                &window.first,
                &window.last,
                &window.since,
                &window.until,
                &ask.store,
                &ORDERS,
            ],
        )
        .await?;
    let orders: Vec<OrderRow> = rows.iter().map(order_row).collect();
    let lines = match of {
        OrdersOf::Order(order) if !orders.is_empty() => lines(snapshot, *order).await?,
        _ => vec![],
    };
    Ok(OrderList { orders, lines })
}

/// An order from its number, moment, store, cents, method, class and number of lines, in this order.
pub(super) fn order_row(row: &Row) -> OrderRow {
    OrderRow {
        order_id: row.get(0),
        ordered_at: row.get(1),
        store: row.get(2),
        amount_cents: row.get(3),
        method: row.get(4),
        class: row.get(5),
        lines: row.get(6),
    }
}

async fn lines(snapshot: &Snapshot<'_>, order: i64) -> Result<Vec<OrderLine>, StoreError> {
    let rows = snapshot
        .rows(
            "SELECT coalesce(p.name, l.product_id::text, ''), l.category, l.quantity, core.cents(l.net_rc)
             FROM marts.order_line_facts l LEFT JOIN core.products p ON p.product_id = l.product_id
             WHERE l.order_id = $1 AND l.line_id IS NOT NULL ORDER BY l.line_id",
            &[&order],
        )
        .await?;
    let lines = rows.iter().map(|row| OrderLine {
        product: row.get(0),
        category: row.get(1),
        units: row.get(2),
        cents: row.get(3),
    });
    Ok(lines.collect())
}
