//! The shape of a record, found for each record by itself (pitfall 1), and the operation it names.

use std::borrow::Cow;

use super::RawRecord;
use super::error::{DecodeError, cut};
use super::object::{self, Object};
use super::source::{clock, metadata, text_of};
use crate::change::{NotARow, Op, Record};
use crate::table::Table;

/// What a JSON object is.
#[derive(Debug)]
pub(crate) enum Shape {
    /// `before`, `after`, `source`, `op`.
    Envelope,
    /// A bare row of this table, with or without metadata columns.
    Flattened(Table),
    /// A heartbeat, already decoded.
    Heartbeat(Record),
    /// Other traffic.
    NotARow(NotARow),
}

/// What an operation asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Letter {
    /// A change of a row.
    Row(Op),
    /// `t`.
    Truncate,
    /// `m`.
    Message,
}

/// Topics of heartbeats start like this unless `topic.heartbeat.prefix` is changed.
const HEARTBEAT_TOPIC: &str = "__debezium-heartbeat";

/// Finds the shape of an object without a schema around it.
///
/// A table may own columns named `op`, `after` or `source`, but no envelope has a member named like the primary key of
/// one of our tables: a record with it is a row.
pub(crate) fn of(object: &Object<'_>, topic: &str, raw: &RawRecord<'_>) -> Result<Shape, DecodeError> {
    let by_topic = table_of_topic(topic);
    let named = ["__source_table", "__table"]
        .iter()
        .find_map(|name| metadata(object, raw, name))
        .and_then(text_of);
    let table = match named.as_deref() {
        Some(name) if name.starts_with("debezium_") => return Ok(Shape::NotARow(NotARow::ConnectorTraffic)),
        Some(name) => Table::from_name(name),
        None => by_topic,
    };
    if let Some(table) = table
        && object.has(table.key())
    {
        return Ok(Shape::Flattened(table));
    }
    if named.is_none() && is_envelope(object) {
        return Ok(Shape::Envelope);
    }
    if is_marker(object) {
        return Ok(Shape::NotARow(NotARow::TransactionMarker));
    }
    if let Some(heartbeat) = heartbeat(object, topic, raw) {
        return Ok(Shape::Heartbeat(heartbeat));
    }
    if object.has("ddl")
        || object.has("tableChanges")
        || topic.ends_with(".debezium_signal")
        || topic == "debezium_signal"
    {
        return Ok(Shape::NotARow(NotARow::ConnectorTraffic));
    }
    match table {
        Some(table) if is_flattened(object) => Err(DecodeError::MissingKey { table }),
        Some(_) => Err(DecodeError::UnknownShape),
        None => Ok(Shape::NotARow(NotARow::UnknownTable)),
    }
}

/// An operation and a source block, or at least a place for an image.
fn is_envelope(object: &Object<'_>) -> bool {
    object.get("op").is_some_and(|op| op.starts_with('"'))
        && (object.get("source").is_some_and(|source| source.starts_with('{'))
            || object.has("after")
            || object.has("before"))
}

fn is_flattened(object: &Object<'_>) -> bool {
    object.members().iter().any(|(name, _)| name.starts_with("__"))
}

/// BEGIN or END of a transaction (`provide.transaction.metadata`).
fn is_marker(object: &Object<'_>) -> bool {
    matches!(object.get("status"), Some("\"BEGIN\"" | "\"END\""))
        && object.get("id").is_some_and(|id| id.starts_with('"'))
}

/// A heartbeat: known by its topic or by the key that only heartbeats have.
fn heartbeat(object: &Object<'_>, topic: &str, raw: &RawRecord<'_>) -> Option<Record> {
    let at = clock(object.filled("ts_ms")?, 1000)?;
    let server = raw
        .key
        .and_then(|key| std::str::from_utf8(key).ok())
        .and_then(server_name);
    let by_topic = topic
        .strip_prefix(HEARTBEAT_TOPIC)
        .map(|rest| rest.trim_start_matches('.').to_owned());
    let prefix = server.or(by_topic)?;
    Some(Record::Heartbeat { prefix, at })
}

fn server_name(key: &str) -> Option<String> {
    let object = Object::of_value(key).ok()?;
    if let Some(payload) = object.get("payload") {
        return server_name(payload);
    }
    object::string(object.get("serverName")?).map(Cow::into_owned)
}

/// The table a topic is named after: `transaction`, `instashop.public.transaction`.
pub(crate) fn table_of_topic(topic: &str) -> Option<Table> {
    Table::from_name(topic.rsplit('.').next().unwrap_or(topic))
}

/// The operation of an envelope.
pub(crate) fn op(object: &Object<'_>) -> Result<Letter, DecodeError> {
    letter(object.get("op").unwrap_or_default())
}

/// The operation of a flattened row: `__op`, or `__deleted`, or nothing, which is a statement of the row's new state.
pub(crate) fn flattened_op(object: &Object<'_>, raw: &RawRecord<'_>) -> Result<Letter, DecodeError> {
    let deleted = metadata(object, raw, "__deleted");
    if matches!(deleted.as_deref(), Some("\"true\"" | "true")) {
        return Ok(Letter::Row(Op::Delete));
    }
    match metadata(object, raw, "__op") {
        Some(op) => letter(&op),
        None => Ok(Letter::Row(Op::Update)),
    }
}

fn letter(raw: &str) -> Result<Letter, DecodeError> {
    Ok(match raw {
        "\"c\"" => Letter::Row(Op::Create),
        "\"u\"" => Letter::Row(Op::Update),
        "\"d\"" => Letter::Row(Op::Delete),
        "\"r\"" => Letter::Row(Op::Read),
        "\"t\"" => Letter::Truncate,
        "\"m\"" => Letter::Message,
        other => {
            return Err(DecodeError::UnknownOp {
                op: cut(other.trim_matches('"')),
            });
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(topic: &str, value: &str) -> String {
        let raw = RawRecord {
            topic,
            ..RawRecord::default()
        };
        match of(&Object::parse(value, "value").unwrap(), topic, &raw) {
            Ok(shape) => format!("{shape:?}"),
            Err(error) => error.reason().to_owned(),
        }
    }

    #[test]
    fn shapes_are_told_apart() {
        for (topic, value, expected) in [
            ("transaction", r#"{"op":"c","source":{}}"#, "Envelope"),
            ("anything", r#"{"op":"z","source":{}}"#, "Envelope"),
            ("transaction", r#"{"op":"c","after":{}}"#, "Envelope"),
            ("transaction", r#"{"transaction_id":1}"#, "Flattened(Transaction)"),
            (
                "transaction",
                r#"{"transaction_id":1,"op":"c","after":"noon","source":{}}"#,
                "Flattened(Transaction)",
            ),
            (
                "transaction_items",
                r#"{"transaction_detail_id":1,"__op":"c"}"#,
                "Flattened(TransactionDetail)",
            ),
            ("x.public.stock", r#"{"stock_id":1}"#, "Flattened(Stock)"),
            (
                "renamed",
                r#"{"stock_id":1,"__table":"stock"}"#,
                "Flattened(Stock)",
            ),
            ("stock", r#"{"id":1,"__table":"other"}"#, "NotARow(UnknownTable)"),
            (
                "stock",
                r#"{"id":1,"__table":"debezium_signal"}"#,
                "NotARow(ConnectorTraffic)",
            ),
            ("other", r#"{"id":1}"#, "NotARow(UnknownTable)"),
            ("stock", r#"{"id":1}"#, "unknown_shape"),
            ("stock", r#"{"id":1,"__op":"c"}"#, "missing_key"),
            ("stock", "{}", "unknown_shape"),
            (
                "instashop.transaction",
                r#"{"status":"END","id":"571:53195832","event_count":2}"#,
                "NotARow(TransactionMarker)",
            ),
            (
                "schema",
                r#"{"ddl":"","tableChanges":[]}"#,
                "NotARow(ConnectorTraffic)",
            ),
            (
                "debezium_signal",
                r#"{"id":"x","type":"log","data":null}"#,
                "NotARow(ConnectorTraffic)",
            ),
        ] {
            assert_eq!(shape(topic, value), expected, "{topic} {value}");
        }
    }

    #[test]
    fn heartbeats_are_known_by_topic_or_key() {
        let of_key = |topic: &str, key: &[u8]| {
            let raw = RawRecord {
                topic,
                key: Some(key),
                ..RawRecord::default()
            };
            let value = r#"{"ts_ms":1758377767123}"#;
            match of(&Object::parse(value, "value").unwrap(), topic, &raw) {
                Ok(Shape::Heartbeat(Record::Heartbeat { prefix, at })) => {
                    assert_eq!(at.timestamp_millis(), 1_758_377_767_123);
                    prefix
                }
                other => format!("{other:?}"),
            }
        };
        assert_eq!(of_key("__debezium-heartbeat.crm", b""), "crm");
        assert_eq!(
            of_key("__debezium-heartbeat.x", br#"{"serverName":"crm"}"#),
            "crm"
        );
        assert_eq!(
            of_key("pulse", br#"{"schema":{},"payload":{"serverName":"crm"}}"#),
            "crm"
        );
        assert_eq!(of_key("pulse", b"{}"), "Ok(NotARow(UnknownTable))");
    }

    #[test]
    fn operations() {
        let parse = |text: &str| op(&Object::parse(text, "value").unwrap());
        assert_eq!(parse(r#"{"op":"r"}"#), Ok(Letter::Row(Op::Read)));
        assert_eq!(parse(r#"{"op":"z"}"#).unwrap_err().reason(), "unknown_op");
        let long = format!("{{\"op\":\"{}\"}}", "z".repeat(5000));
        assert_eq!(parse(&long), Err(DecodeError::UnknownOp { op: "z".repeat(64) }));
    }
}
