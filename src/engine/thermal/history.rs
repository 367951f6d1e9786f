//! What were the last two weeks in this room like?
//!
//! A list of packed rows with a bound, numbered by ticks since the epoch: ten bytes a row, forty kilobytes a room.

use super::row::{Row, Tick};
use std::collections::VecDeque;

/// Ticks in a day.
pub const DAY: usize = 288;
/// So many days are kept.
pub const DAYS: usize = 14;

/// The rows of one room, oldest first.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct History {
    rows: VecDeque<Row>,
}

impl History {
    /// Adds a row; the oldest falls off when there are enough.
    pub fn push(&mut self, row: Row) {
        if self.rows.len() == DAYS * DAY {
            self.rows.pop_front();
        }
        self.rows.push_back(row);
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// The rows, unpacked, oldest first.
    pub fn ticks(&self) -> Vec<Tick> {
        self.rows.iter().map(Row::tick).collect()
    }
}
