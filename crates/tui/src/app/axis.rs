//! Moving about on the time axes: the cursor, the part of a course that is seen, and the way back to the present.
//!
//! The cursor is a moment, not a place: every chart that covers it shows it, and it stays where it was put while time goes on.

use std::ops::Range;

use super::App;
use crate::courses;
use crate::sheet::Course;
use crate::ui::layout::Panel;

/// Fewest buckets that are seen of a course.
const FEWEST: usize = 6;

/// The part of a course that is seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    /// Buckets that are seen.
    shown: usize,
    /// Newer buckets beyond the right edge.
    newer: usize,
}

impl App {
    /// The focused panel with its course, where it has one.
    fn focused_course(&self) -> Option<(Panel, Course)> {
        let panel = self.focused()?;
        Some((panel, courses::of(self, panel)?))
    }

    /// The buckets of a course of so many that are seen in a panel.
    pub fn seen(&self, panel: Panel, count: usize) -> Range<usize> {
        let span = self.spans.get(&panel).copied();
        let span = span.unwrap_or(Span {
            shown: count,
            newer: 0,
        });
        let shown = span.shown.min(count);
        let newer = span.newer.min(count - shown);
        count - newer - shown..count - newer
    }

    /// The bucket under the cursor.
    pub fn cursor_in(&self, course: &Course) -> Option<usize> {
        course.bucket_at(self.cursor?)
    }

    /// The cursor of a panel in words, the time and the values there: `14:04 $115.20 ┄ $84.00`.
    pub fn cursor_words(&self, panel: Panel) -> Option<String> {
        self.cursor?;
        let course = courses::of(self, panel)?;
        let at = self.cursor_in(&course)?;
        let (_, now) = self.shown();
        Some(format!(
            "{} {}",
            course.buckets[at].words(&self.look, now),
            course.values(&self.look, at)
        ))
    }

    /// Puts the cursor on the newest bucket that is complete, of the focused chart or of the first on the tab; or takes it off.
    pub(super) fn switch_cursor(&mut self) {
        if self.cursor.take().is_some() {
            return;
        }
        let focused = self.focused_course();
        let found = focused.or_else(|| {
            let panels = self.panels().into_iter();
            let mut with_course = panels.filter_map(|panel| Some((panel, courses::of(self, panel)?)));
            with_course.next()
        });
        let Some((panel, course)) = found else {
            self.told = Some(self.look.texts().no_chart.to_owned());
            return;
        };
        self.focus_on(panel);
        let seen = self.seen(panel, course.buckets.len());
        let values = course.lines.last();
        let known = |index: &usize| {
            Some(*index) != course.open
                && values.is_some_and(|line| line.points.get(*index).is_some_and(Option::is_some))
        };
        let at = seen.clone().rev().find(known).or_else(|| seen.last());
        self.cursor = at.map(|at| course.buckets[at].since);
    }

    /// Moves the cursor in the focused chart; false when there is none to move.
    pub(super) fn move_cursor(&mut self, to: impl Fn(usize, usize) -> usize) -> bool {
        let Some((panel, course)) = self.focused_course().filter(|_| self.cursor.is_some()) else {
            return false;
        };
        let count = course.buckets.len();
        let Some(last) = count.checked_sub(1) else {
            return false;
        };
        let at = self.cursor_in(&course).map_or(last, |at| to(at, last));
        self.cursor = Some(course.buckets[at].since);
        let seen = self.seen(panel, count);
        if let Some(span) = self.spans.get_mut(&panel) {
            if at < seen.start {
                span.newer = count - at - seen.len();
            } else if at >= seen.end {
                span.newer = last - at;
            }
        }
        true
    }

    /// Shows half or twice as much of the focused chart, around the cursor where it is seen, else up to the newest.
    pub(super) fn zoom_time(&mut self, closer: bool) {
        let Some((panel, course)) = self.focused_course() else {
            return;
        };
        let count = course.buckets.len();
        let seen = self.seen(panel, count);
        let shown = if closer {
            (seen.len() / 2).max(FEWEST.min(count))
        } else {
            (seen.len() * 2).min(count)
        };
        if shown == count {
            self.spans.remove(&panel);
            return;
        }
        let middle = self.cursor_in(&course).filter(|at| seen.contains(at));
        let end = middle
            .map_or(seen.end, |at| at + shown.div_ceil(2))
            .clamp(shown, count);
        self.spans.insert(
            panel,
            Span {
                shown,
                newer: count - end,
            },
        );
    }

    /// Moves the focused chart by half of what is seen; false when it does not go further that way.
    pub(super) fn pan(&mut self, forward: bool) -> bool {
        let Some((panel, course)) = self.focused_course() else {
            return false;
        };
        let count = course.buckets.len();
        let seen = self.seen(panel, count);
        let step = (seen.len() / 2).max(1);
        let newer = count - seen.end;
        let newer = if forward {
            newer.saturating_sub(step)
        } else {
            (newer + step).min(count - seen.len())
        };
        if newer == count - seen.end {
            return false;
        }
        self.spans.insert(
            panel,
            Span {
                shown: seen.len(),
                newer,
            },
        );
        true
    }

    /// Forgets cursor and spans.
    pub(super) fn reset_axes(&mut self) {
        self.cursor = None;
        self.spans.clear();
    }
}
