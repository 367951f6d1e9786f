//! What should each device be set to, what is it set to, and who changed it?
//!
//! Desired and reported state side by side. A difference is told again with doubling pauses and a limit. When a report
//! arrives, it is judged: our own command coming back, the device's own doing, or the guest's hand. Only the last is
//! learnt from, and it is never overruled.

mod aim;

use super::devices::News;
use crate::model::{
    Ability, Because, Celsius, Command, CommandId, DeviceId, DeviceSetup, Limits, Moment, Percent, Point, Purpose,
    RoomId, Span, Value, WriteResult,
};
use aim::{Aim, pause, unasked};
use serde::{Deserialize, Serialize};

/// A command is told so often before its outcome is called unknown and people are told.
const ATTEMPTS_MAX: u32 = 5;
/// A device that is back says within this how it stands.
const HEARD_FIRST: Span = Span::minutes(1);
/// A command that waits longer than this on its way is not carried out.
const COMMAND_LIFE: Span = Span::minutes(10);

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
        aim.judge(now, setup, ability, news)
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
mod tests;
