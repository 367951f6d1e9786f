//! How does the store get its key?

use crate::store::key;
use anyhow::Result;
use clap::Args;
use std::path::PathBuf;
use std::process::ExitCode;

/// Makes the key that the store is sealed with. Without it nothing in the store can be read: keep a copy in a safe.
#[derive(Debug, Args)]
pub struct Init {
    /// Where the key goes; must not be there yet
    #[arg(long, value_name = "FILE", default_value = "/etc/innkeeper/store.key")]
    key_file: PathBuf,
}

impl Init {
    /// Makes it, readable for its owner only.
    pub fn run(self) -> Result<ExitCode> {
        if let Some(folder) = self.key_file.parent() {
            std::fs::create_dir_all(folder)?;
        }
        key::create(&self.key_file)?;
        println!(
            "{}: made, readable for its owner only; keep a copy in a safe, the store cannot be read without it",
            self.key_file.display()
        );
        Ok(ExitCode::SUCCESS)
    }
}
