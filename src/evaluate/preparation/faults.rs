//! Which of a room's things is broken now, and how?
//!
//! Every kind of thing fails by itself, for a stretch of hours, in one of the ways in which such things fail. The same seed
//! breaks the same things at the same time.

use super::dice::chance;

/// A thermostat is wrong for so long, min.
const THERMOSTAT_STRETCH: usize = 360;
/// A sensor for so long: until somebody comes with a new battery.
const SENSOR_STRETCH: usize = 1440;
/// No stretch has this number: what is rolled for it decides when a thing's stretches begin.
const NO_STRETCH: usize = u32::MAX as usize;
/// In this share of its stretches a thermostat is wrong, and a sensor.
const THERMOSTAT_SHARE: f64 = 0.125;
/// See above.
const SENSOR_SHARE: f64 = 0.1;
/// This share of commands does not arrive, while nothing else is wrong.
const LOST_SHARE: f64 = 0.05;

/// What is wrong with a thermostat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Thermostat {
    /// Nothing.
    Works,
    /// It tells no temperature.
    Silent,
    /// It is out altogether: it tells nothing, and nothing that it is told arrives.
    Out,
    /// It always tells the same.
    Stuck,
    /// What it tells jumps about.
    Jumps,
    /// It tells that its thermometer is broken.
    Nonsense,
}

/// What is wrong with a sensor that says yes or no.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sensor {
    /// Nothing.
    Works,
    /// It tells nothing.
    Dead,
    /// It always says this.
    Stuck(bool),
}

impl Sensor {
    /// What is wrong with it, in a word; none where it works.
    pub const fn word(self) -> Option<&'static str> {
        match self {
            Sensor::Works => None,
            Sensor::Dead => Some("dead"),
            Sensor::Stuck(true) => Some("stuck at yes"),
            Sensor::Stuck(false) => Some("stuck at no"),
        }
    }
}

/// Which sensor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// The entrance door's contact.
    Door,
    /// The window's contact: of this one only messages are repeated, because whoever takes it away has nothing left to obey.
    Window,
    /// Movement.
    Motion,
    /// The bed's sensor.
    Bed,
}

impl Kind {
    /// Its word in a device's name.
    pub const fn word(self) -> &'static str {
        match self {
            Kind::Door => "door",
            Kind::Window => "window",
            Kind::Motion => "motion",
            Kind::Bed => "bed",
        }
    }
}

/// The faults of a hotel.
#[derive(Debug, Clone, Copy)]
pub struct Faults {
    /// Chance.
    pub seed: u64,
    /// Whether there are any.
    pub are_there: bool,
}

impl Faults {
    /// How a room's thermostat is in this minute.
    pub fn thermostat(&self, room: usize, minute: usize) -> Thermostat {
        let roll = self.in_stretch(7_000 + room, minute, THERMOSTAT_STRETCH) / THERMOSTAT_SHARE;
        match (roll * 5.0) as u32 {
            _ if !self.are_there => Thermostat::Works,
            0 => Thermostat::Silent,
            1 => Thermostat::Stuck,
            2 => Thermostat::Jumps,
            3 => Thermostat::Nonsense,
            4 => Thermostat::Out,
            _ => Thermostat::Works,
        }
    }

    /// How a room's sensor is in this minute.
    pub fn sensor(&self, room: usize, kind: Kind, minute: usize) -> Sensor {
        let of = 20_000 + 8 * room + kind as usize;
        let roll = self.in_stretch(of, minute, SENSOR_STRETCH) / SENSOR_SHARE;
        match (roll * 3.0) as u32 {
            _ if !self.are_there || kind == Kind::Window => Sensor::Works,
            0 => Sensor::Dead,
            1 => Sensor::Stuck(false),
            2 => Sensor::Stuck(true),
            _ => Sensor::Works,
        }
    }

    /// Whether a command given now does not arrive.
    pub fn loses(&self, room: usize, minute: usize) -> bool {
        let is_out = self.thermostat(room, minute) == Thermostat::Out;
        self.are_there && (is_out || self.roll(40_000 + room, minute) < LOST_SHARE)
    }

    /// The same throughout a stretch; each thing's stretches begin at an hour of its own.
    fn in_stretch(&self, thing: usize, minute: usize, stretch: usize) -> f64 {
        let begins = self.roll(thing, NO_STRETCH) * stretch as f64;
        self.roll(thing, (minute + begins as usize) / stretch)
    }

    fn roll(&self, thing: usize, stretch: usize) -> f64 {
        chance(self.seed, thing as u64, stretch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn things_fail_as_often_as_said_and_not_at_all_in_a_sound_house() {
        let (broken, sound) = (
            Faults {
                seed: 1,
                are_there: true,
            },
            Faults {
                seed: 1,
                are_there: false,
            },
        );
        let share = |faults: Faults| {
            let bad = |day: &usize| faults.sensor(3, Kind::Motion, day * 1440) != Sensor::Works;
            (0..10_000).filter(bad).count() as f64 / 10_000.0
        };
        assert!((share(broken) - SENSOR_SHARE).abs() < 0.01, "{}", share(broken));
        assert_eq!(share(sound), 0.0);
        assert!((0..100_000).all(|minute| !sound.loses(0, minute)));
        assert!((0..100_000).all(|minute| broken.sensor(0, Kind::Window, minute) == Sensor::Works));
    }
}
