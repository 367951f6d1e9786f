//! A small property for tests: rooms with one of every kind of device, made without configuration files.

use innkeeper::model::*;
use std::collections::BTreeMap;

/// A device id `ROOM-KIND`.
pub fn device(room: &str, kind: &str) -> DeviceId {
    DeviceId::new(format!("{room}-{kind}")).unwrap()
}

fn setup(room: &str, kind: &str, reports: &[Point]) -> DeviceSetup {
    DeviceSetup {
        id: device(room, kind),
        profile: ProfileId::new("test").unwrap(),
        zone: None,
        role: DeviceRole::Plain,
        reports: reports.to_vec(),
        guest_points: vec![],
        abilities: vec![],
        buttons: BTreeMap::new(),
        silent_after: Span::days(30),
        echo_within: Span::seconds(40),
        settle: Span::ZERO,
        hand_back: vec![],
        coil: Coil::Water,
        reading_step_k: None,
    }
}

fn ability(point: Point, min: f64, max: f64, step: f64) -> Ability {
    Ability {
        point,
        min: Some(min),
        max: Some(max),
        step: Some(step),
        words: vec![],
        confirm_within: Some(Span::seconds(30)),
        tolerance: 0.05,
        gap_min: Span::seconds(10),
        per_day_max: 200,
    }
}

/// A room with the devices named; what comes after `to` are the rooms that it opens into, after `suite` its suite.
pub fn room(id: &str, kinds: &[&str]) -> RoomSetup {
    let (kinds, suite) = kinds.split_at(kinds.iter().position(|kind| *kind == "suite").unwrap_or(kinds.len()));
    let suite = suite.get(1).map(|id| SuiteId::new(*id).unwrap());
    let (kinds, connects) = kinds.split_at(kinds.iter().position(|kind| *kind == "to").unwrap_or(kinds.len()));
    let connects = connects.iter().skip(1).map(|id| RoomId::new(*id).unwrap());
    let mut devices = vec![];
    for kind in kinds {
        devices.push(match *kind {
            "thermostat" => {
                let points = [Point::RoomTemperature, Point::TargetTemperature, Point::HvacMode];
                let mut thermostat = setup(id, kind, &points);
                thermostat.guest_points = vec![Point::TargetTemperature, Point::HvacMode];
                thermostat.abilities = vec![ability(Point::TargetTemperature, 16.0, 30.0, 0.5)];
                let words = ["off", "heat", "cool"].map(String::from).to_vec();
                thermostat.abilities.push(Ability {
                    words,
                    ..ability(Point::HvacMode, 0.0, 0.0, 1.0)
                });
                thermostat
            }
            "bed" => {
                let mut bed = setup(id, kind, &[Point::BedOccupied, Point::Firmness, Point::Battery]);
                bed.guest_points = vec![Point::Firmness];
                bed.abilities = vec![ability(Point::Firmness, 0.0, 100.0, 5.0)];
                bed
            }
            "door" => DeviceSetup {
                role: DeviceRole::Door,
                ..setup(id, kind, &[Point::Open, Point::Battery])
            },
            "connecting" => DeviceSetup {
                role: DeviceRole::Connecting,
                ..setup(id, kind, &[Point::Open])
            },
            "limiter" => {
                let mut limiter = setup(id, kind, &[Point::OutputLimit]);
                limiter.abilities = vec![ability(Point::OutputLimit, 0.0, 100.0, 5.0)];
                limiter
            }
            "motion" => setup(id, kind, &[Point::Occupied, Point::BatteryLow]),
            "lock" => setup(id, kind, &[Point::StaffKey, Point::Deadbolt]),
            "leak" => setup(id, kind, &[Point::Leak]),
            "panel" => {
                let mut panel = setup(id, kind, &[Point::Action]);
                panel.buttons = [("1_single", Point::Dnd), ("2_single", Point::MakeUpRoom)]
                    .into_iter()
                    .map(|(word, point)| (Symbol::new(word), point))
                    .collect();
                panel
            }
            "sensor" => DeviceSetup {
                silent_after: Span::hours(1),
                ..setup(id, kind, &[Point::Humidity])
            },
            other => panic!("a story's room has no {other:?}"),
        });
    }
    RoomSetup {
        id: RoomId::new(id).unwrap(),
        floor: None,
        zones: vec![],
        connects: connects.collect(),
        suite,
        faces: None,
        output_percent: RoomSetup::USUAL_OUTPUT,
        out_of_order: false,
        devices,
    }
}

/// A property of these rooms that heats.
pub fn property(rooms: Vec<RoomSetup>) -> Property {
    let policies = Policies {
        plant: Plant::Heating,
        ..Policies::default()
    };
    Property {
        id: PropertyId::new("vienna-ring").unwrap(),
        zone: "Europe/Vienna".into(),
        limits: Limits::default(),
        policies,
        rooms,
    }
}

/// A live, good reading.
pub fn reading(device: DeviceId, point: Point, value: Value) -> Event {
    let (quality, freshness) = (Quality::Good, Freshness::Live);
    Event::Reading(Reading {
        device,
        point,
        value: Some(value),
        quality,
        freshness,
        device_time: None,
    })
}
