//! Which shape have configuration, device profiles and messages?

use anyhow::Result;
use clap::{Args, ValueEnum};
use std::process::ExitCode;

/// Prints a JSON Schema.
#[derive(Debug, Args)]
pub struct Schema {
    /// Of what
    of: Of,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Of {
    /// innkeeper.toml
    Config,
    /// A file of device-profiles/
    Profile,
    /// Every message to and from central
    Messages,
}

impl Schema {
    /// Prints it.
    pub fn run(self) -> Result<ExitCode> {
        let schema = match self.of {
            Of::Config => crate::config::schema(),
            Of::Profile => serde_json::to_value(crate::profile::schema())?,
            Of::Messages => messages(),
        };
        println!("{}", serde_json::to_string_pretty(&schema)?);
        Ok(ExitCode::SUCCESS)
    }
}

fn messages() -> serde_json::Value {
    let each = crate::uplink::schema::schemas().into_iter();
    each.map(|schema| {
        (
            schema.file_name(),
            serde_json::from_str(&schema.text()).unwrap_or_default(),
        )
    })
    .collect::<serde_json::Map<_, _>>()
    .into()
}
