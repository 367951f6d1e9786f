//! What is answered to an engineer who asks what a profile makes of a message, or which profile fits a device?

use super::Profile;
use super::binding::DeviceBinding;
use super::rejection::Rejection;
use crate::model::{Point, ProfileId, Reading, Unit};
use serde::{Serialize, Serializer};
use std::sync::Arc;

/// What a message said, one line of `innkeeper profile decode`.
#[derive(Debug, Clone, Serialize)]
pub struct DecodeLine {
    /// The message's topic.
    pub topic: String,
    /// What was read from it.
    pub readings: Vec<ReadingLine>,
    /// The named reason why it was not taken; none when it was.
    #[serde(serialize_with = "reason")]
    pub rejected: Option<Rejection>,
}

/// One reading of a [`DecodeLine`].
#[derive(Debug, Clone, Serialize)]
pub struct ReadingLine {
    /// About what.
    pub point: Point,
    /// The bare value; null unless the quality is good.
    pub value: serde_json::Value,
    /// The unit of its number.
    pub unit: Option<Unit>,
    /// How far it is to be trusted.
    pub quality: &'static str,
}

/// Which profile fits a device, one line of `innkeeper profile match`.
#[derive(Debug, Clone, Serialize)]
pub struct MatchLine {
    /// The device's name at the bridge.
    pub friendly_name: String,
    /// Its model, when the bridge knows it.
    pub model: Option<String>,
    /// The profile that fits, if one does.
    pub profile: Option<ProfileId>,
    /// Why, or why none does.
    pub because: String,
}

/// Decodes one message for a profile alone: the device is read off the topic.
pub fn decode_line(profile: &Arc<Profile>, topic: &str, payload: &[u8]) -> DecodeLine {
    let (readings, rejected) = match DeviceBinding::of_topic(profile, topic) {
        Some(binding) => {
            let decoded = binding.decode(topic, payload, false);
            (decoded.readings, decoded.rejected)
        }
        None => (Vec::new(), Some(Rejection::Topic)),
    };
    DecodeLine {
        topic: topic.to_owned(),
        readings: readings.iter().map(ReadingLine::of).collect(),
        rejected,
    }
}

impl ReadingLine {
    /// The line of a reading.
    pub fn of(reading: &Reading) -> Self {
        Self {
            point: reading.point,
            value: reading
                .value
                .as_ref()
                .map_or(serde_json::Value::Null, |value| value.scalar()),
            unit: reading.point.kind().unit(),
            quality: reading.quality.word(),
        }
    }
}

fn reason<S: Serializer>(rejected: &Option<Rejection>, to: S) -> Result<S::Ok, S::Error> {
    rejected.map(Rejection::word).serialize(to)
}
