//! What have people exempted this room from?
//!
//! One exemption at a time, always with an end: a lock that somebody forgets must not leave a room cold in January.

use super::{Outcome, Room, World};
use crate::model::{Because, Exemption, Moment, OverrideNotice, SaveWhen};
use serde::{Deserialize, Serialize};

/// What stands, and which notice said it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Exempt {
    said_at: Option<Moment>,
    stands: Option<(Exemption, Moment)>,
}

impl Exempt {
    /// What stands now, and until when.
    pub fn stands(&self, now: Moment) -> Option<(Exemption, Moment)> {
        self.stands.filter(|(_, until)| now < *until)
    }

    /// When what stands ends.
    pub fn deadline(&self) -> Option<Moment> {
        self.stands.map(|(_, until)| until)
    }

    /// Takes a notice, unless it is late or asks for too much.
    fn take(&mut self, now: Moment, notice: &OverrideNotice) -> Result<(), &'static str> {
        // A clock ahead of ours must not bar what is said later.
        let said_at = notice.said_at.min(now);
        if self.said_at.is_some_and(|known| said_at <= known) {
            return Err("override_past");
        }
        let stands = match (notice.exempt, notice.until) {
            (None, _) => None,
            (Some(_), None) => return Err("override_without_end"),
            (Some(_), Some(until)) if until <= now => return Err("override_past"),
            (Some(exempt), Some(until)) if until.since(now) > exempt.lasts_at_most() => {
                return Err("override_too_long");
            }
            (Some(exempt), Some(until)) => Some((exempt, until)),
        };
        (self.said_at, self.stands) = (Some(said_at), stands);
        Ok(())
    }
}

impl Room {
    /// People override the rules for this room, or end that.
    pub fn overridden(&mut self, world: World<'_>, notice: &OverrideNotice, out: &mut Outcome) {
        let before = self.exempt.stands(world.now);
        match self.exempt.take(world.now, notice) {
            Err(reason) => return out.refuse(reason, format!("room {}, said at {}", notice.room, notice.said_at)),
            Ok(()) => out.save(SaveWhen::Now),
        }
        let because = match (notice.exempt, before) {
            (Some(exempt), _) => Because::rule("override-by-people")
                .with("exempt", exempt.word())
                .with_some("until", notice.until),
            (None, Some((exempt, _))) => Because::rule("override-ended-by-people").with("exempt", exempt.word()),
            (None, None) => return,
        };
        out.note(world, because);
        self.settle(world, out);
    }

    /// Ends what has run out.
    pub(super) fn end_exemption(&mut self, world: World<'_>, out: &mut Outcome) {
        let over = self.exempt.stands.filter(|(_, until)| *until <= world.now);
        if let Some((exempt, _)) = over {
            self.exempt.stands = None;
            out.save(SaveWhen::Now);
            out.note(world, Because::rule("override-is-over").with("exempt", exempt.word()));
        }
    }

    pub(super) fn is_exempt(&self, now: Moment, from: Exemption) -> bool {
        self.exempt.stands(now).is_some_and(|(exempt, _)| exempt == from)
    }

    /// Whether the room is out of order, by the configuration or by people's word.
    pub(super) fn is_out_of_order(&self, world: World<'_>) -> bool {
        world.setup.out_of_order || self.is_exempt(world.now, Exemption::OutOfOrder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{RoomId, Span};

    const NOW: Moment = Moment::from_millis(1_795_000_000_000);

    fn notice(minute: i64, exempt: Option<Exemption>, hours: i64) -> OverrideNotice {
        OverrideNotice {
            room: RoomId::new("1204").unwrap(),
            said_at: NOW + Span::minutes(minute - 60),
            exempt,
            until: exempt.map(|_| NOW + Span::hours(hours)),
        }
    }

    #[test]
    fn what_is_late_endless_or_too_long_is_refused_and_changes_nothing() {
        let mut exempt = Exempt::default();
        exempt.take(NOW, &notice(5, Some(Exemption::OutOfOrder), 8)).unwrap();
        let stood = exempt;
        let endless = OverrideNotice {
            until: None,
            ..notice(6, Some(Exemption::Locked), 1)
        };
        for (notice, reason) in [
            (notice(5, None, 0), "override_past"),
            (notice(6, Some(Exemption::Locked), -1), "override_past"),
            (notice(6, Some(Exemption::Locked), 25), "override_too_long"),
            (endless, "override_without_end"),
        ] {
            assert_eq!(exempt.take(NOW, &notice), Err(reason));
            assert_eq!(exempt, stood);
        }
    }

    #[test]
    fn an_exemption_ends_by_itself_or_by_a_later_notice() {
        let mut exempt = Exempt::default();
        exempt.take(NOW, &notice(1, Some(Exemption::Locked), 2)).unwrap();
        assert!(exempt.stands(NOW + Span::minutes(119)).is_some());
        assert_eq!(exempt.stands(NOW + Span::hours(2)), None);
        exempt.take(NOW, &notice(2, None, 0)).unwrap();
        assert_eq!(exempt.deadline(), None);
    }

    #[test]
    fn a_notice_of_a_fast_clock_does_not_bar_later_ones() {
        let mut exempt = Exempt::default();
        exempt.take(NOW, &notice(600, Some(Exemption::Locked), 2)).unwrap();
        let later = NOW + Span::minutes(1);
        let lifted = OverrideNotice {
            said_at: later,
            ..notice(0, None, 0)
        };
        exempt.take(later, &lifted).unwrap();
        assert_eq!(exempt.stands(later), None);
    }
}
