//! Who or what is meant, in an alphabet that cannot hold a wildcard, a path or a name?
//!
//! Topics, file names and log lines are built from ids, so an id is checked once, where it enters, and is safe from then
//! on. Rooms and devices are named by the engineer; guests and stays only by opaque tokens of hexadecimal digits, so
//! that a guest's name cannot be written where a token belongs.

use serde::{Deserialize, Deserializer, Serialize};
use std::fmt;
use std::sync::Arc;

/// What is wrong with a text that was meant as an id, and what to write instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a {kind}: {want}")]
pub struct IdFault {
    /// The kind of id that was expected, in words.
    pub kind: &'static str,
    /// The offending text, cut to 80 characters.
    pub text: String,
    /// What to write instead.
    pub want: &'static str,
}

fn is_plain(text: &str) -> bool {
    let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    (1..=48).contains(&text.len()) && text.chars().all(inner)
}

fn is_token(text: &str) -> bool {
    let inner = |c: char| matches!(c, '0'..='9' | 'a'..='f' | '-');
    (8..=64).contains(&text.len()) && text.chars().all(inner) && text.chars().any(|c| c.is_ascii_digit())
}

fn is_request(text: &str) -> bool {
    (1..=160).contains(&text.len()) && text.split('.').all(is_plain)
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $kind:literal, $check:ident, $want:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(transparent)]
        pub struct $name(Arc<str>);

        impl $name {
            #[doc = concat!("Takes a text as ", $kind, ".\n\n# Errors\n", $want)]
            pub fn new(text: impl AsRef<str>) -> Result<Self, IdFault> {
                let text = text.as_ref();
                if $check(text) {
                    Ok(Self(text.into()))
                } else {
                    Err(IdFault { kind: $kind, text: text.chars().take(80).collect(), want: $want })
                }
            }

            /// The id as it is written.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::str::FromStr for $name {
            type Err = IdFault;
            fn from_str(text: &str) -> Result<Self, IdFault> {
                Self::new(text)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(from)?;
                Self::new(text).map_err(serde::de::Error::custom)
            }
        }

        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string", "description": $want })
            }
        }
    };
}

macro_rules! plain_debug {
    ($($name:ident),*) => { $(
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )* };
}

id!(
    /// A hotel property, as the chain names it.
    PropertyId, "property id", is_plain, "write 1 to 48 of a-z, 0-9, '-' and '_'"
);
id!(
    /// A guest room, as on its door.
    RoomId, "room id", is_plain, "write 1 to 48 of a-z, 0-9, '-' and '_'"
);
id!(
    /// A part of a room with its own climate.
    ZoneId, "zone id", is_plain, "write 1 to 48 of a-z, 0-9, '-' and '_'"
);
id!(
    /// Rooms that are sold as one.
    SuiteId, "suite id", is_plain, "write 1 to 48 of a-z, 0-9, '-' and '_'"
);
id!(
    /// A device on one of the property's links.
    DeviceId, "device id", is_plain, "write 1 to 48 of a-z, 0-9, '-' and '_'"
);
id!(
    /// A link to devices or servers: a broker, a Modbus bus, central.
    LinkId, "link id", is_plain, "write 1 to 48 of a-z, 0-9, '-' and '_'"
);
id!(
    /// A model of device: the name of its file in `device-profiles/`.
    ProfileId, "profile id", is_plain, "write 1 to 48 of a-z, 0-9, '-' and '_'"
);
id!(
    /// A thing or service a guest may want: `hot-milk`, `hangers`.
    Item, "item", is_plain, "write 1 to 48 of a-z, 0-9, '-' and '_'"
);
id!(
    /// A service request: the same need has the same id for ever, however often it is derived.
    RequestId, "request id", is_request, "write parts of a-z, 0-9, '-' and '_' joined by '.', 160 characters at most"
);
id!(
    /// A stay, opaque; made by central or by keyed hash at the PMS link.
    StayToken, "stay token", is_token,
    "write 8 to 64 hexadecimal digits (0-9, a-f) and '-', at least one of them 0-9: a UUID or a keyed hash; a name cannot be written here"
);
id!(
    /// A guest, opaque; made by central or by keyed hash at the PMS link.
    GuestToken, "guest token", is_token,
    "write 8 to 64 hexadecimal digits (0-9, a-f) and '-', at least one of them 0-9: a UUID or a keyed hash; a name cannot be written here"
);

id!(
    /// A way by which bookings come: the chain's own site, an agency, a group's list.
    Channel, "booking channel", is_plain, "write 1 to 48 of a-z, 0-9, '-' and '_'"
);

plain_debug!(
    Channel, PropertyId, RoomId, ZoneId, SuiteId, DeviceId, LinkId, ProfileId, Item, RequestId, StayToken
);

/// A guest token is personal data: in a debug print it shows only its first four characters.
impl fmt::Debug for GuestToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}…", &self.0[..4])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wildcard_or_a_path_is_no_id() {
        for text in ["", "12/04", "+", "#", "a b", "room\0", "Zimmer", "ß", &"x".repeat(49)] {
            assert!(RoomId::new(text).is_err(), "{text:?}");
        }
        assert_eq!(RoomId::new("1204").map(|id| id.to_string()), Ok("1204".into()));
    }

    #[test]
    fn a_name_cannot_be_a_token() {
        for text in [
            "smith",
            "anna-maria",
            "j.doe@example.org",
            "+4366012345",
            "deadbeef-abba",
            "1234567",
        ] {
            assert!(GuestToken::new(text).is_err(), "{text:?}");
        }
        assert!(GuestToken::new("7f3a9c1e-0b52-4d1f-9d0e-2f6c8a1b4e77").is_ok());
    }

    #[test]
    fn a_guest_token_does_not_print_itself() {
        let token = GuestToken::new("7f3a9c1e0b524d1f").unwrap();
        assert_eq!(format!("{token:?}"), "7f3a…");
    }
}
