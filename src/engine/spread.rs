//! Do eight of ten recoveries end between the two times that were told of them?
//!
//! A forecast's p10 and p90 carry what its model knows that it does not know. Where each recovery came to lie between them
//! is remembered, in the forecast's own measure, and the two are moved to where nine of ten and one of ten would have lain (a
//! conformal quantile: it asks nothing of how errors are distributed). A few that lie as the model says are counted with
//! them: until enough are seen, and because an end is seen five minutes apart and through the thermometer's noise, and lies
//! less far off than it seems.

use super::thermal::Forecast;
use crate::model::Span;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// So many recoveries are remembered. Models grow better in their first weeks: what they said at first is not to count for long.
const REMEMBERED: usize = 40;
/// As the model says: the normal quantiles of the middles of ten parts, as shares of the way from p50 to p90.
const AS_SAID: [i16; 10] = [-128, -81, -53, -30, -10, 10, 30, 53, 81, 128];
/// One in ten lies below p10, and one above p90.
const TAIL: f64 = 0.1;
/// A told time is no surer than to this on either side: rooms are looked at every five minutes, and a thermometer is late by
/// some more that differ with the wall it hangs on.
const SURE: Span = Span::minutes(6);
/// The way to either end is no shorter a measure than this.
const MEASURE_MIN: Span = Span::minutes(1);
/// No recovery counts as further off than this, in hundredths of the way.
const FAR: f64 = 1000.0;

/// Where recoveries came to lie: 0 at p50, 100 at p90, -100 at p10; the newest last.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Spread {
    lay: VecDeque<i16>,
}

/// When eight of ten recoveries end, as it is told. No forecast: what was made of the model's word is not to be measured as if
/// it were that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ends {
    /// One of ten is over within this.
    pub p10: Span,
    /// Nine of ten are.
    pub p90: Span,
}

impl Spread {
    /// A recovery of which the model said this took this long.
    pub fn saw(&mut self, said: &Forecast, took: Span) {
        let off = took - said.p50;
        let way = if off < Span::ZERO {
            said.p50 - said.p10
        } else {
            said.p90 - said.p50
        };
        let lay = 100.0 * off.as_minutes_f64() / way.max(MEASURE_MIN).as_minutes_f64();
        while self.lay.len() >= REMEMBERED {
            self.lay.pop_front();
        }
        self.lay.push_back(lay.clamp(-FAR, FAR) as i16);
    }

    /// Where the forecast's two ends belong.
    pub fn told(&self, said: &Forecast) -> Ends {
        let mut all: Vec<i16> = self.lay.iter().chain(&AS_SAID).copied().collect();
        all.sort_unstable();
        // From both ends by the same count, rounded outwards: few recoveries are no reason to be sure.
        let outside = ((all.len() as f64 + 1.0) * TAIL).floor().max(1.0) as usize - 1;
        let (low, high) = (all[outside], all[all.len() - 1 - outside]);
        let moved = |way: Span, by: i16| Span::from_minutes_f64(way.as_minutes_f64() * f64::from(by.max(0)) / 100.0);
        let ends = (moved(said.p50 - said.p10, -low), moved(said.p90 - said.p50, high));
        Ends {
            p10: (said.p50 - ends.0.max(SURE)).max(Span::ZERO),
            p90: said.p50 + ends.1.max(SURE),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(minutes: i64) -> Forecast {
        Forecast {
            p10: Span::minutes(minutes - 5),
            p50: Span::minutes(minutes),
            p90: Span::minutes(minutes + 10),
            rate: 1.0,
            recoveries: 0,
        }
    }

    #[test]
    fn eight_of_ten_come_to_lie_between_what_is_told_however_wrong_the_model_is() {
        let mut spread = Spread::default();
        let took = |n: i64| Span::minutes(60 + (n * 37 % 61) - 20);
        (0..120).for_each(|n| spread.saw(&said(60), took(n)));
        let told = spread.told(&said(60));
        let inside = (0..120)
            .filter(|n| told.p10 <= took(*n) && took(*n) <= told.p90)
            .count();
        assert!((92..=108).contains(&inside), "{inside} of 120: {told:?}");
    }

    #[test]
    fn ends_are_moved_nearly_as_far_as_recoveries_scatter_also_four_times_as_far() {
        let mut spread = Spread::default();
        for n in 0..400_i64 {
            let way = [-20, -16, -12, -8, -4, 8, 16, 24, 32, 40][(n * 7 % 10) as usize];
            spread.saw(&said(60), Span::minutes(60 + way));
        }
        let told = spread.told(&said(60));
        assert!((40..=45).contains(&(told.p10.as_minutes_f64() as i64)), "{told:?}");
        assert!((90..=100).contains(&(told.p90.as_minutes_f64() as i64)), "{told:?}");
    }

    #[test]
    fn before_anything_is_seen_it_is_as_the_model_says() {
        let told = Spread::default().told(&said(60));
        assert!((told.p90.as_minutes_f64() - 70.0).abs() < 4.0, "{told:?}");
        assert!((told.p10.as_minutes_f64() - 54.0).abs() < 2.0, "{told:?}");
    }

    #[test]
    fn wild_figures_keep_their_order() {
        let mut spread = Spread::default();
        (0..200).for_each(|_| spread.saw(&said(60), Span::days(900)));
        let told = spread.told(&said(60));
        assert!(
            told.p10 <= Span::minutes(60) && Span::minutes(60) <= told.p90,
            "{told:?}"
        );
    }
}
