//! Row images as JSON that `jsonb` takes.

use instashop_core::change::Row;
use instashop_core::table::Table;

/// The image as a JSON object ([`Row::to_json`]), without NUL characters, which `jsonb` refuses.
pub(in crate::warehouse) fn json(table: Table, row: &Row) -> String {
    let text = row.to_json(table);
    if text.contains("\\u0000") {
        without_nul(&text)
    } else {
        text
    }
}

/// Takes the escapes of NUL out of a JSON text, and leaves an escaped backslash before `u0000` alone.
fn without_nul(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        kept.push_str(before);
        rest = if let Some(after) = escape.strip_prefix("\\u0000") {
            after
        } else {
            let end = escape
                .char_indices()
                .nth(2)
                .map_or(escape.len(), |(index, _)| index);
            kept.push_str(&escape[..end]);
            &escape[end..]
        };
    }
    kept + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nul_escapes_go_and_everything_else_stays() {
        let cases = [
            (r#"{"a":"x\u0000y"}"#, r#"{"a":"xy"}"#),
            (r#"{"a":"\\u0000"}"#, r#"{"a":"\\u0000"}"#),
            (r#"{"a":"\\\u0000\"é\u0000"}"#, r#"{"a":"\\\"é"}"#),
            ("\\", "\\"),
        ];
        for (text, expected) in cases {
            assert_eq!(without_nul(text), expected);
        }
    }
}
