//! How cold may a room get before its walls grow mould?
//!
//! Mould wants four fifths of saturation at the coldest inner surface. From the room's humidity follows how warm that
//! surface has to be, from the wall how warm the air has to be for it (EN ISO 13788: temperature factor of the surface).

use crate::model::{Celsius, Percent};

/// Temperature factor of the coldest inner surface of a usual old wall: 1 would be no cold bridge at all.
const SURFACE_FACTOR: f64 = 0.7;
/// Mould grows above this relative humidity at the surface.
const AT_SURFACE: f64 = 0.8;
/// The floor never asks for more than this, C: beyond it the room wants airing, not warmth.
const FLOOR_MAX: Celsius = Celsius::from_hundredths(2000);

/// The air temperature below which a room of this air and humidity grows mould behind its wardrobes.
pub fn mould_floor(air: Celsius, humidity: Percent, outdoor: Celsius) -> Option<Celsius> {
    let vapour = humidity.to_f64() / 100.0 * saturation(air.to_f64());
    let surface = dew_point(vapour / AT_SURFACE)?;
    let outside = outdoor.to_f64();
    let floor = outside + (surface - outside) / SURFACE_FACTOR;
    Celsius::new(floor)
        .filter(|_| surface > outside)
        .map(|floor| floor.min(FLOOR_MAX))
}

/// Saturation pressure over water, Pa (Magnus).
fn saturation(t: f64) -> f64 {
    611.2 * (17.62 * t / (243.12 + t)).exp()
}

/// The temperature at which this pressure saturates, C.
fn dew_point(pressure: f64) -> Option<f64> {
    let log = (pressure / 611.2).ln();
    Some(243.12 * log / (17.62 - log)).filter(|t| t.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn floor(air: f64, humidity: f64, outdoor: f64) -> Option<f64> {
        let humidity = Percent::new(humidity).unwrap();
        mould_floor(Celsius::new(air).unwrap(), humidity, Celsius::new(outdoor).unwrap()).map(Celsius::to_f64)
    }

    #[test]
    fn damp_air_keeps_a_room_warmer_than_dry_air() {
        assert!((floor(21.0, 50.0, 0.0).unwrap() - 19.4).abs() < 0.5);
        assert!((floor(21.0, 40.0, 0.0).unwrap() - 14.6).abs() < 0.5);
        assert_eq!(floor(21.0, 90.0, 0.0), Some(20.0), "it wants airing");
        assert_eq!(floor(21.0, 0.0, 0.0), None);
        assert_eq!(floor(22.0, 40.0, 30.0), None, "in summer there is no cold wall");
    }
}
