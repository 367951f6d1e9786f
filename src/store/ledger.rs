//! What became of every entry of a stream?
//!
//! Each sequence number is pending until it meets exactly one fate: acknowledged, expired, dropped or damaged. The
//! ledger is kept per stream in numbers and, for what did not arrive, in the latest ranges, so that central can be told
//! what it will never see.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How an entry left the outbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// The other side has it.
    Acknowledged,
    /// Its time to live was over.
    Expired,
    /// The space of its class was used up.
    Dropped,
    /// Its bytes did not open any more.
    Damaged,
}

/// Entries that did not arrive, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// Why.
    pub fate: Fate,
    /// The first sequence number.
    pub first: u64,
    /// The last sequence number.
    pub last: u64,
}

/// The latest ranges that are kept; older ones stay in the numbers.
const TOLD_MAX: usize = 32;

/// The account of one stream. `enqueued == pending() + acknowledged + expired + dropped + damaged`, always.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Ledger {
    /// Entries ever taken; the last sequence number.
    pub enqueued: u64,
    /// The highest sequence number handed out for sending.
    pub sent: u64,
    /// Entries the other side has.
    pub acknowledged: u64,
    /// Entries whose time was over.
    pub expired: u64,
    /// Entries that gave way to newer or more important ones.
    pub dropped: u64,
    /// Entries whose bytes did not open.
    pub damaged: u64,
    /// The latest ranges that did not arrive.
    pub told: Vec<Told>,
    /// Everything up to here has met its fate.
    floor: u64,
    /// Ranges above the floor that have met their fate: first to last.
    above: Vec<(u64, u64)>,
    #[serde(skip)]
    index: BTreeMap<u64, u64>,
}

impl Ledger {
    /// Brings the index back after reading.
    pub(crate) fn restore(&mut self) {
        self.index = self.above.drain(..).collect();
    }

    /// The ledger with its ranges as it is written.
    pub(crate) fn saved(&self) -> Self {
        Self {
            above: self.index.iter().map(|(&a, &b)| (a, b)).collect(),
            index: BTreeMap::new(),
            ..self.clone()
        }
    }

    /// Entries without a fate.
    pub fn pending(&self) -> u64 {
        let above: u64 = self.index.iter().map(|(first, last)| last - first + 1).sum();
        self.enqueued - self.floor - above
    }

    /// Returns true when the entry has met its fate.
    pub fn is_settled(&self, sequence: u64) -> bool {
        let before = self.index.range(..=sequence).next_back();
        sequence <= self.floor || before.is_some_and(|(_, &last)| sequence <= last)
    }

    /// Returns true when everything up to this entry has met its fate.
    pub(crate) fn is_settled_through(&self, sequence: u64) -> bool {
        // Ranges above the floor never touch it: the number after it is open, if it was used at all.
        sequence <= self.floor
    }

    /// Sequence numbers without a fate, in order.
    pub(crate) fn open(&self) -> impl Iterator<Item = u64> + '_ {
        let mut gaps = Vec::with_capacity(self.index.len() + 1);
        let mut from = self.floor + 1;
        for (&first, &last) in &self.index {
            gaps.push(from..first);
            from = last + 1;
        }
        gaps.push(from..self.enqueued + 1);
        gaps.into_iter().flatten()
    }

    /// Gives one entry its fate; false when it has one, or was never taken.
    pub(crate) fn settle(&mut self, sequence: u64, fate: Fate) -> bool {
        if sequence == 0 || sequence > self.enqueued || self.is_settled(sequence) {
            return false;
        }
        self.count(fate, sequence, sequence);
        let mut range = (sequence, sequence);
        if let Some((&first, &last)) = self.index.range(..sequence).next_back()
            && last + 1 == sequence
        {
            range.0 = first;
        }
        if let Some(last) = self.index.remove(&(sequence + 1)) {
            range.1 = last;
        }
        self.index.insert(range.0, range.1);
        self.raise_floor();
        true
    }

    /// Gives every entry up to this one its fate; returns how many had none.
    pub(crate) fn settle_through(&mut self, sequence: u64, fate: Fate) -> u64 {
        let open: Vec<u64> = self.open().take_while(|&s| s <= sequence.min(self.enqueued)).collect();
        open.iter().for_each(|&s| _ = self.settle(s, fate));
        open.len() as u64
    }

    fn raise_floor(&mut self) {
        while let Some(last) = self.index.remove(&(self.floor + 1)) {
            self.floor = last;
        }
    }

    fn count(&mut self, fate: Fate, first: u64, last: u64) {
        let counter = match fate {
            Fate::Acknowledged => &mut self.acknowledged,
            Fate::Expired => &mut self.expired,
            Fate::Dropped => &mut self.dropped,
            Fate::Damaged => &mut self.damaged,
        };
        *counter += last - first + 1;
        if fate == Fate::Acknowledged {
            return;
        }
        match self.told.last_mut() {
            Some(told) if told.fate == fate && told.last + 1 == first => told.last = last,
            _ => self.told.push(Told { fate, first, last }),
        }
        let surplus = self.told.len().saturating_sub(TOLD_MAX);
        self.told.drain(..surplus);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_entry_meets_one_fate_and_the_sum_is_always_right(steps in prop::collection::vec((0_u8..6, 0_u64..40), 1..200)) {
            let mut ledger = Ledger::default();
            let mut model: BTreeMap<u64, Option<Fate>> = BTreeMap::new();
            for (kind, n) in steps {
                let fate = [Fate::Acknowledged, Fate::Expired, Fate::Dropped, Fate::Damaged][(n % 4) as usize];
                match kind {
                    0 | 1 => {
                        ledger.enqueued += 1;
                        model.insert(ledger.enqueued, None);
                    }
                    2..=4 => {
                        let open = model.get(&n).is_some_and(Option::is_none);
                        prop_assert_eq!(ledger.settle(n, fate), open);
                        if open { model.insert(n, Some(fate)); }
                    }
                    _ => {
                        let open: Vec<u64> = model.range(..=n).filter(|(_, f)| f.is_none()).map(|(&s, _)| s).collect();
                        prop_assert_eq!(ledger.settle_through(n, fate), open.len() as u64);
                        open.iter().for_each(|s| _ = model.insert(*s, Some(fate)));
                    }
                }
                let open: Vec<u64> = model.iter().filter(|(_, f)| f.is_none()).map(|(&s, _)| s).collect();
                prop_assert_eq!(ledger.open().collect::<Vec<_>>(), open.clone());
                prop_assert_eq!(ledger.pending(), open.len() as u64);
                let text = serde_json::to_string(&ledger.saved()).unwrap();
                let mut again: Ledger = serde_json::from_str(&text).unwrap();
                again.restore();
                prop_assert_eq!(&again, &ledger);
                let settled = ledger.acknowledged + ledger.expired + ledger.dropped + ledger.damaged;
                prop_assert_eq!(ledger.enqueued, ledger.pending() + settled);
            }
        }
    }
}
