//! What does a guest do in a day?
//!
//! A script: timed acts, in order. Pure; the hotel carries them out on its devices. A guest who is in moves now and then,
//! one who sleeps does not move at all, and one who goes out leaves the room silent: that is all a room ever knows.

use crate::model::{Moment, RoomId, Span};

/// One thing that somebody does in a room, or that happens there.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Act {
    /// Opens the door; it falls shut some seconds later.
    OpensDoor,
    /// The door falls shut.
    DoorShuts,
    /// Moves where the sensor sees it.
    Moves,
    /// Lies down in bed.
    LiesDown,
    /// Gets up.
    GetsUp,
    /// Turns the dial, C.
    TurnsDial(f64),
    /// Makes the bed so firm, 0 soft to 100 hard.
    SetsFirmness(f64),
    /// Water reaches the sensor on the floor, or is gone again.
    Water(bool),
    /// The door sensor's battery is at so many percent.
    DoorBattery(f64),
}

/// An act with its time and place.
#[derive(Debug, Clone, PartialEq)]
pub struct Timed {
    /// When.
    pub at: Moment,
    /// Where.
    pub room: RoomId,
    /// What.
    pub act: Act,
}

/// Acts to come, in the order of their times.
#[derive(Debug, Clone, Default)]
pub struct Script {
    acts: Vec<Timed>,
}

/// A guest of the background: the hours of the day at which something happens, as minutes after local midnight.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Habits {
    /// Gets up.
    pub up_min: i64,
    /// Goes out.
    pub out_min: i64,
    /// Comes back.
    pub back_min: i64,
    /// Goes to bed.
    pub bed_min: i64,
}

impl Script {
    /// Adds one act.
    pub fn add(&mut self, at: Moment, room: &RoomId, act: Act) {
        let place = self.acts.partition_point(|timed| timed.at <= at);
        self.acts.insert(place, Timed { at, room: room.clone(), act });
    }

    /// Goes through the door: in or out, nobody can tell.
    pub fn through_door(&mut self, at: Moment, room: &RoomId) {
        self.add(at, room, Act::OpensDoor);
        self.add(at + Span::seconds(15), room, Act::DoorShuts);
    }

    /// Is in and awake over this time: moves every half hour or so, a few times more in the beginning.
    pub fn is_in(&mut self, from: Moment, to: Moment, room: &RoomId) {
        for minutes in [3, 8, 13] {
            self.add(from + Span::minutes(minutes), room, Act::Moves);
        }
        let mut at = from + Span::minutes(35);
        while at < to {
            self.add(at, room, Act::Moves);
            at = at + Span::minutes(35);
        }
    }

    /// A night and the day after it, from the evening's return on.
    pub fn night_and_day(&mut self, midnight: Moment, room: &RoomId, habits: Habits) {
        let at = |minutes: i64| midnight + Span::minutes(minutes);
        let next = |minutes: i64| midnight + Span::days(1) + Span::minutes(minutes);
        self.through_door(at(habits.back_min), room);
        self.is_in(at(habits.back_min), at(habits.bed_min), room);
        self.add(at(habits.bed_min), room, Act::LiesDown);
        self.add(next(habits.up_min), room, Act::GetsUp);
        self.is_in(next(habits.up_min), next(habits.out_min), room);
        self.through_door(next(habits.out_min), room);
    }

    /// When the next act is due.
    pub fn next_at(&self) -> Option<Moment> {
        self.acts.first().map(|timed| timed.at)
    }

    /// Takes off the script what is due.
    pub fn take_due(&mut self, now: Moment) -> Vec<Timed> {
        let due = self.acts.partition_point(|timed| timed.at <= now);
        self.acts.drain(..due).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn acts_come_in_the_order_of_their_times_each_once() {
        let (start, room) = (Moment::from_millis(1_795_000_000_000), RoomId::new("1").unwrap());
        let mut script = Script::default();
        let habits = Habits { up_min: 420, out_min: 540, back_min: 1080, bed_min: 1380 };
        script.night_and_day(start, &room, habits);
        let (mut seen, mut now) = (Vec::new(), start);
        while let Some(next) = script.next_at() {
            now = now.max(next);
            seen.extend(script.take_due(now));
        }
        assert!(seen.is_sorted_by_key(|timed| timed.at));
        assert_eq!(seen.iter().filter(|timed| timed.act == Act::OpensDoor).count(), 2);
        let bed = seen.iter().position(|timed| timed.act == Act::LiesDown).unwrap();
        assert_eq!(seen[bed + 1].act, Act::GetsUp, "nobody moves in their sleep");
        assert!(script.take_due(Moment::LATEST).is_empty());
    }
}
