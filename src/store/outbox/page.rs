//! What does a link read of the outbox, page by page?
//!
//! A link keeps its own order of sending; it asks for what lies after a place. Places are arrival numbers: they rise within
//! a class, with gaps. Where a reader stopped is remembered, so that reading on costs only what is read.

use super::{Class, Outbox, Pending, decode_entry, unpack};
use crate::model::Moment;
use crate::store::codec::Reader;
use crate::store::fault::StoreFault;
use crate::store::ledger::Fate;
use crate::store::spool::{Found, Peeked, Position};

/// Readers of one class whose places are remembered: one reads ahead, one reads the backlog.
const READERS_MAX: usize = 3;

/// Where readers of one class stopped: everything up to the arrival lies before the position.
#[derive(Debug, Default)]
pub(super) struct Readers(Vec<(u64, Position)>);

impl Readers {
    fn start(&self, after: u64) -> Option<Position> {
        self.0
            .iter()
            .filter(|(arrival, _)| *arrival <= after)
            .max_by_key(|(arrival, _)| *arrival)
            .map(|(_, at)| *at)
    }

    fn remember(&mut self, arrival: u64, at: Position) {
        self.0.retain(|(known, _)| *known != arrival);
        if self.0.len() >= READERS_MAX {
            self.0.remove(0);
        }
        self.0.push((arrival, at));
    }
}

impl Outbox {
    /// Returns up to `limit` entries of a class that lie after a place and have met no fate, in order, each with its place.
    ///
    /// # Errors
    /// When the disk cannot be read; damaged entries are no error, they are counted.
    pub fn page(&mut self, class: Class, after: u64, limit: usize) -> Result<Vec<(u64, Pending)>, StoreFault> {
        let n = class.index();
        let mut page = Vec::new();
        let mut at = self.readers[n]
            .start(after)
            .unwrap_or_default()
            .max(self.queues[n].head);
        let mut passed = after;
        while page.len() < limit {
            let Some((header, next)) = self.peek_at(class, at)? else {
                break;
            };
            let (stream, sequence) = unpack(header.0);
            let is_open = self
                .streams
                .get(usize::from(stream))
                .is_some_and(|s| !s.ledger.is_settled(sequence));
            if header.1 > after && is_open {
                match self.queues[n].spool.read(at)? {
                    Found::Frame { payload, .. } => match decode_entry(&mut Reader(&payload)) {
                        Some((_, sequence, entry)) => page.push((header.1, Pending { sequence, entry })),
                        None => self.account_damage(class, Some(header.0), 1)?,
                    },
                    Found::Damaged { header, lost, .. } => self.account_damage(class, header.map(|h| h.a), lost)?,
                    Found::End => break,
                }
            }
            (at, passed) = (next, passed.max(header.1));
        }
        self.readers[n].remember(passed, at);
        let young = self.queues[n].young.iter().filter(|y| y.arrival > passed.max(after));
        let open = young.filter(|y| !self.streams[usize::from(y.stream)].ledger.is_settled(y.sequence));
        let room = limit.saturating_sub(page.len());
        page.extend(open.take(room).map(|y| {
            (
                y.arrival,
                Pending {
                    sequence: y.sequence,
                    entry: y.entry.clone(),
                },
            )
        }));
        for (_, pending) in &page {
            let stream = self.by_name.get(&pending.entry.stream).copied();
            if let Some(stream) = stream.and_then(|s| self.streams.get_mut(usize::from(s))) {
                stream.ledger.sent = stream.ledger.sent.max(pending.sequence);
            }
        }
        Ok(page)
    }

    /// The place of the last entry of each class, emergencies first; 0 where there has been none.
    pub fn reach(&self) -> [u64; 4] {
        Class::ALL.map(|class| {
            let queue = &self.queues[class.index()];
            let spooled = queue.latest.values().map(|(_, arrival)| *arrival).max();
            queue.young.back().map(|y| y.arrival).max(spooled).unwrap_or(0)
        })
    }

    /// Takes note that an entry's time was over before it could be sent.
    pub fn expired(&mut self, stream: &str, sequence: u64) -> bool {
        self.meet(stream, sequence, Fate::Expired)
    }

    /// Takes note that an entry cannot be sent by this link; until the next start it is not tried again.
    pub fn set_aside(&mut self, stream: &str, sequence: u64) -> bool {
        self.meet(stream, sequence, Fate::Dropped)
    }

    /// The age of the oldest entry that waits, in seconds.
    pub fn oldest(&mut self, now: Moment) -> u64 {
        let at = |class| {
            self.page(class, 0, 1)
                .ok()
                .and_then(|page| page.first().map(|(_, pending)| pending.entry.at))
        };
        let oldest = Class::ALL.into_iter().filter_map(at).min();
        oldest.map_or(0, |at| now.since(at).as_millis().max(0).unsigned_abs() / 1000)
    }

    fn meet(&mut self, stream: &str, sequence: u64, fate: Fate) -> bool {
        let stream = self.by_name.get(stream).copied();
        stream.is_some_and(|s| self.streams[usize::from(s)].ledger.settle(sequence, fate))
    }

    /// Skips what is damaged, counted; returns the next frame's two words and what lies behind it.
    fn peek_at(&mut self, class: Class, from: Position) -> Result<Option<((u64, u64), Position)>, StoreFault> {
        let mut at = from;
        loop {
            match self.queues[class.index()].spool.peek(at)? {
                Peeked::Frame { header, next } => return Ok(Some(((header.a, header.b), next))),
                Peeked::Damaged { lost, next } => {
                    self.account_damage(class, None, lost)?;
                    at = next;
                }
                Peeked::End => return Ok(None),
            }
        }
    }
}
