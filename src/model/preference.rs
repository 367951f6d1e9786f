//! What is a like about, and what did one stay show of it?
//!
//! An attribute is one thing that guests differ in and that a stay can show. What a stay showed travels between
//! properties and is kept as it was shown; what follows from it is worked out anew each time (`engine::preference`).

use super::value::{Figure, words};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

words! {
    /// One thing that guests have likes in. Settings that differ by what the guest does are attributes of their own.
    Attribute {
        /// Set-point on coming in, within the first hour, C.
        ArrivalTemperature = "arrival_temperature",
        /// Set-point while in and awake, C.
        TargetTemperature = "target_temperature",
        /// Set-point while asleep, C.
        AsleepTemperature = "asleep_temperature",
        /// Mattress firmness while awake, 0 soft to 100 hard, %.
        Firmness = "firmness",
        /// Mattress firmness while asleep, %.
        AsleepFirmness = "asleep_firmness",
        /// When the guest goes to sleep, minutes after local noon.
        Bedtime = "bedtime",
        /// When the guest gets up, minutes after local noon.
        WakeTime = "wake_time",
        /// From when on nobody is to disturb, minutes after local noon.
        QuietFrom = "quiet_from",
        /// Until when, minutes after local noon.
        QuietUntil = "quiet_until",
        /// The fan stage.
        Fan = "fan",
        /// The curtain while asleep.
        Curtain = "curtain",
        /// What the pillow is filled with.
        Pillow = "pillow",
    }
}

words! {
    /// What there is to choose from, for attributes that are no figures. A closed list: no free words about a guest travel.
    Choice {
        /// Fan: standing still.
        Off = "off",
        /// Fan: the unit chooses.
        Auto = "auto",
        /// Fan: the lowest stages.
        Low = "low",
        /// Fan: the middle.
        Medium = "medium",
        /// Fan: the highest stages.
        High = "high",
        /// Curtain: closed.
        Closed = "closed",
        /// Curtain: partly open.
        Half = "half",
        /// Curtain: open.
        Open = "open",
        /// Pillow: down.
        Down = "down",
        /// Pillow: feathers.
        Feather = "feather",
        /// Pillow: fibre.
        Fibre = "fibre",
        /// Pillow: foam.
        Foam = "foam",
        /// Pillow: latex.
        Latex = "latex",
        /// Pillow: wool.
        Wool = "wool",
        /// Pillow: husks of buckwheat or spelt.
        Husk = "husk",
    }
}

/// What was said or shown of an attribute: a figure, or one of its choices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Said {
    /// In the attribute's unit.
    Figure(Figure),
    /// One of its choices.
    Choice(Choice),
}

/// Whether an attribute takes figures or choices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SaidKind {
    /// Figures in a unit.
    Figure(&'static str),
    /// One of these, the least usual last.
    Choice(&'static [Choice]),
}

impl Attribute {
    /// Every attribute.
    pub const ALL: [Attribute; 12] = [
        Attribute::ArrivalTemperature,
        Attribute::TargetTemperature,
        Attribute::AsleepTemperature,
        Attribute::Firmness,
        Attribute::AsleepFirmness,
        Attribute::Bedtime,
        Attribute::WakeTime,
        Attribute::QuietFrom,
        Attribute::QuietUntil,
        Attribute::Fan,
        Attribute::Curtain,
        Attribute::Pillow,
    ];

    /// What is said of it, and in which unit.
    pub const fn kind(self) -> SaidKind {
        use Choice::{Auto, Closed, Down, Feather, Fibre, Foam, Half, High, Husk, Latex, Low, Medium, Off, Open, Wool};
        match self {
            Attribute::ArrivalTemperature | Attribute::TargetTemperature | Attribute::AsleepTemperature => {
                SaidKind::Figure("C")
            }
            Attribute::Firmness | Attribute::AsleepFirmness => SaidKind::Figure("%"),
            Attribute::Bedtime | Attribute::WakeTime | Attribute::QuietFrom | Attribute::QuietUntil => {
                SaidKind::Figure("min after noon")
            }
            Attribute::Fan => SaidKind::Choice(&[Auto, Low, Medium, Off, High]),
            Attribute::Curtain => SaidKind::Choice(&[Closed, Open, Half]),
            Attribute::Pillow => SaidKind::Choice(&[Down, Feather, Fibre, Foam, Latex, Wool, Husk]),
        }
    }

    /// Whether this can be said of it.
    pub fn takes(self, said: Said) -> bool {
        match (self.kind(), said) {
            (SaidKind::Figure(_), Said::Figure(_)) => true,
            (SaidKind::Choice(list), Said::Choice(choice)) => list.contains(&choice),
            _ => false,
        }
    }
}

impl Said {
    /// A figure of so many hundredths.
    pub const fn hundredths(n: i32) -> Said {
        Said::Figure(Figure::from_hundredths(n))
    }

    /// The figure, when it is one.
    pub const fn figure(self) -> Option<Figure> {
        if let Said::Figure(figure) = self {
            Some(figure)
        } else {
            None
        }
    }

    /// The choice, when it is one.
    pub const fn choice(self) -> Option<Choice> {
        if let Said::Choice(choice) = self {
            Some(choice)
        } else {
            None
        }
    }

    /// The bare JSON scalar. Whole numbers are written without a fraction.
    pub fn scalar(self) -> serde_json::Value {
        match self {
            Said::Figure(figure) if figure.hundredths() % 100 == 0 => (figure.hundredths() / 100).into(),
            Said::Figure(figure) => figure.to_f64().into(),
            Said::Choice(choice) => choice.word().into(),
        }
    }
}

impl Serialize for Said {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Said::Figure(figure) => figure.serialize(to),
            Said::Choice(choice) => choice.serialize(to),
        }
    }
}

impl<'de> Deserialize<'de> for Said {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Either;
        impl serde::de::Visitor<'_> for Either {
            type Value = Said;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "a number, or one of {}", Choice::WORDS.join(", "))
            }
            fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<Said, E> {
                let figure = Figure::new(number);
                figure
                    .map(Said::Figure)
                    .ok_or_else(|| E::custom(format!("{number} is not between -10000 and 10000")))
            }
            fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<Said, E> {
                self.visit_f64(number as f64)
            }
            fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Said, E> {
                self.visit_f64(number as f64)
            }
            fn visit_str<E: serde::de::Error>(self, word: &str) -> Result<Said, E> {
                let choice = Choice::from_word(word).map(Said::Choice);
                choice.ok_or_else(|| E::unknown_variant(word, Choice::WORDS))
            }
        }
        from.deserialize_any(Either)
    }
}

impl schemars::JsonSchema for Said {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Said".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "A figure in the attribute's unit, or one of its choices.",
            "anyOf": [
                { "type": "number", "minimum": -10000, "maximum": 10000 },
                { "type": "string", "enum": Choice::WORDS },
            ],
        })
    }
}

/// What devices settled at over a stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settled {
    /// The median over the nights, or the choice of most nights.
    pub settled: Said,
    /// Over how many nights.
    pub nights: u16,
    /// How many acts by hand.
    #[serde(default = "one_act")]
    pub acts: u16,
}

fn one_act() -> u16 {
    1
}

/// What one stay showed of one attribute.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StayEvidence {
    /// Of what.
    pub attribute: Attribute,
    /// What the guest's hand settled at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<Settled>,
    /// What the guest asked for in so many words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub explicit: Option<Said>,
    /// What the guest confirmed when asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmed: Option<Said>,
    /// What staff noted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub staff: Option<Said>,
    /// What the guest was given and left alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted: Option<Said>,
    /// What the booking said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub booking: Option<Said>,
}

impl StayEvidence {
    /// Nothing shown yet.
    pub const fn none(attribute: Attribute) -> Self {
        Self {
            attribute,
            device: None,
            explicit: None,
            confirmed: None,
            staff: None,
            accepted: None,
            booking: None,
        }
    }

    /// Everything said in it.
    pub fn said(&self) -> impl Iterator<Item = Said> {
        let device = self.device.map(|device| device.settled);
        [
            device,
            self.explicit,
            self.confirmed,
            self.staff,
            self.accepted,
            self.booking,
        ]
        .into_iter()
        .flatten()
    }

    /// Whether all of it can be said of its attribute.
    pub fn is_sound(&self) -> bool {
        self.said().all(|said| self.attribute.takes(said))
    }

    /// Whether nothing was shown.
    pub fn is_empty(&self) -> bool {
        self.said().next().is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn evidence_reads_what_it_writes_and_refuses_free_words() {
        let text = r#"{"attribute":"pillow","explicit":"latex","booking":"down"}"#;
        let evidence: StayEvidence = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&evidence).unwrap(), text);
        assert!(evidence.is_sound());
        for bad in [
            r#"{"attribute":"pillow","explicit":"by the window"}"#,
            r#"{"attribute":"target_temperature","explicit":1e300}"#,
            r#"{"attribute":"target_temperature","explicit":null,"name":"x"}"#,
            r#"{"attribute":"shoe_size"}"#,
        ] {
            assert!(serde_json::from_str::<StayEvidence>(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn each_attribute_takes_its_own_kind_only() {
        assert!(Attribute::Pillow.takes(Said::Choice(Choice::Latex)));
        assert!(!Attribute::Pillow.takes(Said::Choice(Choice::Auto)));
        assert!(!Attribute::Pillow.takes(Said::hundredths(2300)));
        assert!(!Attribute::Firmness.takes(Said::Choice(Choice::Down)));
        assert_eq!(Attribute::ALL.map(Attribute::word).as_slice(), Attribute::WORDS);
    }
}
