//! Which records has telemetry changed, and when are they written at the latest?

use crate::model::{Key, Moment};
use std::collections::BTreeMap;

/// Records that wait to be written. There are hundreds of them and the loop asks at every turn, so the answer is at hand.
#[derive(Debug, Default)]
pub struct Lazy {
    due: BTreeMap<Key, Moment>,
    /// No record is due before.
    next: Option<Moment>,
}

impl Lazy {
    /// Puts a record down for a moment, unless it stands there already.
    pub fn put(&mut self, key: Key, at: Moment) {
        self.next = Some(self.next.map_or(at, |next| next.min(at)));
        self.due.entry(key).or_insert(at);
    }

    /// The record is written, or gone.
    pub fn remove(&mut self, key: &Key) {
        self.due.remove(key);
    }

    /// When to ask again: no record is due before.
    pub fn next(&self) -> Option<Moment> {
        self.next
    }

    /// Takes the records that are due by now.
    pub fn take_due(&mut self, now: Moment) -> Vec<Key> {
        if self.next.is_none_or(|next| next > now) {
            return Vec::new();
        }
        let due = self.due.iter().filter(|(_, at)| **at <= now);
        let due: Vec<Key> = due.map(|(key, _)| key.clone()).collect();
        due.iter().for_each(|key| self.remove(key));
        self.next = self.due.values().min().copied();
        due
    }

    /// Takes all, due or not.
    pub fn take_all(&mut self) -> impl Iterator<Item = Key> {
        self.next = None;
        std::mem::take(&mut self.due).into_keys()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::RoomId;

    fn room(name: &str) -> Key {
        Key::Room(RoomId::new(name).unwrap())
    }

    #[test]
    fn a_record_is_due_when_it_was_first_put_down_for() {
        let (mut lazy, at) = (Lazy::default(), Moment::from_millis);
        lazy.put(room("1"), at(20));
        lazy.put(room("2"), at(10));
        lazy.put(room("1"), at(30));
        assert_eq!(lazy.next(), Some(at(10)));
        assert_eq!(lazy.take_due(at(9)), []);
        assert_eq!(lazy.take_due(at(10)), [room("2")]);
        assert_eq!(lazy.next(), Some(at(20)));
        assert_eq!(lazy.take_due(at(25)), [room("1")]);
        assert_eq!((lazy.next(), lazy.take_due(at(99))), (None, Vec::new()));
    }

    #[test]
    fn a_record_that_was_written_otherwise_costs_one_look_in_vain() {
        let (mut lazy, at) = (Lazy::default(), Moment::from_millis);
        lazy.put(room("1"), at(10));
        lazy.remove(&room("1"));
        assert_eq!((lazy.take_due(at(10)), lazy.next()), (Vec::new(), None));
        lazy.put(room("2"), at(20));
        assert_eq!(lazy.take_all().collect::<Vec<_>>(), [room("2")]);
        assert_eq!(lazy.next(), None);
    }
}
