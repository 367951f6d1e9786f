//! Who wants this topic?
//!
//! Filters without wildcards, which are nearly all of them in a hotel, are looked up; the others are tried one by one.

use rumqttc::mqttbytes::QoS;
use std::collections::{BTreeMap, HashMap};

type Takers = BTreeMap<String, QoS>;

/// Which client asked for which filter.
#[derive(Debug, Default)]
pub(super) struct Subscriptions {
    exact: HashMap<String, Takers>,
    wild: BTreeMap<String, Takers>,
}

impl Subscriptions {
    pub(super) fn add(&mut self, filter: &str, client_id: &str, qos: QoS) {
        let takers = if is_wild(filter) {
            self.wild.entry(filter.to_owned()).or_default()
        } else {
            self.exact.entry(filter.to_owned()).or_default()
        };
        takers.insert(client_id.to_owned(), qos);
    }

    pub(super) fn remove(&mut self, filter: &str, client_id: &str) {
        for takers in [self.exact.get_mut(filter), self.wild.get_mut(filter)]
            .into_iter()
            .flatten()
        {
            takers.remove(client_id);
        }
        self.drop_empty();
    }

    pub(super) fn remove_client(&mut self, client_id: &str) {
        for takers in self.exact.values_mut().chain(self.wild.values_mut()) {
            takers.remove(client_id);
        }
        self.drop_empty();
    }

    /// Returns each client once, with the highest QoS of its matching filters.
    pub(super) fn takers(&self, topic: &str) -> Vec<(&str, QoS)> {
        let wild = self
            .wild
            .iter()
            .filter(|(filter, _)| matches(filter, topic))
            .map(|(_, takers)| takers);
        let mut found: Vec<(&str, QoS)> = Vec::new();
        for (client_id, qos) in self.exact.get(topic).into_iter().chain(wild).flatten() {
            match found.iter_mut().find(|(known, _)| known == client_id) {
                Some((_, known)) if *known < *qos => *known = *qos,
                Some(_) => {}
                None => found.push((client_id, *qos)),
            }
        }
        found
    }

    fn drop_empty(&mut self) {
        self.exact.retain(|_, takers| !takers.is_empty());
        self.wild.retain(|_, takers| !takers.is_empty());
    }
}

fn is_wild(filter: &str) -> bool {
    filter.contains(['+', '#'])
}

/// Returns whether the topic matches the filter (MQTT 3.1.1, section 4.7): `#` takes the level above it too, and no
/// wildcard in front takes a topic that begins with `$`.
pub(super) fn matches(filter: &str, topic: &str) -> bool {
    if topic.starts_with('$') && filter.starts_with(['+', '#']) {
        return false;
    }
    let mut levels = topic.split('/');
    for wanted in filter.split('/') {
        let level = levels.next();
        match level {
            _ if wanted == "#" => return true,
            Some(level) if wanted == "+" || wanted == level => {}
            _ => return false,
        }
    }
    levels.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_match_as_the_standard_says() {
        for (filter, topic, wanted) in [
            ("a/b", "a/b", true),
            ("a/b", "a/b/c", false),
            ("a/+", "a/b", true),
            ("a/+", "a", false),
            ("a/+", "a/", true),
            ("+/+", "/finance", true),
            ("+", "/finance", false),
            ("a/#", "a", true),
            ("a/#", "a/b/c", true),
            ("a/#", "ab", false),
            ("+/#", "a", true),
            ("+/b/#", "a/b", true),
            ("#", "a/b", true),
            ("#", "$SYS/load", false),
            ("+/load", "$SYS/load", false),
            ("$SYS/#", "$SYS/load", true),
            ("é/#", "é/b", true),
        ] {
            assert_eq!(matches(filter, topic), wanted, "{filter} {topic}");
        }
    }

    #[test]
    fn a_client_with_overlapping_filters_takes_a_message_once_with_the_higher_quality() {
        let mut subscriptions = Subscriptions::default();
        subscriptions.add("a/b", "one", QoS::AtMostOnce);
        subscriptions.add("a/#", "one", QoS::AtLeastOnce);
        subscriptions.add("a/+", "two", QoS::AtMostOnce);
        let takers = subscriptions.takers("a/b");
        assert_eq!(takers, [("one", QoS::AtLeastOnce), ("two", QoS::AtMostOnce)]);
        subscriptions.remove("a/#", "one");
        assert_eq!(subscriptions.takers("a/c"), [("two", QoS::AtMostOnce)]);
        subscriptions.remove_client("two");
        assert!(subscriptions.takers("a/c").is_empty() && subscriptions.wild.is_empty());
    }
}
