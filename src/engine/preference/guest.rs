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

use super::evidence_of;
use super::hash::hash;
use crate::model::{Attribute, Item, Moment, Prior, PriorSummary, PropertyId, Said, Settled, StayEvidence, StayToken};
use serde::{Deserialize, Deserializer, Serialize};
use std::collections::BTreeSet;
use std::sync::OnceLock;

/// Stays beyond these are the oldest; with 0.79 kept for each later stay they weigh less than a millionth.
pub const STAYS_MAX: usize = 64;
/// Versions of one stay, each moved to an earlier day than the one before it: a writer who does that more often is at
/// fault, and only then can the order of hearing matter.
const VERSIONS_MAX: usize = 4;
/// A mark of erasure is kept for at least so long: whatever was on its way when it was set has arrived or expired.
const MARK_LIFE_DAYS: i32 = 400;
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
    /// Likes of which central was told that they sleep, and nothing was heard since.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    told_dormant: BTreeSet<Attribute>,
    #[serde(skip)]
    hashed: Memo,
}

/// A hash that was worked out already. It says nothing of its own: guests are alike whether it was asked for or not.
#[derive(Debug, Clone, Default)]
struct Memo(OnceLock<u64>);

impl PartialEq for Memo {
    fn eq(&self, _: &Self) -> bool {
        true
    }
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
    /// Takes what is known elsewhere. Returns whether that erased anything anew.
    pub fn merge(&mut self, prior: &Prior) -> bool {
        let is_erased = self.erase(prior.erased_up_to);
        prior.stays.iter().for_each(|summary| self.add(summary.clone()));
        for (mine, theirs) in [(&mut self.must_have, &prior.must_have), (&mut self.items, &prior.items)] {
            mine.extend(theirs.iter().cloned());
            mine.sort();
            mine.dedup();
            mine.truncate(ITEMS_MAX);
        }
        is_erased
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
        self.hashed = Memo::default();
        summary
            .evidence
            .iter()
            .for_each(|of| _ = self.told_dormant.remove(&of.attribute));
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
        self.forget_what_is_over();
        true
    }

    /// Up to which day of check-out everything is erased.
    pub fn erased_up_to(&self) -> Option<i32> {
        self.erased_up_to
    }

    /// Whether there is a mark of erasure that must not be forgotten yet.
    pub fn is_marked(&self, today: i32) -> bool {
        self.erased_up_to
            .is_some_and(|day| today.saturating_sub(day) <= MARK_LIFE_DAYS)
    }

    /// Whether the last evidence of an attribute is so old that it is to be asked about.
    pub fn is_dormant(&self, attribute: Attribute, today: i32) -> bool {
        let is_more_than_booked = |stay: &&PriorSummary| {
            let evidence = evidence_of(stay, attribute);
            evidence.is_some_and(|evidence| evidence.said().count() > usize::from(evidence.booking.is_some()))
        };
        let last = self.stays.iter().rev().find(is_more_than_booked);
        last.is_some_and(|stay| super::is_dormant(stay.day, today))
    }

    /// Whether central was told that a like sleeps, and nothing was heard of it since.
    pub fn is_told_dormant(&self, attribute: Attribute) -> bool {
        self.told_dormant.contains(&attribute)
    }

    /// Notes that central was told so.
    pub fn told_dormant(&mut self, attributes: impl IntoIterator<Item = Attribute>) {
        self.told_dormant.extend(attributes);
    }

    /// The attributes that earlier stays showed anything of.
    pub fn attributes(&self) -> BTreeSet<Attribute> {
        let evidence = self.stays.iter().flat_map(|stay| &stay.evidence);
        evidence.map(|evidence| evidence.attribute).collect()
    }

    /// Every stay, oldest first.
    pub fn history(&self) -> &[PriorSummary] {
        &self.stays
    }

    /// The same, one by one.
    pub fn stays(&self) -> Vec<&PriorSummary> {
        self.stays.iter().collect()
    }

    /// A hash of all that is known of stays, and of what is erased: the same wherever the same is known. Worked out once for
    /// each change.
    pub fn hash(&self) -> u64 {
        let fresh = || hash(&(self.erased_up_to, &self.stays, &self.outdated));
        *self.hashed.0.get_or_init(fresh)
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
        // A place at or before the erasure's says nothing beyond it.
        let erased = self.erased_up_to;
        self.let_go = self.let_go.take().filter(|(day, _, _)| Some(*day) > erased);
        self.hashed = Memo::default();
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Celsius, GuestToken};
    use proptest::prelude::*;

    fn summary(property: &str, stay: u32, version: u64, day: i32, celsius: i32) -> PriorSummary {
        PriorSummary {
            property: PropertyId::new(property).unwrap(),
            stay: StayToken::new(format!("{stay:08}")).unwrap(),
            version,
            day,
            temperature: Some(Celsius::from_hundredths(celsius)),
            firmness: None,
            nights: 3,
            acts: 2,
            habits: vec![],
            evenings: vec![],
            evidence: vec![],
        }
    }

    fn of(summaries: &[PriorSummary]) -> Guest {
        let mut guest = Guest::default();
        summaries.iter().for_each(|summary| guest.add(summary.clone()));
        guest
    }

    fn joined(a: &Guest, b: &Guest) -> Guest {
        let mut both = a.clone();
        both.join(b);
        both
    }

    /// Any guest: few stays, so that they meet; versions and days that contradict each other; marks.
    fn guest() -> impl Strategy<Value = Guest> {
        let many = prop_oneof![9 => 0..8_usize, 1 => 90..120_usize];
        let stays = many.prop_flat_map(move |count| {
            let spread = if count > 8 { 200_u32 } else { 4 };
            proptest::collection::vec((0..2_usize, 0..spread, 1..4_u64, 0..50_i32, 2000..2004_i32), count)
        });
        (stays, proptest::option::weighted(0.3, 0..40_i32)).prop_map(|(stays, erased)| {
            let of_property = ["rome", "vienna"];
            let summaries = stays
                .into_iter()
                .map(|(p, s, v, d, c)| summary(of_property[p], s, v, d, c));
            let mut guest = of(&summaries.collect::<Vec<_>>());
            guest.erase(erased);
            guest
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn merging_is_commutative_associative_and_idempotent((a, b, c) in (guest(), guest(), guest())) {
            prop_assert_eq!(joined(&a, &b), joined(&b, &a));
            prop_assert_eq!(joined(&joined(&a, &b), &c), joined(&a, &joined(&b, &c)));
            prop_assert_eq!(&joined(&a, &a), &a);
            prop_assert_eq!(&joined(&joined(&a, &b), &b), &joined(&a, &b));
        }

        #[test]
        fn a_guest_reads_what_it_writes(a in guest()) {
            let text = serde_json::to_string(&a).unwrap();
            prop_assert_eq!(serde_json::from_str::<Guest>(&text).unwrap(), a);
        }

        #[test]
        fn what_is_erased_never_comes_back(a in guest(), b in guest(), up_to in 0..50_i32) {
            let mut erased = a.clone();
            erased.erase(Some(up_to));
            let back = joined(&joined(&erased, &b), &a);
            prop_assert!(back.history().iter().all(|stay| stay.day > up_to));
            prop_assert!(back.outdated.iter().all(|stay| stay.day > up_to));
            prop_assert!(back.history().len() <= STAYS_MAX);
        }
    }

    #[test]
    fn of_two_contents_under_one_version_the_same_wins_everywhere() {
        let (a, b) = (summary("rome", 1, 1, 5, 2000), summary("rome", 1, 1, 5, 2400));
        assert_eq!(of(&[a.clone(), b.clone()]), of(&[b, a]));
    }

    #[test]
    fn a_correction_that_an_erasure_hits_does_not_take_the_rest_with_it() {
        // The stay first said to have ended on day 90; a correction moved that to day 10, and then all up to day 50 is erased.
        let (first, corrected) = (summary("rome", 1, 1, 90, 2000), summary("rome", 1, 2, 10, 2400));
        let mut late = of(&[first.clone(), corrected.clone()]);
        assert_eq!(late.history()[0].version, 2);
        late.erase(Some(50));
        let mut early = Guest::default();
        early.erase(Some(50));
        [corrected, first].into_iter().for_each(|summary| early.add(summary));
        assert_eq!(late, early);
        assert_eq!(late.history()[0].version, 1);
    }

    #[test]
    fn the_oldest_of_too_many_stays_go_for_good() {
        let all: Vec<PriorSummary> = (0..200).map(|n| summary("rome", n, 1, n as i32, 2000)).collect();
        let forwards = of(&all);
        let backwards = of(&all.iter().rev().cloned().collect::<Vec<_>>());
        assert_eq!(forwards, backwards);
        assert_eq!((forwards.history().len(), forwards.history()[0].day), (STAYS_MAX, 136));
    }

    #[test]
    fn an_erasure_takes_must_haves_and_items_until_central_says_them_again() {
        let mut guest = Guest::default();
        let mut prior = Prior {
            guest: GuestToken::new("00000001").unwrap(),
            stays: vec![summary("rome", 1, 1, 5, 2000)],
            must_have: vec![Item::new("pillow-latex").unwrap()],
            items: vec![],
            erased_up_to: None,
        };
        guest.merge(&prior);
        prior.must_have.clear();
        prior.erased_up_to = Some(5);
        guest.merge(&prior);
        assert!(guest.must_have.is_empty() && guest.history().is_empty());
        assert!(!guest.erase(Some(5)) && !guest.erase(None) && guest.erased_up_to() == Some(5));
    }

    #[test]
    fn a_record_of_an_earlier_version_is_read() {
        let old = r#"{"stays":[{"property":"rome","stay":"00000002","version":1,"day":30,"temperature":23.5,"nights":2,"acts":3},
            {"property":"vienna","stay":"00000001","version":1,"day":10,"firmness":70,"nights":1,"acts":1}],"must_have":[],"items":[],"used_at":null}"#;
        let guest: Guest = serde_json::from_str(old).unwrap();
        let days: Vec<i32> = guest.history().iter().map(|stay| stay.day).collect();
        assert_eq!(days, [10, 30]);
        let evidence = &guest.history()[1].evidence[0];
        assert_eq!(evidence.attribute, Attribute::TargetTemperature);
        assert_eq!(
            evidence
                .device
                .map(|device| (device.settled, device.nights, device.acts)),
            Some((Said::hundredths(2350), 2, 3))
        );
    }
}
