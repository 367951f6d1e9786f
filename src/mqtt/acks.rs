//! How do acknowledgements find back to the connection their messages came on?
//!
//! A packet id means something only on the connection it came with: an acknowledgement that is sent on a later one
//! would take another message from the broker. So each ticket carries the generation of its connection, and
//! those of an earlier one are dropped (the broker sends such a message again). Acknowledgements gather while the session works, and
//! one request through the client wakes it; it then writes all of them with one flush.

use rumqttc::{AsyncClient, Publish, QoS};
use std::sync::{Arc, Mutex, MutexGuard};

/// What the consumer gives back for a message when it has made it durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AckTicket {
    pub(super) generation: u32,
    pub(super) packet: u16,
}

impl AckTicket {
    /// Returns which connection the message came on: 1 for the first.
    pub fn generation(&self) -> u32 {
        self.generation
    }

    /// Returns whether the broker waits for this acknowledgement; it does not for QoS 0.
    pub fn is_awaited(&self) -> bool {
        self.packet != 0
    }
}

/// The consumer's hand that acknowledges.
#[derive(Clone, Default)]
pub struct Acker(Arc<Mutex<Waiting>>);

#[derive(Default)]
struct Waiting {
    generation: u32,
    client: Option<AsyncClient>,
    woken: bool,
    packets: Vec<u16>,
    stale: u64,
}

impl Acker {
    /// Acknowledges messages, in the order in which they came. Those of an ended connection are dropped and counted.
    pub fn acknowledge(&self, tickets: impl IntoIterator<Item = AckTicket>) {
        let mut waiting = self.lock();
        for ticket in tickets {
            if !ticket.is_awaited() {
                continue;
            }
            if ticket.generation == waiting.generation && waiting.client.is_some() {
                waiting.packets.push(ticket.packet);
            } else {
                waiting.stale += 1;
            }
        }
        waiting.wake();
    }

    /// Returns how many acknowledgements came too late for their connection.
    pub fn stale(&self) -> u64 {
        self.lock().stale
    }

    /// Begins a connection.
    pub(super) fn connected(&self, generation: u32, client: AsyncClient) {
        let mut waiting = self.lock();
        waiting.end();
        waiting.generation = generation;
        waiting.client = Some(client);
    }

    /// Ends the connection.
    pub(super) fn disconnected(&self) {
        self.lock().end();
    }

    /// Returns what is to be written now that the waking acknowledgement is out; with nothing left, the next one wakes
    /// again.
    pub(super) fn take(&self) -> Vec<u16> {
        let mut waiting = self.lock();
        waiting.woken = !waiting.packets.is_empty();
        std::mem::take(&mut waiting.packets)
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.0
            .lock()
            .expect("nothing panics while it holds the acknowledgements")
    }
}

impl Waiting {
    /// Sends the oldest acknowledgement through the client, which wakes the session for the rest.
    fn wake(&mut self) {
        if self.woken || self.packets.is_empty() {
            return;
        }
        let Some(client) = &self.client else { return };
        let mut first = Publish::new("", QoS::AtLeastOnce, Vec::new());
        first.pkid = self.packets[0];
        // The client's queue holds one waking acknowledgement at most, so it is never full; a closed one means that the
        // connection is ending, and then its acknowledgements are void.
        if client.try_ack(&first).is_ok() {
            self.packets.remove(0);
            self.woken = true;
        }
    }

    fn end(&mut self) {
        self.client = None;
        self.woken = false;
        self.stale += self.packets.len() as u64;
        self.packets.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rumqttc::{EventLoop, MqttOptions};

    /// A client nobody polls: its queue has room for the two wakings of a test.
    fn connected(acker: &Acker, generation: u32) -> EventLoop {
        let (client, eventloop) = AsyncClient::new(MqttOptions::new("inn", "127.0.0.1", 1), 2);
        acker.connected(generation, client);
        eventloop
    }

    fn tickets(generation: u32, packets: &[u16]) -> Vec<AckTicket> {
        packets.iter().map(|&packet| AckTicket { generation, packet }).collect()
    }

    #[test]
    fn the_oldest_acknowledgement_wakes_and_the_rest_is_taken_in_order() {
        let acker = Acker::default();
        let _eventloop = connected(&acker, 1);
        acker.acknowledge(tickets(1, &[4, 5]));
        acker.acknowledge(tickets(1, &[6]));
        assert_eq!(acker.take(), [5, 6]);
        assert_eq!(acker.take(), [] as [u16; 0]);
        acker.acknowledge(tickets(1, &[7, 8]));
        assert_eq!(acker.take(), [8], "7 woke the session again");
    }

    #[test]
    fn an_acknowledgement_of_an_earlier_connection_is_dropped_and_counted() {
        let acker = Acker::default();
        let _first = connected(&acker, 1);
        acker.acknowledge(tickets(1, &[1, 2, 3]));
        let _second = connected(&acker, 2);
        acker.acknowledge(tickets(1, &[4]));
        assert_eq!(acker.take(), [] as [u16; 0]);
        assert_eq!(acker.stale(), 3, "2 and 3 were not written, 4 came too late");
    }

    #[test]
    fn a_message_that_needs_no_acknowledgement_gives_none() {
        let acker = Acker::default();
        let _eventloop = connected(&acker, 1);
        acker.acknowledge(tickets(1, &[0, 0]));
        assert_eq!((acker.take().len(), acker.stale()), (0, 0));
    }
}
