//! Which keys may a configuration file hold, and what are they when nobody writes them?
//!
//! These types are the schema: the checker, the published JSON schema and the reader all come from them. Every figure's
//! default is the engine's own (`model::property`), taken over here, never written twice.

use super::link::Link;
use super::words::Lasting;
use crate::model::{
    Arrival, Celsius, Coil, Department, DeviceId, DeviceRole, EnergyCode, Habits, Levels, Limits, LinkId, Percent,
    Plant, Point, Policies, Power, ProfileId, PropertyId, RoomId, Span, SuiteId, ZoneId,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// One configuration file. Several files of one folder are read as one.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields)]
pub struct File {
    /// The property itself. Must stand in one of the files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub property: Option<PropertySection>,
    /// What no command may leave, whoever asks.
    pub limits: LimitsSection,
    /// Set-points of rooms without a present guest.
    pub levels: LevelsSection,
    /// How arrivals are prepared.
    pub arrival: ArrivalSection,
    /// What the plant can give.
    pub power: PowerSection,
    /// How recurring wishes are foreseen.
    pub habits: HabitsSection,
    /// Water, smoke, a call for help.
    pub emergency: EmergencySection,
    /// How each kind of service is called for, by the need's name or the item's.
    pub services: BTreeMap<String, ServiceSection>,
    /// What is done at fixed times of the property's day.
    pub jobs: JobsSection,
    /// Brokers, buses, central, the PMS, the weather, by id.
    pub links: BTreeMap<LinkId, Link>,
    /// What is kept on disk.
    pub store: StoreSection,
    /// What the engineer can look at.
    pub observe: ObserveSection,
    /// Device profiles beyond the built-in ones.
    pub profiles: ProfilesSection,
    /// Rooms that are alike, by the template's name.
    pub template: BTreeMap<String, TemplateSection>,
    /// Which rooms are on which floor, by the floor's name: `"12" = ["1201..1212"]`.
    pub floors: BTreeMap<String, Vec<String>>,
    /// Rooms one by one.
    pub room: Vec<RoomSection>,
}

/// The property itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct PropertySection {
    /// The property's id, as the chain names it.
    pub id: PropertyId,
    /// Its time zone, an IANA name: `Europe/Vienna`.
    pub zone: String,
    /// Which way the plant can move a room's air this season.
    #[serde(default = "default_plant")]
    pub plant: Plant,
    /// The energy code that binds the property: its minima are then checked and kept, and a notebook is kept of each night.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<EnergyCode>,
    /// Where the property stands, degrees north of the equator: for the sun on its facades, with `longitude` and rooms that
    /// say where they face.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = -90.0, max = 90.0))]
    pub latitude: Option<f64>,
    /// And degrees east of Greenwich.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = -180.0, max = 180.0))]
    pub longitude: Option<f64>,
    /// The temperature for a guest of whom nothing is known, C.
    #[serde(default = "default_comfort")]
    pub comfort: Celsius,
    /// Whether bed firmness is set for the guest before arrival.
    #[serde(default = "default_prepare_firmness")]
    pub prepare_firmness: bool,
    /// A battery below this is reported, %.
    #[serde(default = "default_battery_low")]
    pub battery_low: Percent,
}

fn default_plant() -> Plant {
    Policies::default().plant
}
fn default_comfort() -> Celsius {
    Policies::default().comfort
}
fn default_prepare_firmness() -> bool {
    Policies::default().prepare_firmness
}
fn default_battery_low() -> Percent {
    Policies::default().battery_low
}

/// What no command may leave, whoever asks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields)]
pub struct LimitsSection {
    /// No set-point below this, C.
    pub temperature_min: Celsius,
    /// No set-point above this, C.
    pub temperature_max: Celsius,
    /// No mattress softer than this, %.
    pub firmness_min: Percent,
    /// No mattress harder than this, %.
    pub firmness_max: Percent,
}

impl Default for LimitsSection {
    fn default() -> Self {
        let Limits {
            temperature_min,
            temperature_max,
            firmness_min,
            firmness_max,
        } = Limits::default();
        Self {
            temperature_min,
            temperature_max,
            firmness_min,
            firmness_max,
        }
    }
}

impl From<&LimitsSection> for Limits {
    fn from(section: &LimitsSection) -> Self {
        let LimitsSection {
            temperature_min,
            temperature_max,
            firmness_min,
            firmness_max,
        } = *section;
        Self {
            temperature_min,
            temperature_max,
            firmness_min,
            firmness_max,
        }
    }
}

/// Set-points of rooms without a present guest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields)]
pub struct LevelsSection {
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
    pub deep_after: Lasting,
    /// While a guest is out, the room drifts no farther than it can come back in this time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub regain_within: Option<Lasting>,
}

impl Default for LevelsSection {
    fn default() -> Self {
        let levels = Levels::default();
        Self {
            unsold_heating: levels.unsold_heating,
            unsold_cooling: levels.unsold_cooling,
            vacant_heating: levels.vacant_heating,
            vacant_cooling: levels.vacant_cooling,
            out_shallow: levels.out_shallow,
            out_deep: levels.out_deep,
            deep_after: levels.deep_after.into(),
            regain_within: levels.regain_within.map(Lasting::from),
        }
    }
}

impl From<&LevelsSection> for Levels {
    fn from(section: &LevelsSection) -> Self {
        Self {
            unsold_heating: section.unsold_heating,
            unsold_cooling: section.unsold_cooling,
            vacant_heating: section.vacant_heating,
            vacant_cooling: section.vacant_cooling,
            out_shallow: section.out_shallow,
            out_deep: section.out_deep,
            deep_after: section.deep_after.into(),
            regain_within: section.regain_within.map(Span::from),
        }
    }
}

/// How arrivals are prepared.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields)]
pub struct ArrivalSection {
    /// The expected arrival is off by this much (one standard deviation).
    pub eta_spread: Lasting,
    /// The share of arrivals that may come before the room is ready, 0.001 to 0.5.
    #[schemars(range(min = 0.001, max = 0.5))]
    pub early_share: f64,
    /// The learnt time is multiplied by this, 1 to 5.
    #[schemars(range(min = 1.0, max = 5.0))]
    pub lead_factor: f64,
    /// And lengthened by this.
    pub lead_extra: Lasting,
    /// But never longer than this.
    pub lead_max: Lasting,
    /// No room is prepared longer before its announced arrival than this, where a code says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before_eta_max: Option<Lasting>,
    /// No more free rooms than this are kept nearly ready for guests who walk in; how many is learnt.
    #[schemars(range(min = 0, max = 500))]
    pub walk_in_pool_max: u16,
    /// In band: this near to the target, K.
    pub band: Celsius,
    /// Preparation ends when nobody came for so long after the expected arrival.
    pub no_show_after: Lasting,
    /// Items are asked for so long before the expected arrival.
    pub items_before: Lasting,
    /// Until something is learnt, a room warms this fast, K/h, 0.1 to 20.
    #[schemars(range(min = 0.1, max = 20.0))]
    pub heating_rate: f64,
    /// And cools this fast, K/h, 0.1 to 20.
    #[schemars(range(min = 0.1, max = 20.0))]
    pub cooling_rate: f64,
}

impl Default for ArrivalSection {
    fn default() -> Self {
        let arrival = Arrival::default();
        Self {
            eta_spread: arrival.eta_spread.into(),
            early_share: arrival.early_share,
            lead_factor: arrival.lead_factor,
            lead_extra: arrival.lead_extra.into(),
            lead_max: arrival.lead_max.into(),
            before_eta_max: arrival.before_eta_max.map(Lasting::from),
            walk_in_pool_max: arrival.walk_in_pool_max,
            band: arrival.band,
            no_show_after: arrival.no_show_after.into(),
            items_before: arrival.items_before.into(),
            heating_rate: arrival.heating_rate,
            cooling_rate: arrival.cooling_rate,
        }
    }
}

impl From<&ArrivalSection> for Arrival {
    fn from(section: &ArrivalSection) -> Self {
        Self {
            eta_spread: section.eta_spread.into(),
            early_share: section.early_share,
            lead_factor: section.lead_factor,
            lead_extra: section.lead_extra.into(),
            lead_max: section.lead_max.into(),
            before_eta_max: section.before_eta_max.map(Span::from),
            walk_in_pool_max: section.walk_in_pool_max,
            band: section.band,
            no_show_after: section.no_show_after.into(),
            items_before: section.items_before.into(),
            heating_rate: section.heating_rate,
            cooling_rate: section.cooling_rate,
        }
    }
}

/// What the plant can give.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields)]
pub struct PowerSection {
    /// So many rooms can be warmed, or cooled, at full output at once; not written: the plant suffices for all.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 5000))]
    pub rooms_at_full: Option<u32>,
    /// Whether that is what each floor's riser can give, and not the whole plant.
    pub by_floor: bool,
    /// Whether rooms without a present guest are set back further when it does not suffice.
    pub sheds: bool,
}

impl From<&PowerSection> for Power {
    fn from(section: &PowerSection) -> Self {
        let PowerSection {
            rooms_at_full,
            by_floor,
            sheds,
        } = *section;
        Self {
            rooms_at_full,
            by_floor,
            sheds,
        }
    }
}

/// How recurring wishes are foreseen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields)]
pub struct HabitsSection {
    /// Whether they are at all.
    pub enabled: bool,
    /// Asked for so long before the usual time.
    pub before: Lasting,
    /// From this score on the request is raised, 0 to 1.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub score_min: f64,
    /// At least so often seen.
    #[schemars(range(min = 1, max = 100))]
    pub hits_min: u16,
    /// At most so many in one stay.
    #[schemars(range(min = 0, max = 100))]
    pub per_stay_max: u16,
}

impl Default for HabitsSection {
    fn default() -> Self {
        let Habits {
            enabled,
            before,
            score_min,
            hits_min,
            per_stay_max,
        } = Habits::default();
        Self {
            enabled,
            before: before.into(),
            score_min,
            hits_min,
            per_stay_max,
        }
    }
}

impl From<&HabitsSection> for Habits {
    fn from(section: &HabitsSection) -> Self {
        let HabitsSection {
            enabled,
            before,
            score_min,
            hits_min,
            per_stay_max,
        } = *section;
        Self {
            enabled,
            before: before.into(),
            score_min,
            hits_min,
            per_stay_max,
        }
    }
}

/// Water, smoke, a call for help.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields)]
pub struct EmergencySection {
    /// An emergency that central has not acknowledged goes out locally after this.
    pub local_after: Lasting,
    /// And is called again after this.
    pub repeat: Lasting,
}

impl Default for EmergencySection {
    fn default() -> Self {
        let policies = Policies::default();
        Self {
            local_after: policies.emergency_local_after.into(),
            repeat: policies.emergency_repeat.into(),
        }
    }
}

/// How one kind of service is called for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct ServiceSection {
    /// Who serves it.
    pub department: Department,
    /// Which skill it takes, as central names it.
    pub skill: String,
    /// How many minutes it takes.
    #[schemars(range(min = 1, max = 480))]
    pub estimate_min: u16,
    /// Step by step, as keys into the service catalogue.
    #[serde(default)]
    pub steps: Vec<String>,
}

/// What is done at fixed times of the property's day: minute, hour, day of month, month, day of week; or `never`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields)]
pub struct JobsSection {
    /// A copy of the state is written, to go back to.
    pub export: String,
    /// What is past its time is erased.
    pub forget: String,
    /// Preferences without evidence for half a year are announced as dormant.
    pub dormant: String,
}

impl Default for JobsSection {
    fn default() -> Self {
        Self {
            export: "30 3 * * *".into(),
            forget: "0 4 * * *".into(),
            dormant: "30 4 1 * *".into(),
        }
    }
}

impl JobsSection {
    /// Each job's name and time, as written.
    pub fn each(&self) -> [(&'static str, &str); 3] {
        [
            ("export", &self.export),
            ("forget", &self.forget),
            ("dormant", &self.dormant),
        ]
    }
}

/// What is kept on disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields)]
pub struct StoreSection {
    /// The folder.
    pub dir: PathBuf,
    /// The file that holds the key by which records at rest are sealed; made with `innkeeper init`.
    pub key_file: PathBuf,
    /// The most that recorded events may fill, MiB.
    #[schemars(range(min = 1, max = 1_048_576))]
    pub journal_mib: u32,
    /// What waits for central.
    pub outbox: OutboxSection,
}

impl Default for StoreSection {
    fn default() -> Self {
        Self {
            dir: "/var/lib/innkeeper".into(),
            key_file: "/etc/innkeeper/store.key".into(),
            journal_mib: 256,
            outbox: OutboxSection::default(),
        }
    }
}

/// What waits for central, by class.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields)]
pub struct OutboxSection {
    /// Emergencies.
    pub emergency: ClassSection,
    /// Service requests.
    pub request: ClassSection,
    /// Promises and preferences.
    pub promise: ClassSection,
    /// State that the next message replaces.
    pub state: ClassSection,
}

impl Default for OutboxSection {
    fn default() -> Self {
        let class = |mib, days| ClassSection {
            mib,
            keep: Lasting::days(days),
        };
        Self {
            emergency: class(16, 30),
            request: class(64, 7),
            promise: class(64, 30),
            state: class(16, 1),
        }
    }
}

/// How much of one class waits, and how long.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct ClassSection {
    /// The most it may fill, MiB.
    #[schemars(range(min = 1, max = 65_536))]
    pub mib: u32,
    /// What is older is dropped, counted and told.
    pub keep: Lasting,
}

/// What the engineer can look at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields)]
pub struct ObserveSection {
    /// Where health, metrics and the board are served.
    pub listen: String,
    /// Whether `listen` may be an address that other machines reach. Nothing there asks for a password.
    pub allow_remote: bool,
    /// From which level on the log is written.
    pub log: LogLevel,
}

impl Default for ObserveSection {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:9464".into(),
            allow_remote: false,
            log: LogLevel::Info,
        }
    }
}

/// A level of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LogLevel {
    /// Somebody must act.
    Error,
    /// It healed itself.
    Warn,
    /// A person would notice the change.
    Info,
    /// For finding out why.
    Debug,
    /// Everything.
    Trace,
}

/// Device profiles beyond the built-in ones.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields)]
pub struct ProfilesSection {
    /// A folder of profiles; one of a built-in profile's id stands in its place. A path from the folder of this file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dir: Option<PathBuf>,
}

/// Rooms that are alike. `{room}` in a device's id or parameters, and `{floor}` in its link, stand for the room's own.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields)]
pub struct TemplateSection {
    /// The rooms made by it, one by one or as ranges: `["1201..1212", "1215"]`. Rooms that write `template` need not be
    /// listed.
    pub rooms: Vec<String>,
    /// Parts of the room with a climate of their own; none means the room is one.
    pub zones: Vec<ZoneId>,
    /// Where the windows look, degrees from north over east: 90 is east, 180 south.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 359))]
    pub faces: Option<u16>,
    /// What it takes of the plant at full output, % of what a usual room takes: a suite with two units has 200.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 10, max = 1000))]
    pub output_percent: Option<u16>,
    /// Whether the room has a thermostat that can be told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub climate: Option<bool>,
    /// Whether this room's mattress is set before arrival; `true` makes a mattress that cannot be told a fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prepare_firmness: Option<bool>,
    /// The devices of each room.
    pub device: Vec<DeviceSection>,
}

/// One room.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct RoomSection {
    /// The room's id, as on its door.
    pub id: RoomId,
    /// The template it follows; what is written here comes before the template.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<String>,
    /// Its floor, as people say it; before `[floors]`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub floor: Option<String>,
    /// Parts of the room with a climate of their own; none means the room is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zones: Option<Vec<ZoneId>>,
    /// Rooms it opens into; each must name the other.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub connects: Vec<RoomId>,
    /// The suite that it is part of: rooms of one suite are sold as one, and a stay in any of them has them all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suite: Option<SuiteId>,
    /// Out of order: never prepared.
    #[serde(default)]
    pub out_of_order: bool,
    /// Where the windows look, degrees from north over east: 90 is east, 180 south.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 359))]
    pub faces: Option<u16>,
    /// What it takes of the plant at full output, % of what a usual room takes: a suite with two units has 200.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 10, max = 1000))]
    pub output_percent: Option<u16>,
    /// Whether the room has a thermostat that can be told; yes unless written otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub climate: Option<bool>,
    /// Whether this room's mattress is set before arrival; `true` makes a mattress that cannot be told a fault.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prepare_firmness: Option<bool>,
    /// Devices of the template that this room does not have.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub without: Vec<DeviceId>,
    /// Its devices. One of the same id as a device of the template replaces the keys it writes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub device: Vec<DeviceSection>,
}

/// One device of a room or of a template.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct DeviceSection {
    /// The device's id; in a template with `{room}` in it: `thermostat-{room}`.
    pub id: String,
    /// Its model: the id of a device profile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<ProfileId>,
    /// The link it is on; in a template `{floor}` may stand in it: `bus-{floor}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// What it is there for, where its model does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<DeviceRole>,
    /// What carries the heat it gives, where its model does not tell: `direct` for electric heat and refrigerants.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coil: Option<Coil>,
    /// Which part of the room it is in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<ZoneId>,
    /// What the profile's topics leave open: `{ name = "room/1204/door" }`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub params: BTreeMap<String, String>,
    /// Its Modbus unit address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 255))]
    pub unit: Option<u8>,
    /// In a template: the unit address of the first room of each range; the next room has the next one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 255))]
    pub unit_from: Option<u8>,
    /// Which of a gateway's units it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index: Option<u16>,
    /// In a template: the gateway's unit of the first room of each range; the next room has the next one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index_from: Option<u16>,
    /// Buttons: which word of `action` means which wish: `{ "1_single" = "dnd" }`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub buttons: BTreeMap<String, Point>,
    /// What the device is told when the daemon stops: `{ target_temperature = 21 }`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub hand_back: BTreeMap<Point, HandBack>,
    /// Whether a profile that nobody has tried on the real device may command it; `false` only listens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allow_draft: Option<bool>,
}

/// A value as it is written: a number, a word, yes or no.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct HandBack(pub serde_json::Value);

impl JsonSchema for HandBack {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "HandBack".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": ["number", "string", "boolean"], "description": "a number, a word, true or false" })
    }
}
