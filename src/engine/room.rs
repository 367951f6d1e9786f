//! One room: let it observe, let it learn, let it decide.
//!
//! Always in that order. A decision taken before learning would overrule the guest's own hand.

use super::calendar::Calendar;
use super::climate::{Climate, Decision, Phase, View};
use super::devices::{Devices, News, OFFLINE_GRACE, Taken};
use super::evidence::{Evidence, in_unit};
use super::occupancy::{Occupancy, Presence, Senses, Sign};
use super::preference::{self, ATTRIBUTES, Answer, Attribute, Guest};
use super::requests::{Requests, arrival, maintenance, make_up_room, routine, safety};
use super::shadow::{Judgement, Shadow, Wish};
use super::stay::{Stay, StayFault, Stays, Turn};
use super::thermal::Thermal;
use crate::model::{
    Because, Celsius, Command, DeviceId, DeviceRole, DeviceSetup, Effect, GuestToken, HvacMode, Key, Moment, Need,
    Point, PointRole, PriorSummary, Property, Purpose, ReadinessVerdict, Reading, Refusal, Report, RequestState,
    RequestStatus, RoomSetup, SaveWhen, StatusNotice, StayNotice, StayToken, Value, WriteResult,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A battery that recovered by so much was changed (hundredths of a percent).
const BATTERY_RECOVERED: i32 = 1000;

/// What a room sees of the world around it.
#[derive(Clone, Copy)]
pub struct World<'a> {
    /// Now.
    pub now: Moment,
    /// The property.
    pub property: &'a Property,
    /// This room's part of it.
    pub setup: &'a RoomSetup,
    /// The wall clock.
    pub calendar: &'a Calendar,
    /// The air outside, if known.
    pub outdoor: Option<Celsius>,
    /// What is known of guests.
    pub guests: &'a BTreeMap<GuestToken, Guest>,
}

/// What a room wants done, and what it learnt of a guest.
#[derive(Default)]
pub struct Outcome {
    /// What it wants done.
    pub effects: Vec<Effect>,
    /// What a stay that ended has shown.
    pub learnt: Option<(GuestToken, PriorSummary)>,
    save: Option<SaveWhen>,
}

/// Wishes on the door: do not disturb, make up room.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
struct Signs {
    dnd: bool,
    make_up_room: bool,
}

/// All that a room knows. Kept whole.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Room {
    devices: Devices,
    occupancy: Occupancy,
    presence_told: Option<Presence>,
    stays: Stays,
    climate: Climate,
    thermal: Thermal,
    shadow: Shadow,
    evidence: Evidence,
    routine: routine::Routine,
    requests: Requests,
    safety: safety::Safety,
    signs: Signs,
}

impl Room {
    /// A device said something.
    pub fn reading(&mut self, world: World<'_>, reading: &Reading, out: &mut Outcome) {
        match self.devices.take(world.now, reading) {
            Taken::Past => out.refuse("reading_past", format!("{} of {}", reading.point, reading.device)),
            Taken::Heard(false) => {}
            Taken::Heard(true) => {
                out.save(SaveWhen::Soon);
                self.settle(world, out);
            }
            Taken::News(news) => {
                if news.is_change() {
                    out.save(SaveWhen::Soon);
                }
                self.observe(world, reading, &news, out);
                self.settle(world, out);
            }
        }
    }

    /// A device came or went.
    pub fn availability(&mut self, world: World<'_>, device: &DeviceId, online: bool, out: &mut Outcome) {
        if self.devices.reach(world.now, device, online) {
            out.save(SaveWhen::Soon);
            self.settle(world, out);
        }
    }

    /// What became of a command on its way.
    pub fn written(&mut self, world: World<'_>, number: u64, result: &WriteResult, out: &mut Outcome) {
        self.shadow.written(world.now, number, result);
        out.save(SaveWhen::Soon);
        if let WriteResult::Refused(why) | WriteResult::Failed(why) = result {
            out.note(
                world,
                Because::rule("write-did-not-pass")
                    .with("command", number)
                    .with("why", why),
            );
        }
        self.settle(world, out);
    }

    /// What others say of a stay in this room.
    ///
    /// # Errors
    /// Says why the notice is not taken; nothing has changed then.
    pub fn stay(&mut self, world: World<'_>, notice: &StayNotice, out: &mut Outcome) -> Result<(), StayFault> {
        let turn = self.stays.take(world.now, notice)?;
        self.turned(world, turn, out);
        Ok(())
    }

    /// A stay goes to another room.
    pub fn stay_leaves(&mut self, world: World<'_>, token: &StayToken, version: u64, out: &mut Outcome) {
        if let Some(turn) = self.stays.leave(token, version) {
            self.turned(world, turn, out);
        }
    }

    /// Whether this stay is in or expected here.
    pub fn holds(&self, token: &StayToken) -> bool {
        self.stays.holds(token)
    }

    /// Whether this guest is in or expected here.
    pub fn expects(&self, guest: &GuestToken) -> bool {
        self.stays.guests().any(|g| g == guest)
    }

    /// What is known of a guest who is in or expected here has changed.
    pub fn guest_changed(&mut self, world: World<'_>, out: &mut Outcome) {
        self.routine.replan();
        out.save(SaveWhen::Soon);
        self.settle(world, out);
    }

    /// Central's word on a request of this room. Returns whether it was one.
    pub fn status(&mut self, world: World<'_>, notice: &StatusNotice, out: &mut Outcome) -> bool {
        let is_emergency = self.safety.answered(&notice.request);
        let request = self.requests.status(notice);
        let item = match &request {
            Some(request) if request.state == RequestState::Done && request.need == Need::Routine => {
                request.items.first()
            }
            Some(_) => None,
            None if notice.status == RequestStatus::Done => notice.item.as_ref(),
            None => None,
        };
        if let (Some(item), Some(_)) = (item, &self.stays.current) {
            self.routine
                .fulfilled(world.calendar, notice.at.unwrap_or(world.now), item);
        }
        let is_ours = is_emergency || request.is_some() || item.is_some();
        if is_ours {
            out.save(SaveWhen::Now);
            self.settle(world, out);
        }
        is_ours
    }

    /// The time has come for something, or the property changed.
    pub fn advance(&mut self, world: World<'_>, out: &mut Outcome) {
        out.save(SaveWhen::Soon);
        self.settle(world, out);
    }

    /// The property was configured anew: what the room no longer has is dropped.
    pub fn configured(&mut self, world: World<'_>, out: &mut Outcome) {
        self.devices.keep_only(&world.setup.devices);
        self.routine.replan();
        self.advance(world, out);
    }

    /// The daemon stops: devices are handed back to their own control, where they can keep a room by themselves.
    pub fn hand_back(&mut self, world: World<'_>, out: &mut Outcome) {
        for device in &world.setup.devices {
            for (point, value) in &device.hand_back {
                let because = Because::rule("daemon-stops");
                self.want(world, device, *point, value.clone(), Purpose::HandBack, because, out);
            }
        }
    }

    /// When this room has something to do by itself.
    pub fn deadline(&self, world: World<'_>) -> Option<Moment> {
        let (now, setups) = (world.now, &world.setup.devices);
        let in_stay = self
            .stays
            .current
            .as_ref()
            .map(|_| [self.evidence.deadline(), self.routine.deadline(now)]);
        let arrival = self
            .stays
            .next_due()
            .and_then(|stay| arrival::due_at(&world.property.policies, stay));
        let no_show = self
            .stays
            .next_due()
            .and_then(|stay| Some(stay.eta? + world.property.policies.arrival.no_show_after));
        [
            self.occupancy.deadline(self.senses(world), now),
            self.devices.deadline(setups, now),
            self.shadow.deadline(),
            self.safety.deadline(),
            self.requests.deadline(now),
            self.climate.deadline(&self.view(world), &self.thermal),
            arrival.filter(|at| *at > now),
            no_show.filter(|at| *at > now),
        ]
        .into_iter()
        .chain(in_stay.into_iter().flatten())
        .flatten()
        .min()
    }

    /// What a person would want to know of the room, in words and figures.
    pub fn summary(&self, world: World<'_>) -> serde_json::Value {
        let view = self.view(world);
        serde_json::json!({
            "room": world.setup.id,
            "presence": self.occupancy.presence(world.now).word(),
            "phase": self.climate.phase.word(),
            "temperature": view.temperature,
            "preferred": in_unit(Point::TargetTemperature, view.preferred.hundredths).map(|v| v.scalar()),
            "preferred_from": if self.climate.choice.is_some() { "hand" } else { view.preferred.from },
            "stay": self.stays.foremost().map(|stay| stay.token.as_str()),
            "eta": self.stays.foremost().and_then(|stay| stay.eta),
            "dnd": self.signs.dnd,
            "requests": self.requests.open().map(|r| r.id.as_str()).collect::<Vec<_>>(),
            "devices_silent": world.setup.devices.iter().filter(|d| self.devices.silent_since(world.now, d).is_some())
                .map(|d| d.id.as_str()).collect::<Vec<_>>(),
        })
    }

    /// How many of the room's devices are silent.
    pub fn devices_silent(&self, world: World<'_>) -> usize {
        world
            .setup
            .devices
            .iter()
            .filter(|d| self.devices.silent_since(world.now, d).is_some())
            .count()
    }

    // --- observe -----------------------------------------------------------------------------------------------------

    fn observe(&mut self, world: World<'_>, reading: &Reading, news: &News, out: &mut Outcome) {
        let Some(device) = world.setup.devices.iter().find(|d| d.id == reading.device) else {
            return;
        };
        match reading.point.role() {
            PointRole::Presence => self.presence_sign(world, device, reading.point, news, out),
            PointRole::Setting => self.setting(world, device, reading.point, news, out),
            PointRole::Health => self.battery(world, device, reading.point, news, out),
            PointRole::Measured => {}
        }
        if safety::ALARMS.contains(&reading.point)
            && let Some(on) = news.after.flag()
        {
            let (policies, room) = (&world.property.policies, &world.setup.id);
            let report = self
                .safety
                .alarm(world.now, policies, room, &device.id, reading.point, on);
            report.into_iter().for_each(|report| out.report(report));
        }
    }

    fn presence_sign(&mut self, world: World<'_>, device: &DeviceSetup, point: Point, news: &News, out: &mut Outcome) {
        match point {
            Point::Dnd => self.door_wish(world, Point::Dnd, news, out),
            Point::MakeUpRoom => self.door_wish(world, Point::MakeUpRoom, news, out),
            Point::Action => self.button(world, device, news, out),
            _ => {}
        }
        if let Some(sign) = sign_of(device.role, point, news) {
            self.sign(world, sign, out);
        }
    }

    fn sign(&mut self, world: World<'_>, sign: Sign, out: &mut Outcome) {
        let senses = self.senses(world);
        self.occupancy.advance(senses, world.now);
        self.occupancy.sign(senses, world.now, sign);
        let is_coming = match sign {
            Sign::Door | Sign::Hand | Sign::Bed(true) => true,
            Sign::Motion => !has_door(world.setup),
            Sign::Bed(false) => false,
        };
        out.save(if sign == Sign::Motion {
            SaveWhen::Soon
        } else {
            SaveWhen::Now
        });
        if is_coming {
            self.arrive(world, out);
        }
    }

    /// The guest comes in for the first time: what was promised is compared with what is.
    fn arrive(&mut self, world: World<'_>, out: &mut Outcome) {
        let Some(stay) = self.stays.current.as_mut().filter(|stay| stay.arrived_at.is_none()) else {
            return;
        };
        stay.arrived_at = Some(world.now);
        let mut climate = std::mem::take(&mut self.climate);
        let readiness = climate.arrived(&self.view(world));
        self.climate = climate;
        out.save(SaveWhen::Now);
        readiness
            .into_iter()
            .for_each(|r| out.report(Report::Readiness(Box::new(r))));
    }

    fn door_wish(&mut self, world: World<'_>, point: Point, news: &News, out: &mut Outcome) {
        let Some(on) = news.after.flag() else { return };
        let is = if point == Point::Dnd {
            &mut self.signs.dnd
        } else {
            &mut self.signs.make_up_room
        };
        if std::mem::replace(is, on) == on {
            return;
        }
        out.save(SaveWhen::Now);
        if point == Point::MakeUpRoom {
            self.make_up_room(world, on, out);
        }
    }

    fn button(&mut self, world: World<'_>, device: &DeviceSetup, news: &News, out: &mut Outcome) {
        let Value::Word(word) = &news.after else { return };
        let (Some(wish), true) = (device.buttons.get(word), news.is_live) else {
            return;
        };
        self.sign(world, Sign::Hand, out);
        let (is, other) = match wish {
            Point::Dnd => (self.signs.dnd, Point::MakeUpRoom),
            Point::MakeUpRoom => (self.signs.make_up_room, Point::Dnd),
            _ => return,
        };
        let turn = |on| News {
            before: None,
            after: Value::Flag(on),
            is_live: true,
        };
        self.door_wish(world, *wish, &turn(!is), out);
        if !is {
            self.door_wish(world, other, &turn(false), out);
        }
    }

    fn make_up_room(&mut self, world: World<'_>, on: bool, out: &mut Outcome) {
        let stay = self.stays.current.as_ref().map(|stay| stay.token.clone());
        let (room, policies) = (&world.setup.id, &world.property.policies);
        let stem = make_up_room::stem(room, stay.as_ref());
        let report = if on {
            self.requests.recurring(&stem).and_then(|id| {
                self.requests.raise(
                    world.now,
                    policies,
                    make_up_room::draft(id, world.now, room, stay.as_ref()),
                )
            })
        } else {
            let id = self.requests.open_recurring(&stem);
            id.and_then(|id| self.requests.withdraw(&id, Because::rule("guest-took-it-back")))
        };
        report.into_iter().for_each(|report| out.report(report));
    }

    fn battery(&mut self, world: World<'_>, device: &DeviceSetup, point: Point, news: &News, out: &mut Outcome) {
        let low = world.property.policies.battery_low;
        let is_low = match (point, &news.after) {
            (Point::Battery, Value::Share(level)) if *level < low => Some(true),
            (Point::Battery, Value::Share(level)) if level.hundredths() >= low.hundredths() + BATTERY_RECOVERED => {
                Some(false)
            }
            (Point::BatteryLow, Value::Flag(low)) => Some(*low),
            _ => None,
        };
        let Some(is_low) = is_low else { return };
        let because = Because::rule("battery-low")
            .with("device", &device.id)
            .with("level", news.after.scalar());
        self.recurring(world, device, Need::Battery, "battery", is_low, because, out);
    }

    /// Raises, or takes back, a request about one device.
    #[expect(
        clippy::too_many_arguments,
        reason = "each is a fact of the one sentence that the request is"
    )]
    fn recurring(
        &mut self,
        world: World<'_>,
        device: &DeviceSetup,
        need: Need,
        what: &str,
        on: bool,
        because: Because,
        out: &mut Outcome,
    ) {
        let (room, policies) = (&world.setup.id, &world.property.policies);
        let stem = maintenance::stem(room, &device.id, what);
        let report = if on {
            let id = self.requests.recurring(&stem);
            id.and_then(|id| {
                self.requests
                    .raise(world.now, policies, maintenance::draft(id, need, room, None, because))
            })
        } else {
            let id = self.requests.open_recurring(&stem);
            id.and_then(|id| self.requests.withdraw(&id, because))
        };
        report.into_iter().for_each(|report| out.report(report));
    }

    // --- learn -------------------------------------------------------------------------------------------------------

    fn setting(&mut self, world: World<'_>, device: &DeviceSetup, point: Point, news: &News, out: &mut Outcome) {
        if !device.guest_points.contains(&point) && !device.abilities.iter().any(|a| a.point == point) {
            return;
        }
        let before = self.shadow.outcome(&device.id, point);
        match self.shadow.judge(world.now, device, point, news) {
            Judgement::Hand if device.guest_points.contains(&point) => {
                self.by_hand(world, device, point, &news.after, out)
            }
            Judgement::Found if news.is_change() && news.before.is_some() => {
                self.found(world, device, point, &news.after, out)
            }
            Judgement::Own(outcome) | Judgement::Device(outcome) if before != Some(outcome) => {
                let because = Because::rule("write-ended").with("outcome", outcome.word());
                out.note(
                    world,
                    because
                        .with("device", &device.id)
                        .with("point", point)
                        .with("value", news.after.scalar()),
                );
                out.save(SaveWhen::Soon);
            }
            _ => {}
        }
    }

    /// Somebody turned a dial. With a guest checked in it is the guest; else it is staff, who are left alone while in.
    fn by_hand(&mut self, world: World<'_>, device: &DeviceSetup, point: Point, value: &Value, out: &mut Outcome) {
        self.shadow.overridden(&device.id, point);
        self.sign(world, Sign::Hand, out);
        out.save(SaveWhen::Now);
        let rule = if self.stays.current.is_some() {
            "guest-set-by-hand"
        } else {
            "somebody-set-by-hand"
        };
        out.note(
            world,
            Because::rule(rule)
                .with("device", &device.id)
                .with("point", point)
                .with("value", value.scalar()),
        );
        let Some(stay) = &self.stays.current else {
            self.climate.suspend();
            return;
        };
        self.evidence.act(world.now, stay, point, value);
        self.respect(point, value);
    }

    /// Changed while nobody listened. It is respected as the guest's, but nothing is learnt from it.
    fn found(&mut self, world: World<'_>, device: &DeviceSetup, point: Point, value: &Value, out: &mut Outcome) {
        if self
            .stays
            .current
            .as_ref()
            .is_some_and(|stay| stay.arrived_at.is_some())
        {
            self.shadow.overridden(&device.id, point);
            self.respect(point, value);
            out.note(
                world,
                Because::rule("found-changed")
                    .with("device", &device.id)
                    .with("point", point)
                    .with("value", value.scalar()),
            );
            out.save(SaveWhen::Now);
        }
    }

    fn respect(&mut self, point: Point, value: &Value) {
        match (point, value) {
            (Point::TargetTemperature, Value::Temperature(t)) => self.climate.chosen(*t),
            (Point::HvacMode, Value::Hvac(mode)) => self.climate.switched(*mode == HvacMode::Off),
            (Point::Power, Value::Flag(on)) => self.climate.switched(!on),
            _ => {}
        }
    }

    fn turned(&mut self, world: World<'_>, turn: Turn, out: &mut Outcome) {
        out.save(SaveWhen::Now);
        match turn {
            Turn::Expected => self.routine.replan(),
            Turn::CheckedIn => {
                self.routine.replan();
                if !has_presence(world.setup) {
                    self.arrive(world, out);
                }
            }
            Turn::Ended(stay) => self.stay_ended(world, &stay, out),
            Turn::Dropped(stay) => self.stay_dropped(world, &stay, out),
        }
        self.settle(world, out);
    }

    fn stay_ended(&mut self, world: World<'_>, stay: &Stay, out: &mut Outcome) {
        let mut evidence = std::mem::take(&mut self.evidence);
        for point in evidence.points() {
            let answer = attribute_answer(world, Some(stay), &evidence, point);
            let report = answer.and_then(|answer| evidence.report(&world.setup.id, stay, point, &answer, true));
            report
                .into_iter()
                .for_each(|report| out.report(Report::Preference(Box::new(report))));
        }
        let day = world.calendar.day(world.now);
        let came = stay
            .arrived_at
            .or(stay.checked_in_at)
            .map_or(day, |at| world.calendar.day(at));
        let nights = u16::try_from(day.saturating_sub(came)).unwrap_or(0);
        let habits = std::mem::take(&mut self.routine).summary();
        let summary = evidence.summary(&world.property.id, stay, day, nights, habits);
        out.learnt = stay.guest.clone().zip(summary);
        self.close(stay, "checked-out", out);
    }

    fn stay_dropped(&mut self, world: World<'_>, stay: &Stay, out: &mut Outcome) {
        let mut climate = std::mem::take(&mut self.climate);
        let readiness = climate.void_promise(&self.view(world), ReadinessVerdict::NoArrival);
        self.climate = climate;
        readiness
            .into_iter()
            .for_each(|r| out.report(Report::Readiness(Box::new(r))));
        self.close(stay, "stay-will-not-be", out);
    }

    fn close(&mut self, stay: &Stay, rule: &'static str, out: &mut Outcome) {
        self.climate.stay_ended();
        self.signs = Signs::default();
        let reports = self
            .requests
            .withdraw_stay(&stay.token, &Because::rule(rule).with("stay", &stay.token));
        reports.into_iter().for_each(|report| out.report(report));
    }

    fn learn(&mut self, world: World<'_>, out: &mut Outcome) {
        let Some(stay) = self.stays.current.clone() else { return };
        self.evidence.end_night(world.calendar, world.now);
        for point in self.evidence.take_settled(world.now) {
            let answer = attribute_answer(world, Some(&stay), &self.evidence, point);
            let report = answer.and_then(|answer| self.evidence.report(&world.setup.id, &stay, point, &answer, false));
            report
                .into_iter()
                .for_each(|report| out.report(Report::Preference(Box::new(report))));
        }
    }

    // --- decide ------------------------------------------------------------------------------------------------------

    /// Everything that follows by itself from what is known now.
    fn settle(&mut self, world: World<'_>, out: &mut Outcome) {
        self.devices.begin(world.now);
        self.occupancy.advance(self.senses(world), world.now);
        self.tell_presence(world, out);
        self.learn(world, out);
        self.no_show(world, out);
        self.decide_climate(world, out);
        self.tell_again(world, out);
        self.serve(world, out);
        let calls = self
            .safety
            .advance(world.now, &world.property.policies, &world.setup.id);
        calls.into_iter().for_each(|call| out.report(call));
    }

    fn tell_presence(&mut self, world: World<'_>, out: &mut Outcome) {
        let presence = self.occupancy.presence(world.now);
        if has_presence(world.setup) && self.presence_told != Some(presence) {
            self.presence_told = Some(presence);
            out.save(SaveWhen::Now);
            out.note(world, self.occupancy.because(world.now));
        }
    }

    fn no_show(&mut self, world: World<'_>, out: &mut Outcome) {
        let after = world.property.policies.arrival.no_show_after;
        let is_late = |stay: &Stay| stay.eta.is_some_and(|eta| world.now.since(eta) >= after);
        if self.stays.current.is_none()
            && self.stays.next_due().is_some_and(is_late)
            && let Some(stay) = self.stays.give_up_next()
        {
            out.save(SaveWhen::Now);
            self.stay_dropped(world, &stay, out);
        }
    }

    fn decide_climate(&mut self, world: World<'_>, out: &mut Outcome) {
        let mut climate = std::mem::take(&mut self.climate);
        let mut thermal = std::mem::take(&mut self.thermal);
        let decision = climate.decide(&self.view(world), &mut thermal);
        (self.climate, self.thermal) = (climate, thermal);
        self.carry_out(world, decision, out);
    }

    fn carry_out(&mut self, world: World<'_>, decision: Decision, out: &mut Outcome) {
        let is_entered = decision.entered.is_some();
        if let Some(because) = decision.entered {
            out.save(SaveWhen::Now);
            out.note(world, because);
        }
        decision
            .readiness
            .into_iter()
            .for_each(|r| out.report(Report::Readiness(Box::new(r))));
        let climate = world.setup.actuator(Point::TargetTemperature).map(|(device, _)| device);
        if let (Some(device), Some(mode)) = (climate, decision.wake) {
            self.wake(world, device, mode, out);
        }
        match (climate, decision.set) {
            (Some(device), Some((value, purpose, because))) => {
                self.want(
                    world,
                    device,
                    Point::TargetTemperature,
                    Value::Temperature(value),
                    purpose,
                    because,
                    out,
                );
            }
            // Nothing is wanted while somebody else decides; a guest's own setting that is being put back stays wanted.
            (Some(device), None) if self.climate.phase != Phase::Living => {
                self.shadow.release(&device.id, Point::TargetTemperature);
            }
            _ => {}
        }
        if is_entered && matches!(self.climate.phase, Phase::Preparing { .. } | Phase::Held { .. }) {
            self.prepare_bed(world, out);
        }
        if let (Some(device), Some(because)) = (climate, decision.is_stuck) {
            self.recurring(world, device, Need::CannotReach, "cannot-reach", true, because, out);
        }
    }

    fn wake(&mut self, world: World<'_>, device: &DeviceSetup, mode: HvacMode, out: &mut Outcome) {
        let because = Because::rule("unit-found-off");
        self.want(
            world,
            device,
            Point::Power,
            Value::Flag(true),
            Purpose::Prepare,
            because.clone(),
            out,
        );
        self.want(
            world,
            device,
            Point::HvacMode,
            Value::Hvac(mode),
            Purpose::Prepare,
            because,
            out,
        );
    }

    /// The bed as this guest sets it; only before the guest is in, and only when something is known.
    fn prepare_bed(&mut self, world: World<'_>, out: &mut Outcome) {
        let stay = self.stays.foremost().cloned();
        let answer = attribute_answer(world, stay.as_ref(), &self.evidence, Point::Firmness);
        let Some(answer) = answer.filter(|a| a.from != "population" && world.property.policies.prepare_firmness) else {
            return;
        };
        let Some((device, _)) = world.setup.actuator(Point::Firmness) else {
            return;
        };
        let Some(value) = in_unit(Point::Firmness, answer.hundredths) else {
            return;
        };
        let because = Because::rule("bed-as-this-guest-sets-it")
            .with("preferred_from", answer.from)
            .with("earlier_stays", answer.stays)
            .with("within_one", (answer.within_one * 100.0).round() / 100.0);
        self.want(world, device, Point::Firmness, value, Purpose::Prepare, because, out);
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "each is a part of the one sentence that a command is"
    )]
    fn want(
        &mut self,
        world: World<'_>,
        device: &DeviceSetup,
        point: Point,
        value: Value,
        purpose: Purpose,
        because: Because,
        out: &mut Outcome,
    ) {
        let Some(ability) = device.abilities.iter().find(|a| a.point == point) else {
            return;
        };
        let shown = self.devices.value(&device.id, point).cloned();
        let wish = Wish {
            device,
            ability,
            value,
            purpose,
            because,
        };
        let command = self
            .shadow
            .want(world.now, &world.setup.id, &world.property.limits, shown.as_ref(), wish);
        command.into_iter().for_each(|command| out.command(command));
    }

    fn tell_again(&mut self, world: World<'_>, out: &mut Outcome) {
        let devices = &self.devices;
        let shown = |device: &DeviceId, point| devices.value(device, point).cloned();
        let (commands, given_up) = self
            .shadow
            .advance(world.now, &world.setup.id, &world.setup.devices, shown);
        commands.into_iter().for_each(|command| out.command(command));
        for (id, point) in given_up {
            let Some(device) = world.setup.devices.iter().find(|d| d.id == id) else {
                continue;
            };
            let because = Because::rule("device-does-not-obey")
                .with("device", &id)
                .with("point", point);
            self.recurring(world, device, Need::CannotReach, "cannot-reach", true, because, out);
        }
    }

    /// Requests that follow from the stay, the hour and the devices' health.
    fn serve(&mut self, world: World<'_>, out: &mut Outcome) {
        self.serve_arrival(world, out);
        self.serve_routine(world, out);
        self.serve_health(world, out);
        let barred = self.barred(world);
        self.requests
            .advance(world.now, barred)
            .into_iter()
            .for_each(|report| out.report(report));
    }

    fn serve_arrival(&mut self, world: World<'_>, out: &mut Outcome) {
        let (policies, Some(stay)) = (&world.property.policies, self.stays.next_due()) else {
            return;
        };
        if world.setup.out_of_order || arrival::due_at(policies, stay).is_none_or(|at| at > world.now) {
            return;
        }
        let guest = stay.guest.as_ref().and_then(|g| world.guests.get(g));
        let draft = arrival::draft(&world.setup.id, stay, guest);
        let report = draft.and_then(|draft| self.requests.raise(world.now, policies, draft));
        report.into_iter().for_each(|report| out.report(report));
    }

    fn serve_routine(&mut self, world: World<'_>, out: &mut Outcome) {
        let (policies, Some(stay)) = (&world.property.policies, self.stays.current.clone()) else {
            return;
        };
        if stay.arrived_at.is_none() {
            return;
        }
        let guest = stay.guest.as_ref().and_then(|g| world.guests.get(g));
        self.routine
            .plan(&policies.habits, world.calendar, world.now, &stay, guest);
        let may_ask = self.barred(world).is_none() && self.is_occupied(world);
        for expected in self
            .routine
            .take_due(&policies.habits, world.calendar, world.now, may_ask)
        {
            let draft = routine::draft(world.calendar, &world.setup.id, &stay, guest, &expected);
            let report = draft.and_then(|draft| self.requests.raise(world.now, policies, draft));
            report.into_iter().for_each(|report| out.report(report));
        }
    }

    fn serve_health(&mut self, world: World<'_>, out: &mut Outcome) {
        for device in &world.setup.devices {
            let since = self.devices.silent_since(world.now, device);
            let is_offline = since.is_some_and(|at| world.now.since(at) >= OFFLINE_GRACE);
            let is_told = self
                .requests
                .open_recurring(&maintenance::stem(&world.setup.id, &device.id, "offline"))
                .is_some();
            if is_offline != is_told && (is_offline || since.is_none()) {
                let because = Because::rule("device-silent")
                    .with("device", &device.id)
                    .with_some("since", since);
                self.recurring(world, device, Need::DeviceOffline, "offline", is_offline, because, out);
            }
        }
    }

    /// Why nobody may disturb now, if nobody may.
    fn barred(&self, world: World<'_>) -> Option<&'static str> {
        match self.occupancy.presence(world.now) {
            _ if self.signs.dnd => Some("do-not-disturb"),
            Presence::Asleep => Some("guest-asleep"),
            _ => None,
        }
    }

    // --- see ---------------------------------------------------------------------------------------------------------

    /// Whether somebody is, or may be, in. With a guest checked in, a sensor that is silent, or missing, means "may be".
    fn is_occupied(&self, world: World<'_>) -> bool {
        if self.stays.current.is_none() {
            return has_presence(world.setup) && self.occupancy.presence(world.now).is_occupied();
        }
        let is_blind = |d: &DeviceSetup| tells_presence(d) && self.devices.silent_since(world.now, d).is_some();
        !has_presence(world.setup)
            || self.occupancy.presence(world.now).is_occupied()
            || world.setup.devices.iter().any(is_blind)
    }

    fn senses<'a>(&self, world: World<'a>) -> Senses<'a> {
        let is_bed = |d: &&DeviceSetup| d.reports.contains(&Point::BedOccupied);
        let bed = world.setup.devices.iter().find(is_bed);
        let bed = bed.is_some_and(|d| self.devices.silent_since(world.now, d).is_none());
        Senses {
            bed,
            calendar: world.calendar,
        }
    }

    fn view<'a>(&'a self, world: World<'a>) -> View<'a> {
        let setups = &world.setup.devices;
        let stay = self.stays.foremost();
        let thermometer = setups
            .iter()
            .find(|d| self.devices.value(&d.id, Point::RoomTemperature).is_some());
        let is_fresh = thermometer.is_some_and(|d| self.devices.silent_since(world.now, d).is_none());
        let temperature = thermometer.and_then(|d| self.devices.value(&d.id, Point::RoomTemperature)?.temperature());
        let power = self.devices.first(setups, Point::Power).and_then(Value::flag);
        let mode = match self.devices.first(setups, Point::HvacMode) {
            Some(Value::Hvac(mode)) => Some(*mode),
            _ => None,
        };
        View {
            now: world.now,
            room: &world.setup.id,
            is_occupied: self.is_occupied(world),
            current: self.stays.current.as_ref(),
            due: self.stays.next_due(),
            temperature: temperature.filter(|_| is_fresh),
            preferred: answer(world, &ATTRIBUTES[0], stay, &self.evidence),
            policies: &world.property.policies,
            outdoor: world.outdoor,
            mode: if power == Some(false) {
                Some(HvacMode::Off)
            } else {
                mode
            },
            out_of_order: world.setup.out_of_order,
        }
    }
}

impl Outcome {
    fn command(&mut self, command: Command) {
        self.save(SaveWhen::Now);
        self.effects.push(Effect::Command(Box::new(command)));
    }

    fn report(&mut self, report: Report) {
        self.save(SaveWhen::Now);
        self.effects.push(Effect::Report(report));
    }

    fn note(&mut self, world: World<'_>, because: Because) {
        self.effects.push(Effect::Note {
            room: world.setup.id.clone(),
            because,
        });
    }

    fn refuse(&mut self, reason: &'static str, what: String) {
        self.effects.push(Effect::Refuse(Refusal {
            reason: reason.into(),
            what,
        }));
    }

    fn save(&mut self, when: SaveWhen) {
        self.save = self.save.max(Some(when));
    }

    /// Closes the room's turn: if anything changed, the room is to be kept.
    pub fn close(&mut self, setup: &RoomSetup) {
        if let Some(when) = self.save.take() {
            self.effects.push(Effect::Save {
                key: Key::Room(setup.id.clone()),
                when,
            });
        }
    }
}

fn answer(world: World<'_>, attribute: &Attribute, stay: Option<&Stay>, evidence: &Evidence) -> Answer {
    let guest = stay.and_then(|s| s.guest.as_ref()).and_then(|g| world.guests.get(g));
    let usual = match attribute.point {
        Point::TargetTemperature => world.property.policies.comfort.hundredths(),
        _ => 5000,
    };
    // The stay in progress teaches only about its own guest, not about the one who comes next.
    let shown = stay
        .filter(|s| s.checked_in_at.is_some())
        .and_then(|_| evidence.of(attribute.point));
    preference::answer(attribute, guest, stay, shown, usual, world.calendar.day(world.now))
}

fn attribute_answer(world: World<'_>, stay: Option<&Stay>, evidence: &Evidence, point: Point) -> Option<Answer> {
    preference::attribute(point).map(|attribute| answer(world, attribute, stay, evidence))
}

/// What a presence point says of people, if anything.
fn sign_of(role: DeviceRole, point: Point, news: &News) -> Option<Sign> {
    let is_door = matches!(role, DeviceRole::Plain | DeviceRole::Door);
    match point {
        _ if role == DeviceRole::Apart => None,
        Point::BedOccupied if news.is_change() => news.after.flag().map(Sign::Bed),
        _ if !news.is_live => None,
        Point::Open if is_door && news.is_change() && (news.before.is_some() || news.after == Value::Flag(true)) => {
            Some(Sign::Door)
        }
        Point::Occupied | Point::Vibration => (news.after == Value::Flag(true)).then_some(Sign::Motion),
        Point::KeyCard if news.turned(true) => Some(Sign::Hand),
        Point::KeyCard if news.turned(false) => Some(Sign::Door),
        Point::Deadbolt | Point::ButlerCall if news.turned(true) => Some(Sign::Hand),
        _ => None,
    }
}

fn tells_presence(device: &DeviceSetup) -> bool {
    let is_door = matches!(device.role, DeviceRole::Plain | DeviceRole::Door);
    device.role != DeviceRole::Apart
        && device.reports.iter().any(|point| match point {
            Point::Open => is_door,
            Point::Occupied | Point::BedOccupied | Point::KeyCard => true,
            _ => false,
        })
}

fn has_presence(setup: &RoomSetup) -> bool {
    setup.devices.iter().any(tells_presence)
}

fn has_door(setup: &RoomSetup) -> bool {
    setup
        .devices
        .iter()
        .any(|d| tells_presence(d) && d.reports.iter().any(|p| matches!(p, Point::Open | Point::KeyCard)))
}
