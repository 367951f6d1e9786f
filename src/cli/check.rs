//! Is this configuration right, and if not, where and how?

use super::Configuration;
use crate::config::check;
use anyhow::Result;
use clap::Args;
use std::path::PathBuf;
use std::process::ExitCode;

/// Checks a configuration.
#[derive(Debug, Args)]
pub struct Check {
    #[command(flatten)]
    configuration: Configuration,
    /// The same, without --config
    #[arg(value_name = "PATH", id = "path")]
    given: Vec<PathBuf>,
}

impl Check {
    /// Prints every fault, then what would run.
    pub fn run(self) -> Result<ExitCode> {
        let paths = if self.given.is_empty() {
            self.configuration.paths
        } else {
            self.given
        };
        let report = check(&paths);
        println!("{report}");
        Ok(if report.may_run() {
            ExitCode::SUCCESS
        } else {
            ExitCode::from(1)
        })
    }
}
