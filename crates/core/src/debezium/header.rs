//! Kafka headers that say something about a record.

use std::borrow::Cow;

use super::RawRecord;
use super::error::DecodeError;
use super::object::{self, Object};

/// Header with the source generation, stamped by the connector (docs: cdc section 2). A number as text; none means 0.
pub const GENERATION_HEADER: &str = "instashop.generation";

/// Header of a record written by the sweep or by the dead-letter replay (docs: reliability 5.8). Any value but `false`.
pub const REPAIR_HEADER: &str = "instashop.repair";

/// What the headers of a record say.
#[derive(Debug, Default)]
pub(crate) struct Headers {
    /// Source generation.
    pub(crate) generation: u32,
    /// Written by a repair.
    pub(crate) repair: bool,
}

impl Headers {
    /// Reads our headers; of two with one name the last counts, as everywhere in Kafka.
    pub(crate) fn read(raw: &RawRecord<'_>) -> Result<Self, DecodeError> {
        let mut headers = Self::default();
        for (name, value) in &raw.headers {
            match *name {
                GENERATION_HEADER => {
                    let bad = DecodeError::BadHeader {
                        name: GENERATION_HEADER,
                    };
                    let text = text(*value).ok_or_else(|| bad.clone())?;
                    headers.generation = text.trim().parse().map_err(|_| bad)?;
                }
                REPAIR_HEADER => headers.repair = text(*value).is_none_or(|text| text != "false"),
                _ => {}
            }
        }
        Ok(headers)
    }
}

/// A header's value as text: as it stands, or taken out of the JSON that a header converter may put around it.
pub(crate) fn text(value: Option<&[u8]>) -> Option<Cow<'_, str>> {
    let text = std::str::from_utf8(value?).ok()?.trim();
    if text.starts_with('"') {
        return object::string(text);
    }
    if text.starts_with('{') {
        let payload = Object::of_value(text).ok()?.get("payload")?;
        return object::string(payload).or(Some(Cow::Borrowed(payload)));
    }
    Some(Cow::Borrowed(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(headers: Vec<(&'static str, Option<&'static [u8]>)>) -> Result<Headers, DecodeError> {
        Headers::read(&RawRecord {
            topic: "t",
            headers,
            ..RawRecord::default()
        })
    }

    #[test]
    fn generation_and_repair() {
        let none = read(vec![("other", Some(b"\xff"))]).unwrap();
        assert_eq!((none.generation, none.repair), (0, false));
        for value in [
            &b"3"[..],
            b" 3 ",
            b"\"3\"",
            br#"{"schema":{"type":"int8"},"payload":3}"#,
        ] {
            assert_eq!(
                read(vec![(GENERATION_HEADER, Some(value))]).unwrap().generation,
                3
            );
        }
        let twice = vec![
            (GENERATION_HEADER, Some(&b"3"[..])),
            (GENERATION_HEADER, Some(&b"4"[..])),
        ];
        assert_eq!(read(twice).unwrap().generation, 4);
        for value in [
            None,
            Some(&b""[..]),
            Some(b"-1"),
            Some(b"x"),
            Some(b"4294967296"),
            Some(b"\xff"),
        ] {
            let error = read(vec![(GENERATION_HEADER, value)]).unwrap_err();
            assert_eq!(error.reason(), "bad_header");
        }
        assert!(read(vec![(REPAIR_HEADER, Some(b"true"))]).unwrap().repair);
        assert!(read(vec![(REPAIR_HEADER, None)]).unwrap().repair);
        assert!(!read(vec![(REPAIR_HEADER, Some(b"false"))]).unwrap().repair);
    }
}
