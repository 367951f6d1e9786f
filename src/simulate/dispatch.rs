//! What does central's dispatch do with what it hears?
//!
//! It takes every request on, has it done after a time that fits the need, and says so; it answers emergencies at once; it
//! tells the property of stays and guests. All of it over a real broker, with the reference central's own book of gaps and
//! doubles. What it heard is kept, so that a story or a test can look.

use crate::model::{
    Item, Moment, Need, Prior, PropertyId, Report, RequestId, RequestState, RequestStatus, RoomId, Span, StatusNotice,
    StayNotice,
};
use crate::mqtt::{
    Inbound, Lane, LinkOptions, OptionsError, PublishEvent, PublishOptions, Publisher, SubscribeEvent,
    SubscribeOptions, Subscriber,
};
use crate::uplink::central::{Acknowledge, Book, Figures, Verdict};
use crate::uplink::{AckNotice, DownEnvelope, DownKind, Received, UpData, down_topic, receive_up, up_filters};
use bytes::Bytes;
use serde::Serialize;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// Messages to the property that wait for the broker.
const WAITING_MAX: usize = 10_000;
/// Messages heard that are kept.
const HEARD_MAX: usize = 100_000;
/// How often work that is done is looked for, in real time.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Something that central heard.
#[derive(Debug, Clone)]
pub struct Heard {
    /// When.
    pub at: Moment,
    /// What.
    pub received: Received,
    /// New, or again.
    pub verdict: Verdict,
}

/// What central told the property.
#[derive(Debug, Clone, PartialEq)]
pub struct Said {
    /// When.
    pub at: Moment,
    /// About what.
    pub notice: StatusNotice,
}

#[derive(Default)]
struct Records {
    book: Book,
    heard: Vec<Heard>,
    said: Vec<Said>,
    rejected: Vec<String>,
}

/// A running dispatch. It ends when dropped.
pub struct Dispatch {
    records: Arc<Mutex<Records>>,
    property: PropertyId,
    clock: fn() -> Moment,
    letters: mpsc::Sender<Letter>,
    task: JoinHandle<()>,
}

/// A message on its way to the property.
#[derive(Debug, Clone)]
struct Letter {
    topic: String,
    payload: Bytes,
}

impl Dispatch {
    /// Starts to listen and to answer. The link's client id is used with `-hears` and `-says` behind it.
    ///
    /// # Errors
    /// Options that cannot work.
    pub fn start(link: LinkOptions, property: PropertyId, clock: fn() -> Moment) -> Result<Self, OptionsError> {
        let named = |suffix: &str| LinkOptions {
            client_id: format!("{}-{suffix}", link.client_id),
            ..link.clone()
        };
        let subscriber = Subscriber::start(SubscribeOptions::new(named("hears"), up_filters(Some(&property))))?;
        let publisher = Publisher::start(PublishOptions::new(named("says")))?;
        let records = Arc::new(Mutex::new(Records::default()));
        let (letters, post) = mpsc::channel(WAITING_MAX);
        let desk = Desk {
            records: records.clone(),
            property: property.clone(),
            clock,
            work: BTreeMap::new(),
            waiting: VecDeque::new(),
            under_way: BTreeMap::new(),
            lane: None,
            next_ticket: 1,
        };
        let task = tokio::spawn(desk.run(subscriber, publisher, post));
        Ok(Self {
            records,
            property,
            clock,
            letters,
            task,
        })
    }

    /// Tells the property of a stay.
    pub async fn stay(&self, stay: StayNotice) {
        self.send(DownKind::Stay, format!("{}-{}", stay.stay, stay.version), stay)
            .await;
    }

    /// Tells the property what is known of a guest.
    pub async fn prior(&self, prior: Prior) {
        self.send(
            DownKind::Prior,
            format!("{}-{}", prior.guest, (self.clock)().millis()),
            prior,
        )
        .await;
    }

    /// A guest ordered something themselves, and it was brought.
    pub async fn brought(&self, order: RequestId, room: RoomId, item: Item) {
        let (status, at) = (RequestStatus::Done, Some((self.clock)()));
        let notice = StatusNotice {
            request: order,
            status,
            room: Some(room),
            item: Some(item),
            at,
            reason: None,
        };
        self.send(DownKind::RequestStatus, format!("{}-done", notice.request), notice)
            .await;
    }

    /// What was heard, from the n-th message on.
    pub fn heard_since(&self, n: usize) -> Vec<Heard> {
        lock(&self.records)
            .heard
            .get(n..)
            .map(<[Heard]>::to_vec)
            .unwrap_or_default()
    }

    /// What was said of requests, from the n-th time on.
    pub fn said_since(&self, n: usize) -> Vec<Said> {
        lock(&self.records)
            .said
            .get(n..)
            .map(<[Said]>::to_vec)
            .unwrap_or_default()
    }

    /// Gaps and doubles so far.
    pub fn figures(&self) -> Figures {
        lock(&self.records).book.figures()
    }

    /// Messages that were not as the contract says.
    pub fn rejected(&self) -> Vec<String> {
        lock(&self.records).rejected.clone()
    }

    async fn send<T: Serialize>(&self, kind: DownKind, id: String, data: T) {
        let _ = self
            .letters
            .send(letter(&self.property, kind, id, (self.clock)(), data))
            .await;
    }
}

impl Drop for Dispatch {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn letter<T: Serialize>(property: &PropertyId, kind: DownKind, id: String, now: Moment, data: T) -> Letter {
    let payload = DownEnvelope::wrap(id, "/central/simulated", kind, now, data)
        .encode()
        .into();
    Letter {
        topic: down_topic(property, kind),
        payload,
    }
}

fn lock(records: &Mutex<Records>) -> MutexGuard<'_, Records> {
    records.lock().expect("nothing panics while it holds what was heard")
}

/// How long work takes, by the need. An emergency is taken on at once; that it is over, the device says.
fn takes(need: Need) -> Option<Span> {
    match need {
        Need::ArrivalItems => Some(Span::minutes(25)),
        Need::Routine => Some(Span::minutes(8)),
        Need::MakeUpRoom => Some(Span::minutes(40)),
        Need::CannotReach | Need::DeviceOffline | Need::Battery | Need::SensorFault => Some(Span::minutes(50)),
        Need::Welfare | Need::UnsoldOccupied => Some(Span::minutes(15)),
        Need::Emergency => None,
    }
}

struct Desk {
    records: Arc<Mutex<Records>>,
    property: PropertyId,
    clock: fn() -> Moment,
    /// What is being worked at: what it takes, and when it will be done; none while it must wait.
    work: BTreeMap<RequestId, (Span, Option<Moment>)>,
    waiting: VecDeque<Letter>,
    under_way: BTreeMap<u64, Letter>,
    lane: Option<Lane>,
    next_ticket: u64,
}

impl Desk {
    async fn run(mut self, mut subscriber: Subscriber, mut publisher: Publisher, mut post: mpsc::Receiver<Letter>) {
        let mut look = tokio::time::interval(LOOK_EVERY);
        loop {
            tokio::select! {
                event = subscriber.next() => match event {
                    Some(SubscribeEvent::Messages(messages)) => {
                        self.consume(&messages);
                        subscriber.acker().acknowledge(messages.iter().map(|message| message.ticket));
                    }
                    Some(_) => {}
                    None => break,
                },
                event = publisher.next() => match event {
                    Some(event) => self.sent(event),
                    None => break,
                },
                letter = post.recv() => match letter {
                    Some(letter) => self.wait(letter),
                    None => break,
                },
                _ = look.tick() => self.finish_work(),
            }
            self.speak();
        }
    }

    fn consume(&mut self, messages: &[Inbound]) {
        for message in messages {
            match receive_up(&message.topic, &message.payload) {
                Ok(received) => self.enter(received),
                Err(fault) => lock(&self.records).rejected.push(format!("{}: {fault}", message.topic)),
            }
        }
    }

    fn enter(&mut self, received: Received) {
        let now = (self.clock)();
        let (verdict, acknowledge) = {
            let mut records = lock(&self.records);
            let entered = records.book.enter(&received, now);
            if records.heard.len() < HEARD_MAX {
                records.heard.push(Heard {
                    at: now,
                    received: received.clone(),
                    verdict: entered.0,
                });
            }
            entered
        };
        let (sequence, cumulative) = match acknowledge {
            Acknowledge::UpTo(sequence) => (sequence, true),
            Acknowledge::Only(sequence) => (sequence, false),
        };
        let ack = AckNotice {
            stream: received.stream,
            sequence,
            cumulative,
        };
        self.wait(letter(
            &self.property,
            DownKind::Ack,
            format!("ack-{}-{sequence}", ack.stream.name()),
            now,
            ack,
        ));
        if verdict == Verdict::New
            && let UpData::Report(report) = &received.data
        {
            self.answer(report);
        }
    }

    fn answer(&mut self, report: &Report) {
        match report {
            // What is only staged moves nobody; what is offered, the guest takes.
            Report::Request(request) if matches!(request.state, RequestState::Raised | RequestState::Offered) => {
                let is_new = !self.work.contains_key(&request.id);
                if let (true, Some(takes)) = (is_new, takes(request.need)) {
                    self.work
                        .insert(request.id.clone(), (takes, Some((self.clock)() + takes)));
                    self.tell(&request.id, RequestStatus::Accepted);
                }
            }
            Report::Request(request) if request.state == RequestState::Withdrawn => drop(self.work.remove(&request.id)),
            Report::Emergency(emergency) if !emergency.over && emergency.call == 1 => {
                self.tell(&emergency.id, RequestStatus::Accepted);
            }
            // Nobody is sent to the door of a guest who sleeps; when it may be, the work begins.
            Report::RequestState(state) => {
                let now = (self.clock)();
                if let Some((takes, done_at)) = self.work.get_mut(&state.id) {
                    match state.state {
                        RequestState::Parked => *done_at = None,
                        RequestState::Raised => *done_at = Some(now + *takes),
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }

    fn finish_work(&mut self) {
        let now = (self.clock)();
        let is_done = |(_, (_, at)): &(&RequestId, &(Span, Option<Moment>))| at.is_some_and(|at| at <= now);
        let done: Vec<RequestId> = self.work.iter().filter(is_done).map(|(id, _)| id.clone()).collect();
        for id in done {
            self.work.remove(&id);
            self.tell(&id, RequestStatus::Done);
        }
    }

    fn tell(&mut self, request: &RequestId, status: RequestStatus) {
        let now = (self.clock)();
        let notice = StatusNotice {
            request: request.clone(),
            status,
            room: None,
            item: None,
            at: Some(now),
            reason: None,
        };
        let word = if status == RequestStatus::Done {
            "done"
        } else {
            "accepted"
        };
        lock(&self.records).said.push(Said {
            at: now,
            notice: notice.clone(),
        });
        self.wait(letter(
            &self.property,
            DownKind::RequestStatus,
            format!("{request}-{word}"),
            now,
            notice,
        ));
    }

    fn wait(&mut self, letter: Letter) {
        if self.waiting.len() < WAITING_MAX {
            self.waiting.push_back(letter);
        }
    }

    fn speak(&mut self) {
        while let (Some(lane), Some(letter)) = (&self.lane, self.waiting.front()) {
            if lane
                .try_send(self.next_ticket, letter.topic.as_str(), letter.payload.clone())
                .is_err()
            {
                return;
            }
            if let Some(letter) = self.waiting.pop_front() {
                self.under_way.insert(self.next_ticket, letter);
            }
            self.next_ticket += 1;
        }
    }

    fn sent(&mut self, event: PublishEvent) {
        match event {
            PublishEvent::Up(lane) => self.lane = Some(lane),
            PublishEvent::Delivered(ticket) | PublishEvent::Poison(ticket) => drop(self.under_way.remove(&ticket)),
            PublishEvent::Down(_) => {
                self.lane = None;
                let again = std::mem::take(&mut self.under_way);
                again
                    .into_values()
                    .rev()
                    .for_each(|letter| self.waiting.push_front(letter));
            }
        }
    }
}
