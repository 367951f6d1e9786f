//! When will the guest come?
//!
//! The announced arrival is a guess; what counts is the moment that only a few guests beat: the early quantile of the arrival
//! as it was announced. It does not move on while the guest has not come: those who have come by then were to be ready for,
//! too, and a moment that runs away from a short lead misses twice as many guests as it should. How far arrivals are off is learnt for each way that bookings come by;
//! without an announced arrival the hours serve at which guests have come.

use crate::model::{Arrival, Channel, Moment, Span};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// So sure that the guest should be here already: from then on the guest may come at any moment.
const OVERDUE: f64 = 0.9999;
/// No more ways of booking are told apart: a sender gone wild cannot fill the memory.
const CHANNELS_MAX: usize = 32;
/// Each arrival makes the earlier ones weigh so much less: the last hundred count.
const KEEP: f64 = 0.99;
/// The property's own figure weighs like so many arrivals before the first one is seen,
const PRIOR_ARRIVALS: f64 = 6.0;
/// and is forgotten so many times as fast as what was seen here: a house whose guests come to the minute must not be ready
/// half an hour early for ever, only because it was once thought to be like others.
const PRIOR_FADES: f64 = 5.0;
/// Further off than this, the announcement was of another day.
const OFF_MAX: Span = Span::hours(6);
/// Hours at which guests come are counted in parts of a day of this length, min.
const PART_MIN: usize = 30;
/// Parts of a day.
const PARTS: usize = 1440 / PART_MIN;
/// With fewer arrivals seen than this, the hours say nothing.
const HOURS_ENOUGH: f64 = 10.0;
/// Without hours of its own, a house is ready by this minute of the day: 15 o'clock.
const USUAL_MINUTE: i64 = 900;
/// The spread is never believed smaller than this.
const SPREAD_MIN: Span = Span::minutes(2);

/// How far the arrivals of one way of booking were off, in minutes; the newest count most.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
struct Off {
    weight: f64,
    mean: f64,
    /// Sum of squared deviations.
    squares: f64,
}

/// What is known of when guests come.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Arrivals {
    channels: BTreeMap<Channel, Off>,
    /// All ways together, for a way not yet known.
    all: Off,
    /// Arrivals by part of the local day.
    hours: Vec<f64>,
}

/// When a guest is expected, and the moment that only a few beat.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Expected {
    /// The middle of the expectation.
    pub mean: Moment,
    /// Its standard deviation.
    pub sd: Span,
    /// Only the policy's share of guests comes before this.
    pub early: Moment,
}

impl Expected {
    /// When something must begin that takes `takes` at the median, and `lead` where it takes long, so that only few guests come
    /// before it is done: a long recovery and an early guest are two strokes of bad luck, and seldom fall together. What
    /// is kept in hand for the one covers the other as far as independent errors add up: as squares.
    pub fn before(&self, takes: Span, lead: Span) -> Moment {
        let early = self.mean.since(self.early).max(Span::ZERO).as_minutes_f64();
        let long = (lead - takes).max(Span::ZERO).as_minutes_f64();
        let in_hand = Span::from_minutes_f64(early.hypot(long) - early);
        self.early - takes - in_hand
    }
}

impl Arrivals {
    /// A guest came: announced for `eta`, by the local clock at `minute` of the day.
    pub fn came(&mut self, policy: &Arrival, channel: Option<&Channel>, eta: Option<Moment>, at: Moment, minute: u16) {
        self.hours.resize(PARTS, 0.0);
        self.hours.iter_mut().for_each(|part| *part *= KEEP);
        self.hours[usize::from(minute) / PART_MIN % PARTS] += 1.0;
        let off = eta
            .map(|eta| at.since(eta))
            .filter(|off| *off <= OFF_MAX && *off >= -OFF_MAX);
        let Some(off) = off.map(Span::as_minutes_f64) else {
            return;
        };
        // One guest hours late must not widen the lead of a hundred others.
        let bound = 4.0 * self.spread(policy, channel).1;
        let off = off.clamp(-bound, bound);
        self.all.learn(off);
        if let Some(channel) = channel
            && (self.channels.len() < CHANNELS_MAX || self.channels.contains_key(channel))
        {
            self.channels.entry(channel.clone()).or_default().learn(off);
        }
    }

    /// When a guest is expected who announced an arrival.
    pub fn announced(&self, policy: &Arrival, channel: Option<&Channel>, eta: Moment, now: Moment) -> Expected {
        let (bias, sd) = self.spread(policy, channel);
        let mean = eta + Span::from_minutes_f64(bias);
        let early = mean + Span::from_minutes_f64(sd * normal_quantile(policy.early_share));
        Expected {
            mean,
            sd: Span::from_minutes_f64(sd),
            early: early.max(now),
        }
    }

    /// When a guest is expected who announced none, on the local day that begins at `start`: at the hours that guests come.
    pub fn unannounced(&self, policy: &Arrival, start: Moment, now: Moment) -> Expected {
        let seen: f64 = self.hours.iter().sum();
        let (early, mean) = if seen < HOURS_ENOUGH {
            (
                Span::minutes(USUAL_MINUTE),
                Span::minutes(USUAL_MINUTE) + Span::hours(2),
            )
        } else {
            (self.hour_of(policy.early_share * seen), self.hour_of(0.5 * seen))
        };
        Expected {
            mean: start + mean,
            sd: (mean - early).max(Span::hours(1)),
            early: (start + early).max(now),
        }
    }

    /// The beginning of the part of the day by which so many guests have come.
    fn hour_of(&self, arrivals: f64) -> Span {
        let mut sum = 0.0;
        let part = self.hours.iter().position(|part| {
            sum += part;
            sum >= arrivals
        });
        Span::minutes((part.unwrap_or(0) * PART_MIN) as i64)
    }

    /// Mean and standard deviation of what arrivals of this way are off, min: its own, leaning on all, leaning on the policy.
    pub fn spread(&self, policy: &Arrival, channel: Option<&Channel>) -> (f64, f64) {
        let usual = self.all.posterior(0.0, policy.eta_spread.as_minutes_f64());
        let (mean, sd) = match channel.and_then(|channel| self.channels.get(channel)) {
            Some(own) => own.posterior(usual.0, usual.1),
            None => usual,
        };
        (mean, sd.max(SPREAD_MIN.as_minutes_f64()))
    }
}

impl Off {
    fn learn(&mut self, minutes: f64) {
        let weight = self.weight * KEEP + 1.0;
        let off = minutes - self.mean;
        self.mean += off / weight;
        self.squares = self.squares * KEEP + off * (minutes - self.mean);
        self.weight = weight;
    }

    /// A normal of which mean and variance are both unknown, after these arrivals (normal-inverse-gamma): the mean leans on
    /// the prior with half its weight, the variance with all of it, and not knowing the mean widens the spread.
    fn posterior(&self, mean: f64, sd: f64) -> (f64, f64) {
        let prior = PRIOR_ARRIVALS * (1.0 - self.weight * (1.0 - KEEP)).max(0.0).powf(PRIOR_FADES);
        let lean = prior / 2.0;
        let total = lean + self.weight;
        let centre = (lean * mean + self.weight * self.mean) / total;
        let between = lean * self.weight / total * (self.mean - mean).powi(2);
        let variance = (prior * sd * sd + self.squares + between) / (prior + self.weight);
        let unsure = if self.weight > 0.0 { 1.0 + 1.0 / total } else { 1.0 };
        (centre, (variance * unsure).sqrt())
    }
}

/// The moment before which only `share` of guests come, given that this one has not come by `now`; the arrival is normal
/// about `mean` with the standard deviation `sd`. All in one unit.
pub fn truncated_quantile(mean: f64, sd: f64, now: f64, share: f64) -> f64 {
    if sd <= 0.0 {
        return mean.max(now);
    }
    let come = normal_below((now - mean) / sd);
    if come > OVERDUE {
        return now;
    }
    let share = share.clamp(1e-4, 0.9999);
    (mean + sd * normal_quantile(come + share * (1.0 - come))).max(now)
}

/// The share of a normal distribution below `z` (Abramowitz and Stegun 7.1.26, error below 1.5e-7).
pub fn normal_below(z: f64) -> f64 {
    let x = z.abs() / std::f64::consts::SQRT_2;
    let t = 1.0 / (1.0 + 0.327_591_1 * x);
    let poly =
        t * (0.254_829_592 + t * (-0.284_496_736 + t * (1.421_413_741 + t * (-1.453_152_027 + t * 1.061_405_429))));
    let upper = 0.5 * poly * (-x * x).exp();
    if z < 0.0 { upper } else { 1.0 - upper }
}

/// The `z` that this share of a normal distribution lies below (Abramowitz and Stegun 26.2.23, error below 4.5e-4).
pub fn normal_quantile(share: f64) -> f64 {
    let p = share.clamp(1e-6, 1.0 - 1e-6);
    let t = (-2.0 * p.min(1.0 - p).ln()).sqrt();
    let top = 2.515_517 + t * (0.802_853 + t * 0.010_328);
    let bottom = 1.0 + t * (1.432_788 + t * (0.189_269 + t * 0.001_308));
    let z = t - top / bottom;
    if p < 0.5 { -z } else { z }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_arrival_in_twenty_comes_1_64_deviations_early() {
        assert!((truncated_quantile(1000.0, 60.0, 0.0, 0.05) - (1000.0 - 1.645 * 60.0)).abs() < 0.1);
        assert!((normal_below(1.645) - 0.95).abs() < 1e-4);
        assert!((normal_quantile(0.975) - 1.96).abs() < 1e-3);
    }

    fn one_in_twenty() -> Arrival {
        Arrival {
            early_share: 0.05,
            ..Arrival::default()
        }
    }

    fn at(minute: i64) -> Moment {
        Moment::EARLIEST + Span::minutes(minute)
    }

    #[test]
    fn a_way_of_booking_teaches_how_far_it_is_off() {
        let (policy, mut arrivals) = (one_in_twenty(), Arrivals::default());
        let (own, agency) = (Channel::new("own").unwrap(), Channel::new("agency").unwrap());
        let early = |arrivals: &Arrivals, channel| {
            let expected = arrivals.announced(&policy, Some(channel), at(10_000), at(0));
            expected.early.since(at(10_000)).as_minutes_f64()
        };
        assert!((early(&arrivals, &own) + 1.645 * 45.0).abs() < 1.0);
        for n in 0..60 {
            let off = [-8, -3, 0, 4, 7][n % 5];
            arrivals.came(&policy, Some(&own), Some(at(0)), at(off), 900);
            arrivals.came(&policy, Some(&agency), Some(at(0)), at(40 + 10 * off), 900);
        }
        assert!(early(&arrivals, &own) > -40.0, "{}", early(&arrivals, &own));
        let late = arrivals.announced(&policy, Some(&agency), at(10_000), at(0));
        assert!(late.mean > at(10_020), "{late:?}");
        assert!(late.sd > Span::minutes(40), "{late:?}");
    }

    #[test]
    fn where_guests_come_to_the_minute_no_room_is_ready_half_an_hour_early() {
        let (policy, mut arrivals) = (Arrival::default(), Arrivals::default());
        let mut sd_after = |count: i64| {
            (0..count).for_each(|n| arrivals.came(&policy, None, Some(at(0)), at(n % 3 - 1), 900));
            arrivals.announced(&policy, None, at(10_000), at(0)).sd
        };
        let sds = [sd_after(10), sd_after(20), sd_after(50)];
        assert!(sds[0] > Span::minutes(20) && sds[1] < Span::minutes(16), "{sds:?}");
        assert!(sds[2] < Span::minutes(6), "{sds:?}");
    }

    #[test]
    fn without_an_announcement_the_hours_at_which_guests_come_serve() {
        let (policy, mut arrivals) = (Arrival::default(), Arrivals::default());
        let usual = arrivals.unannounced(&policy, at(0), at(0));
        assert_eq!(usual.early, at(900));
        (0..40).for_each(|n| arrivals.came(&policy, None, None, at(0), 1020 + n));
        assert_eq!(arrivals.unannounced(&policy, at(0), at(0)).early, at(1020));
        assert_eq!(arrivals.unannounced(&policy, at(0), at(1100)).early, at(1100));
    }

    #[test]
    fn what_is_kept_in_hand_for_two_strokes_of_bad_luck_is_less_than_their_sum() {
        let expected = |early: i64| Expected {
            mean: at(1000),
            sd: Span::minutes(60),
            early: at(1000 - early),
        };
        let before =
            |early, long: i64| at(1000).since(expected(early).before(Span::minutes(50), Span::minutes(50 + long)));
        assert_eq!(before(40, 30), Span::minutes(100));
        assert_eq!(before(0, 30), Span::minutes(80));
        assert_eq!(before(40, 0), Span::minutes(90));
        assert_eq!(expected(40).before(Span::ZERO, Span::ZERO), at(960));
    }

    #[test]
    fn the_moment_that_few_beat_stands_still_until_it_has_come() {
        let (policy, arrivals) = (one_in_twenty(), Arrivals::default());
        let early = |now| arrivals.announced(&policy, None, at(1000), at(now)).early;
        assert_eq!(early(0), early(900));
        assert!(early(0) < at(930), "{}", early(0));
        assert_eq!(early(960), at(960));
    }

    #[test]
    fn a_guest_who_has_not_come_yet_comes_later_than_was_thought() {
        let early = |now| truncated_quantile(1000.0, 60.0, now, 0.05);
        assert!(early(950.0) > early(0.0) && early(950.0) > 950.0);
        assert_eq!(early(2000.0), 2000.0);
        assert_eq!(truncated_quantile(1000.0, 0.0, 2000.0, 0.05), 2000.0);
    }
}
