//! How long is meant, when an engineer writes a length of time?

use crate::model::Span;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de::Error};
use std::borrow::Cow;

/// The name of the form in a JSON schema, by which the walk over a text checks it in its place.
pub(super) const FORMAT: &str = "length";

/// What to write instead of what is no length.
pub(super) const HELP: &str = "write 500ms, 40s, 5m, 25h or 2d";

/// A length of time, written as a whole number and its unit: `500ms`, `40s`, `5m`, `25h`, `2d`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Length(pub Span);

impl Length {
    /// Reads a length as it is written; none when it is none.
    pub fn parse(text: &str) -> Option<Self> {
        let cut = text.find(|c: char| !c.is_ascii_digit())?;
        let (number, unit) = text.split_at(cut);
        let number: i64 = number.parse().ok().filter(|n| *n <= 10_000_000)?;
        Some(Self(match unit {
            "ms" => Span::millis(number),
            "s" => Span::seconds(number),
            "m" => Span::minutes(number),
            "h" => Span::hours(number),
            "d" => Span::days(number),
            _ => return None,
        }))
    }
}

impl<'de> Deserialize<'de> for Length {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(from)?;
        Self::parse(&text).ok_or_else(|| {
            D::Error::custom(format!(
                "{text:?} is no length of time; write 500ms, 40s, 5m, 25h or 2d"
            ))
        })
    }
}

impl JsonSchema for Length {
    fn schema_name() -> Cow<'static, str> {
        "Length".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "^[0-9]+(ms|s|m|h|d)$", "format": FORMAT, "description": "a length of time: 500ms, 40s, 5m, 25h or 2d" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_is_a_number_and_its_unit() {
        assert_eq!(Length::parse("500ms"), Some(Length(Span::millis(500))));
        assert_eq!(Length::parse("25h"), Some(Length(Span::hours(25))));
        for text in ["", "5", "5 s", "1.5s", "-5s", "5min", "99999999999s"] {
            assert_eq!(Length::parse(text), None, "{text:?}");
        }
    }
}
