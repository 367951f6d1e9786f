//! How long to wait before the next attempt?
//!
//! Full jitter: the pause is drawn evenly between nothing and a ceiling, so that two hundred rooms which lost their
//! broker in the same instant do not come back in the same instant. The ceiling doubles with every attempt and falls
//! back only after a session that stayed up for a while: a broker that accepts and throws out at once must not be
//! hammered just because it accepted. Chance and time are arguments.

use std::time::Duration;

/// The limits between which pauses are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pauses {
    /// The first ceiling.
    pub min: Duration,
    /// The ceiling that is never exceeded.
    pub max: Duration,
    /// How long a session must have lasted for the ceiling to fall back to the first.
    pub stable: Duration,
}

impl Default for Pauses {
    /// One second to one minute; a session is stable after one minute.
    fn default() -> Self {
        Self {
            min: Duration::from_secs(1),
            max: Duration::from_secs(60),
            stable: Duration::from_secs(60),
        }
    }
}

/// The pauses of one link.
#[derive(Debug, Clone)]
pub struct Backoff {
    pauses: Pauses,
    ceiling: Duration,
}

impl Backoff {
    /// Begins with the first ceiling. A largest pause below the smallest counts as equal to it.
    pub fn new(pauses: Pauses) -> Self {
        let pauses = Pauses {
            max: pauses.max.max(pauses.min),
            ..pauses
        };
        Self {
            pauses,
            ceiling: pauses.min,
        }
    }

    /// Returns the pause after an attempt that never came up, drawn by `chance` (0 to 1, even), and doubles the ceiling.
    pub fn after_failure(&mut self, chance: f64) -> Duration {
        let pause = self.ceiling.mul_f64(chance.clamp(0.0, 1.0));
        self.double();
        pause
    }

    /// Returns the pause after a session that was up for so long.
    ///
    /// After a stable session the ceiling starts anew. After a shorter one it doubles, and the pause is drawn from the
    /// upper half of it only: the peer answers, so a lucky draw near nothing would be a busy loop through its front door.
    pub fn after_session(&mut self, lasted: Duration, chance: f64) -> Duration {
        if lasted >= self.pauses.stable {
            self.ceiling = self.pauses.min;
            return self.after_failure(chance);
        }
        let pause = self.ceiling.mul_f64(0.5 + chance.clamp(0.0, 1.0) / 2.0);
        self.double();
        pause
    }

    fn double(&mut self) {
        self.ceiling = self.ceiling.saturating_mul(2).min(self.pauses.max);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn backoff() -> Backoff {
        Backoff::new(Pauses {
            min: SECOND,
            max: 8 * SECOND,
            stable: 60 * SECOND,
        })
    }

    #[test]
    fn ceilings_double_up_to_the_largest_and_stay_there() {
        let mut backoff = backoff();
        let ceilings: Vec<_> = (0..6).map(|_| backoff.after_failure(1.0).as_secs()).collect();
        assert_eq!(ceilings, [1, 2, 4, 8, 8, 8]);
    }

    #[test]
    fn a_pause_is_drawn_from_the_whole_range_below_the_ceiling() {
        assert_eq!(backoff().after_failure(0.0), Duration::ZERO);
        assert_eq!(backoff().after_failure(0.25), SECOND / 4);
        assert_eq!(
            backoff().after_failure(7.0),
            SECOND,
            "a chance out of range is held to it"
        );
    }

    #[test]
    fn only_a_stable_session_brings_the_ceiling_down() {
        let mut backoff = backoff();
        for _ in 0..4 {
            backoff.after_failure(0.5);
        }
        assert_eq!(backoff.after_session(59 * SECOND, 1.0), 8 * SECOND);
        assert_eq!(backoff.after_session(60 * SECOND, 1.0), SECOND);
        assert_eq!(backoff.after_failure(1.0), 2 * SECOND);
    }

    #[test]
    fn a_peer_that_accepts_and_throws_out_is_never_called_back_at_once() {
        let mut backoff = backoff();
        assert_eq!(backoff.after_session(Duration::ZERO, 0.0), SECOND / 2);
        assert_eq!(backoff.after_session(Duration::ZERO, 0.0), SECOND);
        assert_eq!(backoff.after_session(Duration::ZERO, 0.0), 2 * SECOND);
    }

    #[test]
    fn limits_the_wrong_way_round_do_not_shorten_the_pause() {
        let mut backoff = Backoff::new(Pauses {
            min: 4 * SECOND,
            max: SECOND,
            stable: SECOND,
        });
        assert_eq!(backoff.after_failure(1.0), 4 * SECOND);
        assert_eq!(backoff.after_failure(1.0), 4 * SECOND);
    }
}
