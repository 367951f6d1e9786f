//! innkeeper: one daemon per hotel property, on a gateway beside the rooms.
//!
//! It listens to thermostats, beds and door sensors over MQTT and Modbus, learns from what guests do what they like,
//! prepares the room before they walk in, and forwards the service requests it derives to the chain's central dispatch.
//!
//! The house is built in layers; an arrow only points down (`docs/architecture.md`, kept by `tests/core/tidy.rs`):
//!
//! * [`model`]: the words everyone shares;
//! * [`engine`]: what does it mean, and what should be done? Pure: no I/O, no clock, no log;
//! * [`evaluate`]: how right is the inference, on a file of anybody's own? Runs the engine's own code;
//! * [`profile`]: how does this model of device speak? Pure: bytes to readings, commands to bytes;
//! * [`strict`]: what exactly is wrong with this TOML text, and where? Pure; for profiles and configuration;
//! * the rims (feature `daemon`): configuration, store, devices, central, and the daemon that wires them.

#![forbid(unsafe_code)]

#[cfg(feature = "daemon")]
pub mod cli;
#[cfg(feature = "daemon")]
pub mod config;
#[cfg(feature = "daemon")]
pub mod daemon;
#[cfg(feature = "daemon")]
pub mod device;
pub mod engine;
pub mod evaluate;
pub mod model;
#[cfg(feature = "daemon")]
pub mod mqtt;
#[cfg(feature = "daemon")]
pub mod observe;
pub mod profile;
pub mod record;
#[cfg(feature = "demo")]
pub mod simulate;
#[cfg(feature = "daemon")]
pub mod store;
pub mod strict;
#[cfg(feature = "daemon")]
pub mod uplink;
