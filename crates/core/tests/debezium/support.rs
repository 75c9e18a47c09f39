//! Records for tests.

use chrono::{DateTime, Utc};
use instashop_core::change::{Change, Record};
use instashop_core::debezium::{DecodeError, Decoder, RawRecord};

/// A record on the topic of orders unless said otherwise.
pub(crate) fn raw<'a>(topic: &'a str, key: &'a str, value: &'a str) -> RawRecord<'a> {
    RawRecord {
        topic,
        key: (!key.is_empty()).then_some(key.as_bytes()),
        value: Some(value.as_bytes()),
        headers: Vec::new(),
        timestamp: DateTime::from_timestamp_millis(1_758_377_770_000),
    }
}

/// Decodes with a fresh decoder.
pub(crate) fn decode(topic: &str, key: &str, value: &str) -> Result<Record, DecodeError> {
    Decoder::default().decode(&raw(topic, key, value))
}

/// Decodes a change with a fresh decoder.
pub(crate) fn change(topic: &str, key: &str, value: &str) -> Change {
    match decode(topic, key, value) {
        Ok(Record::Change(change)) => *change,
        other => panic!("not a change: {other:?}\n{value}"),
    }
}

/// The reason a record is refused for.
pub(crate) fn reason(topic: &str, key: &str, value: &str) -> &'static str {
    match decode(topic, key, value) {
        Err(error) => error.reason(),
        Ok(record) => panic!("decoded: {record:?}\n{value}"),
    }
}

/// The columns of an order after its key: all of them, with the total, status and extra text given.
pub(crate) fn order(id: i64, total: &str, rest: &str) -> String {
    format!(
        r#"{{"transaction_id":{id},"buyer_id":2,"customer_id":3,"transaction_date":1758291367000000,"total_amount":{total},"payment_method":"card","status":"PAID"{rest}}}"#
    )
}

/// An envelope on the order topic.
pub(crate) fn envelope(op: &str, before: &str, after: &str, source: &str) -> String {
    format!(
        r#"{{"before":{before},"after":{after},"source":{{"version":"3.7.0.Final","connector":"postgresql","name":"instashop","ts_ms":1758377767123,"db":"instashop","schema":"public","table":"transaction"{source}}},"op":"{op}","ts_ms":1758377769000,"transaction":null}}"#
    )
}

/// A source block's rest for a streamed change.
pub(crate) fn streamed(lsn: u64) -> String {
    format!(r#","snapshot":"false","txId":571,"lsn":{lsn},"sequence":"[\"1\",\"{lsn}\"]""#)
}

pub(crate) fn at(micros: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(micros).unwrap()
}
