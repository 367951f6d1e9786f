//! What will this guest want tonight, as on the nights before?
//!
//! Wishes that were fulfilled are logged with their night and minute; from these and from earlier stays the habits are
//! found. A foreseen wish is asked for a little before its time, once a night, and never of a sleeping guest.

use super::Draft;
use crate::engine::calendar::Calendar;
use crate::engine::habit_old::{Habit, Night, habits, nights_of};
use crate::engine::preference::Guest;
use crate::engine::stay::Stay;
use crate::model::{Basis, Because, Habits, Item, Moment, Need, RequestId, RoomId, Span};
use serde::{Deserialize, Serialize};

/// A stay logs no more wishes than this.
const LOG_MAX: usize = 64;
/// A foreseen wish that was not served by then is let go.
const CANCEL_AFTER: Span = Span::minutes(20);

/// One wish that was fulfilled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Asked {
    item: Item,
    night: String,
    minute: u16,
}

/// One wish that is expected tonight.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Expected {
    /// What.
    pub item: Item,
    /// When it is to be asked for.
    pub ask_at: Moment,
    /// The usual time.
    pub usual_at: Moment,
    score: f64,
    hits: u16,
    nights: u16,
    spread_min: f64,
}

/// The wishes of the stay in progress.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Routine {
    log: Vec<Asked>,
    /// Asked for, or let go, tonight.
    settled: Vec<(Item, String)>,
    raised: u16,
    expected: Vec<Expected>,
    planned_until: Option<Moment>,
}

impl Routine {
    /// Notes that a wish was fulfilled.
    pub fn fulfilled(&mut self, calendar: &Calendar, at: Moment, item: &Item) {
        let (night, minute) = (calendar.night(at), calendar.minute(at));
        let is_known = self.log.iter().any(|asked| asked.item == *item && asked.night == night);
        if !is_known && self.log.len() < LOG_MAX {
            self.log.push(Asked {
                item: item.clone(),
                night: night.clone(),
                minute,
            });
        }
        self.settle(item, night);
        self.replan();
    }

    /// What is known has changed: look again at the next opportunity.
    pub fn replan(&mut self) {
        self.planned_until = None;
    }

    /// When there is something to do: a wish is due, or a new day begins.
    pub fn deadline(&self, now: Moment) -> Option<Moment> {
        let ask = self.expected.iter().map(|e| e.ask_at).filter(|at| *at > now).min();
        [ask, self.planned_until]
            .into_iter()
            .flatten()
            .filter(|at| *at > now)
            .min()
    }

    /// Plans tonight, when it has not been planned.
    pub fn plan(&mut self, policy: &Habits, calendar: &Calendar, now: Moment, stay: &Stay, guest: Option<&Guest>) {
        if !policy.enabled || self.planned_until.is_some_and(|until| now < until) {
            return;
        }
        let tonight = calendar.night(now);
        self.settled.retain(|(_, night)| *night == tonight);
        self.planned_until = Some(calendar.next_at_minute(now, 12 * 60));
        let found = habits(&self.nights(calendar, now, stay, guest));
        let wanted = found
            .into_iter()
            .filter(|h| h.hits >= policy.hits_min && h.score >= policy.score_min);
        self.expected = wanted
            .filter_map(|habit| self.expect(policy, calendar, now, &tonight, habit))
            .collect();
    }

    /// Takes off the list and returns what is to be asked for now. What is due while the guest sleeps or is out is let go.
    pub fn take_due(&mut self, policy: &Habits, calendar: &Calendar, now: Moment, may_ask: bool) -> Vec<Expected> {
        let night = calendar.night(now);
        let (due, later): (Vec<Expected>, Vec<Expected>) = self.expected.drain(..).partition(|e| e.ask_at <= now);
        self.expected = later;
        let (mut ask, mut wait) = (Vec::new(), Vec::new());
        for expected in due {
            if now.since(expected.usual_at) > CANCEL_AFTER || self.raised >= policy.per_stay_max {
                self.settle(&expected.item, night.clone());
            } else if may_ask {
                self.settle(&expected.item, night.clone());
                self.raised += 1;
                ask.push(expected);
            } else {
                wait.push(expected);
            }
        }
        self.expected.extend(wait);
        ask
    }

    /// What this stay showed, for the guest's next: each wish with its minute.
    pub fn summary(&self) -> Vec<(Item, u16)> {
        self.log
            .iter()
            .map(|asked| (asked.item.clone(), asked.minute))
            .collect()
    }

    fn expect(
        &self,
        policy: &Habits,
        calendar: &Calendar,
        now: Moment,
        tonight: &String,
        habit: Habit,
    ) -> Option<Expected> {
        let usual_at = calendar.next_at_minute(now - CANCEL_AFTER, habit.minute);
        let is_settled = self
            .settled
            .iter()
            .any(|(item, night)| *item == habit.item && night == tonight);
        let is_tonight = calendar.night(usual_at) == *tonight;
        (!is_settled && is_tonight).then_some(Expected {
            item: habit.item,
            ask_at: usual_at - policy.before,
            usual_at,
            score: habit.score,
            hits: habit.hits,
            nights: habit.nights,
            spread_min: habit.spread_min,
        })
    }

    /// Earlier stays' nights, then this stay's finished nights.
    fn nights(&self, calendar: &Calendar, now: Moment, stay: &Stay, guest: Option<&Guest>) -> Vec<Night> {
        let mut nights = guest.map(|g| nights_of(&g.stays())).unwrap_or_default();
        let tonight = calendar.night(now);
        let mut at = stay.arrived_at.or(stay.checked_in_at).unwrap_or(now);
        while calendar.night(at) < tonight && nights.len() < 400 {
            let night = calendar.night(at);
            let asked = self
                .log
                .iter()
                .filter(|a| a.night == night)
                .map(|a| (a.item.clone(), a.minute));
            nights.push(asked.collect());
            at = at + Span::days(1);
        }
        nights
    }

    fn settle(&mut self, item: &Item, night: String) {
        self.expected.retain(|e| e.item != *item);
        self.settled.push((item.clone(), night));
    }
}

/// The request for one foreseen wish.
pub fn draft<'a>(
    calendar: &Calendar,
    room: &'a RoomId,
    stay: &'a Stay,
    guest: Option<&Guest>,
    expected: &Expected,
) -> Option<Draft<'a>> {
    let night = calendar.night(expected.usual_at);
    let id = RequestId::new(format!("{room}.{}.routine-{}.{night}", stay.token, expected.item)).ok()?;
    let because = Because::rule("wanted-every-night-at-this-time")
        .with("item", &expected.item)
        .with("usual_at", expected.usual_at)
        .with("hits", expected.hits)
        .with("nights", expected.nights)
        .with("spread_min", expected.spread_min.round())
        .with("score", (expected.score * 100.0).round() / 100.0);
    Some(Draft {
        id,
        need: Need::Routine,
        room,
        stay: Some(&stay.token),
        items: vec![expected.item.clone()],
        not_before: Some(expected.ask_at),
        deadline: Some(expected.usual_at),
        basis: Basis::Habit,
        confidence: (expected.score * 1000.0).round() / 1000.0,
        hints: guest
            .iter()
            .flat_map(|g| &g.must_have)
            .map(|item| format!("must-have:{item}"))
            .collect(),
        because,
    })
}
