//! Which keys are there, what do they mean, and what are they when nobody writes them?

use super::shape;
use serde_json::Value;
use std::fmt::Write as _;

/// How deep the schema may lead; the deepest key today is four tables down.
const DEPTH_MAX: usize = 12;

/// One key of the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// The whole way to it: `links.<id>.host`.
    pub path: String,
    /// For which kind of link it is, where that matters.
    pub of_kind: String,
    /// What is written there.
    pub takes: String,
    /// What it is when nobody writes it; empty when there is no such thing.
    pub default: String,
    /// What it means.
    pub about: String,
}

/// Returns every key of the configuration, in the order of the alphabet.
pub fn keys() -> Vec<Key> {
    let schema = shape::schema();
    let whole = schema.as_value();
    let mut found = Vec::new();
    walk(whole, whole, &Way::default(), 0, &mut found);
    found.sort_by(|a: &Key, b| (&a.path, &a.of_kind).cmp(&(&b.path, &b.of_kind)));
    found.dedup();
    found
}

/// Returns the keys as a table in Markdown.
pub fn key_table() -> String {
    let mut text = String::from("| key | takes | when not written | what it means |\n|---|---|---|---|\n");
    for key in keys() {
        let kind = if key.of_kind.is_empty() {
            String::new()
        } else {
            format!(" ({})", key.of_kind)
        };
        let default = if key.default.is_empty() {
            String::new()
        } else {
            format!("`{}`", key.default)
        };
        let _ = writeln!(
            text,
            "| `{}`{kind} | {} | {default} | {} |",
            key.path, key.takes, key.about
        );
    }
    text
}

/// How far the walk has come: the keys so far, the kind of link, and what the whole table is when it is not written.
#[derive(Clone, Default)]
struct Way {
    path: String,
    of_kind: String,
    default: Value,
}

impl Way {
    fn to(&self, step: &str, default: Value) -> Way {
        Way {
            path: format!("{}{step}", self.path),
            of_kind: self.of_kind.clone(),
            default,
        }
    }
}

fn walk(whole: &Value, schema: &Value, way: &Way, depth: usize, found: &mut Vec<Key>) {
    if depth > DEPTH_MAX {
        return;
    }
    let schema = resolved(whole, schema);
    for branch in ["oneOf", "anyOf", "allOf"]
        .iter()
        .filter_map(|choice| schema.get(choice)?.as_array())
        .flatten()
    {
        let kind = branch
            .pointer("/properties/kind/const")
            .and_then(Value::as_str)
            .unwrap_or(&way.of_kind);
        let way = Way {
            of_kind: kind.to_owned(),
            ..way.clone()
        };
        walk(whole, branch, &way, depth + 1, found);
        if let Some(target) = branch.get("$ref") {
            walk(whole, &serde_json::json!({ "$ref": target }), &way, depth + 1, found);
        }
    }
    for (name, next) in schema
        .get("properties")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
    {
        let default = next
            .get("default")
            .or(way.default.get(name))
            .cloned()
            .unwrap_or_default();
        let way = way.to(
            &if way.path.is_empty() {
                name.clone()
            } else {
                format!(".{name}")
            },
            default,
        );
        let target = resolved(whole, next);
        if !holds_more(whole, next) {
            found.push(Key {
                path: way.path.clone(),
                of_kind: way.of_kind.clone(),
                takes: takes(whole, next),
                default: shown(&way.default),
                about: about(next)
                    .or_else(|| about(target))
                    .or_else(|| about(schema))
                    .unwrap_or_default(),
            });
        }
        walk(whole, next, &way, depth + 1, found);
    }
    if let Some(next @ Value::Object(_)) = schema.get("additionalProperties") {
        walk(whole, next, &way.to(".<name>", Value::Null), depth + 1, found);
    }
    if let Some(next) = schema.get("items") {
        walk(whole, next, &way.to("[]", Value::Null), depth + 1, found);
    }
}

/// Whether a key is a table or a list of tables, whose own keys are listed in its place.
fn holds_more(whole: &Value, schema: &Value) -> bool {
    let schema = resolved(whole, schema);
    let below = |name: &str| {
        schema
            .get(name)
            .is_some_and(|next| next.is_object() && holds_more(whole, next))
    };
    let branches = ["oneOf", "anyOf"]
        .iter()
        .filter_map(|choice| schema.get(choice)?.as_array())
        .flatten();
    schema.get("properties").is_some()
        || below("additionalProperties")
        || below("items")
        || branches.into_iter().any(|branch| holds_more(whole, branch))
}

fn resolved<'a>(whole: &'a Value, schema: &'a Value) -> &'a Value {
    let name = schema
        .get("$ref")
        .and_then(Value::as_str)
        .and_then(|link| link.strip_prefix("#/$defs/"));
    name.and_then(|name| whole.get("$defs")?.get(name)).unwrap_or(schema)
}

fn about(schema: &Value) -> Option<String> {
    let text = schema.get("description")?.as_str()?;
    Some(
        text.split("\n\n")
            .next()
            .unwrap_or(text)
            .replace('\n', " ")
            .replace('|', "\\|"),
    )
}

fn takes(whole: &Value, schema: &Value) -> String {
    if let Some(name) = schema
        .get("$ref")
        .and_then(Value::as_str)
        .and_then(|link| link.strip_prefix("#/$defs/"))
    {
        match name {
            "Lasting" => return "a length of time".into(),
            "Celsius" => return "a temperature".into(),
            "Percent" => return "0 to 100".into(),
            _ => {}
        }
    }
    let schema = resolved(whole, schema);
    let branches: Vec<&Value> = ["oneOf", "anyOf"]
        .iter()
        .filter_map(|choice| schema.get(choice)?.as_array())
        .flatten()
        .collect();
    if !branches.is_empty() {
        let words: Vec<String> = branches
            .iter()
            .filter(|branch| branch.get("type").is_none_or(|t| t != "null"))
            .map(|b| takes(whole, b))
            .collect();
        return words.join(", ");
    }
    if let Some(word) = schema.get("const") {
        return format!("`{}`", word.as_str().unwrap_or_default());
    }
    if let Some(words) = schema.get("enum").and_then(Value::as_array) {
        return words
            .iter()
            .filter_map(Value::as_str)
            .map(|word| format!("`{word}`"))
            .collect::<Vec<_>>()
            .join(", ");
    }
    let kind = match schema.get("type") {
        Some(Value::Array(kinds)) => kinds.iter().filter_map(Value::as_str).find(|kind| *kind != "null"),
        Some(kind) => kind.as_str(),
        None => None,
    };
    let range = |words: &str| match (schema.get("minimum"), schema.get("maximum")) {
        (Some(low), Some(high)) => format!("{words}, {low} to {high}"),
        _ => words.to_owned(),
    };
    match kind {
        Some("array") => format!(
            "a list of {}",
            schema.get("items").map_or("values".into(), |items| takes(whole, items))
        ),
        Some("object") => "a table".into(),
        Some("boolean") => "true or false".into(),
        Some("integer") => range("a whole number"),
        Some("number") => range("a number"),
        Some("string") => "a text".into(),
        _ => "a value".into(),
    }
}

/// The default as it would be written; none of an empty list or table, which says nothing.
fn shown(default: &Value) -> String {
    match default {
        Value::Null => String::new(),
        Value::Array(items) if items.is_empty() => String::new(),
        Value::Object(entries) if entries.is_empty() => String::new(),
        other => other.to_string(),
    }
}
