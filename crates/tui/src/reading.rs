//! A number is a reading, not a float: value, what it is compared with, where it is from, what time it stands for.

use chrono::{DateTime, Utc};

use crate::format::{Marks, divide, seconds};

/// Which way is good news.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Higher {
    /// More is better.
    Good,
    /// More is worse.
    Bad,
    /// Neither.
    Neutral,
}

/// A value in its unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value {
    /// Cents of the reporting currency.
    Money(i64),
    /// A number of things.
    Count(i64),
    /// A mean amount in cents: sum and number. Kept as two sums and divided when shown (docs: kpis 0.5).
    Mean(i64, i64),
    /// A share: part and whole.
    Share(i64, i64),
    /// Thousandths of a unit.
    Measure(i64, Measure),
}

/// Unit of a measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// Hours.
    Hours,
    /// Days.
    Days,
    /// Seconds, written as minutes and hours too.
    Seconds,
    /// Times a year.
    PerYear,
    /// A plain decimal number.
    Plain,
}

impl Measure {
    /// `31 h`, `5.1 d`, `3m12s`, `16.0x`.
    pub fn short(self, marks: Marks, milli: i64) -> String {
        let one = |unit: &str| {
            let number = if milli.abs() >= 100_000 {
                marks.short(divide(i128::from(milli), 1000) as i64)
            } else {
                marks.scaled(divide(i128::from(milli), 100), 1)
            };
            format!("{number}{unit}")
        };
        match self {
            Self::Hours => one(" h"),
            Self::Days => one(" d"),
            Self::PerYear => one("x"),
            Self::Plain => one(""),
            Self::Seconds => seconds(divide(i128::from(milli), 1000) as i64),
        }
    }
}

impl Value {
    /// The number as a fraction, for comparisons; `None` when its denominator is zero.
    const fn fraction(self) -> Option<(i128, i128)> {
        match self {
            Self::Money(value) | Self::Count(value) | Self::Measure(value, _) => Some((value as i128, 1)),
            Self::Mean(_, 0) | Self::Share(_, 0) => None,
            Self::Mean(part, whole) | Self::Share(part, whole) => Some((part as i128, whole as i128)),
        }
    }

    /// The number, for axes and orders; `None` when its denominator is zero.
    pub fn number(self) -> Option<f64> {
        self.fraction().map(|(part, whole)| part as f64 / whole as f64)
    }

    /// True for amounts of money: the sign of the currency goes with them.
    pub const fn is_money(self) -> bool {
        matches!(self, Self::Money(_) | Self::Mean(..))
    }

    /// Denominator of a ratio, for the small-sample rule.
    pub const fn sample(self) -> Option<i64> {
        match self {
            Self::Mean(_, whole) | Self::Share(_, whole) => Some(whole),
            _ => None,
        }
    }

    /// The number of a tile, without sign of currency; the letter of its unit (`M`, `B` or none).
    pub fn tile(self, marks: Marks) -> (String, &'static str) {
        match self {
            Self::Money(cents) => marks.tile_money(cents),
            Self::Count(value) => marks.tile_count(value),
            Self::Mean(_, 0) | Self::Share(_, 0) => ("—".into(), ""),
            Self::Mean(sum, number) => marks.tile_money(divide(i128::from(sum), i128::from(number)) as i64),
            Self::Share(part, whole) => (marks.percent(part, whole, share_decimals(part, whole)), ""),
            Self::Measure(milli, measure) => (measure.short(marks, milli), ""),
        }
    }

    /// The number in a note: `45.4k`, `38.87`, `95.3%`.
    pub fn short(self, marks: Marks) -> String {
        match self {
            Self::Money(cents) => marks.short_money(cents),
            Self::Count(value) => marks.short(value),
            Self::Mean(_, 0) | Self::Share(_, 0) => "—".into(),
            Self::Mean(sum, number) => marks.short_money(divide(i128::from(sum), i128::from(number)) as i64),
            Self::Share(part, whole) => marks.percent(part, whole, share_decimals(part, whole)),
            Self::Measure(milli, measure) => measure.short(marks, milli),
        }
    }

    /// The number in full, for the explanation and for exports.
    pub fn full(self, marks: Marks) -> String {
        match self {
            Self::Money(cents) => marks.cents(cents),
            Self::Count(value) => marks.count(value),
            Self::Mean(_, 0) | Self::Share(_, 0) => "—".into(),
            Self::Mean(sum, number) => marks.cents(divide(i128::from(sum), i128::from(number)) as i64),
            Self::Share(part, whole) => marks.percent(part, whole, 2),
            Self::Measure(milli, Measure::Seconds) => Measure::Seconds.short(marks, milli),
            Self::Measure(milli, _) => marks.scaled(i128::from(milli), 3),
        }
    }

    /// The number as JSON writes it: money as decimal text, counts and shares as numbers.
    pub fn json(self) -> serde_json::Value {
        use instashop_core::money::decimal_text;
        match self {
            Self::Money(cents) => decimal_text(cents).into(),
            Self::Count(value) => value.into(),
            Self::Mean(_, 0) | Self::Share(_, 0) => serde_json::Value::Null,
            Self::Mean(sum, number) => {
                decimal_text(divide(i128::from(sum), i128::from(number)) as i64).into()
            }
            Self::Share(part, whole) => {
                let millionths = divide(i128::from(part) * 1_000_000, i128::from(whole).max(1)) as i64;
                serde_json::json!(millionths as f64 / 1e6)
            }
            Self::Measure(milli, _) => serde_json::json!(milli as f64 / 1000.0),
        }
    }
}

/// Decimals of a share with three digits: `94.2%`, `3.08%`.
const fn share_decimals(part: i64, whole: i64) -> u32 {
    if part != 0 && (part as i128).abs() * 10 < (whole as i128).abs() {
        2
    } else {
        1
    }
}

/// Where a value is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// Redis.
    Live,
    /// The warehouse.
    Warehouse,
}

impl Source {
    /// The mark behind a title.
    pub const fn mark(self) -> &'static str {
        match self {
            Self::Live => "●",
            Self::Warehouse => "◆",
        }
    }
}

/// What a value is compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Base {
    /// The value then.
    pub value: Value,
    /// Its name in words: `last Fri 14:05`.
    pub label: String,
}

/// A value with everything that is needed to trust it.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// The value; `None` is "no data" and never becomes 0.
    pub value: Option<Value>,
    /// What it is compared with; `None` when there is no honest base.
    pub base: Option<Base>,
    /// Where it is from.
    pub source: Source,
    /// The cut in words of time: newest change that is contained.
    pub as_of: Option<DateTime<Utc>>,
    /// When it reached this process.
    pub arrived: Option<DateTime<Utc>>,
    /// The course over the same range as the value, oldest first.
    pub trend: Vec<Option<f64>>,
}

/// How a value moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Move {
    /// There is no honest base.
    NoBase,
    /// Inside the dead band.
    Same,
    /// The base is zero, so there is no relative change.
    New,
    /// Relative change in tenths of a percent.
    Relative(i64),
    /// Change of a share in tenths of a percentage point.
    Points(i64),
}

/// A change with its judgement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delta {
    /// How it moved.
    pub moved: Move,
    /// Good news, bad news, or neither.
    pub good: Option<bool>,
}

/// Smallest denominator of a ratio that is shown at full strength (docs: kpis 0.5).
pub const SMALL_SAMPLE: i64 = 30;

/// Compares a value with its base.
pub fn delta(now: Option<Value>, base: Option<Value>, higher: Higher, dead_band_per_mille: u32) -> Delta {
    let judged = |moved, up: Option<bool>| Delta {
        moved,
        good: match (up, higher) {
            (Some(up), Higher::Good) => Some(up),
            (Some(up), Higher::Bad) => Some(!up),
            _ => None,
        },
    };
    let (Some(new), Some(old)) = (now.and_then(Value::fraction), base.and_then(Value::fraction)) else {
        return judged(Move::NoBase, None);
    };
    // new/d - old/e over old/e = (new*e - old*d) / (old*d), all integers.
    let difference = new.0 * old.1 - old.0 * new.1;
    let reference = (old.0 * new.1).abs();
    if difference == 0 {
        return judged(Move::Same, None);
    }
    let up = Some(difference > 0);
    if reference == 0 {
        return judged(Move::New, up);
    }
    if difference.abs() * 1000 < reference * i128::from(dead_band_per_mille) {
        return judged(Move::Same, None);
    }
    let shares = matches!(now, Some(Value::Share(..)));
    let moved = if shares {
        Move::Points(divide(difference * 1000, new.1 * old.1) as i64)
    } else {
        Move::Relative(divide(difference * 1000, reference) as i64)
    };
    judged(moved, up)
}

impl Delta {
    /// In a narrow column: `▲ 7%`, `▼ 12%`, `=`, `new`; nothing without a base.
    pub fn brief(self, marks: Marks, new: &str) -> String {
        let arrow = |value: i64| if value < 0 { "▼" } else { "▲" };
        match self.moved {
            Move::NoBase => "—".into(),
            Move::Same => "=".into(),
            Move::New => new.into(),
            Move::Relative(value) if value.abs() >= 9_995 => {
                format!(
                    "{} ×{}",
                    arrow(value),
                    marks.short(divide(i128::from(value.abs()) + 1000, 1000) as i64)
                )
            }
            Move::Relative(value) => format!("{} {}%", arrow(value), divide(i128::from(value.abs()), 10)),
            Move::Points(value) => {
                format!(
                    "{} {}pp",
                    arrow(value),
                    marks.scaled(i128::from(value.unsigned_abs()), 1)
                )
            }
        }
    }

    /// `▲ 6.2%`, `▲ ×57`, `▼ 1.1pp!`, `=`, `new`, or the words for no base.
    pub fn text(self, marks: Marks, new: &str, no_base: &str) -> String {
        let bang = if self.good == Some(false) { "!" } else { "" };
        let arrow = |value: i64| if value < 0 { "▼" } else { "▲" };
        let tenths = |value: i64| marks.scaled(i128::from(value.unsigned_abs()), 1);
        match self.moved {
            Move::NoBase => format!("— {no_base}"),
            Move::Same => "=".into(),
            Move::New => format!("▲ {new}{bang}"),
            // A rise of 900 % is ten times as much; from there on the factor says more in less room.
            Move::Relative(value) if value >= 9_000 => {
                format!(
                    "▲ ×{}{bang}",
                    marks.short(divide(i128::from(value) + 1000, 1000) as i64)
                )
            }
            Move::Relative(value) => format!("{} {}%{bang}", arrow(value), tenths(value)),
            Move::Points(value) => format!("{} {}pp{bang}", arrow(value), tenths(value)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::ENGLISH;

    #[test]
    fn honest_deltas() {
        use Value::{Count, Mean, Money, Share};
        let cases = [
            (
                "rise",
                Some(Money(4_821_000)),
                Some(Money(4_540_200)),
                Higher::Good,
                "▲ 6.2%",
                Some(true),
            ),
            (
                "ten times",
                Some(Count(100)),
                Some(Count(10)),
                Higher::Good,
                "▲ ×10",
                Some(true),
            ),
            (
                "many times",
                Some(Count(339_700)),
                Some(Count(100)),
                Higher::Bad,
                "▲ ×3,397!",
                Some(false),
            ),
            (
                "fall is bad",
                Some(Count(90)),
                Some(Count(100)),
                Higher::Good,
                "▼ 10.0%!",
                Some(false),
            ),
            (
                "rise of a bad thing",
                Some(Count(110)),
                Some(Count(100)),
                Higher::Bad,
                "▲ 10.0%!",
                Some(false),
            ),
            (
                "fall of a bad thing",
                Some(Count(90)),
                Some(Count(100)),
                Higher::Bad,
                "▼ 10.0%",
                Some(true),
            ),
            (
                "neither",
                Some(Count(90)),
                Some(Count(100)),
                Higher::Neutral,
                "▼ 10.0%",
                None,
            ),
            ("no base", Some(Count(1)), None, Higher::Good, "— no base", None),
            ("no value", None, Some(Count(1)), Higher::Good, "— no base", None),
            (
                "from zero",
                Some(Count(5)),
                Some(Count(0)),
                Higher::Good,
                "▲ new",
                Some(true),
            ),
            (
                "bad from zero",
                Some(Count(5)),
                Some(Count(0)),
                Higher::Bad,
                "▲ new!",
                Some(false),
            ),
            (
                "zero and zero",
                Some(Count(0)),
                Some(Count(0)),
                Higher::Good,
                "=",
                None,
            ),
            (
                "dead band",
                Some(Count(1004)),
                Some(Count(1000)),
                Higher::Good,
                "=",
                None,
            ),
            (
                "edge of the dead band",
                Some(Count(1005)),
                Some(Count(1000)),
                Higher::Good,
                "▲ 0.5%",
                Some(true),
            ),
            (
                "means",
                Some(Mean(400_400, 100)),
                Some(Mean(388_700, 100)),
                Higher::Good,
                "▲ 3.0%",
                Some(true),
            ),
            (
                "mean of nothing",
                Some(Mean(0, 0)),
                Some(Mean(1, 1)),
                Higher::Good,
                "— no base",
                None,
            ),
            (
                "points",
                Some(Share(942, 1000)),
                Some(Share(953, 1000)),
                Higher::Good,
                "▼ 1.1pp!",
                Some(false),
            ),
            (
                "base of nothing",
                Some(Share(942, 1000)),
                Some(Share(0, 0)),
                Higher::Good,
                "— no base",
                None,
            ),
            (
                "huge",
                Some(Count(50_000)),
                Some(Count(1)),
                Higher::Good,
                "▲ ×50.0k",
                Some(true),
            ),
            (
                "negative base",
                Some(Money(100)),
                Some(Money(-100)),
                Higher::Good,
                "▲ 200.0%",
                Some(true),
            ),
        ];
        for (name, now, base, higher, expected, good) in cases {
            let delta = delta(now, base, higher, 5);
            assert_eq!(delta.text(ENGLISH, "new", "no base"), expected, "{name}");
            assert_eq!(delta.good, good, "{name}");
        }
    }

    #[test]
    fn a_number_never_becomes_zero_by_missing() {
        assert_eq!(Value::Share(0, 0).tile(ENGLISH).0, "—");
        assert_eq!(Value::Mean(0, 0).json(), serde_json::Value::Null);
        assert_eq!(Value::Share(0, 5).tile(ENGLISH).0, "0.0%");
        assert_eq!(Value::Money(0).json(), serde_json::json!("0.00"));
    }

    #[test]
    fn growth_is_not_the_value_against_itself() {
        // The earlier dashboard of the shop compared a figure with itself times a constant: always the same growth.
        let zero = delta(
            Some(Value::Money(1000)),
            Some(Value::Money(1000)),
            Higher::Good,
            5,
        );
        assert_eq!(zero.moved, Move::Same);
    }
}
