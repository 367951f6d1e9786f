//! Is the air outside heard, on a topic or from a service on the web, and nothing else taken for it?

use super::mqtt::{Bridge, options};
use super::support::*;
use innkeeper::device::property::topic::{self, PropertyTopic};
use innkeeper::device::property::web::{self, WebSource};
use innkeeper::device::property::{Figures, Tells};
use innkeeper::model::{Celsius, Event, LinkId, Percent};
use innkeeper::mqtt::TlsFiles;
use innkeeper::simulate::broker::Broker;
use std::path::Path;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

#[tokio::test]
async fn the_air_outside_is_heard_and_nonsense_is_counted() {
    let broker = Broker::on_loopback().unwrap();
    let mut bridge = Bridge::at(&broker).await;
    let (to, mut inbox) = Inbox::new();
    let source = PropertyTopic {
        topic: "house/weather".into(),
        figures: Figures {
            key: "outdoor".into(),
            tells: Tells::Outdoor { clouds: None },
        },
    };
    let link = LinkId::new("weather").unwrap();
    let running = topic::start(link, options(broker.address(), "inn-weather"), source, to).unwrap();
    inbox.up().await;
    bridge.say("house/weather", r#"{"outdoor":"mild"}"#).await;
    bridge.say("house/weather", r#"{"outdoor":-3.5,"wind":12}"#).await;
    let seen = Event::Outdoor {
        temperature: Celsius::from_hundredths(-350),
    };
    inbox
        .until("the temperature is told", |inbox| inbox.events.contains(&seen))
        .await;
    inbox
        .until("the nonsense is counted", |inbox| {
            inbox.rejected.contains(&(None, "weather_not_a_number", 1))
        })
        .await;
    assert_eq!(inbox.events, [seen]);
    running.stop().await;
}

fn service(url: String, authorities: &Path) -> WebSource {
    WebSource {
        url,
        tls: TlsFiles {
            authorities: authorities.to_owned(),
            identity: None,
        },
        every: Duration::from_millis(50),
        patience: Duration::from_millis(400),
        figures: Figures {
            key: "current.temperature".into(),
            tells: Tells::Outdoor {
                clouds: Some("current.clouds".into()),
            },
        },
    }
}

const BODY: &str = r#"{"current":{"temperature":8.5,"clouds":75}}"#;

fn told() -> [Event; 2] {
    let temperature = Celsius::from_hundredths(850);
    let cover = Percent::new(75.0).unwrap();
    [Event::Outdoor { temperature }, Event::Clouds { cover }]
}

/// Answers one question after the other with these texts; the last one holds.
async fn answering<S, F>(listener: TcpListener, answers: Vec<String>, meet: impl Fn(TcpStream) -> F + Send + 'static)
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
    F: Future<Output = Option<S>> + Send,
{
    for turn in 0.. {
        let (stream, _) = listener.accept().await.unwrap();
        let Some(mut stream) = meet(stream).await else { continue };
        let (mut question, mut got) = ([0; 4096], 0);
        while !question[..got].ends_with(b"\r\n\r\n") {
            match stream.read(&mut question[got..]).await {
                Ok(n @ 1..) => got += n,
                _ => break,
            }
        }
        let line = String::from_utf8_lossy(&question[..got]).to_string();
        assert!(line.starts_with("GET /now?place=roof HTTP/1.1\r\n"), "{line}");
        let _ = stream.write_all(answers[turn.min(answers.len() - 1)].as_bytes()).await;
        let _ = stream.shutdown().await;
    }
}

fn is_down(inbox: &Inbox, because: &str) -> bool {
    inbox.links.iter().any(|(up, told)| !up && told.contains(because))
}

fn answer(status: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

#[tokio::test]
async fn a_service_is_asked_again_and_again_and_says_when_it_is_away() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/now?place=roof", listener.local_addr().unwrap());
    let long = answer("200 OK", &format!("{BODY}{}", " ".repeat(70_000)));
    let answers = vec![
        answer("503 Busy", ""),
        "HTTP/1.1 301 Moved\r\nlocation: https://there/\r\ncontent-length: 0\r\n\r\n".into(),
        long,
        answer("200 OK", "mild"),
        answer("200 OK", BODY),
    ];
    let serving = tokio::spawn(answering(listener, answers, |stream| async move { Some(stream) }));
    let (to, mut inbox) = Inbox::new();
    let running = web::start(LinkId::new("weather").unwrap(), service(url, Path::new("/none")), to);
    inbox
        .until("the air is told", |inbox| inbox.events.ends_with(&told()))
        .await;
    inbox
        .until("the nonsense is counted", |inbox| {
            inbox.rejected.contains(&(None, "weather_not_json", 1))
        })
        .await;
    for expected in ["answers 503", "points to https://there/", "longer than"] {
        assert!(is_down(&inbox, expected), "{expected:?} is not in {:?}", inbox.links);
    }
    running.stop().await;
    serving.abort();
}

#[tokio::test]
async fn a_service_that_says_nothing_is_given_up_and_holds_nothing_up() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/now?place=roof", listener.local_addr().unwrap());
    let (to, mut inbox) = Inbox::new();
    let running = web::start(LinkId::new("weather").unwrap(), service(url, Path::new("/none")), to);
    let before = running.progress();
    inbox
        .until("silence is told", |inbox| is_down(inbox, "no answer"))
        .await;
    assert!(running.progress() > before);
    tokio::time::timeout(Duration::from_millis(300), running.stop())
        .await
        .unwrap();
}

#[tokio::test]
async fn over_tls_only_a_trusted_service_is_believed() {
    let pair = rcgen::generate_simple_self_signed(vec!["localhost".into()]).unwrap();
    let other = rcgen::generate_simple_self_signed(vec!["localhost".into()]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (trusted, distrusted) = (folder.path().join("trusted.pem"), folder.path().join("distrusted.pem"));
    std::fs::write(&trusted, pair.cert.pem()).unwrap();
    std::fs::write(&distrusted, other.cert.pem()).unwrap();
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let key = rustls::pki_types::PrivatePkcs8KeyDer::from(pair.signing_key.serialize_der());
    let server = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![pair.cert.der().clone()], key.into())
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(std::sync::Arc::new(server));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let url = format!("https://localhost:{port}/now?place=roof");
    let meet = move |stream| {
        let acceptor = acceptor.clone();
        async move { acceptor.accept(stream).await.ok() }
    };
    let serving = tokio::spawn(answering(listener, vec![answer("200 OK", BODY)], meet));

    let (to, mut inbox) = Inbox::new();
    let running = web::start(LinkId::new("weather").unwrap(), service(url.clone(), &distrusted), to);
    inbox
        .until("the stranger is refused", |inbox| is_down(inbox, "not trusted"))
        .await;
    assert!(inbox.events.is_empty());
    running.stop().await;

    let (to, mut inbox) = Inbox::new();
    let running = web::start(LinkId::new("weather").unwrap(), service(url, &trusted), to);
    inbox
        .until("the air is told", |inbox| inbox.events.ends_with(&told()))
        .await;
    running.stop().await;
    serving.abort();
}
