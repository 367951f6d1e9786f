//! Does what was committed really come back?

mod crash;
mod damage;
mod disk;
mod measure;
mod queue;
mod rules;

use super::*;
use std::collections::BTreeMap;

pub(super) const NOW: Moment = Moment::from_millis(1_795_000_000_000);

pub(super) fn secret() -> SecretKey {
    SecretKey::new([7; 32])
}

pub(super) fn open(dir: &Path) -> (Store, OpenReport) {
    Store::open(dir, &secret(), NOW).unwrap()
}

pub(super) fn entry(stream: &str, class: Class, room: u32, n: u64, bytes: usize) -> Entry {
    let mut body = format!("{{\"n\":{n}}}").into_bytes();
    body.resize(bytes.max(body.len()), b' ');
    Entry {
        id: format!("{stream}.{room}.{n}"),
        stream: stream.into(),
        class,
        room: Some(RoomId::new(format!("{room}")).unwrap()),
        body,
        at: NOW,
        expires: NOW + Span::days(7),
    }
}

pub(super) fn note(n: u64) -> Note {
    let room = Some(RoomId::new(format!("{}", n % 5)).unwrap());
    Note {
        at: NOW + Span::seconds(n as i64),
        room,
        json: format!("{{\"rule\":{n}}}").into_bytes(),
    }
}

pub(super) fn records(store: &Store) -> BTreeMap<String, Vec<u8>> {
    store.records().collect::<Result<_, _>>().unwrap()
}

/// Everything that waits, by stream and sequence.
pub(super) fn waiting(store: &mut Store) -> BTreeMap<(String, u64), Vec<u8>> {
    let mut cursor = store.outbox().connect().unwrap();
    let mut all = BTreeMap::new();
    loop {
        let some = store.outbox().next(&mut cursor, NOW, 64).unwrap();
        if some.is_empty() {
            return all;
        }
        for pending in some {
            let twice = all.insert((pending.entry.stream, pending.sequence), pending.entry.body);
            assert!(twice.is_none(), "one connection is never handed an entry twice");
        }
    }
}

pub(super) fn sums_hold(store: &Store) {
    for (stream, _, l) in store.outbox_ref().ledgers() {
        assert_eq!(
            l.enqueued,
            l.pending() + l.acknowledged + l.expired + l.dropped + l.damaged,
            "{stream}"
        );
    }
}

/// A small generator with a seed: the same run every time.
pub(super) struct Dice(pub(super) u64);

impl Dice {
    pub(super) fn roll(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % below.max(1)
    }
}

pub(super) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().flatten() {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target)
        } else {
            _ = fs::copy(entry.path(), target).unwrap()
        }
    }
}
