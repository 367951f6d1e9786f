//! Where does a text depart from the schema of what it is meant to be?
//!
//! This walks the part of JSON Schema that `schemars` writes for Rust types: objects with named keys, maps, lists, plain
//! values with ranges, references, and choices. A choice with a key that tells its branches apart (`type = "modbus"`) is
//! followed down the branch the writer chose, so that the faults told are those of that branch.

use super::near::{did_you_mean, listed};
use super::{Entry, Fault, Kind, Length, Node, Tree, length};
use serde_json::{Map, Value};

/// How deep references may lead; a schema that goes deeper refers to itself.
const DEPTH_MAX: usize = 64;

/// Returns every fault, in no particular order.
pub(super) fn faults(tree: &Tree, schema: &Value) -> Vec<Fault> {
    let mut walk = Walk {
        tree,
        whole: schema,
        faults: Vec::new(),
        depth: 0,
    };
    walk.node(tree.root(), schema, None);
    walk.faults
}

struct Walk<'a> {
    tree: &'a Tree,
    whole: &'a Value,
    faults: Vec<Fault>,
    depth: usize,
}

impl<'a> Walk<'a> {
    /// Holds one value against one schema. `key` is the key it stands behind, to name it in the message.
    fn node(&mut self, node: &Node, schema: &'a Value, key: Option<&Entry>) {
        if self.depth > DEPTH_MAX {
            return;
        }
        self.depth += 1;
        if let Value::Object(rules) = self.resolved(schema) {
            self.rules(node, rules, key);
        }
        self.depth -= 1;
    }

    fn rules(&mut self, node: &Node, rules: &'a Map<String, Value>, key: Option<&Entry>) {
        for choice in ["oneOf", "anyOf"] {
            if let Some(Value::Array(branches)) = rules.get(choice) {
                self.choice(node, branches, key);
            }
        }
        if let Some(Value::Array(parts)) = rules.get("allOf") {
            parts.iter().for_each(|part| self.node(node, part, key));
        }
        if !self.type_fits(node, rules) {
            let message = format!(
                "{}expected {}, found {}",
                named(key),
                types_in_words(rules),
                node.what()
            );
            return self.say(node, message, "");
        }
        if let Some(words) = allowed_words(rules) {
            self.word(node, &words, key);
        }
        match &node.kind {
            Kind::Table(entries) => self.table(node, entries, rules, key),
            Kind::List(items) => self.list(node, items, rules, key),
            Kind::Integer(n) => self.range(node, *n as f64, rules, key),
            Kind::Float(n) => self.range(node, *n, rules, key),
            Kind::Text(text) if is_no_length(text, rules) => {
                self.say(
                    node,
                    format!("{}{text:?} is no length of time", named(key)),
                    length::HELP,
                );
            }
            _ => {}
        }
    }

    fn table(&mut self, node: &Node, entries: &[Entry], rules: &'a Map<String, Value>, key: Option<&Entry>) {
        let none = Map::new();
        let known = rules.get("properties").and_then(Value::as_object);
        let names: Vec<&str> = known.unwrap_or(&none).keys().map(String::as_str).collect();
        let rest = rules.get("additionalProperties");
        let keys = rules
            .get("propertyNames")
            .and_then(|names| allowed_words(self.resolved(names).as_object()?));
        for entry in entries {
            if let Some(schema) = known.and_then(|known| known.get(&entry.key)) {
                self.node(&entry.value, schema, Some(entry));
            } else if let Some(words) = keys.as_ref().filter(|words| !words.contains(&entry.key)) {
                let help = did_you_mean(&entry.key, words.iter().map(String::as_str));
                self.say_at_key(entry, format!("unknown name {:?}", entry.key), help);
            } else {
                match rest {
                    Some(Value::Bool(false)) => {
                        let free = names
                            .iter()
                            .copied()
                            .filter(|name| entries.iter().all(|e| e.key != *name));
                        let help = did_you_mean(&entry.key, free);
                        self.say_at_key(entry, format!("unknown key {:?}", entry.key), help);
                    }
                    Some(schema @ Value::Object(_)) => self.node(&entry.value, schema, Some(entry)),
                    _ => {}
                }
            }
        }
        self.missing(node, entries, rules, key);
    }

    fn missing(&mut self, node: &Node, entries: &[Entry], rules: &'a Map<String, Value>, key: Option<&Entry>) {
        let required = rules
            .get("required")
            .and_then(Value::as_array)
            .map_or(&[][..], Vec::as_slice);
        for name in required.iter().filter_map(Value::as_str) {
            if entries.iter().any(|entry| entry.key == name) {
                continue;
            }
            let place = key.map_or(node.at(), Entry::key_at);
            let within = key.map_or(String::new(), |key| format!(" in {:?}", key.key));
            let help = self.how_to_write(rules, name);
            let fault = self.tree.fault_at(place, format!("missing key {name:?}{within}"), help);
            self.faults.push(fault);
        }
    }

    /// Tells what a missing key would look like, from its schema.
    fn how_to_write(&self, rules: &'a Map<String, Value>, name: &str) -> String {
        let Some(schema) = rules.get("properties").and_then(|all| all.get(name)) else {
            return String::new();
        };
        let Some(rules) = self.resolved(schema).as_object() else {
            return String::new();
        };
        if let Some(words) = allowed_words(rules) {
            return format!(
                "write {name} = one of {}",
                listed(&words.iter().map(String::as_str).collect::<Vec<_>>())
            );
        }
        let about = [schema.get("description"), rules.get("description")]
            .into_iter()
            .flatten()
            .find_map(Value::as_str);
        match about.and_then(|text| text.split("\n\n").next()) {
            Some(text) => format!("write {name} = ...: {}", text.replace('\n', " ")),
            None => format!("write {name} = {}", types_in_words(rules)),
        }
    }

    fn list(&mut self, node: &Node, items: &[Node], rules: &'a Map<String, Value>, key: Option<&Entry>) {
        let first: &[Value] = rules
            .get("prefixItems")
            .and_then(Value::as_array)
            .map_or(&[], Vec::as_slice);
        for (place, item) in items.iter().enumerate() {
            if let Some(schema @ Value::Object(_)) = first.get(place).or_else(|| rules.get("items")) {
                self.node(item, schema, key);
            }
        }
        let bound = |name: &str| rules.get(name).and_then(Value::as_u64).map(|n| n as usize);
        if bound("minItems").is_some_and(|least| items.len() < least) {
            let message = format!(
                "{}has {} items, {} at least are needed",
                named(key),
                items.len(),
                bound("minItems").unwrap_or(0)
            );
            self.say(node, message, "");
        }
        if bound("maxItems").is_some_and(|most| items.len() > most) {
            let message = format!(
                "{}has {} items, {} at most are allowed",
                named(key),
                items.len(),
                bound("maxItems").unwrap_or(0)
            );
            self.say(node, message, "");
        }
    }

    fn range(&mut self, node: &Node, n: f64, rules: &Map<String, Value>, key: Option<&Entry>) {
        let bound = |name: &str| rules.get(name).and_then(Value::as_f64);
        let (least, most) = (bound("minimum"), bound("maximum"));
        let low = least.is_some_and(|least| n < least) || bound("exclusiveMinimum").is_some_and(|edge| n <= edge);
        let high = most.is_some_and(|most| n > most) || bound("exclusiveMaximum").is_some_and(|edge| n >= edge);
        if !n.is_finite() || low || high {
            let help = match (least, most) {
                (Some(least), Some(most)) => format!("write a number from {least} to {most}"),
                (Some(least), None) => format!("write {least} or more"),
                (None, Some(most)) => format!("write {most} or less"),
                (None, None) => "write a plain number above 0".to_owned(),
            };
            self.say(node, format!("{}{n} is out of range", named(key)), help);
        }
    }

    fn word(&mut self, node: &Node, words: &[String], key: Option<&Entry>) {
        let written = match &node.kind {
            Kind::Text(text) => text.clone(),
            Kind::Integer(n) => n.to_string(),
            Kind::Flag(flag) => flag.to_string(),
            _ => return,
        };
        if !words.contains(&written) {
            let help = did_you_mean(&written, words.iter().map(String::as_str));
            self.say(node, format!("{}unknown value {written:?}", named(key)), help);
        }
    }

    fn choice(&mut self, node: &Node, branches: &'a [Value], key: Option<&Entry>) {
        let branches: Vec<&'a Map<String, Value>> = branches
            .iter()
            .filter_map(|b| self.resolved(b).as_object())
            .filter(|b| !is_null(b))
            .collect();
        if let Some(words) = all_words(&branches) {
            if matches!(node.kind, Kind::Text(_)) {
                return self.word(node, &words, key);
            }
            let message = format!("{}expected a word, found {}", named(key), node.what());
            return self.say(node, message, did_you_mean("", words.iter().map(String::as_str)));
        }
        if let (Kind::Table(entries), Some(tag)) = (&node.kind, tag_of(&branches)) {
            return self.tagged(node, entries, &branches, tag, key);
        }
        let fitting: Vec<_> = branches
            .iter()
            .copied()
            .filter(|branch| self.type_fits(node, branch))
            .collect();
        if fitting.is_empty() {
            let all = branches
                .iter()
                .map(|branch| types_in_words(branch))
                .collect::<Vec<_>>()
                .join(" or ");
            return self.say(node, format!("{}expected {all}, found {}", named(key), node.what()), "");
        }
        let tried = fitting.into_iter().map(|branch| self.tried(node, branch, key));
        let least = tried.min_by_key(Vec::len).unwrap_or_default();
        self.faults.extend(least);
    }

    /// The faults that a branch would have.
    fn tried(&mut self, node: &Node, branch: &'a Map<String, Value>, key: Option<&Entry>) -> Vec<Fault> {
        let before = std::mem::take(&mut self.faults);
        self.rules(node, branch, key);
        std::mem::replace(&mut self.faults, before)
    }

    fn tagged(
        &mut self,
        node: &Node,
        entries: &[Entry],
        branches: &[&'a Map<String, Value>],
        tag: &str,
        key: Option<&Entry>,
    ) {
        let words: Vec<&str> = branches.iter().filter_map(|branch| tag_word(branch, tag)).collect();
        let Some(entry) = entries.iter().find(|entry| entry.key == tag) else {
            let place = key.map_or(node.at(), Entry::key_at);
            let fault = self.tree.fault_at(
                place,
                format!("missing key {tag:?}"),
                format!("write {tag} = one of {}", listed(&words)),
            );
            return self.faults.push(fault);
        };
        let chosen = match &entry.value.kind {
            Kind::Text(word) => branches.iter().find(|branch| tag_word(branch, tag) == Some(word)),
            _ => None,
        };
        match chosen {
            Some(branch) => self.rules(node, branch, key),
            None => {
                let written = if let Kind::Text(word) = &entry.value.kind {
                    word.as_str()
                } else {
                    entry.value.what()
                };
                let help = did_you_mean(written, words.iter().copied());
                self.say(&entry.value, format!("unknown {tag} {written:?}"), help);
            }
        }
    }

    fn type_fits(&self, node: &Node, rules: &Map<String, Value>) -> bool {
        let one = |name: &str| match &node.kind {
            Kind::Table(_) => name == "object",
            Kind::List(_) => name == "array",
            Kind::Flag(_) => name == "boolean",
            Kind::Text(_) | Kind::Date(_) => name == "string",
            Kind::Integer(_) => name == "integer" || name == "number",
            Kind::Float(_) => name == "number",
        };
        match rules.get("type") {
            Some(Value::String(name)) => one(name),
            Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).any(one),
            _ => match allowed_words(rules) {
                Some(_) => matches!(node.kind, Kind::Text(_) | Kind::Integer(_) | Kind::Flag(_)),
                None => true,
            },
        }
    }

    /// Follows references to the schema that is meant.
    fn resolved(&self, schema: &'a Value) -> &'a Value {
        let mut schema = schema;
        for _ in 0..DEPTH_MAX {
            let Some(Value::String(to)) = schema.get("$ref") else {
                break;
            };
            let Some(found) = to.strip_prefix('#').and_then(|pointer| self.whole.pointer(pointer)) else {
                break;
            };
            schema = found;
        }
        schema
    }

    fn say(&mut self, node: &Node, message: impl Into<String>, help: impl Into<String>) {
        let fault = self.tree.fault_at(node.at(), message, help);
        self.faults.push(fault);
    }

    fn say_at_key(&mut self, entry: &Entry, message: impl Into<String>, help: impl Into<String>) {
        let fault = self.tree.fault_at(entry.key_at(), message, help);
        self.faults.push(fault);
    }
}

/// Whether a text should be a length of time, and is none.
fn is_no_length(text: &str, rules: &Map<String, Value>) -> bool {
    rules.get("format").is_some_and(|form| form == length::FORMAT) && Length::parse(text).is_none()
}

/// The words a schema allows by itself (`enum`, `const`, or a choice of constants).
fn allowed_words(rules: &Map<String, Value>) -> Option<Vec<String>> {
    if let Some(Value::Array(words)) = rules.get("enum") {
        return Some(words.iter().filter(|w| !w.is_null()).map(plain).collect());
    }
    if let Some(word) = rules.get("const") {
        return Some(vec![plain(word)]);
    }
    let branches = rules.get("oneOf")?.as_array()?;
    all_words(&branches.iter().filter_map(Value::as_object).collect::<Vec<_>>())
}

/// The words of a choice, when every branch is nothing but words.
fn all_words(branches: &[&Map<String, Value>]) -> Option<Vec<String>> {
    let own = |b: &&Map<String, Value>| {
        if b.contains_key("enum") || b.contains_key("const") {
            allowed_words(b)
        } else {
            None
        }
    };
    let words: Option<Vec<Vec<String>>> = branches.iter().map(own).collect();
    words.map(|words| words.concat()).filter(|words| !words.is_empty())
}

/// The key that tells the branches of a choice apart: every branch has it, each with one word of its own.
fn tag_of<'a>(branches: &[&'a Map<String, Value>]) -> Option<&'a str> {
    let (first, rest) = branches.split_first()?;
    let keys = first.get("properties")?.as_object()?.keys();
    keys.map(String::as_str).find(|key| {
        tag_word(first, key).is_some() && !rest.is_empty() && rest.iter().all(|branch| tag_word(branch, key).is_some())
    })
}

fn tag_word<'a>(branch: &'a Map<String, Value>, tag: &str) -> Option<&'a str> {
    branch.get("properties")?.get(tag)?.get("const")?.as_str()
}

fn is_null(rules: &Map<String, Value>) -> bool {
    rules.get("type").is_some_and(|name| name == "null")
}

fn plain(word: &Value) -> String {
    word.as_str().map_or_else(|| word.to_string(), str::to_owned)
}

fn named(key: Option<&Entry>) -> String {
    key.map_or(String::new(), |entry| format!("{:?}: ", entry.key))
}

fn types_in_words(rules: &Map<String, Value>) -> String {
    let word = |name: &str| match name {
        "object" => "a table",
        "array" => "a list",
        "string" => "a text",
        "integer" => "a whole number",
        "number" => "a number",
        "boolean" => "true or false",
        _ => "a value",
    };
    match rules.get("type") {
        Some(Value::String(name)) => word(name).to_owned(),
        Some(Value::Array(names)) => {
            let names = names.iter().filter_map(Value::as_str).filter(|name| *name != "null");
            names.map(word).collect::<Vec<_>>().join(" or ")
        }
        _ if allowed_words(rules).is_some() => "a word".to_owned(),
        _ => "a value".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use crate::strict::read;
    use schemars::JsonSchema;
    use serde::Deserialize;
    use std::collections::BTreeMap;

    #[derive(Debug, Deserialize, JsonSchema)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only read, never looked at")]
    struct House {
        /// The floors, from the ground.
        floors: u8,
        link: Link,
        #[serde(default)]
        room: BTreeMap<String, Room>,
        limit: Option<f64>,
    }

    #[derive(Debug, Deserialize, JsonSchema)]
    #[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
    #[expect(dead_code, reason = "only read, never looked at")]
    enum Link {
        Mqtt(Mqtt),
        Modbus { serial: String, baud: u32 },
    }

    #[derive(Debug, Deserialize, JsonSchema)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only read, never looked at")]
    struct Mqtt {
        host: String,
        port: Option<u16>,
    }

    #[derive(Debug, Deserialize, JsonSchema)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only read, never looked at")]
    struct Room {
        side: Side,
        #[schemars(range(min = 5, max = 35))]
        warm: Option<f64>,
    }

    #[derive(Debug, Deserialize, JsonSchema)]
    #[serde(rename_all = "snake_case")]
    enum Side {
        /// To the street.
        Street,
        /// To the garden.
        Garden,
    }

    fn told(text: &str) -> Vec<String> {
        match read::<House>("h.toml", text) {
            Ok(_) => Vec::new(),
            Err(faults) => faults.iter().map(ToString::to_string).collect(),
        }
    }

    #[test]
    fn a_right_text_has_no_fault() {
        let text = "floors = 3\n[link]\ntype = 'mqtt'\nhost = 'h'\n[room.1204]\nside = 'garden'\nwarm = 21";
        assert_eq!(told(text), Vec::<String>::new());
    }

    #[test]
    fn every_fault_is_told_at_once_with_place_and_remedy() {
        let text = "flors = 3\nlimit = 'much'\n[link]\ntype = 'mqtt'\nhosst = 'h'\nport = 99999\n[room.1204]\nside = 'gardn'\nwarm = 50\n";
        assert_eq!(
            told(text),
            [
                "h.toml:1:1: missing key \"floors\"; write floors = ...: The floors, from the ground.",
                "h.toml:1:1: unknown key \"flors\"; did you mean \"floors\"?",
                "h.toml:2:9: \"limit\": expected a number, found a text",
                "h.toml:3:2: missing key \"host\" in \"link\"; write host = a text",
                "h.toml:5:1: unknown key \"hosst\"; did you mean \"host\"?",
                "h.toml:6:8: \"port\": 99999 is out of range; write a number from 0 to 65535",
                "h.toml:8:8: \"side\": unknown value \"gardn\"; did you mean \"garden\"?",
                "h.toml:9:8: \"warm\": 50 is out of range; write a number from 5 to 35",
            ]
        );
    }

    #[test]
    fn a_choice_is_followed_down_the_branch_that_was_chosen() {
        assert_eq!(
            told("floors = 1\n[link]\ntype = 'modbus'\nserial = '/dev/x'\nhost = 'y'\n"),
            [
                "h.toml:2:2: missing key \"baud\" in \"link\"; write baud = a whole number",
                "h.toml:5:1: unknown key \"host\"; did you mean \"baud\"?",
            ]
            .map(|line| line.replace("did you mean \"baud\"?", "write one of \"baud\""))
        );
        assert_eq!(
            told("floors = 1\n[link]\ntype = 'mqttt'\n"),
            ["h.toml:3:8: unknown type \"mqttt\"; did you mean \"mqtt\"?"]
        );
    }

    #[test]
    fn what_is_no_number_is_no_number() {
        let text = "floors = 3\nlimit = nan\n[link]\ntype = 'mqtt'\nhost = 'h'\n";
        assert_eq!(told(text).len(), 1);
    }
}
