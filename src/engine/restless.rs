//! Does this sensor say something all the time, whoever is there?
//!
//! People pause: they sleep, go out, sit still. A sensor that is stuck or chatters does not. Each hour in which it spoke
//! as often as only somebody active makes it speak is marked; a sensor with hardly an hour unmarked for longer than anybody
//! is up is broken.

use crate::model::Moment;
use serde::{Deserialize, Serialize};

/// A sensor that has not been restless in this hour nor in the three before is well again.
const WELL: u32 = 0b1111;
const HOUR_MS: i64 = 3_600_000;

/// What is more than people do.
#[derive(Debug, Clone, Copy)]
pub struct Measure {
    /// So many signs in an hour make it restless.
    pub signs: u16,
    /// So many restless hours
    pub hours: u32,
    /// of so many in a row, 31 at most, are no person.
    pub of: u32,
}

/// The last hours of one sensor.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Restless {
    /// Counted from 1970.
    hour: i64,
    signs: u16,
    /// One bit an hour, the lowest is this one.
    hours: u32,
    is_ill: bool,
}

impl Restless {
    /// The sensor said something.
    pub fn sign(&mut self, measure: &Measure, now: Moment) {
        let hour = hour(now);
        if hour != self.hour {
            self.hours = self.hours_at(now);
            (self.hour, self.signs) = (hour, 0);
            self.is_ill = self.is_ill && self.hours & WELL != 0;
        }
        self.signs = self.signs.saturating_add(1);
        if self.signs == measure.signs {
            self.hours |= 1;
            let lately = self.hours & ((1 << measure.of.min(31)) - 1);
            self.is_ill = self.is_ill || lately.count_ones() >= measure.hours;
        }
    }

    /// Whether it says more than people do.
    pub fn is_ill(&self, now: Moment) -> bool {
        self.is_ill && self.hours_at(now) & WELL != 0
    }

    /// How many of the last hours were restless.
    pub fn restless_hours(&self, now: Moment) -> u32 {
        self.hours_at(now).count_ones()
    }

    fn hours_at(&self, now: Moment) -> u32 {
        let passed = u32::try_from(hour(now) - self.hour).unwrap_or(u32::MAX);
        self.hours.checked_shl(passed).unwrap_or(0)
    }
}

const fn hour(at: Moment) -> i64 {
    at.millis().div_euclid(HOUR_MS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Span;

    const MOTION: Measure = Measure {
        signs: 5,
        hours: 18,
        of: 20,
    };

    fn at(minutes: i64) -> Moment {
        Moment::EARLIEST + Span::minutes(minutes)
    }

    #[test]
    fn what_never_pauses_is_found_within_a_day_and_well_after_a_pause() {
        let mut sensor = Restless::default();
        let found = (0..1440 * 2).step_by(7).find(|minute| {
            sensor.sign(&MOTION, at(*minute));
            sensor.is_ill(at(*minute))
        });
        assert!(
            found.is_some_and(|minute| (17 * 60..=19 * 60).contains(&minute)),
            "{found:?}"
        );
        assert!(
            sensor.is_ill(at(19 * 60)) && !sensor.is_ill(at(24 * 60)),
            "four hours of quiet"
        );
        sensor.sign(&MOTION, at(24 * 60));
        assert!(!sensor.is_ill(at(24 * 60)));
    }

    #[test]
    fn a_family_that_stays_in_all_day_sleeps_at_night() {
        let mut sensor = Restless::default();
        for minute in (0..10 * 1440)
            .step_by(4)
            .filter(|minute| (480..1380).contains(&(minute % 1440)))
        {
            sensor.sign(&MOTION, at(minute));
            assert!(!sensor.is_ill(at(minute)));
        }
    }

    #[test]
    fn a_clock_that_jumps_and_a_thousand_years_of_quiet_do_no_harm() {
        let mut sensor = Restless::default();
        for moment in [Moment::LATEST, Moment::EARLIEST, Moment::LATEST] {
            sensor.sign(&MOTION, moment);
            assert!(!sensor.is_ill(moment));
        }
    }
}
