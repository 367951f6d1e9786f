//! What should people look at: a sensor that has died, a guest who has not moved for a day, somebody in an unsold room?

use super::{Outcome, Room, World};
use crate::engine::occupancy::Presence;
use crate::engine::requests::maintenance;
use crate::model::{Because, DeviceSetup, Moment, Need, Point, Report, Span};

/// A bed sensor that is doubted is reported when it has not moved for so long.
const BED_QUIET_MIN: Span = Span::hours(20);
/// A guest who is in and has not moved for so long may need help.
const MOTIONLESS_MAX: Span = Span::hours(24);
/// So many bursts since the door moved are certainly somebody.
const BURSTS_CERTAIN: u16 = 10;
/// Somebody in an unsold room for so long is no porter.
const UNSOLD_FOR: Span = Span::minutes(90);

impl Room {
    /// Looks after the sensors and the people behind them.
    pub(super) fn watch_over(&mut self, world: World<'_>, out: &mut Outcome) {
        self.watch_bed(world, out);
        self.watch_door(world, out);
        self.watch_motion(world, out);
        self.watch_motionless(world, out);
        self.watch_unsold(world, out);
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
        let is_ill = bed.is_ill() && is_quiet;
        if self.is_nothing_to_say(bed.is_ill()) {
            return;
        }
        let because = Because::rule(if self.occupancy.is_bed_in_use() {
            "bed-in-use-for-too-long"
        } else {
            "bed-stays-empty-while-somebody-sleeps"
        });
        let because = because
            .with_some("last_edge", bed.edge_at())
            .with("bed_doubt", (bed.doubt() * 1000.0).round() / 1000.0);
        self.sensor_fault(world, device, is_ill, bed.is_ill(), because, out);
    }

    fn watch_door(&mut self, world: World<'_>, out: &mut Outcome) {
        let Some(device) = reporting(world, Point::Open) else {
            return;
        };
        let is_restless = self.health.is_door_restless(world.now);
        let is_ill = is_restless || self.health.is_door_ill(world.now);
        if self.is_nothing_to_say(is_ill) {
            return;
        }
        let (comings, about_since, last) = self.health.door_evidence();
        let because = if is_restless {
            let (_, hours, _) = self.health.restless_evidence(world.now);
            Because::rule("door-moves-without-a-pause").with("restless_hours", hours)
        } else {
            Because::rule("guest-comes-and-the-door-never-moves")
                .with("comings", comings)
                .with_some("about_since", about_since)
        };
        let because = because.with_some("last_door", last);
        self.sensor_fault(world, device, is_ill, is_ill, because, out);
    }

    fn watch_motion(&mut self, world: World<'_>, out: &mut Outcome) {
        let Some(device) = reporting(world, Point::Occupied) else {
            return;
        };
        let is_restless = self.health.is_motion_restless(world.now);
        let is_ill = is_restless || self.health.is_motion_ill();
        if self.is_nothing_to_say(is_ill) {
            return;
        }
        let (passages, last) = self.health.motion_evidence();
        let because = if is_restless {
            let (hours, _, since) = self.health.restless_evidence(world.now);
            Because::rule("moves-without-a-pause")
                .with("restless_hours", hours)
                .with_some("sees_since", since)
        } else {
            Because::rule("door-moves-and-nothing-else-does").with("passages", passages)
        };
        let because = because.with_some("last_motion", last);
        self.sensor_fault(world, device, is_ill, is_ill, because, out);
    }

    /// Whether all is well, and was: then there is nothing to raise and nothing to take back.
    pub(super) fn is_nothing_to_say(&self, is_wrong: bool) -> bool {
        !is_wrong && !self.requests.has_open() && !self.requests.was_looked_after()
    }

    /// Raises the request when the sensor is ill, and takes it back when it is no longer.
    fn sensor_fault(
        &mut self,
        world: World<'_>,
        device: &DeviceSetup,
        is_ill: bool,
        may_stay: bool,
        because: Because,
        out: &mut Outcome,
    ) {
        let stem = maintenance::stem(&world.setup.id, &device.id, "sensor");
        let is_told = self.requests.open_recurring(&stem).is_some();
        if !may_stay {
            self.requests.is_gone(&stem);
        }
        if is_ill && !is_told && !self.requests.is_looked_after(&stem, world.now) {
            self.recurring(world, device, Need::SensorFault, "sensor", true, because, out);
        } else if is_told && !may_stay {
            let because = Because::rule("sensor-moves-again").with("device", &device.id);
            self.recurring(world, device, Need::SensorFault, "sensor", false, because, out);
        }
    }

    /// A guest who is in, has not left by the door and has not moved for a day: people look, no device acts.
    fn watch_motionless(&mut self, world: World<'_>, out: &mut Outcome) {
        let has_arrived = self.stays.current.as_ref().is_some_and(|s| s.arrived_at.is_some());
        let moved_at = self.moved_at(world).filter(|_| has_arrived);
        let is_in = self.is_occupied(world) || self.occupancy.bursts() >= BURSTS_CERTAIN;
        let is_due =
            is_in && !self.is_sensor_ill(world) && moved_at.is_some_and(|at| world.now.since(at) >= MOTIONLESS_MAX);
        if self.is_nothing_to_say(is_due) {
            return;
        }
        let because = Because::rule("in-and-motionless-for-a-day").with_some("last_moved", moved_at);
        self.ask_people(world, Need::Welfare, "welfare", (is_due, !is_due), because, out);
    }

    /// Somebody lives in a room that nobody has taken.
    fn watch_unsold(&mut self, world: World<'_>, out: &mut Outcome) {
        let presence = self.occupancy.presence(world.now);
        let door_at = self.occupancy.door_at();
        let has_stayed = door_at.is_some_and(|at| world.now.since(at) >= UNSOLD_FOR);
        let is_certain = presence == Presence::Asleep || self.occupancy.bursts() >= BURSTS_CERTAIN;
        let is_over = self.is_let(world) || !presence.is_occupied();
        let is_found = has_stayed && is_certain && !self.occupancy.is_staff();
        if self.is_nothing_to_say(is_found && !is_over) {
            return;
        }
        let stem = format!("{}.unsold", world.setup.id);
        let is_open = self.requests.open_recurring(&stem).is_some();
        let is_due = !is_over && (is_open || is_found);
        let because = Because::rule("unsold-but-occupied")
            .with("presence", presence.word())
            .with_some("door_at", door_at)
            .with("bursts", self.occupancy.bursts());
        self.ask_people(world, Need::UnsoldOccupied, "unsold", (is_due, is_over), because, out);
    }

    /// Raises a request about the people in the room, or takes it back. Who has looked is not asked again before the need
    /// was gone, or half a day has passed.
    fn ask_people(
        &mut self,
        world: World<'_>,
        need: Need,
        what: &str,
        (on, is_gone): (bool, bool),
        because: Because,
        out: &mut Outcome,
    ) {
        let (room, policies) = (&world.setup.id, &world.property.policies);
        let stem = format!("{room}.{what}");
        if is_gone {
            self.requests.is_gone(&stem);
        }
        let open = self.requests.open_recurring(&stem);
        let report = match (on, open) {
            (true, None) if self.requests.is_looked_after(&stem, world.now) => None,
            (true, None) => self.requests.recurring(&stem).and_then(|id| {
                let draft = maintenance::draft(id, need, room, None, because);
                self.requests.raise(world.now, policies, draft)
            }),
            (false, Some(id)) => self.requests.withdraw(&id, because),
            _ => None,
        };
        report.into_iter().for_each(|report: Report| out.report(report));
    }
}

fn reporting(world: World<'_>, point: Point) -> Option<&DeviceSetup> {
    let mut devices = world.setup.devices.iter().filter(|d| super::see::tells_presence(d));
    devices.find(|device| device.reports.contains(&point))
}
