//! What is expected tonight, as the night goes on?
//!
//! A prediction stands until its minute. It is moved when an anchor is really seen, and taken back when the wish has been
//! spoken or has become improbable. Each thing is expected once a night.

use super::outlook::{Foreseen, Outlook};
use super::{Night, Tier};
use crate::model::Item;
use serde::{Deserialize, Serialize};

/// More things than these nobody asks for in one night.
const THINGS_MAX: usize = 32;

/// The night in progress.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tonight {
    /// What has happened so far.
    pub seen: Night,
    standing: Vec<Foreseen>,
    settled: Vec<Item>,
}

impl Tonight {
    /// Begins a night, with what is already known of it.
    pub fn begin(seen: Night) -> Self {
        let settled = seen.asked.iter().map(|(item, _)| item.clone()).collect();
        Self {
            seen,
            standing: Vec::new(),
            settled,
        }
    }

    /// What is expected now.
    pub fn standing(&self) -> &[Foreseen] {
        &self.standing
    }

    /// The guest went to bed. The last time counts: who gets up once more has not gone to bed.
    pub fn to_bed(&mut self, minute: i32) {
        self.seen.bed = Some(minute);
    }

    /// The guest woke.
    pub fn woke(&mut self, minute: i32) {
        self.seen.wake = Some(minute);
    }

    /// The guest went back to bed: that was no waking yet.
    pub fn sleeps_on(&mut self) {
        self.seen.wake = None;
    }

    /// The guest asked by himself, or was served. Returns what had been expected of it, which is thereby settled.
    pub fn asked(&mut self, item: &Item, minute: i32) -> Option<Foreseen> {
        if self.seen.asked.len() < THINGS_MAX {
            self.seen.asked.push((item.clone(), minute));
        }
        self.settle(item)
    }

    /// The guest does not want it. Returns what had been expected of it.
    pub fn declined(&mut self, item: &Item) -> Option<Foreseen> {
        if self.seen.declined.len() < THINGS_MAX && !self.seen.declined.contains(item) {
            self.seen.declined.push(item.clone());
        }
        self.settle(item)
    }

    /// Nothing more is expected of a thing tonight.
    pub fn settle(&mut self, item: &Item) -> Option<Foreseen> {
        if !self.settled.contains(item) && self.settled.len() < THINGS_MAX {
            self.settled.push(item.clone());
        }
        let place = self.standing.iter().position(|foreseen| foreseen.item == *item)?;
        Some(self.standing.remove(place))
    }

    /// Takes off what was expected by now and has not come. It is not expected again tonight.
    pub fn take_past(&mut self, now: i32) -> Vec<Foreseen> {
        let past: Vec<Item> = self
            .standing
            .iter()
            .filter(|f| f.minute <= now)
            .map(|f| f.item.clone())
            .collect();
        past.iter().filter_map(|item| self.settle(item)).collect()
    }

    /// Looks at everything anew, from what has happened by now. What stays the same keeps the minute at which it was
    /// foreseen, and what is due stands.
    pub fn reconsider(&mut self, outlook: &Outlook, now: i32) {
        let old = std::mem::take(&mut self.standing);
        for item in outlook.items().filter(|item| !self.settled.contains(item)) {
            let before = old.iter().find(|old| old.item == *item);
            let due = before.filter(|old| old.minute <= now).cloned();
            let foreseen = due.or_else(|| outlook.foresee(item, &self.seen, now));
            let Some(foreseen) = foreseen.filter(|f| Tier::of(f.score()).is_some()) else {
                continue;
            };
            let same = before.filter(|old| old.is_same(&foreseen)).cloned();
            self.standing.push(same.unwrap_or(foreseen));
        }
    }
}
