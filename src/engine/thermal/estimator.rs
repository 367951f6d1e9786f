//! Where is this room, how does it move, and can that be trusted?
//!
//! One room's numbers with its filter: ticked every five minutes, fitted anew every night. A night's numbers are taken over
//! only when they foresee the last two days better than those in force.

use super::filter::{Filter, State, Thermometer};
use super::fit::{Fit, error_ahead, first};
use super::history::DAY;
use super::model::{Coil, UNEXPLAINED};
use super::parameters::{Belief, Parameters};
use super::recovery::Start;
use super::row::Tick;
use super::unease::{Strange, Unease};
use serde::{Deserialize, Serialize};

/// A room is not fitted on less of its own than this, ticks: one day teaches less than the middle of all rooms knows.
const OWN_MIN: usize = 2 * DAY;
/// Nor when fewer ticks than one in so many have a reading: a thermometer that is quiet so long tells levels, not movement.
const READINGS_ONE_IN: usize = 4;
/// Numbers are judged on so many last ticks.
const JUDGED: usize = 2 * DAY;
/// By forecasts so many ticks ahead: two hours.
const AHEAD: usize = 24;
/// So many ticks without a reading, and the state is a guess.
const DEGRADED_AFTER: u32 = 6;

/// What the last accepted fit was like.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Fitted {
    /// The error of forecasts two hours ahead over its last two days, K.
    pub error_k: f64,
    /// On how many ticks it rests.
    pub ticks: usize,
}

/// One room's model.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Estimator {
    parameters: Parameters,
    coil: Coil,
    thermometer: Thermometer,
    state: Option<State>,
    latest: Tick,
    silent: u32,
    fitted: Option<Fitted>,
    /// The numbers are those of its kin: better than those of all rooms, and good enough to foresee with.
    is_of_kin: bool,
    unease: Unease,
    /// The filter of the numbers in force, carried over a tick: made when it is first needed.
    #[serde(skip)]
    at_a_tick: Option<Filter>,
}

impl Estimator {
    /// Goes on by one tick. Returns by how much its reading was beyond what was expected of it, K; none while nothing can be
    /// expected.
    pub fn tick(&mut self, tick: &Tick) -> Option<f64> {
        let is_trusted = self.trusted().is_some();
        let mut surprise_k = None;
        self.latest = *tick;
        self.silent = if tick.air.is_some() {
            0
        } else {
            self.silent.saturating_add(1)
        };
        let filter = self.at_a_tick.take().unwrap_or_else(|| self.filter());
        self.state = match self.state.filter(State::is_sound) {
            Some(mut state) => {
                let surprise = filter.tick(&mut state, tick);
                self.unease.feel(surprise.map(|s| s.z), state.x[UNEXPLAINED]);
                surprise_k = surprise.map(|s| s.z * s.variance.sqrt());
                Some(state)
            }
            None => tick.air.map(State::at),
        };
        self.at_a_tick = Some(filter);
        surprise_k.filter(|_| is_trusted)
    }

    /// The room's coil and thermometer are these.
    pub fn equip(&mut self, coil: Coil, thermometer: Thermometer) {
        if (self.coil, self.thermometer) != (coil, thermometer) {
            (self.coil, self.thermometer, self.at_a_tick) = (coil, thermometer, None);
        }
    }

    /// What a forecast starts from; none while the room is not known well enough.
    pub fn start(&self) -> Option<Start<'_>> {
        let state = self.state.filter(|_| self.silent < DEGRADED_AFTER)?;
        Some(Start {
            room: &self.parameters,
            coil: self.coil,
            thermometer: self.thermometer,
            state,
            latest: self.latest,
        })
    }

    /// The same, but only with numbers that are worth it: fitted, or those of its kin.
    pub fn trusted(&self) -> Option<Start<'_>> {
        self.start().filter(|_| self.fitted.is_some() || self.is_of_kin)
    }

    /// What the last accepted fit was like.
    pub fn fitted(&self) -> Option<&Fitted> {
        self.fitted.as_ref()
    }

    /// The numbers in force.
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// Whether the thermometer has been silent for so long that the state is a guess.
    pub fn is_degraded(&self) -> bool {
        self.silent >= DEGRADED_AFTER
    }

    /// Whether the room has for days moved otherwise than its numbers say.
    pub fn unease(&self) -> Option<Strange> {
        self.fitted.and_then(|_| self.unease.is_strange())
    }

    /// A room that has not been fitted itself takes the numbers of its kin; numbers that no room can have are dropped.
    pub fn take_kin(&mut self, kin: Option<&Belief>) {
        if !self.parameters.is_sound() {
            *self = Self {
                state: self.state,
                ..Self::default()
            };
        }
        if let (Some(kin), None) = (kin, self.fitted)
            && kin.mean.is_sound()
            && (!self.is_of_kin || self.parameters != kin.mean)
        {
            (self.parameters, self.is_of_kin, self.at_a_tick) = (kin.mean, true, None);
        }
    }

    /// The filter with the numbers in force.
    pub fn filter(&self) -> Filter {
        Filter::new(&self.parameters, self.coil, self.thermometer)
    }

    /// Where the room is.
    pub fn state(&self) -> Option<&State> {
        self.state.as_ref()
    }

    /// Begins tonight's fit, if the room has shown enough.
    pub fn fit(&self, belief: &Belief, history: &[Tick]) -> Option<Fit> {
        let readings = history.iter().filter(|tick| tick.air.is_some()).count();
        let is_enough = history.len() >= OWN_MIN && readings * READINGS_ONE_IN >= history.len();
        is_enough.then(|| {
            Fit::new(
                self.parameters,
                *belief,
                self.coil,
                self.thermometer,
                self.fitted.is_none(),
            )
        })
    }

    /// Takes over what a fit found, if it foresees the last two days better than what is in force.
    pub fn adopt(&mut self, found: Parameters, history: &[Tick]) -> bool {
        let error = |room: &Parameters| error_ahead(room, self.coil, self.thermometer, recent(history), JUDGED, AHEAD);
        let (Some(new), Some(old)) = (error(&found), error(&self.parameters)) else {
            return false;
        };
        let is_better = new < old || self.fitted.is_none() && new.is_finite();
        if !is_better {
            return false;
        }
        (self.parameters, self.is_of_kin, self.at_a_tick) = (found, false, None);
        self.fitted = Some(Fitted {
            error_k: new,
            ticks: history.len(),
        });
        self.state = self.settled(recent(history)).or(self.state);
        true
    }

    /// The state that the numbers in force give the last days.
    fn settled(&self, history: &[Tick]) -> Option<State> {
        let mut state = first(history)?;
        let filter = self.filter();
        for tick in history {
            filter.tick(&mut state, tick);
        }
        Some(state)
    }
}

/// The days that numbers are judged on, with one before for the filter to settle in.
fn recent(history: &[Tick]) -> &[Tick] {
    &history[history.len().saturating_sub(JUDGED + DAY)..]
}
