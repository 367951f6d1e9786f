//! How does the daemon run until it is told to stop?

use super::{Configuration, daemon_runtime, runtime};
use crate::config::LogLevel;
use crate::daemon::{self, Options, clock};
use crate::model::{Need, PropertyId};
use crate::mqtt::{LinkOptions, Login, TlsFiles};
use crate::observe::{LogTarget, start_log};
use crate::uplink::central::{self, Answers, CentralOptions};
use anyhow::{Context, Result};
use clap::Args;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};

/// Runs the daemon.
#[derive(Debug, Args)]
pub struct Run {
    #[command(flatten)]
    configuration: Configuration,
    /// Records everything that happens, to be replayed
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
}

impl Run {
    /// Runs until SIGTERM or SIGINT; SIGHUP reads the configuration again.
    pub fn run(self) -> Result<ExitCode> {
        let (configured, library) = match self.configuration.load() {
            Ok(loaded) => loaded,
            Err(code) => return Ok(code),
        };
        start_log(level(configured.observe.log), LogTarget::Usual);
        configured
            .warnings
            .iter()
            .for_each(|warning| tracing::warn!("{warning}"));
        let options = Options {
            paths: self.configuration.paths,
            record: self.record,
            make_key: false,
        };
        daemon_runtime()?.block_on(async {
            let running = daemon::start(configured, library, options).await?;
            let (mut term, mut int) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
            let mut hup = signal(SignalKind::hangup())?;
            loop {
                tokio::select! {
                    _ = term.recv() => break,
                    _ = int.recv() => break,
                    _ = hup.recv() => {
                        let words = running.reload().await;
                        tracing::info!(words, "reload");
                    }
                }
            }
            running.stop().await;
            Ok(ExitCode::SUCCESS)
        })
    }
}

fn level(level: LogLevel) -> &'static str {
    match level {
        LogLevel::Error => "error",
        LogLevel::Warn => "warn",
        LogLevel::Info => "info",
        LogLevel::Debug => "debug",
        LogLevel::Trace => "trace",
    }
}

/// Runs the reference central. Typed lines are messages to properties: `help` lists them.
#[derive(Debug, Args)]
pub struct Central {
    /// The broker
    #[arg(long, default_value = "127.0.0.1")]
    host: String,
    /// Its port
    #[arg(long, default_value_t = 1883)]
    port: u16,
    /// The authority that signed the broker's certificate, PEM; makes the link TLS
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Our certificate and key, PEM
    #[arg(long, num_args = 2, value_names = ["CERT", "KEY"], requires = "ca")]
    identity: Option<Vec<PathBuf>>,
    /// User at the broker; the password is read from INNKEEPER_CENTRAL_PASSWORD
    #[arg(long)]
    user: Option<String>,
    /// Our name at the broker: its session there outlives us, so keep it the same from run to run
    #[arg(long, default_value = "innkeeper-central")]
    client_id: String,
    /// Only this property
    #[arg(long)]
    property: Option<PropertyId>,
    /// Acknowledges nothing: the properties' entries then leave by the broker's word only
    #[arg(long)]
    no_ack: bool,
    /// Accepts every request
    #[arg(long)]
    accept: bool,
    /// Reports every request done after so many seconds
    #[arg(long, value_name = "SECONDS")]
    done_after: Option<f64>,
    /// Declines needs of this kind (arrival_items, routine, ...)
    #[arg(long, value_name = "NEED")]
    decline: Vec<String>,
    /// Appends everything consumed, as JSON lines
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,
    /// Prints no line a message
    #[arg(long)]
    quiet: bool,
    /// Prints what the run came to as one JSON object
    #[arg(long)]
    json: bool,
}

impl Central {
    /// Runs until the input ends or `quit` is typed.
    pub fn run(self) -> Result<ExitCode> {
        let decline = self
            .decline
            .iter()
            .map(|need| serde_json::from_value::<Need>(need.as_str().into()));
        let decline = decline
            .collect::<Result<Vec<_>, _>>()
            .context("--decline takes a need's name, such as routine")?;
        let login = self.user.clone().map(|user| Login {
            user,
            password: std::env::var("INNKEEPER_CENTRAL_PASSWORD").unwrap_or_default(),
        });
        let identity = self
            .identity
            .clone()
            .and_then(|files| Some((files.first()?.clone(), files.get(1)?.clone())));
        let tls = self.ca.clone().map(|authorities| TlsFiles { authorities, identity });
        let link = LinkOptions {
            login,
            tls,
            ..LinkOptions::new(self.host, self.port, self.client_id)
        };
        let answers = Answers {
            accept: self.accept,
            done_after: self.done_after.map(Duration::from_secs_f64),
            decline,
        };
        let options = CentralOptions {
            property: self.property,
            acknowledge: !self.no_ack,
            answers,
            log: self.log,
            print: !self.quiet,
            ..CentralOptions::new(link, clock::now)
        };
        let summary = runtime()?.block_on(central::run(options, central::stdin_lines(), std::io::stdout()))?;
        if self.json {
            println!("{}", serde_json::to_string(&summary)?);
        } else {
            println!("{}", serde_json::to_string_pretty(&summary)?);
        }
        Ok(ExitCode::SUCCESS)
    }
}
