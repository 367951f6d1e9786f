//! Does a window stand open in a room where no contact would tell?
//!
//! An open window makes the air fall faster towards outdoors than the room's model can explain: a quarter of an hour in
//! which every reading lies below what was expected, together by more than a kelvin. A room whose door has just moved, and
//! one whose model is not trusted, is not judged. Whether the window has been closed again shows only when the air comes
//! back by itself, out of the walls; after half an hour the unit is let on all the same, and if the window still stands open
//! the air will fall again.

use crate::model::{Celsius, Moment, Span};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// So many readings are looked at together.
const LOOKED_AT: usize = 4;
/// What they lie beyond what was expected, together, K.
const UNEXPLAINED_K: f64 = 1.2;
/// And by so much each of the last two, K: one wild reading opens no window.
const EACH_K: f64 = 0.15;
/// And how far the air itself has moved meanwhile, K.
const MOVED_K: f64 = 0.8;
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
    /// What the last readings were, and by how much they surprised, K.
    seen: VecDeque<(f64, f64)>,
    open: Option<Open>,
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
        let Some(reading) = reading.filter(|(air, off)| air.is_finite() && off.is_finite()) else {
            self.seen.clear();
            return None;
        };
        if self.seen.len() == LOOKED_AT {
            self.seen.pop_front();
        }
        self.seen.push_back(reading);
        let side = side(look.outdoor?, reading.0)?;
        let (unexplained_k, moved_k) = self.opened(side)?;
        self.seen.clear();
        self.open = Some(Open {
            since: look.now,
            furthest: reading.0,
            side,
        });
        Some(Turn::Opened { unexplained_k, moved_k })
    }

    fn opened(&self, side: f64) -> Option<(f64, f64)> {
        let off: Vec<f64> = self.seen.iter().map(|(_, off)| side * off).collect();
        let unexplained: f64 = off.iter().sum();
        let (first, last) = (self.seen.front()?, self.seen.back()?);
        let moved = side * (last.0 - first.0);
        let is_steady = off.iter().all(|off| *off >= 0.0) && off.iter().rev().take(2).all(|off| *off >= EACH_K);
        let is_open = self.seen.len() == LOOKED_AT
            && is_steady
            && unexplained >= UNEXPLAINED_K
            && (MOVED_K..=MOVED_MAX_K).contains(&moved);
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
            outdoor: Some(Celsius::from_hundredths(200)),
            door_at: None,
            is_door_open: false,
        }
    }

    fn falls(draught: &mut Draught, change: impl Fn(&mut Look)) -> bool {
        let readings = [(22.0, -0.1), (21.6, -0.4), (21.2, -0.45), (20.9, -0.4), (20.7, -0.3)];
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
        assert!(!falls(&mut Draught::default(), explained), "the unit was switched off");
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
