//! Where a change comes from: the `source` block of an envelope, or the metadata columns of a flattened row.

use std::borrow::Cow;

use chrono::{DateTime, Utc};

use super::RawRecord;
use super::error::DecodeError;
use super::header;
use super::object::{self, Object};

/// Origin of a change as the record tells it. Everything may be absent.
#[derive(Debug, Default)]
pub(crate) struct Source<'a> {
    /// Database name.
    pub(crate) db: Option<Cow<'a, str>>,
    /// Table name.
    pub(crate) table: Option<Cow<'a, str>>,
    /// LSN of the change, from `lsn`, else from the second part of `sequence`.
    pub(crate) lsn: Option<u64>,
    /// Transaction at the source.
    pub(crate) tx_id: Option<u64>,
    /// A row of a snapshot of any kind.
    pub(crate) snapshot: bool,
    /// Commit time at the source.
    pub(crate) committed_at: Option<DateTime<Utc>>,
}

impl<'a> Source<'a> {
    /// Reads the `source` block.
    pub(crate) fn of_block(block: &Object<'a>) -> Result<Self, DecodeError> {
        Self::read(|name| block.filled(name).map(Cow::Borrowed))
    }

    /// Reads the metadata columns (`__lsn`, `__source_lsn`) or headers of a flattened row.
    pub(crate) fn of_flattened(row: &Object<'a>, raw: &RawRecord<'a>) -> Result<Source<'a>, DecodeError> {
        Self::read(|name| {
            // `__ts_ms` is the connector's clock, `__source_ts_ms` the commit.
            let names = [format!("__source_{name}"), format!("__{name}")];
            let usable = if name.starts_with("ts_") { 1 } else { 2 };
            names[..usable].iter().find_map(|name| metadata(row, raw, name))
        })
    }

    fn read(get: impl Fn(&str) -> Option<Cow<'a, str>>) -> Result<Self, DecodeError> {
        let text = |field: &'static str| match get(field) {
            Some(value) => text_of(value).map(Some).ok_or(DecodeError::BadSource { field }),
            None => Ok(None),
        };
        let number = |field: &'static str| match get(field) {
            Some(value) => object::integer::<u64>(&value)
                .map(Some)
                .ok_or(DecodeError::BadSource { field }),
            None => Ok(None),
        };
        let lsn = match number("lsn")? {
            Some(lsn) => Some(lsn),
            None => text("sequence")?.and_then(|sequence| last_of(&sequence)),
        };
        let snapshot = match get("snapshot").as_deref() {
            None | Some("false") => false,
            Some("true") => true,
            Some(value) => {
                object::string(value).ok_or(DecodeError::BadSource { field: "snapshot" })? != "false"
            }
        };
        let mut committed_at = None;
        for (field, per_second) in [("ts_us", 1_000_000), ("ts_ms", 1000), ("ts_ns", 1_000_000_000)] {
            if let Some(value) = get(field) {
                committed_at = Some(clock(&value, per_second).ok_or(DecodeError::BadSource { field })?);
                break;
            }
        }
        Ok(Self {
            db: text("db")?,
            table: text("table")?,
            lsn,
            tx_id: number("txId")?,
            snapshot,
            committed_at,
        })
    }
}

/// A metadata column of a flattened row, or the header of that name, as JSON text.
pub(crate) fn metadata<'a>(row: &Object<'a>, raw: &RawRecord<'a>, name: &str) -> Option<Cow<'a, str>> {
    if let Some(value) = row.filled(name) {
        return Some(Cow::Borrowed(value));
    }
    let (_, value) = raw.headers.iter().rev().find(|(header, _)| *header == name)?;
    header::text(*value).map(|text| Cow::Owned(serde_json::Value::from(&*text).to_string()))
}

/// The text of a JSON string.
pub(crate) fn text_of(raw: Cow<'_, str>) -> Option<Cow<'_, str>> {
    match raw {
        Cow::Borrowed(raw) => object::string(raw),
        Cow::Owned(raw) => object::string(&raw).map(|text| Cow::Owned(text.into_owned())),
    }
}

/// A clock of the envelope as a time; units per second say what it counts.
pub(crate) fn clock(raw: &str, per_second: i64) -> Option<DateTime<Utc>> {
    let value: i64 = object::integer(raw)?;
    let fraction = value.rem_euclid(per_second) * (1_000_000_000 / per_second);
    DateTime::from_timestamp(value.div_euclid(per_second), u32::try_from(fraction).ok()?)
}

/// The LSN of this event in `sequence`: `["<last commit>","<this event>"]`, either of which may be null (pitfall 19).
fn last_of(sequence: &str) -> Option<u64> {
    match object::elements(sequence)?.as_slice() {
        [_, own] => object::integer(own),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(block: &str) -> Result<Source<'_>, DecodeError> {
        Source::of_block(&Object::parse(block, "source").unwrap())
    }

    #[test]
    fn lsn_comes_from_its_field_or_from_the_sequence() {
        for (block, expected) in [
            (
                r#"{"lsn":9007199254740993,"sequence":"[null,\"5\"]"}"#,
                Some(9_007_199_254_740_993),
            ),
            (r#"{"lsn":18446744073709551615}"#, Some(u64::MAX)),
            (
                r#"{"lsn":null,"sequence":"[null,\"23493504\"]"}"#,
                Some(23_493_504),
            ),
            (r#"{"sequence":"[\"1\",\"2\"]"}"#, Some(2)),
            (r#"{"sequence":"[\"1\",null]"}"#, None),
            (r#"{"sequence":"[]"}"#, None),
            (r#"{"sequence":"x"}"#, None),
            ("{}", None),
        ] {
            assert_eq!(read(block).unwrap().lsn, expected, "{block}");
        }
    }

    #[test]
    fn snapshot_flags_of_all_versions() {
        for (value, expected) in [
            ("\"true\"", true),
            ("\"first\"", true),
            ("\"first_in_data_collection\"", true),
            ("\"last_in_data_collection\"", true),
            ("\"last\"", true),
            ("\"incremental\"", true),
            ("\"false\"", false),
            ("null", false),
            ("true", true),
            ("false", false),
        ] {
            let block = format!("{{\"snapshot\":{value}}}");
            assert_eq!(read(&block).unwrap().snapshot, expected, "{value}");
        }
        assert!(!read("{}").unwrap().snapshot);
    }

    #[test]
    fn the_finest_clock_within_reach_is_taken() {
        let at = |block: &str| read(block).unwrap().committed_at.map(|at| at.timestamp_micros());
        assert_eq!(at(r#"{"ts_ms":1758377767123}"#), Some(1_758_377_767_123_000));
        assert_eq!(
            at(r#"{"ts_ms":1758377767123,"ts_us":1758377767123456}"#),
            Some(1_758_377_767_123_456)
        );
        assert_eq!(
            at(r#"{"ts_ns":1758377767123456789}"#),
            Some(1_758_377_767_123_456)
        );
        assert_eq!(at(r#"{"ts_ms":-1}"#), Some(-1000));
        assert_eq!(at("{}"), None);
    }

    #[test]
    fn nonsense_in_the_block_is_refused() {
        for block in [
            r#"{"lsn":-1}"#,
            r#"{"lsn":1.5}"#,
            r#"{"lsn":{}}"#,
            r#"{"db":5}"#,
            r#"{"table":["x"]}"#,
            r#"{"snapshot":7}"#,
            r#"{"ts_ms":9223372036854775807}"#,
            r#"{"ts_ms":"soon"}"#,
            r#"{"txId":"x"}"#,
        ] {
            assert_eq!(read(block).unwrap_err().reason(), "bad_source", "{block}");
        }
    }
}
