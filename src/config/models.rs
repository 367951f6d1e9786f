//! Which profiles do the configured devices use, each looked at once?

use super::device_model::DeviceModel;
use crate::model::ProfileId;
use crate::profile::Library;
use crate::strict::did_you_mean;
use std::collections::BTreeMap;

/// The profiles in use, by id, and the names of all there are.
#[derive(Debug)]
pub(super) struct Models {
    used: BTreeMap<ProfileId, DeviceModel>,
    known: Vec<String>,
}

impl Models {
    /// Looks up each profile that is named, once.
    pub(super) fn look_up<'a>(library: &Library, named: impl Iterator<Item = &'a ProfileId>) -> Self {
        let mut used = BTreeMap::new();
        for id in named {
            if !used.contains_key(id)
                && let Some(profile) = library.get(id.as_str())
            {
                used.insert(id.clone(), DeviceModel::of(profile));
            }
        }
        let known = library.ids().map(str::to_owned).collect();
        Self { used, known }
    }

    pub(super) fn get(&self, profile: &ProfileId) -> Option<&DeviceModel> {
        self.used.get(profile)
    }

    /// Which of the known profiles was meant.
    pub(super) fn nearest(&self, profile: &str) -> String {
        let help = did_you_mean(profile, self.known.iter().map(String::as_str));
        if help.starts_with("did") {
            help
        } else {
            "`innkeeper profiles` lists them".into()
        }
    }
}
