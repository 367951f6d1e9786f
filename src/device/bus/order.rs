//! What is on its way to a device, and what does its answer mean?

use crate::device::modbus::{FailReason, NotSent, ReadOp, WriteOutcome};
use crate::model::{Command, CommandId, Point, Value, WriteResult};
use crate::profile::DeviceBinding;
use crate::profile::format::{CommandSpec, ConfirmBy};
use std::time::Duration;
use tokio::time::Instant;

/// The least and the longest pause between two read-backs of one command.
const AGAIN_MIN: Duration = Duration::from_millis(250);
const AGAIN_MAX: Duration = Duration::from_secs(10);
/// Read-backs within the time a device has to show what it was told.
const READ_BACKS: u32 = 4;

/// Why something was asked of the bus.
#[derive(Debug)]
pub(super) enum Asked {
    /// To know the settings that must be told along with a command; these reads are left.
    Seed {
        command: Box<Command>,
        place: usize,
        read: ReadOp,
        rest: Vec<ReadOp>,
    },
    /// To carry out a command.
    Write(Box<Order>),
    /// To see a second time whether a command shows.
    Again(Box<Order>),
    /// To see whether a surprising value stands.
    Second { place: usize, read: ReadOp },
    /// To let the device know that its master is alive.
    Beat { place: usize },
}

/// A command that was handed to the bus.
#[derive(Debug)]
pub(super) struct Order {
    /// Which.
    pub id: CommandId,
    /// The number of its device.
    pub place: usize,
    /// What about.
    pub point: Point,
    /// What.
    pub value: Value,
    /// How it is seen that the device obeyed; none when nothing shows it.
    pub check: Option<Check>,
    /// Whether a device acknowledged it, once that is known.
    pub is_acknowledged: bool,
}

/// How it is seen that a device obeyed.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Check {
    /// The point that shows it.
    pub point: Point,
    /// How near it must come.
    pub tolerance: f64,
    /// The read that brings it.
    pub read: ReadOp,
    /// What it read before.
    pub before: Option<Value>,
    /// Until when the old value proves nothing.
    pub until: Instant,
    /// The pause before it is read again.
    pub pause: Duration,
}

/// What follows from an answer.
#[derive(Debug, PartialEq)]
pub(super) enum Verdict {
    /// It ended so.
    Ended(WriteResult),
    /// The device may still show it.
    LookAgain,
}

impl Order {
    /// Judges by what the confirming point reads now: `None` when it could not be read.
    pub fn judge(&self, reads: Option<Option<&Value>>, now: Instant) -> Verdict {
        let Some(check) = &self.check else {
            return Verdict::Ended(self.unseen());
        };
        let has_time = now < check.until;
        match reads {
            Some(Some(value)) if value.is_near(&self.value, check.tolerance) => Verdict::Ended(WriteResult::Verified),
            None if has_time => Verdict::LookAgain,
            None => Verdict::Ended(self.unseen()),
            // The device has not answered yet; anything else than the old value is its answer.
            Some(value) if value == check.before.as_ref() && has_time => Verdict::LookAgain,
            Some(Some(value)) => Verdict::Ended(WriteResult::Failed(format!("reads back {value}"))),
            Some(None) => Verdict::Ended(WriteResult::Failed("reads back nothing valid".into())),
        }
    }

    fn unseen(&self) -> WriteResult {
        if self.is_acknowledged {
            WriteResult::Sent
        } else {
            WriteResult::Failed("sent, but not acknowledged".into())
        }
    }
}

/// Returns how a write that never took effect ended; none when it may have.
pub(super) fn not_written(outcome: WriteOutcome) -> Option<WriteResult> {
    match outcome {
        WriteOutcome::Done | WriteOutcome::Unsure(_) => None,
        WriteOutcome::Refused(FailReason::Busy) => Some(WriteResult::Failed("the device is busy".into())),
        WriteOutcome::Refused(FailReason::Exception(code)) => Some(WriteResult::Refused(format!("exception {code}"))),
        WriteOutcome::Refused(reason) => Some(WriteResult::Refused(reason.word().into())),
        WriteOutcome::NotSent(NotSent::Quarantined) => Some(WriteResult::Failed("the device does not answer".into())),
        WriteOutcome::NotSent(NotSent::LinkDown) => Some(WriteResult::Failed("link down".into())),
        WriteOutcome::NotSent(NotSent::Stopping) => Some(WriteResult::Failed(crate::device::running::STOPPED.into())),
    }
}

/// Returns how a command is seen to be obeyed, when it is by reading back.
pub(super) fn check(
    binding: &DeviceBinding,
    spec: &CommandSpec,
    before: Option<&Value>,
    settle: Duration,
    now: Instant,
) -> Option<Check> {
    let confirm = spec
        .confirm
        .as_ref()
        .filter(|confirm| confirm.by == ConfirmBy::ReadBack)?;
    let blocks = binding.plan(&[confirm.point], binding.plan_limits());
    let within = confirm.within.0.to_std();
    Some(Check {
        point: confirm.point,
        tolerance: confirm.tolerance.unwrap_or(0.0),
        read: super::plan::read_op(blocks.first()?),
        before: before.cloned(),
        until: now + within.max(settle),
        pause: (within / READ_BACKS).clamp(AGAIN_MIN, AGAIN_MAX),
    })
}

/// Returns what a command says of itself in the device's profile.
pub(super) fn spec(binding: &DeviceBinding, point: Point) -> Option<&CommandSpec> {
    binding.profile().file().command.get(point.name())
}

/// Returns the settings that must be told along with a command: the other points of its block.
pub(super) fn seeds(binding: &DeviceBinding, point: Point) -> Vec<Point> {
    let file = binding.profile().file();
    let block = spec(binding, point).and_then(|spec| file.block.get(spec.block.as_deref()?));
    let fields = block.into_iter().flat_map(|block| &block.field);
    fields
        .filter(|field| field.when.is_empty() || field.when.contains(&point))
        .filter_map(|field| field.point)
        .filter(|other| *other != point)
        .collect()
}
