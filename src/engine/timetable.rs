//! Which room is due next?
//!
//! Deadlines belong to the rooms; this only orders them. A room stands in it at most once, so there is no timer to forget.

use crate::model::{Moment, RoomId};
use std::collections::BTreeSet;

/// The rooms that wait for a moment, soonest first. Rooms are named by their place in the engine's list.
#[derive(Debug, Default)]
pub struct Timetable {
    queue: BTreeSet<(Moment, usize)>,
    due: Vec<Option<Moment>>,
}

impl Timetable {
    /// Puts a room down for a moment, or takes it off, in place of what stood there.
    pub fn set(&mut self, room: usize, due: Option<Moment>) {
        if self.due.len() <= room {
            self.due.resize(room + 1, None);
        }
        if self.due[room] == due {
            return;
        }
        if let Some(old) = std::mem::replace(&mut self.due[room], due) {
            self.queue.remove(&(old, room));
        }
        if let Some(new) = due {
            self.queue.insert((new, room));
        }
    }

    /// The moment a room waits for.
    pub fn due(&self, room: usize) -> Option<Moment> {
        self.due.get(room).copied().flatten()
    }

    /// The soonest moment that any room waits for.
    pub fn next(&self) -> Option<Moment> {
        self.queue.first().map(|(at, _)| *at)
    }

    /// Takes off and returns one room that is due by now.
    pub fn take_due(&mut self, now: Moment) -> Option<usize> {
        let (_, room) = *self.queue.first().filter(|(at, _)| *at <= now)?;
        self.set(room, None);
        Some(room)
    }
}

/// A room's own place in a round that all rooms make, so that a large house never does the same all at once: rooms that follow
/// each other in number follow each other in turn.
pub fn own_turn(room: &RoomId) -> i64 {
    room.as_str().bytes().map(i64::from).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_room_stands_in_it_once() {
        let (mut table, at) = (Timetable::default(), Moment::from_millis);
        table.set(3, Some(at(50)));
        table.set(3, Some(at(20)));
        table.set(1, Some(at(30)));
        assert_eq!(table.next(), Some(at(20)));
        assert_eq!(
            (table.take_due(at(40)), table.take_due(at(40)), table.take_due(at(40))),
            (Some(3), Some(1), None)
        );
        assert_eq!(table.next(), None);
    }
}
