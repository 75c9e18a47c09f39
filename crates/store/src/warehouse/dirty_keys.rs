//! Marks for the mart refresher: which source rows a batch changed (docs: reliability 4.3).

use instashop_core::fold::Effects;
use instashop_core::table::Table;

use super::stage::array::Array;

/// Appends the marks of a batch.
pub(super) const INSERT: &str =
    "INSERT INTO ops.dirty_keys (source_table, key) SELECT * FROM unnest($1::text[], $2::bigint[])";

/// Tables whose rows the facts are made of, and one that the marts read which are computed as a whole.
const MARKED: [Table; 9] = [
    Table::Transaction,
    Table::TransactionDetail,
    Table::Buyer,
    Table::Product,
    Table::UserBehavior,
    Table::Stock,
    Table::Shipment,
    Table::Customer,
    Table::Interaction,
];

/// The parameters of [`INSERT`]; `None` when the batch changed nothing that the facts hold.
pub(super) fn arrays(effects: &Effects) -> Option<Vec<Array<'static>>> {
    let marks: Vec<(&'static str, i64)> = effects
        .rows
        .iter()
        .filter(|(table, _)| MARKED.contains(table))
        .flat_map(|(table, rows)| rows.iter().map(move |(key, _)| (table.name(), *key)))
        .collect();
    if marks.is_empty() {
        return None;
    }
    let (tables, keys): (Vec<_>, Vec<_>) = marks
        .into_iter()
        .map(|(table, key)| (Some(table.into()), Some(key)))
        .unzip();
    Some(vec![Array::Text(tables), Array::Int(keys)])
}
