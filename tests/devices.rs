//! Do bytes become events and commands bytes, as the devices' profiles say? Over sockets of this machine.
#![cfg(feature = "demo")]
#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests, too

#[path = "devices/bus.rs"]
mod bus;
#[path = "devices/mqtt.rs"]
mod mqtt;
#[path = "devices/property.rs"]
mod property;
#[path = "devices/server.rs"]
mod server;
#[path = "devices/support.rs"]
mod support;
