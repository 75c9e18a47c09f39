//! One value of a column of the catalogue, from whatever form the connector gave it.

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use super::Counters;
use super::decimal;
use super::document;
use super::error::{DecodeError, Fault};
use super::object;
use super::schema::{Field, Form, RowSchema};
use super::time::{self, TimeUnit};
use super::unavailable::Unavailable;
use crate::change::Value;
use crate::table::{ColumnKind, Table};

/// Most columns a table of the catalogue has.
const COLUMNS: usize = 16;

/// What is known of a column beyond the record at hand.
#[derive(Debug, Clone, Copy, Default)]
struct Known {
    /// Scale of its base64 decimals.
    scale: Option<i32>,
    /// Unit of its integers, if it is a moment.
    unit: Option<TimeUnit>,
    /// True when its decimals were seen as plain text, false when as base64.
    plain: Option<bool>,
}

/// Decodes values, remembers what was learned about columns, counts what is worth a look.
#[derive(Debug)]
pub(crate) struct Values {
    pub(crate) unavailable: Unavailable,
    pub(crate) counters: Counters,
    known: [[Known; COLUMNS]; Table::ALL.len()],
    bare_times: Option<TimeUnit>,
}

impl Values {
    pub(crate) fn new(unavailable: &str, bare_times: Option<TimeUnit>) -> Self {
        Self {
            unavailable: Unavailable::new(unavailable),
            counters: Counters::default(),
            known: Default::default(),
            bare_times,
        }
    }

    /// The scale of a decimal column, for records that come without a schema.
    pub(crate) fn know_scale(&mut self, table: Table, column: usize, scale: i32) {
        if let Some(known) = self.known_mut(table, column) {
            known.scale = Some(scale);
        }
    }

    /// The unit of a moment column, for records that come without a schema.
    pub(crate) fn know_unit(&mut self, table: Table, column: usize, unit: TimeUnit) {
        if let Some(known) = self.known_mut(table, column) {
            known.unit = Some(unit);
        }
    }

    /// Keeps scales and units of a schema met for the first time, and counts the defaults that hide a NULL.
    pub(crate) fn learn(&mut self, table: Table, schema: &RowSchema) {
        for (name, field) in schema.fields() {
            if field.default_hides_null {
                self.counters.defaults_hiding_null += 1;
            }
            let Some(index) = table.column(name) else {
                continue;
            };
            match (table.columns()[index].kind, field.form) {
                (_, Form::Decimal(scale)) => self.know_scale(table, index, scale),
                (ColumnKind::Timestamp, Form::Moment(unit)) => self.know_unit(table, index, unit),
                _ => {}
            }
        }
    }

    fn known(&self, table: Table, column: usize) -> Known {
        let table = self.known.get(table as usize);
        table
            .and_then(|columns| columns.get(column))
            .copied()
            .unwrap_or_default()
    }

    fn known_mut(&mut self, table: Table, column: usize) -> Option<&mut Known> {
        self.known.get_mut(table as usize)?.get_mut(column)
    }

    /// Decodes the value of a column of the catalogue.
    pub(crate) fn decode(
        &mut self,
        table: Table,
        index: usize,
        raw: &str,
        field: Option<&Field>,
    ) -> Result<Value, DecodeError> {
        if raw == "null" {
            return Ok(Value::Null);
        }
        if self.unavailable.is(raw) {
            return Ok(Value::Missing);
        }
        let column = &table.columns()[index];
        let form = field.map(|field| field.form);
        let (value, expected) = match column.kind {
            ColumnKind::BigInt => (self.integer(table, index, raw, form), "a 64-bit integer"),
            ColumnKind::Int => {
                let value = self
                    .integer(table, index, raw, form)
                    .and_then(|value| match value {
                        Value::Int(number) if i32::try_from(number).is_err() => Err(Fault::OutOfRange),
                        value => Ok(value),
                    });
                (value, "a 32-bit integer")
            }
            ColumnKind::Money => (self.money(table, index, raw, form), "a decimal"),
            ColumnKind::Text => (self.text(raw), "a text"),
            ColumnKind::Timestamp => (self.moment(table, index, raw, form), "a timestamp"),
            ColumnKind::Json => (self.document(raw), "a JSON document"),
        };
        value.map_err(|fault| fault.at(table, column.name, expected))
    }

    /// An integer, also one that came as a text or as a decimal without a fraction.
    fn integer(&mut self, table: Table, index: usize, raw: &str, form: Option<Form>) -> Result<Value, Fault> {
        if object::is_number(raw)
            && let Ok(value) = raw.parse()
        {
            return Ok(Value::Int(value));
        }
        let decimal = match form {
            Some(Form::Decimal(_)) => self.decimal(table, index, raw, form)?,
            _ if raw.starts_with('"') => {
                let text = object::string(raw).ok_or(Fault::Broken)?;
                decimal::from_text(&text)?
            }
            _ => self.decimal(table, index, raw, form)?,
        };
        let decimal = decimal.ok_or(Fault::WrongType)?;
        if !decimal.is_integer() {
            return Err(Fault::WrongType);
        }
        decimal.to_i64().map(Value::Int).ok_or(Fault::OutOfRange)
    }

    /// An amount. NaN and the infinities, which no amount can be, are NULL and counted (pitfall 12).
    fn money(&mut self, table: Table, index: usize, raw: &str, form: Option<Form>) -> Result<Value, Fault> {
        let float = match form {
            Some(Form::Float) => true,
            None => object::is_number(raw) && raw.contains(['.', 'e', 'E']),
            Some(_) => false,
        };
        if float {
            self.counters.float_amounts += 1;
        }
        if let Some(value) = self.decimal(table, index, raw, form)? {
            return Ok(Value::Decimal(value));
        }
        self.counters.not_a_number += 1;
        Ok(Value::Null)
    }

    /// A decimal in any form; `None` for NaN and the infinities.
    fn decimal(
        &mut self,
        table: Table,
        index: usize,
        raw: &str,
        form: Option<Form>,
    ) -> Result<Option<Decimal>, Fault> {
        match raw.as_bytes().first() {
            Some(b'"') => {
                let text = object::string(raw).ok_or(Fault::Broken)?;
                match form {
                    Some(Form::Decimal(scale)) => {
                        let unscaled = decimal::from_base64(&text)?;
                        decimal::scaled(unscaled, scale).map(Some)
                    }
                    Some(Form::Text | Form::Float) => decimal::from_text(&text),
                    _ => self.bare_decimal(table, index, &text),
                }
            }
            Some(b'{') => decimal::from_structure(raw).map(Some),
            Some(b'-' | b'0'..=b'9') => decimal::from_number(raw).map(Some),
            _ => Err(Fault::WrongType),
        }
    }

    /// A decimal in a string of which no schema says whether it is a text or base64 (pitfall 10).
    ///
    /// `129.90` can only be a text, `Mr4=` only base64. `1234` is both: it is read as the column's other values were,
    /// or as base64 when the column is known to have digits after the point, because a text would then show them.
    /// What stays open is refused, and so is base64 without a scale: two digits are never assumed. Once a column has
    /// shown a text, base64 in it is a mistake (`many` is base64, too).
    fn bare_decimal(&mut self, table: Table, index: usize, text: &str) -> Result<Option<Decimal>, Fault> {
        let known = self.known(table, index);
        let as_text = decimal::from_text(text);
        let as_base64 = decimal::from_base64(text);
        let plain = match (&as_text, &as_base64) {
            (Ok(None), _) => return Ok(None),
            (Ok(_), _) if decimal::is_plainly_text(text) => true,
            (Ok(_), Ok(_)) => match (known.plain, known.scale) {
                (Some(plain), _) => plain,
                (None, Some(scale)) if scale > 0 => false,
                (None, _) => return Err(Fault::Ambiguous),
            },
            (Ok(_), Err(_)) => true,
            (Err(fault), Ok(_)) if known.plain == Some(true) => return Err(*fault),
            (Err(_), Ok(_)) => false,
            (Err(fault), Err(_)) => return Err(*fault),
        };
        let value = if plain {
            as_text
        } else {
            let scale = known.scale.ok_or(Fault::UnknownScale)?;
            decimal::scaled(as_base64?, scale).map(Some)
        };
        if value.is_ok()
            && known.plain != Some(plain)
            && let Some(known) = self.known_mut(table, index)
        {
            known.plain = Some(plain);
        }
        value
    }

    /// A text. Numbers, booleans and whatever else another program's column holds are kept as their JSON text.
    fn text(&mut self, raw: &str) -> Result<Value, Fault> {
        if !raw.starts_with('"') {
            return Ok(Value::Text(raw.to_owned()));
        }
        let text = object::string(raw).ok_or(Fault::Broken)?;
        if text.contains('\0') {
            self.counters.removed_nul += 1;
            return Ok(Value::Text(text.replace('\0', "")));
        }
        Ok(Value::Text(text.into_owned()))
    }

    /// A moment: by the schema, else by what is known of the column, else by the size of the number (pitfall 13).
    fn moment(&mut self, table: Table, index: usize, raw: &str, form: Option<Form>) -> Result<Value, Fault> {
        let moment = match raw.as_bytes().first() {
            Some(b'"') => time::from_text(&object::string(raw).ok_or(Fault::Broken)?)?,
            Some(b'{') => time::from_structure(raw)?,
            Some(b'-' | b'0'..=b'9') => {
                let value: i64 = match raw.parse() {
                    Ok(value) => value,
                    Err(_) if raw.contains(['.', 'e', 'E']) => return Err(Fault::WrongType),
                    Err(_) => return Err(Fault::OutOfRange),
                };
                let known = self.known(table, index).unit.or(self.bare_times);
                let unit = match (form, known) {
                    (Some(Form::Moment(unit)), _) | (_, Some(unit)) => unit,
                    _ => {
                        let (unit, counted) = time::guess(value);
                        self.counters.guessed_units += u64::from(counted);
                        unit
                    }
                };
                time::from_integer(value, unit)?
            }
            _ => return Err(Fault::WrongType),
        };
        Ok(Value::Timestamp(moment))
    }

    /// A document: a text with JSON in it, or the JSON itself. A text that is no JSON becomes a JSON string.
    fn document(&mut self, raw: &str) -> Result<Value, Fault> {
        let text = if raw.starts_with('"') {
            object::string(raw).ok_or(Fault::Broken)?
        } else {
            raw.into()
        };
        match document::clean(&text)? {
            Some((clean, removed)) => {
                self.counters.removed_nul += u64::from(removed);
                Ok(Value::Json(clean.into_owned()))
            }
            None => Ok(Value::Json(
                serde_json::Value::from(text.replace('\0', "")).to_string(),
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_column_has_a_place_for_what_is_known_of_it() {
        for (index, table) in Table::ALL.into_iter().enumerate() {
            assert_eq!(table as usize, index);
            assert!(table.columns().len() <= COLUMNS, "{}", table.name());
        }
    }
}
