//! How often was each unit asked, and what came of it?

use super::event::FailReason;
use crate::model::DeviceId;
use tokio::time::Instant;

/// Counters of one bus since it was started.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BusStats {
    /// One entry a unit, in the order of the plan.
    pub units: Vec<UnitStats>,
    /// How often the wire was opened.
    pub opened: u64,
    /// How often that failed.
    pub open_failed: u64,
    /// Bytes discarded because nobody had asked for them.
    pub stray_bytes: u64,
    /// Readings replaced by newer ones before they were taken.
    pub coalesced: u64,
}

/// Counters of one unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitStats {
    /// The device.
    pub device: DeviceId,
    /// Questions asked: reads, writes, probes.
    pub asked: u64,
    /// Questions answered with what was asked for.
    pub answered: u64,
    /// Reads asked only to tell late answers from new ones.
    pub soundings: u64,
    /// Ticks of its blocks that passed while they still waited.
    pub ticks_skipped: u64,
    /// Failures, in the order of [`FailReason::WORDS`].
    pub failures: [u64; FailReason::WORDS.len()],
    /// When it last answered with what was asked for.
    pub last_good: Option<Instant>,
}

impl UnitStats {
    /// Starts at zero.
    pub(super) fn new(device: DeviceId) -> Self {
        Self {
            device,
            asked: 0,
            answered: 0,
            soundings: 0,
            ticks_skipped: 0,
            failures: [0; FailReason::WORDS.len()],
            last_good: None,
        }
    }

    /// Returns how often a question failed for this reason; exceptions count together.
    pub const fn failed(&self, reason: FailReason) -> u64 {
        self.failures[reason.index()]
    }

    /// Notes how a question ended.
    pub(super) fn note(&mut self, outcome: Result<(), FailReason>, now: Instant) {
        self.asked += 1;
        match outcome {
            Ok(()) => {
                self.answered += 1;
                self.last_good = Some(now);
            }
            Err(reason) => self.failures[reason.index()] += 1,
        }
    }
}
