//! Does memory stay flat when a burst meets a slow consumer? Alone in its process, whose peak it measures.
#![cfg(feature = "demo")]
#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests, too

mod mqtt_support;

use innkeeper::simulate::broker::Broker;
use mqtt_support::*;
use std::time::Duration;

const BURST: usize = 200_000;
const BYTES: usize = 1_000;
/// The burst is 200 MB; sender, broker and receiver together may add this much.
const GROWTH_KIB_MAX: u64 = 40 * 1024;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn memory_stays_flat_when_200_000_messages_meet_a_slow_consumer() {
    let before = memory_peak_kib();
    let broker = Broker::on_loopback().unwrap();
    let mut receiver = subscriber(broker.address(), "receiver", &["inn/out"]);
    up(&mut receiver).await;
    let receiving = tokio::spawn(receive_all(receiver, BURST, Duration::from_millis(1)));
    let mut sender = publisher(broker.address(), "sender");
    let sending = send_all(&mut sender, "inn/out", BURST, BYTES);
    tokio::time::timeout(TEST_WITHIN, sending)
        .await
        .expect("everything is sent");
    let received = tokio::time::timeout(TEST_WITHIN, receiving)
        .await
        .expect("everything arrives")
        .unwrap();
    // What the test itself remembers of each message is part of the growth.
    let growth = memory_peak_kib() - before;
    println!(
        "{BURST} messages of {BYTES} bytes: VmHWM {} KiB, grown by {growth} KiB",
        memory_peak_kib()
    );
    assert_eq!((received.times.len(), received.duplicates()), (BURST, 0));
    assert!(growth < GROWTH_KIB_MAX, "grown by {growth} KiB");
}
