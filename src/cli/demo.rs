//! What does a newcomer see first?
//!
//! A hotel in a box: brokers, rooms, guests and central are simulated, in this process and over real wires; the daemon
//! between them is the real one. Every line that innkeeper is said to have done is rendered from a message that went over
//! the wire, and each part of the story is checked by what arrived at the other end.

mod narrator;
mod stage;
mod story;
mod words;

use anyhow::Result;
use clap::Args;
use narrator::Narrator;
use stage::Stage;
use std::io::IsTerminal;
use std::process::ExitCode;
use tokio::signal::unix::{SignalKind, signal};

/// Shows the whole story in one process.
#[derive(Debug, Args)]
pub struct Demo {
    /// Tells the story so many times faster than in its usual minute and a half
    #[arg(long, default_value_t = 1.0, value_name = "TIMES")]
    speed: f64,
    /// Goes on at a quiet pace after the story, until Ctrl-C, to be looked at with `innkeeper why` and the metrics
    #[arg(long)]
    keep: bool,
}

impl Default for Demo {
    fn default() -> Self {
        Self {
            speed: 1.0,
            keep: false,
        }
    }
}

/// How it ended.
enum End {
    /// The story was told to its end; whether every part of it came true.
    Told(bool),
    /// Ctrl-C.
    Interrupted,
}

impl Demo {
    /// Runs until the story is told or Ctrl-C. Exit status 0 only if every part of the story came true.
    pub fn run(self) -> Result<ExitCode> {
        let narrator = Narrator::new(std::io::stdout().is_terminal());
        let speed = if self.speed.is_finite() {
            self.speed.clamp(0.01, 20.0)
        } else {
            1.0
        };
        let end = super::runtime()?.block_on(async {
            let (mut int, mut term) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
            let mut stage = tokio::select! {
                stage = Stage::open(narrator, speed) => stage?,
                _ = int.recv() => return Ok(End::Interrupted),
                _ = term.recv() => return Ok(End::Interrupted),
            };
            let end = tokio::select! {
                told = story::tell(&mut stage) => End::Told(told),
                _ = int.recv() => End::Interrupted,
                _ = term.recv() => End::Interrupted,
            };
            if self.keep && matches!(end, End::Told(_)) {
                stage
                    .narrator
                    .note("The hotel goes on; Ctrl-C ends it. From another terminal:");
                stage.hints().iter().for_each(|hint| stage.narrator.note(hint));
                tokio::select! {
                    () = stage.go_on() => {}
                    _ = int.recv() => {}
                    _ = term.recv() => {}
                }
            }
            stage.close().await;
            anyhow::Ok(end)
        })?;
        Ok(match end {
            End::Told(true) => ExitCode::SUCCESS,
            End::Told(false) => ExitCode::from(1),
            End::Interrupted => {
                println!("\nEnded before the story was told; everything has been stopped in order.");
                ExitCode::from(1)
            }
        })
    }
}
