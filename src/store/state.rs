//! What is kept by key, whole: rooms, guests, whatever must be found again by its name?
//!
//! [`StateStore`] is what a database has to do here; it is small, so that another one is one file away. [`State`] puts
//! on top what no database is trusted with: records are sealed and bound to their key, the changes since the last
//! checkpoint are held in memory (the log has them too), and a running sum over all records tells at the next start
//! whether any is missing, stale or surplus.

use super::codec::{Reader, Writer};
use super::fault::StoreFault;
use super::mark::Sum;
use super::seal::{Keys, Purpose, Sealer};
use ring::hmac;
use std::collections::BTreeMap;

/// Changes to be applied at one stroke: new values, or `None` for a record that goes.
pub type Changes = BTreeMap<String, Option<Vec<u8>>>;

/// A database of sealed values by key.
pub trait StateStore {
    /// Returns the commit that the content stands for, zero when new.
    ///
    /// # Errors
    /// When the database cannot be read.
    fn applied(&self) -> Result<u64, StoreFault>;

    /// Returns the value under a key.
    ///
    /// # Errors
    /// When the database cannot be read.
    fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StoreFault>;

    /// Hands each key and value on, in order of keys.
    ///
    /// # Errors
    /// When the database cannot be read to the end.
    fn scan(&self, each: &mut dyn FnMut(&[u8], &[u8])) -> Result<(), StoreFault>;

    /// Applies all changes or none, together with the number of the commit they lead to; durable when it returns.
    ///
    /// # Errors
    /// When they could not be made durable; the content is then as before or as asked, nothing between.
    fn apply(&mut self, commit: u64, changes: &Changes) -> Result<(), StoreFault>;

    /// Returns the bytes on disk.
    fn bytes(&self) -> u64;
}

/// The longest key.
pub const KEY_BYTES_MAX: usize = 200;
/// The longest value: the database keeps values below 64 KiB inline, and a room whole takes 2 KiB.
pub const VALUE_BYTES_MAX: usize = 60 << 10;

const RECORD_VERSION: u8 = 1;

/// A record as it was put.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Record {
    /// The commit that put it.
    pub(crate) commit: u64,
    pub(crate) value: Vec<u8>,
}

/// The records of the property.
pub(crate) struct State {
    database: Box<dyn StateStore + Send>,
    cipher: Cipher,
    /// The hash of every record by its key.
    directory: BTreeMap<String, u64>,
    sum: Sum,
    /// Put since the last checkpoint, in clear; `None` when removed.
    fresh: BTreeMap<String, Option<Record>>,
}

/// What changes lead to: the sum over all records, and the hash of each that is put.
#[derive(Debug)]
pub(crate) struct After {
    pub(crate) sum: Sum,
    hashes: Vec<(String, u64)>,
}

/// Seals, opens and sums up records.
pub(crate) struct Cipher {
    sealer: Sealer,
    sums: hmac::Key,
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "State({} records, {} fresh)", self.sum.records, self.fresh.len())
    }
}

impl Cipher {
    pub(crate) fn new(keys: &Keys) -> Self {
        Self {
            sealer: keys.sealer(Purpose::State),
            sums: keys.sums(),
        }
    }

    /// Seals a record: version, checksum, commit, sealed value.
    pub(crate) fn seal(&self, key: &str, record: &Record) -> Result<Vec<u8>, StoreFault> {
        let sealed = self.sealer.seal(&place(key, record.commit), &record.value)?;
        let mut body = Writer(Vec::with_capacity(sealed.len() + 13));
        body.u64(record.commit).0.extend_from_slice(&sealed);
        let mut whole = Writer(Vec::with_capacity(body.0.len() + 5));
        whole
            .u8(RECORD_VERSION)
            .u32(crc32fast::hash(&body.0))
            .0
            .extend_from_slice(&body.0);
        Ok(whole.0)
    }

    /// Opens a record; `None` when anything about it is not as it was sealed.
    pub(crate) fn open(&self, key: &str, bytes: &[u8]) -> Option<Record> {
        let mut r = Reader(bytes);
        let (version, crc) = (r.u8()?, r.u32()?);
        if version != RECORD_VERSION || crc != crc32fast::hash(r.0) {
            return None;
        }
        let commit = r.u64()?;
        let value = self.sealer.open(&place(key, commit), r.0)?;
        Some(Record { commit, value })
    }

    /// The keyed hash of a record.
    pub(crate) fn hash(&self, key: &str, record: &Record) -> u64 {
        self.hash_of(key, record.commit, &record.value)
    }

    fn hash_of(&self, key: &str, commit: u64, value: &[u8]) -> u64 {
        let mut context = hmac::Context::with_key(&self.sums);
        context.update(&place(key, commit));
        context.update(value);
        let tag = context.sign();
        tag.as_ref()
            .iter()
            .take(8)
            .fold(0, |word, &byte| word << 8 | u64::from(byte))
    }

    /// Sums up records.
    pub(crate) fn sum<'a>(&self, records: impl Iterator<Item = (&'a String, &'a Record)>) -> Sum {
        records.fold(Sum::default(), |sum, (key, record)| sum.with(self.hash(key, record)))
    }
}

impl Sum {
    fn with(self, hash: u64) -> Self {
        Self {
            records: self.records + 1,
            hash: self.hash.wrapping_add(hash),
        }
    }

    fn without(self, hash: u64) -> Self {
        Self {
            records: self.records - 1,
            hash: self.hash.wrapping_sub(hash),
        }
    }
}

impl State {
    /// Takes a database whose content has been verified: the hash of each record is given.
    pub(crate) fn new(database: Box<dyn StateStore + Send>, cipher: Cipher, directory: BTreeMap<String, u64>) -> Self {
        let sum = directory.values().fold(Sum::default(), |sum, &hash| sum.with(hash));
        Self {
            database,
            cipher,
            directory,
            sum,
            fresh: BTreeMap::new(),
        }
    }

    pub(crate) fn sum(&self) -> Sum {
        self.sum
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = &String> {
        self.directory.keys()
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.database.bytes()
    }

    pub(crate) fn database(&self) -> &dyn StateStore {
        &*self.database
    }

    pub(crate) fn cipher(&self) -> &Cipher {
        &self.cipher
    }

    /// Returns a value.
    pub(crate) fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StoreFault> {
        if let Some(fresh) = self.fresh.get(key) {
            return Ok(fresh.as_ref().map(|record| record.value.clone()));
        }
        if !self.directory.contains_key(key) {
            return Ok(None);
        }
        let sealed = self.database.get(key)?;
        let record = sealed.and_then(|bytes| self.cipher.open(key, &bytes));
        let damaged = || StoreFault::Database {
            what: "reading a record",
            detail: format!("record {key} is damaged"),
        };
        record.ok_or_else(damaged).map(|record| Some(record.value))
    }

    /// What these changes will lead to.
    pub(crate) fn after(&self, commit: u64, changes: &Changes) -> After {
        let mut after = After {
            sum: self.sum,
            hashes: Vec::with_capacity(changes.len()),
        };
        for (key, value) in changes {
            if let Some(&hash) = self.directory.get(key) {
                after.sum = after.sum.without(hash);
            }
            if let Some(value) = value {
                let hash = self.cipher.hash_of(key, commit, value);
                after.sum = after.sum.with(hash);
                after.hashes.push((key.clone(), hash));
            }
        }
        after
    }

    /// Takes changes that are durable in the log, and what they lead to.
    pub(crate) fn take(&mut self, commit: u64, changes: Changes, after: After) {
        self.sum = after.sum;
        for (key, value) in changes {
            if value.is_none() {
                self.directory.remove(&key);
            }
            self.fresh.insert(key, value.map(|value| Record { commit, value }));
        }
        self.directory.extend(after.hashes);
    }

    /// Takes a commit as the log has it.
    pub(crate) fn replay(&mut self, commit: u64, changes: Changes) {
        let after = self.after(commit, &changes);
        self.take(commit, changes, after);
    }

    /// Puts a healed record back with the commit it had, or removes a surplus one.
    pub(crate) fn heal(&mut self, key: &str, record: Option<Record>) {
        if let Some(hash) = self.directory.remove(key) {
            self.sum = self.sum.without(hash);
        }
        if let Some(record) = &record {
            let hash = self.cipher.hash(key, record);
            self.sum = self.sum.with(hash);
            self.directory.insert(key.to_owned(), hash);
        }
        self.fresh.insert(key.to_owned(), record);
    }

    /// Brings everything fresh into the database, durable when it returns. Returns the bytes handed over.
    pub(crate) fn settle(&mut self, commit: u64) -> Result<u64, StoreFault> {
        let mut changes = Changes::new();
        for (key, record) in &self.fresh {
            let sealed = record
                .as_ref()
                .map(|record| self.cipher.seal(key, record))
                .transpose()?;
            changes.insert(key.clone(), sealed);
        }
        self.database.apply(commit, &changes)?;
        self.fresh.clear();
        Ok(changes.values().flatten().map(|value| value.len() as u64).sum())
    }
}

fn place(key: &str, commit: u64) -> Vec<u8> {
    let mut place = Writer(Vec::with_capacity(key.len() + 13));
    place.u8(RECORD_VERSION).text(key).u64(commit);
    place.0
}

/// Checks a key before it is taken.
pub(crate) fn check(key: &str, value: Option<&[u8]>) -> Result<(), StoreFault> {
    check_name("key", key, KEY_BYTES_MAX)?;
    match value.map(<[u8]>::len) {
        Some(bytes) if bytes > VALUE_BYTES_MAX => Err(StoreFault::TooLarge {
            what: "value of",
            name: key.into(),
            bytes,
            max: VALUE_BYTES_MAX,
        }),
        _ => Ok(()),
    }
}

/// Checks any name before it is taken.
pub(crate) fn check_name(what: &'static str, text: &str, max: usize) -> Result<(), StoreFault> {
    if (1..=max).contains(&text.len()) && !text.chars().any(char::is_control) {
        return Ok(());
    }
    Err(StoreFault::BadName {
        what,
        text: text.chars().take(40).collect(),
        max,
    })
}
