//! Dead letters as a table, as one page, and as JSON.

use chrono::{DateTime, SecondsFormat, Utc};
use color_eyre::eyre::Result;
use instashop_store::warehouse::DeadLetter;
use serde_json::{Value, json};

use crate::cli::output::clean;

/// Most characters of a detail in the table.
const DETAIL: usize = 80;

/// Most characters of a value on the page; `--raw` and `--format json` give all.
const VALUE: usize = 4000;

fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// Letters one per line; `all` is how many there are.
pub(super) fn table(letters: &[DeadLetter], all: i64) -> String {
    if letters.is_empty() {
        return "no dead letters\n".into();
    }
    let mut rows = vec![["id", "kept", "where", "reason", "detail"].map(str::to_owned)];
    rows.extend(letters.iter().map(|letter| {
        [
            letter.id.to_string(),
            time(letter.seen_at),
            clean(&format!(
                "{}/{}@{}",
                letter.partition.topic, letter.partition.number, letter.offset
            )),
            clean(&letter.reason),
            clean(&letter.detail).chars().take(DETAIL).collect(),
        ]
    }));
    let width = |column: usize| {
        rows.iter()
            .map(|row| row[column].chars().count())
            .max()
            .unwrap_or(0)
    };
    let widths: [usize; 5] = std::array::from_fn(width);
    let mut text: String = rows
        .iter()
        .map(|row| {
            let cells: Vec<String> = row
                .iter()
                .zip(widths)
                .map(|(cell, width)| format!("{cell:<width$}"))
                .collect();
            cells.join("  ").trim_end().to_owned() + "\n"
        })
        .collect();
    if all > letters.len() as i64 {
        text += "\n";
        text += &[
            "the newest ",
            &letters.len().to_string(),
            " of ",
            &all.to_string(),
            "; --limit shows more\n",
        ]
        .concat();
    }
    text
}

/// One letter, everything that is known of it.
pub(super) fn one(letter: &DeadLetter) -> String {
    let place = format!(
        "{}/{}, offset {}",
        letter.partition.topic, letter.partition.number, letter.offset
    );
    let mut state = letter.state.name().to_owned();
    if let (Some(at), Some(by)) = (letter.state_at, &letter.state_by) {
        state = format!("{state} at {} by {by}", time(at));
    }
    let value = letter.value.as_deref().unwrap_or_default();
    let mut lines = vec![
        ("letter", letter.id.to_string()),
        ("where", place),
        (
            "in Kafka at",
            letter.kafka_at.map_or_else(|| "unknown".into(), time),
        ),
        ("kept at", time(letter.seen_at)),
        ("reason", letter.reason.clone()),
        ("detail", letter.detail.clone()),
        ("state", state),
        ("key", letter.key.as_deref().map_or_else(|| "none".into(), text)),
        ("value", format!("{} bytes", value.len())),
    ];
    let shown: String = text(value).chars().take(VALUE).collect();
    lines.push(("", shown));
    lines
        .iter()
        .map(|(name, value)| format!("{name:<12}{}\n", clean(value)))
        .collect()
}

/// Bytes as text, or as hexadecimal digits when they are none.
fn text(bytes: &[u8]) -> String {
    std::str::from_utf8(bytes).map_or_else(|_| format!("0x{}", hex(bytes)), str::to_owned)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Letters as a JSON array.
pub(super) fn json(letters: &[DeadLetter]) -> Result<String> {
    Ok(serde_json::to_string_pretty(
        &letters.iter().map(object).collect::<Vec<_>>(),
    )?)
}

/// One letter as a JSON object, with its bytes.
pub(super) fn one_json(letter: &DeadLetter) -> Result<String> {
    let mut object = object(letter);
    if let Some(value) = &letter.value {
        object["value"] = bytes_json(value);
    }
    Ok(serde_json::to_string_pretty(&object)?)
}

/// Text where the bytes are text, else `{"hex": ...}`, so that nothing is lost.
fn bytes_json(bytes: &[u8]) -> Value {
    std::str::from_utf8(bytes).map_or_else(|_| json!({"hex": hex(bytes)}), |text| json!(text))
}

fn object(letter: &DeadLetter) -> Value {
    json!({
        "id": letter.id,
        "topic": letter.partition.topic,
        "partition": letter.partition.number,
        "offset": letter.offset,
        "kafka_at": letter.kafka_at,
        "seen_at": letter.seen_at,
        "reason": letter.reason,
        "detail": letter.detail,
        "key": letter.key.as_deref().map(bytes_json),
        "size": letter.size,
        "state": letter.state.name(),
        "state_at": letter.state_at,
        "state_by": letter.state_by,
    })
}

#[cfg(test)]
mod tests {
    use instashop_core::checkpoint::Partition;
    use instashop_store::warehouse::LetterState;

    use super::*;

    fn letter() -> DeadLetter {
        DeadLetter {
            id: 42,
            partition: Partition {
                topic: "transaction".into(),
                number: 3,
            },
            offset: 1207,
            kafka_at: DateTime::from_timestamp(1_790_000_000, 0),
            seen_at: DateTime::from_timestamp(1_790_000_001, 0).unwrap(),
            reason: "bad_json".into(),
            detail: "expected value at line 1\u{1b}]52;c;AAAA\u{7}".into(),
            key: Some(b"{\"transaction_id\":1}".to_vec()),
            value: Some(vec![0xff, 0xfe, 0x00]),
            size: Some(3),
            state: LetterState::Discarded,
            state_at: DateTime::from_timestamp(1_790_000_100, 0),
            state_by: Some("ana@shop".into()),
        }
    }

    #[test]
    fn letters_are_readable_and_cannot_steer_the_terminal() {
        for text in [table(&[letter()], 7), one(&letter())] {
            assert!(!text.contains('\u{1b}') && !text.contains('\u{7}'), "{text:?}");
        }
        insta::assert_snapshot!("table", table(&[letter()], 7));
        insta::assert_snapshot!("one", one(&letter()));
        assert_eq!(table(&[], 0), "no dead letters\n");
    }

    #[test]
    fn json_keeps_every_byte() {
        let one: Value = serde_json::from_str(&one_json(&letter()).unwrap()).unwrap();
        assert_eq!(one["value"]["hex"], "fffe00");
        assert_eq!(one["key"], "{\"transaction_id\":1}");
        let list: Value = serde_json::from_str(&json(&[letter()]).unwrap()).unwrap();
        assert_eq!(list[0]["reason"], "bad_json");
        assert_eq!(list[0]["value"], Value::Null);
    }
}
