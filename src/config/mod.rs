//! What was configured, and where exactly is it wrong?
//!
//! One file or a folder of TOML becomes a [`Configured`], or a list of every fault at once: file, line, column, what is
//! wrong and what to write instead. Nothing here does I/O but [`load`] and [`check`], which read the files.
//!
//! The way of a text: `shape` holds it against the schema of `file`; `gather` takes the pieces of all files with their
//! places; `rooms` makes rooms of templates and ranges; `verify` asks what fits together; `configured` builds what the
//! daemon gets. A piece with a fault is left out and the rest is still checked.
//!
//! Limits: [`FAULTS_MAX`] faults are told, [`ROOMS_MAX`] rooms and [`FILES_MAX`] files are taken, and one file may have
//! 4 MiB (`strict::TEXT_BYTES_MAX`).

mod bus;
mod configured;
mod device_model;
mod diff;
mod fault;
mod file;
mod gather;
mod link;
mod models;
mod read;
mod reference;
mod rooms;
mod shape;
#[cfg(test)]
mod tests;
mod verify;
mod words;

pub use bus::{bus_parts, bus_plans, device_binding};
pub use configured::{Binding, Configured};
pub use diff::{Change, LinkChange, diff};
pub use fault::{FAULTS_MAX, Fault, Severity};
pub use file::{
    ArrivalSection, ClassSection, DeviceSection, EmergencySection, File, HabitsSection, HandBack, JobsSection,
    LevelsSection, LimitsSection, LogLevel, ObserveSection, OutboxSection, ProfilesSection, PropertySection,
    RoomSection, ServiceSection, StoreSection, TemplateSection,
};
pub use gather::Text;
pub use link::{
    Ack, Broker, CentralLink, Link, LinkConfig, ModbusLink, MqttLink, Parity, PmsLink, PmsSystem, PowerLink, Reach,
    Tls, WeatherLink,
};
pub use read::{CheckReport, FILES_MAX, Summary, check, load};
pub use reference::{Key, key_table, keys};
pub use rooms::ROOMS_MAX;
pub use words::{Lasting, check_cron};

use crate::profile::Library;
use gather::{Desk, gather};
use models::Models;
use std::collections::BTreeSet;

/// Reads a configuration from one text.
///
/// # Errors
/// Every fault found, warnings among them, when one of them refuses the configuration.
pub fn from_str(name: &str, text: &str, library: &Library) -> Result<Configured, Vec<Fault>> {
    from_texts(
        &[Text {
            name: name.into(),
            text: text.into(),
        }],
        library,
    )
}

/// Reads a configuration from several texts, as if they were one.
///
/// # Errors
/// Every fault found, warnings among them, when one of them refuses the configuration.
pub fn from_texts(texts: &[Text], library: &Library) -> Result<Configured, Vec<Fault>> {
    let (mut desk, all) = gather(texts);
    let Some(all) = all else {
        return Err(desk.faults.finish());
    };
    let rooms = rooms::expand(&mut desk, &all);
    let named = rooms
        .iter()
        .flat_map(|room| room.devices.iter().filter_map(|device| device.section.profile.as_ref()));
    let models = Models::look_up(library, named);
    verify::property(&mut desk, &all);
    let bound = verify::bind(&mut desk, &all, &rooms, &models);
    verify::rooms(&mut desk, &all, &rooms, &bound);
    let used: BTreeSet<_> = rooms
        .iter()
        .flat_map(|room| {
            room.devices
                .iter()
                .filter_map(|device| device.section.link.as_deref()?.parse().ok())
        })
        .collect();
    verify::links(&mut desk, &all, &used);
    let configured = configured::assemble(&all, &rooms, &bound);
    if let Some(configured) = &configured {
        bus::buses(&mut desk, &all, configured, library);
    }
    finish(desk, configured)
}

fn finish(desk: Desk, configured: Option<Configured>) -> Result<Configured, Vec<Fault>> {
    let refused = desk.faults.refuse();
    let faults = desk.faults.finish();
    match configured {
        Some(configured) if !refused => Ok(Configured {
            warnings: faults,
            ..configured
        }),
        _ => Err(faults),
    }
}

/// Returns the JSON schema of a configuration file, for editors and for the check itself.
pub fn schema() -> serde_json::Value {
    shape::schema().to_value()
}
