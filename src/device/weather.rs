//! How warm is it outside, and what may the plant give?
//!
//! One topic of one broker, in a session of its own: the property's sensor or weather service tells the temperature as a
//! JSON number under a key, or as a bare number. A retained message says what stands, and is taken: the air outside is a
//! state, not an act. A limit on the plant's power comes the same way, in %. What cannot be read is counted by name; the engine forgets a temperature that is not told again.

use super::FromDevices;
use super::running::{Ends, Gone, Running};
use super::tally::Tally;
use crate::model::{Celsius, Event, LinkId, OUTDOOR_C, Percent};
use crate::mqtt::{Acker, Inbound, LinkOptions, OptionsError, SubscribeEvent, SubscribeOptions, Subscriber};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::MissedTickBehavior;

/// A weather message is a few hundred bytes; a forecast for a week is not asked for.
const PAYLOAD_BYTES_MAX: usize = 64 * 1024;
/// How often the watchdog sees the loop turn, and rejections are told.
const TICK: Duration = Duration::from_secs(1);

/// Where the weather is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WeatherTopic {
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

/// Starts to listen to the weather.
///
/// # Errors
/// Options that cannot work.
///
/// # Panics
/// Must be called within a runtime.
pub fn start<T: From<FromDevices> + Send + 'static>(
    link: LinkId,
    options: LinkOptions,
    source: WeatherTopic,
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
                super::running::failed(command.id, "the weather takes no commands"),
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
            let event = match &self.tells {
                Tells::Outdoor { clouds: key } => {
                    let cover = key.as_ref().map(|key| limit(&message.payload, key));
                    match cover.transpose() {
                        Ok(cover) => clouds = cover.flatten().map(|cover| Event::Clouds { cover }).or(clouds),
                        Err(_) => self.tally.note(None, "clouds_unreadable"),
                    }
                    read(&message.payload, &self.key).map(|temperature| Event::Outdoor { temperature })
                }
                Tells::PowerLimit => {
                    limit(&message.payload, &self.key).map(|share| Event::PowerLimit { share, until: None })
                }
            };
            match event {
                Ok(event) => newest = Some(event),
                Err(reason) => self.tally.note(None, reason),
            }
        }
        let events: Vec<Event> = newest.into_iter().chain(clouds).collect();
        self.news
            .extend((!events.is_empty()).then_some(FromDevices::Events(events)));
    }
}

/// Returns the temperature a message tells, or the name of what is wrong with it.
fn read(payload: &[u8], key: &str) -> Result<Celsius, &'static str> {
    if payload.len() > PAYLOAD_BYTES_MAX {
        return Err("weather_too_long");
    }
    let value: serde_json::Value = serde_json::from_slice(payload).map_err(|_| "weather_not_json")?;
    let number = match &value {
        serde_json::Value::Object(fields) => fields.get(key).ok_or("weather_key_missing")?,
        bare => bare,
    };
    let degrees = number.as_f64().ok_or("weather_not_a_number")?;
    Some(degrees)
        .filter(|degrees| OUTDOOR_C.contains(degrees))
        .and_then(Celsius::new)
        .ok_or("weather_out_of_range")
}

/// Returns the limit a message tells, none when it lifts one, or the name of what is wrong with it.
fn limit(payload: &[u8], key: &str) -> Result<Option<Percent>, &'static str> {
    if payload.len() > PAYLOAD_BYTES_MAX {
        return Err("limit_too_long");
    }
    let value: serde_json::Value = serde_json::from_slice(payload).map_err(|_| "limit_not_json")?;
    let told = match &value {
        serde_json::Value::Object(fields) => fields.get(key).ok_or("limit_key_missing")?,
        bare => bare,
    };
    if told.is_null() {
        return Ok(None);
    }
    let share = told.as_f64().ok_or("limit_not_a_number")?;
    Percent::new(share).map(Some).ok_or("limit_out_of_range")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_or_a_bare_number_tells_the_temperature() {
        assert_eq!(
            read(br#"{"temperature":-3.5,"wind":12}"#, "temperature"),
            Ok(Celsius::from_hundredths(-350))
        );
        assert_eq!(read(b"21.25", "temperature"), Ok(Celsius::from_hundredths(2125)));
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
            assert_eq!(read(payload, "temperature"), Err(reason));
        }
        assert_eq!(read(&vec![b' '; PAYLOAD_BYTES_MAX + 1], "t"), Err("weather_too_long"));
    }

    #[test]
    fn a_limit_is_a_share_or_null_and_nothing_else() {
        assert_eq!(limit(b"{\"limit\":60}", "limit"), Ok(Percent::new(60.0)));
        assert_eq!(limit(b"{\"limit\":null}", "limit"), Ok(None));
        assert_eq!(limit(b"100", "limit"), Ok(Some(Percent::MAX)));
        assert_eq!(limit(b"{\"limit\":160}", "limit"), Err("limit_out_of_range"));
        assert_eq!(limit(b"{\"limit\":\"60\"}", "limit"), Err("limit_not_a_number"));
        assert_eq!(limit(b"{}", "limit"), Err("limit_key_missing"));
    }
}
