//! What is wrong, where, how badly, and what should be written instead?

use crate::strict;
use std::collections::HashMap;
use std::fmt;

/// The most faults told of one configuration; the first two hundred are enough to see what is wrong with it.
pub const FAULTS_MAX: usize = 200;

/// How badly something is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The configuration is refused.
    Error,
    /// It runs, but probably not as was meant.
    Warning,
}

/// One fault of the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// How badly.
    pub severity: Severity,
    /// The file as the caller named it.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// What is wrong.
    pub message: String,
    /// What to write instead; may be empty.
    pub help: String,
}

impl From<strict::Fault> for Fault {
    fn from(fault: strict::Fault) -> Self {
        let strict::Fault {
            file,
            line,
            column,
            message,
            help,
        } = fault;
        Self {
            severity: Severity::Error,
            file,
            line,
            column,
            message,
            help,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = if self.severity == Severity::Warning {
            "warning: "
        } else {
            ""
        };
        write!(f, "{}:{}:{}: {mark}{}", self.file, self.line, self.column, self.message)?;
        if self.help.is_empty() {
            Ok(())
        } else {
            write!(f, "; {}", self.help)
        }
    }
}

impl std::error::Error for Fault {}

/// Faults while they are being found. What is wrong with a template is wrong with each of its rooms: it is told once,
/// with the number of rooms it also touches.
#[derive(Debug, Default)]
pub(super) struct Faults {
    list: Vec<(Fault, usize)>,
    told: HashMap<(String, usize, usize, String), usize>,
}

impl Faults {
    /// Notes a fault; `about` tells apart two different faults at one place.
    pub(super) fn note(&mut self, severity: Severity, about: String, fault: strict::Fault) {
        let key = (fault.file.clone(), fault.line, fault.column, about);
        if let Some(at) = self.told.get(&key) {
            self.list[*at].1 += 1;
        } else {
            self.told.insert(key, self.list.len());
            self.list.push((
                Fault {
                    severity,
                    ..fault.into()
                },
                0,
            ));
        }
    }

    /// Notes what the schema found.
    pub(super) fn extend(&mut self, faults: Vec<strict::Fault>) {
        for fault in faults {
            self.note(Severity::Error, fault.message.clone(), fault);
        }
    }

    /// Whether one of them refuses the configuration.
    pub(super) fn refuse(&self) -> bool {
        self.list.iter().any(|(fault, _)| fault.severity == Severity::Error)
    }

    /// Whether nothing was found.
    pub(super) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Returns them in the order of the files, errors first where the list is too long for all.
    pub(super) fn finish(self) -> Vec<Fault> {
        let mut faults: Vec<Fault> = self.list.into_iter().map(with_number).collect();
        if faults.len() > FAULTS_MAX {
            faults.sort_by_key(|fault| fault.severity);
            faults.truncate(FAULTS_MAX);
        }
        faults.sort_by(|a, b| (&a.file, a.line, a.column, &a.message).cmp(&(&b.file, b.line, b.column, &b.message)));
        faults
    }
}

fn with_number((mut fault, more): (Fault, usize)) -> Fault {
    if more > 0 {
        fault.message.push_str(&format!(" (and {more} more like it)"));
    }
    fault
}
