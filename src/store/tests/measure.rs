//! What does it cost? Printed, and held only to bounds that a loaded machine keeps too.

use super::*;
use std::io::Write;
use std::time::{Duration, Instant};

fn resident_kib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS:"))
        .unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|n| n.parse().ok()).unwrap_or(0)
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

#[test]
fn a_commit_waits_for_the_disk_once_whatever_is_in_it() {
    let dir = tempfile::tempdir().unwrap();
    let (mut store, _) = open(&dir.path().join("store"));
    let mut bare = fs::File::create(dir.path().join("bare")).unwrap();
    for size in [1_u64, 16, 128] {
        let (mut commits, mut floors, mut bytes) = (Vec::new(), Vec::new(), 0);
        for round in 0..30 {
            let of = |k| size * round + k;
            let batch = Batch {
                puts: (0..size)
                    .map(|k| (format!("room/{}", of(k) % 300), vec![k as u8; 2048]))
                    .collect(),
                outbox: (0..size)
                    .map(|k| entry("request", Class::Request, 1, size * 100_000 + of(k), 800))
                    .collect(),
                journal: (0..size).map(note).collect(),
                ..Batch::default()
            };
            let begun = Instant::now();
            bytes += store.commit(batch).unwrap().bytes;
            commits.push(begun.elapsed());
            let begun = Instant::now();
            bare.write_all(&vec![1; (bytes / (round + 1)) as usize]).unwrap();
            bare.sync_data().unwrap();
            floors.push(begun.elapsed());
            if store.log_since_mark >= CHECKPOINT_BYTES {
                let last = store.outbox().ledger("request").unwrap().enqueued;
                store.outbox().acknowledge_through("request", last);
                let begun = Instant::now();
                store.maintain(NOW).unwrap();
                println!(
                    "checkpoint of {} KiB of log: {:?}",
                    CHECKPOINT_BYTES >> 10,
                    begun.elapsed()
                );
            }
        }
        let (commit, floor) = (median(commits), median(floors));
        let ratio = commit.as_secs_f64() / floor.as_secs_f64();
        println!(
            "batch of {size}: {commit:?} = {ratio:.2} x bare write and fdatasync of as many bytes {floor:?}; {} bytes a commit",
            bytes / 30
        );
    }
    println!("log and other bytes written: {:?}", store.bytes_written());
}

const CHILD: &str = "INNKEEPER_STORE_MEASURE";

/// In a child process: opens a store and says what that took. Otherwise it does nothing.
#[test]
fn child_that_opens_and_measures() {
    let Ok(dir) = std::env::var(CHILD) else { return };
    let before = resident_kib();
    let begun = Instant::now();
    let database = SledState::open(&Path::new(&dir).join("state")).unwrap();
    let mut records = 0;
    database.scan(&mut |_, _| records += 1).unwrap();
    let (took, with_sled) = (begun.elapsed(), resident_kib());
    println!("sled alone: {took:?} for {records} records, resident {before} -> {with_sled} KiB");
    drop(database);
    let begun = Instant::now();
    let (store, report) = open(Path::new(&dir));
    println!(
        "whole store: {:?}, resident {before} -> {} KiB",
        begun.elapsed(),
        resident_kib()
    );
    assert_eq!((report.records, report.pending, report.alarms.len()), (300, 20_000, 0));
    drop(store);
}

#[test]
fn a_property_of_300_rooms_with_a_long_backlog_opens_at_once_and_stays_small() {
    let dir = tempfile::tempdir().unwrap();
    let (mut store, _) = open(dir.path());
    let puts = (0..300_u32)
        .map(|n| (format!("room/{n}"), vec![n as u8; 2048]))
        .collect();
    store
        .commit(Batch {
            puts,
            ..Batch::default()
        })
        .unwrap();
    for n in 0..40_u64 {
        let of = |k| entry("request", Class::Request, k as u32 % 300, n * 500 + k, 800);
        store
            .commit(Batch {
                outbox: (0..500).map(of).collect(),
                ..Batch::default()
            })
            .unwrap();
        store.maintain(NOW).unwrap();
    }
    store.close(NOW).unwrap();
    for _ in 0..3 {
        let name = "store::tests::measure::child_that_opens_and_measures";
        let mut child = std::process::Command::new(std::env::current_exe().unwrap());
        let out = child
            .args([name, "--exact", "--nocapture"])
            .env(CHILD, dir.path())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&out.stdout);
        assert!(out.status.success(), "{said}");
        said.lines()
            .filter(|line| line.contains("resident"))
            .for_each(|line| println!("{line}"));
    }
}
