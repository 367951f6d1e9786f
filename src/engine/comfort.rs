//! Which set-point, and which way, makes the room right?
//!
//! Comfort is a band about what the guest likes, laid by the season: in winter the room is warmed up to it from below and
//! may be a little warmer, in summer it is cooled down to it and may be a little cooler, between the two it is held tightly
//! from both sides. A device with one set-point is told one edge of the band and the mode that goes with it.

use super::thermal::Direction;
use crate::model::{Celsius, HvacMode, Plant};
use serde::{Deserialize, Serialize};

/// Colder than this outside, and only warming matters.
const WINTER: Celsius = Celsius::from_hundredths(1200);
/// Warmer than this outside, and only cooling does.
const SUMMER: Celsius = Celsius::from_hundredths(2000);
/// The season turns only when the outdoor air is so far past an edge: evenings are no autumn.
const SEASON_HOLDS: Celsius = Celsius::from_hundredths(150);
/// In its season, the room may be so much beyond what the guest likes before the other side steps in.
const FREE: Celsius = Celsius::from_hundredths(50);
/// Between seasons, it is held within this on both sides.
const TIGHT: Celsius = Celsius::from_hundredths(10);
/// The mode changes only when the room is so far outside its band: a thermometer's noise turns no valve.
const MODE_HOLDS: Celsius = Celsius::from_hundredths(35);
/// A level is not taken farther from comfort by less than this: the next reckoning would take it back.
const LEVEL_HOLDS: Celsius = Celsius::from_hundredths(75);

/// What the air outside asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum Season {
    /// Warming.
    Winter,
    /// Either.
    #[default]
    Between,
    /// Cooling.
    Summer,
}

/// A room is left alone between the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Band {
    /// Warmed below this.
    pub low: Celsius,
    /// Cooled above this.
    pub high: Celsius,
}

impl Season {
    /// Follows the air outside.
    pub fn turned(self, outdoor: Option<Celsius>) -> Self {
        let Some(outdoor) = outdoor else { return self };
        match self {
            _ if outdoor < WINTER => Season::Winter,
            _ if outdoor > SUMMER => Season::Summer,
            Season::Winter if outdoor < WINTER + SEASON_HOLDS => Season::Winter,
            Season::Summer if outdoor > SUMMER - SEASON_HOLDS => Season::Summer,
            _ => Season::Between,
        }
    }
}

impl Band {
    /// The comfort band about what the guest likes.
    pub fn comfort(liked: Celsius, season: Season) -> Self {
        match season {
            Season::Winter => Self {
                low: liked,
                high: liked + FREE,
            },
            Season::Between => Self {
                low: liked - TIGHT,
                high: liked + TIGHT,
            },
            Season::Summer => Self {
                low: liked - FREE,
                high: liked,
            },
        }
    }

    /// The same band, wider by so much on both sides.
    pub fn wider(self, by: Celsius) -> Self {
        Self {
            low: self.low - by,
            high: self.high + by,
        }
    }

    /// The edge that is told to a device going this way.
    pub fn edge(self, direction: Direction) -> Celsius {
        match direction {
            Direction::Heating => self.low,
            Direction::Cooling => self.high,
        }
    }

    /// Which way a plant that can do both is to go now: towards the band, else as before.
    pub fn direction(self, before: Direction, now: Celsius) -> Direction {
        if now < self.low - MODE_HOLDS {
            Direction::Heating
        } else if now > self.high + MODE_HOLDS {
            Direction::Cooling
        } else {
            before
        }
    }
}

/// Which way a plant goes when the room itself does not decide it: by what it is, by the air outside, by what the unit says.
pub fn plant_direction(plant: Plant, season: Season, mode: Option<HvacMode>, before: Direction) -> Direction {
    match (plant, season, mode) {
        (Plant::Heating, ..) | (Plant::Auto, Season::Winter, _) => Direction::Heating,
        (Plant::Cooling, ..) | (Plant::Auto, Season::Summer, _) => Direction::Cooling,
        (Plant::Auto, Season::Between, Some(HvacMode::Heat)) => Direction::Heating,
        (Plant::Auto, Season::Between, Some(HvacMode::Cool)) => Direction::Cooling,
        (Plant::Auto, Season::Between, _) => before,
    }
}

/// The level of an empty room, or what its unit shows, where that is a little nearer to comfort: how far a room may fall is
/// reckoned anew every five minutes, and each write wears the device.
pub fn steady(level: Celsius, shown: Option<Celsius>, direction: Direction) -> Celsius {
    let nearer = |shown: &Celsius| match direction {
        Direction::Heating => *shown - level,
        Direction::Cooling => level - *shown,
    };
    let holds = Celsius::default()..=LEVEL_HOLDS;
    shown.filter(|shown| holds.contains(&nearer(shown))).unwrap_or(level)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn c(t: f64) -> Celsius {
        Celsius::new(t).unwrap()
    }

    #[test]
    fn winter_warms_from_below_and_summer_cools_from_above() {
        let winter = Band::comfort(c(22.0), Season::Winter);
        assert_eq!((winter.low, winter.high), (c(22.0), c(22.5)));
        let summer = Band::comfort(c(22.0), Season::Summer);
        assert_eq!((summer.low, summer.high), (c(21.5), c(22.0)));
    }

    #[test]
    fn a_level_that_wavers_is_written_once_and_one_that_falls_far_is_followed() {
        let mut shown = None;
        let told = [18.0, 18.5, 18.1, 18.4, 19.0, 18.3, 18.0].map(|level| {
            shown = Some(steady(c(level), shown, Direction::Heating));
            shown.map_or(0.0, Celsius::to_f64)
        });
        assert_eq!(told, [18.0, 18.5, 18.5, 18.5, 19.0, 19.0, 18.0]);
        assert_eq!(steady(c(27.0), Some(c(26.5)), Direction::Cooling), c(26.5));
        assert_eq!(steady(c(27.0), Some(c(27.5)), Direction::Cooling), c(27.0));
        assert_eq!(steady(c(18.0), Some(c(22.0)), Direction::Heating), c(18.0));
    }

    #[test]
    fn noise_turns_no_mode_and_an_evening_no_season() {
        let band = Band::comfort(c(22.0), Season::Between);
        assert_eq!(band.direction(Direction::Heating, c(22.4)), Direction::Heating);
        assert_eq!(band.direction(Direction::Heating, c(22.6)), Direction::Cooling);
        assert_eq!(Season::Winter.turned(Some(c(12.8))), Season::Winter);
        assert_eq!(Season::Winter.turned(Some(c(15.0))), Season::Between);
        assert_eq!(Season::Between.turned(None), Season::Between);
    }
}
