//! How fast does this room move, as a plain rate?
//!
//! One learnt rate for warming and one for cooling, in K/h, from the room's own recoveries. It serves while there is no
//! fitted model: in a room's first days, and where the thermometer is too coarse or too rare. A rate has a spread, so that
//! a promise can say with which certainty. Until a room has taught its own, the property's figure serves.

use super::{Direction, Forecast};
use crate::model::{Arrival, Celsius, Moment, Span};
use serde::{Deserialize, Serialize};

/// A recovery teaches only from this much change on: less is noise.
const CHANGE_MIN_K: f64 = 0.5;
/// And only after this time: the coil has to warm up first.
const TIME_MIN: Span = Span::minutes(10);
/// The newest recovery's share in the learnt rate.
const NEWEST_SHARE: f64 = 0.3;
/// Relative spread of the property's figure, before the room has taught its own.
const SPREAD_UNLEARNT: f64 = 0.35;
/// The spread is never believed smaller than this: weather and water temperature differ from day to day.
const SPREAD_MIN: f64 = 0.12;
/// No room moves slower or faster than this, K/h.
const RATE_K_PER_H: std::ops::RangeInclusive<f64> = 0.2..=20.0;
/// Normal quantile of nine in ten.
const Z90: f64 = 1.2816;

/// One learnt rate.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
struct Rate {
    /// Mean of the logarithm of K/h.
    log_mean: f64,
    /// Mean squared deviation of it.
    log_variance: f64,
    /// How many recoveries it rests on.
    recoveries: u32,
}

/// A recovery under way.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Recovery {
    direction: Direction,
    from: Celsius,
    since: Moment,
    latest: Celsius,
    latest_at: Moment,
}

/// What a room has taught of its speed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Rates {
    heating: Rate,
    cooling: Rate,
    under_way: Option<Recovery>,
}

impl Rates {
    /// Forecasts how long it takes to go from one temperature to another.
    pub fn forecast(&self, policy: &Arrival, direction: Direction, from: Celsius, to: Celsius) -> Forecast {
        let kelvin = match direction {
            Direction::Heating => (to - from).to_f64(),
            Direction::Cooling => (from - to).to_f64(),
        };
        let (rate, spread, recoveries) = self.rate(policy, direction);
        let hours = kelvin.max(0.0) / rate;
        let span = |z: f64| Span::from_minutes_f64(hours * (z * spread).exp() * 60.0);
        Forecast {
            p10: span(-Z90),
            p50: span(0.0),
            p90: span(Z90),
            rate,
            recoveries,
        }
    }

    /// How many kelvin it gets in so long.
    pub fn moves(&self, policy: &Arrival, direction: Direction, within: Span) -> f64 {
        self.rate(policy, direction).0 * within.as_hours_f64().max(0.0)
    }

    /// Begins to watch a recovery, if none is watched.
    pub fn begin(&mut self, now: Moment, direction: Direction, from: Celsius) {
        let is_same = self.under_way.is_some_and(|r| r.direction == direction);
        if !is_same {
            self.under_way = Some(Recovery {
                direction,
                from,
                since: now,
                latest: from,
                latest_at: now,
            });
        }
    }

    /// Follows the recovery that is watched.
    pub fn follow(&mut self, now: Moment, temperature: Celsius) {
        if let Some(recovery) = &mut self.under_way {
            (recovery.latest, recovery.latest_at) = (temperature, now);
        }
    }

    /// The recovery is over, reached or broken off: learn from as much of it as there was.
    pub fn end(&mut self) -> Option<f64> {
        let recovery = self.under_way.take()?;
        let moved = match recovery.direction {
            Direction::Heating => (recovery.latest - recovery.from).to_f64(),
            Direction::Cooling => (recovery.from - recovery.latest).to_f64(),
        };
        let took = recovery.latest_at.since(recovery.since);
        if moved < CHANGE_MIN_K || took < TIME_MIN {
            return None;
        }
        let observed = (moved / took.as_hours_f64()).clamp(*RATE_K_PER_H.start(), *RATE_K_PER_H.end());
        self.side_mut(recovery.direction).learn(observed);
        Some(observed)
    }

    /// Whether the watched recovery has gone on for so long without any progress.
    pub fn is_stuck(&self, now: Moment, after: Span) -> bool {
        self.under_way
            .is_some_and(|r| now.since(r.since) >= after && r.latest.distance(r.from).to_f64() < CHANGE_MIN_K)
    }

    fn rate(&self, policy: &Arrival, direction: Direction) -> (f64, f64, u32) {
        let (side, usual) = match direction {
            Direction::Heating => (&self.heating, policy.heating_rate),
            Direction::Cooling => (&self.cooling, policy.cooling_rate),
        };
        if side.recoveries == 0 {
            return (
                usual.clamp(*RATE_K_PER_H.start(), *RATE_K_PER_H.end()),
                SPREAD_UNLEARNT,
                0,
            );
        }
        let n = f64::from(side.recoveries);
        let variance = (side.log_variance * n + SPREAD_UNLEARNT * SPREAD_UNLEARNT * 2.0) / (n + 2.0);
        (side.log_mean.exp(), variance.sqrt().max(SPREAD_MIN), side.recoveries)
    }

    fn side_mut(&mut self, direction: Direction) -> &mut Rate {
        match direction {
            Direction::Heating => &mut self.heating,
            Direction::Cooling => &mut self.cooling,
        }
    }
}

impl Rate {
    fn learn(&mut self, observed: f64) {
        let log = observed.ln();
        if self.recoveries == 0 {
            (self.log_mean, self.log_variance) = (log, 0.0);
        } else {
            let off = log - self.log_mean;
            self.log_mean += NEWEST_SHARE * off;
            self.log_variance = (1.0 - NEWEST_SHARE) * (self.log_variance + NEWEST_SHARE * off * off);
        }
        self.recoveries = self.recoveries.saturating_add(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn c(t: f64) -> Celsius {
        Celsius::new(t).unwrap()
    }

    #[test]
    fn a_room_teaches_its_own_rate() {
        let (mut room, policy) = (Rates::default(), Arrival::default());
        assert_eq!(
            room.forecast(&policy, Direction::Heating, c(18.0), c(22.0)).p50,
            Span::hours(2)
        );
        for day in 0..6 {
            let start = Moment::EARLIEST + Span::days(day);
            room.begin(start, Direction::Heating, c(18.0));
            room.follow(start + Span::hours(1), c(22.0));
            assert_eq!(room.end(), Some(4.0));
        }
        let learnt = room.forecast(&policy, Direction::Heating, c(18.0), c(22.0));
        assert!((learnt.p50.as_minutes_f64() - 60.0).abs() < 1.0, "{learnt:?}");
        assert!(learnt.p10 < learnt.p50 && learnt.p50 < learnt.p90);
    }

    #[test]
    fn noise_teaches_nothing() {
        let mut room = Rates::default();
        room.begin(Moment::EARLIEST, Direction::Cooling, c(24.0));
        room.follow(Moment::EARLIEST + Span::hours(1), c(23.8));
        assert_eq!(room.end(), None);
    }

    #[test]
    fn a_room_already_there_takes_no_time() {
        let forecast = Rates::default().forecast(&Arrival::default(), Direction::Heating, c(23.0), c(22.0));
        assert_eq!((forecast.p10, forecast.p90), (Span::ZERO, Span::ZERO));
    }
}
