//! Why was it decided so, then?
//!
//! The decisions of the engine, in order, bounded by bytes: the oldest file goes when the cap is reached. Young ones are
//! in memory and in the log; a checkpoint moves them here.

use super::codec::{Reader, Writer};
use super::fault::{Alarm, StoreFault};
use super::seal::{Keys, Purpose};
use super::spool::{Found, Peeked, Position, Spool};
use crate::model::{Moment, RoomId};
use std::path::Path;

/// One decision: when, for which room, and the facts and rule as JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// When it was decided.
    pub at: Moment,
    /// The room it is about, if any.
    pub room: Option<RoomId>,
    /// The facts and the rule.
    pub json: Vec<u8>,
}

/// The longest note.
pub const NOTE_BYTES_MAX: usize = 16 << 10;
/// Some 100,000 decisions: weeks of a property.
pub const JOURNAL_BYTES_MAX: u64 = 32 << 20;

/// The journal.
#[derive(Debug)]
pub(crate) struct Journal {
    spool: Spool,
    young: Vec<Note>,
    alarms: Vec<Alarm>,
    bytes_max: u64,
}

impl Journal {
    pub(crate) fn open(dir: &Path, keys: &Keys, end: Option<Position>, bytes_max: u64) -> Result<Self, StoreFault> {
        let mut spool = Spool::open(dir.join("journal"), keys.sealer(Purpose::Journal), keys.id(), end)?;
        if end.is_none() {
            let start = spool.start();
            spool.walk_to_end(start, |_| Ok(()))?;
        }
        Ok(Self {
            spool,
            young: Vec::new(),
            alarms: Vec::new(),
            bytes_max,
        })
    }

    /// Takes notes that are durable in the log.
    pub(crate) fn take(&mut self, notes: Vec<Note>) {
        self.young.extend(notes);
    }

    /// Moves the young notes to the spool, durable when it returns; takes all back on a fault.
    pub(crate) fn settle(&mut self) -> Result<u64, StoreFault> {
        let (before, bytes) = (self.spool.tail(), self.spool.bytes_written);
        let moved = self
            .young
            .iter()
            .try_for_each(|note| self.spool.append(minute(note.at), 0, &encode(note)).map(drop));
        if let Err(fault) = moved.and_then(|()| self.spool.sync()) {
            let _ = self.spool.rewind(before);
            return Err(fault);
        }
        self.young.clear();
        Ok(self.spool.bytes_written - bytes)
    }

    pub(crate) fn tail(&self) -> Position {
        self.spool.tail()
    }

    /// The mark is written: the oldest files go while the cap is passed.
    pub(crate) fn marked(&mut self) -> Result<(), StoreFault> {
        let mut bytes = self.spool.bytes();
        let mut keep = 0;
        for (segment, size) in self.spool.segments().collect::<Vec<_>>() {
            if bytes <= self.bytes_max {
                break;
            }
            bytes -= u64::from(size);
            keep = segment + 1;
        }
        self.spool.drop_before(keep)
    }

    /// Returns the notes of a room (or of all) from one moment to another, newest first, at most `limit`; of one rule only
    /// where one is named.
    pub(crate) fn scan(
        &mut self,
        room: Option<&RoomId>,
        from: Moment,
        to: Moment,
        rule: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Note>, StoreFault> {
        // A rule's name stands in a note as JSON writes it, and nowhere else as the value of this key.
        let rule = rule.map(|rule| format!("\"rule\":{}", serde_json::Value::from(rule)).into_bytes());
        let is_of_rule = |note: &Note| {
            let rule = rule.as_deref();
            rule.is_none_or(|rule| note.json.windows(rule.len()).any(|window| window == rule))
        };
        let wanted = |note: &Note| {
            (from..=to).contains(&note.at) && (room.is_none() || note.room.as_ref() == room) && is_of_rule(note)
        };
        let mut found: Vec<Note> = self
            .young
            .iter()
            .rev()
            .filter(|n| wanted(n))
            .take(limit)
            .cloned()
            .collect();
        let segments: Vec<u32> = self.spool.segments().map(|(n, _)| n).collect();
        for segment in segments.into_iter().rev() {
            if found.len() >= limit {
                break;
            }
            let mut notes = self.scan_segment(segment, from, to)?;
            notes.reverse();
            found.extend(notes.into_iter().filter(|n| wanted(n)).take(limit - found.len()));
        }
        Ok(found)
    }

    fn scan_segment(&mut self, segment: u32, from: Moment, to: Moment) -> Result<Vec<Note>, StoreFault> {
        let mut at = self.spool.start_of(segment);
        let mut notes = Vec::new();
        while at.segment == segment {
            match self.spool.peek(at)? {
                Peeked::Frame { next, .. } if next.segment != segment => break,
                Peeked::Frame { header, next } if !(minute(from)..=minute(to)).contains(&header.a) => at = next,
                Peeked::Frame { .. } => match self.spool.read(at)? {
                    Found::Frame { payload, next, .. } => {
                        notes.extend(decode(&payload));
                        at = next;
                    }
                    Found::Damaged { lost, next, .. } => {
                        self.damaged(lost);
                        at = next;
                    }
                    Found::End => break,
                },
                Peeked::Damaged { lost, next } => {
                    self.damaged(lost);
                    at = next;
                }
                Peeked::End => break,
            }
        }
        Ok(notes)
    }

    fn damaged(&mut self, entries: u64) {
        if entries > 0 {
            self.alarms.push(Alarm::QueueDamaged {
                queue: "journal".into(),
                entries,
            });
        }
    }

    pub(crate) fn take_alarms(&mut self) -> Vec<Alarm> {
        std::mem::take(&mut self.alarms)
    }
}

/// What the header says of a note's time: enough to skip it, unopened.
fn minute(at: Moment) -> u64 {
    u64::try_from(at.millis() / 60_000).unwrap_or(0)
}

pub(crate) fn encode(note: &Note) -> Vec<u8> {
    let mut w = Writer::default();
    w.i64(note.at.millis())
        .text(note.room.as_ref().map_or("", RoomId::as_str))
        .bytes(&note.json);
    w.0
}

pub(crate) fn decode(bytes: &[u8]) -> Option<Note> {
    let mut r = Reader(bytes);
    let at = Moment::from_millis(r.i64()?);
    let room = r.text()?;
    let room = if room.is_empty() {
        None
    } else {
        Some(RoomId::new(room).ok()?)
    };
    Some(Note {
        at,
        room,
        json: r.bytes()?.to_vec(),
    })
}
