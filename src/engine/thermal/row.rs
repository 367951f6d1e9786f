//! What were the last five minutes in this room like, in few bytes?
//!
//! A row is what the filter and the fit see: ten bytes, so that two weeks of a room fit into forty kilobytes. The filter is
//! fed the packed row and not the figures it was made from, so that a fit that reads it again later sees the same.

use serde::{Deserialize, Serialize};

/// The air is unknown.
const NOTHING: i16 = i16::MIN;
/// One step of the packed sun, W/m2.
const SUN_STEP: f64 = 8.0;
const OCCUPIED: u8 = 1;
const OPEN: u8 = 2;

/// How many bytes a packed row has.
const BYTES: usize = 10;
/// How many numbers they are: three of two bytes, four of one.
const COLUMNS: usize = 7;

/// The five minutes up to a tick, and the reading at its end.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Tick {
    /// The thermometer's reading, C, if there was one.
    pub air: Option<f64>,
    /// The mean heating output, 0 to 1.
    pub heating: f64,
    /// The mean cooling output, 0 to 1.
    pub cooling: f64,
    /// The air outside, C, if known.
    pub outdoor: Option<f64>,
    /// The sun on the facade, W/m2, if known.
    pub sun: Option<f64>,
    /// The adjoining rooms' mean air, C, if known.
    pub neighbours: Option<f64>,
    /// Somebody was in.
    pub occupied: bool,
    /// A door or a window stood open, or had just been.
    pub open: bool,
}

/// A packed tick.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row([u8; BYTES]);

impl Row {
    /// Packs a tick; what lies outside the packed range becomes its edge, what is no number is unknown.
    pub fn new(tick: &Tick) -> Self {
        let mut bytes = [0; BYTES];
        bytes[0..2].copy_from_slice(&packed(tick.air, 100.0).to_le_bytes());
        bytes[2..4].copy_from_slice(&packed(tick.outdoor, 100.0).to_le_bytes());
        bytes[4..6].copy_from_slice(&packed(tick.neighbours, 100.0).to_le_bytes());
        bytes[6] = share(tick.heating);
        bytes[7] = share(tick.cooling);
        bytes[8] = (tick.sun.unwrap_or(0.0) / SUN_STEP).round().clamp(0.0, 255.0) as u8;
        bytes[9] = if tick.occupied { OCCUPIED } else { 0 } | if tick.open { OPEN } else { 0 };
        Self(bytes)
    }

    /// A row's differences have no more bytes than this: three columns of up to three bytes, three of up to two, one of one.
    pub const DIFFERENCES_MAX: usize = 16;

    /// Rows column by column, each number the difference from the one before, small ones in one byte: next to nothing when
    /// deflated, for most columns stand still for hours.
    pub fn differences(rows: &[Self]) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(rows.len() * BYTES);
        for column in 0..COLUMNS {
            let mut before = 0;
            for row in rows {
                let number = row.column(column);
                put_varint(&mut bytes, zigzag(number - before));
                before = number;
            }
        }
        bytes
    }

    /// So many rows from their differences; what is missing there is a row without a reading.
    pub fn of_differences(bytes: &[u8], rows: usize) -> Vec<Self> {
        let mut made = vec![Self::new(&Tick::default()); rows];
        let mut bytes = bytes.iter();
        for column in 0..COLUMNS {
            let mut number = 0;
            for row in &mut made {
                let Some(difference) = take_varint(&mut bytes) else {
                    return made;
                };
                number += unzigzag(difference);
                row.set_column(column, number);
            }
        }
        made
    }

    fn column(&self, column: usize) -> i32 {
        match column {
            0..3 => i32::from(i16::from_le_bytes([self.0[2 * column], self.0[2 * column + 1]])),
            _ => i32::from(self.0[column + 3]),
        }
    }

    fn set_column(&mut self, column: usize, number: i32) {
        match column {
            0..3 => self.0[2 * column..2 * column + 2].copy_from_slice(&(number as i16).to_le_bytes()),
            _ => self.0[column + 3] = number as u8,
        }
    }

    /// Takes packed bytes.
    pub fn from_bytes(bytes: [u8; BYTES]) -> Self {
        Self(bytes)
    }

    /// The packed bytes.
    pub fn bytes(&self) -> [u8; BYTES] {
        self.0
    }

    /// The tick, as far as the bytes hold it.
    pub fn tick(&self) -> Tick {
        let b = &self.0;
        Tick {
            air: unpacked(b[0], b[1]),
            outdoor: unpacked(b[2], b[3]),
            neighbours: unpacked(b[4], b[5]),
            heating: f64::from(b[6]) / 200.0,
            cooling: f64::from(b[7]) / 200.0,
            sun: Some(f64::from(b[8]) * SUN_STEP),
            occupied: b[9] & OCCUPIED != 0,
            open: b[9] & OPEN != 0,
        }
    }
}

fn packed(value: Option<f64>, scale: f64) -> i16 {
    match value {
        Some(value) if value.is_finite() => (value * scale).round().clamp(-32_000.0, 32_000.0) as i16,
        _ => NOTHING,
    }
}

fn unpacked(low: u8, high: u8) -> Option<f64> {
    let packed = i16::from_le_bytes([low, high]);
    (packed != NOTHING).then(|| f64::from(packed) / 100.0)
}

/// Small numbers of either sign as small numbers.
fn zigzag(number: i32) -> u32 {
    ((number << 1) ^ (number >> 31)) as u32
}

fn unzigzag(number: u32) -> i32 {
    (number >> 1) as i32 ^ -((number & 1) as i32)
}

/// Seven bits a byte, the lowest first.
fn put_varint(bytes: &mut Vec<u8>, mut number: u32) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

fn take_varint<'a>(bytes: &mut impl Iterator<Item = &'a u8>) -> Option<u32> {
    let mut number = 0;
    for shift in [0, 7, 14] {
        let byte = *bytes.next()?;
        number |= u32::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

fn share(output: f64) -> u8 {
    // Not-a-number becomes 0 in the cast.
    (output * 200.0).round().clamp(0.0, 200.0) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_what_their_differences_say_and_broken_differences_are_no_reading() {
        let extremes = [
            [0u8; BYTES],
            [255; BYTES],
            [127; BYTES],
            [128; BYTES],
            [0, 128, 255, 127, 0, 128, 200, 0, 255, 3],
        ];
        let rows: Vec<Row> = extremes.iter().cycle().take(50).copied().map(Row::from_bytes).collect();
        let bytes = Row::differences(&rows);
        assert!(bytes.len() <= rows.len() * Row::DIFFERENCES_MAX);
        assert_eq!(Row::of_differences(&bytes, 50), rows);
        assert_eq!(Row::of_differences(&[], 2), vec![Row::new(&Tick::default()); 2]);
        assert_eq!(Row::of_differences(&[255; 99], 2), vec![Row::new(&Tick::default()); 2]);
    }

    #[test]
    fn a_row_gives_back_what_was_packed_and_bears_nonsense() {
        let tick = Tick {
            air: Some(21.37),
            heating: 0.57,
            cooling: 1.0,
            outdoor: Some(-23.5),
            sun: Some(640.0),
            neighbours: None,
            occupied: true,
            open: false,
        };
        assert_eq!(Row::new(&tick).tick(), tick);
        let wild = Tick {
            air: Some(f64::NAN),
            heating: f64::NAN,
            cooling: 1e300,
            outdoor: Some(f64::INFINITY),
            sun: Some(-1e300),
            neighbours: Some(1e300),
            ..tick
        };
        let read = Row::new(&wild).tick();
        assert_eq!((read.air, read.outdoor, read.neighbours), (None, None, Some(320.0)));
        assert_eq!((read.heating, read.cooling, read.sun), (0.0, 1.0, Some(0.0)));
    }
}
