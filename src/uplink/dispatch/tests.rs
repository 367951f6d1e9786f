//! Does everything go out, in the right order, whatever happens to the link?

use super::*;
use crate::uplink::message::UpMessage;

const NOW: Moment = Moment::from_millis(1_795_000_000_000);

/// An outbox in memory, and central at the other end of a wire that keeps order.
struct World {
    outbox: BTreeMap<(usize, u64), Entry>,
    positions: HashMap<Place, u64>,
    last: LastPositions,
    sequences: HashMap<Stream, u64>,
    dispatch: Dispatch,
    wire: VecDeque<(u64, UpMessage)>,
    received: Vec<UpMessage>,
    dead: Vec<Settlement>,
    expired: Vec<Settlement>,
}

impl World {
    fn new(mode: AckMode) -> Self {
        Self {
            outbox: BTreeMap::new(),
            positions: HashMap::new(),
            last: [0; 4],
            sequences: HashMap::new(),
            dispatch: Dispatch::new(mode, 60),
            wire: VecDeque::new(),
            received: Vec::new(),
            dead: Vec::new(),
            expired: Vec::new(),
        }
    }

    fn put(&mut self, stream: Stream, room: &str) {
        self.put_until(stream, room, None);
    }

    fn put_until(&mut self, stream: Stream, room: &str, expires: Option<Moment>) {
        let class = stream.class() as usize;
        let sequence = self.sequences.entry(stream).or_default();
        *sequence += 1;
        self.last[class] += 1;
        let message = UpMessage {
            stream,
            sequence: *sequence,
            id: format!("{}-{sequence}", stream.name()),
            room: RoomId::new(room).ok(),
            at: NOW,
            expires,
            data: "{}".into(),
        };
        let position = self.last[class];
        self.outbox.insert((class, position), Entry { position, message });
        self.positions.insert((stream, *sequence), position);
        self.dispatch.reaches(self.last);
    }

    /// One round: settle, read a page, and put on the wire what may go.
    fn work(&mut self) -> bool {
        for settled in self.dispatch.take_settled() {
            let position = self.positions[&(settled.stream, settled.sequence)];
            self.outbox.remove(&(settled.stream.class() as usize, position));
            match settled.outcome {
                Outcome::Acknowledged => {}
                Outcome::Expired => self.expired.push(settled),
                Outcome::DeadLetter(_) => self.dead.push(settled),
            }
        }
        let wanted = self.dispatch.wanted();
        if let Some(wanted) = wanted {
            let class = wanted.class as usize;
            let page = self
                .outbox
                .range((class, wanted.after + 1)..=(class, u64::MAX))
                .take(PAGE);
            let page = page.map(|(_, entry)| entry.clone()).collect();
            self.dispatch.take_page(wanted, page);
        }
        let before = self.wire.len();
        while let Some(pick) = self.dispatch.next(NOW) {
            self.wire.push_back((pick.ticket, pick.entry.message));
        }
        wanted.is_some() || self.wire.len() > before
    }

    /// The broker takes and acknowledges up to so many messages from the wire.
    fn broker(&mut self, most: usize) -> usize {
        let some = most.min(self.wire.len());
        for (ticket, message) in self.wire.drain(..some) {
            self.received.push(message);
            self.dispatch.delivered(ticket);
        }
        some
    }

    fn settle_down(&mut self) {
        while self.work() || self.broker(usize::MAX) > 0 {}
    }

    /// The wire breaks: central got some of what was on it, nobody heard so.
    fn cut(&mut self, arrived: usize) {
        for (_, message) in self.wire.drain(..).take(arrived) {
            self.received.push(message);
        }
        self.dispatch.session_ended();
    }

    /// First arrivals of each room and stream must count up.
    fn assert_order(&self) {
        let mut highest: HashMap<Key, u64> = HashMap::new();
        let mut seen = BTreeSet::new();
        for message in self
            .received
            .iter()
            .filter(|message| seen.insert((message.stream, message.sequence)))
        {
            let before = highest
                .insert((message.stream, message.room.clone()), message.sequence)
                .unwrap_or(0);
            assert!(
                before < message.sequence,
                "{} {before} came before {}",
                message.stream.name(),
                message.sequence
            );
        }
    }

    fn distinct(&self) -> usize {
        self.received
            .iter()
            .map(|message| (message.stream, message.sequence))
            .collect::<BTreeSet<_>>()
            .len()
    }
}

#[test]
fn a_new_entry_is_read_once_and_sent_at_once() {
    let mut world = World::new(AckMode::Broker);
    world.dispatch.session_began();
    for _ in 0..10 {
        world.put(Stream::Request, "1204");
        world.settle_down();
    }
    assert_eq!(world.received.len(), 10);
    assert!(world.outbox.is_empty());
    assert_eq!(world.dispatch.wanted(), None);
}

#[test]
fn an_emergency_overtakes_a_backlog_even_with_a_full_window() {
    let mut world = World::new(AckMode::Broker);
    (0..5000).for_each(|n| world.put(Stream::Request, &format!("r{}", n % 300)));
    world.dispatch.session_began();
    for _ in 0..40 {
        world.work();
    }
    let on_wire = world.wire.len();
    assert_eq!(on_wire, 60 - RESERVED, "the window is full but for the reserved places");
    world.put(Stream::Emergency, "1204");
    world.work();
    assert_eq!(
        world.wire.back().map(|(_, message)| message.stream),
        Some(Stream::Emergency)
    );
    world.settle_down();
    assert_eq!((world.distinct(), world.outbox.len()), (5001, 0));
    world.assert_order();
}

#[test]
fn what_is_new_goes_before_what_has_waited_unless_it_would_overtake_its_own_room() {
    let mut world = World::new(AckMode::Broker);
    (0..3000).for_each(|n| world.put(Stream::Request, &format!("r{}", n % 100)));
    while world.work() {}
    world.dispatch.session_began();
    world.work();
    world.broker(10);
    world.put(Stream::Request, "fresh");
    world.put(Stream::Request, "r7");
    for _ in 0..20 {
        world.work();
        world.broker(8);
    }
    let fresh = world
        .received
        .iter()
        .position(|message| message.sequence == 3001)
        .expect("it went out");
    assert!(fresh < 100, "after {fresh} others");
    world.settle_down();
    assert_eq!(world.distinct(), 3002);
    world.assert_order();
}

#[test]
fn new_messages_cannot_starve_what_has_waited() {
    let mut world = World::new(AckMode::Broker);
    (0..300).for_each(|_| world.put(Stream::Request, "old"));
    while world.work() {}
    world.dispatch.session_began();
    let mut rounds = 0;
    while world.received.iter().filter(|m| m.sequence <= 300).count() < 300 {
        (0..8).for_each(|n| world.put(Stream::Request, &format!("new-{n}")));
        world.work();
        world.broker(8);
        rounds += 1;
        assert!(rounds < 400, "the old ones wait for ever");
    }
}

/// A sequence of numbers that looks drawn by lot and is the same every time.
fn lots(seed: u64) -> impl FnMut(u64) -> u64 {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    move |below| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % below
    }
}

#[test]
fn nothing_is_lost_or_reordered_whatever_the_link_does() {
    let (mut sent, mut put) = (0, 0);
    for seed in 0..60 {
        let mode = if seed % 2 == 0 {
            AckMode::Broker
        } else {
            AckMode::Central {
                resend_after: Span::seconds(5),
            }
        };
        let mut world = World::new(mode);
        let mut lot = lots(seed + 1);
        let mut up = false;
        for _ in 0..300 {
            match lot(10) {
                0..=3 => {
                    let stream = Stream::ALL[lot(6) as usize];
                    (0..lot(20)).for_each(|_| world.put(stream, &format!("r{}", lot(12))));
                }
                4..=6 => _ = world.work(),
                7 | 8 => _ = world.broker(lot(80) as usize),
                _ if up => {
                    world.cut(lot(60) as usize);
                    up = false;
                }
                _ => {
                    world.dispatch.session_began();
                    up = true;
                }
            }
            if mode != AckMode::Broker && lot(4) == 0 {
                central_acknowledges(&mut world, lot(3) == 0);
            }
        }
        world.dispatch.session_began();
        for round in 1.. {
            world.settle_down();
            central_acknowledges(&mut world, false);
            if world.outbox.is_empty() {
                break;
            }
            world.dispatch.expire_waits(NOW + Span::hours(round));
            assert!(round < 50, "seed {seed}: {} entries never leave", world.outbox.len());
        }
        let total: u64 = world.sequences.values().sum();
        assert_eq!(world.distinct() as u64, total, "seed {seed}");
        world.assert_order();
        sent += world.received.len();
        put += total;
    }
    println!("60 histories: {put} entries put, {sent} received, 0 lost, 0 out of order");
}

/// Central acknowledges what it has without a gap; or one message alone.
fn central_acknowledges(world: &mut World, single: bool) {
    for stream in Stream::ALL {
        let have: BTreeSet<u64> = world
            .received
            .iter()
            .filter(|m| m.stream == stream)
            .map(|m| m.sequence)
            .collect();
        let whole = (1..).take_while(|sequence| have.contains(sequence)).last();
        let (sequence, cumulative) = if single {
            (have.last().copied(), false)
        } else {
            (whole, true)
        };
        if let Some(sequence) = sequence {
            world.dispatch.acknowledged(AckNotice {
                stream,
                sequence,
                cumulative,
            });
        }
    }
}

#[test]
fn an_acknowledgement_takes_off_only_what_central_was_sent() {
    let mut world = World::new(AckMode::Central {
        resend_after: Span::seconds(5),
    });
    (0..100).for_each(|_| world.put(Stream::Request, "1204"));
    world.dispatch.session_began();
    world.work();
    let shown = world.wire.len();
    world.dispatch.acknowledged(AckNotice {
        stream: Stream::Request,
        sequence: 1_000_000,
        cumulative: true,
    });
    assert_eq!(world.dispatch.take_settled().len(), shown);
    world.dispatch.acknowledged(AckNotice {
        stream: Stream::Emergency,
        sequence: 9,
        cumulative: true,
    });
    assert_eq!(world.dispatch.counts().unmatched, 1);
}

#[test]
fn an_acknowledgement_that_comes_after_the_session_still_counts() {
    let mut world = World::new(AckMode::Central {
        resend_after: Span::hours(1),
    });
    (0..100).for_each(|n| world.put(Stream::Request, &format!("r{}", n % 7)));
    world.dispatch.session_began();
    world.settle_down();
    for _ in 0..3 {
        world.cut(0);
        world.dispatch.session_began();
        world.work();
    }
    world.cut(0);
    let before = world.received.len();
    world.dispatch.acknowledged(AckNotice {
        stream: Stream::Request,
        sequence: 90,
        cumulative: true,
    });
    world.dispatch.session_began();
    world.settle_down();
    assert_eq!(
        world.received.len() - before,
        10,
        "only what is not acknowledged is sent again"
    );
    assert_eq!(world.outbox.len(), 10);
}

#[test]
fn what_central_leaves_unacknowledged_is_sent_again_after_doubling_waits() {
    let mut world = World::new(AckMode::Central {
        resend_after: Span::seconds(5),
    });
    world.put(Stream::Request, "1204");
    world.dispatch.session_began();
    world.settle_down();
    assert_eq!(
        (world.received.len(), world.outbox.len()),
        (1, 1),
        "the broker's word is not enough"
    );
    let mut times = Vec::new();
    for second in 1..100 {
        let before = world.received.len();
        world.dispatch.expire_waits(NOW + Span::seconds(second));
        world.settle_down();
        // Sent again at second n, the message counts as sent at NOW; so each wait is counted from there.
        if world.received.len() > before {
            times.push(second);
        }
    }
    assert_eq!(times, [5, 10, 20, 40, 80]);
    world.dispatch.acknowledged(AckNotice {
        stream: Stream::Request,
        sequence: 1,
        cumulative: true,
    });
    world.settle_down();
    assert!(world.outbox.is_empty());
}

#[test]
fn a_full_window_of_unacknowledged_messages_stops_all_but_emergencies() {
    let mut world = World::new(AckMode::Central {
        resend_after: Span::hours(5),
    });
    (0..AWAITING_MAX + 500).for_each(|n| world.put(Stream::Edge, &format!("r{}", n % 50)));
    world.dispatch.session_began();
    world.settle_down();
    assert_eq!(world.received.len(), AWAITING_MAX);
    world.put(Stream::Emergency, "1204");
    world.settle_down();
    assert_eq!(world.received.len(), AWAITING_MAX + 1);
}

#[test]
fn an_expired_entry_is_skipped_and_counted() {
    let mut world = World::new(AckMode::Broker);
    world.put_until(Stream::Edge, "a", Some(NOW));
    world.put_until(Stream::Edge, "a", Some(NOW + Span::seconds(1)));
    world.dispatch.session_began();
    world.settle_down();
    assert_eq!(
        (
            world.received.len(),
            world.expired.len(),
            world.dispatch.counts().expired
        ),
        (1, 1, 1)
    );
    assert!(world.outbox.is_empty());
}

/// Sends until a message of this sequence is on the wire, then ends the session as the client would report it.
fn end_sessions_on(world: &mut World, sequence: u64) -> bool {
    world.dispatch.session_began();
    for _ in 0..1000 {
        let worked = world.work();
        match world.wire.iter().position(|(_, message)| message.sequence == sequence) {
            Some(n) => {
                world.broker(n);
                let ticket = world.wire[0].0;
                world.dispatch.poison(ticket);
                world.cut(0);
                return true;
            }
            None if !worked && world.broker(usize::MAX) == 0 => return false,
            None => {}
        }
    }
    panic!("neither sent nor done");
}

#[test]
fn a_poison_entry_is_set_aside_only_when_others_pass_without_it() {
    let mut world = World::new(AckMode::Broker);
    (0..200).for_each(|n| world.put(Stream::Request, &format!("r{}", n % 20)));
    let mut sessions = 0;
    while end_sessions_on(&mut world, 5) {
        sessions += 1;
        assert!(sessions < 10, "it is never given up");
    }
    world.settle_down();
    assert_eq!(sessions, POISON_REPORTS_MAX);
    assert_eq!(world.dead.iter().map(|it| it.sequence).collect::<Vec<_>>(), [5]);
    assert_eq!((world.distinct(), world.outbox.len()), (199, 0));
    world.assert_order();
}

#[test]
fn an_entry_on_a_very_bad_line_is_never_given_up_alone() {
    let mut world = World::new(AckMode::Broker);
    world.put(Stream::Request, "1204");
    for _ in 0..20 {
        assert!(end_sessions_on(&mut world, 1));
    }
    world.dispatch.session_began();
    world.settle_down();
    assert_eq!((world.received.len(), world.dead.len()), (1, 0));
}

#[test]
fn what_the_outbox_dropped_by_itself_is_not_waited_for() {
    let mut world = World::new(AckMode::Broker);
    (0..1000).for_each(|n| world.put(Stream::Edge, &format!("r{}", n % 20)));
    while world.work() {}
    world.outbox.retain(|(_, position), _| position % 3 == 0);
    world.dispatch.session_began();
    world.settle_down();
    assert_eq!((world.received.len(), world.outbox.len()), (333, 0));
    world.put(Stream::Edge, "r1");
    world.settle_down();
    assert_eq!(world.received.len(), 334, "and a later entry of the same room goes out");
}
