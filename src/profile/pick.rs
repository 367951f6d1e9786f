//! Which of the wanted keys does a JSON document carry?
//!
//! The hot path of the daemon: a property hears hundreds of documents a second and wants a handful of keys of each. The
//! document is read once, from front to back; what is not wanted is passed over without being built.

use super::meaning::Raw;
use super::rejection::Rejection;
use serde::de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::borrow::Cow;
use std::fmt;

/// How deep a document may nest; the deepest of the known bridges nests five levels.
pub(crate) const DEPTH_MAX: usize = 16;

/// The keys wanted of one kind of document.
#[derive(Debug, Clone, Default)]
pub(crate) struct Picker {
    root: Branch,
    slots: usize,
}

#[derive(Debug, Clone, Default)]
struct Branch {
    name: Box<str>,
    /// Its place, when it names one in a list.
    place: Option<usize>,
    slot: Option<usize>,
    below: Vec<Branch>,
}

impl Picker {
    /// Wants the value at a path (`a.b`, `a.0`); returns the slot it will be in.
    pub fn want(&mut self, path: &str) -> usize {
        let mut at = &mut self.root;
        for step in path.split('.') {
            let found = at
                .below
                .iter()
                .position(|branch| *branch.name == *step)
                .unwrap_or_else(|| {
                    let place = step.parse().ok();
                    at.below.push(Branch {
                        name: step.into(),
                        place,
                        ..Branch::default()
                    });
                    at.below.len() - 1
                });
            at = &mut at.below[found];
        }
        let next = self.slots;
        let slot = *at.slot.get_or_insert(next);
        self.slots += usize::from(slot == next);
        slot
    }

    /// Reads a document; each slot holds what stood at its path, or nothing.
    pub fn pick<'a>(&self, text: &'a str, list: bool) -> Result<Vec<Option<Raw<'a>>>, Rejection> {
        let opening = if list { b'[' } else { b'{' };
        if text.bytes().find(|b| !b.is_ascii_whitespace()) != Some(opening) {
            let whole = serde_json::from_str::<IgnoredAny>(text);
            return Err(if whole.is_ok() {
                Rejection::NotAnObject
            } else {
                Rejection::Json
            });
        }
        if is_too_deep(text) {
            return Err(Rejection::TooDeep);
        }
        let mut slots = vec![None; self.slots];
        let mut reader = serde_json::Deserializer::from_str(text);
        Grab {
            branch: &self.root,
            slots: &mut slots,
        }
        .deserialize(&mut reader)
        .map_err(|_| Rejection::Json)?;
        reader.end().map_err(|_| Rejection::Json)?;
        Ok(slots)
    }
}

fn is_too_deep(text: &str) -> bool {
    // Nearly every document has fewer brackets than it may have levels, and counting them is quick.
    let brackets = text.bytes().filter(|byte| matches!(byte, b'{' | b'[')).count();
    brackets > DEPTH_MAX && nests_too_deep(text)
}

fn nests_too_deep(text: &str) -> bool {
    let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'{' | b'[' if !quoted => {
                depth += 1;
                if depth > DEPTH_MAX {
                    return true;
                }
            }
            b'}' | b']' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    false
}

/// Reads one value below a branch.
struct Grab<'s, 'a> {
    branch: &'s Branch,
    slots: &'s mut Vec<Option<Raw<'a>>>,
}

impl<'a> Grab<'_, 'a> {
    fn keep(self, raw: Raw<'a>) {
        if let Some(slot) = self.branch.slot {
            self.slots[slot] = Some(raw);
        }
    }
}

impl<'a> DeserializeSeed<'a> for Grab<'_, 'a> {
    type Value = ();
    fn deserialize<D: serde::Deserializer<'a>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl<'a> Visitor<'a> for Grab<'_, 'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }
    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.keep(Raw::Null);
        Ok(())
    }
    fn visit_bool<E: Error>(self, flag: bool) -> Result<(), E> {
        self.keep(Raw::Flag(flag));
        Ok(())
    }
    fn visit_i64<E: Error>(self, n: i64) -> Result<(), E> {
        self.keep(Raw::Number(n as f64));
        Ok(())
    }
    fn visit_u64<E: Error>(self, n: u64) -> Result<(), E> {
        self.keep(Raw::Number(n as f64));
        Ok(())
    }
    fn visit_f64<E: Error>(self, n: f64) -> Result<(), E> {
        self.keep(Raw::Number(n));
        Ok(())
    }
    fn visit_borrowed_str<E: Error>(self, text: &'a str) -> Result<(), E> {
        self.keep(Raw::Text(Cow::Borrowed(text)));
        Ok(())
    }
    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        self.keep(Raw::Text(Cow::Owned(text.to_owned())));
        Ok(())
    }
    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(below) = map.next_key_seed(Key(self.branch))? {
            match below {
                Some(branch) => map.next_value_seed(Grab {
                    branch,
                    slots: &mut *self.slots,
                })?,
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        self.keep(Raw::Composite);
        Ok(())
    }
    fn visit_seq<A: SeqAccess<'a>>(self, mut seq: A) -> Result<(), A::Error> {
        for place in 0.. {
            let below = self.branch.below.iter().find(|branch| branch.place == Some(place));
            let more = match below {
                Some(branch) => seq
                    .next_element_seed(Grab {
                        branch,
                        slots: &mut *self.slots,
                    })?
                    .is_some(),
                None => seq.next_element::<IgnoredAny>()?.is_some(),
            };
            if !more {
                break;
            }
        }
        self.keep(Raw::Composite);
        Ok(())
    }
}

/// Reads a key and finds the branch of that name.
struct Key<'s>(&'s Branch);

impl<'a, 's> DeserializeSeed<'a> for Key<'s> {
    type Value = Option<&'s Branch>;
    fn deserialize<D: serde::Deserializer<'a>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_str(self)
    }
}

impl<'s> Visitor<'_> for Key<'s> {
    type Value = Option<&'s Branch>;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }
    fn visit_str<E: Error>(self, key: &str) -> Result<Self::Value, E> {
        Ok(self.0.below.iter().find(|branch| *branch.name == *key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wanted_keys_are_found_at_any_depth() {
        let mut picker = Picker::default();
        let (a, b, c) = (picker.want("a"), picker.want("o.b"), picker.want("l.1.x"));
        assert_eq!(picker.want("a"), a, "wanted twice, kept once");
        let found = picker
            .pick(r#"{"z":[{}],"a":1,"o":{"q":0,"b":"t"},"l":[0,{"x":true}]}"#, false)
            .unwrap();
        assert_eq!(found[a], Some(Raw::Number(1.0)));
        assert_eq!(found[b], Some(Raw::Text("t".into())));
        assert_eq!(found[c], Some(Raw::Flag(true)));
    }

    #[test]
    fn what_is_no_document_says_why() {
        let mut picker = Picker::default();
        picker.want("a");
        assert_eq!(picker.pick("[1]", false).unwrap_err(), Rejection::NotAnObject);
        assert_eq!(picker.pick("42", false).unwrap_err(), Rejection::NotAnObject);
        for text in ["{", "{\"a\":}", "hello", "{} {}", "{\"a\":1e999}"] {
            assert_eq!(picker.pick(text, false).unwrap_err(), Rejection::Json, "{text}");
        }
        let deep = format!("{}1{}", "{\"a\":".repeat(17), "}".repeat(17));
        assert_eq!(picker.pick(&deep, false).unwrap_err(), Rejection::TooDeep);
        let quoted = format!("{{\"a\":\"{}\"}}", "[".repeat(99));
        assert!(picker.pick(&quoted, false).is_ok(), "brackets in a text nest nothing");
    }
}
