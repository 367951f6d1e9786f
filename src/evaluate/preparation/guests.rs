//! Who comes when, and what happens in the room?
//!
//! Stays follow one another: some rooms are sold again the same day, some stand empty for a night or two. A guest comes at
//! a time, said at another, goes out, sleeps, opens a window, now and then turns the dial; housekeeping cleans with the door
//! open; some walk in without a booking, and some never come.

use super::dice::Dice;
use super::weather::{DAY, Site};

/// A desk sells a room again when its guest has not come for so long after the announced arrival, and not before: no house
/// can hold a room for two.
const GIVEN_UP_MIN: i64 = 250;

/// Who is in a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// Nobody, and nobody has the room.
    Vacant,
    /// The guest, awake.
    Awake,
    /// The guest, asleep.
    Asleep,
    /// The guest has the room and is out.
    Out,
    /// Staff, in a room without a guest.
    Staff,
}

/// One stay. Times are minutes from the beginning.
#[derive(Debug, Clone)]
pub struct Visit {
    /// The door opens for the guest.
    pub arrival: usize,
    /// The guest has left.
    pub departure: usize,
    /// When the booking becomes known; none for who walks in.
    pub booked: Option<usize>,
    /// The arrival as it was announced.
    pub eta: i64,
    /// Checked in at the desk.
    pub check_in: usize,
    /// What the guest likes, C.
    pub preferred: f64,
    /// The guest turns the dial, to this.
    pub dial: Option<(usize, f64)>,
    /// Never comes.
    pub is_no_show: bool,
}

/// What happens at a minute that a device or the desk would tell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Happening {
    /// The desk books, checks in, checks out the visit of this number.
    Booked(usize),
    /// See above.
    CheckedIn(usize),
    /// See above.
    CheckedOut(usize),
    /// The entrance door opens or closes.
    Door(bool),
    /// The window opens or closes.
    Window(bool),
    /// Somebody lies down, or gets up.
    Bed(bool),
    /// The guest turns the dial to this.
    Dial(f64),
}

/// All that happens in one room.
#[derive(Debug)]
pub struct Life {
    /// The stays, in order.
    pub visits: Vec<Visit>,
    /// Who is in, by the minute.
    pub who: Vec<Who>,
    /// W of people, by the minute.
    pub people_w: Vec<u16>,
    /// Whether the room is made up while its guest is out, by the minute.
    pub maid: Vec<bool>,
    /// Whether the window is open, by the minute.
    pub window: Vec<bool>,
    /// Whether the door stands open, by the minute.
    pub door: Vec<bool>,
    /// What devices and desk tell, in order of time.
    pub happenings: Vec<(usize, Happening)>,
}

/// How guests behave.
#[derive(Debug, Clone, Copy)]
pub struct Manners {
    /// Standard deviation of the announced arrival about the true one, min.
    pub eta_error_min: f64,
    /// Walk in without a booking.
    pub walk_in_share: f64,
    /// Never come.
    pub no_show_share: f64,
}

impl Life {
    /// Tells one room's story.
    pub fn tell(site: Site, minutes: usize, manners: Manners, dice: &mut Dice) -> Self {
        let mut life = Self::empty(minutes);
        let mut day = dice.between(0.0, 2.0) as usize;
        let mut free_from = 0;
        let mut sold_again_from = 0;
        while (day + 1) * DAY < minutes {
            let mut visit = draw(day, free_from, manners, dice);
            visit.booked = visit.booked.map(|at| at.max(sold_again_from).min(visit.arrival - 60));
            if visit.departure + 6 * 60 >= minutes {
                break;
            }
            let left_on = if visit.is_no_show { day } else { visit.departure / DAY };
            free_from = if visit.is_no_show {
                visit.arrival + 600
            } else {
                visit.departure + 100
            };
            if visit.is_no_show {
                sold_again_from = (visit.eta + GIVEN_UP_MIN).max(0) as usize;
            }
            life.live(site, visit, dice);
            let gap = if dice.chance(0.7) {
                0
            } else {
                1 + usize::from(dice.chance(0.4))
            };
            day = left_on + gap + usize::from(left_on == day);
        }
        life.happenings.sort_by_key(|(minute, _)| *minute);
        life
    }

    /// The story of one room in a house that a party fills every afternoon, at this minute of the day, for one night.
    pub fn of_parties(site: Site, minutes: usize, eta: usize, dice: &mut Dice) -> Self {
        let mut life = Self::empty(minutes);
        for day in 0..(minutes / DAY).saturating_sub(1) {
            let eta = day * DAY + eta;
            let arrival = eta + dice.minutes(5.0, 4.0, 0.0, 15.0) as usize;
            let visit = Visit {
                arrival,
                departure: (day + 1) * DAY + dice.minutes(540.0, 15.0, 500.0, 570.0) as usize,
                booked: Some((day * DAY).saturating_sub(360)),
                eta: eta as i64,
                check_in: arrival - 3,
                preferred: 22.5,
                dial: None,
                is_no_show: false,
            };
            life.live(site, visit, dice);
        }
        life.happenings.sort_by_key(|(minute, _)| *minute);
        life
    }

    fn empty(minutes: usize) -> Self {
        Self {
            visits: Vec::new(),
            who: vec![Who::Vacant; minutes],
            people_w: vec![0; minutes],
            maid: vec![false; minutes],
            window: vec![false; minutes],
            door: vec![false; minutes],
            happenings: Vec::new(),
        }
    }

    fn live(&mut self, site: Site, visit: Visit, dice: &mut Dice) {
        let number = self.visits.len();
        if let Some(booked) = visit.booked {
            self.happenings.push((booked, Happening::Booked(number)));
        }
        if !visit.is_no_show {
            self.happenings.push((visit.check_in, Happening::CheckedIn(number)));
            self.happenings.push((
                visit.departure + dice.between(1.0, 20.0) as usize,
                Happening::CheckedOut(number),
            ));
            self.stay(site, &visit, dice);
            self.clean(site, visit.departure, dice);
        }
        self.visits.push(visit);
    }

    /// The guest's days and nights.
    fn stay(&mut self, site: Site, visit: &Visit, dice: &mut Dice) {
        let watts = if dice.chance(0.6) { 170 } else { 95 };
        self.fill(visit.arrival, visit.departure, Who::Awake, watts);
        for day in visit.arrival / DAY..=visit.departure / DAY {
            let at = |minute: i64| (day * DAY) as i64 + minute;
            let bed = at(dice.minutes(1395.0, 45.0, 1290.0, 1500.0));
            let up = at(1440 + dice.minutes(430.0, 45.0, 330.0, 540.0));
            let day_out = (
                dice.minutes(560.0, 50.0, 480.0, 680.0),
                dice.minutes(1020.0, 70.0, 900.0, 1140.0),
            );
            let dinner = (
                dice.minutes(1150.0, 30.0, 1100.0, 1210.0),
                dice.minutes(1265.0, 20.0, 1230.0, 1285.0),
            );
            if dice.chance(0.8) {
                self.out(visit, at(day_out.0), at(day_out.1), dice);
            }
            if dice.chance(0.5) {
                self.out(visit, at(dinner.0), at(dinner.1), dice);
            }
            self.sleep(visit, bed, up, watts);
            if dice.chance(if site == Site::Shoulder { 0.3 } else { 0.12 }) {
                let from = at(dice.minutes(1300.0, 30.0, 1220.0, 1380.0));
                self.window_open(visit, from, dice.minutes(25.0, 10.0, 8.0, 50.0));
            }
        }
        self.door_moves(visit.arrival, 1);
        self.door_moves(visit.departure, 1);
        if let Some((minute, to)) = visit.dial.filter(|(minute, _)| self.who[*minute] == Who::Awake) {
            self.happenings.push((minute, Happening::Dial(to)));
        }
    }

    fn fill(&mut self, from: usize, to: usize, who: Who, watts: u16) {
        let to = to.min(self.who.len());
        self.who[from..to].fill(who);
        self.people_w[from..to].fill(watts);
    }

    /// Out for some hours, an hour after the arrival and before the departure at the earliest and latest.
    fn out(&mut self, visit: &Visit, from: i64, to: i64, dice: &mut Dice) {
        let (first, last) = (visit.arrival as i64 + 45, visit.departure as i64 - 30);
        if from < first || to > last || to - from < 30 {
            return;
        }
        let (from, to) = (from as usize, to as usize);
        self.fill(from, to, Who::Out, 0);
        self.door_moves(from, 1);
        self.door_moves(to, 1);
        if to - from > 240 && dice.chance(0.85) {
            let clean = from + 30 + dice.between(0.0, (to - from - 120) as f64) as usize;
            let minutes = dice.minutes(25.0, 8.0, 12.0, 45.0) as usize;
            self.door_moves(clean, minutes);
            let to = (clean + minutes).min(self.maid.len());
            self.maid[clean.min(to)..to].fill(true);
        }
    }

    fn sleep(&mut self, visit: &Visit, from: i64, to: i64, watts: u16) {
        // Who has come home is awake for a while.
        let came_home = |minute: &usize| self.who[*minute] == Who::Out;
        let home = (visit.arrival..(from.max(0) as usize).min(self.who.len()))
            .rev()
            .take(30)
            .find(came_home);
        let from = from
            .max(visit.arrival as i64 + 30)
            .max(home.map_or(0, |minute| minute as i64 + 30));
        let to = to.min(visit.departure as i64 - 25);
        if to - from < 60 {
            return;
        }
        let (from, to) = (from as usize, to as usize);
        self.fill(from, to, Who::Asleep, watts * 7 / 10);
        self.happenings.push((from, Happening::Bed(true)));
        self.happenings.push((to, Happening::Bed(false)));
    }

    /// A window opens only under a guest who is in.
    fn window_open(&mut self, visit: &Visit, from: i64, minutes: i64) {
        let (from, to) = (from.max(0) as usize, (from + minutes).max(0) as usize);
        let is_in = from > visit.arrival + 60 && to + 30 < visit.departure;
        if is_in && self.who[from..to].iter().all(|who| *who == Who::Awake) {
            self.window_moves(from, to);
        }
    }

    fn window_moves(&mut self, from: usize, to: usize) {
        self.window[from..to].fill(true);
        self.happenings.push((from, Happening::Window(true)));
        self.happenings.push((to, Happening::Window(false)));
    }

    fn door_moves(&mut self, from: usize, minutes: usize) {
        let to = (from + minutes).min(self.door.len());
        self.door[from.min(to)..to].fill(true);
        self.happenings.push((from, Happening::Door(true)));
        self.happenings.push((to, Happening::Door(false)));
    }

    /// Housekeeping after the departure: the door stands open, sometimes the window, too.
    fn clean(&mut self, site: Site, departure: usize, dice: &mut Dice) {
        let from = departure + 15 + dice.between(0.0, 45.0) as usize;
        let minutes = dice.between(25.0, 40.0) as usize;
        self.fill(from, from + minutes, Who::Staff, 100);
        self.door_moves(from, minutes);
        if dice.chance(if site == Site::Cooling { 0.05 } else { 0.25 }) {
            self.window_moves(from + 3, from + minutes - 3);
        }
    }
}

fn draw(day: usize, free_from: usize, manners: Manners, dice: &mut Dice) -> Visit {
    let midnight = day * DAY;
    let arrival = (midnight + dice.minutes(1010.0, 105.0, 750.0, 1410.0) as usize).max(free_from);
    let nights = 1 + dice.between(0.0, 2.6) as usize;
    let departure = (arrival / DAY + nights) * DAY + dice.minutes(590.0, 70.0, 390.0, 720.0) as usize;
    let is_walk_in = dice.chance(manners.walk_in_share);
    let is_no_show = !is_walk_in && dice.chance(manners.no_show_share);
    let desk = (13.0 * dice.spread(0.5)).clamp(4.0, 45.0) as usize;
    let preferred = ((22.0 + dice.normal()) * 2.0).round().clamp(39.0, 49.0) / 2.0;
    let later = arrival + dice.between(200.0, 900.0) as usize;
    let turned = preferred + if dice.chance(0.5) { 1.0 } else { -1.0 };
    let does_turn = dice.chance(0.35);
    Visit {
        arrival,
        departure,
        booked: (!is_walk_in).then(|| midnight.saturating_sub(360).min(arrival.saturating_sub(300))),
        eta: arrival as i64 + (manners.eta_error_min * dice.normal()).round() as i64,
        check_in: arrival - desk.min(arrival),
        preferred,
        dial: does_turn.then_some((later, turned)).filter(|_| later + 60 < departure),
        is_no_show,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stays_follow_one_another_and_nothing_happens_out_of_order() {
        let manners = Manners {
            eta_error_min: 60.0,
            walk_in_share: 0.08,
            no_show_share: 0.02,
        };
        let mut arrivals = 0;
        for room in 0..20 {
            let life = Life::tell(Site::Heating, 44 * DAY, manners, &mut Dice::new(3, room));
            arrivals += life.visits.len();
            assert!(life.happenings.is_sorted_by_key(|(minute, _)| *minute));
            for pair in life.visits.windows(2) {
                assert!(pair[0].is_no_show || pair[0].departure + 90 < pair[1].arrival);
            }
            for visit in life.visits.iter().filter(|v| !v.is_no_show) {
                assert_eq!(life.who[visit.arrival], Who::Awake);
                assert!(visit.check_in < visit.arrival && visit.arrival + 360 < visit.departure);
            }
        }
        assert!(arrivals > 250, "{arrivals}");
    }
}
