//! What should the climate be now?
//!
//! A room is in one phase at a time. It rests, is prepared for an arrival, is held for a guest who has checked in but not
//! yet come, is lived in, or its guest is away. Each phase is entered once and knows what it wants; what is wanted of the
//! device is the shadow's affair.

mod band;
mod promise;

use super::calendar::Calendar;
use super::comfort::{Band, Season, plant_direction, steady};
use super::compliance::{Look, Notebook, Tenure};
use super::damp::{self, Damp};
use super::interlock::{Asks, Interlock};
use super::lessons::{Lesson, Lessons};
use super::pace::Pace;
use super::power::{Allotment, Due};
use super::stay::Stay;
use super::thermal::{Direction, Thermal};
use crate::model::{
    Because, Celsius, HvacMode, Limits, Moment, Percent, Plant, Policies, Purpose, Readiness, RoomId, Span, StayToken,
};
use promise::{Plan, Promise, Told, let_go_at};
use serde::{Deserialize, Serialize};

/// A recovery is over when the room is this near to its target: half the band is kept for the door's draught and the guest.
const GOAL: Celsius = Celsius::from_hundredths(25);
/// A room expected within this is sold, even while nobody is in it.
const SOLD_AHEAD: Span = Span::hours(24);
/// What staff set in a room without a guest stands for so long at most.
const SUSPENDED_MAX: Span = Span::hours(4);
/// A plant is not sent the other way sooner than this after the last time: compressors and valves wear.
const MODE_STANDS: Span = Span::minutes(15);
/// A unit that cannot dry cools by so much instead: its coil takes the damp out.
const DRIES_BY: Celsius = Celsius::from_hundredths(150);

/// What a room's climate is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Nobody is expected soon.
    #[default]
    Resting,
    /// Being made ready.
    Preparing {
        /// For which stay.
        stay: StayToken,
    },
    /// Checked in at the desk, not yet come: comfort is held until the door has moved.
    Held {
        /// For which stay.
        stay: StayToken,
    },
    /// The guest is in.
    Living,
    /// The guest is out.
    Away {
        /// Since when.
        since: Moment,
    },
}

impl Phase {
    /// The word for it.
    pub const fn word(&self) -> &'static str {
        match self {
            Phase::Resting => "resting",
            Phase::Preparing { .. } => "preparing",
            Phase::Held { .. } => "held",
            Phase::Living => "living",
            Phase::Away { .. } => "away",
        }
    }
}

/// The climate of one room.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Climate {
    /// What it is about now.
    pub phase: Phase,
    /// The guest's own set-point in this stay: never overruled while the guest is in.
    pub choice: Option<Celsius>,
    direction: Direction,
    /// Somebody of the staff set the dial: left alone until the room is empty.
    suspended: bool,
    /// The guest switched the unit off: it stays off.
    off_by_hand: bool,
    promise: Option<Promise>,
    stuck_told: bool,
    /// What the air outside asks for.
    #[serde(default)]
    season: Season,
    /// The guest chose heating or cooling by hand: it stays so while the stay lasts.
    #[serde(default)]
    mode_by_hand: bool,
    #[serde(default)]
    interlock: Interlock,
    /// When the plant was last sent another way.
    #[serde(default)]
    turned_at: Option<Moment>,
    /// Until when what staff set stands.
    #[serde(default)]
    suspended_until: Option<Moment>,
    #[serde(default)]
    damp: Damp,
    #[serde(default)]
    notebook: Notebook,
    /// When preparation is to begin, as last reckoned.
    #[serde(default)]
    planned: Option<Moment>,
    /// Which recovery lies ahead or is under way, as last reckoned.
    #[serde(default)]
    due: Option<Due>,
    /// The recovery that was forecast and is under way.
    #[serde(default)]
    told: Option<Told>,
    /// Not sooner than this is the room set back in the second stage: something has moved.
    #[serde(default)]
    not_deep_until: Option<Moment>,
    /// What this room's recoveries take over what its model says.
    #[serde(default)]
    pace: Pace,
}

/// The temperature that a guest likes.
#[derive(Debug, Clone, Copy)]
pub struct Preferred {
    /// What to prepare and keep.
    pub value: Celsius,
    /// In a word, where that comes from.
    pub from: &'static str,
}

/// What the climate is decided on.
pub struct View<'a> {
    /// Now.
    pub now: Moment,
    /// Which room.
    pub room: &'a RoomId,
    /// Whether somebody is, or may be, in.
    pub is_occupied: bool,
    /// Until when the last movement behind the door is too fresh to act against it.
    pub stirred_until: Option<Moment>,
    /// The stay checked in.
    pub current: Option<&'a Stay>,
    /// The stay that comes next.
    pub due: Option<&'a Stay>,
    /// The room's air, unless it is stale.
    pub temperature: Option<Celsius>,
    /// What the coming or present guest likes.
    pub preferred: Preferred,
    /// How the property is run.
    pub policies: &'a Policies,
    /// What no set-point may leave.
    pub limits: &'a Limits,
    /// What the property has learnt.
    pub lessons: &'a Lessons,
    /// The wall clock.
    pub calendar: &'a Calendar,
    /// Whether the unit can be told to heat or to cool.
    pub can_choose: bool,
    /// Whether it can be told to be off.
    pub can_rest: bool,
    /// How it can be told to take damp out of the air: to dry, else to cool.
    pub can_dry: Option<HvacMode>,
    /// The room's humidity, if something reports it.
    pub humidity: Option<Percent>,
    /// The set-point that the unit shows.
    pub setpoint: Option<Celsius>,
    /// Whether a window or balcony door stands open.
    pub is_window_open: bool,
    /// Whether the entrance door does.
    pub is_door_open: bool,
    /// The air outside.
    pub outdoor: Option<Celsius>,
    /// What the unit says it does.
    pub mode: Option<HvacMode>,
    /// Never prepared.
    pub out_of_order: bool,
    /// What the room may take of the plant.
    pub power: Allotment,
    /// Whether it is kept nearly ready for somebody who walks in.
    pub is_kept: bool,
    /// Whether an open window is known by the air alone.
    pub is_draught: bool,
}

/// What is wanted of the climate.
#[derive(Debug, Default)]
pub struct Decision {
    /// The set-point, what for and why; none to leave the dial alone.
    pub set: Option<(Celsius, Purpose, Because)>,
    /// The unit, found off, is to be switched on to this.
    pub wake: Option<HvacMode>,
    /// Which way the unit is to go, what for and why; none to leave its mode alone.
    pub mode: Option<(HvacMode, Purpose, Because)>,
    /// The page of the night that is over, for the energy code.
    pub page: Option<Because>,
    /// What the property can learn from it.
    pub lesson: Option<Lesson>,
    /// Promises to tell.
    pub readiness: Vec<Readiness>,
    /// The phase that begins now, and why.
    pub entered: Option<Because>,
    /// The room does not move at all.
    pub is_stuck: Option<Because>,
}

impl Climate {
    /// The guest set a temperature by hand.
    pub fn chosen(&mut self, value: Celsius) {
        self.choice = Some(value);
    }

    /// Somebody of the staff set something by hand, in a room without a guest.
    pub fn suspend(&mut self, now: Moment) {
        (self.suspended, self.suspended_until) = (true, Some(now + SUSPENDED_MAX));
    }

    /// The guest switched the unit off, or on again.
    pub fn switched(&mut self, off: bool) {
        self.off_by_hand = off;
    }

    /// Somebody chose the unit's mode by hand: heating and cooling are the guest's affair from now on.
    pub fn mode_chosen(&mut self, mode: HvacMode) {
        self.off_by_hand = mode == HvacMode::Off;
        self.mode_by_hand = true;
        self.interlock.overrule();
    }

    /// The stay has ended: nothing of it lives on here.
    pub fn stay_ended(&mut self) {
        (self.choice, self.off_by_hand, self.promise, self.stuck_told) = (None, false, None, false);
        (self.mode_by_hand, self.told, self.planned) = (false, None, None);
    }

    /// Whether the guest has been out for so long that the room is set back in the second stage.
    pub fn is_deep(&self, now: Moment, policies: &Policies) -> bool {
        self.deep_at(policies).is_some_and(|at| at <= now)
    }

    fn deep_at(&self, policies: &Policies) -> Option<Moment> {
        let Phase::Away { since } = self.phase else { return None };
        Some((since + policies.levels.deep_after).max(self.not_deep_until.unwrap_or(since)))
    }

    /// Something moves in a room that counts as empty, and too little to say that somebody is in: it is not set back any
    /// further for a while.
    fn heed(&mut self, view: &View<'_>) {
        if !self.is_deep(view.now, view.policies) {
            self.not_deep_until = view.stirred_until;
        }
    }

    /// When something will be decided anew by itself.
    pub fn deadline(&self, now: Moment, policies: &Policies) -> Option<Moment> {
        let deep = self.deep_at(policies);
        let interlock = self.interlock.deadline(now);
        [
            deep,
            self.planned,
            interlock,
            self.suspended_until,
            self.damp.deadline(),
        ]
        .into_iter()
        .flatten()
        .filter(|at| *at > now)
        .min()
    }

    /// Decides what the climate should be now.
    pub fn decide(&mut self, view: &View<'_>, thermal: &mut Thermal) -> Decision {
        self.season = self.season.turned(view.outdoor);
        if !view.is_occupied || self.suspended_until.is_some_and(|until| view.now >= until) {
            (self.suspended, self.suspended_until) = (false, None);
        }
        let asks = self.interlock.advance(
            view.now,
            view.is_window_open,
            view.is_door_open,
            view.temperature,
            view.mode,
        );
        let mut decision = Decision::default();
        let plan = self.plan(view, thermal);
        let entered = self.enter(view, thermal, plan.as_ref());
        let is_entered = entered.is_some();
        decision.entered = entered;
        self.heed(view);
        let mut band = self.band(view, thermal);
        if self.turn(view, band) {
            band = self.band(view, thermal);
        }
        self.set_point(view, band, is_entered, asks, &mut decision);
        self.choose_mode(view, is_entered, asks, &mut decision);
        self.dry(view, &mut decision);
        self.obey_interlock(view, asks, &mut decision);
        self.watch(view, thermal, &mut decision);
        decision.page = self.note_code(view);
        self.planned = match self.phase {
            Phase::Resting if view.current.is_none() && !view.out_of_order => plan.map(|plan| plan.start),
            Phase::Preparing { .. } => plan.map(|plan| let_go_at(&plan.expected)),
            _ => None,
        };
        self.due = plan.map(|plan| Due {
            at: plan.expected.early - plan.spare(),
            early: plan.expected.early,
            needs: plan.lead - plan.spare(),
            share_min: plan.share_min(),
        });
        decision
            .readiness
            .extend(self.promise(view, thermal, plan.as_ref(), is_entered));
        decision
    }

    /// Which way the plant is to go: towards the band of this phase where the unit can be told, else as the season says.
    /// Returns whether it has turned.
    fn turn(&mut self, view: &View<'_>, band: Band) -> bool {
        let next = match (view.policies.plant, view.temperature) {
            (Plant::Auto, Some(now)) if view.can_choose && !self.mode_by_hand => band.direction(self.direction, now),
            _ => plant_direction(view.policies.plant, self.season, view.mode, self.direction),
        };
        let stands = self.turned_at.is_some_and(|at| view.now.since(at) < MODE_STANDS);
        let turns = next != self.direction && !stands;
        if turns {
            (self.direction, self.turned_at) = (next, Some(view.now));
        }
        turns
    }

    /// Keeps the notebook of the energy code, where one binds.
    fn note_code(&mut self, view: &View<'_>) -> Option<Because> {
        let minima = view.policies.code?.minima();
        let tenure = match &self.phase {
            Phase::Living | Phase::Held { .. } => Tenure::Occupied,
            Phase::Resting if view.is_occupied => Tenure::Occupied,
            Phase::Preparing { .. } => Tenure::Preconditioning,
            Phase::Away { .. } => Tenure::RentedUnoccupied,
            Phase::Resting if is_sold(view.due, view.now) => Tenure::RentedUnoccupied,
            Phase::Resting => Tenure::Unrented,
        };
        let warms = self.direction == Direction::Heating;
        let look = Look {
            now: view.now,
            night: view.calendar.day(view.now - Span::hours(12)),
            tenure,
            setpoint: view
                .setpoint
                .filter(|_| view.mode != Some(HvacMode::Off))
                .map(|t| (t, warms)),
            comfort: self.target(view),
            before_arrival: view.due.and_then(|stay| stay.eta).map(|eta| eta.since(view.now)),
        };
        self.notebook.look(&minima, &look)
    }

    /// Goes over to the phase that now holds; returns why, when it is another.
    fn enter(&mut self, view: &View<'_>, thermal: &Thermal, plan: Option<&Plan>) -> Option<Because> {
        let (next, because) = self.next_phase(view, plan);
        let is_same = match (&self.phase, &next) {
            (Phase::Away { .. }, Phase::Away { .. }) => true,
            (now, next) => now == next,
        };
        if is_same {
            return None;
        }
        self.phase = next;
        let because = because.with("phase", self.phase.word());
        if !matches!(self.phase, Phase::Preparing { .. }) {
            return Some(because);
        }
        self.told = plan.map(|_| self.tell(view, thermal));
        let ends = self.told.map(|told| view.lessons.spread.told(&told.paced()));
        let minutes = |span: Span| span.as_minutes_f64().round();
        Some(
            because
                .with_some("needs_min_p10", ends.map(|ends| minutes(ends.p10)))
                .with_some("needs_min_p90", ends.map(|ends| minutes(ends.p90))),
        )
    }

    fn next_phase(&self, view: &View<'_>, plan: Option<&Plan>) -> (Phase, Because) {
        if let Some(stay) = view.current {
            return match (stay.arrived_at, view.is_occupied) {
                (None, _) => (
                    Phase::Held {
                        stay: stay.token.clone(),
                    },
                    Because::rule("held-until-the-door-moves"),
                ),
                (Some(at), true) => (Phase::Living, Because::rule("guest-is-in").with("arrived_at", at)),
                (Some(_), false) => (Phase::Away { since: view.now }, Because::rule("guest-is-out")),
            };
        }
        let resting = (Phase::Resting, Because::rule("nobody-expected-soon"));
        let (Some(stay), Some(plan), false) = (view.due, plan, view.out_of_order) else {
            return resting;
        };
        if view.now >= let_go_at(&plan.expected) {
            let because = Because::rule("guest-did-not-come").with("expected", plan.expected.mean);
            return (Phase::Resting, because);
        }
        if matches!(&self.phase, Phase::Preparing { stay: latched } if *latched == stay.token) {
            return (self.phase.clone(), Because::rule("latched"));
        }
        if plan.start > view.now {
            return resting;
        }
        let phase = Phase::Preparing {
            stay: stay.token.clone(),
        };
        (phase, self.why_start(view, stay, plan))
    }

    fn set_point(&self, view: &View<'_>, band: Band, is_entered: bool, asks: Asks, decision: &mut Decision) {
        if self.suspended {
            return;
        }
        let is_resuming = matches!(asks, Asks::Resume { .. });
        let edge = band.edge(self.direction);
        let (purpose, because) = match &self.phase {
            // Somebody is in a room without a guest: whoever it is, is left alone.
            Phase::Resting if view.is_occupied => return,
            Phase::Resting => (Purpose::Setback, Because::rule("nobody-in-nobody-expected")),
            Phase::Preparing { .. } if self.interlock.is_door_standing_open(view.now) => {
                (Purpose::Setback, Because::rule("door-stands-open"))
            }
            Phase::Preparing { .. } if view.power.gives_way.is_some() => {
                (Purpose::Setback, Because::rule("waits-for-the-plant"))
            }
            Phase::Preparing { .. } => (Purpose::Prepare, Because::rule("prepare-in-time")),
            Phase::Held { .. } => (Purpose::Prepare, Because::rule("held-until-the-door-moves")),
            // The guest's own setting stands: it is put back once, on the guest's return, and then left alone.
            Phase::Living if self.choice.is_some() && !is_entered && !is_resuming => return,
            Phase::Living => (Purpose::Comfort, Because::rule("guest-is-in")),
            // Something moves in a room that counts as empty: until that is weighed, nothing more is told against whoever it is.
            Phase::Away { .. } if view.stirred_until.is_some_and(|until| until > view.now) => return,
            Phase::Away { since } => {
                let rule = if self.is_deep(view.now, view.policies) {
                    "guest-is-out-for-long"
                } else {
                    "guest-is-out"
                };
                (Purpose::Setback, Because::rule(rule).with("out_since", since))
            }
        };
        let value = match self.phase {
            Phase::Resting if view.policies.code.is_none() => steady(edge, view.setpoint, self.direction),
            _ => edge,
        };
        let because = because
            .with_some("temperature", view.temperature)
            .with("preferred", self.target(view))
            .with(
                "preferred_from",
                if self.choice.is_some() {
                    "hand"
                } else {
                    view.preferred.from
                },
            );
        let is_off = view.mode == Some(HvacMode::Off) && !self.interlock.is_resting();
        if purpose != Purpose::Setback && !self.off_by_hand && is_off {
            decision.wake = Some(self.mode_towards(view, value));
        }
        decision.set = Some((value, purpose, because));
    }

    /// A plant that can do both is told which, unless the guest chose.
    fn choose_mode(&self, view: &View<'_>, is_entered: bool, asks: Asks, decision: &mut Decision) {
        let is_ours = view.policies.plant == Plant::Auto && view.can_choose && !self.mode_by_hand;
        let resumed = match asks {
            Asks::Resume { mode } => mode.filter(|mode| *mode != HvacMode::Off),
            _ => None,
        };
        let Some((_, purpose, because)) = &decision.set else {
            let because = Because::rule("window-was-closed");
            decision.mode = resumed.map(|mode| (mode, Purpose::Comfort, because));
            return;
        };
        if is_ours && !self.off_by_hand && (self.choice.is_none() || is_entered || *purpose == Purpose::Setback) {
            let mode = match self.direction {
                Direction::Heating => HvacMode::Heat,
                Direction::Cooling => HvacMode::Cool,
            };
            decision.mode = Some((mode, *purpose, because.clone()));
        } else if let Some(mode) = resumed {
            decision.mode = Some((mode, *purpose, Because::rule("window-was-closed")));
        }
    }

    /// An empty room that is damp in summer is dried.
    fn dry(&mut self, view: &View<'_>, decision: &mut Decision) {
        let is_empty = matches!(self.phase, Phase::Resting | Phase::Away { .. }) && !view.is_occupied;
        let may = is_empty && !self.suspended && self.season == Season::Summer && view.can_dry.is_some();
        let asks = self
            .damp
            .advance(view.now, view.humidity, may, view.mode, view.temperature);
        let (since, air) = match asks {
            damp::Asks::Nothing => return,
            damp::Asks::Over { mode } => {
                let back = mode.filter(|_| decision.mode.is_none() && !self.mode_by_hand);
                let because = Because::rule("dry-enough").with_some("humidity", view.humidity);
                decision.mode = decision
                    .mode
                    .take()
                    .or(back.map(|mode| (mode, Purpose::Setback, because)));
                return;
            }
            damp::Asks::Dry { since, air } => (since, air),
        };
        let because = Because::rule("damp-while-empty")
            .with_some("humidity", view.humidity)
            .with("since", since);
        if let (Some(HvacMode::Cool), Some(air)) = (view.can_dry, air) {
            decision.set = Some((air - DRIES_BY, Purpose::Setback, because.clone()));
        }
        decision.mode = view.can_dry.map(|mode| (mode, Purpose::Setback, because));
    }

    /// What stands open rests the unit; frost is guarded against all the while.
    fn obey_interlock(&self, view: &View<'_>, asks: Asks, decision: &mut Decision) {
        let (limits, is_cooling) = (view.limits, self.direction == Direction::Cooling);
        match asks {
            Asks::Nothing | Asks::Resume { .. } => {}
            Asks::Rest { .. } if view.mode == Some(HvacMode::Off) && !view.can_rest => decision.set = None,
            Asks::Rest { since, .. } => {
                let rule = if view.is_draught {
                    "air-falls-as-under-an-open-window"
                } else {
                    "window-stands-open"
                };
                let because = Because::rule(rule).with("since", since);
                if view.can_rest {
                    (decision.set, decision.wake) = (None, None);
                    decision.mode = Some((HvacMode::Off, Purpose::Setback, because));
                } else {
                    let value = if is_cooling {
                        limits.temperature_max
                    } else {
                        limits.temperature_min
                    };
                    decision.set = Some((value, Purpose::Setback, because));
                }
            }
            Asks::Frost => {
                let because = Because::rule("frost-guard").with_some("temperature", view.temperature);
                decision.set = Some((limits.temperature_min, Purpose::Setback, because.clone()));
                decision.mode = view.can_rest.then_some((HvacMode::Heat, Purpose::Setback, because));
            }
        }
    }

    /// A room that is being made ready rests all the same: its door stands open, or the plant is taken.
    fn has_to_rest(&self, view: &View<'_>) -> bool {
        self.interlock.is_door_standing_open(view.now) || view.power.gives_way.is_some()
    }

    fn target(&self, view: &View<'_>) -> Celsius {
        self.choice.unwrap_or(view.preferred.value)
    }

    fn mode_towards(&self, view: &View<'_>, target: Celsius) -> HvacMode {
        match (view.policies.plant, view.temperature) {
            (Plant::Heating, _) => HvacMode::Heat,
            (Plant::Cooling, _) => HvacMode::Cool,
            (Plant::Auto, Some(now)) if now < target => HvacMode::Heat,
            (Plant::Auto, Some(now)) if now > target => HvacMode::Cool,
            (Plant::Auto, _) if self.direction == Direction::Cooling => HvacMode::Cool,
            (Plant::Auto, _) => HvacMode::Heat,
        }
    }
}

/// Whether the stay that is due next begins within a day; of one without an announced time, since it is known.
pub fn is_sold(due: Option<&Stay>, now: Moment) -> bool {
    let begins = due.and_then(|stay| stay.eta.or(stay.known_at));
    begins.is_some_and(|at| at.since(now) <= SOLD_AHEAD)
}
