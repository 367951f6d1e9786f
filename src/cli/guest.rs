//! What does this guest like, in words an engineer would use?

use super::ask::Daemon;
use crate::daemon::Question;
use crate::model::GuestToken;
use anyhow::Result;
use clap::Args;
use serde_json::Value as Json;
use std::process::ExitCode;

/// Stays shown of each like; the rest is summed up.
const STAYS_SHOWN: usize = 4;

/// What a guest likes.
#[derive(Debug, Args)]
pub struct Guest {
    /// Which guest, by token
    guest: GuestToken,
    #[command(flatten)]
    daemon: Daemon,
}

impl Guest {
    /// Asks, and prints the answer.
    pub fn run(self) -> Result<ExitCode> {
        let answer = self.daemon.ask(&Question::Guest(self.guest.clone()))?;
        if self.daemon.json {
            println!("{answer}");
            return Ok(ExitCode::SUCCESS);
        }
        let answers = answer["answers"].as_array().cloned().unwrap_or_default();
        if answers.is_empty() {
            println!("no stay has shown what this guest likes");
        }
        let today = answer["today"].as_i64().unwrap_or_default();
        answers
            .iter()
            .for_each(|answer| println!("{}", paragraph(answer, today)));
        Ok(ExitCode::SUCCESS)
    }
}

/// `target temperature  23.5 C, give or take 0.5; within 1 C: 94 %` and what it rests on, indented.
fn paragraph(answer: &Json, today: i64) -> String {
    let name = answer["attribute"].as_str().unwrap_or_default().replace('_', " ");
    let mut lines = vec![format!("{name}  {}", how_sure(answer))];
    lines.push(format!(
        "    from {}",
        answer["status"].as_str().unwrap_or_default().replace('_', " ")
    ));
    let tags = answer["tags"].as_array().cloned().unwrap_or_default();
    lines.extend(tags.iter().filter_map(|tag| remark(tag.as_str()?, answer, today)));
    lines.push(format!("    rests on {}", stays(answer)));
    lines.join("\n")
}

fn how_sure(answer: &Json) -> String {
    let percent = (answer["within"].as_f64().unwrap_or_default() * 100.0).round();
    let value = in_words(&answer["value"], answer);
    match (answer["sd"].as_f64(), answer["reach"].as_f64()) {
        (Some(sd), Some(reach)) => {
            let unit = answer["unit"].as_str().unwrap_or_default();
            let unit = if unit.starts_with("min") { "min" } else { unit };
            format!("{value}, give or take {sd:.1} {unit}; within {reach} {unit}: {percent} %")
        }
        _ => format!("{value}; sure to {percent} %"),
    }
}

/// `23.5 C`, `latex`, and minutes after noon as the clock shows them.
fn in_words(value: &Json, answer: &Json) -> String {
    let Some(figure) = value.as_f64() else {
        return value.as_str().unwrap_or("nothing").to_owned();
    };
    match answer["unit"].as_str() {
        Some(unit) if unit.starts_with("min") => {
            let minute = (figure.round() as i64 + 720).rem_euclid(1440);
            format!("{:02}:{:02}", minute / 60, minute % 60)
        }
        unit => format!("{figure:.1} {}", unit.unwrap_or_default()),
    }
}

fn remark(tag: &str, answer: &Json, today: i64) -> Option<String> {
    let before = answer
        .get("from")
        .map(|from| format!(", before that {}", in_words(from, answer)));
    let ago = answer["changed_at"]
        .as_i64()
        .map(|day| format!(" {} days ago", today - day));
    Some(match tag {
        "recent_change" => format!("    changed{}{}", ago.unwrap_or_default(), before.unwrap_or_default()),
        "suspected_change" => format!(
            "    may have changed{}: the next stay decides",
            before.unwrap_or_default()
        ),
        "booking_vs_device" => "    the booking says otherwise; what the devices saw is used".to_owned(),
        "confirmed_vs_device" => {
            "    the guest confirmed it, and later stays showed otherwise: to be asked again".to_owned()
        }
        "dormant" => "    nothing heard for more than six months: to be asked about, not applied".to_owned(),
        _ => return None,
    })
}

/// `rome-via 0d9c2b1a (device, 62 %), this stay (explicit, 20 %), 3 more`.
fn stays(answer: &Json) -> String {
    let mut weights = answer["weights"].as_array().cloned().unwrap_or_default();
    let share = |weight: &Json| weight["share"].as_f64().unwrap_or_default();
    weights.sort_by(|a, b| share(b).total_cmp(&share(a)));
    let more = weights.len().saturating_sub(STAYS_SHOWN);
    let one = |weight: &Json| {
        let source = weight["source"].as_str().unwrap_or_default();
        let percent = (share(weight) * 100.0).round();
        match (weight["property"].as_str(), weight["stay"].as_str()) {
            (Some(property), Some(stay)) => {
                format!(
                    "{property} {} ({source}, {percent} %)",
                    stay.chars().take(8).collect::<String>()
                )
            }
            _ => format!("this stay ({source}, {percent} %)"),
        }
    };
    let mut told: Vec<String> = weights.iter().take(STAYS_SHOWN).map(one).collect();
    told.extend((more > 0).then(|| format!("{more} more")));
    if told.is_empty() {
        "what must be".to_owned()
    } else {
        told.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_like_reads_as_a_person_would_say_it() {
        let answer = json!({
            "attribute": "target_temperature", "value": 20, "unit": "C", "sd": 0.4321, "within": 0.981, "reach": 1.0,
            "status": "explicit", "tags": ["booking_vs_device", "recent_change"], "from": 23.8, "changed_at": 100,
            "weights": [{"property": "rome-via", "stay": "0d9c2b1a-7766", "source": "explicit", "share": 0.9}],
        });
        let text = paragraph(&answer, 130);
        for words in [
            "target temperature  20.0 C, give or take 0.4 C; within 1 C: 98 %",
            "changed 30 days ago, before that 23.8 C",
            "the booking says otherwise",
            "rests on rome-via 0d9c2b1a (explicit, 90 %)",
        ] {
            assert!(text.contains(words), "{text}");
        }
    }

    #[test]
    fn times_of_day_are_told_as_the_clock_shows_them() {
        let answer = json!({ "unit": "min after noon" });
        assert_eq!(in_words(&json!(660), &answer), "23:00");
        assert_eq!(in_words(&json!(1170), &answer), "07:30");
        assert_eq!(in_words(&json!("latex"), &answer), "latex");
    }
}
