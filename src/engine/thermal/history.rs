//! What were the last two weeks in this room like?
//!
//! One row a tick, ten bytes each, kept by the day: the column's differences, deflated, are some seven hundred bytes a day,
//! ten kilobytes a room, where the plain rows would be forty. A day is unpacked when rows are added to it, every two hours,
//! and when the room is fitted, once a night. The newest rows, less than two hours of them, are part of the room itself.

use super::row::{Row, Tick};
use data_encoding::HEXLOWER;
use miniz_oxide::{deflate::compress_to_vec, inflate::decompress_to_vec_with_limit};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::VecDeque;

/// Ticks in a day.
pub const DAY: usize = 288;
/// So many whole days are kept, and the one that has begun.
pub const DAYS: usize = 14;
/// Records of one day.
const RECORDS: usize = DAYS + 1;
/// So many rows, two hours, are gathered in the room before they are added to their day.
const GATHERED: usize = 24;
/// A longer gap than this and the history begins anew.
const GAP_MAX: i64 = (DAYS * DAY) as i64;
/// How hard a day is deflated, of ten: more gains one byte in a hundred and costs twice the time.
const EFFORT: u8 = 6;

/// The rows of one room by the day, oldest first, without a gap between them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct History {
    days: VecDeque<Day>,
}

/// The rows of one day, packed, as a record holds them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Day {
    /// The tick of the first row.
    first: i64,
    /// How many rows there are.
    rows: u16,
    #[serde(with = "hexadecimal")]
    packed: Vec<u8>,
}

/// Rows in a row, not packed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Rows {
    first: i64,
    #[serde(with = "rows")]
    rows: Vec<Row>,
}

impl Rows {
    /// Adds the row of a tick; ticks that passed without one are rows without a reading.
    pub fn push(&mut self, tick: i64, row: Row) {
        let next = self.next();
        if self.rows.is_empty() || tick < next || tick - next >= GATHERED as i64 {
            self.rows.clear();
            self.first = tick;
        }
        self.fill_to(tick);
        self.rows.push(row);
    }

    /// Takes the rows out every two hours, at the room's own tick of them: packing is most of what such a tick costs, and a
    /// large house is not to pack all its rooms at once.
    pub fn take_full(&mut self, own: i64) -> Option<Rows> {
        let is_turn = (self.next() - own).rem_euclid(GATHERED as i64) == 0 && !self.rows.is_empty();
        (is_turn || self.rows.len() >= GATHERED).then(|| std::mem::take(self))
    }

    /// The records that these rows belong to: two when midnight lies among them.
    pub fn records(&self) -> Vec<u8> {
        let mut records = vec![record_of(self.first), record_of(self.next().max(self.first + 1) - 1)];
        records.dedup();
        records
    }

    /// The tick after the last row.
    fn next(&self) -> i64 {
        self.first + self.rows.len() as i64
    }

    fn fill_to(&mut self, tick: i64) {
        while self.next() < tick {
            self.rows.push(Row::new(&Tick::default()));
        }
    }
}

impl History {
    /// Adds rows; what is there already is skipped, what is missing between is filled with rows without a reading.
    pub fn extend(&mut self, rows: &Rows) {
        let Some(next) = self.next().filter(|next| rows.first - next <= GAP_MAX) else {
            self.days.clear();
            return self.append(rows.first, rows);
        };
        self.append(next, rows);
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.days.iter().map(|day| usize::from(day.rows)).sum()
    }

    /// Whether there is nothing yet.
    pub fn is_empty(&self) -> bool {
        self.days.is_empty()
    }

    /// The rows, and the newest that the room still holds, unpacked, oldest first.
    pub fn ticks(&self, newest: &Rows) -> Vec<Tick> {
        let mut whole = self.clone();
        if !newest.rows.is_empty() {
            whole.extend(newest);
        }
        whole
            .days
            .iter()
            .flat_map(Day::unpacked)
            .map(|row| row.tick())
            .collect()
    }

    /// The day of one record; none when there is none.
    pub fn record(&self, which: u8) -> Option<&Day> {
        self.days.iter().find(|day| record_of(day.first) == which)
    }

    /// Every record that there is something in.
    pub fn records(&self) -> Vec<u8> {
        self.days.iter().map(|day| record_of(day.first)).collect()
    }

    /// Puts a history together from its records, in whatever order they are given. A record that has nothing to do with the
    /// newest, because it is of an older turn or days are missing between, is left out.
    pub fn restored(mut records: Vec<Day>) -> Self {
        records.sort_by_key(|day| day.first);
        let mut history = Self::default();
        for day in records.into_iter().rev() {
            let is_joined = history.days.front().is_none_or(|newer| day.next() == newer.first);
            if !is_joined {
                break;
            }
            history.days.push_front(day);
        }
        history
    }

    /// The tick after the newest row.
    fn next(&self) -> Option<i64> {
        self.days.back().map(Day::next)
    }

    /// Adds what of `rows` comes at `from` or later, day by day.
    fn append(&mut self, from: i64, rows: &Rows) {
        let mut next = from;
        while next < rows.next() {
            let midnight = (next.div_euclid(DAY as i64) + 1) * DAY as i64;
            let begun = if starts_a_day(next) { None } else { self.days.pop_back() };
            let mut day = begun.map_or(
                Rows {
                    first: next,
                    rows: Vec::new(),
                },
                |day| Rows {
                    first: day.first,
                    rows: day.unpacked(),
                },
            );
            day.fill_to(rows.first.min(midnight));
            let known = usize::try_from(day.next() - rows.first).unwrap_or(0);
            let wanted = usize::try_from(midnight - day.next()).unwrap_or(0);
            day.rows.extend(rows.rows.iter().skip(known).take(wanted));
            next = day.next();
            self.days.push_back(Day::new(&day));
        }
        while self.days.len() > RECORDS {
            self.days.pop_front();
        }
    }
}

impl Day {
    fn new(rows: &Rows) -> Self {
        Self {
            first: rows.first,
            rows: u16::try_from(rows.rows.len()).unwrap_or(u16::MAX),
            packed: compress_to_vec(&Row::differences(&rows.rows), EFFORT),
        }
    }

    /// The tick after the last row.
    fn next(&self) -> i64 {
        self.first + i64::from(self.rows)
    }

    /// The rows; such that cannot be read, which only a damaged record has, are without a reading.
    fn unpacked(&self) -> Vec<Row> {
        let limit = DAY * Row::DIFFERENCES_MAX;
        let bytes = decompress_to_vec_with_limit(&self.packed, limit).unwrap_or_default();
        Row::of_differences(&bytes, usize::from(self.rows).min(DAY))
    }
}

fn starts_a_day(tick: i64) -> bool {
    tick.rem_euclid(DAY as i64) == 0
}

fn record_of(tick: i64) -> u8 {
    tick.div_euclid(DAY as i64).rem_euclid(RECORDS as i64) as u8
}

/// Bytes as hexadecimal text.
mod hexadecimal {
    use super::{Deserialize, Deserializer, HEXLOWER, Serializer};

    pub fn serialize<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&HEXLOWER.encode(bytes))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(from)?;
        HEXLOWER.decode(text.as_bytes()).map_err(serde::de::Error::custom)
    }
}

/// Rows as hexadecimal text, twenty digits each.
mod rows {
    use super::{Deserializer, Row, Serializer, hexadecimal};

    pub fn serialize<S: Serializer>(rows: &[Row], to: S) -> Result<S::Ok, S::Error> {
        let bytes: Vec<u8> = rows.iter().flat_map(|row| row.bytes()).collect();
        hexadecimal::serialize(&bytes, to)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Row>, D::Error> {
        let bytes = hexadecimal::deserialize(from)?;
        let (rows, rest) = bytes.as_chunks();
        if !rest.is_empty() {
            return Err(serde::de::Error::custom("rows are twenty hexadecimal digits each"));
        }
        Ok(rows.iter().copied().map(Row::from_bytes).collect())
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
        let own = ticks.start;
        for tick in ticks {
            rows.push(tick, row(tick));
            rows.take_full(own).iter().for_each(|rows| history.extend(rows));
        }
        history
    }

    #[test]
    fn rooms_that_began_together_pack_in_turn() {
        for own in [0, 7, 23, 310] {
            let mut rows = Rows::default();
            let packed = |tick: &i64| {
                rows.push(*tick, row(*tick));
                rows.take_full(own).is_some()
            };
            let at: Vec<i64> = (1000..1072)
                .filter(packed)
                .map(|tick| (tick + 1).rem_euclid(24))
                .collect();
            assert_eq!(at, [own.rem_euclid(24); 3]);
        }
    }

    #[test]
    fn two_weeks_are_kept_and_no_more() {
        let history = lived(1000..1000 + 20 * 288);
        // Fourteen whole days and the one that has begun.
        assert_eq!(history.len(), DAYS * DAY + 1000 % DAY);
        assert_eq!(
            history.ticks(&Rows::default()).last().unwrap().air,
            row(1000 + 20 * 288 - 1).tick().air
        );
    }

    #[test]
    fn two_weeks_of_a_room_with_a_trembling_thermometer_fit_into_fifteen_kilobytes() {
        let mut history = History::default();
        let mut rows = Rows::default();
        let mut chance = 1_u32;
        for tick in 0..15 * DAY as i64 {
            chance = chance.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let noise = f64::from(chance >> 16) / 65_536.0 - 0.5;
            let slow = (tick as f64 / 40.0).sin();
            rows.push(
                tick,
                Row::new(&Tick {
                    air: Some(((21.0 + slow + 0.6 * noise) * 10.0).round() / 10.0),
                    heating: (0.5 + slow).clamp(0.0, 1.0),
                    outdoor: Some(((3.0 + 5.0 * (tick as f64 / 12.0 / 24.0).floor()) * 10.0).round() / 10.0),
                    neighbours: Some(((21.5 + 0.3 * slow) * 100.0).round() / 100.0),
                    ..Tick::default()
                }),
            );
            rows.take_full(0).iter().for_each(|rows| history.extend(rows));
        }
        let bytes: usize = history.days.iter().map(|day| day.packed.len()).sum();
        assert!(bytes < 15_000, "{bytes} bytes");
    }

    #[test]
    fn a_history_is_what_its_records_are() {
        for length in [30, 300, 3000, 9000] {
            let history = lived(777..777 + length);
            let records = history.records();
            let records: Vec<&Day> = records.iter().rev().filter_map(|n| history.record(*n)).collect();
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
        assert_eq!((history.len(), history.next()), (4, Some(14)));
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
        // What can be read and yet not unpacked is a day without a reading.
        let day: Day = serde_json::from_str("{\"first\":288,\"rows\":9,\"packed\":\"00ff\"}").unwrap();
        let ticks = History::restored(vec![day]).ticks(&Rows::default());
        assert_eq!(ticks, vec![Row::new(&Tick::default()).tick(); 9]);
    }
}
