//! What must always and never be, looked at in every minute of every room.

use super::guests::Who;
use super::hotel::Hotel;
use super::keeper::{minute_of, room_number};
use super::thermostat::Wanted;
use crate::model::{Because, Command, Point, Purpose, Readiness, ReadinessVerdict, RoomId};
use std::collections::BTreeMap;

/// A window may stand open so long before the unit must be off: two minutes, one for the device, and one to spare.
const WINDOW_MIN: usize = 4;
/// Warmer than this there is no frost to guard against, C.
const FROST_C: f64 = 12.5;
/// So many cases are told in words: they are for whoever looks for the fault.
const CASES_MAX: usize = 8;
/// A set-point this far from comfort is a set-back, K.
const SETBACK_K: f64 = 0.75;

/// One preparation from its beginning.
#[derive(Debug, Clone)]
pub struct Start {
    /// When.
    pub minute: usize,
    /// How long it was thought to take at the median, min.
    pub needs_min: f64,
    /// How long before the earliest arrival it began, min.
    pub lead_min: f64,
}

/// One room under watch.
#[derive(Debug, Clone, Default)]
struct Room {
    window_open_min: usize,
    dialled: Option<f64>,
    /// Starts of preparation, in order.
    starts: Vec<Start>,
}

/// What was seen.
#[derive(Debug, Default)]
pub struct Watch {
    rooms: Vec<Room>,
    /// Minutes in which a unit ran under an open window.
    pub interlock_violations: usize,
    /// Commands that overruled a guest who was in.
    pub lost_overrides: usize,
    /// Set-backs of a guest who was in and awake, and of one who slept.
    pub setbacks_present: usize,
    /// See above.
    pub setbacks_asleep: usize,
    /// Commands to thermostats.
    pub writes: usize,
    /// Promises at the door: kept and missed.
    pub promises: (usize, usize),
    /// Refusals by reason.
    pub refusals: BTreeMap<String, usize>,
    /// The first of the things that must not be, in words.
    pub cases: Vec<String>,
    /// Said early that the room will not be ready.
    pub warned: usize,
}

impl Watch {
    /// Nothing seen yet.
    pub fn new(rooms: usize) -> Self {
        Self {
            rooms: vec![Room::default(); rooms],
            ..Self::default()
        }
    }

    /// Looks at one room in one minute.
    pub fn look(&mut self, hotel: &Hotel, room: usize, minute: usize, wanted: Wanted, air: f64) {
        let state = &mut self.rooms[room];
        let is_open = hotel.places[room].life.window[minute];
        state.window_open_min = if is_open { state.window_open_min + 1 } else { 0 };
        let does_run = wanted.low > air && air > FROST_C || wanted.high < air;
        if state.window_open_min > WINDOW_MIN && does_run {
            self.interlock_violations += 1;
            self.case(format!(
                "room {room}, minute {minute}: runs under an open window, {wanted:?} at {air:.1} C"
            ));
        }
    }

    /// The guest turned the dial.
    pub fn dialled(&mut self, room: usize, to: f64) {
        self.rooms[room].dialled = Some(to);
    }

    /// The guest is gone for good.
    pub fn left(&mut self, room: usize) {
        self.rooms[room].dialled = None;
    }

    /// A command on its way to a thermostat.
    pub fn commanded(&mut self, hotel: &Hotel, room: usize, minute: usize, command: &Command) {
        self.writes += 1;
        let who = hotel.places[room].life.who[minute];
        if command.point != Point::TargetTemperature {
            return;
        }
        let value = command.value.number().unwrap_or_default();
        if let Some(dialled) = self.rooms[room].dialled
            && matches!(who, Who::Awake | Who::Asleep)
            && was_in(hotel, room, minute)
            && command.purpose != Purpose::HandBack
            && (value - dialled).abs() > 0.26
        {
            self.lost_overrides += 1;
            self.case(format!(
                "room {room}, minute {minute}: {value} for {dialled}, {}",
                command.because
            ));
        }
        let liked = liked(hotel, room, minute).unwrap_or(value);
        let is_setback = command.purpose == Purpose::Setback && (value - liked).abs() > SETBACK_K;
        match who {
            _ if !is_setback || !was_in(hotel, room, minute) => return,
            Who::Asleep => self.setbacks_asleep += 1,
            Who::Awake => self.setbacks_present += 1,
            _ => return,
        }
        self.case(format!(
            "room {room}, minute {minute}: {who:?}, {value} for {liked}, {}",
            command.because
        ));
    }

    fn case(&mut self, what: String) {
        if self.cases.len() < CASES_MAX {
            self.cases.push(what);
        }
    }

    /// A promise.
    pub fn promised(&mut self, readiness: &Readiness) {
        match readiness.verdict {
            Some(ReadinessVerdict::Kept) => self.promises.0 += 1,
            Some(ReadinessVerdict::Missed) => self.promises.1 += 1,
            Some(ReadinessVerdict::WillMiss) => self.warned += 1,
            _ => {}
        }
    }

    /// Something was concluded.
    pub fn noted(&mut self, minute: usize, room: &RoomId, because: &Because) {
        let Some(room) = room_number(room).filter(|_| because.rule == "prepare-in-time") else {
            return;
        };
        let number = |name: &str| {
            because
                .facts
                .iter()
                .find(|f| f.name == name)
                .and_then(|f| f.value.as_f64())
        };
        let lead = because
            .facts
            .iter()
            .find(|f| f.name == "early")
            .and_then(|f| f.value.as_str());
        let lead = lead
            .and_then(|text| crate::model::Moment::parse(text).ok())
            .map(minute_of);
        self.rooms[room].starts.push(Start {
            minute,
            needs_min: number("needs_min").unwrap_or_default(),
            lead_min: lead.map_or(0.0, |early| (early - minute as i64) as f64),
        });
    }

    /// Something was not taken.
    pub fn refused(&mut self, reason: &str) {
        *self.refusals.entry(reason.to_owned()).or_default() += 1;
    }

    /// The preparations of a room.
    pub fn starts(&self, room: usize) -> &[Start] {
        &self.rooms[room].starts
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

    #[test]
    fn a_unit_that_runs_under_an_open_window_is_seen() {
        let mut hotel = Hotel::build(Options {
            site: Site::Heating,
            rooms: 1,
            days: 1,
            warm_up_days: 0,
            seed: 1,
            eta_error_min: 60.0,
            is_coarse: false,
            has_faults: false,
        });
        hotel.places[0].life.window[..30].fill(true);
        let mut watch = Watch::new(1);
        let runs = Wanted { low: 22.0, high: 99.0 };
        (0..30).for_each(|minute| watch.look(&hotel, 0, minute, runs, 20.0));
        assert_eq!(watch.interlock_violations, 30 - WINDOW_MIN);
    }
}
