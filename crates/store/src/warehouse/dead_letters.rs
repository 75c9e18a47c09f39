//! Records that could not be used: written in the transaction of their checkpoint.
//!
//! * `letters` is what people do with them: list, look at, discard, replay.

mod letters;

use chrono::{DateTime, Utc};
use instashop_core::batch::Batch;

pub use letters::{DeadLetter, DeadLetters, Filter, LetterState, Reason};

use super::stage::array::{Array, clean};

/// Inserts dead letters; one that is kept already stays as it is.
pub(super) const INSERT: &str = r#"
INSERT INTO ops.dead_letters (topic, partition, "offset", kafka_at, seen_at, reason, detail, key, value)
SELECT * FROM unnest($1::text[], $2::int[], $3::bigint[], $4::timestamptz[], $5::timestamptz[], $6::text[], $7::text[],
                     $8::bytea[], $9::bytea[])
ON CONFLICT DO NOTHING"#;

/// The parameters of [`INSERT`] for the rejected records of a batch.
pub(super) fn arrays<'a>(batch: &'a Batch, rejected: &[usize], now: DateTime<Utc>) -> Vec<Array<'a>> {
    let letters: Vec<_> = rejected
        .iter()
        .filter_map(|index| {
            let record = batch.records.get(*index)?;
            Some((batch.partition(record)?, record, record.content.as_ref().err()?))
        })
        .collect();
    let all = || letters.iter();
    vec![
        Array::Text(
            all()
                .map(|(partition, ..)| Some(clean(&partition.topic)))
                .collect(),
        ),
        Array::Small(all().map(|(partition, ..)| partition.number).collect()),
        Array::Int(all().map(|(_, record, _)| Some(record.offset)).collect()),
        Array::Time(all().map(|(_, record, _)| record.kafka_at).collect()),
        Array::Time(all().map(|_| Some(now)).collect()),
        Array::Text(all().map(|(.., letter)| Some(clean(&letter.reason))).collect()),
        Array::Text(all().map(|(.., letter)| Some(clean(&letter.detail))).collect()),
        Array::Bytes(all().map(|(.., letter)| letter.key.as_deref()).collect()),
        Array::Bytes(all().map(|(.., letter)| letter.value.as_deref()).collect()),
    ]
}
