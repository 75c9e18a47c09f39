//! JSON objects read one level at a time: names, and the source text of each value.
//!
//! Reading one level costs one pass over the bytes and no recursion, so the depth of the input does not matter, and
//! numbers stay text until it is known what they are (pitfalls 12 and 17).

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::error::{DecodeError, Fault, cut};

/// The members of a JSON object in their order. Names are unique.
#[derive(Debug)]
pub(crate) struct Object<'a> {
    members: Vec<(Cow<'a, str>, &'a str)>,
}

impl<'a> Object<'a> {
    /// Reads one level of an object; `part` names it in the error.
    pub(crate) fn parse(text: &'a str, part: &'static str) -> Result<Self, DecodeError> {
        let Members(members) = serde_json::from_str(text).map_err(|error| DecodeError::BadJson {
            part,
            line: error.line(),
            column: error.column(),
        })?;
        match duplicate(&members) {
            Some(name) => Err(DecodeError::DuplicateName {
                part,
                name: cut(name),
            }),
            None => Ok(Self { members }),
        }
    }

    /// Like [`Object::parse`] for an object inside a value.
    pub(crate) fn of_value(text: &'a str) -> Result<Self, Fault> {
        let Members(members) = serde_json::from_str(text).map_err(|_| Fault::Broken)?;
        if duplicate(&members).is_some() {
            return Err(Fault::Duplicate);
        }
        Ok(Self { members })
    }

    /// Source text of a member.
    pub(crate) fn get(&self, name: &str) -> Option<&'a str> {
        self.members
            .iter()
            .find(|(member, _)| member == name)
            .map(|(_, value)| *value)
    }

    /// Source text of a member that is there and not null.
    pub(crate) fn filled(&self, name: &str) -> Option<&'a str> {
        self.get(name).filter(|value| *value != "null")
    }

    /// True when there is a member of this name, null or not.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.members.iter().any(|(member, _)| member == name)
    }

    /// The members in their order.
    pub(crate) fn members(&self) -> &[(Cow<'a, str>, &'a str)] {
        &self.members
    }
}

/// First name that occurs twice. Rows have a dozen columns; only hostile input has more than fits a quadratic search.
fn duplicate<'b>(members: &'b [(Cow<'_, str>, &str)]) -> Option<&'b str> {
    if members.len() <= 40 {
        members.iter().enumerate().find_map(|(index, (name, _))| {
            let again = members[..index].iter().any(|(earlier, _)| earlier == name);
            again.then_some(&**name)
        })
    } else {
        let mut seen = HashSet::with_capacity(members.len());
        members
            .iter()
            .find_map(|(name, _)| (!seen.insert(&**name)).then_some(&**name))
    }
}

/// The text of a JSON string; `None` when the value is not a string or holds half a surrogate pair.
pub(crate) fn string(raw: &str) -> Option<Cow<'_, str>> {
    let inner = raw.strip_prefix('"')?.strip_suffix('"')?;
    if inner.contains('\\') {
        serde_json::from_str::<String>(raw).ok().map(Cow::Owned)
    } else {
        Some(Cow::Borrowed(inner))
    }
}

/// True when the value starts like a JSON number. The text comes from a parser, so it then is one.
pub(crate) fn is_number(raw: &str) -> bool {
    raw.starts_with(|first: char| first == '-' || first.is_ascii_digit())
}

/// An integer written as a JSON number or as a text of digits.
pub(crate) fn integer<T: std::str::FromStr>(raw: &str) -> Option<T> {
    if is_number(raw) {
        raw.parse().ok()
    } else {
        string(raw)?.parse().ok()
    }
}

/// The elements of a JSON array, one level deep.
pub(crate) fn elements(raw: &str) -> Option<Vec<&str>> {
    let elements: Vec<&RawValue> = serde_json::from_str(raw).ok()?;
    Some(elements.into_iter().map(RawValue::get).collect())
}

struct Members<'a>(Vec<(Cow<'a, str>, &'a str)>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;

        impl<'de> Visitor<'de> for Collect {
            type Value = Members<'de>;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::with_capacity(16);
                while let Some(Name(name)) = map.next_key()? {
                    let value: &'de RawValue = map.next_value()?;
                    members.push((name, value.get()));
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(Collect)
    }
}

/// A member's name, borrowed unless it holds an escape.
struct Name<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Name<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;

        impl<'de> Visitor<'de> for Text {
            type Value = Name<'de>;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("a name")
            }

            fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Self::Value, E> {
                Ok(Name(Cow::Borrowed(name)))
            }

            fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
                Ok(Name(Cow::Owned(name.to_owned())))
            }
        }

        deserializer.deserialize_str(Text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_level_is_read_and_values_stay_text() {
        let object = Object::parse(r#" {"a":1.50, "b\u0063":{"x":[1,2]}, "n":null} "#, "value").unwrap();
        assert_eq!(object.get("a"), Some("1.50"));
        assert_eq!(object.get("bc"), Some(r#"{"x":[1,2]}"#));
        assert_eq!(object.get("n"), Some("null"));
        assert_eq!(object.filled("n"), None);
        assert!(object.has("n") && !object.has("z"));
    }

    #[test]
    fn broken_doubled_and_deep_objects() {
        for text in [
            "",
            "[]",
            "{",
            "{\"a\":}",
            "{\"a\":1}x",
            "nul",
            "{\"a\":01}",
            "{\"a\":\"\u{1}\"}",
        ] {
            assert_eq!(
                Object::parse(text, "value").unwrap_err().reason(),
                "bad_json",
                "{text}"
            );
        }
        let few = r#"{"a":1,"\u0061":2}"#;
        assert_eq!(
            Object::parse(few, "value").unwrap_err().reason(),
            "duplicate_name"
        );
        let names: Vec<String> = (0..50).map(|name| format!("\"{}\":1", name % 49)).collect();
        let many = format!("{{{}}}", names.join(","));
        assert_eq!(
            Object::parse(&many, "value").unwrap_err().reason(),
            "duplicate_name"
        );
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(400_000), "]".repeat(400_000));
        assert!(Object::parse(&deep, "value").is_ok());
    }

    #[test]
    fn strings_and_integers() {
        assert_eq!(string("\"a\"").as_deref(), Some("a"));
        assert_eq!(string(r#""\u00d1\ud83d\ude00""#).as_deref(), Some("Ñ😀"));
        assert_eq!(string(r#""\ud83d""#), None);
        assert_eq!(string("1"), None);
        assert_eq!(integer::<u64>("18446744073709551615"), Some(u64::MAX));
        assert_eq!(
            integer::<u64>("\"9007199254740993\""),
            Some(9_007_199_254_740_993)
        );
        assert_eq!(integer::<u64>("-1"), None);
        assert_eq!(integer::<i64>("1.5"), None);
        assert_eq!(integer::<i64>("true"), None);
    }
}
