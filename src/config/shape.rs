//! Does a file have the shape the schema asks for?
//!
//! `strict` holds keys, types and ranges against the schema. Texts with a form of their own (ids, lengths of time) are
//! known in the schema by the name of their type; they are held here against the reader of that type, all at once.

use super::file::File;
use super::words::Lasting;
use crate::model::{DeviceId, LinkId, ProfileId, PropertyId, RoomId, SuiteId, ZoneId};
use crate::strict::{self, Fault, Kind, Node, Tree};
use schemars::Schema;
use serde_json::Value;

/// Says what is wrong with a text that should be of a form.
type Reader = fn(&str) -> Result<(), String>;

/// The types of text with a form of their own, by their name in the schema, and what reads them.
const FORMS: [(&str, Reader); 8] = [
    ("PropertyId", |text| {
        PropertyId::new(text).map(drop).map_err(|e| e.to_string())
    }),
    ("RoomId", |text| RoomId::new(text).map(drop).map_err(|e| e.to_string())),
    ("ZoneId", |text| ZoneId::new(text).map(drop).map_err(|e| e.to_string())),
    ("SuiteId", |text| {
        SuiteId::new(text).map(drop).map_err(|e| e.to_string())
    }),
    ("DeviceId", |text| {
        DeviceId::new(text).map(drop).map_err(|e| e.to_string())
    }),
    ("LinkId", |text| LinkId::new(text).map(drop).map_err(|e| e.to_string())),
    ("ProfileId", |text| {
        ProfileId::new(text).map(drop).map_err(|e| e.to_string())
    }),
    ("Lasting", |text| text.parse::<Lasting>().map(drop)),
];

/// Returns the schema of a configuration file. It is made anew: a daemon needs it for a moment, and runs for years.
pub(super) fn schema() -> Schema {
    schemars::schema_for!(File)
}

/// Returns every fault of shape in a file.
pub(super) fn faults(tree: &Tree, schema: &Schema) -> Vec<Fault> {
    let mut faults = strict::check_tree(tree, schema);
    let mut walk = Walk {
        tree,
        whole: schema.as_value(),
        path: Vec::new(),
        faults: &mut faults,
    };
    walk.node(tree.root(), schema.as_value());
    faults
}

struct Walk<'a> {
    tree: &'a Tree,
    whole: &'a Value,
    path: Vec<String>,
    faults: &'a mut Vec<Fault>,
}

impl Walk<'_> {
    fn node(&mut self, node: &Node, schema: &Value) {
        if let Some(name) = schema
            .get("$ref")
            .and_then(Value::as_str)
            .and_then(|link| link.strip_prefix("#/$defs/"))
        {
            if let (Kind::Text(text), Some((_, read))) = (&node.kind, FORMS.iter().find(|(form, _)| *form == name)) {
                return self.text(text, *read);
            }
            let whole = self.whole;
            if let Some(target) = whole.get("$defs").and_then(|all| all.get(name)) {
                self.node(node, target);
            }
        }
        for choice in ["anyOf", "oneOf", "allOf"] {
            for branch in schema.get(choice).and_then(Value::as_array).into_iter().flatten() {
                self.node(node, branch);
            }
        }
        match &node.kind {
            Kind::Table(entries) => {
                for entry in entries {
                    let named = schema.get("properties").and_then(|all| all.get(&entry.key));
                    if let Some(next) = named.or_else(|| schema.get("additionalProperties")) {
                        self.below(entry.key.clone(), &entry.value, next);
                    }
                }
            }
            Kind::List(items) => {
                if let Some(next) = schema.get("items") {
                    items
                        .iter()
                        .enumerate()
                        .for_each(|(n, item)| self.below(n.to_string(), item, next));
                }
            }
            _ => {}
        }
    }

    fn below(&mut self, step: String, node: &Node, schema: &Value) {
        self.path.push(step);
        self.node(node, schema);
        self.path.pop();
    }

    fn text(&mut self, text: &str, read: Reader) {
        if let Err(what) = read(text) {
            let path: Vec<&str> = self.path.iter().map(String::as_str).collect();
            let fault = self.tree.fault(&path, what, "");
            if !self.faults.contains(&fault) {
                self.faults.push(fault);
            }
        }
    }
}
