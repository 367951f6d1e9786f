//! How right is the inference, on a file of the engineer's own?

use crate::evaluate::{Fault, Input, habit, preference};
use anyhow::Result;
use clap::{Args, Subcommand};
use std::fs::File;
use std::io::{BufReader, BufWriter, Write, sink};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// What is judged. docs/evaluate.md tells the forms of the files and the names of the figures.
#[derive(Debug, Subcommand)]
pub enum Evaluate {
    /// Foreseen wishes: what recurs, and when it comes
    Habit {
        /// Guests with their nights, JSON lines
        file: PathBuf,
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
}

/// What every judgement takes.
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
            Evaluate::Habit { file, common } => common.judge(|answers| habit::evaluate(open(&file)?, answers)),
            Evaluate::Preference { file, common } => {
                let metrics = preference::evaluate(open(&file)?, &mut *common.answers()?)?;
                common.print(&metrics)
            }
        }
    }
}

impl Common {
    fn judge(&self, evaluate: impl FnOnce(&mut dyn Write) -> Result<serde_json::Value, Fault>) -> Result<ExitCode> {
        let mut answers = self.answers()?;
        let metrics = evaluate(&mut answers)?;
        answers.flush()?;
        self.print(&metrics)
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

    fn print(&self, metrics: &serde_json::Value) -> Result<ExitCode> {
        if self.json {
            println!("{}", serde_json::to_string(metrics)?);
        } else {
            println!("{}", serde_json::to_string_pretty(metrics)?);
        }
        Ok(ExitCode::SUCCESS)
    }
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
