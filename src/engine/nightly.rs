//! Which room's numbers are fitted tonight, and which room is it now?
//!
//! Once a night, one room after the other. Each has a slot of three seconds, in which its fit is done pass by pass, about a
//! millisecond each and twenty apart, so that no event waits for it; at the slot's end the numbers are taken over or not.
//! What is kept is only whose slot it is and since when: after a restart within a slot the passes are done again at its
//! end, with the same result.

use super::Engine;
use super::calendar::Calendar;
use super::thermal::Thermal;
use super::thermal::fit::Fit;
use super::thermal::history::{DAY, DAYS, History};
use super::thermal::meter::tick_number;
use super::thermal::parameters::{Belief, Parameters};
use super::thermal::row::Tick;
use crate::model::{Because, Effect, Key, Moment, SaveWhen, Span};
use serde::{Deserialize, Serialize};

/// The night's fits begin at this minute of the local day, three o'clock: guests sleep and few arrive. On the days that the
/// clock is changed they run once, an hour later by the sun at most.
const BEGINS_AT_MIN: u16 = 180;
/// One room's slot. A fit of two weeks takes about a hundred passes.
const SLOT: Span = Span::seconds(3);
/// From one pass to the next.
const PASS_EVERY: Span = Span::millis(20);
/// A fit rests on no more rows than this: the whole days that are always there.
const ROWS_MAX: usize = DAYS * DAY;

/// A room that showed less than this of the last day has nothing new to be fitted to.
const FRESH_MIN: usize = DAY / 4;

/// Where the night stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Night {
    due: Option<Moment>,
    slot: Option<Slot>,
}

/// Whose slot it is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Slot {
    /// The room's place.
    pub place: usize,
    /// When it began.
    pub begun: Moment,
}

/// A fit under way: never kept, it can be done again.
#[derive(Debug)]
pub struct Work {
    fit: Fit,
    ticks: Vec<Tick>,
    found: Option<Parameters>,
}

impl Night {
    /// When something is to be done next, after `latest`.
    pub fn deadline(&self, latest: Moment) -> Option<Moment> {
        let Some(slot) = self.slot else { return self.due };
        let every = PASS_EVERY.as_millis();
        let passes = latest.since(slot.begun).as_millis().max(0) / every + 1;
        Some((slot.begun + PASS_EVERY * passes).min(slot.end()))
    }

    /// Whose slot it is now; begins the night when it is due. The first call only sets the time.
    pub fn slot(&mut self, calendar: &Calendar, now: Moment) -> Option<Slot> {
        let due = *self
            .due
            .get_or_insert_with(|| calendar.next_at_minute(now, BEGINS_AT_MIN));
        if due <= now {
            self.due = Some(calendar.next_at_minute(now, BEGINS_AT_MIN));
            self.slot.get_or_insert(Slot { place: 0, begun: now });
        }
        self.slot
    }

    /// The next room's turn.
    pub fn turn_to(&mut self, next: Option<usize>, now: Moment) {
        self.slot = next.map(|place| Slot { place, begun: now });
    }
}

impl Slot {
    /// When it ends.
    pub fn end(&self) -> Moment {
        self.begun + SLOT
    }
}

impl Work {
    /// Begins a room's fit, with what it had shown when its slot began; none when that is not enough.
    pub fn new(slot: &Slot, thermal: &Thermal, history: &History, kin: Option<&Belief>) -> Option<Self> {
        if history.len() < DAY {
            return None;
        }
        let mut ticks = history.ticks(thermal.newest());
        let since = tick_number(thermal.ticked_at()?) - tick_number(slot.begun);
        ticks.truncate(ticks.len().saturating_sub(usize::try_from(since).unwrap_or(0)));
        ticks.drain(..ticks.len().saturating_sub(ROWS_MAX));
        let is_fresh = ticks.iter().rev().take(DAY).filter(|tick| tick.air.is_some()).count() >= FRESH_MIN;
        if !is_fresh {
            return None;
        }
        let belief = kin.copied().unwrap_or_default();
        let fit = thermal.estimator().fit(&belief, &ticks)?;
        Some(Self {
            fit,
            ticks,
            found: None,
        })
    }

    /// Does one pass, if any is left.
    pub fn pass(&mut self) {
        if self.found.is_none() {
            self.found = self.fit.pass(&self.ticks);
        }
    }

    /// Does the passes that are left, and takes over what was found if it is better. Returns whether it was.
    pub fn finish(mut self, thermal: &mut Thermal) -> bool {
        let found = loop {
            if let Some(found) = self.found {
                break found;
            }
            self.pass();
        };
        thermal.adopt(found, &self.ticks)
    }
}

impl Engine {
    /// Goes on with the night's fits, if it is time.
    pub(super) fn run_night(&mut self, now: Moment, effects: &mut Vec<Effect>) {
        let before = self.common.night;
        match self.common.night.slot(&self.calendar, now) {
            Some(slot) if now >= slot.end() => self.end_slot(&slot, now, effects),
            Some(_) => self.one_pass(now),
            None => {}
        }
        if self.common.night != before {
            effects.push(Effect::Save {
                key: Key::Property,
                when: SaveWhen::Soon,
            });
        }
    }

    /// Does one pass of the fit whose slot it is; rooms that have not shown enough are passed over.
    fn one_pass(&mut self, now: Moment) {
        while let Some(slot) = self.common.night.slot {
            if self.fitting.is_none() {
                self.fitting = self.begin_fit(&slot);
            }
            if let Some(work) = &mut self.fitting {
                return work.pass();
            }
            self.turn_to(slot.place + 1, now);
        }
    }

    fn end_slot(&mut self, slot: &Slot, now: Moment, effects: &mut Vec<Effect>) {
        if let Some(work) = self.fitting.take().or_else(|| self.begin_fit(slot)) {
            let (room, id) = (&mut self.rooms[slot.place], &self.property.rooms[slot.place].id);
            let is_better = work.finish(room.thermal_mut());
            let fitted = room.thermal().estimator().fitted();
            let because = Because::rule("room-fitted").with("taken_over", is_better).with_some(
                "error_two_hours_k",
                fitted.map(|f| (f.error_k * 1000.0).round() / 1000.0),
            );
            let (key, when) = (Key::Room(id.clone()), SaveWhen::Soon);
            effects.push(Effect::Note {
                room: id.clone(),
                because,
            });
            effects.push(Effect::Save { key, when });
        }
        self.turn_to(slot.place + 1, now);
    }

    fn begin_fit(&self, slot: &Slot) -> Option<Work> {
        let (room, history) = (self.rooms.get(slot.place)?, self.histories.get(slot.place)?);
        Work::new(slot, room.thermal(), history, self.common.kin.as_ref())
    }

    /// The next room's slot; after the last, what the rooms have in common is reckoned anew.
    fn turn_to(&mut self, place: usize, now: Moment) {
        self.fitting = None;
        let next = Some(place).filter(|place| *place < self.rooms.len());
        self.common.night.turn_to(next, now);
        if next.is_none() {
            let fitted = self.rooms.iter().map(|room| room.thermal().estimator());
            let fitted = fitted.filter(|estimator| estimator.fitted().is_some());
            let numbers: Vec<Parameters> = fitted.map(|estimator| *estimator.parameters()).collect();
            self.common.kin = Belief::of_kin(&numbers);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_night_begins_at_three_once_and_goes_from_room_to_room() {
        let calendar = Calendar::new("Europe/Vienna").unwrap();
        let mut night = Night::default();
        let noon = Moment::parse("2026-10-24T12:00:00+02:00").unwrap();
        assert_eq!(night.slot(&calendar, noon), None);
        // The clocks go back in this night: three o'clock comes once, after the hour that comes twice.
        let three = Moment::parse("2026-10-25T03:00:00+01:00").unwrap();
        assert_eq!(night.deadline(noon), Some(three));
        assert_eq!(night.slot(&calendar, three), Some(Slot { place: 0, begun: three }));
        assert_eq!(night.deadline(three), Some(three + PASS_EVERY));
        assert_eq!(night.deadline(three + Span::millis(2995)), Some(three + SLOT));
        night.turn_to(Some(1), three + SLOT);
        assert_eq!(night.slot(&calendar, three + SLOT).map(|slot| slot.place), Some(1));
        night.turn_to(None, three + SLOT + SLOT);
        assert_eq!(night.deadline(three + Span::hours(1)), Some(three + Span::days(1)));
    }
}
