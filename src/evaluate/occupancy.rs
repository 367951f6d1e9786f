//! Is somebody there? The engine's answers over a file of events, and how right they are.
//!
//! Every room of the file becomes a room of one property, with the sensors it has events of. What the desk says is told
//! to the engine as stay notices, everything else as readings; between two events the engine is called at each of its own
//! deadlines, as the daemon does. The truth is read only when all answers have been given.

mod fault;
mod house;
mod made_up;
mod score;

pub use fault::Broken;

use super::{Fault, Input, write_answer};
use crate::engine::{Engine, Standing};
use crate::model::{Effect, Event, Key, Moment, Need, Report, RequestState, Span};
use house::{House, Sensor};
use score::{Noticed, RoomTruth};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use std::io::{BufRead, Write};

/// Nobody's log is longer; a later time is a slip of units.
const SECONDS_MAX: f64 = 20.0 * 366.0 * 86_400.0;

/// After the last event the engine runs on for so long: the last one to leave is to be noticed.
const RUN_ON: Span = Span::hours(24);

/// One line of EVENTS.
#[derive(Deserialize)]
struct Line {
    room: String,
    t: f64,
    k: Sensor,
    v: Json,
}

/// One event of the file, once it is understood.
#[derive(Debug, Clone, PartialEq)]
struct Told {
    at: Moment,
    place: usize,
    sensor: Sensor,
    is_begun: bool,
}

/// What is judged: a house and all its sensors said, in the order of time, and what was really so.
struct Case {
    house: House,
    told: Vec<Told>,
    truths: Option<Vec<RoomTruth>>,
}

/// What the engine held of a room from `at` on, until its next answer.
#[derive(Debug, Clone)]
struct Answer {
    at: Moment,
    standing: Standing,
}

/// One line of the answers.
#[derive(Serialize)]
struct Written<'a> {
    room: &'a str,
    t: serde_json::Number,
    state: &'static str,
    occupied: bool,
    asleep: bool,
    deep: bool,
    because: &'a str,
}

/// What the engine said of a file.
struct Answers {
    /// Of each room, one a change, the first at the file's midnight.
    rooms: Vec<Vec<Answer>>,
    /// Of each room, which sensors were told to be at fault, and when.
    faults: Vec<Vec<(Moment, Sensor)>>,
}

/// Runs the engine over the events, writes its answers, and returns the metrics. `broken`: with one sensor of each room
/// broken, at moments that its seed decides.
///
/// # Errors
/// Says which file, line and field cannot be read.
pub fn evaluate<E: BufRead, T: BufRead>(
    events: Input<E>,
    truth: Option<Input<T>>,
    broken: Option<(Broken, u64)>,
    to: &mut dyn Write,
) -> Result<Json, Fault> {
    let (house, told) = read(events)?;
    let truths = truth.map(|file| score::read(file, &house)).transpose()?;
    judge(Case { house, told, truths }, broken, to)
}

/// The same over a hotel that is made up from a seed.
///
/// # Errors
/// Says that the answers cannot be written.
pub fn evaluate_made_up(
    seed: u64,
    rooms: usize,
    broken: Option<(Broken, u64)>,
    to: &mut dyn Write,
) -> Result<Json, Fault> {
    let (house, told, truths) = made_up::hotel(seed, rooms);
    let truths = Some(truths);
    judge(Case { house, told, truths }, broken, to)
}

fn judge(mut case: Case, broken: Option<(Broken, u64)>, to: &mut dyn Write) -> Result<Json, Fault> {
    let since = broken.map(|(broken, seed)| fault::break_it(broken, seed, &case.house, &mut case.told));
    let answers = answer(&case.house, case.told, to)?;
    to.flush().map_err(|error| Fault::File {
        file: "answers".into(),
        error,
    })?;
    let mut metrics = score::metrics(&case.house, case.truths.as_deref(), &answers.rooms);
    let noticed = Noticed::of(
        broken.map(|(broken, _)| broken.sensor()),
        since.as_deref().unwrap_or_default(),
        &answers.faults,
        case.truths.as_deref(),
    );
    noticed.write(&mut metrics);
    Ok(metrics)
}

/// Returns the house that the file tells of, and all that happened in it, in the order of time.
fn read<R: BufRead>(events: Input<R>) -> Result<(House, Vec<Told>), Fault> {
    let (mut house, mut told) = (House::default(), Vec::new());
    events.each(|_, line: Line| {
        let at = moment(line.t).map_err(|what| ("t".to_owned(), what))?;
        let is_begun = line.k.word(&line.v).map_err(|what| ("v".to_owned(), what))?;
        let (place, sensor) = (house.place(&line.room, line.k), line.k);
        told.push(Told {
            at,
            place,
            sensor,
            is_begun,
        });
        Ok(())
    })?;
    told.sort_by_key(|one| one.at);
    Ok((house, told))
}

/// Drives the engine and returns what it said.
fn answer(house: &House, told: Vec<Told>, to: &mut dyn Write) -> Result<Answers, Fault> {
    let mut engine = Engine::new(house.property()).expect("UTC is in every time-zone database");
    let mut answers = Answers {
        rooms: house.rooms.iter().map(|_| Vec::new()).collect(),
        faults: house.rooms.iter().map(|_| Vec::new()).collect(),
    };
    // Every room is looked at from the first moment on, whether its sensors speak or not.
    engine.step(midnight(), Event::Configured(house.property()));
    for (place, told) in answers.rooms.iter_mut().enumerate() {
        ask(house, &engine, place, midnight(), told, to)?;
    }
    let end = told.last().map_or(midnight(), |last| last.at + RUN_ON);
    let mut stays = vec![0_u64; house.rooms.len()];
    let events = told.into_iter().map(|one| {
        let event = house::event(one.place, one.sensor, one.is_begun, &mut stays[one.place]);
        (one.at, event)
    });
    for (at, event) in events.chain([(end, Event::Deadline)]) {
        while let Some(due) = engine.deadline().filter(|due| *due < at) {
            let effects = engine.step(due, Event::Deadline);
            look(house, &engine, due, &effects, &mut answers, to)?;
        }
        let effects = engine.step(at, event);
        look(house, &engine, at, &effects, &mut answers, to)?;
    }
    Ok(answers)
}

/// Looks at every room that the step has touched: a room that has changed wants to be kept.
fn look(
    house: &House,
    engine: &Engine,
    at: Moment,
    effects: &[Effect],
    answers: &mut Answers,
    to: &mut dyn Write,
) -> Result<(), Fault> {
    for request in effects.iter().filter_map(|effect| match effect {
        Effect::Report(Report::Request(request)) => Some(request),
        _ => None,
    }) {
        let is_fault = request.need == Need::SensorFault && request.state == RequestState::Raised;
        let sensor = house::sensor_of(&request.id);
        if let (Some(place), Some(sensor), true) = (house::place_of(&request.room), sensor, is_fault) {
            answers.faults[place].push((at, sensor));
        }
    }
    let touched = effects.iter().filter_map(|effect| match effect {
        Effect::Save {
            key: Key::Room(room), ..
        } => house::place_of(room),
        _ => None,
    });
    for place in touched {
        ask(house, engine, place, at, &mut answers.rooms[place], to)?;
    }
    Ok(())
}

/// Writes what the engine holds of a room, if it is not what it held before.
fn ask(
    house: &House,
    engine: &Engine,
    place: usize,
    at: Moment,
    told: &mut Vec<Answer>,
    to: &mut dyn Write,
) -> Result<(), Fault> {
    let Some(standing) = engine.standing(&house::room_id(place), at) else {
        return Ok(());
    };
    if told.last().is_some_and(|last| last.standing.is_as(&standing)) {
        return Ok(());
    }
    let written = Written {
        room: &house.rooms[place].name,
        t: seconds(at),
        state: standing.state.word(),
        occupied: standing.is_occupied,
        asleep: standing.is_asleep,
        deep: standing.is_deep,
        because: &standing.because,
    };
    write_answer(to, &written)?;
    told.push(Answer { at, standing });
    Ok(())
}

/// Midnight of the file's day 0. Which day it was is of no consequence.
const fn midnight() -> Moment {
    Moment::from_millis(1_767_571_200_000)
}

fn moment(t: f64) -> Result<Moment, String> {
    if (0.0..=SECONDS_MAX).contains(&t) {
        Ok(midnight() + Span::from_minutes_f64(t / 60.0))
    } else {
        Err(format!(
            "{t} is not a number of seconds from midnight of day 0; write 0 to {SECONDS_MAX}"
        ))
    }
}

/// Seconds from the file's midnight, whole where they are.
fn seconds(at: Moment) -> serde_json::Number {
    let millis = at.since(midnight()).as_millis();
    match serde_json::Number::from_f64(millis as f64 / 1000.0) {
        Some(number) if millis % 1000 != 0 => number,
        _ => (millis / 1000).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str, text: &'static str) -> Input<&'static [u8]> {
        Input {
            name: name.into(),
            text: text.as_bytes(),
        }
    }

    const EVENTS: &str = r#"
        {"room":"A","t":3600,"k":"pms","v":"checkin"}
        {"room":"A","t":3600,"k":"door","v":"open"}
        {"room":"A","t":3610,"k":"door","v":"closed"}
        {"room":"A","t":4000,"k":"motion","v":1}
        {"room":"A","t":7000,"k":"bed","v":1}
        {"room":"A","t":36000,"k":"bed","v":0}
        {"room":"A","t":36600,"k":"motion","v":1}
        {"room":"A","t":37200,"k":"motion","v":1}
        {"room":"A","t":38400,"k":"motion","v":1}
        {"room":"A","t":39000,"k":"motion","v":1}
        {"room":"A","t":39900,"k":"motion","v":1}
        {"room":"A","t":40000,"k":"door","v":"open"}
        {"room":"A","t":40010,"k":"door","v":"closed"}
        {"room":"A","t":80000,"k":"pms","v":"checkout"}"#;

    #[test]
    fn a_night_in_bed_and_a_day_out_are_told_and_scored() {
        let truth = r#"{"room":"A","checkin":3600,"checkout":80000,
            "states":[[0,3600,0],[3600,7000,1],[7000,36000,2],[36000,40010,1],[40010,90000,0]],"staff":[[50000,51000]]}"#
            .replace('\n', "");
        let truth: &'static str = truth.leak();
        let mut answers = Vec::new();
        let metrics = evaluate(file("e", EVENTS), Some(file("t", truth)), None, &mut answers).unwrap();
        let answers = String::from_utf8(answers).unwrap();
        let first: Json = serde_json::from_str(answers.lines().next().unwrap()).unwrap();
        assert_eq!((&first["room"], &first["t"]), (&"A".into(), &0.into()));
        assert_eq!(metrics["false_vacant"], 0.0);
        assert_eq!(metrics["with_bed"]["rooms"], 1);
        assert_eq!(metrics["sleep_onset_error_median_min"], 5.0);
        assert!(metrics["departure_delay_median_min"].as_f64().unwrap() < 15.0);
        assert!(metrics["vacancy_recall"].as_f64().unwrap() > 0.95);
    }

    #[test]
    fn without_a_truth_the_metrics_are_null_and_the_answers_the_same() {
        let mut answers = Vec::new();
        let metrics = evaluate::<_, &[u8]>(file("e", EVENTS), None, None, &mut answers).unwrap();
        assert!(metrics["accuracy"].is_null() && metrics["sleep_f1"].is_null());
        assert!(!answers.is_empty());
    }

    #[test]
    fn a_fault_in_the_file_is_told_with_its_line_and_field() {
        let told = |text| {
            let read = evaluate::<_, &[u8]>(file("e", text), None, None, &mut std::io::sink());
            read.unwrap_err().to_string()
        };
        assert!(told(r#"{"room":"A","t":1,"k":"window","v":1}"#).starts_with("e:1: k: unknown variant"));
        assert!(
            told(r#"{"room":"A","t":1,"k":"door","v":1}"#).contains("e:1: v: 1 is no such event; write open or closed")
        );
        assert!(told(r#"{"room":"A","t":-1,"k":"door","v":"open"}"#).contains("e:1: t: -1"));
    }
}
