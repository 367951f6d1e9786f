//! What can come to the thread that owns the engine and the store?

use crate::config::Configured;
use crate::device::FromDevices;
use crate::model::{Event, GuestToken, Moment, OverrideNotice, RoomId};
use crate::profile::Library;
use crate::uplink::FromLink;
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

/// One thing that came.
#[derive(Debug)]
pub enum Inbox {
    /// From the property's devices.
    Devices(FromDevices),
    /// From the link to central.
    Central(FromLink),
    /// From the weather, a test, a simulation.
    Events(Vec<Event>),
    /// Somebody asks.
    Ask(Question, oneshot::Sender<serde_json::Value>),
    /// A new configuration, checked, with the device profiles it uses.
    Configured(Box<(Configured, Library)>),
    /// A configuration that was offered and refused: kept to be shown.
    Refused(String),
    /// The end.
    Stop(oneshot::Sender<()>),
}

impl From<FromDevices> for Inbox {
    fn from(words: FromDevices) -> Self {
        Inbox::Devices(words)
    }
}

impl From<FromLink> for Inbox {
    fn from(words: FromLink) -> Self {
        Inbox::Central(words)
    }
}

/// What may be asked over the control socket, one JSON object a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Question {
    /// How does the daemon stand?
    Status,
    /// How does a room stand?
    Room(RoomId),
    /// What is known of a guest's likes?
    Guest(GuestToken),
    /// Why was it decided so?
    Why {
        /// In which room; none means all.
        room: Option<RoomId>,
        /// From when.
        from: Moment,
        /// Until when.
        to: Moment,
        /// How many at most, newest first.
        limit: usize,
        /// Only what this rule led to.
        #[serde(default)]
        rule: Option<String>,
    },
    /// How do the rooms stand with people?
    Rooms,
    /// Which rooms are free, and how soon would each be ready?
    FreeRooms,
    /// What became of everything that was promised to central?
    Ledger,
    /// People override the rules for a room; answered with how it stands then.
    Override(OverrideNotice),
    /// Read the configuration again.
    Reload,
}
