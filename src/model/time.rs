//! When is it, and how long does it last?
//!
//! The engine never asks a clock: moments come in with events. A [`Moment`] is a whole millisecond of UTC; civil time
//! (the property's zone, daylight saving) is `engine::calendar`'s affair.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::ops::{Add, Mul, Neg, Sub};

/// A point in time: milliseconds since 1970-01-01T00:00:00Z. Written as RFC 3339 (`2026-11-21T16:30:00.000Z`); read as
/// that or as a number of milliseconds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Moment(i64);

/// A length of time in milliseconds, possibly negative. Written in seconds, as a number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Span(i64);

impl Moment {
    /// The earliest moment that is accepted from outside: 2000-01-01T00:00:00Z.
    pub const EARLIEST: Moment = Moment(946_684_800_000);
    /// The latest moment that is accepted from outside: 2200-01-01T00:00:00Z.
    pub const LATEST: Moment = Moment(7_258_118_400_000);

    /// Returns the moment so many milliseconds after the epoch.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Returns the milliseconds since the epoch.
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// Returns how long after `earlier` this is; negative when it is before.
    pub const fn since(self, earlier: Moment) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }

    /// Reads RFC 3339 text.
    ///
    /// # Errors
    /// Says what is wrong with the text, or that it lies outside 2000 to 2200.
    pub fn parse(text: &str) -> Result<Self, String> {
        let stamp: jiff::Timestamp = text
            .parse()
            .map_err(|e| format!("{text:?} is not a time; write it as 2026-11-21T16:30:00Z ({e})"))?;
        Self(stamp.as_millisecond()).in_range()
    }

    /// Returns the moment itself when it lies in the range accepted from outside.
    ///
    /// # Errors
    /// Says the range.
    pub fn in_range(self) -> Result<Self, String> {
        if self >= Self::EARLIEST && self <= Self::LATEST {
            Ok(self)
        } else {
            Err(format!("{} ms is outside the years 2000 to 2200", self.0))
        }
    }

    /// Returns the same moment as the calendar library's type.
    pub fn timestamp(self) -> jiff::Timestamp {
        jiff::Timestamp::from_millisecond(self.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH)
    }
}

impl Span {
    /// No time at all.
    pub const ZERO: Span = Span(0);

    /// So many milliseconds.
    pub const fn millis(n: i64) -> Self {
        Self(n)
    }
    /// So many seconds.
    pub const fn seconds(n: i64) -> Self {
        Self(n.saturating_mul(1000))
    }
    /// So many minutes.
    pub const fn minutes(n: i64) -> Self {
        Self(n.saturating_mul(60_000))
    }
    /// So many hours.
    pub const fn hours(n: i64) -> Self {
        Self(n.saturating_mul(3_600_000))
    }
    /// So many days of 24 hours.
    pub const fn days(n: i64) -> Self {
        Self(n.saturating_mul(86_400_000))
    }
    /// So many minutes, rounded to the millisecond; not-a-number counts as none.
    pub fn from_minutes_f64(n: f64) -> Self {
        Self((n * 60_000.0) as i64)
    }
    /// The whole milliseconds.
    pub const fn as_millis(self) -> i64 {
        self.0
    }
    /// The length in seconds.
    pub fn as_seconds_f64(self) -> f64 {
        self.0 as f64 / 1000.0
    }
    /// The length in minutes.
    pub fn as_minutes_f64(self) -> f64 {
        self.0 as f64 / 60_000.0
    }
    /// The length in hours.
    pub fn as_hours_f64(self) -> f64 {
        self.0 as f64 / 3_600_000.0
    }
    /// The same length for the standard library; a negative one becomes zero.
    pub fn to_std(self) -> std::time::Duration {
        std::time::Duration::from_millis(self.0.max(0) as u64)
    }
}

impl Add<Span> for Moment {
    type Output = Moment;
    fn add(self, span: Span) -> Moment {
        Moment(self.0.saturating_add(span.0))
    }
}
impl Sub<Span> for Moment {
    type Output = Moment;
    fn sub(self, span: Span) -> Moment {
        Moment(self.0.saturating_sub(span.0))
    }
}
impl Add for Span {
    type Output = Span;
    fn add(self, other: Span) -> Span {
        Span(self.0.saturating_add(other.0))
    }
}
impl Sub for Span {
    type Output = Span;
    fn sub(self, other: Span) -> Span {
        Span(self.0.saturating_sub(other.0))
    }
}
impl Neg for Span {
    type Output = Span;
    fn neg(self) -> Span {
        Span(self.0.saturating_neg())
    }
}
impl Mul<i64> for Span {
    type Output = Span;
    fn mul(self, n: i64) -> Span {
        Span(self.0.saturating_mul(n))
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3}", self.timestamp())
    }
}
impl fmt::Debug for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Span {
    /// Two units at most, as a person would say it: `90 s` is `1 min 30 s`, a day and a bit is `1 d 2 h`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let ms = self.0.unsigned_abs();
        let (d, h, m, s) = (ms / 86_400_000, ms / 3_600_000 % 24, ms / 60_000 % 60, ms / 1000 % 60);
        match (d, h, m, s) {
            (0, 0, 0, 0) if ms > 0 => write!(f, "{sign}{ms} ms"),
            (0, 0, 0, s) => write!(f, "{sign}{s} s"),
            (0, 0, m, 0) => write!(f, "{sign}{m} min"),
            (0, 0, m, s) => write!(f, "{sign}{m} min {s} s"),
            (0, h, 0, _) => write!(f, "{sign}{h} h"),
            (0, h, m, _) => write!(f, "{sign}{h} h {m} min"),
            (d, 0, _, _) => write!(f, "{sign}{d} d"),
            (d, h, _, _) => write!(f, "{sign}{d} d {h} h"),
        }
    }
}
impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Either;
        impl serde::de::Visitor<'_> for Either {
            type Value = Moment;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a time such as \"2026-11-21T16:30:00Z\", or milliseconds since 1970")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Moment, E> {
                Moment::parse(text).map_err(E::custom)
            }
            fn visit_i64<E: serde::de::Error>(self, ms: i64) -> Result<Moment, E> {
                Moment(ms).in_range().map_err(E::custom)
            }
            fn visit_u64<E: serde::de::Error>(self, ms: u64) -> Result<Moment, E> {
                self.visit_i64(i64::try_from(ms).unwrap_or(i64::MAX))
            }
        }
        from.deserialize_any(Either)
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        if self.0 % 1000 == 0 {
            to.serialize_i64(self.0 / 1000)
        } else {
            to.serialize_f64(self.as_seconds_f64())
        }
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let seconds = f64::deserialize(from)?;
        if seconds.is_finite() && seconds.abs() <= 1e10 {
            Ok(Self((seconds * 1000.0).round() as i64))
        } else {
            Err(serde::de::Error::custom(
                "a length of time in seconds must be a plain number",
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_reads_what_it_writes() {
        let at = Moment::parse("2026-11-21T16:30:00.250Z").unwrap();
        assert_eq!(serde_json::to_string(&at).unwrap(), "\"2026-11-21T16:30:00.250Z\"");
        assert_eq!(
            serde_json::from_str::<Moment>("\"2026-11-21T17:30:00.250+01:00\"").unwrap(),
            at
        );
        assert_eq!(serde_json::from_str::<Moment>(&at.millis().to_string()).unwrap(), at);
        for bad in ["\"yesterday\"", "12", "\"1999-01-01T00:00:00Z\"", "null", "1e300"] {
            assert!(serde_json::from_str::<Moment>(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_span_is_said_in_two_units() {
        assert_eq!(Span::seconds(90).to_string(), "1 min 30 s");
        assert_eq!(Span::hours(26).to_string(), "1 d 2 h");
        assert_eq!(Span::millis(250).to_string(), "250 ms");
        assert_eq!((-Span::minutes(5)).to_string(), "-5 min");
    }
}
