//! How is a link to devices or servers configured?
//!
//! One struct a kind; what is written and what the daemon gets are the same type, so nothing can be lost on the way.

use super::words::Lasting;
use crate::model::LinkId;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// The port of MQTT without TLS (IANA).
const MQTT_PORT: u16 = 1883;
/// The port of MQTT over TLS (IANA).
const MQTTS_PORT: u16 = 8883;

/// One link, ready for the daemon.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LinkConfig {
    /// Its id.
    pub id: LinkId,
    /// What it is.
    #[serde(flatten)]
    pub link: Link,
}

/// One link: a broker, a Modbus bus, central, the PMS, the weather.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Link {
    /// A broker on which the property's devices speak: zigbee2mqtt, a LoRaWAN network server, a room panel.
    Mqtt(MqttLink),
    /// A Modbus bus: a serial line, a serial server, or a Modbus/TCP gateway.
    Modbus(ModbusLink),
    /// The chain's central dispatch.
    Central(CentralLink),
    /// The property-management system.
    Pms(PmsLink),
    /// Where the outdoor temperature comes from.
    Weather(WeatherLink),
    /// Where a limit on the plant's power is told.
    Power(PowerLink),
}

impl Link {
    /// The word of its kind.
    pub const fn kind(&self) -> &'static str {
        match self {
            Link::Mqtt(_) => "mqtt",
            Link::Modbus(_) => "modbus",
            Link::Central(_) => "central",
            Link::Pms(_) => "pms",
            Link::Weather(_) => "weather",
            Link::Power(_) => "power",
        }
    }
}

/// A broker on which the property's devices speak.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct MqttLink {
    /// Host name or address of the broker.
    pub host: String,
    /// Its port; 1883, or 8883 with TLS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub port: Option<u16>,
    /// TLS; without it the link is plain text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<Tls>,
    /// The user name, if the broker asks for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// The file that holds the password, and nothing else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password_file: Option<PathBuf>,
    /// The client id; made of the property's id and the link's when not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// The topic below which the devices speak, given to profiles as `{base}`: `zigbee2mqtt`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<String>,
}

impl MqttLink {
    /// How its broker is reached.
    pub fn broker(&self) -> Broker<'_> {
        Broker {
            host: &self.host,
            port: port(self.port, self.tls.as_ref()),
            tls: self.tls.as_ref(),
            username: self.username.as_deref(),
            password_file: self.password_file.as_deref(),
            client_id: self.client_id.as_deref(),
        }
    }
}

/// How a broker is reached, whoever speaks on it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Broker<'a> {
    /// Host name or address.
    pub host: &'a str,
    /// The port in force.
    pub port: u16,
    /// TLS; without it the link is plain text.
    pub tls: Option<&'a Tls>,
    /// The user name, if the broker asks for one.
    pub username: Option<&'a str>,
    /// The file that holds the password, and nothing else.
    pub password_file: Option<&'a Path>,
    /// The client id, if one is configured.
    pub client_id: Option<&'a str>,
}

fn port(configured: Option<u16>, tls: Option<&Tls>) -> u16 {
    configured.unwrap_or(if tls.is_some() { MQTTS_PORT } else { MQTT_PORT })
}

/// The files of a TLS connection, in PEM.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Tls {
    /// The authority that signed the server's certificate.
    pub ca: PathBuf,
    /// Our own certificate, for servers that ask for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cert: Option<PathBuf>,
    /// The key of our own certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<PathBuf>,
}

/// A Modbus bus. Exactly one of `tcp`, `rtu_over_tcp` and `serial` says how it is reached.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct ModbusLink {
    /// `host:port` of a Modbus/TCP gateway.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tcp: Option<String>,
    /// `host:port` of a transparent serial server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rtu_over_tcp: Option<String>,
    /// The serial port, best one below `/dev/serial/by-id/`, which survives re-plugging.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial: Option<PathBuf>,
    /// Bits a second on the line.
    #[serde(default = "default_baud")]
    #[schemars(range(min = 1200, max = 1_000_000))]
    pub baud: u32,
    /// The parity bit.
    #[serde(default)]
    pub parity: Parity,
    /// Stop bits, 1 or 2.
    #[serde(default = "default_stop")]
    #[schemars(range(min = 1, max = 2))]
    pub stop: u8,
    /// Data bits; RTU needs 8.
    #[serde(default = "default_data")]
    #[schemars(range(min = 7, max = 8))]
    pub data: u8,
    /// How long an answer may take; else what each device's profile says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply: Option<Lasting>,
    /// The silence between two requests on top of the line's own; else what each device's profile says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gap: Option<Lasting>,
}

/// How a bus is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach<'a> {
    /// Modbus/TCP.
    Tcp(&'a str),
    /// RTU frames through a serial server.
    RtuOverTcp(&'a str),
    /// RTU frames on a serial port of this machine.
    Serial(&'a Path),
}

impl Reach<'_> {
    /// The word profiles use for it.
    pub const fn framing(&self) -> &'static str {
        match self {
            Reach::Tcp(_) => "tcp",
            Reach::RtuOverTcp(_) => "rtu_over_tcp",
            Reach::Serial(_) => "rtu",
        }
    }
}

impl ModbusLink {
    /// How the bus is reached; none when not exactly one way is written, which `check` reports as a fault.
    pub fn reach(&self) -> Option<Reach<'_>> {
        match (&self.tcp, &self.rtu_over_tcp, &self.serial) {
            (Some(address), None, None) => Some(Reach::Tcp(address)),
            (None, Some(address), None) => Some(Reach::RtuOverTcp(address)),
            (None, None, Some(path)) => Some(Reach::Serial(path)),
            _ => None,
        }
    }
}

/// The baud rate of the serial-line guide (Modbus over serial line, 3.2).
fn default_baud() -> u32 {
    19_200
}
fn default_stop() -> u8 {
    1
}
fn default_data() -> u8 {
    8
}

/// The parity bit of a character.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Parity {
    /// No parity bit.
    None,
    /// Even, the default of the serial-line guide.
    #[default]
    Even,
    /// Odd.
    Odd,
}

/// The chain's central dispatch, reached over MQTT.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct CentralLink {
    /// Host name or address of central's broker.
    pub host: String,
    /// Its port; 1883, or 8883 with TLS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub port: Option<u16>,
    /// TLS; without it requests travel in plain text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<Tls>,
    /// The user name, if the broker asks for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// The file that holds the password, and nothing else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password_file: Option<PathBuf>,
    /// The client id; made of the property's id and the link's when not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// When a message leaves the outbox: once the broker has it, or only once central itself has acknowledged it.
    #[serde(default)]
    pub ack: Ack,
}

impl CentralLink {
    /// How its broker is reached.
    pub fn broker(&self) -> Broker<'_> {
        Broker {
            host: &self.host,
            port: port(self.port, self.tls.as_ref()),
            tls: self.tls.as_ref(),
            username: self.username.as_deref(),
            password_file: self.password_file.as_deref(),
            client_id: self.client_id.as_deref(),
        }
    }
}

/// Whose acknowledgement lets a message leave the outbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Ack {
    /// The broker's: it has the message in memory, central may not have it yet.
    #[default]
    Broker,
    /// Central's own, where central implements it.
    Central,
}

/// The property-management system.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct PmsLink {
    /// How it speaks.
    pub system: PmsSystem,
    /// Host name or address of the PMS interface, for `fias`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// Its port, for `fias`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub port: Option<u16>,
}

/// How a property-management system speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PmsSystem {
    /// Stays come from central, over its own link.
    Central,
    /// FIAS records over TCP on the hotel's LAN. Not built yet in this version.
    Fias,
}

/// Where the outdoor temperature comes from: exactly one of `via` and `url`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct WeatherLink {
    /// The mqtt or central link on which it comes. From a central link it comes as central's own weather message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub via: Option<LinkId>,
    /// The address of a weather service that answers in JSON, with the whole query: `http://` or `https://`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// How often the service is asked, 1 min to 2 h.
    #[serde(default = "default_weather_every")]
    pub every: Lasting,
    /// Whom to trust, for `https`; else the system's own authorities.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<Tls>,
    /// The topic, for an mqtt link.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topic: Option<String>,
    /// The key of the JSON message that holds the temperature in C; `current.temperature` lies one object deeper.
    #[serde(default = "default_weather_key")]
    pub key: String,
    /// The key that holds how much of the sky is covered, %, where that is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clouds_key: Option<String>,
}

/// Where a limit on the plant's power is told: by an energy manager, by the grid's signal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct PowerLink {
    /// The mqtt link on which it comes.
    pub via: LinkId,
    /// The topic.
    pub topic: String,
    /// The key of the JSON message that holds the limit (`grid.limit` lies one object deeper): % of what all rooms take at full output, or null for none.
    #[serde(default = "default_power_key")]
    pub key: String,
}

fn default_power_key() -> String {
    "limit".into()
}

/// The air outside is believed for three hours; a free service asks not to be asked too often.
fn default_weather_every() -> Lasting {
    Lasting::minutes(15)
}

fn default_weather_key() -> String {
    "temperature".into()
}
