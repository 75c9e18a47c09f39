//! Behaviour events.

use serde::{Deserialize, Serialize};

use super::{as_array, folded};
use crate::change::{Row, Value};
use crate::table::Table;

/// A behaviour event: a `userbehavior` row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "BehaviourBody", into = "BehaviourBody")]
pub struct Behaviour {
    /// Business time in microseconds since the epoch, UTC.
    pub at: Option<i64>,
    /// Event type; `unknown` for NULL.
    pub kind: String,
    /// Session id of the source.
    pub session: Option<String>,
    /// `metadata.buyer_id` as text (D5).
    pub buyer: Option<String>,
    /// Store column.
    pub store: Option<i64>,
    /// Product column.
    pub product: Option<i64>,
    /// Folded `metadata.search_term`.
    pub term: Option<String>,
    /// True when `metadata.results_count` is 0.
    pub in_vain: bool,
}

type BehaviourBody = (
    Option<i64>,
    String,
    Option<String>,
    Option<String>,
    Option<i64>,
    Option<i64>,
    Option<String>,
    bool,
);
as_array!(Behaviour as BehaviourBody { at, kind, session, buyer, store, product, term, in_vain });

impl Behaviour {
    /// Reads a `userbehavior` row; metadata that did not come (pitfall 6) is taken from the stored row.
    pub fn of(row: &Row, stored: Option<&Self>) -> Self {
        let table = Table::UserBehavior;
        let metadata = match row.get(table, "metadata") {
            Value::Missing => Metadata {
                buyer: stored.and_then(|stored| stored.buyer.clone()),
                term: stored.and_then(|stored| stored.term.clone()),
                in_vain: stored.is_some_and(|stored| stored.in_vain),
            },
            _ => row.text(table, "metadata").map(Metadata::of).unwrap_or_default(),
        };
        Self {
            at: row.micros(table, "timestamp"),
            kind: row.text(table, "event_type").unwrap_or("unknown").to_owned(),
            session: row.text(table, "session_id").map(str::to_owned),
            buyer: metadata.buyer,
            store: row.int(table, "customer_id"),
            product: row.int(table, "product_id"),
            term: metadata.term,
            in_vain: metadata.in_vain,
        }
    }

    /// Who acted: the buyer of the metadata, else the store column (D5), as `marts.visit_event_facts` names them.
    pub fn actor(&self) -> Option<String> {
        match (&self.buyer, self.store) {
            (Some(buyer), _) => Some(format!("b{buyer}")),
            (None, Some(store)) => Some(format!("c{store}")),
            (None, None) => None,
        }
    }
}

/// What the event contract puts into `metadata` (D5), as far as totals need it.
#[derive(Debug, Default, PartialEq, Eq)]
struct Metadata {
    buyer: Option<String>,
    term: Option<String>,
    in_vain: bool,
}

impl Metadata {
    fn of(metadata: &str) -> Self {
        let Ok(value) = serde_json::from_str::<serde_json::Value>(metadata) else {
            return Self::default();
        };
        let text = |field| value.get(field).and_then(text);
        Self {
            buyer: text("buyer_id"),
            term: text("search_term").map(|term| folded(&term)),
            in_vain: text("results_count").as_deref() == Some("0"),
        }
    }
}

/// `metadata->>'field'` as PostgreSQL gives it: text without quotes, NULL for JSON null.
fn text(value: &serde_json::Value) -> Option<String> {
    match value {
        serde_json::Value::Null => None,
        serde_json::Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_is_read_like_postgresql_reads_it() {
        let cases = [
            (r#"{"buyer_id": 12}"#, (Some("12"), None, false)),
            (r#"{"buyer_id": "12"}"#, (Some("12"), None, false)),
            (r#"{"buyer_id": null}"#, (None, None, false)),
            (
                r#"{"search_term": " Mug ", "results_count": 0}"#,
                (None, Some("mug"), true),
            ),
            (
                r#"{"search_term": "a", "results_count": "0"}"#,
                (None, Some("a"), true),
            ),
            (
                r#"{"search_term": 7, "results_count": 3}"#,
                (None, Some("7"), false),
            ),
            (r#"{"other": 1}"#, (None, None, false)),
            ("[1]", (None, None, false)),
            ("no json", (None, None, false)),
        ];
        for (metadata, expected) in cases {
            let found = Metadata::of(metadata);
            assert_eq!(
                (found.buyer.as_deref(), found.term.as_deref(), found.in_vain),
                expected,
                "{metadata}"
            );
        }
    }
}
