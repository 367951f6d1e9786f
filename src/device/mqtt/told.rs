//! Which commands are on their way, and which one is a complaint about?

use super::routes::quoted;
use crate::model::CommandId;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;
use tokio::time::Instant;

/// For so long after a command was sent, a complaint about its device is a complaint about it: a bridge gives up on a
/// sleeping or lost device within 10 s.
const COMPLAINT_WITHIN: Duration = Duration::from_secs(10);
/// Commands remembered for complaints; beyond it the oldest is forgotten.
const SENT_MAX: usize = 1024;

/// One command as it was published.
#[derive(Debug, Clone)]
pub(super) struct OnItsWay {
    /// Which.
    pub id: CommandId,
    /// The number of its device.
    pub device: usize,
    /// What was said, to tell what a complaint is about.
    pub payload: String,
}

/// Commands between being published and being past complaint.
#[derive(Debug, Default)]
pub(super) struct Told {
    ticket: u64,
    under_way: BTreeMap<u64, OnItsWay>,
    sent: VecDeque<(Instant, OnItsWay)>,
}

impl Told {
    /// Takes the next ticket.
    pub fn ticket(&mut self) -> u64 {
        self.ticket += 1;
        self.ticket
    }

    /// Notes a command that was handed to the broker's connection.
    pub fn handed_over(&mut self, ticket: u64, command: OnItsWay) {
        self.under_way.insert(ticket, command);
    }

    /// Notes that the broker has it; returns which command it was, unless that was told of already.
    pub fn delivered(&mut self, ticket: u64, now: Instant) -> Option<CommandId> {
        let command = self.under_way.remove(&ticket)?;
        let id = command.id.clone();
        if self.sent.len() == SENT_MAX {
            self.sent.pop_front();
        }
        self.sent.push_back((now, command));
        Some(id)
    }

    /// Takes all that the broker has not acknowledged.
    pub fn lost(&mut self) -> Vec<CommandId> {
        std::mem::take(&mut self.under_way)
            .into_values()
            .map(|command| command.id)
            .collect()
    }

    /// How many wait for the broker.
    pub fn under_way(&self) -> usize {
        self.under_way.len()
    }

    /// Returns the command a complaint is about: the one that says what the complaint names, else the oldest told to the
    /// device. It is forgotten here, so that it fails once.
    pub fn complained_of(&mut self, device: usize, text: &str, now: Instant) -> Option<CommandId> {
        while self
            .sent
            .front()
            .is_some_and(|(at, _)| now.duration_since(*at) > COMPLAINT_WITHIN)
        {
            self.sent.pop_front();
        }
        let keys: Vec<String> = quoted(text).map(|piece| format!("\"{piece}\"")).collect();
        let is_named = |command: &OnItsWay| keys.iter().any(|key| command.payload.contains(key));
        let sent = self.sent.iter().map(|(_, command)| command);
        let candidates: Vec<&OnItsWay> = sent
            .chain(self.under_way.values())
            .filter(|command| command.device == device)
            .collect();
        let meant = candidates
            .iter()
            .find(|command| is_named(command))
            .or(candidates.first())?
            .id
            .clone();
        self.sent.retain(|(_, command)| command.id != meant);
        self.under_way.retain(|_, command| command.id != meant);
        Some(meant)
    }
}
