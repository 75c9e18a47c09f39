//! Which states a batch needs.

use std::collections::{BTreeMap, BTreeSet};

use super::state::{BrokenState, StateId, Stored};
use crate::batch::Batch;
use crate::change::Record;
use crate::order::{Holder, Kept};
use crate::table::Table;

/// The states to read next, given those read so far; empty when [`super::step`] can run.
///
/// The first call names every state the records name. Order lines need a second, short read only where the stored
/// entry of a line points to an order that no record named.
pub fn wanted(batch: &Batch, read: &BTreeMap<StateId, Stored>) -> Result<Vec<StateId>, BrokenState> {
    let mut ids = BTreeSet::new();
    for record in &batch.records {
        match &record.content {
            Ok(Record::Change(change)) => {
                ids.extend(StateId::of(change.table, change.key));
                if change.table == Table::TransactionDetail {
                    let order = change
                        .after
                        .as_ref()
                        .and_then(|row| row.int(Table::TransactionDetail, "transaction_id"));
                    ids.extend(order.map(StateId::Order));
                }
            }
            Ok(Record::Tombstone {
                table: Some(table),
                key: Some(key),
            }) => ids.extend(StateId::of(*table, *key)),
            _ => {}
        }
    }
    let mut holders = Vec::new();
    for id in &ids {
        if let (StateId::Line(_), Some(stored)) = (id, read.get(id)) {
            let entry: Option<Kept<Holder>> = stored.read(*id)?;
            let order = entry.and_then(|entry| entry.row).and_then(|holder| holder.order);
            holders.extend(order.map(StateId::Order));
        }
    }
    ids.extend(holders);
    Ok(ids.into_iter().filter(|id| !read.contains_key(id)).collect())
}
