//! What has the room been like since the last tick?
//!
//! Readings come when they come and outputs change in between; the filter wants five minutes at a time. Ticks stand on the
//! clock's own five minutes, so that two gateways cut time alike.

use super::row::Tick;
use crate::model::{Celsius, Moment, Span};
use serde::{Deserialize, Serialize};

/// A tick.
pub const TICK: Span = Span::minutes(5);
/// A door or window stirs the air for so many ticks after it closed.
const STIRS: u8 = 3;
/// A thermometer that only tells changes is heard again, as it were, after so many quiet ticks: what it last said holds.
const HOLDS: u8 = 6;

/// What else is so at a tick.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Around {
    /// The air outside.
    pub outdoor: Option<Celsius>,
    /// The adjoining rooms' mean air.
    pub neighbours: Option<Celsius>,
    /// The sun on the facade, W/m2, where that can be told.
    pub sun: Option<f64>,
    /// Somebody is, or may be, in.
    pub is_occupied: bool,
    /// A door or window stands open.
    pub is_open: bool,
    /// What the thermometer last said, while it is not silent.
    pub air: Option<Celsius>,
    /// The minute of the local day.
    pub minute: u16,
}

/// What was heard since the last tick.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Meter {
    last: Option<i64>,
    air: Option<Celsius>,
    heating: f64,
    cooling: f64,
    since: Option<Moment>,
    heating_ms: f64,
    cooling_ms: f64,
    stirred: u8,
    quiet: u8,
}

/// The number of the tick that a moment lies after: ticks since 1970.
pub fn tick_number(at: Moment) -> i64 {
    at.millis().div_euclid(TICK.as_millis())
}

/// The moment of a tick.
pub fn moment(tick: i64) -> Moment {
    Moment::from_millis(tick.saturating_mul(TICK.as_millis()))
}

impl Meter {
    /// The thermometer said something. Returns whether that is worth keeping: the first word since the tick, or another.
    pub fn heard(&mut self, now: Moment, air: Celsius) -> bool {
        self.last.get_or_insert(tick_number(now));
        self.air.replace(air) != Some(air)
    }

    /// The outputs are so from now on.
    pub fn outputs(&mut self, now: Moment, heating: f64, cooling: f64) {
        self.count(now);
        (self.heating, self.cooling) = (heating, cooling);
    }

    /// What the unit gives now, warm or cold, 0 to 1.
    pub fn output(&self) -> f64 {
        self.heating.max(self.cooling)
    }

    /// When the next tick is due; none while no thermometer has ever spoken.
    pub fn due(&self) -> Option<Moment> {
        self.last.map(|last| moment(last + 1))
    }

    /// Whether a tick is due.
    pub fn is_due(&self, now: Moment) -> bool {
        self.last.is_some_and(|last| tick_number(now) > last)
    }

    /// Ends the tick, if one is due: its number, how many ticks passed since the last, and what the last of them was like.
    pub fn end(&mut self, now: Moment, around: &Around) -> Option<(i64, i64, Tick)> {
        let (last, number) = (self.last?, tick_number(now));
        if number <= last {
            return None;
        }
        self.count(moment(number));
        let whole = (number - last) as f64 * TICK.as_millis() as f64;
        self.stirred = if around.is_open {
            STIRS
        } else {
            self.stirred.saturating_sub(1)
        };
        self.quiet = if self.air.is_some() {
            0
        } else {
            self.quiet.saturating_add(1)
        };
        if self.quiet >= HOLDS {
            (self.quiet, self.air) = (0, around.air);
        }
        let tick = Tick {
            air: self.air.map(Celsius::to_f64),
            heating: (self.heating_ms / whole).clamp(0.0, 1.0),
            cooling: (self.cooling_ms / whole).clamp(0.0, 1.0),
            outdoor: around.outdoor.map(Celsius::to_f64),
            sun: around.sun,
            hour: around.sun.is_none().then(|| f64::from(around.minute) / 60.0),
            neighbours: around.neighbours.map(Celsius::to_f64),
            occupied: around.is_occupied,
            open: self.stirred > 0,
        };
        (self.last, self.air, self.heating_ms, self.cooling_ms) = (Some(number), None, 0.0, 0.0);
        Some((number, number - last, tick))
    }

    fn count(&mut self, now: Moment) {
        let for_ms = self.since.map_or(0, |since| now.since(since).as_millis()).max(0) as f64;
        self.heating_ms += self.heating * for_ms;
        self.cooling_ms += self.cooling * for_ms;
        self.since = Some(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Moment {
        Moment::from_millis(TICK.as_millis() * 1000) + Span::seconds(second)
    }

    #[test]
    fn a_tick_has_the_mean_output_and_the_last_reading() {
        let mut meter = Meter::default();
        assert_eq!(meter.end(at(0), &Around::default()), None);
        assert!(meter.heard(at(10), Celsius::from_hundredths(2100)));
        assert!(!meter.heard(at(20), Celsius::from_hundredths(2100)), "nothing new");
        meter.outputs(at(100), 1.0, 0.0);
        meter.outputs(at(200), 0.0, 0.0);
        assert_eq!(meter.due(), Some(at(300)));
        let (number, passed, tick) = meter.end(at(300), &Around::default()).unwrap();
        assert_eq!((number, passed, tick.air), (1001, 1, Some(21.0)));
        assert!((tick.heating - 1.0 / 3.0).abs() < 1e-9, "{tick:?}");
        assert_eq!(meter.end(at(301), &Around::default()), None);
    }

    #[test]
    fn an_open_window_is_felt_for_a_while_after_and_a_quiet_thermometer_holds() {
        let mut meter = Meter::default();
        meter.heard(at(0), Celsius::from_hundredths(2100));
        let open = Around {
            is_open: true,
            ..Around::default()
        };
        let last_said = Around {
            air: Some(Celsius::from_hundredths(2050)),
            ..Around::default()
        };
        assert!(meter.end(at(300), &open).unwrap().2.open);
        let after: Vec<Tick> = (2..9).map(|n| meter.end(at(300 * n), &last_said).unwrap().2).collect();
        assert_eq!(after.iter().filter(|tick| tick.open).count(), 2);
        let heard: Vec<usize> = (0..7).filter(|n| after[*n].air.is_some()).collect();
        assert_eq!((heard, after[5].air), (vec![5], Some(20.5)));
    }
}
