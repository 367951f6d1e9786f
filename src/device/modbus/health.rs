//! Does a unit answer, and when is a silent one asked again?

use super::event::{FailReason, UnitState};
use super::plan::Patience;
use std::time::Duration;
use tokio::time::Instant;

/// What is known of one unit's answering.
#[derive(Debug, Default)]
pub(super) struct Health {
    misses: u32,
    pause: Option<Duration>,
    is_told_online: bool,
}

impl Health {
    /// Whether the unit is left alone.
    pub fn is_quarantined(&self) -> bool {
        self.pause.is_some()
    }

    /// Notes a sign of life; returns the new state when it is one.
    pub fn good(&mut self) -> Option<UnitState> {
        self.misses = 0;
        let is_new = self.pause.take().is_some() || !self.is_told_online;
        self.is_told_online = true;
        is_new.then_some(UnitState::Online)
    }

    /// Notes a missing answer; returns the quarantine it leads to.
    pub fn miss(&mut self, now: Instant, patience: &Patience, because: FailReason) -> Option<UnitState> {
        self.misses = self.misses.saturating_add(1);
        if self.misses < patience.misses && self.pause.is_none() {
            return None;
        }
        let pause = self
            .pause
            .map_or(patience.first, |pause| (pause * 2).min(patience.longest));
        self.pause = Some(pause);
        Some(UnitState::Quarantined {
            until: now + pause,
            because,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pauses_double_up_to_a_minute_and_end_with_the_first_answer() {
        let (mut health, patience, now) = (Health::default(), Patience::default(), Instant::now());
        let pause = |health: &mut Health| match health.miss(now, &patience, FailReason::Silent) {
            Some(UnitState::Quarantined { until, .. }) => (until - now).as_secs(),
            _ => 0,
        };
        let pauses: Vec<u64> = (0..11).map(|_| pause(&mut health)).collect();
        assert_eq!(pauses, [0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60]);
        assert_eq!(health.good(), Some(UnitState::Online));
        assert_eq!(health.good(), None);
        assert_eq!(pause(&mut health), 0);
    }
}
