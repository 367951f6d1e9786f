//! A hotel that never was: where were its guests, and what did its sensors say of them?
//!
//! Stays, outings and nights follow the rhythms of docs/evaluate.md; guests move in bouts, each room's motion sensor sees
//! more or less of them and something else now and then, staff come without telling. It knows nothing of how the engine
//! judges: no rate in here is one of the engine's.

use super::Told;
use super::house::{House, Sensor};
use super::score::{RoomTruth, Truth};
use crate::evaluate::preparation::dice::Dice;
use crate::model::{Moment, Span};

/// Seconds of a minute, an hour and a day.
const MINUTE: f64 = 60.0;
const HOUR: f64 = 3600.0;
const DAY: f64 = 86_400.0;
/// Every guest comes on day 0 and leaves after so many nights.
const NIGHTS: usize = 3;
/// The log is this long.
const DAYS: f64 = 4.0;
/// So many rooms have a bed sensor.
const WITH_BED: f64 = 0.7;
/// And so many a lock that tells when staff come and go.
const WITH_STAFF_KEY: f64 = 0.25;
/// So many stays are of two.
const PAIRS: f64 = 0.7;
/// So many outings of a pair are taken together.
const TOGETHER: f64 = 0.75;
/// Nobody is up and about in a room for longer without going out or to bed.
const AWAKE_MAX: f64 = 12.0 * HOUR;
/// More happenings than this are in no room's four days.
const HAPPENINGS_MAX: usize = 100_000;

/// One guest is somewhere from `from` to `to`, in seconds from midnight of day 0.
#[derive(Debug, Clone, Copy)]
struct Spell {
    from: f64,
    to: f64,
    is: Truth,
}

/// One room while it is made up.
struct Room<'a> {
    dice: Dice,
    /// What the motion sensor sees of what there is to be seen.
    sight: f64,
    place: usize,
    told: &'a mut Vec<Told>,
}

/// Makes up a hotel: its sensors, all they said in the order of time, and the truth.
pub fn hotel(seed: u64, rooms: usize) -> (House, Vec<Told>, Vec<RoomTruth>) {
    let (mut house, mut told) = (House::default(), Vec::new());
    let mut truths = Vec::new();
    for number in 0..rooms {
        let mut dice = Dice::new(seed, number as u64);
        let name = format!("M{number:03}");
        let place = house.place(&name, Sensor::Door);
        _ = (house.place(&name, Sensor::Motion), house.place(&name, Sensor::Pms));
        let (has_bed, has_key) = (dice.chance(WITH_BED), dice.chance(WITH_STAFF_KEY));
        let others = [(has_bed, Sensor::Bed), (has_key, Sensor::Staff)];
        others
            .iter()
            .filter(|(has, _)| *has)
            .for_each(|(_, sensor)| _ = house.place(&name, *sensor));
        let sight = dice.spread(0.3);
        let mut room = Room {
            dice,
            sight,
            place,
            told: &mut told,
        };
        truths.push(room.live(has_bed, has_key));
    }
    told.sort_by_key(|one| one.at);
    (house, told, truths)
}

impl Room<'_> {
    fn live(&mut self, has_bed: bool, has_key: bool) -> RoomTruth {
        let comes = self.around(16.5 * HOUR, 2.5 * HOUR, 12.0 * HOUR, 23.0 * HOUR);
        let leaves = NIGHTS as f64 * DAY + self.around(10.0 * HOUR, 1.2 * HOUR, 7.0 * HOUR, 13.0 * HOUR);
        let mut guests = vec![self.guest(comes, leaves)];
        if self.dice.chance(PAIRS) {
            guests.push(self.partner(&guests[0]));
        }
        // Some go to the room at once, some leave their bags at the desk.
        let early = if self.dice.chance(0.6) {
            0.0
        } else {
            self.dice.between(0.0, 2.0 * HOUR)
        };
        let stay = (comes - early, leaves + self.dice.between(0.0, 10.0 * MINUTE));
        self.say(stay.0, Sensor::Pms, true);
        self.say(stay.1, Sensor::Pms, false);
        for guest in &guests {
            self.walk(guest);
            guest.iter().for_each(|spell| self.move_about(*spell));
        }
        if has_bed {
            self.lie_down(&guests);
        }
        let staff = self.staff(has_key, comes, &guests);
        self.see_what_is_not(DAYS * DAY);
        RoomTruth::new(self.place, (at(stay.0), at(stay.1)), &truth(&guests), &staff)
    }

    /// Where one guest is from the arrival to the departure.
    fn guest(&mut self, comes: f64, leaves: f64) -> Vec<Spell> {
        let mut spells = Vec::new();
        let (mut now, mut night) = (comes, 0);
        let mut bed_at = self.bed_time(night);
        while now < leaves {
            let until = now + (1.6 * HOUR * self.dice.spread(0.8)).min(AWAKE_MAX);
            if until >= bed_at && now > bed_at - 5.0 * HOUR {
                let to_bed = bed_at.max(now + self.dice.between(10.0, 40.0) * MINUTE);
                let wakes = to_bed + self.around(8.2 * HOUR, 1.4 * HOUR, 4.5 * HOUR, 11.0 * HOUR);
                let wakes = wakes.min(leaves - 30.0 * MINUTE);
                spells.push(Spell {
                    from: now,
                    to: to_bed,
                    is: Truth::Awake,
                });
                spells.push(Spell {
                    from: to_bed,
                    to: wakes,
                    is: Truth::Asleep,
                });
                (now, night) = (wakes, night + 1);
                bed_at = self.bed_time(night);
            } else {
                let until = until.min(leaves);
                spells.push(Spell {
                    from: now,
                    to: until,
                    is: Truth::Awake,
                });
                let back = self.back(until, bed_at);
                if back > bed_at + 4.0 * HOUR {
                    night += 1;
                    bed_at = self.bed_time(night);
                }
                if until < leaves {
                    spells.push(Spell {
                        from: until,
                        to: back.min(leaves),
                        is: Truth::Away,
                    });
                }
                now = back;
            }
        }
        spells.retain(|spell| spell.to > spell.from && spell.from < leaves);
        spells
    }

    /// The other of two: out together most times, alone in the room else.
    fn partner(&mut self, of: &[Spell]) -> Vec<Spell> {
        let shift = self.around(0.0, 20.0 * MINUTE, -40.0 * MINUTE, 40.0 * MINUTE);
        let mut spells = of.to_vec();
        for n in 1..spells.len() {
            let is_night = spells[n - 1].is == Truth::Asleep || spells[n].is == Truth::Asleep;
            let room = spells[n - 1].to - spells[n - 1].from + shift > MINUTE
                && spells[n].to - spells[n].from - shift > MINUTE;
            if is_night && room && spells[n - 1].is != Truth::Away && spells[n].is != Truth::Away {
                spells[n - 1].to += shift;
                spells[n].from += shift;
            }
        }
        let apart = spells.into_iter().flat_map(|spell| {
            if spell.is != Truth::Away || self.dice.chance(TOGETHER) {
                vec![spell]
            } else {
                self.alone(spell)
            }
        });
        apart.collect()
    }

    /// Alone in the room while the other is out: awake, one time in three with a nap.
    fn alone(&mut self, spell: Spell) -> Vec<Spell> {
        let length = spell.to - spell.from;
        let from = spell.from + length * self.dice.between(0.1, 0.5);
        let nap = Spell {
            from,
            to: from + (0.4 * length).min(1.5 * HOUR),
            is: Truth::Asleep,
        };
        if !self.dice.chance(0.35) {
            return vec![Spell {
                is: Truth::Awake,
                ..spell
            }];
        }
        let before = Spell {
            to: nap.from,
            is: Truth::Awake,
            ..spell
        };
        let after = Spell {
            from: nap.to,
            is: Truth::Awake,
            ..spell
        };
        vec![before, nap, after]
    }

    fn bed_time(&mut self, night: usize) -> f64 {
        night as f64 * DAY + self.around(24.8 * HOUR, 1.2 * HOUR, 22.3 * HOUR, 28.0 * HOUR)
    }

    /// Back from an outing: by bed time, but for one in twenty, who stays out all night.
    fn back(&mut self, from: f64, bed_at: f64) -> f64 {
        let back = from + self.outing();
        let latest = bed_at + self.dice.between(-1.0, 1.0) * HOUR;
        if back > latest && !self.dice.chance(0.05) {
            latest.max(from + 10.0 * MINUTE)
        } else {
            back
        }
    }

    /// An outing: a quarter of them only down to the bar.
    fn outing(&mut self) -> f64 {
        if self.dice.chance(0.25) {
            self.dice.between(10.0, 50.0) * MINUTE
        } else {
            (4.6 * HOUR * self.dice.spread(0.75)).min(16.0 * HOUR)
        }
    }

    /// The doors of one guest's way.
    fn walk(&mut self, guest: &[Spell]) {
        let (Some(first), Some(last)) = (guest.first(), guest.last()) else {
            return;
        };
        self.passage(first.from);
        for pair in guest.windows(2) {
            if (pair[0].is == Truth::Away) != (pair[1].is == Truth::Away) {
                self.passage(pair[1].from);
            }
        }
        if last.is != Truth::Away {
            self.passage(last.to);
        }
    }

    /// The door opens and closes, and who goes through it is seen on the way.
    fn passage(&mut self, t: f64) {
        let open_for = self.dice.between(5.0, 20.0);
        self.say(t - open_for, Sensor::Door, true);
        self.say(t, Sensor::Door, false);
        for moment in [t - open_for - 5.0, t - 2.0, t + 1.0] {
            if self.dice.chance(0.7) {
                self.say(moment, Sensor::Motion, true);
            }
        }
    }

    /// What the motion sensor sees of one guest in one spell.
    fn move_about(&mut self, spell: Spell) {
        match spell.is {
            Truth::Away => {}
            Truth::Asleep => self.stir(spell.from, spell.to, 65.0 * MINUTE),
            Truth::Awake => {
                let (mut now, mut is_active) = (spell.from, true);
                while now < spell.to {
                    let mean = if is_active { 22.0 } else { 35.0 };
                    let until = (now + self.wait(mean * MINUTE)).min(spell.to);
                    let gap = if is_active { 75.0 } else { 22.0 * MINUTE };
                    self.stir(now, until, gap);
                    (now, is_active) = (until, !is_active);
                }
            }
        }
    }

    /// Motion at random, so far apart in the mean.
    fn stir(&mut self, from: f64, to: f64, gap: f64) {
        let gap = gap / self.sight;
        let mut now = from + self.wait(gap);
        while now < to {
            self.say(now, Sensor::Motion, true);
            now += self.wait(gap);
        }
    }

    /// What the bed says: in use from some minutes before sleep, left for some minutes in the night by one who sleeps alone.
    fn lie_down(&mut self, guests: &[Vec<Spell>]) {
        let mut lain: Vec<(f64, f64)> = Vec::new();
        for spell in guests.iter().flatten().filter(|spell| spell.is == Truth::Asleep) {
            lain.push((
                spell.from - self.dice.between(1.0, 15.0) * MINUTE,
                spell.to + self.dice.between(0.0, 2.0) * MINUTE,
            ));
        }
        lain.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut merged: Vec<(f64, f64)> = Vec::new();
        for (from, to) in lain {
            match merged.last_mut() {
                Some(last) if from <= last.1 => last.1 = last.1.max(to),
                _ => merged.push((from, to)),
            }
        }
        for (from, to) in merged {
            self.say(from, Sensor::Bed, true);
            let mut rises = from + self.wait(9.0 * HOUR);
            while guests.len() == 1 && rises < to - 30.0 * MINUTE {
                let back = rises + self.dice.between(3.0, 9.0) * MINUTE;
                self.say(rises, Sensor::Bed, false);
                self.stir(rises, back, 75.0);
                self.say(back, Sensor::Bed, true);
                rises = back + HOUR + self.wait(9.0 * HOUR);
            }
            self.say(to, Sensor::Bed, false);
        }
    }

    /// Staff make up the room before the arrival and once a day, when everybody is out if they can. Returns when they were in.
    fn staff(&mut self, has_key: bool, comes: f64, guests: &[Vec<Spell>]) -> Vec<(Moment, Moment)> {
        let mut visits = Vec::new();
        for day in 0..=NIGHTS {
            let length = self.dice.between(15.0, 40.0) * MINUTE;
            let from = day as f64 * DAY + self.dice.between(9.5, 15.0) * HOUR;
            let from = if day == 0 {
                from.min(comes - length - HOUR)
            } else {
                from
            };
            let is_in = |spell: &&Spell| spell.is != Truth::Away && spell.from < from + length && spell.to > from;
            if guests.iter().flatten().any(|spell| is_in(&spell)) && !self.dice.chance(0.15) {
                continue;
            }
            self.passage(from);
            self.stir(from, from + length, 60.0);
            self.passage(from + length);
            if has_key {
                self.say(from - 10.0, Sensor::Staff, true);
                self.say(from + length + 5.0, Sensor::Staff, false);
            }
            visits.push((at(from), at(from + length)));
        }
        visits
    }

    /// Curtains, insects and the fan coil: most sensors see one a day, a few one an hour.
    fn see_what_is_not(&mut self, until: f64) {
        let gap = 20.0 * HOUR * self.dice.spread(1.1);
        let mut now = self.wait(gap);
        while now < until {
            self.say(now, Sensor::Motion, true);
            now += self.wait(gap);
        }
    }

    fn say(&mut self, t: f64, sensor: Sensor, is_begun: bool) {
        if (0.0..DAYS * DAY).contains(&t) && self.told.len() < HAPPENINGS_MAX * (self.place + 1) {
            self.told.push(Told {
                at: at(t),
                place: self.place,
                sensor,
                is_begun,
            });
        }
    }

    /// How long until something happens that happens once in `mean`.
    fn wait(&mut self, mean: f64) -> f64 {
        -mean * (1.0 - self.dice.between(0.0, 1.0)).ln()
    }

    fn around(&mut self, mean: f64, sd: f64, low: f64, high: f64) -> f64 {
        (mean + sd * self.dice.normal()).clamp(low, high)
    }
}

/// Where the guests of a room are together: asleep when all who are in sleep.
fn truth(guests: &[Vec<Spell>]) -> Vec<(Moment, Moment, Truth)> {
    let mut cuts: Vec<f64> = guests
        .iter()
        .flatten()
        .flat_map(|spell| [spell.from, spell.to])
        .collect();
    cuts.extend([0.0, DAYS * DAY]);
    cuts.sort_by(f64::total_cmp);
    cuts.dedup();
    let is = |from: f64, what: Truth| {
        let mut spells = guests.iter().flatten();
        spells.any(|spell| spell.is == what && spell.from <= from && from < spell.to)
    };
    let together = |from: f64| match (is(from, Truth::Awake), is(from, Truth::Asleep)) {
        (true, _) => Truth::Awake,
        (false, true) => Truth::Asleep,
        (false, false) => Truth::Away,
    };
    let mut spans: Vec<(Moment, Moment, Truth)> = Vec::new();
    for (from, to) in cuts.iter().zip(cuts.iter().skip(1)) {
        let (begin, end, state) = (at(*from), at(*to), together(*from));
        match spans.last_mut() {
            Some(last) if last.2 == state => last.1 = end,
            _ => spans.push((begin, end, state)),
        }
    }
    spans
}

/// A moment of the made-up days, to the second, as logs have it.
fn at(t: f64) -> Moment {
    super::midnight() + Span::seconds(t.round() as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_makes_the_same_hotel_and_another_another() {
        let ((_, one, _), (_, again, _), (_, other, _)) = (hotel(3, 4), hotel(3, 4), hotel(4, 4));
        assert!(one == again && one != other && one.len() > 1000);
    }

    #[test]
    fn whoever_is_out_moves_nothing_and_every_coming_moves_the_door() {
        let (_, told, truths) = hotel(5, 12);
        for truth in &truths {
            for (from, to) in truth.within_stay(Truth::Away) {
                let is_inside = |one: &&Told| {
                    one.place == truth.place() && one.at > from + Span::minutes(1) && one.at < to - Span::minutes(1)
                };
                let bed = told
                    .iter()
                    .filter(is_inside)
                    .filter(|one| one.sensor == Sensor::Bed && one.is_begun);
                assert_eq!(bed.count(), 0);
                let is_back = |one: &&Told| one.place == truth.place() && one.at.since(to).as_minutes_f64().abs() < 1.0;
                let door = told.iter().filter(is_back).any(|one| one.sensor == Sensor::Door);
                assert!(
                    door || to == truth.stay().1,
                    "somebody came in at {to} without the door"
                );
            }
        }
    }
}
