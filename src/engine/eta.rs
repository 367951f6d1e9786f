//! When will the guest come?
//!
//! The announced arrival is a guess; what counts is the moment that only a few guests beat. It is the early quantile of the
//! arrival, given that the guest has not come yet.

/// So sure that the guest should be here already: from then on the guest may come at any moment.
const OVERDUE: f64 = 0.9999;

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

    #[test]
    fn a_guest_who_has_not_come_yet_comes_later_than_was_thought() {
        let early = |now| truncated_quantile(1000.0, 60.0, now, 0.05);
        assert!(early(950.0) > early(0.0) && early(950.0) > 950.0);
        assert_eq!(early(2000.0), 2000.0);
        assert_eq!(truncated_quantile(1000.0, 0.0, 2000.0, 0.05), 2000.0);
    }
}
