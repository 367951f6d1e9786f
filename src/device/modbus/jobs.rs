//! Which write goes next?
//!
//! Writes to one device keep their order; a device that is busy or settling holds up nobody else. Time is an argument.

use super::event::{WriteJob, WriteOutcome};
use std::time::Duration;
use tokio::time::Instant;

/// Writes under way at once: what waits beyond it stays in the bounded queue and is refused there.
pub(super) const OPEN_MAX: usize = 32;
/// How often a busy device is asked again for one operation.
pub(super) const BUSY_TRIES_MAX: u32 = 5;
/// The pause before a busy device is asked again.
pub(super) const BUSY_PAUSE: Duration = Duration::from_millis(250);

/// A write under way.
#[derive(Debug)]
pub(super) struct Job {
    /// What was asked for.
    pub order: WriteJob,
    /// The number of its unit.
    pub unit: usize,
    /// How far it is.
    pub stage: Stage,
    /// Operations acknowledged.
    pub ops_done: usize,
    /// When it goes on.
    pub at: Instant,
    /// How often the device was busy with this step.
    pub busy: u32,
}

/// How far a write is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// Operations are left.
    Writing,
    /// The outcome is known; the words are read back when the device has settled.
    ReadingBack(WriteOutcome),
}

/// The writes under way, in order of arrival.
#[derive(Debug, Default)]
pub(super) struct Jobs {
    open: Vec<Job>,
}

impl Jobs {
    /// Whether one more may be taken.
    pub fn has_room(&self) -> bool {
        self.open.len() < OPEN_MAX
    }

    /// Takes up a new write. One without operations only reads, and has nothing to settle.
    pub fn begin(&mut self, order: WriteJob, unit: usize, now: Instant) {
        let reads_only = order.ops.is_empty() && order.verify.is_some();
        self.open.push(Job {
            order,
            unit,
            stage: if reads_only {
                Stage::ReadingBack(WriteOutcome::Done)
            } else {
                Stage::Writing
            },
            ops_done: 0,
            at: now,
            busy: 0,
        });
    }

    /// Takes the job that may go on now and waits longest.
    pub fn take(&mut self, now: Instant) -> Option<(usize, Job)> {
        let place = (0..self.open.len())
            .filter(|i| self.open[*i].at <= now && self.is_first(*i))
            .min_by_key(|i| {
                let job = &self.open[*i];
                (job.stage == Stage::Writing, job.at, *i)
            })?;
        Some((place, self.open.remove(place)))
    }

    /// Puts a job back in its place.
    pub fn put_back(&mut self, place: usize, job: Job) {
        self.open.insert(place.min(self.open.len()), job);
    }

    /// When the next job may go on.
    pub fn next_at(&self) -> Option<Instant> {
        (0..self.open.len())
            .filter(|i| self.is_first(*i))
            .map(|i| self.open[i].at)
            .min()
    }

    /// Takes all of them.
    pub fn drain(&mut self) -> Vec<Job> {
        std::mem::take(&mut self.open)
    }

    /// Whether no older write to the same device has operations left.
    fn is_first(&self, place: usize) -> bool {
        let job = &self.open[place];
        job.stage != Stage::Writing
            || !self.open[..place]
                .iter()
                .any(|older| older.unit == job.unit && older.stage == Stage::Writing)
    }
}

#[cfg(test)]
mod tests {
    use super::super::event::Ticket;
    use super::*;
    use crate::model::DeviceId;

    fn order(ticket: u64) -> WriteJob {
        WriteJob {
            device: DeviceId::new("fcu-1").unwrap(),
            ticket: Ticket(ticket),
            ops: vec![],
            verify: None,
        }
    }

    #[test]
    fn a_busy_device_holds_up_its_own_later_writes_and_nobody_elses() {
        let (mut jobs, now) = (Jobs::default(), Instant::now());
        for (ticket, unit) in [(1, 0), (2, 0), (3, 1)] {
            jobs.begin(order(ticket), unit, now);
        }
        let (place, mut first) = jobs.take(now).unwrap();
        assert_eq!(first.order.ticket, Ticket(1));
        first.at = now + BUSY_PAUSE;
        jobs.put_back(place, first);
        let (_, next) = jobs.take(now).unwrap();
        assert_eq!(next.order.ticket, Ticket(3));
        assert!(jobs.take(now).is_none());
        assert_eq!(jobs.next_at(), Some(now + BUSY_PAUSE));
        let (_, first) = jobs.take(now + BUSY_PAUSE).unwrap();
        assert_eq!(first.order.ticket, Ticket(1));
    }

    #[test]
    fn a_read_back_goes_before_a_new_write() {
        let (mut jobs, now) = (Jobs::default(), Instant::now());
        jobs.begin(order(1), 0, now);
        jobs.begin(order(2), 1, now);
        let (_, mut first) = jobs.take(now).unwrap();
        first.stage = Stage::ReadingBack(WriteOutcome::Done);
        jobs.put_back(9, first);
        assert_eq!(jobs.take(now).unwrap().1.order.ticket, Ticket(1));
    }
}
