//! A property for tests of the whole process: a folder, a configuration, the real binary, and a plain MQTT client.

#![allow(dead_code, reason = "each test uses its part of it")]

use rumqttc::{Client, Event, MqttOptions, Packet, QoS};
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Nothing in these tests waits longer.
pub const PATIENCE: Duration = Duration::from_secs(180);

/// A folder with a configuration in it, and a store.
pub struct House {
    pub dir: tempfile::TempDir,
    /// Where health and metrics are served.
    pub observe: SocketAddr,
}

impl House {
    /// Lays a house out; `body` is the configuration without `[store]` and `[observe]`.
    pub fn new(body: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = dir.path().join("store");
        let observe = SocketAddr::from(([127, 0, 0, 1], free_port()));
        let text = format!(
            "{body}\n[store]\ndir = {store:?}\nkey_file = {:?}\n[observe]\nlisten = \"{observe}\"\nlog = \"warn\"\n",
            dir.path().join("store.key")
        );
        std::fs::write(dir.path().join("innkeeper.toml"), text).unwrap();
        let house = Self { dir, observe };
        assert!(
            house
                .command(&["init", "--key-file", &house.key()])
                .status()
                .unwrap()
                .success()
        );
        house
    }

    fn key(&self) -> String {
        self.dir.path().join("store.key").display().to_string()
    }

    pub fn configuration(&self) -> PathBuf {
        self.dir.path().join("innkeeper.toml")
    }

    /// The real binary with these arguments, in the environment that the unit gives it.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let unit = include_str!("../../systemd/innkeeper.service");
        let given = unit
            .lines()
            .filter_map(|line| line.strip_prefix("Environment=")?.split_once('='));
        let mut command = Command::new(env!("CARGO_BIN_EXE_innkeeper"));
        command.args(arguments).envs(given).stdin(Stdio::null());
        command
    }

    /// Starts the daemon and waits until it answers.
    pub fn start(&self) -> Daemon {
        let began = Instant::now();
        let path = self.configuration().display().to_string();
        let child = self
            .command(&["run", "--config", &path])
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let mut daemon = Daemon {
            child,
            socket: self.dir.path().join("store/control.sock"),
            ready_after: Duration::ZERO,
        };
        while daemon.ask(&json!("status")).is_none() {
            assert!(began.elapsed() < PATIENCE, "the daemon does not get ready");
            assert!(daemon.child.try_wait().unwrap().is_none(), "the daemon ended at start");
            std::thread::sleep(Duration::from_millis(5));
        }
        daemon.ready_after = began.elapsed();
        daemon
    }
}

/// The running process. It is killed when it is dropped.
pub struct Daemon {
    pub child: Child,
    socket: PathBuf,
    pub ready_after: Duration,
}

impl Daemon {
    /// Asks over the control socket; none when nobody answers.
    pub fn ask(&self, question: &Json) -> Option<Json> {
        let mut stream = UnixStream::connect(&self.socket).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(10))).ok()?;
        writeln!(stream, "{question}").ok()?;
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line).ok()?;
        serde_json::from_str(&line).ok()
    }

    /// Waits until an answer is as wanted.
    pub fn until(&self, question: Json, what: &str, wanted: impl Fn(&Json) -> bool) -> Json {
        let began = Instant::now();
        loop {
            if let Some(answer) = self.ask(&question).filter(|answer| wanted(answer)) {
                return answer;
            }
            assert!(began.elapsed() < PATIENCE, "{what}: {:?}", self.ask(&question));
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// kill -9.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM, and waits for the end in order.
    pub fn stop(mut self) {
        let pid = self.pid().to_string();
        assert!(Command::new("kill").arg(&pid).status().unwrap().success());
        let began = Instant::now();
        while self.child.try_wait().unwrap().is_none() {
            assert!(began.elapsed() < PATIENCE, "the daemon does not stop");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// A field of /proc/PID/status, in KiB.
    pub fn memory_kib(&self, field: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap();
        let line = status.lines().find(|line| line.starts_with(field)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A message as it was heard: topic and payload.
pub type Heard = (String, Vec<u8>);

/// A plain client of the broker: publishes, and keeps everything it hears.
pub struct Ear {
    client: Client,
    pub heard: Arc<Mutex<Vec<Heard>>>,
}

impl Ear {
    /// Connects under a name and listens to these filters.
    pub fn new(broker: SocketAddr, name: &str, filters: &[&str]) -> Self {
        let mut options = MqttOptions::new(name, broker.ip().to_string(), broker.port());
        options
            .set_max_packet_size(1 << 20, 1 << 20)
            .set_keep_alive(Duration::from_secs(30))
            .set_inflight(1000);
        let (client, mut connection) = Client::new(options, 1000);
        // Without it our own TCP would hold a short message back until the one before is acknowledged.
        let mut network = rumqttc::NetworkOptions::new();
        network.set_tcp_nodelay(true);
        connection.eventloop.set_network_options(network);
        for filter in filters {
            client.subscribe(*filter, QoS::AtLeastOnce).unwrap();
        }
        let heard = Arc::new(Mutex::new(Vec::new()));
        let (kept, subscribed) = (Arc::clone(&heard), std::sync::mpsc::channel());
        let (tell, wait) = subscribed;
        let expected = filters.len();
        std::thread::spawn(move || {
            let mut answered = 0;
            for event in connection.iter() {
                match event {
                    Ok(Event::Incoming(Packet::Publish(p))) => kept.lock().unwrap().push((p.topic, p.payload.to_vec())),
                    Ok(Event::Incoming(Packet::SubAck(_))) => {
                        answered += 1;
                        let _ = (answered == expected).then(|| tell.send(()));
                    }
                    Ok(_) => {}
                    Err(_) => break,
                }
            }
        });
        if !filters.is_empty() {
            wait.recv_timeout(PATIENCE)
                .expect("the broker answers the subscriptions");
        }
        Self { client, heard }
    }

    pub fn say(&self, topic: &str, payload: &Json) {
        self.client
            .publish(topic, QoS::AtLeastOnce, false, payload.to_string())
            .unwrap();
    }

    /// Waits for a message that `pick` takes.
    pub fn wait<T>(&self, what: &str, mut pick: impl FnMut(&str, &Json) -> Option<T>) -> T {
        let began = Instant::now();
        loop {
            let found = self
                .heard
                .lock()
                .unwrap()
                .iter()
                .find_map(|(topic, payload)| pick(topic, &serde_json::from_slice(payload).unwrap_or(Json::Null)));
            if let Some(found) = found {
                return found;
            }
            assert!(
                began.elapsed() < PATIENCE,
                "{what} was not heard; heard were {:#?}",
                self.topics()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    pub fn topics(&self) -> BTreeMap<String, usize> {
        let mut topics = BTreeMap::new();
        self.heard
            .lock()
            .unwrap()
            .iter()
            .for_each(|(topic, _)| *topics.entry(topic.clone()).or_default() += 1);
        topics
    }
}

/// What central sends down, in its envelope.
pub fn down(property: &str, kind: &str, id: &str, data: &Json) -> (String, Json) {
    let envelope = json!({
        "specversion": "1.0", "id": id, "source": "/central", "type": format!("innkeeper.{kind}.v1"),
        "time": now(), "datacontenttype": "application/json", "data": data,
    });
    (format!("innkeeper/v1/{property}/down/{kind}"), envelope)
}

/// Now, and so many minutes from now, as RFC 3339.
pub fn now() -> String {
    in_minutes(0)
}

pub fn in_minutes(minutes: i64) -> String {
    let at = jiff::Timestamp::now() + jiff::SignedDuration::from_mins(minutes);
    format!("{at:.3}")
}

/// A port that nobody listens on now.
pub fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

/// Where a program is, if it is installed.
pub fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut dirs: Vec<PathBuf> = std::env::split_paths(&path).collect();
    dirs.extend(["/usr/sbin", "/usr/bin"].map(PathBuf::from));
    dirs.into_iter()
        .map(|dir| dir.join(name))
        .find(|file: &PathBuf| Path::is_file(file))
}
