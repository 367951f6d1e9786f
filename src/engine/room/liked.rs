//! What was worked out already of the temperatures this guest likes?
//!
//! Everybody who looks at a room wants to know the temperature to keep, several times a step. That is a pure function of
//! what is known of the guest, what the stay has shown, what is usual here, and the day: while all of these are the same,
//! so is the answer. What stands here only saves work; it is never kept, and a room goes on alike without it.

use crate::engine::preference::{self, Asked};
use crate::model::{Attribute, Said, StayEvidence};
use std::cell::RefCell;

/// On coming in, awake and asleep; one more, for the moment at which one guest goes and the next is awaited.
const ANSWERS_MAX: usize = 4;

/// What a room is to be kept at, and in a word where that comes from.
type Applied = (Said, &'static str);

/// Answers to the last few questions.
#[derive(Debug, Clone, Default)]
pub struct Liked(RefCell<Vec<(Question, Applied)>>);

/// All that an answer follows from. Of the guest that is the hash of all stays: must-haves say nothing of figures.
#[derive(Debug, Clone, PartialEq)]
struct Question {
    attribute: Attribute,
    guest: Option<u64>,
    now: Option<StayEvidence>,
    usual: Option<f64>,
    today: i32,
}

impl Liked {
    /// Answers what the room is to be prepared with; of figures only.
    pub fn applied(&self, asked: &Asked<'_>) -> Applied {
        let question = Question {
            attribute: asked.attribute,
            guest: asked.guest.map(preference::Guest::hash),
            now: asked.now.cloned(),
            usual: asked.usual,
            today: asked.today,
        };
        let mut known = self.0.borrow_mut();
        if let Some((_, applied)) = known.iter().find(|(known, _)| *known == question) {
            return *applied;
        }
        let applied = preference::answer(asked).applied();
        if known.len() >= ANSWERS_MAX {
            known.remove(0);
        }
        known.push((question, applied));
        applied
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(now: &StayEvidence, today: i32) -> Asked<'_> {
        Asked {
            attribute: Attribute::TargetTemperature,
            guest: None,
            now: Some(now),
            usual: Some(22.0),
            today,
        }
    }

    #[test]
    fn what_is_remembered_is_what_would_be_worked_out_anew() {
        let liked = Liked::default();
        for step in 0..200 {
            let now = StayEvidence {
                explicit: (step % 3 > 0).then(|| Said::hundredths(2000 + 50 * (step % 3))),
                ..StayEvidence::none(Attribute::TargetTemperature)
            };
            let asked = asked(&now, 20_000 + step % 5);
            assert_eq!(liked.applied(&asked), preference::answer(&asked).applied());
            assert!(liked.0.borrow().len() <= ANSWERS_MAX);
        }
    }

    #[test]
    fn the_same_question_is_worked_out_once() {
        let liked = Liked::default();
        let now = StayEvidence::none(Attribute::TargetTemperature);
        (0..5).for_each(|_| _ = liked.applied(&asked(&now, 20_000)));
        assert_eq!(liked.0.borrow().len(), 1);
    }
}
