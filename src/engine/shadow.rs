//! What should each device be set to, what is it set to, and who changed it?
//!
//! Desired and reported state side by side. A difference is told again with doubling pauses and a limit. When a report
//! arrives, it is judged: our own command coming back, the device's own doing, or the guest's hand. Only the last is
//! learnt from, and it is never overruled.

use super::devices::News;
use crate::model::{
    Ability, Because, Celsius, Command, CommandId, DeviceId, DeviceSetup, Limits, Moment, Percent, Point, Purpose,
    RoomId, Span, Value, WriteResult,
};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// A command is told so often before its outcome is called unknown and people are told.
const ATTEMPTS_MAX: u32 = 5;
/// What was told in vain is told once more after this, again and again, while it is wanted: the device may have had no power.
const IN_VAIN_REST: Span = Span::minutes(30);
/// The first pause before telling again; it doubles.
const PAUSE_MIN: Span = Span::seconds(60);
/// A device that is back says within this how it stands.
const HEARD_FIRST: Span = Span::minutes(1);
/// So many values told last are remembered, to know their late echoes.
const ECHOES_MAX: usize = 4;
/// A command that waits longer than this on its way is not carried out.
const COMMAND_LIFE: Span = Span::minutes(10);
/// What was told is shown within this: the longest way there, and the longest pause between two polls after it.
const SEEN_WITHIN: Span = Span::minutes(15);
/// Memory wear is counted over this.
const BUDGET_WINDOW: Span = Span::hours(24);
/// So much of a day's writes is kept for people: set-backs wait instead.
const KEPT_FOR_COMFORT: f64 = 0.25;
/// How long a device whose profile states no confirmation may take, until the link says that it was sent.
const CONFIRM_USUAL: Span = Span::seconds(60);

/// How a command ended, or that it has not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// On its way.
    Pending,
    /// The device shows what it was told.
    Applied,
    /// The device took it to the edge of its own range.
    Clamped,
    /// The device went back by itself.
    Reverted,
    /// The guest set something else.
    Overridden,
    /// Nothing was seen.
    Unknown,
}

impl Outcome {
    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Outcome::Pending => "pending",
            Outcome::Applied => "applied",
            Outcome::Clamped => "clamped",
            Outcome::Reverted => "reverted",
            Outcome::Overridden => "overridden",
            Outcome::Unknown => "unknown",
        }
    }
}

/// One setting of one device, as it should be.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Aim {
    device: DeviceId,
    point: Point,
    /// None once somebody else decides.
    desired: Option<Value>,
    purpose: Purpose,
    because: Because,
    outcome: Outcome,
    attempt: u32,
    command: u64,
    told_at: Moment,
    /// When to look again: the confirmation is overdue, or the budget allows the next write.
    again_at: Option<Moment>,
    /// What stood there before the last command.
    replaced: Option<Value>,
    echoes: VecDeque<(Value, Moment)>,
    /// The value told last has not been shown by the device yet.
    #[serde(default)]
    is_unseen: bool,
    /// Nothing ever shows what it is: that it was sent is all there is to know.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    is_blind: bool,
    /// Times of the writes of the last day, for the device's memory.
    writes: VecDeque<Moment>,
}

/// All settings of a room that innkeeper has ever wanted something of.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Shadow {
    aims: Vec<Aim>,
    number: u64,
}

/// What is wanted of one setting.
pub struct Wish<'a> {
    /// Of which device.
    pub device: &'a DeviceSetup,
    /// With which ability of it.
    pub ability: &'a Ability,
    /// What.
    pub value: Value,
    /// What for.
    pub purpose: Purpose,
    /// Why.
    pub because: Because,
}

/// Whether a device does what it is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Obedience {
    /// Whatever it was told has come to an end that was seen.
    Obeys,
    /// It is not known yet.
    Open,
    /// This setting was told time and again, and nothing was seen of it.
    InVain(Point),
}

/// Who changed a setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Judgement {
    /// Our own command, coming back.
    Own(Outcome),
    /// The device's own doing, or too close to our command to tell.
    Device(Outcome),
    /// The guest's hand, or staff's: nobody of ours told it.
    Hand,
    /// Nothing changed.
    Same,
    /// Changed while nobody listened: respected, but not learnt from.
    Found,
}

impl Shadow {
    /// Wants a setting to be so. Returns the command to send now, if one is due.
    pub fn want(
        &mut self,
        now: Moment,
        room: &RoomId,
        limits: &Limits,
        shown: Option<&Value>,
        wish: Wish<'_>,
    ) -> Option<Command> {
        let value = fit(limits, wish.ability, wish.value)?;
        let aim = self.aim(wish.device, wish.ability.point, wish.purpose, now);
        let is_new = aim.desired.as_ref() != Some(&value);
        (aim.purpose, aim.because) = (wish.purpose, wish.because);
        if is_new {
            aim.desired = Some(value);
            aim.begin();
        }
        self.tell(now, room, wish.device, wish.ability, shown)
    }

    /// The device stands otherwise than was told, and nobody wanted that: it is told from the beginning.
    pub fn begin_anew(&mut self, device: &DeviceId, point: Point) {
        if let Some(aim) = self.find_mut(device, point) {
            aim.begin();
        }
    }

    /// The device went back by itself, and no guest can have done that: it is told again after its pause, while attempts last.
    pub fn insist(&mut self, device: &DeviceId, point: Point, now: Moment) {
        if let Some(aim) = self.find_mut(device, point).filter(|aim| aim.attempt < ATTEMPTS_MAX) {
            aim.again_at = aim.again_at.or(Some(now + pause(aim.attempt)));
        }
    }

    /// Wants nothing more of a setting: somebody else decides.
    pub fn release(&mut self, device: &DeviceId, point: Point) {
        if let Some(aim) = self.find_mut(device, point) {
            (aim.desired, aim.again_at) = (None, None);
        }
    }

    /// Wants nothing more of any setting.
    pub fn release_all(&mut self) {
        for aim in &mut self.aims {
            (aim.desired, aim.again_at) = (None, None);
        }
    }

    /// How the last command for a setting ended.
    pub fn outcome(&self, device: &DeviceId, point: Point) -> Option<Outcome> {
        self.find(device, point).map(|aim| aim.outcome)
    }

    /// Whether something was told of a setting and what the device shows of it is waited for.
    pub fn awaits(&self, device: &DeviceId, point: Point) -> bool {
        self.find(device, point)
            .is_some_and(|aim| aim.outcome == Outcome::Pending || aim.is_unseen || aim.again_at.is_some())
    }

    /// When something is to be told again or given up.
    pub fn deadline(&self) -> Option<Moment> {
        self.aims.iter().filter_map(|aim| aim.again_at).min()
    }

    /// Whether any setting of any device was told in vain and is still wanted.
    pub fn is_any_in_vain(&self) -> bool {
        self.aims.iter().any(Aim::is_in_vain)
    }

    /// Whether a device does what it is told.
    pub fn obedience(&self, device: &DeviceId) -> Obedience {
        let of = || self.aims.iter().filter(|aim| aim.device == *device);
        if let Some(aim) = of().find(|aim| aim.is_in_vain()) {
            return Obedience::InVain(aim.point);
        }
        let is_open = of().any(|aim| matches!(aim.outcome, Outcome::Pending | Outcome::Unknown));
        if is_open { Obedience::Open } else { Obedience::Obeys }
    }

    /// A device can be reached again: what it has not shown is told again as soon as it has had time to say how it stands. A
    /// dial that was turned meanwhile is a hand, and is not overruled unheard.
    pub fn reached_again(&mut self, device: &DeviceId, now: Moment) {
        let soon = now + HEARD_FIRST;
        for aim in self.aims.iter_mut().filter(|aim| aim.device == *device) {
            if aim.is_in_vain() {
                (aim.attempt, aim.again_at) = (0, Some(soon));
            } else if aim.outcome == Outcome::Pending {
                aim.attempt = aim.attempt.min(ATTEMPTS_MAX - 1);
                aim.again_at = aim.again_at.map(|at| at.min(soon));
            }
        }
    }

    /// Tells again what is due, and what was told often enough is told in vain. Returns commands.
    pub fn advance(
        &mut self,
        now: Moment,
        room: &RoomId,
        devices: &[DeviceSetup],
        shown: impl Fn(&DeviceId, Point) -> Option<Value>,
    ) -> Vec<Command> {
        let due: Vec<(DeviceId, Point)> = self
            .aims
            .iter()
            .filter(|a| a.again_at.is_some_and(|at| at <= now))
            .map(|a| (a.device.clone(), a.point))
            .collect();
        let mut commands = Vec::new();
        for (id, point) in due {
            let setup = devices.iter().find(|d| d.id == id);
            let Some((setup, ability)) = setup.and_then(|d| Some((d, d.abilities.iter().find(|a| a.point == point)?)))
            else {
                self.release(&id, point);
                continue;
            };
            commands.extend(self.tell(now, room, setup, ability, shown(&id, point).as_ref()));
        }
        commands
    }

    /// Notes what became of a command on its way. A refused one is not told again. Returns the setting and its new outcome,
    /// when that has changed. Once something else is wanted, what became of the older command ends nothing.
    pub fn written(&mut self, now: Moment, number: u64, result: &WriteResult) -> Option<(DeviceId, Point, Outcome)> {
        let aim = self.aims.iter_mut().find(|aim| aim.command == number)?;
        let before = aim.outcome;
        let told = aim.echoes.back().map(|(value, _)| value);
        if aim.desired.is_some() && aim.desired.as_ref() != told {
            return None;
        }
        match result {
            WriteResult::Sent if !aim.is_blind => {}
            WriteResult::Sent | WriteResult::Verified => (aim.outcome, aim.again_at) = (Outcome::Applied, None),
            WriteResult::Refused(_) => {
                (aim.outcome, aim.again_at, aim.attempt) = (Outcome::Unknown, None, ATTEMPTS_MAX)
            }
            WriteResult::Failed(_) => aim.again_at = Some(now + pause(aim.attempt)),
        }
        (aim.outcome != before).then(|| (aim.device.clone(), aim.point, aim.outcome))
    }

    /// Judges who changed a setting, by the news of it.
    pub fn judge(&mut self, now: Moment, setup: &DeviceSetup, point: Point, news: &News) -> Judgement {
        let ability = setup.abilities.iter().find(|a| a.point == point);
        let Some(aim) = self.find_mut(&setup.id, point) else {
            return unasked(news);
        };
        let tolerance = ability.map_or(0.0, |a| a.tolerance);
        let is_wanted = aim
            .desired
            .as_ref()
            .is_some_and(|want| news.after.is_near(want, tolerance));
        let is_arrival = aim.takes_for_told(now, tolerance, &news.after);
        if is_wanted {
            (aim.outcome, aim.again_at) = (Outcome::Applied, None);
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
        if is_arrival || aim.echoes.iter().any(echoed) {
            return Judgement::Own(aim.outcome);
        }
        if aim.desired.is_none() {
            return unasked(news);
        }
        aim.own_doing(now, setup, ability, news)
            .map_or_else(|| unasked(news), Judgement::Device)
    }

    /// Notes that the guest decided otherwise.
    pub fn overridden(&mut self, device: &DeviceId, point: Point) {
        if let Some(aim) = self.find_mut(device, point) {
            aim.outcome = Outcome::Overridden;
        }
        self.release(device, point);
    }

    fn find(&self, device: &DeviceId, point: Point) -> Option<&Aim> {
        self.aims.iter().find(|aim| aim.device == *device && aim.point == point)
    }

    fn find_mut(&mut self, device: &DeviceId, point: Point) -> Option<&mut Aim> {
        let mut aims = self.aims.iter_mut();
        aims.find(|aim| aim.device == *device && aim.point == point)
    }

    fn aim(&mut self, setup: &DeviceSetup, point: Point, purpose: Purpose, now: Moment) -> &mut Aim {
        let place = self
            .aims
            .iter()
            .position(|aim| aim.device == setup.id && aim.point == point);
        let place = place.unwrap_or_else(|| {
            self.aims.push(Aim::new(setup.id.clone(), point, purpose, now));
            self.aims.len() - 1
        });
        &mut self.aims[place]
    }

    /// Sends what is wanted where it differs from what is shown, inside the device's budget.
    fn tell(
        &mut self,
        now: Moment,
        room: &RoomId,
        setup: &DeviceSetup,
        ability: &Ability,
        shown: Option<&Value>,
    ) -> Option<Command> {
        let number = self.number + 1;
        let aim = self.find_mut(&setup.id, ability.point)?;
        let value = aim.desired.clone()?;
        if shown.is_some_and(|shown| shown.is_near(&value, ability.tolerance)) {
            let was_told = aim.attempt > 0;
            (aim.again_at, aim.outcome) = (None, if was_told { Outcome::Applied } else { aim.outcome });
            return None;
        }
        if aim.again_at.is_some_and(|at| at > now) || (aim.attempt > 0 && aim.again_at.is_none()) {
            return None;
        }
        if aim.attempt >= ATTEMPTS_MAX && aim.outcome != Outcome::Unknown {
            aim.end_in_vain(now);
            return None;
        }
        if let Some(later) = aim.budget_allows_at(now, ability).filter(|at| *at > now) {
            aim.again_at = Some(later);
            return None;
        }
        aim.note_told(now, number, &value, ability, shown);
        let command = Command {
            id: CommandId {
                room: room.clone(),
                number,
            },
            device: setup.id.clone(),
            point: ability.point,
            value,
            purpose: aim.purpose,
            attempt: aim.attempt,
            expires: now + COMMAND_LIFE,
            because: aim.because.clone(),
        };
        self.number = number;
        Some(command)
    }
}

impl Aim {
    fn new(device: DeviceId, point: Point, purpose: Purpose, now: Moment) -> Self {
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
    fn begin(&mut self) {
        (self.attempt, self.outcome, self.again_at) = (0, Outcome::Pending, None);
    }

    /// Told often enough, and nothing came of it. A device that went back by itself each time is left as it is; one that
    /// showed nothing is told once more after a while.
    fn end_in_vain(&mut self, now: Moment) {
        self.again_at = None;
        if self.outcome == Outcome::Pending {
            (self.again_at, self.outcome) = (Some(now + IN_VAIN_REST), Outcome::Unknown);
        }
    }

    /// Whether it was told in vain and is still wanted. What was refused is not: it is not told again.
    fn is_in_vain(&self) -> bool {
        self.outcome == Outcome::Unknown && self.desired.is_some() && self.again_at.is_some()
    }

    fn note_told(&mut self, now: Moment, number: u64, value: &Value, ability: &Ability, shown: Option<&Value>) {
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
    fn budget_allows_at(&self, now: Moment, ability: &Ability) -> Option<Moment> {
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

fn unasked(news: &News) -> Judgement {
    match (&news.before, news.is_live && !news.is_caught_up, news.is_change()) {
        (_, _, false) => Judgement::Same,
        (None, _, _) | (_, false, _) => Judgement::Found,
        (Some(_), true, true) => Judgement::Hand,
    }
}

fn pause(attempt: u32) -> Span {
    PAUSE_MIN * (1 << attempt.saturating_sub(1).min(6))
}

fn push_bounded<T>(list: &mut VecDeque<T>, item: T, max: usize) {
    while list.len() >= max {
        list.pop_front();
    }
    list.push_back(item);
}

/// Brings a wished value inside the safety limits, then to what the device takes; limits win.
fn fit(limits: &Limits, ability: &Ability, value: Value) -> Option<Value> {
    let (low, high) = match ability.point {
        Point::TargetTemperature => (limits.temperature_min.to_f64(), limits.temperature_max.to_f64()),
        Point::Firmness => (limits.firmness_min.to_f64(), limits.firmness_max.to_f64()),
        _ => (f64::MIN, f64::MAX),
    };
    let Some(wish) = value.number() else {
        return (ability.words.is_empty() || ability.words.iter().any(|w| value.scalar() == w.as_str()))
            .then_some(value);
    };
    let taken = ability.nearest(wish.clamp(low, high));
    if taken < low - 1e-9 || taken > high + 1e-9 {
        return None;
    }
    match value {
        Value::Temperature(_) => Celsius::new(taken).map(Value::Temperature),
        Value::Share(_) => Percent::new(taken).map(Value::Share),
        other => Some(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Coil, DeviceRole, ProfileId};
    use std::collections::BTreeMap;

    fn setup() -> DeviceSetup {
        DeviceSetup {
            id: DeviceId::new("t-1").unwrap(),
            profile: ProfileId::new("any").unwrap(),
            zone: None,
            role: DeviceRole::Plain,
            reports: vec![Point::TargetTemperature],
            guest_points: vec![Point::TargetTemperature],
            abilities: vec![Ability {
                point: Point::TargetTemperature,
                min: Some(16.0),
                max: Some(30.0),
                step: Some(0.5),
                words: vec![],
                confirm_within: Some(Span::seconds(30)),
                tolerance: 0.05,
                gap_min: Span::seconds(60),
                per_day_max: 48,
            }],
            buttons: BTreeMap::new(),
            silent_after: Span::hours(1),
            echo_within: Span::seconds(40),
            settle: Span::ZERO,
            hand_back: vec![],
            coil: Coil::Water,
            reading_step_k: None,
        }
    }

    fn degrees(t: f64) -> Value {
        Value::Temperature(Celsius::new(t).unwrap())
    }

    fn at(seconds: i64) -> Moment {
        Moment::EARLIEST + Span::seconds(seconds)
    }

    fn want(shadow: &mut Shadow, now: Moment, shown: f64, value: f64) -> Option<Command> {
        want_for(Purpose::Prepare, shadow, now, shown, value)
    }

    fn want_for(purpose: Purpose, shadow: &mut Shadow, now: Moment, shown: f64, value: f64) -> Option<Command> {
        let (setup, room) = (setup(), RoomId::new("1204").unwrap());
        let wish = Wish {
            device: &setup,
            ability: &setup.abilities[0],
            value: degrees(value),
            purpose,
            because: Because::rule("test"),
        };
        shadow.want(now, &room, &Limits::default(), Some(&degrees(shown)), wish)
    }

    fn news(before: f64, after: f64, is_live: bool) -> News {
        News {
            before: Some(degrees(before)),
            after: degrees(after),
            is_live,
            is_sign_of_life: false,
            is_caught_up: false,
        }
    }

    #[test]
    fn set_backs_however_many_leave_writes_for_an_arrival() {
        let mut shadow = Shadow::default();
        let mut written = 0;
        for n in 0..200 {
            let level = [18.0, 18.5][n % 2];
            let command = want_for(Purpose::Setback, &mut shadow, at(300 * n as i64), 37.0 - level, level);
            written += u32::from(command.is_some());
        }
        assert_eq!(written, 36);
        assert!(want(&mut shadow, at(60_100), 18.0, 23.0).is_some());
        let setback = want_for(Purpose::Setback, &mut shadow, at(60_500), 23.0, 18.0);
        assert!(
            setback.is_none(),
            "the next set-back waits until a day after the first ones"
        );
    }

    #[test]
    fn a_hand_at_the_very_moment_of_a_command_is_a_hand() {
        let (mut shadow, setup) = (Shadow::default(), setup());
        assert!(want(&mut shadow, at(0), 22.5, 23.0).is_some());
        let judged = shadow.judge(at(0), &setup, Point::TargetTemperature, &news(22.5, 23.0, true));
        assert_eq!(judged, Judgement::Own(Outcome::Applied));
        let judged = shadow.judge(at(0), &setup, Point::TargetTemperature, &news(23.0, 21.5, true));
        assert_eq!(judged, Judgement::Hand);
    }

    #[test]
    fn our_own_command_coming_back_is_not_the_guest() {
        let mut shadow = Shadow::default();
        assert!(want(&mut shadow, at(0), 18.0, 24.0).is_some());
        let judged = shadow.judge(at(1), &setup(), Point::TargetTemperature, &news(18.0, 24.0, true));
        assert_eq!(judged, Judgement::Own(Outcome::Applied));
        assert_eq!(shadow.deadline(), None);
    }

    #[test]
    fn what_was_told_is_ours_when_a_poll_shows_it_after_something_else_is_wanted() {
        let (mut shadow, setup) = (
            Shadow::default(),
            DeviceSetup {
                echo_within: Span::ZERO,
                ..setup()
            },
        );
        let judge = |shadow: &mut Shadow, seconds, before, after| {
            shadow.judge(
                at(seconds),
                &setup,
                Point::TargetTemperature,
                &news(before, after, true),
            )
        };
        assert!(want(&mut shadow, at(0), 18.0, 16.0).is_some());
        assert!(
            want(&mut shadow, at(20), 18.0, 24.0).is_none(),
            "the device's memory is spared for a minute"
        );
        assert_eq!(judge(&mut shadow, 55, 18.0, 16.0), Judgement::Own(Outcome::Pending));
        assert_eq!(judge(&mut shadow, 58, 16.0, 19.0), Judgement::Hand);
        assert_eq!(
            judge(&mut shadow, 59, 19.0, 16.0),
            Judgement::Hand,
            "the second time it is a hand's"
        );
    }

    #[test]
    fn a_late_echo_of_an_older_command_is_not_the_guest() {
        let mut shadow = Shadow::default();
        want(&mut shadow, at(0), 18.0, 24.0);
        shadow.judge(at(1), &setup(), Point::TargetTemperature, &news(18.0, 24.0, true));
        want(&mut shadow, at(70), 24.0, 21.0);
        shadow.judge(at(71), &setup(), Point::TargetTemperature, &news(24.0, 21.0, true));
        want(&mut shadow, at(140), 21.0, 23.0);
        shadow.judge(at(141), &setup(), Point::TargetTemperature, &news(21.0, 23.0, true));
        let judged = shadow.judge(at(105), &setup(), Point::TargetTemperature, &news(23.0, 21.0, true));
        assert!(matches!(judged, Judgement::Own(_)), "{judged:?}");
    }

    #[test]
    fn a_dial_turned_long_after_is_the_guest() {
        let mut shadow = Shadow::default();
        want(&mut shadow, at(0), 18.0, 24.0);
        shadow.judge(at(1), &setup(), Point::TargetTemperature, &news(18.0, 24.0, true));
        let judged = shadow.judge(at(600), &setup(), Point::TargetTemperature, &news(24.0, 22.0, true));
        assert_eq!(judged, Judgement::Hand);
    }

    /// Lets time pass until then, with the device showing this; returns when it was told.
    fn pass(shadow: &mut Shadow, until: Moment, shown: f64) -> Vec<Moment> {
        let room = RoomId::new("1204").unwrap();
        let mut told = Vec::new();
        while let Some(due) = shadow.deadline().filter(|due| *due <= until) {
            let wanted = shadow.advance(due, &room, &[setup()], |_, _| Some(degrees(shown)));
            told.extend(wanted.iter().map(|_| due));
        }
        told
    }

    fn obedience(shadow: &Shadow) -> Obedience {
        shadow.obedience(&setup().id)
    }

    #[test]
    fn what_goes_back_by_itself_each_time_is_told_five_times_and_left() {
        let (mut shadow, setup) = (Shadow::default(), setup());
        want(&mut shadow, at(0), 18.0, 24.0);
        let (mut now, mut told, mut newly) = (at(0), 0, 1);
        while newly > 0 {
            told += newly;
            let back = shadow.judge(now, &setup, Point::TargetTemperature, &news(24.0, 18.0, true));
            assert_eq!(back, Judgement::Device(Outcome::Reverted));
            now = shadow.deadline().expect("it is told again, or left");
            newly = pass(&mut shadow, now, 18.0).len();
        }
        assert_eq!((told, shadow.deadline()), (5, None));
        assert_eq!(
            obedience(&shadow),
            Obedience::Obeys,
            "it answers; what it wants is otherwise"
        );
    }

    #[test]
    fn what_is_told_in_vain_is_told_to_people_and_once_more_each_hour() {
        let mut shadow = Shadow::default();
        want(&mut shadow, at(0), 18.0, 24.0);
        assert_eq!(obedience(&shadow), Obedience::Open);
        let first = pass(&mut shadow, at(31 * 60), 18.0);
        assert_eq!(first, [60, 180, 420, 900].map(at), "pauses double");
        assert_eq!(obedience(&shadow), Obedience::InVain(Point::TargetTemperature));
        let day = pass(&mut shadow, at(24 * 3600), 18.0);
        assert!((14..=24).contains(&day.len()), "{day:?}");
        let judged = shadow.judge(at(90_000), &setup(), Point::TargetTemperature, &news(18.0, 24.0, true));
        assert_eq!(
            (judged, obedience(&shadow)),
            (Judgement::Own(Outcome::Applied), Obedience::Obeys)
        );
    }

    #[test]
    fn wanting_it_again_at_the_last_moment_does_not_hide_that_it_was_in_vain() {
        let mut shadow = Shadow::default();
        want(&mut shadow, at(0), 18.0, 24.0);
        pass(&mut shadow, at(900), 18.0);
        let due = shadow.deadline().unwrap();
        assert!(want(&mut shadow, due, 18.0, 24.0).is_none());
        assert_eq!(obedience(&shadow), Obedience::InVain(Point::TargetTemperature));
        assert!(shadow.deadline().is_some());
    }

    #[test]
    fn a_device_that_is_back_is_told_after_it_has_said_how_it_stands() {
        let mut shadow = Shadow::default();
        want(&mut shadow, at(0), 18.0, 24.0);
        pass(&mut shadow, at(1900), 18.0);
        let mut turned = shadow.clone();
        shadow.reached_again(&setup().id, at(2000));
        assert_eq!(pass(&mut shadow, at(2100), 18.0), [at(2060)]);
        turned.reached_again(&setup().id, at(2000));
        let judged = turned.judge(at(2010), &setup(), Point::TargetTemperature, &news(18.0, 21.0, true));
        assert_eq!(judged, Judgement::Hand);
        turned.overridden(&setup().id, Point::TargetTemperature);
        assert!(pass(&mut turned, at(9000), 21.0).is_empty());
    }

    #[test]
    fn what_nothing_shows_is_believed_once_it_was_sent() {
        let (mut shadow, mut setup, room) = (Shadow::default(), setup(), RoomId::new("1204").unwrap());
        setup.abilities[0].confirm_within = None;
        let wish = Wish {
            device: &setup,
            ability: &setup.abilities[0],
            value: degrees(24.0),
            purpose: Purpose::Prepare,
            because: Because::rule("test"),
        };
        let command = shadow.want(at(0), &room, &Limits::default(), None, wish).unwrap();
        let ended = shadow.written(at(1), command.id.number, &WriteResult::Sent);
        assert_eq!(ended.map(|(.., outcome)| outcome), Some(Outcome::Applied));
        assert_eq!(shadow.deadline(), None);
    }

    #[test]
    fn a_late_answer_is_not_the_guest_as_long_as_the_profile_says_that_answers_take() {
        let setup = DeviceSetup {
            echo_within: Span::seconds(90),
            ..setup()
        };
        for (seconds, hand) in [(35, false), (80, false), (100, true)] {
            let mut shadow = Shadow::default();
            want(&mut shadow, at(0), 18.0, 24.0);
            shadow.judge(at(1), &setup, Point::TargetTemperature, &news(18.0, 24.0, true));
            let judged = shadow.judge(at(seconds), &setup, Point::TargetTemperature, &news(24.0, 18.0, true));
            assert_eq!(judged == Judgement::Hand, hand, "{seconds} s: {judged:?}");
        }
    }

    #[test]
    fn nothing_is_told_that_is_already_so_or_outside_the_limits() {
        let mut shadow = Shadow::default();
        assert!(want(&mut shadow, at(0), 24.0, 24.0).is_none());
        let hot = want(&mut shadow, at(100), 24.0, 60.0).unwrap();
        assert_eq!(hot.value, degrees(28.0));
    }

    #[test]
    fn a_devices_memory_is_not_written_more_often_than_it_bears() {
        let mut shadow = Shadow::default();
        assert!(want(&mut shadow, at(0), 18.0, 24.0).is_some());
        assert!(want(&mut shadow, at(10), 24.0, 21.0).is_none(), "60 s apart at least");
        assert_eq!(shadow.deadline(), Some(at(60)));
    }

    #[test]
    fn the_end_of_an_older_command_does_not_end_what_is_wanted_now() {
        let (mut shadow, room) = (Shadow::default(), RoomId::new("1204").unwrap());
        let first = want(&mut shadow, at(0), 18.0, 16.0).unwrap();
        assert!(want(&mut shadow, at(10), 18.0, 24.0).is_none(), "60 s apart at least");
        for result in [WriteResult::Verified, WriteResult::Refused("no".into())] {
            assert_eq!(shadow.written(at(11), first.id.number, &result), None);
        }
        let commands = shadow.advance(at(60), &room, &[setup()], |_, _| Some(degrees(16.0)));
        assert_eq!(
            commands.iter().map(|c| c.value.clone()).collect::<Vec<_>>(),
            [degrees(24.0)]
        );
    }

    #[test]
    fn what_changed_while_nobody_listened_is_found_not_learnt() {
        let mut shadow = Shadow::default();
        assert_eq!(
            shadow.judge(at(0), &setup(), Point::TargetTemperature, &news(22.0, 25.0, false)),
            Judgement::Found
        );
    }
}
