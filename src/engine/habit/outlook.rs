//! When will this wish come tonight, and how surely?
//!
//! Every hypothesis puts its belief where it expects the wish: at its offset from an anchor that has been seen tonight, by
//! the clock, or around the usual time of going to bed. What lies in the past and did not happen is taken off. The window
//! of 20 minutes either side that holds most is the foreseen time, and what it holds is the score.

use super::belief::Belief;
use super::learner::Bedtime;
use super::normal::below;
use super::{Anchor, NEAR_MIN, Night};
use crate::model::Item;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Nights begin at noon.
pub const NOON_MIN: i32 = 12 * 60;
/// A thing that was ever asked for is a habit with these odds against chance, before its times are looked at.
const HABIT_ODDS: f64 = 0.5;
/// The night's time is cut into bins of this, minutes.
const BIN_MIN: i32 = 5;
/// From noon to noon two days later: wishes after waking lie at the end.
const BINS: usize = (2 * 1440 - NOON_MIN) as usize / BIN_MIN as usize;

/// A wish expected tonight.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Foreseen {
    /// What.
    pub item: Item,
    /// When, minutes of the night.
    pub minute: i32,
    /// The probability, in thousandths, that it is asked for within 20 minutes of then.
    pub score_thousandths: u16,
    /// What it keeps time with, most probably.
    pub anchor: Anchor,
    /// When this was foreseen: from what had happened by then.
    pub made_at: i32,
    /// On how many nights it was asked for.
    pub hits: u16,
    /// Out of how many.
    pub nights: u16,
}

impl Foreseen {
    /// The score, 0 to 1.
    pub fn score(&self) -> f64 {
        f64::from(self.score_thousandths) / 1000.0
    }

    /// Whether another one says the same.
    pub fn is_same(&self, other: &Foreseen) -> bool {
        self.item == other.item && self.minute == other.minute && self.score_thousandths == other.score_thousandths
    }
}

/// What is believed of a guest: weighed once from the nights, asked as often as something happens tonight.
#[derive(Debug, Clone, PartialEq)]
pub struct Outlook {
    beliefs: BTreeMap<Item, (u16, Vec<Belief>)>,
    bedtime: Bedtime,
    nights: u16,
}

impl Outlook {
    /// Collects what is believed.
    pub(super) fn new(beliefs: BTreeMap<Item, (u16, Vec<Belief>)>, bedtime: Bedtime, nights: u16) -> Self {
        Self {
            beliefs,
            bedtime,
            nights,
        }
    }

    /// The things it says anything of.
    pub fn items(&self) -> impl Iterator<Item = &Item> {
        self.beliefs.keys()
    }

    /// Foresees one wish, from what has been seen by `now`.
    pub fn foresee(&self, item: &Item, seen: &Night, now: i32) -> Option<Foreseen> {
        let (hits, beliefs) = self.beliefs.get(item)?;
        let mut map = Map::new(beliefs);
        beliefs
            .iter()
            .for_each(|belief| map.place(belief, self.bedtime, seen, now));
        let foreseen = map.best(item, now)?;
        Some(Foreseen {
            hits: *hits,
            nights: self.nights,
            ..foreseen
        })
    }
}

/// Where belief lies tonight, by anchor and time.
struct Map {
    bins: [Vec<f64>; 4],
    /// Belief in all, chance included, less what has been ruled out.
    total: f64,
}

impl Map {
    fn new(beliefs: &[Belief]) -> Self {
        let weight: f64 = beliefs.iter().map(|belief| belief.weight).sum();
        Self {
            bins: std::array::from_fn(|_| vec![0.0; BINS]),
            total: 1.0 + HABIT_ODDS * weight,
        }
    }

    fn place(&mut self, belief: &Belief, bedtime: Bedtime, seen: &Night, now: i32) {
        let (at, blur) = match (belief.anchor, seen.bed) {
            (Anchor::Clock, _) => (0.0, 0.0),
            (Anchor::CheckIn, _) => match seen.check_in {
                Some(at) => (f64::from(at), 0.0),
                None => return,
            },
            (Anchor::Bed, Some(at)) => (f64::from(at), 0.0),
            (Anchor::Bed, None) => (bedtime.minute, bedtime.spread),
            (Anchor::Wake, _) => match seen.wake {
                Some(at) => (f64::from(at), 0.0),
                None => return,
            },
        };
        for cell in &belief.cells {
            let life = if seen.begins_stay {
                cell.life.next_stay()
            } else {
                cell.life
            };
            let mut center = at + f64::from(cell.offset);
            if belief.anchor == Anchor::Clock && cell.offset < NOON_MIN {
                center += 1440.0;
            }
            let is_open = belief.anchor != Anchor::Clock || seen.check_in.is_none_or(|at| f64::from(at) < center);
            if is_open {
                self.spread(
                    belief.anchor,
                    HABIT_ODDS * life.lives,
                    center,
                    cell.spread.hypot(blur),
                    now,
                );
            }
        }
    }

    fn spread(&mut self, anchor: Anchor, mass: f64, center: f64, spread: f64, now: i32) {
        let bin_of = |minute: f64| ((minute - f64::from(NOON_MIN)) / f64::from(BIN_MIN)).floor();
        let past = below(f64::from(now) - center, spread);
        self.total -= mass * past;
        let (from, to) = (bin_of(center - 3.0 * spread), bin_of(center + 3.0 * spread));
        let from = from.max(bin_of(f64::from(now))).clamp(0.0, BINS as f64) as usize;
        let to = to.clamp(-1.0, BINS as f64 - 1.0);
        let edge = |bin: usize| f64::from(NOON_MIN) + (bin as f64) * f64::from(BIN_MIN);
        let mut before = below(edge(from).max(f64::from(now)) - center, spread);
        for bin in from..(to + 1.0) as usize {
            let after = below(edge(bin + 1) - center, spread);
            self.bins[anchor as usize][bin] += mass * (after - before).max(0.0);
            before = after;
        }
    }

    fn best(&self, item: &Item, now: i32) -> Option<Foreseen> {
        let half = (NEAR_MIN / BIN_MIN) as usize;
        let all: Vec<f64> = (0..BINS)
            .map(|bin| self.bins.iter().map(|bins| bins[bin]).sum())
            .collect();
        let window = |edge: usize| edge.saturating_sub(half)..(edge + half).min(BINS);
        let first = usize::try_from((now - NOON_MIN).max(0) + BIN_MIN - 1).ok()? / BIN_MIN as usize;
        let mass = |edge: usize| all[window(edge)].iter().sum::<f64>();
        let edge = (first..BINS).max_by(|a, b| mass(*a).total_cmp(&mass(*b)))?;
        let of = |anchor: Anchor| self.bins[anchor as usize][window(edge)].iter().sum::<f64>();
        let anchor = Anchor::ALL.into_iter().max_by(|a, b| of(*a).total_cmp(&of(*b)))?;
        let score = (mass(edge) / self.total.max(f64::MIN_POSITIVE)).clamp(0.0, 1.0);
        Some(Foreseen {
            item: item.clone(),
            minute: NOON_MIN + edge as i32 * BIN_MIN,
            score_thousandths: (score * 1000.0).round() as u16,
            anchor,
            made_at: now,
            hits: 0,
            nights: 0,
        })
    }
}
