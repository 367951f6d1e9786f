//! Can each link be reached as it is written, and does anything use it?

use super::is_loopback;
use crate::config::gather::{Desk, Gathered, Piece, Place};
use crate::config::link::{
    CentralLink, Link, ModbusLink, MqttLink, PmsLink, PmsSystem, PowerLink, Reach, Tls, WeatherLink,
};
use crate::config::words::Lasting;
use crate::model::LinkId;
use crate::strict::did_you_mean;
use std::collections::{BTreeMap, BTreeSet};

/// How often a weather service may be asked.
const ASKED_EVERY: std::ops::RangeInclusive<Lasting> = Lasting::minutes(1)..=Lasting::minutes(120);

/// Checks the links; `used` are those that devices are on.
pub(in crate::config) fn links(desk: &mut Desk, all: &Gathered, used: &BTreeSet<LinkId>) {
    let mut used = used.clone();
    let mut reached = BTreeMap::new();
    for (id, piece) in &all.links {
        match &piece.value {
            Link::Mqtt(link) => mqtt(desk, &piece.place, link),
            Link::Modbus(link) => modbus(desk, id, &piece.place, link, &mut reached),
            Link::Central(link) => central(desk, &piece.place, link),
            Link::Pms(link) => pms(desk, &piece.place, link),
            Link::Weather(link) => {
                used.extend(link.via.clone());
                weather(desk, all, &piece.place, link);
            }
            Link::Power(link) => {
                used.insert(link.via.clone());
                power(desk, all, &piece.place, link);
            }
        }
    }
    one_of_each(desk, all);
    unused(desk, all, &used);
}

fn one_of_each(desk: &mut Desk, all: &Gathered) {
    for kind in ["central", "pms", "weather", "power"] {
        let mut of_kind = all.links.iter().filter(|(_, piece)| piece.value.kind() == kind);
        let first = of_kind.next();
        for (id, piece) in of_kind {
            let what = format!(
                "{id} is a second link of kind {kind}, beside {}",
                first.map_or("", |(id, _)| id.as_str())
            );
            desk.error(&piece.place, what, "keep one");
        }
        if let (None, "central", Some(property), true) = (first, kind, &all.property, all.unread.is_empty()) {
            let what = "there is no link of kind central: requests are derived and kept, but nobody is told";
            desk.warn(&property.place, what, "write [links.central] with kind = \"central\"");
        }
    }
}

/// Only where nothing else is wrong: a slip in a device's link leaves the right link without devices.
fn unused(desk: &mut Desk, all: &Gathered, used: &BTreeSet<LinkId>) {
    if desk.faults.refuse() {
        return;
    }
    let carries = |link: &Link| matches!(link, Link::Mqtt(_) | Link::Modbus(_));
    let idle: Vec<(&LinkId, &Piece<Link>)> = all
        .links
        .iter()
        .filter(|(id, piece)| carries(&piece.value) && !used.contains(*id))
        .collect();
    for (id, piece) in idle {
        desk.warn(
            &piece.place,
            format!("nothing is on link {id}"),
            "remove it, or name it in a device's link",
        );
    }
}

fn mqtt(desk: &mut Desk, place: &Place, link: &MqttLink) {
    access(
        desk,
        place,
        link.tls.as_ref(),
        link.username.as_ref(),
        link.password_file.is_some(),
    );
    if let Some(base) = link.base.as_deref().filter(|base| !is_topic(base)) {
        desk.error(
            &place.key("base"),
            format!("{base:?} is no topic"),
            "write levels joined by '/', without '+', '#' and a '/' at either end",
        );
    }
}

fn central(desk: &mut Desk, place: &Place, link: &CentralLink) {
    access(
        desk,
        place,
        link.tls.as_ref(),
        link.username.as_ref(),
        link.password_file.is_some(),
    );
    if link.tls.is_none() && !is_loopback(&link.host) {
        let what = format!("requests travel to {:?} in plain text", link.host);
        desk.warn(&place.key("host"), what, "write tls = { ca = \"...\" }");
    }
}

fn access(desk: &mut Desk, place: &Place, tls: Option<&Tls>, username: Option<&String>, password: bool) {
    if let Some(tls) = tls
        && tls.cert.is_some() != tls.key.is_some()
    {
        let (has, lacks) = if tls.cert.is_some() {
            ("cert", "key")
        } else {
            ("key", "cert")
        };
        desk.error(
            &place.key("tls").key(has),
            format!("tls has {has} but no {lacks}"),
            format!("write both, or remove {has}"),
        );
    }
    if password && username.is_none() {
        desk.error(
            &place.key("password_file"),
            "there is a password but no user name",
            "write username = \"...\"",
        );
    }
}

/// Levels joined by '/', nothing else that a broker reads as more than a name.
fn is_topic(text: &str) -> bool {
    !text.contains(['+', '#', '\0']) && text.split('/').all(|level| !level.is_empty())
}

fn modbus(desk: &mut Desk, id: &LinkId, place: &Place, link: &ModbusLink, reached: &mut BTreeMap<String, LinkId>) {
    let Some(reach) = link.reach() else {
        let mut ways = ["tcp", "rtu_over_tcp", "serial"]
            .map(|key| place.key(key))
            .into_iter()
            .filter(|way| desk.has(way));
        let (at, what) = match ways.next_back() {
            Some(second) => (second, format!("bus {id} is reached in more than one way")),
            None => (place.clone(), format!("nothing says how bus {id} is reached")),
        };
        return desk.error(&at, what, "write exactly one of tcp, rtu_over_tcp and serial");
    };
    let (key, to) = match reach {
        Reach::Tcp(address) => ("tcp", address.to_owned()),
        Reach::RtuOverTcp(address) => ("rtu_over_tcp", address.to_owned()),
        Reach::Serial(path) => ("serial", path.display().to_string()),
    };
    if key != "serial" && !is_host_and_port(&to) {
        desk.error(
            &place.key(key),
            format!("{to:?} is no address"),
            "write host:port, such as \"10.0.0.7:502\"",
        );
    }
    if key == "tcp" {
        let written = ["baud", "parity", "stop", "data"]
            .into_iter()
            .filter(|line| desk.has(&place.key(line)));
        for line in written.collect::<Vec<_>>() {
            desk.error(
                &place.key(line),
                format!("{line} means nothing on a Modbus/TCP link"),
                "remove it",
            );
        }
    } else if link.data != 8 {
        desk.error(&place.key("data"), "RTU needs 8 data bits", "write 8, or remove it");
    }
    if let Some(other) = reached.insert(to.clone(), id.clone()) {
        let what =
            format!("bus {id} and bus {other} both ask on {to:?}: two masters on one line hear each other's answers");
        desk.error(&place.key(key), what, "make them one link");
    }
}

fn is_host_and_port(address: &str) -> bool {
    address
        .rsplit_once(':')
        .is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok_and(|port| port > 0))
}

fn pms(desk: &mut Desk, place: &Place, link: &PmsLink) {
    if link.system == PmsSystem::Fias {
        let what = "the FIAS link is not built yet in this version: no stay will come over it";
        desk.warn(
            &place.key("system"),
            what,
            "write system = \"central\" and let central send the stays",
        );
        for key in ["host", "port"]
            .into_iter()
            .filter(|key| !desk.has(&place.key(key)))
            .collect::<Vec<_>>()
        {
            desk.error(
                place,
                format!("a FIAS link needs {key:?}"),
                format!("write {key} = ..."),
            );
        }
    }
}

fn weather(desk: &mut Desk, all: &Gathered, place: &Place, link: &WeatherLink) {
    match (&link.via, &link.url) {
        (Some(via), None) => weather_via(desk, all, place, link, via),
        (None, Some(url)) => weather_service(desk, place, link, url),
        (both, _) => {
            let (at, what) = match both {
                Some(_) => (place.key("url"), "the weather is told in more than one way"),
                None => (place.clone(), "nothing says where the weather comes from"),
            };
            desk.error(&at, what, "write exactly one of via and url");
        }
    }
}

fn weather_via(desk: &mut Desk, all: &Gathered, place: &Place, link: &WeatherLink, via: &LinkId) {
    let told = format!("the weather comes over {via}, but on which topic?");
    match all.links.get(via).map(|piece| &piece.value) {
        Some(Link::Mqtt(_)) if link.topic.is_none() => desk.error(place, told, "write topic = \"...\""),
        Some(Link::Mqtt(_) | Link::Central(_)) => {}
        Some(other) => {
            let what = format!("the weather cannot come over {via}, which is of kind {}", other.kind());
            desk.error(&place.key("via"), what, "name a link of kind mqtt or central");
        }
        None => unknown_link(desk, all, place, via),
    }
    for key in ["every", "tls"].map(|key| place.key(key)) {
        if desk.has(&key) {
            desk.error(&key, "only a service with a url is asked", "remove it");
        }
    }
}

fn weather_service(desk: &mut Desk, place: &Place, link: &WeatherLink, url: &str) {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let host = rest.and_then(|rest| rest.split(['/', '?', '#']).next());
    let is_plain = |host: &str| !host.is_empty() && !host.starts_with(':') && !host.contains('@');
    if !host.is_some_and(is_plain) || url.contains(|c: char| c.is_whitespace() || c.is_control()) {
        desk.error(
            &place.key("url"),
            // Not repeated: a login in it would stand in the journal.
            "this is no address of a service",
            "write http:// or https://, the host and the query, without a login",
        );
    }
    if !ASKED_EVERY.contains(&link.every) {
        desk.error(
            &place.key("every"),
            format!("a service cannot be asked every {}", link.every),
            "write 1m to 2h: the air outside is believed for three hours",
        );
    }
    if let Some(key) = Some(place.key("topic")).filter(|key| desk.has(key)) {
        desk.error(&key, "a service has no topic", "remove it");
    }
    access(desk, place, link.tls.as_ref(), None, false);
}

fn unknown_link(desk: &mut Desk, all: &Gathered, place: &Place, via: &LinkId) {
    if !all.unread.contains(via.as_str()) {
        let help = did_you_mean(via.as_str(), all.links.keys().map(LinkId::as_str));
        desk.error(&place.key("via"), format!("there is no link {:?}", via.as_str()), help);
    }
}

fn power(desk: &mut Desk, all: &Gathered, place: &Place, link: &PowerLink) {
    let via = &link.via;
    match all.links.get(via).map(|piece| &piece.value) {
        Some(Link::Mqtt(_)) => {}
        Some(other) => {
            let what = format!(
                "a limit on power cannot come over {via}, which is of kind {}",
                other.kind()
            );
            desk.error(&place.key("via"), what, "name a link of kind mqtt");
        }
        None => unknown_link(desk, all, place, via),
    }
}
