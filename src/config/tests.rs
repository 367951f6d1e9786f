//! What the configuration promises as a whole.

use super::*;
use crate::model::{Limits, Policies};
use std::path::{Path, PathBuf};

fn library() -> Library {
    Library::built_in().unwrap()
}

fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn text_of(path: &str) -> String {
    std::fs::read_to_string(repository(path)).unwrap()
}

fn lines(faults: &[Fault]) -> String {
    faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// The example with everything in it switched on: a line is switched off by a '#' with no space behind it.
fn switched_on(example: &str) -> String {
    let on = |line: &str| match line.strip_prefix('#') {
        Some(rest) if !rest.is_empty() && !rest.starts_with(' ') => format!("{rest}\n"),
        _ => format!("{line}\n"),
    };
    example.lines().map(on).collect()
}

#[test]
fn the_example_is_the_defaults() {
    let example = text_of("config/innkeeper.example.toml");
    let written: File = crate::strict::read("example", &example).unwrap().0;
    let smallest: File =
        crate::strict::read("smallest", "[property]\nid = 'example'\nzone = 'UTC'\n").unwrap().0;
    assert_eq!(written, smallest);

    let configured = from_str("example", &example, &library()).unwrap();
    assert_eq!(configured.property.limits, Limits::default());
    assert_eq!(configured.property.policies, Policies::default());
}

#[test]
fn every_line_of_the_example_that_is_switched_off_can_be_switched_on() {
    let whole = switched_on(&text_of("config/innkeeper.example.toml"));
    let configured = from_str("example", &whole, &library()).unwrap_or_else(|faults| panic!("{}", lines(&faults)));
    assert_eq!(configured.property.rooms.len(), 6);
}

#[test]
fn every_key_of_the_schema_is_in_the_example_and_in_the_manual() {
    let example = switched_on(&text_of("config/innkeeper.example.toml"));
    let manual = text_of("docs/configuration.md");
    for key in keys() {
        let name = key.path.rsplit('.').find(|part| !part.starts_with('<')).unwrap().trim_end_matches("[]");
        let written = example.lines().any(|line| {
            let line = line.split(" #").next().unwrap();
            line.split(['{', ',', '[', ']', '.', '=']).any(|part| part.trim() == name)
        });
        assert!(written, "{} is not in the example", key.path);
        assert!(manual.contains(&format!("`{}`", key.path)), "{} is not in docs/configuration.md", key.path);
    }
}

#[test]
fn the_key_table_of_the_manual_is_the_schema_s() {
    let manual = text_of("docs/configuration.md");
    assert!(manual.contains(&reference::table()), "docs/configuration.md: put this in place of the table:\n{}", reference::table());
}

#[test]
fn the_published_schemas_are_those_the_checker_uses() {
    for (file, schema) in [
        ("docs/schema/config.schema.json", schema()),
        ("docs/schema/profile.schema.json", crate::profile::schema().as_value().clone()),
    ] {
        let wanted = serde_json::to_string_pretty(&schema).unwrap() + "\n";
        if std::env::var_os("INNKEEPER_WRITE_SCHEMA").is_some() {
            std::fs::write(repository(file), &wanted).unwrap();
        }
        assert!(text_of(file) == wanted, "{file} is not current; run this test once with INNKEEPER_WRITE_SCHEMA=1");
    }
}

#[test]
fn the_small_hotel_loads_without_a_warning() {
    let (configured, _) = load(&[repository("config/small-hotel.toml")]).unwrap_or_else(|f| panic!("{}", lines(&f)));
    assert_eq!(lines(&configured.warnings), "");
    assert_eq!(configured.property.rooms.len(), 6);
    for room in &configured.property.rooms {
        assert!(room.actuator(crate::model::Point::TargetTemperature).is_some(), "{:?}", room.id);
    }
}

/// Each file of `config/bad/` says in comments what is to be told of it: `# expect: 14:10 words`. Nothing else may be told.
#[test]
fn each_broken_example_is_told_exactly_its_faults() {
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(repository("config/bad")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= 20, "{} broken examples", files.len());
    let library = library();
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let expected: Vec<(&str, &str)> = text
            .lines()
            .filter_map(|line| line.split_once("# expect: "))
            .map(|(_, expect)| expect.split_once(' ').unwrap())
            .collect();
        assert!(!expected.is_empty(), "{file:?} expects nothing");
        let faults = match from_str("bad", &text, &library) {
            Ok(configured) => configured.warnings,
            Err(faults) => faults,
        };
        let told = lines(&faults);
        assert_eq!(faults.len(), expected.len(), "{file:?} is told:\n{told}");
        for (place, words) in expected {
            let found = faults.iter().any(|fault| {
                format!("{}:{}", fault.line, fault.column) == place
                    && fault.to_string().to_lowercase().contains(&words.to_lowercase())
            });
            assert!(found, "{file:?} is not told {place} {words}, but:\n{told}");
        }
    }
}
