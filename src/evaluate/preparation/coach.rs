//! What does a coach party cost at the plant: every room of the house, one arrival?
//!
//! The same hotel in the same weather, filled every afternoon and emptied every morning, is kept by the engine without a
//! limit and then with the plant cut to shares of the peak that it made.

use super::dice::Dice;
use super::guests::Life;
use super::hotel::{Hotel, Options};
use super::keeper::Keeper;
use super::score::{BAND_K, Trace};
use super::weather::DAY;
use serde::Serialize;

/// The plant is cut to these shares of the peak that the house makes without a limit, %.
const CUTS: [u32; 5] = [90, 85, 80, 75, 70];
/// A meter's peak is the mean of so many minutes.
const METER_MIN: usize = 15;
/// The rooms are empty from this minute of the day on; what they take from here on is the preparation's.
const EMPTY_FROM: usize = 600;
/// The party is announced for this minute of the day.
const ETA: usize = 1020;
/// And the last of it is in by then.
const IN_BY: usize = 1050;

/// The party under one limit; peaks and energies are means over the judged days.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Party {
    /// So many rooms may run at full output at once; none: no limit.
    pub rooms_at_full: Option<u32>,
    /// The highest quarter of an hour of the afternoon, kW of heat and cold.
    pub peak_kw: f64,
    /// Against no limit, %.
    pub peak_vs_free: f64,
    /// The whole afternoon, kWh.
    pub kwh: f64,
    /// Against no limit, %.
    pub energy_vs_free: f64,
    /// Arrivals, and the share of them that found the room within half a kelvin, %.
    pub arrivals: usize,
    /// See above.
    pub in_band: f64,
}

/// One run of the house.
struct Run {
    traces: Vec<Trace>,
    /// How many rooms' worth of valves stood open, by the minute.
    open: Vec<f64>,
}

/// Runs the house without a limit and with each.
///
/// # Errors
/// Says why the engine cannot be made.
pub fn run(options: Options) -> Result<Vec<Party>, String> {
    run_cut_to(options, &CUTS)
}

fn run_cut_to(options: Options, cuts: &[u32]) -> Result<Vec<Party>, String> {
    let free = Hotel::of_parties(options, None, life);
    let run = keep(&free)?;
    let full = (1..=options.days)
        .map(|day| peak(&run.open, free.judged_from() + (day - 1) * DAY))
        .fold(0.0, f64::max);
    let mut parties = vec![judge(&free, &run)];
    for cut in cuts {
        let rooms = (full * f64::from(*cut) / 100.0).round().max(1.0) as u32;
        let hotel = Hotel::of_parties(options, Some(rooms), life);
        parties.push(judge(&hotel, &keep(&hotel)?));
    }
    let (peak, kwh) = (parties[0].peak_kw, parties[0].kwh);
    for party in &mut parties {
        party.peak_vs_free = 100.0 * (party.peak_kw / peak.max(1e-9) - 1.0);
        party.energy_vs_free = 100.0 * (party.kwh / kwh.max(1e-9) - 1.0);
    }
    Ok(parties)
}

fn life(options: &Options, minutes: usize, dice: &mut Dice) -> Life {
    Life::of_parties(options.site, minutes, ETA, dice)
}

fn keep(hotel: &Hotel) -> Result<Run, String> {
    let mut keeper = Keeper::new(hotel)?;
    let mut open = Vec::with_capacity(hotel.minutes());
    let traces = super::live(hotel, |standings, minute| {
        open.push(standings.iter().map(|s| s.valves.0 + s.valves.1).sum());
        keeper.minute(hotel, standings, minute);
    });
    Ok(Run { traces, open })
}

fn judge(hotel: &Hotel, run: &Run) -> Party {
    let minutes = hotel.minutes();
    let watts: Vec<f64> = (0..minutes)
        .map(|minute| run.traces.iter().map(|trace| f64::from(trace.watts[minute])).sum())
        .collect();
    let days: Vec<usize> = (0..hotel.options.days)
        .map(|day| hotel.judged_from() + day * DAY)
        .collect();
    let mean = |of: &dyn Fn(usize) -> f64| days.iter().map(|day| of(*day)).sum::<f64>() / days.len().max(1) as f64;
    let mut met = Vec::new();
    for (room, trace) in run.traces.iter().enumerate() {
        let visits = hotel.places[room].life.visits.iter();
        let judged = visits.filter(|visit| visit.arrival >= hotel.judged_from());
        met.extend(judged.map(|visit| (f64::from(trace.air[visit.arrival]) - visit.preferred).abs() <= BAND_K));
    }
    Party {
        rooms_at_full: hotel.rooms_at_full,
        peak_kw: mean(&|day| peak(&watts, day)) / 1000.0,
        peak_vs_free: 0.0,
        kwh: mean(&|day| watts[day + EMPTY_FROM..day + IN_BY].iter().sum::<f64>()) / 60_000.0,
        energy_vs_free: 0.0,
        arrivals: met.len(),
        in_band: 100.0 * met.iter().filter(|is| **is).count() as f64 / met.len().max(1) as f64,
    }
}

/// The highest quarter of an hour of a day's afternoon.
fn peak(series: &[f64], day: usize) -> f64 {
    let afternoon = &series[day + EMPTY_FROM..day + IN_BY];
    let quarter = |window: &[f64]| window.iter().sum::<f64>() / METER_MIN as f64;
    afternoon.windows(METER_MIN).map(quarter).fold(0.0, f64::max)
}

/// The figures as a table, for people.
pub fn table(parties: &[Party]) -> String {
    let mut text = format!(
        "{:>14}{:>10}{:>9}{:>10}{:>9}{:>9}{:>6}\n",
        "rooms at full", "peak kW", "vs free", "kWh", "vs free", "in band", "n"
    );
    for p in parties {
        let limit = p.rooms_at_full.map_or("-".to_owned(), |rooms| rooms.to_string());
        text += &format!(
            "{limit:>14}{:>10.1}{:>7.1} %{:>10.1}{:>7.1} %{:>7.1} %{:>6}\n",
            p.peak_kw, p.peak_vs_free, p.kwh, p.energy_vs_free, p.in_band, p.arrivals
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::preparation::Site;

    #[test]
    fn a_limited_plant_has_a_lower_peak_and_the_party_is_warm_all_the_same() {
        let options = Options {
            site: Site::Heating,
            rooms: 6,
            days: 2,
            warm_up_days: 2,
            seed: 1,
            eta_error_min: 10.0,
            is_coarse: false,
            has_faults: false,
            has_window_contacts: true,
        };
        let parties = run_cut_to(options, &[80]).unwrap();
        let cut = &parties[1];
        assert!(cut.arrivals >= 6, "{parties:?}");
        assert!(cut.peak_vs_free < -8.0, "{parties:?}");
        // The last of the judged days has no party any more.
        assert!(
            cut.arrivals == 6 && cut.in_band >= parties[0].in_band - 17.0,
            "{parties:?}"
        );
    }
}
