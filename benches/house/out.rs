//! How does a hotel come about in which every guest has gone out and every room is set back?
//!
//! It takes hours of quiet, so the engine lives them here beforehand, with thermostats that obey at once; its records are
//! put into the daemon's store.

use super::house::House;
use innkeeper::config;
use innkeeper::engine::Engine;
use innkeeper::model::{
    Celsius, DeviceId, Effect, Event, Freshness, Moment, Percent, Point, Quality, Reading, RoomSetup, Span, Value,
    WriteResult,
};
use innkeeper::store::{Batch, Store, key};
use serde_json::json;
use std::collections::VecDeque;

/// So long ago the guests checked in.
const CHECK_IN: Span = Span::hours(5);
/// And so long ago the daemon last heard of a room: shorter than what it takes for an absence.
const LAST_WORD: Span = Span::seconds(20);

/// Writes such a hotel into the store of a house whose daemon does not run.
pub fn send_all_guests_out(house: &House) {
    let (configured, _) = config::load(&[house.configuration()]).unwrap();
    let now = Moment::from_millis(jiff::Timestamp::now().as_millisecond());
    let mut hotel = Hotel {
        engine: Engine::new(configured.property).unwrap(),
    };
    let rooms = hotel.engine.property().rooms.clone();
    hotel.evening_out(&rooms, now - CHECK_IN);
    hotel.let_pass(now - LAST_WORD);
    let heard = hotel.reading(
        &rooms[0],
        "leak",
        Point::Battery,
        Value::Share(Percent::from_hundredths(5000)),
    );
    hotel.step(now - LAST_WORD, heard);
    let dir = house.dir.path();
    let secret = key::load(None, &dir.join("store.key")).unwrap();
    let (mut store, _) = Store::open(&dir.join("store"), &secret, now).unwrap();
    let keys = hotel.engine.keys();
    let puts = keys
        .iter()
        .filter_map(|key| Some((key.to_text(), hotel.engine.record(key)?)));
    let batch = Batch {
        puts: puts.collect(),
        ..Batch::default()
    };
    store.commit(batch).unwrap();
    store.close(now).unwrap();
}

struct Hotel {
    engine: Engine,
}

impl Hotel {
    /// All guests check in, come in by the door, move about, and go out for the evening.
    fn evening_out(&mut self, rooms: &[RoomSetup], at: Moment) {
        for (n, room) in rooms.iter().enumerate() {
            let stay = json!({
                "stay": format!("{n:08}"), "version": 1, "status": "checked_in", "room": room.id,
                "declared": { "temperature": 24 },
            });
            self.step(at, Event::Stay(serde_json::from_value(stay).unwrap()));
            let air = Value::Temperature(Celsius::new(21.0).unwrap());
            let heard = self.reading(room, "thermostat", Point::RoomTemperature, air);
            self.step(at, heard);
        }
        let (door, motion) = (("door", Point::Open), ("motion", Point::Occupied));
        for (minute, (device, point), says) in [
            (0, door, false),
            (5, door, true),
            (6, door, false),
            // Who was never seen to move is not known to have gone.
            (10, motion, true),
            (12, motion, false),
            (60, door, true),
            (61, door, false),
        ] {
            let at = at + Span::minutes(minute);
            self.let_pass(at);
            for room in rooms {
                let heard = self.reading(room, device, point, Value::Flag(says));
                self.step(at, heard);
            }
        }
    }

    fn reading(&self, room: &RoomSetup, device: &str, point: Point, value: Value) -> Event {
        Event::Reading(Reading {
            device: DeviceId::new(format!("{device}-{}", room.id)).unwrap(),
            point,
            value: Some(value),
            quality: Quality::Good,
            freshness: Freshness::Live,
            device_time: None,
        })
    }

    fn let_pass(&mut self, until: Moment) {
        while let Some(due) = self.engine.deadline().filter(|due| *due <= until) {
            self.step(due, Event::Deadline);
        }
    }

    /// Steps the engine; every device obeys at once and shows it.
    fn step(&mut self, at: Moment, event: Event) {
        let mut events = VecDeque::from([event]);
        while let Some(event) = events.pop_front() {
            for effect in self.engine.step(at, event) {
                let Effect::Command(command) = effect else { continue };
                events.push_back(Event::Written {
                    command: command.id,
                    result: WriteResult::Sent,
                });
                events.push_back(Event::Reading(Reading {
                    device: command.device,
                    point: command.point,
                    value: Some(command.value),
                    quality: Quality::Good,
                    freshness: Freshness::Live,
                    device_time: None,
                }));
            }
        }
    }
}
