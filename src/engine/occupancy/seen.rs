//! Does a sensor go on saying that somebody is in, and is that more than its own slowness?
//!
//! Radar says "somebody" once and holds it for hours, over a sleeper, too; a passive infrared sensor holds it for as long
//! as it was set to, half a minute or half an hour, after every movement. While it is held, silence is none and nobody is
//! called absent. What proves somebody behind a door that has moved is only a word that outlasts the sensor's own slowness,
//! and that shows by itself: no sensor ever says "somebody" for a shorter while.

use crate::model::{Moment, Span};
use serde::{Deserialize, Serialize};

/// Held for longer than this behind the closed door, it is no matter of a second's movement.
const LONG: Span = Span::minutes(5);
/// No sensor is slower than this; one that has only ever said "somebody" for longer is taken to be as slow.
const SLOW_MAX: Span = Span::minutes(30);
/// Beyond its own slowness by this.
const BEYOND: Span = Span::minutes(1);
/// A sensor may be set anew: what is known of its slowness grows by this share with each word.
const GROWS: f64 = 0.01;
/// Whoever is seen for longer than this without a pause is no person, but a sensor that is stuck.
pub const SEES_MAX: Span = Span::hours(20);

/// What the sensors of presence of one room hold.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Seen {
    since: Option<Moment>,
    /// It has been held for long, behind the door as it stands.
    is_proof: bool,
    /// The shortest while that it was ever held for.
    shortest: Option<Span>,
}

/// What was held, when it has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended {
    /// Since when it was held.
    pub since: Moment,
    /// Whether it proved somebody behind the door as it stands.
    pub was_proof: bool,
    /// For so long at the end of it nothing had moved any more.
    pub quiet: Span,
}

impl Seen {
    /// Whether it is held that somebody is in.
    pub const fn is_held(&self) -> bool {
        self.since.is_some()
    }

    /// Since when it is held.
    pub const fn since(&self) -> Option<Moment> {
        self.since
    }

    /// From now on it is held.
    pub fn begin(&mut self, now: Moment) {
        self.since = self.since.or(Some(now));
    }

    /// It is not held any more.
    pub fn end(&mut self, now: Moment) -> Option<Ended> {
        let since = self.since.take()?;
        let lasted = now.since(since);
        self.shortest = Some(self.shortest.map_or(lasted, |shortest| grown(shortest).min(lasted)));
        Some(Ended {
            since,
            was_proof: std::mem::take(&mut self.is_proof),
            quiet: self.slowness().unwrap_or(Span::ZERO),
        })
    }

    /// For how long it goes on saying "somebody" after the last movement, as far as that is known.
    fn slowness(&self) -> Option<Span> {
        self.shortest.filter(|shortest| *shortest <= SLOW_MAX)
    }

    /// The door has moved: what was held until then may be whoever left.
    pub fn door(&mut self) {
        self.is_proof = false;
    }

    /// It has been held for long.
    pub fn prove(&mut self) {
        self.is_proof = self.since.is_some();
    }

    /// When it will have been held for long behind the door.
    pub fn proof_at(&self, door: Option<Moment>) -> Option<Moment> {
        let long = self.slowness().map_or(SLOW_MAX, |slow| LONG.max(slow + BEYOND));
        let from = self.since.filter(|_| !self.is_proof)?;
        Some(door.map_or(from, |door| from.max(door)) + long)
    }

    /// When it will be too long for a person.
    pub fn stuck_at(&self) -> Option<Moment> {
        self.since.map(|at| at + SEES_MAX)
    }
}

fn grown(span: Span) -> Span {
    Span::from_minutes_f64(span.as_minutes_f64() * (1.0 + GROWS))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minutes: i64) -> Moment {
        Moment::EARLIEST + Span::minutes(minutes)
    }

    fn held(minutes: i64) -> Seen {
        let mut seen = Seen::default();
        seen.begin(at(0));
        seen.end(at(minutes));
        seen
    }

    #[test]
    fn a_sensor_that_holds_for_a_quarter_of_an_hour_has_to_hold_for_longer_to_prove_anything() {
        for (slowness, proof_after) in [(1, 5), (15, 16)] {
            let mut seen = held(slowness);
            seen.begin(at(100));
            assert_eq!(seen.proof_at(Some(at(110))), Some(at(110 + proof_after)));
        }
        let mut new = Seen::default();
        new.begin(at(100));
        assert_eq!(new.proof_at(None), Some(at(130)), "nobody knows yet how slow it is");
    }

    #[test]
    fn the_last_movement_lies_as_far_back_as_the_sensor_is_slow() {
        let mut seen = held(10);
        seen.begin(at(100));
        let ended = seen.end(at(160)).unwrap();
        assert!((ended.quiet.as_minutes_f64() - 10.1).abs() < 0.01, "{ended:?}");
        assert_eq!(seen.end(at(161)), None);
        let mut held_all_night = held(500);
        held_all_night.begin(at(600));
        assert_eq!(
            held_all_night.end(at(700)).unwrap().quiet,
            Span::ZERO,
            "that was somebody, and tells nothing of it"
        );
    }
}
