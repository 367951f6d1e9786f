//! Which profile fits a device that a bridge tells of?
//!
//! A profile that names the model wins. Else every profile whose wanted exposes the device has, of the right type and
//! unit, is a candidate; the one that says what the device mainly is (`rank`) wins, then the one that recognised the most.
//! So a model never seen before is matched by what it can do.

use super::answer::MatchLine;
use super::format::{Match, ValueForm, Want};
use super::words::{Scalar, Template};
use super::{CommandModel, Profile};
use serde_json::Value as Json;

/// The rank of a profile that does not say one.
const RANK: u8 = 50;

/// The most exposes looked at of one device; the richest seen has 130.
const EXPOSES_MAX: usize = 1000;

/// How deep exposes may nest: a composite within a composite.
const NESTING_MAX: usize = 4;

/// What a bridge says of one device.
#[derive(Debug, Clone, Default)]
pub struct Inventory {
    /// The name it has at the bridge.
    pub friendly_name: String,
    /// Its model, when the bridge knows it.
    pub model: Option<String>,
    /// Why it is no device to be matched, if so.
    excuse: Option<&'static str>,
    exposes: Vec<Expose>,
}

/// One thing a device exposes.
#[derive(Debug, Clone, Default)]
struct Expose {
    name: String,
    property: String,
    kind: String,
    unit: Option<String>,
    values: Vec<String>,
    /// The composite it stands in.
    within: Option<String>,
    range: [Option<f64>; 3],
    /// Whether it may be set.
    settable: bool,
}

impl Inventory {
    /// Reads one entry of zigbee2mqtt's `bridge/devices`. What is not as expected is left out.
    pub fn of_zigbee2mqtt(entry: &Json) -> Self {
        let text = |value: &Json, key: &str| value.get(key).and_then(Json::as_str).map(str::to_owned);
        let definition = entry.get("definition").filter(|definition| definition.is_object());
        let excuse = match (text(entry, "type").as_deref(), definition) {
            (Some("Coordinator"), _) => Some("the coordinator is the bridge's own radio"),
            (_, None) => Some("the bridge has no definition of the model"),
            _ => None,
        };
        let mut exposes = Vec::new();
        let listed = definition.and_then(|definition| definition.get("exposes"));
        flatten(listed, None, 0, &mut exposes);
        Self {
            friendly_name: text(entry, "friendly_name").unwrap_or_default(),
            model: definition.and_then(|definition| text(definition, "model")),
            excuse,
            exposes,
        }
    }

    /// The property names it exposes.
    pub fn properties(&self) -> Vec<&str> {
        self.exposes.iter().map(|expose| expose.property.as_str()).collect()
    }
}

fn flatten(list: Option<&Json>, within: Option<&str>, depth: usize, out: &mut Vec<Expose>) {
    if depth > NESTING_MAX {
        return;
    }
    for entry in list.and_then(Json::as_array).map_or(&[][..], Vec::as_slice) {
        if out.len() >= EXPOSES_MAX {
            return;
        }
        let text = |key: &str| entry.get(key).and_then(Json::as_str);
        let kind = text("type").unwrap_or_default();
        if entry.get("features").is_some() && kind != "composite" && kind != "list" {
            flatten(entry.get("features"), Some(kind), depth + 1, out);
            continue;
        }
        let Some(name) = text("name").or(text("property")) else {
            continue;
        };
        let number = |key: &str| entry.get(key).and_then(Json::as_f64);
        let words = ["value_on", "value_off"].iter().filter_map(|key| entry.get(*key));
        let words = words.chain(entry.get("values").and_then(Json::as_array).into_iter().flatten());
        out.push(Expose {
            name: name.to_owned(),
            property: text("property").unwrap_or(name).to_owned(),
            kind: kind.to_owned(),
            unit: text("unit").map(str::to_owned),
            values: words
                .map(|word| word.as_str().map_or_else(|| word.to_string(), str::to_owned))
                .collect(),
            within: within.map(str::to_owned),
            range: [number("value_min"), number("value_max"), number("value_step")],
            settable: entry
                .get("access")
                .and_then(Json::as_u64)
                .is_some_and(|access| access & 2 != 0),
        });
    }
}

impl Want {
    fn is_in(&self, inventory: &Inventory) -> bool {
        inventory.exposes.iter().any(|expose| self.is(expose))
    }

    fn is(&self, expose: &Expose) -> bool {
        let full = match self {
            Want::Name(name) => return *name == expose.property,
            Want::Full(full) => full,
        };
        let named = full.name.0.iter().any(|name| {
            if full.gangs {
                *name == expose.name && expose.property != expose.name
            } else {
                *name == expose.property
            }
        });
        named
            && full.kind.as_ref().is_none_or(|kind| *kind == expose.kind)
            && full.unit.as_ref().is_none_or(|unit| Some(unit) == expose.unit.as_ref())
            && full
                .within
                .as_ref()
                .is_none_or(|within| Some(within) == expose.within.as_ref())
            && full.values.iter().all(|value| expose.values.contains(value))
    }

    fn in_words(&self) -> String {
        match self {
            Want::Name(name) => name.clone(),
            Want::Full(full) => full.name.0.join(" or "),
        }
    }
}

/// How well a profile fits: by model, by rank, by how much it recognised; then the first by name.
type Fit<'a> = (bool, u8, usize, std::cmp::Reverse<&'a str>);

/// Returns the profile that fits best, and why.
pub(super) fn best<'a>(
    inventory: &Inventory,
    profiles: impl Iterator<Item = &'a std::sync::Arc<Profile>>,
) -> (Option<&'a std::sync::Arc<Profile>>, String) {
    if let Some(excuse) = inventory.excuse {
        return (None, excuse.to_owned());
    }
    let fitting = profiles.filter_map(|profile| Some((fit(inventory, profile)?, profile)));
    match fitting.max_by(|(a, _), (b, _)| a.cmp(b)) {
        Some(((true, ..), profile)) => {
            let model = inventory.model.as_deref().unwrap_or_default();
            (Some(profile), format!("model {model} is named by the profile"))
        }
        Some((_, profile)) => {
            let wants = profile.file().recognise.iter().flat_map(|m| m.exposes.iter());
            let words = wants.map(Want::in_words).collect::<Vec<_>>().join(", ");
            (Some(profile), format!("exposes {words}"))
        }
        None => {
            let shown = inventory
                .properties()
                .into_iter()
                .take(12)
                .collect::<Vec<_>>()
                .join(", ");
            (None, format!("no profile reads what it exposes: {shown}"))
        }
    }
}

fn fit<'a>(inventory: &Inventory, profile: &'a Profile) -> Option<Fit<'a>> {
    let rules = profile
        .file()
        .recognise
        .as_ref()
        .filter(|rules| rules.via == "zigbee2mqtt")?;
    let by_model = inventory
        .model
        .as_ref()
        .is_some_and(|model| rules.model.contains(model));
    let name = std::cmp::Reverse(profile.id().as_str());
    if by_model {
        return Some((true, u8::MAX, rules.exposes.len(), name));
    }
    by_exposes(inventory, rules).then(|| (false, rules.rank.unwrap_or(RANK), rules.exposes.len(), name))
}

fn by_exposes(inventory: &Inventory, rules: &Match) -> bool {
    !rules.exposes.is_empty()
        && rules.exposes.iter().all(|want| want.is_in(inventory))
        && !rules.without.iter().any(|want| want.is_in(inventory))
}

/// Returns the answer of `innkeeper profile match` for one device.
pub(super) fn line<'a>(
    inventory: &Inventory,
    profiles: impl Iterator<Item = &'a std::sync::Arc<Profile>>,
) -> MatchLine {
    let (profile, because) = best(inventory, profiles);
    MatchLine {
        friendly_name: inventory.friendly_name.clone(),
        model: inventory.model.clone(),
        profile: profile.map(|profile| profile.id().clone()),
        because,
    }
}

impl Profile {
    /// Returns the profile with its commands narrowed to what this device says it takes: its range, its step, its words.
    /// A class profile speaks of every device of the class; one device may take less. A command whose key the device
    /// does not let itself be told is left out.
    pub fn narrowed(&self, inventory: &Inventory) -> Profile {
        let mut own = self.clone();
        for command in own.commands_mut() {
            narrow(command, inventory);
        }
        own.commands.retain(|command| is_told(command, inventory));
        own
    }
}

/// The exposes that a command sets.
fn set_by<'a>(command: &CommandModel, inventory: &'a Inventory) -> Vec<&'a Expose> {
    let puts = command
        .spec
        .put
        .iter()
        .chain(command.spec.put_when.iter().map(|when| &when.put));
    let keys: Vec<&str> = puts.flat_map(keys_of_arg).collect();
    inventory
        .exposes
        .iter()
        .filter(|expose| keys.contains(&expose.property.as_str()))
        .collect()
}

fn keys_of_arg(put: &Template) -> Vec<&str> {
    match put {
        Template::Object(entries) => entries
            .iter()
            .filter(|(_, value)| value.has_hole("$arg"))
            .map(|(key, _)| key.as_str())
            .collect(),
        _ => Vec::new(),
    }
}

fn is_told(command: &CommandModel, inventory: &Inventory) -> bool {
    let set = set_by(command, inventory);
    let listed = command.spec.put.is_none() || inventory.exposes.is_empty() || command_has_holes(command);
    listed || set.iter().any(|expose| expose.settable)
}

/// Whether the command's keys hang on parameters, so that the inventory cannot tell of them.
fn command_has_holes(command: &CommandModel) -> bool {
    command.spec.put.iter().any(|put| {
        put.texts()
            .iter()
            .any(|text| !super::topic::placeholders(text).is_empty())
    })
}

fn narrow(command: &mut CommandModel, inventory: &Inventory) {
    for expose in set_by(command, inventory) {
        let accepts = &mut command.accepts;
        if command.spec.arg.kind == ValueForm::Number && accepts.scale == 1.0 {
            let [min, max, step] = expose.range;
            accepts.min = min.map_or(accepts.min, |min| min.max(accepts.min));
            accepts.max = max.map_or(accepts.max, |max| max.min(accepts.max));
            accepts.step = step.filter(|step| *step > 0.0).or(accepts.step);
        } else if !expose.values.is_empty() {
            accepts.told.retain(|(_, raw)| match raw {
                Scalar::Text(word) => expose.values.contains(word),
                other => expose.values.contains(&other.text()),
            });
        }
    }
}
