//! What does the room look like now, to whoever decides?

use super::liked::Liked;
use super::{Room, World};
use crate::engine::climate::{Preferred, View};
use crate::engine::evidence::{self, Evidence};
use crate::engine::joined::Seen;
use crate::engine::occupancy::{Presence, Senses};
use crate::engine::preference::{self, Answer, Asked, population};
use crate::engine::stay::Stay;
use crate::model::{
    Attribute, Celsius, DeviceRole, DeviceSetup, Exemption, HvacMode, Moment, Percent, Point, RoomSetup, StayEvidence,
    Value,
};

impl Room {
    /// Whether somebody is, or may be, in, here or beyond an open connecting door.
    pub(super) fn is_occupied(&self, world: World<'_>) -> bool {
        self.is_occupied_itself(world) || (world.beyond.is_occupied && self.is_let(world))
    }

    /// Whether somebody is, or may be, in. With a guest checked in, a sensor that is silent, or missing, means "may be".
    pub(super) fn is_occupied_itself(&self, world: World<'_>) -> bool {
        if !self.is_let(world) {
            // Nobody has the room: a door that moved proves nobody in, a movement after it does.
            let presence = self.occupancy.presence(world.now);
            return has_presence(world.setup) && presence.is_occupied() && presence != Presence::Checking;
        }
        self.is_blind(world) || self.occupancy.presence(world.now).is_occupied()
    }

    /// Whether a guest has the room: by a stay of its own, or by one that it goes with.
    pub(super) fn is_let(&self, world: World<'_>) -> bool {
        self.stays.current.is_some() || self.cover(world).is_some()
    }

    /// Whether a contact says that a connecting door of the room stands open; one that has fallen silent is believed.
    pub fn opens_through(&self, setup: &RoomSetup) -> bool {
        let mut contacts = setup
            .devices
            .iter()
            .filter(|device| device.role == DeviceRole::Connecting);
        contacts.any(|contact| self.devices.value(&contact.id, Point::Open).and_then(Value::flag) == Some(true))
    }

    /// What those beyond its connecting doors see of it. It rests on nothing that lies beyond them.
    pub fn seen(&self, setup: &RoomSetup, now: Moment) -> Seen<'_> {
        Seen {
            is_occupied: has_presence(setup) && self.occupancy.presence(now).is_occupied(),
            moved_at: self.occupancy.moved_at(),
            stay: self.stays.foremost(),
            barred: self.barred_itself(now),
            is_asleep: self.occupancy.presence(now) == Presence::Asleep,
        }
    }

    pub(super) fn senses<'a>(&self, world: World<'a>) -> Senses<'a> {
        let is_bed = |d: &&DeviceSetup| d.reports.contains(&Point::BedOccupied);
        let bed = world.setup.devices.iter().find(is_bed);
        let bed = bed.is_some_and(|d| self.devices.silent_since(world.now, d).is_none());
        Senses {
            bed,
            is_let: self.is_let(world),
            calendar: world.calendar,
        }
    }

    pub(super) fn view<'a>(&'a self, world: World<'a>) -> View<'a> {
        let cover = self.cover(world);
        let due = self.next_due(world);
        let stay = cover.or(self.stays.current.as_ref()).or(due);
        let words = world
            .setup
            .actuator(Point::HvacMode)
            .map(|(_, ability)| ability.words.as_slice());
        let can = |mode: HvacMode| words.is_some_and(|words| words.iter().any(|word| word == mode.word()));
        View {
            now: world.now,
            room: &world.setup.id,
            is_occupied: self.is_occupied(world) || self.is_exempt(world.now, Exemption::KeptReady),
            stirred_until: self.occupancy.stirred_until(),
            current: self.stays.current.as_ref().or(cover),
            due,
            temperature: self.temperature(world),
            preferred: preferred(world, stay, &self.evidence, &self.liked),
            policies: &world.property.policies,
            limits: &world.property.limits,
            lessons: world.lessons,
            calendar: world.calendar,
            can_choose: can(HvacMode::Heat) && can(HvacMode::Cool),
            can_rest: can(HvacMode::Off),
            can_dry: [HvacMode::Dry, HvacMode::Cool].into_iter().find(|mode| can(*mode)),
            humidity: self.humidity(world),
            setpoint: self.setpoint(world),
            is_window_open: self.is_window_open(world),
            is_door_open: self.is_door_open(world),
            outdoor: world.outdoor,
            mode: self.mode(world),
            out_of_order: self.is_out_of_order(world),
            power: self.power,
            is_kept: self.vacancy.is_kept,
            is_draught: self.draught.since().is_some(),
        }
    }
}

impl Room {
    /// The device whose word on the room's air counts.
    pub(super) fn thermometer<'a>(&self, world: World<'a>) -> Option<&'a DeviceSetup> {
        let mut thermometers = world
            .setup
            .devices
            .iter()
            .filter(|d| d.reports.contains(&Point::RoomTemperature));
        thermometers.find(|device| self.devices.value(&device.id, Point::RoomTemperature).is_some())
    }

    /// The room's air; none while its thermometer is silent, or not to be believed.
    pub(super) fn temperature(&self, world: World<'_>) -> Option<Celsius> {
        let thermometer = self.thermometer(world)?;
        let is_heard = self.devices.silent_since(world.now, thermometer).is_none()
            && !self.devices.is_thermometer_ill(&thermometer.id);
        let told = self.devices.value(&thermometer.id, Point::RoomTemperature)?;
        told.temperature().filter(|_| is_heard)
    }

    /// What the unit is set to.
    pub(super) fn setpoint(&self, world: World<'_>) -> Option<Celsius> {
        let told = self.devices.first(&world.setup.devices, Point::TargetTemperature)?;
        told.temperature()
    }

    /// What the unit does; one without power is off.
    pub(super) fn mode(&self, world: World<'_>) -> Option<HvacMode> {
        let setups = &world.setup.devices;
        let power = self.devices.first(setups, Point::Power).and_then(Value::flag);
        match self.devices.first(setups, Point::HvacMode) {
            _ if power == Some(false) => Some(HvacMode::Off),
            Some(Value::Hvac(mode)) => Some(*mode),
            _ => None,
        }
    }

    /// Whether a window or balcony stands open, by its contact or by the air.
    pub(super) fn is_window_open(&self, world: World<'_>) -> bool {
        self.draught.since().is_some() || self.is_open(world, is_window)
    }

    /// Whether the door to the corridor stands open.
    pub(super) fn is_door_open(&self, world: World<'_>) -> bool {
        self.is_open(world, |device, point| {
            point == Point::Open && device.role == DeviceRole::Door
        })
    }

    /// The room's humidity; a sensor that has fallen silent says nothing.
    fn humidity(&self, world: World<'_>) -> Option<Percent> {
        let is_heard = |device: &&DeviceSetup| {
            device.reports.contains(&Point::Humidity) && self.devices.silent_since(world.now, device).is_none()
        };
        let said = |device: &DeviceSetup| self.devices.value(&device.id, Point::Humidity)?.share();
        world.setup.devices.iter().filter(is_heard).find_map(said)
    }

    /// Whether a contact of this kind says "open". One that has fallen silent says nothing: a dead battery cools no room.
    fn is_open(&self, world: World<'_>, is_it: impl Fn(&DeviceSetup, Point) -> bool) -> bool {
        let says_open = |device: &DeviceSetup, point: Point| {
            is_it(device, point) && self.devices.value(&device.id, point).and_then(Value::flag) == Some(true)
        };
        world.setup.devices.iter().any(|device| {
            device.reports.iter().any(|point| says_open(device, *point))
                && self.devices.silent_since(world.now, device).is_none()
        })
    }
}

/// Whether a contact would tell that a window stands open.
pub(super) fn has_window_contact(setup: &RoomSetup) -> bool {
    let has = |device: &DeviceSetup| device.reports.iter().any(|point| is_window(device, *point));
    setup.devices.iter().any(has)
}

fn is_window(device: &DeviceSetup, point: Point) -> bool {
    match point {
        Point::WindowOpen => true,
        Point::Open => matches!(device.role, DeviceRole::Window | DeviceRole::Balcony),
        _ => false,
    }
}

/// What the guest of a stay likes.
pub(super) fn answer(world: World<'_>, attribute: Attribute, stay: Option<&Stay>, evidence: &Evidence) -> Answer {
    let now = shown_now(attribute, stay, evidence);
    preference::answer(&asked(world, attribute, stay, now.as_ref()))
}

/// What the stay in progress has shown. It teaches only about its own guest, not about the one who comes next.
fn shown_now(attribute: Attribute, stay: Option<&Stay>, evidence: &Evidence) -> Option<StayEvidence> {
    let stay = stay?;
    let nothing = Evidence::default();
    let evidence = if stay.checked_in_at.is_some() {
        evidence
    } else {
        &nothing
    };
    Some(evidence.of(attribute, stay))
}

fn asked<'a>(world: World<'a>, attribute: Attribute, stay: Option<&Stay>, now: Option<&'a StayEvidence>) -> Asked<'a> {
    Asked {
        attribute,
        guest: stay.and_then(|s| s.guest.as_ref()).and_then(|g| world.guests.get(g)),
        now,
        usual: Some(usual(world, attribute)),
        today: world.calendar.day(world.now),
    }
}

/// What guests usually like here at this time of the year.
pub fn usual(world: World<'_>, attribute: Attribute) -> f64 {
    let start = population::start(attribute, world.property.policies.comfort.to_f64());
    let season = population::season(world.calendar.local(world.now).month());
    world.population.usual(attribute, season, start)
}

/// The temperature to keep: the one liked for what the guest does now, when one is known; else the one for being in and awake.
fn preferred(world: World<'_>, stay: Option<&Stay>, evidence: &Evidence, liked: &Liked) -> Preferred {
    let answer = |attribute| {
        let now = shown_now(attribute, stay, evidence);
        liked.applied(&asked(world, attribute, stay, now.as_ref()))
    };
    let of_phase = phase_attribute(world, stay, evidence).map(answer);
    let (value, from) = of_phase
        .filter(|(_, from)| *from != "population")
        .unwrap_or_else(|| answer(Attribute::TargetTemperature));
    let value = value.figure().map_or(world.property.policies.comfort, |figure| {
        Celsius::from_hundredths(figure.hundredths())
    });
    Preferred { value, from }
}

/// Which like of its own goes with what the guest does now. What the guest has said of this stay goes before what was liked
/// on coming in to others.
fn phase_attribute(world: World<'_>, stay: Option<&Stay>, evidence: &Evidence) -> Option<Attribute> {
    let stay = stay?;
    let has_checked_in = stay.checked_in_at.is_some();
    if has_checked_in && evidence.is_night() {
        return Some(Attribute::AsleepTemperature);
    }
    let is_arriving = evidence::arriving_until(stay).is_none_or(|until| world.now < until);
    let is_said = has_checked_in && evidence.is_said(Attribute::TargetTemperature);
    (is_arriving && !is_said).then_some(Attribute::ArrivalTemperature)
}

pub(super) fn tells_presence(device: &DeviceSetup) -> bool {
    let is_door = matches!(device.role, DeviceRole::Plain | DeviceRole::Door);
    device.role != DeviceRole::Apart
        && device.reports.iter().any(|point| match point {
            Point::Open => is_door,
            Point::Occupied | Point::BedOccupied | Point::KeyCard => true,
            _ => false,
        })
}

pub(super) fn has_presence(setup: &RoomSetup) -> bool {
    setup.devices.iter().any(tells_presence)
}

pub(super) fn has_door(setup: &RoomSetup) -> bool {
    setup
        .devices
        .iter()
        .any(|d| tells_presence(d) && d.reports.iter().any(|p| matches!(p, Point::Open | Point::KeyCard)))
}
