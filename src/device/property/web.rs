//! What does a weather service on the web say?
//!
//! It is asked now and then; a plain GET whose answer is a small JSON text. An answer that does not come is a link that is
//! down, said once; the next question goes out at its usual time, so a service that is away is not pressed. Nothing is kept
//! between two questions: the certificate files are read anew each time, and the name is looked up anew.

use super::{Desk, Figures, PAYLOAD_BYTES_MAX, TICK};
use crate::device::FromDevices;
use crate::device::running::{self, Ends, Gone, Running};
use crate::model::LinkId;
use crate::mqtt::{TlsError, TlsFiles};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::client::conn::http1;
use hyper::header::{ACCEPT, CONNECTION, HOST, LOCATION, USER_AGENT};
use hyper::{Request, Uri};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;

/// A service that takes longer than this is not there.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// A service and how it is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebSource {
    /// Where: `http://` or `https://`, with the whole query.
    pub url: String,
    /// Whom we trust, for `https`.
    pub tls: TlsFiles,
    /// How often.
    pub every: Duration,
    /// How long an answer may take.
    pub patience: Duration,
    /// What the answer tells.
    pub figures: Figures,
}

/// Why there was no answer, and what to do.
#[derive(Debug, thiserror::Error)]
enum Miss {
    #[error("the address cannot be understood; write http://... or https://...")]
    Address,
    #[error("{host} cannot be reached: {error}; check name, port and firewall")]
    Unreachable { host: String, error: std::io::Error },
    #[error(transparent)]
    Files(#[from] TlsError),
    #[error("{host} is not trusted: {error}; give the authority that signed its certificate as tls.ca")]
    Distrusted { host: String, error: std::io::Error },
    #[error("no answer within {0:?}")]
    Silent(Duration),
    #[error("it answers {status} and points to {to}; write that address")]
    Moved { status: u16, to: String },
    #[error("it answers {0}; try the address in a browser")]
    Status(u16),
    #[error("the answer broke off or is longer than {PAYLOAD_BYTES_MAX} bytes: {0}")]
    Broken(String),
}

/// Starts to ask, at once and then at every interval.
///
/// # Panics
/// Must be called within a runtime.
pub fn start<T: From<FromDevices> + Send + 'static>(link: LinkId, source: WebSource, to: mpsc::Sender<T>) -> Running {
    let desk = Desk::new(link, source.figures.clone());
    Running::start(to, |ends| run(desk, source, ends))
}

async fn run<T: From<FromDevices> + Send>(mut desk: Desk, source: WebSource, mut ends: Ends<T>) {
    // Nobody left to tell is the end as well.
    let _ = converse(&mut desk, &source, &mut ends).await;
    ends.pulse.connected(false);
}

async fn converse<T: From<FromDevices> + Send>(
    desk: &mut Desk,
    source: &WebSource,
    ends: &mut Ends<T>,
) -> Result<(), Gone> {
    let (mut tick, mut due) = (running::beat(TICK), running::beat(source.every));
    let (mut asked, mut is_up) = (JoinSet::new(), None);
    loop {
        ends.pulse.turn();
        tokio::select! {
            biased;
            _ = &mut ends.stop => return Ok(()),
            Some(command) = ends.commands.recv() => desk.cannot(command, "a weather service takes no commands"),
            _ = tick.tick() => desk.tick(),
            _ = due.tick(), if asked.is_empty() => {
                asked.spawn(answer(source.clone()));
            }
            Some(Ok(answer)) = asked.join_next() => {
                let said = match &answer {
                    Ok(_) => (true, "answers".to_owned()),
                    Err(miss) => (false, miss.to_string()),
                };
                if is_up.as_ref() != Some(&said) {
                    desk.stands(said.0, said.1.clone());
                }
                ends.pulse.connected(said.0);
                is_up = Some(said);
                if let Ok(body) = answer {
                    ends.pulse.heard(1, body.len());
                    desk.hear([&*body]);
                }
            }
        }
        ends.hand_over(std::mem::take(&mut desk.news)).await?;
    }
}

async fn answer(source: WebSource) -> Result<Bytes, Miss> {
    tokio::time::timeout(source.patience, ask(&source))
        .await
        .unwrap_or(Err(Miss::Silent(source.patience)))
}

async fn ask(source: &WebSource) -> Result<Bytes, Miss> {
    let url: Uri = source.url.parse().map_err(|_| Miss::Address)?;
    let host = url.host().ok_or(Miss::Address)?.trim_matches(['[', ']']).to_owned();
    let is_secret = match url.scheme_str() {
        Some("http") => false,
        Some("https") => true,
        _ => return Err(Miss::Address),
    };
    let port = url.port_u16().unwrap_or(if is_secret { 443 } else { 80 });
    let stream = TcpStream::connect((host.as_str(), port))
        .await
        .map_err(|error| Miss::Unreachable {
            host: host.clone(),
            error,
        })?;
    if !is_secret {
        return get(&url, stream).await;
    }
    let name = ServerName::try_from(host.clone()).map_err(|_| Miss::Address)?;
    let connector = TlsConnector::from(source.tls.configuration()?);
    let stream = connector
        .connect(name, stream)
        .await
        .map_err(|error| Miss::Distrusted { host, error })?;
    get(&url, stream).await
}

async fn get(url: &Uri, stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static) -> Result<Bytes, Miss> {
    let broken = |error: hyper::Error| Miss::Broken(error.to_string());
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
    let mut driver = JoinSet::new();
    driver.spawn(connection);
    let path = url.path_and_query().map_or("/", |path| path.as_str());
    let request = Request::get(path)
        .header(HOST, url.authority().map_or("", |authority| authority.as_str()))
        .header(USER_AGENT, concat!("innkeeper/", env!("CARGO_PKG_VERSION")))
        .header(ACCEPT, "application/json")
        .header(CONNECTION, "close")
        .body(Empty::<Bytes>::new())
        .map_err(|_| Miss::Address)?;
    let response = sender.send_request(request).await.map_err(broken)?;
    let status = response.status();
    if status.is_redirection() {
        let to = response.headers().get(LOCATION).and_then(|to| to.to_str().ok());
        // A query may hold a key, which is nothing for the journal.
        let to = to.and_then(|to| to.split('?').next()).unwrap_or("nowhere").into();
        let status = status.as_u16();
        return Err(Miss::Moved { status, to });
    }
    if !status.is_success() {
        return Err(Miss::Status(status.as_u16()));
    }
    let body = Limited::new(response.into_body(), PAYLOAD_BYTES_MAX).collect().await;
    body.map(|body| body.to_bytes())
        .map_err(|error| Miss::Broken(error.to_string()))
}
