//! Can the bed sensor be trusted?
//!
//! A bed that says "empty" all night is either empty or broken, and the difference is a sleeping guest. Two beliefs are
//! therefore kept of the room, one that trusts the bed and one that does not; each foresees what will move, and what then
//! moves or does not speaks for one of them. Every edge of the sensor restores trust; without one it fades while somebody
//! is in, and fast by night: whoever is in then goes to bed.

use super::belief::Probability;
use crate::model::{Moment, Span};
use serde::{Deserialize, Serialize};

/// A sensor of which nothing is known is broken with this probability.
const AT_FIRST: f64 = 0.01;
/// Without an edge trust fades by this, per hour in which somebody is in: an empty room's bed has nothing to say.
const FADES_PER_H: f64 = 0.02;
/// Whoever is in lies down before long, by night: so often an hour, while a sound sensor shows that nobody has.
const LIES_DOWN_PER_NIGHT_H: f64 = 0.5;
/// A broken sensor makes an edge so much less often than a sound one.
const EDGE_OF_BROKEN: f64 = 0.005;
/// Never quite trusted, never quite given up.
const DOUBT_MIN: f64 = 0.002;
const DOUBT_MAX: f64 = 0.999;
/// What moves, or does not, never gives it up for certain: one edge is enough to be well again.
const DOUBT_BY_MOTION_MAX: f64 = 0.98;
/// From here on the sensor counts as ill.
const ILL_FROM: f64 = 0.97;
/// And from here as well again.
const WELL_FROM: f64 = 0.5;
/// Nobody lies in bed for longer; something else does, or the sensor is stuck.
pub const IN_USE_MAX: Span = Span::hours(16);

/// How far a bed sensor is doubted.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct BedTrust {
    doubt: Probability,
    is_ill: bool,
    edge_at: Option<Moment>,
}

impl Default for BedTrust {
    fn default() -> Self {
        Self {
            doubt: Probability::new(AT_FIRST),
            is_ill: false,
            edge_at: None,
        }
    }
}

impl BedTrust {
    /// The probability that it is broken.
    pub const fn doubt(&self) -> f64 {
        self.doubt.get()
    }

    /// Whether it counts as broken. Once ill it has to move several times to be well again.
    pub const fn is_ill(&self) -> bool {
        self.is_ill
    }

    /// When it last moved.
    pub const fn edge_at(&self) -> Option<Moment> {
        self.edge_at
    }

    /// How likely a sound sensor is to show an empty bed all the while, with somebody in for so long.
    pub fn unused(is_night: bool, occupied: Span) -> f64 {
        let lies_down = if is_night { LIES_DOWN_PER_NIGHT_H } else { 0.0 };
        (-lies_down * occupied.as_hours_f64().max(0.0)).exp()
    }

    /// The doubt after something that was so likely if the bed is sound, and so likely if it is broken, and that lasted for
    /// so long with somebody in.
    pub fn doubt_after(doubt: f64, if_sound: f64, if_broken: f64, occupied: Span) -> f64 {
        let (sound, broken) = ((1.0 - doubt) * if_sound, doubt * if_broken);
        let weighed = if sound + broken > 0.0 {
            broken / (sound + broken)
        } else {
            doubt
        };
        let fades = (-FADES_PER_H * occupied.as_hours_f64().max(0.0)).exp();
        1.0 - (1.0 - weighed) * fades
    }

    /// Something happened, or nothing did for a while, that the two foresaw with these probabilities.
    pub fn weigh(&mut self, if_sound: f64, if_broken: f64, occupied: Span) {
        let doubt = Self::doubt_after(self.doubt(), if_sound, if_broken, occupied);
        // Once ill, only its own edges make it well: an empty room says nothing of it.
        let least = if self.is_ill { self.doubt() } else { 0.0 };
        self.set(doubt.min(DOUBT_BY_MOTION_MAX).max(least));
    }

    /// The sensor moved.
    pub fn edge(&mut self, now: Moment) {
        self.edge_at = Some(now);
        let odds = self.doubt() / (1.0 - self.doubt()) * EDGE_OF_BROKEN;
        self.set(odds / (1.0 + odds));
    }

    /// It says what cannot be.
    pub fn give_up(&mut self) {
        self.set(DOUBT_MAX);
    }

    fn set(&mut self, doubt: f64) {
        self.doubt = Probability::new(doubt.clamp(DOUBT_MIN, DOUBT_MAX));
        self.is_ill = self.doubt() >= if self.is_ill { WELL_FROM } else { ILL_FROM };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ill_sensor_has_to_move_more_than_once_to_be_believed() {
        let mut trust = BedTrust::default();
        trust.give_up();
        trust.edge(Moment::EARLIEST);
        assert!(trust.is_ill());
        trust.edge(Moment::EARLIEST);
        trust.edge(Moment::EARLIEST);
        assert!(!trust.is_ill());
    }

    #[test]
    fn trust_fades_without_an_edge() {
        let mut trust = BedTrust::default();
        trust.edge(Moment::EARLIEST);
        let fresh = trust.doubt();
        trust.weigh(1.0, 1.0, Span::hours(24));
        assert!(trust.doubt() > fresh + 0.1);
    }
}
