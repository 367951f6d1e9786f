//! What does a message tell of the whole property: how warm is it outside, and what may the plant give?
//!
//! A figure stands as a JSON number under a key, or bare. [`topic`] hears it over MQTT, [`web`] asks a weather service for it.
//! What cannot be read is counted by name; the engine forgets a temperature that is not told again.

pub mod topic;
pub mod web;

use super::FromDevices;
use super::running::failed;
use super::tally::Tally;
use crate::model::{Celsius, Command, Event, LinkId, OUTDOOR_C, Percent};
use std::time::Duration;

/// A message is a few hundred bytes; a forecast for a week is not asked for.
const PAYLOAD_BYTES_MAX: usize = 64 * 1024;
/// How often the watchdog sees a source's loop turn, and rejections are told.
const TICK: Duration = Duration::from_secs(1);

/// Which figures a message tells, and where in it they stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figures {
    /// The key of the JSON object that holds the figure; `current.temperature` lies one object deeper.
    pub key: String,
    /// What the figure is.
    pub tells: Tells,
}

/// What a source tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tells {
    /// The air outside, C, and under a key of its own how much of the sky is covered, %.
    Outdoor {
        /// That key, where the message has it.
        clouds: Option<String>,
    },
    /// What the plant may give, % of what all rooms take at full output; null for no limit.
    PowerLimit,
}

impl Figures {
    /// Reads messages, oldest first: the newest of each figure is what stands. What cannot be read is counted.
    fn read<'a>(&self, payloads: impl IntoIterator<Item = &'a [u8]>, tally: &mut Tally) -> Vec<Event> {
        let (mut newest, mut clouds) = (None, None);
        for payload in payloads {
            match self.figure(payload) {
                Ok(event) => newest = Some(event),
                Err(reason) => tally.note(None, reason),
            }
            match self.clouds(payload) {
                Ok(told) => clouds = told.or(clouds),
                Err(reason) => tally.note(None, reason),
            }
        }
        newest.into_iter().chain(clouds).collect()
    }

    fn figure(&self, payload: &[u8]) -> Result<Event, &'static str> {
        match self.tells {
            Tells::Outdoor { .. } => temperature(payload, &self.key).map(|temperature| Event::Outdoor { temperature }),
            Tells::PowerLimit => {
                share(payload, &self.key, &LIMIT).map(|share| Event::PowerLimit { share, until: None })
            }
        }
    }

    fn clouds(&self, payload: &[u8]) -> Result<Option<Event>, &'static str> {
        let Tells::Outdoor { clouds: Some(key) } = &self.tells else {
            return Ok(None);
        };
        let cover = share(payload, key, &CLOUDS)?;
        Ok(cover.map(|cover| Event::Clouds { cover }))
    }
}

/// What a source has told, on its way to the daemon.
struct Desk {
    link: LinkId,
    figures: Figures,
    tally: Tally,
    news: Vec<FromDevices>,
}

impl Desk {
    fn new(link: LinkId, figures: Figures) -> Self {
        let (tally, news) = (Tally::default(), Vec::new());
        Self {
            link,
            figures,
            tally,
            news,
        }
    }

    /// Sources only tell: a command for one fails.
    fn cannot(&mut self, command: Command, because: &str) {
        self.news.push(FromDevices::Events(vec![failed(command.id, because)]));
    }

    fn tick(&mut self) {
        self.news.extend(self.tally.take(&self.link));
    }

    fn stands(&mut self, up: bool, because: String) {
        let link = self.link.clone();
        self.news.push(FromDevices::Link { link, up, because });
    }

    fn hear<'a>(&mut self, payloads: impl IntoIterator<Item = &'a [u8]>) {
        let events = self.figures.read(payloads, &mut self.tally);
        self.news
            .extend((!events.is_empty()).then_some(FromDevices::Events(events)));
    }
}

/// Why a figure is refused, by name.
struct Refusals {
    too_long: &'static str,
    not_json: &'static str,
    key_missing: &'static str,
    not_a_number: &'static str,
    out_of_range: &'static str,
}

const OUTDOOR: Refusals = Refusals {
    too_long: "weather_too_long",
    not_json: "weather_not_json",
    key_missing: "weather_key_missing",
    not_a_number: "weather_not_a_number",
    out_of_range: "weather_out_of_range",
};
const LIMIT: Refusals = Refusals {
    too_long: "limit_too_long",
    not_json: "limit_not_json",
    key_missing: "limit_key_missing",
    not_a_number: "limit_not_a_number",
    out_of_range: "limit_out_of_range",
};
/// What is wrong with the clouds is worth one name: the temperature beside them tells the rest.
const CLOUDS: Refusals = {
    const UNREADABLE: &str = "clouds_unreadable";
    Refusals {
        too_long: UNREADABLE,
        not_json: UNREADABLE,
        key_missing: UNREADABLE,
        not_a_number: UNREADABLE,
        out_of_range: UNREADABLE,
    }
};

impl Refusals {
    const fn words(&self) -> [&'static str; 5] {
        [
            self.too_long,
            self.not_json,
            self.key_missing,
            self.not_a_number,
            self.out_of_range,
        ]
    }
}

/// Returns the name of every refusal of a figure, some of them more than once.
pub fn refusals() -> impl Iterator<Item = &'static str> {
    [OUTDOOR, LIMIT, CLOUDS]
        .into_iter()
        .flat_map(|refusals| refusals.words())
}

/// Returns the temperature a message tells, or the name of what is wrong with it.
fn temperature(payload: &[u8], key: &str) -> Result<Celsius, &'static str> {
    let degrees = figure(payload, key, &OUTDOOR)?.ok_or(OUTDOOR.not_a_number)?;
    Some(degrees)
        .filter(|degrees| OUTDOOR_C.contains(degrees))
        .and_then(Celsius::new)
        .ok_or(OUTDOOR.out_of_range)
}

/// Returns the share a message tells, none for null, or the name of what is wrong with it.
fn share(payload: &[u8], key: &str, refusals: &Refusals) -> Result<Option<Percent>, &'static str> {
    figure(payload, key, refusals)?
        .map(|share| Percent::new(share).ok_or(refusals.out_of_range))
        .transpose()
}

/// Returns the figure under a key, or the bare one; none for null.
fn figure(payload: &[u8], key: &str, refusals: &Refusals) -> Result<Option<f64>, &'static str> {
    if payload.len() > PAYLOAD_BYTES_MAX {
        return Err(refusals.too_long);
    }
    let value: serde_json::Value = serde_json::from_slice(payload).map_err(|_| refusals.not_json)?;
    let told = match &value {
        serde_json::Value::Object(_) => under(&value, key).ok_or(refusals.key_missing)?,
        bare => bare,
    };
    match told {
        serde_json::Value::Null => Ok(None),
        number => number.as_f64().map(Some).ok_or(refusals.not_a_number),
    }
}

/// What stands under a key of that very name, else at the end of the path that its dots make.
fn under<'a>(value: &'a serde_json::Value, key: &str) -> Option<&'a serde_json::Value> {
    let path = || key.split('.').try_fold(value, |value, part| value.get(part));
    value.get(key).or_else(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_or_a_bare_number_tells_the_temperature() {
        assert_eq!(
            temperature(br#"{"temperature":-3.5,"wind":12}"#, "temperature"),
            Ok(Celsius::from_hundredths(-350))
        );
        assert_eq!(temperature(b"21.25", "temperature"), Ok(Celsius::from_hundredths(2125)));
    }

    #[test]
    fn what_is_no_temperature_is_refused_by_name() {
        for (payload, reason) in [
            (&b"{\"t\":1}"[..], "weather_key_missing"),
            (b"{\"temperature\":\"12\"}", "weather_not_a_number"),
            (b"{\"temperature\":1e9}", "weather_out_of_range"),
            (b"{\"temperature\":-80}", "weather_out_of_range"),
            (b"twelve", "weather_not_json"),
            (b"null", "weather_not_a_number"),
        ] {
            assert_eq!(temperature(payload, "temperature"), Err(reason));
        }
        assert_eq!(
            temperature(&vec![b' '; PAYLOAD_BYTES_MAX + 1], "t"),
            Err("weather_too_long")
        );
    }

    #[test]
    fn a_key_with_dots_leads_deeper_unless_it_is_a_key() {
        let deep = br#"{"current":{"temperature":8.5},"rows":[{"t":1}]}"#;
        let read = |payload: &[u8], key| temperature(payload, key).map(Celsius::hundredths);
        assert_eq!(read(deep, "current.temperature"), Ok(850));
        assert_eq!(read(br#"{"a.b":3,"a":{"b":4}}"#, "a.b"), Ok(300));
        assert_eq!(read(deep, "current.wind"), Err("weather_key_missing"));
        assert_eq!(read(deep, "rows.0.t"), Err("weather_key_missing"));
        assert_eq!(read(deep, "current"), Err("weather_not_a_number"));
    }

    #[test]
    fn a_limit_is_a_share_or_null_and_nothing_else() {
        assert_eq!(share(b"{\"limit\":60}", "limit", &LIMIT), Ok(Percent::new(60.0)));
        assert_eq!(share(b"{\"limit\":null}", "limit", &LIMIT), Ok(None));
        assert_eq!(share(b"100", "limit", &LIMIT), Ok(Some(Percent::MAX)));
        assert_eq!(share(b"{\"limit\":160}", "limit", &LIMIT), Err("limit_out_of_range"));
        assert_eq!(share(b"{\"limit\":\"60\"}", "limit", &LIMIT), Err("limit_not_a_number"));
        assert_eq!(share(b"{}", "limit", &LIMIT), Err("limit_key_missing"));
    }
}
