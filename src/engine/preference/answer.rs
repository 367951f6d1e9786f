//! What is to be answered when somebody asks for one attribute of one guest?
//!
//! The answer is whole: value, how sure, what it rests on, what else is to be known, how much each stay weighs, and a
//! hash of the map it was made from, so that two properties can see whether they looked at the same.

use super::category::{self, Chosen};
use super::fold::{self, Shown};
use super::{Guest, PARAMETERS, Source, Status, Tag, Weight, is_dormant, scale};
use crate::model::{Attribute, Choice, Figure, PriorSummary, PropertyId, Said, SaidKind, StayEvidence, StayToken};
use serde::Serialize;

/// A question.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// For what.
    pub attribute: Attribute,
    /// Of whom; none of a guest without a token.
    pub guest: Option<&'a Guest>,
    /// What the stay in progress has shown so far: it counts as the newest stay.
    pub now: Option<&'a StayEvidence>,
    /// What guests usually like at this property; none for the attribute's own figure.
    pub usual: Option<f64>,
    /// The local day.
    pub today: i32,
}

/// An answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// For what.
    pub attribute: Attribute,
    /// What is liked.
    pub value: Said,
    /// Standard deviation in the attribute's unit; none where there are choices.
    pub sd: Option<f64>,
    /// The probability that the guest's own choice is this one, or within the attribute's reach of it.
    pub within: f64,
    /// What it rests on most.
    pub status: Status,
    /// What else is to be known.
    pub tags: Vec<Tag>,
    /// What was liked before a change that is told of.
    pub from: Option<Said>,
    /// The day of the last change.
    pub changed_at: Option<i32>,
    /// How much each stay weighs; the stay in progress comes after all others.
    pub weights: Vec<Weight>,
    /// How many earlier stays are known of this guest.
    pub stays: usize,
    /// What this stay's booking said.
    pub booking: Option<Said>,
    /// What guests usually like.
    pub usual: Said,
}

/// Answers what a guest likes.
pub fn answer(asked: &Asked<'_>) -> Answer {
    let choices = match asked.attribute.kind() {
        SaidKind::Figure(_) => None,
        SaidKind::Choice(list) => Some(list),
    };
    match (scale(asked.attribute), choices) {
        (Some(scale), _) => of_figure(asked, &scale),
        (None, list) => of_choice(asked, list.unwrap_or(&[])),
    }
}

impl Answer {
    /// What the room is to be prepared with, and in a word where that comes from. A dormant like is asked about and not
    /// applied; a booking that nothing else is known of is taken at its word.
    pub fn applied(&self) -> (Said, &'static str) {
        let is_dormant = self.tags.contains(&Tag::Dormant);
        match (self.status, self.booking) {
            (Status::Population | Status::Seen(Source::Booking), Some(booking)) => (booking, "booking"),
            (_, Some(booking)) if is_dormant => (booking, "booking"),
            (_, None) if is_dormant => (self.usual, Status::Population.word()),
            (Status::SuspectedChange, _) => (self.value, Source::Device.word()),
            (status, _) => (self.value, status.word()),
        }
    }

    /// The tags' words, without what is only suspected: nobody is told of that as a fact.
    pub fn told_tags(&self) -> impl Iterator<Item = &'static str> {
        let told = self.tags.iter().filter(|tag| **tag != Tag::SuspectedChange);
        told.map(|tag| tag.word())
    }
}

/// What a stay showed of an attribute.
pub fn evidence_of(summary: &PriorSummary, attribute: Attribute) -> Option<&StayEvidence> {
    summary.evidence.iter().find(|evidence| evidence.attribute == attribute)
}

/// What each stay showed, oldest first, the stay in progress last; with the place of each.
fn shown<'a>(asked: &Asked<'a>) -> impl Iterator<Item = (usize, Shown<'a>)> {
    let attribute = asked.attribute;
    let earlier = asked.guest.map_or(&[][..], Guest::history);
    let stays = earlier.iter().enumerate().filter_map(move |(at, summary)| {
        let evidence = evidence_of(summary, attribute)?;
        Some((
            at,
            Shown {
                day: summary.day,
                evidence,
            },
        ))
    });
    let day = asked.today;
    stays.chain(asked.now.map(|evidence| (earlier.len(), Shown { day, evidence })))
}

fn of_figure(asked: &Asked<'_>, scale: &super::Scale) -> Answer {
    let usual = asked.usual.unwrap_or(scale.usual);
    let folded = fold::fold(scale, usual, shown(asked), asked.today);
    Answer {
        attribute: asked.attribute,
        value: said(folded.value),
        sd: Some(folded.sd),
        within: folded.within,
        status: folded.status,
        tags: folded.tags,
        from: folded.from.map(said),
        changed_at: folded.changed_at,
        weights: folded.weights,
        stays: asked.guest.map_or(0, |guest| guest.history().len()),
        booking: asked.now.and_then(|now| now.booking),
        usual: said(usual),
    }
}

fn said(figure: f64) -> Said {
    Said::Figure(Figure::new(figure).unwrap_or_default())
}

/// How usual each of so many choices is, the most usual first: each half of the one before, the last two alike.
fn usually(choices: usize) -> Vec<f64> {
    let mut left = 1.0;
    let mut share = |at| {
        let share = if at + 1 < choices { left / 2.0 } else { left };
        left -= share;
        share
    };
    (0..choices).map(&mut share).collect()
}

fn of_choice(asked: &Asked<'_>, choices: &'static [Choice]) -> Answer {
    let seen: Vec<(usize, i32, Option<Source>, Chosen)> = shown(asked)
        .map(|(stay, shown)| {
            let (source, choice) = best_choice(shown.evidence).unzip();
            let chosen = Chosen {
                choice: choice.and_then(|choice| choices.iter().position(|other| *other == choice)),
                is_explicit: matches!(source, Some(Source::Explicit | Source::Confirmed)),
            };
            (stay, shown.day, source, chosen)
        })
        .collect();
    let usual = usually(choices.len());
    let mut folded = category::fold(&usual, seen.iter().map(|(_, _, _, chosen)| *chosen));
    let mut status = seen
        .iter()
        .rev()
        .find_map(|(_, _, source, _)| *source)
        .map_or(Status::Population, Status::Seen);
    let booking = asked.now.and_then(|now| now.booking);
    let place = |said: Said| choices.iter().position(|choice| Some(*choice) == said.choice());
    if let (false, Some(booked)) = (folded.is_seen, booking.and_then(place)) {
        let booked = Chosen {
            choice: Some(booked),
            is_explicit: false,
        };
        (folded, status) = (category::fold(&usual, [booked]), Status::Seen(Source::Booking));
    }
    let last_day = seen
        .iter()
        .rev()
        .find(|(_, _, source, _)| source.is_some())
        .map(|(_, day, _, _)| *day);
    let mut tags = Vec::new();
    tags.extend(
        last_day
            .filter(|day| is_dormant(*day, asked.today))
            .map(|_| Tag::Dormant),
    );
    tags.extend(folded.recent_change.then_some(Tag::RecentChange));
    let pick = |at: usize| choices.get(at).map(|choice| Said::Choice(*choice));
    let weights = seen
        .iter()
        .zip(&folded.weights)
        .filter_map(|((stay, _, source, _), weight)| {
            Some(Weight {
                stay: *stay,
                source: (*source)?,
                share: *weight,
            })
        });
    let mut answer = Answer {
        attribute: asked.attribute,
        value: pick(folded.choice).unwrap_or(Said::hundredths(0)),
        sd: None,
        within: folded.confidence,
        status,
        tags,
        from: folded.from.and_then(pick),
        changed_at: folded
            .changed
            .filter(|_| folded.recent_change)
            .and_then(|at| Some(seen.get(at)?.1)),
        weights: weights.collect(),
        stays: asked.guest.map_or(0, |guest| guest.history().len()),
        booking,
        usual: pick(0).unwrap_or(Said::hundredths(0)),
    };
    if let Some(must) = asked.guest.and_then(|guest| must_have(guest, asked.attribute)) {
        (answer.value, answer.within, answer.status) = (Said::Choice(must), 1.0, Status::MustHave);
        answer.tags.clear();
    }
    answer
}

/// The best of a stay's evidence. What was merely left alone shows little of a choice.
fn best_choice(evidence: &StayEvidence) -> Option<(Source, Choice)> {
    let device = evidence
        .device
        .filter(|device| device.nights > 0)
        .map(|device| device.settled);
    [
        (Source::Explicit, evidence.explicit),
        (Source::Confirmed, evidence.confirmed),
        (Source::Device, device),
        (Source::Staff, evidence.staff),
    ]
    .into_iter()
    .find_map(|(source, said)| Some((source, said?.choice()?)))
}

/// A must-have that names an attribute's choice: `pillow-latex`. It is never learnt over.
fn must_have(guest: &Guest, attribute: Attribute) -> Option<Choice> {
    guest.must_have.iter().find_map(|item| {
        let word = item.as_str().strip_prefix(attribute.word())?.strip_prefix('-')?;
        Choice::from_word(word).filter(|choice| attribute.takes(Said::Choice(*choice)))
    })
}

/// An answer as it is told and kept: everything that it takes to see where it comes from.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Record {
    /// For what.
    pub attribute: Attribute,
    /// What is liked.
    pub value: Said,
    /// In which unit; none where there are choices.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<&'static str>,
    /// Standard deviation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sd: Option<f64>,
    /// The probability that the guest's own choice is this one, or within `reach` of it.
    pub within: f64,
    /// How near is near.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reach: Option<f64>,
    /// What it rests on most.
    pub status: &'static str,
    /// What else is to be known.
    pub tags: Vec<&'static str>,
    /// What was liked before a change that is told of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Said>,
    /// The day of the last change, in days since 1970-01-01.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changed_at: Option<i32>,
    /// How much each stay weighs, oldest first; what is missing to 1 rests on what is usual.
    pub weights: Vec<StayWeight>,
    /// The version of method and constants.
    pub parameters: u32,
    /// A hash of all that is known of the guest's stays: two properties with one hash have looked at the same.
    pub map: String,
}

/// How much one stay weighs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StayWeight {
    /// Where; none for the stay in progress.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub property: Option<PropertyId>,
    /// Which stay; none for the stay in progress.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stay: Option<StayToken>,
    /// What of it.
    pub source: Source,
    /// How much of the answer rests on it, 0 to 1.
    pub share: f64,
}

impl Answer {
    /// The answer as it is told and kept.
    pub fn record(&self, guest: Option<&Guest>) -> Record {
        let stays = guest.map_or(&[][..], Guest::history);
        let weight = |weight: &Weight| {
            let stay = stays.get(weight.stay);
            StayWeight {
                property: stay.map(|stay| stay.property.clone()),
                stay: stay.map(|stay| stay.stay.clone()),
                source: weight.source,
                share: rounded(weight.share),
            }
        };
        let unit = match self.attribute.kind() {
            SaidKind::Figure(unit) => Some(unit),
            SaidKind::Choice(_) => None,
        };
        Record {
            attribute: self.attribute,
            value: self.value,
            unit,
            sd: self.sd.map(rounded),
            within: rounded(self.within),
            reach: scale(self.attribute).map(|scale| scale.reach),
            status: self.status.word(),
            tags: self.tags.iter().map(|tag| tag.word()).collect(),
            from: self.from,
            changed_at: self.changed_at,
            weights: self.weights.iter().map(weight).collect(),
            parameters: PARAMETERS,
            map: format!("{:016x}", guest.map_or(0, Guest::hash)),
        }
    }
}

/// To six places, as answers are written.
pub fn rounded(number: f64) -> f64 {
    (number * 1e6).round() / 1e6
}
