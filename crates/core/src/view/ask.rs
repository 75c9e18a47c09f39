//! What a tab is asked about: a range of time, what it is compared with, and one store or all.

use chrono::{DateTime, Days, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use crate::contribution::Calendar;

/// A range of time in business days of the reporting zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Range {
    /// From local midnight to now; running.
    Today,
    /// The last complete day.
    Yesterday,
    /// So many complete days before today (docs: kpis 0.4).
    Days(u16),
}

/// What a range is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Basis {
    /// The same weekdays before: whole weeks back, at least as long as the range.
    Weekday,
    /// The range just before, as long.
    Previous,
    /// The same weekdays of the year before: 364 days back.
    Year,
    /// As many days from a chosen day on.
    From(NaiveDate),
}

/// A question of a tab.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Ask {
    /// The range.
    pub range: Range,
    /// What it is compared with.
    pub basis: Basis,
    /// One store; `None` is the platform.
    pub store: Option<i64>,
}

/// The moment a view stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum When {
    /// Now: what is known.
    Present(DateTime<Utc>),
    /// Earlier: what had happened by then, orders in the state they had then.
    AsOf(DateTime<Utc>),
}

impl When {
    /// The time.
    pub const fn at(self) -> DateTime<Utc> {
        match self {
            Self::Present(at) | Self::AsOf(at) => at,
        }
    }

    /// The end of a span: nothing after an earlier moment had happened.
    pub fn end(self, until: DateTime<Utc>) -> DateTime<Utc> {
        match self {
            Self::Present(_) => until,
            Self::AsOf(at) => until.min(at),
        }
    }
}

impl From<DateTime<Utc>> for When {
    fn from(now: DateTime<Utc>) -> Self {
        Self::Present(now)
    }
}

/// Two half-open spans of time, UTC: the range and what it is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// First business day of the range.
    pub first: NaiveDate,
    /// Its last business day.
    pub last: NaiveDate,
    /// Start.
    pub since: DateTime<Utc>,
    /// End; now while the range runs.
    pub until: DateTime<Utc>,
    /// First business day of the base.
    pub base_first: NaiveDate,
    /// Start of the base.
    pub base_since: DateTime<Utc>,
    /// End of the base: the same clock time while the range runs (docs: kpis 0.4).
    pub base_until: DateTime<Utc>,
}

impl Range {
    /// Business days it has.
    pub const fn days(self) -> u16 {
        match self {
            Self::Today | Self::Yesterday => 1,
            Self::Days(days) => days,
        }
    }
}

impl Ask {
    /// The question of the alerts: they look at the present whatever the range of the board.
    #[must_use]
    pub const fn for_alerts(self) -> Self {
        Self {
            range: Range::Today,
            basis: Basis::Weekday,
            store: self.store,
        }
    }

    /// First business day of the base of a range that begins on `first`.
    fn base_first(self, first: NaiveDate) -> NaiveDate {
        let days = u64::from(self.range.days());
        let back = match self.basis {
            Basis::Weekday => days.div_ceil(7) * 7,
            Basis::Previous => days,
            Basis::Year => 364,
            Basis::From(day) => return day,
        };
        first.checked_sub_days(Days::new(back)).unwrap_or(first)
    }

    /// The spans of this question at a moment.
    pub fn window(self, now: DateTime<Utc>, calendar: Calendar) -> Window {
        let today = calendar.day(now);
        let back = |day: NaiveDate, days: u64| day.checked_sub_days(Days::new(days)).unwrap_or(day);
        let (first, last) = match self.range {
            Range::Today => (today, today),
            Range::Yesterday => (back(today, 1), back(today, 1)),
            Range::Days(days) => (back(today, u64::from(days)), back(today, 1)),
        };
        let base_first = self.base_first(first);
        let more = Days::new(u64::from(self.range.days()).saturating_sub(1));
        let base_last = base_first.checked_add_days(more).unwrap_or(base_first);
        let running = self.range == Range::Today;
        let until = if running { now } else { calendar.end(last) };
        let base_until = if running {
            // The clock may have been set in between: the time since midnight counts, within the day.
            (calendar.start(base_last) + (now - calendar.start(today))).min(calendar.end(base_last))
        } else {
            calendar.end(base_last)
        };
        Window {
            first,
            last,
            since: calendar.start(first),
            until,
            base_first,
            base_since: calendar.start(base_first),
            base_until,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_of_ranges_and_bases() {
        let calendar = Calendar::new(chrono_tz::America::Argentina::Buenos_Aires);
        // Friday, 14:05:02 local.
        let now: DateTime<Utc> = "2026-08-21T17:05:02Z".parse().unwrap();
        let text = |at: DateTime<Utc>| at.format("%m-%dT%H:%M:%S").to_string();
        for (range, basis, expected) in [
            (
                Range::Today,
                Basis::Weekday,
                [
                    "08-21T03:00:00",
                    "08-21T17:05:02",
                    "08-14T03:00:00",
                    "08-14T17:05:02",
                ],
            ),
            (
                Range::Today,
                Basis::Previous,
                [
                    "08-21T03:00:00",
                    "08-21T17:05:02",
                    "08-20T03:00:00",
                    "08-20T17:05:02",
                ],
            ),
            (
                Range::Yesterday,
                Basis::Weekday,
                [
                    "08-20T03:00:00",
                    "08-21T03:00:00",
                    "08-13T03:00:00",
                    "08-14T03:00:00",
                ],
            ),
            (
                Range::Days(7),
                Basis::Previous,
                [
                    "08-14T03:00:00",
                    "08-21T03:00:00",
                    "08-07T03:00:00",
                    "08-14T03:00:00",
                ],
            ),
            (
                Range::Days(30),
                Basis::Previous,
                [
                    "07-22T03:00:00",
                    "08-21T03:00:00",
                    "06-22T03:00:00",
                    "07-22T03:00:00",
                ],
            ),
            (
                Range::Days(30),
                Basis::Weekday,
                [
                    "07-22T03:00:00",
                    "08-21T03:00:00",
                    "06-17T03:00:00",
                    "07-17T03:00:00",
                ],
            ),
            (
                Range::Days(7),
                Basis::From(NaiveDate::from_ymd_opt(2026, 7, 1).unwrap()),
                [
                    "08-14T03:00:00",
                    "08-21T03:00:00",
                    "07-01T03:00:00",
                    "07-08T03:00:00",
                ],
            ),
            (
                Range::Today,
                Basis::From(NaiveDate::from_ymd_opt(2026, 7, 1).unwrap()),
                [
                    "08-21T03:00:00",
                    "08-21T17:05:02",
                    "07-01T03:00:00",
                    "07-01T17:05:02",
                ],
            ),
            (
                Range::Days(30),
                Basis::Year,
                [
                    "07-22T03:00:00",
                    "08-21T03:00:00",
                    "07-23T03:00:00",
                    "08-22T03:00:00",
                ],
            ),
        ] {
            let window = Ask {
                range,
                basis,
                store: None,
            }
            .window(now, calendar);
            let found = [window.since, window.until, window.base_since, window.base_until].map(text);
            assert_eq!(found, expected, "{range:?} {basis:?}");
        }
    }
}
