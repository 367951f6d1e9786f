//! Which numbers describe this room best, given two weeks of it and what is known of rooms like it?
//!
//! The nightly fit looks for the most probable numbers: the filter's own likelihood one tick ahead, the error of forecasts
//! some hours ahead made from the filter's states (that is what the numbers are used for), and the belief held before.
//! Gauss and Newton's way with a damping: the curvature comes from the differences of the weighted errors, the slope from
//! the differences of the whole.
//!
//! The work is cut into passes of about a millisecond, one filter run over the history each, so that a door that opens in
//! the night need not wait for it. What only drives the room (coil, sun, people) leaves the filter's uncertainty as it is:
//! such a number's difference is found with the gains of the run that it differs from.

use super::filter::{CLIP, Filter, Gain, State, Surprise, Thermometer};
use super::matrix::{Vector, solve};
use super::model::{Coil, SENSOR, STATES};
use super::parameters::{
    BASE_GAIN, Belief, COOLING, COUNT, GUEST_GAIN, HEATING, Parameters, SUN_AIR, SUN_MASS, USUAL_SUN,
};
use super::row::Tick;

/// A first fit ends after so many rounds at the latest, from the middle of all rooms.
const ROUNDS_FIRST: u32 = 6;
/// And one that begins with yesterday's numbers after so many: a night moves them little.
const ROUNDS_NIGHTLY: u32 = 2;
/// And when a round gains less than this (in units of half a squared standard deviation).
const GAIN_MIN: f64 = 0.05;
/// A step that does not improve is damped more, so many times.
const DAMPED_MAX: u32 = 5;
/// No number moves by more than this in one round, spreads.
const MOVE_MAX: f64 = 1.0;
/// The difference that slopes are taken by, spreads.
const DIFFERENCE: f64 = 1e-3;
/// The filter settles for so many ticks before forecasts are made from it.
const SETTLED: usize = 12;
/// A forecast is made at every so many ticks.
const FORECAST_EVERY: usize = 12;
/// And compared with the readings so many ticks ahead; each counts by the error a good model makes there, K.
const AHEAD: [(usize, f64); 4] = [(6, 0.22), (12, 0.28), (24, 0.35), (36, 0.42)];

/// A fit under way.
#[derive(Debug, Clone)]
pub struct Fit {
    belief: Belief,
    coil: Coil,
    thermometer: Thermometer,
    best: Parameters,
    stage: Stage,
    base: Pass,
    /// The errors' differences for each number.
    columns: Vec<Vec<f32>>,
    slope: [f64; COUNT],
    damping: f64,
    rounds: u32,
    rounds_max: u32,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Stage {
    Base,
    Column(usize),
    Trial(u32),
    Done,
}

/// One run over the history.
#[derive(Debug, Clone, Default)]
struct Pass {
    cost: f64,
    errors: Vec<f32>,
    /// What each reading did to the state.
    gains: Vec<Gain>,
}

impl Fit {
    /// Begins a fit from what the room was last thought to be; the first one of a room takes more rounds.
    pub fn new(from: Parameters, belief: Belief, coil: Coil, thermometer: Thermometer, is_first: bool) -> Self {
        Self {
            belief,
            coil,
            thermometer,
            best: from,
            stage: Stage::Base,
            base: Pass::default(),
            columns: Vec::new(),
            slope: [0.0; COUNT],
            damping: 1.0,
            rounds: 0,
            rounds_max: if is_first { ROUNDS_FIRST } else { ROUNDS_NIGHTLY },
        }
    }

    /// Does one pass over the history, which must be the same in every pass. Returns the numbers when the fit has ended.
    pub fn pass(&mut self, history: &[Tick]) -> Option<Parameters> {
        self.stage = match self.stage {
            Stage::Base => {
                self.base = self.run(&self.best, history);
                self.columns.clear();
                Stage::Column(0)
            }
            Stage::Column(n) => {
                self.column(n, history);
                if n + 1 < COUNT {
                    Stage::Column(n + 1)
                } else {
                    Stage::Trial(0)
                }
            }
            Stage::Trial(tried) => self.trial(tried, history),
            Stage::Done => Stage::Done,
        };
        (self.stage == Stage::Done).then_some(self.best)
    }

    fn column(&mut self, n: usize, history: &[Tick]) {
        let moved = self.best.moved(n, DIFFERENCE * self.belief.spread[n]);
        if !history.iter().any(|tick| drives(n, tick)) {
            // Nothing in these two weeks hangs on it: only the belief does.
            self.slope[n] = (self.belief.misfit(&moved) - self.belief.misfit(&self.best)) / DIFFERENCE;
            return self.columns.push(vec![0.0; self.base.errors.len()]);
        }
        let pass = match DRIVES.contains(&n) {
            true => self.rerun(&moved, history),
            false => self.run(&moved, history),
        };
        self.slope[n] = (pass.cost - self.base.cost) / DIFFERENCE;
        let per = (1.0 / DIFFERENCE) as f32;
        let differences = pass.errors.iter().zip(&self.base.errors).map(|(a, b)| (a - b) * per);
        self.columns.push(differences.collect());
    }

    fn trial(&mut self, tried: u32, history: &[Tick]) -> Stage {
        let Some(to) = self.step() else { return Stage::Done };
        let pass = self.run(&to, history);
        let gain = self.base.cost - pass.cost;
        if gain <= 0.0 || gain.is_nan() {
            self.damping *= 4.0;
            return if tried + 1 < DAMPED_MAX {
                Stage::Trial(tried + 1)
            } else {
                Stage::Done
            };
        }
        (self.best, self.base) = (to, pass);
        self.columns.clear();
        self.damping = (self.damping * 0.3).max(1e-4);
        self.rounds += 1;
        if gain < GAIN_MIN || self.rounds >= self.rounds_max {
            Stage::Done
        } else {
            Stage::Column(0)
        }
    }

    /// The damped Gauss-Newton step from the best so far.
    fn step(&self) -> Option<Parameters> {
        let mut curvature = vec![vec![0.0; COUNT]; COUNT];
        for i in 0..COUNT {
            for j in 0..=i {
                let (a, b) = (self.columns.get(i)?, self.columns.get(j)?);
                let sum: f64 = a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum();
                (curvature[i][j], curvature[j][i]) = (sum, sum);
            }
            curvature[i][i] += 1.0 + 0.1 * self.damping;
        }
        let step = solve(&curvature, &self.slope)?;
        let step: Vec<f64> = step.iter().map(|s| (-s).clamp(-MOVE_MAX, MOVE_MAX)).collect();
        Some(self.belief.stepped(&self.best, &step))
    }

    fn run(&self, room: &Parameters, history: &[Tick]) -> Pass {
        let filter = Filter::new(room, self.coil, self.thermometer);
        let mut pass = self.begin(room, history);
        let Some(mut state) = first(history) else { return pass };
        for (n, tick) in history.iter().enumerate() {
            filter.predict(&mut state, tick);
            if let Some(air) = tick.air {
                pass.gains.push(filter.gain(&state));
                let surprise = filter.update(&mut state, air);
                pass.surprised(&surprise);
            }
            pass.forecasts(&filter, &state.x, n, history);
        }
        pass
    }

    /// The same for numbers under which each reading does to the state what it did in the base run.
    fn rerun(&self, room: &Parameters, history: &[Tick]) -> Pass {
        let filter = Filter::new(room, self.coil, self.thermometer);
        let mut pass = self.begin(room, history);
        let Some(State { mut x, .. }) = first(history) else {
            return pass;
        };
        let mut gains = self.base.gains.iter();
        for (n, tick) in history.iter().enumerate() {
            x = filter.step.next(&x, tick);
            if let Some((air, gain)) = tick.air.and_then(|air| Some((air, gains.next()?))) {
                pass.surprised(&gain.take(&mut x, air));
            }
            pass.forecasts(&filter, &x, n, history);
        }
        pass
    }

    fn begin(&self, room: &Parameters, history: &[Tick]) -> Pass {
        Pass {
            cost: self.belief.misfit(room),
            errors: Vec::with_capacity(2 * history.len()),
            gains: Vec::new(),
        }
    }
}

/// The numbers that only drive a room: they are in no rate and in no noise.
const DRIVES: [usize; 9] = [
    HEATING,
    COOLING,
    SUN_AIR,
    SUN_MASS,
    BASE_GAIN,
    GUEST_GAIN,
    USUAL_SUN[0],
    USUAL_SUN[1],
    USUAL_SUN[2],
];

/// Whether a number has any part in a tick.
fn drives(which: usize, tick: &Tick) -> bool {
    match which {
        HEATING => tick.heating != 0.0,
        COOLING => tick.cooling != 0.0,
        SUN_AIR | SUN_MASS => tick.sun != Some(0.0),
        GUEST_GAIN => tick.occupied,
        which if USUAL_SUN.contains(&which) => tick.sun.is_none() && tick.hour.is_some(),
        _ => true,
    }
}

impl Pass {
    fn surprised(&mut self, surprise: &Surprise) {
        self.cost += 0.5 * surprise.variance.ln();
        self.add(surprise.z);
    }

    /// Takes one error, in standard deviations: squared when small, in proportion when large.
    fn add(&mut self, z: f64) {
        let large = z.abs() - CLIP;
        let error = if large > 0.0 {
            (CLIP * CLIP + 2.0 * CLIP * large).sqrt().copysign(z)
        } else {
            z
        };
        self.cost += 0.5 * error * error;
        self.errors.push(error as f32);
    }

    /// Compares forecasts from the states at one tick, where one is due, with the readings that came. Whoever is in the room
    /// now counts as staying.
    fn forecasts(&mut self, filter: &Filter, x: &Vector<STATES>, at: usize, history: &[Tick]) {
        if at < SETTLED || !at.is_multiple_of(FORECAST_EVERY) {
            return;
        }
        let (mut x, is_occupied) = (*x, history[at].occupied);
        let furthest = AHEAD[AHEAD.len() - 1].0;
        for (n, tick) in history[at..].iter().enumerate().skip(1).take(furthest) {
            // What blows in is no room's own movement: nothing can be foreseen beyond it.
            if tick.open {
                return;
            }
            x = filter.step.next(
                &x,
                &Tick {
                    occupied: is_occupied,
                    ..*tick
                },
            );
            if let (Some((_, usual)), Some(air)) = (AHEAD.iter().find(|(ahead, _)| *ahead == n), tick.air) {
                self.add((air - x[SENSOR]) / usual);
            }
        }
    }
}

/// The state to begin a history with: from its first reading.
pub fn first(history: &[Tick]) -> Option<State> {
    history.iter().find_map(|tick| tick.air).map(State::at)
}

/// The root mean square error, K, of forecasts so many ticks ahead, made at each of the last `judged` ticks.
pub fn error_ahead(
    room: &Parameters,
    coil: Coil,
    thermometer: Thermometer,
    history: &[Tick],
    judged: usize,
    ahead: usize,
) -> Option<f64> {
    let filter = Filter::new(room, coil, thermometer);
    let mut state = first(history)?;
    let from = history.len().saturating_sub(judged + ahead);
    let (mut sum, mut count) = (0.0, 0_u32);
    for (n, tick) in history.iter().enumerate() {
        filter.tick(&mut state, tick);
        let Some(air) = history.get(n + ahead).and_then(|later| later.air).filter(|_| n >= from) else {
            continue;
        };
        let during = history[n + 1..=n + ahead].iter();
        let x = during.fold(state.x, |x, later| {
            filter.step.next(
                &x,
                &Tick {
                    occupied: tick.occupied,
                    ..*later
                },
            )
        });
        sum += (air - x[SENSOR]).powi(2);
        count += 1;
    }
    (count > 0).then(|| (sum / f64::from(count)).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn history() -> Vec<Tick> {
        let tick = |n: usize| Tick {
            air: (!n.is_multiple_of(17)).then(|| 20.0 + ((n * 37 % 101) as f64) / 50.0),
            heating: f64::from(u8::from(n % 90 > 60)),
            outdoor: Some((n as f64 / 40.0).sin() * 6.0),
            neighbours: Some(21.0),
            hour: Some((n % 288) as f64 / 12.0),
            occupied: n % 150 > 100,
            open: n.is_multiple_of(211),
            ..Tick::default()
        };
        (0..600).map(tick).collect()
    }

    #[test]
    fn what_only_drives_a_room_is_found_with_the_gains_that_stand() {
        let (history, room) = (history(), Parameters::default());
        let mut fit = Fit::new(room, Belief::default(), Coil::Water, Thermometer::default(), true);
        fit.base = fit.run(&room, &history);
        for n in DRIVES {
            let moved = room.moved(n, 0.1);
            let (whole, again) = (fit.run(&moved, &history), fit.rerun(&moved, &history));
            assert_eq!((whole.cost, whole.errors), (again.cost, again.errors), "{n}");
        }
    }

    #[test]
    fn what_no_tick_hangs_on_is_left_to_the_belief() {
        let (history, room) = (history(), Parameters::default());
        let fit = Fit::new(room, Belief::default(), Coil::Water, Thermometer::default(), true);
        for n in 0..COUNT {
            let is_idle = fit.run(&room, &history).errors == fit.run(&room.moved(n, 0.5), &history).errors;
            assert_eq!(is_idle, !history.iter().any(|tick| drives(n, tick)), "{n}");
        }
    }
}
