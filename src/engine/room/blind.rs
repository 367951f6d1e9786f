//! Can the room tell that its guest has gone?
//!
//! Not while a sensor that tells of people is silent or ill, nor before the motion sensor has told of anybody in this stay:
//! a guest's room then counts as occupied, whatever the others say. When the sensor speaks again, nothing that was not
//! heard meanwhile proves anything: whoever may have come in, or stirred, while nobody could see it is not called absent for
//! it. So the room begins anew, as after a gateway that was away.

use super::see::{has_presence, tells_presence};
use super::{Room, World};
use crate::engine::occupancy::{Presence, Sign};
use crate::model::{DeviceSetup, Point};
use serde::{Deserialize, Serialize};

/// Whether the room can tell that its guest has gone.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sight {
    /// It can.
    #[default]
    Clear,
    /// Its motion sensor has not told of anybody who came or went: it may never.
    Untried,
    /// Its door can be trusted, what is inside can not.
    Dim,
    /// Nor can its door: somebody may have come or gone.
    Blind,
}

impl Room {
    /// Whether silence proves nothing now.
    pub(super) fn is_blind(&self, world: World<'_>) -> bool {
        self.sight(world) != Sight::Clear
    }

    fn sight(&self, world: World<'_>) -> Sight {
        let is_silent = |d: &&DeviceSetup| tells_presence(d) && self.devices.silent_since(world.now, d).is_some();
        let mut silent = world.setup.devices.iter().filter(is_silent).peekable();
        let is_dim = silent.peek().is_some() || self.is_sensor_ill(world);
        let is_door_ill = self.health.is_door_ill(world.now)
            || self.health.is_door_restless(world.now)
            || self.health.is_door_open_for_long(world.now);
        if !has_presence(world.setup) || is_door_ill || silent.any(|d| d.reports.contains(&Point::Open)) {
            Sight::Blind
        } else if is_dim {
            Sight::Dim
        } else if self.is_motion_untried(world) {
            Sight::Untried
        } else {
            Sight::Clear
        }
    }

    /// Whether a sensor without which silence proves nothing is dead.
    pub(super) fn is_sensor_ill(&self, world: World<'_>) -> bool {
        let health = &self.health;
        health.is_door_ill(world.now)
            || health.is_motion_ill()
            || health.is_motion_restless(world.now)
            || health.is_door_restless(world.now)
    }

    /// Whether the guest has come in and the motion sensor has told of nobody since: who comes in moves. Nor may it see any
    /// more when somebody else came, or went, whom it has not told of.
    fn is_motion_untried(&self, world: World<'_>) -> bool {
        let arrived_at = self.stays.current.as_ref().and_then(|stay| stay.arrived_at);
        let has_moved = arrived_at.is_none_or(|arrived| self.health.has_told_since(arrived));
        let tells_motion = |d: &DeviceSetup| tells_presence(d) && d.reports.contains(&Point::Occupied);
        (!has_moved || self.health.is_motion_untried()) && world.setup.devices.iter().any(tells_motion)
    }

    /// Whether the sign comes from a sensor that says so all the time: nothing follows from it.
    pub(super) fn is_restless(&self, world: World<'_>, sign: Sign) -> bool {
        match sign {
            Sign::Motion | Sign::Sees(true) | Sign::StillSees => self.health.is_motion_restless(world.now),
            Sign::Door(_) => self.health.is_door_restless(world.now),
            _ => false,
        }
    }

    /// Takes in a sign, to a room that may not see: what it says is weighed against what was not seen, for it may be the
    /// very sign that shows a sensor to be well again.
    pub(super) fn see(&mut self, world: World<'_>, sign: Sign) {
        let before = self.sight.max(self.sight(world));
        if before != Sight::Blind {
            self.begin_anew(world, before);
        }
        self.occupancy.sign(self.senses(world), world.now, sign);
    }

    /// Notes what the room sees, after a sign or a while. `is_weighed`: what the sign says has been weighed already. The first
    /// word of a door contact that was silent or ill is none of somebody who goes.
    pub(super) fn look_up(&mut self, world: World<'_>, is_weighed: bool) {
        let now = self.sight(world);
        let before = std::mem::replace(&mut self.sight, now);
        if now < before && (before == Sight::Blind || !is_weighed) {
            self.begin_anew(world, before);
        }
    }

    /// Forgets what silence seemed to say while the room saw no better than this.
    fn begin_anew(&mut self, world: World<'_>, sight: Sight) {
        let senses = self.senses(world);
        let is_vacant = self.occupancy.presence(world.now) == Presence::Vacant;
        match sight {
            _ if !self.is_let(world) => {}
            Sight::Blind => {
                self.occupancy.unwatched(senses, world.now);
                self.health.unwatched();
                self.health.try_motion(world.now);
            }
            Sight::Dim => {
                self.occupancy.unseen(senses, world.now);
                self.health.try_motion(world.now);
            }
            // A sensor that speaks for the first time was well before: its silence was one.
            Sight::Untried if is_vacant => self.occupancy.unseen(senses, world.now),
            Sight::Untried | Sight::Clear => {}
        }
    }
}
