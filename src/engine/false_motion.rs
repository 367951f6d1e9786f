//! How often does this room's motion sensor see somebody where nobody is?
//!
//! While no guest has the room, and the door and the staff have been quiet for an hour, the room is known to be empty:
//! whatever moves then is a curtain, an insect or the air of the fan coil.

use crate::model::{Moment, Span};
use serde::{Deserialize, Serialize};

/// So long after the last movement of the door, whoever came in an unsold room has gone, or it is not known to be empty.
const QUIET_FIRST: Span = Span::minutes(60);
/// What is assumed of a sensor before it has been watched: bursts per hour, weighing as much as so many hours.
const USUAL_PER_H: f64 = 0.12;
const USUAL_WEIGHT_H: f64 = 10.0;
/// No sensor is believed to be better than this.
const LEAST_PER_H: f64 = 0.02;
/// More than this is no false motion: somebody is in.
const MOST_PER_H: f64 = 3.0;
/// Beyond so much watching the old counts half: sensors age and furniture moves.
const WATCHED_MAX: Span = Span::days(30);

/// What was seen while the room was known to be empty.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct FalseMotion {
    bursts: u32,
    /// Whole seconds, so that it reads back exactly.
    watched_s: i64,
    /// The watch that is on: since when, and what it has seen.
    watch: Option<(Moment, u32)>,
}

impl FalseMotion {
    /// False bursts per hour.
    pub fn per_hour(&self) -> f64 {
        let hours = USUAL_WEIGHT_H + self.watched_s as f64 / 3600.0;
        ((USUAL_PER_H * USUAL_WEIGHT_H + f64::from(self.bursts)) / hours).max(LEAST_PER_H)
    }

    /// How long the watch that is on has lasted.
    pub fn watched_for(&self, now: Moment) -> Span {
        self.watch.map_or(Span::ZERO, |(since, _)| now.since(since))
    }

    /// No guest has the room: it will be known to be empty, if nothing happens.
    ///
    /// Returns whether this watch is a new one.
    pub fn begin(&mut self, now: Moment, is_new: bool) -> bool {
        let from = if is_new { now } else { now + QUIET_FIRST };
        let was_on = self.watch.is_some();
        self.watch = self.watch.or(Some((from, 0)));
        !was_on
    }

    /// Something moved. Returns whether it was counted as false.
    pub fn burst(&mut self, now: Moment) -> bool {
        match &mut self.watch {
            Some((since, seen)) if *since <= now => {
                *seen = seen.saturating_add(1);
                true
            }
            _ => false,
        }
    }

    /// Somebody came, or a guest has the room: what was seen is counted.
    pub fn end(&mut self, now: Moment) {
        let Some((since, seen)) = self.watch.take().filter(|(since, _)| *since < now) else {
            return;
        };
        let lasted = now.since(since);
        if f64::from(seen) > MOST_PER_H * lasted.as_hours_f64().max(1.0) {
            return;
        }
        if self.watched_s > WATCHED_MAX.as_millis() / 1000 {
            (self.bursts, self.watched_s) = (self.bursts / 2, self.watched_s / 2);
        }
        self.bursts = self.bursts.saturating_add(seen);
        self.watched_s = self.watched_s.saturating_add(lasted.as_millis() / 1000);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_restless_sensor_is_known_after_a_day_of_an_empty_room() {
        let (mut motion, t0) = (FalseMotion::default(), Moment::EARLIEST);
        motion.begin(t0, true);
        (1..=24).for_each(|hour| assert!(motion.burst(t0 + Span::hours(hour))));
        motion.end(t0 + Span::hours(25));
        assert!(motion.per_hour() > 0.6, "{}", motion.per_hour());
    }

    #[test]
    fn somebody_who_lives_in_an_unsold_room_is_no_false_motion() {
        let (mut motion, t0) = (FalseMotion::default(), Moment::EARLIEST);
        motion.begin(t0, false);
        assert!(!motion.burst(t0 + Span::minutes(59)), "the door has just moved");
        (0..120).for_each(|n| _ = motion.burst(t0 + Span::minutes(60 + 10 * n)));
        motion.end(t0 + Span::hours(21));
        assert_eq!(motion.per_hour(), FalseMotion::default().per_hour());
    }
}
