//! How do registers become the engine's events, and its commands writes?
//!
//! One [`start`] a bus, the same for Modbus/TCP, a serial server and a serial port: a plan made of the devices' profiles
//! ([`bus_plan`]), the line that carries it out ([`super::modbus`]), and one task between line and daemon.
//!
//! Limits and promises:
//! * a point is told when it changes and once a minute as a sign of life;
//! * a temperature that jumps by more than 5 C, or leaves its valid range, is believed when it is read twice;
//! * a write whose profile says so is read back, some times over within the profile's limit, before it is called
//!   verified or failed. What reads back otherwise is told as a reading too;
//! * registers that must be written together are read anew before; what cannot be read is never guessed;
//! * what a silent unit said is forgotten, and heard anew when it is back.

mod beat;
mod desk;
mod order;
mod plan;
mod watched;

pub use plan::{BusDevice, BusSettings, bus_plan};

use super::FromDevices;
use super::modbus::{self, BusEvent, SpawnFault};
use super::running::{Ends, Gone, Running, beat};
use crate::model::Moment;
use desk::Desk;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::Instant;

/// Events that wait between the line and this task; readings beyond it replace each other at the line.
const EVENTS_WAITING: usize = 64;
/// How often read-backs, heartbeats and the watchdog are served.
const TICK: Duration = Duration::from_millis(250);
/// How long a stopping bus carries out its last commands: handing devices back to their own control.
const STOP_WITHIN: Duration = Duration::from_secs(5);

/// The devices of one Modbus bus at work.
pub type ModbusDevices = Running;

/// Starts to read these devices and to carry commands to them. `clock` tells whether a command has expired.
///
/// # Errors
/// Says what is wrong with the plan, or that a serial line's thread cannot be had.
///
/// # Panics
/// Must be called within a runtime.
pub fn start<T: From<FromDevices> + Send + 'static>(
    settings: &BusSettings,
    devices: Vec<BusDevice>,
    clock: fn() -> Moment,
    to: mpsc::Sender<T>,
) -> Result<ModbusDevices, SpawnFault> {
    let plan = bus_plan(settings, &devices);
    let (sender, events) = mpsc::channel(EVENTS_WAITING);
    let line = modbus::spawn(plan.clone(), sender)?;
    let desk = Desk::new(&plan, devices, line, clock);
    Ok(Running::start(to, |ends| run(desk, events, ends)))
}

async fn run<T: From<FromDevices> + Send>(mut desk: Desk, mut events: mpsc::Receiver<BusEvent>, mut ends: Ends<T>) {
    // Nobody left to tell is the end as well.
    let _ = converse(&mut desk, &mut events, &mut ends).await;
    let _ = tokio::time::timeout(STOP_WITHIN, say_goodbye(&mut desk, &mut events, &mut ends)).await;
    let line = desk.line().clone();
    let stopping = async {
        line.stop().await;
    };
    let draining = async {
        while let Some(event) = events.recv().await {
            desk.take(event);
        }
    };
    let _ = tokio::time::timeout(STOP_WITHIN, async { tokio::join!(stopping, draining) }).await;
    desk.give_up();
    let _ = tokio::time::timeout(STOP_WITHIN, ends.hand_over(desk.take_news())).await;
    ends.pulse.connected(false);
}

async fn converse<T: From<FromDevices> + Send>(
    desk: &mut Desk,
    events: &mut mpsc::Receiver<BusEvent>,
    ends: &mut Ends<T>,
) -> Result<(), Gone> {
    let mut tick = beat(TICK);
    loop {
        ends.pulse.turn();
        tokio::select! {
            biased;
            _ = &mut ends.stop => return Ok(()),
            Some(command) = ends.commands.recv(), if desk.has_room() => desk.tell(command, ends.commands.len()),
            _ = tick.tick() => desk.tick(Instant::now()),
            Some(event) = events.recv() => {
                let bytes = desk.take(event);
                ends.pulse.heard(usize::from(bytes > 0), bytes);
            }
        }
        ends.pulse.connected(desk.is_connected());
        ends.hand_over(desk.take_news()).await?;
    }
}

/// Carries out the commands that were handed over before the stop.
async fn say_goodbye<T: From<FromDevices> + Send>(
    desk: &mut Desk,
    events: &mut mpsc::Receiver<BusEvent>,
    ends: &mut Ends<T>,
) -> Result<(), Gone> {
    ends.commands.close();
    while let Some(command) = ends.commands.recv().await {
        desk.tell(command, ends.commands.len());
        while !desk.has_room()
            && let Some(event) = events.recv().await
        {
            desk.take(event);
        }
        ends.hand_over(desk.take_news()).await?;
    }
    while desk.awaits_the_line()
        && let Some(event) = events.recv().await
    {
        desk.take(event);
        ends.hand_over(desk.take_news()).await?;
    }
    Ok(())
}
