//! How are records kept in order, so that damage costs one record and not the file?
//!
//! A spool is a directory of segment files, appended to and never changed. Each frame says its length, its number and
//! two words of its owner's in a header with its own checksum; the payload is sealed and has another. So a damaged
//! payload still says which one it was, after a damaged header the next whole one is looked for, and the gap in the
//! numbers says how many were lost. What is done with is deleted by the file.
//!
//! A spool does not know by itself where it must end: its owner remembers the [`Position`] of the end somewhere else
//! (the mark), or, for the log, walks to the end. Frames whose loss costs nothing (written, never made durable) can
//! only lie behind that.

use super::codec::{Reader, Writer};
use super::fault::StoreFault;
use super::files;
use super::seal::Sealer;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// A segment is closed when it has grown to this: small enough that space comes back soon, large enough that a week of
/// backlog is a few hundred files.
pub(crate) const SEGMENT_BYTES: u32 = 1 << 20;
/// The longest payload: one commit of the largest batch. A length above it is damage.
pub(crate) const PAYLOAD_BYTES_MAX: usize = 8 << 20;

const SEGMENT_MAGIC: &[u8; 8] = b"IKSEGMT1";
const SEGMENT_HEADER_BYTES: u32 = 40;
const FRAME_MAGIC: u32 = 0x314d_5246;
const FRAME_HEADER_BYTES: usize = 44;
/// The next whole frame after damage is looked for in pieces of this size.
const SEARCH_BYTES: usize = 64 << 10;

/// Where a frame begins, and which number it must have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
pub(crate) struct Position {
    pub(crate) segment: u32,
    pub(crate) offset: u32,
    pub(crate) ordinal: u64,
}

/// What a frame says of itself in clear.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) ordinal: u64,
    pub(crate) a: u64,
    pub(crate) b: u64,
    length: u32,
    crc: u32,
}

/// What is at a position.
#[derive(Debug)]
pub(crate) enum Found {
    Frame {
        header: Header,
        payload: Vec<u8>,
        next: Position,
    },
    /// `lost` frames did not open; `header` is there when it is one whose payload alone is damaged.
    Damaged {
        header: Option<Header>,
        lost: u64,
        next: Position,
    },
    End,
}

/// An append-only sequence of sealed frames.
#[derive(Debug)]
pub(crate) struct Spool {
    dir: PathBuf,
    sealer: Sealer,
    key_id: u64,
    /// Each segment and where it ends.
    segments: BTreeMap<u32, u32>,
    tail: Position,
    writing: Option<File>,
    /// Full segments that are not durable yet.
    unsynced: Vec<File>,
    dirty: bool,
    dir_dirty: bool,
    reading: Option<(u32, File)>,
    pub(crate) bytes_written: u64,
}

impl Spool {
    /// Opens the segments of a directory. With an `end`, what lies behind it is cut off: it was never promised.
    pub(crate) fn open(dir: PathBuf, sealer: Sealer, key_id: u64, end: Option<Position>) -> Result<Self, StoreFault> {
        files::make_dir(&dir)?;
        let segments = list(&dir)?;
        let mut spool = Self {
            dir,
            sealer,
            key_id,
            segments,
            tail: Position {
                segment: 0,
                offset: 0,
                ordinal: 1,
            },
            writing: None,
            unsynced: Vec::new(),
            dirty: false,
            dir_dirty: false,
            reading: None,
            bytes_written: 0,
        };
        match end {
            Some(end) => spool.rewind(end)?,
            None => spool.tail = spool.start(),
        }
        Ok(spool)
    }

    /// Where the next frame goes.
    pub(crate) fn tail(&self) -> Position {
        self.tail
    }

    /// The bytes on disk.
    pub(crate) fn bytes(&self) -> u64 {
        self.segments.values().map(|&n| u64::from(n)).sum()
    }

    /// The segments in order, with their sizes.
    pub(crate) fn segments(&self) -> impl Iterator<Item = (u32, u32)> + '_ {
        self.segments.iter().map(|(&n, &bytes)| (n, bytes))
    }

    /// Where the oldest frame is that is still kept.
    pub(crate) fn start(&mut self) -> Position {
        let Some(&segment) = self.segments.keys().next() else {
            return self.tail;
        };
        self.start_of(segment)
    }

    /// Where the first frame of a segment is.
    pub(crate) fn start_of(&mut self, segment: u32) -> Position {
        let offset = SEGMENT_HEADER_BYTES;
        let from_header = self.segment_header(segment).map(|h| h.first);
        let ordinal = from_header.or_else(|| self.search(segment, offset, 0).map(|(_, h)| h.ordinal));
        Position {
            segment,
            offset,
            ordinal: ordinal.unwrap_or(self.tail.ordinal),
        }
    }

    /// The name of the key a segment was sealed with, where the segment still says so.
    pub(crate) fn key_ids(&mut self) -> Vec<u64> {
        let numbers: Vec<u32> = self.segments.keys().copied().collect();
        numbers
            .into_iter()
            .filter_map(|n| self.segment_header(n))
            .map(|h| h.key_id)
            .collect()
    }

    /// Appends a frame; not durable before [`Spool::sync`]. After a fault the spool is as it was.
    pub(crate) fn append(&mut self, a: u64, b: u64, plain: &[u8]) -> Result<Position, StoreFault> {
        let ordinal = self.tail.ordinal;
        let payload = self.sealer.seal(&place(ordinal, a, b), plain)?;
        let header = Header {
            ordinal,
            a,
            b,
            length: payload.len() as u32,
            crc: crc32fast::hash(&payload),
        };
        let mut frame = header.encode();
        frame.extend_from_slice(&payload);
        let before = self.tail;
        let written = self.room_for(frame.len()).and_then(|()| self.write(&frame));
        if let Err(fault) = written {
            let _ = self.rewind(before);
            return Err(fault);
        }
        Ok(before)
    }

    /// Makes everything appended durable. After a fault nothing that was not durable before can be trusted: the owner
    /// rewinds, and the next frame goes to a new file.
    pub(crate) fn sync(&mut self) -> Result<(), StoreFault> {
        let fault = |e| StoreFault::io("making a segment durable", &self.dir, e);
        for file in &self.unsynced {
            file.sync_data().map_err(fault)?;
        }
        if let (true, Some(file)) = (self.dirty, &self.writing) {
            file.sync_data().map_err(fault)?;
        }
        if self.dir_dirty {
            files::sync_dir(&self.dir)?;
        }
        self.unsynced.clear();
        (self.dirty, self.dir_dirty) = (false, false);
        Ok(())
    }

    /// Takes back everything behind `end`. The next frame goes to a new file, so that what could not be taken back is
    /// not taken for valid either: the new file says where the one before it ends.
    pub(crate) fn rewind(&mut self, end: Position) -> Result<(), StoreFault> {
        self.writing = None;
        self.reading = None;
        self.unsynced.clear();
        let behind: Vec<u32> = self
            .segments
            .range(end.segment.saturating_add(1)..)
            .map(|(&n, _)| n)
            .collect();
        for segment in behind {
            files::remove(&self.path(segment))?;
            self.segments.remove(&segment);
        }
        if let Some(length) = self
            .segments
            .get_mut(&end.segment)
            .filter(|length| **length > end.offset)
        {
            *length = end.offset;
            let path = self.path(end.segment);
            let cut = OpenOptions::new()
                .write(true)
                .open(&path)
                .and_then(|f| f.set_len(u64::from(end.offset)));
            cut.map_err(|e| StoreFault::io("cutting", &path, e))?;
        }
        self.tail = end;
        self.dirty = false;
        Ok(())
    }

    /// Begins a new segment now, so that the ones before can go.
    pub(crate) fn begin_anew(&mut self) -> Result<(), StoreFault> {
        self.begin_segment()?;
        self.sync()
    }

    /// Deletes the segments before this one.
    pub(crate) fn drop_before(&mut self, segment: u32) -> Result<(), StoreFault> {
        let done: Vec<u32> = self
            .segments
            .range(..segment)
            .map(|(&n, _)| n)
            .filter(|&n| n != self.tail.segment)
            .collect();
        for segment in done {
            files::remove(&self.path(segment))?;
            self.segments.remove(&segment);
        }
        Ok(())
    }

    /// Reads and opens what is at a position.
    pub(crate) fn read(&mut self, at: Position) -> Result<Found, StoreFault> {
        let (header, next) = match self.peek(at)? {
            Peeked::Frame { header, next } => (header, next),
            Peeked::Damaged { lost, next } => {
                return Ok(Found::Damaged {
                    header: None,
                    lost,
                    next,
                });
            }
            Peeked::End => return Ok(Found::End),
        };
        let mut sealed = vec![0; header.length as usize];
        let from = u64::from(next.offset - header.length);
        self.read_at(next.segment, &mut sealed, from)?;
        let whole = crc32fast::hash(&sealed) == header.crc;
        let opened = self
            .sealer
            .open(&place(header.ordinal, header.a, header.b), &sealed)
            .filter(|_| whole);
        Ok(match opened {
            Some(payload) => Found::Frame { header, payload, next },
            None => Found::Damaged {
                header: Some(header),
                lost: 1,
                next,
            },
        })
    }

    /// Reads only what a frame says of itself in clear.
    pub(crate) fn peek(&mut self, at: Position) -> Result<Peeked, StoreFault> {
        let mut at = at;
        loop {
            if (at.segment, at.offset) >= (self.tail.segment, self.tail.offset) {
                return Ok(self.missing_until(at, self.tail).unwrap_or(Peeked::End));
            }
            let end = self.segments.get(&at.segment).copied().unwrap_or(0);
            if at.offset < end {
                return self.peek_within(at, end);
            }
            let following = self.segments.range(at.segment + 1..).next().map(|(&n, _)| n);
            let next = following.map_or(self.tail, |n| self.start_of(n));
            if let Some(damaged) = self.missing_until(at, next) {
                return Ok(damaged);
            }
            at = Position {
                ordinal: at.ordinal,
                ..next
            };
        }
    }

    fn peek_within(&mut self, at: Position, end: u32) -> Result<Peeked, StoreFault> {
        if let Some(header) = self.header_at(at, end)?
            && header.ordinal == at.ordinal
        {
            let offset = at.offset + FRAME_HEADER_BYTES as u32 + header.length;
            return Ok(Peeked::Frame {
                header,
                next: Position {
                    offset,
                    ordinal: at.ordinal + 1,
                    ..at
                },
            });
        }
        let next = match self.search(at.segment, at.offset, at.ordinal) {
            Some((offset, header)) => Position {
                offset,
                ordinal: header.ordinal,
                ..at
            },
            None => {
                let following = self.segments.range(at.segment + 1..).next().map(|(&n, _)| n);
                following.map_or(self.tail, |n| self.start_of(n))
            }
        };
        let next = Position {
            ordinal: next.ordinal.max(at.ordinal),
            ..next
        };
        Ok(Peeked::Damaged {
            lost: next.ordinal - at.ordinal,
            next,
        })
    }

    fn missing_until(&self, at: Position, next: Position) -> Option<Peeked> {
        (next.ordinal > at.ordinal).then(|| Peeked::Damaged {
            lost: next.ordinal - at.ordinal,
            next,
        })
    }

    /// Walks from a position over everything there is, hands each piece on, and sets the end behind the last whole
    /// frame. Returns the bytes cut off there: a frame that was being written when the power went.
    pub(crate) fn walk_to_end(
        &mut self,
        from: Position,
        mut each: impl FnMut(Found) -> Result<(), StoreFault>,
    ) -> Result<u64, StoreFault> {
        let last = self.segments.iter().next_back().map(|(&n, &end)| (n, end));
        let Some((segment, end)) = last.filter(|&last| last > (from.segment, from.offset)) else {
            self.tail = from;
            return Ok(0);
        };
        // The number at the end is not known yet: nothing is missing there before something whole follows.
        self.tail = Position {
            segment,
            offset: end,
            ordinal: 0,
        };
        let mut at = from;
        let mut whole = from;
        let mut held = Vec::new();
        loop {
            match self.read(at)? {
                Found::End => break,
                Found::Damaged { header, lost, next } => {
                    held.push(Found::Damaged { header, lost, next });
                    at = next;
                }
                frame => {
                    let Found::Frame { next, .. } = frame else { break };
                    held.drain(..).try_for_each(&mut each)?;
                    each(frame)?;
                    (at, whole) = (next, next);
                }
            }
        }
        let torn = self
            .segments
            .range(whole.segment..)
            .map(|(_, &n)| u64::from(n))
            .sum::<u64>();
        let torn = torn.saturating_sub(u64::from(whole.offset));
        self.rewind(whole)?;
        Ok(torn)
    }

    fn room_for(&mut self, bytes: usize) -> Result<(), StoreFault> {
        let full = u64::from(self.tail.offset) + bytes as u64 > u64::from(SEGMENT_BYTES);
        match self.writing {
            Some(_) if !full || self.tail.offset == SEGMENT_HEADER_BYTES => Ok(()),
            _ => self.begin_segment(),
        }
    }

    fn begin_segment(&mut self) -> Result<(), StoreFault> {
        let number = self
            .segments
            .keys()
            .next_back()
            .map_or(0, |&n| n)
            .max(self.tail.segment)
            + 1;
        let path = self.path(number);
        let file = files::create_private(&path).map_err(|e| StoreFault::io("beginning a segment", &path, e))?;
        let header = SegmentHeader {
            key_id: self.key_id,
            number,
            before: self.tail.segment,
            before_end: self.tail.offset,
            first: self.tail.ordinal,
        };
        self.segments.insert(number, SEGMENT_HEADER_BYTES);
        if let Some(full) = self.writing.replace(file).filter(|_| self.dirty) {
            self.unsynced.push(full);
        }
        self.dir_dirty = true;
        self.tail = Position {
            segment: number,
            offset: 0,
            ordinal: self.tail.ordinal,
        };
        self.write_at_tail(&header.encode())
    }

    fn write(&mut self, frame: &[u8]) -> Result<(), StoreFault> {
        self.write_at_tail(frame)?;
        self.tail.ordinal += 1;
        Ok(())
    }

    fn write_at_tail(&mut self, bytes: &[u8]) -> Result<(), StoreFault> {
        let file = self
            .writing
            .as_ref()
            .expect("a segment is begun before it is written to");
        let written = file.write_all_at(bytes, u64::from(self.tail.offset));
        written.map_err(|e| StoreFault::io("writing a segment", &self.path(self.tail.segment), e))?;
        self.dirty = true;
        self.tail.offset += bytes.len() as u32;
        self.segments.insert(self.tail.segment, self.tail.offset);
        self.bytes_written += bytes.len() as u64;
        Ok(())
    }

    fn header_at(&mut self, at: Position, end: u32) -> Result<Option<Header>, StoreFault> {
        let mut bytes = [0; FRAME_HEADER_BYTES];
        if u64::from(at.offset) + FRAME_HEADER_BYTES as u64 > u64::from(end) {
            return Ok(None);
        }
        self.read_at(at.segment, &mut bytes, u64::from(at.offset))?;
        let fits =
            |h: &Header| u64::from(at.offset) + (FRAME_HEADER_BYTES as u64) + u64::from(h.length) <= u64::from(end);
        Ok(Header::decode(&bytes).filter(fits))
    }

    /// Looks in one segment, behind `offset`, for a whole header with a number above `above`.
    fn search(&mut self, segment: u32, offset: u32, above: u64) -> Option<(u32, Header)> {
        let end = self.segments.get(&segment).copied()?;
        let magic = FRAME_MAGIC.to_le_bytes();
        let mut from = offset;
        while from < end {
            let mut piece = vec![0; SEARCH_BYTES.min((end - from) as usize)];
            self.read_at(segment, &mut piece, u64::from(from)).ok()?;
            for at in piece
                .windows(4)
                .enumerate()
                .filter(|(_, w)| *w == magic)
                .map(|(i, _)| from + i as u32)
            {
                let place = Position {
                    segment,
                    offset: at,
                    ordinal: 0,
                };
                if let Ok(Some(header)) = self.header_at(place, end)
                    && header.ordinal > above
                {
                    return Some((at, header));
                }
            }
            // Pieces overlap, so that a header across their border is seen.
            from += (piece.len() as u32).saturating_sub(3).max(1);
        }
        None
    }

    fn segment_header(&mut self, segment: u32) -> Option<SegmentHeader> {
        let mut bytes = [0; SEGMENT_HEADER_BYTES as usize];
        self.read_at(segment, &mut bytes, 0).ok()?;
        SegmentHeader::decode(&bytes).filter(|h| h.number == segment)
    }

    fn read_at(&mut self, segment: u32, bytes: &mut [u8], offset: u64) -> Result<(), StoreFault> {
        if self.reading.as_ref().is_none_or(|(n, _)| *n != segment) {
            let path = self.path(segment);
            let file = File::open(&path).map_err(|e| StoreFault::io("opening a segment", &path, e))?;
            self.reading = Some((segment, file));
        }
        let (_, file) = self.reading.as_ref().expect("the segment was opened just above");
        file.read_exact_at(bytes, offset)
            .map_err(|e| StoreFault::io("reading a segment", &self.path(segment), e))
    }

    fn path(&self, segment: u32) -> PathBuf {
        self.dir.join(format!("{segment:010}.seg"))
    }
}

/// What is at a position, unopened.
#[derive(Debug)]
pub(crate) enum Peeked {
    Frame { header: Header, next: Position },
    Damaged { lost: u64, next: Position },
    End,
}

impl Header {
    fn encode(&self) -> Vec<u8> {
        let mut w = Writer(Vec::with_capacity(FRAME_HEADER_BYTES + self.length as usize));
        w.u32(FRAME_MAGIC)
            .u32(1)
            .u32(self.length)
            .u64(self.ordinal)
            .u64(self.a)
            .u64(self.b)
            .u32(self.crc);
        let crc = crc32fast::hash(&w.0);
        w.u32(crc);
        w.0
    }

    fn decode(bytes: &[u8; FRAME_HEADER_BYTES]) -> Option<Self> {
        let mut r = Reader(bytes);
        let (magic, version, length) = (r.u32()?, r.u32()?, r.u32()?);
        let header = Self {
            length,
            ordinal: r.u64()?,
            a: r.u64()?,
            b: r.u64()?,
            crc: r.u32()?,
        };
        let whole = r.u32()? == crc32fast::hash(&bytes[..FRAME_HEADER_BYTES - 4]);
        (magic == FRAME_MAGIC && version == 1 && whole && length as usize <= PAYLOAD_BYTES_MAX).then_some(header)
    }
}

struct SegmentHeader {
    key_id: u64,
    number: u32,
    before: u32,
    before_end: u32,
    first: u64,
}

impl SegmentHeader {
    fn encode(&self) -> Vec<u8> {
        let mut w = Writer(SEGMENT_MAGIC.to_vec());
        w.u64(self.key_id)
            .u32(self.number)
            .u32(self.before)
            .u32(self.before_end)
            .u64(self.first);
        let crc = crc32fast::hash(&w.0);
        w.u32(crc);
        w.0
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let mut r = Reader(bytes);
        let magic = r.take(8)?;
        let (key_id, number, before, before_end) = (r.u64()?, r.u32()?, r.u32()?, r.u32()?);
        let header = Self {
            key_id,
            number,
            before,
            before_end,
            first: r.u64()?,
        };
        let whole = r.u32()? == crc32fast::hash(&bytes[..SEGMENT_HEADER_BYTES as usize - 4]);
        (magic == SEGMENT_MAGIC && whole).then_some(header)
    }
}

fn place(ordinal: u64, a: u64, b: u64) -> [u8; 25] {
    let mut place = [1; 25];
    for (to, word) in place[1..].chunks_exact_mut(8).zip([ordinal, a, b]) {
        to.copy_from_slice(&word.to_le_bytes());
    }
    place
}

/// Lists the segments and where each ends: at its file's end, or where the one behind it says if that is earlier.
fn list(dir: &Path) -> Result<BTreeMap<u32, u32>, StoreFault> {
    let mut segments = BTreeMap::new();
    let mut ends = BTreeMap::new();
    for entry in fs::read_dir(dir).map_err(|e| StoreFault::io("listing", dir, e))? {
        let entry = entry.map_err(|e| StoreFault::io("listing", dir, e))?;
        let name = entry.file_name();
        let number = name
            .to_str()
            .and_then(|n| n.strip_suffix(".seg"))
            .and_then(|n| n.parse().ok());
        let (Some(number), Ok(meta)) = (number, entry.metadata()) else {
            continue;
        };
        segments.insert(number, u32::try_from(meta.len()).unwrap_or(u32::MAX));
        let mut bytes = [0; SEGMENT_HEADER_BYTES as usize];
        let read = File::open(entry.path()).and_then(|f| f.read_exact_at(&mut bytes, 0));
        if let (Ok(()), Some(header)) = (ignore_short(read), SegmentHeader::decode(&bytes)) {
            ends.insert(header.before, header.before_end);
        }
    }
    for (number, end) in ends {
        segments.entry(number).and_modify(|length| *length = (*length).min(end));
    }
    Ok(segments)
}

fn ignore_short(read: io::Result<()>) -> io::Result<()> {
    read.or_else(|e| {
        if e.kind() == io::ErrorKind::UnexpectedEof {
            Ok(())
        } else {
            Err(e)
        }
    })
}
