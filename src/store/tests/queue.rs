//! The outbox: who goes first, who leaves, and what is told of it.

use super::*;
use proptest::prelude::*;

fn enqueue(store: &mut Store, entries: Vec<Entry>) -> Vec<(u64, bool)> {
    store
        .commit(Batch {
            outbox: entries,
            ..Batch::default()
        })
        .unwrap()
        .entries
}

fn hand(store: &mut Store, cursor: &mut Cursor, limit: usize) -> Vec<(String, u64)> {
    let some = store.outbox().next(cursor, NOW, limit).unwrap();
    some.into_iter().map(|p| (p.entry.stream, p.sequence)).collect()
}

#[test]
fn an_emergency_goes_before_everything_and_what_is_new_before_the_backlog_of_other_rooms() {
    let dir = tempfile::tempdir().unwrap();
    let (mut store, _) = open(dir.path());
    enqueue(
        &mut store,
        (1..=20).map(|n| entry("request", Class::Request, 1, n, 0)).collect(),
    );
    enqueue(
        &mut store,
        (1..=20).map(|n| entry("room", Class::Telemetry, 1, n, 0)).collect(),
    );
    store.checkpoint(NOW).unwrap();
    enqueue(&mut store, vec![entry("room", Class::Telemetry, 2, 21, 0)]);
    enqueue(
        &mut store,
        vec![
            entry("request", Class::Request, 2, 21, 0),
            entry("request", Class::Request, 1, 22, 0),
        ],
    );
    enqueue(&mut store, vec![entry("emergency", Class::Emergency, 1, 1, 0)]);
    let mut cursor = store.outbox().connect().unwrap();
    let first = hand(&mut store, &mut cursor, 8);
    let is = |stream: &str, n| (stream.to_owned(), n);
    assert_eq!(first[..3], [is("emergency", 1), is("request", 21), is("room", 21)]);
    assert_eq!(first[3..], (1..=5).map(|n| is("request", n)).collect::<Vec<_>>()[..]);
    let mut rest = Vec::new();
    loop {
        let some = hand(&mut store, &mut cursor, 8);
        if some.is_empty() {
            break;
        }
        rest.extend(some);
    }
    // Room 1 has request 22 behind its backlog, never before it.
    let at = |which| rest.iter().position(|r| *r == which).unwrap();
    assert!(at(is("request", 22)) > at(is("request", 20)));
    assert_eq!(first.len() + rest.len(), 44);
}

#[test]
fn the_same_fact_derived_again_is_the_same_entry_also_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let (mut store, _) = open(dir.path());
    let milk = || entry("request", Class::Request, 1, 7, 50);
    assert_eq!(enqueue(&mut store, vec![milk(), milk()]), [(1, true), (1, false)]);
    assert_eq!(enqueue(&mut store, vec![milk()]), [(1, false)]);
    drop(store);
    let (mut store, _) = open(dir.path());
    assert_eq!(enqueue(&mut store, vec![milk()]), [(1, false)]);
    store.close(NOW).unwrap();
    let (mut store, _) = open(dir.path());
    let changed = Entry {
        body: b"{\"withdrawn\":true}".to_vec(),
        ..milk()
    };
    assert_eq!(enqueue(&mut store, vec![milk(), changed]), [(1, false), (2, true)]);
    assert_eq!(store.outbox().pending(), 2);
}

#[test]
fn an_entry_leaves_by_its_acknowledgement_only_and_stays_gone() {
    let dir = tempfile::tempdir().unwrap();
    let (mut store, _) = open(dir.path());
    enqueue(
        &mut store,
        (1..=10).map(|n| entry("request", Class::Request, 1, n, 0)).collect(),
    );
    let mut cursor = store.outbox().connect().unwrap();
    assert_eq!(hand(&mut store, &mut cursor, 64).len(), 10);
    assert_eq!(store.outbox().ledger("request").unwrap().sent, 10);
    assert_eq!(waiting(&mut store).len(), 10, "sent is not delivered");
    assert_eq!(store.outbox().acknowledge("request", 5), Acknowledged::Settled(1));
    assert_eq!(store.outbox().acknowledge("request", 5), Acknowledged::Already);
    assert_eq!(
        store.outbox().acknowledge_through("request", 7),
        Acknowledged::Settled(6)
    );
    assert_eq!(store.outbox().acknowledge("request", 11), Acknowledged::Unknown);
    assert_eq!(store.outbox().acknowledge("nothing", 1), Acknowledged::Unknown);
    store
        .commit(Batch {
            journal: vec![note(1)],
            ..Batch::default()
        })
        .unwrap();
    drop(store);
    let (mut store, _) = open(dir.path());
    let left: Vec<u64> = waiting(&mut store).into_keys().map(|(_, n)| n).collect();
    assert_eq!(left, [8, 9, 10]);
}

#[test]
fn a_new_entry_never_overtakes_an_older_one_of_its_room_when_a_later_one_was_acknowledged_first() {
    let dir = tempfile::tempdir().unwrap();
    let (mut store, _) = open(dir.path());
    enqueue(
        &mut store,
        vec![
            entry("room", Class::Telemetry, 2, 1, 0),
            entry("room", Class::Telemetry, 2, 2, 0),
        ],
    );
    store.checkpoint(NOW).unwrap();
    assert_eq!(store.outbox().acknowledge("room", 2), Acknowledged::Settled(1));
    enqueue(&mut store, vec![entry("room", Class::Telemetry, 2, 3, 0)]);
    let mut cursor = store.outbox().connect().unwrap();
    let order: Vec<u64> = hand(&mut store, &mut cursor, 64).into_iter().map(|(_, n)| n).collect();
    assert_eq!(order, [1, 3]);
}

#[test]
fn what_is_too_old_expires_and_is_told_but_never_an_emergency() {
    let dir = tempfile::tempdir().unwrap();
    let (mut store, _) = open(dir.path());
    let both = |n| {
        let expires = NOW + Span::minutes(n as i64);
        let of = |stream, class| Entry {
            expires,
            ..entry(stream, class, 1, n, 0)
        };
        vec![of("emergency", Class::Emergency), of("room", Class::Telemetry)]
    };
    (1..=10).for_each(|n| drop(enqueue(&mut store, both(n))));
    store.checkpoint(NOW).unwrap();
    (11..=20).for_each(|n| drop(enqueue(&mut store, both(n))));
    store.maintain(NOW + Span::minutes(15)).unwrap();
    let ledger = store.outbox().ledger("room").unwrap();
    assert_eq!((ledger.expired, ledger.pending()), (15, 5));
    assert_eq!(
        ledger.told,
        [
            Told {
                fate: Fate::Expired,
                first: 11,
                last: 15
            },
            Told {
                fate: Fate::Expired,
                first: 1,
                last: 10
            }
        ]
    );
    store.maintain(NOW + Span::days(30)).unwrap();
    assert_eq!(store.outbox().ledger("emergency").unwrap().pending(), 20);
    assert_eq!(waiting(&mut store).len(), 20);
}

#[test]
fn a_full_outbox_drops_the_oldest_of_the_lowest_class_and_never_an_emergency() {
    let dir = tempfile::tempdir().unwrap();
    let caps = Caps([1 << 20, 2 << 20, 2 << 20, 3 << 20]);
    let limits = Limits {
        outbox: caps,
        ..Limits::default()
    };
    let (mut store, _) = Store::open_with(dir.path(), &secret(), NOW, limits).unwrap();
    for n in 0..40_u64 {
        let of = |stream: &str, class, k: u64| {
            (0..k)
                .map(|i| entry(stream, class, 1, n * k + i, 20_000))
                .collect::<Vec<_>>()
        };
        enqueue(
            &mut store,
            [of("emergency", Class::Emergency, 3), of("room", Class::Telemetry, 8)].concat(),
        );
        store.maintain(NOW).unwrap();
    }
    store.checkpoint(NOW).unwrap();
    let ledger = |stream: &str| store.outbox_ref().ledger(stream).unwrap().clone();
    let (emergency, room) = (ledger("emergency"), ledger("room"));
    assert_eq!((emergency.dropped, emergency.pending()), (0, 120));
    assert!(room.dropped > 100 && room.told[0].first == 1, "{room:?}");
    assert_eq!(room.pending() + room.dropped, 320);
    store.checkpoint(NOW).unwrap();
    assert!(store.outbox().bytes() < 8 << 20, "{}", store.outbox().bytes());
    let left = waiting(&mut store);
    assert_eq!(left.len() as u64, 120 + room.pending());
    assert!(
        left.keys().filter(|(s, _)| s == "room").all(|(_, n)| *n > room.dropped),
        "the oldest went"
    );
    drop(store);
    let (mut store, report) = Store::open_with(dir.path(), &secret(), NOW, limits).unwrap();
    assert!(report.alarms.is_empty(), "{:?}", report.alarms);
    assert_eq!(waiting(&mut store), left);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn no_entry_is_lost_or_doubled_over_any_sequence_of_sends_acknowledgements_and_crashes(
        steps in prop::collection::vec((0_u8..12, 1_u64..40), 1..80)
    ) {
        let dir = tempfile::tempdir().unwrap();
        let limits = Limits { reserve_bytes: 0, ..Limits::default() };
        let reopen = || Store::open_with(dir.path(), &secret(), NOW, limits).unwrap();
        let mut store = Some(reopen().0);
        let streams = [("emergency", Class::Emergency), ("request", Class::Request), ("room", Class::Telemetry)];
        let mut taken: BTreeMap<&str, u64> = BTreeMap::new();
        let mut open_entries = std::collections::BTreeSet::new();
        let mut unwritten = Vec::new();
        for (kind, n) in steps {
            let is = store.as_mut().unwrap();
            let (stream, class) = streams[(n % 3) as usize];
            match kind {
                0..=5 => {
                    let last = taken.entry(stream).or_insert(0);
                    *last += 1;
                    prop_assert_eq!(enqueue(is, vec![entry(stream, class, n as u32 % 4, *last, 30)]), [(*last, true)]);
                    open_entries.insert((stream, *last));
                    unwritten.clear();
                }
                6 | 7 => {
                    let done = is.outbox().acknowledge(stream, n);
                    let was = open_entries.remove(&(stream, n));
                    prop_assert_eq!(done == Acknowledged::Settled(1), was);
                    unwritten.extend(was.then_some((stream, n)));
                }
                8 => {
                    let mut rooms: BTreeMap<(String, Option<RoomId>), u64> = BTreeMap::new();
                    let mut cursor = is.outbox().connect().unwrap();
                    for pending in is.outbox().next(&mut cursor, NOW, n as usize).unwrap() {
                        let before = rooms.insert((pending.entry.stream, pending.entry.room), pending.sequence);
                        prop_assert!(before.is_none_or(|b| b < pending.sequence), "order per room and stream");
                    }
                }
                9 => {
                    is.checkpoint(NOW).unwrap();
                    unwritten.clear();
                }
                _ => {
                    drop(store.take());
                    let (again, report) = reopen();
                    prop_assert!(report.alarms.is_empty(), "{:?}", report.alarms);
                    // An acknowledgement that was not durable yet means sending again.
                    open_entries.extend(unwritten.drain(..));
                    store = Some(again);
                }
            }
            let is = store.as_mut().unwrap();
            sums_hold(is);
            let mut found = waiting(is).into_keys().collect::<Vec<_>>();
            found.sort();
            let mut wanted: Vec<_> = open_entries.iter().map(|(s, n)| ((*s).to_owned(), *n)).collect();
            wanted.sort();
            prop_assert_eq!(found, wanted);
        }
    }
}
