//! What does the text say, and at which line and column does each part stand?

use super::{FAULTS_MAX, Fault, TEXT_BYTES_MAX};
use serde::de::value::MapDeserializer;
use serde::de::{DeserializeOwned, DeserializeSeed, IntoDeserializer, MapAccess, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;
use std::collections::BTreeSet;
use std::fmt;
use toml::de::{DeTable, DeValue};

/// One value of the text, and where it begins.
#[derive(Debug, Clone)]
pub struct Node {
    at: usize,
    /// What it is.
    pub kind: Kind,
}

/// One key with its value.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The key, unquoted.
    pub key: String,
    key_at: usize,
    /// What stands behind it.
    pub value: Node,
}

/// What a value is.
#[derive(Debug, Clone)]
pub enum Kind {
    /// A table: its keys in the order of the file.
    Table(Vec<Entry>),
    /// A list.
    List(Vec<Node>),
    /// A text.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// A number with a fraction.
    Float(f64),
    /// True or false.
    Flag(bool),
    /// A date or time, as written.
    Date(String),
}

impl Node {
    /// The entry of this key, when this is a table that has it.
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        match &self.kind {
            Kind::Table(entries) => entries.iter().find(|entry| entry.key == key),
            _ => None,
        }
    }

    /// The value behind this key or at this place in a list.
    pub fn get(&self, step: &str) -> Option<&Node> {
        match &self.kind {
            Kind::Table(_) => self.entry(step).map(|entry| &entry.value),
            Kind::List(items) => items.get(step.parse::<usize>().ok()?),
            _ => None,
        }
    }

    /// What it is, in words.
    pub fn what(&self) -> &'static str {
        match self.kind {
            Kind::Table(_) => "a table",
            Kind::List(_) => "a list",
            Kind::Text(_) => "a text",
            Kind::Integer(_) => "a whole number",
            Kind::Float(_) => "a number",
            Kind::Flag(_) => "true or false",
            Kind::Date(_) => "a date",
        }
    }

    pub(super) fn at(&self) -> usize {
        self.at
    }
}

impl Entry {
    pub(super) fn key_at(&self) -> usize {
        self.key_at
    }
}

/// A text taken apart, with the place of every part.
#[derive(Debug, Clone)]
pub struct Tree {
    file: String,
    /// Where each line begins, in bytes.
    lines: Vec<usize>,
    text: String,
    root: Node,
}

impl Tree {
    /// Takes a TOML text apart.
    ///
    /// # Errors
    /// Every fault of syntax in it, with its place.
    pub fn parse(file: &str, text: &str) -> Result<Self, Vec<Fault>> {
        let mut tree = Self::empty(file, text);
        if text.len() > TEXT_BYTES_MAX {
            let message = format!("the file has {} bytes, {TEXT_BYTES_MAX} are read at most", text.len());
            return Err(vec![tree.fault_at(0, message, "split it")]);
        }
        let (table, errors) = DeTable::parse_recoverable(text);
        let mut faults: Vec<Fault> = errors.iter().map(|error| tree.of_syntax(error)).collect();
        let mut too_big = Vec::new();
        tree.root.kind = table_of(table.get_ref(), &mut too_big);
        faults.extend(
            too_big
                .into_iter()
                .map(|at| tree.fault_at(at, "the number is too big", "write a smaller one")),
        );
        faults.truncate(FAULTS_MAX);
        if faults.is_empty() {
            Ok(tree)
        } else {
            Err(super::in_order(faults))
        }
    }

    fn empty(file: &str, text: &str) -> Self {
        let lines = std::iter::once(0)
            .chain(text.match_indices('\n').map(|(at, _)| at + 1))
            .collect();
        Self {
            file: file.into(),
            lines,
            text: text.into(),
            root: Node {
                at: 0,
                kind: Kind::Table(Vec::new()),
            },
        }
    }

    /// The whole of it.
    pub fn root(&self) -> &Node {
        &self.root
    }

    /// The file as the caller named it.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// Returns the value at a path of keys and places in lists, `["room", "3", "device"]`.
    pub fn get(&self, path: &[&str]) -> Option<&Node> {
        path.iter().try_fold(&self.root, |node, step| node.get(step))
    }

    /// Returns line and column of what stands at a path: of a single value itself, of a table its key. Where the path
    /// ends early, the last part that exists.
    pub fn locate(&self, path: &[&str]) -> (usize, usize) {
        let (mut node, mut at) = (&self.root, self.root.at);
        for step in path {
            let Some(next) = node.get(step) else { break };
            at = match (node.entry(step), &next.kind) {
                (Some(entry), Kind::Table(_) | Kind::List(_)) => entry.key_at,
                _ => next.at,
            };
            node = next;
        }
        self.place(at)
    }

    /// Returns a fault at a path.
    pub fn fault(&self, path: &[&str], message: impl Into<String>, help: impl Into<String>) -> Fault {
        let (line, column) = self.locate(path);
        Fault {
            file: self.file.clone(),
            line,
            column,
            message: message.into(),
            help: help.into(),
        }
    }

    /// Returns a fault at the key that ends a path, rather than at its value.
    pub fn fault_at_key(&self, path: &[&str], message: impl Into<String>, help: impl Into<String>) -> Fault {
        let entry = path.split_last().and_then(|(key, way)| self.get(way)?.entry(key));
        match entry {
            Some(entry) => self.fault_at(entry.key_at, message, help),
            None => self.fault(path, message, help),
        }
    }

    /// Reads the tree as a type, in the order of the file.
    ///
    /// # Errors
    /// The first thing the type does not take, with its place.
    pub fn take<T: DeserializeOwned>(&self) -> Result<T, Fault> {
        T::deserialize(Reader(&self.root)).map_err(|snag| self.fault_at(snag.at.unwrap_or(0), snag.message, ""))
    }

    /// Reads the part at a path as a type; none when nothing stands there.
    ///
    /// # Errors
    /// The first thing the type does not take, with its place.
    pub fn take_at<T: DeserializeOwned>(&self, path: &[&str]) -> Option<Result<T, Fault>> {
        let node = self.get(path)?;
        Some(T::deserialize(Reader(node)).map_err(|snag| self.fault_at(snag.at.unwrap_or(node.at), snag.message, "")))
    }

    /// Takes out every single value at which one of the faults stands, so that the rest can still be read, and returns the
    /// paths to them.
    pub fn prune(&mut self, faults: &[Fault]) -> Vec<Vec<String>> {
        let places: BTreeSet<(usize, usize)> = faults.iter().map(|fault| (fault.line, fault.column)).collect();
        let mut root = std::mem::replace(&mut self.root.kind, Kind::Flag(false));
        let mut gone = Vec::new();
        if !places.is_empty() {
            self.prune_below(&mut root, &places, &mut Vec::new(), &mut gone);
        }
        self.root.kind = root;
        gone
    }

    fn prune_below(
        &self,
        kind: &mut Kind,
        places: &BTreeSet<(usize, usize)>,
        path: &mut Vec<String>,
        gone: &mut Vec<Vec<String>>,
    ) {
        let mut keeps = |step: String, node: &mut Node| {
            path.push(step);
            let is_single = !matches!(node.kind, Kind::Table(_) | Kind::List(_));
            let keep = !(is_single && places.contains(&self.place(node.at)));
            if keep {
                self.prune_below(&mut node.kind, places, path, gone);
            } else {
                gone.push(path.clone());
            }
            path.pop();
            keep
        };
        match kind {
            Kind::Table(entries) => entries.retain_mut(|entry| keeps(entry.key.clone(), &mut entry.value)),
            Kind::List(items) => {
                let mut place = 0..;
                items.retain_mut(|item| keeps(place.next().unwrap_or(0usize).to_string(), item));
            }
            _ => {}
        }
    }

    pub(super) fn fault_at(&self, at: usize, message: impl Into<String>, help: impl Into<String>) -> Fault {
        let (line, column) = self.place(at);
        Fault {
            file: self.file.clone(),
            line,
            column,
            message: message.into(),
            help: help.into(),
        }
    }

    fn place(&self, at: usize) -> (usize, usize) {
        let line = self.lines.partition_point(|start| *start <= at).max(1);
        let start = self.lines[line - 1];
        let end = at.min(self.text.len());
        let column = self.text.get(start..end).map_or(0, |before| before.chars().count());
        (line, column + 1)
    }

    fn of_syntax(&self, error: &toml::de::Error) -> Fault {
        let at = error.span().map_or(0, |span| span.start);
        self.fault_at(at, error.message().replace('\n', " "), "see https://toml.io")
    }
}

fn table_of(table: &DeTable<'_>, too_big: &mut Vec<usize>) -> Kind {
    let mut entries: Vec<Entry> = table
        .iter()
        .map(|(key, value)| Entry {
            key: key.get_ref().to_string(),
            key_at: key.span().start,
            value: node_of(value.span().start, value.get_ref(), too_big),
        })
        .collect();
    entries.sort_by_key(|entry| entry.key_at);
    Kind::Table(entries)
}

fn node_of(at: usize, value: &DeValue<'_>, too_big: &mut Vec<usize>) -> Node {
    let mut refuse = || {
        too_big.push(at);
        Kind::Integer(0)
    };
    let kind = match value {
        DeValue::String(text) => Kind::Text(text.to_string()),
        DeValue::Integer(n) => i64::from_str_radix(n.as_str(), n.radix()).map_or_else(|_| refuse(), Kind::Integer),
        DeValue::Float(n) => n.as_str().parse().map_or_else(|_| refuse(), Kind::Float),
        DeValue::Boolean(flag) => Kind::Flag(*flag),
        DeValue::Datetime(date) => Kind::Date(date.to_string()),
        DeValue::Array(items) => Kind::List(
            items
                .iter()
                .map(|item| node_of(item.span().start, item.get_ref(), too_big))
                .collect(),
        ),
        DeValue::Table(table) => table_of(table, too_big),
    };
    Node { at, kind }
}

/// What a type did not take, with the place of the value it was offered.
#[derive(Debug)]
struct Snag {
    at: Option<usize>,
    message: String,
}

impl fmt::Display for Snag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}
impl std::error::Error for Snag {}
impl serde::de::Error for Snag {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self {
            at: None,
            message: message.to_string(),
        }
    }
}

impl Snag {
    /// The snag at a node, unless it is known to lie deeper.
    fn or_at(self, node: &Node) -> Self {
        Self {
            at: self.at.or(Some(node.at)),
            ..self
        }
    }
}

/// The entries of a table being read; a fault without a place is at least the entry's.
struct Entries<'a> {
    rest: std::slice::Iter<'a, Entry>,
    value: Option<&'a Node>,
}

impl<'de> MapAccess<'de> for Entries<'de> {
    type Error = Snag;
    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Snag> {
        let Some(entry) = self.rest.next() else { return Ok(None) };
        self.value = Some(&entry.value);
        let key = seed.deserialize(entry.key.as_str().into_deserializer());
        key.map(Some).map_err(|snag: Snag| Snag {
            at: Some(entry.key_at),
            ..snag
        })
    }
    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Snag> {
        match self.value.take() {
            Some(node) => seed.deserialize(Reader(node)).map_err(|snag| snag.or_at(node)),
            None => Err(serde::de::Error::custom("a value was asked for before its key")),
        }
    }
}

/// The items of a list being read.
struct Items<'a>(std::slice::Iter<'a, Node>);

impl<'de> SeqAccess<'de> for Items<'de> {
    type Error = Snag;
    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Snag> {
        let Some(node) = self.0.next() else { return Ok(None) };
        seed.deserialize(Reader(node))
            .map(Some)
            .map_err(|snag| snag.or_at(node))
    }
}

/// A node being read as a type.
struct Reader<'a>(&'a Node);

impl<'de> IntoDeserializer<'de, Snag> for Reader<'de> {
    type Deserializer = Self;
    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> serde::Deserializer<'de> for Reader<'de> {
    type Error = Snag;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Snag> {
        let taken = match &self.0.kind {
            Kind::Table(entries) => visitor.visit_map(Entries {
                rest: entries.iter(),
                value: None,
            }),
            Kind::List(items) => visitor.visit_seq(Items(items.iter())),
            Kind::Text(text) | Kind::Date(text) => visitor.visit_borrowed_str(text),
            Kind::Integer(n) => visitor.visit_i64(*n),
            Kind::Float(n) => visitor.visit_f64(*n),
            Kind::Flag(flag) => visitor.visit_bool(*flag),
        };
        taken.map_err(|snag: Snag| snag.or_at(self.0))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Snag> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Snag> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Snag> {
        let taken = match &self.0.kind {
            Kind::Text(word) => visitor.visit_enum(word.as_str().into_deserializer()),
            Kind::Table(entries) => {
                let pairs = entries.iter().map(|entry| (entry.key.as_str(), Reader(&entry.value)));
                visitor.visit_enum(serde::de::value::MapAccessDeserializer::new(MapDeserializer::new(
                    pairs,
                )))
            }
            _ => Err(serde::de::Error::custom(format!(
                "expected a word, found {}",
                self.0.what()
            ))),
        };
        taken.map_err(|snag: Snag| snag.or_at(self.0))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str =
        "a = 1\n[room.\"1204\"]\ndevice = \"dôor\"\nlist = [ 5, { x = 2.5 } ]\n[[bed]]\n[[bed]]\nside = true\n";

    #[test]
    fn every_part_is_found_where_it_stands() {
        let tree = Tree::parse("t.toml", TEXT).unwrap();
        assert_eq!(tree.locate(&["a"]), (1, 5));
        assert_eq!(tree.locate(&["room", "1204"]), (2, 7));
        assert_eq!(tree.locate(&["room", "1204", "device"]), (3, 10));
        assert_eq!(tree.locate(&["room", "1204", "list", "1", "x"]), (4, 19));
        assert_eq!(tree.locate(&["bed", "1", "side"]), (7, 8));
        assert_eq!(
            tree.locate(&["room", "1204", "missing"]),
            (2, 7),
            "the last part that exists"
        );
    }

    #[test]
    fn what_is_wrong_is_taken_out_and_the_rest_stays() {
        let mut tree = Tree::parse("t.toml", "a = 1\n[b]\nc = 'x'\nd = [5, 6]\n").unwrap();
        let faults = [tree.fault(&["b", "c"], "", ""), tree.fault(&["b", "d", "0"], "", "")];
        assert_eq!(tree.prune(&faults), [vec!["b", "c"], vec!["b", "d", "0"]]);
        assert!(tree.get(&["a"]).is_some() && tree.get(&["b", "c"]).is_none());
        assert!(matches!(tree.get(&["b", "d", "0"]).unwrap().kind, Kind::Integer(6)));
    }

    #[test]
    fn every_fault_of_syntax_is_told_at_once() {
        let faults = Tree::parse("t.toml", "a = \nb = 5\nc = [1,\nd = \"x\n").unwrap_err();
        assert!(faults.len() >= 2, "{faults:?}");
        assert_eq!(faults[0].line, 1);
    }

    #[test]
    fn a_number_beyond_64_bits_is_a_fault_not_a_zero() {
        let faults = Tree::parse("t.toml", "a = 99999999999999999999").unwrap_err();
        assert!(
            faults[0].to_string().starts_with("t.toml:1:5: the number is too big"),
            "{}",
            faults[0]
        );
    }

    #[test]
    fn keys_keep_the_order_of_the_file() {
        let tree = Tree::parse("t.toml", "z = 1\na = 2\nm = 3").unwrap();
        let taken: Vec<(String, i64)> = match &tree.root().kind {
            Kind::Table(entries) => entries
                .iter()
                .map(|e| (e.key.clone(), matches!(e.value.kind, Kind::Integer(_)) as i64))
                .collect(),
            _ => unreachable!("the root is a table"),
        };
        assert_eq!(
            taken.iter().map(|(k, _)| k.as_str()).collect::<Vec<_>>(),
            ["z", "a", "m"]
        );
    }
}
