//! What does the clock on the property's wall say, and when does a scheduled job run next?
//!
//! Civil time is a matter of the property's zone. Jobs are written as five cron fields; the `cron` crate is sound as a
//! parser and on UTC but not across daylight-saving changes, so expressions are evaluated on civil time and mapped to
//! real time afterwards. A time that daylight saving skips is moved later by the gap; a time that comes twice counts once.

use crate::model::{Moment, Span};
use chrono::TimeZone as _;
use jiff::civil;
use jiff::tz::TimeZone;

/// Quiet hours for the occupancy rules, local.
const NIGHT_FROM_HOUR: i8 = 22;
/// End of the quiet hours.
const NIGHT_TO_HOUR: i8 = 8;
/// Give up looking for a cron time after so many candidates: an expression such as 30 February has none.
const CRON_CANDIDATES_MAX: usize = 4096;

/// The property's wall clock.
#[derive(Debug, Clone)]
pub struct Calendar {
    zone: TimeZone,
}

impl Calendar {
    /// Opens the calendar of an IANA zone.
    ///
    /// # Errors
    /// Says that the zone is not in the time-zone database.
    pub fn new(zone: &str) -> Result<Self, String> {
        let zone = TimeZone::get(zone)
            .map_err(|_| format!("time zone {zone:?} is unknown; write one such as \"Europe/Vienna\""))?;
        Ok(Self { zone })
    }

    /// The local date and time.
    pub fn local(&self, at: Moment) -> civil::DateTime {
        at.timestamp().to_zoned(self.zone.clone()).datetime()
    }

    /// The local date as `2026-11-21`.
    pub fn date(&self, at: Moment) -> String {
        self.local(at).date().to_string()
    }

    /// Days since 1970-01-01, local.
    pub fn day(&self, at: Moment) -> i32 {
        let days = self.local(at).date().since((jiff::Unit::Day, civil::date(1970, 1, 1)));
        days.map(|span| span.get_days()).unwrap_or_default()
    }

    /// The first moment of the local day that this one is in.
    pub fn start_of_day(&self, at: Moment) -> Moment {
        self.real(self.local(at).date().at(0, 0, 0, 0))
    }

    /// Minutes after local midnight, 0 to 1439.
    pub fn minute(&self, at: Moment) -> u16 {
        let time = self.local(at).time();
        u16::try_from(i32::from(time.hour()) * 60 + i32::from(time.minute())).unwrap_or_default()
    }

    /// Whether it is night for the occupancy rules.
    pub fn is_night(&self, at: Moment) -> bool {
        let hour = self.local(at).hour();
        !(NIGHT_TO_HOUR..NIGHT_FROM_HOUR).contains(&hour)
    }

    /// Whether it is night for the occupancy rules, and until when that holds.
    pub fn night_until(&self, at: Moment) -> (bool, Moment) {
        let is_night = self.is_night(at);
        let hour = if is_night { NIGHT_TO_HOUR } else { NIGHT_FROM_HOUR };
        (is_night, self.next_at_minute(at, u16::from(hour.unsigned_abs()) * 60))
    }

    /// The night that a moment belongs to: evenings and the small hours after them share one date, the evening's.
    pub fn night(&self, at: Moment) -> String {
        self.date(at - Span::hours(12))
    }

    /// Returns the next moment after `after` at which the wall shows this minute of the day.
    pub fn next_at_minute(&self, after: Moment, minute: u16) -> Moment {
        let wall = civil::time((minute / 60 % 24) as i8, (minute % 60) as i8, 0, 0);
        let mut day = self.local(after).date();
        for _ in 0..3 {
            let at = self.real(day.to_datetime(wall));
            if at > after {
                return at;
            }
            day = day.tomorrow().unwrap_or(day);
        }
        after + Span::days(1)
    }

    /// Returns the moment at which the wall shows a minute counted from the midnight that begins a local day.
    pub fn at(&self, day: i32, minute: i32) -> Moment {
        let days = day.saturating_add(minute.div_euclid(1440));
        let date = civil::date(1970, 1, 1).checked_add(jiff::Span::new().days(days));
        let wall = minute.rem_euclid(1440);
        let wall = civil::time((wall / 60) as i8, (wall % 60) as i8, 0, 0);
        date.map_or(Moment::LATEST, |date| self.real(date.to_datetime(wall)))
    }

    /// Maps a civil time to a real one: a skipped one is moved later by the gap, a doubled one is its first.
    fn real(&self, wall: civil::DateTime) -> Moment {
        let at = self
            .zone
            .to_ambiguous_zoned(wall)
            .compatible()
            .map(|zoned| zoned.timestamp().as_millisecond());
        at.map(Moment::from_millis).unwrap_or(Moment::LATEST)
    }
}

/// A job's schedule: five cron fields, days of the week by name.
#[derive(Debug, Clone)]
pub struct Schedule {
    schedule: Box<cron::Schedule>,
}

impl Schedule {
    /// Reads `minute hour day-of-month month day-of-week`.
    ///
    /// # Errors
    /// Says what is wrong and what to write instead.
    pub fn new(text: &str) -> Result<Self, String> {
        let fields: Vec<&str> = text.split_whitespace().collect();
        let [_, _, _, _, weekday] = fields[..] else {
            return Err(format!(
                "{text:?} has {} fields; write five: minute hour day month weekday",
                fields.len()
            ));
        };
        if weekday.chars().any(|c| c.is_ascii_digit()) {
            return Err(format!(
                "{text:?} numbers the weekday, which tools count differently; write its name: Mon-Fri"
            ));
        }
        let schedule = format!("0 {}", fields.join(" ")).parse::<cron::Schedule>();
        let schedule =
            schedule.map_err(|fault| format!("{text:?} is no schedule ({fault}); write for example \"30 3 * * *\""))?;
        Ok(Self {
            schedule: Box::new(schedule),
        })
    }

    /// Returns the first run after a moment, or none if there is no further one. Always later than `after`.
    pub fn next(&self, calendar: &Calendar, after: Moment) -> Option<Moment> {
        // Civil time is handed to the crate as if it were UTC, from a little before: a gap may have moved a run later.
        let wall = calendar.local(after - Span::hours(3));
        let seconds = wall.to_zoned(TimeZone::UTC).ok()?.timestamp().as_second();
        let from = chrono::Utc.timestamp_opt(seconds, 0).single()?;
        self.schedule
            .after(&from)
            .take(CRON_CANDIDATES_MAX)
            .find_map(|civil_utc| {
                let stamp = jiff::Timestamp::from_second(civil_utc.timestamp()).ok()?;
                let at = calendar.real(stamp.to_zoned(TimeZone::UTC).datetime());
                (at > after).then_some(at)
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Moment {
        Moment::parse(text).unwrap()
    }

    #[test]
    fn a_job_in_the_spring_gap_runs_once_and_later() {
        let (vienna, daily) = (
            Calendar::new("Europe/Vienna").unwrap(),
            Schedule::new("30 2 * * *").unwrap(),
        );
        let first = daily.next(&vienna, at("2027-03-27T12:00:00Z")).unwrap();
        assert_eq!(
            first,
            at("2027-03-28T01:30:00Z"),
            "02:30 does not exist; it is 03:30 summer time"
        );
        assert_eq!(daily.next(&vienna, first), Some(at("2027-03-29T00:30:00Z")));
    }

    #[test]
    fn a_job_in_the_autumn_fold_runs_once() {
        let (vienna, daily) = (
            Calendar::new("Europe/Vienna").unwrap(),
            Schedule::new("30 2 * * *").unwrap(),
        );
        let first = daily.next(&vienna, at("2026-10-24T12:00:00Z")).unwrap();
        assert_eq!(first, at("2026-10-25T00:30:00Z"));
        assert_eq!(daily.next(&vienna, first), Some(at("2026-10-26T01:30:00Z")));
    }

    #[test]
    fn daily_jobs_run_once_a_day_in_every_zone() {
        for zone in ["Europe/Vienna", "America/Havana", "Africa/Cairo", "Australia/Lord_Howe"] {
            let (calendar, daily) = (Calendar::new(zone).unwrap(), Schedule::new("0 0 * * *").unwrap());
            let (mut now, mut runs) = (at("2026-03-01T00:00:00Z"), 0);
            while let Some(next) = daily.next(&calendar, now).filter(|n| *n < at("2026-11-26T00:00:00Z")) {
                assert!(next > now, "{zone}");
                (now, runs) = (next, runs + 1);
            }
            assert_eq!(runs, 270, "{zone}");
        }
    }

    #[test]
    fn frequent_jobs_never_go_back_in_time_through_the_autumn_fold() {
        let (vienna, often) = (
            Calendar::new("Europe/Vienna").unwrap(),
            Schedule::new("*/20 * * * *").unwrap(),
        );
        let mut now = at("2026-10-24T20:00:00Z");
        for _ in 0..40 {
            let next = often.next(&vienna, now).unwrap();
            assert!(next > now, "{now} {next}");
            now = next;
        }
    }

    #[test]
    fn a_numbered_weekday_is_refused_with_a_remedy() {
        assert!(Schedule::new("0 3 * * 1").unwrap_err().contains("Mon-Fri"));
        assert!(Schedule::new("0 3 * *").unwrap_err().contains("five"));
        assert!(
            Schedule::new("0 3 30 Feb *")
                .unwrap()
                .next(&Calendar::new("UTC").unwrap(), at("2026-01-01T00:00:00Z"))
                .is_none()
        );
    }

    #[test]
    fn small_hours_belong_to_the_evening_before() {
        let vienna = Calendar::new("Europe/Vienna").unwrap();
        assert_eq!(vienna.night(at("2026-11-21T22:30:00Z")), "2026-11-21");
        assert_eq!(vienna.night(at("2026-11-22T03:00:00Z")), "2026-11-21");
        assert_eq!(
            vienna.next_at_minute(at("2026-11-21T22:30:00Z"), 23 * 60),
            at("2026-11-22T22:00:00Z")
        );
    }
}
