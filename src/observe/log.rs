//! Where does the log go, and from which level on?
//!
//! To the journal when systemd started us, else to the terminal. `INNKEEPER_LOG` overrides the configured level, with the
//! usual directives (`debug`, `innkeeper::device=trace`).

use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, fmt};

/// Where the log goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogTarget {
    /// The journal under systemd, else standard error.
    Usual,
    /// Nowhere: the terminal belongs to somebody else.
    Silent,
}

/// Starts the log, once; a second call changes nothing.
pub fn start_log(level: &str, target: LogTarget) {
    if target == LogTarget::Silent && std::env::var_os("INNKEEPER_LOG").is_none() {
        return;
    }
    // The client libraries log each packet; their warnings are enough.
    let usual = format!("{level},rumqttc=warn,sled=warn,tokio_modbus=warn,hyper=warn");
    let filter = std::env::var("INNKEEPER_LOG").unwrap_or(usual);
    let filter = EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new("info"));
    let under_systemd = std::env::var_os("JOURNAL_STREAM").is_some();
    let journal = if under_systemd {
        tracing_journald::layer().ok()
    } else {
        None
    };
    let terminal = journal
        .is_none()
        .then(|| fmt::layer().with_writer(std::io::stderr).with_target(false));
    // A second start, in tests, keeps the first log.
    let _ = tracing_subscriber::registry()
        .with(filter)
        .with(journal)
        .with(terminal)
        .try_init();
}
