//! What the tests of the MQTT sessions share: a sender with an outbox, a receiver that counts, a line that breaks.
#![allow(dead_code)] // each test binary uses its part

use bytes::Bytes;
use innkeeper::mqtt::{
    Down, LaneError, LinkOptions, Pauses, PublishEvent, PublishOptions, Publisher, SubscribeEvent, SubscribeOptions,
    Subscriber,
};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Nothing here may take longer; a test that does has found a session that hangs.
pub const TEST_WITHIN: Duration = Duration::from_secs(120);

/// Options with pauses short enough for a test and a keep-alive of one second.
pub fn link(address: SocketAddr, client_id: &str) -> LinkOptions {
    let mut link = LinkOptions::new(address.ip().to_string(), address.port(), client_id);
    let millis = Duration::from_millis;
    link.pauses = Pauses {
        min: millis(1),
        max: millis(8),
        stable: millis(200),
    };
    link.keep_alive = Duration::from_secs(1);
    link.patience = Duration::from_secs(3);
    link
}

pub fn publisher(address: SocketAddr, client_id: &str) -> Publisher {
    Publisher::start(PublishOptions::new(link(address, client_id))).unwrap()
}

pub fn subscriber(address: SocketAddr, client_id: &str, filters: &[&str]) -> Subscriber {
    let filters = filters.iter().map(|filter| filter.to_string()).collect();
    Subscriber::start(SubscribeOptions::new(link(address, client_id), filters)).unwrap()
}

/// Awaits the next report that `pick` takes; other reports are passed over.
pub async fn published<T>(publisher: &mut Publisher, mut pick: impl FnMut(PublishEvent) -> Option<T>) -> T {
    let wanted = async {
        loop {
            if let Some(picked) = pick(publisher.next().await.unwrap()) {
                return picked;
            }
        }
    };
    tokio::time::timeout(TEST_WITHIN, wanted)
        .await
        .expect("the awaited report comes")
}

/// Awaits the next report that `pick` takes; other reports are passed over.
pub async fn received<T>(subscriber: &mut Subscriber, mut pick: impl FnMut(SubscribeEvent) -> Option<T>) -> T {
    let wanted = async {
        loop {
            if let Some(picked) = pick(subscriber.next().await.unwrap()) {
                return picked;
            }
        }
    };
    tokio::time::timeout(TEST_WITHIN, wanted)
        .await
        .expect("the awaited report comes")
}

pub async fn lane(publisher: &mut Publisher) -> innkeeper::mqtt::Lane {
    published(publisher, |event| {
        if let PublishEvent::Up(lane) = event {
            Some(lane)
        } else {
            None
        }
    })
    .await
}

pub async fn publisher_down(publisher: &mut Publisher) -> Down {
    published(publisher, |event| {
        if let PublishEvent::Down(down) = event {
            Some(down)
        } else {
            None
        }
    })
    .await
}

pub async fn up(subscriber: &mut Subscriber) -> (u32, bool) {
    received(subscriber, |event| match event {
        SubscribeEvent::Up { generation, resumed } => Some((generation, resumed)),
        _ => None,
    })
    .await
}

pub async fn subscriber_down(subscriber: &mut Subscriber) -> Down {
    received(subscriber, |event| {
        if let SubscribeEvent::Down(down) = event {
            Some(down)
        } else {
            None
        }
    })
    .await
}

pub async fn batch(subscriber: &mut Subscriber) -> Vec<innkeeper::mqtt::Inbound> {
    received(subscriber, |event| {
        if let SubscribeEvent::Messages(batch) = event {
            Some(batch)
        } else {
            None
        }
    })
    .await
}

/// Sends the messages 0 to `count`, each with its number in front of `padding` more bytes, as an outbox would: from the
/// first undelivered on with every session. Returns how many sessions it took.
pub async fn send_all(publisher: &mut Publisher, topic: &str, count: usize, padding: usize) -> usize {
    let (mut delivered, mut first, mut cursor, mut sessions) = (vec![false; count], 0, 0, 0);
    let mut lane = None;
    while first < count {
        while let Some(open) = &lane
            && cursor < count
        {
            let mut payload = (cursor as u64).to_be_bytes().to_vec();
            payload.resize(8 + padding, b'x');
            match innkeeper::mqtt::Lane::try_send(open, cursor as u64, topic, Bytes::from(payload)) {
                Ok(()) => cursor += 1,
                Err(LaneError::Full) => break,
                Err(LaneError::Ended) => lane = None,
                Err(e) => panic!("{e}"),
            }
        }
        match publisher.next().await.expect("the publisher goes on") {
            PublishEvent::Up(open) => (lane, cursor, sessions) = (Some(open), first, sessions + 1),
            PublishEvent::Down(_) => lane = None,
            // A line this bad on a busy machine can accuse a good message: the report is no verdict, it is sent again.
            PublishEvent::Poison(ticket) => println!("{ticket} was suspected on a bad line"),
            PublishEvent::Delivered(ticket) => {
                delivered[ticket as usize] = true;
                while first < count && delivered[first] {
                    first += 1;
                }
            }
        }
    }
    sessions
}

/// What a receiver counted.
pub struct Received {
    pub times: HashMap<u64, u32>,
    pub connections: u32,
    pub subscriber: Subscriber,
}

impl Received {
    pub fn duplicates(&self) -> u32 {
        self.times.values().map(|times| times - 1).sum()
    }
}

/// Receives until `count` different numbers are there, acknowledging batch by batch, with a pause after each.
pub async fn receive_all(mut subscriber: Subscriber, count: usize, pause: Duration) -> Received {
    let (mut times, mut connections, acker) = (HashMap::new(), 0, subscriber.acker());
    while times.len() < count {
        match subscriber.next().await.expect("the subscriber goes on") {
            SubscribeEvent::Up { .. } => connections += 1,
            SubscribeEvent::Messages(batch) => {
                for message in &batch {
                    let number = u64::from_be_bytes(message.payload[..8].try_into().unwrap());
                    *times.entry(number).or_insert(0) += 1;
                }
                if !pause.is_zero() {
                    tokio::time::sleep(pause).await;
                }
                acker.acknowledge(batch.iter().map(|message| message.ticket));
            }
            SubscribeEvent::Refused { filter } => panic!("{filter} was refused"),
            SubscribeEvent::Down(_) => {}
        }
    }
    Received {
        times,
        connections,
        subscriber,
    }
}

/// A line between a client and its broker that can be cut.
pub struct Line {
    pub address: SocketAddr,
    cuts: watch::Sender<u64>,
    task: JoinHandle<()>,
}

impl Line {
    pub async fn to(broker: SocketAddr) -> Self {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let cuts = watch::Sender::new(0);
        let watched = cuts.clone();
        let task = tokio::spawn(async move {
            while let Ok((mut near, _)) = listener.accept().await {
                let mut cut = watched.subscribe();
                tokio::spawn(async move {
                    let Ok(mut far) = tokio::net::TcpStream::connect(broker).await else {
                        return;
                    };
                    let _ = (near.set_nodelay(true), far.set_nodelay(true));
                    tokio::select! {
                        _ = tokio::io::copy_bidirectional(&mut near, &mut far) => {}
                        _ = cut.changed() => {}
                    }
                });
            }
        });
        Self { address, cuts, task }
    }

    pub fn cut(&self) {
        self.cuts.send_modify(|cuts| *cuts += 1);
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Calls `cut` every 15 to 120 ms until aborted; the gaps come from a fixed seed.
pub fn cut_again_and_again(cut: impl Fn() + Send + 'static) -> JoinHandle<()> {
    tokio::spawn(async move {
        let mut seed = 42_u64;
        loop {
            seed = seed
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            tokio::time::sleep(Duration::from_millis(15 + (seed >> 33) % 106)).await;
            cut();
        }
    })
}

/// The most memory this process ever held, in KiB.
pub fn memory_peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
