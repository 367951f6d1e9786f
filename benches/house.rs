//! What does the whole daemon cost, measured from outside, beside a floor in the same run?
//!
//! `cargo bench --bench house`. The real binary, mosquitto as broker (the embedded one when it is not installed), 300 rooms
//! of six devices. Floors: a bare rumqttc counter and a bare rumqttc echo, each a process of its own, and the disk's fsync.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a measurement that cannot go on says so by ending"
)]

#[path = "../tests/house/mod.rs"]
mod house;

use house::{Ear, House, PATIENCE, down, free_port, in_minutes, program};
use rumqttc::{Client, Event, MqttOptions, Packet, QoS};
use serde_json::json;
use std::fmt::Write as _;
use std::io::Write as _;
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const ROOMS: usize = 300;
const READINGS: usize = 100_000;
const SAMPLES: usize = 100;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    match arguments.get(1).map(String::as_str) {
        Some("count") => return count(arguments[2].parse().unwrap()),
        Some("echo") => return echo(arguments[2].parse().unwrap()),
        _ => {}
    }
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
    let text =
        format!("listener {port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\nmax_inflight_messages 1000\n");
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
    let devices = [
        ("thermostat", "tuya-bac-002-alzb", ""),
        ("door", "z2m-contact", "role = \"door\"\n"),
        ("window", "z2m-contact", "role = \"window\"\n"),
        ("motion", "z2m-motion", ""),
        ("bed", "z2m-bed-presence", ""),
        ("leak", "z2m-leak", ""),
    ];
    for (kind, profile, more) in devices {
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

/// Publishes readings of all rooms' thermostats as fast as the broker takes them.
fn flood(address: SocketAddr, count: usize) -> Duration {
    let mut options = MqttOptions::new("flood", address.ip().to_string(), address.port());
    options.set_inflight(1000);
    let (client, mut connection) = Client::new(options, 1000);
    let began = Instant::now();
    let sender = std::thread::spawn(move || {
        for n in 0..count {
            let room = 1001 + n % ROOMS;
            let payload = format!(
                "{{\"current_heating_setpoint\":21,\"fan_mode\":\"auto\",\"linkquality\":120,\"local_temperature\":{},\"system_mode\":\"heat\"}}",
                20.0 + (n / ROOMS % 20) as f64 / 10.0
            );
            client
                .publish(
                    format!("zigbee2mqtt/{room}/thermostat"),
                    QoS::AtLeastOnce,
                    false,
                    payload,
                )
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

fn memory_and_cpu(house: &House, address: SocketAddr) {
    let daemon = house.start();
    daemon.until(json!("status"), "links are up", |s| {
        s["links"]["zigbee"] == true && s["links"]["central"] == true
    });
    std::thread::sleep(Duration::from_secs(2));
    println!(
        "resident at rest, {ROOMS} rooms x 6 devices: {} KiB",
        daemon.memory_kib("VmRSS:")
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
    for round in 1..=3 {
        let mut counting = counter(address.port());
        std::thread::sleep(Duration::from_millis(500));
        let (before, bare_before) = (cpu_ticks(daemon.pid()), cpu_ticks(counting.id()));
        let took = flood(address, READINGS);
        std::thread::sleep(Duration::from_secs(2));
        let (ours, bare) = (cpu_ticks(daemon.pid()) - before, cpu_ticks(counting.id()) - bare_before);
        let _ = counting.kill();
        let _ = counting.wait();
        println!(
            "round {round}: {READINGS} messages of 4 readings in {took:.1?}: daemon {ours:.2} CPU s, bare counter {bare:.2} CPU s, ratio {:.2}",
            ours / bare
        );
    }
    println!(
        "peak resident after three bursts: {} KiB, now {} KiB",
        daemon.memory_kib("VmHWM:"),
        daemon.memory_kib("VmRSS:")
    );
    daemon.stop();
}

/// From a stay's notice on the wire to the thermostat's command on the wire; between them one commit.
fn reaction(house: &House, address: SocketAddr) {
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
        let stay = json!({ "stay": format!("{n:08}"), "version": 1, "status": "reserved", "room": room.to_string(),
            "eta": in_minutes(30), "departure": in_minutes(600), "declared": { "temperature": 24 } });
        let (topic, message) = down("bench-house", "stay", &format!("s{n}"), &stay);
        let began = Instant::now();
        ear.say(&topic, &message);
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
        "notice to command on the wire: p50 {:?}, p99 {:?}; echo client p50 {:?}, p99 {:?}; one fsync p50 {sync:?}; (p50 - fsync) / echo {:.2}",
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
    client.subscribe("zigbee2mqtt/+/thermostat", QoS::AtLeastOnce).unwrap();
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
