//! Did anything get lost, come twice, or come twice under another name?
//!
//! What any central should keep of the streams, in its smallest form: per stream the end of the run without a gap, what
//! came beyond it, and every id seen.

use super::super::message::{Received, UpData};
use crate::model::{Moment, PropertyId, Report, RequestId, Span, Stream};
use serde::Serialize;
use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::hash::{Hash, Hasher};

/// Ids that are remembered (as hashes, 8 bytes each): weeks of a large hotel. Beyond, doubles go unseen, which is told.
const IDS_MAX: usize = 4_000_000;
/// Numbers beyond a gap that are remembered a stream; then the gap is taken for final.
const BEYOND_MAX: usize = 100_000;

/// What a message turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Not seen before.
    New,
    /// The same id again: harmless, to be acknowledged again.
    Double,
    /// A request under a new id that asks for what another asks for: a fault of the edge.
    DoubleUnderNewId,
}

/// What to acknowledge of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Acknowledge {
    /// All up to this one.
    UpTo(u64),
    /// This one alone: before it some are missing still.
    Only(u64),
}

/// One stream of one property.
#[derive(Debug, Clone, Default, Serialize)]
pub struct StreamBook {
    /// Messages, doubles included.
    pub received: u64,
    /// Different ids.
    pub distinct: u64,
    /// The same id again.
    pub doubles: u64,
    /// The highest sequence.
    pub highest: u64,
    /// Ranges of sequences, ends included, that have not come within the patience.
    pub gaps: Vec<(u64, u64)>,
    /// Below this sequence nothing came: central began to listen later.
    pub listening_from: Option<u64>,
    /// How often the edge began to count anew: a gateway without its state.
    pub restarts: u64,
    #[serde(skip)]
    whole: u64,
    #[serde(skip)]
    beyond: BTreeSet<u64>,
    #[serde(skip)]
    waiting_since: Option<Moment>,
}

impl StreamBook {
    fn number(&mut self, sequence: u64, is_known: bool, now: Moment) -> Acknowledge {
        self.highest = self.highest.max(sequence);
        if sequence > self.whole {
            self.beyond.insert(sequence);
            self.close_run();
        } else if !is_known && !self.fill_gap(sequence) && sequence == 1 {
            *self = StreamBook {
                restarts: self.restarts + 1,
                whole: 1,
                highest: 1,
                ..std::mem::take(self)
            };
            self.beyond.clear();
        }
        self.waiting_since = if self.beyond.is_empty() {
            None
        } else {
            self.waiting_since.or(Some(now))
        };
        if sequence <= self.whole {
            Acknowledge::UpTo(self.whole)
        } else {
            Acknowledge::Only(sequence)
        }
    }

    fn close_run(&mut self) {
        while self.beyond.first() == Some(&(self.whole + 1)) {
            self.beyond.pop_first();
            self.whole += 1;
        }
    }

    /// Takes a late number out of the gaps; returns whether it was in one.
    fn fill_gap(&mut self, sequence: u64) -> bool {
        if self.listening_from.is_some_and(|from| sequence < from) {
            return true;
        }
        let Some(n) = self.gaps.iter().position(|gap| (gap.0..=gap.1).contains(&sequence)) else {
            return false;
        };
        let (from, to) = self.gaps.remove(n);
        self.gaps.extend(
            [(from, sequence - 1), (sequence + 1, to)]
                .into_iter()
                .filter(|gap| gap.0 <= gap.1),
        );
        self.gaps.sort_unstable();
        true
    }

    /// Gives up on numbers that have been missing for too long; returns the new gap.
    fn lose_patience(&mut self, now: Moment, patience: Span) -> Option<(u64, u64)> {
        let first = *self.beyond.first()?;
        let late = self.waiting_since.is_some_and(|since| now.since(since) >= patience);
        if !late && self.beyond.len() <= BEYOND_MAX {
            return None;
        }
        let gap = (self.whole + 1, first - 1);
        if self.whole == 0 {
            self.listening_from = Some(first);
        } else {
            self.gaps.push(gap);
        }
        self.whole = first - 1;
        self.close_run();
        self.waiting_since = (!self.beyond.is_empty()).then_some(now);
        (self.listening_from != Some(first)).then_some(gap)
    }
}

/// All streams of all properties.
#[derive(Debug, Default)]
pub struct Book {
    streams: BTreeMap<(PropertyId, Stream), StreamBook>,
    ids: HashSet<u64>,
    asked: HashMap<u64, RequestId>,
    doubles_under_new_ids: Vec<(String, String)>,
}

/// The figures of a book.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Figures {
    /// Per property and stream.
    pub streams: BTreeMap<String, BTreeMap<&'static str, StreamBook>>,
    /// Different ids.
    pub distinct_ids: u64,
    /// Messages that came again under the same id.
    pub doubles_same_id: u64,
    /// Requests for the same need, room, stay and window under different ids: both ids of each pair.
    pub doubles_new_id: Vec<(String, String)>,
    /// Sequences that never came.
    pub missing: u64,
    /// Whether so many ids came that doubles may have gone unseen.
    pub ids_overflowed: bool,
}

impl Book {
    /// Enters a message; returns what it is and what to acknowledge.
    pub fn enter(&mut self, received: &Received, now: Moment) -> (Verdict, Acknowledge) {
        let is_new = self.ids.len() >= IDS_MAX || self.ids.insert(hash_of(&received.id));
        let stream = self
            .streams
            .entry((received.property.clone(), received.stream))
            .or_default();
        stream.received += 1;
        stream.distinct += u64::from(is_new);
        stream.doubles += u64::from(!is_new);
        let acknowledge = stream.number(received.sequence, !is_new, now);
        let verdict = match (is_new, &received.data) {
            (false, _) => Verdict::Double,
            (true, UpData::Report(Report::Request(request))) => self.compare(&received.property, request),
            _ => Verdict::New,
        };
        (verdict, acknowledge)
    }

    /// Looks for a request under another id that asks for the same: same need, room, stay, window and items. What belongs to
    /// no stay is also told apart by the device it is about, and what is about no device either (somebody in an unsold room)
    /// by when it came up: it comes up anew after people have looked.
    fn compare(&mut self, property: &PropertyId, request: &crate::model::ServiceRequest) -> Verdict {
        let device = request
            .because
            .facts
            .iter()
            .find(|fact| fact.name == "device")
            .map(|fact| fact.value.to_string());
        let came_up_at = (request.stay.is_none() && device.is_none()).then_some(request.raised_at);
        let window = (&request.merge_key, &request.not_before, &request.items, came_up_at);
        let key = hash_of(&(property, request.need, &request.room, &request.stay, window, device));
        if self.asked.len() >= IDS_MAX {
            return Verdict::New;
        }
        let first = self.asked.entry(key).or_insert_with(|| request.id.clone());
        if *first == request.id && request.state.is_over() {
            // What comes up again after it had ended is a new need.
            self.asked.remove(&key);
            return Verdict::New;
        }
        if *first == request.id {
            return Verdict::New;
        }
        self.doubles_under_new_ids
            .push((first.to_string(), request.id.to_string()));
        Verdict::DoubleUnderNewId
    }

    /// Gives up on what has been missing for so long; returns the new gaps.
    pub fn lose_patience(&mut self, now: Moment, patience: Span) -> Vec<(PropertyId, Stream, (u64, u64))> {
        let lost = |((property, stream), book): (&(PropertyId, Stream), &mut StreamBook)| {
            book.lose_patience(now, patience)
                .map(|gap| (property.clone(), *stream, gap))
        };
        self.streams.iter_mut().filter_map(lost).collect()
    }

    /// Returns the figures; what is missing now counts as missing.
    pub fn figures(&self) -> Figures {
        let mut streams: BTreeMap<String, BTreeMap<&'static str, StreamBook>> = BTreeMap::new();
        let mut figures = Figures {
            ids_overflowed: self.ids.len() >= IDS_MAX,
            ..Figures::default()
        };
        for ((property, stream), book) in &self.streams {
            let mut book = book.clone();
            while book.lose_patience(Moment::LATEST, Span::ZERO).is_some() || !book.beyond.is_empty() {}
            figures.distinct_ids += book.distinct;
            figures.doubles_same_id += book.doubles;
            figures.missing += book.gaps.iter().map(|(from, to)| to - from + 1).sum::<u64>();
            streams
                .entry(property.to_string())
                .or_default()
                .insert(stream.name(), book);
        }
        Figures {
            streams,
            doubles_new_id: self.doubles_under_new_ids.clone(),
            ..figures
        }
    }
}

fn hash_of(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::super::super::message::tests::request;
    use super::*;
    use crate::model::{RequestState, ServiceRequest};

    const NOW: Moment = Moment::from_millis(1_795_000_000_000);

    fn received(sequence: u64, number: u64) -> Received {
        let report = request("1204", number);
        Received {
            property: PropertyId::new("lakeside").unwrap(),
            stream: Stream::Request,
            sequence,
            id: format!("lakeside.{}", report.id()),
            at: NOW,
            data: UpData::Report(report),
        }
    }

    fn request_of(received: &mut Received) -> &mut ServiceRequest {
        match &mut received.data {
            UpData::Report(Report::Request(request)) => request,
            other => panic!("{other:?} is no request"),
        }
    }

    fn enter(book: &mut Book, sequence: u64) -> (Verdict, Acknowledge) {
        book.enter(&received(sequence, sequence), NOW)
    }

    #[test]
    fn what_comes_without_a_gap_is_acknowledged_to_its_end() {
        let mut book = Book::default();
        assert_eq!(enter(&mut book, 1), (Verdict::New, Acknowledge::UpTo(1)));
        assert_eq!(enter(&mut book, 3), (Verdict::New, Acknowledge::Only(3)));
        assert_eq!(enter(&mut book, 2), (Verdict::New, Acknowledge::UpTo(3)));
        assert_eq!(enter(&mut book, 2), (Verdict::Double, Acknowledge::UpTo(3)));
        let figures = book.figures();
        assert_eq!(
            (figures.distinct_ids, figures.doubles_same_id, figures.missing),
            (3, 1, 0)
        );
    }

    #[test]
    fn a_gap_is_told_after_the_patience_and_filled_by_a_late_message() {
        let mut book = Book::default();
        for sequence in [1, 2, 6, 9] {
            enter(&mut book, sequence);
        }
        assert_eq!(book.lose_patience(NOW + Span::seconds(59), Span::minutes(1)), []);
        let property = PropertyId::new("lakeside").unwrap();
        assert_eq!(
            book.lose_patience(NOW + Span::minutes(1), Span::minutes(1)),
            [(property, Stream::Request, (3, 5))]
        );
        assert_eq!(book.figures().missing, 5, "7 and 8 are missing, too");
        assert_eq!(enter(&mut book, 4), (Verdict::New, Acknowledge::UpTo(6)));
        assert_eq!(
            book.figures().streams["lakeside"]["request"].gaps,
            [(3, 3), (5, 5), (7, 8)]
        );
    }

    #[test]
    fn a_central_that_began_to_listen_later_misses_nothing() {
        let mut book = Book::default();
        enter(&mut book, 500);
        enter(&mut book, 501);
        assert_eq!(book.lose_patience(NOW + Span::minutes(1), Span::minutes(1)), []);
        assert_eq!(enter(&mut book, 502).1, Acknowledge::UpTo(502));
        assert_eq!(book.figures().missing, 0);
    }

    #[test]
    fn a_stream_that_begins_anew_is_noticed() {
        let mut book = Book::default();
        for sequence in 1..=9 {
            enter(&mut book, sequence);
        }
        assert_eq!(book.enter(&received(1, 100), NOW), (Verdict::New, Acknowledge::UpTo(1)));
        let figures = book.figures();
        let stream = &figures.streams["lakeside"]["request"];
        assert_eq!((stream.restarts, stream.distinct, figures.missing), (1, 10, 0));
    }

    #[test]
    fn what_comes_up_again_after_it_had_ended_is_a_new_need() {
        let mut book = Book::default();
        assert_eq!(book.enter(&received(1, 1), NOW).0, Verdict::New);
        let mut ended = received(2, 1);
        ended.id = "lakeside.ended".into();
        request_of(&mut ended).state = RequestState::Withdrawn;
        assert_eq!(book.enter(&ended, NOW).0, Verdict::New);
        let mut again = received(3, 1);
        again.id = "lakeside.again".into();
        request_of(&mut again).id = RequestId::new("1204.again").unwrap();
        assert_eq!(book.enter(&again, NOW).0, Verdict::New);
        assert!(book.figures().doubles_new_id.is_empty());
    }

    #[test]
    fn the_same_need_under_a_new_id_is_found() {
        let mut book = Book::default();
        assert_eq!(book.enter(&received(1, 1), NOW).0, Verdict::New);
        let mut again = received(2, 1);
        again.id = "lakeside.other".into();
        request_of(&mut again).id = RequestId::new("1204.other").unwrap();
        assert_eq!(book.enter(&again, NOW).0, Verdict::DoubleUnderNewId);
        assert_eq!(book.figures().doubles_new_id.len(), 1);
    }
}
