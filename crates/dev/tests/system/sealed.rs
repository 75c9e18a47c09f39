//! Sealed days, on real servers: what leaves Redis, what comes late, and who puts it right.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::bed::{Bed, bed};
use crate::oracle::Oracle;

/// The proof as JSON; drift must be 0.
#[track_caller]
fn proof(bed: &Bed) -> Value {
    let ran = bed.instashop(&["verify", "--wait", "120", "--format", "json"]);
    assert_eq!(ran.code, 0, "{}\n{}", ran.out, ran.err);
    serde_json::from_str(&ran.out).expect("the proof is JSON")
}

/// The proof once something holds of its sealed days.
#[track_caller]
fn proof_when(bed: &Bed, what: &str, holds: impl Fn(&Value) -> bool) -> Value {
    let began = Instant::now();
    loop {
        let proof = proof(bed);
        if holds(&proof["sealed"]) {
            return proof;
        }
        assert!(
            began.elapsed() < Duration::from_mins(3),
            "{what}: {}",
            proof["sealed"]
        );
    }
}

/// Orders of live days that Redis holds.
fn orders(proof: &Value) -> i64 {
    let lines = proof["lines"].as_array().cloned().unwrap_or_default();
    let line = lines
        .iter()
        .find(|line| line["name"] == "transaction, live")
        .cloned()
        .unwrap_or_default();
    line["live"]
        .as_str()
        .and_then(|rows| rows.parse().ok())
        .unwrap_or(-1)
}

/// Sets how many days stay live.
fn live_days(bed: &Bed, days: u32) {
    let file = bed.config_file();
    let text = std::fs::read_to_string(&file).expect("the stack writes its configuration");
    let lines = text.lines().filter(|line| !line.starts_with("live_days"));
    let text: Vec<String> = lines
        .map(|line| match line {
            "[redis]" => format!("{line}\nlive_days = {days}"),
            line => line.to_owned(),
        })
        .collect();
    std::fs::write(&file, text.join("\n")).expect("the configuration can be written");
}

/// Everything that is sealed has left, and its totals are as the warehouse says.
#[track_caller]
fn settled(bed: &Bed) -> Value {
    proof_when(bed, "states of sealed days leave", |sealed| {
        sealed["has_left"] == true
    });
    bed.instashop(&["etl", "--seal"]).good();
    let ran = bed.instashop(&["verify"]);
    assert_eq!(ran.code, 0, "{}\n{}", ran.out, ran.err);
    assert!(
        ran.out.contains("are sealed: their totals are compared"),
        "{}",
        ran.out
    );
    proof(bed)
}

/// Days older than those that stay live are sealed; late changes of them are counted, verify says so, and the daily process
/// puts them right; the boundary moves on, and what lies before it leaves; a rebuild ends in the same numbers.
#[test]
fn z_days_are_sealed_and_settled_again() {
    let bed = bed();
    bed.instashop(&["down"]);
    bed.dev(&["stack", "down", "--remove-data"]).good();
    bed.dev(&["stack", "up"]).good();
    live_days(&bed, 60);
    bed.dev(&[
        "simulate",
        "history",
        "--days",
        "80",
        "--stores",
        "4",
        "--buyers",
        "500",
        "--products",
        "60",
        "--orders-per-day",
        "40",
        "--seed",
        "11",
    ])
    .good();
    bed.instashop(&["setup"]).good();
    bed.instashop(&["up"]).good();
    bed.instashop(&["verify", "--wait", "180"]).good();
    let config = bed.config();
    let before = settled(&bed);
    let boundary = before["sealed"]["boundary"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    let oracle = Oracle::sales(&config);
    let held = oracle.text(&format!(
        "SELECT count(*)::text FROM transaction
           WHERE (transaction_date AT TIME ZONE 'UTC' AT TIME ZONE '{}')::date >= '{boundary}'",
        config.meaning.zone
    ));
    assert_eq!(orders(&before).to_string(), held);

    // Nobody is there to put it right at once.
    bed.instashop(&["down"]).good();
    bed.instashop(&["up", "--etl", "0"]).good();
    oracle.execute(
        "UPDATE transaction SET total_amount = total_amount + 0.01
           WHERE transaction_id IN (SELECT transaction_id FROM transaction ORDER BY transaction_date LIMIT 3);
         UPDATE transaction SET transaction_date = transaction_date - interval '70 days'
           WHERE transaction_id = (SELECT max(transaction_id) FROM transaction);
         UPDATE product SET category = 'Elsewhere' WHERE product_id = (SELECT min(product_id) FROM transactiondetail);",
    );
    let late = proof(&bed);
    assert!(
        late["sealed"]["late"].as_i64() >= Some(5),
        "three totals, an order that moved, and a product: {}",
        late["sealed"]
    );
    assert_eq!(orders(&late), orders(&before) - 1);
    settled(&bed);

    // Fewer days stay live from now on.
    bed.instashop(&["down"]).good();
    live_days(&bed, 31);
    bed.instashop(&["up"]).good();
    proof_when(&bed, "the boundary moves", |sealed| {
        sealed["boundary"].as_str() > Some(boundary.as_str())
    });
    let later = settled(&bed);
    assert!(
        orders(&later) < orders(&before) * 2 / 3,
        "{} of {} orders are live",
        orders(&later),
        orders(&before)
    );

    // A new generation begins with the boundary and ends in the same numbers.
    bed.instashop(&["rebuild", "live", "--yes"]).good();
    let rebuilt = settled(&bed);
    assert_eq!(orders(&rebuilt), orders(&later));
    bed.instashop(&["verify", "--kpis"]).good();
}
