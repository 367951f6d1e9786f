//! Which guests are known here, and what do they like?
//!
//! Only tokens: who a guest is stands nowhere.

use super::preference::{self, Asked, Guest, Record};
use super::{Engine, SWEEP_EVERY, refuse, room};
use crate::model::{Attribute, Effect, GuestToken, Key, Moment, Prior, SaveWhen, Span};

/// What nobody needed for so long is forgotten here; central has it.
const GUEST_LIFE: Span = Span::days(30);
/// No more guests are remembered than this: a sender gone wild cannot fill the memory.
const GUESTS_MAX: usize = 4096;

impl Engine {
    /// What is known of a guest's likes, one answer an attribute; none when nothing is known of the guest here. The stay in
    /// progress counts as the newest.
    pub fn preferences(&self, guest: &GuestToken, now: Moment) -> Option<Vec<Record>> {
        let known = self.guests.get(guest).filter(|_| !self.rooms.is_empty())?;
        let place = self.rooms.iter().position(|room| room.present_guest() == Some(guest));
        let world = self.world(place.unwrap_or_default(), now);
        let answer = |attribute: &Attribute| {
            let present = place.and_then(|place| self.rooms[place].preference(world, *attribute));
            let answer = present.unwrap_or_else(|| {
                preference::answer(&Asked {
                    attribute: *attribute,
                    guest: Some(known),
                    now: None,
                    usual: Some(room::usual(world, *attribute)),
                    today: self.calendar.day(now),
                })
            });
            answer.record(Some(known))
        };
        let is_known = |record: &Record| record.status != preference::Status::Population.word();
        Some(Attribute::ALL.iter().map(answer).filter(is_known).collect())
    }

    /// Guests with likes that nothing has been heard of for more than six months, and how many those are. A pure function
    /// of what is known and of today: asking twice tells the same.
    pub fn dormant(&self, now: Moment) -> Vec<(GuestToken, usize)> {
        let today = self.calendar.day(now);
        let sleeping = |(token, guest): (&GuestToken, &Guest)| {
            let is_dormant = |attribute: &Attribute| guest.is_dormant(*attribute, today);
            let count = guest
                .attributes()
                .iter()
                .filter(|attribute| is_dormant(attribute))
                .count();
            (count > 0).then(|| (token.clone(), count))
        };
        self.guests.iter().filter_map(sleeping).collect()
    }

    pub(super) fn prior(&mut self, now: Moment, prior: &Prior, effects: &mut Vec<Effect>) {
        if self.guests.len() >= GUESTS_MAX && !self.guests.contains_key(&prior.guest) {
            return refuse(effects, "guests_too_many", "prior");
        }
        let mut is_erased = false;
        self.guest(&prior.guest, now, |guest| is_erased = guest.merge(prior));
        effects.push(Effect::Save {
            key: Key::Guest(prior.guest.clone()),
            when: SaveWhen::Now,
        });
        let places: Vec<usize> = (0..self.rooms.len())
            .filter(|p| self.rooms[*p].expects(&prior.guest))
            .collect();
        for place in places {
            self.in_room(place, now, effects, |room, world, out| {
                if let Some(up_to) = prior.erased_up_to.filter(|_| is_erased) {
                    room.guest_erased(world, &prior.guest, up_to, out);
                }
                room.guest_changed(world, out);
            });
        }
        let unsound = prior.stays.iter().flat_map(|stay| &stay.evidence);
        for evidence in unsound.filter(|evidence| !evidence.is_sound()) {
            refuse(effects, "prior_wrong_kind", evidence.attribute.word());
        }
    }

    pub(super) fn guest(&mut self, token: &GuestToken, now: Moment, act: impl FnOnce(&mut Guest)) {
        if self.guests.len() < GUESTS_MAX || self.guests.contains_key(token) {
            let guest = self.guests.entry(token.clone()).or_default();
            guest.used_at = Some(now);
            act(guest);
        }
    }

    /// Once a day, forgets guests that nobody has needed for long and nobody expects.
    pub(super) fn sweep(&mut self, now: Moment, effects: &mut Vec<Effect>) {
        if self.common.swept_at.is_some_and(|at| now.since(at) < SWEEP_EVERY) {
            return;
        }
        self.common.swept_at = Some(now);
        let rooms = &self.rooms;
        let is_needed = |token: &GuestToken| rooms.iter().any(|room| room.expects(token));
        let today = self.calendar.day(now);
        let is_old =
            |guest: &Guest| !guest.is_marked(today) && guest.used_at.is_none_or(|at| now.since(at) >= GUEST_LIFE);
        let gone: Vec<GuestToken> = self
            .guests
            .iter()
            .filter(|(token, guest)| is_old(guest) && !is_needed(token))
            .map(|(t, _)| t.clone())
            .collect();
        for token in gone {
            self.guests.remove(&token);
            effects.push(Effect::Forget(Key::Guest(token)));
        }
        effects.push(Effect::Save {
            key: Key::Property,
            when: SaveWhen::Soon,
        });
    }
}
