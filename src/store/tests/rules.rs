//! The store's own rules, one by one.

use super::*;
use proptest::prelude::*;

fn put(key: &str, value: &[u8]) -> Batch {
    Batch {
        puts: vec![(key.into(), value.into())],
        ..Batch::default()
    }
}

#[test]
fn what_was_committed_is_there_after_a_start_without_any_farewell() {
    let dir = tempfile::tempdir().unwrap();
    let (mut store, report) = open(dir.path());
    assert_eq!(report, OpenReport::default());
    for n in 0..50 {
        let mut batch = put(&format!("room/{}", n % 7), format!("state {n}").as_bytes());
        batch.outbox.push(entry("request", Class::Request, 1, n, 100));
        batch.journal.push(note(n));
        assert_eq!(store.commit(batch).unwrap().entries, [(n + 1, true)]);
    }
    let before = records(&store);
    drop(store);
    let (mut store, report) = open(dir.path());
    assert_eq!((report.alarms.len(), report.replayed, report.pending), (0, 50, 50));
    assert_eq!(records(&store), before);
    assert_eq!(waiting(&mut store).len(), 50);
    assert_eq!(store.why(None, NOW, NOW + Span::days(1), 100).unwrap().len(), 50);
}

#[test]
fn a_start_after_a_farewell_has_nothing_to_read_on() {
    let dir = tempfile::tempdir().unwrap();
    let (mut store, _) = open(dir.path());
    for n in 0..50 {
        let mut batch = put(&format!("room/{}", n % 7), format!("state {n}").as_bytes());
        batch.outbox.push(entry("request", Class::Request, 1, n, 100));
        batch.journal.push(note(n));
        store.commit(batch).unwrap();
    }
    let before = records(&store);
    store.close(NOW).unwrap();
    let (mut store, report) = open(dir.path());
    assert_eq!((report.alarms.len(), report.replayed, report.pending), (0, 0, 50));
    assert_eq!(records(&store), before);
    assert_eq!(waiting(&mut store).len(), 50);
    let newest = store
        .why(Some(&RoomId::new("3").unwrap()), NOW, NOW + Span::days(1), 3)
        .unwrap();
    assert_eq!(newest, [note(48), note(43), note(38)]);
}

#[test]
fn a_record_that_was_removed_does_not_come_back() {
    let dir = tempfile::tempdir().unwrap();
    let (mut store, _) = open(dir.path());
    store.commit(put("guest/1", b"likes milk")).unwrap();
    store.checkpoint(NOW).unwrap();
    store
        .commit(Batch {
            removes: vec!["guest/1".into()],
            ..Batch::default()
        })
        .unwrap();
    assert_eq!(store.get("guest/1").unwrap(), None);
    drop(store);
    let (store, report) = open(dir.path());
    assert_eq!((store.get("guest/1").unwrap(), report.alarms.len()), (None, 0));
    store.close(NOW).unwrap();
    assert_eq!(open(dir.path()).0.get("guest/1").unwrap(), None);
}

#[test]
fn nothing_kept_is_readable_without_the_key_and_forgotten_history_is_gone() {
    let dir = tempfile::tempdir().unwrap();
    let (mut store, _) = open(dir.path());
    let canary = b"canary-Q7XK-likes-hot-milk";
    let mut batch = put("guest/7f3a9c1e", canary);
    batch.outbox.push(Entry {
        body: canary.to_vec(),
        ..entry("preference", Class::Promise, 1, 1, 0)
    });
    batch.journal.push(Note {
        json: canary.to_vec(),
        ..note(1)
    });
    store.commit(batch).unwrap();
    store.checkpoint(NOW).unwrap();
    store.export().unwrap();
    let mut files = 0;
    let mut look = vec![dir.path().to_owned()];
    while let Some(path) = look.pop() {
        if path.is_dir() {
            look.extend(fs::read_dir(&path).unwrap().flatten().map(|e| e.path()));
        } else {
            files += 1;
            let bytes = fs::read(&path).unwrap();
            assert!(!bytes.windows(11).any(|w| w == &canary[..11]), "{}", path.display());
        }
    }
    assert!(files >= 7, "{files} files were looked at");
    let sealed_before = fs::read_dir(dir.path().join("log"))
        .unwrap()
        .flatten()
        .map(|e| e.path())
        .collect::<Vec<_>>();
    store
        .commit(Batch {
            removes: vec!["guest/7f3a9c1e".into()],
            ..Batch::default()
        })
        .unwrap();
    store.forget_history(NOW).unwrap();
    assert!(
        sealed_before.iter().all(|path| !path.exists()),
        "the log that held it is deleted"
    );
    for n in 0..2 {
        let export = fs::read_to_string(dir.path().join(format!("export/state.{n}.jsonl"))).unwrap();
        assert!(!export.contains("7f3a9c1e"));
    }
}

#[test]
fn a_second_opener_and_a_wrong_key_are_refused_and_change_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (mut store, _) = open(dir.path());
    store.commit(put("room/1", b"asleep")).unwrap();
    let said = Store::open(dir.path(), &secret(), NOW).unwrap_err();
    assert!(matches!(said, StoreFault::Locked { .. }), "{said}");
    drop(store);
    // Without a mark yet, and with one.
    for _ in 0..2 {
        let said = Store::open(dir.path(), &SecretKey::new([8; 32]), NOW).unwrap_err();
        assert!(matches!(said, StoreFault::WrongKey { .. }), "{said}");
        let (store, report) = open(dir.path());
        assert_eq!(
            (store.get("room/1").unwrap().unwrap(), report.alarms.len()),
            (b"asleep".to_vec(), 0)
        );
        store.close(NOW).unwrap();
    }
}

#[test]
fn what_is_too_large_or_nameless_is_refused_whole_and_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let (mut store, _) = open(dir.path());
    let mut batch = put("room/1", b"asleep");
    batch.puts.push(("room/2".into(), vec![0; VALUE_BYTES_MAX + 1]));
    assert!(matches!(store.commit(batch), Err(StoreFault::TooLarge { .. })));
    assert!(matches!(store.commit(put("", b"")), Err(StoreFault::BadName { .. })));
    assert!(matches!(
        store.commit(put("a\nb", b"")),
        Err(StoreFault::BadName { .. })
    ));
    let mut batch = Batch::default();
    batch.outbox.push(entry("room", Class::Telemetry, 1, 1, 10));
    batch.outbox.push(entry("room", Class::Request, 1, 2, 10));
    assert!(matches!(store.commit(batch), Err(StoreFault::ClassOfStream { .. })));
    let huge: Vec<_> = (0..160)
        .map(|n| (format!("room/{n}"), vec![0; VALUE_BYTES_MAX]))
        .collect();
    assert!(matches!(
        store.commit(Batch {
            puts: huge,
            ..Batch::default()
        }),
        Err(StoreFault::TooLarge { .. })
    ));
    assert_eq!((records(&store).len(), store.outbox().pending()), (0, 0));
    assert_eq!(store.commit(Batch::default()).unwrap().bytes, 0);
}

#[test]
fn the_log_and_the_journal_stay_bounded_however_long_the_house_runs() {
    let dir = tempfile::tempdir().unwrap();
    let limits = Limits {
        journal_bytes: 2 << 20,
        ..Limits::default()
    };
    let (mut store, _) = Store::open_with(dir.path(), &secret(), NOW, limits).unwrap();
    for n in 0..1500_u64 {
        let mut batch = put(&format!("room/{}", n % 30), &vec![n as u8; 16 << 10]);
        batch.journal.push(Note {
            json: vec![b'x'; 8 << 10],
            ..note(n)
        });
        store.commit(batch).unwrap();
        store.maintain(NOW).unwrap();
    }
    let size = |part: &str| -> u64 {
        fs::read_dir(dir.path().join(part))
            .unwrap()
            .flatten()
            .map(|e| e.metadata().unwrap().len())
            .sum()
    };
    let (log, journal, state) = (size("log"), size("journal"), store.state_bytes());
    println!("36 MiB of commits; on disk: log {log}, journal {journal}, state {state} bytes");
    assert!(log < 13 << 20, "{log}");
    assert!(journal < 5 << 20, "{journal}");
    assert!(state < 16 << 20, "{state}");
    let before = records(&store);
    drop(store);
    let (store, report) = open(dir.path());
    assert!(report.alarms.is_empty(), "{:?}", report.alarms);
    assert_eq!(records(&store), before);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn any_sequence_of_commits_checkpoints_and_restarts_ends_in_the_state_of_a_map(
        steps in prop::collection::vec((0_u8..10, 0_u64..12, 0_usize..3000), 1..60)
    ) {
        let dir = tempfile::tempdir().unwrap();
        let mut store = Some(open(dir.path()).0);
        let mut model = BTreeMap::new();
        for (kind, n, size) in steps {
            let open_store = store.as_mut().unwrap();
            let key = format!("room/{n}");
            match kind {
                0..=4 => {
                    let value = vec![size as u8; size];
                    open_store.commit(put(&key, &value)).unwrap();
                    model.insert(key, value);
                }
                5 | 6 => {
                    open_store.commit(Batch { removes: vec![key.clone()], ..Batch::default() }).unwrap();
                    model.remove(&key);
                }
                7 => open_store.checkpoint(NOW).unwrap(),
                8 => open_store.export().unwrap(),
                _ => {
                    drop(store.take());
                    let (again, report) = open(dir.path());
                    prop_assert!(report.alarms.is_empty(), "{:?}", report.alarms);
                    store = Some(again);
                }
            }
            prop_assert_eq!(&records(store.as_ref().unwrap()), &model);
        }
    }
}
