//! Are the committed contract documents what the code does?

use super::*;
use crate::model::{
    Attribute, Because, Celsius, Doubt, GuestToken, Moment, Point, Question, ReadinessVerdict, Report, RequestId,
    RequestState, RoomId, StayToken,
};
use crate::uplink::inbound::receive;
use crate::uplink::message::{UpMessage, receive_up};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

const STAY: &str = "5b1e0c77-2d4a-4f5e-8a54-0d2f6a1c9e10";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn property() -> PropertyId {
    PropertyId::new("lakeside").unwrap()
}

fn at(text: &str) -> Moment {
    Moment::parse(text).unwrap()
}

/// Compares a file with what it should hold, or writes it when asked to.
fn is_current(path: &Path, text: &str) {
    if std::env::var_os("INNKEEPER_BLESS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let there = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        there == text,
        "{} is not current; run this test with INNKEEPER_BLESS=1",
        path.display()
    );
}

fn goldens() -> Vec<(PathBuf, String, String, Value)> {
    let mut all: Vec<_> = std::fs::read_dir(root().join("tests/golden/uplink"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "json"))
        .map(|path| {
            let stem = path.file_stem().unwrap().to_str().unwrap().to_string();
            let mut parts = stem.split('.');
            let (direction, kind) = (parts.next().unwrap().to_string(), parts.next().unwrap().to_string());
            let value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
            (path, direction, kind, value)
        })
        .collect();
    all.sort_by(|a, b| a.0.cmp(&b.0));
    all
}

fn validator(schema: &Value) -> jsonschema::Validator {
    jsonschema::options()
        .should_validate_formats(true)
        .build(schema)
        .unwrap()
}

fn validator_of(direction: &str, kind: &str) -> jsonschema::Validator {
    let all = schemas();
    let found = all
        .iter()
        .find(|message| message.direction == direction && message.kind == kind);
    validator(
        &found
            .unwrap_or_else(|| panic!("no schema for {direction}.{kind}"))
            .schema,
    )
}

/// Whether the code takes the message.
fn is_taken(direction: &str, kind: &str, message: &Value) -> Result<(), String> {
    let text = message.to_string();
    let topic = format!("innkeeper/v1/lakeside/{direction}/{kind}");
    match direction {
        "up" => receive_up(&topic, text.as_bytes()).map(drop).map_err(|e| e.to_string()),
        _ => receive(&property(), &topic, false, text.as_bytes(), at("2026-11-21T16:30:00Z"))
            .map(drop)
            .map_err(|e| e.to_string()),
    }
}

/// One of each message to central, with every optional field somewhere.
fn samples() -> Vec<(&'static str, UpMessage)> {
    let room = || RoomId::new("1204").unwrap();
    let stay = || StayToken::new(STAY).unwrap();
    let because = || {
        Because::rule("habit-recurs")
            .with("nights", 3)
            .with("usual_at", "23:00")
            .with("sure", true)
    };
    let said = at("2026-11-21T21:05:00.250Z");
    let report =
        |name, report: Report, sequence, expires| (name, UpMessage::from_report(&report, sequence, said, expires));
    let Report::Request(mut request) = crate::uplink::message::tests::request("1204", 2) else {
        unreachable!()
    };
    request.not_before = Some(at("2026-11-21T21:40:00Z"));
    request.deadline = Some(at("2026-11-21T21:50:00Z"));
    request.raised_at = said;
    request.steps = vec!["milk.warm".into(), "milk.serve".into()];
    request.hints = vec!["asks.quietly".into()];
    request.because = because();
    let mut withdrawn = request.clone();
    withdrawn.state = RequestState::Withdrawn;
    withdrawn.because = Because::rule("guest-left").with("door", true);
    let emergency = crate::model::Emergency {
        id: RequestId::new("1204.leak.1763758800").unwrap(),
        room: room(),
        cause: Point::Leak,
        since: at("2026-11-21T21:04:58Z"),
        call: 2,
        over: false,
        local: true,
        because: Because::rule("water-where-none-should-be").with("device", "leak-1204"),
    };
    let readiness = Readiness {
        room: room(),
        stay: stay(),
        target: Celsius::new(22.5).unwrap(),
        p10: at("2026-11-21T15:50:00Z"),
        p50: at("2026-11-21T16:05:00Z"),
        p90: at("2026-11-21T16:25:00Z"),
        eta: Some(at("2026-11-21T16:30:00Z")),
        verdict: Some(ReadinessVerdict::Kept),
        found: Celsius::new(22.4),
        revision: 3,
        because: Because::rule("prepare-in-time")
            .with("lead_min", 95)
            .with("outdoor_c", 4.5),
    };
    let preference = PreferenceReport {
        stay: stay(),
        guest: GuestToken::new("7f3a9c1e-0b52-4d1f-9d0e-2f6c8a1b4e77").ok(),
        room: room(),
        attribute: Attribute::TargetTemperature,
        value: 23.5.into(),
        sd: 0.6,
        within_one: 0.9,
        tags: vec!["booking_vs_device".into()],
        confirm: Some(Question {
            why: Doubt::Dormant,
            unit: Some("C".into()),
        }),
        declared: Some(20.into()),
        acts: 4,
        nights: 2,
        is_final: false,
        revision: 1,
        because: Because::rule("guest-turned-dial").with("acts", 4),
    };
    let state = StateReport {
        id: request.id.clone(),
        room: room(),
        state: RequestState::Parked,
        revision: 2,
        because: Because::rule("guest-asleep").with("since", "2026-11-21T21:01:00Z"),
    };
    let edge = EdgeState {
        version: "0.1.0".into(),
        uptime_s: 86_400,
        configuration: "c0ffee00".into(),
        rejected: Some("config/innkeeper.toml:14:10: room 1204 names device \"door-12o4\", which is not listed".into()),
        pending: 17,
        oldest_unsent_s: 42,
        rooms: 300,
        devices_silent: 2,
        degraded: vec!["central_away".into()],
        free_rooms: vec![],
    };
    vec![
        report("up.emergency", Report::Emergency(emergency), 1, None),
        report(
            "up.request",
            Report::Request(request),
            41,
            Some(at("2026-11-21T22:05:00Z")),
        ),
        report("up.request.withdrawn", Report::Request(withdrawn), 42, None),
        report("up.request_state", Report::RequestState(state), 9, None),
        report(
            "up.readiness",
            Report::Readiness(Box::new(readiness)),
            7,
            Some(at("2026-11-22T16:30:00Z")),
        ),
        report("up.preference", Report::Preference(Box::new(preference)), 3, None),
        (
            "up.edge",
            UpMessage::from_edge(&edge, 288, said, Some(at("2026-11-21T21:20:00Z"))),
        ),
    ]
}

#[test]
fn the_committed_schemas_are_current() {
    for message in schemas() {
        is_current(&root().join("docs/schema").join(message.file_name()), &message.text());
    }
    let names: BTreeSet<_> = schemas().iter().map(MessageSchema::file_name).collect();
    for entry in std::fs::read_dir(root().join("docs/schema")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let is_message = name.starts_with("up.") || name.starts_with("down.");
        assert!(
            !is_message || names.contains(&name),
            "docs/schema/{name} belongs to no message"
        );
    }
}

#[test]
fn the_committed_asyncapi_document_is_current() {
    let all = goldens();
    let example = |direction: &str, kind: &str| {
        all.iter()
            .find(|golden| golden.1 == direction && golden.2 == kind)
            .map(|golden| golden.3.clone())
    };
    is_current(&root().join("docs/asyncapi.yaml"), &asyncapi(example));
}

#[test]
fn every_message_we_write_is_its_golden_example() {
    for (name, message) in samples() {
        let value: Value = serde_json::from_slice(&message.encode(&property())).unwrap();
        is_current(
            &root().join(format!("tests/golden/uplink/{name}.json")),
            &format!("{value:#}\n"),
        );
    }
}

#[test]
fn every_golden_example_is_valid_and_taken() {
    let all = goldens();
    for (path, direction, kind, message) in &all {
        let validator = validator_of(direction, kind);
        let faults: Vec<_> = validator.iter_errors(message).map(|e| e.to_string()).collect();
        assert!(faults.is_empty(), "{}: {faults:?}", path.display());
        assert_eq!(is_taken(direction, kind, message), Ok(()), "{}", path.display());
    }
    let seen: BTreeSet<_> = all
        .iter()
        .map(|golden| (golden.1.as_str(), golden.2.as_str()))
        .collect();
    assert_eq!(seen.len(), schemas().len(), "each message has an example: {seen:?}");
}

#[test]
fn every_schema_is_itself_valid() {
    for message in schemas() {
        assert!(jsonschema::meta::is_valid(&message.schema), "{}", message.file_name());
    }
}

/// Calls `visit` with every schema of an object that is in a schema, and its place.
fn objects(schema: &Value, place: &str, visit: &mut impl FnMut(&str, &Value)) {
    match schema {
        Value::Object(map) => {
            if map.contains_key("properties") {
                visit(place, schema);
            }
            map.iter()
                .for_each(|(key, inner)| objects(inner, &format!("{place}/{key}"), visit));
        }
        Value::Array(list) => list.iter().for_each(|inner| objects(inner, place, visit)),
        _ => {}
    }
}

#[test]
fn no_schema_has_a_field_for_a_person_or_leaves_room_for_one() {
    let mut seen = 0;
    for message in schemas() {
        objects(&message.schema, &message.file_name(), &mut |place, object| {
            seen += 1;
            assert_eq!(object["additionalProperties"], Value::Bool(false), "{place}");
            let is_fact = place.ends_with("Because/properties/facts/items");
            for name in object["properties"].as_object().unwrap().keys() {
                assert!(
                    is_fact && name == "name" || !FORBIDDEN_NAMES.contains(&name.as_str()),
                    "{place}: {name}"
                );
            }
        });
        // A schema without a type would take anything, a person's name included.
        let data = &message.schema["definitions"]["data"]["properties"];
        for (name, property) in data.as_object().unwrap() {
            assert!(property.is_object(), "{}: {name} takes anything", message.file_name());
            let said = ["type", "$ref", "allOf", "anyOf", "enum"]
                .iter()
                .any(|key| property.get(key).is_some());
            assert!(said, "{}: {name} takes anything", message.file_name());
        }
    }
    assert!(seen >= 26, "{seen} objects seen");
}

/// Returns the message once more for each object in it, with a field planted there.
fn planted(message: &Value, field: &str) -> Vec<Value> {
    fn pointers(value: &Value, at: String, into: &mut Vec<String>) {
        match value {
            Value::Object(map) => {
                into.push(at.clone());
                map.iter()
                    .for_each(|(key, inner)| pointers(inner, format!("{at}/{key}"), into));
            }
            Value::Array(list) => {
                list.iter()
                    .enumerate()
                    .for_each(|(n, inner)| pointers(inner, format!("{at}/{n}"), into));
            }
            _ => {}
        }
    }
    let mut places = Vec::new();
    pointers(message, String::new(), &mut places);
    places
        .iter()
        .filter(|place| field != "name" || !place.contains("/facts/"))
        .map(|place| {
            let mut changed = message.clone();
            changed.pointer_mut(place).unwrap()[field] = "Winterbottom".into();
            changed
        })
        .collect()
}

#[test]
fn a_planted_name_is_refused_wherever_it_stands() {
    let mut tried = 0;
    for (path, direction, kind, message) in goldens() {
        let validator = validator_of(&direction, &kind);
        for field in FORBIDDEN_NAMES {
            for changed in planted(&message, field) {
                tried += 1;
                assert!(
                    !validator.is_valid(&changed),
                    "{}: {field} passes the schema",
                    path.display()
                );
                let words = is_taken(&direction, &kind, &changed).expect_err(field);
                assert!(
                    words.starts_with("unknown_field") && !words.contains("Winterbottom"),
                    "{words}"
                );
            }
        }
    }
    assert!(tried > 500, "{tried} planted");
}

/// Single changes of a message: each field left out, or replaced by something else.
fn mutants(message: &Value) -> Vec<(String, Value)> {
    let mut all = Vec::new();
    let replacements = [
        json!(null),
        json!(true),
        json!(-1),
        json!(0),
        json!(1.5),
        json!(1e12),
        json!(""),
        json!("+"),
        json!("#"),
        json!("Mr X"),
        json!("1204"),
        json!("2026-11-21T16:31:00Z"),
        json!("1999-12-31T23:59:59Z"),
        json!("2026-13-01T00:00:00Z"),
        json!([]),
        json!({}),
        json!(["tea"]),
        json!("x".repeat(300)),
        json!("zz"),
    ];
    fn walk(message: &Value, value: &Value, at: &str, replacements: &[Value], all: &mut Vec<(String, Value)>) {
        let children: Vec<(String, &Value)> = match value {
            Value::Object(map) => map.iter().map(|(key, inner)| (key.clone(), inner)).collect(),
            Value::Array(list) => list
                .iter()
                .enumerate()
                .map(|(n, inner)| (n.to_string(), inner))
                .collect(),
            _ => return,
        };
        for (key, inner) in children {
            let place = format!("{at}/{key}");
            let mut without = message.clone();
            if let Value::Object(map) = without.pointer_mut(at).unwrap() {
                map.remove(&key);
                all.push((format!("{place} left out"), without));
            }
            for replacement in replacements {
                let mut changed = message.clone();
                *changed.pointer_mut(&place).unwrap() = replacement.clone();
                all.push((format!("{place} = {replacement}"), changed));
            }
            walk(message, inner, &place, replacements, all);
        }
    }
    walk(message, message, "", &replacements, &mut all);
    all
}

/// Departures that only one of the two sees, and why that does no harm.
fn is_known_difference(change: &str) -> bool {
    // The code also reads moments as milliseconds, as a courtesy; the contract has only texts. It knows that a message
    // has expired, that a source fits its topic, and which property an id begins with, which no schema can.
    change.ends_with("= 1000000000000.0") || change.starts_with("/expirytime") || change.starts_with("/id =")
}

#[test]
fn schema_and_code_refuse_the_same_messages() {
    let (mut tried, mut refused) = (0, 0);
    let mut differences = Vec::new();
    for (path, direction, kind, message) in goldens() {
        let validator = validator_of(&direction, &kind);
        for (change, mutant) in mutants(&message) {
            let (valid, taken) = (validator.is_valid(&mutant), is_taken(&direction, &kind, &mutant));
            tried += 1;
            refused += usize::from(taken.is_err());
            if valid != taken.is_ok() && !is_known_difference(&change) {
                differences.push(format!(
                    "{}: {change}: schema {valid}, code {taken:?}",
                    path.file_name().unwrap().display()
                ));
            }
        }
    }
    println!("{tried} single changes tried, {refused} refused");
    assert!(
        differences.is_empty(),
        "{} differ:\n{}",
        differences.len(),
        differences.join("\n")
    );
    assert!(tried > 2000 && refused > 1500, "{tried} tried, {refused} refused");
}
