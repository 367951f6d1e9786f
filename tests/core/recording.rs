//! A recording replayed by the same program gives the same effects, and `step` answers every line.

use crate::property::{device, property, reading, room};
use innkeeper::engine::Engine;
use innkeeper::model::*;
use innkeeper::record::{Answer, Driver, Recorder, replay, step_lines};
use std::collections::BTreeSet;
use std::sync::Arc;

fn engine() -> Engine {
    Engine::new(Arc::new(property(vec![room(
        "101",
        &["thermostat", "door", "motion", "bed"],
    )])))
    .unwrap()
}

fn temperature(t: f64) -> Event {
    reading(
        device("101", "thermostat"),
        Point::RoomTemperature,
        Value::Temperature(Celsius::new(t).unwrap()),
    )
}

fn record() -> Vec<u8> {
    let mut engine = engine();
    let mut now = Moment::parse("2026-11-21T08:00:00Z").unwrap();
    let mut file = Vec::new();
    let mut recorder = Recorder::begin(&mut file, &engine, now).unwrap();
    let stay: Event = serde_json::from_value(serde_json::json!({"stay": {
        "stay": "00000001", "version": 1, "status": "reserved", "room": "101", "eta": "2026-11-21T15:00:00Z", "departure": "2026-11-23T10:00:00Z"
    }})).unwrap();
    let mut feed = |event: Event, now: Moment| {
        let effects = engine.step(now, event.clone());
        recorder
            .write(
                &Stamped { at: now, event },
                &Answer {
                    at: now,
                    effects,
                    next: engine.deadline(),
                },
            )
            .unwrap();
    };
    feed(stay, now);
    for n in 0..60 {
        now = now + Span::minutes(10);
        feed(temperature(17.0 + f64::from(n) * 0.1), now);
    }
    recorder.flush().unwrap();
    file
}

#[test]
fn a_recording_replays_to_the_same_effects() {
    let comparison = replay(&record()[..], None).unwrap();
    assert_eq!((comparison.events, comparison.different.len()), (61, 0));
    assert_eq!(comparison.same, 61);
}

#[test]
fn a_replay_with_another_policy_shows_what_would_differ() {
    let mut other = property(vec![room("101", &["thermostat", "door", "motion", "bed"])]);
    other.policies.comfort = Celsius::new(25.0).unwrap();
    let comparison = replay(&record()[..], Some(Arc::new(other))).unwrap();
    assert!(!comparison.different.is_empty());
}

#[test]
fn a_torn_recording_says_which_line() {
    let mut file = record();
    file.truncate(file.len() - 20);
    let fault = replay(&file[..], None).unwrap_err().to_string();
    assert!(fault.starts_with("line "), "{fault}");
}

#[test]
fn step_answers_every_line_and_rejects_what_it_cannot_read() {
    let lines = concat!(
        r#"{"at":"2026-11-21T08:00:00Z","event":{"reading":{"device":"101-thermostat","point":"room_temperature","value":17.5}}}"#,
        "\n",
        "nonsense\n",
        r#"{"at":"2026-11-21T08:01:00Z","event":{"reading":{"device":"101-thermostat","point":"room_temperature","value":"warm"}}}"#,
        "\n",
        r#"{"at":"2026-11-21T08:02:00Z","event":{"stay":{"stay":"00000001","version":1,"status":"reserved","room":"101","eta":"2026-11-21T10:00:00Z","departure":"2026-11-22T10:00:00Z"}}}"#,
        "\n",
    );
    let mut out = Vec::new();
    assert_eq!(step_lines(engine(), lines.as_bytes(), &mut out).unwrap(), 2);
    let out = String::from_utf8(out).unwrap();
    assert!(
        out.contains(r#""line":2,"rejected""#) && out.contains(r#""line":3,"rejected""#),
        "{out}"
    );
    assert!(out.contains(r#""command""#) && out.contains("prepare-in-time"), "{out}");
}

#[test]
fn a_driver_calls_the_engine_at_its_deadlines() {
    let mut driver = Driver::new(engine());
    driver.feed(Stamped {
        at: Moment::parse("2026-11-21T08:00:00Z").unwrap(),
        event: temperature(17.0),
    });
    let stay = serde_json::from_value(serde_json::json!({"stay": {
        "stay": "00000001", "version": 1, "status": "reserved", "room": "101", "eta": "2026-11-21T18:00:00Z", "departure": "2026-11-23T10:00:00Z"
    }})).unwrap();
    driver.feed(Stamped {
        at: Moment::parse("2026-11-21T08:01:00Z").unwrap(),
        event: stay,
    });
    let answers = driver.advance(Moment::parse("2026-11-21T18:00:00Z").unwrap());
    let start = answers
        .iter()
        .find(|a| a.effects.iter().any(|e| matches!(e, Effect::Command(_))))
        .expect("a preparation starts");
    let hour = start.at.to_string();
    assert!(("2026-11-21T13".."2026-11-21T17").contains(&hour.as_str()), "{hour}");
}

#[test]
fn every_line_in_the_documentation_is_one() {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/recordings.md")).unwrap();
    let lines = page
        .lines()
        .filter(|line| line.starts_with("{\"") && line.ends_with('}'));
    let (mut events, mut effects) = (BTreeSet::new(), BTreeSet::new());
    let kind = |value: &serde_json::Value| match value {
        serde_json::Value::String(word) => word.clone(),
        value => value.as_object().unwrap().keys().next().unwrap().clone(),
    };
    for line in lines {
        let json: serde_json::Value = serde_json::from_str(line).unwrap_or_else(|fault| panic!("{fault}: {line}"));
        match json.get("event") {
            Some(event) => {
                serde_json::from_str::<Stamped>(line).unwrap_or_else(|fault| panic!("{fault}: {line}"));
                events.insert(kind(event));
            }
            None => _ = effects.insert(kind(&json)),
        }
    }
    let all = |words: &str| words.split(' ').map(String::from).collect::<BTreeSet<_>>();
    let kinds = "reading availability written stay prior request_status outdoor deadline stopping configured";
    assert_eq!(events, all(kinds));
    assert_eq!(effects, all("command report save forget refuse note"));
}
