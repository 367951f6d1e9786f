//! Does a window stand open in a room where no contact would tell?
//!
//! Under an open window the unit works against the weather, and the air goes towards it all the same: two readings lie below
//! what the room's model expected, together by more than a kelvin, while the unit has been giving heat for three. How far the
//! air has moved does not tell: the unit holds it. A unit that gives nothing, or has just been turned down, is not judged:
//! there is nothing to rest, and a room that is let go falls faster than was expected, too. Nor is a room whose door has just
//! moved, or whose model is not trusted. Whether the window has been closed again shows only when the air comes
//! back by itself, out of the walls; after half an hour the unit is let on all the same, and if the window still stands open
//! the air will fall again.

use crate::model::{Celsius, Moment, Span};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// So many readings are looked at together.
const LOOKED_AT: usize = 3;
/// Of these, the last so many must surprise.
const SURPRISE: usize = 2;
/// What they lie beyond what was expected, together, K.
const UNEXPLAINED_K: f64 = 1.4;
/// And by so much each of them, K: one wild reading opens no window.
const EACH_K: f64 = 0.15;
/// At every reading the unit gives at least this share of its output against the weather.
const OUTPUT_MIN: f64 = 0.05;
/// And at the last no more than this less than at the first.
const TURNED_DOWN: f64 = 0.1;
/// No window moves the air further in a quarter of an hour: a thermometer that does has failed.
const MOVED_MAX_K: f64 = 6.0;
/// The air outside is at least so much colder, or warmer.
const OUTDOOR_K: f64 = 6.0;
/// After the entrance door moved, the corridor's air comes in for so long.
const AFTER_DOOR: Span = Span::minutes(20);
/// The window counts as closed when the air has come back by this, K.
const BACK_K: f64 = 0.4;
/// Or after this.
const OPEN_MAX: Span = Span::minutes(30);

/// What is suspected of the window.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Draught {
    /// What the last readings were.
    readings: VecDeque<Seen>,
    open: Option<Open>,
}

/// One reading.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Seen {
    /// The air, C.
    air: f64,
    /// What that was beyond what was expected, K.
    off: f64,
    /// What the unit gave then, 0 to 1, warm and cold.
    output: (f64, f64),
}

/// A window that is taken for open.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Open {
    since: Moment,
    /// The air at its furthest, C.
    furthest: f64,
    /// +1 when it is warmer outside, -1 when it is colder.
    side: f64,
}

/// One tick of a room.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Look {
    /// When.
    pub now: Moment,
    /// The reading, and what it was beyond what the model had expected, K; none without either.
    pub reading: Option<(f64, f64)>,
    /// What the unit gives, 0 to 1, warm and cold.
    pub output: (f64, f64),
    /// The air outside.
    pub outdoor: Option<Celsius>,
    /// When the entrance door last moved.
    pub door_at: Option<Moment>,
    /// Whether it stands open.
    pub is_door_open: bool,
}

/// What has changed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Turn {
    /// A window was opened.
    Opened {
        /// What the model cannot explain, K, together.
        unexplained_k: f64,
        /// How far the air moved, K.
        moved_k: f64,
    },
    /// It was closed, or so long has passed.
    Closed,
}

impl Draught {
    /// Since when a window stands open, as far as the air tells.
    pub fn since(&self) -> Option<Moment> {
        self.open.map(|open| open.since)
    }

    /// Looks at one tick.
    pub fn look(&mut self, look: &Look) -> Option<Turn> {
        if let Some(open) = self.open {
            return self.look_for_end(look, open);
        }
        let door_moved = look.door_at.is_some_and(|at| look.now.since(at) < AFTER_DOOR);
        let reading = look.reading.filter(|_| !look.is_door_open && !door_moved);
        let Some((air, off)) = reading.filter(|(air, off)| air.is_finite() && off.is_finite()) else {
            self.readings.clear();
            return None;
        };
        if self.readings.len() == LOOKED_AT {
            self.readings.pop_front();
        }
        let output = look.output;
        self.readings.push_back(Seen { air, off, output });
        let side = side(look.outdoor?, air)?;
        let (unexplained_k, moved_k) = self.opened(side)?;
        self.readings.clear();
        self.open = Some(Open {
            since: look.now,
            furthest: air,
            side,
        });
        Some(Turn::Opened { unexplained_k, moved_k })
    }

    fn opened(&self, side: f64) -> Option<(f64, f64)> {
        let (first, last) = (self.readings.front()?, self.readings.back()?);
        let surprises = || self.readings.iter().rev().take(SURPRISE).map(|seen| side * seen.off);
        let unexplained: f64 = surprises().sum();
        let moved = side * (last.air - first.air);
        let is_open = self.readings.len() == LOOKED_AT
            && self.readings.iter().all(|seen| seen.against(side) >= OUTPUT_MIN)
            && last.against(side) >= first.against(side) - TURNED_DOWN
            && surprises().all(|off| off >= EACH_K)
            && unexplained >= UNEXPLAINED_K
            && moved <= MOVED_MAX_K;
        is_open.then_some((unexplained, moved))
    }

    fn look_for_end(&mut self, look: &Look, mut open: Open) -> Option<Turn> {
        let air = look.reading.map_or(open.furthest, |(air, _)| air);
        let is_back = open.side * (open.furthest - air) >= BACK_K;
        if is_back || look.now.since(open.since) >= OPEN_MAX {
            self.open = None;
            return Some(Turn::Closed);
        }
        if open.side * (air - open.furthest) > 0.0 {
            open.furthest = air;
        }
        self.open = Some(open);
        None
    }
}

impl Seen {
    /// What the unit gave against a window on this side, 0 to 1.
    fn against(&self, side: f64) -> f64 {
        if side < 0.0 { self.output.0 } else { self.output.1 }
    }
}

/// Which way an open window would move the air; none when it is as warm outside as in.
fn side(outdoor: Celsius, air: f64) -> Option<f64> {
    let off = outdoor.to_f64() - air;
    (off.abs() >= OUTDOOR_K).then(|| off.signum())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(minute: i64, reading: (f64, f64)) -> Look {
        Look {
            now: Moment::EARLIEST + Span::minutes(minute),
            reading: Some(reading),
            output: (0.6, 0.0),
            outdoor: Some(Celsius::from_hundredths(200)),
            door_at: None,
            is_door_open: false,
        }
    }

    fn falls(draught: &mut Draught, change: impl Fn(&mut Look)) -> bool {
        let readings = [(22.0, -0.1), (21.6, -0.5), (21.2, -0.75), (20.9, -0.7), (20.7, -0.3)];
        (0..).zip(readings).any(|(n, reading)| {
            let mut look = look(5 * n, reading);
            change(&mut look);
            matches!(draught.look(&look), Some(Turn::Opened { .. }))
        })
    }

    #[test]
    fn a_fall_that_nothing_explains_is_an_open_window() {
        assert!(falls(&mut Draught::default(), |_| {}));
        assert!(!falls(&mut Draught::default(), |look| look.is_door_open = true));
        assert!(!falls(&mut Draught::default(), |look| look.door_at = Some(Moment::EARLIEST)));
        assert!(!falls(&mut Draught::default(), |look| look.outdoor = Celsius::new(19.0)));
        let explained = |look: &mut Look| look.reading = look.reading.map(|(air, off)| (air, off / 10.0));
        assert!(!falls(&mut Draught::default(), explained), "as the model expected");
    }

    #[test]
    fn a_unit_that_gives_nothing_or_less_than_before_is_not_judged() {
        assert!(!falls(&mut Draught::default(), |look| look.output = (0.0, 0.6)));
        let turned_down = |look: &mut Look| {
            let minutes = look.now.since(Moment::EARLIEST).as_minutes_f64();
            look.output.0 = 0.9 - 0.02 * minutes;
        };
        assert!(!falls(&mut Draught::default(), turned_down));
    }

    #[test]
    fn a_unit_that_holds_the_air_hides_no_window() {
        let mut draught = Draught::default();
        let held = [(22.0, 0.1), (22.0, -0.6), (21.9, -1.0)].into_iter().enumerate();
        let turns: Vec<_> = held
            .map(|(n, reading)| draught.look(&look(5 * n as i64, reading)))
            .collect();
        assert!(matches!(turns[2], Some(Turn::Opened { .. })), "{turns:?}");
    }

    #[test]
    fn in_summer_the_air_rises_against_a_unit_that_cools() {
        let rises = |output: (f64, f64)| {
            let mut draught = Draught::default();
            let readings = [(22.0, 0.1), (22.4, 0.8), (22.9, 0.9)].into_iter().enumerate();
            let mut turns = readings.map(|(n, reading)| {
                let outdoor = Celsius::new(33.0);
                draught.look(&Look {
                    output,
                    outdoor,
                    ..look(5 * n as i64, reading)
                })
            });
            turns.any(|turn| turn.is_some())
        };
        assert!(rises((0.0, 0.5)) && !rises((0.5, 0.0)));
    }

    #[test]
    fn a_wild_thermometer_is_no_window() {
        let mut draught = Draught::default();
        for (n, reading) in [
            (22.0, 0.0),
            (21.9, -0.1),
            (9.0, -13.0),
            (22.0, 12.0),
            (8.0, -14.0),
            (f64::NAN, f64::NAN),
        ]
        .into_iter()
        .enumerate()
        {
            assert_eq!(draught.look(&look(5 * n as i64, reading)), None);
        }
    }

    #[test]
    fn it_is_over_when_the_walls_warm_the_air_again_and_after_half_an_hour_at_the_latest() {
        let mut draught = Draught::default();
        assert!(falls(&mut draught, |_| {}));
        let since = draught.since().unwrap();
        assert_eq!(draught.look(&look(20, (20.4, -0.2))), None);
        assert_eq!(draught.look(&look(25, (20.9, 0.3))), Some(Turn::Closed));
        assert!(falls(&mut draught, |_| {}));
        let late = Look {
            now: since + OPEN_MAX,
            ..look(0, (20.2, 0.0))
        };
        assert_eq!(draught.look(&late), Some(Turn::Closed));
        assert_eq!(draught.since(), None);
    }
}
