//! How much longer than forecast do recoveries take here?
//!
//! Each recovery that was forecast and then seen leaves one figure: what it took over what was told. The lead is lengthened
//! so that nineteen of twenty of the property's past recoveries would have been in time (a conformal quantile: it asks
//! nothing of how errors are distributed). Until enough are seen, the property's own figure serves.

use crate::model::{Arrival, Span};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// So many recoveries are remembered: a season of a small house, a week of a large one.
const REMEMBERED: usize = 120;
/// With fewer than this, nineteen of twenty cannot be told.
const ENOUGH: usize = 20;
/// Of twenty recoveries, so many are to be in time.
const IN_TIME: f64 = 0.95;
/// The lead is never made shorter than the forecast, nor longer than so many times it.
const FACTOR: std::ops::RangeInclusive<f64> = 1.0..=2.5;
/// A shorter recovery says more of the thermometer's step than of the room.
const TOLD_MIN: Span = Span::minutes(10);

/// What the property's recoveries took, over what was told of them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Margin {
    /// Thousandths, the newest last.
    seen: VecDeque<u32>,
    /// How many were seen in all, and how many of them within their lead.
    #[serde(default)]
    all: u32,
    #[serde(default)]
    in_time: u32,
}

impl Margin {
    /// A recovery that was told to take `told` took this long.
    pub fn saw(&mut self, policy: &Arrival, told: Span, took: Span) {
        if told < TOLD_MIN {
            return;
        }
        self.all = self.all.saturating_add(1);
        self.in_time = self.in_time.saturating_add(u32::from(took <= self.lead(policy, told)));
        let over = (took - policy.lead_extra).as_minutes_f64() / told.as_minutes_f64();
        if self.seen.len() >= REMEMBERED {
            self.seen.pop_front();
        }
        self.seen.push_back((over.clamp(0.0, 10.0) * 1000.0) as u32);
    }

    /// How long before it is needed a recovery of this length is begun.
    pub fn lead(&self, policy: &Arrival, told: Span) -> Span {
        if told <= Span::ZERO {
            return Span::ZERO;
        }
        let lead = Span::from_minutes_f64(told.as_minutes_f64() * self.factor(policy)) + policy.lead_extra;
        lead.min(policy.lead_max)
    }

    /// What a forecast is multiplied by.
    pub fn factor(&self, policy: &Arrival) -> f64 {
        if self.seen.len() < ENOUGH {
            return policy.lead_factor;
        }
        let mut sorted: Vec<u32> = self.seen.iter().copied().collect();
        sorted.sort_unstable();
        let rank = ((sorted.len() as f64 + 1.0) * IN_TIME).ceil() as usize;
        let over = f64::from(sorted[rank.clamp(1, sorted.len()) - 1]) / 1000.0;
        over.clamp(*FACTOR.start(), *FACTOR.end())
    }

    /// How many recoveries were seen, and how many of them were within their lead.
    pub fn score(&self) -> (u32, u32) {
        (self.all, self.in_time)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leads_grow_until_nineteen_of_twenty_recoveries_would_have_been_in_time() {
        let (policy, mut margin) = (Arrival::default(), Margin::default());
        let told = Span::minutes(60);
        assert_eq!(margin.lead(&policy, told), Span::minutes(88));
        for n in 0..100 {
            margin.saw(&policy, told, Span::minutes(50 + n));
        }
        let lead = margin.lead(&policy, told);
        let in_time = (0..100).filter(|n| Span::minutes(50 + n) <= lead).count();
        assert!((94..=97).contains(&in_time), "{in_time} of 100 within {lead}");
    }

    #[test]
    fn nothing_to_do_takes_no_lead_and_wild_figures_no_hold() {
        let (policy, mut margin) = (Arrival::default(), Margin::default());
        (0..50).for_each(|_| margin.saw(&policy, Span::minutes(20), Span::days(9)));
        assert_eq!(margin.lead(&policy, Span::ZERO), Span::ZERO);
        assert_eq!(margin.lead(&policy, Span::days(9)), policy.lead_max);
    }
}
