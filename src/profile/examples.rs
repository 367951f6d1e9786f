//! Does a profile do what its golden examples say?
//!
//! A row is one claim, written as JSON: bytes in and the readings they mean, a command in and the bytes it becomes or
//! why it is refused, the reads that bring its points. Rows stand in the profile (`[[example]]`) or beside it
//! (`device-profiles/tests/ID.jsonl`). A row that claims nothing is itself a fault.

use super::binding::{DeviceBinding, Encoded};
use super::format::Table;
use super::modbus::{ReadBlock, RegisterImage, Write};
use super::mqtt::{inferred_from_command, same_payload};
use super::rejection::{EncodeRefusal, Rejection};
use super::rtu::{read_frame, write_frame};
use super::topic::Parameters;
use super::{Profile, answer::ReadingLine};
use crate::model::{Moment, Point, Reading, Value};
use data_encoding::HEXLOWER;
use serde::Deserialize;
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The most rows run for one profile.
pub const ROWS_MAX: usize = 5000;

/// One claim.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Row {
    /// What the row shows, in words.
    pub name: String,
    /// The message's topic.
    pub topic: Option<String>,
    /// The message's payload; JSON that is no text is sent as it is written.
    pub payload: Option<Json>,
    /// Whether the message is delivered as retained.
    pub retained: bool,
    /// The device's parameters, where the topic does not tell them.
    pub parameters: Parameters,
    /// Gateways: which unit.
    pub index: Option<u16>,
    /// The address on the line; the profile's own when not said.
    pub unit: Option<u8>,
    /// The registers as read: table, address, word.
    pub registers: Option<BTreeMap<Table, BTreeMap<String, u16>>>,
    /// The readings: point, value, quality; or `["*", null, REASON]`.
    pub expect: Option<Vec<(String, Json, String)>>,
    /// Whether the message repeats an older one: a retained message, a bridge's cache.
    pub replayed: Option<bool>,
    /// Whether the message is the echo of a command: the device's own time is that of the row before.
    pub own_echo: Option<bool>,
    /// Whether the device (or the bridge) is there.
    pub availability: Option<bool>,
    /// What is commanded.
    pub command: Option<String>,
    /// Which value.
    pub value: Option<Json>,
    /// What the device last reported.
    pub state: Option<BTreeMap<String, Json>>,
    /// The message that the command becomes: topic, payload.
    pub publish: Option<(String, Json)>,
    /// The writes that the command becomes: table, address, words.
    pub writes: Option<Vec<(Table, u16, Vec<u16>)>>,
    /// The same, or the plan, as the bytes of a serial line.
    pub frames: Option<Vec<String>>,
    /// Why the command is refused.
    pub refused: Option<String>,
    /// The reads: table, start, count.
    pub plan: Option<Vec<(Table, u16, u16)>>,
    /// Evidence that stands beside the claim and is not checked: what the radio frame said, what the bridge sent on.
    pub frame_says_open: Option<Json>,
    /// Evidence: the frames that the bridge sent on.
    pub bridge_sends_zcl: Option<Json>,
    /// Evidence: the bytes that the maker's own encoder makes.
    pub vendor_encoder_hex: Option<Json>,
    /// Anything else worth saying.
    pub note: Option<Json>,
}

/// What became of a profile's rows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// How many rows were run.
    pub rows: usize,
    /// Those that do not hold.
    pub failures: Vec<Failure>,
}

/// A row that does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("row {row} ({name}): {wrong}")]
pub struct Failure {
    /// Which row, from 1.
    pub row: usize,
    /// Its name.
    pub name: String,
    /// What was expected and what came.
    pub wrong: String,
}

impl Report {
    /// Whether every row holds, and there is at least one.
    pub fn passed(&self) -> bool {
        self.rows > 0 && self.failures.is_empty()
    }
}

/// Reads rows, one JSON object a line.
///
/// # Errors
/// The lines that are no rows.
pub fn rows(text: &str) -> Result<Vec<Row>, Vec<Failure>> {
    let lines = text
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty())
        .take(ROWS_MAX);
    let mut taken = Vec::new();
    let mut failures = Vec::new();
    for (n, line) in lines {
        match serde_json::from_str(line) {
            Ok(row) => taken.push(row),
            Err(e) => failures.push(Failure {
                row: n + 1,
                name: "unreadable".into(),
                wrong: e.to_string(),
            }),
        }
    }
    if failures.is_empty() { Ok(taken) } else { Err(failures) }
}

/// Returns the rows that stand in the profile itself.
///
/// # Errors
/// The entries that are no rows.
pub fn own_rows(profile: &Profile) -> Result<Vec<Row>, Vec<Failure>> {
    let lines: Vec<String> = profile.file().example.iter().map(ToString::to_string).collect();
    rows(&lines.join("\n"))
}

/// Holds a profile to its rows.
pub fn run(profile: &Arc<Profile>, rows: &[Row]) -> Report {
    let mut runner = Runner {
        profile,
        times: BTreeMap::new(),
    };
    let outcome = |(n, row): (usize, &Row)| {
        let wrong = runner.row(row).err()?;
        Some(Failure {
            row: n + 1,
            name: row.name.clone(),
            wrong,
        })
    };
    Report {
        rows: rows.len(),
        failures: rows.iter().enumerate().filter_map(outcome).collect(),
    }
}

struct Runner<'a> {
    profile: &'a Arc<Profile>,
    /// The device's own time in the last message on each topic.
    times: BTreeMap<String, Option<Moment>>,
}

impl Runner<'_> {
    fn row(&mut self, row: &Row) -> Result<(), String> {
        if row.command.is_some() {
            return self.command(row);
        }
        match (&row.plan, &row.registers, &row.payload) {
            (Some(plan), ..) => self.plan(row, plan),
            (_, Some(registers), _) => self.registers(row, registers),
            (_, _, Some(payload)) => self.message(row, payload),
            _ => Err("the row gives nothing: write payload, registers, command or plan".into()),
        }
    }

    fn message(&mut self, row: &Row, payload: &Json) -> Result<(), String> {
        if row.expect.is_none() && row.availability.is_none() {
            return Err("the row claims nothing: write expect or availability".into());
        }
        let topic = row.topic.as_deref().ok_or("a payload needs its topic")?;
        let payload = payload.as_str().map_or_else(|| payload.to_string(), str::to_owned);
        let Some(binding) = self.heard(topic, &row.parameters) else {
            return self.rejected(row, Some(Rejection::Topic));
        };
        let decoded = binding.decode(topic, payload.as_bytes(), row.retained);
        if decoded.rejected.is_some() {
            return self.rejected(row, decoded.rejected);
        }
        if let Some(expect) = &row.expect {
            same_readings(expect, &decoded.readings)?;
        }
        let there = decoded.availability.or(decoded.bridge);
        if row.availability.is_some() && row.availability != there {
            return Err(format!("availability: expected {:?}, came {there:?}", row.availability));
        }
        let replayed = decoded
            .readings
            .iter()
            .any(|r| r.freshness == crate::model::Freshness::Replayed);
        if row.replayed.is_some_and(|expected| expected != replayed) {
            return Err(format!("replayed: expected {:?}, came {replayed}", row.replayed));
        }
        self.echo(
            row,
            topic,
            decoded.readings.first().and_then(|reading| reading.device_time),
        )
    }

    fn heard(&self, topic: &str, given: &Parameters) -> Option<DeviceBinding> {
        let mut parameters = super::mqtt::inferred(self.profile, topic)?;
        parameters.extend(given.clone());
        DeviceBinding::with_defaults(self.profile, parameters)
    }

    fn rejected(&self, row: &Row, rejection: Option<Rejection>) -> Result<(), String> {
        let came = rejection.map_or("nothing", Rejection::word);
        let general = match rejection {
            Some(Rejection::Forgotten) => "forgotten".to_owned(),
            Some(Rejection::Json | Rejection::NotAnObject) => "invalid:json".to_owned(),
            other => format!("invalid:{}", other.map_or("nothing", Rejection::word)),
        };
        match row.expect.as_deref() {
            Some([(star, Json::Null, word)]) if star == "*" && (*word == general || word == came) => Ok(()),
            _ => Err(format!("rejected as {came:?}")),
        }
    }

    /// An echo carries the device's old time, a real report a new one.
    fn echo(&mut self, row: &Row, topic: &str, time: Option<Moment>) -> Result<(), String> {
        let before = self.times.insert(topic.to_owned(), time);
        let Some(expected) = row.own_echo else { return Ok(()) };
        let echo = time.is_some() && before == Some(time);
        if echo == expected {
            Ok(())
        } else {
            Err(format!("own_echo: expected {expected}, came {echo}"))
        }
    }

    fn registers(&self, row: &Row, registers: &BTreeMap<Table, BTreeMap<String, u16>>) -> Result<(), String> {
        let expect = row.expect.as_ref().ok_or("the row claims nothing: write expect")?;
        let mut image = RegisterImage::default();
        for (table, words) in registers {
            for (addr, word) in words {
                let addr = addr.parse().map_err(|_| format!("{addr:?} is no register address"))?;
                image.insert(*table, addr, &[*word]);
            }
        }
        same_readings(expect, &self.unit(row)?.decode_registers(&image))
    }

    fn unit(&self, row: &Row) -> Result<DeviceBinding, String> {
        let mut given = row.parameters.clone();
        given.extend(row.index.map(|index| ("index".to_owned(), index.to_string())));
        DeviceBinding::with_defaults(self.profile, given).ok_or_else(|| "the parameters do not fit".to_owned())
    }

    /// Without an index the plan may be that of any unit behind the gateway.
    fn plan(&self, row: &Row, expect: &[(Table, u16, u16)]) -> Result<(), String> {
        let units = self
            .profile
            .file()
            .instances
            .as_ref()
            .map_or(0..=0, |all| all.index.min..=all.index.max);
        let units: Vec<u16> = row.index.map_or_else(|| units.collect(), |index| vec![index]);
        let plan = |index: u16| {
            let unit = self.unit(&Row {
                index: Some(index),
                ..row.clone()
            });
            let unit = if self.profile.file().instances.is_some() {
                unit
            } else {
                self.unit(row)
            }?;
            Ok::<_, String>(unit.plan(&self.profile.reports(), unit.plan_limits()))
        };
        let as_row = |blocks: &[ReadBlock]| blocks.iter().map(|b| (b.table, b.start, b.count)).collect::<Vec<_>>();
        let mut came = Vec::new();
        for index in units {
            came = plan(index)?;
            if as_row(&came) == expect {
                break;
            }
        }
        same("plan", &as_row(&came), &expect.to_vec())?;
        let address = self.address(row);
        let frames = came
            .iter()
            .map(|b| HEXLOWER.encode(&read_frame(address, b.table, b.start, b.count)));
        same_frames(row, frames.collect())
    }

    fn address(&self, row: &Row) -> u8 {
        let own = self
            .profile
            .modbus()
            .and_then(|link| link.unit)
            .map_or(1, |unit| unit.default);
        row.unit.unwrap_or(own)
    }

    fn command(&self, row: &Row) -> Result<(), String> {
        let point = self.point(row.command.as_deref().unwrap_or_default())?;
        let claims = row.publish.is_some() || row.writes.is_some() || row.frames.is_some() || row.refused.is_some();
        if !claims {
            return Err("the row claims nothing: write publish, writes, frames or refused".into());
        }
        match (self.encoded(row, point), &row.refused) {
            (Err(refusal), Some(expected)) => same("refused", &refusal.to_string(), expected),
            (Ok(encoded), Some(expected)) => Err(format!("refused: expected {expected:?}, came {encoded:?}")),
            (Err(refusal), None) => Err(format!("refused as {refusal:?}")),
            (Ok(Encoded::Publish { topic, payload }), None) => same_message(row, &topic, &payload),
            (Ok(Encoded::Writes(writes)), None) => self.same_writes(row, &writes),
        }
    }

    fn encoded(&self, row: &Row, point: Point) -> Result<Encoded, EncodeRefusal> {
        let written = row.value.clone().unwrap_or(Json::Null);
        let value = self.profile.read_argument(point, &written)?;
        let topic = row
            .publish
            .as_ref()
            .map(|(topic, _)| topic.as_str())
            .or(row.topic.as_deref());
        let mut given = topic
            .and_then(|topic| inferred_from_command(self.profile, point, topic))
            .unwrap_or_default();
        given.extend(row.parameters.clone());
        given.extend(row.index.map(|index| ("index".to_owned(), index.to_string())));
        let binding = DeviceBinding::with_defaults(self.profile, given).ok_or(EncodeRefusal::Command)?;
        binding.encode(point, &value, &self.known(row))
    }

    fn known(&self, row: &Row) -> BTreeMap<Point, Value> {
        let said = row.state.iter().flatten();
        let known = said.filter_map(|(name, scalar)| {
            let point = Point::from_name(name)?;
            Some((point, point.kind().read(scalar).ok()?))
        });
        known.collect()
    }

    fn same_writes(&self, row: &Row, writes: &[Write]) -> Result<(), String> {
        if let Some(expected) = &row.writes {
            let came: Vec<_> = writes.iter().map(|w| (w.table, w.addr, w.words.clone())).collect();
            same("writes", &came, expected)?;
        }
        let address = self.address(row);
        same_frames(
            row,
            writes
                .iter()
                .map(|write| HEXLOWER.encode(&write_frame(address, write)))
                .collect(),
        )
    }

    fn point(&self, name: &str) -> Result<Point, String> {
        Point::from_name(name).ok_or_else(|| format!("{name:?} is no point"))
    }
}

fn same_readings(expect: &[(String, Json, String)], came: &[Reading]) -> Result<(), String> {
    let lines: Vec<ReadingLine> = came.iter().map(ReadingLine::of).collect();
    let told = || {
        lines
            .iter()
            .map(|l| format!("[{}, {}, {}]", l.point, l.value, l.quality))
            .collect::<Vec<_>>()
    };
    let alike = lines.len() == expect.len()
        && lines.iter().zip(expect).all(|(line, (point, value, quality))| {
            line.point.name() == point && line.quality == quality && same_scalar(&line.value, value)
        });
    if alike {
        Ok(())
    } else {
        Err(format!(
            "expected {}, came [{}]",
            Json::from(shown(expect)),
            told().join(", ")
        ))
    }
}

fn shown(expect: &[(String, Json, String)]) -> Vec<String> {
    expect
        .iter()
        .map(|(point, value, quality)| format!("[{point}, {value}, {quality}]"))
        .collect()
}

fn same_scalar(a: &Json, b: &Json) -> bool {
    match (a.as_f64(), b.as_f64()) {
        (Some(a), Some(b)) => (a - b).abs() < 1e-9,
        _ => a == b,
    }
}

fn same_message(row: &Row, topic: &str, payload: &str) -> Result<(), String> {
    let (want_topic, want) = row.publish.as_ref().ok_or("a message came, the row claims registers")?;
    same("topic", &topic, &want_topic.as_str())?;
    let want = want.as_str().map_or_else(|| want.to_string(), str::to_owned);
    if same_payload(payload, &want) {
        Ok(())
    } else {
        Err(format!("payload: expected {want}, came {payload}"))
    }
}

fn same_frames(row: &Row, came: Vec<String>) -> Result<(), String> {
    match &row.frames {
        Some(expected) => same("frames", &came, expected),
        None => Ok(()),
    }
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, came: &T, expected: &T) -> Result<(), String> {
    if came == expected {
        Ok(())
    } else {
        Err(format!("{what}: expected {expected:?}, came {came:?}"))
    }
}
