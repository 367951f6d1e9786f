//! What follows from what is known now: for devices, for people, for central?

use super::see::{answer, has_presence};
use super::watch::Care;
use super::{Outcome, Room, World};
use crate::engine::climate::{Decision, Phase};
use crate::engine::devices::OFFLINE_GRACE;
use crate::engine::evidence::in_unit;
use crate::engine::occupancy::Presence;
use crate::engine::requests::{arrival, confirm, routine};
use crate::engine::shadow::Wish;
use crate::engine::stay::Stay;
use crate::model::{
    Attribute, Because, DeviceId, DeviceSetup, Exemption, HvacMode, Item, Moment, Need, Point, Purpose, Report,
    SaveWhen, Value,
};

impl Room {
    /// Everything that follows by itself from what is known now.
    pub(super) fn settle(&mut self, world: World<'_>, out: &mut Outcome) {
        self.devices.begin(world.now);
        self.end_exemption(world, out);
        self.look_up(world, false);
        let was_vacant = self.occupancy.presence(world.now) == Presence::Vacant;
        if self.occupancy.advance(self.senses(world), world.now) {
            out.save(SaveWhen::Soon);
        }
        if was_vacant && self.occupancy.presence(world.now) != Presence::Vacant && !world.beyond.is_open {
            self.health.came_unseen();
        }
        self.tell_presence(world, out);
        self.learn(world, out);
        self.no_show(world, out);
        self.follow_suite(world, out);
        self.decide_climate(world, out);
        self.tell_again(world, out);
        self.serve(world, out);
        let calls = self
            .safety
            .advance(world.now, &world.property.policies, &world.setup.id);
        calls.into_iter().for_each(|call| out.report(call));
    }

    pub(super) fn tell_presence(&mut self, world: World<'_>, out: &mut Outcome) {
        let presence = self.occupancy.presence(world.now);
        if has_presence(world.setup) && self.presence_told != Some(presence) {
            self.presence_told = Some(presence);
            out.save(SaveWhen::Now);
            out.note(world, self.occupancy.because(self.senses(world), world.now));
        }
    }

    pub(super) fn no_show(&mut self, world: World<'_>, out: &mut Outcome) {
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

    pub(super) fn decide_climate(&mut self, world: World<'_>, out: &mut Outcome) {
        let mut climate = std::mem::take(&mut self.climate);
        let mut thermal = std::mem::take(&mut self.thermal);
        let decision = climate.decide(&self.view(world), &mut thermal);
        (self.climate, self.thermal) = (climate, thermal);
        self.carry_out(world, decision, out);
    }

    pub(super) fn carry_out(&mut self, world: World<'_>, decision: Decision, out: &mut Outcome) {
        let is_entered = decision.entered.is_some();
        if let Some(because) = decision.entered {
            out.save(SaveWhen::Now);
            out.note(world, because);
        }
        out.lessons.extend(decision.lesson);
        if let Some(page) = decision.page {
            out.note(world, page);
        }
        decision
            .readiness
            .into_iter()
            .for_each(|r| out.report(Report::Readiness(Box::new(r))));
        let climate = world.setup.actuator(Point::TargetTemperature).map(|(device, _)| device);
        if let (Some(device), Some(mode)) = (climate, decision.wake) {
            self.wake(world, device, mode, out);
        }
        if let (Some((device, _)), Some((mode, purpose, because))) =
            (world.setup.actuator(Point::HvacMode), decision.mode)
        {
            self.want(world, device, Point::HvacMode, Value::Hvac(mode), purpose, because, out);
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
        self.hold_output(world, out);
        if is_entered {
            match self.climate.phase {
                Phase::Preparing { .. } | Phase::Held { .. } => self.prepare_bed(world, out),
                // What the bed was told in vain is not carried out under whoever lies in it.
                _ => self.leave_bed(world),
            }
        }
        if let (Some(device), Some(because)) = (climate, decision.is_stuck) {
            self.recurring(world, device, Need::CannotReach, "cannot-reach", true, because, out);
        }
    }

    pub(super) fn wake(&mut self, world: World<'_>, device: &DeviceSetup, mode: HvacMode, out: &mut Outcome) {
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
    pub(super) fn prepare_bed(&mut self, world: World<'_>, out: &mut Outcome) {
        let stay = self.stays.foremost().cloned();
        let answer = answer(world, Attribute::Firmness, stay.as_ref(), &self.evidence);
        let (value, from) = answer.applied();
        if from == "population" || !world.property.policies.prepare_firmness {
            return;
        }
        let Some((device, _)) = world.setup.actuator(Point::Firmness) else {
            return;
        };
        let Some(value) = value.figure().and_then(|f| in_unit(Point::Firmness, f.hundredths())) else {
            return;
        };
        let because = Because::rule("bed-as-this-guest-sets-it")
            .with("preferred_from", from)
            .with("earlier_stays", answer.stays)
            .with("within_one", (answer.within * 100.0).round() / 100.0);
        self.want(world, device, Point::Firmness, value, Purpose::Prepare, because, out);
    }

    fn leave_bed(&mut self, world: World<'_>) {
        if let Some((device, _)) = world.setup.actuator(Point::Firmness) {
            self.shadow.release(&device.id, Point::Firmness);
        }
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "each is a part of the one sentence that a command is"
    )]
    pub(super) fn want(
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
        if self.is_exempt(world.now, Exemption::Locked) {
            return;
        }
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

    pub(super) fn tell_again(&mut self, world: World<'_>, out: &mut Outcome) {
        if self.is_exempt(world.now, Exemption::Locked) {
            // Nothing is told, and what was wanted before is wanted anew, or not, afterwards.
            return self.shadow.release_all();
        }
        let devices = &self.devices;
        let shown = |device: &DeviceId, point| devices.value(device, point).cloned();
        let commands = self
            .shadow
            .advance(world.now, &world.setup.id, &world.setup.devices, shown);
        commands.into_iter().for_each(|command| out.command(command));
    }

    /// Requests that follow from the stay, the hour and the devices' health.
    pub(super) fn serve(&mut self, world: World<'_>, out: &mut Outcome) {
        self.serve_arrival(world, out);
        self.ask_once(world, out);
        self.serve_routine(world, out);
        self.serve_health(world, out);
        self.watch_over(world, out);
        let barred = self.barred(world);
        self.requests
            .advance(world.now, barred)
            .into_iter()
            .for_each(|report| out.report(report));
    }

    pub(super) fn serve_arrival(&mut self, world: World<'_>, out: &mut Outcome) {
        let (policies, Some(stay)) = (&world.property.policies, self.stays.next_due()) else {
            return;
        };
        if self.is_out_of_order(world) || arrival::due_at(policies, stay).is_none_or(|at| at > world.now) {
            return;
        }
        let guest = stay.guest.as_ref().and_then(|g| world.guests.get(g));
        let (pillow, from) = answer(world, Attribute::Pillow, Some(stay), &self.evidence).applied();
        let pillow = pillow.choice().filter(|_| from != "population");
        let pillow = pillow.and_then(|choice| Item::new(format!("pillow-{}", choice.word())).ok());
        let draft = arrival::draft(&world.setup.id, stay, guest, pillow);
        let report = draft.and_then(|draft| self.requests.raise(world.now, policies, draft));
        report.into_iter().for_each(|report| out.report(report));
    }

    /// Once a stay, and never at night, the guest is asked whether it is as last time.
    pub(super) fn ask_once(&mut self, world: World<'_>, out: &mut Outcome) {
        let Some(stay) = self.stays.current.clone() else { return };
        let is_in = stay.arrived_at.is_some() && self.is_occupied(world) && self.barred(world).is_none();
        if !self.confirm.may_ask(world.calendar, world.now, is_in) {
            return;
        }
        let is_untouched = |attribute: &Attribute| self.evidence.of(*attribute, &stay).device.is_none();
        let doubted = confirm::ASKED_ABOUT
            .into_iter()
            .filter(is_untouched)
            .filter_map(|attribute| {
                let answer = answer(world, attribute, Some(&stay), &self.evidence);
                Some((confirm::doubt(&answer)?, answer))
            });
        // Of equal doubts the first attribute's: it is what a guest notices first.
        let Some((why, answer)) = doubted.reduce(|a, b| if b.0 > a.0 { b } else { a }) else {
            return;
        };
        self.confirm.put(answer.attribute);
        let report = self.evidence.question(&world.setup.id, &stay, &answer, why);
        out.report(Report::Preference(Box::new(report)));
    }

    /// What is expected of the guest's evening: told, offered, brought, taken back.
    pub(super) fn serve_routine(&mut self, world: World<'_>, out: &mut Outcome) {
        let (policies, Some(stay)) = (&world.property.policies, self.stays.current.clone()) else {
            return;
        };
        let is_in = stay.arrived_at.is_some() && self.is_occupied(world);
        let look = routine::Look {
            now: world.now,
            calendar: world.calendar,
            room: &world.setup.id,
            stay: &stay,
            guest: stay.guest.as_ref().and_then(|g| world.guests.get(g)),
            is_asleep: self.sleeps(world),
            barred: self.barred(world).or((!is_in).then_some("guest-is-out")),
        };
        for act in self.routine.advance(&policies.habits, look) {
            let report = match act {
                routine::Act::Raise(id, foreseen, tier) => {
                    let (day, _) = routine::place(world.calendar, &stay, world.now);
                    let draft = routine::draft(look, day, id, &foreseen, tier, &policies.habits);
                    self.requests.foresee(world.now, policies, draft, routine::state(tier))
                }
                routine::Act::Withdraw(id, rule) => self.requests.withdraw(&id, Because::rule(rule)),
            };
            report.into_iter().for_each(|report| out.report(report));
        }
    }

    pub(super) fn serve_health(&mut self, world: World<'_>, out: &mut Outcome) {
        for device in &world.setup.devices {
            if self.devices.is_cut_off(&device.id) {
                // What stands of it stands: nobody can tell until its link is up again.
                continue;
            }
            let since = self.devices.missing_since(world.now, device);
            let care = Care {
                need: Need::DeviceOffline,
                device: Some(&device.id),
                what: "offline",
                is_due: since.is_some_and(|at| world.now.since(at) >= OFFLINE_GRACE),
                is_over: since.is_none(),
            };
            let because = |_: &Room| {
                Because::rule("device-silent")
                    .with("device", &device.id)
                    .with_some("since", since)
            };
            self.look_after(world, &care, because, out);
        }
    }

    /// Whether the room's guest sleeps, here or in another room of the suite.
    pub(super) fn sleeps(&self, world: World<'_>) -> bool {
        self.occupancy.presence(world.now) == Presence::Asleep || world.beyond.suite_sleeps
    }

    /// Why nobody may disturb now, if nobody may.
    pub(super) fn barred(&self, world: World<'_>) -> Option<&'static str> {
        self.barred_itself(world.now).or(world.beyond.barred)
    }

    /// The same, for all that can be seen in this room alone.
    pub(super) fn barred_itself(&self, now: Moment) -> Option<&'static str> {
        match self.occupancy.presence(now) {
            _ if self.signs.dnd => Some("do-not-disturb"),
            Presence::Asleep => Some("guest-asleep"),
            _ => None,
        }
    }
}
