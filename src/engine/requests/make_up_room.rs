//! The guest asks for the room to be made up: who is told?

use super::Draft;
use crate::model::{Basis, Because, Moment, Need, RequestId, RoomId, Span, StayToken};

/// A room that is to be made up should be done within this.
const WITHIN: Span = Span::hours(2);

/// The stem of the recurring request ids.
pub fn stem(room: &RoomId, stay: Option<&StayToken>) -> String {
    match stay {
        Some(stay) => format!("{room}.{stay}.make-up-room"),
        None => format!("{room}.make-up-room"),
    }
}

/// The request.
pub fn draft<'a>(id: RequestId, now: Moment, room: &'a RoomId, stay: Option<&'a StayToken>) -> Draft<'a> {
    Draft {
        id,
        need: Need::MakeUpRoom,
        room,
        stay,
        items: Vec::new(),
        not_before: None,
        deadline: Some(now + WITHIN),
        basis: Basis::Device,
        confidence: 1.0,
        hints: Vec::new(),
        because: Because::rule("guest-asks-for-make-up-room").with("at", now),
    }
}
