//! Which stays does the room have, and may this notice be believed?

use crate::model::{Channel, Declared, GuestToken, Item, Moment, Span, StayNotice, StayStatus, StayToken};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// A room has at most so many stays ahead: more is a fault of the sender.
const DUE_MAX: usize = 8;
/// Ended stays are remembered so long that late messages about them are known for what they are.
const ENDED_MAX: usize = 8;
/// A notice may be about so much in the past and no more.
const PAST_MAX: Span = Span::days(2);
/// Two stays may touch: the guest who leaves at noon and the one who comes in the afternoon.
const TOUCH: Span = Span::hours(6);

/// One stay.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Stay {
    /// Which.
    pub token: StayToken,
    /// The version of the notice it comes from.
    pub version: u64,
    /// Who.
    pub guest: Option<GuestToken>,
    /// Expected.
    pub eta: Option<Moment>,
    /// By which way that was announced.
    #[serde(default)]
    pub channel: Option<Channel>,
    /// When the first word of it came.
    #[serde(default)]
    pub known_at: Option<Moment>,
    /// Leaves.
    pub departure: Option<Moment>,
    /// How many.
    pub adults: u8,
    /// What the booking said.
    pub declared: Declared,
    /// To be placed before arrival.
    pub items: Vec<Item>,
    /// When the desk checked the guest in.
    pub checked_in_at: Option<Moment>,
    /// When the guest first came in, by the door.
    pub arrived_at: Option<Moment>,
}

/// The stays of one room.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Stays {
    /// Checked in.
    pub current: Option<Stay>,
    due: Vec<Stay>,
    ended: VecDeque<(StayToken, u64)>,
}

/// What a notice did.
#[derive(Debug, Clone, PartialEq)]
pub enum Turn {
    /// A stay is now expected, or expected otherwise.
    Expected,
    /// The guest is checked in.
    CheckedIn,
    /// The stay that was checked in has ended.
    Ended(Box<Stay>),
    /// A stay that was only expected will not be.
    Dropped(Box<Stay>),
}

/// Why a notice is not taken: a closed list of names, each counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StayFault {
    /// Not newer than what is known.
    StaleVersion,
    /// Already ended here.
    Ended,
    /// Unknown here, and over.
    Stranger,
    /// Another guest is checked in.
    RoomTaken,
    /// Another stay is expected at that time.
    Overlap,
    /// Leaves before it comes.
    DepartureBeforeEta,
    /// Over before now.
    Past,
    /// More stays ahead than a room can have.
    TooMany,
    /// No room is named.
    NoRoom,
}

impl StayFault {
    /// The reason's name.
    pub const fn name(self) -> &'static str {
        match self {
            StayFault::StaleVersion => "stay_stale_version",
            StayFault::Ended => "stay_already_ended",
            StayFault::Stranger => "stay_unknown",
            StayFault::RoomTaken => "stay_room_taken",
            StayFault::Overlap => "stay_overlap",
            StayFault::DepartureBeforeEta => "stay_departure_before_eta",
            StayFault::Past => "stay_past",
            StayFault::TooMany => "stay_too_many",
            StayFault::NoRoom => "stay_no_room",
        }
    }
}

impl Stays {
    /// The stay that comes next.
    pub fn next_due(&self) -> Option<&Stay> {
        self.due.first()
    }

    /// The stay that the room is for now: checked in, else the next one due.
    pub fn foremost(&self) -> Option<&Stay> {
        self.current.as_ref().or_else(|| self.due.first())
    }

    /// Every guest that is in or expected.
    pub fn guests(&self) -> impl Iterator<Item = &GuestToken> {
        self.current
            .iter()
            .chain(&self.due)
            .filter_map(|stay| stay.guest.as_ref())
    }

    /// Whether this stay is in or expected here.
    pub fn holds(&self, token: &StayToken) -> bool {
        self.current.iter().chain(&self.due).any(|stay| stay.token == *token)
    }

    /// Takes a notice about this room.
    ///
    /// # Errors
    /// Says why it is not taken; nothing has changed then.
    pub fn take(&mut self, now: Moment, notice: &StayNotice) -> Result<Turn, StayFault> {
        self.check(now, notice)?;
        match notice.status {
            StayStatus::Reserved => self.expect(now, notice),
            StayStatus::CheckedIn => self.check_in(now, notice),
            StayStatus::CheckedOut | StayStatus::Cancelled | StayStatus::NoShow => {
                self.end(&notice.stay, notice.version).ok_or(StayFault::Stranger)
            }
        }
    }

    /// Takes a stay out of this room because it goes to another.
    pub fn leave(&mut self, token: &StayToken, version: u64) -> Option<Turn> {
        let turn = self.end(token, version);
        self.ended.retain(|(ended, _)| ended != token);
        turn
    }

    /// Drops the next stay due: nobody came.
    pub fn give_up_next(&mut self) -> Option<Stay> {
        let stay = (!self.due.is_empty()).then(|| self.due.remove(0))?;
        self.remember(&stay.token, stay.version);
        Some(stay)
    }

    fn check(&self, now: Moment, notice: &StayNotice) -> Result<(), StayFault> {
        let known = self
            .current
            .iter()
            .chain(&self.due)
            .find(|stay| stay.token == notice.stay);
        if known.is_some_and(|stay| notice.version <= stay.version) {
            return Err(StayFault::StaleVersion);
        }
        if self
            .ended
            .iter()
            .any(|(token, version)| *token == notice.stay && notice.version <= *version)
        {
            return Err(StayFault::Ended);
        }
        if let (Some(eta), Some(departure)) = (notice.eta, notice.departure)
            && departure <= eta
        {
            return Err(StayFault::DepartureBeforeEta);
        }
        let is_over = notice
            .departure
            .or(notice.eta)
            .is_some_and(|at| now.since(at) > PAST_MAX);
        if is_over && matches!(notice.status, StayStatus::Reserved | StayStatus::CheckedIn) {
            return Err(StayFault::Past);
        }
        Ok(())
    }

    fn expect(&mut self, now: Moment, notice: &StayNotice) -> Result<Turn, StayFault> {
        if self.current.as_ref().is_some_and(|stay| stay.token == notice.stay) {
            return self.check_in(now, notice);
        }
        let others = self
            .current
            .iter()
            .chain(&self.due)
            .filter(|stay| stay.token != notice.stay);
        if others.clone().any(|stay| overlap(stay, notice)) {
            return Err(StayFault::Overlap);
        }
        if others.count() >= DUE_MAX {
            return Err(StayFault::TooMany);
        }
        let known = self.due.iter().find(|stay| stay.token == notice.stay);
        let known_at = known.map_or(Some(now), |stay| stay.known_at);
        self.due.retain(|stay| stay.token != notice.stay);
        self.due.push(Stay {
            known_at,
            ..Stay::from_notice(notice)
        });
        self.due.sort_by_key(|stay| stay.eta.unwrap_or(Moment::LATEST));
        Ok(Turn::Expected)
    }

    fn check_in(&mut self, now: Moment, notice: &StayNotice) -> Result<Turn, StayFault> {
        if self.current.as_ref().is_some_and(|stay| stay.token != notice.stay) {
            return Err(StayFault::RoomTaken);
        }
        let known = self.due.iter().find(|stay| stay.token == notice.stay);
        let known_at = known.map_or(Some(now), |stay| stay.known_at);
        self.due.retain(|stay| stay.token != notice.stay);
        let before = self.current.take();
        let mut stay = Stay::from_notice(notice);
        stay.known_at = before.as_ref().map_or(known_at, |before| before.known_at);
        stay.checked_in_at = before.as_ref().and_then(|b| b.checked_in_at).or(Some(now));
        stay.arrived_at = before.and_then(|b| b.arrived_at);
        self.current = Some(stay);
        Ok(Turn::CheckedIn)
    }

    fn end(&mut self, token: &StayToken, version: u64) -> Option<Turn> {
        let turn = if self.current.as_ref().is_some_and(|stay| stay.token == *token) {
            Turn::Ended(Box::new(self.current.take()?))
        } else {
            let place = self.due.iter().position(|stay| stay.token == *token)?;
            Turn::Dropped(Box::new(self.due.remove(place)))
        };
        self.remember(token, version);
        Some(turn)
    }

    fn remember(&mut self, token: &StayToken, version: u64) {
        self.ended.retain(|(ended, _)| ended != token);
        if self.ended.len() >= ENDED_MAX {
            self.ended.pop_front();
        }
        self.ended.push_back((token.clone(), version));
    }
}

impl Stay {
    fn from_notice(notice: &StayNotice) -> Self {
        Self {
            token: notice.stay.clone(),
            version: notice.version,
            guest: notice.guest.clone(),
            eta: notice.eta,
            channel: notice.channel.clone(),
            known_at: None,
            departure: notice.departure,
            adults: notice.adults,
            declared: notice.declared.clone(),
            items: notice.items.clone(),
            checked_in_at: None,
            arrived_at: None,
        }
    }
}

/// Whether the times of two stays overlap by more than neighbours may touch. Unknown times overlap nothing.
fn overlap(stay: &Stay, notice: &StayNotice) -> bool {
    let (Some(from), Some(to)) = (stay.eta.or(stay.checked_in_at), stay.departure) else {
        return false;
    };
    let (Some(eta), Some(departure)) = (notice.eta, notice.departure) else {
        return false;
    };
    eta + TOUCH < to && from + TOUCH < departure
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::RoomId;

    fn notice(stay: &str, version: u64, status: StayStatus, eta_h: i64, departure_h: i64) -> StayNotice {
        StayNotice {
            stay: StayToken::new(stay).unwrap(),
            version,
            status,
            room: RoomId::new("1204").ok(),
            guest: None,
            eta: Some(now() + Span::hours(eta_h)),
            channel: None,
            departure: Some(now() + Span::hours(departure_h)),
            adults: 1,
            declared: Declared::default(),
            items: vec![],
        }
    }

    fn now() -> Moment {
        Moment::parse("2026-11-21T12:00:00Z").unwrap()
    }

    #[test]
    fn a_repeated_or_late_notice_changes_nothing() {
        let mut stays = Stays::default();
        assert_eq!(
            stays.take(now(), &notice("aaaaaaa1", 2, StayStatus::Reserved, 4, 28)),
            Ok(Turn::Expected)
        );
        let before = serde_json::to_string(&stays).unwrap();
        for version in [1, 2] {
            let late = notice("aaaaaaa1", version, StayStatus::Cancelled, 4, 28);
            assert_eq!(stays.take(now(), &late), Err(StayFault::StaleVersion));
        }
        assert_eq!(serde_json::to_string(&stays).unwrap(), before);
    }

    #[test]
    fn stays_that_overlap_are_refused_and_neighbours_are_not() {
        let mut stays = Stays::default();
        stays
            .take(now(), &notice("aaaaaaa1", 1, StayStatus::Reserved, 4, 28))
            .unwrap();
        assert_eq!(
            stays.take(now(), &notice("bbbbbbb2", 1, StayStatus::Reserved, 10, 40)),
            Err(StayFault::Overlap)
        );
        assert_eq!(
            stays.take(now(), &notice("bbbbbbb2", 1, StayStatus::Reserved, 30, 50)),
            Ok(Turn::Expected)
        );
    }

    #[test]
    fn a_stranger_cannot_check_out() {
        let mut stays = Stays::default();
        assert_eq!(
            stays.take(now(), &notice("ccccccc3", 1, StayStatus::CheckedOut, 1, 2)),
            Err(StayFault::Stranger)
        );
    }

    #[test]
    fn a_second_guest_cannot_be_checked_in_over_the_first() {
        let mut stays = Stays::default();
        stays
            .take(now(), &notice("aaaaaaa1", 1, StayStatus::CheckedIn, -1, 28))
            .unwrap();
        assert_eq!(
            stays.take(now(), &notice("bbbbbbb2", 1, StayStatus::CheckedIn, 0, 20)),
            Err(StayFault::RoomTaken)
        );
    }

    #[test]
    fn an_ended_stay_does_not_come_back_by_a_late_message() {
        let mut stays = Stays::default();
        stays
            .take(now(), &notice("aaaaaaa1", 1, StayStatus::CheckedIn, -1, 28))
            .unwrap();
        assert!(matches!(
            stays.take(now(), &notice("aaaaaaa1", 3, StayStatus::CheckedOut, -1, 28)),
            Ok(Turn::Ended(_))
        ));
        assert_eq!(
            stays.take(now(), &notice("aaaaaaa1", 2, StayStatus::CheckedIn, -1, 28)),
            Err(StayFault::Ended)
        );
    }
}
