//! How much speaks for one wish keeping time with one anchor?
//!
//! Hypotheses: an offset (a grid around what was seen), a spread and a rate. Each is followed through the nights as a habit
//! that may not have begun yet, lives, or has ended (two states, a filter of constant cost a night); what it explains is
//! compared with chance. The result says, for each offset and spread, how much belief lies on "lives" and on "does not".

use super::normal::density;
use super::{Anchor, Night};
use crate::model::Item;

/// Offsets are told apart to this, minutes.
pub const STEP_MIN: i32 = 5;
/// Around each time seen, offsets within this are tried.
const AROUND_STEPS: i32 = 2;
/// Spreads that are tried, minutes, and how usual each is. More scattered than the last is no habit, and nobody is more
/// regular than the first.
const SPREADS: [(f64, f64); 5] = [(6.0, 0.23), (9.0, 0.25), (13.0, 0.25), (18.0, 0.2), (26.0, 0.07)];
/// Out of so many opportunities it is asked for; each is as usual as the others.
const RATES: [f64; 5] = [0.55, 0.65, 0.75, 0.85, 0.95];
/// A habit lives on the first night we see with this probability; else it has not begun.
const LIVES_AT_FIRST: f64 = 0.8;
/// Between two stays it begins, if it had not.
const BEGINS: f64 = 0.12;
/// Between two stays it ends.
const ENDS: f64 = 0.06;
/// Between two stays, one that had ended is taken up again.
const RETURNS: f64 = 0.02;
/// One night says no more than this for a habit, so that nothing overflows.
const FACTOR_MAX: f64 = 10_000.0;
/// The time of day within which wishes that are no habit fall, minutes.
const DAY_MIN: f64 = 960.0;

/// Where wishes of an anchor lie, minutes from it.
pub const fn reach(anchor: Anchor) -> (i32, i32) {
    match anchor {
        Anchor::Clock => (0, 1440),
        Anchor::CheckIn => (0, 150),
        Anchor::Bed => (-120, 60),
        Anchor::Wake => (-10, 120),
    }
}

/// How probable a habit keeps time with this anchor, before anything is seen.
const fn usual_share(anchor: Anchor) -> f64 {
    match anchor {
        Anchor::Clock => 0.4,
        Anchor::CheckIn | Anchor::Bed | Anchor::Wake => 0.2,
    }
}

/// Belief in one offset and one spread, each times the rate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cell {
    /// Minutes from the anchor.
    pub offset: i32,
    /// Standard deviation, minutes.
    pub spread: f64,
    /// How far the habit has come.
    pub life: Life,
}

/// Belief that a habit has not begun, lives, or has ended.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Life {
    /// Not begun.
    pub waits: f64,
    /// Lives.
    pub lives: f64,
    /// Ended.
    pub ended: f64,
}

impl Life {
    /// What becomes of it between two stays.
    pub fn next_stay(self) -> Self {
        Self {
            waits: self.waits * (1.0 - BEGINS),
            lives: self.lives * (1.0 - ENDS) + self.waits * BEGINS + self.ended * RETURNS,
            ended: self.ended * (1.0 - RETURNS) + self.lives * ENDS,
        }
    }

    fn total(self) -> f64 {
        self.waits + self.lives + self.ended
    }

    fn add(&mut self, weight: f64, other: Self) {
        self.waits += weight * other.waits;
        self.lives += weight * other.lives;
        self.ended += weight * other.ended;
    }
}

/// All that is believed of one wish and one anchor, relative to chance (1).
#[derive(Debug, Clone, PartialEq)]
pub struct Belief {
    /// The anchor.
    pub anchor: Anchor,
    /// By offset and spread.
    pub cells: Vec<Cell>,
    /// How much speaks for it in all.
    pub weight: f64,
}

/// One night, as one anchor sees it.
struct Sight {
    begins_stay: bool,
    is_chance: bool,
    since_anchor: Vec<f64>,
    declined: bool,
}

/// Weighs one wish against one anchor. `by_chance` is how often a night the wish is asked for without any habit.
pub fn weigh(item: &Item, anchor: Anchor, nights: &[Night], by_chance: f64) -> Belief {
    let sights: Vec<Sight> = nights.iter().map(|night| sight(item, anchor, night)).collect();
    let offsets = offsets(anchor, &sights);
    let (from, to) = reach(anchor);
    let prior = usual_share(anchor) * f64::from(STEP_MIN) / f64::from(to - from) / RATES.len() as f64;
    let mut belief = Belief {
        anchor,
        cells: Vec::with_capacity(offsets.len() * SPREADS.len()),
        weight: 0.0,
    };
    for offset in offsets {
        for (spread, usual) in SPREADS {
            let seen: Vec<f64> = sights
                .iter()
                .map(|s| fit(s, anchor, offset, spread, by_chance))
                .collect();
            let mut sum = Life::default();
            for rate in RATES {
                let life = follow(&sights, &seen, rate, anchor, nights, offset);
                sum.add(prior * usual * rate, life);
                belief.weight += prior * usual * life.total();
            }
            belief.cells.push(Cell {
                offset,
                spread,
                life: sum,
            });
        }
    }
    belief
}

fn sight(item: &Item, anchor: Anchor, night: &Night) -> Sight {
    let at = night.at(anchor);
    let (from, to) = reach(anchor);
    let since = |minute: i32| match anchor {
        Anchor::Clock => Some(minute.rem_euclid(1440)),
        _ => at.map(|at| minute - at).filter(|x| (from..=to).contains(x)),
    };
    let asked = night.asked.iter().filter(|(asked, _)| asked == item);
    Sight {
        begins_stay: night.begins_stay,
        is_chance: at.is_some(),
        since_anchor: asked.filter_map(|(_, minute)| since(*minute)).map(f64::from).collect(),
        declined: night.declined.contains(item),
    }
}

/// The offsets worth trying: a grid around every time seen.
fn offsets(anchor: Anchor, sights: &[Sight]) -> Vec<i32> {
    let seen = sights.iter().flat_map(|s| &s.since_anchor);
    let mut steps: Vec<i32> = seen
        .flat_map(|x| {
            let step = (x / f64::from(STEP_MIN)).round() as i32;
            step - AROUND_STEPS..=step + AROUND_STEPS
        })
        .map(|step| match anchor {
            Anchor::Clock => (step * STEP_MIN).rem_euclid(1440),
            _ => step * STEP_MIN,
        })
        .collect();
    steps.sort_unstable();
    steps.dedup();
    steps
}

/// How much better a habit at this offset explains the night's times than chance does.
fn fit(sight: &Sight, anchor: Anchor, offset: i32, spread: f64, by_chance: f64) -> f64 {
    let distance = |x: f64| match anchor {
        Anchor::Clock => (x - f64::from(offset) + 720.0).rem_euclid(1440.0) - 720.0,
        _ => x - f64::from(offset),
    };
    let sum: f64 = sight.since_anchor.iter().map(|x| density(distance(*x), spread)).sum();
    sum * DAY_MIN / by_chance
}

/// Follows one hypothesis through the nights.
fn follow(sights: &[Sight], seen: &[f64], rate: f64, anchor: Anchor, nights: &[Night], offset: i32) -> Life {
    let mut life = Life {
        waits: 1.0 - LIVES_AT_FIRST,
        lives: LIVES_AT_FIRST,
        ended: 0.0,
    };
    for (place, (sight, fit)) in sights.iter().zip(seen).enumerate() {
        if sight.begins_stay && place > 0 {
            life = life.next_stay();
        }
        if sight.is_chance && is_open(&nights[place], anchor, offset) {
            let miss = 1.0 - rate;
            life.lives *= (miss + rate * fit).min(FACTOR_MAX);
            if sight.declined {
                life.lives *= miss;
            }
        }
    }
    life
}

/// A wish by the clock had no chance on a night when the guest came later.
fn is_open(night: &Night, anchor: Anchor, offset: i32) -> bool {
    let evening = if offset < super::outlook::NOON_MIN {
        offset + 1440
    } else {
        offset
    };
    anchor != Anchor::Clock || night.check_in.is_none_or(|at| at < evening)
}
