//! The key of a Kafka record: the primary key of the row, with or without a schema around it.

use rust_decimal::prelude::ToPrimitive;

use super::decimal;
use super::error::DecodeError;
use super::object::{self, Object};
use super::schema::{Form, RowSchema};
use crate::table::Table;

/// The primary key that a record's key names. `None` when there is no key, or when the key is made of other columns
/// (`message.key.columns`), so that the row has to say.
pub(crate) fn primary_key(table: Table, bytes: Option<&[u8]>) -> Result<Option<i64>, DecodeError> {
    let Some(bytes) = bytes else {
        return Ok(None);
    };
    let text = std::str::from_utf8(bytes)
        .map_err(|_| DecodeError::BadUtf8 { part: "key" })?
        .trim();
    match text.as_bytes().first() {
        None => Ok(None),
        Some(b'{') => {
            let mut object = Object::parse(text, "key")?;
            let mut schema = None;
            if object.members().len() == 2
                && let (Some(schema_text), Some(payload)) = (object.get("schema"), object.get("payload"))
            {
                if !payload.starts_with('{') {
                    return scalar(table, payload);
                }
                schema = Some(schema_text);
                object = Object::parse(payload, "key")?;
            }
            match (object.get(table.key()), schema) {
                (Some(value), Some(schema)) if value.starts_with('"') => of_decimal(table, value, schema),
                (Some(value), _) => scalar(table, value),
                (None, _) => Ok(None),
            }
        }
        Some(b'S') => from_struct_text(table, text)
            .map(Some)
            .ok_or(DecodeError::BadKey { table }),
        Some(_) => scalar(table, text),
    }
}

/// A single value as a key.
fn scalar(table: Table, raw: &str) -> Result<Option<i64>, DecodeError> {
    if raw == "null" {
        return Ok(None);
    }
    let whole = || {
        let text = object::string(raw).unwrap_or(raw.into());
        let value = decimal::from_number(&text).ok()?;
        value.is_integer().then(|| value.to_i64())?
    };
    let value = object::integer(raw).or_else(whole);
    value.map(Some).ok_or(DecodeError::BadKey { table })
}

/// A key that is a text, or base64 where its schema says so: a `numeric` key under `decimal.handling.mode=precise`.
fn of_decimal(table: Table, raw: &str, schema: &str) -> Result<Option<i64>, DecodeError> {
    let columns = RowSchema::parse(schema)?;
    let Some(Form::Decimal(scale)) = columns.field(table.key(), 0).map(|field| field.form) else {
        return scalar(table, raw);
    };
    let value = || {
        let unscaled = decimal::from_base64(&object::string(raw)?).ok()?;
        let value = decimal::scaled(unscaled, scale).ok()?;
        value.is_integer().then(|| value.to_i64())?
    };
    value().map(Some).ok_or(DecodeError::BadKey { table })
}

/// The key of a connector whose key converter is Connect's `StringConverter`: `Struct{transaction_id=7}`.
fn from_struct_text(table: Table, text: &str) -> Option<i64> {
    let members = text.strip_prefix("Struct{")?.strip_suffix('}')?;
    members
        .split(',')
        .find_map(|member| member.strip_prefix(table.key())?.strip_prefix('='))?
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    type Case = (&'static [u8], Result<Option<i64>, &'static str>);

    #[test]
    fn keys_in_every_form() {
        let decimal: &[u8] = br#"{"schema":{"type":"struct","fields":[{"type":"bytes","name":"org.apache.kafka.connect.data.Decimal","parameters":{"scale":"0"},"field":"transaction_id"}]},"payload":{"transaction_id":"1234"}}"#;
        let cases: [Case; 23] = [
            (decimal, Ok(Some(-2_658_824))),
            (b"{\"transaction_id\":7}", Ok(Some(7))),
            (b"{\"transaction_id\":-9223372036854775808}", Ok(Some(i64::MIN))),
            (b"{\"transaction_id\":\"7\"}", Ok(Some(7))),
            (b"{\"transaction_id\":7.0}", Ok(Some(7))),
            (
                b"{\"transaction_id\":7,\"__dbz__physicalTableIdentifier\":\"x\"}",
                Ok(Some(7)),
            ),
            (
                b"{\"schema\":{\"type\":\"struct\"},\"payload\":{\"transaction_id\":7}}",
                Ok(Some(7)),
            ),
            (b"{\"schema\":null,\"payload\":7}", Ok(Some(7))),
            (b"{\"schema\":null,\"payload\":null}", Ok(None)),
            (b"{\"buyer_id\":7}", Ok(None)),
            (b"7", Ok(Some(7))),
            (b"\"7\"", Ok(Some(7))),
            (b"null", Ok(None)),
            (b"", Ok(None)),
            (b"Struct{transaction_id=7}", Ok(Some(7))),
            (b"Struct{other=1,transaction_id=7}", Ok(Some(7))),
            (b"{\"transaction_id\":7.5}", Err("bad_key")),
            (b"{\"transaction_id\":9223372036854775808}", Err("bad_key")),
            (b"{\"transaction_id\":true}", Err("bad_key")),
            (
                b"{\"transaction_id\":1,\"transaction_id\":2}",
                Err("duplicate_name"),
            ),
            (b"{\"transaction_id\":", Err("bad_json")),
            (b"Struct{x=1}", Err("bad_key")),
            (b"\xff\xfe", Err("bad_utf8")),
        ];
        for (bytes, expected) in cases {
            let found = primary_key(Table::Transaction, Some(bytes));
            let found = found.as_ref().map_err(DecodeError::reason);
            assert_eq!(
                found,
                expected.as_ref().map_err(|error| *error),
                "{}",
                bytes.escape_ascii()
            );
        }
        assert_eq!(primary_key(Table::Transaction, None), Ok(None));
    }
}
