//! A row as the text of a JSON object, for the event log and for people.

use std::fmt::Write;

use crate::change::{Row, Value};
use crate::table::Table;

impl Row {
    /// The row as a JSON object: the columns of the catalogue in their order, then the extra columns by name.
    ///
    /// Decimals are bare numbers with all their digits (PostgreSQL's `jsonb` keeps them exactly), timestamps ISO text
    /// in UTC, infinities the texts `infinity` and `-infinity`, documents are embedded as they are. A value that did
    /// not come ([`Value::Missing`]) is left out, so that NULL and "unchanged" can be told apart (pitfall 6).
    pub fn to_json(&self, table: Table) -> String {
        let mut out = String::with_capacity(64 + 32 * self.values.len());
        out.push('{');
        for (column, value) in table.columns().iter().zip(&self.values) {
            if matches!(value, Value::Missing) {
                continue;
            }
            name(&mut out, column.name);
            write_value(&mut out, value);
        }
        for (column, value) in &self.extra {
            name(&mut out, column);
            // Writing to a String cannot fail; the same holds for every `let _` in this file.
            let _ = write!(out, "{value}");
        }
        out.push('}');
        out
    }
}

fn name(out: &mut String, column: &str) {
    if out.len() > 1 {
        out.push(',');
    }
    text(out, column);
    out.push(':');
}

fn write_value(out: &mut String, value: &Value) {
    match value {
        Value::Null | Value::Missing => out.push_str("null"),
        Value::Int(value) => {
            let _ = write!(out, "{value}");
        }
        Value::Decimal(value) => {
            let _ = write!(out, "{value}");
        }
        Value::Text(value) => text(out, value),
        Value::Timestamp(moment) => {
            let _ = write!(out, "\"{moment}\"");
        }
        Value::Json(document) => out.push_str(document),
    }
}

/// A JSON string with everything escaped that has to be.
fn text(out: &mut String, value: &str) {
    out.push('"');
    let mut clean = 0;
    for (index, byte) in value.bytes().enumerate() {
        if byte >= 0x20 && byte != b'"' && byte != b'\\' {
            continue;
        }
        out.push_str(&value[clean..index]);
        clean = index + 1;
        match byte {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            _ => {
                let _ = write!(out, "\\u{byte:04x}");
            }
        }
    }
    out.push_str(&value[clean..]);
    out.push('"');
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::change::Moment;

    #[test]
    fn a_row_becomes_an_object_with_exact_values() {
        let row = Row {
            values: vec![
                Value::Int(9_007_199_254_740_993),
                Value::Null,
                Value::Int(7),
                Value::Timestamp(Moment::Micros(1_758_377_767_123_456)),
                Value::Decimal("79228162514264337593543950.335".parse().unwrap()),
                Value::Missing,
                Value::Text("\"Ñandú\"\\\n\u{1}".into()),
            ],
            extra: BTreeMap::from([("coupon".to_owned(), serde_json::json!(["a", null]))]),
        };
        let json = row.to_json(Table::Transaction);
        insta::assert_snapshot!(json, @r#"{"transaction_id":9007199254740993,"buyer_id":null,"customer_id":7,"transaction_date":"2025-09-20T14:16:07.123456Z","total_amount":79228162514264337593543950.335,"status":"\"Ñandú\"\\\n\u0001","coupon":["a",null]}"#);
        assert!(serde_json::from_str::<serde_json::Value>(&json).is_ok());
    }

    #[test]
    fn documents_are_embedded_and_infinity_is_a_text() {
        let row = Row {
            values: vec![
                Value::Int(1),
                Value::Null,
                Value::Text("view".into()),
                Value::Null,
                Value::Null,
                Value::Timestamp(Moment::Infinity),
                Value::Json("{\"a\": 1.50}".into()),
            ],
            extra: BTreeMap::new(),
        };
        insta::assert_snapshot!(row.to_json(Table::UserBehavior), @r#"{"behavior_id":1,"customer_id":null,"event_type":"view","product_id":null,"session_id":null,"timestamp":"infinity","metadata":{"a": 1.50}}"#);
    }
}
