//! What does one raw value mean, and can it be true?
//!
//! A raw value is what stands in a payload or a register. It becomes a [`Value`] only when its type is right, it is none
//! of the maker's "no value" codes, the profile lists its code, and it lies in the range that can be true. Everything
//! else becomes a quality that says why not: never a guess, never the nearest value.

use super::words::{Ordered, Scalar};
use crate::model::{FanMode, HvacMode, Quality, Symbol, Value, ValueKind};
use std::borrow::Cow;

/// The longest word taken as it is from a device.
const WORD_BYTES_MAX: usize = 48;

/// A raw value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Raw<'a> {
    Null,
    Flag(bool),
    Number(f64),
    Text(Cow<'a, str>),
    /// A list or a table where a single value belongs.
    Composite,
}

/// How raw values of one point are read.
#[derive(Debug, Clone)]
pub(crate) struct Meaning {
    pub kind: ValueKind,
    pub scale: f64,
    pub offset: f64,
    pub valid: Option<[f64; 2]>,
    pub reserved: Vec<Scalar>,
    pub codes: Vec<Code>,
    /// Whether numbers come as text.
    pub number_text: bool,
}

/// One entry of a `map`: a raw value and what it means.
#[derive(Debug, Clone)]
pub(crate) struct Code {
    pub text: String,
    pub number: Option<f64>,
    pub flag: Option<bool>,
    pub value: Value,
}

impl Code {
    pub fn new(text: &str, value: Value) -> Self {
        Self {
            text: text.into(),
            number: number_of(text),
            flag: text.parse().ok(),
            value,
        }
    }

    fn is(&self, raw: &Raw<'_>) -> bool {
        match raw {
            Raw::Flag(flag) => self.flag == Some(*flag),
            Raw::Number(n) => self.number == Some(*n),
            Raw::Text(text) => self.text == **text,
            Raw::Null | Raw::Composite => false,
        }
    }
}

impl Meaning {
    /// Returns the quality, and the value when it is good.
    pub fn read(&self, raw: &Raw<'_>) -> (Quality, Option<Value>) {
        match self.value(raw) {
            Ok(value) => (Quality::Good, Some(value)),
            Err(quality) => (quality, None),
        }
    }

    fn value(&self, raw: &Raw<'_>) -> Result<Value, Quality> {
        let number = match raw {
            Raw::Null => return Err(Quality::Unknown),
            Raw::Composite => return Err(Quality::InvalidType),
            Raw::Text(text) if self.number_text => number_of(text).map(Raw::Number),
            _ => None,
        };
        let raw = number.as_ref().unwrap_or(raw);
        if self.is_reserved(raw) {
            return Err(Quality::InvalidReserved);
        }
        if !self.codes.is_empty() {
            return self
                .codes
                .iter()
                .find(|code| code.is(raw))
                .map(|code| code.value.clone())
                .ok_or(Quality::InvalidValue);
        }
        match (self.kind, raw) {
            (ValueKind::Flag, Raw::Flag(flag)) => Ok(Value::Flag(*flag)),
            // An older bridge ends each press with an empty word.
            (ValueKind::Word, Raw::Text(text)) if text.is_empty() => Err(Quality::Unknown),
            (ValueKind::Word, Raw::Text(text)) => word(text),
            (ValueKind::Word, Raw::Number(n)) => word(&super::words::number_json(*n).to_string()),
            (ValueKind::Flag | ValueKind::Word | ValueKind::Hvac | ValueKind::Fan, _) => Err(Quality::InvalidType),
            (_, Raw::Number(n)) => self.number(*n),
            _ => Err(Quality::InvalidType),
        }
    }

    fn number(&self, raw: f64) -> Result<Value, Quality> {
        let value =
            Value::from_number(raw * self.scale + self.offset, self.kind.unit()).ok_or(Quality::InvalidRange)?;
        let number = value.number().unwrap_or(f64::NAN);
        let fits = self.valid.is_none_or(|[least, most]| number >= least && number <= most);
        if fits { Ok(value) } else { Err(Quality::InvalidRange) }
    }

    /// Whether a raw value is one the maker keeps for "no value".
    pub fn is_reserved(&self, raw: &Raw<'_>) -> bool {
        self.reserved.iter().any(|code| match (code, raw) {
            (Scalar::Number(a), Raw::Number(b)) => a == b,
            (Scalar::Text(a), Raw::Text(b)) => a == b,
            (Scalar::Flag(a), Raw::Flag(b)) => a == b,
            _ => false,
        })
    }

    /// Returns the raw number that means this value, unrounded; none when no raw number does.
    pub fn raw_number(&self, value: &Value) -> Option<f64> {
        if self.codes.is_empty() {
            return match value {
                Value::Flag(flag) => Some(f64::from(u8::from(*flag))),
                _ => value.number().map(|number| (number - self.offset) / self.scale),
            };
        }
        self.codes.iter().find(|code| code.value == *value)?.number
    }
}

/// Returns the entries of a `map`, or the entry whose right side the point's kind does not know.
pub(crate) fn codes_of(map: &Ordered<Scalar>, kind: ValueKind) -> Result<Vec<Code>, (String, String)> {
    map.iter()
        .map(|(raw, means)| match value_of(means, kind) {
            Some(value) => Ok(Code::new(raw, value)),
            None => Err((raw.to_owned(), means.text())),
        })
        .collect()
}

/// Returns a profile's scalar as a value of this kind.
pub(crate) fn value_of(scalar: &Scalar, kind: ValueKind) -> Option<Value> {
    match (kind, scalar) {
        (ValueKind::Flag, Scalar::Flag(flag)) => Some(Value::Flag(*flag)),
        (ValueKind::Hvac, Scalar::Text(text)) => HvacMode::from_word(text).map(Value::Hvac),
        (ValueKind::Fan, Scalar::Text(text)) => FanMode::from_word(text).map(Value::Fan),
        (ValueKind::Word, Scalar::Text(text)) => word(text).ok(),
        (ValueKind::Flag | ValueKind::Hvac | ValueKind::Fan | ValueKind::Word, _) => None,
        (_, Scalar::Number(n)) => Value::from_number(*n, kind.unit()),
        _ => None,
    }
}

/// The words a kind knows; none for numbers and free words.
pub(crate) const fn words_of(kind: ValueKind) -> &'static [&'static str] {
    match kind {
        ValueKind::Hvac => HvacMode::WORDS,
        ValueKind::Fan => FanMode::WORDS,
        ValueKind::Flag => &["true", "false"],
        _ => &[],
    }
}

/// Takes a word as the device says it, when it is a short plain one.
fn word(text: &str) -> Result<Value, Quality> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | ' ' | '+');
    if (1..=WORD_BYTES_MAX).contains(&text.len()) && text.chars().all(plain) {
        Ok(Value::Word(Symbol::new(text)))
    } else {
        Err(Quality::InvalidValue)
    }
}

/// Reads a text as a plain finite number.
pub(crate) fn number_of(text: &str) -> Option<f64> {
    let plain = text
        .bytes()
        .all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'+' | b'e' | b'E'));
    text.parse::<f64>().ok().filter(|n| plain && n.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Celsius;

    fn temperature() -> Meaning {
        Meaning {
            kind: ValueKind::Temperature,
            scale: 0.02,
            offset: 0.0,
            valid: Some([-10.0, 60.0]),
            reserved: vec![Scalar::Number(65535.0)],
            codes: Vec::new(),
            number_text: false,
        }
    }

    #[test]
    fn a_number_is_scaled_then_rounded_then_held_against_its_range() {
        let meaning = temperature();
        let good = |t: f64| (Quality::Good, Celsius::new(t).map(Value::Temperature));
        assert_eq!(meaning.read(&Raw::Number(1175.0)), good(23.5));
        assert_eq!(meaning.read(&Raw::Number(3000.0)), good(60.0));
        assert_eq!(meaning.read(&Raw::Number(3001.0)), (Quality::InvalidRange, None));
        assert_eq!(meaning.read(&Raw::Number(65535.0)), (Quality::InvalidReserved, None));
        assert_eq!(meaning.read(&Raw::Flag(true)), (Quality::InvalidType, None));
        assert_eq!(meaning.read(&Raw::Number(f64::NAN)), (Quality::InvalidRange, None));
        assert_eq!(meaning.read(&Raw::Text("21".into())), (Quality::InvalidType, None));
    }

    #[test]
    fn a_number_in_text_is_a_number_only_where_the_profile_says_so() {
        let meaning = Meaning {
            number_text: true,
            scale: 1.0,
            ..temperature()
        };
        assert_eq!(meaning.read(&Raw::Text("24.01".into())).0, Quality::Good);
        for text in ["--", "nan", "inf", "", "24,5", " 24"] {
            assert_eq!(
                meaning.read(&Raw::Text(text.into())),
                (Quality::InvalidType, None),
                "{text:?}"
            );
        }
    }

    #[test]
    fn what_a_device_says_as_a_word_is_short_and_plain() {
        assert!(word("1_single").is_ok());
        for text in ["", "a/b", "#", "x\n", "ü", &"x".repeat(49)] {
            assert_eq!(word(text), Err(Quality::InvalidValue), "{text:?}");
        }
    }
}
