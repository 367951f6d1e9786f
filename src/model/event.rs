//! What can happen?

use super::{
    Attribute, Celsius, CommandId, ConfirmNotice, DeviceId, LinkId, Moment, OverrideNotice, Percent, Prior, Property,
    Reading, RoomId, Said, StatusNotice, StayNotice,
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The air outside where people live, C; what is told beyond it is a fault of the teller.
pub const OUTDOOR_C: std::ops::RangeInclusive<f64> = -60.0..=60.0;

/// What became of a command on its way to the device. Whether the device obeyed shows only in its readings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WriteResult {
    /// On the wire.
    Sent,
    /// Written, and read back as written.
    Verified,
    /// The device or its profile will not take it; saying it again is useless.
    Refused(String),
    /// It did not get through; worth another try.
    Failed(String),
}

/// Anything that can happen to the engine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// A deadline has come; nothing else happened.
    Deadline,
    /// A device said something.
    Reading(Reading),
    /// A device, or its bridge, came or went.
    Availability {
        /// Which device.
        device: DeviceId,
        /// Whether it can be reached.
        online: bool,
    },
    /// A link came or went, or the bridge on it: until it is up again none of these devices can be heard.
    Link {
        /// Which link.
        link: LinkId,
        /// Those behind it.
        devices: Vec<DeviceId>,
        /// Whether they can be heard.
        up: bool,
    },
    /// What became of a command on its way.
    Written {
        /// Which command.
        command: CommandId,
        /// What became of it.
        result: WriteResult,
    },
    /// What the PMS or central says of a stay.
    Stay(StayNotice),
    /// What is known of a guest elsewhere.
    Prior(Prior),
    /// The guest's answer to a question.
    Confirm(ConfirmNotice),
    /// What central says of a request.
    RequestStatus(StatusNotice),
    /// The weather outside.
    Outdoor {
        /// Air, C.
        temperature: Celsius,
    },
    /// The clouds over the property.
    Clouds {
        /// How much of the sky they cover.
        cover: Percent,
    },
    /// What the plant, or who pays for it, allows from now on: rooms without a present guest give way.
    PowerLimit {
        /// Of what all rooms take at full output; none when there is no limit any more.
        share: Option<Percent>,
        /// It ends by itself then; an hour from now unless said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Moment>,
    },
    /// The guest in a room says what is wanted, without having been asked.
    GuestSays {
        /// In which room.
        room: RoomId,
        /// Of what.
        attribute: Attribute,
        /// What.
        said: Said,
    },
    /// People override the rules for a room, for a time.
    Override(OverrideNotice),
    /// Once a month: what has become dormant is announced.
    DormantRound,
    /// The property was configured anew. Rooms that stay keep their state.
    Configured(Arc<Property>),
    /// The daemon stops: hand devices back where their profile says so.
    Stopping,
}

impl Event {
    /// The name of its kind, as it is written in a recording and counted under.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Deadline => "deadline",
            Self::Reading(_) => "reading",
            Self::Availability { .. } => "availability",
            Self::Link { .. } => "link",
            Self::Written { .. } => "written",
            Self::Stay(_) => "stay",
            Self::Prior(_) => "prior",
            Self::Confirm(_) => "confirm",
            Self::RequestStatus(_) => "request_status",
            Self::Outdoor { .. } => "outdoor",
            Self::PowerLimit { .. } => "power_limit",
            Self::Clouds { .. } => "clouds",
            Self::Configured(_) => "configured",
            Self::GuestSays { .. } => "guest_says",
            Self::Override(_) => "override",
            Self::DormantRound => "dormant_round",
            Self::Stopping => "stopping",
        }
    }
}

/// An event with its time, as recorded and replayed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Stamped {
    /// When.
    pub at: Moment,
    /// What.
    pub event: Event,
}
