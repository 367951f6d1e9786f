//! What hangs on one bus, how is it reached, and what is asked of it how often?
//!
//! Plain data, and the arithmetic of the serial line that both the bus and the configuration check use.

use crate::model::{DeviceId, LinkId};
use std::collections::BTreeSet;
use std::time::Duration;

/// Registers one read may carry (Modbus application protocol, 6.3 and 6.4).
pub const READ_REGISTERS_MAX: u16 = 125;
/// Coils or discrete inputs one read may carry (6.1 and 6.2).
pub const READ_BITS_MAX: u16 = 2000;
/// Registers one write may carry (6.12).
pub const WRITE_REGISTERS_MAX: usize = 123;
/// Coils one write may carry (6.11).
pub const WRITE_COILS_MAX: usize = 1968;
/// Units of one plan: the address space of a serial line, and of one gateway.
pub const UNITS_MAX: usize = 256;
/// Blocks of one unit: more than any register map in use needs after coalescing, and it bounds the timetable.
pub const BLOCKS_PER_UNIT_MAX: usize = 64;
/// The shortest period that is worth a timer of one millisecond.
pub const PERIOD_MIN: Duration = Duration::from_millis(5);

/// How the bus is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Transport {
    /// Modbus/TCP with its own header and transaction numbers.
    Tcp {
        /// `host:port`.
        address: String,
    },
    /// RTU frames through a transparent serial server.
    RtuOverTcp {
        /// `host:port`.
        address: String,
        /// The line behind the server: its silence is what counts.
        line: LineSettings,
    },
    /// RTU frames on a serial port of this machine.
    Serial {
        /// The device node, best one below `/dev/serial/by-id/`, which survives re-plugging.
        path: String,
        /// The line.
        line: LineSettings,
    },
}

impl Transport {
    /// The serial line behind the transport; none for Modbus/TCP.
    pub const fn line(&self) -> Option<&LineSettings> {
        match self {
            Transport::Tcp { .. } => None,
            Transport::RtuOverTcp { line, .. } | Transport::Serial { line, .. } => Some(line),
        }
    }
}

/// The parity bit of a character.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Parity {
    /// No parity bit.
    #[default]
    None,
    /// Even, the default of the serial-line guide.
    Even,
    /// Odd.
    Odd,
}

/// How characters are sent on a serial line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineSettings {
    /// Bits a second.
    pub baud: u32,
    /// The parity bit.
    pub parity: Parity,
    /// 1 or 2.
    pub stop_bits: u8,
    /// 7 or 8; RTU needs 8.
    pub data_bits: u8,
}

impl Default for LineSettings {
    fn default() -> Self {
        Self {
            baud: 9600,
            parity: Parity::None,
            stop_bits: 1,
            data_bits: 8,
        }
    }
}

impl LineSettings {
    /// Bits of one character: start, data, parity, stop.
    pub fn bits_per_character(&self) -> u32 {
        1 + u32::from(self.data_bits) + u32::from(self.parity != Parity::None) + u32::from(self.stop_bits)
    }

    /// How long so many bytes are on the line.
    pub fn time_of(&self, bytes: usize) -> Duration {
        let bits = bytes as u64 * u64::from(self.bits_per_character());
        Duration::from_nanos(bits * 1_000_000_000 / u64::from(self.baud.max(1)))
    }

    /// The silence that separates two frames: 3.5 characters of 11 bits up to 19200 baud, 1.75 ms above
    /// (Modbus over serial line, 2.5.1.1).
    pub fn silence(&self) -> Duration {
        if self.baud > 19_200 {
            Duration::from_micros(1750)
        } else {
            Duration::from_nanos(38_500_000_000 / u64::from(self.baud.max(1)))
        }
    }
}

/// One of the four tables of a Modbus device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Table {
    /// Single bits that can be written (function 01).
    Coils,
    /// Single bits that can only be read (02).
    DiscreteInputs,
    /// Registers that can only be read (04).
    InputRegisters,
    /// Registers that can be written (03).
    HoldingRegisters,
}

impl Table {
    /// Whether the table holds single bits.
    pub const fn is_bits(self) -> bool {
        matches!(self, Table::Coils | Table::DiscreteInputs)
    }

    /// The most one read may ask of it.
    pub const fn read_max(self) -> u16 {
        if self.is_bits() {
            READ_BITS_MAX
        } else {
            READ_REGISTERS_MAX
        }
    }
}

/// One read: so many neighbours of a table. A bit is read as a word of 0 or 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ReadOp {
    /// The table.
    pub table: Table,
    /// The first address as it is on the wire, from 0.
    pub start: u16,
    /// How many.
    pub count: u16,
}

impl ReadOp {
    /// Bytes of the RTU frames of question and answer.
    pub fn frame_bytes(&self) -> (usize, usize) {
        let data = if self.table.is_bits() {
            usize::from(self.count).div_ceil(8)
        } else {
            usize::from(self.count) * 2
        };
        (8, 5 + data)
    }

    pub(super) fn check(&self, device: &DeviceId) -> Result<(), PlanFault> {
        let most = self.table.read_max();
        let fits = (1..=most).contains(&self.count) && u32::from(self.start) + u32::from(self.count) <= 0x1_0000;
        if fits {
            Ok(())
        } else {
            Err(PlanFault::Read {
                device: device.clone(),
                read: *self,
                most,
            })
        }
    }
}

/// One write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WriteOp {
    /// Function 05.
    Coil {
        /// The address on the wire.
        address: u16,
        /// The state wanted.
        on: bool,
    },
    /// Function 06.
    Register {
        /// The address on the wire.
        address: u16,
        /// The word wanted.
        value: u16,
    },
    /// Function 15.
    Coils {
        /// The first address on the wire.
        start: u16,
        /// The states wanted.
        states: Vec<bool>,
    },
    /// Function 16.
    Registers {
        /// The first address on the wire.
        start: u16,
        /// The words wanted.
        values: Vec<u16>,
    },
    /// Function 22: `(old AND and) OR (or AND NOT and)`.
    Masked {
        /// The address on the wire.
        address: u16,
        /// Bits kept.
        and: u16,
        /// Bits set where `and` is 0.
        or: u16,
    },
}

impl WriteOp {
    /// Bytes of the RTU frames of question and answer.
    pub fn frame_bytes(&self) -> (usize, usize) {
        match self {
            WriteOp::Coil { .. } | WriteOp::Register { .. } => (8, 8),
            WriteOp::Coils { states, .. } => (9 + states.len().div_ceil(8), 8),
            WriteOp::Registers { values, .. } => (9 + values.len() * 2, 8),
            WriteOp::Masked { .. } => (10, 10),
        }
    }

    /// Whether the protocol can carry it.
    pub fn is_sound(&self) -> bool {
        let fits =
            |start: u16, len: usize, most: usize| (1..=most).contains(&len) && usize::from(start) + len <= 0x1_0000;
        match self {
            WriteOp::Coil { .. } | WriteOp::Register { .. } | WriteOp::Masked { .. } => true,
            WriteOp::Coils { start, states } => fits(*start, states.len(), WRITE_COILS_MAX),
            WriteOp::Registers { start, values } => fits(*start, values.len(), WRITE_REGISTERS_MAX),
        }
    }
}

/// Names a block within its unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlockId(pub u16);

/// A read that is repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PollBlock {
    /// Its name within the unit.
    pub id: BlockId,
    /// What is read.
    pub read: ReadOp,
    /// How often.
    pub period: Duration,
}

/// One device on the bus. Several devices may share a unit number (the rooms behind a gateway).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitPlan {
    /// The unit number: 1 to 247, on Modbus/TCP also 0 and 248 to 255. Broadcast is not offered.
    pub unit: u8,
    /// The device it is to the rest of the house.
    pub device: DeviceId,
    /// What is read of it.
    pub blocks: Vec<PollBlock>,
    /// How long the device may take from the end of a question until its answer begins; the time both are on a serial
    /// line is added by the bus. Behind a gateway: longer than the gateway's own limit.
    pub reply_limit: Duration,
    /// How long it usually takes. Only the configuration check uses it.
    pub reply_usual: Duration,
    /// Silence the device wants before a question, beyond the line's own.
    pub gap: Duration,
    /// Silence after a missing or broken answer on a serial line: the longest the device may still be late.
    pub quiet: Duration,
    /// How long a write takes to show in the registers; a read-back waits for it.
    pub settle: Duration,
    /// The cheap read that asks whether a silent device is back; its first block when not given. Best of a length no
    /// block has: see `doubt`.
    pub probe: Option<ReadOp>,
}

impl UnitPlan {
    /// The read that asks whether the device is there, when there is any.
    pub fn probe_read(&self) -> Option<ReadOp> {
        self.probe
            .or_else(|| self.blocks.iter().map(|b| b.read).min_by_key(|r| r.frame_bytes().1))
    }
}

/// When a silent unit is left alone, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// So many missing answers in a row are one too many.
    pub misses: u32,
    /// The first pause; each further one is twice as long.
    pub first: Duration,
    /// The longest pause.
    pub longest: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            misses: 3,
            first: Duration::from_secs(1),
            longest: Duration::from_secs(60),
        }
    }
}

/// One bus with everything on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BusPlan {
    /// Its name.
    pub link: LinkId,
    /// How it is reached.
    pub transport: Transport,
    /// Who is on it.
    pub units: Vec<UnitPlan>,
    /// When a silent unit is left alone.
    pub patience: Patience,
}

/// Why a plan cannot be carried out, and what to write instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanFault {
    /// A unit number nobody can have.
    #[error(
        "device {device}: unit {unit} cannot be addressed here; write 1 to 247 (0 is broadcast, which is not offered)"
    )]
    Unit {
        /// The device.
        device: DeviceId,
        /// The number.
        unit: u8,
    },
    /// A device named twice.
    #[error("device {device} stands twice on this bus; name it once")]
    Twice {
        /// The device.
        device: DeviceId,
    },
    /// A read the protocol cannot carry.
    #[error("device {device}: a read of {} from {:?} {} is impossible; write 1 to {most}, ending at 65535 at most", .read.count, .read.table, .read.start)]
    Read {
        /// The device.
        device: DeviceId,
        /// The read.
        read: ReadOp,
        /// The most one read may ask.
        most: u16,
    },
    /// A period too short to keep.
    #[error("device {device}: a period of {period:?} cannot be kept; write {PERIOD_MIN:?} or more")]
    Period {
        /// The device.
        device: DeviceId,
        /// The period.
        period: Duration,
    },
    /// More units or blocks than the bus keeps.
    #[error("{what}: {count} are too many; write {most} at most")]
    TooMany {
        /// Of what.
        what: String,
        /// How many.
        count: usize,
        /// The limit.
        most: usize,
    },
    /// A block named twice.
    #[error("device {device}: block {} stands twice; number the blocks", .block.0)]
    BlockTwice {
        /// The device.
        device: DeviceId,
        /// The block.
        block: BlockId,
    },
    /// Line settings no RTU line can have.
    #[error(
        "{baud} baud with {data_bits} data and {stop_bits} stop bits is no RTU line; write 1200 to 115200 baud, 8 data bits, 1 or 2 stop bits"
    )]
    Line {
        /// Bits a second.
        baud: u32,
        /// Data bits.
        data_bits: u8,
        /// Stop bits.
        stop_bits: u8,
    },
}

impl BusPlan {
    /// Checks that the protocol can carry the plan.
    ///
    /// # Errors
    /// The first fault found.
    pub fn check(&self) -> Result<(), PlanFault> {
        if let Some(line) = self.transport.line() {
            check_line(line)?;
        }
        at_most(&format!("units on bus {}", self.link), self.units.len(), UNITS_MAX)?;
        let mut devices = BTreeSet::new();
        for unit in &self.units {
            if !devices.insert(&unit.device) {
                return Err(PlanFault::Twice {
                    device: unit.device.clone(),
                });
            }
            self.check_unit(unit)?;
        }
        Ok(())
    }

    fn check_unit(&self, unit: &UnitPlan) -> Result<(), PlanFault> {
        let is_serial = self.transport.line().is_some();
        if is_serial && !(1..=247).contains(&unit.unit) {
            return Err(PlanFault::Unit {
                device: unit.device.clone(),
                unit: unit.unit,
            });
        }
        at_most(
            &format!("blocks of device {}", unit.device),
            unit.blocks.len(),
            BLOCKS_PER_UNIT_MAX,
        )?;
        let mut ids = BTreeSet::new();
        for block in &unit.blocks {
            block.read.check(&unit.device)?;
            if block.period < PERIOD_MIN {
                return Err(PlanFault::Period {
                    device: unit.device.clone(),
                    period: block.period,
                });
            }
            if !ids.insert(block.id) {
                return Err(PlanFault::BlockTwice {
                    device: unit.device.clone(),
                    block: block.id,
                });
            }
        }
        unit.probe.map_or(Ok(()), |probe| probe.check(&unit.device))
    }
}

fn check_line(line: &LineSettings) -> Result<(), PlanFault> {
    let LineSettings {
        baud,
        data_bits,
        stop_bits,
        ..
    } = *line;
    if (300..=1_000_000).contains(&baud) && data_bits == 8 && (1..=2).contains(&stop_bits) {
        Ok(())
    } else {
        Err(PlanFault::Line {
            baud,
            data_bits,
            stop_bits,
        })
    }
}

fn at_most(what: &str, count: usize, most: usize) -> Result<(), PlanFault> {
    if count <= most {
        Ok(())
    } else {
        Err(PlanFault::TooMany {
            what: what.into(),
            count,
            most,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_time_is_that_of_the_serial_line_guide() {
        let line = LineSettings::default();
        assert_eq!(line.silence().as_micros(), 4010);
        assert_eq!(LineSettings { baud: 19_200, ..line }.silence().as_micros(), 2005);
        assert_eq!(LineSettings { baud: 38_400, ..line }.silence().as_micros(), 1750);
        let ten = ReadOp {
            table: Table::HoldingRegisters,
            start: 0,
            count: 10,
        };
        let (question, answer) = ten.frame_bytes();
        let total = line.time_of(question + answer) + 2 * line.silence();
        assert_eq!(total.as_micros() / 100, 423, "42.4 ms in the field's tables, rounded");
    }

    #[test]
    fn what_the_protocol_cannot_carry_is_refused_with_its_name() {
        let device = DeviceId::new("fcu-1").unwrap();
        for (table, start, count, fine) in [
            (Table::HoldingRegisters, 0, 125, true),
            (Table::HoldingRegisters, 0, 126, false),
            (Table::HoldingRegisters, 0, 0, false),
            (Table::Coils, 0, 2000, true),
            (Table::InputRegisters, 65535, 1, true),
            (Table::InputRegisters, 65535, 2, false),
        ] {
            assert_eq!(
                ReadOp { table, start, count }.check(&device).is_ok(),
                fine,
                "{table:?} {start} {count}"
            );
        }
        assert!(
            !WriteOp::Registers {
                start: 0,
                values: vec![0; 124]
            }
            .is_sound()
        );
        assert!(
            !WriteOp::Registers {
                start: 0,
                values: vec![]
            }
            .is_sound()
        );
        assert!(
            !WriteOp::Coils {
                start: 65535,
                states: vec![true; 2]
            }
            .is_sound()
        );
    }
}
