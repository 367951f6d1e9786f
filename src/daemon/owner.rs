//! The loop of three verbs: take what has come, step the engine, commit and carry out.
//!
//! One thread owns the engine and the store. Events that wait together share one commit. Nothing is told to anybody,
//! central, a device or the sender of a message, before what it rests on is durable. While the disk refuses, the rooms go
//! on being run: devices are still told, what is for central waits in memory and senders are not acknowledged.

use super::clock;
use super::inbox::{Inbox, Question};
use super::jobs::Jobs;
use super::lazy::Lazy;
use super::pages::page;
use crate::config::Configured;
use crate::device::{FromDevices, Outlet};
use crate::engine::{Engine, FREE_ROOMS_TOLD_MAX};
use crate::model::{
    Class, Command, DeviceId, EdgeState, Effect, Emergency, Event, Key, LinkId, Moment, Report, RoomId, SaveWhen, Span,
    Stamped, Stream,
};
use crate::observe::{Metrics, Pulse};
use crate::profile::Library;
use crate::record::{Answer, Recorder};
use crate::store::{Batch, Entry, Note, Store, StoreFault};
use crate::uplink::{ArrivalToken, FromLink, LastPositions, LinkNews, Outcome, UpMessage};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::File;
use std::io::BufWriter;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, oneshot, watch};

/// So many things are taken into one commit at most: a flood must not keep the first of them waiting.
const BATCH_MAX: usize = 256;
/// The loop turns at least so often, so that its pulse beats.
const TURN_MAX: Duration = Duration::from_secs(2);
/// Telemetry is written this late at most; a stay, a preference or a promise is written at once.
const LAZY: Span = Span::minutes(30);
/// The gateway tells central of itself so often.
const HEARTBEAT: Span = Span::minutes(5);
/// What waits for central in memory while the disk refuses.
const UNSAVED_MAX: usize = 10_000;
/// Away for longer than a restart takes: guests may have come in unseen.
const UNWATCHED_AFTER: Span = Span::minutes(2);
/// After a refusal the disk is tried again so often.
const RETRY: Span = Span::seconds(5);
/// Central hears of a link that came or went this late: once, when it comes and goes.
const LINK_TOLD_AFTER: Span = Span::seconds(60);
/// An answer of the journal has no more lines than this.
const WHY_MAX: usize = 1000;
/// And no more than this where only one rule is asked for.
const WHY_OF_RULE_MAX: usize = 10_000;

/// What the owner needs to begin.
pub struct Beginning {
    /// The engine, restored.
    pub engine: Engine,
    /// The store, open.
    pub store: Store,
    /// The configuration that runs.
    pub configured: Configured,
    /// The ways to the devices.
    pub outlets: HashMap<DeviceId, Outlet>,
    /// The way out for emergencies that central does not answer.
    pub fanout: mpsc::Sender<Emergency>,
    /// Where the link to central sees how far the outbox reaches.
    pub last: watch::Sender<LastPositions>,
    /// Where the daemon hears that the links must change with the configuration.
    pub reconfigured: mpsc::UnboundedSender<Relink>,
    /// The counters.
    pub metrics: Metrics,
    /// Beats at every turn.
    pub pulse: Pulse,
    /// What is recorded, if anything.
    pub recorder: Option<Recorder<BufWriter<File>>>,
}

/// The daemon is asked to follow a new configuration with its links, and gives back the new ways to the devices.
pub struct Relink {
    /// The configuration before.
    pub before: Configured,
    /// The configuration now.
    pub now: Configured,
    /// The profiles it uses.
    pub library: Library,
    /// Where the new ways go.
    pub answer: oneshot::Sender<HashMap<DeviceId, Outlet>>,
}

/// The owner.
pub struct Owner {
    engine: Engine,
    store: Store,
    configured: Configured,
    outlets: HashMap<DeviceId, Outlet>,
    fanout: mpsc::Sender<Emergency>,
    last: watch::Sender<LastPositions>,
    reconfigured: mpsc::UnboundedSender<Relink>,
    metrics: Metrics,
    pulse: Pulse,
    recorder: Option<Recorder<BufWriter<File>>>,
    jobs: Jobs,
    turn: Turn,
    /// Records that telemetry changed, with the time at which they are written at the latest.
    lazy: Lazy,
    /// What the disk refused, to be tried again.
    unsaved: Option<(Batch, Moment)>,
    links: BTreeMap<LinkId, bool>,
    started: Moment,
    heartbeat_at: Moment,
    rejected: Option<String>,
}

/// What one turn has gathered.
#[derive(Default)]
struct Turn {
    commands: Vec<Command>,
    reports: Vec<(Report, Moment)>,
    notes: Vec<Note>,
    save: BTreeSet<Key>,
    forget: BTreeSet<Key>,
    tokens: Vec<ArrivalToken>,
}

impl Owner {
    /// Makes an owner.
    pub fn new(beginning: Beginning) -> Self {
        let Beginning {
            engine,
            store,
            configured,
            outlets,
            fanout,
            last,
            reconfigured,
            metrics,
            pulse,
            recorder,
        } = beginning;
        let now = clock::now();
        Self {
            jobs: Jobs::new(&configured, now),
            engine,
            store,
            configured,
            outlets,
            fanout,
            last,
            reconfigured,
            metrics,
            pulse,
            recorder,
            turn: Turn::default(),
            lazy: Lazy::default(),
            unsaved: None,
            links: BTreeMap::new(),
            started: now,
            heartbeat_at: now + Span::seconds(10),
            rejected: None,
        }
    }

    /// Runs until it is told to stop or nobody can tell it anything any more.
    pub async fn run(mut self, mut inbox: mpsc::Receiver<Inbox>) {
        self.begin();
        self.publish_reach();
        let mut stop = None;
        while stop.is_none() {
            self.pulse.beat();
            match tokio::time::timeout(self.wait(), inbox.recv()).await {
                Ok(None) => break,
                Ok(Some(first)) => {
                    stop = self.take(first).await;
                    for _ in 1..BATCH_MAX {
                        let Ok(more) = inbox.try_recv() else { break };
                        let told = self.take(more).await;
                        stop = stop.or(told);
                    }
                }
                Err(_) => {}
            }
            self.what_is_due();
            self.settle();
        }
        self.end();
        if let Some(done) = stop {
            let _ = done.send(());
        }
    }

    /// Goes on from what was kept. Every room is looked at once: what it should be may have changed meanwhile.
    fn begin(&mut self) {
        let now = clock::now();
        let away = self.engine.last_alive().map_or(Span::ZERO, |at| now.since(at));
        self.engine.resume(now);
        if away > UNWATCHED_AFTER {
            self.engine.unwatched(now);
        }
        let property = Arc::clone(self.engine.property());
        self.step(Event::Configured(property));
        self.settle();
    }

    fn wait(&self) -> Duration {
        let retry = self.unsaved.as_ref().map(|(_, at)| *at);
        let due = [
            self.engine.deadline(),
            self.lazy.next(),
            retry,
            Some(self.heartbeat_at),
            self.jobs.next(),
        ];
        let next = due.into_iter().flatten().min();
        next.map_or(TURN_MAX, |at| clock::real_time_until(at).min(TURN_MAX))
    }

    // --- take --------------------------------------------------------------------------------------------------------

    async fn take(&mut self, came: Inbox) -> Option<oneshot::Sender<()>> {
        match came {
            Inbox::Devices(FromDevices::Events(events)) | Inbox::Events(events) => self.events(events),
            Inbox::Devices(FromDevices::Rejected {
                link,
                device,
                reason,
                count,
            }) => {
                self.metrics.reject(link.as_str(), reason, count);
                tracing::debug!(%link, device = device.as_ref().map(DeviceId::as_str), reason, count, "not taken");
            }
            Inbox::Devices(FromDevices::Link { link, up, because }) => self.link(link, up, &because),
            Inbox::Central(words) => self.central(words),
            Inbox::Ask(question, answer) => {
                let _ = answer.send(self.answer(question));
            }
            Inbox::Configured(new) => self.configured(new.0, new.1).await,
            Inbox::Refused(why) => self.rejected = Some(why),
            Inbox::Stop(done) => return Some(done),
        }
        None
    }

    fn events(&mut self, events: Vec<Event>) {
        for alike in events.chunk_by(|a, b| a.kind() == b.kind()) {
            self.metrics.event(alike[0].kind(), alike.len() as u64);
        }
        // What came together happened now, all of it: the clock is asked once.
        let now = clock::now();
        events.into_iter().for_each(|event| self.step_at(now, event));
    }

    fn link(&mut self, link: LinkId, up: bool, because: &str) {
        let before = self.links.insert(link.clone(), up);
        self.metrics.link(link.as_str(), up);
        if before != Some(up) {
            self.link_event(link.clone(), up);
            // Central hears of it soon, and once if it comes and goes.
            self.heartbeat_at = self.heartbeat_at.min(clock::now() + LINK_TOLD_AFTER);
            if up {
                tracing::info!(%link, "link is up");
            } else {
                tracing::warn!(%link, because, "link is down; it is tried again by itself");
            }
        }
    }

    /// What the rooms are told of a link: their devices on it cannot be heard, or can be again.
    fn link_event(&mut self, link: LinkId, up: bool) {
        let devices = self.configured.on_link(&link).map(|(device, _)| device.clone());
        let devices: Vec<DeviceId> = devices.collect();
        if !devices.is_empty() {
            self.step(Event::Link { link, devices, up });
        }
    }

    fn central(&mut self, words: FromLink) {
        match words {
            FromLink::Read(request) => {
                if let Some(entries) = page(&mut self.store, request.class, request.after, request.limit) {
                    let _ = request.answer.send(entries);
                }
            }
            FromLink::Settled(settlements) => {
                for settled in settlements {
                    let stream = settled.stream.name();
                    match settled.outcome {
                        Outcome::Acknowledged => _ = self.store.outbox().acknowledge(stream, settled.sequence),
                        Outcome::Expired => _ = self.store.outbox().expired(stream, settled.sequence),
                        Outcome::DeadLetter(why) => {
                            tracing::error!(
                                stream,
                                sequence = settled.sequence,
                                why,
                                "cannot be sent; set aside for an engineer"
                            );
                            self.store.outbox().set_aside(stream, settled.sequence);
                        }
                    }
                }
            }
            FromLink::Arrived(arrival) => {
                arrival
                    .refused
                    .iter()
                    .for_each(|r| self.metrics.reject("central", r.reason.name(), 1));
                self.events(arrival.events);
                self.turn.tokens.push(arrival.token);
            }
            FromLink::Link(news) => {
                let (up, because) = match news {
                    LinkNews::Up => (true, String::new()),
                    LinkNews::Down(why) => (false, why),
                };
                if let Some(id) = self.configured.central().map(|(id, _)| id.clone()) {
                    self.link(id, up, &because);
                }
            }
        }
    }

    // --- step --------------------------------------------------------------------------------------------------------

    fn what_is_due(&mut self) {
        let now = clock::now();
        while self.engine.deadline().is_some_and(|at| at <= now) {
            self.step(Event::Deadline);
        }
        if self.heartbeat_at <= now {
            self.heartbeat_at = now + HEARTBEAT;
            self.heartbeat(now);
        }
        for job in self.jobs.take_due(now) {
            job.run(&mut self.store, now);
            if let Some(event) = job.event() {
                let (guests, likes) = self
                    .engine
                    .dormant(now)
                    .iter()
                    .fold((0, 0), |(g, l), (_, n)| (g + 1, l + n));
                tracing::info!(guests, likes, "dormant: to be asked about, not applied");
                self.step(event);
            }
        }
        self.turn.save.extend(self.lazy.take_due(now));
        if let Err(fault) = self.store.maintain(now) {
            tracing::warn!(%fault, "the store's upkeep has to wait");
        }
        for alarm in self.store.take_alarms() {
            tracing::error!(%alarm, "damage in the store");
        }
    }

    fn step(&mut self, event: Event) {
        self.step_at(clock::now(), event);
    }

    fn step_at(&mut self, now: Moment, event: Event) {
        let recorded = self.recorder.is_some().then(|| event.clone());
        let effects = self.engine.step(now, event);
        if let (Some(recorder), Some(event)) = (&mut self.recorder, recorded) {
            let answer = Answer {
                at: now,
                effects,
                next: self.engine.deadline(),
            };
            if let Err(fault) = recorder.write(&Stamped { at: now, event }, &answer) {
                tracing::error!(%fault, "the recording ends here");
                self.recorder = None;
            }
            self.gather(now, answer.effects);
        } else {
            self.gather(now, effects);
        }
    }

    fn gather(&mut self, now: Moment, effects: Vec<Effect>) {
        for effect in effects {
            self.metrics.effect(effect.kind());
            self.note(now, &effect);
            match effect {
                Effect::Command(command) => self.turn.commands.push(*command),
                Effect::Report(report) => self.turn.reports.push((report, now)),
                Effect::Save {
                    key,
                    when: SaveWhen::Now,
                } => _ = self.turn.save.insert(key),
                Effect::Save {
                    key,
                    when: SaveWhen::Soon,
                } => self.lazy.put(key, now + LAZY),
                Effect::Forget(key) => _ = self.turn.forget.insert(key),
                Effect::Refuse(refusal) => {
                    self.metrics.reject("engine", &refusal.reason, 1);
                    // Repeated messages are the rule where delivery is at least once.
                    if refusal.reason == "stay_stale_version" {
                        tracing::debug!(reason = %refusal.reason, what = refusal.what, "not taken");
                    } else {
                        tracing::warn!(reason = %refusal.reason, what = refusal.what, "not taken");
                    }
                }
                Effect::Note { .. } => {}
            }
        }
    }

    /// What was decided is kept with its because, so that `why` can answer.
    fn note(&mut self, now: Moment, effect: &Effect) {
        let room: Option<&RoomId> = match effect {
            Effect::Command(command) => Some(&command.id.room),
            Effect::Report(report) => Some(report.room()),
            Effect::Note { room, .. } => Some(room),
            _ => None,
        };
        if let (Some(room), Ok(json)) = (room, serde_json::to_vec(effect)) {
            self.turn.notes.push(Note {
                at: now,
                room: Some(room.clone()),
                json,
            });
        }
    }

    fn heartbeat(&mut self, now: Moment) {
        let silent = self.engine.devices_silent(now);
        let (pending, oldest) = (self.store.outbox_ref().pending(), self.store.outbox().oldest(now));
        self.metrics.silent(silent);
        self.metrics.outbox(pending, oldest);
        let state = self.edge_state(now, silent, pending, oldest);
        if let Ok(body) = serde_json::to_vec(&state) {
            let entry = self.entry(format!("edge.{}", now.millis()), Stream::Edge, None, body, now);
            self.commit(Batch {
                outbox: vec![entry],
                ..Batch::default()
            });
            self.publish_reach();
        }
    }

    fn edge_state(&self, now: Moment, silent: usize, pending: u64, oldest: u64) -> EdgeState {
        let central = self.configured.central().map(|(id, _)| id);
        let mut degraded: Vec<String> = Vec::new();
        let down = self.links.iter().filter(|(_, up)| !**up).map(|(id, _)| id);
        degraded.extend(down.map(|id| {
            if Some(id) == central {
                "central_away".into()
            } else {
                format!("link_lost:{id}")
            }
        }));
        degraded.extend(self.unsaved.as_ref().map(|_| "disk_refuses".to_owned()));
        let mut free_rooms = self.engine.free_rooms(now);
        free_rooms.truncate(FREE_ROOMS_TOLD_MAX);
        EdgeState {
            version: env!("CARGO_PKG_VERSION").into(),
            uptime_s: now.since(self.started).as_millis().unsigned_abs() / 1000,
            configuration: self.configured.hash.clone(),
            rejected: self.rejected.clone(),
            pending,
            oldest_unsent_s: oldest,
            rooms: u32::try_from(self.configured.property.rooms.len()).unwrap_or(u32::MAX),
            devices_silent: u32::try_from(silent).unwrap_or(u32::MAX),
            degraded,
            free_rooms,
        }
    }

    // --- commit and carry out ----------------------------------------------------------------------------------------

    fn settle(&mut self) {
        let mut turn = std::mem::take(&mut self.turn);
        let batch = self.batch(&mut turn);
        let is_empty =
            batch.puts.is_empty() && batch.removes.is_empty() && batch.outbox.is_empty() && batch.journal.is_empty();
        let is_retry = self.unsaved.as_ref().is_some_and(|(_, at)| *at <= clock::now());
        let is_safe = if is_empty && !is_retry {
            self.unsaved.is_none()
        } else {
            self.commit(batch)
        };
        if is_safe && !turn.reports.is_empty() {
            self.publish_reach();
        }
        for command in turn.commands {
            self.tell(command);
        }
        for (report, _) in turn.reports {
            self.fan_out(report);
        }
        if is_safe {
            turn.tokens.into_iter().for_each(ArrivalToken::committed);
        }
        if let Some(recorder) = &mut self.recorder {
            let _ = recorder.flush();
        }
    }

    fn batch(&mut self, turn: &mut Turn) -> Batch {
        let mut batch = Batch::default();
        for key in &turn.save {
            self.lazy.remove(key);
            batch
                .puts
                .extend(self.engine.record(key).map(|body| (key.to_text(), body)));
        }
        for key in turn.forget.iter().filter(|key| !turn.save.contains(key)) {
            self.lazy.remove(key);
            batch.removes.push(key.to_text());
        }
        batch.outbox = turn
            .reports
            .iter()
            .map(|(report, at)| self.report_entry(report, *at))
            .collect();
        batch.journal = std::mem::take(&mut turn.notes);
        batch
    }

    fn report_entry(&self, report: &Report, at: Moment) -> Entry {
        let body = UpMessage::from_report(report, 0, at, None).data.into_bytes();
        self.entry(report.id(), report.stream(), Some(report.room().clone()), body, at)
    }

    fn entry(&self, id: String, stream: Stream, room: Option<RoomId>, body: Vec<u8>, at: Moment) -> Entry {
        let outbox = &self.configured.store.outbox;
        let (class, keep) = match stream.class() {
            Class::Emergency => (crate::store::Class::Emergency, &outbox.emergency.keep),
            Class::Request => (crate::store::Class::Request, &outbox.request.keep),
            Class::Promise => (crate::store::Class::Promise, &outbox.promise.keep),
            Class::State => (crate::store::Class::Telemetry, &outbox.state.keep),
        };
        Entry {
            id,
            stream: stream.name().into(),
            class,
            room,
            body,
            at,
            expires: at + keep.0,
        }
    }

    /// Makes a batch durable, with what was refused before. Returns whether it is.
    fn commit(&mut self, batch: Batch) -> bool {
        let batch = match self.unsaved.take() {
            Some((before, _)) => join(before, batch),
            None => batch,
        };
        let began = Instant::now();
        match self.store.commit(&batch) {
            Ok(_) => {
                let (log, other) = self.store.bytes_written();
                self.metrics.commit(began.elapsed().as_secs_f64(), log + other);
                true
            }
            Err(fault) => {
                self.refused(batch, &fault);
                false
            }
        }
    }

    fn refused(&mut self, mut batch: Batch, fault: &StoreFault) {
        self.metrics.commit_fault();
        tracing::error!(%fault, waiting = batch.outbox.len(), "the disk refuses; rooms go on, central has to wait");
        // The journal can be spared before anything that was promised; beyond the bound the least important goes, counted.
        batch.journal.clear();
        while batch.outbox.len() > UNSAVED_MAX {
            let least = batch
                .outbox
                .iter()
                .enumerate()
                .max_by_key(|(n, e)| (e.class, usize::MAX - n))
                .map(|(n, _)| n);
            let Some(least) = least else { break };
            batch.outbox.remove(least);
            self.metrics.reject("outbox", "memory_full", 1);
        }
        self.unsaved = Some((batch, clock::now() + RETRY));
    }

    fn publish_reach(&mut self) {
        let reach = self.store.outbox().reach();
        self.last.send_replace(reach);
    }

    fn tell(&mut self, command: Command) {
        let (room, device, point) = (&command.id.room, &command.device, command.point);
        tracing::info!(%room, %device, %point, value = %command.value, because = %command.because, "tells");
        match self.outlets.get(&command.device) {
            Some(outlet) => outlet.tell(command),
            None => {
                let why = "no link reaches this device".to_owned();
                self.step(Event::Written {
                    command: command.id,
                    result: crate::model::WriteResult::Refused(why),
                });
            }
        }
    }

    fn fan_out(&mut self, report: Report) {
        let Report::Emergency(emergency) = report else { return };
        let (room, cause) = (&emergency.room, emergency.cause);
        if emergency.over {
            tracing::warn!(%room, %cause, "emergency is over");
        } else {
            tracing::error!(%room, %cause, call = emergency.call, local = emergency.local, "EMERGENCY");
        }
        if emergency.local && self.fanout.try_send(emergency).is_err() {
            tracing::error!("the local fan-out for emergencies is blocked");
        }
    }

    // --- configuration, questions, end -------------------------------------------------------------------------------

    async fn configured(&mut self, now: Configured, library: Library) {
        let before = std::mem::replace(&mut self.configured, now.clone());
        self.rejected = None;
        self.jobs = Jobs::new(&now, clock::now());
        let (answer, outlets) = oneshot::channel();
        // Links first: a room must not be decided anew while its devices cannot be told.
        if self
            .reconfigured
            .send(Relink {
                before,
                now: now.clone(),
                library,
                answer,
            })
            .is_ok()
            && let Ok(outlets) = outlets.await
        {
            self.outlets = outlets;
        }
        self.step(Event::Configured(now.property));
        let down: Vec<LinkId> = self
            .links
            .iter()
            .filter(|(_, up)| !**up)
            .map(|(id, _)| id.clone())
            .collect();
        down.into_iter().for_each(|link| self.link_event(link, false));
        tracing::info!(configuration = self.configured.hash, "runs a new configuration");
    }

    fn answer(&mut self, question: Question) -> serde_json::Value {
        let now = clock::now();
        match question {
            Question::Status => {
                let (silent, pending) = (self.engine.devices_silent(now), self.store.outbox_ref().pending());
                let oldest = self.store.outbox().oldest(now);
                json!({ "edge": self.edge_state(now, silent, pending, oldest), "links": self.links })
            }
            Question::Room(room) => match self.engine.summary(&room, now) {
                Some(summary) => summary,
                None => json!({ "error": format!("there is no room {room}") }),
            },
            Question::Guest(guest) => match self.engine.preferences(&guest, now) {
                Some(answers) => json!({ "guest": guest, "today": self.engine.today(now), "answers": answers }),
                None => json!({ "error": "nothing is known of this guest here" }),
            },
            Question::Rooms => json!({ "rooms": self.standings(now) }),
            Question::FreeRooms => json!({ "free_rooms": self.engine.free_rooms(now) }),
            Question::Why {
                room,
                from,
                to,
                limit,
                rule,
            } => {
                let found = match &rule {
                    Some(rule) => {
                        let limit = limit.min(WHY_OF_RULE_MAX);
                        self.store.why_by_rule(room.as_ref(), from, to, rule, limit)
                    }
                    None => self.store.why(room.as_ref(), from, to, limit.min(WHY_MAX)),
                };
                match found {
                    Ok(notes) => {
                        let line = |n: &Note| json!({ "at": n.at, "room": n.room, "what": serde_json::from_slice::<serde_json::Value>(&n.json).ok() });
                        json!({ "decisions": notes.iter().map(line).collect::<Vec<_>>() })
                    }
                    Err(fault) => json!({ "error": fault.to_string() }),
                }
            }
            Question::Ledger => {
                let ledgers = self.store.outbox_ref().ledgers();
                json!({ "streams": ledgers.map(|(name, _, ledger)| (name.to_owned(), json!(ledger))).collect::<BTreeMap<_, _>>() })
            }
            Question::Reload | Question::Override(_) => json!({ "error": "answered by the daemon" }),
        }
    }

    /// Each room's state, in the hotel's words.
    fn standings(&self, now: Moment) -> Vec<serde_json::Value> {
        let rooms = self.configured.property.rooms.iter();
        let standing = |id: &RoomId| {
            let standing = self.engine.standing(id, now)?;
            Some(json!({ "room": id, "state": standing.state, "because": standing.because }))
        };
        rooms.filter_map(|room| standing(&room.id)).collect()
    }

    /// Devices are handed back, everything is written, the store is closed in order.
    fn end(mut self) {
        self.step(Event::Stopping);
        self.turn.save.extend(self.lazy.take_all());
        self.settle();
        let now = clock::now();
        if let Err(fault) = self.store.close(now) {
            tracing::error!(%fault, "the store could not be closed in order; what was committed is safe");
        }
    }
}

/// Puts a batch behind another: later records win, entries keep their order.
fn join(mut first: Batch, second: Batch) -> Batch {
    first
        .puts
        .retain(|(key, _)| !second.puts.iter().any(|(k, _)| k == key) && !second.removes.contains(key));
    first.removes.retain(|key| !second.puts.iter().any(|(k, _)| k == key));
    first.puts.extend(second.puts);
    first.removes.extend(second.removes);
    first.outbox.extend(second.outbox);
    first.journal.extend(second.journal);
    first
}
