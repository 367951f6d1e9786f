//! Whom does a topic speak of?

use super::gate::Gate;
use crate::profile::{DeviceBinding, TopicRole};
use std::collections::HashMap;

/// The parameter that a bridge's complaints name a device by.
const NAME: &str = "name";

/// One topic.
#[derive(Debug, Default)]
pub(super) struct Topic {
    /// Which devices it speaks of, and what it is to each.
    pub takers: Vec<(usize, TopicRole)>,
    /// Devices by the name their bridge knows them by, where the topic is one of complaints about many.
    names: HashMap<String, usize>,
    /// Which gate its messages go through.
    pub gate: usize,
}

/// Every topic that is listened to.
#[derive(Debug)]
pub(super) struct Routes {
    topics: HashMap<String, Topic>,
}

impl Routes {
    /// Lists the topics of these devices. A topic of one device shares that device's gate; a bridge's topics have their
    /// own, so that a talkative bridge silences none of its devices. The gates of the devices come first, in their order.
    pub fn new(bindings: &[DeviceBinding]) -> (Self, Vec<Gate>) {
        let mut topics: HashMap<String, Topic> = HashMap::new();
        for (device, binding) in bindings.iter().enumerate() {
            for (name, role) in binding.topics() {
                let topic = topics.entry(name.to_owned()).or_default();
                topic.takers.push((device, role));
                if let (TopicRole::Complaint, Some(called)) = (role, binding.parameters().get(NAME)) {
                    topic.names.insert(called.clone(), device);
                }
            }
        }
        let mut gates: Vec<Gate> = bindings.iter().map(|_| Gate::new(1)).collect();
        for topic in topics.values_mut() {
            topic.gate = match topic.takers[..] {
                [(device, TopicRole::State | TopicRole::Availability)] => device,
                _ => {
                    gates.push(Gate::new(topic.takers.len()));
                    gates.len() - 1
                }
            };
        }
        (Self { topics }, gates)
    }

    /// The topic of this name, when it is listened to.
    pub fn get(&self, topic: &str) -> Option<&Topic> {
        self.topics.get(topic)
    }

    /// The filters to subscribe to, each once.
    pub fn filters(&self) -> Vec<String> {
        let mut filters: Vec<String> = self.topics.keys().cloned().collect();
        filters.sort_unstable();
        filters
    }
}

impl Topic {
    /// The devices that a complaint can be about. A bridge logs every message it passes on, so the text is searched for
    /// names in quotes before anybody parses it.
    pub fn complained_of(&self, payload: &[u8]) -> Vec<usize> {
        if self.names.is_empty() {
            return self.takers.iter().map(|(device, _)| *device).collect();
        }
        let text = String::from_utf8_lossy(payload);
        let mut meant: Vec<usize> = quoted(&text)
            .filter_map(|piece| self.names.get(piece).copied())
            .collect();
        meant.sort_unstable();
        meant.dedup();
        meant
    }
}

/// The pieces of a text between one apostrophe and the next.
pub(super) fn quoted(text: &str) -> impl Iterator<Item = &str> {
    let pieces: Vec<&str> = text.split('\'').collect();
    let inner = pieces.len().saturating_sub(2);
    pieces.into_iter().skip(1).take(inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_in_quotes_is_found() {
        let found: Vec<&str> = quoted("Publish 'set' 'state' to 'lamp 1' failed").collect();
        assert_eq!(found, ["set", " ", "state", " to ", "lamp 1"]);
        assert_eq!(quoted("no quotes").count(), 0);
        assert_eq!(quoted("one ' alone").count(), 0);
    }
}
