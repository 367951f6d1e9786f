//! What must always and never be, in simulated rooms with broken thermometers and sensors and lost commands, looked at after
//! every step and in every minute.
//!
//! A small sample of what `innkeeper evaluate preparation --promises --faults` runs by the thousand room-months.

use crate::property::{device, property, reading, room};
use innkeeper::engine::Engine;
use innkeeper::evaluate::preparation::{Compare, Figures, KeeperFigures, Options, Site, run};
use innkeeper::model::*;
use std::sync::Arc;

fn hotel(site: Site, has_faults: bool) -> Figures {
    let options = Options {
        site,
        rooms: 3,
        days: 5,
        warm_up_days: 1,
        seed: 11,
        eta_error_min: 60.0,
        is_coarse: has_faults,
        has_faults,
        has_window_contacts: true,
    };
    let figures = run(options, 1, Compare::Promises, &mut std::io::sink()).unwrap();
    figures.into_iter().next().unwrap()
}

fn keeper(figures: &Figures) -> &KeeperFigures {
    figures.keeper.as_ref().unwrap()
}

#[test]
fn no_unit_runs_under_an_open_window_and_no_guest_is_overruled_whatever_is_broken() {
    let mut arrivals = 0;
    for (site, has_faults) in [(Site::Heating, true), (Site::Cooling, true), (Site::Shoulder, false)] {
        let figures = hotel(site, has_faults);
        let seen = keeper(&figures);
        let never = &seen.never;
        let counts = [
            never.interlock_violations,
            never.commands_against_interlock,
            never.lost_overrides,
            never.beyond_limits,
            never.setbacks_against_rule,
        ];
        assert_eq!(counts, [0; 5], "{site:?}, faults {has_faults}: {:?}", seen.cases);
        let unknown = never.setbacks_of_present + never.setbacks_of_sleeping;
        assert_eq!(unknown, never.setbacks_unknowable, "{:?}", seen.cases);
        assert!(has_faults || unknown == 0, "{site:?}: {:?}", seen.cases);
        assert!(seen.steps > 5_000, "{} steps prove little", seen.steps);
        arrivals += figures.arrivals;
    }
    assert!(arrivals > 10, "{arrivals} arrivals prove little");
}

#[test]
fn the_same_seed_tells_the_same_story() {
    let told = || serde_json::to_string(&hotel(Site::Heating, true)).unwrap();
    assert_eq!(told(), told());
}

/// A room with a guest, whose sensors say what they like, fall silent, go and come.
struct Restless {
    engine: Engine,
    dice: u128,
    now: Moment,
    was_occupied: bool,
    /// When something last moved behind the door.
    stirred_at: Option<Moment>,
    door_at: Moment,
    is_staff: bool,
    absences: usize,
}

impl Restless {
    fn new(seed: u64) -> Self {
        let kinds = ["thermostat", "door", "motion", "lock", "bed"];
        let mut room = room("101", &kinds[..4 + (seed % 2) as usize]);
        let silent_after = Span::hours([2, 24 * 30][(seed / 2 % 2) as usize]);
        room.devices
            .iter_mut()
            .for_each(|device| device.silent_after = silent_after);
        let now = Moment::parse("2026-11-21T14:00:00Z").unwrap();
        let mut restless = Self {
            engine: Engine::new(Arc::new(property(vec![room]))).unwrap(),
            dice: u128::from(seed) * 2 + 1,
            now,
            was_occupied: true,
            stirred_at: None,
            door_at: Moment::EARLIEST,
            is_staff: false,
            absences: 0,
        };
        let stay = serde_json::json!({
            "stay": "00000001", "version": 1, "status": "checked_in", "room": "101", "departure": now + Span::days(60),
        });
        restless.step(now, Event::Stay(serde_json::from_value(stay).unwrap()));
        restless
    }

    fn roll(&mut self, sides: u64) -> u64 {
        self.dice = self.dice.wrapping_mul(0xda94_2042_e4dd_58b5);
        ((self.dice >> 64) as u64) % sides
    }

    /// Something happens: after seconds, minutes or hours.
    fn live(&mut self) {
        let longest = [50, 200, 1000, 4000, 15_000][self.roll(5) as usize];
        let at = self.now + Span::seconds(1 + self.roll(longest) as i64);
        while let Some(due) = self.engine.deadline().filter(|due| *due < at) {
            self.step(due, Event::Deadline);
        }
        let flag = |kind, point, on| reading(device("101", kind), point, Value::Flag(on));
        let on = self.roll(2) == 0;
        let event = match self.roll(16) {
            0..=2 => {
                (self.stirred_at, self.door_at) = (None, at);
                flag("door", Point::Open, on)
            }
            3..=8 => {
                if on && !self.is_staff && at.since(self.door_at) >= Span::seconds(30) {
                    self.stirred_at = Some(at);
                }
                flag("motion", Point::Occupied, on)
            }
            9..=11 => flag("bed", Point::BedOccupied, on),
            12 if self.roll(3) == 0 => {
                (self.stirred_at, self.is_staff) = (None, on);
                self.door_at = at;
                flag("lock", Point::StaffKey, on)
            }
            13 => Event::Availability {
                device: device("101", ["door", "motion", "bed"][self.roll(3) as usize]),
                online: on,
            },
            _ => flag("lock", Point::Deadbolt, false),
        };
        self.step(at, event);
    }

    fn step(&mut self, at: Moment, event: Event) {
        let told = format!("{event:?}");
        self.engine.step(at, event);
        self.now = at;
        let standing = self.engine.standing(&RoomId::new("101").unwrap(), at).unwrap();
        if self.was_occupied && !standing.is_occupied {
            self.absences += 1;
            let moved = self.stirred_at.map(|moved| at.since(moved));
            assert!(
                moved.is_none_or(|moved| moved >= Span::minutes(10)),
                "{at}: called absent {moved:?} after a movement, by {told}: {}",
                standing.because
            );
        }
        self.was_occupied = standing.is_occupied;
    }
}

#[test]
fn nobody_is_called_absent_within_ten_minutes_of_a_movement_behind_the_door() {
    let mut absences = 0;
    for seed in 0..96 {
        let mut room = Restless::new(seed);
        (0..800).for_each(|_| room.live());
        absences += room.absences;
    }
    assert!(absences > 50, "{absences} absences prove little");
}
