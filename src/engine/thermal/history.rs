//! What were the last two weeks in this room like?
//!
//! Packed rows, one a tick, ten bytes each: forty kilobytes a room. They are kept in records of one day, fifteen a room in
//! turn, so that adding two hours writes one day anew and not fourteen. The newest rows, less than two hours of them, are
//! part of the room itself.

use super::row::{BYTES, Row, Tick};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::VecDeque;

/// Ticks in a day.
pub const DAY: usize = 288;
/// So many days are kept.
pub const DAYS: usize = 14;
/// Records of one day, one more than days: the day that falls off and the day that begins overlap.
pub const RECORDS: usize = DAYS + 1;
/// So many rows, two hours, are gathered in the room before a day's record is written.
const GATHERED: usize = 24;
/// A longer gap than this and the history begins anew.
const GAP_MAX: i64 = (DAYS * DAY) as i64;

/// The rows of one room, oldest first.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct History {
    rows: VecDeque<Row>,
    /// The tick after the newest row.
    next: i64,
}

/// Rows in a row, as a record holds them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Rows {
    first: i64,
    #[serde(with = "hexadecimal")]
    rows: Vec<Row>,
}

impl Rows {
    /// Adds the row of a tick; ticks that passed without one are rows without a reading.
    pub fn push(&mut self, tick: i64, row: Row) {
        let next = self.first + self.rows.len() as i64;
        if self.rows.is_empty() || tick < next || tick - next >= GATHERED as i64 {
            self.rows.clear();
            self.first = tick;
        }
        while self.first + (self.rows.len() as i64) < tick {
            self.rows.push(Row::new(&Tick::default()));
        }
        self.rows.push(row);
    }

    /// Takes the rows out when there are two hours of them.
    pub fn take_full(&mut self) -> Option<Rows> {
        (self.rows.len() >= GATHERED).then(|| std::mem::take(self))
    }
}

impl Rows {
    /// The records that these rows belong to: two when midnight lies among them.
    pub fn records(&self) -> Vec<u8> {
        let last = self.first + (self.rows.len() as i64 - 1).max(0);
        let mut records = vec![record_of(self.first), record_of(last)];
        records.dedup();
        records
    }
}

impl History {
    /// Adds rows; what is there already is skipped, what is missing between is filled with rows without a reading.
    pub fn extend(&mut self, rows: &Rows) {
        if rows.first - self.next > GAP_MAX || self.rows.is_empty() {
            self.rows.clear();
            self.next = rows.first;
        }
        while self.next < rows.first {
            self.push(Row::new(&Tick::default()));
        }
        let known = usize::try_from(self.next - rows.first).unwrap_or(0);
        rows.rows.iter().skip(known).for_each(|row| self.push(*row));
    }

    /// Adds a row; the oldest falls off when there are enough.
    pub fn push(&mut self, row: Row) {
        if self.rows.len() == DAYS * DAY {
            self.rows.pop_front();
        }
        self.rows.push_back(row);
        self.next += 1;
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// The rows, and the newest that the room still holds, unpacked, oldest first.
    pub fn ticks(&self, newest: &Rows) -> Vec<Tick> {
        let mut whole = self.clone();
        if !newest.rows.is_empty() {
            whole.extend(newest);
        }
        whole.rows.iter().map(Row::tick).collect()
    }

    /// The rows of one record; none when it is empty.
    pub fn record(&self, which: u8) -> Option<Rows> {
        let oldest = self.next - self.rows.len() as i64;
        let in_it = |tick: &i64| record_of(*tick) == which;
        // The newest day of this number: the one fifteen days before has fallen off.
        let first = (oldest..self.next)
            .rev()
            .find(in_it)
            .map(|last| last.div_euclid(DAY as i64) * DAY as i64)?;
        let first = first.max(oldest);
        let rows = (first..self.next).take_while(in_it);
        let rows = rows.filter_map(|tick| self.rows.get(usize::try_from(tick - oldest).ok()?).copied());
        Some(Rows {
            first,
            rows: rows.collect(),
        })
    }

    /// Every record that there is something in.
    pub fn records(&self) -> Vec<u8> {
        (0..RECORDS as u8)
            .filter(|which| self.record(*which).is_some())
            .collect()
    }

    /// Puts a history together from its records, in whatever order they are given.
    pub fn restored(mut records: Vec<Rows>) -> Self {
        let mut history = Self::default();
        records.sort_by_key(|rows| rows.first);
        records.iter().for_each(|rows| history.extend(rows));
        history
    }
}

fn record_of(tick: i64) -> u8 {
    tick.div_euclid(DAY as i64).rem_euclid(RECORDS as i64) as u8
}

/// Rows as hexadecimal text.
mod hexadecimal {
    use super::{BYTES, Deserialize, Deserializer, Row, Serializer};
    use std::fmt::Write as _;

    pub fn serialize<S: Serializer>(rows: &[Row], to: S) -> Result<S::Ok, S::Error> {
        let mut text = String::with_capacity(rows.len() * BYTES * 2);
        for byte in rows.iter().flat_map(|row| row.bytes()) {
            let _ = write!(text, "{byte:02x}");
        }
        to.serialize_str(&text)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Row>, D::Error> {
        let text = String::deserialize(from)?;
        let digits: Option<Vec<u8>> = text.chars().map(|c| c.to_digit(16).map(|d| d as u8)).collect();
        let digits = digits.filter(|d| d.len().is_multiple_of(2 * BYTES));
        let digits = digits.ok_or_else(|| serde::de::Error::custom("rows are twenty hexadecimal digits each"))?;
        let row = |digits: &[u8]| {
            let mut bytes = [0; BYTES];
            bytes
                .iter_mut()
                .zip(digits.chunks_exact(2))
                .for_each(|(byte, pair)| *byte = pair[0] << 4 | pair[1]);
            Row::from_bytes(bytes)
        };
        Ok(digits.chunks_exact(2 * BYTES).map(row).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(n: i64) -> Row {
        Row::new(&Tick {
            air: Some(20.0 + (n % 100) as f64 / 100.0),
            ..Tick::default()
        })
    }

    fn lived(ticks: std::ops::Range<i64>) -> History {
        let mut history = History::default();
        let mut rows = Rows::default();
        for tick in ticks {
            rows.push(tick, row(tick));
            rows.take_full().iter().for_each(|rows| history.extend(rows));
        }
        history
    }

    #[test]
    fn two_weeks_are_kept_and_no_more() {
        let history = lived(1000..1000 + 20 * 288);
        assert_eq!(history.len(), DAYS * DAY);
        assert_eq!(
            history.ticks(&Rows::default()).last().unwrap().air,
            row(1000 + 20 * 288 - 1).tick().air
        );
    }

    #[test]
    fn a_history_is_what_its_records_are() {
        for length in [30, 300, 3000, 9000] {
            let history = lived(777..777 + length);
            let records: Vec<Rows> = history
                .records()
                .iter()
                .rev()
                .filter_map(|n| history.record(*n))
                .collect();
            let text = serde_json::to_string(&records).unwrap();
            assert_eq!(
                History::restored(serde_json::from_str(&text).unwrap()),
                history,
                "{length}"
            );
        }
    }

    #[test]
    fn a_gap_is_rows_without_a_reading_and_rows_twice_are_rows_once() {
        let mut history = History::default();
        let block = |first: i64| Rows {
            first,
            rows: (0..3).map(|n| row(first + n)).collect(),
        };
        history.extend(&block(10));
        history.extend(&block(11));
        assert_eq!((history.len(), history.next), (4, 14));
        history.extend(&block(16));
        let airs: Vec<bool> = history
            .ticks(&Rows::default())
            .iter()
            .map(|t| t.air.is_some())
            .collect();
        assert_eq!(airs, [true, true, true, true, false, false, true, true, true]);
        history.extend(&block(100_000));
        assert_eq!(history.len(), 3);
    }

    #[test]
    fn a_damaged_record_is_refused() {
        for text in [
            "{\"first\":1,\"rows\":\"abc\"}",
            "{\"first\":1,\"rows\":\"zz345678901234567890\"}",
        ] {
            assert!(serde_json::from_str::<Rows>(text).is_err(), "{text}");
        }
    }
}
