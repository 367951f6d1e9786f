//! Can the room tell that its guest has gone?
//!
//! Not while a sensor that tells of people is silent or ill: a guest's room then counts as occupied, whatever the others
//! say. When the sensor speaks again, nothing that was not heard meanwhile proves anything: whoever may have come in, or
//! stirred, while nobody could see it is not called absent for it. So the room begins anew, as after a gateway that was away.

use super::see::{has_presence, tells_presence};
use super::{Room, World};
use crate::engine::occupancy::Sign;
use crate::model::DeviceSetup;

impl Room {
    /// Whether silence proves nothing: a sensor that tells of people is missing, silent or ill.
    pub(super) fn is_blind(&self, world: World<'_>) -> bool {
        let is_silent = |d: &DeviceSetup| tells_presence(d) && self.devices.silent_since(world.now, d).is_some();
        !has_presence(world.setup) || self.is_sensor_ill(world) || world.setup.devices.iter().any(is_silent)
    }

    /// Whether a sensor without which silence proves nothing is dead.
    pub(super) fn is_sensor_ill(&self, world: World<'_>) -> bool {
        let health = &self.health;
        health.is_door_ill(world.now)
            || health.is_motion_ill()
            || health.is_motion_restless(world.now)
            || health.is_door_restless(world.now)
    }

    /// Whether the sign comes from a sensor that says so all the time: nothing follows from it.
    pub(super) fn is_restless(&self, world: World<'_>, sign: Sign) -> bool {
        match sign {
            Sign::Motion | Sign::Sees(true) | Sign::StillSees => self.health.is_motion_restless(world.now),
            Sign::Door(_) => self.health.is_door_restless(world.now),
            _ => false,
        }
    }

    /// Takes in a sign, to a room that may be blind: what it says is weighed against a room of which nothing is known, for it
    /// may be the very sign that shows a sensor to be well again.
    pub(super) fn see(&mut self, world: World<'_>, sign: Sign) {
        let senses = self.senses(world);
        if self.is_let(world) && (self.was_blind || self.is_blind(world)) {
            self.occupancy.unwatched(senses, world.now);
        }
        self.occupancy.sign(senses, world.now, sign);
    }

    /// Notes whether the room is blind, after a sign or a while. `is_weighed`: what the sign says has been weighed already.
    pub(super) fn look_up(&mut self, world: World<'_>, is_weighed: bool) {
        let is_blind = self.is_blind(world);
        let was_blind = std::mem::replace(&mut self.was_blind, is_blind);
        if was_blind && !self.was_blind && !is_weighed && self.is_let(world) {
            self.occupancy.unwatched(self.senses(world), world.now);
        }
    }
}
