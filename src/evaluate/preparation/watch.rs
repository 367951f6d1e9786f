//! What must always and never be, looked at in every minute of every room.

use super::guests::Who;
use super::hotel::Hotel;
use super::keeper::room_number;
use super::openings::Seen;
use super::thermostat::Wanted;
use crate::model::{
    Because, Command, HvacMode, Limits, Point, Purpose, Readiness, ReadinessVerdict, RoomId, StayToken, Value,
};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// A window may stand open so long before the unit must be off: two minutes, one for the device, and one to spare.
const WINDOW_MIN: usize = 4;
/// After it has closed, the unit rests for so long: five minutes, one for the device, and one to spare.
const WINDOW_CLOSED_MIN: usize = 7;
/// Warmer than this there is no frost to guard against, C.
const FROST_C: f64 = 12.5;
/// So many cases are told in words: they are for whoever looks for the fault.
const CASES_MAX: usize = 8;
/// A set-point this far from comfort is a set-back, K.
const SETBACK_K: f64 = 0.75;
/// The unit holds what it was told: a set-point this near to it, K.
const TOLD_K: f64 = 0.01;
/// Who has come in meets what was told before for so long: sensors, devices and rules take their minutes.
const SETTLES_MIN: usize = 10;

/// One preparation from its beginning.
#[derive(Debug, Clone)]
pub struct Start {
    /// When.
    pub minute: usize,
    /// How long it was thought to take at the median, min.
    pub needs_min: f64,
    /// And in one case of ten at the most, and in nine of ten.
    pub needs_between_min: (f64, f64),
    /// The lead that was reckoned to suffice in nineteen cases of twenty, min.
    pub lead_min: f64,
}

/// What the engine can know of a room.
#[derive(Debug, Clone)]
pub struct Known {
    /// It says itself that somebody is, or may be, in.
    pub is_believed_in: bool,
    /// A sensor that works has told of somebody, minutes ago or until now.
    pub is_proven_in: bool,
    /// What no set-point may leave.
    pub limits: Limits,
    /// The temperature it was last told.
    pub told_air: Option<f64>,
    /// Which sensors of people the room has.
    pub form: &'static str,
    /// Which of them are broken, or have been in the day before.
    pub broken: String,
}

/// One room under watch.
#[derive(Debug, Clone, Default)]
struct Room {
    window_open_min: usize,
    /// When the window last stood open.
    window_open_at: Option<usize>,
    dialled: Option<f64>,
    /// Starts of preparation, in order.
    starts: Vec<Start>,
    /// How long the guest has been in, min.
    in_min: usize,
    /// What the unit was last told in order to save energy, while that holds.
    set_back_to: Option<f64>,
    /// What the air told of its window.
    seen: Seen,
}

/// What must not be, as often as it was.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Never {
    /// Minutes in which a unit ran under an open window, though nothing kept the command to rest from it.
    pub interlock_violations: usize,
    /// Minutes in which it ran so because that command was lost; it is told again.
    pub interlock_unheard_min: usize,
    /// Commands to run under an open window.
    pub commands_against_interlock: usize,
    /// Commands that overruled a guest who was in.
    pub lost_overrides: usize,
    /// Set-points beyond the safety limits.
    pub beyond_limits: usize,
    /// Set-backs of a guest who was in and awake, as the truth knows it.
    pub setbacks_of_present: usize,
    /// And of one who slept.
    pub setbacks_of_sleeping: usize,
    /// Of both, those that the engine could not have known of: no sensor that worked had told of the guest, and the engine
    /// held the room to be empty.
    pub setbacks_unknowable: usize,
    /// And those against its own rule: it held somebody to be in, or a sensor that worked had just told so.
    pub setbacks_against_rule: usize,
    /// Minutes that a guest who had been in for ten minutes was awake, or slept, in a room set back.
    pub set_back_awake_min: usize,
    /// See above.
    pub set_back_asleep_min: usize,
}

/// One of the things that must not be.
#[derive(Debug)]
pub struct Case {
    /// In words.
    pub what: String,
    /// The engine's own fault: told before all that it could not know of.
    is_against_rule: bool,
}

/// What was seen.
#[derive(Debug, Default)]
pub struct Watch {
    rooms: Vec<Room>,
    /// What must not be.
    pub never: Never,
    /// Steps of the engine; it is looked at after every one, and in every minute.
    pub steps: usize,
    /// Commands to thermostats.
    pub writes: usize,
    /// Promises at the door: kept and missed.
    pub promises: (usize, usize),
    /// Refusals by reason.
    pub refusals: BTreeMap<String, usize>,
    /// The first of the things that must not be.
    pub cases: Vec<Case>,
    /// Promises that were missed after that had been said, and kept though a miss had been said.
    pub warned: (usize, usize),
    /// Of whom it was said that the room will not be ready.
    warned_of: BTreeSet<StayToken>,
}

impl Watch {
    /// Nothing seen yet.
    pub fn new(rooms: usize) -> Self {
        Self {
            rooms: vec![Room::default(); rooms],
            ..Self::default()
        }
    }

    /// Looks at one room in one minute: at what its unit goes by, and at what the engine last told it.
    pub fn look(&mut self, hotel: &Hotel, room: usize, minute: usize, (wanted, told): (Wanted, Wanted), air: f64) {
        self.look_at_guest(hotel, room, minute, wanted);
        let state = &mut self.rooms[room];
        let runs = |wanted: Wanted| wanted.low > air && air > FROST_C || wanted.high < air;
        let is_truly_open = hotel.places[room].life.window[minute];
        if is_truly_open && runs(wanted) {
            state.seen.ran(minute);
        }
        // Where no contact tells, nobody can obey what the air has not told yet.
        let is_open = match hotel.options.has_window_contacts {
            true => is_truly_open,
            false => state.seen.is_taken(),
        };
        state.window_open_min = if is_open { state.window_open_min + 1 } else { 0 };
        state.window_open_at = if is_open { Some(minute) } else { state.window_open_at };
        if state.window_open_min <= WINDOW_MIN || !runs(wanted) {
            return;
        }
        if !runs(told) && hotel.options.has_faults {
            self.never.interlock_unheard_min += 1;
            return;
        }
        self.never.interlock_violations += 1;
        self.case(format!(
            "room {room}, minute {minute}: runs under an open window, {wanted:?} at {air:.1} C"
        ));
    }

    fn look_at_guest(&mut self, hotel: &Hotel, room: usize, minute: usize, wanted: Wanted) {
        let state = &mut self.rooms[room];
        state.in_min = if hotel.is_guest_in(room, minute) {
            state.in_min + 1
        } else {
            0
        };
        let is_told = |to: f64| (wanted.low - to).abs() < TOLD_K || (wanted.high - to).abs() < TOLD_K;
        let far =
            |to: f64| is_told(to) && liked(hotel, room, minute).is_some_and(|liked| (to - liked).abs() > SETBACK_K);
        if state.in_min > SETTLES_MIN && state.set_back_to.is_some_and(far) {
            match hotel.places[room].life.who[minute] {
                Who::Asleep => self.never.set_back_asleep_min += 1,
                _ => self.never.set_back_awake_min += 1,
            }
        }
    }

    /// The guest turned the dial.
    pub fn dialled(&mut self, room: usize, to: f64) {
        (self.rooms[room].dialled, self.rooms[room].set_back_to) = (Some(to), None);
    }

    /// The guest is gone for good.
    pub fn left(&mut self, room: usize) {
        self.rooms[room].dialled = None;
    }

    /// A command on its way to a thermostat.
    pub fn commanded(&mut self, hotel: &Hotel, room: usize, minute: usize, command: &Command, known: &Known) {
        self.writes += 1;
        match (&command.value, command.point) {
            (Value::Temperature(value), Point::TargetTemperature) => {
                self.set_point(hotel, room, minute, command, (value.to_f64(), known));
            }
            (Value::Hvac(mode), Point::HvacMode) => {
                let is_frost = known.told_air.is_some_and(|air| air < FROST_C);
                if *mode != HvacMode::Off && self.rooms[room].window_open_min > WINDOW_MIN && !is_frost {
                    self.never.commands_against_interlock += 1;
                    self.case(format!(
                        "room {room}, minute {minute}: {mode:?} under an open window, {}",
                        command.because
                    ));
                }
            }
            _ => {}
        }
    }

    fn set_point(
        &mut self,
        hotel: &Hotel,
        room: usize,
        minute: usize,
        command: &Command,
        (value, known): (f64, &Known),
    ) {
        let limits = &known.limits;
        if !(limits.temperature_min.to_f64()..=limits.temperature_max.to_f64()).contains(&value) {
            self.never.beyond_limits += 1;
            self.case(format!("room {room}, minute {minute}: {value} is beyond the limits"));
        }
        let who = hotel.places[room].life.who[minute];
        let is_in = matches!(who, Who::Awake | Who::Asleep) && was_in(hotel, room, minute);
        let why = &command.because;
        let liked = liked(hotel, room, minute).unwrap_or(value);
        // Under an open window the unit is to rest; against frost it heats a little. That sets nobody back.
        let saves = command.purpose == Purpose::Setback && command.because.rule != "frost-guard";
        let is_setback = saves && (value - liked).abs() > SETBACK_K;
        self.rooms[room].set_back_to = saves.then_some(value);
        if !is_in {
            return;
        }
        // Under an open window the unit rests, and against frost it heats a little: that overrules nobody's dial.
        let is_frost_guard = why.rule == "frost-guard" && self.rooms[room].is_window_near(minute);
        if let Some(dialled) = self.rooms[room].dialled
            && !is_frost_guard
            && command.purpose != Purpose::HandBack
            && !is_setback
            && (value - dialled).abs() > 0.26
        {
            self.never.lost_overrides += 1;
            self.case(format!("room {room}, minute {minute}: {value} for {dialled}, {why}"));
        }
        if is_setback {
            self.set_back(who, known);
            let case = format!(
                "room {room}, minute {minute}: {who:?}, {value} for {liked}, {why}; {}, {} broken",
                known.form, known.broken
            );
            let is_against_rule = known.is_against_rule();
            let how = if is_against_rule {
                "against its own rule"
            } else {
                "unknowable"
            };
            self.keep(Case {
                what: format!("{case}; {how}"),
                is_against_rule,
            });
        }
    }

    /// A guest who is in is set back.
    fn set_back(&mut self, who: Who, known: &Known) {
        let never = &mut self.never;
        match who {
            Who::Asleep => never.setbacks_of_sleeping += 1,
            _ => never.setbacks_of_present += 1,
        }
        if known.is_against_rule() {
            never.setbacks_against_rule += 1;
        } else {
            never.setbacks_unknowable += 1;
        }
    }

    fn case(&mut self, what: String) {
        self.keep(Case {
            what,
            is_against_rule: false,
        });
    }

    fn keep(&mut self, case: Case) {
        let place = if case.is_against_rule { 0 } else { self.cases.len() };
        self.cases.insert(place, case);
        self.cases.truncate(CASES_MAX);
    }

    /// A promise.
    pub fn promised(&mut self, readiness: &Readiness) {
        let was_warned = self.warned_of.contains(&readiness.stay);
        match readiness.verdict {
            Some(ReadinessVerdict::Kept) => {
                self.promises.0 += 1;
                self.warned.1 += usize::from(was_warned);
            }
            Some(ReadinessVerdict::Missed) => {
                self.promises.1 += 1;
                self.warned.0 += usize::from(was_warned);
            }
            Some(ReadinessVerdict::WillMiss) => _ = self.warned_of.insert(readiness.stay.clone()),
            _ => {}
        }
    }

    /// Something was concluded.
    pub fn noted(&mut self, minute: usize, room: &RoomId, because: &Because) {
        let Some(room) = room_number(room) else {
            return;
        };
        self.rooms[room].seen.noted(minute, &because.rule);
        if because.rule != "prepare-in-time" {
            return;
        }
        let number = |name: &str| {
            because
                .facts
                .iter()
                .find(|f| f.name == name)
                .and_then(|f| f.value.as_f64())
        };
        self.rooms[room].starts.push(Start {
            minute,
            needs_min: number("needs_min").unwrap_or_default(),
            needs_between_min: (
                number("needs_min_p10").unwrap_or_default(),
                number("needs_min_p90").unwrap_or_default(),
            ),
            lead_min: number("lead_min").unwrap_or_default(),
        });
    }

    /// Something was not taken.
    pub fn refused(&mut self, reason: &str) {
        *self.refusals.entry(reason.to_owned()).or_default() += 1;
    }

    /// Adds what was seen of another hotel; its rooms' preparations stay its own.
    pub fn add(&mut self, other: Self) {
        self.never.add(&other.never);
        self.steps += other.steps;
        self.writes += other.writes;
        self.promises.0 += other.promises.0;
        self.promises.1 += other.promises.1;
        self.warned.0 += other.warned.0;
        self.warned.1 += other.warned.1;
        for (reason, count) in other.refusals {
            *self.refusals.entry(reason).or_default() += count;
        }
        other.cases.into_iter().for_each(|case| self.keep(case));
    }

    /// What the air told of windows, room by room.
    pub fn seen(&self) -> impl Iterator<Item = &Seen> {
        self.rooms.iter().map(|room| &room.seen)
    }

    /// The preparations of a room.
    pub fn starts(&self, room: usize) -> &[Start] {
        &self.rooms[room].starts
    }
}

impl Never {
    fn add(&mut self, other: &Self) {
        let Self {
            interlock_violations,
            interlock_unheard_min,
            commands_against_interlock,
            lost_overrides,
            beyond_limits,
            setbacks_of_present,
            setbacks_of_sleeping,
            setbacks_unknowable,
            setbacks_against_rule,
            set_back_awake_min,
            set_back_asleep_min,
        } = other;
        self.interlock_violations += interlock_violations;
        self.interlock_unheard_min += interlock_unheard_min;
        self.commands_against_interlock += commands_against_interlock;
        self.lost_overrides += lost_overrides;
        self.beyond_limits += beyond_limits;
        self.setbacks_of_present += setbacks_of_present;
        self.setbacks_of_sleeping += setbacks_of_sleeping;
        self.setbacks_unknowable += setbacks_unknowable;
        self.setbacks_against_rule += setbacks_against_rule;
        self.set_back_awake_min += set_back_awake_min;
        self.set_back_asleep_min += set_back_asleep_min;
    }
}

impl Room {
    /// Whether a window stands open, or did until a moment ago.
    fn is_window_near(&self, minute: usize) -> bool {
        self.window_open_at.is_some_and(|at| minute - at <= WINDOW_CLOSED_MIN)
    }
}

impl Known {
    fn is_against_rule(&self) -> bool {
        self.is_believed_in || self.is_proven_in
    }
}

/// Whether the guest was in a minute ago, too: who has just come in is met by what was told before.
fn was_in(hotel: &Hotel, room: usize, minute: usize) -> bool {
    let who = &hotel.places[room].life.who;
    minute > 1 && matches!(who[minute - 2], Who::Awake | Who::Asleep)
}

fn liked(hotel: &Hotel, room: usize, minute: usize) -> Option<f64> {
    let visits = &hotel.places[room].life.visits;
    let visit = visits
        .iter()
        .find(|v| v.arrival <= minute && minute < v.departure && !v.is_no_show)?;
    Some(
        visit
            .dial
            .filter(|(at, _)| *at <= minute)
            .map_or(visit.preferred, |(_, to)| to),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::preparation::hotel::Options;
    use crate::evaluate::preparation::weather::Site;
    use crate::model::{CommandId, DeviceId, Moment};

    fn hotel() -> Hotel {
        Hotel::build(Options {
            site: Site::Heating,
            rooms: 1,
            days: 1,
            warm_up_days: 0,
            seed: 1,
            eta_error_min: 60.0,
            is_coarse: false,
            has_faults: false,
            has_window_contacts: true,
        })
    }

    #[test]
    fn frost_is_guarded_against_under_an_open_window_and_a_dial_overruled_without_one() {
        let mut hotel = hotel();
        hotel.places[0].life.who.fill(Who::Awake);
        hotel.places[0].life.window[10..30].fill(true);
        let known = Known {
            is_believed_in: true,
            is_proven_in: true,
            limits: Limits::default(),
            told_air: Some(8.0),
            form: "bed sensor",
            broken: "nothing".into(),
        };
        let device = DeviceId::new("t").unwrap();
        let guard = Command {
            id: CommandId {
                room: RoomId::new("101").unwrap(),
                number: 1,
            },
            device,
            point: Point::TargetTemperature,
            value: Value::Temperature(Limits::default().temperature_min),
            purpose: Purpose::Setback,
            attempt: 1,
            expires: Moment::LATEST,
            because: Because::rule("frost-guard"),
        };
        let (mut watch, guards) = (Watch::new(1), Wanted { low: 12.0, high: 99.0 });
        watch.dialled(0, 22.5);
        for minute in 0..60 {
            watch.look(&hotel, 0, minute, (guards, guards), 15.0);
            if [20, 35, 50].contains(&minute) {
                watch.commanded(&hotel, 0, minute, &guard, &known);
            }
        }
        assert_eq!(
            watch.never.lost_overrides, 1,
            "the one long after the window was closed"
        );
    }

    #[test]
    fn a_unit_that_runs_under_an_open_window_is_seen_and_whether_it_was_told_to_rest() {
        let mut hotel = hotel();
        hotel.options.has_faults = true;
        hotel.places[0].life.window[..30].fill(true);
        let (runs, rests) = (Wanted { low: 22.0, high: 99.0 }, Wanted { low: -99.0, high: 99.0 });
        for (told, seen) in [(runs, (30 - WINDOW_MIN, 0)), (rests, (0, 30 - WINDOW_MIN))] {
            let mut watch = Watch::new(1);
            (0..30).for_each(|minute| watch.look(&hotel, 0, minute, (runs, told), 20.0));
            let Never {
                interlock_violations,
                interlock_unheard_min,
                ..
            } = watch.never;
            assert_eq!((interlock_violations, interlock_unheard_min), seen);
        }
    }
}
