//! What does the real engine do with these events, now or again?

use super::Configuration;
use crate::engine::Engine;
use crate::model::Effect;
use crate::record::{Steps, Tally, replay};
use anyhow::{Context, Result};
use clap::Args;
use std::fs::File;
use std::io::{BufReader, BufWriter, stdin, stdout};
use std::path::PathBuf;
use std::process::ExitCode;

/// Drives the real engine: JSON lines {"at", "event"} on standard input, {"at", "effects", "next", "line"} on standard output.
/// Between two events the engine is called at each of its deadlines. docs/recordings.md tells the format.
#[derive(Debug, Args)]
pub struct Step {
    /// The configuration; device links are not opened
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<PathBuf>,
    /// Writes only effects of these kinds: command, report, save, forget, refuse, note
    #[arg(long, value_name = "KINDS", value_delimiter = ',', value_parser = Effect::KINDS)]
    only: Option<Vec<String>>,
    /// Also writes a recording, for `innkeeper replay`
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
}

impl Step {
    /// Runs until the input ends. Status 1 when a line was rejected or an event refused; what, is told in the end.
    pub fn run(self) -> Result<ExitCode> {
        let (configured, _) = match (Configuration { paths: self.paths }).load() {
            Ok(loaded) => loaded,
            Err(code) => return Ok(code),
        };
        let engine = Engine::new(configured.property).map_err(anyhow::Error::msg)?;
        let mut steps = Steps::new(engine, BufWriter::new(stdout().lock()));
        if let Some(only) = self.only {
            steps = steps.only(only);
        }
        if let Some(path) = &self.record {
            let file = File::create(path).with_context(|| path.display().to_string())?;
            steps = steps.record(Box::new(BufWriter::new(file)))?;
        }
        let tally = steps.run(stdin().lock())?;
        tell(&tally);
        Ok(if tally.is_clean() {
            ExitCode::SUCCESS
        } else {
            ExitCode::from(1)
        })
    }
}

/// What a rig's engineer would otherwise find out late: that nobody understood it.
fn tell(tally: &Tally) {
    if tally.rejected > 0 {
        eprintln!("innkeeper: {} of {} lines rejected", tally.rejected, tally.lines);
    }
    for (reason, count) in &tally.refused {
        eprintln!("innkeeper: {count} events refused: {reason}");
    }
}

/// Runs a recording again and compares.
#[derive(Debug, Args)]
pub struct Replay {
    /// The recording, made with `innkeeper run --record FILE`
    recording: PathBuf,
    /// Replays against this configuration instead of the recorded one: what would the change have done?
    #[arg(short, long = "config", value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Prints one JSON object
    #[arg(long)]
    json: bool,
}

impl Replay {
    /// Prints each answer that differs; status 1 when there is one.
    pub fn run(self) -> Result<ExitCode> {
        let candidate = if self.paths.is_empty() {
            None
        } else {
            match (Configuration { paths: self.paths }).load() {
                Ok((configured, _)) => Some(configured.property),
                Err(code) => return Ok(code),
            }
        };
        let file = File::open(&self.recording).with_context(|| self.recording.display().to_string())?;
        let comparison = replay(BufReader::new(file), candidate)?;
        if self.json {
            println!("{}", serde_json::to_string(&comparison)?);
        } else {
            for difference in &comparison.different {
                println!(
                    "{}\n  was {}\n  now {}",
                    difference.at, difference.recorded, difference.replayed
                );
            }
            let (events, same, different) = (comparison.events, comparison.same, comparison.different.len());
            println!("{events} events, {same} answers the same, {different} different");
        }
        Ok(if comparison.different.is_empty() {
            ExitCode::SUCCESS
        } else {
            ExitCode::from(1)
        })
    }
}
