//! Reading what the sources hold at the moment. The live phase believes nothing else: another program may fill, change
//! or delete at the same time.

use std::collections::HashMap;

use futures::future::try_join;
use instashop_core::table::{SourceDb, Table};
use tokio_postgres::Client;

use super::market::AdoptedShipment;
use super::shelf::Level;
use super::shop::{Buyer, Product, Store};

/// Most rows taken into memory of any one table; of more, the newest.
const MOST_ROWS: i64 = 50_000;

/// What one source reported.
#[derive(Debug)]
pub(crate) enum Census {
    /// The sales database.
    Sales {
        stores: Vec<Store>,
        products: Vec<Product>,
        buyers: Vec<Buyer>,
        /// Old orders nobody settled.
        pending: Vec<i64>,
        /// Paid orders of the last month.
        past: Vec<i64>,
    },
    /// The CRM database.
    Crm {
        segments: Vec<i64>,
        memberships: Vec<i64>,
    },
    /// The ERP database.
    Erp { levels: Vec<Level> },
    /// The logistics database.
    Logistics {
        carriers: Vec<i64>,
        /// Deliveries under way that an earlier run left.
        open: Vec<AdoptedShipment>,
    },
}

/// Where the rows of this run begin: older ones may be taken over.
pub(crate) type Beginnings = HashMap<Table, i64>;

/// Reads one source.
pub(crate) async fn read(
    client: &Client,
    source: SourceDb,
    beginnings: &Beginnings,
) -> Result<Census, tokio_postgres::Error> {
    let before = |table| beginnings.get(&table).copied().unwrap_or(0);
    match source {
        SourceDb::Instashop => sales(client, before(Table::Transaction)).await,
        SourceDb::CrmDb => {
            let segments = numbers(
                client,
                "SELECT segment_id::bigint FROM segment ORDER BY 1 LIMIT 1000",
                &[],
            )
            .await?;
            let memberships = numbers(
                client,
                "SELECT customer_segment_id::bigint FROM customersegment ORDER BY 1 DESC LIMIT 500",
                &[],
            )
            .await?;
            Ok(Census::Crm {
                segments,
                memberships,
            })
        }
        SourceDb::ErpDb => Ok(Census::Erp {
            levels: levels(client).await?,
        }),
        SourceDb::EcommerceDb => {
            let carriers = numbers(
                client,
                "SELECT carrier_id::bigint FROM carrier ORDER BY 1 LIMIT 1000",
                &[],
            )
            .await?;
            let open = client
                .query(
                    "SELECT shipment_id::bigint, status = 'in_transit' FROM shipment \
                     WHERE status IN ('pending', 'in_transit') AND shipment_id < $1 \
                     ORDER BY estimated_delivery_date, shipment_id LIMIT 400",
                    &[&before(Table::Shipment)],
                )
                .await?
                .iter()
                .map(|row| AdoptedShipment {
                    shipment: row.get(0),
                    dispatched: row.get(1),
                })
                .collect();
            Ok(Census::Logistics { carriers, open })
        }
    }
}

async fn sales(client: &Client, first_order: i64) -> Result<Census, tokio_postgres::Error> {
    let stores = client
        .query(
            "SELECT customer_id::bigint, coalesce(subscription_plan, '') FROM customer ORDER BY 1 DESC LIMIT $1",
            &[&MOST_ROWS],
        )
        .await?
        .iter()
        .map(|row| Store {
            id: row.get(0),
            plan: row.get(1),
        })
        .collect();
    let products = client
        .query(
            "SELECT product_id::bigint, customer_id::bigint, coalesce(category, ''), \
                    coalesce(round(price * 100), 0)::bigint, \
                    coalesce(lower(status), 'active') NOT IN ('inactive', 'discontinued', 'deleted', 'archived') \
             FROM product WHERE customer_id IS NOT NULL ORDER BY 1 DESC LIMIT $1",
            &[&MOST_ROWS],
        )
        .await?
        .iter()
        .map(|row| Product {
            id: row.get(0),
            store: row.get(1),
            category: row.get(2),
            price: row.get(3),
            active: row.get(4),
        })
        .collect();
    let buyers = client
        .query(
            "SELECT buyer_id::bigint, coalesce(shipping_address, '') FROM buyer ORDER BY 1 DESC LIMIT $1",
            &[&MOST_ROWS],
        )
        .await?
        .iter()
        .map(|row| Buyer {
            id: row.get(0),
            address: row.get(1),
        })
        .collect();
    let limits: [&(dyn tokio_postgres::types::ToSql + Sync); 1] = [&first_order];
    let pending = numbers(
        client,
        "SELECT transaction_id::bigint FROM transaction WHERE status = 'pending' AND transaction_id < $1 \
         AND transaction_date < (now() AT TIME ZONE 'UTC') - interval '15 minutes' ORDER BY 1 LIMIT 40",
        &limits,
    );
    // Random instants first, then the order next to each: the index on the date answers, however long the table is.
    let past = numbers(
        client,
        "WITH t AS MATERIALIZED (SELECT (now() AT TIME ZONE 'UTC') - random() * interval '30 days' AS at \
                                 FROM generate_series(1, 12)) \
         SELECT DISTINCT o.id FROM t CROSS JOIN LATERAL \
           (SELECT transaction_id::bigint AS id FROM transaction \
            WHERE status = 'completed' AND transaction_date >= t.at ORDER BY transaction_date LIMIT 1) o \
         WHERE o.id < $1",
        &limits,
    );
    let (pending, past) = try_join(pending, past).await?;
    Ok(Census::Sales {
        stores,
        products,
        buyers,
        pending,
        past,
    })
}

async fn levels(client: &Client) -> Result<Vec<Level>, tokio_postgres::Error> {
    let rows = client
        .query(
            "SELECT stock_id::bigint, product_id::bigint, coalesce(available_quantity, 0)::bigint, \
                    coalesce(reorder_point, 0)::bigint \
             FROM stock WHERE product_id IS NOT NULL ORDER BY 1 DESC LIMIT $1",
            &[&MOST_ROWS],
        )
        .await?;
    Ok(rows
        .iter()
        .map(|row| Level {
            stock: row.get(0),
            product: row.get(1),
            available: row.get(2),
            reorder_point: row.get(3),
            on_order: false,
        })
        .collect())
}

async fn numbers(
    client: &Client,
    statement: &str,
    parameters: &[&(dyn tokio_postgres::types::ToSql + Sync)],
) -> Result<Vec<i64>, tokio_postgres::Error> {
    let rows = client.query(statement, parameters).await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// Reserves keys: from the table's sequence, or above its highest key where it has none.
pub(crate) async fn reserve(
    client: &Client,
    table: Table,
    sequence: Option<&str>,
    wanted: usize,
) -> Result<Vec<i64>, tokio_postgres::Error> {
    let wanted = wanted as i64;
    if let Some(name) = sequence {
        return numbers(
            client,
            "SELECT nextval($1::text::regclass) FROM generate_series(1, $2::bigint)",
            &[&name, &wanted],
        )
        .await;
    }
    let statement = format!(
        "SELECT g + coalesce((SELECT max({})::bigint FROM {}), 0) FROM generate_series(1, $1::bigint) g",
        table.key(),
        table.name()
    );
    numbers(client, &statement, &[&wanted]).await
}
