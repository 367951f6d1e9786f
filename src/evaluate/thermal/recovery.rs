//! How long will it take after a step of the set-point, and how long did it?

use super::TICK_MIN;
use super::rows::RoomRows;
use crate::engine::thermal::Direction;
use crate::engine::thermal::estimator::Estimator;
use crate::engine::thermal::model::AIR;
use crate::engine::thermal::recovery::Goal;
use serde::Serialize;

/// A recovery is over this near to the set-point, K.
const NEAR_K: f64 = 0.5;
/// Less than this is no step, K.
const STEP_MIN_K: f64 = 0.05;
/// A recovery longer than this is not one, ticks: six hours.
const LONGEST: usize = 72;
/// An error up to this counts as right, minutes.
const RIGHT_MIN: f64 = 10.0;

/// What is foreseen at a step of the set-point.
#[derive(Debug, Serialize)]
pub struct Answer<'a> {
    room: &'a str,
    minute: i64,
    /// The step, K: of the heating set-point where that rose or fell, else of the cooling one.
    step: f64,
    /// Minutes until the air is within 0.5 K; 0 when it is, none when it will not be within twelve hours.
    recovery_min: Option<f64>,
    p10: Option<f64>,
    p90: Option<f64>,
}

/// Errors over all recoveries, minutes.
#[derive(Debug, Default)]
pub struct Recoveries {
    errors: Vec<f64>,
    inside: u32,
    truths: Vec<f64>,
}

/// Foresees the recovery that begins at this row, if the set-point steps here.
pub fn foresee<'a>(room: &'a RoomRows, n: usize, estimator: &Estimator) -> Option<Answer<'a>> {
    let (before, now) = (&room.samples[n.checked_sub(1)?], &room.samples[n]);
    let (heating, cooling) = (now.heating_to - before.heating_to, now.cooling_to - before.cooling_to);
    if heating.abs() < STEP_MIN_K && cooling.abs() < STEP_MIN_K {
        return None;
    }
    let start = estimator.start()?;
    let air = start.state.x[AIR];
    let goal = if heating >= STEP_MIN_K && air < now.heating_to - NEAR_K {
        Some(goal(Direction::Heating, now.heating_to))
    } else if cooling <= -STEP_MIN_K && air > now.cooling_to + NEAR_K {
        Some(goal(Direction::Cooling, now.cooling_to))
    } else {
        None
    };
    let crossing = goal.map(|goal| start.crossing(&goal));
    let minutes = |hours: Option<f64>| hours.map(|hours| (hours * 600.0).round() / 10.0);
    let step = if heating.abs() >= STEP_MIN_K { heating } else { cooling };
    Some(Answer {
        room: &room.id,
        minute: now.minute,
        step: (step * 100.0).round() / 100.0,
        recovery_min: crossing.map_or(Some(0.0), |c| minutes(c.p50)),
        p10: crossing.map_or(Some(0.0), |c| minutes(c.p10)),
        p90: crossing.map_or(Some(0.0), |c| minutes(c.p90)),
    })
}

fn goal(direction: Direction, set_point: f64) -> Goal {
    Goal {
        direction,
        cross: set_point - direction.sign() * NEAR_K,
        set_point,
        output_max: 1.0,
    }
}

impl Recoveries {
    /// Compares what was foreseen with the true crossing, if there was a recovery to be made and nothing broke it off.
    pub fn judge(&mut self, room: &RoomRows, n: usize, answer: &Answer<'_>) {
        let now = &room.samples[n];
        let before = &room.samples[n - 1];
        let heating =
            (now.heating_to - before.heating_to >= STEP_MIN_K).then(|| goal(Direction::Heating, now.heating_to));
        let cooling =
            (before.cooling_to - now.cooling_to >= STEP_MIN_K).then(|| goal(Direction::Cooling, now.cooling_to));
        let truth = [heating, cooling]
            .into_iter()
            .flatten()
            .find_map(|goal| truth(room, n, &goal));
        let Some(truth) = truth else { return };
        let foreseen = answer.recovery_min.unwrap_or(12.0 * 60.0);
        self.errors.push(foreseen - truth);
        self.truths.push(truth);
        let is_inside = answer.p10.is_some_and(|p| p <= truth) && answer.p90.is_none_or(|p| p >= truth);
        self.inside += u32::from(is_inside);
    }

    /// Adds another room's.
    pub fn add(&mut self, other: &Recoveries) {
        self.errors.extend(&other.errors);
        self.truths.extend(&other.truths);
        self.inside += other.inside;
    }

    /// The figures by their names.
    pub fn metrics(&self) -> Vec<(&'static str, serde_json::Value)> {
        let count = self.errors.len();
        let mean =
            |values: &mut dyn Iterator<Item = f64>| (count > 0).then(|| rounded(values.sum::<f64>() / count as f64));
        let right = self.errors.iter().filter(|e| e.abs() <= RIGHT_MIN).count();
        vec![
            (
                "recovery_mae_min",
                mean(&mut self.errors.iter().map(|e| e.abs())).into(),
            ),
            ("recovery_bias_min", mean(&mut self.errors.iter().copied()).into()),
            (
                "recovery_within_10",
                (count > 0).then(|| rounded(right as f64 / count as f64)).into(),
            ),
            ("recovery_error_p10_min", quantile(&self.errors, 0.1).into()),
            ("recovery_error_p90_min", quantile(&self.errors, 0.9).into()),
            (
                "recovery_inside_p10_p90",
                (count > 0)
                    .then(|| rounded(f64::from(self.inside) / count as f64))
                    .into(),
            ),
            ("recovery_median_min", quantile(&self.truths, 0.5).into()),
            ("events", count.into()),
        ]
    }
}

/// Minutes to the true crossing, between rows by a straight line; none when the room was there already, when the set-point
/// moved again first, or when the truth is not known.
fn truth(room: &RoomRows, n: usize, goal: &Goal) -> Option<f64> {
    let told = |at: usize| match goal.direction {
        Direction::Heating => room.samples[at].heating_to,
        Direction::Cooling => room.samples[at].cooling_to,
    };
    let short = |at: usize| {
        room.samples
            .get(at)?
            .truth
            .map(|t| goal.direction.sign() * (t - goal.cross))
    };
    let mut before = short(n).filter(|short| *short < 0.0)?;
    for at in n + 1..=n + LONGEST {
        if (told(at - 1) - goal.set_point).abs() > STEP_MIN_K {
            return None;
        }
        let now = short(at)?;
        if now >= 0.0 {
            return Some(TICK_MIN as f64 * ((at - 1 - n) as f64 + before / (before - now)));
        }
        before = now;
    }
    None
}

/// The value below which this share lies.
fn quantile(values: &[f64], share: f64) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let place = ((sorted.len().saturating_sub(1)) as f64 * share).round() as usize;
    sorted.get(place).copied().map(rounded)
}

fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}
