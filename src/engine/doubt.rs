//! Can what the thermometer says be believed?
//!
//! The air of a room moves by tenths of a kelvin in a minute, under an open window by a few. A value that nobody could have
//! caused counts only when it is said twice: one wild reading moves no plant. A thermometer that goes on so, or says what
//! no thermometer can, is not believed at all until it has been sensible for a while; without it the room is kept by what
//! the unit is set to.

use crate::model::{Celsius, Moment, Span};
use serde::{Deserialize, Serialize};

/// The air may have moved so far since the thermometer was last heard, however short that is, K.
const MOVES_K: f64 = 3.0;
/// And so much farther for each minute of it, K.
const MOVES_K_MIN: f64 = 0.3;
/// What is said again is a second measurement when so much has passed: a bridge repeats the first with every word of the device.
const AGAIN_AFTER: Span = Span::minutes(1);
/// What one reading that cannot be believed weighs; one that can takes away 1.
const WEIGHT: u8 = 3;
/// From this weight on, nothing is believed until it has all been taken away.
const ILL: u8 = 7;

/// What is held against one thermometer.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Doubt {
    /// What it said that nobody could have caused, or while it was not believed, and when it first did.
    said: Option<(Celsius, Moment)>,
    weight: u8,
    is_ill: bool,
}

/// What is made of a reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It counts.
    Believed,
    /// It does not: it waits to be said again.
    Doubted,
    /// It does not, and from now on none does.
    Ill,
}

impl Doubt {
    /// Whether the thermometer is not believed at all.
    pub const fn is_ill(&self) -> bool {
        self.is_ill
    }

    /// Whether nothing is held against it any more.
    pub const fn is_over(&self) -> bool {
        self.weight == 0 && self.said.is_none()
    }

    /// Weighs what it says; `believed` is what it said last that counted, and `heard` when it was last heard.
    pub fn weigh(&mut self, now: Moment, told: Celsius, believed: Celsius, heard: Moment) -> Verdict {
        let is_near = |to: Celsius, most_k: f64| (told.to_f64() - to.to_f64()).abs() <= most_k;
        let may_move_since = |from: Moment| MOVES_K + MOVES_K_MIN * now.since(from).as_minutes_f64().max(0.0);
        let may_move = may_move_since(heard);
        if self.is_ill {
            let last = self.said.replace((told, now)).map(|(last, _)| last);
            if last.is_some_and(|last| !is_near(last, may_move)) {
                return self.strike();
            }
            self.is_sensible();
            return if self.is_ill {
                Verdict::Doubted
            } else {
                Verdict::Believed
            };
        }
        if is_near(believed, may_move) {
            self.said = None;
            self.is_sensible();
            return Verdict::Believed;
        }
        match self.said {
            Some((said, at)) if is_near(said, may_move_since(at)) => {
                if now.since(at) < AGAIN_AFTER {
                    return Verdict::Doubted;
                }
                self.said = None;
                Verdict::Believed
            }
            _ => {
                self.said = Some((told, now));
                self.strike()
            }
        }
    }

    /// It says what no thermometer can.
    pub fn nonsense(&mut self) -> Verdict {
        self.said = None;
        self.strike()
    }

    fn strike(&mut self) -> Verdict {
        self.weight = (self.weight + WEIGHT).min(ILL);
        if self.weight < ILL || self.is_ill {
            return Verdict::Doubted;
        }
        self.is_ill = true;
        Verdict::Ill
    }

    fn is_sensible(&mut self) {
        self.weight = self.weight.saturating_sub(1);
        if self.weight == 0 {
            (self.is_ill, self.said) = (false, None);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Says these temperatures, one each so many minutes, to a thermometer that stood at 21 C.
    fn say(doubt: &mut Doubt, every: i64, said: &[f64]) -> Vec<Verdict> {
        let (mut believed, mut heard) = (Celsius::from_hundredths(2100), Moment::EARLIEST);
        let mut weigh = |told: &f64| {
            let (now, told) = (heard + Span::minutes(every), Celsius::new(*told).unwrap());
            let verdict = doubt.weigh(now, told, believed, heard);
            if verdict == Verdict::Believed {
                believed = told;
            }
            heard = now;
            verdict
        };
        said.iter().map(&mut weigh).collect()
    }

    #[test]
    fn a_wild_reading_counts_only_when_it_is_said_again() {
        use Verdict::{Believed, Doubted};
        let mut doubt = Doubt::default();
        assert_eq!(say(&mut doubt, 1, &[50.0, 21.1, 21.0]), [Doubted, Believed, Believed]);
        assert!(!doubt.is_ill());
        let moved_to_another_wall = say(&mut Doubt::default(), 5, &[27.0, 26.8, 26.7]);
        assert_eq!(moved_to_another_wall, [Doubted, Believed, Believed]);
    }

    #[test]
    fn a_repeated_word_is_no_second_measurement() {
        let (mut doubt, at) = (Doubt::default(), |seconds| Moment::EARLIEST + Span::seconds(seconds));
        let (told, believed) = (Celsius::from_hundredths(5000), Celsius::from_hundredths(2100));
        let weigh = |doubt: &mut Doubt, seconds: i64| doubt.weigh(at(seconds), told, believed, at(0));
        assert_eq!(weigh(&mut doubt, 10), Verdict::Doubted);
        assert_eq!(weigh(&mut doubt, 12), Verdict::Doubted);
        assert_eq!(weigh(&mut doubt, 70), Verdict::Believed);
    }

    #[test]
    fn what_air_can_do_is_believed_at_once() {
        let window = [20.0, 18.5, 17.0, 15.5, 14.0, 12.5, 11.0];
        let all_believed = |every, said: &[f64]| {
            let verdicts = say(&mut Doubt::default(), every, said);
            verdicts.iter().all(|verdict| *verdict == Verdict::Believed)
        };
        assert!(all_believed(1, &window), "a window in January");
        assert!(
            all_believed(60, &[10.0, 24.0, 8.0]),
            "a sensor that speaks once an hour"
        );
    }

    #[test]
    fn a_thermometer_that_jumps_about_is_not_believed_until_it_has_been_sensible_for_a_while() {
        let mut doubt = Doubt::default();
        let verdicts = say(&mut doubt, 5, &[35.0, 8.0, 21.0, 30.0, 14.0, 21.0, 33.0]);
        assert!(verdicts.contains(&Verdict::Ill) && doubt.is_ill(), "{verdicts:?}");
        let sensible = say(&mut doubt, 5, &[33.0; 8]);
        assert_eq!(sensible.iter().filter(|v| **v == Verdict::Doubted).count(), 6);
        assert!(doubt.is_over());
    }

    #[test]
    fn nonsense_now_and_then_is_passed_over_and_nothing_else_is_an_illness() {
        let mut doubt = Doubt::default();
        for _ in 0..20 {
            assert_eq!(doubt.nonsense(), Verdict::Doubted);
            say(&mut doubt, 5, &[21.0, 21.0, 21.0]);
        }
        let verdicts: Vec<Verdict> = (0..4).map(|_| doubt.nonsense()).collect();
        assert_eq!(
            verdicts,
            [Verdict::Doubted, Verdict::Doubted, Verdict::Ill, Verdict::Doubted]
        );
    }
}
