//! How right is the inference, on a file of the engineer's own?

use crate::evaluate::{Fault, Input, habit, merges, occupancy, preference, thermal};
use anyhow::Result;
use clap::{Args, Subcommand};
use std::fs::File;
use std::io::{BufReader, BufWriter, Write, sink};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// What is judged. docs/evaluate.md tells the forms of the files and the names of the figures.
#[derive(Debug, Subcommand)]
pub enum Evaluate {
    /// Is somebody there, and asleep? Runs the engine over a log of door, motion and bed sensors
    Occupancy {
        /// JSON lines {"room", "t", "k", "v"}
        #[arg(required_unless_present = "generate")]
        events: Option<PathBuf>,
        /// JSON lines with what was really so
        #[arg(long, value_name = "FILE")]
        truth: Option<PathBuf>,
        /// Needs no file: a hotel is made up from this seed
        #[arg(long, value_name = "SEED", conflicts_with_all = ["events", "truth"])]
        generate: Option<u64>,
        /// How many rooms are made up
        #[arg(long, value_name = "N", default_value_t = 40)]
        rooms: usize,
        /// With this sensor of every room broken from a moment of the stay on
        #[arg(long, value_name = "FAULT")]
        broken: Option<occupancy::Broken>,
        /// What the moments are made from
        #[arg(long, value_name = "SEED", default_value_t = 1)]
        broken_seed: u64,
        #[command(flatten)]
        common: Common,
    },
    /// How well are likes known, stay by stay?
    Preference {
        /// Guests, one a line: figures, choices, or both
        file: PathBuf,
        #[command(flatten)]
        common: Common,
    },
    /// Foreseen wishes: what recurs, and when does it come?
    Habit {
        /// Guests with their nights, JSON lines
        file: PathBuf,
        #[command(flatten)]
        common: Common,
    },
    /// How well is a room's temperature foreseen, and how long a recovery takes?
    Thermal {
        /// Rooms at five minutes, comma-separated
        file: PathBuf,
        #[command(flatten)]
        common: Common,
    },
    /// Is the room right when the door opens, and at what price? Needs no file: the hotel is made up
    Preparation(super::preparation::Preparation),
    /// Does every order in which gateways hear of a guest lead to the same answers? Needs no file
    Merges {
        /// How many histories
        #[arg(long, default_value_t = 100_000, value_name = "N")]
        count: u64,
        /// What they are made from
        #[arg(long, default_value_t = 1, value_name = "S")]
        seed: u64,
        /// Prints one JSON object of metrics
        #[arg(long)]
        json: bool,
    },
}

/// What every judgement of a file takes.
#[derive(Debug, Args)]
pub struct Common {
    /// Prints one JSON object of metrics
    #[arg(long)]
    json: bool,
    /// Writes every answer as a JSON line
    #[arg(long, value_name = "FILE")]
    answers: Option<PathBuf>,
}

impl Evaluate {
    /// Exit status 0 when the file was evaluated, whatever the figures.
    pub fn run(self) -> Result<ExitCode> {
        match self {
            Evaluate::Occupancy {
                events,
                truth,
                generate,
                rooms,
                broken,
                broken_seed,
                common,
            } => common.judge(|answers| {
                let broken = broken.map(|broken| (broken, broken_seed));
                match (events, generate) {
                    (Some(events), None) => {
                        let truth = truth.as_deref().map(open).transpose();
                        occupancy::evaluate(open(&events)?, truth?, broken, answers)
                    }
                    (_, seed) => occupancy::evaluate_made_up(seed.unwrap_or(1), rooms, broken, answers),
                }
            }),
            Evaluate::Preference { file, common } => {
                common.judge(|answers| preference::evaluate(open(&file)?, answers))
            }
            Evaluate::Habit { file, common } => common.judge(|answers| habit::evaluate(open(&file)?, answers)),
            Evaluate::Thermal { file, common } => common.judge(|answers| thermal::evaluate(open(&file)?, answers)),
            Evaluate::Preparation(preparation) => preparation.run(),
            Evaluate::Merges { count, seed, json } => print(&merges::evaluate(count, seed), json),
        }
    }
}

impl Common {
    fn judge(&self, evaluate: impl FnOnce(&mut dyn Write) -> Result<serde_json::Value, Fault>) -> Result<ExitCode> {
        let mut answers = self.answers()?;
        let metrics = evaluate(&mut answers)?;
        answers.flush()?;
        print(&metrics, self.json)
    }

    fn answers(&self) -> Result<Box<dyn Write>, Fault> {
        let Some(path) = &self.answers else {
            return Ok(Box::new(sink()));
        };
        let file = File::create(path).map_err(|error| Fault::File {
            file: path.display().to_string(),
            error,
        })?;
        Ok(Box::new(BufWriter::new(file)))
    }
}

fn print(metrics: &serde_json::Value, json: bool) -> Result<ExitCode> {
    if json {
        println!("{}", serde_json::to_string(metrics)?);
    } else {
        println!("{}", serde_json::to_string_pretty(metrics)?);
    }
    Ok(ExitCode::SUCCESS)
}

fn open(path: &Path) -> Result<Input<BufReader<File>>, Fault> {
    let name = path.display().to_string();
    let file = File::open(path).map_err(|error| Fault::File {
        file: name.clone(),
        error,
    })?;
    Ok(Input {
        name,
        text: BufReader::new(file),
    })
}
