//! How is the wire opened, asked one question, and made trustworthy again after a bad answer?
//!
//! After any missing or broken answer the client context is dropped. What else must happen differs:
//! * Modbus/TCP: a new connection; late answers die with the old one.
//! * RTU over TCP: the connection is closed and the line left silent, since the serial server may deliver a late answer
//!   to the next connection.
//! * Serial: the line is left silent, then everything readable is discarded. The client library empties only its own
//!   buffer, not the kernel's.

use super::event::FailReason;
use super::exchange::{self, Question};
use super::pace;
use super::plan::{LineSettings, Parity, Transport};
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context as TaskContext, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_modbus::Slave;
use tokio_modbus::client::{Client as _, Context, rtu, tcp};
use tokio_modbus::slave::SlaveContext as _;
use tokio_serial::{ClearBuffer, SerialPort as _, SerialPortBuilderExt as _, SerialStream};

/// How long a connection may take: a gateway on the property's own network answers within milliseconds.
const CONNECT_LIMIT: Duration = Duration::from_secs(3);
/// The first pause after a failed opening; each further one is twice as long.
const RETRY_FIRST: Duration = Duration::from_millis(250);
/// The longest pause: an adapter plugged in again is found within this time.
const RETRY_LONGEST: Duration = Duration::from_secs(30);
/// How often a line that still babbles is given more silence before the next question goes out regardless.
const DISCARD_ROUNDS_MAX: usize = 20;

/// Why the wire cannot be opened, and when it is tried again.
#[derive(Debug, Clone)]
pub(super) struct LinkFault {
    /// What is wrong and what to do.
    pub because: String,
    /// The next attempt.
    pub until: Instant,
}

/// The wire of one bus.
pub(super) struct Link {
    transport: Transport,
    context: Option<Context>,
    tap: Tap,
    has_answered: bool,
    pause: Duration,
    retry: Option<LinkFault>,
}

/// What is below the context and must be reached past it.
enum Tap {
    None,
    Socket(Shared<TcpStream>),
    Port(Shared<SerialStream>),
}

impl Link {
    /// Starts closed; the first question opens it.
    pub fn new(transport: Transport) -> Self {
        Self {
            transport,
            context: None,
            tap: Tap::None,
            has_answered: false,
            pause: RETRY_FIRST,
            retry: None,
        }
    }

    /// Opens the wire when it is closed; returns whether it had to.
    pub async fn open(&mut self) -> Result<bool, LinkFault> {
        if self.context.is_some() {
            return Ok(false);
        }
        if let Some(fault) = self.retry.take_if(|fault| fault.until > Instant::now()) {
            return Err(fault);
        }
        match self.connect().await {
            Ok(()) => Ok(true),
            Err(because) => Err(self.back_off(because)),
        }
    }

    /// Asks one question and returns the words of its answer. The wire must be open.
    pub async fn ask(&mut self, unit: u8, question: Question<'_>, limit: Duration) -> Result<Vec<u16>, FailReason> {
        let context = self.context.as_mut().ok_or(FailReason::LinkDown)?;
        context.set_slave(Slave(unit));
        let words = match timeout_at(Instant::now() + limit, context.call(question.request())).await {
            Err(_elapsed) => Err(FailReason::Silent),
            Ok(Err(error)) => Err(exchange::fault(&error)),
            Ok(Ok(Err(exception))) => Err(FailReason::from_exception(exception.into())),
            Ok(Ok(Ok(response))) => question.judge(response),
        }?;
        if !self.has_answered {
            self.has_answered = true;
            self.pause = RETRY_FIRST;
        }
        Ok(words)
    }

    /// Makes the wire trustworthy again after a missing or broken answer; returns how many bytes were discarded.
    pub async fn recover(&mut self, reason: FailReason, quiet: Duration) -> usize {
        self.context = None;
        if reason == FailReason::LinkLost && !self.has_answered {
            let because = "the peer closes before it answers; does it allow one more client?";
            self.retry = Some(self.back_off(because.into()));
        }
        match self.transport {
            Transport::Tcp { .. } => 0,
            Transport::RtuOverTcp { .. } => {
                self.tap = Tap::None;
                pace::until(Instant::now() + quiet, false).await;
                0
            }
            Transport::Serial { line, .. } => self.recover_port(reason, quiet, line.silence()).await,
        }
    }

    async fn recover_port(&mut self, reason: FailReason, quiet: Duration, silence: Duration) -> usize {
        if reason == FailReason::LinkLost {
            self.tap = Tap::None;
            return 0;
        }
        pace::until(Instant::now() + quiet, false).await;
        let mut discarded = self.discard();
        for _ in 0..DISCARD_ROUNDS_MAX {
            pace::until(Instant::now() + silence, true).await;
            match self.discard() {
                0 => break,
                more => discarded += more,
            }
        }
        if let Tap::Port(port) = &self.tap {
            self.context = Some(rtu::attach(port.clone()));
        }
        discarded
    }

    /// Discards what lies readable below the context, where nothing should be; returns how many bytes that were.
    pub fn discard(&self) -> usize {
        match &self.tap {
            Tap::None => 0,
            Tap::Socket(socket) => discard_from_socket(&socket.lock()),
            Tap::Port(port) => discard_from_port(&port.lock()),
        }
    }

    async fn connect(&mut self) -> Result<(), String> {
        self.has_answered = false;
        match &self.transport {
            Transport::Tcp { address } => self.context = Some(tcp::attach(dial(address).await?)),
            Transport::RtuOverTcp { address, .. } => {
                let socket = Shared::new(dial(address).await?);
                self.context = Some(rtu::attach(socket.clone()));
                self.tap = Tap::Socket(socket);
            }
            Transport::Serial { path, line } => {
                let port = Shared::new(open_port(path, line)?);
                self.context = Some(rtu::attach(port.clone()));
                self.tap = Tap::Port(port);
                self.discard();
            }
        }
        Ok(())
    }

    fn back_off(&mut self, because: String) -> LinkFault {
        let until = Instant::now() + self.pause;
        self.pause = (self.pause * 2).min(RETRY_LONGEST);
        LinkFault { because, until }
    }
}

async fn dial(address: &str) -> Result<TcpStream, String> {
    let stream = match timeout(CONNECT_LIMIT, TcpStream::connect(address)).await {
        Err(_elapsed) => Err(format!(
            "{address} did not answer within {CONNECT_LIMIT:?}; is the gateway powered?"
        )),
        Ok(Err(e)) if e.kind() == io::ErrorKind::ConnectionRefused => Err(format!(
            "{address} refuses the connection; is its Modbus server switched on, and the port right?"
        )),
        Ok(Err(e)) => Err(format!("{address} cannot be reached: {e}; check address and cable")),
        Ok(Ok(stream)) => Ok(stream),
    }?;
    stream.set_nodelay(true).map_err(|e| format!("{address}: {e}"))?;
    Ok(stream)
}

fn open_port(path: &str, line: &LineSettings) -> Result<SerialStream, String> {
    let parity = match line.parity {
        Parity::None => tokio_serial::Parity::None,
        Parity::Even => tokio_serial::Parity::Even,
        Parity::Odd => tokio_serial::Parity::Odd,
    };
    let stop_bits = if line.stop_bits == 2 {
        tokio_serial::StopBits::Two
    } else {
        tokio_serial::StopBits::One
    };
    tokio_serial::new(path, line.baud)
        .parity(parity)
        .stop_bits(stop_bits)
        .data_bits(if line.data_bits == 7 {
            tokio_serial::DataBits::Seven
        } else {
            tokio_serial::DataBits::Eight
        })
        .open_native_async()
        .map_err(|e| format!("{path}: {e}; {}", remedy(&e)))
}

/// What the engineer can do about a port that does not open.
fn remedy(error: &tokio_serial::Error) -> &'static str {
    match error.kind {
        tokio_serial::ErrorKind::Io(io::ErrorKind::PermissionDenied) => {
            "add the daemon's user to the group dialout (usermod -aG dialout innkeeper) and restart it"
        }
        tokio_serial::ErrorKind::Io(io::ErrorKind::NotFound) => {
            "the adapter is unplugged or the path is wrong; ls /dev/serial/by-id/ shows what is there"
        }
        tokio_serial::ErrorKind::NoDevice => "another program holds the port; fuser shows which",
        _ => "check that the path is a serial port and the adapter is sound",
    }
}

fn discard_from_socket(socket: &TcpStream) -> usize {
    let (mut sink, mut total) = ([0u8; 512], 0);
    while let Ok(n @ 1..) = socket.try_read(&mut sink) {
        total += n;
    }
    total
}

fn discard_from_port(port: &SerialStream) -> usize {
    let waiting = port.bytes_to_read().unwrap_or(0) as usize;
    if waiting > 0 {
        // A port that cannot be cleared fails at the next question, which reopens it.
        let _ = port.clear(ClearBuffer::Input);
    }
    waiting
}

/// A stream that the client context owns and the link can still reach. Only the bus's own task ever locks it.
struct Shared<T>(Arc<Mutex<T>>);

impl<T> Shared<T> {
    fn new(stream: T) -> Self {
        Self(Arc::new(Mutex::new(stream)))
    }

    fn lock(&self) -> MutexGuard<'_, T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Shared<T> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut TaskContext<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.lock()).poll_read(cx, buf)
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Shared<T> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut TaskContext<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.lock()).poll_write(cx, buf)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.lock()).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.lock()).poll_shutdown(cx)
    }
}
