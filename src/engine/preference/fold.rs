//! What figure does a guest like, given what each stay showed?
//!
//! A pure function of the stays, in their order, and of today. Each stay gives one observation, from the best of its
//! evidence. A run of observations has a weighted mean that recent stays dominate. An observation that lies far off
//! opens a second run, and the next stay decides between the two. The steps are told in docs/behaviour.md; the constants
//! were measured on synthetic guests whose truth is known.

use super::arithmetic::{below, faded, kept, within};
use super::scale::Scale;
use super::{Source, Status, Tag, Weight};
use crate::model::{Said, StayEvidence};

/// The variance of each kind of evidence, K^2: an explicit wish, a staff note, what was left alone, what was booked.
const EXPLICIT: f64 = 0.35 * 0.35;
const STAFF: f64 = 0.8 * 0.8;
const ACCEPTED: f64 = 1.1 * 1.1;
const BOOKED: f64 = 1.5 * 1.5;
/// Of a device: its own, spread over the nights (three at most), and the step of its dial.
const DEVICE: f64 = 0.25;
const DEVICE_NIGHTS: f64 = 0.36;
const DEVICE_STEP: f64 = 0.02;
/// Bounds of one stay's weight.
const WEIGHT_MIN: f64 = 0.15;
const WEIGHT_MAX: f64 = 1.5;
/// The like drifts by so much variance with every day since the last stay, K^2.
const DRIFT_PER_DAY: f64 = 0.04 / 45.0;
/// A device value so many standard deviations off may be another like.
const CHANGE_Z: f64 = 2.2;
/// A change is told of from so many standard deviations on; and from so many when nothing but what was left alone was
/// known before: then it may as well be the first that is really known.
const TOLD_Z: f64 = 2.2;
const TOLD_Z_WEAKLY_KNOWN: f64 = 3.0;
/// A change that only devices saw weighs so much of the answer until the next stay decides.
const SUSPECTED: f64 = 0.85;
/// What was merely left alone counts half a stay towards a change.
const ACCEPTED_COUNTS: f64 = 0.5;
/// A change is told of for so many stays.
const TOLD_FOR: usize = 3;
/// Stated spreads are a little too small; measured.
const SPREAD_FACTOR: f64 = 1.05;
/// A confirmed value is known this well, standard deviation in K.
const CONFIRMED_SD: f64 = 0.4;
/// Two later stays against it raise a doubt about a confirmation.
const STAYS_AGAINST_CONFIRMED: u32 = 2;
/// The booking is contradicted by so many acts by hand, and by an answer that lies so far from it with this probability.
const ACTS_AGAINST_BOOKING: u32 = 2;
const BOOKING_NEAR: f64 = 0.75;
const BOOKING_DOUBT: f64 = 0.9;
/// A stay may end so many days after today: it overlaps another, or calendars differ. Further ahead counts as this.
const AHEAD_DAYS: i32 = 30;
/// The last so many stays outweigh everything older than this.
const RECENT: usize = 3;
const OLD_DAYS: i32 = 180;
const OUTWEIGH: f64 = 0.999;

/// What one stay says of the attribute.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shown<'a> {
    /// The day of check-out.
    pub day: i32,
    /// The evidence; what is no figure is passed over.
    pub evidence: &'a StayEvidence,
}

/// What the fold finds.
#[derive(Debug, Clone, PartialEq)]
pub struct Folded {
    /// What is liked, in the attribute's unit.
    pub value: f64,
    /// Standard deviation.
    pub sd: f64,
    /// The probability that the guest's own choice lies within the attribute's reach of it.
    pub within: f64,
    /// What the answer rests on most.
    pub status: Status,
    /// What else is to be known, in the order of the names.
    pub tags: Vec<Tag>,
    /// What was liked before a change that is told of.
    pub from: Option<f64>,
    /// The day of the last change.
    pub changed_at: Option<i32>,
    /// How much of the value rests on each stay, oldest first; what is missing to 1 rests on what is usual.
    pub weights: Vec<Weight>,
    /// The day of the last evidence that is more than a booking.
    pub last_day: Option<i32>,
}

/// One observation: what a stay showed, and how much that weighs before any later stay.
#[derive(Debug, Clone, Copy)]
struct Observed {
    stay: usize,
    day: i32,
    figure: f64,
    weight: f64,
    variance: f64,
    source: Source,
}

#[derive(Debug, Clone, Copy)]
struct Confirmed {
    figure: f64,
    stay: usize,
}

/// The fold in progress.
struct Fold<'a> {
    scale: &'a Scale,
    /// The weight and the figure of what is usual.
    usual_weight: f64,
    usual: f64,
    run: Vec<Observed>,
    /// Opened by an observation far off; the next stay decides.
    second: Vec<Observed>,
    confirmed: Option<Confirmed>,
    booked: Option<f64>,
    last_day: Option<i32>,
    changed_at: Option<i32>,
    from: Option<f64>,
    is_told: bool,
    acts_against_booking: u32,
    stays_against_confirmed: u32,
}

/// Folds what the stays showed, oldest first, into what is liked on the day `today`. `usual` is what is liked by guests
/// of whom nothing is known; the number beside each stay is its name in the weights.
pub fn fold<'a>(scale: &Scale, usual: f64, stays: impl IntoIterator<Item = (usize, Shown<'a>)>, today: i32) -> Folded {
    let mut fold = Fold::new(scale, usual);
    for (stay, shown) in stays {
        fold.take(stay, &shown);
    }
    fold.answer(today)
}

fn age(day: i32, today: i32) -> i32 {
    today.saturating_sub(day).max(-AHEAD_DAYS)
}

fn figure(said: Option<Said>) -> Option<f64> {
    said?.figure().map(|figure| figure.to_f64())
}

impl<'a> Fold<'a> {
    fn new(scale: &'a Scale, usual: f64) -> Self {
        Self {
            scale,
            usual_weight: (scale.within_sd * scale.within_sd) / (scale.between_sd * scale.between_sd),
            usual,
            run: Vec::new(),
            second: Vec::new(),
            confirmed: None,
            booked: None,
            last_day: None,
            changed_at: None,
            from: None,
            is_told: false,
            acts_against_booking: 0,
            stays_against_confirmed: 0,
        }
    }

    fn take(&mut self, stay: usize, shown: &Shown<'_>) {
        let (day, evidence) = (shown.day, shown.evidence);
        self.booked = figure(evidence.booking).or(self.booked);
        if let Some(confirmed) = figure(evidence.confirmed) {
            self.confirm(stay, day, confirmed);
        }
        let Some(observed) = self.observe(stay, day, evidence) else {
            return;
        };
        if observed.source != Source::Booking {
            self.last_day = Some(day);
        }
        self.compare_with_booking(evidence);
        self.compare_with_confirmed(&observed);
        self.weigh_in(observed);
    }

    /// A confirmation begins everything anew.
    fn confirm(&mut self, stay: usize, day: i32, figure: f64) {
        if self.confirmed.is_some() || !self.run.is_empty() {
            let (mean, variance) = self.mean(day);
            let known = CONFIRMED_SD * self.scale.stretch;
            let off = (figure - mean).abs();
            if off >= self.scale.change {
                self.changed(day, mean, off / (variance + known * known).sqrt());
            }
        }
        self.confirmed = Some(Confirmed { figure, stay });
        self.second.clear();
        self.run.clear();
        self.run.push(Observed {
            stay,
            day,
            figure,
            weight: WEIGHT_MAX,
            variance: 0.0,
            source: Source::Confirmed,
        });
        (self.stays_against_confirmed, self.last_day) = (0, Some(day));
    }

    /// The best of a stay's evidence.
    fn observe(&self, stay: usize, day: i32, evidence: &StayEvidence) -> Option<Observed> {
        let device = evidence.device.filter(|device| device.nights > 0);
        let settled = device.and_then(|device| {
            let nights = f64::from(device.nights.min(3));
            Some((
                figure(Some(device.settled))?,
                DEVICE + DEVICE_NIGHTS / nights + DEVICE_STEP,
            ))
        });
        let said = |said, variance| figure(said).map(|figure| (figure, variance));
        let ((figure, variance), source) = [
            (said(evidence.explicit, EXPLICIT), Source::Explicit),
            (settled, Source::Device),
            (said(evidence.staff, STAFF), Source::Staff),
            (said(evidence.accepted, ACCEPTED), Source::Accepted),
            (said(evidence.booking, BOOKED), Source::Booking),
        ]
        .into_iter()
        .find_map(|(seen, source)| Some((seen?, source)))?;
        let variance = variance * (self.scale.stretch * self.scale.stretch);
        let weight = (self.within_variance() / variance).clamp(WEIGHT_MIN, WEIGHT_MAX);
        Some(Observed {
            stay,
            day,
            figure,
            weight,
            variance,
            source,
        })
    }

    fn compare_with_booking(&mut self, evidence: &StayEvidence) {
        let (Some(device), Some(booked)) = (evidence.device, self.booked) else {
            return;
        };
        let Some(settled) = figure(Some(device.settled)) else {
            return;
        };
        let acts = u32::from(device.acts);
        if device.nights == 0 && evidence.booking.is_none() {
            return;
        }
        if (settled - booked).abs() >= self.scale.change {
            self.acts_against_booking = self.acts_against_booking.saturating_add(acts);
        } else if device.nights > 0 {
            self.acts_against_booking = self.acts_against_booking.saturating_sub(acts);
        }
    }

    fn compare_with_confirmed(&mut self, observed: &Observed) {
        let Some(confirmed) = self.confirmed.filter(|confirmed| confirmed.stay != observed.stay) else {
            return;
        };
        match observed.source {
            Source::Device if (observed.figure - confirmed.figure).abs() >= self.scale.change => {
                self.stays_against_confirmed += 1;
            }
            Source::Device => self.stays_against_confirmed = 0,
            Source::Explicit => self.confirmed = None,
            _ => {}
        }
    }

    fn weigh_in(&mut self, observed: Observed) {
        let is_booking = |seen: &Observed| seen.source == Source::Booking;
        if is_booking(&observed) && !self.run.iter().all(is_booking) {
            return;
        }
        let is_shown = matches!(observed.source, Source::Device | Source::Explicit);
        if is_shown && self.run.iter().all(is_booking) {
            self.run.clear();
        }
        if !self.second.is_empty() {
            return self.decide(observed);
        }
        if is_shown && !self.run.is_empty() {
            let (mean, variance) = self.mean(observed.day);
            let off = (observed.figure - mean).abs();
            let z = off / (variance + observed.variance).sqrt();
            if off >= self.scale.change && (observed.source == Source::Explicit || z >= CHANGE_Z) {
                self.changed(observed.day, mean, z);
                self.second.push(observed);
                return;
            }
        }
        self.run.push(observed);
    }

    /// Notes a change from the run's mean, `z` standard deviations off, and whether it is sure enough to be told of.
    fn changed(&mut self, day: i32, mean: f64, z: f64) {
        let is_own = |seen: &Observed| matches!(seen.source, Source::Device | Source::Explicit | Source::Confirmed);
        let is_known = self.run.iter().any(is_own);
        self.is_told = z >= if is_known { TOLD_Z } else { TOLD_Z_WEAKLY_KNOWN };
        (self.changed_at, self.from) = (Some(day), Some(mean));
    }

    /// The stay after a far one: does it agree with that, or with all before?
    fn decide(&mut self, observed: Observed) {
        let (mean, variance) = self.mean(observed.day);
        let (second, _) = self.second_mean();
        let off_second = (observed.figure - second).abs() / (self.within_variance() + observed.variance).sqrt();
        let off_run = (observed.figure - mean).abs() / (variance + observed.variance).sqrt();
        if off_second >= off_run {
            self.second.clear();
            self.changed_at = None;
            self.run.push(observed);
            return;
        }
        self.second.push(observed);
        let counts = |seen: &Observed| {
            if seen.source == Source::Accepted {
                ACCEPTED_COUNTS
            } else {
                1.0
            }
        };
        if observed.source == Source::Explicit || self.second.iter().map(counts).sum::<f64>() >= 2.0 {
            self.run = std::mem::take(&mut self.second);
        }
    }

    fn within_variance(&self) -> f64 {
        self.scale.within_sd * self.scale.within_sd
    }

    fn drift(&self) -> f64 {
        DRIFT_PER_DAY * (self.scale.stretch * self.scale.stretch)
    }

    /// What the observation of this place in the run weighs on a day.
    fn weight(&self, at: usize, day: i32) -> f64 {
        let seen = &self.run[at];
        seen.weight * kept(self.run.len() - 1 - at) * faded(age(seen.day, day))
    }

    /// The run's mean and variance on a day.
    fn mean(&self, day: i32) -> (f64, f64) {
        let (mut total, mut sum) = (self.usual_weight, self.usual_weight * self.usual);
        for (at, seen) in self.run.iter().enumerate() {
            let weight = self.weight(at, day);
            total += weight;
            sum += weight * seen.figure;
        }
        let since = self.run.last().map_or(0, |seen| age(seen.day, day));
        (
            sum / total,
            self.within_variance() / total + self.drift() * f64::from(since),
        )
    }

    /// The second run's plain mean, and its weight.
    fn second_mean(&self) -> (f64, f64) {
        let total: f64 = self.second.iter().map(|seen| seen.weight).sum();
        let sum: f64 = self.second.iter().map(|seen| seen.figure * seen.weight).sum();
        (sum / total, total)
    }

    fn answer(mut self, today: i32) -> Folded {
        let (mut value, mut variance) = self.mean(today);
        let mut status = self
            .run
            .last()
            .map_or(Status::Population, |seen| Status::Seen(seen.source));
        let (mut weights, held) = self.shares(today);
        if !self.second.is_empty() {
            let share = self.lean(&mut weights);
            (value, variance, status) = self.leant(value, variance, share);
        } else if let Some(held) = held {
            value = held;
        }
        if let Some(confirmed) = self.confirmed {
            let known = CONFIRMED_SD * self.scale.stretch;
            (value, variance, status) = (confirmed.figure, variance.min(known * known), Status::Confirmed);
            weights = vec![Weight {
                stay: confirmed.stay,
                source: Source::Confirmed,
                share: 1.0,
            }];
        }
        let sd = SPREAD_FACTOR * variance.sqrt();
        let tags = self.tags(value, sd, today);
        let is_told = tags.contains(&Tag::RecentChange) || tags.contains(&Tag::SuspectedChange);
        Folded {
            value,
            sd,
            within: within(self.scale.reach, sd),
            status,
            tags,
            from: self.from.take().filter(|_| is_told),
            changed_at: self.changed_at,
            weights,
            last_day: self.last_day,
        }
    }

    /// How far the answer leans towards an open second run: wholly when that was said in words.
    fn second_share(&self) -> f64 {
        match self.second.last().map(|seen| seen.source) {
            Some(Source::Explicit) => 1.0,
            _ => SUSPECTED,
        }
    }

    /// The answer while a second run is open.
    fn leant(&self, mean: f64, variance: f64, share: f64) -> (f64, f64, Status) {
        let (second, weight) = self.second_mean();
        let own = self.within_variance() / (self.usual_weight + weight);
        if share >= 1.0 {
            return (second, own, Status::Seen(Source::Explicit));
        }
        let sum: f64 = self.second.iter().map(|seen| seen.figure * seen.weight).sum();
        let second = (self.usual_weight * mean + sum) / (self.usual_weight + weight);
        let apart = (second - mean) * (second - mean);
        let variance = share * (own + apart) + (1.0 - share) * (variance + apart);
        (share * second + (1.0 - share) * mean, variance, Status::SuspectedChange)
    }

    /// Gives the second run its part of the answer; returns how far that leans towards it.
    fn lean(&self, weights: &mut Vec<Weight>) -> f64 {
        let (share, (_, weight)) = (self.second_share(), self.second_mean());
        // Said in words, the second run stands alone; else the first run is what is usual before it.
        let usual = if share >= 1.0 { 0.0 } else { self.usual_weight };
        let first = share * usual / (usual + weight) + (1.0 - share);
        weights.iter_mut().for_each(|of| of.share *= first);
        weights.extend(self.second.iter().map(|seen| Weight {
            stay: seen.stay,
            source: seen.source,
            share: share * seen.weight / (usual + weight),
        }));
        share
    }

    /// Each stay's share of the run's mean; and that mean, when what is old had to be held down so that recent stays
    /// outweigh it.
    fn shares(&self, today: i32) -> (Vec<Weight>, Option<f64>) {
        let mut weights: Vec<f64> = (0..self.run.len()).map(|at| self.weight(at, today)).collect();
        let is_held = self.second.is_empty() && self.hold_down(&mut weights, today);
        let total = self.usual_weight + weights.iter().sum::<f64>();
        let share = |(seen, weight): (&Observed, &f64)| Weight {
            stay: seen.stay,
            source: seen.source,
            share: *weight / total,
        };
        let shares = self.run.iter().zip(&weights).map(share).collect();
        let figures = self.run.iter().zip(&weights).map(|(seen, weight)| weight * seen.figure);
        let mean = is_held.then(|| (self.usual_weight * self.usual + figures.sum::<f64>()) / total);
        (shares, mean)
    }

    fn hold_down(&self, weights: &mut [f64], today: i32) -> bool {
        let Some(recent) = weights.len().checked_sub(RECENT).filter(|older| *older > 0) else {
            return false;
        };
        let top: f64 = weights[recent..].iter().sum();
        let is_old = |at: &usize| today.saturating_sub(self.run[*at].day) > OLD_DAYS;
        let old: f64 = (0..recent).filter(is_old).map(|at| weights[at]).sum();
        if old <= top * OUTWEIGH {
            return false;
        }
        let share = top * OUTWEIGH / old;
        (0..recent).filter(is_old).for_each(|at| weights[at] *= share);
        true
    }

    fn tags(&self, value: f64, sd: f64, today: i32) -> Vec<Tag> {
        let mut tags = Vec::new();
        if self.is_against_booking(value, sd) {
            tags.push(Tag::BookingVsDevice);
        }
        if self.stays_against_confirmed >= STAYS_AGAINST_CONFIRMED {
            tags.push(Tag::ConfirmedVsDevice);
        }
        if self.last_day.is_some_and(|last| super::is_dormant(last, today)) {
            tags.push(Tag::Dormant);
        }
        tags.extend(self.change_tag());
        tags
    }

    fn change_tag(&self) -> Option<Tag> {
        let changed_at = self.changed_at?;
        let is_said = |seen: Option<&Observed>| seen.is_some_and(|seen| seen.source == Source::Explicit);
        let is_in_words = is_said(self.second.first()) || is_said(self.second.last());
        if !self.second.is_empty() && !is_in_words {
            return Some(Tag::SuspectedChange);
        }
        let since = self.run.iter().filter(|seen| seen.day >= changed_at).count();
        (self.is_told && (is_in_words || since <= TOLD_FOR)).then_some(Tag::RecentChange)
    }

    fn is_against_booking(&self, value: f64, sd: f64) -> bool {
        let near = BOOKING_NEAR * self.scale.stretch;
        let Some(booked) = self
            .booked
            .filter(|_| self.acts_against_booking >= ACTS_AGAINST_BOOKING)
        else {
            return false;
        };
        if self
            .confirmed
            .is_some_and(|confirmed| (confirmed.figure - booked).abs() < near)
        {
            return false;
        }
        let inside = below((booked + near - value) / sd) - below((booked - near - value) / sd);
        1.0 - inside >= BOOKING_DOUBT
    }
}

#[cfg(test)]
mod tests {
    use super::super::scale;
    use super::*;
    use crate::model::{Attribute, Settled};
    use proptest::prelude::*;

    const USUAL: f64 = 22.5;

    fn device(celsius: f64) -> StayEvidence {
        let settled = Said::hundredths((celsius * 100.0).round() as i32);
        StayEvidence {
            device: Some(Settled {
                settled,
                nights: 3,
                acts: 2,
            }),
            ..StayEvidence::none(Attribute::TargetTemperature)
        }
    }

    fn ask(stays: &[(i32, StayEvidence)], today: i32) -> Folded {
        let scale = scale(Attribute::TargetTemperature).unwrap();
        let shown = stays
            .iter()
            .enumerate()
            .map(|(at, (day, evidence))| (at, Shown { day: *day, evidence }));
        fold(&scale, USUAL, shown, today)
    }

    fn said(celsius: i32) -> Option<Said> {
        Some(Said::hundredths(celsius))
    }

    /// Any evidence, of figures as they come: whole, half and quarter degrees.
    fn evidence() -> impl Strategy<Value = StayEvidence> {
        let figure =
            || proptest::option::weighted(0.3, (60..120_i32).prop_map(|quarters| Said::hundredths(quarters * 25)));
        let device = proptest::option::weighted(0.6, ((60..120_i32), 0..6_u16, 0..5_u16));
        (
            device,
            figure(),
            proptest::option::weighted(0.05, 60..120_i32),
            figure(),
            figure(),
            figure(),
        )
            .prop_map(|(device, explicit, confirmed, staff, accepted, booking)| StayEvidence {
                attribute: Attribute::TargetTemperature,
                device: device.map(|(quarters, nights, acts)| Settled {
                    settled: Said::hundredths(quarters * 25),
                    nights,
                    acts,
                }),
                explicit: explicit.filter(|_| device.is_none()),
                confirmed: confirmed.map(|quarters| Said::hundredths(quarters * 25)),
                staff,
                accepted,
                booking,
            })
    }

    fn history() -> impl Strategy<Value = Vec<(i32, StayEvidence)>> {
        proptest::collection::vec((0..2500_i32, evidence()), 0..30).prop_map(|mut stays| {
            stays.sort_by_key(|(day, _)| *day);
            stays
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(3000))]

        #[test]
        fn the_last_three_stays_outweigh_everything_older_than_180_days(stays in history(), later in 0..1500_i32) {
            let today = stays.last().map_or(0, |(day, _)| *day) + later;
            let folded = ask(&stays, today);
            let mut seen: Vec<usize> = folded.weights.iter().map(|weight| weight.stay).collect();
            seen.dedup();
            let last = &seen[seen.len().saturating_sub(3)..];
            let sum = |of: &dyn Fn(usize) -> bool| -> f64 {
                folded.weights.iter().filter(|weight| of(weight.stay)).map(|weight| weight.share).sum()
            };
            let recent = sum(&|stay| last.contains(&stay));
            let old = sum(&|stay| !last.contains(&stay) && today - stays[stay].0 > OLD_DAYS);
            prop_assert!(recent >= old, "recent {recent}, old {old}: {folded:?}");
        }

        #[test]
        fn the_answer_is_the_mean_of_what_it_says_it_rests_on(stays in history(), later in 0..1500_i32) {
            let today = stays.last().map_or(0, |(day, _)| *day) + later;
            let folded = ask(&stays, today);
            let figure_of = |weight: &Weight| {
                let evidence = &stays[weight.stay].1;
                let said = match weight.source {
                    Source::Explicit => evidence.explicit,
                    Source::Device => evidence.device.map(|device| device.settled),
                    Source::Staff => evidence.staff,
                    Source::Accepted => evidence.accepted,
                    Source::Booking => evidence.booking,
                    Source::Confirmed => evidence.confirmed,
                };
                figure(said).unwrap()
            };
            let rests: f64 = folded.weights.iter().map(|weight| weight.share).sum();
            let mean: f64 = folded.weights.iter().map(|weight| weight.share * figure_of(weight)).sum();
            prop_assert!((-1e-9..=1.0 + 1e-9).contains(&rests));
            prop_assert!((mean + (1.0 - rests) * USUAL - folded.value).abs() < 1e-9, "{folded:?}");
            prop_assert!(folded.sd.is_finite() && (0.0..=1.0).contains(&folded.within));
        }

        #[test]
        fn no_figures_and_no_days_make_it_anything_but_a_number(
            stays in proptest::collection::vec((any::<i32>(), any::<i32>(), any::<u16>()), 0..20), today in any::<i32>(),
        ) {
            let mut stays: Vec<(i32, StayEvidence)> =
                stays.into_iter().map(|(day, wish, acts)| {
                    let mut evidence = device(20.0);
                    evidence.device = Some(Settled { settled: Said::hundredths(wish), nights: acts, acts });
                    (day, evidence)
                }).collect();
            stays.sort_by_key(|(day, _)| *day);
            let folded = ask(&stays, today);
            prop_assert!(folded.value.is_finite() && !folded.sd.is_nan() && (0.0..=1.0).contains(&folded.within), "{folded:?}");
        }
    }

    #[test]
    fn of_a_stranger_it_is_what_is_usual_and_not_sure() {
        let nobody = ask(&[], 100);
        assert_eq!(
            (nobody.value, nobody.status, nobody.tags.len()),
            (USUAL, Status::Population, 0)
        );
        assert!(nobody.within < 0.5);
    }

    #[test]
    fn a_wish_in_words_takes_effect_at_once_and_says_what_it_was_before() {
        let mut stays: Vec<(i32, StayEvidence)> = (0..4).map(|n| (n * 30, device(24.0))).collect();
        stays.push((
            130,
            StayEvidence {
                explicit: said(2000),
                ..StayEvidence::none(Attribute::TargetTemperature)
            },
        ));
        let told = ask(&stays, 131);
        assert_eq!((told.value, told.tags.as_slice()), (20.0, &[Tag::RecentChange][..]));
        assert!(told.from.is_some_and(|from| (23.5..24.1).contains(&from)) && told.changed_at == Some(130));
    }

    #[test]
    fn one_cold_stay_is_suspected_and_a_second_makes_it_true() {
        let mut stays: Vec<(i32, StayEvidence)> = (0..4).map(|n| (n * 30, device(24.0))).collect();
        stays.push((130, device(20.0)));
        let once = ask(&stays, 131);
        assert_eq!(
            (once.status, once.tags.as_slice()),
            (Status::SuspectedChange, &[Tag::SuspectedChange][..])
        );
        assert!((20.5..22.0).contains(&once.value), "{once:?}");
        let mut back = stays.clone();
        back.push((160, device(24.0)));
        let back = ask(&back, 161);
        assert!(back.tags.is_empty() && back.value > 23.5, "{back:?}");
        stays.push((160, device(20.0)));
        let twice = ask(&stays, 161);
        assert_eq!(
            (twice.status, twice.tags.as_slice()),
            (Status::Seen(Source::Device), &[Tag::RecentChange][..])
        );
        assert!(twice.value < 20.5);
    }

    #[test]
    fn a_confirmation_stands_until_words_and_two_stays_against_it_only_raise_a_doubt() {
        let confirmed = StayEvidence {
            confirmed: said(2100),
            ..StayEvidence::none(Attribute::TargetTemperature)
        };
        let mut stays = vec![(0, device(24.0)), (30, confirmed), (60, device(24.0))];
        assert!(!ask(&stays, 61).tags.contains(&Tag::ConfirmedVsDevice));
        stays.push((90, device(24.0)));
        let doubted = ask(&stays, 91);
        assert_eq!((doubted.value, doubted.status), (21.0, Status::Confirmed));
        assert!(doubted.tags.contains(&Tag::ConfirmedVsDevice));
        stays.push((
            120,
            StayEvidence {
                explicit: said(2400),
                ..StayEvidence::none(Attribute::TargetTemperature)
            },
        ));
        assert!(ask(&stays, 121).value > 23.0);
    }

    #[test]
    fn two_acts_against_the_booking_overrule_it_and_say_so() {
        let booked = |acts| {
            let mut evidence = device(24.5);
            evidence.booking = said(2100);
            evidence.device.as_mut().unwrap().acts = acts;
            [(0, evidence)]
        };
        assert!(ask(&booked(1), 1).tags.is_empty());
        let overruled = ask(&booked(2), 1);
        assert_eq!(overruled.tags, [Tag::BookingVsDevice]);
        assert!(overruled.value > 23.5);
    }

    #[test]
    fn after_six_months_without_evidence_it_sleeps() {
        let stays = [(0, device(24.0))];
        assert!(!ask(&stays, 183).tags.contains(&Tag::Dormant));
        assert!(ask(&stays, 184).tags.contains(&Tag::Dormant));
    }
}
