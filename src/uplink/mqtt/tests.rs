//! Does the link keep its word with a real broker between it and a real central?

use super::super::central::{self, CentralOptions, Summary};
use super::super::feed::{LastPositions, Outcome};
use super::super::inbound::{DownEnvelope, DownKind, down_topic};
use super::super::message::{UpMessage, tests::request};
use super::*;
use crate::model::{Emergency, Event, Point, Report, RequestId, RoomId, Span, Stream};
use crate::mqtt::Pauses;
use crate::simulate::broker::Broker;
use std::collections::{HashMap, HashSet};
use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Instant;
use tokio::sync::mpsc;

const PATIENCE: Duration = Duration::from_secs(120);

fn now() -> Moment {
    Moment::from_millis(1_795_000_000_000)
}

fn property() -> PropertyId {
    PropertyId::new("lakeside").unwrap()
}

fn link(broker: &Broker, client: &str) -> LinkOptions {
    let address = broker.address();
    let ms = Duration::from_millis;
    LinkOptions {
        pauses: Pauses {
            min: ms(2),
            max: ms(10),
            stable: ms(50),
        },
        ..LinkOptions::new(address.ip().to_string(), address.port(), client)
    }
}

/// An owner with its outbox in memory, as the engine's thread would be.
#[derive(Clone)]
struct Owner(Arc<Mutex<Desk>>);

struct Desk {
    outbox: BTreeMap<(usize, u64), Entry>,
    places: HashMap<(Stream, u64), (usize, u64)>,
    sequences: HashMap<Stream, u64>,
    last: LastPositions,
    announce: watch::Sender<LastPositions>,
    acknowledged: u64,
    other: Vec<Outcome>,
    events: Vec<Event>,
    refused: Vec<Reason>,
    commits: bool,
    unreadable: u32,
}

impl Owner {
    fn start() -> (Self, Feed<FromLink>) {
        let (announce, last) = watch::channel([0; 4]);
        let (owner, mut words) = mpsc::channel(64);
        let desk = Desk {
            outbox: BTreeMap::new(),
            places: HashMap::new(),
            sequences: HashMap::new(),
            last: [0; 4],
            announce,
            acknowledged: 0,
            other: Vec::new(),
            events: Vec::new(),
            refused: Vec::new(),
            commits: true,
            unreadable: 0,
        };
        let this = Self(Arc::new(Mutex::new(desk)));
        let desk = this.clone();
        tokio::spawn(async move {
            while let Some(word) = words.recv().await {
                desk.desk().serve(word);
            }
        });
        (this, Feed { owner, last })
    }

    fn desk(&self) -> std::sync::MutexGuard<'_, Desk> {
        self.0.lock().unwrap()
    }

    fn put(&self, report: &Report) {
        let mut desk = self.desk();
        let (stream, class) = (report.stream(), report.stream().class() as usize);
        let sequence = desk.sequences.entry(stream).or_default();
        *sequence += 1;
        let message = UpMessage::from_report(report, *sequence, now(), None);
        desk.last[class] += 1;
        let place = (class, desk.last[class]);
        desk.places.insert((stream, message.sequence), place);
        desk.outbox.insert(
            place,
            Entry {
                position: place.1,
                message,
            },
        );
        desk.announce.send_replace(desk.last);
    }

    async fn until(&self, what: &str, done: impl Fn(&Desk) -> bool) {
        let begun = Instant::now();
        while !done(&self.desk()) {
            let left = self.desk().outbox.len();
            assert!(
                begun.elapsed() < PATIENCE,
                "{what} did not come about; {left} entries left"
            );
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
}

impl Desk {
    fn serve(&mut self, word: FromLink) {
        match word {
            FromLink::Read(_) if self.unreadable > 0 => self.unreadable -= 1,
            FromLink::Read(ask) => {
                let class = ask.class as usize;
                let page = self
                    .outbox
                    .range((class, ask.after + 1)..=(class, u64::MAX))
                    .take(ask.limit);
                let _ = ask.answer.send(page.map(|(_, entry)| entry.clone()).collect());
            }
            FromLink::Settled(all) => {
                for settled in all {
                    self.outbox.remove(&self.places[&(settled.stream, settled.sequence)]);
                    match settled.outcome {
                        Outcome::Acknowledged => self.acknowledged += 1,
                        other => self.other.push(other),
                    }
                }
            }
            FromLink::Arrived(arrival) => {
                self.events.extend(arrival.events);
                self.refused.extend(arrival.refused.iter().map(|fault| fault.reason));
                if self.commits {
                    arrival.token.committed();
                }
            }
            FromLink::Link(_) => {}
        }
    }
}

/// Counts the lines of the messages that the central prints for the first time.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<(Instant, String)>>>);

impl Write for Lines {
    fn write(&mut self, text: &[u8]) -> std::io::Result<usize> {
        self.0
            .lock()
            .unwrap()
            .push((Instant::now(), String::from_utf8_lossy(text).into_owned()));
        Ok(text.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Lines {
    fn with(&self, word: &str) -> usize {
        self.0
            .lock()
            .unwrap()
            .iter()
            .filter(|(_, line)| line.contains(word))
            .count()
    }

    async fn until(&self, word: &str, count: usize) {
        let begun = Instant::now();
        while self.with(word) < count {
            assert!(
                begun.elapsed() < PATIENCE,
                "{} of {count} lines with {word:?}",
                self.with(word)
            );
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
}

struct Running {
    commands: mpsc::Sender<String>,
    lines: Lines,
    task: JoinHandle<Summary>,
}

impl Running {
    async fn central(broker: &Broker, set: impl FnOnce(&mut CentralOptions)) -> Self {
        let mut options = CentralOptions::new(link(broker, "central"), now);
        set(&mut options);
        let (commands, typed) = mpsc::channel(4);
        let lines = Lines::default();
        let out = std::io::LineWriter::new(lines.clone());
        let task = tokio::spawn(async move { central::run(options, typed, out).await.unwrap() });
        lines.until("listening", 1).await;
        Self { commands, lines, task }
    }

    async fn stop(self) -> Summary {
        drop(self.commands);
        self.task.await.unwrap()
    }
}

fn start(broker: &Broker, ack: AckMode, feed: Feed<FromLink>) -> Uplink {
    start_at(broker.address().port(), broker, ack, feed)
}

fn start_at(port: u16, broker: &Broker, ack: AckMode, feed: Feed<FromLink>) -> Uplink {
    let link = LinkOptions {
        port,
        ..link(broker, "lakeside")
    };
    Uplink::start(UplinkOptions::new(property(), link, ack, now), feed).unwrap()
}

/// Stands between the edge and its broker, and cuts all connections when told to. Central's connection is another:
/// a broker may forget what waits for a client that is away, and that is not what is tried here.
struct Proxy {
    port: u16,
    cut: watch::Sender<u64>,
}

impl Proxy {
    async fn before(broker: &Broker) -> Self {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let (port, to) = (listener.local_addr().unwrap().port(), broker.address());
        let cut = watch::Sender::new(0);
        let heard = cut.clone();
        tokio::spawn(async move {
            while let Ok((mut near, _)) = listener.accept().await {
                let mut cuts = heard.subscribe();
                tokio::spawn(async move {
                    let Ok(mut far) = tokio::net::TcpStream::connect(to).await else {
                        return;
                    };
                    // Small packets wait for each other otherwise, and the proxy would be what is tried.
                    near.set_nodelay(true).and(far.set_nodelay(true)).unwrap();
                    tokio::select! {
                        _ = tokio::io::copy_bidirectional(&mut near, &mut far) => {}
                        _ = cuts.changed() => {}
                    }
                });
            }
        });
        Self { port, cut }
    }
}

/// First arrivals in the log, by room and stream, must count up; returns how many ids there are.
fn check_order(log: &Path) -> usize {
    let mut highest: HashMap<(String, String), u64> = HashMap::new();
    let mut ids = HashSet::new();
    for line in std::fs::read_to_string(log).unwrap().lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        let text = |pointer: &str| line.pointer(pointer).unwrap().as_str().unwrap().to_string();
        if ids.insert(text("/message/id")) {
            let sequence = line["sequence"].as_u64().unwrap();
            let before = highest
                .insert((text("/message/subject"), text("/stream")), sequence)
                .unwrap_or(0);
            assert!(before < sequence, "{before} before {sequence}");
        }
    }
    ids.len()
}

async fn arrive_though_cut(entries: u64, ack: AckMode) {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("central.jsonl");
    let broker = Broker::on_loopback().unwrap();
    let central = Running::central(&broker, |options| options.log = Some(log.clone())).await;
    let (owner, feed) = Owner::start();
    let proxy = Proxy::before(&broker).await;
    let uplink = start_at(proxy.port, &broker, ack, feed);
    let cutter = proxy.cut.clone();
    let cuts = tokio::spawn(async move {
        loop {
            tokio::time::sleep(Duration::from_millis(100)).await;
            cutter.send_modify(|cuts| *cuts += 1);
        }
    });
    let begun = Instant::now();
    for number in 0..entries {
        owner.put(&request(&format!("r{}", number % 300), number));
        if number.is_multiple_of(100) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
    owner.until("an empty outbox", |desk| desk.outbox.is_empty()).await;
    let took = begun.elapsed();
    cuts.abort();
    let cut = *proxy.cut.borrow();
    // An empty outbox says that the broker has everything; central may still be reading.
    let begun = Instant::now();
    while central.lines.with(" request ") - central.lines.with("(again)") < entries as usize {
        assert!(begun.elapsed() < PATIENCE, "{} lines", central.lines.with(" request "));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let counts = uplink.standing().borrow().counts;
    uplink.stop().await;
    let lost_by_broker = broker.counts().lost;
    let summary = central.stop().await;
    broker.stop().await;
    println!(
        "{ack:?}: {entries} entries in {took:?}, {cut} cuts, sent {}, received {} distinct, {} again, broker lost {lost_by_broker}",
        counts.sent, summary.figures.distinct_ids, summary.figures.doubles_same_id,
    );
    assert_eq!(summary.figures.distinct_ids, entries);
    assert_eq!((summary.figures.missing, summary.figures.doubles_new_id.len()), (0, 0));
    assert!(summary.rejected.is_empty(), "{:?}", summary.rejected);
    assert!(counts.returned > 0, "the cuts hit nothing");
    assert_eq!(check_order(&log) as u64, entries);
    assert!(owner.desk().other.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_entries_arrive_though_the_link_is_cut_every_100_ms() {
    arrive_though_cut(10_000, AckMode::Broker).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_thousand_entries_are_acknowledged_by_central_though_the_link_is_cut_every_100_ms() {
    arrive_though_cut(
        3_000,
        AckMode::Central {
            resend_after: Span::seconds(5),
        },
    )
    .await;
}

fn emergency() -> Report {
    Report::Emergency(Emergency {
        id: RequestId::new("1204.leak").unwrap(),
        room: RoomId::new("1204").unwrap(),
        cause: Point::Leak,
        since: now(),
        call: 1,
        over: false,
        local: false,
        because: crate::model::Because::rule("water-where-none-should-be"),
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_emergency_overtakes_a_backlog_of_five_thousand() {
    let broker = Broker::on_loopback().unwrap();
    let central = Running::central(&broker, |_| {}).await;
    let (owner, feed) = Owner::start();
    (0..5_000).for_each(|number| owner.put(&request(&format!("r{}", number % 300), number)));
    let begun = Instant::now();
    let uplink = start(&broker, AckMode::Broker, feed);
    owner.until("a beginning", |desk| desk.acknowledged > 200).await;
    let put = Instant::now();
    owner.put(&emergency());
    central.lines.until(" emergency ", 1).await;
    let (arrived, before) = {
        let lines = central.lines.0.lock().unwrap();
        let n = lines.iter().position(|(_, line)| line.contains(" emergency ")).unwrap();
        (
            lines[n].0,
            lines[..n].iter().filter(|(_, line)| line.contains(" request ")).count(),
        )
    };
    owner.until("an empty outbox", |desk| desk.outbox.is_empty()).await;
    central.lines.until(" request ", 5_000).await;
    println!(
        "emergency at central {:?} after it was raised, {before} of 5,000 before it; backlog drained in {:?}",
        arrived.duration_since(put),
        begun.elapsed()
    );
    assert!(before < 4_500, "{before} went before it");
    uplink.stop().await;
    assert_eq!(central.stop().await.figures.distinct_ids, 5_001);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_broker_s_word_is_not_enough_where_central_s_is_asked_for() {
    let broker = Broker::on_loopback().unwrap();
    let central = Running::central(&broker, |options| options.acknowledge = false).await;
    let (owner, feed) = Owner::start();
    let uplink = start(
        &broker,
        AckMode::Central {
            resend_after: Span::hours(1),
        },
        feed,
    );
    (0..50).for_each(|number| owner.put(&request("1204", number)));
    central.lines.until(" request ", 50).await;
    let left = owner.desk().outbox.len();
    assert_eq!(left, 50);
    central.stop().await;
    let central = Running::central(&broker, |_| {}).await;
    // A new session sends again what is not acknowledged, and this central does acknowledge.
    broker.faults().cut_all();
    owner.until("acknowledgement", |desk| desk.outbox.is_empty()).await;
    assert_eq!(owner.desk().acknowledged, 50);
    uplink.stop().await;
    central.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn central_s_answers_and_a_person_s_words_reach_the_engine() {
    let broker = Broker::on_loopback().unwrap();
    let central = Running::central(&broker, |options| {
        options.answers.accept = true;
        options.answers.done_after = Some(Duration::from_millis(20));
    })
    .await;
    let (owner, feed) = Owner::start();
    let uplink = start(&broker, AckMode::Broker, feed);
    let mut standing = uplink.standing();
    standing.wait_for(|standing| standing.listening).await.unwrap();
    owner.put(&request("1204", 1));
    let typed = r#"stay {"stay":"5b1e0c77","version":1,"status":"reserved","room":"1204"}"#;
    central.lines.until(" request ", 1).await;
    central.commands.send(typed.into()).await.unwrap();
    owner.until("three events", |desk| desk.events.len() == 3).await;
    {
        let desk = owner.desk();
        let answers = desk
            .events
            .iter()
            .filter(|event| matches!(event, Event::RequestStatus(_)));
        assert_eq!(answers.count(), 2, "accepted, and done after a while");
        assert!(desk.refused.is_empty(), "{:?}", desk.refused);
    }
    uplink.stop().await;
    assert_eq!(central.stop().await.said, 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_whose_effect_is_not_durable_comes_again() {
    let broker = Broker::on_loopback().unwrap();
    let (owner, feed) = Owner::start();
    owner.desk().commits = false;
    let uplink = start(&broker, AckMode::Broker, feed);
    let mut standing = uplink.standing();
    standing.wait_for(|standing| standing.listening).await.unwrap();
    let notice = crate::model::StayNotice {
        stay: crate::model::StayToken::new("5b1e0c77").unwrap(),
        version: 1,
        status: crate::model::StayStatus::CheckedIn,
        room: None,
        guest: None,
        eta: None,
        channel: None,
        departure: None,
        adults: 1,
        declared: Default::default(),
        items: vec![],
    };
    let good = DownEnvelope::wrap("a", "/central", DownKind::Stay, now(), notice).encode();
    let mut publisher = Publisher::start(PublishOptions::new(link(&broker, "someone"))).unwrap();
    let Some(PublishEvent::Up(lane)) = publisher.next().await else {
        panic!("no session")
    };
    let topic = down_topic(&property(), DownKind::Stay);
    lane.send(1, topic.as_str(), good.into()).await.unwrap();
    lane.send(2, topic.as_str(), Bytes::from_static(b"{\"name\":\"Winterbottom\"}"))
        .await
        .unwrap();
    owner
        .until("the first telling", |desk| {
            desk.events.len() == 1 && desk.refused.len() == 1
        })
        .await;
    owner.desk().commits = true;
    broker.faults().cut_all();
    owner
        .until("the second telling", |desk| {
            desk.events.len() == 2 && desk.refused.len() == 2
        })
        .await;
    assert_eq!(owner.desk().refused, [Reason::UnknownField; 2]);
    assert_eq!(standing.borrow_and_update().refused[&Reason::UnknownField], 2);
    tokio::time::sleep(Duration::from_millis(50)).await;
    let connections = broker.counts().connections;
    broker.faults().cut_all();
    // Two sessions of the link and the publisher's: that one of them was down may be over before anybody looks.
    owner
        .until("three new sessions", |_| broker.counts().connections >= connections + 3)
        .await;
    standing.wait_for(|standing| standing.listening).await.unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(
        owner.desk().events.len(),
        2,
        "what was made durable does not come a third time"
    );
    uplink.stop().await;
    publisher.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outbox_that_cannot_be_read_now_is_asked_again() {
    let broker = Broker::on_loopback().unwrap();
    let (owner, feed) = Owner::start();
    owner.desk().unreadable = 1;
    owner.put(&request("1204", 1));
    let uplink = start(&broker, AckMode::Broker, feed);
    owner.until("an empty outbox", |desk| desk.outbox.is_empty()).await;
    assert_eq!(owner.desk().unreadable, 0);
    uplink.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_entry_too_large_for_any_broker_is_set_aside_and_holds_up_nothing() {
    let broker = Broker::on_loopback().unwrap();
    let central = Running::central(&broker, |_| {}).await;
    let (owner, feed) = Owner::start();
    let mut large = request("1204", 1);
    if let Report::Request(request) = &mut large {
        request.hints = vec!["x".repeat(70_000)];
    }
    owner.put(&large);
    owner.put(&request("1204", 2));
    let uplink = start(&broker, AckMode::Broker, feed);
    owner.until("an empty outbox", |desk| desk.outbox.is_empty()).await;
    assert!(matches!(&owner.desk().other[..], [Outcome::DeadLetter(why)] if why.contains("more than the 65536")));
    central.lines.until(" request ", 1).await;
    uplink.stop().await;
    central.stop().await;
}
