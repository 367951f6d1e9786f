//! What is the story, and did it come true?
//!
//! Four nights of one guest in room 104, a leak at night in 103, an hour without central. Each part is let happen and then
//! checked by what really arrived: at central, at the simulated devices, in the ledger.

use super::narrator::Who;
use super::stage::{Stage, at, pace, room};
use crate::daemon::{Question, clock};
use crate::model::{
    Attribute, Celsius, Declared, GuestToken, Item, Moment, Need, Percent, Prior, PriorSummary, PropertyId,
    ReadinessVerdict, Report, RequestId, RequestState, RequestStatus, RoomId, ServiceRequest, Span, StayNotice,
    StayStatus, StayToken,
};
use crate::simulate::dispatch::Said;
use crate::simulate::guest::{Act, Habits};
use crate::simulate::zigbee::Model;
use serde_json::Value;

const MILK: &str = "hot-milk";
const PILLOW: &str = "allergy-pillow";
/// What the guest is known to like, and what the booking says.
const LIKED: f64 = 24.0;
const FIRMNESS_LIKED: f64 = 25.0;
const FIRMNESS_BOOKED: f64 = 80.0;
/// What the guest sets by hand.
const DIALLED: f64 = 22.0;

/// Tells the story. Returns whether all of it came true.
pub async fn tell(stage: &mut Stage) -> bool {
    begin(stage).await;
    first_day(stage).await;
    first_evening(stage).await;
    first_night(stage).await;
    without_central(stage).await;
    second_evening(stage).await;
    quiet_days(stage).await;
    leave(stage).await;
    summary(stage).await
}

async fn begin(stage: &mut Stage) {
    stage
        .narrator
        .title("A hotel in a box: five days of six rooms in about a minute and a half");
    stage.narrator.note(
        "Guests, rooms, devices and central are simulated, over real MQTT and real Modbus TCP on this machine. INNKEEPER is the \
         real daemon: each of its lines is a message that went over the wire, with the reason it gave.",
    );
    println!();
    stage.until(at(0, 8, 55), pace::CLOSE).await;
    let all: Vec<RoomId> = ["101", "102", "103", "104", "105", "106"].map(room).to_vec();
    stage.say(
        Who::Room,
        "housekeeping has left all rooms; the air in 104 has 18 C, outdoors it is about freezing",
    );
    for id in &all {
        stage.script.through_door(at(0, 8, 56), id);
    }
    others(stage).await;
}

/// Guests of the other rooms: they have their own days, and are hardly told of.
async fn others(stage: &mut Stage) {
    let early = Habits {
        up_min: 390,
        out_min: 480,
        back_min: 18 * 60,
        bed_min: 22 * 60,
    };
    let late = Habits {
        up_min: 480,
        out_min: 570,
        back_min: 17 * 60 + 20,
        bed_min: 23 * 60 + 40,
    };
    for (id, habits) in [("101", early), ("102", late)] {
        for day in 0..4 {
            stage.script.night_and_day(at(day, 0, 0), &room(id), habits);
        }
    }
}

async fn first_day(stage: &mut Stage) {
    stage.until(at(0, 9, 10), pace::DAY).await;
    let begun = clock::now();
    stage.say(
        Who::Central,
        "reservation for 104: expected 16:00, leaves Friday 11:00; the booking says: hard bed (80), an allergy pillow",
    );
    stage.central.stay(notice(StayStatus::Reserved, 1)).await;
    stage.say(
        Who::Central,
        "the guest is known from hotel-seeblick: 24 C and a soft bed (25) set by hand, hot milk at 23:00 on both nights",
    );
    stage.central.prior(prior()).await;
    for (id, day, eta) in [("101", 0, 18), ("102", 0, 17)] {
        stage
            .central
            .stay(other_stay(id, StayStatus::Reserved, 1, at(day, eta, 0)))
            .await;
    }
    let focus = stage.focus.clone();
    let promised = stage.wait_for(Span::minutes(30), pace::CLOSE, |stage| {
        let is_liked =
            |report: &Report| matches!(report, Report::Readiness(r) if r.target > Celsius::from_hundredths(2350));
        stage
            .reports(&focus, begun)
            .find(|(_, report)| is_liked(report))
            .map(|(at, _)| at)
    });
    let promised = promised.await.is_some();
    stage.check(
        promised,
        "the reservation and what is known of the guest became a promise",
    );
    prepare(stage, begun).await;
    arrive(stage, begun).await;
}

async fn prepare(stage: &mut Stage, begun: Moment) {
    let focus = stage.focus.clone();
    stage.until(at(0, 11, 30), pace::DULL).await;
    let start = stage.wait_for(Span::hours(4), pace::DAY, |stage| {
        stage
            .commands(&focus, Model::Thermostat, begun)
            .find(|told| told.value >= LIKED - 0.5)
            .map(|told| told.at)
    });
    let start = start.await;
    stage.heating_began = start;
    stage.check(
        start.is_some(),
        "heating began when the room's own speed said it must, not at check-in",
    );
    let firmness = stage.wait_for(Span::minutes(20), pace::CLOSE, |stage| {
        stage
            .commands(&focus, Model::Mattress, begun)
            .next()
            .map(|told| told.value)
    });
    let firmness = firmness.await;
    let is_soft = firmness.is_some_and(|set| (set - FIRMNESS_LIKED).abs() <= 5.0);
    stage.check(
        is_soft,
        "the bed is soft, as the guest's hand set it elsewhere, although the booking says hard",
    );
    let before = stage.hotel.air(&focus).unwrap_or(0.0);
    let mut shown = before;
    while clock::now() < at(0, 14, 20) {
        let next = clock::now() + Span::minutes(15);
        stage.until(next, pace::DAY).await;
        let air = stage.hotel.air(&focus).unwrap_or(0.0);
        if air - shown >= 1.8 {
            stage.say(Who::Room, &format!("104 has {air:.1} C"));
            shown = air;
        }
    }
    let items = stage.wait_for(Span::minutes(60), pace::DAY, |stage| {
        let asked = find_request(stage, &focus, begun, Need::ArrivalItems)?;
        is_done(stage, &asked.id).then_some(asked)
    });
    let items = items.await;
    let is_placed = items.is_some_and(|asked| asked.items.iter().any(|item| item.as_str() == PILLOW));
    stage.check(
        is_placed,
        "what had to be placed was asked for in time and reported done by central",
    );
}

async fn arrive(stage: &mut Stage, begun: Moment) {
    let focus = stage.focus.clone();
    stage.until(at(0, 15, 50), pace::DAY).await;
    stage.say(Who::Central, "104 is checked in at the desk");
    stage.central.stay(notice(StayStatus::CheckedIn, 2)).await;
    for id in ["101", "102"] {
        stage
            .central
            .stay(other_stay(id, StayStatus::CheckedIn, 2, at(0, 17, 0)))
            .await;
    }
    stage.until(at(0, 16, 5), pace::CLOSE).await;
    stage.say(Who::Guest, "opens the door of 104 and walks in");
    stage.script.through_door(clock::now(), &focus);
    stage.script.is_in(clock::now(), at(0, 19, 20), &focus);
    let verdict = stage.wait_for(Span::minutes(20), pace::CLOSE, |stage| {
        stage.reports(&focus, begun).find_map(|(_, report)| match report {
            Report::Readiness(promise) => promise.verdict,
            _ => None,
        })
    });
    let is_kept = verdict.await == Some(ReadinessVerdict::Kept);
    stage.check(is_kept, "the promise was checked at the door, and kept");
}

async fn first_evening(stage: &mut Stage) {
    let focus = stage.focus.clone();
    stage.until(at(0, 17, 30), pace::DAY).await;
    turn_the_dial(stage, &focus).await;
    go_out(stage, &focus).await;
    stage.until(at(0, 22, 20), pace::CLOSE).await;
    soften(stage, 20.0, "finds the bed still too hard and makes it softer (20)").await;
    stage.until(at(0, 22, 59), pace::DAY).await;
    stage.say(
        Who::Guest,
        "orders hot milk by telephone, as on both nights elsewhere; it is brought",
    );
    stage.central.brought(request_id("order-1"), focus, item(MILK)).await;
    stage.until(at(0, 23, 25), pace::DAY).await;
}

async fn turn_the_dial(stage: &mut Stage, focus: &RoomId) {
    stage.say(Who::Guest, "finds 24 C too warm today and turns the dial to 22");
    let turned = clock::now();
    stage.hotel.act(focus, Act::TurnsDial(DIALLED)).await;
    let learnt = stage.wait_for(Span::minutes(15), pace::CLOSE, |stage| {
        find_preference(stage, focus, turned, Attribute::TargetTemperature, |report| {
            report.acts >= 1
        })
    });
    let learnt = learnt.await.is_some();
    stage.until(turned + Span::minutes(80), pace::DAY).await;
    let is_fought = stage.commands(focus, Model::Thermostat, turned).next().is_some();
    let stands = stage.hotel.setpoint(focus) == Some(DIALLED);
    stage.check(
        learnt && !is_fought && stands,
        "innkeeper followed the hand: it learnt, told central, and sent the thermostat nothing",
    );
}

async fn go_out(stage: &mut Stage, focus: &RoomId) {
    stage.until(at(0, 19, 25), pace::DAY).await;
    stage.say(Who::Guest, "goes out for dinner");
    let out = clock::now();
    stage.script.through_door(out, focus);
    let told = |stage: &Stage, since, is: fn(f64) -> bool| {
        stage
            .commands(&room("104"), Model::Thermostat, since)
            .find(|told| is(told.value))
            .map(|told| told.at)
    };
    // After a short stay in the room it takes silence to tell that nobody stayed behind.
    let shallow = stage
        .wait_for(Span::minutes(75), pace::CLOSE, |stage| {
            told(stage, out, |set| set < DIALLED)
        })
        .await;
    let deep = stage
        .wait_for(Span::minutes(80), pace::DAY, |stage| {
            told(stage, out, |set| set < DIALLED - 1.5)
        })
        .await;
    stage.check(
        shallow.is_some() && deep.is_some(),
        "the room was set back, a little at first and more after three quarters of an hour",
    );
    stage.until(at(0, 22, 0), pace::DAY).await;
    stage.say(Who::Guest, "comes back");
    let back = clock::now();
    stage.script.through_door(back, focus);
    stage.script.is_in(back, at(0, 23, 20), focus);
    let restored = stage
        .wait_for(Span::minutes(15), pace::CLOSE, |stage| {
            told(stage, back, |set| set == DIALLED)
        })
        .await;
    stage.check(
        restored.is_some(),
        "on return the guest's own setting came back, not the hotel's",
    );
}

async fn soften(stage: &mut Stage, to: f64, words: &str) {
    let focus = stage.focus.clone();
    stage.say(Who::Guest, words);
    stage.hotel.act(&focus, Act::SetsFirmness(to)).await;
    let since = clock::now() - Span::minutes(1);
    let learnt = stage.wait_for(Span::minutes(15), pace::CLOSE, |stage| {
        find_preference(stage, &focus, since, Attribute::Firmness, |report| !report.is_final)
    });
    learnt.await;
}

async fn first_night(stage: &mut Stage) {
    let (focus, wet) = (stage.focus.clone(), room("103"));
    stage.until(at(0, 23, 30), pace::CLOSE).await;
    stage.say(Who::Guest, "goes to bed");
    let slept = clock::now();
    stage.script.add(slept, &focus, Act::LiesDown);
    stage.until(at(1, 1, 0), pace::DULL).await;
    stage.say(Who::Room, "the battery of the door sensor of 104 is at 9 %");
    stage.script.add(clock::now(), &focus, Act::DoorBattery(9.0));
    let parked = stage
        .wait_for(Span::minutes(20), pace::CLOSE, |stage| {
            find_state(stage, &focus, slept, RequestState::Parked)
        })
        .await;
    leak(stage, &wet).await;
    stage.until(at(1, 7, 10), pace::DULL).await;
    let commands = |model| stage.commands(&focus, model, slept).count();
    let is_quiet = commands(Model::Thermostat) + commands(Model::Mattress) == 0;
    stage.check(
        is_quiet && parked.is_some(),
        "the sleeping guest was not set back and nobody was sent to the door",
    );
    stage.say(Who::Guest, "gets up");
    stage.script.add(clock::now(), &focus, Act::GetsUp);
    stage.script.is_in(clock::now(), at(1, 8, 25), &focus);
    let woke = clock::now();
    let resumed = stage
        .wait_for(Span::minutes(20), pace::CLOSE, |stage| {
            find_state(stage, &focus, woke, RequestState::Raised)
        })
        .await;
    stage.check(
        resumed.is_some(),
        "what had waited for the guest to wake up went on by itself",
    );
    stage.until(at(1, 8, 20), pace::DAY).await;
    stage.script.add(clock::now(), &focus, Act::DoorBattery(100.0));
    stage.until(at(1, 8, 30), pace::DAY).await;
    stage.say(Who::Guest, "goes out for the day");
    stage.script.through_door(clock::now(), &focus);
}

async fn leak(stage: &mut Stage, wet: &RoomId) {
    stage.until(at(1, 3, 10), pace::DULL).await;
    stage.say(Who::Room, "water on the bathroom floor of 103, which nobody is in");
    let since = clock::now();
    stage.hotel.act(wet, Act::Water(true)).await;
    let answered = stage.wait_for(Span::minutes(3), pace::SECONDS, |stage| {
        let is_answer = |said: &&Said| said.at >= since && said.notice.request.as_str().starts_with("103.");
        stage.said.iter().find(is_answer).map(|said| said.at)
    });
    let answered = answered.await;
    stage.until(clock::now() + Span::minutes(2), pace::CLOSE).await;
    stage.until(at(1, 3, 40), pace::DAY).await;
    stage.hotel.act(wet, Act::Water(false)).await;
    let over = stage.wait_for(Span::minutes(10), pace::CLOSE, |stage| {
        stage
            .reports(wet, since)
            .any(|(_, report)| matches!(report, Report::Emergency(e) if e.over))
            .then_some(())
    });
    let over = over.await.is_some();
    let calls = stage
        .reports(wet, since)
        .filter(|(_, report)| matches!(report, Report::Emergency(e) if !e.over))
        .count();
    let seconds = answered.map_or(f64::INFINITY, |at| at.since(since).as_seconds_f64().ceil().max(1.0));
    let words = format!(
        "the leak was an emergency at once, answered by central within {seconds:.0} s (calls: {calls}), and ended"
    );
    stage.check(answered.is_some() && over, words);
}

async fn without_central(stage: &mut Stage) {
    stage.until(at(1, 14, 0), pace::DULL).await;
    stage.say(Who::Central, "the line to central breaks, for an hour");
    stage.central_is_away(true);
    let away = clock::now();
    for (id, minutes) in [("105", 10), ("106", 25)] {
        stage
            .script
            .add(away + Span::minutes(minutes), &room(id), Act::DoorBattery(8.0));
    }
    stage.until(away + Span::minutes(60), pace::DAY).await;
    let waiting = pending(&stage.ask(Question::Status).await);
    stage.say(
        Who::Central,
        &format!("the line is mended; {waiting} messages wait in innkeeper's outbox on disk"),
    );
    let back = clock::now();
    stage.central_is_away(false);
    let came = |stage: &Stage, id: &str| {
        let room = room(id);
        stage.heard.iter().any(|heard| {
            let is_it = |report: &Report| {
                *report.room() == room && matches!(report, Report::Request(r) if r.need == Need::Battery)
            };
            heard.at >= back && matches!(&heard.received.data, crate::uplink::UpData::Report(report) if is_it(report))
        })
    };
    let arrived = stage
        .wait_for(Span::hours(2), pace::CLOSE, |stage| {
            (came(stage, "105") && came(stage, "106")).then_some(())
        })
        .await;
    let drained = drain(stage).await;
    let missing = stage.central.figures().missing;
    let is_whole = arrived.is_some() && drained && waiting > 0 && missing == 0;
    stage.check(
        is_whole,
        format!("all {waiting} came, each stream in order and without a gap; the outbox is empty"),
    );
    for id in ["105", "106"] {
        stage
            .script
            .add(clock::now() + Span::minutes(40), &room(id), Act::DoorBattery(100.0));
    }
}

/// Waits until nothing waits for central any more.
async fn drain(stage: &mut Stage) -> bool {
    let end = clock::now() + Span::hours(1);
    while clock::now() < end {
        if pending(&stage.ask(Question::Status).await) == 0 {
            return true;
        }
        let next = clock::now() + Span::minutes(1);
        stage.until(next, pace::CLOSE).await;
    }
    false
}

async fn second_evening(stage: &mut Stage) {
    let focus = stage.focus.clone();
    stage.until(at(1, 18, 0), pace::DULL).await;
    stage.say(Who::Guest, "comes back");
    let back = clock::now();
    stage.script.through_door(back, &focus);
    stage.script.is_in(back, at(1, 23, 20), &focus);
    stage.until(at(1, 21, 55), pace::DULL).await;
    soften(stage, 15.0, "makes the bed softer still (15)").await;
    let is_conflict =
        |report: &crate::model::PreferenceReport| report.tags.iter().any(|tag| tag == "booking_vs_device");
    let conflict = find_preference(stage, &focus, back, Attribute::Firmness, is_conflict).is_some();
    stage.check(
        conflict,
        "the bed and the booking disagree, and central was told so (booking_vs_device)",
    );
    milk(stage, 1, true).await;
    sleep(stage, 1).await;
}

/// The milk of a night: asked for ten minutes before its time, and brought.
async fn milk(stage: &mut Stage, day: i64, is_told: bool) -> bool {
    let focus = stage.focus.clone();
    stage.until(at(day, 22, 42), pace::DULL).await;
    let since = clock::now();
    let asked = stage
        .wait_for(Span::minutes(18), pace::CLOSE, |stage| {
            find_request(stage, &focus, since, Need::Routine)
        })
        .await;
    let in_time = asked.as_ref().is_some_and(|asked| {
        asked
            .not_before
            .is_some_and(|from| from >= at(day, 22, 43) && from <= at(day, 22, 57))
    });
    let id = asked.map(|asked| asked.id);
    let done = stage
        .wait_for(Span::minutes(20), pace::CLOSE, |stage| {
            id.as_ref().filter(|id| is_done(stage, id)).map(|_| ())
        })
        .await;
    if is_told {
        let words =
            "the milk of 23:00 was foreseen, asked for ten minutes before, and brought before anybody telephoned";
        stage.check(in_time && done.is_some(), words);
    }
    in_time && done.is_some()
}

/// A night's sleep, up to the next morning's way out.
async fn sleep(stage: &mut Stage, day: i64) {
    let focus = stage.focus.clone();
    stage.is_quiet = true;
    stage.script.add(at(day, 23, 30), &focus, Act::LiesDown);
    stage.script.add(at(day + 1, 7, 30), &focus, Act::GetsUp);
    stage.script.is_in(at(day + 1, 7, 30), at(day + 1, 8, 25), &focus);
    stage.script.through_door(at(day + 1, 8, 30), &focus);
    stage.until(at(day + 1, 9, 0), pace::DULL).await;
}

async fn quiet_days(stage: &mut Stage) {
    stage.say(
        Who::Guest,
        "Wednesday and Thursday are days like these; they pass untold",
    );
    let focus = stage.focus.clone();
    let (mut commands_asleep, mut milks) = (0, 0);
    for day in [2, 3] {
        stage.script.through_door(at(day, 18, 0), &focus);
        stage.script.is_in(at(day, 18, 0), at(day, 23, 20), &focus);
        milks += u32::from(milk(stage, day, false).await);
        let slept = at(day, 23, 36);
        stage.script.add(at(day, 23, 30), &focus, Act::LiesDown);
        stage.script.add(at(day + 1, 7, 30), &focus, Act::GetsUp);
        stage.until(at(day + 1, 7, 25), pace::DULL).await;
        commands_asleep += stage.commands(&focus, Model::Thermostat, slept).count();
        stage.script.is_in(at(day + 1, 7, 30), at(day + 1, 8, 25), &focus);
        if day == 2 {
            stage.script.through_door(at(day + 1, 8, 30), &focus);
        }
    }
    stage.check(
        milks == 2 && commands_asleep == 0,
        "two more days went the same way: milk foreseen each night, sleep never disturbed",
    );
}

async fn leave(stage: &mut Stage) {
    let focus = stage.focus.clone();
    for id in ["101", "102"] {
        stage
            .central
            .stay(other_stay(id, StayStatus::CheckedOut, 3, at(0, 17, 0)))
            .await;
    }
    stage.until(at(4, 10, 20), pace::DULL).await;
    stage.say(Who::Guest, "leaves with the luggage");
    stage.script.through_door(clock::now(), &focus);
    stage.until(at(4, 10, 45), pace::DAY).await;
    stage.say(Who::Central, "104 is checked out");
    let out = clock::now();
    stage.central.stay(notice(StayStatus::CheckedOut, 3)).await;
    let learnt = stage.wait_for(Span::minutes(20), pace::CLOSE, |stage| {
        let last = |attribute| find_preference(stage, &focus, out, attribute, |report| report.is_final);
        last(Attribute::TargetTemperature).zip(last(Attribute::Firmness))
    });
    let learnt = learnt.await;
    let is_soft = learnt
        .as_ref()
        .is_some_and(|(_, bed)| bed.as_f64().is_some_and(|firmness| firmness < 30.0));
    let is_cooler = learnt
        .as_ref()
        .is_some_and(|(warmth, _)| warmth.as_f64().is_some_and(|c| (21.5..23.0).contains(&c)));
    stage.check(
        is_soft && is_cooler,
        "at check-out the stay was folded into what is known of the guest, for the next house",
    );
    let rest = stage.wait_for(Span::minutes(60), pace::DAY, |stage| {
        stage
            .commands(&focus, Model::Thermostat, out)
            .find(|told| told.value <= 18.0)
            .map(|told| told.value)
    });
    let rest = rest.await;
    stage.check(rest.is_some(), "the empty room went back to rest");
    drain(stage).await;
}

async fn summary(stage: &mut Stage) -> bool {
    let ledger = stage.ask(Question::Ledger).await;
    let streams = ledger["streams"].as_object().cloned().unwrap_or_default();
    let sum =
        |names: &[&str], key: &str| -> u64 { names.iter().filter_map(|name| streams.get(*name)?[key].as_u64()).sum() };
    let all: Vec<&str> = streams.keys().map(String::as_str).collect();
    let (sent, acknowledged) = (sum(&all, "enqueued"), sum(&all, "acknowledged"));
    let lost = sum(&all, "expired") + sum(&all, "dropped") + sum(&all, "damaged");
    let waiting = pending(&stage.ask(Question::Status).await);
    let figures = stage.central.figures();
    let rejected = stage.central.rejected();
    let is_whole = acknowledged + waiting == sent && waiting <= 1 && lost == 0 && figures.missing == 0;
    let is_clean = figures.doubles_new_id.is_empty() && rejected.is_empty();
    stage.check(
        is_whole && is_clean,
        "nothing was lost, nothing was asked for twice, every message was as the contract says",
    );
    for (first, second) in &figures.doubles_new_id {
        stage.narrator.note(&format!("asked for twice: {first} and {second}"));
    }
    let promises = |verdict| stage.heard.iter().filter(|heard| is_verdict(heard, verdict)).count();
    let (kept, missed) = (promises(ReadinessVerdict::Kept), promises(ReadinessVerdict::Missed));
    stage.check(
        missed == 0,
        format!("every promise at a door was kept: {kept} of {}", kept + missed),
    );
    let came_true = stage.beats.iter().filter(|beat| beat.came_true).count();
    let voice = &stage.narrator;
    voice.title("What it came to");
    voice.note(&format!(
        "messages to central   {sent} sent, {acknowledged} acknowledged, {waiting} on the way, {lost} lost; {} of them requests and emergencies",
        sum(&["request", "emergency"], "enqueued")
    ));
    voice.note(&format!(
        "at central            {} gaps, {} needs asked for twice, {} repeated and known by their id",
        figures.missing,
        figures.doubles_new_id.len(),
        figures.doubles_same_id
    ));
    voice.note(&format!("promises at the door  {kept} kept, {missed} missed"));
    voice.note(&format!(
        "commands to devices   {}, all with a reason (`innkeeper why`)",
        stage.told.len()
    ));
    voice.note(&format!(
        "the story             {came_true} of {} parts came true",
        stage.beats.len()
    ));
    for fault in rejected.iter().take(3) {
        voice.note(&format!("  not as the contract says: {fault}"));
    }
    for beat in stage.beats.iter().filter(|beat| !beat.came_true) {
        voice.note(&format!("  did not come true: {}", beat.what));
    }
    voice.title("What to try next");
    voice.note("innkeeper demo --keep      lets the hotel go on; ask it `innkeeper why 104`, look at its metrics");
    voice.note("innkeeper check config     holds a configuration against its schema; config/small-hotel.toml is one to begin with");
    voice.note("docs/                      the configuration, the messages to central, how to write a device profile");
    stage.beats.iter().all(|beat| beat.came_true)
}

// --- what is looked for --------------------------------------------------------------------------------------------------

fn pending(status: &Value) -> u64 {
    status["edge"]["pending"].as_u64().unwrap_or(u64::MAX)
}

fn is_verdict(heard: &crate::simulate::dispatch::Heard, verdict: ReadinessVerdict) -> bool {
    matches!(&heard.received.data, crate::uplink::UpData::Report(Report::Readiness(promise)) if promise.verdict == Some(verdict))
}

fn find_request(stage: &Stage, room: &RoomId, since: Moment, need: Need) -> Option<ServiceRequest> {
    stage.reports(room, since).find_map(|(_, report)| match report {
        Report::Request(request)
            if request.need == need && matches!(request.state, RequestState::Raised | RequestState::Offered) =>
        {
            Some((**request).clone())
        }
        _ => None,
    })
}

fn find_state(stage: &Stage, room: &RoomId, since: Moment, state: RequestState) -> Option<()> {
    let is_it = |report: &Report| matches!(report, Report::RequestState(of) if of.state == state);
    stage
        .reports(room, since)
        .any(|(_, report)| is_it(report))
        .then_some(())
}

fn find_preference(
    stage: &Stage,
    room: &RoomId,
    since: Moment,
    attribute: Attribute,
    is_it: impl Fn(&crate::model::PreferenceReport) -> bool,
) -> Option<Value> {
    stage.reports(room, since).find_map(|(_, report)| match report {
        Report::Preference(of) if of.attribute == attribute && is_it(of) => Some(of.value.clone()),
        _ => None,
    })
}

fn is_done(stage: &Stage, id: &RequestId) -> bool {
    stage
        .said
        .iter()
        .any(|said| said.notice.request == *id && said.notice.status == RequestStatus::Done)
}

// --- what central knows --------------------------------------------------------------------------------------------------

fn token(text: &str) -> StayToken {
    StayToken::new(text).expect("the story's tokens are tokens")
}

fn item(text: &str) -> Item {
    Item::new(text).expect("the story's items are items")
}

fn request_id(text: &str) -> RequestId {
    RequestId::new(text).expect("the story's orders are ids")
}

fn guest() -> GuestToken {
    GuestToken::new("a7c4e21093bd").expect("the story's guest is a token")
}

fn notice(status: StayStatus, version: u64) -> StayNotice {
    let declared = Declared {
        temperature: None,
        firmness: Some(Percent::from_hundredths((FIRMNESS_BOOKED * 100.0) as i32)),
    };
    StayNotice {
        stay: token("5f3a9c0172e4"),
        version,
        status,
        room: Some(room("104")),
        guest: Some(guest()),
        eta: Some(at(0, 16, 0)),
        channel: None,
        departure: Some(at(4, 11, 0)),
        adults: 1,
        declared,
        items: vec![item(PILLOW)],
    }
}

fn other_stay(id: &str, status: StayStatus, version: u64, eta: Moment) -> StayNotice {
    StayNotice {
        stay: token(&format!("9b1d44e0{id}")),
        version,
        status,
        room: Some(room(id)),
        guest: None,
        eta: Some(eta),
        channel: None,
        departure: Some(at(4, 10, 0)),
        adults: 2,
        declared: Declared::default(),
        items: Vec::new(),
    }
}

fn prior() -> Prior {
    let days = at(0, 12, 0).millis() / 86_400_000 - 40;
    let elsewhere = PriorSummary {
        property: PropertyId::new("hotel-seeblick").expect("the story's properties are ids"),
        stay: token("c0de51a77e12"),
        version: 1,
        day: days as i32,
        temperature: Some(Celsius::from_hundredths((LIKED * 100.0) as i32)),
        firmness: Some(Percent::from_hundredths((FIRMNESS_LIKED * 100.0) as i32)),
        nights: 2,
        acts: 3,
        habits: vec![(item(MILK), 23 * 60), (item(MILK), 23 * 60 + 2)],
        evidence: Vec::new(),
        evenings: vec![],
    };
    Prior {
        guest: guest(),
        stays: vec![elsewhere],
        must_have: Vec::new(),
        items: Vec::new(),
        erased_up_to: None,
    }
}
