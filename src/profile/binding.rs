//! How does this one device speak?
//!
//! A binding is a profile with its placeholders filled in: the topics of one device, the place of one unit behind a
//! gateway. A hotel has thousands of devices of a dozen models, so what is the same for many is held once: a [`Binder`]
//! sees to that. It holds no state, so decoding the same bytes twice gives the same readings; what is new, what is an echo and
//! what was said before is for the caller to know.

use super::modbus::Write;
use super::mqtt::{self, Reads, Shape};
use super::rejection::EncodeRefusal;
use super::topic::{self, Parameters};
use super::{ParameterNeed, Profile};
use crate::model::{DeviceId, Point, ProfileId, Value};
use crate::strict::did_you_mean;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The parameter that says which unit behind a gateway is meant.
const INDEX: &str = "index";

/// What is wrong with the parameters of a device.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BindFault {
    /// A parameter without a default was not given.
    #[error("parameter {name:?} is missing; write {name} = {what}")]
    Missing {
        /// Which.
        name: String,
        /// What to write.
        what: String,
    },
    /// The profile has no such parameter.
    #[error("the profile has no parameter {name:?}; {help}")]
    Unknown {
        /// Which.
        name: String,
        /// What may have been meant.
        help: String,
    },
    /// The value cannot stand in a topic.
    #[error("{name} = {value:?} cannot stand in a topic; write it without wildcards and empty levels")]
    Unsafe {
        /// Which.
        name: String,
        /// What was written.
        value: String,
    },
    /// The gateway has no such unit.
    #[error("index = {value:?} is no unit of this gateway; write a number from {min} to {max}")]
    Index {
        /// What was written.
        value: String,
        /// The least.
        min: u16,
        /// The most.
        max: u16,
    },
}

/// What a command becomes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Encoded {
    /// One message; never to be retained.
    Publish {
        /// On this topic.
        topic: String,
        /// Saying this.
        payload: String,
    },
    /// Register writes, in this order.
    Writes(Vec<Write>),
}

/// One device: its profile, its id and its parameters.
#[derive(Debug, Clone)]
pub struct DeviceBinding {
    pub(super) profile: Arc<Profile>,
    pub(super) device: DeviceId,
    pub(super) parameters: Arc<Parameters>,
    pub(super) index: u16,
    /// Its topics, and what is read from each: two lists of one length.
    pub(super) topics: Box<[Arc<str>]>,
    pub(super) reads: Arc<[Reads]>,
}

/// Binds devices to their profiles. Devices that it binds share the topics they have in common and what is read from
/// theirs, and their parameters with whoever gave them whole.
#[derive(Debug, Default)]
pub struct Binder {
    shapes: BTreeMap<(ProfileId, Vec<String>), Shape>,
    topics: BTreeSet<Arc<str>>,
}

impl Binder {
    /// Binds a device to its profile. Behind a gateway the parameter `index` says which unit it is.
    ///
    /// # Errors
    /// Every parameter that is missing, unknown or cannot be.
    pub fn bind(
        &mut self,
        profile: Arc<Profile>,
        device: DeviceId,
        given: &Arc<Parameters>,
    ) -> Result<DeviceBinding, Vec<BindFault>> {
        let needs = profile.parameters();
        let mut faults = unknown(&profile, &needs, given);
        let mut parameters = Parameters::new();
        for need in needs {
            match given.get(&need.name).cloned().or_else(|| need.default.clone()) {
                None => faults.push(BindFault::Missing {
                    name: need.name,
                    what: need.what,
                }),
                Some(value) if topic::is_safe_value(&value) || (value.is_empty() && need.default.is_some()) => {
                    parameters.insert(need.name, value);
                }
                Some(value) => faults.push(BindFault::Unsafe { name: need.name, value }),
            }
        }
        let index = index_of(&profile, given).unwrap_or_else(|fault| {
            faults.push(fault);
            0
        });
        if !faults.is_empty() {
            return Err(faults);
        }
        let key = (profile.id().clone(), mqtt::shaping(&profile, &parameters));
        let shape = self
            .shapes
            .entry(key)
            .or_insert_with(|| mqtt::shape(&profile, &parameters));
        let reads = Arc::clone(&shape.reads);
        let topics: Vec<String> = shape
            .templates
            .iter()
            .map(|template| topic::fill(template, &parameters))
            .collect();
        let topics = topics.into_iter().map(|topic| self.topic(topic)).collect();
        let parameters = if parameters == **given {
            Arc::clone(given)
        } else {
            Arc::new(parameters)
        };
        Ok(DeviceBinding {
            profile,
            device,
            parameters,
            index,
            topics,
            reads,
        })
    }

    fn topic(&mut self, topic: String) -> Arc<str> {
        if let Some(known) = self.topics.get(topic.as_str()) {
            return Arc::clone(known);
        }
        let topic: Arc<str> = topic.into();
        self.topics.insert(Arc::clone(&topic));
        topic
    }
}

impl DeviceBinding {
    /// Binds one device to its profile; a [`Binder`] binds many.
    ///
    /// # Errors
    /// As [`Binder::bind`].
    pub fn new(profile: Arc<Profile>, device: DeviceId, given: &Parameters) -> Result<Self, Vec<BindFault>> {
        Binder::default().bind(profile, device, &Arc::new(given.clone()))
    }

    /// Returns the device that a topic speaks of, its parameters read off the topic; none when the topic tells nothing of
    /// a device of this profile. What the topic does not tell is the default.
    pub fn of_topic(profile: &Arc<Profile>, topic: &str) -> Option<Self> {
        let found = super::mqtt::inferred(profile, topic)?;
        Self::with_defaults(profile, found)
    }

    /// Returns a device whose parameters are given in part; the rest are defaults, or stand-ins.
    pub(super) fn with_defaults(profile: &Arc<Profile>, mut given: Parameters) -> Option<Self> {
        for need in profile.parameters() {
            let value = need.default.unwrap_or_else(|| "unknown".to_owned());
            given.get_or_insert_with(&need.name, || value);
        }
        if let Some(instances) = &profile.file().instances {
            given.get_or_insert_with(&INDEX.to_owned(), || instances.index.min.to_string());
        }
        let device = DeviceId::new("unbound").ok()?;
        Self::new(Arc::clone(profile), device, &given).ok()
    }

    /// Its profile.
    pub fn profile(&self) -> &Arc<Profile> {
        &self.profile
    }

    /// Its id.
    pub fn device(&self) -> &DeviceId {
        &self.device
    }

    /// Its parameters, defaults filled in.
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// Turns a command into bytes. `known` is what the device last reported: some devices must be told other settings
    /// along, and a setting that is not known is never guessed.
    ///
    /// # Errors
    /// Why nothing may be sent.
    pub fn encode(
        &self,
        point: Point,
        value: &Value,
        known: &BTreeMap<Point, Value>,
    ) -> Result<Encoded, EncodeRefusal> {
        let command = self.profile.command(point).ok_or(EncodeRefusal::Command)?;
        let raw = command.accepts.raw(value)?;
        if self.profile.modbus().is_some() {
            self.writes(command, value, &raw, known).map(Encoded::Writes)
        } else {
            self.message(command, &raw, known)
        }
    }
}

fn unknown(profile: &Profile, needs: &[ParameterNeed], given: &Parameters) -> Vec<BindFault> {
    let indexed = profile.file().instances.is_some();
    let known = |name: &str| needs.iter().any(|need| need.name == name) || (indexed && name == INDEX);
    let strangers = given.keys().filter(|name| !known(name));
    strangers
        .map(|name| BindFault::Unknown {
            name: name.clone(),
            help: did_you_mean(
                name,
                needs
                    .iter()
                    .map(|need| need.name.as_str())
                    .chain(indexed.then_some(INDEX)),
            ),
        })
        .collect()
}

fn index_of(profile: &Profile, given: &Parameters) -> Result<u16, BindFault> {
    let Some(instances) = &profile.file().instances else {
        return Ok(0);
    };
    let (min, max) = (instances.index.min, instances.index.max);
    let written = given.get(INDEX).ok_or_else(|| BindFault::Missing {
        name: INDEX.to_owned(),
        what: format!("the unit's number at the gateway, {min} to {max}"),
    })?;
    let index = written.parse().ok().filter(|index| (min..=max).contains(index));
    index.ok_or_else(|| BindFault::Index {
        value: written.clone(),
        min,
        max,
    })
}
