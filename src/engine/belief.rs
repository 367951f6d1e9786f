//! How likely is it that somebody is in, given what moved and for how long nothing did?
//!
//! Between two movements of the door nobody comes or goes: the room is empty, or somebody is in, who is active or lies
//! still. Each of the three makes bursts of motion at a rate of its own, so every burst, and every minute without one,
//! weighs for one against the others (a hidden Markov model with three states; the silence has a closed form, so that an
//! event costs the same whether a second or a week has passed).

use crate::model::Span;
use serde::{Deserialize, Serialize};

/// Probabilities are kept in parts of this: what is written in a record reads back exactly.
const PARTS: f64 = 1e12;
/// However long the silence, somebody may be in: the door sensor may have missed a guest.
const IN_MIN: f64 = 3e-4;
/// However much moved, everybody may be out: the door sensor may have missed that.
const OUT_MIN: f64 = 1e-9;
/// A burst leaves half of those who lay still active: they have just moved.
const STIRRED: f64 = 0.5;
/// After a movement of the door, so likely is somebody who was out now in.
const COMES: f64 = 0.98;
/// After the staff have gone, so likely has a guest come with them.
const COMES_WITH_STAFF: f64 = 0.3;
/// Somebody who was active stays in when the door moves, by day: most doors close behind the one who leaves, some behind
/// one of two, or a waiter.
const STAYS_BY_DAY: f64 = 0.5;
/// And by night.
const STAYS_BY_NIGHT: f64 = 0.85;
/// Somebody who lay still is less likely the one who went.
const STAYS_STILL: f64 = 0.7;
/// Behind the door, so many lie down at once, by day.
const SETTLES_BY_DAY: f64 = 0.15;
/// And by night.
const SETTLES_BY_NIGHT: f64 = 0.4;

/// A probability that reads back from its record exactly.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(from = "u64", into = "u64")]
pub struct Probability(f64);

impl Probability {
    /// Rounds to a part in a million million.
    pub fn new(p: f64) -> Self {
        Self((p.clamp(0.0, 1.0) * PARTS).round() / PARTS)
    }

    /// The number, 0 to 1.
    pub const fn get(self) -> f64 {
        self.0
    }
}

impl From<u64> for Probability {
    fn from(parts: u64) -> Self {
        Self::new(parts as f64 / PARTS)
    }
}

impl From<Probability> for u64 {
    fn from(p: Probability) -> Self {
        (p.0 * PARTS).round() as u64
    }
}

/// How people move, by what the bed can tell of them. Rates are per hour.
#[derive(Debug, Clone, Copy)]
pub struct Rates {
    /// Bursts of somebody active.
    active: f64,
    /// Bursts of somebody who lies or sits still.
    still: f64,
    /// From active to still, by day and by night.
    settles: [f64; 2],
    /// From still to active.
    rises: [f64; 2],
    /// So many of those who lie still sleep.
    sleeps: [f64; 2],
}

/// Where a bed sensor that can be trusted shows an empty bed: nobody sleeps, and who sits still does not for long.
pub const BED_IS_EMPTY: Rates = Rates {
    active: 12.0,
    still: 1.5,
    settles: [0.20, 0.20],
    rises: [0.8, 0.8],
    sleeps: [0.0, 0.0],
};
/// Where nothing is known of the bed: silence may be sleep.
pub const BED_UNKNOWN: Rates = Rates {
    active: 10.0,
    still: 0.8,
    settles: [0.7, 1.0],
    rises: [0.9, 0.25],
    sleeps: [0.15, 1.0],
};

/// A minute in which a sleeper is called absent is as bad as so many minutes of an absence that is missed.
const PRICE_ASLEEP: f64 = 10.0;
/// And one in which somebody awake is.
const PRICE_AWAKE: f64 = 3.0;

/// How likely each of the three is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Belief {
    out: Probability,
    active: Probability,
    still: Probability,
}

impl Default for Belief {
    /// Of a room of which nothing is known somebody is believed to be in.
    fn default() -> Self {
        Self::new(0.1, 0.5, 0.4)
    }
}

impl Belief {
    /// Somebody is in and has just moved.
    pub fn active() -> Self {
        Self::new(0.0, 1.0, 0.0)
    }

    /// Somebody lies in bed.
    pub fn in_bed() -> Self {
        Self::new(0.0, 0.1, 0.9)
    }

    /// Somebody rose, if the bed tells the truth.
    pub fn risen() -> Self {
        Self::new(0.02, 0.9, 0.08)
    }

    /// The bed emptied as the door moved: somebody rose, and may be the one who went.
    pub fn risen_at_the_door() -> Self {
        Self::new(0.45, 0.5, 0.05)
    }

    /// The room has been empty for long.
    pub fn empty() -> Self {
        Self::new(1.0, 0.0, 0.0)
    }

    /// Somebody may be in: nobody watched.
    pub fn unwatched() -> Self {
        Self::new(0.001, 0.4, 0.599)
    }

    /// Somebody has been seen for long.
    pub fn seen() -> Self {
        Self::new(0.001, 0.5, 0.499)
    }

    /// Whichever of the two is surer that somebody is in.
    pub fn or_surer(self, other: Self) -> Self {
        if other.out < self.out { other } else { self }
    }

    /// Of weights that need not sum to one.
    fn new(out: f64, active: f64, still: f64) -> Self {
        let sum = out + active + still;
        if !(sum > 0.0 && sum.is_finite()) {
            return Self::default();
        }
        let (out, active, still) = (out / sum, active / sum, still / sum);
        let (out, active) = (
            out.clamp(OUT_MIN, 1.0 - IN_MIN),
            if active + still < IN_MIN {
                IN_MIN - still
            } else {
                active
            },
        );
        let sum = out + active + still;
        Self {
            out: Probability::new(out / sum),
            active: Probability::new(active / sum),
            still: Probability::new(still / sum),
        }
    }

    /// The probability that nobody is in.
    pub const fn out(&self) -> f64 {
        self.out.get()
    }

    /// What it would cost to call the room vacant, against calling it occupied when it is not.
    pub fn price(&self, rates: &Rates, is_night: bool) -> f64 {
        let asleep = rates.sleeps[usize::from(is_night)];
        let still = asleep * PRICE_ASLEEP + (1.0 - asleep) * PRICE_AWAKE;
        self.active.get() * PRICE_AWAKE + self.still.get() * still
    }

    /// Nothing moved for a while. Returns how likely that was.
    pub fn silence(&mut self, rates: &Rates, is_night: bool, span: Span) -> f64 {
        if span <= Span::ZERO {
            return 1.0;
        }
        let hours = span.as_hours_f64();
        let (settles, rises) = (rates.settles[usize::from(is_night)], rates.rises[usize::from(is_night)]);
        let (leave_active, leave_still) = (settles + rates.active, rises + rates.still);
        // The exponential of a 2 x 2 matrix in closed form; false motions are as rare whoever is in and cancel.
        let mean = (leave_active + leave_still) / 2.0;
        let root = (((leave_active - leave_still) / 2.0).powi(2) + settles * rises).sqrt();
        let (slow, fast) = (((root - mean) * hours).exp(), ((-root - mean) * hours).exp());
        let (even, odd) = ((slow + fast) / 2.0, (slow - fast) / (2.0 * root));
        let (a, s) = (self.active.get(), self.still.get());
        let active = even * a + odd * ((mean - leave_active) * a + rises * s);
        let still = even * s + odd * (settles * a + (mean - leave_still) * s);
        let out = self.out();
        *self = Self::new(out, active.max(0.0), still.max(0.0));
        out + active + still
    }

    /// A burst of motion. `false_rate`: the sensor's own false bursts, per hour. Returns how likely it was.
    pub fn burst(&mut self, rates: &Rates, false_rate: f64) -> f64 {
        let out = self.out() * false_rate;
        let active = self.active.get() * (rates.active + false_rate);
        let still = self.still.get() * (rates.still + false_rate);
        *self = Self::new(out, active + still * STIRRED, still * (1.0 - STIRRED));
        out + active + still
    }

    /// The door moved: whoever was in may have gone, whoever was out may have come.
    pub fn door(&mut self, is_night: bool) {
        let stays = if is_night { STAYS_BY_NIGHT } else { STAYS_BY_DAY };
        let settles = if is_night { SETTLES_BY_NIGHT } else { SETTLES_BY_DAY };
        self.passage(stays, stays.max(STAYS_STILL), COMES, settles);
    }

    /// The staff have gone: whoever was in before them most likely still is.
    pub fn staff_gone(&mut self) {
        self.passage(STAYS_STILL, STAYS_STILL, COMES_WITH_STAFF, SETTLES_BY_DAY);
    }

    fn passage(&mut self, stays: f64, stays_still: f64, comes: f64, settles: f64) {
        let (out, active, still) = (self.out(), self.active.get(), self.still.get());
        let behind = active * stays + out * comes;
        let lying = still * stays_still;
        let gone = active * (1.0 - stays) + still * (1.0 - stays_still) + out * (1.0 - comes);
        *self = Self::new(gone, behind * (1.0 - settles), lying + behind * settles);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(belief: &Belief) -> f64 {
        belief.out() + belief.active.get() + belief.still.get()
    }

    #[test]
    fn a_long_silence_is_the_sum_of_its_minutes() {
        for (rates, is_night) in [(BED_UNKNOWN, true), (BED_UNKNOWN, false), (BED_IS_EMPTY, false)] {
            let mut minutes = Belief::default();
            let mut whole = minutes;
            let likely: f64 = (0..90)
                .map(|_| minutes.silence(&rates, is_night, Span::minutes(1)))
                .product();
            let at_once = whole.silence(&rates, is_night, Span::minutes(90));
            assert!((likely - at_once).abs() < 1e-6 && (minutes.out() - whole.out()).abs() < 1e-6);
        }
    }

    #[test]
    fn silence_speaks_for_an_empty_room_and_motion_against_it() {
        let (mut belief, night) = (Belief::default(), true);
        let mut out = belief.out();
        for _ in 0..20 {
            belief.silence(&BED_UNKNOWN, night, Span::minutes(30));
            assert!(belief.out() >= out - 1e-9 && (sum(&belief) - 1.0).abs() < 1e-9);
            out = belief.out();
        }
        belief.burst(&BED_UNKNOWN, 0.12);
        assert!(belief.out() < out);
    }

    #[test]
    fn where_the_sensor_often_cries_wolf_a_burst_says_little() {
        let after = |false_rate| {
            let mut belief = Belief::empty();
            belief.burst(&BED_UNKNOWN, false_rate);
            belief.out()
        };
        assert!(after(0.02) < after(0.5) && after(0.5) < after(5.0));
        assert!(
            after(5.0) < Belief::empty().out(),
            "a burst never speaks for an empty room"
        );
    }

    #[test]
    fn a_week_of_silence_leaves_numbers_that_can_be_used() {
        let mut belief = Belief::in_bed();
        belief.silence(&BED_IS_EMPTY, true, Span::days(3650));
        assert!((sum(&belief) - 1.0).abs() < 1e-9 && belief.out() > 0.99);
    }

    #[test]
    fn a_record_reads_back_exactly() {
        let mut belief = Belief::default();
        belief.silence(&BED_UNKNOWN, true, Span::seconds(12_345));
        let text = serde_json::to_string(&belief).unwrap();
        assert_eq!(serde_json::from_str::<Belief>(&text).unwrap(), belief);
    }
}
