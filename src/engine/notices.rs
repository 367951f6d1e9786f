//! Which room does a notice of central mean?

use super::{Engine, refuse, stay};
use crate::model::{ConfirmNotice, Effect, Moment, RoomId, StatusNotice, StayNotice, StayStatus};

impl Engine {
    pub(super) fn stay(&mut self, now: Moment, notice: &StayNotice, effects: &mut Vec<Effect>) {
        let holder = self.rooms.iter().position(|room| room.holds(&notice.stay));
        let place = match &notice.room {
            Some(id) => self.places.get(id).copied(),
            None => holder,
        };
        let Some(place) = place else {
            let reason = if notice.room.is_some() {
                "stay_unknown_room"
            } else {
                stay::StayFault::NoRoom.name()
            };
            return refuse(effects, reason, notice.stay.as_str());
        };
        let is_moving = holder.is_some_and(|holder| holder != place);
        if let Some(token) = &notice.guest {
            self.guest(token, now, |_| {});
        }
        let moves_in = is_moving && notice.status == StayStatus::CheckedIn;
        let leaves = holder.filter(|_| moves_in);
        let brought = leaves.and_then(|old| self.rooms[old].belongings(&notice.stay));
        let with_guest = brought.is_some();
        let mut fault = None;
        self.in_room(place, now, effects, |room, world, out| {
            fault = room.stay(world, notice, brought, out).err()
        });
        match (fault, holder) {
            (Some(fault), _) => refuse(effects, fault.name(), notice.stay.as_str()),
            (None, Some(old)) if is_moving => {
                self.in_room(old, now, effects, |room, world, out| {
                    room.stay_leaves(world, (&notice.stay, notice.version), with_guest, out)
                });
            }
            (None, _) => {}
        }
    }

    pub(super) fn confirm(&mut self, now: Moment, notice: &ConfirmNotice, effects: &mut Vec<Effect>) {
        let Some(place) = self.rooms.iter().position(|room| room.holds(&notice.stay)) else {
            return refuse(effects, "question_unknown", notice.stay.as_str());
        };
        self.in_room(place, now, effects, |room, world, out| {
            room.answered(world, notice, out)
        });
    }

    pub(super) fn request_status(&mut self, now: Moment, notice: &StatusNotice, effects: &mut Vec<Effect>) {
        let named = notice.room.clone().or_else(|| {
            notice
                .request
                .as_str()
                .split('.')
                .next()
                .and_then(|id| RoomId::new(id).ok())
        });
        let Some(place) = named.and_then(|id| self.places.get(&id).copied()) else {
            return refuse(effects, "request_unknown", notice.request.as_str());
        };
        let mut is_ours = false;
        self.in_room(place, now, effects, |room, world, out| {
            is_ours = room.status(world, notice, out)
        });
        if !is_ours {
            refuse(effects, "request_unknown", notice.request.as_str());
        }
    }
}
