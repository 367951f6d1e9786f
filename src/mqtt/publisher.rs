//! How does a message get safely out?
//!
//! The caller owns its messages and keeps them until they are delivered. With every session it is handed a [`Lane`]; it
//! puts messages on it from its first undelivered one on, each under a ticket, and hears [`PublishEvent::Delivered`]
//! when the broker has acknowledged it. When a session ends, what was not delivered is forgotten here, the lane is dead,
//! and the caller begins again with the next one: nothing of an old session can slip into a new one.
//! A message may so arrive twice, never not at all; it must carry an id of its own.

use super::backoff::Backoff;
use super::ledger::{AckOrder, Ledger};
use super::link::{Down, LinkOptions, OptionsError, chance};
use super::poison::Suspicion;
use bytes::Bytes;
use rumqttc::{AsyncClient, Event, EventLoop, Outgoing, Packet, QoS};
use std::pin::pin;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior};

/// Messages a caller can put on the lane before it waits.
const LANE_MESSAGES: usize = 64;
/// Reports that wait for the caller; beyond, the window closes until it listens.
const EVENTS_WAITING: usize = 256;
/// The largest window; larger ones gain nothing and packet ids end at 65,535.
const WINDOW_MAX: u16 = 10_000;
/// Bytes a publish needs beside topic and payload: kind, length (4), topic length (2), packet id (2).
const ENVELOPE_BYTES: usize = 9;
/// The longest topic MQTT can carry.
const TOPIC_BYTES_MAX: usize = 65_535;

/// How a publisher works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishOptions {
    /// The broker.
    pub link: LinkOptions,
    /// How many messages may be under way.
    pub window: u16,
    /// How long the broker may take to acknowledge a message.
    pub acknowledge_within: Duration,
    /// In which order acknowledgements are accepted.
    pub ack_order: AckOrder,
    /// After how many ended sessions in a row a message is reported as poison; at least 2.
    pub strikes_max: u32,
}

impl PublishOptions {
    /// Returns the usual options: window 60, acknowledgement within 30 s and in order, poison after 5 sessions.
    pub fn new(link: LinkOptions) -> Self {
        let acknowledge_within = Duration::from_secs(30);
        Self {
            link,
            window: 60,
            acknowledge_within,
            ack_order: AckOrder::AsSent,
            strikes_max: 5,
        }
    }

    fn check(&self) -> Result<(), OptionsError> {
        self.link.check()?;
        if self.window == 0 || self.window > WINDOW_MAX {
            return Err(OptionsError::Window(self.window));
        }
        Ok(())
    }
}

/// What a publisher reports.
#[derive(Debug)]
pub enum PublishEvent {
    /// A session is up; this is its lane.
    Up(Lane),
    /// The broker has acknowledged the message of this ticket.
    Delivered(u64),
    /// The session ended, or did not come up. What was not delivered is to be sent again.
    Down(Down),
    /// The message of this ticket was alone on the wire when several sessions in a row ended. A very bad line looks
    /// the same: set the message aside and try it last, do not throw it away.
    Poison(u64),
}

/// The way into one session.
#[derive(Debug, Clone)]
pub struct Lane {
    messages: mpsc::Sender<Message>,
    packet_bytes_max: usize,
}

/// Why a message was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LaneError {
    /// The session has ended; the next comes with a new lane.
    #[error("the session has ended")]
    Ended,
    /// The lane is full; only `try_send` says so.
    #[error("the lane is full")]
    Full,
    /// The message would never fit.
    #[error("the message needs {bytes} bytes, more than the {bytes_max} a packet may have")]
    Oversize {
        /// What it needs.
        bytes: usize,
        /// The limit.
        bytes_max: usize,
    },
    /// The topic cannot be published to.
    #[error("{0:?} is no topic to publish to; it must not be empty nor contain +, # or NUL")]
    Topic(String),
}

#[derive(Debug)]
struct Message {
    ticket: u64,
    topic: String,
    payload: Bytes,
}

impl Lane {
    /// Puts a message on the lane; waits while it is full.
    ///
    /// # Errors
    /// [`LaneError`], never `Full`.
    pub async fn send(&self, ticket: u64, topic: impl Into<String>, payload: Bytes) -> Result<(), LaneError> {
        let message = self.message(ticket, topic.into(), payload)?;
        self.messages.send(message).await.map_err(|_| LaneError::Ended)
    }

    /// Puts a message on the lane if there is room.
    ///
    /// # Errors
    /// [`LaneError`].
    pub fn try_send(&self, ticket: u64, topic: impl Into<String>, payload: Bytes) -> Result<(), LaneError> {
        let message = self.message(ticket, topic.into(), payload)?;
        self.messages.try_send(message).map_err(|e| match e {
            mpsc::error::TrySendError::Full(_) => LaneError::Full,
            mpsc::error::TrySendError::Closed(_) => LaneError::Ended,
        })
    }

    /// Refuses here what the client would store, fail to write, and fail with again in every session.
    fn message(&self, ticket: u64, topic: String, payload: Bytes) -> Result<Message, LaneError> {
        if topic.is_empty() || topic.len() > TOPIC_BYTES_MAX || topic.contains(['+', '#', '\0']) {
            return Err(LaneError::Topic(topic));
        }
        let bytes = ENVELOPE_BYTES + topic.len() + payload.len();
        if bytes > self.packet_bytes_max {
            return Err(LaneError::Oversize {
                bytes,
                bytes_max: self.packet_bytes_max,
            });
        }
        Ok(Message { ticket, topic, payload })
    }
}

/// A publishing link. It ends when it is stopped or dropped.
#[derive(Debug)]
pub struct Publisher {
    events: mpsc::Receiver<PublishEvent>,
    task: JoinHandle<()>,
}

impl Publisher {
    /// Starts to connect, in a task of its own on the current runtime.
    ///
    /// # Errors
    /// Options that cannot work.
    pub fn start(options: PublishOptions) -> Result<Self, OptionsError> {
        options.check()?;
        let (sender, events) = mpsc::channel(EVENTS_WAITING);
        let task = tokio::spawn(run(options, sender));
        Ok(Self { events, task })
    }

    /// Returns the next report; cancel-safe.
    pub async fn next(&mut self) -> Option<PublishEvent> {
        self.events.recv().await
    }

    /// Takes leave of the broker and ends.
    pub async fn stop(self) {
        drop(self.events);
        let _ = self.task.await;
    }
}

/// Session after session, until nobody listens.
async fn run(options: PublishOptions, events: mpsc::Sender<PublishEvent>) {
    let mut backoff = Backoff::new(options.link.pauses);
    let mut suspicion = Suspicion::new(options.strikes_max);
    loop {
        let (down, pause) = match connect(&options).await {
            Err(down) => (down, backoff.after_failure(chance())),
            Ok((client, eventloop)) => {
                let up_since = Instant::now();
                let down = session(&options, client, eventloop, &events, &mut suspicion).await;
                (down, backoff.after_session(up_since.elapsed(), chance()))
            }
        };
        if events.send(PublishEvent::Down(down)).await.is_err() {
            return;
        }
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = events.closed() => return,
        }
    }
}

async fn connect(options: &PublishOptions) -> Result<(AsyncClient, EventLoop), Down> {
    let special = |mqtt: &mut rumqttc::MqttOptions| {
        mqtt.set_clean_session(true);
        // One id more than the window can span: a new id never meets one that is still awaited.
        mqtt.set_inflight(options.window + 1);
    };
    let (client, mut eventloop) = options.link.client(special).await?;
    match tokio::time::timeout(options.link.watchdog(), eventloop.poll()).await {
        Err(_) => Err(Down::Silent(options.link.watchdog())),
        Ok(Err(e)) => Err(options.link.explain(e)),
        Ok(Ok(_connack)) => Ok((client, eventloop)),
    }
}

/// One session from its lane to its end.
async fn session(
    options: &PublishOptions,
    client: AsyncClient,
    mut eventloop: EventLoop,
    events: &mpsc::Sender<PublishEvent>,
    suspicion: &mut Suspicion,
) -> Down {
    let (sender, lane) = mpsc::channel(LANE_MESSAGES);
    let up = Lane {
        messages: sender,
        packet_bytes_max: options.link.packet_bytes_max,
    };
    if events.send(PublishEvent::Up(up)).await.is_err() {
        return Down::Stopped;
    }
    let ledger = Ledger::new(options.ack_order);
    let heard = Instant::now();
    let mut session = Session {
        options,
        client,
        lane,
        lane_is_open: true,
        events,
        ledger,
        suspicion,
        heard,
    };
    let down = session.converse(&mut eventloop).await;
    session.finish(eventloop, &down).await;
    down
}

struct Session<'a> {
    options: &'a PublishOptions,
    client: AsyncClient,
    lane: mpsc::Receiver<Message>,
    /// Whether the caller still holds its end.
    lane_is_open: bool,
    events: &'a mpsc::Sender<PublishEvent>,
    ledger: Ledger,
    suspicion: &'a mut Suspicion,
    heard: Instant,
}

impl Session<'_> {
    async fn converse(&mut self, eventloop: &mut EventLoop) -> Down {
        let mut watch = tokio::time::interval(self.options.link.watchdog().min(self.options.acknowledge_within) / 8);
        watch.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let polled = {
                let mut poll = pin!(eventloop.poll());
                loop {
                    tokio::select! {
                        biased;
                        polled = &mut poll => break polled,
                        _ = watch.tick() => if let Err(down) = self.check_patience() { return down },
                        permit = self.events.reserve(), if self.ledger.delivered().is_some() => match permit {
                            Ok(_) => self.report(),
                            Err(_) => return Down::Stopped,
                        },
                        message = self.lane.recv(), if self.lane_is_open && self.has_room() => match message {
                            Some(message) => if let Err(down) = self.hand_over(message) { return down },
                            None => self.lane_is_open = false,
                        },
                        () = self.events.closed() => return Down::Stopped,
                    }
                }
            };
            let handled = match polled {
                Ok(event) => self.handle(event),
                Err(e) => Err(self.options.link.explain(e)),
            };
            if let Err(down) = handled.and_then(|()| self.catch_up(eventloop)) {
                return down;
            }
        }
    }

    /// Handles what the last poll read beside its first event, reports, and fills the window again.
    fn catch_up(&mut self, eventloop: &mut EventLoop) -> Result<(), Down> {
        while let Some(event) = eventloop.state.events.pop_front() {
            self.handle(event)?;
        }
        self.report();
        while self.has_room()
            && let Ok(message) = self.lane.try_recv()
        {
            self.hand_over(message)?;
        }
        Ok(())
    }

    fn has_room(&self) -> bool {
        let window = if self.suspicion.is_alone() {
            1
        } else {
            usize::from(self.options.window)
        };
        self.ledger.len() < window
    }

    /// Gives a message to the client, whose queue is longer than the window.
    fn hand_over(&mut self, message: Message) -> Result<(), Down> {
        self.ledger.queue(message.ticket);
        let payload = Vec::from(message.payload);
        let handed = self.client.try_publish(message.topic, QoS::AtLeastOnce, false, payload);
        handed.map_err(|e| Down::Broken(e.to_string()))
    }

    fn handle(&mut self, event: Event) -> Result<(), Down> {
        self.heard = Instant::now();
        match event {
            Event::Outgoing(Outgoing::Publish(packet)) => self.ledger.written(packet, self.heard),
            Event::Outgoing(Outgoing::AwaitAck(packet)) => Err(Down::Mismatch { packet }),
            Event::Incoming(Packet::PubAck(ack)) => {
                let ticket = self.ledger.acknowledged(ack.pkid)?;
                self.suspicion.delivered(ticket);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Reports what is delivered, as far as the caller listens.
    fn report(&mut self) {
        while let Some(ticket) = self.ledger.delivered() {
            if self.events.try_send(PublishEvent::Delivered(ticket)).is_err() {
                return;
            }
            self.ledger.reported();
        }
    }

    fn check_patience(&self) -> Result<(), Down> {
        if self.heard.elapsed() >= self.options.link.watchdog() {
            return Err(Down::Silent(self.options.link.watchdog()));
        }
        match self.ledger.head() {
            Some((_, at)) if at.elapsed() >= self.options.acknowledge_within => {
                Err(Down::Unacknowledged(self.options.acknowledge_within))
            }
            _ => Ok(()),
        }
    }

    /// Reports the rest, closes the lane, and takes leave where the broker still listens.
    async fn finish(mut self, mut eventloop: EventLoop, down: &Down) {
        self.lane.close();
        while let Some(ticket) = self.ledger.delivered() {
            if self.events.send(PublishEvent::Delivered(ticket)).await.is_err() {
                break;
            }
            self.ledger.reported();
        }
        if let Down::Stopped = down {
            take_leave(&mut eventloop).await;
        } else if let Some(ticket) = self
            .suspicion
            .session_ended(self.ledger.head().map(|(ticket, _)| ticket))
        {
            let _ = self.events.send(PublishEvent::Poison(ticket)).await;
        }
    }
}

/// Tells the broker that we go; a peer that does not read is not waited for.
pub(super) async fn take_leave(eventloop: &mut EventLoop) {
    /// Long enough for a broker that lives, short enough not to hold up the end of the daemon.
    const LEAVE_WITHIN: Duration = Duration::from_millis(500);
    let Some(network) = eventloop.network.as_mut() else {
        return;
    };
    let leave = async {
        network.write(Packet::Disconnect).await?;
        network.flush().await
    };
    let _ = tokio::time::timeout(LEAVE_WITHIN, leave).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_never_fit_is_refused_before_it_is_queued() {
        let (messages, mut taken) = mpsc::channel(4);
        let lane = Lane {
            messages,
            packet_bytes_max: 100,
        };
        let fits = Bytes::from(vec![0; 100 - ENVELOPE_BYTES - 5]);
        assert_eq!(lane.try_send(1, "a/b/c", fits.clone()), Ok(()));
        let refused = lane.try_send(2, "a/b/cd", fits);
        assert_eq!(
            refused,
            Err(LaneError::Oversize {
                bytes: 101,
                bytes_max: 100
            })
        );
        for topic in ["", "a/+", "a/#", "a\0"] {
            assert_eq!(
                lane.try_send(3, topic, Bytes::new()),
                Err(LaneError::Topic(topic.into()))
            );
        }
        assert_eq!(taken.try_recv().unwrap().ticket, 1);
        assert!(taken.try_recv().is_err());
    }

    #[test]
    fn a_window_that_packet_ids_cannot_span_is_refused() {
        let mut options = PublishOptions::new(LinkOptions::new("broker.test", 1883, "inn"));
        for window in [0, WINDOW_MAX + 1] {
            options.window = window;
            assert_eq!(options.check(), Err(OptionsError::Window(window)));
        }
    }
}
