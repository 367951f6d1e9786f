//! When must a room begin to be prepared, and what is promised of it?

use super::band::resting_band;
use super::{Climate, Decision, GOAL, Phase, View};
use crate::engine::eta::Expected;
use crate::engine::lessons::{Lesson, Recovery};
use crate::engine::power::{Due, GivesWay};
use crate::engine::stay::Stay;
use crate::engine::thermal::{Direction, Forecast, Thermal, WEAK_OUTPUT};
use crate::model::{Because, Celsius, Moment, Plant, Power, Readiness, ReadinessVerdict, Span, StayToken};
use serde::{Deserialize, Serialize};

/// A room is let go when the guest is later than this many standard deviations, and comes back at the check-in.
const OVERDUE_DEVIATIONS: i64 = 3;
/// But not sooner than this after the expected arrival.
const OVERDUE_MIN: Span = Span::minutes(90);
/// A promise is told anew when it moves by more than this while the room is being prepared.
const PROMISE_MOVES: Span = Span::minutes(10);
/// And by more than this while preparation has not begun: rooms drift, and nobody wants to hear of it each time.
const PLAN_MOVES: Span = Span::minutes(45);
/// A miss by less than this is not worth another room.
const MISSES_BY: Span = Span::minutes(5);
/// Nor is one warned of earlier than this before the announced arrival: what the room will be like then is not known yet.
const WARNS_AHEAD: Span = Span::hours(6);
/// Rooms are looked at every five minutes: what is over has been so for half of that.
const SEEN_LATE: Span = Span::seconds(150);
/// What is foreseen no further ends here: such a recovery is told as "not today", and teaches nothing of times.
const NEVER: Span = Span::hours(6);
/// Recovering for so long without any progress: something is broken.
const STUCK_AFTER: Span = Span::minutes(60);

/// What has been promised for the next arrival.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Promise {
    pub(super) stay: StayToken,
    pub(super) target: Celsius,
    pub(super) p50: Moment,
    pub(super) revision: u32,
    pub(super) warned: bool,
    /// The room is in band: it is as promised, and the promise moves no more.
    pub(super) is_ready: bool,
}

/// A recovery as it was told at its beginning.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct Told {
    pub(super) at: Moment,
    pub(super) takes: Span,
    /// In one case of ten no longer than this, and in nine, by the room's model: what recoveries say of these two is measured
    /// in them, and not in what was made of them.
    #[serde(default)]
    pub(super) p10: Span,
    #[serde(default)]
    pub(super) p90: Span,
    /// Which way it goes, and what the model alone says; none where the room has no model.
    #[serde(default)]
    pub(super) said: Option<(Direction, Span)>,
}

/// When to begin, and on what that rests.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Plan {
    pub(super) start: Moment,
    pub(super) expected: Expected,
    pub(super) lead: Span,
    pub(super) forecast: Forecast,
    /// What its model says of full output, and of a day on which the coil brings little.
    full: Span,
    weak: Span,
}

impl Told {
    /// The forecast that its spread is learnt by.
    pub(super) fn paced(&self) -> Forecast {
        Forecast {
            p10: self.p10,
            p50: self.takes,
            p90: self.p90.max(self.takes),
            rate: 0.0,
            recoveries: 0,
        }
    }

    fn over(&self, took: Span) -> Recovery {
        Recovery {
            paced: self.paced(),
            took,
            said: self.said,
        }
    }
}

impl Plan {
    /// Half of what the lead has over the median recovery: so much a room is likely to be ready before its time. The other
    /// half is planned with, for what a limited plant delays it does not make up for.
    pub(super) fn spare(&self) -> Span {
        let over = self.lead - self.forecast.p50;
        Span::millis(over.as_millis().max(0) / 2)
    }

    /// The share of its output, %, at which the recovery takes twice as long as at the full one: what it loses on the way takes
    /// a share of its own, and the weak day tells how large that is.
    pub(super) fn share_min(&self) -> u8 {
        let over = self.weak.as_minutes_f64() / self.full.as_minutes_f64().max(1.0);
        if self.full == Span::ZERO {
            return 0;
        }
        let lost = ((over * WEAK_OUTPUT - 1.0) / (over - 1.0).max(0.01)).clamp(0.0, WEAK_OUTPUT);
        (50.0 + 50.0 * lost) as u8
    }
}

impl Promise {
    pub(super) fn readiness(&self, view: &View<'_>, verdict: Option<ReadinessVerdict>, because: Because) -> Readiness {
        let is_done = matches!(
            verdict,
            Some(ReadinessVerdict::Kept | ReadinessVerdict::Missed | ReadinessVerdict::NoArrival)
        );
        Readiness {
            room: view.room.clone(),
            stay: self.stay.clone(),
            target: self.target,
            p10: self.p50,
            p50: self.p50,
            p90: self.p50,
            eta: view.current.or(view.due).and_then(|stay| stay.eta),
            verdict,
            found: view.temperature.filter(|_| is_done),
            revision: self.revision + u32::from(is_done),
            because,
        }
    }
}

impl Climate {
    /// The promise is void: the stay is cancelled, moved or nobody came.
    pub fn void_promise(&mut self, view: &View<'_>, verdict: ReadinessVerdict) -> Option<Readiness> {
        let promise = self.promise.take()?;
        let because = Because::rule("nobody-came").with("stay", &promise.stay);
        Some(promise.readiness(view, Some(verdict), because))
    }

    /// The guest came in for the first time: was the room as promised?
    pub fn arrived(&mut self, view: &View<'_>) -> Option<Readiness> {
        let promise = self.promise.take()?;
        let off = view.temperature?.distance(promise.target);
        let verdict = if off <= view.policies.arrival.band {
            ReadinessVerdict::Kept
        } else {
            ReadinessVerdict::Missed
        };
        let because = Because::rule("promise-checked-at-the-door")
            .with("target", promise.target)
            .with("found", view.temperature)
            .with("band", view.policies.arrival.band)
            .with_some("gave_way", view.power.gives_way.map(GivesWay::word));
        Some(promise.readiness(view, Some(verdict), because))
    }

    /// When preparation must start for the next stay: before the moment that only few guests beat, by the time that nearly
    /// every recovery of the property would have made.
    pub(super) fn plan(&self, view: &View<'_>, thermal: &Thermal) -> Option<Plan> {
        let stay = view.due?;
        let expected = expected(view, stay)?;
        let arrival = &view.policies.arrival;
        let forecast = self.median(view, thermal);
        let weak = self.weak(view, thermal);
        let usual = view.lessons.margin.lead(arrival, forecast.p50);
        let lead = usual.max(weak.min(arrival.lead_max));
        let earlier = match lead {
            Span::ZERO => Span::ZERO,
            _ => Span::minutes(view.power.earlier_min.into()),
        };
        let by_code = arrival
            .before_eta_max
            .map(|max| stay.eta.unwrap_or(expected.mean) - max);
        let begins = expected.before(forecast.p50, lead);
        let start = (begins - earlier).max(by_code.unwrap_or(Moment::EARLIEST));
        Some(Plan {
            start,
            expected,
            lead,
            forecast,
            full: self.full(view, thermal),
            weak,
        })
    }

    /// What a room at its plant's limit takes on a bad day: the house's margin, learnt of all rooms, is too short for it.
    fn weak(&self, view: &View<'_>, thermal: &Thermal) -> Span {
        let (direction, from, to) = self.way(view);
        thermal.on_a_weak_day(&view.policies.arrival, direction, from, to)
    }

    /// The same with all its output; asked only where it may be held to less.
    fn full(&self, view: &View<'_>, thermal: &Thermal) -> Span {
        let (direction, from, to) = self.way(view);
        match view.policies.power == Power::default() && self.output(view) >= 1.0 {
            true => Span::ZERO,
            false => thermal.median(&view.policies.arrival, direction, from, to, 1.0).p50,
        }
    }

    pub(super) fn why_start(&self, view: &View<'_>, stay: &Stay, plan: &Plan) -> Because {
        let forecast = &plan.forecast;
        Because::rule("prepare-in-time")
            .with_some("eta", stay.eta)
            .with("early", plan.expected.early)
            .with("start", plan.start)
            .with_some("temperature", view.temperature)
            .with("target", self.target(view))
            .with("preferred_from", view.preferred.from)
            .with("needs_min", forecast.p50.as_minutes_f64().round())
            .with("lead_min", plan.lead.as_minutes_f64().round())
            .with("rate_k_per_h", (forecast.rate * 100.0).round() / 100.0)
            .with_some("output_max", Some(view.power.foreseen).filter(|share| *share < 100))
            .with("recoveries_learnt", forecast.recoveries)
    }

    /// How long it would take to make the room ready.
    pub fn takes(&self, view: &View<'_>, thermal: &Thermal) -> Span {
        self.median(view, thermal).p50
    }

    /// Which recovery lies ahead or is under way.
    pub fn due(&self) -> Option<Due> {
        self.due
    }

    /// How long it takes until the room is right, at the median.
    pub(super) fn median(&self, view: &View<'_>, thermal: &Thermal) -> Forecast {
        let (direction, from, to) = self.way(view);
        let said = thermal.median(&view.policies.arrival, direction, from, to, self.output(view));
        said.times(self.factor(view, thermal, direction))
    }

    /// The same with the spread that its model gives it, in the room's pace.
    fn paced(&self, view: &View<'_>, thermal: &Thermal) -> Forecast {
        let (direction, from, to) = self.way(view);
        let said = thermal.forecast_limited(&view.policies.arrival, direction, from, to, self.output(view));
        said.times(self.factor(view, thermal, direction))
    }

    /// What this room's recoveries take over what its model says; plain rates are learnt of recoveries already.
    fn factor(&self, view: &View<'_>, thermal: &Thermal, direction: Direction) -> f64 {
        match thermal.has_model() {
            true => self.pace.factor(&view.lessons.pace, direction),
            false => 1.0,
        }
    }

    /// The recovery that begins now, as it is told.
    pub(super) fn tell(&self, view: &View<'_>, thermal: &Thermal) -> Told {
        let (direction, from, to) = self.way(view);
        let (paced, output) = (self.paced(view, thermal), self.output(view));
        let said = thermal.median(&view.policies.arrival, direction, from, to, output).p50;
        Told {
            at: view.now,
            takes: paced.p50,
            p10: paced.p10,
            p90: paced.p90,
            said: thermal.has_model().then_some((direction, said)),
        }
    }

    /// The share of its output that the unit may give on the way there.
    pub(super) fn output(&self, view: &View<'_>) -> f64 {
        let per_cent = match self.phase {
            Phase::Preparing { .. } => view.power.output_max,
            _ => view.power.foreseen,
        };
        f64::from(per_cent) / 100.0
    }

    /// Which way the room has to go, from where, and to where.
    pub(super) fn way(&self, view: &View<'_>) -> (Direction, Celsius, Celsius) {
        let (resting, target) = (resting_band(view), self.target(view));
        // Without a thermometer the worst is assumed: the room stands at its resting level.
        let from = view.temperature.unwrap_or_else(|| resting.edge(self.direction));
        let (direction, goal) = if from < target {
            (Direction::Heating, (target - GOAL).max(from))
        } else {
            (Direction::Cooling, (target + GOAL).min(from))
        };
        let can = match view.policies.plant {
            Plant::Heating => direction == Direction::Heating,
            Plant::Cooling => direction == Direction::Cooling,
            Plant::Auto => true,
        };
        (direction, from, if can { goal } else { from })
    }

    /// Learns from recoveries, and notices one that does not get on.
    pub(super) fn watch(&mut self, view: &View<'_>, thermal: &mut Thermal, decision: &mut Decision) {
        let Some(now) = view.temperature else { return };
        let is_recovering =
            matches!(self.phase, Phase::Preparing { .. } | Phase::Held { .. }) && decision.set.is_some();
        let target = self.target(view);
        let late = SEEN_LATE + thermal.shown_late();
        decision.lesson = self.recovered(view, now.distance(target) <= GOAL, late);
        thermal.follow(view.now, now);
        if !is_recovering || now.distance(target) <= view.policies.arrival.band {
            thermal.end();
            self.stuck_told = false;
            return;
        }
        thermal.begin(
            view.now,
            if now < target {
                Direction::Heating
            } else {
                Direction::Cooling
            },
            now,
        );
        if !self.stuck_told && thermal.is_stuck(view.now, STUCK_AFTER) {
            self.stuck_told = true;
            let because = Because::rule("room-does-not-move")
                .with("temperature", now)
                .with("target", target);
            decision.is_stuck = Some(because);
        }
    }

    /// A recovery that was told is over: it is there, or a guest came in between and it has already taken longer. It is noticed
    /// so much later than the air was there.
    pub(super) fn recovered(&mut self, view: &View<'_>, is_there: bool, late: Span) -> Option<Lesson> {
        let told = self.told?;
        let took = (view.now.since(told.at) - late).max(Span::ZERO);
        let is_cut_short = !matches!(self.phase, Phase::Preparing { .. } | Phase::Held { .. });
        if !is_there && !is_cut_short {
            return None;
        }
        self.told = None;
        let is_told = told.takes < NEVER;
        if !is_told || !is_there && took <= told.takes {
            return None;
        }
        if let Some((direction, said)) = told.said {
            self.pace.saw(direction, said, took);
        }
        Some(Lesson::Recovered(told.over(took)))
    }

    /// Whether the guest is likely to meet a room that is not right: asked of the band itself, not of the goal within it.
    fn will_miss(&self, view: &View<'_>, thermal: &Thermal, stay: &Stay, from: Moment, p50: Moment) -> bool {
        let (band, target) = (view.policies.arrival.band, self.target(view));
        let (direction, air, to) = self.way(view);
        let is_off = air.distance(target) > band && air != to;
        let is_near = |eta: &Moment| eta.since(view.now) <= WARNS_AHEAD;
        let Some(eta) = stay.eta.filter(is_near).filter(|_| is_off) else {
            return false;
        };
        let by = eta.max(view.now) + MISSES_BY;
        if p50 <= by {
            return false;
        }
        let edge = match direction {
            Direction::Heating => target - band,
            Direction::Cooling => target + band,
        };
        let takes = thermal.median(&view.policies.arrival, direction, air, edge, self.output(view));
        from + takes.times(self.factor(view, thermal, direction)).p50 > by
    }

    /// Makes, moves or worries about the promise.
    pub(super) fn promise(
        &mut self,
        view: &View<'_>,
        thermal: &Thermal,
        plan: Option<&Plan>,
        is_entered: bool,
    ) -> Option<Readiness> {
        let stay = match &self.phase {
            Phase::Resting | Phase::Preparing { .. } if view.current.is_none() && !view.out_of_order => view.due?,
            _ => return None,
        };
        let air = view.temperature?;
        let Plan { start, forecast, .. } = *plan?;
        let is_preparing = matches!(self.phase, Phase::Preparing { .. });
        let from = if is_preparing { view.now } else { start.max(view.now) };
        let is_ready = is_preparing && forecast.p50 == Span::ZERO;
        let (target, p50) = (self.target(view), from + forecast.p50);
        let told = self.promise.as_ref().filter(|p| p.stay == stay.token);
        let tolerance = if is_preparing { PROMISE_MOVES } else { PLAN_MOVES };
        let moved = told.is_none_or(|p| {
            let is_elsewhere = p50.since(p.p50).as_millis().abs() > tolerance.as_millis();
            p.target != target || p.is_ready != is_ready || (is_elsewhere && !is_ready)
        });
        let was_warned = told.is_some_and(|p| p.warned);
        let is_late = was_warned || !is_ready && self.will_miss(view, thermal, stay, from, p50);
        let warn = is_late && !was_warned;
        let is_begun = is_entered && is_preparing;
        if !(moved || warn || is_begun) {
            return None;
        }
        let revision = told.map_or(1, |p| p.revision + 1);
        let promise = Promise {
            stay: stay.token.clone(),
            target,
            p50,
            revision,
            warned: is_late,
            is_ready,
        };
        let mut because = self.why_start(view, stay, plan?);
        if let Some(gives_way) = view.power.gives_way {
            because = because.with("gives_way", gives_way.word());
        }
        if let Some(eta) = stay.eta.filter(|_| is_late) {
            let within = eta.since(from);
            because = because.with(
                "will_be",
                thermal.reachable(&view.policies.arrival, self.direction, air, within),
            );
        }
        let mut readiness = promise.readiness(view, warn.then_some(ReadinessVerdict::WillMiss), because);
        let ends = view.lessons.spread.told(&self.paced(view, thermal));
        (readiness.p10, readiness.p90) = (from + ends.p10.min(forecast.p50), from + ends.p90.max(forecast.p50));
        readiness.eta = stay.eta;
        self.promise = Some(promise);
        Some(readiness)
    }
}

/// When the next guest is expected: as announced, else at the hours that guests come, on the day that the stay was heard of.
pub(super) fn expected(view: &View<'_>, stay: &Stay) -> Option<Expected> {
    let (arrivals, policy) = (&view.lessons.arrivals, &view.policies.arrival);
    match stay.eta {
        Some(eta) => Some(arrivals.announced(policy, stay.channel.as_ref(), eta, view.now)),
        None => {
            let start = view.calendar.start_of_day(stay.known_at?);
            Some(arrivals.unannounced(policy, start, view.now))
        }
    }
}

/// From when on a room is no longer held ready for a guest who does not come.
pub(super) fn let_go_at(expected: &Expected) -> Moment {
    expected.mean + (expected.sd * OVERDUE_DEVIATIONS).max(OVERDUE_MIN)
}
