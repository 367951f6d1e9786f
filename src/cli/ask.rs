//! What does the running daemon say?

use super::Configuration;
use crate::daemon::{Question, clock, control};
use crate::model::{Because, Exemption, Moment, OverrideNotice, RoomId, Span};
use anyhow::{Context, Result, bail};
use clap::Args;
use serde_json::Value as Json;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::ExitCode;

/// Which daemon.
#[derive(Debug, Args)]
pub(super) struct Daemon {
    #[command(flatten)]
    configuration: Configuration,
    /// The control socket, when it is not to be looked up in the configuration
    #[arg(long, value_name = "SOCKET")]
    socket: Option<PathBuf>,
    /// Prints JSON
    #[arg(long)]
    pub(super) json: bool,
}

impl Daemon {
    pub(super) fn ask(&self, question: &Question) -> Result<Json> {
        let socket = match &self.socket {
            Some(socket) => socket.clone(),
            None => match self.configuration.load() {
                Ok((configured, _)) => control::socket_of(&configured.store.dir),
                Err(_) => bail!("the configuration does not say where the daemon's socket is; give it with --socket"),
            },
        };
        let stream = UnixStream::connect(&socket);
        let mut stream = stream.with_context(|| {
            format!(
                "no daemon answers on {}; is it running, and are you its user?",
                socket.display()
            )
        })?;
        writeln!(stream, "{}", serde_json::to_string(question)?)?;
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line)?;
        let answer: Json = serde_json::from_str(&line).context("the daemon's answer cannot be read")?;
        match answer.get("error").and_then(Json::as_str) {
            Some(error) => bail!("{error}"),
            None => Ok(answer),
        }
    }

    fn show(&self, question: &Question) -> Result<ExitCode> {
        let answer = self.ask(question)?;
        println!(
            "{}",
            if self.json {
                answer.to_string()
            } else {
                serde_json::to_string_pretty(&answer)?
            }
        );
        Ok(ExitCode::SUCCESS)
    }
}

/// Says why.
#[derive(Debug, Args)]
pub struct Why {
    /// Which room
    room: RoomId,
    /// At about which time: an RFC 3339 time, or HH:MM of the last 24 hours (UTC unless written otherwise)
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
    /// How many decisions at most
    #[arg(long, default_value_t = 20)]
    limit: usize,
    #[command(flatten)]
    daemon: Daemon,
}

impl Why {
    /// Prints the decisions up to the time, the latest last.
    pub fn run(self) -> Result<ExitCode> {
        let to = self.at.as_deref().map_or(Ok(clock::now()), moment)? + Span::minutes(1);
        let from = to - Span::days(7);
        let question = Question::Why {
            room: Some(self.room.clone()),
            from,
            to,
            limit: self.limit,
            rule: None,
        };
        let answer = self.daemon.ask(&question)?;
        if self.daemon.json {
            println!("{answer}");
            return Ok(ExitCode::SUCCESS);
        }
        let decisions = answer["decisions"].as_array().cloned().unwrap_or_default();
        if decisions.is_empty() {
            println!(
                "nothing was decided for room {} in the seven days before {to}",
                self.room
            );
        }
        for decision in decisions.iter().rev() {
            println!("{}", sentence(decision));
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// `2026-11-21T16:30:00.000Z  told thermostat-1204 target_temperature 24 (prepare-in-time: eta ..., lead_min 95)`
fn sentence(decision: &Json) -> String {
    let (at, what) = (decision["at"].as_str().unwrap_or_default(), &decision["what"]);
    let (deed, because) = if let Some(command) = what.get("command") {
        let text = |key: &str| command[key].to_string().trim_matches('"').to_owned();
        (
            format!("told {} {} {}", text("device"), text("point"), text("value")),
            &command["because"],
        )
    } else if let Some(report) = what
        .get("report")
        .and_then(Json::as_object)
        .and_then(|r| r.iter().next())
    {
        (
            format!("reported {}{}", report.0, named(report.1)),
            &report.1["because"],
        )
    } else {
        ("concluded".to_owned(), &what["note"]["because"])
    };
    let because = serde_json::from_value::<Because>(because.clone())
        .map(|b| b.to_string())
        .unwrap_or_default();
    format!("{at}  {deed}\n    because {because}")
}

fn named(report: &Json) -> String {
    let id = report
        .get("id")
        .or_else(|| report.get("attribute"))
        .or_else(|| report.get("verdict"))
        .and_then(Json::as_str);
    id.map(|id| format!(" {id}")).unwrap_or_default()
}

/// A full time, or a time of day within the last 24 hours.
fn moment(text: &str) -> Result<Moment> {
    if let Ok(at) = Moment::parse(text) {
        return Ok(at);
    }
    let now = clock::now();
    let today = now.to_string().chars().take(10).collect::<String>();
    let at = Moment::parse(&format!("{today}T{text}:00Z"))
        .map_err(|_| anyhow::anyhow!("{text:?} is no time; write 03:10 or 2026-11-21T03:10:00Z"))?;
    Ok(if at > now { at - Span::days(1) } else { at })
}

macro_rules! plain {
    ($(#[$doc:meta])* $name:ident, $question:expr) => {
        $(#[$doc])*
        #[derive(Debug, Args)]
        pub struct $name {
            #[command(flatten)]
            daemon: Daemon,
        }

        impl $name {
            /// Asks, and prints the answer.
            pub fn run(self) -> Result<ExitCode> {
                self.daemon.show(&$question)
            }
        }
    };
}

plain!(
    /// How the daemon stands.
    Status, Question::Status
);
plain!(
    /// What became of everything promised.
    Ledger, Question::Ledger
);

/// How a room stands.
#[derive(Debug, Args)]
pub struct Room {
    /// Which room
    room: RoomId,
    #[command(flatten)]
    daemon: Daemon,
}

impl Room {
    /// Asks, and prints the answer.
    pub fn run(self) -> Result<ExitCode> {
        self.daemon.show(&Question::Room(self.room.clone()))
    }
}

/// Reads the configuration again.
#[derive(Debug, Args)]
pub struct Reload {
    #[command(flatten)]
    daemon: Daemon,
}

impl Reload {
    /// Asks, and prints in words what came of it; status 1 when the configuration was refused.
    pub fn run(self) -> Result<ExitCode> {
        let answer = self.daemon.ask(&Question::Reload)?;
        let words = answer["reload"].as_str().unwrap_or_default();
        println!("{words}");
        Ok(if words.contains("is taken") {
            ExitCode::SUCCESS
        } else {
            ExitCode::from(1)
        })
    }
}

/// People override the rules for a room.
#[derive(Debug, Args)]
pub struct Override {
    /// Which room
    room: RoomId,
    /// `out-of-order`: not prepared nor offered; `locked`: told nothing, not even against frost; `kept-ready`: never set
    /// back; `end`: nothing of these any more
    what: What,
    /// For how long, in hours: at most 24 for `locked`, else 720
    #[arg(long, value_name = "HOURS", required_if_eq_any([("what", "out-of-order"), ("what", "locked"), ("what", "kept-ready")]))]
    hours: Option<u16>,
    #[command(flatten)]
    daemon: Daemon,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum What {
    OutOfOrder,
    Locked,
    KeptReady,
    End,
}

impl Override {
    /// Tells the daemon, and says what stands now.
    pub fn run(self) -> Result<ExitCode> {
        let exempt = match self.what {
            What::OutOfOrder => Some(Exemption::OutOfOrder),
            What::Locked => Some(Exemption::Locked),
            What::KeptReady => Some(Exemption::KeptReady),
            What::End => None,
        };
        let (now, span) = (clock::now(), Span::hours(self.hours.unwrap_or(0).into()));
        if let Some(exempt) = exempt.filter(|exempt| span <= Span::ZERO || span > exempt.lasts_at_most()) {
            let most = exempt.lasts_at_most().as_hours_f64();
            bail!("write --hours 1 to {most} for {}", exempt.word());
        }
        let notice = OverrideNotice {
            room: self.room,
            said_at: now,
            exempt,
            until: exempt.map(|_| now + span),
        };
        let answer = self.daemon.ask(&Question::Override(notice.clone()))?;
        let stands = &answer["exempt"];
        if stands["from"].as_str() != exempt.map(Exemption::word) {
            bail!(
                "room {} was told something else since; ask `innkeeper room {0}`",
                notice.room
            );
        }
        if self.daemon.json {
            println!("{stands}");
        } else if let Some(until) = notice.until {
            println!(
                "room {}: {} until {until}",
                notice.room,
                exempt.map_or("", Exemption::word)
            );
        } else {
            println!("room {}: as the rules say", notice.room);
        }
        Ok(ExitCode::SUCCESS)
    }
}
