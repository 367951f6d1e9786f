//! Which block is to be read next?
//!
//! Earliest deadline first. A block is due on the ticks of its own grid and should be read before the next tick. A tick
//! that passes while the block still waits is skipped, never made up for in a bunch, and never moves the grid: the
//! period is kept without drift. Equal deadlines go in the order in which they last waited, which is turn by turn.
//! Time is an argument.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;
use tokio::time::Instant;

/// What the line may be used for next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Task {
    /// Read the block of this number.
    Block(usize),
    /// Ask the silent unit of this number.
    Probe(usize),
}

type Line = BinaryHeap<Reverse<(Instant, u64, Task)>>;

/// The blocks of one bus and when they are due. Each block stands in exactly one place: waiting, ready or parked.
#[derive(Debug)]
pub(super) struct Timetable {
    blocks: Vec<Block>,
    is_parked: Vec<bool>,
    waiting: Line,
    ready: Line,
    turn: u64,
}

#[derive(Debug)]
struct Block {
    unit: usize,
    period: Duration,
    due: Instant,
    is_parked: bool,
}

impl Timetable {
    /// Starts with every block due at once. A block is given as its unit's number and its period.
    pub fn new(units: usize, blocks: impl IntoIterator<Item = (usize, Duration)>, now: Instant) -> Self {
        let blocks: Vec<Block> = blocks
            .into_iter()
            .map(|(unit, period)| Block {
                unit,
                period,
                due: now,
                is_parked: false,
            })
            .collect();
        let mut table = Self {
            is_parked: vec![false; units],
            waiting: Line::new(),
            ready: Line::new(),
            turn: 0,
            blocks,
        };
        for number in 0..table.blocks.len() {
            table.await_tick(now, Task::Block(number));
        }
        table
    }

    /// Takes the task that is most urgent now. It must be given back by [`Timetable::done`] or [`Timetable::again`] (a
    /// block), or by [`Timetable::park`] or [`Timetable::unpark`] (a probe).
    pub fn take(&mut self, now: Instant) -> Option<Task> {
        self.release(now);
        while let Some(Reverse((_, _, task))) = self.ready.pop() {
            match task {
                Task::Block(number) if self.is_parked[self.blocks[number].unit] => {
                    self.blocks[number].is_parked = true;
                }
                task => return Some(task),
            }
        }
        None
    }

    /// Whether something is due.
    pub fn has_ready(&mut self, now: Instant) -> bool {
        self.release(now);
        !self.ready.is_empty()
    }

    /// When the next task is due that is not due yet.
    pub fn next_due(&self) -> Option<Instant> {
        self.waiting.peek().map(|Reverse((due, _, _))| *due)
    }

    /// Notes that a block was asked at this moment; returns how many ticks it had missed.
    pub fn done(&mut self, number: usize, asked_at: Instant) -> u64 {
        let block = &mut self.blocks[number];
        let late = asked_at.saturating_duration_since(block.due).as_nanos();
        let missed = (late / block.period.as_nanos().max(1)) as u64;
        let ticks = u32::try_from(missed.saturating_add(1)).unwrap_or(u32::MAX);
        block.due += block.period * ticks;
        self.await_tick(self.blocks[number].due, Task::Block(number));
        missed
    }

    /// Notes that a block should be asked again at this moment, before its next tick.
    pub fn again(&mut self, number: usize, at: Instant) {
        self.await_tick(at, Task::Block(number));
    }

    /// Leaves a unit's blocks alone and probes it at this moment.
    pub fn park(&mut self, unit: usize, probe_at: Instant) {
        self.is_parked[unit] = true;
        self.await_tick(probe_at, Task::Probe(unit));
    }

    /// Takes a unit's blocks up again: each is due now, and its grid starts anew.
    pub fn unpark(&mut self, unit: usize, now: Instant) {
        self.is_parked[unit] = false;
        for number in 0..self.blocks.len() {
            let block = &mut self.blocks[number];
            if block.unit == unit && std::mem::take(&mut block.is_parked) {
                block.due = now;
                self.await_tick(now, Task::Block(number));
            }
        }
    }

    fn await_tick(&mut self, at: Instant, task: Task) {
        self.turn += 1;
        self.waiting.push(Reverse((at, self.turn, task)));
    }

    fn release(&mut self, now: Instant) {
        while let Some(Reverse((due, turn, task))) = self.waiting.peek().copied() {
            if due > now {
                return;
            }
            self.waiting.pop();
            let deadline = match task {
                Task::Block(number) => due + self.blocks[number].period,
                Task::Probe(_) => due + PROBE_PATIENCE,
            };
            self.ready.push(Reverse((deadline, turn, task)));
        }
    }
}

/// How long a probe may wait behind what is more urgent: a silent unit is not urgent.
const PROBE_PATIENCE: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn serve(table: &mut Timetable, from: Instant, cost: Duration, until: Instant) -> Vec<(usize, Duration)> {
        let (mut now, mut served) = (from, Vec::new());
        while now < until {
            match table.take(now) {
                Some(Task::Block(number)) => {
                    table.done(number, now);
                    served.push((number, now - from));
                    now += cost;
                }
                _ => now = table.next_due().map_or(until, |due| due.max(now)),
            }
        }
        served
    }

    #[test]
    fn the_period_is_kept_without_drift() {
        let start = Instant::now();
        let mut table = Timetable::new(1, [(0, 100 * MS)], start);
        let served = serve(&mut table, start, 7 * MS, start + 1000 * MS);
        let at: Vec<u128> = served.iter().map(|(_, at)| at.as_millis()).collect();
        assert_eq!(at, [0, 100, 200, 300, 400, 500, 600, 700, 800, 900]);
    }

    #[test]
    fn missed_ticks_are_skipped_and_counted() {
        let start = Instant::now();
        let mut table = Timetable::new(1, [(0, 100 * MS)], start);
        assert_eq!(table.take(start + 350 * MS), Some(Task::Block(0)));
        assert_eq!(table.done(0, start + 350 * MS), 3);
        assert_eq!(table.take(start + 399 * MS), None);
        assert_eq!(table.next_due(), Some(start + 400 * MS));
    }

    #[test]
    fn an_overloaded_line_is_shared_turn_by_turn() {
        let start = Instant::now();
        let mut table = Timetable::new(16, (0..16).map(|unit| (unit, 100 * MS)), start);
        let served = serve(&mut table, start, 42 * MS, start + 60_000 * MS);
        let mut counts = [0u32; 16];
        for (number, _) in &served {
            counts[*number] += 1;
        }
        let (least, most) = (counts.iter().min().unwrap(), counts.iter().max().unwrap());
        assert!(most - least <= 1, "{counts:?}");
        assert_eq!(served.len(), 60_000usize.div_ceil(42), "the line never idles");
    }

    #[test]
    fn the_earlier_deadline_goes_first() {
        let start = Instant::now();
        let mut table = Timetable::new(2, [(0, 5000 * MS), (1, 100 * MS)], start);
        assert_eq!(table.take(start), Some(Task::Block(1)));
    }

    #[test]
    fn a_parked_unit_costs_one_probe_and_comes_back_whole() {
        let start = Instant::now();
        let mut table = Timetable::new(2, [(0, 100 * MS), (0, 100 * MS), (1, 100 * MS)], start);
        assert_eq!(table.take(start), Some(Task::Block(0)));
        table.park(0, start + 1000 * MS);
        table.done(0, start);
        let served = serve(&mut table, start, MS, start + 999 * MS);
        assert!(served.iter().all(|(number, _)| *number == 2), "{served:?}");
        let back = start + 1000 * MS;
        let mut tasks: Vec<Task> = std::iter::from_fn(|| table.take(back)).collect();
        tasks.sort();
        assert_eq!(tasks, [Task::Block(2), Task::Probe(0)]);
        table.done(2, back);
        table.unpark(0, back);
        assert_eq!(table.take(back), Some(Task::Block(0)));
        assert_eq!(table.take(back), Some(Task::Block(1)));
    }
}
