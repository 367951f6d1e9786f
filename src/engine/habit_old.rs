//! What recurs, and when?
//!
//! The first estimate: for each thing a guest asks for, the clock time, how regular it is, and how sure that is. A score of
//! 1 would be a wish fulfilled every night at the same minute. Method in docs/behaviour.md.

use crate::model::{Item, PriorSummary};
use std::collections::BTreeMap;

/// Each night further back counts for this much of the next.
const KEEP_PER_NIGHT: f64 = 0.88;
/// Beta prior of a habit: few things are one.
const PRIOR_HITS: f64 = 0.3;
const PRIOR_MISSES: f64 = 0.9;
/// One-sided quantile for the lower bound.
const Z_LOW: f64 = 0.84;
/// A wish this near to the minute counts as met.
const NEAR_MIN: f64 = 20.0;
/// More scattered than this is no habit.
const SPREAD_MAX_MIN: f64 = 26.0;
/// No one is regular to the minute: the spread is at least this.
const SPREAD_MIN_MIN: f64 = 5.0;
/// Nights are counted from noon, so that a habit at midnight is one habit.
const NIGHT_STARTS_MIN: i32 = 12 * 60;
/// Nights beyond these weigh nothing.
const NIGHTS_MAX: usize = 60;

/// One night: what was asked for, at which minute after local midnight.
pub type Night = Vec<(Item, u16)>;

/// What a guest may be expected to want.
#[derive(Debug, Clone, PartialEq)]
pub struct Habit {
    /// What.
    pub item: Item,
    /// The usual minute after local midnight.
    pub minute: u16,
    /// How regular and how sure, 0 to 1.
    pub score: f64,
    /// On how many nights it was asked for.
    pub hits: u16,
    /// Out of how many.
    pub nights: u16,
    /// Typical distance from the usual minute.
    pub spread_min: f64,
}

/// Spreads earlier stays out into nights, oldest first. A summary tells the wishes of a stay in order; nights without any
/// count as nights.
pub fn nights_of(stays: &[&PriorSummary]) -> Vec<Night> {
    stays
        .iter()
        .flat_map(|stay| {
            let mut nights: Vec<Night> = vec![Night::new(); usize::from(stay.nights)];
            let mut used: BTreeMap<&Item, usize> = BTreeMap::new();
            for (item, minute) in &stay.habits {
                let night = used.entry(item).or_default();
                if *night >= nights.len() {
                    nights.push(Night::new());
                }
                nights[*night].push((item.clone(), *minute));
                *night += 1;
            }
            nights
        })
        .collect()
}

/// Finds the habits in a run of nights, oldest first.
pub fn habits(nights: &[Night]) -> Vec<Habit> {
    let nights = &nights[nights.len().saturating_sub(NIGHTS_MAX)..];
    let mut items: Vec<&Item> = nights.iter().flatten().map(|(item, _)| item).collect();
    items.sort();
    items.dedup();
    items.into_iter().filter_map(|item| habit(item, nights)).collect()
}

fn habit(item: &Item, nights: &[Night]) -> Option<Habit> {
    let (mut hits, mut chances, mut times) = (0.0, 0.0, Vec::new());
    for (back, night) in nights.iter().rev().enumerate() {
        let weight = KEEP_PER_NIGHT.powi(i32::try_from(back).unwrap_or(i32::MAX));
        chances += weight;
        if let Some((_, minute)) = night.iter().find(|(asked, _)| asked == item) {
            hits += weight;
            times.push((since_noon(*minute), weight));
        }
    }
    let usual = weighted_median(&mut times)?;
    let mut off: Vec<(i32, f64)> = times.iter().map(|(t, w)| ((t - usual).abs(), *w)).collect();
    let spread_min = (f64::from(weighted_median(&mut off)?) * 1.4826).max(SPREAD_MIN_MIN);
    let n = chances + PRIOR_HITS + PRIOR_MISSES;
    let p = (hits + PRIOR_HITS) / n;
    let low = (p - Z_LOW * (p * (1.0 - p) / (n + 1.0)).sqrt()).max(0.0);
    let score = if spread_min > SPREAD_MAX_MIN {
        0.0
    } else {
        low * erf(NEAR_MIN / (spread_min * std::f64::consts::SQRT_2))
    };
    let minute = u16::try_from((usual + NIGHT_STARTS_MIN).rem_euclid(1440)).ok()?;
    Some(Habit {
        item: item.clone(),
        minute,
        score,
        hits: times.len() as u16,
        nights: nights.len() as u16,
        spread_min,
    })
}

fn since_noon(minute: u16) -> i32 {
    (i32::from(minute) - NIGHT_STARTS_MIN).rem_euclid(1440)
}

fn weighted_median(list: &mut [(i32, f64)]) -> Option<i32> {
    list.sort_by_key(|(value, _)| *value);
    let half = list.iter().map(|(_, weight)| weight).sum::<f64>() / 2.0;
    let mut sum = 0.0;
    list.iter()
        .find(|(_, weight)| {
            sum += weight;
            sum >= half
        })
        .map(|(value, _)| *value)
}

/// The error function, to about 1e-7 (Abramowitz and Stegun, Handbook of Mathematical Functions, 7.1.26).
pub fn erf(x: f64) -> f64 {
    let t = 1.0 / (1.0 + 0.327_591_1 * x.abs());
    let poly =
        t * (0.254_829_592 + t * (-0.284_496_736 + t * (1.421_413_741 + t * (-1.453_152_027 + t * 1.061_405_429))));
    x.signum() * (1.0 - poly * (-x * x).exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn night(list: &[(&str, u16)]) -> Night {
        list.iter()
            .map(|(item, minute)| (Item::new(item).unwrap(), *minute))
            .collect()
    }

    #[test]
    fn the_milk_at_eleven_is_a_habit_after_three_nights() {
        let nights = vec![
            night(&[("hot-milk", 1378)]),
            night(&[("hot-milk", 1381)]),
            night(&[("hot-milk", 1384)]),
        ];
        let found = habits(&nights);
        assert_eq!(found.len(), 1);
        assert!(
            (1378..=1384).contains(&found[0].minute) && found[0].score > 0.5,
            "{found:?}"
        );
    }

    #[test]
    fn a_habit_around_midnight_is_one_habit() {
        let nights = vec![night(&[("tea", 1435)]), night(&[("tea", 5)]), night(&[("tea", 1439)])];
        let found = &habits(&nights)[0];
        assert!(found.minute >= 1435 || found.minute <= 5, "{found:?}");
    }

    #[test]
    fn what_comes_at_any_hour_is_none() {
        let nights = vec![
            night(&[("tea", 1000)]),
            night(&[("tea", 1200)]),
            night(&[("tea", 100)]),
            night(&[("tea", 800)]),
        ];
        assert_eq!(habits(&nights)[0].score, 0.0);
    }

    #[test]
    fn nights_without_it_lower_the_score() {
        let mut nights = vec![night(&[("tea", 1380)]); 3];
        let fresh = habits(&nights)[0].score;
        nights.extend(vec![Night::new(); 4]);
        assert!(habits(&nights)[0].score < fresh / 2.0);
    }
}
