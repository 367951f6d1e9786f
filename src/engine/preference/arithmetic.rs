//! How do two gateways reckon to the same last bit?
//!
//! Sums, products, quotients and square roots of 64-bit floats are defined to the bit by IEEE 754, and Rust neither
//! reorders nor fuses them. What is not defined are the system library's powers and exponentials: each system has its
//! own. They are therefore worked out here, in pairs of floats (some 100 bits), and rounded once: the result is the
//! float nearest to the true value, which is the same everywhere. Why floats and not whole numbers:
//! docs/decisions/0014-preferences-in-exact-floats.md.

use std::sync::LazyLock;

/// What one stay keeps of its weight for each later stay. At most 2^(-1/3): with equal evidence three recent stays
/// outweigh everything older.
pub const KEEP: f64 = 0.79;
/// Age halves a stay's weight in so many days.
const HALF_LIFE_DAYS: f64 = 1460.0;
/// Powers of [`KEEP`] kept ready; a run of stays is never longer (`guest::STAYS_MAX`, the stay in progress, and a
/// confirmation).
const POWERS: usize = 128;
/// Ages kept ready, eleven years of days; older ones are worked out each time.
const AGES: usize = 4096;

/// A number as the unevaluated sum of two floats, the second below half a last bit of the first.
type Pair = (f64, f64);

/// The natural logarithm of 2.
const LN_2: Pair = (std::f64::consts::LN_2, 2.319_046_813_846_299_6e-17);

static KEPT: LazyLock<Vec<f64>> = LazyLock::new(|| {
    let mut power: Pair = (1.0, 0.0);
    let next = |_| {
        let now = power.0;
        power = product(power, (KEEP, 0.0));
        now
    };
    (0..POWERS).map(next).collect()
});

static FADED: LazyLock<Vec<f64>> = LazyLock::new(|| (0..AGES).map(|days| fade(days as f64)).collect());

/// What is left of a weight after so many later stays.
pub fn kept(later_stays: usize) -> f64 {
    KEPT[later_stays.min(POWERS - 1)]
}

/// What is left of a weight after so many days.
pub fn faded(days: i32) -> f64 {
    let ready = usize::try_from(days).ok().and_then(|days| FADED.get(days));
    ready.copied().unwrap_or_else(|| fade(f64::from(days)))
}

fn fade(days: f64) -> f64 {
    exp2(-days / HALF_LIFE_DAYS)
}

/// Two to the power of `x`, to the nearest float; 0 below the normal range, and not meant for more than 1000.
pub fn exp2(x: f64) -> f64 {
    let whole = x.round();
    scaled(exponential(product((x - whole, 0.0), LN_2)).0, whole)
}

/// e to the power of `x`, to the nearest float for |x| below 700, 0 far below.
pub fn exp(x: f64) -> f64 {
    let whole = (x / LN_2.0).round();
    let (high, low) = product((-whole, 0.0), LN_2);
    let (sum, rest) = exact_sum(x, high);
    scaled(exponential(short_sum(sum, rest + low)).0, whole)
}

/// The probability that a normal variable lies within `reach` of its mean.
pub fn within(reach: f64, sd: f64) -> f64 {
    if sd > 0.0 {
        erf(reach / (sd * std::f64::consts::SQRT_2))
    } else {
        1.0
    }
}

/// The probability that a standard normal variable lies below `x`.
pub fn below(x: f64) -> f64 {
    0.5 * (1.0 + erf(x / std::f64::consts::SQRT_2))
}

/// The error function, to 1e-14: Abramowitz and Stegun, Handbook of Mathematical Functions, 7.1.6, whose terms are all of one
/// sign.
pub fn erf(x: f64) -> f64 {
    let size = x.abs();
    if size > 6.0 {
        return x.signum();
    }
    let (mut term, mut sum) = (size, size);
    for n in 1..200 {
        term *= 2.0 * size * size / f64::from(2 * n + 1);
        sum += term;
        if term < sum * 1e-17 {
            break;
        }
    }
    (x.signum() * std::f64::consts::FRAC_2_SQRT_PI * sum * exp(-size * size)).clamp(-1.0, 1.0)
}

/// Times two to the power of `whole`.
fn scaled(number: f64, whole: f64) -> f64 {
    if !(-1000.0..=1000.0).contains(&whole) {
        return if whole > 0.0 { f64::INFINITY } else { 0.0 };
    }
    number * f64::from_bits(((whole as i64 + 1023) as u64) << 52)
}

/// e to the power of a pair of less than 0.4 in size: the Taylor series, innermost term first.
fn exponential(x: Pair) -> Pair {
    let mut sum: Pair = (1.0, 0.0);
    for n in (1..=24).rev() {
        let (high, low) = quotient(product(sum, x), f64::from(n));
        let (one, rest) = exact_sum(1.0, high);
        sum = short_sum(one, rest + low);
    }
    sum
}

fn product(a: Pair, b: Pair) -> Pair {
    let (high, low) = exact_product(a.0, b.0);
    short_sum(high, low + (a.0 * b.1 + a.1 * b.0))
}

fn quotient(a: Pair, divisor: f64) -> Pair {
    let first = a.0 / divisor;
    let (high, low) = exact_product(first, divisor);
    short_sum(first, ((a.0 - high) - low + a.1) / divisor)
}

/// The sum of two floats and what rounding took from it (Knuth).
fn exact_sum(a: f64, b: f64) -> Pair {
    let sum = a + b;
    let part = sum - a;
    (sum, (a - (sum - part)) + (b - part))
}

/// The same when the first is the greater (Dekker).
fn short_sum(a: f64, b: f64) -> Pair {
    let sum = a + b;
    (sum, b - (sum - a))
}

/// The product of two floats and what rounding took from it (Dekker).
fn exact_product(a: f64, b: f64) -> Pair {
    let ((a1, a2), (b1, b2)) = (halves(a), halves(b));
    let product = a * b;
    (product, ((a1 * b1 - product) + a1 * b2 + a2 * b1) + a2 * b2)
}

/// A float as the sum of two with 26 bits each.
fn halves(a: f64) -> Pair {
    let grown = a * 134_217_729.0;
    let high = grown - (grown - a);
    (high, a - high)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Last bits by which two positive floats differ.
    fn apart(a: f64, b: f64) -> u64 {
        a.to_bits().abs_diff(b.to_bits())
    }

    #[test]
    fn powers_are_within_a_last_bit_of_the_system_librarys() {
        for days in (0..20_000).step_by(7) {
            let system = (-f64::from(days) / HALF_LIFE_DAYS).exp2();
            assert!(apart(faded(days), system) <= 1, "{days}");
        }
        for n in 0..POWERS {
            assert!(apart(kept(n), KEEP.powi(n as i32)) <= 64, "{n}");
        }
        for n in -400..400 {
            let x = f64::from(n) * 0.173;
            assert!(apart(exp(x), x.exp()) <= 1, "{x}");
        }
    }

    /// The nearest floats, from 40 decimal digits worked out independently. A system on which these differ would not agree with the
    /// others.
    #[test]
    fn the_last_bits_are_these_on_every_machine() {
        for (number, bits) in [
            (faded(1), 0x3fef_fc1c_988c_d0c6_u64),
            (faded(183), 0x3fed_5650_6a0c_76c6),
            (faded(1461), 0x3fdf_fc1c_988c_d0c6),
            (faded(5000), 0x3fb7_d72a_e017_2fdf),
            (kept(2), 0x3fe3_f8a0_902d_e00e),
            (kept(7), 0x3fc8_94bc_a541_2b52),
            (kept(31), 0x3f45_f917_e28d_f0d0),
            (exp(-1.0), 0x3fd7_8b56_362c_ef38),
        ] {
            assert_eq!(number.to_bits(), bits, "{number}");
        }
    }

    #[test]
    fn the_error_function_has_its_tabled_values() {
        for (x, want) in [
            (0.0, 0.0),
            (0.5, 0.520_499_877_813_046_5),
            (1.0, 0.842_700_792_949_714_9),
            (3.0, 0.999_977_909_503_001_4),
        ] {
            assert!((erf(x) - want).abs() < 1e-14 && (erf(-x) + want).abs() < 1e-14, "{x}");
        }
        assert_eq!((erf(7.0), erf(f64::INFINITY), within(1.0, 0.0)), (1.0, 1.0, 1.0));
    }

    #[test]
    fn ages_and_counts_beyond_every_bound_are_numbers() {
        assert!(faded(-5) > 1.0 && faded(i32::MIN).is_infinite());
        assert!((0.0..1e-9).contains(&faded(i32::MAX)));
        assert!((0.0..1e-9).contains(&kept(usize::MAX)));
    }
}
