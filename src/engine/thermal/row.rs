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
/// The byte of the sun holds the local time instead: nobody tells the sun.
const HOUR: u8 = 4;
/// So many steps of the packed time are an hour.
const HOUR_STEPS: f64 = 10.0;

/// How many bytes a packed row has.
pub const BYTES: usize = 10;

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
    /// The local time of day, hours, where the sun is not known: it comes at the same time every day.
    pub hour: Option<f64>,
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
        let hour = tick.hour.filter(|_| tick.sun.is_none());
        bytes[8] = match hour {
            Some(hour) => (hour * HOUR_STEPS).round().clamp(0.0, 24.0 * HOUR_STEPS) as u8,
            None => (tick.sun.unwrap_or(0.0) / SUN_STEP).round().clamp(0.0, 255.0) as u8,
        };
        let flag = |is: bool, bit: u8| if is { bit } else { 0 };
        bytes[9] = flag(tick.occupied, OCCUPIED) | flag(tick.open, OPEN) | flag(hour.is_some(), HOUR);
        Self(bytes)
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
            sun: (b[9] & HOUR == 0).then(|| f64::from(b[8]) * SUN_STEP),
            hour: (b[9] & HOUR != 0).then(|| f64::from(b[8]) / HOUR_STEPS),
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

fn share(output: f64) -> u8 {
    // Not-a-number becomes 0 in the cast.
    (output * 200.0).round().clamp(0.0, 200.0) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_gives_back_what_was_packed_and_bears_nonsense() {
        let tick = Tick {
            air: Some(21.37),
            heating: 0.57,
            cooling: 1.0,
            outdoor: Some(-23.5),
            sun: Some(640.0),
            hour: None,
            neighbours: None,
            occupied: true,
            open: false,
        };
        assert_eq!(Row::new(&tick).tick(), tick);
        let without_sun = Tick {
            sun: None,
            hour: Some(16.3),
            ..tick
        };
        assert_eq!(Row::new(&without_sun).tick(), without_sun);
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
