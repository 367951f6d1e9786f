//! How does a message get safely in?
//!
//! Limits first: what waits for the consumer is bounded in batches and in messages a batch. When it is full, reading
//! stops, the broker's own queue fills, and memory here stays flat; signs of life go on meanwhile, because a slow
//! consumer is no reason to lose the link. QoS 1 messages are acknowledged by the consumer, when it has made them durable;
//! until then the broker keeps them. All that is ready is taken at once, so a message costs no task switch of its own.

use super::acks::{AckTicket, Acker};
use super::backoff::Backoff;
use super::link::{Down, LinkOptions, OptionsError, chance};
use super::publisher::take_leave;
use bytes::Bytes;
use rumqttc::{
    AsyncClient, ConnAck, Event, EventLoop, Outgoing, Packet, PubAck, Publish, QoS, SubAck, Subscribe, SubscribeFilter,
    SubscribeReasonCode,
};
use std::collections::HashMap;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior};

/// Reports and batches that wait for the consumer before reading stops.
const EVENTS_WAITING: usize = 8;
/// Filters in one SUBSCRIBE packet: a packet of them stays far below any broker's limit.
const FILTERS_PER_PACKET: usize = 64;
/// From so many messages at once on the flow counts as dense.
const DENSE: usize = 8;
/// A dense flow is read again only after this pause: whatever came meanwhile is then one read, one batch for the consumer, one
/// write of acknowledgements. A door in the middle of it waits no longer than that; in a thin flow nothing waits.
const GATHER: Duration = Duration::from_millis(1);
/// The client's in-flight limit counts only what it publishes; this session publishes nothing.
const INFLIGHT_UNUSED: u16 = 1;

/// How a subscriber works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubscribeOptions {
    /// The broker.
    pub link: LinkOptions,
    /// The topic filters, each asked for at QoS 1. Name topics rather than whole trees.
    pub filters: Vec<String>,
    /// Whether the broker keeps the subscriptions and what they missed while the link was down.
    pub persistent: bool,
    /// The most messages in a batch.
    pub batch_max: usize,
}

impl SubscribeOptions {
    /// Returns the usual options: a persistent session, batches of up to 256 messages.
    pub fn new(link: LinkOptions, filters: Vec<String>) -> Self {
        Self {
            link,
            filters,
            persistent: true,
            batch_max: 256,
        }
    }

    fn check(&self) -> Result<(), OptionsError> {
        self.link.check()?;
        if self.filters.is_empty() {
            return Err(OptionsError::NoFilters);
        }
        match self.filters.iter().find(|filter| !rumqttc::valid_filter(filter)) {
            Some(filter) => Err(OptionsError::Filter(filter.clone())),
            None => Ok(()),
        }
    }
}

/// A message that came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inbound {
    /// Its topic.
    pub topic: String,
    /// Its bytes. They share the memory of what was read with them: decode soon, do not hoard.
    pub payload: Bytes,
    /// Whether the broker had kept it: then it says what was, not what happens now.
    pub retain: bool,
    /// Give this back when the message is durable.
    pub ticket: AckTicket,
}

/// What a subscriber reports, in the order in which it happened.
#[derive(Debug)]
pub enum SubscribeEvent {
    /// A connection is up and every subscription answered.
    Up {
        /// Which connection: 1 for the first.
        generation: u32,
        /// Whether the broker still had the session; if not, messages may have been missed.
        resumed: bool,
    },
    /// The broker refused a filter; the others hold.
    Refused {
        /// The filter.
        filter: String,
    },
    /// All the messages that were ready.
    Messages(Vec<Inbound>),
    /// The connection ended, or did not come up.
    Down(Down),
}

/// A subscribing link. It ends when it is stopped or dropped.
pub struct Subscriber {
    events: mpsc::Receiver<SubscribeEvent>,
    acker: Acker,
    task: JoinHandle<()>,
}

impl Subscriber {
    /// Starts to connect, in a task of its own on the current runtime.
    ///
    /// # Errors
    /// Options that cannot work.
    pub fn start(mut options: SubscribeOptions) -> Result<Self, OptionsError> {
        options.check()?;
        options.batch_max = options.batch_max.max(1);
        let (sender, events) = mpsc::channel(EVENTS_WAITING);
        let acker = Acker::default();
        let task = tokio::spawn(run(options, sender, acker.clone()));
        Ok(Self { events, acker, task })
    }

    /// Returns the next report; cancel-safe.
    pub async fn next(&mut self) -> Option<SubscribeEvent> {
        self.events.recv().await
    }

    /// Returns a hand to acknowledge with, which may be given to another thread.
    pub fn acker(&self) -> Acker {
        self.acker.clone()
    }

    /// Takes leave of the broker and ends. A persistent session stays at the broker.
    pub async fn stop(self) {
        drop(self.events);
        let _ = self.task.await;
    }
}

/// Connection after connection, until nobody listens.
async fn run(options: SubscribeOptions, events: mpsc::Sender<SubscribeEvent>, acker: Acker) {
    let mut backoff = Backoff::new(options.link.pauses);
    let mut generation = 0;
    let mut subscribed = false;
    loop {
        let (down, pause) = match connect(&options).await {
            Err(down) => (down, backoff.after_failure(chance())),
            Ok((client, mut eventloop, connack)) => {
                generation += 1;
                let up_since = Instant::now();
                acker.connected(generation, client);
                let mut session = Session::new(&options, &events, &acker, generation);
                // The first connection of a process subscribes even to a kept session: the filters may have changed.
                let resumed = connack.session_present && subscribed;
                let down = session.converse(&mut eventloop, resumed).await;
                subscribed |= session.is_up;
                acker.disconnected();
                if let Down::Stopped = down {
                    take_leave(&mut eventloop).await;
                    return;
                }
                session.pass_on_the_rest().await;
                (down, backoff.after_session(up_since.elapsed(), chance()))
            }
        };
        if events.send(SubscribeEvent::Down(down)).await.is_err() {
            return;
        }
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = events.closed() => return,
        }
    }
}

async fn connect(options: &SubscribeOptions) -> Result<(AsyncClient, EventLoop, ConnAck), Down> {
    let special = |mqtt: &mut rumqttc::MqttOptions| {
        mqtt.set_clean_session(!options.persistent);
        mqtt.set_manual_acks(true);
        mqtt.set_inflight(INFLIGHT_UNUSED);
    };
    let (client, mut eventloop) = options.link.client(special).await?;
    match tokio::time::timeout(options.link.watchdog(), eventloop.poll()).await {
        Err(_) => Err(Down::Silent(options.link.watchdog())),
        Ok(Err(e)) => Err(options.link.explain(e)),
        Ok(Ok(Event::Incoming(Packet::ConnAck(connack)))) => Ok((client, eventloop, connack)),
        Ok(Ok(event)) => Err(Down::Broken(format!(
            "the first event was {event:?}, not the broker's answer"
        ))),
    }
}

struct Session<'a> {
    options: &'a SubscribeOptions,
    events: &'a mpsc::Sender<SubscribeEvent>,
    acker: &'a Acker,
    generation: u32,
    /// What came in and was not yet handed over.
    ready: Vec<Inbound>,
    /// The filters of each SUBSCRIBE packet that is not answered.
    asked: HashMap<u16, Vec<String>>,
    refused: Vec<String>,
    is_up: bool,
    since: Instant,
    heard: Instant,
    acks_due: bool,
}

type Polled = Result<Event, rumqttc::ConnectionError>;

impl<'a> Session<'a> {
    fn new(
        options: &'a SubscribeOptions,
        events: &'a mpsc::Sender<SubscribeEvent>,
        acker: &'a Acker,
        generation: u32,
    ) -> Self {
        let (ready, asked, now) = (Vec::new(), HashMap::new(), Instant::now());
        let (since, heard) = (now, now);
        let refused = Vec::new();
        Self {
            options,
            events,
            acker,
            generation,
            ready,
            asked,
            refused,
            is_up: false,
            since,
            heard,
            acks_due: false,
        }
    }

    async fn converse(&mut self, eventloop: &mut EventLoop, resumed: bool) -> Down {
        match self.talk(eventloop, resumed).await {
            Ok(never) => match never {},
            Err(down) => down,
        }
    }

    async fn talk(&mut self, eventloop: &mut EventLoop, resumed: bool) -> Result<std::convert::Infallible, Down> {
        if resumed {
            self.announce(true).await?;
        } else {
            self.subscribe(eventloop).await?;
        }
        let mut watch = tokio::time::interval(self.options.link.watchdog().min(self.options.link.patience) / 4);
        watch.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let polled = {
                let mut poll = pin!(eventloop.poll());
                match at_once(poll.as_mut()).await {
                    Some(polled) => polled,
                    None => {
                        if self.ready.len() >= DENSE {
                            self.hand_over();
                            tokio::time::sleep(GATHER).await;
                        }
                        self.wait(poll, &mut watch).await?
                    }
                }
            };
            self.heard = Instant::now();
            self.handle(polled.map_err(|e| self.options.link.explain(e))?)?;
            while let Some(event) = eventloop.state.events.pop_front() {
                self.handle(event)?;
            }
            self.after_events(eventloop).await?;
        }
    }

    /// Waits for the client, handing over what is ready as soon as the consumer has room.
    async fn wait(
        &mut self,
        mut poll: Pin<&mut impl Future<Output = Polled>>,
        watch: &mut tokio::time::Interval,
    ) -> Result<Polled, Down> {
        self.hand_over();
        loop {
            tokio::select! {
                biased;
                polled = &mut poll => return Ok(polled),
                permit = self.events.reserve(), if !self.ready.is_empty() => {
                    permit.map_err(|_| Down::Stopped)?.send(SubscribeEvent::Messages(std::mem::take(&mut self.ready)));
                }
                _ = watch.tick() => self.check_patience()?,
                () = self.events.closed() => return Err(Down::Stopped),
            }
        }
    }

    async fn after_events(&mut self, eventloop: &mut EventLoop) -> Result<(), Down> {
        for filter in std::mem::take(&mut self.refused) {
            self.tell(SubscribeEvent::Refused { filter }).await?;
        }
        if !self.is_up && self.asked.is_empty() {
            self.announce(false).await?;
        }
        if std::mem::take(&mut self.acks_due) {
            self.write_acks(eventloop).await?;
        }
        if self.ready.len() >= self.options.batch_max {
            self.hand_over();
        }
        if self.ready.len() >= self.options.batch_max {
            self.wait_for_consumer(eventloop).await?;
        }
        Ok(())
    }

    fn handle(&mut self, event: Event) -> Result<(), Down> {
        match event {
            Event::Incoming(Packet::Publish(publish)) => self.take_in(publish),
            Event::Incoming(Packet::SubAck(suback)) => self.answered(suback)?,
            Event::Outgoing(Outgoing::PubAck(_)) => self.acks_due = true,
            _ => {}
        }
        Ok(())
    }

    fn take_in(&mut self, publish: Publish) {
        let Publish {
            topic,
            payload,
            retain,
            pkid,
            ..
        } = publish;
        let ticket = AckTicket {
            generation: self.generation,
            packet: pkid,
        };
        self.ready.push(Inbound {
            topic,
            payload,
            retain,
            ticket,
        });
    }

    /// Asks for all filters. The packets go straight to the connection: the client's request queue is for acknowledgements.
    async fn subscribe(&mut self, eventloop: &mut EventLoop) -> Result<(), Down> {
        for (packet, filters) in (1..).zip(self.options.filters.chunks(FILTERS_PER_PACKET)) {
            let wanted = filters
                .iter()
                .map(|filter| SubscribeFilter::new(filter.clone(), QoS::AtLeastOnce));
            let mut subscribe = Subscribe::new_many(wanted);
            subscribe.pkid = packet;
            self.asked.insert(packet, filters.to_vec());
            self.write(eventloop, [Packet::Subscribe(subscribe)]).await?;
        }
        Ok(())
    }

    fn answered(&mut self, suback: SubAck) -> Result<(), Down> {
        let packet = suback.pkid;
        let filters = self.asked.remove(&packet).ok_or(Down::Mismatch { packet })?;
        if filters.len() != suback.return_codes.len() {
            return Err(Down::Mismatch { packet });
        }
        let refused = filters
            .into_iter()
            .zip(suback.return_codes)
            .filter(|(_, code)| *code == SubscribeReasonCode::Failure);
        self.refused.extend(refused.map(|(filter, _)| filter));
        Ok(())
    }

    async fn announce(&mut self, resumed: bool) -> Result<(), Down> {
        self.is_up = true;
        self.tell(SubscribeEvent::Up {
            generation: self.generation,
            resumed,
        })
        .await
    }

    async fn tell(&mut self, event: SubscribeEvent) -> Result<(), Down> {
        self.events.send(event).await.map_err(|_| Down::Stopped)
    }

    /// Hands the batch over if the consumer has room.
    fn hand_over(&mut self) {
        if self.ready.is_empty() {
            return;
        }
        if let Ok(permit) = self.events.try_reserve() {
            permit.send(SubscribeEvent::Messages(std::mem::take(&mut self.ready)));
        }
    }

    /// Reads nothing until the consumer has room, but keeps the link alive.
    async fn wait_for_consumer(&mut self, eventloop: &mut EventLoop) -> Result<(), Down> {
        let permit = loop {
            tokio::select! {
                permit = self.events.reserve() => break permit.map_err(|_| Down::Stopped)?,
                () = tokio::time::sleep(self.options.link.keep_alive / 2) => {
                    self.write(eventloop, [Packet::PingReq]).await?;
                }
            }
        };
        permit.send(SubscribeEvent::Messages(std::mem::take(&mut self.ready)));
        // An answer to the client's own ping may be among what was not read, and must not be missed for that.
        eventloop.state.await_pingresp = false;
        Ok(())
    }

    /// Writes every acknowledgement that gathered, with one flush a round.
    async fn write_acks(&mut self, eventloop: &mut EventLoop) -> Result<(), Down> {
        loop {
            let packets = self.acker.take();
            if packets.is_empty() {
                return Ok(());
            }
            self.write(
                eventloop,
                packets.into_iter().map(|packet| Packet::PubAck(PubAck::new(packet))),
            )
            .await?;
        }
    }

    async fn write(&self, eventloop: &mut EventLoop, packets: impl IntoIterator<Item = Packet>) -> Result<(), Down> {
        let network = eventloop
            .network
            .as_mut()
            .ok_or_else(|| Down::Broken("no connection".into()))?;
        let writing = async {
            for packet in packets {
                network.write(packet).await?;
            }
            network.flush().await
        };
        match tokio::time::timeout(self.options.link.patience, writing).await {
            Err(_) => Err(Down::Silent(self.options.link.patience)),
            Ok(written) => written.map_err(|e| Down::Broken(e.to_string())),
        }
    }

    fn check_patience(&self) -> Result<(), Down> {
        if !self.is_up && self.since.elapsed() >= self.options.link.patience {
            return Err(Down::Unsubscribed(self.options.link.patience));
        }
        if self.heard.elapsed() >= self.options.link.watchdog() {
            return Err(Down::Silent(self.options.link.watchdog()));
        }
        Ok(())
    }

    /// Passes on what had come in before the connection ended; QoS 0 messages come only once.
    async fn pass_on_the_rest(&mut self) {
        if !self.ready.is_empty() {
            let rest = SubscribeEvent::Messages(std::mem::take(&mut self.ready));
            let _ = self.events.send(rest).await;
        }
    }
}

/// Polls once: what is ready now, or nothing.
async fn at_once<F: Future>(mut future: Pin<&mut F>) -> Option<F::Output> {
    poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => Poll::Ready(None),
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_no_broker_would_accept_are_refused_with_their_text() {
        let link = LinkOptions::new("broker.test", 1883, "inn");
        let check = |filters: &[&str]| {
            SubscribeOptions::new(link.clone(), filters.iter().map(|f| f.to_string()).collect()).check()
        };
        assert_eq!(check(&["a/+/c", "b/#"]), Ok(()));
        assert_eq!(check(&[]), Err(OptionsError::NoFilters));
        assert_eq!(check(&["a/b#"]), Err(OptionsError::Filter("a/b#".into())));
        assert_eq!(check(&["a", "#/b"]), Err(OptionsError::Filter("#/b".into())));
    }
}
