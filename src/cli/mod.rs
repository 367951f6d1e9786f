//! Which command did the engineer type, and what does the process answer with?
//!
//! Exit status: 0 when it is as it should be; 1 when it is not, and what is wrong has been printed; 2 when the command line
//! or a file could not be read.

mod ask;
mod check;
mod compliance;
#[cfg(feature = "demo")]
mod demo;
mod evaluate;
mod guest;
mod init;
mod preparation;
mod profile;
mod rooms;
mod run;
mod schema;
mod step;

use clap::{Parser, Subcommand};
use std::path::PathBuf;
use std::process::ExitCode;

/// One daemon per hotel property: rooms that prepare themselves, and service requests that are not lost.
#[derive(Debug, Parser)]
#[command(name = "innkeeper", version, about, max_term_width = 110)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Shows the whole story in one process: a simulated hotel, no broker, no hardware, no configuration (the default)
    #[cfg(feature = "demo")]
    Demo(demo::Demo),
    /// Runs the daemon
    Run(run::Run),
    /// Checks a configuration: every fault at once, with its place and its remedy
    Check(check::Check),
    /// Makes the key that the store is sealed with
    Init(init::Init),
    /// Tries device profiles by hand
    #[command(subcommand)]
    Profile(profile::Profile),
    /// Drives the real engine from JSON lines to JSON lines
    Step(step::Step),
    /// Runs a recording through this program's engine again and compares
    Replay(step::Replay),
    /// Says how right the inference is, on a file of one's own
    #[command(subcommand)]
    Evaluate(evaluate::Evaluate),
    /// Says why: what was decided for a room, on which facts and by which rule
    Why(ask::Why),
    /// Says how a running daemon stands
    Status(ask::Status),
    /// Says how a room stands
    Room(ask::Room),
    /// Says how all rooms stand, or which are free and how soon each would be ready
    Rooms(rooms::Rooms),
    /// Says of each room and night whether it kept what the energy code asks for, with the evidence
    Compliance(compliance::Compliance),
    /// Says what a guest likes, how sure that is, and from which stays
    Guest(guest::Guest),
    /// Says what became of everything that was promised to central
    Ledger(ask::Ledger),
    /// Exempts a room from the rules for a time: out of order, locked, kept ready
    Override(ask::Override),
    /// Makes a running daemon read its configuration again
    Reload(ask::Reload),
    /// Runs the reference central: consumes, checks, acknowledges, answers
    Central(run::Central),
    /// Prints the JSON Schema of configuration, device profiles or messages
    Schema(schema::Schema),
}

/// Which configuration.
#[derive(Debug, Clone, clap::Args)]
struct Configuration {
    /// A configuration file, or a folder with innkeeper.toml, conf.d/*.toml and rooms/*.toml; may be given several times
    #[arg(short, long = "config", value_name = "PATH", default_value = "/etc/innkeeper")]
    paths: Vec<PathBuf>,
}

impl Command {
    /// Whether it may end, silently, when nobody reads what it prints any more, as under `| head`.
    fn only_prints(&self) -> bool {
        match self {
            #[cfg(feature = "demo")]
            Command::Demo(_) => false,
            Command::Run(_) | Command::Central(_) => false,
            _ => true,
        }
    }
}

/// Runs the command that was typed.
pub fn main() -> ExitCode {
    // rustls would otherwise pick a provider by itself, once, and for ever.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let command = Arguments::parse().command;
    if command.as_ref().is_some_and(Command::only_prints) {
        sigpipe::reset();
    }
    let outcome = match command {
        #[cfg(feature = "demo")]
        None => demo::Demo::default().run(),
        #[cfg(not(feature = "demo"))]
        None => {
            eprintln!("innkeeper: say what to do; `innkeeper --help` lists it");
            Ok(ExitCode::from(2))
        }
        #[cfg(feature = "demo")]
        Some(Command::Demo(demo)) => demo.run(),
        Some(Command::Run(run)) => run.run(),
        Some(Command::Check(check)) => check.run(),
        Some(Command::Init(init)) => init.run(),
        Some(Command::Profile(profile)) => profile.run(),
        Some(Command::Step(step)) => step.run(),
        Some(Command::Replay(replay)) => replay.run(),
        Some(Command::Evaluate(evaluate)) => evaluate.run(),
        Some(Command::Why(why)) => why.run(),
        Some(Command::Status(status)) => status.run(),
        Some(Command::Room(room)) => room.run(),
        Some(Command::Rooms(rooms)) => rooms.run(),
        Some(Command::Compliance(compliance)) => compliance.run(),
        Some(Command::Guest(guest)) => guest.run(),
        Some(Command::Ledger(ledger)) => ledger.run(),
        Some(Command::Override(order)) => order.run(),
        Some(Command::Reload(reload)) => reload.run(),
        Some(Command::Central(central)) => central.run(),
        Some(Command::Schema(schema)) => schema.run(),
    };
    outcome.unwrap_or_else(|fault| {
        eprintln!("innkeeper: {fault:#}");
        ExitCode::from(2)
    })
}

/// A runtime for the daemon: one thread for all sockets, beside the one that owns the engine and the store. What a message
/// passes through then wakes no other thread but the owner's, and a gateway has few cores. Serial lines and the disk have
/// threads of their own.
fn daemon_runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?)
}

/// A runtime for commands that wait for sockets: two threads carry a whole property.
fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?)
}

impl Configuration {
    /// Reads and checks it; faults are printed.
    fn load(&self) -> Result<(crate::config::Configured, crate::profile::Library), ExitCode> {
        crate::config::load(&self.paths).map_err(|faults| {
            faults.iter().for_each(|fault| eprintln!("{fault}"));
            ExitCode::from(1)
        })
    }
}
