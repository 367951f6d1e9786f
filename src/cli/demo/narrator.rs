//! How is the story put on the terminal?
//!
//! One line an event: the hotel's local time, who did it, what. A hundred columns at most, colours only on a terminal.

use crate::engine::calendar::Calendar;
use crate::model::Moment;
use std::fmt::Write;

/// No line is longer.
const COLUMNS: usize = 100;
/// Time and speaker take so much of it.
const MARGIN: usize = 28;

/// Who did it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// A simulated guest.
    Guest,
    /// A simulated device or room.
    Room,
    /// Simulated central.
    Central,
    /// The real daemon.
    Innkeeper,
    /// Whoever checks the story.
    Check(bool),
}

impl Who {
    const fn word(self) -> &'static str {
        match self {
            Who::Guest => "simulated guest",
            Who::Room => "simulated room",
            Who::Central => "simulated central",
            Who::Innkeeper => "INNKEEPER",
            Who::Check(true) => "came true",
            Who::Check(false) => "NOT COME TRUE",
        }
    }

    const fn colour(self) -> &'static str {
        match self {
            Who::Guest => "\x1b[33m",
            Who::Room => "\x1b[2m",
            Who::Central => "\x1b[36m",
            Who::Innkeeper => "\x1b[1m",
            Who::Check(true) => "\x1b[32m",
            Who::Check(false) => "\x1b[1;31m",
        }
    }
}

/// The voice of the demo.
pub struct Narrator {
    colours: bool,
    calendar: Option<Calendar>,
}

impl Narrator {
    /// A voice, with colours or without.
    pub fn new(colours: bool) -> Self {
        Self {
            colours,
            calendar: Calendar::new(super::stage::ZONE).ok(),
        }
    }

    /// The local hour, as `16:30`.
    pub fn hour(&self, at: Moment) -> String {
        let minute = self.calendar.as_ref().map_or(0, |calendar| calendar.minute(at));
        format!("{:02}:{:02}", minute / 60, minute % 60)
    }

    /// The local weekday and hour, as `Mon 16:30`.
    pub fn time(&self, at: Moment) -> String {
        let day = self.calendar.as_ref().map_or(0, |calendar| calendar.day(at));
        // 1970-01-01 was a Thursday.
        let word = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"][day.rem_euclid(7) as usize];
        format!("{word} {}", self.hour(at))
    }

    /// Says what somebody did.
    pub fn say(&self, at: Moment, who: Who, text: &str) {
        println!("{}", self.line(&self.time(at), who, text));
    }

    /// Says something of the demo itself.
    pub fn note(&self, text: &str) {
        for line in wrap(text, COLUMNS) {
            println!("{}", self.paint("\x1b[2m", &line));
        }
    }

    /// A headline.
    pub fn title(&self, text: &str) {
        println!("\n{}", self.paint("\x1b[1m", text));
    }

    fn line(&self, time: &str, who: Who, text: &str) -> String {
        let mut out = String::new();
        for (n, part) in wrap(text, COLUMNS - MARGIN).into_iter().enumerate() {
            let (time, word) = if n == 0 { (time, who.word()) } else { ("", "") };
            let lead = format!("{time:<10}{word:<18}");
            let newline = if n == 0 { "" } else { "\n" };
            let _ = write!(
                out,
                "{newline}{}{}",
                self.paint("\x1b[2m", &lead),
                self.paint(who.colour(), &part)
            );
        }
        out
    }

    fn paint(&self, colour: &str, text: &str) -> String {
        if self.colours {
            format!("{colour}{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }
}

/// Breaks a text between words; a word longer than the width stays whole.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let last = lines.last_mut().expect("there is always a line");
        if last.is_empty() {
            last.push_str(word);
        } else if last.chars().count() + 1 + word.chars().count() <= width {
            last.push(' ');
            last.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_is_longer_than_a_hundred_columns_and_none_loses_a_word() {
        let text = "a word and another ".repeat(30);
        let said = Narrator::new(false).line("Mon 16:30", Who::Central, text.trim());
        assert!(said.lines().all(|line| line.chars().count() <= COLUMNS));
        let words: Vec<&str> = said.split_whitespace().skip(4).collect();
        assert_eq!(words.join(" "), text.trim());
    }

    #[test]
    fn the_time_is_the_hotels_own() {
        let narrator = Narrator::new(false);
        assert_eq!(
            narrator.time(Moment::parse("2026-11-23T15:30:00Z").unwrap()),
            "Mon 16:30"
        );
    }

    #[test]
    fn colours_are_for_terminals() {
        assert!(
            !Narrator::new(false)
                .line("Mon 16:30", Who::Guest, "comes")
                .contains('\x1b')
        );
        assert!(
            Narrator::new(true)
                .line("Mon 16:30", Who::Guest, "comes")
                .contains('\x1b')
        );
    }
}
