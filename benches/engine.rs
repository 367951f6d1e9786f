//! What does the engine's reckoning cost?
//!
//! `cargo bench --no-default-features --bench engine [NAME]`; without a name, all of it. Absolute times are noisy on shared
//! machines.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a measurement that cannot go on says so by ending"
)]

use innkeeper::engine::calendar::Calendar;
use innkeeper::engine::occupancy::{Occupancy, Senses, Sign};
use innkeeper::engine::preference::{Asked, Guest, answer};
use innkeeper::evaluate::merges;
use innkeeper::model::{Attribute, Moment, PriorSummary, PropertyId, Said, Settled, Span, StayEvidence, StayToken};
use std::hint::black_box;
use std::time::{Duration, Instant};

/// Each figure is the best of so many rounds: what else the machine does only ever adds.
const ROUNDS: usize = 101;

fn main() {
    let name = std::env::args().skip(1).find(|word| !word.starts_with('-'));
    for (of, measure) in [
        ("preference", preference as fn()),
        ("merges", merging),
        ("occupancy", occupancy),
    ] {
        if name.as_ref().is_none_or(|name| name == of) {
            measure();
        }
    }
}

/// The time of one of `count` runs.
fn best(count: u32, mut run: impl FnMut()) -> Duration {
    let round = |_| {
        let began = Instant::now();
        (0..count).for_each(|_| run());
        began.elapsed() / count
    };
    (0..ROUNDS).map(round).min().unwrap()
}

/// A guest of 50 stays, each with what a stay usually shows; `device` says whether each was set by hand, which costs most.
fn guest(device: bool) -> Guest {
    let mut guest = Guest::default();
    for n in 0..50_i32 {
        let celsius = Said::hundredths(2200 + (n * 37) % 150);
        let of = |attribute| StayEvidence {
            device: (device || n % 3 == 0).then_some(Settled {
                settled: celsius,
                nights: 3,
                acts: 2,
            }),
            accepted: Some(celsius),
            booking: (n % 4 == 0).then_some(Said::hundredths(2150)),
            ..StayEvidence::none(attribute)
        };
        guest.add(PriorSummary {
            property: PropertyId::new(["lakeside", "rome-via", "seaside"][n as usize % 3]).unwrap(),
            stay: StayToken::new(format!("{n:08x}-0b52-4d1f-9d0e-2f6c8a1b4e77")).unwrap(),
            version: 1,
            day: 19_000 + n * 40,
            nights: 3,
            acts: 4,
            evidence: vec![of(Attribute::TargetTemperature), of(Attribute::Firmness)],
            ..serde_json::from_str(r#"{"property":"x","stay":"00000000","version":1,"day":0}"#).unwrap()
        });
    }
    guest
}

fn preference() {
    for (what, guest) in [("a third set by hand", guest(false)), ("all set by hand", guest(true))] {
        let asked = Asked {
            attribute: Attribute::TargetTemperature,
            guest: Some(&guest),
            now: None,
            usual: None,
            today: 21_010,
        };
        let answered = best(100, || _ = black_box(answer(black_box(&asked))));
        let told = answer(&asked);
        let recorded = best(100, || _ = black_box(told.record(Some(&guest))));
        let bytes = serde_json::to_vec(&guest).unwrap().len();
        println!(
            "preference: 50 stays, {what}: answer {answered:?}, its record with the map's hash {recorded:?}, {bytes} bytes kept"
        );
    }
}

fn merging() {
    let began = Instant::now();
    let told = merges::evaluate(1_000_000, 1);
    println!("merges: {told} in {:.1} s", began.elapsed().as_secs_f64());
}

/// A day of a room with a guest: two outings, an evening, a night; an event every few minutes, and every deadline between.
fn occupancy() {
    let calendar = Calendar::new("Europe/Vienna").unwrap();
    let senses = Senses {
        bed: true,
        is_let: true,
        calendar: &calendar,
    };
    let day = signs_of_a_day();
    let (mut room, mut midnight) = (Occupancy::default(), Moment::parse("2026-11-21T00:00:00Z").unwrap());
    let whole = best(200, || {
        for (minute, sign) in &day {
            let now = midnight + Span::minutes(*minute);
            room.advance(senses, now);
            room.sign(senses, now, *sign);
        }
        midnight = midnight + Span::days(1);
        black_box(&room);
    });
    let each = whole / u32::try_from(day.len()).unwrap();
    let kept = serde_json::to_vec(&room).unwrap().len();
    let held = std::mem::size_of::<Occupancy>();
    println!(
        "occupancy: {each:?} an event of {} a day; {held} bytes a room, {kept} in its record",
        day.len()
    );
}

fn signs_of_a_day() -> Vec<(i64, Sign)> {
    let moves =
        |from: i64, to: i64, every: i64| (from..to).step_by(every as usize).map(|minute| (minute, Sign::Motion));
    let door = |minute| [(minute, Sign::Door(true)), (minute, Sign::Door(false))];
    let mut day = vec![(420, Sign::Bed(false))];
    day.extend(moves(422, 510, 4).chain(door(510)).chain(door(720)));
    day.extend(moves(722, 900, 4).chain(door(900)).chain(door(1140)));
    day.extend(moves(1142, 1380, 4).chain([(1381, Sign::Bed(true))]));
    day
}
