//! What is live at a moment: the present, and the boundary before which days are sealed.

use chrono::{DateTime, Days, NaiveDate, Utc};

use super::timeline::Cut;
use crate::config::Meaning;
use crate::contribution::{Calendar, Cell};

/// Days before the boundary that a sale is still remembered by its buyer, who is active on the 30 days after it and stops being
/// so on the next (KPI active_buyers).
const REMEMBERED_DAYS: u64 = 31;

/// The present and the boundary. Days before the boundary are sealed: their totals are no longer changed, and the states
/// of their rows leave the live store (docs: reliability 5.10).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Decides which corrections come too late for a bucket with a limited life.
    pub now: DateTime<Utc>,
    /// First business day that is live; `None` when no day is sealed.
    pub boundary: Option<NaiveDate>,
}

impl Window {
    /// A window in which every day is live.
    pub const fn open(now: DateTime<Utc>) -> Self {
        Self { now, boundary: None }
    }

    /// The total that a change of a total is booked on; `None` for one that is past its life or sealed.
    ///
    /// Changes of the number of active buyers before the boundary are booked on the day before it: the number of a live day
    /// is the sum of all changes up to it.
    pub fn booked(&self, cell: Cell, calendar: Calendar) -> Option<Cell> {
        if cell.end_of_life(calendar).is_some_and(|end| self.now >= end) {
            return None;
        }
        let Some(boundary) = self.boundary else {
            return Some(cell);
        };
        match cell {
            Cell::Active { scope, day } if day < boundary => Some(Cell::Active {
                scope,
                day: boundary.pred_opt().unwrap_or(day),
            }),
            cell if cell.is_before(boundary, calendar) => None,
            cell => Some(cell),
        }
    }

    /// What is kept of states.
    pub(super) fn keep(&self, meaning: &Meaning) -> Keep {
        let calendar = Calendar::new(meaning.tz());
        // A visit that goes on over midnight belongs to the day before: its last stops there are needed to know it. Timelines
        // are kept by whole stretches.
        let cut = Cut::of(meaning);
        let edge = |boundary| cut.start(calendar.start(boundary).timestamp_micros() - cut.gap);
        Keep {
            calendar,
            edge: self.boundary.map(edge),
            sales: self.boundary.map(|boundary| {
                boundary
                    .checked_sub_days(Days::new(REMEMBERED_DAYS))
                    .unwrap_or(boundary)
            }),
        }
    }
}

/// Which rows are kept as states.
#[derive(Debug, Clone, Copy)]
pub(super) struct Keep {
    calendar: Calendar,
    /// Rows of earlier moments leave; microseconds since the epoch, UTC.
    edge: Option<i64>,
    /// Sales of earlier days are forgotten by their buyers, but for the first.
    pub(super) sales: Option<NaiveDate>,
}

impl Keep {
    /// True when days are sealed at all.
    pub(super) const fn is_sealing(&self) -> bool {
        self.edge.is_some()
    }

    /// True for a moment whose rows are no states any more. A moment without a business day is never sealed.
    pub(super) fn is_past(&self, at: Option<i64>) -> bool {
        match (at, self.edge) {
            (Some(at), Some(edge)) => at < edge && self.calendar.buckets(at).is_some(),
            _ => false,
        }
    }

    /// True for a sale that its buyer may have forgotten.
    pub(super) fn is_forgotten(&self, day: NaiveDate) -> bool {
        self.sales.is_some_and(|since| day < since)
    }
}
