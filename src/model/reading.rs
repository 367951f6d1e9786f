//! What did a device say, how far is it to be trusted, and is it news?

use super::{DeviceId, Moment, Point, Value};
use serde::{Deserialize, Serialize};

/// How far a reading is to be trusted. Only `Good` carries a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Quality {
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

/// One thing that one device said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reading {
    /// Who said it.
    pub device: DeviceId,
    /// About what.
    pub point: Point,
    /// What; none unless the quality is good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Value>,
    /// How far it is to be trusted.
    pub quality: Quality,
    /// Whether it is news.
    #[serde(default)]
    pub freshness: Freshness,
    /// The device's own time of it, where it has one: an echo of our own command carries the old one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device_time: Option<Moment>,
}
