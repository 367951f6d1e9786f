//! How is a message of innkeeper's said in a sentence?
//!
//! From the message itself and its because, and from nothing else: what is not in the message is not told.

use super::narrator::Narrator;
use crate::model::{
    Because, Emergency, Moment, Need, PreferenceReport, Readiness, ReadinessVerdict, Report, RequestId, RequestState,
    ServiceRequest, StateReport,
};
use serde_json::Value;

/// Says a report.
pub fn report(voice: &Narrator, report: &Report) -> String {
    match report {
        Report::Emergency(emergency) => alarm(emergency),
        Report::Request(of) => request(voice, of),
        Report::RequestState(of) => state(of),
        Report::Readiness(of) => readiness(voice, of),
        Report::Preference(of) => preference(of),
    }
}

fn alarm(emergency: &Emergency) -> String {
    let Emergency {
        room,
        cause,
        call,
        local,
        ..
    } = emergency;
    if emergency.over {
        return format!("the emergency in {room} is over ({cause})");
    }
    let also = if *local {
        ", and on the hotel's own alarm topic"
    } else {
        ""
    };
    format!("EMERGENCY: {cause} in {room}; call {call}, straight to central{also}")
}

fn request(voice: &Narrator, request: &ServiceRequest) -> String {
    let items: Vec<&str> = request.items.iter().map(|item| item.as_str()).collect();
    let (who, what) = (word_of(&request.department), items.join(" and "));
    let due = request
        .deadline
        .map(|at| format!(" by {}", voice.hour(at)))
        .unwrap_or_default();
    if request.state == RequestState::Withdrawn {
        return format!(
            "takes its request {} back: {}",
            request.id,
            reason(voice, &request.because)
        );
    }
    let asked = match request.need {
        Need::ArrivalItems => format!("asks {who} to place {what} in {}{due}", request.room),
        Need::Routine => format!("asks {who} for {what} to {}{due}", request.room),
        Need::Battery => format!("asks {who} for a battery in {}", request.room),
        need => format!("asks {who} for {} in {}{due}", word_of(&need), request.room),
    };
    format!("{asked}: {}", reason(voice, &request.because))
}

fn state(report: &StateReport) -> String {
    let why = report.because.rule.replace('-', " ");
    match report.state {
        RequestState::Parked => format!(
            "holds the request {} back: {why}, nobody is to knock",
            request_name(&report.id)
        ),
        RequestState::Raised => format!("lets the request {} go on: {why}", request_name(&report.id)),
        state => format!(
            "calls the request {} {}: {why}",
            request_name(&report.id),
            word_of(&state)
        ),
    }
}

fn readiness(voice: &Narrator, promise: &Readiness) -> String {
    let Readiness { room, target, .. } = promise;
    let found = promise
        .found
        .map(|at| format!("{:.1} C", at.to_f64()))
        .unwrap_or_else(|| "no temperature".into());
    let wanted = format!("{:.1} C", target.to_f64());
    match promise.verdict {
        Some(ReadinessVerdict::Kept) => {
            format!("promise KEPT in {room}: {found} when the door opened, {wanted} promised")
        }
        Some(ReadinessVerdict::Missed) => {
            format!("promise MISSED in {room}: {found} when the door opened, {wanted} promised")
        }
        Some(ReadinessVerdict::NoArrival) => format!("nobody came to {room}; the promise ends"),
        verdict => {
            let hour = |at| voice.hour(at);
            let (p10, p50, p90) = (hour(promise.p10), hour(promise.p50), hour(promise.p90));
            let lead = if verdict.is_some() { "warns of" } else { "promises" };
            format!(
                "{lead} {room} at {wanted} by {p50} (1 in 10: {p10}, 9 in 10: {p90}): {}",
                reason(voice, &promise.because)
            )
        }
    }
}

fn preference(report: &PreferenceReport) -> String {
    let attribute = report.attribute.word().replace('_', " ");
    let lead = if report.is_final {
        "tells what the stay showed"
    } else {
        "learns"
    };
    let value = match report.value.as_f64() {
        Some(figure) => format!("{figure:.1} +- {:.1}", report.sd),
        None => report.value.as_str().unwrap_or_default().to_owned(),
    };
    let choice = fact(&report.because, "choice").map(|choice| format!("last set by hand to {choice}"));
    let booking = report.declared.as_ref().map(|said| format!("the booking said {said}"));
    let facts: Vec<String> = [choice, booking].into_iter().flatten().collect();
    let tags: Vec<String> = report.tags.iter().map(|tag| format!(" [{tag}]")).collect();
    format!(
        "{lead}: the guest of {} likes {attribute} {value} ({}){}",
        report.room,
        facts.join("; "),
        tags.concat()
    )
}

/// Says a rule with its facts. A rule that nobody has put into words is told as it stands.
pub fn reason(voice: &Narrator, because: &Because) -> String {
    let number = |name: &str| fact(because, name).and_then(Value::as_f64);
    let hour = |name: &str| {
        fact(because, name)
            .and_then(Value::as_str)
            .and_then(|at| Moment::parse(at).ok())
            .map(|at| voice.hour(at))
    };
    let text =
        |name: &str| fact(because, name).map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned));
    match &*because.rule {
        "prepare-in-time" if hour("start").is_some() => format!(
            "it has {:.1} C, needs {:.0} min at {:.1} K/h, the guest is expected at {}: start at {}",
            number("temperature").unwrap_or(f64::NAN),
            number("needs_min").unwrap_or(f64::NAN),
            number("rate_k_per_h").unwrap_or(f64::NAN),
            hour("eta").unwrap_or_else(|| "some time".into()),
            hour("start").unwrap_or_default(),
        ),
        "prepare-in-time" => format!(
            "to be ready in time; known from {}",
            known_from(&text("preferred_from").unwrap_or_default())
        ),
        "guest-is-out" | "guest-is-out-for-long" => {
            let since = hour("out_since").unwrap_or_else(|| "now".into());
            let long = if &*because.rule == "guest-is-out" {
                ""
            } else {
                " for long"
            };
            format!(
                "the guest is out{long}, since {since}; {:.1} C comes back on return",
                number("preferred").unwrap_or(f64::NAN)
            )
        }
        "guest-is-in" if text("preferred_from").as_deref() == Some("hand") => {
            "the guest is back: the guest's own setting is put back".into()
        }
        "guest-is-in" => "the guest is in".into(),
        "nobody-in-nobody-expected" => "nobody is in and nobody is expected soon".into(),
        "bed-as-this-guest-sets-it" => {
            format!(
                "the bed as this guest sets it; earlier stays known: {}",
                number("earlier_stays").unwrap_or(0.0)
            )
        }
        "arrival-items" => "from the booking and from earlier stays".into(),
        "wanted-on-other-nights" => format!(
            "wanted on {} of {} nights at about {}, certainty {:.2}",
            text("hits").unwrap_or_default(),
            text("nights").unwrap_or_default(),
            hour("usual_at").unwrap_or_default(),
            number("score").unwrap_or(f64::NAN),
        ),
        "battery-low" => format!(
            "{} is at {} %",
            text("device").unwrap_or_default(),
            text("level").unwrap_or_default()
        ),
        _ => because.to_string(),
    }
}

/// A request's id as a person would call it: without the stay's token.
pub fn request_name(id: &RequestId) -> String {
    let is_token = |part: &&str| part.len() >= 8 && part.chars().all(|c| c.is_ascii_hexdigit());
    id.as_str()
        .split('.')
        .filter(|part| !is_token(part))
        .collect::<Vec<_>>()
        .join(" ")
}

fn known_from(word: &str) -> &str {
    match word {
        "device" => "what the guest's hand showed in earlier stays",
        "booking" => "the booking",
        "population" => "nothing: the property's own figure",
        word => word,
    }
}

fn fact<'a>(because: &'a Because, name: &str) -> Option<&'a Value> {
    because
        .facts
        .iter()
        .find(|fact| fact.name == name)
        .map(|fact| &fact.value)
}

fn word_of(value: &impl serde::Serialize) -> String {
    let word = serde_json::to_value(value)
        .ok()
        .and_then(|word| word.as_str().map(str::to_owned));
    word.unwrap_or_default().replace('_', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_nobody_has_put_into_words_is_told_as_it_stands() {
        let because = Because::rule("some-new-rule").with("depth", 3);
        assert_eq!(reason(&Narrator::new(false), &because), "some-new-rule: depth 3");
    }

    #[test]
    fn a_reason_is_said_in_the_hotels_own_time() {
        let because = Because::rule("guest-is-out")
            .with("out_since", "2026-11-23T18:40:00Z")
            .with("preferred", 22.0);
        assert_eq!(
            reason(&Narrator::new(false), &because),
            "the guest is out, since 19:40; 22.0 C comes back on return"
        );
    }
}
