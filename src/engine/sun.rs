//! How hard does the sun stand on a facade, were the sky clear?
//!
//! Good to a tenth: the room's own model learns how much of it comes in. The sun's place is that of Spencer's series
//! (declination, equation of time); the beam is attenuated after Meinel; the sky gives a tenth of the beam, and the ground
//! gives a fifth back. Clouds take away after Kasten and Czeplak.

use crate::model::{Moment, Percent, Place, Span};
use std::f64::consts::TAU;

/// Outside the air, W/m2.
const SOLAR: f64 = 1361.0;
/// The sky's share of the beam on level ground.
const SKY: f64 = 0.1;
/// What the ground gives back.
const GROUND: f64 = 0.2;
/// Where nobody tells of clouds, this much of a clear day is usual.
const USUAL: f64 = 0.6;
/// Lower than this the sun stands behind something (sine of its height).
const RISEN: f64 = 0.035;

/// The sun on an upright facade that looks this way (degrees from north over east), W/m2, under these clouds.
pub fn on_facade(at: Moment, place: Place, faces: u16, clouds: Option<Percent>) -> f64 {
    let sun = Sun::at(at, place);
    if sun.up <= RISEN {
        return 0.0;
    }
    let (east, north) = f64::from(faces).to_radians().sin_cos();
    let facing = (sun.east * east + sun.north * north).max(0.0);
    let air_mass = 1.0 / (sun.up + 0.5057 * (sun.up.asin().to_degrees() + 6.08).powf(-1.6364));
    let beam = SOLAR * 0.7_f64.powf(air_mass.powf(0.678));
    let sky = SKY * beam;
    let clear = beam * facing + 0.5 * sky + 0.5 * GROUND * (beam * sun.up + sky);
    clear * left_by(clouds)
}

/// What clouds leave of it.
fn left_by(clouds: Option<Percent>) -> f64 {
    clouds.map_or(USUAL, |cover| 1.0 - 0.75 * (cover.to_f64() / 100.0).powf(3.4))
}

/// The direction towards the sun, a unit vector.
struct Sun {
    east: f64,
    north: f64,
    up: f64,
}

impl Sun {
    fn at(at: Moment, place: Place) -> Self {
        let day = at.millis() as f64 / Span::days(1).as_millis() as f64;
        // Days since the beginning of a year; the year's length in days keeps step for two centuries.
        let turn = TAU * ((day - 10_957.0) / 365.2425).rem_euclid(1.0);
        let declination = 0.006_918 - 0.399_912 * turn.cos() + 0.070_257 * turn.sin() - 0.006_758 * (2.0 * turn).cos()
            + 0.000_907 * (2.0 * turn).sin();
        let equation_min = 229.18
            * (0.000_075 + 0.001_868 * turn.cos()
                - 0.032_077 * turn.sin()
                - 0.014_615 * (2.0 * turn).cos()
                - 0.040_89 * (2.0 * turn).sin());
        let solar_min = day.rem_euclid(1.0) * 1440.0 + equation_min + 4.0 * place.longitude;
        let hour = TAU * (solar_min / 1440.0 - 0.5);
        let latitude = place.latitude.to_radians();
        Self {
            east: -hour.sin() * declination.cos(),
            north: declination.sin() * latitude.cos() - hour.cos() * declination.cos() * latitude.sin(),
            up: latitude.sin() * declination.sin() + latitude.cos() * declination.cos() * hour.cos(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VIENNA: Place = Place {
        latitude: 48.2,
        longitude: 16.4,
    };

    fn sun(at: &str, faces: u16, clouds: f64) -> f64 {
        on_facade(Moment::parse(at).unwrap(), VIENNA, faces, Percent::new(clouds))
    }

    #[test]
    fn it_rises_in_the_east_and_sets_in_the_west() {
        let (morning, evening) = ("2026-06-21T06:00:00Z", "2026-06-21T16:00:00Z");
        assert!(sun(morning, 90, 0.0) > 500.0 && sun(morning, 270, 0.0) < 150.0);
        assert!(sun(evening, 270, 0.0) > 500.0 && sun(evening, 90, 0.0) < 150.0);
        assert_eq!(sun("2026-06-21T23:00:00Z", 90, 0.0), 0.0);
    }

    #[test]
    fn a_low_winter_sun_shines_deep_into_southern_rooms() {
        let (winter, summer) = ("2026-12-21T11:00:00Z", "2026-06-21T11:00:00Z");
        assert!(sun(winter, 180, 0.0) > sun(summer, 180, 0.0));
        assert!(
            (400.0..900.0).contains(&sun(winter, 180, 0.0)),
            "{}",
            sun(winter, 180, 0.0)
        );
        assert!(sun(winter, 180, 100.0) < 0.3 * sun(winter, 180, 0.0));
    }

    #[test]
    fn the_sun_culminates_when_the_almanac_says() {
        // Vienna, 2026-03-20: the sun stands highest at 11:02 UTC, about 41.8 degrees.
        let up = |at: &str| Sun::at(Moment::parse(at).unwrap(), VIENNA).up;
        let noon = up("2026-03-20T11:02:00Z");
        assert!(noon > up("2026-03-20T10:52:00Z") && noon > up("2026-03-20T11:12:00Z"));
        assert!(
            (noon.asin().to_degrees() - 41.8).abs() < 0.7,
            "{}",
            noon.asin().to_degrees()
        );
    }

    #[test]
    fn no_place_and_no_year_breaks_it() {
        for (latitude, longitude) in [(90.0, 0.0), (-90.0, 180.0), (0.0, -180.0)] {
            let place = Place { latitude, longitude };
            for at in [Moment::EARLIEST, Moment::LATEST] {
                let w = on_facade(at, place, 359, None);
                assert!((0.0..1500.0).contains(&w), "{w}");
            }
        }
    }
}
