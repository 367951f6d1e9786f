//! Has each room what its policies ask for?

use super::devices::Bound;
use crate::config::fault::Severity;
use crate::config::gather::{Desk, Gathered};
use crate::config::rooms::Room;
use crate::model::{Point, RoomId, SUITE_ROOMS_MAX, SuiteId};
use crate::strict::did_you_mean;
use std::collections::{BTreeMap, BTreeSet};

/// Checks the rooms against each other and against what hangs in them.
pub(in crate::config) fn rooms(desk: &mut Desk, all: &Gathered, rooms: &[Room], bound: &[Vec<Bound<'_>>]) {
    if rooms.is_empty() && all.unread.is_empty() && desk.faults.is_empty() {
        let place = all
            .property
            .as_ref()
            .map(|piece| piece.place.clone())
            .unwrap_or_default();
        desk.warn(
            &place,
            "there is no room",
            "write [[room]], or [template.<name>] with rooms = [...]",
        );
    }
    let doors: BTreeMap<&RoomId, BTreeSet<&RoomId>> = rooms
        .iter()
        .map(|room| (&room.id, room.connects.iter().collect()))
        .collect();
    suites(desk, rooms);
    for (room, bound) in rooms.iter().zip(bound) {
        connections(desk, all, room, &doors);
        let whole = bound.len() == room.devices.len();
        if whole {
            thermostat(desk, room, bound);
            firmness(desk, all, room, bound);
        }
    }
}

/// A suite has two rooms at least, and no more than the engine joins.
fn suites(desk: &mut Desk, rooms: &[Room]) {
    let mut suites: BTreeMap<&SuiteId, Vec<&Room>> = BTreeMap::new();
    for room in rooms {
        let suite = room.suite.iter();
        suite.for_each(|suite| suites.entry(suite).or_default().push(room));
    }
    for (suite, rooms) in suites {
        let (what, help) = match rooms.len() {
            1 => (
                format!("room {} is the only one of suite {suite}", rooms[0].id),
                format!("write suite = \"{suite}\" in the others, or leave it out"),
            ),
            2..=SUITE_ROOMS_MAX => continue,
            many => (
                format!("suite {suite} has {many} rooms"),
                format!("name suites of {SUITE_ROOMS_MAX} rooms at most"),
            ),
        };
        for room in rooms {
            desk.error(&room.table.key("suite"), what.clone(), help.clone());
        }
    }
}

fn connections(desk: &mut Desk, all: &Gathered, room: &Room, doors: &BTreeMap<&RoomId, BTreeSet<&RoomId>>) {
    for (n, other) in room.connects.iter().enumerate() {
        let place = || room.table.key("connects").key(n);
        if *other == room.id {
            desk.error(
                &place(),
                format!("room {} opens into itself", room.id),
                "name the other room",
            );
            continue;
        }
        match doors.get(other) {
            Some(back) if !back.contains(&room.id) => {
                let what = format!(
                    "room {} opens into {other}, but {other} does not open into {}",
                    room.id, room.id
                );
                desk.error(
                    &place(),
                    what,
                    format!("write connects = [\"{}\"] in room {other}", room.id),
                );
            }
            Some(_) => {}
            None if all.unread.contains(other.as_str()) => {}
            None => {
                let help = nearest_rooms(other, doors);
                desk.error(
                    &place(),
                    format!(
                        "room {} opens into {:?}, which is not configured",
                        room.id,
                        other.as_str()
                    ),
                    help,
                );
            }
        }
    }
}

/// The nearest room; the whole list of a hotel helps nobody.
fn nearest_rooms(other: &RoomId, doors: &BTreeMap<&RoomId, BTreeSet<&RoomId>>) -> String {
    let help = did_you_mean(other.as_str(), doors.keys().map(|id| id.as_str()));
    if help.starts_with("did") {
        help
    } else {
        "write the id of a configured room".into()
    }
}

fn thermostat(desk: &mut Desk, room: &Room, bound: &[Bound<'_>]) {
    let told = bound
        .iter()
        .any(|device| device.model.ability(Point::TargetTemperature).is_some());
    if room.climate && !told {
        let what = format!("room {} has no device that can be told target_temperature", room.id);
        desk.note(
            Severity::Error,
            &room.place,
            "thermostat",
            what,
            "add a thermostat, or write climate = false",
        );
    }
}

fn firmness(desk: &mut Desk, all: &Gathered, room: &Room, bound: &[Bound<'_>]) {
    let can = bound
        .iter()
        .any(|device| device.commands && device.model.ability(Point::Firmness).is_some());
    let property = all.property.as_ref();
    if room.prepare_firmness == Some(true) {
        if !can {
            let what = format!(
                "room {} asks for bed firmness to be prepared, but no device there can be told firmness",
                room.id
            );
            let help = "write prepare_firmness = false, or add a mattress that can be told";
            desk.note(Severity::Error, &room.place, "firmness", what, help);
        } else if let Some(property) = property.filter(|property| !property.value.prepare_firmness) {
            let what = format!(
                "room {} asks for bed firmness to be prepared, but the property does not prepare any",
                room.id
            );
            desk.note(
                Severity::Error,
                &property.place.key("prepare_firmness"),
                "firmness",
                what,
                "write true",
            );
        }
    }
    let written = property
        .map(|piece| piece.place.key("prepare_firmness"))
        .filter(|place| desk.has(place));
    let asked = property.is_some_and(|piece| piece.value.prepare_firmness) && room.prepare_firmness.is_none();
    let mute = bound
        .iter()
        .find(|device| device.model.reports.contains(&Point::Firmness));
    if let (true, Some(place), Some(bed), false) = (asked, written, mute, can) {
        let what = format!(
            "{} in room {} reports its firmness but cannot be told one",
            bed.device.id, room.id
        );
        desk.note(
            Severity::Warning,
            &place,
            "firmness",
            what,
            "write prepare_firmness = false in those rooms",
        );
    }
}
