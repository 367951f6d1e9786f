//! Is each device one that exists, on a link that carries it, and able to do what is asked of it?

use crate::config::device_model::{DeviceModel, ModbusModel, Wire};
use crate::config::fault::Severity;
use crate::config::gather::{Desk, Gathered};
use crate::config::link::{Link, ModbusLink, Parity};
use crate::config::models::Models;
use crate::config::rooms::{Device, Room};
use crate::model::{Celsius, DeviceRole, LinkId, Point, PointRole, Symbol, Value, ValueKind};
use crate::strict::did_you_mean;
use std::collections::{BTreeMap, HashMap};

/// The wishes a button may mean.
const BUTTON_POINTS: [Point; 4] = [Point::Dnd, Point::MakeUpRoom, Point::ButlerCall, Point::EmergencyCall];

/// A device whose profile and link are known.
#[derive(Debug)]
pub(in crate::config) struct Bound<'a> {
    pub(in crate::config) device: &'a Device,
    pub(in crate::config) model: &'a DeviceModel,
    pub(in crate::config) link: LinkId,
    /// Whether it may be commanded at all.
    pub(in crate::config) commands: bool,
    /// What the profile's placeholders are for this device.
    pub(in crate::config) params: BTreeMap<String, String>,
    /// Its Modbus unit address.
    pub(in crate::config) unit: Option<u8>,
    /// Which of a gateway's units it is.
    pub(in crate::config) index: Option<u16>,
    pub(in crate::config) buttons: BTreeMap<Symbol, Point>,
    pub(in crate::config) hand_back: Vec<(Point, Value)>,
}

/// Checks every device, and binds those whose profile and link are known; one list a room.
pub(in crate::config) fn bind<'a>(
    desk: &mut Desk,
    all: &Gathered,
    rooms: &'a [Room],
    models: &'a Models,
) -> Vec<Vec<Bound<'a>>> {
    let mut seen = Seen::default();
    let mut bound = Vec::with_capacity(rooms.len());
    for room in rooms {
        let mut in_room = Vec::with_capacity(room.devices.len());
        for device in &room.devices {
            seen.name(desk, room, device);
            let here = Check { all, room, device };
            if let Some(one) = here.bind(desk, models) {
                seen.address(desk, &one);
                in_room.push(one);
            }
        }
        bound.push(in_room);
    }
    bound
}

/// Names and addresses that are taken.
#[derive(Default)]
struct Seen<'a> {
    names: HashMap<&'a str, (&'a Room, &'a Device)>,
    addresses: HashMap<(LinkId, String), &'a Device>,
}

impl<'a> Seen<'a> {
    fn name(&mut self, desk: &mut Desk, room: &'a Room, device: &'a Device) {
        let Some((other_room, other)) = self.names.insert(device.id.as_str(), (room, device)) else {
            return;
        };
        let at = other.place(desk);
        let first = desk.tell(&at);
        let what = if other_room.id == room.id {
            format!(
                "room {} has two devices {:?}, the first at {first}",
                room.id,
                device.id.as_str()
            )
        } else {
            format!(
                "device {:?} is in room {} and in room {}, first at {first}",
                device.id.as_str(),
                other_room.id,
                room.id
            )
        };
        let place = device.place(desk);
        desk.note(
            Severity::Error,
            &place,
            "twice",
            what,
            "give each device an id of its own; in a template put {room} in it",
        );
    }

    fn address(&mut self, desk: &mut Desk, bound: &Bound<'a>) {
        let key = match &bound.model.wire {
            Wire::Mqtt { topics } => {
                for topic in topics
                    .iter()
                    .map(|topic| filled(topic, &bound.params))
                    .filter(|topic| !topic.contains('{'))
                {
                    self.take(desk, bound, "params", topic.clone(), format!("topic {topic:?}"));
                }
                return;
            }
            Wire::Modbus(_) => match (bound.unit, bound.index) {
                (Some(unit), Some(index)) => format!("unit {unit}, index {index}"),
                (Some(unit), None) => format!("unit {unit}"),
                (None, _) => return,
            },
        };
        let key_of = if bound.index.is_some() { "index" } else { "unit" };
        self.take(desk, bound, key_of, key.clone(), key);
    }

    fn take(&mut self, desk: &mut Desk, bound: &Bound<'a>, key: &str, address: String, words: String) {
        let Some(other) = self.addresses.insert((bound.link.clone(), address), bound.device) else {
            return;
        };
        if other.id == bound.device.id {
            return;
        }
        let what = format!(
            "{} and {} are both {words} of {}",
            other.id, bound.device.id, bound.link
        );
        let place = bound.device.at(desk, key);
        desk.note(
            Severity::Error,
            &place,
            "address",
            what,
            "each device needs an address of its own",
        );
    }
}

fn filled(topic: &str, params: &BTreeMap<String, String>) -> String {
    params.iter().fold(topic.to_owned(), |topic, (name, value)| {
        topic.replace(&format!("{{{name}}}"), value)
    })
}

struct Check<'a, 'g> {
    all: &'g Gathered,
    room: &'a Room,
    device: &'a Device,
}

impl<'a> Check<'a, '_> {
    fn bind(&self, desk: &mut Desk, models: &'a Models) -> Option<Bound<'a>> {
        let model = self.model(desk, models);
        let link = self.link(desk);
        self.zone(desk);
        let model = model?;
        self.role(desk, model);
        let commands = self.draft(desk, model);
        let buttons = self.buttons(desk, model);
        let hand_back = self.hand_back(desk, model);
        if commands {
            self.climate(desk, model);
        }
        let (id, link) = link?;
        let (params, unit, index) = self.address(desk, model, &id, link)?;
        Some(Bound {
            device: self.device,
            model,
            link: id,
            commands,
            params,
            unit,
            index,
            buttons,
            hand_back,
        })
    }

    fn fault(
        &self,
        desk: &mut Desk,
        severity: Severity,
        key: &str,
        about: &str,
        what: String,
        help: impl Into<String>,
    ) {
        if !self.device.lost(desk, key) {
            let place = self.device.at(desk, key);
            desk.note(severity, &place, about, what, help);
        }
    }

    fn error(&self, desk: &mut Desk, key: &str, what: String, help: impl Into<String>) {
        self.fault(desk, Severity::Error, key, key, what, help);
    }

    fn model(&self, desk: &mut Desk, models: &'a Models) -> Option<&'a DeviceModel> {
        let Some(profile) = &self.device.section.profile else {
            let what = format!("device {} names no profile", self.device.id);
            self.error(
                desk,
                "profile",
                what,
                "write profile = \"...\"; `innkeeper profiles` lists them",
            );
            return None;
        };
        let model = models.get(profile);
        if model.is_none() {
            let help = models.nearest(profile.as_str());
            self.error(
                desk,
                "profile",
                format!("device {}: there is no profile {:?}", self.device.id, profile.as_str()),
                help,
            );
        }
        model
    }

    fn link(&self, desk: &mut Desk) -> Option<(LinkId, &Link)> {
        let Some(name) = self.device.section.link.as_deref() else {
            let what = format!("device {} names no link", self.device.id);
            self.error(desk, "link", what, "write link = \"...\", the name of one of [links]");
            return None;
        };
        if name.contains("{floor}") || self.all.unread.contains(name) {
            return None;
        }
        let found = LinkId::new(name)
            .ok()
            .and_then(|id| self.all.links.get(&id).map(|piece| (id, &piece.value)));
        if found.is_none() {
            let help = did_you_mean(name, self.all.links.keys().map(LinkId::as_str));
            self.error(
                desk,
                "link",
                format!("device {} is on link {name:?}, which is not there", self.device.id),
                help,
            );
        }
        found
    }

    fn zone(&self, desk: &mut Desk) {
        let Some(zone) = self
            .device
            .section
            .zone
            .as_ref()
            .filter(|zone| !self.room.zones.contains(zone))
        else {
            return;
        };
        let what = format!(
            "device {} is in zone {:?}, which room {} does not have",
            self.device.id,
            zone.as_str(),
            self.room.id
        );
        let known: Vec<&str> = self.room.zones.iter().map(|zone| zone.as_str()).collect();
        let help = if known.is_empty() {
            format!("write zones = [\"{zone}\"] in the room")
        } else {
            did_you_mean(zone.as_str(), known)
        };
        self.error(desk, "zone", what, help);
    }

    fn role(&self, desk: &mut Desk, model: &DeviceModel) {
        let opens = model.reports.contains(&Point::Open);
        match self.device.section.role {
            None | Some(DeviceRole::Plain) if is_bare_contact(model) => {
                let what = format!("device {} is a contact, but on what?", self.device.id);
                let help = "write role = \"door\", \"window\", \"balcony\", \"connecting\", \"minibar\" or \"safe\"";
                self.fault(desk, Severity::Warning, "role", "role", what, help);
            }
            None | Some(DeviceRole::Plain | DeviceRole::Apart) => {}
            Some(DeviceRole::Connecting) if opens && self.room.connects.is_empty() => {
                let what = format!(
                    "device {} is on a connecting door, but room {} opens into no other",
                    self.device.id, self.room.id
                );
                self.error(desk, "role", what, "write connects = [\"...\"] in the room");
            }
            Some(_) if opens => {}
            Some(role) => {
                let word = serde_json::to_value(role)
                    .map(|word| word.to_string())
                    .unwrap_or_default();
                let what = format!("role {word} is for a contact, and {} reports no open", model.id);
                self.error(
                    desk,
                    "role",
                    what,
                    "remove it, or write \"apart\" for a device that tells nothing about people",
                );
            }
        }
    }

    /// Whether the device may be commanded.
    fn draft(&self, desk: &mut Desk, model: &DeviceModel) -> bool {
        if !model.draft || model.abilities.is_empty() {
            return true;
        }
        match self.device.section.allow_draft {
            Some(allowed) => allowed,
            None => {
                let what = format!(
                    "profile {} is a draft: nobody has tried its commands on the real device",
                    model.id
                );
                let help = "write allow_draft = true to command it all the same, allow_draft = false to only listen";
                self.error(desk, "profile", what, help);
                false
            }
        }
    }

    fn buttons(&self, desk: &mut Desk, model: &DeviceModel) -> BTreeMap<Symbol, Point> {
        let written = &self.device.section.buttons;
        if !written.is_empty() && !model.reports.contains(&Point::Action) {
            let what = format!(
                "device {} has no buttons: {} reports no action",
                self.device.id, model.id
            );
            self.error(desk, "buttons", what, "remove buttons");
            return BTreeMap::new();
        }
        for (word, point) in written {
            if let Some(known) = model.actions.as_ref().filter(|known| !known.contains(word)) {
                let what = format!("{} never says {word:?}", model.id);
                let place = self.device.at_word(desk, "buttons", word);
                desk.note(
                    Severity::Error,
                    &place,
                    "word",
                    what,
                    did_you_mean(word, known.iter().map(String::as_str)),
                );
            }
            if !BUTTON_POINTS.contains(point) {
                let place = self.device.at_word(desk, "buttons", word);
                let what = format!("a button cannot mean {point}");
                let help = format!(
                    "write one of {}",
                    BUTTON_POINTS.map(|point| format!("{:?}", point.name())).join(", ")
                );
                desk.note(Severity::Error, &place, "point", what, help);
            }
        }
        written
            .iter()
            .map(|(word, point)| (Symbol::new(word), *point))
            .collect()
    }

    fn hand_back(&self, desk: &mut Desk, model: &DeviceModel) -> Vec<(Point, Value)> {
        let mut told = Vec::new();
        for (point, written) in &self.device.section.hand_back {
            match self.handed(model, *point, &written.0) {
                Ok(value) => told.push((*point, value)),
                Err((what, help)) => {
                    let place = self.device.at_word(desk, "hand_back", point.name());
                    desk.note(Severity::Error, &place, "hand_back", what, help);
                }
            }
        }
        told
    }

    fn handed(
        &self,
        model: &DeviceModel,
        point: Point,
        written: &serde_json::Value,
    ) -> Result<Value, (String, String)> {
        let Some(ability) = model.ability(point) else {
            let known = model.abilities.iter().map(|ability| ability.point.name());
            return Err((
                format!("{} cannot be told {point}", model.id),
                did_you_mean(point.name(), known),
            ));
        };
        let value = point.kind().read(written).map_err(|what| (what, String::new()))?;
        if let Some(number) = value.number() {
            let (low, high) = (ability.min.unwrap_or(f64::MIN), ability.max.unwrap_or(f64::MAX));
            if number < low || number > high {
                return Err((
                    format!("{} takes {point} from {low} to {high}, not {number}", model.id),
                    "write one of these".into(),
                ));
            }
        }
        let limits = &self.all.limits.value;
        if let (Point::TargetTemperature, Some(wish)) = (point, value.temperature())
            && wish != wish.held(limits.temperature_min, limits.temperature_max)
        {
            return Err((
                format!("{wish} is outside the property's limits"),
                "write a value inside, or move [limits]".into(),
            ));
        }
        if let Some(word) = written
            .as_str()
            .filter(|word| !ability.words.is_empty() && !ability.words.iter().any(|w| w == word))
        {
            return Err((
                format!("{} takes no {point} {word:?}", model.id),
                did_you_mean(word, ability.words.iter().map(String::as_str)),
            ));
        }
        Ok(value)
    }

    /// Whether the thermostat can be told what the policies will tell it.
    fn climate(&self, desk: &mut Desk, model: &DeviceModel) {
        let Some(ability) = model.ability(Point::TargetTemperature) else {
            return;
        };
        let (low, high) = (ability.min.unwrap_or(f64::MIN), ability.max.unwrap_or(f64::MAX));
        let takes = |wish: Celsius| (low - 1e-9..=high + 1e-9).contains(&wish.to_f64());
        if let Some(property) = self
            .all
            .property
            .as_ref()
            .filter(|property| !takes(property.value.comfort))
        {
            let what = format!(
                "{} takes set-points from {low} to {high} C, comfort is {}",
                model.id, property.value.comfort
            );
            let place = property.place.key("comfort");
            desk.note(
                Severity::Error,
                &place,
                &format!("range {}", model.id),
                what,
                "write a comfort it takes, or use another thermostat",
            );
        }
        let levels = &self.all.levels;
        let each = [
            ("unsold_heating", levels.value.unsold_heating),
            ("unsold_cooling", levels.value.unsold_cooling),
            ("vacant_heating", levels.value.vacant_heating),
            ("vacant_cooling", levels.value.vacant_cooling),
        ];
        for (name, level) in each.into_iter().filter(|(_, level)| !takes(*level)) {
            let what = format!(
                "{} takes set-points from {low} to {high} C; {name} {level} will be held at the nearest",
                model.id
            );
            let written = Some(levels.place.key(name)).filter(|place| desk.has(place));
            let place = written.unwrap_or_else(|| self.device.at(desk, "profile"));
            desk.note(Severity::Warning, &place, &format!("{name} {}", model.id), what, "");
        }
    }

    #[expect(
        clippy::type_complexity,
        reason = "the three parts of one address, taken apart at once by the only caller"
    )]
    fn address(
        &self,
        desk: &mut Desk,
        model: &DeviceModel,
        id: &LinkId,
        link: &Link,
    ) -> Option<(BTreeMap<String, String>, Option<u8>, Option<u16>)> {
        match (&model.wire, link) {
            (Wire::Mqtt { .. }, Link::Mqtt(link)) => {
                self.not_here(desk, &["unit", "index"], "MQTT");
                Some((self.params(desk, model, link.base.as_deref())?, None, None))
            }
            (Wire::Modbus(wire), Link::Modbus(link)) => {
                self.framing(desk, model, wire, id, link);
                let unit = self.unit(desk, model, wire);
                let index = self.index(desk, model, wire);
                let params = self.params(desk, model, None)?;
                Some((params, Some(unit?), index.ok()?))
            }
            _ => {
                let (need, have) = (model.link_kind(), link.kind());
                let what = format!(
                    "device {} needs a link of kind {need}, and {id} is of kind {have}",
                    self.device.id
                );
                let fitting = self
                    .all
                    .links
                    .iter()
                    .filter(|(_, piece)| piece.value.kind() == need)
                    .map(|(id, _)| id.as_str());
                let help = did_you_mean(id.as_str(), fitting);
                self.error(desk, "link", what, help);
                None
            }
        }
    }

    fn not_here(&self, desk: &mut Desk, keys: &[&str], wire: &str) {
        let section = &self.device.section;
        for key in keys.iter().filter(|key| {
            if **key == "unit" {
                section.unit.is_some()
            } else {
                section.index.is_some()
            }
        }) {
            self.error(
                desk,
                key,
                format!("{key} means nothing for a device over {wire}"),
                format!("remove {key}"),
            );
        }
    }

    fn params(&self, desk: &mut Desk, model: &DeviceModel, base: Option<&str>) -> Option<BTreeMap<String, String>> {
        let given = &self.device.section.params;
        for name in given.keys().filter(|name| !model.needs.contains_key(*name)) {
            let place = self.device.at_word(desk, "params", name);
            let help = did_you_mean(
                name,
                model
                    .needs
                    .keys()
                    .map(String::as_str)
                    .filter(|need| !given.contains_key(*need)),
            );
            let help = if help.is_empty() { "remove it".into() } else { help };
            desk.note(
                Severity::Error,
                &place,
                "param",
                format!("{} has no parameter {name:?}", model.id),
                help,
            );
        }
        let mut all = BTreeMap::new();
        let mut whole = true;
        for (name, need) in &model.needs {
            let from_link = base.filter(|_| name == "base").map(str::to_owned);
            match given.get(name).cloned().or(from_link).or_else(|| need.default.clone()) {
                Some(value) => whole &= self.param(desk, name, value, &mut all),
                None => {
                    whole = false;
                    let what = format!(
                        "device {} does not say {name:?}, which {} needs",
                        self.device.id, model.id
                    );
                    let about = if need.what.is_empty() {
                        String::new()
                    } else {
                        format!(": {}", need.what)
                    };
                    let help = format!("write params = {{ {name} = \"...\" }}{about}");
                    self.fault(desk, Severity::Error, "params", &format!("needs {name}"), what, help);
                }
            }
        }
        whole.then_some(all)
    }

    fn param(&self, desk: &mut Desk, name: &str, value: String, all: &mut BTreeMap<String, String>) -> bool {
        let sound = !value.contains(['+', '#', '{', '}', '\0']) && !value.starts_with('/') && !value.ends_with('/');
        if !sound {
            let place = self.device.at_word(desk, "params", name);
            let what = format!("{value:?} cannot stand in a topic");
            desk.note(
                Severity::Error,
                &place,
                "topic",
                what,
                "write it without '+', '#', braces and a '/' at either end",
            );
        }
        all.insert(name.to_owned(), value);
        sound
    }

    fn framing(&self, desk: &mut Desk, model: &DeviceModel, wire: &ModbusModel, id: &LinkId, link: &ModbusLink) {
        let Some(reach) = link.reach() else { return };
        let framing = reach.framing();
        if !wire.framings.is_empty() && !wire.framings.contains(&framing) {
            let what = format!(
                "{} speaks {}, and bus {id} is {framing}",
                model.id,
                wire.framings.join(" and ")
            );
            self.fault(
                desk,
                Severity::Error,
                "link",
                "framing",
                what,
                "use another link, or reach the bus another way",
            );
        }
        let parity = match link.parity {
            Parity::None => "none",
            Parity::Even => "even",
            Parity::Odd => "odd",
        };
        let ours = (link.baud, parity, link.stop);
        if let Some(makers) = wire.serial.filter(|makers| framing == "rtu" && *makers != ours) {
            let words = |(baud, parity, stop): (u32, &str, u8)| format!("{baud} baud, parity {parity}, {stop} stop");
            let what = format!(
                "{} comes with {}, and bus {id} has {}",
                model.id,
                words(makers),
                words(ours)
            );
            self.fault(
                desk,
                Severity::Warning,
                "link",
                "line",
                what,
                "set the device or the link so that both agree",
            );
        }
    }

    fn unit(&self, desk: &mut Desk, model: &DeviceModel, wire: &ModbusModel) -> Option<u8> {
        let unit = self.device.section.unit.or(wire.unit.map(|(default, ..)| default));
        let Some(unit) = unit else {
            let what = format!("device {} does not say its unit address", self.device.id);
            self.error(desk, "unit", what, "write unit = ..., as set on the device");
            return None;
        };
        let (low, high) = wire.unit.map_or((1, 247), |(_, low, high)| (low, high));
        if unit < low || unit > high {
            let what = format!("unit {unit} is no address of {}", model.id);
            self.error(desk, "unit", what, format!("write {low} to {high}"));
        }
        Some(unit)
    }

    fn index(&self, desk: &mut Desk, model: &DeviceModel, wire: &ModbusModel) -> Result<Option<u16>, ()> {
        match (wire.index, self.device.section.index) {
            (None, None) => Ok(None),
            (None, Some(_)) => {
                self.error(
                    desk,
                    "index",
                    format!("{} is a single device and has no index", model.id),
                    "remove index",
                );
                Err(())
            }
            (Some((low, high)), None) => {
                let what = format!(
                    "device {} does not say which unit of {} it is",
                    self.device.id, model.id
                );
                self.error(desk, "index", what, format!("write index = {low} to {high}"));
                Err(())
            }
            (Some((low, high)), Some(index)) if index < low || index > high => {
                let what = format!("{} has no unit {index}", model.id);
                self.error(desk, "index", what, format!("write {low} to {high}"));
                Err(())
            }
            (Some(_), Some(index)) => Ok(Some(index)),
        }
    }
}

/// Reports open and nothing else about people: a contact that could be on any door.
fn is_bare_contact(model: &DeviceModel) -> bool {
    let presence = model
        .reports
        .iter()
        .filter(|point| point.role() == PointRole::Presence && point.kind() == ValueKind::Flag);
    presence.eq([&Point::Open])
}
