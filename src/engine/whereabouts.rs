//! In which room is this device?
//!
//! Asked at every reading of every device of the house. Ids of one kind begin alike, so that to compare them in order reads most
//! of each; they are put in the order of their hashes instead, and only the one that is found is compared.

use crate::model::DeviceId;
use std::hash::{DefaultHasher, Hash, Hasher};

/// The place of each device's room in the engine's list.
#[derive(Debug, Default)]
pub struct Whereabouts(Vec<(u64, DeviceId, usize)>);

impl Whereabouts {
    /// The place of the room a device is in.
    pub fn get(&self, device: &DeviceId) -> Option<usize> {
        let hash = hash(device);
        let from = self.0.partition_point(|(own, _, _)| *own < hash);
        let mut alike = self.0[from..].iter().take_while(|(own, _, _)| *own == hash);
        alike.find(|(_, id, _)| id == device).map(|(_, _, place)| *place)
    }
}

impl FromIterator<(DeviceId, usize)> for Whereabouts {
    fn from_iter<I: IntoIterator<Item = (DeviceId, usize)>>(devices: I) -> Self {
        let hashed = devices.into_iter().map(|(id, place)| (hash(&id), id, place));
        let mut list: Vec<(u64, DeviceId, usize)> = hashed.collect();
        list.sort_unstable();
        list.shrink_to_fit();
        Self(list)
    }
}

/// The same for the same id in every process: it has no key.
fn hash(device: &DeviceId) -> u64 {
    let mut hasher = DefaultHasher::new();
    device.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_device_is_found_and_no_other() {
        let id = |n: usize| DeviceId::new(format!("door-{n}")).unwrap();
        let whereabouts: Whereabouts = (0..500).map(|n| (id(n), n / 3)).collect();
        assert!((0..500).all(|n| whereabouts.get(&id(n)) == Some(n / 3)));
        assert!((500..900).all(|n| whereabouts.get(&id(n)).is_none()));
    }
}
