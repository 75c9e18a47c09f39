//! Rows of a cut: counted, hashed, listed.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use futures::TryStreamExt;
use instashop_core::table::{ColumnKind, Table};

use super::Cut;
use crate::StoreError;
use crate::postgres::failed;

/// A table's rows in one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableSum {
    /// The table.
    pub table: Table,
    /// Rows.
    pub rows: i64,
    /// Sum of the hashes of all rows: the same for the same rows in any order.
    pub checksum: String,
}

/// A row that two cuts do not have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Difference {
    /// Primary key.
    pub key: i64,
    /// How the cuts differ, in the order they were given.
    pub kind: DifferenceKind,
}

/// See [`Difference`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DifferenceKind {
    /// The first cut alone has the row.
    OnlyFirst,
    /// The second cut alone has the row.
    OnlySecond,
    /// Both have it, with other values.
    Other,
}

impl Difference {
    /// All differences between two results of [`Cut::row_hashes`], by key.
    pub fn between(first: &BTreeMap<i64, i64>, second: &BTreeMap<i64, i64>) -> Vec<Self> {
        let of_first = first.iter().filter_map(|(key, hash)| match second.get(key) {
            None => Some((*key, DifferenceKind::OnlyFirst)),
            Some(other) if other != hash => Some((*key, DifferenceKind::Other)),
            Some(_) => None,
        });
        let of_second = second
            .keys()
            .filter(|key| !first.contains_key(key))
            .map(|key| (*key, DifferenceKind::OnlySecond));
        let mut all: Vec<Self> = of_first
            .chain(of_second)
            .map(|(key, kind)| Self { key, kind })
            .collect();
        all.sort_by_key(|difference| difference.key);
        all
    }
}

/// Hash of a row: 64 bits of the MD5 of all its values as text. MD5 is the same on every version and machine; trailing
/// zeros of a decimal do not count, JSON is compared as `jsonb`, and NULL differs from the empty text.
fn hash(table: Table) -> String {
    let values: Vec<String> = table
        .columns()
        .iter()
        .map(|column| match column.kind {
            ColumnKind::Money => format!("trim_scale(r.\"{}\")", column.name),
            _ => format!("r.\"{}\"", column.name),
        })
        .collect();
    format!(
        "('x' || left(md5(ROW({})::text), 16))::bit(64)::bigint",
        values.join(", ")
    )
}

pub(super) async fn sum(cut: &Cut<'_>, table: Table) -> Result<TableSum, StoreError> {
    let text = format!(
        "hashed AS (SELECT {} AS hash FROM {} r) SELECT count(*), coalesce(sum(hash::numeric), 0)::text FROM hashed",
        hash(table),
        table.name()
    );
    let row = cut
        .transaction
        .query_one(&cut.prelude.before(&[table], &text), &[])
        .await
        .map_err(|error| failed(&format!("cannot sum up {} of {}", table.name(), cut.what), error))?;
    Ok(TableSum {
        table,
        rows: row.get(0),
        checksum: row.get(1),
    })
}

pub(super) async fn count(cut: &Cut<'_>, table: Table) -> Result<i64, StoreError> {
    let text = format!(
        "counted AS (SELECT count(*) AS n FROM {}) SELECT n FROM counted",
        table.name()
    );
    let row = cut
        .transaction
        .query_one(&cut.prelude.before(&[table], &text), &[])
        .await
        .map_err(|error| failed(&format!("cannot count {} of {}", table.name(), cut.what), error))?;
    Ok(row.get(0))
}

/// The column that gives a row its business day in the live store; of a line it is its order's.
const fn dated(table: Table) -> Option<&'static str> {
    match table {
        Table::Transaction | Table::TransactionDetail => Some("transaction_date"),
        Table::UserBehavior => Some("timestamp"),
        Table::InventoryMovement => Some("movement_date"),
        Table::Interaction => Some("interaction_date"),
        Table::Shipment => Some("estimated_delivery_date"),
        _ => None,
    }
}

/// Rows that are not of a day before `boundary`; `None` for tables whose rows have no day.
pub(super) async fn live_count(
    cut: &Cut<'_>,
    table: Table,
    zone: &str,
    boundary: NaiveDate,
) -> Result<Option<i64>, StoreError> {
    let Some(column) = dated(table) else {
        return Ok(None);
    };
    let from = match table {
        Table::TransactionDetail => "transactiondetail d LEFT JOIN transaction r USING (transaction_id)",
        table => &format!("{} r", table.name()),
    };
    // No day without a year of four digits, in UTC and in the zone: such rows are never of a sealed day.
    let text = format!(
        "counted AS (SELECT count(*) AS n FROM {from} WHERE NOT coalesce(
           r.\"{column}\" >= TIMESTAMP '0001-01-01' AND r.\"{column}\" < TIMESTAMP '10000-01-01'
             AND r.\"{column}\" AT TIME ZONE 'UTC' AT TIME ZONE $1::text >= TIMESTAMP '0001-01-01'
             AND r.\"{column}\" AT TIME ZONE 'UTC' AT TIME ZONE $1::text < $2::date, false)) SELECT n FROM counted"
    );
    let row = cut
        .transaction
        .query_one(
            &cut.prelude.before(&[Table::Transaction, table], &text),
            &[&zone, &boundary],
        )
        .await
        .map_err(|error| failed(&format!("cannot count {} of {}", table.name(), cut.what), error))?;
    Ok(Some(row.get(0)))
}

pub(super) async fn hashes(cut: &Cut<'_>, table: Table) -> Result<BTreeMap<i64, i64>, StoreError> {
    let text = format!(
        "hashed AS (SELECT r.{} AS key, {} AS hash FROM {} r) SELECT key, hash FROM hashed",
        table.key(),
        hash(table),
        table.name()
    );
    let fail = |error| failed(&format!("cannot list {} of {}", table.name(), cut.what), error);
    let none: [i64; 0] = [];
    let stream = cut
        .transaction
        .query_raw(&cut.prelude.before(&[table], &text), none)
        .await
        .map_err(fail)?;
    stream
        .map_ok(|row| (row.get::<_, i64>(0), row.get::<_, i64>(1)))
        .try_collect()
        .await
        .map_err(fail)
}

pub(super) async fn row(cut: &Cut<'_>, table: Table, key: i64) -> Result<Option<String>, StoreError> {
    let text = format!(
        "found AS (SELECT to_jsonb(r)::text AS row FROM {} r WHERE r.{} = $1) SELECT row FROM found",
        table.name(),
        table.key()
    );
    let row = cut
        .transaction
        .query_opt(&cut.prelude.before(&[table], &text), &[&key])
        .await
        .map_err(|error| failed(&format!("cannot read {} of {}", table.name(), cut.what), error))?;
    Ok(row.map(|row| row.get(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_by_key() {
        let first = BTreeMap::from([(1, 10), (2, 20), (3, 30)]);
        let second = BTreeMap::from([(2, 21), (3, 30), (4, 40)]);
        let found: Vec<_> = Difference::between(&first, &second)
            .iter()
            .map(|difference| (difference.key, difference.kind))
            .collect();
        assert_eq!(
            found,
            [
                (1, DifferenceKind::OnlyFirst),
                (2, DifferenceKind::Other),
                (4, DifferenceKind::OnlySecond)
            ]
        );
        assert_eq!(Difference::between(&first, &first), []);
    }
}
