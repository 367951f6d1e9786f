//! Is what is shipped true? The profiles against their golden examples, the list against the folder, decoding and encoding
//! against each other for every value there is.

use super::*;
use std::path::{Path, PathBuf};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("device-profiles")
}

fn stems(folder: &Path, ending: &str) -> Vec<String> {
    let entries = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut stems: Vec<String> = entries
        .filter_map(|name| Some(name.strip_suffix(ending)?.to_owned()))
        .collect();
    stems.sort();
    stems
}

fn library() -> Library {
    Library::built_in().unwrap_or_else(|faults| {
        panic!(
            "{}",
            faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
        )
    })
}

#[test]
fn every_file_of_the_folder_is_shipped_and_has_examples() {
    let listed: Vec<String> = builtin::PROFILES
        .iter()
        .map(|s| s.file_name.replace(".toml", ""))
        .collect();
    assert_eq!(
        listed,
        stems(&folder(), ".toml"),
        "src/profile/builtin.rs lists what is in device-profiles/"
    );
    assert_eq!(
        listed,
        stems(&folder().join("tests"), ".jsonl"),
        "each profile has device-profiles/tests/ID.jsonl"
    );
}

#[test]
fn every_shipped_profile_does_what_its_examples_say() {
    let mut failures = Vec::new();
    let mut rows = 0;
    for profile in library().iter() {
        let mut own = examples::own_rows(profile).unwrap();
        own.extend(examples::rows(Library::shipped_rows(profile.id().as_str()).unwrap()).unwrap());
        assert!(!own.is_empty(), "{} has no example", profile.id());
        let report = examples::run(profile, &own);
        rows += report.rows;
        failures.extend(
            report
                .failures
                .into_iter()
                .map(|failure| format!("{}: {failure}", profile.id())),
        );
    }
    assert!(
        failures.is_empty(),
        "{} of {rows} rows do not hold\n{}",
        failures.len(),
        failures.join("\n")
    );
}

#[test]
fn every_device_of_the_recorded_inventory_matches_its_profile() {
    let library = library();
    let text = std::fs::read_to_string(folder().join("inventory/zigbee2mqtt.jsonl")).unwrap();
    let mut wrong = Vec::new();
    for line in text.lines() {
        let row: serde_json::Value = serde_json::from_str(line).unwrap();
        let found = library.match_line(&row["entry"]);
        if found.profile.as_ref().map(ProfileId::as_str) != row["profile"].as_str() {
            wrong.push(format!("{:?} expected {}, came {found:?}", found.model, row["profile"]));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
