//! Where is this room now, behind its thermometer's noise?
//!
//! A Kalman filter at a fixed tick, with a fixed cost. A reading far from what was expected moves the state by three
//! standard deviations and no more: it is never thrown away and its noise never inflated, because a filter that does
//! either can lock itself out of the truth. A tick without a reading only predicts.

use super::matrix::{Square, Vector};
use super::model::{AIR, Coil, DEEP, MASS, SENSOR, STATES, Step, UNEXPLAINED};
use super::parameters::{DISTURBANCE, MASS_NOISE, Parameters};
use super::row::Tick;
use serde::{Deserialize, Serialize};

/// The tick, hours.
pub const TICK_H: f64 = 1.0 / 12.0;
/// The states that are uncertain: the coil is known from what it was told.
const UNCERTAIN: usize = 5;
/// A reading moves the state by no more than so many standard deviations.
pub const CLIP: f64 = 3.0;
/// How fast the air leaves its own equation, K for each root of an hour.
const AIR_NOISE: f64 = 0.07;
/// With somebody in, the unexplained wanders so many times faster (variance).
const WANDERS_OCCUPIED: f64 = 6.0;
/// And with a door or window open, or just closed.
const WANDERS_OPEN: f64 = 4.0;
/// While something stands open, the air goes its own way: K for each root of an hour.
const BLOWS_IN: f64 = 3.5;
/// How fast what lies deep leaves its own equation, K for each root of an hour.
const DEEP_NOISE: f64 = 0.04;
/// What is not known at the start: variances of air, mass, unexplained, thermometer, and what lies deep.
const AT_FIRST: [f64; UNCERTAIN] = [0.3, 1.5, 0.5, 0.05, 2.0];

/// A thermometer: what a reading is worth.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Thermometer {
    /// Its noise, K.
    pub noise_k: f64,
    /// Its step, K.
    pub step_k: f64,
}

impl Default for Thermometer {
    fn default() -> Self {
        Self {
            noise_k: 0.15,
            step_k: 0.1,
        }
    }
}

/// Steps that thermometers have, K; the coarsest first.
const STEPS_K: [f64; 4] = [1.0, 0.5, 0.25, 0.2];
/// Of a thermometer's readings, so many lie on its steps.
const ON_STEP_SHARE: f64 = 0.98;
/// Fewer readings than this tell no step.
const READINGS_MIN: usize = 48;

impl Thermometer {
    /// The thermometer that these readings come from: whoever never says 21.3 but only 21.5 has the coarser step.
    pub fn of(history: &[Tick]) -> Self {
        let readings: Vec<f64> = history.iter().filter_map(|tick| tick.air).collect();
        let usual = Self::default();
        let is_on = |step: f64| move |air: &&f64| (**air / step - (**air / step).round()).abs() * step < 0.011;
        let fits =
            |step: &&f64| readings.iter().filter(is_on(**step)).count() as f64 >= ON_STEP_SHARE * readings.len() as f64;
        let step = STEPS_K.iter().find(fits).filter(|_| readings.len() >= READINGS_MIN);
        Self {
            step_k: step.copied().unwrap_or(usual.step_k),
            ..usual
        }
    }

    /// The variance of a reading: its noise, and the step's.
    pub fn variance(&self) -> f64 {
        self.noise_k * self.noise_k + self.step_k * self.step_k / 12.0
    }
}

/// What is believed of the room now.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// The states, in the order of the model.
    pub x: Vector<STATES>,
    p: Square<UNCERTAIN>,
}

/// How a reading compared with what was expected of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Surprise {
    /// In standard deviations.
    pub z: f64,
    /// The variance that was expected.
    pub variance: f64,
}

/// What a reading does to the state. It follows from the uncertainty alone, not from what was read: rooms that differ only
/// in how strongly coil, sun and people move them share it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Gain {
    by: [f64; UNCERTAIN],
    variance: f64,
}

/// The filter of one room with one set of numbers, for steps of one length.
#[derive(Debug, Clone, PartialEq)]
pub struct Filter {
    /// The model, carried over one step.
    pub step: Step,
    noise: [f64; UNCERTAIN],
    blows_in: f64,
    reading_variance: f64,
}

impl State {
    /// A room of which only one reading is known.
    pub fn at(air: f64) -> Self {
        let mut p = [[0.0; UNCERTAIN]; UNCERTAIN];
        AT_FIRST
            .iter()
            .enumerate()
            .for_each(|(n, variance)| p[n][n] = *variance);
        Self {
            x: [air, air, 0.0, air, air, 0.0],
            p,
        }
    }

    /// The same room as much warmer throughout.
    pub fn warmer_by(&self, kelvin: f64) -> Self {
        let mut moved = *self;
        [AIR, MASS, SENSOR, DEEP].iter().for_each(|n| moved.x[*n] += kelvin);
        moved
    }

    /// The standard deviation of the air, K.
    pub fn air_sd(&self) -> f64 {
        self.p[AIR][AIR].max(0.0).sqrt()
    }

    /// Whether it is a state that a room can be in; a record from a damaged disk need not be.
    pub fn is_sound(&self) -> bool {
        let is_possible = |t: &f64| (-60.0..=90.0).contains(t);
        let is_symmetric = || (0..UNCERTAIN).all(|i| (0..i).all(|j| (self.p[i][j] - self.p[j][i]).abs() < 1e-6));
        [AIR, MASS, SENSOR, DEEP].iter().all(|n| is_possible(&self.x[*n]))
            && self.x.iter().all(|x| x.abs() < 1e3)
            && (0..UNCERTAIN).all(|n| (0.0..1e4).contains(&self.p[n][n]))
            && is_symmetric()
    }
}

impl Gain {
    /// Takes a reading into the states that it is expected of.
    pub fn take(&self, x: &mut Vector<STATES>, reading: f64) -> Surprise {
        let sd = self.variance.sqrt();
        let z = (reading - x[SENSOR]) / sd;
        let moved = z.clamp(-CLIP, CLIP) * sd;
        x.iter_mut().zip(self.by).for_each(|(x, by)| *x += by * moved);
        Surprise {
            z,
            variance: self.variance,
        }
    }
}

impl Filter {
    /// Makes the filter of a room at the usual tick.
    pub fn new(room: &Parameters, coil: Coil, thermometer: Thermometer) -> Self {
        Self::over(room, coil, thermometer, TICK_H)
    }

    /// The same for steps of so many hours.
    pub fn over(room: &Parameters, coil: Coil, thermometer: Thermometer, hours: f64) -> Self {
        let squared = |which: usize| room.get(which) * room.get(which) * hours;
        let mut noise = [0.0; UNCERTAIN];
        (noise[AIR], noise[DEEP]) = (AIR_NOISE * AIR_NOISE * hours, DEEP_NOISE * DEEP_NOISE * hours);
        (noise[MASS], noise[UNEXPLAINED]) = (squared(MASS_NOISE), squared(DISTURBANCE));
        Self {
            step: Step::new(room, coil, hours),
            noise,
            blows_in: BLOWS_IN * BLOWS_IN * hours,
            reading_variance: thermometer.variance(),
        }
    }

    /// Goes on by one tick: what the five minutes were like, and the reading at their end.
    pub fn tick(&self, state: &mut State, tick: &Tick) -> Option<Surprise> {
        self.predict(state, tick);
        tick.air.map(|air| self.update(state, air))
    }

    /// Goes on by one tick without a reading.
    pub fn predict(&self, state: &mut State, tick: &Tick) {
        state.x = self.step.next(&state.x, tick);
        let wanders = match (tick.open, tick.occupied) {
            (true, _) => WANDERS_OPEN,
            (false, true) => WANDERS_OCCUPIED,
            (false, false) => 1.0,
        };
        state.p = self.spread(&state.p);
        (0..UNCERTAIN).for_each(|n| state.p[n][n] += self.noise[n] * if n == UNEXPLAINED { wanders } else { 1.0 });
        if tick.open {
            // Air and thermometer move together with what blows in; the mass behind them hardly does.
            [AIR, SENSOR]
                .iter()
                .for_each(|i| [AIR, SENSOR].iter().for_each(|j| state.p[*i][*j] += self.blows_in));
        }
    }

    /// Takes a reading.
    pub fn update(&self, state: &mut State, reading: f64) -> Surprise {
        let gain = self.gain(state);
        let with_sensor = state.p[SENSOR];
        for i in 0..UNCERTAIN {
            // Both halves get the same products: the covariance stays symmetric to the bit.
            (0..UNCERTAIN).for_each(|j| state.p[i][j] -= with_sensor[i] * with_sensor[j] / gain.variance);
        }
        gain.take(&mut state.x, reading)
    }

    /// What a reading would do to this state.
    pub fn gain(&self, state: &State) -> Gain {
        let with_sensor = state.p[SENSOR];
        let variance = with_sensor[SENSOR] + self.reading_variance;
        Gain {
            by: with_sensor.map(|with| with / variance),
            variance,
        }
    }

    /// What the uncertainty becomes over a tick: A P A', lower half mirrored.
    fn spread(&self, p: &Square<UNCERTAIN>) -> Square<UNCERTAIN> {
        let a = &self.step.carry;
        let dot = |a: &[f64], p: &[f64; UNCERTAIN]| a[0] * p[0] + a[1] * p[1] + a[2] * p[2] + a[3] * p[3] + a[4] * p[4];
        let mut half = [[0.0; UNCERTAIN]; UNCERTAIN];
        for i in 0..UNCERTAIN {
            for j in 0..UNCERTAIN {
                // The covariance is symmetric: its row is its column.
                half[i][j] = dot(&a[i], &p[j]);
            }
        }
        let mut spread = [[0.0; UNCERTAIN]; UNCERTAIN];
        for i in 0..UNCERTAIN {
            for j in 0..=i {
                let sum = dot(&a[j], &half[i]);
                (spread[i][j], spread[j][i]) = (sum, sum);
            }
        }
        spread
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter() -> Filter {
        Filter::new(&Parameters::default(), Coil::Water, Thermometer::default())
    }

    fn still(air: Option<f64>) -> Tick {
        Tick {
            air,
            neighbours: Some(21.0),
            ..Tick::default()
        }
    }

    #[test]
    fn it_settles_on_what_it_reads() {
        let (filter, mut state) = (filter(), State::at(18.0));
        (0..200).for_each(|_| _ = filter.tick(&mut state, &still(Some(21.0))));
        assert!((state.x[AIR] - 21.0).abs() < 0.1, "{state:?}");
        assert!(state.air_sd() < 0.2 && state.is_sound(), "{state:?}");
    }

    #[test]
    fn a_wild_reading_moves_it_little_and_a_true_jump_is_followed() {
        let (filter, mut state) = (filter(), State::at(21.0));
        (0..50).for_each(|_| _ = filter.tick(&mut state, &still(Some(21.0))));
        let before = state.x[AIR];
        filter.tick(&mut state, &still(Some(60.0)));
        assert!((state.x[AIR] - before).abs() < 0.6, "{state:?}");
        (0..36).for_each(|_| _ = filter.tick(&mut state, &still(Some(24.0))));
        assert!((state.x[AIR] - 24.0).abs() < 0.3, "it is not locked out: {state:?}");
    }

    #[test]
    fn a_thermometer_is_known_by_its_steps() {
        let readings = |step: f64| -> Vec<Tick> {
            let told = |n: i32| (((20.0 + f64::from(n % 37) * 0.07) / step).round() * step * 100.0).round() / 100.0;
            (0..200).map(|n| still(Some(told(n)))).collect()
        };
        for step in [0.1, 0.2, 0.25, 0.5, 1.0] {
            assert_eq!(Thermometer::of(&readings(step)).step_k, step);
        }
        assert_eq!(Thermometer::of(&[]), Thermometer::default());
    }

    #[test]
    fn without_readings_it_only_grows_uncertain() {
        let (filter, mut state) = (filter(), State::at(21.0));
        (0..50).for_each(|_| _ = filter.tick(&mut state, &still(Some(21.0))));
        let sure = state.air_sd();
        assert!((0..12).all(|_| filter.tick(&mut state, &still(None)).is_none()));
        assert!(state.air_sd() > 1.5 * sure, "{} {sure}", state.air_sd());
        (0..20_000).for_each(|_| _ = filter.tick(&mut state, &still(None)));
        assert!(state.is_sound(), "{state:?}");
    }
}
