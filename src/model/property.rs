//! What did the engineer decide about this property, in the engine's own words?
//!
//! `config/` makes this from the TOML files and the device profiles; the engine knows neither. Every figure has a default
//! here, and `config/innkeeper.example.toml` is those defaults.

use super::{
    Celsius, Department, DeviceId, Item, Percent, Point, ProfileId, PropertyId, RoomId, Span, SuiteId, Symbol, Value,
    ZoneId,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The whole property.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Property {
    /// Its id.
    pub id: PropertyId,
    /// Its time zone, an IANA name.
    pub zone: String,
    /// What no command may leave.
    pub limits: Limits,
    /// How it is run.
    pub policies: Policies,
    /// Its rooms.
    pub rooms: Vec<RoomSetup>,
}

/// The safety limits: below everything, central included.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Limits {
    /// No set-point below this, C.
    pub temperature_min: Celsius,
    /// No set-point above this, C.
    pub temperature_max: Celsius,
    /// No mattress softer than this.
    pub firmness_min: Percent,
    /// No mattress harder than this.
    pub firmness_max: Percent,
}

/// Which way the plant can move a room's air now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Plant {
    /// Warm water only.
    Heating,
    /// Cold water only.
    Cooling,
    /// Either; chosen by the air outside, else by what the room needs.
    Auto,
}

/// What an energy code asks of guest rooms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EnergyCode {
    /// The hotel clause of ASHRAE 90.1 (6.4.3.3.5) and the state codes made from it, such as Washington's C403.7.4.
    #[serde(rename = "ashrae_90_1")]
    Ashrae901,
}

/// The least that a code asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CodeMinima {
    /// A room that nobody has is not warmed above this, C.
    pub unrented_heating: Celsius,
    /// Nor cooled below this.
    pub unrented_cooling: Celsius,
    /// A room whose guest is out is set back by this, K.
    pub out_by: Celsius,
    /// Within this.
    pub out_within: Span,
    /// And brought back no longer than this before the guest is to come.
    pub before_arrival: Span,
}

impl EnergyCode {
    /// What it asks for: 60 F, 80 F and 4 F, to the half degree that devices can be set to.
    pub const fn minima(self) -> CodeMinima {
        match self {
            EnergyCode::Ashrae901 => CodeMinima {
                unrented_heating: c(1600),
                unrented_cooling: c(2650),
                out_by: c(200),
                out_within: Span::minutes(30),
                before_arrival: Span::minutes(60),
            },
        }
    }
}

/// How the property is run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Policies {
    /// Which way the plant can go.
    pub plant: Plant,
    /// The energy code that binds the property, if one does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<EnergyCode>,
    /// Where the property stands, for the sun on its facades.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// The temperature for a guest of whom nothing is known, C.
    pub comfort: Celsius,
    /// Set-points of rooms without a present guest.
    pub levels: Levels,
    /// How arrivals are prepared.
    pub arrival: Arrival,
    /// What the plant can give.
    #[serde(default)]
    pub power: Power,
    /// How recurring wishes are foreseen.
    pub habits: Habits,
    /// Whether bed firmness is set for the guest before arrival.
    pub prepare_firmness: bool,
    /// A battery below this is reported.
    pub battery_low: Percent,
    /// An unanswered emergency goes out locally after this.
    pub emergency_local_after: Span,
    /// And is called again after this.
    pub emergency_repeat: Span,
    /// How each kind of service is called for, by the need's name or by the item's.
    pub services: BTreeMap<String, CallService>,
}

/// Set-points of rooms without a present guest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Levels {
    /// Unsold, heating, C.
    pub unsold_heating: Celsius,
    /// Unsold, cooling, C.
    pub unsold_cooling: Celsius,
    /// Sold but not yet arrived, heating, C.
    pub vacant_heating: Celsius,
    /// Sold but not yet arrived, cooling, C.
    pub vacant_cooling: Celsius,
    /// The guest is out, first stage: so far from comfort, K.
    pub out_shallow: Celsius,
    /// The guest is out for long, second stage: so far from comfort, K.
    pub out_deep: Celsius,
    /// From the first stage to the second.
    pub deep_after: Span,
    /// While a guest is out, the room drifts no farther than it can come back in this time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub regain_within: Option<Span>,
}

/// How arrivals are prepared.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Arrival {
    /// The expected arrival is off by this much (one standard deviation).
    pub eta_spread: Span,
    /// The share of arrivals that may come before the room is ready.
    pub early_share: f64,
    /// The learnt time is multiplied by this.
    pub lead_factor: f64,
    /// And lengthened by this.
    pub lead_extra: Span,
    /// But never longer than this.
    pub lead_max: Span,
    /// No room is prepared longer before its announced arrival than this, where a code says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before_eta_max: Option<Span>,
    /// No more free rooms than this are kept nearly ready for guests who walk in.
    #[serde(default)]
    pub walk_in_pool_max: u16,
    /// In band: this near to the target, K.
    pub band: Celsius,
    /// Preparation ends when nobody came for so long after the ETA.
    pub no_show_after: Span,
    /// Items are asked for so long before the ETA.
    pub items_before: Span,
    /// Until something is learnt, a room warms this fast, K/h.
    pub heating_rate: f64,
    /// And cools this fast, K/h.
    pub cooling_rate: f64,
}

/// What the plant can give.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Power {
    /// So many rooms can be warmed, or cooled, at full output at once; none where the plant suffices for all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rooms_at_full: Option<u32>,
    /// Whether the figure is of each floor's riser and not of the whole property.
    #[serde(default)]
    pub by_floor: bool,
    /// Whether rooms without a present guest are set back when it does not suffice.
    #[serde(default)]
    pub sheds: bool,
}

/// How recurring wishes are foreseen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Habits {
    /// Whether they are at all.
    pub enabled: bool,
    /// Asked for so long before the usual time.
    pub before: Span,
    /// From this score on the request is raised (0 to 1).
    pub score_min: f64,
    /// At least so often seen.
    pub hits_min: u16,
    /// At most so many in one stay.
    pub per_stay_max: u16,
}

/// How one kind of service is called for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CallService {
    /// Who serves it.
    pub department: Department,
    /// Which skill it takes.
    pub skill: String,
    /// How many minutes it takes.
    pub estimate_min: u16,
    /// Step by step.
    pub steps: Vec<String>,
}

/// What carries heat in a room's coil.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Coil {
    /// Water: it gives the more, the further the room is from it.
    #[default]
    Water,
    /// Electric heat, or a refrigerant: it gives the same in any room.
    Direct,
}

/// Where the property stands.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Place {
    /// Degrees north of the equator.
    pub latitude: f64,
    /// Degrees east of Greenwich.
    pub longitude: f64,
}

/// What a device is there for, where its model alone does not tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema, Default)]
#[serde(rename_all = "snake_case")]
pub enum DeviceRole {
    /// As its points say.
    #[default]
    Plain,
    /// The contact on the room's entrance door.
    Door,
    /// The contact on a window.
    Window,
    /// The contact on a balcony door.
    Balcony,
    /// The contact on a connecting door.
    Connecting,
    /// The contact on the minibar.
    Minibar,
    /// The contact on the safe.
    Safe,
    /// A device that tells nothing about people: a plug of the minibar, a corridor sensor.
    Apart,
}

/// No suite has more rooms: more is a floor, and a slip of the pen.
pub const SUITE_ROOMS_MAX: usize = 8;

/// One room.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RoomSetup {
    /// Its id.
    pub id: RoomId,
    /// Its floor, as people say it.
    pub floor: Option<String>,
    /// Its zones; none means the room is one.
    pub zones: Vec<ZoneId>,
    /// Rooms it opens into.
    pub connects: Vec<RoomId>,
    /// The suite that it is part of: a stay in any room of it has them all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suite: Option<SuiteId>,
    /// Where its windows look, degrees from north over east.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub faces: Option<u16>,
    /// What it takes of the plant at full output, % of what a usual room takes.
    #[serde(default = "as_usual", skip_serializing_if = "is_as_usual")]
    pub output_percent: u16,
    /// Out of order: never prepared.
    pub out_of_order: bool,
    /// Its devices.
    pub devices: Vec<DeviceSetup>,
}

/// One device of a room.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DeviceSetup {
    /// Its id.
    pub id: DeviceId,
    /// Its model.
    pub profile: ProfileId,
    /// Which part of the room.
    pub zone: Option<ZoneId>,
    /// What it is there for.
    pub role: DeviceRole,
    /// What carries the heat that it gives.
    #[serde(default)]
    pub coil: Coil,
    /// The step of the temperature it reports, K, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reading_step_k: Option<f64>,
    /// What it can report.
    pub reports: Vec<Point>,
    /// Which of these a guest changes by hand.
    pub guest_points: Vec<Point>,
    /// What it can be told.
    pub abilities: Vec<Ability>,
    /// Buttons: which word of `action` means which wish.
    pub buttons: BTreeMap<Symbol, Point>,
    /// A device silent for longer is offline.
    pub silent_after: Span,
    /// For so long after a command, the same value coming back is its echo.
    pub echo_within: Span,
    /// For so long after a command, what the device reports proves nothing.
    pub settle: Span,
    /// What the device is told when the daemon stops, so that it keeps the room by itself.
    pub hand_back: Vec<(Point, Value)>,
}

/// One thing a device can be told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ability {
    /// What about.
    pub point: Point,
    /// The least it takes, in the point's unit.
    pub min: Option<f64>,
    /// The most.
    pub max: Option<f64>,
    /// The step.
    pub step: Option<f64>,
    /// The words it takes.
    pub words: Vec<String>,
    /// Whether the device shows that it obeyed, and within which time.
    pub confirm_within: Option<Span>,
    /// How near the shown value must be.
    pub tolerance: f64,
    /// Not told more often than this.
    pub gap_min: Span,
    /// Nor more often in a day: device memories wear out.
    pub per_day_max: u32,
}

impl Ability {
    /// Returns the value nearest to a wished number that the device takes: held in its range, on its step.
    pub fn nearest(&self, wish: f64) -> f64 {
        let low = self.min.unwrap_or(f64::MIN);
        let stepped = match self.step {
            Some(step) if step > 0.0 => {
                let base = if self.min.is_some() { low } else { 0.0 };
                let top = self
                    .max
                    .map_or(f64::MAX, |max| base + ((max - base) / step + 1e-9).floor() * step);
                (base + ((wish - base) / step).round() * step).min(top)
            }
            _ => wish,
        };
        stepped.min(self.max.unwrap_or(f64::MAX)).max(low)
    }
}

const fn as_usual() -> u16 {
    RoomSetup::USUAL_OUTPUT
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde asks")]
const fn is_as_usual(percent: &u16) -> bool {
    *percent == RoomSetup::USUAL_OUTPUT
}

impl RoomSetup {
    /// What a usual room takes of the plant at full output, %.
    pub const USUAL_OUTPUT: u16 = 100;

    /// What it takes of the plant at full output, in usual rooms.
    pub fn in_usual_rooms(&self) -> f64 {
        f64::from(self.output_percent) / 100.0
    }

    /// Returns the first device that can be told about this point.
    pub fn actuator(&self, point: Point) -> Option<(&DeviceSetup, &Ability)> {
        self.devices
            .iter()
            .find_map(|device| device.abilities.iter().find(|a| a.point == point).map(|a| (device, a)))
    }
}

const fn c(hundredths: i32) -> Celsius {
    Celsius::from_hundredths(hundredths)
}

impl Default for Limits {
    fn default() -> Self {
        let (firmness_min, firmness_max) = (Percent::MIN, Percent::MAX);
        Self {
            temperature_min: c(1200),
            temperature_max: c(2800),
            firmness_min,
            firmness_max,
        }
    }
}

impl Default for Levels {
    fn default() -> Self {
        Self {
            unsold_heating: c(1600),
            unsold_cooling: c(2800),
            vacant_heating: c(1800),
            vacant_cooling: c(2700),
            out_shallow: c(100),
            out_deep: c(200),
            deep_after: Span::minutes(45),
            regain_within: None,
        }
    }
}

impl Default for Arrival {
    fn default() -> Self {
        Self {
            eta_spread: Span::minutes(45),
            early_share: 0.02,
            lead_factor: 1.3,
            lead_extra: Span::minutes(10),
            lead_max: Span::minutes(240),
            before_eta_max: None,
            walk_in_pool_max: 0,
            band: c(50),
            no_show_after: Span::hours(4),
            items_before: Span::minutes(90),
            heating_rate: 2.0,
            cooling_rate: 2.5,
        }
    }
}

impl Default for Habits {
    fn default() -> Self {
        Self {
            enabled: true,
            before: Span::minutes(10),
            score_min: 0.4,
            hits_min: 1,
            per_stay_max: 4,
        }
    }
}

impl Default for Policies {
    fn default() -> Self {
        Self {
            plant: Plant::Auto,
            code: None,
            place: None,
            comfort: c(2200),
            levels: Levels::default(),
            arrival: Arrival::default(),
            power: Power::default(),
            habits: Habits::default(),
            prepare_firmness: true,
            battery_low: Percent::from_hundredths(1500),
            emergency_local_after: Span::seconds(5),
            emergency_repeat: Span::minutes(1),
            services: BTreeMap::new(),
        }
    }
}

impl CallService {
    /// How a need is called for unless the property says otherwise.
    pub fn usual(need: super::Need, item: Option<&Item>) -> CallService {
        use super::Need;
        let (department, skill, estimate_min) = match need {
            Need::ArrivalItems => (Department::Housekeeping, "amenities", 10),
            Need::Routine => (Department::RoomService, "delivery", 10),
            Need::MakeUpRoom => (Department::Housekeeping, "room", 30),
            Need::Battery => (Department::Engineering, "devices", 10),
            Need::DeviceOffline => (Department::Engineering, "devices", 20),
            Need::CannotReach => (Department::Engineering, "climate", 30),
            Need::SensorFault => (Department::Engineering, "devices", 20),
            Need::Welfare => (Department::FrontOffice, "welfare", 10),
            Need::UnsoldOccupied => (Department::FrontOffice, "rooms", 10),
            Need::Emergency => (Department::Security, "first-response", 10),
        };
        let checks: &[&str] = match need {
            Need::SensorFault => &["check-fastening", "check-battery-and-cable", "trigger-by-hand"],
            Need::Welfare => &["call-the-room", "knock", "enter-with-a-second-person"],
            Need::UnsoldOccupied => &["compare-with-the-desk", "knock"],
            _ => &[],
        };
        let bring = item.map(|item| format!("bring-{item}"));
        let steps = bring
            .into_iter()
            .chain(checks.iter().map(|check| (*check).to_owned()))
            .collect();
        CallService {
            department,
            skill: skill.into(),
            estimate_min,
            steps,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wish_is_brought_to_what_the_device_takes() {
        let ability = |min, max, step| Ability {
            point: Point::TargetTemperature,
            min,
            max,
            step,
            words: vec![],
            confirm_within: None,
            tolerance: 0.05,
            gap_min: Span::ZERO,
            per_day_max: 48,
        };
        assert_eq!(ability(Some(16.0), Some(30.0), Some(0.5)).nearest(23.8), 24.0);
        assert_eq!(ability(Some(16.0), Some(30.0), Some(1.0)).nearest(35.0), 30.0);
        assert_eq!(ability(Some(16.0), Some(29.5), Some(1.0)).nearest(35.0), 29.0);
        assert_eq!(ability(None, None, None).nearest(23.87), 23.87);
    }
}
