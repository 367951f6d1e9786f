//! What does a central do? A small one, for demos, tests and integrators.
//!
//! It listens to every stream of one property or of all, checks each message as strictly as the schemas, keeps a book of
//! gaps and doubles, acknowledges, answers requests by a few rules, and says what a person types. It keeps nothing: a
//! real central enters messages in a database before it acknowledges them.

mod book;
mod command;

pub use book::{Acknowledge, Book, Figures, StreamBook, Verdict};
pub use command::{Command, HELP, parse};

use super::inbound::{AckNotice, DownEnvelope, DownKind, down_topic};
use super::message::{Received, UpData, receive_up, up_filters};
use crate::model::{
    Moment, Need, PropertyId, Report, RequestId, RequestState, RequestStatus, Span, StatusNotice, Stream,
};
use crate::mqtt::{
    Inbound as Arrived, Lane, LaneError, LinkOptions, OptionsError, PublishEvent, PublishOptions, Publisher,
    SubscribeEvent, SubscribeOptions, Subscriber,
};
use serde::Serialize;
use std::collections::{BTreeMap, VecDeque};
use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::Instant;

/// Messages to properties that wait for the broker; beyond, the oldest acknowledgement is dropped, which costs a resend.
const WAITING_MAX: usize = 10_000;
/// Answers that wait for their time.
const ANSWERS_MAX: usize = 100_000;
/// How often gaps and due answers are looked at.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// What the reference central does.
#[derive(Debug, Clone)]
pub struct CentralOptions {
    /// The broker. The client id is used with `-hears` and `-says` behind it.
    pub link: LinkOptions,
    /// The property to listen to; all of them if none.
    pub property: Option<PropertyId>,
    /// Whether to acknowledge on `down/ack`.
    pub acknowledge: bool,
    /// How requests are answered.
    pub answers: Answers,
    /// How long a missing message is waited for before it counts as a gap.
    pub patience: Span,
    /// A file to which everything consumed is appended, one JSON object a line.
    pub log: Option<PathBuf>,
    /// Whether to print a line a message.
    pub print: bool,
    /// Tells the time.
    pub clock: fn() -> Moment,
}

/// How requests are answered.
#[derive(Debug, Clone, Default)]
pub struct Answers {
    /// Whether every request and emergency is accepted.
    pub accept: bool,
    /// After how long it is reported done.
    pub done_after: Option<Duration>,
    /// What is declined instead.
    pub decline: Vec<Need>,
}

impl CentralOptions {
    /// Returns a central that listens to all properties and acknowledges, and answers nothing.
    pub fn new(link: LinkOptions, clock: fn() -> Moment) -> Self {
        let (property, answers, log) = (None, Answers::default(), None);
        Self {
            link,
            property,
            acknowledge: true,
            answers,
            patience: Span::minutes(1),
            log,
            print: true,
            clock,
        }
    }
}

/// Why the reference central could not run.
#[derive(Debug, thiserror::Error)]
pub enum CentralError {
    /// Options that cannot work.
    #[error(transparent)]
    Options(#[from] OptionsError),
    /// The log or the output cannot be written.
    #[error("{what} cannot be written: {source}")]
    Write {
        /// Which.
        what: String,
        /// What the system says.
        source: std::io::Error,
    },
}

/// What a run came to.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Summary {
    /// Gaps and doubles.
    #[serde(flatten)]
    pub figures: Figures,
    /// Messages that were not taken, by reason.
    pub rejected: BTreeMap<&'static str, u64>,
    /// Acknowledgements sent.
    pub acknowledgements: u64,
    /// Answers and typed messages sent.
    pub said: u64,
    /// Messages that could not be kept until the broker came back.
    pub dropped: u64,
}

/// Runs until `quit` is typed or the commands end, and returns what it came to. `out` gets the readable lines.
///
/// # Errors
/// [`CentralError`].
pub async fn run(
    options: CentralOptions,
    mut commands: mpsc::Receiver<String>,
    out: impl Write + Send,
) -> Result<Summary, CentralError> {
    let named = |suffix: &str| LinkOptions {
        client_id: format!("{}-{suffix}", options.link.client_id),
        ..options.link.clone()
    };
    let filters = up_filters(options.property.as_ref());
    let mut subscriber = Subscriber::start(SubscribeOptions::new(named("hears"), filters))?;
    let mut publisher = Publisher::start(PublishOptions::new(named("says")))?;
    let mut central = Central::new(options, out)?;
    let mut look = tokio::time::interval(LOOK_EVERY);
    loop {
        tokio::select! {
            event = subscriber.next() => match event {
                Some(event) => central.hear(event, &subscriber)?,
                None => break,
            },
            event = publisher.next() => match event {
                Some(event) => central.said(event),
                None => break,
            },
            line = commands.recv() => match line.as_deref().map(parse) {
                None | Some(Ok(Command::Quit)) => break,
                Some(Ok(command)) => central.obey(command)?,
                Some(Err(words)) => central.print(&words)?,
            },
            _ = look.tick() => central.look()?,
        }
        central.speak();
    }
    tokio::join!(subscriber.stop(), publisher.stop());
    Ok(central.summary())
}

/// Starts to read lines from standard input. The thread ends with the input; a program need not wait for it.
pub fn stdin_lines() -> mpsc::Receiver<String> {
    let (sender, lines) = mpsc::channel(16);
    std::thread::spawn(move || {
        for line in std::io::stdin().lines().map_while(Result::ok) {
            if sender.blocking_send(line).is_err() {
                return;
            }
        }
    });
    lines
}

struct Central<W> {
    options: CentralOptions,
    out: W,
    log: Option<std::io::BufWriter<std::fs::File>>,
    book: Book,
    /// To whom typed messages go: the property named last, or heard last.
    current: Option<PropertyId>,
    lane: Option<Lane>,
    waiting: VecDeque<Saying>,
    under_way: BTreeMap<u64, Saying>,
    due: VecDeque<(Instant, PropertyId, RequestId)>,
    next_ticket: u64,
    summary: Summary,
}

/// A message to a property.
struct Saying {
    topic: String,
    payload: bytes::Bytes,
}

impl<W: Write> Central<W> {
    fn new(options: CentralOptions, out: W) -> Result<Self, CentralError> {
        let open = |path: &PathBuf| {
            let file = std::fs::OpenOptions::new().create(true).append(true).open(path);
            file.map(std::io::BufWriter::new)
                .map_err(write_error(&path.display().to_string()))
        };
        Ok(Self {
            log: options.log.as_ref().map(open).transpose()?,
            current: options.property.clone(),
            options,
            out,
            book: Book::default(),
            lane: None,
            waiting: VecDeque::new(),
            under_way: BTreeMap::new(),
            due: VecDeque::new(),
            next_ticket: 1,
            summary: Summary::default(),
        })
    }

    fn hear(&mut self, event: SubscribeEvent, subscriber: &Subscriber) -> Result<(), CentralError> {
        match event {
            SubscribeEvent::Messages(messages) => {
                self.consume(&messages)?;
                subscriber
                    .acker()
                    .acknowledge(messages.iter().map(|message| message.ticket));
            }
            SubscribeEvent::Up { resumed, .. } => {
                self.print(if resumed { "listening again" } else { "listening" })?;
            }
            SubscribeEvent::Refused { filter } => self.print(&format!("the broker does not let us hear {filter}"))?,
            SubscribeEvent::Down(down) => self.print(&format!("not listening: {down}"))?,
        }
        Ok(())
    }

    /// Enters a batch and writes the log, and only then acknowledges: to the edge here, to the broker in the caller.
    fn consume(&mut self, messages: &[Arrived]) -> Result<(), CentralError> {
        let mut whole: BTreeMap<(PropertyId, Stream), u64> = BTreeMap::new();
        let mut single = Vec::new();
        for message in messages {
            match receive_up(&message.topic, &message.payload) {
                Err(fault) => {
                    *self.summary.rejected.entry(fault.reason.name()).or_default() += 1;
                    self.print(&format!("REJECTED on {}: {fault}", message.topic))?;
                }
                Ok(received) => {
                    let (verdict, acknowledge) = self.book.enter(&received, (self.options.clock)());
                    self.write_log(&received, verdict, &message.payload)?;
                    self.show(&received, verdict)?;
                    let of = (received.property.clone(), received.stream);
                    match acknowledge {
                        Acknowledge::UpTo(sequence) => drop(whole.insert(of, sequence)),
                        Acknowledge::Only(sequence) => single.push((of, sequence)),
                    }
                    self.answer(&received, verdict);
                    self.current.get_or_insert(received.property);
                }
            }
        }
        if let Some(log) = &mut self.log {
            log.flush().map_err(write_error("the log"))?;
        }
        single.retain(|(of, sequence)| whole.get(of).is_none_or(|upto| upto < sequence));
        for ((property, stream), sequence) in whole {
            self.acknowledge(
                &property,
                AckNotice {
                    stream,
                    sequence,
                    cumulative: true,
                },
            );
        }
        for ((property, stream), sequence) in single {
            self.acknowledge(
                &property,
                AckNotice {
                    stream,
                    sequence,
                    cumulative: false,
                },
            );
        }
        Ok(())
    }

    fn acknowledge(&mut self, property: &PropertyId, ack: AckNotice) {
        if self.options.acknowledge {
            self.summary.acknowledgements += 1;
            let id = format!("ack-{}-{}", ack.stream.name(), ack.sequence);
            self.say(property, DownKind::Ack, id, ack);
        }
    }

    /// Answers what is raised for the first time.
    fn answer(&mut self, received: &Received, verdict: Verdict) {
        let UpData::Report(report) = &received.data else { return };
        let (id, need) = match report {
            // What is only staged waits for no answer.
            Report::Request(request) if matches!(request.state, RequestState::Raised | RequestState::Offered) => {
                (&request.id, request.need)
            }
            Report::Emergency(emergency) if !emergency.over => (&emergency.id, Need::Emergency),
            _ => return,
        };
        if verdict != Verdict::New {
            return;
        }
        if self.options.answers.decline.contains(&need) {
            self.status(
                &received.property,
                id.clone(),
                RequestStatus::Declined,
                Some("declined.by-rule".into()),
            );
        } else if self.options.answers.accept {
            self.status(&received.property, id.clone(), RequestStatus::Accepted, None);
            if let Some(after) = self.options.answers.done_after
                && self.due.len() < ANSWERS_MAX
            {
                self.due
                    .push_back((Instant::now() + after, received.property.clone(), id.clone()));
            }
        }
    }

    fn status(&mut self, property: &PropertyId, request: RequestId, status: RequestStatus, reason: Option<String>) {
        let notice = StatusNotice {
            request,
            status,
            room: None,
            item: None,
            at: Some((self.options.clock)()),
            reason,
        };
        self.tell_status(property, notice);
    }

    fn tell_status(&mut self, property: &PropertyId, notice: StatusNotice) {
        let word = serde_json::to_value(notice.status).unwrap_or_default();
        let id = format!("{}-{}", notice.request, word.as_str().unwrap_or_default());
        self.summary.said += 1;
        self.say(property, DownKind::RequestStatus, id, notice);
    }

    fn obey(&mut self, command: Command) -> Result<(), CentralError> {
        let to = match (&command, self.current.clone()) {
            (Command::Property(property), _) => {
                self.current = Some(property.clone());
                return self.print(&format!("speaking to {property}"));
            }
            (Command::Summary | Command::Quit, _) => return self.print(&format!("{:#}", self.summary_json())),
            (_, None) => return self.print("no property heard yet; write: property NAME"),
            (_, Some(property)) => property,
        };
        self.summary.said += 1;
        let at = (self.options.clock)().millis();
        match command {
            Command::Stay(stay) => self.say(&to, DownKind::Stay, format!("{}-{}", stay.stay, stay.version), stay),
            Command::Prior(prior) => self.say(&to, DownKind::Prior, format!("{}-{at}", prior.guest), prior),
            Command::Status(notice) => {
                self.summary.said -= 1;
                self.tell_status(&to, notice);
            }
            Command::Property(_) | Command::Summary | Command::Quit => {}
        }
        Ok(())
    }

    fn say<T: Serialize>(&mut self, property: &PropertyId, kind: DownKind, id: String, data: T) {
        let now = (self.options.clock)();
        let payload = DownEnvelope::wrap(id, "/central/reference", kind, now, data)
            .encode()
            .into();
        if self.waiting.len() >= WAITING_MAX {
            self.waiting.pop_front();
            self.summary.dropped += 1;
        }
        self.waiting.push_back(Saying {
            topic: down_topic(property, kind),
            payload,
        });
    }

    /// Puts what waits on the lane, as far as it has room.
    fn speak(&mut self) {
        while let Some(saying) = self.waiting.pop_front() {
            let ticket = self.next_ticket;
            let sent = match &self.lane {
                Some(lane) => lane.try_send(ticket, saying.topic.as_str(), saying.payload.clone()),
                None => Err(LaneError::Ended),
            };
            match sent {
                Ok(()) => {
                    self.next_ticket += 1;
                    self.under_way.insert(ticket, saying);
                }
                Err(LaneError::Full | LaneError::Ended) => return self.waiting.push_front(saying),
                Err(_) => self.summary.dropped += 1,
            }
        }
    }

    fn said(&mut self, event: PublishEvent) {
        match event {
            PublishEvent::Up(lane) => self.lane = Some(lane),
            PublishEvent::Delivered(ticket) | PublishEvent::Poison(ticket) => drop(self.under_way.remove(&ticket)),
            PublishEvent::Down(_) => {
                self.lane = None;
                let back = std::mem::take(&mut self.under_way).into_values();
                let after = std::mem::take(&mut self.waiting);
                self.waiting = back.chain(after).collect();
            }
        }
    }

    fn look(&mut self) -> Result<(), CentralError> {
        let now = Instant::now();
        while self.due.front().is_some_and(|(due, ..)| *due <= now) {
            if let Some((_, property, request)) = self.due.pop_front() {
                self.status(&property, request, RequestStatus::Done, None);
            }
        }
        for (property, stream, (from, to)) in self.book.lose_patience((self.options.clock)(), self.options.patience) {
            self.print(&format!("GAP {property} {}: {from} to {to} never came", stream.name()))?;
        }
        Ok(())
    }

    fn write_log(&mut self, received: &Received, verdict: Verdict, text: &[u8]) -> Result<(), CentralError> {
        let Some(log) = &mut self.log else { return Ok(()) };
        let message: serde_json::Value = serde_json::from_slice(text).unwrap_or_default();
        let line = serde_json::json!({
            "at": (self.options.clock)(), "stream": received.stream, "sequence": received.sequence,
            "double": verdict == Verdict::Double, "message": message,
        });
        writeln!(log, "{line}").map_err(write_error("the log"))
    }

    fn show(&mut self, received: &Received, verdict: Verdict) -> Result<(), CentralError> {
        if !self.options.print {
            return Ok(());
        }
        let note = match verdict {
            Verdict::New => "",
            Verdict::Double => "  (again)",
            Verdict::DoubleUnderNewId => "  SAME NEED UNDER A NEW ID",
        };
        let Received {
            property,
            stream,
            sequence,
            at,
            ..
        } = received;
        self.print(&format!(
            "{at} {property} {} {sequence}  {}{note}",
            stream.name(),
            words(&received.data)
        ))
    }

    fn print(&mut self, words: &str) -> Result<(), CentralError> {
        writeln!(self.out, "{words}").map_err(write_error("the output"))
    }

    fn summary_json(&self) -> serde_json::Value {
        serde_json::to_value(self.summary()).unwrap_or_default()
    }

    fn summary(&self) -> Summary {
        Summary {
            figures: self.book.figures(),
            ..self.summary.clone()
        }
    }
}

fn write_error(what: &str) -> impl Fn(std::io::Error) -> CentralError {
    let what = what.to_string();
    move |source| CentralError::Write {
        what: what.clone(),
        source,
    }
}

/// A message in one line, as dispatch would read it.
fn words(data: &UpData) -> String {
    match data {
        UpData::Report(report) => {
            let what = match report {
                Report::Emergency(r) if r.over => format!("{} is over", r.cause),
                Report::Emergency(r) => format!("{} since {}, call {}", r.cause, r.since, r.call),
                Report::Request(r) => {
                    let items: Vec<_> = r.items.iter().map(|item| item.as_str()).collect();
                    let by = r.deadline.map(|by| format!(" by {by}")).unwrap_or_default();
                    format!("{:?} {:?} {}{by} [{}]", r.need, r.state, items.join("+"), r.id)
                }
                Report::RequestState(r) => format!("{:?} [{}]", r.state, r.id),
                Report::Readiness(r) => format!("{} by {} (p90 {})", r.target, r.p50, r.p90),
                Report::Preference(r) => format!("{} {} +-{}", r.attribute.word(), r.value, r.sd),
            };
            format!("{}: {what} because {}", report.room(), report.because())
        }
        UpData::Edge(edge) => format!(
            "{} up {} s, {} pending, {:?}",
            edge.version, edge.uptime_s, edge.pending, edge.degraded
        ),
    }
}
