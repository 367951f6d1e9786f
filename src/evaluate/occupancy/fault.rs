//! What if a sensor fails? The same happenings, as they would have been heard with one of them broken.

use super::Told;
use super::house::{House, Sensor};
use crate::evaluate::preparation::dice::Dice;
use crate::model::{Moment, Span};

/// False bursts at random, in the mean so far apart.
const FALSE_EVERY: Span = Span::hours(2);
/// A chattering sensor says something in the mean so often.
const CHATTER_EVERY: Span = Span::minutes(3);
/// A chattering contact makes this many more.
const BOUNCE_EVERY: Span = Span::seconds(40);

/// What is broken in every room that has the sensor, from a moment of the stay on that chance decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "daemon", derive(clap::ValueEnum))]
pub enum Broken {
    /// The motion sensor sees something that is not there, every other hour, from the beginning.
    FalseMotion,
    /// The bed sensor says nothing more.
    BedSilent,
    /// The bed sensor says "empty" and nothing more.
    BedEmpty,
    /// The bed sensor says "in use" and nothing more.
    BedInUse,
    /// The motion sensor says nothing more.
    MotionSilent,
    /// The motion sensor sees something every few minutes.
    MotionChatters,
    /// The door contact says nothing more.
    DoorSilent,
    /// The door contact opens and closes all the time.
    DoorChatters,
}

impl Broken {
    /// Which sensor it is.
    pub const fn sensor(self) -> Sensor {
        match self {
            Broken::BedSilent | Broken::BedEmpty | Broken::BedInUse => Sensor::Bed,
            Broken::FalseMotion | Broken::MotionSilent | Broken::MotionChatters => Sensor::Motion,
            Broken::DoorSilent | Broken::DoorChatters => Sensor::Door,
        }
    }
}

/// Breaks the sensor in each room, and returns since when, by place.
pub fn break_it(broken: Broken, seed: u64, house: &House, told: &mut Vec<Told>) -> Vec<Option<Moment>> {
    let places = 0..house.rooms.len();
    let since = places.map(|place| {
        let has = house.rooms[place].sensors.contains(&broken.sensor());
        let (from, to) = stay(place, told).filter(|_| has)?;
        let mut dice = Dice::new(seed, place as u64);
        let share = dice.between(0.0, 1.0);
        Some(from + Span::from_minutes_f64(to.since(from).as_minutes_f64() * share))
    });
    let since: Vec<Option<Moment>> = since.collect();
    for (place, at) in since.iter().enumerate().filter_map(|(place, at)| Some((place, (*at)?))) {
        one(broken, seed, place, at, told);
    }
    told.sort_by_key(|one| one.at);
    since
}

fn one(broken: Broken, seed: u64, place: usize, since: Moment, told: &mut Vec<Told>) {
    let end = told
        .iter()
        .filter(|one| one.place == place)
        .map(|one| one.at)
        .max()
        .unwrap_or(since);
    let says = |is_begun: bool| Told {
        at: since,
        place,
        sensor: broken.sensor(),
        is_begun,
    };
    let mut dice = Dice::new(seed, (1 << 32) | place as u64);
    let mut at_random = |from: Moment, every: Span| {
        let mut moments = Vec::new();
        let mut now = from;
        loop {
            let wait = -every.as_minutes_f64() * (1.0 - dice.between(0.0, 1.0)).ln();
            now = now + Span::from_minutes_f64(wait);
            if now >= end {
                return moments;
            }
            moments.push(now);
        }
    };
    match broken {
        Broken::FalseMotion => {
            let moments = at_random(super::midnight(), FALSE_EVERY);
            told.extend(moments.into_iter().map(|at| Told { at, ..says(true) }));
        }
        Broken::MotionChatters => {
            let moments = at_random(since, CHATTER_EVERY);
            told.extend(moments.into_iter().map(|at| Told { at, ..says(true) }));
        }
        Broken::DoorChatters => {
            let moments = at_random(since, BOUNCE_EVERY);
            told.extend(
                moments
                    .into_iter()
                    .enumerate()
                    .map(|(n, at)| Told { at, ..says(n % 2 == 0) }),
            );
        }
        Broken::BedSilent | Broken::MotionSilent | Broken::DoorSilent | Broken::BedEmpty | Broken::BedInUse => {
            told.retain(|one| one.place != place || one.sensor != broken.sensor() || one.at < since);
            match broken {
                Broken::BedEmpty => told.push(says(false)),
                Broken::BedInUse => told.push(says(true)),
                _ => {}
            }
        }
    }
}

/// The first stay of a room, by what the desk said.
fn stay(place: usize, told: &[Told]) -> Option<(Moment, Moment)> {
    let mut desk = told
        .iter()
        .filter(|one| one.place == place && one.sensor == Sensor::Pms);
    Some((desk.next()?.at, desk.next()?.at))
}

#[cfg(test)]
mod tests {
    use super::super::made_up::hotel;
    use super::*;

    #[test]
    fn a_silent_bed_says_nothing_after_it_broke_and_everything_before() {
        let (house, whole, _) = hotel(1, 6);
        let mut told = whole.clone();
        let since = break_it(Broken::BedSilent, 1, &house, &mut told);
        let of_bed = |told: &[Told], place: usize| {
            let bed = told
                .iter()
                .filter(|one| one.place == place && one.sensor == Sensor::Bed);
            bed.map(|one| one.at).collect::<Vec<_>>()
        };
        for (place, since) in since.iter().enumerate() {
            let before: Vec<Moment> = of_bed(&whole, place)
                .into_iter()
                .filter(|at| since.is_none_or(|s| *at < s))
                .collect();
            assert_eq!(of_bed(&told, place), before);
        }
        assert!(told.len() < whole.len());
    }

    #[test]
    fn what_chatters_is_heard_more_often_and_nothing_is_lost() {
        let (house, whole, _) = hotel(1, 3);
        let mut told = whole.clone();
        break_it(Broken::MotionChatters, 1, &house, &mut told);
        assert!(told.len() > whole.len() + 100 && whole.iter().all(|one| told.contains(one)));
    }
}
