//! Does every order in which gateways hear of a guest lead to the same answers?
//!
//! Histories are made by chance: stays at several properties, stale versions, two contents under one version, check-outs moved
//! to other days, erasure marks, and now and then more stays than are kept. Each history is heard twice: once in order by one
//! gateway, and once in pieces by several, shuffled and doubled, who then tell each other in any order. Both must know
//! the same, and answer the same to the bit.

use crate::engine::preference::{Answer, Asked, Guest, STAYS_MAX, answer};
use crate::model::{Attribute, Prior, PriorSummary, PropertyId, Said, Settled, StayEvidence, StayToken};
use serde_json::{Value as Json, json};

/// Gateways that hear of one guest.
const GATEWAYS: u64 = 4;
/// Messages of an ordinary history, at most.
const MESSAGES_MAX: u64 = 14;
/// One history in so many has more stays than are kept.
const LONG_ONE_IN: u64 = 40;
/// The days that histories are about.
const DAYS: u64 = 1500;

/// Merges `count` histories made from `seed` and tells how many of them came out otherwise.
pub fn evaluate(count: u64, seed: u64) -> Json {
    let names = Names::new();
    let (mut messages, mut erasures, mut unlike_maps, mut unlike_answers) = (0_u64, 0_u64, 0_u64, 0_u64);
    for number in 0..count {
        let mut dice = Dice(seed.wrapping_add(number.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
        let history = names.history(&mut dice);
        messages += history.len() as u64;
        erasures += history.iter().filter(|message| message.erased_up_to.is_some()).count() as u64;
        let mut once = Guest::default();
        history.iter().for_each(|message| _ = once.merge(message));
        let pieces = in_pieces(&history, &mut dice);
        unlike_maps += u64::from(once != pieces);
        unlike_answers += u64::from(bits(&once) != bits(&pieces) || once.hash() != pieces.hash());
    }
    json!({
        "merges": count,
        "seed": seed,
        "messages": messages,
        "erasures": erasures,
        "maps_that_differ": unlike_maps,
        "answers_that_differ": unlike_answers,
    })
}

/// Everything of an answer, its floats by their bits.
fn bits(guest: &Guest) -> (Answer, u64, Option<u64>) {
    let answer = answer(&Asked {
        attribute: Attribute::TargetTemperature,
        guest: Some(guest),
        now: None,
        usual: None,
        today: DAYS as i32,
    });
    let (within, sd) = (answer.within.to_bits(), answer.sd.map(f64::to_bits));
    (answer, within, sd)
}

/// The same history, shuffled and doubled, by several gateways that then tell each other.
fn in_pieces(history: &[Prior], dice: &mut Dice) -> Guest {
    let mut heard: Vec<&Prior> = history.iter().collect();
    heard.extend(history.iter().filter(|_| dice.roll(3) == 0));
    dice.shuffle(&mut heard);
    let mut gateways = vec![Guest::default(); 1 + dice.roll(GATEWAYS) as usize];
    for message in heard {
        let at = dice.roll(gateways.len() as u64) as usize;
        gateways[at].merge(message);
    }
    while gateways.len() > 1 {
        let from = gateways.swap_remove(dice.roll(gateways.len() as u64) as usize);
        let to = dice.roll(gateways.len() as u64) as usize;
        gateways[to].join(&from);
        if dice.roll(4) == 0 {
            gateways[to].join(&from);
        }
    }
    gateways.swap_remove(0)
}

/// Names made once: histories draw from them.
struct Names {
    properties: Vec<PropertyId>,
    stays: Vec<StayToken>,
    guest: crate::model::GuestToken,
}

impl Names {
    fn new() -> Self {
        let properties = ["lakeside", "rome-via", "seaside"];
        let is_id = "written here in the alphabet of ids";
        Self {
            properties: properties.iter().map(|id| PropertyId::new(id).expect(is_id)).collect(),
            stays: (0..40)
                .map(|n| StayToken::new(format!("{n:08}")).expect(is_id))
                .collect(),
            guest: crate::model::GuestToken::new("00000000").expect(is_id),
        }
    }

    fn history(&self, dice: &mut Dice) -> Vec<Prior> {
        let is_long = dice.roll(LONG_ONE_IN) == 0;
        let stays = if is_long {
            self.stays.len() as u64
        } else {
            1 + dice.roll(6)
        };
        let messages = if is_long {
            STAYS_MAX as u64 * 2
        } else {
            1 + dice.roll(MESSAGES_MAX)
        };
        let moves_check_outs = dice.roll(3) == 0;
        (0..messages)
            .map(|_| self.message(dice, stays, moves_check_outs))
            .collect()
    }

    fn message(&self, dice: &mut Dice, stays: u64, moves_check_outs: bool) -> Prior {
        let (property, stay) = (dice.roll(3), dice.roll(stays));
        let usual_day = (stay * 37 + property * 11) % DAYS;
        let day = if moves_check_outs && dice.roll(3) == 0 {
            dice.roll(DAYS)
        } else {
            usual_day
        };
        let summary = PriorSummary {
            property: self.properties[property as usize].clone(),
            stay: self.stays[stay as usize].clone(),
            version: 1 + dice.roll(4),
            day: day as i32,
            temperature: None,
            firmness: None,
            nights: 1,
            acts: 1,
            habits: Vec::new(),
            evenings: Vec::new(),
            evidence: vec![evidence(dice)],
        };
        Prior {
            guest: self.guest.clone(),
            stays: vec![summary],
            must_have: Vec::new(),
            items: Vec::new(),
            erased_up_to: (dice.roll(12) == 0).then(|| dice.roll(DAYS / 2) as i32),
        }
    }
}

fn evidence(dice: &mut Dice) -> StayEvidence {
    let mut some = |one_in: u64| {
        let said = Said::hundredths(1800 + dice.roll(32) as i32 * 25);
        (dice.roll(one_in) == 0).then_some(said)
    };
    let (explicit, confirmed, accepted, booking, settled) = (some(6), some(15), some(2), some(3), some(2));
    let device = settled.map(|settled| Settled {
        settled,
        nights: dice.roll(4) as u16,
        acts: dice.roll(4) as u16,
    });
    StayEvidence {
        attribute: Attribute::TargetTemperature,
        device,
        explicit,
        confirmed,
        staff: None,
        accepted,
        booking,
    }
}

/// SplitMix64 (Steele, Lea and Flood 2014): a seed gives the same histories on every machine.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((u128::from(mixed ^ (mixed >> 31)) * u128::from(sides)) >> 64) as u64
    }

    fn shuffle<T>(&mut self, list: &mut [T]) {
        for at in (1..list.len()).rev() {
            list.swap(at, self.roll(at as u64 + 1) as usize);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_order_of_hearing_changes_an_answer() {
        let told = evaluate(4000, 1);
        assert_eq!(
            (&told["maps_that_differ"], &told["answers_that_differ"]),
            (&json!(0), &json!(0)),
            "{told}"
        );
        assert!(
            told["messages"].as_u64() > Some(20_000) && told["erasures"].as_u64() > Some(1_000),
            "{told}"
        );
    }
}
