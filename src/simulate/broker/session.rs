//! What does the broker still owe a client?
//!
//! A session holds what waits, what was sent and is not acknowledged (in order, under its packet id), and the bytes of
//! answers. It may outlive its connection, and is then sent again from the oldest unacknowledged message on.

use bytes::BytesMut;
use rumqttc::mqttbytes::QoS;
use rumqttc::mqttbytes::v4::{Packet, Publish};
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;
use tokio::sync::Notify;

/// The most messages that wait for one client.
const WAITING_MAX: usize = 1_000;
/// The most bytes of payload that wait for one client: large retained lists count for what they weigh.
const WAITING_BYTES_MAX: usize = 16 * 1024 * 1024;
/// The most messages sent and not acknowledged.
const UNACKNOWLEDGED_MAX: usize = 100;
/// One write holds about so many bytes.
const WRITE_BYTES: usize = 64 * 1024;
/// A connected client that takes nothing for so long holds up every publisher; then it loses its oldest messages instead.
const STUCK_AFTER: Duration = Duration::from_secs(20);

/// One client's session.
#[derive(Debug)]
pub(super) struct Session {
    client_id: String,
    clean: bool,
    owed: Mutex<Owed>,
    /// There is something to write, or the connection was replaced.
    work: Notify,
    /// There is room to put something.
    room: Notify,
}

#[derive(Debug, Default)]
struct Owed {
    /// Which connection is the current one; none while the client is away.
    connection: Option<u64>,
    connections: u64,
    answers: BytesMut,
    waiting: VecDeque<Publish>,
    waiting_bytes: usize,
    unacknowledged: VecDeque<Publish>,
    resend: VecDeque<Publish>,
    last_packet: u16,
    ended: bool,
}

impl Session {
    pub(super) fn new(client_id: String, clean: bool) -> Self {
        Self {
            client_id,
            clean,
            owed: Mutex::default(),
            work: Notify::new(),
            room: Notify::new(),
        }
    }

    pub(super) fn client_id(&self) -> &str {
        &self.client_id
    }

    pub(super) fn is_clean(&self) -> bool {
        self.clean
    }

    /// Makes a new connection the current one and returns its number; the writer of an older one ends.
    pub(super) fn connect(&self) -> u64 {
        let mut owed = self.owed();
        owed.connections += 1;
        owed.connection = Some(owed.connections);
        owed.answers.clear();
        owed.resend = owed
            .unacknowledged
            .iter()
            .cloned()
            .map(|publish| Publish { dup: true, ..publish })
            .collect();
        self.work.notify_waiters();
        owed.connections
    }

    /// Notes that this connection is gone, if it is still the current one; tells whether it was.
    pub(super) fn disconnect(&self, connection: u64) -> bool {
        let mut owed = self.owed();
        let was_current = owed.connection == Some(connection);
        if was_current {
            owed.connection = None;
        }
        self.room.notify_waiters();
        was_current
    }

    /// Ends the session for good; whoever waits for it is let go.
    pub(super) fn end(&self) {
        let mut owed = self.owed();
        owed.ended = true;
        owed.connection = None;
        self.room.notify_waiters();
        self.work.notify_waiters();
    }

    /// Puts a message; waits for room while the client is connected. Returns how many messages were lost for it.
    pub(super) async fn put(&self, publish: Publish) -> u64 {
        loop {
            // Registered before looking, so that room made in between is not missed.
            let room = self.room.notified();
            tokio::pin!(room);
            room.as_mut().enable();
            {
                let mut owed = self.owed();
                if owed.ended || (owed.connection.is_none() && publish.qos == QoS::AtMostOnce) {
                    return 0;
                }
                if owed.has_room() || owed.connection.is_none() {
                    let lost = owed.make_room();
                    owed.push(publish);
                    self.work.notify_waiters();
                    return lost;
                }
            }
            if tokio::time::timeout(STUCK_AFTER, room).await.is_err() {
                let mut owed = self.owed();
                let lost = owed.make_room();
                owed.push(publish);
                return lost;
            }
        }
    }

    /// Puts what the client asked for itself (retained messages): it never waits, the retained store is bounded.
    pub(super) fn put_own(&self, publish: Publish) {
        self.owed().push(publish);
        self.work.notify_waiters();
    }

    /// Adds an answer to be written on this connection.
    pub(super) fn answer(&self, connection: u64, packet: &Packet) {
        let mut owed = self.owed();
        if owed.connection == Some(connection) {
            packet
                .write(&mut owed.answers, usize::MAX)
                .expect("answers have ids and are small");
            self.work.notify_waiters();
        }
    }

    /// Takes an acknowledgement; tells whether it was the awaited one.
    pub(super) fn acknowledged(&self, packet: u16) -> bool {
        let mut owed = self.owed();
        let awaited = owed.unacknowledged.iter().position(|publish| publish.pkid == packet);
        if let Some(position) = awaited {
            owed.unacknowledged.remove(position);
            self.work.notify_waiters();
        }
        awaited.is_some()
    }

    /// Waits until there is something to write on this connection, fills `bytes` with it, and returns how many messages
    /// are in it; none when the connection is no longer the current one.
    pub(super) async fn fill(&self, connection: u64, bytes: &mut BytesMut) -> Option<u64> {
        loop {
            let work = self.work.notified();
            tokio::pin!(work);
            work.as_mut().enable();
            {
                let mut owed = self.owed();
                if owed.connection != Some(connection) {
                    return None;
                }
                let count = owed.write(bytes);
                if !bytes.is_empty() {
                    self.room.notify_waiters();
                    return Some(count);
                }
            }
            work.await;
        }
    }

    fn owed(&self) -> MutexGuard<'_, Owed> {
        self.owed.lock().expect("nothing panics while it holds a session")
    }
}

impl Owed {
    fn has_room(&self) -> bool {
        self.waiting.len() < WAITING_MAX && self.waiting_bytes < WAITING_BYTES_MAX
    }

    fn make_room(&mut self) -> u64 {
        let mut lost = 0;
        while !self.has_room() && self.pop().is_some() {
            lost += 1;
        }
        lost
    }

    fn push(&mut self, publish: Publish) {
        self.waiting_bytes += publish.payload.len();
        self.waiting.push_back(publish);
    }

    fn pop(&mut self) -> Option<Publish> {
        let publish = self.waiting.pop_front()?;
        self.waiting_bytes -= publish.payload.len();
        Some(publish)
    }

    fn write(&mut self, bytes: &mut BytesMut) -> u64 {
        bytes.unsplit(self.answers.split());
        let mut count = 0;
        while bytes.len() < WRITE_BYTES
            && let Some(publish) = self.next()
        {
            Packet::Publish(publish)
                .write(bytes, usize::MAX)
                .expect("it came in as a packet, so it fits into one");
            count += 1;
        }
        count
    }

    /// Returns the next message to write, under its packet id.
    fn next(&mut self) -> Option<Publish> {
        if let Some(again) = self.resend.pop_front() {
            return Some(again);
        }
        let is_full = self.unacknowledged.len() >= UNACKNOWLEDGED_MAX;
        if is_full && self.waiting.front()?.qos != QoS::AtMostOnce {
            return None;
        }
        let mut publish = self.pop()?;
        if publish.qos == QoS::AtMostOnce {
            publish.pkid = 0;
        } else {
            publish.pkid = self.free_packet();
            self.unacknowledged.push_back(publish.clone());
        }
        Some(publish)
    }

    fn free_packet(&mut self) -> u16 {
        loop {
            self.last_packet = self.last_packet.checked_add(1).unwrap_or(1);
            if self
                .unacknowledged
                .iter()
                .all(|publish| publish.pkid != self.last_packet)
            {
                return self.last_packet;
            }
        }
    }
}
