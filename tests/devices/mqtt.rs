//! Is what devices say over MQTT told, and what they are told said?

use super::support::*;
use bytes::Bytes;
use innkeeper::device::mqtt::{MqttDevices, start};
use innkeeper::model::{Freshness, HvacMode, LinkId, Point, Span, Value, WriteResult};
use innkeeper::mqtt::{
    Inbound, Lane, LinkOptions, Pauses, PublishEvent, PublishOptions, Publisher, SubscribeEvent, SubscribeOptions,
    Subscriber,
};
use innkeeper::profile::DeviceBinding;
use innkeeper::simulate::broker::Broker;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

pub fn options(address: SocketAddr, client_id: &str) -> LinkOptions {
    let mut link = LinkOptions::new(address.ip().to_string(), address.port(), client_id);
    let millis = Duration::from_millis;
    link.pauses = Pauses {
        min: millis(1),
        max: millis(8),
        stable: millis(200),
    };
    link
}

fn door(name: &str) -> DeviceBinding {
    shipped("z2m-contact", name, &[("name", name)])
}

fn thermostat(name: &str) -> DeviceBinding {
    shipped("z2m-thermostat", name, &[("name", name)])
}

async fn linked(bindings: Vec<DeviceBinding>) -> (Broker, Inbox, MqttDevices) {
    let broker = Broker::on_loopback().unwrap();
    let (to, mut inbox) = Inbox::new();
    let link = LinkId::new("floor-12").unwrap();
    let devices = start(link, options(broker.address(), "inn"), bindings, noon, to).unwrap();
    inbox.up().await;
    (broker, inbox, devices)
}

/// A device's side of the broker.
pub struct Bridge {
    publisher: Publisher,
    lane: Lane,
    ticket: u64,
}

impl Bridge {
    pub async fn at(broker: &Broker) -> Self {
        Self::called("bridge", broker).await
    }

    async fn called(client_id: &str, broker: &Broker) -> Self {
        let mut publisher = Publisher::start(PublishOptions::new(options(broker.address(), client_id))).unwrap();
        loop {
            if let Some(PublishEvent::Up(lane)) = publisher.next().await {
                return Self {
                    publisher,
                    lane,
                    ticket: 0,
                };
            }
        }
    }

    /// Says something and waits until the broker has it.
    pub async fn say(&mut self, topic: &str, payload: impl Into<Bytes>) {
        self.ticket += 1;
        self.lane.send(self.ticket, topic, payload.into()).await.unwrap();
        loop {
            match self.publisher.next().await.unwrap() {
                PublishEvent::Delivered(ticket) if ticket == self.ticket => return,
                PublishEvent::Delivered(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }
}

/// Says something retained, with the client library's own hand: ours never retains.
async fn retain(broker: &Broker, topic: &str, payload: &str) {
    let address = broker.address();
    let mqtt = rumqttc::MqttOptions::new("retainer", address.ip().to_string(), address.port());
    let (client, mut eventloop) = rumqttc::AsyncClient::new(mqtt, 4);
    client
        .publish(topic, rumqttc::QoS::AtLeastOnce, true, payload)
        .await
        .unwrap();
    loop {
        if let rumqttc::Event::Incoming(rumqttc::Packet::PubAck(_)) = eventloop.poll().await.unwrap() {
            return;
        }
    }
}

async fn listener(client_id: &str, broker: &Broker, filter: &str) -> Subscriber {
    let filters = vec![filter.to_owned()];
    let mut subscriber =
        Subscriber::start(SubscribeOptions::new(options(broker.address(), client_id), filters)).unwrap();
    while !matches!(subscriber.next().await.unwrap(), SubscribeEvent::Up { .. }) {}
    subscriber
}

async fn heard(subscriber: &mut Subscriber) -> Inbound {
    loop {
        if let SubscribeEvent::Messages(mut batch) = subscriber.next().await.unwrap() {
            return batch.remove(0);
        }
    }
}

#[tokio::test]
async fn a_door_that_opens_is_an_event() {
    let (broker, mut inbox, devices) = linked(vec![door("door-1204")]).await;
    let mut bridge = Bridge::at(&broker).await;
    bridge
        .say(
            "zigbee2mqtt/door-1204",
            r#"{"contact":false,"linkquality":80,"battery":97}"#,
        )
        .await;
    inbox.until("the door", |inbox| !inbox.events.is_empty()).await;
    let open = inbox.readings("door-1204", Point::Open)[0];
    assert_eq!(
        (&open.value, open.freshness),
        (&Some(Value::Flag(true)), Freshness::Live)
    );
    assert_eq!(inbox.values("door-1204", Point::Battery).len(), 1);
    bridge
        .say("zigbee2mqtt/door-1204/availability", r#"{"state":"offline"}"#)
        .await;
    inbox
        .until("the absence", |inbox| inbox.online("door-1204") == [false])
        .await;
    let standing = devices.standing();
    assert!(
        standing.connected && standing.messages == 2 && standing.bytes > 60,
        "{standing:?}"
    );
    let turns = devices.progress();
    inbox.during(Duration::from_millis(700)).await;
    assert!(devices.progress() >= turns + 2, "the watchdog sees an idle link go on");
}

#[tokio::test]
async fn what_the_broker_had_kept_is_a_repetition() {
    let broker = Broker::on_loopback().unwrap();
    retain(
        &broker,
        "zigbee2mqtt/door-1204",
        r#"{"contact":false,"linkquality":80}"#,
    )
    .await;
    let (to, mut inbox) = Inbox::new();
    let link = LinkId::new("floor-12").unwrap();
    let _devices = start(
        link,
        options(broker.address(), "inn"),
        vec![door("door-1204")],
        noon,
        to,
    )
    .unwrap();
    inbox
        .until("the retained door", |inbox| {
            !inbox.readings("door-1204", Point::Open).is_empty()
        })
        .await;
    assert_eq!(
        inbox.readings("door-1204", Point::Open)[0].freshness,
        Freshness::Replayed
    );
}

#[tokio::test]
async fn what_is_not_taken_is_counted_under_its_reason() {
    let (broker, mut inbox, _devices) = linked(vec![door("door-1"), thermostat("thermo-1")]).await;
    let mut bridge = Bridge::at(&broker).await;
    let deep = format!(r#"{{"contact":{}"#, "[".repeat(40));
    let large = vec![b'x'; 70 << 10];
    for payload in [&b"\xff\xfe"[..], b"{contact", b"[1]", b"", deep.as_bytes(), &large] {
        bridge.say("zigbee2mqtt/door-1", payload.to_vec()).await;
    }
    bridge.say("zigbee2mqtt/door-1/availability", "perhaps").await;
    bridge
        .say(
            "zigbee2mqtt/bridge/logging",
            r#"{"level":"error","message":"Failed to ping 'thermo-1'"}"#,
        )
        .await;
    bridge
        .say(
            "zigbee2mqtt/bridge/logging",
            r#"{"level":"error","message":"Failed to ping 'lamp-9'"}"#,
        )
        .await;
    let reasons = [
        "utf8",
        "json",
        "not_an_object",
        "forgotten",
        "too_deep",
        "too_large",
        "availability",
        "bridge_error",
    ];
    inbox
        .until("every reason", |inbox| {
            reasons.iter().all(|reason| inbox.count(reason) > 0)
        })
        .await;
    println!("{:?}", inbox.rejected);
    assert!(reasons.iter().all(|reason| inbox.count(reason) == 1));
    assert!(
        inbox
            .rejected
            .iter()
            .all(|(who, why, _)| *who == Some(device(if *why == "bridge_error" { "thermo-1" } else { "door-1" })))
    );
    assert_eq!(inbox.events, [], "nothing of it was taken");
}

#[tokio::test]
async fn a_message_that_comes_twice_counts_once() {
    let given = [("app", "a1"), ("deveui", "24e1"), ("tenant", "t1")];
    let library = innkeeper::profile::Library::built_in().unwrap();
    let profile = library.get("milesight-wt301-chirpstack").unwrap();
    let needed: Vec<(&str, &str)> = given
        .into_iter()
        .filter(|(name, _)| profile.parameters().iter().any(|need| need.name == *name))
        .collect();
    let (broker, mut inbox, _devices) = linked(vec![bind(profile, "fcu-1", &needed)]).await;
    let mut bridge = Bridge::at(&broker).await;
    let uplink = |id: &str| format!(r#"{{"deduplicationId":"{id}","object":{{"temperature":21.5}}}}"#);
    for id in ["one", "one", "two", "one"] {
        bridge.say("application/a1/device/24e1/event/up", uplink(id)).await;
    }
    inbox
        .until("the duplicates", |inbox| inbox.count("duplicate") == 2)
        .await;
}

#[tokio::test]
async fn a_command_is_published_word_for_word_and_told_as_sent() {
    let (broker, mut inbox, devices) = linked(vec![thermostat("thermo-1204")]).await;
    let mut ear = listener("early", &broker, "zigbee2mqtt/+/set").await;
    devices
        .outlet()
        .tell(command(7, "thermo-1204", Point::TargetTemperature, celsius(21.5)));
    let message = heard(&mut ear).await;
    assert_eq!(message.topic, "zigbee2mqtt/thermo-1204/set");
    assert_eq!(&message.payload[..], br#"{"occupied_heating_setpoint":21.5}"#);
    assert!(!message.retain && message.ticket.is_awaited(), "QoS 1, never retained");
    assert_eq!(inbox.result(7).await, WriteResult::Sent);
    let mut late = listener("late", &broker, "zigbee2mqtt/#").await;
    let kept = tokio::time::timeout(Duration::from_millis(100), heard(&mut late)).await;
    assert!(kept.is_err(), "the broker keeps no command");
}

#[tokio::test]
async fn what_must_not_be_told_is_refused_with_the_reason() {
    let (_broker, mut inbox, devices) = linked(vec![thermostat("thermo-1"), door("door-1")]).await;
    let outlet = devices.outlet();
    let mut old = command(1, "thermo-1", Point::TargetTemperature, celsius(21.5));
    old.expires = noon() - Span::seconds(1);
    outlet.tell(old);
    outlet.tell(command(2, "thermo-1", Point::TargetTemperature, celsius(99.0)));
    outlet.tell(command(3, "thermo-1", Point::TargetTemperature, celsius(21.3)));
    outlet.tell(command(4, "door-1", Point::Open, Value::Flag(true)));
    outlet.tell(command(5, "nobody", Point::Open, Value::Flag(true)));
    assert_eq!(
        inbox.result(1).await,
        WriteResult::Failed("expired".into()),
        "it was too late, not wrong: it may be told again"
    );
    for (number, word) in [(2, "range"), (3, "step"), (4, "command"), (5, "device")] {
        assert_eq!(inbox.result(number).await, WriteResult::Refused(word.into()));
    }
}

#[tokio::test]
async fn a_command_fails_at_once_while_the_broker_is_away_and_later_on_a_stopped_link() {
    let (broker, mut inbox, devices) = linked(vec![thermostat("thermo-1")]).await;
    broker.stop().await;
    inbox
        .until("the loss", |inbox| inbox.links.iter().any(|(up, _)| !up))
        .await;
    inbox.during(Duration::from_millis(100)).await;
    let outlet = devices.outlet();
    let asked = Instant::now();
    outlet.tell(command(1, "thermo-1", Point::TargetTemperature, celsius(21.5)));
    assert_eq!(inbox.result(1).await, WriteResult::Failed("link down".into()));
    assert!(asked.elapsed() < Duration::from_secs(2), "{:?}", asked.elapsed());
    assert!(!devices.standing().connected);
    devices.stop().await;
    outlet.tell(command(2, "thermo-1", Point::TargetTemperature, celsius(21.5)));
    assert_eq!(inbox.result(2).await, WriteResult::Failed("the link is stopped".into()));
}

#[tokio::test]
async fn hundreds_of_commands_at_once_all_get_through_and_a_stop_waits_for_them() {
    let names: Vec<String> = (0..400).map(|n| format!("thermo-{n}")).collect();
    let (_broker, mut inbox, devices) = linked(names.iter().map(|name| thermostat(name)).collect()).await;
    for (number, name) in (0..).zip(&names) {
        devices
            .outlet()
            .tell(command(number, name, Point::TargetTemperature, celsius(21.5)));
    }
    tokio::join!(
        devices.stop(),
        inbox.until("every result", |inbox| inbox.events.len() == 400)
    );
    assert!((0..400).all(|number| inbox.written(number) == [&WriteResult::Sent]));
}

#[tokio::test]
async fn a_complaint_of_the_bridge_fails_the_command_it_is_about() {
    let (broker, mut inbox, devices) = linked(vec![thermostat("thermo-1"), thermostat("thermo-2")]).await;
    let mut bridge = Bridge::at(&broker).await;
    let outlet = devices.outlet();
    outlet.tell(command(1, "thermo-1", Point::TargetTemperature, celsius(21.5)));
    outlet.tell(command(2, "thermo-1", Point::HvacMode, Value::Hvac(HvacMode::Heat)));
    outlet.tell(command(3, "thermo-2", Point::HvacMode, Value::Hvac(HvacMode::Heat)));
    for number in 1..=3 {
        assert_eq!(inbox.result(number).await, WriteResult::Sent);
    }
    let text = "z2m: Publish 'set' 'system_mode' to 'thermo-1' failed: 'Error: no answer'";
    let log = |level: &str| format!(r#"{{"level":"{level}","message":"{text}"}}"#);
    bridge.say("zigbee2mqtt/bridge/logging", log("info")).await;
    bridge.say("zigbee2mqtt/bridge/logging", log("error")).await;
    inbox.until("the failure", |inbox| inbox.written(2).len() == 2).await;
    assert_eq!(inbox.written(2)[1], &WriteResult::Failed(text.into()));
    assert_eq!(
        (inbox.written(1).len(), inbox.written(3).len()),
        (1, 1),
        "nobody else is meant"
    );
}

#[tokio::test]
async fn a_bridge_that_goes_is_told_once_for_all_its_devices_and_takes_no_commands() {
    let (broker, mut inbox, devices) = linked((0..50).map(|n| thermostat(&format!("thermo-{n}"))).collect()).await;
    let mut bridge = Bridge::at(&broker).await;
    for _ in 0..3 {
        bridge.say("zigbee2mqtt/bridge/state", r#"{"state":"offline"}"#).await;
    }
    inbox.until("the bridge's leave", |inbox| inbox.links.len() == 2).await;
    devices
        .outlet()
        .tell(command(1, "thermo-9", Point::TargetTemperature, celsius(21.5)));
    assert_eq!(inbox.result(1).await, WriteResult::Failed("bridge away".into()));
    bridge.say("zigbee2mqtt/bridge/state", r#"{"state":"online"}"#).await;
    inbox.until("the bridge's return", |inbox| inbox.links.len() == 3).await;
    let ups: Vec<bool> = inbox.links.iter().map(|(up, _)| *up).collect();
    assert_eq!(ups, [true, false, true]);
    assert_eq!(inbox.events.len(), 1, "the command's, and none for fifty devices");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_from_one_device_delays_no_other_and_its_last_word_is_heard() {
    const FLOOD: u64 = 50_000;
    let (broker, mut inbox, devices) = linked(vec![door("loud"), door("quiet")]).await;
    let (mut bridge, mut loud) = (Bridge::at(&broker).await, Bridge::called("loud", &broker).await);
    let quiet = delays(&mut bridge, &mut inbox, 40).await;
    let flood = tokio::spawn(async move {
        let began = Instant::now();
        let Bridge { publisher, lane, .. } = &mut loud;
        for n in 0..FLOOD {
            let payload = if n + 1 == FLOOD {
                r#"{"contact":false,"linkquality":1}"#
            } else {
                r#"{"contact":true,"linkquality":1}"#
            };
            let sent = lane
                .send(n, "zigbee2mqtt/loud", Bytes::from_static(payload.as_bytes()))
                .await;
            assert_eq!(sent, Ok(()), "{n}: {:?}", publisher.next().await);
            drain(publisher).await;
            // Ten thousand a second, and not as many as the machine can do.
            if let Some(ahead) = Duration::from_micros(n * 100).checked_sub(began.elapsed())
                && ahead > Duration::from_millis(2)
            {
                tokio::time::sleep(ahead).await;
            }
        }
        while tokio::time::timeout(Duration::from_millis(200), publisher.next())
            .await
            .is_ok()
        {}
        FLOOD as f64 / began.elapsed().as_secs_f64()
    });
    let beside = delays(&mut bridge, &mut inbox, 200).await;
    let rate = flood.await.unwrap();
    inbox
        .until("the last word", |inbox| {
            inbox.values("loud", Point::Open).last() == Some(&Value::Flag(true))
        })
        .await;
    inbox.during(Duration::from_millis(1300)).await;
    let (taken, limited) = (
        inbox.values("loud", Point::Open).len() as u64,
        inbox.count("rate_limited"),
    );
    println!(
        "beside {rate:.0} msg/s: p99 {:?} (alone {:?}); of the flood {taken} heard, {limited} limited, {:?}",
        p99(&beside),
        p99(&quiet),
        devices.standing()
    );
    assert!(
        taken < 400 && limited >= FLOOD - 400,
        "the flood is held back: {taken} {limited}"
    );
    assert!(p99(&beside) < Duration::from_secs(2), "{:?}", p99(&beside));
}

/// Takes the reports that are there.
async fn drain(publisher: &mut Publisher) {
    loop {
        tokio::select! {
            biased;
            event = publisher.next() => assert!(matches!(event, Some(PublishEvent::Delivered(_))), "{event:?}"),
            () = std::future::ready(()) => return,
        }
    }
}

/// How long a door's word takes to the inbox, again and again.
async fn delays(bridge: &mut Bridge, inbox: &mut Inbox, count: usize) -> Vec<Duration> {
    let mut delays = Vec::new();
    for n in 0..count {
        let payload = format!(r#"{{"contact":{},"linkquality":1}}"#, n % 2 == 0);
        let (before, began) = (inbox.values("quiet", Point::Open).len(), Instant::now());
        bridge.lane.send(0, "zigbee2mqtt/quiet", payload.into()).await.unwrap();
        inbox
            .until("the quiet door", |inbox| {
                inbox.values("quiet", Point::Open).len() > before
            })
            .await;
        delays.push(began.elapsed());
        drain(&mut bridge.publisher).await;
        // Below the twenty a second that a device may say.
        tokio::time::sleep(Duration::from_millis(51).saturating_sub(began.elapsed())).await;
    }
    delays.sort();
    delays
}

fn p99(sorted: &[Duration]) -> Duration {
    sorted[sorted.len() * 99 / 100]
}
