//! Can the line carry this plan, and how old can a reading get?
//!
//! Pure arithmetic for the configuration check: no line is touched. The bus reads by earliest deadline first, one question
//! at a time, each block at most once in its period (`modbus::timetable`). A question that waits from its tick can be kept
//! waiting by
//! * one exchange already on the line, whatever its deadline;
//! * of every other block, the question already due, and those that become due before it with an earlier deadline;
//! * one burst of writes;
//! * of every silent unit, the misses until it is left alone, and the probes that fall into the wait.
//!
//! The sum is a fixed point (the longer the wait, the more falls into it). A reading is then at most one period plus one
//! wait older than the one before, also on a line that carries too much, since missed ticks are skipped.

use super::modbus::{BlockId, BusPlan, LineSettings, PollBlock, Transport, UnitPlan, WRITES_IN_A_ROW_MAX, WriteOp};
use crate::model::DeviceId;
use std::collections::BTreeSet;
use std::time::Duration;

/// What the daemon itself adds to an exchange on an idle machine: a wake-up, a timer's tick.
const OWN_OVERHEAD: Duration = Duration::from_micros(1500);
/// Above this share of the line nothing is left for writes and probes.
const UTILISATION_MAX: f64 = 0.90;
/// Rounds of the fixed point; a wait that still grows has no bound worth telling.
const ROUNDS_MAX: usize = 200;
/// A wait beyond this is told as this.
const WAIT_MAX: Duration = Duration::from_secs(3600);
/// The baud rates a proposal may name.
const BAUDS: [u32; 5] = [9_600, 19_200, 38_400, 57_600, 115_200];

/// Whether a plan fits its line, and what to change when it does not.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// The share of the line's time that reads take while every unit answers.
    pub utilisation: f64,
    /// The most time between two readings of each block, in the order of the plan.
    pub refresh_worst: Vec<RefreshBound>,
    /// Whether every block is read in each of its periods while every unit answers, with room left for writes.
    pub fits: bool,
    /// What would make it fit; none when it does.
    pub proposal: Option<String>,
}

/// The most time between two readings of one block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefreshBound {
    /// The device.
    pub device: DeviceId,
    /// Its block.
    pub block: BlockId,
    /// While every unit answers.
    pub all_answer: Duration,
    /// While one other unit falls silent.
    pub one_silent: Duration,
    /// While two other units fall silent at once.
    pub two_silent: Duration,
}

/// Says whether the line can carry the plan.
pub fn schedulability(plan: &BusPlan) -> Verdict {
    let jobs = jobs(plan);
    let utilisation = utilisation(&jobs);
    let silences = silences(plan);
    let burst = write_burst(plan);
    let wait = |i: usize, silent: usize| {
        wait_worst(
            &jobs,
            i,
            burst,
            &silences_beside(&silences, plan.units[jobs[i].unit].unit, silent),
        )
    };
    let refresh_worst = (0..jobs.len())
        .map(|i| RefreshBound {
            device: plan.units[jobs[i].unit].device.clone(),
            block: jobs[i].block.id,
            all_answer: jobs[i].block.period + wait(i, 0),
            one_silent: jobs[i].block.period + wait(i, 1),
            two_silent: jobs[i].block.period + wait(i, 2),
        })
        .collect();
    let fits = fits(&jobs, burst);
    Verdict {
        utilisation,
        refresh_worst,
        fits,
        proposal: (!fits).then(|| proposal(plan)),
    }
}

struct Job<'a> {
    unit: usize,
    block: &'a PollBlock,
    cost: Duration,
}

/// What a silent unit takes from the line: each miss or probe, and how often.
struct Silence {
    number: u8,
    cost: Duration,
    misses: u32,
    first: Duration,
    longest: Duration,
}

fn jobs(plan: &BusPlan) -> Vec<Job<'_>> {
    let cost = |unit: &UnitPlan, block: &PollBlock| {
        let (question, answer) = block.read.frame_bytes();
        exchange_time(plan.transport.line(), unit, question + answer)
    };
    (plan.units.iter().enumerate())
        .flat_map(|(n, unit)| {
            unit.blocks.iter().map(move |block| Job {
                unit: n,
                block,
                cost: cost(unit, block),
            })
        })
        .collect()
}

/// The time of one exchange: both silences, both frames, the device's own time.
fn exchange_time(line: Option<&LineSettings>, unit: &UnitPlan, bytes: usize) -> Duration {
    let on_the_line = line.map_or(Duration::ZERO, |line| line.time_of(bytes) + 2 * line.silence());
    on_the_line + unit.gap + unit.reply_usual + OWN_OVERHEAD
}

fn utilisation(jobs: &[Job<'_>]) -> f64 {
    jobs.iter()
        .map(|job| job.cost.as_secs_f64() / job.block.period.as_secs_f64())
        .sum()
}

fn write_burst(plan: &BusPlan) -> Duration {
    let (question, answer) = WriteOp::Register { address: 0, value: 0 }.frame_bytes();
    let longest = plan
        .units
        .iter()
        .map(|unit| exchange_time(plan.transport.line(), unit, question + answer))
        .max();
    longest.unwrap_or_default() * WRITES_IN_A_ROW_MAX
}

fn silences(plan: &BusPlan) -> Vec<Silence> {
    let silence = |unit: &UnitPlan| {
        let bytes = unit
            .blocks
            .iter()
            .map(|b| b.read.frame_bytes())
            .map(|(q, a)| q + a)
            .max()
            .unwrap_or(16);
        let quiet = plan.transport.line().map_or(Duration::ZERO, |_| unit.quiet);
        Silence {
            number: unit.unit,
            cost: exchange_time(plan.transport.line(), unit, bytes) + unit.reply_limit + quiet,
            misses: plan.patience.misses,
            first: plan.patience.first,
            longest: plan.patience.longest,
        }
    };
    let mut all: Vec<Silence> = plan.units.iter().map(silence).collect();
    all.sort_by_key(|silence| std::cmp::Reverse(silence.cost));
    // Devices behind one unit number fall silent together, and are probed as one.
    let mut seen = BTreeSet::new();
    all.retain(|silence| seen.insert(silence.number));
    all
}

/// The costliest so many silences of other units.
fn silences_beside(all: &[Silence], number: u8, count: usize) -> Vec<&Silence> {
    all.iter()
        .filter(|silence| silence.number != number)
        .take(count)
        .collect()
}

/// The longest from a block's tick to its answer.
fn wait_worst(jobs: &[Job<'_>], i: usize, burst: Duration, silent: &[&Silence]) -> Duration {
    let blocking = jobs.iter().map(|job| job.cost).max().unwrap_or_default();
    let mut wait = blocking + jobs[i].cost + burst;
    for _ in 0..ROUNDS_MAX {
        let others: Duration = (0..jobs.len())
            .filter(|j| *j != i)
            .map(|j| jobs[j].cost * turns_before(&jobs[j], &jobs[i], wait))
            .sum();
        let probes: Duration = silent
            .iter()
            .map(|silence| silence.cost * silence.times_within(wait))
            .sum();
        let next = blocking + jobs[i].cost + burst + others + probes;
        if next <= wait || next > WAIT_MAX {
            return next.min(WAIT_MAX);
        }
        wait = next;
    }
    WAIT_MAX
}

/// How often `other` may go before `this` within a wait: once for what is due already, and for each later tick whose
/// deadline is still the earlier one.
fn turns_before(other: &Job<'_>, this: &Job<'_>, wait: Duration) -> u32 {
    let window = wait.min(this.block.period.saturating_sub(other.block.period));
    1 + ratio_up(window, other.block.period)
}

fn ratio_up(length: Duration, period: Duration) -> u32 {
    u32::try_from(length.as_nanos().div_ceil(period.as_nanos().max(1))).unwrap_or(u32::MAX)
}

impl Silence {
    /// Misses and probes that can fall into a wait, from the moment the unit falls silent.
    fn times_within(&self, wait: Duration) -> u32 {
        let (mut count, mut pause, mut at) = (self.misses, self.first, self.first);
        while at <= wait && !pause.is_zero() {
            count += 1;
            pause = (pause * 2).min(self.longest);
            at += pause;
        }
        count
    }
}

fn fits(jobs: &[Job<'_>], burst: Duration) -> bool {
    utilisation(jobs) <= UTILISATION_MAX
        && (0..jobs.len()).all(|i| wait_worst(jobs, i, burst, &[]) <= jobs[i].block.period)
}

fn plan_fits(plan: &BusPlan) -> bool {
    fits(&jobs(plan), write_burst(plan))
}

/// Names each single change that makes the plan fit.
fn proposal(plan: &BusPlan) -> String {
    let changes = [longer_periods(plan), higher_baud(plan), fewer_registers(plan)];
    let ways: Vec<String> = changes.into_iter().flatten().collect();
    if ways.is_empty() {
        "the line cannot carry this plan; put part of its units on a second line".into()
    } else {
        ways.join(", or ")
    }
}

fn longer_periods(plan: &BusPlan) -> Option<String> {
    let tenths = (11..=600).find(|tenths| plan_fits(&with_blocks(plan, |b| b.period = b.period * *tenths / 10)))?;
    let shortest = plan
        .units
        .iter()
        .flat_map(|unit| &unit.blocks)
        .map(|block| block.period)
        .min()?;
    let longer = (shortest * tenths / 10).as_secs_f64();
    Some(format!(
        "make the periods {}.{} times as long ({:.1} s becomes {longer:.1} s)",
        tenths / 10,
        tenths % 10,
        shortest.as_secs_f64()
    ))
}

fn higher_baud(plan: &BusPlan) -> Option<String> {
    let now = plan.transport.line()?.baud;
    let baud = BAUDS
        .into_iter()
        .filter(|baud| *baud > now)
        .find(|baud| plan_fits(&with_baud(plan, *baud)))?;
    Some(format!("run the line at {baud} baud"))
}

fn fewer_registers(plan: &BusPlan) -> Option<String> {
    let fits = |percent: u32| plan_fits(&with_blocks(plan, |b| b.read.count = shrunk(b.read.count, percent)));
    let percent = (1..10).map(|tenth| 100 - tenth * 10).find(|percent| fits(*percent))?;
    Some(format!("read {} % fewer registers", 100 - percent))
}

fn shrunk(count: u16, percent: u32) -> u16 {
    (u32::from(count) * percent / 100).max(1) as u16
}

fn with_blocks(plan: &BusPlan, change: impl Fn(&mut PollBlock)) -> BusPlan {
    let mut plan = plan.clone();
    plan.units.iter_mut().flat_map(|unit| &mut unit.blocks).for_each(change);
    plan
}

fn with_baud(plan: &BusPlan, baud: u32) -> BusPlan {
    let mut plan = plan.clone();
    if let Transport::Serial { line, .. } | Transport::RtuOverTcp { line, .. } = &mut plan.transport {
        line.baud = baud;
    }
    plan
}

#[cfg(test)]
mod tests {
    use super::super::modbus::{Patience, ReadOp, Table};
    use super::*;
    use crate::model::LinkId;

    const MS: Duration = Duration::from_millis(1);

    fn plan(units: u8, count: u16, period: Duration, baud: u32) -> BusPlan {
        let unit = |number: u8| UnitPlan {
            unit: number,
            device: DeviceId::new(format!("fcu-{number}")).unwrap(),
            blocks: vec![PollBlock {
                id: BlockId(0),
                read: ReadOp {
                    table: Table::HoldingRegisters,
                    start: 0,
                    count,
                },
                period,
            }],
            reply_limit: 300 * MS,
            reply_usual: 20 * MS,
            gap: Duration::ZERO,
            quiet: 300 * MS,
            settle: Duration::ZERO,
            probe: None,
        };
        BusPlan {
            link: LinkId::new("bus-1").unwrap(),
            transport: Transport::Serial {
                path: "/dev/null".into(),
                line: LineSettings {
                    baud,
                    ..Default::default()
                },
            },
            units: (1..=units).map(unit).collect(),
            patience: Patience::default(),
        }
    }

    #[test]
    fn a_full_segment_of_thermostats_needs_the_four_seconds_the_field_tells() {
        // 32 units of 20 registers: (8 + 45) * 10 / 9600 + 2 * 4.01 ms + 20 ms + our own 1.5 ms = 84.7 ms each.
        let verdict = schedulability(&plan(32, 20, Duration::from_secs(4), 9600));
        assert!(
            (verdict.utilisation - 32.0 * 0.0847 / 4.0).abs() < 0.01,
            "{}",
            verdict.utilisation
        );
        assert!(verdict.fits, "{verdict:?}");
        assert_eq!(verdict.proposal, None);
    }

    #[test]
    fn what_does_not_fit_is_told_with_what_would() {
        let verdict = schedulability(&plan(32, 20, Duration::from_secs(2), 9600));
        assert!(!verdict.fits && verdict.utilisation > 1.0);
        let proposal = verdict.proposal.unwrap();
        assert!(
            proposal.contains("2.0 s becomes") && proposal.contains("baud"),
            "{proposal}"
        );
        println!("{proposal}");
    }

    #[test]
    fn each_silent_unit_lengthens_the_bound() {
        let verdict = schedulability(&plan(16, 10, Duration::from_secs(2), 9600));
        for bound in &verdict.refresh_worst {
            assert!(
                bound.all_answer < bound.one_silent && bound.one_silent < bound.two_silent,
                "{bound:?}"
            );
            assert!(bound.all_answer <= Duration::from_secs(4), "{bound:?}");
        }
    }

    #[test]
    fn a_proposal_that_is_followed_fits() {
        for units in [20, 40, 60] {
            let tight = plan(units, 30, Duration::from_secs(2), 9600);
            let Some(text) = longer_periods(&tight) else {
                panic!("{units} units")
            };
            let factor: f64 = text.split_whitespace().nth(3).unwrap().parse().unwrap();
            let tenths = (factor * 10.0).round() as u32;
            assert!(!plan_fits(&tight));
            assert!(
                plan_fits(&with_blocks(&tight, |b| b.period = b.period * tenths / 10)),
                "{text}"
            );
        }
    }
}
