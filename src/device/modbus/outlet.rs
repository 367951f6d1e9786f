//! What happens to events when nobody takes them?
//!
//! They wait here, in order. A reading that waits is replaced by a newer one of the same block, which takes its place at
//! the end, so that no reading overtakes a write result. Nothing else is ever dropped: when the outlet is full the bus
//! waits for its consumer, and the line stands still.

use super::event::BusEvent;
use super::plan::BlockId;
use crate::model::DeviceId;
use std::collections::VecDeque;
use tokio::sync::mpsc;

/// Events kept beyond the channel: readings replace each other, so this is room for write results and states.
pub(super) const WAITING_MAX: usize = 256;

/// The bus's way out.
pub(super) struct Outlet {
    sender: mpsc::Sender<BusEvent>,
    waiting: VecDeque<BusEvent>,
    coalesced: u64,
}

/// Nobody listens any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Gone;

impl Outlet {
    /// Starts empty.
    pub fn new(sender: mpsc::Sender<BusEvent>) -> Self {
        Self {
            sender,
            waiting: VecDeque::new(),
            coalesced: 0,
        }
    }

    /// Hands an event over, at once where there is room; waits only when the outlet itself is full.
    pub async fn offer(&mut self, event: BusEvent) -> Result<(), Gone> {
        if self.waiting.is_empty() {
            match self.sender.try_send(event) {
                Ok(()) => return Ok(()),
                Err(mpsc::error::TrySendError::Closed(_)) => return Err(Gone),
                Err(mpsc::error::TrySendError::Full(event)) => self.waiting.push_back(event),
            }
            return Ok(());
        }
        self.keep(event);
        while self.waiting.len() > WAITING_MAX {
            self.flush_one().await?;
        }
        self.flush_now()
    }

    /// Whether events wait.
    pub fn has_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Readings that were replaced by newer ones before anybody saw them.
    pub fn coalesced(&self) -> u64 {
        self.coalesced
    }

    /// Waits until one more event is taken. May be dropped at any point without losing one.
    pub async fn flush_one(&mut self) -> Result<(), Gone> {
        let permit = self.sender.reserve().await.map_err(|_| Gone)?;
        if let Some(event) = self.waiting.pop_front() {
            permit.send(event);
        }
        Ok(())
    }

    fn flush_now(&mut self) -> Result<(), Gone> {
        while !self.waiting.is_empty() {
            match self.sender.try_reserve() {
                Ok(permit) => {
                    if let Some(event) = self.waiting.pop_front() {
                        permit.send(event);
                    }
                }
                Err(mpsc::error::TrySendError::Full(())) => break,
                Err(mpsc::error::TrySendError::Closed(())) => return Err(Gone),
            }
        }
        Ok(())
    }

    fn keep(&mut self, event: BusEvent) {
        if let Some(key) = block_of(&event)
            && let Some(place) = self.waiting.iter().position(|waiting| block_of(waiting) == Some(key))
        {
            self.waiting.remove(place);
            self.coalesced += 1;
        }
        self.waiting.push_back(event);
    }
}

fn block_of(event: &BusEvent) -> Option<(&DeviceId, BlockId)> {
    match event {
        BusEvent::Block { device, block, .. } | BusEvent::BlockFailed { device, block, .. } => Some((device, *block)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::event::{Ticket, WriteOutcome, WriteResult};
    use super::*;
    use tokio::time::Instant;

    fn reading(word: u16) -> BusEvent {
        let device = DeviceId::new("fcu-1").unwrap();
        BusEvent::Block {
            device,
            block: BlockId(1),
            words: vec![word],
            at: Instant::now(),
        }
    }

    fn written(ticket: u64) -> BusEvent {
        let result = WriteResult {
            outcome: WriteOutcome::Done,
            ops_done: 1,
            read_back: None,
        };
        BusEvent::Written {
            device: DeviceId::new("fcu-1").unwrap(),
            ticket: Ticket(ticket),
            result,
            at: Instant::now(),
        }
    }

    #[tokio::test]
    async fn readings_are_replaced_by_newer_ones_and_write_results_never() {
        let (sender, mut receiver) = mpsc::channel(1);
        let mut outlet = Outlet::new(sender);
        for n in 0..100 {
            outlet.offer(reading(n)).await.unwrap();
            outlet.offer(written(n.into())).await.unwrap();
        }
        assert_eq!(
            outlet.coalesced(),
            98,
            "all but the first, which had left, and the newest"
        );
        let (mut tickets, mut words) = (Vec::new(), Vec::new());
        while let Ok(event) = receiver.try_recv() {
            match event {
                BusEvent::Written { ticket, .. } => tickets.push(ticket.0),
                BusEvent::Block { words: w, .. } => words.push((w[0], tickets.len())),
                _ => {}
            }
            if outlet.has_waiting() {
                outlet.flush_one().await.unwrap();
            }
        }
        assert_eq!(tickets, (0..100).collect::<Vec<u64>>());
        assert_eq!(
            words,
            [(0, 0), (99, 99)],
            "the newest reading stays behind the results that came before it"
        );
    }

    #[tokio::test]
    async fn a_full_outlet_makes_the_bus_wait() {
        let (sender, receiver) = mpsc::channel(1);
        let mut outlet = Outlet::new(sender);
        let flood = async {
            for n in 0..2 * WAITING_MAX as u64 {
                outlet.offer(written(n)).await.unwrap();
            }
        };
        let held = tokio::time::timeout(std::time::Duration::from_millis(50), flood).await;
        assert!(held.is_err());
        drop(receiver);
        assert_eq!(outlet.offer(written(0)).await, Err(Gone));
    }
}
