//! A `timestamp` of PostgreSQL, wider than what chrono can hold.

use std::fmt;

use chrono::{DateTime, Utc};

/// Microseconds in a day.
const DAY: i64 = 86_400_000_000;

/// A `timestamp` of PostgreSQL, which knows both infinities (pitfall 14).
///
/// Shown in ISO 8601 form with a `Z` and as many digits of the fraction as are needed, or as `infinity` and
/// `-infinity`, which PostgreSQL reads back. Years after 9999 carry a `+`, years before year 0 (2 BC and earlier) a `-`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Moment {
    /// Before every moment.
    NegInfinity,
    /// Microseconds since 1970-01-01 UTC.
    Micros(i64),
    /// After every moment.
    Infinity,
}

impl Moment {
    /// The moment as a date and time, `None` for the infinities and for what chrono cannot hold.
    pub fn datetime(self) -> Option<DateTime<Utc>> {
        match self {
            Self::Micros(micros) => DateTime::from_timestamp_micros(micros),
            Self::NegInfinity | Self::Infinity => None,
        }
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let micros = match self {
            Self::NegInfinity => return out.write_str("-infinity"),
            Self::Infinity => return out.write_str("infinity"),
            Self::Micros(micros) => *micros,
        };
        let (year, month, day) = date_of(micros.div_euclid(DAY));
        let of_day = micros.rem_euclid(DAY);
        let (seconds, fraction) = (of_day / 1_000_000, of_day % 1_000_000);
        match year {
            0..=9999 => write!(out, "{year:04}")?,
            10_000.. => write!(out, "+{year}")?,
            _ => write!(out, "-{:04}", -year)?,
        }
        write!(
            out,
            "-{month:02}-{day:02}T{:02}:{:02}:{:02}",
            seconds / 3600,
            seconds / 60 % 60,
            seconds % 60
        )?;
        if fraction != 0 {
            let digits = format!("{fraction:06}");
            write!(out, ".{}", digits.trim_end_matches('0'))?;
        }
        out.write_str("Z")
    }
}

/// Days from 1970-01-01 to a date of the proleptic Gregorian calendar (year 0 is 1 BC). `None` when the month or the
/// day does not exist. Counts from 1 March, so that a leap day is the last day of its year.
pub(crate) fn days_of(year: i64, month: u32, day: u32) -> Option<i64> {
    if !(1..=12).contains(&month) || day == 0 || day > days_in(year, month) {
        return None;
    }
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let from_march = i64::from((month + 9) % 12);
    let of_year = (153 * from_march + 2) / 5 + i64::from(day) - 1;
    Some(era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468)
}

/// The inverse of [`days_of`].
fn date_of(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 {
        from_march + 3
    } else {
        from_march - 9
    };
    (era * 400 + year + i64::from(month <= 2), month, day)
}

fn days_in(year: i64, month: u32) -> u32 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn moments_are_shown_in_iso_form() {
        for (micros, expected) in [
            (0, "1970-01-01T00:00:00Z"),
            (-1, "1969-12-31T23:59:59.999999Z"),
            (1_758_377_767_123_456, "2025-09-20T14:16:07.123456Z"),
            (1_758_377_767_100_000, "2025-09-20T14:16:07.1Z"),
            (951_782_400_000_000, "2000-02-29T00:00:00Z"),
            (253_402_300_800_000_000, "+10000-01-01T00:00:00Z"),
            (i64::MAX, "+294247-01-10T04:00:54.775807Z"),
            (i64::MIN, "-290308-12-21T19:59:05.224192Z"),
        ] {
            assert_eq!(Moment::Micros(micros).to_string(), expected);
        }
        assert_eq!(Moment::Infinity.to_string(), "infinity");
        assert_eq!(Moment::NegInfinity.to_string(), "-infinity");
        assert!(
            Moment::NegInfinity < Moment::Micros(i64::MIN) && Moment::Micros(i64::MAX) < Moment::Infinity
        );
    }

    #[test]
    fn days_that_do_not_exist_are_refused() {
        for (year, month, day) in [
            (2025, 2, 29),
            (1900, 2, 29),
            (2025, 4, 31),
            (2025, 13, 1),
            (2025, 0, 1),
            (2025, 1, 0),
        ] {
            assert_eq!(days_of(year, month, day), None);
        }
        assert_eq!(days_of(2000, 2, 29), Some(11_016));
    }

    proptest! {
        #[test]
        fn dates_and_days_are_inverse(days in -200_000_000i64..200_000_000) {
            let (year, month, day) = date_of(days);
            prop_assert_eq!(days_of(year, month as u32, day as u32), Some(days));
        }

        #[test]
        fn chrono_agrees_where_it_can(micros in -8_000_000_000_000_000_000i64..8_000_000_000_000_000_000) {
            if let Some(datetime) = Moment::Micros(micros).datetime() {
                let text = Moment::Micros(micros).to_string();
                let ours = text.trim_start_matches('+');
                let theirs = datetime.format("%Y-%m-%dT%H:%M:%S%.6f").to_string();
                let theirs = theirs.trim_start_matches('+').trim_end_matches('0').trim_end_matches('.');
                let ours = ours.trim_end_matches('Z');
                let ours = if ours.contains('.') { ours } else { ours.trim_end_matches('0') };
                prop_assert_eq!(ours, theirs);
            }
        }
    }
}
