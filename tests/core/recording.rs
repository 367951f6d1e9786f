//! A recording replayed by the same program gives the same effects, and `step` answers every line.

use crate::property::{device, property, reading, room};
use innkeeper::engine::Engine;
use innkeeper::model::*;
use innkeeper::record::{Answer, Driver, Recorder, Steps, Tally, replay};
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
    let (tally, out) = steps(lines);
    assert_eq!((tally.lines, tally.rejected), (4, 2));
    assert!(
        out.contains(r#""line":2,"rejected""#) && out.contains(r#""line":3,"rejected""#),
        "{out}"
    );
    assert!(out.contains(r#""command""#) && out.contains("prepare-in-time"), "{out}");
}

fn steps(lines: &str) -> (Tally, String) {
    let mut out = Vec::new();
    let tally = Steps::new(engine(), &mut out).run(lines.as_bytes()).unwrap();
    (tally, String::from_utf8(out).unwrap())
}

/// Half a day of a room that gets a booking, as lines; with a slip in the fourth.
fn half_a_day() -> String {
    let mut lines = String::new();
    let stay = r#"{"stay":{"stay":"00000001","version":1,"status":"reserved","room":"101","eta":"2026-11-21T15:00:00Z","departure":"2026-11-22T10:00:00Z"}}"#;
    for minute in (0..720).step_by(10) {
        let at = Moment::parse("2026-11-21T08:00:00Z").unwrap() + Span::minutes(minute);
        let event = match minute {
            20 => stay.to_owned(),
            30 => r#"{"reading":{"device":"thermostat-101","point":"room_temperature","value":17.5}}"#.to_owned(),
            _ => serde_json::to_string(&temperature(17.0)).unwrap(),
        };
        lines += &format!("{{\"at\":\"{at}\",\"event\":{event}}}\n");
    }
    lines
}

#[test]
fn each_line_is_answered_once_by_its_number_however_many_are_fed_at_once() {
    let (tally, out) = steps(&half_a_day());
    let answers: Vec<serde_json::Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let numbers: Vec<u64> = answers.iter().filter_map(|answer| answer["line"].as_u64()).collect();
    assert_eq!(numbers, (1..=72).collect::<Vec<_>>());
    assert!(
        answers.iter().any(|answer| answer["line"].is_null()),
        "deadlines have no line"
    );
    assert_eq!(
        tally.refused.into_iter().collect::<Vec<_>>(),
        [("device_unknown".to_owned(), 1)]
    );
}

#[test]
fn a_rig_that_wants_only_commands_gets_the_same_commands_and_nothing_else() {
    let commands = |out: &str| {
        let lines = out
            .lines()
            .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        let effects = lines.flat_map(|answer| answer["effects"].as_array().unwrap().clone());
        effects.collect::<Vec<_>>()
    };
    let (_, whole) = steps(&half_a_day());
    let mut out = Vec::new();
    let only = Steps::new(engine(), &mut out).only(vec!["command".into()]);
    only.run(half_a_day().as_bytes()).unwrap();
    let filtered = commands(&String::from_utf8(out).unwrap());
    let of_all: Vec<_> = commands(&whole)
        .into_iter()
        .filter(|effect| effect["command"].is_object())
        .collect();
    assert!(!filtered.is_empty());
    assert_eq!(filtered, of_all);
}

#[test]
fn a_rig_may_ask_what_the_engine_knows_without_changing_what_it_does() {
    let ask = "{\"at\":\"2026-11-21T11:00:00Z\",\"ask\":{\"room\":\"101\"}}\n{\"at\":\"2026-11-21T11:00:00Z\",\"ask\":\"planning\"}\n{\"at\":\"2026-11-21T11:00:00Z\",\"ask\":{\"room\":\"109\"}}\n";
    let lines = half_a_day();
    let split = lines.find("{\"at\":\"2026-11-21T11:00:00").unwrap();
    let (tally, asked) = steps(&format!("{}{ask}{}", &lines[..split], &lines[split..]));
    assert_eq!(tally.rejected, 1);
    let (_, unasked) = steps(&lines);
    let effects = |out: &str| {
        let lines = out
            .lines()
            .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        lines
            .filter_map(|a| a["effects"].as_array().cloned())
            .flatten()
            .collect::<Vec<_>>()
    };
    assert_eq!(effects(&asked), effects(&unasked));
    let told = asked.lines().find(|line| line.contains("\"told\"")).unwrap();
    assert!(
        told.contains(r#""room":"101""#) && told.contains(r#""stay":"00000001""#),
        "{told}"
    );
    assert!(asked.contains("there is no room 109"), "{asked}");
}

#[test]
fn what_a_rig_did_replays_to_the_same_effects() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let steps = Steps::new(engine(), Vec::new());
    let steps = steps.record(Box::new(file.reopen().unwrap())).unwrap();
    steps.run(half_a_day().as_bytes()).unwrap();
    let comparison = replay(&std::fs::read(file.path()).unwrap()[..], None).unwrap();
    assert!(comparison.events > 72, "{}", comparison.events);
    assert_eq!((comparison.same, comparison.different.len()), (comparison.events, 0));
}

#[test]
fn a_line_that_is_neither_an_event_nor_a_question_is_rejected() {
    for line in [
        r#"{"at":"2026-11-21T08:00:00Z"}"#,
        r#"{"at":"2026-11-21T08:00:00Z","event":"deadline","ask":"planning"}"#,
        r#"{"at":"2026-11-21T08:00:00Z","evnt":"deadline"}"#,
    ] {
        let (tally, out) = steps(line);
        assert_eq!(tally.rejected, 1, "{out}");
        assert!(out.contains("event"), "{out}");
    }
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
    let (asked, lines): (Vec<&str>, Vec<&str>) = lines.partition(|line| line.contains("\"ask\""));
    let (_, answers) = steps(&asked.join("\n"));
    let known = |line: &str| line.contains("\"told\"") || line.contains("there is no room 1204");
    assert!(asked.len() == 3 && answers.lines().all(known), "{answers}");
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
    let kinds = "reading availability written stay prior confirm guest_says override dormant_round request_status outdoor link clouds power_limit";
    assert_eq!(events, all(&format!("{kinds} deadline stopping configured")));
    assert_eq!(effects, all("command report save forget refuse note"));
}
