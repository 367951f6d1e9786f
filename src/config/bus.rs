//! What does each Modbus bus of a configuration have to carry, and can it?

use super::configured::{Binding, Configured};
use super::gather::{Desk, Gathered};
use super::link::{Link, ModbusLink, Parity, Reach};
use crate::device::modbus::{self, BlockId, BusPlan, LineSettings, Patience, PollBlock, ReadOp, Transport, UnitPlan};
use crate::device::poll_plan::schedulability;
use crate::model::{DeviceId, LinkId, Span};
use crate::profile::{DeviceBinding, Library, Parameters, Table};
use std::sync::Arc;
use std::time::Duration;

/// A device whose profile says nothing may take so long to answer.
const REPLY: Span = Span::millis(500);
/// After a missing answer this silence is kept, unless the profile says more: one reply limit again.
const QUIET: Span = REPLY;
/// A device usually answers in this part of its limit: makers' limits are ten times what their devices take.
const USUAL_PART: i64 = 10;

/// Returns what each Modbus bus has to carry, in the order of the links. Both the check here and the daemon's buses are
/// made from it, so that what was checked is what runs.
pub fn bus_plans(configured: &Configured, library: &Library) -> Vec<BusPlan> {
    let buses = configured.links.iter().filter_map(|config| match &config.link {
        Link::Modbus(link) => Some((&config.id, link)),
        _ => None,
    });
    buses
        .filter_map(|(id, link)| bus_plan(configured, library, id, link))
        .collect()
}

fn bus_plan(configured: &Configured, library: &Library, id: &LinkId, link: &ModbusLink) -> Option<BusPlan> {
    let units = configured
        .on_link(id)
        .filter_map(|(device, binding)| unit_plan(library, link, device, binding));
    Some(BusPlan {
        link: id.clone(),
        transport: transport(link)?,
        units: units.collect(),
        patience: Patience::default(),
    })
}

fn transport(link: &ModbusLink) -> Option<Transport> {
    let line = LineSettings {
        baud: link.baud,
        parity: match link.parity {
            Parity::None => modbus::Parity::None,
            Parity::Even => modbus::Parity::Even,
            Parity::Odd => modbus::Parity::Odd,
        },
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

fn unit_plan(library: &Library, link: &ModbusLink, device: &DeviceId, binding: &Binding) -> Option<UnitPlan> {
    let bound = device_binding(library, device, binding)?;
    let says = bound.profile().modbus()?;
    let own = |length: Option<super::Lasting>| length.map(Span::from);
    let reply = own(link.reply).or(says.reply.map(|length| length.0)).unwrap_or(REPLY);
    let gap = own(link.gap).or(says.gap.map(|length| length.0)).unwrap_or_default();
    let quiet = says.quarantine.map_or(QUIET, |length| length.0);
    Some(UnitPlan {
        unit: binding.unit?,
        device: device.clone(),
        blocks: blocks(&bound),
        reply_limit: reply.to_std(),
        reply_usual: Duration::from_millis(u64::try_from(reply.as_millis() / USUAL_PART).unwrap_or_default()),
        gap: gap.to_std(),
        quiet: quiet.to_std(),
        settle: bound.profile().settle().to_std(),
        probe: None,
    })
}

/// Returns the device's profile with its parameters filled in; none when the library has no such profile.
pub fn device_binding(library: &Library, device: &DeviceId, binding: &Binding) -> Option<DeviceBinding> {
    let profile = Arc::clone(library.get(binding.profile.as_str())?);
    let mut given: Parameters = binding.params.clone();
    given.extend(binding.index.map(|index| ("index".to_owned(), index.to_string())));
    DeviceBinding::new(profile, device.clone(), &given).ok()
}

fn blocks(bound: &DeviceBinding) -> Vec<PollBlock> {
    let reads = bound.plan(&bound.profile().reports(), bound.plan_limits());
    let block = |(n, read): (u16, &crate::profile::ReadBlock)| PollBlock {
        id: BlockId(n),
        read: ReadOp {
            table: match read.table {
                Table::Coil => modbus::Table::Coils,
                Table::Discrete => modbus::Table::DiscreteInputs,
                Table::Holding => modbus::Table::HoldingRegisters,
                Table::Input => modbus::Table::InputRegisters,
            },
            start: read.start,
            count: read.count,
        },
        period: read.period.to_std(),
    };
    (0..).zip(reads.iter()).map(block).collect()
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
