//! What is wrong with the configuration as a whole, where each part by itself has the right shape?
//!
//! One file a subject. Each check notes its faults on the desk and goes on: an engineer on site wants them all at once.

mod devices;
mod links;
mod property;
mod rooms;

pub(super) use devices::{Bound, bind};
pub(super) use links::links;
pub(super) use property::property;
pub(super) use rooms::rooms;

/// A host on this machine, which no wire leaves.
fn is_loopback(host: &str) -> bool {
    host == "localhost"
        || host
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}
