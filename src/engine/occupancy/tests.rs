//! What the machine must and must not do.

use super::*;

/// A Saturday, ten in the morning.
fn at(minutes: i64) -> Moment {
    Moment::parse("2026-11-21T10:00:00Z").unwrap() + Span::minutes(minutes)
}

struct Tried {
    calendar: Calendar,
    bed: bool,
    is_let: bool,
    room: Occupancy,
}

impl Tried {
    fn new(bed: bool) -> Self {
        Self {
            calendar: Calendar::new("UTC").unwrap(),
            bed,
            is_let: true,
            room: Occupancy::default(),
        }
    }

    fn senses(&self) -> Senses<'_> {
        Senses {
            bed: self.bed,
            is_let: self.is_let,
            calendar: &self.calendar,
        }
    }

    fn until(&mut self, now: Moment) -> Presence {
        let mut room = std::mem::take(&mut self.room);
        let mut from = Moment::EARLIEST;
        while let Some(due) = room.deadline(from).filter(|due| *due <= now) {
            room.advance(self.senses(), due);
            from = due;
        }
        room.advance(self.senses(), now);
        self.room = room;
        self.room.presence(now)
    }

    fn sign(&mut self, now: Moment, sign: Sign) {
        self.until(now);
        let mut room = std::mem::take(&mut self.room);
        room.sign(self.senses(), now, sign);
        self.room = room;
    }
}

fn run(bed: bool, signs: &[(i64, Sign)], until: i64) -> Presence {
    let mut tried = Tried::new(bed);
    signs.iter().for_each(|(minute, sign)| tried.sign(at(*minute), *sign));
    tried.until(at(until))
}

const SHUT: Sign = Sign::Door(false);

#[test]
fn a_sleeper_is_never_called_absent() {
    let night = [(0, SHUT), (1, Sign::Motion), (30, Sign::Bed(true))];
    assert_eq!(run(true, &night, 30 + 14 * 60), Presence::Asleep);
}

#[test]
fn a_guest_who_leaves_is_noticed_after_a_quiet_window() {
    let moves = (1..12).map(|n| (5 * n, Sign::Motion));
    let day: Vec<(i64, Sign)> = [(0, SHUT)].into_iter().chain(moves).chain([(60, SHUT)]).collect();
    assert_eq!(run(true, &day, 63), Presence::Checking);
    assert_eq!(run(true, &day, 75), Presence::Vacant);
    assert_eq!(
        run(false, &day, 75),
        Presence::Checking,
        "who may be asleep is given more time"
    );
    assert_eq!(run(false, &day, 120), Presence::Vacant);
}

#[test]
fn a_guest_who_was_in_beyond_doubt_is_in_until_the_door_has_moved() {
    let mut tried = Tried::new(false);
    tried.sign(at(0), SHUT);
    (1..12).for_each(|n| tried.sign(at(5 * n), Sign::Motion));
    assert_eq!(
        tried.until(at(49 * 60)),
        Presence::Occupied,
        "a motion sensor has died, or a guest lies ill"
    );
    tried.sign(at(49 * 60), SHUT);
    assert_eq!(tried.until(at(52 * 60)), Presence::Vacant);
}

#[test]
fn who_rose_and_is_not_seen_any_more_has_not_gone_through_a_door_that_stayed_shut() {
    let night = [
        (0, SHUT),
        (1, Sign::Motion),
        (30, Sign::Bed(true)),
        (500, Sign::Bed(false)),
    ];
    assert_eq!(run(true, &night, 500 + 10 * 60), Presence::Occupied);
}

#[test]
fn two_false_movements_seal_nobody_in() {
    let day = [(0, SHUT), (30, Sign::Motion), (33, Sign::Motion)];
    assert_eq!(run(false, &day, 20 * 60), Presence::Vacant);
}

#[test]
fn nobody_has_gone_through_a_door_that_opened_and_never_closed() {
    let mut tried = Tried::new(false);
    tried.sign(at(0), SHUT);
    (1..12).for_each(|n| tried.sign(at(5 * n), Sign::Motion));
    tried.sign(at(70), Sign::Door(true));
    assert!(tried.until(at(6 * 60)).is_occupied());
    tried.sign(at(6 * 60), SHUT);
    assert_eq!(tried.until(at(10 * 60)), Presence::Vacant);
}

#[test]
fn motion_after_the_door_seals_the_room_for_the_night() {
    let night = [
        (12 * 60, SHUT),
        (12 * 60 + 5, Sign::Motion),
        (12 * 60 + 9, Sign::Motion),
    ];
    assert_eq!(run(false, &night, 17 * 60), Presence::Occupied);
}

#[test]
fn the_one_who_leaves_moves_in_front_of_the_sensor_and_proves_nothing() {
    let mut tried = Tried::new(true);
    tried.sign(at(0), Sign::Bed(true));
    tried.sign(at(400), Sign::Bed(false));
    (1..5).for_each(|n| tried.sign(at(400 + n * 4), Sign::Motion));
    tried.sign(at(420), SHUT);
    tried.sign(at(420) + Span::seconds(10), Sign::Motion);
    assert_eq!(tried.until(at(440)), Presence::Vacant);
}

#[test]
fn a_partner_in_bed_keeps_the_room_when_the_other_goes_out() {
    let evening = [(0, SHUT), (1, Sign::Motion), (20, Sign::Bed(true)), (40, SHUT)];
    assert_eq!(run(true, &evening, 300), Presence::Asleep);
}

#[test]
fn a_room_of_which_nothing_is_known_counts_as_occupied() {
    assert_eq!(run(true, &[], 100_000), Presence::Occupied);
}

#[test]
fn silence_alone_never_makes_a_vacant_room_occupied() {
    let mut tried = Tried::new(false);
    tried.sign(at(0), SHUT);
    let mut was_vacant = false;
    for hour in 1..72 {
        let is_vacant = tried.until(at(hour * 60)) == Presence::Vacant;
        assert!(is_vacant || !was_vacant, "after {hour} h");
        was_vacant = is_vacant;
    }
    assert!(was_vacant);
}

#[test]
fn whoever_rises_in_the_night_and_lies_down_again_sleeps_on() {
    let mut tried = Tried::new(true);
    tried.sign(at(0), Sign::Bed(true));
    tried.sign(at(200), Sign::Bed(false));
    assert_eq!(tried.until(at(204)), Presence::Occupied);
    tried.sign(at(206), Sign::Bed(true));
    assert_eq!(tried.until(at(206)), Presence::Asleep);
}

#[test]
fn a_thrown_bolt_is_somebody_inside() {
    let day = [(0, SHUT), (1, Sign::Bolt(true))];
    assert_eq!(run(false, &day, 1 + 23 * 60), Presence::Occupied);
    assert_eq!(
        run(false, &day, 72 * 60),
        Presence::Vacant,
        "a bolt stuck for days proves nothing"
    );
}

#[test]
fn staff_seal_nothing_and_the_room_is_checked_when_they_have_gone() {
    let mut tried = Tried::new(true);
    tried.sign(at(0), SHUT);
    assert_eq!(tried.until(at(60)), Presence::Vacant);
    tried.sign(at(100), Sign::Staff(true));
    (101..120).for_each(|minute| tried.sign(at(minute), Sign::Motion));
    assert_eq!(tried.until(at(120)), Presence::Occupied);
    assert!(tried.room.is_staff());
    tried.sign(at(121), Sign::Staff(false));
    assert_ne!(tried.until(at(135)), Presence::Occupied);
    assert_eq!(tried.until(at(160)), Presence::Vacant);
}

#[test]
fn staff_do_not_turn_a_sleeper_out() {
    let mut tried = Tried::new(false);
    tried.sign(at(0), SHUT);
    (2..30).for_each(|minute| tried.sign(at(minute * 3), Sign::Motion));
    tried.sign(at(100), Sign::Staff(true));
    tried.sign(at(101), Sign::Staff(false));
    assert!(tried.until(at(115)).is_occupied());
}

#[test]
fn a_bed_that_has_died_is_noticed_in_the_first_night_and_does_not_cost_the_sleeper() {
    let mut tried = Tried::new(true);
    tried.sign(at(0), Sign::Bed(true));
    tried.sign(at(60), Sign::Bed(false));
    // The guest comes home at nine in the evening; the bed no longer says anything, and a sleeper stirs once in a while.
    tried.sign(at(11 * 60), SHUT);
    (1..12).for_each(|n| tried.sign(at(11 * 60 + n * 7), Sign::Motion));
    for hour in 13..21 {
        assert!(tried.until(at(hour * 60)).is_occupied(), "hour {hour}");
        tried.sign(at(hour * 60), Sign::Motion);
    }
    assert!(tried.room.bed().is_ill(), "{}", tried.room.bed().doubt());
}

#[test]
fn a_bed_in_use_for_longer_than_anybody_sleeps_is_not_believed() {
    let mut tried = Tried::new(true);
    tried.sign(at(0), Sign::Bed(true));
    tried.sign(at(60), SHUT);
    assert_eq!(tried.until(at(15 * 60)), Presence::Asleep);
    assert!(!tried.until(at(24 * 60)).is_occupied());
    assert!(tried.room.bed().is_ill());
}

#[test]
fn a_room_that_nobody_entered_is_empty_when_its_guest_checks_in() {
    let mut tried = Tried::new(true);
    tried.is_let = false;
    tried.until(at(0));
    tried.sign(at(30), Sign::Motion);
    tried.until(at(300));
    tried.is_let = true;
    let mut room = std::mem::take(&mut tried.room);
    room.let_to_guest(tried.senses(), at(300));
    assert_eq!(room.presence(at(300)), Presence::Vacant);
}

#[test]
fn the_sentence_says_what_the_decision_rests_on() {
    let mut tried = Tried::new(true);
    (0..12).for_each(|n| tried.sign(at(n * 5), Sign::Motion));
    tried.sign(at(60), Sign::Door(true));
    tried.sign(at(60) + Span::seconds(10), SHUT);
    tried.until(at(90));
    let told = tried.room.sentence(tried.senses(), at(90));
    assert!(
        told.starts_with("vacant: door closed 11:00:10, no motion for "),
        "{told}"
    );
    assert!(told.ends_with(" min, bed empty"), "{told}");
}

const SEES: Sign = Sign::Sees(true);
const SEES_NOBODY: Sign = Sign::Sees(false);

/// A sensor that is known to hold what it says for no longer than a minute.
fn quick_radar(bed: bool) -> Tried {
    let mut tried = Tried::new(bed);
    tried.sign(at(-200), SEES);
    tried.sign(at(-199), SEES_NOBODY);
    tried
}

#[test]
fn while_a_sensor_of_presence_says_somebody_nobody_is_called_absent() {
    let mut tried = quick_radar(false);
    tried.sign(at(0), SHUT);
    tried.sign(at(1), SEES);
    for hour in 1..20 {
        assert_eq!(tried.until(at(hour * 60)), Presence::Occupied, "hour {hour}");
    }
}

#[test]
fn whoever_was_seen_for_an_evening_sleeps_through_the_silence_that_follows() {
    let mut tried = quick_radar(false);
    tried.sign(at(11 * 60), SHUT);
    tried.sign(at(11 * 60 + 1), SEES);
    tried.sign(at(11 * 60 + 40), SEES_NOBODY);
    for hour in 12..24 {
        assert!(tried.until(at(hour * 60)).is_occupied(), "hour {hour}");
    }
    tried.sign(at(25 * 60), SHUT);
    assert_eq!(tried.until(at(40 * 60)), Presence::Vacant);
}

#[test]
fn what_a_sensor_says_again_is_followed_by_silence_of_its_own() {
    let mut tried = Tried::new(true);
    tried.sign(at(-200), SEES);
    tried.sign(at(-175), SEES_NOBODY);
    tried.sign(at(0), SHUT);
    tried.sign(at(0), SEES);
    (1..5).for_each(|n| tried.sign(at(5 * n), Sign::StillSees));
    tried.sign(at(25), SEES_NOBODY);
    assert!(
        tried.until(at(40)).is_occupied(),
        "the sensor may be slow, or the guest be reading"
    );
    assert_eq!(tried.until(at(120)), Presence::Vacant);
}

#[test]
fn what_is_no_longer_seen_has_just_moved() {
    let mut tried = quick_radar(true);
    tried.sign(at(0), SHUT);
    tried.sign(at(1), SEES);
    tried.sign(at(300), SEES_NOBODY);
    assert_eq!(tried.until(at(309)), Presence::Occupied);
    assert_eq!(
        tried.until(at(24 * 60)),
        Presence::Occupied,
        "and has not gone through a door that stayed shut"
    );
    tried.sign(at(24 * 60), SHUT);
    assert_eq!(tried.until(at(28 * 60)), Presence::Vacant, "silence counts again");
}

#[test]
fn a_sensor_that_still_sees_whoever_left_proves_nothing() {
    let mut tried = quick_radar(true);
    tried.sign(at(0), SHUT);
    tried.sign(at(1), SEES);
    tried.sign(at(60), SHUT);
    tried.sign(at(61), SEES_NOBODY);
    assert_eq!(tried.until(at(76)), Presence::Vacant);
}

#[test]
fn whoever_is_seen_for_long_in_a_vacant_room_is_in_though_the_door_never_moved() {
    let mut tried = quick_radar(false);
    tried.sign(at(0), SHUT);
    assert_eq!(tried.until(at(600)), Presence::Vacant);
    tried.sign(at(600), SEES);
    assert_eq!(
        tried.until(at(604)),
        Presence::Vacant,
        "a curtain does as much for a minute"
    );
    assert_eq!(tried.until(at(606)), Presence::Occupied);
}

#[test]
fn a_sensor_that_never_stops_seeing_somebody_is_no_longer_listened_to() {
    let mut tried = quick_radar(false);
    tried.sign(at(0), SHUT);
    tried.sign(at(1), SEES);
    assert!(tried.until(at(20 * 60)).is_occupied());
    assert_eq!(tried.until(at(3 * 24 * 60)), Presence::Vacant);
}

#[test]
fn a_movement_is_too_fresh_for_ten_minutes_also_when_it_was_no_burst_of_its_own() {
    let mut tried = Tried::new(true);
    tried.sign(at(0), SHUT);
    tried.sign(at(10), Sign::Motion);
    tried.sign(at(10) + Span::seconds(50), Sign::Motion);
    assert_eq!(
        tried.room.stirred_until(),
        Some(at(20) + Span::seconds(50)),
        "the second is the same burst, and somebody moved"
    );
    tried.sign(at(12), SHUT);
    assert_eq!(tried.room.stirred_until(), None, "whoever moved may have gone");
}

#[test]
fn where_the_bed_sensor_is_ill_nobody_is_called_absent_before_the_morning() {
    let mut tried = Tried::new(true);
    tried.sign(at(0), Sign::Bed(true));
    tried.until(at(17 * 60));
    assert!(tried.room.bed().is_ill(), "in use for longer than anybody sleeps");
    tried.sign(at(17 * 60), SHUT);
    for minute in [18 * 60, 20 * 60, 22 * 60 - 1] {
        assert!(tried.until(at(minute)).is_occupied(), "minute {minute}");
    }
    assert_eq!(tried.until(at(26 * 60)), Presence::Vacant, "the day has begun");
}
