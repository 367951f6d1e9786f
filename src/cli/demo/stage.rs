//! Where does the story play, and how does time pass there?
//!
//! Two brokers, a bus, rooms, central and the daemon, all on free loopback ports. Time passes only while the story lets
//! it: a step moves the simulated hotel on, waits until the daemon has answered, and then lets the clock run for a few
//! milliseconds. The daemon is never left behind, however busy the machine.

use super::narrator::{Narrator, Who};
use super::words;
use crate::config;
use crate::daemon::{self, Options, Question, Running, clock, control};
use crate::model::{
    Because, Celsius, Moment, PropertyId, ReadinessVerdict, Report, RequestId, RequestState, RequestStatus, RoomId,
    Span,
};
use crate::mqtt::{LinkOptions, Pauses};
use crate::simulate::broker::Broker;
use crate::simulate::dispatch::{Dispatch, Heard, Said};
use crate::simulate::guest::Script;
use crate::simulate::hotel::{self, Hotel, Plan, Told};
use crate::simulate::zigbee::Model;
use crate::uplink::UpData;
use crate::uplink::central::Verdict;
use anyhow::{Context, Result, anyhow};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Where the hotel stands.
pub const ZONE: &str = "Europe/Vienna";
/// Midnight before the story begins, there.
const MIDNIGHT: &str = "2026-11-22T23:00:00Z";
/// The property.
const PROPERTY: &str = "hotel-am-see";
/// A step lasts about so long in real time.
const STEP: Duration = Duration::from_millis(12);
/// The clock is never slower than this while it runs.
const FACTOR_MIN: f64 = 30.0;
/// Nor faster than this, however impatient: devices must be heard several times in the time after which they count as silent.
const FACTOR_MAX: f64 = 12_000.0;
/// What a guest of the background does may be so late.
const LATE_MAX: Span = Span::seconds(90);
/// A promise that moves by less is not worth another line.
const PROMISE_TOLD: Span = Span::minutes(25);
/// So many seconds of the story a message may be on its way before time waits for it.
const UNDER_WAY_S: f64 = 15.0;
/// A device has obeyed and said so within this, in real time.
const OBEYS_WITHIN: Duration = Duration::from_millis(150);

/// How fast time passes: so many times faster than real.
pub mod pace {
    /// Nothing happens: an hour in less than half a second.
    pub const DULL: f64 = 9000.0;
    /// A day as it goes: an hour in a second and a half.
    pub const DAY: f64 = 2400.0;
    /// Minutes matter: five of them in a second.
    pub const CLOSE: f64 = 300.0;
    /// Seconds matter.
    pub const SECONDS: f64 = 40.0;
}

/// One part of the story, checked.
#[derive(Debug, Clone)]
pub struct Beat {
    /// What was to come true.
    pub what: String,
    /// Whether it did.
    pub came_true: bool,
}

/// The stage.
pub struct Stage {
    /// The voice.
    pub narrator: Narrator,
    /// The rooms.
    pub hotel: Hotel,
    /// Central.
    pub central: Dispatch,
    /// What happens in the rooms by itself.
    pub script: Script,
    /// What was checked.
    pub beats: Vec<Beat>,
    /// The room that is told of in detail.
    pub focus: RoomId,
    /// Everything that central has heard.
    pub heard: Vec<Heard>,
    /// Everything that devices were told.
    pub told: Vec<Told>,
    running: Running,
    /// The broker of the rooms: it must live as long as they do.
    rooms_broker: Broker,
    central_broker: Broker,
    /// Everything that central has said of requests.
    pub said: Vec<Said>,
    emergencies: BTreeSet<RequestId>,
    /// Days like others are passed over.
    pub is_quiet: bool,
    /// When the room of the story began to be prepared.
    pub heating_began: Option<Moment>,
    promise_told: Option<(Celsius, Moment)>,
    states_told: BTreeSet<(RequestId, RequestState)>,
    is_away: bool,
    /// How many commands the daemon has counted.
    commands: u64,
    /// A device is being told something: command and answer are on the wire until then.
    obeying_until: Option<Instant>,
    speed: f64,
    dir: TempDir,
}

/// A folder that goes when the demo goes.
struct TempDir(PathBuf);

impl Drop for TempDir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A day of the story, from 0, at this local hour and minute.
pub fn at(day: i64, hour: i64, minute: i64) -> Moment {
    let midnight = Moment::parse(MIDNIGHT).expect("the story's first midnight is a moment");
    midnight + Span::minutes((day * 24 + hour) * 60 + minute)
}

/// A room's id.
pub fn room(id: &str) -> RoomId {
    RoomId::new(id).expect("the story's room ids are ids")
}

impl Stage {
    /// Builds everything and starts the daemon.
    pub async fn open(narrator: Narrator, speed: f64) -> Result<Self> {
        clock::run_fast(at(0, 8, 50), FACTOR_MIN);
        let dir = TempDir(std::env::temp_dir().join(format!("innkeeper-demo-{}", std::process::id())));
        std::fs::create_dir_all(&dir.0).with_context(|| format!("cannot make {}", dir.0.display()))?;
        let (rooms_broker, central_broker) = (Broker::on_loopback()?, Broker::on_loopback()?);
        let plans = plans();
        let mut hotel = Hotel::open(plans.clone(), rooms_broker.address(), clock::now).await?;
        hotel.pass().await;
        let property = PropertyId::new(PROPERTY).map_err(anyhow::Error::msg)?;
        let central = Dispatch::start(central_link(&central_broker), property, clock::now)?;
        let text = configuration(&plans, &dir.0, &rooms_broker, &central_broker, &hotel);
        std::fs::write(dir.0.join("innkeeper.toml"), &text)?;
        let library = crate::simulate::fast_library().map_err(|faults| anyhow!("the demo's profiles: {faults:?}"))?;
        let configured = config::from_str("innkeeper.toml", &text, &library);
        let configured = configured.map_err(|faults| {
            let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
            anyhow!("the demo's own configuration:\n{}", faults.join("\n"))
        })?;
        let running = daemon::start(
            configured,
            library,
            Options {
                make_key: true,
                ..Options::default()
            },
        )
        .await?;
        Ok(Self {
            narrator,
            hotel,
            central,
            script: Script::default(),
            beats: Vec::new(),
            focus: room("104"),
            heard: Vec::new(),
            told: Vec::new(),
            running,
            rooms_broker,
            central_broker,
            said: Vec::new(),
            emergencies: BTreeSet::new(),
            is_quiet: false,
            heating_began: None,
            promise_told: None,
            states_told: BTreeSet::new(),
            is_away: false,
            commands: 0,
            obeying_until: None,
            speed,
            dir,
        })
    }

    /// Lets time pass until a moment.
    pub async fn until(&mut self, at: Moment, pace: f64) {
        while clock::now() < at {
            self.step(at, pace).await;
        }
    }

    /// Lets time pass until something is so, or patience ends. Returns what was found.
    pub async fn wait_for<T>(&mut self, patience: Span, pace: f64, find: impl Fn(&Self) -> Option<T>) -> Option<T> {
        let end = clock::now() + patience;
        loop {
            if let Some(found) = find(self) {
                return Some(found);
            }
            if clock::now() >= end {
                return None;
            }
            self.step(end, pace).await;
        }
    }

    /// Lets time pass for ever, quietly.
    pub async fn go_on(&mut self) {
        loop {
            self.step(Moment::LATEST, pace::CLOSE).await;
        }
    }

    /// Says what somebody does now.
    pub fn say(&self, who: Who, text: &str) {
        self.narrator.say(clock::now(), who, text);
    }

    /// Notes whether a part of the story came true, and says so.
    pub fn check(&mut self, came_true: bool, what: impl Into<String>) {
        let what = what.into();
        self.say(Who::Check(came_true), &what);
        self.beats.push(Beat { what, came_true });
    }

    /// Cuts the line to central, or mends it.
    pub fn central_is_away(&mut self, is_away: bool) {
        self.is_away = is_away;
        self.central_broker.faults().refuse(is_away);
        if is_away {
            self.central_broker.faults().cut_all();
        }
    }

    /// Asks the daemon, as `innkeeper status`, `why` and `ledger` do.
    pub async fn ask(&self, question: Question) -> Value {
        self.running.ask(question).await.unwrap_or_default()
    }

    /// Reports that central heard after a moment, of one room.
    pub fn reports<'a>(&'a self, room: &'a RoomId, since: Moment) -> impl Iterator<Item = (Moment, &'a Report)> {
        self.heard
            .iter()
            .filter(move |heard| heard.received.at >= since)
            .filter_map(move |heard| match &heard.received.data {
                UpData::Report(report) if report.room() == room => Some((heard.received.at, report)),
                _ => None,
            })
    }

    /// What a device of a room was told after a moment.
    pub fn commands<'a>(&'a self, room: &'a RoomId, device: Model, since: Moment) -> impl Iterator<Item = &'a Told> {
        self.told
            .iter()
            .filter(move |told| told.room == *room && told.device == device && told.at >= since)
    }

    /// Where health and metrics are served.
    pub fn observe(&self) -> String {
        format!("http://{}/metrics", self.running.observe)
    }

    /// How to look at the running demo from another terminal: why the heating began when it did, and the metrics.
    pub fn hints(&self) -> [String; 2] {
        let socket = control::socket_of(&self.dir.0.join("store"));
        let begun = self.heating_began.unwrap_or_else(clock::now);
        [
            format!(
                "innkeeper why {} --at {begun} --socket {}",
                self.focus,
                socket.display()
            ),
            format!("curl {}", self.observe()),
        ]
    }

    /// Stops everything in order.
    pub async fn close(self) {
        let Self {
            running,
            hotel,
            central,
            central_broker,
            rooms_broker,
            dir,
            ..
        } = self;
        let _ = tokio::time::timeout(Duration::from_secs(20), running.stop()).await;
        drop((hotel, central));
        central_broker.stop().await;
        rooms_broker.stop().await;
        drop(dir);
    }

    async fn step(&mut self, until: Moment, pace: f64) {
        for timed in self.script.take_due(clock::now()) {
            self.hotel.act(&timed.room, timed.act).await;
        }
        self.hotel.pass().await;
        self.narrate().await;
        let status = self.running.ask(Question::Status).await.unwrap_or_default();
        // A command on its way to a device is let arrive: on the bus it may have to wait for its turn.
        let commands = commands_so_far(&self.running.metrics.text());
        if commands != self.commands {
            (self.commands, self.obeying_until) = (commands, Some(Instant::now() + OBEYS_WITHIN));
        }
        // So is what is on its way to central: its wait is measured in the story's time.
        let is_under_way = !self.is_away
            && status["edge"]["oldest_unsent_s"]
                .as_f64()
                .is_some_and(|age| age >= UNDER_WAY_S);
        if is_under_way {
            clock::keep_pace(FACTOR_MIN);
            tokio::time::sleep(STEP / 4).await;
        } else {
            clock::keep_pace(self.factor(until, pace));
            tokio::time::sleep(STEP).await;
        }
    }

    /// How fast the clock runs for a step: not past the end, hardly past the next act, and slowly while a device obeys.
    fn factor(&self, until: Moment, pace: f64) -> f64 {
        if self.obeying_until.is_some_and(|at| Instant::now() < at) {
            return FACTOR_MIN;
        }
        let next = self.script.next_at().map_or(until, |at| (at + LATE_MAX).min(until));
        let no_further = next.since(clock::now()).as_seconds_f64() / STEP.as_secs_f64();
        (pace * self.speed).min(FACTOR_MAX).min(no_further).max(FACTOR_MIN)
    }

    /// Tells what has newly come over the wires.
    async fn narrate(&mut self) {
        for told in self.hotel.told_since(self.told.len()) {
            if told.room == self.focus && !self.is_quiet {
                let because = self.why(&told).await;
                self.narrator
                    .say(told.at, Who::Innkeeper, &command(&self.narrator, &told, because));
            }
            self.told.push(told);
        }
        for heard in self.central.heard_since(self.heard.len()) {
            if let UpData::Report(report) = &heard.received.data
                && heard.verdict == Verdict::New
                && self.is_of_interest(report)
            {
                self.narrator.say(
                    heard.received.at,
                    Who::Innkeeper,
                    &words::report(&self.narrator, report),
                );
            }
            self.heard.push(heard);
        }
        for said in self.central.said_since(self.said.len()) {
            let request = words::request_name(&said.notice.request);
            match said.notice.status {
                _ if self.is_quiet => {}
                RequestStatus::Done => self
                    .narrator
                    .say(said.at, Who::Central, &format!("reports done: {request}")),
                _ if self.emergencies.contains(&said.notice.request) => {
                    self.narrator
                        .say(said.at, Who::Central, &format!("takes it on: {request}"));
                }
                _ => {}
            }
            self.said.push(said);
        }
    }

    /// The other rooms' promises and likes are theirs; what somebody is asked to do is told of every room. A promise that
    /// moves little is not told again, nor is a state that is told already.
    fn is_of_interest(&mut self, report: &Report) -> bool {
        let is_focus = *report.room() == self.focus;
        match report {
            Report::Emergency(emergency) => {
                self.emergencies.insert(emergency.id.clone());
                true
            }
            Report::Request(request) => {
                matches!(request.state, RequestState::Raised | RequestState::Offered) && !self.is_quiet
            }
            Report::Preference(_) => is_focus,
            Report::RequestState(state) => self.states_told.insert((state.id.clone(), state.state)),
            Report::Readiness(promise) => {
                let is_missed = promise.verdict == Some(ReadinessVerdict::Missed);
                let is_far = self.promise_told.is_none_or(|(target, at)| {
                    target != promise.target || promise.p50.since(at).as_millis().abs() > PROMISE_TOLD.as_millis()
                });
                if !(is_missed || is_focus && (is_far || promise.verdict.is_some())) {
                    return false;
                }
                self.promise_told = Some((promise.target, promise.p50));
                true
            }
        }
    }

    /// Why innkeeper told a device this, as its journal says.
    async fn why(&self, told: &Told) -> Option<Because> {
        let (from, to) = (told.at - Span::hours(2), told.at + Span::hours(2));
        let question = Question::Why {
            room: Some(told.room.clone()),
            from,
            to,
            limit: 50,
            rule: None,
        };
        let point = if told.device == Model::Mattress {
            "firmness"
        } else {
            "target_temperature"
        };
        let answer = self.running.ask(question).await?;
        let decisions = answer["decisions"].as_array()?;
        let of_it = |line: &&Value| {
            line["what"]["command"]["point"] == point && line["what"]["command"]["value"].as_f64() == Some(told.value)
        };
        let found = decisions.iter().find(of_it)?;
        serde_json::from_value(found["what"]["command"]["because"].clone()).ok()
    }
}

/// Reads the count of commands from the daemon's own metrics.
fn commands_so_far(metrics: &str) -> u64 {
    let line = metrics
        .lines()
        .find(|line| line.contains("effects_total") && line.contains("\"command\""));
    line.and_then(|line| line.rsplit(' ').next()?.parse().ok()).unwrap_or(0)
}

fn command(voice: &Narrator, told: &Told, because: Option<Because>) -> String {
    let what = match told.device {
        Model::Mattress => format!("sets the bed of {} to firmness {}", told.room, told.value),
        _ => format!("sets the thermostat of {} to {:.1} C", told.room, told.value),
    };
    match because {
        Some(because) => format!("{what}: {}", words::reason(voice, &because)),
        None => what,
    }
}

fn central_link(broker: &Broker) -> LinkOptions {
    let address = broker.address();
    let (ms, stable) = (Duration::from_millis, Duration::from_secs(1));
    let link = LinkOptions::new(address.ip().to_string(), address.port(), "central");
    LinkOptions {
        pauses: Pauses {
            min: ms(100),
            max: ms(400),
            stable,
        },
        ..link
    }
}

/// Six rooms: two with thermostats on the bus, four with Zigbee ones; the room of the story has a mattress, too.
fn plans() -> Vec<Plan> {
    let plan = |id: &str, unit, mattress, air| Plan {
        id: room(id),
        unit,
        mattress,
        air,
    };
    vec![
        plan("101", Some(1), false, 18.5),
        plan("102", Some(2), false, 19.0),
        plan("103", None, false, 18.0),
        plan("104", None, true, 18.0),
        plan("105", None, false, 18.4),
        plan("106", None, false, 19.2),
    ]
}

fn configuration(plans: &[Plan], dir: &std::path::Path, rooms: &Broker, central: &Broker, hotel: &Hotel) -> String {
    let (rooms, central, bus) = (rooms.address(), central.address(), hotel.bus());
    let head = format!(
        r#"[property]
id = "{PROPERTY}"
zone = "{ZONE}"
plant = "heating"

[arrival]
heating_rate = 3.0

[habits]
hits_min = 3

[emergency]
local_after = "30s"
repeat = "5m"

[services.hot-milk]
department = "room_service"
skill = "kitchen"
estimate_min = 8

[links.central]
kind = "central"
host = "{}"
port = {}
ack = "central"

[links.zigbee]
kind = "mqtt"
host = "{}"
port = {}

[links.bus]
kind = "modbus"
tcp = "{bus}"

[store]
dir = {:?}
key_file = {:?}

[observe]
listen = "127.0.0.1:0"
"#,
        central.ip(),
        central.port(),
        rooms.ip(),
        rooms.port(),
        dir.join("store"),
        dir.join("store.key"),
    );
    head + &hotel::configuration(plans)
}
