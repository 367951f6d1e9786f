//! Which small forms of writing does the format use: scalars, ordered tables, JSON templates?

use crate::model::Point;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value as Json;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

/// A single value as profiles write it.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Scalar {
    /// True or false.
    Flag(bool),
    /// A number.
    Number(f64),
    /// A text.
    Text(String),
}

impl Scalar {
    /// The value as JSON; whole numbers without a fraction.
    pub fn json(&self) -> Json {
        match self {
            Scalar::Flag(flag) => (*flag).into(),
            Scalar::Number(n) => number_json(*n),
            Scalar::Text(text) => text.as_str().into(),
        }
    }

    /// The value as plain text.
    pub fn text(&self) -> String {
        match self {
            Scalar::Flag(flag) => flag.to_string(),
            Scalar::Number(n) => number_json(*n).to_string(),
            Scalar::Text(text) => text.clone(),
        }
    }
}

/// A number as JSON; a whole one without a fraction.
pub fn number_json(n: f64) -> Json {
    if n.fract() == 0.0 && n.abs() < 9e15 {
        (n as i64).into()
    } else {
        n.into()
    }
}

/// One text or a list of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OneOrMany(pub Vec<String>);

impl<'de> Deserialize<'de> for OneOrMany {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Either {
            One(String),
            Many(Vec<String>),
        }
        Ok(match Either::deserialize(from)? {
            Either::One(text) => Self(vec![text]),
            Either::Many(texts) => Self(texts),
        })
    }
}

impl JsonSchema for OneOrMany {
    fn schema_name() -> Cow<'static, str> {
        "OneOrMany".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [
            { "type": "string" },
            { "type": "array", "items": { "type": "string" }, "minItems": 1, "maxItems": 16 },
        ] })
    }
}

/// A table that keeps the order of the file.
#[derive(Debug, Clone, PartialEq)]
pub struct Ordered<V>(pub Vec<(String, V)>);

impl<V> Default for Ordered<V> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<V> Ordered<V> {
    /// The entry of this key.
    pub fn get(&self, key: &str) -> Option<&V> {
        self.0.iter().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    /// The entries in the order of the file.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &V)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }
}

impl<'de, V: Deserialize<'de>> Deserialize<'de> for Ordered<V> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Entries<V>(PhantomData<V>);
        impl<'de, V: Deserialize<'de>> Visitor<'de> for Entries<V> {
            type Value = Ordered<V>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a table")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Ordered(entries))
            }
        }
        from.deserialize_map(Entries(PhantomData))
    }
}

impl<V: JsonSchema> JsonSchema for Ordered<V> {
    fn schema_name() -> Cow<'static, str> {
        format!("TableOf{}", V::schema_name()).into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        BTreeMap::<String, V>::json_schema(generator)
    }
}

/// The schema of a table whose keys are the canonical points.
pub struct PointTable<V>(PhantomData<V>);

impl<V: JsonSchema> JsonSchema for PointTable<V> {
    fn schema_name() -> Cow<'static, str> {
        format!("PointsOf{}", V::schema_name()).into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let names: Vec<&str> = Point::ALL.iter().map(|point| point.name()).collect();
        let value = generator.subschema_for::<V>();
        json_schema!({ "type": "object", "propertyNames": { "enum": names }, "additionalProperties": value })
    }
}

/// The schema of a table with any keys.
pub struct AnyTable;

impl JsonSchema for AnyTable {
    fn schema_name() -> Cow<'static, str> {
        "AnyTable".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "object" })
    }
}

/// JSON to be sent, with holes: a text of `$arg` or `$put` is replaced whole, `{placeholders}` are filled in. Keys keep
/// the order of the file.
#[derive(Debug, Clone, PartialEq)]
pub enum Template {
    /// A value without holes.
    Plain(Json),
    /// A text, perhaps with holes.
    Text(String),
    /// A list.
    List(Vec<Template>),
    /// An object.
    Object(Vec<(String, Template)>),
}

impl Template {
    /// Writes the template as JSON: `hole` fills a text that is a hole as a whole, `fill` the placeholders within texts
    /// and keys.
    pub fn write(&self, out: &mut String, hole: &dyn Fn(&str) -> Option<String>, fill: &dyn Fn(&str) -> String) {
        match self {
            Template::Plain(value) => out.push_str(&value.to_string()),
            Template::Text(text) => match hole(text) {
                Some(json) => out.push_str(&json),
                None => out.push_str(&Json::from(fill(text)).to_string()),
            },
            Template::List(items) => {
                let parts = items.iter().map(|item| item.written(hole, fill)).collect::<Vec<_>>();
                out.push_str(&format!("[{}]", parts.join(",")));
            }
            Template::Object(entries) => {
                let part = |(key, value): &(String, Template)| {
                    format!("{}:{}", Json::from(fill(key)), value.written(hole, fill))
                };
                out.push_str(&format!(
                    "{{{}}}",
                    entries.iter().map(part).collect::<Vec<_>>().join(",")
                ));
            }
        }
    }

    fn written(&self, hole: &dyn Fn(&str) -> Option<String>, fill: &dyn Fn(&str) -> String) -> String {
        let mut out = String::new();
        self.write(&mut out, hole, fill);
        out
    }

    /// Every text and key of it.
    pub fn texts(&self) -> Vec<&str> {
        match self {
            Template::Plain(_) => Vec::new(),
            Template::Text(text) => vec![text],
            Template::List(items) => items.iter().flat_map(Template::texts).collect(),
            Template::Object(entries) => entries
                .iter()
                .flat_map(|(key, value)| std::iter::once(key.as_str()).chain(value.texts()))
                .collect(),
        }
    }

    /// Whether one of its texts is this hole.
    pub fn has_hole(&self, name: &str) -> bool {
        match self {
            Template::Plain(_) => false,
            Template::Text(text) => text == name,
            Template::List(items) => items.iter().any(|item| item.has_hole(name)),
            Template::Object(entries) => entries.iter().any(|(_, value)| value.has_hole(name)),
        }
    }
}

impl<'de> Deserialize<'de> for Template {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Template;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value")
            }
            fn visit_bool<E: Error>(self, flag: bool) -> Result<Template, E> {
                Ok(Template::Plain(flag.into()))
            }
            fn visit_i64<E: Error>(self, n: i64) -> Result<Template, E> {
                Ok(Template::Plain(n.into()))
            }
            fn visit_u64<E: Error>(self, n: u64) -> Result<Template, E> {
                Ok(Template::Plain(n.into()))
            }
            fn visit_f64<E: Error>(self, n: f64) -> Result<Template, E> {
                Ok(Template::Plain(n.into()))
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Template, E> {
                Ok(Template::Text(text.to_owned()))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Template, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = seq.next_element()? {
                    items.push(item);
                }
                Ok(Template::List(items))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Template, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Template::Object(entries))
            }
        }
        from.deserialize_any(Any)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_keeps_its_order_and_fills_its_holes() {
        let template: Template = serde_json::from_str(r#"{"z":"{mac}","a":"$arg","m":[1,true]}"#).unwrap();
        let mut out = String::new();
        let hole = |name: &str| (name == "$arg").then(|| "22.5".to_owned());
        template.write(&mut out, &hole, &|text| text.replace("{mac}", "AA"));
        assert_eq!(out, r#"{"z":"AA","a":22.5,"m":[1,true]}"#);
    }
}
