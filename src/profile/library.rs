//! Which models of device are known?

use super::Profile;
use super::answer::MatchLine;
use super::builtin::PROFILES;
use super::matching::{self, Inventory};
use crate::model::ProfileId;
use crate::strict::Fault;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The most profiles held; each is a model of device somebody wrote a file for.
pub const PROFILES_MAX: usize = 2000;

/// A set of profiles, each id once.
#[derive(Debug, Clone, Default)]
pub struct Library {
    profiles: BTreeMap<ProfileId, Arc<Profile>>,
}

impl Library {
    /// The profiles that innkeeper ships with.
    ///
    /// # Errors
    /// Every fault in them; a test keeps this from ever happening.
    pub fn built_in() -> Result<Self, Vec<Fault>> {
        let mut library = Self::default();
        library.overlay(PROFILES.iter().map(|shipped| (shipped.file_name, shipped.text)))?;
        Ok(library)
    }

    /// Adds profiles, given as file names and texts; one with the id of an earlier one takes its place. When anything is
    /// wrong nothing is added.
    ///
    /// # Errors
    /// Every fault in every file.
    pub fn overlay<'a>(&mut self, files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<(), Vec<Fault>> {
        let mut faults = Vec::new();
        let mut added = BTreeMap::new();
        for (file_name, text) in files {
            match Profile::parse(file_name, text) {
                Ok(profile) => {
                    added.insert(profile.id().clone(), Arc::new(profile));
                }
                Err(found) => faults.extend(found),
            }
            if self.profiles.len() + added.len() > PROFILES_MAX {
                faults.push(too_many(file_name));
                break;
            }
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        self.profiles.extend(added);
        Ok(())
    }

    /// The golden examples of a shipped profile, one JSON object a line.
    pub fn shipped_rows(id: &str) -> Option<&'static str> {
        let shipped = PROFILES
            .iter()
            .find(|shipped| shipped.file_name.strip_suffix(".toml") == Some(id))?;
        Some(shipped.rows)
    }

    /// The profile of this id.
    pub fn get(&self, id: &str) -> Option<&Arc<Profile>> {
        self.profiles.get(id)
    }

    /// Every profile, by id.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Profile>> {
        self.profiles.values()
    }

    /// The ids, in alphabetical order.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.profiles.keys().map(ProfileId::as_str)
    }

    /// Returns the profile that fits a device best, and why; or why none does.
    pub fn best_match(&self, inventory: &Inventory) -> (Option<&Arc<Profile>>, String) {
        matching::best(inventory, self.profiles.values())
    }

    /// Returns the answer of `innkeeper profile match` for one entry of zigbee2mqtt's `bridge/devices`.
    pub fn match_line(&self, entry: &serde_json::Value) -> MatchLine {
        matching::line(&Inventory::of_zigbee2mqtt(entry), self.profiles.values())
    }
}

fn too_many(file_name: &str) -> Fault {
    Fault {
        file: file_name.to_owned(),
        line: 1,
        column: 1,
        message: format!("more than {PROFILES_MAX} profiles"),
        help: "keep only those of this property".to_owned(),
    }
}
