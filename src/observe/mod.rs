//! What does the engineer see of the daemon from outside: counters, health, log, watchdog?

mod http;
mod log;
mod metrics;
mod pulse;

pub use http::{Health, serve};
pub use log::{LogTarget, start_log};
pub use metrics::Metrics;
pub use pulse::{Pulse, Pulses, watch};
