//! How probable is a distance, when the spread is known?

use std::f64::consts::{SQRT_2, TAU};

/// The error function, to about 1e-7 (Abramowitz and Stegun, Handbook of Mathematical Functions, 7.1.26).
pub fn erf(x: f64) -> f64 {
    let t = 1.0 / (1.0 + 0.327_591_1 * x.abs());
    let poly =
        t * (0.254_829_592 + t * (-0.284_496_736 + t * (1.421_413_741 + t * (-1.453_152_027 + t * 1.061_405_429))));
    x.signum() * (1.0 - poly * (-x * x).exp())
}

/// The density of a normal variable, per minute.
pub fn density(distance: f64, spread: f64) -> f64 {
    let z = distance / spread;
    (-0.5 * z * z).exp() / (spread * TAU.sqrt())
}

/// The probability that a normal variable lies below a distance from its mean.
pub fn below(distance: f64, spread: f64) -> f64 {
    0.5 * (1.0 + erf(distance / (spread * SQRT_2)))
}
