//! Do the two sessions work with a broker that others wrote? Against mosquitto, as a process of its own.
//!
//! Where mosquitto is not installed, each test says so and passes, unless `INNKEEPER_PEERS=required` is set.
#![cfg(feature = "daemon")]
#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests, too

mod mqtt_support;

use bytes::Bytes;
use innkeeper::mqtt::{Down, LinkOptions, PublishEvent, PublishOptions, Publisher, TlsFiles};
use mqtt_support::*;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

/// A mosquitto that ends with the test.
struct Mosquitto {
    address: SocketAddr,
    child: Child,
    folder: TempDir,
}

/// Returns where mosquitto is, or says why the test did not run.
fn mosquitto_or_explain(test: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(["/usr/sbin".into(), "/usr/local/sbin".into()]);
    let Some(found) = folders
        .map(|folder| folder.join("mosquitto"))
        .find(|file| file.is_file())
    else {
        let required = std::env::var("INNKEEPER_PEERS").is_ok_and(|peers| peers == "required");
        assert!(
            !required,
            "mosquitto is required here and not installed; apt-get install mosquitto"
        );
        println!("NOT RUN: mosquitto missing: {test}");
        return None;
    };
    let help = Command::new(&found).arg("-h").output().unwrap();
    let help = String::from_utf8_lossy(&help.stdout).into_owned();
    println!("ran against {}: {test}", help.lines().next().unwrap_or("mosquitto"));
    Some(found)
}

impl Mosquitto {
    fn start(program: &Path, more: impl FnOnce(&Path) -> String) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .unwrap()
            .local_addr()
            .unwrap();
        let more = more(folder.path());
        let log = folder.path().join("log");
        let text = format!(
            "listener {} 127.0.0.1\nallow_anonymous true\nuser root\nmax_queued_messages 0\nlog_type all\nlog_dest file {}\n{more}\n",
            address.port(),
            log.display(),
        );
        std::fs::write(folder.path().join("conf"), text).unwrap();
        let child = run(program, folder.path(), address);
        Self { address, child, folder }
    }

    fn restart(&mut self, program: &Path) {
        self.end();
        self.child = run(program, self.folder.path(), self.address);
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    fn end(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Mosquitto {
    fn drop(&mut self) {
        self.end();
    }
}

fn run(program: &Path, folder: &Path, address: SocketAddr) -> Child {
    let mut command = Command::new(program);
    command
        .arg("-c")
        .arg(folder.join("conf"))
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    for _ in 0..500 {
        if TcpStream::connect(address).is_ok() {
            return child;
        }
        if let Some(status) = child.try_wait().unwrap() {
            panic!(
                "mosquitto ended with {status}: {:?}",
                std::fs::read_to_string(folder.join("log"))
            );
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("mosquitto does not listen");
}

/// A little authority and what it signed.
struct Authority {
    certificate: rcgen::Certificate,
    issuer: rcgen::Issuer<'static, rcgen::KeyPair>,
}

impl Authority {
    fn new() -> Self {
        Self::named("Inn Test Authority")
    }

    fn named(name: &str) -> Self {
        let mut parameters = rcgen::CertificateParams::new(Vec::new()).unwrap();
        parameters.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        parameters.distinguished_name.push(rcgen::DnType::CommonName, name);
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate = parameters.self_signed(&key).unwrap();
        Self {
            certificate,
            issuer: rcgen::Issuer::new(parameters, key),
        }
    }

    /// Writes `<name>.pem` and `<name>.key`.
    fn sign(&self, folder: &Path, name: &str, common_name: &str) -> (PathBuf, PathBuf) {
        let mut parameters = rcgen::CertificateParams::new(vec!["127.0.0.1".into(), "localhost".into()]).unwrap();
        parameters
            .distinguished_name
            .push(rcgen::DnType::CommonName, common_name);
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate = parameters.signed_by(&key, &self.issuer).unwrap();
        let paths = (folder.join(format!("{name}.pem")), folder.join(format!("{name}.key")));
        std::fs::write(&paths.0, certificate.pem()).unwrap();
        std::fs::write(&paths.1, key.serialize_pem()).unwrap();
        paths
    }

    fn write(&self, path: PathBuf) -> PathBuf {
        std::fs::write(&path, self.certificate.pem()).unwrap();
        path
    }
}

/// A mosquitto that asks for client certificates, and the options of a link to it with a good one.
fn with_certificates(program: &Path, authority: &Authority) -> (Mosquitto, LinkOptions) {
    let broker = Mosquitto::start(program, |folder| {
        let ca = authority.write(folder.join("ca.pem"));
        let (certificate, key) = authority.sign(folder, "server", "the broker");
        format!(
            "cafile {}\ncertfile {}\nkeyfile {}\nrequire_certificate true\nuse_identity_as_username true",
            ca.display(),
            certificate.display(),
            key.display()
        )
    });
    let folder = broker.folder.path();
    let identity = Some(authority.sign(folder, "client", "gateway-old"));
    let mut link = link(broker.address, "sender");
    link.tls = Some(TlsFiles {
        authorities: folder.join("ca.pem"),
        identity,
    });
    (broker, link)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_thousand_messages_on_a_line_cut_every_15_to_120_ms_all_reach_mosquitto() {
    const COUNT: usize = 20_000;
    let Some(program) = mosquitto_or_explain("cut lines") else {
        return;
    };
    let broker = Mosquitto::start(&program, |_| String::new());
    let line = Line::to(broker.address).await;
    let mut receiver = subscriber(line.address, "receiver", &["inn/out"]);
    up(&mut receiver).await;
    let mut sender = publisher(line.address, "sender");
    let cutter = cut_again_and_again(move || line.cut());
    let receiving = tokio::spawn(receive_all(receiver, COUNT, Duration::ZERO));
    let sending = send_all(&mut sender, "inn/out", COUNT, 100);
    let sessions = tokio::time::timeout(TEST_WITHIN, sending)
        .await
        .expect("everything is sent");
    let received = tokio::time::timeout(TEST_WITHIN, receiving)
        .await
        .expect("everything arrives")
        .unwrap();
    cutter.abort();
    assert_eq!(received.times.len(), COUNT);
    assert!(sessions > 3, "the line was cut");
    println!(
        "{COUNT} sent, 0 lost, {} twice; {sessions} sessions of the sender, {} of the receiver",
        received.duplicates(),
        received.connections
    );
}

#[tokio::test]
async fn a_mosquitto_that_forgot_the_session_is_subscribed_to_again() {
    let Some(program) = mosquitto_or_explain("lost session") else {
        return;
    };
    let mut broker = Mosquitto::start(&program, |_| "persistence false".into());
    let line = Line::to(broker.address).await;
    let mut receiver = subscriber(line.address, "receiver", &["inn/+/state"]);
    assert_eq!(up(&mut receiver).await, (1, false));
    line.cut();
    assert_eq!(
        up(&mut receiver).await,
        (2, true),
        "mosquitto kept the session over a cut"
    );
    broker.restart(&program);
    assert_eq!(up(&mut receiver).await, (3, false), "and lost it with its process");
    let mut sender = publisher(broker.address, "sender");
    lane(&mut sender)
        .await
        .send(1, "inn/1204/state", Bytes::from_static(b"on"))
        .await
        .unwrap();
    assert_eq!(batch(&mut receiver).await[0].topic, "inn/1204/state");
}

#[tokio::test]
async fn a_retained_message_of_300_kb_arrives_from_mosquitto() {
    let Some(program) = mosquitto_or_explain("large retained message") else {
        return;
    };
    let broker = Mosquitto::start(&program, |_| String::new());
    let mut options = rumqttc::MqttOptions::new("bridge", "127.0.0.1", broker.address.port());
    options.set_max_packet_size(1 << 20, 1 << 20);
    let (client, mut eventloop) = rumqttc::AsyncClient::new(options, 10);
    client
        .publish("inn/devices", rumqttc::QoS::AtLeastOnce, true, vec![b'x'; 300_000])
        .await
        .unwrap();
    while !matches!(
        eventloop.poll().await.unwrap(),
        rumqttc::Event::Incoming(rumqttc::Packet::PubAck(_))
    ) {}
    let mut receiver = subscriber(broker.address, "receiver", &["inn/devices"]);
    let kept = batch(&mut receiver).await.remove(0);
    assert_eq!((kept.payload.len(), kept.retain), (300_000, true));
}

#[tokio::test]
async fn a_client_certificate_opens_mosquitto_and_an_exchanged_one_counts_from_the_next_connection() {
    let Some(program) = mosquitto_or_explain("client certificates") else {
        return;
    };
    let authority = Authority::new();
    let (mut broker, link) = with_certificates(&program, &authority);
    let mut sender = Publisher::start(PublishOptions::new(link)).unwrap();
    lane(&mut sender)
        .await
        .send(1, "inn/out", Bytes::from_static(b"sealed"))
        .await
        .unwrap();
    published(&mut sender, |event| {
        matches!(event, PublishEvent::Delivered(1)).then_some(())
    })
    .await;
    assert!(broker.log().contains("gateway-old"), "{}", broker.log());
    authority.sign(broker.folder.path(), "client", "gateway-new");
    assert!(!broker.log().contains("gateway-new"));
    broker.restart(&program);
    publisher_down(&mut sender).await;
    lane(&mut sender).await.send(2, "inn/out", Bytes::new()).await.unwrap();
    published(&mut sender, |event| {
        matches!(event, PublishEvent::Delivered(2)).then_some(())
    })
    .await;
    assert!(broker.log().contains("gateway-new"), "{}", broker.log());
}

#[tokio::test]
async fn a_broker_of_another_authority_is_refused_and_the_error_names_the_file() {
    let Some(program) = mosquitto_or_explain("wrong authority") else {
        return;
    };
    let (broker, link) = with_certificates(&program, &Authority::new());
    for stranger in [Authority::named("Another Authority"), Authority::new()] {
        let mut link = link.clone();
        let wrong = stranger.write(broker.folder.path().join("wrong-ca.pem"));
        link.tls = link.tls.map(|files| TlsFiles {
            authorities: wrong,
            ..files
        });
        let mut sender = Publisher::start(PublishOptions::new(link)).unwrap();
        let down = publisher_down(&mut sender).await;
        println!("{down}");
        assert!(matches!(down, Down::Tls { .. }), "{down:?}");
        assert!(
            down.to_string()
                .contains("wrong-ca.pem did not sign the broker's certificate"),
            "{down}"
        );
    }
}

#[tokio::test]
async fn a_missing_or_foreign_client_certificate_is_refused_with_a_hint() {
    let Some(program) = mosquitto_or_explain("client certificate missing or foreign") else {
        return;
    };
    let (broker, link) = with_certificates(&program, &Authority::new());
    let foreign = Authority::new().sign(broker.folder.path(), "foreign", "somebody");
    for (identity, hint) in [
        (None, "may demand a client certificate"),
        (Some(foreign), "foreign.pem"),
    ] {
        let mut link = link.clone();
        link.tls = link.tls.map(|files| TlsFiles { identity, ..files });
        let mut sender = Publisher::start(PublishOptions::new(link)).unwrap();
        let down = publisher_down(&mut sender).await;
        println!("{down}");
        assert!(
            matches!(down, Down::Tls { .. }) && down.to_string().contains(hint),
            "{down:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn memory_stays_flat_when_mosquitto_has_200_000_messages_for_a_slow_consumer() {
    const BURST: usize = 200_000;
    let Some(program) = mosquitto_or_explain("burst") else {
        return;
    };
    let broker = Mosquitto::start(&program, |_| "max_inflight_messages 100".into());
    let mut receiver = subscriber(broker.address, "receiver", &["inn/out"]);
    up(&mut receiver).await;
    let receiving = tokio::spawn(receive_all(receiver, BURST, Duration::from_millis(1)));
    let mut sender = publisher(broker.address, "sender");
    let sending = send_all(&mut sender, "inn/out", BURST, 500);
    tokio::time::timeout(TEST_WITHIN, sending)
        .await
        .expect("everything is sent");
    let received = tokio::time::timeout(TEST_WITHIN, receiving)
        .await
        .expect("everything arrives")
        .unwrap();
    println!("{BURST} messages of 500 bytes: VmHWM {} KiB", memory_peak_kib());
    assert_eq!(received.times.len(), BURST);
    assert!(
        memory_peak_kib() < 64 * 1024,
        "the burst is 100 MB and the peak {} KiB",
        memory_peak_kib()
    );
}
