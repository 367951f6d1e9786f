//! Why was a message from outside not taken?
//!
//! The reasons are a closed list, because each is a counter's label and a word an integrator looks up. The detail says
//! where in the message and what to write instead; it never repeats what the message said, because that may be
//! somebody's name in the wrong place.

use std::fmt;

macro_rules! reasons {
    ($($(#[$doc:meta])* $variant:ident = $name:literal;)*) => {
        /// Why a message was refused: one of a closed list.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Reason { $($(#[$doc])* $variant,)* }

        impl Reason {
            /// Every reason there is.
            pub const ALL: &'static [Reason] = &[$(Reason::$variant),*];

            /// The reason's name, as counters and logs write it.
            pub const fn name(self) -> &'static str {
                match self { $(Reason::$variant => $name),* }
            }
        }
    };
}

reasons! {
    /// The topic is none of this property's.
    WrongTopic = "wrong_topic";
    /// The topic names a kind of message that the contract does not have.
    UnknownKind = "unknown_kind";
    /// The contract has this kind, this version does not act on it.
    NotBuiltYet = "not_built_yet";
    /// A copy the broker kept: what was true when it was said may be long over.
    Retained = "retained";
    /// More bytes than any message needs.
    TooLarge = "too_large";
    /// Nested deeper than any message needs.
    TooDeep = "too_deep";
    /// No JSON text.
    NotJson = "not_json";
    /// A field the contract does not have.
    UnknownField = "unknown_field";
    /// A field that must be there is not.
    MissingField = "missing_field";
    /// The same field twice.
    DuplicateField = "duplicate_field";
    /// A word that is not in the field's list.
    UnknownWord = "unknown_word";
    /// A text where a number belongs, and the like.
    WrongType = "wrong_type";
    /// An id in an alphabet that is not an id's: wildcards, capitals, names.
    NotAnId = "not_an_id";
    /// No time, or outside the years 2000 to 2200.
    NotATime = "not_a_time";
    /// A number or a length beyond its limits.
    OutOfRange = "out_of_range";
    /// `specversion` or the version in `type` is another one.
    UnsupportedVersion = "unsupported_version";
    /// `type` does not fit the topic.
    KindMismatch = "kind_mismatch";
    /// `source` does not fit the topic.
    SourceMismatch = "source_mismatch";
    /// Its `expirytime` has passed.
    Expired = "expired";
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A message that was not taken: why, where in it, and what to write instead. Holds nothing the message said.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}: {}{want}", place_lead(place))]
pub struct Rejection {
    /// The reason's name is its counter's label.
    pub reason: Reason,
    /// Where in the message: `data.stays[3].temperature`; empty for the message itself.
    pub place: String,
    /// What to write instead.
    pub want: String,
}

impl Rejection {
    /// Refuses the message as a whole.
    pub fn of(reason: Reason, want: impl Into<String>) -> Self {
        Self {
            reason,
            place: String::new(),
            want: want.into(),
        }
    }

    /// Refuses what stands in one field.
    pub fn at(place: &str, reason: Reason, want: impl Into<String>) -> Self {
        Self {
            reason,
            place: place.into(),
            want: want.into(),
        }
    }

    /// The same fault seen from one level further out.
    #[must_use]
    pub(super) fn inside(mut self, outer: &str) -> Self {
        let dot = if self.place.is_empty() || self.place.starts_with('[') {
            ""
        } else {
            "."
        };
        self.place = format!("{outer}{dot}{}", self.place);
        self
    }
}

fn place_lead(place: &str) -> String {
    if place.is_empty() {
        String::new()
    } else {
        format!("{place}: ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_written_as_a_path() {
        let fault = Rejection::at("temperature", Reason::OutOfRange, "a number")
            .inside("[3]")
            .inside("stays")
            .inside("data");
        assert_eq!(fault.to_string(), "out_of_range: data.stays[3].temperature: a number");
    }

    #[test]
    fn no_two_reasons_share_a_name() {
        let names: std::collections::BTreeSet<_> = Reason::ALL.iter().map(|reason| reason.name()).collect();
        assert_eq!(names.len(), Reason::ALL.len());
    }
}
