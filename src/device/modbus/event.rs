//! What does a bus tell, and what can go wrong with a question?

use super::plan::{BlockId, ReadOp, WriteOp};
use crate::model::{DeviceId, LinkId};
use tokio::time::Instant;

/// What the bus tells. Moments are of the monotonic clock.
#[derive(Debug, Clone, PartialEq)]
pub enum BusEvent {
    /// A block was read.
    Block {
        /// The device.
        device: DeviceId,
        /// Its block.
        block: BlockId,
        /// As many words as were asked for; a bit is 0 or 1.
        words: Vec<u16>,
        /// When the answer was complete.
        at: Instant,
    },
    /// A block could not be read: what it holds is unknown.
    BlockFailed {
        /// The device.
        device: DeviceId,
        /// Its block.
        block: BlockId,
        /// Why.
        reason: FailReason,
        /// When that was clear.
        at: Instant,
    },
    /// A device came, or fell silent.
    Unit {
        /// The device.
        device: DeviceId,
        /// What it is now.
        state: UnitState,
        /// Since when.
        at: Instant,
    },
    /// What became of a write. Each accepted write is told exactly once.
    Written {
        /// The device.
        device: DeviceId,
        /// The ticket it was given.
        ticket: Ticket,
        /// What became of it.
        result: WriteResult,
        /// When that was clear.
        at: Instant,
    },
    /// The bus itself came up or went down.
    Bus {
        /// The bus.
        link: LinkId,
        /// What it is now.
        state: BusState,
        /// Since when.
        at: Instant,
    },
}

/// Names a write, so that its result can be told apart; the caller's choice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub u64);

/// Whether a device answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnitState {
    /// It does.
    Online,
    /// It does not, and is left alone for a while.
    Quarantined {
        /// When it is asked again.
        until: Instant,
        /// What the last question came to.
        because: FailReason,
    },
}

/// Whether the bus can be reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BusState {
    /// It can.
    Up,
    /// It cannot.
    Down {
        /// What is wrong, and what to do about it.
        because: String,
        /// When it is tried again.
        until: Instant,
    },
}

/// Why a question brought no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FailReason {
    /// No answer within the limit.
    Silent,
    /// The gateway has no way to the unit (exception 0A).
    GatewayPath,
    /// The gateway asked the unit and got no answer (exception 0B).
    GatewayTarget,
    /// The device is busy (exception 06); asked again soon.
    Busy,
    /// The device refused, with this exception code.
    Exception(u8),
    /// The answer belongs to another question or another unit.
    Foreign,
    /// The answer is to another function.
    WrongFunction,
    /// The answer has more or fewer words than were asked for.
    WrongLength,
    /// A write was echoed with another address, value or count.
    WrongEcho,
    /// Bytes that are no frame.
    BrokenFrame,
    /// The connection or the port broke in the middle.
    LinkLost,
    /// The bus could not be reached at all.
    LinkDown,
}

impl FailReason {
    /// Every reason, as counters list them; an exception's code is not told apart.
    pub const WORDS: [&'static str; 12] = [
        "silent",
        "gateway-path",
        "gateway-target",
        "busy",
        "exception",
        "foreign",
        "wrong-function",
        "wrong-length",
        "wrong-echo",
        "broken-frame",
        "link-lost",
        "link-down",
    ];

    /// The place in [`FailReason::WORDS`].
    pub const fn index(self) -> usize {
        match self {
            FailReason::Silent => 0,
            FailReason::GatewayPath => 1,
            FailReason::GatewayTarget => 2,
            FailReason::Busy => 3,
            FailReason::Exception(_) => 4,
            FailReason::Foreign => 5,
            FailReason::WrongFunction => 6,
            FailReason::WrongLength => 7,
            FailReason::WrongEcho => 8,
            FailReason::BrokenFrame => 9,
            FailReason::LinkLost => 10,
            FailReason::LinkDown => 11,
        }
    }

    /// The reason in a word.
    pub const fn word(self) -> &'static str {
        Self::WORDS[self.index()]
    }

    /// Whether what comes next on the wire can no longer be trusted.
    pub const fn spoils_the_link(self) -> bool {
        !matches!(
            self,
            FailReason::GatewayPath
                | FailReason::GatewayTarget
                | FailReason::Busy
                | FailReason::Exception(_)
                | FailReason::LinkDown
        )
    }

    /// Whether the device gave no sign of life that can be trusted.
    pub const fn is_a_miss(self) -> bool {
        !matches!(self, FailReason::Busy | FailReason::Exception(_) | FailReason::LinkDown)
    }

    /// Returns what an exception code means.
    pub const fn from_exception(code: u8) -> Self {
        match code {
            0x06 => FailReason::Busy,
            0x0A => FailReason::GatewayPath,
            0x0B => FailReason::GatewayTarget,
            code => FailReason::Exception(code),
        }
    }
}

/// A write as it is handed to the bus: all or, after a refusal, a counted part of its operations, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WriteJob {
    /// The device.
    pub device: DeviceId,
    /// The caller's name for it.
    pub ticket: Ticket,
    /// What is written, in order. Without any, only `verify` is read, before the reads that are due.
    pub ops: Vec<WriteOp>,
    /// What is read afterwards, once the device's settle time is over.
    pub verify: Option<ReadOp>,
}

/// What became of a write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WriteResult {
    /// How it ended.
    pub outcome: WriteOutcome,
    /// How many operations the device acknowledged.
    pub ops_done: usize,
    /// The words read afterwards, when that was wanted and came to something. Whether they mean applied, clamped or
    /// reverted is for the profile to say.
    pub read_back: Option<Vec<u16>>,
}

/// How a write ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteOutcome {
    /// Every operation was acknowledged with its own address and value.
    Done,
    /// The device refused the operation after those done; nothing further was sent.
    Refused(FailReason),
    /// The operation after those done was sent and no trustworthy echo came: it may or may not have been carried out.
    /// It is never sent twice; the words read back tell.
    Unsure(FailReason),
    /// Nothing was sent.
    NotSent(NotSent),
}

/// Why a write never left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotSent {
    /// The device is silent and left alone.
    Quarantined,
    /// The bus cannot be reached.
    LinkDown,
    /// The bus is being stopped.
    Stopping,
}
