//! What outlives the process?
//!
//! One call, [`Store::commit`], makes everything durable that a batch of events led to: state by key, entries for
//! central, the journal of decisions. It writes one sealed frame to the log and waits for the disk once. So there is no
//! order between state and outbox to get wrong: after a kill or a power cut both are there, or neither is, and then
//! nobody has been told.
//!
//! ```text
//! commit ──► log/ (one frame, one fdatasync) ──► memory
//!                                                  │ checkpoint: each mebibyte of log, or when asked
//!                 ┌───────────────┬────────────────┤
//!              state/ (sled)   outbox class-0..3  journal/     what is still of use goes to its place,
//!                 └───────────────┴───────┬────────┘           durable, then
//!                                       mark.0, mark.1         says how far all have come
//! ```
//!
//! A start reads the mark, the few commits after it, and verifies every record of the state against a sum. The log is
//! kept back to the older of two exports, so what a damaged database lost is put back; what cannot be is
//! named in an [`Alarm`]. Nothing is ever lost silently.
//!
//! Limits: keys 200 bytes, values 60 KiB, bodies 64 KiB, notes 16 KiB, a batch 8 MiB; log some 12 MiB, journal 32 MiB,
//! outbox 256 MiB. The store is synchronous and belongs to one thread.

mod codec;
mod database;
mod export;
mod fault;
mod files;
mod journal;
pub mod key;
mod ledger;
mod log;
mod mark;
mod memory;
mod outbox;
mod recover;
mod seal;
mod spool;
mod state;
#[cfg(test)]
mod tests;

pub use database::SledState;
pub use fault::{Alarm, StoreFault};
pub use journal::{JOURNAL_BYTES_MAX, NOTE_BYTES_MAX, Note};
pub use ledger::{Fate, Ledger, Told};
pub use memory::MemoryState;
pub use outbox::{
    Acknowledged, BODY_BYTES_MAX, Caps, Class, Cursor, Entry, ID_BYTES_MAX, Outbox, Pending, STREAMS_MAX,
};
pub use seal::SecretKey;
pub use state::{Changes, KEY_BYTES_MAX, StateStore, VALUE_BYTES_MAX};

use crate::model::{Moment, RoomId, Span};
use data_encoding::HEXLOWER;
use files::Ballast;
use journal::Journal;
use log::Tail;
use mark::Mark;
use seal::{Keys, Purpose};
use spool::Spool;
use state::{Cipher, State};
use std::borrow::Borrow;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

/// A checkpoint is due after so much log: a restart reads no more than this.
const CHECKPOINT_BYTES: u64 = 1 << 20;
/// A commit makes the checkpoint itself when nobody called [`Store::maintain`] for so long.
const CHECKPOINT_BYTES_MAX: u64 = 4 << 20;
/// A checkpoint is due after this time, so that acknowledgements become durable in quiet hours too.
const CHECKPOINT_EVERY: Span = Span::minutes(15);
/// An export is due after so much log; the log is kept back to the older of two.
const EXPORT_BYTES: u64 = 4 << 20;
/// While the disk is full, setting the reserve aside again is tried so often.
const BALLAST_EVERY: Span = Span::minutes(1);
/// Beyond so many unwritten acknowledgements they are written without waiting for a commit.
const ACKS_MAX: usize = 4096;

/// What a batch of events led to.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    /// Records by key, whole. A later one under the same key wins.
    pub puts: Vec<(String, Vec<u8>)>,
    /// Keys whose records go; a put of the same key in the same batch wins.
    pub removes: Vec<String>,
    /// Entries for central, in order.
    pub outbox: Vec<Entry>,
    /// Decisions for the journal.
    pub journal: Vec<Note>,
}

/// What became of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Committed {
    /// The number of the commit; zero when there was nothing to write.
    pub commit: u64,
    /// For each entry its sequence number, and whether it is new or was there already.
    pub entries: Vec<(u64, bool)>,
    /// Bytes written to the log.
    pub bytes: u64,
    /// True when the reserve on disk was given up for it: space is needed urgently.
    pub reserve_used: bool,
}

/// What was found at the start.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OpenReport {
    /// Damage, and whether it was healed.
    pub alarms: Vec<Alarm>,
    /// Records of state.
    pub records: u64,
    /// Entries waiting for central.
    pub pending: u64,
    /// Commits that were in the log only.
    pub replayed: u64,
    /// Bytes of a commit that was being written when the process or the power went; nobody was told of it.
    pub torn_bytes: u64,
}

/// Limits that a property may set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The outbox on disk, by class.
    pub outbox: Caps,
    /// The journal on disk.
    pub journal_bytes: u64,
    /// The reserve on disk that is given up for requests and emergencies when there is no space left.
    pub reserve_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            outbox: Caps::default(),
            journal_bytes: JOURNAL_BYTES_MAX,
            reserve_bytes: files::BALLAST_BYTES,
        }
    }
}

/// Everything that outlives the process.
#[derive(Debug)]
pub struct Store {
    dir: PathBuf,
    key_id: u64,
    log: Spool,
    state: State,
    outbox: Outbox,
    journal: Journal,
    ballast: Ballast,
    mark: Mark,
    /// The commit of the mark before: the log is kept back to it.
    mark_before: u64,
    log_since_mark: u64,
    log_since_export: u64,
    /// The next try of a checkpoint when one failed, in bytes of log.
    checkpoint_at: u64,
    checkpointed: Moment,
    ballast_tried: Moment,
    other_bytes: u64,
    _lock: File,
}

impl Store {
    /// Opens the store of a property, or makes one.
    ///
    /// # Errors
    /// When another process has it open, the key is not the one it was sealed with, or the disk is full or broken.
    /// Damage is no error: it is healed or named in the report.
    pub fn open(dir: &Path, key: &SecretKey, now: Moment) -> Result<(Self, OpenReport), StoreFault> {
        Self::open_with(dir, key, now, Limits::default())
    }

    /// Opens the store with limits of the property's own.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn open_with(
        dir: &Path,
        key: &SecretKey,
        now: Moment,
        limits: Limits,
    ) -> Result<(Self, OpenReport), StoreFault> {
        files::make_dir(dir)?;
        let lock = lock(dir)?;
        let keys = Keys::new(key);
        let mark::Found { mark, mut alarms } = mark::load(dir)?;
        let mut log = Spool::open(dir.join("log"), keys.sealer(Purpose::Log), keys.id(), None)?;
        check_key(dir, &keys, mark.as_ref(), &mut log)?;
        let ballast = Ballast::in_dir(dir, limits.reserve_bytes);
        make_room(dir, &ballast)?;
        let short = mark.as_ref().is_some_and(|mark| is_short(&log, mark));
        let from = mark.as_ref().map(|mark| mark.log);
        let from = from.unwrap_or_else(|| log.start());
        let tail = log::read_on(&mut log, from)?;
        if short {
            // The next mark points into a file that is there.
            log.begin_anew()?;
        }
        if tail.lost > 0 || short {
            alarms.push(Alarm::LogDamaged {
                commits: tail.lost,
                healed: tail.lost == 0,
            });
        }
        let recovered = recover::recover(dir, Cipher::new(&keys), mark.as_ref(), &tail, &mut log, now)?;
        let mut outbox = Outbox::open(dir, &keys, mark.as_ref().map(|m| m.outbox.clone()), limits.outbox)?;
        let journal_end = mark.as_ref().map(|mark| mark.journal);
        let mut journal = Journal::open(dir, &keys, journal_end, limits.journal_bytes)?;
        let unmarked = mark.is_none() && (recovered.state.sum().records > 0 || outbox.pending() > 0);
        if unmarked && alarms.is_empty() && tail.commits.first().is_none_or(|commit| commit.number > 1) {
            alarms.push(Alarm::MarkDamaged {
                file: dir.join("mark.0"),
            });
        }
        replay(&tail, &mut outbox, &mut journal)?;
        alarms.extend(recovered.alarms);
        if tail.lost > 0 || (mark.is_none() && !alarms.is_empty()) {
            outbox.replayed()?;
        }
        alarms.extend(outbox.take_alarms());
        let mark = mark.unwrap_or_default();
        let last = log.tail().ordinal;
        let applied = recovered.state.database().applied()?;
        if last <= applied.max(mark.commit) {
            log.rewind(spool::Position {
                ordinal: applied.max(mark.commit) + 1,
                ..log.tail()
            })?;
        }
        let report = OpenReport {
            records: recovered.state.sum().records,
            pending: outbox.pending(),
            replayed: tail.commits.len() as u64,
            torn_bytes: tail.torn_bytes,
            alarms,
        };
        let mut store = Self {
            key_id: keys.id(),
            log_since_mark: bytes_since(&log, from),
            log_since_export: log.bytes(),
            checkpoint_at: CHECKPOINT_BYTES_MAX,
            checkpointed: now,
            ballast_tried: now,
            mark_before: mark.commit,
            other_bytes: 0,
            dir: dir.to_owned(),
            state: recovered.state,
            _lock: lock,
            log,
            outbox,
            journal,
            ballast,
            mark,
        };
        store.ballast.restore();
        if recovered.healed || !report.alarms.is_empty() {
            report
                .alarms
                .iter()
                .for_each(|alarm| tracing::error!(healed = alarm.healed(), "{alarm}"));
            store.checkpoint(now)?;
            store.export()?;
        }
        Ok((store, report))
    }

    /// Makes a batch durable: all of it or nothing, with one wait for the disk. When this returns, effects may go out.
    ///
    /// # Errors
    /// When the disk is full or broken, or something in the batch is too large: nothing of the batch is kept then, and
    /// everything committed before is. The caller keeps the batch and tries again.
    pub fn commit(&mut self, batch: impl Borrow<Batch>) -> Result<Committed, StoreFault> {
        let batch = batch.borrow();
        let urgent = batch.outbox.iter().any(|entry| entry.class <= Class::Request);
        let changes = changes_of(batch)?;
        check_notes(&batch.journal)?;
        let planned = self.outbox.plan(batch.outbox.clone())?;
        let entries = planned.iter().map(|p| (p.sequence, p.new)).collect();
        let acks = self.outbox.acks().len();
        if changes.is_empty() && batch.journal.is_empty() && acks == 0 && planned.iter().all(|p| !p.new) {
            return Ok(Committed {
                commit: 0,
                entries,
                bytes: 0,
                reserve_used: false,
            });
        }
        let number = self.log.tail().ordinal;
        let after = self.state.after(number, &changes);
        let frame = log::encode(after.sum, &changes, &planned, &batch.journal, self.outbox.acks())?;
        let (bytes, reserve_used) = self.write(&frame, urgent)?;
        self.state.take(number, changes, after);
        self.outbox.take(planned);
        self.outbox.acks_written(acks);
        self.journal.take(batch.journal.clone());
        self.log_since_mark += bytes;
        self.log_since_export += bytes;
        self.checkpoint_if_overdue();
        Ok(Committed {
            commit: number,
            entries,
            bytes,
            reserve_used,
        })
    }

    /// Does what is due: lets entries expire, makes a checkpoint, an export, sets the reserve aside again. To be called
    /// when the loop is idle, every few seconds or more.
    ///
    /// # Errors
    /// When the disk is full or broken; nothing is lost by it, and it is tried again at the next call.
    pub fn maintain(&mut self, now: Moment) -> Result<(), StoreFault> {
        self.outbox.expire(now)?;
        let idle = self.log_since_mark == 0 && self.outbox.acks().is_empty();
        let due = !idle && now.since(self.checkpointed) >= CHECKPOINT_EVERY;
        if due || self.log_since_mark >= CHECKPOINT_BYTES || self.outbox.acks().len() > ACKS_MAX {
            self.checkpoint(now)?;
        }
        if self.log_since_export >= EXPORT_BYTES {
            self.export()?;
        }
        if now.since(self.ballast_tried) >= BALLAST_EVERY {
            self.ballast_tried = now;
            self.ballast.restore();
        }
        Ok(())
    }

    /// Moves everything that is still of use from memory to its place, and writes the mark.
    ///
    /// # Errors
    /// When the disk is full or broken; the log has everything, and the next checkpoint tries again.
    pub fn checkpoint(&mut self, now: Moment) -> Result<(), StoreFault> {
        if let Err(fault) = self.settle() {
            // Space given up here lets the checkpoint delete files that are done with.
            if !(fault.is_disk_full() && self.ballast.give_up()) {
                return Err(fault);
            }
            self.settle()?;
        }
        self.checkpointed = now;
        Ok(())
    }

    /// Writes an export, sealed, over the older of two; to be called every night and at the end.
    ///
    /// # Errors
    /// When the disk is full or broken, or a record does not open; the exports before stay as they are.
    pub fn export(&mut self) -> Result<(), StoreFault> {
        if self.log.tail().ordinal != self.mark.commit + 1 || self.mark.generation == 0 {
            self.settle()?;
        }
        let database = self.state.database();
        let records = self.state.keys().map(|key| {
            let sealed = database
                .get(key)?
                .filter(|bytes| self.state.cipher().open(key, bytes).is_some());
            let detail = || format!("record {key} is damaged; restart to heal it from the export before");
            let sealed = sealed.ok_or_else(|| StoreFault::Database {
                what: "exporting",
                detail: detail(),
            })?;
            Ok((key.clone(), sealed))
        });
        let dir = self.dir.join("export");
        self.other_bytes += export::write(&dir, self.key_id, self.mark.commit, self.state.sum(), records)?;
        self.log_since_export = 0;
        self.trim_log()
    }

    /// Writes every record in clear, one JSON line each, durable when it returns: for a data subject, or for moving
    /// away. The one place where anything leaves the store unsealed; the values are written as they were put.
    ///
    /// # Errors
    /// When a record does not open or the file cannot be written.
    pub fn export_in_clear(&self, file: &Path) -> Result<u64, StoreFault> {
        let mut text = String::new();
        for entry in self.records() {
            let (key, value) = entry?;
            let line = match String::from_utf8(value) {
                Ok(value) => serde_json::json!({ "key": key, "value": value }),
                Err(raw) => serde_json::json!({ "key": key, "hex": HEXLOWER.encode(raw.as_bytes()) }),
            };
            text.push_str(&line.to_string());
            text.push('\n');
        }
        files::replace(file, text.as_bytes())
    }

    /// Leaves nothing of removed records in logs and exports: a checkpoint, two fresh exports, and the log from there.
    /// (What the database file itself has freed stays there sealed until it is written over.)
    ///
    /// # Errors
    /// When the disk is full or broken; call it again then.
    pub fn forget_history(&mut self, now: Moment) -> Result<(), StoreFault> {
        for _ in 0..2 {
            self.checkpoint(now)?;
            self.export()?;
        }
        self.log.rewind(self.log.tail())?;
        self.log.begin_anew()?;
        self.checkpoint(now)?;
        self.checkpoint(now)
    }

    /// Ends in order: checkpoint and export, so that the next start has nothing to read on.
    ///
    /// # Errors
    /// When the disk is full or broken; everything committed is durable all the same.
    pub fn close(mut self, now: Moment) -> Result<(), StoreFault> {
        self.checkpoint(now)?;
        if self.log_since_export > 0 {
            self.export()
        } else {
            Ok(())
        }
    }

    /// Returns the record under a key.
    ///
    /// # Errors
    /// When the database cannot be read or the record does not open.
    pub fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StoreFault> {
        self.state.get(key)
    }

    /// Returns all records in order of their keys.
    pub fn records(&self) -> impl Iterator<Item = Result<(String, Vec<u8>), StoreFault>> + '_ {
        self.state
            .keys()
            .filter_map(|key| self.state.get(key).transpose().map(|value| Ok((key.clone(), value?))))
    }

    /// The outbox.
    pub fn outbox(&mut self) -> &mut Outbox {
        &mut self.outbox
    }

    /// The outbox, to look at.
    pub fn outbox_ref(&self) -> &Outbox {
        &self.outbox
    }

    /// Returns the decisions for a room (or for all) from one moment to another, newest first, at most `limit`.
    ///
    /// # Errors
    /// When the disk cannot be read; damaged notes are skipped and in [`Store::take_alarms`].
    pub fn why(
        &mut self,
        room: Option<&RoomId>,
        from: Moment,
        to: Moment,
        limit: usize,
    ) -> Result<Vec<Note>, StoreFault> {
        self.journal.scan(room, from, to, None, limit)
    }

    /// The same of one rule only.
    ///
    /// # Errors
    /// When the disk cannot be read; damaged notes are skipped and in [`Store::take_alarms`].
    pub fn why_by_rule(
        &mut self,
        room: Option<&RoomId>,
        from: Moment,
        to: Moment,
        rule: &str,
        limit: usize,
    ) -> Result<Vec<Note>, StoreFault> {
        self.journal.scan(room, from, to, Some(rule), limit)
    }

    /// The damages met while reading since the last call.
    pub fn take_alarms(&mut self) -> Vec<Alarm> {
        let mut alarms = self.outbox.take_alarms();
        alarms.extend(self.journal.take_alarms());
        alarms
    }

    /// The bytes written since the start: log, and everything else.
    pub fn bytes_written(&self) -> (u64, u64) {
        (self.log.bytes_written, self.other_bytes)
    }

    /// The bytes of the state database on disk.
    pub fn state_bytes(&self) -> u64 {
        self.state.bytes()
    }

    /// Writes one frame and waits for the disk. Gives the reserve up for what is urgent.
    fn write(&mut self, frame: &[u8], urgent: bool) -> Result<(u64, bool), StoreFault> {
        match self.write_once(frame) {
            Err(fault) if fault.is_disk_full() && urgent && self.ballast.give_up() => {
                tracing::error!("disk full: the reserve is given up for requests and emergencies");
                self.write_once(frame).map(|bytes| (bytes, true))
            }
            written => written.map(|bytes| (bytes, false)),
        }
    }

    fn write_once(&mut self, frame: &[u8]) -> Result<u64, StoreFault> {
        let (before, written) = (self.log.tail(), self.log.bytes_written);
        if let Err(fault) = self.log.append(0, 0, frame).and_then(|_| self.log.sync()) {
            // What a failed wait left in the file is not trusted: the next frame goes to a new one.
            let _ = self.log.rewind(before);
            return Err(fault);
        }
        Ok(self.log.bytes_written - written)
    }

    fn checkpoint_if_overdue(&mut self) {
        if self.log_since_mark < self.checkpoint_at {
            return;
        }
        let at = self.checkpointed;
        if let Err(fault) = self.checkpoint(at) {
            tracing::error!(%fault, "checkpoint failed; the log goes on growing and it is tried again");
            self.checkpoint_at = self.log_since_mark + CHECKPOINT_BYTES;
        }
    }

    fn settle(&mut self) -> Result<(), StoreFault> {
        let commit = self.log.tail().ordinal - 1;
        self.other_bytes += self.outbox.settle()? + self.journal.settle()? + self.state.settle(commit)?;
        let mark = Mark {
            format: 0,
            key_id: self.key_id,
            generation: self.mark.generation + 1,
            commit,
            log: self.log.tail(),
            sum: self.state.sum(),
            outbox: self.outbox.mark(),
            journal: self.journal.tail(),
        };
        self.other_bytes += mark::save(&self.dir, &mark)?;
        self.mark_before = self.mark.commit;
        self.mark = mark;
        self.log_since_mark = 0;
        self.checkpoint_at = CHECKPOINT_BYTES_MAX;
        let acks = self.outbox.acks().len();
        self.outbox.acks_written(acks);
        self.outbox.marked()?;
        self.journal.marked()?;
        self.trim_log()
    }

    /// Deletes the log before the older export and the older mark.
    fn trim_log(&mut self) -> Result<(), StoreFault> {
        let [first, second] = export::commits(&self.dir.join("export"));
        let needed = first.min(second).min(self.mark_before) + 1;
        let numbers: Vec<u32> = self.log.segments().map(|(n, _)| n).collect();
        let holds = numbers
            .into_iter()
            .rev()
            .find(|&n| self.log.start_of(n).ordinal <= needed);
        holds.map_or(Ok(()), |segment| self.log.drop_before(segment))
    }
}

fn lock(dir: &Path) -> Result<File, StoreFault> {
    let path = dir.join("lock");
    let open = fs::OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path);
    let file = open.map_err(|e| StoreFault::io("opening", &path, e))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(fs::TryLockError::WouldBlock) => Err(StoreFault::Locked { dir: dir.to_owned() }),
        Err(fs::TryLockError::Error(e)) => Err(StoreFault::io("locking", &path, e)),
    }
}

/// Refuses a key that sealed nothing here, before anything is changed.
fn check_key(dir: &Path, keys: &Keys, mark: Option<&Mark>, log: &mut Spool) -> Result<(), StoreFault> {
    let found = match mark {
        Some(mark) => vec![mark.key_id],
        None => {
            let mut found = log.key_ids();
            found.extend(export::key_ids(&dir.join("export")));
            found
        }
    };
    if found.is_empty() || found.contains(&keys.id()) {
        return Ok(());
    }
    Err(StoreFault::WrongKey { dir: dir.to_owned() })
}

/// Sees to it that there is room to start: the database cannot be opened on a full disk.
fn make_room(dir: &Path, ballast: &Ballast) -> Result<(), StoreFault> {
    let probe = dir.join("probe");
    let tried = files::replace(&probe, &[0x5a; 64 << 10]).or_else(|fault| {
        if fault.is_disk_full() && ballast.give_up() {
            files::replace(&probe, &[0x5a; 64 << 10])
        } else {
            Err(fault)
        }
    });
    files::remove(&probe)?;
    files::remove(&probe.with_extension("new"))?;
    tried.map(drop)
}

/// Whether the log ends before the place up to which it was durable.
fn is_short(log: &Spool, mark: &Mark) -> bool {
    let at = mark.log;
    at.offset > 0
        && !log
            .segments()
            .any(|(n, bytes)| n > at.segment || (n == at.segment && bytes >= at.offset))
}

/// The bytes of log behind a position.
fn bytes_since(log: &Spool, from: spool::Position) -> u64 {
    let bytes: u64 = log
        .segments()
        .filter(|(n, _)| *n >= from.segment)
        .map(|(_, bytes)| u64::from(bytes))
        .sum();
    bytes.saturating_sub(u64::from(from.offset))
}

fn replay(tail: &Tail, outbox: &mut Outbox, journal: &mut Journal) -> Result<(), StoreFault> {
    for commit in &tail.commits {
        for (arrival, sequence, entry) in &commit.entries {
            outbox.replay(*arrival, *sequence, entry.clone());
        }
        commit.acks.iter().for_each(|ack| outbox.replay_ack(ack));
        journal.take(commit.notes.clone());
    }
    Ok(())
}

fn changes_of(batch: &Batch) -> Result<Changes, StoreFault> {
    let mut changes = Changes::new();
    for key in &batch.removes {
        state::check(key, None)?;
        changes.insert(key.clone(), None);
    }
    for (key, value) in &batch.puts {
        state::check(key, Some(value))?;
        changes.insert(key.clone(), Some(value.clone()));
    }
    Ok(changes)
}

fn check_notes(notes: &[Note]) -> Result<(), StoreFault> {
    match notes.iter().find(|note| note.json.len() > NOTE_BYTES_MAX) {
        Some(note) => Err(StoreFault::TooLarge {
            what: "note of",
            name: note.at.to_string(),
            bytes: note.json.len(),
            max: NOTE_BYTES_MAX,
        }),
        None => Ok(()),
    }
}
