//! The board as of an earlier moment: the warehouse answers for what had happened by then.

use chrono::{DateTime, TimeDelta, Utc};

use super::{App, Command, Past};
use crate::courses;
use crate::snapshot::Snapshot;

impl App {
    /// Shows the board as of a moment; `None` is the present.
    pub(super) fn travel(&mut self, at: Option<DateTime<Utc>>) -> Vec<Command> {
        // A board of the future would be the present with another name.
        let at = at.filter(|at| *at < self.now);
        self.frozen = None;
        if at == self.past.as_ref().map(|past| past.at) {
            return vec![];
        }
        let strides = self.strides();
        self.past = at.map(|at| {
            let snapshot = Snapshot::as_of(at, self.snapshot.rhythm);
            Box::new(Past {
                snapshot,
                at,
                strides,
            })
        });
        vec![Command::Poll]
    }

    /// The moment that is shown.
    fn moment(&self) -> DateTime<Utc> {
        self.past.as_ref().map_or(self.now, |past| past.at)
    }

    /// One step later or earlier: a bucket of the focused chart, else of the first one of the tab.
    pub(super) fn step_time(&mut self, later: bool) -> Vec<Command> {
        let (step, _) = self.strides();
        self.shift(if later { step } else { -step })
    }

    /// One bucket, and half of what is seen, of the focused chart, else of the first one of the tab. Until the chart of a moment
    /// has come they are those of the moment before.
    fn strides(&self) -> (TimeDelta, TimeDelta) {
        let panels = self.focused().into_iter().chain(self.panels());
        let mut courses = panels.filter_map(|panel| Some((panel, courses::of(self, panel)?)));
        let found = courses.find_map(|(panel, course)| {
            let bucket = course.buckets.first()?;
            let step = bucket.until - bucket.since;
            let half = self.seen(panel, course.buckets.len()).len() / 2;
            Some((step, step * i32::try_from(half.max(1)).unwrap_or(1)))
        });
        let before = self.past.as_ref().map(|past| past.strides);
        found
            .or(before)
            .unwrap_or((TimeDelta::days(1), TimeDelta::days(1)))
    }

    fn shift(&mut self, by: TimeDelta) -> Vec<Command> {
        if !self.tab.goes_back() {
            self.told = Some(self.look.texts().only_present.to_owned());
            return vec![];
        }
        if by > TimeDelta::zero() && self.past.is_none() {
            return vec![];
        }
        let to = self.moment() + by;
        self.travel(Some(to))
    }

    /// Moves the time axis; beyond what the chart holds the whole board goes back, or forward again, by half of what is seen.
    pub(super) fn pan_or_travel(&mut self, forward: bool) -> Vec<Command> {
        if self.pan(forward) {
            return vec![];
        }
        let (_, half) = self.strides();
        self.shift(if forward { half } else { -half })
    }
}
