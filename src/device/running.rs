//! How does the daemon hold a running link: command it, watch it, stop it?
//!
//! A link's task hands everything to the daemon's inbox and waits while that is full; the way back never waits, so the two
//! cannot stop each other.

use super::FromDevices;
use crate::model::{Command, CommandId, Event, WriteResult};
use crate::mqtt::{AckTicket, Inbound};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{Interval, MissedTickBehavior};

/// Commands that wait for one link; what comes beyond fails by name. The engine has one command under way for each
/// setting, and a large property prepares some hundreds of rooms in the same minute.
pub(super) const COMMANDS_WAITING_MAX: usize = 4096;

/// The way of commands to one link. Cheap to clone.
#[derive(Clone)]
pub struct Outlet {
    commands: mpsc::UnboundedSender<Command>,
    /// Says so when the link's task is gone.
    late: Arc<dyn Fn(FromDevices) + Send + Sync>,
}

impl Outlet {
    /// Hands a command to the link; never waits. What became of it comes back once as [`Event::Written`]. Over MQTT,
    /// `Sent` can be followed by one `Failed`, when the bridge complains of it afterwards.
    pub fn tell(&self, command: Command) {
        if let Err(mpsc::error::SendError(command)) = self.commands.send(command) {
            (self.late)(FromDevices::Events(vec![failed(command.id, STOPPED)]));
        }
    }
}

impl fmt::Debug for Outlet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Outlet")
    }
}

/// Why a command fails on a link that ends.
pub(super) const STOPPED: &str = "the link is stopped";
/// Why a command fails that comes when too many wait.
pub(super) const TOO_MANY: &str = "too many commands wait for the link";

/// The event of a command that did not get through.
pub(super) fn failed(command: CommandId, because: impl Into<String>) -> Event {
    written(command, WriteResult::Failed(because.into()))
}

/// The event of what became of a command.
pub(super) fn written(command: CommandId, result: WriteResult) -> Event {
    Event::Written { command, result }
}

/// A link at work. It ends when it is stopped or dropped.
#[derive(Debug)]
pub struct Running {
    outlet: Outlet,
    pulse: Arc<Pulse>,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

/// What a link has done so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Standing {
    /// Whether devices can be heard and told now.
    pub connected: bool,
    /// Messages heard: MQTT messages, or blocks of registers.
    pub messages: u64,
    /// Bytes of their payloads.
    pub bytes: u64,
}

impl Running {
    /// Starts the task that `run` makes of the ends it is given.
    pub(super) fn start<T, F>(to: mpsc::Sender<T>, run: impl FnOnce(Ends<T>) -> F) -> Self
    where
        T: From<FromDevices> + Send + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        let (commands, taken) = mpsc::unbounded_channel();
        let (stop, stopped) = oneshot::channel();
        let pulse = Arc::new(Pulse::default());
        let inbox = to.clone();
        // A full inbox of a stopping daemon is not waited for: nobody would retry the command anyway.
        let late = Arc::new(move |news: FromDevices| drop(inbox.try_send(T::from(news))));
        let ends = Ends {
            commands: taken,
            stop: stopped,
            to,
            pulse: pulse.clone(),
        };
        Self {
            outlet: Outlet { commands, late },
            pulse,
            stop,
            task: tokio::spawn(run(ends)),
        }
    }

    /// The way of commands to its devices.
    pub fn outlet(&self) -> Outlet {
        self.outlet.clone()
    }

    /// A count that rises several times a second while the link's task goes on; it stands still while the daemon does not
    /// take what the task hands over.
    pub fn progress(&self) -> u64 {
        self.pulse.turns.load(Ordering::Relaxed)
    }

    /// The same count, for whoever watches from elsewhere.
    pub fn watcher(&self) -> impl Fn() -> u64 + Send + 'static {
        let pulse = Arc::clone(&self.pulse);
        move || pulse.turns.load(Ordering::Relaxed)
    }

    /// What it has done so far.
    pub fn standing(&self) -> Standing {
        Standing {
            connected: self.pulse.connected.load(Ordering::Relaxed),
            messages: self.pulse.messages.load(Ordering::Relaxed),
            bytes: self.pulse.bytes.load(Ordering::Relaxed),
        }
    }

    /// Carries out the commands already handed over, within a few seconds, and ends. The inbox must be drained meanwhile.
    pub async fn stop(self) {
        let _ = self.stop.send(());
        let _ = self.task.await;
    }
}

/// What a link's task is seen by.
#[derive(Debug, Default)]
pub(super) struct Pulse {
    turns: AtomicU64,
    connected: AtomicBool,
    messages: AtomicU64,
    bytes: AtomicU64,
}

impl Pulse {
    /// Notes one turn of the loop.
    pub fn turn(&self) {
        self.turns.fetch_add(1, Ordering::Relaxed);
    }

    /// Notes what was heard.
    pub fn heard(&self, messages: usize, bytes: usize) {
        self.messages.fetch_add(messages as u64, Ordering::Relaxed);
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// Notes what came in over MQTT, and returns what acknowledges it.
    pub fn heard_all(&self, batch: Vec<Inbound>) -> Vec<AckTicket> {
        self.heard(batch.len(), batch.iter().map(|message| message.payload.len()).sum());
        batch.into_iter().map(|message| message.ticket).collect()
    }

    /// Notes whether the link is up.
    pub fn connected(&self, is_up: bool) {
        self.connected.store(is_up, Ordering::Relaxed);
    }
}

/// What a link's task is given.
pub(super) struct Ends<T> {
    /// Commands come in here.
    pub commands: mpsc::UnboundedReceiver<Command>,
    /// Told, or dropped, when the link shall end.
    pub stop: oneshot::Receiver<()>,
    /// The daemon's inbox.
    pub to: mpsc::Sender<T>,
    /// What the daemon watches.
    pub pulse: Arc<Pulse>,
}

/// Beats at once and then at every period; one that was missed is not made up for.
pub(super) fn beat(period: Duration) -> Interval {
    let mut beat = tokio::time::interval(period);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    beat
}

/// Nobody listens any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Gone;

impl<T: From<FromDevices>> Ends<T> {
    /// Hands something to the daemon, waiting while its inbox is full.
    pub async fn hand_over(&self, news: impl IntoIterator<Item = FromDevices>) -> Result<(), Gone> {
        for one in news {
            self.to.send(T::from(one)).await.map_err(|_| Gone)?;
        }
        Ok(())
    }
}
