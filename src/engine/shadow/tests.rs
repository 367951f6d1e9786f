//! Is a hand known from an echo, and is what was told in vain told again?

use super::*;
use crate::model::{Coil, DeviceRole, ProfileId};
use std::collections::BTreeMap;

fn setup() -> DeviceSetup {
    DeviceSetup {
        id: DeviceId::new("t-1").unwrap(),
        profile: ProfileId::new("any").unwrap(),
        zone: None,
        role: DeviceRole::Plain,
        reports: vec![Point::TargetTemperature],
        guest_points: vec![Point::TargetTemperature],
        abilities: vec![Ability {
            point: Point::TargetTemperature,
            min: Some(16.0),
            max: Some(30.0),
            step: Some(0.5),
            words: vec![],
            confirm_within: Some(Span::seconds(30)),
            tolerance: 0.05,
            gap_min: Span::seconds(60),
            per_day_max: 48,
        }],
        buttons: BTreeMap::new(),
        silent_after: Span::hours(1),
        echo_within: Span::seconds(40),
        settle: Span::ZERO,
        hand_back: vec![],
        coil: Coil::Water,
        reading_step_k: None,
    }
}

fn degrees(t: f64) -> Value {
    Value::Temperature(Celsius::new(t).unwrap())
}

fn at(seconds: i64) -> Moment {
    Moment::EARLIEST + Span::seconds(seconds)
}

fn want(shadow: &mut Shadow, now: Moment, shown: f64, value: f64) -> Option<Command> {
    want_for(Purpose::Prepare, shadow, now, shown, value)
}

fn want_for(purpose: Purpose, shadow: &mut Shadow, now: Moment, shown: f64, value: f64) -> Option<Command> {
    let (setup, room) = (setup(), RoomId::new("1204").unwrap());
    let wish = Wish {
        device: &setup,
        ability: &setup.abilities[0],
        value: degrees(value),
        purpose,
        because: Because::rule("test"),
    };
    shadow.want(now, &room, &Limits::default(), Some(&degrees(shown)), wish)
}

fn news(before: f64, after: f64, is_live: bool) -> News {
    News {
        before: Some(degrees(before)),
        after: degrees(after),
        is_live,
        is_sign_of_life: false,
        is_caught_up: false,
    }
}

#[test]
fn set_backs_however_many_leave_writes_for_an_arrival() {
    let mut shadow = Shadow::default();
    let mut written = 0;
    for n in 0..200 {
        let level = [18.0, 18.5][n % 2];
        let command = want_for(Purpose::Setback, &mut shadow, at(300 * n as i64), 37.0 - level, level);
        written += u32::from(command.is_some());
    }
    assert_eq!(written, 36);
    assert!(want(&mut shadow, at(60_100), 18.0, 23.0).is_some());
    let setback = want_for(Purpose::Setback, &mut shadow, at(60_500), 23.0, 18.0);
    assert!(
        setback.is_none(),
        "the next set-back waits until a day after the first ones"
    );
}

#[test]
fn a_hand_at_the_very_moment_of_a_command_is_a_hand() {
    let (mut shadow, setup) = (Shadow::default(), setup());
    assert!(want(&mut shadow, at(0), 22.5, 23.0).is_some());
    let judged = shadow.judge(at(0), &setup, Point::TargetTemperature, &news(22.5, 23.0, true));
    assert_eq!(judged, Judgement::Own(Outcome::Applied));
    let judged = shadow.judge(at(0), &setup, Point::TargetTemperature, &news(23.0, 21.5, true));
    assert_eq!(judged, Judgement::Hand);
}

#[test]
fn our_own_command_coming_back_is_not_the_guest() {
    let mut shadow = Shadow::default();
    assert!(want(&mut shadow, at(0), 18.0, 24.0).is_some());
    let judged = shadow.judge(at(1), &setup(), Point::TargetTemperature, &news(18.0, 24.0, true));
    assert_eq!(judged, Judgement::Own(Outcome::Applied));
    assert_eq!(shadow.deadline(), None);
}

#[test]
fn what_was_told_is_ours_when_a_poll_shows_it_after_something_else_is_wanted() {
    let (mut shadow, setup) = (
        Shadow::default(),
        DeviceSetup {
            echo_within: Span::ZERO,
            ..setup()
        },
    );
    let judge = |shadow: &mut Shadow, seconds, before, after| {
        shadow.judge(
            at(seconds),
            &setup,
            Point::TargetTemperature,
            &news(before, after, true),
        )
    };
    assert!(want(&mut shadow, at(0), 18.0, 16.0).is_some());
    assert!(
        want(&mut shadow, at(20), 18.0, 24.0).is_none(),
        "the device's memory is spared for a minute"
    );
    assert_eq!(judge(&mut shadow, 55, 18.0, 16.0), Judgement::Own(Outcome::Pending));
    assert_eq!(judge(&mut shadow, 58, 16.0, 19.0), Judgement::Hand);
    assert_eq!(
        judge(&mut shadow, 59, 19.0, 16.0),
        Judgement::Hand,
        "the second time it is a hand's"
    );
}

#[test]
fn a_late_echo_of_an_older_command_is_not_the_guest() {
    let mut shadow = Shadow::default();
    want(&mut shadow, at(0), 18.0, 24.0);
    shadow.judge(at(1), &setup(), Point::TargetTemperature, &news(18.0, 24.0, true));
    want(&mut shadow, at(70), 24.0, 21.0);
    shadow.judge(at(71), &setup(), Point::TargetTemperature, &news(24.0, 21.0, true));
    want(&mut shadow, at(140), 21.0, 23.0);
    shadow.judge(at(141), &setup(), Point::TargetTemperature, &news(21.0, 23.0, true));
    let judged = shadow.judge(at(105), &setup(), Point::TargetTemperature, &news(23.0, 21.0, true));
    assert!(matches!(judged, Judgement::Own(_)), "{judged:?}");
}

#[test]
fn a_dial_turned_long_after_is_the_guest() {
    let mut shadow = Shadow::default();
    want(&mut shadow, at(0), 18.0, 24.0);
    shadow.judge(at(1), &setup(), Point::TargetTemperature, &news(18.0, 24.0, true));
    let judged = shadow.judge(at(600), &setup(), Point::TargetTemperature, &news(24.0, 22.0, true));
    assert_eq!(judged, Judgement::Hand);
}

/// Lets time pass until then, with the device showing this; returns when it was told.
fn pass(shadow: &mut Shadow, until: Moment, shown: f64) -> Vec<Moment> {
    let room = RoomId::new("1204").unwrap();
    let mut told = Vec::new();
    while let Some(due) = shadow.deadline().filter(|due| *due <= until) {
        let wanted = shadow.advance(due, &room, &[setup()], |_, _| Some(degrees(shown)));
        told.extend(wanted.iter().map(|_| due));
    }
    told
}

fn obedience(shadow: &Shadow) -> Obedience {
    shadow.obedience(&setup().id)
}

#[test]
fn what_goes_back_by_itself_each_time_is_told_five_times_and_left() {
    let (mut shadow, setup) = (Shadow::default(), setup());
    want(&mut shadow, at(0), 18.0, 24.0);
    let (mut now, mut told, mut newly) = (at(0), 0, 1);
    while newly > 0 {
        told += newly;
        let back = shadow.judge(now, &setup, Point::TargetTemperature, &news(24.0, 18.0, true));
        assert_eq!(back, Judgement::Device(Outcome::Reverted));
        now = shadow.deadline().expect("it is told again, or left");
        newly = pass(&mut shadow, now, 18.0).len();
    }
    assert_eq!((told, shadow.deadline()), (5, None));
    assert_eq!(
        obedience(&shadow),
        Obedience::Obeys,
        "it answers; what it wants is otherwise"
    );
}

#[test]
fn what_is_told_in_vain_is_told_to_people_and_once_more_each_hour() {
    let mut shadow = Shadow::default();
    want(&mut shadow, at(0), 18.0, 24.0);
    assert_eq!(obedience(&shadow), Obedience::Open);
    let first = pass(&mut shadow, at(31 * 60), 18.0);
    assert_eq!(first, [60, 180, 420, 900].map(at), "pauses double");
    assert_eq!(obedience(&shadow), Obedience::InVain(Point::TargetTemperature));
    let day = pass(&mut shadow, at(24 * 3600), 18.0);
    assert!((14..=24).contains(&day.len()), "{day:?}");
    let judged = shadow.judge(at(90_000), &setup(), Point::TargetTemperature, &news(18.0, 24.0, true));
    assert_eq!(
        (judged, obedience(&shadow)),
        (Judgement::Own(Outcome::Applied), Obedience::Obeys)
    );
}

#[test]
fn wanting_it_again_at_the_last_moment_does_not_hide_that_it_was_in_vain() {
    let mut shadow = Shadow::default();
    want(&mut shadow, at(0), 18.0, 24.0);
    pass(&mut shadow, at(900), 18.0);
    let due = shadow.deadline().unwrap();
    assert!(want(&mut shadow, due, 18.0, 24.0).is_none());
    assert_eq!(obedience(&shadow), Obedience::InVain(Point::TargetTemperature));
    assert!(shadow.deadline().is_some());
}

#[test]
fn a_device_that_is_back_is_told_after_it_has_said_how_it_stands() {
    let mut shadow = Shadow::default();
    want(&mut shadow, at(0), 18.0, 24.0);
    pass(&mut shadow, at(1900), 18.0);
    let mut turned = shadow.clone();
    shadow.reached_again(&setup().id, at(2000));
    assert_eq!(pass(&mut shadow, at(2100), 18.0), [at(2060)]);
    turned.reached_again(&setup().id, at(2000));
    let judged = turned.judge(at(2010), &setup(), Point::TargetTemperature, &news(18.0, 21.0, true));
    assert_eq!(judged, Judgement::Hand);
    turned.overridden(&setup().id, Point::TargetTemperature);
    assert!(pass(&mut turned, at(9000), 21.0).is_empty());
}

#[test]
fn what_nothing_shows_is_believed_once_it_was_sent() {
    let (mut shadow, mut setup, room) = (Shadow::default(), setup(), RoomId::new("1204").unwrap());
    setup.abilities[0].confirm_within = None;
    let wish = Wish {
        device: &setup,
        ability: &setup.abilities[0],
        value: degrees(24.0),
        purpose: Purpose::Prepare,
        because: Because::rule("test"),
    };
    let command = shadow.want(at(0), &room, &Limits::default(), None, wish).unwrap();
    let ended = shadow.written(at(1), command.id.number, &WriteResult::Sent);
    assert_eq!(ended.map(|(.., outcome)| outcome), Some(Outcome::Applied));
    assert_eq!(shadow.deadline(), None);
}

#[test]
fn a_late_answer_is_not_the_guest_as_long_as_the_profile_says_that_answers_take() {
    let setup = DeviceSetup {
        echo_within: Span::seconds(90),
        ..setup()
    };
    for (seconds, hand) in [(35, false), (80, false), (100, true)] {
        let mut shadow = Shadow::default();
        want(&mut shadow, at(0), 18.0, 24.0);
        shadow.judge(at(1), &setup, Point::TargetTemperature, &news(18.0, 24.0, true));
        let judged = shadow.judge(at(seconds), &setup, Point::TargetTemperature, &news(24.0, 18.0, true));
        assert_eq!(judged == Judgement::Hand, hand, "{seconds} s: {judged:?}");
    }
}

#[test]
fn nothing_is_told_that_is_already_so_or_outside_the_limits() {
    let mut shadow = Shadow::default();
    assert!(want(&mut shadow, at(0), 24.0, 24.0).is_none());
    let hot = want(&mut shadow, at(100), 24.0, 60.0).unwrap();
    assert_eq!(hot.value, degrees(28.0));
}

#[test]
fn a_devices_memory_is_not_written_more_often_than_it_bears() {
    let mut shadow = Shadow::default();
    assert!(want(&mut shadow, at(0), 18.0, 24.0).is_some());
    assert!(want(&mut shadow, at(10), 24.0, 21.0).is_none(), "60 s apart at least");
    assert_eq!(shadow.deadline(), Some(at(60)));
}

#[test]
fn the_end_of_an_older_command_does_not_end_what_is_wanted_now() {
    let (mut shadow, room) = (Shadow::default(), RoomId::new("1204").unwrap());
    let first = want(&mut shadow, at(0), 18.0, 16.0).unwrap();
    assert!(want(&mut shadow, at(10), 18.0, 24.0).is_none(), "60 s apart at least");
    for result in [WriteResult::Verified, WriteResult::Refused("no".into())] {
        assert_eq!(shadow.written(at(11), first.id.number, &result), None);
    }
    let commands = shadow.advance(at(60), &room, &[setup()], |_, _| Some(degrees(16.0)));
    assert_eq!(
        commands.iter().map(|c| c.value.clone()).collect::<Vec<_>>(),
        [degrees(24.0)]
    );
}

#[test]
fn what_changed_while_nobody_listened_is_found_not_learnt() {
    let mut shadow = Shadow::default();
    assert_eq!(
        shadow.judge(at(0), &setup(), Point::TargetTemperature, &news(22.0, 25.0, false)),
        Judgement::Found
    );
}
