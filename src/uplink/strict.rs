//! Is this JSON text exactly what was agreed on, and if not, where does it depart from it?
//!
//! Limits come before parsing. Then the text is read into a tree that keeps what a map would hide (a field written
//! twice), and the tree into the type. The tree is there for the sake of the answer: the JSON library's own errors
//! quote the input, which may hold personal data; these name the place and the rule.
//!
//! A number without a fraction is whole however it is written: `2` and `2.0` are the same to JSON Schema, too.

use super::rejection::{Reason, Rejection};
use serde::de::value::StrDeserializer;
use serde::de::{self, DeserializeOwned, Deserializer, Expected, IntoDeserializer, Unexpected, Visitor};
use serde::{Deserialize, forward_to_deserialize_any};
use std::fmt;

/// The largest message, in bytes: a prior of 64 stays with 16 habits each takes some 50 KiB.
pub const BYTES_MAX: usize = 64 * 1024;
/// The deepest nesting: a habit's time lies 6 deep. Keeps a message of brackets off the stack.
pub const DEPTH_MAX: usize = 16;

/// Reads a whole JSON text as a `T`.
///
/// # Errors
/// The first fault found: its reason, its place, and what belongs there.
pub fn read<T: DeserializeOwned>(text: &[u8]) -> Result<T, Rejection> {
    if text.len() > BYTES_MAX {
        return Err(Rejection::of(
            Reason::TooLarge,
            format!("{BYTES_MAX} bytes at most, here are {}", text.len()),
        ));
    }
    if depth(text) > DEPTH_MAX {
        return Err(Rejection::of(
            Reason::TooDeep,
            format!("nested {DEPTH_MAX} levels at most"),
        ));
    }
    let tree: Node = serde_json::from_slice(text).map_err(|fault| {
        let place = format!("line {}, column {}", fault.line(), fault.column());
        Rejection::of(Reason::NotJson, format!("one JSON object; broken at {place}"))
    })?;
    T::deserialize(&tree)
}

/// Returns how deep brackets nest outside of texts; for what is no JSON, some number not below the true depth.
fn depth(text: &[u8]) -> usize {
    let (mut now, mut most, mut quoted, mut escaped) = (0_usize, 0, false, false);
    for byte in text {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'{' | b'[' if !quoted => {
                now += 1;
                most = most.max(now);
            }
            b'}' | b']' if !quoted => now = now.saturating_sub(1),
            _ => {}
        }
    }
    most
}

#[derive(Debug)]
enum Node {
    Null,
    Flag(bool),
    Whole(u64),
    Below(i64),
    Number(f64),
    Text(String),
    List(Vec<Node>),
    Fields(Vec<(String, Node)>),
}

impl Node {
    fn number(number: f64) -> Node {
        const EXACT: f64 = 9_007_199_254_740_992.0;
        match number {
            n if n.fract() != 0.0 || n.abs() > EXACT => Node::Number(n),
            n if n < 0.0 => Node::Below(n as i64),
            n => Node::Whole(n as u64),
        }
    }

    fn kind(&self) -> Unexpected<'static> {
        Unexpected::Other(match self {
            Node::Null => "null",
            Node::Flag(_) => "a flag",
            Node::Whole(_) | Node::Below(_) | Node::Number(_) => "a number",
            Node::Text(_) => "a text",
            Node::List(_) => "a list",
            Node::Fields(_) => "an object",
        })
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Node;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("JSON")
            }
            fn visit_unit<E>(self) -> Result<Node, E> {
                Ok(Node::Null)
            }
            fn visit_bool<E>(self, flag: bool) -> Result<Node, E> {
                Ok(Node::Flag(flag))
            }
            fn visit_u64<E>(self, number: u64) -> Result<Node, E> {
                Ok(Node::Whole(number))
            }
            fn visit_i64<E>(self, number: i64) -> Result<Node, E> {
                Ok(Node::Below(number))
            }
            fn visit_f64<E>(self, number: f64) -> Result<Node, E> {
                Ok(Node::number(number))
            }
            fn visit_str<E>(self, text: &str) -> Result<Node, E> {
                Ok(Node::Text(text.into()))
            }
            fn visit_seq<A: de::SeqAccess<'de>>(self, mut list: A) -> Result<Node, A::Error> {
                let mut nodes = Vec::new();
                while let Some(node) = list.next_element()? {
                    nodes.push(node);
                }
                Ok(Node::List(nodes))
            }
            fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Node::Fields(fields))
            }
        }
        from.deserialize_any(Any)
    }
}

impl<'de> Deserializer<'de> for &'de Node {
    type Error = Rejection;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Rejection> {
        match self {
            Node::Null => visitor.visit_unit(),
            Node::Flag(flag) => visitor.visit_bool(*flag),
            Node::Whole(number) => visitor.visit_u64(*number),
            Node::Below(number) => visitor.visit_i64(*number),
            Node::Number(number) => visitor.visit_f64(*number),
            Node::Text(text) => visitor.visit_borrowed_str(text),
            Node::List(nodes) => {
                let mut elements = Elements {
                    rest: nodes.iter(),
                    taken: 0,
                };
                let value = visitor.visit_seq(&mut elements)?;
                match elements.rest.len() {
                    0 => Ok(value),
                    _ => Err(Rejection::of(
                        Reason::OutOfRange,
                        format!("a list of {}", elements.taken),
                    )),
                }
            }
            Node::Fields(fields) => visitor.visit_map(Fields {
                rest: fields.iter(),
                value: None,
            }),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Rejection> {
        match self {
            Node::Null => visitor.visit_none(),
            some => visitor.visit_some(some),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Rejection> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Rejection> {
        match self {
            Node::Text(word) => visitor.visit_enum(IntoDeserializer::<Rejection>::into_deserializer(word.as_str())),
            other => Err(de::Error::invalid_type(other.kind(), &"a word")),
        }
    }

    /// A list in the order of a type's fields is not that type, although the derived code would take it.
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Rejection> {
        match self {
            Node::Fields(_) => self.deserialize_any(visitor),
            other => Err(de::Error::invalid_type(other.kind(), &"an object")),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        seq tuple tuple_struct map identifier ignored_any
    }
}

struct Elements<'de> {
    rest: std::slice::Iter<'de, Node>,
    taken: usize,
}

impl<'de> de::SeqAccess<'de> for &mut Elements<'de> {
    type Error = Rejection;
    fn next_element_seed<T: de::DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Rejection> {
        let Some(node) = self.rest.next() else { return Ok(None) };
        let place = format!("[{}]", self.taken);
        self.taken += 1;
        seed.deserialize(node).map(Some).map_err(|fault| fault.inside(&place))
    }
}

struct Fields<'de> {
    rest: std::slice::Iter<'de, (String, Node)>,
    value: Option<(&'de str, &'de Node)>,
}

impl<'de> de::MapAccess<'de> for Fields<'de> {
    type Error = Rejection;
    fn next_key_seed<K: de::DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Rejection> {
        let Some((key, value)) = self.rest.next() else {
            return Ok(None);
        };
        self.value = Some((key, value));
        seed.deserialize(StrDeserializer::new(key)).map(Some)
    }
    /// A field's name is written into the place only here, where the type has already taken it for one of its own.
    fn next_value_seed<T: de::DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Rejection> {
        let (key, value) = self.value.take().expect("serde asks for a value only after its key");
        seed.deserialize(value).map_err(|fault| fault.inside(key))
    }
}

impl de::Error for Rejection {
    /// The words quote the input and are dropped; what they are about shows in how the model's types begin them.
    fn custom<T: fmt::Display>(words: T) -> Self {
        let words = words.to_string();
        match words.chars().next() {
            _ if words.contains("is not a time") || words.contains("outside the years") => {
                Rejection::of(Reason::NotATime, "a time in 2000 to 2200, as 2026-11-21T16:30:00Z")
            }
            Some('"') => Rejection::of(
                Reason::NotAnId,
                "an id of its kind: a-z, 0-9, '-' and '_', or an opaque token",
            ),
            _ => Rejection::of(Reason::OutOfRange, "a number within the field's limits"),
        }
    }
    fn invalid_type(found: Unexpected<'_>, wanted: &dyn Expected) -> Self {
        Rejection::of(Reason::WrongType, format!("{wanted}, not {}", shape(found)))
    }
    fn invalid_value(_: Unexpected<'_>, wanted: &dyn Expected) -> Self {
        Rejection::of(Reason::OutOfRange, wanted.to_string())
    }
    fn invalid_length(_: usize, wanted: &dyn Expected) -> Self {
        Rejection::of(Reason::OutOfRange, wanted.to_string())
    }
    fn unknown_variant(_: &str, words: &'static [&'static str]) -> Self {
        Rejection::of(Reason::UnknownWord, format!("one of {}", words.join(", ")))
    }
    fn unknown_field(_: &str, fields: &'static [&'static str]) -> Self {
        Rejection::of(Reason::UnknownField, format!("no fields but {}", fields.join(", ")))
    }
    fn missing_field(field: &'static str) -> Self {
        Rejection::at(field, Reason::MissingField, "must be there")
    }
    fn duplicate_field(field: &'static str) -> Self {
        Rejection::at(field, Reason::DuplicateField, "must be there once")
    }
}

fn shape(found: Unexpected<'_>) -> &str {
    match found {
        Unexpected::Bool(_) => "a flag",
        Unexpected::Unsigned(_) | Unexpected::Signed(_) | Unexpected::Float(_) => "a number",
        Unexpected::Str(_) | Unexpected::Char(_) => "a text",
        Unexpected::Seq => "a list",
        Unexpected::Map => "an object",
        Unexpected::Unit | Unexpected::Option => "null",
        Unexpected::Other(kind) => kind,
        _ => "something else",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Celsius, Item, Moment, RoomId, StayStatus};

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code)]
    struct Sample {
        room: RoomId,
        #[serde(default)]
        eta: Option<Moment>,
        #[serde(default)]
        adults: u8,
        #[serde(default)]
        temperature: Option<Celsius>,
        #[serde(default)]
        status: Option<StayStatus>,
        #[serde(default)]
        habits: Vec<(Item, u16)>,
    }

    fn fault(text: &str) -> (Reason, String) {
        let fault = read::<Sample>(text.as_bytes()).expect_err(text);
        (fault.reason, fault.place)
    }

    #[test]
    fn each_departure_has_its_reason_and_its_place() {
        let cases = [
            ("", Reason::NotJson, ""),
            ("{\"room\":\"1204\"} x", Reason::NotJson, ""),
            ("[]", Reason::WrongType, ""),
            ("{}", Reason::MissingField, "room"),
            (r#"{"room":"1204","room":"1204"}"#, Reason::DuplicateField, "room"),
            (r#"{"room":"1204","floor":12}"#, Reason::UnknownField, ""),
            (r#"{"room":1204}"#, Reason::WrongType, "room"),
            (r#"{"room":"+"}"#, Reason::NotAnId, "room"),
            (r#"{"room":"1204","eta":"tomorrow"}"#, Reason::NotATime, "eta"),
            (
                r#"{"room":"1204","eta":"1999-01-01T00:00:00Z"}"#,
                Reason::NotATime,
                "eta",
            ),
            (r#"{"room":"1204","adults":256}"#, Reason::OutOfRange, "adults"),
            (r#"{"room":"1204","adults":"two"}"#, Reason::WrongType, "adults"),
            (
                r#"{"room":"1204","temperature":1e9}"#,
                Reason::OutOfRange,
                "temperature",
            ),
            (r#"{"room":"1204","status":"dancing"}"#, Reason::UnknownWord, "status"),
            (r#"{"room":"1204","status":7}"#, Reason::WrongType, "status"),
            (
                r#"{"room":"1204","habits":[["milk",1],["tea"]]}"#,
                Reason::OutOfRange,
                "habits[1]",
            ),
            (
                r#"{"room":"1204","habits":[["milk",1,2]]}"#,
                Reason::OutOfRange,
                "habits[0]",
            ),
            (
                r#"{"room":"1204","habits":[["Milk",1]]}"#,
                Reason::NotAnId,
                "habits[0][0]",
            ),
        ];
        for (text, reason, place) in cases {
            assert_eq!(fault(text), (reason, place.to_string()), "{text}");
        }
    }

    #[test]
    fn a_rejection_never_repeats_what_the_message_said() {
        let canary = "Canary-Winterbottom";
        for text in [
            format!(r#"{{"room":"{canary}"}}"#),
            format!(r#"{{"room":"1204","{canary}":1}}"#),
            format!(r#"{{"room":"1204","eta":"{canary}"}}"#),
            format!(r#"{{"room":"1204","status":"{canary}"}}"#),
            format!(r#"{{"room":"1204","adults":"{canary}"}}"#),
            canary.to_string(),
        ] {
            let words = format!("{0} {0:?}", read::<Sample>(text.as_bytes()).unwrap_err());
            assert!(!words.contains("Winterbottom"), "{words}");
        }
    }

    #[test]
    fn limits_come_before_parsing() {
        let large = format!(r#"{{"room":"{}"}}"#, "1".repeat(BYTES_MAX));
        assert_eq!(fault(&large).0, Reason::TooLarge);
        assert_eq!(fault(&"[".repeat(17)).0, Reason::TooDeep);
        assert_eq!(
            fault(&format!("{}{}", "[".repeat(16), "]".repeat(16))).0,
            Reason::WrongType
        );
        assert_eq!(
            fault(r#"{"room":"[[[[[[[[[[[[[[[[[[[["}"#).0,
            Reason::NotAnId,
            "brackets in a text are text"
        );
    }

    #[test]
    fn a_number_without_a_fraction_is_whole() {
        assert_eq!(read::<Sample>(br#"{"room":"1204","adults":2.0}"#).unwrap().adults, 2);
        assert_eq!(fault(r#"{"room":"1204","adults":2.5}"#).0, Reason::WrongType);
        assert_eq!(fault(r#"{"room":"1204","adults":-1}"#).0, Reason::OutOfRange);
    }
}
