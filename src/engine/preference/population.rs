//! What do guests of this property usually like, in this season?
//!
//! A stranger gets what those before him settled at. The property's own figure is where it begins, and it stays a part of
//! it: learning has a bounded weight, so that a few stays move it little and years of stays do not freeze it. Whole
//! numbers only.

use super::scale;
use crate::model::{Attribute, PriorSummary};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What the property's own figure weighs at the start, in stays.
const START_STAYS: i64 = 20;
/// Each finished stay weighs at least one in so many: what guests like moves with the years.
const STAYS_MAX: i64 = 400;
/// Figures are kept in millionths of their unit, so that rounding does not stop the learning.
const MILLIONTHS: f64 = 1e6;

/// The season of a month, by the northern calendar; elsewhere they only bear other names.
pub const fn season(month: i8) -> usize {
    (month as usize % 12) / 3
}

/// What is learnt, by attribute and season.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Population(BTreeMap<Attribute, [Usual; 4]>);

/// The moving mean of one attribute in one season.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
struct Usual {
    /// How far from where it began, in millionths of the unit.
    off: i64,
    /// Stays it rests on.
    stays: i64,
}

impl Population {
    /// Takes what one finished stay settled at by the guest's own hand or word. `start` tells each attribute's own figure.
    pub fn learn(&mut self, summary: &PriorSummary, season: usize, start: impl Fn(Attribute) -> f64) {
        for evidence in &summary.evidence {
            let device = evidence.device.filter(|device| device.nights > 0);
            let said = evidence.explicit.or(device.map(|device| device.settled));
            let Some(figure) = said.and_then(|said| said.figure()) else {
                continue;
            };
            let off = ((figure.to_f64() - start(evidence.attribute)) * MILLIONTHS).round() as i64;
            let usual = &mut self.0.entry(evidence.attribute).or_default()[season % 4];
            usual.off += (off - usual.off) / (START_STAYS + usual.stays + 1);
            usual.stays = (usual.stays + 1).min(STAYS_MAX);
        }
    }

    /// What is usual of an attribute in a season.
    pub fn usual(&self, attribute: Attribute, season: usize, start: f64) -> f64 {
        let learnt = self.0.get(&attribute).map_or(0, |seasons| seasons[season % 4].off);
        start + (learnt as f64 / MILLIONTHS * 100.0).round() / 100.0
    }
}

/// An attribute's own figure, when the property says none.
pub fn start(attribute: Attribute, comfort: f64) -> f64 {
    match attribute {
        Attribute::TargetTemperature | Attribute::ArrivalTemperature => comfort,
        _ => scale(attribute).map_or(0.0, |scale| scale.usual),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{PropertyId, Said, StayEvidence, StayToken};

    fn stay(celsius: i32) -> PriorSummary {
        PriorSummary {
            property: PropertyId::new("rome").unwrap(),
            stay: StayToken::new("00000001").unwrap(),
            version: 1,
            day: 0,
            temperature: None,
            firmness: None,
            nights: 1,
            acts: 1,
            habits: vec![],
            evenings: vec![],
            evidence: vec![StayEvidence {
                explicit: Some(Said::hundredths(celsius)),
                ..StayEvidence::none(Attribute::TargetTemperature)
            }],
        }
    }

    #[test]
    fn one_stay_moves_it_little_and_a_summer_of_stays_moves_it_there() {
        let mut all = Population::default();
        let usual = |all: &Population, season| all.usual(Attribute::TargetTemperature, season, 22.0);
        assert_eq!(usual(&all, 2), 22.0);
        all.learn(&stay(2600), 2, |_| 22.0);
        assert!((22.1..22.3).contains(&usual(&all, 2)), "{}", usual(&all, 2));
        (0..1000).for_each(|_| all.learn(&stay(2400), 2, |_| 22.0));
        assert!((23.8..=24.0).contains(&usual(&all, 2)), "{}", usual(&all, 2));
        assert_eq!(usual(&all, 0), 22.0, "winter has learnt nothing");
        (0..2000).for_each(|_| all.learn(&stay(2100), 2, |_| 22.0));
        assert!(usual(&all, 2) < 21.2, "years of stays do not freeze it");
    }

    #[test]
    fn each_month_is_in_a_season() {
        assert_eq!([12, 1, 2, 3, 6, 9, 11].map(season), [0, 0, 0, 1, 2, 3, 3]);
    }
}
