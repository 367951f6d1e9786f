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
