//! How far has everything come?
//!
//! The mark is a small file outside the database and the queues. It says up to which commit they are durable, where
//! each spool begins and ends, how many records the state has and what they sum up to. It is written last, after all it
//! speaks of is durable: so a kill at any point leaves it behind the truth (the log then leads on from it) and never
//! ahead, and whatever falls short of it has been lost, however silently.
//!
//! Two copies take turns. A damaged copy is reported and the other one used; the log reaches back to it.

use super::fault::{Alarm, StoreFault};
use super::files;
use super::outbox::OutboxMark;
use super::spool::Position;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// The format written.
const FORMAT: u32 = 1;

/// The mark.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct Mark {
    pub(crate) format: u32,
    pub(crate) key_id: u64,
    /// Counts the marks; its parity says which copy this is.
    pub(crate) generation: u64,
    /// The last commit that is wholly in its places.
    pub(crate) commit: u64,
    /// Where the log goes on from there.
    pub(crate) log: Position,
    pub(crate) sum: Sum,
    pub(crate) outbox: OutboxMark,
    pub(crate) journal: Position,
}

/// How many records there are, and the sum of their keyed hashes: missing, stale and surplus ones change it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Sum {
    pub(crate) records: u64,
    pub(crate) hash: u64,
}

/// What was found of the marks.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) mark: Option<Mark>,
    pub(crate) alarms: Vec<Alarm>,
}

/// Reads the newest mark that is whole.
pub(crate) fn load(dir: &Path) -> Result<Found, StoreFault> {
    let mut found = Found {
        mark: None,
        alarms: Vec::new(),
    };
    for generation in 0..2 {
        let path = path(dir, generation);
        let Some(bytes) = files::read(&path)? else { continue };
        match decode(&bytes) {
            Some(mark) if mark.format > FORMAT => {
                return Err(StoreFault::Newer {
                    path,
                    found: mark.format,
                    known: FORMAT,
                });
            }
            Some(mark) => {
                if found.mark.as_ref().is_none_or(|m| m.generation < mark.generation) {
                    found.mark = Some(mark);
                }
            }
            None => found.alarms.push(Alarm::MarkDamaged { file: path }),
        }
    }
    Ok(found)
}

/// Writes the mark, durable when it returns. Returns the bytes written.
pub(crate) fn save(dir: &Path, mark: &Mark) -> Result<u64, StoreFault> {
    let body = serde_json::to_vec(&Mark {
        format: FORMAT,
        ..mark.clone()
    })
    .expect("a mark has only text keys");
    let mut bytes = format!("{:08x}\n", crc32fast::hash(&body)).into_bytes();
    bytes.extend_from_slice(&body);
    files::replace(&path(dir, mark.generation), &bytes)
}

fn decode(bytes: &[u8]) -> Option<Mark> {
    let (crc, body) = bytes.split_at_checked(9)?;
    let crc = u32::from_str_radix(std::str::from_utf8(crc).ok()?.strip_suffix('\n')?, 16).ok()?;
    (crc == crc32fast::hash(body)).then(|| serde_json::from_slice(body).ok())?
}

fn path(dir: &Path, generation: u64) -> PathBuf {
    dir.join(format!("mark.{}", generation % 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_damaged_mark_gives_way_to_the_one_before_and_says_so() {
        let dir = tempfile::tempdir().unwrap();
        for generation in 1..=4 {
            save(
                dir.path(),
                &Mark {
                    generation,
                    commit: generation * 10,
                    ..Mark::default()
                },
            )
            .unwrap();
        }
        assert_eq!(load(dir.path()).unwrap().mark.unwrap().commit, 40);
        let newest = dir.path().join("mark.0");
        let whole = std::fs::read(&newest).unwrap();
        for at in 0..whole.len() {
            let mut bad = whole.clone();
            bad[at] ^= 4;
            std::fs::write(&newest, &bad).unwrap();
            let found = load(dir.path()).unwrap();
            assert_eq!(found.mark.unwrap().commit, 30, "byte {at}");
            assert_eq!(found.alarms.len(), 1, "byte {at}");
        }
    }
}
