//! One round by key: marks, facts they touch, marts these touch.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use futures::future::try_join_all;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Row, Statement, Transaction};

use super::rebuild::replace;
use super::tables::{
    DAILY_METRICS, FUNNEL, Fact, INVENTORY_HEALTH, LINES, Mart, ORDERS, PAYMENT_METHODS, PRODUCT_METRICS,
    SALES_BY_CATEGORY, SALES_BY_REGION, SESSION_OUTCOME, SHIPMENT_PERFORMANCE, SHIPMENTS, VISIT_EVENTS,
    VISITS,
};
use crate::StoreError;
use crate::postgres::failed;

/// Keys of one mart above which all of its rows are computed anew.
const MANY: usize = 4000;

/// Statements that are under way at a time.
const ABREAST: usize = 64;

const TAKE: &str = "
WITH taken AS (
  DELETE FROM ops.dirty_keys WHERE ctid = ANY (ARRAY(SELECT d.ctid FROM ops.dirty_keys d LIMIT $1))
  RETURNING source_table, key
)
SELECT source_table, key, count(*) FROM taken GROUP BY source_table, key";

/// Orders that are touched by changed orders ($1), lines ($2), products ($3), shipments ($4), buyers ($5) and stores ($6):
/// where a line was and where it is, every order with a product whose category or currency is not what the facts say, and
/// every order whose region, or whose store's tier as far as commission goes by it, is not what the facts say.
const TOUCHED_ORDERS: &str = "
SELECT t.order_id FROM unnest($1::bigint[]) AS t(order_id)
UNION
SELECT f.order_id FROM marts.order_line_facts f WHERE f.line_id = ANY($2::bigint[])
UNION
SELECT d.transaction_id FROM staging.transactiondetail d
WHERE d.transaction_detail_id = ANY($2::bigint[]) AND d.transaction_id IS NOT NULL
UNION
SELECT f.order_id FROM marts.order_line_facts f JOIN core.products p ON p.product_id = f.product_id
WHERE f.product_id = ANY($3::bigint[]) AND (f.category, f.currency) IS DISTINCT FROM (p.category, p.currency)
UNION
SELECT f.order_id FROM marts.order_facts f
WHERE f.order_id = ANY(ARRAY(
    SELECT s.transaction_id FROM staging.shipment s WHERE s.shipment_id = ANY($4::bigint[])
    UNION SELECT s.order_id FROM marts.shipment_facts s WHERE s.shipment_id = ANY($4::bigint[])))
  AND f.region IS DISTINCT FROM (SELECT g.region FROM core.order_regions g WHERE g.order_id = f.order_id)
UNION
SELECT f.order_id FROM marts.order_facts f
WHERE f.buyer_key = ANY($5::bigint[])
  AND f.region IS DISTINCT FROM (SELECT g.region FROM core.order_regions g WHERE g.order_id = f.order_id)
UNION
SELECT f.order_id FROM marts.order_facts f JOIN core.stores s ON s.store_id = f.store_id
WHERE f.store_id = ANY($6::bigint[]) AND f.commission_tier IS DISTINCT FROM s.commission_tier
  AND EXISTS (SELECT 1 FROM ref.commission k WHERE k.tier IS NOT NULL)";

/// Whose orders they were and are.
const TOUCHED_BUYERS: &str = "
SELECT f.buyer_key FROM marts.order_facts f WHERE f.order_id = ANY($1::bigint[])
UNION
SELECT coalesce(t.buyer_id, -t.transaction_id) FROM staging.transaction t WHERE t.transaction_id = ANY($1::bigint[])";

/// Whose timelines the events were on and are on, and those with a visit that is over by now.
const TOUCHED_ACTORS: &str = "
SELECT f.actor FROM marts.visit_event_facts f WHERE f.src = 0 AND f.id = ANY($1::bigint[])
UNION
SELECT coalesce('b' || (u.metadata ->> 'buyer_id'), 'c' || u.customer_id::text) FROM staging.userbehavior u
WHERE u.behavior_id = ANY($1::bigint[]) AND coalesce('b' || (u.metadata ->> 'buyer_id'), 'c' || u.customer_id::text) IS NOT NULL
UNION
SELECT v.actor FROM marts.visit_facts v
WHERE v.outcome = 'in_progress' AND v.ended_at < (SELECT c.now_ts - c.session_gap FROM core.clock c)";

/// Changed shipments, and those that became overdue by now.
const TOUCHED_SHIPMENTS: &str = "
SELECT s.shipment_id FROM unnest($1::bigint[]) AS s(shipment_id)
UNION
SELECT f.shipment_id FROM marts.shipment_facts f
WHERE f.result = 'in_progress' AND f.due_day < (SELECT c.today FROM core.clock c)";

/// Days of products ($1) under another name, category or store than the product has now.
const RENAMED_PRODUCT_DAYS: &str = "
SELECT m.day, m.product_id FROM marts.product_metrics m JOIN core.products p ON p.product_id = m.product_id
WHERE m.product_id = ANY($1::bigint[])
  AND (m.product_name, m.category, m.store_id) IS DISTINCT FROM (p.name, p.category, p.store_id)";

/// Stock rows ($1) and the rows of products ($2), as they were and as they are; a product's demand is shared by its rows,
/// so that the product of a changed row ($1) brings in the others.
const TOUCHED_STOCK: &str = "
WITH products AS (
  SELECT p.product_id FROM unnest($2::bigint[]) AS p(product_id)
  UNION
  SELECT m.product_id FROM marts.inventory_health m WHERE m.stock_id = ANY($1::bigint[])
  UNION
  SELECT s.product_id FROM staging.stock s WHERE s.stock_id = ANY($1::bigint[])
)
SELECT s.stock_id FROM unnest($1::bigint[]) AS s(stock_id)
UNION
SELECT m.stock_id FROM marts.inventory_health m JOIN products p ON p.product_id = m.product_id
UNION
SELECT s.stock_id FROM staging.stock s JOIN products p ON p.product_id = s.product_id WHERE NOT s._deleted";

/// What a round did.
pub(super) struct Round {
    /// Marks taken.
    pub(super) taken: i64,
    /// Source rows they named.
    pub(super) marked: usize,
    /// Rows of facts and marts removed and added.
    pub(super) rows: u64,
}

/// Source rows by table.
#[derive(Default)]
struct Marked {
    orders: Vec<i64>,
    lines: Vec<i64>,
    products: Vec<i64>,
    events: Vec<i64>,
    stocks: Vec<i64>,
    shipments: Vec<i64>,
    buyers: Vec<i64>,
    stores: Vec<i64>,
}

impl Marked {
    fn count(&self) -> usize {
        [
            &self.orders,
            &self.lines,
            &self.products,
            &self.events,
            &self.stocks,
            &self.shipments,
            &self.buyers,
            &self.stores,
        ]
        .into_iter()
        .map(Vec::len)
        .sum()
    }
}

/// Keys of marts that are out of date.
#[derive(Default)]
struct Stale {
    orders: BTreeSet<(NaiveDate, i64)>,
    reversals: BTreeSet<(NaiveDate, i64)>,
    lines: BTreeSet<(NaiveDate, i64)>,
    visits: BTreeSet<(NaiveDate, i64)>,
    products: BTreeSet<(NaiveDate, i64)>,
    sold: BTreeSet<i64>,
    shipments: BTreeSet<(NaiveDate, String)>,
}

/// Takes at most `limit` marks and brings what they touch up to date; `None` when nothing is out of date.
pub(super) async fn run(transaction: &Transaction<'_>, limit: i64) -> Result<Option<Round>, StoreError> {
    let (taken, marked) = take(transaction, limit).await?;
    let mut stale = Stale::default();
    let mut rows = 0;

    let touched: Vec<i64> = keys(
        transaction,
        TOUCHED_ORDERS,
        &[
            &marked.orders,
            &marked.lines,
            &marked.products,
            &marked.shipments,
            &marked.buyers,
            &marked.stores,
        ],
    )
    .await?;
    let buyers: Vec<i64> = keys(transaction, TOUCHED_BUYERS, &[&touched]).await?;
    let mut orders: BTreeSet<i64> = touched.into_iter().collect();
    let mut actors: BTreeSet<String> = BTreeSet::new();
    for row in replaced(transaction, ORDERS, &buyers, &mut rows).await? {
        orders.insert(row.get(0));
        actors.extend(row.get::<_, Option<String>>(1));
        let store: i64 = row.get(4);
        stale
            .orders
            .extend(row.get::<_, Option<NaiveDate>>(2).map(|day| (day, store)));
        stale
            .reversals
            .extend(row.get::<_, Option<NaiveDate>>(3).map(|day| (day, store)));
    }

    let orders: Vec<i64> = orders.into_iter().collect();
    for row in replaced(transaction, LINES, &orders, &mut rows).await? {
        let (day, store): (Option<NaiveDate>, i64) = (row.get(0), row.get(1));
        let product: Option<i64> = row.get(2);
        stale.lines.extend(day.map(|day| (day, store)));
        stale.products.extend(day.zip(product));
        stale.sold.extend(product);
    }

    actors.extend(keys::<String>(transaction, TOUCHED_ACTORS, &[&marked.events]).await?);
    let actors: Vec<String> = actors.into_iter().collect();
    for row in replaced(transaction, VISIT_EVENTS, &actors, &mut rows).await? {
        let product: Option<i64> = row.get(1);
        stale
            .products
            .extend(product.map(|product| (row.get(0), product)));
    }
    for row in replaced(transaction, VISITS, &actors, &mut rows).await? {
        stale.visits.insert((row.get(0), row.get(1)));
    }

    let shipments: Vec<i64> = keys(transaction, TOUCHED_SHIPMENTS, &[&marked.shipments]).await?;
    for row in replaced(transaction, SHIPMENTS, &shipments, &mut rows).await? {
        let day: Option<NaiveDate> = row.get(0);
        stale.shipments.extend(day.map(|day| (day, row.get(1))));
    }

    rows += refresh_marts(transaction, &marked, stale).await?;
    Ok((taken > 0 || rows > 0).then_some(Round {
        taken,
        marked: marked.count(),
        rows,
    }))
}

async fn take(transaction: &Transaction<'_>, limit: i64) -> Result<(i64, Marked), StoreError> {
    let rows = transaction
        .query(TAKE, &[&limit])
        .await
        .map_err(|error| failed("cannot take the marks of ops.dirty_keys", error))?;
    let mut marked = Marked::default();
    let mut taken = 0;
    for row in &rows {
        let (table, key): (&str, i64) = (row.get(0), row.get(1));
        taken += row.get::<_, i64>(2);
        let keys = match table {
            "transaction" => &mut marked.orders,
            "transactiondetail" => &mut marked.lines,
            "product" => &mut marked.products,
            "userbehavior" => &mut marked.events,
            "stock" => &mut marked.stocks,
            "shipment" => &mut marked.shipments,
            "buyer" => &mut marked.buyers,
            "customer" => &mut marked.stores,
            // The other tables feed only marts that are computed as a whole.
            _ => continue,
        };
        keys.push(key);
    }
    Ok((taken, marked))
}

async fn refresh_marts(
    transaction: &Transaction<'_>,
    marked: &Marked,
    mut stale: Stale,
) -> Result<u64, StoreError> {
    let renamed = transaction
        .query(RENAMED_PRODUCT_DAYS, &[&marked.products])
        .await
        .map_err(|error| failed("cannot look for renamed products", error))?;
    stale
        .products
        .extend(renamed.iter().map(|row| (row.get::<_, NaiveDate>(0), row.get(1))));
    stale.sold.extend(&marked.products);

    let mut days: BTreeSet<(NaiveDate, i64)> = BTreeSet::new();
    for keys in [&stale.orders, &stale.reversals, &stale.visits] {
        days.extend(keys);
    }
    // The platform's row of each day.
    let platform: Vec<(NaiveDate, i64)> = days.iter().map(|(day, _)| (*day, 0)).collect();
    days.extend(platform);

    let sold: Vec<i64> = stale.sold.into_iter().collect();
    let stocks: Vec<i64> = keys(transaction, TOUCHED_STOCK, &[&marked.stocks, &sold]).await?;

    let mut rows = 0;
    for (mart, keys) in [
        (DAILY_METRICS, &days),
        (SALES_BY_CATEGORY, &stale.lines),
        (SALES_BY_REGION, &stale.orders),
        (PAYMENT_METHODS, &stale.orders),
        (FUNNEL, &stale.visits),
        (SESSION_OUTCOME, &stale.visits),
        (PRODUCT_METRICS, &stale.products),
    ] {
        rows += refresh_mart(transaction, mart, keys).await?;
    }
    rows += refresh_mart(transaction, SHIPMENT_PERFORMANCE, &stale.shipments).await?;
    let stocks: BTreeSet<(i64,)> = stocks.into_iter().map(|stock| (stock,)).collect();
    Ok(rows + refresh_mart(transaction, INVENTORY_HEALTH, &stocks).await?)
}

/// A key of a mart as statement parameters.
trait Key: Sync {
    fn parameters(&self) -> Vec<&(dyn ToSql + Sync)>;
}

impl<A: ToSql + Sync> Key for (A,) {
    fn parameters(&self) -> Vec<&(dyn ToSql + Sync)> {
        vec![&self.0]
    }
}

impl<A: ToSql + Sync, B: ToSql + Sync> Key for (A, B) {
    fn parameters(&self) -> Vec<&(dyn ToSql + Sync)> {
        vec![&self.0, &self.1]
    }
}

/// Computes the rows of some keys anew. Statements are sent without waiting for answers.
async fn refresh_mart<K: Key>(
    transaction: &Transaction<'_>,
    mart: Mart,
    keys: &BTreeSet<K>,
) -> Result<u64, StoreError> {
    if keys.is_empty() {
        return Ok(0);
    }
    if keys.len() > MANY {
        return replace(transaction, mart.name).await;
    }
    let fail = |error| failed(&format!("cannot refresh marts.{}", mart.name), error);
    let remove = transaction.prepare(&mart.remove()).await.map_err(fail)?;
    let add = transaction.prepare(&mart.add()).await.map_err(fail)?;
    let keys: Vec<_> = keys.iter().map(Key::parameters).collect();
    let mut rows = 0;
    for keys in keys.chunks(ABREAST) {
        let statements = keys
            .iter()
            .flat_map(|key| [(&remove, key), (&add, key)])
            .map(|(statement, key): (&Statement, _)| transaction.execute(statement, key));
        rows += try_join_all(statements).await.map_err(fail)?.iter().sum::<u64>();
    }
    Ok(rows)
}

/// Brings the facts of some keys up to date; gives every row that was removed or added.
async fn replaced<K: ToSql + Sync>(
    transaction: &Transaction<'_>,
    fact: Fact,
    keys: &Vec<K>,
    rows: &mut u64,
) -> Result<Vec<Row>, StoreError>
where
    Vec<K>: ToSql,
{
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let fail = |error| failed(&format!("cannot refresh marts.{}", fact.name), error);
    let mut changed = transaction.query(&fact.remove(), &[keys]).await.map_err(fail)?;
    changed.extend(transaction.query(&fact.add(), &[keys]).await.map_err(fail)?);
    *rows += changed.len() as u64;
    Ok(changed)
}

async fn keys<K>(
    transaction: &Transaction<'_>,
    sql: &str,
    parameters: &[&(dyn ToSql + Sync)],
) -> Result<Vec<K>, StoreError>
where
    K: for<'a> tokio_postgres::types::FromSql<'a>,
{
    let rows = transaction
        .query(sql, parameters)
        .await
        .map_err(|error| failed("cannot work out what the marks touch", error))?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}
