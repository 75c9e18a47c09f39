//! Exact decimals in every form Debezium has (pitfalls 10 to 12). No value passes through a float.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rust_decimal::Decimal;

use super::error::Fault;
use super::object::{self, Object};

/// Most digits after the point that [`Decimal`] holds.
const MAX_SCALE: i32 = 28;

/// A number as text: `-12.50`, `1E+3`, also `.5` and `+5`. NaN and the infinities, which no total can hold, are
/// `Ok(None)`.
pub(crate) fn from_text(text: &str) -> Result<Option<Decimal>, Fault> {
    let text = text.trim();
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if ["nan", "infinity", "inf"]
        .iter()
        .any(|word| unsigned.eq_ignore_ascii_case(word))
    {
        return Ok(None);
    }
    from_number(text).map(Some)
}

/// A number as it stands in JSON or in a decimal text, digit by digit.
pub(crate) fn from_number(text: &str) -> Result<Decimal, Fault> {
    let (negative, unsigned) = match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    let (mantissa, exponent) = match unsigned.find(['e', 'E']) {
        Some(at) => (&unsigned[..at], exponent(&unsigned[at + 1..])?),
        None => (unsigned, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.is_empty() && fraction.is_empty() {
        return Err(Fault::WrongType);
    }
    // Zeros at the end of a long fraction say nothing and may be all that does not fit.
    let fraction = if fraction.len() > MAX_SCALE as usize {
        fraction.trim_end_matches('0')
    } else {
        fraction
    };
    let mut unscaled: i128 = 0;
    let mut overflow = false;
    for digit in whole.bytes().chain(fraction.bytes()) {
        if !digit.is_ascii_digit() {
            return Err(Fault::WrongType);
        }
        match unscaled
            .checked_mul(10)
            .and_then(|value| value.checked_add(i128::from(digit - b'0')))
        {
            Some(value) => unscaled = value,
            None => overflow = true,
        }
    }
    if overflow {
        return Err(Fault::OutOfRange);
    }
    let digits = i32::try_from(fraction.len()).map_err(|_| Fault::OutOfRange)?;
    scaled(
        if negative { -unscaled } else { unscaled },
        digits.saturating_sub(exponent),
    )
}

/// An exponent; beyond a million it is out of range whatever the mantissa is (but for zero, which nobody writes so).
fn exponent(text: &str) -> Result<i32, Fault> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return Err(Fault::WrongType);
    }
    match text.strip_prefix('+').unwrap_or(text).parse::<i32>() {
        Ok(exponent) if exponent.abs() <= 1_000_000 => Ok(exponent),
        _ => Err(Fault::OutOfRange),
    }
}

/// `unscaled` / 10^`scale`, exactly. The scale is kept as it is where it can be (`129.90` stays `129.90`).
pub(crate) fn scaled(mut unscaled: i128, mut scale: i32) -> Result<Decimal, Fault> {
    if unscaled == 0 {
        scale = scale.clamp(0, MAX_SCALE);
    }
    while scale < 0 {
        unscaled = unscaled.checked_mul(10).ok_or(Fault::OutOfRange)?;
        scale += 1;
    }
    while scale > MAX_SCALE {
        if unscaled % 10 != 0 {
            return Err(Fault::OutOfRange);
        }
        unscaled /= 10;
        scale -= 1;
    }
    Decimal::try_from_i128_with_scale(unscaled, scale as u32).map_err(|_| Fault::OutOfRange)
}

/// Base64 of a big-endian two's complement number, the form of Connect's `Decimal`.
pub(crate) fn from_base64(text: &str) -> Result<i128, Fault> {
    // 2 MB of base64 are no number; 64 characters hold 48 bytes, three times what fits.
    if text.len() > 64 {
        return Err(Fault::OutOfRange);
    }
    let mut buffer = [0u8; 48];
    let length = STANDARD
        .decode_slice(text, &mut buffer)
        .map_err(|_| Fault::WrongType)?;
    let bytes = &buffer[..length];
    let Some(first) = bytes.first() else {
        return Err(Fault::WrongType);
    };
    let sign = if first & 0x80 == 0 { 0u8 } else { 0xff };
    let (extension, last) = bytes.split_at(bytes.len().saturating_sub(16));
    let mut wide = [sign; 16];
    wide[16 - last.len()..].copy_from_slice(last);
    let value = i128::from_be_bytes(wide);
    let lossless = extension.iter().all(|byte| *byte == sign) && (value < 0) == (sign == 0xff);
    lossless.then_some(value).ok_or(Fault::OutOfRange)
}

/// Debezium's decimal of variable scale: `{"scale":4,"value":"MDk="}` (pitfall 11).
pub(crate) fn from_structure(raw: &str) -> Result<Decimal, Fault> {
    let object = Object::of_value(raw)?;
    let scale = object.get("scale").and_then(object::integer::<i32>);
    let value = object.get("value").and_then(object::string);
    let (Some(scale), Some(value)) = (scale, value) else {
        return Err(Fault::WrongType);
    };
    scaled(from_base64(&value)?, scale)
}

/// True when a text can only be a decimal: a base64 text has neither point nor minus sign, and a length of whole
/// groups of four.
pub(crate) fn is_plainly_text(text: &str) -> bool {
    text.contains(['.', '-']) || !text.len().is_multiple_of(4) || text.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text(number: &str) -> String {
        match from_text(number) {
            Ok(Some(value)) => value.to_string(),
            Ok(None) => "none".into(),
            Err(fault) => format!("{fault:?}"),
        }
    }

    #[test]
    fn texts_and_numbers_are_exact() {
        for (number, expected) in [
            ("129.90", "129.90"),
            ("-5.00", "-5.00"),
            ("0.30000000000000004", "0.30000000000000004"),
            ("1234.5", "1234.5"),
            ("1E+3", "1000"),
            ("1.5e3", "1500"),
            ("15e-1", "1.5"),
            ("-0", "0"),
            (".5", "0.5"),
            ("5.", "5"),
            ("0e-999999", "0.0000000000000000000000000000"),
            ("79228162514264337593543950335", "79228162514264337593543950335"),
            ("79228162514264337593543950336", "OutOfRange"),
            ("1e29", "OutOfRange"),
            ("1e-29", "OutOfRange"),
            ("1e99999999999", "OutOfRange"),
            ("1.0000000000000000000000000000000000000000", "1"),
            ("10e-29", "0.0000000000000000000000000001"),
            ("NaN", "none"),
            ("NAN", "none"),
            ("-Infinity", "none"),
            ("many", "WrongType"),
            ("", "WrongType"),
            ("-", "WrongType"),
            ("1.2.3", "WrongType"),
            ("1e", "WrongType"),
            ("1e+-3", "WrongType"),
            ("--1", "WrongType"),
            ("0x10", "WrongType"),
            ("1,5", "WrongType"),
        ] {
            assert_eq!(text(number), expected, "{number}");
        }
        assert_eq!(from_number(&"9".repeat(1_000_000)), Err(Fault::OutOfRange));
    }

    #[test]
    fn base64_is_signed_big_endian() {
        for (encoded, expected) in [
            ("Mr4=", Ok(12_990)),
            ("/gw=", Ok(-500)),
            ("AP8=", Ok(255)),
            ("AA==", Ok(0)),
            ("/w==", Ok(-1)),
            ("AeI6", Ok(123_450)),
            ("AeI", Err(Fault::WrongType)),
            ("Mr4", Err(Fault::WrongType)),
            ("", Err(Fault::WrongType)),
            ("!!!!", Err(Fault::WrongType)),
            ("f////////////////////w==", Ok(i128::MAX)),
            ("gAAAAAAAAAAAAAAAAAAAAA==", Ok(i128::MIN)),
            ("AP////////////////////8=", Err(Fault::OutOfRange)),
            ("AAAAAAAAAAAAAAAAAAAAAAAAAAAB", Ok(1)),
        ] {
            assert_eq!(from_base64(encoded), expected, "{encoded}");
        }
        assert_eq!(from_base64(&"A".repeat(100_000)), Err(Fault::OutOfRange));
    }

    proptest! {
        #[test]
        fn base64_round_trip(value in any::<i128>()) {
            let encoded = STANDARD.encode(value.to_be_bytes());
            prop_assert_eq!(from_base64(&encoded), Ok(value));
        }

        #[test]
        fn shortest_base64_round_trip(value in any::<i64>()) {
            let bytes = value.to_be_bytes();
            let sign = if value < 0 { 0xff } else { 0 };
            let skip = (0..7).take_while(|at| bytes[*at] == sign && (bytes[at + 1] & 0x80 == 0) == (value >= 0)).count();
            let encoded = STANDARD.encode(&bytes[skip..]);
            prop_assert_eq!(from_base64(&encoded), Ok(i128::from(value)));
        }

        #[test]
        fn text_round_trip(unscaled in -(1i128 << 96) + 1..(1i128 << 96), scale in 0u32..=28) {
            let decimal = Decimal::from_i128_with_scale(unscaled, scale);
            prop_assert_eq!(from_text(&decimal.to_string()), Ok(Some(decimal)));
            prop_assert_eq!(scaled(unscaled, scale as i32), Ok(decimal));
        }

        #[test]
        fn no_text_panics(text in "[-+.eE0-9]{0,40}") {
            let _ = from_text(&text);
            let _ = from_base64(&text);
        }
    }
}
