//! What did a device say, how far is it to be trusted, and is it news?

use super::{DeviceId, Moment, Point, Value};
use serde::{Deserialize, Serialize};

/// How far a reading is to be trusted. Only `Good` carries a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum Quality {
    #[default]
    /// In range and of the right type.
    Good,
    /// The device itself does not know (`null`), or a register was missing.
    Unknown,
    /// Of the wrong type.
    InvalidType,
    /// Outside the range the profile allows.
    InvalidRange,
    /// A code the profile does not list.
    InvalidValue,
    /// A raw value the maker keeps for "no value" (a sensor fault, off).
    InvalidReserved,
}

impl Quality {
    /// The quality in words, as answers write it.
    pub const fn word(self) -> &'static str {
        match self {
            Quality::Good => "good",
            Quality::Unknown => "unknown",
            Quality::InvalidType => "invalid:type",
            Quality::InvalidRange => "invalid:range",
            Quality::InvalidValue => "invalid:value",
            Quality::InvalidReserved => "invalid:reserved",
        }
    }
}

/// Whether a reading is news or a repetition. Learning and occupancy take only what is live.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum Freshness {
    /// The device said it now.
    #[default]
    Live,
    /// The broker or the bridge repeated what was said earlier: a retained message, a cache replayed at start.
    Replayed,
}

/// One thing that one device said. In JSON the value is a bare scalar in the unit of its point:
/// `{"device": "thermostat-1204", "point": "room_temperature", "value": 21.5}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct Reading {
    /// Who said it.
    pub device: DeviceId,
    /// About what.
    pub point: Point,
    /// What; none unless the quality is good.
    pub value: Option<Value>,
    /// How far it is to be trusted.
    pub quality: Quality,
    /// Whether it is news.
    pub freshness: Freshness,
    /// The device's own time of it, where it has one: an echo of our own command carries the old one.
    pub device_time: Option<Moment>,
}

/// How a reading is written in JSON.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    device: DeviceId,
    point: Point,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    value: Option<serde_json::Value>,
    #[serde(default)]
    quality: Quality,
    #[serde(default)]
    freshness: Freshness,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    device_time: Option<Moment>,
}

impl TryFrom<Written> for Reading {
    type Error = String;
    fn try_from(w: Written) -> Result<Self, String> {
        let value = w.value.map(|scalar| w.point.kind().read(&scalar)).transpose();
        let value = value.map_err(|fault| format!("{} of {}: {fault}", w.point, w.device))?;
        if value.is_some() != (w.quality == Quality::Good) {
            return Err(format!(
                "{} of {}: a reading has a value exactly when its quality is good",
                w.point, w.device
            ));
        }
        let Written {
            device,
            point,
            quality,
            freshness,
            device_time,
            ..
        } = w;
        Ok(Self {
            device,
            point,
            value,
            quality,
            freshness,
            device_time,
        })
    }
}

impl From<Reading> for Written {
    fn from(r: Reading) -> Self {
        let Reading {
            device,
            point,
            value,
            quality,
            freshness,
            device_time,
        } = r;
        Self {
            device,
            point,
            value: value.map(|v| v.scalar()),
            quality,
            freshness,
            device_time,
        }
    }
}
