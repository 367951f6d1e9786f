//! How does the outbox go to central over MQTT, and how do central's words come in?
//!
//! Two sessions with the broker: one publishes (clean, its own client id: the outbox is what remembers), one listens
//! (kept by the broker while we are away; a message is acknowledged when the owner has made its effect durable). Between
//! them [`Dispatch`] decides the order. This file only moves things: pages from the owner to the dispatch, picks from
//! there to the wire, acknowledgements back.

use super::dispatch::{AckMode, Dispatch, DispatchCounts, Pick, Wanted};
use super::feed::{Arrival, ArrivalToken, Entry, Feed, FromLink, LinkNews, OwnerGone, ReadRequest};
use super::inbound::{Inbound, down_filters, receive};
use super::message::{UP_BYTES_MAX, up_topic};
use super::rejection::Reason;
use crate::model::{Moment, PropertyId};
use crate::mqtt::{
    Acker, Inbound as Received, Lane, LaneError, LinkOptions, OptionsError, PublishEvent, PublishOptions, Publisher,
    SubscribeEvent, SubscribeOptions, Subscriber,
};
use bytes::Bytes;
use std::collections::BTreeMap;
use std::future::{Future, pending, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;

/// Messages that may be under way to central: at 50 ms there and back, 4,000 a second; at 10 Mbit/s they hold up an
/// emergency for a quarter of a second at most.
const WINDOW: u16 = 200;
/// Reports of the publisher that are taken at once, so that the owner hears of acknowledgements in batches.
const REPORTS_AT_ONCE: usize = 256;
/// A disk that could not be read is not asked again at once.
const READ_AGAIN_AFTER: Duration = Duration::from_secs(1);
/// How often waits for central's acknowledgement are looked at; they are seconds long.
const WAITS_EVERY: Duration = Duration::from_millis(500);

/// How the link to central works.
#[derive(Debug, Clone)]
pub struct UplinkOptions {
    /// This property.
    pub property: PropertyId,
    /// The publishing session.
    pub publish: PublishOptions,
    /// The listening session.
    pub listen: LinkOptions,
    /// When an entry leaves the outbox.
    pub ack: AckMode,
    /// Tells the time; messages expire by it.
    pub clock: fn() -> Moment,
}

impl UplinkOptions {
    /// Returns the usual options for a broker: the link's client id is used with `-up` and `-down` behind it.
    pub fn new(property: PropertyId, link: LinkOptions, ack: AckMode, clock: fn() -> Moment) -> Self {
        let named = |suffix: &str| LinkOptions {
            client_id: format!("{}-{suffix}", link.client_id),
            ..link.clone()
        };
        Self {
            property,
            publish: PublishOptions {
                window: WINDOW,
                ..PublishOptions::new(named("up"))
            },
            listen: named("down"),
            ack,
            clock,
        }
    }
}

/// How the link stands and what it has counted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Standing {
    /// Whether messages can go out.
    pub sending: bool,
    /// Whether central can be heard.
    pub listening: bool,
    /// Why the last session ended.
    pub last_down: Option<String>,
    /// What went out.
    pub counts: DispatchCounts,
    /// Messages that await an acknowledgement.
    pub outstanding: usize,
    /// Messages from central that were taken.
    pub taken: u64,
    /// Messages from central that were not, by reason.
    pub refused: BTreeMap<Reason, u64>,
}

/// The running link. It ends when it is stopped or dropped, or when the owner's queue is closed.
#[derive(Debug)]
pub struct Uplink {
    standing: watch::Receiver<Standing>,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Uplink {
    /// Starts the link, in tasks of the current runtime.
    ///
    /// # Errors
    /// Options that cannot work.
    pub fn start<T>(options: UplinkOptions, feed: Feed<T>) -> Result<Self, OptionsError>
    where
        T: From<FromLink> + Send + 'static,
    {
        let window = usize::from(options.publish.window);
        let filters = down_filters(&options.property);
        let publisher = Publisher::start(options.publish)?;
        let subscriber = Subscriber::start(SubscribeOptions::new(options.listen, filters))?;
        let (standing, seen) = watch::channel(Standing::default());
        let (stop, stopped) = oneshot::channel();
        let link = Link {
            property: options.property,
            clock: options.clock,
            waits: options.ack != AckMode::Broker,
            acker: subscriber.acker(),
            dispatch: Dispatch::new(options.ack, window),
            feed,
            lane: None,
            blocked: None,
            reading: None,
            standing,
        };
        let task = tokio::spawn(link.run(publisher, subscriber, stopped));
        Ok(Self {
            standing: seen,
            stop,
            task,
        })
    }

    /// Returns how the link stands; the receiver hears of every change.
    pub fn standing(&self) -> watch::Receiver<Standing> {
        self.standing.clone()
    }

    /// Takes leave of the broker and ends. What is not acknowledged stays in the outbox.
    pub async fn stop(self) {
        let _ = self.stop.send(());
        let _ = self.task.await;
    }
}

struct Link<T> {
    property: PropertyId,
    clock: fn() -> Moment,
    /// Whether central's own acknowledgements are waited for.
    waits: bool,
    acker: Acker,
    dispatch: Dispatch,
    feed: Feed<T>,
    lane: Option<Lane>,
    /// What the lane had no room for.
    blocked: Option<Outgoing>,
    reading: Option<(Wanted, oneshot::Receiver<Vec<Entry>>)>,
    standing: watch::Sender<Standing>,
}

struct Outgoing {
    ticket: u64,
    topic: String,
    payload: Bytes,
}

impl<T: From<FromLink>> Link<T> {
    async fn run(mut self, mut publisher: Publisher, mut subscriber: Subscriber, stop: oneshot::Receiver<()>) {
        tokio::select! {
            // The owner ends first when the daemon stops; that is no fault.
            Err(OwnerGone) = self.work(&mut publisher, &mut subscriber) => {}
            _ = stop => {}
        }
        tokio::join!(publisher.stop(), subscriber.stop());
    }

    async fn work(
        &mut self,
        publisher: &mut Publisher,
        subscriber: &mut Subscriber,
    ) -> Result<std::convert::Infallible, OwnerGone> {
        let mut waits = tokio::time::interval(WAITS_EVERY);
        waits.set_missed_tick_behavior(MissedTickBehavior::Delay);
        self.dispatch.reaches(*self.feed.last.borrow_and_update());
        let mut not_before = tokio::time::Instant::now();
        loop {
            let may_read = tokio::time::Instant::now() >= not_before;
            self.advance(may_read).await?;
            tokio::select! {
                () = tokio::time::sleep_until(not_before), if !may_read => {}
                event = publisher.next() => {
                    self.heard(event.ok_or(OwnerGone)?).await?;
                    for _ in 0..REPORTS_AT_ONCE {
                        let Some(event) = at_once(publisher.next()).await else { break };
                        self.heard(event.ok_or(OwnerGone)?).await?;
                    }
                }
                event = subscriber.next() => self.listened(event.ok_or(OwnerGone)?).await?,
                page = page_of(&mut self.reading) => {
                    let (wanted, _) = self.reading.take().expect("a page comes only when one was asked for");
                    match page {
                        Some(entries) => self.dispatch.take_page(wanted, entries),
                        None => not_before = tokio::time::Instant::now() + READ_AGAIN_AFTER,
                    }
                }
                changed = self.feed.last.changed() => {
                    changed.map_err(|_| OwnerGone)?;
                    self.dispatch.reaches(*self.feed.last.borrow_and_update());
                }
                _ = waits.tick(), if self.waits && self.dispatch.outstanding() > 0 => {
                    self.dispatch.expire_waits((self.clock)());
                }
            }
        }
    }

    /// Tells the owner what is settled, asks for what is wanted next, and sends what may go: in this order, so that a page
    /// never holds what was settled before it was asked for.
    async fn advance(&mut self, may_read: bool) -> Result<(), OwnerGone> {
        self.send_all();
        let settled = self.dispatch.take_settled();
        if !settled.is_empty() {
            self.feed.tell(FromLink::Settled(settled)).await?;
        }
        if self.reading.is_none()
            && may_read
            && let Some(wanted) = self.dispatch.wanted()
        {
            let (answer, page) = oneshot::channel();
            let limit = super::dispatch::PAGE;
            self.feed
                .tell(FromLink::Read(ReadRequest {
                    class: wanted.class,
                    after: wanted.after,
                    limit,
                    answer,
                }))
                .await?;
            self.reading = Some((wanted, page));
        }
        let (counts, outstanding) = (self.dispatch.counts(), self.dispatch.outstanding());
        self.standing.send_if_modified(|standing| {
            let changed = standing.counts != counts || standing.outstanding != outstanding;
            (standing.counts, standing.outstanding) = (counts, outstanding);
            changed
        });
        Ok(())
    }

    fn send_all(&mut self) {
        if let Some(blocked) = self.blocked.take() {
            self.send(blocked);
        }
        while self.lane.is_some() && self.blocked.is_none() {
            let Some(Pick { ticket, entry }) = self.dispatch.next((self.clock)()) else {
                return;
            };
            let payload = entry.message.encode(&self.property);
            if payload.len() > UP_BYTES_MAX {
                let why = format!(
                    "{} bytes, more than the {UP_BYTES_MAX} a message may have",
                    payload.len()
                );
                self.dispatch.unsendable(ticket, why);
                continue;
            }
            let topic = up_topic(&self.property, entry.message.stream);
            self.send(Outgoing {
                ticket,
                topic,
                payload: payload.into(),
            });
        }
    }

    fn send(&mut self, out: Outgoing) {
        let Some(lane) = &self.lane else { return };
        match lane.try_send(out.ticket, out.topic.as_str(), out.payload.clone()) {
            Ok(()) => {}
            Err(LaneError::Full) => self.blocked = Some(out),
            // The report of the session's end is on its way, and returns what was under way.
            Err(LaneError::Ended) => self.lane = None,
            Err(fault) => self.dispatch.unsendable(out.ticket, fault.to_string()),
        }
    }

    async fn heard(&mut self, event: PublishEvent) -> Result<(), OwnerGone> {
        match event {
            PublishEvent::Delivered(ticket) => self.dispatch.delivered(ticket),
            PublishEvent::Poison(ticket) => self.dispatch.poison(ticket),
            PublishEvent::Up(lane) => {
                self.lane = Some(lane);
                self.dispatch.session_began();
                self.standing.send_modify(|standing| standing.sending = true);
                self.feed.tell(FromLink::Link(LinkNews::Up)).await?;
            }
            PublishEvent::Down(down) => {
                let (lane, words) = (self.lane.take(), down.to_string());
                self.blocked = None;
                self.dispatch.session_ended();
                let was_up = lane.is_some() || self.standing.borrow().sending;
                let is_news = was_up || self.standing.borrow().last_down.as_ref() != Some(&words);
                self.standing.send_modify(|standing| {
                    standing.sending = false;
                    standing.last_down = Some(words.clone());
                });
                if is_news {
                    self.feed.tell(FromLink::Link(LinkNews::Down(words))).await?;
                }
            }
        }
        Ok(())
    }

    async fn listened(&mut self, event: SubscribeEvent) -> Result<(), OwnerGone> {
        match event {
            SubscribeEvent::Up { .. } => self.standing.send_modify(|standing| standing.listening = true),
            SubscribeEvent::Down(_) => self.standing.send_modify(|standing| standing.listening = false),
            SubscribeEvent::Refused { filter } => {
                tracing::error!(%filter, "central's broker does not let us listen; check this client's rights there");
            }
            SubscribeEvent::Messages(messages) => self.take_in(messages).await?,
        }
        Ok(())
    }

    /// Hands a whole batch to the owner with one token: MQTT wants acknowledgements in the order of arrival, and that
    /// of a refused message must not overtake that of an event that is still being made durable.
    async fn take_in(&mut self, messages: Vec<Received>) -> Result<(), OwnerGone> {
        let (mut events, mut refused) = (Vec::new(), Vec::new());
        let tickets = messages.iter().map(|message| message.ticket).collect();
        let now = (self.clock)();
        for message in &messages {
            match receive(&self.property, &message.topic, message.retain, &message.payload, now) {
                Ok(Inbound::Event(event)) => events.push(event),
                Ok(Inbound::Ack(ack)) => self.dispatch.acknowledged(ack),
                Err(fault) => refused.push(fault),
            }
        }
        self.standing.send_modify(|standing| {
            standing.taken += (messages.len() - refused.len()) as u64;
            for fault in &refused {
                *standing.refused.entry(fault.reason).or_default() += 1;
            }
        });
        let token = ArrivalToken {
            acker: self.acker.clone(),
            tickets,
        };
        self.feed
            .tell(FromLink::Arrived(Arrival { events, refused, token }))
            .await
    }
}

/// Waits for the page that was asked for, for ever when none was; returns none when the outbox could not be read.
async fn page_of(reading: &mut Option<(Wanted, oneshot::Receiver<Vec<Entry>>)>) -> Option<Vec<Entry>> {
    match reading {
        Some((_, page)) => page.await.ok(),
        None => pending().await,
    }
}

/// Polls once: what is ready now, or nothing.
async fn at_once<F: Future>(future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => Poll::Ready(None),
    })
    .await
}

#[cfg(test)]
#[cfg(feature = "demo")]
mod tests;
