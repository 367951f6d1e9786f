//! A restarted engine goes on exactly as its untouched twin.

use crate::property::{device, property, reading, room};
use innkeeper::engine::Engine;
use innkeeper::model::*;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A small generator of its own, so that a failing seed is the same on every machine for ever (Lehmer, 2^64).
struct Dice(u128);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(0xda94_2042_e4dd_58b5);
        ((self.0 >> 64) as u64) % sides
    }
}

const KINDS: [&str; 6] = ["thermostat", "door", "motion", "bed", "leak", "panel"];

fn engine() -> Engine {
    let rooms = ["101", "102", "103"].map(|id| room(id, &KINDS)).to_vec();
    let mut property = property(rooms);
    property.policies.power.rooms_at_full = Some(1);
    Engine::new(Arc::new(property)).unwrap()
}

fn happening(dice: &mut Dice, now: Moment) -> Event {
    let id = ["101", "102", "103"][dice.roll(3) as usize];
    let at = |kind: &str| device(id, kind);
    match dice.roll(17) {
        0..=2 => reading(
            at("thermostat"),
            Point::RoomTemperature,
            Value::Temperature(Celsius::from_hundredths(1700 + dice.roll(80) as i32 * 10)),
        ),
        3 => reading(
            at("thermostat"),
            Point::TargetTemperature,
            Value::Temperature(Celsius::from_hundredths(1800 + dice.roll(14) as i32 * 50)),
        ),
        4 | 5 => reading(at("door"), Point::Open, Value::Flag(dice.roll(2) == 0)),
        6 | 7 => reading(at("motion"), Point::Occupied, Value::Flag(dice.roll(3) > 0)),
        8 => reading(at("bed"), Point::BedOccupied, Value::Flag(dice.roll(2) == 0)),
        9 => reading(
            at("bed"),
            Point::Firmness,
            Value::Share(Percent::from_hundredths(dice.roll(21) as i32 * 500)),
        ),
        10 => reading(at("leak"), Point::Leak, Value::Flag(dice.roll(4) == 0)),
        11 => reading(
            at("panel"),
            Point::Action,
            Value::Word(Symbol::new(["1_single", "2_single", "3_hold"][dice.roll(3) as usize])),
        ),
        12 => Event::Availability {
            device: at(KINDS[dice.roll(6) as usize]),
            online: dice.roll(2) == 0,
        },
        13 if dice.roll(3) == 0 => Event::Link {
            link: LinkId::new("zigbee").unwrap(),
            devices: KINDS.iter().map(|kind| at(kind)).collect(),
            up: dice.roll(2) == 0,
        },
        13 => Event::Outdoor {
            temperature: Celsius::from_hundredths(dice.roll(30) as i32 * 100 - 500),
        },
        14 => Event::PowerLimit {
            share: Percent::new(dice.roll(12) as f64 * 10.0),
            until: None,
        },
        _ => stay(dice, now, id),
    }
}

fn stay(dice: &mut Dice, now: Moment, id: &str) -> Event {
    let status = ["reserved", "reserved", "checked_in", "checked_out", "cancelled"][dice.roll(5) as usize];
    let token = format!("0000000{}", dice.roll(6));
    Event::Stay(serde_json::from_value(serde_json::json!({
        "stay": token, "version": now.millis() as u64, "status": status, "room": id, "guest": format!("1111111{}", dice.roll(4)),
        "eta": now + Span::minutes(dice.roll(600) as i64), "departure": now + Span::hours(12 + dice.roll(72) as i64),
        "items": ["hangers"],
    })).unwrap())
}

/// A week of a guest who is known from elsewhere, drinks milk at eleven and tea after waking, and answers what is asked.
fn week_with_habits(dice: &mut Dice) -> Vec<(Moment, Event)> {
    let json = |value: serde_json::Value| serde_json::from_value(value).unwrap();
    let midnight = |day: i64| Moment::parse("2026-11-20T23:00:00Z").unwrap() + Span::days(day);
    let mut events = vec![
        (midnight(0) + Span::hours(10), Event::Prior(serde_json::from_value(serde_json::json!({
            "guest": "1111111a", "stays": [{ "property": "rome", "stay": "00000001", "version": 1, "day": 20700, "nights": 3,
            "temperature": 24, "evenings": [{ "check_in": 900, "bed": 1400, "wake": 1890, "asked": [["milk", 1379]] }] }],
        })).unwrap())),
        (midnight(0) + Span::hours(15), Event::Stay(json(serde_json::json!({
            "stay": "0000000a", "version": 1, "status": "checked_in", "room": "101", "guest": "1111111a",
            "departure": midnight(7) + Span::hours(11),
        })))),
    ];
    let order = |number: i64, item: &str| {
        serde_json::from_value(serde_json::json!({
            "request": format!("order-{number}"), "status": "done", "room": "101", "item": item,
        }))
        .unwrap()
    };
    for day in 0..7 {
        let at = |minute: i64, dice: &mut Dice| midnight(day) + Span::minutes(minute + dice.roll(12) as i64);
        for (minute, kind, point, on) in [
            (1200, "door", Point::Open, true),
            (1213, "door", Point::Open, false),
            (1226, "motion", Point::Occupied, true),
            (1395, "bed", Point::BedOccupied, true),
            (1860, "bed", Point::BedOccupied, false),
        ] {
            events.push((at(minute, dice), reading(device("101", kind), point, Value::Flag(on))));
        }
        if day != 4 {
            events.push((at(1374, dice), Event::RequestStatus(order(day * 2, "milk"))));
            events.push((at(1880, dice), Event::RequestStatus(order(day * 2 + 1, "tea"))));
        }
    }
    let answer = serde_json::json!({ "stay": "0000000a", "attribute": "target_temperature", "value": 23 });
    events.push((
        midnight(1) + Span::hours(20) + Span::minutes(30),
        Event::Confirm(serde_json::from_value(answer).unwrap()),
    ));
    events.sort_by_key(|(at, _)| *at);
    events
}

#[test]
fn a_twin_restarted_at_every_step_anticipates_and_asks_the_same() {
    let mut told = String::new();
    for seed in 1..=4_u128 {
        let events = week_with_habits(&mut Dice(seed << 64 | 0x9e37_79b9));
        let (mut untouched, mut kept) = (engine(), BTreeMap::<Key, Vec<u8>>::new());
        let mut before = events[0].0;
        for (at, event) in events {
            let mut due = Vec::new();
            while let Some(deadline) = untouched.deadline().filter(|deadline| *deadline < at) {
                due.push(step_both(
                    &mut untouched,
                    &mut kept,
                    &mut before,
                    deadline,
                    Event::Deadline,
                ));
            }
            due.push(step_both(&mut untouched, &mut kept, &mut before, at, event));
            told.extend(due.into_iter().flatten());
        }
    }
    for word in [
        "staged",
        "asked-for-already",
        "\"milk\"",
        "\"tea\"",
        "is-it-as-last-time",
        "guest-confirmed",
    ] {
        assert!(told.contains(word), "the twins were hardly tried: no {word}");
    }
}

/// Lets an engine and one that is made anew from what was kept do the same; returns what they told.
fn step_both(
    untouched: &mut Engine,
    kept: &mut BTreeMap<Key, Vec<u8>>,
    before: &mut Moment,
    at: Moment,
    event: Event,
) -> Vec<String> {
    let mut twin = engine();
    kept.iter().for_each(|(key, bytes)| twin.restore(key, bytes).unwrap());
    twin.resume(std::mem::replace(before, at));
    let (a, b) = (untouched.step(at, event.clone()), twin.step(at, event.clone()));
    assert_eq!(telling(&a), telling(&b), "at {at}: {event:?}");
    for effect in &b {
        match effect {
            Effect::Save { key, .. } => _ = kept.insert(key.clone(), twin.record(key).unwrap()),
            Effect::Forget(key) => _ = kept.remove(key),
            _ => {}
        }
    }
    telling(&a)
}

/// Effects, without what is merely to be kept.
fn telling(effects: &[Effect]) -> Vec<String> {
    effects
        .iter()
        .filter(|e| !matches!(e, Effect::Save { .. }))
        .map(|e| serde_json::to_string(e).unwrap())
        .collect()
}

#[test]
fn a_restarted_twin_goes_on_exactly_as_its_untouched_twin() {
    let (mut steps, mut restarts, mut told) = (0_u64, 0_u64, 0_usize);
    for seed in 1..=8_u128 {
        let mut dice = Dice(seed << 64 | 0x9e37_79b9);
        let (mut untouched, mut twin) = (engine(), engine());
        let mut kept: BTreeMap<Key, Vec<u8>> = BTreeMap::new();
        let mut now = Moment::parse("2026-11-21T08:00:00Z").unwrap();
        let mut happenings = 0;
        while happenings < 300 {
            // A room with a thermometer has a deadline every five minutes; all of them come before what happens next.
            let due = untouched.deadline().filter(|at| *at < now);
            happenings += u32::from(due.is_none());
            let (at, event) = due.map_or_else(|| (now, happening(&mut dice, now)), |at| (at, Event::Deadline));
            let (a, b) = (untouched.step(at, event.clone()), twin.step(at, event.clone()));
            assert_eq!(telling(&a), telling(&b), "seed {seed} at {at}: {event:?}");
            assert_eq!(untouched.deadline(), twin.deadline(), "seed {seed} at {at}: {event:?}");
            told += telling(&a).len();
            steps += 1;
            for effect in &b {
                match effect {
                    Effect::Save { key, .. } => _ = kept.insert(key.clone(), twin.record(key).unwrap()),
                    Effect::Forget(key) => _ = kept.remove(key),
                    _ => {}
                }
            }
            if dice.roll(9) == 0 {
                twin = engine();
                kept.iter().for_each(|(key, bytes)| twin.restore(key, bytes).unwrap());
                twin.resume(at);
                restarts += 1;
            }
            if due.is_none() {
                now = now + Span::seconds(1 + dice.roll(900) as i64);
            }
        }
    }
    println!("{steps} steps, {restarts} restarts, {told} effects: all the same");
    assert!(
        told > 3000 && restarts > 1000,
        "the twins were hardly tried: {told} effects, {restarts} restarts"
    );
}

/// A room that warms and cools with its valve, seen through a noisy thermometer every five minutes.
fn living_room(dice: &mut Dice, air: &mut f64, minute: i64) -> Vec<Event> {
    let valve = if (minute / 5) % 40 < 14 { 100 } else { 0 };
    *air += (f64::from(valve) * 0.06 - 0.12 * (*air - 8.0)) / 12.0;
    let noise = dice.roll(31) as f64 / 100.0 - 0.15;
    let shown = Celsius::new(((*air + noise) * 10.0).round() / 10.0).unwrap();
    vec![
        reading(
            device("101", "thermostat"),
            Point::RoomTemperature,
            Value::Temperature(shown),
        ),
        reading(
            device("101", "thermostat"),
            Point::Heating,
            Value::Share(Percent::from_hundredths(valve * 100)),
        ),
        Event::Outdoor {
            temperature: Celsius::from_hundredths(800),
        },
    ]
}

#[test]
fn a_twin_restarted_in_the_middle_of_a_fit_finds_the_same_numbers() {
    let one = || Engine::new(Arc::new(property(vec![room("101", &KINDS)]))).unwrap();
    let (mut untouched, mut twin, mut dice) = (one(), one(), Dice(7 << 64));
    let mut kept: BTreeMap<Key, Vec<u8>> = BTreeMap::new();
    let begin = Moment::parse("2026-11-21T08:00:00Z").unwrap();
    let (mut air, mut fits) = (20.0, 0);
    for minute in (0..3 * 1440_i64).step_by(5) {
        let at = begin + Span::minutes(minute) + Span::seconds(40);
        let mut events: Vec<(Moment, Event)> = vec![];
        living_room(&mut dice, &mut air, minute)
            .into_iter()
            .for_each(|event| events.push((at, event)));
        while let Some((at, event)) = untouched
            .deadline()
            .filter(|due| *due < at)
            .map(|due| (due, Event::Deadline))
            .or_else(|| (!events.is_empty()).then(|| events.remove(0)))
        {
            let (a, b) = (untouched.step(at, event.clone()), twin.step(at, event));
            assert_eq!(telling(&a), telling(&b), "at {at}");
            assert_eq!(untouched.deadline(), twin.deadline(), "at {at}");
            fits += a.iter().filter(|e| format!("{e:?}").contains("room-fitted")).count();
            for effect in &b {
                if let Effect::Save { key, .. } = effect {
                    kept.insert(key.clone(), twin.record(key).unwrap());
                }
            }
            if dice.roll(60) == 0 {
                twin = one();
                kept.iter().for_each(|(key, bytes)| twin.restore(key, bytes).unwrap());
                twin.resume(at);
            }
        }
    }
    let id = RoomId::new("101").unwrap();
    let end = begin + Span::days(3);
    assert_eq!(untouched.summary(&id, end), twin.summary(&id, end));
    assert_eq!(fits, 1, "two days of its own and a night make one fit");
    let fitted = untouched.summary(&id, end).unwrap()["model"].clone();
    assert_eq!(fitted["trusted"], true, "{fitted}");
}
