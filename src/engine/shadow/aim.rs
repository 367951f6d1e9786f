//! How does one setting stand: what is wanted of it, what was told, and what does the device make of it?

use super::{Judgement, Outcome};
use crate::engine::devices::News;
use crate::model::{Ability, Because, DeviceId, DeviceSetup, Moment, Point, Purpose, Span, Value};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// What was told in vain is told once more after this, again and again, while it is wanted: the device may have had no power.
const IN_VAIN_REST: Span = Span::minutes(30);
/// The first pause before telling again; it doubles.
const PAUSE_MIN: Span = Span::seconds(60);
/// So many values told last are remembered, to know their late echoes.
const ECHOES_MAX: usize = 4;
/// What was told is shown within this: the longest way there, and the longest pause between two polls after it.
const SEEN_WITHIN: Span = Span::minutes(15);
/// Memory wear is counted over this.
const BUDGET_WINDOW: Span = Span::hours(24);
/// So much of a day's writes is kept for people: set-backs wait instead.
const KEPT_FOR_COMFORT: f64 = 0.25;
/// How long a device whose profile states no confirmation may take, until the link says that it was sent.
const CONFIRM_USUAL: Span = Span::seconds(60);

/// One setting of one device, as it should be.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Aim {
    pub(super) device: DeviceId,
    pub(super) point: Point,
    /// None once somebody else decides.
    pub(super) desired: Option<Value>,
    pub(super) purpose: Purpose,
    pub(super) because: Because,
    pub(super) outcome: Outcome,
    pub(super) attempt: u32,
    pub(super) command: u64,
    pub(super) told_at: Moment,
    /// When to look again: the confirmation is overdue, or the budget allows the next write.
    pub(super) again_at: Option<Moment>,
    /// What stood there before the last command.
    pub(super) replaced: Option<Value>,
    pub(super) echoes: VecDeque<(Value, Moment)>,
    /// The value told last has not been shown by the device yet.
    #[serde(default)]
    pub(super) is_unseen: bool,
    /// Nothing ever shows what it is: that it was sent is all there is to know.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) is_blind: bool,
    /// Times of the writes of the last day, for the device's memory.
    pub(super) writes: VecDeque<Moment>,
}

impl Aim {
    pub(super) fn new(device: DeviceId, point: Point, purpose: Purpose, now: Moment) -> Self {
        Self {
            device,
            point,
            desired: None,
            purpose,
            because: Because::rule("none"),
            outcome: Outcome::Pending,
            attempt: 0,
            command: 0,
            told_at: now,
            again_at: None,
            replaced: None,
            echoes: VecDeque::new(),
            is_unseen: false,
            is_blind: false,
            writes: VecDeque::new(),
        }
    }

    /// It is to be told, from the first attempt.
    pub(super) fn begin(&mut self) {
        (self.attempt, self.outcome, self.again_at) = (0, Outcome::Pending, None);
    }

    /// Told often enough, and nothing came of it. A device that went back by itself each time is left as it is; one that
    /// showed nothing is told once more after a while.
    pub(super) fn end_in_vain(&mut self, now: Moment) {
        self.again_at = None;
        if self.outcome == Outcome::Pending {
            (self.again_at, self.outcome) = (Some(now + IN_VAIN_REST), Outcome::Unknown);
        }
    }

    /// Whether it was told in vain and is still wanted. What was refused is not: it is not told again.
    pub(super) fn is_in_vain(&self) -> bool {
        self.outcome == Outcome::Unknown && self.desired.is_some() && self.again_at.is_some()
    }

    pub(super) fn note_told(
        &mut self,
        now: Moment,
        number: u64,
        value: &Value,
        ability: &Ability,
        shown: Option<&Value>,
    ) {
        self.attempt += 1;
        (self.command, self.told_at, self.outcome) = (number, now, Outcome::Pending);
        self.replaced = shown.cloned();
        let confirm = ability.confirm_within.unwrap_or(CONFIRM_USUAL);
        self.again_at = Some(now + confirm.max(pause(self.attempt)));
        push_bounded(&mut self.echoes, (value.clone(), now), ECHOES_MAX);
        (self.is_unseen, self.is_blind) = (true, ability.confirm_within.is_none());
        push_bounded(&mut self.writes, now, ability.per_day_max.clamp(1, 1000) as usize);
    }

    /// Whether this is the value told last, shown for the first time. On a polled bus that may be long after it was told,
    /// and something else may be wanted by then: it is ours all the same.
    fn takes_for_told(&mut self, now: Moment, tolerance: f64, shown: &Value) -> bool {
        let told = self.echoes.back().filter(|_| self.is_unseen);
        let is_it = told.is_some_and(|(value, at)| shown.is_near(value, tolerance) && now.since(*at) <= SEEN_WITHIN);
        self.is_unseen &= !is_it;
        is_it
    }

    /// Returns when the device's memory may be written next.
    pub(super) fn budget_allows_at(&self, now: Moment, ability: &Ability) -> Option<Moment> {
        let after_gap = self.writes.back().map(|last| *last + ability.gap_min);
        let a_day = ability.per_day_max.clamp(1, 1000);
        // A set-back never takes the last writes of the day: an arrival must not wait for tomorrow.
        let most = match self.purpose {
            Purpose::Setback => a_day - (f64::from(a_day) * KEPT_FOR_COMFORT) as u32,
            _ => a_day,
        };
        let oldest = self.writes.len().checked_sub(most as usize);
        let after_day = oldest.map(|oldest| self.writes[oldest] + BUDGET_WINDOW);
        after_gap.max(after_day).filter(|at| *at > now)
    }

    /// Judges what is shown of it.
    pub(super) fn judge(
        &mut self,
        now: Moment,
        setup: &DeviceSetup,
        ability: Option<&Ability>,
        news: &News,
    ) -> Judgement {
        let tolerance = ability.map_or(0.0, |a| a.tolerance);
        let is_wanted = self
            .desired
            .as_ref()
            .is_some_and(|want| news.after.is_near(want, tolerance));
        let is_arrival = self.takes_for_told(now, tolerance, &news.after);
        if is_wanted {
            (self.outcome, self.again_at) = (Outcome::Applied, None);
            return if news.is_change() {
                Judgement::Own(Outcome::Applied)
            } else {
                Judgement::Same
            };
        }
        if !news.is_change() {
            return Judgement::Same;
        }
        let within = answers_within(setup, ability);
        let echoed = |(value, at): &(Value, Moment)| news.after.is_near(value, tolerance) && now.since(*at) <= within;
        if is_arrival || self.echoes.iter().any(echoed) {
            return Judgement::Own(self.outcome);
        }
        if self.desired.is_none() {
            return unasked(news);
        }
        self.own_doing(now, setup, ability, news)
            .map_or_else(|| unasked(news), Judgement::Device)
    }

    /// Returns how the device itself answered our command, if this is its answer and not a hand.
    fn own_doing(
        &mut self,
        now: Moment,
        setup: &DeviceSetup,
        ability: Option<&Ability>,
        news: &News,
    ) -> Option<Outcome> {
        let is_answering = now.since(self.told_at) <= answers_within(setup, ability).max(setup.settle);
        if !is_answering {
            return None;
        }
        let edge = |limit: Option<f64>| limit.is_some() && news.after.number() == limit;
        if self.outcome == Outcome::Pending && ability.is_some_and(|a| edge(a.min) || edge(a.max)) {
            (self.outcome, self.again_at) = (Outcome::Clamped, None);
            return Some(Outcome::Clamped);
        }
        if self.replaced.as_ref() == Some(&news.after) {
            self.outcome = Outcome::Reverted;
            return Some(Outcome::Reverted);
        }
        (now.since(self.told_at) < setup.settle).then_some(self.outcome)
    }
}

/// For so long what a device shows may be its answer to what it was told, also when something else has been told since.
fn answers_within(setup: &DeviceSetup, ability: Option<&Ability>) -> Span {
    let confirm = ability.and_then(|a| a.confirm_within).unwrap_or(CONFIRM_USUAL);
    confirm.max(setup.echo_within)
}

pub(super) fn unasked(news: &News) -> Judgement {
    match (&news.before, news.is_live && !news.is_caught_up, news.is_change()) {
        (_, _, false) => Judgement::Same,
        (None, _, _) | (_, false, _) => Judgement::Found,
        (Some(_), true, true) => Judgement::Hand,
    }
}

pub(super) fn pause(attempt: u32) -> Span {
    PAUSE_MIN * (1 << attempt.saturating_sub(1).min(6))
}

fn push_bounded<T>(list: &mut VecDeque<T>, item: T, max: usize) {
    while list.len() >= max {
        list.pop_front();
    }
    list.push_back(item);
}
