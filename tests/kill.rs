//! kill -9 at random moments, a hundred times under load: no request is lost, none is doubled under a new id.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on says so by ending"
)]

mod house;

use house::{Ear, House, down, in_minutes};
use innkeeper::simulate::broker::Broker;
use serde_json::{Value as Json, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::time::{Duration, Instant};

const KILLS: usize = 100;
const STAYS_PER_ROUND: usize = 5;

fn configuration(port: u16) -> String {
    let mut text = format!(
        "[property]\nid = \"kill-house\"\nzone = \"Europe/Vienna\"\n\
         [links.zigbee]\nkind = \"mqtt\"\nhost = \"127.0.0.1\"\nport = {port}\nbase = \"zigbee2mqtt\"\n\
         [links.central]\nkind = \"central\"\nhost = \"127.0.0.1\"\nport = {port}\nack = \"broker\"\n"
    );
    let rooms = KILLS * STAYS_PER_ROUND;
    let _ = write!(
        text,
        "[template.standard]\nrooms = [\"1001..{}\"]\n\
         [[template.standard.device]]\nid = \"thermostat-{{room}}\"\nprofile = \"tuya-bac-002-alzb\"\nlink = \"zigbee\"\n\
         params = {{ name = \"{{room}}/thermostat\" }}\n",
        1000 + rooms
    );
    text
}

fn stay(n: usize) -> Json {
    json!({
        "stay": format!("{n:08}"), "version": 1, "status": "reserved", "room": (1001 + n).to_string(),
        "eta": in_minutes(80), "departure": in_minutes(60 * 24), "items": ["hangers"],
    })
}

/// From every arrival-items request that central heard: stay to request ids.
fn requests(ear: &Ear) -> (BTreeMap<String, BTreeSet<String>>, usize) {
    let (mut by_stay, mut messages): (BTreeMap<String, BTreeSet<String>>, usize) = (BTreeMap::new(), 0);
    for (_, payload) in ear.heard.lock().unwrap().iter() {
        let message: Json = serde_json::from_slice(payload).unwrap();
        let data = &message["data"];
        if data["need"] == "arrival_items" {
            messages += 1;
            let stay = data["stay"].as_str().unwrap().to_owned();
            by_stay
                .entry(stay)
                .or_default()
                .insert(data["id"].as_str().unwrap().to_owned());
        }
    }
    (by_stay, messages)
}

#[test]
fn a_hundred_kills_lose_no_request_and_double_none() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let _inside = runtime.enter();
    let broker = Broker::on_loopback().unwrap();
    let address = broker.address();
    let house = House::new(&configuration(address.port()));
    let central = Ear::new(address, "central", &["innkeeper/v1/kill-house/up/request"]);
    let devices = Ear::new(address, "devices", &[]);
    // The first start makes the daemon's session at the broker: from then on nothing sent down is lost by the broker.
    let first = house.start();
    first.until(json!("status"), "the link to central is up", |s| {
        s["links"]["central"] == true
    });
    first.kill();

    let mut chance: u64 = 0x2545_f491_4f6c_dd1d;
    let (mut sent, mut slowest_start) = (0, Duration::ZERO);
    for round in 0..KILLS {
        let daemon = house.start();
        slowest_start = slowest_start.max(daemon.ready_after);
        for _ in 0..STAYS_PER_ROUND {
            let (topic, message) = down("kill-house", "stay", &format!("stay-{sent}"), &stay(sent));
            central.say(&topic, &message);
            sent += 1;
        }
        for room in (round * 37)..(round * 37 + 40) {
            let topic = format!("zigbee2mqtt/{}/thermostat", 1001 + room % (KILLS * STAYS_PER_ROUND));
            devices.say(&topic, &json!({ "local_temperature": 18.0 + (room % 50) as f64 / 10.0, "current_heating_setpoint": 20, "system_mode": "heat", "linkquality": 90 }));
        }
        chance ^= chance << 13;
        chance ^= chance >> 7;
        chance ^= chance << 17;
        std::thread::sleep(Duration::from_millis(chance % 250));
        daemon.kill();
    }
    let daemon = house.start();
    let began = Instant::now();
    while requests(&central).0.len() < sent && began.elapsed() < house::PATIENCE {
        std::thread::sleep(Duration::from_millis(100));
    }
    daemon.until(json!("status"), "the outbox drains", |s| {
        s["edge"]["pending"].as_u64().is_some_and(|n| n < 3)
    });
    let (by_stay, messages) = requests(&central);
    let lost = (0..sent).filter(|n| !by_stay.contains_key(&format!("{n:08}"))).count();
    let doubled = by_stay.values().filter(|ids| ids.len() > 1).count();
    let repeated = messages - by_stay.len();
    println!(
        "{KILLS} kills: {sent} requests due, {lost} lost, {doubled} doubled under a new id, {repeated} repeated under the same id; \
         slowest start {slowest_start:?}"
    );
    daemon.stop();
    runtime.block_on(broker.stop());
    assert_eq!((lost, doubled), (0, 0));
}
