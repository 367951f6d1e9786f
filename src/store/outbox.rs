//! What is on its way to central, and what became of it?
//!
//! Four classes, each with a queue of its own, so that space and time to live are kept by class and an emergency never
//! stands behind telemetry. An entry becomes durable with the commit that derived it (in the log, one write for all).
//! Only what is still waiting at the next checkpoint is moved to its class's spool: while central answers, entries are
//! written once and never again. Memory holds the young entries and, per stream, numbers; a week's backlog stays on
//! disk and is read as it is sent.
//!
//! Order is kept per room and stream. Otherwise what is new goes before the backlog, and the backlog keeps a quarter of
//! each batch. An entry leaves by acknowledgement, by expiry or, under pressure of space, oldest of the lowest class
//! first; emergencies neither expire nor give way. Every fate is in the [`Ledger`].
//!
//! Acknowledgements ride along with the next commit. A lost one means that the entry is sent again, under the same id.

mod page;

use super::codec::{Reader, Writer};
use super::fault::{Alarm, StoreFault};
use super::ledger::{Fate, Ledger};
use super::seal::{Keys, Purpose};
use super::spool::{Found, Peeked, Position, SEGMENT_BYTES, Spool};
use super::state::check_name;
use crate::model::{Moment, RoomId};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::path::Path;

/// How much an entry matters: 0 emergencies, 1 requests, 2 promises and alarms, 3 telemetry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Class {
    /// Emergencies: never expire, never give way.
    Emergency,
    /// Service requests and their states.
    Request,
    /// Promises, departures, preferences, alarms.
    Promise,
    /// Rooms, devices, outcomes, energy, audit.
    Telemetry,
}

impl Class {
    /// All classes, the most important first.
    pub const ALL: [Class; 4] = [Class::Emergency, Class::Request, Class::Promise, Class::Telemetry];

    fn index(self) -> usize {
        self as usize
    }

    fn from_index(n: u8) -> Option<Self> {
        Self::ALL.get(usize::from(n)).copied()
    }
}

/// The longest body: an envelope is 1 to 2 KiB.
pub const BODY_BYTES_MAX: usize = 64 << 10;
/// The longest id of an entry.
pub const ID_BYTES_MAX: usize = 200;
/// The contract names 14 streams; more than this is a mistake of the caller's.
pub const STREAMS_MAX: usize = 256;
/// Ids remembered in memory: what is derived twice is derived within minutes.
const RECENT_MAX: usize = 8192;
/// Ids remembered across a restart; the log remembers what came after the checkpoint.
const RECENT_SAVED_MAX: usize = 1024;
/// Of each batch, the backlog gets one in so many.
const BACKLOG_SHARE: usize = 4;

/// What is to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Deterministic: the same fact has the same id for ever. The same id with the same body is taken once.
    pub id: String,
    /// The stream; it keeps the class it came with first.
    pub stream: String,
    /// How much it matters.
    pub class: Class,
    /// The room it is about; order is kept per room and stream.
    pub room: Option<RoomId>,
    /// The bytes to send.
    pub body: Vec<u8>,
    /// When it was derived.
    pub at: Moment,
    /// When it is of no use any more; not looked at for emergencies.
    pub expires: Moment,
}

/// An entry handed out for sending.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pending {
    /// Its number in its stream, without gaps, from 1.
    pub sequence: u64,
    /// The entry.
    pub entry: Entry,
}

/// The bytes each class may take on disk. An emergency may take the others' too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caps(pub [u64; 4]);

impl Default for Caps {
    /// 256 MiB in all: a week of 300 rooms.
    fn default() -> Self {
        Self([16 << 20, 64 << 20, 64 << 20, 112 << 20])
    }
}

/// How far one connection to central has come. A new connection starts with a new one, and everything that was not
/// acknowledged is handed out again.
#[derive(Debug, Clone, Default)]
pub struct Cursor {
    backlog: [Position; 4],
    passed: [u64; 4],
    /// Young entries handed out: arrival to stream and sequence.
    handed: BTreeMap<u64, (u16, u64)>,
}

/// What an acknowledgement did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Acknowledged {
    /// So many entries left the outbox.
    Settled(u64),
    /// Whatever it names had left before.
    Already,
    /// It names a stream or number that was never used.
    Unknown,
}

/// An entry with the numbers it gets.
#[derive(Debug, Clone)]
pub(crate) struct Planned {
    pub(crate) arrival: u64,
    pub(crate) sequence: u64,
    pub(crate) new: bool,
    pub(crate) entry: Entry,
    hash: u64,
}

/// An acknowledgement as the log keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ack {
    pub(crate) stream: String,
    pub(crate) sequence: u64,
    pub(crate) through: bool,
}

/// What the mark keeps of the outbox.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct OutboxMark {
    next_arrival: u64,
    queues: [QueueMark; 4],
    streams: Vec<StreamMark>,
    recent: Vec<(u64, u16, u64)>,
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
struct QueueMark {
    head: Position,
    tail: Position,
    latest: Vec<(u16, String, u64, u64)>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct StreamMark {
    name: String,
    class: Class,
    ledger: Ledger,
}

#[derive(Debug)]
struct Young {
    arrival: u64,
    stream: u16,
    sequence: u64,
    entry: Entry,
}

#[derive(Debug)]
struct Queue {
    spool: Spool,
    head: Position,
    /// The head at the last checkpoint and the one before it: files before both marks' heads may go.
    marked: [u32; 2],
    young: VecDeque<Young>,
    /// The last entry of each stream and room in the spool: sequence and arrival.
    latest: BTreeMap<(u16, String), (u64, u64)>,
}

#[derive(Debug)]
struct Stream {
    name: String,
    class: Class,
    ledger: Ledger,
}

/// The outbox.
#[derive(Debug)]
pub struct Outbox {
    queues: Vec<Queue>,
    streams: Vec<Stream>,
    by_name: HashMap<String, u16>,
    recent: Recent,
    next_arrival: u64,
    acks: Vec<Ack>,
    alarms: Vec<Alarm>,
    caps: Caps,
    /// Where readers of each class stopped.
    readers: [page::Readers; 4],
    /// Without a mark: what the spools hold, until the log is replayed.
    found: BTreeSet<(u16, u64)>,
}

#[derive(Debug, Default)]
struct Recent {
    order: VecDeque<u64>,
    by_hash: HashMap<u64, (u16, u64)>,
}

impl Recent {
    fn remember(&mut self, hash: u64, stream: u16, sequence: u64) {
        if self.by_hash.insert(hash, (stream, sequence)).is_none() {
            self.order.push_back(hash);
        }
        if self.order.len() > RECENT_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.by_hash.remove(&oldest);
        }
    }
}

impl Outbox {
    /// Opens the queues as the mark says; without a mark, everything that is found is taken as waiting.
    pub(crate) fn open(dir: &Path, keys: &Keys, mark: Option<OutboxMark>, caps: Caps) -> Result<Self, StoreFault> {
        let known = mark.is_some();
        let mark = mark.unwrap_or_default();
        let mut queues = Vec::with_capacity(Class::ALL.len());
        for (n, queue) in mark.queues.into_iter().enumerate() {
            let end = known.then_some(queue.tail);
            let mut spool = Spool::open(
                dir.join(format!("class-{n}")),
                keys.sealer(Purpose::Outbox),
                keys.id(),
                end,
            )?;
            let head = if known { queue.head } else { spool.start() };
            if !known {
                spool.walk_to_end(head, |_| Ok(()))?;
            }
            let latest = queue
                .latest
                .into_iter()
                .map(|(s, room, q, a)| ((s, room), (q, a)))
                .collect();
            queues.push(Queue {
                spool,
                head,
                marked: [head.segment; 2],
                young: VecDeque::new(),
                latest,
            });
        }
        let mut outbox = Self {
            queues,
            streams: Vec::new(),
            by_name: HashMap::new(),
            recent: Recent::default(),
            next_arrival: mark.next_arrival.max(1),
            acks: Vec::new(),
            alarms: Vec::new(),
            caps,
            readers: Default::default(),
            found: BTreeSet::new(),
        };
        for mut stream in mark.streams {
            stream.ledger.restore();
            let index = outbox.stream(&stream.name, stream.class);
            outbox.streams[usize::from(index)].ledger = stream.ledger;
        }
        mark.recent
            .into_iter()
            .for_each(|(hash, stream, sequence)| outbox.recent.remember(hash, stream, sequence));
        if !known {
            outbox.find_streams()?;
        }
        Ok(outbox)
    }

    /// Starts handing out from the oldest entry that has not been acknowledged.
    pub fn connect(&mut self) -> Result<Cursor, StoreFault> {
        let mut cursor = Cursor::default();
        for class in Class::ALL {
            self.advance(class)?;
            cursor.backlog[class.index()] = self.queues[class.index()].head;
        }
        Ok(cursor)
    }

    /// Hands out up to `limit` entries that this connection has not seen: emergencies first, then what is new by
    /// class, then the backlog by class, which keeps a quarter of the batch.
    ///
    /// # Errors
    /// When the disk cannot be read; damaged entries are no error, they are counted.
    pub fn next(&mut self, cursor: &mut Cursor, now: Moment, limit: usize) -> Result<Vec<Pending>, StoreFault> {
        let streams = &self.streams;
        cursor
            .handed
            .retain(|_, (stream, sequence)| !streams[usize::from(*stream)].ledger.is_settled(*sequence));
        let mut out = Vec::new();
        self.hand_backlog(Class::Emergency, cursor, now, limit, &mut out)?;
        self.hand_young(Class::Emergency, cursor, now, limit, &mut out);
        let others = [Class::Request, Class::Promise, Class::Telemetry];
        let fresh = limit - limit / BACKLOG_SHARE;
        others
            .iter()
            .for_each(|&class| self.hand_young(class, cursor, now, fresh, &mut out));
        for class in others {
            self.hand_backlog(class, cursor, now, limit, &mut out)?;
        }
        others
            .iter()
            .for_each(|&class| self.hand_young(class, cursor, now, limit, &mut out));
        Ok(out)
    }

    /// Takes note that the other side has one entry.
    pub fn acknowledge(&mut self, stream: &str, sequence: u64) -> Acknowledged {
        self.acknowledged(Ack {
            stream: stream.to_owned(),
            sequence,
            through: false,
        })
    }

    /// Takes note that the other side has every entry up to this one.
    pub fn acknowledge_through(&mut self, stream: &str, sequence: u64) -> Acknowledged {
        self.acknowledged(Ack {
            stream: stream.to_owned(),
            sequence,
            through: true,
        })
    }

    /// The accounts by stream.
    pub fn ledgers(&self) -> impl Iterator<Item = (&str, Class, &Ledger)> {
        self.streams.iter().map(|s| (s.name.as_str(), s.class, &s.ledger))
    }

    /// The account of one stream.
    pub fn ledger(&self, stream: &str) -> Option<&Ledger> {
        self.by_name.get(stream).map(|&n| &self.streams[usize::from(n)].ledger)
    }

    /// Entries waiting, in all streams.
    pub fn pending(&self) -> u64 {
        self.streams.iter().map(|s| s.ledger.pending()).sum()
    }

    /// The damages met while reading since the last call.
    pub fn take_alarms(&mut self) -> Vec<Alarm> {
        std::mem::take(&mut self.alarms)
    }

    /// Lets everything expire whose time is over.
    ///
    /// # Errors
    /// When the disk cannot be read.
    pub fn expire(&mut self, now: Moment) -> Result<(), StoreFault> {
        for class in [Class::Request, Class::Promise, Class::Telemetry] {
            let queue = &mut self.queues[class.index()];
            for young in queue.young.iter().filter(|y| y.entry.expires <= now) {
                self.streams[usize::from(young.stream)]
                    .ledger
                    .settle(young.sequence, Fate::Expired);
            }
            self.expire_backlog(class, now)?;
        }
        Ok(())
    }

    fn expire_backlog(&mut self, class: Class, now: Moment) -> Result<(), StoreFault> {
        loop {
            self.advance(class)?;
            let queue = &mut self.queues[class.index()];
            let found = queue.spool.read(queue.head)?;
            match found {
                Found::Frame { payload, .. } => match decode_entry(&mut Reader(&payload)) {
                    Some((_, sequence, entry)) if entry.expires <= now => {
                        let stream = self.stream(&entry.stream, class);
                        self.streams[usize::from(stream)].ledger.settle(sequence, Fate::Expired);
                    }
                    Some(_) => return Ok(()),
                    None => return Ok(()),
                },
                Found::Damaged { header, lost, .. } => self.account_damage(class, header.map(|h| h.a), lost)?,
                Found::End => return Ok(()),
            }
        }
    }

    fn hand_young(&mut self, class: Class, cursor: &mut Cursor, now: Moment, limit: usize, out: &mut Vec<Pending>) {
        let queue = &mut self.queues[class.index()];
        let mut rooms_waiting = BTreeSet::new();
        for young in &queue.young {
            if out.len() >= limit {
                return;
            }
            let ledger = &mut self.streams[usize::from(young.stream)].ledger;
            if ledger.is_settled(young.sequence) || cursor.handed.contains_key(&young.arrival) {
                continue;
            }
            if class != Class::Emergency && young.entry.expires <= now {
                ledger.settle(young.sequence, Fate::Expired);
                continue;
            }
            let room = young.entry.room.as_ref().map_or("", RoomId::as_str);
            if rooms_waiting.contains(&(young.stream, room)) {
                continue;
            }
            let behind = queue
                .latest
                .get(&(young.stream, room.to_owned()))
                .is_some_and(|&(sequence, arrival)| {
                    let handed = arrival <= cursor.passed[class.index()] || cursor.handed.contains_key(&arrival);
                    // An earlier one of this room may wait though the latest was acknowledged out of order.
                    !handed && !ledger.is_settled_through(sequence)
                });
            if behind {
                rooms_waiting.insert((young.stream, room));
                continue;
            }
            ledger.sent = ledger.sent.max(young.sequence);
            cursor.handed.insert(young.arrival, (young.stream, young.sequence));
            out.push(Pending {
                sequence: young.sequence,
                entry: young.entry.clone(),
            });
        }
    }

    fn hand_backlog(
        &mut self,
        class: Class,
        cursor: &mut Cursor,
        now: Moment,
        limit: usize,
        out: &mut Vec<Pending>,
    ) -> Result<(), StoreFault> {
        let n = class.index();
        cursor.backlog[n] = cursor.backlog[n].max(self.queues[n].head);
        while out.len() < limit {
            let spool = &mut self.queues[n].spool;
            match spool.peek(cursor.backlog[n])? {
                Peeked::End => break,
                Peeked::Damaged { lost, next } => {
                    cursor.backlog[n] = next;
                    self.account_damage(class, None, lost)?;
                    continue;
                }
                Peeked::Frame { header, next } => {
                    let (stream, sequence) = unpack(header.a);
                    cursor.passed[n] = header.b;
                    let settled = self
                        .streams
                        .get(usize::from(stream))
                        .is_none_or(|s| s.ledger.is_settled(sequence));
                    if settled || cursor.handed.contains_key(&header.b) {
                        cursor.backlog[n] = next;
                        continue;
                    }
                }
            }
            match spool.read(cursor.backlog[n])? {
                Found::Frame { header, payload, next } => {
                    cursor.backlog[n] = next;
                    let Some((_, sequence, entry)) = decode_entry(&mut Reader(&payload)) else {
                        self.account_damage(class, Some(header.a), 1)?;
                        continue;
                    };
                    let ledger = &mut self.streams[usize::from(unpack(header.a).0)].ledger;
                    if class != Class::Emergency && entry.expires <= now {
                        ledger.settle(sequence, Fate::Expired);
                        continue;
                    }
                    ledger.sent = ledger.sent.max(sequence);
                    out.push(Pending { sequence, entry });
                }
                Found::Damaged { header, lost, next } => {
                    cursor.backlog[n] = next;
                    self.account_damage(class, header.map(|h| h.a), lost)?;
                }
                Found::End => break,
            }
        }
        Ok(())
    }

    fn acknowledged(&mut self, ack: Ack) -> Acknowledged {
        let done = self.settle_ack(&ack);
        if matches!(done, Acknowledged::Settled(_)) {
            self.acks.push(ack);
        }
        done
    }

    fn settle_ack(&mut self, ack: &Ack) -> Acknowledged {
        let Some(&stream) = self.by_name.get(&ack.stream) else {
            return Acknowledged::Unknown;
        };
        let Stream { class, ledger, .. } = &mut self.streams[usize::from(stream)];
        if ack.sequence == 0 || ack.sequence > ledger.enqueued {
            return Acknowledged::Unknown;
        }
        let settled = if ack.through {
            ledger.settle_through(ack.sequence, Fate::Acknowledged)
        } else {
            u64::from(ledger.settle(ack.sequence, Fate::Acknowledged))
        };
        let queue = &mut self.queues[class.index()];
        while let Some(front) = queue.young.front()
            && self.streams[usize::from(front.stream)]
                .ledger
                .is_settled(front.sequence)
        {
            queue.young.pop_front();
        }
        if settled == 0 {
            Acknowledged::Already
        } else {
            Acknowledged::Settled(settled)
        }
    }

    /// Moves the head over everything that has met its fate.
    fn advance(&mut self, class: Class) -> Result<(), StoreFault> {
        loop {
            let queue = &mut self.queues[class.index()];
            match queue.spool.peek(queue.head)? {
                Peeked::Frame { header, next } => {
                    let (stream, sequence) = unpack(header.a);
                    let stream = self.streams.get(usize::from(stream));
                    if stream.is_some_and(|s| !s.ledger.is_settled(sequence)) {
                        return Ok(());
                    }
                    queue.head = next;
                }
                Peeked::Damaged { lost, next } => {
                    queue.head = next;
                    self.account_damage(class, None, lost)?;
                }
                Peeked::End => return Ok(()),
            }
        }
    }

    /// Counts what did not open. When not even its header says which entry it was, the whole class is gone through
    /// once, and what is nowhere is it.
    fn account_damage(&mut self, class: Class, named: Option<u64>, lost: u64) -> Result<(), StoreFault> {
        let mut entries = 0;
        if let Some(word) = named {
            let (stream, sequence) = unpack(word);
            if let Some(stream) = self.streams.get_mut(usize::from(stream)) {
                entries += u64::from(stream.ledger.settle(sequence, Fate::Damaged));
            }
        } else {
            let present = self.present(class)?;
            for (n, stream) in self.streams.iter_mut().enumerate().filter(|(_, s)| s.class == class) {
                let gone: Vec<u64> = stream
                    .ledger
                    .open()
                    .filter(|q| !present.contains(&(n as u16, *q)))
                    .collect();
                entries += gone.len() as u64;
                gone.iter().for_each(|&q| _ = stream.ledger.settle(q, Fate::Damaged));
            }
        }
        if entries > 0 {
            let queue = format!("outbox class {}", class.index());
            tracing::error!(class = class.index(), lost, entries, "outbox entries damaged");
            self.alarms.push(Alarm::QueueDamaged { queue, entries });
        }
        Ok(())
    }

    fn present(&mut self, class: Class) -> Result<BTreeSet<(u16, u64)>, StoreFault> {
        let queue = &mut self.queues[class.index()];
        let mut present: BTreeSet<_> = queue.young.iter().map(|y| (y.stream, y.sequence)).collect();
        let mut at = queue.spool.start().min(queue.head);
        loop {
            match queue.spool.peek(at)? {
                Peeked::Frame { header, next } => {
                    present.insert(unpack(header.a));
                    at = next;
                }
                Peeked::Damaged { next, .. } => at = next,
                Peeked::End => return Ok(present),
            }
        }
    }

    /// Without a mark: learns the streams from what is found.
    fn find_streams(&mut self) -> Result<(), StoreFault> {
        for class in Class::ALL {
            let mut at = self.queues[class.index()].head;
            let mut found = BTreeMap::new();
            loop {
                match self.queues[class.index()].spool.read(at)? {
                    Found::Frame { header, payload, next } => {
                        if let Some((arrival, sequence, entry)) = decode_entry(&mut Reader(&payload)) {
                            let index = unpack(header.a).0;
                            self.next_arrival = self.next_arrival.max(arrival + 1);
                            let of = found.entry(index).or_insert((entry.stream, Vec::new()));
                            of.1.push(sequence);
                        }
                        at = next;
                    }
                    Found::Damaged { next, .. } => at = next,
                    Found::End => break,
                }
            }
            for (index, (name, sequences)) in found {
                self.adopt(index, name, class, &sequences);
            }
        }
        Ok(())
    }

    fn adopt(&mut self, index: u16, name: String, class: Class, sequences: &[u64]) {
        while self.streams.len() <= usize::from(index) {
            let placeholder = format!("unknown-{}", self.streams.len());
            self.stream(&placeholder, class);
        }
        let stream = &mut self.streams[usize::from(index)];
        self.by_name.remove(&stream.name);
        self.by_name.insert(name.clone(), index);
        (stream.name, stream.class) = (name, class);
        stream.ledger.enqueued = sequences.iter().copied().max().unwrap_or(0);
        self.found.extend(sequences.iter().map(|&sequence| (index, sequence)));
    }

    /// Gives entries their numbers, without taking them yet.
    pub(crate) fn plan(&self, entries: Vec<Entry>) -> Result<Vec<Planned>, StoreFault> {
        let mut next: HashMap<String, (u64, Class)> = HashMap::new();
        let mut within: HashMap<u64, u64> = HashMap::new();
        let mut arrival = self.next_arrival;
        let mut planned = Vec::with_capacity(entries.len());
        for entry in entries {
            check_entry(&entry)?;
            let known = self.by_name.get(&entry.stream).map(|&n| &self.streams[usize::from(n)]);
            let (last, class) = *next
                .entry(entry.stream.clone())
                .or_insert_with(|| known.map_or((0, entry.class), |s| (s.ledger.enqueued, s.class)));
            if class != entry.class {
                let (is, wanted) = (class as u8, entry.class as u8);
                return Err(StoreFault::ClassOfStream {
                    stream: entry.stream,
                    is,
                    wanted,
                });
            }
            let hash = hash_of(&entry);
            let earlier = self.recent.by_hash.get(&hash).map(|&(_, sequence)| sequence);
            if let Some(sequence) = earlier.or_else(|| within.get(&hash).copied()) {
                planned.push(Planned {
                    arrival: 0,
                    sequence,
                    new: false,
                    entry,
                    hash,
                });
                continue;
            }
            within.insert(hash, last + 1);
            next.insert(entry.stream.clone(), (last + 1, class));
            planned.push(Planned {
                arrival,
                sequence: last + 1,
                new: true,
                entry,
                hash,
            });
            arrival += 1;
        }
        if self.streams.len() + next.keys().filter(|name| !self.by_name.contains_key(*name)).count() > STREAMS_MAX {
            let (what, bytes) = ("number of streams with", self.streams.len() + next.len());
            let name = next.into_keys().next().unwrap_or_default();
            return Err(StoreFault::TooLarge {
                what,
                name,
                bytes,
                max: STREAMS_MAX,
            });
        }
        Ok(planned)
    }

    /// Takes planned entries that are durable in the log.
    pub(crate) fn take(&mut self, planned: Vec<Planned>) {
        for Planned {
            arrival,
            sequence,
            new,
            entry,
            hash,
        } in planned
        {
            if !new {
                continue;
            }
            let stream = self.stream(&entry.stream, entry.class);
            let ledger = &mut self.streams[usize::from(stream)].ledger;
            ledger.enqueued = ledger.enqueued.max(sequence);
            self.next_arrival = self.next_arrival.max(arrival + 1);
            self.recent.remember(hash, stream, sequence);
            self.queues[entry.class.index()].young.push_back(Young {
                arrival,
                stream,
                sequence,
                entry,
            });
        }
    }

    /// Takes an entry as the log has it.
    pub(crate) fn replay(&mut self, arrival: u64, sequence: u64, entry: Entry) {
        let hash = hash_of(&entry);
        let stream = self.stream(&entry.stream, entry.class);
        if sequence <= self.streams[usize::from(stream)].ledger.enqueued && self.found.contains(&(stream, sequence)) {
            return;
        }
        self.take(vec![Planned {
            arrival,
            sequence,
            new: true,
            entry,
            hash,
        }]);
    }

    /// The log is replayed: numbers that are nowhere were lost with it, or with the mark, and are told.
    pub(crate) fn replayed(&mut self) -> Result<(), StoreFault> {
        self.found.clear();
        Class::ALL
            .iter()
            .try_for_each(|&class| self.account_damage(class, None, 0))
    }

    /// Settles acknowledgements as the log has them.
    pub(crate) fn replay_ack(&mut self, ack: &Ack) {
        self.settle_ack(ack);
    }

    /// The acknowledgements that wait for the next commit.
    pub(crate) fn acks(&self) -> &[Ack] {
        &self.acks
    }

    /// The first acknowledgements are durable now.
    pub(crate) fn acks_written(&mut self, n: usize) {
        self.acks.drain(..n);
    }

    /// Moves what still waits from memory to the spools, durable when it returns; takes all back on a fault.
    pub(crate) fn settle(&mut self) -> Result<u64, StoreFault> {
        let before: Vec<Position> = self.queues.iter().map(|q| q.spool.tail()).collect();
        let moved = self.move_young();
        if moved.is_err() {
            for (queue, end) in self.queues.iter_mut().zip(before) {
                let _ = queue.spool.rewind(end);
                queue.head = queue.head.min(end);
            }
            return moved;
        }
        for queue in &mut self.queues {
            for young in queue.young.drain(..) {
                if self.streams[usize::from(young.stream)]
                    .ledger
                    .is_settled(young.sequence)
                {
                    continue;
                }
                let room = young.entry.room.as_ref().map_or("", RoomId::as_str).to_owned();
                queue
                    .latest
                    .insert((young.stream, room), (young.sequence, young.arrival));
            }
            let streams = &self.streams;
            queue
                .latest
                .retain(|(stream, _), (q, _)| !streams[usize::from(*stream)].ledger.is_settled_through(*q));
        }
        moved
    }

    fn move_young(&mut self) -> Result<u64, StoreFault> {
        let mut bytes = 0;
        for class in Class::ALL {
            let queue = &mut self.queues[class.index()];
            let before = queue.spool.bytes_written;
            for young in &queue.young {
                if self.streams[usize::from(young.stream)]
                    .ledger
                    .is_settled(young.sequence)
                {
                    continue;
                }
                let mut plain = Writer::default();
                encode_entry(&mut plain, young.arrival, young.sequence, &young.entry);
                queue
                    .spool
                    .append(pack(young.stream, young.sequence), young.arrival, &plain.0)?;
            }
            queue.spool.sync()?;
            bytes += queue.spool.bytes_written - before;
            self.advance(class)?;
        }
        self.keep_to_caps()?;
        Ok(bytes)
    }

    fn keep_to_caps(&mut self) -> Result<(), StoreFault> {
        for class in [Class::Telemetry, Class::Promise, Class::Request] {
            while self.live_bytes(class) > self.caps.0[class.index()] && self.drop_oldest(class)? {}
        }
        let all = |outbox: &Self| Class::ALL.iter().map(|&class| outbox.live_bytes(class)).sum::<u64>();
        let cap: u64 = self.caps.0.iter().sum();
        for class in [Class::Telemetry, Class::Promise, Class::Request] {
            while all(self) > cap && self.drop_oldest(class)? {}
        }
        Ok(())
    }

    fn live_bytes(&self, class: Class) -> u64 {
        let queue = &self.queues[class.index()];
        queue
            .spool
            .segments()
            .filter(|(n, _)| *n >= queue.head.segment)
            .map(|(_, bytes)| u64::from(bytes))
            .sum()
    }

    /// Gives up the oldest segment of a class; false when there is but one.
    fn drop_oldest(&mut self, class: Class) -> Result<bool, StoreFault> {
        let n = class.index();
        let oldest = self.queues[n].head.segment;
        if self.live_bytes(class) <= u64::from(SEGMENT_BYTES) {
            return Ok(false);
        }
        let mut dropped = 0_u64;
        loop {
            let queue = &mut self.queues[n];
            match queue.spool.peek(queue.head)? {
                Peeked::Frame { next, .. } if next.segment > oldest => {
                    // The head leaves the file, so that the file counts no more: each call makes room, or says false.
                    queue.head = Position {
                        ordinal: queue.head.ordinal,
                        ..queue.spool.start_of(next.segment)
                    };
                    break;
                }
                Peeked::Frame { header, next } => {
                    let (stream, sequence) = unpack(header.a);
                    if let Some(stream) = self.streams.get_mut(usize::from(stream)) {
                        dropped += u64::from(stream.ledger.settle(sequence, Fate::Dropped));
                    }
                    self.queues[n].head = next;
                }
                Peeked::Damaged { lost, next } => {
                    queue.head = next;
                    self.account_damage(class, None, lost)?;
                }
                Peeked::End => return Ok(false),
            }
        }
        tracing::warn!(
            class = n,
            dropped,
            "outbox full: the oldest entries of this class gave way"
        );
        Ok(true)
    }

    /// What the mark keeps.
    pub(crate) fn mark(&self) -> OutboxMark {
        let queue = |q: &Queue| QueueMark {
            head: q.head,
            tail: q.spool.tail(),
            latest: q
                .latest
                .iter()
                .map(|((s, room), &(q, a))| (*s, room.clone(), q, a))
                .collect(),
        };
        let stream = |s: &Stream| StreamMark {
            name: s.name.clone(),
            class: s.class,
            ledger: s.ledger.saved(),
        };
        let skipped = self.recent.order.len().saturating_sub(RECENT_SAVED_MAX);
        let recent = self.recent.order.iter().skip(skipped);
        OutboxMark {
            next_arrival: self.next_arrival,
            queues: std::array::from_fn(|n| queue(&self.queues[n])),
            streams: self.streams.iter().map(stream).collect(),
            recent: recent
                .filter_map(|h| self.recent.by_hash.get(h).map(|&(s, q)| (*h, s, q)))
                .collect(),
        }
    }

    /// The mark is written: files that no mark needs any more may go.
    pub(crate) fn marked(&mut self) -> Result<(), StoreFault> {
        for queue in &mut self.queues {
            queue.marked = [queue.marked[1], queue.head.segment];
            queue.spool.drop_before(queue.marked[0].min(queue.marked[1]))?;
        }
        Ok(())
    }

    /// The bytes of all queues on disk.
    pub fn bytes(&self) -> u64 {
        self.queues.iter().map(|q| q.spool.bytes()).sum()
    }

    fn stream(&mut self, name: &str, class: Class) -> u16 {
        if let Some(&index) = self.by_name.get(name) {
            return index;
        }
        let index = self.streams.len() as u16;
        self.streams.push(Stream {
            name: name.to_owned(),
            class,
            ledger: Ledger::default(),
        });
        self.by_name.insert(name.to_owned(), index);
        index
    }
}

fn check_entry(entry: &Entry) -> Result<(), StoreFault> {
    check_name("id of an entry", &entry.id, ID_BYTES_MAX)?;
    check_name("stream", &entry.stream, 48)?;
    let bytes = entry.body.len();
    if bytes > BODY_BYTES_MAX {
        return Err(StoreFault::TooLarge {
            what: "entry",
            name: entry.id.clone(),
            bytes,
            max: BODY_BYTES_MAX,
        });
    }
    Ok(())
}

/// Stream and sequence in one word of a frame's header.
fn pack(stream: u16, sequence: u64) -> u64 {
    u64::from(stream) << 48 | sequence
}

fn unpack(word: u64) -> (u16, u64) {
    ((word >> 48) as u16, word & ((1 << 48) - 1))
}

fn hash_of(entry: &Entry) -> u64 {
    let mut context = ring::digest::Context::new(&ring::digest::SHA256);
    for part in [entry.stream.as_bytes(), entry.id.as_bytes(), &entry.body] {
        context.update(&(part.len() as u64).to_le_bytes());
        context.update(part);
    }
    context
        .finish()
        .as_ref()
        .iter()
        .take(8)
        .fold(0, |word, &byte| word << 8 | u64::from(byte))
}

pub(crate) fn encode_entry(to: &mut Writer, arrival: u64, sequence: u64, entry: &Entry) {
    to.u64(arrival)
        .u64(sequence)
        .u8(entry.class as u8)
        .text(&entry.stream)
        .text(&entry.id);
    to.text(entry.room.as_ref().map_or("", RoomId::as_str))
        .i64(entry.at.millis())
        .i64(entry.expires.millis());
    to.bytes(&entry.body);
}

pub(crate) fn decode_entry(from: &mut Reader<'_>) -> Option<(u64, u64, Entry)> {
    let (arrival, sequence, class) = (from.u64()?, from.u64()?, Class::from_index(from.u8()?)?);
    let (stream, id, room) = (from.text()?.to_owned(), from.text()?.to_owned(), from.text()?);
    let room = if room.is_empty() {
        None
    } else {
        Some(RoomId::new(room).ok()?)
    };
    let (at, expires) = (Moment::from_millis(from.i64()?), Moment::from_millis(from.i64()?));
    let body = from.bytes()?.to_vec();
    Some((
        arrival,
        sequence,
        Entry {
            id,
            stream,
            class,
            room,
            body,
            at,
            expires,
        },
    ))
}
