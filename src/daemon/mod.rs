//! How are the parts wired, started and stopped in order?
//!
//! [`start`] opens the store, restores the engine, starts the links, and says "ready". Stopping goes the other way round:
//! devices are handed back, links take leave, everything is written.

pub mod clock;
pub mod control;
mod fanout;
mod inbox;
mod jobs;
mod lazy;
mod links;
mod owner;
mod pages;

pub use inbox::{Inbox, Question};

use crate::config::Configured;
use crate::engine::Engine;
use crate::model::{Event, Key};
use crate::observe::{Health, Metrics, Pulse, Pulses, serve, watch};
use crate::profile::Library;
use crate::record::Recorder;
use crate::store::{Caps, Limits, Store, key};
use anyhow::{Context, Result, bail};
use links::Links;
use owner::{Beginning, Owner, Relink};
use std::fs::File;
use std::io::BufWriter;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot, watch as watched};

/// Things that wait for the owner before the links wait: back-pressure reaches the brokers by withheld acknowledgements.
const INBOX_MAX: usize = 64;
/// Emergencies that wait for the local fan-out.
const FANOUT_MAX: usize = 64;
/// The owner turns every two seconds; a slow disk may hold one turn for long.
const OWNER_WITHIN: Duration = Duration::from_secs(60);
/// The stack of the owner's thread: the engine keeps its state on the heap.
const OWNER_STACK_BYTES: usize = 1 << 20;

/// What the command line adds to the configuration.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Where the configuration was read from, to be read again.
    pub paths: Vec<PathBuf>,
    /// Records everything that happens into this file.
    pub record: Option<PathBuf>,
    /// Makes the store's key if it is not there yet: for the demo and for tests.
    pub make_key: bool,
}

/// The running daemon.
pub struct Running {
    inbox: mpsc::Sender<Inbox>,
    reload: mpsc::Sender<oneshot::Sender<String>>,
    /// Where health and metrics are served.
    pub observe: SocketAddr,
    /// The counters.
    pub metrics: Metrics,
    owner: std::thread::JoinHandle<()>,
    links_done: oneshot::Receiver<()>,
}

/// Starts everything. When this returns, the daemon is ready.
///
/// # Errors
/// What keeps it from starting, and what to do about it.
pub async fn start(configured: Configured, library: Library, options: Options) -> Result<Running> {
    let (metrics, pulses, ready) = (Metrics::default(), Pulses::default(), Arc::new(AtomicBool::new(false)));
    let listener = TcpListener::bind(&configured.observe.listen).await;
    let listener =
        listener.with_context(|| format!("cannot listen on {} for health and metrics", configured.observe.listen))?;
    let observe = listener.local_addr()?;
    let health = Health {
        metrics: metrics.clone(),
        pulses: pulses.clone(),
        ready: Arc::clone(&ready),
    };
    tokio::spawn(serve(listener, health));

    let store = open_store(&configured, &options)?;
    let engine = restore(&configured, &store)?;
    let recorder = options
        .record
        .as_ref()
        .map(|path| begin_recording(path, &engine))
        .transpose()?;

    let (inbox, came) = mpsc::channel(INBOX_MAX);
    let (last, reach) = watched::channel([0; 4]);
    let mut links = Links::new(inbox.clone(), reach, pulses.clone());
    let outlets = links.follow(&configured, &library).await?;
    let (fanout, calls) = mpsc::channel(FANOUT_MAX);
    tokio::spawn(fanout::run(
        configured.property.id.clone(),
        links::fanout_options(&configured),
        calls,
    ));
    let socket = control::socket_of(&configured.store.dir);
    let socket_listener =
        control::listen(&socket).with_context(|| format!("cannot open the control socket {}", socket.display()))?;
    let (reload, reloads) = mpsc::channel(1);
    tokio::spawn(control::serve(socket_listener, inbox.clone(), reload.clone()));

    let pulse = Pulse::default();
    let beat = pulse.clone();
    pulses.add("owner", OWNER_WITHIN, move || beat.count());
    let (reconfigured, relinks) = mpsc::unbounded_channel();
    let rooms = configured.property.rooms.len();
    let beginning = Beginning {
        engine,
        store,
        configured,
        outlets,
        fanout,
        last,
        reconfigured,
        metrics: metrics.clone(),
        pulse,
        recorder,
    };
    let owner = spawn_owner(Owner::new(beginning), came)?;
    let (stopped, links_done) = oneshot::channel();
    tokio::spawn(follow_links(links, relinks, stopped));
    tokio::spawn(follow_reloads(options.paths, inbox.clone(), reloads));
    tokio::spawn(watch(pulses));
    ready.store(true, Ordering::Relaxed);
    let _ = sd_notify::notify(&[sd_notify::NotifyState::Ready]);
    tracing::info!(rooms, %observe, "ready");
    Ok(Running {
        inbox,
        reload,
        observe,
        metrics,
        owner,
        links_done,
    })
}

impl Running {
    /// Feeds events as if they had come over a link: for the weather, simulations and tests.
    pub async fn feed(&self, events: Vec<Event>) {
        let _ = self.inbox.send(Inbox::Events(events)).await;
    }

    /// Asks the daemon something.
    pub async fn ask(&self, question: Question) -> Option<serde_json::Value> {
        let (to, answer) = oneshot::channel();
        self.inbox.send(Inbox::Ask(question, to)).await.ok()?;
        answer.await.ok()
    }

    /// Reads the configuration again. Returns in words what came of it.
    pub async fn reload(&self) -> String {
        let (to, answer) = oneshot::channel();
        let _ = self.reload.send(to).await;
        answer.await.unwrap_or_else(|_| "the daemon is stopping".into())
    }

    /// Stops in order: devices are handed back, links take leave, everything is written.
    pub async fn stop(self) {
        let _ = sd_notify::notify(&[sd_notify::NotifyState::Stopping]);
        let (done, ended) = oneshot::channel();
        let _ = self.inbox.send(Inbox::Stop(done)).await;
        let _ = ended.await;
        let _ = tokio::task::spawn_blocking(move || self.owner.join()).await;
        let _ = self.links_done.await;
        tracing::info!("stopped");
    }
}

fn open_store(configured: &Configured, options: &Options) -> Result<Store> {
    let (section, now) = (&configured.store, clock::now());
    let credentials = std::env::var_os("CREDENTIALS_DIRECTORY").map(PathBuf::from);
    let is_missing = credentials
        .as_ref()
        .is_none_or(|dir| !dir.join(key::CREDENTIAL).exists())
        && !section.key_file.exists();
    let key = if is_missing && options.make_key {
        key::create(&section.key_file)?
    } else if is_missing {
        bail!(
            "the store has no key: there is no {}; make one with `innkeeper init`",
            section.key_file.display()
        );
    } else {
        key::load(credentials.as_deref(), &section.key_file)?
    };
    std::fs::create_dir_all(&section.dir)
        .with_context(|| format!("cannot make the store's folder {}", section.dir.display()))?;
    let mib = |n: u32| u64::from(n) << 20;
    let outbox = &section.outbox;
    let caps = Caps([
        mib(outbox.emergency.mib),
        mib(outbox.request.mib),
        mib(outbox.promise.mib),
        mib(outbox.state.mib),
    ]);
    let limits = Limits {
        outbox: caps,
        journal_bytes: mib(section.journal_mib),
        ..Limits::default()
    };
    let (store, report) = Store::open_with(&section.dir, &key, now, limits)?;
    for alarm in &report.alarms {
        tracing::error!(%alarm, healed = alarm.healed(), "damage found in the store");
    }
    tracing::info!(
        records = report.records,
        pending = report.pending,
        replayed = report.replayed,
        "store is open"
    );
    Ok(store)
}

fn restore(configured: &Configured, store: &Store) -> Result<Engine> {
    let mut engine = Engine::new(Arc::clone(&configured.property)).map_err(anyhow::Error::msg)?;
    for record in store.records() {
        let (text, body) = record?;
        let Some(key) = Key::from_text(&text) else { continue };
        if let Err(fault) = engine.restore(&key, &body) {
            // One record that cannot be read does not keep the hotel from starting.
            tracing::error!(%fault, "goes on without it");
        }
    }
    Ok(engine)
}

fn begin_recording(path: &PathBuf, engine: &Engine) -> Result<Recorder<BufWriter<File>>> {
    let file = File::create(path).with_context(|| format!("cannot record into {}", path.display()))?;
    Ok(Recorder::begin(BufWriter::new(file), engine, clock::now())?)
}

/// The owner has a thread to itself: what it does to the disk must not hold up a socket.
fn spawn_owner(owner: Owner, came: mpsc::Receiver<Inbox>) -> Result<std::thread::JoinHandle<()>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
    let thread = std::thread::Builder::new()
        .name("owner".into())
        .stack_size(OWNER_STACK_BYTES);
    Ok(thread.spawn(move || runtime.block_on(owner.run(came)))?)
}

async fn follow_links(mut links: Links, mut relinks: mpsc::UnboundedReceiver<Relink>, stopped: oneshot::Sender<()>) {
    while let Some(Relink {
        before,
        now,
        library,
        answer,
    }) = relinks.recv().await
    {
        for change in crate::config::diff(&before, &now) {
            tracing::info!(%change, "configuration");
        }
        let outlets = match links.follow(&now, &library).await {
            Ok(outlets) => outlets,
            Err(fault) => {
                tracing::error!(
                    fault = format!("{fault:#}"),
                    "a link could not be started; the others run"
                );
                links.outlets(&now)
            }
        };
        let _ = answer.send(outlets);
    }
    links.stop_all().await;
    let _ = stopped.send(());
}

/// A broken file never replaces a running configuration: it is told, remembered as refused, and that is all.
async fn follow_reloads(
    paths: Vec<PathBuf>,
    inbox: mpsc::Sender<Inbox>,
    mut reloads: mpsc::Receiver<oneshot::Sender<String>>,
) {
    while let Some(answer) = reloads.recv().await {
        let read = paths.clone();
        let loaded = tokio::task::spawn_blocking(move || crate::config::load(&read)).await;
        let words = match loaded {
            Ok(Ok((configured, library))) => {
                let words = format!("configuration {} is taken", configured.hash);
                let _ = inbox.send(Inbox::Configured(Box::new((configured, library)))).await;
                words
            }
            Ok(Err(faults)) => {
                let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
                tracing::error!(
                    faults = faults.len(),
                    first = faults.first(),
                    "the configuration is refused; the running one stays"
                );
                let words = format!("refused, the running configuration stays:\n{}", faults.join("\n"));
                let _ = inbox
                    .send(Inbox::Refused(faults.first().cloned().unwrap_or_default()))
                    .await;
                words
            }
            Err(fault) => format!("the configuration could not be read: {fault}"),
        };
        let _ = answer.send(words);
    }
}
