//! What time is it? The only file that asks.
//!
//! The daemon lives by the wall clock. The demo lets a hotel day pass in a minute: the same code then lives by a clock
//! that started at a chosen moment and runs faster. Pauses (back-off, pacing, time-outs) are the runtime's and stay real.

use crate::model::{Moment, Span};
use std::sync::OnceLock;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

struct Fast {
    started: Instant,
    from: Moment,
    factor: f64,
}

static FAST: OnceLock<Fast> = OnceLock::new();

/// Lets this process live from a chosen moment on, so many times faster than real. Once, before anything else.
pub fn run_fast(from: Moment, factor: f64) {
    let _ = FAST.set(Fast { started: Instant::now(), from, factor: factor.max(1.0) });
}

/// Now.
pub fn now() -> Moment {
    match FAST.get() {
        Some(fast) => {
            let passed = fast.started.elapsed().as_secs_f64() * fast.factor * 1000.0;
            fast.from + Span::millis(passed as i64)
        }
        None => wall(),
    }
}

/// How long, in real time, until a moment; nothing when it has passed.
pub fn real_time_until(at: Moment) -> Duration {
    let span = at.since(now()).to_std();
    FAST.get().map_or(span, |fast| span.div_f64(fast.factor))
}

/// How many times faster than real time this process lives.
pub fn factor() -> f64 {
    FAST.get().map_or(1.0, |fast| fast.factor)
}

fn wall() -> Moment {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Moment::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
