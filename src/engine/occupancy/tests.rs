//! What the machine must and must not do.

use super::*;

fn at(minutes: i64) -> Moment {
    Moment::parse("2026-11-21T10:00:00Z").unwrap() + Span::minutes(minutes)
}

fn run(bed: bool, signs: &[(i64, Sign)], until: i64) -> Presence {
    let calendar = Calendar::new("UTC").unwrap();
    let senses = Senses {
        bed,
        calendar: &calendar,
    };
    let mut room = Occupancy::default();
    for (minute, sign) in signs {
        room.advance(senses, at(*minute));
        room.sign(senses, at(*minute), *sign);
    }
    room.advance(senses, at(until));
    room.presence(at(until))
}

#[test]
fn a_sleeper_is_never_called_absent() {
    let night = [(0, Sign::Door(false)), (1, Sign::Motion), (30, Sign::Bed(true))];
    assert_eq!(run(true, &night, 30 + 14 * 60), Presence::Asleep);
}

#[test]
fn a_guest_who_leaves_is_noticed_after_the_quiet_window() {
    let day = [
        (0, Sign::Door(false)),
        (1, Sign::Motion),
        (5, Sign::Motion),
        (60, Sign::Door(false)),
    ];
    assert_eq!(run(true, &day, 69), Presence::Checking);
    assert_eq!(run(true, &day, 71), Presence::Vacant);
}

#[test]
fn motion_after_the_door_seals_the_room() {
    let day = [(0, Sign::Door(false)), (5, Sign::Motion)];
    assert_eq!(run(false, &day, 5 + 15 * 60), Presence::Occupied);
}

#[test]
fn the_one_who_leaves_moves_in_front_of_the_sensor_and_proves_nothing() {
    let calendar = Calendar::new("UTC").unwrap();
    let senses = Senses {
        bed: true,
        is_let: true,
        calendar: &calendar,
    };
    let mut room = Occupancy::default();
    room.sign(senses, at(0), Sign::Door(false));
    room.sign(senses, at(0) + Span::seconds(10), Sign::Motion);
    room.advance(senses, at(11));
    assert_eq!(room.presence(at(11)), Presence::Vacant);
}

#[test]
fn a_partner_in_bed_keeps_the_room_when_the_other_goes_out() {
    let evening = [
        (0, Sign::Door(false)),
        (1, Sign::Motion),
        (20, Sign::Bed(true)),
        (40, Sign::Door(false)),
    ];
    assert_eq!(run(true, &evening, 300), Presence::Asleep);
}

#[test]
fn a_room_of_which_nothing_is_known_counts_as_occupied() {
    assert_eq!(run(true, &[], 100_000), Presence::Occupied);
}
