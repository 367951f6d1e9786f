//! What do others tell us of a stay and of a guest, without telling who it is?

use super::{
    Attribute, Celsius, Channel, GuestToken, Item, Moment, Percent, PropertyId, RoomId, Said, StayEvidence, StayToken,
};
use serde::{Deserialize, Serialize};

/// How far a stay has come, as the PMS or central says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StayStatus {
    /// Booked; a room may be assigned.
    Reserved,
    /// Checked in at the desk. That is not presence in the room.
    CheckedIn,
    /// Checked out.
    CheckedOut,
    /// Will not come: cancelled beforehand.
    Cancelled,
    /// Did not come.
    NoShow,
}

/// What the booking says the guest wants. The weakest evidence there is: what devices see overrules it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Declared {
    /// Room temperature, C.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temperature: Option<Celsius>,
    /// Mattress firmness, 0 soft to 100 hard.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub firmness: Option<Percent>,
}

/// The whole of what is known of a stay. Each notice replaces the one of a lower version, so late and repeated
/// messages do no harm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StayNotice {
    /// Which stay.
    pub stay: StayToken,
    /// Rises with each change; a notice whose version is not above the known one is dropped.
    pub version: u64,
    /// How far it has come.
    pub status: StayStatus,
    /// The room assigned, if one is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room: Option<RoomId>,
    /// The guest, if central knows the person from earlier stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guest: Option<GuestToken>,
    /// When the guest is expected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub eta: Option<Moment>,
    /// By which way the announced arrival came: arrivals of one way err alike, and that is learnt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<Channel>,
    /// When the guest is expected to leave.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub departure: Option<Moment>,
    /// How many adults.
    #[serde(default = "one")]
    #[schemars(range(min = 1, max = 20))]
    pub adults: u8,
    /// What the booking asks for.
    #[serde(default)]
    pub declared: Declared,
    /// Things to be placed before arrival, as asked for in the booking.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    pub items: Vec<Item>,
}

fn one() -> u8 {
    1
}

/// What one earlier stay showed, here or at another property. One writer for each (property, stay).
///
/// The order of two summaries of one stay is that of their versions, and then of all they say: which of the two counts
/// is the same wherever they meet.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PriorSummary {
    /// Where it was.
    pub property: PropertyId,
    /// Which stay.
    pub stay: StayToken,
    /// Rises with each correction of the summary; the higher one wins.
    pub version: u64,
    /// The day of check-out, in days since 1970-01-01.
    pub day: i32,
    /// The settled temperature by device, C, median over the nights.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temperature: Option<Celsius>,
    /// The settled firmness.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub firmness: Option<Percent>,
    /// How many nights the settled values rest on.
    #[serde(default)]
    pub nights: u16,
    /// How many of them the guest set by hand.
    #[serde(default)]
    pub acts: u16,
    /// What recurred: the item and the minute after local midnight at which it was asked for, once a night at most.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64))]
    pub habits: Vec<(Item, u16)>,
    /// What it showed, attribute by attribute; what stands here counts before `temperature` and `firmness`, which writers
    /// of earlier versions know alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    pub evidence: Vec<StayEvidence>,
    /// The stay night by night, oldest first, as far as habits need it. Where it is given, `habits` only repeats it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64))]
    pub evenings: Vec<Evening>,
}

/// One night of a stay. Minutes count from the local midnight that begins the evening's date, so that the small hours and
/// the morning after lie beyond 1440.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Evening {
    /// When the desk checked the guest in, on the first night.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check_in: Option<u16>,
    /// When the guest went to bed, if a sensor told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bed: Option<u16>,
    /// When the guest woke.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wake: Option<u16>,
    /// What was asked for, and when.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32))]
    pub asked: Vec<(Item, u16)>,
    /// What was offered and not wanted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32))]
    pub declined: Vec<Item>,
}

/// The days that something can be erased up to: the years 2000 to 2199.
pub const ERASE_DAYS: std::ops::RangeInclusive<i32> = 10_957..=84_005;

/// A guest is to be forgotten: everything that stays up to a day showed, must-haves and things to place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EraseNotice {
    /// Which guest.
    pub guest: GuestToken,
    /// Stays that ended on or before this day, days since 1970-01-01; of the stay in progress what it showed so far, when it
    /// began by then.
    #[schemars(range(min = 10_957, max = 84_005))]
    pub up_to: i32,
}

impl From<EraseNotice> for Prior {
    /// An erasure is a word on a guest that says nothing but the mark; so it comes back in no order of merging.
    fn from(notice: EraseNotice) -> Self {
        Self {
            guest: notice.guest,
            stays: Vec::new(),
            must_have: Vec::new(),
            items: Vec::new(),
            erased_up_to: Some(notice.up_to),
        }
    }
}

/// The guest's answer to a question that central was asked to put (`confirm` in a preference report).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfirmNotice {
    /// Of which stay.
    pub stay: StayToken,
    /// Of which attribute.
    pub attribute: Attribute,
    /// What the guest wants: the value asked about, or another. None: the guest would not say, and is not asked again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Said>,
}

/// What is known of a guest elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Prior {
    /// Which guest.
    pub guest: GuestToken,
    /// Summaries of earlier stays; merged by key and version, in any order.
    #[serde(default)]
    #[schemars(length(max = 64))]
    pub stays: Vec<PriorSummary>,
    /// What must be so: echoed to those who serve, never learnt over.
    #[serde(default)]
    #[schemars(length(max = 16))]
    pub must_have: Vec<Item>,
    /// Things to place before arrival.
    #[serde(default)]
    #[schemars(length(max = 16))]
    pub items: Vec<Item>,
    /// What stays up to this day of check-out showed is erased and never comes back, whoever sends it again; days since
    /// 1970-01-01. The latest such day counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub erased_up_to: Option<i32>,
}
