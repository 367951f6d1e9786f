//! A disk without space.

use super::*;
use std::io::Write;
use std::process::Command;

/// A small file system in memory, unmounted when dropped; `None` where that is not allowed.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    fn new(mebibytes: u32) -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let size = format!("size={mebibytes}m");
        let mount = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &size, "tmpfs"])
            .arg(dir.path())
            .output();
        mount.is_ok_and(|out| out.status.success()).then(|| Self(dir))
    }

    fn fill(&self) {
        let mut file = fs::File::create(self.0.path().join("filler")).unwrap();
        while file.write_all(&[1; 4096]).is_ok() {}
    }

    fn free(&self) {
        fs::remove_file(self.0.path().join("filler")).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0.path()).output();
    }
}

#[test]
fn a_full_disk_keeps_what_is_there_takes_requests_from_the_reserve_and_heals_by_itself() {
    let Some(disk) = SmallDisk::new(16) else {
        println!("NOT RUN: mounting a tmpfs is not allowed here");
        return;
    };
    let dir = disk.0.path().join("store");
    let (mut store, _) = open(&dir);
    let telemetry = |n| Batch {
        outbox: vec![entry("room", Class::Telemetry, 1, n, 4000)],
        ..Batch::default()
    };
    let request = |n| Batch {
        outbox: vec![entry("request", Class::Request, 1, n, 4000)],
        ..Batch::default()
    };
    for n in 1..=20 {
        store.commit(telemetry(n)).unwrap();
    }
    disk.fill();
    let fault = (21..2000)
        .find_map(|n| store.commit(telemetry(n)).err())
        .expect("the disk is full");
    assert!(fault.is_disk_full(), "{fault}");
    let held = store.outbox().pending();
    assert!(
        store.commit(telemetry(5000)).unwrap_err().is_disk_full(),
        "telemetry does not get the reserve"
    );
    assert_eq!(store.outbox().pending(), held, "a refused batch leaves nothing behind");
    let taken = store.commit(request(1)).unwrap();
    assert!(taken.reserve_used);
    for n in 2..=100 {
        store.commit(request(n)).unwrap();
    }
    disk.free();
    store.commit(telemetry(6000)).unwrap();
    store.maintain(NOW + Span::minutes(2)).unwrap();
    assert!(dir.join("ballast").exists(), "the reserve is set aside again");
    let all = waiting(&mut store);
    drop(store);
    let (mut store, report) = open(&dir);
    assert!(report.alarms.is_empty(), "{:?}", report.alarms);
    assert_eq!(waiting(&mut store), all);
    assert_eq!(all.len() as u64, held + 101);
    println!("ran on a tmpfs of 16 MiB: {held} held when full, 100 requests from the reserve");
}

#[test]
fn a_start_on_a_full_disk_says_so_and_moves_nothing_aside() {
    let Some(disk) = SmallDisk::new(16) else {
        println!("NOT RUN: mounting a tmpfs is not allowed here");
        return;
    };
    let dir = disk.0.path().join("store");
    let limits = Limits {
        reserve_bytes: 0,
        ..Limits::default()
    };
    let reopen = || Store::open_with(&dir, &secret(), NOW, limits);
    let (mut store, _) = reopen().unwrap();
    store
        .commit(Batch {
            puts: vec![("room/1".into(), b"asleep".into())],
            ..Batch::default()
        })
        .unwrap();
    drop(store);
    disk.fill();
    let fault = reopen().unwrap_err();
    assert!(
        fault.is_disk_full() && fault.to_string().contains("free some space"),
        "{fault}"
    );
    disk.free();
    let (store, report) = reopen().unwrap();
    assert_eq!(
        (store.get("room/1").unwrap().unwrap(), report.alarms.len()),
        (b"asleep".to_vec(), 0)
    );
    let aside = fs::read_dir(&dir)
        .unwrap()
        .flatten()
        .filter(|e| e.file_name().to_string_lossy().contains("quarantine"));
    assert_eq!(aside.count(), 0);
}
