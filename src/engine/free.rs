//! Which free rooms are cheapest to give to somebody who walks in, and how many are kept nearly ready?
//!
//! Each free room reckons, once an hour, how long it would take to make it ready for a guest of whom nothing is known: its
//! own temperature, the mass behind it, the weather, and the rooms beside it are all in its thermal model. The list is
//! those figures, the shortest first. As many of them are held at the level of sold rooms as walk-ins are to be expected in
//! the hours ahead, never more than the property allows.

use super::Engine;
use crate::model::{Effect, FreeRoom, Key, Moment, SaveWhen, Span};
use serde::{Deserialize, Serialize};

/// Who was heard of for the first time this shortly before the check-in walked in.
pub const WALKED_IN_WITHIN: Span = Span::minutes(30);
/// Rooms are kept for walk-ins of so many hours ahead: a room needs most of that to come up from an unsold level.
const HOURS_AHEAD: usize = 3;
/// In four of five such stretches there are to be enough of them.
const ENOUGH: f64 = 0.8;
/// Each day makes earlier ones weigh so much less: a month counts.
const KEEP: f64 = 0.97;
/// With less than a week seen, nothing is expected.
const DAYS_MIN: f64 = 7.0;
/// It is decided so often which rooms are kept.
const ROUND: Span = Span::minutes(30);
/// Central is told of so many free rooms and no more.
pub const TOLD_MAX: usize = 20;

/// When guests walk in, by the hour of the local day.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct WalkIns {
    hours: Vec<f64>,
    days: f64,
    day: Option<i32>,
}

impl WalkIns {
    /// A local day has begun, or goes on.
    fn live(&mut self, day: i32) {
        self.hours.resize(24, 0.0);
        if self.day.is_some_and(|known| known >= day) {
            return;
        }
        let passed = self.day.map_or(0, |known| day.saturating_sub(known)).min(365);
        for _ in 0..passed {
            self.hours.iter_mut().for_each(|hour| *hour *= KEEP);
            self.days = self.days * KEEP + 1.0;
        }
        self.day = Some(day);
    }

    /// Somebody walked in at this minute of the local day.
    pub fn came(&mut self, day: i32, minute: u16) {
        self.live(day);
        self.hours[usize::from(minute) / 60 % 24] += 1.0;
    }

    /// How many rooms are enough for those who will walk in during the hours after this minute of the day.
    fn expected(&self, minute: u16) -> usize {
        if self.days < DAYS_MIN || self.hours.len() < 24 {
            return 0;
        }
        let first = usize::from(minute) / 60;
        let mean = (first..first + HOURS_AHEAD)
            .map(|hour| self.hours[hour % 24])
            .sum::<f64>()
            / self.days;
        enough_for(mean)
    }
}

/// The least number that is not passed in four of five draws of a Poisson distribution with this mean.
fn enough_for(mean: f64) -> usize {
    // Beyond this nobody keeps rooms; and the sum below would run out of digits.
    let mean = mean.clamp(0.0, 50.0);
    let (mut chance, mut sum, mut number) = ((-mean).exp(), 0.0, 0);
    loop {
        sum += chance;
        if sum >= ENOUGH || number >= 200 {
            return number;
        }
        number += 1;
        chance *= mean / number as f64;
    }
}

/// When it was last decided which rooms are kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Pool {
    round: Option<i64>,
}

impl Pool {
    /// When it is decided anew; none where no rooms are kept.
    pub fn deadline(&self) -> Option<Moment> {
        self.round
            .map(|round| Moment::from_millis((round + 1) * ROUND.as_millis()))
    }
}

impl Engine {
    /// The free rooms, those that are soonest ready first.
    pub fn free_rooms(&self, now: Moment) -> Vec<FreeRoom> {
        let mut free: Vec<FreeRoom> = (0..self.rooms.len())
            .filter_map(|place| self.rooms[place].free(self.world(place, now)))
            .collect();
        free.sort_by(|a, b| (a.takes_min, &a.room).cmp(&(b.takes_min, &b.room)));
        free
    }

    /// Decides which free rooms are kept nearly ready, if it is time.
    pub(super) fn run_pool(&mut self, now: Moment, effects: &mut Vec<Effect>) {
        let most = usize::from(self.property.policies.arrival.walk_in_pool_max);
        let round = now.millis().div_euclid(ROUND.as_millis());
        if self.common.pool.round == Some(round) || most == 0 && self.common.pool.round.is_none() {
            return;
        }
        let minute = self.calendar.minute(now);
        self.common.lessons.walk_ins.live(self.calendar.day(now));
        let number = self.common.lessons.walk_ins.expected(minute).min(most);
        self.keep(number, now, effects);
        self.common.pool.round = (most > 0).then_some(round);
        effects.push(Effect::Save {
            key: Key::Property,
            when: SaveWhen::Soon,
        });
    }

    /// Keeps so many: those that are kept already while they stay free, then the soonest ready.
    fn keep(&mut self, number: usize, now: Moment, effects: &mut Vec<Effect>) {
        let mut free = self.free_rooms(now);
        free.sort_by_key(|room| !room.is_kept);
        let kept: Vec<usize> = free
            .iter()
            .take(number)
            .filter_map(|room| self.places.get(&room.room).copied())
            .collect();
        for place in 0..self.rooms.len() {
            let keeps = kept.contains(&place);
            if self.rooms[place].is_kept() != keeps {
                self.in_room(place, now, effects, |room, world, out| {
                    room.keep_nearly_ready(world, keeps, number, out);
                });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_are_kept_as_are_enough_in_four_of_five_cases() {
        assert_eq!([0.0, 0.2, 1.0, 2.0, 4.0].map(enough_for), [0, 0, 2, 3, 6]);
        assert_eq!((enough_for(f64::NAN), enough_for(1e9) < 80), (200, true));
    }

    #[test]
    fn walk_ins_are_expected_at_the_hours_at_which_they_came() {
        let mut walk_ins = WalkIns::default();
        for day in 0..30 {
            walk_ins.came(day, 1210);
            walk_ins.came(day, 1250);
        }
        assert!(walk_ins.expected(1170) >= 2, "{walk_ins:?}");
        assert_eq!(walk_ins.expected(480), 0);
        walk_ins.live(200);
        assert_eq!(walk_ins.expected(1170), 0, "long ago");
    }
}
