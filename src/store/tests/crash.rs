//! Kills and power cuts.

use super::super::seal::{Keys, Purpose};
use super::super::spool::{Found, Spool};
use super::*;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::Duration;

const CHILD: &str = "INNKEEPER_STORE_CHILD";
const ROOMS: u64 = 20;

/// In a child process: commits for ever and says so, until it is killed. Otherwise it does nothing.
#[test]
fn child_that_writes_until_killed() {
    let Ok(dir) = std::env::var(CHILD) else { return };
    let (mut store, report) = open_small(Path::new(&dir));
    assert!(report.alarms.is_empty(), "{:?}", report.alarms);
    let mut n = store.outbox().ledger("request").map_or(0, |ledger| ledger.enqueued);
    loop {
        n += 1;
        let room = format!("room/{}", n % ROOMS);
        let mut value = n.to_le_bytes().to_vec();
        value.resize(400, n as u8);
        let batch = Batch {
            puts: vec![(room, value)],
            outbox: vec![entry("request", Class::Request, 1, n, 200)],
            journal: vec![note(n)],
            ..Batch::default()
        };
        store.commit(batch).unwrap();
        println!("done {n}");
        store.outbox().acknowledge("request", n.saturating_sub(30));
        match n % 100 {
            0 => store.export().unwrap(),
            25 | 50 | 75 => store.checkpoint(NOW).unwrap(),
            _ => {}
        }
    }
}

fn open_small(dir: &Path) -> (Store, OpenReport) {
    let limits = Limits {
        reserve_bytes: 0,
        ..Limits::default()
    };
    Store::open_with(dir, &secret(), NOW, limits).unwrap()
}

/// Lets the child write for a while, kills it, and returns the last commit it was told is durable.
fn write_and_kill(dir: &Path, after: Duration) -> u64 {
    let name = "store::tests::crash::child_that_writes_until_killed";
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([name, "--exact", "--nocapture", "--test-threads=1"])
        .env(CHILD, dir)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let told = |line: &str| line.split("done ").nth(1).and_then(|n| n.trim().parse::<u64>().ok());
    let first = lines
        .by_ref()
        .map_while(Result::ok)
        .find_map(|line| told(&line))
        .expect("the child writes");
    std::thread::sleep(after);
    child.kill().unwrap();
    child.wait().unwrap();
    lines
        .map_while(Result::ok)
        .filter_map(|line| told(&line))
        .last()
        .unwrap_or(first)
}

#[test]
fn a_killed_process_loses_nothing_it_was_told_is_durable() {
    let dir = tempfile::tempdir().unwrap();
    let mut dice = Dice(0x5eed);
    let (mut lost, mut ghosts, mut torn, mut acked) = (0, 0, 0, 0);
    for round in 0..40 {
        acked = write_and_kill(dir.path(), Duration::from_millis(dice.roll(60)));
        let (mut store, report) = open_small(dir.path());
        assert!(report.alarms.is_empty(), "round {round}: {:?}", report.alarms);
        torn += u64::from(report.torn_bytes > 0);
        let ledger = store.outbox().ledger("request").unwrap().clone();
        lost += acked.saturating_sub(ledger.enqueued);
        ghosts += ledger.enqueued - acked.min(ledger.enqueued);
        sums_hold(&store);
        let there = waiting(&mut store);
        for n in acked.saturating_sub(29)..=ledger.enqueued {
            lost += u64::from(n > 0 && !there.contains_key(&("request".into(), n)));
        }
        // State and outbox came back together: each room has exactly its latest commit.
        let enqueued = ledger.enqueued;
        for (key, value) in records(&store) {
            let room: u64 = key[5..].parse().unwrap();
            let latest = (0..ROOMS)
                .map(|back| enqueued - back)
                .find(|n| n % ROOMS == room)
                .unwrap();
            lost += u64::from(value[..8] != latest.to_le_bytes());
        }
        assert_eq!(
            store.why(None, NOW, NOW + Span::days(30), 10).unwrap()[0],
            note(enqueued),
            "round {round}"
        );
    }
    println!(
        "40 kills, {acked} commits told durable, {lost} lost, {ghosts} durable but not told, {torn} torn tails cut"
    );
    assert_eq!(lost, 0);
    assert!(ghosts <= 40, "at most the one commit in flight at each kill");
}

#[test]
fn a_power_cut_at_any_byte_of_the_last_frame_costs_that_frame_only() {
    let dir = tempfile::tempdir().unwrap();
    let spool = |end| {
        let keys = Keys::new(&secret());
        Spool::open(dir.path().join("s"), keys.sealer(Purpose::Log), keys.id(), end).unwrap()
    };
    let mut full = spool(None);
    for n in 0..3_u8 {
        full.append(u64::from(n), 0, &[n; 300]).unwrap();
        full.sync().unwrap();
    }
    let before = full.tail();
    full.append(3, 0, &[3; 900]).unwrap();
    full.sync().unwrap();
    drop(full);
    let path = dir.path().join("s/0000000001.seg");
    let whole = fs::read(&path).unwrap();
    let mut images = 0;
    let mut check = |bytes: &[u8]| {
        fs::write(&path, bytes).unwrap();
        let mut spool = spool(None);
        let mut seen = Vec::new();
        let start = spool.start();
        let torn = spool.walk_to_end(start, |found| {
            assert!(!matches!(found, Found::Damaged { .. }), "nothing durable is damaged");
            if let Found::Frame { header, .. } = found {
                seen.push(header.a);
            }
            Ok(())
        });
        assert_eq!(seen, [0, 1, 2]);
        assert_eq!(spool.tail(), before);
        assert_eq!(torn.unwrap(), bytes.len() as u64 - u64::from(before.offset));
        // What is written next is found, and the torn frame never again.
        spool.append(9, 0, b"next").unwrap();
        spool.sync().unwrap();
        fs::write(&path, bytes).unwrap();
        let mut again = self::Spool::open(
            dir.path().join("s"),
            Keys::new(&secret()).sealer(Purpose::Log),
            Keys::new(&secret()).id(),
            None,
        )
        .unwrap();
        let mut seen = Vec::new();
        let start = again.start();
        again
            .walk_to_end(start, |found| {
                if let Found::Frame { header, .. } = found {
                    seen.push(header.a);
                }
                Ok(())
            })
            .unwrap();
        assert_eq!(seen, [0, 1, 2, 9]);
        drop(again);
        fs::remove_file(dir.path().join("s/0000000002.seg")).unwrap();
        images += 1;
    };
    for cut in before.offset as usize..whole.len() {
        check(&whole[..cut]);
        // The file had grown, but the bytes behind the cut never reached the disk.
        let mut zeroed = whole.clone();
        zeroed[cut..].fill(0);
        if zeroed != whole {
            check(&zeroed);
        }
        // The end reached the disk before the beginning.
        let mut late = whole.clone();
        late[before.offset as usize..=cut].fill(0);
        check(&late);
    }
    println!("{images} images of a power cut, 0 durable frames lost, 0 torn frames taken for whole");
}

#[test]
fn a_cut_in_the_last_commit_gives_back_the_state_before_it() {
    let dir = tempfile::tempdir().unwrap();
    let source = dir.path().join("source");
    let (mut store, _) = open_small(&source);
    let put = |n: u8| Batch {
        puts: vec![("room/1".into(), vec![n; 200])],
        outbox: vec![entry("request", Class::Request, 1, u64::from(n), 100)],
        ..Batch::default()
    };
    store.commit(put(1)).unwrap();
    store.checkpoint(NOW).unwrap();
    store.commit(put(2)).unwrap();
    let end = fs::metadata(source.join("log/0000000001.seg")).unwrap().len();
    store.commit(put(3)).unwrap();
    drop(store);
    let whole = fs::read(source.join("log/0000000001.seg")).unwrap();
    for cut in (end as usize + 1..whole.len()).step_by(53) {
        let image = dir.path().join(format!("cut-{cut}"));
        copy(&source, &image);
        fs::write(image.join("log/0000000001.seg"), &whole[..cut]).unwrap();
        let (mut store, report) = open_small(&image);
        assert!(report.alarms.is_empty(), "{:?}", report.alarms);
        assert_eq!(report.torn_bytes, cut as u64 - end);
        assert_eq!(store.get("room/1").unwrap().unwrap(), [2; 200]);
        assert_eq!(waiting(&mut store).len(), 2);
        // The same need derived again gets the number the lost one had, and nobody had been told of that.
        assert_eq!(store.commit(put(3)).unwrap().entries, [(3, true)]);
        assert_eq!(store.commit(put(3)).unwrap().entries, [(3, false)]);
    }
}
