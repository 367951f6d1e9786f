//! How is a map of a few entries held without waste?
//!
//! A tree's smallest node has room for eleven entries, whether they come or not. A property holds thousands of maps of one
//! to ten: what each device said last, by what name its bridge knows it. Here they are a sorted list with no room to spare.
//! It is written and read like any other map.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Borrow;
use std::collections::BTreeMap;

/// A map of a few entries, in the order of its keys. Looking up takes time with their number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Few<K, V>(Vec<(K, V)>);

impl<K, V> Few<K, V> {
    /// An empty map.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// The keys, in their order.
    pub fn keys(&self) -> impl Iterator<Item = &K> {
        self.0.iter().map(|(key, _)| key)
    }

    /// The entries, in the order of their keys.
    pub fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.0.iter().map(|(key, value)| (key, value))
    }

    /// The values, to be changed.
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.0.iter_mut().map(|(_, value)| value)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Drops the entries of which this does not hold.
    pub fn retain(&mut self, mut holds: impl FnMut(&K, &V) -> bool) {
        self.0.retain(|(key, value)| holds(key, value));
    }
}

impl<K: Ord, V> Few<K, V> {
    /// The value under a key.
    pub fn get<Q: Eq + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        // Of a few, asking each whether it is the one is quicker than asking which comes before: texts mostly differ in length.
        let found = self.0.iter().find(|(own, _)| own.borrow() == key);
        found.map(|(_, value)| value)
    }

    /// Puts a value under a key; returns what was there.
    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        match self.0.binary_search_by(|(own, _)| own.cmp(&key)) {
            Ok(place) => Some(std::mem::replace(&mut self.0[place].1, value)),
            Err(place) => {
                self.insert_at(place, key, value);
                None
            }
        }
    }

    /// The value under a key, which is made when there is none.
    pub fn get_or_insert_with(&mut self, key: &K, make: impl FnOnce() -> V) -> &mut V
    where
        K: Clone,
    {
        let place = match self.0.iter().position(|(own, _)| own == key) {
            Some(place) => place,
            None => {
                let place = self.0.partition_point(|(own, _)| own < key);
                self.insert_at(place, key.clone(), make());
                place
            }
        };
        &mut self.0[place].1
    }

    fn insert_at(&mut self, place: usize, key: K, value: V) {
        self.0.reserve_exact(1);
        self.0.insert(place, (key, value));
    }
}

impl<K, V> Default for Few<K, V> {
    fn default() -> Self {
        Self::new()
    }
}

/// Of several entries with one key the last counts.
impl<K: Ord, V> FromIterator<(K, V)> for Few<K, V> {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        let mut few = Self::new();
        few.extend(entries);
        few
    }
}

impl<K: Ord, V> Extend<(K, V)> for Few<K, V> {
    fn extend<I: IntoIterator<Item = (K, V)>>(&mut self, entries: I) {
        for (key, value) in entries {
            self.insert(key, value);
        }
    }
}

impl<K, V> IntoIterator for Few<K, V> {
    type Item = (K, V);
    type IntoIter = std::vec::IntoIter<(K, V)>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<K: Ord, V, const N: usize> From<[(K, V); N]> for Few<K, V> {
    fn from(entries: [(K, V); N]) -> Self {
        entries.into_iter().collect()
    }
}

impl<K: Serialize, V: Serialize> Serialize for Few<K, V> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_map(self.iter())
    }
}

impl<'de, K: Deserialize<'de> + Ord, V: Deserialize<'de>> Deserialize<'de> for Few<K, V> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        BTreeMap::deserialize(from).map(|entries| entries.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_does_what_a_tree_does_and_is_written_alike() {
        let (mut few, mut tree) = (Few::new(), BTreeMap::new());
        for step in 0..200_u32 {
            let (key, value) = (format!("k{}", step * 7 % 13), step);
            assert_eq!(few.insert(key.clone(), value), tree.insert(key, value));
            let key = format!("k{}", step * 5 % 17);
            assert_eq!(few.get(key.as_str()), tree.get(&key));
            *few.get_or_insert_with(&key, || 0) += 1;
            *tree.entry(key).or_insert(0) += 1;
            if step % 50 == 49 {
                few.retain(|_, value| value % 3 > 0);
                tree.retain(|_, value| *value % 3 > 0);
            }
            let text = serde_json::to_string(&tree).unwrap();
            assert_eq!(serde_json::to_string(&few).unwrap(), text);
            assert_eq!(serde_json::from_str::<Few<String, u32>>(&text).unwrap(), few);
        }
    }

    #[test]
    fn it_keeps_no_room_to_spare() {
        let mut few = Few::new();
        (0..5).for_each(|key| _ = few.insert(key, [0_u8; 40]));
        assert_eq!(few.0.capacity(), 5);
    }
}
