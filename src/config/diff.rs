//! What would a reload change, and which links must be restarted for it?

use super::configured::{Binding, Configured};
use super::link::LinkConfig;
use crate::model::{LinkId, RoomId, RoomSetup};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// The most rooms named in one line; more are counted.
const NAMED_MAX: usize = 12;

/// What becomes of a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkChange {
    /// It goes on undisturbed.
    Kept,
    /// It goes on; the devices on it are others.
    Rebound,
    /// Its own settings changed: closed and opened anew.
    Restarted,
    /// It is new.
    Added,
    /// It is gone.
    Removed,
}

/// One thing that a reload would change.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// A link.
    Link(LinkId, LinkChange),
    /// Rooms that are new.
    RoomsAdded(Vec<RoomId>),
    /// Rooms that are gone; what is known of them is kept until `forget`.
    RoomsRemoved(Vec<RoomId>),
    /// Rooms with other devices, doors or settings; their state is kept.
    RoomsChanged(Vec<RoomId>),
    /// A policy, a limit, a level: the key, before, after.
    Policy(String, String, String),
    /// A setting that is only read at the start: the daemon must be restarted for it.
    NeedsRestart(String),
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Change::Link(id, LinkChange::Kept) => write!(f, "link {id}: kept"),
            Change::Link(id, LinkChange::Rebound) => write!(f, "link {id}: kept, its devices are bound anew"),
            Change::Link(id, LinkChange::Restarted) => write!(f, "link {id}: restarted, its settings changed"),
            Change::Link(id, LinkChange::Added) => write!(f, "link {id}: added"),
            Change::Link(id, LinkChange::Removed) => write!(f, "link {id}: removed"),
            Change::RoomsAdded(rooms) => write!(f, "rooms added: {}", named(rooms)),
            Change::RoomsRemoved(rooms) => write!(f, "rooms removed: {}", named(rooms)),
            Change::RoomsChanged(rooms) => write!(f, "rooms changed, their state is kept: {}", named(rooms)),
            Change::Policy(key, before, after) => write!(f, "{key}: {before} -> {after}"),
            Change::NeedsRestart(key) => write!(f, "{key}: changed, takes effect at the next start of the daemon"),
        }
    }
}

fn named(rooms: &[RoomId]) -> String {
    let mut text = rooms
        .iter()
        .take(NAMED_MAX)
        .map(RoomId::as_str)
        .collect::<Vec<_>>()
        .join(", ");
    if rooms.len() > NAMED_MAX {
        text.push_str(&format!(" and {} more", rooms.len() - NAMED_MAX));
    }
    text
}

/// Returns what a reload from one configuration to the other would change: links first (those kept among them), then
/// rooms, policies, and what waits for a restart. Two configurations of one meaning differ in nothing but kept links.
pub fn diff(old: &Configured, new: &Configured) -> Vec<Change> {
    let mut changes = links(old, new);
    changes.extend(rooms(old, new));
    changes.extend(policies(old, new));
    changes.extend(restart(old, new));
    changes
}

fn links(old: &Configured, new: &Configured) -> Vec<Change> {
    let by_id = |configured: &Configured| -> BTreeMap<LinkId, LinkConfig> {
        configured
            .links
            .iter()
            .map(|link| (link.id.clone(), link.clone()))
            .collect()
    };
    let (before, after) = (by_id(old), by_id(new));
    let ids: BTreeSet<&LinkId> = before.keys().chain(after.keys()).collect();
    let change = |id: &LinkId| match (before.get(id), after.get(id)) {
        (None, _) => LinkChange::Added,
        (_, None) => LinkChange::Removed,
        (Some(before), Some(after)) if before != after => LinkChange::Restarted,
        _ if bound(old, id) != bound(new, id) => LinkChange::Rebound,
        _ => LinkChange::Kept,
    };
    ids.into_iter().map(|id| Change::Link(id.clone(), change(id))).collect()
}

fn bound<'a>(configured: &'a Configured, link: &'a LinkId) -> Vec<(&'a crate::model::DeviceId, &'a Binding)> {
    configured.on_link(link).collect()
}

fn rooms(old: &Configured, new: &Configured) -> Vec<Change> {
    let by_id = |configured: &Configured| -> BTreeMap<RoomId, RoomSetup> {
        configured
            .property
            .rooms
            .iter()
            .map(|room| (room.id.clone(), room.clone()))
            .collect()
    };
    let (before, after) = (by_id(old), by_id(new));
    let added: Vec<RoomId> = after.keys().filter(|id| !before.contains_key(*id)).cloned().collect();
    let removed: Vec<RoomId> = before.keys().filter(|id| !after.contains_key(*id)).cloned().collect();
    let changed = after
        .iter()
        .filter(|(id, room)| before.get(*id).is_some_and(|was| was != *room));
    let changed: Vec<RoomId> = changed.map(|(id, _)| id.clone()).collect();
    let each = [
        Change::RoomsAdded(added),
        Change::RoomsRemoved(removed),
        Change::RoomsChanged(changed),
    ];
    each.into_iter().filter(|change| !is_empty(change)).collect()
}

fn is_empty(change: &Change) -> bool {
    matches!(change, Change::RoomsAdded(rooms) | Change::RoomsRemoved(rooms) | Change::RoomsChanged(rooms) if rooms.is_empty())
}

fn policies(old: &Configured, new: &Configured) -> Vec<Change> {
    let written = |configured: &Configured| {
        serde_json::json!({
            "zone": configured.property.zone,
            "limits": configured.property.limits,
            "policies": configured.property.policies,
            "jobs": configured.jobs,
        })
    };
    let mut changes = Vec::new();
    leaves("", &written(old), &written(new), &mut changes);
    changes
}

/// Walks both down to what is single, and tells what differs.
fn leaves(path: &str, old: &serde_json::Value, new: &serde_json::Value, changes: &mut Vec<Change>) {
    use serde_json::Value::{Null, Object};
    match (old, new) {
        (Object(before), Object(after)) => {
            let keys: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
            for key in keys {
                let way = if path.is_empty() {
                    key.clone()
                } else {
                    format!("{path}.{key}")
                };
                leaves(
                    &way,
                    before.get(key).unwrap_or(&Null),
                    after.get(key).unwrap_or(&Null),
                    changes,
                );
            }
        }
        _ if old != new => changes.push(Change::Policy(path.into(), shown(old), shown(new))),
        _ => {}
    }
}

fn shown(value: &serde_json::Value) -> String {
    if value.is_null() {
        "nothing".into()
    } else {
        value.to_string()
    }
}

fn restart(old: &Configured, new: &Configured) -> Vec<Change> {
    let each = [
        ("property.id", old.property.id != new.property.id),
        ("store", old.store != new.store),
        ("observe", old.observe != new.observe),
    ];
    each.into_iter()
        .filter(|(_, changed)| *changed)
        .map(|(key, _)| Change::NeedsRestart(key.into()))
        .collect()
}
