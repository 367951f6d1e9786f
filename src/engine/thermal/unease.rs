//! Has this room for days moved otherwise than its own numbers say?
//!
//! A plant that is off, a valve that is stuck or a window that nobody closed shows in two ways: readings surprise the filter
//! day after day, or what nothing explains stands far from zero and stays there.

use serde::{Deserialize, Serialize};

/// Surprise is averaged over three days, ticks with a reading.
const SURPRISE_OVER: f64 = 864.0;
/// The unexplained over one day.
const UNEXPLAINED_OVER: f64 = 288.0;
/// The mean absolute surprise of a sound filter, standard deviations.
const NORMAL: f64 = 0.8;
/// So many times that is strange.
const STRANGE_TIMES: f64 = 3.0;
/// A day's mean of the unexplained beyond this is strange, K/h: as much as a coil at half output.
const STRANGE_K_PER_H: f64 = 3.0;
/// It is over when both are below this share of what began it.
const OVER_SHARE: f64 = 0.6;

/// What a room has felt of late.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Unease {
    surprise: f64,
    unexplained: f64,
    is_strange: bool,
}

/// The evidence.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Strange {
    /// The mean surprise of three days, in times of the normal one.
    pub surprise_times: f64,
    /// The mean of what nothing explained over a day, K/h.
    pub unexplained_k_per_h: f64,
}

impl Default for Unease {
    fn default() -> Self {
        Self {
            surprise: NORMAL,
            unexplained: 0.0,
            is_strange: false,
        }
    }
}

impl Unease {
    /// Takes one tick.
    pub fn feel(&mut self, surprise: Option<f64>, unexplained: f64) {
        if let Some(z) = surprise.filter(|z| z.is_finite()) {
            self.surprise += (z.abs().min(10.0) - self.surprise) / SURPRISE_OVER;
        }
        self.unexplained += (unexplained.clamp(-30.0, 30.0) - self.unexplained) / UNEXPLAINED_OVER;
        let most = (self.surprise / NORMAL / STRANGE_TIMES).max(self.unexplained.abs() / STRANGE_K_PER_H);
        self.is_strange = most > 1.0 || self.is_strange && most > OVER_SHARE;
    }

    /// The evidence, while the room is strange.
    pub fn is_strange(&self) -> Option<Strange> {
        self.is_strange.then(|| Strange {
            surprise_times: self.surprise / NORMAL,
            unexplained_k_per_h: self.unexplained,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(days: usize, surprise: f64, unexplained: f64) -> Unease {
        let mut unease = Unease::default();
        (0..days * 288).for_each(|_| unease.feel(Some(surprise), unexplained));
        unease
    }

    #[test]
    fn days_of_surprise_are_strange_and_an_hour_is_not() {
        assert_eq!(after(30, 0.9, 0.3).is_strange(), None);
        assert!(after(6, 3.0, 0.3).is_strange().is_some());
        let mut hour = after(10, 0.8, 0.0);
        (0..12).for_each(|_| hour.feel(Some(9.0), 8.0));
        assert_eq!(hour.is_strange(), None);
    }

    #[test]
    fn what_nothing_explains_for_a_day_is_strange_until_it_is_well_over() {
        let mut unease = after(3, 0.8, -5.0);
        assert!(unease.is_strange().is_some_and(|s| s.unexplained_k_per_h < -4.0));
        (0..48).for_each(|_| unease.feel(Some(0.8), 0.0));
        assert!(unease.is_strange().is_some(), "not yet");
        (0..300).for_each(|_| unease.feel(Some(0.8), 0.0));
        assert_eq!(unease.is_strange(), None);
    }
}
