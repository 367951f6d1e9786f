//! Which ticket does an acknowledgement belong to?
//!
//! The client library gives a publish its packet id only when it writes it, and tells the id in an event without
//! naming the message. So tickets are paired in order: the first queued is the first written. Ids are used in a circle as long
//! as the client's in-flight limit, and a new one that meets an unacknowledged old one would silently replace it:
//! the window counts from the *oldest* unacknowledged message and stays below the circle, so that they never meet, in
//! whatever order acknowledgements come.

use super::link::Down;
use std::collections::VecDeque;
use tokio::time::Instant;

/// In which order a broker's acknowledgements are accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AckOrder {
    /// In the order of publishing, as MQTT 3.1.1 demands (MQTT-4.6.0-2); anything else ends the session.
    #[default]
    AsSent,
    /// In any order, for brokers that confirm as their queues confirm. Ids are still matched one by one.
    Any,
}

/// The messages of one session between being queued and being reported delivered.
#[derive(Debug)]
pub(super) struct Ledger {
    order: AckOrder,
    queued: VecDeque<u64>,
    sent: VecDeque<Sent>,
    delivered: VecDeque<u64>,
}

#[derive(Debug)]
struct Sent {
    packet: u16,
    ticket: u64,
    at: Instant,
    acknowledged: bool,
}

impl Ledger {
    pub(super) fn new(order: AckOrder) -> Self {
        Self {
            order,
            queued: VecDeque::new(),
            sent: VecDeque::new(),
            delivered: VecDeque::new(),
        }
    }

    /// Returns how many messages count against the window: what is delivered but not reported holds its place, so that a
    /// caller that does not listen is not flooded.
    pub(super) fn len(&self) -> usize {
        self.queued.len() + self.sent.len() + self.delivered.len()
    }

    /// Takes a message that was handed to the client.
    pub(super) fn queue(&mut self, ticket: u64) {
        self.queued.push_back(ticket);
    }

    /// Pairs a packet id with the oldest queued ticket.
    ///
    /// # Errors
    /// An id that was written without a queued message, or without an id at all.
    pub(super) fn written(&mut self, packet: u16, now: Instant) -> Result<(), Down> {
        if packet == 0 {
            return Err(Down::Mismatch { packet });
        }
        let ticket = self.queued.pop_front().ok_or(Down::Mismatch { packet })?;
        self.sent.push_back(Sent {
            packet,
            ticket,
            at: now,
            acknowledged: false,
        });
        Ok(())
    }

    /// Moves the message with this packet id to the delivered ones and returns its ticket.
    ///
    /// # Errors
    /// An id that is not awaited, or not next where order is demanded.
    pub(super) fn acknowledged(&mut self, packet: u16) -> Result<u64, Down> {
        let reach = if self.order == AckOrder::AsSent {
            1
        } else {
            self.sent.len()
        };
        let awaited = self
            .sent
            .iter_mut()
            .take(reach)
            .find(|sent| sent.packet == packet && !sent.acknowledged);
        let sent = awaited.ok_or(Down::Mismatch { packet })?;
        sent.acknowledged = true;
        let ticket = sent.ticket;
        self.delivered.push_back(ticket);
        while self.sent.front().is_some_and(|sent| sent.acknowledged) {
            self.sent.pop_front();
        }
        Ok(ticket)
    }

    /// Returns the next delivered ticket to report.
    pub(super) fn delivered(&self) -> Option<u64> {
        self.delivered.front().copied()
    }

    /// Forgets the delivered ticket that was reported.
    pub(super) fn reported(&mut self) {
        self.delivered.pop_front();
    }

    /// Returns the oldest message on the wire that is not acknowledged: its ticket, and when it was written.
    pub(super) fn head(&self) -> Option<(u64, Instant)> {
        self.sent.front().map(|sent| (sent.ticket, sent.at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_three_sent(order: AckOrder) -> Ledger {
        let mut ledger = Ledger::new(order);
        for (ticket, packet) in [(70, 1), (71, 2), (72, 3)] {
            ledger.queue(ticket);
            ledger.written(packet, Instant::now()).unwrap();
        }
        ledger
    }

    #[test]
    fn tickets_and_packet_ids_are_paired_in_order() {
        let mut ledger = with_three_sent(AckOrder::AsSent);
        assert_eq!(ledger.acknowledged(1).unwrap(), 70);
        assert_eq!(ledger.acknowledged(2).unwrap(), 71);
        assert_eq!(ledger.head().unwrap().0, 72);
    }

    #[test]
    fn an_acknowledgement_out_of_order_ends_the_session() {
        let mut ledger = with_three_sent(AckOrder::AsSent);
        assert!(matches!(ledger.acknowledged(2), Err(Down::Mismatch { packet: 2 })));
        assert_eq!(ledger.delivered(), None, "no ticket is taken for another");
    }

    #[test]
    fn an_acknowledgement_given_twice_ends_the_session_in_either_order() {
        for order in [AckOrder::AsSent, AckOrder::Any] {
            let mut ledger = with_three_sent(order);
            ledger.acknowledged(1).unwrap();
            assert!(ledger.acknowledged(1).is_err());
        }
    }

    #[test]
    fn in_any_order_each_id_finds_its_own_ticket_and_the_window_counts_from_the_oldest() {
        let mut ledger = with_three_sent(AckOrder::Any);
        assert_eq!(ledger.acknowledged(3).unwrap(), 72);
        ledger.reported();
        assert_eq!(ledger.len(), 3, "the places behind the oldest are not free yet");
        assert_eq!(ledger.acknowledged(1).unwrap(), 70);
        assert_eq!(ledger.acknowledged(2).unwrap(), 71);
        ledger.reported();
        ledger.reported();
        assert_eq!(ledger.len(), 0);
    }

    #[test]
    fn a_packet_nobody_queued_ends_the_session() {
        let mut ledger = Ledger::new(AckOrder::AsSent);
        assert!(ledger.written(1, Instant::now()).is_err());
        ledger.queue(5);
        assert!(
            ledger.written(0, Instant::now()).is_err(),
            "id 0 is what a QoS 0 publish has"
        );
    }

    #[test]
    fn what_is_delivered_but_not_reported_keeps_its_place() {
        let mut ledger = with_three_sent(AckOrder::AsSent);
        ledger.acknowledged(1).unwrap();
        assert_eq!((ledger.len(), ledger.delivered()), (3, Some(70)));
        ledger.reported();
        assert_eq!((ledger.len(), ledger.delivered()), (2, None));
    }
}
