//! What is expected tonight, as the night goes on?
//!
//! A prediction is moved when an anchor is really seen, and taken back when the wish has been spoken or has become
//! improbable. From 20 minutes before its time, one that is sure enough to be offered, and no surer for waiting, stands,
//! whatever comes; one that is not may still become so, because the wish has not come yet. Each thing is expected once a night.

use super::outlook::{Foreseen, Outlook};
use super::{NEAR_MIN, Night, Tier};
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

    /// When something is to be looked at again, if nothing happens before.
    pub fn next_look(&self, outlook: &Outlook, now: i32) -> Option<i32> {
        let is_firm = |item: &Item| self.standing.iter().any(|f| f.is_firm && f.item == *item);
        let open = outlook
            .items()
            .filter(|item| !self.settled.contains(item) && !is_firm(item));
        open.filter_map(|item| outlook.next_look(item, &self.seen, now)).min()
    }

    /// Something happened: looks at everything anew. What is due stands.
    pub fn reconsider(&mut self, outlook: &Outlook, now: i32) {
        self.renew(outlook, now, |old| old.minute <= now);
    }

    /// Time passed and nothing happened: what is near may become surer. What was told of is not taken back because of it.
    pub fn look_again(&mut self, outlook: &Outlook, now: i32) {
        self.renew(outlook, now, |old| old.minute - NEAR_MIN <= now);
    }

    /// What stays the same keeps the minute at which it was foreseen. What stands may become surer, within its time.
    fn renew(&mut self, outlook: &Outlook, now: i32, stands: impl Fn(&Foreseen) -> bool) {
        let old = std::mem::take(&mut self.standing);
        for item in outlook.items().filter(|item| !self.settled.contains(item)) {
            let before = old.iter().find(|old| old.item == *item);
            let standing = before.filter(|old| old.is_firm || stands(old));
            let is_final = standing.is_some_and(|old| old.is_firm);
            let anew = (!is_final).then(|| outlook.foresee(item, &self.seen, now)).flatten();
            let is_surer = |anew: &Foreseen| {
                let tier = Tier::of(anew.score());
                standing.map_or(tier.is_some(), |old| {
                    tier >= Some(Tier::Offer) && anew.minute <= old.minute + NEAR_MIN
                })
            };
            let Some(foreseen) = anew.filter(is_surer).or_else(|| standing.cloned()) else {
                continue;
            };
            let made_at = before.filter(|old| old.is_same(&foreseen)).map(|old| old.made_at);
            self.standing.push(Foreseen {
                made_at: made_at.unwrap_or(foreseen.made_at),
                ..foreseen
            });
        }
    }
}
