//! What has the property learnt that belongs to no room?
//!
//! Rooms look at it and hand in lessons; only the engine writes it, between two steps of a room.

use super::eta::Arrivals;
use super::free::WalkIns;
use super::margin::Margin;
use super::pace::Pace;
use super::spread::Spread;
use super::thermal::{Direction, Forecast};
use crate::model::{Channel, Moment, Policies, Span};
use serde::{Deserialize, Serialize};

/// Everything of the kind.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Lessons {
    /// When guests come.
    pub arrivals: Arrivals,
    /// What recoveries take at the most.
    pub margin: Margin,
    /// What they take over what the models say.
    pub pace: Pace,
    /// Where they come to lie between what is told of them.
    pub spread: Spread,
    /// When guests walk in.
    pub walk_ins: WalkIns,
}

/// One lesson.
#[derive(Debug, Clone, PartialEq)]
pub enum Lesson {
    /// A guest came.
    Came {
        /// By which way the arrival was announced.
        channel: Option<Channel>,
        /// For when.
        eta: Option<Moment>,
        /// When it was.
        at: Moment,
        /// The minute of the local day.
        minute: u16,
    },
    /// A guest walked in.
    WalkedIn {
        /// On which local day.
        day: i32,
        /// The minute of it.
        minute: u16,
    },
    /// A recovery that had been forecast is over.
    Recovered(Recovery),
}

/// A recovery that had been forecast and is over.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Recovery {
    /// What its model said of it, in its room's pace.
    pub paced: Forecast,
    /// How long it took.
    pub took: Span,
    /// Which way it went, and what the model alone had said; none where the room had no model.
    pub said: Option<(Direction, Span)>,
}

impl Lessons {
    /// How it stands, in figures.
    pub fn summary(&self, policies: &Policies) -> serde_json::Value {
        let (recoveries, in_time) = self.margin.score();
        serde_json::json!({
            "recoveries": recoveries,
            "recoveries_within_lead": in_time,
            "lead_factor": self.margin.factor(&policies.arrival),
            "arrival_spread_min": self.arrivals.spread(&policies.arrival, None).1.round(),
        })
    }

    /// Takes a lesson.
    pub fn take(&mut self, policies: &Policies, lesson: &Lesson) {
        match lesson {
            Lesson::Came {
                channel,
                eta,
                at,
                minute,
            } => self
                .arrivals
                .came(&policies.arrival, channel.as_ref(), *eta, *at, *minute),
            Lesson::WalkedIn { day, minute } => self.walk_ins.came(*day, *minute),
            Lesson::Recovered(recovery) => self.recovered(policies, recovery),
        }
    }

    fn recovered(&mut self, policies: &Policies, Recovery { paced, took, said }: &Recovery) {
        self.margin.saw(&policies.arrival, paced.p50, *took);
        self.spread.saw(paced, *took);
        if let Some((direction, said)) = said {
            self.pace.saw(*direction, *said, *took);
        }
    }
}
