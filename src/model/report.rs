//! What does central get to hear, in which stream, and how much does each kind of message matter?

use super::{
    Attribute, Because, Celsius, GuestToken, Moment, Point, RequestId, RequestState, RoomId, ServiceRequest, StayToken,
};
use serde::{Deserialize, Serialize};

/// The streams to central. Each has a sequence of its own, without gaps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Stream {
    /// Someone may come to harm.
    Emergency,
    /// Service requests, whole.
    Request,
    /// What became of a request, as the edge saw it.
    RequestState,
    /// Ready by when, with which certainty.
    Readiness,
    /// What a stay showed of a guest's likes.
    Preference,
    /// The gateway's own state.
    Edge,
}

/// How much an undelivered message matters: what is kept longest, sent first and dropped last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Class {
    /// Emergencies: never dropped.
    Emergency = 0,
    /// Requests.
    Request = 1,
    /// Promises and preferences.
    Promise = 2,
    /// State that the next message replaces.
    State = 3,
}

impl Stream {
    /// Every stream, most important first.
    pub const ALL: [Stream; 6] = [
        Stream::Emergency,
        Stream::Request,
        Stream::RequestState,
        Stream::Readiness,
        Stream::Preference,
        Stream::Edge,
    ];

    /// The stream's name, which is the last level of its topic.
    pub const fn name(self) -> &'static str {
        match self {
            Stream::Emergency => "emergency",
            Stream::Request => "request",
            Stream::RequestState => "request_state",
            Stream::Readiness => "readiness",
            Stream::Preference => "preference",
            Stream::Edge => "edge",
        }
    }

    /// Returns the stream of this name.
    pub fn from_name(name: &str) -> Option<Stream> {
        Stream::ALL.into_iter().find(|stream| stream.name() == name)
    }

    /// How much its messages matter.
    pub const fn class(self) -> Class {
        match self {
            Stream::Emergency => Class::Emergency,
            Stream::Request | Stream::RequestState => Class::Request,
            Stream::Readiness | Stream::Preference => Class::Promise,
            Stream::Edge => Class::State,
        }
    }
}

/// Someone may come to harm.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Emergency {
    /// The request's id; repeated until central has accepted it.
    pub id: RequestId,
    /// Where.
    pub room: RoomId,
    /// Which point of which kind said it: `leak`, `smoke`, `emergency_call`.
    pub cause: Point,
    /// When it was first seen.
    #[schemars(with = "String")]
    pub since: Moment,
    /// 1 for the first call, rising with each repetition.
    pub call: u32,
    /// Whether it is over.
    pub over: bool,
    /// Whether it also goes out on the property's own fan-out, because central has not answered in time.
    pub local: bool,
    /// The rule and the facts.
    #[schemars(with = "serde_json::Value")]
    pub because: Because,
}

/// What became of a promise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReadinessVerdict {
    /// The room was as promised when the guest came.
    Kept,
    /// It was not.
    Missed,
    /// It will not be, and is said early.
    WillMiss,
    /// Nobody came.
    NoArrival,
}

/// The promise for a room.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Readiness {
    /// Which room.
    pub room: RoomId,
    /// For which stay.
    pub stay: StayToken,
    /// The temperature it will have, C.
    pub target: Celsius,
    /// Ready by then in one case of ten.
    #[schemars(with = "String")]
    pub p10: Moment,
    /// In one case of two.
    #[schemars(with = "String")]
    pub p50: Moment,
    /// In nine cases of ten.
    #[schemars(with = "String")]
    pub p90: Moment,
    /// When the guest is expected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub eta: Option<Moment>,
    /// What became of it, afterwards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<ReadinessVerdict>,
    /// The temperature when the guest came, C.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub found: Option<Celsius>,
    /// Rises with each change of the promise.
    pub revision: u32,
    /// The rule and the facts.
    #[schemars(with = "serde_json::Value")]
    pub because: Because,
}

/// Why the guest is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Doubt {
    /// Known from earlier stays, never confirmed.
    KnownFromEarlierStays,
    /// The last stay was far from those before it.
    SuspectedChange,
    /// Two stays contradict what was confirmed.
    ConfirmedVsDevice,
    /// Last seen more than six months ago.
    Dormant,
}

impl Doubt {
    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Doubt::KnownFromEarlierStays => "known_from_earlier_stays",
            Doubt::SuspectedChange => "suspected_change",
            Doubt::ConfirmedVsDevice => "confirmed_vs_device",
            Doubt::Dormant => "dormant",
        }
    }
}

/// The guest is to be asked, once: "24 C, as last time?" The answer comes as `down/confirm`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// Why.
    pub why: Doubt,
    /// The unit of the value asked about; none where there are choices.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
}

/// What a stay showed of a guest's likes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PreferenceReport {
    /// Of which stay.
    pub stay: StayToken,
    /// Of which guest; none while central knows no token for the person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guest: Option<GuestToken>,
    /// Where.
    pub room: RoomId,
    /// Of which setting.
    pub attribute: Attribute,
    /// What is preferred now, bare: a figure in the attribute's unit, or one of its choices.
    pub value: serde_json::Value,
    /// Standard deviation, in the same unit; 0 where there are choices.
    pub sd: f64,
    /// The probability that the guest's own choice is this one, or lies within the attribute's reach of it: 1 C, 10 % or
    /// 30 min.
    pub within_one: f64,
    /// `recent_change`, `booking_vs_device`, `confirmed_vs_device`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Whether the guest is to be asked about the value. Central asks once, and not at night.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirm: Option<Question>,
    /// What the booking said, when it says otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub declared: Option<serde_json::Value>,
    /// How many acts by hand it rests on.
    pub acts: u16,
    /// How many nights.
    pub nights: u16,
    /// Whether this is the stay's last word.
    pub is_final: bool,
    /// Rises with each report of this stay and attribute.
    pub revision: u32,
    /// The rule and the facts.
    #[schemars(with = "serde_json::Value")]
    pub because: Because,
}

/// What the edge saw become of a request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StateReport {
    /// Which request.
    pub id: RequestId,
    /// Where.
    pub room: RoomId,
    /// How far.
    pub state: RequestState,
    /// The request's revision that this is.
    pub revision: u32,
    /// The rule and the facts.
    #[schemars(with = "serde_json::Value")]
    pub because: Because,
}

/// A room that nobody has and nobody is expected in within a day.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FreeRoom {
    /// Which.
    pub room: RoomId,
    /// How long it would take to make it ready for a guest of whom nothing is known, minutes at full output.
    pub takes_min: u32,
    /// Its air, C.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temperature: Option<Celsius>,
    /// Whether it is kept nearly ready for guests who walk in.
    #[serde(default)]
    pub is_kept: bool,
}

/// The gateway's own state, made by the daemon and not by the engine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EdgeState {
    /// The program's version.
    pub version: String,
    /// Seconds since the daemon was ready.
    pub uptime_s: u64,
    /// Hash of the running configuration, in hexadecimal.
    pub configuration: String,
    /// Why the last offered configuration was refused, when it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rejected: Option<String>,
    /// How many entries wait in the outbox.
    pub pending: u64,
    /// Age of the oldest unsent entry, seconds.
    pub oldest_unsent_s: u64,
    /// Rooms, and devices not heard of within their time.
    pub rooms: u32,
    /// Devices that are silent.
    pub devices_silent: u32,
    /// The steps of the degradation ladder that apply: `central_away`, `clock_unsure`, `disk_full`, `bus_lost`.
    #[serde(default)]
    pub degraded: Vec<String>,
    /// Free rooms, those that are soonest ready first; 20 at most.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub free_rooms: Vec<FreeRoom>,
}

/// Anything for central.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Report {
    /// Someone may come to harm.
    Emergency(Emergency),
    /// A service request, whole.
    Request(Box<ServiceRequest>),
    /// What became of one.
    RequestState(StateReport),
    /// A promise.
    Readiness(Box<Readiness>),
    /// What a guest likes.
    Preference(Box<PreferenceReport>),
}

impl Report {
    /// The stream it goes out on.
    pub const fn stream(&self) -> Stream {
        match self {
            Report::Emergency(_) => Stream::Emergency,
            Report::Request(_) => Stream::Request,
            Report::RequestState(_) => Stream::RequestState,
            Report::Readiness(_) => Stream::Readiness,
            Report::Preference(_) => Stream::Preference,
        }
    }

    /// The room it is about.
    pub fn room(&self) -> &RoomId {
        match self {
            Report::Emergency(r) => &r.room,
            Report::Request(r) => &r.room,
            Report::RequestState(r) => &r.room,
            Report::Readiness(r) => &r.room,
            Report::Preference(r) => &r.room,
        }
    }

    /// The rule and the facts.
    pub fn because(&self) -> &Because {
        match self {
            Report::Emergency(r) => &r.because,
            Report::Request(r) => &r.because,
            Report::RequestState(r) => &r.because,
            Report::Readiness(r) => &r.because,
            Report::Preference(r) => &r.because,
        }
    }

    /// The message's id: the same fact has the same id for ever, so that central can replace instead of doubling.
    pub fn id(&self) -> String {
        match self {
            Report::Emergency(r) if r.over => format!("{}.over", r.id),
            Report::Emergency(r) => format!("{}.call-{}{}", r.id, r.call, if r.local { "-local" } else { "" }),
            Report::Request(r) => format!("{}.r{}", r.id, r.revision),
            Report::RequestState(r) => format!("{}.state-{}", r.id, r.revision),
            Report::Readiness(r) => format!("{}.{}.readiness-{}", r.room, r.stay, r.revision),
            Report::Preference(r) => format!("{}.{}.{}-{}", r.room, r.stay, r.attribute.word(), r.revision),
        }
    }
}
