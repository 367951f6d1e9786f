//! What recurs, at which anchor of the guest's day, and what follows for tonight?
//!
//! A wish can recur by the clock, some time after check-in, around going to bed or after waking. For each wish all four are
//! weighed against each other and against chance, over every night the guest is known from ([`Learner`]); tonight's
//! foresight is their mixture, placed by what has already happened tonight ([`Tonight`]). The score of a foreseen wish is
//! the probability that it is asked for within 20 minutes of its minute. Method and figures: docs/behaviour.md.

mod belief;
mod learner;
mod normal;
mod outlook;
mod relative;
mod tonight;

pub use learner::{Learner, NIGHTS_MAX};
pub use normal::erf;
pub use outlook::{Foreseen, Outlook};
pub use tonight::Tonight;

use crate::model::Item;
use serde::{Deserialize, Serialize};

/// A wish this near to its foreseen minute counts as met.
pub const NEAR_MIN: i32 = 20;

/// What a wish keeps time with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Anchor {
    /// The clock on the wall.
    Clock,
    /// The desk's check-in.
    CheckIn,
    /// Going to bed.
    Bed,
    /// Waking.
    Wake,
}

impl Anchor {
    /// Every anchor.
    pub const ALL: [Anchor; 4] = [Anchor::Clock, Anchor::CheckIn, Anchor::Bed, Anchor::Wake];

    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Anchor::Clock => "clock",
            Anchor::CheckIn => "checkin",
            Anchor::Bed => "bed",
            Anchor::Wake => "wake",
        }
    }
}

/// One night of a guest, noon to noon. Minutes count from the local midnight that begins the evening's date, so the small
/// hours lie beyond 1440.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Night {
    /// Whether a stay begins with it.
    pub begins_stay: bool,
    /// When the desk checked the guest in, if that was on this night.
    pub check_in: Option<i32>,
    /// When the guest went to bed, if a bed sensor told.
    pub bed: Option<i32>,
    /// When the guest woke.
    pub wake: Option<i32>,
    /// What was asked for, and when.
    pub asked: Vec<(Item, i32)>,
    /// What was offered and not wanted.
    pub declined: Vec<Item>,
}

impl Night {
    /// When an anchor was, on the scale of the night; the clock is its own.
    pub fn at(&self, anchor: Anchor) -> Option<i32> {
        match anchor {
            Anchor::Clock => Some(0),
            Anchor::CheckIn => self.check_in,
            Anchor::Bed => self.bed,
            Anchor::Wake => self.wake,
        }
    }
}

/// What may be done about a foreseen wish.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tier {
    /// Those who serve are told; nothing moves.
    Stage,
    /// The guest may be asked.
    Offer,
    /// It is brought, to a guest who is in and awake.
    Deliver,
}

impl Tier {
    /// Every tier, weakest first.
    pub const ALL: [Tier; 3] = [Tier::Stage, Tier::Offer, Tier::Deliver];

    /// The least score of it.
    pub const fn score_min(self) -> f64 {
        match self {
            Tier::Stage => 0.4,
            Tier::Offer => 0.55,
            Tier::Deliver => 0.7,
        }
    }

    /// The highest tier that a score reaches.
    pub fn of(score: f64) -> Option<Tier> {
        Tier::ALL.into_iter().rev().find(|tier| score >= tier.score_min())
    }

    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Tier::Stage => "stage",
            Tier::Offer => "offer",
            Tier::Deliver => "deliver",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(name: &str) -> Item {
        Item::new(name).unwrap()
    }

    /// A night of a stay of its own, with what was asked for. The guest comes, sleeps and wakes at no fixed time.
    fn night(asked: &[(&str, i32)]) -> Night {
        let unlike = asked.first().map_or(0, |(_, minute)| minute % 7) * 30;
        Night {
            begins_stay: true,
            check_in: Some(15 * 60 + unlike),
            bed: Some(22 * 60 + 30 + unlike),
            wake: Some(1440 + 8 * 60 - unlike),
            asked: asked.iter().map(|(name, minute)| (item(name), *minute)).collect(),
            declined: vec![],
        }
    }

    fn learnt(nights: &[Night]) -> Outlook {
        let mut learner = Learner::default();
        nights.iter().for_each(|night| learner.learn(night.clone()));
        learner.outlook(2)
    }

    fn evening(check_in: i32) -> Night {
        Night {
            begins_stay: true,
            check_in: Some(check_in),
            ..Night::default()
        }
    }

    fn milk(nights: &[Night]) -> Foreseen {
        learnt(nights).foresee(&item("milk"), &evening(960), 960).unwrap()
    }

    #[test]
    fn the_milk_at_eleven_is_a_habit_after_three_nights() {
        let found = milk(&[1378, 1381, 1384].map(|at| night(&[("milk", at)])));
        assert!(
            (1375..=1385).contains(&found.minute) && found.score() > 0.6,
            "{found:?}"
        );
    }

    #[test]
    fn a_habit_around_midnight_is_one_habit() {
        let found = milk(&[1435, 1445, 1439].map(|at| night(&[("milk", at)])));
        assert!(
            (1435..=1445).contains(&found.minute) && found.score() > 0.6,
            "{found:?}"
        );
    }

    #[test]
    fn what_comes_at_any_hour_is_none() {
        let found = milk(&[800, 1000, 1200, 1420].map(|at| night(&[("milk", at)])));
        assert!(found.score() < Tier::Stage.score_min(), "{found:?}");
    }

    #[test]
    fn nights_without_it_lower_the_score_and_a_refusal_does_so_more() {
        let mut nights = vec![night(&[("milk", 1380)]); 4];
        let fresh = milk(&nights).score();
        nights.push(night(&[]));
        let missed = milk(&nights).score();
        nights[4].declined.push(item("milk"));
        let declined = milk(&nights).score();
        assert!(fresh > missed && missed > declined, "{fresh} {missed} {declined}");
        nights.extend(vec![night(&[]); 5]);
        assert!(milk(&nights).score() < Tier::Stage.score_min());
    }

    #[test]
    fn a_wish_after_waking_moves_with_the_waking() {
        let woke = [1800, 1890, 1845, 1950];
        let nights = woke.map(|wake| Night {
            wake: Some(wake),
            ..night(&[("tea", wake + 20)])
        });
        let outlook = learnt(&nights);
        let late = Night {
            wake: Some(2000),
            ..evening(960)
        };
        let before = outlook.foresee(&item("tea"), &evening(960), 960).unwrap();
        let after = outlook.foresee(&item("tea"), &late, 2000).unwrap();
        assert!(before.score() < 0.4, "who has not woken may sleep on: {before:?}");
        assert_eq!((after.anchor, after.minute), (Anchor::Wake, 2020));
        assert!(after.score() > 0.7, "{after:?}");
    }

    #[test]
    fn nothing_is_foreseen_for_a_time_that_has_passed() {
        let outlook = learnt(&[1378, 1381, 1384].map(|at| night(&[("milk", at)])));
        for now in (960..2400).step_by(7) {
            let found = outlook.foresee(&item("milk"), &evening(960), now).unwrap();
            assert!(found.minute >= now && found.made_at == now, "{now}: {found:?}");
        }
        let late = outlook.foresee(&item("milk"), &evening(1450), 1450).unwrap();
        assert!(late.score() < 0.1, "the guest came after the time: {late:?}");
    }

    #[test]
    fn a_prediction_stands_until_the_wish_is_spoken_or_its_minute_has_passed() {
        let outlook = learnt(&[1378, 1381, 1384].map(|at| night(&[("milk", at)])));
        let mut tonight = Tonight::begin(evening(960));
        tonight.reconsider(&outlook, 960);
        let minute = tonight.standing()[0].minute;
        tonight.to_bed(1300);
        tonight.reconsider(&outlook, 1300);
        assert_eq!(
            tonight.standing()[0].made_at,
            960,
            "the bed said nothing new of the milk"
        );
        let (mut spoken, mut silent) = (tonight.clone(), tonight);
        assert!(spoken.asked(&item("milk"), 1370).is_some());
        assert!(silent.take_past(minute - 1).is_empty() && silent.take_past(minute).len() == 1);
        for night in [&mut spoken, &mut silent] {
            night.reconsider(&outlook, 1390);
            assert!(night.standing().is_empty(), "one prediction a night");
        }
    }

    #[test]
    fn silence_sharpens_and_what_is_offered_stands() {
        let outlook = learnt(&[1340, 1390, 1365, 1380].map(|at| night(&[("milk", at)])));
        let mut tonight = Tonight::begin(evening(960));
        tonight.reconsider(&outlook, 960);
        let early = outlook.foresee(&item("milk"), &evening(960), 960).unwrap();
        let mut looks = Vec::new();
        while let Some(now) = tonight.next_look(&outlook, *looks.last().unwrap_or(&960)) {
            tonight.look_again(&outlook, now);
            looks.push(now);
        }
        let offered = tonight.standing()[0].clone();
        assert!(
            offered.is_firm && offered.score() > early.score(),
            "{early:?} {offered:?}"
        );
        assert!((1..60).contains(&looks.len()), "{looks:?}");
        tonight.to_bed(offered.made_at + 1);
        tonight.reconsider(&outlook, offered.made_at + 1);
        assert_eq!(tonight.standing(), [offered]);
    }

    #[test]
    fn an_offer_waits_as_long_as_silence_makes_it_worth_more() {
        let times = [1340, 1390, 1365, 1380, 1345, 1385, 1362];
        let outlook = learnt(&times.map(|at| night(&[("milk", at)])));
        let mut tonight = Tonight::begin(evening(960));
        tonight.reconsider(&outlook, 960);
        let mut could = None;
        let mut at = 960;
        while let Some(now) = tonight.next_look(&outlook, at) {
            let seen = outlook.foresee(&item("milk"), &evening(960), now).unwrap();
            let is_sure = seen.minute - now <= NEAR_MIN && seen.score() >= Tier::Offer.score_min();
            could = could.or(is_sure.then_some(seen));
            tonight.look_again(&outlook, now);
            at = now;
        }
        let (could, offered) = (could.unwrap(), tonight.standing()[0].clone());
        assert_eq!(
            could.tier(),
            Some(Tier::Stage),
            "near and sure, but it waits: {could:?}"
        );
        assert!(offered.tier() >= Some(Tier::Offer), "{offered:?}");
        assert!(
            offered.made_at > could.made_at && offered.score() > could.score(),
            "{could:?} {offered:?}"
        );
    }

    #[test]
    fn who_has_not_gone_to_bed_by_the_usual_hour_goes_later() {
        let beds = [1380, 1390, 1400, 1385, 1395];
        let nights = beds.map(|bed| Night {
            bed: Some(bed),
            ..night(&[("milk", bed - 5)])
        });
        let outlook = learnt(&nights);
        let late = outlook.foresee(&item("milk"), &evening(960), 1430).unwrap();
        assert!(late.minute >= 1430 && late.score() > 0.0, "{late:?}");
        let gone = Night {
            bed: Some(1300),
            ..evening(960)
        };
        let gone = outlook.foresee(&item("milk"), &gone, 1430).unwrap();
        assert!(gone.score() < late.score(), "{gone:?} {late:?}");
    }

    #[test]
    fn hostile_nights_do_no_harm() {
        let wild = Night {
            begins_stay: false,
            check_in: Some(i32::MIN / 2),
            bed: Some(i32::MAX / 2),
            wake: Some(-5000),
            asked: vec![
                (item("milk"), i32::MAX / 2),
                (item("milk"), -100_000),
                (item("milk"), 0),
            ],
            declined: vec![item("milk")],
        };
        let outlook = learnt(&vec![wild.clone(); 60]);
        let found = outlook.foresee(&item("milk"), &wild, 100_000);
        assert!(found.is_none_or(|f| f.score().is_finite()));
        for now in [i32::MIN / 2, -5000, 0, 2000, i32::MAX / 2] {
            let look = outlook.next_look(&item("milk"), &evening(960), now);
            assert!(look.is_none_or(|at| at > now), "{now}: {look:?}");
        }
    }
}
