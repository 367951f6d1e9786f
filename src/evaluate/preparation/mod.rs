//! Is the room right when the door opens, and at what price?
//!
//! A closed loop: a simulated hotel whose true rooms no estimator sees, kept by the real engine, and by the rules that it
//! is compared with, on the same arrivals in the same weather. Method and figures: docs/preparation.md.

pub mod coach;
pub mod dice;
mod guests;
mod hotel;
mod keeper;
mod median;
mod plant;
mod rival;
mod score;
mod thermostat;
mod watch;
mod weather;

pub use hotel::Options;
pub use score::{Arrival, Figures, KeeperFigures};
pub use weather::Site;

use hotel::{Hotel, Standing};
use keeper::Keeper;
use rival::{Rival, Rule};
use score::Trace;
use serde::Serialize;
use std::io::Write;

/// The rules, in the order of the table.
const RULES: [(&str, Rule); 9] = [
    ("check-in only", Rule::CheckIn),
    ("fixed 2 h", Rule::Fixed(120)),
    ("fixed 4 h", Rule::Fixed(240)),
    ("median of models, ETA", Rule::Median(0.5)),
    ("median of models, q10", Rule::Median(0.1)),
    ("median of models, q05", Rule::Median(0.05)),
    ("median of models, q02", Rule::Median(0.02)),
    ("oracle", Rule::Oracle),
    ("always on", Rule::AlwaysOn),
];

/// What `--answers` gets: one arrival under one rule.
#[derive(Serialize)]
struct Answer<'a> {
    rule: &'a str,
    #[serde(flatten)]
    arrival: Arrival,
}

/// Which rules are run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compare {
    /// All of them.
    All,
    /// innkeeper, the clairvoyant and always-on: enough for every figure.
    Frame,
    /// Only what must always and never be: innkeeper alone.
    Promises,
}

/// Runs the hotel under every rule.
///
/// # Errors
/// Says why the engine cannot be made, or the answers not be written.
pub fn run(options: Options, compare: Compare, answers: &mut dyn Write) -> Result<Vec<Figures>, String> {
    let hotel = Hotel::build(options);
    let (traces, keeper) = keep(&hotel)?;
    let kept = score::arrivals(&hotel, &traces);
    let keeper_figures = KeeperFigures::of(&hotel, &keeper.watch, &traces);
    let mut runs = vec![("innkeeper", kept)];
    for (name, rule) in RULES {
        let is_frame = matches!(rule, Rule::Oracle | Rule::AlwaysOn);
        if compare == Compare::All || compare == Compare::Frame && is_frame {
            runs.push((name, score::arrivals(&hotel, &follow(&hotel, rule))));
        }
    }
    for (rule, arrivals) in &runs {
        for arrival in arrivals {
            let answer = Answer {
                rule,
                arrival: *arrival,
            };
            super::write_answer(answers, &answer).map_err(|fault| fault.to_string())?;
        }
    }
    let of = |name: &str| runs.iter().find(|(n, _)| *n == name).map_or(&runs[0].1, |(_, a)| a);
    let (always, oracle) = (of("always on"), of("oracle"));
    let mut figures: Vec<Figures> = runs
        .iter()
        .map(|(rule, arrivals)| Figures::of((*rule).to_owned(), arrivals, always, oracle))
        .collect();
    figures[0].keeper = Some(keeper_figures);
    Ok(figures)
}

/// The hotel kept by the engine.
fn keep(hotel: &Hotel) -> Result<(Vec<Trace>, Keeper), String> {
    let mut keeper = Keeper::new(hotel)?;
    let traces = live(hotel, |standings, minute| keeper.minute(hotel, standings, minute));
    Ok((traces, keeper))
}

/// The hotel under a rule.
fn follow(hotel: &Hotel, rule: Rule) -> Vec<Trace> {
    let mut rival = Rival::new(rule, hotel.places.len());
    live(hotel, |standings, minute| {
        if minute.is_multiple_of(5) {
            rival.decide(hotel, standings, minute);
        }
    })
}

fn live(hotel: &Hotel, mut decide: impl FnMut(&mut [Standing], usize)) -> Vec<Trace> {
    let mut standings = hotel.standings();
    let empty = Trace {
        air: Vec::with_capacity(hotel.minutes()),
        watts: Vec::with_capacity(hotel.minutes()),
    };
    let mut traces = vec![empty; standings.len()];
    for minute in 0..hotel.minutes() {
        decide(&mut standings, minute);
        let around = hotel.around(&standings);
        for (room, standing) in standings.iter_mut().enumerate() {
            let (warmed, cooled) = hotel.live(room, standing, around[room], minute);
            traces[room].air.push(standing.body.air as f32);
            traces[room].watts.push((warmed + cooled) as f32);
        }
    }
    traces
}

/// The figures as a table, for people.
pub fn table(figures: &[Figures]) -> String {
    let mut text = format!(
        "{:<24}{:>9}{:>9}{:>7}{:>7}{:>7}{:>9}{:>9}{:>9}{:>6}\n",
        "rule", "in band", "attain.", "late", "p95", "early", "kWh", "vs on", "saved", "n"
    );
    for f in figures {
        text += &format!(
            "{:<24}{:>7.1} %{:>7.1} %{:>7.1}{:>7.0}{:>7.0}{:>9.2}{:>7.1} %{:>7.0} %{:>6}\n",
            f.rule,
            f.in_band,
            f.in_band_attainable,
            f.late_mean_min,
            f.late_p95_min,
            f.early_mean_min,
            f.kwh_per_arrival,
            f.energy_vs_always_on,
            f.saving_captured,
            f.arrivals
        );
    }
    let Some(keeper) = figures.first().and_then(|f| f.keeper.as_ref()) else {
        return text;
    };
    let or_none = |value: Option<f64>| value.map_or("-".to_owned(), |value| format!("{value:.1}"));
    text += &format!(
        "innkeeper: recoveries within their lead {} %, told time off by {} min (mean), promises kept {} missed {}, \
         {} misses told early, {:.1} writes a room and day\n",
        or_none(keeper.lead_coverage),
        or_none(keeper.recovery_mae_min),
        keeper.promises_kept,
        keeper.promises_missed,
        keeper.misses_told_early,
        keeper.writes_per_room_day
    );
    text += &format!(
        "never: {} interlock violations, {} lost overrides, {} set-backs of a present and {} of a sleeping guest\n",
        keeper.interlock_violations, keeper.lost_overrides, keeper.setbacks_of_present, keeper.setbacks_of_sleeping
    );
    keeper.cases.iter().for_each(|case| text += &format!("  {case}\n"));
    text
}
