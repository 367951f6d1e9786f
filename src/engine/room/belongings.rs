//! What goes with a guest who changes rooms within a stay?
//!
//! What the stay has shown so far, its nights, and the question that was put: nothing is learnt twice, nothing is lost, and
//! nobody is asked again. What belongs to the walls stays: set-points, signs on the door, requests.

use super::{Outcome, Room, World};
use crate::engine::evidence::Evidence;
use crate::engine::requests::confirm::Confirm;
use crate::engine::requests::routine::Routine;
use crate::engine::stay::Stay;
use crate::model::{Moment, StayToken};

/// What goes with the guest.
pub struct Belongings {
    evidence: Evidence,
    routine: Routine,
    confirm: Confirm,
    checked_in_at: Option<Moment>,
}

impl Room {
    /// What would go with the guest of this stay; none when the guest is not in here.
    pub fn belongings(&self, token: &StayToken) -> Option<Belongings> {
        let stay = self.stays.current.as_ref().filter(|stay| stay.token == *token)?;
        Some(Belongings {
            evidence: self.evidence.clone(),
            routine: self.routine.clone(),
            confirm: self.confirm.clone(),
            checked_in_at: stay.checked_in_at,
        })
    }

    /// The guest who has just been checked in brings what the stay showed in another room.
    pub(super) fn unpack(&mut self, brought: Belongings) {
        let Some(stay) = &mut self.stays.current else { return };
        stay.checked_in_at = brought.checked_in_at.or(stay.checked_in_at);
        (self.evidence, self.routine, self.confirm) = (brought.evidence, brought.routine, brought.confirm);
        self.evidence.leave_room();
        self.routine.leave_room();
    }

    /// The guest has gone to another room of the house, and what the stay showed goes along.
    pub(super) fn moved_out(&mut self, world: World<'_>, stay: &Stay, out: &mut Outcome) {
        (self.evidence, self.routine, self.confirm) = Default::default();
        self.occupancy.given_back(world.now);
        self.close(&stay.token, "moved-to-another-room", out);
    }
}
