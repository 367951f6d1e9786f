//! What does a message cost? A bare client that only counts, and a `Subscriber` whose consumer acknowledges, in the
//! same run from the same broker, at QoS 0 (what bridges send their states with).
//!
//! `cargo bench --bench mqtt` starts mosquitto as a process of its own where it is installed, so that nothing
//! the receiver's alone; otherwise the embedded broker on a thread of its own. `--messages N` changes the count.

use innkeeper::mqtt::{LinkOptions, SubscribeEvent, SubscribeOptions, Subscriber};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const MESSAGES: usize = 100_000;
const BYTES: usize = 200;
/// Runs of each kind, taken in turns; the median counts.
const ROUNDS: usize = 5;
const TOPIC: &str = "bench/state";

fn main() {
    let mut arguments = std::env::args().skip_while(|argument| argument != "--messages").skip(1);
    let messages = arguments
        .next()
        .and_then(|count| count.parse().ok())
        .unwrap_or(MESSAGES);
    // One thread receives: its CPU time is the receiver's. The flood is sent by a thread of its own.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let broker = Broker::start();
    println!("{messages} messages of {BYTES} bytes from {}", broker.name);
    for qos in [rumqttc::QoS::AtMostOnce] {
        let (mut bare, mut ours) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            bare.push(runtime.block_on(bare_counter(broker.address, qos, messages)));
            ours.push(runtime.block_on(subscriber(broker.address, qos, messages)));
        }
        let (bare, ours) = (median(bare), median(ours));
        println!(
            "{qos:?}: bare {bare:.2} us, Subscriber {ours:.2} us CPU a message: ratio {:.2}",
            ours / bare
        );
    }
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

/// Counts with the library as it comes, which acknowledges by itself.
async fn bare_counter(broker: SocketAddr, qos: rumqttc::QoS, messages: usize) -> f64 {
    let mut options = rumqttc::MqttOptions::new("bare", broker.ip().to_string(), broker.port());
    options.set_max_packet_size(1 << 20, 1 << 20);
    let (client, mut eventloop) = rumqttc::AsyncClient::new(options, 10);
    client.subscribe(TOPIC, qos).await.expect("the queue has room");
    while !matches!(
        eventloop.poll().await,
        Ok(rumqttc::Event::Incoming(rumqttc::Packet::SubAck(_)))
    ) {}
    let flood = flood(broker, qos, messages);
    let (before, mut count) = (cpu(), 0);
    while count < messages {
        if let rumqttc::Event::Incoming(rumqttc::Packet::Publish(_)) = eventloop.poll().await.expect("the line holds") {
            count += 1;
        }
    }
    per_message(before, messages, flood)
}

async fn subscriber(broker: SocketAddr, qos: rumqttc::QoS, messages: usize) -> f64 {
    let link = LinkOptions::new(broker.ip().to_string(), broker.port(), "ours");
    let mut options = SubscribeOptions::new(link, vec![TOPIC.into()]);
    options.persistent = false;
    let mut subscriber = Subscriber::start(options).expect("good options");
    let acker = subscriber.acker();
    while !matches!(subscriber.next().await, Some(SubscribeEvent::Up { .. })) {}
    let flood = flood(broker, qos, messages);
    let (before, mut count) = (cpu(), 0);
    while count < messages {
        if let Some(SubscribeEvent::Messages(batch)) = subscriber.next().await {
            count += batch.len();
            acker.acknowledge(batch.iter().map(|message| message.ticket));
        }
    }
    let figure = per_message(before, messages, flood);
    subscriber.stop().await;
    figure
}

fn per_message(before: Duration, messages: usize, flood: std::thread::JoinHandle<()>) -> f64 {
    let spent = cpu() - before;
    flood.join().expect("the flood ends");
    spent.as_secs_f64() * 1e6 / messages as f64
}

/// Publishes from a thread of its own.
fn flood(broker: SocketAddr, qos: rumqttc::QoS, messages: usize) -> std::thread::JoinHandle<()> {
    std::thread::spawn(move || {
        let mut options = rumqttc::MqttOptions::new("flood", broker.ip().to_string(), broker.port());
        options.set_inflight(90);
        let (client, mut connection) = rumqttc::Client::new(options, 500);
        let sending = std::thread::spawn(move || {
            for _ in 0..messages {
                client
                    .publish(TOPIC, qos, false, vec![b'x'; BYTES])
                    .expect("the queue is open");
            }
            client.disconnect().expect("the queue is open");
        });
        while let Some(Ok(event)) = connection.iter().next() {
            if let rumqttc::Event::Outgoing(rumqttc::Outgoing::Disconnect) = event {
                break;
            }
        }
        sending.join().expect("the sender ends");
    })
}

/// Returns the CPU time this thread has used, in user and system. The kernel keeps it in nanoseconds in the first field.
fn cpu() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux tells a thread its CPU time");
    let nanos = text.split(' ').next().and_then(|field| field.parse().ok());
    Duration::from_nanos(nanos.expect("the first field is a number"))
}

struct Broker {
    name: &'static str,
    address: SocketAddr,
    mosquitto: Option<Child>,
    stop: Option<tokio::sync::oneshot::Sender<()>>,
}

impl Broker {
    fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let programs = ["/usr/sbin/mosquitto", "/usr/local/sbin/mosquitto", "/usr/bin/mosquitto"];
        match programs
            .into_iter()
            .find(|program| std::path::Path::new(program).is_file())
        {
            Some(program) => {
                drop(listener);
                let mosquitto = Some(mosquitto(program, address));
                Self {
                    name: "mosquitto",
                    address,
                    mosquitto,
                    stop: None,
                }
            }
            None => Self {
                name: "the embedded broker",
                address,
                mosquitto: None,
                stop: Some(embedded(listener)),
            },
        }
    }
}

fn mosquitto(program: &str, address: SocketAddr) -> Child {
    let file = std::env::temp_dir().join(format!("innkeeper-bench-{}.conf", address.port()));
    let port = address.port();
    let text =
        format!("listener {port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\nmax_inflight_messages 100\n");
    std::fs::write(&file, text).expect("the temporary folder can be written");
    let child = Command::new(program)
        .arg("-c")
        .arg(&file)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let child = child.expect("mosquitto starts");
    while TcpStream::connect(address).is_err() {
        std::thread::sleep(Duration::from_millis(10));
    }
    let _ = std::fs::remove_file(file);
    child
}

/// Runs the embedded broker on a thread of its own.
fn embedded(listener: TcpListener) -> tokio::sync::oneshot::Sender<()> {
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        runtime.block_on(async {
            let _broker = innkeeper::simulate::broker::Broker::start(listener).expect("the port is ours");
            let _ = stopped.await;
        });
    });
    stop
}

impl Drop for Broker {
    fn drop(&mut self) {
        if let Some(mut mosquitto) = self.mosquitto.take() {
            let _ = mosquitto.kill();
            let _ = mosquitto.wait();
        }
        drop(self.stop.take());
    }
}
