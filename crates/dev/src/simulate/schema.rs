//! The source tables: created where they are missing, counted, emptied, and their sequences.
//!
//! Replica identity and publications are the business of `instashop setup`.

use std::collections::BTreeMap;

use color_eyre::eyre::{Result, WrapErr};
use instashop_core::table::{SourceDb, Table};
use tokio_postgres::Client;

const fn ddl(table: Table) -> &'static str {
    match table {
        Table::Customer => include_str!("../../sql/source/customer.sql"),
        Table::Buyer => include_str!("../../sql/source/buyer.sql"),
        Table::Product => include_str!("../../sql/source/product.sql"),
        Table::Transaction => include_str!("../../sql/source/transaction.sql"),
        Table::TransactionDetail => include_str!("../../sql/source/transactiondetail.sql"),
        Table::UserBehavior => include_str!("../../sql/source/userbehavior.sql"),
        Table::Interaction => include_str!("../../sql/source/interaction.sql"),
        Table::Segment => include_str!("../../sql/source/segment.sql"),
        Table::CustomerSegment => include_str!("../../sql/source/customersegment.sql"),
        Table::Stock => include_str!("../../sql/source/stock.sql"),
        Table::InventoryMovement => include_str!("../../sql/source/inventorymovement.sql"),
        Table::Carrier => include_str!("../../sql/source/carrier.sql"),
        Table::Shipment => include_str!("../../sql/source/shipment.sql"),
    }
}

/// Creates the tables of a source that are missing, with their indexes, and gives them. A table that is there is left
/// as it is, whoever made it.
pub(crate) async fn ensure(client: &Client, source: SourceDb) -> Result<Vec<Table>> {
    let mut created = Vec::new();
    for table in source.tables() {
        let found = client
            .query_one("SELECT to_regclass($1) IS NOT NULL", &[&table.name()])
            .await?;
        if found.get::<_, bool>(0) {
            continue;
        }
        // One text is one implicit transaction: table and indexes together or not at all.
        client
            .batch_execute(ddl(table))
            .await
            .wrap_err_with(|| format!("cannot create the table {} in {}", table.name(), source.name()))?;
        created.push(table);
    }
    Ok(created)
}

/// Tables of a source that hold at least one row.
pub(crate) async fn filled(client: &Client, source: SourceDb) -> Result<Vec<Table>> {
    let mut filled = Vec::new();
    for table in source.tables() {
        let row = client
            .query_one(&format!("SELECT EXISTS (SELECT FROM {})", table.name()), &[])
            .await?;
        if row.get::<_, bool>(0) {
            filled.push(table);
        }
    }
    Ok(filled)
}

/// Deletes all rows of a source, what refers to others first. Rows are deleted and the tables not truncated: a
/// TRUNCATE leaves no change event behind (docs: kpis 2.2).
pub(crate) async fn empty(client: &Client, source: SourceDb) -> Result<u64> {
    let mut deleted = 0;
    let mut tables: Vec<Table> = source.tables().collect();
    tables.sort_by_key(|table| match table {
        Table::TransactionDetail | Table::UserBehavior | Table::CustomerSegment => 0,
        Table::Transaction => 1,
        Table::Product => 2,
        _ => 3,
    });
    for table in tables {
        deleted += client
            .execute(&format!("DELETE FROM {}", table.name()), &[])
            .await?;
    }
    Ok(deleted)
}

/// The sequence that gives a table its keys; nothing when the key has none.
pub(crate) async fn sequence(client: &Client, table: Table) -> Result<Option<String>, tokio_postgres::Error> {
    let row = client
        .query_opt(
            "SELECT coalesce(pg_get_serial_sequence($1, $2), \
                    substring(pg_get_expr(d.adbin, d.adrelid) from 'nextval\\(''([^'']+)''')) \
             FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum \
             WHERE a.attrelid = to_regclass($1) AND a.attname = $2",
            &[&table.name(), &table.key()],
        )
        .await?;
    Ok(row.and_then(|row| row.get(0)))
}

/// The first key that was never given out, by table.
pub(crate) async fn first_ids(client: &Client, source: SourceDb) -> Result<BTreeMap<Table, i64>> {
    let mut first = BTreeMap::new();
    for table in source.tables() {
        let used = match sequence(client, table).await? {
            Some(name) => {
                let row = client
                    .query_one(
                        "SELECT coalesce(pg_sequence_last_value($1::text::regclass), 0)",
                        &[&name],
                    )
                    .await?;
                row.get::<_, i64>(0)
            }
            None => 0,
        };
        first.insert(table, used + 1);
    }
    Ok(first)
}

/// Moves a sequence past every key in its table, so that the next key is new; never moves it back.
pub(crate) async fn catch_up(
    client: &Client,
    table: Table,
    sequence: &str,
) -> Result<(), tokio_postgres::Error> {
    let statement = format!(
        "SELECT setval($1::text::regclass, m.top) FROM (SELECT max({})::bigint AS top FROM {}) m \
         WHERE m.top > coalesce(pg_sequence_last_value($1::text::regclass), 0)",
        table.key(),
        table.name()
    );
    client.query(&statement, &[&sequence]).await?;
    Ok(())
}

/// True when a table has a column.
pub(crate) async fn has_column(
    client: &Client,
    table: Table,
    column: &str,
) -> Result<bool, tokio_postgres::Error> {
    let row = client
        .query_one(
            "SELECT EXISTS (SELECT FROM pg_attribute WHERE attrelid = to_regclass($1) AND attname = $2 AND NOT attisdropped)",
            &[&table.name(), &column],
        )
        .await?;
    Ok(row.get(0))
}
