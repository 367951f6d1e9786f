//! Why does the room count as it does? The evidence, and one sentence made from it.

use super::{Occupancy, Presence, Senses};
use crate::engine::calendar::Calendar;
use crate::model::{Because, Moment};

impl Occupancy {
    /// Why it is as it is: the rule, the facts, and the sentence.
    pub fn because(&self, senses: Senses<'_>, now: Moment) -> Because {
        let rule = if self.decided.rule.is_empty() {
            "nothing-is-known-yet".into()
        } else {
            self.decided.rule.clone()
        };
        let because = Because {
            rule: rule.into(),
            facts: Vec::new(),
        };
        because
            .with("presence", self.presence(now).word())
            .with("sentence", self.sentence(senses, now))
            .with_some("door_at", self.door_at)
            .with_some("evidence_at", self.evidence_at)
            .with("bursts", self.bursts)
            .with_some("seen_since", self.seen.since())
            .with("bed_in_use", self.bed_since.is_some())
            .with("out_probability", rounded(self.out(senses)))
            .with("false_motion_per_h", rounded(self.false_motion.per_hour()))
            .with("bed_trusted", senses.bed && !self.bed.is_ill())
            .with_some("bed_doubt", senses.bed.then(|| rounded(self.bed.doubt())))
            .with_some("until", self.until)
    }

    /// `vacant: door closed 14:02:10, no motion for 10 min, bed empty`
    pub fn sentence(&self, senses: Senses<'_>, now: Moment) -> String {
        let calendar = senses.calendar;
        let parts = [
            self.staff_since
                .map(|at| format!("staff in since {}", clock(calendar, at))),
            self.staff_gone_at
                .map(|at| format!("staff gone {}", clock(calendar, at))),
            self.bolt_since.map(|at| format!("bolt thrown {}", clock(calendar, at))),
            self.door_at.map(|at| {
                let word = if self.door_is_open { "opened" } else { "closed" };
                let which = if self.door_is_beyond { "door beyond" } else { "door" };
                format!("{which} {word} {}", clock(calendar, at))
            }),
            Some(self.motion(calendar, now)),
            self.seen
                .since()
                .map(|at| format!("somebody seen since {}", clock(calendar, at))),
            senses.bed.then(|| self.bed_word(calendar)),
        ];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        format!("{}: {}", self.presence(now).word(), parts.join(", "))
    }

    fn motion(&self, calendar: &Calendar, now: Moment) -> String {
        let at = match self.presence(now) {
            Presence::Vacant => self.decided.at.unwrap_or(now),
            _ => now,
        };
        let last = self.burst_at.max(self.evidence_at);
        match (self.bursts, last.max(self.door_at)) {
            (0, Some(last)) => format!("no motion for {} min", minutes(at, last)),
            (0, None) => "nothing has moved yet".into(),
            (_, Some(_)) if self.is_vacant => {
                format!(
                    "no motion for {} min after {} bursts",
                    minutes(at, last.unwrap_or(at)),
                    self.bursts
                )
            }
            (n, _) => format!("{n} bursts of motion, the last {}", clock(calendar, last.unwrap_or(at))),
        }
    }

    fn bed_word(&self, calendar: &Calendar) -> String {
        match self.bed_since {
            _ if self.bed.is_ill() => "bed sensor not trusted".into(),
            Some(at) => format!("bed in use since {}", clock(calendar, at)),
            None => "bed empty".into(),
        }
    }

    /// How likely nobody is in, as far as is reckoned.
    fn out(&self, senses: Senses<'_>) -> f64 {
        let doubt = if senses.bed { self.bed.doubt() } else { 1.0 };
        match self.bed_since {
            Some(_) => doubt * self.doubting.out(),
            None => doubt * self.doubting.out() + (1.0 - doubt) * self.trusting.out(),
        }
    }
}

fn clock(calendar: &Calendar, at: Moment) -> String {
    calendar.local(at).time().strftime("%H:%M:%S").to_string()
}

fn minutes(now: Moment, since: Moment) -> i64 {
    now.since(since).as_millis().max(0) / 60_000
}

fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}
