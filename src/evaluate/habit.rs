//! How right are the foreseen wishes?
//!
//! Each guest's nights are lived through in order with the engine's own learner and its own night in progress: what
//! happens is told at its minute, and a prediction counts as it stood when its wish came, or its minute passed.

mod oracle;

use super::{Fault, Input, write_answer};
use crate::engine::habit::{Foreseen, Learner, NEAR_MIN, Night, Outlook, Tier, Tonight};
use crate::model::{Habits, Item};
use oracle::Oracle;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use std::io::{BufRead, Write};

/// A night has at most so many requests: more is no guest.
const REQUESTS_MAX: usize = 1000;
/// Minutes of a night lie within these.
const MINUTES: std::ops::RangeInclusive<f64> = -1440.0..=4.0 * 1440.0;
/// Nights begin at noon, unless the guest comes later or the night before went on for longer.
const NOON_MIN: i32 = 12 * 60;
/// Wishes of a night come before this: what is after it belongs to the next night but one.
const NIGHT_ENDS_MIN: i32 = 2 * 1440;
/// The share of habits' wishes at which precision is told, however many of them the tiers meet.
const AT_RECALL: f64 = 0.30;
/// The calibration is told in so many bins.
const BINS: usize = 10;

/// One guest.
#[derive(Deserialize)]
struct Row {
    guest: Json,
    #[serde(default)]
    habits: Option<Json>,
    stays: Vec<Vec<Told>>,
}

/// One night, as the file has it.
#[derive(Deserialize)]
struct Told {
    #[serde(default)]
    checkin: Option<f64>,
    #[serde(default)]
    bed: Option<f64>,
    #[serde(default)]
    wake: Option<f64>,
    requests: Vec<Request>,
}

/// One request: the minute, the thing, and whether it came of a habit, where that is known.
#[derive(Deserialize)]
struct Request(f64, Item, #[serde(default)] Option<bool>);

/// One prediction, as written.
#[derive(Serialize)]
struct Answer<'a> {
    guest: &'a Json,
    stay: usize,
    night: usize,
    minute: i32,
    item: &'a Item,
    score: f64,
    tier: &'static str,
    anchor: &'static str,
    made_at: i32,
}

/// What happens in a night, besides requests.
enum Happening<'a> {
    Asked(&'a Item),
    ToBed,
    Woke,
}

/// Evaluates a file of guests; returns the metrics.
///
/// # Errors
/// Says which line and which field cannot be read.
pub fn evaluate(input: Input<impl BufRead>, answers: &mut dyn Write) -> Result<Json, Fault> {
    let (mut score, mut oracle) = (Score::default(), Oracle::default());
    let mut failed = None;
    input.each(|_, row: Row| {
        check(&row)?;
        failed = failed.take().or(live_through(&row, answers, &mut score).err());
        oracle.live_through(row.habits.as_ref(), &row.stays);
        Ok(())
    })?;
    let mut metrics = score.metrics();
    metrics.extend(oracle.metrics().map(|(name, figure)| (name.to_owned(), figure)));
    failed.map_or(Ok(Json::Object(metrics)), Err)
}

/// Finds what no night can hold.
fn check(row: &Row) -> Result<(), (String, String)> {
    for (s, stay) in row.stays.iter().enumerate() {
        for (n, night) in stay.iter().enumerate() {
            let place = |field: &str| format!("stays[{s}][{n}].{field}");
            let times = [("checkin", night.checkin), ("bed", night.bed), ("wake", night.wake)];
            let asked = night.requests.iter().map(|r| ("requests", Some(r.0)));
            for (field, minute) in times.into_iter().chain(asked) {
                if minute.is_some_and(|m| !MINUTES.contains(&m)) {
                    return Err((place(field), "minutes from midnight lie between -1440 and 5760".into()));
                }
            }
            if night.requests.len() > REQUESTS_MAX {
                return Err((place("requests"), format!("at most {REQUESTS_MAX} in a night")));
            }
        }
    }
    Ok(())
}

fn live_through(row: &Row, answers: &mut dyn Write, score: &mut Score) -> Result<(), Fault> {
    let mut learner = Learner::default();
    score.is_judged |= row.habits.is_some();
    for (s, stay) in row.stays.iter().enumerate() {
        let mut before_end = NOON_MIN;
        for (n, told) in stay.iter().enumerate() {
            let (night, predictions) = one_night(&learner, told, n == 0, before_end);
            before_end = NOON_MIN.max(last_minute(&night) - 1440);
            score.night(told, &predictions);
            for p in &predictions {
                let answer = Answer {
                    guest: &row.guest,
                    stay: s,
                    night: n,
                    minute: p.minute,
                    item: &p.item,
                    score: p.score(),
                    tier: p.tier().map_or("none", Tier::word),
                    anchor: p.anchor.word(),
                    made_at: p.made_at,
                };
                write_answer(answers, &answer)?;
            }
            learner.learn(night);
        }
    }
    Ok(())
}

/// Lives through one night; returns what it showed and what was foreseen of it.
fn one_night(learner: &Learner, told: &Told, begins_stay: bool, from: i32) -> (Night, Vec<Foreseen>) {
    let outlook = learner.outlook(usize::from(Habits::default().hits_min));
    let mut tonight = Tonight::begin(Night {
        begins_stay,
        check_in: told.checkin.map(whole),
        ..Night::default()
    });
    let begin = tonight.seen.check_in.unwrap_or(from).max(from);
    let mut predictions = Vec::new();
    let mut looked_at = None;
    for (minute, happening) in happenings(told) {
        if minute >= begin {
            looked_at.get_or_insert_with(|| {
                tonight.reconsider(&outlook, begin);
                begin
            });
            let passed = pass(&mut tonight, &outlook, &mut looked_at, minute);
            predictions.extend(passed);
        }
        match happening {
            Happening::Asked(item) => {
                predictions.extend(tonight.asked(item, minute).filter(|f| !is_overtaken(f, minute)))
            }
            Happening::ToBed => tonight.to_bed(minute),
            Happening::Woke => tonight.woke(minute),
        }
        if let Some(at) = &mut looked_at {
            *at = minute;
            tonight.reconsider(&outlook, minute);
        }
    }
    if looked_at.is_none() {
        tonight.reconsider(&outlook, begin);
        looked_at = Some(begin);
    }
    predictions.extend(pass(&mut tonight, &outlook, &mut looked_at, NIGHT_ENDS_MIN));
    predictions.extend(tonight.take_past(i32::MAX));
    (tonight.seen, predictions)
}

/// Whether the wish came so early that nothing had been done about the prediction: nobody was told, nothing moves before the
/// guest's own word. The wish counts as missed.
fn is_overtaken(foreseen: &Foreseen, asked_at: i32) -> bool {
    foreseen.minute - asked_at > NEAR_MIN
}

/// Lets time pass until a minute at which something happens: the engine looks whenever it said it would.
fn pass(tonight: &mut Tonight, outlook: &Outlook, looked_at: &mut Option<i32>, until: i32) -> Vec<Foreseen> {
    let mut past = Vec::new();
    while let Some(now) = looked_at
        .and_then(|at| tonight.next_look(outlook, at))
        .filter(|at| *at < until)
    {
        past.extend(tonight.take_past(now - NEAR_MIN - 1));
        tonight.look_again(outlook, now);
        *looked_at = Some(now);
    }
    past.extend(tonight.take_past(until - NEAR_MIN - 1));
    past
}

/// The night's happenings in order; a minute is told when it is full, so that nothing is known before it happened.
fn happenings(told: &Told) -> Vec<(i32, Happening<'_>)> {
    let mut all: Vec<(f64, Happening<'_>)> = told.requests.iter().map(|r| (r.0, Happening::Asked(&r.1))).collect();
    all.extend(told.bed.map(|at| (at, Happening::ToBed)));
    all.extend(told.wake.map(|at| (at, Happening::Woke)));
    all.sort_by(|a, b| a.0.total_cmp(&b.0));
    all.into_iter().map(|(at, what)| (whole(at), what)).collect()
}

fn whole(minute: f64) -> i32 {
    minute.ceil() as i32
}

fn last_minute(night: &Night) -> i32 {
    let asked = night.asked.iter().map(|(_, minute)| *minute);
    asked.chain(night.bed).chain(night.wake).max().unwrap_or(NOON_MIN)
}

/// One prediction, and what came of it.
struct Judged {
    score: f64,
    tier: Option<Tier>,
    is_met: bool,
    meets_habit: bool,
}

/// Hits and misses so far.
#[derive(Default)]
struct Score {
    is_judged: bool,
    predictions: Vec<Judged>,
    habit_requests: usize,
}

impl Score {
    fn night(&mut self, told: &Told, predictions: &[Foreseen]) {
        let mut used = vec![false; told.requests.len()];
        for p in predictions {
            let near = told
                .requests
                .iter()
                .enumerate()
                .filter(|(i, r)| !used[*i] && r.1 == p.item);
            let distance = |r: &Request| (r.0 - f64::from(p.minute)).abs();
            let met = near
                .filter(|(_, r)| distance(r) <= f64::from(NEAR_MIN))
                .min_by(|a, b| distance(a.1).total_cmp(&distance(b.1)));
            let is_habit = met.is_some_and(|(_, r)| r.2 == Some(true));
            self.predictions.push(Judged {
                score: p.score(),
                tier: p.tier(),
                is_met: met.is_some(),
                meets_habit: is_habit,
            });
            met.into_iter().for_each(|(i, _)| used[i] = true);
        }
        let of_habit = |r: &&Request| r.2 == Some(true);
        self.habit_requests += told.requests.iter().filter(of_habit).count();
        self.is_judged |= told.requests.iter().any(|r| r.2.is_some());
    }

    /// The figures above `by_tier` are those of tier `offer` and higher: what a guest would notice.
    fn metrics(&self) -> serde_json::Map<String, Json> {
        let by_tier: serde_json::Map<String, Json> = Tier::ALL
            .into_iter()
            .map(|tier| (tier.word().to_owned(), self.from(tier)))
            .collect();
        let all = self.from(Tier::Offer);
        let mut metrics = serde_json::Map::new();
        for name in ["precision", "recall", "predictions"] {
            metrics.insert(name.into(), all[name].clone());
        }
        metrics.insert("by_tier".into(), by_tier.into());
        metrics.insert("at_recall".into(), self.at_recall(AT_RECALL));
        metrics.insert("calibration".into(), self.calibration());
        metrics
    }

    /// The precision of the surest predictions, as many of them as meet this share of habits' wishes; none if all do not.
    fn at_recall(&self, least: f64) -> Json {
        let mut surest: Vec<&Judged> = self.predictions.iter().filter(|p| p.tier.is_some()).collect();
        surest.sort_by(|a, b| b.score.total_cmp(&a.score));
        let (mut hits, mut habits) = (0_usize, 0_usize);
        for (n, p) in surest.into_iter().enumerate() {
            hits += usize::from(p.is_met);
            habits += usize::from(p.meets_habit);
            let recall = habits as f64 / self.habit_requests.max(1) as f64;
            if self.is_judged && recall >= least {
                let precision = hits as f64 / (n + 1) as f64;
                return json!({ "precision": precision, "recall": recall, "predictions": n + 1, "score_min": p.score });
            }
        }
        Json::Null
    }

    /// Precision and recall of the predictions from a tier on.
    fn from(&self, tier: Tier) -> Json {
        let these = || self.predictions.iter().filter(|p| p.tier >= Some(tier));
        let (n, hits, habits) = (
            these().count(),
            these().filter(|p| p.is_met).count(),
            these().filter(|p| p.meets_habit).count(),
        );
        let share = |part: usize, whole: usize| match (self.is_judged, whole) {
            (false, _) | (_, 0) => Json::Null,
            _ => json!(part as f64 / whole as f64),
        };
        json!({ "precision": share(hits, n), "recall": share(habits, self.habit_requests), "predictions": n })
    }

    /// The score is a probability: said against found.
    fn calibration(&self) -> Json {
        if !self.is_judged || self.predictions.is_empty() {
            return Json::Null;
        }
        let mut bins = Vec::new();
        let mut ece = 0.0;
        for bin in 0..BINS {
            let of_bin = |p: &&Judged| ((p.score * BINS as f64) as usize).min(BINS - 1) == bin;
            let these: Vec<_> = self.predictions.iter().filter(of_bin).collect();
            let n = these.len() as f64;
            if these.is_empty() {
                continue;
            }
            let said = these.iter().map(|p| p.score).sum::<f64>() / n;
            let found = these.iter().filter(|p| p.is_met).count() as f64 / n;
            ece += (said - found).abs() * n / self.predictions.len() as f64;
            bins.push(json!({ "said": said, "found": found, "predictions": these.len() }));
        }
        json!({ "ece": ece, "bins": bins })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Twelve guests as the prototype's generator makes them: development data, made up.
    const SAMPLE: &str = include_str!("../../tests/golden/evaluate/habit.jsonl");

    fn judge(text: &str) -> (Json, Vec<Json>) {
        let mut answers = Vec::new();
        let input = Input {
            name: "guests.jsonl".into(),
            text: text.as_bytes(),
        };
        let metrics = evaluate(input, &mut answers).unwrap();
        let lines = std::str::from_utf8(&answers).unwrap().lines();
        (metrics, lines.map(|line| serde_json::from_str(line).unwrap()).collect())
    }

    fn rows() -> Vec<Json> {
        SAMPLE.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    fn text(rows: &[Json]) -> String {
        rows.iter().map(|row| format!("{row}\n")).collect()
    }

    #[test]
    fn every_prediction_is_made_before_its_minute_and_once_a_night() {
        let (metrics, answers) = judge(SAMPLE);
        assert!(answers.len() >= 10, "{} predictions", answers.len());
        let mut keys = std::collections::BTreeSet::new();
        for a in &answers {
            assert!(a["made_at"].as_i64() <= a["minute"].as_i64(), "{a}");
            let key = [&a["guest"], &a["stay"], &a["night"], &a["item"]].map(Json::to_string);
            assert!(keys.insert(key), "twice: {a}");
        }
        for name in ["precision", "recall"] {
            assert!(
                metrics[name].as_f64().is_some_and(|x| (0.0..=1.0).contains(&x)),
                "{metrics}"
            );
        }
    }

    #[test]
    fn the_oracle_is_judged_where_habits_were_lived_and_misses_what_nobody_can_know() {
        let night = |asked: &str| format!(r#"[{{"checkin":960,"bed":1400,"wake":1860,"requests":[{asked}]}}]"#);
        let came = r#"[1390,"tea",true]"#;
        let stays = [came, "", r#"[1350,"tea",true]"#, r#"[1385,"tea",true]"#, came, ""]
            .map(night)
            .join(",");
        let habits = r#"[{"item":"tea","anchor":"bed","p":0.8,"sd_min":9,"offset_min":-10}]"#;
        let (metrics, _) = judge(&format!(r#"{{"guest":1,"habits":{habits},"stays":[{stays}]}}"#));
        let figures = ["oracle_precision", "oracle_recall"].map(|name| metrics[name].as_f64().unwrap());
        assert_eq!(figures, [1.0 / 3.0, 1.0 / 2.0], "{metrics}");
        let (metrics, _) = judge(&format!(r#"{{"guest":1,"stays":[{stays}]}}"#));
        assert!(metrics["oracle_precision"].is_null() && metrics["oracle_recall"].is_null());
    }

    #[test]
    fn precision_is_told_of_the_surest_that_meet_three_wishes_of_ten() {
        let judged = |score: f64, is_met: bool| Judged {
            score,
            tier: Tier::of(score),
            is_met,
            meets_habit: is_met,
        };
        let mut score = Score {
            is_judged: true,
            predictions: [
                (0.6, true),
                (0.9, true),
                (0.5, true),
                (0.8, false),
                (0.3, true),
                (0.7, true),
            ]
            .map(|(score, is_met)| judged(score, is_met))
            .into(),
            habit_requests: 10,
        };
        let of = |score: &Score| score.at_recall(0.3);
        assert_eq!(of(&score)["precision"], 0.75, "of .9, .8, .7 and .6");
        assert_eq!(of(&score)["score_min"], 0.6);
        score.habit_requests = 14;
        assert!(of(&score).is_null(), "what is not even staged meets nothing");
    }

    #[test]
    fn the_truth_does_not_reach_the_learner() {
        let mut blind = rows();
        for row in &mut blind {
            row.as_object_mut().unwrap().remove("habits");
            let nights = row["stays"].as_array_mut().unwrap().iter_mut();
            for night in nights.flat_map(|stay| stay.as_array_mut().unwrap()) {
                for request in night["requests"].as_array_mut().unwrap() {
                    request.as_array_mut().unwrap().truncate(2);
                }
            }
        }
        let (metrics, answers) = judge(&text(&blind));
        assert_eq!(answers, judge(SAMPLE).1);
        assert!(metrics["precision"].is_null() && metrics["by_tier"]["stage"]["recall"].is_null());
        assert!(metrics["calibration"].is_null() && metrics["at_recall"].is_null());
    }

    #[test]
    fn what_comes_later_changes_nothing_that_was_said_before() {
        let (_, all) = judge(SAMPLE);
        let mut rows = rows();
        rows.iter_mut()
            .for_each(|row| row["stays"].as_array_mut().unwrap().truncate(3));
        let (_, early) = judge(&text(&rows));
        let before = |a: &&Json| a["stay"].as_u64().unwrap() < 3;
        assert!(!early.is_empty());
        assert_eq!(
            early.iter().collect::<Vec<_>>(),
            all.iter().filter(before).collect::<Vec<_>>()
        );
    }

    #[test]
    fn a_fault_names_the_field() {
        let fault = |line: &str| {
            let input = Input {
                name: "f".into(),
                text: line.as_bytes(),
            };
            evaluate(input, &mut std::io::sink()).unwrap_err().to_string()
        };
        let night = |text: &str| fault(&format!("{{\"guest\":1,\"stays\":[[{text}]]}}"));
        assert!(night("{\"bed\":1e9,\"requests\":[]}").contains("stays[0][0].bed"));
        assert!(night("{\"requests\":[[\"x\",\"tea\"]]}").starts_with("f:1: stays[0][0].requests[0]"));
        assert!(fault("{\"guest\":1}").contains("stays"));
    }
}
