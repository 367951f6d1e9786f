//! What does each answer of the line mean, and what is to be asked of it next?

use super::beat::{Beat, beats};
use super::order::{Asked, Order, Verdict, check, not_written, seeds, spec};
use super::plan::{BusDevice, write_op};
use super::watched::Watched;
use crate::device::FromDevices;
use crate::device::modbus::{
    BlockId, BusEvent, BusHandle, BusPlan, BusState, ReadOp, Ticket, UnitState, WRITE_QUEUE_MAX, WriteFault, WriteJob,
    WriteOp, WriteOutcome, WriteResult as BusResult,
};
use crate::device::running::{COMMANDS_WAITING_MAX, STOPPED, TOO_MANY, failed, written};
use crate::device::tally::Tally;
use crate::model::{Command, DeviceId, Event, LinkId, Moment, Point, WriteResult};
use crate::profile::{EncodeRefusal, Encoded};
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;
use tokio::time::Instant;

/// How often rejections are told.
const TALLY_EVERY: Duration = Duration::from_secs(1);

/// Questions that are under way at the line at once, of the [`WRITE_QUEUE_MAX`] it takes; further commands wait here.
const ASKED_MAX: usize = WRITE_QUEUE_MAX / 2;

/// Everything between the line and the daemon.
pub(super) struct Desk {
    link: LinkId,
    clock: fn() -> Moment,
    line: BusHandle,
    devices: Vec<Watched>,
    settles: Vec<Duration>,
    places: HashMap<DeviceId, usize>,
    ticket: u64,
    asked: BTreeMap<Ticket, Asked>,
    /// Commands that are to be read back again, and when.
    later: Vec<(Instant, Box<Order>)>,
    beats: Vec<Beat>,
    tally: Tally,
    tallied_at: Option<Instant>,
    is_up: Option<bool>,
    news: Vec<FromDevices>,
    events: Vec<Event>,
}

impl Desk {
    /// Sets up with nothing known.
    pub fn new(plan: &BusPlan, devices: Vec<BusDevice>, line: BusHandle, clock: fn() -> Moment) -> Self {
        let places = devices.iter().enumerate();
        Self {
            link: plan.link.clone(),
            clock,
            line,
            places: places.map(|(n, device)| (device.binding.device().clone(), n)).collect(),
            settles: plan.units.iter().map(|unit| unit.settle).collect(),
            beats: beats(&devices, Instant::now()),
            devices: devices.into_iter().map(|device| Watched::new(device.binding)).collect(),
            ticket: 0,
            asked: BTreeMap::new(),
            later: Vec::new(),
            tally: Tally::default(),
            tallied_at: None,
            is_up: None,
            news: Vec::new(),
            events: Vec::new(),
        }
    }

    /// Whether the line can be reached.
    pub fn is_connected(&self) -> bool {
        self.is_up == Some(true)
    }

    /// Whether commands are on their way to their devices.
    pub fn awaits_the_line(&self) -> bool {
        self.asked
            .values()
            .any(|asked| matches!(asked, Asked::Seed { .. } | Asked::Write(_)))
    }

    /// Whether the line has room for another command; it takes second reads and heartbeats beside them.
    pub fn has_room(&self) -> bool {
        self.asked.len() < ASKED_MAX
    }

    /// The way to the line.
    pub fn line(&self) -> &BusHandle {
        &self.line
    }

    /// Takes what the daemon is to be told.
    pub fn take_news(&mut self) -> Vec<FromDevices> {
        let mut news = std::mem::take(&mut self.news);
        if !self.events.is_empty() {
            news.push(FromDevices::Events(std::mem::take(&mut self.events)));
        }
        if self.tallied_at.is_none_or(|at| at.elapsed() >= TALLY_EVERY) {
            let counts = self.tally.take(&self.link);
            if !counts.is_empty() {
                self.tallied_at = Some(Instant::now());
                news.extend(counts);
            }
        }
        news
    }

    /// Does what has become due.
    pub fn tick(&mut self, now: Instant) {
        while self.has_room()
            && let Some(place) = self.later.iter().position(|(at, _)| *at <= now)
        {
            let (_, order) = self.later.remove(place);
            self.look_again(order);
        }
        for n in 0..self.beats.len() {
            if let Some(op) = self.beats[n].take(now) {
                let place = self.beats[n].place;
                let _ = self.ask(place, vec![op], None, Asked::Beat { place });
            }
        }
    }

    // ---- hearing ----

    /// Takes what the line tells. Returns how many bytes of registers were heard.
    pub fn take(&mut self, event: BusEvent) -> usize {
        match event {
            BusEvent::Block {
                device,
                block,
                words,
                at,
            } => {
                let bytes = words.len() * 2;
                self.block(&device, block, &words, at);
                return bytes;
            }
            BusEvent::BlockFailed { device, reason, .. } => self.tally.note(Some(&device), reason.word()),
            BusEvent::Unit { device, state, .. } => self.unit(&device, state == UnitState::Online),
            BusEvent::Written { ticket, result, at, .. } => self.answered(ticket, result, at),
            BusEvent::Bus { state, .. } => self.bus(state),
        }
        0
    }

    fn block(&mut self, device: &DeviceId, block: BlockId, words: &[u16], now: Instant) {
        let Some(place) = self.places.get(device).copied() else {
            return;
        };
        if let Some(read) = self.devices[place].blocks.get(usize::from(block.0)).copied() {
            self.see(place, &read, words, now, None, true);
        }
    }

    /// Takes the words of a read of one device. What is surprising is read again at once, where it is the first time.
    fn see(
        &mut self,
        place: usize,
        read: &ReadOp,
        words: &[u16],
        now: Instant,
        awaited: Option<Point>,
        is_first: bool,
    ) {
        let watched = &mut self.devices[place];
        let seen = watched.read(read, words, now, awaited);
        self.events.extend(seen.readings.into_iter().map(Event::Reading));
        for _ in 0..seen.disproved {
            self.tally.note(Some(watched.binding.device()), "surprising");
        }
        self.tell_presence(place);
        if seen.is_doubtful && is_first {
            let _ = self.ask(place, Vec::new(), Some(*read), Asked::Second { place, read: *read });
        }
    }

    fn unit(&mut self, device: &DeviceId, answers: bool) {
        if let Some(place) = self.places.get(device).copied() {
            self.devices[place].answers(answers);
            self.tell_presence(place);
        }
    }

    fn tell_presence(&mut self, place: usize) {
        let watched = &mut self.devices[place];
        if let Some(online) = watched.presence_news() {
            let device = watched.binding.device().clone();
            self.events.push(Event::Availability { device, online });
        }
    }

    fn bus(&mut self, state: BusState) {
        let (up, because) = match state {
            BusState::Up => (true, "connected".to_owned()),
            BusState::Down { because, .. } => (false, because),
        };
        if self.is_up.replace(up) == Some(up) {
            return;
        }
        if !up {
            // What stands in the registers when the line is back is not what stood there before.
            self.devices.iter_mut().for_each(Watched::forget);
        }
        let link = self.link.clone();
        self.news.push(FromDevices::Link { link, up, because });
    }

    // ---- telling ----

    /// Tells a command, or says at once why not. `waiting` commands come behind it.
    pub fn tell(&mut self, command: Command, waiting: usize) {
        if waiting > COMMANDS_WAITING_MAX {
            return self.end(&command, WriteResult::Failed(TOO_MANY.into()));
        }
        if (self.clock)() > command.expires {
            return self.end(&command, WriteResult::Failed("expired".into()));
        }
        let Some(place) = self.places.get(&command.device).copied() else {
            return self.end(&command, WriteResult::Refused("device".into()));
        };
        let watched = &self.devices[place];
        let reads = watched.blocks_of(&seeds(&watched.binding, command.point));
        self.seed_or_write(command, place, reads);
    }

    /// Reads what must be told along with the command, one read after the other, then writes: a setting the guest
    /// changed since the last poll must not be written back.
    fn seed_or_write(&mut self, command: Command, place: usize, mut rest: Vec<ReadOp>) {
        let Some(read) = rest.pop() else {
            return self.write(command, place);
        };
        let id = command.id.clone();
        let seed = Asked::Seed {
            command: Box::new(command),
            place,
            read,
            rest,
        };
        if let Err(fault) = self.ask(place, Vec::new(), Some(read), seed) {
            self.events.push(written(id, refused_by_the_line(&fault)));
        }
    }

    fn write(&mut self, command: Command, place: usize) {
        let now = Instant::now();
        let watched = &mut self.devices[place];
        let known = watched.known(now);
        let writes = match watched.binding.encode(command.point, &command.value, &known) {
            Ok(Encoded::Writes(writes)) => writes,
            Ok(Encoded::Publish { .. }) => return self.refuse(&command, EncodeRefusal::Command),
            Err(refusal) => return self.refuse(&command, refusal),
        };
        let settle = self.settles[place];
        let spec = spec(&watched.binding, command.point);
        let shown_by = spec.and_then(|spec| spec.confirm.as_ref()).map(|confirm| confirm.point);
        let before = watched.value(shown_by.unwrap_or(command.point)).cloned();
        let check = spec.and_then(|spec| check(&watched.binding, spec, before.as_ref(), settle, now));
        let until = check.as_ref().map_or(now + settle, |check| check.until);
        watched.write(command.point, command.value.clone(), until);
        let order = Order {
            id: command.id.clone(),
            place,
            point: command.point,
            value: command.value,
            check,
            is_acknowledged: false,
        };
        let ops = writes.iter().map(write_op).collect();
        if let Err(fault) = self.ask(place, ops, None, Asked::Write(Box::new(order))) {
            self.devices[place].unwrite(command.point);
            self.events.push(written(command.id, refused_by_the_line(&fault)));
        }
    }

    fn refuse(&mut self, command: &Command, refusal: EncodeRefusal) {
        self.end(command, WriteResult::Refused(refusal.to_string()));
    }

    fn end(&mut self, command: &Command, result: WriteResult) {
        self.events.push(written(command.id.clone(), result));
    }

    /// Asks something of the line and remembers why.
    fn ask(&mut self, place: usize, ops: Vec<WriteOp>, verify: Option<ReadOp>, why: Asked) -> Result<(), WriteFault> {
        self.ticket += 1;
        let ticket = Ticket(self.ticket);
        let device = self.devices[place].binding.device().clone();
        self.line.write(WriteJob {
            device,
            ticket,
            ops,
            verify,
        })?;
        self.asked.insert(ticket, why);
        Ok(())
    }

    // ---- what became of it ----

    fn answered(&mut self, ticket: Ticket, result: BusResult, now: Instant) {
        let read_back = result.read_back.as_deref();
        match self.asked.remove(&ticket) {
            Some(Asked::Write(order)) => self.written(order, &result, now),
            Some(Asked::Again(order)) => self.looked(order, read_back, now),
            Some(Asked::Seed {
                command,
                place,
                read,
                rest,
            }) => match read_back {
                Some(words) => {
                    self.see(place, &read, words, now, None, true);
                    self.seed_or_write(*command, place, rest);
                }
                None => {
                    let result = not_written(result.outcome);
                    let result =
                        result.unwrap_or_else(|| WriteResult::Failed("its other settings cannot be read".into()));
                    self.end(&command, result);
                }
            },
            Some(Asked::Second { place, read }) => {
                if let Some(words) = read_back {
                    self.see(place, &read, words, now, None, false);
                }
            }
            Some(Asked::Beat { place }) if result.outcome != WriteOutcome::Done => {
                self.tally.note(Some(self.devices[place].binding.device()), "heartbeat");
            }
            Some(Asked::Beat { .. }) | None => {}
        }
    }

    fn written(&mut self, mut order: Box<Order>, result: &BusResult, now: Instant) {
        if let Some(ended) = not_written(result.outcome) {
            return self.conclude(&order, ended);
        }
        order.is_acknowledged = result.outcome == WriteOutcome::Done;
        if order.check.is_none() {
            return self.looked(order, None, now);
        }
        // Waited for here and not at the line, which has few places for writes: some devices settle for half a minute.
        self.later.push((now + self.settles[order.place], order));
    }

    /// Judges a command by what was read back. Its end is told before the reading that shows it: the engine then takes a
    /// value the device chose itself for the device's answer, not for something still to be told again.
    fn looked(&mut self, order: Box<Order>, words: Option<&[u16]>, now: Instant) {
        let told = self.events.len();
        if let (Some(check), Some(words)) = (&order.check, words) {
            self.see(order.place, &check.read, words, now, Some(check.point), true);
        }
        let seen = self.events.split_off(told);
        let watched = &self.devices[order.place];
        let reads = order
            .check
            .as_ref()
            .and_then(|check| words.map(|_| watched.value(check.point)));
        match order.judge(reads, now) {
            Verdict::Ended(result) => self.conclude(&order, result),
            Verdict::LookAgain => {
                let pause = order.check.as_ref().map_or(Duration::ZERO, |check| check.pause);
                self.later.push((now + pause, order));
            }
        }
        self.events.extend(seen);
    }

    fn look_again(&mut self, order: Box<Order>) {
        let Some(read) = order.check.as_ref().map(|check| check.read) else {
            return;
        };
        let (place, id) = (order.place, order.id.clone());
        if let Err(fault) = self.ask(place, Vec::new(), Some(read), Asked::Again(order)) {
            self.events.push(failed(id, format!("not read back: {fault}")));
        }
    }

    fn conclude(&mut self, order: &Order, result: WriteResult) {
        if result != WriteResult::Sent {
            self.devices[order.place].unwrite(order.point);
        }
        self.events.push(written(order.id.clone(), result));
    }

    /// Fails what was not carried out before the end.
    pub fn give_up(&mut self) {
        self.tallied_at = None;
        for (_, order) in std::mem::take(&mut self.later) {
            self.events.push(failed(order.id, STOPPED));
        }
        for asked in std::mem::take(&mut self.asked).into_values() {
            match asked {
                Asked::Seed { command, .. } => self.events.push(failed(command.id, STOPPED)),
                Asked::Write(order) | Asked::Again(order) => self.events.push(failed(order.id, STOPPED)),
                Asked::Second { .. } | Asked::Beat { .. } => {}
            }
        }
    }
}

fn refused_by_the_line(fault: &WriteFault) -> WriteResult {
    match fault {
        WriteFault::QueueFull | WriteFault::Stopped => WriteResult::Failed(fault.to_string()),
        WriteFault::UnknownDevice(_) | WriteFault::Unsound(_) => WriteResult::Refused(fault.to_string()),
    }
}
