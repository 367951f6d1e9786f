//! Which device needs somebody: a battery, a silence, a room that does not move?

use super::Draft;
use crate::model::{Basis, Because, DeviceId, Moment, Need, RequestId, RoomId};

/// The stem of a device's recurring request ids.
pub fn stem(room: &RoomId, device: &DeviceId, what: &str) -> String {
    format!("{room}.{device}.{what}")
}

/// A request about a device or about the room's climate. It belongs to the room and outlives stays.
pub fn draft(id: RequestId, need: Need, room: &RoomId, deadline: Option<Moment>, because: Because) -> Draft<'_> {
    Draft {
        id,
        need,
        room,
        stay: None,
        items: Vec::new(),
        not_before: None,
        deadline,
        basis: Basis::Device,
        confidence: 1.0,
        hints: Vec::new(),
        because,
    }
}
