//! How is sled used so that what it holds is really there, and what it lost is noticed?
//!
//! Measured on sled 0.34.7: `flush` calls `sync_file_range`, which neither covers a file's growth nor the disk's cache,
//! so a power cut takes up to half a second of flushed batches; a second handle of its one file and `fdatasync` bring
//! losses to none. Damage makes it panic, or forget silently: so every call is guarded, and what is in it is compared
//! with the mark at every start. It is given one batch a checkpoint, never a burst, since bursts grow its memory.

use super::fault::StoreFault;
use super::files;
use super::state::{Changes, StateStore};
use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

/// How often a lock that is about to be let go is waited for, and how long each time: a second in all.
const LOCK_TRIES: u32 = 50;
const LOCK_PAUSE: std::time::Duration = std::time::Duration::from_millis(20);
/// sled's page cache. Values are read once, at start; 300 rooms take less than 1 MiB.
const CACHE_BYTES: u64 = 1 << 20;
/// sled frees what it is done with, write buffers above all, only while it is used: once in 128 calls, and some of it at a
/// time. So many reads of one small key after a batch, a tenth of a millisecond, leave nothing for the half-hour until the next.
const READS_TO_TIDY: u32 = 1024;
/// sled keeps a few segments as write buffers; its default is half a mebibyte each. 21 of the 24 MiB that an open database
/// took at first were 40 histograms that sled fills with zeros and never uses; `miri_optimizations` in Cargo.toml leaves
/// their pages untouched: 3.3 MiB resident after open, 6 MiB with 300 records written ten times over.
const SEGMENT_BYTES: usize = 128 << 10;

const RECORD: u8 = b'r';
const APPLIED: &[u8] = b"m/applied";

/// State kept by sled.
#[derive(Debug)]
pub struct SledState {
    database: sled::Db,
    /// A handle of sled's file of our own, to make it durable.
    file: File,
    dir: PathBuf,
}

impl SledState {
    /// Opens or makes the database in a directory.
    ///
    /// # Errors
    /// When sled says so or panics: the directory is then to be moved aside.
    pub fn open(dir: &Path) -> Result<Self, StoreFault> {
        files::make_dir(dir)?;
        move_strays(dir)?;
        let new = !dir.join("db").exists();
        let config = sled::Config::new()
            .path(dir)
            .cache_capacity(CACHE_BYTES)
            .segment_size(SEGMENT_BYTES)
            .mode(sled::Mode::LowSpace)
            .use_compression(false)
            .flush_every_ms(None)
            .print_profile_on_drop(false);
        let database = open_when_free(&config)?;
        let path = dir.join("db");
        let file = File::open(&path).map_err(|e| StoreFault::io("opening", &path, e))?;
        let state = Self {
            database,
            file,
            dir: dir.to_owned(),
        };
        if new {
            guarded("making it", || state.database.flush())?;
            state
                .file
                .sync_all()
                .map_err(|e| StoreFault::io("making durable", &path, e))?;
            files::sync_dir(dir)?;
            dir.parent().map_or(Ok(()), files::sync_dir)?;
        }
        Ok(state)
    }
}

impl StateStore for SledState {
    fn applied(&self) -> Result<u64, StoreFault> {
        let found = guarded("reading", || self.database.get(APPLIED))?;
        Ok(found
            .and_then(|bytes| bytes.as_ref().try_into().ok())
            .map_or(0, u64::from_le_bytes))
    }

    fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StoreFault> {
        guarded("reading", || self.database.get(inner(key))).map(|found| found.map(|bytes| bytes.to_vec()))
    }

    fn scan(&self, each: &mut dyn FnMut(&[u8], &[u8])) -> Result<(), StoreFault> {
        guarded("reading all", || {
            for entry in self.database.scan_prefix([RECORD]) {
                let (key, value) = entry?;
                each(&key[1..], &value);
            }
            Ok(())
        })
    }

    fn apply(&mut self, commit: u64, changes: &Changes) -> Result<(), StoreFault> {
        let mut batch = sled::Batch::default();
        for (key, value) in changes {
            match value {
                Some(value) => batch.insert(inner(key), value.as_slice()),
                None => batch.remove(inner(key)),
            }
        }
        batch.insert(APPLIED, &commit.to_le_bytes());
        guarded("writing", || {
            self.database.apply_batch(batch)?;
            self.database.flush()?;
            (0..READS_TO_TIDY).try_for_each(|_| self.database.contains_key(APPLIED).map(drop))
        })?;
        self.file
            .sync_data()
            .map_err(|e| StoreFault::io("making durable", &self.dir, e))
    }

    fn bytes(&self) -> u64 {
        self.file.metadata().map_or(0, |meta| meta.len())
    }
}

/// An interrupted snapshot of sled's keeps it from opening; sled makes a new one.
/// sled lets go of its lock a moment after the last handle is dropped, from a thread of its own. (Another process is kept out
/// by a lock of ours, before this.)
fn open_when_free(config: &sled::Config) -> Result<sled::Db, StoreFault> {
    for _ in 0..LOCK_TRIES {
        match guarded("opening it", || config.open()) {
            Err(StoreFault::Database { detail, .. }) if detail.contains("could not acquire lock") => {
                std::thread::sleep(LOCK_PAUSE);
            }
            opened => return opened,
        }
    }
    guarded("opening it", || config.open())
}

fn move_strays(dir: &Path) -> Result<(), StoreFault> {
    for entry in std::fs::read_dir(dir)
        .map_err(|e| StoreFault::io("listing", dir, e))?
        .flatten()
    {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with("snap.") && name.ends_with(".generating") {
            let aside = dir.join(format!("stray-{name}"));
            std::fs::rename(entry.path(), &aside).map_err(|e| StoreFault::io("moving aside", &aside, e))?;
        }
    }
    Ok(())
}

fn inner(key: &str) -> Vec<u8> {
    let mut inner = Vec::with_capacity(key.len() + 1);
    inner.push(RECORD);
    inner.extend_from_slice(key.as_bytes());
    inner
}

/// Calls sled; a panic of its is a fault like any other.
fn guarded<T>(what: &'static str, call: impl FnOnce() -> sled::Result<T>) -> Result<T, StoreFault> {
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(sled::Error::Io(e))) if e.kind() == std::io::ErrorKind::StorageFull => Err(StoreFault::DiskFull {
            what,
            path: "state database".into(),
        }),
        Ok(Err(e)) => Err(StoreFault::Database {
            what,
            detail: e.to_string(),
        }),
        Err(panic) => {
            let said = panic.downcast_ref::<String>().cloned();
            let said = said.or_else(|| panic.downcast_ref::<&str>().map(|s| (*s).to_owned()));
            let detail = format!("it panicked: {}", said.unwrap_or_else(|| "without a word".into()));
            Err(StoreFault::Database { what, detail })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::memory::MemoryState;
    use super::*;
    use std::collections::BTreeMap;

    /// What every database of state must do. `reopen` closes it and opens it again.
    fn conforms<S: StateStore>(mut store: S, mut reopen: impl FnMut(S) -> S) {
        assert_eq!(store.applied().unwrap(), 0);
        assert_eq!(store.get("room/1").unwrap(), None);
        let mut model = BTreeMap::new();
        for round in 1..=40_u64 {
            let mut changes = Changes::new();
            for n in 0..5 {
                let key = format!("room/{}", (round * 7 + n * 3) % 23);
                let value = (round * n % 4 != 3).then(|| vec![round as u8; (round * 50 + n) as usize]);
                changes.insert(key, value);
            }
            store.apply(round, &changes).unwrap();
            for (key, value) in changes {
                match value {
                    Some(value) => model.insert(key, value),
                    None => model.remove(&key),
                };
            }
            if round % 10 == 0 {
                store = reopen(store);
            }
            let mut found = BTreeMap::new();
            store
                .scan(&mut |k, v| drop(found.insert(String::from_utf8(k.to_vec()).unwrap(), v.to_vec())))
                .unwrap();
            assert_eq!(found, model);
            assert_eq!(store.applied().unwrap(), round);
            assert_eq!(store.get("room/4").unwrap().as_ref(), model.get("room/4"));
        }
    }

    #[test]
    fn memory_does_what_a_database_of_state_must() {
        conforms(MemoryState::default(), |store| store);
    }

    #[test]
    fn sled_does_what_a_database_of_state_must() {
        let dir = tempfile::tempdir().unwrap();
        conforms(SledState::open(dir.path()).unwrap(), |store| {
            drop(store);
            SledState::open(dir.path()).unwrap()
        });
    }

    #[test]
    fn an_interrupted_snapshot_is_moved_aside() {
        let dir = tempfile::tempdir().unwrap();
        drop(SledState::open(dir.path()).unwrap());
        std::fs::write(dir.path().join("snap.00000000000000AA.generating"), b"half").unwrap();
        drop(SledState::open(dir.path()).unwrap());
        assert!(dir.path().join("stray-snap.00000000000000AA.generating").exists());
    }
}
