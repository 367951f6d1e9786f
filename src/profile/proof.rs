//! Is what is shipped true, and does the layer keep its promises for every input?
//!
//! The profiles against their golden examples, the list against the folder, decoding and encoding against each other for
//! every value there is, and properties that must hold for bytes and registers nobody thought of.

use super::*;
use crate::model::{DeviceId, Quality, Value};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

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

fn library() -> &'static Library {
    static SHIPPED: LazyLock<Library> = LazyLock::new(shipped);
    &SHIPPED
}

fn shipped() -> Library {
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

/// Holds every entry of an inventory to the profile that stands beside it; returns how many there are.
fn matches_inventory(file: &str) -> usize {
    let library = library();
    let text = std::fs::read_to_string(folder().join("inventory").join(file)).unwrap();
    let mut wrong = Vec::new();
    for line in text.lines() {
        let row: serde_json::Value = serde_json::from_str(line).unwrap();
        let found = library.match_line(&row["entry"]);
        if found.profile.as_ref().map(ProfileId::as_str) != row["profile"].as_str() {
            wrong.push(format!("{:?} expected {}, came {found:?}", found.model, row["profile"]));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    text.lines().count()
}

#[test]
fn every_device_of_the_recorded_inventory_matches_its_profile() {
    assert!(matches_inventory("zigbee2mqtt.jsonl") >= 40);
}

#[test]
fn models_never_heard_are_matched_by_what_they_expose() {
    assert!(matches_inventory("zigbee2mqtt-unheard.jsonl") >= 40);
}

/// The table of `device-profiles/README.md`, one row for each shipped profile.
fn table() -> String {
    let word = |value: serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let mut table = String::from(
        "| id | device | kind | link | points | commands | trust | source |\n|---|---|---|---|---|---|---|---|\n",
    );
    for profile in library().iter() {
        let file = profile.file();
        let link = match &file.link {
            format::Link::MqttJson(_) => "MQTT, JSON",
            format::Link::MqttText(_) => "MQTT, text",
            format::Link::Modbus(_) => "Modbus",
        };
        let names = |names: Vec<&str>| names.join(", ");
        let points = names(profile.points().iter().map(|model| model.point.name()).collect());
        let commands = names(profile.commands.iter().map(|model| model.point.name()).collect());
        let source = file
            .source
            .iter()
            .map(|source| source.at.as_str())
            .collect::<Vec<_>>()
            .join("; ");
        let cells = [
            format!("`{}`", profile.id()),
            file.title.clone(),
            word(serde_json::to_value(file.kind).unwrap()),
            link.to_owned(),
            points,
            commands,
            word(serde_json::to_value(file.trust).unwrap()),
            source,
        ];
        table.push_str(&format!(
            "| {} |\n",
            cells.map(|cell| cell.replace('|', "\\|")).join(" | ")
        ));
    }
    table
}

/// `INNKEEPER_BLESS=1` writes the table anew.
#[test]
fn the_table_of_shipped_profiles_is_that_of_the_library() {
    const MARK: &str = "<!-- the rows below are written by INNKEEPER_BLESS=1 cargo test --lib --no-default-features profile::proof -->\n";
    let path = folder().join("README.md");
    let text = std::fs::read_to_string(&path).unwrap();
    let (head, rows) = text.split_once(MARK).expect("the README has the mark");
    let table = table();
    if std::env::var_os("INNKEEPER_BLESS").is_some() {
        std::fs::write(&path, format!("{head}{MARK}{table}")).unwrap();
        return;
    }
    assert_eq!(rows, table, "run with INNKEEPER_BLESS=1 and read what changed");
}

fn bound(profile: &Arc<Profile>) -> DeviceBinding {
    DeviceBinding::with_defaults(profile, Parameters::new()).expect("defaults bind")
}

#[test]
fn a_row_that_does_not_hold_is_told() {
    let library = library();
    let contact = library.get("z2m-contact").unwrap();
    let told = |row: &str| {
        let report = examples::run(contact, &examples::rows(row).unwrap());
        report.failures.first().map(|failure| failure.wrong.clone())
    };
    let row = r#"{"name":"a","topic":"z/d","payload":"{\"contact\":false}","expect":[["open",false,"good"]]}"#;
    assert!(told(row).unwrap().contains("came [[open, true, good]]"));
    assert!(
        told(r#"{"name":"a","topic":"z/d","payload":"{}"}"#)
            .unwrap()
            .contains("claims nothing")
    );
    assert!(told(r#"{"name":"a"}"#).unwrap().contains("gives nothing"));
    assert!(
        told(r#"{"name":"a","topic":"z/d","payload":"","expect":[]}"#)
            .unwrap()
            .contains("forgotten")
    );
    assert!(
        examples::rows(r#"{"name":"a","expct":[]}"#).is_err(),
        "an unknown key is no row"
    );
    assert!(!examples::run(contact, &[]).passed(), "no row proves nothing");
}

#[test]
fn what_is_not_a_device_of_the_class_is_not_taken() {
    let library = library();
    let entry = |exposes: serde_json::Value| serde_json::json!({ "friendly_name": "x", "type": "EndDevice", "definition": { "model": "NEW-1", "exposes": exposes } });
    let matched = |exposes| library.match_line(&entry(exposes)).profile.map(|id| id.to_string());
    let binary = |name: &str| serde_json::json!({ "type": "binary", "name": name, "property": name, "access": 1 });
    let number = |name: &str, unit: &str| serde_json::json!({ "type": "numeric", "name": name, "property": name, "unit": unit, "access": 1 });
    let battery = number("battery", "%");
    assert_eq!(
        matched(serde_json::json!([
            binary("contact"),
            number("temperature", "°C"),
            binary("vibration"),
            battery
        ])),
        Some("z2m-contact".into())
    );
    assert_eq!(
        matched(serde_json::json!([
            number("temperature", "°C"),
            number("humidity", "%")
        ])),
        Some("z2m-climate-sensor".into())
    );
    assert_eq!(
        matched(serde_json::json!([number("temperature", "°F")])),
        None,
        "another unit is another thing"
    );
    assert_eq!(
        matched(serde_json::json!([number("contact", "%")])),
        None,
        "another type is another thing"
    );
    assert_eq!(matched(serde_json::json!([])), None);
    let setpoint = serde_json::json!({ "type": "numeric", "name": "occupied_heating_setpoint", "property": "occupied_heating_setpoint",
        "unit": "°C", "access": 7, "value_min": 8, "value_max": 28, "value_step": 1 });
    let mode = serde_json::json!({ "type": "enum", "name": "system_mode", "property": "system_mode", "access": 7, "values": ["heat"] });
    let climate =
        serde_json::json!([{ "type": "climate", "features": [setpoint, mode, number("local_temperature", "°C")] }]);
    assert_eq!(matched(climate.clone()), Some("z2m-thermostat".into()));
    let coordinator = serde_json::json!({ "friendly_name": "Coordinator", "type": "Coordinator" });
    assert!(library.match_line(&coordinator).because.contains("coordinator"));

    let inventory = Inventory::of_zigbee2mqtt(&entry(climate));
    let (profile, _) = library.best_match(&inventory);
    let own = profile.unwrap().narrowed(&inventory);
    let target = own
        .abilities()
        .into_iter()
        .find(|ability| ability.point == Point::TargetTemperature)
        .unwrap();
    assert_eq!(
        (target.min, target.max, target.step),
        (Some(8.0), Some(28.0), Some(1.0)),
        "narrowed to the device's own"
    );
    let mode = own
        .abilities()
        .into_iter()
        .find(|ability| ability.point == Point::HvacMode)
        .unwrap();
    assert_eq!(mode.words, ["heat"]);
}

#[test]
fn a_device_is_bound_only_with_what_its_topics_need() {
    let library = library();
    let bind = |id: &str, given: &[(&str, &str)]| {
        let given = given.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let binding = DeviceBinding::new(
            Arc::clone(library.get(id).unwrap()),
            DeviceId::new("d").unwrap(),
            &given,
        );
        binding
            .map(|_| ())
            .map_err(|faults| faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
    };
    assert_eq!(bind("z2m-contact", &[("name", "hotel/1201/door")]), Ok(()));
    assert_eq!(
        bind("z2m-contact", &[]),
        Err("parameter \"name\" is missing; write name = the device's friendly name at the bridge".into())
    );
    assert!(
        bind("z2m-contact", &[("nmae", "x"), ("name", "y")])
            .unwrap_err()
            .contains("did you mean \"name\"?")
    );
    assert!(
        bind("z2m-contact", &[("name", "x/#")])
            .unwrap_err()
            .contains("cannot stand in a topic")
    );
    assert!(
        bind("daikin-dta116a51", &[("index", "64")])
            .unwrap_err()
            .contains("from 0 to 63")
    );
    assert!(
        bind("daikin-dta116a51", &[])
            .unwrap_err()
            .contains("\"index\" is missing")
    );
}

#[test]
fn the_bridges_own_topics_are_no_devices() {
    let library = library();
    let contact = library.get("z2m-contact").unwrap();
    for topic in ["zigbee2mqtt/bridge/devices", "zigbee2mqtt/bridge/info", "zigbee2mqtt"] {
        assert_eq!(
            decode_line(contact, topic, b"{}").rejected,
            Some(Rejection::Topic),
            "{topic}"
        );
    }
    let trv = library.get("z2m-trv").unwrap();
    for topic in [
        "zigbee2mqtt/1201/trv/set",
        "zigbee2mqtt/1201/trv/get",
        "zigbee2mqtt/1201/trv/set/system_mode",
    ] {
        assert_eq!(
            decode_line(trv, topic, b"{}").rejected,
            Some(Rejection::Topic),
            "{topic}"
        );
    }
    let line = decode_line(contact, "zigbee2mqtt/1201/door", br#"{"contact":false,"battery":50}"#);
    assert_eq!(
        serde_json::to_string(&line).unwrap(),
        r#"{"topic":"zigbee2mqtt/1201/door","readings":[{"point":"open","value":true,"unit":null,"quality":"good"},{"point":"battery","value":50,"unit":"%","quality":"good"}],"rejected":null}"#
    );
}

#[test]
fn limits_come_before_parsing() {
    let library = library();
    let contact = library.get("z2m-contact").unwrap();
    let said = |payload: &[u8]| decode_line(contact, "z/d", payload).rejected;
    assert_eq!(said(&vec![b' '; PAYLOAD_BYTES_MAX + 1]), Some(Rejection::TooLarge));
    assert_eq!(said(b"{\"contact\":\"\xff\"}"), Some(Rejection::Utf8));
    assert_eq!(
        said(format!("{}{}", "[".repeat(50_000), "]".repeat(9)).as_bytes()),
        Some(Rejection::Json)
    );
    assert_eq!(
        said(format!("{{\"a\":{}", "[".repeat(50_000)).as_bytes()),
        Some(Rejection::TooDeep)
    );
    assert_eq!(said(b""), Some(Rejection::Forgotten));
}

#[test]
fn a_complaint_of_the_bridge_is_heard_by_the_device_it_names() {
    let library = library();
    let profile = library.get("z2m-plug").unwrap();
    let plug = DeviceBinding::of_topic(profile, "zigbee2mqtt/hotel/1201/plug").unwrap();
    let say = |message: &str, level: &str| {
        let payload = serde_json::json!({ "level": level, "message": message }).to_string();
        plug.decode("zigbee2mqtt/bridge/logging", payload.as_bytes(), false)
            .complaint
    };
    assert!(
        say(
            "z2m: No converter available for 'nonsense' on 'hotel/1201/plug': (1)",
            "error"
        )
        .is_some()
    );
    assert_eq!(
        say(
            "z2m: No converter available for 'x' on 'hotel/1201/plug2': (1)",
            "error"
        ),
        None
    );
    assert_eq!(say("z2m: 'hotel/1201/plug' is fine", "info"), None);
}

/// Every value that a command takes, in steps.
fn every_value(profile: &Profile, ability: &Ability) -> Vec<Value> {
    let read = |json: serde_json::Value| profile.read_argument(ability.point, &json).ok();
    if let (Some(min), Some(max)) = (ability.min, ability.max) {
        let step = ability.step.unwrap_or(0.5);
        let steps = ((max - min) / step + 1e-9) as u32;
        return (0..=steps)
            .filter_map(|n| read((min + f64::from(n) * step).into()))
            .collect();
    }
    let words = ability.words.iter().filter_map(|word| read(word.as_str().into()));
    words
        .chain([true, false].into_iter().filter_map(|flag| read(flag.into())))
        .collect()
}

/// Whether a device is told a point by the key that it reports it by; some have two words for one thing.
fn is_told_by_its_report(profile: &Profile, put: &words::Template, shown: Point) -> bool {
    let shown = profile.point(shown).unwrap();
    let keys = shown.spec.from.iter().flat_map(|from| &from.0);
    let keys = keys.chain(
        shown
            .spec
            .choose
            .iter()
            .flat_map(|choose| choose.from.iter().map(|(_, key)| key)),
    );
    let told = put.texts();
    keys.flat_map(|key| key.rsplit('.').next())
        .any(|key| told.contains(&key))
}

#[test]
fn what_is_told_over_mqtt_is_read_back_as_the_same() {
    let mut values = 0;
    for profile in library().iter().filter(|profile| profile.mqtt().is_some()) {
        for command in &profile.commands {
            let (Some(put), Some(confirm)) = (&command.spec.put, &command.spec.confirm) else {
                continue;
            };
            if !is_told_by_its_report(profile, put, confirm.point) {
                continue;
            }
            let wired = profile
                .parameters()
                .into_iter()
                .map(|need| (need.name, "l1".to_owned()))
                .collect();
            let binding = DeviceBinding::new(Arc::clone(profile), DeviceId::new("d").unwrap(), &wired).unwrap();
            for value in every_value(profile, &command.accepts.ability(command.point, &command.spec)) {
                let known = BTreeMap::from([(Point::HvacMode, Value::Hvac(crate::model::HvacMode::Heat))]);
                let Ok(Encoded::Publish { payload, .. }) = binding.encode(command.point, &value, &known) else {
                    panic!("{}: {value} cannot be told", profile.id());
                };
                let link = profile.mqtt().unwrap();
                let sent: serde_json::Value = serde_json::from_str(&payload).unwrap();
                let said = match &link.root {
                    Some(root) => serde_json::json!({ root.as_str(): sent[root.as_str()] }),
                    None => sent,
                };
                let state = topic::fill(&link.state.0[0], binding.parameters());
                let decoded = binding.decode(&state, said.to_string().as_bytes(), false);
                let shown = decoded
                    .readings
                    .into_iter()
                    .find(|reading| reading.point == confirm.point);
                let shown = shown.unwrap_or_else(|| panic!("{}: {payload} shows nothing", profile.id()));
                assert_eq!(
                    (shown.quality, shown.value.as_ref()),
                    (Quality::Good, Some(&value)),
                    "{}",
                    profile.id()
                );
                values += 1;
            }
        }
    }
    assert!(values > 400, "{values} values were told");
}

#[test]
fn what_is_written_into_a_register_is_read_back_as_the_same() {
    let mut values = 0;
    for profile in library().iter().filter(|profile| profile.modbus().is_some()) {
        let binding = bound(profile);
        for command in &profile.commands {
            let Some(shows) = command
                .spec
                .confirm
                .as_ref()
                .and_then(|confirm| profile.point(confirm.point))
            else {
                continue;
            };
            let at = shows.spec.at.as_ref().unwrap();
            let mirrored = command
                .spec
                .write
                .first()
                .is_some_and(|w| (w.table, w.addr, w.word) == (at.table, at.addr, at.word));
            if !mirrored && profile.id().as_str() != "siemens-rdf302" || at.bits.is_some() || at.mask.is_some() {
                continue;
            }
            for value in every_value(profile, &command.accepts.ability(command.point, &command.spec)) {
                let Ok(Encoded::Writes(writes)) = binding.encode(command.point, &value, &BTreeMap::new()) else {
                    panic!("{}: {value} cannot be told", profile.id());
                };
                let mut image = RegisterImage::default();
                let start = binding.plan(&[shows.point], binding.plan_limits())[0].start;
                image.insert(at.table, start, &writes[0].words);
                let shown = binding
                    .decode_registers(&image)
                    .into_iter()
                    .find(|reading| reading.point == shows.point)
                    .unwrap();
                assert_eq!(
                    (shown.quality, shown.value.as_ref()),
                    (Quality::Good, Some(&value)),
                    "{}",
                    profile.id()
                );
                values += 1;
            }
        }
    }
    assert!(values > 500, "{values} values were written");
}

/// Any state that the Daikin gateway's unit may report.
fn daikin_state() -> impl Strategy<Value = BTreeMap<Point, serde_json::Value>> {
    let fan = prop::sample::select(vec!["auto", "speed1", "speed2", "speed3", "speed4", "speed5"]);
    let mode = prop::sample::select(vec!["fan", "heat", "cool", "auto", "vent", "dry"]);
    (any::<bool>(), 0..8_u8, fan, mode, 320..600_u16).prop_map(|(power, vane, fan, mode, target)| {
        BTreeMap::from([
            (Point::Power, power.into()),
            (Point::AirDirection, vane.into()),
            (Point::FanMode, fan.into()),
            (Point::HvacMode, mode.into()),
            (Point::TargetTemperature, (f64::from(target / 10 * 5) / 10.0).into()),
        ])
    })
}

fn known(state: &BTreeMap<Point, serde_json::Value>) -> BTreeMap<Point, Value> {
    state
        .iter()
        .map(|(point, json)| (*point, point.kind().read(json).unwrap()))
        .collect()
}

proptest! {
    #[test]
    fn a_block_write_changes_only_the_named_field(before in daikin_state(), wish in daikin_state(), which in 0..4_usize) {
        let library = library();
        let daikin = library.get("daikin-dta116a51").unwrap();
        let binding = bound(daikin);
        let point = [Point::Power, Point::HvacMode, Point::TargetTemperature, Point::FanMode][which];
        let before = known(&before);
        let value = daikin.read_argument(point, &wish[&point]).unwrap();
        let words = |value: &Value| match binding.encode(point, value, &before) {
            Ok(Encoded::Writes(writes)) => Some(writes[0].words.clone()),
            _ => None,
        };
        // As it is, written again, against as it is wished.
        if let (Some(same), Some(changed)) = (words(&before[&point]), words(&value)) {
            let block = &daikin.file().block.0[0].1;
            for (n, (a, b)) in same.iter().zip(&changed).enumerate() {
                let fields = block.field.iter().filter(|field| field.point == Some(point) && usize::from(field.word) == n);
                let own = fields.fold(0, |mask, field| mask | lint::mask_of(field.bits));
                prop_assert_eq!((a ^ b) & !own, 0, "word {} of {}", n, point);
            }
        }
    }

    #[test]
    fn no_bytes_make_decoding_panic(bytes in prop::collection::vec(any::<u8>(), 0..300), retained: bool) {
        let library = library();
        for profile in library.iter() {
            let binding = bound(profile);
            let topics: Vec<String> = binding.topics().iter().map(|(topic, _)| topic.to_string()).collect();
            for topic in topics {
                binding.decode(&topic, &bytes, retained);
            }
        }
    }

    #[test]
    fn no_topic_makes_inference_panic(topic in "[ -~\u{00e0}-\u{00ff}]{0,40}", parts in prop::collection::vec("[a-z{}/]{0,4}", 0..6)) {
        topic::infer("{base}/{name}", &topic);
        topic::infer(&parts.join("/"), &topic);
        topic::placeholders(&topic);
    }

    #[test]
    fn a_filled_topic_tells_its_parameters(base in "[a-z0-9]{1,9}", name in "[a-z0-9]{1,5}(/[a-z0-9]{1,5}){0,3}") {
        let given = Parameters::from([("base".to_owned(), base), ("name".to_owned(), name)]);
        for template in ["{base}/{name}", "{base}/{name}/set", "x/{base}/y/{name}/z"] {
            prop_assert_eq!(topic::infer(template, &topic::fill(template, &given)), Some(given.clone()));
        }
    }

    #[test]
    fn a_good_reading_lies_in_its_range(words in prop::collection::vec(any::<u16>(), 12)) {
        let library = library();
        for profile in library.iter().filter(|profile| profile.modbus().is_some()) {
            let binding = bound(profile);
            let mut image = RegisterImage::default();
            for block in binding.plan(&profile.reports(), binding.plan_limits()) {
                let block_words: Vec<u16> = words.iter().cycle().take(usize::from(block.count)).copied().collect();
                image.insert(block.table, block.start, &block_words);
            }
            let readings = binding.decode_registers(&image);
            prop_assert_eq!(readings.len(), profile.points().len(), "every point was read");
            for reading in readings {
                prop_assert_eq!(reading.value.is_some(), reading.quality == Quality::Good);
                let valid = profile.point(reading.point).and_then(|model| model.spec.valid);
                if let (Some([least, most]), Some(number)) = (valid, reading.value.and_then(|value| value.number())) {
                    prop_assert!((least..=most).contains(&number));
                }
            }
        }
    }

    #[test]
    fn a_plan_covers_every_point_once_within_its_group_and_limit(
        places in prop::collection::btree_set(0..200_u16, 1..20),
        max_read in 1..40_u16,
        hole in 0..10_u16,
        group in prop::option::of(2..60_u16),
    ) {
        let profile = Arc::new(registers_at(&places, group));
        let binding = bound(&profile);
        let plan = binding.plan(&profile.reports(), PlanLimits { max_read, hole });
        for addr in &places {
            let covering = plan.iter().filter(|block| (block.start..block.start + block.count).contains(addr));
            prop_assert_eq!(covering.count(), 1, "register {}", addr);
        }
        for block in &plan {
            prop_assert!(block.count <= max_read);
            if let Some(size) = group {
                prop_assert_eq!(block.start / size, (block.start + block.count - 1) / size, "one group only");
            }
            let (last, first) = (block.start + block.count - 1, block.start);
            prop_assert!(places.contains(&first) && places.contains(&last), "nothing read for nothing at the ends");
        }
    }
}

/// A profile with a flag in each of these registers, and groups of a size.
fn registers_at(places: &std::collections::BTreeSet<u16>, group: Option<u16>) -> Profile {
    let flags = Point::ALL
        .iter()
        .filter(|point| point.kind() == crate::model::ValueKind::Flag);
    let words = Point::ALL
        .iter()
        .filter(|point| point.kind() == crate::model::ValueKind::Word);
    let mut text = "schema = 1\nid = 'x'\nrevision = 1\nkind = 'meter'\ntitle = 'X'\ntrust = 'draft'\n[[source]]\nwhat = 'a'\nref = 'b'\n[link]\ntype = 'modbus'\nframing = ['rtu']\n".to_owned();
    for n in 0..group.map_or(0, |size| 200 / size + 1) {
        let size = group.unwrap_or(1);
        text.push_str(&format!(
            "[[link.group]]\ntable = 'holding'\nfrom = {}\nto = {}\n",
            n * size,
            n * size + size - 1
        ));
    }
    for (point, addr) in flags.chain(words).zip(places) {
        let form = if point.kind() == crate::model::ValueKind::Flag {
            "kind = 'bool'\nmap = { 0 = false, 1 = true }"
        } else {
            "kind = 'word'"
        };
        text.push_str(&format!(
            "[point.{point}]\nat = {{ table = 'holding', addr = {addr} }}\n{form}\n"
        ));
    }
    Profile::parse("x.toml", &text).unwrap_or_else(|faults| panic!("{}", faults[0]))
}

#[test]
fn the_worked_examples_of_the_documentation_hold() {
    let text = std::fs::read_to_string(folder().with_file_name("docs").join("device-profiles.md")).unwrap();
    let blocks: Vec<&str> = text.split("```").skip(1).step_by(2).collect();
    let mut proven = 0;
    for (n, block) in blocks.iter().enumerate() {
        let Some(profile) = block.strip_prefix("toml\n").filter(|toml| toml.starts_with("schema")) else {
            continue;
        };
        let profile = Profile::parse("docs", profile).unwrap_or_else(|faults| panic!("{}", faults[0]));
        let rows = examples::rows(blocks[n + 1].strip_prefix("json\n").unwrap()).unwrap();
        assert_eq!(examples::run(&Arc::new(profile), &rows).failures, []);
        proven += rows.len();
    }
    assert_eq!(proven, 11);
}
