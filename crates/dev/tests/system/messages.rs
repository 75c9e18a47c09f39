//! Bad input and bad settings: one clear message with what to do, nothing panics, nothing is lost.

use std::time::Duration;

use rdkafka::producer::{BaseProducer, BaseRecord, Producer};

use crate::bed::{Ran, bed, eventually};
use crate::oracle::Oracle;

/// A message for an operator: not empty, no panic, no source location, and it holds the words.
#[track_caller]
fn readable(ran: &Ran, words: &[&str]) {
    assert_ne!(ran.code, 0, "{}\n{}", ran.out, ran.err);
    let text = format!("{}\n{}", ran.out, ran.err);
    assert!(
        !text.contains("panicked") && !text.contains("RUST_BACKTRACE"),
        "{text}"
    );
    for word in words {
        assert!(
            text.to_lowercase().contains(&word.to_lowercase()),
            "{word:?} is not in:\n{text}"
        );
    }
}

#[test]
fn an_undecodable_record_is_a_dead_letter_with_its_reason_and_the_flow_goes_on() {
    let bed = bed();
    bed.running();
    let config = bed.config();
    let producer: BaseProducer = rdkafka::ClientConfig::new()
        .set("bootstrap.servers", &config.kafka.brokers)
        .create()
        .expect("a producer");
    for (key, value) in [
        (&br#"{"transaction_id":1}"#[..], &b"{ this is not json"[..]),
        (br#"{"transaction_id":2}"#, br#"{"op":"z","after":{},"source":{"db":"instashop","schema":"public","table":"transaction","ts_ms":1}}"#),
        (br#"{"transaction_id":3}"#, &[0xff, 0xfe, 0x00][..]),
    ] {
        producer.send(BaseRecord::to("transaction").key(key).payload(value)).expect("sending a bad record");
    }
    producer
        .flush(Duration::from_secs(10))
        .expect("the broker takes the bad records");
    let mut listed = String::new();
    eventually(
        "the bad records are dead letters",
        Duration::from_secs(30),
        || {
            listed = bed.instashop(&["dead-letters", "list", "--format", "json"]).out;
            serde_json::from_str::<serde_json::Value>(&listed)
                .is_ok_and(|list| list.as_array().is_some_and(|list| list.len() >= 3))
        },
    );
    assert!(listed.contains("bad_json"), "{listed}");
    let oracle = Oracle::sales(&config);
    oracle.execute("UPDATE transaction SET total_amount = total_amount + 1 WHERE transaction_id = (SELECT max(transaction_id) FROM transaction)");
    bed.proved();
}

#[test]
fn a_second_setup_changes_nothing_and_a_missing_publication_is_named_and_repaired() {
    let bed = bed();
    bed.running();
    let second = bed.instashop(&["setup", "--format", "json"]).good();
    assert!(
        !second.out.contains("\"changed\""),
        "a second setup changed something:\n{}",
        second.out
    );
    bed.instashop(&["setup", "--check"]).good();
    let oracle = Oracle::sales(&bed.config());
    oracle.execute("ALTER PUBLICATION instashop_cdc DROP TABLE userbehavior");
    readable(
        &bed.instashop(&["setup", "--check"]),
        &["publication", "userbehavior", "instashop setup"],
    );
    bed.instashop(&["setup"]).good();
    bed.instashop(&["setup", "--check"]).good();
}

#[test]
fn wrong_settings_and_unreachable_servers_give_one_message() {
    let bed = bed();
    bed.running();
    let cases: &[(&[&str], &[&str])] = &[
        (
            &["--set", "flow.batch_records=0", "live"],
            &["flow.batch_records", "between"],
        ),
        (&["--set", "redis.prot=1", "live"], &["prot"]),
        (
            &["--set", "meaning.zone=Mars/Olympus", "live"],
            &["meaning.zone", "IANA"],
        ),
        (
            &["--config", "/nonexistent.toml", "status"],
            &["/nonexistent.toml", "--config"],
        ),
        (&["--set", "warehouse.port=1", "verify"], &["warehouse"]),
        (&["--set", "redis.port=1", "verify"], &["redis"]),
        (
            &["--set", "connect.url=http://127.0.0.1:1", "setup", "--check"],
            &["connect", "127.0.0.1:1"],
        ),
        (
            &["--set", "kafka.brokers=127.0.0.1:1", "setup", "--check"],
            &["kafka", "127.0.0.1:1"],
        ),
        (
            &["--set", "sources.erp_db.owner_password=wrong", "setup", "--check"],
            &["erp_db", "password"],
        ),
    ];
    for (arguments, words) in cases {
        readable(&bed.instashop(arguments), words);
    }
    let away = bed.run(
        "instashop-tui",
        &[
            "--once",
            "--set",
            "redis.port=1",
            "--set",
            "warehouse.port=1",
            "--wait",
            "3s",
        ],
    );
    assert_eq!(
        away.code, 3,
        "a board without its stores is stale, not healthy:\n{}\n{}",
        away.out, away.err
    );
}
