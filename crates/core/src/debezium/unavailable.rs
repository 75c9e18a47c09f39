//! The placeholder for a large value that did not change and did not come (pitfall 6).

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};

use super::object::{self, Object};

/// The placeholder in all its forms, as they stand in JSON.
#[derive(Debug, Clone)]
pub(crate) struct Unavailable {
    /// The text itself, in base64 with and without padding, in hex: each in quotes.
    quoted: [String; 4],
    /// The bytes as numbers: the form inside an array of integers.
    bytes: Vec<String>,
}

impl Unavailable {
    /// The placeholder `unavailable.value.placeholder` of the connectors.
    pub(crate) fn new(text: &str) -> Self {
        let hex: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
        let quoted = [
            text.to_owned(),
            STANDARD.encode(text),
            STANDARD_NO_PAD.encode(text),
            hex,
        ]
        .map(|form| serde_json::Value::from(form).to_string());
        Self {
            quoted,
            bytes: text.bytes().map(|byte| byte.to_string()).collect(),
        }
    }

    /// True when a value stands for one that did not come: the placeholder itself, an array that holds it or is made
    /// of its bytes, an object that has it for a name.
    pub(crate) fn is(&self, raw: &str) -> bool {
        match raw.as_bytes().first() {
            Some(b'"') => self.quoted.iter().any(|form| form == raw),
            Some(b'[') => self.is_array(raw),
            Some(b'{') => Object::of_value(raw).is_ok_and(|object| {
                object
                    .members()
                    .iter()
                    .any(|(name, _)| self.quoted[0].get(1..self.quoted[0].len() - 1) == Some(&**name))
            }),
            _ => false,
        }
    }

    fn is_array(&self, raw: &str) -> bool {
        let Some(elements) = object::elements(raw) else {
            return false;
        };
        elements
            .iter()
            .any(|element| element.starts_with('"') && self.quoted.iter().any(|form| form == element))
            || elements == self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_recognised_and_nothing_else() {
        let placeholder = Unavailable::new("__debezium_unavailable_value");
        let bytes: Vec<String> = "__debezium_unavailable_value"
            .bytes()
            .map(|b| b.to_string())
            .collect();
        for raw in [
            "\"__debezium_unavailable_value\"",
            "\"X19kZWJleml1bV91bmF2YWlsYWJsZV92YWx1ZQ==\"",
            "\"X19kZWJleml1bV91bmF2YWlsYWJsZV92YWx1ZQ\"",
            "\"5f5f646562657a69756d5f756e617661696c61626c655f76616c7565\"",
            "[\"__debezium_unavailable_value\"]",
            "[ \"a\", \"__debezium_unavailable_value\" ]",
            &format!("[{}]", bytes.join(",")),
            "{\"__debezium_unavailable_value\":\"__debezium_unavailable_value\"}",
        ] {
            assert!(placeholder.is(raw), "{raw}");
        }
        for raw in [
            "null",
            "\"\"",
            "\"__debezium\"",
            "[]",
            "{}",
            "[95,95]",
            "1",
            "\"x __debezium_unavailable_value\"",
        ] {
            assert!(!placeholder.is(raw), "{raw}");
        }
        assert!(Unavailable::new("gone").is("\"gone\""));
    }
}
