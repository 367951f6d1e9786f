//! Which registers are read, what do they say, and which registers tell the device something?

use super::binding::DeviceBinding;
use super::format::{At, BlockSpec, FlagBits, ModbusLink, Table, WordForm, WordOrder, WriteFunction, WriteSpec};
use super::lint::mask_of;
use super::meaning::Raw;
use super::rejection::EncodeRefusal;
use super::words::Scalar;
use super::{CommandModel, PointModel};
use crate::model::{Freshness, Point, Quality, Reading, Span, Value};
use std::collections::BTreeMap;

/// The most registers one read may ask for, by the standard.
const READ_WORDS_MAX: u16 = 125;

/// How often a point is read whose profile does not say.
const POLL: Span = Span::seconds(30);

/// What was read from a device: words of registers, and bits as 0 and 1.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RegisterImage {
    words: BTreeMap<(Table, u16), u16>,
}

impl RegisterImage {
    /// Puts words in, from `start` upwards; what would lie beyond register 65535 is dropped.
    pub fn insert(&mut self, table: Table, start: u16, words: &[u16]) {
        for (addr, word) in (start..=u16::MAX).zip(words) {
            self.words.insert((table, addr), *word);
        }
    }

    /// The word of a register, when it was read.
    pub fn get(&self, table: Table, addr: u16) -> Option<u16> {
        self.words.get(&(table, addr)).copied()
    }
}

/// How far reads may be joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlanLimits {
    /// The most registers in one read.
    pub max_read: u16,
    /// So many unused registers are read through to save a request.
    pub hole: u16,
}

/// One read request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadBlock {
    /// From which table.
    pub table: Table,
    /// The first register.
    pub start: u16,
    /// How many.
    pub count: u16,
    /// How often: as often as the most wanted of its points.
    pub period: Span,
}

/// One write request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Write {
    /// Into which table: `holding` or `coil`.
    pub table: Table,
    /// The first register.
    pub addr: u16,
    /// The words; for coils 0 or 1 each.
    pub words: Vec<u16>,
    /// The function code: 5, 6, 15 or 16.
    pub function: u8,
}

impl DeviceBinding {
    /// How far reads may be joined, as the profile says.
    pub fn plan_limits(&self) -> PlanLimits {
        let link = self.profile.modbus();
        PlanLimits {
            max_read: link.and_then(|link| link.max_read).unwrap_or(READ_WORDS_MAX),
            hole: link.and_then(|link| link.hole).unwrap_or(0),
        }
    }

    /// Returns the reads that bring these points, as few as may be: neighbours are joined, over small holes, never
    /// across a group, never longer than allowed.
    pub fn plan(&self, points: &[Point], limits: PlanLimits) -> Vec<ReadBlock> {
        let Some(link) = self.profile.modbus() else {
            return Vec::new();
        };
        let wanted = self
            .profile
            .points()
            .iter()
            .filter(|model| points.contains(&model.point));
        let mut single: Vec<ReadBlock> = wanted.filter_map(|model| self.read_of(model)).collect();
        single.sort_by_key(|block| (block.table.word(), block.start, block.count));
        let mut joined: Vec<ReadBlock> = Vec::new();
        for block in single {
            match joined.last_mut().and_then(|last| join(last, &block, link, limits)) {
                Some(both) => {
                    joined.pop();
                    joined.push(both);
                }
                None => joined.push(block),
            }
        }
        joined
    }

    fn read_of(&self, model: &PointModel) -> Option<ReadBlock> {
        let at = model.spec.at.as_ref()?;
        let period = model.spec.poll.map_or(POLL, |poll| poll.0);
        Some(ReadBlock {
            table: at.table,
            start: self.address(at)?,
            count: at.form.unwrap_or_default().words(),
            period,
        })
    }

    fn address(&self, at: &At) -> Option<u16> {
        self.place(at.addr, at.base, at.stride, at.word)
    }

    fn place(&self, addr: Option<u16>, base: Option<u16>, stride: Option<u16>, word: Option<u16>) -> Option<u16> {
        match (addr, base) {
            (Some(addr), _) => Some(addr),
            (None, Some(base)) => {
                let place = u32::from(base) + u32::from(stride.unwrap_or(0)) * u32::from(self.index);
                u16::try_from(place + u32::from(word.unwrap_or(0))).ok()
            }
            (None, None) => None,
        }
    }

    /// Returns the readings of every point of the profile; a register that was not read makes its point unknown.
    pub fn decode_registers(&self, image: &RegisterImage) -> Vec<Reading> {
        let reading = |model: &PointModel| {
            let (quality, value) = self.read_register(model, image);
            let device = self.device.clone();
            Reading {
                device,
                point: model.point,
                value,
                quality,
                freshness: Freshness::Live,
                device_time: None,
            }
        };
        self.profile.points().iter().map(reading).collect()
    }

    fn read_register(&self, model: &PointModel, image: &RegisterImage) -> (Quality, Option<Value>) {
        let raw = model
            .spec
            .at
            .as_ref()
            .and_then(|at| Some((at, self.words_of(at, image)?)));
        let Some((at, words)) = raw else {
            return (Quality::Unknown, None);
        };
        let order = at
            .word_order
            .or_else(|| self.profile.modbus()?.word_order)
            .unwrap_or_default();
        let unsigned = Raw::Number(unsigned(&words, order));
        if model.meaning.is_reserved(&unsigned) {
            return (Quality::InvalidReserved, None);
        }
        model
            .meaning
            .read(&raw_of(at, &words, order, !model.meaning.codes.is_empty()))
    }

    fn words_of(&self, at: &At, image: &RegisterImage) -> Option<Vec<u16>> {
        let first = self.address(at)?;
        (0..at.form.unwrap_or_default().words())
            .map(|n| image.get(at.table, first.checked_add(n)?))
            .collect()
    }

    /// Whether the unit exists behind its gateway; none when the gateway does not say, or was not asked.
    pub fn is_present(&self, image: &RegisterImage) -> Option<bool> {
        self.flag(image, self.profile.file().instances.as_ref()?.present.as_ref()?)
    }

    /// Whether the gateway says it cannot reach the unit.
    pub fn is_unreachable(&self, image: &RegisterImage) -> Option<bool> {
        self.flag(image, self.profile.file().instances.as_ref()?.fault.as_ref()?)
    }

    /// The reads that answer [`DeviceBinding::is_present`] and [`DeviceBinding::is_unreachable`].
    pub fn presence_plan(&self) -> Vec<ReadBlock> {
        let Some(instances) = &self.profile.file().instances else {
            return Vec::new();
        };
        let rows = [instances.present, instances.fault];
        let block = |row: FlagBits| {
            let start = row.addr.checked_add((row.bit0 + self.index) / 16)?;
            Some(ReadBlock {
                table: row.table,
                start,
                count: 1,
                period: Span::minutes(1),
            })
        };
        rows.into_iter().flatten().filter_map(block).collect()
    }

    fn flag(&self, image: &RegisterImage, row: &FlagBits) -> Option<bool> {
        let bit = row.bit0.checked_add(self.index)?;
        let word = image.get(row.table, row.addr.checked_add(bit / 16)?)?;
        Some(word >> (bit % 16) & 1 == 1)
    }

    /// Returns the writes that tell the device a value.
    pub(super) fn writes(
        &self,
        command: &CommandModel,
        value: &Value,
        raw: &Scalar,
        known: &BTreeMap<Point, Value>,
    ) -> Result<Vec<Write>, EncodeRefusal> {
        if let Some(name) = &command.spec.block {
            let block = self.profile.file().block.get(name).ok_or(EncodeRefusal::Command)?;
            return self.block(block, command, value, known).map(|write| vec![write]);
        }
        command.spec.write.iter().map(|spec| self.write(spec, raw)).collect()
    }

    fn write(&self, spec: &WriteSpec, raw: &Scalar) -> Result<Write, EncodeRefusal> {
        let link = self.profile.modbus();
        let addr = self
            .place(spec.addr, spec.base, spec.stride, spec.word)
            .ok_or(EncodeRefusal::Command)?;
        let number = match spec.value {
            Some(constant) => constant as f64,
            None => (number_of(raw)? - spec.offset.unwrap_or(0.0)) / spec.scale.unwrap_or(1.0),
        };
        if spec.table == Table::Coil {
            return Ok(Write {
                table: Table::Coil,
                addr,
                words: vec![u16::from(number != 0.0)],
                function: 5,
            });
        }
        let order = spec.word_order.or_else(|| link?.word_order).unwrap_or_default();
        let words = into_words(number, spec.form.unwrap_or_default(), order).ok_or(EncodeRefusal::Range)?;
        let function = match spec.function.or_else(|| link?.function) {
            Some(WriteFunction::Single) if words.len() == 1 => 6,
            None if words.len() == 1 => 6,
            _ => 16,
        };
        Ok(Write {
            table: spec.table,
            addr,
            words,
            function,
        })
    }

    fn block(
        &self,
        block: &BlockSpec,
        command: &CommandModel,
        value: &Value,
        known: &BTreeMap<Point, Value>,
    ) -> Result<Write, EncodeRefusal> {
        let mut words = vec![0_u16; usize::from(block.words)];
        for field in block
            .field
            .iter()
            .filter(|field| field.when.is_empty() || field.when.contains(&command.point))
        {
            let number = match (field.constant, field.point) {
                (Some(constant), _) => f64::from(constant),
                (None, Some(point)) if point == command.point => match command.accepts.raw(value)? {
                    Scalar::Number(n) => (n - field.offset.unwrap_or(0.0)) / field.scale.unwrap_or(1.0),
                    Scalar::Flag(flag) => f64::from(u8::from(flag)),
                    Scalar::Text(_) => return Err(EncodeRefusal::Value),
                },
                (None, Some(point)) => self.seed(point, field.scale, field.offset, known)?,
                (None, None) => return Err(EncodeRefusal::Command),
            };
            let mask = mask_of(field.bits);
            let shift = mask.trailing_zeros();
            let raw = into_words(number, WordForm::U16, WordOrder::HighFirst).ok_or(EncodeRefusal::Range)?[0];
            if u32::from(raw) > u32::from(mask >> shift) {
                return Err(EncodeRefusal::Range);
            }
            let word = words.get_mut(usize::from(field.word)).ok_or(EncodeRefusal::Command)?;
            *word = *word & !mask | raw << shift;
        }
        let addr = self
            .place(block.addr, block.base, block.stride, None)
            .ok_or(EncodeRefusal::Command)?;
        let single = block.function == Some(WriteFunction::Single) && words.len() == 1;
        Ok(Write {
            table: block.table,
            addr,
            words,
            function: if single { 6 } else { 16 },
        })
    }

    /// The raw number of a setting that must be told along, from what the device last reported of it.
    fn seed(
        &self,
        point: Point,
        scale: Option<f64>,
        offset: Option<f64>,
        known: &BTreeMap<Point, Value>,
    ) -> Result<f64, EncodeRefusal> {
        let missing = EncodeRefusal::Seed(point);
        let value = known.get(&point).ok_or(missing)?;
        let model = self.profile.point(point).ok_or(missing)?;
        match value.number() {
            Some(number) if model.meaning.codes.is_empty() => {
                Ok((number - offset.unwrap_or(0.0)) / scale.unwrap_or(1.0))
            }
            _ => model.meaning.raw_number(value).ok_or(missing),
        }
    }
}

impl Table {
    /// The table's name as profiles write it.
    pub const fn word(self) -> &'static str {
        match self {
            Table::Coil => "coil",
            Table::Discrete => "discrete",
            Table::Holding => "holding",
            Table::Input => "input",
        }
    }
}

/// Both reads as one, when they may be joined.
fn join(a: &ReadBlock, b: &ReadBlock, link: &ModbusLink, limits: PlanLimits) -> Option<ReadBlock> {
    let end = |block: &ReadBlock| u32::from(block.start) + u32::from(block.count);
    let last = end(a).max(end(b));
    let count = last - u32::from(a.start);
    let near = u32::from(b.start) <= end(a) + u32::from(limits.hole);
    let covered = end(b) <= end(a);
    let group = |addr: u16| {
        link.group
            .iter()
            .position(|g| g.table == a.table && (g.from..=g.to).contains(&addr))
    };
    let alike = a.table == b.table && group(a.start) == group(b.start);
    let fits = covered || count <= u32::from(limits.max_read.max(1));
    (alike && near && fits).then(|| ReadBlock {
        count: count as u16,
        period: a.period.min(b.period),
        ..*a
    })
}

fn unsigned(words: &[u16], order: WordOrder) -> f64 {
    f64::from(joined(words, order))
}

fn joined(words: &[u16], order: WordOrder) -> u32 {
    match (words, order) {
        ([one], _) => u32::from(*one),
        ([high, low], WordOrder::HighFirst) | ([low, high], WordOrder::LowFirst) => {
            u32::from(*high) << 16 | u32::from(*low)
        }
        _ => 0,
    }
}

fn raw_of(at: &At, words: &[u16], order: WordOrder, coded: bool) -> Raw<'static> {
    let whole = joined(words, order);
    let single = matches!(at.table, Table::Coil | Table::Discrete);
    let mask = at.mask.unwrap_or_else(|| mask_of(at.bits));
    if single || mask.count_ones() == 1 {
        let bit = u8::from(if single { whole != 0 } else { whole as u16 & mask != 0 });
        return if coded {
            Raw::Number(f64::from(bit))
        } else {
            Raw::Flag(bit == 1)
        };
    }
    Raw::Number(match at.form.unwrap_or_default() {
        WordForm::U16 => f64::from((whole as u16 & mask) >> mask.trailing_zeros()),
        WordForm::I16 => f64::from(whole as u16 as i16),
        WordForm::U32 => f64::from(whole),
        WordForm::I32 => f64::from(whole as i32),
        WordForm::F32 => f64::from(f32::from_bits(whole)),
    })
}

fn number_of(raw: &Scalar) -> Result<f64, EncodeRefusal> {
    match raw {
        Scalar::Number(n) => Ok(*n),
        Scalar::Flag(flag) => Ok(f64::from(u8::from(*flag))),
        Scalar::Text(_) => Err(EncodeRefusal::Value),
    }
}

/// A number as the words of a register type; none when it does not fit.
fn into_words(number: f64, form: WordForm, order: WordOrder) -> Option<Vec<u16>> {
    let whole = number.round();
    let fits = |least: f64, most: f64| (least..=most).contains(&whole).then_some(whole as i64);
    let bits = match form {
        WordForm::U16 => return Some(vec![fits(0.0, 65_535.0)? as u16]),
        WordForm::I16 => return Some(vec![fits(-32_768.0, 32_767.0)? as i16 as u16]),
        WordForm::U32 => fits(0.0, f64::from(u32::MAX))? as u32,
        WordForm::I32 => fits(f64::from(i32::MIN), f64::from(i32::MAX))? as i32 as u32,
        WordForm::F32 => (number as f32).is_finite().then(|| (number as f32).to_bits())?,
    };
    let (high, low) = ((bits >> 16) as u16, bits as u16);
    Some(if order == WordOrder::HighFirst {
        vec![high, low]
    } else {
        vec![low, high]
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_come_back_as_the_number_they_were_made_of() {
        for order in [WordOrder::HighFirst, WordOrder::LowFirst] {
            for (form, number) in [
                (WordForm::U16, 65_535.0),
                (WordForm::I16, -2.0),
                (WordForm::U32, 4_000_000_000.0),
                (WordForm::I32, -70_000.0),
                (WordForm::F32, 21.5),
            ] {
                let words = into_words(number, form, order).unwrap();
                let at = At {
                    table: Table::Holding,
                    addr: Some(0),
                    base: None,
                    stride: None,
                    word: None,
                    form: Some(form),
                    bits: None,
                    mask: None,
                    word_order: None,
                };
                assert_eq!(
                    raw_of(&at, &words, order, false),
                    Raw::Number(number),
                    "{form:?} {order:?}"
                );
            }
        }
        assert_eq!(into_words(65_536.0, WordForm::U16, WordOrder::HighFirst), None);
        assert_eq!(into_words(f64::NAN, WordForm::I16, WordOrder::HighFirst), None);
    }
}
