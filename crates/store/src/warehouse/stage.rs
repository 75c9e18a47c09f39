//! The current rows: reading the stored images of a batch's keys, and writing the new ones.
//!
//! * `array` carries one column of many rows as one parameter.

pub(super) mod array;

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write;

use instashop_core::change::{Row, Value};
use instashop_core::fold::Stored;
use instashop_core::position::Position;
use instashop_core::table::{Column, ColumnKind, Table};
use rust_decimal::Decimal;
use tokio_postgres::types::{PgLsn, ToSql};

use self::array::{Array, clean};
use crate::StoreError;
use crate::postgres::broken;
use crate::postgres::moment::SqlMoment;

/// Columns at the end of every staging table, with the type of their array parameter.
const OURS: [(&str, &str); 7] = [
    ("_generation", "int"),
    ("_lsn", "pg_lsn"),
    ("_committed_at", "timestamptz"),
    ("_snapshot", "bool"),
    ("_deleted", "bool"),
    ("_extra", "text"),
    ("_missing", "text"),
];

/// Type of a column's array parameter. JSON travels as text and is cast by the statement.
const fn parameter(kind: ColumnKind) -> &'static str {
    match kind {
        ColumnKind::BigInt | ColumnKind::Int => "bigint",
        ColumnKind::Money => "numeric",
        ColumnKind::Text | ColumnKind::Json => "text",
        ColumnKind::Timestamp => "timestamp",
    }
}

/// Statement that reads the stored images of some keys; `$1` is the array of keys.
pub(super) fn select(table: Table) -> String {
    let mut text = String::from("SELECT ");
    for column in table.columns() {
        let cast = if column.kind == ColumnKind::Json {
            "::text"
        } else {
            ""
        };
        let _ = write!(text, "\"{}\"{cast}, ", column.name);
    }
    let _ = write!(
        text,
        "_generation, _lsn, _committed_at, _snapshot, _deleted, _extra, _missing FROM staging.{} WHERE {} = ANY($1)",
        table.name(),
        table.key()
    );
    text
}

/// Statement that writes images, one array parameter per column; rows come in the order of their keys, so that two
/// writers cannot wait for each other in a circle.
pub(super) fn upsert(table: Table) -> String {
    let names: Vec<String> = table
        .columns()
        .iter()
        .map(|column| format!("\"{}\"", column.name))
        .chain(OURS.iter().map(|(name, _)| (*name).to_owned()))
        .collect();
    let kinds = table
        .columns()
        .iter()
        .map(|column| parameter(column.kind))
        .chain(OURS.iter().map(|(_, kind)| *kind));
    let arrays: Vec<String> = kinds
        .zip(1..)
        .map(|(kind, index)| format!("${index}::{kind}[]"))
        .collect();
    let values: Vec<String> = names
        .iter()
        .map(|name| match name.as_str() {
            "_extra" => "u._extra::jsonb".to_owned(),
            "_missing" => "string_to_array(u._missing, ',')".to_owned(),
            name if is_json(table, name.trim_matches('"')) => format!("u.{name}::jsonb"),
            name => format!("u.{name}"),
        })
        .collect();
    let replaced: Vec<String> = names
        .iter()
        .skip(1)
        .map(|name| format!("{name} = excluded.{name}"))
        .collect();
    format!(
        "INSERT INTO staging.{table} AS t ({columns}) SELECT {values} FROM unnest({arrays}) AS u({columns}) \
         ON CONFLICT ({key}) DO UPDATE SET {replaced}",
        table = table.name(),
        columns = names.join(", "),
        values = values.join(", "),
        arrays = arrays.join(", "),
        key = table.key(),
        replaced = replaced.join(", "),
    )
}

fn is_json(table: Table, name: &str) -> bool {
    let column = table.columns().iter().find(|column| column.name == name);
    column.is_some_and(|column| column.kind == ColumnKind::Json)
}

/// A stored image from a row of [`select`].
pub(super) fn read(table: Table, row: &tokio_postgres::Row) -> Result<(i64, Stored), StoreError> {
    let unreadable = |error: tokio_postgres::Error| {
        broken(format!(
            "staging.{} holds a value of a foreign type",
            table.name()
        ))
        .caused_by(error)
    };
    let mut values = Vec::with_capacity(table.columns().len());
    for (index, column) in table.columns().iter().enumerate() {
        values.push(value(row, index, column).map_err(unreadable)?);
    }
    let own = table.columns().len();
    let Some(Value::Int(key)) = values.first().cloned() else {
        return Err(broken(format!("staging.{} has a row without key", table.name())));
    };
    let lsn: PgLsn = row.try_get(own + 1).map_err(unreadable)?;
    let generation: i32 = row.try_get(own).map_err(unreadable)?;
    let extra: Option<serde_json::Value> = row.try_get(own + 5).map_err(unreadable)?;
    let missing: Option<Vec<String>> = row.try_get(own + 6).map_err(unreadable)?;
    let stored = Stored {
        position: Position {
            generation: u32::try_from(generation).unwrap_or_default(),
            lsn: lsn.into(),
        },
        committed_at: row.try_get(own + 2).map_err(unreadable)?,
        snapshot: row.try_get(own + 3).map_err(unreadable)?,
        deleted: row.try_get(own + 4).map_err(unreadable)?,
        row: Row {
            values,
            extra: match extra {
                Some(serde_json::Value::Object(map)) => map.into_iter().collect(),
                _ => BTreeMap::new(),
            },
        },
        missing: missing
            .unwrap_or_default()
            .iter()
            .filter_map(|name| table.column(name))
            .collect(),
    };
    Ok((key, stored))
}

fn value(row: &tokio_postgres::Row, index: usize, column: &Column) -> Result<Value, tokio_postgres::Error> {
    Ok(match column.kind {
        ColumnKind::BigInt | ColumnKind::Int => row.try_get::<_, Option<i64>>(index)?.map(Value::Int),
        ColumnKind::Money => row.try_get::<_, Option<Decimal>>(index)?.map(Value::Decimal),
        ColumnKind::Text => row.try_get::<_, Option<String>>(index)?.map(Value::Text),
        ColumnKind::Json => row.try_get::<_, Option<String>>(index)?.map(Value::Json),
        ColumnKind::Timestamp => row
            .try_get::<_, Option<SqlMoment>>(index)?
            .map(|moment| Value::Timestamp(moment.0)),
    }
    .unwrap_or(Value::Null))
}

/// The parameters of [`upsert`] for some images.
pub(super) fn arrays(table: Table, rows: &[(i64, Stored)]) -> Vec<Array<'_>> {
    let mut arrays = vec![Array::Int(rows.iter().map(|(key, _)| Some(*key)).collect())];
    for (index, column) in table.columns().iter().enumerate().skip(1) {
        let values = rows.iter().map(|(_, stored)| stored.row.values.get(index));
        arrays.push(Array::of(column.kind, values));
    }
    let stored = || rows.iter().map(|(_, stored)| stored);
    let missing = |stored: &Stored| {
        let names: Vec<&str> = stored
            .missing
            .iter()
            .filter_map(|index| table.columns().get(*index))
            .map(|column| column.name)
            .collect();
        (!names.is_empty()).then(|| names.join(",").into())
    };
    arrays.extend([
        Array::Small(
            stored()
                .map(|stored| i32::try_from(stored.position.generation).unwrap_or(i32::MAX))
                .collect(),
        ),
        Array::Lsn(stored().map(|stored| PgLsn::from(stored.position.lsn)).collect()),
        Array::Time(stored().map(|stored| Some(stored.committed_at)).collect()),
        Array::Bool(stored().map(|stored| stored.snapshot).collect()),
        Array::Bool(stored().map(|stored| stored.deleted).collect()),
        Array::Text(stored().map(|stored| extra(&stored.row)).collect()),
        Array::Text(stored().map(missing).collect()),
    ]);
    arrays
}

/// Columns beyond the catalogue as a JSON object, `None` when there are none.
pub(super) fn extra(row: &Row) -> Option<std::borrow::Cow<'static, str>> {
    if row.extra.is_empty() {
        return None;
    }
    let object: serde_json::Map<String, serde_json::Value> = row
        .extra
        .iter()
        .map(|(name, value)| (clean(name).into_owned(), array::clean_json(value)))
        .collect();
    Some(serde_json::Value::Object(object).to_string().into())
}

/// Arrays as statement parameters.
pub(super) fn parameters<'a>(arrays: &'a [Array<'_>]) -> Vec<&'a (dyn ToSql + Sync)> {
    arrays.iter().map(Array::parameter).collect()
}

/// Stored images of a batch's keys.
pub(super) type Images = HashMap<(Table, i64), Stored>;
