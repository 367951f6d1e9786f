//! What does a topic of the property's broker tell?
//!
//! One topic, in a session of its own: a sensor on the roof, a weather service, an energy desk. A retained message says what
//! stands, and is taken: these are states, not acts.

use super::{Desk, Figures, TICK};
use crate::device::FromDevices;
use crate::device::running::{self, Ends, Gone, Running};
use crate::model::LinkId;
use crate::mqtt::{Acker, LinkOptions, OptionsError, SubscribeEvent, SubscribeOptions, Subscriber};
use tokio::sync::mpsc;

/// Where a figure of the property is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PropertyTopic {
    /// The topic.
    pub topic: String,
    /// What it tells.
    pub figures: Figures,
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
    let desk = Desk::new(link, source.figures);
    Ok(Running::start(to, |ends| run(desk, ears, ends)))
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
    let mut tick = running::beat(TICK);
    loop {
        ends.pulse.turn();
        let mut tickets = Vec::new();
        tokio::select! {
            biased;
            _ = &mut ends.stop => return Ok(()),
            Some(command) = ends.commands.recv() => desk.cannot(command, "a topic of the property takes no commands"),
            _ = tick.tick() => desk.tick(),
            Some(event) = ears.next() => match event {
                SubscribeEvent::Messages(batch) => {
                    desk.hear(batch.iter().map(|message| &*message.payload));
                    tickets = ends.pulse.heard_all(batch);
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
