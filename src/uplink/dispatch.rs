//! Which entry goes out next?
//!
//! Emergencies first; then what is new, before what has waited; and of both, what matters more before what matters
//! less. Within a room and stream nothing overtakes anything. Every fourth message is one that has waited, so that new
//! ones cannot starve it.
//!
//! Each class of the outbox is read at two places. The *look-ahead* follows its end and reads each entry once, when it is
//! written: if nothing of the same room and stream waits before it, it goes out at once; else it is counted as
//! owed and left where it is. The *backlog* is read from the oldest on, in order, skipping what the look-ahead has sent.
//! What is kept in memory is a page of entries, some live ones, and one number for each room and stream that is owed
//! something: a long absence of central costs no memory here.
//!
//! Pure: no I/O and no clock. An entry is settled only by an acknowledgement; whatever was under way when a session
//! ended is owed again.

use super::feed::{Entry, LastPositions, Outcome, Settlement};
use super::inbound::AckNotice;
use crate::model::{Class, Moment, RoomId, Span, Stream};
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

/// Entries in one page: a page is answered between two steps of the engine, so it has to be small.
pub const PAGE: usize = 256;
/// The backlog is read on when so few of its page are left, so that reading and sending overlap.
const PAGE_LOW: usize = 128;
/// Live entries that wait for the window; what comes beyond is owed, and loses nothing but its lead.
const LIVE_MAX: usize = 256;
/// Places in the window that only emergencies may take: they never wait for an acknowledgement of something else.
const RESERVED: usize = 8;
/// With `ack = "central"`: messages that may await central's word. Beyond, nothing more is sent: central is behind.
pub const AWAITING_MAX: usize = 4096;
/// How often the client must have reported an entry as poison before it is set aside for good.
const POISON_REPORTS_MAX: u32 = 3;
/// So many others must have passed before a suspect is tried again.
const PASSED_MIN: u32 = 32;
/// One message in so many is one that has waited.
const FAIR_SHARE: u32 = 4;

/// When does an entry leave the outbox?
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AckMode {
    /// When the broker has it.
    #[default]
    Broker,
    /// When central says so on `down/ack`. What it has not acknowledged after this time is sent again, and then after
    /// twice the time, up to [`AckMode::RESEND_MAX`].
    Central {
        /// The first time-out.
        resend_after: Span,
    },
}

impl AckMode {
    /// The longest pause before a message is sent again to a central that is silent.
    pub const RESEND_MAX: Span = Span::minutes(15);
    /// The usual first wait for central: it answers within a second or two, or it is not there.
    pub const RESEND_AFTER: Span = Span::seconds(30);

    /// Returns the mode in which central's own word is waited for, with the usual time-out.
    pub const fn central() -> Self {
        AckMode::Central {
            resend_after: Self::RESEND_AFTER,
        }
    }
}

/// What order is kept within.
type Key = (Stream, Option<RoomId>);
type Place = (Stream, u64);

/// Where an entry is read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lane {
    LookAhead,
    Backlog,
}

/// A page to be read: entries of this class after this position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// The class.
    pub class: Class,
    /// Above this position.
    pub after: u64,
    lane: Lane,
    /// How far the outbox reached when this was asked: a page that ends before it has seen all there is.
    last: u64,
    /// A page asked for before a rewind is void.
    epoch: u64,
}

/// An entry on its way.
#[derive(Debug, Clone)]
struct Outstanding {
    class: usize,
    position: u64,
    key: Key,
    since: Moment,
}

#[derive(Debug)]
struct Suspect {
    class: usize,
    position: u64,
    key: Key,
    reports: u32,
    passed: u32,
    parked: bool,
}

/// What the dispatch has counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DispatchCounts {
    /// Handed to the client, those sent again included.
    pub sent: u64,
    /// Acknowledged.
    pub acknowledged: u64,
    /// Skipped because their time had passed.
    pub expired: u64,
    /// Set aside for good.
    pub dead: u64,
    /// Owed again after a session or a time-out.
    pub returned: u64,
    /// Acknowledgements by central of what was not under way.
    pub unmatched: u64,
}

/// The order of sending.
#[derive(Debug)]
pub struct Dispatch {
    mode: AckMode,
    window: usize,
    classes: [ClassLane; 4],
    connected: bool,
    /// By ticket: what the client has and the broker has not acknowledged.
    flights: HashMap<u64, Place>,
    /// What is not acknowledged in the sense of the mode.
    outstanding: BTreeMap<Place, Outstanding>,
    /// What central was sent and has not acknowledged, and is owed again: its acknowledgement may still be on its way,
    /// and on a line that breaks often it always is.
    shown: BTreeMap<Place, Outstanding>,
    suspects: HashMap<Place, Suspect>,
    settled: Vec<Settlement>,
    next_ticket: u64,
    turn: u32,
    resend_after: Span,
    counts: DispatchCounts,
}

#[derive(Debug, Default)]
struct ClassLane {
    /// The outbox's last position, as the owner says.
    last: u64,
    /// The look-ahead has read up to here.
    tail: u64,
    /// The backlog has been read up to here.
    cursor: u64,
    live: VecDeque<Entry>,
    page: VecDeque<Entry>,
    /// How many entries of each key wait in the backlog, `page` included.
    owed: HashMap<Key, u32>,
    owed_count: usize,
    epoch: u64,
    /// Positions after the cursor that the backlog must skip: they are live or under way.
    ahead: BTreeSet<u64>,
}

/// An entry to be handed to the client under this ticket.
#[derive(Debug)]
pub struct Pick {
    /// Names it until it is acknowledged or the session ends.
    pub ticket: u64,
    /// The entry.
    pub entry: Entry,
}

fn key_of(entry: &Entry) -> Key {
    (entry.message.stream, entry.message.room.clone())
}

const CLASSES: [Class; 4] = [Class::Emergency, Class::Request, Class::Promise, Class::State];

impl Dispatch {
    /// Begins with everything in the outbox unread. `window` messages may be under way at once.
    pub fn new(mode: AckMode, window: usize) -> Self {
        let resend_after = match mode {
            AckMode::Broker => Span::ZERO,
            AckMode::Central { resend_after } => resend_after,
        };
        Self {
            mode,
            window: window.max(RESERVED + 1),
            classes: Default::default(),
            connected: false,
            flights: HashMap::new(),
            outstanding: BTreeMap::new(),
            shown: BTreeMap::new(),
            suspects: HashMap::new(),
            settled: Vec::new(),
            next_ticket: 1,
            turn: 0,
            resend_after,
            counts: DispatchCounts::default(),
        }
    }

    /// Takes note of how far the outbox reaches.
    pub fn reaches(&mut self, last: LastPositions) {
        for (lane, last) in self.classes.iter_mut().zip(last) {
            lane.last = lane.last.max(last);
        }
    }

    /// A session is up.
    pub fn session_began(&mut self) {
        self.connected = true;
    }

    /// The session is over: what was under way is owed again.
    pub fn session_ended(&mut self) {
        self.connected = false;
        self.flights.clear();
        let returned: Vec<_> = self.outstanding.values().cloned().collect();
        let outstanding = std::mem::take(&mut self.outstanding);
        self.remember(outstanding);
        for (index, lane) in self.classes.iter_mut().enumerate() {
            let live = std::mem::take(&mut lane.live);
            let mine = returned
                .iter()
                .filter(|it| it.class == index)
                .map(|it| (it.position, it.key.clone()));
            let back: Vec<_> = mine
                .chain(live.iter().map(|entry| (entry.position, key_of(entry))))
                .collect();
            self.counts.returned += back.len() as u64;
            lane.give_back(&back, BTreeSet::new());
        }
    }

    /// Returns the page that is most wanted, if one is.
    pub fn wanted(&self) -> Option<Wanted> {
        let lanes = || self.classes.iter().zip(CLASSES);
        let ahead =
            |(lane, class): (&ClassLane, Class)| (lane.tail < lane.last).then(|| lane.want(class, Lane::LookAhead));
        let backlog = |low: usize| {
            move |(lane, class): (&ClassLane, Class)| {
                let more = lane.owed_count > lane.page.len() && lane.cursor < lane.tail;
                (self.connected && more && lane.page.len() <= low).then(|| lane.want(class, Lane::Backlog))
            }
        };
        lanes()
            .next()
            .and_then(ahead)
            .or_else(|| lanes().find_map(backlog(0)))
            .or_else(|| lanes().find_map(ahead))
            .or_else(|| lanes().find_map(backlog(PAGE_LOW)))
    }

    /// Takes the page that was wanted. A page that no longer fits, because a session ended meanwhile, is dropped.
    pub fn take_page(&mut self, wanted: Wanted, entries: Vec<Entry>) {
        let blocked: Vec<Key> = self.parked().map(|suspect| suspect.key.clone()).collect();
        let (connected, lane) = (self.connected, &mut self.classes[wanted.class as usize]);
        match wanted.lane {
            Lane::LookAhead => lane.look_ahead(entries, wanted.last, connected, &blocked),
            Lane::Backlog if lane.epoch == wanted.epoch => lane.read_on(entries, blocked.is_empty()),
            Lane::Backlog => {}
        }
    }

    /// Returns the next entry to hand to the client, under a new ticket.
    pub fn next(&mut self, now: Moment) -> Option<Pick> {
        while let Some((class, lane)) = self.choose() {
            let entry = self.classes[class]
                .pop(lane)
                .expect("a lane is chosen for what is in it");
            let key = key_of(&entry);
            if self.parked().any(|suspect| suspect.key == key) {
                // It stays owed; when the suspect is tried again, the backlog is read once more from there.
                self.classes[class].hold(lane, key);
                continue;
            }
            if lane == Lane::Backlog {
                self.classes[class].pay(&key);
            }
            let place = (entry.message.stream, entry.message.sequence);
            if entry.message.expires.is_some_and(|expires| expires <= now) {
                self.counts.expired += 1;
                self.settle(place, Outcome::Expired);
                continue;
            }
            return Some(self.send(class, place, key, entry, now));
        }
        self.retry_suspects();
        None
    }

    fn send(&mut self, class: usize, place: Place, key: Key, entry: Entry, now: Moment) -> Pick {
        let ticket = self.next_ticket;
        self.next_ticket += 1;
        self.turn = self.turn.wrapping_add(1);
        self.counts.sent += 1;
        self.flights.insert(ticket, place);
        self.shown.remove(&place);
        let position = entry.position;
        if position > self.classes[class].cursor {
            self.classes[class].ahead.insert(position);
        }
        self.outstanding.insert(
            place,
            Outstanding {
                class,
                position,
                key,
                since: now,
            },
        );
        Pick { ticket, entry }
    }

    /// Which class and lane is next: never past the window, and past its reserved places only for emergencies.
    fn choose(&self) -> Option<(usize, Lane)> {
        let room = self.window.saturating_sub(self.flights.len());
        if !self.connected || room == 0 {
            return None;
        }
        let emergency = |lane| self.classes[0].has(lane).then_some((0, lane));
        let first = emergency(Lane::Backlog).or_else(|| emergency(Lane::LookAhead));
        if first.is_some() || room <= RESERVED || self.outstanding.len() >= AWAITING_MAX {
            return first;
        }
        let of = |lane| {
            (1..4)
                .find(|&class| self.classes[class].has(lane))
                .map(|class| (class, lane))
        };
        let (live, waited) = (of(Lane::LookAhead), of(Lane::Backlog));
        if self.turn.is_multiple_of(FAIR_SHARE) {
            waited.or(live)
        } else {
            live.or(waited)
        }
    }

    /// The broker has the message of this ticket.
    pub fn delivered(&mut self, ticket: u64) {
        let Some(place) = self.flights.remove(&ticket) else {
            return;
        };
        self.suspects.remove(&place);
        for suspect in self.suspects.values_mut() {
            suspect.passed += 1;
        }
        if self.mode == AckMode::Broker {
            self.acknowledge(place);
        }
        self.retry_suspects();
    }

    /// Central has these messages. Only what was sent is taken off: no acknowledgement can empty the outbox of what central
    /// has not been shown.
    pub fn acknowledged(&mut self, ack: AckNotice) {
        let from = if ack.cumulative { 0 } else { ack.sequence };
        let range = (ack.stream, from)..=(ack.stream, ack.sequence);
        let under_way: Vec<Place> = self.outstanding.range(range.clone()).map(|(place, _)| *place).collect();
        let shown: Vec<Place> = self.shown.range(range).map(|(place, _)| *place).collect();
        if under_way.is_empty() && shown.is_empty() {
            self.counts.unmatched += 1;
        }
        if let AckMode::Central { resend_after } = self.mode {
            self.resend_after = resend_after;
            for place in shown {
                let it = self.shown.remove(&place).expect("its place was just listed");
                self.classes[it.class].no_longer_owed(it.position, &it.key);
                self.acknowledge(place);
            }
            under_way.into_iter().for_each(|place| self.acknowledge(place));
        }
    }

    /// Keeps what central was sent, for an acknowledgement that comes late; the oldest are forgotten, and sent again.
    fn remember(&mut self, returned: BTreeMap<Place, Outstanding>) {
        if self.mode != AckMode::Broker {
            self.shown.extend(returned);
        }
        while self.shown.len() > 2 * AWAITING_MAX {
            self.shown.pop_first();
        }
    }

    fn acknowledge(&mut self, place: Place) {
        self.counts.acknowledged += 1;
        self.settle(place, Outcome::Acknowledged);
    }

    fn settle(&mut self, place: Place, outcome: Outcome) {
        self.outstanding.remove(&place);
        self.shown.remove(&place);
        self.settled.push(Settlement {
            stream: place.0,
            sequence: place.1,
            outcome,
        });
    }

    /// Returns what was settled since the last call.
    pub fn take_settled(&mut self) -> Vec<Settlement> {
        std::mem::take(&mut self.settled)
    }

    /// What central has left unacknowledged for too long is owed again, and the next wait is twice as long.
    pub fn expire_waits(&mut self, now: Moment) {
        let AckMode::Central { .. } = self.mode else { return };
        let after = self.resend_after;
        let under_way: BTreeSet<Place> = self.flights.values().copied().collect();
        let is_late = |place: &Place, it: &Outstanding| it.since + after <= now && !under_way.contains(place);
        let late: Vec<Place> = self
            .outstanding
            .iter()
            .filter(|(place, it)| is_late(place, it))
            .map(|(p, _)| *p)
            .collect();
        if late.is_empty() {
            return;
        }
        self.resend_after = (after + after).min(AckMode::RESEND_MAX.max(after));
        let late: BTreeMap<Place, Outstanding> = late
            .into_iter()
            .filter_map(|place| Some((place, self.outstanding.remove(&place)?)))
            .collect();
        self.remember(late.clone());
        let late: Vec<Outstanding> = late.into_values().collect();
        self.counts.returned += late.len() as u64;
        for class in 0..4 {
            let back: Vec<_> = late
                .iter()
                .filter(|it| it.class == class)
                .map(|it| (it.position, it.key.clone()))
                .collect();
            if !back.is_empty() {
                let ahead = self.held_positions(class);
                self.classes[class].give_back(&back, ahead);
            }
        }
    }

    /// The positions of a class that are live or under way.
    fn held_positions(&self, class: usize) -> BTreeSet<u64> {
        let out = self
            .outstanding
            .values()
            .filter(|it| it.class == class)
            .map(|it| it.position);
        out.chain(self.classes[class].live.iter().map(|entry| entry.position))
            .collect()
    }

    /// The client reports that sessions keep ending with this message on the wire. A very bad line looks the same, so the
    /// message is parked while others try; only if they pass and it ends sessions again and again is it given up.
    pub fn poison(&mut self, ticket: u64) {
        let Some(place) = self.flights.get(&ticket).copied() else {
            return;
        };
        let Some(it) = self.outstanding.get(&place).cloned() else {
            return;
        };
        let suspect = self.suspects.entry(place).or_insert(Suspect {
            class: it.class,
            position: it.position,
            key: it.key,
            reports: 0,
            passed: 0,
            parked: false,
        });
        suspect.reports += 1;
        suspect.parked = true;
        if suspect.reports >= POISON_REPORTS_MAX && suspect.passed > 0 {
            self.flights.remove(&ticket);
            self.bury(
                place,
                "sessions with the broker end whenever it is sent, and others pass".into(),
            );
        }
    }

    /// The message of this ticket can never be sent.
    pub fn unsendable(&mut self, ticket: u64, why: String) {
        if let Some(place) = self.flights.remove(&ticket) {
            self.bury(place, why);
        }
    }

    fn bury(&mut self, place: Place, why: String) {
        self.suspects.remove(&place);
        self.counts.dead += 1;
        self.settle(place, Outcome::DeadLetter(why));
    }

    fn parked(&self) -> impl Iterator<Item = &Suspect> {
        self.suspects.values().filter(|suspect| suspect.parked)
    }

    /// Tries parked messages again when enough others have passed, or when nothing else is left to send.
    fn retry_suspects(&mut self) {
        let idle = self.outstanding.is_empty() && self.classes.iter().all(ClassLane::is_drained);
        for place in self.suspects.keys().copied().collect::<Vec<_>>() {
            let suspect = self.suspects.get_mut(&place).expect("its key was just listed");
            if suspect.parked && self.connected && (suspect.passed >= PASSED_MIN || idle) {
                suspect.parked = false;
                let (class, position) = (suspect.class, suspect.position);
                let ahead = self.held_positions(class);
                self.classes[class].rewind(position.saturating_sub(1), ahead);
            }
        }
    }

    /// What was counted.
    pub fn counts(&self) -> DispatchCounts {
        self.counts
    }

    /// How many messages await an acknowledgement.
    pub fn outstanding(&self) -> usize {
        self.outstanding.len()
    }
}

impl ClassLane {
    fn want(&self, class: Class, lane: Lane) -> Wanted {
        let after = if lane == Lane::LookAhead {
            self.tail
        } else {
            self.cursor
        };
        Wanted {
            class,
            after,
            lane,
            last: self.last,
            epoch: self.epoch,
        }
    }

    fn look_ahead(&mut self, entries: Vec<Entry>, last: u64, connected: bool, blocked: &[Key]) {
        let is_end = entries.len() < PAGE;
        for entry in entries {
            self.tail = self.tail.max(entry.position);
            let key = key_of(&entry);
            let free = connected && !self.owed.contains_key(&key) && !blocked.contains(&key);
            if free && self.live.len() < LIVE_MAX {
                self.ahead.insert(entry.position);
                self.live.push_back(entry);
            } else {
                self.owe(key);
            }
        }
        if is_end {
            // Positions up to the outbox's end that no page held: dropped or expired there.
            self.tail = self.tail.max(last);
        }
        self.skip_to_tail_if_nothing_is_owed();
    }

    fn read_on(&mut self, entries: Vec<Entry>, may_forget: bool) {
        let is_end = entries.len() < PAGE || entries.last().is_none_or(|entry| entry.position >= self.tail);
        for entry in entries {
            if entry.position > self.tail {
                break;
            }
            self.cursor = entry.position;
            if !self.ahead.remove(&entry.position) {
                self.page.push_back(entry);
            }
        }
        if is_end {
            self.cursor = self.tail;
            self.ahead.clear();
        }
        if is_end && may_forget {
            // The outbox holds no more: what was still counted has been dropped or has expired there.
            self.owed.clear();
            self.owed_count = 0;
            let keys: Vec<Key> = self.page.iter().map(key_of).collect();
            keys.into_iter().for_each(|key| self.owe(key));
        }
    }

    /// Owes these again, and reads the backlog anew from the first of them.
    fn give_back(&mut self, back: &[(u64, Key)], ahead: BTreeSet<u64>) {
        back.iter().for_each(|(_, key)| self.owe(key.clone()));
        let first = back
            .iter()
            .map(|(position, _)| position - 1)
            .min()
            .unwrap_or(self.cursor);
        self.rewind(first, ahead);
    }

    /// Takes an owed entry off, wherever it waits. A page that is being read may hold it still, and must skip it.
    fn no_longer_owed(&mut self, position: u64, key: &Key) {
        if position > self.cursor {
            self.ahead.insert(position);
        } else {
            self.page.retain(|entry| entry.position != position);
        }
        self.pay(key);
    }

    fn rewind(&mut self, to: u64, mut ahead: BTreeSet<u64>) {
        let page = self.page.front().map_or(self.cursor, |entry| entry.position - 1);
        self.page.clear();
        self.epoch += 1;
        self.cursor = self.cursor.min(page).min(to);
        ahead.retain(|&position| position > self.cursor);
        self.ahead = ahead;
    }

    fn pop(&mut self, lane: Lane) -> Option<Entry> {
        match lane {
            Lane::LookAhead => self.live.pop_front(),
            Lane::Backlog => self.page.pop_front(),
        }
    }

    fn has(&self, lane: Lane) -> bool {
        match lane {
            Lane::LookAhead => !self.live.is_empty(),
            Lane::Backlog => !self.page.is_empty(),
        }
    }

    /// A live entry behind a parked one becomes owed; one of the backlog is owed already.
    fn hold(&mut self, lane: Lane, key: Key) {
        if lane == Lane::LookAhead {
            self.owe(key);
        }
    }

    fn owe(&mut self, key: Key) {
        *self.owed.entry(key).or_default() += 1;
        self.owed_count += 1;
    }

    fn pay(&mut self, key: &Key) {
        if let Some(count) = self.owed.get_mut(key) {
            *count -= 1;
            self.owed_count -= 1;
            if *count == 0 {
                self.owed.remove(key);
            }
        }
        self.skip_to_tail_if_nothing_is_owed();
    }

    fn skip_to_tail_if_nothing_is_owed(&mut self) {
        if self.owed.is_empty() {
            self.cursor = self.tail;
            self.ahead.clear();
        }
    }

    fn is_drained(&self) -> bool {
        self.live.is_empty() && self.page.is_empty() && self.cursor == self.tail && self.tail == self.last
    }
}

#[cfg(test)]
mod tests;
