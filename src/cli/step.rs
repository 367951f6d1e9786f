//! What does the real engine do with these events, now or again?

use super::Configuration;
use crate::engine::Engine;
use crate::record::{replay, step_lines};
use anyhow::{Context, Result};
use clap::Args;
use std::fs::File;
use std::io::{BufReader, BufWriter, stdin, stdout};
use std::path::PathBuf;
use std::process::ExitCode;

/// Drives the real engine: JSON lines {"at", "event"} on standard input, {"at", "effects", "next"} on standard output.
/// Between two events the engine is called at each of its deadlines. docs/recordings.md tells the format.
#[derive(Debug, Args)]
pub struct Step {
    /// The configuration; device links are not opened
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<PathBuf>,
}

impl Step {
    /// Runs until the input ends.
    pub fn run(self) -> Result<ExitCode> {
        let (configured, _) = match (Configuration { paths: self.paths }).load() {
            Ok(loaded) => loaded,
            Err(code) => return Ok(code),
        };
        let engine = Engine::new(configured.property).map_err(anyhow::Error::msg)?;
        let rejected = step_lines(engine, stdin().lock(), BufWriter::new(stdout().lock()))?;
        Ok(if rejected == 0 {
            ExitCode::SUCCESS
        } else {
            ExitCode::from(1)
        })
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
