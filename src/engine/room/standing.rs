//! How does the room stand with people, in the hotel's words?

use super::{Room, World};
use crate::engine::climate::Phase;
use crate::engine::occupancy::Presence;
use serde::{Deserialize, Serialize};

/// Who is in, as hotels call it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// A guest is in.
    GuestOccupied,
    /// The door has moved, and it is not yet known whether the guest is in. Counts as occupied.
    GuestChecking,
    /// A guest is in and sleeps.
    Asleep,
    /// Somebody is in, and no guest has the room.
    StaffOccupied,
    /// The door has moved, and no guest has the room.
    StaffChecking,
    /// Nobody is in; the room is sold.
    Unoccupied,
    /// Nobody is in, and the room is brought to comfort for the one who comes.
    Recovery,
    /// Nobody is in, and nobody is expected.
    Unsold,
}

impl State {
    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            State::GuestOccupied => "guest_occupied",
            State::GuestChecking => "guest_checking",
            State::Asleep => "asleep",
            State::StaffOccupied => "staff_occupied",
            State::StaffChecking => "staff_checking",
            State::Unoccupied => "unoccupied",
            State::Recovery => "recovery",
            State::Unsold => "unsold",
        }
    }
}

/// How a room stands with people.
#[derive(Debug, Clone, PartialEq)]
pub struct Standing {
    /// In the hotel's words.
    pub state: State,
    /// Whether somebody is, or may be, in.
    pub is_occupied: bool,
    /// Whether somebody sleeps.
    pub is_asleep: bool,
    /// Whether the climate is set back in its second stage.
    pub is_deep: bool,
    /// Why, in one sentence.
    pub because: String,
}

impl Standing {
    /// Whether it says the same of the room, be it for another reason.
    pub fn is_as(&self, other: &Standing) -> bool {
        let said = |s: &Standing| (s.state, s.is_occupied, s.is_asleep, s.is_deep);
        said(self) == said(other)
    }
}

impl Room {
    /// How the room stands with people.
    pub fn standing(&self, world: World<'_>) -> Standing {
        let presence = self.occupancy.presence(world.now);
        let is_occupied = self.is_occupied(world);
        Standing {
            state: self.state(world, presence, is_occupied),
            is_occupied,
            is_asleep: is_occupied && presence == Presence::Asleep,
            is_deep: self.climate.is_deep(world.now, &world.property.policies),
            because: self.sentence(world),
        }
    }

    /// Why it stands so, in one sentence.
    pub(super) fn sentence(&self, world: World<'_>) -> String {
        let own = self.occupancy.sentence(self.senses(world), world.now);
        if world.beyond.is_occupied && !self.is_occupied_itself(world) {
            let which = if world.beyond.is_suite {
                "in another room of the suite"
            } else {
                "beyond the open connecting door"
            };
            return format!("{own}; counts as occupied: somebody is {which}");
        }
        own
    }

    fn state(&self, world: World<'_>, presence: Presence, is_occupied: bool) -> State {
        let has_guest = self.is_let(world) && !self.occupancy.is_staff();
        match (is_occupied, presence, has_guest) {
            (true, Presence::Asleep, _) => State::Asleep,
            (true, Presence::Checking, true) => State::GuestChecking,
            (true, Presence::Checking, false) => State::StaffChecking,
            (true, _, true) => State::GuestOccupied,
            (true, _, false) => State::StaffOccupied,
            (false, ..) => match self.climate.phase {
                Phase::Preparing { .. } | Phase::Held { .. } => State::Recovery,
                _ if self.stays.foremost().is_some() => State::Unoccupied,
                _ => State::Unsold,
            },
        }
    }
}
