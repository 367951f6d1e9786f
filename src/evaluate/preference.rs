//! How well are likes known, stay by stay?
//!
//! Each line is one guest: either figures (a temperature, `stays`) or one of a few choices (`obs`); a file may hold both.
//! At each query the first `known` stays of the line are known. Forms and figures: docs/evaluate.md.

use super::{Fault, Input, write_answer};
use crate::engine::preference::category::{self, Chosen};
use crate::engine::preference::fold::{self, Folded, Shown};
use crate::engine::preference::{Guest, evidence_of, rounded, scale};
use crate::model::{Attribute, PriorSummary, PropertyId, Said, Settled, StayEvidence, StayToken};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use std::io::{BufRead, Write};

/// What guests of whom nothing is known like, in files of this form, C.
const USUAL: f64 = 22.5;
/// The truth moved by so much from one stay to the next: the guest changed.
const CHANGE: f64 = 1.0;
/// An answer is told to be near when it lies within this of the truth, C.
const NEAR: f64 = 1.0;
/// A change is recent for so many stays that were seen of it.
const RECENT: usize = 3;
/// Answers are sorted by their stated probability into so many bins of one width, for the calibration error.
const BINS: usize = 10;
/// A line with more choices than this is no line of such a file.
const CHOICES_MAX: usize = 64;

/// Evaluates a file, writes every answer, and returns the metrics; those that need a truth are null without one.
///
/// # Errors
/// Says which line and field cannot be read, or that the answers cannot be written.
pub fn evaluate(input: Input<impl BufRead>, answers: &mut dyn Write) -> Result<Json, Fault> {
    let (mut figures, mut choices) = (Figures::default(), Choices::default());
    let mut written = Ok(());
    input.each(|_, line: Line| {
        let told = match line {
            Line::Figure(line) => figures.take(&line)?.into_iter().map(Told::Figure).collect::<Vec<_>>(),
            Line::Choice(line) => choices.take(&line)?.into_iter().map(Told::Choice).collect(),
        };
        for told in told {
            if written.is_ok() {
                written = write_answer(answers, &told);
            }
        }
        Ok(())
    })?;
    written?;
    answers.flush().map_err(|error| Fault::File {
        file: "answers".into(),
        error,
    })?;
    let mut metrics = figures.metrics();
    metrics.extend(choices.metrics());
    Ok(Json::Object(metrics))
}

/// One guest. The two forms have no field in common but the guest.
enum Line {
    Figure(FigureLine),
    Choice(ChoiceLine),
}

impl<'de> Deserialize<'de> for Line {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let line = Json::deserialize(from)?;
        let is_choice = line.get("obs").is_some();
        let fault = |e: serde_path_to_error::Error<serde_json::Error>| {
            serde::de::Error::custom(format!("{}: {}", e.path(), e.inner()))
        };
        if is_choice {
            serde_path_to_error::deserialize(line).map(Line::Choice).map_err(fault)
        } else {
            serde_path_to_error::deserialize(line).map(Line::Figure).map_err(fault)
        }
    }
}

#[derive(Deserialize)]
struct FigureLine {
    guest: Json,
    stays: Vec<StayLine>,
    queries: Vec<FigureQuery>,
}

#[derive(Deserialize)]
struct StayLine {
    property: String,
    stay: Json,
    #[serde(default)]
    ver: u64,
    day: i32,
    ev: EvidenceLine,
}

#[derive(Deserialize)]
struct EvidenceLine {
    booking: Option<Said>,
    accepted: Option<Said>,
    explicit: Option<Said>,
    confirm: Option<Said>,
    staff: Option<Said>,
    device: Option<DeviceLine>,
}

#[derive(Deserialize)]
struct DeviceLine {
    med: Said,
    n: u16,
    #[serde(default = "one")]
    acts: u16,
}

fn one() -> u16 {
    1
}

#[derive(Deserialize)]
struct FigureQuery {
    day: i32,
    known: usize,
    truth: Option<f64>,
    expect: Option<FigureExpect>,
}

#[derive(Deserialize)]
struct FigureExpect {
    value: f64,
}

#[derive(Deserialize)]
struct ChoiceLine {
    guest: Json,
    prior: Vec<f64>,
    obs: Vec<(String, Option<usize>)>,
    queries: Vec<ChoiceQuery>,
}

#[derive(Deserialize)]
struct ChoiceQuery {
    known: usize,
    truth: Option<usize>,
    expect: Option<ChoiceExpect>,
}

#[derive(Deserialize)]
struct ChoiceExpect {
    value: usize,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Told {
    Figure(FigureAnswer),
    Choice(ChoiceAnswer),
}

#[derive(Serialize)]
struct FigureAnswer {
    guest: Json,
    known: usize,
    day: i32,
    value: f64,
    sd: f64,
    p1: f64,
    status: &'static str,
    tags: Vec<String>,
    from: Option<f64>,
    changed_at: Option<i32>,
    weights: Vec<WeightAnswer>,
}

#[derive(Serialize)]
struct WeightAnswer {
    property: String,
    stay: Json,
    source: &'static str,
    weight: f64,
}

#[derive(Serialize)]
struct ChoiceAnswer {
    guest: Json,
    known: usize,
    value: usize,
    conf: f64,
    recent_change: bool,
}

type FieldFault = (String, String);

/// The stays of a line under ids that sort as the line's own do: whatever the file calls its properties and stays.
struct Names {
    properties: BTreeMap<String, PropertyId>,
    stays: BTreeMap<String, StayToken>,
    back: BTreeMap<(PropertyId, StayToken), (String, Json)>,
}

impl Names {
    fn new(stays: &[StayLine]) -> Result<Self, FieldFault> {
        let numbered = |mut names: Vec<String>| {
            names.sort();
            names.dedup();
            names.into_iter().enumerate()
        };
        let fault = |e: crate::model::IdFault| ("stays".to_owned(), e.to_string());
        let mut all = Self {
            properties: BTreeMap::new(),
            stays: BTreeMap::new(),
            back: BTreeMap::new(),
        };
        for (at, name) in numbered(stays.iter().map(|stay| stay.property.clone()).collect()) {
            all.properties
                .insert(name, PropertyId::new(format!("p{at:08}")).map_err(fault)?);
        }
        for (at, name) in numbered(stays.iter().map(|stay| text(&stay.stay)).collect()) {
            all.stays
                .insert(name, StayToken::new(format!("{at:08}")).map_err(fault)?);
        }
        for stay in stays {
            let key = all.key(stay);
            all.back.insert(key, (stay.property.clone(), stay.stay.clone()));
        }
        Ok(all)
    }

    fn key(&self, stay: &StayLine) -> (PropertyId, StayToken) {
        (
            self.properties[&stay.property].clone(),
            self.stays[&text(&stay.stay)].clone(),
        )
    }

    fn summary(&self, stay: &StayLine) -> PriorSummary {
        let (property, token) = self.key(stay);
        let ev = &stay.ev;
        let device = ev.device.as_ref().map(|device| Settled {
            settled: device.med,
            nights: device.n,
            acts: device.acts,
        });
        let evidence = StayEvidence {
            attribute: Attribute::TargetTemperature,
            device,
            explicit: ev.explicit,
            confirmed: ev.confirm,
            staff: ev.staff,
            accepted: ev.accepted,
            booking: ev.booking,
        };
        PriorSummary {
            property,
            stay: token,
            version: stay.ver,
            day: stay.day,
            temperature: None,
            firmness: None,
            nights: 0,
            acts: 0,
            habits: Vec::new(),
            evenings: Vec::new(),
            evidence: vec![evidence],
        }
    }
}

/// An id as text, whether it is written as a text or as a number.
fn text(id: &Json) -> String {
    id.as_str().map_or_else(|| id.to_string(), str::to_owned)
}

/// The answers that are figures, judged.
#[derive(Default)]
struct Figures {
    guests: usize,
    answers: usize,
    errors: Vec<f64>,
    by_known: BTreeMap<usize, Vec<f64>>,
    first_after_change: Vec<f64>,
    calibration: Calibration,
    tags: TagCount,
    largest_difference: Option<f64>,
}

impl Figures {
    fn take(&mut self, line: &FigureLine) -> Result<Vec<FigureAnswer>, FieldFault> {
        let names = Names::new(&line.stays)?;
        let truths: Vec<Option<f64>> = line.queries.iter().map(|query| query.truth).collect();
        let since_change = since_change(&truths, |a, b| (a - b).abs() >= CHANGE);
        self.guests += 1;
        let mut answers = Vec::new();
        for (at, query) in line.queries.iter().enumerate() {
            if query.known > line.stays.len() {
                let what = format!("{} stays are known of {}", query.known, line.stays.len());
                return Err((format!("queries[{at}].known"), what));
            }
            let mut guest = Guest::default();
            line.stays[..query.known]
                .iter()
                .for_each(|stay| guest.add(names.summary(stay)));
            let folded = ask(&guest, query.day);
            self.judge(query, &folded, since_change[at]);
            answers.push(answer(line, query, &folded, &guest, &names));
        }
        Ok(answers)
    }

    fn judge(&mut self, query: &FigureQuery, folded: &Folded, since_change: Option<usize>) {
        self.answers += 1;
        if let Some(expect) = &query.expect {
            let difference = (expect.value - folded.value).abs();
            self.largest_difference = Some(self.largest_difference.unwrap_or(0.0).max(difference));
        }
        let Some(truth) = query.truth else { return };
        let error = (truth - folded.value).abs();
        self.errors.push(error);
        self.by_known.entry(query.known).or_default().push(error);
        self.calibration.take(folded.within, error <= NEAR);
        if since_change == Some(1) {
            self.first_after_change.push(error);
        }
        let is_tagged = folded.tags.contains(&crate::engine::preference::Tag::RecentChange);
        self.tags.take(is_tagged, since_change);
    }

    fn metrics(&self) -> serde_json::Map<String, Json> {
        let by_known = self.by_known.iter();
        let by_known: serde_json::Map<String, Json> = by_known
            .map(|(known, errors)| (known.to_string(), mean(errors)))
            .collect();
        let near = self.errors.iter().filter(|error| **error <= NEAR).count();
        let all = json!({
            "guests": self.guests,
            "answers": self.answers,
            "mae": mean(&self.errors),
            "within_1c": share(near, self.errors.len()),
            "mae_by_known": if self.errors.is_empty() { Json::Null } else { by_known.into() },
            "first_after_change_mae": mean(&self.first_after_change),
            "ece": self.calibration.error(),
            "ece_by_chance": self.calibration.error_by_chance(),
            "recent_change_false": share(self.tags.false_alarms, self.tags.unchanged),
            "recent_change_precision": share(self.tags.right, self.tags.tagged),
            "max_difference_from_expect": self.largest_difference.map(rounded),
        });
        all.as_object().cloned().unwrap_or_default()
    }
}

fn ask(guest: &Guest, day: i32) -> Folded {
    let attribute = Attribute::TargetTemperature;
    let shown = guest.history().iter().enumerate().filter_map(|(at, stay)| {
        let evidence = evidence_of(stay, attribute)?;
        Some((
            at,
            Shown {
                day: stay.day,
                evidence,
            },
        ))
    });
    let scale = scale(attribute).expect("a temperature is a figure");
    fold::fold(&scale, USUAL, shown, day)
}

fn answer(line: &FigureLine, query: &FigureQuery, folded: &Folded, guest: &Guest, names: &Names) -> FigureAnswer {
    let weights = folded.weights.iter().filter_map(|weight| {
        let stay = guest.history().get(weight.stay)?;
        let (property, stay) = names.back.get(&(stay.property.clone(), stay.stay.clone()))?.clone();
        Some(WeightAnswer {
            property,
            stay,
            source: source_word(weight.source.word()),
            weight: rounded(weight.share),
        })
    });
    FigureAnswer {
        guest: line.guest.clone(),
        known: query.known,
        day: query.day,
        value: rounded(folded.value),
        sd: rounded(folded.sd),
        p1: rounded(folded.within),
        status: folded.status.word(),
        tags: folded.tags.iter().map(|tag| tag_word(tag.word())).collect(),
        from: folded.from.map(rounded),
        changed_at: folded.changed_at,
        weights: weights.collect(),
    }
}

/// Files of this form call a confirmation `confirm`.
fn source_word(word: &'static str) -> &'static str {
    if word == "confirmed" { "confirm" } else { word }
}

/// And say of a conflict that it is one.
fn tag_word(word: &str) -> String {
    if word.contains("_vs_") {
        format!("conflict:{word}")
    } else {
        word.to_owned()
    }
}

/// The answers that are choices, judged.
#[derive(Default)]
struct Choices {
    guests: usize,
    answers: usize,
    right: usize,
    judged: usize,
    calibration: Calibration,
    tags: TagCount,
    compared: usize,
    unlike_expect: usize,
}

impl Choices {
    fn take(&mut self, line: &ChoiceLine) -> Result<Vec<ChoiceAnswer>, FieldFault> {
        if line.prior.is_empty() || line.prior.len() > CHOICES_MAX {
            return Err(("prior".into(), format!("write 1 to {CHOICES_MAX} probabilities")));
        }
        let truths: Vec<Option<usize>> = line.queries.iter().map(|query| query.truth).collect();
        let since_change = since_change(&truths, |a, b| a != b);
        self.guests += 1;
        let mut answers = Vec::new();
        for (at, query) in line.queries.iter().enumerate() {
            if query.known > line.obs.len() {
                let what = format!("{} stays are known of {}", query.known, line.obs.len());
                return Err((format!("queries[{at}].known"), what));
            }
            let known = line.obs[..query.known].iter().map(|(kind, choice)| Chosen {
                choice: choice.filter(|_| kind != "none"),
                is_explicit: kind == "explicit",
            });
            let folded = category::fold(&line.prior, known);
            self.judge(query, &folded, since_change[at]);
            answers.push(ChoiceAnswer {
                guest: line.guest.clone(),
                known: query.known,
                value: folded.choice,
                conf: rounded(folded.confidence),
                recent_change: folded.recent_change,
            });
        }
        Ok(answers)
    }

    fn judge(&mut self, query: &ChoiceQuery, folded: &category::Folded, since_change: Option<usize>) {
        self.answers += 1;
        if let Some(expect) = &query.expect {
            self.compared += 1;
            self.unlike_expect += usize::from(expect.value != folded.choice);
        }
        let Some(truth) = query.truth else { return };
        let is_right = truth == folded.choice;
        self.judged += 1;
        self.right += usize::from(is_right);
        self.calibration.take(folded.confidence, is_right);
        self.tags.take(folded.recent_change, since_change);
    }

    fn metrics(&self) -> serde_json::Map<String, Json> {
        let all = json!({
            "categorical_guests": self.guests,
            "categorical_answers": self.answers,
            "accuracy": share(self.right, self.judged),
            "tag_precision": share(self.tags.right, self.tags.tagged),
            "categorical_ece": self.calibration.error(),
            "categorical_unlike_expect": (self.compared > 0).then_some(self.unlike_expect),
        });
        all.as_object().cloned().unwrap_or_default()
    }
}

/// For each query, how many stays have been seen since the truth last changed: 0 at the query that the change meets
/// unseen. None while it has not changed, or is not known.
fn since_change<T: Copy>(truths: &[Option<T>], is_change: impl Fn(T, T) -> bool) -> Vec<Option<usize>> {
    let mut since = None;
    let mut last = None;
    let mut see = |truth: &Option<T>| {
        let changed = last.zip(*truth).is_some_and(|(last, truth)| is_change(last, truth));
        since = if changed { Some(0) } else { since.map(|stays| stays + 1) };
        last = truth.or(last);
        since
    };
    truths.iter().map(&mut see).collect()
}

/// How often a change was told of, and how often it was one.
#[derive(Default)]
struct TagCount {
    tagged: usize,
    right: usize,
    unchanged: usize,
    false_alarms: usize,
}

impl TagCount {
    fn take(&mut self, is_tagged: bool, since_change: Option<usize>) {
        let is_recent = since_change.is_some_and(|stays| (1..=RECENT).contains(&stays));
        self.tagged += usize::from(is_tagged);
        self.right += usize::from(is_tagged && is_recent);
        // A change that no stay has shown yet, or that was long ago, is none that could be told of.
        self.unchanged += usize::from(!is_recent);
        self.false_alarms += usize::from(is_tagged && !is_recent);
    }
}

/// Stated probabilities against what happened.
#[derive(Default)]
struct Calibration {
    bins: [(usize, f64, usize); BINS],
    /// By bin, the variance of how often it happens, if what was stated is right.
    variances: [f64; BINS],
}

impl Calibration {
    fn take(&mut self, stated: f64, happened: bool) {
        let place = ((stated * BINS as f64) as usize).min(BINS - 1);
        let bin = &mut self.bins[place];
        *bin = (bin.0 + 1, bin.1 + stated, bin.2 + usize::from(happened));
        self.variances[place] += stated * (1.0 - stated);
    }

    /// The expected calibration error: the mean distance of what was stated from what happened, by bin.
    fn error(&self) -> Json {
        let count: usize = self.bins.iter().map(|(count, _, _)| count).sum();
        let off: f64 = self
            .bins
            .iter()
            .map(|(_, stated, happened)| (stated - *happened as f64).abs())
            .sum();
        if count == 0 {
            Json::Null
        } else {
            rounded(off / count as f64).into()
        }
    }

    /// What that error would be in the mean if every stated probability were right: chance alone moves so few answers so far.
    fn error_by_chance(&self) -> Json {
        let count: usize = self.bins.iter().map(|(count, _, _)| count).sum();
        let mean_off = |variance: &f64| (2.0 / std::f64::consts::PI * variance.max(0.0)).sqrt();
        let off: f64 = self.variances.iter().map(mean_off).sum();
        if count == 0 {
            Json::Null
        } else {
            rounded(off / count as f64).into()
        }
    }
}

fn mean(list: &[f64]) -> Json {
    if list.is_empty() {
        Json::Null
    } else {
        rounded(list.iter().sum::<f64>() / list.len() as f64).into()
    }
}

fn share(part: usize, whole: usize) -> Json {
    if whole == 0 {
        Json::Null
    } else {
        rounded(part as f64 / whole as f64).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metrics(text: &str) -> (Json, Vec<Json>) {
        let mut answers = Vec::new();
        let input = Input {
            name: "guests.jsonl".into(),
            text: text.as_bytes(),
        };
        let metrics = evaluate(input, &mut answers).unwrap();
        let lines = std::str::from_utf8(&answers).unwrap().lines();
        (metrics, lines.map(|line| serde_json::from_str(line).unwrap()).collect())
    }

    /// Guests made by the prototype of the fold, with its answers: development data, made up. The prototype tells of more
    /// changes than are told of here (docs/behaviour.md); all else is the same.
    const SAMPLE: &str = include_str!("../../tests/golden/evaluate/preference.jsonl");

    #[test]
    fn every_answer_is_the_prototypes() {
        let (metrics, answers) = metrics(SAMPLE);
        let lines = SAMPLE.lines().map(|line| serde_json::from_str::<Json>(line).unwrap());
        let expected = lines.flat_map(|line| line["queries"].as_array().unwrap().clone());
        let (mut compared, mut told) = (0, 0);
        for (query, answer) in expected.zip(&answers) {
            let expect = &query["expect"];
            let near =
                |name: &str, at: &str| (expect[name].as_f64().unwrap() - answer[at].as_f64().unwrap()).abs() < 2e-6;
            assert!(near("value", "value"), "{answer} {expect}");
            if expect.get("conf").is_some() {
                assert!(
                    near("conf", "conf") && expect["recent_change"] == answer["recent_change"],
                    "{answer} {expect}"
                );
            } else {
                let is_same = |name: &str, at: &str| expect[name] == answer[at];
                assert!(near("p1", "p1") && near("sd", "sd"), "{answer} {expect}");
                assert!(
                    is_same("status", "status") && is_same("changed_at", "changed_at"),
                    "{answer} {expect}"
                );
                let of = |tags: &Json| {
                    let words = tags
                        .as_array()
                        .unwrap()
                        .iter()
                        .map(|tag| tag.as_str().unwrap().to_owned());
                    words.filter(|tag| tag != "recent_change").collect::<Vec<_>>()
                };
                assert_eq!(of(&expect["tags"]), of(&answer["tags"]), "{answer} {expect}");
                assert!(answer["from"].is_null() || near("frm", "from"), "{answer} {expect}");
                told += usize::from(!answer["from"].is_null());
            }
            compared += 1;
        }
        assert!(
            compared > 100 && compared == answers.len() && told > 3,
            "{compared} {told}"
        );
        assert!(metrics["max_difference_from_expect"].as_f64().unwrap() < 1e-5);
        assert_eq!(metrics["categorical_unlike_expect"], 0);
    }

    #[test]
    fn a_perfect_calibration_of_few_answers_still_shows_an_error() {
        let mut few = Calibration::default();
        (0..100).for_each(|n| few.take(0.75, n % 4 > 0));
        assert_eq!(few.error(), json!(0.0));
        let by_chance = few.error_by_chance().as_f64().unwrap();
        // The mean distance of a binomial share (100, 0.75) from its mean, by its normal limit.
        assert!((by_chance - 0.0345).abs() < 0.0005, "{by_chance}");
    }

    #[test]
    fn without_a_truth_the_answers_are_written_and_the_metrics_are_null() {
        let line = r#"{"guest":"g","stays":[{"property":"A","stay":"Überall","ver":1,"day":10,"ev":{"explicit":24}}],"queries":[{"day":20,"known":1}]}
            {"guest":7,"prior":[0.6,0.4],"obs":[["explicit",1]],"queries":[{"known":1}]}"#;
        let (metrics, answers) = metrics(line);
        for name in [
            "mae",
            "within_1c",
            "mae_by_known",
            "first_after_change_mae",
            "ece",
            "recent_change_false",
            "accuracy",
        ] {
            assert!(metrics[name].is_null(), "{name}");
        }
        assert_eq!(
            (&answers[0]["guest"], &answers[0]["status"]),
            (&json!("g"), &json!("explicit"))
        );
        assert_eq!((&answers[1]["guest"], &answers[1]["value"]), (&json!(7), &json!(1)));
    }

    #[test]
    fn of_two_versions_of_a_stay_the_higher_counts_wherever_it_stands() {
        let stay =
            |ver: u64, wish: f64| json!({"property": "A", "stay": 1, "ver": ver, "day": 10, "ev": {"explicit": wish}});
        let ask = |stays: Vec<Json>| {
            let line = json!({"guest": 1, "stays": stays, "queries": [{"day": 20, "known": 3}]});
            metrics(&line.to_string()).1.remove(0)["value"].clone()
        };
        let first = ask(vec![stay(1, 24.0), stay(2, 20.0), stay(1, 24.0)]);
        assert_eq!(first, ask(vec![stay(2, 20.0), stay(1, 24.0), stay(2, 20.0)]));
        assert!(first.as_f64().unwrap() < 21.0);
    }

    #[test]
    fn what_cannot_be_read_is_told_with_its_field() {
        for (line, field) in [
            (
                r#"{"guest":1,"stays":[{"property":"A","stay":"1","day":"x","ev":{}}],"queries":[]}"#,
                "stays[0].day",
            ),
            (
                r#"{"guest":1,"stays":[],"queries":[{"day":1,"known":2}]}"#,
                "queries[0].known",
            ),
            (r#"{"guest":1,"prior":[],"obs":[],"queries":[]}"#, "prior"),
            (
                r#"{"guest":1,"stays":[{"property":"A","stay":"1","day":1,"ev":{"staff":1e300}}],"queries":[]}"#,
                "stays[0].ev.staff",
            ),
        ] {
            let input = Input {
                name: "guests.jsonl".into(),
                text: line.as_bytes(),
            };
            let fault = evaluate(input, &mut Vec::new()).unwrap_err().to_string();
            assert!(
                fault.starts_with("guests.jsonl:1: ") && fault.contains(field),
                "{fault}"
            );
        }
    }

    #[test]
    fn a_change_is_known_from_the_first_stay_after_it() {
        let truths = [21.0, 21.0, 24.0, 24.0, 24.5].map(Some);
        let since = since_change(&truths, |a: f64, b: f64| (a - b).abs() >= CHANGE);
        assert_eq!(since, [None, None, Some(0), Some(1), Some(2)]);
    }
}
