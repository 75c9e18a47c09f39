//! Values over time: the one form of every chart, so that cursor, span and export are the same for all of them.

use std::ops::Range;

use chrono::{DateTime, TimeDelta, Utc};

use crate::format::hour_minute;
use crate::look::Look;
use crate::theme::Role;

/// Unit of an axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Cents.
    Money,
    /// Things.
    Count,
    /// A share of one.
    Percent,
    /// Thousandths of a second.
    Millis,
}

impl Unit {
    /// A value beside the axis: short.
    pub fn short(self, look: &Look, value: f64) -> String {
        let marks = look.marks();
        let whole = value.round() as i64;
        match self {
            Self::Money | Self::Millis if whole == 0 => "0".into(),
            Self::Money => look.short_amount(whole),
            Self::Count => marks.list_count(whole),
            Self::Percent => marks.percent((value * 1000.0).round() as i64, 1000, 0),
            Self::Millis => marks.millis(whole.unsigned_abs()).replace(' ', ""),
        }
    }

    /// A value in full, as the cursor and a screen reader say it.
    pub fn full(self, look: &Look, value: f64) -> String {
        let marks = look.marks();
        let whole = value.round() as i64;
        match self {
            Self::Money => look.amount(whole),
            Self::Count => marks.count(whole),
            Self::Percent => marks.percent((value * 1000.0).round() as i64, 1000, 1),
            Self::Millis => marks.millis(whole.unsigned_abs()),
        }
    }
}

/// A span of time with one value per line, half open, UTC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bucket {
    /// Start.
    pub since: DateTime<Utc>,
    /// End.
    pub until: DateTime<Utc>,
    /// What stands under it on the axis, where there is room.
    pub label: String,
}

impl Bucket {
    /// Its time in words: the clock time of a bucket of today, the date of another; a whole day is a date.
    pub fn words(&self, look: &Look, now: DateTime<Utc>) -> String {
        use chrono::Datelike;
        let texts = look.texts();
        let day = self.since.with_timezone(&look.zone).date_naive();
        let date = || format!("{} {}", texts.weekday_short(day.weekday()), texts.day_month(day));
        let time = hour_minute(self.since, look.zone);
        // A day on which clocks change has 23 hours.
        if self.until - self.since >= TimeDelta::hours(23) {
            date()
        } else if day == now.with_timezone(&look.zone).date_naive() {
            time
        } else {
            format!("{} {time}", date())
        }
    }
}

/// One curve, or the bars of one kind.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// Name.
    pub name: String,
    /// A value per bucket; `None` is a gap.
    pub points: Vec<Option<f64>>,
    /// Colour.
    pub role: Role,
    /// True for what the others are compared with.
    pub dotted: bool,
}

impl Line {
    /// A line that is drawn through.
    pub fn solid(name: impl Into<String>, points: Vec<Option<f64>>, role: Role) -> Self {
        Self {
            name: name.into(),
            points,
            role,
            dotted: false,
        }
    }

    /// A line of dots.
    pub fn dotted(name: impl Into<String>, points: Vec<Option<f64>>, role: Role) -> Self {
        Self {
            dotted: true,
            ..Self::solid(name, points, role)
        }
    }
}

/// How a course is drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Form {
    /// Curves; the axis begins at this value.
    Curve(f64),
    /// Bars that stand apart.
    BarsApart,
    /// Bars beside each other.
    Bars,
}

/// See the module. The last line is the value itself, those before it are what it is compared with.
#[derive(Debug, Clone, PartialEq)]
pub struct Course {
    /// The buckets, oldest first.
    pub buckets: Vec<Bucket>,
    /// The lines, each with as many points as there are buckets.
    pub lines: Vec<Line>,
    /// Unit of the values.
    pub unit: Unit,
    /// How it is drawn.
    pub form: Form,
    /// Buckets with a label under them.
    pub labels: Vec<usize>,
    /// The bucket that still runs: drawn hatched.
    pub open: Option<usize>,
}

impl Course {
    /// The bucket that holds a moment.
    pub fn bucket_at(&self, moment: DateTime<Utc>) -> Option<usize> {
        self.buckets
            .iter()
            .position(|bucket| bucket.since <= moment && moment < bucket.until)
    }

    /// Some of its buckets, with about six labels where it is not the whole.
    #[must_use]
    pub fn part(&self, seen: Range<usize>) -> Self {
        if seen == (0..self.buckets.len()) {
            return self.clone();
        }
        let open = self
            .open
            .and_then(|open| seen.contains(&open).then(|| open - seen.start));
        let every = (seen.len() / 5).max(1);
        let closed = open.unwrap_or(seen.len());
        let mut labels: Vec<usize> = (0..closed).rev().step_by(every).collect();
        labels.reverse();
        let lines = self.lines.iter().map(|line| Line {
            points: line.points.get(seen.clone()).unwrap_or_default().to_vec(),
            ..line.clone()
        });
        Self {
            buckets: self.buckets.get(seen.clone()).unwrap_or_default().to_vec(),
            lines: lines.collect(),
            labels,
            open,
            ..*self
        }
    }

    /// Each value of a bucket in words, the value itself first: `$115.20 ┄ $84.00`; a gap is a dash.
    pub fn values(&self, look: &Look, index: usize) -> String {
        let value = |line: &Line| {
            let point = line.points.get(index).copied().flatten();
            point.map_or_else(|| "—".to_owned(), |value| self.unit.full(look, value))
        };
        let words = self.lines.iter().rev().enumerate().map(|(place, line)| {
            if place == 0 {
                value(line)
            } else {
                format!("{} {}", if line.dotted { "┄" } else { "·" }, value(line))
            }
        });
        words.collect::<Vec<_>>().join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn course(count: i64) -> Course {
        let start = DateTime::UNIX_EPOCH;
        let buckets = (0..count).map(|minute| Bucket {
            since: start + TimeDelta::minutes(minute),
            until: start + TimeDelta::minutes(minute + 1),
            label: minute.to_string(),
        });
        Course {
            buckets: buckets.collect(),
            lines: vec![Line::solid(
                "value",
                (0..count).map(|at| Some(at as f64)).collect(),
                Role::Accent,
            )],
            unit: Unit::Count,
            form: Form::Curve(0.0),
            labels: vec![],
            open: Some(count as usize - 1),
        }
    }

    #[test]
    fn a_moment_lies_in_one_bucket() {
        let course = course(3);
        let at = |seconds| DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds);
        for (seconds, expected) in [
            (-1, None),
            (0, Some(0)),
            (59, Some(0)),
            (60, Some(1)),
            (179, Some(2)),
            (180, None),
        ] {
            assert_eq!(course.bucket_at(at(seconds)), expected, "{seconds}");
        }
    }

    #[test]
    fn a_part_keeps_values_with_their_buckets() {
        let whole = course(60);
        let part = whole.part(10..20);
        assert_eq!(part.buckets[0], whole.buckets[10]);
        assert_eq!(part.lines[0].points[9], Some(19.0));
        assert_eq!(part.open, None, "the running bucket is not seen");
        assert_eq!(part.labels.last(), Some(&9), "the newest has a label");
        let newest = whole.part(50..60);
        assert_eq!((newest.open, newest.labels.last()), (Some(9), Some(&8)));
        assert_eq!(whole.part(0..60), whole);
    }
}
