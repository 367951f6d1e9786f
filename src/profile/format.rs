//! What may be written in a device profile, and how?
//!
//! These types are the format, one to one: the JSON schema is made from them, and every key's meaning stands here once.
//! What the keys mean together is checked by the lint of this module.

use super::words::{OneOrMany, Ordered, Scalar, Template};
use crate::model::{Point, ProfileId, Unit};
use crate::strict::Length;
use schemars::JsonSchema;
use serde::Deserialize;

/// One model of device (or one class of alike devices), as its file says.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "innkeeper device profile")]
pub struct File {
    /// The version of the format: 1.
    #[schemars(range(min = 1, max = 1))]
    pub schema: u32,
    /// The profile's id; the file is named after it.
    pub id: ProfileId,
    /// Raised with every change of meaning.
    #[schemars(range(min = 1))]
    pub revision: u32,
    /// What sort of device it is.
    pub kind: DeviceKind,
    /// Maker and model, as an engineer would look for it.
    pub title: String,
    /// How well the profile is founded.
    pub trust: Trust,
    /// Where the facts come from.
    #[schemars(length(min = 1))]
    pub source: Vec<Source>,
    /// What an engineer must know before relying on it.
    #[serde(default)]
    pub caveat: Vec<Caveat>,
    /// How the device is recognised.
    #[serde(rename = "match")]
    pub recognise: Option<Match>,
    /// How it is reached.
    pub link: Link,
    /// Many alike units behind one address.
    pub instances: Option<Instances>,
    /// What the engineer must, or may, say of each device: the `{placeholders}` used in topics and keys.
    #[serde(default)]
    pub parameter: Ordered<Parameter>,
    /// What it reports.
    #[serde(default)]
    #[schemars(with = "super::words::PointTable<PointSpec>")]
    pub point: Ordered<PointSpec>,
    /// What it can be told.
    #[serde(default)]
    #[schemars(with = "super::words::PointTable<CommandSpec>")]
    pub command: Ordered<CommandSpec>,
    /// Registers that must be written together.
    #[serde(default)]
    pub block: Ordered<BlockSpec>,
    /// Orders of commands.
    #[serde(default)]
    pub recipe: Recipes,
    /// Examples that prove the profile, in the row forms of `device-profiles/tests/`.
    #[serde(default)]
    pub example: Vec<serde_json::Value>,
}

/// What sort of device it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, serde::Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the words are the trade's own")]
pub enum DeviceKind {
    Thermostat,
    FcuThermostat,
    Trv,
    AcUnit,
    AcGateway,
    VrfGateway,
    HotelRoomController,
    FcuController,
    ClimateSensor,
    Contact,
    Motion,
    Leak,
    Smoke,
    Vibration,
    BedPresence,
    BedBase,
    Mattress,
    Plug,
    Switch,
    Panel,
    Button,
    CallButton,
    KeyCardSwitch,
    Cover,
    Lock,
    Light,
    Meter,
    Occupancy,
}

/// How well a profile is founded. A draft may decode, but not command unless the site allows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, serde::Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Trust {
    /// Assembled from a description; nothing of it was seen on a wire.
    Draft,
    /// From a kept, public template that others use on real devices.
    Template,
    /// From the maker's own document.
    Maker,
    /// Proven against recorded output of the real software or device.
    Measured,
}

/// Where a fact comes from.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// Which facts.
    pub what: String,
    /// The document, page, repository and revision.
    #[serde(rename = "ref")]
    pub at: String,
}

/// What an engineer must know.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Caveat {
    /// The fact and what to do about it, in a sentence or two.
    pub text: String,
    /// Where more stands: an address.
    pub link: Option<String>,
}

/// How the device is recognised.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Match {
    /// Which inventory tells of it: `zigbee2mqtt`, `chirpstack`, `ttn`, `inels`, ...
    pub via: String,
    /// Models, as the inventory writes them; a match by model beats every match by what is exposed.
    #[serde(default)]
    pub model: Vec<String>,
    /// What the device must expose, all of it.
    #[serde(default)]
    pub exposes: Vec<Want>,
    /// What it must not expose.
    #[serde(default)]
    pub without: Vec<Want>,
    /// The network server's device profile names.
    #[serde(default)]
    pub device_profile: Vec<String>,
    /// What a device that could be two things mainly is: the higher rank wins, 50 when not said.
    #[schemars(range(min = 0, max = 100))]
    pub rank: Option<u8>,
}

/// One thing that must be exposed: its property name, or more about it.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Want {
    /// By property name alone.
    Name(String),
    /// With type, unit or place.
    Full(FullWant),
}

/// One thing that must be exposed, in full.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FullWant {
    /// Its property name, or several of which one is enough.
    pub name: OneOrMany,
    /// `binary`, `numeric`, `enum` or `text`.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// Its unit as the inventory writes it: `°C`, `%`, `W`.
    pub unit: Option<String>,
    /// The words it must know, all of them.
    #[serde(default)]
    pub values: Vec<String>,
    /// The composite it must stand in: `climate`, `cover`, `lock`, `switch`.
    #[serde(rename = "in")]
    pub within: Option<String>,
    /// True when it comes once for each gang or end point (`state_l1`, `state_l2`); `name` is then the bare name.
    #[serde(default)]
    pub gangs: bool,
}

/// How the device is reached.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Link {
    /// JSON documents over MQTT.
    MqttJson(MqttLink),
    /// Plain text over MQTT: one topic for each point.
    MqttText(MqttLink),
    /// Registers over Modbus.
    Modbus(ModbusLink),
}

/// How an MQTT device is reached. `{placeholders}` in topics are the profile's parameters.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MqttLink {
    /// The topic or topics of its state.
    #[serde(default)]
    pub state: OneOrMany,
    /// The topic that commands go to, where a command does not name its own.
    pub set: Option<String>,
    /// Whether the device is there.
    pub availability: Option<StateTopic>,
    /// Whether the bridge before it is there.
    pub bridge: Option<StateTopic>,
    /// Where the bridge complains about commands.
    pub errors: Option<ErrorTopic>,
    /// Where the network tells that a command failed.
    pub fail: Option<StateTopic>,
    /// The device's own time, in each state document.
    pub time: Option<TimeKey>,
    /// The key that names a message for ever, so that one delivered twice counts once.
    pub dedup: Option<String>,
    /// The key below which the device's own keys stand.
    pub root: Option<String>,
    /// Whether a state document is an object (the rule) or a list.
    pub payload: Option<PayloadForm>,
    /// What commands are wrapped in; `"$put"` stands for the command.
    #[schemars(with = "Option<super::words::AnyTable>")]
    pub wrap: Option<Template>,
    /// A key that only news carries: a document without it is the bridge repeating what it has stored.
    pub live_if: Option<String>,
    /// What an absent key means.
    pub absent: Option<Absent>,
    /// What `null` means.
    pub null: Option<Null>,
    /// What an empty payload means.
    pub empty_payload: Option<EmptyPayload>,
    /// Whether numbers come as text.
    pub coerce: Option<Coerce>,
    /// Whether the bridge repeats a command as state at once.
    pub echo: Option<Echo>,
    /// For so long after a command the same value coming back is its echo.
    pub echo_within: Option<Length>,
    /// For so long after a command what the device reports proves nothing.
    pub settle: Option<Length>,
    /// A device silent for longer is offline.
    pub silent_after: Option<Length>,
    /// When a command reaches a sleeping device.
    pub latency: Option<Latency>,
}

/// A topic that tells whether something is there.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StateTopic {
    /// The topic.
    pub topic: String,
    /// The key of the word in a JSON payload; without it the payload is the word.
    pub json: Option<String>,
    /// The words that mean yes.
    #[serde(default)]
    pub up: Vec<String>,
    /// The words that mean no.
    #[serde(default)]
    pub down: Vec<String>,
}

/// A topic of complaints.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ErrorTopic {
    /// The topic.
    pub topic: String,
    /// The key of the complaint's text.
    pub json: String,
    /// What other keys must say for it to be a complaint.
    #[serde(default)]
    pub when: Ordered<String>,
}

/// The device's own time.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TimeKey {
    /// The key.
    pub json: String,
    /// How it is written.
    pub format: TimeFormat,
}

/// How a time is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TimeFormat {
    /// `2026-11-21T16:30:00Z`.
    Iso8601,
    /// Seconds since 1970.
    UnixSeconds,
    /// Milliseconds since 1970.
    UnixMillis,
}

macro_rules! one_word {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident),* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$vdoc])* $variant),* }
    };
}
one_word!(
    /// What an absent key means.
    Absent {
        /// The value is as it was.
        Unchanged
    }
);
one_word!(
    /// What `null` means.
    Null {
        /// The device does not know.
        Unknown
    }
);
one_word!(
    /// What an empty payload means.
    EmptyPayload {
        /// The device was renamed or removed.
        Forgotten
    }
);
one_word!(
    /// Whether numbers come as text.
    Coerce {
        /// `"1.00"` is 1.
        NumberText
    }
);
one_word!(
    /// Whether a command comes back as state before the device obeyed.
    Echo {
        /// At once, before the device did anything, with the device's old time.
        Optimistic,
        /// Never.
        None
    }
);
one_word!(
    /// When a command reaches a sleeping device.
    Latency {
        /// At once when it listens always, otherwise after its next message.
        ClassCOrNextUplink,
        /// After its next message.
        NextUplink
    }
);
one_word!(
    /// The form of a state document.
    PayloadForm {
        /// `{ ... }`.
        Object,
        /// `[ ... ]`; paths begin with a place, from 0.
        List
    }
);
one_word!(
    /// What a change of the point tells of.
    Evidence {
        /// A change that we did not command is the guest's choice.
        Guest
    }
);

/// How a Modbus device is reached.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ModbusLink {
    /// The framings it speaks, the usual one first.
    #[schemars(length(min = 1))]
    pub framing: Vec<Framing>,
    /// The line's settings as delivered.
    pub serial: Option<Serial>,
    /// Its address on the line.
    pub unit: Option<UnitAddress>,
    /// The port of Modbus/TCP; 502 when not said.
    pub port: Option<u16>,
    /// The longest time it takes to answer.
    pub reply: Option<Length>,
    /// Silence before each request, on top of the line's own 3.5 characters.
    pub gap: Option<Length>,
    /// Silence kept after a missing or malformed answer.
    pub quarantine: Option<Length>,
    /// Silence between opening the connection and the first request.
    pub connect_delay: Option<Length>,
    /// The most registers in one read; 125 when not said.
    #[schemars(range(min = 1, max = 125))]
    pub max_read: Option<u16>,
    /// The most registers in one write; 123 when not said.
    #[schemars(range(min = 1, max = 123))]
    pub max_write: Option<u16>,
    /// So many unused registers are read through to save a request.
    #[schemars(range(max = 100))]
    pub hole: Option<u16>,
    /// Ranges that one read may not leave.
    #[serde(default)]
    pub group: Vec<Group>,
    /// The order of the two words of a 32-bit value; high first when not said.
    pub word_order: Option<WordOrder>,
    /// The function that writes one register (6 or 16), where a write does not say its own.
    pub function: Option<WriteFunction>,
    /// A register by which the model is known.
    pub probe: Option<Probe>,
    /// A register to be written again and again, so that the device knows its master is alive.
    pub heartbeat: Option<Heartbeat>,
    /// Whether a command comes back as state at once.
    pub echo: Option<Echo>,
    /// For so long after a command the same value coming back is its echo.
    pub echo_within: Option<Length>,
    /// For so long after a command what the device reports proves nothing.
    pub settle: Option<Length>,
    /// A device silent for longer is offline.
    pub silent_after: Option<Length>,
}

/// How registers travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Framing {
    /// A serial line.
    Rtu,
    /// Serial frames through a transparent server.
    RtuOverTcp,
    /// Modbus/TCP.
    Tcp,
}

/// A serial line's settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Serial {
    /// Bits a second.
    #[schemars(range(min = 300, max = 1000000))]
    pub baud: u32,
    /// The parity bit.
    pub parity: Parity,
    /// Stop bits.
    #[schemars(range(min = 1, max = 2))]
    pub stop: u8,
}

/// The parity bit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Parity {
    /// None.
    None,
    /// Even.
    Even,
    /// Odd.
    Odd,
}

/// The addresses a device may have on its line.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UnitAddress {
    /// As delivered.
    pub default: u8,
    /// The least.
    pub min: u8,
    /// The most.
    pub max: u8,
}

/// A range of registers that one read may not leave.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// In which table.
    pub table: Table,
    /// The first register.
    pub from: u16,
    /// The last.
    pub to: u16,
}

/// The four tables of Modbus.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, serde::Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Table {
    /// Single bits, read and written (functions 1, 5, 15).
    Coil,
    /// Single bits, read (function 2).
    Discrete,
    /// Registers, read and written (functions 3, 6, 16).
    Holding,
    /// Registers, read (function 4).
    Input,
}

/// Which word of a 32-bit value comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WordOrder {
    /// The high word, as the standard does.
    #[default]
    HighFirst,
    /// The low word.
    LowFirst,
}

/// The function code that writes registers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "u8")]
pub enum WriteFunction {
    /// 6: one register.
    Single,
    /// 16: one or more registers.
    Multiple,
}

impl TryFrom<u8> for WriteFunction {
    type Error = String;
    fn try_from(code: u8) -> Result<Self, String> {
        match code {
            6 => Ok(Self::Single),
            16 => Ok(Self::Multiple),
            _ => Err(format!("function {code} writes no register; write 6 or 16")),
        }
    }
}

impl JsonSchema for WriteFunction {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "WriteFunction".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        // Which of the numbers between is none is told by `try_from`, with what to write instead.
        schemars::json_schema!({ "type": "integer", "minimum": 6, "maximum": 16 })
    }
}

/// A register by which the model is known.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Probe {
    /// In which table.
    pub table: Table,
    /// Its address.
    pub addr: u16,
    /// What it must read, one of these.
    pub value: OneOrManyNumbers,
    /// Only these bits of it count.
    pub mask: Option<u16>,
}

/// One number or several.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum OneOrManyNumbers {
    /// One.
    One(u16),
    /// Several.
    Many(Vec<u16>),
}

/// A register to be written again and again.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Heartbeat {
    /// In which table: `holding` or `coil`.
    pub table: Table,
    /// Its address.
    pub addr: u16,
    /// What is written; several are written in turn.
    pub value: OneOrManyNumbers,
    /// How often.
    pub every: Length,
    /// The function that writes it.
    pub function: Option<WriteFunction>,
}

/// Many alike units behind one address.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Instances {
    /// The numbers they may have.
    pub index: IndexRange,
    /// Bits that tell which of them exist.
    pub present: Option<FlagBits>,
    /// Bits that tell which of them cannot be reached.
    pub fault: Option<FlagBits>,
}

/// The numbers that units behind a gateway may have.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IndexRange {
    /// The least.
    pub min: u16,
    /// The most.
    pub max: u16,
}

/// A row of bits, one for each unit.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FlagBits {
    /// In which table.
    pub table: Table,
    /// The register that bits are counted from.
    pub addr: u16,
    /// The bit of unit 0, counted from the least bit of `addr` through the registers after it.
    pub bit0: u16,
}

/// One placeholder that an engineer fills for each device.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Parameter {
    /// What to write.
    pub what: String,
    /// What it is when nothing is written. An empty text means "not wired": points that use it are left out.
    pub default: Option<String>,
}

/// The form of a point's or a command's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ValueForm {
    /// A number.
    Number,
    /// True or false.
    Bool,
    /// One of the words of `map`.
    Enum,
    /// Any short word, as the device says it (buttons, fault codes).
    Word,
}

/// One thing the device reports.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PointSpec {
    /// The form of its value.
    pub kind: ValueForm,
    /// MQTT: the key it stands under, `a.b` for a key within a key, `a.0` for a place in a list; of several the first
    /// that is present.
    pub from: Option<OneOrMany>,
    /// MQTT: another key says which key it stands under.
    pub choose: Option<Choose>,
    /// MQTT: the topic it comes on, where that is not the state topic. Without `from` the whole payload is its text.
    pub topic: Option<String>,
    /// Modbus: where it stands.
    pub at: Option<At>,
    /// The unit of its number.
    pub unit: Option<Unit>,
    /// The raw number times this ...
    pub scale: Option<f64>,
    /// ... plus this is the value.
    pub offset: Option<f64>,
    /// The least and the most that can be true.
    pub valid: Option<[f64; 2]>,
    /// Raw values the maker keeps for "no value".
    #[serde(default)]
    pub invalid: Vec<Scalar>,
    /// Raw value = what it means.
    pub map: Option<Ordered<Scalar>>,
    /// Modbus: how often it is read.
    pub poll: Option<Length>,
    /// Only a change is an event; repeats are signs of life.
    #[serde(default)]
    pub edge: bool,
    /// Not every device of this profile has it.
    #[serde(default)]
    pub optional: bool,
    /// What a change of it tells of.
    pub evidence: Option<Evidence>,
}

/// A key that says under which key a point stands.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Choose {
    /// The key that decides.
    pub by: String,
    /// Its word = the key to read; any other word leaves the choice to `from`.
    pub from: Ordered<String>,
}

/// Where a point stands among the registers: `addr`, or `base` + `stride` x instance + `word`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct At {
    /// In which table.
    pub table: Table,
    /// Its address on the wire, counted from 0.
    pub addr: Option<u16>,
    /// Gateways: the address of instance 0 ...
    pub base: Option<u16>,
    /// ... registers from one instance to the next ...
    pub stride: Option<u16>,
    /// ... and the place within an instance.
    pub word: Option<u16>,
    /// How the words are read; `u16` when not said.
    #[serde(rename = "type")]
    pub form: Option<WordForm>,
    /// The first and the last bit, counted from the least.
    pub bits: Option<[u8; 2]>,
    /// The bits that count, as a mask; they are moved down to the least.
    pub mask: Option<u16>,
    /// The order of the two words of a 32-bit value.
    pub word_order: Option<WordOrder>,
}

/// How words are read as a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WordForm {
    /// 16 bits without sign.
    #[default]
    U16,
    /// 16 bits with sign.
    I16,
    /// 32 bits without sign.
    U32,
    /// 32 bits with sign.
    I32,
    /// 32 bits IEEE 754.
    F32,
}

impl WordForm {
    /// How many registers it takes.
    pub const fn words(self) -> u16 {
        match self {
            WordForm::U16 | WordForm::I16 => 1,
            WordForm::U32 | WordForm::I32 | WordForm::F32 => 2,
        }
    }
}

/// One thing the device can be told.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CommandSpec {
    /// What it takes.
    pub arg: Arg,
    /// MQTT: the JSON to send; `"$arg"` stands for the value.
    #[schemars(with = "Option<super::words::AnyTable>")]
    pub put: Option<Template>,
    /// MQTT: another JSON while a point of the device says so.
    #[serde(default)]
    pub put_when: Vec<PutWhen>,
    /// MQTT: the topic, where it is not the link's `set`.
    pub topic: Option<String>,
    /// MQTT: the text to send; `$arg` stands for the value.
    pub text: Option<String>,
    /// Modbus: what is written, in this order.
    #[serde(default)]
    pub write: Vec<WriteSpec>,
    /// Modbus: the block that is written whole.
    pub block: Option<String>,
    /// How it is known that the device obeyed.
    pub confirm: Option<Confirm>,
    /// How often it may be told: device memories wear out.
    pub budget: Budget,
}

/// JSON to send while a point of the device has a certain value.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PutWhen {
    /// The point.
    pub point: Point,
    /// Its value, one of these.
    #[schemars(length(min = 1))]
    pub is: Vec<Scalar>,
    /// The JSON to send.
    #[schemars(with = "super::words::AnyTable")]
    pub put: Template,
}

/// What a command takes.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Arg {
    /// The form of the value.
    pub kind: ValueForm,
    /// Its unit.
    pub unit: Option<Unit>,
    /// The least.
    pub min: Option<f64>,
    /// The most.
    pub max: Option<f64>,
    /// The step, counted from `min`.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub step: Option<f64>,
    /// MQTT: the number sent, times this, is the value.
    pub scale: Option<f64>,
    /// What is told = what the device is sent.
    pub map: Option<Ordered<Scalar>>,
}

/// One register write.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WriteSpec {
    /// In which table: `holding` or `coil`.
    pub table: Table,
    /// Its address on the wire, counted from 0.
    pub addr: Option<u16>,
    /// Gateways: the address of instance 0 ...
    pub base: Option<u16>,
    /// ... registers from one instance to the next ...
    pub stride: Option<u16>,
    /// ... and the place within an instance.
    pub word: Option<u16>,
    /// How the number becomes words; `u16` when not said.
    #[serde(rename = "type")]
    pub form: Option<WordForm>,
    /// The raw number times this ...
    pub scale: Option<f64>,
    /// ... plus this is the value.
    pub offset: Option<f64>,
    /// The order of the two words of a 32-bit value.
    pub word_order: Option<WordOrder>,
    /// A constant to write in place of the command's value.
    pub value: Option<i64>,
    /// The function that writes it; 6 for one register, 16 for two, when neither this nor the link says.
    pub function: Option<WriteFunction>,
}

/// Registers that must be written together.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BlockSpec {
    /// In which table; `holding`.
    pub table: Table,
    /// The first register.
    pub addr: Option<u16>,
    /// Gateways: the first register of instance 0 ...
    pub base: Option<u16>,
    /// ... and registers from one instance to the next.
    pub stride: Option<u16>,
    /// How many registers.
    #[schemars(range(min = 1, max = 123))]
    pub words: u16,
    /// What stands in them.
    #[schemars(length(min = 1))]
    pub field: Vec<Field>,
    /// The function that writes it; 16 when not said.
    pub function: Option<WriteFunction>,
}

/// One field of a block: a point, or a constant.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Field {
    /// Which register of the block, from 0.
    pub word: u16,
    /// The first and the last bit; all 16 when not said.
    pub bits: Option<[u8; 2]>,
    /// The point that stands there.
    pub point: Option<Point>,
    /// The constant that stands there.
    #[serde(rename = "const")]
    pub constant: Option<u16>,
    /// Only when one of these points is commanded.
    #[serde(default)]
    pub when: Vec<Point>,
    /// The raw number times this ...
    pub scale: Option<f64>,
    /// ... plus this is the value.
    pub offset: Option<f64>,
}

/// How it is known that a device obeyed.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Confirm {
    /// The point that shows it.
    pub point: Point,
    /// Who shows it.
    pub by: ConfirmBy,
    /// Within this time.
    pub within: Length,
    /// How near the number must come, in the point's unit; 0 when not said.
    #[schemars(range(min = 0))]
    pub tolerance: Option<f64>,
}

/// Who shows that a device obeyed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConfirmBy {
    /// The device, of its own accord.
    DeviceReport,
    /// We, by reading again.
    ReadBack,
}

/// How often a command may be told.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Budget {
    /// Not more often than this.
    pub min_gap: Length,
    /// Nor more often in a day.
    #[schemars(range(min = 1, max = 5000))]
    pub per_day: u32,
}

/// Orders of commands.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Recipes {
    /// The order in which a room is prepared.
    pub prepare: Option<Recipe>,
}

/// One order of commands.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// The commands' points, first to last.
    pub steps: Vec<Point>,
}
