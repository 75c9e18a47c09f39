//! JSON documents inside columns, made fit for PostgreSQL's `jsonb` (pitfall 16).

use std::borrow::Cow;

use serde::de::IgnoredAny;

use super::error::Fault;

/// Deepest nesting of a document or of an extra column: below the limit of the parsers that read it later.
pub(crate) const MAX_DEPTH: usize = 100;

/// Longest number, in characters, and largest exponent that `jsonb` surely takes.
const MAX_NUMBER: usize = 10_000;

/// A document with what `jsonb` refuses taken out: `\u0000` is removed, half a surrogate pair becomes U+FFFD.
/// The flag says that something was removed. `Ok(None)` when the text is not JSON.
pub(crate) fn clean(text: &str) -> Result<Option<(Cow<'_, str>, bool)>, Fault> {
    if serde_json::from_str::<IgnoredAny>(text).is_err() {
        return Ok(None);
    }
    let bytes = text.as_bytes();
    let mut out = String::new();
    let mut copied = 0;
    let mut depth = 0usize;
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'{' | b'[' => {
                depth += 1;
                if depth > MAX_DEPTH {
                    return Err(Fault::TooDeep);
                }
                at += 1;
            }
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                at += 1;
            }
            b'"' => {
                at += 1;
                while at < bytes.len() && bytes[at] != b'"' {
                    if bytes[at] != b'\\' {
                        at += 1;
                        continue;
                    }
                    let (length, replacement) = escape(&text[at..]);
                    if let Some(replacement) = replacement {
                        out.push_str(&text[copied..at]);
                        out.push_str(replacement);
                        copied = at + length;
                    }
                    at += length;
                }
                at += 1;
            }
            b'-' | b'0'..=b'9' => {
                let end = text[at..]
                    .find(|letter: char| !matches!(letter, '-' | '+' | '.' | 'e' | 'E' | '0'..='9'))
                    .map_or(text.len(), |length| at + length);
                number(&text[at..end])?;
                at = end;
            }
            _ => at += 1,
        }
    }
    if copied == 0 {
        return Ok(Some((Cow::Borrowed(text), false)));
    }
    out.push_str(&text[copied..]);
    Ok(Some((Cow::Owned(out), true)))
}

/// Length of the escape at the start of a text, and what takes its place if it cannot stay.
fn escape(text: &str) -> (usize, Option<&'static str>) {
    match unit(text) {
        None => (2, None),
        Some(0) => (6, Some("")),
        Some(0xd800..=0xdbff) => match text.get(6..).and_then(unit) {
            Some(0xdc00..=0xdfff) => (12, None),
            _ => (6, Some("\\ufffd")),
        },
        Some(0xdc00..=0xdfff) => (6, Some("\\ufffd")),
        Some(_) => (6, None),
    }
}

/// The code unit of a `\uXXXX` at the start of a text.
fn unit(text: &str) -> Option<u16> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    u16::from_str_radix(digits, 16).ok()
}

fn number(text: &str) -> Result<(), Fault> {
    let exponent = text
        .find(['e', 'E'])
        .map_or(Some(0), |at| text[at + 1..].parse::<i64>().ok());
    match exponent {
        Some(exponent) if exponent.unsigned_abs() <= MAX_NUMBER as u64 && text.len() <= MAX_NUMBER => Ok(()),
        _ => Err(Fault::OutOfRange),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_cleaned_and_otherwise_untouched() {
        for (text, expected, changed) in [
            (r#"{"a": 1.50}"#, r#"{"a": 1.50}"#, false),
            (r#"{"x":"\u0000"}"#, r#"{"x":""}"#, true),
            (r#"{"x\u0000y":"a\u0000\u0000b"}"#, r#"{"xy":"ab"}"#, true),
            (r#"{"x":"\\u0000"}"#, r#"{"x":"\\u0000"}"#, false),
            (r#"{"x":"\\\u0000"}"#, r#"{"x":"\\"}"#, true),
            (r#"["\ud83d\ude00"]"#, r#"["\ud83d\ude00"]"#, false),
            (r#"["\ud83d","\ude00x"]"#, r#"["\ufffd","\ufffdx"]"#, true),
            (r#""Ñ \" { [ 5""#, r#""Ñ \" { [ 5""#, false),
            ("null", "null", false),
            ("-1.5e+3", "-1.5e+3", false),
        ] {
            let (clean, flag) = clean(text).unwrap().unwrap();
            assert_eq!((&*clean, flag), (expected, changed), "{text}");
            assert!(serde_json::from_str::<serde_json::Value>(&clean).is_ok());
        }
    }

    #[test]
    fn what_jsonb_can_never_take_is_a_fault() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(clean(&nested(MAX_DEPTH)).unwrap().is_some());
        assert_eq!(clean(&nested(MAX_DEPTH + 1)), Err(Fault::TooDeep));
        assert_eq!(clean(&nested(500_000)), Err(Fault::TooDeep));
        assert_eq!(clean("[1e999999]"), Err(Fault::OutOfRange));
        assert_eq!(clean("[1e99999999999999999999]"), Err(Fault::OutOfRange));
        assert_eq!(clean(&"9".repeat(20_000)), Err(Fault::OutOfRange));
        for text in ["", "foo", "{", "{\"a\":1}x"] {
            assert_eq!(clean(text), Ok(None), "{text}");
        }
    }
}
