//! How well is a room's temperature foreseen, and how long a recovery takes?
//!
//! Each room of the file is lived through as the daemon would: ticked every five minutes with what is known by then, fitted
//! anew every night. On the days after the first fourteen it forecasts at every tick with the commands that were really
//! given, and foresees the recovery at every step of the set-point without them. The truth is read only to be compared.

mod recovery;
mod rows;

use super::{Fault, Input, write_answer};
use crate::engine::thermal::estimator::Estimator;
use crate::engine::thermal::history::{DAY, DAYS, History, Rows};
use crate::engine::thermal::model::AIR;
use crate::engine::thermal::parameters::Belief;
use crate::engine::thermal::row::{Row, Tick};
use recovery::Recoveries;
use rows::{RoomRows, Sample};
use serde::Serialize;
use std::collections::BTreeMap;
use std::io::{BufRead, Write};

/// Minutes ahead that forecasts are judged at.
const HORIZONS_MIN: [usize; 6] = [5, 15, 30, 60, 120, 180];
/// Minutes in a tick.
const TICK_MIN: usize = 5;
/// The tick of the local day at which the nightly fit runs: three o'clock.
const FIT_AT: usize = 36;

/// What is added up over rooms.
#[derive(Debug, Default)]
struct Sums {
    forecast: [Squares; HORIZONS_MIN.len()],
    persistence: [Squares; HORIZONS_MIN.len()],
    recoveries: Recoveries,
}

#[derive(Debug, Default, Clone, Copy)]
struct Squares {
    sum: f64,
    count: u32,
}

#[derive(Serialize)]
struct Predicted<'a> {
    room: &'a str,
    minute: i64,
    predicted: BTreeMap<String, f64>,
}

/// Evaluates a file of rooms, and writes every answer.
///
/// # Errors
/// Says which line and field of the file cannot be read.
pub fn evaluate<R: BufRead>(input: Input<R>, answers: &mut dyn Write) -> Result<serde_json::Value, Fault> {
    let rooms = rows::read(input)?;
    let (mut all, mut each) = (Sums::default(), BTreeMap::new());
    for room in &rooms {
        let sums = Life::new(room).live(answers)?;
        each.insert(room.id.clone(), sums.metrics());
        all.add(&sums);
    }
    let mut metrics = all.metrics();
    metrics["rooms"] = serde_json::json!(each);
    Ok(metrics)
}

/// One room's life.
struct Life<'a> {
    room: &'a RoomRows,
    estimator: Estimator,
    history: History,
    newest: Rows,
    sums: Sums,
}

impl<'a> Life<'a> {
    fn new(room: &'a RoomRows) -> Self {
        Self {
            room,
            estimator: Estimator::default(),
            history: History::default(),
            newest: Rows::default(),
            sums: Sums::default(),
        }
    }

    fn live(mut self, answers: &mut dyn Write) -> Result<Sums, Fault> {
        let room = self.room;
        for (n, sample) in room.samples.iter().enumerate() {
            let row = Row::new(&tick(n.checked_sub(1).map(|before| &room.samples[before]), sample.air));
            self.estimator.tick(&row.tick());
            self.newest.push(n as i64, row);
            if let Some(rows) = self.newest.take_full(0) {
                self.history.extend(&rows);
            }
            if room.tick_of_day(n) == FIT_AT {
                self.fit();
            }
            if room.day(n) >= DAYS {
                self.forecast(n, answers)?;
                self.recovery(n, answers)?;
            }
        }
        Ok(self.sums)
    }

    fn fit(&mut self) {
        let mut history = self.history.ticks(&self.newest);
        history.drain(..history.len().saturating_sub(DAYS * DAY));
        let Some(mut fit) = self.estimator.fit(&Belief::default(), &history) else {
            return;
        };
        let found = loop {
            if let Some(found) = fit.pass(&history) {
                break found;
            }
        };
        self.estimator.adopt(found, &history);
    }

    /// Forecasts with what is known now, the commands that were really given and the weather feed's own values after it;
    /// whoever is in now counts as staying.
    fn forecast(&mut self, n: usize, answers: &mut dyn Write) -> Result<(), Fault> {
        let samples = &self.room.samples;
        let Some(state) = self.estimator.state() else {
            return Ok(());
        };
        let (filter, mut x) = (self.estimator.filter(), state.x);
        let mut predicted = BTreeMap::new();
        for ahead in 1..=HORIZONS_MIN[HORIZONS_MIN.len() - 1] / TICK_MIN {
            let Some(later) = samples.get(n + ahead) else { break };
            let during = tick(Some(&samples[n + ahead - 1]), None);
            x = filter.step.next(
                &x,
                &Tick {
                    occupied: samples[n].occupied,
                    ..during
                },
            );
            let Some(which) = HORIZONS_MIN.iter().position(|min| *min == ahead * TICK_MIN) else {
                continue;
            };
            predicted.insert(HORIZONS_MIN[which].to_string(), (x[AIR] * 1000.0).round() / 1000.0);
            if let Some(truth) = later.truth {
                self.sums.forecast[which].add(x[AIR] - truth);
                samples[n]
                    .air
                    .into_iter()
                    .for_each(|air| self.sums.persistence[which].add(air - truth));
            }
        }
        let minute = samples[n].minute;
        write_answer(
            answers,
            &Predicted {
                room: &self.room.id,
                minute,
                predicted,
            },
        )
    }

    fn recovery(&mut self, n: usize, answers: &mut dyn Write) -> Result<(), Fault> {
        let Some(answer) = recovery::foresee(self.room, n, &self.estimator) else {
            return Ok(());
        };
        self.sums.recoveries.judge(self.room, n, &answer);
        write_answer(answers, &answer)
    }
}

/// The tick that ends with this reading: the five minutes were as the sample before says.
fn tick(before: Option<&Sample>, air: Option<f64>) -> Tick {
    let Some(before) = before else {
        return Tick { air, ..Tick::default() };
    };
    Tick {
        air,
        heating: before.heating,
        cooling: before.cooling,
        outdoor: before.outdoor,
        sun: before.sun,
        hour: None,
        neighbours: before.neighbours,
        occupied: before.occupied,
        open: before.open_lately,
    }
}

impl Sums {
    fn add(&mut self, other: &Sums) {
        let mine = self.forecast.iter_mut().chain(&mut self.persistence);
        mine.zip(other.forecast.iter().chain(&other.persistence))
            .for_each(|(mine, other)| {
                mine.sum += other.sum;
                mine.count += other.count;
            });
        self.recoveries.add(&other.recoveries);
    }

    fn metrics(&self) -> serde_json::Value {
        let by_horizon = |squares: &[Squares]| -> BTreeMap<String, Option<f64>> {
            HORIZONS_MIN
                .iter()
                .zip(squares)
                .map(|(min, squares)| (min.to_string(), squares.root_mean()))
                .collect()
        };
        let mut metrics = serde_json::json!({
            "rmse": by_horizon(&self.forecast),
            "persistence_rmse": by_horizon(&self.persistence),
        });
        let recoveries = self.recoveries.metrics();
        recoveries.into_iter().for_each(|(name, value)| metrics[name] = value);
        metrics
    }
}

impl Squares {
    fn add(&mut self, error: f64) {
        self.sum += error * error;
        self.count += 1;
    }

    fn root_mean(&self) -> Option<f64> {
        (self.count > 0).then(|| ((self.sum / f64::from(self.count)).sqrt() * 1e4).round() / 1e4)
    }
}
