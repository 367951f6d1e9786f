//! When will this wish come tonight, and how surely?
//!
//! Every hypothesis puts its belief where it expects the wish: at its offset from an anchor that has been seen tonight, by
//! the clock, or around the usual time of going to bed, as far as that still lies ahead. What lies in the past and did not
//! happen is taken off. The window of 20 minutes either side that holds most is the foreseen time, and what it holds is the
//! score. Silence sharpens: who usually asks about eleven and has not by a quarter to will do so soon, or not at all. So an
//! offer waits as long as it gains by that.

use super::learner::Bedtime;
use super::normal::below;
use super::relative::Relative;
use super::{Anchor, NEAR_MIN, Night, Tier};
use crate::model::Item;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Nights begin at noon.
pub const NOON_MIN: i32 = 12 * 60;
/// A thing that was ever asked for is a habit with these odds against chance, before its times are looked at.
const HABIT_ODDS: f64 = 0.5;
/// The night's time is cut into bins of this, minutes.
const BIN_MIN: i32 = 5;
/// While nobody knows when the guest goes to bed, that is looked at in steps of this, minutes.
const BED_STEP_MIN: i32 = 10;
/// No bed time is further than a day from the usual one, however the clocks went that it was learnt by.
const BED_STEPS_MAX: i32 = 1440 / BED_STEP_MIN;
/// Bed times further off than so many standard deviations are passed over.
const BED_REACH_SD: f64 = 3.0;
/// Belief that waits for the guest to go to bed is looked at anew with time when it is at least this share.
const BED_SHARE_MIN: f64 = 0.1;
/// From noon to noon two days later: wishes after waking lie at the end.
const BINS: usize = (2 * 1440 - NOON_MIN) as usize / BIN_MIN as usize;
/// Bins from the middle of a window to its end.
const HALF_WINDOW: usize = (NEAR_MIN / BIN_MIN) as usize;

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
    /// Whether it is so near and so sure that the guest is asked, or it is brought, and no surer for waiting: then it stands.
    #[serde(default)]
    pub is_firm: bool,
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

    /// How far it may go: until it stands, those who serve are told and nothing more.
    pub fn tier(&self) -> Option<Tier> {
        let most = if self.is_firm { Tier::Deliver } else { Tier::Stage };
        Tier::of(self.score()).map(|tier| tier.min(most))
    }

    /// Whether another one says the same.
    pub fn is_same(&self, other: &Foreseen) -> bool {
        self.item == other.item && self.minute == other.minute && self.score_thousandths == other.score_thousandths
    }
}

/// What is believed of a guest: weighed once from the nights, asked as often as something happens tonight.
#[derive(Debug, Clone, PartialEq)]
pub struct Outlook {
    beliefs: BTreeMap<Item, (u16, Vec<Relative>)>,
    bedtime: Bedtime,
    nights: u16,
}

impl Outlook {
    /// Collects what is believed.
    pub(super) fn new(beliefs: BTreeMap<Item, (u16, Vec<Relative>)>, bedtime: Bedtime, nights: u16) -> Self {
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
        let map = self.map(beliefs, seen, now);
        let foreseen = map.best(item, now)?;
        Some(Foreseen {
            is_firm: map.is_ripe(&foreseen, now),
            hits: *hits,
            nights: self.nights,
            ..foreseen
        })
    }

    /// When a wish is to be looked at again, if nothing happens before: when it will have come so near that something may
    /// be done about it.
    pub fn next_look(&self, item: &Item, seen: &Night, now: i32) -> Option<i32> {
        let (_, beliefs) = self.beliefs.get(item)?;
        let map = self.map(beliefs, seen, now);
        let waits_for_bed = seen.bed.is_none() && map.share(Anchor::Bed) >= BED_SHARE_MIN;
        let with_bed = waits_for_bed.then_some(now + BED_STEP_MIN);
        [map.next_near(now), with_bed].into_iter().flatten().min()
    }

    fn map(&self, beliefs: &[Relative], seen: &Night, now: i32) -> Map {
        let mut map = Map::new(beliefs, now);
        beliefs.iter().for_each(|belief| map.place(belief, self.bedtime, seen));
        map
    }
}

/// Where belief lies tonight, by anchor and time.
struct Map {
    now: f64,
    bins: [Vec<f64>; 4],
    /// Belief in all, chance included, less what has been ruled out.
    total: f64,
}

fn edge(bin: usize) -> i32 {
    NOON_MIN + bin as i32 * BIN_MIN
}

/// The first bin that begins at this minute or later.
fn bin_from(minute: i32) -> usize {
    usize::try_from((minute - NOON_MIN).max(0) + BIN_MIN - 1).unwrap_or(0) / BIN_MIN as usize
}

impl Map {
    fn new(beliefs: &[Relative], now: i32) -> Self {
        let weight: f64 = beliefs.iter().map(|belief| belief.weight).sum();
        Self {
            now: f64::from(now),
            bins: std::array::from_fn(|_| vec![0.0; BINS]),
            total: 1.0 + HABIT_ODDS * weight,
        }
    }

    /// An anchor that was not seen tonight says nothing; the usual bed time stands in for one that lies ahead.
    fn place(&mut self, belief: &Relative, bedtime: Bedtime, seen: &Night) {
        let at = match belief.anchor {
            Anchor::Clock => Some(0),
            Anchor::CheckIn => seen.check_in,
            Anchor::Bed => seen.bed,
            Anchor::Wake => seen.wake,
        };
        // A wish by the clock had no chance before the guest came: that rules nothing out.
        let came = seen.check_in.filter(|_| belief.anchor == Anchor::Clock);
        let open_from = came.map_or(f64::NEG_INFINITY, f64::from);
        match at {
            Some(at) => self.put(belief, seen.begins_stay, f64::from(at), 1.0, open_from),
            None if belief.anchor == Anchor::Bed => {
                for (at, share) in bedtime.ahead(self.now) {
                    self.put(belief, seen.begins_stay, at, share, open_from);
                }
            }
            None => {}
        }
    }

    /// Puts belief about an anchor at `at`: what lies ahead into its bins, what lies behind is ruled out.
    fn put(&mut self, belief: &Relative, begins_stay: bool, at: f64, share: f64, open_from: f64) {
        let bins = &mut self.bins[belief.anchor as usize];
        let width = f64::from(BIN_MIN);
        for (since, mass) in belief.steps(begins_stay) {
            let (mass, from) = (HABIT_ODDS * share * mass, at + f64::from(since));
            let ahead = ((from + width - self.now) / width).clamp(0.0, 1.0);
            let open = ((from + width - open_from) / width).clamp(0.0, 1.0);
            self.total -= mass * (open - ahead).max(0.0);
            let place = (from.max(self.now) - f64::from(NOON_MIN)) / width;
            let (bin, part) = (place.floor(), place - place.floor());
            for (bin, mass) in [(bin, mass * ahead * (1.0 - part)), (bin + 1.0, mass * ahead * part)] {
                if (0.0..BINS as f64).contains(&bin) {
                    bins[bin as usize] += mass;
                }
            }
        }
    }

    fn all(&self) -> Vec<f64> {
        (0..BINS)
            .map(|bin| self.bins.iter().map(|bins| bins[bin]).sum())
            .collect()
    }

    /// How much of all that is believed is a wish that keeps time with this anchor and is yet to come.
    fn share(&self, anchor: Anchor) -> f64 {
        self.bins[anchor as usize].iter().sum::<f64>() / self.total.max(f64::MIN_POSITIVE)
    }

    /// Every window later than now: the minute that it begins at, what it holds, and what is still believed altogether if the
    /// wish has not come by then.
    fn later(&self, now: i32) -> impl Iterator<Item = (i32, f64, f64)> {
        let (all, window) = (self.all(), 2 * HALF_WINDOW);
        let mut left = self.total;
        let windows = (0..=BINS - window).map(move |bin| {
            let (held, believed): (f64, f64) = (all[bin..bin + window].iter().sum(), left);
            left -= all[bin];
            (edge(bin), held, believed)
        });
        windows.filter(move |(from, ..)| *from > now)
    }

    /// The first moment after now from which, if the wish has not come by then, a window holds enough to be told of.
    fn next_near(&self, now: i32) -> Option<i32> {
        let mut later = self.later(now);
        later.find_map(|(from, held, left)| (held >= Tier::Stage.score_min() * left).then_some(from))
    }

    /// Whether it is to be offered now: near, sure enough, and not better offered later. A tier's least score is where an
    /// offer gains nothing: so many of a hundred have to be met for those in vain. What an offer gains beyond that is weighed
    /// against what the best later one would, if the wish has not come by then: waiting rules out, but misses wishes that come
    /// meanwhile.
    fn is_ripe(&self, foreseen: &Foreseen, now: i32) -> bool {
        let least = Tier::Offer.score_min();
        if foreseen.minute - now > NEAR_MIN || foreseen.score() < least {
            return false;
        }
        let gains = self.later(now).map(|(_, held, left)| held - least * left);
        (foreseen.score() - least) * self.total >= gains.fold(0.0, f64::max)
    }

    fn best(&self, item: &Item, now: i32) -> Option<Foreseen> {
        let all = self.all();
        let window = |edge: usize| edge.saturating_sub(HALF_WINDOW)..(edge + HALF_WINDOW).min(BINS);
        let mass = |edge: usize| all[window(edge)].iter().sum::<f64>();
        let at = (bin_from(now)..BINS).max_by(|a, b| mass(*a).total_cmp(&mass(*b)))?;
        let of = |anchor: Anchor| self.bins[anchor as usize][window(at)].iter().sum::<f64>();
        let anchor = Anchor::ALL.into_iter().max_by(|a, b| of(*a).total_cmp(&of(*b)))?;
        let score = (mass(at) / self.total.max(f64::MIN_POSITIVE)).clamp(0.0, 1.0);
        Some(Foreseen {
            item: item.clone(),
            minute: edge(at),
            score_thousandths: (score * 1000.0).round() as u16,
            anchor,
            made_at: now,
            is_firm: false,
            hits: 0,
            nights: 0,
        })
    }
}

impl Bedtime {
    /// The bed times that still lie ahead, and how probable each is of a guest who has not gone to bed by now. Of one who is
    /// up later than ever, nothing is said.
    fn ahead(self, now: f64) -> impl Iterator<Item = (f64, f64)> {
        let step = f64::from(BED_STEP_MIN);
        let reach = ((BED_REACH_SD * self.spread / step).ceil() as i32).min(BED_STEPS_MAX);
        let share = move |at: f64| {
            let (from, to) = ((at - step / 2.0).max(now), (at + step / 2.0).max(now));
            below(to - self.minute, self.spread) - below(from - self.minute, self.spread)
        };
        let times = move || (-reach..=reach).map(move |n| self.minute + f64::from(n) * step);
        let all: f64 = times().map(share).sum();
        times()
            .map(move |at| (at.max(now), share(at) / all.max(f64::MIN_POSITIVE)))
            .filter(|(_, share)| *share > 0.0)
    }
}
