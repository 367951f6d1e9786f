//! Which of the sensors that tell of people can be trusted?
//!
//! A sensor that has died says nothing, and so does an empty room. What the others show gives it away: a guest who comes
//! and goes while the door never moves, a door that moves while nothing in the room ever does. One that is stuck or chatters
//! never pauses (`restless`). While one of them is ill, a guest's room counts as occupied, and what chatters is not
//! listened to; the bed sensor's health is `bed_trust`'s affair.

use super::occupancy::{Presence, SEES_MAX, Sign};
use super::restless::{Measure, Restless};
use crate::model::{DeviceId, DeviceSetup, Moment, Span};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// So many bursts in a room that was vacant, without a door event, are somebody who came unseen.
const BURSTS_OF_A_COMING: u8 = 6;
/// So often may somebody come without the door having moved, before the door sensor counts as dead.
const COMINGS_MAX: u8 = 2;
/// Once is enough when the door has not moved for so long; nor is anybody about for so long behind a door that nobody opens,
/// not to go out, to be served or to have the room made up.
const DOOR_QUIET_MAX: Span = Span::hours(24);
/// So many passages through the door without any motion around them: the motion sensor is dead.
const PASSAGES_MAX: u8 = 4;
/// No guest's door stands open for longer than this; it is the contact that says so.
const OPEN_MAX: Span = Span::hours(1);
/// Whoever goes out has been seen to move within this before: else it is not known that the motion sensor sees.
const TRIED_WITHIN: Span = Span::hours(3);
/// Whoever moves, moves again within this.
const MOVES_AGAIN: Span = Span::minutes(15);
/// Whoever comes in moves within this of the door.
const MOVES_AT_DOOR: Span = Span::minutes(5);
/// Door events nearer than this are one passage.
const PASSAGE: Span = Span::minutes(2);
/// Staff who came with their key have moved the door within this of it.
const STAFF_AT_DOOR: Span = Span::minutes(5);
/// Motions nearer than this are one burst.
const BURST_GAP: Span = Span::seconds(60);
/// Nobody moves about like this in 19 hours of 20: whoever is in sleeps, or goes out. Two who sleep badly make four or five
/// bursts an hour, and the shortest of nights has two quiet hours.
const MOTION: Measure = Measure {
    signs: 8,
    hours: 19,
    of: 20,
};
/// No door is opened and closed twelve times an hour for longer than an hour.
const DOOR: Measure = Measure {
    signs: 24,
    hours: 2,
    of: 2,
};

/// What speaks against the door and the motion sensor of one room.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Health {
    door_at: Option<Moment>,
    motion_at: Option<Moment>,
    /// Since when the door stands open.
    open_since: Option<Moment>,
    /// When a sensor of movement or presence last showed that it sees.
    told_at: Option<Moment>,
    /// Unless it has since then, nobody knows that it would.
    tried_from: Option<Moment>,
    /// Bursts of a coming that is not certain yet.
    coming: Option<u8>,
    comings: u8,
    passages: u8,
    /// Somebody has been about in a room that counted as occupied, and the door did not move: since when, and until when.
    about: Option<(Moment, Moment)>,
    staff_at: Option<Moment>,
    motions: Restless,
    doors: Restless,
    /// The sensors of movement or presence that also say "nobody", and since when each says "somebody". No more than the room
    /// has devices.
    sees: BTreeMap<DeviceId, Option<Moment>>,
}

/// What a sensor that says "somebody" or "nobody" does with its word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sight {
    /// It says "somebody", and is not known ever to say "nobody": each word is a movement.
    Moves,
    /// It says "somebody", and will say when that is over.
    Begins,
    /// It says so again.
    Lasts,
    /// None says so any more.
    Ends,
    /// It says "nobody", as before, or while another still sees somebody.
    Nothing,
}

impl Health {
    /// A sensor showed something, and the room counted as `before` and then as `after`.
    pub fn sign(&mut self, now: Moment, sign: Sign, before: Presence, after: Presence) {
        self.is_about(now, sign, before);
        if self.is_telling(now, sign) {
            self.told_at = Some(now);
        }
        match sign {
            Sign::Door(is_open) => {
                self.open_since = is_open.then_some(self.open_since.unwrap_or(now));
                self.door(now, before);
            }
            Sign::Motion | Sign::Sees(true) => {
                if self.motion_at.is_none_or(|at| now.since(at) >= BURST_GAP) {
                    self.motions.sign(&MOTION, now);
                }
                (self.motion_at, self.passages) = (Some(now), 0);
                self.moved(before, after);
            }
            Sign::Beyond(_) => self.coming = None,
            Sign::Staff(true) => self.staff_at = Some(now),
            Sign::Staff(false) => self.staff_gone(),
            Sign::Bed(true) | Sign::Hand | Sign::Bolt(_) if !before.is_occupied() => self.come(),
            _ => {}
        }
    }

    /// Whether the sign shows that a sensor of people sees.
    fn is_telling(&self, now: Moment, sign: Sign) -> bool {
        match sign {
            // One that only ever says "somebody" may say so by itself every hour; who moves soon moves again.
            Sign::Motion => {
                let again = self.motion_at.map(|at| at + MOVES_AGAIN);
                let at_door = self.door_at.map(|at| at + MOVES_AT_DOOR);
                again.max(at_door) >= Some(now)
            }
            // A word that ends says how long it held, and not that the next one will come: what was stuck at "somebody" may be
            // stuck at "nobody" from then on.
            Sign::Sees(true) => true,
            Sign::StillSees => self.is_seen(now),
            _ => false,
        }
    }

    /// A sensor of movement or presence says "somebody", or "nobody"; `is_live`: now, and not by a broker that repeats it.
    pub fn sees(&mut self, now: Moment, device: &DeviceId, somebody: bool, is_live: bool) -> Sight {
        let Some(since) = self.sees.get_mut(device) else {
            if !somebody {
                self.sees.insert(device.clone(), None);
            }
            return if somebody && is_live {
                Sight::Moves
            } else {
                Sight::Nothing
            };
        };
        match (somebody, *since) {
            (true, None) if is_live => {
                *since = Some(now);
                Sight::Begins
            }
            (true, None) | (false, None) => Sight::Nothing,
            (true, Some(_)) if is_live => Sight::Lasts,
            (true, Some(_)) => Sight::Nothing,
            (false, Some(_)) => {
                *since = None;
                if self.is_seen(now) { Sight::Nothing } else { Sight::Ends }
            }
        }
    }

    /// Devices that the room no longer has say nothing more. Returns whether one of them was the last to say "somebody".
    pub fn configured(&mut self, now: Moment, setups: &[DeviceSetup]) -> bool {
        let was_seen = self.is_seen(now);
        self.sees.retain(|id, _| setups.iter().any(|setup| setup.id == *id));
        was_seen && !self.is_seen(now)
    }

    /// Somebody came to a vacant room, as a sensor of presence has shown by itself, and the door has not moved.
    pub fn came_unseen(&mut self) {
        self.come();
    }

    /// Whether one of the sensors that are not stuck says "somebody".
    fn is_seen(&self, now: Moment) -> bool {
        self.sees.values().flatten().any(|at| now.since(*at) < SEES_MAX)
    }

    /// Since when the sensor that is stuck says "somebody", if one is.
    fn stuck_since(&self, now: Moment) -> Option<Moment> {
        let is_stuck = |at: &Moment| now.since(*at) >= SEES_MAX;
        self.sees.values().flatten().copied().filter(is_stuck).min()
    }

    /// Whether the motion sensor is stuck or chatters, and so says nothing of people.
    pub fn is_motion_restless(&self, now: Moment) -> bool {
        self.motions.is_ill(now) || self.stuck_since(now).is_some()
    }

    /// Whether the door contact chatters.
    pub fn is_door_restless(&self, now: Moment) -> bool {
        self.doors.is_ill(now)
    }

    /// In how many of the last hours the motion sensor and the door contact never paused, and since when the former is stuck at
    /// "somebody".
    pub fn restless_evidence(&self, now: Moment) -> (u32, u32, Option<Moment>) {
        let stuck = self.stuck_since(now);
        (self.motions.restless_hours(now), self.doors.restless_hours(now), stuck)
    }

    /// Whether the door sensor is taken for dead, with what speaks against it.
    pub fn is_door_ill(&self, now: Moment) -> bool {
        let is_quiet = self.door_at.is_some_and(|at| now.since(at) >= DOOR_QUIET_MAX);
        let about_for = self.about.map_or(Span::ZERO, |(since, until)| until.since(since));
        self.comings >= COMINGS_MAX || (self.comings > 0 && is_quiet) || about_for >= DOOR_QUIET_MAX
    }

    /// Whether the door contact has said "open" for longer than a door stands open.
    pub fn is_door_open_for_long(&self, now: Moment) -> bool {
        self.open_since.is_some_and(|at| now.since(at) >= OPEN_MAX)
    }

    /// Whether it is not known that the motion sensor sees: the door has moved, and it told neither of whoever may have gone
    /// nor of whoever may have come.
    pub fn is_motion_untried(&self) -> bool {
        self.tried_from.is_some_and(|from| !self.has_told_since(from))
    }

    /// Whether the motion sensor is taken for dead.
    pub const fn is_motion_ill(&self) -> bool {
        self.passages >= PASSAGES_MAX
    }

    /// How often somebody came without the door having moved, since when somebody is about, and when it last moved.
    pub fn door_evidence(&self) -> (u8, Option<Moment>, Option<Moment>) {
        let about_since = self.about.map(|(since, _)| since);
        (self.comings, about_since, self.door_at)
    }

    /// How often the door moved without any motion, and when there last was some.
    pub const fn motion_evidence(&self) -> (u8, Option<Moment>) {
        (self.passages, self.motion_at)
    }

    /// Nobody watched for a while: the door may have moved.
    pub fn unwatched(&mut self) {
        self.about = None;
    }

    /// What was not seen while one of the sensors was ill has to be seen now.
    pub fn try_motion(&mut self, now: Moment) {
        self.tried_from = Some(now);
    }

    /// Whether the motion sensor has told of somebody since.
    pub fn has_told_since(&self, from: Moment) -> bool {
        self.told_at.is_some_and(|told| told >= from)
    }

    fn is_about(&mut self, now: Moment, sign: Sign, before: Presence) {
        let since = self
            .about
            .filter(|_| before.is_occupied())
            .map_or(now, |(since, _)| since);
        self.about = match sign {
            Sign::Door(_) | Sign::Beyond(_) | Sign::Staff(_) => None,
            Sign::Motion | Sign::Sees(true) | Sign::Hand | Sign::Bed(_) | Sign::Bolt(_) => Some((since, now)),
            Sign::Sees(false) | Sign::StillSees => self.about,
        };
    }

    fn door(&mut self, now: Moment, before: Presence) {
        self.doors.sign(&DOOR, now);
        let is_passage = self.door_at.is_none_or(|at| now.since(at) > PASSAGE);
        if is_passage {
            // Who comes moves, and who goes has moved: since the door moved before, when whoever goes now may have come.
            let after_last = self.door_at.map(|at| at + Span::millis(1));
            let from = if before.is_occupied() {
                after_last.max(Some(now - TRIED_WITHIN))
            } else {
                Some(now)
            };
            self.tried_from = self.tried_from.max(from);
            if self.is_seen(now) {
                self.told_at = Some(now);
            } else {
                self.passages = self.passages.saturating_add(1);
            }
        }
        (self.door_at, self.coming, self.comings) = (Some(now), None, 0);
    }

    fn moved(&mut self, before: Presence, after: Presence) {
        match (&mut self.coming, before.is_occupied(), after.is_occupied()) {
            (coming, false, true) => *coming = Some(1),
            (Some(bursts), true, true) => {
                *bursts = bursts.saturating_add(1);
                if *bursts >= BURSTS_OF_A_COMING {
                    self.come();
                }
            }
            (coming, _, false) => *coming = None,
            (None, true, true) => {}
        }
    }

    /// Staff who were in by their key have gone through the door, twice.
    fn staff_gone(&mut self) {
        let Some(came) = self.staff_at.take() else { return };
        if self.door_at.is_some_and(|at| came.since(at) > STAFF_AT_DOOR) {
            self.come();
        }
    }

    fn come(&mut self) {
        (self.coming, self.comings) = (None, self.comings.saturating_add(1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hours: i64) -> Moment {
        Moment::EARLIEST + Span::hours(hours)
    }

    fn come_unseen(health: &mut Health, hour: i64) {
        health.sign(at(hour), Sign::Motion, Presence::Vacant, Presence::Occupied);
        (1..6).for_each(|_| health.sign(at(hour), Sign::Motion, Presence::Occupied, Presence::Occupied));
    }

    #[test]
    fn a_guest_who_comes_twice_without_the_door_shows_that_its_sensor_is_dead() {
        let mut health = Health::default();
        health.sign(at(0), Sign::Door(false), Presence::Vacant, Presence::Checking);
        come_unseen(&mut health, 9);
        assert!(!health.is_door_ill(at(10)));
        assert!(health.is_door_ill(at(24)), "once, and a day without the door");
        come_unseen(&mut health, 12);
        assert!(health.is_door_ill(at(12)));
        health.sign(at(13), Sign::Door(true), Presence::Occupied, Presence::Checking);
        assert!(!health.is_door_ill(at(40)), "it moves again");
    }

    #[test]
    fn nobody_is_about_for_a_day_behind_a_door_that_never_moves() {
        let mut health = Health::default();
        let mut about = |from: i64, to: i64| {
            (from..=to).for_each(|hour| health.sign(at(hour), Sign::Motion, Presence::Occupied, Presence::Occupied));
            health.is_door_ill(at(to))
        };
        assert!(!about(10, 33) && about(34, 34));
        health.sign(at(35), Sign::Door(true), Presence::Occupied, Presence::Checking);
        assert!(!health.is_door_ill(at(35)));
        (35..65).for_each(|hour| health.sign(at(hour), Sign::Motion, Presence::Vacant, Presence::Vacant));
        assert!(!health.is_door_ill(at(65)), "nobody was believed to be in");
    }

    #[test]
    fn who_goes_has_moved_and_who_comes_moves_or_else_the_motion_sensor_is_not_known_to_see() {
        let mut health = Health::default();
        assert!(!health.is_motion_untried(), "no door has moved");
        let moves = |health: &mut Health, hour: i64| {
            let again = at(hour) + Span::minutes(5);
            for moment in [at(hour), again] {
                health.sign(moment, Sign::Motion, Presence::Checking, Presence::Occupied);
            }
        };
        moves(&mut health, 1);
        health.sign(at(3), Sign::Door(false), Presence::Occupied, Presence::Checking);
        assert!(!health.is_motion_untried());
        health.sign(at(9), Sign::Door(false), Presence::Vacant, Presence::Checking);
        assert!(health.is_motion_untried(), "who came has not been seen");
        health.sign(at(10), Sign::Motion, Presence::Checking, Presence::Occupied);
        health.sign(at(11), Sign::Motion, Presence::Checking, Presence::Occupied);
        assert!(health.is_motion_untried(), "it may say so every hour, whoever is there");
        moves(&mut health, 12);
        assert!(!health.is_motion_untried());
        health.sign(at(20), Sign::Door(false), Presence::Occupied, Presence::Checking);
        assert!(health.is_motion_untried(), "who went has not been seen for ten hours");
        health.sign(at(21), Sign::Sees(false), Presence::Occupied, Presence::Occupied);
        assert!(
            health.is_motion_untried(),
            "what was stuck at one word may be stuck at the other now"
        );
        health.sign(at(22), Sign::Sees(true), Presence::Occupied, Presence::Occupied);
        assert!(!health.is_motion_untried());
    }

    #[test]
    fn between_two_movements_of_the_door_somebody_was_seen_or_it_is_not_known_who_is_in() {
        let device = DeviceId::new("radar").unwrap();
        let passes = |health: &mut Health, hours: i64, minutes: i64, before| {
            let now = at(hours) + Span::minutes(minutes);
            health.sign(now, Sign::Door(false), before, Presence::Checking);
            health.is_motion_untried()
        };
        let mut health = Health::default();
        health.sees(at(0), &device, false, true);
        health.sees(at(1), &device, true, true);
        health.sign(at(1), Sign::Sees(true), Presence::Vacant, Presence::Occupied);
        assert!(!passes(&mut health, 6, 0, Presence::Occupied), "seen while it goes");
        health.sees(at(6), &device, false, true);
        health.sign(at(6), Sign::Sees(false), Presence::Checking, Presence::Checking);
        assert!(!health.is_motion_untried());
        assert!(
            passes(&mut health, 6, 20, Presence::Checking),
            "who went may have come back, and nothing has told of it"
        );
        health.sign(at(7), Sign::Sees(true), Presence::Checking, Presence::Occupied);
        assert!(!health.is_motion_untried());
    }

    #[test]
    fn a_door_contact_that_says_open_for_an_hour_is_not_believed_until_it_closes() {
        let mut health = Health::default();
        health.sign(at(1), Sign::Door(true), Presence::Occupied, Presence::Checking);
        assert!(!health.is_door_open_for_long(at(1)) && health.is_door_open_for_long(at(2)));
        health.sign(at(25), Sign::Door(false), Presence::Occupied, Presence::Checking);
        assert!(!health.is_door_open_for_long(at(26)));
    }

    #[test]
    fn two_false_bursts_are_nobody_who_came() {
        let mut health = Health::default();
        health.sign(at(0), Sign::Motion, Presence::Vacant, Presence::Occupied);
        health.sign(at(0), Sign::Motion, Presence::Occupied, Presence::Occupied);
        assert_eq!(health.door_evidence().0, 0);
    }

    #[test]
    fn a_door_that_moves_while_nothing_else_does_shows_a_dead_motion_sensor() {
        let mut health = Health::default();
        for hour in 1..=4 {
            assert!(!health.is_motion_ill());
            health.sign(at(hour), Sign::Door(true), Presence::Occupied, Presence::Checking);
            health.sign(at(hour), Sign::Door(false), Presence::Checking, Presence::Checking);
        }
        assert!(health.is_motion_ill());
        health.sign(at(5), Sign::Motion, Presence::Checking, Presence::Occupied);
        assert!(!health.is_motion_ill());
    }

    #[test]
    fn a_sensor_that_holds_is_known_by_its_nobody_and_stuck_after_twenty_hours() {
        let (mut health, radar) = (Health::default(), DeviceId::new("radar").unwrap());
        assert_eq!(health.sees(at(0), &radar, true, true), Sight::Moves);
        assert_eq!(health.sees(at(1), &radar, false, false), Sight::Nothing);
        assert_eq!(
            health.sees(at(2), &radar, true, false),
            Sight::Nothing,
            "repeated by a broker"
        );
        assert_eq!(health.sees(at(3), &radar, true, true), Sight::Begins);
        assert_eq!(health.sees(at(4), &radar, true, true), Sight::Lasts);
        assert!(!health.is_motion_restless(at(22)) && health.is_motion_restless(at(23)));
        assert_eq!(health.sees(at(24), &radar, false, true), Sight::Ends);
        assert!(!health.is_motion_restless(at(24)));
    }

    #[test]
    fn while_one_sensor_still_sees_somebody_it_is_not_over() {
        let mut health = Health::default();
        let [radar, bath] = ["radar", "bath"].map(|id| DeviceId::new(id).unwrap());
        for sensor in [&radar, &bath] {
            health.sees(at(0), sensor, false, true);
            assert_eq!(health.sees(at(1), sensor, true, true), Sight::Begins);
        }
        assert_eq!(health.sees(at(2), &bath, false, true), Sight::Nothing);
        assert_eq!(health.sees(at(3), &radar, false, true), Sight::Ends);
    }

    #[test]
    fn a_door_that_moves_while_a_partner_is_seen_says_nothing_against_the_radar() {
        let (mut health, radar) = (Health::default(), DeviceId::new("radar").unwrap());
        health.sees(at(0), &radar, false, true);
        health.sees(at(1), &radar, true, true);
        for hour in 2..10 {
            health.sign(at(hour), Sign::Door(true), Presence::Occupied, Presence::Checking);
            assert!(!health.is_motion_ill());
        }
    }
}
