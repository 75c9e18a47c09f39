//! Rows of `raw.realtime_events`.
//!
//! * `image` writes row images as JSON.

pub(super) mod image;

use chrono::{DateTime, Utc};
use instashop_core::batch::Batch;
use instashop_core::fold::{Event, EventKind};
use instashop_core::table::Table;
use rust_decimal::Decimal;
use tokio_postgres::types::PgLsn;

use self::image::json;
use super::stage::array::{Array, clean};
use crate::postgres::moment::SqlMoment;

/// Inserts events; a second arrival of a change is no row. Names and category come from the current rows, which the same
/// transaction has written before, and stay NULL when they are not there yet.
pub(super) const INSERT: &str = r#"
INSERT INTO raw.realtime_events (
  event_type, "timestamp", customer_id, customer_name, product_id, product_name, category, amount, session_id, raw_data,
  processed_at, source, transaction_id, buyer_id, source_db, source_table, source_key, op, generation, lsn, ordinal, tx_id,
  committed_at, snapshot, before, missing, topic, partition, "offset")
SELECT
  e.event_type, e.at, e.customer_id, c.name, e.product_id, p.name, p.category, e.amount, e.session_id, e.raw_data::jsonb,
  e.processed_at, e.source, e.transaction_id, e.buyer_id, e.source_db, e.source_table, e.source_key, e.op::"char",
  e.generation, e.lsn, e.ordinal, e.tx_id, e.committed_at, e.snapshot, e.before::jsonb, string_to_array(e.missing, ','),
  e.topic, e.partition, e.place
FROM unnest(
  $1::text[], $2::timestamp[], $3::bigint[], $4::bigint[], $5::numeric[], $6::text[], $7::text[], $8::timestamptz[],
  $9::text[], $10::bigint[], $11::bigint[], $12::text[], $13::text[], $14::bigint[], $15::text[], $16::int[], $17::pg_lsn[],
  $18::bigint[], $19::bigint[], $20::timestamptz[], $21::bool[], $22::text[], $23::text[], $24::text[], $25::int[],
  $26::bigint[]
) AS e(
  event_type, at, customer_id, product_id, amount, session_id, raw_data, processed_at, source, transaction_id, buyer_id,
  source_db, source_table, source_key, op, generation, lsn, ordinal, tx_id, committed_at, snapshot, before, missing,
  topic, partition, place)
LEFT JOIN staging.customer c ON c.customer_id = e.customer_id
LEFT JOIN staging.product p ON p.product_id = e.product_id
ON CONFLICT DO NOTHING"#;

/// The parameters of [`INSERT`].
pub(super) fn arrays<'a>(batch: &'a Batch, events: &'a [Event], now: DateTime<Utc>) -> Vec<Array<'a>> {
    let int = |column: &'static str| {
        Array::Int(
            events
                .iter()
                .map(|event| event.image.int(event.table, column))
                .collect(),
        )
    };
    let text = |of: &dyn Fn(&'a Event) -> Option<std::borrow::Cow<'a, str>>| {
        Array::Text(events.iter().map(of).collect())
    };
    let place = |event: &Event| {
        let record = batch.records.get(event.record);
        (
            record.and_then(|record| batch.partition(record)),
            record.map_or(0, |record| record.offset),
        )
    };
    let missing = |event: &Event| {
        let columns = event.table.columns();
        let names: Vec<&str> = event
            .missing
            .iter()
            .filter_map(|index| columns.get(*index))
            .map(|column| column.name)
            .collect();
        (!names.is_empty()).then(|| names.join(",").into())
    };
    vec![
        text(&|event| Some(event.name().into())),
        Array::Moment(events.iter().map(|event| Some(SqlMoment(event.at))).collect()),
        int("customer_id"),
        int("product_id"),
        Array::Decimal(events.iter().map(amount).collect()),
        text(&|event| event.image.text(event.table, "session_id").map(clean)),
        text(&|event| (event.kind != EventKind::Deleted).then(|| json(event.table, &event.image).into())),
        Array::Time(events.iter().map(|_| Some(now)).collect()),
        text(&|event| Some(if event.repair { "repair" } else { "kafka_consumer" }.into())),
        int("transaction_id"),
        int("buyer_id"),
        text(&|event| Some(event.table.source().name().into())),
        text(&|event| Some(event.table.name().into())),
        Array::Int(events.iter().map(|event| Some(event.key)).collect()),
        text(&|event| Some(event.op.letter().into())),
        Array::Small(
            events
                .iter()
                .map(|event| i32::try_from(event.generation).unwrap_or(i32::MAX))
                .collect(),
        ),
        Array::Lsn(events.iter().map(|event| PgLsn::from(event.lsn)).collect()),
        Array::Int(events.iter().map(|event| Some(event.ordinal)).collect()),
        Array::Int(
            events
                .iter()
                .map(|event| event.tx_id.and_then(|id| i64::try_from(id).ok()))
                .collect(),
        ),
        Array::Time(events.iter().map(|event| Some(event.committed_at)).collect()),
        Array::Bool(events.iter().map(|event| event.snapshot).collect()),
        text(&|event| {
            event
                .before
                .as_ref()
                .map(|before| json(event.table, before).into())
        }),
        text(&missing),
        text(&|event| place(event).0.map(|partition| partition.topic.as_str().into())),
        Array::Small(
            events
                .iter()
                .map(|event| place(event).0.map_or(0, |partition| partition.number))
                .collect(),
        ),
        Array::Int(events.iter().map(|event| Some(place(event).1)).collect()),
    ]
}

/// Amount of an order, or of a line as quantity x unit price.
fn amount(event: &Event) -> Option<Decimal> {
    let (table, row) = (event.table, &event.image);
    match table {
        Table::Transaction => row.decimal(table, "total_amount"),
        Table::TransactionDetail => {
            Decimal::from(row.int(table, "quantity")?).checked_mul(row.decimal(table, "unit_price")?)
        }
        _ => None,
    }
}
