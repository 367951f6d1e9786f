//! Whom does a topic speak of?

use super::gate::Gate;
use crate::profile::{DeviceBinding, TopicRole};
use std::collections::HashMap;
use std::sync::Arc;

/// The parameter that a bridge's complaints name a device by.
const NAME: &str = "name";

/// One topic. There are several a device, so it is kept small.
#[derive(Debug)]
pub(super) struct Topic {
    /// Which devices it speaks of, and what it is to each.
    pub takers: Box<[(usize, TopicRole)]>,
    /// Devices by the name their bridge knows them by, where the topic is one of complaints about many.
    #[expect(
        clippy::box_collection,
        reason = "nearly every topic has none: one word instead of six"
    )]
    names: Option<Box<HashMap<String, usize>>>,
    /// Which gate its messages go through.
    pub gate: usize,
}

/// Every topic that is listened to.
#[derive(Debug)]
pub(super) struct Routes {
    topics: HashMap<Arc<str>, Topic>,
}

impl Routes {
    /// Lists the topics of these devices. A topic of one device shares that device's gate; a bridge's topics have their
    /// own, so that a talkative bridge silences none of its devices. The gates of the devices come first, in their order.
    pub fn new(bindings: &[DeviceBinding]) -> (Self, Vec<Gate>) {
        let mut heard: HashMap<Arc<str>, Vec<(usize, TopicRole)>> = HashMap::new();
        for (device, binding) in bindings.iter().enumerate() {
            for (name, role) in binding.topics() {
                heard.entry(Arc::clone(name)).or_default().push((device, role));
            }
        }
        let mut gates: Vec<Gate> = bindings.iter().map(|_| Gate::new(1)).collect();
        let mut gate_of = |takers: &[(usize, TopicRole)]| match takers {
            [(device, TopicRole::State | TopicRole::Availability)] => *device,
            _ => {
                gates.push(Gate::new(takers.len()));
                gates.len() - 1
            }
        };
        let topics = heard.into_iter().map(|(name, takers)| {
            let topic = Topic {
                gate: gate_of(&takers),
                names: names(bindings, &takers).map(Box::new),
                takers: takers.into(),
            };
            (name, topic)
        });
        let topics = topics.collect();
        (Self { topics }, gates)
    }

    /// The topic of this name, when it is listened to.
    pub fn get(&self, topic: &str) -> Option<&Topic> {
        self.topics.get(topic)
    }

    /// The filters to subscribe to, each once.
    pub fn filters(&self) -> Vec<String> {
        let mut filters: Vec<String> = self.topics.keys().map(|topic| topic.to_string()).collect();
        filters.sort_unstable();
        filters
    }
}

/// The names that complaints on a topic call its devices by; none when they have no names.
fn names(bindings: &[DeviceBinding], takers: &[(usize, TopicRole)]) -> Option<HashMap<String, usize>> {
    let complained = takers.iter().filter(|(_, role)| *role == TopicRole::Complaint);
    let named = complained.filter_map(|(device, _)| Some((bindings[*device].parameters().get(NAME)?.clone(), *device)));
    let names: HashMap<String, usize> = named.collect();
    (!names.is_empty()).then_some(names)
}

impl Topic {
    /// The devices that a complaint can be about. A bridge logs every message it passes on, so the text is searched for
    /// names in quotes before anybody parses it.
    pub fn complained_of(&self, payload: &[u8]) -> Vec<usize> {
        let Some(names) = &self.names else {
            return self.takers.iter().map(|(device, _)| *device).collect();
        };
        let text = String::from_utf8_lossy(payload);
        let mut meant: Vec<usize> = quoted(&text).filter_map(|piece| names.get(piece).copied()).collect();
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
