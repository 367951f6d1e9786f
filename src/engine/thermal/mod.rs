//! How long does this room take to get from one temperature to another?
//!
//! The answer comes with its spread, so that a promise can say with which certainty. It comes from the room's model, fitted
//! every night and tracked every five minutes; while a room has no model of its own nor of its kin, or its thermometer is
//! silent, from the plain rate of its own recoveries, and before the first of those from the property's figure.
//!
//! `matrix`, `model`: how the air moves. `filter`: where the room is now. `parameters`, `fit`: which numbers describe it.
//! `estimator`: the three together. `recovery`: when will it be there. `row`, `meter`, `history`: what it all rests on.

pub mod estimator;
pub mod filter;
#[expect(clippy::needless_range_loop, reason = "matrices are read by their indices")]
pub mod fit;
pub mod history;
mod matrix;
pub mod meter;
#[expect(clippy::needless_range_loop, reason = "matrices are read by their indices")]
pub mod model;
#[expect(clippy::needless_range_loop, reason = "matrices are read by their indices")]
pub mod parameters;
mod rate;
pub mod recovery;
pub mod row;
pub mod unease;

use crate::model::{Arrival, Celsius, Moment, Span};
use estimator::Estimator;
use filter::Thermometer;
use history::Rows;
use meter::{Around, Meter};
use model::{Coil, SENSOR};
use parameters::{Belief, Parameters, SENSOR_LAG};
use rate::Rates;
use recovery::{Crossing, FORESEEN_H, Goal, Start};
use row::{Row, Tick};
use serde::{Deserialize, Serialize};

/// A unit that gives less than this share is as good as off: a lead is not reckoned with it.
const OUTPUT_MIN: f64 = 0.05;
/// On one day of ten the coil brings less than this share of the usual: water is not always as warm as it was.
pub const WEAK_OUTPUT: f64 = 0.87;
/// Of a unit's full output about so much only makes up for what the room loses on the way.
const LOST: f64 = 0.3;
/// Asked of a temperature further than this from the thermometer's, the question is of another state of the room, K.
const ELSEWHERE_K: f64 = 0.6;
/// No room is asked to move further than this, K.
const FAR_K: f64 = 30.0;
/// After an absence the filter is carried over no more than so many ticks, half a day: it has forgotten the rest.
const PASSED_MAX: i64 = 144;

/// Which way the air is to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Warmer.
    #[default]
    Heating,
    /// Colder.
    Cooling,
}

impl Direction {
    /// +1 for warmer, -1 for colder.
    pub const fn sign(self) -> f64 {
        match self {
            Direction::Heating => 1.0,
            Direction::Cooling => -1.0,
        }
    }
}

/// How long a recovery will take.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Forecast {
    /// In one case of ten no longer than this.
    pub p10: Span,
    /// In one of two.
    pub p50: Span,
    /// In nine of ten.
    pub p90: Span,
    /// The mean rate over the recovery, K/h.
    pub rate: f64,
    /// How many recoveries of this room it rests on; 0 means the property's figure.
    pub recoveries: u32,
}

/// How a room moves, as far as it has taught.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Thermal {
    #[serde(flatten)]
    rates: Rates,
    estimator: Estimator,
    meter: Meter,
    /// The newest rows, not yet in the history.
    newest: Rows,
}

impl Thermal {
    /// Forecasts how long it takes to go from one temperature to another at full output. `to` is where the recovery counts
    /// as over, a little short of the set-point.
    pub fn forecast(&self, policy: &Arrival, direction: Direction, from: Celsius, to: Celsius) -> Forecast {
        self.forecast_limited(policy, direction, from, to, 1.0)
    }

    /// The median alone: what the planner asks at every tick. Cheaper, and the same to within a minute.
    pub fn median(
        &self,
        policy: &Arrival,
        direction: Direction,
        from: Celsius,
        to: Celsius,
        output_max: f64,
    ) -> Forecast {
        let by_rate = self.by_rate(policy, direction, from, to, output_max);
        match self.question(direction, from, to, output_max) {
            Some((start, goal)) => by_rate.foreseen([start.median(&goal, &self.estimator.step()); 3], to - from),
            None => by_rate,
        }
    }

    /// The same with the output held to a share of the full one (above 0, at most 1), as under a property's power cap.
    pub fn forecast_limited(
        &self,
        policy: &Arrival,
        direction: Direction,
        from: Celsius,
        to: Celsius,
        output_max: f64,
    ) -> Forecast {
        let by_rate = self.by_rate(policy, direction, from, to, output_max);
        match self.question(direction, from, to, output_max) {
            Some((start, goal)) => {
                let Crossing { p10, p50, p90 } = start.crossing(&goal);
                by_rate.foreseen([p10, p50, p90], to - from)
            }
            None => by_rate,
        }
    }

    /// How long it takes on a day on which the coil brings little, at the median; by the plain rate it is the usual time. A
    /// room with output to spare hardly takes longer; one that works at its limit takes much longer, or never gets there.
    pub fn on_a_weak_day(&self, policy: &Arrival, direction: Direction, from: Celsius, to: Celsius) -> Span {
        match self.question(direction, from, to, WEAK_OUTPUT) {
            Some((start, goal)) => span(start.median(&goal, &self.estimator.step())),
            None => self.rates.forecast(policy, direction, from, to).p50,
        }
    }

    /// What to ask the model of a recovery; none while it is not to be trusted, or when there is nowhere to go.
    fn question(&self, direction: Direction, from: Celsius, to: Celsius, output_max: f64) -> Option<(Start<'_>, Goal)> {
        let is_ahead = direction.sign() * (to - from).to_f64() > 0.0;
        let start = self.start(from).filter(|_| is_ahead)?;
        let goal = Goal {
            output_max: output_of(output_max),
            ..Goal::full(direction, to.to_f64())
        };
        Some((start, goal))
    }

    fn by_rate(&self, policy: &Arrival, direction: Direction, from: Celsius, to: Celsius, output_max: f64) -> Forecast {
        let full = self.rates.forecast(policy, direction, from, to);
        full.slowed(output_of(output_max))
    }

    /// The temperature that full output gets the room to within so long, at the median: what to tell the front desk when
    /// the wished one cannot be reached in time.
    pub fn reachable(&self, policy: &Arrival, direction: Direction, from: Celsius, within: Span) -> Celsius {
        self.reachable_with(policy, direction, from, within, 1.0)
    }

    /// The same on a day on which the coil brings little: what to rely on.
    pub fn surely_reachable(&self, policy: &Arrival, direction: Direction, from: Celsius, within: Span) -> Celsius {
        self.reachable_with(policy, direction, from, within, WEAK_OUTPUT)
    }

    fn reachable_with(
        &self,
        policy: &Arrival,
        direction: Direction,
        from: Celsius,
        within: Span,
        output_max: f64,
    ) -> Celsius {
        let side = direction.sign();
        let goal = Goal {
            output_max,
            ..Goal::full(direction, from.to_f64() + side * FAR_K)
        };
        let moves = match self.start(from) {
            Some(start) => {
                let reached = start.reached(&goal, within.as_hours_f64(), &self.estimator.step());
                side * (reached - from.to_f64())
            }
            None => self.rates.moves(policy, direction, within),
        };
        let kelvin = Celsius::new(moves.clamp(0.0, FAR_K)).unwrap_or_default();
        match direction {
            Direction::Heating => from + kelvin,
            Direction::Cooling => from - kelvin,
        }
    }

    /// What the model foresees from; none while it is not to be trusted. Asked of another temperature than the room has,
    /// the whole room is taken to be as much warmer or colder.
    fn start(&self, from: Celsius) -> Option<Start<'_>> {
        let mut start = self.estimator.trusted()?;
        let off = from.to_f64() - start.state.x[SENSOR];
        if off.abs() > ELSEWHERE_K {
            start.state = start.state.warmer_by(off);
        }
        Some(start)
    }

    /// The thermometer said something. Returns whether that is worth keeping.
    pub fn heard(&mut self, now: Moment, air: Celsius) -> bool {
        self.meter.heard(now, air)
    }

    /// The outputs are so from now on, 0 to 1.
    pub fn outputs(&mut self, now: Moment, heating: f64, cooling: f64) {
        self.meter.outputs(now, heating, cooling);
    }

    /// What the unit gives now, 0 to 1.
    pub fn output(&self) -> f64 {
        self.meter.output()
    }

    /// When the next tick is due.
    pub fn deadline(&self) -> Option<Moment> {
        self.meter.due()
    }

    /// Whether a tick is due.
    pub fn is_due(&self, now: Moment) -> bool {
        self.meter.is_due(now)
    }

    /// Goes on by a tick, if one is due. A room without numbers of its own takes those of its kin. Returns by how much the
    /// reading was beyond what was expected of it, K; none while nothing can be expected.
    pub fn tick(&mut self, now: Moment, around: &Around, kin: Option<&Belief>) -> Option<f64> {
        let (number, passed, tick) = self.meter.end(now, around)?;
        self.estimator.take_kin(kin);
        for _ in 1..passed.min(PASSED_MAX) {
            self.estimator.tick(&Tick { air: None, ..tick });
        }
        let row = Row::new(&tick);
        let surprise_k = self.estimator.tick(&row.tick());
        self.newest.push(number, row);
        surprise_k
    }

    /// The rows that are to be added to the room's past, when it is this room's turn: every two hours.
    pub fn take_rows(&mut self, own: i64) -> Option<Rows> {
        self.newest.take_full(own)
    }

    /// When the latest tick was.
    pub fn ticked_at(&self) -> Option<Moment> {
        self.meter.due().map(|next| next - meter::TICK)
    }

    /// Whether forecasts come from the room's model.
    pub fn has_model(&self) -> bool {
        self.estimator.trusted().is_some()
    }

    /// How much later than a guest would feel it the thermometer shows what the air does, as far as its model knows.
    pub fn shown_late(&self) -> Span {
        Span::from_minutes_f64(self.estimator.parameters().get(SENSOR_LAG))
    }

    /// What the thermometer shows, without its noise; none while it is silent.
    pub fn air(&self) -> Option<Celsius> {
        let start = self.estimator.start()?;
        Celsius::new(start.state.x[SENSOR])
    }

    /// What a person would want to know of the model.
    pub fn summary(&self) -> serde_json::Value {
        let hundredths = |x: f64| (x * 100.0).round() / 100.0;
        let estimator = &self.estimator;
        let named = |fitted: &estimator::Fitted| {
            let numbers = estimator
                .parameters()
                .named()
                .map(|(name, value)| (name, hundredths(value)));
            serde_json::json!({
                "error_two_hours_k": hundredths(fitted.error_k),
                "days": hundredths(fitted.ticks as f64 / history::DAY as f64),
                "numbers": numbers.collect::<std::collections::BTreeMap<_, _>>(),
            })
        };
        serde_json::json!({
            "air": estimator.state().map(|state| hundredths(state.x[model::AIR])),
            "mass": estimator.state().map(|state| hundredths(state.x[model::MASS])),
            "deep": estimator.state().map(|state| hundredths(state.x[model::DEEP])),
            "unexplained": estimator.state().map(|state| hundredths(state.x[model::UNEXPLAINED])),
            "degraded": estimator.is_degraded(),
            "trusted": estimator.trusted().is_some(),
            "fitted": estimator.fitted().map(named),
        })
    }

    /// The room's coil, and its thermometer's step, are these.
    pub fn equip(&mut self, coil: Coil, step_k: Option<f64>) {
        let usual = Thermometer::default();
        let step_k = step_k.filter(|step| (0.0..=2.0).contains(step)).unwrap_or(usual.step_k);
        self.estimator.equip(coil, Thermometer { step_k, ..usual });
    }

    /// The rows that the history does not have yet.
    pub fn newest(&self) -> &Rows {
        &self.newest
    }

    /// The filter, the numbers, and how far both can be trusted.
    pub fn estimator(&self) -> &Estimator {
        &self.estimator
    }

    /// Takes over what a nightly fit found, if that is better.
    pub fn adopt(&mut self, found: Parameters, history: &[Tick]) -> bool {
        self.estimator.adopt(found, history)
    }

    /// Begins to watch a recovery, if none is watched.
    pub fn begin(&mut self, now: Moment, direction: Direction, from: Celsius) {
        self.rates.begin(now, direction, from);
    }

    /// Follows the recovery that is watched.
    pub fn follow(&mut self, now: Moment, temperature: Celsius) {
        self.rates.follow(now, temperature);
    }

    /// The recovery is over, reached or broken off: learn from as much of it as there was. Returns the observed rate, K/h.
    pub fn end(&mut self) -> Option<f64> {
        self.rates.end()
    }

    /// Whether the watched recovery has gone on for so long without any progress.
    pub fn is_stuck(&self, now: Moment, after: Span) -> bool {
        self.rates.is_stuck(now, after)
    }
}

/// Hours foreseen as a length of time; what is not foreseen at all lies at the end of what could be.
fn span(hours: Option<f64>) -> Span {
    Span::from_minutes_f64(hours.unwrap_or(FORESEEN_H) * 60.0)
}

/// A share of the output that a lead can be reckoned with.
fn output_of(share: f64) -> f64 {
    if share.is_finite() {
        share.clamp(OUTPUT_MIN, 1.0)
    } else {
        1.0
    }
}

impl Forecast {
    /// The same room's recovery as its model foresees it.
    fn foreseen(self, hours: [Option<f64>; 3], moves: Celsius) -> Self {
        let [p10, p50, p90] = hours.map(span);
        Self {
            p10,
            p50,
            p90,
            rate: moves.to_f64().abs() / p50.as_hours_f64().max(1.0 / 60.0),
            ..self
        }
    }

    /// All of it so many times as long; what is not foreseen at all stays so.
    pub fn times(self, factor: f64) -> Self {
        let never = Span::from_minutes_f64(FORESEEN_H * 60.0);
        let times = |span: Span| match span < never {
            true => Span::from_minutes_f64(span.as_minutes_f64() * factor).min(never),
            false => span,
        };
        Self {
            p10: times(self.p10),
            p50: times(self.p50),
            p90: times(self.p90),
            rate: self.rate / factor.max(0.1),
            ..self
        }
    }

    fn slowed(self, output_max: f64) -> Self {
        // What the room loses meanwhile stays the same: of less, a larger part is lost.
        let rate = (output_max - LOST).max(OUTPUT_MIN) / (1.0 - LOST);
        let slower = |span: Span| Span::from_minutes_f64(span.as_minutes_f64() / rate);
        Self {
            p10: slower(self.p10),
            p50: slower(self.p50),
            p90: slower(self.p90),
            rate: self.rate * rate,
            ..self
        }
    }
}
