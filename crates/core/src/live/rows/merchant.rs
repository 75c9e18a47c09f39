//! Stores, and rows of which only their existence counts.

use serde::{Deserialize, Serialize};

use super::{as_array, folded};
use crate::change::{Change, Op, Row};
use crate::config::Meaning;
use crate::table::Table;

/// Moment a row was inserted, microseconds since the epoch, UTC: the commit of the insert if the change stream saw it.
/// Rows of a snapshot have no known age (docs: kpis 0.9).
fn inserted_at(change: &Change, stored: Option<i64>) -> Option<i64> {
    stored.or_else(|| {
        (change.op == Op::Create && !change.snapshot).then(|| change.committed_at.timestamp_micros())
    })
}

/// A store: a `customer` row. A deleted store keeps its last plan, for the commission of its past sales.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "MerchantBody", into = "MerchantBody")]
pub struct Merchant {
    /// Tier of its plan; an unknown plan is its own tier, none at all is `unknown` (D1).
    pub tier: String,
    /// What the plan costs a month, cents of the reporting currency.
    pub monthly_cents: i64,
    /// When it was inserted, microseconds since the epoch, UTC.
    pub inserted_at: Option<i64>,
    /// True once the row is deleted.
    pub deleted: bool,
}

type MerchantBody = (String, i64, Option<i64>, bool);
as_array!(Merchant as MerchantBody { tier, monthly_cents, inserted_at, deleted });

impl Merchant {
    /// Reads a `customer` row.
    pub fn of(change: &Change, row: &Row, stored: Option<&Self>, meaning: &Meaning) -> Self {
        let raw = row
            .text(Table::Customer, "subscription_plan")
            .map(folded)
            .unwrap_or_default();
        let plan = meaning.plans.get(&raw);
        let own = if raw.is_empty() { "unknown".to_owned() } else { raw };
        Self {
            tier: plan.map_or(own, |plan| plan.tier.clone()),
            monthly_cents: plan.map_or(0, |plan| plan.monthly_cents),
            inserted_at: inserted_at(change, stored.and_then(|stored| stored.inserted_at)),
            deleted: false,
        }
    }

    /// The row after a delete.
    pub fn gone(stored: Option<&Self>) -> Self {
        Self {
            tier: stored.map_or_else(|| "unknown".to_owned(), |stored| stored.tier.clone()),
            monthly_cents: stored.map_or(0, |stored| stored.monthly_cents),
            inserted_at: stored.and_then(|stored| stored.inserted_at),
            deleted: true,
        }
    }
}

/// A row of which only its existence counts: a buyer, a carrier, a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "(Option<i64>,)", into = "(Option<i64>,)")]
pub struct Known {
    /// When it was inserted, microseconds since the epoch, UTC.
    pub inserted_at: Option<i64>,
}

as_array!(Known as (Option<i64>,) { inserted_at });

impl Known {
    /// Notes that a row exists.
    pub fn of(change: &Change, stored: Option<&Self>) -> Self {
        Self {
            inserted_at: inserted_at(change, stored.and_then(|stored| stored.inserted_at)),
        }
    }
}
