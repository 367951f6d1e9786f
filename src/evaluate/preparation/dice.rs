//! What does chance bring, the same for ever under one seed?

/// A small generator of its own (Lehmer, 2^64), so that a seed tells the same story on every machine.
#[derive(Debug, Clone)]
pub struct Dice(u128);

impl Dice {
    /// The same seed and stream always roll the same.
    pub fn new(seed: u64, stream: u64) -> Self {
        let mut dice = Self((u128::from(mixed(seed, stream)) << 64 | u128::from(mixed(stream, seed))) | 1);
        (0..4).for_each(|_| _ = dice.next());
        dice
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(0xda94_2042_e4dd_58b5);
        (self.0 >> 64) as u64
    }

    /// Even between two edges.
    pub fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * unit(self.next())
    }

    /// Whether something of this probability happens.
    pub fn chance(&mut self, probability: f64) -> bool {
        unit(self.next()) < probability
    }

    /// Normal about 0, standard deviation 1.
    pub fn normal(&mut self) -> f64 {
        bell(self.next(), self.next())
    }

    /// About 1, its logarithm spread by this much.
    pub fn spread(&mut self, sd: f64) -> f64 {
        (self.normal() * sd).exp()
    }

    /// Whole minutes, normal about a mean and held between two edges.
    pub fn minutes(&mut self, mean: f64, sd: f64, low: f64, high: f64) -> i64 {
        (mean + sd * self.normal()).clamp(low, high).round() as i64
    }
}

/// Normal noise of one sensor in one minute: asked twice, answered the same.
pub fn noise(seed: u64, sensor: u64, minute: usize) -> f64 {
    let first = mixed(seed ^ sensor.wrapping_mul(0x9e37_79b9_7f4a_7c15), minute as u64);
    bell(first, mixed(first, sensor))
}

/// Even, 0 to 1, of one thing in one minute: asked twice, answered the same.
pub fn chance(seed: u64, thing: u64, minute: usize) -> f64 {
    unit(mixed(seed ^ thing.wrapping_mul(0xd1b5_4a32_d192_ed03), minute as u64))
}

fn unit(bits: u64) -> f64 {
    (bits >> 11) as f64 / (1_u64 << 53) as f64
}

/// Two even numbers make a normal one (Box and Muller).
fn bell(a: u64, b: u64) -> f64 {
    (-2.0 * (1.0 - unit(a)).ln()).sqrt() * (unit(b) * std::f64::consts::TAU).cos()
}

/// Scatters two numbers over all bits (the finaliser of SplitMix64).
fn mixed(a: u64, b: u64) -> u64 {
    let mut z = a
        .wrapping_add(b.wrapping_mul(0x9e37_79b9_7f4a_7c15))
        .wrapping_add(0x1234_5678_9abc_def1);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dice_are_fair_and_the_same_again() {
        let (mut dice, mut again) = (Dice::new(7, 3), Dice::new(7, 3));
        let rolls: Vec<f64> = (0..20_000).map(|_| dice.normal()).collect();
        assert!(rolls.iter().all(|roll| *roll == again.normal()));
        let mean = rolls.iter().sum::<f64>() / rolls.len() as f64;
        let variance = rolls.iter().map(|r| r * r).sum::<f64>() / rolls.len() as f64;
        assert!(mean.abs() < 0.03 && (variance - 1.0).abs() < 0.05, "{mean} {variance}");
        let noise: Vec<f64> = (0..20_000).map(|minute| noise(1, 9, minute)).collect();
        let mean = noise.iter().sum::<f64>() / noise.len() as f64;
        assert!(mean.abs() < 0.03, "{mean}");
    }
}
