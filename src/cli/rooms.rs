//! How do the rooms stand, and which of the free ones is soonest ready?

use super::ask::Daemon;
use crate::daemon::Question;
use anyhow::Result;
use clap::Args;
use serde_json::Value as Json;
use std::process::ExitCode;

/// How the rooms stand.
#[derive(Debug, Args)]
pub struct Rooms {
    /// Only rooms that nobody has and nobody is expected in within a day, those that are soonest ready first
    #[arg(long)]
    free: bool,
    #[command(flatten)]
    daemon: Daemon,
}

impl Rooms {
    /// Prints a line for each room.
    pub fn run(self) -> Result<ExitCode> {
        let (question, key) = if self.free {
            (Question::FreeRooms, "free_rooms")
        } else {
            (Question::Rooms, "rooms")
        };
        let answer = self.daemon.ask(&question)?;
        if self.daemon.json {
            println!("{answer}");
            return Ok(ExitCode::SUCCESS);
        }
        let rooms = answer[key].as_array().map(Vec::as_slice).unwrap_or_default();
        if self.free {
            println!("{:<10}{:>12}{:>10}  kept", "room", "ready in", "air");
        }
        rooms
            .iter()
            .for_each(|room| println!("{}", if self.free { free(room) } else { standing(room) }));
        Ok(ExitCode::SUCCESS)
    }
}

fn text(room: &Json, key: &str) -> String {
    room[key].as_str().unwrap_or_default().to_owned()
}

fn free(room: &Json) -> String {
    let air = room["temperature"].as_f64();
    let air = air.map_or("-".to_owned(), |air| format!("{air:.1} C"));
    let takes = format!("{} min", room["takes_min"].as_u64().unwrap_or_default());
    let kept = if room["is_kept"] == true { "for walk-ins" } else { "" };
    let line = format!("{:<10}{takes:>12}{air:>10}  {kept}", text(room, "room"));
    line.trim_end().to_owned()
}

fn standing(room: &Json) -> String {
    let (id, state, because) = (text(room, "room"), text(room, "state"), text(room, "because"));
    format!("{id:<10}{state:<16}{because}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_free_room_is_told_with_what_it_takes() {
        let room = serde_json::json!({ "room": "1204", "takes_min": 42, "temperature": 18.25, "is_kept": true });
        assert_eq!(free(&room), "1204            42 min    18.2 C  for walk-ins");
        let unknown = serde_json::json!({ "room": "7", "takes_min": 0 });
        assert_eq!(free(&unknown), "7                0 min         -");
    }
}
