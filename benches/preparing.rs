//! What does preparing rooms cost?
//!
//! `cargo bench --no-default-features --bench preparing [NAME]`; without a name, all of it. The nightly fit counts the
//! processor's time of this thread and nothing else; so do ticks. What else the machine does is
//! so kept out as far as it can be, caches apart.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a measurement that cannot go on says so by ending"
)]

use innkeeper::engine::Engine;
use innkeeper::engine::thermal::filter::Thermometer;
use innkeeper::engine::thermal::fit::Fit;
use innkeeper::engine::thermal::history::{DAY, DAYS};
use innkeeper::engine::thermal::model::{AIR, Coil, SENSOR, Step};
use innkeeper::engine::thermal::parameters::{AIR_MASS, Belief, HEATING, MASS_AIR, Parameters};
use innkeeper::engine::thermal::row::Tick;
use innkeeper::model::*;
use rustix::time::{ClockId, clock_gettime};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// A tick of the engine: rooms are looked at anew so often.
const TICK: Span = Span::minutes(5);
/// Ticks that are measured; before them, as many run unmeasured.
const TICKS: usize = 12;

fn main() {
    let name = std::env::args().skip(1).find(|word| !word.starts_with('-'));
    for (of, measure) in [("night", night as fn()), ("tick", tick), ("replan", replan)] {
        if name.as_ref().is_none_or(|name| name == of) {
            measure();
        }
    }
}

/// What this thread has had of a processor so far.
fn processor() -> Duration {
    let told = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(told.tv_sec as u64, told.tv_nsec as u32)
}

/// Two weeks of a made-up room with its thermostat: set back and warmed up once a day.
fn history(room: &Parameters, seed: u32) -> Vec<Tick> {
    let step = Step::new(room, Coil::Water, 1.0 / 12.0);
    let mut x = [20.0, 20.0, 0.0, 20.0, 20.0, 0.0];
    let mut random = seed.wrapping_mul(2_654_435_761) | 1;
    let mut noise = move || {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (f64::from(random >> 8) / f64::from(1_u32 << 24) - 0.5) * 0.5
    };
    let mut heating = 0.0;
    (0..DAYS * DAY)
        .map(|n| {
            let hour = (n % DAY) as f64 / 12.0;
            let set_point = if (10.0..16.0).contains(&hour) { 18.0 } else { 22.0 };
            let mut tick = Tick {
                heating,
                outdoor: Some(2.0 - 4.0 * (hour / 24.0 * std::f64::consts::TAU).cos()),
                sun: Some(if (9.0..15.0).contains(&hour) { 200.0 } else { 0.0 }),
                neighbours: Some(21.0),
                occupied: !(9.0..17.0).contains(&hour),
                ..Tick::default()
            };
            x = step.next(&x, &tick);
            let shown = ((x[SENSOR] + noise()) * 10.0).round() / 10.0;
            heating = (0.8 * (set_point - shown)).clamp(0.0, 1.0);
            tick.air = Some(shown);
            assert!(x[AIR].is_finite());
            tick
        })
        .collect()
}

fn night() {
    let rooms: Vec<Parameters> = (0..10)
        .map(|n| {
            let by = (f64::from(n) - 4.5) / 10.0;
            let room = Parameters::default().moved(HEATING, by).moved(AIR_MASS, -by);
            room.moved(MASS_AIR, by / 2.0)
        })
        .collect();
    let histories: Vec<Vec<Tick>> = rooms.iter().zip(1..).map(|(room, seed)| history(room, seed)).collect();
    for (what, is_first) in [("the first night of all rooms", true), ("any other night", false)] {
        let began = processor();
        let mut passes = 0;
        for history in &histories {
            let usual = (Parameters::default(), Belief::default());
            let mut fit = Fit::new(usual.0, usual.1, Coil::Water, Thermometer::default(), is_first);
            passes += 1;
            while fit.pass(history).is_none() {
                passes += 1;
            }
        }
        let took = processor().saturating_sub(began) / 10;
        println!(
            "night: {what}: {took:.1?} of one processor a room, {:.1} passes; 300 rooms {:.1?}",
            f64::from(passes) / 10.0,
            took * 300
        );
    }
}

fn device(room: usize, kind: &str, role: DeviceRole, reports: Vec<Point>, abilities: Vec<Ability>) -> DeviceSetup {
    DeviceSetup {
        id: DeviceId::new(format!("{room}-{kind}")).unwrap(),
        profile: ProfileId::new("bench").unwrap(),
        zone: None,
        role,
        reports,
        guest_points: vec![],
        abilities,
        buttons: BTreeMap::new(),
        silent_after: Span::days(1000),
        echo_within: Span::seconds(90),
        settle: Span::ZERO,
        hand_back: vec![],
        coil: Coil::Water,
        reading_step_k: None,
    }
}

fn house(rooms: usize) -> Property {
    let ability = |point, words: &[&str]| Ability {
        point,
        min: Some(10.0),
        max: Some(30.0),
        step: Some(0.5),
        words: words.iter().map(|word| (*word).to_owned()).collect(),
        confirm_within: None,
        tolerance: 0.02,
        gap_min: Span::ZERO,
        per_day_max: 300,
    };
    let setup = |room: usize| RoomSetup {
        id: RoomId::new(room.to_string()).unwrap(),
        floor: Some("1".into()),
        zones: vec![],
        connects: vec![],
        suite: None,
        output_percent: RoomSetup::USUAL_OUTPUT,
        out_of_order: false,
        faces: None,
        devices: vec![
            device(
                room,
                "thermostat",
                DeviceRole::Plain,
                vec![
                    Point::RoomTemperature,
                    Point::TargetTemperature,
                    Point::HvacMode,
                    Point::Heating,
                ],
                vec![
                    ability(Point::TargetTemperature, &[]),
                    ability(Point::HvacMode, &["off", "heat", "cool"]),
                ],
            ),
            device(room, "door", DeviceRole::Door, vec![Point::Open], vec![]),
            device(room, "motion", DeviceRole::Plain, vec![Point::Occupied], vec![]),
        ],
    };
    Property {
        id: PropertyId::new("bench").unwrap(),
        zone: "UTC".into(),
        limits: Limits::default(),
        policies: Policies::default(),
        rooms: (0..rooms).map(setup).collect(),
    }
}

fn tell(engine: &mut Engine, now: Moment, room: usize, kind: &str, point: Point, value: Value) {
    let reading = Reading {
        device: DeviceId::new(format!("{room}-{kind}")).unwrap(),
        point,
        value: Some(value),
        quality: Quality::Good,
        freshness: Freshness::Live,
        device_time: None,
    };
    engine.step(now, Event::Reading(reading));
}

/// A house whose rooms all have a fitted model, stand cold, and expect a guest in the evening.
fn expecting(rooms: usize, now: Moment) -> Engine {
    let property = Arc::new(house(rooms));
    let mut engine = Engine::new(property.clone()).unwrap();
    for setup in &property.rooms {
        let key = Key::Room(setup.id.clone());
        let mut record: serde_json::Value = serde_json::from_slice(&engine.record(&key).unwrap()).unwrap();
        record["state"]["thermal"]["estimator"]["fitted"] = serde_json::json!({"error_k": 0.3, "ticks": 4000});
        engine.restore(&key, &serde_json::to_vec(&record).unwrap()).unwrap();
    }
    engine.resume(now);
    let outdoor = Celsius::from_hundredths(100);
    engine.step(now, Event::Outdoor { temperature: outdoor });
    for room in 0..rooms {
        tell(&mut engine, now, room, "door", Point::Open, Value::Flag(false));
        let minute = (room % 240) as i64;
        let notice = StayNotice {
            stay: StayToken::new(format!("{room:08x}")).unwrap(),
            version: 1,
            status: StayStatus::Reserved,
            room: Some(property.rooms[room].id.clone()),
            guest: None,
            eta: Some(now + Span::hours(8) + Span::minutes(minute)),
            channel: None,
            departure: Some(now + Span::hours(40)),
            adults: 1,
            declared: Declared {
                temperature: Celsius::new(21.0 + (room % 5) as f64 * 0.5),
                firmness: None,
            },
            items: vec![],
        };
        engine.step(now, Event::Stay(notice));
    }
    engine
}

/// The dearest of some ticks, and their mean: readings of all rooms arrive before each, unmeasured.
fn ticks(engine: &mut Engine, rooms: usize, begun: Moment) -> (Duration, Duration) {
    let mut took = Vec::new();
    for n in 0..2 * TICKS {
        let now = begun + TICK * (n as i64 + 1);
        let just_before = now - Span::seconds(20);
        for room in 0..rooms {
            let air = Celsius::from_hundredths(1830 + ((room * 7 + n * 13) % 20) as i32 - 10);
            tell(
                engine,
                just_before,
                room,
                "thermostat",
                Point::RoomTemperature,
                Value::Temperature(air),
            );
        }
        let before = processor();
        engine.step(now, Event::Deadline);
        if n >= TICKS {
            took.push(processor().saturating_sub(before));
        }
    }
    (
        *took.iter().max().unwrap(),
        took.iter().sum::<Duration>() / TICKS as u32,
    )
}

fn tick() {
    let now = Moment::parse("2026-11-21T08:00:00Z").unwrap();
    let mut engine = expecting(300, now);
    let (dearest, mean) = ticks(&mut engine, 300, now);
    println!("tick: 300 rooms, each with a guest expected: mean {mean:.2?}, dearest {dearest:.2?}");
}

fn replan() {
    let now = Moment::parse("2026-11-21T08:00:00Z").unwrap();
    let mut engine = expecting(5000, now);
    let (dearest, mean) = ticks(&mut engine, 5000, now);
    println!("replan: 5000 rooms with an arrival each, all planned anew: mean {mean:.1?}, dearest {dearest:.1?}");
}
