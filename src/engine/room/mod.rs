//! One room: let it observe, let it learn, let it decide.
//!
//! Always in that order: a decision taken before learning would overrule the guest's own hand. What comes in is in this
//! file; each of the three has its own, and `see` holds what all of them look at.

mod belongings;
mod blind;
mod decide;
mod exempt;
mod feel;
mod learn;
mod liked;
mod observe;
mod plant;
mod see;
mod standing;
mod suite;
mod vacancy;
mod watch;

pub use belongings::Belongings;
pub use see::usual;

use crate::engine::calendar::Calendar;
use crate::engine::climate::Climate;
use crate::engine::devices::{Devices, Taken};
use crate::engine::draught::Draught;
use crate::engine::evidence::{self, Evidence};
use crate::engine::health::Health;
use crate::engine::joined::Beyond;
use crate::engine::lessons::{Lesson, Lessons};
use crate::engine::occupancy::{Occupancy, Presence, Sign};
use crate::engine::power::Allotment;
use crate::engine::preference::{Answer, Guest, Population};
use crate::engine::requests::confirm::Confirm;
use crate::engine::requests::{Requests, arrival, routine, safety};
use crate::engine::shadow::Shadow;
use crate::engine::stay::{StayFault, Stays, Turn};
use crate::engine::thermal::Thermal;
use crate::engine::thermal::history::Rows;
use crate::engine::thermal::parameters::Belief;
use crate::model::{
    Attribute, Because, Celsius, Command, ConfirmNotice, DeviceId, Effect, GuestToken, Item, Key, Moment, Need,
    Percent, PriorSummary, Property, Purpose, Reading, Refusal, Report, RequestState, RequestStatus, RoomSetup,
    SaveWhen, ServiceRequest, StatusNotice, StayNotice, StayToken, WriteResult,
};
use liked::Liked;
use serde::{Deserialize, Serialize};
pub use standing::{Standing, State as StandingState};
use std::collections::BTreeMap;
use vacancy::Vacancy;

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
    /// How much of the sky is covered, if known.
    pub clouds: Option<Percent>,
    /// The mean air of the rooms beside it, if known.
    pub neighbours: Option<Celsius>,
    /// What stands beyond its open connecting doors, and in the rest of its suite.
    pub beyond: &'a Beyond,
    /// What is believed of a room of this property that has not been fitted.
    pub kin: Option<&'a Belief>,
    /// What the property has learnt.
    pub lessons: &'a Lessons,
    /// What is known of guests.
    pub guests: &'a BTreeMap<GuestToken, Guest>,
    /// What guests usually like here.
    pub population: &'a Population,
}

/// What a room wants done, and what it learnt of a guest.
#[derive(Default)]
pub struct Outcome {
    /// What it wants done.
    pub effects: Vec<Effect>,
    /// What a stay that ended has shown of a guest who is known.
    pub learnt: Option<(GuestToken, PriorSummary)>,
    /// What a stay that ended has shown, whoever the guest is.
    pub finished: Option<PriorSummary>,
    /// What central was told of a guest's likes: that they sleep.
    pub told_dormant: Option<(GuestToken, Vec<Attribute>)>,
    /// What the property can learn from it.
    pub lessons: Vec<Lesson>,
    /// Two hours of what the room was like, for its history.
    pub rows: Option<Rows>,
    /// A door of the room moved: opened or closed. Rooms beyond an open connecting door are to hear of it.
    pub passed: Option<bool>,
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
    health: Health,
    /// Whether it could tell that its guest has gone, when it was last looked at.
    sight: blind::Sight,
    presence_told: Option<Presence>,
    stays: Stays,
    climate: Climate,
    thermal: Thermal,
    power: Allotment,
    /// The unit was told to give no more than a share.
    is_held: bool,
    vacancy: Vacancy,
    draught: Draught,
    shadow: Shadow,
    evidence: Evidence,
    routine: routine::Routine,
    requests: Requests,
    safety: safety::Safety,
    confirm: Confirm,
    signs: Signs,
    exempt: exempt::Exempt,
    changed_at: Option<Moment>,
    /// The stay of its suite that the room goes with, and whether the guest is checked in.
    #[serde(skip_serializing_if = "Option::is_none")]
    follows: Option<(StayToken, bool)>,
    #[serde(skip)]
    liked: Liked,
}

impl Room {
    /// A device said something.
    pub fn reading(&mut self, world: World<'_>, reading: &Reading, out: &mut Outcome) {
        let was_silent = self.shadow.is_any_in_vain() && self.is_silent(world, &reading.device);
        match self.devices.take(world.now, reading) {
            Taken::Past => out.refuse("reading_past", format!("{} of {}", reading.point, reading.device)),
            Taken::Unlikely(is_worse) => {
                let value = reading.value.as_ref().map(ToString::to_string).unwrap_or_default();
                let what = format!("{} of {}: {value}", reading.point, reading.device);
                out.refuse("reading_unlikely", what);
                out.save(SaveWhen::Soon);
                if is_worse {
                    self.settle(world, out);
                }
            }
            Taken::Heard(false) => {}
            Taken::Heard(true) => {
                out.save(SaveWhen::Soon);
                self.settle(world, out);
            }
            Taken::News(news) => {
                if news.is_change() || news.is_sign_of_life {
                    out.save(SaveWhen::Soon);
                }
                if news.is_live {
                    self.feel(world, reading, out);
                }
                let is_awaited = self.shadow.awaits(&reading.device, reading.point);
                self.observe(world, reading, &news, out);
                if was_silent && news.is_live {
                    self.shadow.reached_again(&reading.device, world.now);
                }
                // A bridge repeats a device's whole state with every word of it. What says nothing new, and that nobody
                // waits for, is looked at once a minute: whatever time alone decides has a deadline of its own.
                if news.is_change() || news.is_sign_of_life || is_awaited || out.is_anything() {
                    // What is decided anew moves plans, and a restarted gateway must go by the same plans.
                    out.save(SaveWhen::Soon);
                    self.settle(world, out);
                }
            }
        }
    }

    fn is_silent(&self, world: World<'_>, device: &DeviceId) -> bool {
        let setup = world.setup.devices.iter().find(|setup| setup.id == *device);
        setup.is_some_and(|setup| self.devices.silent_since(world.now, setup).is_some())
    }

    /// A device came or went.
    pub fn availability(&mut self, world: World<'_>, device: &DeviceId, online: bool, out: &mut Outcome) {
        if self.devices.reach(world.now, device, online) {
            if online {
                self.shadow.reached_again(device, world.now);
            }
            out.save(SaveWhen::Soon);
            self.settle(world, out);
        }
    }

    /// The link to some of its devices, or the bridge before them, came or went.
    pub fn link(&mut self, world: World<'_>, devices: &[&DeviceId], up: bool, out: &mut Outcome) {
        let mut is_news = false;
        for device in devices {
            let is_new = self.devices.link(world.now, device, up);
            if is_new && up {
                self.shadow.reached_again(device, world.now);
            }
            is_news |= is_new;
        }
        if is_news {
            out.save(SaveWhen::Soon);
            self.settle(world, out);
        }
    }

    /// What became of a command on its way.
    pub fn written(&mut self, world: World<'_>, number: u64, result: &WriteResult, out: &mut Outcome) {
        let ended = self.shadow.written(world.now, number, result);
        out.save(SaveWhen::Soon);
        if let Some((device, point, outcome)) = ended {
            let because = Because::rule("write-ended").with("outcome", outcome.word());
            out.note(
                world,
                because
                    .with("device", device)
                    .with("point", point)
                    .with("command", number),
            );
        }
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

    /// What others say of a stay in this room; `brought` is what its guest brings from another one.
    ///
    /// # Errors
    /// Says why the notice is not taken; nothing has changed then.
    pub fn stay(
        &mut self,
        world: World<'_>,
        notice: &StayNotice,
        brought: Option<Belongings>,
        out: &mut Outcome,
    ) -> Result<(), StayFault> {
        let turn = self.stays.take(world.now, notice)?;
        if let (Turn::CheckedIn, Some(brought)) = (&turn, brought) {
            self.unpack(brought);
        }
        self.turned(world, turn, out);
        Ok(())
    }

    /// A stay goes to another room; `with_guest` says whether its guest is checked in there and has taken along what it showed.
    pub fn stay_leaves(
        &mut self,
        world: World<'_>,
        (token, version): (&StayToken, u64),
        with_guest: bool,
        out: &mut Outcome,
    ) {
        match self.stays.leave(token, version) {
            Some(Turn::Ended(stay)) if with_guest => {
                out.save(SaveWhen::Now);
                self.moved_out(world, &stay, out);
                self.settle(world, out);
            }
            Some(turn) => self.turned(world, turn, out),
            None => {}
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
        let request = self.requests.status(world.now, notice);
        let item = match &request {
            Some(request) if request.need == Need::Routine => self.anticipated(request),
            Some(_) => None,
            // Somebody else's request: what the guest asked for by himself comes before what is anticipated.
            None if notice.status != RequestStatus::Declined => notice.item.clone(),
            None => None,
        };
        if let (Some(item), Some(stay)) = (&item, &self.stays.current) {
            let at = notice.at.unwrap_or(world.now);
            self.routine.asked(world.calendar, stay, at, item);
        }
        let is_ours = is_emergency || request.is_some() || item.is_some();
        if is_ours {
            out.save(SaveWhen::Now);
            self.settle(world, out);
        }
        is_ours
    }

    /// What became of an anticipated wish. Returns the thing, when it was brought.
    fn anticipated(&mut self, request: &ServiceRequest) -> Option<Item> {
        match request.state {
            RequestState::Done => return request.items.first().cloned(),
            RequestState::Declined => self.routine.declined(&request.id),
            _ => self.routine.taken(&request.id),
        }
        None
    }

    /// The guest's answer to a question.
    pub fn answered(&mut self, world: World<'_>, notice: &ConfirmNotice, out: &mut Outcome) {
        let is_current = self
            .stays
            .current
            .as_ref()
            .is_some_and(|stay| stay.token == notice.stay);
        if is_current {
            self.confirmed(world, notice, out);
        } else {
            out.refuse("question_unknown", notice.stay.to_string());
        }
    }

    /// The time has come for something, or the property changed.
    pub fn advance(&mut self, world: World<'_>, out: &mut Outcome) {
        out.save(SaveWhen::Soon);
        self.tick(world, out);
        self.settle(world, out);
    }

    /// Nobody watched for a while: a room with a guest counts as occupied until its sensors say otherwise.
    pub fn unwatched(&mut self, world: World<'_>) {
        self.devices.listen_anew(world.now);
        if self.is_let(world) {
            self.occupancy.unwatched(self.senses(world), world.now);
            self.health.unwatched();
        }
    }

    /// When the room last changed.
    pub fn changed_at(&self) -> Option<Moment> {
        self.changed_at
    }

    /// The property was configured anew: what the room no longer has is dropped.
    pub fn configured(&mut self, world: World<'_>, out: &mut Outcome) {
        self.devices.configured(world.now, &world.setup.devices);
        if self.health.configured(world.now, &world.setup.devices) {
            self.sign(world, Sign::Sees(false), out);
        }
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
        let in_stay = self.stays.current.as_ref().map(|stay| {
            [
                evidence::arriving_until(stay).filter(|at| *at > now),
                self.evidence.deadline(),
                self.confirm.deadline(world.calendar, now),
                self.routine
                    .deadline(&world.property.policies.habits, world.calendar, now),
            ]
        });
        let arrival = self
            .stays
            .next_due()
            .and_then(|stay| arrival::due_at(&world.property.policies, stay));
        let no_show = self
            .stays
            .next_due()
            .and_then(|stay| Some(stay.eta? + world.property.policies.arrival.no_show_after));
        [
            self.occupancy.deadline(now),
            self.watch_deadline(world),
            self.devices.deadline(setups, now),
            self.shadow.deadline(),
            self.thermal.deadline(),
            self.safety.deadline(),
            self.exempt.deadline(),
            self.requests.deadline(now),
            self.climate.deadline(now, &world.property.policies),
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
            "because": self.sentence(world),
            "phase": self.climate.phase.word(),
            "temperature": view.temperature,
            "preferred": view.preferred.value,
            "preferred_from": if self.climate.choice.is_some() { "hand" } else { view.preferred.from },
            "stay": self.stays.foremost().map(|stay| stay.token.as_str()),
            "eta": self.stays.foremost().and_then(|stay| stay.eta),
            "model": self.thermal.summary(),
            "dnd": self.signs.dnd,
            "exempt": self.exempt.stands(world.now).map(|(exempt, until)| serde_json::json!({ "from": exempt, "until": until })),
            "requests": self.requests.open().map(|r| r.id.as_str()).collect::<Vec<_>>(),
            "devices_silent": world.setup.devices.iter().filter(|d| self.devices.silent_since(world.now, d).is_some())
                .map(|d| d.id.as_str()).collect::<Vec<_>>(),
        })
    }

    /// What the room's present guest, or the one who comes next, likes of one attribute; none when no stay is known.
    pub fn preference(&self, world: World<'_>, attribute: Attribute) -> Option<Answer> {
        let stay = self.stays.foremost()?;
        Some(see::answer(world, attribute, Some(stay), &self.evidence))
    }

    /// The guest in the room now.
    pub fn present_guest(&self) -> Option<&GuestToken> {
        self.stays.current.as_ref()?.guest.as_ref()
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

    fn is_anything(&self) -> bool {
        self.save.is_some() || !self.effects.is_empty()
    }

    fn save(&mut self, when: SaveWhen) {
        self.save = self.save.max(Some(when));
    }

    /// Closes the room's turn: if anything changed, the room is to be kept. Returns whether anything did.
    pub fn close(&mut self, room: &mut Room, now: Moment, setup: &RoomSetup) -> bool {
        let is_changed = self.is_anything();
        if let Some(when) = self.save.take() {
            room.changed_at = Some(now);
            self.effects.push(Effect::Save {
                key: Key::Room(setup.id.clone()),
                when,
            });
        }
        is_changed
    }
}
