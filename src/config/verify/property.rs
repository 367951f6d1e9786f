//! Do the property's own figures make sense together?

use crate::config::gather::{Desk, Gathered, Place};
use crate::config::words::check_cron;
use crate::model::{Celsius, EnergyCode, Item, Need, Span};
use crate::strict::nearest;
use std::net::SocketAddr;

/// Below this, pipes behind a wall freeze while the room still reads warmer.
const FROST: Celsius = Celsius::from_hundredths(500);
/// Above this a sleeping person is harmed.
const HEAT: Celsius = Celsius::from_hundredths(3500);
/// Each need by its name.
const NEEDS: [Need; 10] = [
    Need::ArrivalItems,
    Need::Routine,
    Need::MakeUpRoom,
    Need::Battery,
    Need::DeviceOffline,
    Need::CannotReach,
    Need::SensorFault,
    Need::Welfare,
    Need::UnsoldOccupied,
    Need::Emergency,
];

/// Checks everything that is not rooms, devices and links.
pub(in crate::config) fn property(desk: &mut Desk, all: &Gathered) {
    match &all.property {
        Some(piece) => zone(desk, &piece.place.key("zone"), &piece.value.zone),
        None if all.unread.contains("property") => {}
        None => desk.error(
            &Place::default(),
            "there is no [property]",
            "write [property] with id and zone",
        ),
    }
    limits(desk, all);
    levels(desk, all);
    arrival(desk, all);
    code(desk, all);
    services(desk, all);
    jobs(desk, all);
    observe(desk, all);
    store(desk, all);
}

fn zone(desk: &mut Desk, place: &Place, name: &str) {
    if jiff::tz::TimeZone::get(name).is_ok() {
        return;
    }
    let known: Vec<String> = jiff::tz::db().available().map(|known| known.to_string()).collect();
    let help = match nearest(name, known.iter().map(String::as_str)) {
        Some(known) => format!("did you mean {known:?}?"),
        None => "write an IANA name such as \"Europe/Vienna\" or \"Asia/Singapore\"".into(),
    };
    desk.error(place, format!("{name:?} is no time zone"), help);
}

fn limits(desk: &mut Desk, all: &Gathered) {
    let (place, limits) = (&all.limits.place, &all.limits.value);
    if limits.temperature_min >= limits.temperature_max {
        let what = format!(
            "temperature_min {} is not below temperature_max {}",
            limits.temperature_min, limits.temperature_max
        );
        desk.error(&place.key("temperature_min"), what, "write a lower one, such as 12");
    }
    if limits.temperature_min < FROST {
        desk.error(
            &place.key("temperature_min"),
            format!("{} lets pipes freeze", limits.temperature_min),
            "write 5 or more",
        );
    }
    if limits.temperature_max > HEAT {
        desk.error(
            &place.key("temperature_max"),
            format!("{} harms people", limits.temperature_max),
            "write 35 or less",
        );
    }
    if limits.firmness_min >= limits.firmness_max {
        let what = format!(
            "firmness_min {} is not below firmness_max {}",
            limits.firmness_min, limits.firmness_max
        );
        desk.error(&place.key("firmness_min"), what, "write a lower one, such as 0");
    }
}

fn levels(desk: &mut Desk, all: &Gathered) {
    let (place, levels) = (&all.levels.place, &all.levels.value);
    let limits = &all.limits.value;
    let (low, high) = (limits.temperature_min, limits.temperature_max);
    let moved = |level: Celsius| {
        all.limits.place.key(if level < low {
            "temperature_min"
        } else {
            "temperature_max"
        })
    };
    let within = |desk: &mut Desk, place: Place, name: &str, level: Celsius| {
        if low < high && (level < low || level > high) {
            let place = if desk.has(&place) { place } else { moved(level) };
            let what = format!("{name} {level} is outside the limits of {low} to {high}");
            desk.error(&place, what, "write a value inside, or move [limits]");
        }
    };
    let each = [
        ("unsold_heating", levels.unsold_heating),
        ("unsold_cooling", levels.unsold_cooling),
        ("vacant_heating", levels.vacant_heating),
        ("vacant_cooling", levels.vacant_cooling),
    ];
    each.into_iter()
        .for_each(|(name, level)| within(desk, place.key(name), name, level));
    if let Some(property) = &all.property {
        within(desk, property.place.key("comfort"), "comfort", property.value.comfort);
    }
    for (name, heating, cooling) in [
        ("unsold", levels.unsold_heating, levels.unsold_cooling),
        ("vacant", levels.vacant_heating, levels.vacant_cooling),
    ] {
        if heating >= cooling {
            let what = format!(
                "{name}_heating {heating} is not below {name}_cooling {cooling}: the plant would heat and cool in turn"
            );
            desk.error(&place.key(format!("{name}_heating")), what, "write a lower one");
        }
    }
    if levels.out_shallow > levels.out_deep {
        let what = format!(
            "out_shallow {} K is more than out_deep {} K",
            levels.out_shallow.to_f64(),
            levels.out_deep.to_f64()
        );
        desk.error(
            &place.key("out_shallow"),
            what,
            "the first stage must be the smaller one",
        );
    }
    if levels.out_shallow < Celsius::from_hundredths(0) {
        desk.error(
            &place.key("out_shallow"),
            "a set-back is a distance from comfort and cannot be negative",
            "write 1.0",
        );
    }
    order(desk, all);
}

/// An unsold room that is kept nearer to comfort than a sold one costs more and gives less.
fn order(desk: &mut Desk, all: &Gathered) {
    let (place, levels) = (&all.levels.place, &all.levels.value);
    let limits = &all.limits.value;
    let comfort = all.property.as_ref().map(|property| property.value.comfort);
    let Some(comfort) = comfort.filter(|t| *t == t.held(limits.temperature_min, limits.temperature_max)) else {
        return;
    };
    if levels.unsold_heating > levels.vacant_heating {
        desk.warn(
            &place.key("unsold_heating"),
            "an unsold room is kept warmer than one that is sold",
            "write the lower one here",
        );
    }
    if levels.unsold_cooling < levels.vacant_cooling {
        desk.warn(
            &place.key("unsold_cooling"),
            "an unsold room is kept cooler than one that is sold",
            "write the higher one here",
        );
    }
    if levels.vacant_heating > comfort || levels.vacant_cooling < comfort {
        let what = format!(
            "comfort {comfort} is not between vacant_heating {} and vacant_cooling {}",
            levels.vacant_heating, levels.vacant_cooling
        );
        let written = [place.key("vacant_heating"), place.key("vacant_cooling")]
            .into_iter()
            .find(|place| desk.has(place));
        let at = written
            .or_else(|| all.property.as_ref().map(|p| p.place.key("comfort")))
            .unwrap_or_default();
        desk.warn(&at, what, "");
    }
}

fn arrival(desk: &mut Desk, all: &Gathered) {
    let (place, arrival) = (&all.arrival.place, &all.arrival.value);
    if arrival.band <= Celsius::from_hundredths(0) || arrival.band > Celsius::from_hundredths(300) {
        desk.error(
            &place.key("band"),
            format!("band {} K is not above 0 and up to 3 K", arrival.band.to_f64()),
            "write 0.5",
        );
    }
    if arrival.lead_extra > arrival.lead_max {
        let what = format!(
            "lead_extra {} is longer than lead_max {}",
            arrival.lead_extra, arrival.lead_max
        );
        desk.error(&place.key("lead_extra"), what, "write a shorter one");
    }
    let emergency = &all.emergency;
    if emergency.value.repeat.0 < Span::seconds(1) {
        desk.error(
            &emergency.place.key("repeat"),
            "an emergency cannot be called again more than once a second",
            "write \"1m\"",
        );
    }
    if emergency.value.local_after.0 > Span::minutes(1) {
        let what = format!(
            "an emergency waits {} for central before anybody here is told",
            emergency.value.local_after
        );
        desk.warn(&emergency.place.key("local_after"), what, "write \"5s\"");
    }
}

/// What the energy code asks for, figure by figure.
fn code(desk: &mut Desk, all: &Gathered) {
    let Some(property) = &all.property else { return };
    let Some(minima) = property.value.code.map(EnergyCode::minima) else {
        return;
    };
    let (levels, arrival, comfort) = (&all.levels.value, &all.arrival.value, property.value.comfort);
    let place = |key: &str| all.levels.place.key(key);
    let (out_low, out_high) = (comfort - minima.out_by, comfort + minima.out_by);
    let colder = [
        ("unsold_heating", levels.unsold_heating, minima.unrented_heating),
        ("vacant_heating", levels.vacant_heating, out_low),
    ];
    for (name, level, most) in colder.into_iter().filter(|(_, level, most)| level > most) {
        let what = format!("{name} {level} is warmer than the energy code allows");
        desk.error(&place(name), what, format!("write {} or less", most.to_f64()));
    }
    let warmer = [
        ("unsold_cooling", levels.unsold_cooling, minima.unrented_cooling),
        ("vacant_cooling", levels.vacant_cooling, out_high),
    ];
    for (name, level, least) in warmer.into_iter().filter(|(_, level, least)| level < least) {
        let what = format!("{name} {level} is colder than the energy code allows");
        desk.error(&place(name), what, format!("write {} or more", least.to_f64()));
    }
    if levels.out_deep < minima.out_by {
        let what = format!(
            "out_deep {} K is less than the energy code's {} K",
            levels.out_deep.to_f64(),
            minima.out_by.to_f64()
        );
        desk.error(&place("out_deep"), what, format!("write {}", minima.out_by.to_f64()));
    }
    if Span::from(levels.deep_after) > minima.out_within {
        let what = format!(
            "deep_after {} is longer than the {} that the energy code gives",
            levels.deep_after, minima.out_within
        );
        desk.error(
            &place("deep_after"),
            what,
            "write \"20m\": noticing that the guest left takes its time, too",
        );
    }
    let before = arrival.before_eta_max.map(Span::from);
    if before.is_none_or(|before| before > minima.before_arrival) {
        let what = format!(
            "the energy code lets rooms be brought back {} before the arrival and no longer",
            minima.before_arrival
        );
        desk.error(
            &all.arrival.place.key("before_eta_max"),
            what,
            "write before_eta_max = \"60m\"",
        );
    }
}

fn services(desk: &mut Desk, all: &Gathered) {
    let needs: Vec<String> = NEEDS.iter().map(name_of).collect();
    for (name, piece) in &all.services {
        if needs.contains(name) {
            continue;
        }
        if let Err(fault) = Item::new(name) {
            desk.error(
                &piece.place,
                format!("{name:?} is neither a need nor an item"),
                fault.want,
            );
        } else if let Some(need) = nearest(name, needs.iter().map(String::as_str)) {
            let help = format!("did you mean the need {need:?}?");
            desk.warn(
                &piece.place,
                format!("{name:?} is no need, so it is taken as an item"),
                help,
            );
        }
    }
}

fn name_of(need: &Need) -> String {
    serde_json::to_value(need)
        .ok()
        .and_then(|name| name.as_str().map(str::to_owned))
        .unwrap_or_default()
}

fn jobs(desk: &mut Desk, all: &Gathered) {
    for (name, time) in all.jobs.value.each() {
        if time == "never" {
            continue;
        }
        if let Err((what, help)) = check_cron(time) {
            desk.error(&all.jobs.place.key(name), format!("job {name}: {what}"), help);
        }
    }
}

fn observe(desk: &mut Desk, all: &Gathered) {
    let (place, observe) = (all.observe.place.key("listen"), &all.observe.value);
    match observe.listen.parse::<SocketAddr>() {
        Err(_) => {
            desk.error(
                &place,
                format!("{:?} is no address to listen on", observe.listen),
                "write \"127.0.0.1:9464\"",
            );
        }
        Ok(address) if !address.ip().is_loopback() && !observe.allow_remote => {
            let what = format!("{address} is reached from other machines, and nothing there asks for a password");
            desk.error(&place, what, "write \"127.0.0.1:9464\", or allow_remote = true");
        }
        Ok(_) => {}
    }
}

fn store(desk: &mut Desk, all: &Gathered) {
    let (place, store) = (&all.store.place, &all.store.value);
    if store.key_file.starts_with(&store.dir) {
        let what = "the key lies in the folder that it seals, so that a copy of the folder carries its key along";
        desk.warn(
            &place.key("key_file"),
            what,
            "write another folder, such as /etc/innkeeper/store.key",
        );
    }
}
