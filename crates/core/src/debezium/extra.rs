//! Columns the catalogue does not know, carried along as JSON.

use rust_decimal::Decimal;
use serde_json::{Map, Number, Value};

use super::decimal;
use super::document::MAX_DEPTH;
use super::error::{DecodeError, Fault};
use super::object::{self, Object};
use super::schema::{Field, Form};
use super::value::Values;
use crate::table::Table;

/// An extra column as it came, but exact: a decimal in base64 becomes its text, a number that a float would change
/// stays text, NUL is removed. `None` for a large value that did not come: the column is left out (pitfall 6).
pub(crate) fn decode(
    values: &Values,
    table: Table,
    name: &str,
    raw: &str,
    field: Option<&Field>,
) -> Result<Option<Value>, DecodeError> {
    if values.unavailable.is(raw) {
        return Ok(None);
    }
    let decimal = match field.map(|field| field.form) {
        Some(Form::Decimal(scale)) if raw.starts_with('"') => object::string(raw)
            .ok_or(Fault::Broken)
            .and_then(|text| decimal::from_base64(&text))
            .and_then(|unscaled| decimal::scaled(unscaled, scale))
            .ok(),
        Some(Form::VariableDecimal) if raw.starts_with('{') => decimal::from_structure(raw).ok(),
        _ => None,
    };
    if let Some(decimal) = decimal {
        return Ok(Some(Value::from(decimal.to_string())));
    }
    json(raw, 0)
        .map(Some)
        .map_err(|fault| fault.at(table, name, "a value of an extra column"))
}

fn json(raw: &str, depth: usize) -> Result<Value, Fault> {
    if depth > MAX_DEPTH {
        return Err(Fault::TooDeep);
    }
    Ok(match raw.as_bytes().first() {
        Some(b'"') => {
            let text = object::string(raw).ok_or(Fault::Broken)?;
            Value::from(text.replace('\0', ""))
        }
        Some(b'{') => {
            let object = Object::of_value(raw)?;
            let mut map = Map::new();
            for (name, value) in object.members() {
                map.insert(name.replace('\0', ""), json(value, depth + 1)?);
            }
            Value::Object(map)
        }
        Some(b'[') => {
            let elements = object::elements(raw).ok_or(Fault::Broken)?;
            let elements = elements.into_iter().map(|element| json(element, depth + 1));
            Value::Array(elements.collect::<Result<_, _>>()?)
        }
        Some(b't') => Value::Bool(true),
        Some(b'f') => Value::Bool(false),
        Some(b'n') | None => Value::Null,
        Some(_) => number(raw),
    })
}

/// A number as a JSON number where that keeps it exactly, else as text.
fn number(raw: &str) -> Value {
    if let Ok(integer) = raw.parse::<i64>() {
        return Value::from(integer);
    }
    if let Ok(integer) = raw.parse::<u64>() {
        return Value::from(integer);
    }
    let float = raw.parse::<f64>().ok().and_then(Number::from_f64);
    let exact = |text: &str| -> Option<Decimal> { decimal::from_number(text).ok() };
    match float {
        Some(float) if exact(raw).is_some() && exact(raw) == exact(&float.to_string()) => {
            Value::Number(float)
        }
        _ => Value::from(raw),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extra_values_stay_what_they_are() {
        for (raw, expected) in [
            ("null", "null"),
            ("true", "true"),
            ("9007199254740993", "9007199254740993"),
            ("18446744073709551615", "18446744073709551615"),
            ("1.5", "1.5"),
            ("12345678901234567890.12", "\"12345678901234567890.12\""),
            ("99999999999999999999", "\"99999999999999999999\""),
            ("1e999", "\"1e999\""),
            (r#""a\u0000b""#, "\"ab\""),
            (
                r#"{"b":[1,{"c":null}],"a":"x"}"#,
                r#"{"a":"x","b":[1,{"c":null}]}"#,
            ),
        ] {
            assert_eq!(json(raw, 0).unwrap().to_string(), expected, "{raw}");
        }
        assert_eq!(json(r#"{"a":1,"a":2}"#, 0), Err(Fault::Duplicate));
        assert_eq!(json(r#""\ud800""#, 0), Err(Fault::Broken));
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(json(&nested(MAX_DEPTH), 0).is_ok());
        assert_eq!(json(&nested(20_000), 0), Err(Fault::TooDeep));
    }
}
