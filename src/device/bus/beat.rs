//! Which registers must be written again and again, so that a device knows its master is alive?

use super::plan::BusDevice;
use crate::device::modbus::WriteOp;
use crate::profile::format::{Heartbeat, OneOrManyNumbers};
use crate::profile::{Table, WriteFunction};
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::time::Instant;

/// The shortest pause between two signs of life: a line has other things to do.
const EVERY_MIN: Duration = Duration::from_secs(1);

/// One register that is written again and again.
#[derive(Debug)]
pub(super) struct Beat {
    /// The number of the device it is written for.
    pub place: usize,
    address: u16,
    is_coil: bool,
    is_single: bool,
    values: Vec<u16>,
    turn: usize,
    every: Duration,
    due: Instant,
}

/// Returns the heartbeats of a bus. Devices behind one unit number have one heart.
pub(super) fn beats(devices: &[BusDevice], now: Instant) -> Vec<Beat> {
    let mut seen = BTreeSet::new();
    let mut beats = Vec::new();
    for (place, device) in devices.iter().enumerate() {
        let Some(link) = device.binding.profile().modbus() else {
            continue;
        };
        if let Some(heartbeat) = &link.heartbeat
            && seen.insert((device.unit, heartbeat.table, heartbeat.addr))
        {
            let function = heartbeat.function.or(link.function);
            beats.push(Beat::new(
                place,
                heartbeat,
                function != Some(WriteFunction::Multiple),
                now,
            ));
        }
    }
    beats
}

impl Beat {
    fn new(place: usize, heartbeat: &Heartbeat, is_single: bool, now: Instant) -> Self {
        Self {
            place,
            address: heartbeat.addr,
            is_coil: heartbeat.table == Table::Coil,
            is_single,
            values: match &heartbeat.value {
                OneOrManyNumbers::One(value) => vec![*value],
                OneOrManyNumbers::Many(values) => values.clone(),
            },
            turn: 0,
            every: heartbeat.every.0.to_std().max(EVERY_MIN),
            due: now,
        }
    }

    /// Returns what is to be written now, if it is time.
    pub fn take(&mut self, now: Instant) -> Option<WriteOp> {
        if now < self.due || self.values.is_empty() {
            return None;
        }
        self.due = now + self.every;
        let value = self.values[self.turn % self.values.len()];
        self.turn = self.turn.wrapping_add(1);
        let address = self.address;
        Some(match (self.is_coil, self.is_single) {
            (true, _) => WriteOp::Coil {
                address,
                on: value != 0,
            },
            (false, true) => WriteOp::Register { address, value },
            (false, false) => WriteOp::Registers {
                start: address,
                values: vec![value],
            },
        })
    }
}
