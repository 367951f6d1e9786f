//! How are lengths of time and job times written in the configuration?

use crate::model::Span;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

/// The longest length of time that is accepted: nothing in a hotel waits for more than a year.
const LASTING_MAX: Span = Span::days(366);

/// The units, longest first, with their length in milliseconds.
const UNITS: [(&str, i64); 5] = [
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1000),
    ("ms", 1),
];

/// A length of time as an engineer writes it: a whole number and a unit, `"90s"`, `"10m"`, `"2h"`, `"30d"`, `"250ms"`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Lasting(pub Span);

impl Lasting {
    /// So many milliseconds.
    pub const fn millis(n: i64) -> Self {
        Self(Span::millis(n))
    }
    /// So many seconds.
    pub const fn seconds(n: i64) -> Self {
        Self(Span::seconds(n))
    }
    /// So many minutes.
    pub const fn minutes(n: i64) -> Self {
        Self(Span::minutes(n))
    }
    /// So many days.
    pub const fn days(n: i64) -> Self {
        Self(Span::days(n))
    }
}

impl From<Span> for Lasting {
    fn from(span: Span) -> Self {
        Self(span)
    }
}

impl From<Lasting> for Span {
    fn from(lasting: Lasting) -> Self {
        lasting.0
    }
}

impl FromStr for Lasting {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let fault =
            || format!("{text:?} is no length of time; write a whole number and a unit: \"90s\", \"10m\", \"2h\"");
        let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (number, unit) = text.split_at(digits);
        let millis = UNITS
            .iter()
            .find(|(word, _)| *word == unit)
            .map(|(_, millis)| *millis)
            .ok_or_else(fault)?;
        let number: i64 = number.parse().map_err(|_| fault())?;
        let span = Span::millis(number.saturating_mul(millis));
        if span > LASTING_MAX {
            return Err(format!("{text:?} is longer than a year; write 366d or less"));
        }
        Ok(Self(span))
    }
}

impl fmt::Display for Lasting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = self.0.as_millis();
        let (word, unit) = match millis {
            0 => ("s", 1000),
            _ => *UNITS.iter().find(|(_, unit)| millis % unit == 0).unwrap_or(&("ms", 1)),
        };
        write!(f, "{}{word}", millis / unit)
    }
}

impl fmt::Debug for Lasting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Lasting {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Lasting {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Cow::<'de, str>::deserialize(from)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Lasting {
    fn schema_name() -> Cow<'static, str> {
        "Lasting".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": "^[0-9]+(ms|s|m|h|d)$",
            "description": "a length of time: a whole number and a unit, \"250ms\", \"90s\", \"10m\", \"2h\", \"30d\""
        })
    }
}

/// Holds a five-field cron expression against what the property's calendar can carry out.
///
/// The days of the week are written as names: where Vixie cron counts Sunday as 0, the parser here counts it as 1, and a
/// job a day off is noticed by nobody.
///
/// # Errors
/// What is wrong, and what to write instead.
pub fn check_cron(expression: &str) -> Result<(), (String, String)> {
    let fields: Vec<&str> = expression.split_whitespace().collect();
    if fields.len() != 5 {
        let what = format!("{expression:?} has {} fields, a job's time has 5", fields.len());
        return Err((
            what,
            "write minute, hour, day of month, month, day of week: \"30 3 * * *\"".into(),
        ));
    }
    if let Some(bad) = fields[4].split([',', '-']).find(|part| part.split('/').any(is_number)) {
        let what = format!("the day of week {bad:?} is a number, which means another day in every cron");
        return Err((what, "write names: \"mon\", \"mon-fri\", \"sat,sun\"".into()));
    }
    format!("0 {expression}")
        .parse::<cron::Schedule>()
        .map(drop)
        .map_err(|fault| {
            let told = fault.to_string();
            let why = told.rsplit('^').next().map(str::trim).unwrap_or_default();
            let what = format!("{expression:?} is no job time ({why})");
            (what, "write five fields such as \"30 3 * * *\" or \"0 4 1 * *\"".into())
        })
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_of_time_reads_what_it_writes() {
        for text in ["0s", "250ms", "90s", "10m", "2h", "30d"] {
            assert_eq!(text.parse::<Lasting>().unwrap().to_string(), text);
        }
        assert_eq!("120m".parse::<Lasting>().unwrap().to_string(), "2h");
        assert_eq!("90s".parse::<Lasting>().unwrap().0, Span::seconds(90));
    }

    #[test]
    fn what_is_no_length_of_time_is_told_how_to_write_one() {
        for text in [
            "",
            "90",
            "m",
            "-5m",
            "1.5h",
            "5 m",
            "367d",
            "99999999999999999999h",
            "9223372036854775807d",
            "5M",
        ] {
            let fault = text.parse::<Lasting>().unwrap_err();
            assert!(fault.contains("write"), "{text:?}: {fault}");
        }
    }

    #[test]
    fn a_numbered_day_of_the_week_is_refused() {
        for good in [
            "30 3 * * *",
            "*/15 * * * *",
            "0 4 1 * *",
            "0 6 * * mon-fri",
            "0 6 * * sat,sun",
        ] {
            assert_eq!(check_cron(good), Ok(()), "{good}");
        }
        for bad in [
            "0 6 * * 1",
            "0 6 * * 1-5",
            "0 6 * * mon,3",
            "0 6 * * */2",
            "0 6 * *",
            "0 0 6 * * *",
            "61 3 * * *",
            "x 3 * * *",
        ] {
            assert!(check_cron(bad).is_err(), "{bad}");
        }
    }
}
