//! How does a room's air move?
//!
//! Two nodes: the air with what it warms at once, and the mass of walls and floor behind it. The coil heats the air, the
//! air exchanges with the mass and with outdoors. Heating therefore shows quickly and then slowly, as in a real room:
//! a forecast from one straight line is wrong in both parts. Pure; the figures are those of a hotel room of about 25 m2.

/// Longer steps than this are cut into pieces: the air's own time constant is about half an hour.
const STEP_MAX_S: f64 = 60.0;

/// What a room is made of.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Build {
    /// Heat capacity of the air and of what follows it at once, J/K.
    pub air_j_per_k: f64,
    /// Heat capacity of walls and floor, J/K.
    pub mass_j_per_k: f64,
    /// Between air and outdoors, W/K.
    pub outdoor_w_per_k: f64,
    /// Between air and mass, W/K.
    pub mass_w_per_k: f64,
    /// What the coil can bring, W.
    pub heat_w: f64,
}

impl Default for Build {
    fn default() -> Self {
        Self {
            air_j_per_k: 0.8e6,
            mass_j_per_k: 3.2e6,
            outdoor_w_per_k: 32.0,
            mass_w_per_k: 330.0,
            heat_w: 2400.0,
        }
    }
}

/// The temperatures of one room, C.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Body {
    /// What it is made of.
    pub build: Build,
    /// Air, C.
    pub air: f64,
    /// Mass, C.
    pub mass: f64,
}

/// A thermostat's loop: how much of the coil's heat for how much too cold.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Thermostat {
    /// Wanted, C.
    pub setpoint: f64,
    /// Below the set-point by this much, the valve is fully open, K.
    pub band_k: f64,
}

impl Body {
    /// A room that has been at one temperature for long.
    pub fn settled(build: Build, at: f64) -> Self {
        Self {
            build,
            air: at,
            mass: at,
        }
    }

    /// Lets so many seconds pass with the valve open by the thermostat, and returns how far it was open at the end, 0 to 1.
    pub fn step(&mut self, seconds: f64, outdoor: f64, thermostat: Thermostat) -> f64 {
        let pieces = (seconds / STEP_MAX_S).ceil().max(1.0);
        let mut valve = 0.0;
        for _ in 0..pieces as u32 {
            valve = thermostat.valve(self.air);
            self.flow(seconds / pieces, outdoor, valve * self.build.heat_w);
        }
        valve
    }

    fn flow(&mut self, seconds: f64, outdoor: f64, heat_w: f64) {
        let build = &self.build;
        let to_mass = build.mass_w_per_k * (self.air - self.mass);
        let to_outdoor = build.outdoor_w_per_k * (self.air - outdoor);
        self.air += (heat_w - to_mass - to_outdoor) * seconds / build.air_j_per_k;
        self.mass += to_mass * seconds / build.mass_j_per_k;
    }
}

impl Thermostat {
    /// A loop with the usual band.
    pub const fn at(setpoint: f64) -> Self {
        Self { setpoint, band_k: 0.6 }
    }

    /// How far the valve is open at this air temperature, 0 to 1. Half the band lies above the set-point: the room is held at it.
    pub fn valve(&self, air: f64) -> f64 {
        ((self.setpoint + self.band_k / 2.0 - air) / self.band_k).clamp(0.0, 1.0)
    }
}

/// Air outdoors at this hour of a local day in November, C: coldest before dawn.
pub fn outdoor(hour: f64) -> f64 {
    4.0 - 4.0 * ((hour - 3.0) / 24.0 * std::f64::consts::TAU).cos()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hours_to_reach(mut body: Body, setpoint: f64, goal: f64) -> f64 {
        let mut hours = 0.0;
        while body.air < goal && hours < 48.0 {
            body.step(60.0, 4.0, Thermostat::at(setpoint));
            hours += 1.0 / 60.0;
        }
        hours
    }

    #[test]
    fn a_cold_room_warms_by_some_kelvin_an_hour_and_then_slower() {
        let body = Body::settled(Build::default(), 18.0);
        let (first, all) = (hours_to_reach(body, 24.0, 20.75), hours_to_reach(body, 24.0, 23.5));
        assert!((0.3..1.0).contains(&first), "{first}");
        assert!((1.0..3.0).contains(&all), "{all}");
        assert!(all > 2.0 * first, "the second half takes longer: {first} of {all}");
    }

    #[test]
    fn a_room_is_held_at_its_set_point_and_never_driven_past_it() {
        let mut body = Body::settled(Build::default(), 18.0);
        for _ in 0..24 * 60 {
            body.step(60.0, 0.0, Thermostat::at(22.0));
            assert!(body.air < 22.4, "{}", body.air);
        }
        assert!((21.7..22.3).contains(&body.air), "{}", body.air);
    }

    #[test]
    fn a_room_left_alone_falls_towards_outdoors_slower_than_its_air_alone_would() {
        let mut body = Body::settled(Build::default(), 22.0);
        body.step(8.0 * 3600.0, 4.0, Thermostat::at(5.0));
        assert!((15.0..20.5).contains(&body.air), "{}", body.air);
        assert!(body.mass > body.air);
    }

    #[test]
    fn a_long_step_is_the_same_as_many_short_ones() {
        let (mut long, mut short) = (
            Body::settled(Build::default(), 18.0),
            Body::settled(Build::default(), 18.0),
        );
        long.step(3600.0, 4.0, Thermostat::at(23.0));
        for _ in 0..60 {
            short.step(60.0, 4.0, Thermostat::at(23.0));
        }
        assert!((long.air - short.air).abs() < 1e-9);
    }

    #[test]
    fn energy_is_kept() {
        let mut body = Body::settled(
            Build {
                outdoor_w_per_k: 0.0,
                ..Build::default()
            },
            20.0,
        );
        body.flow(10.0, -30.0, 1000.0);
        body.flow(10.0, -30.0, 0.0);
        let build = body.build;
        let kept = (body.air - 20.0) * build.air_j_per_k + (body.mass - 20.0) * build.mass_j_per_k;
        assert!((kept - 10_000.0).abs() < 1e-6, "{kept}");
    }
}
