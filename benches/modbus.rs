//! What does the Modbus bus cost, and how much of a serial line does it use?
//!
//! `cargo bench --bench modbus` prints
//! * processor time per 100,000 registers over Modbus/TCP beside a bare loop of the client library, in alternating
//!   rounds of the same process: 100 units behind one gateway, and 100 units with a connection each;
//! * whether 100 Modbus/TCP units are each read every second: the share of the reads that were due, and how far from a
//!   second the intervals between two reads of one unit are;
//! * the share of a full 9600-baud line that is used, where the other end of a pseudo-terminal takes the line's time,
//!   beside a bare blocking loop on such a line: what the machine's own waking costs, both pay.
//!
//! The server is a process of its own, so that its time is not counted.

#![allow(missing_docs, clippy::unwrap_used)]

use innkeeper::device::modbus::{
    BlockId, BusEvent, BusHandle, BusPlan, LineSettings, Parity, Patience, PollBlock, ReadOp, Table, Transport,
    UnitPlan, spawn,
};
use innkeeper::model::{DeviceId, LinkId};
use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read, Write};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::mpsc;
use tokio_modbus::prelude::{Client as _, Request, Response, Slave, SlaveContext as _, tcp};
use tokio_serial::{SerialPort as _, SerialStream};

const UNITS: u8 = 100;
const REGISTERS: u16 = 10;
const PERIOD: Duration = Duration::from_millis(100);
const ROUND: Duration = Duration::from_secs(3);
const ROUNDS: usize = 5;
const SECONDS_WATCHED: u64 = 20;
const BARE_LINE: Duration = Duration::from_secs(20);

fn main() {
    if std::env::args().any(|arg| arg == "serve") {
        return serve();
    }
    let mut child = Command::new(std::env::current_exe().unwrap())
        .arg("serve")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut address = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut address)
        .unwrap();
    let address = address.trim();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    for (name, connections) in [
        ("100 units behind one gateway", 1),
        ("100 units, 100 connections", UNITS),
    ] {
        let mut ratios = Vec::new();
        for _ in 0..ROUNDS {
            let bare = runtime.block_on(measured(bare(address, connections)));
            let ours = runtime.block_on(measured(ours(address, connections)));
            println!(
                "  bare {bare:.3} s, bus {ours:.3} s per 100,000 registers: {:.2} x",
                ours / bare
            );
            ratios.push(ours / bare);
        }
        ratios.sort_by(f64::total_cmp);
        println!("{name}: median {:.2} x the bare loop", ratios[ROUNDS / 2]);
        runtime.block_on(each_second(name, address, connections));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    runtime.block_on(full_line());
}

/// Processor seconds of this thread per 100,000 registers.
async fn measured(work: impl Future<Output = u64>) -> f64 {
    let before = thread_seconds();
    let registers = work.await;
    (thread_seconds() - before) * 100_000.0 / registers as f64
}

fn thread_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    text.split_whitespace().next().unwrap().parse::<f64>().unwrap() / 1e9
}

async fn bare(address: &str, connections: u8) -> u64 {
    let tasks: Vec<_> = (0..connections)
        .map(|n| {
            let (address, share) = (address.parse().unwrap(), UNITS / connections);
            tokio::spawn(async move {
                let mut context = tcp::connect(address).await.unwrap();
                let mut tick = tokio::time::interval(PERIOD);
                let (end, mut registers) = (Instant::now() + ROUND, 0u64);
                while Instant::now() < end {
                    tick.tick().await;
                    for unit in 1..=share {
                        context.set_slave(Slave(n + unit));
                        let answer = context.call(Request::ReadHoldingRegisters(0, REGISTERS)).await;
                        if let Ok(Ok(Response::ReadHoldingRegisters(words))) = answer {
                            registers += words.len() as u64;
                        }
                    }
                }
                registers
            })
        })
        .collect();
    let mut registers = 0;
    for task in tasks {
        registers += task.await.unwrap();
    }
    registers
}

/// The units on so many buses, each read once a period.
fn buses(address: &str, connections: u8, period: Duration) -> (Vec<BusHandle>, mpsc::Receiver<BusEvent>) {
    let (sender, events) = mpsc::channel(1024);
    let share = UNITS / connections;
    let bus = |n| {
        let units = (1..=share).map(|unit| unit_plan(n + unit, period)).collect();
        let transport = Transport::Tcp {
            address: address.into(),
        };
        spawn(plan(transport, units), sender.clone()).unwrap()
    };
    ((0..connections).map(bus).collect(), events)
}

/// Reads every unit once a second for a while.
async fn each_second(name: &str, address: &str, connections: u8) {
    let second = Duration::from_secs(1);
    let (handles, mut events) = buses(address, connections, second);
    let mut read: BTreeMap<DeviceId, Vec<tokio::time::Instant>> = BTreeMap::new();
    let end = tokio::time::Instant::now() + second * SECONDS_WATCHED as u32;
    while let Ok(Some(event)) = tokio::time::timeout_at(end, events.recv()).await {
        if let BusEvent::Block { device, at, .. } = event {
            read.entry(device).or_default().push(at);
        }
    }
    drop(events);
    for handle in handles {
        handle.stop().await;
    }
    let fewest = read.values().map(Vec::len).min().unwrap_or(0);
    let mut off: Vec<f64> = read
        .values()
        .flat_map(|times| times.windows(2).map(|pair| (pair[1] - pair[0]).as_secs_f64() - 1.0))
        .map(f64::abs)
        .collect();
    off.sort_by(f64::total_cmp);
    let (p99, most) = (off[off.len() * 99 / 100], off[off.len() - 1]);
    println!(
        "{name}, each every second: {} units heard, the slowest {fewest} times in {SECONDS_WATCHED} s, \
         intervals off by {:.1} ms (p99), {:.1} ms at most",
        read.len(),
        p99 * 1e3,
        most * 1e3
    );
}

async fn ours(address: &str, connections: u8) -> u64 {
    let (handles, mut events) = buses(address, connections, PERIOD);
    let (end, mut registers) = (tokio::time::Instant::now() + ROUND, 0u64);
    let take = async {
        while let Some(event) = events.recv().await {
            if let BusEvent::Block { words, .. } = event {
                registers += words.len() as u64;
            }
        }
    };
    let _ = tokio::time::timeout_at(end, take).await;
    drop(events);
    for handle in handles {
        handle.stop().await;
    }
    registers
}

fn unit_plan(unit: u8, period: Duration) -> UnitPlan {
    let read = ReadOp {
        table: Table::HoldingRegisters,
        start: 0,
        count: REGISTERS,
    };
    UnitPlan {
        unit,
        device: DeviceId::new(format!("fcu-{unit}")).unwrap(),
        blocks: vec![PollBlock {
            id: BlockId(0),
            read,
            period,
        }],
        reply_limit: Duration::from_millis(500),
        reply_usual: Duration::from_millis(1),
        gap: Duration::ZERO,
        quiet: Duration::from_millis(100),
        settle: Duration::ZERO,
        probe: None,
    }
}

fn plan(transport: Transport, units: Vec<UnitPlan>) -> BusPlan {
    BusPlan {
        link: LinkId::new("bench").unwrap(),
        transport,
        units,
        patience: Patience::default(),
    }
}

/// Sixteen units that are always due on a 9600-baud line of 11 bits a character.
async fn full_line() {
    let line = LineSettings {
        baud: 9600,
        parity: Parity::None,
        stop_bits: 2,
        data_bits: 8,
    };
    let exchange = line.time_of(8 + 5 + 2 * usize::from(REGISTERS)) + 2 * line.silence();
    let bare = bare_line(&line_of_time(line), line) * exchange.as_secs_f64();
    let transport = Transport::Serial {
        path: line_of_time(line),
        line,
    };
    let units = (1..=16).map(|unit| unit_plan(unit, Duration::from_millis(5))).collect();
    let (sender, mut events) = mpsc::channel(1024);
    let handle = spawn(plan(transport, units), sender).unwrap();
    let mut counts: BTreeMap<DeviceId, u64> = BTreeMap::new();
    let mut span: Option<(tokio::time::Instant, tokio::time::Instant)> = None;
    let end = tokio::time::Instant::now() + Duration::from_secs(60);
    while let Ok(Some(event)) = tokio::time::timeout_at(end, events.recv()).await {
        if let BusEvent::Block { device, at, .. } = event {
            match &mut span {
                None => span = Some((at, at)),
                Some((_, last)) => {
                    *last = at;
                    *counts.entry(device).or_default() += 1;
                }
            }
        }
    }
    drop(events);
    handle.stop().await;
    let (first, last) = span.unwrap();
    let total: u64 = counts.values().sum();
    let used = total as f64 * exchange.as_secs_f64() / (last - first).as_secs_f64();
    let share = *counts.values().min().unwrap() as f64 / *counts.values().max().unwrap() as f64;
    println!(
        "full line, 9600 baud, 16 units: {total} exchanges, {used:.4} of the line; a bare loop {bare:.4}, so {:.4} of it; \
         slowest/fastest {share:.3}",
        used / bare
    );
}

/// Begins a line at whose other end a unit answers in the line's time; returns where this end is.
fn line_of_time(line: LineSettings) -> String {
    let (path_out, path_in) = std::sync::mpsc::channel();
    std::thread::spawn(move || pace_a_line(&path_out, line));
    path_in.recv().unwrap()
}

/// Question, answer, silence, and again, with nothing else: exchanges per second.
fn bare_line(path: &str, line: LineSettings) -> f64 {
    let patience = Duration::from_secs(1);
    let mut port = tokio_serial::new(path, line.baud).timeout(patience).open().unwrap();
    let mut question = vec![1, 3, 0, 0, 0, REGISTERS as u8];
    question.extend_from_slice(&checksum(&question).to_le_bytes());
    let mut answer = vec![0; 5 + 2 * usize::from(REGISTERS)];
    let (begin, mut exchanges) = (Instant::now(), 0);
    while begin.elapsed() < BARE_LINE {
        port.write_all(&question).unwrap();
        port.read_exact(&mut answer).unwrap();
        exchanges += 1;
        std::thread::sleep(line.silence());
    }
    f64::from(exchanges) / begin.elapsed().as_secs_f64()
}

/// Opens a pseudo-terminal, tells its path, and answers when question, silence and answer would have passed.
fn pace_a_line(path: &std::sync::mpsc::Sender<String>, line: LineSettings) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let (master, slave) = SerialStream::pair().unwrap();
        path.send(slave.name().unwrap()).unwrap();
        let (mut reader, mut writer) = tokio::io::split(master);
        let (mut question, mut got) = ([0u8; 8], 0);
        while let Ok(n @ 1..) = reader.read(&mut question[got..]).await {
            let asked_at = Instant::now();
            got += n;
            if got < 8 {
                continue;
            }
            got = 0;
            let mut bytes = vec![question[0], 3, (REGISTERS * 2) as u8];
            bytes.resize(3 + usize::from(REGISTERS) * 2, 0);
            let sum = checksum(&bytes);
            bytes.extend_from_slice(&sum.to_le_bytes());
            let ready = asked_at + line.time_of(8 + bytes.len()) + line.silence();
            std::thread::sleep(ready.saturating_duration_since(Instant::now()));
            if writer.write_all(&bytes).await.is_err() {
                return;
            }
        }
    });
}

fn checksum(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0xFFFF, |sum: u16, byte| {
        (0..8).fold(sum ^ u16::from(*byte), |s, _| {
            if s & 1 == 1 { (s >> 1) ^ 0xA001 } else { s >> 1 }
        })
    })
}

/// The server's process: a thread a connection, nothing but the answer. Ends with its parent.
fn serve() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    println!("{}", listener.local_addr().unwrap());
    std::io::stdout().flush().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || answer_all(stream));
        }
    });
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
}

fn answer_all(mut stream: std::net::TcpStream) {
    let _ = stream.set_nodelay(true);
    let mut question = [0u8; 12];
    while stream.read_exact(&mut question).is_ok() {
        let mut bytes = question[..4].to_vec();
        bytes.extend_from_slice(&(3 + REGISTERS * 2).to_be_bytes());
        bytes.extend_from_slice(&[question[6], 3, (REGISTERS * 2) as u8]);
        bytes.resize(9 + usize::from(REGISTERS) * 2, 1);
        if stream.write_all(&bytes).is_err() {
            return;
        }
    }
}
