//! Is it still as last time?
//!
//! What is known from earlier stays is put to the guest once a stay, through central: when the guest is first in and awake,
//! and never at night. The answer is the guest's own word. A hand on the dial says more: who has set it is not asked, and
//! an answer that comes after it changes nothing.

use crate::engine::calendar::Calendar;
use crate::engine::preference::{Answer, Source, Status, Tag};
use crate::model::{Attribute, Doubt, Moment};
use serde::{Deserialize, Serialize};

/// What may be asked about, the first one that is in doubt most.
pub const ASKED_ABOUT: [Attribute; 2] = [Attribute::TargetTemperature, Attribute::Firmness];
/// When the night is over, local.
const MORNING_MIN: u16 = 8 * 60;

/// The question of the stay in progress.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Confirm {
    put: Option<Put>,
}

/// A question that was put.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Put {
    attribute: Attribute,
    is_answered: bool,
    has_hand_acted: bool,
}

/// What an answer is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Worth {
    /// Nobody asked, or it was answered already.
    Unasked,
    /// The guest's hand came first.
    TooLate,
    /// It is the guest's word.
    Word,
}

impl Confirm {
    /// Whether the guest may be asked now.
    pub fn may_ask(&self, calendar: &Calendar, now: Moment, is_in_and_awake: bool) -> bool {
        self.put.is_none() && is_in_and_awake && !calendar.is_night(now)
    }

    /// When it may be asked at the earliest, if only the night forbids it.
    pub fn deadline(&self, calendar: &Calendar, now: Moment) -> Option<Moment> {
        (self.put.is_none() && calendar.is_night(now)).then(|| calendar.next_at_minute(now, MORNING_MIN))
    }

    /// The question was put.
    pub fn put(&mut self, attribute: Attribute) {
        self.put = Some(Put {
            attribute,
            is_answered: false,
            has_hand_acted: false,
        });
    }

    /// The guest's hand has acted.
    pub fn hand(&mut self) {
        self.put.iter_mut().for_each(|put| put.has_hand_acted = true);
    }

    /// The guest has answered.
    pub fn answered(&mut self, attribute: Attribute) -> Worth {
        match &mut self.put {
            Some(put) if put.attribute == attribute && !put.is_answered => {
                put.is_answered = true;
                if put.has_hand_acted {
                    Worth::TooLate
                } else {
                    Worth::Word
                }
            }
            _ => Worth::Unasked,
        }
    }
}

/// Why a guest is to be asked about an answer, if so.
pub fn doubt(answer: &Answer) -> Option<Doubt> {
    let has = |tag| answer.tags.contains(&tag);
    let is_seen = match answer.status {
        Status::Seen(source) => source != Source::Booking,
        Status::SuspectedChange => true,
        Status::Population | Status::Confirmed | Status::MustHave => false,
    };
    match () {
        () if answer.stays == 0 => None,
        () if has(Tag::Dormant) => Some(Doubt::Dormant),
        () if has(Tag::ConfirmedVsDevice) => Some(Doubt::ConfirmedVsDevice),
        () if has(Tag::SuspectedChange) => Some(Doubt::SuspectedChange),
        () if is_seen => Some(Doubt::KnownFromEarlierStays),
        () => None,
    }
}
