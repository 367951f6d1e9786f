//! How long does this room take to get from one temperature to another?
//!
//! The answer comes with its spread, so that a promise can say with which certainty. While a room has no fitted model it
//! comes from the plain rate of its own recoveries, and before the first of those from the property's figure.

pub mod estimator;
pub mod filter;
pub mod fit;
pub mod history;
mod matrix;
pub mod model;
pub mod parameters;
mod rate;
pub mod recovery;
pub mod row;

use crate::model::{Arrival, Celsius, Moment, Span};
use rate::Rates;
use serde::{Deserialize, Serialize};

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
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Thermal {
    #[serde(flatten)]
    rates: Rates,
}

impl Thermal {
    /// Forecasts how long it takes to go from one temperature to another at full output. `to` is the edge of the band
    /// (`policy.band` short of the set-point), where the recovery counts as over.
    pub fn forecast(&self, policy: &Arrival, direction: Direction, from: Celsius, to: Celsius) -> Forecast {
        self.forecast_limited(policy, direction, from, to, 1.0)
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
        self.rates.forecast(policy, direction, from, to).slowed(output_max)
    }

    /// The temperature that full output gets the room to within so long, at the median: what to tell the front desk when
    /// the wished one cannot be reached in time.
    pub fn reachable(&self, policy: &Arrival, direction: Direction, from: Celsius, within: Span) -> Celsius {
        let kelvin = Celsius::new(self.rates.moves(policy, direction, within).min(Celsius::MAX.to_f64()));
        let kelvin = kelvin.unwrap_or_default();
        match direction {
            Direction::Heating => from + kelvin,
            Direction::Cooling => from - kelvin,
        }
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

impl Forecast {
    fn slowed(self, output_max: f64) -> Self {
        let share = if output_max.is_finite() {
            output_max.clamp(0.05, 1.0)
        } else {
            1.0
        };
        let slower = |span: Span| Span::from_minutes_f64(span.as_minutes_f64() / share);
        Self {
            p10: slower(self.p10),
            p50: slower(self.p50),
            p90: slower(self.p90),
            rate: self.rate * share,
            ..self
        }
    }
}
