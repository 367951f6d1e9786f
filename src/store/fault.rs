//! What can go wrong with what is kept, and what does the engineer read about it?
//!
//! A [`StoreFault`] ends the call that met it and has changed nothing durable. An [`Alarm`] is damage that was found and
//! survived: it is handed to the caller by name, so that nothing is ever lost silently.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// Why a call to the store did not do what was asked. Everything committed before is still there.
#[derive(Debug, thiserror::Error)]
pub enum StoreFault {
    /// The disk is full, even after the reserve was given up.
    #[error("{}: no space left while {what}; free some space on this disk, the store goes on by itself then", path.display())]
    DiskFull {
        /// What was being done.
        what: &'static str,
        /// The file or directory concerned.
        path: PathBuf,
    },
    /// The operating system refused.
    #[error("{}: {what}: {source}", path.display())]
    Io {
        /// What was being done.
        what: &'static str,
        /// The file or directory concerned.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// Another process has this store open.
    #[error(
        "{}: another innkeeper has this store open; stop it first, or ask it over its socket instead of opening its files",
        dir.display()
    )]
    Locked {
        /// The directory of the store.
        dir: PathBuf,
    },
    /// The store was sealed with another key.
    #[error("{}: this store was sealed with another key; give the key it was made with (nothing was changed)", dir.display())]
    WrongKey {
        /// The directory of the store.
        dir: PathBuf,
    },
    /// A newer version of the program wrote this store.
    #[error("{}: written in format {found}, this version reads up to {known}; install the newer version again", path.display())]
    Newer {
        /// The file concerned.
        path: PathBuf,
        /// The format found.
        found: u32,
        /// The newest format known here.
        known: u32,
    },
    /// A value, body or batch is larger than is allowed.
    #[error("{what} {name:?} has {bytes} bytes; at most {max} are kept")]
    TooLarge {
        /// The kind of thing.
        what: &'static str,
        /// Its key or id.
        name: String,
        /// Its size.
        bytes: usize,
        /// The limit.
        max: usize,
    },
    /// A key, stream or id is empty, too long or holds a control character.
    #[error("{text:?} cannot be a {what}: write 1 to {max} printable characters")]
    BadName {
        /// The kind of name.
        what: &'static str,
        /// The offending text, shortened.
        text: String,
        /// The longest that is allowed.
        max: usize,
    },
    /// A stream has one class for ever, since its order is kept by that class's queue.
    #[error("stream {stream:?} is of class {is}, an entry came with class {wanted}; a stream keeps its class")]
    ClassOfStream {
        /// The stream.
        stream: String,
        /// Its class.
        is: u8,
        /// The class asked for.
        wanted: u8,
    },
    /// The state database refused or broke.
    #[error("the state database failed while {what}: {detail}; restart to have it examined and healed")]
    Database {
        /// What was being done.
        what: &'static str,
        /// What it said.
        detail: String,
    },
    /// The random source of the operating system failed, so nothing can be sealed.
    #[error("the operating system gave no random bytes to seal with")]
    NoRandom,
}

impl StoreFault {
    /// Wraps what the operating system says, telling a full disk from the rest.
    pub(crate) fn io(what: &'static str, path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull { what, path },
            _ => Self::Io { what, path, source },
        }
    }

    /// Returns true when more space on the disk would help.
    pub fn is_disk_full(&self) -> bool {
        matches!(self, Self::DiskFull { .. })
    }
}

/// Damage that was found. What could be healed was; what could not is named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Alarm {
    /// The state database as a whole could not be read; its directory was moved aside and a new one made.
    DatabaseReplaced {
        /// Where the damaged directory is now.
        quarantine: PathBuf,
        /// What was wrong with it.
        cause: String,
    },
    /// The state database opened, but holds less or other than was made durable in it.
    DatabaseLoss {
        /// The commit it says it holds.
        found: u64,
        /// The commit it must hold at least.
        expected: u64,
    },
    /// One record of the state did not open.
    RecordDamaged {
        /// Its key.
        key: String,
        /// True when it was put back from the export and the log.
        healed: bool,
    },
    /// After all healing the state is not what was committed.
    StateLost {
        /// How many records there should be.
        expected: u64,
        /// How many there are.
        found: u64,
    },
    /// A commit in the log did not open.
    LogDamaged {
        /// How many commits are concerned.
        commits: u64,
        /// True when nothing in them was needed any more.
        healed: bool,
    },
    /// The mark, which says how far everything has come, did not open; the other copy or a full search was used.
    MarkDamaged {
        /// The file.
        file: PathBuf,
    },
    /// Entries of a queue did not open; they are counted in the ledger.
    QueueDamaged {
        /// Which queue.
        queue: String,
        /// How many entries are lost.
        entries: u64,
    },
    /// An export did not verify; the older one was used.
    ExportDamaged {
        /// The file.
        file: PathBuf,
        /// The line, from 1.
        line: usize,
    },
}

impl Alarm {
    /// Returns true when the damage cost nothing that was committed.
    pub fn healed(&self) -> bool {
        match self {
            Self::RecordDamaged { healed, .. } | Self::LogDamaged { healed, .. } => *healed,
            Self::StateLost { .. } | Self::QueueDamaged { .. } => false,
            _ => true,
        }
    }
}

impl fmt::Display for Alarm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let outcome = |healed: bool| if healed { "healed" } else { "lost" };
        match self {
            Self::DatabaseReplaced { quarantine, cause } => {
                write!(
                    f,
                    "state database unreadable ({cause}); moved to {}",
                    quarantine.display()
                )
            }
            Self::DatabaseLoss { found, expected } => {
                write!(
                    f,
                    "state database differs from what it was given (says commit {found}, owes {expected})"
                )
            }
            Self::RecordDamaged { key, healed } => write!(f, "record {key} damaged; {}", outcome(*healed)),
            Self::StateLost { expected, found } => {
                write!(
                    f,
                    "state incomplete after healing: {found} records, {expected} were committed"
                )
            }
            Self::LogDamaged { commits, healed } => {
                write!(f, "{commits} commits in the log damaged; {}", outcome(*healed))
            }
            Self::MarkDamaged { file } => write!(f, "{} damaged; the other copy was used", file.display()),
            Self::QueueDamaged { queue, entries } => write!(f, "{entries} entries of {queue} damaged and lost"),
            Self::ExportDamaged { file, line } => write!(f, "{}:{line}: export damaged", file.display()),
        }
    }
}
