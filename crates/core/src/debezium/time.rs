//! Moments in every form Debezium has: integers of four units, ISO texts, structures, and the sentinels that stand for
//! infinity (pitfalls 13 and 14). A timestamp without zone is read as UTC.

use super::error::Fault;
use super::object::{self, Object};
use crate::change::Moment;
use crate::change::moment::days_of;

/// Unit of an integer that stands for a moment, counted from 1970-01-01.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeUnit {
    /// Days (`io.debezium.time.Date`).
    Days,
    /// Milliseconds (`io.debezium.time.Timestamp`, Connect's `Timestamp`).
    Millis,
    /// Microseconds (`io.debezium.time.MicroTimestamp`): what our own connectors send.
    Micros,
    /// Nanoseconds (`io.debezium.time.NanoTimestamp`).
    Nanos,
}

/// The JDBC driver's value for `infinity`; with 3.x and `microseconds` it is `i64::MAX`. Everything from here on is
/// `infinity` in any unit but days. In microseconds this is a fraction of a second before the year 294247 runs out of
/// 64 bits, so no real value is lost.
const INFINITY: i64 = 9_223_372_036_825_200_000;

/// The driver's value for `-infinity`.
const NEG_INFINITY: i64 = -9_223_372_036_832_400_000;

/// Last and first day that PostgreSQL's `date` can hold (5874897-12-31, 4714-11-24 BC); a number of days beyond them
/// stands for infinity (2146033979 with 3.7).
const LAST_DATE: i64 = 2_145_042_541;
const FIRST_DATE: i64 = -2_440_588;

const DAY: i128 = 86_400_000_000;

/// Year 10000 in microseconds. A bare integer from here on is taken for nanoseconds (in 1978 and later).
const YEAR_10000: i64 = 253_402_300_800_000_000;

/// March 1973 in microseconds, and in milliseconds a thousandth of it.
const MARCH_1973: i64 = 100_000_000_000_000;

/// A moment from an integer of a known unit. Nanoseconds are cut to microseconds, which is all PostgreSQL has.
pub(crate) fn from_integer(value: i64, unit: TimeUnit) -> Result<Moment, Fault> {
    let micros = match unit {
        TimeUnit::Days if value > LAST_DATE => return Ok(Moment::Infinity),
        TimeUnit::Days if value < FIRST_DATE => return Ok(Moment::NegInfinity),
        TimeUnit::Days => i128::from(value) * DAY,
        _ if value >= INFINITY => return Ok(Moment::Infinity),
        _ if value <= NEG_INFINITY => return Ok(Moment::NegInfinity),
        TimeUnit::Millis => i128::from(value) * 1000,
        TimeUnit::Micros => i128::from(value),
        TimeUnit::Nanos => i128::from(value.div_euclid(1000)),
    };
    let micros = i64::try_from(micros).map_err(|_| Fault::OutOfRange)?;
    Ok(near_infinity(micros))
}

/// The sentinels again, after a conversion that cut them to milliseconds (`connect`).
fn near_infinity(micros: i64) -> Moment {
    if micros >= INFINITY {
        Moment::Infinity
    } else if micros <= NEG_INFINITY {
        Moment::NegInfinity
    } else {
        Moment::Micros(micros)
    }
}

/// The unit of an integer of which nothing is known, and whether that is a guess worth counting.
///
/// Our own connectors send microseconds, so microseconds it is, unless that would be a date no shop has and another
/// unit gives a plausible one:
/// - 10^11 to 10^14 in size would be between 2 January 1970 and March 1973 in microseconds, and is 1973 to 5138 in
///   milliseconds: milliseconds;
/// - beyond the year 9999 in microseconds, and 1978 to 2262 in nanoseconds: nanoseconds.
///
/// `9999-12-31` in microseconds, a favourite for "never", stays microseconds; in milliseconds it would be taken for
/// 1978. A guess is the last resort: the schema, or a unit learned from it or set, goes first.
pub(crate) fn guess(value: i64) -> (TimeUnit, bool) {
    let size = value.unsigned_abs();
    if value >= INFINITY || value <= NEG_INFINITY {
        (TimeUnit::Micros, false)
    } else if size >= YEAR_10000 as u64 {
        (TimeUnit::Nanos, true)
    } else if size >= (MARCH_1973 / 1000) as u64 && size < MARCH_1973 as u64 {
        (TimeUnit::Millis, true)
    } else {
        (TimeUnit::Micros, false)
    }
}

/// A moment from text: ISO 8601 with or without time, zone and fraction, `T` or a space between, years with more than
/// four digits and before year 1 with their sign; also `infinity` and `-infinity`.
pub(crate) fn from_text(text: &str) -> Result<Moment, Fault> {
    let text = text.trim();
    match text {
        "infinity" | "Infinity" | "+infinity" => return Ok(Moment::Infinity),
        "-infinity" | "-Infinity" => return Ok(Moment::NegInfinity),
        _ => {}
    }
    parse(text).ok_or(Fault::WrongType)
}

fn parse(text: &str) -> Option<Moment> {
    let mut rest = Cursor(text.as_bytes());
    let negative = match rest.first() {
        Some(b'-') => {
            rest.skip();
            true
        }
        Some(b'+') => {
            rest.skip();
            false
        }
        _ => false,
    };
    let year = rest.number(4, 9)?;
    let year = if negative { -year } else { year };
    rest.eat(b'-')?;
    let month = rest.number(2, 2)? as u32;
    rest.eat(b'-')?;
    let day = rest.number(2, 2)? as u32;
    let mut micros = i128::from(days_of(year, month, day)?) * DAY;
    if matches!(rest.first(), Some(b'T' | b't' | b' ')) {
        rest.skip();
        let hour = rest.number(2, 2)?;
        rest.eat(b':')?;
        let minute = rest.number(2, 2)?;
        let mut second = 0;
        if rest.first() == Some(b':') {
            rest.skip();
            second = rest.number(2, 2)?;
        }
        // 24:00:00 and the leap second are valid for PostgreSQL and mean the next minute or day.
        if hour > 24 || minute > 59 || second > 60 || (hour == 24 && (minute, second) != (0, 0)) {
            return None;
        }
        micros += i128::from((hour * 60 + minute) * 60 + second) * 1_000_000;
        if matches!(rest.first(), Some(b'.' | b',')) {
            rest.skip();
            micros += i128::from(rest.fraction()?);
        }
    }
    micros -= i128::from(rest.offset()?) * 1_000_000;
    if !rest.0.is_empty() {
        return None;
    }
    // Text has no sentinel of its own: the driver's infinities are written out as years beyond PostgreSQL's range.
    Some(match i64::try_from(micros) {
        Ok(micros) => near_infinity(micros),
        Err(_) if micros > 0 => Moment::Infinity,
        Err(_) => Moment::NegInfinity,
    })
}

/// Reads a text from left to right.
struct Cursor<'a>(&'a [u8]);

impl Cursor<'_> {
    fn first(&self) -> Option<u8> {
        self.0.first().copied()
    }

    fn skip(&mut self) {
        self.0 = self.0.get(1..).unwrap_or_default();
    }

    fn eat(&mut self, byte: u8) -> Option<()> {
        (self.first()? == byte).then(|| self.skip())
    }

    /// A number of `least` to `most` digits.
    fn number(&mut self, least: usize, most: usize) -> Option<i64> {
        let digits = self.0.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if digits < least || digits > most {
            return None;
        }
        let (number, rest) = self.0.split_at(digits);
        self.0 = rest;
        Some(
            number
                .iter()
                .fold(0, |value, digit| value * 10 + i64::from(digit - b'0')),
        )
    }

    /// Digits after the point, in microseconds; what is finer is cut off.
    fn fraction(&mut self) -> Option<i64> {
        let digits = self.0.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if digits == 0 {
            return None;
        }
        let (fraction, rest) = self.0.split_at(digits);
        self.0 = rest;
        Some((0..6).fold(0, |value, at| {
            value * 10 + fraction.get(at).map_or(0, |digit| i64::from(digit - b'0'))
        }))
    }

    /// Seconds east of UTC: nothing, `Z`, `+02`, `+0200`, `+02:00`, `-03:30:00`.
    fn offset(&mut self) -> Option<i64> {
        let sign = match self.first() {
            None => return Some(0),
            Some(b'Z' | b'z') => {
                self.skip();
                return Some(0);
            }
            Some(b'+') => 1,
            Some(b'-') => -1,
            Some(_) => return None,
        };
        self.skip();
        let mut seconds = 0;
        for (index, factor) in [3600, 60, 1].into_iter().enumerate() {
            if index > 0 {
                if self.0.is_empty() {
                    break;
                }
                if self.first() == Some(b':') {
                    self.skip();
                }
            }
            let (part, rest) = self.0.split_at_checked(2)?;
            if !part.iter().all(u8::is_ascii_digit) {
                return None;
            }
            self.0 = rest;
            seconds += (i64::from(part[0] - b'0') * 10 + i64::from(part[1] - b'0')) * factor;
        }
        (seconds <= 18 * 3600).then_some(sign * seconds)
    }
}

/// A moment from `time.precision.mode=structured` (3.7): the parts of date and time, or the name of an infinity.
pub(crate) fn from_structure(raw: &str) -> Result<Moment, Fault> {
    let object = Object::of_value(raw)?;
    match object.filled("specialValue") {
        Some("\"POSITIVE_INFINITY\"") => return Ok(Moment::Infinity),
        Some("\"NEGATIVE_INFINITY\"") => return Ok(Moment::NegInfinity),
        Some(_) => return Err(Fault::WrongType),
        None => {}
    }
    let part = |name: &str, most: i64| match object.filled(name) {
        Some(raw) => object::integer::<i64>(raw)
            .filter(|part| (0..=most).contains(part))
            .ok_or(Fault::WrongType),
        None => Ok(0),
    };
    let year = object
        .filled("year")
        .and_then(object::integer::<i64>)
        .filter(|year| year.abs() <= 999_999_999)
        .ok_or(Fault::WrongType)?;
    let days = days_of(year, part("month", 12)? as u32, part("day", 31)? as u32).ok_or(Fault::WrongType)?;
    let seconds = (part("hour", 24)? * 60 + part("minute", 59)?) * 60 + part("second", 60)?;
    let micros = seconds * 1_000_000 + part("nanos", 999_999_999)? / 1000;
    i64::try_from(i128::from(days) * DAY + i128::from(micros))
        .map(near_infinity)
        .map_err(|_| Fault::OutOfRange)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn integers_of_every_unit() {
        let moment = Moment::Micros(1_758_377_767_123_456);
        for (value, unit, expected) in [
            (1_758_377_767_123_456, TimeUnit::Micros, Ok(moment)),
            (1_758_377_767_123_456_789, TimeUnit::Nanos, Ok(moment)),
            (
                1_758_377_767_123,
                TimeUnit::Millis,
                Ok(Moment::Micros(1_758_377_767_123_000)),
            ),
            (20_351, TimeUnit::Days, Ok(Moment::Micros(1_758_326_400_000_000))),
            (-1, TimeUnit::Nanos, Ok(Moment::Micros(-1))),
            (9_223_372_036_825_200_000, TimeUnit::Micros, Ok(Moment::Infinity)),
            (
                -9_223_372_036_832_400_000,
                TimeUnit::Micros,
                Ok(Moment::NegInfinity),
            ),
            (i64::MAX, TimeUnit::Micros, Ok(Moment::Infinity)),
            (i64::MIN, TimeUnit::Micros, Ok(Moment::NegInfinity)),
            (9_223_372_036_825_200_000, TimeUnit::Millis, Ok(Moment::Infinity)),
            (9_223_372_036_825_200, TimeUnit::Millis, Ok(Moment::Infinity)),
            (-9_223_372_036_832_400, TimeUnit::Millis, Ok(Moment::NegInfinity)),
            (i64::MAX, TimeUnit::Nanos, Ok(Moment::Infinity)),
            (i64::MIN, TimeUnit::Nanos, Ok(Moment::NegInfinity)),
            (2_146_033_979, TimeUnit::Days, Ok(Moment::Infinity)),
            (-2_147_483_648, TimeUnit::Days, Ok(Moment::NegInfinity)),
            (
                1_758_377_767_123_456_789,
                TimeUnit::Millis,
                Err(Fault::OutOfRange),
            ),
            (200_000_000, TimeUnit::Days, Err(Fault::OutOfRange)),
        ] {
            assert_eq!(from_integer(value, unit), expected, "{value} {unit:?}");
        }
    }

    #[test]
    fn texts_of_every_length() {
        let day = 1_758_326_400_000_000;
        let noon = |micros: i64| Ok(Moment::Micros(1_758_377_767_000_000 + micros));
        for (text, expected) in [
            ("2025-09-20T14:16:07Z", noon(0)),
            ("2025-09-20T14:16:07.1Z", noon(100_000)),
            ("2025-09-20T14:16:07.123456Z", noon(123_456)),
            ("2025-09-20T14:16:07.123456789Z", noon(123_456)),
            ("2025-09-20 14:16:07.123456", noon(123_456)),
            ("2025-09-20T16:16:07+02:00", noon(0)),
            ("2025-09-20T11:16:07-0300", noon(0)),
            ("2025-09-20 11:16:07-03", noon(0)),
            ("2025-09-20T14:16Z", noon(-7_000_000)),
            ("2025-09-20Z", Ok(Moment::Micros(day))),
            ("2025-09-20", Ok(Moment::Micros(day))),
            ("2025-09-20T24:00:00Z", Ok(Moment::Micros(day + 86_400_000_000))),
            (
                "-0043-03-15T12:00:00.000000Z",
                Ok(Moment::Micros(-63_517_780_800_000_000)),
            ),
            (
                "+10000-01-01T00:00:00Z",
                Ok(Moment::Micros(253_402_300_800_000_000)),
            ),
            ("infinity", Ok(Moment::Infinity)),
            ("-infinity", Ok(Moment::NegInfinity)),
            ("+294247-01-10T04:00:25.2Z", Ok(Moment::Infinity)),
            ("+292278994-08-17T07:12:55.807Z", Ok(Moment::Infinity)),
            ("-292275055-05-16T16:47:04.192Z", Ok(Moment::NegInfinity)),
            ("2025-02-29T00:00:00Z", Err(Fault::WrongType)),
            ("2025-09-20T25:00:00Z", Err(Fault::WrongType)),
            ("2025-09-20T14:16:07X", Err(Fault::WrongType)),
            ("2025-09-20T14:16:07Zx", Err(Fault::WrongType)),
            ("2025-09-20T14:16:07.Z", Err(Fault::WrongType)),
            ("2025-09-20T14:16:07+2", Err(Fault::WrongType)),
            ("2025-9-20", Err(Fault::WrongType)),
            ("1758377767123456", Err(Fault::WrongType)),
            ("", Err(Fault::WrongType)),
            ("yesterday", Err(Fault::WrongType)),
        ] {
            assert_eq!(from_text(text), expected, "{text}");
        }
    }

    #[test]
    fn structures() {
        let whole = r#"{"year":2025,"month":9,"day":20,"hour":14,"minute":16,"second":7,"nanos":123456789,"specialValue":null,"precision":6}"#;
        for (raw, expected) in [
            (whole, Ok(Moment::Micros(1_758_377_767_123_456))),
            (
                r#"{"year":2025,"month":9,"day":20}"#,
                Ok(Moment::Micros(1_758_326_400_000_000)),
            ),
            (
                r#"{"year":null,"specialValue":"POSITIVE_INFINITY"}"#,
                Ok(Moment::Infinity),
            ),
            (
                r#"{"year":null,"specialValue":"NEGATIVE_INFINITY"}"#,
                Ok(Moment::NegInfinity),
            ),
            (r#"{"specialValue":"ZERO"}"#, Err(Fault::WrongType)),
            (r#"{"year":2025,"month":13,"day":1}"#, Err(Fault::WrongType)),
            (
                r#"{"year":2025,"month":9,"day":20,"hour":-1}"#,
                Err(Fault::WrongType),
            ),
            (r#"{"year":999999999,"month":1,"day":1}"#, Err(Fault::OutOfRange)),
            (
                r#"{"year":9223372036854775807,"month":1,"day":1}"#,
                Err(Fault::WrongType),
            ),
            ("{}", Err(Fault::WrongType)),
        ] {
            assert_eq!(from_structure(raw), expected, "{raw}");
        }
    }

    #[test]
    fn a_guess_is_made_only_where_microseconds_make_no_sense() {
        for (value, unit, counted) in [
            (1_758_377_767_123_456, TimeUnit::Micros, false),
            (0, TimeUnit::Micros, false),
            (-1, TimeUnit::Micros, false),
            (1_758_377_767_123, TimeUnit::Millis, true),
            (1_758_377_767_123_456_789, TimeUnit::Nanos, true),
            (253_402_300_799_999_999, TimeUnit::Micros, false),
            (i64::MAX, TimeUnit::Micros, false),
            (i64::MIN, TimeUnit::Micros, false),
        ] {
            assert_eq!(guess(value), (unit, counted), "{value}");
        }
    }

    proptest! {
        #[test]
        fn micros_round_trip_through_text(micros in -9_223_372_036_832_399_999i64..9_223_372_036_825_200_000) {
            let moment = Moment::Micros(micros);
            prop_assert_eq!(from_integer(micros, TimeUnit::Micros), Ok(moment));
            prop_assert_eq!(from_text(&moment.to_string()), Ok(moment));
        }

        #[test]
        fn no_integer_panics(value in any::<i64>()) {
            for unit in [TimeUnit::Days, TimeUnit::Millis, TimeUnit::Micros, TimeUnit::Nanos] {
                let _ = from_integer(value, unit);
            }
            let _ = guess(value);
        }

        #[test]
        fn no_text_panics(text in "[-+:.TZ 0-9]{0,40}") {
            let _ = from_text(&text);
        }
    }
}
