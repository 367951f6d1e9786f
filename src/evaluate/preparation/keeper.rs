//! The real engine keeps the hotel: readings, notices and the weather go in, its commands go to the thermostats.
//!
//! It is the daemon's engine, unchanged, called as the daemon calls it. Between the two stand only what a real house has:
//! devices that take a minute to answer, and desks that tell arrivals before they happen.

use super::dice::chance;
use super::faults::{self, Faults, Kind};
use super::guests::{Happening, Visit, Who};
use super::hotel::{Hotel, Standing};
use super::thermostat::{Does, Wanted};
use super::watch::{Known, Watch};
use super::weather::DAY;
use crate::engine::Engine;
use crate::model::*;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The story's first minute.
const MIDNIGHT: Moment = Moment::from_millis(1_767_225_600_000);
/// The weather is heard so often.
const WEATHER_EVERY: usize = 15;
/// Somebody awake moves in front of the sensor in this share of five-minute intervals.
const MOVES: f64 = 0.6;
/// Who has just come in moves about, for so many minutes.
const SETTLING_IN: usize = 20;
/// Where things break, everything says again so often how it stands: only so can silence be heard.
const HEARTBEAT: usize = 60;
/// And a sensor that has not been heard for so long counts as silent.
const SILENT_AFTER: Span = Span::hours(3);
/// A movement that was told proves somebody in for so long, min: the ten minutes that the engine promises, less the one in which
/// they end.
const PROVES: usize = 9;
/// Radar loses sight of a sleeper in this share of five-minute intervals.
const RADAR_LOSES: f64 = 0.03;

/// A room's thermostat as it stands.
#[derive(Debug, Clone)]
struct Device {
    setpoint: f64,
    does: Does,
    output_max: f64,
    /// What was told and is not carried out yet.
    inbox: Vec<(Point, Value)>,
    /// What changed and is not told yet.
    outbox: Vec<(Point, Value)>,
    /// How its sensors stand, and what they last said: door, window, motion, bed.
    contacts: [Contact; 4],
    /// Whether its bed has said "in use" of its own: one that has been stuck so proves nothing when it is well again.
    lies: bool,
    /// When a movement was last told, and a change of the door.
    moved_at: Option<usize>,
    door_at: usize,
    /// The temperature that was last told.
    told_air: Option<f64>,
    /// What the engine last told it, be that lost on the way or not.
    told: (f64, Does),
    /// The next happening.
    next: usize,
    version: u64,
}

/// A sensor that says yes or no.
#[derive(Debug, Clone, Copy, Default)]
struct Contact {
    is: bool,
    told: Option<bool>,
}

/// The engine and its devices.
pub struct Keeper {
    engine: Engine,
    faults: Faults,
    devices: Vec<Device>,
    places: BTreeMap<DeviceId, usize>,
    /// What must always and never be.
    pub watch: Watch,
}

/// The moment of a minute of the story.
pub fn moment(minute: usize) -> Moment {
    MIDNIGHT + Span::minutes(minute as i64)
}

impl Keeper {
    /// An engine that knows nothing yet.
    ///
    /// # Errors
    /// Says why the engine cannot be made.
    pub fn new(hotel: &Hotel) -> Result<Self, String> {
        let property = Arc::new(property(hotel));
        let places = property
            .rooms
            .iter()
            .enumerate()
            .flat_map(|(place, room)| room.devices.iter().map(move |d| (d.id.clone(), place)))
            .collect();
        let device = Device {
            setpoint: 22.0,
            does: Does::Auto,
            output_max: 1.0,
            inbox: vec![],
            outbox: vec![],
            contacts: [Contact::default(); 4],
            lies: false,
            moved_at: None,
            door_at: 0,
            told_air: None,
            told: (22.0, Does::Auto),
            next: 0,
            version: 0,
        };
        let mut keeper = Self {
            engine: Engine::new(property)?,
            faults: Faults {
                seed: hotel.options.seed,
                are_there: hotel.options.has_faults,
            },
            devices: vec![device; hotel.places.len()],
            places,
            watch: Watch::new(hotel.places.len()),
        };
        for room in 0..hotel.places.len() {
            keeper.devices[room].outbox = vec![
                (Point::TargetTemperature, degrees(22.0)),
                (Point::HvacMode, Value::Hvac(HvacMode::Auto)),
            ];
            keeper.contact(hotel, room, 0, Kind::Door, false);
            keeper.contact(hotel, room, 0, Kind::Window, false);
        }
        Ok(keeper)
    }

    /// One minute: devices answer, things happen, and every five minutes sensors tell.
    pub fn minute(&mut self, hotel: &Hotel, standings: &mut [Standing], minute: usize) {
        if minute.is_multiple_of(WEATHER_EVERY)
            && let Some(temperature) = Celsius::new(hotel.weather.outdoor_feed[minute])
        {
            self.step(hotel, minute, Event::Outdoor { temperature });
        }
        while let Some(at) = self.engine.deadline().filter(|at| *at <= moment(minute)) {
            let effects = self.engine.step(at, Event::Deadline);
            self.take(hotel, minute, effects);
        }
        for (room, standing) in standings.iter_mut().enumerate() {
            self.answer(hotel, room, minute);
            while let Some((_, happening)) = self.due(hotel, room, minute) {
                self.happen(hotel, room, minute, happening);
            }
            if minute.is_multiple_of(5) {
                self.sense(hotel, room, standing, minute);
            }
            let device = &self.devices[room];
            standing.wanted = Wanted::of(device.setpoint, device.does);
            standing.output_max = device.output_max;
            let told = Wanted::of(device.told.0, device.told.1);
            self.watch
                .look(hotel, room, minute, (standing.wanted, told), standing.body.air);
        }
    }

    fn due(&mut self, hotel: &Hotel, room: usize, minute: usize) -> Option<(usize, Happening)> {
        let happenings = &hotel.places[room].life.happenings;
        let due = *happenings
            .get(self.devices[room].next)
            .filter(|(at, _)| *at <= minute)?;
        self.devices[room].next += 1;
        Some(due)
    }

    /// What was told a minute ago is carried out, and what changed is told.
    fn answer(&mut self, hotel: &Hotel, room: usize, minute: usize) {
        let is_out = self.faults.thermostat(room, minute) == faults::Thermostat::Out;
        if !is_out && self.faults.are_there && (minute + 7 * room).is_multiple_of(HEARTBEAT) {
            self.tell_state(room);
        }
        for (point, value) in std::mem::take(&mut self.devices[room].outbox) {
            if !is_out {
                self.tell(hotel, minute, device_id(room, "thermostat"), point, value);
            }
        }
        for (point, value) in std::mem::take(&mut self.devices[room].inbox) {
            let device = &mut self.devices[room];
            match (&value, point) {
                (Value::Temperature(t), Point::TargetTemperature) => device.setpoint = t.to_f64(),
                (Value::Hvac(mode), Point::HvacMode) => device.does = does(*mode),
                (Value::Share(share), Point::OutputLimit) => device.output_max = share.to_f64() / 100.0,
                _ => continue,
            }
            device.outbox.push((point, value));
        }
    }

    /// A thermostat says again how it is set.
    fn tell_state(&mut self, room: usize) {
        let device = &mut self.devices[room];
        let mode = match device.does {
            Does::Off => HvacMode::Off,
            Does::Heat => HvacMode::Heat,
            Does::Cool => HvacMode::Cool,
            Does::Auto => HvacMode::Auto,
        };
        device.outbox.push((Point::TargetTemperature, degrees(device.setpoint)));
        device.outbox.push((Point::HvacMode, Value::Hvac(mode)));
    }

    fn happen(&mut self, hotel: &Hotel, room: usize, minute: usize, happening: Happening) {
        match happening {
            Happening::Booked(visit) => self.notice(hotel, room, minute, visit, StayStatus::Reserved),
            Happening::CheckedIn(visit) => self.notice(hotel, room, minute, visit, StayStatus::CheckedIn),
            Happening::CheckedOut(visit) => self.notice(hotel, room, minute, visit, StayStatus::CheckedOut),
            Happening::Door(open) => self.contact(hotel, room, minute, Kind::Door, open),
            Happening::Window(open) => self.contact(hotel, room, minute, Kind::Window, open),
            Happening::Bed(used) => self.contact(hotel, room, minute, Kind::Bed, used),
            Happening::Dial(to) => self.dial(hotel, room, minute, to),
        }
    }

    /// The guest turns the dial. What was told a moment ago has arrived, and been shown, before the hand does.
    fn dial(&mut self, hotel: &Hotel, room: usize, minute: usize, to: f64) {
        let device = &mut self.devices[room];
        device.inbox.retain(|(point, _)| *point != Point::TargetTemperature);
        device.setpoint = to;
        let is_setting = |(point, _): &(Point, Value)| *point == Point::TargetTemperature;
        let (before, others): (Vec<_>, Vec<_>) = std::mem::take(&mut device.outbox).into_iter().partition(is_setting);
        device.outbox = others;
        if self.faults.thermostat(room, minute) == faults::Thermostat::Out {
            return;
        }
        let thermostat = device_id(room, "thermostat");
        for (point, value) in before {
            self.tell(hotel, minute, thermostat.clone(), point, value);
        }
        self.watch.dialled(room, to);
        self.tell(hotel, minute, thermostat, Point::TargetTemperature, degrees(to));
    }

    /// A sensor stands otherwise from now on; whether it says so depends on whether it works.
    fn contact(&mut self, hotel: &Hotel, room: usize, minute: usize, kind: Kind, is: bool) {
        self.devices[room].contacts[kind as usize].is = is;
        if kind != Kind::Bed || hotel.places[room].has_bed_sensor {
            self.say(hotel, room, minute, kind, false);
        }
    }

    /// A sensor says how it stands, or what it is stuck at; again, too, where it is asked to.
    fn say(&mut self, hotel: &Hotel, room: usize, minute: usize, kind: Kind, again: bool) {
        if kind == Kind::Window && !hotel.options.has_window_contacts {
            return;
        }
        let contact = self.devices[room].contacts[kind as usize];
        let (value, is_changed) = match self.faults.sensor(room, kind, minute) {
            faults::Sensor::Works => (contact.is, true),
            faults::Sensor::Stuck(at) => (at, contact.told != Some(at)),
            faults::Sensor::Dead => return,
        };
        if !is_changed && !again {
            return;
        }
        self.devices[room].contacts[kind as usize].told = Some(value);
        if kind == Kind::Door && contact.told != Some(value) {
            self.devices[room].door_at = minute;
        }
        let works = self.faults.sensor(room, kind, minute) == faults::Sensor::Works;
        if kind == Kind::Bed && contact.told != Some(value) {
            self.devices[room].lies = value && works;
        }
        if kind == Kind::Motion && value && works {
            self.devices[room].moved_at = Some(minute);
        }
        let point = match kind {
            Kind::Door | Kind::Window => Point::Open,
            Kind::Motion => Point::Occupied,
            Kind::Bed => Point::BedOccupied,
        };
        self.tell(hotel, minute, device_id(room, kind.word()), point, Value::Flag(value));
    }

    /// Whether somebody in the room is proven by what was told, and by sensors that work. A movement proves nothing once the
    /// door is said to have moved, be that true or not: whoever moved may have gone.
    fn is_proven(&self, room: usize, minute: usize) -> bool {
        let device = &self.devices[room];
        let works = |kind| self.faults.sensor(room, kind, minute) == faults::Sensor::Works;
        let moved = device
            .moved_at
            .is_some_and(|at| minute - at <= PROVES && at > device.door_at);
        moved && works(Kind::Motion) || device.lies && works(Kind::Bed)
    }

    fn notice(&mut self, hotel: &Hotel, room: usize, minute: usize, number: usize, status: StayStatus) {
        let visit: &Visit = &hotel.places[room].life.visits[number];
        let Ok(stay) = StayToken::new(format!("{:08x}", room * 4096 + number)) else {
            return;
        };
        self.devices[room].version += 1;
        if status == StayStatus::CheckedOut {
            self.watch.left(room);
        }
        let notice = StayNotice {
            stay,
            version: self.devices[room].version,
            status,
            room: RoomId::new(room_name(room)).ok(),
            guest: None,
            eta: visit.booked.map(|_| moment(0) + Span::minutes(visit.eta)),
            channel: None,
            departure: Some(moment(visit.departure).max(moment(0) + Span::minutes(visit.eta + 60))),
            adults: 1,
            declared: Declared {
                temperature: Celsius::new(visit.preferred),
                firmness: None,
            },
            items: vec![],
        };
        self.step(hotel, minute, Event::Stay(notice));
    }

    /// Every five minutes the thermostat tells the air and its valves, and the motion sensor whether somebody moves.
    fn sense(&mut self, hotel: &Hotel, room: usize, standing: &mut Standing, minute: usize) {
        self.thermometer(hotel, room, standing, minute);
        let who = hotel.places[room].life.who[minute];
        let was = hotel.places[room].life.who[minute.saturating_sub(SETTLING_IN)];
        let moves_for_sure = who == Who::Awake && matches!(was, Who::Out | Who::Vacant | Who::Staff);
        let roll = chance(hotel.options.seed, room as u64, minute);
        let moves = match who {
            Who::Awake | Who::Staff => hotel.places[room].has_radar || moves_for_sure || roll < MOVES,
            Who::Asleep => hotel.places[room].has_radar && roll >= RADAR_LOSES,
            Who::Out => hotel.places[room].life.maid[minute],
            Who::Vacant => false,
        };
        if moves || self.devices[room].contacts[Kind::Motion as usize].is {
            self.contact(hotel, room, minute, Kind::Motion, moves);
        }
        if self.faults.are_there && (minute + 5 * room).is_multiple_of(HEARTBEAT) {
            for kind in [Kind::Door, Kind::Window, Kind::Motion, Kind::Bed] {
                if kind != Kind::Bed || hotel.places[room].has_bed_sensor {
                    self.say(hotel, room, minute, kind, true);
                }
            }
        }
    }

    fn thermometer(&mut self, hotel: &Hotel, room: usize, standing: &mut Standing, minute: usize) {
        let id = device_id(room, "thermostat");
        let shown = hotel.shown(room, &standing.body, minute);
        let (heating, cooling) = standing.valves;
        let shown = match self.faults.thermostat(room, minute) {
            faults::Thermostat::Works => shown,
            faults::Thermostat::Silent | faults::Thermostat::Out => return,
            faults::Thermostat::Stuck => 21.0,
            faults::Thermostat::Jumps => shown + 30.0 * (chance(hotel.options.seed, 31 + room as u64, minute) - 0.5),
            faults::Thermostat::Nonsense => return self.nonsense(hotel, minute, id),
        };
        self.devices[room].told_air = Some(shown);
        if !hotel.options.is_coarse {
            for (point, valve) in [(Point::Heating, heating), (Point::Cooling, cooling)] {
                let share = Percent::from_hundredths((valve * 10_000.0).round() as i32);
                self.tell(hotel, minute, id.clone(), point, Value::Share(share));
            }
        }
        self.tell(hotel, minute, id, Point::RoomTemperature, degrees(shown));
    }

    /// A reading without a value, as a broken thermometer's.
    fn nonsense(&mut self, hotel: &Hotel, minute: usize, device: DeviceId) {
        let reading = Reading {
            device,
            point: Point::RoomTemperature,
            value: None,
            quality: Quality::InvalidRange,
            freshness: Freshness::Live,
            device_time: None,
        };
        self.step(hotel, minute, Event::Reading(reading));
    }

    fn tell(&mut self, hotel: &Hotel, minute: usize, device: DeviceId, point: Point, value: Value) {
        let reading = Reading {
            device,
            point,
            value: Some(value),
            quality: Quality::Good,
            freshness: Freshness::Live,
            device_time: None,
        };
        self.step(hotel, minute, Event::Reading(reading));
    }

    /// What the engine can know of a room when it gives a command.
    fn known(&self, hotel: &Hotel, command: &Command, room: usize, minute: usize) -> Known {
        let standing = self.engine.standing(&command.id.room, moment(minute));
        Known {
            is_believed_in: standing.is_some_and(|standing| standing.is_occupied),
            is_proven_in: self.is_proven(room, minute),
            limits: self.engine.property().limits.clone(),
            told_air: self.devices[room].told_air,
            form: form(hotel, room),
            broken: self.broken(hotel, room, minute),
        }
    }

    /// Which sensors of people are broken, or have been in the day before.
    fn broken(&self, hotel: &Hotel, room: usize, minute: usize) -> String {
        let kinds = [Kind::Door, Kind::Motion, Kind::Bed];
        let has = |kind: &Kind| *kind != Kind::Bed || hotel.places[room].has_bed_sensor;
        let words = kinds.into_iter().filter(has).filter_map(|kind| {
            let was = self.faults.sensor(room, kind, minute.saturating_sub(DAY)).word();
            match (self.faults.sensor(room, kind, minute).word(), was) {
                (Some(word), _) => Some(format!("{} {word}", kind.word())),
                (None, Some(word)) => Some(format!("{} {word} until lately", kind.word())),
                (None, None) => None,
            }
        });
        let words: Vec<String> = words.collect();
        if words.is_empty() {
            "nothing".into()
        } else {
            words.join(", ")
        }
    }

    fn step(&mut self, hotel: &Hotel, minute: usize, event: Event) {
        self.watch.steps += 1;
        let effects = self.engine.step(moment(minute), event);
        self.take(hotel, minute, effects);
    }

    fn take(&mut self, hotel: &Hotel, minute: usize, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Command(command) => self.carry(hotel, minute, *command),
                Effect::Report(Report::Readiness(readiness)) => self.watch.promised(&readiness),
                Effect::Note { room, because } => self.watch.noted(minute, &room, &because),
                Effect::Refuse(refusal) => self.watch.refused(&refusal.reason),
                _ => {}
            }
        }
    }

    fn carry(&mut self, hotel: &Hotel, minute: usize, command: Command) {
        let Some(room) = self.places.get(&command.device).copied() else {
            return;
        };
        match (&command.value, command.point) {
            (Value::Temperature(t), Point::TargetTemperature) => self.devices[room].told.0 = t.to_f64(),
            (Value::Hvac(mode), Point::HvacMode) => self.devices[room].told.1 = does(*mode),
            _ => {}
        }
        let known = self.known(hotel, &command, room, minute);
        self.watch.commanded(hotel, room, minute, &command, &known);
        let is_lost = self.faults.loses(room, minute);
        if !is_lost {
            self.devices[room].inbox.push((command.point, command.value.clone()));
        }
        // Half of what is lost is lost without a word: the radio took it, and the thermostat never heard it.
        let result = if is_lost && minute.is_multiple_of(2) {
            WriteResult::Failed("no answer".into())
        } else {
            WriteResult::Sent
        };
        let sent = Event::Written {
            command: command.id,
            result,
        };
        self.step(hotel, minute, sent);
    }
}

fn does(mode: HvacMode) -> Does {
    match mode {
        HvacMode::Off => Does::Off,
        HvacMode::Heat => Does::Heat,
        HvacMode::Cool => Does::Cool,
        _ => Does::Auto,
    }
}

fn degrees(t: f64) -> Value {
    Value::Temperature(Celsius::from_hundredths((t * 100.0).round() as i32))
}

/// Which sensors of people a room has.
fn form(hotel: &Hotel, room: usize) -> &'static str {
    let place = &hotel.places[room];
    match (place.has_bed_sensor, place.has_radar) {
        (true, _) => "bed sensor",
        (false, true) => "radar",
        (false, false) => "no bed sensor",
    }
}

fn room_name(room: usize) -> String {
    (101 + room).to_string()
}

/// The room of this name.
pub fn room_number(id: &RoomId) -> Option<usize> {
    id.as_str().parse::<usize>().ok()?.checked_sub(101)
}

fn device_id(room: usize, kind: &str) -> DeviceId {
    DeviceId::new(format!("{}-{kind}", room_name(room))).expect("a number and a word are an id")
}

fn property(hotel: &Hotel) -> Property {
    let rooms = (0..hotel.places.len()).map(|room| setup(hotel, room)).collect();
    Property {
        id: PropertyId::new("simulated").expect("a word is an id"),
        zone: "UTC".into(),
        limits: Limits::default(),
        policies: policies(hotel),
        rooms,
    }
}

fn policies(hotel: &Hotel) -> Policies {
    Policies {
        power: Power {
            rooms_at_full: hotel.rooms_at_full,
            ..Power::default()
        },
        plant: Plant::Auto,
        levels: Levels {
            unsold_cooling: Celsius::from_hundredths(2800),
            ..Levels::default()
        },
        ..Policies::default()
    }
}

fn setup(hotel: &Hotel, room: usize) -> RoomSetup {
    let place = &hotel.places[room];
    let mut devices = vec![
        thermostat(room, place.setpoint_step, hotel.options.is_coarse),
        sensor(room, "door", DeviceRole::Door, Point::Open),
        sensor(room, "window", DeviceRole::Window, Point::Open),
        sensor(room, "motion", DeviceRole::Plain, Point::Occupied),
    ];
    if place.has_bed_sensor {
        devices.push(sensor(room, "bed", DeviceRole::Plain, Point::BedOccupied));
    }
    if !hotel.options.has_window_contacts {
        devices.retain(|device| device.role != DeviceRole::Window);
    }
    if hotel.options.has_faults {
        devices[1..]
            .iter_mut()
            .for_each(|device| device.silent_after = SILENT_AFTER);
    }
    RoomSetup {
        id: RoomId::new(room_name(room)).expect("a number is an id"),
        floor: Some("1".into()),
        zones: vec![],
        connects: vec![],
        suite: None,
        output_percent: RoomSetup::USUAL_OUTPUT,
        faces: None,
        out_of_order: false,
        devices,
    }
}

fn sensor(room: usize, kind: &str, role: DeviceRole, point: Point) -> DeviceSetup {
    DeviceSetup {
        id: device_id(room, kind),
        profile: ProfileId::new("simulated").expect("a word is an id"),
        zone: None,
        role,
        reports: vec![point],
        guest_points: vec![],
        abilities: vec![],
        buttons: BTreeMap::new(),
        silent_after: Span::days(10_000),
        echo_within: Span::seconds(90),
        settle: Span::ZERO,
        hand_back: vec![],
        coil: Coil::Water,
        reading_step_k: None,
    }
}

fn thermostat(room: usize, step: f64, is_coarse: bool) -> DeviceSetup {
    let mut reports = vec![
        Point::RoomTemperature,
        Point::TargetTemperature,
        Point::HvacMode,
        Point::OutputLimit,
    ];
    if !is_coarse {
        reports.extend([Point::Heating, Point::Cooling]);
    }
    let ability = |point, min, max, step, words: &[&str]| Ability {
        point,
        min,
        max,
        step,
        words: words.iter().map(|w| (*w).to_owned()).collect(),
        confirm_within: Some(Span::minutes(3)),
        tolerance: 0.02,
        gap_min: Span::seconds(50),
        per_day_max: 300,
    };
    DeviceSetup {
        reports,
        guest_points: vec![Point::TargetTemperature, Point::HvacMode],
        abilities: vec![
            ability(Point::TargetTemperature, Some(10.0), Some(30.0), Some(step), &[]),
            ability(Point::HvacMode, None, None, None, &["off", "heat", "cool", "auto"]),
            ability(Point::OutputLimit, Some(0.0), Some(100.0), Some(5.0), &[]),
        ],
        silent_after: Span::minutes(20),
        ..sensor(room, "thermostat", DeviceRole::Plain, Point::RoomTemperature)
    }
}
