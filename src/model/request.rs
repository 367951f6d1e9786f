//! Which service is asked of people, how much does it matter, and how far has it come?

use super::{Because, Item, Moment, RequestId, RoomId, StayToken};
use serde::{Deserialize, Serialize};

macro_rules! plain_enum {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$vdoc])* $variant,)* }
    };
}

plain_enum! {
    /// What is needed. One kind is derived in one file of `engine/requests/`.
    Need {
        /// Place things before the guest arrives.
        ArrivalItems,
        /// Bring something that this guest asks for again and again.
        Routine,
        /// The guest asked for the room to be made up.
        MakeUpRoom,
        /// A battery runs low.
        Battery,
        /// A device has fallen silent.
        DeviceOffline,
        /// The room cannot be brought to what was promised.
        CannotReach,
        /// A sensor that tells of people has died or is stuck.
        SensorFault,
        /// A guest is in and has not moved for a day.
        Welfare,
        /// Somebody is in a room that nobody has taken.
        UnsoldOccupied,
        /// Water, smoke or a call for help.
        Emergency,
    }
}

plain_enum! {
    /// Who serves it.
    Department {
        /// Rooms and linen.
        Housekeeping,
        /// Food and drink.
        RoomService,
        /// Devices, water, air.
        Engineering,
        /// The desk.
        FrontOffice,
        /// Guards and first aid.
        Security,
    }
}

plain_enum! {
    /// How much it matters to the guest.
    Relevance {
        /// Must not be missed.
        Must,
        /// Matters.
        High,
        /// As usual.
        Normal,
    }
}

plain_enum! {
    /// How soon it must be done.
    Urgency {
        /// At once: someone may come to harm.
        Emergency,
        /// Within the half hour.
        Soon,
        /// By its deadline.
        Planned,
        /// When somebody is near.
        Whenever,
    }
}

plain_enum! {
    /// What the visit means for the guest.
    Knock {
        /// Nobody need come to the door.
        None,
        /// A knock at the door.
        Door,
        /// Somebody must enter.
        Entry,
    }
}

plain_enum! {
    /// What the request rests on.
    Basis {
        /// Told by central from earlier stays, or by the booking.
        Prior,
        /// A habit seen here.
        Habit,
        /// A device said so.
        Device,
        /// Departure evidence.
        Departure,
    }
}

plain_enum! {
    /// How far a request has come, as far as the edge knows.
    RequestState {
        /// Foreseen: those who serve may get ready, nothing moves and nobody asks the guest.
        Staged,
        /// Foreseen: the guest may be asked whether it is wanted.
        Offered,
        /// Derived, in the outbox.
        Raised,
        /// Central has it.
        Sent,
        /// Central took it on.
        Accepted,
        /// Somebody is on it.
        Assigned,
        /// Somebody works at it.
        InProgress,
        /// Done.
        Done,
        /// Central or the guest will not have it.
        Declined,
        /// Not done by its deadline.
        Late,
        /// Held back while the guest sleeps or wants no disturbance.
        Parked,
        /// No longer needed.
        Withdrawn,
    }
}

impl RequestState {
    /// Whether nothing more will happen to it.
    pub const fn is_over(self) -> bool {
        matches!(
            self,
            RequestState::Done | RequestState::Declined | RequestState::Withdrawn
        )
    }
}

/// One service request, whole. Each report of it replaces the one before.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ServiceRequest {
    /// The same need has the same id for ever.
    pub id: RequestId,
    /// What is needed.
    pub need: Need,
    /// Where.
    pub room: RoomId,
    /// For which stay; none for what belongs to the room itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stay: Option<StayToken>,
    /// How far it has come.
    pub state: RequestState,
    /// Things to bring or place.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub items: Vec<Item>,
    /// Who serves it.
    pub department: Department,
    /// Which skill it takes.
    pub skill: String,
    /// Rises with each report of it, from 1.
    pub revision: u32,
    /// Not to be begun before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub not_before: Option<Moment>,
    /// To be done by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub deadline: Option<Moment>,
    /// How many minutes it takes.
    pub estimate_min: u16,
    /// How much it matters.
    pub relevance: Relevance,
    /// How soon.
    pub urgency: Urgency,
    /// Requests of one key can be served in one visit.
    pub merge_key: String,
    /// What the visit means for the guest.
    pub knock: Knock,
    /// Step by step, as keys into the service catalogue.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<String>,
    /// What this department, and no other, should know.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hints: Vec<String>,
    /// What it rests on.
    pub basis: Basis,
    /// How sure the edge is, 0 to 1.
    pub confidence: f64,
    /// When it was first derived.
    #[schemars(with = "String")]
    pub raised_at: Moment,
    /// The rule and the facts.
    #[schemars(with = "serde_json::Value")]
    pub because: Because,
}

/// What central tells of a request, ours or one raised elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RequestStatus {
    /// Taken on.
    Accepted,
    /// Given to somebody.
    Assigned,
    /// Being done.
    InProgress,
    /// Done.
    Done,
    /// Refused by central or by the guest.
    Declined,
}

/// Central's word on a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StatusNotice {
    /// Which request; for one raised elsewhere, central's own id.
    pub request: RequestId,
    /// How far it has come.
    pub status: RequestStatus,
    /// Where, for a request raised elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room: Option<RoomId>,
    /// What was brought: a guest's own order, from which habits are learnt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item: Option<Item>,
    /// When it happened, if not now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub at: Option<Moment>,
    /// Why it was declined, as a catalogue key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}
