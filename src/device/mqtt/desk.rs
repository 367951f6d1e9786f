//! What does each message mean, and what becomes of each command? Without a socket: messages and moments are arguments.

use super::gate::Gate;
use super::routes::{Routes, Topic};
use super::standing::Parts;
use super::told::{OnItsWay, Told};
use crate::device::FromDevices;
use crate::device::running::{COMMANDS_WAITING_MAX, STOPPED, TOO_MANY, failed, written};
use crate::device::tally::Tally;
use crate::model::{Command, CommandId, DeviceId, Event, LinkId, Moment, Point, Value, WriteResult};
use crate::mqtt::{Inbound, Lane, LaneError, PublishEvent, SubscribeEvent};
use crate::profile::{Decoded, DeviceBinding, EncodeRefusal, Encoded, PAYLOAD_BYTES_MAX, TopicRole};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// Message names remembered a device: a network server repeats an uplink within seconds, not after 32 others.
const NAMES_MAX: usize = 32;
/// Commands that wait for the broker at once; less than the lane to it holds. Further ones wait before it.
const UNDER_WAY_MAX: usize = 60;
/// How often rejections are told.
const TALLY_EVERY: Duration = Duration::from_secs(1);

/// One device as the link knows it.
#[derive(Debug)]
struct Device {
    binding: DeviceBinding,
    /// What it reported last of the points that its commands hang on.
    known: BTreeMap<Point, Value>,
    has_spoken: bool,
    /// The names of its last messages.
    names: VecDeque<String>,
    /// Where its bridge tells of itself.
    bridge: Option<Arc<str>>,
}

/// Everything between the two sessions.
#[derive(Debug)]
pub(super) struct Desk {
    link: LinkId,
    clock: fn() -> Moment,
    routes: Routes,
    gates: Vec<Gate>,
    inner: Inner,
    places: HashMap<DeviceId, usize>,
    lane: Option<Lane>,
    tallied_at: Option<Instant>,
}

/// What messages change. Apart from the routes, so that a topic can be looked up while it is acted on.
#[derive(Debug, Default)]
struct Inner {
    devices: Vec<Device>,
    told: Told,
    parts: Parts,
    tally: Tally,
    events: Vec<Event>,
}

impl Desk {
    /// Sets up with nothing known.
    pub fn new(link: LinkId, bindings: Vec<DeviceBinding>, clock: fn() -> Moment) -> Self {
        let (routes, gates) = Routes::new(&bindings);
        let places = bindings
            .iter()
            .enumerate()
            .map(|(n, binding)| (binding.device().clone(), n))
            .collect();
        let inner = Inner {
            devices: bindings.into_iter().map(Device::new).collect(),
            ..Inner::default()
        };
        Self {
            link,
            clock,
            routes,
            gates,
            inner,
            places,
            lane: None,
            tallied_at: None,
        }
    }

    /// The filters to subscribe to.
    pub fn filters(&self) -> Vec<String> {
        self.routes.filters()
    }

    /// Whether messages can be heard and commands told.
    pub fn is_connected(&self) -> bool {
        self.inner.parts.is_connected()
    }

    /// Whether a command may be told now: the broker has taken most of those before it, or is away and it fails at once.
    pub fn has_room(&self) -> bool {
        self.lane.is_none() || self.inner.told.under_way() < UNDER_WAY_MAX
    }

    /// Whether the broker has still to acknowledge a command.
    pub fn awaits_the_broker(&self) -> bool {
        self.lane.is_some() && self.inner.told.under_way() > 0
    }

    /// Takes what the daemon is to be told: whether the link stands first, then the events in their order.
    pub fn take_news(&mut self) -> Vec<FromDevices> {
        let mut news = Vec::new();
        if let Some((up, because)) = self.inner.parts.news() {
            let link = self.link.clone();
            news.push(FromDevices::Link { link, up, because });
        }
        if !self.inner.events.is_empty() {
            news.push(FromDevices::Events(std::mem::take(&mut self.inner.events)));
        }
        if self.tallied_at.is_none_or(|at| at.elapsed() >= TALLY_EVERY) {
            let counts = self.inner.tally.take(&self.link);
            if !counts.is_empty() {
                self.tallied_at = Some(Instant::now());
                news.extend(counts);
            }
        }
        news
    }

    // ---- hearing ----

    /// Takes a batch of messages.
    pub fn hear(&mut self, batch: &[Inbound], now: Instant) {
        for message in batch {
            let Some(topic) = self.routes.get(&message.topic) else {
                self.inner.tally.note(None, "topic");
                continue;
            };
            let gate = &mut self.gates[topic.gate];
            if gate.admit(now) {
                gate.outdated(&message.topic);
                self.inner
                    .take(topic, &message.topic, &message.payload, message.retain, now);
                continue;
            }
            if message.payload.len() <= PAYLOAD_BYTES_MAX {
                gate.keep(&message.topic, &message.payload, message.retain);
            }
            let device = self.inner.devices.get(topic.gate).map(|device| device.binding.device());
            self.inner.tally.note(device, "rate_limited");
        }
    }

    /// Lets through what was held back and may pass now.
    pub fn tick(&mut self, now: Instant) {
        for gate in &mut self.gates {
            while let Some(kept) = gate.release(now) {
                if let Some(topic) = self.routes.get(&kept.topic) {
                    self.inner.take(topic, &kept.topic, &kept.payload, kept.retain, now);
                }
            }
        }
    }

    /// Notes what the subscriber says beside messages.
    pub fn on_subscriber(&mut self, event: SubscribeEvent) {
        match event {
            SubscribeEvent::Up { .. } => self.inner.parts.hearing(Ok(())),
            SubscribeEvent::Down(down) => self.inner.parts.hearing(Err(down.to_string())),
            SubscribeEvent::Refused { filter } => {
                let taker = self.routes.get(&filter).and_then(|topic| topic.takers.first());
                let device = taker.map(|(place, _)| self.inner.devices[*place].binding.device());
                self.inner.tally.note(device, "subscription_refused");
            }
            SubscribeEvent::Messages(batch) => self.hear(&batch, Instant::now()),
        }
    }

    // ---- telling ----

    /// Tells a command, or says at once why not. `waiting` commands come behind it.
    pub fn tell(&mut self, command: Command, waiting: usize) {
        let id = command.id.clone();
        if waiting > COMMANDS_WAITING_MAX {
            self.inner.events.push(failed(id, TOO_MANY));
        } else if let Err(result) = self.publish(command) {
            self.inner.events.push(written(id, result));
        }
    }

    fn publish(&mut self, command: Command) -> Result<(), WriteResult> {
        let refused = |word: &str| WriteResult::Refused(word.to_owned());
        let failed = |because: &str| WriteResult::Failed(because.to_owned());
        if (self.clock)() > command.expires {
            return Err(failed("expired"));
        }
        let place = *self.places.get(&command.device).ok_or_else(|| refused("device"))?;
        let device = &self.inner.devices[place];
        let (topic, payload) = device.encode(&command)?;
        if device
            .bridge
            .as_ref()
            .is_some_and(|bridge| self.inner.parts.is_away(bridge))
        {
            return Err(failed("bridge away"));
        }
        let lane = self.lane.as_ref().ok_or_else(|| failed("link down"))?;
        let ticket = self.inner.told.ticket();
        match lane.try_send(ticket, topic, payload.clone().into_bytes().into()) {
            Ok(()) => {
                let id = command.id;
                self.inner.told.handed_over(
                    ticket,
                    OnItsWay {
                        id,
                        device: place,
                        payload,
                    },
                );
                Ok(())
            }
            Err(LaneError::Ended) => Err(failed("link down")),
            Err(LaneError::Full) => Err(failed(TOO_MANY)),
            Err(fault @ (LaneError::Oversize { .. } | LaneError::Topic(_))) => Err(refused(&fault.to_string())),
        }
    }

    /// Notes what the publisher says.
    pub fn on_publisher(&mut self, event: PublishEvent) {
        match event {
            PublishEvent::Up(lane) => {
                self.lane = Some(lane);
                self.inner.parts.telling(Ok(()));
            }
            PublishEvent::Delivered(ticket) => {
                let id = self.inner.told.delivered(ticket, Instant::now());
                self.inner.events.extend(id.map(|id| written(id, WriteResult::Sent)));
            }
            PublishEvent::Down(down) => {
                self.lane = None;
                self.lose(&format!("link down: {down}"));
                self.inner.parts.telling(Err(down.to_string()));
            }
            // The command failed when the session ended; it is never put on the next lane again.
            PublishEvent::Poison(_) => {}
        }
    }

    /// Fails what was not carried out before the end.
    pub fn give_up(&mut self) {
        self.lose(STOPPED);
        self.tallied_at = None;
    }

    fn lose(&mut self, because: &str) {
        let lost: Vec<CommandId> = self.inner.told.lost();
        self.inner.events.extend(lost.into_iter().map(|id| failed(id, because)));
    }
}

impl Inner {
    /// Takes one message for every device its topic speaks of.
    fn take(&mut self, topic: &Topic, name: &str, payload: &[u8], retain: bool, now: Instant) {
        match topic.takers.first() {
            Some((first, TopicRole::Bridge)) => self.take_of_bridge(*first, name, payload, retain),
            Some((_, TopicRole::Complaint)) => {
                for place in topic.complained_of(payload) {
                    self.take_for(place, name, payload, retain, now);
                }
            }
            _ => {
                for (place, _) in &topic.takers {
                    self.take_for(*place, name, payload, retain, now);
                }
            }
        }
    }

    /// A bridge tells of itself to all its devices at once: the link is told of, not each of them.
    fn take_of_bridge(&mut self, first: usize, name: &str, payload: &[u8], retain: bool) {
        let Decoded { bridge, rejected, .. } = self.devices[first].binding.decode(name, payload, retain);
        if let Some(is_there) = bridge {
            self.parts.bridge(name, is_there);
        }
        if let Some(rejection) = rejected {
            self.tally.note(None, rejection.word());
        }
    }

    fn take_for(&mut self, place: usize, name: &str, payload: &[u8], retain: bool, now: Instant) {
        let device = &mut self.devices[place];
        let decoded = device.binding.decode(name, payload, retain);
        if let Some(rejection) = decoded.rejected {
            return self.tally.note(Some(device.binding.device()), rejection.word());
        }
        if decoded.dedup.is_some_and(|name| !device.is_new(name)) {
            return self.tally.note(Some(device.binding.device()), "duplicate");
        }
        for reading in decoded.readings {
            if let Some(value) = &reading.value {
                device.has_spoken = true;
                if device.binding.profile().hangs_on(reading.point) {
                    device.known.insert(reading.point, value.clone());
                }
            }
            self.events.push(Event::Reading(reading));
        }
        if let Some(online) = decoded.availability {
            let device = device.binding.device().clone();
            self.events.push(Event::Availability { device, online });
        }
        if let Some(text) = decoded.complaint {
            self.complain(place, text, now);
        }
    }

    fn complain(&mut self, place: usize, text: String, now: Instant) {
        match self.told.complained_of(place, &text, now) {
            Some(id) => self.events.push(failed(id, text)),
            None => self
                .tally
                .note(Some(self.devices[place].binding.device()), "bridge_error"),
        }
    }
}

impl Device {
    fn new(binding: DeviceBinding) -> Self {
        let topics = binding.topics();
        let bridge = topics.iter().find(|(_, role)| *role == TopicRole::Bridge);
        let bridge = bridge.map(|(topic, _)| Arc::clone(topic));
        Self {
            binding,
            known: BTreeMap::new(),
            has_spoken: false,
            names: VecDeque::new(),
            bridge,
        }
    }

    /// Notes a message's name; returns whether it is a new one.
    fn is_new(&mut self, name: String) -> bool {
        if self.names.contains(&name) {
            return false;
        }
        if self.names.len() == NAMES_MAX {
            self.names.pop_front();
        }
        self.names.push_back(name);
        true
    }

    /// Returns topic and payload of a command. What hangs on the state of a device that has not spoken since the start
    /// is worth another try; every other refusal stands.
    fn encode(&self, command: &Command) -> Result<(String, String), WriteResult> {
        match self.binding.encode(command.point, &command.value, &self.known) {
            Ok(Encoded::Publish { topic, payload }) => Ok((topic, payload)),
            Ok(Encoded::Writes(_)) => Err(WriteResult::Refused(EncodeRefusal::Command.to_string())),
            Err(seed @ EncodeRefusal::Seed(_)) if !self.has_spoken => Err(WriteResult::Failed(seed.to_string())),
            Err(refusal) => Err(WriteResult::Refused(refusal.to_string())),
        }
    }
}
