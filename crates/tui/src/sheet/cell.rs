//! One value of a table: how it is written, ordered and exported.

use chrono::{DateTime, NaiveDate, Utc};
use instashop_core::money::decimal_text;

use crate::format::{coarse, divide};
use crate::look::Look;
use crate::reading::{Higher, Measure, SMALL_SAMPLE, Value, delta};
use crate::text::clean;
use crate::theme::Role;

/// A value of a table.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// Nothing to say.
    Blank,
    /// No data.
    Dash,
    /// Not known yet: the month still runs.
    Open,
    /// Text, with the role it is written in.
    Text(String, Role),
    /// Cents, short.
    Money(i64),
    /// Cents, both decimals.
    Cents(i64),
    /// A number of things.
    Count(i64),
    /// A number that names something: an order, a buyer.
    Id(i64),
    /// A share: part, whole, decimals; dim with `n=` for a small whole.
    Share(i64, i64, u32),
    /// A share in thousandths.
    Mille(i64),
    /// Thousandths of a unit.
    Measure(i64, Measure),
    /// A change from a base.
    Change(Value, Option<Value>, Higher),
    /// A bar: part of a whole.
    Bar(i64, i64, Role),
    /// A small course.
    Trend(Vec<Option<f64>>),
    /// A moment, written as its age.
    Ago(DateTime<Utc>),
    /// A business day.
    Day(NaiveDate),
    /// A cell of a map: value, largest value, what stands in it.
    Heat(i64, i64, String),
    /// A value beyond its limit: marked `!` in this role.
    Alarm(Box<Cell>, Role),
}

/// What a cell is ordered by.
#[derive(Debug, Clone, PartialEq)]
pub enum Key {
    /// A number.
    Number(f64),
    /// A text in lower case.
    Text(String),
    /// Nothing: always last.
    None,
}

impl Cell {
    /// Ordinary text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into(), Role::Text)
    }

    /// Text that steps back.
    pub fn muted(text: impl Into<String>) -> Self {
        Self::Text(text.into(), Role::Muted)
    }

    /// The value, or a dash.
    pub fn or_dash<T>(value: Option<T>, cell: impl FnOnce(T) -> Self) -> Self {
        value.map_or(Self::Dash, cell)
    }

    /// Marked when it is beyond its limit.
    #[must_use]
    pub fn alarm_if(self, beyond: bool) -> Self {
        if beyond {
            Self::Alarm(Box::new(self), Role::Bad)
        } else {
            self
        }
    }

    /// As it is written, and in which role; bars, maps and courses draw themselves.
    pub fn written(&self, look: &Look, now: DateTime<Utc>) -> (String, Role) {
        let marks = look.marks();
        match self {
            Self::Blank | Self::Bar(..) | Self::Trend(_) => (String::new(), Role::Text),
            Self::Dash | Self::Share(_, 0, _) => ("—".into(), Role::Muted),
            Self::Open => ("···".into(), Role::Muted),
            Self::Text(text, role) => (text.clone(), *role),
            Self::Money(cents) => (marks.list_money(*cents), Role::Strong),
            Self::Cents(cents) => (look.amount(*cents), Role::Strong),
            Self::Count(count) => (marks.list_count(*count), Role::Text),
            Self::Id(id) => (id.to_string(), Role::Text),
            Self::Share(_, whole, _) if *whole < SMALL_SAMPLE => (format!("n={whole}"), Role::Muted),
            Self::Share(part, whole, decimals) => (marks.percent(*part, *whole, *decimals), Role::Text),
            Self::Mille(mille) => (marks.percent(*mille, 1000, 1), Role::Text),
            Self::Measure(milli, measure) => (measure.short(marks, *milli), Role::Text),
            Self::Change(value, base, higher) => {
                let change = delta(Some(*value), *base, *higher, look.dead_band_per_mille);
                let role = match change.good {
                    Some(true) => Role::Good,
                    Some(false) => Role::Bad,
                    None => Role::Muted,
                };
                (change.brief(marks, look.texts().new), role)
            }
            Self::Ago(at) => (coarse((now - *at).num_seconds()), Role::Muted),
            Self::Day(day) => (look.texts().day_month(*day), Role::Text),
            Self::Heat(_, _, text) => (text.clone(), Role::Text),
            Self::Alarm(cell, role) => (format!("{}!", cell.written(look, now).0), *role),
        }
    }

    /// What it is ordered by.
    pub fn key(&self) -> Key {
        match self {
            Self::Blank | Self::Dash | Self::Open | Self::Share(_, 0, _) => Key::None,
            Self::Text(text, _) => Key::Text(text.to_lowercase()),
            Self::Money(value)
            | Self::Cents(value)
            | Self::Count(value)
            | Self::Id(value)
            | Self::Mille(value)
            | Self::Measure(value, _)
            | Self::Heat(value, ..) => Key::Number(*value as f64),
            Self::Share(part, whole, _) => Key::Number(*part as f64 / *whole as f64),
            Self::Bar(part, whole, _) => Key::Number(*part as f64 / (*whole).max(1) as f64),
            Self::Change(value, base, _) => match (value.number(), base.and_then(Value::number)) {
                (Some(now), Some(before)) if before != 0.0 => Key::Number((now - before) / before.abs()),
                _ => Key::None,
            },
            Self::Trend(points) => points
                .iter()
                .flatten()
                .next_back()
                .map_or(Key::None, |last| Key::Number(*last)),
            Self::Ago(at) => Key::Number(-(at.timestamp() as f64)),
            Self::Day(day) => Key::Text(day.to_string()),
            Self::Alarm(cell, _) => cell.key(),
        }
    }

    /// For programs: money as decimal text, shares and measures as numbers, days and times in ISO form.
    pub fn json(&self) -> serde_json::Value {
        match self {
            Self::Blank | Self::Dash | Self::Open | Self::Share(_, 0, _) => serde_json::Value::Null,
            Self::Text(text, _) => clean(text).into(),
            Self::Money(cents) | Self::Cents(cents) => decimal_text(*cents).into(),
            Self::Count(value) | Self::Id(value) | Self::Heat(value, ..) => (*value).into(),
            Self::Share(part, whole, _) | Self::Bar(part, whole, _) => {
                Value::Share(*part, (*whole).max(1)).json()
            }
            Self::Mille(mille) => Value::Share(*mille, 1000).json(),
            Self::Measure(milli, measure) => Value::Measure(*milli, *measure).json(),
            Self::Change(value, base, _) => {
                let (Some(now), Some(before)) = (value.number(), base.and_then(Value::number)) else {
                    return serde_json::Value::Null;
                };
                if before == 0.0 {
                    return serde_json::Value::Null;
                }
                let thousandths = divide(((now - before) / before.abs() * 10_000.0) as i128, 10);
                serde_json::json!(thousandths as f64 / 1000.0)
            }
            Self::Trend(points) => points.iter().map(|point| serde_json::json!(point)).collect(),
            Self::Ago(at) => at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true).into(),
            Self::Day(day) => day.to_string().into(),
            Self::Alarm(cell, _) => cell.json(),
        }
    }

    /// True when it holds text that was searched for, in lower case.
    pub fn holds(&self, find: &str) -> bool {
        match self {
            Self::Text(text, _) => clean(text).to_lowercase().contains(find),
            Self::Id(id) => id.to_string().contains(find),
            Self::Alarm(cell, _) => cell.holds(find),
            _ => false,
        }
    }
}
