//! How good was the rule? The figures of one run, from what every room did minute by minute.

use super::account::{Account, Use};
use super::guests::Visit;
use super::hotel::Hotel;
use super::openings::{Opening, OpeningFigures, Openings};
use super::watch::{Never, Watch};
use serde::Serialize;

/// In band at the door: this near to what the guest likes, K.
pub const BAND_K: f64 = 0.5;
/// A told recovery ends this near to what the guest likes, K: where the planner's own forecast ends.
const AIMED_K: f64 = 0.27;
/// A recovery that is told to take longer than this is told not to end in time at all, min.
const NEVER_MIN: f64 = 360.0;
/// Somebody who meets a room out of band is followed so long at most, min.
const LATE_MAX: usize = 240;
/// Energy counts from the last departure, or from so long before the arrival, min.
const ENERGY_BEFORE: usize = 720;
/// To so long after it.
const ENERGY_AFTER: usize = 180;
/// Ready earlier than this counts as this, min.
const EARLY_MAX: usize = 720;

/// What one room did.
#[derive(Debug, Clone)]
pub struct Trace {
    /// Air, C, by the minute.
    pub air: Vec<f32>,
    /// Heat given plus heat taken, W, by the minute.
    pub watts: Vec<f32>,
    /// Heat taken, W, by the minute.
    pub cooled: Vec<f32>,
    /// What it was spent on, by the minute.
    pub uses: Vec<Use>,
}

/// One arrival under one rule.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Arrival {
    /// Which room.
    pub room: usize,
    /// When the door opened, minutes from the beginning.
    pub minute: usize,
    /// Whether nobody knew of it before the check-in.
    pub walk_in: bool,
    /// What the guest likes, C.
    pub preferred: f64,
    /// What the guest met, C.
    pub met: f64,
    /// How long the room had been in band, min.
    pub early_min: usize,
    /// How long it took to come into band afterwards, min.
    pub late_min: usize,
    /// Heat and cold for it, kWh.
    pub kwh: f64,
    /// What they went to.
    pub account: Account,
}

/// The figures of one rule.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Figures {
    /// The rule.
    pub rule: String,
    /// Booked arrivals that were judged.
    pub arrivals: usize,
    /// In band at the door, %.
    pub in_band: f64,
    /// In band among the arrivals that a room never set back satisfies, %.
    pub in_band_attainable: f64,
    /// Out of band at the door and late, mean over all arrivals, min.
    pub late_mean_min: f64,
    /// The latest twentieth.
    pub late_p95_min: f64,
    /// In band before the arrival, mean, min.
    pub early_mean_min: f64,
    /// Heat and cold at the coil, from the last departure (at most 12 h before) to 3 h after the arrival, kWh each.
    pub kwh_per_arrival: f64,
    /// The same over a room never set back, %.
    pub energy_vs_always_on: f64,
    /// How much of what the clairvoyant saves over always-on is saved, %.
    pub saving_captured: f64,
    /// What the energy went to, kWh each.
    pub account: Account,
    /// Arrivals that always-on would have satisfied and this rule did not.
    pub sacrificed: usize,
    /// Walk-ins: how many, and how many in band, %.
    pub walk_ins: usize,
    /// See above.
    pub walk_ins_in_band: f64,
    /// What only innkeeper can be asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keeper: Option<KeeperFigures>,
}

/// What only the engine has.
#[derive(Debug, Clone, Default, Serialize)]
pub struct KeeperFigures {
    /// Of the preparations, the share that was in band within the lead they were given, %. Null without any.
    pub lead_coverage: Option<f64>,
    /// Error of the time needed as it was told at the start (what it took less what was told): mean absolute, mean, and
    /// root mean square, min.
    pub recovery_mae_min: Option<f64>,
    /// See above.
    pub recovery_bias_min: Option<f64>,
    /// See above.
    pub recovery_rmse_min: Option<f64>,
    /// Of the recoveries, the share that lasted between the two times told for one case of ten and for nine, %.
    pub recovery_inside_p10_p90: Option<f64>,
    /// How many preparations that had somewhere to go.
    pub recoveries: usize,
    /// How many more were told to take longer than can be foreseen, and came all the same.
    pub recoveries_told_never: usize,
    /// Promises kept and missed at the door.
    pub promises_kept: usize,
    /// See above.
    pub promises_missed: usize,
    /// Of the missed ones, how many had been said before, and how many kept ones, too.
    pub misses_told_early: usize,
    /// See above.
    pub misses_told_in_vain: usize,
    /// What must not be.
    #[serde(flatten)]
    pub never: Never,
    /// Steps of the engine, each looked at.
    pub steps: usize,
    /// Commands to thermostats, per room and day.
    pub writes_per_room_day: f64,
    /// How long all rooms together were watched, months of 30 days.
    pub room_months: f64,
    /// The first of the things that must not be, in words.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cases: Vec<String>,
    /// Events that the engine refused, by reason.
    pub refusals: std::collections::BTreeMap<String, usize>,
    /// Where no contact tells of windows: how right the air was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub windows: Option<OpeningFigures>,
}

/// Judges every arrival of a run.
pub fn arrivals(hotel: &Hotel, traces: &[Trace]) -> Vec<Arrival> {
    let mut judged = Vec::new();
    for (room, trace) in traces.iter().enumerate() {
        let mut left = 0;
        for visit in &hotel.places[room].life.visits {
            if visit.is_no_show {
                continue;
            }
            if visit.arrival >= hotel.judged_from() {
                let from = left.max(visit.arrival.saturating_sub(ENERGY_BEFORE));
                let account = trace.account(from, visit.arrival + ENERGY_AFTER);
                judged.push(Arrival {
                    room,
                    minute: visit.arrival,
                    walk_in: visit.booked.is_none(),
                    preferred: visit.preferred,
                    met: f64::from(trace.air[visit.arrival]),
                    early_min: trace.early(visit.arrival, visit.preferred),
                    late_min: trace.late(visit.arrival, visit.preferred),
                    kwh: account.kwh(),
                    account,
                });
            }
            left = visit.departure;
        }
    }
    judged
}

impl Arrival {
    fn is_in_band(&self) -> bool {
        (self.met - self.preferred).abs() <= BAND_K
    }
}

impl Trace {
    /// One that has room for so many minutes.
    pub fn of_minutes(minutes: usize) -> Self {
        Self {
            air: Vec::with_capacity(minutes),
            watts: Vec::with_capacity(minutes),
            cooled: Vec::with_capacity(minutes),
            uses: Vec::with_capacity(minutes),
        }
    }

    fn is_in_band(&self, minute: usize, preferred: f64) -> bool {
        (f64::from(self.air[minute]) - preferred).abs() <= BAND_K
    }

    fn early(&self, arrival: usize, preferred: f64) -> usize {
        (0..EARLY_MAX.min(arrival))
            .take_while(|before| self.is_in_band(arrival - before, preferred))
            .count()
    }

    fn late(&self, arrival: usize, preferred: f64) -> usize {
        (0..LATE_MAX)
            .take_while(|after| arrival + after < self.air.len() && !self.is_in_band(arrival + after, preferred))
            .count()
    }

    fn account(&self, from: usize, to: usize) -> Account {
        let mut account = Account::default();
        for minute in from..to.min(self.watts.len()) {
            account.book(self.uses[minute], self.watts[minute], self.cooled[minute]);
        }
        account
    }

    /// How long after `from` the room was first so near, if within so many minutes.
    fn reached(&self, from: usize, preferred: f64, within: usize, near_k: f64) -> Option<usize> {
        let is_near = |minute: usize| (f64::from(self.air[minute]) - preferred).abs() <= near_k;
        (0..within).find(|after| from + after < self.air.len() && is_near(from + after))
    }
}

impl Figures {
    /// Sums up one rule's arrivals; `always` and `oracle` are the same arrivals under these two.
    pub fn of(rule: String, all: &[Arrival], always: &[Arrival], oracle: &[Arrival]) -> Self {
        let is_booked = |a: &&Arrival| !a.walk_in;
        let booked: Vec<&Arrival> = all.iter().filter(is_booked).collect();
        let could: Vec<bool> = always.iter().filter(is_booked).map(Arrival::is_in_band).collect();
        let attainable = booked.iter().zip(&could).filter(|(_, could)| **could);
        let met = attainable.clone().filter(|(a, _)| a.is_in_band()).count();
        let attainable = attainable.count();
        let walk_ins: Vec<&Arrival> = all.iter().filter(|a| a.walk_in).collect();
        let mean = |value: &dyn Fn(&Arrival) -> f64| ratio(booked.iter().map(|a| value(a)).sum(), booked.len());
        let kwh = |of: &[Arrival]| of.iter().filter(is_booked).map(|a| a.kwh).sum::<f64>();
        let mut late: Vec<usize> = booked.iter().map(|a| a.late_min).collect();
        late.sort_unstable();
        Self {
            rule,
            arrivals: booked.len(),
            in_band: 100.0 * ratio(booked.iter().filter(|a| a.is_in_band()).count() as f64, booked.len()),
            in_band_attainable: 100.0 * ratio(met as f64, attainable),
            late_mean_min: mean(&|a| a.late_min as f64),
            late_p95_min: late.get(late.len() * 95 / 100).map_or(0.0, |m| *m as f64),
            early_mean_min: mean(&|a| a.early_min as f64),
            kwh_per_arrival: mean(&|a| a.kwh),
            energy_vs_always_on: 100.0 * (kwh(all) / kwh(always).max(1e-9) - 1.0),
            saving_captured: 100.0 * (kwh(always) - kwh(all)) / (kwh(always) - kwh(oracle)).max(1e-9),
            account: Account::mean(booked.iter().map(|a| &a.account)),
            sacrificed: attainable - met,
            walk_ins: walk_ins.len(),
            walk_ins_in_band: 100.0
                * ratio(
                    walk_ins.iter().filter(|a| a.is_in_band()).count() as f64,
                    walk_ins.len(),
                ),
            keeper: None,
        }
    }
}

/// What the engine's keeping of one hotel left behind.
#[derive(Debug, Default)]
pub struct Kept {
    watch: Watch,
    recoveries: Vec<Recovery>,
    room_days: f64,
    /// Where no contact tells of windows: what the air told, and what the same house with contacts did.
    openings: Option<(Openings, Openings)>,
}

/// One preparation that had somewhere to go.
#[derive(Debug, Clone, Serialize)]
pub struct Recovery {
    /// Which room.
    pub room: usize,
    /// When it began, minutes from the beginning.
    pub minute: usize,
    /// How long it was told to take until the room is as near as the forecast aims at, min.
    pub told_min: f64,
    /// The same as told for one case of ten, and for nine, min.
    pub told_between_min: (f64, f64),
    /// How long that took the true air; none when it was not that near before the guest had long come.
    pub took_min: Option<usize>,
    /// The lead that was reckoned to suffice in nineteen cases of twenty, min.
    pub lead_min: f64,
    /// How long it took until the room was in band.
    pub in_band_min: usize,
}

impl Recovery {
    /// Whether it lasted as long as eight of ten are told to; what was told is in whole minutes.
    fn is_inside(&self) -> bool {
        let (p10, p90) = self.told_between_min;
        self.took_min
            .is_some_and(|took| (p10 - 0.5..=p90 + 0.5).contains(&(took as f64)))
    }
}

impl Kept {
    /// What the watch saw, and how right the told times were.
    pub fn of(hotel: &Hotel, watch: Watch, traces: &[Trace]) -> Self {
        let recoveries = recoveries(hotel, &watch, traces);
        let room_days = hotel.places.len() as f64 * hotel.minutes() as f64 / 1440.0;
        Self {
            watch,
            recoveries,
            room_days,
            openings: None,
        }
    }

    /// What the air told of windows where no contact did, and the same house with contacts.
    pub fn with_openings(self, found: Openings, beside: Openings) -> Self {
        Self {
            openings: Some((found, beside)),
            ..self
        }
    }

    /// Adds another hotel's.
    pub fn add(&mut self, other: Self) {
        self.watch.add(other.watch);
        self.recoveries.extend(other.recoveries);
        self.room_days += other.room_days;
        let Some((found, beside)) = other.openings else {
            return;
        };
        let mine = self.openings.get_or_insert_default();
        mine.0.add(found);
        mine.1.add(beside);
    }

    /// The windows that were opened, one by one, where no contact tells of them.
    pub fn openings(&self) -> &[Opening] {
        self.openings.as_ref().map_or(&[], |(found, _)| found.each())
    }

    /// The preparations, one by one.
    pub fn recoveries(&self) -> &[Recovery] {
        &self.recoveries
    }
}

impl KeeperFigures {
    /// Sums it up.
    pub fn of(kept: &Kept) -> Self {
        let (watch, all) = (&kept.watch, &kept.recoveries);
        let in_time = all.iter().filter(|r| r.in_band_min as f64 <= r.lead_min).count();
        let told: Vec<&Recovery> = all.iter().filter(|r| r.told_min < NEVER_MIN).collect();
        let off: Vec<f64> = told
            .iter()
            .filter_map(|r| Some(r.took_min? as f64 - r.told_min))
            .collect();
        let inside = told.iter().filter(|r| r.is_inside()).count();
        let mean = |value: &dyn Fn(f64) -> f64| {
            (!off.is_empty()).then(|| off.iter().map(|off| value(*off)).sum::<f64>() / off.len() as f64)
        };
        Self {
            lead_coverage: (!all.is_empty()).then(|| 100.0 * ratio(in_time as f64, all.len())),
            recovery_mae_min: mean(&f64::abs),
            recovery_bias_min: mean(&|off| off),
            recovery_rmse_min: mean(&|off| off * off).map(f64::sqrt),
            recovery_inside_p10_p90: (!told.is_empty()).then(|| 100.0 * ratio(inside as f64, told.len())),
            recoveries: all.len(),
            recoveries_told_never: all.len() - told.len(),
            promises_kept: watch.promises.0,
            promises_missed: watch.promises.1,
            misses_told_early: watch.warned.0,
            misses_told_in_vain: watch.warned.1,
            never: watch.never,
            steps: watch.steps,
            writes_per_room_day: watch.writes as f64 / kept.room_days,
            room_months: kept.room_days / 30.0,
            cases: watch.cases.iter().map(|case| case.what.clone()).collect(),
            refusals: watch.refusals.clone(),
            windows: kept
                .openings
                .as_ref()
                .map(|(found, beside)| OpeningFigures::of(found, beside)),
        }
    }
}

/// The judged preparations that had somewhere to go, with the minutes that they really took. One that an arrival cuts short
/// is followed on: the guest wants the same.
fn recoveries(hotel: &Hotel, watch: &Watch, traces: &[Trace]) -> Vec<Recovery> {
    let mut found = Vec::new();
    for (room, trace) in traces.iter().enumerate() {
        for start in watch.starts(room) {
            let visits = &hotel.places[room].life.visits;
            // Who never came wanted something, too, but nobody was there to feel it.
            let next = visits.iter().find(|v| v.arrival > start.minute);
            let is_for = |visit: &&Visit| !visit.is_no_show && visit.arrival - start.minute <= ENERGY_BEFORE;
            let is_judged = start.minute >= hotel.judged_from() && start.needs_min >= 5.0;
            let Some(visit) = next.filter(is_for).filter(|_| is_judged) else {
                continue;
            };
            let until = (visit.arrival + LATE_MAX).saturating_sub(start.minute);
            if let Some(in_band_min) = trace.reached(start.minute, visit.preferred, until, BAND_K) {
                found.push(Recovery {
                    room,
                    minute: start.minute,
                    told_min: start.needs_min,
                    told_between_min: start.needs_between_min,
                    took_min: trace.reached(start.minute, visit.preferred, until, AIMED_K),
                    lead_min: start.lead_min,
                    in_band_min,
                });
            }
        }
    }
    found
}

fn ratio(part: f64, of: usize) -> f64 {
    if of == 0 { 0.0 } else { part / of as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn early_late_and_energy_are_what_the_trace_shows() {
        let mut trace = Trace {
            air: vec![18.0; 1000],
            watts: vec![600.0; 1000],
            cooled: vec![150.0; 1000],
            uses: vec![Use::Sold; 1000],
        };
        trace.uses[50..].fill(Use::Ready);
        trace.air[300..].fill(22.2);
        assert_eq!((trace.early(400, 22.0), trace.late(400, 22.0)), (101, 0));
        assert_eq!((trace.early(250, 22.0), trace.late(250, 22.0)), (0, 50));
        let account = trace.account(0, 100);
        assert!((account.kwh() - 1.0).abs() < 1e-6 && (account.ready - 0.5).abs() < 1e-6);
        assert!((account.cold - 0.25).abs() < 1e-6, "{account:?}");
    }
}
