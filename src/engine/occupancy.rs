//! Is someone there?
//!
//! The sealed room: the door is the hinge. Once it has moved, the room is being checked; between two movements of the door
//! nobody comes or goes, so what moves inside then proves that somebody is in, and silence slowly speaks for an empty
//! room: fast where a bed sensor shows an empty bed, very slowly where the silence may be sleep. How slowly is reckoned
//! by `belief`; a room is called vacant only when a sleeper called absent would cost less than a vacancy missed, and
//! silence alone never makes it occupied again. Method and figures: docs/behaviour.md.

mod seen;
mod told;

use super::bed_trust::{BedTrust, IN_USE_MAX};
use super::belief::{BED_IS_EMPTY, BED_UNKNOWN, Belief};
use super::calendar::Calendar;
use super::false_motion::FalseMotion;
use crate::model::{Moment, Span};
pub use seen::SEES_MAX;
use seen::Seen;
use serde::{Deserialize, Serialize};

/// Motion so soon after a door event may be the person who left.
const SKIP: Span = Span::seconds(30);
/// Motions nearer than this are one burst.
const BURST_GAP: Span = Span::seconds(60);
/// Nobody is called absent sooner than this after a movement behind the closed door.
const STIRRED: Span = Span::minutes(10);
/// So many bursts behind the closed door are no sensor's mistake.
const BURSTS_SURE: u16 = 3;
/// Nobody in is less likely than this: whoever is in is sealed in by the door.
const OUT_SURELY_NOT: f64 = 1e-6;
/// Guests sleep for so long into the day.
const LIES_IN: Span = Span::hours(2);
/// From the end of the night to its beginning.
const DAY: Span = Span::hours(14);
/// Door events nearer than this, with nothing between that proves anything, are one passage: opened and closed.
const PASSAGE: Span = Span::minutes(2);
/// A bed sensor says "in use" for so long after the bed has emptied.
const HOLD_MAX: Span = Span::minutes(5);
/// The bed in use for so long is sleep.
const ASLEEP_AFTER: Span = Span::minutes(5);
/// Whoever rises for less than this, having slept, and lies down again, sleeps on.
const RISEN_MAX: Span = Span::minutes(20);
/// And had slept for so long.
const SLEPT_MIN: Span = Span::minutes(30);
/// Staff who have not been seen to leave are gone after this.
const STAFF_MAX: Span = Span::hours(3);
/// A bolt that stays thrown for longer is no proof any more.
const BOLT_MAX: Span = Span::hours(48);
/// An unsold room watched for so long with nobody coming is empty when its guest checks in.
const EMPTY_AFTER: Span = Span::hours(2);
/// How far ahead silence is looked at, to find when it will have lasted long enough: the last is the end of day or night.
const AHEAD_MIN: [i64; 4] = [10, 40, 160, 640];
/// The end of a window is found to within this.
const WINDOW_GRAIN: Span = Span::seconds(2);
/// Halvings of the longest window that reach the grain.
const HALVINGS_MAX: usize = 16;
/// Days and nights that are reckoned one by one after a long silence; beyond them nothing changes any more.
const TURNS_MAX: usize = 14;

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
    /// The entrance door opened (true) or closed.
    Door(bool),
    /// A connecting door opened or closed, or, while it stands open, the entrance door of the room beyond.
    Beyond(bool),
    /// Something moved.
    Motion,
    /// A sensor of presence says "somebody" and holds it, or the last of them no longer does.
    Sees(bool),
    /// It says so again.
    StillSees,
    /// The bed is in use, or no longer.
    Bed(bool),
    /// Only a person inside can have done it: pressed a key, turned the dial.
    Hand,
    /// The bolt was thrown from inside, or drawn back.
    Bolt(bool),
    /// Staff came, or have gone.
    Staff(bool),
}

/// Which way the last decision went, and why.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Decided {
    at: Option<Moment>,
    rule: String,
}

/// The state of one room. A room of which nothing is known counts as occupied: what is unknown is not set back.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Occupancy {
    is_vacant: bool,
    /// What is believed where the bed is trusted, and where it is not.
    trusting: Belief,
    doubting: Belief,
    /// Both, as they were before the passage that may not be over.
    before_door: Option<(Belief, Belief)>,
    /// Up to when the beliefs are reckoned; none while no sensor has spoken.
    reckoned_at: Option<Moment>,
    /// Whether it is night, and until when that holds.
    night: Option<(bool, Moment)>,
    /// When silence will have lasted long enough, or is to be looked at again.
    until: Option<Moment>,
    door_at: Option<Moment>,
    door_is_open: bool,
    /// Whether that was a door beyond the room's own.
    door_is_beyond: bool,
    evidence_at: Option<Moment>,
    burst_at: Option<Moment>,
    /// When something last moved behind the door, since it moved.
    stirred_at: Option<Moment>,
    /// Since the door last moved.
    bursts: u16,
    /// Since the door last moved somebody has been in beyond doubt: silence is sleep then, or a dead sensor, and nobody's going.
    is_sealed: bool,
    seen: Seen,
    bed_since: Option<Moment>,
    /// The door, or the staff, moved and nothing inside has since.
    is_checking: bool,
    asleep_from: Option<Moment>,
    risen_at: Option<Moment>,
    bolt_since: Option<Moment>,
    staff_since: Option<Moment>,
    staff_gone_at: Option<Moment>,
    bed: BedTrust,
    false_motion: FalseMotion,
    decided: Decided,
}

/// What the machine needs to know of the room and the hour.
#[derive(Clone, Copy)]
pub struct Senses<'a> {
    /// Whether a bed sensor is there and has not fallen silent.
    pub bed: bool,
    /// Whether a guest has the room.
    pub is_let: bool,
    /// The wall clock.
    pub calendar: &'a Calendar,
}

/// How a while of silence weighs: both beliefs afterwards, and the doubt of the bed.
struct Silence {
    trusting: Belief,
    doubting: Belief,
    if_sound: f64,
    if_broken: f64,
    /// For how much of the while somebody may have been in, for all the bed has said.
    occupied: Span,
}

impl Occupancy {
    /// What others may know now.
    pub fn presence(&self, now: Moment) -> Presence {
        let is_asleep = self.asleep_from.is_some_and(|from| from <= now) && !self.bed.is_ill();
        match (self.bed_since, self.is_vacant) {
            (Some(_), _) if is_asleep => Presence::Asleep,
            (Some(_), _) if !self.bed.is_ill() => Presence::Occupied,
            (_, true) if self.staff_since.is_none() => Presence::Vacant,
            _ if self.is_checking => Presence::Checking,
            _ => Presence::Occupied,
        }
    }

    /// Whether it is the staff who are in, or who have just gone.
    pub fn is_staff(&self) -> bool {
        self.staff_since.is_some() || self.staff_gone_at.is_some()
    }

    /// When anything last moved: the door, somebody, the bed.
    pub fn moved_at(&self) -> Option<Moment> {
        self.evidence_at.max(self.door_at)
    }

    /// When the door last moved.
    pub const fn door_at(&self) -> Option<Moment> {
        self.door_at
    }

    /// Until when the last movement behind the door is too fresh for anybody to be called absent.
    pub fn stirred_until(&self) -> Option<Moment> {
        self.stirred_at.map(|at| at + STIRRED)
    }

    /// Bursts of motion since the door last moved.
    pub const fn bursts(&self) -> u16 {
        self.bursts
    }

    /// Whether the bed says that it is in use.
    pub const fn is_bed_in_use(&self) -> bool {
        self.bed_since.is_some()
    }

    /// Whether the bed sensor counts as broken.
    pub fn bed(&self) -> &BedTrust {
        &self.bed
    }

    /// When the state will change by itself, if nothing happens before.
    pub fn deadline(&self, now: Moment) -> Option<Moment> {
        let turns = self.turns().into_iter().chain([self.asleep_from]);
        turns.flatten().filter(|at| *at > now).min()
    }

    /// Every moment at which something is to be decided.
    fn turns(&self) -> [Option<Moment>; 6] {
        [
            self.until,
            self.proof_at(),
            self.seen.stuck_at(),
            self.bed_since.filter(|_| !self.bed.is_ill()).map(|at| at + IN_USE_MAX),
            self.bolt_since.map(|at| at + BOLT_MAX),
            self.staff_since.map(|at| at + STAFF_MAX),
        ]
    }

    /// Lets the time pass: decides at every deadline up to now. Returns whether anything is to be kept.
    pub fn advance(&mut self, senses: Senses<'_>, now: Moment) -> bool {
        let is_first = self.reckoned_at.is_none() && !senses.is_let;
        let is_new = is_first && self.false_motion.begin(now, true);
        let due = self.turns().into_iter().flatten().any(|at| at <= now);
        if due {
            self.run_due(senses, now);
        }
        is_new || due
    }

    fn run_due(&mut self, senses: Senses<'_>, now: Moment) {
        if self.staff_since.is_some_and(|at| now.since(at) >= STAFF_MAX) {
            self.staff_leave(senses, now);
        }
        if self.bolt_since.is_some_and(|at| now.since(at) >= BOLT_MAX) {
            self.reckon(senses, now);
            (self.bolt_since, self.is_sealed) = (None, false);
            self.decide_in_silence(senses, now);
        }
        if self.bed_since.is_some_and(|at| now.since(at) >= IN_USE_MAX) && !self.bed.is_ill() {
            self.reckon(senses, now);
            self.bed.give_up();
            self.is_sealed = false;
            self.decide_in_silence(senses, now);
        }
        self.run_seen(senses, now);
        for _ in 0..TURNS_MAX {
            let Some(due) = self.until.filter(|due| *due <= now) else {
                return;
            };
            self.reckon(senses, due);
            self.decide_in_silence(senses, due);
        }
    }

    /// Takes a sign from a sensor. Time must have been let pass first.
    pub fn sign(&mut self, senses: Senses<'_>, now: Moment, sign: Sign) {
        let is_motion = matches!(sign, Sign::Motion | Sign::Sees(true) | Sign::StillSees);
        if is_motion && self.is_behind_door(now) {
            self.stirred_at = Some(now);
        }
        let is_burst = is_motion && sign != Sign::StillSees && self.is_burst(now);
        if is_motion && sign != Sign::Sees(true) && !is_burst {
            self.evidence_at = Some(now);
            return;
        }
        self.reckon(senses, now);
        match sign {
            Sign::Door(is_open) => self.door(senses, now, is_open, false),
            Sign::Beyond(is_open) => self.door(senses, now, is_open, true),
            Sign::Motion => self.burst(senses, now),
            Sign::Sees(true) => {
                if is_burst {
                    self.burst(senses, now);
                }
                self.evidence_at = Some(now);
                self.seen.begin(now);
            }
            Sign::StillSees => {}
            Sign::Sees(false) => self.see_nobody(senses, now),
            Sign::Bed(true) => self.bed_fills(now),
            Sign::Bed(false) => self.bed_empties(now),
            Sign::Hand => self.inside(now, "hand-inside"),
            Sign::Bolt(true) => {
                self.bolt_since = Some(now);
                self.inside(now, "bolt-thrown");
            }
            Sign::Bolt(false) => {
                self.bolt_since = None;
                self.inside(now, "bolt-drawn-back");
            }
            Sign::Staff(true) => self.staff_come(now),
            Sign::Staff(false) => self.staff_leave(senses, now),
        }
        if !is_motion && sign != Sign::Sees(false) && !senses.is_let {
            self.false_motion.end(now);
            self.false_motion.begin(now, false);
        }
        // Motion only puts off the end of a window: how far is reckoned when the window has run out, not at every burst.
        let is_put_off = sign == Sign::Motion && !self.is_vacant && self.until.is_some_and(|until| until > now);
        if !is_put_off {
            self.look_ahead(senses, now);
        }
    }

    /// Nobody watched for a while: whoever may have come in meanwhile is not to be taken for absent.
    pub fn unwatched(&mut self, senses: Senses<'_>, now: Moment) {
        (self.trusting, self.doubting) = (Belief::unwatched(), Belief::unwatched());
        self.begin_anew(senses, now);
    }

    /// Nobody watched what is inside for a while, and the door was: whoever was in before is, and somebody may have come.
    pub fn unseen(&mut self, senses: Senses<'_>, now: Moment) {
        self.be_surer(Belief::unwatched());
        self.begin_anew(senses, now);
    }

    fn begin_anew(&mut self, senses: Senses<'_>, now: Moment) {
        (self.reckoned_at, self.evidence_at) = (Some(now), Some(now));
        self.before_door = None;
        // Whoever came meanwhile may have gone to bed.
        self.bursts = self.bursts.max(BURSTS_SURE);
        self.occupy(now, "nobody-watched");
        self.look_ahead(senses, now);
    }

    fn be_surer(&mut self, of: Belief) {
        (self.trusting, self.doubting) = (self.trusting.or_surer(of), self.doubting.or_surer(of));
    }

    /// A guest has the room from now on. Where it was watched and nobody came, nobody is in.
    pub fn let_to_guest(&mut self, senses: Senses<'_>, now: Moment) {
        let was_empty = self.false_motion.watched_for(now) >= EMPTY_AFTER;
        self.false_motion.end(now);
        if was_empty
            && !self.is_held()
            && !self.seen.is_held()
            && self.staff_since.is_none()
            && self.bursts < BURSTS_SURE
        {
            (self.trusting, self.doubting) = (Belief::empty(), Belief::empty());
            self.reckoned_at = Some(now);
            (self.is_vacant, self.is_sealed) = (true, false);
            self.decide(now, "empty-until-check-in");
        }
        self.look_ahead(senses, now);
    }

    /// No guest has the room any more.
    pub fn given_back(&mut self, now: Moment) {
        self.false_motion.begin(now, false);
    }

    /// Silence may have lasted long enough; it never makes a vacant room occupied.
    fn decide_in_silence(&mut self, senses: Senses<'_>, now: Moment) {
        if self.is_open() && self.may_vacate(senses, now) {
            self.vacate(now);
        }
        self.look_ahead(senses, now);
    }

    /// However a sensor has been doubted: whoever moved behind a door that has not moved since is not gone yet. A guest who
    /// was in beyond doubt has not gone before the door has opened and closed.
    fn may_vacate(&self, senses: Senses<'_>, now: Moment) -> bool {
        !self.seen.is_held()
            && !self.is_surely_in(senses)
            && self.in_until(senses).is_none_or(|until| now >= until)
            && self.balance(senses, Span::ZERO) < 0.0
    }

    /// Until when nobody is called absent, however long the silence.
    fn in_until(&self, senses: Senses<'_>) -> Option<Moment> {
        self.stirred_until().max(self.may_sleep_until(senses))
    }

    /// Where no bed sensor can be believed, the silence of the night and of the early morning is most likely sleep: who has
    /// moved about behind the closed door before it is there still. With an ill bed sensor nobody is called absent at night.
    fn may_sleep_until(&self, senses: Senses<'_>) -> Option<Moment> {
        let (is_night, turn) = self.night.filter(|_| senses.is_let)?;
        let lies_in = if is_night { turn + LIES_IN } else { turn - DAY + LIES_IN };
        match senses.bed {
            true if !self.bed.is_ill() => None,
            true if is_night && self.bursts < BURSTS_SURE => Some(turn),
            _ => (self.bursts >= BURSTS_SURE).then_some(lies_in),
        }
    }

    /// Whether nobody can have gone: a guest who was in beyond doubt goes by the door, and it closes behind whoever goes.
    const fn is_surely_in(&self, senses: Senses<'_>) -> bool {
        let is_ajar = self.door_is_open && !self.door_is_beyond;
        senses.is_let && (self.is_sealed || is_ajar)
    }

    /// Whether it is for the beliefs to say who is in.
    fn is_open(&self) -> bool {
        !self.is_vacant && !self.is_held() && self.staff_since.is_none()
    }

    /// Whether what moves now is nobody who is just going through the door, nor the staff.
    fn is_behind_door(&self, now: Moment) -> bool {
        self.staff_since.is_none() && self.door_at.is_none_or(|at| now.since(at) >= SKIP)
    }

    fn is_burst(&self, now: Moment) -> bool {
        self.is_behind_door(now) && self.burst_at.is_none_or(|at| now.since(at) >= BURST_GAP)
    }

    fn door(&mut self, senses: Senses<'_>, now: Moment, is_open: bool, is_beyond: bool) {
        let is_same_passage = self.door_at.is_some_and(|at| now.since(at) <= PASSAGE);
        (self.door_at, self.door_is_open, self.door_is_beyond) = (Some(now), is_open, is_beyond);
        if self.staff_since.is_some() {
            return;
        }
        let before = self.before_door.take().filter(|_| is_same_passage);
        let before = before.unwrap_or((self.trusting, self.doubting));
        (self.trusting, self.doubting) = before;
        let is_night = self.is_night();
        self.trusting.door(is_night);
        self.doubting.door(is_night);
        self.before_door = Some(before);
        (self.bursts, self.burst_at, self.stirred_at) = (0, None, None);
        self.is_sealed = false;
        self.seen.door();
        (self.is_checking, self.staff_gone_at) = (true, None);
        let rule = if is_beyond { "door-beyond-moved" } else { "door-moved" };
        self.weigh_up(senses, now, rule);
    }

    fn burst(&mut self, senses: Senses<'_>, now: Moment) {
        let false_rate = self.false_motion.per_hour();
        if !senses.is_let {
            self.false_motion.burst(now);
        }
        let if_sound = self.trusting.burst(&BED_IS_EMPTY, false_rate);
        let if_broken = self.doubting.burst(&BED_UNKNOWN, false_rate);
        if self.is_bed_tried(senses) {
            self.bed.weigh(if_sound, if_broken, Span::ZERO);
        }
        (self.burst_at, self.evidence_at, self.before_door) = (Some(now), Some(now), None);
        self.bursts = self.bursts.saturating_add(1);
        self.is_sealed |= self.doubting.out() <= OUT_SURELY_NOT;
        let rule = if self.is_vacant {
            "motion-without-door"
        } else {
            "motion-after-door"
        };
        if self.weigh_up(senses, now, rule) {
            (self.is_checking, self.staff_gone_at) = (false, None);
        }
    }

    /// Somebody is inside beyond doubt.
    fn inside(&mut self, now: Moment, rule: &'static str) {
        (self.trusting, self.doubting) = (Belief::active(), Belief::active());
        self.prove(now, rule);
    }

    /// The bed is in use: somebody is inside, unless it merely holds from before the door.
    fn bed_fills(&mut self, now: Moment) {
        self.bed.edge(now);
        let sleeps_on = self.risen_at.take().is_some_and(|at| now.since(at) < RISEN_MAX);
        self.bed_since = Some(now);
        self.asleep_from = Some(if sleeps_on { now } else { now + ASLEEP_AFTER });
        if self.door_at.is_none_or(|door| now.since(door) >= SKIP) {
            (self.trusting, self.doubting) = (Belief::in_bed(), Belief::in_bed());
        }
        self.prove(now, "bed-in-use");
    }

    fn bed_empties(&mut self, now: Moment) {
        self.bed.edge(now);
        self.evidence_at = Some(now);
        let asleep_from = self.asleep_from.take();
        let Some(since) = self.bed_since.take() else { return };
        self.risen_at = asleep_from.filter(|from| now.since(*from) >= SLEPT_MIN).map(|_| now);
        let held_over = |door: Moment| since < door && now.since(door) < HOLD_MAX;
        if self.door_at.is_some_and(held_over) {
            // Whoever lay there may be the one who went: the sensor only took its time to say so.
            (self.trusting, self.doubting) = (Belief::risen_at_the_door(), Belief::risen_at_the_door());
            return;
        }
        self.trusting = Belief::active();
        if now.since(since) >= ASLEEP_AFTER {
            self.doubting = Belief::risen();
        }
        self.before_door = None;
    }

    /// When a sensor that goes on saying "somebody" will have proven it: the staff are no proof of a guest.
    fn proof_at(&self) -> Option<Moment> {
        self.seen.proof_at(self.door_at).filter(|_| self.staff_since.is_none())
    }

    /// What a sensor of presence holds proves somebody in after a while, and is no person after a longer one.
    fn run_seen(&mut self, senses: Senses<'_>, now: Moment) {
        if self.proof_at().is_some_and(|at| at <= now) {
            self.reckon(senses, now);
            self.seen.prove();
            self.be_surer(Belief::seen());
            self.prove(now, "seen-for-long");
            // What outlasts the sensor's own slowness has moved again and again, however seldom the sensor says so.
            (self.bursts, self.is_sealed) = (self.bursts.max(BURSTS_SURE), true);
            self.look_ahead(senses, now);
        }
        if self.seen.stuck_at().is_some_and(|at| at <= now) {
            self.is_sealed = false;
            self.see_nobody(senses, now);
            self.look_ahead(senses, now);
        }
    }

    /// No sensor of presence says "somebody" any more. Where the door has not moved, that is when somebody last moved.
    fn see_nobody(&mut self, senses: Senses<'_>, now: Moment) {
        self.reckon(senses, now);
        let Some(ended) = self.seen.end(now).filter(|_| self.staff_since.is_none()) else {
            return;
        };
        let stirred_at = self.stirred_at;
        let is_over_the_door = self.door_at.is_some_and(|door| door >= ended.since) && !ended.was_proof;
        if !is_over_the_door {
            (self.evidence_at, self.burst_at, self.stirred_at) = (Some(now), Some(now), Some(now));
        }
        let from = self.door_at.map_or(ended.since, |door| door.max(ended.since));
        // What a sensor says again may be a new movement: silence begins after it, however slow the sensor seems.
        self.reckoned_at = stirred_at.max(Some(from.max(now - ended.quiet)));
        self.reckon(senses, now);
    }

    fn staff_come(&mut self, now: Moment) {
        self.staff_since = self.staff_since.or(Some(now));
        (self.staff_gone_at, self.evidence_at) = (None, Some(now));
        self.decide(now, "staff-key");
    }

    /// The staff have gone: the room is checked anew, from what was believed before they came.
    fn staff_leave(&mut self, senses: Senses<'_>, now: Moment) {
        if self.staff_since.take().is_none() {
            return;
        }
        self.trusting.staff_gone();
        self.doubting.staff_gone();
        self.reckoned_at = Some(now);
        (self.bursts, self.burst_at, self.stirred_at, self.before_door) = (0, None, None, None);
        self.is_sealed = false;
        (self.is_checking, self.staff_gone_at, self.evidence_at) = (true, Some(now), Some(now));
        // Whoever leaves moves the door once more; that is part of their going.
        self.door_at = Some(now);
        self.seen.door();
        self.is_vacant = false;
        self.weigh_up(senses, now, "staff-have-gone");
        self.look_ahead(senses, now);
    }

    fn prove(&mut self, now: Moment, rule: &'static str) {
        (self.evidence_at, self.before_door) = (Some(now), None);
        (self.is_checking, self.staff_gone_at) = (false, None);
        self.bursts = self.bursts.saturating_add(1);
        self.is_sealed |= self.doubting.out() <= OUT_SURELY_NOT;
        self.occupy(now, rule);
    }

    /// Decides anew after a sign. Returns whether the room counts as occupied.
    fn weigh_up(&mut self, senses: Senses<'_>, now: Moment, rule: &'static str) -> bool {
        let is_in = if self.is_vacant {
            self.is_held() || self.balance(senses, Span::ZERO) >= 0.0
        } else {
            self.is_held() || !self.may_vacate(senses, now)
        };
        match (is_in, self.is_vacant) {
            (true, _) => self.occupy(now, rule),
            (false, true) => {}
            (false, false) => self.vacate(now),
        }
        is_in
    }

    fn occupy(&mut self, now: Moment, rule: &'static str) {
        self.is_vacant = false;
        self.decide(now, rule);
    }

    fn vacate(&mut self, now: Moment) {
        self.is_vacant = true;
        (self.is_checking, self.staff_gone_at) = (false, None);
        let rule = match self.bursts {
            0 => "quiet-window-elapsed",
            1 | 2 => "weak-evidence-expired",
            _ => "long-silence",
        };
        self.decide(now, rule);
    }

    fn decide(&mut self, now: Moment, rule: &'static str) {
        self.decided = Decided {
            at: Some(now),
            rule: rule.into(),
        };
    }

    /// Whether somebody is in as long as this lasts: in bed, or behind the bolt.
    fn is_held(&self) -> bool {
        self.bolt_since.is_some() || (self.bed_since.is_some() && !self.bed.is_ill())
    }

    /// Whether what moves, or does not, speaks for or against the bed sensor.
    fn is_bed_tried(&self, senses: Senses<'_>) -> bool {
        senses.bed && senses.is_let && self.bed_since.is_none()
    }

    fn is_night(&self) -> bool {
        self.night.is_some_and(|(is_night, _)| is_night)
    }

    /// Brings the beliefs up to a moment, through the nights and days between.
    fn reckon(&mut self, senses: Senses<'_>, now: Moment) {
        let mut from = self.reckoned_at.unwrap_or(now);
        for turn in 1..=TURNS_MAX {
            let (is_night, until) = self.daytime(senses, from);
            let to = if turn == TURNS_MAX { now } else { until.min(now) };
            self.pass(senses, is_night, to.since(from));
            from = to;
            if from >= now {
                break;
            }
        }
        self.daytime(senses, now);
        self.reckoned_at = Some(now);
    }

    /// Whether it is night, and until when; asked of the calendar only when day and night change.
    fn daytime(&mut self, senses: Senses<'_>, at: Moment) -> (bool, Moment) {
        match self.night {
            Some(known) if at < known.1 => known,
            _ => *self.night.insert(senses.calendar.night_until(at)),
        }
    }

    fn pass(&mut self, senses: Senses<'_>, is_night: bool, span: Span) {
        if self.staff_since.is_some() || self.seen.is_held() || span <= Span::ZERO {
            return;
        }
        let silence = self.silence(is_night, span);
        self.doubting = silence.doubting;
        if self.bed_since.is_none() || self.bed.is_ill() {
            self.trusting = silence.trusting;
        }
        if self.is_bed_tried(senses) {
            self.bed.weigh(silence.if_sound, silence.if_broken, silence.occupied);
        }
    }

    fn silence(&self, is_night: bool, span: Span) -> Silence {
        let (mut trusting, mut doubting) = (self.trusting, self.doubting);
        let if_sound = trusting.silence(&BED_IS_EMPTY, is_night, span);
        let if_broken = doubting.silence(&BED_UNKNOWN, is_night, span);
        let is_in = 1.0 - (self.doubting.out() + doubting.out()) / 2.0;
        let occupied = Span::from_minutes_f64(span.as_minutes_f64() * is_in);
        Silence {
            if_sound: if_sound * BedTrust::unused(is_night, occupied),
            if_broken,
            occupied,
            trusting,
            doubting,
        }
    }

    /// What calling the room vacant would cost after so much more silence, less what calling it occupied would.
    fn balance(&self, senses: Senses<'_>, ahead: Span) -> f64 {
        let is_night = self.is_night();
        let silence = self.silence(is_night, ahead);
        let doubting = silence.doubting.price(&BED_UNKNOWN, is_night) - silence.doubting.out();
        if !senses.bed || self.bed.is_ill() {
            return doubting;
        }
        let doubt = if self.is_bed_tried(senses) {
            BedTrust::doubt_after(self.bed.doubt(), silence.if_sound, silence.if_broken, silence.occupied)
        } else {
            self.bed.doubt()
        };
        let trusting = silence.trusting.price(&BED_IS_EMPTY, is_night) - silence.trusting.out();
        doubt * doubting + (1.0 - doubt) * trusting
    }

    /// Finds when silence will have lasted long enough.
    fn look_ahead(&mut self, senses: Senses<'_>, now: Moment) {
        self.until = match self.night {
            Some((_, turn)) if self.is_open() && !self.seen.is_held() && !self.is_surely_in(senses) => {
                let until = self.window(senses, now, turn);
                Some(self.in_until(senses).map_or(until, |surely| until.max(surely)))
            }
            _ => None,
        };
    }

    fn window(&self, senses: Senses<'_>, now: Moment, turn: Moment) -> Moment {
        let whole = turn.since(now);
        let steps = AHEAD_MIN.map(Span::minutes).into_iter().filter(|ahead| *ahead < whole);
        let mut from = Span::ZERO;
        for ahead in steps.chain([whole]) {
            if self.balance(senses, ahead) < 0.0 {
                return now + self.narrow(senses, from, ahead);
            }
            from = ahead;
        }
        turn
    }

    /// Halves the span in which the balance turns, down to the grain.
    fn narrow(&self, senses: Senses<'_>, mut from: Span, mut to: Span) -> Span {
        for _ in 0..HALVINGS_MAX {
            let middle = Span::millis((from.as_millis() + to.as_millis()) / 2);
            if to - from <= WINDOW_GRAIN {
                break;
            }
            if self.balance(senses, middle) < 0.0 {
                to = middle;
            } else {
                from = middle;
            }
        }
        to.max(Span::seconds(1))
    }
}

#[cfg(test)]
mod tests;
