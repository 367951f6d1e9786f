//! How right were the answers?
//!
//! Everything is weighted by time, between check-in and check-out; while staff are in nothing is judged.

use super::house::{House, Sensor};
use super::{Answer, moment};
use crate::evaluate::{Fault, Input};
use crate::model::{Moment, Span};
use serde::Deserialize;
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use std::io::BufRead;

/// Absences shorter than this are no departures.
const ABSENCE_MIN: Span = Span::minutes(30);

/// A broken sensor is to be told before somebody has been in for longer.
const NOTICED_WITHIN_H: f64 = 24.0;

/// Where the guests really were.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Truth {
    /// Nobody is in.
    Away,
    /// Somebody is in and awake.
    Awake,
    /// All who are in sleep.
    Asleep,
}

/// One line of TRUTH.
#[derive(Deserialize)]
struct Line {
    room: String,
    checkin: f64,
    checkout: f64,
    states: Vec<(f64, f64, u8)>,
    #[serde(default)]
    staff: Vec<(f64, f64)>,
}

/// The truth of one room.
#[derive(Debug)]
pub struct RoomTruth {
    place: usize,
    stay: (Moment, Moment),
    states: Vec<(Moment, Moment, Truth)>,
    staff: Vec<(Moment, Moment)>,
}

/// Seconds, by what was so and what was answered; and how late changes were seen.
#[derive(Debug, Clone, Default)]
struct Tally {
    rooms: usize,
    all: f64,
    right: f64,
    occupied: f64,
    false_vacant: f64,
    deep: f64,
    asleep: f64,
    false_vacant_asleep: f64,
    asleep_found: f64,
    asleep_false: f64,
    vacant: f64,
    vacant_found: f64,
    departures_min: Vec<f64>,
    onsets_min: Vec<f64>,
}

/// Reads the truth.
///
/// # Errors
/// Says which line and field cannot be read.
pub fn read<R: BufRead>(file: Input<R>, house: &House) -> Result<Vec<RoomTruth>, Fault> {
    let mut truths = Vec::new();
    file.each(|_, line: Line| {
        if let Some(place) = house.find(&line.room) {
            truths.push(room_truth(place, &line)?);
        }
        Ok(())
    })?;
    Ok(truths)
}

fn room_truth(place: usize, line: &Line) -> Result<RoomTruth, (String, String)> {
    let at = |field: &str, t: f64| moment(t).map_err(|what| (field.to_owned(), what));
    let span = |field: &str, from: f64, to: f64| {
        if to < from {
            return Err((field.to_owned(), format!("ends at {to}, before it begins at {from}")));
        }
        Ok((at(field, from)?, at(field, to)?))
    };
    let mut states = Vec::new();
    for (n, (from, to, state)) in line.states.iter().enumerate() {
        let field = format!("states[{n}]");
        let truth = match state {
            0 => Truth::Away,
            1 => Truth::Awake,
            2 => Truth::Asleep,
            _ => return Err((field, format!("{state} is no state; write 0 away, 1 awake or 2 asleep"))),
        };
        let (from, to) = span(&field, *from, *to)?;
        states.push((from, to, truth));
    }
    states.sort_by_key(|(from, ..)| *from);
    let staff = line.staff.iter().enumerate();
    let staff = staff.map(|(n, (from, to))| span(&format!("staff[{n}]"), *from, *to));
    Ok(RoomTruth {
        place,
        stay: span("checkout", line.checkin, line.checkout)?,
        states,
        staff: staff.collect::<Result<_, _>>()?,
    })
}

/// The metrics of all rooms, of those with a bed sensor and of those without. Null without a truth.
pub fn metrics(house: &House, truths: Option<&[RoomTruth]>, answers: &[Vec<Answer>]) -> Json {
    let figures = |is_in: &dyn Fn(usize) -> bool| {
        let rooms = (0..house.rooms.len()).filter(|place| is_in(*place)).count();
        let mut tally = Tally {
            rooms,
            ..Tally::default()
        };
        for truth in truths.unwrap_or_default().iter().filter(|truth| is_in(truth.place)) {
            tally.add(truth, &answers[truth.place]);
        }
        tally.figures()
    };
    let mut metrics = figures(&|_| true);
    metrics["with_bed"] = figures(&|place| house.has_bed(place));
    metrics["without_bed"] = figures(&|place| !house.has_bed(place));
    metrics
}

impl Tally {
    fn add(&mut self, truth: &RoomTruth, answers: &[Answer]) {
        let mut cuts = truth.cuts(answers);
        cuts.sort();
        cuts.dedup();
        let (mut state, mut answer) = (0, 0);
        for (from, to) in cuts.iter().zip(cuts.iter().skip(1)) {
            while truth.states.get(state).is_some_and(|(_, end, _)| end <= from) {
                state += 1;
            }
            while answers.get(answer + 1).is_some_and(|next| next.at <= *from) {
                answer += 1;
            }
            let is_judged = *from >= truth.stay.0 && *to <= truth.stay.1 && !truth.has_staff(*from);
            if let (Some((begin, _, state)), Some(answer), true) =
                (truth.states.get(state), answers.get(answer), is_judged)
                && begin <= from
            {
                self.weigh(to.since(*from).as_seconds_f64(), *state, answer);
            }
        }
        self.departures(truth, answers);
        self.onsets(truth, answers);
    }

    fn weigh(&mut self, seconds: f64, truth: Truth, answer: &Answer) {
        let standing = &answer.standing;
        let (is_in, said_in) = (truth != Truth::Away, standing.is_occupied);
        let when = |is: bool| if is { seconds } else { 0.0 };
        self.all += seconds;
        self.right += when(is_in == said_in);
        self.occupied += when(is_in);
        self.false_vacant += when(is_in && !said_in);
        self.deep += when(is_in && standing.is_deep);
        self.asleep += when(truth == Truth::Asleep);
        self.false_vacant_asleep += when(truth == Truth::Asleep && !said_in);
        self.asleep_found += when(truth == Truth::Asleep && standing.is_asleep);
        self.asleep_false += when(truth != Truth::Asleep && standing.is_asleep);
        self.vacant += when(!is_in);
        self.vacant_found += when(!is_in && !said_in);
    }

    /// How long after the last one left the room was called vacant; an absence never noticed counts whole.
    fn departures(&mut self, truth: &RoomTruth, answers: &[Answer]) {
        for (from, to) in truth.within_stay(Truth::Away) {
            if to.since(from) < ABSENCE_MIN {
                continue;
            }
            let seen = said(answers, |a| !a.standing.is_occupied)
                .find(|(begin, end)| *end > from && *begin < to)
                .map_or(to, |(begin, _)| begin.max(from));
            self.departures_min.push(seen.since(from).as_minutes_f64());
        }
    }

    /// How far from its true onset each sleep that was noticed was called so.
    fn onsets(&mut self, truth: &RoomTruth, answers: &[Answer]) {
        for (from, to) in truth.within_stay(Truth::Asleep) {
            let first = said(answers, |a| a.standing.is_asleep).find(|(begin, end)| *end > from && *begin < to);
            if let Some((begin, _)) = first {
                self.onsets_min.push(begin.since(from).as_minutes_f64().abs());
            }
        }
    }

    fn figures(mut self) -> Json {
        let share = |part: f64, of: f64| (of > 0.0).then(|| rounded(part / of, 6));
        let missed = self.asleep - self.asleep_found;
        let has_sleep = self.asleep > 0.0;
        json!({
            "accuracy": share(self.right, self.all),
            "false_vacant": share(self.false_vacant, self.occupied),
            "false_vacant_asleep": share(self.false_vacant_asleep, self.asleep),
            "vacancy_recall": share(self.vacant_found, self.vacant),
            "departure_delay_median_min": quantile(&mut self.departures_min, 0.5),
            "departure_delay_p90_min": quantile(&mut self.departures_min, 0.9),
            "sleep_f1": has_sleep.then(|| share(2.0 * self.asleep_found, 2.0 * self.asleep_found + self.asleep_false + missed)),
            "sleep_onset_error_median_min": quantile(&mut self.onsets_min, 0.5),
            "deep_setback_while_occupied": share(self.deep, self.occupied),
            "rooms": self.rooms,
        })
    }
}

/// How the engine found out what was broken.
pub struct Noticed {
    broken: usize,
    told: usize,
    /// Not told although somebody was in for a day and more since.
    missed: usize,
    /// Sensors that were not broken, or not yet.
    untimely: BTreeMap<&'static str, usize>,
    after_h: Vec<f64>,
    after_occupied_h: Vec<f64>,
}

impl Noticed {
    /// Of rooms with this sensor broken `since`, and the sensors that were told of each.
    pub fn of(
        broken: Option<Sensor>,
        since: &[Option<Moment>],
        told: &[Vec<(Moment, Sensor)>],
        truths: Option<&[RoomTruth]>,
    ) -> Self {
        let of = |place: usize| truths.unwrap_or_default().iter().find(|truth| truth.place == place);
        let mut noticed = Noticed {
            broken: since.iter().flatten().count(),
            told: 0,
            missed: 0,
            untimely: BTreeMap::new(),
            after_h: vec![],
            after_occupied_h: vec![],
        };
        for (place, faults) in told.iter().enumerate() {
            let since = since.get(place).copied().flatten();
            let is_due =
                |(at, sensor): &(Moment, Sensor)| Some(*sensor) == broken && since.is_some_and(|since| *at >= since);
            for (_, sensor) in faults.iter().filter(|fault| !is_due(fault)) {
                *noticed.untimely.entry(sensor.name()).or_default() += 1;
            }
            if let Some(since) = since {
                let told = faults.iter().find(|fault| is_due(fault)).map(|(at, _)| *at);
                noticed.add(since, told, of(place));
            }
        }
        noticed
    }

    /// A sensor was broken since then; `told` is when that was told.
    fn add(&mut self, since: Moment, told: Option<Moment>, truth: Option<&RoomTruth>) {
        let until = told.or(truth.map(|truth| truth.stay.1)).unwrap_or(since);
        let occupied_h = truth.map(|truth| truth.occupied_h(since, until));
        self.missed += usize::from(occupied_h.is_some_and(|hours| hours > NOTICED_WITHIN_H));
        if let Some(told) = told {
            self.told += 1;
            self.after_h.push(told.since(since).as_hours_f64());
            self.after_occupied_h.extend(occupied_h);
        }
    }

    /// Adds it to the metrics.
    pub fn write(mut self, metrics: &mut Json) {
        metrics["sensor_faults"] = json!({
            "broken": self.broken,
            "told": self.told,
            "not_told_within_24_occupied_h": self.missed,
            "told_of_sound": self.untimely.values().sum::<usize>(),
            "told_of_sound_by_sensor": self.untimely,
            "after_median_h": quantile(&mut self.after_h, 0.5),
            "after_max_h": quantile(&mut self.after_h, 1.0),
            "after_occupied_median_h": quantile(&mut self.after_occupied_h, 0.5),
            "after_occupied_max_h": quantile(&mut self.after_occupied_h, 1.0),
        });
    }
}

impl RoomTruth {
    /// Of a room that is made up.
    pub fn new(
        place: usize,
        stay: (Moment, Moment),
        states: &[(Moment, Moment, Truth)],
        staff: &[(Moment, Moment)],
    ) -> Self {
        Self {
            place,
            stay,
            states: states.to_vec(),
            staff: staff.to_vec(),
        }
    }

    /// For how long somebody was in between two moments, in hours.
    fn occupied_h(&self, from: Moment, to: Moment) -> f64 {
        let spans = self.states.iter().filter(|(.., is)| *is != Truth::Away);
        let inside = spans.map(|(begin, end, _)| (*end).min(to).since((*begin).max(from)).max(Span::ZERO));
        inside.map(Span::as_hours_f64).sum()
    }

    /// Which room.
    #[cfg(test)]
    pub const fn place(&self) -> usize {
        self.place
    }

    /// From check-in to check-out.
    #[cfg(test)]
    pub const fn stay(&self) -> (Moment, Moment) {
        self.stay
    }

    fn cuts(&self, answers: &[Answer]) -> Vec<Moment> {
        let states = self.states.iter().flat_map(|(from, to, _)| [*from, *to]);
        let staff = self.staff.iter().flat_map(|(from, to)| [*from, *to]);
        let told = answers.iter().map(|a| a.at);
        states
            .chain(staff)
            .chain(told)
            .chain([self.stay.0, self.stay.1])
            .collect()
    }

    fn has_staff(&self, at: Moment) -> bool {
        self.staff.iter().any(|(from, to)| *from <= at && at < *to)
    }

    /// The spans of one state, cut to the stay.
    pub fn within_stay(&self, state: Truth) -> impl Iterator<Item = (Moment, Moment)> {
        let spans = self.states.iter().filter(move |(.., is)| *is == state);
        spans
            .map(|(from, to, _)| ((*from).max(self.stay.0), (*to).min(self.stay.1)))
            .filter(|(from, to)| to > from)
    }
}

/// The spans in which the answers said something, in the order of time.
fn said(answers: &[Answer], is_so: impl Fn(&Answer) -> bool) -> impl Iterator<Item = (Moment, Moment)> {
    let mut spans: Vec<(Moment, Moment)> = Vec::new();
    let mut is_open = false;
    for answer in answers {
        match (is_open, is_so(answer)) {
            (false, true) => spans.push((answer.at, Moment::LATEST)),
            (true, false) => spans.last_mut().into_iter().for_each(|last| last.1 = answer.at),
            _ => {}
        }
        is_open = is_so(answer);
    }
    spans.into_iter()
}

/// The value that this share of the others does not exceed.
fn quantile(values: &mut [f64], share: f64) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let place = (values.len() as f64 * share).ceil() as usize;
    values.get(place.saturating_sub(1)).map(|value| rounded(*value, 3))
}

fn rounded(value: f64, digits: i32) -> f64 {
    let unit = 10_f64.powi(digits);
    (value * unit).round() / unit
}
