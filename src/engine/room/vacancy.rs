//! Is this room free, how soon would it be ready, and is it kept nearly so?

use super::{Outcome, Room, World};
use crate::engine::climate::is_sold;
use crate::engine::thermal::meter::tick_number;
use crate::engine::timetable::own_turn;
use crate::model::{Because, FreeRoom, SaveWhen};
use serde::{Deserialize, Serialize};

/// Ticks between two reckonings: an hour.
const EVERY: i64 = 12;

/// What a free room knows of itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Vacancy {
    /// How long it would take to make it ready, min.
    takes_min: Option<u32>,
    /// It is held at the level of sold rooms, for somebody who walks in.
    pub is_kept: bool,
}

impl Room {
    /// The room as it is offered; none while it is not free, or does not know itself yet.
    pub fn free(&self, world: World<'_>) -> Option<FreeRoom> {
        let takes_min = self.vacancy.takes_min.filter(|_| self.is_free(world))?;
        Some(FreeRoom {
            room: world.setup.id.clone(),
            takes_min,
            temperature: self.view(world).temperature,
            is_kept: self.vacancy.is_kept,
        })
    }

    /// Whether it is kept nearly ready.
    pub fn is_kept(&self) -> bool {
        self.vacancy.is_kept
    }

    /// Begins, or ends, to be kept nearly ready.
    pub fn keep_nearly_ready(&mut self, world: World<'_>, keeps: bool, number: usize, out: &mut Outcome) {
        self.vacancy.is_kept = keeps;
        out.save(SaveWhen::Soon);
        let because = if keeps {
            Because::rule("kept-for-walk-ins")
                .with("expected", number)
                .with_some("takes_min", self.vacancy.takes_min)
        } else {
            Because::rule("no-longer-kept")
        };
        out.note(world, because);
        self.settle(world, out);
    }

    /// Reckons once an hour, each room at its own five minutes of it, so that a large house never does so all at once.
    pub(super) fn reckon_vacancy(&mut self, world: World<'_>) {
        let is_first = self.vacancy.takes_min.is_none();
        if !self.is_free(world) {
            self.vacancy.takes_min = None;
        } else if is_first || (tick_number(world.now) - own_turn(&world.setup.id)).rem_euclid(EVERY) == 0 {
            let takes = self.climate.takes(&self.view(world), &self.thermal);
            self.vacancy.takes_min = Some(takes.as_minutes_f64().round().clamp(0.0, 1e6) as u32);
        }
    }

    fn is_free(&self, world: World<'_>) -> bool {
        let has_unit = world.setup.actuator(crate::model::Point::TargetTemperature).is_some();
        let is_taken = self.is_let(world) || is_sold(self.next_due(world), world.now);
        has_unit && !is_taken && !self.is_out_of_order(world) && !self.is_occupied(world)
    }
}
