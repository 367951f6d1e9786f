//! How far from its anchor is a wish expected, and how surely?
//!
//! The hypotheses about one wish and one anchor come down to belief by distance from the anchor. It is worked out once from
//! the nights; tonight it is only moved to where the anchor is, as often as something happens.

use super::Anchor;
use super::belief::{Belief, STEP_MIN};
use super::normal::below;
use super::outlook::NOON_MIN;

/// Belief further out than so many standard deviations is passed over.
const REACH_SD: f64 = 3.0;
/// Nothing is two days from its anchor: what says so is a fault of a clock, and not worth a table of its length.
const AWAY_MAX_MIN: i32 = 2 * 1440;

/// Belief by distance from one anchor, in steps of [`STEP_MIN`].
#[derive(Debug, Clone, PartialEq)]
pub struct Relative {
    /// The anchor.
    pub anchor: Anchor,
    /// How much speaks for the anchor in all, relative to chance (1).
    pub weight: f64,
    /// Where the first step begins, in steps from the anchor.
    from: i32,
    /// Belief that the wish comes in a step of tonight: when the stay goes on, and when a stay begins.
    going_on: Vec<f64>,
    beginning: Vec<f64>,
}

impl Relative {
    /// Puts the hypotheses together.
    pub fn new(belief: &Belief) -> Self {
        let center = |offset: i32| match belief.anchor {
            // By the clock, the small hours belong to the evening before them.
            Anchor::Clock if offset < NOON_MIN => (offset + 1440) / STEP_MIN,
            _ => offset.div_euclid(STEP_MIN),
        };
        let reach =
            |spread: f64| ((REACH_SD * spread / f64::from(STEP_MIN)).ceil() as i32).min(AWAY_MAX_MIN / STEP_MIN);
        let near = -AWAY_MAX_MIN..=AWAY_MAX_MIN;
        let cells = || belief.cells.iter().filter(|cell| near.contains(&cell.offset));
        let from = cells().map(|c| center(c.offset) - reach(c.spread)).min().unwrap_or(0);
        let to = cells().map(|c| center(c.offset) + reach(c.spread)).max().unwrap_or(0);
        let mut all = Self {
            anchor: belief.anchor,
            weight: belief.weight,
            from,
            going_on: vec![0.0; (to - from) as usize],
            beginning: vec![0.0; (to - from) as usize],
        };
        for cell in cells() {
            let (lives, next) = (cell.life.lives, cell.life.next_stay().lives);
            for (step, share) in kernel(cell.spread, reach(cell.spread)) {
                let at = (center(cell.offset) + step - from) as usize;
                all.going_on[at] += lives * share;
                all.beginning[at] += next * share;
            }
        }
        all
    }

    /// Belief by distance: the minutes from the anchor at which a step begins, and what lies in it.
    pub fn steps(&self, begins_stay: bool) -> impl Iterator<Item = (i32, f64)> + Clone {
        let table = if begins_stay { &self.beginning } else { &self.going_on };
        let from = self.from;
        let steps = table.iter().enumerate().filter(|(_, belief)| **belief > 0.0);
        steps.map(move |(step, belief)| ((from + step as i32) * STEP_MIN, *belief))
    }
}

/// What a normal variable of this spread has in each step around its mean.
fn kernel(spread: f64, reach: i32) -> impl Iterator<Item = (i32, f64)> {
    let edge = move |step: i32| below(f64::from(step * STEP_MIN), spread);
    (-reach..reach).map(move |step| (step, edge(step + 1) - edge(step)))
}
