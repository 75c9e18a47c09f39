//! Shipments.

use serde::{Deserialize, Serialize};

use super::as_array;
use crate::change::{Change, Op, Row};
use crate::table::Table;

/// A shipment: a `shipment` row, and what the change stream saw of its way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "ParcelBody", into = "ParcelBody")]
pub struct Parcel {
    /// Order.
    pub order: Option<i64>,
    /// Shipping method, `unknown` for NULL and blank ones.
    pub method: String,
    /// Status as the source names it; empty for NULL.
    pub status: String,
    /// Estimated delivery, microseconds since the epoch, UTC.
    pub due_at: Option<i64>,
    /// Commit of the first change to `delivered` that was seen, microseconds since the epoch, UTC. It stays when the status
    /// changes again, as in `history.shipment_status`.
    pub delivered_at: Option<i64>,
}

type ParcelBody = (Option<i64>, String, String, Option<i64>, Option<i64>);
as_array!(Parcel as ParcelBody { order, method, status, due_at, delivered_at });

impl Parcel {
    /// Reads a `shipment` row.
    pub fn of(change: &Change, row: &Row, stored: Option<&Self>) -> Self {
        let table = Table::Shipment;
        let status = row.text(table, "status").unwrap_or_default().to_owned();
        let is_seen = !change.snapshot && change.op != Op::Read;
        let is_new = status == "delivered" && stored.is_none_or(|stored| stored.status != status);
        let arrived = (is_seen && is_new).then(|| change.committed_at.timestamp_micros());
        let method = row
            .text(table, "shipping_method")
            .map(|text| text.trim_matches(' '));
        Self {
            order: row.int(table, "transaction_id"),
            method: method
                .filter(|text| !text.is_empty())
                .unwrap_or("unknown")
                .to_owned(),
            status,
            due_at: row.micros(table, "estimated_delivery_date"),
            delivered_at: stored.and_then(|stored| stored.delivered_at).or(arrived),
        }
    }
}
