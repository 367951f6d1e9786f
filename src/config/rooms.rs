//! Which rooms and devices do the templates, ranges and single rooms make together?

use super::fault::Severity;
use super::file::{DeviceSection, RoomSection, TemplateSection};
use super::gather::{Desk, Gathered, Piece, Place};
use crate::model::{DeviceId, RoomId, RoomSetup, SuiteId, ZoneId};
use crate::strict::did_you_mean;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// The most rooms one range may stand for; a longer one is a slip of the pen.
const RANGE_ROOMS_MAX: u32 = 1000;
/// The most rooms of one property: three times the largest hotel that one gateway is meant for.
pub const ROOMS_MAX: usize = 5000;

/// One room with everything the files say of it.
#[derive(Debug, Clone)]
pub(super) struct Room {
    pub(super) id: RoomId,
    /// Where it is written: its own table, or the template that lists it.
    pub(super) place: Place,
    /// The room's own table, where it has one.
    pub(super) table: Place,
    pub(super) floor: Option<String>,
    pub(super) zones: Vec<ZoneId>,
    pub(super) connects: Vec<RoomId>,
    /// The suite that it is part of.
    pub(super) suite: Option<SuiteId>,
    /// Where its windows look, degrees from north over east.
    pub(super) faces: Option<u16>,
    /// What it takes of the plant at full output, % of what a usual room takes.
    pub(super) output_percent: u16,
    pub(super) out_of_order: bool,
    /// Whether a thermostat is expected, and where that is written.
    pub(super) climate: bool,
    /// Whether the mattress is set, where the room says so itself.
    pub(super) prepare_firmness: Option<bool>,
    pub(super) devices: Vec<Device>,
}

/// One device with everything the files say of it.
#[derive(Debug, Clone)]
pub(super) struct Device {
    pub(super) id: DeviceId,
    pub(super) section: DeviceSection,
    /// Where it is written: the room's own lines before the template's.
    places: Vec<Place>,
}

impl Device {
    /// Where a key of the device is written; the device itself when it is not.
    pub(super) fn at(&self, desk: &Desk, key: &str) -> Place {
        let written = self
            .places
            .iter()
            .map(|place| place.key(key))
            .find(|place| desk.has(place));
        written.unwrap_or_else(|| self.place(desk))
    }

    /// Where one word of a table of the device is written.
    pub(super) fn at_word(&self, desk: &Desk, key: &str, word: &str) -> Place {
        let written = self
            .places
            .iter()
            .map(|place| place.key(key).key(word))
            .find(|place| desk.has(place));
        written.unwrap_or_else(|| self.at(desk, key))
    }

    /// Whether a key of the device was written in a wrong shape, which has been told.
    pub(super) fn lost(&self, desk: &Desk, key: &str) -> bool {
        self.places.iter().any(|place| desk.was_pruned(&place.key(key)))
    }

    /// Where the device itself is written: its id.
    pub(super) fn place(&self, desk: &Desk) -> Place {
        let ids = self.places.iter().map(|place| place.key("id"));
        ids.into_iter().find(|place| desk.has(place)).unwrap_or_default()
    }
}

/// Where a room comes from.
#[derive(Clone)]
struct Origin<'a> {
    template: Option<(&'a str, &'a Piece<TemplateSection>)>,
    own: Option<&'a Piece<RoomSection>>,
    /// The place in its range, from 0; none for a room that is not in one.
    nth: Option<u16>,
    place: Place,
}

/// Makes the rooms, in the order of their ids.
pub(super) fn expand(desk: &mut Desk, all: &Gathered) -> Vec<Room> {
    let floors = floors(desk, all);
    let mut origins = listed(desk, all);
    for piece in &all.rooms {
        own(desk, all, &mut origins, piece);
    }
    if origins.len() > ROOMS_MAX {
        let message = format!("{} rooms are configured, {ROOMS_MAX} at most are taken", origins.len());
        desk.error(&Place::default(), message, "split the property");
        return Vec::new();
    }
    empty_floors(desk, all, &origins);
    let floor_of = |id: &RoomId| floors.get(id).cloned();
    origins
        .into_iter()
        .map(|(id, origin)| room(desk, id.clone(), &origin, floor_of(&id)))
        .collect()
}

/// Which floor each room is on, as `[floors]` says.
fn floors(desk: &mut Desk, all: &Gathered) -> BTreeMap<RoomId, String> {
    let mut of = BTreeMap::new();
    for (floor, piece) in &all.floors {
        for (place, room, _) in ranges(desk, &piece.place, &piece.value) {
            if let Some(other) = of.insert(room.clone(), floor.clone()).filter(|other| other != floor) {
                desk.error(
                    &place,
                    format!("room {room} is on floor {other:?} and on floor {floor:?}"),
                    "write it once",
                );
            }
        }
    }
    of
}

/// Tells of entries of `[floors]` none of whose rooms there is; a range may well run over a gap.
fn empty_floors(desk: &mut Desk, all: &Gathered, origins: &BTreeMap<RoomId, Origin<'_>>) {
    for (floor, piece) in &all.floors {
        for (n, text) in piece.value.iter().enumerate() {
            let rooms = range(text).unwrap_or_default();
            let there = |room: &RoomId| origins.contains_key(room) || all.unread.contains(room.as_str());
            if !rooms.is_empty() && !rooms.iter().any(there) {
                let what = format!("floor {floor:?} names {text:?}, where no room is configured");
                desk.warn(&piece.place.key(n), what, "");
            }
        }
    }
}

/// The rooms that templates list.
fn listed<'a>(desk: &mut Desk, all: &'a Gathered) -> BTreeMap<RoomId, Origin<'a>> {
    let mut origins: BTreeMap<RoomId, Origin<'a>> = BTreeMap::new();
    for (name, piece) in &all.templates {
        for (place, room, nth) in ranges(desk, &piece.place.key("rooms"), &piece.value.rooms) {
            if let Some(other) = origins.get(&room) {
                let first = desk.tell(&other.place);
                let message = format!("room {room} is listed twice, first at {first}");
                desk.note(
                    Severity::Error,
                    &place,
                    "listed",
                    message,
                    "list it in one template, once",
                );
                continue;
            }
            origins.insert(
                room,
                Origin {
                    template: Some((name, piece)),
                    own: None,
                    nth,
                    place,
                },
            );
        }
    }
    origins
}

/// Adds one room that is written by itself, or lays what it writes over what its template says.
fn own<'a>(
    desk: &mut Desk,
    all: &'a Gathered,
    origins: &mut BTreeMap<RoomId, Origin<'a>>,
    piece: &'a Piece<RoomSection>,
) {
    let id = &piece.value.id;
    let wanted = piece.value.template.as_deref();
    let template = wanted
        .and_then(|name| all.templates.get_key_value(name))
        .map(|(name, piece)| (name.as_str(), piece));
    if let (Some(name), None) = (wanted, template)
        && !all.unread.contains(name)
    {
        let help = did_you_mean(name, all.templates.keys().map(String::as_str));
        desk.error(
            &piece.place.key("template"),
            format!("room {id} follows template {name:?}, which is not there"),
            help,
        );
    }
    let origin = Origin {
        template,
        own: Some(piece),
        nth: None,
        place: piece.place.key("id"),
    };
    match origins.get_mut(id) {
        None => drop(origins.insert(id.clone(), origin)),
        Some(other) if other.own.is_some() => {
            let first = desk.tell(&other.place);
            desk.error(
                &origin.place,
                format!("room {id} is configured twice, first at {first}"),
                "rename or remove one",
            );
        }
        Some(other) => {
            let listed = other.template;
            if wanted.is_some() && template.map(|(name, _)| name) != listed.map(|(name, _)| name) {
                let first = desk.tell(&other.place);
                let message = format!(
                    "room {id} follows template {:?} but is listed in another at {first}",
                    wanted.unwrap_or_default()
                );
                desk.error(&piece.place.key("template"), message, "keep one of the two");
            }
            *other = Origin {
                template: listed,
                nth: other.nth,
                ..origin
            };
        }
    }
}

fn room(desk: &mut Desk, id: RoomId, origin: &Origin<'_>, on_floor: Option<String>) -> Room {
    let own = origin.own.map(|piece| &piece.value);
    let template = origin.template.map(|(_, piece)| &piece.value);
    let floor = own.and_then(|own| own.floor.clone()).or(on_floor);
    let mut room = Room {
        place: origin.place.clone(),
        table: origin.own.map(|piece| piece.place.clone()).unwrap_or_default(),
        zones: own
            .and_then(|own| own.zones.clone())
            .or_else(|| template.map(|template| template.zones.clone()))
            .unwrap_or_default(),
        connects: own.map(|own| own.connects.clone()).unwrap_or_default(),
        suite: own.and_then(|own| own.suite.clone()),
        faces: own.and_then(|own| own.faces).or(template.and_then(|t| t.faces)),
        output_percent: own
            .and_then(|own| own.output_percent)
            .or(template.and_then(|t| t.output_percent))
            .unwrap_or(RoomSetup::USUAL_OUTPUT),
        out_of_order: own.is_some_and(|own| own.out_of_order),
        climate: own
            .and_then(|own| own.climate)
            .or(template.and_then(|t| t.climate))
            .unwrap_or(true),
        prepare_firmness: own
            .and_then(|own| own.prepare_firmness)
            .or(template.and_then(|t| t.prepare_firmness)),
        devices: Vec::new(),
        floor,
        id,
    };
    room.devices = devices(desk, &room, origin);
    room
}

/// The room's devices: the template's first, what the room writes laid over them, then the room's own.
fn devices(desk: &mut Desk, room: &Room, origin: &Origin<'_>) -> Vec<Device> {
    let mut devices: Vec<Device> = Vec::new();
    let mut at: HashMap<String, usize> = HashMap::new();
    if let Some((_, piece)) = origin.template {
        let without: BTreeSet<&str> = origin
            .own
            .iter()
            .flat_map(|own| own.value.without.iter().map(DeviceId::as_str))
            .collect();
        let mut left_out = BTreeSet::new();
        for (n, section) in piece.value.device.iter().enumerate() {
            let place = piece.place.key("device").key(n);
            let id = section.id.replace("{room}", room.id.as_str());
            if without.contains(id.as_str()) {
                left_out.insert(id);
                continue;
            }
            add(desk, room, &mut devices, &mut at, section, place);
        }
        if let Some(own) = origin.own {
            for id in own.value.without.iter().filter(|id| !left_out.contains(id.as_str())) {
                let help = did_you_mean(id.as_str(), at.keys().map(String::as_str));
                desk.error(
                    &own.place.key("without"),
                    format!("the template has no device {:?}", id.as_str()),
                    help,
                );
            }
        }
    }
    let inherited = devices.len();
    for (n, section) in origin.own.iter().flat_map(|own| own.value.device.iter().enumerate()) {
        let place = room.table.key("device").key(n);
        let id = section.id.replace("{room}", room.id.as_str());
        match at
            .get(&id)
            .filter(|at| **at < inherited && devices[**at].places.len() == 1)
        {
            Some(at) => overlay(&mut devices[*at], section, place),
            None => add(desk, room, &mut devices, &mut at, section, place),
        }
    }
    devices
        .iter_mut()
        .for_each(|device| fill_in(desk, room, device, origin.nth));
    devices
}

fn add(
    desk: &mut Desk,
    room: &Room,
    devices: &mut Vec<Device>,
    at: &mut HashMap<String, usize>,
    section: &DeviceSection,
    place: Place,
) {
    let text = section.id.replace("{room}", room.id.as_str());
    match DeviceId::new(&text) {
        Err(fault) => desk.error(&place.key("id"), format!("{text:?} is not a device id"), fault.want),
        Ok(id) => {
            at.insert(text, devices.len());
            devices.push(Device {
                id,
                section: section.clone(),
                places: vec![place],
            });
        }
    }
}

/// Lays what a room writes of a device over what the template says.
fn overlay(device: &mut Device, over: &DeviceSection, place: Place) {
    let under = &mut device.section;
    macro_rules! take {
        ($($key:ident),*) => { $( if over.$key.is_some() { under.$key.clone_from(&over.$key); } )* };
    }
    take!(
        profile,
        link,
        role,
        zone,
        unit,
        unit_from,
        index,
        index_from,
        coil,
        allow_draft
    );
    under.params.extend(over.params.clone());
    under.buttons.extend(over.buttons.clone());
    under.hand_back.extend(over.hand_back.clone());
    device.places.insert(0, place);
}

/// Puts the room's own words and numbers where the template left them open.
fn fill_in(desk: &mut Desk, room: &Room, device: &mut Device, nth: Option<u16>) {
    let floor = room.floor.clone();
    let filled = |text: &str| {
        text.replace("{room}", room.id.as_str())
            .replace("{floor}", floor.as_deref().unwrap_or("{floor}"))
    };
    device
        .section
        .params
        .values_mut()
        .for_each(|value| *value = filled(value));
    device.section.link = device.section.link.as_deref().map(filled);
    if floor.is_none() {
        let open = |text: &String| text.contains("{floor}");
        let key = if device.section.link.as_ref().is_some_and(open) {
            "link"
        } else {
            "params"
        };
        if key == "link" || device.section.params.values().any(open) {
            let message = format!("room {} has no floor to put for {{floor}}", room.id);
            let place = device.at(desk, key);
            desk.note(
                Severity::Error,
                &place,
                "floor",
                message,
                "write [floors] or floor = \"...\" in the room",
            );
        }
    }
    count(desk, room, device, nth);
}

/// Counts unit and index up through the rooms of a range.
fn count(desk: &mut Desk, room: &Room, device: &mut Device, nth: Option<u16>) {
    let (unit_from, index_from) = (device.section.unit_from.take(), device.section.index_from.take());
    let starts = [
        ("unit_from", unit_from.map(u16::from), 255),
        ("index_from", index_from, u16::MAX),
    ];
    for (key, from, most) in starts {
        let (Some(from), written) = (
            from,
            if key == "unit_from" {
                device.section.unit.is_some()
            } else {
                device.section.index.is_some()
            },
        ) else {
            continue;
        };
        if written {
            continue;
        }
        let counted = nth.and_then(|nth| from.checked_add(nth)).filter(|n| *n <= most);
        let Some(n) = counted else {
            let (what, single) = (
                format!(
                    "{key} cannot count for room {}, which is not in a range or too far down it",
                    room.id
                ),
                &key[..key.len() - 5],
            );
            let place = device.at(desk, key);
            desk.note(
                Severity::Error,
                &place,
                key,
                what,
                format!("write {single} = ... for this room"),
            );
            continue;
        };
        if key == "unit_from" {
            device.section.unit = u8::try_from(n).ok();
        } else {
            device.section.index = Some(n);
        }
    }
}

/// Reads a list of rooms and ranges: each room with where it is written and its place in its range.
fn ranges(desk: &mut Desk, place: &Place, list: &[String]) -> Vec<(Place, RoomId, Option<u16>)> {
    let mut rooms = Vec::new();
    for (n, text) in list.iter().enumerate() {
        let place = place.key(n);
        match range(text) {
            Ok(ids) => rooms.extend(ids.into_iter().zip(0..).map(|(id, nth)| (place.clone(), id, Some(nth)))),
            Err((what, help)) => desk.error(&place, what, help),
        }
    }
    rooms
}

/// Reads one room (`"1204"`) or a range (`"1201..1212"`, both ends included; leading zeros and a prefix are kept).
fn range(text: &str) -> Result<Vec<RoomId>, (String, String)> {
    let room = |text: &str| RoomId::new(text).map_err(|fault| (fault.to_string(), String::new()));
    let Some((first, last)) = text.split_once("..") else {
        return Ok(vec![room(text)?]);
    };
    let fault = |why: &str| {
        (
            format!("{text:?} is no range of rooms: {why}"),
            "write it as \"1201..1212\"".to_owned(),
        )
    };
    let (prefix, from) = split(first);
    let (other, to) = split(last);
    if prefix != other || from.is_empty() || from.len() != to.len() {
        return Err(fault("both ends must be alike but for their last digits"));
    }
    let number = |digits: &str| digits.parse::<u32>().map_err(|_| fault("the number is too long"));
    let (low, high) = (number(from)?, number(to)?);
    if low > high {
        return Err(fault("it runs backwards"));
    }
    if high - low >= RANGE_ROOMS_MAX {
        return Err(fault("it is longer than 1000 rooms"));
    }
    (low..=high)
        .map(|n| room(&format!("{prefix}{n:0width$}", width = from.len())))
        .collect()
}

/// Splits the digits off the end of a room's id; nine at most, which any number type holds.
fn split(text: &str) -> (&str, &str) {
    let digits = text.chars().rev().take_while(char::is_ascii_digit).take(9).count();
    text.split_at(text.len() - digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_counts_both_ends_and_keeps_zeros_and_prefix() {
        let ids = |text: &str| range(text).unwrap().iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(ids("098..101"), ["098", "099", "100", "101"]);
        assert_eq!(ids("a-09..a-10"), ["a-09", "a-10"]);
        assert_eq!(ids("7"), ["7"]);
    }

    #[test]
    fn what_is_no_range_is_refused() {
        for text in [
            "1212..1201",
            "1..10",
            "a1..b2",
            "..",
            "1201..",
            "0000..9999",
            "12/01",
            "99999999990..99999999999",
        ] {
            assert!(range(text).is_err() || text.len() > 20, "{text}");
        }
    }
}
