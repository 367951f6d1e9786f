//! What does the property tell of itself: how warm is it outside, and what may the plant give?
//!
//! One topic of one broker, in a session of its own: a sensor, a weather service or an energy desk tells a figure as a JSON
//! number under a key, or as a bare number. A retained message says what stands, and is taken: these are states, not acts.
//! What cannot be read is counted by name; the engine forgets a temperature that is not told again.

use super::FromDevices;
use super::running::{Ends, Gone, Running};
use super::tally::Tally;
use crate::model::{Celsius, Event, LinkId, OUTDOOR_C, Percent};
use crate::mqtt::{Acker, Inbound, LinkOptions, OptionsError, SubscribeEvent, SubscribeOptions, Subscriber};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::MissedTickBehavior;

/// A message is a few hundred bytes; a forecast for a week is not asked for.
const PAYLOAD_BYTES_MAX: usize = 64 * 1024;
/// How often the watchdog sees the loop turn, and rejections are told.
const TICK: Duration = Duration::from_secs(1);

/// Where a figure of the property is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PropertyTopic {
    /// The topic.
    pub topic: String,
    /// The key of the JSON object that holds the figure.
    pub key: String,
    /// What the figure is.
    pub tells: Tells,
}

/// What a topic tells.
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

/// Starts to listen to one topic.
///
/// # Errors
/// Options that cannot work.
///
/// # Panics
/// Must be called within a runtime.
pub fn start<T: From<FromDevices> + Send + 'static>(
    link: LinkId,
    options: LinkOptions,
    source: PropertyTopic,
    to: mpsc::Sender<T>,
) -> Result<Running, OptionsError> {
    let listening = SubscribeOptions {
        persistent: false,
        ..SubscribeOptions::new(options, vec![source.topic.clone()])
    };
    let ears = Subscriber::start(listening)?;
    let desk = Desk {
        link,
        key: source.key,
        tells: source.tells,
        tally: Tally::default(),
        news: Vec::new(),
    };
    Ok(Running::start(to, |ends| run(desk, ears, ends)))
}

/// Everything between the session and the daemon.
struct Desk {
    link: LinkId,
    key: String,
    tells: Tells,
    tally: Tally,
    news: Vec<FromDevices>,
}

async fn run<T: From<FromDevices> + Send>(mut desk: Desk, mut ears: Subscriber, mut ends: Ends<T>) {
    let acker = ears.acker();
    // Nobody left to tell is the end as well.
    let _ = converse(&mut desk, &mut ears, &acker, &mut ends).await;
    ends.pulse.connected(false);
    ears.stop().await;
}

async fn converse<T: From<FromDevices> + Send>(
    desk: &mut Desk,
    ears: &mut Subscriber,
    acker: &Acker,
    ends: &mut Ends<T>,
) -> Result<(), Gone> {
    let mut tick = tokio::time::interval(TICK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ends.pulse.turn();
        let mut tickets = Vec::new();
        tokio::select! {
            biased;
            _ = &mut ends.stop => return Ok(()),
            Some(command) = ends.commands.recv() => desk.news.push(FromDevices::Events(vec![
                super::running::failed(command.id, "a topic of the property takes no commands"),
            ])),
            _ = tick.tick() => desk.news.extend(desk.tally.take(&desk.link)),
            Some(event) = ears.next() => match event {
                SubscribeEvent::Messages(batch) => {
                    ends.pulse.heard(batch.len(), batch.iter().map(|message| message.payload.len()).sum());
                    desk.hear(&batch);
                    tickets.extend(batch.into_iter().map(|message| message.ticket));
                }
                SubscribeEvent::Up { .. } => {
                    ends.pulse.connected(true);
                    desk.stands(true, "connected".into());
                }
                SubscribeEvent::Down(down) => {
                    ends.pulse.connected(false);
                    desk.stands(false, down.to_string());
                }
                SubscribeEvent::Refused { .. } => desk.tally.note(None, "subscription_refused"),
            },
        }
        ends.hand_over(std::mem::take(&mut desk.news)).await?;
        acker.acknowledge(tickets);
    }
}

impl Desk {
    fn stands(&mut self, up: bool, because: String) {
        let link = self.link.clone();
        self.news.push(FromDevices::Link { link, up, because });
    }

    /// Of a batch, the newest figure is what stands.
    fn hear(&mut self, batch: &[Inbound]) {
        let (mut newest, mut clouds) = (None, None);
        for message in batch {
            match self.read(&message.payload) {
                Ok(event) => newest = Some(event),
                Err(reason) => self.tally.note(None, reason),
            }
            match self.read_clouds(&message.payload) {
                Ok(told) => clouds = told.or(clouds),
                Err(reason) => self.tally.note(None, reason),
            }
        }
        let events: Vec<Event> = newest.into_iter().chain(clouds).collect();
        self.news
            .extend((!events.is_empty()).then_some(FromDevices::Events(events)));
    }

    fn read(&self, payload: &[u8]) -> Result<Event, &'static str> {
        match self.tells {
            Tells::Outdoor { .. } => temperature(payload, &self.key).map(|temperature| Event::Outdoor { temperature }),
            Tells::PowerLimit => {
                share(payload, &self.key, &LIMIT).map(|share| Event::PowerLimit { share, until: None })
            }
        }
    }

    fn read_clouds(&self, payload: &[u8]) -> Result<Option<Event>, &'static str> {
        let Tells::Outdoor { clouds: Some(key) } = &self.tells else {
            return Ok(None);
        };
        let cover = share(payload, key, &CLOUDS)?;
        Ok(cover.map(|cover| Event::Clouds { cover }))
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
        serde_json::Value::Object(fields) => fields.get(key).ok_or(refusals.key_missing)?,
        bare => bare,
    };
    match told {
        serde_json::Value::Null => Ok(None),
        number => number.as_f64().map(Some).ok_or(refusals.not_a_number),
    }
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
    fn a_limit_is_a_share_or_null_and_nothing_else() {
        assert_eq!(share(b"{\"limit\":60}", "limit", &LIMIT), Ok(Percent::new(60.0)));
        assert_eq!(share(b"{\"limit\":null}", "limit", &LIMIT), Ok(None));
        assert_eq!(share(b"100", "limit", &LIMIT), Ok(Some(Percent::MAX)));
        assert_eq!(share(b"{\"limit\":160}", "limit", &LIMIT), Err("limit_out_of_range"));
        assert_eq!(share(b"{\"limit\":\"60\"}", "limit", &LIMIT), Err("limit_not_a_number"));
        assert_eq!(share(b"{}", "limit", &LIMIT), Err("limit_key_missing"));
    }
}
