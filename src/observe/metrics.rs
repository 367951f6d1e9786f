//! What has been counted since the start?
//!
//! Prometheus text on loopback. Labels are rooms, links and reasons from closed lists; never a guest, never a stay.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use std::sync::Arc;

/// What happened, by kind.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Kind {
    kind: &'static str,
}

/// What was not taken, by where it came from and why.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Rejection {
    source: String,
    reason: String,
}

/// A link.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Link {
    link: String,
}

/// All counters of the daemon. Cloning shares them.
#[derive(Debug, Clone)]
pub struct Metrics {
    registry: Arc<Registry>,
    events: Family<Kind, Counter>,
    effects: Family<Kind, Counter>,
    rejected: Family<Rejection, Counter>,
    links: Family<Link, Gauge>,
    pending: Gauge,
    oldest_unsent_s: Gauge,
    devices_silent: Gauge,
    commits: Counter,
    commit_faults: Counter,
    commit_seconds: Histogram,
    log_bytes: Gauge,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("innkeeper");
        // From an NVMe disk's tenth of a millisecond to an eMMC having a bad day.
        let commit_seconds = Histogram::new([0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 2.0]);
        let (events, effects, rejected) = (Family::default(), Family::default(), Family::default());
        let (links, pending, oldest_unsent_s) = (Family::default(), Gauge::default(), Gauge::default());
        let (devices_silent, log_bytes) = (Gauge::default(), Gauge::default());
        let (commits, commit_faults) = (Counter::default(), Counter::default());
        registry.register("events", "Events the engine was fed, by kind", Family::clone(&events));
        registry.register("effects", "Effects the engine wanted, by kind", Family::clone(&effects));
        registry.register(
            "rejected",
            "What was not taken, by source and named reason",
            Family::clone(&rejected),
        );
        registry.register("link_up", "Whether a link is up", Family::clone(&links));
        registry.register(
            "outbox_pending",
            "Entries that wait for central",
            Gauge::clone(&pending),
        );
        registry.register(
            "outbox_oldest_seconds",
            "Age of the oldest entry that waits",
            Gauge::clone(&oldest_unsent_s),
        );
        registry.register(
            "devices_silent",
            "Devices not heard of within their time",
            Gauge::clone(&devices_silent),
        );
        registry.register("commits", "Batches made durable", Counter::clone(&commits));
        registry.register(
            "commit_faults",
            "Batches that could not be made durable at once",
            Counter::clone(&commit_faults),
        );
        registry.register(
            "commit_seconds",
            "Time to make a batch durable",
            Histogram::clone(&commit_seconds),
        );
        registry.register(
            "store_written_bytes",
            "Bytes written to the store since the start",
            Gauge::clone(&log_bytes),
        );
        Self {
            registry: Arc::new(registry),
            events,
            effects,
            rejected,
            links,
            pending,
            oldest_unsent_s,
            devices_silent,
            commits,
            commit_faults,
            commit_seconds,
            log_bytes,
        }
    }
}

impl Metrics {
    /// Counts events of a kind.
    pub fn event(&self, kind: &'static str, count: u64) {
        self.events.get_or_create(&Kind { kind }).inc_by(count);
    }

    /// Counts an effect.
    pub fn effect(&self, kind: &'static str) {
        self.effects.get_or_create(&Kind { kind }).inc();
    }

    /// Counts what was not taken.
    pub fn reject(&self, source: &str, reason: &str, count: u64) {
        let label = Rejection {
            source: source.into(),
            reason: reason.into(),
        };
        self.rejected.get_or_create(&label).inc_by(count);
    }

    /// Notes whether a link is up.
    pub fn link(&self, link: &str, up: bool) {
        self.links.get_or_create(&Link { link: link.into() }).set(i64::from(up));
    }

    /// Notes what waits for central, and for how long.
    pub fn outbox(&self, pending: u64, oldest_s: u64) {
        self.pending.set(i64::try_from(pending).unwrap_or(i64::MAX));
        self.oldest_unsent_s.set(i64::try_from(oldest_s).unwrap_or(i64::MAX));
    }

    /// Notes how many devices are silent.
    pub fn silent(&self, devices: usize) {
        self.devices_silent.set(i64::try_from(devices).unwrap_or(i64::MAX));
    }

    /// Counts a batch made durable.
    pub fn commit(&self, seconds: f64, written_bytes: u64) {
        self.commits.inc();
        self.commit_seconds.observe(seconds);
        self.log_bytes.set(i64::try_from(written_bytes).unwrap_or(i64::MAX));
    }

    /// Counts a batch that could not be made durable.
    pub fn commit_fault(&self) {
        self.commit_faults.inc();
    }

    /// The text that Prometheus scrapes.
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_rejected_can_be_read_by_reason() {
        let metrics = Metrics::default();
        metrics.reject("zigbee", "json", 3);
        metrics.commit(0.001, 77);
        let text = metrics.text();
        assert!(
            text.contains(r#"innkeeper_rejected_total{source="zigbee",reason="json"} 3"#),
            "{text}"
        );
        assert!(text.contains("innkeeper_commits_total 1"), "{text}");
    }
}
