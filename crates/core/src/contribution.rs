//! What a state adds to the totals: a function of the state alone, without clock (docs: reliability C3).
//!
//! A total is a [`Cell`]; a contribution is a list of (cell, signed integer). The live flow books
//! `contribution(new state) - contribution(stored state)`, so that a change of any kind, a replay or a snapshot moves
//! every total exactly by what changed (docs: kpis 2.1). Where a total lives in Redis is decided by `instashop_store`.
//!
//! Numbers that need more than one row have a state of their own that gathers it: an order holds its lines, a product its
//! stock rows, a shopper the days of their sales, a timeline the events and orders of one actor at one store for a while. Each of
//! them is compared and replaced like any other state, so that the contribution stays a function of one state.

mod calendar;
mod cell;
mod measure;
mod orders;
mod rows;
mod scope;
mod timelines;

pub use calendar::{Bucket, Calendar, HALF_MINUTE_LIFE_HOURS, HOUR_LIFE_DAYS, MINUTE_LIFE_HOURS};
pub use cell::Cell;
pub use measure::{
    DayMeasure, Delivery, Doing, Measure, PaymentMeasure, PlaceMeasure, ProductKey, ProductMeasure,
    StockStatus,
};
pub use orders::{of_order, of_shopper};
pub use rows::{
    of_behaviour, of_contact, of_known, of_line, of_listing, of_member, of_merchant, of_movement, of_parcel,
    of_shelf,
};
pub use scope::{NO_STORE, Scope, store_id};
pub use timelines::of_timelines;

use crate::config::Meaning;

/// Version of this code: raise it whenever a state or a contribution changes its form or meaning. A new version is a
/// new live generation, built again from the topics.
pub const CODE_VERSION: u32 = 4;

/// Contribution version: of the code, and of the maps that give meaning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// [`CODE_VERSION`] of the writer.
    pub code: u32,
    /// Digest of the maps of the writer.
    pub maps: String,
}

impl Version {
    /// The version of this build with these maps.
    pub fn current(meaning: &Meaning) -> Self {
        Self {
            code: CODE_VERSION,
            maps: meaning.digest(),
        }
    }

    /// Reads what [`Version::to_string`] wrote.
    pub fn parse(text: &str) -> Option<Self> {
        let (code, maps) = text.split_once('.')?;
        Some(Self {
            code: code.parse().ok()?,
            maps: maps.to_owned(),
        })
    }
}

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.code, self.maps)
    }
}

/// Where contributions go: called once per cell and value.
pub type Add<'a> = dyn FnMut(Cell, i64) + 'a;
