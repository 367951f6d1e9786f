//! How do MQTT messages become the engine's events, and its commands messages?
//!
//! One [`start`] a link: a subscriber for what the bindings name, a publisher for commands, one task between them.
//!
//! Limits first:
//! * a device may say 20 messages a second, 60 at once; of what is beyond, the newest of each topic is heard when the
//!   flood is over (`gate`), and the rest is counted as `rate_limited`;
//! * payloads beyond the profile's limits are rejected by it, by name;
//! * the session is a clean one: what was said while the link was down is not replayed as if it happened now. Retained
//!   messages tell what stands, and are marked as repetitions;
//! * messages are acknowledged when the daemon's inbox has taken what they became. While it is full nothing more is
//!   read, and the broker keeps the rest;
//! * a command is not kept for a broker that is away: it fails at once, and the engine tells it again or thinks better.

mod desk;
mod gate;
mod routes;
mod standing;
mod told;

use super::FromDevices;
use super::running::{Ends, Gone, Running, beat};
use crate::model::{DeviceId, LinkId, Moment};
use crate::mqtt::{
    Acker, LinkOptions, OptionsError, PublishOptions, Publisher, SubscribeEvent, SubscribeOptions, Subscriber,
};
use crate::profile::DeviceBinding;
use desk::Desk;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::Instant;

/// How often what was held back is looked at, and the watchdog sees the loop turn.
const TICK: Duration = Duration::from_millis(250);
/// How long a stopping link carries out its last commands: handing devices back to their own control.
const STOP_WITHIN: Duration = Duration::from_secs(5);
/// What the publisher's client id has beyond the subscriber's: two clients of one id throw each other out.
const TELLER: &str = "-tell";

/// The devices of one MQTT link at work.
pub type MqttDevices = Running;

/// Why a link cannot be started.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StartFault {
    /// The options cannot work.
    #[error("link {link}: {fault}")]
    Options {
        /// The link.
        link: LinkId,
        /// What is wrong with them.
        fault: OptionsError,
    },
    /// A device that does not speak MQTT.
    #[error("link {link}: device {device} has no topics; its profile is for another kind of link")]
    NoTopics {
        /// The link.
        link: LinkId,
        /// The device.
        device: DeviceId,
    },
    /// A device bound twice.
    #[error("link {link}: device {device} is bound twice; bind it once")]
    Twice {
        /// The link.
        link: LinkId,
        /// The device.
        device: DeviceId,
    },
}

/// Starts to listen to these devices and to carry commands to them. `clock` tells whether a command has expired.
///
/// # Errors
/// Options or bindings that cannot work.
///
/// # Panics
/// Must be called within a runtime.
pub fn start<T: From<FromDevices> + Send + 'static>(
    link: LinkId,
    options: LinkOptions,
    bindings: Vec<DeviceBinding>,
    clock: fn() -> Moment,
    to: mpsc::Sender<T>,
) -> Result<MqttDevices, StartFault> {
    check(&link, &bindings)?;
    let desk = Desk::new(link.clone(), bindings, clock);
    let fault = |fault| StartFault::Options {
        link: link.clone(),
        fault,
    };
    let mut telling = options.clone();
    telling.client_id.push_str(TELLER);
    let listening = SubscribeOptions {
        persistent: false,
        ..SubscribeOptions::new(options, desk.filters())
    };
    let ears = Subscriber::start(listening).map_err(&fault)?;
    let mouth = Publisher::start(PublishOptions::new(telling)).map_err(&fault)?;
    Ok(Running::start(to, |ends| run(desk, ears, mouth, ends)))
}

fn check(link: &LinkId, bindings: &[DeviceBinding]) -> Result<(), StartFault> {
    let mut seen = std::collections::BTreeSet::new();
    for binding in bindings {
        let (link, device) = (link.clone(), binding.device().clone());
        if binding.topics().is_empty() {
            return Err(StartFault::NoTopics { link, device });
        }
        if !seen.insert(binding.device()) {
            return Err(StartFault::Twice { link, device });
        }
    }
    Ok(())
}

async fn run<T: From<FromDevices> + Send>(
    mut desk: Desk,
    mut ears: Subscriber,
    mut mouth: Publisher,
    mut ends: Ends<T>,
) {
    let acker = ears.acker();
    // Nobody left to tell is the end as well.
    let _ = converse(&mut desk, &mut ears, &mut mouth, &acker, &mut ends).await;
    let _ = tokio::time::timeout(STOP_WITHIN, say_goodbye(&mut desk, &mut mouth, &mut ends)).await;
    desk.give_up();
    let _ = tokio::time::timeout(STOP_WITHIN, ends.hand_over(desk.take_news())).await;
    ends.pulse.connected(false);
    ears.stop().await;
    mouth.stop().await;
}

async fn converse<T: From<FromDevices> + Send>(
    desk: &mut Desk,
    ears: &mut Subscriber,
    mouth: &mut Publisher,
    acker: &Acker,
    ends: &mut Ends<T>,
) -> Result<(), Gone> {
    let mut tick = beat(TICK);
    loop {
        ends.pulse.turn();
        let mut tickets = Vec::new();
        // Commands and their acknowledgements are few, and go before a flood of messages.
        tokio::select! {
            biased;
            _ = &mut ends.stop => return Ok(()),
            Some(command) = ends.commands.recv(), if desk.has_room() => desk.tell(command, ends.commands.len()),
            Some(event) = mouth.next() => desk.on_publisher(event),
            _ = tick.tick() => desk.tick(Instant::now()),
            Some(event) = ears.next() => match event {
                SubscribeEvent::Messages(batch) => {
                    desk.hear(&batch, Instant::now());
                    tickets = ends.pulse.heard_all(batch);
                }
                other => desk.on_subscriber(other),
            },
        }
        ends.pulse.connected(desk.is_connected());
        ends.hand_over(desk.take_news()).await?;
        acker.acknowledge(tickets);
    }
}

/// Carries out the commands that were handed over before the stop.
async fn say_goodbye<T: From<FromDevices> + Send>(
    desk: &mut Desk,
    mouth: &mut Publisher,
    ends: &mut Ends<T>,
) -> Result<(), Gone> {
    ends.commands.close();
    while let Some(command) = ends.commands.recv().await {
        desk.tell(command, ends.commands.len());
        while !desk.has_room()
            && let Some(event) = mouth.next().await
        {
            desk.on_publisher(event);
        }
        ends.hand_over(desk.take_news()).await?;
    }
    while desk.awaits_the_broker()
        && let Some(event) = mouth.next().await
    {
        desk.on_publisher(event);
        ends.hand_over(desk.take_news()).await?;
    }
    Ok(())
}
