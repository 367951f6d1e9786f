//! What does the thermostat on the wall do with its set-point?
//!
//! A loop of its own, proportional with a slow integral, for warming and for cooling. Whoever decides, decides on these
//! two set-points; a device with one set-point and a mode has the other one out of reach.

/// Valve per kelvin off.
const GAIN_PER_K: f64 = 0.8;
/// The integral takes a kelvin off into account within so many minutes, while the room is near.
const INTEGRAL_MIN: f64 = 25.0;
/// Further off than this the integral rests, K.
const NEAR_K: f64 = 1.0;
/// A device with one set-point that chooses heat or cold by itself leaves so much between, K to each side.
const NEUTRAL_K: f64 = 0.5;
/// A set-point out of reach, C.
const NEVER_K: f64 = 200.0;

/// Warm the room below the one, cool it above the other, C.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Wanted {
    /// Warmed below.
    pub low: f64,
    /// Cooled above.
    pub high: f64,
}

/// What a device with one set-point is told to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Does {
    /// Nothing.
    Off,
    /// Warms only.
    Heat,
    /// Cools only.
    Cool,
    /// Either.
    Auto,
}

/// The loop's memory.
#[derive(Debug, Clone, Copy, Default)]
pub struct Loop {
    heating: f64,
    cooling: f64,
}

impl Wanted {
    /// As a device with one set-point takes it.
    pub fn of(setpoint: f64, does: Does) -> Self {
        let (low, high) = match does {
            Does::Off => (-NEVER_K, NEVER_K),
            Does::Heat => (setpoint, NEVER_K),
            Does::Cool => (-NEVER_K, setpoint),
            Does::Auto => (setpoint - NEUTRAL_K, setpoint + NEUTRAL_K),
        };
        Self { low, high }
    }
}

impl Loop {
    /// How far the two valves are open during this minute, 0 to 1, at what the thermometer shows.
    pub fn valves(&mut self, wanted: Wanted, shown: f64) -> (f64, f64) {
        let heating = side(&mut self.heating, wanted.low - shown);
        (heating, side(&mut self.cooling, shown - wanted.high))
    }
}

fn side(integral: &mut f64, off_k: f64) -> f64 {
    if off_k.abs() < NEAR_K {
        *integral = (*integral + off_k / INTEGRAL_MIN).clamp(0.0, 1.0);
    } else if off_k < 0.0 {
        *integral = 0.0;
    }
    (GAIN_PER_K * off_k + *integral).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_told_to_heat_never_cools() {
        let mut control = Loop::default();
        assert_eq!(control.valves(Wanted::of(21.0, Does::Heat), 27.0), (0.0, 0.0));
        assert_eq!(control.valves(Wanted::of(21.0, Does::Heat), 18.0), (1.0, 0.0));
        assert_eq!(control.valves(Wanted::of(21.0, Does::Off), 5.0), (0.0, 0.0));
        assert!(control.valves(Wanted::of(21.0, Does::Auto), 23.0).1 > 0.9);
    }
}
