//! How does a hotel room really move? The truth that no estimator may see.
//!
//! Four nodes: the air; furniture and surfaces; slab and partitions; the facade wall. The thermometer lags and sees a
//! little of the wall it hangs on; the coil lags; its water follows the weather. Estimators know one or two nodes, so
//! none of them can be right by construction. Figures: rooms of 24 to 46 m2 with fan-coils of 1.5 to 2.6 kW.

use super::dice::Dice;

/// Two halves of a minute: the air's own time constant is many times longer.
const HALF_S: f64 = 30.0;

/// A type of room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// 28 m2.
    Standard,
    /// 46 m2 with much glass.
    Suite,
    /// 24 m2 behind thick walls, with a small coil.
    Old,
}

/// What a type of room has in common: area m2, J/(K m2) of surfaces and of mass, W/K to outdoors, W of the coil.
const fn figures(kind: Kind) -> (f64, f64, f64, f64, f64) {
    match kind {
        Kind::Standard => (28.0, 34e3, 150e3, 24.0, 1700.0),
        Kind::Suite => (46.0, 34e3, 140e3, 42.0, 2600.0),
        Kind::Old => (24.0, 44e3, 230e3, 34.0, 1500.0),
    }
}

/// What one room is made of. Capacities J/K, conductances W/K.
#[derive(Debug, Clone)]
pub struct Build {
    air: f64,
    surfaces: f64,
    mass: f64,
    facade: f64,
    air_surfaces: f64,
    surfaces_mass: f64,
    surfaces_facade: f64,
    facade_outdoor: f64,
    air_outdoor: f64,
    mass_neighbour: f64,
    /// m2 of sun let in.
    glass: f64,
    sun_on_surfaces: f64,
    coil_heating: f64,
    coil_cooling: f64,
    coil_lag_s: f64,
    sensor_lag_s: f64,
    sensor_wall_share: f64,
    /// Always there: minibar, lamps on standby, W.
    base_w: f64,
}

/// The temperatures of one room, C, and how far its coils are warm and cold, 0 to 1.
#[derive(Debug, Clone)]
pub struct Body {
    /// The air: what a guest feels at the door.
    pub air: f64,
    surfaces: f64,
    mass: f64,
    facade: f64,
    /// What the thermometer feels.
    pub sensor: f64,
    heating: f64,
    cooling: f64,
}

/// What works on a room during one minute.
#[derive(Debug, Clone, Copy)]
pub struct Minute {
    /// Outdoor air, C.
    pub outdoor: f64,
    /// Sun on the facade, W/m2.
    pub sun: f64,
    /// The rooms around, C.
    pub neighbour: f64,
    /// Corridor air, C.
    pub corridor: f64,
    /// Warm water and cold water, C.
    pub water: (f64, f64),
    /// People, W.
    pub people_w: f64,
    /// An open window: exchange with outdoors, W/K.
    pub window: f64,
    /// An open door: exchange with the corridor, W/K.
    pub door: f64,
    /// Valve of the warm coil, 0 to 1.
    pub heating: f64,
    /// Valve of the cold coil.
    pub cooling: f64,
}

impl Build {
    /// Draws a room of a type: no two are alike.
    pub fn draw(kind: Kind, dice: &mut Dice) -> Self {
        let (area, surfaces, mass, outdoor, coil) = figures(kind);
        let area = area * dice.spread(0.05);
        Self {
            air: area * 2.7 * 1206.0 * 3.0 * dice.spread(0.2),
            surfaces: area * surfaces * dice.spread(0.2),
            mass: area * mass * dice.spread(0.2),
            facade: area * 40e3 * dice.spread(0.3),
            air_surfaces: area * 11.0 * dice.spread(0.2),
            surfaces_mass: area * 5.5 * dice.spread(0.25),
            surfaces_facade: area * 0.9 * dice.spread(0.2),
            facade_outdoor: area * 0.3 * dice.spread(0.3),
            air_outdoor: outdoor * dice.spread(0.2),
            mass_neighbour: area * 2.6 * dice.spread(0.3),
            glass: area * 0.14 * 0.45 * dice.spread(0.35),
            sun_on_surfaces: (0.3 + 0.07 * dice.normal()).clamp(0.1, 0.5),
            coil_heating: coil * dice.spread(0.18) / 30.0,
            coil_cooling: coil * dice.spread(0.18) / 17.0,
            coil_lag_s: dice.between(60.0, 180.0),
            sensor_lag_s: dice.between(90.0, 240.0),
            sensor_wall_share: dice.between(0.0, 0.1),
            base_w: dice.between(15.0, 45.0),
        }
    }
}

impl Body {
    /// A room that has long been at one temperature.
    pub fn settled(at: f64, outdoor: f64) -> Self {
        let facade = 0.6 * at + 0.4 * outdoor;
        Self {
            air: at,
            surfaces: at,
            mass: at,
            facade,
            sensor: at,
            heating: 0.0,
            cooling: 0.0,
        }
    }

    /// Lets a minute pass. Returns the mean heat that went into the air and the heat taken out of it, W.
    pub fn minute(&mut self, build: &Build, given: &Minute) -> (f64, f64) {
        let (mut warmed, mut cooled) = (0.0, 0.0);
        for _ in 0..2 {
            let (w, c) = self.half(build, given);
            warmed += w / 2.0;
            cooled += c / 2.0;
        }
        (warmed, cooled)
    }

    fn half(&mut self, b: &Build, given: &Minute) -> (f64, f64) {
        self.heating += (given.heating - self.heating) * HALF_S / b.coil_lag_s;
        self.cooling += (given.cooling - self.cooling) * HALF_S / b.coil_lag_s;
        let warmed = b.coil_heating * self.heating * (given.water.0 - self.air).max(0.0);
        let cooled = b.coil_cooling * self.cooling * (self.air - given.water.1).max(0.0);
        let sun = b.glass * given.sun;
        let air = b.air_surfaces * (self.surfaces - self.air)
            + (b.air_outdoor + given.window) * (given.outdoor - self.air)
            + given.door * (given.corridor - self.air)
            + 0.1 * sun
            + warmed
            - cooled
            + 0.6 * given.people_w
            + b.base_w;
        let surfaces = b.air_surfaces * (self.air - self.surfaces)
            + b.surfaces_mass * (self.mass - self.surfaces)
            + b.surfaces_facade * (self.facade - self.surfaces)
            + b.sun_on_surfaces * sun
            + 0.4 * given.people_w;
        let mass = b.surfaces_mass * (self.surfaces - self.mass)
            + b.mass_neighbour * (given.neighbour - self.mass)
            + (0.9 - b.sun_on_surfaces) * sun;
        let facade =
            b.surfaces_facade * (self.surfaces - self.facade) + b.facade_outdoor * (given.outdoor - self.facade);
        let felt = (1.0 - b.sensor_wall_share) * self.air + b.sensor_wall_share * self.surfaces;
        self.sensor += (felt - self.sensor) * HALF_S / b.sensor_lag_s;
        self.air += air * HALF_S / b.air;
        self.surfaces += surfaces * HALF_S / b.surfaces;
        self.mass += mass * HALF_S / b.mass;
        self.facade += facade * HALF_S / b.facade;
        (warmed, cooled)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(heating: f64, outdoor: f64) -> Minute {
        Minute {
            outdoor,
            sun: 0.0,
            neighbour: 21.0,
            corridor: 21.0,
            water: (50.0, 8.0),
            people_w: 0.0,
            window: 0.0,
            door: 0.0,
            heating,
            cooling: 0.0,
        }
    }

    #[test]
    fn a_room_warms_within_hours_and_falls_back_slower() {
        let build = Build::draw(Kind::Standard, &mut Dice::new(1, 1));
        let mut body = Body::settled(18.0, 0.0);
        let mut minutes = 0;
        while body.air < 21.5 && minutes < 600 {
            body.minute(&build, &given(1.0, 0.0));
            minutes += 1;
        }
        assert!((20..400).contains(&minutes), "{minutes}");
        let warm = body.air;
        (0..60).for_each(|_| _ = body.minute(&build, &given(0.0, 0.0)));
        assert!(body.air < warm && body.air > 17.0, "{}", body.air);
    }

    #[test]
    fn heat_is_neither_made_nor_lost() {
        let mut build = Build::draw(Kind::Old, &mut Dice::new(2, 2));
        (
            build.air_outdoor,
            build.facade_outdoor,
            build.mass_neighbour,
            build.base_w,
        ) = (0.0, 0.0, 0.0, 0.0);
        let mut body = Body::settled(20.0, 20.0);
        let mut given_w = 0.0;
        (0..600).for_each(|_| given_w += body.minute(&build, &given(0.5, 20.0)).0);
        let kept = (body.air - 20.0) * build.air
            + (body.surfaces - 20.0) * build.surfaces
            + (body.mass - 20.0) * build.mass
            + (body.facade - 20.0) * build.facade;
        assert!(
            (kept / (given_w * 60.0) - 1.0).abs() < 1e-9,
            "{kept} of {}",
            given_w * 60.0
        );
    }
}
