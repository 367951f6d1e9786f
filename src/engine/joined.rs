//! Which rooms are one, because a connecting door between them stands open, or because they are sold as a suite?
//!
//! A connecting door has a contact in one of its rooms, or in both (role `connecting`). While one says "open", people come and
//! go between the two without an entrance door: the entrance door of one is a door of the other, and together they are
//! occupied when either is. Motion and beds stay each room's own, so that when the door closes each room knows what was
//! seen in it. Doors without a contact join nothing. The rooms of a suite are one all the time, and go with its stay from
//! the day on which it is expected. All of this follows from the rooms and is not kept.

use super::stay::Stay;
use crate::model::{DeviceRole, Moment, Point, RoomId, RoomSetup, SUITE_ROOMS_MAX, Span};
use std::collections::VecDeque;

/// No group of rooms is larger: more is a corridor, and a slip in `connects`.
const GROUP_MAX: usize = SUITE_ROOMS_MAX;
/// When somebody last moved is told to the rooms beyond to this grain, so that they need not look up at every step.
const MOVED_GRAIN: Span = Span::hours(1);

/// What stands beyond a room's open connecting doors, and in the other rooms of its suite.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Beyond {
    /// Whether there is any.
    pub is_open: bool,
    /// Whether somebody is, or may be, in one of the rooms.
    pub is_occupied: bool,
    /// When anything last moved there, to the hour.
    pub moved_at: Option<Moment>,
    /// The stay whose guest has come to one of them.
    pub stay: Option<Stay>,
    /// Why nobody may disturb there, if so.
    pub barred: Option<&'static str>,
    /// Whether it is part of a suite.
    pub is_suite: bool,
    /// The stay that another room of its suite has, or else expects.
    pub suite_stay: Option<Stay>,
    /// Whether somebody sleeps in a room of the suite that has no stay of its own: the guest of the suite's.
    pub suite_sleeps: bool,
}

/// What one room is, to those beyond its doors.
pub struct Seen<'a> {
    /// Whether somebody is, or may be, in it.
    pub is_occupied: bool,
    /// When anything last moved in it.
    pub moved_at: Option<Moment>,
    /// Its stay: checked in, else the next one due.
    pub stay: Option<&'a Stay>,
    /// Why nobody may disturb in it, if so.
    pub barred: Option<&'static str>,
    /// Whether somebody sleeps in it.
    pub is_asleep: bool,
}

/// The connecting doors of a property.
#[derive(Debug, Default)]
pub struct Joined {
    /// The rooms that each room has a door with a contact to.
    doors: Vec<Vec<usize>>,
    /// The other rooms of each room's suite.
    suites: Vec<Vec<usize>>,
    /// The rooms that each is one with now, without itself.
    groups: Vec<Vec<usize>>,
    beyond: Vec<Beyond>,
}

impl Joined {
    /// Finds the doors. None counts as open until [`Joined::look`] is called for its rooms.
    pub fn new(rooms: &[RoomSetup]) -> Self {
        let place = |id: &RoomId| rooms.iter().position(|room| room.id == *id);
        let doors = rooms.iter().map(|room| {
            let others = room.connects.iter().filter_map(place);
            let is_watched = |other: &usize| has_contact(room) || has_contact(&rooms[*other]);
            others.filter(is_watched).take(GROUP_MAX).collect()
        });
        let fellows = |one: &RoomSetup| {
            let is_fellow = |other: &RoomSetup| one.suite.is_some() && one.suite == other.suite && one.id != other.id;
            let others = (0..rooms.len()).filter(|other| is_fellow(&rooms[*other]));
            others.take(GROUP_MAX - 1).collect()
        };
        Self {
            doors: doors.collect(),
            suites: rooms.iter().map(fellows).collect(),
            groups: rooms.iter().map(|_| Vec::new()).collect(),
            beyond: rooms.iter().map(|_| Beyond::default()).collect(),
        }
    }

    /// Whether the room has a connecting door, or is part of a suite.
    pub fn has_doors(&self, place: usize) -> bool {
        self.beside(place).next().is_some()
    }

    /// The rooms behind its connecting doors, open or not, and the others of its suite.
    fn beside(&self, place: usize) -> impl Iterator<Item = usize> {
        let doors = self.doors.get(place).into_iter().flatten();
        doors.chain(self.suites.get(place).into_iter().flatten()).copied()
    }

    /// What stands beyond a room's open doors.
    pub fn beyond(&self, place: usize) -> &Beyond {
        static NOTHING: Beyond = Beyond {
            is_open: false,
            is_occupied: false,
            moved_at: None,
            stay: None,
            barred: None,
            is_suite: false,
            suite_stay: None,
            suite_sleeps: false,
        };
        self.beyond.get(place).unwrap_or(&NOTHING)
    }

    /// The rooms that a room is one with now, without itself.
    pub fn group(&self, place: usize) -> &[usize] {
        self.groups.get(place).map_or(&[], Vec::as_slice)
    }

    /// Looks anew at every room that can be reached from one through connecting doors, open or not. Returns those that see
    /// something else than before.
    pub fn look<'a>(
        &mut self,
        place: usize,
        opens: impl Fn(usize) -> bool,
        seen: impl Fn(usize) -> Seen<'a>,
    ) -> Vec<usize> {
        let near = self.reached(place, |_, _| true);
        let mut changed = Vec::new();
        for one in near {
            // A contact stands in one of the two rooms; which of a room's several doors it is on, it cannot say.
            let is_open = |a: usize, b: usize| self.suites[a].contains(&b) || opens(a) || opens(b);
            let group: Vec<usize> = self
                .reached(one, is_open)
                .into_iter()
                .filter(|other| *other != one)
                .collect();
            let mut beyond = beyond(group.iter().map(|other| seen(*other)));
            beyond.in_suite(self.suites[one].iter().map(|other| seen(*other)));
            self.groups[one] = group;
            if self.beyond[one] != beyond {
                self.beyond[one] = beyond;
                changed.push(one);
            }
        }
        changed
    }

    fn reached(&self, from: usize, may_pass: impl Fn(usize, usize) -> bool) -> Vec<usize> {
        let (mut reached, mut waiting) = (vec![from], VecDeque::from([from]));
        while let Some(one) = waiting.pop_front() {
            for other in self.beside(one) {
                if reached.len() < GROUP_MAX && !reached.contains(&other) && may_pass(one, other) {
                    reached.push(other);
                    waiting.push_back(other);
                }
            }
        }
        reached
    }
}

fn beyond<'a>(rooms: impl Iterator<Item = Seen<'a>>) -> Beyond {
    rooms.fold(Beyond::default(), |beyond, room| Beyond {
        is_open: true,
        is_occupied: beyond.is_occupied || room.is_occupied,
        moved_at: beyond.moved_at.max(room.moved_at.map(to_the_hour)),
        stay: beyond
            .stay
            .or_else(|| room.stay.filter(|stay| stay.arrived_at.is_some()).cloned()),
        barred: beyond.barred.or(room.barred),
        ..beyond
    })
}

impl Beyond {
    /// What the other rooms of its suite are to it: of several stays the one that is checked in, else the one that comes first.
    fn in_suite<'a>(&mut self, rooms: impl Iterator<Item = Seen<'a>>) {
        for room in rooms {
            self.is_suite = true;
            self.suite_sleeps |= room.is_asleep && room.stay.is_none_or(|stay| stay.checked_in_at.is_none());
            let order = |stay: &Stay| (stay.checked_in_at.is_none(), stay.eta.unwrap_or(Moment::LATEST));
            if let Some(stay) = room.stay
                && self.suite_stay.as_ref().is_none_or(|known| order(stay) < order(known))
            {
                self.suite_stay = Some(stay.clone());
            }
        }
    }
}

fn to_the_hour(at: Moment) -> Moment {
    let grain = MOVED_GRAIN.as_millis();
    Moment::from_millis(at.millis().div_euclid(grain) * grain)
}

/// Whether a contact on a connecting door stands in this room.
fn has_contact(room: &RoomSetup) -> bool {
    let is_contact = |role, reports: &[Point]| role == DeviceRole::Connecting && reports.contains(&Point::Open);
    room.devices
        .iter()
        .any(|device| is_contact(device.role, &device.reports))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three rooms in a row, the doors of the middle one open or not.
    fn row() -> Joined {
        Joined {
            doors: vec![vec![1], vec![0, 2], vec![1]],
            suites: vec![vec![]; 3],
            groups: vec![vec![]; 3],
            beyond: vec![Beyond::default(); 3],
        }
    }

    fn seen(is_occupied: bool) -> Seen<'static> {
        Seen {
            is_occupied,
            moved_at: None,
            stay: None,
            barred: None,
            is_asleep: false,
        }
    }

    #[test]
    fn rooms_behind_open_doors_are_one_and_behind_closed_ones_are_not() {
        let mut row = row();
        let changed = row.look(0, |place| place == 0, |place| seen(place == 1));
        assert_eq!((changed, row.group(0), row.group(2)), (vec![0, 1], &[1][..], &[][..]));
        assert!(row.beyond(0).is_occupied && !row.beyond(1).is_occupied && !row.beyond(2).is_open);
        row.look(0, |place| place == 1, |place| seen(place == 2));
        assert!(row.beyond(0).is_occupied, "through two doors");
        row.look(0, |_| false, |place| seen(place == 2));
        assert!(!row.beyond(0).is_open && row.group(1).is_empty());
    }

    #[test]
    fn the_rooms_of_a_suite_are_one_whatever_their_doors_say() {
        let mut rooms = Joined {
            suites: vec![vec![2], vec![], vec![0]],
            doors: vec![vec![]; 3],
            ..row()
        };
        rooms.look(0, |_| false, |place| seen(place == 2));
        assert!(rooms.beyond(0).is_occupied && rooms.beyond(0).is_suite && rooms.has_doors(2));
        assert!(!rooms.beyond(1).is_open && !rooms.has_doors(1));
    }

    #[test]
    fn what_has_not_changed_is_not_told_again() {
        let mut row = row();
        assert_eq!(row.look(2, |_| true, |_| seen(true)).len(), 3);
        assert!(row.look(2, |_| true, |_| seen(true)).is_empty());
    }
}
