//! From what is the state restored when the database is gone?
//!
//! From an export: one JSON line a record, sealed as in the database, so that an export at rest is as safe as the store;
//! a head that says which commit it stands for and which key sealed it, a last line with the sum, and a checksum a
//! line. Two take turns. The log is kept back to the older one, so an export and the log after it are the whole truth.
//! Exports in clear, for a data subject or for moving away, are made only by an explicit call.

use super::fault::{Alarm, StoreFault};
use super::files;
use super::mark::Sum;
use super::state::{Cipher, Record};
use data_encoding::{HEXLOWER, HEXLOWER_PERMISSIVE};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

const FORMAT: u32 = 1;

/// A restored export.
#[derive(Debug, Default)]
pub(crate) struct Export {
    pub(crate) commit: u64,
    pub(crate) records: BTreeMap<String, Record>,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Head {
    innkeeper_export: u32,
    key_id: u64,
    commit: u64,
    sum: Sum,
}

#[derive(Debug, Serialize, Deserialize)]
struct Line {
    key: String,
    sealed: String,
}

/// Writes an export, durable when it returns, over the older of the two. Returns the bytes written.
pub(crate) fn write(
    dir: &Path,
    key_id: u64,
    commit: u64,
    sum: Sum,
    records: impl Iterator<Item = Result<(String, Vec<u8>), StoreFault>>,
) -> Result<u64, StoreFault> {
    files::make_dir(dir)?;
    let head = Head {
        innkeeper_export: FORMAT,
        key_id,
        commit,
        sum,
    };
    let mut text = String::new();
    put_line(&mut text, &head);
    for record in records {
        let (key, sealed) = record?;
        put_line(
            &mut text,
            &Line {
                key,
                sealed: HEXLOWER.encode(&sealed),
            },
        );
    }
    put_line(&mut text, &head);
    files::replace(&older(dir), text.as_bytes())
}

/// Reads the newest export that verifies, and says which ones did not.
pub(crate) fn read(dir: &Path, cipher: &Cipher) -> Result<(Export, Vec<Alarm>), StoreFault> {
    let mut alarms = Vec::new();
    let mut best = Export::default();
    for path in paths(dir) {
        let Some(bytes) = files::read(&path)? else { continue };
        match parse(&bytes, cipher) {
            Ok(export) if export.commit >= best.commit => best = export,
            Ok(_) => {}
            Err(line) => alarms.push(Alarm::ExportDamaged { file: path, line }),
        }
    }
    Ok((best, alarms))
}

/// The commit each of the two stands for, zero where there is none that says so.
pub(crate) fn commits(dir: &Path) -> [u64; 2] {
    paths(dir).map(|path| head(&path).map_or(0, |head| head.commit))
}

/// The names of the keys that sealed what is there.
pub(crate) fn key_ids(dir: &Path) -> Vec<u64> {
    paths(dir)
        .iter()
        .filter_map(|path| head(path))
        .map(|head| head.key_id)
        .collect()
}

fn put_line(text: &mut String, line: &impl Serialize) {
    let json = serde_json::to_string(line).expect("these lines have only text keys");
    text.push_str(&format!("{:08x} {json}\n", crc32fast::hash(json.as_bytes())));
}

fn take_line<'a, T: Deserialize<'a>>(line: &'a str) -> Option<T> {
    let (crc, json) = line.split_once(' ')?;
    let whole = u32::from_str_radix(crc, 16).ok()? == crc32fast::hash(json.as_bytes());
    whole.then(|| serde_json::from_str(json).ok())?
}

/// Reads an export whole; on a fault, the line.
fn parse(bytes: &[u8], cipher: &Cipher) -> Result<Export, usize> {
    let text = std::str::from_utf8(bytes).map_err(|_| 1_usize)?;
    let lines: Vec<&str> = text.lines().collect();
    let head: Head = lines.first().and_then(|line| take_line(line)).ok_or(1_usize)?;
    let last: Option<Head> = lines.last().and_then(|line| take_line(line));
    if lines.len() < 2 || last.is_none_or(|last| last.commit != head.commit) {
        return Err(lines.len());
    }
    let mut records = BTreeMap::new();
    for (n, line) in lines[1..lines.len() - 1].iter().enumerate() {
        let line: Line = take_line(line).ok_or(n + 2)?;
        let record = HEXLOWER_PERMISSIVE
            .decode(line.sealed.as_bytes())
            .ok()
            .and_then(|sealed| cipher.open(&line.key, &sealed))
            .ok_or(n + 2)?;
        records.insert(line.key, record);
    }
    if cipher.sum(records.iter()) != head.sum {
        return Err(lines.len());
    }
    Ok(Export {
        commit: head.commit,
        records,
    })
}

fn head(path: &Path) -> Option<Head> {
    use std::io::BufRead;
    let file = std::fs::File::open(path).ok()?;
    let mut line = String::new();
    std::io::BufReader::new(std::io::Read::take(file, 4096))
        .read_line(&mut line)
        .ok()?;
    take_line(line.trim_end())
}

fn older(dir: &Path) -> PathBuf {
    let [first, second] = commits(dir);
    let [a, b] = paths(dir);
    if first <= second { a } else { b }
}

fn paths(dir: &Path) -> [PathBuf; 2] {
    [dir.join("state.0.jsonl"), dir.join("state.1.jsonl")]
}
