//! The topics of a benchmark: a shop's rows by the simulator, captured by the real connectors as they are inserted, and
//! then the updates and deletes of a shop's life.

use std::path::PathBuf;
use std::time::Duration;

use color_eyre::eyre::{Result, WrapErr, ensure};
use serde::{Deserialize, Serialize};

use crate::bed::sql::{Database, Sql};
use crate::bed::{Bed, eventually};

/// Days over which the orders are spread: they are all live, none is of a sealed day.
const DAYS: u32 = 30;

/// Longest time for the connectors to bring everything into the topics.
const CAPTURE: Duration = Duration::from_hours(1);

/// The sources.
const SOURCES: [Database; 4] = [
    Database::Instashop,
    Database::Crm,
    Database::Erp,
    Database::Ecommerce,
];

/// A shop that is in the sources and in the topics.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Shop {
    /// Orders it was asked for.
    pub(super) asked: u32,
    /// Orders in the source now.
    pub(super) orders: u64,
    /// Tables of the warehouse that are empty before a worker has ever run.
    pub(super) empty_tables: Vec<String>,
}

/// What the simulator is told for about so many orders, in the proportions of its default shop.
fn history(orders: u32) -> Vec<String> {
    let sizes = [
        ("--days", DAYS),
        ("--orders-per-day", orders.div_ceil(DAYS)),
        ("--buyers", (orders / 10).clamp(100, 1_000_000)),
        ("--products", (orders / 75).clamp(80, 100_000)),
        ("--stores", (orders / 2500).clamp(6, 5000)),
    ];
    sizes
        .iter()
        .flat_map(|(flag, size)| [(*flag).to_owned(), size.to_string()])
        .collect()
}

impl Shop {
    /// Takes the shop that an earlier run kept if it is of this size; otherwise begins on fresh servers.
    pub(super) fn open(bed: &Bed, orders: u32) -> Result<Self> {
        if let Some(kept) = Self::kept(bed).filter(|kept| kept.asked == orders) {
            bed.up(&[])?;
            // The note outlives the servers' data when these are removed by another command.
            if in_source(bed).is_ok_and(|there| there == kept.orders) {
                eprintln!("--> the shop of {} orders that was kept", kept.orders);
                return Ok(kept);
            }
        }
        bed.remove()?;
        eprintln!("--> servers and capture");
        // Capture is set up over a shop that is hardly there, so that the rows of the real one are seen as they come.
        bed.prepare(&[
            "--days",
            "2",
            "--stores",
            "2",
            "--buyers",
            "20",
            "--products",
            "20",
            "--orders-per-day",
            "4",
        ])?;
        let empty_tables = empty_tables(&Sql::connect(&bed.config()?, Database::Warehouse)?)?;
        eprintln!("--> a shop of about {orders} orders");
        let history = history(orders);
        let mut arguments = vec!["simulate", "history", "--reset"];
        arguments.extend(history.iter().map(String::as_str));
        bed.good("instashop-dev", &arguments)?;
        eprintln!("--> updates and deletes");
        live(bed)?;
        captured(bed)?;
        let shop = Self {
            asked: orders,
            orders: in_source(bed)?,
            empty_tables,
        };
        let text = serde_json::to_string_pretty(&shop).wrap_err("a shop cannot be written down")?;
        std::fs::write(file(bed), text).wrap_err("the bed's folder cannot be written to")?;
        Ok(shop)
    }

    fn kept(bed: &Bed) -> Option<Self> {
        let text = std::fs::read_to_string(file(bed)).ok()?;
        serde_json::from_str(&text).ok()
    }
}

/// Orders in the source.
fn in_source(bed: &Bed) -> Result<u64> {
    let sales = Sql::connect(&bed.config()?, Database::Instashop)?;
    number(&sales, "SELECT count(*)::text FROM transaction")
}

fn file(bed: &Bed) -> PathBuf {
    bed.data().join("bench-shop.json")
}

/// Tables of the warehouse without a row, partitions left out.
fn empty_tables(warehouse: &Sql) -> Result<Vec<String>> {
    let all = warehouse.texts(
        "SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
         WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND n.nspname !~ '^(pg_|information_schema)'
         ORDER BY 1",
    )?;
    let mut empty = Vec::new();
    for table in all {
        if warehouse.text(&format!("SELECT (NOT EXISTS (SELECT FROM {table}))::text"))? == "true" {
            empty.push(table);
        }
    }
    ensure!(!empty.is_empty(), "the warehouse has no empty table");
    Ok(empty)
}

/// What happens to the rows of a shop after they were inserted: an order is updated once on average, a parcel twice,
/// the stock of a product once for each line sold; one visitor's action in a hundred and one order in five hundred is
/// deleted.
fn live(bed: &Bed) -> Result<()> {
    let config = bed.config()?;
    let sales = Sql::connect(&config, Database::Instashop)?;
    sales.run(
        "CREATE TEMPORARY TABLE outcome AS
         SELECT transaction_id, status FROM transaction WHERE transaction_id % 2 = 0 AND status <> 'pending'",
    )?;
    sales.run(
        "UPDATE transaction AS t SET status = 'pending' FROM outcome AS o WHERE t.transaction_id = o.transaction_id",
    )?;
    sales.run(
        "UPDATE transaction AS t SET status = o.status FROM outcome AS o WHERE t.transaction_id = o.transaction_id",
    )?;
    for statement in [
        "UPDATE product SET price = price + 1 WHERE product_id % 20 = 0",
        "UPDATE buyer SET shipping_address = shipping_address || ' B' WHERE buyer_id % 20 = 0",
        "DELETE FROM userbehavior WHERE behavior_id % 100 = 0",
        "DELETE FROM transactiondetail WHERE transaction_id % 500 = 1",
        "DELETE FROM transaction WHERE transaction_id % 500 = 1",
    ] {
        sales.run(statement)?;
    }

    let lines: u64 = number(&sales, "SELECT count(*)::text FROM transactiondetail")?;
    let stock = Sql::connect(&config, Database::Erp)?;
    let shelves: u64 = number(&stock, "SELECT count(*)::text FROM stock")?;
    for round in 0..lines / shelves.max(1) / 2 * 2 {
        let change = if round % 2 == 0 { "- 1" } else { "+ 1" };
        stock.run(&format!(
            "UPDATE stock SET available_quantity = available_quantity {change}"
        ))?;
    }

    let parcels = Sql::connect(&config, Database::Ecommerce)?;
    parcels.run(
        "CREATE TEMPORARY TABLE outcome AS
         SELECT shipment_id FROM shipment WHERE shipment_id % 3 < 2 AND status = 'delivered'",
    )?;
    for status in ["pending", "in_transit", "delivered"] {
        parcels.run(&format!(
            "UPDATE shipment SET status = '{status}' WHERE shipment_id IN (SELECT shipment_id FROM outcome)"
        ))?;
    }

    let contacts = Sql::connect(&config, Database::Crm)?;
    contacts.run("UPDATE interaction SET status = 'resolved' WHERE interaction_id % 2 = 0")?;
    contacts.run("DELETE FROM customersegment WHERE customer_segment_id % 50 = 0")
}

fn number(database: &Sql, sql: &str) -> Result<u64> {
    database
        .text(sql)?
        .parse()
        .wrap_err_with(|| format!("no number: {sql}"))
}

/// Waits until the connectors have confirmed everything that is in the sources.
fn captured(bed: &Bed) -> Result<()> {
    let config = bed.config()?;
    for database in SOURCES {
        let source = Sql::connect(&config, database)?;
        let end = source.text("SELECT pg_current_wal_lsn()::text")?;
        eventually(&format!("{database:?} is captured"), CAPTURE, || {
            let confirmed = source.text(&format!(
                "SELECT (count(*) > 0 AND bool_and(confirmed_flush_lsn >= '{end}'::pg_lsn))::text
                 FROM pg_replication_slots"
            ))?;
            Ok(confirmed == "true")
        })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shop_keeps_its_proportions_within_what_the_simulator_takes() {
        let cases = [
            (
                5000,
                "--days 30 --orders-per-day 167 --buyers 500 --products 80 --stores 6",
            ),
            (
                1_000_000,
                "--days 30 --orders-per-day 33334 --buyers 100000 --products 13333 --stores 400",
            ),
        ];
        for (orders, expected) in cases {
            assert_eq!(history(orders).join(" "), expected);
        }
    }
}
