//! What does this guest like, how sure is that, and where does it come from?
//!
//! A guest is a mergeable map of stays (`guest`). The like is a pure fold over that map, the stay in progress and
//! today: of a figure (`fold`) or of a few choices ([`category`]), reckoned to the same last bit at every property
//! ([`arithmetic`]). Method and measurements: docs/behaviour.md.

mod answer;
pub mod arithmetic;
pub mod category;
pub mod fold;
mod guest;
mod hash;
pub mod population;
mod scale;

pub use answer::{Answer, Asked, Record, StayWeight, answer, evidence_of, rounded};
pub use guest::{Guest, STAYS_MAX};
pub use population::Population;
pub use scale::{Scale, scale};

use serde::Serialize;

/// The version of method and constants; answers of different versions are not to be compared.
pub const PARAMETERS: u32 = 1;

/// Without evidence for longer than this a like is dormant. Six calendar months are 181 to 184 days; a count of days is the
/// same at every property, whatever its zone says today is called.
const DORMANT_AFTER_DAYS: i32 = 183;

/// Whether the last evidence is so old that a like is to be asked about, not applied.
pub fn is_dormant(last_day: i32, today: i32) -> bool {
    today.saturating_sub(last_day) > DORMANT_AFTER_DAYS
}

/// What a stay's observation rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// Said in words.
    Explicit,
    /// Set by hand.
    Device,
    /// Noted by staff.
    Staff,
    /// Given and left alone.
    Accepted,
    /// Booked.
    Booking,
    /// Confirmed when asked.
    Confirmed,
}

impl Source {
    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Source::Explicit => "explicit",
            Source::Device => "device",
            Source::Staff => "staff",
            Source::Accepted => "accepted",
            Source::Booking => "booking",
            Source::Confirmed => "confirmed",
        }
    }
}

/// What an answer rests on most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Nothing but what guests usually like.
    Population,
    /// The kind of the newest stay's evidence.
    Seen(Source),
    /// One stay far off all before; the next decides. Never told to guests or staff as a fact.
    SuspectedChange,
    /// The guest confirmed it.
    Confirmed,
    /// It must be so.
    MustHave,
}

impl Status {
    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Status::Population => "population",
            Status::Seen(source) => source.word(),
            Status::SuspectedChange => "suspected_change",
            Status::Confirmed => "confirmed",
            Status::MustHave => "must_have",
        }
    }
}

/// What else is to be known of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tag {
    /// What devices saw contradicts the booking, and is used.
    BookingVsDevice,
    /// Two stays contradict what the guest confirmed: to be asked again, not overruled.
    ConfirmedVsDevice,
    /// No evidence for more than six months: to be asked, not applied.
    Dormant,
    /// It changed within the last three stays.
    RecentChange,
    /// It may have changed; the next stay decides.
    SuspectedChange,
}

impl Tag {
    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Tag::BookingVsDevice => "booking_vs_device",
            Tag::ConfirmedVsDevice => "confirmed_vs_device",
            Tag::Dormant => "dormant",
            Tag::RecentChange => "recent_change",
            Tag::SuspectedChange => "suspected_change",
        }
    }
}

/// How much one stay weighs in an answer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Weight {
    /// Which stay, by its place among those that were folded.
    pub stay: usize,
    /// What of it.
    pub source: Source,
    /// How much of the answer, 0 to 1.
    pub share: f64,
}
