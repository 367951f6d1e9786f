//! What is done at fixed times of the property's day?
//!
//! A run that was missed because the gateway was off is not made up: each job does at its next time all that has come
//! due. Daylight saving never skips a run and never doubles one (`engine::calendar`).

use crate::config::Configured;
use crate::engine::calendar::{Calendar, Schedule};
use crate::model::{Event, Moment};
use crate::store::Store;

/// What a job does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Job {
    /// Writes a sealed copy of the state, to go back to.
    Export,
    /// Erases from logs and exports what has been removed.
    Forget,
    /// Announces likes that nothing has been heard of for half a year. What is dormant follows from what is known and
    /// from today, so a round that was missed loses nothing: the next one tells the same guests, and those since.
    Dormant,
}

impl Job {
    /// What the engine is told of it.
    pub fn event(self) -> Option<Event> {
        (self == Job::Dormant).then_some(Event::DormantRound)
    }

    /// Does it; a fault is told and tried again at the next time.
    pub fn run(self, store: &mut Store, now: Moment) {
        let done = match self {
            Job::Export => store.export(),
            Job::Forget => store.forget_history(now),
            Job::Dormant => Ok(()),
        };
        match done {
            Ok(()) => tracing::info!(job = ?self, "done"),
            Err(fault) => tracing::error!(job = ?self, %fault, "could not be done"),
        }
    }
}

/// The jobs of a property, each with its next time.
pub struct Jobs {
    calendar: Option<Calendar>,
    jobs: Vec<(Job, Schedule, Option<Moment>)>,
}

impl Jobs {
    /// Plans the jobs of a configuration. It has been checked: what does not parse is "never".
    pub fn new(configured: &Configured, now: Moment) -> Self {
        let calendar = Calendar::new(&configured.property.zone).ok();
        let plan = |job, text: &str| {
            let schedule = Schedule::new(text).ok()?;
            let next = calendar.as_ref().and_then(|calendar| schedule.next(calendar, now));
            Some((job, schedule, next))
        };
        let sections = [
            (Job::Export, &configured.jobs.export),
            (Job::Forget, &configured.jobs.forget),
            (Job::Dormant, &configured.jobs.dormant),
        ];
        let jobs = sections.into_iter().filter_map(|(job, text)| plan(job, text)).collect();
        Self { calendar, jobs }
    }

    /// When the next job is due.
    pub fn next(&self) -> Option<Moment> {
        self.jobs.iter().filter_map(|(_, _, next)| *next).min()
    }

    /// Returns the jobs that are due, and plans their next times.
    pub fn take_due(&mut self, now: Moment) -> Vec<Job> {
        let mut due = Vec::new();
        for (job, schedule, next) in self
            .jobs
            .iter_mut()
            .filter(|(_, _, next)| next.is_some_and(|at| at <= now))
        {
            due.push(*job);
            *next = self.calendar.as_ref().and_then(|calendar| schedule.next(calendar, now));
        }
        due
    }
}
