//! Which one thing can a device report, or be told?
//!
//! The list is closed: a profile that names another point is told the nearest one. What a maker calls a thing is the
//! profile's affair; what it is called here is the same for every maker.

use super::{FanMode, HvacMode, Symbol, Unit, Value};
use serde::{Deserialize, Serialize};
use std::fmt;

/// How the engine may treat a point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PointRole {
    /// Something measured about the room.
    Measured,
    /// A setting that guest and engine both may change: a change that is not our own is the guest's hand.
    Setting,
    /// An act or a state of somebody in the room.
    Presence,
    /// The health of the device itself.
    Health,
}

/// What kind of value a point takes, one for each variant of [`Value`](super::Value).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueKind {
    /// Degrees Celsius.
    Temperature,
    /// Percent.
    Share,
    /// Yes or no.
    Flag,
    /// A climate unit's mode.
    Hvac,
    /// A fan stage.
    Fan,
    /// A word of the profile's own list.
    Word,
    /// W.
    Watts,
    /// kWh.
    WattHours,
    /// ppm.
    Ppm,
    /// lx.
    Lux,
    /// A bare number.
    Count,
}

impl ValueKind {
    /// The unit that numbers of this kind are in.
    pub const fn unit(self) -> Option<Unit> {
        match self {
            ValueKind::Temperature => Some(Unit::Celsius),
            ValueKind::Share => Some(Unit::Percent),
            ValueKind::Watts => Some(Unit::Watts),
            ValueKind::WattHours => Some(Unit::KilowattHours),
            ValueKind::Ppm => Some(Unit::Ppm),
            ValueKind::Lux => Some(Unit::Lux),
            ValueKind::Flag | ValueKind::Hvac | ValueKind::Fan | ValueKind::Word | ValueKind::Count => None,
        }
    }

    /// Returns a bare JSON scalar as a value of this kind.
    ///
    /// # Errors
    /// Says what this kind is written as.
    pub fn read(self, scalar: &serde_json::Value) -> Result<Value, String> {
        let value = match self {
            ValueKind::Flag => scalar.as_bool().map(Value::Flag),
            ValueKind::Hvac => scalar.as_str().and_then(HvacMode::from_word).map(Value::Hvac),
            ValueKind::Fan => scalar.as_str().and_then(FanMode::from_word).map(Value::Fan),
            ValueKind::Word => scalar.as_str().map(|word| Value::Word(Symbol::new(word))),
            _ => scalar
                .as_f64()
                .and_then(|number| Value::from_number(number, self.unit())),
        };
        value.ok_or_else(|| format!("{scalar} is not {}", self.wanted()))
    }

    fn wanted(self) -> String {
        match self {
            ValueKind::Flag => "true or false".into(),
            ValueKind::Hvac => format!("one of {}", HvacMode::WORDS.join(", ")),
            ValueKind::Fan => format!("one of {}", FanMode::WORDS.join(", ")),
            ValueKind::Word => "a word".into(),
            ValueKind::Count => "a number".into(),
            _ => format!("a number of {}", self.unit().map_or("", Unit::word)),
        }
    }
}

macro_rules! points {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $role:ident, $kind:ident;)*) => {
        /// One thing a device can report or be told.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
        #[serde(rename_all = "snake_case")]
        pub enum Point { $($(#[$doc])* $variant,)* }

        impl Point {
            /// Every point, in the order of the list.
            pub const ALL: &'static [Point] = &[$(Point::$variant),*];

            /// The canonical name, as profiles and answers write it.
            pub const fn name(self) -> &'static str {
                match self { $(Point::$variant => $name),* }
            }

            /// How the engine may treat it.
            pub const fn role(self) -> PointRole {
                match self { $(Point::$variant => PointRole::$role),* }
            }

            /// What kind of value it takes; the kind fixes the unit.
            pub const fn kind(self) -> ValueKind {
                match self { $(Point::$variant => ValueKind::$kind),* }
            }

            /// Returns the point of this canonical name.
            pub fn from_name(name: &str) -> Option<Point> {
                match name { $($name => Some(Point::$variant),)* _ => None }
            }
        }
    };
}

points! {
    /// Air temperature at the thermostat, C.
    RoomTemperature = "room_temperature", Measured, Temperature;
    /// The set-point in force, C.
    TargetTemperature = "target_temperature", Setting, Temperature;
    /// What the unit is told to do: off, heat, cool, auto, dry, fan.
    HvacMode = "hvac_mode", Setting, Hvac;
    /// The fan stage chosen.
    FanMode = "fan_mode", Setting, Fan;
    /// The fan stage that runs now.
    FanRunning = "fan_running", Measured, Fan;
    /// The most of its output that the unit may give, %.
    OutputLimit = "output_limit", Setting, Share;
    /// Vane or louvre position, as the maker numbers it.
    AirDirection = "air_direction", Setting, Count;
    /// Heating output, %.
    Heating = "heating", Measured, Share;
    /// Cooling output, %.
    Cooling = "cooling", Measured, Share;
    /// Whether the unit calls for heat or cold now.
    Running = "running", Measured, Flag;
    /// The maker's preset: comfort, economy, protection.
    Preset = "preset", Setting, Word;
    /// On or off.
    Power = "power", Setting, Flag;
    /// A door, window or drawer contact: true is open.
    Open = "open", Presence, Flag;
    /// A window contact wired to a thermostat: true is open.
    WindowOpen = "window_open", Measured, Flag;
    /// Somebody moves or is present, as a motion or presence sensor says.
    Occupied = "occupied", Presence, Flag;
    /// Somebody lies or sits on the bed.
    BedOccupied = "bed_occupied", Presence, Flag;
    /// Something shakes: a vibration sensor.
    Vibration = "vibration", Presence, Flag;
    /// The hotel key card is in its holder.
    KeyCard = "key_card", Presence, Flag;
    /// The privacy bolt is thrown from inside.
    Deadbolt = "deadbolt", Presence, Flag;
    /// Staff are in: a staff key in the lock or the holder. False when they have gone.
    StaffKey = "staff_key", Presence, Flag;
    /// Do not disturb.
    Dnd = "dnd", Presence, Flag;
    /// Make up room.
    MakeUpRoom = "make_up_room", Presence, Flag;
    /// The butler is called.
    ButlerCall = "butler_call", Presence, Flag;
    /// A button's word: `single`, `double`, `1_single`.
    Action = "action", Presence, Word;
    /// Water where none should be.
    Leak = "leak", Measured, Flag;
    /// Smoke, as a detector's relay tells it.
    Smoke = "smoke", Measured, Flag;
    /// The medical or emergency button.
    EmergencyCall = "emergency_call", Presence, Flag;
    /// Mattress firmness, 0 soft to 100 hard, %.
    Firmness = "firmness", Setting, Share;
    /// Head section, 0 flat to 100 up, %.
    HeadPosition = "head_position", Setting, Share;
    /// Foot section, 0 flat to 100 up, %.
    FootPosition = "foot_position", Setting, Share;
    /// Cover or curtain, 0 closed to 100 open, %.
    CoverPosition = "cover_position", Setting, Share;
    /// Electric power drawn, W.
    PowerDrawn = "power_drawn", Measured, Watts;
    /// Electric energy counted, kWh.
    Energy = "energy", Measured, WattHours;
    /// Relative humidity, %.
    Humidity = "humidity", Measured, Share;
    /// Carbon dioxide, ppm.
    Co2 = "co2", Measured, Ppm;
    /// Light, lx.
    Illuminance = "illuminance", Measured, Lux;
    /// Outdoor air, C.
    OutdoorTemperature = "outdoor_temperature", Measured, Temperature;
    /// The lock is locked, or the device's keys are.
    Locked = "locked", Measured, Flag;
    /// The device was opened or torn off.
    Tamper = "tamper", Health, Flag;
    /// Battery, %.
    Battery = "battery", Health, Share;
    /// The device says its battery is low.
    BatteryLow = "battery_low", Health, Flag;
    /// The device reports a fault.
    Fault = "fault", Health, Flag;
    /// The maker's fault code.
    FaultCode = "fault_code", Health, Word;
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn serde_and_the_list_write_the_same_name() {
        for point in Point::ALL {
            assert_eq!(serde_json::to_value(point).unwrap(), point.name());
            assert_eq!(Point::from_name(point.name()), Some(*point));
        }
    }
}
