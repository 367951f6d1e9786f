//! The real engine keeps the hotel: readings, notices and the weather go in, its commands go to the thermostats.
//!
//! It is the daemon's engine, unchanged, called as the daemon calls it. Between the two stand only what a real house has:
//! devices that take a minute to answer, and desks that tell arrivals before they happen.

use super::dice::chance;
use super::guests::{Happening, Visit, Who};
use super::hotel::{Hotel, Options, Standing};
use super::thermostat::{Does, Wanted};
use super::watch::Watch;
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
    is_moving: bool,
    /// The next happening.
    next: usize,
    version: u64,
}

/// The engine and its devices.
pub struct Keeper {
    engine: Engine,
    devices: Vec<Device>,
    places: BTreeMap<DeviceId, usize>,
    /// What must always and never be.
    pub watch: Watch,
}

/// The moment of a minute of the story.
pub fn moment(minute: usize) -> Moment {
    MIDNIGHT + Span::minutes(minute as i64)
}

/// The minute of the story, whole.
pub fn minute_of(at: Moment) -> i64 {
    at.since(MIDNIGHT).as_millis().div_euclid(60_000)
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
            is_moving: false,
            next: 0,
            version: 0,
        };
        let mut keeper = Self {
            engine: Engine::new(property)?,
            devices: vec![device; hotel.places.len()],
            places,
            watch: Watch::new(hotel.places.len()),
        };
        for room in 0..hotel.places.len() {
            keeper.devices[room].outbox = vec![
                (Point::TargetTemperature, degrees(22.0)),
                (Point::HvacMode, Value::Hvac(HvacMode::Auto)),
            ];
            keeper.tell(hotel, 0, device_id(room, "door"), Point::Open, Value::Flag(false));
            keeper.tell(hotel, 0, device_id(room, "window"), Point::Open, Value::Flag(false));
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
            standing.wanted = Wanted::of(self.devices[room].setpoint, self.devices[room].does);
            standing.output_max = self.devices[room].output_max;
            self.watch.look(hotel, room, minute, standing.wanted, standing.body.air);
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
        for (point, value) in std::mem::take(&mut self.devices[room].outbox) {
            self.tell(hotel, minute, device_id(room, "thermostat"), point, value);
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

    fn happen(&mut self, hotel: &Hotel, room: usize, minute: usize, happening: Happening) {
        let flag = Value::Flag;
        match happening {
            Happening::Booked(visit) => self.notice(hotel, room, minute, visit, StayStatus::Reserved),
            Happening::CheckedIn(visit) => self.notice(hotel, room, minute, visit, StayStatus::CheckedIn),
            Happening::CheckedOut(visit) => self.notice(hotel, room, minute, visit, StayStatus::CheckedOut),
            Happening::Door(open) => self.tell(hotel, minute, device_id(room, "door"), Point::Open, flag(open)),
            Happening::Window(open) => {
                self.tell(hotel, minute, device_id(room, "window"), Point::Open, flag(open));
            }
            Happening::Bed(used) if hotel.places[room].has_bed_sensor => {
                self.tell(hotel, minute, device_id(room, "bed"), Point::BedOccupied, flag(used));
            }
            Happening::Bed(_) => {}
            Happening::Dial(to) => {
                // What was told a moment ago has arrived before the hand does.
                self.devices[room]
                    .inbox
                    .retain(|(point, _)| *point != Point::TargetTemperature);
                self.devices[room].setpoint = to;
                self.watch.dialled(room, to);
                self.tell(
                    hotel,
                    minute,
                    device_id(room, "thermostat"),
                    Point::TargetTemperature,
                    degrees(to),
                );
            }
        }
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
        let moves = matches!(who, Who::Awake | Who::Staff)
            && (moves_for_sure || chance(hotel.options.seed, room as u64, minute) < MOVES);
        if moves || self.devices[room].is_moving {
            self.tell(
                hotel,
                minute,
                device_id(room, "motion"),
                Point::Occupied,
                Value::Flag(moves),
            );
        }
        self.devices[room].is_moving = moves;
    }

    fn thermometer(&mut self, hotel: &Hotel, room: usize, standing: &mut Standing, minute: usize) {
        let id = device_id(room, "thermostat");
        let shown = hotel.shown(room, &standing.body, minute);
        let (heating, cooling) = standing.valves;
        let shown = match fault(&hotel.options, room, minute) {
            Fault::None => shown,
            Fault::Silent => return,
            Fault::Stuck => 21.0,
            Fault::Jumps => shown + 30.0 * (chance(hotel.options.seed, 31 + room as u64, minute) - 0.5),
            Fault::Nonsense => return self.nonsense(hotel, minute, id),
        };
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

    fn step(&mut self, hotel: &Hotel, minute: usize, event: Event) {
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
        self.watch.commanded(hotel, room, minute, &command);
        self.devices[room].inbox.push((command.point, command.value.clone()));
        let sent = Event::Written {
            command: command.id,
            result: WriteResult::Sent,
        };
        self.step(hotel, minute, sent);
    }
}

/// What is wrong with a thermometer.
enum Fault {
    None,
    Silent,
    Stuck,
    Jumps,
    Nonsense,
}

/// A thermometer is wrong in one six-hour stretch of ten, in one way.
fn fault(options: &Options, room: usize, minute: usize) -> Fault {
    let roll = chance(options.seed, 7_000 + room as u64, minute / 360);
    match (roll * 40.0) as u32 {
        _ if !options.has_faults => Fault::None,
        0 => Fault::Silent,
        1 => Fault::Stuck,
        2 => Fault::Jumps,
        3 => Fault::Nonsense,
        _ => Fault::None,
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
    RoomSetup {
        id: RoomId::new(room_name(room)).expect("a number is an id"),
        floor: Some("1".into()),
        zones: vec![],
        connects: vec![],
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
