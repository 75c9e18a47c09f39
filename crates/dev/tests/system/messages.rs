//! Bad input and bad settings: one clear message with what to do, nothing panics, nothing is lost.

use std::time::Duration;

use instashop_core::config::Config;
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
        // As Connect chooses a partition, so that a row has one.
        .set("partitioner", "murmur2_random")
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

fn produce<'a>(config: &Config, topic: &str, records: impl IntoIterator<Item = (&'a str, &'a str)>) {
    let producer: BaseProducer = rdkafka::ClientConfig::new()
        .set("bootstrap.servers", &config.kafka.brokers)
        // As Connect chooses a partition, so that a row has one.
        .set("partitioner", "murmur2_random")
        .create()
        .expect("a producer");
    for (key, value) in records {
        producer
            .send(BaseRecord::to(topic).key(key).payload(value))
            .expect("sending a record");
    }
    producer
        .flush(Duration::from_secs(10))
        .expect("the broker takes the records");
}

/// A record comes damaged twice. The letter of the first was overtaken and is discarded; the second is put right by hand
/// and replayed: both stores hold the row, also when they are built anew. The source gets it last, so that the proof
/// first names it and then ends in drift 0.
#[test]
fn a_letter_put_right_and_replayed_reaches_both_stores() {
    let bed = bed();
    bed.running();
    let config = bed.config();
    let oracle = Oracle::sales(&config);
    let id = 900_000_001;
    let key = format!(r#"{{"transaction_id":{id}}}"#);
    let value = oracle.text(&format!(
        "SELECT json_build_object('op', 'c', 'before', NULL,
             'after', json_build_object('transaction_id', {id}, 'buyer_id', min(buyer_id), 'customer_id', min(customer_id),
               'transaction_date', extract(epoch FROM date_trunc('minute', now()))::bigint * 1000000,
               'total_amount', '12.34', 'payment_method', 'paypal', 'status', 'completed'),
             'source', json_build_object('db', 'instashop', 'schema', 'public', 'table', 'transaction', 'txId', 1,
               'lsn', (pg_current_wal_lsn() - '0/0')::bigint, 'ts_ms', extract(epoch FROM now())::bigint * 1000,
               'snapshot', 'false'))::text
           FROM transaction"
    ));
    let damaged = &value[..value.len() - 1];
    produce(&config, "transaction", [(&*key, damaged), (&*key, damaged)]);
    let mut letters: Vec<String> = Vec::new();
    eventually(
        "the damaged records are dead letters",
        Duration::from_secs(30),
        || {
            let listed = bed.instashop(&["dead-letters", "list", "--format", "json"]).out;
            let listed: Vec<serde_json::Value> = serde_json::from_str(&listed).unwrap_or_default();
            let ours = listed.iter().filter(|entry| entry["key"] == key.as_str());
            letters = ours.map(|entry| entry["id"].to_string()).collect();
            letters.len() == 2
        },
    );
    let (letter, overtaken) = (&letters[0], &letters[1]);
    let discarded = bed.instashop(&["dead-letters", "replay", overtaken]).good();
    assert!(discarded.out.contains("discarded 1 letter"), "{}", discarded.out);
    let mended = bed.data().join("mended.json");
    std::fs::write(&mended, &value).expect("writing the value");
    let mended = mended.to_string_lossy();
    bed.instashop(&["dead-letters", "replay", letter, "--value", &mended])
        .good();
    let again = bed.instashop(&["dead-letters", "replay", letter]);
    assert_eq!(again.code, 1, "it is not open any more: {}", again.out);
    let early = bed.instashop(&["verify"]);
    assert_eq!(early.code, 1, "{}\n{}", early.out, early.err);
    assert!(early.out.contains(&id.to_string()), "{}", early.out);
    oracle.execute(&format!(
        "INSERT INTO transaction (transaction_id, buyer_id, customer_id, transaction_date, total_amount, payment_method, status)
         SELECT {id}, min(buyer_id), min(customer_id), date_trunc('minute', now() AT TIME ZONE 'UTC'), 12.34, 'paypal',
           'completed' FROM transaction"
    ));
    bed.proved();
    bed.instashop(&["rebuild", "live", "--yes"]).good();
    bed.proved();
}

/// A topic full of something else: both flows stop and say so instead of moving on. Somebody decides to let it through,
/// and what was let through does not stop a rebuild at the usual limit.
#[test]
fn a_flood_of_poison_stops_both_flows_until_somebody_decides() {
    let bed = bed();
    bed.running();
    let config = bed.config();
    // Far more than a fifth of the last thousand records, whatever came before.
    produce(
        &config,
        "segment",
        std::iter::repeat_n((r#"{"segment_id":1}"#, "not JSON"), 600),
    );
    eventually("both flows say that they stopped", Duration::from_mins(1), || {
        let status = bed.instashop(&["status"]);
        let says = |flow: &str| {
            let words = ["stopped", "records could not be used", flow];
            status
                .out
                .lines()
                .any(|line| words.iter().all(|word| line.contains(word)))
        };
        status.code == 1 && says("live: ") && says("warehouse: ")
    });
    bed.instashop(&["down"]).good();
    bed.instashop(&["--set", "flow.reject_percent=100", "up"]).good();
    bed.proved();
    let letters = bed.instashop(&["dead-letters", "list", "--topic", "segment", "--format", "json"]);
    let letters: serde_json::Value = serde_json::from_str(&letters.out).expect("the list is JSON");
    assert_eq!(
        letters.as_array().map(Vec::len),
        Some(50),
        "as many as a list shows"
    );
    bed.instashop(&["dead-letters", "discard", "--topic", "segment", "--yes"])
        .good();
    bed.instashop(&["down"]).good();
    bed.running();
    bed.instashop(&["rebuild", "live", "--yes"]).good();
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
