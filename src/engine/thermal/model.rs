//! How does a room's air move over one step?
//!
//! Two nodes and what disturbs them: the air follows the mass behind it, the air outside, the coil, the sun and the people;
//! the mass follows the air, the adjoining rooms and the sun. A coil that is late and a thermometer that is late are states
//! of their own: both matter for minutes, and folded into one lag they would make the room look slower than it is.

use super::matrix::{Square, Vector, carried};
use super::parameters::{
    AIR_MASS, AIR_OUTDOOR, BASE_GAIN, COIL_LAG, COOLING, GUEST_GAIN, HEATING, MASS_AIR, MASS_NEIGHBOURS, Parameters,
    SENSOR_LAG, SUN_AIR, SUN_MASS,
};
use super::row::Tick;
pub use crate::model::Coil;

/// How many states there are.
pub const STATES: usize = 5;
/// The room's air, C.
pub const AIR: usize = 0;
/// The mass behind it, C.
pub const MASS: usize = 1;
/// What nothing else explains, K/h on the air.
pub const UNEXPLAINED: usize = 2;
/// What the thermometer shows, C.
pub const SENSOR: usize = 3;
/// What the coil gives just now, K/h on the air.
pub const COIL: usize = 4;

/// What nothing explains fades with this time constant, hours: clouds, cooking, a coach party's showers.
pub const UNEXPLAINED_FADES_H: f64 = 6.0;
/// Warm water unless the plant says otherwise, C, and the room at which a coil gives its rated heat.
const WARM_WATER: (f64, f64) = (50.0, 21.0);
/// Cold water, and the room at which a coil gives its rated cold.
const COLD_WATER: (f64, f64) = (8.0, 23.0);
/// Outdoor air, coil, sun, adjoining rooms, what is given off inside.
const INPUTS: usize = 5;

/// One room's model, carried over steps of one length.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// What the states become by themselves.
    pub carry: Square<STATES>,
    drive: [[f64; INPUTS]; STATES],
    coil: Coil,
    full_heating: f64,
    full_cooling: f64,
    base_gain: f64,
    guest_gain: f64,
}

impl Step {
    /// Carries the model of a room over so many hours, exactly.
    pub fn new(room: &Parameters, coil: Coil, hours: f64) -> Self {
        let (carry, integral) = carried(&rates(room), hours);
        let inputs = inputs(room);
        let mut drive = [[0.0; INPUTS]; STATES];
        for (row, integral) in drive.iter_mut().zip(&integral) {
            for (weight, inputs) in integral.iter().zip(&inputs) {
                row.iter_mut()
                    .zip(inputs)
                    .for_each(|(sum, input)| *sum += weight * input);
            }
        }
        Self {
            carry,
            drive,
            coil,
            full_heating: room.get(HEATING),
            full_cooling: room.get(COOLING),
            base_gain: room.get(BASE_GAIN),
            guest_gain: room.get(GUEST_GAIN),
        }
    }

    /// The states after the step. Outdoor air or neighbours that nobody knows count as neither colder nor warmer than the
    /// room: what they do is then left to the unexplained.
    pub fn next(&self, x: &Vector<STATES>, tick: &Tick) -> Vector<STATES> {
        let input = [
            tick.outdoor.unwrap_or(x[AIR]),
            self.coil_gives(x[AIR], tick),
            tick.sun.unwrap_or(0.0) / 1000.0,
            tick.neighbours.unwrap_or(x[MASS]),
            self.base_gain + if tick.occupied { self.guest_gain } else { 0.0 },
        ];
        let mut next = [0.0; STATES];
        for n in 0..STATES {
            let (carry, drive) = (&self.carry[n], &self.drive[n]);
            let by_itself = carry[0] * x[0] + carry[1] * x[1] + carry[2] * x[2] + carry[3] * x[3] + carry[4] * x[4];
            let by_weather = drive[0] * input[0] + drive[2] * input[2] + drive[3] * input[3];
            next[n] = by_itself + by_weather + drive[1] * input[1] + drive[4] * input[4];
        }
        next
    }

    /// What a coil in steady state gives at this output, K/h.
    fn coil_gives(&self, air: f64, tick: &Tick) -> f64 {
        let (warm, cold) = match self.coil {
            Coil::Direct => (1.0, 1.0),
            Coil::Water => (
                (WARM_WATER.0 - air) / (WARM_WATER.0 - WARM_WATER.1),
                (air - COLD_WATER.0) / (COLD_WATER.1 - COLD_WATER.0),
            ),
        };
        self.full_heating * warm.max(0.0) * tick.heating - self.full_cooling * cold.max(0.0) * tick.cooling
    }
}

/// How fast each state follows each other one, per hour.
fn rates(room: &Parameters) -> Square<STATES> {
    let (sensor, coil) = (60.0 / room.get(SENSOR_LAG), 60.0 / room.get(COIL_LAG));
    let mut a = [[0.0; STATES]; STATES];
    a[AIR][AIR] = -room.get(AIR_MASS) - room.get(AIR_OUTDOOR);
    a[AIR][MASS] = room.get(AIR_MASS);
    (a[AIR][UNEXPLAINED], a[AIR][COIL]) = (1.0, 1.0);
    (a[MASS][AIR], a[MASS][MASS]) = (room.get(MASS_AIR), -room.get(MASS_AIR) - room.get(MASS_NEIGHBOURS));
    a[UNEXPLAINED][UNEXPLAINED] = -1.0 / UNEXPLAINED_FADES_H;
    (a[SENSOR][AIR], a[SENSOR][SENSOR]) = (sensor, -sensor);
    a[COIL][COIL] = -coil;
    a
}

/// How each input moves each state.
fn inputs(room: &Parameters) -> [[f64; INPUTS]; STATES] {
    let mut b = [[0.0; INPUTS]; STATES];
    b[AIR] = [room.get(AIR_OUTDOOR), 0.0, room.get(SUN_AIR), 0.0, 1.0];
    b[MASS] = [0.0, 0.0, room.get(SUN_MASS), room.get(MASS_NEIGHBOURS), 0.0];
    b[COIL][1] = 60.0 / room.get(COIL_LAG);
    b
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settle(tick: Tick) -> Vector<STATES> {
        let step = Step::new(&Parameters::default(), Coil::Water, 1.0 / 12.0);
        (0..2000).fold([20.0, 20.0, 0.0, 20.0, 0.0], |x, _| step.next(&x, &tick))
    }

    #[test]
    fn each_input_moves_the_room_the_way_a_person_expects() {
        let still = Tick {
            outdoor: Some(0.0),
            neighbours: Some(20.0),
            ..Tick::default()
        };
        let base = settle(still)[AIR];
        assert!((0.0..20.0).contains(&base), "{base}");
        let warmer = [
            Tick { heating: 1.0, ..still },
            Tick {
                sun: Some(500.0),
                ..still
            },
            Tick {
                occupied: true,
                ..still
            },
            Tick {
                outdoor: Some(10.0),
                ..still
            },
            Tick {
                neighbours: Some(25.0),
                ..still
            },
        ];
        warmer
            .iter()
            .for_each(|tick| assert!(settle(*tick)[AIR] > base + 0.2, "{tick:?}"));
        assert!(settle(Tick { cooling: 1.0, ..still })[AIR] < base - 0.2);
    }

    #[test]
    fn one_long_step_is_many_short_ones() {
        let tick = Tick {
            heating: 0.6,
            outdoor: Some(-5.0),
            neighbours: Some(21.0),
            ..Tick::default()
        };
        let at = [19.0, 20.0, 0.4, 19.0, 1.0];
        let (room, coil) = (Parameters::default(), Coil::Direct);
        let long = Step::new(&room, coil, 1.0 / 12.0).next(&at, &tick);
        let short = Step::new(&room, coil, 1.0 / 60.0);
        let five = (0..5).fold(at, |x, _| short.next(&x, &tick));
        long.iter()
            .zip(&five)
            .for_each(|(a, b)| assert!((a - b).abs() < 1e-9, "{long:?} {five:?}"));
    }

    #[test]
    fn a_water_coil_gives_less_in_a_warm_room() {
        let gives = |coil, air| {
            Step::new(&Parameters::default(), coil, 0.1).coil_gives(
                air,
                &Tick {
                    heating: 1.0,
                    ..Tick::default()
                },
            )
        };
        assert!(gives(Coil::Water, 24.0) < gives(Coil::Water, 16.0));
        assert!((gives(Coil::Water, 21.0) - gives(Coil::Direct, 21.0)).abs() < 1e-12);
        assert!(gives(Coil::Water, 60.0) == 0.0);
    }
}
