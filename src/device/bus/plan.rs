//! What is asked of each device on a bus, and how often?
//!
//! The one place where device profiles become a plan for a line: the configuration check holds this plan against the
//! line's arithmetic, and the daemon runs the same.

use crate::device::modbus::{BlockId, BusPlan, Patience, PollBlock, ReadOp, Table, Transport, UnitPlan, WriteOp};
use crate::model::{LinkId, Span};
use crate::profile::{self, DeviceBinding, ReadBlock, Write};
use std::time::Duration;

/// How long a device may take to answer whose profile does not say.
const REPLY: Span = Span::millis(500);
/// A device usually answers in this part of its limit: makers' limits are about ten times what their devices take.
const USUAL_PART: u32 = 10;
/// A read-back waits at least so long: many devices carry a write into what they report with their next own scan.
const SETTLE_MIN: Duration = Duration::from_millis(200);

/// How one bus is reached, and what the property says of it in place of the makers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BusSettings {
    /// Its name.
    pub link: LinkId,
    /// How it is reached: Modbus/TCP, a serial server or a serial port.
    pub transport: Transport,
    /// How long an answer may take; else what each profile says.
    pub reply: Option<Duration>,
    /// Silence before each question beyond the line's own; else what each profile says.
    pub gap: Option<Duration>,
    /// When a silent unit is left alone.
    pub patience: Patience,
}

impl BusSettings {
    /// Returns the settings of a bus for which nothing special is said.
    pub fn new(link: LinkId, transport: Transport) -> Self {
        Self {
            link,
            transport,
            reply: None,
            gap: None,
            patience: Patience::default(),
        }
    }
}

/// One device on a bus. Several can have one unit number: the rooms behind a gateway.
#[derive(Debug, Clone)]
pub struct BusDevice {
    /// The unit number.
    pub unit: u8,
    /// The device and how it speaks.
    pub binding: DeviceBinding,
}

/// Returns the plan of a bus. Blocks are numbered in the order of `block_reads`.
pub fn bus_plan(settings: &BusSettings, devices: &[BusDevice]) -> BusPlan {
    BusPlan {
        link: settings.link.clone(),
        transport: settings.transport.clone(),
        units: devices.iter().map(|device| unit_plan(settings, device)).collect(),
        patience: settings.patience,
    }
}

fn unit_plan(settings: &BusSettings, device: &BusDevice) -> UnitPlan {
    let profile = device.binding.profile();
    let says = profile.modbus();
    let reply = says
        .and_then(|link| link.reply)
        .map_or(REPLY, |length| length.0)
        .to_std();
    let reply_limit = settings.reply.unwrap_or(reply);
    let gap = says
        .and_then(|link| link.gap)
        .map_or(Duration::ZERO, |length| length.0.to_std());
    let quiet = says
        .and_then(|link| link.quarantine)
        .map_or(reply_limit, |length| length.0.to_std());
    let blocks = (0..).zip(block_reads(&device.binding));
    UnitPlan {
        unit: device.unit,
        device: device.binding.device().clone(),
        blocks: blocks
            .map(|(number, (read, period))| PollBlock {
                id: BlockId(number),
                read,
                period,
            })
            .collect(),
        reply_limit,
        reply_usual: reply_limit / USUAL_PART,
        gap: settings.gap.unwrap_or(gap),
        quiet,
        settle: profile.settle().to_std().max(SETTLE_MIN),
        probe: says.and_then(|link| link.probe.as_ref()).map(|probe| ReadOp {
            table: table(probe.table),
            start: probe.addr,
            count: 1,
        }),
    }
}

/// Returns the reads that bring everything a device reports, and whether it is there at all, with their periods.
pub(super) fn block_reads(binding: &DeviceBinding) -> Vec<(ReadOp, Duration)> {
    let reported = binding.plan(&binding.profile().reports(), binding.plan_limits());
    // Whether the unit is there comes first: until that is known its registers say nothing.
    let blocks = binding.presence_plan().into_iter().chain(reported);
    blocks.map(|block| (read_op(&block), block.period.to_std())).collect()
}

pub(super) fn read_op(block: &ReadBlock) -> ReadOp {
    ReadOp {
        table: table(block.table),
        start: block.start,
        count: block.count,
    }
}

/// A write of a profile as the line carries it.
pub(super) fn write_op(write: &Write) -> WriteOp {
    let first = write.words.first().copied().unwrap_or_default();
    match write.function {
        5 => WriteOp::Coil {
            address: write.addr,
            on: first != 0,
        },
        6 => WriteOp::Register {
            address: write.addr,
            value: first,
        },
        15 => WriteOp::Coils {
            start: write.addr,
            states: write.words.iter().map(|word| *word != 0).collect(),
        },
        _ => WriteOp::Registers {
            start: write.addr,
            values: write.words.clone(),
        },
    }
}

pub(super) const fn table(table: profile::Table) -> Table {
    match table {
        profile::Table::Coil => Table::Coils,
        profile::Table::Discrete => Table::DiscreteInputs,
        profile::Table::Input => Table::InputRegisters,
        profile::Table::Holding => Table::HoldingRegisters,
    }
}

/// The line's table as profiles name it.
pub(super) const fn profile_table(table: Table) -> profile::Table {
    match table {
        Table::Coils => profile::Table::Coil,
        Table::DiscreteInputs => profile::Table::Discrete,
        Table::InputRegisters => profile::Table::Input,
        Table::HoldingRegisters => profile::Table::Holding,
    }
}
