//! Does each room, each night, keep what the energy code asks for? With evidence.
//!
//! A notebook of one room: minute by minute it is counted what state the room was in and whether its set-point was as the
//! code wants it. At noon the page is closed and handed out; `innkeeper why` and the journal keep it.

use crate::model::{Because, Celsius, CodeMinima, Moment, Span};
use serde::{Deserialize, Serialize};

/// A gap longer than this between two looks counts no more: nobody watched.
const GAP_MAX: Span = Span::minutes(30);
/// A page with fewer counted minutes than this says nothing of the night.
const PAGE_MIN: Span = Span::hours(12);

/// What a room is to the code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tenure {
    /// Nobody has it.
    Unrented,
    /// Somebody has it and is out, or has booked it and not come.
    RentedUnoccupied,
    /// It is brought to comfort for an arrival.
    Preconditioning,
    /// Somebody is in, or it is held for somebody at the desk.
    Occupied,
}

impl Tenure {
    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Tenure::Unrented => "unrented",
            Tenure::RentedUnoccupied => "rented_unoccupied",
            Tenure::Preconditioning => "preconditioning",
            Tenure::Occupied => "occupied",
        }
    }
}

/// What is seen of a room at one moment.
#[derive(Debug, Clone, Copy)]
pub struct Look {
    /// When.
    pub now: Moment,
    /// The night that it belongs to, in days since 1970-01-01, counted from noon.
    pub night: i32,
    /// What the room is to the code.
    pub tenure: Tenure,
    /// The set-point in force, and whether it warms; none while the unit is off, which saves most.
    pub setpoint: Option<(Celsius, bool)>,
    /// What the room is for: comfort of its guest, else the property's.
    pub comfort: Celsius,
    /// How long before the announced arrival this is, while preconditioning.
    pub before_arrival: Option<Span>,
}

/// One room's page, and what it was last seen as.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Notebook {
    night: Option<i32>,
    since: Option<(Tenure, Moment)>,
    last: Option<(Moment, bool)>,
    /// Milliseconds counted in all, in each state, and how many of them against the code.
    counted: i64,
    unrented: i64,
    rented_unoccupied: i64,
    preconditioning: i64,
    against: i64,
    /// What was first seen against it.
    first: Option<Against>,
}

/// Something that the code does not allow.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Against {
    at: Moment,
    tenure: Tenure,
    setpoint: Option<Celsius>,
}

impl Notebook {
    /// Looks at the room. Returns the page of the night before when another night begins.
    pub fn look(&mut self, minima: &CodeMinima, look: &Look) -> Option<Because> {
        let page = (self.night.is_some_and(|night| night != look.night))
            .then(|| self.page())
            .flatten();
        if self.night != Some(look.night) {
            let (since, last) = (self.since, self.last);
            *self = Self {
                night: Some(look.night),
                since,
                last,
                ..Self::default()
            };
        }
        self.count(look);
        if self.since.is_none_or(|(tenure, _)| tenure != look.tenure) {
            self.since = Some((look.tenure, look.now));
        }
        let is_kept = self.is_kept(minima, look);
        if !is_kept {
            self.first.get_or_insert(Against {
                at: look.now,
                tenure: look.tenure,
                setpoint: look.setpoint.map(|(setpoint, _)| setpoint),
            });
        }
        self.last = Some((look.now, is_kept));
        page
    }

    /// The time since the last look belongs to what was seen then.
    fn count(&mut self, look: &Look) {
        let (Some((at, was_kept)), Some((tenure, _))) = (self.last, self.since) else {
            return;
        };
        let passed = look.now.since(at);
        if passed > GAP_MAX || passed <= Span::ZERO {
            return;
        }
        let passed = passed.as_millis();
        self.counted += passed;
        match tenure {
            Tenure::Unrented => self.unrented += passed,
            Tenure::RentedUnoccupied => self.rented_unoccupied += passed,
            Tenure::Preconditioning => self.preconditioning += passed,
            Tenure::Occupied => {}
        }
        if !was_kept {
            self.against += passed;
        }
    }

    fn is_kept(&self, minima: &CodeMinima, look: &Look) -> bool {
        let Some((setpoint, warms)) = look.setpoint else {
            return true;
        };
        let in_state = self.since.map_or(Span::ZERO, |(_, since)| look.now.since(since));
        match look.tenure {
            Tenure::Occupied => true,
            Tenure::Preconditioning => look.before_arrival.is_none_or(|before| before <= minima.before_arrival),
            Tenure::Unrented if in_state < minima.out_within => true,
            Tenure::Unrented if warms => setpoint <= minima.unrented_heating,
            Tenure::Unrented => setpoint >= minima.unrented_cooling,
            Tenure::RentedUnoccupied if in_state < minima.out_within => true,
            Tenure::RentedUnoccupied if warms => setpoint <= look.comfort - minima.out_by,
            Tenure::RentedUnoccupied => setpoint >= look.comfort + minima.out_by,
        }
    }

    fn page(&self) -> Option<Because> {
        if self.counted < PAGE_MIN.as_millis() {
            return None;
        }
        let minutes = |millis: i64| millis / 60_000;
        let first = self.first.filter(|_| self.against > 0);
        Some(
            Because::rule("code-of-a-night")
                .with("night", self.night)
                .with("kept", self.against == 0)
                .with("counted_min", minutes(self.counted))
                .with("unrented_min", minutes(self.unrented))
                .with("rented_unoccupied_min", minutes(self.rented_unoccupied))
                .with("preconditioning_min", minutes(self.preconditioning))
                .with("against_min", minutes(self.against))
                .with_some("against_from", first.map(|first| first.at))
                .with_some("against_state", first.map(|first| first.tenure.word()))
                .with_some("against_setpoint", first.and_then(|first| first.setpoint)),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::EnergyCode;

    fn night(setpoint: f64, tenure: Tenure) -> serde_json::Value {
        let (mut notebook, minima) = (Notebook::default(), EnergyCode::Ashrae901.minima());
        let mut pages = Vec::new();
        for minute in 0..24 * 60 + 5 {
            let look = Look {
                now: Moment::EARLIEST + Span::minutes(minute),
                night: (minute / 1440) as i32,
                tenure,
                setpoint: Celsius::new(setpoint).map(|t| (t, true)),
                comfort: Celsius::from_hundredths(2200),
                before_arrival: None,
            };
            pages.extend(notebook.look(&minima, &look));
        }
        assert_eq!(pages.len(), 1);
        let fact = |name| {
            let fact = pages[0].facts.iter().find(|f| f.name == name);
            fact.map_or(serde_json::Value::Null, |fact| fact.value.clone())
        };
        serde_json::json!([fact("kept"), fact("against_min"), fact("against_state")])
    }

    #[test]
    fn a_night_is_judged_with_its_evidence() {
        assert_eq!(night(16.0, Tenure::Unrented), serde_json::json!([true, 0, null]));
        assert_eq!(
            night(20.0, Tenure::RentedUnoccupied),
            serde_json::json!([true, 0, null])
        );
        assert_eq!(
            night(21.0, Tenure::RentedUnoccupied),
            serde_json::json!([false, 1409, "rented_unoccupied"])
        );
        assert_eq!(night(22.0, Tenure::Occupied), serde_json::json!([true, 0, null]));
    }
}
