//! What is known of a guest's nights, and what is believed of each wish?

use super::belief;
use super::outlook::Outlook;
use super::relative::Relative;
use super::{Anchor, Night};
use crate::model::Item;
use std::collections::{BTreeMap, VecDeque};

/// Nights further back than these are forgotten.
pub const NIGHTS_MAX: usize = 48;
/// Bed times further back than these nights say nothing of tonight's.
const BED_TIMES_MAX: usize = 8;
/// A guest of whom no bed time is known goes to bed then, give or take.
const BED_USUAL_MIN: f64 = 23.0 * 60.0 + 15.0;
const BED_USUAL_SPREAD_MIN: f64 = 75.0;
/// One guest's nights differ by this, until they tell otherwise.
const BED_WITHIN_MIN: f64 = 40.0;
/// How often a night something is asked for without any habit, before the guest has shown it.
const CHANCE_FIRST: f64 = 0.3;
const CHANCE_NIGHTS: f64 = 8.0;
/// Spread over so many things that may be asked for.
const CHANCE_THINGS: f64 = 6.0;

/// A guest's nights, oldest first, and what follows from them. Made anew from the nights whenever it is needed: the nights
/// are what is kept.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Learner {
    nights: VecDeque<Night>,
}

/// When somebody usually goes to bed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Bedtime {
    /// Minutes of the night.
    pub minute: f64,
    /// How far off tonight may be, minutes.
    pub spread: f64,
}

impl Learner {
    /// Takes in a night that is over.
    pub fn learn(&mut self, night: Night) {
        self.nights.push_back(night);
        while self.nights.len() > NIGHTS_MAX {
            self.nights.pop_front();
        }
    }

    /// On how many of the nights a thing was asked for.
    fn hits(&self, item: &Item) -> usize {
        let asked = |night: &&Night| night.asked.iter().any(|(asked, _)| asked == item);
        self.nights.iter().filter(asked).count()
    }

    /// What is believed of each thing that was asked for on `hits_min` nights or more.
    pub fn outlook(&self, hits_min: usize) -> Outlook {
        let nights = u16::try_from(self.nights.len()).unwrap_or(u16::MAX);
        Outlook::new(self.beliefs(hits_min), self.bedtime(), nights)
    }

    fn beliefs(&self, hits_min: usize) -> BTreeMap<Item, (u16, Vec<Relative>)> {
        let nights: Vec<Night> = self.nights.iter().cloned().collect();
        let mut items: Vec<&Item> = nights.iter().flat_map(|n| &n.asked).map(|(item, _)| item).collect();
        items.sort();
        items.dedup();
        items.retain(|item| self.hits(item) >= hits_min);
        let chance = self.by_chance();
        let weigh = |item: &Item| {
            let beliefs = Anchor::ALL.map(|anchor| Relative::new(&belief::weigh(item, anchor, &nights, chance)));
            let hits = u16::try_from(self.hits(item)).unwrap_or(u16::MAX);
            (item.clone(), (hits, beliefs.into()))
        };
        items.into_iter().map(weigh).collect()
    }

    /// When this guest usually goes to bed: the mean of the last nights, drawn to what is usual while there are few.
    fn bedtime(&self) -> Bedtime {
        let last: Vec<f64> = self
            .nights
            .iter()
            .rev()
            .filter_map(|n| n.bed)
            .take(BED_TIMES_MAX)
            .map(f64::from)
            .collect();
        let (n, known) = (last.len() as f64, (BED_WITHIN_MIN / BED_USUAL_SPREAD_MIN).powi(2));
        let minute = (last.iter().sum::<f64>() + known * BED_USUAL_MIN) / (n + known);
        let squares: f64 = last.iter().map(|bed| (bed - minute).powi(2)).sum();
        let within = (squares + 3.0 * BED_WITHIN_MIN.powi(2)) / (n + 3.0);
        Bedtime {
            minute,
            spread: (within * (1.0 + 1.0 / (n + known))).sqrt(),
        }
    }

    /// How often a night one thing is asked for by chance: a guest who asks for many things once each has few habits.
    fn by_chance(&self) -> f64 {
        let mut single: BTreeMap<&Item, u32> = BTreeMap::new();
        for (item, _) in self.nights.iter().flat_map(|night| &night.asked) {
            *single.entry(item).or_default() += 1;
        }
        // What was asked for twice or more may be a habit; once of it is counted as chance.
        let by_chance = single.len() as f64;
        (by_chance + CHANCE_FIRST * CHANCE_NIGHTS) / (self.nights.len() as f64 + CHANCE_NIGHTS) / CHANCE_THINGS
    }
}
