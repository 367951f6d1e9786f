//! What happened, and what would have happened?
//!
//! A recording is JSON lines: the records an engine started from, the events it was fed, and the effects it answered with.
//! [`Driver`] feeds an engine the way the daemon does, calling it at every deadline between two events, so the same lines
//! drive the real engine from a test, a notebook or a plant model (`innkeeper step`), or again later (`innkeeper replay`).
//! The format is described in `docs/recordings.md`.

mod steps;

use crate::engine::Engine;
use crate::model::{Effect, Event, Key, Moment, Property, Stamped};
use serde::{Deserialize, Serialize};
use std::io::{BufRead, Write};
use std::sync::Arc;
pub use steps::{Steps, Tally};

/// A driver that is not called for long catches up over at most so many deadlines for one event: more is a fault of a rule.
const DEADLINES_MAX: usize = 1_000_000;

/// What the engine answered at one moment.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Answer {
    /// When.
    pub at: Moment,
    /// What it wants done.
    pub effects: Vec<Effect>,
    /// When it wants to be called next.
    pub next: Option<Moment>,
}

/// One line of a recording, as read back.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Line {
    Record { key: Key, body: serde_json::Value },
    Input(Stamped),
    Output { at: Moment, effects: serde_json::Value },
}

/// Feeds an engine as the daemon does.
pub struct Driver {
    engine: Engine,
    now: Moment,
}

impl Driver {
    /// Takes an engine, new or restored.
    pub fn new(engine: Engine) -> Self {
        Self {
            engine,
            now: Moment::EARLIEST,
        }
    }

    /// The engine.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Calls the engine at each of its deadlines up to a moment. Returns the answers that want anything done.
    pub fn advance(&mut self, until: Moment) -> Vec<Answer> {
        let mut answers = Vec::new();
        for _ in 0..DEADLINES_MAX {
            let Some(answer) = self.at_deadline(until) else {
                break;
            };
            answers.extend(Some(answer).filter(|a| !a.effects.is_empty()));
        }
        answers
    }

    /// Calls the engine at the next of its deadlines, if that is not after this moment.
    pub fn at_deadline(&mut self, until: Moment) -> Option<Answer> {
        let due = self.engine.deadline().filter(|at| *at <= until)?;
        Some(self.step(due, Event::Deadline))
    }

    /// Lets the time pass up to an event, then feeds it. The last answer is the event's own.
    pub fn feed(&mut self, stamped: Stamped) -> Vec<Answer> {
        // A deadline at the very moment of the event is the event's own affair.
        let mut answers = self.advance(stamped.at + crate::model::Span::millis(-1));
        answers.push(self.step(stamped.at, stamped.event));
        answers
    }

    /// Feeds one event and nothing before it.
    pub fn step(&mut self, at: Moment, event: Event) -> Answer {
        self.now = self.now.max(at);
        let effects = self.engine.step(self.now, event);
        Answer {
            at: self.now,
            effects,
            next: self.engine.deadline(),
        }
    }
}

/// Writes a recording.
pub struct Recorder<W: Write> {
    to: W,
}

impl<W: Write> Recorder<W> {
    /// Begins a recording with the state that the engine starts from.
    ///
    /// # Errors
    /// Those of writing.
    pub fn begin(mut to: W, engine: &Engine, now: Moment) -> std::io::Result<Self> {
        for key in engine.keys() {
            let body = engine
                .record(&key)
                .and_then(|bytes| serde_json::from_slice::<serde_json::Value>(&bytes).ok());
            if let Some(body) = body {
                writeln!(to, "{}", serde_json::json!({ "key": key, "body": body }))?;
            }
        }
        let configured = Stamped {
            at: now,
            event: Event::Configured(Arc::clone(engine.property())),
        };
        writeln!(to, "{}", serde_json::to_string(&configured)?)?;
        Ok(Self { to })
    }

    /// Writes one event and what it was answered with.
    ///
    /// # Errors
    /// Those of writing.
    pub fn write(&mut self, stamped: &Stamped, answer: &Answer) -> std::io::Result<()> {
        writeln!(self.to, "{}", serde_json::to_string(stamped)?)?;
        writeln!(self.to, "{}", serde_json::to_string(answer)?)
    }

    /// Hands everything written to the system.
    ///
    /// # Errors
    /// Those of writing.
    pub fn flush(&mut self) -> std::io::Result<()> {
        self.to.flush()
    }
}

/// What a replay found.
#[derive(Debug, Default, Serialize)]
pub struct Comparison {
    /// Events fed.
    pub events: u64,
    /// Answers that were the same.
    pub same: u64,
    /// Answers that were not: when, what was done then, what would be done now.
    pub different: Vec<Difference>,
}

/// One answer that was not the same.
#[derive(Debug, Serialize)]
pub struct Difference {
    /// When.
    pub at: Moment,
    /// What was done.
    pub recorded: serde_json::Value,
    /// What would be done now.
    pub replayed: serde_json::Value,
}

/// A replay shows no more differences than this; it counts them all.
const DIFFERENCES_MAX: usize = 1000;

/// Why a recording could not be replayed.
#[derive(Debug, thiserror::Error)]
pub enum ReplayFault {
    /// It could not be read.
    #[error("the recording cannot be read: {0}")]
    Read(#[from] std::io::Error),
    /// A line is none of a recording.
    #[error("line {line} is not a line of a recording: {what}")]
    Line {
        /// Which line.
        line: usize,
        /// What is wrong.
        what: String,
    },
    /// No configuration is in it.
    #[error("the recording does not begin with records and a \"configured\" event")]
    NoProperty,
}

/// Runs a recording through this program's engine again and compares. With `candidate`, the events meet that property
/// instead of the recorded one: what would this change have done?
///
/// # Errors
/// Says which line cannot be read.
pub fn replay(input: impl BufRead, candidate: Option<Arc<Property>>) -> Result<Comparison, ReplayFault> {
    let mut records = Vec::new();
    let mut engine: Option<Engine> = None;
    let mut pending: Option<serde_json::Value> = None;
    let mut comparison = Comparison::default();
    for (number, line) in input.lines().enumerate() {
        let line = line?;
        let at_line = |what: String| ReplayFault::Line { line: number + 1, what };
        let parsed: Line = serde_json::from_str(&line).map_err(|fault| at_line(fault.to_string()))?;
        match (parsed, engine.as_mut()) {
            (Line::Record { key, body }, None) => records.push((key, body)),
            (
                Line::Input(Stamped {
                    at,
                    event: Event::Configured(recorded),
                }),
                None,
            ) => {
                let property = candidate.clone().unwrap_or(recorded);
                engine = Some(restored(property, &records, at).map_err(at_line)?);
            }
            (
                Line::Input(Stamped {
                    event: Event::Configured(_),
                    ..
                }),
                Some(_),
            ) if candidate.is_some() => {}
            (Line::Input(stamped), Some(engine)) => {
                let effects = engine.step(stamped.at, stamped.event);
                comparison.events += 1;
                pending = serde_json::to_value(effects).ok();
            }
            (Line::Output { at, effects }, Some(_)) => compare(&mut comparison, at, effects, pending.take()),
            (_, _) => return Err(ReplayFault::NoProperty),
        }
    }
    if engine.is_none() {
        Err(ReplayFault::NoProperty)
    } else {
        Ok(comparison)
    }
}

fn restored(property: Arc<Property>, records: &[(Key, serde_json::Value)], now: Moment) -> Result<Engine, String> {
    let mut engine = Engine::new(property)?;
    for (key, body) in records {
        let bytes = serde_json::to_vec(body).map_err(|fault| fault.to_string())?;
        engine.restore(key, &bytes).map_err(|fault| fault.to_string())?;
    }
    engine.resume(now);
    Ok(engine)
}

fn compare(comparison: &mut Comparison, at: Moment, recorded: serde_json::Value, replayed: Option<serde_json::Value>) {
    let Some(replayed) = replayed else { return };
    if recorded == replayed {
        comparison.same += 1;
    } else if comparison.different.len() < DIFFERENCES_MAX {
        comparison.different.push(Difference { at, recorded, replayed });
    }
}
