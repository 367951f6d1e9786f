//! What does the whole daemon cost, measured from outside, beside a floor in the same run?
//!
//! `cargo bench --bench house --no-default-features --features daemon`, which is the daemon as it is packaged; with the
//! default features the demo, its simulation and its broker, is in the program and in its pages. The real binary, mosquitto
//! as broker, 300 rooms of six devices. Floors: a bare rumqttc counter and a bare rumqttc echo, each a process of its own,
//! and the disk's fsync.
//! Processor time is that of the process, user and system, of daemon and counter alike and over the same messages: what
//! else runs on the machine makes both slower, and neither of them busier.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a measurement that cannot go on says so by ending"
)]

#[path = "../tests/house/mod.rs"]
mod house;
#[path = "house/out.rs"]
mod out;

use house::{Ear, House, PATIENCE, free_port, program};
use rumqttc::{Client, Event, MqttOptions, Packet, QoS};
use serde_json::json;
use std::fmt::Write as _;
use std::io::Write as _;
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const ROOMS: usize = 300;
/// What hangs in each room: the device's name, its profile, what more its table says.
const DEVICES: [(&str, &str, &str); 6] = [
    ("thermostat", "tuya-bac-002-alzb", ""),
    ("door", "z2m-contact", "role = \"door\"\n"),
    ("window", "z2m-contact", "role = \"window\"\n"),
    ("motion", "z2m-motion", ""),
    ("bed", "z2m-bed-presence", ""),
    ("leak", "z2m-leak", ""),
];
/// Spread over all devices, so that none of them says more than the daemon hears of one.
const MESSAGES: usize = 100_000;
const ROUNDS: usize = 3;
const SAMPLES: usize = 100;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    match arguments.get(1).map(String::as_str) {
        Some("count") => return count(arguments[2].parse().unwrap()),
        Some("echo") => return echo(arguments[2].parse().unwrap()),
        _ => {}
    }
    println!(
        "the daemon {}",
        if cfg!(feature = "demo") {
            "with the demo in it"
        } else {
            "as it is packaged"
        }
    );
    let dir = tempfile::tempdir().unwrap();
    let (mut broker, address) = mosquitto(dir.path());
    let house = House::new(&configuration(address.port()));
    start(&house);
    memory_and_cpu(&house, address);
    reaction(&house, address);
    let _ = broker.kill();
    let _ = broker.wait();
}

fn mosquitto(dir: &std::path::Path) -> (Child, SocketAddr) {
    let port = free_port();
    let file = dir.join("mosquitto.conf");
    let text = format!(
        "listener {port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\nmax_inflight_messages 1000\nset_tcp_nodelay true\n"
    );
    std::fs::write(&file, text).unwrap();
    let mosquitto = program("mosquitto").expect("this bench needs mosquitto; install it");
    let mut child = Command::new(mosquitto)
        .arg("-c")
        .arg(file)
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let began = Instant::now();
    while std::net::TcpStream::connect(address).is_err() {
        if began.elapsed() > PATIENCE {
            let _ = child.kill();
            let _ = child.wait();
            panic!("mosquitto does not listen");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    (child, address)
}

fn configuration(port: u16) -> String {
    let mut text = format!(
        "[property]\nid = \"bench-house\"\nzone = \"Europe/Vienna\"\n\
         [links.zigbee]\nkind = \"mqtt\"\nhost = \"127.0.0.1\"\nport = {port}\nbase = \"zigbee2mqtt\"\n\
         [links.central]\nkind = \"central\"\nhost = \"127.0.0.1\"\nport = {port}\n\
         [template.standard]\nrooms = [\"1001..{}\"]\n",
        1000 + ROOMS
    );
    for (kind, profile, more) in DEVICES {
        let _ = write!(
            text,
            "[[template.standard.device]]\nid = \"{kind}-{{room}}\"\nprofile = \"{profile}\"\nlink = \"zigbee\"\n\
             params = {{ name = \"{{room}}/{kind}\" }}\n{more}"
        );
    }
    text
}

/// From process start to the first answer, with 300 rooms in the store.
fn start(house: &House) {
    house.start().stop();
    let mut times: Vec<Duration> = (0..7)
        .map(|_| {
            let daemon = house.start();
            let took = daemon.ready_after;
            daemon.stop();
            took
        })
        .collect();
    times.sort();
    println!(
        "start to ready, {ROOMS} rooms known: median {:?}, slowest {:?}",
        times[3], times[6]
    );
}

fn cpu_ticks(pid: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    (fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap()) / 100.0
}

/// What a device says at one turn: its whole state, as bridges send it, of which one value is another than before.
fn said(device: &str, turn: usize) -> String {
    match device {
        "thermostat" => format!(
            r#"{{"current_heating_setpoint":21,"fan_mode":"auto","linkquality":120,"local_temperature":{},"system_mode":"heat"}}"#,
            20.0 + (turn % 20) as f64 / 10.0
        ),
        "motion" => format!(
            r#"{{"battery":97,"illuminance":{},"linkquality":131,"occupancy":false}}"#,
            100 + turn % 50
        ),
        "bed" => format!(
            r#"{{"battery":97,"linkquality":{},"occupancy":false}}"#,
            100 + turn % 50
        ),
        "leak" => format!(
            r#"{{"battery":{},"battery_low":false,"linkquality":131,"tamper":false,"water_leak":false}}"#,
            90 + turn % 5
        ),
        _ => format!(
            r#"{{"battery":{},"contact":true,"linkquality":131,"voltage":3000}}"#,
            90 + turn % 5
        ),
    }
}

/// Publishes what the devices of all rooms say, turn by turn, as fast as the broker takes it.
fn flood(address: SocketAddr, count: usize) -> Duration {
    let mut options = MqttOptions::new("flood", address.ip().to_string(), address.port());
    options.set_inflight(1000);
    let (client, mut connection) = Client::new(options, 1000);
    let began = Instant::now();
    let sender = std::thread::spawn(move || {
        for n in 0..count {
            let (device, room) = (DEVICES[n % DEVICES.len()].0, 1001 + n / DEVICES.len() % ROOMS);
            let payload = said(device, n / DEVICES.len() / ROOMS);
            client
                .publish(format!("zigbee2mqtt/{room}/{device}"), QoS::AtLeastOnce, false, payload)
                .unwrap();
        }
    });
    let mut acknowledged = 0;
    for event in connection.iter() {
        if let Ok(Event::Incoming(Packet::PubAck(_))) = event {
            acknowledged += 1;
            if acknowledged == count {
                break;
            }
        }
    }
    sender.join().unwrap();
    began.elapsed()
}

/// The sum of a counter over its labels that contain `label`, as the daemon serves it.
fn counted(house: &House, name: &str, label: &str) -> u64 {
    let mut stream = std::net::TcpStream::connect(house.observe).unwrap();
    write!(stream, "GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
    let mut text = String::new();
    std::io::Read::read_to_string(&mut stream, &mut text).unwrap();
    let lines = text
        .lines()
        .filter(|line| line.starts_with(name) && line.contains(label));
    lines
        .filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok())
        .sum()
}

fn memory_and_cpu(house: &House, address: SocketAddr) {
    let daemon = house.start();
    daemon.until(json!("status"), "links are up", |s| {
        s["links"]["zigbee"] == true && s["links"]["central"] == true
    });
    std::thread::sleep(Duration::from_secs(2));
    println!(
        "resident at rest, {ROOMS} rooms x {} devices: {} KiB, of it {} KiB the program's own file",
        DEVICES.len(),
        daemon.memory_kib("VmRSS:"),
        daemon.memory_kib("RssFile:")
    );
    let counter = |port: u16| {
        let me = std::env::current_exe().unwrap();
        Command::new(me)
            .arg("count")
            .arg(port.to_string())
            .stdout(Stdio::null())
            .spawn()
            .unwrap()
    };
    for round in 1..=ROUNDS {
        let mut counting = counter(address.port());
        std::thread::sleep(Duration::from_millis(500));
        let readings_before = counted(house, "innkeeper_events_total", "reading");
        let (before, bare_before) = (cpu_ticks(daemon.pid()), cpu_ticks(counting.id()));
        let took = flood(address, MESSAGES);
        std::thread::sleep(Duration::from_secs(2));
        let (ours, bare) = (cpu_ticks(daemon.pid()) - before, cpu_ticks(counting.id()) - bare_before);
        let _ = counting.kill();
        let _ = counting.wait();
        println!(
            "round {round}: {MESSAGES} messages, {} readings, in {took:.1?}: daemon {ours:.2} CPU s, bare counter {bare:.2} CPU s, ratio {:.2}",
            counted(house, "innkeeper_events_total", "reading") - readings_before,
            ours / bare
        );
    }
    println!(
        "not taken for their rate: {}; peak resident after {ROUNDS} bursts: {} KiB, now {} KiB",
        counted(house, "innkeeper_rejected_total", "rate_limited"),
        daemon.memory_kib("VmHWM:"),
        daemon.memory_kib("VmRSS:")
    );
    daemon.stop();
}

/// From a guest's door on the wire to the thermostat's command on the wire; between them one commit. Every guest is out,
/// and every room set back, before the daemon starts: what takes hours is done by the same engine beforehand.
fn reaction(house: &House, address: SocketAddr) {
    out::send_all_guests_out(house);
    let daemon = house.start();
    daemon.until(json!("status"), "links are up", |s| {
        s["links"]["zigbee"] == true && s["links"]["central"] == true
    });
    let me = std::env::current_exe().unwrap();
    let mut echoing = Command::new(me)
        .arg("echo")
        .arg(address.port().to_string())
        .spawn()
        .unwrap();
    let ear = Ear::new(address, "ear", &["zigbee2mqtt/+/+/set", "bench/back"]);
    std::thread::sleep(Duration::from_millis(500));
    let wait = |topic: &str, since: usize| {
        let began = Instant::now();
        while !ear.heard.lock().unwrap()[since..].iter().any(|(t, _)| t == topic) {
            assert!(began.elapsed() < PATIENCE, "{topic} did not come");
            std::thread::sleep(Duration::from_micros(50));
        }
    };
    let (mut ours, mut floor) = (Vec::new(), Vec::new());
    for n in 0..SAMPLES {
        let heard = ear.heard.lock().unwrap().len();
        let began = Instant::now();
        ear.say("bench/there", &json!(n));
        wait("bench/back", heard);
        floor.push(began.elapsed());
        let (room, heard) = (1001 + n, ear.heard.lock().unwrap().len());
        let began = Instant::now();
        ear.say(
            &format!("zigbee2mqtt/{room}/door"),
            &json!({ "battery": 97, "contact": false, "linkquality": 131, "voltage": 3000 }),
        );
        wait(&format!("zigbee2mqtt/{room}/thermostat/set"), heard);
        ours.push(began.elapsed());
    }
    let _ = echoing.kill();
    let _ = echoing.wait();
    ours.sort();
    floor.sort();
    let (sync, at) = (fsync(), |list: &[Duration], share: f64| {
        list[((list.len() - 1) as f64 * share) as usize]
    });
    println!(
        "door to command on the wire: p50 {:?}, p99 {:?}; echo client p50 {:?}, p99 {:?}; one fsync p50 {sync:?}; (p50 - fsync) / echo {:.2}",
        at(&ours, 0.5),
        at(&ours, 0.99),
        at(&floor, 0.5),
        at(&floor, 0.99),
        (at(&ours, 0.5).saturating_sub(sync)).as_secs_f64() / at(&floor, 0.5).as_secs_f64()
    );
    daemon.stop();
}

fn fsync() -> Duration {
    let mut file = tempfile::tempfile().unwrap();
    let mut times: Vec<Duration> = (0..100)
        .map(|_| {
            let began = Instant::now();
            file.write_all(&[7; 3000]).unwrap();
            file.sync_data().unwrap();
            began.elapsed()
        })
        .collect();
    times.sort();
    times[50]
}

/// The floor for CPU: subscribes like the daemon, and counts.
fn count(port: u16) {
    let mut options = MqttOptions::new("counter", "127.0.0.1", port);
    options.set_max_packet_size(1 << 20, 1 << 20);
    let (client, mut connection) = Client::new(options, 100);
    client.subscribe("zigbee2mqtt/+/+", QoS::AtLeastOnce).unwrap();
    let mut counted = 0_u64;
    for event in connection.iter() {
        match event {
            Ok(Event::Incoming(Packet::Publish(_))) => counted += 1,
            Ok(_) => {}
            Err(_) => break,
        }
    }
    println!("{counted}");
}

/// The floor for reaction: says back what it hears.
fn echo(port: u16) {
    let (client, mut connection) = Client::new(MqttOptions::new("echo", "127.0.0.1", port), 100);
    let mut network = rumqttc::NetworkOptions::new();
    network.set_tcp_nodelay(true);
    connection.eventloop.set_network_options(network);
    client.subscribe("bench/there", QoS::AtLeastOnce).unwrap();
    for event in connection.iter() {
        match event {
            Ok(Event::Incoming(Packet::Publish(p))) => client
                .publish("bench/back", QoS::AtLeastOnce, false, p.payload)
                .unwrap(),
            Ok(_) => {}
            Err(_) => break,
        }
    }
}
