//! How is a file made so that it is wholly there after a power cut, or not at all?

use super::fault::StoreFault;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

/// Makes a directory for the owner alone, and its name durable in the parent.
pub(crate) fn make_dir(path: &Path) -> Result<(), StoreFault> {
    if path.is_dir() {
        return Ok(());
    }
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(|e| StoreFault::io("making the directory", path, e))?;
    path.parent().map_or(Ok(()), sync_dir)
}

/// Makes the names in a directory durable.
pub(crate) fn sync_dir(path: &Path) -> Result<(), StoreFault> {
    let path = if path.as_os_str().is_empty() {
        Path::new(".")
    } else {
        path
    };
    File::open(path)
        .and_then(|d| d.sync_all())
        .map_err(|e| StoreFault::io("making the directory durable", path, e))
}

/// Opens a new file that only the owner can read.
pub(crate) fn create_private(path: &Path) -> std::io::Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)
}

/// Replaces a file at one stroke: written beside, made durable, renamed over. Returns the bytes written.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> Result<u64, StoreFault> {
    let beside = path.with_extension("new");
    let mut file = create_private(&beside).map_err(|e| StoreFault::io("creating", &beside, e))?;
    file.write_all(bytes)
        .and_then(|()| file.sync_all())
        .map_err(|e| StoreFault::io("writing", &beside, e))?;
    fs::rename(&beside, path).map_err(|e| StoreFault::io("renaming", path, e))?;
    path.parent().map_or(Ok(()), sync_dir)?;
    Ok(bytes.len() as u64)
}

/// Reads a whole file; `None` when there is none.
pub(crate) fn read(path: &Path) -> Result<Option<Vec<u8>>, StoreFault> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(StoreFault::io("reading", path, e)),
    }
}

/// Removes a file; that there is none is no fault.
pub(crate) fn remove(path: &Path) -> Result<(), StoreFault> {
    match fs::remove_file(path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(StoreFault::io("removing", path, e)),
        _ => Ok(()),
    }
}

/// Space set aside while there is plenty, to be given up for what must not be lost when there is none.
#[derive(Debug)]
pub(crate) struct Ballast {
    path: std::path::PathBuf,
    bytes: usize,
}

/// Enough for some 4,000 requests, small beside any gateway's disk.
pub(crate) const BALLAST_BYTES: usize = 4 << 20;

impl Ballast {
    pub(crate) fn in_dir(dir: &Path, bytes: usize) -> Self {
        Self {
            path: dir.join("ballast"),
            bytes,
        }
    }

    /// Sets the space aside again if it was given up; that there is none to set aside is no fault.
    pub(crate) fn restore(&self) -> bool {
        if fs::metadata(&self.path).is_ok_and(|m| m.len() == self.bytes as u64) || self.bytes == 0 {
            return true;
        }
        // Bytes that no file system can leave out or fold together.
        let filled: Vec<u8> = (0..self.bytes as u32)
            .map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8)
            .collect();
        let whole = replace(&self.path, &filled).is_ok();
        if !whole {
            self.give_up();
            let _ = fs::remove_file(self.path.with_extension("new"));
        }
        whole
    }

    /// Gives the space up; returns whether there was any.
    pub(crate) fn give_up(&self) -> bool {
        fs::remove_file(&self.path).is_ok()
    }
}
