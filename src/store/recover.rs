//! Is the state what was committed, and if not, what can be put back?
//!
//! The database is read whole and compared with what the mark and the log say it must sum up to. If it differs, the
//! last export and the log after it are the truth: where they reach without a gap they replace what differs; where they
//! do not, of each record the later one is taken. What is still missing then is named.

use super::database::SledState;
use super::export;
use super::fault::{Alarm, StoreFault};
use super::log::{self, Commit, Tail};
use super::mark::{Mark, Sum};
use super::spool::Spool;
use super::state::{Cipher, Record, State, StateStore};
use crate::model::Moment;
use data_encoding::HEXLOWER;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// The recovered state and what was found on the way.
#[derive(Debug)]
pub(crate) struct Recovered {
    pub(crate) state: State,
    pub(crate) alarms: Vec<Alarm>,
    /// True when the database differs from the state and a checkpoint must follow.
    pub(crate) healed: bool,
}

struct Content {
    applied: u64,
    good: BTreeMap<String, Record>,
    bad: BTreeSet<String>,
}

/// Opens the database and brings the state to the last commit of the log.
pub(crate) fn recover(
    dir: &Path,
    cipher: Cipher,
    mark: Option<&Mark>,
    tail: &Tail,
    log: &mut Spool,
    now: Moment,
) -> Result<Recovered, StoreFault> {
    let mut alarms = Vec::new();
    let (database, content) = open(dir, &cipher, now, &mut alarms)?;
    let sum = cipher.sum(content.good.iter());
    let owed = expected(mark, tail, content.applied);
    let hashes = content
        .good
        .iter()
        .map(|(key, record)| (key.clone(), cipher.hash(key, record)))
        .collect();
    let whole = alarms.is_empty() && content.bad.is_empty() && owed == Some(sum);
    let mut state = State::new(Box::new(database), cipher, hashes);
    if whole {
        let later = tail.commits.iter().filter(|commit| commit.number > content.applied);
        later.for_each(|commit| state.replay(commit.number, commit.changes.clone()));
    } else {
        let last_sum = tail
            .commits
            .last()
            .map(|commit| commit.sum)
            .or(mark.map(|mark| mark.sum));
        if owed != Some(sum) && content.bad.is_empty() && alarms.is_empty() {
            let expected = mark.map_or(0, |mark| mark.commit);
            alarms.push(Alarm::DatabaseLoss {
                found: content.applied,
                expected,
            });
        }
        heal(dir, &mut state, content, log, last_sum, &mut alarms)?;
    }
    let healed = !whole;
    if whole
        && let Some(last) = tail.commits.last()
        && last.sum != state.sum()
    {
        alarms.push(Alarm::StateLost {
            expected: last.sum.records,
            found: state.sum().records,
        });
    }
    Ok(Recovered { state, alarms, healed })
}

/// What the database must sum up to at the commit it says it holds.
fn expected(mark: Option<&Mark>, tail: &Tail, applied: u64) -> Option<Sum> {
    let of_mark = mark.filter(|mark| mark.commit == applied).map(|mark| mark.sum);
    let of_log = || {
        tail.commits
            .iter()
            .find(|commit| commit.number == applied)
            .map(|commit| commit.sum)
    };
    let of_nothing = || (applied == 0 && mark.is_none()).then(Sum::default);
    of_mark.or_else(of_log).or_else(of_nothing)
}

/// Opens and reads the database; one that cannot be read to its end is moved aside and a new one made.
fn open(dir: &Path, cipher: &Cipher, now: Moment, alarms: &mut Vec<Alarm>) -> Result<(SledState, Content), StoreFault> {
    let path = dir.join("state");
    let cause = match SledState::open(&path).and_then(|database| read(&database, cipher).map(|c| (database, c))) {
        Ok(opened) => return Ok(opened),
        Err(StoreFault::Database { detail, .. }) => detail,
        Err(StoreFault::Io { source, .. }) if source.kind() == std::io::ErrorKind::UnexpectedEof => source.to_string(),
        Err(fault) => return Err(fault),
    };
    let quarantine = (0..)
        .map(|n| dir.join(format!("quarantine-{}-{n}", now.millis())))
        .find(|path| !path.exists());
    let quarantine = quarantine.expect("among endless names one is free");
    std::fs::rename(&path, &quarantine).map_err(|e| StoreFault::io("moving aside", &path, e))?;
    tracing::error!(%cause, quarantine = %quarantine.display(), "state database unreadable, moved aside");
    alarms.push(Alarm::DatabaseReplaced { quarantine, cause });
    let database = SledState::open(&path)?;
    Ok((
        database,
        Content {
            applied: 0,
            good: BTreeMap::new(),
            bad: BTreeSet::new(),
        },
    ))
}

fn read(database: &SledState, cipher: &Cipher) -> Result<Content, StoreFault> {
    let mut content = Content {
        applied: database.applied()?,
        good: BTreeMap::new(),
        bad: BTreeSet::new(),
    };
    database.scan(&mut |key, value| {
        let name = String::from_utf8_lossy(key).into_owned();
        match cipher.open(&name, value) {
            Some(record) => drop(content.good.insert(name, record)),
            None => drop(content.bad.insert(name)),
        }
    })?;
    Ok(content)
}

/// The newest known version of each record, or that it was removed, with the commit that says so.
type Truth = BTreeMap<String, (u64, Option<Record>)>;

fn heal(
    dir: &Path,
    state: &mut State,
    content: Content,
    log: &mut Spool,
    last_sum: Option<Sum>,
    alarms: &mut Vec<Alarm>,
) -> Result<(), StoreFault> {
    let (export, damaged) = export::read(&dir.join("export"), state.cipher())?;
    alarms.extend(damaged);
    let all = log::read_all(log)?;
    let complete = reaches(export.commit, &all, log);
    let mut truth: Truth = export
        .records
        .into_iter()
        .map(|(key, r)| (key, (r.commit, Some(r))))
        .collect();
    let later = all.commits.into_iter().filter(|commit| commit.number > export.commit);
    later.for_each(|commit| overlay(&mut truth, commit));
    if !complete {
        add_missing(&mut truth, &content.good);
    }
    keep_aside(dir, state.database(), &content.bad)?;
    let known: BTreeSet<String> = content.good.keys().chain(&content.bad).cloned().collect();
    for key in known
        .iter()
        .filter(|key| truth.get(*key).is_none_or(|(_, record)| record.is_none()))
    {
        state.heal(key, None);
    }
    for (key, (_, record)) in &truth {
        if let Some(record) = record.as_ref().filter(|record| content.good.get(key) != Some(*record)) {
            state.heal(key, Some(record.clone()));
        }
    }
    for key in &content.bad {
        let healed = complete || truth.get(key).is_some_and(|(_, record)| record.is_some());
        alarms.push(Alarm::RecordDamaged {
            key: key.clone(),
            healed,
        });
    }
    match last_sum {
        Some(sum) if sum == state.sum() => {}
        Some(sum) => alarms.push(Alarm::StateLost {
            expected: sum.records,
            found: state.sum().records,
        }),
        None if complete => {}
        None => alarms.push(Alarm::StateLost {
            expected: 0,
            found: state.sum().records,
        }),
    }
    Ok(())
}

/// Whether export and log together have every commit.
fn reaches(exported: u64, all: &Tail, log: &Spool) -> bool {
    let first = all.commits.first().map_or(log.tail().ordinal, |commit| commit.number);
    let next = all
        .commits
        .last()
        .map_or(log.tail().ordinal, |commit| commit.number + 1);
    all.lost == 0 && first <= exported + 1 && next == log.tail().ordinal
}

fn overlay(truth: &mut Truth, commit: Commit) {
    for (key, value) in commit.changes {
        let record = value.map(|value| Record {
            commit: commit.number,
            value,
        });
        truth.insert(key, (commit.number, record));
    }
}

/// Of each record the later one.
fn add_missing(truth: &mut Truth, good: &BTreeMap<String, Record>) {
    for (key, record) in good {
        if truth.get(key).is_none_or(|(commit, _)| *commit < record.commit) {
            truth.insert(key.clone(), (record.commit, Some(record.clone())));
        }
    }
}

/// Damaged records are kept beside, as they are, for whoever wants to look at them.
fn keep_aside(dir: &Path, database: &dyn StateStore, bad: &BTreeSet<String>) -> Result<(), StoreFault> {
    if bad.is_empty() {
        return Ok(());
    }
    let mut text = super::files::read(&dir.join("damaged.txt"))?.unwrap_or_default();
    for key in bad {
        let bytes = database.get(key).ok().flatten().unwrap_or_default();
        text.extend_from_slice(format!("{key} {}\n", HEXLOWER.encode(&bytes)).as_bytes());
    }
    // The newest damages are what anyone looks at; the file stays below a mebibyte.
    let surplus = text.len().saturating_sub(1 << 20);
    super::files::replace(&dir.join("damaged.txt"), &text[surplus..]).map(drop)
}
