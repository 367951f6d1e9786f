//! What can the device be told, and which value that it takes is nearest to a wish?

use super::format::{Arg, Budget, CommandSpec, ValueForm};
use super::meaning::{number_of, value_of};
use super::rejection::EncodeRefusal;
use super::words::Scalar;
use crate::model::{Ability, FanMode, HvacMode, Point, Span, Symbol, Value, ValueKind};
use serde_json::Value as Json;

/// How far from a step a number may lie and still be on it: the values are hundredths.
const STEP_SLACK: f64 = 1e-6;

/// What a command takes, ready to be asked.
#[derive(Debug, Clone)]
pub(crate) struct Accepts {
    pub kind: ValueKind,
    pub min: f64,
    pub max: f64,
    pub step: Option<f64>,
    pub scale: f64,
    /// What is told, and what the device is sent for it. Empty for numbers, free words and plain flags.
    pub told: Vec<(Value, Scalar)>,
}

impl Accepts {
    /// Takes over the `arg` of a command; what its map does not know is left out (the lint has told of it).
    pub fn new(kind: ValueKind, arg: &Arg) -> Self {
        let told = arg.map.iter().flat_map(|map| map.iter());
        let told = told
            .filter_map(|(word, raw)| Some((told_value(word, kind)?, raw.clone())))
            .collect();
        Self {
            kind,
            min: arg.min.unwrap_or(f64::NEG_INFINITY),
            max: arg.max.unwrap_or(f64::INFINITY),
            step: arg.step,
            scale: arg.scale.unwrap_or(1.0),
            told,
        }
    }

    /// Returns what the device is sent for a value.
    pub fn raw(&self, value: &Value) -> Result<Scalar, EncodeRefusal> {
        if kind_of(value) != self.kind {
            return Err(EncodeRefusal::Type);
        }
        if !self.told.is_empty() {
            let found = self.told.iter().find(|(told, _)| told == value);
            return found.map(|(_, raw)| raw.clone()).ok_or(EncodeRefusal::Value);
        }
        match value {
            Value::Flag(flag) => Ok(Scalar::Flag(*flag)),
            Value::Word(word) => Ok(Scalar::Text(word.as_str().to_owned())),
            _ => self.number(value.number().ok_or(EncodeRefusal::Value)?),
        }
    }

    fn number(&self, number: f64) -> Result<Scalar, EncodeRefusal> {
        if !(self.min - STEP_SLACK..=self.max + STEP_SLACK).contains(&number) {
            return Err(EncodeRefusal::Range);
        }
        let steps = self.step.map_or(0.0, |step| (number - self.base()) / step);
        if (steps - steps.round()).abs() > STEP_SLACK {
            return Err(EncodeRefusal::Step);
        }
        Ok(Scalar::Number(tidy(number / self.scale)))
    }

    fn base(&self) -> f64 {
        if self.min.is_finite() { self.min } else { 0.0 }
    }

    /// Reads what somebody wrote as a value: a JSON scalar, or a text as a command line gives it.
    pub fn read(&self, written: &Json) -> Result<Value, EncodeRefusal> {
        match self.kind {
            ValueKind::Flag => self.read_flag(written),
            ValueKind::Hvac => word_of(written, |word| HvacMode::from_word(word).map(Value::Hvac)),
            ValueKind::Fan => word_of(written, |word| FanMode::from_word(word).map(Value::Fan)),
            ValueKind::Word => word_of(written, |word| Some(Value::Word(Symbol::new(word)))),
            _ => {
                let number = match written {
                    Json::Number(n) => n.as_f64(),
                    Json::String(text) => number_of(text),
                    _ => None,
                };
                Value::from_number(number.ok_or(EncodeRefusal::Type)?, self.kind.unit()).ok_or(EncodeRefusal::Range)
            }
        }
    }

    fn read_flag(&self, written: &Json) -> Result<Value, EncodeRefusal> {
        let Json::String(text) = written else {
            return written.as_bool().map(Value::Flag).ok_or(EncodeRefusal::Type);
        };
        let own = self
            .told
            .iter()
            .find(|(_, raw)| raw == &Scalar::Text(text.clone()))
            .map(|(value, _)| value.clone());
        own.or(match text.as_str() {
            "true" | "on" | "yes" => Some(Value::Flag(true)),
            "false" | "off" | "no" => Some(Value::Flag(false)),
            _ => None,
        })
        .ok_or(EncodeRefusal::Type)
    }

    /// Returns the value nearest to a wish that the device takes; none when it takes nothing like it.
    pub fn snap(&self, wish: &Value) -> Option<Value> {
        if kind_of(wish) != self.kind {
            return None;
        }
        match wish.number() {
            Some(number) => Value::from_number(self.limits().nearest(number), self.kind.unit()),
            None => self.raw(wish).is_ok().then(|| wish.clone()),
        }
    }

    fn limits(&self) -> Ability {
        Ability {
            point: Point::TargetTemperature,
            min: self.min.is_finite().then_some(self.min),
            max: self.max.is_finite().then_some(self.max),
            step: self.step,
            words: Vec::new(),
            confirm_within: None,
            tolerance: 0.0,
            gap_min: Span::ZERO,
            per_day_max: 0,
        }
    }

    /// Returns what the engine needs to know of the command.
    pub fn ability(&self, point: Point, spec: &CommandSpec) -> Ability {
        let Budget { min_gap, per_day } = spec.budget;
        let words = self.told.iter().filter(|(value, _)| value.flag().is_none());
        Ability {
            point,
            words: words
                .filter_map(|(value, _)| value.scalar().as_str().map(str::to_owned))
                .collect(),
            confirm_within: spec.confirm.as_ref().map(|confirm| confirm.within.0),
            tolerance: spec
                .confirm
                .as_ref()
                .and_then(|confirm| confirm.tolerance)
                .unwrap_or(0.0),
            gap_min: min_gap.0,
            per_day_max: per_day,
            ..self.limits()
        }
    }
}

/// Returns the left side of an argument's map as a value.
pub(crate) fn told_value(word: &str, kind: ValueKind) -> Option<Value> {
    match kind {
        ValueKind::Flag => value_of(&Scalar::Flag(word.parse().ok()?), kind),
        ValueKind::Hvac | ValueKind::Fan | ValueKind::Word => value_of(&Scalar::Text(word.to_owned()), kind),
        _ => None,
    }
}

/// Which form of writing a kind of value has.
pub(crate) const fn form_fits(form: ValueForm, kind: ValueKind) -> bool {
    match kind {
        ValueKind::Flag => matches!(form, ValueForm::Bool),
        ValueKind::Hvac | ValueKind::Fan => matches!(form, ValueForm::Enum),
        ValueKind::Word => matches!(form, ValueForm::Enum | ValueForm::Word),
        _ => matches!(form, ValueForm::Number),
    }
}

pub(crate) const fn kind_of(value: &Value) -> ValueKind {
    match value {
        Value::Temperature(_) => ValueKind::Temperature,
        Value::Share(_) => ValueKind::Share,
        Value::Flag(_) => ValueKind::Flag,
        Value::Hvac(_) => ValueKind::Hvac,
        Value::Fan(_) => ValueKind::Fan,
        Value::Word(_) => ValueKind::Word,
        Value::Watts(_) => ValueKind::Watts,
        Value::WattHours(_) => ValueKind::WattHours,
        Value::Ppm(_) => ValueKind::Ppm,
        Value::Lux(_) => ValueKind::Lux,
        Value::Count(_) => ValueKind::Count,
    }
}

fn word_of(written: &Json, read: impl Fn(&str) -> Option<Value>) -> Result<Value, EncodeRefusal> {
    read(written.as_str().ok_or(EncodeRefusal::Type)?).ok_or(EncodeRefusal::Value)
}

/// A number without the dust of a division.
fn tidy(number: f64) -> f64 {
    (number * 1e6).round() / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Celsius;
    use serde_json::json;

    fn half_degrees() -> Accepts {
        Accepts {
            kind: ValueKind::Temperature,
            min: 16.0,
            max: 30.0,
            step: Some(0.5),
            scale: 1.0,
            told: Vec::new(),
        }
    }

    #[test]
    fn what_is_off_the_range_or_the_step_is_refused() {
        let accepts = half_degrees();
        let ask = |written: Json| accepts.read(&written).and_then(|value| accepts.raw(&value));
        assert_eq!(ask(json!(21.5)), Ok(Scalar::Number(21.5)));
        assert_eq!(ask(json!("16")), Ok(Scalar::Number(16.0)));
        assert_eq!(ask(json!(24.3)), Err(EncodeRefusal::Step));
        assert_eq!(ask(json!(15.5)), Err(EncodeRefusal::Range));
        assert_eq!(ask(json!(1e9)), Err(EncodeRefusal::Range));
        for written in [
            json!("abc"),
            json!("nan"),
            json!("inf"),
            json!("True"),
            json!(true),
            json!(null),
            json!([21]),
        ] {
            assert_eq!(ask(written), Err(EncodeRefusal::Type));
        }
        assert_eq!(accepts.raw(&Value::Flag(true)), Err(EncodeRefusal::Type));
    }

    #[test]
    fn a_wish_is_moved_to_the_nearest_value_the_device_takes() {
        let accepts = half_degrees();
        let snap = |t: f64| accepts.snap(&Value::Temperature(Celsius::new(t).unwrap()));
        let at = |t: f64| Some(Value::Temperature(Celsius::new(t).unwrap()));
        assert_eq!((snap(21.3), snap(12.0), snap(99.0)), (at(21.5), at(16.0), at(30.0)));
        assert_eq!(accepts.snap(&Value::Flag(true)), None);
    }
}
