//! Is the air outside heard, and nothing else taken for it?

use super::mqtt::{Bridge, options};
use super::support::*;
use innkeeper::device::property::{PropertyTopic, Tells, start};
use innkeeper::model::{Celsius, Event, LinkId};
use innkeeper::simulate::broker::Broker;

#[tokio::test]
async fn the_air_outside_is_heard_and_nonsense_is_counted() {
    let broker = Broker::on_loopback().unwrap();
    let mut bridge = Bridge::at(&broker).await;
    let (to, mut inbox) = Inbox::new();
    let source = PropertyTopic {
        topic: "house/weather".into(),
        key: "outdoor".into(),
        tells: Tells::Outdoor { clouds: None },
    };
    let link = LinkId::new("weather").unwrap();
    let running = start(link, options(broker.address(), "inn-weather"), source, to).unwrap();
    inbox.up().await;
    bridge.say("house/weather", r#"{"outdoor":"mild"}"#).await;
    bridge.say("house/weather", r#"{"outdoor":-3.5,"wind":12}"#).await;
    let seen = Event::Outdoor {
        temperature: Celsius::from_hundredths(-350),
    };
    inbox
        .until("the temperature is told", |inbox| inbox.events.contains(&seen))
        .await;
    inbox
        .until("the nonsense is counted", |inbox| {
            inbox.rejected.contains(&(None, "weather_not_a_number", 1))
        })
        .await;
    assert_eq!(inbox.events, [seen]);
    running.stop().await;
}
