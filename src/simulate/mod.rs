//! What would a real hotel do? For the demo and the tests only, never part of the packaged daemon.
//!
//! * [`physics`]: how does a room's air move? Pure;
//! * [`guest`]: what does a guest do in a day? Pure;
//! * [`zigbee`]: what would zigbee2mqtt publish, and what would it make of a command?
//! * [`register`]: what would a floor of thermostats answer on a bus?
//! * [`hotel`]: rooms, guests and devices wired together, on a real broker and a real bus;
//! * [`dispatch`]: a central that takes requests on, does them and says so;
//! * [`broker`]: a small MQTT broker, good or bad.

pub mod broker;
pub mod dispatch;
pub mod guest;
pub mod hotel;
pub mod physics;
pub mod register;
pub mod zigbee;

use crate::profile::Library;
use crate::strict::Fault;

/// The id of the simulated mattress's profile.
pub const MATTRESS: &str = "demo-mattress";

const MATTRESS_TEXT: &str = include_str!("profiles/demo-mattress.toml");
const BAC002_TEXT: &str = include_str!("../../device-profiles/tuya-bac-002-alzb.toml");
const RDF302_TEXT: &str = include_str!("../../device-profiles/siemens-rdf302.toml");

/// How a fast profile says when a command is confirmed.
const CONFIRMED_WITHIN: &str = "within = \"10m\"";

/// The shipped profiles and the simulated mattress.
///
/// # Errors
/// Every fault in them.
pub fn library() -> Result<Library, Vec<Fault>> {
    let mut library = Library::built_in()?;
    library.overlay([("demo-mattress.toml", MATTRESS_TEXT)])?;
    Ok(library)
}

/// The same for a story whose time runs some thousand times faster than the wires: thermostats on the bus are asked some
/// times a second, and what confirms a command may take minutes of the story, which are milliseconds on the wire.
///
/// # Errors
/// Every fault in them.
pub fn fast_library() -> Result<Library, Vec<Fault>> {
    let mut library = library()?;
    let bus = RDF302_TEXT
        .replace("\"30s\"", "\"600ms\"")
        .replace("\"60s\"", "\"2s\"")
        .replace("within = \"10s\"", CONFIRMED_WITHIN)
        .replace("hole       = 4", "silent_after = \"25h\"\nhole       = 4");
    let zigbee = BAC002_TEXT.replace("within = \"30s\"", CONFIRMED_WITHIN);
    let mattress = MATTRESS_TEXT.replace("within = \"60s\"", CONFIRMED_WITHIN);
    let files = [
        ("siemens-rdf302.toml", &bus),
        ("tuya-bac-002-alzb.toml", &zigbee),
        ("demo-mattress.toml", &mattress),
    ];
    library.overlay(files.map(|(name, text)| (name, text.as_str())))?;
    Ok(library)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fast_profiles_differ_from_the_shipped_ones_in_their_times_only() {
        let (usual, fast) = (library().unwrap(), fast_library().unwrap());
        for id in ["siemens-rdf302", "tuya-bac-002-alzb", MATTRESS] {
            let (usual, fast) = (usual.get(id).unwrap(), fast.get(id).unwrap());
            assert_eq!(usual.reports(), fast.reports());
            let confirm = |profile: &crate::profile::Profile| profile.abilities()[0].confirm_within;
            assert!(confirm(fast) > confirm(usual), "{id}");
        }
    }
}
