//! How do bytes come from and go to this property's devices?
//!
//! [`mqtt`] and [`bus`] run one link each: what its devices say becomes the engine's events, what the engine commands
//! becomes bytes, by the devices' profiles. Below them [`modbus`] keeps one line and knows no meaning, and [`poll_plan`]
//! says beforehand whether the line can carry what is asked of it. [`property`] hears what is told of the whole house: the air outside, the plant's limit.

pub mod bus;
pub mod modbus;
pub mod mqtt;
pub mod poll_plan;
pub mod property;
mod running;
mod tally;

pub use running::{Outlet, Running, Standing};

use crate::model::{DeviceId, Event, LinkId};

/// What a link's devices tell the daemon.
#[derive(Debug, Clone, PartialEq)]
pub enum FromDevices {
    /// For the engine, in this order.
    Events(Vec<Event>),
    /// What was not taken, counted over the last second or so.
    Rejected {
        /// On which link.
        link: LinkId,
        /// From which device, where that is known.
        device: Option<DeviceId>,
        /// Why: one of a closed list.
        reason: &'static str,
        /// How often.
        count: u64,
    },
    /// A link, or a bridge on it, came or went.
    Link {
        /// Which link.
        link: LinkId,
        /// Whether devices can now be heard and told.
        up: bool,
        /// What happened, in words.
        because: String,
    },
}
