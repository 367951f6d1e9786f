//! What would a broker do, and what would a bad one do?
//!
//! A small MQTT 3.1.1 broker inside the process, **for the demo and the tests only**, never part of the packaged
//! daemon: nothing is kept on disk, nobody is asked who they are. It speaks QoS 0 and 1, retained messages, wills,
//! wildcards, clean and kept sessions, and keep-alive. Its codec is the client library's own, so it costs no dependency.
//!
//! Limits first: a client's queue is bounded in messages and bytes. When it is full, whoever publishes to it waits, and
//! with it the publisher's socket; a client that is away and whose queue is full loses the oldest, counted. [`Faults`] makes
//! the broker bad in the ways brokers and lines are bad.

mod connection;
mod faults;
mod session;
mod topics;

pub use faults::{AckFault, Faults};

use faults::FaultState;
use rumqttc::mqttbytes::QoS;
use rumqttc::mqttbytes::v4::Publish;
use session::Session;
use std::collections::{BTreeMap, HashMap};
use std::net::{SocketAddr, TcpListener};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::task::{JoinHandle, JoinSet};
use topics::Subscriptions;

/// Retained topics beyond this many are refused, counted: a demo hotel has some thousands.
const RETAINED_MAX: usize = 50_000;

/// A running broker. It ends when it is stopped or dropped.
#[derive(Debug)]
pub struct Broker {
    address: SocketAddr,
    hub: Arc<Hub>,
    task: JoinHandle<()>,
}

/// What the broker has counted since it began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// Connections that said a proper CONNECT.
    pub connections: u64,
    /// Messages that were published to it.
    pub published: u64,
    /// Messages it wrote to subscribers, those sent again included.
    pub delivered: u64,
    /// Messages it lost: queues of absent clients that ran over, retained topics beyond the limit, swallowed ones.
    pub lost: u64,
}

impl Broker {
    /// Starts to accept on this listener, in tasks of the current runtime.
    ///
    /// # Errors
    /// What the system says of the listener.
    pub fn start(listener: TcpListener) -> std::io::Result<Self> {
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let listener = tokio::net::TcpListener::from_std(listener)?;
        let hub = Arc::new(Hub::default());
        let task = tokio::spawn(accept(listener, hub.clone()));
        Ok(Self { address, hub, task })
    }

    /// Starts on a free port of the loopback address.
    ///
    /// # Errors
    /// What the system says of the port.
    pub fn on_loopback() -> std::io::Result<Self> {
        Self::start(TcpListener::bind(("127.0.0.1", 0))?)
    }

    /// Returns where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the handle that makes it bad.
    pub fn faults(&self) -> Faults {
        Faults::new(self.hub.clone())
    }

    /// Returns what it has counted.
    pub fn counts(&self) -> Counts {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let tally = &self.hub.tally;
        Counts {
            connections: read(&tally.connections),
            published: read(&tally.published),
            delivered: read(&tally.delivered),
            lost: read(&tally.lost),
        }
    }

    /// Closes the listener and every connection; returns when all are closed.
    pub async fn stop(mut self) {
        self.task.abort();
        let _ = (&mut self.task).await;
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: tokio::net::TcpListener, hub: Arc<Hub>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((socket, _)) if !hub.faults.refuses() => {
                    connections.spawn(connection::serve(socket, hub.clone()));
                }
                Ok(_) => {}
                // Out of file handles: closing connections frees some.
                Err(_) => tokio::time::sleep(std::time::Duration::from_millis(50)).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

/// What all connections share.
#[derive(Debug, Default)]
struct Hub {
    state: Mutex<State>,
    faults: FaultState,
    tally: Tally,
}

#[derive(Debug, Default)]
struct Tally {
    connections: AtomicU64,
    published: AtomicU64,
    delivered: AtomicU64,
    lost: AtomicU64,
}

#[derive(Debug, Default)]
struct State {
    sessions: HashMap<String, Arc<Session>>,
    subscriptions: Subscriptions,
    retained: BTreeMap<String, Publish>,
}

impl Hub {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state
            .lock()
            .expect("nothing panics while it holds the broker's state")
    }

    /// Passes a message on to everyone who wants it; waits for those whose queue is full.
    async fn route(&self, mut publish: Publish) {
        self.tally.published.fetch_add(1, Ordering::Relaxed);
        if publish.retain {
            self.retain(&publish);
            publish.retain = false;
        }
        publish.dup = false;
        let takers = self.takers(&publish.topic);
        for (session, qos) in takers {
            let copy = Publish {
                qos: lesser(publish.qos, qos),
                ..publish.clone()
            };
            self.add_lost(session.put(copy).await);
        }
    }

    fn takers(&self, topic: &str) -> Vec<(Arc<Session>, QoS)> {
        let state = self.state();
        let wanted = state.subscriptions.takers(topic);
        wanted
            .into_iter()
            .filter_map(|(id, qos)| Some((state.sessions.get(id)?.clone(), qos)))
            .collect()
    }

    fn retain(&self, publish: &Publish) {
        let mut state = self.state();
        if publish.payload.is_empty() {
            state.retained.remove(&publish.topic);
        } else if state.retained.len() < RETAINED_MAX || state.retained.contains_key(&publish.topic) {
            // A copy of its own: the bytes of a read buffer would keep the whole buffer alive.
            let payload = publish.payload.to_vec().into();
            let kept = Publish {
                payload,
                dup: false,
                pkid: 0,
                ..publish.clone()
            };
            state.retained.insert(publish.topic.clone(), kept);
        } else {
            self.add_lost(1);
        }
    }

    /// Returns the session of this client, new or kept, and whether it was kept.
    fn open(&self, client_id: &str, clean: bool) -> (Arc<Session>, bool) {
        let mut state = self.state();
        if clean || state.sessions.get(client_id).is_some_and(|old| old.is_clean()) {
            state.forget(client_id);
        }
        match state.sessions.get(client_id) {
            Some(session) => (session.clone(), true),
            None => {
                let session = Arc::new(Session::new(client_id.to_owned(), clean));
                state.sessions.insert(client_id.to_owned(), session.clone());
                (session, false)
            }
        }
    }

    /// Forgets the session if it is the one we mean and clean.
    fn close(&self, session: &Arc<Session>) {
        let mut state = self.state();
        let is_current = state
            .sessions
            .get(session.client_id())
            .is_some_and(|current| Arc::ptr_eq(current, session));
        if is_current && session.is_clean() {
            state.forget(session.client_id());
        }
    }

    fn forget_all(&self) {
        let mut state = self.state();
        let clients: Vec<String> = state.sessions.keys().cloned().collect();
        clients.iter().for_each(|client_id| state.forget(client_id));
    }

    fn add_lost(&self, count: u64) {
        self.tally.lost.fetch_add(count, Ordering::Relaxed);
    }
}

impl State {
    fn forget(&mut self, client_id: &str) {
        if let Some(session) = self.sessions.remove(client_id) {
            session.end();
        }
        self.subscriptions.remove_client(client_id);
    }
}

fn lesser(a: QoS, b: QoS) -> QoS {
    if a < b { a } else { b }
}
