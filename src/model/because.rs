//! Why was it done? The facts and the rule, in data.
//!
//! A because is made where the decision is made and travels with the effect, so that `innkeeper why` and central can show
//! it. One sentence is rendered from it; no sentence is ever parsed.

use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::fmt;

/// One fact that a decision rests on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fact {
    /// What it is about, in snake case.
    pub name: Cow<'static, str>,
    /// The fact: a number, a word, a time as text.
    pub value: serde_json::Value,
}

/// The rule that led to an effect, and the facts it was applied to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Because {
    /// The rule's name in kebab case: `prepare-in-time`, `guest-turned-dial`. `docs/rules.md` lists them.
    pub rule: Cow<'static, str>,
    /// The facts, in the order a person would want them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub facts: Vec<Fact>,
}

impl Because {
    /// Starts with the rule.
    pub const fn rule(rule: &'static str) -> Self {
        Self {
            rule: Cow::Borrowed(rule),
            facts: Vec::new(),
        }
    }

    /// Adds a fact: anything that is written as one JSON scalar.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Serialize) -> Self {
        let value = serde_json::to_value(value).unwrap_or(serde_json::Value::Null);
        self.facts.push(Fact {
            name: Cow::Borrowed(name),
            value,
        });
        self
    }

    /// Adds a fact where there is one.
    #[must_use]
    pub fn with_some(self, name: &'static str, value: Option<impl Serialize>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }
}

impl fmt::Display for Because {
    /// `prepare-in-time: eta 2026-11-21T16:30:00.000Z, lead_min 95, target 24`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.rule)?;
        for (n, fact) in self.facts.iter().enumerate() {
            let lead = if n == 0 { ": " } else { ", " };
            match &fact.value {
                serde_json::Value::String(text) => write!(f, "{lead}{} {text}", fact.name)?,
                other => write!(f, "{lead}{} {other}", fact.name)?,
            }
        }
        Ok(())
    }
}
