//! Which message keeps ending the session?
//!
//! A broker may close the connection over one message it cannot bear. As that message is the oldest, it would be sent
//! first again for ever and hold up everything behind it. One ended session proves nothing: links break by themselves.
//! So the message at the head becomes a suspect, is sent alone on the wire from then on, and is reported when it has
//! ended so many sessions in a row.

/// The suspicion against the message at the head.
#[derive(Debug)]
pub(super) struct Suspicion {
    strikes_max: u32,
    strikes: u32,
    ticket: Option<u64>,
}

impl Suspicion {
    /// Begins without a suspect; a ticket is reported after `strikes_max` sessions in a row (at least 2).
    pub(super) fn new(strikes_max: u32) -> Self {
        Self {
            strikes_max: strikes_max.max(2),
            strikes: 0,
            ticket: None,
        }
    }

    /// Returns whether a suspect is to be sent with nothing beside it.
    pub(super) fn is_alone(&self) -> bool {
        self.ticket.is_some()
    }

    /// Clears the ticket that came through.
    pub(super) fn delivered(&mut self, ticket: u64) {
        if self.ticket == Some(ticket) {
            self.clear();
        }
    }

    /// Takes note of the oldest unacknowledged ticket that was on the wire when a session ended; returns it when it
    /// is due to be reported, and begins anew.
    pub(super) fn session_ended(&mut self, head: Option<u64>) -> Option<u64> {
        let head = head?;
        self.strikes = if self.ticket == Some(head) { self.strikes + 1 } else { 1 };
        self.ticket = Some(head);
        if self.strikes < self.strikes_max {
            return None;
        }
        self.clear();
        Some(head)
    }

    fn clear(&mut self) {
        self.strikes = 0;
        self.ticket = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_head_is_reported_after_so_many_sessions_and_counted_anew() {
        let mut suspicion = Suspicion::new(3);
        let reports: Vec<_> = (0..6).map(|_| suspicion.session_ended(Some(7))).collect();
        assert_eq!(reports, [None, None, Some(7), None, None, Some(7)]);
    }

    #[test]
    fn a_head_that_moves_on_is_no_suspect() {
        let mut suspicion = Suspicion::new(2);
        assert_eq!(suspicion.session_ended(Some(1)), None);
        assert!(suspicion.is_alone());
        suspicion.delivered(1);
        assert!(!suspicion.is_alone());
        assert_eq!(suspicion.session_ended(Some(2)), None);
        assert_eq!(suspicion.session_ended(Some(3)), None);
    }

    #[test]
    fn sessions_that_ended_with_nothing_on_the_wire_prove_nothing() {
        let mut suspicion = Suspicion::new(2);
        suspicion.session_ended(Some(1));
        assert_eq!(suspicion.session_ended(None), None);
        assert_eq!(suspicion.session_ended(Some(1)), Some(1));
    }
}
