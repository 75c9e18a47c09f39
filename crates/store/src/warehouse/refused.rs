//! The last resort against a value that PostgreSQL refuses: find its record by halves and keep it as a dead letter, so
//! that it never blocks its partition (cdc pitfall 25). Known cases never get here: they are made to fit beforehand.

use chrono::{DateTime, Utc};
use instashop_core::batch::{Batch, BatchRecord, Rejected};
use instashop_core::change::{Change, Record};
use instashop_core::fold;

use super::commit::Failure;
use super::event_log::image::json;
use super::session::Session;
use crate::StoreError;

/// Reason of such dead letters.
const REASON: &str = "refused_by_warehouse";

/// The batch with every record that PostgreSQL refuses turned into a rejected one.
pub(super) async fn isolate(
    session: &mut Session,
    batch: &Batch,
    now: DateTime<Utc>,
) -> Result<Batch, StoreError> {
    let mut without = batch.clone();
    let mut parts = Vec::new();
    parts.push(0..batch.records.len());
    while let Some(part) = parts.pop() {
        let Some(refusal) = try_out(session, batch, part.clone(), now).await? else {
            continue;
        };
        if part.len() > 1 {
            let middle = part.start + part.len() / 2;
            parts.push(part.start..middle);
            parts.push(middle..part.end);
        } else if let Some(record) = without.records.get_mut(part.start) {
            reject(record, &refusal);
        }
    }
    Ok(without)
}

/// Writes some records and takes it back; gives the refusal, if there was one.
async fn try_out(
    session: &mut Session,
    batch: &Batch,
    part: std::ops::Range<usize>,
    now: DateTime<Utc>,
) -> Result<Option<String>, StoreError> {
    let records = batch.records.get(part).unwrap_or_default().to_vec();
    let part = Batch {
        steps: batch.steps.clone(),
        records,
    };
    session.begins();
    let begun = session.client.batch_execute("BEGIN").await;
    begun.map_err(|error| crate::postgres::failed("cannot begin a trial", error))?;
    let images = session.images(&part).await?;
    let effects = fold::fold(&part, images, &[]);
    let result = session.write(&part, &effects, now).await;
    session.roll_back().await;
    match result {
        Ok(()) => Ok(None),
        Err(Failure::Value(refusal)) => Ok(Some(refusal.to_string())),
        Err(Failure::Store(error)) => Err(error),
    }
}

fn reject(record: &mut BatchRecord, refusal: &str) {
    let (key, value) = match &record.content {
        Ok(Record::Change(change)) => (Some(change.key), Some(envelope(change))),
        Ok(Record::Tombstone { key, .. }) => (*key, None),
        _ => (None, None),
    };
    record.content = Err(Box::new(Rejected {
        reason: REASON.into(),
        detail: format!(
            "{refusal}; the bytes here are written again from the decoded change, read the record in Kafka for its own"
        ),
        key: key.map(|key| key.to_string().into_bytes()),
        value: value.map(String::into_bytes),
    }));
}

/// The change as an envelope, because the bytes of a decoded record are gone.
fn envelope(change: &Change) -> String {
    let image = |row: &Option<_>| {
        row.as_ref()
            .map_or_else(|| "null".to_owned(), |row| json(change.table, row))
    };
    let source = serde_json::json!({
        "db": change.source.name(),
        "table": change.table.name(),
        "lsn": change.lsn,
        "txId": change.tx_id,
        "ts_ms": change.committed_at.timestamp_millis(),
        "snapshot": if change.snapshot { "true" } else { "false" },
    });
    format!(
        r#"{{"op":"{}","before":{},"after":{},"source":{source}}}"#,
        change.op.letter(),
        image(&change.before),
        image(&change.after)
    )
}
