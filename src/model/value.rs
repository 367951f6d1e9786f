//! How much, in which unit?
//!
//! Each variant of [`Value`] carries its unit, so a reading in a wrong unit cannot be written down. Numbers are fixed-point:
//! two gateways that compare or add them agree to the bit. In JSON a value is its bare scalar and its unit stands beside it;
//! inside records and events it is tagged (`{"temperature": 21.5}`).

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::ops::{Add, Sub};
use std::sync::Arc;

macro_rules! hundredths {
    ($(#[$doc:meta])* $name:ident, $unit:literal, $min:literal, $max:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        pub struct $name(i32);

        impl $name {
            /// The least that can be said.
            pub const MIN: Self = Self($min * 100);
            /// The most that can be said.
            pub const MAX: Self = Self($max * 100);

            /// Returns the value of so many hundredths; what lies outside the range becomes its edge.
            pub const fn from_hundredths(n: i32) -> Self {
                if n < Self::MIN.0 { Self::MIN } else if n > Self::MAX.0 { Self::MAX } else { Self(n) }
            }

            /// Returns the value nearest to a number, or `None` when it is no number or outside the range.
            pub fn new(number: f64) -> Option<Self> {
                let n = (number * 100.0).round();
                (n.is_finite() && n >= Self::MIN.0 as f64 && n <= Self::MAX.0 as f64).then_some(Self(n as i32))
            }

            /// The hundredths.
            pub const fn hundredths(self) -> i32 {
                self.0
            }

            /// The plain number.
            pub fn to_f64(self) -> f64 {
                f64::from(self.0) / 100.0
            }

            /// How far apart the two are, never negative.
            pub const fn distance(self, other: Self) -> Self {
                Self((self.0 - other.0).abs())
            }

            /// The same value held between the two edges; the lower edge wins when they cross.
            pub fn held(self, low: Self, high: Self) -> Self {
                Self(self.0.min(high.0).max(low.0))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!("{} ", $unit), self.to_f64())
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
        impl Add for $name {
            type Output = Self;
            fn add(self, other: Self) -> Self {
                Self::from_hundredths(self.0 + other.0)
            }
        }
        impl Sub for $name {
            type Output = Self;
            fn sub(self, other: Self) -> Self {
                Self::from_hundredths(self.0 - other.0)
            }
        }
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.serialize_f64(self.to_f64())
            }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let number = f64::deserialize(from)?;
                Self::new(number).ok_or_else(|| {
                    serde::de::Error::custom(format!(concat!("{} is not between ", $min, " and ", $max, " ", $unit), number))
                })
            }
        }
        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "number", "minimum": $min, "maximum": $max, "description": $unit })
            }
        }
    };
}

hundredths!(
    /// A temperature, or a difference of two, in hundredths of a degree Celsius (a difference: kelvin).
    Celsius, "C", -100, 200
);
hundredths!(
    /// A share, in hundredths of a percent.
    Percent, "%", 0, 100
);

hundredths!(
    /// A figure of a guest's likes, in hundredths of its attribute's unit (C, %, or minutes).
    Figure, "of the attribute's unit", -10000, 10000
);

/// Mattress firmness: 0 is the softest the bed can be, 100 the hardest.
pub type Firmness = Percent;

/// A word from a closed list that a profile defines: a preset, a button's action, a fault code.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Symbol(Arc<str>);

impl Symbol {
    /// Takes a word, cut to 48 characters.
    pub fn new(word: &str) -> Self {
        if word.len() <= 48 {
            Self(word.into())
        } else {
            Self(word.chars().take(48).collect::<String>().into())
        }
    }
    /// The word.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
impl fmt::Debug for Symbol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $word:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
        pub enum $name { $($(#[$vdoc])* #[serde(rename = $word)] $variant,)* }

        impl $name {
            /// Every word of the list.
            pub const WORDS: &'static [&'static str] = &[$($word),*];
            /// The word as it is written.
            pub const fn word(self) -> &'static str {
                match self { $(Self::$variant => $word),* }
            }
            /// Returns what the word means.
            pub fn from_word(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$variant),)* _ => None }
            }
        }
    };
}

pub(super) use words;

words! {
    /// What a climate unit is told to do.
    HvacMode {
        /// Nothing.
        Off = "off",
        /// Warm the room.
        Heat = "heat",
        /// Cool the room.
        Cool = "cool",
        /// Choose by itself.
        Auto = "auto",
        /// Take water out of the air.
        Dry = "dry",
        /// Move the air only.
        Fan = "fan",
        /// Bring in outdoor air.
        Vent = "vent",
    }
}

words! {
    /// A fan stage.
    FanMode {
        /// Standing still.
        Off = "off",
        /// The unit chooses.
        Auto = "auto",
        /// Quieter than low.
        Quiet = "quiet",
        /// The lowest of three.
        Low = "low",
        /// The middle of three.
        Medium = "medium",
        /// The highest of three.
        High = "high",
        /// Above high.
        Turbo = "turbo",
        /// Runs, stage not told.
        On = "on",
        /// The first of numbered stages.
        Speed1 = "speed1",
        /// The second.
        Speed2 = "speed2",
        /// The third.
        Speed3 = "speed3",
        /// The fourth.
        Speed4 = "speed4",
        /// The fifth.
        Speed5 = "speed5",
        /// The sixth.
        Speed6 = "speed6",
    }
}

words! {
    /// The unit of a number, as profiles and answers write it.
    Unit {
        /// Degrees Celsius.
        Celsius = "C",
        /// Percent.
        Percent = "%",
        /// Watts.
        Watts = "W",
        /// Kilowatt-hours.
        KilowattHours = "kWh",
        /// Parts per million.
        Ppm = "ppm",
        /// Lux.
        Lux = "lx",
    }
}

/// One value with its unit.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Value {
    /// Degrees Celsius, hundredths.
    Temperature(Celsius),
    /// Percent, hundredths.
    Share(Percent),
    /// Yes or no.
    Flag(bool),
    /// A climate unit's mode.
    Hvac(HvacMode),
    /// A fan stage.
    Fan(FanMode),
    /// A word of the profile's own list.
    Word(Symbol),
    /// Electric power, W.
    Watts(i32),
    /// Electric energy, Wh (shown in kWh).
    WattHours(i64),
    /// Concentration, ppm.
    Ppm(i32),
    /// Light, lx.
    Lux(i32),
    /// A bare number without a unit, in thousandths.
    Count(i64),
}

impl Value {
    /// The unit's name as answers write it; none for words, flags and bare numbers.
    pub const fn unit(&self) -> Option<Unit> {
        match self {
            Value::Temperature(_) => Some(Unit::Celsius),
            Value::Share(_) => Some(Unit::Percent),
            Value::Watts(_) => Some(Unit::Watts),
            Value::WattHours(_) => Some(Unit::KilowattHours),
            Value::Ppm(_) => Some(Unit::Ppm),
            Value::Lux(_) => Some(Unit::Lux),
            Value::Flag(_) | Value::Hvac(_) | Value::Fan(_) | Value::Word(_) | Value::Count(_) => None,
        }
    }

    /// Returns the number as a value of this unit, or `None` when it cannot be said in it.
    pub fn from_number(number: f64, unit: Option<Unit>) -> Option<Value> {
        let whole = |limit: f64| (number.is_finite() && number.abs() <= limit).then(|| number.round());
        Some(match unit {
            Some(Unit::Celsius) => Value::Temperature(Celsius::new(number)?),
            Some(Unit::Percent) => Value::Share(Percent::new(number)?),
            Some(Unit::Watts) => Value::Watts(whole(1e9)? as i32),
            Some(Unit::KilowattHours) => {
                Value::WattHours((number.is_finite() && number.abs() < 1e12).then(|| (number * 1000.0).round())? as i64)
            }
            Some(Unit::Ppm) => Value::Ppm(whole(1e9)? as i32),
            Some(Unit::Lux) => Value::Lux(whole(1e9)? as i32),
            None => {
                Value::Count((number.is_finite() && number.abs() < 1e12).then(|| (number * 1000.0).round())? as i64)
            }
        })
    }

    /// The number in its unit; none for words and flags.
    pub fn number(&self) -> Option<f64> {
        Some(match self {
            Value::Temperature(t) => t.to_f64(),
            Value::Share(p) => p.to_f64(),
            Value::Watts(n) | Value::Ppm(n) | Value::Lux(n) => f64::from(*n),
            Value::WattHours(n) | Value::Count(n) => *n as f64 / 1000.0,
            Value::Flag(_) | Value::Hvac(_) | Value::Fan(_) | Value::Word(_) => return None,
        })
    }

    /// The flag, when it is one.
    pub const fn flag(&self) -> Option<bool> {
        if let Value::Flag(flag) = self {
            Some(*flag)
        } else {
            None
        }
    }

    /// The temperature, when it is one.
    pub const fn temperature(&self) -> Option<Celsius> {
        if let Value::Temperature(t) = self {
            Some(*t)
        } else {
            None
        }
    }

    /// The share, when it is one.
    pub const fn share(&self) -> Option<Percent> {
        if let Value::Share(p) = self { Some(*p) } else { None }
    }

    /// The bare JSON scalar: a number, a boolean or a word. Whole numbers are written without a fraction.
    pub fn scalar(&self) -> serde_json::Value {
        match self {
            Value::Flag(flag) => (*flag).into(),
            Value::Hvac(mode) => mode.word().into(),
            Value::Fan(mode) => mode.word().into(),
            Value::Word(word) => word.as_str().into(),
            _ => {
                let number = self.number().unwrap_or_default();
                if number.fract() == 0.0 {
                    (number as i64).into()
                } else {
                    number.into()
                }
            }
        }
    }

    /// Whether the two are the same within a tolerance in the value's unit (words and flags: exactly).
    pub fn is_near(&self, other: &Value, tolerance: f64) -> bool {
        if std::mem::discriminant(self) != std::mem::discriminant(other) {
            return false;
        }
        match (self.number(), other.number()) {
            (Some(a), Some(b)) => (a - b).abs() <= tolerance + 1e-9,
            _ => self == other,
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.number(), self.unit()) {
            (Some(number), Some(unit)) => write!(f, "{number} {}", unit.word()),
            (Some(number), None) => write!(f, "{number}"),
            (None, _) => match self {
                Value::Flag(true) => f.write_str("yes"),
                Value::Flag(false) => f.write_str("no"),
                Value::Hvac(mode) => f.write_str(mode.word()),
                Value::Fan(mode) => f.write_str(mode.word()),
                Value::Word(word) => f.write_str(word.as_str()),
                _ => Ok(()),
            },
        }
    }
}
impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_that_is_none_is_no_value() {
        for number in [f64::NAN, f64::INFINITY, -f64::INFINITY, 1e300] {
            for unit in [
                Some(Unit::Celsius),
                Some(Unit::Percent),
                Some(Unit::Watts),
                Some(Unit::KilowattHours),
                None,
            ] {
                assert_eq!(Value::from_number(number, unit), None, "{number} {unit:?}");
            }
        }
        assert_eq!(Value::from_number(101.0, Some(Unit::Percent)), None);
    }

    #[test]
    fn temperatures_are_fixed_point() {
        let t = Celsius::new(0.1).unwrap() + Celsius::new(0.2).unwrap();
        assert_eq!(t, Celsius::new(0.3).unwrap());
        assert_eq!(
            serde_json::to_string(&Value::Temperature(t)).unwrap(),
            r#"{"temperature":0.3}"#
        );
        assert_eq!(
            Value::Temperature(Celsius::new(24.0).unwrap()).scalar(),
            serde_json::json!(24)
        );
    }
}
