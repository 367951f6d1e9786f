//! What does it mean, and what should be done?
//!
//! The engine is a plain value. It is fed an event together with the time, and returns what it wants done. It has no clock,
//! no socket, no file and no log: the same engine runs in the daemon, in replay, in simulation and in the tests.
//!
//! [`Engine::step`] observes, learns and decides, in that order. State is kept by key, whole: after any step,
//! [`Engine::record`] gives what is to be kept under the keys that its effects name, and an engine that is given these
//! records back goes on exactly as the untouched one.

mod bed_trust;
mod belief;
pub mod calendar;
mod climate;
mod comfort;
mod compliance;
mod damp;
mod devices;
mod doubt;
mod draught;
pub mod eta;
mod evidence;
mod false_motion;
mod free;
mod guests;
pub mod habit;
mod health;
mod interlock;
mod joined;
mod kept;
mod lessons;
mod margin;
mod moisture;
mod nightly;
mod notices;
pub mod occupancy;
mod pace;
mod power;
pub mod preference;
mod requests;
mod restless;
mod room;
mod shadow;
mod sharing;
mod spread;
mod stay;
mod sun;
pub mod thermal;
mod timetable;
mod whereabouts;

use crate::model::{
    Celsius, DeviceId, Effect, Event, Freshness, GuestToken, Key, Moment, OUTDOOR_C, Percent, Point, Property, Reading,
    Refusal, RoomId, RoomSetup, SaveWhen, Span,
};
use calendar::Calendar;
use free::Pool;
pub use free::TOLD_MAX as FREE_ROOMS_TOLD_MAX;
use joined::Joined;
pub use kept::{RECORD_VERSION, RestoreFault};
use lessons::Lessons;
use nightly::Night;
use preference::{Guest, Population, population};
use room::{Outcome, Room, World};
pub use room::{Standing, StandingState};
use serde::{Deserialize, Serialize};
use sharing::Sharing;
use std::collections::BTreeMap;
use std::sync::Arc;
use thermal::history::{Day, History};
use thermal::parameters::Belief;
use timetable::Timetable;
use whereabouts::Whereabouts;

/// The outdoor air is believed for so long.
const OUTDOOR_LIFE: Span = Span::hours(3);
/// Guests that nobody needs are looked for so often.
const SWEEP_EVERY: Span = Span::hours(24);

/// What belongs to no room.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
struct Common {
    outdoor: Option<(Celsius, Moment)>,
    clouds: Option<(Percent, Moment)>,
    swept_at: Option<Moment>,
    population: Population,
    lessons: Lessons,
    /// Where the night's fits stand.
    night: Night,
    /// What the fitted rooms have in common.
    kin: Option<Belief>,
    /// When the plant was shared out last, and what limits it.
    sharing: Sharing,
    /// When it was last decided which free rooms are kept nearly ready.
    pool: Pool,
}

/// The whole property's mind.
pub struct Engine {
    property: Arc<Property>,
    calendar: Calendar,
    rooms: Vec<Room>,
    /// What each room was like of late.
    histories: Vec<History>,
    /// Days of a history as they were kept, until all have been given back.
    given_back: BTreeMap<usize, Vec<Day>>,
    /// The fit under way, in the room whose slot it is.
    fitting: Option<nightly::Work>,
    places: BTreeMap<RoomId, usize>,
    /// Which rooms stand beside each room.
    beside: Vec<Vec<usize>>,
    /// Which rooms are one now.
    joined: Joined,
    devices: Whereabouts,
    guests: BTreeMap<GuestToken, Guest>,
    common: Common,
    timetable: Timetable,
    latest: Moment,
}

impl Engine {
    /// Makes an engine for a property; it knows nothing yet.
    ///
    /// # Errors
    /// Says that the property's time zone is unknown.
    pub fn new(property: Arc<Property>) -> Result<Self, String> {
        let calendar = Calendar::new(&property.zone)?;
        let mut engine = Self {
            rooms: property.rooms.iter().map(|_| Room::default()).collect(),
            histories: property.rooms.iter().map(|_| History::default()).collect(),
            given_back: BTreeMap::new(),
            fitting: None,
            beside: Vec::new(),
            joined: Joined::default(),
            places: BTreeMap::new(),
            devices: Whereabouts::default(),
            guests: BTreeMap::new(),
            common: Common::default(),
            timetable: Timetable::default(),
            latest: Moment::EARLIEST,
            property,
            calendar,
        };
        engine.index();
        Ok(engine)
    }

    /// Takes one event at a time and returns what is to be done about it. Time never runs backwards in here: an event
    /// with an earlier time than the latest is taken at the latest.
    pub fn step(&mut self, now: Moment, event: Event) -> Vec<Effect> {
        let now = now.max(self.latest);
        self.latest = now;
        let mut effects = Vec::new();
        self.run_due(now, &mut effects);
        self.run_night(now, &mut effects);
        self.run_sharing(now, &mut effects);
        self.run_pool(now, &mut effects);
        match event {
            Event::Deadline => {}
            Event::Reading(reading) => self.reading(now, &reading, &mut effects),
            Event::Availability { device, online } => self.at_device(&device, now, &mut effects, |room, world, out| {
                room.availability(world, &device, online, out);
            }),
            Event::Link { devices, up, .. } => self.link(now, &devices, up, &mut effects),
            Event::Written { command, result } => self.at_room(&command.room, now, &mut effects, |room, world, out| {
                room.written(world, command.number, &result, out);
            }),
            Event::Stay(notice) => self.stay(now, &notice, &mut effects),
            Event::Prior(prior) => self.prior(now, &prior, &mut effects),
            Event::Confirm(notice) => self.confirm(now, &notice, &mut effects),
            Event::RequestStatus(notice) => self.request_status(now, &notice, &mut effects),
            Event::Outdoor { temperature } => self.outside(now, Some(temperature), None, &mut effects),
            Event::Clouds { cover } => self.outside(now, None, Some(cover), &mut effects),
            Event::PowerLimit { share, until } => self.limit_power(now, share, until, &mut effects),
            Event::GuestSays {
                room: id,
                attribute,
                said,
            } => self.at_room(&id, now, &mut effects, |room, world, out| {
                room.guest_says(world, attribute, said, out);
            }),
            Event::Override(notice) => self.at_room(&notice.room, now, &mut effects, |room, world, out| {
                room.overridden(world, &notice, out);
            }),
            Event::DormantRound => self.every_room(now, &mut effects, |room, world, out| room.tell_dormant(world, out)),
            Event::Configured(property) => self.configured(now, property, &mut effects),
            Event::Stopping => self.every_room(now, &mut effects, |room, world, out| room.hand_back(world, out)),
        }
        self.sweep(now, &mut effects);
        effects
    }

    /// When the engine wants to be called next, if nothing happens before: with [`Event::Deadline`].
    pub fn deadline(&self) -> Option<Moment> {
        let sweep = self.common.swept_at.map(|at| at + SWEEP_EVERY);
        let night = self.common.night.deadline(self.latest);
        let (sharing, pool) = (self.common.sharing.deadline(), self.common.pool.deadline());
        [self.timetable.next(), sweep, night, sharing, pool]
            .into_iter()
            .flatten()
            .min()
    }

    /// The property it works for.
    pub fn property(&self) -> &Arc<Property> {
        &self.property
    }

    /// What a person would want to know of a room.
    pub fn summary(&self, room: &RoomId, now: Moment) -> Option<serde_json::Value> {
        let place = *self.places.get(room)?;
        Some(self.rooms[place].summary(self.world(place, now)))
    }

    /// The local day, in days since 1970-01-01.
    pub fn today(&self, now: Moment) -> i32 {
        self.calendar.day(now)
    }

    /// How a room stands with people: who is in, as the hotel calls it, and why.
    pub fn standing(&self, room: &RoomId, now: Moment) -> Option<Standing> {
        let place = *self.places.get(room)?;
        Some(self.rooms[place].standing(self.world(place, now)))
    }

    /// How the planner of preparation stands: what the property has learnt of its recoveries and arrivals.
    pub fn planning(&self) -> serde_json::Value {
        self.common.lessons.summary(&self.property.policies)
    }

    /// How many devices of the whole property are silent.
    pub fn devices_silent(&self, now: Moment) -> usize {
        (0..self.rooms.len())
            .map(|place| self.rooms[place].devices_silent(self.world(place, now)))
            .sum()
    }

    fn reading(&mut self, now: Moment, reading: &Reading, effects: &mut Vec<Effect>) {
        if let Some(temperature) = self.outdoor_sensor(reading) {
            self.outside(now, Some(temperature), None, effects);
        }
        self.at_device(&reading.device, now, effects, |room, world, out| {
            room.reading(world, reading, out);
        });
    }

    /// A link came or went: each room hears it once, of all its devices that are behind it.
    fn link(&mut self, now: Moment, devices: &[DeviceId], up: bool, effects: &mut Vec<Effect>) {
        let mut behind: BTreeMap<usize, Vec<&DeviceId>> = BTreeMap::new();
        for device in devices {
            if let Some(place) = self.devices.get(device) {
                behind.entry(place).or_default().push(device);
            }
        }
        for (place, devices) in behind {
            self.in_room(place, now, effects, |room, world, out| {
                room.link(world, &devices, up, out)
            });
        }
    }

    fn run_due(&mut self, now: Moment, effects: &mut Vec<Effect>) {
        while let Some(place) = self.timetable.take_due(now) {
            self.in_room(place, now, effects, |room, world, out| room.advance(world, out));
        }
    }

    fn every_room(&mut self, now: Moment, effects: &mut Vec<Effect>, act: impl Fn(&mut Room, World<'_>, &mut Outcome)) {
        (0..self.rooms.len()).for_each(|place| self.in_room(place, now, effects, &act));
    }

    /// Lets the room of a device do something; a device that is not configured is refused.
    fn at_device(
        &mut self,
        device: &DeviceId,
        now: Moment,
        effects: &mut Vec<Effect>,
        act: impl FnOnce(&mut Room, World<'_>, &mut Outcome),
    ) {
        match self.devices.get(device) {
            Some(place) => self.in_room(place, now, effects, act),
            None => refuse(effects, "device_unknown", device.as_str()),
        }
    }

    /// Lets a room do something; one that is not configured is refused.
    fn at_room(
        &mut self,
        room: &RoomId,
        now: Moment,
        effects: &mut Vec<Effect>,
        act: impl FnOnce(&mut Room, World<'_>, &mut Outcome),
    ) {
        match self.places.get(room) {
            Some(place) => self.in_room(*place, now, effects, act),
            None => refuse(effects, "room_unknown", room.as_str()),
        }
    }

    /// Lets one room do something, takes in what it learnt, and notes when it is due next.
    fn in_room(
        &mut self,
        place: usize,
        now: Moment,
        effects: &mut Vec<Effect>,
        act: impl FnOnce(&mut Room, World<'_>, &mut Outcome),
    ) {
        let mut out = Outcome::default();
        let neighbours = self.neighbours(place);
        let Self {
            property,
            calendar,
            histories,
            rooms,
            guests,
            common,
            joined,
            ..
        } = self;
        let room = &mut rooms[place];
        let mut world = world(property, calendar, guests, common, joined, place, now);
        world.neighbours = neighbours;
        act(room, world, &mut out);
        let is_changed = out.close(room, now, &property.rooms[place]);
        effects.append(&mut out.effects);
        if let Some(summary) = &out.finished {
            let comfort = property.policies.comfort.to_f64();
            let season = population::season(calendar.local(now).month());
            let start = |attribute| population::start(attribute, comfort);
            common.population.learn(summary, season, start);
            effects.push(Effect::Save {
                key: Key::Property,
                when: SaveWhen::Soon,
            });
        }
        if let Some(rows) = &out.rows {
            histories[place].extend(rows);
            let id = &property.rooms[place].id;
            effects.extend(rows.records().into_iter().map(|day| Effect::Save {
                key: Key::History(id.clone(), day),
                when: SaveWhen::Soon,
            }));
        }
        if !out.lessons.is_empty() {
            let policies = &property.policies;
            out.lessons
                .iter()
                .for_each(|lesson| common.lessons.take(policies, lesson));
            effects.push(Effect::Save {
                key: Key::Property,
                when: SaveWhen::Soon,
            });
        }
        if let Some((token, told)) = out.told_dormant
            && let Some(guest) = guests.get_mut(&token)
        {
            guest.told_dormant(told);
            effects.push(Effect::Save {
                key: Key::Guest(token),
                when: SaveWhen::Soon,
            });
        }
        if let Some((token, summary)) = out.learnt {
            self.guest(&token, now, |guest| guest.add(summary));
            effects.push(Effect::Save {
                key: Key::Guest(token),
                when: SaveWhen::Now,
            });
        }
        if is_changed {
            self.reschedule(place, now);
        } else {
            debug_assert_eq!(
                self.due(place, now),
                self.timetable.due(place),
                "nothing changed but when"
            );
        }
        if self.joined.has_doors(place) {
            self.tell_beyond(place, out.passed, now, effects);
        }
    }

    /// Tells the rooms beyond a room's open connecting doors what has changed for them.
    fn tell_beyond(&mut self, place: usize, passed: Option<bool>, now: Moment, effects: &mut Vec<Effect>) {
        let mut group = self.joined.group(place).to_vec();
        let changed = self.look_beyond(place, now);
        let joining = self.joined.group(place).iter().copied();
        let joining: Vec<usize> = joining.filter(|other| !group.contains(other)).collect();
        group.extend(joining);
        if let Some(is_open) = passed {
            for other in &group {
                self.in_room(*other, now, effects, |room, world, out| {
                    room.passage_beyond(world, is_open, out)
                });
            }
        }
        for other in changed
            .into_iter()
            .filter(|other| passed.is_none() || !group.contains(other))
        {
            self.in_room(other, now, effects, |room, world, out| room.advance(world, out));
        }
    }

    /// Looks anew at what each room sees beyond its connecting doors. Returns the rooms that see something else.
    fn look_beyond(&mut self, place: usize, now: Moment) -> Vec<usize> {
        let mut joined = std::mem::take(&mut self.joined);
        let opens = |place: usize| self.rooms[place].opens_through(&self.property.rooms[place]);
        let seen = |place: usize| self.rooms[place].seen(&self.property.rooms[place], now);
        let changed = joined.look(place, opens, seen);
        self.joined = joined;
        changed
    }

    /// The mean air of the rooms beside one.
    fn neighbours(&self, place: usize) -> Option<Celsius> {
        let airs = self.beside[place].iter().filter_map(|other| self.rooms[*other].air());
        let (sum, count) = airs.fold((0, 0), |(sum, count), air| (sum + air.hundredths(), count + 1));
        (count > 0).then(|| Celsius::from_hundredths(sum / count))
    }

    fn reschedule(&mut self, place: usize, now: Moment) {
        let due = self.due(place, now);
        self.timetable.set(place, due);
    }

    /// A room that is due at once is due a moment later, so that no fault in a rule can hold the engine in a loop.
    fn due(&self, place: usize, now: Moment) -> Option<Moment> {
        let due = self.rooms[place].deadline(self.world(place, now));
        due.map(|at| at.max(now + Span::millis(1)))
    }

    fn world(&self, place: usize, now: Moment) -> World<'_> {
        let Self {
            property,
            calendar,
            guests,
            common,
            joined,
            ..
        } = self;
        world(property, calendar, guests, common, joined, place, now)
    }

    /// Something was told of the weather.
    fn outside(
        &mut self,
        now: Moment,
        temperature: Option<Celsius>,
        clouds: Option<Percent>,
        effects: &mut Vec<Effect>,
    ) {
        self.common.outdoor = temperature.map(|t| (t, now)).or(self.common.outdoor);
        self.common.clouds = clouds.map(|cover| (cover, now)).or(self.common.clouds);
        effects.push(Effect::Save {
            key: Key::Property,
            when: SaveWhen::Soon,
        });
    }

    /// What a sensor outside says. A climate unit's own is none: it hangs in the sun, or in the unit's exhaust.
    fn outdoor_sensor(&self, reading: &Reading) -> Option<Celsius> {
        if reading.point != Point::OutdoorTemperature || reading.freshness != Freshness::Live {
            return None;
        }
        let place = self.devices.get(&reading.device)?;
        let mut devices = self.property.rooms[place].devices.iter();
        let device = devices.find(|device| device.id == reading.device)?;
        let is_unit = device
            .abilities
            .iter()
            .any(|ability| ability.point == Point::TargetTemperature);
        let told = reading.value.as_ref()?.temperature()?;
        Some(told).filter(|t| !is_unit && OUTDOOR_C.contains(&t.to_f64()))
    }

    /// Takes a new configuration: rooms that stay keep what they know, rooms that are gone are forgotten.
    fn configured(&mut self, now: Moment, property: Arc<Property>, effects: &mut Vec<Effect>) {
        let Ok(calendar) = Calendar::new(&property.zone) else {
            return refuse(effects, "configuration_zone", &property.zone);
        };
        let rooms = std::mem::take(&mut self.rooms)
            .into_iter()
            .zip(std::mem::take(&mut self.histories));
        let mut known: BTreeMap<RoomId, (Room, History)> =
            self.property.rooms.iter().map(|r| r.id.clone()).zip(rooms).collect();
        let kept = property
            .rooms
            .iter()
            .map(|setup| known.remove(&setup.id).unwrap_or_default());
        (self.rooms, self.histories) = kept.unzip();
        for (gone, (_, history)) in known {
            let days = history.records().into_iter().map(|day| Key::History(gone.clone(), day));
            effects.extend(days.map(Effect::Forget));
            effects.push(Effect::Forget(Key::Room(gone)));
        }
        // A fit under way is of a room that may stand elsewhere now: the night ends here.
        self.fitting = None;
        self.common.night.turn_to(None, now);
        (self.property, self.calendar, self.timetable) = (property, calendar, Timetable::default());
        self.index();
        self.every_room(now, effects, |room, world, out| room.configured(world, out));
    }

    fn index(&mut self) {
        let rooms = || self.property.rooms.iter().enumerate();
        self.places = rooms().map(|(place, room)| (room.id.clone(), place)).collect();
        let is_beside = |one: &RoomSetup, a: usize, other: &RoomSetup, b: usize| {
            one.connects.contains(&other.id)
                || other.connects.contains(&one.id)
                || a.abs_diff(b) == 1 && one.floor.is_some() && one.floor == other.floor
        };
        self.beside = rooms()
            .map(|(a, one)| {
                rooms()
                    .filter(|(b, other)| a != *b && is_beside(one, a, other, *b))
                    .map(|(b, _)| b)
                    .collect()
            })
            .collect();
        self.joined = Joined::new(&self.property.rooms);
        self.devices = rooms()
            .flat_map(|(place, room)| room.devices.iter().map(move |d| (d.id.clone(), place)))
            .collect();
    }
}

/// The world as one room sees it. From the parts, so that the room itself may be changed meanwhile.
fn world<'a>(
    property: &'a Property,
    calendar: &'a Calendar,
    guests: &'a BTreeMap<GuestToken, Guest>,
    common: &'a Common,
    joined: &'a Joined,
    place: usize,
    now: Moment,
) -> World<'a> {
    let outdoor = common.outdoor.filter(|(_, at)| now.since(*at) <= OUTDOOR_LIFE);
    let clouds = common.clouds.filter(|(_, at)| now.since(*at) <= OUTDOOR_LIFE);
    World {
        now,
        property,
        setup: &property.rooms[place],
        calendar,
        outdoor: outdoor.map(|(temperature, _)| temperature),
        clouds: clouds.map(|(cover, _)| cover),
        neighbours: None,
        beyond: joined.beyond(place),
        kin: common.kin.as_ref(),
        lessons: &common.lessons,
        population: &common.population,
        guests,
    }
}

fn refuse(effects: &mut Vec<Effect>, reason: &'static str, what: &str) {
    effects.push(Effect::Refuse(Refusal {
        reason: reason.into(),
        what: what.into(),
    }));
}
