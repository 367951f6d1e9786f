//! Why was a message not taken, and why was a command not sent?

use crate::model::Point;
use std::fmt;

/// Why a message gave no reading. Each is counted under its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rejection {
    /// Longer than [`super::PAYLOAD_BYTES_MAX`].
    TooLarge,
    /// Not UTF-8.
    Utf8,
    /// Nested deeper than 16 levels.
    TooDeep,
    /// Not JSON.
    Json,
    /// JSON, but not the object (or list) that the profile expects.
    NotAnObject,
    /// Empty: the device was renamed or removed.
    Forgotten,
    /// On a topic that tells nothing of the device.
    Topic,
    /// Neither up nor down.
    Availability,
}

impl Rejection {
    /// Every reason there is.
    pub const ALL: [Rejection; 8] = [
        Rejection::TooLarge,
        Rejection::Utf8,
        Rejection::TooDeep,
        Rejection::Json,
        Rejection::NotAnObject,
        Rejection::Forgotten,
        Rejection::Topic,
        Rejection::Availability,
    ];

    /// The reason's name.
    pub const fn word(self) -> &'static str {
        match self {
            Rejection::TooLarge => "too_large",
            Rejection::Utf8 => "utf8",
            Rejection::TooDeep => "too_deep",
            Rejection::Json => "json",
            Rejection::NotAnObject => "not_an_object",
            Rejection::Forgotten => "forgotten",
            Rejection::Topic => "topic",
            Rejection::Availability => "availability",
        }
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// Why a command was not turned into bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EncodeRefusal {
    /// The device cannot be told about this point.
    #[error("command")]
    Command,
    /// The value is of the wrong type, or no number.
    #[error("type")]
    Type,
    /// Below the least or above the most that the device takes.
    #[error("range")]
    Range,
    /// Between two steps.
    #[error("step")]
    Step,
    /// A word the device does not know.
    #[error("value")]
    Value,
    /// How or along with what the device must be told hangs on this point, and it is not known.
    #[error("seed:{0}")]
    Seed(Point),
}

impl EncodeRefusal {
    /// The reason's name, without the point.
    pub const fn word(self) -> &'static str {
        match self {
            EncodeRefusal::Command => "command",
            EncodeRefusal::Type => "type",
            EncodeRefusal::Range => "range",
            EncodeRefusal::Step => "step",
            EncodeRefusal::Value => "value",
            EncodeRefusal::Seed(_) => "seed",
        }
    }
}
