//! Which one thing can a device report, or be told?
//!
//! The list is closed: a profile that names another point is told the nearest one. What a maker calls a thing is the
//! profile's affair; what it is called here is the same for every maker.

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

macro_rules! points {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $role:ident;)*) => {
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

            /// Returns the point of this canonical name.
            pub fn from_name(name: &str) -> Option<Point> {
                match name { $($name => Some(Point::$variant),)* _ => None }
            }
        }
    };
}

points! {
    /// Air temperature at the thermostat, C.
    RoomTemperature = "room_temperature", Measured;
    /// The set-point in force, C.
    TargetTemperature = "target_temperature", Setting;
    /// What the unit is told to do: off, heat, cool, auto, dry, fan.
    HvacMode = "hvac_mode", Setting;
    /// The fan stage chosen.
    FanMode = "fan_mode", Setting;
    /// The fan stage that runs now.
    FanRunning = "fan_running", Measured;
    /// Vane or louvre position, as the maker numbers it.
    AirDirection = "air_direction", Setting;
    /// Heating output, %.
    Heating = "heating", Measured;
    /// Cooling output, %.
    Cooling = "cooling", Measured;
    /// Whether the unit calls for heat or cold now.
    Running = "running", Measured;
    /// The maker's preset: comfort, economy, protection.
    Preset = "preset", Setting;
    /// On or off.
    Power = "power", Setting;
    /// A door, window or drawer contact: true is open.
    Open = "open", Presence;
    /// A window contact wired to a thermostat: true is open.
    WindowOpen = "window_open", Measured;
    /// Somebody moves or is present, as a motion or presence sensor says.
    Occupied = "occupied", Presence;
    /// Somebody lies or sits on the bed.
    BedOccupied = "bed_occupied", Presence;
    /// Something shakes: a vibration sensor.
    Vibration = "vibration", Presence;
    /// The hotel key card is in its holder.
    KeyCard = "key_card", Presence;
    /// The privacy bolt is thrown from inside.
    Deadbolt = "deadbolt", Presence;
    /// Do not disturb.
    Dnd = "dnd", Presence;
    /// Make up room.
    MakeUpRoom = "make_up_room", Presence;
    /// The butler is called.
    ButlerCall = "butler_call", Presence;
    /// A button's word: `single`, `double`, `1_single`.
    Action = "action", Presence;
    /// Water where none should be.
    Leak = "leak", Measured;
    /// Smoke, as a detector's relay tells it.
    Smoke = "smoke", Measured;
    /// The medical or emergency button.
    EmergencyCall = "emergency_call", Presence;
    /// Mattress firmness, 0 soft to 100 hard, %.
    Firmness = "firmness", Setting;
    /// Head section, 0 flat to 100 up, %.
    HeadPosition = "head_position", Setting;
    /// Foot section, 0 flat to 100 up, %.
    FootPosition = "foot_position", Setting;
    /// Cover or curtain, 0 closed to 100 open, %.
    CoverPosition = "cover_position", Setting;
    /// Electric power drawn, W.
    PowerDrawn = "power_drawn", Measured;
    /// Electric energy counted, kWh.
    Energy = "energy", Measured;
    /// Relative humidity, %.
    Humidity = "humidity", Measured;
    /// Carbon dioxide, ppm.
    Co2 = "co2", Measured;
    /// Light, lx.
    Illuminance = "illuminance", Measured;
    /// Outdoor air, C.
    OutdoorTemperature = "outdoor_temperature", Measured;
    /// The lock is locked, or the device's keys are.
    Locked = "locked", Measured;
    /// The device was opened or torn off.
    Tamper = "tamper", Health;
    /// Battery, %.
    Battery = "battery", Health;
    /// The device says its battery is low.
    BatteryLow = "battery_low", Health;
    /// The device reports a fault.
    Fault = "fault", Health;
    /// The maker's fault code.
    FaultCode = "fault_code", Health;
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
