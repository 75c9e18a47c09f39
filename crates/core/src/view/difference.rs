//! What lies between the revenue of two spans of time: both courses, and the parts that add up to the difference.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use super::{Pair, Window};

/// What the parts are: each order, or each of its lines, is in exactly one of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum PartsBy {
    /// Category of the lines.
    Category,
    /// Store.
    Store,
    /// Payment method.
    Method,
}

impl PartsBy {
    /// All, in the order they are gone through.
    pub const ALL: [Self; 3] = [Self::Category, Self::Store, Self::Method];
}

/// Revenue of one part in both spans, cents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DifferencePart {
    /// What kind of part.
    pub by: PartsBy,
    /// Its name.
    pub name: String,
    /// Revenue, cents.
    pub cents: Pair,
}

impl DifferencePart {
    /// How much of the difference it is, cents.
    pub const fn moved(&self) -> i64 {
        self.cents.now - self.cents.before
    }
}

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DifferenceView {
    /// When it was read (clock of the reader).
    pub read_at: DateTime<Utc>,
    /// The spans.
    pub window: Window,
    /// First business day with any order: a base before it is none.
    pub first_day: Option<NaiveDate>,
    /// Revenue, cents.
    pub revenue: Pair,
    /// Orders.
    pub orders: Pair,
    /// Revenue by day of the spans, by hour where they have one day: the n-th of both beside each other.
    pub course: Vec<Pair>,
    /// The parts, every kind whole.
    pub parts: Vec<DifferencePart>,
}

impl DifferenceView {
    /// True when the base lies after the first captured day, and is over.
    pub fn has_base(&self) -> bool {
        let captured = self
            .first_day
            .is_some_and(|first| first <= self.window.base_first);
        captured && self.window.base_until <= self.read_at
    }

    /// The parts of one kind, the largest movement first.
    pub fn ranked(&self, by: PartsBy) -> Vec<&DifferencePart> {
        let mut parts: Vec<&DifferencePart> = self.parts.iter().filter(|part| part.by == by).collect();
        parts.sort_by(|a, b| {
            let size = |part: &DifferencePart| part.moved().unsigned_abs();
            size(b).cmp(&size(a)).then_with(|| a.name.cmp(&b.name))
        });
        parts
    }
}
