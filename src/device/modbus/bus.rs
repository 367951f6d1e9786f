//! Who may use the line next, and what follows from the answer?
//!
//! One task owns the line; one question is in flight. Writes and read-backs go before reads, but after
//! [`WRITES_IN_A_ROW_MAX`] of them one due read goes first, so a flood of writes leaves reads a fifth of the turns.

use super::doubt::Doubt;
use super::event::{BusEvent, BusState, FailReason, NotSent, UnitState, WriteJob, WriteOutcome, WriteResult};
use super::exchange::Question;
use super::health::Health;
use super::jobs::{BUSY_PAUSE, BUSY_TRIES_MAX, Job, Jobs, Stage};
use super::link::Link;
use super::outlet::{Gone, Outlet};
use super::pace;
use super::plan::{BusPlan, LineSettings, PollBlock, ReadOp, UnitPlan};
use super::stats::{BusStats, UnitStats};
use super::timetable::{Task, Timetable};
use crate::model::{DeviceId, LinkId};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until, timeout};

/// Write turns after which a due read goes first: a guest's command seldom needs more, and reads keep a fifth.
pub(crate) const WRITES_IN_A_ROW_MAX: u32 = 4;
/// How long a stopping bus waits for its consumer to take the last write results.
const STOP_LIMIT: Duration = Duration::from_secs(5);
/// The wake-up when nothing at all is planned; writes and the stop wake the bus anyway.
const NOTHING_PLANNED: Duration = Duration::from_secs(3600);

/// One bus at work.
pub(super) struct Bus {
    name: LinkId,
    plan: BusPlan,
    line: Option<LineSettings>,
    numbers: HashMap<DeviceId, usize>,
    /// For each device the first one of its unit number. Health is the unit's: the rooms behind a dead gateway are not
    /// found out and probed one by one, each for a reply limit.
    leads: Vec<usize>,
    health: Vec<Health>,
    blocks: Vec<(usize, PollBlock)>,
    doubts: BTreeMap<u8, Doubt>,
    link: Link,
    down_until: Option<Instant>,
    timetable: Timetable,
    jobs: Jobs,
    orders: mpsc::Receiver<WriteJob>,
    stop: watch::Receiver<bool>,
    outlet: Outlet,
    stats: Arc<Mutex<BusStats>>,
    line_used: Instant,
    writes_in_a_row: u32,
}

/// What the bus shares with its handle.
pub(super) struct Ends {
    /// Writes come in here.
    pub orders: mpsc::Receiver<WriteJob>,
    /// Becomes true, or is dropped, when the bus shall end.
    pub stop: watch::Receiver<bool>,
    /// Events go out here.
    pub events: mpsc::Sender<BusEvent>,
    /// Counters.
    pub stats: Arc<Mutex<BusStats>>,
}

impl Bus {
    /// Sets the bus up with every block due at once.
    pub fn new(plan: BusPlan, ends: Ends) -> Self {
        let now = Instant::now();
        let blocks: Vec<(usize, PollBlock)> = (plan.units.iter().enumerate())
            .flat_map(|(number, unit)| unit.blocks.iter().map(move |block| (number, *block)))
            .collect();
        let leads: Vec<usize> = plan.units.iter().map(|unit| lead_of(&plan, unit.unit)).collect();
        let periods = blocks.iter().map(|(unit, block)| (leads[*unit], block.period));
        Self {
            name: plan.link.clone(),
            line: plan.transport.line().copied(),
            numbers: plan
                .units
                .iter()
                .enumerate()
                .map(|(n, unit)| (unit.device.clone(), n))
                .collect(),
            health: plan.units.iter().map(|_| Health::default()).collect(),
            timetable: Timetable::new(plan.units.len(), periods, now),
            leads,
            blocks,
            doubts: BTreeMap::new(),
            link: Link::new(plan.transport.clone()),
            down_until: None,
            jobs: Jobs::default(),
            orders: ends.orders,
            stop: ends.stop,
            outlet: Outlet::new(ends.events),
            stats: ends.stats,
            line_used: now,
            writes_in_a_row: 0,
            plan,
        }
    }

    /// Works until it is told to stop, or nobody listens any more.
    pub async fn run(mut self) {
        while !self.is_stopped() {
            if self.turn().await == Err(Gone) {
                return;
            }
        }
        // A consumer that has gone cannot be told; one that is slow has the limit's time.
        let _ = timeout(STOP_LIMIT, self.say_goodbye()).await;
    }

    fn is_stopped(&self) -> bool {
        self.stop.has_changed().is_err() || *self.stop.borrow()
    }

    async fn turn(&mut self) -> Result<(), Gone> {
        let now = Instant::now();
        self.take_orders(now);
        if self.down_until.is_some_and(|until| until > now) {
            return self.sit_out(now).await;
        }
        let reads_wait = self.timetable.has_ready(now);
        if (self.writes_in_a_row < WRITES_IN_A_ROW_MAX || !reads_wait)
            && let Some((place, job)) = self.jobs.take(now)
        {
            self.writes_in_a_row += 1;
            return self.go_on_with(place, job).await;
        }
        self.writes_in_a_row = 0;
        match self.timetable.take(now) {
            Some(Task::Block(number)) => self.read_block(number).await,
            Some(Task::Probe(unit)) => self.probe(unit).await,
            None => self.wait(self.next_moment(now)).await,
        }
    }

    fn take_orders(&mut self, now: Instant) {
        while self.jobs.has_room() {
            let Ok(order) = self.orders.try_recv() else { return };
            self.take_order(order, now);
        }
    }

    fn take_order(&mut self, order: WriteJob, now: Instant) {
        // The handle accepts only devices of the plan.
        if let Some(unit) = self.numbers.get(&order.device).copied() {
            self.jobs.begin(order, unit, now);
        }
    }

    fn next_moment(&self, now: Instant) -> Instant {
        let moments = [self.timetable.next_due(), self.jobs.next_at()];
        moments.into_iter().flatten().min().unwrap_or(now + NOTHING_PLANNED)
    }

    async fn wait(&mut self, until: Instant) -> Result<(), Gone> {
        tokio::select! {
            biased;
            _ = self.stop.changed() => Ok(()),
            order = self.orders.recv(), if self.jobs.has_room() && !self.orders.is_closed() => {
                if let Some(order) = order {
                    self.take_order(order, Instant::now());
                }
                Ok(())
            }
            taken = self.outlet.flush_one(), if self.outlet.has_waiting() => taken,
            () = sleep_until(until) => Ok(()),
        }
    }

    async fn sit_out(&mut self, now: Instant) -> Result<(), Gone> {
        for job in self.jobs.drain() {
            self.cut_short(job, NotSent::LinkDown).await?;
        }
        self.wait(self.down_until.unwrap_or(now)).await
    }

    // ---- reads ----

    async fn read_block(&mut self, number: usize) -> Result<(), Gone> {
        let (unit, block) = self.blocks[number];
        if !self.open().await? {
            self.timetable
                .again(number, self.down_until.unwrap_or_else(Instant::now));
            return Ok(());
        }
        let asked_at = Instant::now();
        let answer = self.read(unit, &block.read).await?;
        let at = Instant::now();
        if answer == Err(FailReason::Busy) && BUSY_PAUSE < block.period {
            self.timetable.again(number, at + BUSY_PAUSE);
        } else {
            let missed = self.timetable.done(number, asked_at);
            self.count(unit, |unit| unit.ticks_skipped += missed);
        }
        let device = self.plan.units[unit].device.clone();
        let event = match answer {
            Ok(words) => BusEvent::Block {
                device,
                block: block.id,
                words,
                at,
            },
            Err(reason) => BusEvent::BlockFailed {
                device,
                block: block.id,
                reason,
                at,
            },
        };
        self.tell(event).await
    }

    async fn probe(&mut self, unit: usize) -> Result<(), Gone> {
        let Some(read) = self
            .devices_of(unit)
            .find_map(|number| self.plan.units[number].probe_read())
        else {
            // A unit that is only written to has nothing to be probed with: its next write is the probe.
            self.health[unit] = Health::default();
            self.timetable.unpark(unit, Instant::now());
            return Ok(());
        };
        if !self.open().await? {
            self.timetable.park(unit, self.down_until.unwrap_or_else(Instant::now));
            return Ok(());
        }
        // What follows, parking again or taking the blocks up, follows from the answer as from any other.
        self.read(unit, &read).await.map(|_| ())
    }

    /// Reads, after making sure that a late answer cannot be taken for this one's.
    async fn read(&mut self, unit: usize, read: &ReadOp) -> Result<Result<Vec<u16>, FailReason>, Gone> {
        if let Err(reason) = self.settle_doubt(unit, read).await? {
            return Ok(Err(reason));
        }
        match self.ask(unit, Question::Read(read)).await? {
            // Gateways close what is idle: a read does no harm twice, and the second tells.
            Err(FailReason::LinkLost) if !self.health[self.leads[unit]].is_quarantined() && self.open().await? => {
                self.ask(unit, Question::Read(read)).await
            }
            answer => Ok(answer),
        }
    }

    async fn settle_doubt(&mut self, unit: usize, read: &ReadOp) -> Result<Result<(), FailReason>, Gone> {
        let UnitPlan {
            unit: number,
            probe,
            quiet,
            ..
        } = self.plan.units[unit];
        let Some(doubt) = self.doubts.get(&number).filter(|doubt| doubt.covers(read)) else {
            return Ok(Ok(()));
        };
        if let Some(sounding) = doubt.sounding(read, probe) {
            self.count(unit, |unit| unit.soundings += 1);
            match self.ask(unit, Question::Read(&sounding)).await? {
                Ok(_) => return Ok(Ok(())),
                Err(reason) if reason.is_a_miss() => return Ok(Err(reason)),
                Err(_refused) => {}
            }
        }
        // The unit knows one length only: twice the silence is all there is.
        pace::until(Instant::now() + quiet, false).await;
        self.doubts.remove(&number);
        self.count_stray(self.link.discard());
        Ok(Ok(()))
    }

    // ---- writes ----

    async fn go_on_with(&mut self, place: usize, job: Job) -> Result<(), Gone> {
        if self.health[self.leads[job.unit]].is_quarantined() {
            return self.cut_short(job, NotSent::Quarantined).await;
        }
        if !self.open().await? {
            return self.cut_short(job, NotSent::LinkDown).await;
        }
        match job.stage {
            Stage::Writing => self.write_next(place, job).await,
            Stage::ReadingBack(outcome) => self.read_back(place, job, outcome).await,
        }
    }

    async fn write_next(&mut self, place: usize, mut job: Job) -> Result<(), Gone> {
        let Some(op) = job.order.ops.get(job.ops_done) else {
            return self.conclude(place, job, WriteOutcome::Done).await;
        };
        match self.ask(job.unit, Question::Write(op)).await? {
            Ok(_) => {
                job.ops_done += 1;
                job.busy = 0;
                if job.ops_done == job.order.ops.len() {
                    return self.conclude(place, job, WriteOutcome::Done).await;
                }
                self.jobs.put_back(place, job);
                Ok(())
            }
            Err(FailReason::Busy) if job.busy < BUSY_TRIES_MAX => {
                self.ask_again_later(place, job);
                Ok(())
            }
            Err(reason @ (FailReason::Busy | FailReason::Exception(_))) => {
                self.conclude(place, job, WriteOutcome::Refused(reason)).await
            }
            Err(reason) => self.conclude(place, job, WriteOutcome::Unsure(reason)).await,
        }
    }

    async fn read_back(&mut self, place: usize, job: Job, outcome: WriteOutcome) -> Result<(), Gone> {
        let Some(read) = job.order.verify else {
            return self.tell_written(job, outcome, None).await;
        };
        match self.read(job.unit, &read).await? {
            Err(FailReason::Busy) if job.busy < BUSY_TRIES_MAX => {
                self.ask_again_later(place, job);
                Ok(())
            }
            answer => self.tell_written(job, outcome, answer.ok()).await,
        }
    }

    fn ask_again_later(&mut self, place: usize, mut job: Job) {
        job.busy += 1;
        job.at = Instant::now() + BUSY_PAUSE;
        self.jobs.put_back(place, job);
    }

    /// The outcome is known; what is left is to read back, where that was wanted and something may have been written.
    async fn conclude(&mut self, place: usize, mut job: Job, outcome: WriteOutcome) -> Result<(), Gone> {
        if job.order.verify.is_none() {
            return self.tell_written(job, outcome, None).await;
        }
        job.stage = Stage::ReadingBack(outcome);
        job.at = Instant::now() + self.plan.units[job.unit].settle;
        job.busy = 0;
        self.jobs.put_back(place, job);
        Ok(())
    }

    /// Ends a job that cannot go on: what is known of it is told.
    async fn cut_short(&mut self, job: Job, because: NotSent) -> Result<(), Gone> {
        let outcome = match job.stage {
            Stage::Writing => WriteOutcome::NotSent(because),
            Stage::ReadingBack(outcome) => outcome,
        };
        self.tell_written(job, outcome, None).await
    }

    async fn tell_written(&mut self, job: Job, outcome: WriteOutcome, read_back: Option<Vec<u16>>) -> Result<(), Gone> {
        let result = WriteResult {
            outcome,
            ops_done: job.ops_done,
            read_back,
        };
        let WriteJob { device, ticket, .. } = job.order;
        self.tell(BusEvent::Written {
            device,
            ticket,
            result,
            at: Instant::now(),
        })
        .await
    }

    // ---- the line ----

    /// Opens the wire where needed; returns whether it is open.
    async fn open(&mut self) -> Result<bool, Gone> {
        let (state, is_open) = match self.link.open().await {
            Ok(false) => return Ok(true),
            Ok(true) => {
                self.count_bus(|bus| bus.opened += 1);
                let was_up = self.down_until.take().is_none() && self.has_been_up();
                if was_up {
                    return Ok(true);
                }
                (BusState::Up, true)
            }
            Err(fault) => {
                self.count_bus(|bus| bus.open_failed += 1);
                self.down_until = Some(fault.until);
                (
                    BusState::Down {
                        because: fault.because,
                        until: fault.until,
                    },
                    false,
                )
            }
        };
        self.tell(BusEvent::Bus {
            link: self.name.clone(),
            state,
            at: Instant::now(),
        })
        .await?;
        Ok(is_open)
    }

    fn has_been_up(&self) -> bool {
        self.stats.lock().unwrap_or_else(PoisonError::into_inner).opened > 1
    }

    /// Asks one question on an open wire, keeps the silences, and draws the conclusions about the unit and the wire.
    async fn ask(&mut self, unit: usize, question: Question<'_>) -> Result<Result<Vec<u16>, FailReason>, Gone> {
        let UnitPlan {
            unit: number,
            reply_limit,
            gap,
            quiet,
            ..
        } = self.plan.units[unit];
        self.keep_silence(gap).await;
        let limit = reply_limit
            + self
                .line
                .map_or(Duration::ZERO, |line| line.time_of(question.frame_bytes()));
        let answer = self.link.ask(number, question, limit).await;
        if let Err(reason) = answer
            && reason.spoils_the_link()
        {
            let discarded = self.link.recover(reason, quiet).await;
            self.count_stray(discarded);
        }
        self.line_used = Instant::now();
        self.note_doubt(number, question, &answer);
        let outcome = answer.as_ref().map(|_| ()).map_err(|reason| *reason);
        self.count(unit, |stats| stats.note(outcome, self.line_used));
        self.note_health(unit, outcome).await?;
        Ok(answer)
    }

    async fn keep_silence(&mut self, gap: Duration) {
        let silence = self.line.map_or(Duration::ZERO, |line| line.silence());
        if !(silence + gap).is_zero() {
            pace::until(self.line_used + silence + gap, self.line.is_some()).await;
        }
        if self.line.is_some() {
            // The reactor may not have seen yet what arrived during the silence.
            tokio::task::yield_now().await;
            let discarded = self.link.discard();
            self.count_stray(discarded);
        }
    }

    fn note_doubt(&mut self, number: u8, question: Question<'_>, answer: &Result<Vec<u16>, FailReason>) {
        let Question::Read(read) = question else { return };
        match answer {
            Err(reason) if self.line.is_some() && reason.spoils_the_link() => {
                self.doubts.entry(number).or_default().note(read);
            }
            Err(_) => {}
            Ok(_) => {
                if let Some(doubt) = self.doubts.get_mut(&number) {
                    doubt.settle(read);
                }
            }
        }
    }

    async fn note_health(&mut self, unit: usize, outcome: Result<(), FailReason>) -> Result<(), Gone> {
        let now = Instant::now();
        let lead = self.leads[unit];
        let state = match outcome {
            Err(FailReason::LinkDown) => None,
            Err(reason) if reason.is_a_miss() => self.health[lead].miss(now, &self.plan.patience, reason),
            _ => self.health[lead].good(),
        };
        let Some(state) = state else { return Ok(()) };
        match state {
            UnitState::Online => self.timetable.unpark(lead, now),
            UnitState::Quarantined { until, .. } => self.timetable.park(lead, until),
        }
        let devices: Vec<DeviceId> = self
            .devices_of(lead)
            .map(|number| self.plan.units[number].device.clone())
            .collect();
        for device in devices {
            self.tell(BusEvent::Unit { device, state, at: now }).await?;
        }
        Ok(())
    }

    /// The devices that share a unit number, by its first.
    fn devices_of(&self, lead: usize) -> impl Iterator<Item = usize> + use<'_> {
        (0..self.leads.len()).filter(move |number| self.leads[*number] == lead)
    }

    // ---- telling and counting ----

    async fn tell(&mut self, event: BusEvent) -> Result<(), Gone> {
        self.outlet.offer(event).await
    }

    fn count(&self, unit: usize, note: impl FnOnce(&mut UnitStats)) {
        note(&mut self.stats.lock().unwrap_or_else(PoisonError::into_inner).units[unit]);
    }

    fn count_bus(&self, note: impl FnOnce(&mut BusStats)) {
        let mut stats = self.stats.lock().unwrap_or_else(PoisonError::into_inner);
        stats.coalesced = self.outlet.coalesced();
        note(&mut stats);
    }

    fn count_stray(&self, bytes: usize) {
        if bytes > 0 {
            self.count_bus(|bus| bus.stray_bytes += bytes as u64);
        }
    }

    async fn say_goodbye(&mut self) -> Result<(), Gone> {
        self.orders.close();
        for job in self.jobs.drain() {
            self.cut_short(job, NotSent::Stopping).await?;
        }
        while let Ok(WriteJob { device, ticket, .. }) = self.orders.try_recv() {
            let result = WriteResult {
                outcome: WriteOutcome::NotSent(NotSent::Stopping),
                ops_done: 0,
                read_back: None,
            };
            self.tell(BusEvent::Written {
                device,
                ticket,
                result,
                at: Instant::now(),
            })
            .await?;
        }
        while self.outlet.has_waiting() {
            self.outlet.flush_one().await?;
        }
        Ok(())
    }
}

/// The first device of a unit number.
fn lead_of(plan: &BusPlan, number: u8) -> usize {
    plan.units
        .iter()
        .position(|unit| unit.unit == number)
        .unwrap_or_default()
}
