//! Does the bus keep its word before servers that do not?

mod server;

use super::health::Health;
use super::timetable::{Task, Timetable};
use super::*;
use crate::device::poll_plan::schedulability;
use crate::model::LinkId;
use server::{Asked, Fate, Script, Server, Style};
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;
use tokio::time::{Instant, timeout};

const MS: Duration = Duration::from_millis(1);
const LINE: LineSettings = LineSettings {
    baud: 115_200,
    parity: Parity::None,
    stop_bits: 1,
    data_bits: 8,
};

#[derive(Clone, Copy, Debug, PartialEq)]
enum Way {
    Tcp,
    RtuOverTcp,
    Serial,
}

fn style(way: Way) -> Style {
    Style {
        is_tcp: way == Way::Tcp,
        byte_time: Duration::ZERO,
        silence: Duration::ZERO,
    }
}

async fn serve(way: Way, style: Style, script: Script) -> (Server, Transport) {
    match way {
        Way::Tcp => {
            let server = Server::over_tcp(style, script).await;
            let address = server.address.clone();
            (server, Transport::Tcp { address })
        }
        Way::RtuOverTcp => {
            let server = Server::over_tcp(style, script).await;
            let address = server.address.clone();
            (server, Transport::RtuOverTcp { address, line: LINE })
        }
        Way::Serial => {
            let server = Server::over_pty(style, script);
            let path = server.address.clone();
            (server, Transport::Serial { path, line: LINE })
        }
    }
}

const fn holding(start: u16, count: u16) -> ReadOp {
    ReadOp {
        table: Table::HoldingRegisters,
        start,
        count,
    }
}

fn unit(number: u8, reads: &[ReadOp], period: Duration) -> UnitPlan {
    let block = |(id, read): (usize, &ReadOp)| PollBlock {
        id: BlockId(id as u16),
        read: *read,
        period,
    };
    UnitPlan {
        unit: number,
        device: DeviceId::new(format!("fcu-{number}")).unwrap(),
        blocks: reads.iter().enumerate().map(block).collect(),
        reply_limit: 15 * MS,
        reply_usual: 2 * MS,
        gap: Duration::ZERO,
        quiet: 25 * MS,
        settle: 10 * MS,
        probe: None,
    }
}

fn bus(transport: Transport, units: Vec<UnitPlan>) -> BusPlan {
    let patience = Patience {
        misses: 3,
        first: 40 * MS,
        longest: 160 * MS,
    };
    BusPlan {
        link: LinkId::new("bus-1").unwrap(),
        transport,
        units,
        patience,
    }
}

/// A small generator of chance, the same on every run.
struct Chance(u64);

impl Chance {
    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % n
    }
}

fn good(_: &Asked) -> Fate {
    Fate::Good(Duration::ZERO)
}

/// Every kind of misbehaviour, one answer in eight.
fn misbehave(seed: u64, late_from_ms: u64, late_to_ms: u64) -> Script {
    let mut chance = Chance(seed);
    Box::new(move |asked| {
        let late = Duration::from_micros(1000 * late_from_ms + chance.below(1000 * (late_to_ms - late_from_ms)));
        match chance.below(96) {
            0..=3 => Fate::Late(late),
            4 if asked.count > 1 => Fate::Short,
            5 => Fate::Long,
            6 => Fate::WrongUnit,
            7 => Fate::Garbage,
            8 => Fate::Half,
            9 => Fate::Never,
            10 => Fate::CloseInTheMiddle,
            11 => Fate::WrongFunction,
            12 => Fate::Exception(0x0B),
            13 => Fate::Exception(0x02),
            _ => Fate::Good(Duration::from_micros(chance.below(3000))),
        }
    })
}

/// Blocks of equal length beside each other are the hard case: length alone tells nothing apart.
const ALIKE: [ReadOp; 4] = [holding(100, 6), holding(200, 6), holding(300, 6), holding(400, 5)];

/// A reading as it was taken: the unit, the first address, the words, when.
type Taken = (u8, u16, Vec<u16>, Instant);

/// Polls until so many readings came; returns how many answer their own question, and how many another.
async fn try_to_fool(way: Way, wanted: usize, script: Script) -> (usize, usize) {
    let (server, transport) = serve(way, style(way), script).await;
    let plan = bus(transport, (1..=4).map(|n| unit(n, &ALIKE, 5 * MS)).collect());
    let (sender, mut events) = mpsc::channel(64);
    let handle = spawn(plan, sender).unwrap();
    let (mut taken, mut failed) = (Vec::new(), BTreeMap::<&str, usize>::new());
    while taken.len() < wanted {
        let event = timeout(Duration::from_secs(20), events.recv())
            .await
            .expect("the bus goes on")
            .unwrap();
        if let BusEvent::Block {
            device,
            block,
            words,
            at,
        } = event
        {
            let number = device.as_str()[4..].parse().unwrap();
            taken.push((number, ALIKE[usize::from(block.0)].start, words, at));
        } else if let BusEvent::BlockFailed { reason, .. } = event {
            *failed.entry(reason.word()).or_default() += 1;
        }
    }
    drop(events);
    handle.stop().await;
    // What was asked while the server was still late with something is written down once it gets there.
    tokio::time::sleep(300 * MS).await;
    let record = server.record.lock().unwrap();
    let wrong = taken.iter().filter(|taken| !is_own_answer(taken, &record)).count();
    report(way, &handle.stats(), record.fates.len(), wanted - wrong, wrong, &failed);
    (wanted - wrong, wrong)
}

/// Whether a reading carries the words of the block it was taken for, answers a question that was answered whole, and no
/// later question for the block had been asked by then.
fn is_own_answer((unit, start, words, at): &Taken, record: &server::Record) -> bool {
    let number = words[2];
    let is_whole = matches!(
        record.fates.get(&(*unit, *start, number)),
        Some((_, Fate::Good(_) | Fate::Late(_)))
    );
    let is_last = record
        .fates
        .get(&(*unit, *start, number + 1))
        .is_none_or(|(asked_at, _)| asked_at > at);
    let is_own = words[0] == u16::from(*unit) && words[1] == *start && is_whole && is_last;
    if !is_own {
        eprintln!("unit {unit}, block {start} was given {words:?}");
    }
    is_own
}

fn report(way: Way, stats: &BusStats, asked: usize, right: usize, wrong: usize, failed: &BTreeMap<&str, usize>) {
    let soundings: u64 = stats.units.iter().map(|unit| unit.soundings).sum();
    println!(
        "{way:?}: {asked} exchanges, {right} right, {wrong} wrong, {soundings} soundings, {} stray bytes, {} openings, \
         failed {failed:?}",
        stats.stray_bytes, stats.opened
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_late_reply_is_never_taken_for_the_next_answer_over_tcp() {
    assert_eq!(try_to_fool(Way::Tcp, 3000, misbehave(7, 24, 40)).await, (3000, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_late_reply_is_never_taken_for_the_next_answer_over_rtu_over_tcp() {
    assert_eq!(
        try_to_fool(Way::RtuOverTcp, 1200, misbehave(8, 24, 38)).await,
        (1200, 0)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_late_reply_is_never_taken_for_the_next_answer_on_a_serial_line() {
    assert_eq!(try_to_fool(Way::Serial, 1200, misbehave(9, 24, 38)).await, (1200, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reply_later_than_the_plan_admits_is_told_by_the_sounding() {
    for (way, seed) in [(Way::RtuOverTcp, 10), (Way::Serial, 11)] {
        assert_eq!(
            try_to_fool(way, 400, misbehave(seed, 24, 120)).await,
            (400, 0),
            "{way:?}"
        );
    }
}

/// Runs a plan for a while and returns when each device was read.
async fn readings(plan: BusPlan, for_time: Duration) -> (HashMap<DeviceId, Vec<Instant>>, BusStats) {
    let (sender, mut events) = mpsc::channel(256);
    let handle = spawn(plan, sender).unwrap();
    let end = Instant::now() + for_time;
    let mut read: HashMap<DeviceId, Vec<Instant>> = HashMap::new();
    while let Ok(Some(event)) = tokio::time::timeout_at(end, events.recv()).await {
        if let BusEvent::Block { device, at, .. } = event {
            read.entry(device).or_default().push(at);
        }
    }
    let stats = handle.stats();
    drop(events);
    handle.stop().await;
    (read, stats)
}

fn silent_unit(dead: &'static [u8], reply: Duration) -> Script {
    Box::new(move |asked| {
        if dead.contains(&asked.unit) {
            Fate::Never
        } else {
            Fate::Good(reply)
        }
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_silent_unit_of_thirty_leaves_the_others_their_polls() {
    let (_server, transport) = serve(
        Way::RtuOverTcp,
        style(Way::RtuOverTcp),
        silent_unit(&[13], Duration::ZERO),
    )
    .await;
    let period = 500 * MS;
    let mut plan = bus(
        transport,
        (1..=30).map(|n| unit(n, &[holding(100, 4)], period)).collect(),
    );
    plan.units.iter_mut().for_each(|unit| unit.reply_limit = 50 * MS);
    plan.patience = Patience {
        misses: 3,
        first: 250 * MS,
        longest: 15_000 * MS,
    };
    let (read, _) = readings(plan, 6000 * MS).await;
    let polls: Vec<usize> = read.values().map(Vec::len).collect();
    println!(
        "1 silent of 30: {} healthy, polls {:?} of 12",
        polls.len(),
        (polls.iter().min(), polls.iter().max())
    );
    assert_eq!(polls.len(), 29);
    let total: usize = polls.iter().sum();
    assert!(total as f64 >= 0.95 * 29.0 * 12.0, "{total} of {}", 29 * 12);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_dead_unit_of_sixteen_leaves_the_others_their_period() {
    // 16 exchanges of some 17 ms in 500 ms: 55 % of the line.
    let (_server, transport) = serve(Way::RtuOverTcp, style(Way::RtuOverTcp), silent_unit(&[5], 14 * MS)).await;
    let period = 500 * MS;
    let mut plan = bus(
        transport,
        (1..=16).map(|n| unit(n, &[holding(100, 4)], period)).collect(),
    );
    plan.units.iter_mut().for_each(|unit| unit.reply_limit = 60 * MS);
    plan.patience = Patience {
        misses: 3,
        first: 250 * MS,
        longest: 15_000 * MS,
    };
    let (read, _) = readings(plan, 8000 * MS).await;
    // From the third reading on: the start, with the unit's first misses, is another test's.
    let interval = |at: &Vec<Instant>| (*at.last().unwrap() - at[2]).as_secs_f64() / (at.len() - 3) as f64;
    let worst = read
        .values()
        .flat_map(|at| at.windows(2))
        .map(|two| two[1] - two[0])
        .max()
        .unwrap();
    let mean = read.values().map(interval).sum::<f64>() / read.len() as f64;
    println!(
        "1 dead of 16: {} healthy, mean interval {mean:.4} s of .5 s, worst {worst:?}",
        read.len()
    );
    assert_eq!(read.len(), 15);
    assert!(mean <= 0.5 * 1.02, "{mean}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_line_is_shared_fairly() {
    let (_server, transport) = serve(Way::Serial, style(Way::Serial), silent_unit(&[], Duration::ZERO)).await;
    let plan = bus(
        transport,
        (1..=16).map(|n| unit(n, &[holding(100, 4)], 5 * MS)).collect(),
    );
    let (read, stats) = readings(plan, 3000 * MS).await;
    let polls: Vec<usize> = read.values().map(Vec::len).collect();
    let share = *polls.iter().min().unwrap() as f64 / *polls.iter().max().unwrap() as f64;
    println!(
        "full line: {polls:?}, slowest/fastest {share:.4}, failed {:?}",
        stats.units[0].failures
    );
    // The first and the last sweep may be cut anywhere.
    assert!(
        share >= 0.98 || polls.iter().max().unwrap() - polls.iter().min().unwrap() <= 2,
        "{polls:?}"
    );
}

async fn next_written(events: &mut mpsc::Receiver<BusEvent>) -> (Ticket, WriteResult) {
    loop {
        let event = timeout(Duration::from_secs(5), events.recv())
            .await
            .expect("a result comes")
            .unwrap();
        if let BusEvent::Written { ticket, result, .. } = event {
            return (ticket, result);
        }
    }
}

fn set(unit: u8, ticket: u64, address: u16, value: u16, verify: Option<ReadOp>) -> WriteJob {
    let device = DeviceId::new(format!("fcu-{unit}")).unwrap();
    WriteJob {
        device,
        ticket: Ticket(ticket),
        ops: vec![WriteOp::Register { address, value }],
        verify,
    }
}

#[tokio::test]
async fn a_write_is_read_back_after_the_device_has_settled() {
    let (_server, transport) = serve(Way::Tcp, style(Way::Tcp), Box::new(good)).await;
    let (sender, mut events) = mpsc::channel(64);
    let handle = spawn(bus(transport, vec![unit(1, &[], 50 * MS)]), sender).unwrap();
    let mut job = set(1, 1, 40, 215, Some(holding(40, 3)));
    job.ops.push(WriteOp::Registers {
        start: 41,
        values: vec![7, 8],
    });
    let begun = Instant::now();
    handle.write(job).unwrap();
    let (ticket, result) = next_written(&mut events).await;
    assert_eq!(ticket, Ticket(1));
    let read_back = Some(vec![215, 7, 8]);
    assert_eq!(
        result,
        WriteResult {
            outcome: WriteOutcome::Done,
            ops_done: 2,
            read_back
        }
    );
    assert!(begun.elapsed() >= 10 * MS);
}

#[tokio::test]
async fn a_busy_device_is_asked_again_and_a_refusal_is_told_with_its_code() {
    let script: Script = Box::new(|asked| match (asked.function, asked.start, asked.number) {
        (6, 40, 1..=2) => Fate::Exception(6),
        (6, 41, _) => Fate::Exception(3),
        (6, 42, _) => Fate::WrongEcho,
        (6, 43, _) => Fate::Never,
        _ => Fate::Good(Duration::ZERO),
    });
    let (server, transport) = serve(Way::Tcp, style(Way::Tcp), script).await;
    let (sender, mut events) = mpsc::channel(64);
    let handle = spawn(
        bus(transport, vec![unit(1, &[], 50 * MS), unit(2, &[], 50 * MS)]),
        sender,
    )
    .unwrap();
    let mut results = BTreeMap::new();
    for (ticket, address) in [(40, 40), (41, 41), (42, 42), (43, 43)] {
        handle
            .write(set(
                1 + u8::from(address > 41),
                ticket,
                address,
                9,
                Some(holding(address, 1)),
            ))
            .unwrap();
    }
    for _ in 0..4 {
        let (ticket, result) = next_written(&mut events).await;
        results.insert(ticket.0, result);
    }
    assert_eq!(results[&40].outcome, WriteOutcome::Done);
    assert_eq!(results[&41].outcome, WriteOutcome::Refused(FailReason::Exception(3)));
    assert_eq!(results[&42].outcome, WriteOutcome::Unsure(FailReason::WrongEcho));
    assert_eq!(
        results[&42].read_back,
        Some(vec![9]),
        "what was written is seen although the echo was wrong"
    );
    assert_eq!(results[&43].outcome, WriteOutcome::Unsure(FailReason::Silent));
    let record = server.record.lock().unwrap();
    let sent = |start| {
        record
            .asked
            .iter()
            .filter(|a| a.function == 6 && a.start == start)
            .count()
    };
    assert_eq!(
        (sent(40), sent(41), sent(42), sent(43)),
        (3, 1, 1, 1),
        "only a busy device is written to twice"
    );
}

#[tokio::test]
async fn a_flood_of_writes_leaves_reads_a_fifth_of_the_turns() {
    let (server, transport) = serve(Way::Tcp, style(Way::Tcp), Box::new(|_| Fate::Good(MS))).await;
    let (sender, mut events) = mpsc::channel(1024);
    let handle = spawn(bus(transport, vec![unit(1, &[holding(100, 4)], 5 * MS)]), sender).unwrap();
    let (mut written, mut read, mut ticket) = (0, 0, 0);
    while written < 300 {
        while handle.write(set(1, ticket, 40, 1, None)).is_ok() {
            ticket += 1;
        }
        match events.recv().await.unwrap() {
            BusEvent::Written { .. } => written += 1,
            BusEvent::Block { .. } => read += 1,
            _ => {}
        }
    }
    println!("{written} writes, {read} reads");
    assert!(read >= 60, "{read}");
    let mut functions = server
        .record
        .lock()
        .unwrap()
        .asked
        .iter()
        .map(|a| a.function)
        .collect::<Vec<u8>>();
    functions.truncate(300);
    assert!(
        !functions.windows(6).any(|six| six.iter().all(|f| *f == 6)),
        "never six writes in a row"
    );
}

#[tokio::test]
async fn every_accepted_write_is_told_once_also_when_the_bus_stops() {
    let (_server, transport) = serve(Way::Tcp, style(Way::Tcp), Box::new(|_| Fate::Good(5 * MS))).await;
    let (sender, mut events) = mpsc::channel(8);
    let handle = spawn(bus(transport, vec![unit(1, &[holding(100, 4)], 5 * MS)]), sender).unwrap();
    let accepted: Vec<u64> = (0..200)
        .filter(|n| handle.write(set(1, *n, 40, 1, None)).is_ok())
        .collect();
    assert_eq!(accepted.len(), WRITE_QUEUE_MAX);
    assert_eq!(handle.write(set(1, 999, 40, 1, None)), Err(WriteFault::QueueFull));
    assert!(matches!(
        handle.write(set(9, 1, 40, 1, None)),
        Err(WriteFault::UnknownDevice(_))
    ));
    let stopping = tokio::spawn(async move { handle.stop().await });
    let mut told = Vec::new();
    while let Some(event) = events.recv().await {
        if let BusEvent::Written { ticket, .. } = event {
            told.push(ticket.0);
        }
    }
    stopping.await.unwrap();
    told.sort_unstable();
    assert_eq!(told, accepted);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_adapter_that_is_plugged_in_later_is_found_and_one_that_is_missing_says_what_to_do() {
    let server = Server::over_pty(style(Way::Serial), Box::new(good));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("adapter");
    let transport = Transport::Serial {
        path: path.to_str().unwrap().into(),
        line: LINE,
    };
    let (sender, mut events) = mpsc::channel(64);
    let handle = spawn(bus(transport, vec![unit(1, &[holding(100, 4)], 20 * MS)]), sender).unwrap();
    let BusEvent::Bus {
        state: BusState::Down { because, .. },
        ..
    } = events.recv().await.unwrap()
    else {
        panic!("the bus is down first")
    };
    assert!(
        because.contains("unplugged") && because.contains("/dev/serial/by-id"),
        "{because}"
    );
    handle.write(set(1, 5, 40, 1, None)).unwrap();
    assert_eq!(
        next_written(&mut events).await.1.outcome,
        WriteOutcome::NotSent(NotSent::LinkDown)
    );
    std::os::unix::fs::symlink(&server.address, &path).unwrap();
    let is_reading = async { while !matches!(events.recv().await, Some(BusEvent::Block { .. })) {} };
    timeout(Duration::from_secs(5), is_reading)
        .await
        .expect("the adapter is found");
    handle.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_unit_is_left_alone_refuses_writes_at_once_and_comes_back() {
    let is_dead = Arc::new(std::sync::atomic::AtomicBool::new(true));
    let dead = is_dead.clone();
    let script: Script = Box::new(move |asked| {
        let is_dead = asked.unit == 1 && dead.load(std::sync::atomic::Ordering::Relaxed);
        if is_dead {
            Fate::Exception(0x0B)
        } else {
            Fate::Good(Duration::ZERO)
        }
    });
    let (_server, transport) = serve(Way::Tcp, style(Way::Tcp), script).await;
    let (sender, mut events) = mpsc::channel(64);
    let units = vec![
        unit(1, &[holding(100, 4)], 20 * MS),
        unit(2, &[holding(100, 4)], 20 * MS),
    ];
    let handle = spawn(bus(transport, units), sender).unwrap();
    let mut states = Vec::new();
    while states.len() < 3 {
        if let BusEvent::Unit { device, state, .. } = events.recv().await.unwrap()
            && device.as_str() == "fcu-1"
        {
            let UnitState::Quarantined { because, .. } = state else {
                panic!("{state:?}")
            };
            states.push(because);
        }
    }
    assert_eq!(states, [FailReason::GatewayTarget; 3]);
    handle.write(set(1, 1, 40, 1, None)).unwrap();
    assert_eq!(
        next_written(&mut events).await.1.outcome,
        WriteOutcome::NotSent(NotSent::Quarantined)
    );
    assert_eq!(handle.stats().opened, 1, "a gateway's exception costs no connection");
    is_dead.store(false, std::sync::atomic::Ordering::Relaxed);
    let is_back = async {
        loop {
            if let Some(BusEvent::Block { device, .. }) = events.recv().await
                && device.as_str() == "fcu-1"
            {
                return;
            }
        }
    };
    timeout(Duration::from_secs(2), is_back)
        .await
        .expect("the unit comes back");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_closed_while_idle_costs_no_reading() {
    let mut count = 0;
    let script: Script = Box::new(move |_| {
        count += 1;
        if count % 5 == 0 {
            Fate::CloseInTheMiddle
        } else {
            Fate::Good(Duration::ZERO)
        }
    });
    let (_server, transport) = serve(Way::Tcp, style(Way::Tcp), script).await;
    let (sender, mut events) = mpsc::channel(64);
    let handle = spawn(bus(transport, vec![unit(1, &[holding(100, 4)], 20 * MS)]), sender).unwrap();
    let mut read = 0;
    while read < 50 {
        match timeout(Duration::from_secs(5), events.recv()).await.unwrap().unwrap() {
            BusEvent::Block { .. } => read += 1,
            BusEvent::BlockFailed { reason, .. } => panic!("{reason:?}"),
            _ => {}
        }
    }
    assert!(handle.stats().units[0].failed(FailReason::LinkLost) >= 10);
}

#[test]
fn a_plan_the_protocol_cannot_carry_is_not_started() {
    let tcp = || Transport::Tcp {
        address: "127.0.0.1:1".into(),
    };
    let serial = Transport::Serial {
        path: "/dev/null".into(),
        line: LINE,
    };
    let broadcast = bus(serial, vec![unit(0, &[holding(0, 1)], 50 * MS)]);
    assert!(matches!(broadcast.check(), Err(PlanFault::Unit { unit: 0, .. })));
    let too_long = bus(tcp(), vec![unit(1, &[holding(0, 126)], 50 * MS)]);
    assert!(matches!(too_long.check(), Err(PlanFault::Read { most: 125, .. })));
    let twice = bus(tcp(), vec![unit(1, &[], 50 * MS), unit(1, &[], 50 * MS)]);
    assert!(matches!(twice.check(), Err(PlanFault::Twice { .. })));
    let restless = bus(tcp(), vec![unit(1, &[holding(0, 1)], MS)]);
    assert!(matches!(restless.check(), Err(PlanFault::Period { .. })));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_unit_that_refuses_the_sounding_is_asked_for_it_once() {
    let mut count = 0;
    let script: Script = Box::new(move |asked| {
        count += 1;
        match (count, asked.count) {
            (3, _) => Fate::Never,
            (_, 4) => Fate::Good(Duration::ZERO),
            _ => Fate::Exception(2),
        }
    });
    let (_server, transport) = serve(Way::Serial, style(Way::Serial), script).await;
    let (sender, mut events) = mpsc::channel(64);
    let handle = spawn(bus(transport, vec![unit(1, &[holding(100, 4)], 20 * MS)]), sender).unwrap();
    let mut read = 0;
    while read < 20 {
        if let BusEvent::Block { .. } = timeout(Duration::from_secs(5), events.recv()).await.unwrap().unwrap() {
            read += 1;
        }
    }
    assert_eq!(handle.stats().units[0].soundings, 1);
}

/// A bus of chance: 2 to 30 units, one or two blocks each, at any baud.
fn any_bus(chance: &mut Chance) -> BusPlan {
    let baud = [9600, 19_200, 38_400, 115_200][chance.below(4) as usize];
    let line = LineSettings { baud, ..LINE };
    let units = (1..=2 + chance.below(29) as u8).map(|n| {
        let reads = [holding(100, 1 + chance.below(30) as u16), holding(200, 3)];
        let mut unit = unit(n, &reads[..1 + chance.below(2) as usize], MS);
        unit.blocks
            .iter_mut()
            .for_each(|b| b.period = (200 + 200 * chance.below(20) as u32) * MS);
        unit.reply_usual = chance.below(40) as u32 * MS;
        unit.reply_limit = unit.reply_usual + chance.below(300) as u32 * MS;
        unit.quiet = chance.below(300) as u32 * MS;
        unit
    });
    let units = units.collect();
    let transport = Transport::Serial {
        path: "/dev/null".into(),
        line,
    };
    BusPlan {
        link: LinkId::new("bus-1").unwrap(),
        transport,
        units,
        patience: Patience::default(),
    }
}

/// Runs the bus's own timetable and quarantine in thought, with exchanges as long as the plan admits and some units
/// silent from a moment on; returns the worst time between two readings as a share of its bound.
fn worst_share_of_the_bound(plan: &BusPlan, silent: &[usize], chance: &mut Chance) -> f64 {
    let bounds = schedulability(plan).refresh_worst;
    let line = *plan.transport.line().unwrap();
    let blocks: Vec<(usize, PollBlock)> = plan
        .units
        .iter()
        .enumerate()
        .flat_map(|(n, unit)| unit.blocks.iter().map(move |b| (n, *b)))
        .collect();
    let start = Instant::now();
    let mut table = Timetable::new(plan.units.len(), blocks.iter().map(|(n, b)| (*n, b.period)), start);
    let mut health: Vec<Health> = plan.units.iter().map(|_| Health::default()).collect();
    let (mut now, end) = (start, start + Duration::from_secs(120));
    let silent_from = start + Duration::from_millis(20_000 + chance.below(10_000));
    let mut last: Vec<Option<Instant>> = vec![None; blocks.len()];
    let mut worst = 0.0f64;
    while now < end {
        let Some(task) = table.take(now) else {
            now = table.next_due().unwrap();
            continue;
        };
        let (number, read) = match task {
            Task::Block(b) => (blocks[b].0, blocks[b].1.read),
            Task::Probe(n) => (n, plan.units[n].probe_read().unwrap()),
        };
        let (asked_at, unit) = (now, &plan.units[number]);
        let (question, answer) = read.frame_bytes();
        let usual = line.time_of(question + answer) + 2 * line.silence() + unit.reply_usual;
        let is_silent = silent.contains(&number) && now >= silent_from;
        now += if is_silent {
            usual - unit.reply_usual + unit.reply_limit + unit.quiet
        } else {
            usual
        };
        let state = if is_silent {
            health[number].miss(now, &plan.patience, FailReason::Silent)
        } else {
            health[number].good()
        };
        match state {
            Some(UnitState::Quarantined { until, .. }) => table.park(number, until),
            Some(UnitState::Online) => table.unpark(number, now),
            None => {}
        }
        let Task::Block(b) = task else { continue };
        table.done(b, asked_at);
        if let Some(before) = last[b].replace(now)
            && !silent.contains(&number)
        {
            let bound = [bounds[b].all_answer, bounds[b].one_silent, bounds[b].two_silent][silent.len()];
            worst = worst.max((now - before).as_secs_f64() / bound.as_secs_f64());
        }
    }
    worst
}

#[test]
fn no_reading_comes_later_than_the_plan_was_told_it_could() {
    let mut chance = Chance(99);
    let mut tightest = [0.0f64; 3];
    let mut overloaded = 0;
    for round in 0..150 {
        let plan = any_bus(&mut chance);
        overloaded += usize::from(schedulability(&plan).utilisation > 1.0);
        let silent: Vec<usize> = (0..round % 3)
            .map(|i| (i + chance.below(2) as usize) % plan.units.len())
            .collect();
        let silent: Vec<usize> = silent
            .into_iter()
            .collect::<std::collections::BTreeSet<_>>()
            .into_iter()
            .collect();
        let share = worst_share_of_the_bound(&plan, &silent, &mut chance);
        assert!(
            share <= 1.0,
            "round {round}: {share} of the bound, {} silent: {plan:?}",
            silent.len()
        );
        tightest[silent.len()] = tightest[silent.len()].max(share);
    }
    println!("150 buses, {overloaded} overloaded: at most {tightest:.2?} of the bound with 0, 1, 2 silent");
    assert!(tightest[0] > 0.5, "a bound that is never approached tells nothing");
}
