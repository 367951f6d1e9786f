//! What do recoveries take over what the model says of them?
//!
//! A room's numbers are fitted to all of its days; a recovery is an hour of them, and its last quarter of a kelvin hangs on
//! the unit's own controller, which no model knows. Each recovery that was foreseen and then seen leaves one ratio. A room
//! leans on its house and the house on the model: a few recoveries are believed as far as they are many.

use super::thermal::Direction;
use crate::model::Span;
use serde::{Deserialize, Serialize};

/// Each recovery makes the earlier ones weigh so much less: the last twenty count.
const KEEP: f64 = 0.95;
/// What is leant on weighs like so many recoveries.
const LEAN: f64 = 5.0;
/// One recovery counts no more than this, as a logarithm: a guest's open window is no property of the room.
const RATIO_MAX: f64 = 0.7;
/// A shorter recovery says more of the thermometer's step than of the room.
const TOLD_MIN: Span = Span::minutes(10);

/// The pace of one room, or of a house.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Pace {
    heating: Ratio,
    cooling: Ratio,
}

/// The mean logarithm of what recoveries took over what was said; the newest count most.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
struct Ratio {
    weight: f64,
    mean: f64,
}

impl Pace {
    /// A recovery of which the model said `said` took this long.
    pub fn saw(&mut self, direction: Direction, said: Span, took: Span) {
        if said < TOLD_MIN {
            return;
        }
        let over = took.as_minutes_f64().max(1.0) / said.as_minutes_f64();
        let ratio = match direction {
            Direction::Heating => &mut self.heating,
            Direction::Cooling => &mut self.cooling,
        };
        ratio.learn(over.ln().clamp(-RATIO_MAX, RATIO_MAX));
    }

    /// What the model's times are multiplied by in a room of this pace, in a house of that one.
    pub fn factor(&self, house: &Pace, direction: Direction) -> f64 {
        let of = |pace: &Pace| match direction {
            Direction::Heating => pace.heating,
            Direction::Cooling => pace.cooling,
        };
        of(self).leaning_on(of(house).leaning_on(0.0)).exp()
    }
}

impl Ratio {
    fn learn(&mut self, ratio: f64) {
        self.weight = self.weight * KEEP + 1.0;
        self.mean += (ratio - self.mean) / self.weight;
    }

    fn leaning_on(self, other: f64) -> f64 {
        (LEAN * other + self.weight * self.mean) / (LEAN + self.weight)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_room_is_known_by_its_own_recoveries_and_a_new_one_by_its_house() {
        let (mut slow, mut house, new) = (Pace::default(), Pace::default(), Pace::default());
        assert_eq!(new.factor(&house, Direction::Heating), 1.0);
        for n in 0..40 {
            house.saw(Direction::Heating, Span::minutes(60), Span::minutes(66));
            if n % 4 == 0 {
                slow.saw(Direction::Heating, Span::minutes(60), Span::minutes(90));
            }
        }
        let factor = |pace: &Pace| pace.factor(&house, Direction::Heating);
        assert!((factor(&new) - 1.08).abs() < 0.02, "{}", factor(&new));
        assert!((factor(&slow) - 1.33).abs() < 0.05, "{}", factor(&slow));
        assert_eq!(slow.factor(&house, Direction::Cooling), 1.0);
    }

    #[test]
    fn one_wild_recovery_moves_little_and_a_short_one_nothing() {
        let (mut pace, house) = (Pace::default(), Pace::default());
        pace.saw(Direction::Cooling, Span::minutes(5), Span::hours(3));
        assert_eq!(pace, Pace::default());
        pace.saw(Direction::Cooling, Span::minutes(30), Span::days(900));
        assert!(pace.factor(&house, Direction::Cooling) < 1.2);
        pace.saw(Direction::Cooling, Span::minutes(30), Span::ZERO);
        assert!(pace.factor(&house, Direction::Cooling) > 0.8);
    }
}
