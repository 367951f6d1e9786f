//! How is the broker bad today?

use super::Hub;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::watch;

/// What happens to the acknowledgements the broker gives for publishes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AckFault {
    /// They are given at once and in order.
    #[default]
    None,
    /// They are not given.
    Drop,
    /// They are given so much later.
    Delay(Duration),
    /// Every two of them change places.
    Swap,
    /// Each is given twice.
    Double,
}

/// The handle that makes a broker bad. All faults are off at first.
#[derive(Debug, Clone)]
pub struct Faults {
    hub: Arc<Hub>,
}

/// The faults as the connections see them.
#[derive(Debug)]
pub(super) struct FaultState {
    switches: Mutex<Switches>,
    cuts: watch::Sender<u64>,
    stalled: watch::Sender<bool>,
}

#[derive(Debug, Clone, Default)]
struct Switches {
    refuse: bool,
    swallow: bool,
    acks: AckFault,
    refused_filter: Option<String>,
    hated_topic: Option<String>,
}

impl Faults {
    pub(super) fn new(hub: Arc<Hub>) -> Self {
        Self { hub }
    }

    /// Cuts every connection, without a word.
    pub fn cut_all(&self) {
        self.hub.faults.cuts.send_modify(|cuts| *cuts += 1);
    }

    /// Closes new connections before they can speak.
    pub fn refuse(&self, on: bool) {
        self.switch(|switches| switches.refuse = on);
    }

    /// Neither reads nor writes, on connections old and new, which stay open.
    pub fn stall(&self, on: bool) {
        self.hub.faults.stalled.send_replace(on);
    }

    /// Cuts every connection and forgets every session; retained messages stay.
    pub fn forget_sessions(&self) {
        self.hub.forget_all();
        self.cut_all();
    }

    /// Gives acknowledgements of publishes badly.
    pub fn acks(&self, fault: AckFault) {
        self.switch(|switches| switches.acks = fault);
    }

    /// Acknowledges publishes and loses them.
    pub fn swallow(&self, on: bool) {
        self.switch(|switches| switches.swallow = on);
    }

    /// Refuses subscriptions to this one filter.
    pub fn refuse_filter(&self, filter: Option<&str>) {
        self.switch(|switches| switches.refused_filter = filter.map(str::to_owned));
    }

    /// Closes the connection of whoever publishes to this topic.
    pub fn hate_topic(&self, topic: Option<&str>) {
        self.switch(|switches| switches.hated_topic = topic.map(str::to_owned));
    }

    fn switch(&self, change: impl FnOnce(&mut Switches)) {
        change(&mut self.hub.faults.lock());
    }
}

impl Default for FaultState {
    fn default() -> Self {
        Self {
            switches: Mutex::default(),
            cuts: watch::Sender::new(0),
            stalled: watch::Sender::new(false),
        }
    }
}

impl FaultState {
    fn lock(&self) -> std::sync::MutexGuard<'_, Switches> {
        self.switches
            .lock()
            .expect("nothing panics while it holds the switches")
    }

    pub(super) fn refuses(&self) -> bool {
        self.lock().refuse
    }

    pub(super) fn swallows(&self) -> bool {
        self.lock().swallow
    }

    pub(super) fn ack_fault(&self) -> AckFault {
        self.lock().acks
    }

    pub(super) fn refuses_filter(&self, filter: &str) -> bool {
        self.lock().refused_filter.as_deref() == Some(filter)
    }

    pub(super) fn hates(&self, topic: &str) -> bool {
        self.lock().hated_topic.as_deref() == Some(topic)
    }

    pub(super) fn watch_cuts(&self) -> watch::Receiver<u64> {
        self.cuts.subscribe()
    }

    /// Returns when the broker is not stalled.
    pub(super) async fn run_freely(&self) {
        let mut stalled = self.stalled.subscribe();
        let _ = stalled.wait_for(|stalled| !stalled).await;
    }

    pub(super) fn is_stalled(&self) -> bool {
        *self.stalled.borrow()
    }
}
