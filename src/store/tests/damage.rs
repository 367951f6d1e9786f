//! Bytes that change by themselves.

use super::*;
use std::os::unix::fs::FileExt;

fn open_small(dir: &Path) -> Result<(Store, OpenReport), StoreFault> {
    let limits = Limits {
        reserve_bytes: 0,
        ..Limits::default()
    };
    Store::open_with(dir, &secret(), NOW, limits)
}

/// A store after some days: two exports, a log after them, backlog in every class.
fn make(dir: &Path, closed: bool) {
    let (mut store, _) = open_small(dir).unwrap();
    let classes = [
        ("emergency", Class::Emergency),
        ("request", Class::Request),
        ("room", Class::Telemetry),
    ];
    for n in 0..240_u64 {
        let (stream, class) = classes[(n % 3) as usize];
        let mut batch = Batch {
            journal: vec![note(n)],
            ..Batch::default()
        };
        batch.puts.push((format!("room/{}", n % 60), vec![n as u8; 700]));
        batch.outbox.push(entry(stream, class, n as u32 % 7, n, 300));
        store.commit(batch).unwrap();
        match n {
            60 | 120 => store.export().unwrap(),
            180 | 200 => store.checkpoint(NOW).unwrap(),
            _ => {}
        }
    }
    if closed {
        store.close(NOW).unwrap();
    }
}

fn files_of(dir: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut look = vec![dir.to_owned()];
    while let Some(path) = look.pop() {
        match path.is_dir() {
            true => look.extend(fs::read_dir(&path).unwrap().flatten().map(|e| e.path())),
            false if fs::metadata(&path).unwrap().len() > 0 => files.push(path),
            false => {}
        }
    }
    files.sort();
    files
}

fn harm(file: &Path, kind: u64, dice: &mut Dice) -> String {
    let length = fs::metadata(file).unwrap().len();
    let at = dice.roll(length);
    let to = fs::OpenOptions::new().read(true).write(true).open(file).unwrap();
    let mut byte = [0];
    match kind {
        0 => {
            to.read_exact_at(&mut byte, at).unwrap();
            to.write_all_at(&[byte[0] ^ (1 << dice.roll(8))], at).unwrap();
        }
        1 => {
            let from = at / 4096 * 4096;
            to.write_all_at(&vec![0; (length - from).min(4096) as usize], from)
                .unwrap();
        }
        _ => to.set_len(at).unwrap(),
    }
    format!(
        "{} of {} at {at}",
        ["bit flip", "zeroed page", "truncation"][kind as usize],
        file.display()
    )
}

#[derive(Default, Debug)]
struct Count {
    trials: u64,
    without_effect: u64,
    healed: u64,
    named: u64,
    silent: u64,
    panics: u64,
    records_lost: u64,
    entries_lost: u64,
    notes_lost: u64,
}

fn trials(closed: bool, rounds: u64, seed: u64) -> Count {
    let base = if Path::new("/dev/shm").is_dir() {
        "/dev/shm".into()
    } else {
        std::env::temp_dir()
    };
    let dir = tempfile::tempdir_in(base).unwrap();
    let source = dir.path().join("source");
    make(&source, closed);
    let pristine = dir.path().join("pristine");
    copy(&source, &pristine);
    let (mut store, report) = open_small(&source).unwrap();
    assert!(report.alarms.is_empty(), "{:?}", report.alarms);
    let (state, entries) = (records(&store), waiting(&mut store));
    let notes = store.why(None, NOW, NOW + Span::days(1), 1000).unwrap();
    assert_eq!((state.len(), entries.len(), notes.len()), (60, 240, 240));
    drop(store);
    let names: Vec<PathBuf> = files_of(&pristine)
        .iter()
        .map(|f| f.strip_prefix(&pristine).unwrap().to_owned())
        .collect();
    let mut dice = Dice(seed);
    let mut count = Count::default();
    for n in 0..rounds {
        let image = dir.path().join(format!("image-{n}"));
        copy(&pristine, &image);
        // Every second one hits the database, the part that is not our own code.
        let of_database: Vec<_> = names.iter().filter(|f| f.starts_with("state")).collect();
        let name = if n % 2 == 0 {
            &names[dice.roll(names.len() as u64) as usize]
        } else {
            of_database[dice.roll(of_database.len() as u64) as usize]
        };
        let what = harm(&image.join(name), dice.roll(3), &mut dice);
        count.trials += 1;
        let opened = std::panic::catch_unwind(|| open_small(&image));
        let Ok(opened) = opened else {
            println!("PANIC after {what}");
            count.panics += 1;
            continue;
        };
        let (mut store, report) = opened.unwrap_or_else(|fault| panic!("{what}: {fault}"));
        let (is_state, is_entries) = (records(&store), waiting(&mut store));
        let is_notes = store.why(None, NOW, NOW + Span::days(1), 1000).unwrap();
        sums_hold(&store);
        let mut alarms = report.alarms;
        alarms.extend(store.take_alarms());
        let same = is_state == state && is_entries == entries && is_notes == notes;
        // What is there is right, always: damage may take, it may not change.
        assert!(
            is_entries.iter().all(|(k, v)| entries.get(k) == Some(v)),
            "{what}: an entry changed"
        );
        let lost_state = state.iter().filter(|(k, v)| is_state.get(*k) != Some(v)).count() as u64;
        let lost_entries = (entries.len() - is_entries.len()) as u64;
        count.records_lost += lost_state;
        count.entries_lost += lost_entries;
        count.notes_lost += (notes.len() - is_notes.len()) as u64;
        match (same, alarms.is_empty()) {
            (true, true) => count.without_effect += 1,
            (true, false) => count.healed += 1,
            (false, false) => count.named += 1,
            (false, true) => {
                // A torn tail of a store that was not closed is told in the report, not as an alarm.
                if report.torn_bytes > 0 {
                    count.named += 1;
                } else {
                    println!("SILENT after {what}");
                    count.silent += 1;
                }
            }
        }
        drop(store);
        // Healing is durable: the next start has nothing more to say about the state.
        if n % 10 == 0 {
            let (store, report) = open_small(&image).unwrap();
            assert_eq!(records(&store), is_state, "{what}");
            let again = report
                .alarms
                .iter()
                .filter(|a| !matches!(a, Alarm::QueueDamaged { .. }))
                .count();
            assert_eq!(again, 0, "{what}: {:?}", report.alarms);
        }
        fs::remove_dir_all(&image).unwrap();
    }
    count
}

#[test]
fn a_thousand_damages_to_a_closed_store_are_never_silent_and_cost_no_record_of_state() {
    let count = trials(true, 1000, 0xda4a6e);
    println!("closed store: {count:?}");
    assert_eq!((count.silent, count.panics, count.records_lost), (0, 0, 0));
}

#[test]
fn damages_to_a_store_that_was_killed_are_never_silent() {
    let count = trials(false, 200, 0xbad5eed);
    println!("killed store: {count:?}");
    assert_eq!((count.silent, count.panics), (0, 0));
}

#[test]
fn a_database_that_is_gone_comes_back_from_export_and_log() {
    let dir = tempfile::tempdir().unwrap();
    make(dir.path(), false);
    let (store, _) = open_small(dir.path()).unwrap();
    let before = records(&store);
    store.close(NOW).unwrap();
    fs::remove_dir_all(dir.path().join("state")).unwrap();
    let (store, report) = open_small(dir.path()).unwrap();
    assert_eq!(records(&store), before);
    assert!(
        report.alarms.iter().all(Alarm::healed) && !report.alarms.is_empty(),
        "{:?}",
        report.alarms
    );
}

#[test]
fn a_database_put_back_from_yesterday_is_noticed_and_brought_forward() {
    let dir = tempfile::tempdir().unwrap();
    make(dir.path(), true);
    copy(&dir.path().join("state"), &dir.path().join("yesterday"));
    let (mut store, _) = open_small(dir.path()).unwrap();
    store
        .commit(Batch {
            puts: vec![("room/3".into(), b"today".into())],
            ..Batch::default()
        })
        .unwrap();
    store.close(NOW).unwrap();
    fs::remove_dir_all(dir.path().join("state")).unwrap();
    fs::rename(dir.path().join("yesterday"), dir.path().join("state")).unwrap();
    let (store, report) = open_small(dir.path()).unwrap();
    assert_eq!(store.get("room/3").unwrap().unwrap(), b"today");
    assert!(
        matches!(report.alarms[..], [Alarm::DatabaseLoss { .. }]),
        "{:?}",
        report.alarms
    );
}
