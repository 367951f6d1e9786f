//! A unit that misbehaves on request, on raw bytes, for all three transports.
//!
//! Every word it gives away says whose it is: unit, first address, and the number of the question. What was done to each
//! answer is written down, so that a test can hold what it was told against what it may have been told.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_serial::{SerialPort as _, SerialStream};

/// What is done to one answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fate {
    /// Sent after this time.
    Good(Duration),
    /// Sent after this time, which is meant to be too late.
    Late(Duration),
    /// One word too few.
    Short,
    /// One word too many.
    Long,
    /// Signed by another unit.
    WrongUnit,
    /// The answer to another function.
    WrongFunction,
    /// Bytes without sense.
    Garbage,
    /// The first half of the frame.
    Half,
    /// Nothing.
    Never,
    /// The first half, then the connection is closed (on a serial line: the first half).
    CloseInTheMiddle,
    /// An exception.
    Exception(u8),
    /// A write acknowledged with the next address.
    WrongEcho,
}

/// A question as the server saw it.
#[derive(Debug, Clone)]
pub struct Asked {
    pub unit: u8,
    pub function: u8,
    pub start: u16,
    pub count: u16,
    pub number: u16,
}

/// Decides the fate of each answer.
pub type Script = Box<dyn FnMut(&Asked) -> Fate + Send>;

/// What the server saw and did.
#[derive(Default)]
pub struct Record {
    pub asked: Vec<Asked>,
    /// When each question came, by unit, first address and number, and its fate.
    pub fates: HashMap<(u8, u16, u16), (Instant, Fate)>,
    pub registers: HashMap<(u8, u16), u16>,
    numbers: HashMap<(u8, u16), u16>,
}

type Writer = Arc<tokio::sync::Mutex<Option<Pin<Box<dyn AsyncWrite + Send>>>>>;

/// A running server; it ends with its value.
pub struct Server {
    pub address: String,
    pub record: Arc<Mutex<Record>>,
    tasks: Vec<AbortHandle>,
    _keep: Option<SerialStream>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.tasks.iter().for_each(AbortHandle::abort);
    }
}

/// How the server's bytes look and what time they take.
#[derive(Clone, Copy)]
pub struct Style {
    /// With the Modbus/TCP header instead of a checksum.
    pub is_tcp: bool,
    /// The time of one byte on the line it stands for.
    pub byte_time: Duration,
    /// The silence it keeps before it answers.
    pub silence: Duration,
}

struct Question {
    header: Vec<u8>,
    body: Vec<u8>,
    from: Writer,
    at: Instant,
}

impl Server {
    pub async fn over_tcp(style: Style, script: Script) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (sender, receiver) = mpsc::channel(1000);
        let newest: Writer = Writer::default();
        let mut server = Self::begin(address, style, script, receiver, newest.clone());
        let accept = async move {
            while let Ok((stream, _)) = listener.accept().await {
                stream.set_nodelay(true).unwrap();
                let (reader, writer) = stream.into_split();
                // A transparent serial server delivers to whoever is connected now; Modbus/TCP to who asked.
                let own: Writer = if style.is_tcp {
                    Writer::default()
                } else {
                    newest.clone()
                };
                *own.lock().await = Some(Box::pin(writer));
                tokio::spawn(listen(reader, style, sender.clone(), own));
            }
        };
        server.tasks.push(tokio::spawn(accept).abort_handle());
        server
    }

    pub fn over_pty(style: Style, script: Script) -> Self {
        let (master, slave) = SerialStream::pair().unwrap();
        let path = slave.name().unwrap();
        let (reader, writer) = tokio::io::split(master);
        let (sender, receiver) = mpsc::channel(1000);
        let newest: Writer = Arc::new(tokio::sync::Mutex::new(Some(Box::pin(writer))));
        let mut server = Self::begin(path, style, script, receiver, newest.clone());
        server._keep = Some(slave);
        server
            .tasks
            .push(tokio::spawn(listen(reader, style, sender, newest)).abort_handle());
        server
    }

    fn begin(
        address: String,
        style: Style,
        script: Script,
        questions: mpsc::Receiver<Question>,
        newest: Writer,
    ) -> Self {
        let record = Arc::new(Mutex::new(Record::default()));
        let device = tokio::spawn(serve(style, script, questions, newest, record.clone()));
        Self {
            address,
            record,
            tasks: vec![device.abort_handle()],
            _keep: None,
        }
    }
}

/// Cuts questions out of the stream. Questions are never broken: the bus is not what is being tried here.
async fn listen(mut reader: impl AsyncRead + Unpin, style: Style, to: mpsc::Sender<Question>, from: Writer) {
    let mut buffer = Vec::new();
    let mut chunk = [0u8; 512];
    while let Ok(n @ 1..) = reader.read(&mut chunk).await {
        buffer.extend_from_slice(&chunk[..n]);
        while let Some((header, body, length)) = cut(&buffer, style.is_tcp) {
            buffer.drain(..length);
            let _ = to.try_send(Question {
                header,
                body,
                from: from.clone(),
                at: Instant::now(),
            });
        }
    }
}

fn cut(buffer: &[u8], is_tcp: bool) -> Option<(Vec<u8>, Vec<u8>, usize)> {
    let (head, tail) = if is_tcp { (6, 0) } else { (0, 2) };
    let frame = buffer.get(head..)?;
    let body = match frame.get(1)? {
        1..=6 => 6,
        15 | 16 => 7 + usize::from(*frame.get(6)?),
        22 => 8,
        other => panic!("question with function {other}: {buffer:02x?}"),
    };
    let length = head + body + tail;
    (buffer.len() >= length).then(|| (buffer[..head].to_vec(), frame[..body].to_vec(), length))
}

async fn serve(
    style: Style,
    mut script: Script,
    mut questions: mpsc::Receiver<Question>,
    newest: Writer,
    record: Arc<Mutex<Record>>,
) {
    while let Some(question) = questions.recv().await {
        let asked = note(&question, &record);
        let fate = script(&asked);
        let writer = if style.is_tcp { &question.from } else { &newest };
        let key = (asked.unit, asked.start, asked.number);
        // Written down before it happens: the reader of the record may be quicker than this task.
        record.lock().unwrap().fates.insert(key, (question.at, fate));
        let (bytes, wait) = answer(&question, &asked, fate, style, &record);
        let line_time = style.byte_time * (question.body.len() + 2 + bytes.len()) as u32 + style.silence;
        let ready = question.at + wait + line_time;
        if !(wait + line_time).is_zero() {
            sleep_until(ready).await;
        }
        let mut writer = writer.lock().await;
        if let Some(stream) = writer.as_mut() {
            let _ = stream.write_all(&bytes).await;
            let _ = stream.flush().await;
            if fate == Fate::CloseInTheMiddle && (style.is_tcp || style.byte_time.is_zero()) {
                sleep(Duration::from_millis(1)).await;
                let _ = stream.shutdown().await;
            }
        }
    }
}

fn note(question: &Question, record: &Mutex<Record>) -> Asked {
    let word = |i: usize| u16::from_be_bytes([question.body[i], question.body[i + 1]]);
    let (unit, function, start) = (question.body[0], question.body[1], word(2));
    let mut record = record.lock().unwrap();
    let number = record.numbers.entry((unit, start)).or_default();
    *number = number.wrapping_add(1);
    let asked = Asked {
        unit,
        function,
        start,
        count: word(4),
        number: *number,
    };
    record.asked.push(asked.clone());
    if record.asked.len() > 200_000 {
        record.asked.clear();
    }
    asked
}

fn answer(question: &Question, asked: &Asked, fate: Fate, style: Style, record: &Mutex<Record>) -> (Vec<u8>, Duration) {
    let now = Duration::ZERO;
    let frame = |unit: u8, pdu: &[u8]| frame(&question.header, unit, pdu, style.is_tcp);
    let half = |bytes: Vec<u8>| bytes[..bytes.len() / 2].to_vec();
    let right = || plain(asked, &question.body, asked.count, record);
    match fate {
        Fate::Good(wait) | Fate::Late(wait) => (frame(asked.unit, &right()), wait),
        Fate::Short => (
            frame(asked.unit, &plain(asked, &question.body, asked.count - 1, record)),
            now,
        ),
        Fate::Long => (
            frame(asked.unit, &plain(asked, &question.body, asked.count + 1, record)),
            now,
        ),
        Fate::WrongUnit => (frame(asked.unit.wrapping_add(1), &right()), now),
        Fate::WrongFunction => {
            let mut pdu = right();
            pdu[0] = if pdu[0] == 3 { 4 } else { 3 };
            (frame(asked.unit, &pdu), now)
        }
        Fate::Garbage => (
            (0..23)
                .map(|i| (i as u8).wrapping_mul(57) ^ asked.number as u8)
                .collect(),
            now,
        ),
        Fate::Half | Fate::CloseInTheMiddle => (half(frame(asked.unit, &right())), now),
        Fate::Never => (Vec::new(), now),
        Fate::Exception(code) => (frame(asked.unit, &[asked.function | 0x80, code]), now),
        Fate::WrongEcho => {
            let mut pdu = right();
            pdu[2] = pdu[2].wrapping_add(1);
            (frame(asked.unit, &pdu), now)
        }
    }
}

/// Words of a read: whose, from where, the how manieth question; then what was written there, else the address.
fn plain(asked: &Asked, body: &[u8], count: u16, record: &Mutex<Record>) -> Vec<u8> {
    let mut record = record.lock().unwrap();
    if asked.function == 6 {
        let value = u16::from_be_bytes([body[4], body[5]]);
        record.registers.insert((asked.unit, asked.start), value);
        return body[1..6].to_vec();
    }
    if asked.function == 16 {
        for (i, pair) in body[7..].chunks_exact(2).enumerate() {
            let value = u16::from_be_bytes([pair[0], pair[1]]);
            record.registers.insert((asked.unit, asked.start + i as u16), value);
        }
        return body[1..6].to_vec();
    }
    let mut pdu = vec![asked.function, (count * 2) as u8];
    for i in 0..count {
        let address = asked.start.wrapping_add(i);
        let word = match i {
            _ if record.registers.contains_key(&(asked.unit, address)) => record.registers[&(asked.unit, address)],
            0 => u16::from(asked.unit),
            1 => asked.start,
            2 => asked.number,
            _ => address,
        };
        pdu.extend_from_slice(&word.to_be_bytes());
    }
    pdu
}

fn frame(header: &[u8], unit: u8, pdu: &[u8], is_tcp: bool) -> Vec<u8> {
    let mut bytes = Vec::new();
    if is_tcp {
        bytes.extend_from_slice(&header[..4]);
        bytes.extend_from_slice(&(pdu.len() as u16 + 1).to_be_bytes());
    }
    bytes.push(unit);
    bytes.extend_from_slice(pdu);
    if !is_tcp {
        let sum = checksum(&bytes);
        bytes.extend_from_slice(&sum.to_le_bytes());
    }
    bytes
}

fn checksum(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0xFFFF, |sum: u16, byte| {
        (0..8).fold(sum ^ u16::from(*byte), |s, _| {
            if s & 1 == 1 { (s >> 1) ^ 0xA001 } else { s >> 1 }
        })
    })
}
