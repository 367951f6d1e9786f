//! What does each Modbus bus of a configuration have to carry, and can it?

use super::configured::{Binding, Configured};
use super::gather::{Desk, Gathered};
use super::link::{Link, ModbusLink, Parity, Reach};
use crate::device::bus::{BusDevice, BusSettings, bus_plan};
use crate::device::modbus::{self, BusPlan, LineSettings, Transport};
use crate::device::poll_plan::schedulability;
use crate::model::{DeviceId, LinkId};
use crate::profile::{Binder, DeviceBinding, Library, Parameters};
use std::sync::Arc;

/// Returns what each Modbus bus has to carry, in the order of the links. The daemon's buses are made from the same parts, so
/// that what was checked is what runs.
pub fn bus_plans(configured: &Configured, library: &Library) -> Vec<BusPlan> {
    let buses = configured
        .links
        .iter()
        .filter_map(|config| bus_parts(configured, library, &config.id));
    buses.map(|(settings, devices)| bus_plan(&settings, &devices)).collect()
}

/// Returns how one bus is reached and what hangs on it; none when the link is no Modbus bus.
pub fn bus_parts(configured: &Configured, library: &Library, id: &LinkId) -> Option<(BusSettings, Vec<BusDevice>)> {
    let Link::Modbus(link) = configured.link(id)? else {
        return None;
    };
    let mut binder = Binder::default();
    let device = |(device, binding): (&DeviceId, &Binding)| {
        Some(BusDevice {
            unit: binding.unit?,
            binding: device_binding(&mut binder, library, device, binding)?,
        })
    };
    let settings = BusSettings {
        reply: link.reply.map(|own| own.0.to_std()),
        gap: link.gap.map(|own| own.0.to_std()),
        ..BusSettings::new(id.clone(), transport(link)?)
    };
    Some((settings, configured.on_link(id).filter_map(device).collect()))
}

fn transport(link: &ModbusLink) -> Option<Transport> {
    let parity = match link.parity {
        Parity::None => modbus::Parity::None,
        Parity::Even => modbus::Parity::Even,
        Parity::Odd => modbus::Parity::Odd,
    };
    let line = LineSettings {
        baud: link.baud,
        parity,
        stop_bits: link.stop,
        data_bits: link.data,
    };
    Some(match link.reach()? {
        Reach::Tcp(address) => Transport::Tcp {
            address: address.to_owned(),
        },
        Reach::RtuOverTcp(address) => Transport::RtuOverTcp {
            address: address.to_owned(),
            line,
        },
        Reach::Serial(path) => Transport::Serial {
            path: path.display().to_string(),
            line,
        },
    })
}

/// Returns the device's profile with its parameters filled in; none when the library has no such profile.
/// The devices of one binder share what is the same for all of them.
pub fn device_binding(
    binder: &mut Binder,
    library: &Library,
    device: &DeviceId,
    binding: &Binding,
) -> Option<DeviceBinding> {
    let profile = Arc::clone(library.get(binding.profile.as_str())?);
    let mut given = Arc::clone(&binding.params);
    if let Some(index) = binding.index {
        Arc::<Parameters>::make_mut(&mut given).insert("index".to_owned(), index.to_string());
    }
    binder.bind(profile, device.clone(), &given).ok()
}

/// Checks that every bus can carry what is on it.
pub(super) fn buses(desk: &mut Desk, all: &Gathered, configured: &Configured, library: &Library) {
    for plan in bus_plans(configured, library) {
        let Some(place) = all.links.get(&plan.link).map(|piece| piece.place.clone()) else {
            continue;
        };
        if let Err(fault) = plan.check() {
            // What the protocol cannot carry has mostly been told already, where it was written.
            if !desk.faults.refuse() {
                desk.error(&place, format!("bus {}: {fault}", plan.link), "");
            }
            continue;
        }
        let verdict = schedulability(&plan);
        if !verdict.fits {
            let share = (verdict.utilisation * 100.0).round();
            let what = format!(
                "bus {} cannot read {} devices as often as their profiles ask: reading takes {share} % of the line",
                plan.link,
                plan.units.len()
            );
            desk.error(&place, what, verdict.proposal.unwrap_or_default());
        }
    }
}
