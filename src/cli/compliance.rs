//! Did each room keep what the energy code asks for, night by night?
//!
//! The pages stand in the journal of the running daemon; this fetches them by stretches and prints them oldest first. A
//! night without a page was not watched for twelve hours, or no code was configured: that is told, not taken for kept.

use super::ask::Daemon;
use crate::daemon::{Question, clock};
use crate::model::{Because, Moment, Span};
use anyhow::{Result, anyhow};
use clap::Args;
use serde_json::Value as Json;
use std::process::ExitCode;

/// Pages are asked for by stretches of so long ...
const STRETCH: Span = Span::days(14);
/// ... and of half as long while an answer is full: the daemon gives no more than this at once.
const FULL: usize = 10_000;
/// No stretch is made shorter than this.
const STRETCH_MIN: Span = Span::hours(1);
/// Without `--from`, this long back.
const USUAL: Span = Span::days(31);
/// The figures of a page, in the order of the columns.
const COLUMNS: [&str; 9] = [
    "kept",
    "counted_min",
    "unrented_min",
    "rented_unoccupied_min",
    "preconditioning_min",
    "against_min",
    "against_from",
    "against_state",
    "against_setpoint",
];

/// The notebook of the energy code.
#[derive(Debug, Args)]
pub struct Compliance {
    /// From this evening on: 2026-11-21; a month ago when not given
    #[arg(long, value_name = "DATE")]
    from: Option<String>,
    /// Up to and with this evening; until now when not given
    #[arg(long, value_name = "DATE")]
    to: Option<String>,
    /// Prints comma-separated values with a head line: one line for each room and night
    #[arg(long)]
    csv: bool,
    #[command(flatten)]
    daemon: Daemon,
}

/// One room's night.
#[derive(Debug, Clone, PartialEq)]
struct Page {
    night: i64,
    room: String,
    figures: Vec<String>,
}

impl Compliance {
    /// Status 0 when every night was kept, 1 when one was not or none was found.
    pub fn run(self) -> Result<ExitCode> {
        let now = clock::now();
        let from = self.from.as_deref().map(evening).transpose()?;
        let to = self.to.as_deref().map(evening).transpose()?;
        // A night's page is closed at the next noon, in any zone within a day and a half after the evening's date began.
        let until = to.map_or(now, |to| to + Span::hours(60)).min(now);
        let since = from.unwrap_or(until - USUAL);
        let nights = night(since)..=to.map_or(i64::MAX, night);
        let mut pages: Vec<Page> = self.fetch(since, until)?;
        pages.retain(|page| nights.contains(&page.night));
        pages.sort_by(|a, b| (a.night, &a.room).cmp(&(b.night, &b.room)));
        pages.dedup();
        let against = pages.iter().filter(|page| page.figures[0] != "true").count();
        if self.daemon.json {
            let lines: Vec<Json> = pages.iter().map(Page::json).collect();
            println!("{}", Json::from(lines));
        } else if self.csv {
            println!("night,room,{}", COLUMNS.join(","));
            pages.iter().for_each(|page| println!("{}", page.csv()));
        } else {
            let kept = pages.len() - against;
            println!("{} room-nights noted, {kept} kept, {against} not", pages.len());
            let broken = pages.iter().filter(|page| page.figures[0] != "true");
            broken.for_each(|page| println!("{}", page.csv()));
        }
        Ok(if against == 0 && !pages.is_empty() {
            ExitCode::SUCCESS
        } else {
            ExitCode::from(1)
        })
    }

    fn fetch(&self, since: Moment, until: Moment) -> Result<Vec<Page>> {
        let (mut pages, mut from, mut stretch) = (Vec::new(), since, STRETCH);
        while from < until {
            let to = (from + stretch).min(until);
            let answer = self.daemon.ask(&Question::Why {
                room: None,
                from,
                to,
                limit: FULL,
                rule: Some("code-of-a-night".into()),
            })?;
            let notes = answer["decisions"].as_array().map(Vec::as_slice).unwrap_or_default();
            if notes.len() >= FULL && stretch > STRETCH_MIN {
                stretch = Span::millis(stretch.as_millis() / 2);
                continue;
            }
            pages.extend(notes.iter().filter_map(Page::of));
            from = to + Span::millis(1);
        }
        Ok(pages)
    }
}

impl Page {
    fn of(note: &Json) -> Option<Self> {
        let because: Because = serde_json::from_value(note["what"]["note"]["because"].clone()).ok()?;
        let fact = |name: &str| {
            because
                .facts
                .iter()
                .find(|fact| fact.name == name)
                .map(|fact| &fact.value)
        };
        let written = |name: &&str| match fact(name) {
            Some(Json::String(text)) => text.clone(),
            Some(other) => other.to_string(),
            None => String::new(),
        };
        Some(Self {
            night: fact("night")?.as_i64()?,
            room: note["room"].as_str()?.to_owned(),
            figures: COLUMNS.iter().map(written).collect(),
        })
    }

    /// Ids, words, numbers and times hold neither commas nor quotes.
    fn csv(&self) -> String {
        format!("{},{},{}", date(self.night), self.room, self.figures.join(","))
    }

    fn json(&self) -> Json {
        let mut line = serde_json::Map::new();
        line.insert("night".into(), date(self.night).into());
        line.insert("room".into(), self.room.clone().into());
        for (name, figure) in COLUMNS.iter().zip(&self.figures) {
            let value = serde_json::from_str(figure).unwrap_or_else(|_| Json::from(figure.as_str()));
            line.insert((*name).to_owned(), value);
        }
        line.into()
    }
}

/// The beginning of a date, UTC.
fn evening(text: &str) -> Result<Moment> {
    let moment = Moment::parse(&format!("{text}T00:00:00Z"));
    moment.map_err(|_| anyhow!("{text:?} is no date; write 2026-11-21"))
}

fn night(at: Moment) -> i64 {
    at.millis().div_euclid(Span::days(1).as_millis())
}

fn date(night: i64) -> String {
    let at = Moment::from_millis(night.saturating_mul(Span::days(1).as_millis()));
    at.to_string().chars().take(10).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_a_line_with_its_evidence() {
        let because = Because::rule("code-of-a-night")
            .with("night", 20_778)
            .with("kept", false)
            .with("counted_min", 1440)
            .with("against_min", 35)
            .with("against_state", "unrented");
        let note = serde_json::json!({ "at": "2026-11-22T11:05:00.000Z", "room": "1204", "what": { "note": { "room": "1204", "because": because } } });
        let page = Page::of(&note).unwrap();
        assert_eq!(page.csv(), "2026-11-21,1204,false,1440,,,,35,,unrented,");
        assert_eq!(page.json()["against_min"], 35);
        assert_eq!(Page::of(&serde_json::json!({ "room": "1204" })), None);
    }

    #[test]
    fn a_date_is_a_night_and_anything_else_is_told() {
        assert_eq!(date(night(evening("2026-11-21").unwrap())), "2026-11-21");
        assert!(evening("21.11.2026").is_err());
    }
}
