//! What would the room be told by the rules that innkeeper is compared with?
//!
//! All of them know the same: the booking, the announced arrival, the check-in at the desk, who is in. All hold the same
//! comfort band by season, the same levels without a guest. They differ only in when they begin.

use super::guests::{Visit, Who};
use super::hotel::{Hotel, Standing};
use super::median::Median;
use super::thermostat::Wanted;
use crate::engine::eta::truncated_quantile;

/// The clairvoyant begins as late as lets the room be this near at the door, K.
const ORACLE_BAND_K: f64 = 0.23;
/// And looks so far ahead, min.
const ORACLE_AHEAD: usize = 600;
/// An empty room that is sold, and one that is not, C.
const SOLD: Wanted = Wanted { low: 18.0, high: 27.0 };
const UNSOLD: Wanted = Wanted { low: 16.0, high: 29.0 };
/// Somebody out for a while is met by a room so far from comfort, K.
const OUT_K: f64 = 2.0;

/// A rule for when to begin.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Rule {
    /// When the desk checks the guest in.
    CheckIn,
    /// So many minutes before the announced arrival.
    Fixed(i64),
    /// Never set back.
    AlwaysOn,
    /// The median of four models, before this quantile of the arrival (0.5: before the announced one).
    Median(f64),
    /// Knows plant, weather and arrival.
    Oracle,
}

/// One room under a rule.
#[derive(Debug, Default)]
struct Room {
    visit: usize,
    is_begun: bool,
    median: Median,
}

/// All rooms under a rule.
#[derive(Debug)]
pub struct Rival {
    rule: Rule,
    rooms: Vec<Room>,
}

/// The comfort band about a preference, by the air outside: warmed from below in winter, cooled from above in summer.
pub fn comfort(preferred: f64, outdoor: f64) -> Wanted {
    let (below, above) = match outdoor {
        t if t < 12.0 => (0.0, 1.0),
        t if t > 20.0 => (1.0, 0.0),
        _ => (0.3, 0.3),
    };
    Wanted {
        low: preferred - below,
        high: preferred + above,
    }
}

impl Rival {
    /// Nothing has happened yet.
    pub fn new(rule: Rule, rooms: usize) -> Self {
        Self {
            rule,
            rooms: (0..rooms).map(|_| Room::default()).collect(),
        }
    }

    /// Every five minutes: what each thermostat is to do.
    pub fn decide(&mut self, hotel: &Hotel, standings: &mut [Standing], minute: usize) {
        let around = hotel.around(standings);
        for (number, room) in self.rooms.iter_mut().enumerate() {
            let wanted = room.wanted(self.rule, hotel, number, &standings[number], around[number], minute);
            standings[number].wanted = wanted;
        }
    }
}

impl Room {
    fn wanted(
        &mut self,
        rule: Rule,
        hotel: &Hotel,
        number: usize,
        standing: &Standing,
        around: f64,
        minute: usize,
    ) -> Wanted {
        let visits = &hotel.places[number].life.visits;
        while visits.get(self.visit).is_some_and(|visit| is_over(visit, minute)) {
            (self.visit, self.is_begun) = (self.visit + 1, false);
        }
        let Some(visit) = visits.get(self.visit) else {
            return UNSOLD;
        };
        let outdoor = hotel.weather.outdoor_feed[minute];
        let band = comfort(preferred(visit, minute), outdoor);
        let shown = hotel.shown(number, &standing.body, minute);
        self.median
            .follow(shown, band.low, band.high, outdoor, minute >= visit.arrival + 60);
        if minute >= visit.arrival && !visit.is_no_show {
            return match hotel.places[number].life.who[minute] {
                Who::Out if rule != Rule::AlwaysOn => Wanted {
                    low: band.low - OUT_K,
                    high: band.high + OUT_K,
                },
                _ => band,
            };
        }
        if rule == Rule::AlwaysOn {
            return band;
        }
        let is_at_desk = minute >= visit.check_in && !visit.is_no_show;
        let is_booked = visit.booked.is_some_and(|booked| booked <= minute);
        let is_sold = is_booked && visit.eta - minute as i64 <= 1440;
        let vacant = if is_sold { SOLD } else { UNSOLD };
        let begins = || match rule {
            _ if is_at_desk => true,
            Rule::CheckIn | Rule::AlwaysOn => false,
            Rule::Fixed(before) => is_booked && minute as i64 >= visit.eta - before,
            Rule::Median(share) => {
                let sd = hotel.options.eta_error_min;
                let due = if share >= 0.5 {
                    visit.eta as f64
                } else {
                    truncated_quantile(visit.eta as f64, sd, minute as f64, share)
                };
                is_booked && minute as f64 >= due - self.median.lead_min(shown, band.low, band.high, outdoor)
            }
            Rule::Oracle => {
                !visit.is_no_show && must_begin(hotel, number, standing, around, minute, visit, (vacant, band))
            }
        };
        if !self.is_begun && begins() {
            self.is_begun = true;
            self.median.begin(shown, band.low, band.high);
        }
        if self.is_begun { band } else { vacant }
    }
}

fn is_over(visit: &Visit, minute: usize) -> bool {
    if visit.is_no_show {
        minute as i64 > visit.eta + 240
    } else {
        minute > visit.departure + 15
    }
}

fn preferred(visit: &Visit, minute: usize) -> f64 {
    visit
        .dial
        .filter(|(turned, _)| *turned <= minute)
        .map_or(visit.preferred, |(_, to)| to)
}

/// Whether beginning five minutes later would miss: tried on a copy of the true room.
fn must_begin(
    hotel: &Hotel,
    number: usize,
    standing: &Standing,
    around: f64,
    minute: usize,
    visit: &Visit,
    (vacant, band): (Wanted, Wanted),
) -> bool {
    if minute + ORACLE_AHEAD < visit.arrival {
        return false;
    }
    let mut copy = standing.clone();
    for later in minute..visit.arrival {
        copy.wanted = if later < minute + 5 { vacant } else { band };
        hotel.live(number, &mut copy, around, later);
    }
    (copy.body.air - visit.preferred).abs() > ORACLE_BAND_K
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn winter_warms_from_below_and_summer_cools_from_above() {
        assert_eq!(comfort(22.0, 0.0).low, 22.0);
        assert_eq!(comfort(22.0, 30.0).high, 22.0);
    }
}
