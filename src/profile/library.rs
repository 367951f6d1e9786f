//! Which models of device are known?

use super::Profile;
use super::answer::MatchLine;
use super::builtin::{PROFILES, Shipped};
use super::matching::{self, Inventory};
use crate::model::ProfileId;
use crate::strict::Fault;
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

/// The most profiles held; each is a model of device somebody wrote a file for.
pub const PROFILES_MAX: usize = 2000;

/// A set of profiles, each id once.
#[derive(Debug, Clone, Default)]
pub struct Library {
    profiles: BTreeMap<ProfileId, Place>,
    /// What the files are held against, made when the first is read. It is as large as several profiles, and goes with
    /// the library.
    schema: OnceLock<Arc<schemars::Schema>>,
}

/// Where a profile stands.
#[derive(Debug, Clone)]
struct Place {
    shipped: Option<&'static Shipped>,
    read: OnceLock<Arc<Profile>>,
}

impl Library {
    /// The profiles that innkeeper ships with, all of them read: for whoever looks through them.
    ///
    /// # Errors
    /// Every fault in them; a test keeps this from ever happening.
    pub fn built_in() -> Result<Self, Vec<Fault>> {
        let mut library = Self::default();
        library.overlay(PROFILES.iter().map(|shipped| (shipped.file_name, shipped.text)))?;
        Ok(library)
    }

    /// The profiles that innkeeper ships with, each read when it is first asked for: a property uses a dozen of them, and
    /// what is read stays in memory for as long as the daemon runs.
    /// A test proves that each can be, and that its id is the name of its file.
    pub fn on_demand() -> Self {
        let ids = PROFILES.iter().map(|shipped| {
            let id = shipped.file_name.trim_end_matches(".toml");
            let place = Place {
                shipped: Some(shipped),
                read: OnceLock::new(),
            };
            (
                ProfileId::new(id).expect("a shipped profile's file is named by its id"),
                place,
            )
        });
        Self {
            profiles: ids.collect(),
            schema: OnceLock::new(),
        }
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
            match Profile::parse_against(&self.schema(), file_name, text) {
                Ok(profile) => {
                    let id = profile.id().clone();
                    let place = Place {
                        shipped: None,
                        read: OnceLock::from(Arc::new(profile)),
                    };
                    added.insert(id, place);
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
        self.profiles.get(id).and_then(|place| self.read(place))
    }

    /// Every profile, by id.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Profile>> {
        self.profiles.values().filter_map(|place| self.read(place))
    }

    /// The ids, in alphabetical order.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.profiles.keys().map(ProfileId::as_str)
    }

    /// Returns the profile that fits a device best, and why; or why none does.
    pub fn best_match(&self, inventory: &Inventory) -> (Option<&Arc<Profile>>, String) {
        matching::best(inventory, self.iter())
    }

    /// Returns the answer of `innkeeper profile match` for one entry of zigbee2mqtt's `bridge/devices`.
    pub fn match_line(&self, entry: &serde_json::Value) -> MatchLine {
        matching::line(&Inventory::of_zigbee2mqtt(entry), self.iter())
    }

    /// The profile at a place, read now if nobody has asked for it before.
    fn read<'a>(&self, place: &'a Place) -> Option<&'a Arc<Profile>> {
        if place.read.get().is_none() {
            let Shipped { file_name, text, .. } = place.shipped?;
            let profile = Profile::parse_against(&self.schema(), file_name, text).ok()?;
            // Whoever was quicker has read the same.
            let _ = place.read.set(Arc::new(profile));
        }
        place.read.get()
    }

    fn schema(&self) -> Arc<schemars::Schema> {
        Arc::clone(self.schema.get_or_init(|| Arc::new(super::schema())))
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
