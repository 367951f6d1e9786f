//! What does the engine want done?

use super::{Because, DeviceId, Key, Moment, Point, Report, RoomId, Value};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::fmt;

/// Names one command for ever: the room it is for, and a number that rises within the room.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct CommandId {
    /// For which room.
    pub room: RoomId,
    /// Rises within the room, across restarts.
    pub number: u64,
}

impl fmt::Display for CommandId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.room, self.number)
    }
}

/// What a command is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// Make the room ready for an arrival.
    Prepare,
    /// Give the guest what the guest likes.
    Comfort,
    /// Save energy in a room that nobody is in.
    Setback,
    /// Hand the device back to its own control.
    HandBack,
}

/// One thing to be told to one device.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Command {
    /// Its name, by which the rim tells what became of it.
    pub id: CommandId,
    /// Whom to tell.
    pub device: DeviceId,
    /// What about.
    pub point: Point,
    /// What; already inside the safety limits and one that the device can take.
    #[serde(serialize_with = "bare")]
    pub value: Value,
    /// What it is for.
    pub purpose: Purpose,
    /// 1 for the first telling, rising when it is told again.
    pub attempt: u32,
    /// Not to be told after this: a room is not commanded by what was true an hour ago.
    pub expires: Moment,
    /// The rule and the facts.
    pub because: Because,
}

fn bare<S: serde::Serializer>(value: &Value, to: S) -> Result<S::Ok, S::Error> {
    value.scalar().serialize(to)
}

/// How soon a record must be safe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SaveWhen {
    /// With the next convenient batch: telemetry and windows that a device would tell again.
    Soon,
    /// Before anybody is told: a stay, a preference, a promise or a command changed.
    Now,
}

/// Something that came in and was not taken.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Refusal {
    /// The reason's name, one of a closed list; counted under it.
    pub reason: Cow<'static, str>,
    /// What was refused, without personal data.
    pub what: String,
}

/// What the engine wants done.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Tell a device. Carried out only after what it rests on is safe.
    #[serde(skip_deserializing)]
    Command(Box<Command>),
    /// Tell central.
    Report(Report),
    /// Keep what is under this key; ask `Engine::record` for it.
    Save {
        /// Under which key.
        key: Key,
        /// How soon.
        when: SaveWhen,
    },
    /// Remove what is kept under this key.
    Forget(Key),
    /// Count and log what was not taken.
    Refuse(Refusal),
    /// Something was concluded that nobody outside need be told: who is in, how a write ended, which phase begins.
    Note {
        /// About which room.
        room: RoomId,
        /// The rule and the facts.
        because: Because,
    },
}

impl Effect {
    /// The names of all kinds, as a filter names them.
    pub const KINDS: [&str; 6] = ["command", "report", "save", "forget", "refuse", "note"];

    /// The name of its kind, as it is written in a recording and counted under.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Command(_) => "command",
            Self::Report(_) => "report",
            Self::Save { .. } => "save",
            Self::Forget(_) => "forget",
            Self::Refuse(_) => "refuse",
            Self::Note { .. } => "note",
        }
    }
}
