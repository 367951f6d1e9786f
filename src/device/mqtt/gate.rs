//! How much may one device say?
//!
//! A token bucket for each. What is said beyond it is not decoded; of each topic the newest is kept and let through when a
//! token returns, so that a device which falls quiet after a flood is known by its last word, not by an earlier one.

use std::time::Duration;
use tokio::time::Instant;

/// Messages a second that one device may send for ever. The busiest devices of a room, power meters, report once a
/// second; 20 leaves a hall sensor with a loose contact still readable.
const SUSTAINED_PER_SECOND: u32 = 20;
/// Messages at once: a bridge that comes back repeats a device's state once for each of its end points.
const BURST: u32 = 60;

/// The bucket of one device, or of one topic that serves several.
#[derive(Debug)]
pub(super) struct Gate {
    per_second: u32,
    burst: Duration,
    /// When the bucket would be full, if nothing more came: the further ahead, the emptier it is.
    full_at: Option<Instant>,
    kept: Vec<Kept>,
}

/// The newest message of a topic that was held back.
#[derive(Debug, Default)]
pub(super) struct Kept {
    pub topic: String,
    pub payload: Vec<u8>,
    pub retain: bool,
}

impl Gate {
    /// A full bucket for so many devices.
    pub fn new(devices: usize) -> Self {
        let per_second = SUSTAINED_PER_SECOND.saturating_mul(u32::try_from(devices.max(1)).unwrap_or(u32::MAX));
        Self {
            per_second,
            burst: Duration::from_secs(1) * BURST / SUSTAINED_PER_SECOND,
            full_at: None,
            kept: Vec::new(),
        }
    }

    /// Takes a token, when there is one.
    pub fn admit(&mut self, now: Instant) -> bool {
        let token = Duration::from_secs(1) / self.per_second;
        let full_at = self.full_at.map_or(now, |at| at.max(now)) + token;
        let has_token = full_at.duration_since(now) <= self.burst;
        if has_token {
            self.full_at = Some(full_at);
        }
        has_token
    }

    /// Keeps a message that was held back, in place of an older one of its topic. Copies it: the payload as it came
    /// shares the memory of everything read with it.
    pub fn keep(&mut self, topic: &str, payload: &[u8], retain: bool) {
        let place = self.kept.iter().position(|kept| kept.topic == topic);
        let place = place.unwrap_or_else(|| {
            self.kept.push(Kept {
                topic: topic.to_owned(),
                ..Kept::default()
            });
            self.kept.len() - 1
        });
        let kept = &mut self.kept[place];
        kept.payload.clear();
        kept.payload.extend_from_slice(payload);
        kept.retain = retain;
    }

    /// Forgets what was kept of a topic: something newer went through.
    pub fn outdated(&mut self, topic: &str) {
        self.kept.retain(|kept| kept.topic != topic);
    }

    /// Returns what was held back longest, when there is a token for it.
    pub fn release(&mut self, now: Instant) -> Option<Kept> {
        if self.kept.is_empty() || !self.admit(now) {
            return None;
        }
        Some(self.kept.remove(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_goes_through_and_then_twenty_a_second() {
        let (mut gate, start) = (Gate::new(1), Instant::now());
        let at_once = (0..1000).filter(|_| gate.admit(start)).count();
        let later = (0..10_000)
            .filter(|n| gate.admit(start + Duration::from_millis(*n)))
            .count();
        assert_eq!(at_once, 60);
        assert!((199..=200).contains(&later), "{later} in ten seconds");
    }

    #[test]
    fn the_last_word_of_each_topic_comes_through_in_the_end() {
        let (mut gate, start) = (Gate::new(1), Instant::now());
        while gate.admit(start) {}
        gate.keep("a", b"1", false);
        gate.keep("b", b"2", false);
        gate.keep("a", b"3", false);
        assert!(gate.release(start).is_none());
        let soon = start + Duration::from_millis(100);
        assert_eq!(gate.release(soon).unwrap().payload, b"3");
        gate.outdated("b");
        assert!(gate.release(soon).is_none());
    }
}
