//! What does a message on one of the device's topics say, and which message tells it something?

use super::binding::{DeviceBinding, Encoded};
use super::format::{MqttLink, PayloadForm, StateTopic, TimeFormat};
use super::meaning::{Meaning, Raw};
use super::pick::Picker;
use super::rejection::{EncodeRefusal, Rejection};
use super::topic::{self, Parameters};
use super::words::{Scalar, Template};
use super::{CommandModel, PAYLOAD_BYTES_MAX, PointModel, Profile};
use crate::model::{Freshness, Moment, Point, Reading, Value};
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The longest complaint of a bridge that is kept.
const COMPLAINT_CHARS_MAX: usize = 200;

/// What a topic is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TopicRole {
    /// Tells readings.
    State,
    /// Tells whether the device is there.
    Availability,
    /// Tells whether the bridge before it is there.
    Bridge,
    /// Tells that a command failed.
    Complaint,
}

/// What a message said.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Decoded {
    /// The readings, in the order of the profile.
    pub readings: Vec<Reading>,
    /// Whether the device is there, when the message tells it.
    pub availability: Option<bool>,
    /// Whether the bridge before it is there, when the message tells it.
    pub bridge: Option<bool>,
    /// What the bridge complains about.
    pub complaint: Option<String>,
    /// The message's name for ever: one that comes twice counts once.
    pub dedup: Option<String>,
    /// Why the message was not taken.
    pub rejected: Option<Rejection>,
}

/// How devices speak that are alike but for their names: the templates of their topics, and what is read from each.
#[derive(Debug)]
pub(super) struct Shape {
    pub templates: Vec<String>,
    pub reads: Arc<[Reads]>,
}

/// What is read from one topic.
#[derive(Debug)]
pub(super) enum Reads {
    Document(Box<Document>),
    /// The whole payload is the text of these points.
    Text(Vec<(Point, Meaning)>),
    Presence(TopicRole, StateTopic),
    Errors {
        picker: Picker,
        message: usize,
        when: Vec<(usize, String)>,
    },
}

#[derive(Debug, Default)]
pub(super) struct Document {
    picker: Picker,
    list: bool,
    points: Vec<Wanted>,
    time: Option<(usize, TimeFormat)>,
    live_if: Option<usize>,
    dedup: Option<usize>,
}

#[derive(Debug, Clone)]
struct Wanted {
    point: Point,
    meaning: Meaning,
    /// The slots of its keys, the first that is present wins.
    slots: Vec<usize>,
    /// The slot of a key that decides, and which slot each of its words means.
    choose: Option<(usize, Vec<(String, usize)>)>,
}

/// Returns what of the parameters decides the shape of a device: the values that stand in keys, and which of its own topics
/// are wired. Devices of one profile with the same answer have the same shape.
pub(super) fn shaping(profile: &Profile, parameters: &Parameters) -> Vec<String> {
    let keys = |model: &PointModel| -> Vec<String> {
        let keys = model.spec.from.iter().flat_map(|from| &from.0);
        keys.flat_map(|key| topic::placeholders(key))
            .map(|name| parameters.get(name).cloned().unwrap_or_default())
            .collect()
    };
    let wired = |model: &PointModel| {
        let template = model.spec.topic.as_deref().filter(|text| text.contains('{'))?;
        Some(is_wired(template, parameters).to_string())
    };
    let points = profile.points().iter();
    points
        .flat_map(|model| keys(model).into_iter().chain(wired(model)))
        .collect()
}

/// Returns the topics of a device, not yet filled in, and what is read from each.
pub(super) fn shape(profile: &Profile, parameters: &Parameters) -> Shape {
    let channels = profile
        .mqtt()
        .map_or_else(Vec::new, |link| channels(profile, link, parameters));
    let (templates, reads): (Vec<String>, Vec<Reads>) = channels.into_iter().unzip();
    Shape {
        templates,
        reads: reads.into(),
    }
}

fn channels(profile: &Profile, link: &MqttLink, parameters: &Parameters) -> Vec<(String, Reads)> {
    let mut channels: Vec<(String, Reads)> = Vec::new();
    for state in &link.state.0 {
        let points = profile.points().iter().filter(|model| model.spec.topic.is_none());
        channels.push((state.clone(), document(link, points, parameters)));
    }
    let mut own: BTreeMap<&str, Vec<&PointModel>> = BTreeMap::new();
    for model in profile.points() {
        let template = model.spec.topic.as_deref().unwrap_or_default();
        if is_wired(template, parameters) {
            own.entry(template).or_default().push(model);
        }
    }
    own.remove("");
    for (template, models) in own {
        let is_text = models
            .iter()
            .all(|model| model.spec.from.is_none() && model.spec.choose.is_none());
        let reads = if is_text {
            let points = models.iter().map(|model| (model.point, model.meaning.clone()));
            Reads::Text(points.collect())
        } else {
            document(link, models.into_iter(), parameters)
        };
        channels.push((template.to_owned(), reads));
    }
    let presence = [
        (TopicRole::Availability, &link.availability),
        (TopicRole::Bridge, &link.bridge),
        (TopicRole::Complaint, &link.fail),
    ];
    let presence = presence
        .into_iter()
        .filter_map(|(role, state)| Some((role, state.as_ref()?)));
    channels.extend(presence.map(|(role, state)| (state.topic.clone(), Reads::Presence(role, state.clone()))));
    channels.extend(errors(link));
    channels
}

fn document<'a>(link: &MqttLink, models: impl Iterator<Item = &'a PointModel>, parameters: &Parameters) -> Reads {
    let mut document = Document {
        list: link.payload == Some(PayloadForm::List),
        ..Document::default()
    };
    for model in models {
        document
            .points
            .extend(wanted(&mut document.picker, link, model, parameters));
    }
    document.time = link
        .time
        .as_ref()
        .map(|time| (document.picker.want(&time.json), time.format));
    document.live_if = link.live_if.as_ref().map(|key| document.picker.want(key));
    document.dedup = link.dedup.as_ref().map(|key| document.picker.want(key));
    Reads::Document(Box::new(document))
}

/// A point's keys; none when it hangs on a parameter that is not wired.
fn wanted(picker: &mut Picker, link: &MqttLink, model: &PointModel, parameters: &Parameters) -> Option<Wanted> {
    let below_root = |key: &str| match &link.root {
        Some(root) => format!("{root}.{key}"),
        None => key.to_owned(),
    };
    let keys = model.spec.from.iter().flat_map(|from| &from.0);
    let keys: Vec<String> = keys
        .filter(|key| is_wired(key, parameters))
        .map(|key| topic::fill(key, parameters))
        .collect();
    if keys.is_empty() && model.spec.choose.is_none() {
        return None;
    }
    let choose = model.spec.choose.as_ref().map(|choose| {
        let by = picker.want(&below_root(&choose.by));
        (
            by,
            choose
                .from
                .iter()
                .map(|(word, key)| (word.to_owned(), picker.want(&below_root(key))))
                .collect(),
        )
    });
    let slots = keys.iter().map(|key| picker.want(&below_root(key))).collect();
    Some(Wanted {
        point: model.point,
        meaning: model.meaning.clone(),
        slots,
        choose,
    })
}

fn is_wired(text: &str, parameters: &Parameters) -> bool {
    topic::placeholders(text)
        .into_iter()
        .all(|name| parameters.get(name).is_some_and(|value| !value.is_empty()))
}

fn errors(link: &MqttLink) -> Option<(String, Reads)> {
    let errors = link.errors.as_ref()?;
    let mut picker = Picker::default();
    let message = picker.want(&errors.json);
    let when = errors
        .when
        .iter()
        .map(|(key, word)| (picker.want(key), word.to_owned()))
        .collect();
    Some((errors.topic.clone(), Reads::Errors { picker, message, when }))
}

impl DeviceBinding {
    /// The topics to subscribe to, each once, with what they are for.
    pub fn topics(&self) -> Vec<(&Arc<str>, TopicRole)> {
        let roles = self.reads.iter().map(Reads::role);
        self.topics.iter().zip(roles).collect()
    }

    /// Takes a message on one of the device's topics. `retained` is the flag of the delivery.
    pub fn decode(&self, topic: &str, payload: &[u8], retained: bool) -> Decoded {
        let place = self.topics.iter().position(|own| **own == *topic);
        let decoded = match place {
            Some(place) => self.read(&self.reads[place], payload, retained),
            None => Err(Rejection::Topic),
        };
        decoded.unwrap_or_else(|rejection| Decoded {
            rejected: Some(rejection),
            ..Decoded::default()
        })
    }

    fn read(&self, reads: &Reads, payload: &[u8], retained: bool) -> Result<Decoded, Rejection> {
        if payload.len() > PAYLOAD_BYTES_MAX {
            return Err(Rejection::TooLarge);
        }
        let text = std::str::from_utf8(payload).map_err(|_| Rejection::Utf8)?;
        if text.trim_ascii().is_empty() {
            return Err(Rejection::Forgotten);
        }
        match reads {
            Reads::Document(document) => self.document(document, text, retained),
            Reads::Text(points) => Ok(self.text(points, text.trim_ascii(), retained)),
            Reads::Presence(role, state) => presence(*role, state, text),
            Reads::Errors { picker, message, when } => {
                let about = self.parameters.get("name");
                let slots = picker.pick(text, false)?;
                let says = |slot: usize| match &slots[slot] {
                    Some(Raw::Text(text)) => Some(text.as_ref()),
                    _ => None,
                };
                let meant = when.iter().all(|(slot, word)| says(*slot) == Some(word));
                let ours = |text: &&str| about.is_none_or(|name| names(text, name));
                let complaint = says(*message).filter(|_| meant).filter(ours);
                Ok(Decoded {
                    complaint: complaint.map(cut),
                    ..Decoded::default()
                })
            }
        }
    }

    fn document(&self, document: &Document, text: &str, retained: bool) -> Result<Decoded, Rejection> {
        let slots = document.picker.pick(text, document.list)?;
        let repeated = retained || document.live_if.is_some_and(|slot| slots[slot].is_none());
        let device_time = document
            .time
            .and_then(|(slot, format)| time_of(slots[slot].as_ref()?, format));
        let mut decoded = Decoded {
            readings: Vec::with_capacity(document.points.len()),
            ..Decoded::default()
        };
        for wanted in &document.points {
            if let Some(raw) = wanted.raw(&slots) {
                let (quality, value) = wanted.meaning.read(raw);
                decoded.readings.push(Reading {
                    device: self.device.clone(),
                    point: wanted.point,
                    value,
                    quality,
                    freshness: freshness(repeated),
                    device_time,
                });
            }
        }
        decoded.dedup = document.dedup.and_then(|slot| match slots[slot].as_ref()? {
            Raw::Text(id) => Some(cut(id)),
            _ => None,
        });
        Ok(decoded)
    }

    fn text(&self, points: &[(Point, Meaning)], text: &str, retained: bool) -> Decoded {
        let reading = |(point, meaning): &(Point, Meaning)| {
            let (quality, value) = meaning.read(&Raw::Text(text.into()));
            let (device, freshness) = (self.device.clone(), freshness(retained));
            Reading {
                device,
                point: *point,
                value,
                quality,
                freshness,
                device_time: None,
            }
        };
        Decoded {
            readings: points.iter().map(reading).collect(),
            ..Decoded::default()
        }
    }

    /// Returns the message that tells the device a raw value.
    pub(super) fn message(
        &self,
        command: &CommandModel,
        raw: &Scalar,
        known: &BTreeMap<Point, Value>,
    ) -> Result<Encoded, EncodeRefusal> {
        let link = self.profile.mqtt().ok_or(EncodeRefusal::Command)?;
        let fill = |text: &str| topic::fill(text, &self.parameters);
        let template = command.spec.topic.as_deref().or(link.set.as_deref());
        let template = template.ok_or(EncodeRefusal::Command)?;
        if !is_wired(template, &self.parameters) {
            return Err(EncodeRefusal::Command);
        }
        if let Some(text) = &command.spec.text {
            let payload = fill(text).replace("$arg", &raw.text());
            return Ok(Encoded::Publish {
                topic: fill(template),
                payload,
            });
        }
        let put = put_of(command, known)?;
        if !put.texts().iter().all(|text| is_wired(text, &self.parameters)) {
            return Err(EncodeRefusal::Command);
        }
        let mut payload = String::new();
        put.write(
            &mut payload,
            &|name| (name == "$arg").then(|| raw.json().to_string()),
            &fill,
        );
        if let Some(wrap) = &link.wrap {
            let inner = std::mem::take(&mut payload);
            wrap.write(&mut payload, &|name| (name == "$put").then(|| inner.clone()), &fill);
        }
        Ok(Encoded::Publish {
            topic: fill(template),
            payload,
        })
    }
}

/// The JSON of a command in the device's present state; where that state decides, it must be known.
fn put_of<'a>(command: &'a CommandModel, known: &BTreeMap<Point, Value>) -> Result<&'a Template, EncodeRefusal> {
    for when in &command.spec.put_when {
        let value = known.get(&when.point).ok_or(EncodeRefusal::Seed(when.point))?;
        if when.is.iter().any(|is| is.json() == value.scalar()) {
            return Ok(&when.put);
        }
    }
    command.spec.put.as_ref().ok_or(EncodeRefusal::Command)
}

impl Reads {
    fn role(&self) -> TopicRole {
        match self {
            Reads::Document(_) | Reads::Text(_) => TopicRole::State,
            Reads::Presence(role, _) => *role,
            Reads::Errors { .. } => TopicRole::Complaint,
        }
    }
}

impl Wanted {
    /// The raw value: of the key that another key chooses, else of the first key that is there and not null, else null.
    fn raw<'a, 'b>(&self, slots: &'a [Option<Raw<'b>>]) -> Option<&'a Raw<'b>> {
        let chosen = self.choose.as_ref().and_then(|(by, words)| {
            let Some(Raw::Text(word)) = &slots[*by] else {
                return None;
            };
            let (_, slot) = words.iter().find(|(name, _)| **name == **word)?;
            slots[*slot].as_ref()
        });
        let present = || self.slots.iter().filter_map(|slot| slots[*slot].as_ref());
        chosen
            .or_else(|| present().find(|raw| **raw != Raw::Null))
            .or_else(|| present().next())
    }
}

const fn freshness(repeated: bool) -> Freshness {
    if repeated { Freshness::Replayed } else { Freshness::Live }
}

fn presence(role: TopicRole, state: &StateTopic, text: &str) -> Result<Decoded, Rejection> {
    if state.up.is_empty() && state.down.is_empty() {
        return Ok(Decoded::default());
    }
    let said = match &state.json {
        Some(key) if text.trim_ascii_start().starts_with('{') => {
            let mut picker = Picker::default();
            let slot = picker.want(key);
            match picker.pick(text, false)?.swap_remove(slot) {
                Some(Raw::Text(word)) => word.into_owned(),
                Some(Raw::Flag(flag)) => flag.to_string(),
                _ => return Err(Rejection::Availability),
            }
        }
        _ => text.trim_ascii().to_owned(),
    };
    let there = match (state.up.contains(&said), state.down.contains(&said)) {
        (true, false) => true,
        (false, true) => false,
        _ => return Err(Rejection::Availability),
    };
    Ok(match role {
        TopicRole::Availability | TopicRole::State => Decoded {
            availability: Some(there),
            ..Decoded::default()
        },
        TopicRole::Bridge => Decoded {
            bridge: Some(there),
            ..Decoded::default()
        },
        TopicRole::Complaint => Decoded {
            complaint: (!there).then_some(cut(&said)),
            ..Decoded::default()
        },
    })
}

fn time_of(raw: &Raw<'_>, format: TimeFormat) -> Option<Moment> {
    match (format, raw) {
        (TimeFormat::Iso8601, Raw::Text(text)) => Moment::parse(text).ok(),
        (TimeFormat::UnixSeconds, Raw::Number(n)) => Moment::from_millis((n * 1000.0) as i64).in_range().ok(),
        // A bridge that was told to write its times as numbers counts milliseconds.
        (TimeFormat::UnixMillis | TimeFormat::Iso8601, Raw::Number(n)) => {
            Moment::from_millis(*n as i64).in_range().ok()
        }
        _ => None,
    }
}

/// Whether a complaint names this device, in quotes as bridges write names.
fn names(text: &str, name: &str) -> bool {
    text.contains(&format!("'{name}'"))
}

fn cut(text: &str) -> String {
    text.chars().take(COMPLAINT_CHARS_MAX).collect()
}

/// Returns what the parameters must be for a topic to be one that a device of this profile speaks on.
pub(super) fn inferred(profile: &Profile, topic: &str) -> Option<Parameters> {
    let link = profile.mqtt()?;
    let presence = [&link.availability, &link.bridge, &link.fail];
    let heard = link.state.0.iter().map(String::as_str);
    let heard = heard.chain(presence.into_iter().flatten().map(|state| state.topic.as_str()));
    let heard = heard.chain(link.errors.as_ref().map(|errors| errors.topic.as_str()));
    let heard = heard.chain(profile.points().iter().filter_map(|model| model.spec.topic.as_deref()));
    let best = heard.filter_map(|template| Some((fixed_levels(template), topic::infer(template, topic)?)));
    let (fixed, found) = best.max_by_key(|(fixed, _)| *fixed)?;
    let told = link
        .set
        .iter()
        .flat_map(|set| [set.clone(), set.replace("/set", "/get"), format!("{set}/{{key}}")]);
    let commanded = told
        .into_iter()
        .any(|set| fixed_levels(&set) > fixed && topic::infer(&set, topic).is_some());
    let reserved = found.get("name").is_some_and(|name| is_bridge_own(link, name));
    (!commanded && !reserved).then_some(found)
}

/// Whether a friendly name is really a topic of the bridge itself (`bridge/devices`).
fn is_bridge_own(link: &MqttLink, name: &str) -> bool {
    let own = link
        .bridge
        .iter()
        .map(|bridge| &bridge.topic)
        .chain(link.errors.iter().map(|errors| &errors.topic));
    let first = name.split('/').next();
    own.into_iter().any(|template| template.split('/').nth(1) == first)
}

fn fixed_levels(template: &str) -> usize {
    template
        .split('/')
        .filter(|level| topic::placeholders(level).is_empty())
        .count()
}

/// Returns the parameters that make a command's topic this one.
pub(super) fn inferred_from_command(profile: &Profile, point: Point, topic: &str) -> Option<Parameters> {
    let own = profile.command(point)?.spec.topic.as_deref();
    topic::infer(own.or(profile.mqtt()?.set.as_deref())?, topic)
}

/// Whether two payloads say the same: as JSON where both are, else letter by letter.
pub(super) fn same_payload(a: &str, b: &str) -> bool {
    match (serde_json::from_str::<Json>(a), serde_json::from_str::<Json>(b)) {
        (Ok(a), Ok(b)) => a == b,
        _ => a == b,
    }
}
