//! Which numbers describe one room, and what is believed of them before the room has said anything?
//!
//! Rates per hour and kelvin per hour: the watts of a coil and the heat capacity of a wall are never needed. Each number
//! is kept as its logarithm, because it is positive and because rooms differ by factors.

use serde::{Deserialize, Serialize};

/// How many numbers describe a room.
pub const COUNT: usize = 19;

/// Air to mass, 1/h.
pub const AIR_MASS: usize = 0;
/// Air to outdoors, 1/h.
pub const AIR_OUTDOOR: usize = 1;
/// Full heating on the air, K/h.
pub const HEATING: usize = 2;
/// Full cooling on the air, K/h.
pub const COOLING: usize = 3;
/// Sun on the air, K/h for each kW/m2 on the facade.
pub const SUN_AIR: usize = 4;
/// Mass to air, 1/h.
pub const MASS_AIR: usize = 5;
/// Mass to the adjoining rooms, 1/h.
pub const MASS_NEIGHBOURS: usize = 6;
/// Sun on the mass, K/h for each kW/m2.
pub const SUN_MASS: usize = 7;
/// What always warms: lamps, standby, pipes, K/h.
pub const BASE_GAIN: usize = 8;
/// What a guest in the room adds, K/h.
pub const GUEST_GAIN: usize = 9;
/// How late the thermometer is, minutes.
pub const SENSOR_LAG: usize = 10;
/// How late the coil is, minutes.
pub const COIL_LAG: usize = 11;
/// How fast the disturbance wanders, K/h for each root of an hour.
pub const DISTURBANCE: usize = 12;
/// How fast the mass wanders from its own equation, K for each root of an hour.
pub const MASS_NOISE: usize = 13;
/// The sun usual on the facade in the morning, at noon, in the afternoon, kW/m2: where nobody tells the sun.
pub const USUAL_SUN: [usize; 3] = [14, 15, 16];
/// Mass to what lies deep in the building, 1/h.
pub const MASS_DEEP: usize = 17;
/// And back, 1/h.
pub const DEEP_MASS: usize = 18;

/// Each number's name, its usual value, and the spread of its logarithm among rooms of all kinds.
///
/// The first nine are the medians of fitted real rooms and of building simulation; the spreads are wide enough for both.
/// The lags are those of wall thermostats and fan coils. Disturbance and noise are the filter's own: how restless the room is.
const USUAL: [(&str, f64, f64); COUNT] = [
    ("air_mass_per_h", 1.2, 0.7),
    ("air_outdoor_per_h", 0.12, 0.6),
    ("heating_k_per_h", 6.0, 0.7),
    ("cooling_k_per_h", 6.0, 0.7),
    ("sun_air", 1.5, 0.9),
    ("mass_air_per_h", 0.35, 0.7),
    ("mass_neighbours_per_h", 0.06, 0.8),
    ("sun_mass", 0.6, 0.9),
    ("base_gain_k_per_h", 0.2, 0.9),
    ("guest_gain_k_per_h", 0.3, 0.7),
    ("sensor_lag_min", 4.0, 0.25),
    ("coil_lag_min", 3.0, 0.3),
    ("disturbance", 0.1, 0.5),
    ("mass_noise", 0.07, 0.5),
    ("morning_sun", 0.08, 0.7),
    ("noon_sun", 0.08, 0.7),
    ("afternoon_sun", 0.08, 0.7),
    ("mass_deep_per_h", 0.15, 0.9),
    ("deep_mass_per_h", 0.05, 0.6),
];

/// No number leaves its usual value by more than this many spreads.
const SPREADS_MAX: f64 = 4.0;

/// The numbers of one room, as logarithms.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(from = "Vec<f64>")]
pub struct Parameters([f64; COUNT]);

/// What is believed of a room's numbers before its own data count.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Belief {
    /// The middle.
    pub mean: Parameters,
    /// The spread of each logarithm.
    #[serde(deserialize_with = "spread")]
    pub spread: [f64; COUNT],
}

fn spread<'de, D: serde::Deserializer<'de>>(from: D) -> Result<[f64; COUNT], D::Error> {
    let mut spread = USUAL.map(|(.., spread)| spread);
    let kept = Vec::<f64>::deserialize(from)?;
    spread.iter_mut().zip(kept).for_each(|(spread, kept)| *spread = kept);
    Ok(spread)
}

impl Parameters {
    /// The number itself.
    pub fn get(&self, which: usize) -> f64 {
        self.0[which].exp()
    }

    /// Each number's name and value.
    pub fn named(&self) -> impl Iterator<Item = (&'static str, f64)> + '_ {
        USUAL.iter().zip(self.0).map(|((name, ..), log)| (*name, log.exp()))
    }

    /// The same room with one logarithm moved.
    pub fn moved(&self, which: usize, by: f64) -> Self {
        let mut moved = *self;
        moved.0[which] += by;
        moved
    }

    /// Whether every number is one that a room can have; a record from a damaged disk need not be.
    pub fn is_sound(&self) -> bool {
        let is_near = |(log, (_, usual, spread)): (&f64, &(&str, f64, f64))| {
            (log - usual.ln()).abs() <= SPREADS_MAX * spread + 1e-9
        };
        self.0.iter().zip(&USUAL).all(is_near)
    }
}

/// Records of earlier versions have fewer numbers: the rest is as usual.
impl From<Vec<f64>> for Parameters {
    fn from(kept: Vec<f64>) -> Self {
        let mut room = Self::default();
        room.0.iter_mut().zip(kept).for_each(|(number, kept)| *number = kept);
        room
    }
}

impl Default for Parameters {
    fn default() -> Self {
        Self(USUAL.map(|(_, usual, _)| usual.ln()))
    }
}

impl Default for Belief {
    fn default() -> Self {
        Self {
            mean: Parameters::default(),
            spread: USUAL.map(|(.., spread)| spread),
        }
    }
}

/// Fewer rooms than this are no kin.
const KIN_MIN: usize = 3;
/// Kin are never believed more alike than this.
const KIN_SPREAD_MIN: f64 = 0.12;

impl Belief {
    /// What the property's fitted rooms say of one that is not: their mean, and how much they differ. None when they are
    /// too few.
    pub fn of_kin(rooms: &[Parameters]) -> Option<Self> {
        if rooms.len() < KIN_MIN {
            return None;
        }
        let mut belief = Self::default();
        for n in 0..COUNT {
            let mean = rooms.iter().map(|room| room.0[n]).sum::<f64>() / rooms.len() as f64;
            let squares = rooms.iter().map(|room| (room.0[n] - mean).powi(2)).sum::<f64>();
            let spread = (squares / (rooms.len() - 1) as f64).sqrt();
            belief.mean.0[n] = mean;
            belief.spread[n] = spread.max(KIN_SPREAD_MIN).min(USUAL[n].2);
        }
        Some(belief)
    }

    /// How far a room is from what is believed, as half the sum of squares.
    pub fn misfit(&self, room: &Parameters) -> f64 {
        (0..COUNT).map(|n| 0.5 * self.off(room, n).powi(2)).sum()
    }

    /// How many spreads one logarithm is from the middle.
    pub fn off(&self, room: &Parameters, which: usize) -> f64 {
        (room.0[which] - self.mean.0[which]) / self.spread[which]
    }

    /// Moves every logarithm by so many spreads, inside what a room can be.
    pub fn stepped(&self, room: &Parameters, spreads: &[f64]) -> Parameters {
        let mut stepped = *room;
        for (n, by) in spreads.iter().enumerate().take(COUNT) {
            let (_, usual, spread) = USUAL[n];
            let (low, high) = (usual.ln() - SPREADS_MAX * spread, usual.ln() + SPREADS_MAX * spread);
            stepped.0[n] = (room.0[n] + by * self.spread[n]).clamp(low, high);
        }
        stepped
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kin_are_believed_as_far_as_they_agree() {
        let usual = Parameters::default();
        assert_eq!(Belief::of_kin(&[usual, usual]), None);
        let kin = [usual.moved(HEATING, -0.3), usual, usual.moved(HEATING, 0.3)];
        let belief = Belief::of_kin(&kin).unwrap();
        assert!((belief.spread[HEATING] - 0.3).abs() < 1e-9, "{belief:?}");
        assert_eq!(belief.spread[COOLING], KIN_SPREAD_MIN);
        assert!((belief.mean.get(HEATING) - 6.0).abs() < 1e-9);
    }

    #[test]
    fn an_earlier_record_with_fewer_numbers_is_read() {
        let numbers: Parameters = serde_json::from_str("[0.5,-2.0]").unwrap();
        assert_eq!((numbers.0[0], numbers.0[1]), (0.5, -2.0));
        assert_eq!(numbers.get(MASS_DEEP), Parameters::default().get(MASS_DEEP));
        let belief: Belief = serde_json::from_str(r#"{"mean":[0.5],"spread":[0.25]}"#).unwrap();
        assert_eq!((belief.spread[0], belief.spread[1]), (0.25, USUAL[1].2));
    }

    #[test]
    fn a_step_stays_within_what_a_room_can_be() {
        let belief = Belief::default();
        let far = belief.stepped(&Parameters::default(), &[1e9; COUNT]);
        assert!(far.is_sound() && far != Parameters::default());
        assert!(!Parameters::default().moved(HEATING, 9.0).is_sound());
    }
}
