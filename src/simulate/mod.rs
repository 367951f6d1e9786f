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

const MATTRESS_TEXT: &str = include_str!("profiles/mattress.toml");
const RDF302_TEXT: &str = include_str!("../../device-profiles/siemens-rdf302.toml");

/// The shipped profiles and the simulated mattress.
///
/// # Errors
/// Every fault in them.
pub fn library() -> Result<Library, Vec<Fault>> {
    let mut library = Library::built_in()?;
    library.overlay([("mattress.toml", MATTRESS_TEXT)])?;
    Ok(library)
}

/// The same, but thermostats on the bus are asked some times a second: their pauses are real while the story's time runs
/// a thousand times faster.
///
/// # Errors
/// Every fault in them.
pub fn fast_library() -> Result<Library, Vec<Fault>> {
    let mut library = library()?;
    let text = RDF302_TEXT
        .replace("\"30s\"", "\"300ms\"")
        .replace("\"60s\"", "\"1s\"")
        .replace("hole       = 4", "silent_after = \"25h\"\nhole       = 4");
    library.overlay([("siemens-rdf302.toml", text.as_str())])?;
    Ok(library)
}
