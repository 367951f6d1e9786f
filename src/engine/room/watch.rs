//! What should people look at: a sensor that has died, a guest who has not moved for a day, somebody in an unsold room?

use super::{Outcome, Room, World};
use crate::engine::occupancy::Presence;
use crate::engine::requests::maintenance;
use crate::engine::shadow::Obedience;
use crate::model::{Because, DeviceId, DeviceSetup, Moment, Need, Point, Report, Span, Value};

/// A bed sensor that is doubted is reported when it has not moved for so long.
const BED_QUIET_MIN: Span = Span::hours(20);
/// Of a room in which nothing has moved for so long, an empty bed says nothing: whoever would be asleep in it may have left by
/// a door whose sensor has died.
const BED_MOVED_MAX: Span = Span::hours(6);
/// A guest who is in and has not moved for so long may need help.
const MOTIONLESS_MAX: Span = Span::hours(24);
/// So many bursts since the door moved are certainly somebody.
const BURSTS_CERTAIN: u16 = 10;
/// Somebody in an unsold room for so long is no porter.
const UNSOLD_FOR: Span = Span::minutes(90);

/// Something that people look after, and how it stands: due, over, or neither, and then what stands of it stands.
pub(super) struct Care<'a> {
    pub need: Need,
    /// The device that it is about; none: the room.
    pub device: Option<&'a DeviceId>,
    /// Its name within the request's id.
    pub what: &'static str,
    pub is_due: bool,
    pub is_over: bool,
}

impl Room {
    /// Looks after the sensors and the people behind them.
    pub(super) fn watch_over(&mut self, world: World<'_>, out: &mut Outcome) {
        self.watch_bed(world, out);
        self.watch_door(world, out);
        self.watch_motion(world, out);
        self.watch_motionless(world, out);
        self.watch_unsold(world, out);
        self.watch_obeying(world, out);
        self.watch_thermometer(world, out);
    }

    /// When somebody will be asked to look, if nothing moves before.
    pub(super) fn watch_deadline(&self, world: World<'_>) -> Option<Moment> {
        let motionless = self.stays.current.as_ref()?.arrived_at.and(self.moved_at(world));
        motionless.map(|at| at + MOTIONLESS_MAX).filter(|at| *at > world.now)
    }

    /// When anything last moved, here or beyond an open connecting door.
    fn moved_at(&self, world: World<'_>) -> Option<Moment> {
        self.occupancy.moved_at().max(world.beyond.moved_at)
    }

    fn watch_bed(&mut self, world: World<'_>, out: &mut Outcome) {
        let Some(device) = reporting(world, Point::BedOccupied) else {
            return;
        };
        let bed = self.occupancy.bed();
        let is_quiet = bed.edge_at().is_none_or(|at| world.now.since(at) >= BED_QUIET_MIN);
        let is_somebody_in = self.occupancy.is_bed_in_use()
            || !self.health.is_door_ill(world.now)
                && self
                    .moved_at(world)
                    .is_some_and(|at| world.now.since(at) <= BED_MOVED_MAX);
        let (is_due, is_over) = (bed.is_ill() && is_quiet && is_somebody_in, !bed.is_ill());
        let because = |room: &Room| {
            let bed = room.occupancy.bed();
            Because::rule(if room.occupancy.is_bed_in_use() {
                "bed-in-use-for-too-long"
            } else {
                "bed-stays-empty-while-somebody-sleeps"
            })
            .with_some("last_edge", bed.edge_at())
            .with("bed_doubt", (bed.doubt() * 1000.0).round() / 1000.0)
        };
        self.sensor_fault(world, device, (is_due, is_over), because, out);
    }

    fn watch_door(&mut self, world: World<'_>, out: &mut Outcome) {
        let Some(device) = reporting(world, Point::Open) else {
            return;
        };
        let is_restless = self.health.is_door_restless(world.now);
        let is_ill = is_restless || self.health.is_door_ill(world.now);
        let because = |room: &Room| {
            let (comings, about_since, last) = room.health.door_evidence();
            let because = if is_restless {
                let (_, hours, _) = room.health.restless_evidence(world.now);
                Because::rule("door-moves-without-a-pause").with("restless_hours", hours)
            } else {
                Because::rule("guest-comes-and-the-door-never-moves")
                    .with("comings", comings)
                    .with_some("about_since", about_since)
            };
            because.with_some("last_door", last)
        };
        self.sensor_fault(world, device, (is_ill, !is_ill), because, out);
    }

    fn watch_motion(&mut self, world: World<'_>, out: &mut Outcome) {
        let Some(device) = reporting(world, Point::Occupied) else {
            return;
        };
        let is_restless = self.health.is_motion_restless(world.now);
        let is_ill = is_restless || self.health.is_motion_ill();
        let because = |room: &Room| {
            let (passages, last) = room.health.motion_evidence();
            let because = if is_restless {
                let (hours, _, since) = room.health.restless_evidence(world.now);
                Because::rule("moves-without-a-pause")
                    .with("restless_hours", hours)
                    .with_some("sees_since", since)
            } else {
                Because::rule("door-moves-and-nothing-else-does").with("passages", passages)
            };
            because.with_some("last_motion", last)
        };
        self.sensor_fault(world, device, (is_ill, !is_ill), because, out);
    }

    /// A sensor is ill, or no longer.
    fn sensor_fault(
        &mut self,
        world: World<'_>,
        device: &DeviceSetup,
        (is_due, is_over): (bool, bool),
        because: impl FnOnce(&Room) -> Because,
        out: &mut Outcome,
    ) {
        let care = Care {
            need: Need::SensorFault,
            device: Some(&device.id),
            what: "sensor",
            is_due,
            is_over,
        };
        let because = |room: &Room| match is_over {
            true => Because::rule("sensor-moves-again").with("device", &device.id),
            false => because(room),
        };
        self.look_after(world, &care, because, out);
    }

    /// A guest who is in, has not left by the door and has not moved for a day: people look, no device acts.
    fn watch_motionless(&mut self, world: World<'_>, out: &mut Outcome) {
        let has_arrived = self.stays.current.as_ref().is_some_and(|s| s.arrived_at.is_some());
        let moved_at = self.moved_at(world).filter(|_| has_arrived);
        let is_in = self.is_occupied(world) || self.occupancy.bursts() >= BURSTS_CERTAIN;
        let is_due =
            is_in && !self.is_sensor_ill(world) && moved_at.is_some_and(|at| world.now.since(at) >= MOTIONLESS_MAX);
        let care = Care {
            need: Need::Welfare,
            device: None,
            what: "welfare",
            is_due,
            is_over: !is_due,
        };
        let because = |_: &Room| Because::rule("in-and-motionless-for-a-day").with_some("last_moved", moved_at);
        self.look_after(world, &care, because, out);
    }

    /// Somebody lives in a room that nobody has taken.
    fn watch_unsold(&mut self, world: World<'_>, out: &mut Outcome) {
        let presence = self.occupancy.presence(world.now);
        let door_at = self.occupancy.door_at();
        let has_stayed = door_at.is_some_and(|at| world.now.since(at) >= UNSOLD_FOR);
        let is_certain = presence == Presence::Asleep || self.occupancy.bursts() >= BURSTS_CERTAIN;
        let is_over = self.is_let(world) || !presence.is_occupied();
        let is_found = has_stayed && is_certain && !self.occupancy.is_staff();
        let care = Care {
            need: Need::UnsoldOccupied,
            device: None,
            what: "unsold",
            is_due: is_found && !is_over,
            is_over,
        };
        let because = |room: &Room| {
            Because::rule("unsold-but-occupied")
                .with("presence", presence.word())
                .with_some("door_at", door_at)
                .with("bursts", room.occupancy.bursts())
        };
        self.look_after(world, &care, because, out);
    }

    /// A device was told something time and again, and nothing was seen of it.
    fn watch_obeying(&mut self, world: World<'_>, out: &mut Outcome) {
        if !self.shadow.is_any_in_vain() && !self.has_cares() {
            return;
        }
        for device in world.setup.devices.iter().filter(|device| !device.abilities.is_empty()) {
            let obedience = self.shadow.obedience(&device.id);
            let care = Care {
                need: Need::CannotReach,
                device: Some(&device.id),
                what: "deaf",
                is_due: matches!(obedience, Obedience::InVain(_)),
                is_over: obedience == Obedience::Obeys,
            };
            let because = |_: &Room| match obedience {
                Obedience::InVain(point) => Because::rule("device-does-not-obey")
                    .with("device", &device.id)
                    .with("point", point),
                _ => Because::rule("device-obeys-again").with("device", &device.id),
            };
            self.look_after(world, &care, because, out);
        }
    }

    /// The thermometer says what no air does.
    fn watch_thermometer(&mut self, world: World<'_>, out: &mut Outcome) {
        let Some(device) = self.thermometer(world) else { return };
        let is_ill = self.devices.is_thermometer_ill(&device.id);
        let care = Care {
            need: Need::SensorFault,
            device: Some(&device.id),
            what: "thermometer",
            is_due: is_ill,
            is_over: !is_ill,
        };
        let because = |room: &Room| match is_ill {
            true => Because::rule("thermometer-says-what-no-air-does")
                .with("device", &device.id)
                .with_some(
                    "believed",
                    room.devices
                        .value(&device.id, Point::RoomTemperature)
                        .map(Value::scalar),
                ),
            false => Because::rule("thermometer-is-sensible-again").with("device", &device.id),
        };
        self.look_after(world, &care, because, out);
    }

    /// Whether people are asked for anything, or have looked after anything that has not gone since.
    fn has_cares(&self) -> bool {
        self.requests.has_open() || self.requests.was_looked_after()
    }

    /// Raises a request while the need is due, and takes it back when it is over. Who has looked is not asked again before the
    /// need was over, or half a day has passed. Where all is well, and was, no word is made.
    pub(super) fn look_after(
        &mut self,
        world: World<'_>,
        care: &Care<'_>,
        because: impl FnOnce(&Room) -> Because,
        out: &mut Outcome,
    ) {
        if !care.is_due && !self.has_cares() {
            return;
        }
        let (room, policies) = (&world.setup.id, &world.property.policies);
        let stem = match care.device {
            Some(device) => maintenance::stem(room, device, care.what),
            None => format!("{room}.{}", care.what),
        };
        if care.is_over {
            self.requests.is_gone(&stem);
        }
        let report = match self.requests.open_recurring(&stem) {
            None if care.is_due && !self.requests.is_looked_after(&stem, world.now) => {
                let because = because(self);
                self.requests.recurring(&stem).and_then(|id| {
                    let draft = maintenance::draft(id, care.need, room, None, because);
                    self.requests.raise(world.now, policies, draft)
                })
            }
            Some(id) if care.is_over => {
                let because = because(self);
                self.requests.withdraw(&id, because)
            }
            _ => None,
        };
        report.into_iter().for_each(|report: Report| out.report(report));
    }
}

fn reporting(world: World<'_>, point: Point) -> Option<&DeviceSetup> {
    let mut devices = world.setup.devices.iter().filter(|d| super::see::tells_presence(d));
    devices.find(|device| device.reports.contains(&point))
}
