//! What does the state look like without a disk?
//!
//! The plainest [`StateStore`]: the measure for the others, and enough for simulations.

use super::fault::StoreFault;
use super::state::{Changes, StateStore};
use std::collections::BTreeMap;

/// Records in memory.
#[derive(Debug, Default)]
pub struct MemoryState {
    applied: u64,
    records: BTreeMap<String, Vec<u8>>,
}

impl StateStore for MemoryState {
    fn applied(&self) -> Result<u64, StoreFault> {
        Ok(self.applied)
    }

    fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StoreFault> {
        Ok(self.records.get(key).cloned())
    }

    fn scan(&self, each: &mut dyn FnMut(&[u8], &[u8])) -> Result<(), StoreFault> {
        self.records.iter().for_each(|(key, value)| each(key.as_bytes(), value));
        Ok(())
    }

    fn apply(&mut self, commit: u64, changes: &Changes) -> Result<(), StoreFault> {
        for (key, value) in changes {
            match value {
                Some(value) => self.records.insert(key.clone(), value.clone()),
                None => self.records.remove(key),
            };
        }
        self.applied = commit;
        Ok(())
    }

    fn bytes(&self) -> u64 {
        self.records
            .iter()
            .map(|(key, value)| (key.len() + value.len()) as u64)
            .sum()
    }
}
