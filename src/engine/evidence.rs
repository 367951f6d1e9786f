//! What has the guest's hand shown in this stay?
//!
//! Every act on a setting is kept until the stay is folded into the guest's memory. A dial that is being turned passes
//! through values nobody wants: an act counts when it has stood for a while.

use super::calendar::Calendar;
use super::preference::{Answer, Shown, attribute, declared, settled};
use super::stay::Stay;
use crate::model::{
    Because, Celsius, Evening, Item, Moment, Percent, Point, PreferenceReport, PriorSummary, PropertyId, RoomId, Span,
    Value,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A setting that stood for so long is meant.
const SETTLES_AFTER: Span = Span::minutes(5);
/// The minute after local midnight at which a night's settings are noted: guests sleep, housekeeping is not in yet.
const NIGHT_COUNTED_AT_MIN: u16 = 4 * 60;
/// A summary tells no more wishes than these.
const WISHES_MAX: usize = 64;
/// Nights kept of one stay.
const NIGHTS_MAX: usize = 60;

/// What one stay has shown so far.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Evidence {
    shown: BTreeMap<Point, Shown>,
    settles_at: BTreeMap<Point, Moment>,
    night_ends_at: Option<Moment>,
}

impl Evidence {
    /// The guest set something by hand.
    pub fn act(&mut self, now: Moment, stay: &Stay, point: Point, value: &Value) {
        let Some(hundredths) = hundredths(value) else { return };
        let shown = self.shown.entry(point).or_default();
        let is_one_act = self.settles_at.contains_key(&point);
        shown.choice = Some(hundredths);
        if !is_one_act {
            shown.acts = shown.acts.saturating_add(1);
            let said = attribute(point).and_then(|a| declared(a, stay));
            let is_against = said.is_some_and(|said| said != hundredths);
            shown.against_booking = shown.against_booking.saturating_add(u16::from(is_against));
        }
        self.settles_at.insert(point, now + SETTLES_AFTER);
    }

    /// What was shown of one setting.
    pub fn of(&self, point: Point) -> Option<&Shown> {
        self.shown.get(&point)
    }

    /// Takes off and returns the settings that have stood long enough to be told of.
    pub fn take_settled(&mut self, now: Moment) -> Vec<Point> {
        let settled: Vec<Point> = self
            .settles_at
            .iter()
            .filter(|(_, at)| **at <= now)
            .map(|(point, _)| *point)
            .collect();
        settled.iter().for_each(|point| {
            self.settles_at.remove(point);
        });
        settled
    }

    /// Towards morning the night is counted: what stands now is what the guest sleeps with.
    pub fn end_night(&mut self, calendar: &Calendar, now: Moment) {
        if self.night_ends_at.is_some_and(|at| at <= now) {
            for shown in self.shown.values_mut().filter(|shown| shown.nights.len() < NIGHTS_MAX) {
                shown.nights.extend(shown.choice);
            }
            self.night_ends_at = None;
        }
        if self.night_ends_at.is_none() {
            self.night_ends_at = Some(calendar.next_at_minute(now, NIGHT_COUNTED_AT_MIN));
        }
    }

    /// When something settles, or the night ends.
    pub fn deadline(&self) -> Option<Moment> {
        self.settles_at.values().copied().chain(self.night_ends_at).min()
    }

    /// Tells what is preferred now.
    pub fn report(
        &mut self,
        room: &RoomId,
        stay: &Stay,
        point: Point,
        answer: &Answer,
        is_final: bool,
    ) -> Option<PreferenceReport> {
        let shown = self.shown.get_mut(&point)?;
        shown.revision += 1;
        let said = attribute(point).and_then(|a| declared(a, stay));
        let scalar = |h: i32| in_unit(point, h).map(|value| value.scalar());
        let because = Because::rule("guest-set-by-hand")
            .with_some("choice", shown.choice.and_then(scalar))
            .with("acts", shown.acts)
            .with("earlier_stays", answer.stays)
            .with_some("booking_said", said.and_then(scalar));
        Some(PreferenceReport {
            stay: stay.token.clone(),
            guest: stay.guest.clone(),
            room: room.clone(),
            attribute: point,
            value: scalar(answer.hundredths)?,
            sd: (answer.sd * 1000.0).round() / 1000.0,
            within_one: (answer.within_one * 1000.0).round() / 1000.0,
            tags: answer.tags.iter().map(|tag| (*tag).to_owned()).collect(),
            declared: said.and_then(scalar),
            acts: shown.acts,
            nights: u16::try_from(shown.nights.len()).unwrap_or(u16::MAX),
            is_final,
            revision: shown.revision,
            because,
        })
    }

    /// The settings that anything was shown of.
    pub fn points(&self) -> Vec<Point> {
        self.shown.keys().copied().collect()
    }

    /// What the whole stay showed; none when it showed nothing.
    pub fn summary(
        &self,
        property: &PropertyId,
        stay: &Stay,
        day: i32,
        nights: u16,
        evenings: Vec<Evening>,
    ) -> Option<PriorSummary> {
        let settled = |point| self.shown.get(&point).and_then(settled);
        let (temperature, firmness) = (settled(Point::TargetTemperature), settled(Point::Firmness));
        let is_anything = temperature.is_some() || firmness.is_some() || !evenings.is_empty();
        is_anything.then(|| PriorSummary {
            property: property.clone(),
            stay: stay.token.clone(),
            version: 1,
            day,
            temperature: temperature.map(Celsius::from_hundredths),
            firmness: firmness.map(Percent::from_hundredths),
            nights: nights.max(1),
            acts: self.shown.values().map(|shown| shown.acts).sum(),
            habits: wishes(&evenings),
            evenings,
        })
    }
}

/// The wishes alone, each with its minute after midnight, for those who know no evenings.
fn wishes(evenings: &[Evening]) -> Vec<(Item, u16)> {
    let asked = evenings.iter().flat_map(|evening| &evening.asked);
    asked
        .map(|(item, minute)| (item.clone(), minute % 1440))
        .take(WISHES_MAX)
        .collect()
}

/// The value of so many hundredths of a point's unit.
pub fn in_unit(point: Point, hundredths: i32) -> Option<Value> {
    Value::from_number(f64::from(hundredths) / 100.0, point.kind().unit())
}

fn hundredths(value: &Value) -> Option<i32> {
    match value {
        Value::Temperature(t) => Some(t.hundredths()),
        Value::Share(p) => Some(p.hundredths()),
        _ => None,
    }
}
