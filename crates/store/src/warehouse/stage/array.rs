//! One column of many rows as one parameter: `INSERT ... SELECT ... FROM unnest($1::bigint[], ...)`.
//!
//! One statement for any number of rows, without the limit of 65,535 parameters (docs: cdc S5). A binary COPY into a
//! temporary table is no faster at the batch sizes in use (docs: libraries, "Measured: writing to PostgreSQL").

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use instashop_core::change::Value;
use instashop_core::table::ColumnKind;
use rust_decimal::Decimal;
use tokio_postgres::types::{PgLsn, ToSql};

use crate::postgres::moment::SqlMoment;

/// A column.
pub(in crate::warehouse) enum Array<'a> {
    /// `bigint[]`.
    Int(Vec<Option<i64>>),
    /// `int[]`.
    Small(Vec<i32>),
    /// `numeric[]`.
    Decimal(Vec<Option<Decimal>>),
    /// `text[]`, also for JSON.
    Text(Vec<Option<Cow<'a, str>>>),
    /// `timestamp[]`.
    Moment(Vec<Option<SqlMoment>>),
    /// `timestamptz[]`.
    Time(Vec<Option<DateTime<Utc>>>),
    /// `pg_lsn[]`.
    Lsn(Vec<PgLsn>),
    /// `bool[]`.
    Bool(Vec<bool>),
    /// `bytea[]`.
    Bytes(Vec<Option<&'a [u8]>>),
}

impl<'a> Array<'a> {
    /// Values of a source column. A value of another kind than the column's becomes NULL: the decoder gives none.
    pub(in crate::warehouse) fn of(
        kind: ColumnKind,
        values: impl Iterator<Item = Option<&'a Value>>,
    ) -> Self {
        match kind {
            ColumnKind::BigInt | ColumnKind::Int => Self::Int(
                values
                    .map(|value| match value {
                        Some(Value::Int(value)) => Some(*value),
                        _ => None,
                    })
                    .collect(),
            ),
            ColumnKind::Money => Self::Decimal(
                values
                    .map(|value| match value {
                        Some(Value::Decimal(value)) => Some(*value),
                        _ => None,
                    })
                    .collect(),
            ),
            ColumnKind::Text | ColumnKind::Json => Self::Text(
                values
                    .map(|value| match value {
                        Some(Value::Text(value) | Value::Json(value)) => Some(clean(value)),
                        _ => None,
                    })
                    .collect(),
            ),
            ColumnKind::Timestamp => Self::Moment(
                values
                    .map(|value| match value {
                        Some(Value::Timestamp(moment)) => Some(SqlMoment(*moment)),
                        _ => None,
                    })
                    .collect(),
            ),
        }
    }

    /// As a statement parameter.
    pub(in crate::warehouse) fn parameter(&self) -> &(dyn ToSql + Sync) {
        match self {
            Self::Int(values) => values,
            Self::Small(values) => values,
            Self::Decimal(values) => values,
            Self::Text(values) => values,
            Self::Moment(values) => values,
            Self::Time(values) => values,
            Self::Lsn(values) => values,
            Self::Bool(values) => values,
            Self::Bytes(values) => values,
        }
    }
}

/// Text without the NUL character, which PostgreSQL cannot hold.
pub(in crate::warehouse) fn clean(text: &str) -> Cow<'_, str> {
    if text.contains('\0') {
        Cow::Owned(text.replace('\0', ""))
    } else {
        Cow::Borrowed(text)
    }
}

/// JSON without NUL characters in its texts.
pub(in crate::warehouse) fn clean_json(value: &serde_json::Value) -> serde_json::Value {
    use serde_json::Value as Json;
    match value {
        Json::String(text) => Json::String(clean(text).into_owned()),
        Json::Array(values) => Json::Array(values.iter().map(clean_json).collect()),
        Json::Object(map) => Json::Object(
            map.iter()
                .map(|(name, value)| (clean(name).into_owned(), clean_json(value)))
                .collect(),
        ),
        other => other.clone(),
    }
}
