//! Which sensors does each room of the file have, and how does the engine hear of its events?

use crate::model::{
    Coil, Declared, DeviceId, DeviceRole, DeviceSetup, Event, Freshness, Limits, Moment, Point, Policies, ProfileId,
    Property, PropertyId, Quality, Reading, RequestId, RoomId, RoomSetup, Span, StayNotice, StayStatus, StayToken,
    Value,
};
use serde::Deserialize;
use serde_json::Value as Json;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A log tells only of events, never that a sensor is alive: silence is not to be taken for a device that is gone.
const NEVER_SILENT: Span = Span::days(36_600);

/// What an event is of: `k` in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sensor {
    /// The contact on the entrance door.
    Door,
    /// The motion sensor.
    Motion,
    /// The bed sensor.
    Bed,
    /// The desk.
    Pms,
    /// The staff's key on the lock.
    Staff,
    /// The privacy bolt.
    Deadbolt,
}

/// One room of the file.
#[derive(Debug)]
pub struct Place {
    /// As the file calls it.
    pub name: String,
    /// What it has events of.
    pub sensors: BTreeSet<Sensor>,
}

/// Every room of the file, in the order in which they come in it.
#[derive(Debug, Default)]
pub struct House {
    /// Its rooms.
    pub rooms: Vec<Place>,
    places: BTreeMap<String, usize>,
}

impl Sensor {
    /// Returns whether the event is a beginning: opened, moved, in use, checked in, entered, thrown.
    ///
    /// # Errors
    /// Says what may be written.
    pub fn word(self, v: &Json) -> Result<bool, String> {
        let (no, yes) = match self {
            Sensor::Door => ("closed", "open"),
            Sensor::Pms => ("checkout", "checkin"),
            Sensor::Staff => ("leave", "enter"),
            Sensor::Motion | Sensor::Bed | Sensor::Deadbolt => ("0", "1"),
        };
        match v {
            Json::String(word) if word == yes => Ok(true),
            Json::String(word) if word == no => Ok(false),
            Json::Number(n) if n.to_string() == yes => Ok(true),
            Json::Number(n) if n.to_string() == no => Ok(false),
            Json::Bool(is) if yes == "1" => Ok(*is),
            _ => Err(format!("{v} is no such event; write {yes} or {no}")),
        }
    }

    /// The word for it in a file.
    pub const fn name(self) -> &'static str {
        match self {
            Sensor::Door => "door",
            Sensor::Motion => "motion",
            Sensor::Bed => "bed",
            Sensor::Pms => "pms",
            Sensor::Staff => "staff",
            Sensor::Deadbolt => "deadbolt",
        }
    }

    const fn point(self) -> Option<(Point, &'static str, DeviceRole)> {
        match self {
            Sensor::Door => Some((Point::Open, "door", DeviceRole::Door)),
            Sensor::Motion => Some((Point::Occupied, "motion", DeviceRole::Plain)),
            Sensor::Bed => Some((Point::BedOccupied, "bed", DeviceRole::Plain)),
            Sensor::Staff => Some((Point::StaffKey, "lock", DeviceRole::Plain)),
            Sensor::Deadbolt => Some((Point::Deadbolt, "bolt", DeviceRole::Plain)),
            Sensor::Pms => None,
        }
    }
}

impl House {
    /// Returns the place of a room, with one more thing known of its sensors.
    pub fn place(&mut self, name: &str, sensor: Sensor) -> usize {
        let place = *self.places.entry(name.to_owned()).or_insert_with(|| {
            self.rooms.push(Place {
                name: name.to_owned(),
                sensors: BTreeSet::new(),
            });
            self.rooms.len() - 1
        });
        self.rooms[place].sensors.insert(sensor);
        place
    }

    /// The place of a room, if the file has it.
    pub fn find(&self, name: &str) -> Option<usize> {
        self.places.get(name).copied()
    }

    /// Whether the room has a bed sensor.
    pub fn has_bed(&self, place: usize) -> bool {
        self.rooms[place].sensors.contains(&Sensor::Bed)
    }

    /// The property, as the engine would be configured for it.
    pub fn property(&self) -> Arc<Property> {
        let rooms = self.rooms.iter().enumerate().map(|(place, room)| RoomSetup {
            id: room_id(place),
            floor: None,
            zones: vec![],
            connects: vec![],
            suite: None,
            output_percent: RoomSetup::USUAL_OUTPUT,
            faces: None,
            out_of_order: false,
            devices: room
                .sensors
                .iter()
                .filter_map(|sensor| device(place, *sensor))
                .collect(),
        });
        Arc::new(Property {
            id: PropertyId::new("evaluated").expect("a plain word is an id"),
            zone: "UTC".into(),
            limits: Limits::default(),
            policies: Policies::default(),
            rooms: rooms.collect(),
        })
    }
}

/// The engine's id of a room: the file may call it as it likes.
pub fn room_id(place: usize) -> RoomId {
    RoomId::new(format!("room-{place}")).expect("a word and a number are an id")
}

/// The place of the room that the engine calls so.
pub fn place_of(room: &RoomId) -> Option<usize> {
    room.as_str().strip_prefix("room-")?.parse().ok()
}

/// The sensor that a request is about, by the device that its id names.
pub fn sensor_of(request: &RequestId) -> Option<Sensor> {
    let device = request.as_str().split('.').nth(1)?;
    let sensors = [Sensor::Door, Sensor::Motion, Sensor::Bed];
    sensors.into_iter().find(|sensor| device.ends_with(sensor.name()))
}

/// The event as the engine hears it. `stays` counts the notices of the room.
pub fn event(place: usize, sensor: Sensor, is_begun: bool, stays: &mut u64) -> Event {
    match sensor.point() {
        Some((point, kind, _)) => Event::Reading(Reading {
            device: device_id(place, kind),
            point,
            value: Some(Value::Flag(is_begun)),
            quality: Quality::Good,
            freshness: Freshness::Live,
            device_time: None,
        }),
        None => {
            *stays += 1;
            Event::Stay(notice(place, is_begun, *stays))
        }
    }
}

/// Check-ins have the odd numbers of a room's notices, the check-out after each belongs to the same stay.
fn notice(place: usize, is_check_in: bool, number: u64) -> StayNotice {
    let stay = number.div_ceil(2);
    StayNotice {
        stay: StayToken::new(format!("{place:08}-{stay:08}")).expect("digits and a dash are a token"),
        version: number,
        status: if is_check_in {
            StayStatus::CheckedIn
        } else {
            StayStatus::CheckedOut
        },
        room: Some(room_id(place)),
        guest: None,
        eta: None::<Moment>,
        channel: None,
        departure: None,
        adults: 1,
        declared: Declared::default(),
        items: vec![],
    }
}

fn device(place: usize, sensor: Sensor) -> Option<DeviceSetup> {
    let (point, kind, role) = sensor.point()?;
    Some(DeviceSetup {
        id: device_id(place, kind),
        profile: ProfileId::new("evaluated").expect("a plain word is an id"),
        zone: None,
        role,
        reports: vec![point],
        guest_points: vec![],
        abilities: vec![],
        buttons: BTreeMap::new(),
        silent_after: NEVER_SILENT,
        echo_within: Span::ZERO,
        settle: Span::ZERO,
        hand_back: vec![],
        coil: Coil::Water,
        reading_step_k: None,
    })
}

fn device_id(place: usize, kind: &str) -> DeviceId {
    DeviceId::new(format!("room-{place}-{kind}")).expect("words and a number are an id")
}
