//! A row image: the columns of the catalogue with their exact values, and the rest as JSON.

use std::collections::BTreeMap;

use super::error::DecodeError;
use super::extra;
use super::object::Object;
use super::schema::RowSchema;
use super::value::Values;
use crate::change::{Row, Value};
use crate::table::{Column, Table};

/// How much an image has to hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Image {
    /// An image after a change: every needed column (pitfall 24).
    Whole,
    /// An image before a change: under the default identity the key alone is real (pitfall 5).
    Partial,
}

/// Decodes an image. `flattened` leaves out the metadata columns of a flattened row (`__op`, `__deleted`, ...).
pub(crate) fn decode(
    values: &mut Values,
    table: Table,
    object: &Object<'_>,
    schema: Option<&RowSchema>,
    image: Image,
    flattened: bool,
) -> Result<Row, DecodeError> {
    let columns = table.columns();
    let mut row = vec![Value::Null; columns.len()];
    let mut seen = 0u32;
    let mut next = 0;
    let mut extra = BTreeMap::new();
    for (place, (name, raw)) in object.members().iter().enumerate() {
        let field = schema.and_then(|schema| schema.field(name, place));
        if let Some(index) = find(columns, name, next) {
            next = index + 1;
            seen |= 1 << index;
            row[index] = values.decode(table, index, raw, field)?;
        } else if !(flattened && name.starts_with("__"))
            && let Some(value) = extra::decode(values, table, name, raw, field)?
        {
            extra.insert(name.clone().into_owned(), value);
        }
    }
    if image == Image::Whole {
        for (index, column) in columns.iter().enumerate() {
            if column.needed && seen & (1 << index) == 0 {
                return Err(DecodeError::MissingColumn {
                    table,
                    column: column.name,
                });
            }
        }
    }
    Ok(Row { values: row, extra })
}

/// Index of a column; events keep the order of the table, so the next one is tried first.
fn find(columns: &[Column], name: &str, next: usize) -> Option<usize> {
    match columns.get(next) {
        Some(column) if column.name == name => Some(next),
        _ => columns.iter().position(|column| column.name == name),
    }
}
