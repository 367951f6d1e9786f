//! Which stay does a room go with that has none of its own?
//!
//! A stay names one room. The other rooms of its suite are prepared with it, held, lived in and set back with it; a room
//! beyond an open connecting door goes along once the guest has come there. A stay of the room's own goes before. What is
//! asked of people (things on arrival, wishes, questions) is asked once, in the room that the stay names.

use super::{Outcome, Room, World};
use crate::engine::stay::Stay;
use crate::model::{Because, Moment, ReadinessVerdict, Report, SaveWhen, Span};

/// A room whose own guest is expected within this goes with no other stay any more.
const COVER_MIN: Span = Span::hours(24);

impl Room {
    /// The stay, checked in elsewhere, that the room goes with while it has none and is not to be prepared for one.
    pub(super) fn cover<'a>(&self, world: World<'a>) -> Option<&'a Stay> {
        let is_soon = |stay: &Stay| stay.eta.is_some_and(|eta| eta.since(world.now) < COVER_MIN);
        let is_own = self.stays.current.is_some() || self.stays.next_due().is_some_and(is_soon);
        let of_suite = world.beyond.suite_stay.as_ref();
        let of_suite = of_suite.filter(|stay| stay.checked_in_at.is_some());
        of_suite.or(world.beyond.stay.as_ref()).filter(|_| !is_own)
    }

    /// The stay that comes next: the room's own, or its suite's.
    pub(super) fn next_due<'a>(&'a self, world: World<'a>) -> Option<&'a Stay> {
        let of_suite = world.beyond.suite_stay.as_ref();
        let of_suite = of_suite.filter(|stay| stay.checked_in_at.is_none() && self.stays.current.is_none());
        let order = |stay: &&Stay| stay.eta.unwrap_or(Moment::LATEST);
        self.stays.next_due().into_iter().chain(of_suite).min_by_key(order)
    }

    /// Notes which stay of its suite the room goes with. When that one is over, or will not be, nothing of it lives on here.
    pub(super) fn follow_suite(&mut self, world: World<'_>, out: &mut Outcome) {
        if !world.beyond.is_suite && self.follows.is_none() {
            return;
        }
        let of_suite = world.beyond.suite_stay.as_ref();
        let cover = self.cover(world).filter(|cover| of_suite == Some(*cover));
        let due = self.next_due(world).filter(|due| of_suite == Some(*due));
        let (is_let, has_come) = (cover.is_some(), cover.is_some_and(|stay| stay.arrived_at.is_some()));
        let stay = cover.or(due).map(|stay| (stay.token.clone(), is_let));
        let before = std::mem::replace(&mut self.follows, stay);
        if has_come {
            self.promise_is_over(world, None, out);
        }
        if before == self.follows {
            return;
        }
        out.save(SaveWhen::Soon);
        let was_let = before.as_ref().is_some_and(|(_, is_let)| *is_let);
        let after = self.follows.as_ref().map(|(stay, _)| stay);
        if let Some((gone, _)) = before.filter(|(stay, _)| Some(stay) != after && !self.stays.holds(stay)) {
            self.promise_is_over(world, Some(ReadinessVerdict::NoArrival), out);
            let rule = "suite-stay-is-over";
            out.note(world, Because::rule(rule).with("stay", &gone));
            self.close(&gone, rule, out);
        }
        match (was_let, is_let) {
            (false, true) => self.occupancy.let_to_guest(self.senses(world), world.now),
            (true, false) => self.occupancy.given_back(world.now),
            _ => {}
        }
    }

    /// The suite's guest has come, and what was promised of this room is compared with what is; or will not come at all.
    fn promise_is_over(&mut self, world: World<'_>, never: Option<ReadinessVerdict>, out: &mut Outcome) {
        let mut climate = std::mem::take(&mut self.climate);
        let readiness = match never {
            Some(verdict) => climate.void_promise(&self.view(world), verdict),
            None => climate.arrived(&self.view(world)),
        };
        self.climate = climate;
        readiness
            .into_iter()
            .for_each(|readiness| out.report(Report::Readiness(Box::new(readiness))));
    }
}
