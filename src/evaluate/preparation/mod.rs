//! Is the room right when the door opens, and at what price?
//!
//! A closed loop: a simulated hotel whose true rooms no estimator sees, kept by the real engine, and by the rules that it
//! is compared with, on the same arrivals in the same weather. Method and figures: docs/preparation.md.

mod account;
pub mod coach;
pub mod dice;
mod faults;
mod guests;
mod hotel;
mod keeper;
mod median;
mod openings;
mod plant;
mod rival;
mod score;
mod thermostat;
mod watch;
mod weather;

pub use account::Account;
pub use hotel::Options;
pub use openings::OpeningFigures;
pub use score::{Arrival, Figures, KeeperFigures};
pub use watch::Never;
pub use weather::Site;

use account::Use;
use hotel::{Hotel, Standing};
use keeper::Keeper;
use openings::Openings;
use rival::{Rival, Rule};
use score::{Kept, Trace};
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

/// The arrivals of every rule that was run, in the order of the table.
type Runs = Vec<(&'static str, Vec<Arrival>)>;

/// Runs so many hotels, of this seed and the following ones, under every rule, and pools what they tell.
///
/// # Errors
/// Says why the engine cannot be made, or the answers not be written.
pub fn run(options: Options, seeds: u64, compare: Compare, answers: &mut dyn Write) -> Result<Vec<Figures>, String> {
    let (mut runs, mut kept) = (Runs::new(), Kept::default());
    for seed in options.seed..options.seed + seeds.max(1) {
        let (more, more_kept) = one(Options { seed, ..options }, compare)?;
        kept.add(more_kept);
        for (n, (rule, arrivals)) in more.into_iter().enumerate() {
            match runs.get_mut(n) {
                Some((_, all)) => all.extend(arrivals),
                None => runs.push((rule, arrivals)),
            }
        }
    }
    write_answers(&runs, &kept, answers).map_err(|fault| fault.to_string())?;
    let of = |name: &str| runs.iter().find(|(n, _)| *n == name).map(|(_, a)| a);
    let (always, oracle) = (of("always on"), of("oracle"));
    // Without the frame each rule is held against itself.
    let figure = |(rule, arrivals): &(&str, Vec<Arrival>)| {
        let (always, oracle) = (always.unwrap_or(arrivals), oracle.unwrap_or(arrivals));
        Figures::of((*rule).to_owned(), arrivals, always, oracle)
    };
    let mut figures: Vec<Figures> = runs.iter().map(figure).collect();
    figures[0].keeper = Some(KeeperFigures::of(&kept));
    Ok(figures)
}

/// One hotel under every rule.
fn one(options: Options, compare: Compare) -> Result<(Runs, Kept), String> {
    let hotel = Hotel::build(options);
    let (traces, keeper) = keep(&hotel)?;
    let mut runs = vec![("innkeeper", score::arrivals(&hotel, &traces))];
    let is_told_by_air = !options.has_window_contacts;
    let found = is_told_by_air.then(|| Openings::of(&hotel, keeper.watch.seen(), &traces));
    let mut kept = Kept::of(&hotel, keeper.watch, &traces);
    if let Some(found) = found {
        let (arrivals, beside) = with_contacts(options)?;
        runs.push(("with contacts", arrivals));
        kept = kept.with_openings(found, beside);
    }
    for (name, rule) in RULES {
        let is_frame = matches!(rule, Rule::Oracle | Rule::AlwaysOn);
        if compare == Compare::All || compare == Compare::Frame && is_frame {
            runs.push((name, score::arrivals(&hotel, &follow(&hotel, rule))));
        }
    }
    Ok((runs, kept))
}

/// The same hotel with contacts on its windows: what the air cannot tell is told there.
fn with_contacts(options: Options) -> Result<(Vec<Arrival>, Openings), String> {
    let hotel = Hotel::build(Options {
        has_window_contacts: true,
        ..options
    });
    let (traces, keeper) = keep(&hotel)?;
    let beside = Openings::of(&hotel, keeper.watch.seen(), &traces);
    Ok((score::arrivals(&hotel, &traces), beside))
}

fn write_answers(runs: &Runs, kept: &Kept, answers: &mut dyn Write) -> Result<(), super::Fault> {
    for (rule, arrivals) in runs {
        for arrival in arrivals {
            let answer = Answer {
                rule,
                arrival: *arrival,
            };
            super::write_answer(answers, &answer)?;
        }
    }
    kept.recoveries()
        .iter()
        .try_for_each(|recovery| super::write_answer(answers, recovery))?;
    kept.openings()
        .iter()
        .try_for_each(|opening| super::write_answer(answers, opening))
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
    let mut traces = vec![Trace::of_minutes(hotel.minutes()); standings.len()];
    for minute in 0..hotel.minutes() {
        decide(&mut standings, minute);
        let around = hotel.around(&standings);
        for (room, standing) in standings.iter_mut().enumerate() {
            let (warmed, cooled) = hotel.live(room, standing, around[room], minute);
            traces[room].air.push(standing.body.air as f32);
            traces[room].watts.push((warmed + cooled) as f32);
            traces[room].cooled.push(cooled as f32);
            traces[room]
                .uses
                .push(Use::of(&hotel.places[room].life, minute, standing.wanted));
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
    text += &account::table(figures);
    let Some(keeper) = figures.first().and_then(|f| f.keeper.as_ref()) else {
        return text;
    };
    let or_none = |value: Option<f64>| value.map_or("-".to_owned(), |value| format!("{value:.1}"));
    text += &format!(
        "innkeeper: {} recoveries, {} % within their lead, told time off by {} min (mean; bias {}), {} % between its p10 and \
         p90, {} told never; promises kept {} missed {}, {} of these told early and {} misses told in vain, {:.1} writes a room \
         and day\n",
        keeper.recoveries,
        or_none(keeper.lead_coverage),
        or_none(keeper.recovery_mae_min),
        or_none(keeper.recovery_bias_min),
        or_none(keeper.recovery_inside_p10_p90),
        keeper.recoveries_told_never,
        keeper.promises_kept,
        keeper.promises_missed,
        keeper.misses_told_early,
        keeper.misses_told_in_vain,
        keeper.writes_per_room_day
    );
    text += &never_line(keeper);
    text += &keeper.windows.as_ref().map_or(String::new(), openings::line);
    keeper.cases.iter().for_each(|case| text += &format!("  {case}\n"));
    text
}

/// What must not be, in words.
fn never_line(keeper: &KeeperFigures) -> String {
    let never = &keeper.never;
    format!(
        "never, in {} steps: {} minutes and {} commands against the interlock ({} minutes more in which it was not heard), \
         {} lost overrides, {} set-points beyond the limits, {} set-backs of a present and {} of a sleeping guest ({} \
         unknowable, {} against the rule), {} and {} minutes set back awake and asleep\n",
        keeper.steps,
        never.interlock_violations,
        never.commands_against_interlock,
        never.interlock_unheard_min,
        never.lost_overrides,
        never.beyond_limits,
        never.setbacks_of_present,
        never.setbacks_of_sleeping,
        never.setbacks_unknowable,
        never.setbacks_against_rule,
        never.set_back_awake_min,
        never.set_back_asleep_min
    )
}
