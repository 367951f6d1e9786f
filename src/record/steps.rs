//! How does somebody outside drive the real engine, line by line, and know which answer belongs to which line?
//!
//! For a plant model, a test rig or a notebook at the other end of two pipes (`innkeeper step`). Lines may be fed one by one
//! or many at once: the answer to a line is the one that carries its number, and what was answered is handed on as soon as no
//! further whole line is waiting. The format is described in `docs/recordings.md`.

use super::{Answer, Driver, Recorder};
use crate::engine::Engine;
use crate::model::{Effect, Event, GuestToken, Moment, RoomId, Span, Stamped};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Result, Write};

/// An engine that is not called for long catches up over at most so many deadlines for one line: a thousand rooms for three
/// days. More is a fault of a rule, or of the rig.
const DEADLINES_MAX: usize = 1_000_000;
/// No more reasons of refusal are told apart in the end; the engine's own list is shorter.
const REASONS_MAX: usize = 64;

/// One line of input.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    at: Moment,
    event: Option<Event>,
    ask: Option<Question>,
}

/// What a rig may ask of the engine between two events. Asking changes nothing but the time.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Question {
    /// How a room stands, and what its model has learnt.
    Room(RoomId),
    /// What the property has learnt of its recoveries and arrivals.
    Planning,
    /// What is known of a guest's likes.
    Guest(GuestToken),
}

/// One answer, as it is written.
#[derive(Serialize)]
struct Written<'a> {
    at: Moment,
    effects: Vec<&'a Effect>,
    next: Option<Moment>,
    /// Whose answer it is; none at a deadline.
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u64>,
}

/// What was fed, and what of it was not taken.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Lines that were not empty.
    pub lines: u64,
    /// Lines that could not be read, or answered.
    pub rejected: u64,
    /// Events that the engine itself refused, by reason.
    pub refused: BTreeMap<String, u64>,
}

impl Tally {
    /// Whether everything was taken.
    pub fn is_clean(&self) -> bool {
        self.rejected == 0 && self.refused.is_empty()
    }
}

/// Drives an engine from JSON lines to JSON lines until the input ends. A line that cannot be read is answered with
/// `{"line": n, "rejected": "..."}` and does not stop the rest.
pub struct Steps<W: Write> {
    driver: Driver,
    output: W,
    only: Option<Vec<String>>,
    recorder: Option<Recorder<Box<dyn Write>>>,
    tally: Tally,
}

impl<W: Write> Steps<W> {
    /// Answers go to `output`.
    pub fn new(engine: Engine, output: W) -> Self {
        Self {
            driver: Driver::new(engine),
            output,
            only: None,
            recorder: None,
            tally: Tally::default(),
        }
    }

    /// Only effects of these kinds are written: most of the rest is of no use to a rig.
    pub fn only(mut self, kinds: Vec<String>) -> Self {
        self.only = Some(kinds);
        self
    }

    /// Everything is also written into a recording, to be replayed.
    ///
    /// # Errors
    /// Those of writing.
    pub fn record(mut self, to: Box<dyn Write>) -> Result<Self> {
        self.recorder = Some(Recorder::begin(to, self.driver.engine(), Moment::EARLIEST)?);
        Ok(self)
    }

    /// Answers every line of the input.
    ///
    /// # Errors
    /// Only those of reading and writing themselves.
    pub fn run(mut self, input: impl Read) -> Result<Tally> {
        let mut input = BufReader::new(input);
        let (mut line, mut number) = (Vec::new(), 0);
        while input.read_until(b'\n', &mut line)? > 0 {
            number += 1;
            self.line(number, &line)?;
            line.clear();
            // Whoever drives in closed loop waits for this answer, unless a whole line more is here already.
            if !input.buffer().contains(&b'\n') {
                self.output.flush()?;
            }
        }
        self.output.flush()?;
        if let Some(recorder) = &mut self.recorder {
            recorder.flush()?;
        }
        Ok(self.tally)
    }

    fn line(&mut self, number: u64, line: &[u8]) -> Result<()> {
        if line.trim_ascii().is_empty() {
            return Ok(());
        }
        self.tally.lines += 1;
        match serde_json::from_slice::<Line>(line) {
            Ok(Line {
                at,
                event: Some(event),
                ask: None,
            }) => self.feed(number, Stamped { at, event }),
            Ok(Line {
                at,
                event: None,
                ask: Some(question),
            }) => self.ask(number, at, &question),
            Ok(_) => self.reject(number, "a line has either an \"event\" or an \"ask\""),
            Err(fault) => self.reject(number, &fault.to_string()),
        }
    }

    fn feed(&mut self, number: u64, stamped: Stamped) -> Result<()> {
        // A deadline at the very moment of the event is the event's own affair.
        if !self.advance(number, stamped.at + Span::millis(-1))? {
            return Ok(());
        }
        let event = self.recorder.is_some().then(|| stamped.event.clone());
        let answer = self.driver.step(stamped.at, stamped.event);
        self.note(event, &answer)?;
        self.write(&answer, Some(number))
    }

    fn ask(&mut self, number: u64, at: Moment, question: &Question) -> Result<()> {
        if !self.advance(number, at)? {
            return Ok(());
        }
        let engine = self.driver.engine();
        let told = match question {
            Question::Room(room) => match engine.summary(room, at) {
                Some(told) => told,
                None => return self.reject(number, &format!("there is no room {room}")),
            },
            Question::Planning => engine.planning(),
            Question::Guest(guest) => serde_json::to_value(engine.preferences(guest, at))?,
        };
        let answer = serde_json::json!({ "at": at, "told": told, "next": engine.deadline(), "line": number });
        writeln!(self.output, "{answer}")
    }

    /// Calls the engine at each of its deadlines up to a moment. Returns whether it came to an end.
    fn advance(&mut self, number: u64, until: Moment) -> Result<bool> {
        for _ in 0..DEADLINES_MAX {
            let Some(answer) = self.driver.at_deadline(until) else {
                return Ok(true);
            };
            self.note(Some(Event::Deadline), &answer)?;
            if answer.effects.iter().any(|effect| self.is_wanted(effect)) {
                self.write(&answer, None)?;
            }
        }
        let fault =
            format!("the engine had {DEADLINES_MAX} deadlines before this; let less time pass between two lines");
        self.reject(number, &fault)?;
        Ok(false)
    }

    /// Counts what was refused, and records.
    fn note(&mut self, event: Option<Event>, answer: &Answer) -> Result<()> {
        for effect in &answer.effects {
            if let Effect::Refuse(refusal) = effect
                && (self.tally.refused.len() < REASONS_MAX || self.tally.refused.contains_key(&*refusal.reason))
            {
                *self.tally.refused.entry(refusal.reason.to_string()).or_default() += 1;
            }
        }
        match (&mut self.recorder, event) {
            (Some(recorder), Some(event)) => recorder.write(&Stamped { at: answer.at, event }, answer),
            _ => Ok(()),
        }
    }

    fn write(&mut self, answer: &Answer, line: Option<u64>) -> Result<()> {
        let effects = answer.effects.iter().filter(|effect| self.is_wanted(effect)).collect();
        let written = Written {
            at: answer.at,
            effects,
            next: answer.next,
            line,
        };
        serde_json::to_writer(&mut self.output, &written)?;
        self.output.write_all(b"\n")
    }

    fn is_wanted(&self, effect: &Effect) -> bool {
        let only = self.only.as_ref();
        only.is_none_or(|only| only.iter().any(|wanted| wanted == effect.kind()))
    }

    fn reject(&mut self, number: u64, what: &str) -> Result<()> {
        self.tally.rejected += 1;
        writeln!(
            self.output,
            "{}",
            serde_json::json!({ "line": number, "rejected": what })
        )
    }
}
