//! When is the plant shared out anew, and among which rooms?
//!
//! Every five minutes while something limits the plant, on the clock's own five minutes and after the rooms have ticked; at
//! once when a limit is told. A limit that is told is always hard and ends by itself: whoever means it says it again. What
//! a room may take stands in the room, so that a restarted gateway goes on by the same shares.

use super::Engine;
use super::power::{Allotment, foresee, share_out};
use super::thermal::meter::{moment, tick_number};
use crate::model::{Effect, Key, Moment, Percent, SaveWhen, Span};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A limit that was told and not said again is over after this.
const TOLD_LIFE: Span = Span::hours(1);
/// And no limit is taken for longer than this at once.
const TOLD_MAX: Span = Span::hours(24);

/// What limits the plant, and when it was shared out last.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Sharing {
    told: Option<Told>,
    round: Option<i64>,
}

/// A limit that was told.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Told {
    share: Percent,
    until: Moment,
}

impl Sharing {
    /// When it is shared out next; none while nothing limits the plant.
    pub fn deadline(&self) -> Option<Moment> {
        self.round.map(|round| moment(round + 1))
    }

    fn told(&self, now: Moment) -> Option<Percent> {
        self.told.filter(|told| now < told.until).map(|told| told.share)
    }
}

/// Rooms that hang on one riser, or on one plant, and how many of them it runs at full output.
struct Riser {
    rooms: Vec<usize>,
    limit: f64,
}

impl Engine {
    /// A limit is told, or lifted.
    pub(super) fn limit_power(
        &mut self,
        now: Moment,
        share: Option<Percent>,
        until: Option<Moment>,
        effects: &mut Vec<Effect>,
    ) {
        let until = until.unwrap_or(now + TOLD_LIFE).min(now + TOLD_MAX);
        self.common.sharing.told = share.map(|share| Told { share, until });
        self.share_out(now, effects);
    }

    /// Shares the plant out anew, if it is time.
    pub(super) fn run_sharing(&mut self, now: Moment, effects: &mut Vec<Effect>) {
        let round = self.common.sharing.round;
        let is_on = round.is_some() || self.is_limited(now);
        if is_on && round != Some(tick_number(now)) {
            self.share_out(now, effects);
        }
    }

    fn is_limited(&self, now: Moment) -> bool {
        self.property.policies.power.rooms_at_full.is_some() || self.common.sharing.told(now).is_some()
    }

    fn share_out(&mut self, now: Moment, effects: &mut Vec<Effect>) {
        let is_hard = self.property.policies.power.sheds || self.common.sharing.told(now).is_some();
        for riser in self.risers(now) {
            self.share_riser(&riser, is_hard, now, effects);
        }
        self.common.sharing.round = self.is_limited(now).then(|| tick_number(now));
        effects.push(Effect::Save {
            key: Key::Property,
            when: SaveWhen::Soon,
        });
    }

    /// Rooms that hang together. Without a limit, the last round gives everything back.
    fn risers(&self, now: Moment) -> Vec<Riser> {
        let (policy, told) = (&self.property.policies.power, self.common.sharing.told(now));
        let mut rooms: BTreeMap<Option<&String>, Vec<usize>> = BTreeMap::new();
        for (place, room) in self.property.rooms.iter().enumerate() {
            let riser = room.floor.as_ref().filter(|_| policy.by_floor);
            rooms.entry(riser).or_default().push(place);
        }
        let limit = |rooms: &[usize]| {
            let all: f64 = rooms
                .iter()
                .map(|place| self.property.rooms[*place].in_usual_rooms())
                .sum();
            let by_told = told.map_or(f64::INFINITY, |share| all * share.to_f64() / 100.0);
            policy.rooms_at_full.map_or(all, f64::from).min(by_told)
        };
        let riser = |rooms: Vec<usize>| Riser {
            limit: limit(&rooms),
            rooms,
        };
        rooms.into_values().map(riser).collect()
    }

    fn share_riser(&mut self, riser: &Riser, is_hard: bool, now: Moment, effects: &mut Vec<Effect>) {
        let claim = |place: &usize| Some((*place, self.rooms[*place].claim(self.world(*place, now))?));
        let (places, claims): (Vec<usize>, Vec<_>) = riser.rooms.iter().filter_map(claim).unzip();
        let shares = share_out(riser.limit, is_hard, now, &claims);
        let ahead = foresee(riser.limit, now, &claims);
        for (n, place) in places.into_iter().enumerate() {
            let (foreseen, earlier_min) = ahead[n];
            let share = Allotment {
                foreseen,
                earlier_min,
                ..shares[n]
            };
            if share != claims[n].has {
                let (limit, slack) = (riser.limit, claims[n].slack(now));
                self.in_room(place, now, effects, |room, world, out| {
                    room.allot(world, share, limit, slack, out)
                });
            }
        }
    }
}
