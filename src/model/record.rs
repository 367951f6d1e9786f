//! What is kept under which key, so that a restarted engine goes on as if nothing had happened?

use super::{GuestToken, RoomId};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Names one record. A room is kept whole, a guest is kept whole.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Key {
    /// What belongs to no room: the outdoor air, the property's learnt figures.
    Property,
    /// A room, with its stays, devices, learnt rates and open requests.
    Room(RoomId),
    /// A guest: what the stays showed.
    Guest(GuestToken),
    /// A day of a room's history of temperatures, one of fifteen in turn.
    History(RoomId, u8),
}

impl Key {
    /// The key as text: `property`, `room/1204`, `guest/7f3a…`, `history/1204/7`.
    pub fn to_text(&self) -> String {
        match self {
            Key::Property => "property".into(),
            Key::Room(room) => format!("room/{room}"),
            Key::Guest(guest) => format!("guest/{guest}"),
            Key::History(room, day) => format!("history/{room}/{day}"),
        }
    }

    /// Returns the key that a text names.
    pub fn from_text(text: &str) -> Option<Key> {
        match text.split_once('/') {
            None => (text == "property").then_some(Key::Property),
            Some(("room", id)) => RoomId::new(id).ok().map(Key::Room),
            Some(("guest", id)) => GuestToken::new(id).ok().map(Key::Guest),
            Some(("history", of)) => {
                let (id, day) = of.rsplit_once('/')?;
                Some(Key::History(RoomId::new(id).ok()?, day.parse().ok()?))
            }
            Some(_) => None,
        }
    }
}

/// A guest's token is not shown.
impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Key::Guest(guest) => write!(f, "guest/{guest:?}"),
            _ => f.write_str(&self.to_text()),
        }
    }
}
