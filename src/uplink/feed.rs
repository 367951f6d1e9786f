//! What do the link and the thread that owns the outbox say to each other?
//!
//! The outbox belongs to the thread that owns the engine. The link asks it for pages of entries, tells what became of
//! them, and hands over what central says; all of it goes through one bounded channel, in order, so that a page read
//! after a settlement no longer holds what was settled. The other way there is one watched value: the last position of
//! each class. An owner that is slow slows the link, and nothing else.

use super::message::UpMessage;
use super::rejection::Rejection;
use crate::model::{Class, Event, Stream};
use crate::mqtt::{AckTicket, Acker};
use std::fmt;
use tokio::sync::{mpsc, oneshot, watch};

/// An entry of the outbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its place within its class; rises, with gaps.
    pub position: u64,
    /// What is to be sent.
    pub message: UpMessage,
}

/// The last position of each class in the outbox, emergencies first; 0 where there has been none.
pub type LastPositions = [u64; 4];

/// What the link says to the owner.
#[derive(Debug)]
pub enum FromLink {
    /// It wants entries.
    Read(ReadRequest),
    /// Entries are done with: they leave the outbox, each in its way.
    Settled(Vec<Settlement>),
    /// Central has spoken.
    Arrived(Arrival),
    /// The link came up or went down.
    Link(LinkNews),
}

/// A request for a page of entries.
#[derive(Debug)]
pub struct ReadRequest {
    /// Of which class.
    pub class: Class,
    /// Those whose position is above this.
    pub after: u64,
    /// So many at most, in order of position.
    pub limit: usize,
    /// Where the page goes; an empty one says that there is nothing after. Dropped without an answer, it says that the
    /// outbox cannot be read now: the link asks again a little later.
    pub answer: oneshot::Sender<Vec<Entry>>,
}

/// What became of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settlement {
    /// Its stream.
    pub stream: Stream,
    /// Its place in the stream.
    pub sequence: u64,
    /// How it ended.
    pub outcome: Outcome,
}

/// How an entry ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The acknowledgement is in hand.
    Acknowledged,
    /// Its time had passed before it could be sent.
    Expired,
    /// It cannot be sent: kept aside for an engineer, with the reason.
    DeadLetter(String),
}

/// All that came in at once from central.
#[derive(Debug)]
pub struct Arrival {
    /// For the engine, in order.
    pub events: Vec<Event>,
    /// What was not taken, to be counted by reason.
    pub refused: Vec<Rejection>,
    /// To be given back when what came of the events is durable; dropped, the broker sends them again.
    pub token: ArrivalToken,
}

/// Stands for messages that the broker keeps until their effect is durable here.
#[must_use = "a token that is dropped makes the broker send its messages again"]
pub struct ArrivalToken {
    pub(super) acker: Acker,
    pub(super) tickets: Vec<AckTicket>,
}

impl ArrivalToken {
    /// Acknowledges the messages to the broker.
    pub fn committed(self) {
        self.acker.acknowledge(self.tickets);
    }
}

impl fmt::Debug for ArrivalToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ArrivalToken({} messages)", self.tickets.len())
    }
}

/// How the link stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LinkNews {
    /// Messages can go out.
    Up,
    /// They cannot, and why.
    Down(String),
}

/// The link's end.
#[derive(Debug)]
pub struct Feed<T> {
    /// The owner's own queue.
    pub owner: mpsc::Sender<T>,
    /// The last position of each class, set by the owner after each commit.
    pub last: watch::Receiver<LastPositions>,
}

/// The owner is gone; the link ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the owner of the outbox has ended")]
pub struct OwnerGone;

impl<T: From<FromLink>> Feed<T> {
    /// Tells the owner; waits while its queue is full.
    pub(super) async fn tell(&self, words: FromLink) -> Result<(), OwnerGone> {
        self.owner.send(words.into()).await.map_err(|_| OwnerGone)
    }
}
