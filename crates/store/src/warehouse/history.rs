//! Rows of `history.*`: opening a value, and ending the one before it.

use std::collections::HashSet;

use instashop_core::change::Value;
use instashop_core::fold::{History, Transition};
use instashop_core::table::ColumnKind;
use tokio_postgres::types::PgLsn;

use super::stage::array::Array;

/// Statement for the transitions of one history.
///
/// A value lasts until the next transition of its key, or until its delete. A transition that is known already is put
/// in its place again: so a replay, which runs forward to the newest change, leaves every row as it was, even where a
/// repeated tombstone had ended a newer life of the key for a moment. Within a batch the caller has worked out the ends.
macro_rules! record {
    ($table:literal, $key:literal, $values:literal, $arrays:literal) => {
        concat!(
            "WITH t AS (SELECT * FROM unnest($1::bigint[], $2::timestamptz[], $3::timestamptz[], $4::bool[], $5::bool[], ",
            "$6::int[], $7::pg_lsn[], ", $arrays, ") ",
            "AS t(key, at, until, opens, from_snapshot, generation, lsn, ", $values, ")), ",
            "put AS (INSERT INTO history.", $table, " AS h (", $key, ", valid_from, valid_to, from_snapshot, ",
            "_generation, _lsn, ", $values, ") SELECT t.key, t.at, coalesce(t.until, (SELECT min(n.valid_from) ",
            "FROM history.", $table, " n WHERE n.", $key, " = t.key AND n.valid_from > t.at)), ",
            "t.from_snapshot, t.generation, t.lsn, ", $values, " FROM t WHERE t.opens ",
            "ON CONFLICT (", $key, ", valid_from, _generation, _lsn) DO UPDATE SET valid_to = excluded.valid_to ",
            "WHERE h.valid_to IS DISTINCT FROM excluded.valid_to), ",
            "ended AS (SELECT h.", $key, " AS key, h.valid_from, h._generation, h._lsn, t.at FROM t ",
            "JOIN history.", $table, " h ON h.", $key, " = t.key AND h.valid_from <= t.at AND h.valid_to IS NULL ",
            "UNION ALL SELECT h.", $key, ", h.valid_from, h._generation, h._lsn, t.at FROM t ",
            "JOIN history.", $table, " h ON h.", $key, " = t.key AND h.valid_from <= t.at AND h.valid_to > t.at) ",
            "UPDATE history.", $table, " h SET valid_to = e.at FROM (SELECT key, valid_from, _generation, _lsn, ",
            "min(at) AS at FROM ended GROUP BY key, valid_from, _generation, _lsn) e ",
            "WHERE h.", $key, " = e.key AND h.valid_from = e.valid_from AND h._generation = e._generation ",
            "AND h._lsn = e._lsn AND NOT EXISTS (SELECT 1 FROM t WHERE t.opens AND t.key = h.", $key,
            " AND t.at = h.valid_from AND t.generation = h._generation AND t.lsn = h._lsn)"
        )
    };
}

/// The statement that records transitions of a history.
pub(super) const fn statement(history: History) -> &'static str {
    match history {
        History::OrderStatus => record!("order_status", "transaction_id", "status", "$8::text[]"),
        History::CustomerPlan => record!("customer_plan", "customer_id", "plan", "$8::text[]"),
        History::StockLevel => {
            record!(
                "stock_level",
                "stock_id",
                "product_id, available_quantity",
                "$8::bigint[], $9::bigint[]"
            )
        }
        History::ShipmentStatus => record!("shipment_status", "shipment_id", "status", "$8::text[]"),
    }
}

/// The transitions of one history, each identity once: where a batch holds a change twice, its last arrival counts.
pub(super) fn of(history: History, transitions: &[Transition]) -> Vec<&Transition> {
    let mut seen = HashSet::new();
    let mut kept: Vec<&Transition> = transitions
        .iter()
        .rev()
        .filter(|transition| transition.history == history)
        .filter(|t| t.values.is_none() || seen.insert((t.key, t.at, t.generation, t.lsn)))
        .collect();
    kept.reverse();
    kept
}

/// The parameters of [`statement`]; all transitions are of that history.
pub(super) fn arrays<'a>(history: History, transitions: &[&'a Transition]) -> Vec<Array<'a>> {
    let all = || transitions.iter().copied();
    let mut arrays = vec![
        Array::Int(all().map(|transition| Some(transition.key)).collect()),
        Array::Time(all().map(|transition| Some(transition.at)).collect()),
        Array::Time(all().map(|transition| transition.until).collect()),
        Array::Bool(all().map(|transition| transition.values.is_some()).collect()),
        Array::Bool(all().map(|transition| transition.from_snapshot).collect()),
        Array::Small(
            all()
                .map(|transition| i32::try_from(transition.generation).unwrap_or(i32::MAX))
                .collect(),
        ),
        Array::Lsn(all().map(|transition| PgLsn::from(transition.lsn)).collect()),
    ];
    for (index, name) in history.columns().iter().enumerate() {
        let columns = history.table().columns();
        let kind = columns
            .iter()
            .find(|column| column.name == *name)
            .map(|column| column.kind);
        let values = all().map(|transition| -> Option<&'a Value> { transition.values.as_ref()?.get(index) });
        arrays.push(Array::of(kind.unwrap_or(ColumnKind::Text), values));
    }
    arrays
}
