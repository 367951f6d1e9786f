//! Does something stand open, so that the unit must rest?
//!
//! A window or balcony door that stands open for two minutes turns the unit off; five minutes after it closes the unit goes
//! on as before. Frost is guarded against all the while. A guest who switches the unit on under an open window is obeyed
//! until that window has been closed.

use crate::model::{Celsius, HvacMode, Moment, Span};
use serde::{Deserialize, Serialize};

/// A window may be opened and closed again within this.
const WINDOW_GRACE: Span = Span::minutes(2);
/// After it closes, the air settles for so long.
const RESUME_AFTER: Span = Span::minutes(5);
/// The entrance door of a room without a guest may stand open for so long before warming the corridor ends.
const DOOR_GRACE: Span = Span::minutes(10);
/// Colder than this, the room is warmed whatever stands open.
pub const FROST: Celsius = Celsius::from_hundredths(1200);
/// And so much warmer than that again before the guard rests.
const FROST_OVER: Celsius = Celsius::from_hundredths(100);

/// What stands open in a room.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Interlock {
    window_since: Option<Moment>,
    closed_at: Option<Moment>,
    door_since: Option<Moment>,
    /// The unit is to rest; what it did before comes back afterwards.
    resting: Option<Before>,
    overruled: bool,
    frost: bool,
}

/// What the unit did before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Before {
    mode: Option<HvacMode>,
    since: Moment,
}

/// What the interlock asks for now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asks {
    /// Nothing.
    Nothing,
    /// The unit rests: something has stood open since.
    Rest {
        /// Since when.
        since: Moment,
        /// Whether this begins now.
        is_new: bool,
    },
    /// It is so cold that the room is warmed all the same.
    Frost,
    /// It goes on as before, in this mode where it had one.
    Resume {
        /// The mode it had.
        mode: Option<HvacMode>,
    },
}

impl Interlock {
    /// Follows what is open, and says what follows from it. `mode` is what the unit says it does.
    pub fn advance(
        &mut self,
        now: Moment,
        is_window_open: bool,
        is_door_open: bool,
        air: Option<Celsius>,
        mode: Option<HvacMode>,
    ) -> Asks {
        self.door_since = is_door_open.then(|| self.door_since.unwrap_or(now));
        if is_window_open {
            self.window_since = self.window_since.or(Some(now));
            self.closed_at = None;
        } else if self.window_since.take().is_some() {
            (self.closed_at, self.overruled) = (Some(now), false);
        }
        self.frost = air.is_some_and(|air| air < FROST || self.frost && air < FROST + FROST_OVER);
        self.asks(now, mode)
    }

    fn asks(&mut self, now: Moment, mode: Option<HvacMode>) -> Asks {
        let is_overdue = self.window_since.is_some_and(|since| now.since(since) >= WINDOW_GRACE);
        let is_settling = self.closed_at.is_some_and(|at| now.since(at) < RESUME_AFTER);
        if self.overruled {
            self.resting = None;
            return Asks::Nothing;
        }
        match (
            self.resting,
            is_overdue || (self.resting.is_some() && (is_settling || self.window_since.is_some())),
        ) {
            (_, true) if self.frost => Asks::Frost,
            (Some(before), true) => Asks::Rest {
                since: before.since,
                is_new: false,
            },
            (None, true) => {
                let since = self.window_since.unwrap_or(now);
                self.resting = Some(Before { mode, since });
                Asks::Rest { since, is_new: true }
            }
            (Some(before), false) => {
                (self.resting, self.closed_at) = (None, None);
                Asks::Resume { mode: before.mode }
            }
            (None, false) => Asks::Nothing,
        }
    }

    /// Somebody in the room switched the unit by hand: it is obeyed while this window stands open.
    pub fn overrule(&mut self) {
        self.overruled = self.window_since.is_some();
    }

    /// Whether the entrance door has stood open for long.
    pub fn is_door_standing_open(&self, now: Moment) -> bool {
        self.door_since.is_some_and(|since| now.since(since) >= DOOR_GRACE)
    }

    /// Whether the unit rests.
    pub fn is_resting(&self) -> bool {
        self.resting.is_some()
    }

    /// When something will follow by itself.
    pub fn deadline(&self, now: Moment) -> Option<Moment> {
        let window = self.window_since.map(|since| since + WINDOW_GRACE);
        let resume = self
            .closed_at
            .filter(|_| self.resting.is_some())
            .map(|at| at + RESUME_AFTER);
        let door = self.door_since.map(|since| since + DOOR_GRACE);
        [window, resume, door]
            .into_iter()
            .flatten()
            .filter(|at| *at > now)
            .min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: i64) -> Moment {
        Moment::EARLIEST + Span::minutes(minute)
    }

    fn look(interlock: &mut Interlock, minute: i64, open: bool, air: i32) -> Asks {
        let air = Some(Celsius::from_hundredths(air * 100));
        interlock.advance(at(minute), open, false, air, Some(HvacMode::Heat))
    }

    #[test]
    fn an_open_window_rests_the_unit_and_a_closed_one_lets_it_go_on_as_before() {
        let mut room = Interlock::default();
        assert_eq!(look(&mut room, 0, true, 20), Asks::Nothing);
        assert_eq!(room.deadline(at(0)), Some(at(2)));
        assert!(matches!(look(&mut room, 2, true, 20), Asks::Rest { is_new: true, .. }));
        assert!(matches!(
            look(&mut room, 30, false, 18),
            Asks::Rest { is_new: false, .. }
        ));
        assert_eq!(room.deadline(at(30)), Some(at(35)));
        let resumed = Asks::Resume {
            mode: Some(HvacMode::Heat),
        };
        assert_eq!(look(&mut room, 35, false, 18), resumed);
        assert_eq!(look(&mut room, 36, false, 18), Asks::Nothing);
    }

    #[test]
    fn frost_is_guarded_against_under_an_open_window() {
        let mut room = Interlock::default();
        look(&mut room, 0, true, 20);
        look(&mut room, 2, true, 13);
        assert_eq!(look(&mut room, 60, true, 11), Asks::Frost);
        assert_eq!(look(&mut room, 65, true, 12), Asks::Frost);
        assert!(matches!(look(&mut room, 70, true, 14), Asks::Rest { .. }));
    }

    #[test]
    fn a_guest_who_wants_it_warm_under_an_open_window_is_obeyed() {
        let mut room = Interlock::default();
        look(&mut room, 0, true, 20);
        look(&mut room, 5, true, 20);
        room.overrule();
        assert_eq!(look(&mut room, 6, true, 20), Asks::Nothing);
        look(&mut room, 20, false, 20);
        look(&mut room, 30, true, 20);
        assert!(
            matches!(look(&mut room, 33, true, 20), Asks::Rest { .. }),
            "the next window is another"
        );
    }
}
