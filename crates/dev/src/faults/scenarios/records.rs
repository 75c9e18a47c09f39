//! Records that no connector should have written.

use std::time::Duration;

use color_eyre::eyre::{Result, ensure};

use crate::bed::eventually;
use crate::bed::sql::Database;
use crate::faults::field::Field;
use crate::faults::topics::Raw;

/// Values that cannot be used, each for another reason.
fn poison() -> Vec<(&'static str, Vec<u8>)> {
    let envelope = |after: &str| {
        format!(
            r#"{{"op":"c","before":null,"after":{after},"source":{{"db":"instashop","schema":"public","table":"transaction","txId":1,"lsn":77,"ts_ms":1700000000000,"snapshot":"false"}}}}"#
        )
        .into_bytes()
    };
    let order = |amount: &str| {
        envelope(&format!(
            r#"{{"transaction_id":9,"buyer_id":1,"customer_id":1,"transaction_date":1700000000000000,"total_amount":{amount},"payment_method":"x","status":"completed"}}"#
        ))
    };
    let deep = format!("{}1{}", "[".repeat(20_000), "]".repeat(20_000));
    vec![
        ("no JSON", b"not JSON".to_vec()),
        ("half a record", order("\"1.00\"")[..80].to_vec()),
        ("a wrong type", order("{}")),
        ("an amount of letters", order("\"much\"")),
        ("a huge number", order(&format!("\"{}\"", "9".repeat(400)))),
        ("invalid UTF-8", b"{\"op\":\"\xff\xfe\"}".to_vec()),
        (
            "an unknown op",
            br#"{"op":"z","source":{"db":"instashop","table":"transaction"}}"#.to_vec(),
        ),
        ("deep nesting", deep.into_bytes()),
        (
            "eight megabytes",
            format!("\"{}\"", "x".repeat(8 << 20)).into_bytes(),
        ),
        ("an array", b"[1,2,3]".to_vec()),
    ]
}

/// Every kind of poison into the busiest topics, between real records; each becomes a letter, and nothing else changes.
pub(in crate::faults) fn poisoned(field: &mut Field<'_>) -> Result<String> {
    let topics = field.topics()?;
    let warehouse = field.sql(Database::Warehouse)?;
    let count = "SELECT count(*)::text FROM ops.dead_letters WHERE state = 'open'";
    let before: usize = warehouse.text(count)?.parse()?;
    let poison = poison();
    let mut sent = 0;
    for (topic, key) in [("transaction", "transaction_id"), ("product", "product_id")] {
        let records: Vec<Raw> = poison
            .iter()
            .enumerate()
            .map(|(number, (_, value))| Raw {
                key: format!("{{\"{key}\":{}}}", 990_000_000 + number).into_bytes(),
                value: Some(value.clone()),
            })
            .collect();
        topics.write(topic, &records)?;
        sent += records.len();
        // A key without a row, and nothing: tombstones and empty values are no poison.
        let empty = Raw {
            key: format!("{{\"{key}\":990000999}}").into_bytes(),
            value: None,
        };
        topics.write(topic, &[empty])?;
    }
    let mut open = 0;
    eventually("every poison is a letter", Duration::from_secs(30), || {
        open = warehouse.text(count)?.parse::<usize>()? - before;
        Ok(open >= sent)
    })?;
    ensure!(open == sent, "{sent} records of poison gave {open} letters");
    let reasons =
        warehouse.text("SELECT count(DISTINCT reason)::text FROM ops.dead_letters WHERE state = 'open'")?;
    field.bed.good(
        "instashop",
        &["dead-letters", "discard", "--since", "1h", "--yes"],
    )?;
    Ok(format!("{sent} letters, {reasons} reasons"))
}
