//! One test for each pitfall of docs/cdc section 4, as far as decoding can fall into it. Those of the sinks are tested
//! there: `pitfall_20_a_zombie_is_fenced_and_its_batch_changes_nothing` (live store), `pitfall_21_a_key_twice_in_one_batch`
//! (fold), `pitfall_22_no_order_across_topics` (live protocol).

use instashop_core::change::{Moment, NotARow, Op, Record, Value};
use instashop_core::debezium::{
    Counters, Decoder, GENERATION_HEADER, REPAIR_HEADER, RawRecord, Settings, TimeUnit,
};
use instashop_core::position::Position;
use instashop_core::table::{SourceDb, Table};

use crate::support::{at, change, decode, envelope, order, raw, reason, streamed};

const KEY: &str = r#"{"transaction_id":7}"#;

#[test]
fn pitfall_01_three_envelope_shapes_give_the_same_row() {
    let row = order(7, "\"129.90\"", "");
    let bare = envelope("u", "null", &row, &streamed(5001));
    let wrapped = format!(r#"{{"schema":{{"type":"struct","fields":[]}},"payload":{bare}}}"#);
    let flattened = order(
        7,
        "\"129.90\"",
        r#","__op":"u","__deleted":"false","__table":"transaction","__lsn":5001,"__txId":571,"__source_ts_ms":1758377767123,"__db":"instashop""#,
    );
    let expected = change("transaction", KEY, &bare);
    assert_eq!(expected.op, Op::Update);
    assert_eq!(expected.position, Position::streamed(0, 5001));
    assert_eq!(change("transaction", KEY, &wrapped), expected);
    assert_eq!(change("transaction", KEY, &flattened), expected);
    // A table may own columns with the names of an envelope.
    let mine = order(
        7,
        "\"129.90\"",
        r#","op":"c","after":"noon","source":{"a":1},"payload":1"#,
    );
    let flat = change("transaction", KEY, &mine);
    assert_eq!(flat.op, Op::Update);
    assert_eq!(flat.position, Position::snapshot(0));
    assert_eq!(flat.after.as_ref().unwrap().extra["after"], "noon");
    assert_eq!(flat.committed_at, at(1_758_377_770_000_000));
    let inside = envelope("c", "null", &mine, &streamed(1));
    assert_eq!(
        change("transaction", KEY, &inside).after.unwrap().extra["op"],
        "c"
    );
}

#[test]
fn pitfall_02_a_tombstone_never_reaches_the_parser() {
    let tombstone = |topic, key| {
        let record = RawRecord {
            topic,
            key,
            ..RawRecord::default()
        };
        Decoder::default().decode(&record).unwrap()
    };
    let expected = |table, key| Record::Tombstone { table, key };
    let order = Some(Table::Transaction);
    assert_eq!(
        tombstone("transaction", Some(KEY.as_bytes())),
        expected(order, Some(7))
    );
    assert_eq!(
        tombstone("transaction_items", None),
        expected(Some(Table::TransactionDetail), None)
    );
    assert_eq!(tombstone("transaction", Some(b"\xff{{")), expected(order, None));
    assert_eq!(tombstone("elsewhere", Some(KEY.as_bytes())), expected(None, None));
    for null in [
        "null",
        r#"{"schema":null,"payload":null}"#,
        r#"{"schema":{"type":"struct"},"payload":null}"#,
    ] {
        assert_eq!(
            decode("transaction", KEY, null).unwrap(),
            expected(order, Some(7))
        );
    }
}

#[test]
fn pitfall_03_snapshot_rows_are_statements_of_state() {
    for flag in [
        "true",
        "first",
        "first_in_data_collection",
        "last_in_data_collection",
        "last",
        "incremental",
    ] {
        let source = format!(r#","snapshot":"{flag}","lsn":23493504,"txId":9"#);
        let change = change(
            "transaction",
            KEY,
            &envelope("r", "null", &order(7, "\"1\"", ""), &source),
        );
        assert!(change.snapshot && change.op == Op::Read);
        assert_eq!(change.position, Position::snapshot(0), "{flag}");
        assert_eq!(change.lsn, 23_493_504);
    }
    let unflagged = change(
        "transaction",
        KEY,
        &envelope("r", "null", &order(7, "\"1\"", ""), r#","lsn":5"#),
    );
    assert!(unflagged.snapshot);
}

#[test]
fn pitfall_04_an_update_without_a_before_image() {
    let change = change(
        "transaction",
        KEY,
        &envelope("u", "null", &order(7, "\"80.00\"", ""), &streamed(6)),
    );
    assert_eq!(change.before, None);
    let after = change.after.unwrap();
    assert_eq!(
        after.decimal(Table::Transaction, "total_amount"),
        Some("80.00".parse().unwrap())
    );
    assert_eq!(after.text(Table::Transaction, "status"), Some("PAID"));
}

#[test]
fn pitfall_05_a_delete_trusts_the_key_alone() {
    // Values invented for NOT NULL columns, without a schema to read them by: the image goes, the delete stays.
    let invented = r#"{"transaction_id":7,"buyer_id":0,"customer_id":0,"transaction_date":0,"total_amount":"AA==","status":""}"#;
    let value = envelope("d", invented, "null", &streamed(7));
    let mut decoder = Decoder::default();
    let Ok(Record::Change(change)) = decoder.decode(&raw("transaction", KEY, &value)) else {
        panic!("not a change");
    };
    assert_eq!(
        (change.key, change.op, change.after, change.before),
        (7, Op::Delete, None, None)
    );
    assert_eq!(decoder.counters().unreadable_before, 1);
    // Nulls (3.7), and a before that is no row at all.
    let nulls = r#"{"transaction_id":7,"buyer_id":null,"customer_id":null,"transaction_date":null,"total_amount":null,"payment_method":null,"status":null}"#;
    for (key, before) in [
        (KEY, nulls),
        ("", nulls),
        (KEY, "null"),
        (KEY, "{}"),
        (KEY, "[1]"),
        (KEY, "5"),
    ] {
        let value = envelope("d", before, "null", &streamed(7));
        assert_eq!(
            crate::support::change("transaction", key, &value).key,
            7,
            "{before}"
        );
    }
    assert_eq!(
        reason("transaction", "", &envelope("d", "null", "null", &streamed(7))),
        "missing_key"
    );
}

#[test]
fn pitfall_06_an_unchanged_large_value_is_missing_not_text() {
    let row = r#"{"product_id":7,"customer_id":1,"name":"Ñ","description":"__debezium_unavailable_value","category":"X19kZWJleml1bV91bmF2YWlsYWJsZV92YWx1ZQ==","price":"1.00","blob":"X19kZWJleml1bV91bmF2YWlsYWJsZV92YWx1ZQ==","tags":["__debezium_unavailable_value"],"kept":"x"}"#;
    let value = envelope("u", "null", row, &streamed(8)).replace("\"transaction\"", "\"product\"");
    let after = change("product", r#"{"product_id":7}"#, &value).after.unwrap();
    assert_eq!(after.get(Table::Product, "description"), &Value::Missing);
    assert_eq!(after.get(Table::Product, "category"), &Value::Missing);
    assert_eq!(after.get(Table::Product, "currency"), &Value::Null);
    assert_eq!(after.extra.keys().collect::<Vec<_>>(), ["kept"]);
    assert!(!after.to_json(Table::Product).contains("description"));
    let mut decoder = Decoder::new(Settings {
        unavailable: "gone".into(),
        ..Settings::default()
    });
    let value = value.replace("__debezium_unavailable_value", "gone");
    let Ok(Record::Change(change)) = decoder.decode(&raw("product", "", &value)) else {
        panic!("not a change");
    };
    assert_eq!(
        change.after.unwrap().get(Table::Product, "description"),
        &Value::Missing
    );
}

#[test]
fn pitfall_07_a_key_change_is_a_delete_and_a_create() {
    let old = order(7, "\"1.00\"", "");
    let mut gone = raw("transaction", KEY, "");
    let value = envelope("d", &old, "null", &streamed(9));
    gone.value = Some(value.as_bytes());
    gone.headers = vec![("__debezium.newkey", Some(br#"{"transaction_id":70}"#))];
    let Ok(Record::Change(gone)) = Decoder::default().decode(&gone) else {
        panic!("not a change");
    };
    assert_eq!((gone.op, gone.key), (Op::Delete, 7));
    let value = envelope("c", "null", &order(70, "\"1.00\"", ""), &streamed(9));
    let born = change("transaction", r#"{"transaction_id":70}"#, &value);
    assert_eq!(
        (born.op, born.key, born.position),
        (Op::Create, 70, gone.position)
    );
}

#[test]
fn pitfall_08_a_truncate_is_counted_and_never_crashes() {
    let value = envelope("t", "null", "null", ",\"lsn\":46523128");
    assert_eq!(
        decode("transaction", "", &value),
        Ok(Record::NotARow(NotARow::Truncate))
    );
    let other = value.replace("\"transaction\"", "\"cart_items\"");
    assert_eq!(
        decode("cart_items", "", &other),
        Ok(Record::NotARow(NotARow::UnknownTable))
    );
}

#[test]
fn pitfall_09_traffic_that_is_not_rows() {
    let message = r#"{"op":"m","ts_ms":1,"source":{"table":"","schema":"","db":"instashop"},"message":{"prefix":"hb","content":"Ymfy"}}"#;
    let marker = r#"{"status":"END","id":"571:53195832","event_count":2,"ts_ms":1758377767123}"#;
    let signal = envelope("c", "null", r#"{"id":"x","type":"log","data":""}"#, "")
        .replace("\"transaction\"", "\"debezium_signal\"");
    for (topic, key, value, expected) in [
        (
            "instashop.message",
            r#"{"prefix":"hb"}"#,
            message,
            Record::NotARow(NotARow::Message),
        ),
        (
            "instashop.transaction",
            "",
            marker,
            Record::NotARow(NotARow::TransactionMarker),
        ),
        (
            "debezium_signal",
            r#"{"id":"x"}"#,
            &signal,
            Record::NotARow(NotARow::ConnectorTraffic),
        ),
        (
            "x",
            "",
            r#"{"source":{},"ddl":"CREATE","tableChanges":[]}"#,
            Record::NotARow(NotARow::ConnectorTraffic),
        ),
        (
            "invoice",
            "",
            r#"{"op":"c","source":{"table":"invoice"},"after":{"id":1}}"#,
            Record::NotARow(NotARow::UnknownTable),
        ),
        (
            "__debezium-heartbeat.instashop",
            r#"{"serverName":"instashop"}"#,
            r#"{"ts_ms":1758377767123}"#,
            Record::Heartbeat {
                prefix: "instashop".into(),
                at: at(1_758_377_767_123_000),
            },
        ),
    ] {
        assert_eq!(decode(topic, key, value), Ok(expected), "{value}");
    }
}

/// A decoder and the total it reads from a value of `total_amount`, with a schema for that column if one is given.
fn total(decoder: &mut Decoder, schema: &str, value: &str) -> Result<Value, &'static str> {
    let mut text = envelope("c", "null", &order(7, value, ""), &streamed(1));
    if !schema.is_empty() {
        text = format!(
            r#"{{"schema":{{"type":"struct","fields":[{{"type":"struct","fields":[{{"field":"total_amount",{schema}}}],"field":"after"}},{{"type":"struct","field":"source"}},{{"type":"string","field":"op"}}]}},"payload":{text}}}"#
        );
    }
    match decoder.decode(&raw("transaction", KEY, &text)) {
        Ok(Record::Change(change)) => Ok(change
            .after
            .unwrap()
            .get(Table::Transaction, "total_amount")
            .clone()),
        Ok(other) => panic!("{other:?}"),
        Err(error) => Err(error.reason()),
    }
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "the result a decoding is expected to have"
)]
fn decimal(text: &str) -> Result<Value, &'static str> {
    Ok(Value::Decimal(text.parse().unwrap()))
}

const SCALE_2: &str =
    r#""type":"bytes","name":"org.apache.kafka.connect.data.Decimal","version":1,"parameters":{"scale":"2"}"#;

#[test]
fn pitfall_10_precise_decimals_take_their_scale_from_the_schema_or_nowhere() {
    let mut fresh = Decoder::default();
    assert_eq!(total(&mut fresh, "", "\"Mr4=\""), Err("unknown_scale"));
    assert_eq!(total(&mut fresh, "", "\"1234\""), Err("ambiguous_decimal"));
    for (encoded, expected) in [
        ("Mr4=", "129.90"),
        ("/gw=", "-5.00"),
        ("AP8=", "2.55"),
        ("1234", "-26588.24"),
    ] {
        let value = format!("\"{encoded}\"");
        let mut decoder = Decoder::default();
        assert_eq!(
            total(&mut decoder, SCALE_2, &value),
            decimal(expected),
            "{encoded}"
        );
        // Learned from the schema, for a record without one.
        assert_eq!(total(&mut decoder, "", &value), decimal(expected), "{encoded}");
        let mut told = Decoder::default();
        told.know_scale(Table::Transaction, "total_amount", 2);
        assert_eq!(total(&mut told, "", &value), decimal(expected), "{encoded}");
    }
    // Scale 4 is not 2.
    let scale_4 = SCALE_2.replace("\"2\"", "\"4\"");
    assert_eq!(
        total(&mut Decoder::default(), &scale_4, "\"Mr4=\""),
        decimal("1.2990")
    );
    let no_scale = SCALE_2.replace("scale", "precision");
    assert_eq!(
        total(&mut Decoder::default(), &no_scale, "\"Mr4=\""),
        Err("bad_schema")
    );
    assert_eq!(total(&mut fresh, SCALE_2, "\"AeI\""), Err("wrong_type"));
    assert_eq!(
        total(&mut fresh, SCALE_2, "\"AAAAAAAAAAAAAAABAAAAAAAAAAAAAAAA\""),
        Err("out_of_range")
    );
    // `decimal.format=NUMERIC` of the converter.
    assert_eq!(total(&mut fresh, SCALE_2, "1234.50"), decimal("1234.50"));
}

/// Letters of base64 are bytes of a number and never ASCII: 123.45 was read as 12,963,295.33 (docs: kpis 7, point 6).
#[test]
fn original_06_decimals_are_unscaled_integers_in_base64() {
    let mut decoder = Decoder::default();
    for (text, expected) in [
        ("MDk=", "123.45"),
        ("AYaf", "999.99"),
        ("Yw==", "0.99"),
        ("AIAAAA==", "83886.08"),
        ("/w==", "-0.01"),
        ("AA==", "0.00"),
    ] {
        assert_eq!(
            total(&mut decoder, SCALE_2, &format!("{text:?}")),
            decimal(expected),
            "{text}"
        );
    }
}

#[test]
fn pitfall_11_variable_scale_stays_exact() {
    let mut decoder = Decoder::default();
    for (value, expected) in [
        (r#"{"scale":4,"value":"MDk="}"#, decimal("1.2345")),
        (
            r#"{"scale":14,"value":"AR2552okgw=="}"#,
            decimal("3.14159265358979"),
        ),
        (r#"{"scale":-3,"value":"AQ=="}"#, decimal("1000")),
        (r#"{"scale":4}"#, Err("wrong_type")),
        (r#"{"scale":4,"value":12345}"#, Err("wrong_type")),
        (r#"{"scale":400,"value":"MDk="}"#, Err("out_of_range")),
        (r#"{"scale":4,"scale":2,"value":"MDk="}"#, Err("duplicate_name")),
    ] {
        assert_eq!(total(&mut decoder, "", value), expected, "{value}");
    }
}

#[test]
fn pitfall_12_numbers_are_read_from_their_text_and_nan_is_null() {
    let mut decoder = Decoder::default();
    for (value, expected) in [
        ("0.30000000000000004", "0.30000000000000004"),
        ("129.90", "129.90"),
        ("1.0E7", "10000000"),
        ("12", "12"),
        ("\"129.90\"", "129.90"),
        ("\"-0.01\"", "-0.01"),
        ("\"5\"", "5"),
    ] {
        assert_eq!(total(&mut decoder, "", value), decimal(expected), "{value}");
    }
    assert_eq!(decoder.counters().float_amounts, 3);
    for value in ["\"NaN\"", "\"NAN\"", "\"Infinity\"", "\"-Infinity\""] {
        assert_eq!(total(&mut decoder, "", value), Ok(Value::Null), "{value}");
    }
    assert_eq!(
        total(&mut decoder, r#""type":"double""#, "\"NaN\""),
        Ok(Value::Null)
    );
    assert_eq!(decoder.counters().not_a_number, 5);
    for value in ["true", "[1]", "\"\"", "\"12,5\"", "{}"] {
        assert_eq!(total(&mut decoder, "", value), Err("wrong_type"), "{value}");
    }
    // Once the column has shown texts, a word is no base64.
    assert_eq!(total(&mut decoder, "", "\"many\""), Err("wrong_type"));
    assert_eq!(total(&mut decoder, "", "\"1500\""), decimal("1500"));
    assert_eq!(total(&mut decoder, "", "1e400"), Err("out_of_range"));
}

/// The order date read from a value, with the schema name of that column if one is given.
fn date(decoder: &mut Decoder, name: &str, value: &str) -> Result<Moment, &'static str> {
    let row = order(7, "\"1\"", "").replace("1758291367000000", value);
    let mut text = envelope("c", "null", &row, &streamed(1));
    if !name.is_empty() {
        text = format!(
            r#"{{"schema":{{"type":"struct","fields":[{{"type":"struct","fields":[{{"field":"transaction_date","type":"int64","name":"{name}"}}],"field":"after"}},{{"type":"struct","field":"source"}},{{"type":"string","field":"op"}}]}},"payload":{text}}}"#
        );
    }
    match decoder.decode(&raw("transaction", KEY, &text)) {
        Ok(Record::Change(change)) => match change.after.unwrap().get(Table::Transaction, "transaction_date")
        {
            Value::Timestamp(moment) => Ok(*moment),
            other => panic!("{other:?}"),
        },
        Ok(other) => panic!("{other:?}"),
        Err(error) => Err(error.reason()),
    }
}

#[test]
fn pitfall_13_time_units_come_from_the_schema_name() {
    let micros = Moment::Micros;
    for (name, value, expected) in [
        (
            "io.debezium.time.MicroTimestamp",
            "1758377767123456",
            micros(1_758_377_767_123_456),
        ),
        (
            "io.debezium.time.Timestamp",
            "1758377767123",
            micros(1_758_377_767_123_000),
        ),
        (
            "org.apache.kafka.connect.data.Timestamp",
            "1758377767123",
            micros(1_758_377_767_123_000),
        ),
        (
            "io.debezium.time.NanoTimestamp",
            "1758377767123456789",
            micros(1_758_377_767_123_456),
        ),
        ("io.debezium.time.Date", "20351", micros(1_758_326_400_000_000)),
        (
            "org.apache.kafka.connect.data.Date",
            "20351",
            micros(1_758_326_400_000_000),
        ),
        (
            "io.debezium.time.IsoTimestamp",
            "\"2025-09-20T14:16:07.123456Z\"",
            micros(1_758_377_767_123_456),
        ),
        (
            "io.debezium.time.ZonedTimestamp",
            "\"2025-09-20T16:16:07.123456+02:00\"",
            micros(1_758_377_767_123_456),
        ),
        // Near 1970 only the name can tell.
        ("io.debezium.time.Timestamp", "86400000", micros(86_400_000_000)),
        ("io.debezium.time.MicroTimestamp", "86400000", micros(86_400_000)),
    ] {
        let mut decoder = Decoder::default();
        assert_eq!(date(&mut decoder, name, value), Ok(expected), "{name}");
        assert_eq!(decoder.counters().guessed_units, 0);
        // The unit is remembered for records of the column without a schema.
        assert_eq!(date(&mut decoder, "", value), Ok(expected), "{name}");
        assert_eq!(decoder.counters().guessed_units, 0);
    }
    let mut told = Decoder::default();
    told.know_unit(Table::Transaction, "transaction_date", TimeUnit::Millis);
    assert_eq!(date(&mut told, "", "86400000"), Ok(micros(86_400_000_000)));
    let mut set = Decoder::new(Settings {
        bare_times: Some(TimeUnit::Nanos),
        ..Settings::default()
    });
    assert_eq!(date(&mut set, "", "86400000"), Ok(micros(86_400)));
    let mut fresh = Decoder::default();
    assert_eq!(
        date(&mut fresh, "", "1758377767123456"),
        Ok(micros(1_758_377_767_123_456))
    );
    assert_eq!(fresh.counters().guessed_units, 0);
    assert_eq!(
        date(&mut fresh, "", "1758377767123"),
        Ok(micros(1_758_377_767_123_000))
    );
    assert_eq!(
        date(&mut fresh, "", "1758377767123456789"),
        Ok(micros(1_758_377_767_123_456))
    );
    assert_eq!(fresh.counters().guessed_units, 2);
    for value in ["1758377767.5", "true", "\"soon\"", "[1]", "1e15"] {
        assert_eq!(date(&mut fresh, "", value), Err("wrong_type"), "{value}");
    }
    assert_eq!(date(&mut fresh, "", "99999999999999999999"), Err("out_of_range"));
}

#[test]
fn pitfall_14_infinity_in_every_version() {
    let mut decoder = Decoder::default();
    for (name, value) in [
        ("", "9223372036825200000"),
        ("", "9223372036854775807"),
        ("", "\"infinity\""),
        ("io.debezium.time.Timestamp", "9223372036825200000"),
        ("org.apache.kafka.connect.data.Timestamp", "9223372036825200"),
        ("io.debezium.time.NanoTimestamp", "9223372036854775807"),
        ("io.debezium.time.Date", "2146033979"),
    ] {
        assert_eq!(
            date(&mut decoder, name, value),
            Ok(Moment::Infinity),
            "{name} {value}"
        );
    }
    for (name, value) in [
        ("io.debezium.time.MicroTimestamp", "-9223372036832400000"),
        ("io.debezium.time.MicroTimestamp", "-9223372036854775808"),
        ("", "\"-infinity\""),
    ] {
        assert_eq!(
            date(&mut decoder, name, value),
            Ok(Moment::NegInfinity),
            "{name} {value}"
        );
    }
    assert_eq!(
        date(&mut decoder, "", "\"2025-09-20T14:16:07.1Z\""),
        Ok(Moment::Micros(1_758_377_767_100_000))
    );
}

#[test]
fn pitfall_15_defaults_that_may_hide_a_null_are_counted_once_per_schema() {
    let mut decoder = Decoder::default();
    let schema = r#""type":"string","optional":true,"default":"10""#;
    for _ in 0..3 {
        assert_eq!(total(&mut decoder, schema, "\"10\""), decimal("10"));
    }
    assert_eq!(decoder.counters().defaults_hiding_null, 1);
}

#[test]
fn pitfall_16_documents_are_parsed_once_and_lose_their_nul() {
    let document = |metadata: &str| {
        let row = format!(
            r#"{{"behavior_id":1,"event_type":"view","timestamp":0,"session_id":"a\u0000b","metadata":{metadata}}}"#
        );
        let value = envelope("c", "null", &row, &streamed(1)).replace("\"transaction\"", "\"userbehavior\"");
        let mut decoder = Decoder::default();
        let Ok(Record::Change(change)) = decoder.decode(&raw("userbehavior", "", &value)) else {
            panic!(
                "not a change: {:?}",
                decoder.decode(&raw("userbehavior", "", &value))
            );
        };
        let after = change.after.unwrap();
        assert_eq!(after.text(Table::UserBehavior, "session_id"), Some("ab"));
        match after.get(Table::UserBehavior, "metadata") {
            Value::Json(text) => (text.clone(), decoder.counters().removed_nul),
            other => panic!("{other:?}"),
        }
    };
    let as_it_is = r#"{"size": "M", "n": 2.50}"#.to_owned();
    assert_eq!(
        document(r#""{\"size\": \"M\", \"n\": 2.50}""#),
        (as_it_is.clone(), 1)
    );
    assert_eq!(document(&as_it_is), (as_it_is, 1));
    assert_eq!(
        document(r#""{\"size\":\"M\",\"x\":\"\\u0000\"}""#),
        (r#"{"size":"M","x":""}"#.to_owned(), 2)
    );
    assert_eq!(document("\"plain words\""), ("\"plain words\"".to_owned(), 1));
    assert_eq!(document("5"), ("5".to_owned(), 1));
}

#[test]
fn pitfall_17_integers_beyond_two_to_the_53() {
    let id = 9_007_199_254_740_993;
    let key = format!(r#"{{"transaction_id":{id}}}"#);
    let row = order(
        id,
        "\"1\"",
        r#","big":9007199254740993,"unsigned":18446744073709551615"#,
    );
    let value = envelope("c", "null", &row, &streamed(9_007_199_254_740_993));
    let change = change("transaction", &key, &value);
    assert_eq!(change.key, id);
    assert_eq!(change.lsn, 9_007_199_254_740_993);
    assert_eq!(change.position.lsn, 9_007_199_254_740_993);
    let after = change.after.unwrap();
    assert_eq!(after.extra["big"].as_i64(), Some(id));
    assert_eq!(after.extra["unsigned"].as_u64(), Some(u64::MAX));
    assert!(after.to_json(Table::Transaction).contains("18446744073709551615"));
    // `quantity` is a 32-bit integer, whatever the source made of it.
    let line = |quantity: &str| {
        let row = format!(
            r#"{{"transaction_detail_id":1,"transaction_id":7,"product_id":3,"quantity":{quantity},"unit_price":"1.00"}}"#
        );
        let value =
            envelope("c", "null", &row, &streamed(1)).replace("\"transaction\"", "\"transactiondetail\"");
        match decode("transaction_items", "", &value) {
            Ok(Record::Change(change)) => Ok(change
                .after
                .unwrap()
                .int(Table::TransactionDetail, "quantity")
                .unwrap()),
            Ok(other) => panic!("{other:?}"),
            Err(error) => Err(error.reason()),
        }
    };
    for (quantity, expected) in [
        ("2", Ok(2)),
        ("\"2\"", Ok(2)),
        ("2.0", Ok(2)),
        ("\"2.00\"", Ok(2)),
        ("-2147483648", Ok(-2_147_483_648)),
        (r#"{"scale":0,"value":"Ag=="}"#, Ok(2)),
        ("2147483648", Err("out_of_range")),
        ("99999999999999999999", Err("out_of_range")),
        ("2.5", Err("wrong_type")),
        ("\"two\"", Err("wrong_type")),
        ("\"NaN\"", Err("wrong_type")),
        ("true", Err("wrong_type")),
        ("[2]", Err("wrong_type")),
    ] {
        assert_eq!(line(quantity), expected, "{quantity}");
    }
}

#[test]
fn pitfall_18_a_replay_carries_the_same_identity() {
    let value = envelope("c", "null", &order(7, "\"1\"", ""), &streamed(5001));
    let first = change("transaction", KEY, &value);
    let again = change(
        "transaction",
        KEY,
        &value.replace("1758377769000", "1758377799999"),
    );
    assert_eq!(first, again);
}

#[test]
fn pitfall_19_the_lsn_of_an_incremental_snapshot_is_in_the_sequence() {
    let source = r#","snapshot":"incremental","lsn":null,"txId":null,"sequence":"[null,\"23493504\"]""#;
    let row = change(
        "transaction",
        KEY,
        &envelope("r", "null", &order(7, "\"1\"", ""), source),
    );
    assert_eq!(
        (row.lsn, row.position, row.tx_id),
        (23_493_504, Position::snapshot(0), None)
    );
    let source = r#","snapshot":"false","lsn":null,"sequence":"[null,null]""#;
    let row = change(
        "transaction",
        KEY,
        &envelope("u", "null", &order(7, "\"1\"", ""), source),
    );
    assert_eq!((row.lsn, row.position), (0, Position::snapshot(0)));
    // A higher generation comes from the header.
    let value = envelope("u", "null", &order(7, "\"1\"", ""), &streamed(5));
    let mut record = raw("transaction", KEY, &value);
    record.headers = vec![(GENERATION_HEADER, Some(b"2")), (REPAIR_HEADER, Some(b"sweep"))];
    let Ok(Record::Change(row)) = Decoder::default().decode(&record) else {
        panic!("not a change");
    };
    assert_eq!(row.position, Position::streamed(2, 5));
    assert!(row.repair);
    record.headers = vec![(GENERATION_HEADER, Some(b"two"))];
    assert_eq!(
        Decoder::default().decode(&record).unwrap_err().reason(),
        "bad_header"
    );
}

#[test]
fn pitfall_23_three_clocks_and_the_business_time() {
    let value = envelope("c", "null", &order(7, "\"1\"", ""), &streamed(5));
    let change = change("transaction", KEY, &value);
    assert_eq!(change.committed_at, at(1_758_377_767_123_000));
    let business = change
        .after
        .unwrap()
        .micros(Table::Transaction, "transaction_date");
    assert_eq!(business, Some(1_758_291_367_000_000));
    let mut record = raw("transaction", KEY, "");
    let flat = order(7, "\"1\"", "");
    record.value = Some(flat.as_bytes());
    record.timestamp = None;
    assert_eq!(
        Decoder::default().decode(&record).unwrap_err().reason(),
        "missing_time"
    );
}

#[test]
fn pitfall_24_columns_come_and_go() {
    let added = order(7, "\"1.00\"", r#","currency":"ARS","total_cents":100"#);
    let after = change("transaction", KEY, &envelope("c", "null", &added, &streamed(5)))
        .after
        .unwrap();
    assert_eq!(after.extra["currency"], "ARS");
    let optional = order(7, "\"1.00\"", "").replace(r#""payment_method":"card","#, "");
    let after = change(
        "transaction",
        KEY,
        &envelope("c", "null", &optional, &streamed(5)),
    )
    .after
    .unwrap();
    assert_eq!(after.get(Table::Transaction, "payment_method"), &Value::Null);
    let renamed = order(7, "\"1.00\"", "").replace("total_amount", "amount");
    for op in ["c", "u", "r"] {
        assert_eq!(
            reason("transaction", KEY, &envelope(op, "null", &renamed, &streamed(5))),
            "missing_column"
        );
    }
    // A delete needs nothing but its key.
    assert_eq!(
        change("transaction", KEY, &envelope("d", &renamed, "null", &streamed(5))).op,
        Op::Delete
    );
    // NULL in a needed column is a value; only its absence is a changed table.
    let null = order(7, "null", "");
    let after = change("transaction", KEY, &envelope("c", "null", &null, &streamed(5)))
        .after
        .unwrap();
    assert_eq!(after.get(Table::Transaction, "total_amount"), &Value::Null);
}

#[test]
fn pitfall_25_poison_is_refused_with_a_stable_reason() {
    let good = envelope("c", "null", &order(7, "\"1.00\"", ""), &streamed(5));
    let deep_extra = order(
        7,
        "\"1.00\"",
        &format!(",\"x\":{}{}", "[".repeat(100_000), "]".repeat(100_000)),
    );
    let deep_top = format!("{}1{}", "{\"a\":".repeat(100_000), "}".repeat(100_000));
    let cases: Vec<(String, &str)> = vec![
        (r#"{"op":"z","after":{}}"#.into(), "unknown_op"),
        (good.replace("\"op\":\"c\"", "\"op\":\"z\""), "unknown_op"),
        (good.replace("\"op\":\"c\"", "\"op\":\"\""), "unknown_op"),
        (
            good.replace("\"buyer_id\":2", "\"buyer_id\":\"many\""),
            "wrong_type",
        ),
        (
            good.replace("\"transaction_id\":7", "\"transaction_id\":8"),
            "key_mismatch",
        ),
        (
            good.replace("\"transaction_id\":7", "\"transaction_id\":null"),
            "missing_key",
        ),
        (good.replace("\"transaction_id\":7,", ""), "missing_column"),
        (
            good.replace("\"buyer_id\":2", "\"buyer_id\":2,\"buyer_id\":3"),
            "duplicate_name",
        ),
        (
            good.replace("\"op\":\"c\"", "\"op\":\"c\",\"op\":\"d\""),
            "duplicate_name",
        ),
        (
            good.replace("\"schema\":\"public\"", "\"db\":\"x\""),
            "duplicate_name",
        ),
        (good.replace("\"lsn\":5", "\"lsn\":\"five\""), "bad_source"),
        (good.replace("\"after\":{", "\"later\":{"), "missing_image"),
        (
            good.replace("\"status\":\"PAID\"", r#""status":"\ud800""#),
            "bad_json",
        ),
        (good[..good.len() - 1].into(), "bad_json"),
        (format!("{good}x"), "bad_json"),
        (good.replace("card", "ca\nrd"), "bad_json"),
        ("[]".into(), "unknown_shape"),
        ("\"x\"".into(), "unknown_shape"),
        ("{}".into(), "unknown_shape"),
        (String::new(), "bad_json"),
        (envelope("c", "null", &deep_extra, &streamed(5)), "too_deep"),
        (deep_top, "unknown_shape"),
        ("[".repeat(1_000_000), "bad_json"),
        (format!("{good}{}", " ".repeat(3 * 1024 * 1024)), "too_long"),
    ];
    for (value, expected) in cases {
        let short: String = value.chars().take(200).collect();
        assert_eq!(reason("transaction", KEY, &value), expected, "{short}");
    }
    let mut record = raw("transaction", KEY, &good);
    record.value = Some(b"{\"op\":\"\xff\"}");
    let error = Decoder::default().decode(&record).unwrap_err();
    assert_eq!(error.reason(), "bad_utf8");
    let rejected = Decoder::reject(&error, &record);
    assert_eq!(rejected.reason, "bad_utf8");
    assert_eq!(rejected.value.as_deref(), record.value);
    assert_eq!(rejected.key.as_deref(), Some(KEY.as_bytes()));
    assert!(rejected.detail.starts_with("the value is not valid UTF-8. "));
    assert_eq!(Decoder::default().content(&record), Err(Box::new(rejected)));
    for key in ["{\"transaction_id\":\"x\"}", "Struct{}", "{"] {
        let reason = reason("transaction", key, &good);
        assert!(reason == "bad_key" || reason == "bad_json", "{key} {reason}");
    }
}

#[test]
fn a_change_is_routed_by_its_source_block() {
    let value = envelope("c", "null", &order(7, "\"1\"", ""), &streamed(5));
    assert_eq!(change("anything.at.all", KEY, &value).table, Table::Transaction);
    // Any schema of the database is fine, the same name in another database is not ours.
    let schema = value.replace("\"public\"", "\"shop\"");
    assert_eq!(change("transaction", KEY, &schema).source, SourceDb::Instashop);
    for other in ["crm_db", "somewhere"] {
        let value = value.replace("\"db\":\"instashop\"", &format!("\"db\":\"{other}\""));
        assert_eq!(
            decode("transaction", KEY, &value),
            Ok(Record::NotARow(NotARow::UnknownTable))
        );
    }
    let mut decoder = Decoder::new(Settings {
        databases: ["somewhere", "b", "c", "d"].map(str::to_owned),
        ..Settings::default()
    });
    let elsewhere = value.replace("\"db\":\"instashop\"", "\"db\":\"somewhere\"");
    assert!(matches!(
        decoder.decode(&raw("transaction", KEY, &elsewhere)),
        Ok(Record::Change(_))
    ));
    let flattened = order(7, "\"1\"", r#","__db":"crm_db","__op":"c""#);
    assert_eq!(
        decode("transaction", KEY, &flattened),
        Ok(Record::NotARow(NotARow::UnknownTable))
    );
    // A renamed line table, and a dead letter replayed from a flattened topic.
    let line = r#"{"transaction_detail_id":1,"transaction_id":7,"product_id":3,"quantity":1,"unit_price":"1.00","__op":"c"}"#;
    assert_eq!(
        change("transaction_items", "", line).table,
        Table::TransactionDetail
    );
    let mut record = raw("transaction_items", "", line);
    record.headers = vec![(REPAIR_HEADER, Some(b"true"))];
    let Ok(Record::Change(replayed)) = Decoder::default().decode(&record) else {
        panic!("not a change");
    };
    assert!(replayed.repair && replayed.table == Table::TransactionDetail);
}

#[test]
fn flattened_deletes_and_metadata_in_headers() {
    let row = order(7, "\"1.00\"", r#","__deleted":"true""#);
    let gone = change("transaction", KEY, &row);
    assert_eq!(
        (gone.op, gone.after.is_none(), gone.before.is_some()),
        (Op::Delete, true, true)
    );
    let row = order(7, "\"1.00\"", "");
    let mut record = raw("transaction", KEY, &row);
    record.headers = vec![
        ("__op", Some(b"c")),
        ("__lsn", Some(b"77")),
        ("__source_ts_ms", Some(b"1000")),
    ];
    let Ok(Record::Change(born)) = Decoder::default().decode(&record) else {
        panic!("not a change");
    };
    assert_eq!(
        (born.op, born.lsn, born.committed_at),
        (Op::Create, 77, at(1_000_000))
    );
    assert!(born.after.unwrap().extra.is_empty());
}

#[test]
fn a_plain_recording_leaves_every_counter_at_zero() {
    let mut decoder = Decoder::default();
    let value = envelope(
        "u",
        &order(7, "\"1.00\"", ""),
        &order(7, "\"2.00\"", ""),
        &streamed(5),
    );
    assert!(decoder.decode(&raw("transaction", KEY, &value)).is_ok());
    assert_eq!(*decoder.counters(), Counters::default());
}
