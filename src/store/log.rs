//! What is one commit?
//!
//! Everything a batch of events led to, in one sealed frame of the log: state, outbox, journal and acknowledgements
//! together, so that all of it is there after a crash or none of it. The frame's number is the commit's.

use super::codec::{Reader, Writer};
use super::fault::StoreFault;
use super::journal::{self, Note};
use super::mark::Sum;
use super::outbox::{self, Ack, Entry, Planned};
use super::spool::{Found, PAYLOAD_BYTES_MAX, Position, Spool};
use super::state::Changes;

/// A commit as it is read back.
#[derive(Debug)]
pub(crate) struct Commit {
    pub(crate) number: u64,
    /// What the state sums up to after it.
    pub(crate) sum: Sum,
    pub(crate) changes: Changes,
    pub(crate) entries: Vec<(u64, u64, Entry)>,
    pub(crate) notes: Vec<Note>,
    pub(crate) acks: Vec<Ack>,
}

/// Lays a commit out as bytes.
pub(crate) fn encode(
    sum: Sum,
    changes: &Changes,
    planned: &[Planned],
    notes: &[Note],
    acks: &[Ack],
) -> Result<Vec<u8>, StoreFault> {
    let mut w = Writer::default();
    w.u8(1).u64(sum.records).u64(sum.hash).u32(changes.len() as u32);
    for (key, value) in changes {
        w.text(key)
            .u8(u8::from(value.is_some()))
            .bytes(value.as_deref().unwrap_or_default());
    }
    let new = || planned.iter().filter(|p| p.new);
    w.u32(new().count() as u32);
    new().for_each(|p| outbox::encode_entry(&mut w, p.arrival, p.sequence, &p.entry));
    w.u32(notes.len() as u32);
    notes.iter().for_each(|note| _ = w.bytes(&journal::encode(note)));
    w.u32(acks.len() as u32);
    acks.iter()
        .for_each(|ack| _ = w.text(&ack.stream).u64(ack.sequence).u8(u8::from(ack.through)));
    // The seal adds a nonce and a tag.
    let bytes = w.0.len() + 28;
    if bytes > PAYLOAD_BYTES_MAX {
        let (what, name) = ("batch of", format!("{} changes", changes.len()));
        return Err(StoreFault::TooLarge {
            what,
            name,
            bytes,
            max: PAYLOAD_BYTES_MAX,
        });
    }
    Ok(w.0)
}

pub(crate) fn decode(number: u64, bytes: &[u8]) -> Option<Commit> {
    let mut r = Reader(bytes);
    if r.u8()? != 1 {
        return None;
    }
    let sum = Sum {
        records: r.u64()?,
        hash: r.u64()?,
    };
    let mut commit = Commit {
        number,
        sum,
        changes: Changes::new(),
        entries: Vec::new(),
        notes: Vec::new(),
        acks: Vec::new(),
    };
    for _ in 0..r.u32()? {
        let (key, present, value) = (r.text()?.to_owned(), r.u8()? == 1, r.bytes()?.to_vec());
        commit.changes.insert(key, present.then_some(value));
    }
    for _ in 0..r.u32()? {
        commit.entries.push(outbox::decode_entry(&mut r)?);
    }
    for _ in 0..r.u32()? {
        commit.notes.push(journal::decode(r.bytes()?)?);
    }
    for _ in 0..r.u32()? {
        commit.acks.push(Ack {
            stream: r.text()?.to_owned(),
            sequence: r.u64()?,
            through: r.u8()? == 1,
        });
    }
    Some(commit)
}

/// What was read of a log.
#[derive(Debug, Default)]
pub(crate) struct Tail {
    pub(crate) commits: Vec<Commit>,
    /// Commits that did not open, though others follow.
    pub(crate) lost: u64,
    /// Bytes of a frame that was being written when the process or the power went.
    pub(crate) torn_bytes: u64,
}

impl Tail {
    fn take(&mut self, found: Found) {
        match found {
            Found::Frame { header, payload, .. } => match decode(header.ordinal, &payload) {
                Some(commit) => self.commits.push(commit),
                None => self.lost += 1,
            },
            Found::Damaged { lost, .. } => self.lost += lost,
            Found::End => {}
        }
    }
}

/// Reads on from a position to the end, and cuts off there what is torn.
pub(crate) fn read_on(log: &mut Spool, from: Position) -> Result<Tail, StoreFault> {
    let mut tail = Tail::default();
    tail.torn_bytes = log.walk_to_end(from, |found| {
        tail.take(found);
        Ok(())
    })?;
    Ok(tail)
}

/// Reads everything the log still has.
pub(crate) fn read_all(log: &mut Spool) -> Result<Tail, StoreFault> {
    let mut tail = Tail::default();
    let mut at = log.start();
    loop {
        let found = log.read(at)?;
        at = match &found {
            Found::Frame { next, .. } | Found::Damaged { next, .. } => *next,
            Found::End => return Ok(tail),
        };
        tail.take(found);
    }
}
