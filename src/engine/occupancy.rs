//! Is someone there?
//!
//! The sealed room: the door is the hinge, the bed is the strong evidence, motion counts as bursts. After a door moves, the
//! room is being checked; what moves inside before a quiet window has passed seals it, and a sealed room stays occupied
//! through hours of silence, because a sleeper is silent. Method and parameters: docs/behaviour.md.

use super::calendar::Calendar;
use crate::model::{Because, Moment, Span};
use serde::{Deserialize, Serialize};

/// Motion so soon after a door event may be the person who left.
const SKIP: Span = Span::seconds(30);
/// Motions nearer than this are one burst.
const BURST_GAP: Span = Span::seconds(60);
/// A burst in a vacant room keeps it provisionally occupied for so long.
const PROVISIONAL: Span = Span::minutes(5);
/// So many bursts, and a vacant room is sealed without a door event: the door sensor missed one.
const PROVISIONAL_BURSTS: u8 = 6;
/// After an arrival somebody is expected to move within this.
const ARRIVAL_WINDOW: Span = Span::minutes(120);
/// The quiet window cannot end sooner than this after the bed empties.
const AFTER_BED: Span = Span::seconds(60);
/// The bed in use for so long is sleep.
const ASLEEP_AFTER: Span = Span::minutes(5);
/// Bursts beyond this add no certainty.
const BURSTS_MAX: u8 = 3;

/// Windows and latches, by whether the room has a bed sensor that can be trusted.
struct Windows {
    quiet_day: Span,
    quiet_night: Span,
    latch: [Span; 3],
}

const WITH_BED: Windows = Windows {
    quiet_day: Span::minutes(10),
    quiet_night: Span::minutes(20),
    latch: [Span::minutes(60), Span::minutes(150), Span::minutes(480)],
};
const WITHOUT_BED: Windows = Windows {
    quiet_day: Span::minutes(30),
    quiet_night: Span::minutes(240),
    latch: [Span::minutes(960), Span::minutes(960), Span::minutes(960)],
};

/// How far the room is known to hold somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
enum State {
    /// Nobody.
    Vacant,
    /// A burst without a door event.
    Provisional,
    /// The door has moved; who is still in?
    Checking,
    /// Somebody is in. A room of which nothing is known counts as this: what is unknown is not set back.
    #[default]
    Sealed,
}

/// What others may know of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Presence {
    /// Nobody is in.
    Vacant,
    /// The door has moved and it is not yet known who is in. Counts as occupied.
    Checking,
    /// Somebody is in and awake, as far as is known.
    Occupied,
    /// Somebody lies in bed.
    Asleep,
}

impl Presence {
    /// Whether somebody is, or may be, in.
    pub const fn is_occupied(self) -> bool {
        !matches!(self, Presence::Vacant)
    }

    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Presence::Vacant => "vacant",
            Presence::Checking => "checking",
            Presence::Occupied => "occupied",
            Presence::Asleep => "asleep",
        }
    }
}

/// What a sensor showed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// The entrance door opened or closed.
    Door,
    /// Something moved.
    Motion,
    /// The bed is in use, or no longer.
    Bed(bool),
    /// Only a person inside can have done it: threw the bolt, pressed a key, turned the dial.
    Hand,
}

/// The state of one room.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Occupancy {
    state: State,
    bursts: u8,
    burst_at: Option<Moment>,
    door_at: Option<Moment>,
    evidence_at: Option<Moment>,
    until: Option<Moment>,
    arriving: bool,
    bed_since: Option<Moment>,
    rule: String,
}

/// What the machine needs to know of the room and the hour.
#[derive(Clone, Copy)]
pub struct Senses<'a> {
    /// Whether a bed sensor is there and can be trusted.
    pub bed: bool,
    /// The wall clock.
    pub calendar: &'a Calendar,
}

impl Senses<'_> {
    fn windows(&self) -> &'static Windows {
        if self.bed { &WITH_BED } else { &WITHOUT_BED }
    }

    fn quiet(&self, at: Moment) -> Span {
        let windows = self.windows();
        if self.calendar.is_night(at) {
            windows.quiet_night
        } else {
            windows.quiet_day
        }
    }
}

impl Occupancy {
    /// What others may know now.
    pub fn presence(&self, now: Moment) -> Presence {
        match (self.bed_since, self.state) {
            (Some(since), _) if now.since(since) >= ASLEEP_AFTER => Presence::Asleep,
            (Some(_), _) | (None, State::Sealed | State::Provisional) => Presence::Occupied,
            (None, State::Checking) => Presence::Checking,
            (None, State::Vacant) => Presence::Vacant,
        }
    }

    /// When the state will change by itself, if nothing happens before.
    pub fn deadline(&self, senses: Senses<'_>, now: Moment) -> Option<Moment> {
        if let Some(since) = self.bed_since {
            return Some(since + ASLEEP_AFTER).filter(|at| *at > now);
        }
        match self.state {
            State::Vacant => None,
            State::Provisional | State::Checking => self.until,
            State::Sealed => self.evidence_at.map(|at| at + self.latch(senses)),
        }
    }

    /// Why it is as it is.
    pub fn because(&self, now: Moment) -> Because {
        let rule = if self.rule.is_empty() {
            "nothing-is-known-yet".into()
        } else {
            self.rule.clone()
        };
        Because {
            rule: rule.into(),
            facts: Vec::new(),
        }
        .with("presence", self.presence(now).word())
        .with_some("door_at", self.door_at)
        .with_some("evidence_at", self.evidence_at)
        .with("bursts", self.bursts)
        .with("bed_in_use", self.bed_since.is_some())
    }

    /// Lets the time pass: runs every deadline up to now.
    pub fn advance(&mut self, senses: Senses<'_>, now: Moment) {
        while let Some(due) = self.transition_due(senses).filter(|due| *due <= now) {
            if self.state == State::Sealed && self.bursts >= BURSTS_MAX {
                self.check(due, due + senses.quiet(due), false, "long-silence");
            } else {
                let rule = if self.state == State::Sealed {
                    "weak-evidence-expired"
                } else {
                    "quiet-window-elapsed"
                };
                self.enter(State::Vacant, rule);
                self.until = None;
            }
        }
    }

    /// Takes a sign from a sensor. Time must have been let pass first.
    pub fn sign(&mut self, senses: Senses<'_>, now: Moment, sign: Sign) {
        match sign {
            Sign::Door => self.door(senses, now),
            Sign::Motion => self.motion(now),
            Sign::Bed(true) => self.inside(now, "bed-in-use", true),
            Sign::Bed(false) => self.bed_empties(now),
            Sign::Hand => self.inside(now, "hand-inside", false),
        }
    }

    /// The room is known to hold nobody: it was empty when the day began, or staff says so.
    pub fn declare_vacant(&mut self, rule: &str) {
        *self = Self {
            door_at: self.door_at,
            rule: rule.into(),
            state: State::Vacant,
            ..Self::default()
        };
    }

    fn door(&mut self, senses: Senses<'_>, now: Moment) {
        let arriving = match self.state {
            State::Vacant => true,
            State::Provisional => self.bursts < 2,
            State::Checking => self.arriving,
            State::Sealed => false,
        };
        let window = if arriving { ARRIVAL_WINDOW } else { senses.quiet(now) };
        self.check(now, now + window, arriving, "door-moved");
        self.door_at = Some(now);
    }

    fn motion(&mut self, now: Moment) {
        self.evidence_at = Some(now);
        if self.door_at.is_some_and(|door| now.since(door) < SKIP) {
            return;
        }
        let is_burst = self.burst_at.is_none_or(|last| now.since(last) >= BURST_GAP);
        match self.state {
            State::Sealed if is_burst && self.bursts < BURSTS_MAX => self.count(now),
            State::Sealed => {}
            State::Checking => {
                self.count(now);
                self.enter(State::Sealed, "motion-after-door");
            }
            State::Vacant => {
                (self.bursts, self.burst_at, self.until) = (1, Some(now), Some(now + PROVISIONAL));
                self.enter(State::Provisional, "motion-in-vacant-room");
            }
            State::Provisional if is_burst => {
                self.count(now);
                self.until = Some(now + PROVISIONAL);
                if self.bursts >= PROVISIONAL_BURSTS {
                    self.bursts = BURSTS_MAX;
                    self.enter(State::Sealed, "motion-without-door");
                }
            }
            State::Provisional => {}
        }
    }

    /// A bed in use, a bolt thrown, a dial turned: somebody is inside, unless the bed merely holds from before the door.
    fn inside(&mut self, now: Moment, rule: &'static str, is_bed: bool) {
        self.evidence_at = Some(now);
        if is_bed {
            self.bed_since = self.bed_since.or(Some(now));
        }
        if !is_bed || self.door_at.is_none_or(|door| now.since(door) >= SKIP) {
            self.bursts = BURSTS_MAX;
            self.enter(State::Sealed, rule);
        }
    }

    fn bed_empties(&mut self, now: Moment) {
        (self.bed_since, self.evidence_at) = (None, Some(now));
        if matches!(self.state, State::Checking | State::Provisional) {
            self.until = self.until.max(Some(now + AFTER_BED));
        }
    }

    fn check(&mut self, now: Moment, until: Moment, arriving: bool, rule: &'static str) {
        self.enter(State::Checking, rule);
        (self.bursts, self.burst_at, self.arriving, self.until) = (0, None, arriving, Some(until));
        self.evidence_at = self.evidence_at.max(Some(now));
    }

    fn count(&mut self, now: Moment) {
        (self.bursts, self.burst_at) = (self.bursts.saturating_add(1), Some(now));
    }

    fn enter(&mut self, state: State, rule: &'static str) {
        self.state = state;
        self.rule = rule.into();
    }

    fn latch(&self, senses: Senses<'_>) -> Span {
        senses.windows().latch[usize::from(self.bursts.clamp(1, BURSTS_MAX)) - 1]
    }

    fn transition_due(&self, senses: Senses<'_>) -> Option<Moment> {
        if self.bed_since.is_some() {
            return None;
        }
        match self.state {
            State::Vacant => None,
            State::Provisional | State::Checking => self.until,
            State::Sealed => self.evidence_at.map(|at| at + self.latch(senses)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minutes: i64) -> Moment {
        Moment::parse("2026-11-21T10:00:00Z").unwrap() + Span::minutes(minutes)
    }

    fn run(bed: bool, signs: &[(i64, Sign)], until: i64) -> Presence {
        let calendar = Calendar::new("UTC").unwrap();
        let senses = Senses {
            bed,
            calendar: &calendar,
        };
        let mut room = Occupancy::default();
        for (minute, sign) in signs {
            room.advance(senses, at(*minute));
            room.sign(senses, at(*minute), *sign);
        }
        room.advance(senses, at(until));
        room.presence(at(until))
    }

    #[test]
    fn a_sleeper_is_never_called_absent() {
        let night = [(0, Sign::Door), (1, Sign::Motion), (30, Sign::Bed(true))];
        assert_eq!(run(true, &night, 30 + 14 * 60), Presence::Asleep);
    }

    #[test]
    fn a_guest_who_leaves_is_noticed_after_the_quiet_window() {
        let day = [(0, Sign::Door), (1, Sign::Motion), (5, Sign::Motion), (60, Sign::Door)];
        assert_eq!(run(true, &day, 69), Presence::Checking);
        assert_eq!(run(true, &day, 71), Presence::Vacant);
    }

    #[test]
    fn motion_after_the_door_seals_the_room() {
        let day = [(0, Sign::Door), (5, Sign::Motion)];
        assert_eq!(run(false, &day, 5 + 15 * 60), Presence::Occupied);
    }

    #[test]
    fn the_one_who_leaves_moves_in_front_of_the_sensor_and_proves_nothing() {
        let calendar = Calendar::new("UTC").unwrap();
        let senses = Senses {
            bed: true,
            calendar: &calendar,
        };
        let mut room = Occupancy::default();
        room.sign(senses, at(0), Sign::Door);
        room.sign(senses, at(0) + Span::seconds(10), Sign::Motion);
        room.advance(senses, at(11));
        assert_eq!(room.presence(at(11)), Presence::Vacant);
    }

    #[test]
    fn a_partner_in_bed_keeps_the_room_when_the_other_goes_out() {
        let evening = [
            (0, Sign::Door),
            (1, Sign::Motion),
            (20, Sign::Bed(true)),
            (40, Sign::Door),
        ];
        assert_eq!(run(true, &evening, 300), Presence::Asleep);
    }

    #[test]
    fn a_room_of_which_nothing_is_known_counts_as_occupied() {
        assert_eq!(run(true, &[], 100_000), Presence::Occupied);
    }
}
