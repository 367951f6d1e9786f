//! Where no contact tells of windows, how often is the air right about them, and how soon?
//!
//! Every opening of a judged day is held against the times at which the engine took a window for open. What it could have
//! told is what a careful person with the same thermometer could have: long enough, and with other air outside.

use super::hotel::Hotel;
use super::score::Trace;
use serde::Serialize;

/// A window that stands open for a shorter time changes too little to be told by readings five minutes apart, min.
const LONG_MIN: usize = 10;
/// With air outside that is nearer to the room's than this nothing falls, K.
const FAR_K: f64 = 6.0;
/// After the entrance door has moved, the air tells of the corridor for so long, min.
const DOOR_MIN: usize = 20;
/// A room is still on its way back for so long after a window was closed: what is taken for open then is the tail, min.
const TAIL_MIN: usize = 20;
/// How it is noted that a window is taken for open, and no longer.
const TAKEN: &str = "air-falls-as-under-an-open-window";
/// See above.
const NO_LONGER: &str = "air-falls-no-longer";

/// What was seen of one room.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    /// From when to when a window was taken for open, minutes from the beginning; what has not ended has no end.
    taken: Vec<(usize, usize)>,
    /// The minutes in which the unit was set to run under an open window.
    ran: Vec<usize>,
}

impl Seen {
    /// Something was concluded about the room.
    pub fn noted(&mut self, minute: usize, rule: &str) {
        match (rule, self.taken.last_mut()) {
            (TAKEN, _) => self.taken.push((minute, usize::MAX)),
            (NO_LONGER, Some(last)) => last.1 = minute,
            _ => {}
        }
    }

    /// The unit is set to run in this minute, and a window stands open.
    pub fn ran(&mut self, minute: usize) {
        self.ran.push(minute);
    }

    /// Whether a window is taken for open now.
    pub fn is_taken(&self) -> bool {
        self.taken.last().is_some_and(|(_, to)| *to == usize::MAX)
    }
}

/// One window that was opened and closed again.
#[derive(Debug, Clone, Serialize)]
pub struct Opening {
    /// Which room.
    pub room: usize,
    /// When it was opened, minutes from the beginning.
    pub minute: usize,
    /// How long it stood open, min.
    pub open_min: usize,
    /// How much warmer it was outside than in when it was opened, K.
    pub outside_k: f64,
    /// Whether the entrance door stood open meanwhile, or had moved in the 20 min before.
    pub is_by_door: bool,
    /// How long it took until it was taken for open; none when it was not while it stood open.
    pub told_after_min: Option<usize>,
    /// For so many minutes of it the unit was set to run.
    pub ran_min: usize,
    /// And gave so much heat or cold, kWh.
    pub kwh: f64,
}

impl Opening {
    /// Whether the air outside was other enough.
    fn is_far(&self) -> bool {
        self.outside_k.abs() >= FAR_K
    }

    /// Whether it could be told at all.
    fn could_be_told(&self) -> bool {
        self.open_min >= LONG_MIN && self.is_far()
    }
}

/// The openings of several rooms, and what was taken for one.
#[derive(Debug, Clone, Default)]
pub struct Openings {
    openings: Vec<Opening>,
    /// How often a window was taken for open that was not, and had not been in the last 20 min.
    false_count: usize,
    /// For how long, min.
    false_min: usize,
    /// The same in the 20 min after one was closed.
    tail_count: usize,
    /// For how long, min.
    tail_min: usize,
    /// The time that was looked at, minutes of one room.
    room_min: usize,
}

impl Openings {
    /// Holds what was seen of every room against what was true.
    pub fn of<'a>(hotel: &Hotel, seen: impl Iterator<Item = &'a Seen>, traces: &[Trace]) -> Self {
        let mut all = Self::default();
        for ((room, seen), trace) in seen.enumerate().zip(traces) {
            all.add_room(hotel, room, seen, trace);
        }
        all
    }

    fn add_room(&mut self, hotel: &Hotel, room: usize, seen: &Seen, trace: &Trace) {
        let window = &hotel.places[room].life.window;
        let judged = hotel.judged_from()..hotel.minutes();
        let was_open = |minute: usize| {
            let latest = window[..=minute].iter().rev().take(TAIL_MIN + 1).position(|open| *open);
            latest.map(|before| before == 0)
        };
        self.room_min += judged.len();
        for (from, to) in &seen.taken {
            if judged.contains(from) {
                self.false_count += usize::from(was_open(*from).is_none());
                self.tail_count += usize::from(was_open(*from) == Some(false));
            }
            for minute in (*from).max(judged.start)..(*to).min(judged.end) {
                self.false_min += usize::from(was_open(minute).is_none());
                self.tail_min += usize::from(was_open(minute) == Some(false));
            }
        }
        let found = spans(window).into_iter().filter(|(from, _)| judged.contains(from));
        self.openings
            .extend(found.map(|span| opening(hotel, room, span, seen, trace)));
    }

    /// Adds another hotel's.
    pub fn add(&mut self, other: Self) {
        self.openings.extend(other.openings);
        self.false_count += other.false_count;
        self.false_min += other.false_min;
        self.tail_count += other.tail_count;
        self.tail_min += other.tail_min;
        self.room_min += other.room_min;
    }

    /// The openings, one by one.
    pub fn each(&self) -> &[Opening] {
        &self.openings
    }
}

/// From when to when a window stood open.
fn spans(window: &[bool]) -> Vec<(usize, usize)> {
    let mut found: Vec<(usize, usize)> = vec![];
    for (minute, _) in window.iter().enumerate().filter(|(_, open)| **open) {
        match found.last_mut().filter(|(_, to)| *to == minute) {
            Some(last) => last.1 += 1,
            None => found.push((minute, minute + 1)),
        }
    }
    found
}

fn opening(hotel: &Hotel, room: usize, (from, to): (usize, usize), seen: &Seen, trace: &Trace) -> Opening {
    let door = &hotel.places[room].life.door;
    let told = seen.taken.iter().find(|(begin, end)| *begin < to && *end > from);
    let watts: f32 = trace.watts[from..to].iter().sum();
    Opening {
        room,
        minute: from,
        open_min: to - from,
        outside_k: hotel.weather.outdoor[from] - f64::from(trace.air[from]),
        is_by_door: door[from.saturating_sub(DOOR_MIN)..to].contains(&true),
        told_after_min: told.map(|(begin, _)| begin.saturating_sub(from)),
        ran_min: seen.ran.iter().filter(|minute| (from..to).contains(minute)).count(),
        kwh: f64::from(watts) / 60_000.0,
    }
}

/// How right the air was about windows, and what that cost, beside the same house with contacts.
#[derive(Debug, Clone, Default, Serialize)]
pub struct OpeningFigures {
    /// Windows that were opened.
    pub openings: usize,
    /// Of these, open for less than 10 min.
    pub short: usize,
    /// Of the others, with air outside less than 6 K from the room's.
    pub mild: usize,
    /// The rest: what could be told.
    pub could: usize,
    /// Of what could be told, taken for open while they stood open.
    pub told: usize,
    /// The same as a share, %. Null without any.
    pub told_share: Option<f64>,
    /// Of what could be told, those beside an entrance door that stood open, or had moved in the 20 min before.
    pub could_by_door: usize,
    /// Of these, taken for open.
    pub told_by_door: usize,
    /// Taken for open of the short and the mild ones.
    pub told_of_others: usize,
    /// How long it took until a window was taken for open, of what could be told and was: median, min.
    pub told_after_median_min: Option<usize>,
    /// And the slowest tenth.
    pub told_after_p90_min: Option<usize>,
    /// How often a window was taken for open that was not, nor had been in the last 20 min.
    pub false_openings: usize,
    /// The same per room and month of 30 days.
    pub false_openings_per_room_month: f64,
    /// For how long, min per room and month.
    pub false_min_per_room_month: f64,
    /// How often one was first taken for open in the 20 min after it had been closed.
    pub tail_openings: usize,
    /// For how long one was, min per room and month.
    pub tail_min_per_room_month: f64,
    /// For how long the unit was set to run under an open window, min per opening of any kind.
    pub ran_min_per_opening: Option<f64>,
    /// What it gave meanwhile, kWh per opening.
    pub kwh_per_opening: Option<f64>,
    /// The same with contacts.
    pub with_contacts_ran_min_per_opening: Option<f64>,
    /// See above.
    pub with_contacts_kwh_per_opening: Option<f64>,
}

impl OpeningFigures {
    /// Sums it up; `beside` is the same house with contacts.
    pub fn of(found: &Openings, beside: &Openings) -> Self {
        let all = found.each();
        let could: Vec<&Opening> = all.iter().filter(|opening| opening.could_be_told()).collect();
        let by_door: Vec<&&Opening> = could.iter().filter(|opening| opening.is_by_door).collect();
        let mut after: Vec<usize> = could.iter().filter_map(|opening| opening.told_after_min).collect();
        after.sort_unstable();
        let short = all.iter().filter(|opening| opening.open_min < LONG_MIN).count();
        let told_of_all = all.iter().filter(|opening| opening.told_after_min.is_some()).count();
        let months = (found.room_min as f64 / (30.0 * 1440.0)).max(1e-9);
        let ran = |opening: &Opening| opening.ran_min as f64;
        Self {
            openings: all.len(),
            short,
            mild: all.len() - short - could.len(),
            could: could.len(),
            told: after.len(),
            told_share: (!could.is_empty()).then(|| 100.0 * after.len() as f64 / could.len() as f64),
            could_by_door: by_door.len(),
            told_by_door: by_door
                .iter()
                .filter(|opening| opening.told_after_min.is_some())
                .count(),
            told_of_others: told_of_all - after.len(),
            told_after_median_min: after.get(after.len() / 2).copied(),
            told_after_p90_min: after.get(after.len() * 9 / 10).copied(),
            false_openings: found.false_count,
            false_openings_per_room_month: found.false_count as f64 / months,
            false_min_per_room_month: found.false_min as f64 / months,
            tail_openings: found.tail_count,
            tail_min_per_room_month: found.tail_min as f64 / months,
            ran_min_per_opening: found.mean(ran),
            kwh_per_opening: found.mean(|opening| opening.kwh),
            with_contacts_ran_min_per_opening: beside.mean(ran),
            with_contacts_kwh_per_opening: beside.mean(|opening| opening.kwh),
        }
    }
}

impl Openings {
    fn mean(&self, of: impl Fn(&Opening) -> f64) -> Option<f64> {
        let count = self.openings.len();
        (count > 0).then(|| self.openings.iter().map(of).sum::<f64>() / count as f64)
    }
}

/// The figures in words, for people.
pub fn line(figures: &OpeningFigures) -> String {
    let f = figures;
    let whole = |value: Option<usize>| value.map_or("-".to_owned(), |value| value.to_string());
    let fine = |value: Option<f64>, digits: usize| value.map_or("-".to_owned(), |value| format!("{value:.digits$}"));
    format!(
        "windows without contacts: {} openings, {} short, {} mild; of the {} that could be told {} were ({} %), {} of {} beside \
         the entrance door, after {} min (median; p90 {}), and {} of the others; taken for open that were not {} ({:.2} and \
         {:.1} min a room and month), in the tail {} ({:.1} min); the unit ran for {} min of an opening and gave {} kWh (with \
         contacts {} min and {} kWh)\n",
        f.openings,
        f.short,
        f.mild,
        f.could,
        f.told,
        fine(f.told_share, 1),
        f.told_by_door,
        f.could_by_door,
        whole(f.told_after_median_min),
        whole(f.told_after_p90_min),
        f.told_of_others,
        f.false_openings,
        f.false_openings_per_room_month,
        f.false_min_per_room_month,
        f.tail_openings,
        f.tail_min_per_room_month,
        fine(f.ran_min_per_opening, 1),
        fine(f.kwh_per_opening, 2),
        fine(f.with_contacts_ran_min_per_opening, 1),
        fine(f.with_contacts_kwh_per_opening, 2)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::preparation::hotel::Options;
    use crate::evaluate::preparation::weather::Site;

    /// A room at 21 C in freezing air whose door stays shut and whose window opens when said.
    fn hotel(open: &[(usize, usize)]) -> (Hotel, Trace) {
        let mut hotel = Hotel::build(Options {
            site: Site::Heating,
            rooms: 1,
            days: 1,
            warm_up_days: 1,
            seed: 1,
            eta_error_min: 60.0,
            is_coarse: false,
            has_faults: false,
            has_window_contacts: false,
        });
        hotel.weather.outdoor.fill(0.0);
        hotel.places[0].life.window.fill(false);
        hotel.places[0].life.door.fill(false);
        for (from, to) in open {
            hotel.places[0].life.window[*from..*to].fill(true);
        }
        let mut trace = Trace::of_minutes(0);
        (trace.air, trace.watts) = (vec![21.0; hotel.minutes()], vec![600.0; hotel.minutes()]);
        (hotel, trace)
    }

    fn seen(taken: &[(usize, usize)]) -> Seen {
        let mut seen = Seen::default();
        for (from, to) in taken {
            seen.noted(*from, TAKEN);
            assert!(seen.is_taken());
            seen.noted(*to, NO_LONGER);
            assert!(!seen.is_taken());
        }
        seen
    }

    #[test]
    fn what_was_told_is_told_apart_from_the_tail_and_from_what_was_not() {
        // In the learning days; told after 12 min; too short; never told, but in its tail; never open at all.
        let (mut hotel, trace) = hotel(&[(100, 130), (1500, 1530), (1600, 1605), (1700, 1730), (2000, 2030)]);
        let mut seen = seen(&[(1512, 1540), (1740, 1770), (1900, 1920)]);
        hotel.places[0].life.door[1985] = true;
        (1500..1515).for_each(|minute| seen.ran(minute));
        let found = Openings::of(&hotel, [&seen].into_iter(), &[trace]);
        let figures = OpeningFigures::of(&found, &Openings::default());
        assert_eq!((figures.openings, figures.short, figures.mild), (4, 1, 0));
        assert_eq!((figures.could, figures.told, figures.told_of_others), (3, 1, 0));
        assert_eq!((figures.could_by_door, figures.told_by_door), (1, 0));
        assert_eq!(figures.told_after_median_min, Some(12));
        assert_eq!((figures.false_openings, figures.tail_openings), (1, 1));
        // False: the last one's 20 min, and 20 of the second that lie beyond the tail. In the tail: 10 min of each of the first two.
        assert!(
            (figures.false_min_per_room_month / 30.0 - 40.0).abs() < 1e-6,
            "{figures:?}"
        );
        assert!(
            (figures.tail_min_per_room_month / 30.0 - 20.0).abs() < 1e-6,
            "{figures:?}"
        );
        assert_eq!(figures.ran_min_per_opening, Some(15.0 / 4.0));
        assert!((found.each()[0].kwh - 0.3).abs() < 1e-6);
        assert!(line(&figures).contains("of the 3 that could be told 1 were (33.3 %)"));
    }

    #[test]
    fn mild_air_is_no_opening_that_could_be_told() {
        let (mut hotel, trace) = hotel(&[(1500, 1530)]);
        hotel.weather.outdoor.fill(16.0);
        let found = Openings::of(&hotel, [&seen(&[(1510, 1530)])].into_iter(), &[trace]);
        let figures = OpeningFigures::of(&found, &Openings::default());
        assert_eq!((figures.could, figures.mild, figures.told_of_others), (0, 1, 1));
        assert_eq!((figures.told_share, figures.told_after_median_min), (None, None));
    }
}
