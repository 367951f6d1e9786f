//! What would somebody get right who knows every habit?
//!
//! The oracle reads the truth of the file: thing, anchor and offset of each habit, and where tonight's anchor will be. It
//! foretells each habit at its offset on every night on which it can come, and is scored as the engine is. What it misses
//! nobody can know: no guest asks every night, nor to the minute.
//!
//! When a habit began and ended the file does not say. So only the stays between the first and the last on which it showed
//! are judged: there it was lived, and they were not chosen because it came.

use super::Told;
use crate::engine::habit::NEAR_MIN;
use crate::model::Item;
use serde::Deserialize;
use serde_json::{Value as Json, json};

/// By the clock, wishes before noon belong to the evening before.
const NOON_MIN: f64 = 12.0 * 60.0;

/// One habit, as the file tells it.
#[derive(Deserialize)]
struct Habit {
    item: Item,
    anchor: Anchor,
    offset_min: f64,
}

#[derive(Deserialize, Clone, Copy, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Anchor {
    Clock,
    CheckIn,
    Bed,
    Wake,
}

/// What the oracle foretold so far.
#[derive(Default)]
pub(super) struct Oracle {
    foretold: usize,
    met: usize,
    asked: usize,
    met_of_habit: usize,
}

impl Oracle {
    /// Lives through the stays of one guest. Habits that are told in another form are none to the oracle.
    pub(super) fn live_through(&mut self, truth: Option<&Json>, stays: &[Vec<Told>]) {
        let habits: Option<Vec<Habit>> = truth.and_then(|habits| serde_json::from_value(habits.clone()).ok());
        for habit in habits.unwrap_or_default() {
            let shows = |stay: &Vec<Told>| stay.iter().any(|told| habit.asked(told).next().is_some());
            let (first, last) = (stays.iter().position(shows), stays.iter().rposition(shows));
            let between = first.zip(last).and_then(|(first, last)| stays.get(first + 1..last));
            let nights = between.unwrap_or_default().iter().flatten();
            nights.for_each(|told| self.night(&habit, told));
        }
    }

    fn night(&mut self, habit: &Habit, told: &Told) {
        self.asked += habit.asked(told).count();
        let Some(minute) = habit.minute(told) else { return };
        self.foretold += 1;
        let is_near = |at: f64| (at - minute).abs() <= f64::from(NEAR_MIN);
        let mut wishes = told.requests.iter().filter(|r| r.1 == habit.item);
        self.met += usize::from(wishes.any(|r| is_near(r.0)));
        self.met_of_habit += usize::from(habit.asked(told).any(is_near));
    }

    /// Precision and recall; null where the file tells no habits.
    pub(super) fn metrics(&self) -> [(&'static str, Json); 2] {
        let share = |part: usize, whole: usize| match whole {
            0 => Json::Null,
            _ => json!(part as f64 / whole as f64),
        };
        [
            ("oracle_precision", share(self.met, self.foretold)),
            ("oracle_recall", share(self.met_of_habit, self.asked)),
        ]
    }
}

impl Habit {
    /// The minutes at which it was asked for on a night.
    fn asked(&self, told: &Told) -> impl Iterator<Item = f64> {
        let of_habit = |r: &&super::Request| r.1 == self.item && r.2 == Some(true);
        told.requests.iter().filter(of_habit).map(|r| r.0)
    }

    /// When it comes on a night, if it can.
    fn minute(&self, told: &Told) -> Option<f64> {
        let anchor = match self.anchor {
            Anchor::Clock if self.offset_min < NOON_MIN => Some(1440.0),
            Anchor::Clock => Some(0.0),
            Anchor::CheckIn => told.checkin,
            Anchor::Bed => told.bed,
            Anchor::Wake => told.wake,
        };
        let at = anchor? + self.offset_min;
        // Nobody asks before coming.
        Some(at).filter(|at| told.checkin.is_none_or(|came| came <= *at))
    }
}
