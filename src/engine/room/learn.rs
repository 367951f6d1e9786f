//! Who changed this setting, and what does the stay show of the guest?

use super::see::{answer, has_presence};
use super::{Outcome, Room, Signs, World};
use crate::engine::devices::News;
use crate::engine::evidence::{Evidence, arriving_until};
use crate::engine::occupancy::Sign;
use crate::engine::preference::{Guest, Tag};
use crate::engine::requests::confirm::{Confirm, Worth};
use crate::engine::shadow::{Judgement, Outcome as Ended};
use crate::engine::stay::{Stay, Turn};
use crate::model::{
    Attribute, Because, Celsius, ConfirmNotice, DeviceSetup, GuestToken, Point, ReadinessVerdict, Report, Said,
    SaveWhen, StayToken, Value,
};

impl Room {
    pub(super) fn setting(
        &mut self,
        world: World<'_>,
        device: &DeviceSetup,
        point: Point,
        news: &News,
        out: &mut Outcome,
    ) {
        if !device.guest_points.contains(&point) && !device.abilities.iter().any(|a| a.point == point) {
            return;
        }
        let before = self.shadow.outcome(&device.id, point);
        let judged = self.shadow.judge(world.now, device, point, news);
        match judged {
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
        if judged == Judgement::Device(Ended::Reverted) && !self.is_occupied(world) {
            self.shadow.insist(&device.id, point, world.now);
        }
    }

    /// Somebody turned a dial. With a guest checked in it is the guest; else it is staff, who are left alone while in.
    pub(super) fn by_hand(
        &mut self,
        world: World<'_>,
        device: &DeviceSetup,
        point: Point,
        value: &Value,
        out: &mut Outcome,
    ) {
        self.shadow.overridden(&device.id, point);
        self.sign(world, Sign::Hand, out);
        out.save(SaveWhen::Now);
        let rule = if self.is_let(world) {
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
            // In a room that goes with another's stay it holds for this room; what the stay shows is seen in that one.
            match self.cover(world) {
                Some(_) => self.respect(point, value),
                None => self.climate.suspend(world.now),
            }
            return;
        };
        self.evidence.act(world.now, stay, point, value);
        self.confirm.hand();
        self.respect(point, value);
    }

    /// Changed while nobody listened. With a guest there it is respected as the guest's, but nothing is learnt from it; in a room
    /// that no guest has come to, it is a device that began anew, and is told what is wanted.
    pub(super) fn found(
        &mut self,
        world: World<'_>,
        device: &DeviceSetup,
        point: Point,
        value: &Value,
        out: &mut Outcome,
    ) {
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
        } else {
            self.shadow.begin_anew(&device.id, point);
        }
    }

    pub(super) fn respect(&mut self, point: Point, value: &Value) {
        match (point, value) {
            (Point::TargetTemperature, Value::Temperature(t)) => self.climate.chosen(*t),
            (Point::HvacMode, Value::Hvac(mode)) => self.climate.mode_chosen(*mode),
            (Point::Power, Value::Flag(on)) => self.climate.switched(!on),
            _ => {}
        }
    }

    pub(super) fn turned(&mut self, world: World<'_>, turn: Turn, out: &mut Outcome) {
        out.save(SaveWhen::Now);
        match turn {
            Turn::Expected => self.routine.replan(),
            Turn::CheckedIn => {
                self.routine.replan();
                self.occupancy.let_to_guest(self.senses(world), world.now);
                if !has_presence(world.setup) {
                    self.arrive(world, out);
                }
            }
            Turn::Ended(stay) => {
                self.occupancy.given_back(world.now);
                self.stay_ended(world, &stay, out);
            }
            Turn::Dropped(stay) => self.stay_dropped(world, &stay, out),
        }
        self.settle(world, out);
    }

    pub(super) fn stay_ended(&mut self, world: World<'_>, stay: &Stay, out: &mut Outcome) {
        let mut evidence = std::mem::take(&mut self.evidence);
        for attribute in evidence.attributes() {
            let answer = answer(world, attribute, Some(stay), &evidence);
            let report = evidence.report(&world.setup.id, stay, &answer, true);
            report
                .into_iter()
                .for_each(|report| out.report(Report::Preference(Box::new(report))));
        }
        let day = world.calendar.day(world.now);
        let came = stay.arrived_at.into_iter().chain(stay.checked_in_at).min();
        let came = came.map_or(day, |at| world.calendar.day(at));
        let nights = u16::try_from(day.saturating_sub(came)).unwrap_or(0);
        self.confirm = Confirm::default();
        let evenings = std::mem::take(&mut self.routine).evenings();
        let left_alone = self.left_alone(world, stay, &evidence);
        let summary = evidence.summary(&world.property.id, stay, (day, nights), &left_alone, evenings);
        out.finished.clone_from(&summary);
        out.learnt = stay.guest.clone().zip(summary);
        self.close(&stay.token, "checked-out", out);
    }

    /// The set-points that were kept for this guest and never touched: on coming in, and afterwards.
    fn left_alone(&self, world: World<'_>, stay: &Stay, evidence: &Evidence) -> Vec<(Attribute, Celsius)> {
        let is_kept = stay.arrived_at.is_some() && world.setup.actuator(Point::TargetTemperature).is_some();
        let has_lived = arriving_until(stay).is_some_and(|until| until <= world.now);
        let kept = |attribute: Attribute, is_untouched: bool| {
            let (value, from) = answer(world, attribute, Some(stay), evidence).applied();
            // What nothing is known of was not kept for coming in: the room was prepared for being in.
            let is_own = attribute == Attribute::TargetTemperature || from != "population";
            let figure = value.figure().filter(|_| is_kept && is_untouched && is_own)?;
            Some((attribute, Celsius::from_hundredths(figure.hundredths())))
        };
        let untouched = [
            (Attribute::ArrivalTemperature, has_lived),
            (Attribute::TargetTemperature, self.climate.choice.is_none()),
        ];
        let untouched = untouched.into_iter();
        untouched
            .filter_map(|(attribute, is_untouched)| kept(attribute, is_untouched))
            .collect()
    }

    /// What was known of a guest who is in, or was to come, is erased up to a day.
    pub fn guest_erased(&mut self, world: World<'_>, guest: &GuestToken, up_to: i32, out: &mut Outcome) {
        let current = self
            .stays
            .current
            .as_ref()
            .filter(|stay| stay.guest.as_ref() == Some(guest));
        let came = current.and_then(|stay| stay.arrived_at.or(stay.checked_in_at));
        if came.is_some_and(|at| world.calendar.day(at) <= up_to) {
            self.evidence.erase();
        }
        let because = Because::rule("guest-is-erased").with("up_to_day", up_to);
        out.note(world, because);
        out.save(SaveWhen::Now);
    }

    /// Whose likes are to be asked about before they are applied: told for the guest who is in, or comes next.
    pub fn tell_dormant(&mut self, world: World<'_>, out: &mut Outcome) {
        let guest = self.stays.foremost().and_then(|stay| stay.guest.as_ref());
        let Some(guest) = guest.and_then(|token| world.guests.get(token)) else {
            return;
        };
        let today = world.calendar.day(world.now);
        let attributes = guest.attributes();
        let dormant = attributes
            .into_iter()
            .filter(|attribute| guest.is_dormant(*attribute, today));
        let dormant: Vec<Attribute> = dormant.collect();
        if dormant.is_empty() {
            return;
        }
        let words: Vec<&str> = dormant.iter().map(|attribute| attribute.word()).collect();
        out.note(
            world,
            Because::rule("like-is-dormant").with("attributes", words.join(" ")),
        );
        self.announce_dormant(world, guest, dormant, out);
    }

    /// Tells central of likes that sleep: once each, until something new is heard of them.
    fn announce_dormant(&mut self, world: World<'_>, guest: &Guest, dormant: Vec<Attribute>, out: &mut Outcome) {
        let Some(stay) = self.stays.foremost().cloned() else {
            return;
        };
        let mut told = Vec::new();
        for attribute in dormant
            .into_iter()
            .filter(|attribute| !guest.is_told_dormant(*attribute))
        {
            let answer = answer(world, attribute, Some(&stay), &self.evidence);
            // What this stay has shown since has woken it.
            if answer.tags.contains(&Tag::Dormant) {
                let report = self.evidence.sleeping(&world.setup.id, &stay, &answer);
                out.report(Report::Preference(Box::new(report)));
                told.push(attribute);
            }
        }
        out.told_dormant = stay.guest.zip((!told.is_empty()).then_some(told));
    }

    /// The guest in the room says what is wanted, unasked: evidence of this stay. A question that was put about it is thereby
    /// answered.
    pub fn guest_says(&mut self, world: World<'_>, attribute: Attribute, said: Said, out: &mut Outcome) {
        self.evidence.say(attribute, said);
        self.confirm.answered(attribute);
        out.save(SaveWhen::Now);
        self.settle(world, out);
    }

    pub(super) fn stay_dropped(&mut self, world: World<'_>, stay: &Stay, out: &mut Outcome) {
        let mut climate = std::mem::take(&mut self.climate);
        let readiness = climate.void_promise(&self.view(world), ReadinessVerdict::NoArrival);
        self.climate = climate;
        readiness
            .into_iter()
            .for_each(|r| out.report(Report::Readiness(Box::new(r))));
        self.close(&stay.token, "stay-will-not-be", out);
    }

    pub(super) fn close(&mut self, stay: &StayToken, rule: &'static str, out: &mut Outcome) {
        self.climate.stay_ended();
        self.signs = Signs::default();
        let reports = self
            .requests
            .withdraw_stay(stay, &Because::rule(rule).with("stay", stay));
        reports.into_iter().for_each(|report| out.report(report));
    }

    /// The guest has answered central's question. The value counts at once, unless the guest's own hand came before it.
    pub(super) fn confirmed(&mut self, world: World<'_>, notice: &ConfirmNotice, out: &mut Outcome) {
        let worth = self.confirm.answered(notice.attribute);
        let value = notice.value.filter(|said| notice.attribute.takes(*said));
        let rule = match (worth, value) {
            (Worth::Unasked, _) => return out.refuse("question_unknown", notice.stay.to_string()),
            (_, None) => "guest-would-not-say",
            (Worth::TooLate, _) => "hand-came-before-the-answer",
            (Worth::Word, Some(_)) => "guest-confirmed",
        };
        out.save(SaveWhen::Now);
        out.note(
            world,
            Because::rule(rule)
                .with("attribute", notice.attribute)
                .with_some("value", value.map(Said::scalar)),
        );
        if let (Worth::Word, Some(said), Some(stay)) = (worth, value, self.stays.current.clone()) {
            self.evidence.confirm(notice.attribute, said);
            let answer = answer(world, notice.attribute, Some(&stay), &self.evidence);
            let report = self.evidence.report(&world.setup.id, &stay, &answer, false);
            report
                .into_iter()
                .for_each(|report| out.report(Report::Preference(Box::new(report))));
        }
        self.settle(world, out);
    }

    pub(super) fn learn(&mut self, world: World<'_>, out: &mut Outcome) {
        let Some(stay) = self.stays.current.clone() else { return };
        let is_asleep = self.sleeps(world);
        self.evidence.sleeps(world.calendar, world.now, is_asleep);
        self.evidence.end_night(world.calendar, world.now);
        for attribute in self.evidence.take_settled(world.now) {
            let answer = answer(world, attribute, Some(&stay), &self.evidence);
            let report = self.evidence.report(&world.setup.id, &stay, &answer, false);
            report
                .into_iter()
                .for_each(|report| out.report(Report::Preference(Box::new(report))));
        }
    }
}
