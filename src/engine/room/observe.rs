//! What does this reading say of the people and the devices in the room?

use super::see::has_door;
use super::{Outcome, Room, World};
use crate::engine::devices::News;
use crate::engine::free::WALKED_IN_WITHIN;
use crate::engine::health::Sight;
use crate::engine::lessons::Lesson;
use crate::engine::occupancy::{Presence, Sign};
use crate::engine::requests::{maintenance, make_up_room, safety};
use crate::model::{
    Because, DeviceRole, DeviceSetup, Moment, Need, Point, PointRole, Reading, Report, SaveWhen, Value,
};

/// A battery that recovered by so much was changed (hundredths of a percent).
const BATTERY_RECOVERED: i32 = 1000;

impl Room {
    pub(super) fn observe(&mut self, world: World<'_>, reading: &Reading, news: &News, out: &mut Outcome) {
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

    pub(super) fn presence_sign(
        &mut self,
        world: World<'_>,
        device: &DeviceSetup,
        point: Point,
        news: &News,
        out: &mut Outcome,
    ) {
        match point {
            Point::Dnd => self.door_wish(world, Point::Dnd, news, out),
            Point::MakeUpRoom => self.door_wish(world, Point::MakeUpRoom, news, out),
            Point::Action => self.button(world, device, news, out),
            _ => {}
        }
        let sign = match (point, news.after.flag()) {
            (Point::Occupied, Some(somebody)) if device.role != DeviceRole::Apart => {
                sight_sign(self.health.sees(world.now, &device.id, somebody, news.is_live))
            }
            _ => sign_of(device.role, point, news),
        };
        if let Some(sign) = sign {
            self.sign(world, sign, out);
        }
    }

    /// A door moved in a room beyond an open connecting door, or that door itself did, and its contact is there.
    pub fn passage_beyond(&mut self, world: World<'_>, is_open: bool, out: &mut Outcome) {
        self.sign(world, Sign::Beyond(is_open), out);
        out.passed = None;
        self.settle(world, out);
    }

    pub(super) fn sign(&mut self, world: World<'_>, sign: Sign, out: &mut Outcome) {
        let senses = self.senses(world);
        self.occupancy.advance(senses, world.now);
        if let Sign::Door(is_open) | Sign::Beyond(is_open) = sign {
            out.passed = Some(is_open);
        }
        let before = match self.occupancy.presence(world.now) {
            // Whoever comes from the room beyond needs no entrance door.
            _ if world.beyond.is_open => Presence::Occupied,
            presence => presence,
        };
        let is_heard = !self.is_restless(world, sign);
        if is_heard {
            self.see(world, sign);
        }
        self.health
            .sign(world.now, sign, before, self.occupancy.presence(world.now));
        self.look_up(world, is_heard);
        let is_coming = match sign {
            Sign::Door(_) | Sign::Beyond(_) | Sign::Hand | Sign::Bolt(_) | Sign::Bed(true) => true,
            Sign::Motion | Sign::Sees(true) => !has_door(world.setup),
            Sign::StillSees | Sign::Sees(false) | Sign::Bed(false) | Sign::Staff(_) => false,
        };
        out.save(match sign {
            Sign::Motion | Sign::Sees(_) | Sign::StillSees => SaveWhen::Soon,
            _ => SaveWhen::Now,
        });
        if is_coming {
            self.arrive(world, out);
        }
    }

    /// The guest comes in for the first time: what was promised is compared with what is.
    pub(super) fn arrive(&mut self, world: World<'_>, out: &mut Outcome) {
        let Some(stay) = self.stays.current.as_mut().filter(|stay| stay.arrived_at.is_none()) else {
            return;
        };
        stay.arrived_at = Some(world.now);
        out.lessons.push(Lesson::Came {
            channel: stay.channel.clone(),
            eta: stay.eta,
            at: world.now,
            minute: world.calendar.minute(world.now),
        });
        let has_walked_in = |(known, at): (Moment, Moment)| at.since(known) < WALKED_IN_WITHIN;
        if stay.known_at.zip(stay.checked_in_at).is_some_and(has_walked_in) {
            out.lessons.push(Lesson::WalkedIn {
                day: world.calendar.day(world.now),
                minute: world.calendar.minute(world.now),
            });
        }
        let mut climate = std::mem::take(&mut self.climate);
        let readiness = climate.arrived(&self.view(world));
        self.climate = climate;
        out.save(SaveWhen::Now);
        readiness
            .into_iter()
            .for_each(|r| out.report(Report::Readiness(Box::new(r))));
    }

    pub(super) fn door_wish(&mut self, world: World<'_>, point: Point, news: &News, out: &mut Outcome) {
        let Some(on) = news.after.flag() else { return };
        let is = if point == Point::Dnd {
            &mut self.signs.dnd
        } else {
            &mut self.signs.make_up_room
        };
        if std::mem::replace(is, on) == on {
            return;
        }
        if point == Point::Dnd && self.stays.current.is_some() {
            self.evidence.quiet(world.calendar, world.now, on);
        }
        out.save(SaveWhen::Now);
        if point == Point::MakeUpRoom {
            self.make_up_room(world, on, out);
        }
    }

    pub(super) fn button(&mut self, world: World<'_>, device: &DeviceSetup, news: &News, out: &mut Outcome) {
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
            is_sign_of_life: false,
            is_caught_up: false,
        };
        self.door_wish(world, *wish, &turn(!is), out);
        if !is {
            self.door_wish(world, other, &turn(false), out);
        }
    }

    pub(super) fn make_up_room(&mut self, world: World<'_>, on: bool, out: &mut Outcome) {
        let stay = self.stays.current.as_ref().or(self.cover(world));
        let stay = stay.map(|stay| stay.token.clone());
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

    pub(super) fn battery(
        &mut self,
        world: World<'_>,
        device: &DeviceSetup,
        point: Point,
        news: &News,
        out: &mut Outcome,
    ) {
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
        if !is_low && !self.requests.has_open() {
            // Nearly every word of a battery: it is well, and nobody has been told otherwise.
            return;
        }
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
    pub(super) fn recurring(
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
}

/// What a sensor of movement or presence says of people, if anything.
fn sight_sign(sight: Sight) -> Option<Sign> {
    match sight {
        Sight::Moves => Some(Sign::Motion),
        Sight::Begins => Some(Sign::Sees(true)),
        Sight::Ends => Some(Sign::Sees(false)),
        Sight::Lasts => Some(Sign::StillSees),
        Sight::Nothing => None,
    }
}

/// What another presence point says of people, if anything.
fn sign_of(role: DeviceRole, point: Point, news: &News) -> Option<Sign> {
    let is_door = matches!(role, DeviceRole::Plain | DeviceRole::Door);
    match point {
        _ if role == DeviceRole::Apart => None,
        Point::BedOccupied if news.is_change() => news.after.flag().map(Sign::Bed),
        _ if !news.is_live => None,
        Point::Open if is_door && news.is_change() && (news.before.is_some() || news.after == Value::Flag(true)) => {
            news.after.flag().map(Sign::Door)
        }
        Point::Open if role == DeviceRole::Connecting && news.is_change() => news
            .after
            .flag()
            .filter(|is_open| news.before.is_some() || *is_open)
            .map(Sign::Beyond),
        Point::Vibration => (news.after == Value::Flag(true)).then_some(Sign::Motion),
        Point::KeyCard if news.turned(true) => Some(Sign::Hand),
        // Whoever takes the card closes the door behind them.
        Point::KeyCard if news.turned(false) => Some(Sign::Door(false)),
        Point::StaffKey => news.after.flag().map(Sign::Staff),
        Point::Deadbolt if news.is_change() => news.after.flag().map(Sign::Bolt),
        Point::ButlerCall if news.turned(true) => Some(Sign::Hand),
        _ => None,
    }
}
