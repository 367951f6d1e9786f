//! What do one device's registers say, what of it is news, and is it to be believed?
//!
//! Registers are read again and again; the engine hears of a point when it changes, and once a minute as a sign of life:
//! a line that reads a hundred units a second would otherwise flood it with what it knows. A jump that a room cannot
//! make is believed when it is read twice.

use super::plan::{block_reads, profile_table, read_op};
use crate::device::modbus::ReadOp;
use crate::model::{Point, Quality, Reading, Value};
use crate::profile::{DeviceBinding, RegisterImage};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio::time::Instant;

/// An unchanged point is told again after this: shorter than any profile's limit of silence.
const SIGN_OF_LIFE_EVERY: Duration = Duration::from_secs(60);
/// A temperature that differs by more from one reading to the next is read a second time: air does not do that within a
/// period, a disturbed line does.
const JUMP_MAX_CELSIUS: f64 = 5.0;

/// One device on the bus.
#[derive(Debug)]
pub(super) struct Watched {
    /// How it speaks.
    pub binding: DeviceBinding,
    /// Its blocks, by their number.
    pub blocks: Vec<ReadOp>,
    /// Where each point stands.
    places: Vec<(Point, ReadOp)>,
    image: RegisterImage,
    believed: BTreeMap<Point, Said>,
    doubted: BTreeMap<Point, Reading>,
    /// What was written and may not show yet.
    written: BTreeMap<Point, (Value, Instant)>,
    answers: Option<bool>,
    told_online: Option<bool>,
}

#[derive(Debug)]
struct Said {
    quality: Quality,
    value: Option<Value>,
    told_at: Instant,
}

/// What came of a read.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Seen {
    /// What is news, and believed.
    pub readings: Vec<Reading>,
    /// Whether something must be read a second time.
    pub is_doubtful: bool,
    /// How many values a second reading did not bear out.
    pub disproved: usize,
}

impl Watched {
    /// Begins with nothing known.
    pub fn new(binding: DeviceBinding) -> Self {
        let reports = binding.profile().reports();
        let place = |point: &Point| Some((*point, read_op(binding.plan(&[*point], binding.plan_limits()).first()?)));
        let places = reports.iter().filter_map(place).collect();
        Self {
            blocks: block_reads(&binding).into_iter().map(|(read, _)| read).collect(),
            places,
            image: RegisterImage::default(),
            believed: BTreeMap::new(),
            doubted: BTreeMap::new(),
            written: BTreeMap::new(),
            answers: None,
            told_online: None,
            binding,
        }
    }

    /// Takes the words of a read. What was `awaited`, since we wrote it, is believed at once.
    pub fn read(&mut self, read: &ReadOp, words: &[u16], now: Instant, awaited: Option<Point>) -> Seen {
        let was_there = self.is_there();
        self.image.insert(profile_table(read.table), read.start, words);
        let mut seen = Seen::default();
        if self.is_there() != Some(true) {
            self.keep_presence_only();
            return seen;
        }
        // The gateway may say that the unit is there after its registers were read.
        let is_new = was_there != Some(true);
        let is_read = |place: &ReadOp| self.image.get(profile_table(place.table), place.start).is_some();
        let touched = |place: &ReadOp| covers(read, place) || is_new && is_read(place);
        let touched: BTreeSet<Point> = self
            .places
            .iter()
            .filter(|(_, place)| touched(place))
            .map(|(point, _)| *point)
            .collect();
        if touched.is_empty() {
            return seen;
        }
        for reading in self.binding.decode_registers(&self.image) {
            if touched.contains(&reading.point) {
                self.judge(reading, now, awaited, &mut seen);
            }
        }
        seen
    }

    fn judge(&mut self, reading: Reading, now: Instant, awaited: Option<Point>, seen: &mut Seen) {
        let point = reading.point;
        let first = self.doubted.remove(&point);
        if awaited != Some(point) && self.is_surprising(&reading) {
            if !first.is_some_and(|first| are_alike(&first, &reading)) {
                seen.is_doubtful = true;
                self.doubted.insert(point, reading);
                return;
            }
        } else if first.is_some() {
            seen.disproved += 1;
        }
        if self.believe(&reading, now) {
            seen.readings.push(reading);
        }
    }

    /// Whether a reading is one that only a disturbed line or a great event brings.
    fn is_surprising(&self, reading: &Reading) -> bool {
        let Some(before) = self.believed.get(&reading.point) else {
            return false;
        };
        match (&before.value, &reading.value) {
            (Some(Value::Temperature(a)), Some(Value::Temperature(b))) => is_jump(a.to_f64(), b.to_f64()),
            (Some(_), None) => reading.quality == Quality::InvalidRange,
            _ => false,
        }
    }

    /// Notes what is believed; returns whether the engine is to hear it.
    fn believe(&mut self, reading: &Reading, now: Instant) -> bool {
        let known = self.believed.get(&reading.point);
        let is_old = known.is_some_and(|said| {
            (said.quality, &said.value) == (reading.quality, &reading.value)
                && now.duration_since(said.told_at) < SIGN_OF_LIFE_EVERY
        });
        if !is_old {
            let said = Said {
                quality: reading.quality,
                value: reading.value.clone(),
                told_at: now,
            };
            self.believed.insert(reading.point, said);
        }
        !is_old
    }

    /// The value of a point as it was last believed.
    pub fn value(&self, point: Point) -> Option<&Value> {
        self.believed.get(&point)?.value.as_ref()
    }

    /// What the device is set to, as far as it is known: what it reports, and over it what we wrote and it may not show
    /// yet. Commands that follow each other on one block of registers must not undo each other.
    pub fn known(&mut self, now: Instant) -> BTreeMap<Point, Value> {
        self.written.retain(|_, (_, until)| *until > now);
        let believed = self
            .believed
            .iter()
            .filter_map(|(point, said)| Some((*point, said.value.clone()?)));
        let written = self.written.iter().map(|(point, (value, _))| (*point, value.clone()));
        believed.chain(written).collect()
    }

    /// Notes what is being written, and until when the device may show something else.
    pub fn write(&mut self, point: Point, value: Value, until: Instant) {
        self.written.insert(point, (value, until));
    }

    /// Forgets what was to be written: it was not.
    pub fn unwrite(&mut self, point: Point) {
        self.written.remove(&point);
    }

    /// Reads that bring these points, of those the device is asked anyway.
    pub fn blocks_of(&self, points: &[Point]) -> Vec<ReadOp> {
        let wanted: Vec<&ReadOp> = self
            .places
            .iter()
            .filter(|(point, _)| points.contains(point))
            .map(|(_, place)| place)
            .collect();
        self.blocks
            .iter()
            .filter(|block| wanted.iter().any(|place| covers(block, place)))
            .copied()
            .collect()
    }

    // ---- is it there? ----

    /// Notes whether the unit answers. What a silent one said is forgotten: it may come back otherwise.
    pub fn answers(&mut self, answers: bool) {
        self.answers = Some(answers);
        if !answers {
            self.forget();
        }
    }

    /// Forgets everything that was read.
    pub fn forget(&mut self) {
        self.image = RegisterImage::default();
        self.believed.clear();
        self.doubted.clear();
        self.written.clear();
    }

    /// Returns whether the device is there, when that has changed.
    pub fn presence_news(&mut self) -> Option<bool> {
        let online = match self.answers? {
            false => false,
            true => self.is_there()?,
        };
        (self.told_online.replace(online) != Some(online)).then_some(online)
    }

    /// Whether the device is behind its unit number; none while its gateway has not said all it can say of it.
    fn is_there(&self) -> Option<bool> {
        let Some(instances) = &self.binding.profile().file().instances else {
            return Some(true);
        };
        let is_present = instances
            .present
            .map_or(Some(true), |_| self.binding.is_present(&self.image));
        let is_lost = instances
            .fault
            .map_or(Some(false), |_| self.binding.is_unreachable(&self.image));
        Some(is_present? && !is_lost?)
    }

    /// Forgets the registers of a unit that is not there: gateways fill them with what was, or with zeros.
    fn keep_presence_only(&mut self) {
        if self.is_there().is_none() {
            return;
        }
        let mut kept = RegisterImage::default();
        for block in self.binding.presence_plan() {
            for addr in block.start..block.start.saturating_add(block.count) {
                kept.insert(block.table, addr, self.image.get(block.table, addr).as_slice());
            }
        }
        self.forget();
        self.image = kept;
    }
}

fn covers(read: &ReadOp, place: &ReadOp) -> bool {
    let end = |read: &ReadOp| u32::from(read.start) + u32::from(read.count);
    read.table == place.table && read.start <= place.start && end(read) >= end(place)
}

fn is_jump(a: f64, b: f64) -> bool {
    (a - b).abs() > JUMP_MAX_CELSIUS
}

/// Whether a second reading bears the first one out.
fn are_alike(first: &Reading, second: &Reading) -> bool {
    match (&first.value, &second.value) {
        (Some(a), Some(b)) => a.is_near(b, JUMP_MAX_CELSIUS),
        (None, None) => first.quality == second.quality,
        _ => false,
    }
}
