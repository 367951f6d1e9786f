//! What is known of a guest, wherever it was seen, in whatever order it was heard?
//!
//! A map from (property, stay) to what that stay showed. One writer a stay; the higher version wins, and of two with one
//! version the greater in the order of everything they say. So a merge is the greater of two, and merging is
//! commutative, associative and idempotent. Two things are forgotten, and both must not break that:
//!
//! * *Erased up to a day*: a mark that only rises. What lies at or before it is dropped, whenever it comes.
//! * *The oldest of too many*: the place of the newest stay ever let go is a mark that only rises, too.
//!
//! A correction may move a stay's check-out to an earlier day, at or before a mark that is yet to come. Then the older
//! version, which lies after the mark, is what an order that saw the mark first would have kept. It is held beside the
//! newer one until then: of each stay are kept the versions that no other beats in both version and day.

use super::hash::Hash;
use crate::model::{Attribute, Item, Moment, Prior, PriorSummary, PropertyId, Said, Settled, StayEvidence, StayToken};
use serde::{Deserialize, Deserializer, Serialize};

/// Stays beyond these are the oldest; with 0.79 kept for each later stay they weigh less than a millionth.
pub const STAYS_MAX: usize = 64;
/// Versions of one stay, each moved to an earlier day than the one before it: a writer who does that more often is at
/// fault, and only then can the order of hearing matter.
const VERSIONS_MAX: usize = 4;
/// Must-haves, and things to be placed, are at most so many of each.
const ITEMS_MAX: usize = 64;

/// Everything known of a guest.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Guest {
    /// The version that counts of each stay, by day of check-out, property and stay.
    #[serde(deserialize_with = "in_order")]
    stays: Vec<PriorSummary>,
    /// Lower versions with a later day; next to always empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    outdated: Vec<PriorSummary>,
    /// Must be so.
    pub must_have: Vec<Item>,
    /// To be placed before arrival.
    pub items: Vec<Item>,
    /// When it was last needed: what nobody needs for long is forgotten here.
    pub used_at: Option<Moment>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    erased_up_to: Option<i32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    let_go: Option<(i32, PropertyId, StayToken)>,
}

/// Where a summary stands in the order of stays.
type Place<'a> = (i32, &'a PropertyId, &'a StayToken);

fn place(summary: &PriorSummary) -> Place<'_> {
    (summary.day, &summary.property, &summary.stay)
}

fn is_same_stay(a: &PriorSummary, b: &PriorSummary) -> bool {
    a.stay == b.stay && a.property == b.property
}

/// Earlier versions of this program kept the stays in another order.
fn in_order<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<PriorSummary>, D::Error> {
    let mut stays = Vec::<PriorSummary>::deserialize(from)?;
    stays.iter_mut().for_each(tidy);
    stays.sort_by(|a, b| place(a).cmp(&place(b)));
    Ok(stays)
}

/// Brings a summary into the one form in which it is kept and compared: what writers of earlier versions put into fields
/// of their own stands with the other evidence, in the order of attributes, each once, and all of it can be said of its
/// attribute.
fn tidy(summary: &mut PriorSummary) {
    let temperature = summary.temperature.take().map(|t| Said::hundredths(t.hundredths()));
    let firmness = summary.firmness.take().map(|f| Said::hundredths(f.hundredths()));
    let earlier = [
        (Attribute::TargetTemperature, temperature),
        (Attribute::Firmness, firmness),
    ];
    for (attribute, settled) in earlier {
        let is_known = summary.evidence.iter().any(|evidence| evidence.attribute == attribute);
        if let (false, Some(settled)) = (is_known, settled) {
            let device = Some(Settled {
                settled,
                nights: summary.nights.max(1),
                acts: summary.acts,
            });
            summary.evidence.push(StayEvidence {
                device,
                ..StayEvidence::none(attribute)
            });
        }
    }
    summary
        .evidence
        .retain(|evidence| evidence.is_sound() && !evidence.is_empty());
    summary.evidence.sort_by(|a, b| b.cmp(a));
    summary.evidence.dedup_by_key(|evidence| evidence.attribute);
    summary.evidence.reverse();
}

impl Guest {
    /// Takes what is known elsewhere.
    pub fn merge(&mut self, prior: &Prior) {
        self.erase(prior.erased_up_to);
        prior.stays.iter().for_each(|summary| self.add(summary.clone()));
        for (mine, theirs) in [(&mut self.must_have, &prior.must_have), (&mut self.items, &prior.items)] {
            mine.extend(theirs.iter().cloned());
            mine.sort();
            mine.dedup();
            mine.truncate(ITEMS_MAX);
        }
    }

    /// Takes all that another copy of this guest knows of stays.
    pub fn join(&mut self, other: &Guest) {
        self.erase(other.erased_up_to);
        self.let_go = self.let_go.take().max(other.let_go.clone());
        self.forget_what_is_over();
        let theirs = other.stays.iter().chain(&other.outdated);
        theirs.for_each(|summary| self.add(summary.clone()));
    }

    /// Adds what one stay showed, unless a later version of it is known, or it is to be forgotten.
    pub fn add(&mut self, mut summary: PriorSummary) {
        tidy(&mut summary);
        if self.is_over(&summary) {
            return;
        }
        let of_this_stay = |known: &mut PriorSummary| is_same_stay(known, &summary);
        let mut versions: Vec<PriorSummary> = self.stays.extract_if(.., of_this_stay).collect();
        versions.extend(self.outdated.extract_if(.., |known| is_same_stay(known, &summary)));
        versions.push(summary);
        self.put(versions);
        while self.stays.len() > STAYS_MAX {
            self.let_go_of_the_oldest();
        }
    }

    /// Erases what stays up to this day showed, for good. Returns whether that is news.
    pub fn erase(&mut self, up_to: Option<i32>) -> bool {
        if up_to <= self.erased_up_to {
            return false;
        }
        self.erased_up_to = up_to;
        self.must_have.clear();
        self.items.clear();
        self.let_go = self.let_go.take().filter(|(day, _, _)| Some(*day) > up_to);
        self.forget_what_is_over();
        true
    }

    /// Up to which day of check-out everything is erased.
    pub fn erased_up_to(&self) -> Option<i32> {
        self.erased_up_to
    }

    /// Every stay, oldest first.
    pub fn history(&self) -> &[PriorSummary] {
        &self.stays
    }

    /// The same, one by one.
    pub fn stays(&self) -> Vec<&PriorSummary> {
        self.stays.iter().collect()
    }

    /// A hash of all that is known of stays, and of what is erased: the same wherever the same is known.
    pub fn hash(&self) -> u64 {
        let mut hash = Hash::new();
        hash.feed(&self.erased_up_to);
        self.stays
            .iter()
            .chain(&self.outdated)
            .for_each(|summary| hash.feed(summary));
        hash.value()
    }

    fn is_over(&self, summary: &PriorSummary) -> bool {
        let let_go = self.let_go.as_ref();
        Some(summary.day) <= self.erased_up_to
            || let_go.is_some_and(|(day, property, stay)| place(summary) <= (*day, property, stay))
    }

    /// Keeps of the versions of one stay those that no other beats in both version and day.
    fn put(&mut self, mut versions: Vec<PriorSummary>) {
        versions.sort_by(|a, b| b.cmp(a));
        let mut latest = None;
        versions.retain(|version| Some(version.day) > latest.replace(latest.unwrap_or(i32::MIN).max(version.day)));
        versions.truncate(VERSIONS_MAX);
        let mut versions = versions.into_iter();
        if let Some(current) = versions.next() {
            let at = self.stays.partition_point(|known| place(known) < place(&current));
            self.stays.insert(at, current);
        }
        self.outdated.extend(versions);
        self.outdated.sort();
    }

    fn let_go_of_the_oldest(&mut self) {
        let latest = |stay: &PriorSummary| {
            let versions = self.outdated.iter().filter(|other| is_same_stay(other, stay));
            let (day, property, stay) = versions.map(place).chain([place(stay)]).max()?;
            Some((day, property.clone(), stay.clone()))
        };
        self.let_go = self.stays.iter().filter_map(latest).min().max(self.let_go.take());
        self.forget_what_is_over();
    }

    /// Drops what lies at or before a mark. A lower version of a stay that lies after it takes the place of a dropped one.
    fn forget_what_is_over(&mut self) {
        let everything = self.stays.drain(..).chain(self.outdated.drain(..));
        let mut everything: Vec<PriorSummary> = everything.collect();
        everything.retain(|summary| !self.is_over(summary));
        everything.sort();
        let mut rest = everything.into_iter().peekable();
        while let Some(first) = rest.next() {
            let mut versions = vec![first];
            while let Some(next) = rest.next_if(|next| is_same_stay(next, &versions[0])) {
                versions.push(next);
            }
            self.put(versions);
        }
    }
}
