//! Contacts with stores, and the segments stores belong to.

use serde::{Deserialize, Serialize};

use super::{as_array, folded};
use crate::change::Row;
use crate::table::Table;

/// A contact with a store: an `interaction` row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "ContactBody", into = "ContactBody")]
pub struct Contact {
    /// Business time, microseconds since the epoch, UTC.
    pub at: Option<i64>,
    /// The store.
    pub store: Option<i64>,
    /// Folded type.
    pub kind: Option<String>,
    /// Folded channel.
    pub channel: Option<String>,
    /// Folded status.
    pub status: Option<String>,
}

type ContactBody = (
    Option<i64>,
    Option<i64>,
    Option<String>,
    Option<String>,
    Option<String>,
);
as_array!(Contact as ContactBody { at, store, kind, channel, status });

impl Contact {
    /// Reads an `interaction` row.
    pub fn of(row: &Row) -> Self {
        let table = Table::Interaction;
        let text = |column| row.text(table, column).map(folded);
        Self {
            at: row.micros(table, "interaction_date"),
            store: row.int(table, "customer_id"),
            kind: text("interaction_type"),
            channel: text("channel"),
            status: text("status"),
        }
    }
}

/// A store's membership in a segment: a `customersegment` row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "(Option<i64>, Option<i64>)", into = "(Option<i64>, Option<i64>)")]
pub struct Membership {
    /// The segment.
    pub segment: Option<i64>,
    /// The store.
    pub store: Option<i64>,
}

as_array!(Membership as (Option<i64>, Option<i64>) { segment, store });

impl Membership {
    /// Reads a `customersegment` row.
    pub fn of(row: &Row) -> Self {
        let table = Table::CustomerSegment;
        Self {
            segment: row.int(table, "segment_id"),
            store: row.int(table, "customer_id"),
        }
    }
}
