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
    /// How much each stay weighs, oldest first.
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
            let (mean, _) = self.mean(day);
            if (figure - mean).abs() >= self.scale.change {
                (self.changed_at, self.from) = (Some(day), Some(mean));
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
            let is_sure =
                observed.source == Source::Explicit || off / (variance + observed.variance).sqrt() >= CHANGE_Z;
            if off >= self.scale.change && is_sure {
                (self.changed_at, self.from) = (Some(observed.day), Some(mean));
                self.second.push(observed);
                return;
            }
        }
        self.run.push(observed);
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
        let weights = self.weights(today);
        if !self.second.is_empty() {
            (value, variance, status) = self.lean(value, variance);
        } else if let Some(held) = weights.1 {
            value = held;
        }
        if let Some(confirmed) = self.confirmed {
            let known = CONFIRMED_SD * self.scale.stretch;
            (value, variance, status) = (confirmed.figure, variance.min(known * known), Status::Confirmed);
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
            weights: weights.0,
            last_day: self.last_day,
        }
    }

    /// While a second run is open the answer leans towards it: wholly when it was said in words.
    fn lean(&self, mean: f64, variance: f64) -> (f64, f64, Status) {
        let (second, weight) = self.second_mean();
        let own = self.within_variance() / (self.usual_weight + weight);
        if self.second.last().is_some_and(|seen| seen.source == Source::Explicit) {
            return (second, own, Status::Seen(Source::Explicit));
        }
        let sum: f64 = self.second.iter().map(|seen| seen.figure * seen.weight).sum();
        let second = (self.usual_weight * mean + sum) / (self.usual_weight + weight);
        let apart = (second - mean) * (second - mean);
        let variance = SUSPECTED * (own + apart) + (1.0 - SUSPECTED) * (variance + apart);
        (
            SUSPECTED * second + (1.0 - SUSPECTED) * mean,
            variance,
            Status::SuspectedChange,
        )
    }

    /// What each stay weighs; and the mean, when what is old had to be held down so that recent stays outweigh it.
    fn weights(&self, today: i32) -> (Vec<Weight>, Option<f64>) {
        let mut weights: Vec<f64> = (0..self.run.len()).map(|at| self.weight(at, today)).collect();
        let held = self.hold_down(&mut weights, today);
        let name = |(seen, weight): (&Observed, &f64)| Weight {
            stay: seen.stay,
            source: seen.source,
            weight: *weight,
        };
        let mean = held.then(|| {
            let total = self.usual_weight + weights.iter().sum::<f64>();
            let figures = self.run.iter().zip(&weights).map(|(seen, weight)| weight * seen.figure);
            (self.usual_weight * self.usual + figures.sum::<f64>()) / total
        });
        (self.run.iter().zip(&weights).map(name).collect(), mean)
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
        if is_said(self.second.first()) || is_said(self.second.last()) {
            return Some(Tag::RecentChange);
        }
        if !self.second.is_empty() {
            return Some(Tag::SuspectedChange);
        }
        let since = self.run.iter().filter(|seen| seen.day >= changed_at).count();
        (since <= TOLD_FOR).then_some(Tag::RecentChange)
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
