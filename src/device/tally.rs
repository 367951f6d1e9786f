//! What was not taken, for which reason, and how often?
//!
//! Reasons are counted here and told about once a second: a device that sends rubbish ten thousand times a second must not fill
//! the daemon's inbox with reports of it.

use super::FromDevices;
use crate::model::{DeviceId, LinkId};
use std::collections::BTreeMap;

/// Counts since they were told last. Bounded by devices times reasons, which are a closed list.
#[derive(Debug, Default)]
pub(super) struct Tally {
    counts: BTreeMap<(&'static str, Option<DeviceId>), u64>,
}

impl Tally {
    /// Counts one.
    pub fn note(&mut self, device: Option<&DeviceId>, reason: &'static str) {
        *self.counts.entry((reason, device.cloned())).or_default() += 1;
    }

    /// Takes the counts, to be told.
    pub fn take(&mut self, link: &LinkId) -> Vec<FromDevices> {
        let told = |((reason, device), count)| FromDevices::Rejected {
            link: link.clone(),
            device,
            reason,
            count,
        };
        std::mem::take(&mut self.counts).into_iter().map(told).collect()
    }
}
