//! Is this empty room damp in summer, so that it is dried before somebody smells it?
//!
//! Above 65 % for two hours, with nobody in, the unit dries, or cools a little where it cannot; an energy code allows as
//! much. It ends below 60 %, or after an hour, and then rests for two: a room that does not dry wants people, not energy.
//! In winter warmth dries, and nothing is done here.

use crate::model::{HvacMode, Moment, Percent, Span};
use serde::{Deserialize, Serialize};

/// Damp above this.
const DAMP: Percent = Percent::from_hundredths(6500);
/// Dry enough below this.
const DRY: Percent = Percent::from_hundredths(6000);
/// Showers and open bathroom doors pass within this.
const AFTER: Span = Span::hours(2);
/// So long at once.
const DRIES_FOR: Span = Span::hours(1);

/// What is known of a room's damp.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Damp {
    /// Damp since.
    since: Option<Moment>,
    drying: Option<Drying>,
}

/// The unit dries.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Drying {
    since: Moment,
    /// What the unit did before.
    mode: Option<HvacMode>,
}

/// What follows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Asks {
    /// Nothing.
    Nothing,
    /// The unit is to dry.
    Dry {
        /// Damp since.
        since: Moment,
    },
    /// It is over; the unit goes on in this mode where it had one.
    Over {
        /// The mode it had.
        mode: Option<HvacMode>,
    },
}

impl Damp {
    /// Follows the humidity of a room; `may` says whether it is empty, in summer, with a unit that can.
    pub fn advance(&mut self, now: Moment, humidity: Option<Percent>, may: bool, mode: Option<HvacMode>) -> Asks {
        let humidity = humidity.filter(|_| may);
        if let Some(drying) = self.drying {
            let goes_on = humidity.is_some_and(|h| h >= DRY) && now.since(drying.since) < DRIES_FOR;
            if goes_on {
                let since = self.since.unwrap_or(drying.since);
                return Asks::Dry { since };
            }
            // What is still damp waits its two hours anew.
            (self.drying, self.since) = (None, humidity.filter(|h| *h > DAMP).map(|_| now));
            return Asks::Over { mode: drying.mode };
        }
        self.since = match humidity {
            Some(humidity) if humidity > DAMP => self.since.or(Some(now)),
            _ => None,
        };
        let Some(since) = self.since.filter(|since| now.since(*since) >= AFTER) else {
            return Asks::Nothing;
        };
        self.drying = Some(Drying { since: now, mode });
        Asks::Dry { since }
    }

    /// When something follows by itself.
    pub fn deadline(&self) -> Option<Moment> {
        match self.drying {
            Some(drying) => Some(drying.since + DRIES_FOR),
            None => self.since.map(|since| since + AFTER),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(damp: &mut Damp, minute: i64, humidity: f64, may: bool) -> Asks {
        let now = Moment::EARLIEST + Span::minutes(minute);
        damp.advance(now, Percent::new(humidity), may, Some(HvacMode::Cool))
    }

    #[test]
    fn two_damp_hours_in_an_empty_room_are_dried_until_it_is_dry() {
        let mut damp = Damp::default();
        assert_eq!(look(&mut damp, 0, 70.0, true), Asks::Nothing);
        assert_eq!(damp.deadline(), Some(Moment::EARLIEST + AFTER));
        assert!(matches!(look(&mut damp, 120, 70.0, true), Asks::Dry { .. }));
        assert!(matches!(look(&mut damp, 140, 62.0, true), Asks::Dry { .. }));
        let over = Asks::Over {
            mode: Some(HvacMode::Cool),
        };
        assert_eq!(look(&mut damp, 150, 59.0, true), over);
        assert_eq!(look(&mut damp, 151, 59.0, true), Asks::Nothing);
    }

    #[test]
    fn a_guest_who_comes_ends_it_and_a_room_that_stays_damp_is_left_alone_for_two_hours() {
        let mut damp = Damp::default();
        look(&mut damp, 0, 80.0, true);
        look(&mut damp, 120, 80.0, true);
        assert!(matches!(look(&mut damp, 130, 80.0, false), Asks::Over { .. }));
        assert_eq!(look(&mut damp, 131, 80.0, true), Asks::Nothing);
        assert!(matches!(look(&mut damp, 251, 80.0, true), Asks::Dry { .. }));
        assert!(matches!(look(&mut damp, 311, 80.0, true), Asks::Over { .. }));
        assert_eq!(look(&mut damp, 420, 80.0, true), Asks::Nothing);
        assert!(matches!(look(&mut damp, 431, 80.0, true), Asks::Dry { .. }));
    }
}
