//! What does this guest like, how sure is that, and where does it come from?
//!
//! A guest is a mergeable map from (property, stay) to what that stay showed: one writer a key, the higher version wins, so
//! merging is the same in any order. The preference is a pure fold over that map and the stay in progress. This is the first
//! estimate of it: recency-weighted, with the property's own figure as prior; method in docs/behaviour.md.

use super::stay::Stay;
use crate::model::{Celsius, Item, Moment, Point, Prior, PriorSummary, PropertyId, StayToken};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A guest's stays beyond these are the oldest and weigh next to nothing.
const STAYS_MAX: usize = 64;
/// What one stay keeps of another within its weight: three recent stays outweigh everything older while this is at most .7937.
const KEEP: f64 = 0.79;
/// Age halves a stay's weight in so many days.
const HALF_LIFE_DAYS: f64 = 1460.0;
/// Bounds of one stay's weight, by how sure its evidence is.
const WEIGHT: std::ops::RangeInclusive<f64> = 0.15..=1.5;
/// Drift of the preference with every day since the last stay (variance, K^2).
const DRIFT_PER_DAY: f64 = 0.0009;
/// Stated spreads are a little too small; measured.
const SPREAD_FACTOR: f64 = 1.05;
/// Acts by hand against the booking before the booking is overruled.
const ACTS_AGAINST_BOOKING: u16 = 2;
/// The last so many stays are "recent" for a change.
const RECENT: usize = 3;

/// A setting that guests have preferences for, and how it varies.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Attribute {
    /// The setting's point.
    pub point: Point,
    /// From stay to stay of one guest (standard deviation, hundredths).
    within_sd: f64,
    /// Between guests.
    between_sd: f64,
    /// So far off, and it is another preference (hundredths).
    change: f64,
}

/// The attributes learnt so far.
pub const ATTRIBUTES: [Attribute; 2] = [
    Attribute {
        point: Point::TargetTemperature,
        within_sd: 65.0,
        between_sd: 150.0,
        change: 100.0,
    },
    Attribute {
        point: Point::Firmness,
        within_sd: 800.0,
        between_sd: 2000.0,
        change: 1500.0,
    },
];

/// Returns how a setting varies, if guests have preferences for it.
pub fn attribute(point: Point) -> Option<&'static Attribute> {
    ATTRIBUTES.iter().find(|a| a.point == point)
}

/// Everything known of a guest.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Guest {
    #[serde(with = "as_list")]
    stays: BTreeMap<(PropertyId, StayToken), PriorSummary>,
    /// Must be so.
    pub must_have: Vec<Item>,
    /// To be placed before arrival.
    pub items: Vec<Item>,
    /// When it was last needed: what nobody needs for long is forgotten here.
    pub used_at: Option<Moment>,
}

/// JSON has no keys of two parts: the map is written as the list of its values, which carry their keys.
mod as_list {
    use super::{BTreeMap, PriorSummary, PropertyId, StayToken};
    use serde::{Deserialize, Deserializer, Serializer};

    type Stays = BTreeMap<(PropertyId, StayToken), PriorSummary>;

    pub fn serialize<S: Serializer>(stays: &Stays, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(stays.values())
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Stays, D::Error> {
        let list = Vec::<PriorSummary>::deserialize(from)?;
        Ok(list
            .into_iter()
            .map(|s| ((s.property.clone(), s.stay.clone()), s))
            .collect())
    }
}

/// What one setting showed in the stay in progress.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Shown {
    /// The guest's last choice, hundredths.
    pub choice: Option<i32>,
    /// How many acts by hand.
    pub acts: u16,
    /// How many of them went against what the booking said.
    pub against_booking: u16,
    /// The choice in force at each night's end, hundredths.
    pub nights: Vec<i32>,
    /// Reports already made of it.
    pub revision: u32,
}

/// What is preferred, and how sure that is.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// In hundredths of the point's unit.
    pub hundredths: i32,
    /// Standard deviation, in the unit.
    pub sd: f64,
    /// The probability that the guest's own choice is within 1 of it.
    pub within_one: f64,
    /// `population`, `booking`, `device`.
    pub from: &'static str,
    /// `recently_changed`, `booking_vs_device`.
    pub tags: Vec<&'static str>,
    /// How many earlier stays it rests on.
    pub stays: usize,
}

impl Guest {
    /// Takes what is known elsewhere. Merging in any order, and twice, gives the same.
    pub fn merge(&mut self, prior: &Prior) {
        prior.stays.iter().for_each(|summary| self.add(summary.clone()));
        for (mine, theirs) in [(&mut self.must_have, &prior.must_have), (&mut self.items, &prior.items)] {
            mine.extend(theirs.iter().cloned());
            mine.sort();
            mine.dedup();
        }
    }

    /// Adds what one stay showed, unless a later version of it is known.
    pub fn add(&mut self, summary: PriorSummary) {
        let key = (summary.property.clone(), summary.stay.clone());
        if self.stays.get(&key).is_none_or(|known| known.version < summary.version) {
            self.stays.insert(key, summary);
        }
        while self.stays.len() > STAYS_MAX {
            let oldest = self
                .stays
                .iter()
                .min_by_key(|(key, s)| (s.day, (*key).clone()))
                .map(|(key, _)| key.clone());
            oldest.map(|key| self.stays.remove(&key));
        }
    }

    /// Every stay, oldest first.
    pub fn stays(&self) -> Vec<&PriorSummary> {
        let mut stays: Vec<&PriorSummary> = self.stays.values().collect();
        stays.sort_by(|a, b| (a.day, &a.property, &a.stay).cmp(&(b.day, &b.property, &b.stay)));
        stays
    }
}

/// One stay's evidence for one setting.
struct Observation {
    day: i32,
    hundredths: f64,
    weight: f64,
}

/// Answers what a guest likes of one setting.
///
/// `usual` is the property's own figure, `today` the local day number. The stay in progress counts as the newest stay as
/// soon as the guest's hand has shown something.
pub fn answer(
    attribute: &Attribute,
    guest: Option<&Guest>,
    stay: Option<&Stay>,
    shown: Option<&Shown>,
    usual: i32,
    today: i32,
) -> Answer {
    let mut seen: Vec<Observation> = guest.map(|g| observations(attribute, g)).unwrap_or_default();
    let earlier = seen.len();
    if let Some(now) = shown.and_then(|shown| current(attribute, shown, today)) {
        seen.push(now);
    }
    let declared = stay.and_then(|stay| declared(attribute, stay));
    if seen.is_empty() {
        return unseen(attribute, declared, usual);
    }
    let (mean, variance) = weigh(attribute, &seen, f64::from(usual), today);
    let mut tags = Vec::new();
    let mean = match changed(attribute, &seen) {
        Some(newest) => {
            tags.push("recently_changed");
            newest
        }
        None => mean,
    };
    let acts = shown.map_or(0, |shown| shown.against_booking);
    if declared.is_some_and(|said| (mean - f64::from(said)).abs() >= attribute.change * 0.75)
        && acts >= ACTS_AGAINST_BOOKING
    {
        tags.push("booking_vs_device");
    }
    let sd = SPREAD_FACTOR * variance.sqrt() / 100.0;
    Answer {
        hundredths: mean.round() as i32,
        sd,
        within_one: within(1.0, sd),
        from: "device",
        tags,
        stays: earlier,
    }
}

/// What the booking said of a setting, hundredths.
pub fn declared(attribute: &Attribute, stay: &Stay) -> Option<i32> {
    match attribute.point {
        Point::TargetTemperature => stay.declared.temperature.map(Celsius::hundredths),
        Point::Firmness => stay.declared.firmness.map(|f| f.hundredths()),
        _ => None,
    }
}

fn unseen(attribute: &Attribute, declared: Option<i32>, usual: i32) -> Answer {
    let (hundredths, sd, from) = match declared {
        Some(said) => (said, attribute.between_sd, "booking"),
        None => (usual, attribute.between_sd, "population"),
    };
    let sd = sd / 100.0;
    Answer {
        hundredths,
        sd,
        within_one: within(1.0, sd),
        from,
        tags: Vec::new(),
        stays: 0,
    }
}

fn observations(attribute: &Attribute, guest: &Guest) -> Vec<Observation> {
    let value = |s: &PriorSummary| match attribute.point {
        Point::TargetTemperature => s.temperature.map(Celsius::hundredths),
        Point::Firmness => s.firmness.map(|f| f.hundredths()),
        _ => None,
    };
    let observe = |s: &PriorSummary| {
        let weight = weight(attribute, s.nights);
        value(s).map(|v| Observation {
            day: s.day,
            hundredths: f64::from(v),
            weight,
        })
    };
    guest.stays().into_iter().filter_map(observe).collect()
}

fn current(attribute: &Attribute, shown: &Shown, today: i32) -> Option<Observation> {
    let hundredths = f64::from(settled(shown)?);
    let nights = u16::try_from(shown.nights.len()).unwrap_or(u16::MAX);
    Some(Observation {
        day: today,
        hundredths,
        weight: weight(attribute, nights.max(1)),
    })
}

/// The stay's settled value: the median over its nights and the choice that stands now.
pub fn settled(shown: &Shown) -> Option<i32> {
    let mut values: Vec<i32> = shown.nights.iter().copied().chain(shown.choice).collect();
    values.sort_unstable();
    values.get(values.len() / 2).copied()
}

/// A device's evidence: .25 K^2 of its own, .36 spread over the nights, .02 for the step of the dial.
fn weight(attribute: &Attribute, nights: u16) -> f64 {
    let scale = (attribute.within_sd / 65.0).powi(2);
    let variance = 10_000.0 * scale * (0.25 + 0.36 / f64::from(nights.clamp(1, 3)) + 0.02);
    (attribute.within_sd.powi(2) / variance).clamp(*WEIGHT.start(), *WEIGHT.end())
}

fn weigh(attribute: &Attribute, seen: &[Observation], usual: f64, today: i32) -> (f64, f64) {
    let prior = (attribute.within_sd / attribute.between_sd).powi(2);
    let weights: Vec<f64> = seen
        .iter()
        .rev()
        .enumerate()
        .map(|(rank, o)| {
            let age = f64::from(today.saturating_sub(o.day).max(0));
            o.weight * KEEP.powi(rank as i32) * (-age / HALF_LIFE_DAYS).exp2()
        })
        .collect();
    let total: f64 = prior + weights.iter().sum::<f64>();
    let sum: f64 = prior * usual
        + seen
            .iter()
            .rev()
            .zip(&weights)
            .map(|(o, w)| w * o.hundredths)
            .sum::<f64>();
    let since = seen
        .last()
        .map_or(0.0, |o| f64::from(today.saturating_sub(o.day).max(0)));
    (
        sum / total,
        attribute.within_sd.powi(2) / total + DRIFT_PER_DAY * 10_000.0 * since,
    )
}

/// The newest stay differs from all before it by a change's worth: the change takes effect at once.
fn changed(attribute: &Attribute, seen: &[Observation]) -> Option<f64> {
    let (newest, before) = seen.split_last()?;
    let recent = &before[before.len().saturating_sub(RECENT)..];
    if recent.is_empty() {
        return None;
    }
    let mean = recent.iter().map(|o| o.hundredths).sum::<f64>() / recent.len() as f64;
    ((newest.hundredths - mean).abs() >= attribute.change).then_some(newest.hundredths * 0.85 + mean * 0.15)
}

/// Probability that a normal variable lies within `reach` of its mean.
fn within(reach: f64, sd: f64) -> f64 {
    if sd <= 0.0 {
        1.0
    } else {
        super::habit::erf(reach / (sd * std::f64::consts::SQRT_2))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summary(property: &str, stay: &str, day: i32, celsius: f64, version: u64) -> PriorSummary {
        PriorSummary {
            property: PropertyId::new(property).unwrap(),
            stay: StayToken::new(stay).unwrap(),
            version,
            day,
            temperature: Celsius::new(celsius),
            firmness: None,
            nights: 3,
            acts: 2,
            habits: vec![],
            evenings: vec![],
        }
    }

    fn ask(guest: &Guest, today: i32) -> Answer {
        answer(&ATTRIBUTES[0], Some(guest), None, None, 2200, today)
    }

    #[test]
    fn an_unknown_guest_gets_the_booking_and_else_the_property() {
        let nobody = answer(&ATTRIBUTES[0], None, None, None, 2200, 20_000);
        assert_eq!((nobody.hundredths, nobody.from), (2200, "population"));
    }

    #[test]
    fn three_recent_stays_outweigh_any_number_of_old_ones() {
        let mut guest = Guest::default();
        for n in 0..40 {
            guest.add(summary("vienna", &format!("aaaa{n:04}"), 18_000 + n, 26.0, 1));
        }
        for n in 0..3 {
            guest.add(summary("vienna", &format!("bbbb{n:04}"), 20_000 + n, 20.0, 1));
        }
        let like = f64::from(ask(&guest, 20_010).hundredths) / 100.0;
        assert!((20.0..23.0).contains(&like), "{like}");
    }

    #[test]
    fn merging_is_the_same_in_any_order_and_twice() {
        let list = [
            summary("vienna", "aaaaaaa1", 1, 22.0, 1),
            summary("rome", "aaaaaaa1", 5, 24.0, 2),
            summary("rome", "aaaaaaa1", 5, 23.0, 1),
        ];
        let fold = |order: &[usize]| {
            let mut guest = Guest::default();
            order.iter().for_each(|n| guest.add(list[*n].clone()));
            guest
        };
        let first = fold(&[0, 1, 2]);
        for order in [&[2, 1, 0][..], &[1, 2, 0, 0, 1], &[0, 2, 1, 2]] {
            assert_eq!(fold(order), first);
        }
        let text = serde_json::to_string(&first).unwrap();
        assert_eq!(serde_json::from_str::<Guest>(&text).unwrap(), first);
    }

    #[test]
    fn a_change_takes_effect_at_once_and_is_tagged() {
        let mut guest = Guest::default();
        for n in 0..3 {
            guest.add(summary("vienna", &format!("aaaa{n:04}"), 19_000 + n * 30, 24.0, 1));
        }
        let steady = ask(&guest, 19_100);
        assert!(
            steady.tags.is_empty() && (2330..=2400).contains(&steady.hundredths),
            "{steady:?}"
        );
        guest.add(summary("vienna", "bbbbbbb1", 19_100, 20.0, 1));
        let moved = ask(&guest, 19_110);
        assert_eq!(moved.tags, ["recently_changed"]);
        assert!((2000..=2080).contains(&moved.hundredths), "{moved:?}");
    }
}
