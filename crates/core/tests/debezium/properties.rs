//! Properties of decoding: nothing panics, and the wrapping of a row does not change it.

use chrono::DateTime;
use instashop_core::change::{Change, Moment, Op, Record, Value};
use instashop_core::debezium::{Decoder, RawRecord};
use instashop_core::table::Table;
use proptest::prelude::*;
use rust_decimal::Decimal;

use crate::recording;
use crate::support::raw;

/// An order with every kind of value an order has.
#[derive(Debug, Clone)]
struct Order {
    id: i64,
    buyer: Option<i64>,
    micros: i64,
    total: Decimal,
    method: Option<String>,
    status: String,
}

fn orders() -> impl Strategy<Value = Order> {
    (
        any::<i64>(),
        any::<Option<i64>>(),
        -9_000_000_000_000_000_000i64..9_000_000_000_000_000_000,
        (any::<i64>(), 0u32..=6).prop_map(|(unscaled, scale)| Decimal::new(unscaled, scale)),
        proptest::option::of("\\PC{0,12}"),
        "[A-Z_ñ\"\\\\\n]{1,8}",
    )
        .prop_map(|(id, buyer, micros, total, method, status)| Order {
            id,
            buyer,
            micros,
            total,
            method,
            status,
        })
}

impl Order {
    /// The members of the row as JSON, the total as text.
    fn members(&self) -> String {
        let json = |text: &str| serde_json::Value::from(text).to_string();
        format!(
            "\"transaction_id\":{},\"buyer_id\":{},\"customer_id\":7,\"transaction_date\":{},\"total_amount\":\"{}\",\"payment_method\":{},\"status\":{}",
            self.id,
            self.buyer.map_or("null".to_owned(), |id| id.to_string()),
            self.micros,
            self.total,
            self.method.as_deref().map_or("null".to_owned(), json),
            json(&self.status),
        )
    }
}

/// A schema that says what the bare record leaves open: text and microseconds.
const SCHEMA: &str = r#"{"type":"struct","fields":[{"type":"struct","fields":[{"type":"int64","field":"transaction_id"},{"type":"int64","field":"transaction_date","name":"io.debezium.time.MicroTimestamp"},{"type":"string","field":"total_amount"}],"field":"after"},{"type":"struct","field":"source"},{"type":"string","field":"op"}]}"#;

fn decode(decoder: &mut Decoder, key: &str, value: &str) -> Change {
    match decoder.decode(&raw("transaction", key, value)) {
        Ok(Record::Change(change)) => *change,
        other => panic!("not a change: {other:?}\n{value}"),
    }
}

proptest! {
    #[test]
    fn the_same_row_in_every_wrapping(order in orders(), lsn in 1u64.., generation in 0u32..) {
        let members = order.members();
        let key = format!("{{\"transaction_id\":{}}}", order.id);
        let wrapped_key = format!("{{\"schema\":{{\"type\":\"struct\"}},\"payload\":{key}}}");
        let bare = format!("{{\"before\":null,\"after\":{{{members}}},\"source\":{{\"db\":\"instashop\",\"table\":\"transaction\",\"ts_us\":1758377767123456,\"txId\":9,\"lsn\":{lsn}}},\"op\":\"c\"}}");
        let wrapped = format!("{{\"schema\":{SCHEMA},\"payload\":{bare}}}");
        let flattened = format!("{{{members},\"__op\":\"c\",\"__lsn\":{lsn},\"__txId\":9,\"__source_ts_us\":1758377767123456,\"__deleted\":\"false\"}}");
        // The unit is told to all, because a bare number of a distant year would be guessed.
        let mut decoder = Decoder::default();
        decoder.know_unit(Table::Transaction, "transaction_date", instashop_core::debezium::TimeUnit::Micros);
        let expected = decode(&mut decoder, &key, &wrapped);
        let row = expected.after.clone().unwrap();
        prop_assert_eq!(expected.op, Op::Create);
        prop_assert_eq!((expected.key, expected.lsn, expected.tx_id), (order.id, lsn, Some(9)));
        prop_assert_eq!(row.int(Table::Transaction, "buyer_id"), order.buyer);
        prop_assert_eq!(row.decimal(Table::Transaction, "total_amount"), Some(order.total));
        prop_assert_eq!(row.get(Table::Transaction, "transaction_date"), &Value::Timestamp(Moment::Micros(order.micros)));
        prop_assert_eq!(row.text(Table::Transaction, "payment_method"), order.method.as_deref());
        prop_assert_eq!(row.text(Table::Transaction, "status"), Some(order.status.as_str()));
        // A second time, now that the schema is known by its bytes.
        prop_assert_eq!(&decode(&mut decoder, &wrapped_key, &wrapped), &expected);
        if order.total.scale() > 0 {
            prop_assert_eq!(&decode(&mut decoder, &key, &bare), &expected);
            prop_assert_eq!(&decode(&mut decoder, "", &flattened), &expected);
        }
        let number = generation.to_string();
        let mut record = raw("transaction", &key, &wrapped);
        record.headers = vec![(instashop_core::debezium::GENERATION_HEADER, Some(number.as_bytes()))];
        let Ok(Record::Change(change)) = decoder.decode(&record) else { panic!("not a change") };
        prop_assert_eq!(change.position.generation, generation);
        // The rendered row is JSON again, with the amount digit for digit.
        let json = row.to_json(Table::Transaction);
        prop_assert!(serde_json::from_str::<serde_json::Value>(&json).is_ok());
        let amount = format!("\"total_amount\":{},", order.total);
        prop_assert!(json.contains(&amount));
    }

    #[test]
    fn arbitrary_bytes_never_panic(
        topic in "(transaction|userbehavior|instashop.public.product|x|__debezium-heartbeat.crm)",
        key in proptest::option::of(proptest::collection::vec(any::<u8>(), 0..60)),
        value in proptest::option::of(proptest::collection::vec(any::<u8>(), 0..300)),
        header in proptest::collection::vec(any::<u8>(), 0..10),
    ) {
        let record = RawRecord {
            topic: &topic,
            key: key.as_deref(),
            value: value.as_deref(),
            headers: vec![("__op", Some(&header)), ("__lsn", None)],
            timestamp: DateTime::from_timestamp_millis(0),
        };
        let _ = Decoder::default().decode(&record);
    }

    #[test]
    fn json_like_text_never_panics(value in "[\\[\\]{}\",:.0-9eE+\\\\unltrfas-]{0,200}") {
        for topic in ["transaction", "userbehavior"] {
            let _ = Decoder::default().decode(&raw(topic, &value, &value));
            let row = format!("{{\"transaction_id\":1,\"behavior_id\":1,\"total_amount\":{value},\"metadata\":{value}}}");
            let _ = Decoder::default().decode(&raw(topic, "", &row));
        }
    }
}

/// A change to a recorded value: what a broken network, a broken program or a bad actor would make of it.
#[derive(Debug, Clone)]
enum Damage {
    Cut(prop::sample::Index),
    Byte(prop::sample::Index, u8),
    Insert(prop::sample::Index, &'static str),
    Number(prop::sample::Index, &'static str),
    Repeat(prop::sample::Index, prop::sample::Index),
}

fn damage() -> impl Strategy<Value = Damage> {
    let text = prop::sample::select(vec![
        "\"",
        "\\",
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "null",
        "\\u0000",
        "\\ud800",
        "-",
        "e999999",
        "\u{0}",
        "{\"a\":1}",
    ]);
    let number = prop::sample::select(vec![
        "9223372036854775807",
        "-9223372036854775808",
        "99999999999999999999999999",
        "1e400",
        "0.1",
        "-1",
        "\"1234\"",
        "null",
        "true",
        "[]",
        "{}",
        "{\"scale\":2147483647,\"value\":\"AQ==\"}",
    ]);
    prop_oneof![
        any::<prop::sample::Index>().prop_map(Damage::Cut),
        (any::<prop::sample::Index>(), any::<u8>()).prop_map(|(at, byte)| Damage::Byte(at, byte)),
        (any::<prop::sample::Index>(), text).prop_map(|(at, text)| Damage::Insert(at, text)),
        (any::<prop::sample::Index>(), number).prop_map(|(at, text)| Damage::Number(at, text)),
        (any::<prop::sample::Index>(), any::<prop::sample::Index>())
            .prop_map(|(from, to)| Damage::Repeat(from, to)),
    ]
}

impl Damage {
    fn apply(&self, bytes: &mut Vec<u8>) {
        if bytes.is_empty() {
            return;
        }
        match self {
            Self::Cut(at) => bytes.truncate(at.index(bytes.len())),
            Self::Byte(at, byte) => {
                let at = at.index(bytes.len());
                bytes[at] = *byte;
            }
            Self::Insert(at, text) => {
                let at = at.index(bytes.len());
                bytes.splice(at..at, text.bytes());
            }
            // The number after one of the colons becomes another value.
            Self::Number(at, text) => {
                let is_digit = |byte: &u8| byte.is_ascii_digit() || *byte == b'-';
                let starts: Vec<usize> = (1..bytes.len())
                    .filter(|place| bytes[place - 1] == b':' && is_digit(&bytes[*place]))
                    .collect();
                if !starts.is_empty() {
                    let start = starts[at.index(starts.len())];
                    let length = bytes[start..].iter().take_while(|byte| is_digit(byte)).count();
                    bytes.splice(start..start + length, text.bytes());
                }
            }
            Self::Repeat(from, to) => {
                let (from, to) = (from.index(bytes.len()), to.index(bytes.len()));
                let (from, to) = (from.min(to), from.max(to));
                let piece = bytes[from..to].to_vec();
                bytes.splice(to..to, piece);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// One decoder reads all recordings, damaged: it must neither panic nor be spoiled for the sound records after.
    #[test]
    fn damaged_recordings_never_panic(
        damages in proptest::collection::vec(damage(), 1..4),
        which in any::<prop::sample::Index>(),
    ) {
        let recordings = recording::all();
        let (name, records) = &recordings[which.index(recordings.len())];
        let mut decoder = Decoder::default();
        for record in records {
            let sound = record.raw();
            let mut value = record.value.clone().unwrap_or_default().into_bytes();
            let mut key = record.key.clone().unwrap_or_default().into_bytes();
            for damage in &damages {
                damage.apply(&mut value);
            }
            let broken = RawRecord { value: Some(&value), ..sound.clone() };
            let _ = decoder.content(&broken);
            damages[0].apply(&mut key);
            let broken = RawRecord { key: Some(&key), ..sound.clone() };
            let _ = decoder.content(&broken);
        }
        // What carries its own schema, or plain texts, is read the same as ever.
        if name.contains("schemas") || name.contains("defaults") || name == "recommended" {
            for record in records {
                let fresh = Decoder::default().decode(&record.raw());
                prop_assert_eq!(decoder.decode(&record.raw()), fresh, "{}", name);
            }
        }
    }
}
