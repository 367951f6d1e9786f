//! What do people exempt a room from, and until when?

use super::{Moment, RoomId, Span};
use serde::{Deserialize, Serialize};

/// What a room is exempted from. Safety limits, emergencies and the guest's own hand stand above each of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Exemption {
    /// From being prepared and offered: it is out of order.
    OutOfOrder,
    /// From every command: somebody works on its devices.
    Locked,
    /// From being set back: it counts as if somebody were in.
    KeptReady,
}

impl Exemption {
    /// Its name.
    pub const fn word(self) -> &'static str {
        match self {
            Exemption::OutOfOrder => "out_of_order",
            Exemption::Locked => "locked",
            Exemption::KeptReady => "kept_ready",
        }
    }

    /// It may stand for so long at most: what nobody ends must end by itself. A locked room is not even kept from frost.
    pub const fn lasts_at_most(self) -> Span {
        match self {
            Exemption::Locked => Span::hours(24),
            Exemption::OutOfOrder | Exemption::KeptReady => Span::hours(30 * 24),
        }
    }
}

/// People override the rules for a room, for a time. Each notice replaces an earlier one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OverrideNotice {
    /// Which room.
    pub room: RoomId,
    /// When people said so; a notice that is not later than the known one is dropped.
    #[schemars(with = "String")]
    pub said_at: Moment,
    /// From what the room is exempted; none: from nothing any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exempt: Option<Exemption>,
    /// Until when; must be said with an exemption.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub until: Option<Moment>,
}
