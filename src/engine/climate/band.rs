//! Between which temperatures may the room be now?

use super::{Climate, GOAL, Phase, View, is_sold};
use crate::engine::comfort::Band;
use crate::engine::moisture::mould_floor;
use crate::engine::power::GivesWay;
use crate::engine::thermal::{Direction, Thermal};
use crate::model::{Celsius, Plant, Span};

/// A room that warms slowly is not let fall farther than it comes back from within this share of the longest lead.
const REGAIN_SHARE: f64 = 0.8;

impl Climate {
    /// The room is left alone between these two, in the phase that holds.
    pub(super) fn band(&self, view: &View<'_>, thermal: &Thermal) -> Band {
        match &self.phase {
            Phase::Resting => self.empty_band(view, thermal),
            Phase::Preparing { .. } if self.has_to_rest(view) => self.empty_band(view, thermal),
            Phase::Away { .. } => self.away_band(view, thermal),
            _ => self.comfort_band(view),
        }
    }

    /// The levels of an empty room: never so far from comfort that a sold room could not come back in time, nor so cold that
    /// its walls grow mould.
    pub(super) fn empty_band(&self, view: &View<'_>, thermal: &Thermal) -> Band {
        let Band { mut low, mut high } = resting_band(view);
        if is_sold(view.due, view.now) && view.policies.code.is_none() && view.power.gives_way != Some(GivesWay::Sheds)
        {
            let arrival = &view.policies.arrival;
            let within = Span::from_minutes_f64(arrival.lead_max.as_minutes_f64() * REGAIN_SHARE);
            let target = self.target(view);
            if self.decides(view, Direction::Heating) {
                let warmed = thermal.surely_reachable(arrival, Direction::Heating, low, within);
                low = low + (target - GOAL - warmed).max(Celsius::default());
            }
            if self.decides(view, Direction::Cooling) {
                let cooled = thermal.surely_reachable(arrival, Direction::Cooling, high, within);
                high = high - (cooled - target - GOAL).max(Celsius::default());
            }
            (low, high) = (low.min(target), high.max(target));
        }
        if let (Some(air), Some(humidity), Some(outdoor)) = (view.temperature, view.humidity, view.outdoor)
            && let Some(floor) = mould_floor(air, humidity, outdoor)
        {
            low = low.max(floor);
        }
        Band {
            low,
            high: high.max(low),
        }
    }

    /// Whether anything hangs on this edge of an empty room's band now: it is told to the unit, or the air is on its side of
    /// comfort. The other one is not worth a forecast at every tick.
    fn decides(&self, view: &View<'_>, direction: Direction) -> bool {
        let target = self.target(view);
        let is_on_its_side = |air: Celsius| match direction {
            Direction::Heating => air < target,
            Direction::Cooling => air > target,
        };
        self.direction == direction || view.temperature.is_none_or(is_on_its_side)
    }

    pub(super) fn comfort_band(&self, view: &View<'_>) -> Band {
        let target = self.target(view);
        if view.can_choose && view.policies.plant == Plant::Auto && self.choice.is_none() {
            Band::comfort(target, self.season)
        } else {
            Band {
                low: target,
                high: target,
            }
        }
    }

    /// While the guest is out: two stages, and never farther than the room can come back from in time.
    pub(super) fn away_band(&self, view: &View<'_>, thermal: &Thermal) -> Band {
        let levels = &view.policies.levels;
        let off = if self.is_deep(view.now, view.policies) {
            levels.out_deep
        } else {
            levels.out_shallow
        };
        let off = levels.regain_within.map_or(off, |within| {
            let from = self.target(view) - off;
            let back = thermal.reachable(&view.policies.arrival, Direction::Heating, from, within) - from;
            off.min(back + view.policies.arrival.band)
        });
        let band = self.comfort_band(view).wider(off);
        match view.power.gives_way {
            Some(_) => Band {
                low: band.low.min(levels.vacant_heating),
                high: band.high.max(levels.vacant_cooling),
            },
            None => band,
        }
    }
}

/// The levels of a room that nobody is in: nearer to comfort when somebody is expected.
pub(super) fn resting_band(view: &View<'_>) -> Band {
    let (levels, limits) = (&view.policies.levels, view.limits);
    let sheds = view.power.gives_way == Some(GivesWay::Sheds);
    let (low, high) = match (is_sold(view.due, view.now) || view.is_kept, sheds) {
        (true, false) => (levels.vacant_heating, levels.vacant_cooling),
        (true, true) | (false, false) => (levels.unsold_heating, levels.unsold_cooling),
        (false, true) => (limits.temperature_min, limits.temperature_max),
    };
    Band { low, high }
}
