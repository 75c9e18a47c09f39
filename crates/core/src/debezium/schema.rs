//! Connect schemas in front of a value: what they say about the columns, and a memory for their bytes.
//!
//! A converter with schemas sends `{"schema":…,"payload":…}`, and the first part is three kilobytes that are the same
//! for every record of a table. The bytes up to the payload are remembered with what they mean, so that a record that
//! starts with the same bytes needs no more than a comparison.

use std::collections::HashMap;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::error::DecodeError;
use super::object::Object;
use super::time::TimeUnit;

/// What a schema says about the form of a column's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// Connect's `Decimal`: base64 with this scale.
    Decimal(i32),
    /// Debezium's `VariableScaleDecimal`: an object with scale and base64.
    VariableDecimal,
    /// A moment as an integer of this unit.
    Moment(TimeUnit),
    /// A plain text.
    Text,
    /// A binary float: cents may be lost already.
    Float,
    /// Anything else: the value itself says what it is.
    Other,
}

/// A column according to the schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Field {
    name: String,
    /// The form of its values.
    pub(crate) form: Form,
    /// It may be null and has a default: a NULL at the source may arrive as the default (pitfall 15).
    pub(crate) default_hides_null: bool,
}

/// The columns of a row according to the schema.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct RowSchema {
    fields: Vec<Field>,
}

impl RowSchema {
    /// Reads the schema of an envelope (its `after`, or `before`) or of a flattened row.
    pub(crate) fn parse(text: &str) -> Result<Self, DecodeError> {
        let root: Node = serde_json::from_str(text).map_err(|_| DecodeError::BadSchema)?;
        let members = root.fields.unwrap_or_default();
        let is = |node: &Node, name: &str| node.field.as_deref() == Some(name);
        let is_envelope = members.iter().any(|node| is(node, "op"))
            && members
                .iter()
                .any(|node| is(node, "source") && node.kind.as_deref() == Some("struct"));
        let columns = if is_envelope {
            members
                .into_iter()
                .filter(|node| is(node, "after") || is(node, "before"))
                .max_by_key(|node| is(node, "after"))
                .and_then(|node| node.fields)
                .unwrap_or_default()
        } else {
            members
        };
        let fields = columns
            .into_iter()
            .map(|node| {
                Ok(Field {
                    form: node.form()?,
                    default_hides_null: node.optional.unwrap_or(false) && node.default.is_some(),
                    name: node.field.unwrap_or_default(),
                })
            })
            .collect::<Result<_, _>>()?;
        Ok(Self { fields })
    }

    /// A column by name; `hint` is where it stands in the row, which is where it stands here too.
    pub(crate) fn field(&self, name: &str, hint: usize) -> Option<&Field> {
        match self.fields.get(hint) {
            Some(field) if field.name == name => Some(field),
            _ => self.fields.iter().find(|field| field.name == name),
        }
    }

    /// Columns by name, for learning.
    pub(crate) fn fields(&self) -> impl Iterator<Item = (&str, &Field)> {
        self.fields.iter().map(|field| (field.name.as_str(), field))
    }
}

#[derive(Deserialize)]
struct Node {
    #[serde(rename = "type")]
    kind: Option<String>,
    name: Option<String>,
    field: Option<String>,
    fields: Option<Vec<Node>>,
    parameters: Option<HashMap<String, String>>,
    optional: Option<bool>,
    default: Option<IgnoredAny>,
}

impl Node {
    fn form(&self) -> Result<Form, DecodeError> {
        let kind = self.kind.as_deref().unwrap_or_default();
        Ok(match self.name.as_deref().unwrap_or_default() {
            "org.apache.kafka.connect.data.Decimal" => {
                let scale = self.parameters.as_ref().and_then(|all| all.get("scale"));
                let scale = scale.and_then(|scale| scale.parse().ok());
                Form::Decimal(scale.ok_or(DecodeError::BadSchema)?)
            }
            "io.debezium.data.VariableScaleDecimal" => Form::VariableDecimal,
            "io.debezium.time.Timestamp" | "org.apache.kafka.connect.data.Timestamp" => {
                Form::Moment(TimeUnit::Millis)
            }
            "io.debezium.time.MicroTimestamp" => Form::Moment(TimeUnit::Micros),
            "io.debezium.time.NanoTimestamp" => Form::Moment(TimeUnit::Nanos),
            "io.debezium.time.Date" | "org.apache.kafka.connect.data.Date" => Form::Moment(TimeUnit::Days),
            _ if kind == "string" => Form::Text,
            _ if matches!(kind, "double" | "float" | "float32" | "float64") => Form::Float,
            _ => Form::Other,
        })
    }
}

/// Schemas met so far.
#[derive(Debug, Default)]
pub(crate) struct Schemas {
    slots: Vec<Slot>,
}

#[derive(Debug)]
struct Slot {
    topic: String,
    /// Everything up to the payload.
    prefix: String,
    row: RowSchema,
    /// True until its columns were looked through once.
    fresh: bool,
}

/// Schemas kept for a topic: the one of now, those of a few changed tables before it that a rebuild reads again.
const PER_TOPIC: usize = 4;

/// Longest schema that is kept, in bytes. One of a wide table has some twenty thousand.
const MAX_PREFIX: usize = 256 * 1024;

/// A value without its wrapper.
#[derive(Debug)]
pub(crate) enum Payload<'a> {
    /// No value (`null`, with or without a schema around it).
    Null,
    /// An object, and where its schema is kept.
    Object(Object<'a>, Option<usize>),
}

impl Schemas {
    /// Takes the wrapper off a value, if it has one.
    pub(crate) fn unwrap<'a>(&mut self, topic: &str, text: &'a str) -> Result<Payload<'a>, DecodeError> {
        let text = text.trim();
        if text.starts_with("{\"schema\"") {
            for (index, slot) in self.slots.iter().enumerate() {
                if slot.topic == topic
                    && !slot.prefix.is_empty()
                    && let Some(rest) = text.strip_prefix(slot.prefix.as_str())
                    && let Some(payload) = rest.strip_suffix('}')
                    && let Ok(object) = Object::parse(payload, "value")
                {
                    return Ok(Payload::Object(object, Some(index)));
                }
            }
        }
        if text == "null" {
            return Ok(Payload::Null);
        }
        if !text.starts_with('{') && serde_json::from_str::<IgnoredAny>(text).is_ok() {
            return Err(DecodeError::UnknownShape);
        }
        let object = Object::parse(text, "value")?;
        let [(first, schema), (second, payload)] = object.members() else {
            return Ok(Payload::Object(object, None));
        };
        let (schema, payload) = match (&**first, &**second) {
            ("schema", "payload") => (*schema, *payload),
            ("payload", "schema") => (*payload, *schema),
            _ => return Ok(Payload::Object(object, None)),
        };
        if payload == "null" {
            return Ok(Payload::Null);
        }
        if !payload.starts_with('{') {
            return Err(DecodeError::UnknownShape);
        }
        let inner = Object::parse(payload, "value")?;
        if schema == "null" {
            return Ok(Payload::Object(inner, None));
        }
        let row = RowSchema::parse(schema)?;
        let prefix = text
            .strip_suffix('}')
            .and_then(|text| text.strip_suffix(payload))
            .unwrap_or_default();
        Ok(Payload::Object(inner, Some(self.remember(topic, prefix, row))))
    }

    /// Keeps a schema; the oldest of its topic goes when there are enough.
    fn remember(&mut self, topic: &str, prefix: &str, row: RowSchema) -> usize {
        // A payload in front of its schema leaves no prefix, and one of this size is no table of ours: such a schema
        // is read every time and kept only for the record at hand.
        let prefix = if prefix.len() > MAX_PREFIX { "" } else { prefix };
        let of_topic = |slot: &Slot| slot.topic == topic;
        let spent = self
            .slots
            .iter()
            .position(|slot| of_topic(slot) && slot.prefix.is_empty());
        let full = self.slots.iter().filter(|slot| of_topic(slot)).count() >= PER_TOPIC;
        let oldest = self.slots.iter().position(of_topic).filter(|_| full);
        if let Some(index) = spent.or(oldest) {
            self.slots.remove(index);
        }
        self.slots.push(Slot {
            topic: topic.to_owned(),
            prefix: prefix.to_owned(),
            row,
            fresh: true,
        });
        self.slots.len() - 1
    }

    /// The columns of a schema kept by [`Schemas::unwrap`].
    pub(crate) fn row(&self, index: usize) -> Option<&RowSchema> {
        self.slots.get(index).map(|slot| &slot.row)
    }

    /// True once for each schema.
    pub(crate) fn take_fresh(&mut self, index: usize) -> bool {
        self.slots
            .get_mut(index)
            .is_some_and(|slot| std::mem::take(&mut slot.fresh))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENVELOPE: &str = r#"{"type":"struct","fields":[
        {"type":"struct","fields":[{"type":"int64","optional":true,"field":"old"}],"optional":true,"field":"before"},
        {"type":"struct","fields":[
            {"type":"int64","optional":false,"default":0,"field":"id"},
            {"type":"bytes","optional":false,"name":"org.apache.kafka.connect.data.Decimal","version":1,"parameters":{"scale":"2","connect.decimal.precision":"12"},"field":"total"},
            {"type":"int64","optional":true,"default":5,"name":"io.debezium.time.NanoTimestamp","version":1,"field":"at"},
            {"type":"double","optional":true,"field":"rate"}
        ],"optional":true,"name":"x.Value","field":"after"},
        {"type":"struct","fields":[],"field":"source"},{"type":"string","field":"op"}],"optional":false}"#;

    #[test]
    fn an_envelope_schema_gives_the_columns_of_after() {
        let row = RowSchema::parse(ENVELOPE).unwrap();
        assert_eq!(row.field("total", 1).unwrap().form, Form::Decimal(2));
        assert_eq!(row.field("total", 9).unwrap().form, Form::Decimal(2));
        assert_eq!(row.field("at", 0).unwrap().form, Form::Moment(TimeUnit::Nanos));
        assert_eq!(row.field("rate", 0).unwrap().form, Form::Float);
        assert!(row.field("at", 2).unwrap().default_hides_null);
        assert!(!row.field("id", 0).unwrap().default_hides_null);
        assert!(row.field("old", 0).is_none());
    }

    #[test]
    fn a_flattened_schema_gives_its_own_columns() {
        let text = r#"{"type":"struct","fields":[{"type":"string","field":"op"},{"type":"int32","name":"io.debezium.time.Date","field":"day"}]}"#;
        let row = RowSchema::parse(text).unwrap();
        assert_eq!(row.field("day", 1).unwrap().form, Form::Moment(TimeUnit::Days));
        assert_eq!(row.field("op", 0).unwrap().form, Form::Text);
    }

    #[test]
    fn a_schema_is_read_once_and_recognised_by_its_bytes() {
        let mut schemas = Schemas::default();
        let wrapped = |payload: &str| format!("{{\"schema\":{ENVELOPE},\"payload\":{payload}}}");
        let index = |payload: Payload<'_>| match payload {
            Payload::Object(_, index) => index,
            Payload::Null => None,
        };
        let text = wrapped(r#"{"op":"c"}"#);
        assert_eq!(index(schemas.unwrap("t", &text).unwrap()), Some(0));
        assert!(schemas.take_fresh(0) && !schemas.take_fresh(0));
        let text = wrapped(r#"{"op":"u","after":{"id":1}}"#);
        let Payload::Object(object, Some(0)) = schemas.unwrap("t", &text).unwrap() else {
            panic!("not recognised");
        };
        assert_eq!(object.get("after"), Some(r#"{"id":1}"#));
        assert_eq!(schemas.slots.len(), 1);
        // The same prefix proves nothing about the rest.
        let text = wrapped(r#"{"op":"u"},"payload":{"op":"d"}"#);
        assert_eq!(schemas.unwrap("t", &text).unwrap_err().reason(), "duplicate_name");
        assert!(matches!(schemas.unwrap("t", &wrapped("null")), Ok(Payload::Null)));
        assert_eq!(
            schemas.unwrap("t", &wrapped("5")).unwrap_err().reason(),
            "unknown_shape"
        );
    }

    #[test]
    fn only_a_few_schemas_are_kept_for_a_topic() {
        let mut schemas = Schemas::default();
        for round in 0..20 {
            for topic in ["a", "b"] {
                let text =
                    format!("{{\"schema\":{{\"type\":\"struct\",\"version\":{round}}},\"payload\":{{}}}}");
                assert!(matches!(
                    schemas.unwrap(topic, &text),
                    Ok(Payload::Object(_, Some(_)))
                ));
            }
        }
        assert_eq!(schemas.slots.len(), 2 * PER_TOPIC);
        assert!(schemas.slots.iter().any(|slot| slot.prefix.contains("19")));
        let backwards = r#"{"payload":{"a":1},"schema":{"type":"struct"}}"#;
        for _ in 0..10 {
            assert!(matches!(
                schemas.unwrap("c", backwards),
                Ok(Payload::Object(_, Some(_)))
            ));
        }
        assert_eq!(schemas.slots.len(), 2 * PER_TOPIC + 1);
    }

    #[test]
    fn unreadable_schemas_and_values() {
        let mut schemas = Schemas::default();
        let deep = format!(
            "{{\"fields\":{}{}}}",
            "[{\"fields\":".repeat(300),
            "]}".repeat(300)
        );
        for (text, reason) in [
            (r#"{"schema":5,"payload":{}}"#.to_owned(), "bad_schema"),
            (format!("{{\"schema\":{deep},\"payload\":{{}}}}"), "bad_json"),
            ("[1,2]".to_owned(), "unknown_shape"),
            ("17".to_owned(), "unknown_shape"),
            ("x".to_owned(), "bad_json"),
            (String::new(), "bad_json"),
        ] {
            assert_eq!(schemas.unwrap("t", &text).unwrap_err().reason(), reason, "{text}");
        }
        let nested = format!("{}{}", "{\"fields\":[".repeat(300), "]}".repeat(300));
        let text = format!("{{\"schema\":{nested},\"payload\":{{}}}}");
        assert_eq!(schemas.unwrap("t", &text).unwrap_err().reason(), "bad_schema");
        assert!(matches!(schemas.unwrap("t", " null "), Ok(Payload::Null)));
    }
}
