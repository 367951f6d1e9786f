//! When does the air of this room cross a temperature, if its unit does what it can?
//!
//! The unit's own controller decides what "what it can" is: full output while its thermometer, late as it is, stands
//! further from the set-point than the proportional band, and less inside it. A recovery that ends at the edge of the
//! comfort band ends just there, so the last minutes hang on it. The uncertainty is the filter's, carried forward, and the
//! coil's: water is not always as warm as it was when the room was fitted.

use super::Direction;
use super::filter::{Filter, State, TICK_H, Thermometer};
use super::matrix::Vector;
use super::model::{AIR, Coil, SENSOR, STATES, Step};
use super::parameters::Parameters;
use super::row::Tick;

/// The proportional band of a room controller, K.
pub const BAND_K: f64 = 0.5;
/// In the first hour the minutes matter, steps a minute long are taken; afterwards, steps of a tick.
const FINE_H: f64 = 1.0 / 60.0;
const FINE_STEPS: u32 = 60;
/// A set-point this far beyond the crossing keeps the unit at full output, K.
const OUT_OF_REACH_K: f64 = 30.0;
/// Nothing is foreseen further than this, hours.
pub const FORESEEN_H: f64 = 12.0;
/// What the coil brings differs by this share from day to day (standard deviation).
const COIL_SPREAD: f64 = 0.1;
/// Normal quantile of nine in ten.
const Z90: f64 = 1.2816;

/// A recovery to be foreseen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Goal {
    /// Which way.
    pub direction: Direction,
    /// The air is to cross this, C.
    pub cross: f64,
    /// What the unit is told, C.
    pub set_point: f64,
    /// The most that the unit gives, 0 to 1.
    pub output_max: f64,
}

/// The unit is taken to give all it can until the crossing: controllers with an integral part do, and what the last quarter
/// of a kelvin takes longer in one without, the property's margin learns. In closed loop with a proportional controller
/// assumed, cold nights were told never to cross.
const SHORT_K: f64 = BAND_K;

impl Goal {
    /// To cross this at full output.
    pub fn full(direction: Direction, cross: f64) -> Self {
        Self {
            direction,
            cross,
            set_point: cross + direction.sign() * SHORT_K,
            output_max: 1.0,
        }
    }
}

/// Hours until the crossing; none when it lies beyond what is foreseen.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Crossing {
    /// In one case of ten no longer than this.
    pub p10: Option<f64>,
    /// In one of two.
    pub p50: Option<f64>,
    /// In nine of ten.
    pub p90: Option<f64>,
}

/// The room, what is believed of it, and the weather held as it is.
#[derive(Debug, Clone, Copy)]
pub struct Start<'a> {
    /// Its numbers.
    pub room: &'a Parameters,
    /// Its coil.
    pub coil: Coil,
    /// Its thermometer.
    pub thermometer: Thermometer,
    /// Where it is.
    pub state: State,
    /// The last five minutes; their weather and people are taken to stay.
    pub latest: Tick,
}

impl Start<'_> {
    /// Foresees the crossing.
    pub fn crossing(&self, goal: &Goal) -> Crossing {
        let side = goal.direction.sign();
        let mut crossing = Crossing::default();
        let mut before = [0.0; 3];
        self.run(goal, |at, state, moved| {
            let spread = Z90 * (state.air_sd().powi(2) + (COIL_SPREAD * moved).powi(2)).sqrt();
            let middle = side * (state.x[AIR] - goal.cross);
            let now = [middle + spread, middle, middle - spread];
            for ((found, now), before) in crossing.all().into_iter().zip(now).zip(before) {
                if found.is_none() && now >= 0.0 {
                    *found = Some(at.between(before, now));
                }
            }
            before = now;
            match crossing {
                Crossing { p90: Some(_), .. } => Goes::Enough,
                // What is still short when half have crossed is short to its unit, too.
                Crossing { p50: Some(_), .. } => Goes::OnInFull,
                _ => Goes::On,
            }
        });
        crossing
    }

    /// The median alone, by ticks: cheap enough to be asked at every tick of every room. `tick` carries the room over one.
    pub fn median(&self, goal: &Goal, tick: &Step) -> Option<f64> {
        let side = goal.direction.sign();
        let short = |x: &Vector<STATES>| side * (x[AIR] - goal.cross);
        let (mut x, mut before) = (self.state.x, short(&self.state.x));
        if before >= 0.0 {
            return Some(0.0);
        }
        for n in 0..(FORESEEN_H / TICK_H) as u32 {
            x = tick.next(&x, &self.during(goal, &x, f64::from(n) * TICK_H));
            let now = short(&x);
            if now >= 0.0 {
                let begin = f64::from(n) * TICK_H;
                let end = begin + TICK_H;
                return Some(Times { begin, end }.between(before, now));
            }
            before = now;
        }
        None
    }

    /// The air after so many hours of what the unit can do.
    pub fn reached(&self, goal: &Goal, hours: f64, tick: &Step) -> f64 {
        let ticks = (hours.clamp(0.0, FORESEEN_H) / TICK_H).ceil() as u32;
        let next = |x, n| tick.next(&x, &self.during(goal, &x, f64::from(n) * TICK_H));
        (0..ticks).fold(self.state.x, next)[AIR]
    }

    /// Carries the room forward, step by step, until `seen` has seen enough: it gets the step's times, the state at its
    /// end, and how far the air has moved.
    fn run(&self, goal: &Goal, mut seen: impl FnMut(Times, &State, f64) -> Goes) {
        let mut state = self.state;
        let mut at = Times { begin: 0.0, end: 0.0 };
        let mut goal = *goal;
        let mut goes = seen(at, &state, 0.0);
        let fine = Filter::over(self.room, self.coil, self.thermometer, FINE_H);
        let coarse = Filter::new(self.room, self.coil, self.thermometer);
        let coarse_steps = ((FORESEEN_H - FINE_H * f64::from(FINE_STEPS)) / TICK_H) as u32;
        for n in 0..FINE_STEPS + coarse_steps {
            match goes {
                Goes::Enough => return,
                Goes::OnInFull => goal.set_point = goal.cross + goal.direction.sign() * OUT_OF_REACH_K,
                Goes::On => {}
            }
            let (filter, hours) = if n < FINE_STEPS {
                (&fine, FINE_H)
            } else {
                (&coarse, TICK_H)
            };
            let during = self.during(&goal, &state.x, at.end);
            filter.predict(&mut state, &during);
            at = Times {
                begin: at.end,
                end: at.end + hours,
            };
            goes = seen(at, &state, state.x[AIR] - self.state.x[AIR]);
        }
    }

    /// What the step so many hours from now is like: the weather as it was, the unit as its controller has it.
    fn during(&self, goal: &Goal, x: &Vector<STATES>, hours: f64) -> Tick {
        let short = goal.direction.sign() * (goal.set_point - x[SENSOR]);
        let output = (short / BAND_K).clamp(0.0, goal.output_max);
        let (heating, cooling) = match goal.direction {
            Direction::Heating => (output, 0.0),
            Direction::Cooling => (0.0, output),
        };
        Tick {
            air: None,
            heating,
            cooling,
            open: false,
            hour: self.latest.hour.map(|hour| (hour + hours) % 24.0),
            ..self.latest
        }
    }
}

/// Whether a recovery is foreseen further.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Goes {
    /// As the unit's controller has it.
    On,
    /// At full output.
    OnInFull,
    /// No further.
    Enough,
}

/// A step's beginning and end, hours from now.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Times {
    begin: f64,
    end: f64,
}

impl Times {
    /// When a line from `before` to `after` crosses zero.
    fn between(&self, before: f64, after: f64) -> f64 {
        let share = if after > before && before < 0.0 {
            -before / (after - before)
        } else {
            1.0
        };
        self.begin + (self.end - self.begin) * share.clamp(0.0, 1.0)
    }
}

impl Crossing {
    fn all(&mut self) -> [&mut Option<f64>; 3] {
        [&mut self.p10, &mut self.p50, &mut self.p90]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::thermal::model::MASS;

    fn start(room: &Parameters, air: f64) -> Start<'_> {
        let thermometer = Thermometer::default();
        let latest = Tick {
            outdoor: Some(0.0),
            neighbours: Some(20.0),
            ..Tick::default()
        };
        Start {
            room,
            coil: Coil::Water,
            thermometer,
            state: State::at(air),
            latest,
        }
    }

    fn goal(cross: f64, output_max: f64) -> Goal {
        Goal {
            direction: Direction::Heating,
            cross,
            set_point: cross + 0.5,
            output_max,
        }
    }

    #[test]
    fn further_takes_longer_and_so_does_less_output() {
        let room = Parameters::default();
        let median = |to: f64, output| start(&room, 18.0).crossing(&goal(to, output)).p50.unwrap();
        assert!(median(19.0, 1.0) < median(20.0, 1.0) && median(20.0, 1.0) < median(22.0, 1.0));
        assert!(median(21.0, 1.0) < median(21.0, 0.8));
    }

    #[test]
    fn what_cannot_be_reached_has_no_time_and_what_is_reached_takes_none() {
        let room = Parameters::default();
        assert_eq!(start(&room, 18.0).crossing(&goal(45.0, 1.0)).p50, None);
        let there = start(&room, 22.0).crossing(&goal(21.0, 1.0));
        assert_eq!((there.p10, there.p50), (Some(0.0), Some(0.0)));
    }

    #[test]
    fn the_quantiles_stand_in_order() {
        let room = Parameters::default();
        let mut known = start(&room, 18.0);
        let filter = Filter::new(&room, Coil::Water, Thermometer::default());
        for _ in 0..100 {
            let _ = filter.tick(
                &mut known.state,
                &Tick {
                    air: Some(18.0),
                    ..known.latest
                },
            );
        }
        let found = known.crossing(&goal(20.0, 1.0));
        let (p10, p50, p90) = (found.p10.unwrap(), found.p50.unwrap(), found.p90.unwrap());
        assert!(0.0 < p10 && p10 < p50 && p50 < p90, "{found:?}");
    }

    #[test]
    fn a_room_with_output_to_spare_is_told_to_be_there_in_nine_cases_of_ten() {
        // The unit would hold a room that is there; one that is late is late to its unit, too.
        let room = Parameters::default();
        let mut unsure = start(&room, 18.0);
        unsure.state = State::at(18.0);
        let found = unsure.crossing(&goal(20.0, 1.0));
        assert!(found.p90.unwrap() < 3.0 * found.p50.unwrap(), "{found:?}");
    }

    #[test]
    fn a_room_whose_mass_is_warm_recovers_sooner() {
        let room = Parameters::default();
        let cold = start(&room, 18.0);
        let mut warm = cold;
        warm.state.x[MASS] = 22.0;
        assert!(warm.crossing(&goal(21.0, 1.0)).p50 < cold.crossing(&goal(21.0, 1.0)).p50);
        let tick = Step::new(&room, Coil::Water, TICK_H);
        assert!(warm.reached(&goal(30.0, 1.0), 0.5, &tick) > cold.reached(&goal(30.0, 1.0), 0.5, &tick));
    }

    #[test]
    fn the_median_by_ticks_is_the_median() {
        let room = Parameters::default();
        let (start, tick) = (start(&room, 18.0), Step::new(&room, Coil::Water, TICK_H));
        for cross in [17.0, 18.5, 19.0, 20.0, 21.0, 45.0] {
            let goal = goal(cross, 1.0);
            let (fine, coarse) = (start.crossing(&goal).p50, start.median(&goal, &tick));
            match (fine, coarse) {
                (Some(fine), Some(coarse)) => assert!((fine - coarse).abs() < 1.5 / 60.0, "{fine} {coarse}"),
                _ => assert_eq!(fine, coarse),
            }
        }
    }
}
