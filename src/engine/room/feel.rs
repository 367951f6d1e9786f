//! What does the room's thermal model get to hear, and what does it say?

use super::see::{has_presence, has_window_contact};
use super::{Outcome, Room, World};
use crate::engine::draught::{Look, Turn};
use crate::engine::requests::maintenance;
use crate::engine::sun;
use crate::engine::thermal::Thermal;
use crate::engine::thermal::meter::Around;
use crate::engine::thermal::recovery::BAND_K;
use crate::engine::timetable::own_turn;
use crate::model::{Because, Celsius, Coil, HvacMode, Need, Plant, Point, Reading, SaveWhen, Value};

/// What a recurring request about a strange room is called.
const STRANGE: &str = "strange";

impl Room {
    /// What the room says of how it moves.
    pub fn thermal(&self) -> &Thermal {
        &self.thermal
    }

    /// The same, to be changed by a nightly fit.
    pub fn thermal_mut(&mut self) -> &mut Thermal {
        &mut self.thermal
    }

    /// A live reading may be the thermometer's, or may change what the unit does.
    pub(super) fn feel(&mut self, world: World<'_>, reading: &Reading, out: &mut Outcome) {
        let is_thermometer = self
            .thermometer(world)
            .is_some_and(|device| device.id == reading.device);
        if let (true, Point::RoomTemperature, Some(Value::Temperature(air))) =
            (is_thermometer, reading.point, &reading.value)
            && self.thermal.heard(world.now, *air)
        {
            out.save(SaveWhen::Soon);
        }
        if tells_output(reading.point) {
            let (heating, cooling) = self.outputs(world);
            self.thermal.outputs(world.now, heating, cooling);
        }
    }

    /// Ends a tick, if one is due.
    pub(super) fn tick(&mut self, world: World<'_>, out: &mut Outcome) {
        if !self.thermal.is_due(world.now) {
            return;
        }
        let around = Around {
            outdoor: world.outdoor,
            neighbours: world.neighbours,
            sun: sun(world),
            is_occupied: has_presence(world.setup) && self.is_occupied(world),
            is_open: self.is_window_open(world) || self.is_door_open(world),
            air: self.temperature(world),
            minute: world.calendar.minute(world.now),
        };
        let unit = world.setup.actuator(Point::TargetTemperature);
        let coil = unit.map_or(Coil::Water, |(device, _)| device.coil);
        let step = self.thermometer(world).and_then(|device| device.reading_step_k);
        self.thermal.equip(coil, step);
        let surprise_k = self.thermal.tick(world.now, &around, world.kin);
        out.rows = self.thermal.take_rows(own_turn(&world.setup.id));
        self.reckon_vacancy(world);
        let output = self.outputs(world);
        self.look_for_draught(world, surprise_k, output, out);
        self.thermal.outputs(world.now, output.0, output.1);
        self.tell_strange(world, out);
    }

    /// Where no contact tells of windows, the air does.
    fn look_for_draught(&mut self, world: World<'_>, surprise_k: Option<f64>, output: (f64, f64), out: &mut Outcome) {
        if has_window_contact(world.setup) {
            return;
        }
        let (temperature, outdoor) = (self.temperature(world), world.outdoor);
        let look = Look {
            now: world.now,
            reading: temperature.map(Celsius::to_f64).zip(surprise_k),
            output,
            outdoor,
            door_at: self.occupancy.door_at(),
            is_door_open: self.is_door_open(world),
        };
        let turn = self.draught.look(&look);
        let hundredths = |x: f64| (x * 100.0).round() / 100.0;
        match turn {
            Some(Turn::Opened { unexplained_k, moved_k }) => out.note(
                world,
                Because::rule("air-falls-as-under-an-open-window")
                    .with_some("temperature", temperature)
                    .with_some("outdoor", outdoor)
                    .with("moved_k", hundredths(moved_k))
                    .with("unexplained_k", hundredths(unexplained_k)),
            ),
            Some(Turn::Closed) => out.note(
                world,
                Because::rule("air-falls-no-longer").with_some("temperature", temperature),
            ),
            None => {}
        }
    }

    /// Asks for somebody when the room has for days moved otherwise than its numbers say, and takes that back.
    fn tell_strange(&mut self, world: World<'_>, out: &mut Outcome) {
        let actuator = world.setup.actuator(Point::TargetTemperature).map(|(device, _)| device);
        let Some(device) = actuator.or_else(|| self.thermometer(world)) else {
            return;
        };
        let strange = self.thermal.estimator().unease();
        let stem = maintenance::stem(&world.setup.id, &device.id, STRANGE);
        let is_left = strange.is_some() && self.requests.is_looked_after(&stem, world.now);
        if is_left || strange.is_some() == self.requests.open_recurring(&stem).is_some() {
            return;
        }
        let tenths = |x: f64| (x * 10.0).round() / 10.0;
        let because = Because::rule("room-moves-strangely")
            .with("device", &device.id)
            .with_some("surprise_times", strange.map(|s| tenths(s.surprise_times)))
            .with_some("unexplained_k_per_h", strange.map(|s| tenths(s.unexplained_k_per_h)));
        self.recurring(
            world,
            device,
            Need::CannotReach,
            STRANGE,
            strange.is_some(),
            because,
            out,
        );
    }

    /// How much the unit gives, 0 to 1, warm and cold: as it reports, else as its controller would at this set-point.
    fn outputs(&self, world: World<'_>) -> (f64, f64) {
        let setups = &world.setup.devices;
        let share = |point| {
            self.devices
                .first(setups, point)?
                .share()
                .map(|share| share.to_f64() / 100.0)
        };
        let (heating, cooling) = (share(Point::Heating), share(Point::Cooling));
        if heating.is_some() || cooling.is_some() {
            return (heating.unwrap_or(0.0), cooling.unwrap_or(0.0));
        }
        let (warm, cold) = self.wanted_outputs(world);
        match self.devices.first(setups, Point::Running).and_then(Value::flag) {
            Some(false) => (0.0, 0.0),
            Some(true) if warm > 0.0 => (1.0, 0.0),
            Some(true) if cold > 0.0 => (0.0, 1.0),
            _ => (warm, cold),
        }
    }

    /// What a proportional controller gives at this set-point.
    fn wanted_outputs(&self, world: World<'_>) -> (f64, f64) {
        let (Some(target), Some(air)) = (self.setpoint(world), self.temperature(world)) else {
            return (0.0, 0.0);
        };
        let short = (target.to_f64() - air.to_f64()) / BAND_K;
        let (warm, cold) = (short.clamp(0.0, 1.0), (-short).clamp(0.0, 1.0));
        match (self.mode(world), world.property.policies.plant) {
            (Some(HvacMode::Off | HvacMode::Dry | HvacMode::Fan), _) => (0.0, 0.0),
            (Some(HvacMode::Heat), _) | (_, Plant::Heating) => (warm, 0.0),
            (Some(HvacMode::Cool), _) | (_, Plant::Cooling) => (0.0, cold),
            _ => (warm, cold),
        }
    }

    /// The room's air as its model has it, for its neighbours.
    pub fn air(&self) -> Option<Celsius> {
        self.thermal.air()
    }
}

/// Whether what is told of a point can change what the unit gives.
fn tells_output(point: Point) -> bool {
    matches!(
        point,
        Point::RoomTemperature
            | Point::TargetTemperature
            | Point::HvacMode
            | Point::Power
            | Point::Running
            | Point::Heating
            | Point::Cooling
    )
}

/// The sun on the room's facade, where the property's place and the room's orientation are known.
fn sun(world: World<'_>) -> Option<f64> {
    let (place, faces) = (world.property.policies.place?, world.setup.faces?);
    Some(sun::on_facade(world.now, place, faces, world.clouds))
}
