//! Numbers as the screen writes them: money, counts, shares, rates, ages, bytes. Integers only, marks by locale.

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;

/// Decimal and thousands marks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Marks {
    /// Between units and tenths.
    pub decimal: char,
    /// Between groups of three digits.
    pub thousands: char,
}

/// `1,204.50`.
pub const ENGLISH: Marks = Marks {
    decimal: '.',
    thousands: ',',
};

/// `1.204,50`.
pub const SPANISH: Marks = Marks {
    decimal: ',',
    thousands: '.',
};

/// Division that rounds half away from zero; the divisor is positive.
pub const fn divide(value: i128, by: i128) -> i128 {
    let half = by / 2;
    if value >= 0 {
        (value + half) / by
    } else {
        (value - half) / by
    }
}

impl Marks {
    /// A whole number in groups: `104,882`.
    pub fn count(self, value: i64) -> String {
        let digits = value.unsigned_abs().to_string();
        let mut out = String::with_capacity(digits.len() + digits.len() / 3 + 1);
        if value < 0 {
            out.push('-');
        }
        for (index, digit) in digits.chars().enumerate() {
            if index > 0 && (digits.len() - index).is_multiple_of(3) {
                out.push(self.thousands);
            }
            out.push(digit);
        }
        out
    }

    /// A decimal number given in tenths, hundredths or thousandths: `scaled(4004, 2)` is `40.04`.
    pub fn scaled(self, value: i128, decimals: u32) -> String {
        let unit = 10_u128.pow(decimals);
        let absolute = value.unsigned_abs();
        let sign = if value < 0 { "-" } else { "" };
        let whole = self.count(i64::try_from(absolute / unit).unwrap_or(i64::MAX));
        if decimals == 0 {
            return format!("{sign}{whole}");
        }
        let rest = absolute % unit;
        format!(
            "{sign}{whole}{}{rest:0width$}",
            self.decimal,
            width = decimals as usize
        )
    }

    /// Cents with both decimals: `128.40`.
    pub fn cents(self, cents: i64) -> String {
        self.scaled(i128::from(cents), 2)
    }

    /// The number of a tile from cents, without sign of currency, and the letter of its unit: whole from a thousand on,
    /// with four significant digits from a million on.
    pub fn tile_money(self, cents: i64) -> (String, &'static str) {
        if cents.unsigned_abs() < 100_000 {
            (self.cents(cents), "")
        } else {
            self.tile_count(divide(i128::from(cents), 100) as i64)
        }
    }

    /// The number of a tile from a count; see [`Self::tile_money`].
    pub fn tile_count(self, value: i64) -> (String, &'static str) {
        let wide = i128::from(value);
        for (unit, letter) in [(1_000_000_000_i128, "B"), (1_000_000, "M")] {
            if wide.abs() >= unit {
                let decimals = match wide.abs() / unit {
                    0..10 => 3,
                    10..100 => 2,
                    _ => 1,
                };
                let scaled = divide(wide * 10_i128.pow(decimals), unit);
                return (self.scaled(scaled, decimals), letter);
            }
        }
        (self.count(value), "")
    }

    /// Three significant digits with `k M B` from 10,000 on: for comparison values.
    pub fn short(self, value: i64) -> String {
        self.shortened(value, 10_000)
    }

    /// Cents like [`Self::short`], with both decimals below a hundred.
    pub fn short_money(self, cents: i64) -> String {
        if cents.unsigned_abs() < 10_000 {
            self.cents(cents)
        } else {
            self.short(divide(i128::from(cents), 100) as i64)
        }
    }

    /// Cents in a narrow list: whole below a thousand, then `3.3k`, `909k`, `1.2M`.
    pub fn list_money(self, cents: i64) -> String {
        self.shortened(divide(i128::from(cents), 100) as i64, 1000)
    }

    /// Counts in a narrow list, see [`Self::list_money`].
    pub fn list_count(self, value: i64) -> String {
        self.shortened(value, 10_000)
    }

    fn shortened(self, value: i64, from: u64) -> String {
        if value.unsigned_abs() < from {
            return self.count(value);
        }
        let wide = i128::from(value);
        let units = [(1_000_i128, "k"), (1_000_000, "M"), (1_000_000_000, "B")];
        for (index, (unit, letter)) in units.into_iter().enumerate() {
            let decimals = u32::from(wide.abs() < unit * 100);
            let scaled = divide(wide * 10_i128.pow(decimals), unit);
            // 999,960 is not 1000k: it rounds into the next unit.
            let last = index + 1 == units.len();
            if last || scaled.abs() < 1000 * 10_i128.pow(decimals) {
                return format!("{}{letter}", self.scaled(scaled, decimals));
            }
        }
        self.count(value)
    }

    /// `part` of `whole` in percent; a dash when `whole` is zero (docs: kpis 0.5).
    pub fn percent(self, part: i64, whole: i64, decimals: u32) -> String {
        if whole == 0 {
            return "—".into();
        }
        let scaled = divide(
            i128::from(part) * 100 * 10_i128.pow(decimals) * i128::from(whole.signum()),
            i128::from(whole).abs(),
        );
        format!("{}%", self.scaled(scaled, decimals))
    }

    /// Thousandths of an event a second as `12 ev/s`, without the unit.
    pub fn rate(self, per_1000s: i64) -> String {
        let wide = i128::from(per_1000s);
        if wide.abs() < 10_000 {
            self.scaled(divide(wide, 100), 1)
        } else {
            self.short(divide(wide, 1000) as i64)
        }
    }

    /// Bytes with one decimal: `0.2 MB`.
    pub fn bytes(self, bytes: i64) -> String {
        let wide = i128::from(bytes);
        let (unit, name) = if wide.abs() >= 1 << 30 {
            (1 << 30, "GB")
        } else {
            (1 << 20, "MB")
        };
        format!("{} {name}", self.scaled(divide(wide * 10, unit), 1))
    }

    /// Bytes with one decimal: `0.4 KB`.
    pub fn kilobytes(self, bytes: u64) -> String {
        format!("{} KB", self.scaled(divide(i128::from(bytes) * 10, 1000), 1))
    }

    /// Microseconds as `0.6 ms`.
    pub fn micros(self, micros: u64) -> String {
        let wide = i128::from(micros);
        if micros < 10_000 {
            format!("{} ms", self.scaled(divide(wide, 100), 1))
        } else {
            self.millis(micros / 1000)
        }
    }

    /// Milliseconds as `210 ms` or `1.5 s`.
    pub fn millis(self, millis: u64) -> String {
        if millis < 1000 {
            format!("{millis} ms")
        } else {
            format!("{} s", self.scaled(divide(i128::from(millis), 100), 1))
        }
    }

    /// An age: `0.4s`, `12s`, `2m14s`, `4h10m`, `3d4h`. Below zero counts as zero: a clock that runs ahead is not news.
    pub fn age(self, age: TimeDelta) -> String {
        let millis = age.num_milliseconds().max(0);
        if millis < 9_950 {
            format!("{}s", self.scaled(divide(i128::from(millis), 100), 1))
        } else {
            seconds(age.num_seconds().max(0))
        }
    }
}

/// Whole seconds as `12s`, `2m14s`, `4h10m`, `3d4h`.
pub fn seconds(seconds: i64) -> String {
    let seconds = seconds.max(0);
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 if seconds % 60 == 0 => format!("{}m", seconds / 60),
        60..3600 => format!("{}m{:02}s", seconds / 60, seconds % 60),
        3600..86_400 => format!("{}h{:02}m", seconds / 3600, seconds % 3600 / 60),
        _ => format!("{}d{:02}h", seconds / 86_400, seconds % 86_400 / 3600),
    }
}

/// Whole seconds in one unit, for narrow lists: `12s`, `2m`, `4h`, `3d`.
pub fn coarse(seconds: i64) -> String {
    match seconds.max(0) {
        seconds @ 0..60 => format!("{seconds}s"),
        seconds @ 60..3600 => format!("{}m", seconds / 60),
        seconds @ 3600..86_400 => format!("{}h", seconds / 3600),
        seconds => format!("{}d", seconds / 86_400),
    }
}

/// Clock time with seconds in the reporting zone.
pub fn clock(at: DateTime<Utc>, zone: Tz) -> String {
    at.with_timezone(&zone).format("%H:%M:%S").to_string()
}

/// Clock time without seconds in the reporting zone.
pub fn hour_minute(at: DateTime<Utc>, zone: Tz) -> String {
    at.with_timezone(&zone).format("%H:%M").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_and_money() {
        let en = ENGLISH;
        for (shown, expected) in [
            (en.count(0), "0"),
            (en.count(999), "999"),
            (en.count(-104_882), "-104,882"),
            (SPANISH.count(1_234_567), "1.234.567"),
            (en.cents(-5), "-0.05"),
            (SPANISH.cents(120_450), "1.204,50"),
            (en.tile_money(4_004).0, "40.04"),
            (en.tile_money(4_821_000).0, "48,210"),
            (en.tile_money(240_812_345).0, "2.408"),
            (en.tile_money(240_812_345).1.into(), "M"),
            (en.tile_money(99_999).0, "999.99"),
            (en.tile_count(60_198).0, "60,198"),
            (en.tile_count(1_234_567_890).0, "1.235"),
            (en.short(1_168), "1,168"),
            (en.short(45_402), "45.4k"),
            (en.short(999_960), "1.0M"),
            (en.short(909_400), "909k"),
            (en.short(-45_402), "-45.4k"),
            (en.short(99_960), "100.0k"),
            (en.short_money(3_887), "38.87"),
            (en.short_money(4_540_200), "45.4k"),
            (en.list_money(21_300), "213"),
            (en.list_money(330_000), "3.3k"),
            (en.list_money(90_912_300), "909k"),
            (en.percent(942, 1000, 1), "94.2%"),
            (SPANISH.percent(942, 1000, 1), "94,2%"),
            (en.percent(0, 0, 1), "—"),
            (en.percent(1, 3, 0), "33%"),
            (en.rate(12_400), "12"),
            (en.rate(450), "0.5"),
            (en.bytes(209_715), "0.2 MB"),
            (en.bytes(3 << 30), "3.0 GB"),
            (en.micros(612), "0.6 ms"),
            (en.millis(1_540), "1.5 s"),
            (en.count(i64::MIN), "-9,223,372,036,854,775,808"),
            (en.short(i64::MAX), "9,223,372,037B"),
        ] {
            assert_eq!(shown, expected);
        }
    }

    #[test]
    fn ages() {
        for (millis, expected) in [
            (-5_000, "0.0s"),
            (412, "0.4s"),
            (9_949, "9.9s"),
            (12_031, "12s"),
            (134_000, "2m14s"),
            (720_000, "12m"),
            (15_000_000, "4h10m"),
            (273_600_000, "3d04h"),
        ] {
            assert_eq!(ENGLISH.age(TimeDelta::milliseconds(millis)), expected, "{millis}");
        }
    }
}
