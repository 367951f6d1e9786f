//! What does a newcomer see first?

use anyhow::Result;
use clap::Args;
use std::process::ExitCode;

/// Shows the whole story in one process.
#[derive(Debug, Default, Args)]
pub struct Demo {}

impl Demo {
    /// Runs until the story is told or Ctrl-C.
    pub fn run(self) -> Result<ExitCode> {
        Ok(ExitCode::SUCCESS)
    }
}
