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
    let smallest: File = crate::strict::read("smallest", "[property]\nid = 'example'\nzone = 'UTC'\n")
        .unwrap()
        .0;
    assert_eq!(written, smallest);

    let configured = from_str("example", &example, &library()).unwrap();
    assert_eq!(configured.property.limits, Limits::default());
    assert_eq!(configured.property.policies, Policies::default());
}

#[test]
fn every_line_of_the_example_that_is_switched_off_can_be_switched_on() {
    let whole = switched_on(&text_of("config/innkeeper.example.toml"));
    // The code asks for other levels than the defaults that this file shows.
    let whole: String = whole
        .split_inclusive('\n')
        .filter(|line| !line.starts_with("code "))
        .collect();
    let configured = from_str("example", &whole, &library()).unwrap_or_else(|faults| panic!("{}", lines(&faults)));
    assert_eq!(configured.property.rooms.len(), 6);
}

#[test]
fn every_key_of_the_schema_is_in_the_example_and_in_the_manual() {
    let example = switched_on(&text_of("config/innkeeper.example.toml"));
    let manual = text_of("docs/configuration.md");
    for key in keys() {
        let name = key
            .path
            .rsplit('.')
            .find(|part| !part.starts_with('<'))
            .unwrap()
            .trim_end_matches("[]");
        let written = example.lines().any(|line| {
            let line = line.split(" #").next().unwrap();
            line.split(['{', ',', '[', ']', '.', '='])
                .any(|part| part.trim() == name)
        });
        assert!(written, "{} is not in the example", key.path);
        assert!(
            manual.contains(&format!("`{}`", key.path)),
            "{} is not in docs/configuration.md",
            key.path
        );
    }
}

#[test]
fn the_key_table_of_the_manual_is_the_schema_s() {
    let manual = text_of("docs/configuration.md");
    assert!(
        manual.contains(&key_table()),
        "docs/configuration.md: put this in place of the table:\n{}",
        key_table()
    );
}

#[test]
fn the_published_schemas_are_those_the_checker_uses() {
    for (file, schema) in [
        ("docs/schema/config.schema.json", schema()),
        (
            "docs/schema/profile.schema.json",
            crate::profile::schema().as_value().clone(),
        ),
    ] {
        let wanted = serde_json::to_string_pretty(&schema).unwrap() + "\n";
        if std::env::var_os("INNKEEPER_WRITE_SCHEMA").is_some() {
            std::fs::write(repository(file), &wanted).unwrap();
        }
        assert!(
            text_of(file) == wanted,
            "{file} is not current; run this test once with INNKEEPER_WRITE_SCHEMA=1"
        );
    }
}

#[test]
fn the_small_hotel_loads_without_a_warning() {
    let (configured, _) = load(&[repository("config/small-hotel.toml")]).unwrap_or_else(|f| panic!("{}", lines(&f)));
    assert_eq!(lines(&configured.warnings), "");
    assert_eq!(configured.property.rooms.len(), 6);
    for room in &configured.property.rooms {
        assert!(
            room.actuator(crate::model::Point::TargetTemperature).is_some(),
            "{:?}",
            room.id
        );
    }
}

/// Each file of `config/bad/` says in comments what is to be told of it: `# expect: 14:10 words`. Nothing else may be told.
#[test]
fn each_broken_example_is_told_exactly_its_faults() {
    let mut files: Vec<PathBuf> = std::fs::read_dir(repository("config/bad"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
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

#[test]
fn files_of_a_folder_are_read_as_one_and_clash_by_name() {
    let text = |name: &str, text: &str| Text {
        name: name.into(),
        text: text.into(),
    };
    let main = text(
        "innkeeper.toml",
        "[property]\nid = 'p'\nzone = 'UTC'\n[links.central]\nkind = 'central'\nhost = 'localhost'\n[links.z]\nkind = 'mqtt'\nhost = 'h'\n",
    );
    let room = |file: &str, id: &str| {
        let device = "profile = 'tuya-bac-002-alzb'\nlink = 'z'";
        text(
            file,
            &format!("[[room]]\nid = '{id}'\n[[room.device]]\nid = 't-{id}'\n{device}\nparams = {{ name = '{id}' }}\n"),
        )
    };
    let configured = from_texts(
        &[main.clone(), room("rooms/1.toml", "1"), room("rooms/2.toml", "2")],
        &library(),
    )
    .unwrap();
    assert_eq!(lines(&configured.warnings), "");
    assert_eq!(configured.property.rooms.len(), 2);

    let clash = text(
        "conf.d/x.toml",
        "[property]\nid = 'q'\nzone = 'UTC'\n[links.z]\nkind = 'mqtt'\nhost = 'i'\n",
    );
    let faults = from_texts(
        &[main, room("rooms/1.toml", "1"), room("rooms/2.toml", "1"), clash],
        &library(),
    )
    .unwrap_err();
    assert_eq!(
        lines(&faults),
        "conf.d/x.toml:1:2: [property] is written a second time, first at innkeeper.toml:1; write it in one file\n\
         conf.d/x.toml:4:8: [links.z] is written a second time, first at innkeeper.toml:7; rename or remove one\n\
         rooms/2.toml:2:6: room 1 is configured twice, first at rooms/1.toml:2; rename or remove one"
    );
}

#[test]
fn a_folder_is_its_main_file_its_conf_d_and_its_rooms() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write(
        "innkeeper.toml",
        "[property]\nid = 'p'\nzone = 'UTC'\n[profiles]\ndir = 'own'\n",
    );
    write(
        "conf.d/links.toml",
        "[links.central]\nkind = 'central'\nhost = 'localhost'\n",
    );
    write("rooms/1.toml", "[[room]]\nid = '1'\nclimate = false\n");
    write("rooms/notes.txt", "no TOML at all");
    write(
        "own/mine.toml",
        &text_of("device-profiles/z2m-contact.toml").replace("\"z2m-contact\"", "\"mine\""),
    );
    let report = check(&[folder.path().to_owned()]);
    let summary = report.summary.clone().unwrap_or_else(|| panic!("{report}"));
    assert_eq!((summary.files, summary.rooms, summary.links), (3, 1, 1));
    assert!(load(&[folder.path().to_owned()]).unwrap().1.get("mine").is_some());

    let report = check(&[folder.path().join("nowhere")]);
    assert!(
        !report.may_run() && report.to_string().contains("cannot be read"),
        "{report}"
    );
}

#[test]
fn a_draft_without_leave_only_listens() {
    let text = text_of("config/small-hotel.toml");
    let listening = text
        + "[[room]]\nid = '17'\nclimate = false\n[[room.device]]\nid = 'c-17'\nprofile = 'inels-rftc3-hotel'\nlink = 'zigbee'\n\
           params = { mac = 'AA' }\nallow_draft = false\n";
    let configured = from_str("hotel", &listening, &library()).unwrap_or_else(|faults| panic!("{}", lines(&faults)));
    let room = configured
        .property
        .rooms
        .iter()
        .find(|room| room.id.as_str() == "17")
        .unwrap();
    assert!(room.devices[0].abilities.is_empty() && !room.devices[0].reports.is_empty());
}

#[test]
fn the_hash_names_the_meaning_not_the_text() {
    let text = text_of("config/small-hotel.toml");
    let hash = |text: &str| from_str("hotel", text, &library()).unwrap().hash;
    let bare: String = text
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| format!("{line}  \n"))
        .collect();
    assert_eq!(hash(&text), hash(&bare));
    assert_ne!(hash(&text), hash(&text.replace("comfort = 21.5", "comfort = 21.6")));
    assert_ne!(hash(&text), hash(&text.replace("unit    = 16", "unit    = 17")));
}

#[test]
fn a_reload_restarts_only_the_links_whose_own_settings_changed() {
    let text = text_of("config/small-hotel.toml");
    let read = |text: &str| from_str("hotel", text, &library()).unwrap_or_else(|faults| panic!("{}", lines(&faults)));
    let told = |new: &str| {
        diff(&read(&text), &read(new))
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join("\n")
    };
    let kept = ["central", "corridor", "stays", "weather", "zigbee"]
        .map(|id| format!("link {id}: kept"))
        .join("\n");
    assert_eq!(told(&text), kept);

    let new = text
        .replace("baud   = 19200", "baud   = 9600")
        .replace("rooms = [\"11..14\"]", "rooms = [\"10\", \"11..14\"]\n")
        .replace("\"1\" = [\"11..16\"]", "\"1\" = [\"10..15\"]")
        .replace("unit_from = 11", "unit_from = 21")
        .replace("comfort = 21.5", "comfort = 21")
        + "[observe]\nlog = 'debug'\n";
    // The first room of each entry has the first unit, so a room by itself would share it.
    let new = new.replace("rooms = [\"10\", \"11..14\"]", "rooms = [\"10..14\"]");
    assert_eq!(
        told(&new),
        "link central: kept\n\
         link corridor: restarted, its settings changed\n\
         link stays: kept\n\
         link weather: kept\n\
         link zigbee: kept, its devices are bound anew\n\
         rooms added: 10\n\
         rooms changed, their state is kept: 16\n\
         policies.comfort: 21.5 -> 21.0\n\
         observe: changed, takes effect at the next start of the daemon"
    );
}

/// A hotel of 300 rooms on 25 floors, 6 devices a room, each floor's thermostats on a bus of its own.
fn large_hotel() -> String {
    let mut text = String::from(
        "[property]\nid = 'large'\nzone = 'Asia/Singapore'\n[links.central]\nkind = 'central'\nhost = 'localhost'\n[links.zigbee]\nkind = 'mqtt'\nhost = 'h'\n",
    );
    let floors: Vec<u32> = (1..=25).collect();
    for floor in &floors {
        text += &format!("[links.bus-{floor}]\nkind = 'modbus'\nserial = '/dev/ttyS{floor}'\n");
    }
    text += "[floors]\n";
    for floor in &floors {
        text += &format!("{floor} = ['{floor:02}01..{floor:02}12']\n");
    }
    let ranges: Vec<String> = floors
        .iter()
        .map(|floor| format!("'{floor:02}01..{floor:02}12'"))
        .collect();
    text += &format!("[template.standard]\nrooms = [{}]\n", ranges.join(", "));
    text += "[[template.standard.device]]\nid = 't-{room}'\nprofile = 'siemens-rdf302'\nlink = 'bus-{floor}'\nunit_from = 1\n";
    for (what, role) in [
        ("door", "door"),
        ("window", "window"),
        ("balcony", "balcony"),
        ("minibar", "minibar"),
        ("safe", "safe"),
    ] {
        text += &format!(
            "[[template.standard.device]]\nid = '{what}-{{room}}'\nprofile = 'z2m-contact'\nlink = 'zigbee'\nrole = '{role}'\nparams = {{ name = 'r/{{room}}/{what}' }}\n"
        );
    }
    text
}

/// The time is told: `cargo test --release config::tests::three_hundred -- --nocapture`.
#[test]
fn three_hundred_rooms_of_six_devices_mean_the_same_by_template_and_written_out() {
    let (text, library) = (large_hotel(), library());
    let read = |text: &str| {
        let began = std::time::Instant::now();
        let configured = from_str("large", text, &library).unwrap_or_else(|faults| panic!("{}", lines(&faults)));
        (began.elapsed(), configured)
    };
    let best = |text: &str| (0..5).map(|_| read(text)).min_by_key(|(took, _)| *took).unwrap();
    let (by_template, configured) = best(&text);
    assert_eq!(
        (configured.property.rooms.len(), configured.bindings.len()),
        (300, 1800)
    );

    let written = written_out(&configured);
    let (line_by_line, again) = best(&written);
    assert_eq!(again.hash, configured.hash);
    assert_eq!(again, configured);
    println!(
        "300 rooms x 6 devices: by template {by_template:?}, in {} lines {line_by_line:?}",
        written.lines().count()
    );
}

/// The large hotel with every room and device written by itself.
fn written_out(configured: &Configured) -> String {
    let head = large_hotel();
    let mut text = head[..head.find("[floors]").unwrap()].to_owned();
    for room in &configured.property.rooms {
        text += &format!(
            "[[room]]\nid = '{}'\nfloor = '{}'\n",
            room.id,
            room.floor.as_deref().unwrap()
        );
        for device in &room.devices {
            let binding = &configured.bindings[&device.id];
            text += &format!(
                "[[room.device]]\nid = '{}'\nprofile = '{}'\nlink = '{}'\n",
                device.id, device.profile, binding.link
            );
            text += &binding.unit.map_or(String::new(), |unit| format!("unit = {unit}\n"));
            if let Some(name) = binding.params.get("name") {
                text += &format!("params = {{ name = '{name}' }}\n");
                text += &format!("role = {}\n", serde_json::to_string(&device.role).unwrap());
            }
        }
    }
    text
}

const MATTRESS: &str = r#"
schema = 1
id = "mattress"
revision = 1
kind = "mattress"
title = "A mattress"
trust = "maker"
[[source]]
what = "made up for this test"
ref = "-"
[link]
type = "mqtt_json"
state = "{base}/{name}"
set = "{base}/{name}/set"
[point.firmness]
from = "firmness"
kind = "number"
unit = "%"
valid = [0, 100]
evidence = "guest"
[command.firmness]
arg = { kind = "number", unit = "%", min = 0, max = 100, step = 1 }
put = { firmness = "$arg" }
budget = { min_gap = "1m", per_day = 20 }
"#;

#[test]
fn a_room_may_keep_its_mattress_as_the_guest_left_it() {
    let mut library = library();
    library
        .overlay([("mattress.toml", MATTRESS)])
        .unwrap_or_else(|faults| panic!("{faults:?}"));
    let hotel = |wish: &str| {
        format!(
            "[property]\nid = 'p'\nzone = 'UTC'\n[links.z]\nkind = 'mqtt'\nhost = 'h'\n[[room]]\nid = '1'\nclimate = false\n{wish}\n\
             [[room.device]]\nid = 'bed-1'\nprofile = 'mattress'\nlink = 'z'\nparams = {{ name = 'bed-1' }}\n"
        )
    };
    let told = |wish: &str| {
        let configured =
            from_str("hotel", &hotel(wish), &library).unwrap_or_else(|faults| panic!("{}", lines(&faults)));
        configured.property.rooms[0]
            .actuator(crate::model::Point::Firmness)
            .is_some()
    };
    assert!(told("") && told("prepare_firmness = true"));
    assert!(!told("prepare_firmness = false"));
}

#[test]
fn a_rooms_own_share_of_the_plant_comes_before_its_templates() {
    let text = "[property]\nid = 'p'\nzone = 'UTC'\n[template.suite]\nrooms = ['2', '3']\noutput_percent = 200\nclimate = false\n\
                [[room]]\nid = '1'\nclimate = false\n[[room]]\nid = '3'\noutput_percent = 150\n";
    let configured = from_str("hotel", text, &library()).unwrap_or_else(|faults| panic!("{}", lines(&faults)));
    let mut rooms: Vec<_> = configured.property.rooms.iter().collect();
    rooms.sort_by_key(|room| room.id.as_str().to_owned());
    let sizes: Vec<f64> = rooms.iter().map(|room| room.in_usual_rooms()).collect();
    assert_eq!(sizes, [1.0, 2.0, 1.5]);
    let wrong = text.replace("150", "5");
    assert!(from_str("hotel", &wrong, &library()).is_err(), "5 % is no room");
}

#[test]
fn a_text_with_a_line_lost_or_cut_is_told_a_place_that_exists() {
    let (whole, library) = (text_of("config/small-hotel.toml"), library());
    let all: Vec<&str> = whole.lines().collect();
    for n in 0..all.len() {
        let lost = [&all[..n], &all[n + 1..]].concat().join("\n");
        let cut = &whole[..whole.len() * n / all.len()];
        for text in [lost.as_str(), cut] {
            for fault in from_str("hotel", text, &library).err().unwrap_or_default() {
                assert!(
                    (1..=text.lines().count().max(1)).contains(&fault.line) && fault.column > 0,
                    "{fault}"
                );
            }
        }
    }
}
