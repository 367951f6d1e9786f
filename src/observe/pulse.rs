//! Is every loop getting on?
//!
//! The watchdog of systemd is fed by progress, not by a timer: each loop beats its pulse at every turn, and the daemon says
//! "alive" only while every pulse has moved within its time. A loop that hangs takes the daemon down, and systemd brings
//! it back.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// The pulse of one loop. Cloning shares it.
#[derive(Debug, Clone, Default)]
pub struct Pulse(Arc<AtomicU64>);

impl Pulse {
    /// One turn of the loop is done.
    pub fn beat(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// How many turns have been done.
    pub fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

struct Watched {
    name: String,
    count: Box<dyn Fn() -> u64 + Send>,
    within: Duration,
    seen: u64,
    moved_at: Instant,
}

/// All pulses of the daemon.
#[derive(Clone, Default)]
pub struct Pulses(Arc<Mutex<Vec<Watched>>>);

impl Pulses {
    /// Watches a loop: it must get on within this time, or the daemon is not well.
    pub fn add(&self, name: impl Into<String>, within: Duration, count: impl Fn() -> u64 + Send + 'static) {
        let (seen, moved_at) = (count(), Instant::now());
        let watched = Watched {
            name: name.into(),
            count: Box::new(count),
            within,
            seen,
            moved_at,
        };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(watched);
    }

    /// Forgets the loops whose name begins so: their link was stopped.
    pub fn remove(&self, prefix: &str) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .retain(|w| !w.name.starts_with(prefix));
    }

    /// The loops that have not got on within their time.
    pub fn stuck(&self) -> Vec<String> {
        let now = Instant::now();
        let mut watched = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        watched
            .iter_mut()
            .filter_map(|w| w.is_stuck(now).then(|| w.name.clone()))
            .collect()
    }
}

impl Watched {
    fn is_stuck(&mut self, now: Instant) -> bool {
        let count = (self.count)();
        if count != self.seen {
            (self.seen, self.moved_at) = (count, now);
        }
        now.duration_since(self.moved_at) > self.within
    }
}

/// Feeds systemd's watchdog for as long as every loop gets on. Does nothing outside systemd.
pub async fn watch(pulses: Pulses) {
    let Some(period) = sd_notify::watchdog_enabled() else {
        return;
    };
    let mut turns = tokio::time::interval(period / 3);
    turns.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        turns.tick().await;
        let stuck = pulses.stuck();
        if stuck.is_empty() {
            let _ = sd_notify::notify(&[sd_notify::NotifyState::Watchdog]);
        } else {
            tracing::error!(
                loops = stuck.join(", "),
                "loops do not get on; systemd will restart the daemon"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_loop_that_hangs_is_named() {
        let (pulses, well, ill) = (Pulses::default(), Pulse::default(), Pulse::default());
        for (name, pulse) in [("well", well.clone()), ("ill", ill.clone())] {
            pulses.add(name, Duration::from_secs(10), move || pulse.count());
        }
        for _ in 0..12 {
            tokio::time::advance(Duration::from_secs(1)).await;
            well.beat();
            pulses.stuck();
        }
        assert_eq!(pulses.stuck(), ["ill"]);
        ill.beat();
        assert!(pulses.stuck().is_empty());
    }
}
