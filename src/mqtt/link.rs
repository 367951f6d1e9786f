//! How is one connection to a broker made, and why did it end?

use super::backoff::Pauses;
use super::tls::{TlsError, TlsFiles};
use rumqttc::{AsyncClient, ConnectReturnCode, ConnectionError, EventLoop, MqttOptions, NetworkOptions, StateError};
use rumqttc::{TlsConfiguration, Transport};
use std::fmt;
use std::time::Duration;

/// The client refuses packets beyond this many bytes, in and out. The library's own 10 KiB would make a bridge's
/// retained list of devices (172,101 bytes for 43 devices) end the connection again and again.
const PACKET_BYTES_MAX: usize = 1024 * 1024;

/// What both kinds of session need to know of a broker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkOptions {
    /// The broker's name or address; with TLS it must be in the broker's certificate.
    pub host: String,
    /// The broker's port.
    pub port: u16,
    /// Our name at the broker. Two clients of one name throw each other out: each session needs its own.
    pub client_id: String,
    /// User and password, where the broker asks for them.
    pub login: Option<Login>,
    /// The certificates, where the connection is to be TLS.
    pub tls: Option<TlsFiles>,
    /// How often a sign of life is exchanged; whole seconds, at least one.
    pub keep_alive: Duration,
    /// How long connecting may take, and how long a peer may refuse to read.
    pub patience: Duration,
    /// The largest packet in bytes, in and out.
    pub packet_bytes_max: usize,
    /// The pauses between attempts.
    pub pauses: Pauses,
}

/// User and password at a broker. The password does not show in debug output.
#[derive(Clone, PartialEq, Eq)]
pub struct Login {
    /// The user.
    pub user: String,
    /// The password.
    pub password: String,
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Login({:?}, ***)", self.user)
    }
}

/// What is wrong with the options of a link.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OptionsError {
    /// No host or no client id.
    #[error("an MQTT link needs a host and a client id")]
    Nameless,
    /// A keep-alive that the protocol cannot carry.
    #[error("a keep-alive of {0:?} cannot be used; write whole seconds from 1 to 65535")]
    KeepAlive(Duration),
    /// A window that would let packet ids meet.
    #[error("a window of {0} messages cannot be used; write 1 to 10000")]
    Window(u16),
    /// A filter no broker would accept.
    #[error("{0:?} is no topic filter; + and # stand alone between slashes, and # only at the end")]
    Filter(String),
    /// A subscriber without filters.
    #[error("a subscriber needs at least one topic filter")]
    NoFilters,
}

impl LinkOptions {
    /// Returns options with the usual limits: keep-alive 20 s, patience 10 s, packets up to 1 MiB, no TLS.
    pub fn new(host: impl Into<String>, port: u16, client_id: impl Into<String>) -> Self {
        Self {
            host: host.into(),
            port,
            client_id: client_id.into(),
            login: None,
            tls: None,
            keep_alive: Duration::from_secs(20),
            patience: Duration::from_secs(10),
            packet_bytes_max: PACKET_BYTES_MAX,
            pauses: Pauses::default(),
        }
    }

    /// Checks what the client library would otherwise panic at.
    ///
    /// # Errors
    /// Says what to write instead.
    pub fn check(&self) -> Result<(), OptionsError> {
        if self.host.is_empty() || self.client_id.is_empty() {
            return Err(OptionsError::Nameless);
        }
        if !(1..=65535).contains(&self.keep_alive.as_secs()) || self.keep_alive.subsec_nanos() != 0 {
            return Err(OptionsError::KeepAlive(self.keep_alive));
        }
        Ok(())
    }

    /// Returns how long the client may say nothing at all: it speaks with every keep-alive, so twice that and a bit.
    pub(super) fn watchdog(&self) -> Duration {
        2 * self.keep_alive + Duration::from_secs(5)
    }

    /// Makes a fresh client for one connection; `special` sets what the two kinds of session do not share.
    pub(super) async fn client(
        &self,
        special: impl FnOnce(&mut MqttOptions),
    ) -> Result<(AsyncClient, EventLoop), Down> {
        let mut options = MqttOptions::new(&self.client_id, &self.host, self.port);
        options.set_keep_alive(self.keep_alive);
        options.set_max_packet_size(self.packet_bytes_max, self.packet_bytes_max);
        if let Some(login) = &self.login {
            options.set_credentials(&login.user, &login.password);
        }
        if let Some(files) = self.tls.clone() {
            let read = tokio::task::spawn_blocking(move || files.configuration());
            let configuration = read.await.expect("reading certificates does not panic")?;
            options.set_transport(Transport::tls_with_config(TlsConfiguration::Rustls(configuration)));
        }
        special(&mut options);
        let requests_max = usize::from(options.inflight());
        let (client, mut eventloop) = AsyncClient::new(options, requests_max);
        let mut network = NetworkOptions::new();
        network.set_tcp_nodelay(true);
        network.set_connection_timeout(self.patience.as_secs().max(1));
        eventloop.set_network_options(network);
        Ok((client, eventloop))
    }

    /// Says in words why the client ended, with the hint an engineer needs.
    pub(super) fn explain(&self, error: ConnectionError) -> Down {
        let peer = || format!("{}:{}", self.host, self.port);
        match error {
            ConnectionError::ConnectionRefused(code) => Down::Refused {
                peer: peer(),
                why: refusal(code),
            },
            ConnectionError::NetworkTimeout => Down::Unreachable {
                peer: peer(),
                detail: "no answer in time".into(),
            },
            ConnectionError::FlushTimeout => Down::Silent(self.patience),
            ConnectionError::Tls(e) => self.explain_tls(peer(), e.to_string()),
            ConnectionError::Io(e) if e.to_string().contains("certificate") => self.explain_tls(peer(), e.to_string()),
            ConnectionError::Io(e) => Down::Unreachable {
                peer: peer(),
                detail: e.to_string(),
            },
            ConnectionError::MqttState(StateError::AwaitPingResp) => Down::Silent(self.keep_alive),
            ConnectionError::MqttState(StateError::Unsolicited(packet)) => Down::Mismatch { packet },
            ConnectionError::MqttState(StateError::Deserialization(
                rumqttc::mqttbytes::Error::PayloadSizeLimitExceeded(bytes),
            )) => Down::Oversize {
                bytes,
                bytes_max: self.packet_bytes_max,
            },
            e if e.to_string().contains("lert") => self.explain_tls(peer(), e.to_string()),
            e => Down::Broken(e.to_string()),
        }
    }

    /// The broker's word on certificates is often cut short; the files to look at are known here.
    fn explain_tls(&self, peer: String, detail: String) -> Down {
        let detail = detail.rsplit("O: ").next().unwrap_or_default().to_owned();
        let hint = match &self.tls {
            // A bad signature is what an authority of the same name and another key gives.
            Some(files) if detail.contains("UnknownIssuer") || detail.contains("BadSignature") => {
                format!("{} did not sign the broker's certificate", files.authorities.display())
            }
            Some(_) if detail.contains("NotValidForName") => {
                format!("the broker's certificate does not name {}", self.host)
            }
            Some(_) if detail.contains("Expired") || detail.contains("expired") => {
                "the broker's certificate or ours has ended, or this clock is wrong".into()
            }
            Some(TlsFiles { identity: None, .. }) => "the broker may demand a client certificate".into(),
            Some(TlsFiles {
                identity: Some((certificate, _)),
                ..
            }) => {
                format!("does the broker trust the signer of {}?", certificate.display())
            }
            None => "the link is not set up for TLS".into(),
        };
        Down::Tls { peer, detail, hint }
    }
}

fn refusal(code: ConnectReturnCode) -> &'static str {
    match code {
        ConnectReturnCode::Success => "it did not refuse",
        ConnectReturnCode::RefusedProtocolVersion => "it does not speak MQTT 3.1.1",
        ConnectReturnCode::BadClientId => "it does not accept the client id",
        ConnectReturnCode::ServiceUnavailable => "it is not available now",
        ConnectReturnCode::BadUserNamePassword => "user or password is wrong",
        ConnectReturnCode::NotAuthorized => "this client is not allowed in",
    }
}

/// Why a session ended or did not come up.
#[derive(Debug, thiserror::Error)]
pub enum Down {
    /// The certificate files cannot be used.
    #[error("{0}")]
    Files(#[from] TlsError),
    /// No connection.
    #[error("{peer} cannot be reached: {detail}")]
    Unreachable {
        /// Host and port.
        peer: String,
        /// What the system says.
        detail: String,
    },
    /// The two sides do not accept each other's certificates.
    #[error("{peer}: no TLS session ({detail}); {hint}")]
    Tls {
        /// Host and port.
        peer: String,
        /// What the library says.
        detail: String,
        /// Where to look.
        hint: String,
    },
    /// The broker answered no.
    #[error("{peer} refused the connection: {why}")]
    Refused {
        /// Host and port.
        peer: String,
        /// The return code in words.
        why: &'static str,
    },
    /// The connection broke or the peer spoke no MQTT.
    #[error("the connection ended: {0}")]
    Broken(String),
    /// The peer gave no sign of life for so long.
    #[error("the broker gave no sign of life for {0:?}")]
    Silent(Duration),
    /// The broker lives but does not acknowledge.
    #[error("a message was not acknowledged within {0:?}")]
    Unacknowledged(Duration),
    /// The broker lives but does not answer a subscription.
    #[error("a subscription was not answered within {0:?}")]
    Unsubscribed(Duration),
    /// A packet id that does not fit what was sent.
    #[error("packet id {packet} was acknowledged or used out of turn")]
    Mismatch {
        /// The packet id.
        packet: u16,
    },
    /// A message larger than the limit came in. A retained one comes again with every session.
    #[error(
        "a message of {bytes} bytes came in, more than the {bytes_max} allowed; raise the limit or name fewer topics"
    )]
    Oversize {
        /// Its size.
        bytes: usize,
        /// The limit.
        bytes_max: usize,
    },
    /// We ended it.
    #[error("stopped")]
    Stopped,
}

/// Draws an even number from 0 to 1.
pub(super) fn chance() -> f64 {
    use ring::rand::SecureRandom;
    let mut bytes = [0; 4];
    match ring::rand::SystemRandom::new().fill(&mut bytes) {
        Ok(()) => f64::from(u32::from_le_bytes(bytes)) / f64::from(u32::MAX),
        Err(_) => 1.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_the_library_would_panic_at_are_refused_with_words() {
        let good = LinkOptions::new("broker.test", 1883, "inn");
        assert_eq!(good.check(), Ok(()));
        let mut bad = good.clone();
        bad.keep_alive = Duration::from_millis(500);
        assert_eq!(bad.check(), Err(OptionsError::KeepAlive(Duration::from_millis(500))));
        assert_eq!(
            LinkOptions::new("broker.test", 1883, "").check(),
            Err(OptionsError::Nameless)
        );
    }

    #[test]
    fn a_password_never_shows() {
        let login = Login {
            user: "inn".into(),
            password: "canary-8731".into(),
        };
        assert!(!format!("{login:?}").contains("canary-8731"));
    }
}
